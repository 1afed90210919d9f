"""The Unix port's ``time`` as other ports have it: fields without daylight saving, ticks that wrap at 2 ** 30."""

from utime import gmtime as _gmtime
from utime import mktime  # noqa: F401 - a name to pass on

_HALF = 1 << 29
_MASK = (1 << 30) - 1


def gmtime(seconds):
    return _gmtime(seconds)[:8]


def ticks_add(ticks, delta):
    if not -_HALF < delta < _HALF:
        raise OverflowError("ticks interval overflow")
    return ticks + delta & _MASK


def ticks_diff(end, start):
    return (end - start + _HALF & _MASK) - _HALF
