"""``gc``: the Unix port's heap has the board's size, so nothing needs to be put right."""

# ruff: noqa: F401 - names to pass on
from gc import collect, disable, enable, isenabled, mem_alloc, mem_free, threshold
