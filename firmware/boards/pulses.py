"""Servo pulses on an STM32 by a timer of ``pyb``: its MicroPython has ``machine.PWM`` only from 1.29 on.

Not yet tried on a real board. A timer counts to ``period()`` in one 50 Hz cycle, so a pulse is a part of that count.

Example::

    from boards.pulses import Pulses

    servo = Pulses("PA8", 50, timer=1, channel=1)
    servo.duty_ns(1500000)          # the middle
"""

from machine import Pin
from pyb import Timer


class Pulses:
    """Looks like ``machine.PWM`` to an app that calls ``duty_ns``: no pulses until then."""

    def __init__(self, pin, freq_hz, timer, channel):
        self._cycle_us = 1000000 // freq_hz
        self._timer = Timer(timer, freq=freq_hz)
        self._channel = self._timer.channel(channel, Timer.PWM, pin=Pin(pin), pulse_width=0)

    def duty_ns(self, ns=None):
        """Set how long a pulse is, in nanoseconds; without an argument, say it."""
        counts = self._timer.period() + 1
        if ns is None:
            return self._channel.pulse_width() * self._cycle_us // counts * 1000
        if not 0 <= ns <= self._cycle_us * 1000:
            raise ValueError("a pulse of %d ns does not fit into a cycle of %d us" % (ns, self._cycle_us))
        self._channel.pulse_width((ns // 1000 * counts + self._cycle_us // 2) // self._cycle_us)
