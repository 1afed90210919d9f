"""``gc`` as the board has it: a heap of the board's size, although this build's grows when it is full."""

# ruff: noqa: F401 - names to pass on
from gc import collect, disable, enable, isenabled, mem_alloc, threshold

heap_bytes = 0
_taken_at_start = 0


def start(free_bytes):
    """From here on, what is taken is taken from so much."""
    global heap_bytes, _taken_at_start
    heap_bytes = free_bytes
    _taken_at_start = mem_alloc()


def mem_free():
    return max(heap_bytes - (mem_alloc() - _taken_at_start), 0)
