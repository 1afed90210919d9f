"""``gc`` as the board has it: a heap of the board's size, although this build's grows when it is full."""

# ruff: noqa: F401 - names to pass on
from gc import collect, disable, enable, isenabled, mem_alloc, threshold
from gc import mem_free as _mem_free

_STILL_TO_GROW = 128 << 20
_HEAP = _mem_free() - _STILL_TO_GROW + mem_alloc()


def mem_free():
    return max(_HEAP - mem_alloc(), 0)
