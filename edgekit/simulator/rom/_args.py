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
    """``x`` itself if it is bytes; else a view of its bytes, also where its items have several, as in an array of "h"."""
    if isinstance(x, _BYTES):
        return x
    view = memoryview(x)
    item = len(bytes(view[:1]))
    if item <= 1:
        return view
    import uctypes
    return uctypes.bytearray_at(uctypes.addressof(x), item * len(view))


def to_items(x, count=None):
    """``x`` itself, a tuple or list, of ``count`` items if given."""
    if not isinstance(x, _SEQUENCES):
        raise TypeError("object '%s' isn't a tuple or list" % type(x).__name__)
    if count is not None and len(x) != count:
        raise ValueError("requested length %d but object has length %d" % (count, len(x)))
    return x
