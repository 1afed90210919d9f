"""Checks of arguments, with the words of MicroPython's C code."""


def to_int(x):
    if x is True or x is False:
        return int(x)
    if not isinstance(x, int):
        raise TypeError("can't convert %s to int" % type(x).__name__)
    return x


def to_buffer(x):
    """``x`` itself if it is bytes; else a view of its bytes."""
    return x if isinstance(x, (bytes, bytearray)) else memoryview(x)
