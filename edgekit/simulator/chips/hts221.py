"""Humidity and temperature sensor HTS221 (STMicroelectronics DocID026333, revision 4).

Simulated: all output data rates, one-shot conversions, data-ready bits, block data update, calibration registers, the
output DRDY. Not simulated: noise by number of averages (AV_CONF) and the heater; their registers hold what was
written. The calibration is that of one made-up chip, near the typical 256 counts per % and 64 counts per degree; its
values are positive, as some drivers read them without a sign.
"""

from edgekit.simulator.chips.registers import RegisterChip, Stream, little_endian

__all__ = ["HTS221"]

_WHO_AM_I = 0x0F
_AV_CONF = 0x10
_CTRL_REG1 = 0x20
_CTRL_REG2 = 0x21
_CTRL_REG3 = 0x22
_STATUS_REG = 0x27
_HUMIDITY_OUT_L = 0x28
_TEMP_OUT_L = 0x2A
_CALIBRATION = 0x30

_RATE_HZ = (None, 1, 7, 12.5)  # ODR; 0 converts on request
_CONVERSION_US = 1e6 / 12.5  # of a single one: the data sheet gives no time, the fastest rate bounds it

_ONE_SHOT = 0x01

# Two points of the line for each quantity: (percent or degrees, counts).
_HUMIDITY_POINTS = ((20, 5300), (75, 19200))
_TEMPERATURE_POINTS = ((16, 1120), (40, 2640))


def _calibration():
    """The 16 bytes from 0x30 on, as the data sheet's table of calibration registers has them."""
    (h0, h0_out), (h1, h1_out) = _HUMIDITY_POINTS
    (t0, t0_out), (t1, t1_out) = _TEMPERATURE_POINTS
    head = bytes((2 * h0, 2 * h1, 8 * t0 & 0xFF, 8 * t1 & 0xFF, 0, 8 * t0 >> 8 | 8 * t1 >> 8 << 2))
    return head + little_endian((h0_out, 0, h1_out, t0_out, t1_out), 1)


class HTS221(RegisterChip):
    """One HTS221.

    Parameters
    ----------
    sense : callable
        ``sense(name, time_us)`` with the names ``humidity_percent`` and ``temperature_c``.

    Examples
    --------
    >>> chip = HTS221(lambda name, time_us: {"humidity_percent": 75, "temperature_c": 40}[name])
    >>> chip.write(b"\\x20\\x83", 0)               # CTRL_REG1: on, 12.5 Hz
    2
    >>> chip.write(b"\\xa8", 80_000)              # bit 7: increment
    1
    >>> [int.from_bytes(chip.read(2, 80_000), "little") for _ in range(2)]
    [19200, 2640]
    """

    ADDRESS = 0x5F
    RESET_VALUES = {_WHO_AM_I: 0xBC, _AV_CONF: 0x1B, **dict(enumerate(_calibration(), _CALIBRATION))}
    READ_ONLY = frozenset({_WHO_AM_I, _STATUS_REG, *range(_HUMIDITY_OUT_L, 0x40)})
    STATUS = _STATUS_REG

    def _power_on(self, time_us):
        super()._power_on(time_us)
        self._streams = {"humidity": Stream(_HUMIDITY_OUT_L, 2, ready=0x02),
                         "temperature": Stream(_TEMP_OUT_L, 2, ready=0x01)}
        self._increments = False

    def _address(self, first):
        self._pointer = first & 0x7F
        self._increments = bool(first & 0x80)

    def _next_register(self, register):
        return (register + self._increments) & 0x7F

    def _blocks_updates(self):
        return bool(self._registers[_CTRL_REG1] & 0x04)

    def _write_register(self, register, value, time_us):
        if register == _CTRL_REG2:
            value &= 0x7F  # BOOT reads the calibration again, and clears itself
        self._hold_latest()
        super()._write_register(register, value, time_us)
        on = self._registers[_CTRL_REG1] & 0x80
        rate_hz = _RATE_HZ[self._registers[_CTRL_REG1] & 3]
        once = self._registers[_CTRL_REG2] & _ONE_SHOT
        if rate_hz or not on:
            self._registers[_CTRL_REG2] &= ~_ONE_SHOT
        period_us = 1e6 / rate_hz if rate_hz else _CONVERSION_US if once else None
        for name in self._streams:
            self._start(name, time_us, period_us if on else None)

    def _sampled(self, name, stream, due):
        if self._registers[_CTRL_REG1] & 3:
            super()._sampled(name, stream, due)
        else:
            self._finish_once(stream, due)
            self._registers[_CTRL_REG2] &= ~_ONE_SHOT

    def _measure(self, name, time_us):
        if name == "humidity":
            (x0, y0), (x1, y1) = _HUMIDITY_POINTS
            value = self._sense("humidity_percent", time_us)
        else:
            (x0, y0), (x1, y1) = _TEMPERATURE_POINTS
            value = self._sense("temperature_c", time_us)
        return little_endian((y0 + (value - x0) * (y1 - y0) / (x1 - x0),), 1)

    def _output(self, time_us):
        """Level of DRDY: it signals when both measurements wait."""
        ready = self._registers[_CTRL_REG3] & 0x04 and self._registers[_STATUS_REG] & 0x03 == 0x03
        return int(bool(ready)) ^ self._registers[_CTRL_REG3] >> 7  # DRDY_H_L: 1 is active low

    def _next_event_us(self, now_us):
        if not self._registers[_CTRL_REG3] & 0x04 or self._registers[_STATUS_REG] & 0x03 == 0x03:
            return None
        return self._next_sample_us()
