"""Pressure sensor LPS22HB (STMicroelectronics DocID027083, revision 6).

Simulated: all output data rates, one-shot conversions, data-ready and overrun bits, block data update, the pressure
offset (RPDS), the FIFO of 32 samples with its modes, threshold and overflow, software reset, the output INT_DRDY
(data ready, FIFO), SPI. Not simulated: the low-pass filter, the pressure thresholds and the reference pressure, the
resolution mode; their registers hold what was written.
"""

from edgekit.simulator.chips.registers import Stream, counts, little_endian
from edgekit.simulator.chips.st import SlotFifoChip

__all__ = ["LPS22HB"]

_WHO_AM_I = 0x0F
_CTRL_REG1 = 0x10
_CTRL_REG2 = 0x11
_CTRL_REG3 = 0x12
_FIFO_CTRL = 0x14
_RPDS_L = 0x18
_INT_SOURCE = 0x25
_FIFO_STATUS = 0x26
_STATUS = 0x27
_PRESS_OUT_XL = 0x28
_TEMP_OUT_L = 0x2B
_TEMP_OUT_H = 0x2C

_RATE_HZ = (None, 1, 10, 25, 50, 75, None, None)  # ODR; 0 is power-down, with single conversions on request
_CONVERSION_US = 1e6 / 75  # of a single one: the data sheet gives no time, the fastest rate bounds it
_COUNTS_PER_HPA = 4096
_COUNTS_PER_C = 100

_ONE_SHOT = 0x01


class LPS22HB(SlotFifoChip):
    """One LPS22HB.

    Parameters
    ----------
    sense : callable
        ``sense(name, time_us)`` with the names ``pressure_hpa`` and ``temperature_c``.

    Examples
    --------
    >>> chip = LPS22HB(lambda name, time_us: {"pressure_hpa": 1000, "temperature_c": 21.5}[name])
    >>> chip.write(b"\\x11\\x11", 0)               # CTRL_REG2: one conversion
    2
    >>> chip.write(b"\\x28", 20_000)
    1
    >>> chip.read(5, 20_000).hex(" ")             # 1000 x 4096 and 2150
    '00 80 3e 66 08'
    """

    ADDRESS = 0x5C
    RESET_VALUES = {_WHO_AM_I: 0xB1, _CTRL_REG2: 0x10}
    READ_ONLY = frozenset({_WHO_AM_I, *range(_INT_SOURCE, _TEMP_OUT_H + 1)})
    STATUS = _STATUS
    FIFO_CTRL = _FIFO_CTRL
    FIFO_SRC = _FIFO_STATUS
    _fifo_stream = "pressure"
    FIFO_KEEPS_NEWEST = (2, 3, 6)  # stream, stream-to-FIFO before its event, dynamic stream

    def _power_on(self, time_us):
        super()._power_on(time_us)
        self._streams = {"temperature": Stream(_TEMP_OUT_L, 2, ready=0x02, overrun=0x20),
                         "pressure": Stream(_PRESS_OUT_XL, 3, ready=0x01, overrun=0x10, width=3)}

    def _address(self, first):
        self._pointer = first & 0x7F

    def _next_register(self, register):
        if not self._registers[_CTRL_REG2] & 0x10:
            return register
        if register == _TEMP_OUT_H and self._fifo_runs():
            return _PRESS_OUT_XL  # a burst reads one sample after the other
        return (register + 1) & 0x7F

    def _blocks_updates(self):
        return bool(self._registers[_CTRL_REG1] & 0x02)

    def _write_register(self, register, value, time_us):
        if register == _CTRL_REG2 and value & 0x84:
            self._power_on(time_us)  # BOOT or SWRESET; both clear themselves
            return
        self._hold_latest()
        super()._write_register(register, value, time_us)
        rate_hz = _RATE_HZ[self._registers[_CTRL_REG1] >> 4 & 7]
        once = self._registers[_CTRL_REG2] & _ONE_SHOT
        if rate_hz:
            self._registers[_CTRL_REG2] &= ~_ONE_SHOT
        for name in self._streams:
            self._start(name, time_us, 1e6 / rate_hz if rate_hz else _CONVERSION_US if once else None)

    def _sampled(self, name, stream, due):
        if self._registers[_CTRL_REG1] >> 4 & 7:
            super()._sampled(name, stream, due)
        else:
            self._fill_fifo(name, stream, due[:1])
            self._finish_once(stream, due)
            self._registers[_CTRL_REG2] &= ~_ONE_SHOT

    def _read_register(self, register):
        if self._fifo_runs() and self._fifo and _PRESS_OUT_XL <= register <= _TEMP_OUT_H:
            value = self._fifo[0][register - _PRESS_OUT_XL]
            if register == _TEMP_OUT_H:
                self._leave_slot()
            return value
        return super()._read_register(register)

    def _fifo_enabled(self):
        return bool(self._registers[_CTRL_REG2] & 0x40)

    def _stops_at_threshold(self):
        return bool(self._registers[_CTRL_REG2] & 0x20)

    def _slot(self, time_us):
        return self._measure("pressure", time_us) + self._measure("temperature", time_us)

    def _measure(self, name, time_us):
        if name == "temperature":
            return little_endian((self._sense("temperature_c", time_us),), 1 / _COUNTS_PER_C)
        offset = int.from_bytes(self._registers[_RPDS_L:_RPDS_L + 2], "little", signed=True) << 8
        pressure = counts(self._sense("pressure_hpa", time_us), 1 / _COUNTS_PER_HPA, 24) - offset
        return little_endian((pressure,), 1, 3)

    def _active(self):
        """Whether INT_DRDY signals something: data ready, FIFO threshold, overrun or full."""
        enabled, source = self._registers[_CTRL_REG3], self._fifo_source()
        return bool(enabled & 0x04 and self._registers[_STATUS] & 0x01 or enabled & 0x10 and source & 0x80
                    or enabled & 0x08 and source & 0x40 or enabled & 0x20 and source & 0x20)

    def _output(self, time_us):
        return int(self._active()) ^ self._registers[_CTRL_REG3] >> 7  # INT_H_L: 1 is active low

    def _next_event_us(self, now_us):
        if not self._registers[_CTRL_REG3] & 0x3C or self._active():
            return None  # only a read takes it back
        return self._next_sample_us()
