"""The ``esp32`` module: which pins wake the board. The rest of it is not simulated."""

import _chip
import _power
from _args import to_int, to_items
from _pin import number_of

WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True

_KEEP = object()


def _need_ext():
    if not _chip.rtc_pins:
        raise AttributeError("this chip has no ext0 and ext1: use esp32.wake_on_gpio()")


def wake_on_ext0(pin=_KEEP, level=_KEEP):
    _need_ext()
    if pin is None:
        _power.ext0_pin = None
    elif pin is not _KEEP:
        _power.ext0_pin = _rtc_pin(pin)
    if level is not _KEEP:
        _power.ext0_level = 1 if level else 0
    _power.ext0_kinds = _power.SLEEP | _power.DEEPSLEEP


def wake_on_ext1(pins=None, level=_KEEP):
    _need_ext()
    if pins is not None:
        _power.ext1_pins = tuple(_rtc_pin(pin) for pin in to_items(pins))
    if level is not _KEEP:
        _power.ext1_level = 1 if level else 0


def wake_on_gpio(pins=None, level=_KEEP):
    if pins is not None:
        _power.gpio_pins = tuple(number_of(pin) for pin in to_items(pins))
    if level is not _KEEP:
        _power.gpio_level = 1 if level else 0


def _rtc_pin(pin):
    number = number_of(pin)
    if number not in _chip.rtc_pins:
        raise ValueError("invalid pin")
    return number


def gpio_deep_sleep_hold(enable):
    to_int(enable)


_MISSING = ("wake_on_touch", "wake_on_ulp", "raw_temperature", "mcu_temperature", "idf_heap_info", "idf_task_info", "NVS",
            "Partition", "PCNT", "RMT", "ULP", "HEAP_DATA", "HEAP_EXEC")


def __getattr__(name):
    if name in _MISSING:
        raise AttributeError("the simulated board has no esp32.%s: try that part on a real board" % name)
    raise AttributeError("'module' object has no attribute '%s'" % name)
