"""Checks of arguments, with the words of MicroPython's C code."""

# Made once: a tuple takes memory.
_BYTES = (bytes, bytearray)
_SEQUENCES = (tuple, list)


def to_int(x):
    if x is True or x is False:
        return int(x)
    if not isinstance(x, int):
        raise TypeError("can't convert %s to int" % type(x).__name__)
    return x


def to_buffer(x):
    """``x`` itself if it is bytes; else a view of its bytes."""
    return x if isinstance(x, _BYTES) else memoryview(x)


def size_of(buffer):
    """Its bytes; what :func:`to_buffer` gives may have items of several, as an array of "h" has."""
    return len(buffer) if isinstance(buffer, _BYTES) or not len(buffer) else len(buffer) * len(bytes(buffer[:1]))


def to_items(x, count=None):
    """``x`` itself, a tuple or list, of ``count`` items if given."""
    if not isinstance(x, _SEQUENCES):
        raise TypeError("object '%s' isn't a tuple or list" % type(x).__name__)
    if count is not None and len(x) != count:
        raise ValueError("requested length %d but object has length %d" % (count, len(x)))
    return x
