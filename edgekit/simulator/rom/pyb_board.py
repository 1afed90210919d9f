"""``pyb`` of an STM32, as far as the course needs it: a timer's channel that makes pulses."""

from _pin import Pin
from _pwm import PWM


class Timer:
    PWM = 0

    def __init__(self, id, *, freq):
        self._freq = freq

    def source_freq(self):
        return 84_000_000

    def period(self):
        return 65535

    def channel(self, number, mode, *, pin, pulse_width=0):
        return _Channel(Pin(pin), self._freq, pulse_width)


class _Channel:
    def __init__(self, pin, freq, ticks):
        self._pwm = PWM(pin, freq, duty_u16=ticks)

    def pulse_width(self, ticks=None):
        if ticks is None:
            return self._pwm.duty_u16()
        self._pwm.duty_u16(ticks)
