"""``gc`` as the board has it: this build counts memory that it could still ask the computer for as free."""

# ruff: noqa: F401 - names to pass on
from gc import collect, disable, enable, isenabled, mem_alloc, threshold
from gc import mem_free as _mem_free

_NOT_ON_BOARD = 128 << 20


def mem_free():
    return max(_mem_free() - _NOT_ON_BOARD, 0)
