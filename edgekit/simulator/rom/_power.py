"""Resets and sleep: machine.reset(), lightsleep(), deepsleep(), and what may wake the board."""

import _bus
import _chip
from _host import irq_waits as _irq_waits
from _host import next_irq as _next_irq
from _host import pause as _pause
from _host import reset_cause as _reset_cause
from _host import set_wake_reason as _set_wake_reason
from _host import sleep as _sleep_us
from _host import wake_reason as _wake_reason
from _args import to_int
from _pin import Pin

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

SLEEP = 2
DEEPSLEEP = 4

PIN_WAKE = EXT0_WAKE = 2
EXT1_WAKE = 3
TIMER_WAKE = 4
TOUCHPAD_WAKE = 5
ULP_WAKE = 6
_GPIO_WAKE = 7

_MS = 1000
_SLICE_US = 10_000

# What may wake it: ports/esp32/machine_rtc.h
ext0_pin = None
ext0_level = 0
ext0_kinds = 0
ext1_pins = ()
ext1_level = 0
gpio_pins = ()
gpio_level = 0
_woken_pins = ()


def reset():
    _bus.send(bytes((_bus.HARD_RESET, HARD_RESET, 0)))


def soft_reset():
    raise SystemExit


def reset_cause():
    return _reset_cause()


def wake_reason():
    return _wake_reason()


def wake_pins():
    return _woken_pins


def _wake_with(number, level, kinds):
    """What Pin.irq(trigger=Pin.WAKE_LOW, wake=machine.SLEEP) does."""
    global ext0_pin, ext0_level, ext0_kinds
    if not isinstance(kinds, int) or not 2 <= kinds <= 7:
        raise ValueError("bad wake value")
    if number not in _chip.rtc_pins:
        raise ValueError("invalid pin for wake")
    if ext0_pin is not None and ext0_pin != number:
        raise ValueError("no resources")
    ext0_pin, ext0_level, ext0_kinds = number, 1 if level else 0, kinds


Pin._wake_with = staticmethod(_wake_with)


def lightsleep(time_ms=None):
    _set_wake_reason(_sleep(SLEEP, time_ms, "lightsleep"))
    _bus.handle()


def deepsleep(time_ms=None):
    reason = _sleep(DEEPSLEEP, time_ms, "deepsleep")
    _bus.send(bytes((_bus.HARD_RESET, DEEPSLEEP_RESET, reason)))


def idle():
    _bus.sleep_us(1000)


def _sleep(kind, time_ms, name):
    """Sleep, without handlers; returns what woke it."""
    left_us = None if time_ms is None else _MS * to_int(time_ms)
    pins = _waking_pins(kind)
    if left_us is None and not pins:
        raise ValueError("%s without a time would sleep for ever: nothing else wakes the simulated board. Give a time, "
                         "or name a pin that wakes it" % name)
    if _chip.esp32:  # a level wakes it: stop at every edge and look. The others wake by the edges of their handlers.
        for number in pins:
            _bus.send(bytes((_bus.PIN_IRQ, number, 3)))
    try:
        while True:
            reason = _look(kind)
            if reason:
                return reason
            if left_us == 0:
                return TIMER_WAKE
            if left_us is None:
                _pause(_SLICE_US // 1000)  # somebody's hand must wake it: wait for it, in real time
                _sleep_us(_SLICE_US, 0)
            else:
                step = min(left_us, 1_000_000_000)
                left_us -= step - _sleep_us(step, 0)
    finally:
        for number in pins:
            pin = Pin._pins.get(number)
            _bus.send(bytes((_bus.PIN_IRQ, number, pin._edges if pin else 0)))


def _waking_pins(kind):
    if not _chip.esp32:
        return [number for number, pin in Pin._pins.items() if pin._edges]
    pins = list(ext1_pins) + list(gpio_pins)
    if ext0_pin is not None and ext0_kinds & kind:
        pins.append(ext0_pin)
    return pins


def _look(kind):
    """Why it wakes now; 0: it does not. An ESP32 sees levels, other chips every edge that has a handler."""
    global _woken_pins
    _woken_pins = ()
    if not _chip.esp32:
        return EXT0_WAKE if _irq_waits() else 0
    while _next_irq() >= 0:  # asleep, it sees no edges
        pass
    if ext0_pin is not None and ext0_kinds & kind and Pin(ext0_pin).value() == ext0_level:
        return EXT0_WAKE
    for reason, pins, level in ((EXT1_WAKE, ext1_pins, ext1_level), (_GPIO_WAKE, gpio_pins, gpio_level)):
        there = tuple(number for number in pins if Pin(number).value() == level)
        # The first ESP32 wakes by ext1 when all pins are low, or any is high.
        if there and (reason == _GPIO_WAKE or level or len(there) == len(pins)):
            _woken_pins = there
            return reason
    return 0


_freq_hz = 160_000_000


def freq(hz=None):
    global _freq_hz
    if hz is None:
        return _freq_hz
    mhz = to_int(hz) // 1_000_000
    if _chip.esp32 and (mhz not in (20, 40, 80, 160, 240) or mhz > _chip.max_mhz):
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz or 160MHz" if _chip.max_mhz == 160 else
                         "frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
    _freq_hz = mhz * 1_000_000
