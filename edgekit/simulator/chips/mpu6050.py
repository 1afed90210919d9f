"""The motion sensor MPU6050, register by register (InvenSense RM-MPU-6000A, revision 4.2).

Modelled: sleep and reset, sample rate divider, both ranges with clipping, sample and hold, burst reads, data-ready
and FIFO with overflow. Not modelled: the low-pass filter's effect on the signal (its register works and sets the
internal rate), self-test, motion interrupts, the auxiliary I2C bus and DMP; their registers hold what was written.
"""

import threading

__all__ = ["MPU6050"]

_SMPLRT_DIV = 0x19
_CONFIG = 0x1A
_GYRO_CONFIG = 0x1B
_ACCEL_CONFIG = 0x1C
_FIFO_EN = 0x23
_INT_STATUS = 0x3A
_ACCEL_XOUT_H = 0x3B
_GYRO_ZOUT_L = 0x48
_SIGNAL_PATH_RESET = 0x68
_USER_CTRL = 0x6A
_PWR_MGMT_1 = 0x6B
_FIFO_COUNT_H = 0x72
_FIFO_COUNT_L = 0x73
_FIFO_R_W = 0x74
_WHO_AM_I = 0x75

_RESET_VALUES = {_PWR_MGMT_1: 0x40, _WHO_AM_I: 0x68}
_READ_ONLY = {_INT_STATUS, _FIFO_COUNT_H, _FIFO_COUNT_L, _WHO_AM_I, *range(_ACCEL_XOUT_H, 0x61)}

_FIFO_BYTES = 1024
_DATA_READY = 0x01
_FIFO_OVERFLOW = 0x10

# Bits of FIFO_EN, and the measurement bytes that each puts into the FIFO, in the order of the registers.
_FIFO_PARTS = ((0x08, slice(0, 6)), (0x80, slice(6, 8)), (0x40, slice(8, 10)), (0x20, slice(10, 12)),
               (0x10, slice(12, 14)))


class MPU6050:
    """One MPU6050 on an I2C bus.

    Parameters
    ----------
    sense : callable
        ``sense(time_us) -> (accel_g, gyro_dps, temperature_c)``: what the chip's body feels at a time: three
        values in g, three in degrees per second, one in degrees Celsius. A :class:`~edgekit.simulator.world.World`
        has it as ``world.sense_motion``.

    Attributes
    ----------
    fifo_lost_bytes : int
        Bytes that the FIFO threw away because it was full, since power-on.

    Examples
    --------
    >>> chip = MPU6050(lambda time_us: ((0, 0, 1), (0, 0, 0), 25.0))
    >>> chip.write(b"\\x75", 0)       # choose the register WHO_AM_I: one byte, acknowledged
    1
    >>> chip.read(1, 0).hex()
    '68'
    """

    ADDRESS = 0x68

    def __init__(self, sense):
        self._sense = sense
        self._lock = threading.RLock()
        self.fifo_lost_bytes = 0
        self._power_on(0)

    def write(self, data: bytes, time_us: int) -> int:
        """The master writes: first the register's number, then values for it and the ones after it.

        Parameters
        ----------
        data : bytes
        time_us : int
            When, on the board's clock.

        Returns
        -------
        int
            How many bytes were acknowledged: all.
        """
        with self._lock:
            self._take_samples(time_us)
            if data:
                self._pointer = data[0]
            for value in data[1:]:
                self._write_register(self._pointer, value, time_us)
                self._advance()
            return len(data)

    def read(self, count: int, time_us: int) -> bytes:
        """The master reads ``count`` bytes, from the register chosen last and the ones after it."""
        with self._lock:
            self._take_samples(time_us)
            out = bytearray()
            for _ in range(count):
                out.append(self._read_register(self._pointer))
                self._advance()
            return bytes(out)

    def catch_up(self, time_us: int) -> None:
        """Take all samples that are due, before the world changes."""
        with self._lock:
            self._take_samples(time_us)
            self._hold_latest()

    @property
    def sample_period_us(self) -> int:
        """Time from one sample to the next: 1 or 8 kHz inside, divided by ``1 + SMPLRT_DIV``."""
        filtered = 0 < self._registers[_CONFIG] & 7 < 7
        internal_us = 1000 if filtered else 125
        return internal_us * (1 + self._registers[_SMPLRT_DIV])

    def _power_on(self, time_us):
        self._registers = bytearray(128)
        for register, value in _RESET_VALUES.items():
            self._registers[register] = value
        self._pointer = 0
        self._fifo = bytearray()
        self._last_sample_us = time_us
        self._held_at_us = time_us

    def _advance(self):
        # A burst read of the FIFO stays at its register; so all of it comes in one transaction.
        if self._pointer != _FIFO_R_W:
            self._pointer = (self._pointer + 1) & 0x7F

    def _asleep(self):
        return bool(self._registers[_PWR_MGMT_1] & 0x40)

    def _write_register(self, register, value, time_us):
        if register in _READ_ONLY:
            return
        if register == _FIFO_R_W:
            self._push(bytes((value,)))
        elif register == _PWR_MGMT_1 and value & 0x80:
            self._power_on(time_us)
        elif register == _USER_CTRL:
            if value & 0x04:
                self._fifo.clear()
            self._registers[register] = value & 0xF8  # the reset bits clear themselves
        elif register == _SIGNAL_PATH_RESET:
            self._registers[_ACCEL_XOUT_H:_GYRO_ZOUT_L + 1] = bytes(14)
        else:
            self._hold_latest()
            was_asleep, period_us = self._asleep(), self.sample_period_us
            self._registers[register] = value
            if was_asleep != self._asleep() or period_us != self.sample_period_us:
                # The divider starts to count anew; until its first sample the outputs stay.
                self._last_sample_us = self._held_at_us = time_us

    def _read_register(self, register):
        if _ACCEL_XOUT_H <= register <= _GYRO_ZOUT_L:
            self._hold_latest()
        elif register == _INT_STATUS:
            value = self._registers[_INT_STATUS]
            self._registers[_INT_STATUS] = 0  # reading clears it
            return value
        elif register == _FIFO_COUNT_H:
            # Reading the high byte holds the low one, so that both belong together.
            self._registers[_FIFO_COUNT_L] = len(self._fifo) & 0xFF
            return len(self._fifo) >> 8
        elif register == _FIFO_R_W:
            return self._fifo.pop(0) if self._fifo else self._registers[_FIFO_R_W]
        return self._registers[register]

    def _take_samples(self, time_us):
        """Take the samples that were due since the last transaction."""
        if self._asleep():
            self._last_sample_us = time_us
            return
        period_us = self.sample_period_us
        due = (time_us - self._last_sample_us) // period_us
        if due <= 0:
            return
        newest_us = self._last_sample_us + due * period_us
        enabled = self._registers[_FIFO_EN]
        if self._registers[_USER_CTRL] & 0x40 and enabled & 0xF8:
            size = sum(part.stop - part.start for bit, part in _FIFO_PARTS if enabled & bit)
            # Samples that the FIFO would throw away again need not be computed.
            fit = min(due, _FIFO_BYTES // size + 1)
            self.fifo_lost_bytes += (due - fit) * size
            for i in range(fit):
                measured = self._measure(newest_us - (fit - 1 - i) * period_us)
                self._push(b"".join(measured[part] for bit, part in _FIFO_PARTS if enabled & bit))
        self._last_sample_us = newest_us
        self._registers[_INT_STATUS] |= _DATA_READY

    def _push(self, data):
        self._fifo += data
        excess = len(self._fifo) - _FIFO_BYTES
        if excess > 0:
            # Full: the newest push the oldest out, byte by byte, wherever a sample begins.
            del self._fifo[:excess]
            self.fifo_lost_bytes += excess
            self._registers[_INT_STATUS] |= _FIFO_OVERFLOW

    def _hold_latest(self):
        """Put the newest sample into the output registers. Asleep they keep what they held."""
        if self._asleep() or self._held_at_us == self._last_sample_us:
            return
        self._registers[_ACCEL_XOUT_H:_GYRO_ZOUT_L + 1] = self._measure(self._last_sample_us)
        self._held_at_us = self._last_sample_us

    def _measure(self, time_us):
        """The 14 measurement bytes at a time."""
        accel_g, gyro_dps, temperature_c = self._sense(time_us)
        accel_range_g = 2 << (self._registers[_ACCEL_CONFIG] >> 3 & 3)
        gyro_range_dps = 250 << (self._registers[_GYRO_CONFIG] >> 3 & 3)
        counts = [_counts(value, accel_range_g / 32768) for value in accel_g]
        counts.append(_counts(temperature_c - 36.53, 1 / 340))
        counts += [_counts(value, gyro_range_dps / 32768) for value in gyro_dps]
        return b"".join(value.to_bytes(2, "big", signed=True) for value in counts)


def _counts(value, step):
    return max(-32768, min(32767, round(value / step)))
