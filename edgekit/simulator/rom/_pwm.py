"""machine.PWM."""

import _bus
from _args import to_int
from _pin import Pin


class PWM:
    """Pulses on a pin. Inside, a duty is 0 to 65536 as in the ESP32's own; 65535, or 1023 of duty(), is full."""

    _running = {}  # pin number: frequency

    def __init__(self, dest, freq=-1, **kwargs):
        if not isinstance(dest, Pin):
            raise ValueError("expecting a pin")
        self._id = dest._id
        self._reset()
        self.init(freq, **kwargs)

    def _reset(self):
        self._freq = 0  # 0: inactive
        self._wanted = None  # (unit, duty in it) as the program asked: kept when the frequency changes
        self._invert = False

    def init(self, freq=-1, *, duty=-1, duty_u16=-1, duty_ns=-1, invert=None, lightsleep=False):
        if freq == -1:
            freq = self._running.get(self._id, 5000)
        _check_freq(freq)
        if to_int(duty_u16) >= 0:
            self._want_u16(duty_u16)
        elif to_int(duty_ns) >= 0:
            self._want_ns(duty_ns, freq)
        elif to_int(duty) >= 0:
            self._want_u10(duty)
        elif self._wanted is None:
            self._wanted = ("duty_u16", 32768)
        if invert is not None:
            self._invert = bool(invert)
        self._freq = freq
        self._apply()

    def deinit(self):
        if self._freq:
            self._running.pop(self._id, None)
            self._send(0, 0)
        self._reset()

    def freq(self, freq=None):
        self._check_active()
        if freq is None:
            return self._freq
        _check_freq(freq)
        self._freq = freq
        self._apply()

    def duty_u16(self, duty=None):
        if duty is None:
            self._check_active()
            return min(self._duty, 65535)
        self._want_u16(duty)
        self._apply()

    def duty(self, duty=None):
        if duty is None:
            return self.duty_u16() >> 6
        self._want_u10(duty)
        self._apply()

    def duty_ns(self, duty=None):
        self._check_active()
        if duty is None:
            return _duty_to_ns(self.duty_u16(), self._freq)
        self._want_ns(duty, self._freq)
        self._apply()

    def _want_u16(self, duty):
        if not 0 <= to_int(duty) <= 65535:
            raise ValueError("duty_u16 must be from 0 to 65536")  # the port's own words
        self._wanted = ("duty_u16", 65536 if duty == 65535 else duty)

    def _want_u10(self, duty):
        if not 0 <= to_int(duty) <= 1023:
            raise ValueError("duty must be from 0 to 1023")
        self._wanted = ("duty", 1024 if duty == 1023 else duty)

    def _want_ns(self, ns, freq):
        if not 0 <= to_int(ns) <= _duty_to_ns(65536, freq):
            raise ValueError("duty_ns must be from 0 to %d ns" % _duty_to_ns(65536, freq))
        self._wanted = ("duty_ns", ns)

    def _check_active(self):
        if not self._freq:
            raise RuntimeError("PWM is inactive")

    def _apply(self):
        self._check_active()
        unit, duty = self._wanted
        if unit == "duty":
            duty <<= 6
        elif unit == "duty_ns" and duty:
            duty = max(1, min(65536, (duty * 65536 * self._freq + 500_000_000) // 1_000_000_000))
        # The unit counts an 80 MHz clock: above 1220 Hz a period has fewer than 65536 steps.
        step = 1
        while self._freq * (65536 // step) > 80_000_000:
            step *= 2
        self._duty = duty // step * step
        self._running[self._id] = self._freq
        self._send(self._freq, 65536 - self._duty if self._invert else self._duty)

    def _send(self, freq, duty):
        _bus.send(bytes((_bus.PWM_SET, self._id)) + freq.to_bytes(4, "little") + min(duty, 65535).to_bytes(2, "little"))
        _bus.handle()

    def __repr__(self):
        if not self._freq:
            return "PWM(Pin(%d))" % self._id
        unit = self._wanted[0]
        return "PWM(Pin(%d), freq=%d, %s=%d%s)" % (
            self._id, self._freq, unit, getattr(self, unit)(), ", invert=True" if self._invert else "")


def _check_freq(freq):
    if not 0 < to_int(freq) <= 40_000_000:
        raise ValueError("frequency must be from 1Hz to 40MHz")


def _duty_to_ns(duty, freq):
    return (duty * 1_000_000_000 + freq * 32768) // (freq * 65536)
