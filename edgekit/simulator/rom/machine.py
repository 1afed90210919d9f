"""``machine`` as ESP32 firmware has it. Each class has a file of its own: _pin.py, _adc.py, _i2c.py, ..."""

# ruff: noqa: F401 - names to pass on
import _bus
import _chip
from _adc import ADC, ADCBlock
from _args import to_buffer as _to_buffer
from _args import to_int as _to_int
from _args import to_items as _to_items
from _host import spend as _spend
from _i2c import I2C, SoftI2C
from _i2s import I2S
from _pin import Pin, Signal
from _pin import number_of as _number_of
from _power import (
    DEEPSLEEP,
    DEEPSLEEP_RESET,
    EXT0_WAKE,
    EXT1_WAKE,
    HARD_RESET,
    PIN_WAKE,
    PWRON_RESET,
    SLEEP,
    SOFT_RESET,
    TIMER_WAKE,
    TOUCHPAD_WAKE,
    ULP_WAKE,
    WDT_RESET,
    deepsleep,
    freq,
    idle,
    lightsleep,
    reset,
    reset_cause,
    soft_reset,
    wake_pins,
    wake_reason,
)
from _rtc import RTC
from _spi import SPI, SoftSPI
from _timer import WDT, Timer
from _uart import UART

if not _chip.stm32:  # there from 1.29 on
    from _pwm import PWM

sleep = lightsleep


def unique_id():
    return b"edgekt"


def disable_irq():
    return 1 if _bus.enable(False) else 0


def enable_irq(state):
    _bus.enable(bool(_to_int(state)))


def time_pulse_us(pin, pulse_level, timeout_us=1_000_000):
    """Microseconds that the pin has the level; -2: it did not come in time, -1: it did not go."""
    request = bytes((_bus.PULSE, _number_of(pin), 1 if pulse_level else 0))
    _bus.send(request + _to_int(timeout_us).to_bytes(4, "little"))
    duration_us = int.from_bytes(_bus.receive_all(4), "little")
    _bus.handle()
    return duration_us - (1 << 32) if duration_us >> 31 else duration_us


def bitstream(pin, encoding, timing, data):
    """Send bytes as pulses, as addressable LEDs take them: ``timing`` is (high, low) for a 0 and for a 1, in ns."""
    number = _number_of(pin)
    _to_int(encoding)
    data = _to_buffer(data)
    if encoding != 0:
        raise ValueError("encoding")
    bit_ns = sum(_to_int(ns) for ns in _to_items(timing, 4)) // 2
    _bus.send_data(_bus.head(_bus.BITSTREAM, number), data)
    _spend(len(data) * 8 * bit_ns // 1000)
    _bus.handle()


def dht_readinto(pin, buf):
    if len(buf) < 5:
        raise ValueError("buffer too small")
    _bus.send(bytes((_bus.DHT_READ, _number_of(pin))))
    _bus.receive(buf)
    _spend(23_000)
    _bus.handle()


_MISSING = {"DAC": "analogue output", "TouchPad": "touch sensor", "SDCard": "card slot", "CAN": "CAN bus",
            "I2CTarget": "I2C target", "USBDevice": "USB", "mem8": "memory of a chip", "mem16": "memory of a chip",
            "mem32": "memory of a chip", "Counter": "pulse counter", "Encoder": "pulse counter"}


def __getattr__(name):
    if name == "PWM":  # what `from machine import PWM` hears on an STM32
        raise ImportError("can't import name PWM")
    if name in _MISSING:
        raise AttributeError("the simulated board has no %s, so no machine.%s: try that part on a real board"
                             % (_MISSING[name], name))
    raise AttributeError("'module' object has no attribute '%s'" % name)
