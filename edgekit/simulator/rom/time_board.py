"""``time`` as the board has it, on the simulated clock. It starts on 1 January 2000, as a board without RTC does."""

# ruff: noqa: F401 - names to pass on
from _bus import handle as _handle
from _bus import sleep_us as _sleep_us
from _host import microseconds as _microseconds
from _host import seconds as time
from _host import ticks_ms as _ticks_ms
from _host import ticks_us as _ticks_us
from utime import gmtime as _gmtime
from utime import mktime as _mktime
from utime import ticks_add, ticks_diff

_EPOCH = 946684800  # this build counts from 1970, boards count from 2000


def sleep(seconds):
    _sleep_us(int(seconds * 1_000_000))


def sleep_ms(ms):
    _sleep_us(1000 * int(ms))


def sleep_us(us):
    _sleep_us(int(us))


# Below 0, ticks say that a handler is due.
def ticks_ms():
    ticks = _ticks_ms()
    if ticks < 0:
        _handle()
        return -1 - ticks
    return ticks


def ticks_us():
    ticks = _ticks_us()
    if ticks < 0:
        _handle()
        return -1 - ticks
    return ticks


def ticks_cpu():
    return ticks_us()


def time_ns():
    return (time() * 1_000_000 + _microseconds()) * 1000


def gmtime(seconds=None):
    return _gmtime((time() if seconds is None else int(seconds)) + _EPOCH)


localtime = gmtime


def mktime(fields):
    return _mktime(fields) - _EPOCH
