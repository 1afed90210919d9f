"""The motion sensor MPU6050, register by register (InvenSense RM-MPU-6000A, revision 4.2).

Simulated: sleep and reset, sample rate divider, both ranges with clipping, sample and hold, burst reads, data-ready
and FIFO with overflow, the cycle mode, the motion detector with its high-pass filter, the output INT (pulse or latch)
and the self-test. Not simulated: the low-pass filter's effect on the signal (its register works and sets the internal
rate), standby of single axes, the auxiliary I2C bus and DMP; their registers hold what was written.

The register map says little about the motion detector; it is made as older editions of the product specification
(PS-MPU-6000A, section 8.3) describe it, with 32 mg for each step of the threshold as InvenSense's own driver has it.
It looks at the samples of the output rate; each counts for the time since the one before.
"""

import math

from edgekit.simulator.chips.registers import RegisterChip, Stream, counts

__all__ = ["MPU6050"]

_SELF_TEST_X = 0x0D
_SMPLRT_DIV = 0x19
_CONFIG = 0x1A
_GYRO_CONFIG = 0x1B
_ACCEL_CONFIG = 0x1C
_MOT_THR = 0x1F
_MOT_DUR = 0x20
_FIFO_EN = 0x23
_INT_PIN_CFG = 0x37
_INT_ENABLE = 0x38
_INT_STATUS = 0x3A
_ACCEL_XOUT_H = 0x3B
_GYRO_ZOUT_L = 0x48
_MOT_DETECT_STATUS = 0x61
_SIGNAL_PATH_RESET = 0x68
_MOT_DETECT_CTRL = 0x69
_USER_CTRL = 0x6A
_PWR_MGMT_1 = 0x6B
_PWR_MGMT_2 = 0x6C
_FIFO_COUNT_H = 0x72
_FIFO_COUNT_L = 0x73
_FIFO_R_W = 0x74
_WHO_AM_I = 0x75

_FIFO_BYTES = 1024

# Bits of INT_ENABLE and INT_STATUS.
_DATA_READY = 0x01
_FIFO_OVERFLOW = 0x10
_MOTION = 0x40

# Bits of FIFO_EN, and the measurement bytes that each puts into the FIFO, in the order of the registers.
_FIFO_PARTS = ((0x08, slice(0, 6)), (0x80, slice(6, 8)), (0x40, slice(8, 10)), (0x20, slice(10, 12)),
               (0x10, slice(12, 14)))

_CYCLE_HZ = (1.25, 5, 20, 40)  # LP_WAKE_CTRL
_HIGH_PASS_HZ = {1: 5, 2: 2.5, 3: 1.25, 4: 0.63}  # ACCEL_HPF; 0 gives 0, 7 holds the sample of that moment
_MOTION_STEP_G = 0.032
_SETTLED_G = 1e-12  # the high-pass filter has followed, up to rounding
_PULSE_US = 50

# Factory trim of the self-test: numbers of 5 bits for each axis, and the response that they stand for (section 4.1).
_ACCEL_TEST = (17, 18, 16)
_GYRO_TEST = (13, 12, 14)
_ACCEL_RESPONSE_G = tuple(0.34 * (0.92 / 0.34) ** ((n - 1) / 30) for n in _ACCEL_TEST)
_GYRO_RESPONSE_DPS = tuple(sign * 25 * 1.046 ** (n - 1) for sign, n in zip((1, -1, 1), _GYRO_TEST, strict=True))


class MPU6050(RegisterChip):
    """One MPU6050 on an I2C bus.

    Parameters
    ----------
    sense : callable
        ``sense(name, time_us)`` with the names ``accel_g``, ``gyro_dps`` and ``temperature_c``: what the chip's body
        feels at a time. A :class:`~edgekit.simulator.world.World` has it as ``world.sense``.

    Attributes
    ----------
    fifo_lost_bytes : int
        Bytes that the FIFO threw away because it was full, since power-on.

    Examples
    --------
    >>> chip = MPU6050(lambda name, time_us: {"accel_g": (0, 0, 1), "gyro_dps": (0, 0, 0)}.get(name, 25.0))
    >>> chip.write(b"\\x75", 0)       # choose the register WHO_AM_I: one byte, acknowledged
    1
    >>> chip.read(1, 0).hex()
    '68'

    A movement: threshold 10 x 32 mg for 1 ms, high-pass at 5 Hz; INT stays until INT_STATUS is read.

    >>> chip = MPU6050(lambda name, time_us: (0, 0, 1 if time_us < 500_000 else 2) if name == "accel_g" else (0, 0, 0))
    >>> for register, value in ((0x6B, 0), (0x19, 79), (0x1C, 1), (0x1F, 10), (0x20, 1), (0x37, 0x20), (0x38, 0x40)):
    ...     _ = chip.write(bytes((register, value)), 0)
    >>> chip.next_change(0, 1_000_000), chip.level(400_000), chip.level(600_000)
    (500000, 0, 1)
    """

    ADDRESS = 0x68
    RESET_VALUES = {
        _PWR_MGMT_1: 0x40, _WHO_AM_I: 0x68,
        **{_SELF_TEST_X + i: _ACCEL_TEST[i] >> 2 << 5 | _GYRO_TEST[i] for i in range(3)},
        _SELF_TEST_X + 3: sum((_ACCEL_TEST[i] & 3) << 4 - 2 * i for i in range(3)),
    }
    READ_ONLY = frozenset({_INT_STATUS, _FIFO_COUNT_H, _FIFO_COUNT_L, _WHO_AM_I, *range(_ACCEL_XOUT_H, 0x62),
                           *range(_SELF_TEST_X, _SELF_TEST_X + 4)})

    _SHARED = (*RegisterChip._SHARED, "_steady_until")

    def __init__(self, sense):
        self.fifo_lost_bytes = 0
        # A world can say how long nothing changes: then the motion detector need not look at each of the samples.
        self._steady_until = getattr(getattr(sense, "__self__", None), "steady_until", None)
        super().__init__(sense)

    @property
    def sample_period_us(self) -> int:
        """Time from one sample to the next: 1 or 8 kHz inside, divided by ``1 + SMPLRT_DIV``."""
        if self._cycles():
            return round(1e6 / _CYCLE_HZ[self._registers[_PWR_MGMT_2] >> 6])
        filtered = 0 < self._registers[_CONFIG] & 7 < 7
        internal_us = 1000 if filtered else 125
        return internal_us * (1 + self._registers[_SMPLRT_DIV])

    def _power_on(self, time_us):
        super()._power_on(time_us)
        self._streams = {"data": Stream(_ACCEL_XOUT_H, 14)}
        self._fifo = bytearray()
        self._baseline_g = None  # what the high-pass filter takes away
        self._moving_us = 0
        self._pulse_end_us = time_us

    def _next_register(self, register):
        # A burst read of the FIFO stays at its register; so all of it comes in one transaction.
        return register if register == _FIFO_R_W else (register + 1) & 0x7F

    def _address(self, first):
        self._pointer = first & 0x7F

    def _asleep(self):
        return bool(self._registers[_PWR_MGMT_1] & 0x40)

    def _cycles(self):
        return bool(self._registers[_PWR_MGMT_1] & 0x20)

    def _write_register(self, register, value, time_us):
        if register in self.READ_ONLY:
            return
        if register == _FIFO_R_W:
            self._push(bytes((value,)), time_us)
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
            before = self._registers[register]
            self._registers[register] = value
            # The divider starts to count anew; until its first sample the outputs stay.
            self._start("data", time_us, None if self._asleep() else self.sample_period_us)
            if register == _ACCEL_CONFIG and value & 7 != before & 7:
                self._baseline_g, self._moving_us = None, 0
            if register == _ACCEL_CONFIG and value & 7 == 7:
                self._baseline_g = self._sense("accel_g", time_us)

    def read(self, count: int, time_us: int) -> bytes:
        """The master reads ``count`` bytes, from the register chosen last and the ones after it."""
        with self._lock:
            first, end = self._pointer, self._pointer + count
            if _ACCEL_XOUT_H <= first and end <= _GYRO_ZOUT_L + 1:
                # What programs do all the time, in one go.
                self._run(time_us)
                self._hold_latest()
                data, self._pointer = bytes(self._registers[first:end]), end
            elif first == _FIFO_R_W:
                self._run(time_us)
                data = bytes(self._fifo[:count])
                del self._fifo[:count]
                data += self._registers[_FIFO_R_W:_FIFO_R_W + 1] * (count - len(data))
            else:
                data = super().read(count, time_us)
            if self._registers[_INT_PIN_CFG] & 0x10:
                self._registers[_INT_STATUS] = 0  # INT_RD_CLEAR: any read clears it
            return data

    def _read_register(self, register):
        if register in (_INT_STATUS, _MOT_DETECT_STATUS):
            value = self._registers[register]
            self._registers[register] = 0  # reading clears it
            return value
        if register == _FIFO_COUNT_H:
            # Reading the high byte holds the low one, so that both belong together.
            self._registers[_FIFO_COUNT_L] = len(self._fifo) & 0xFF
            return len(self._fifo) >> 8
        if register == _FIFO_R_W:  # a burst that began at the count
            return self._fifo.pop(0) if self._fifo else self._registers[_FIFO_R_W]
        return super()._read_register(register)

    def _sampled(self, name, stream, due):
        enabled = self._registers[_FIFO_EN]
        if self._registers[_USER_CTRL] & 0x40 and enabled & 0xF8:
            size = sum(part.stop - part.start for bit, part in _FIFO_PARTS if enabled & bit)
            # Samples that the FIFO would throw away again need not be computed.
            kept = due[-(_FIFO_BYTES // size + 1):]
            self.fifo_lost_bytes += (len(due) - len(kept)) * size
            for index in kept:
                time_us = stream.clock.time_us(index)
                measured = self._measure(name, time_us)
                self._push(b"".join(measured[part] for bit, part in _FIFO_PARTS if enabled & bit), time_us)
        if self._registers[_INT_ENABLE] & _MOTION:
            index = due.start
            while index < due.stop:
                time_us = stream.clock.time_us(index)
                still_us = self._still_until(time_us)
                if still_us > time_us:
                    index = max(index + 1, self._first_sample(stream.clock, still_us, due.stop))
                else:
                    self._look_for_movement(time_us, stream.clock.period_us)
                    index += 1
        self._signal(_DATA_READY, stream.clock.newest_us)

    def _push(self, data, time_us):
        self._fifo += data
        excess = len(self._fifo) - _FIFO_BYTES
        if excess > 0:
            # Full: the newest push the oldest out, byte by byte, wherever a sample begins.
            del self._fifo[:excess]
            self.fifo_lost_bytes += excess
            self._signal(_FIFO_OVERFLOW, time_us)

    def _measure(self, name, time_us):
        """The 14 measurement bytes at a time."""
        accel_g, gyro_dps = self._sense("accel_g", time_us), self._sense("gyro_dps", time_us)
        accel_settings, gyro_settings = self._registers[_ACCEL_CONFIG], self._registers[_GYRO_CONFIG]
        if (accel_settings | gyro_settings) & 0xE0:
            accel_g = _self_test(accel_g, _ACCEL_RESPONSE_G, accel_settings)
            gyro_dps = _self_test(gyro_dps, _GYRO_RESPONSE_DPS, gyro_settings)
        accel_step = (2 << (accel_settings >> 3 & 3)) / 32768
        gyro_step = (250 << (gyro_settings >> 3 & 3)) / 32768
        data = b"".join(_big_endian(value, accel_step) for value in accel_g)
        data += _big_endian(self._sense("temperature_c", time_us) - 36.53, 1 / 340)
        if self._cycles():  # the gyroscope is off
            return data + bytes(self._registers[_ACCEL_XOUT_H + 8:_GYRO_ZOUT_L + 1])
        return data + b"".join(_big_endian(value, gyro_step) for value in gyro_dps)

    # Motion detector

    def _still_until(self, time_us):
        """Until when the detector sees no change: the world is steady and the filter has followed it. Else ``time_us``."""
        if self._steady_until is None or self._baseline_g is None or self._moving_us:
            return time_us
        steady_us = self._steady_until("accel_g", time_us)
        if steady_us <= time_us:
            return time_us
        accel_g = self._sense("accel_g", time_us)
        change_g = max(abs(now - before) for now, before in zip(accel_g, self._baseline_g, strict=True))
        return steady_us if change_g < _SETTLED_G else time_us

    @staticmethod
    def _first_sample(clock, time_us, most):
        """Number of the first sample not before a time, at most ``most``."""
        if time_us == math.inf:
            return most
        index = int((time_us - clock._start_us) / clock.period_us)
        while clock.time_us(index) < time_us:
            index += 1
        return min(index, most)

    def _look_for_movement(self, time_us, period_us):
        mode = self._registers[_ACCEL_CONFIG] & 7
        if mode not in (*_HIGH_PASS_HZ, 7):
            return
        accel_g = self._sense("accel_g", time_us)
        before_g = self._baseline_g or accel_g
        change_g = [now - before for now, before in zip(accel_g, before_g, strict=True)]
        if mode != 7:
            follow = 1 - math.exp(-2 * math.pi * _HIGH_PASS_HZ[mode] * period_us / 1e6)
            self._baseline_g = tuple(b + follow * c for b, c in zip(before_g, change_g, strict=True))
        threshold_g = self._registers[_MOT_THR] * _MOTION_STEP_G
        if max(map(abs, change_g)) > threshold_g:
            self._moving_us += period_us
        else:
            decrement = (0, 1, 2, 4)[self._registers[_MOT_DETECT_CTRL] & 3]
            self._moving_us = max(0, self._moving_us - decrement * period_us) if decrement else 0
        longest_us = 1000 * max(1, self._registers[_MOT_DUR])
        self._moving_us = min(self._moving_us, longest_us)
        if self._moving_us == longest_us:
            for axis, change in enumerate(change_g):
                if abs(change) > threshold_g:
                    self._registers[_MOT_DETECT_STATUS] |= (0x80 if change < 0 else 0x40) >> 2 * axis
            self._signal(_MOTION, time_us)

    # INT

    def _signal(self, bit, time_us):
        self._registers[_INT_STATUS] |= bit
        if self._registers[_INT_ENABLE] & bit:
            self._pulse_end_us = time_us + _PULSE_US

    def _active(self, time_us):
        if self._registers[_INT_PIN_CFG] & 0x20:  # LATCH_INT_EN: until the status is cleared
            return bool(self._registers[_INT_STATUS] & self._registers[_INT_ENABLE])
        return time_us < self._pulse_end_us

    def _output(self, time_us):
        return int(self._active(time_us)) ^ self._registers[_INT_PIN_CFG] >> 7  # INT_LEVEL: 1 is active low

    def _next_event_us(self, now_us):
        latched = self._registers[_INT_PIN_CFG] & 0x20
        if latched and self._active(now_us):
            return None  # only a read takes it back
        events = [] if latched or now_us >= self._pulse_end_us else [self._pulse_end_us]
        if self._registers[_INT_ENABLE] & (_DATA_READY | _FIFO_OVERFLOW | _MOTION):
            next_us = self._next_sample_us()
            if next_us is not None and not self._registers[_INT_ENABLE] & (_DATA_READY | _FIFO_OVERFLOW):
                still_us = self._still_until(next_us)
                if still_us == math.inf:
                    next_us = None
                elif still_us > next_us:
                    clock = self._streams["data"].clock
                    next_us = clock.time_us(self._first_sample(clock, still_us, 1 << 62))
            events.append(next_us)
        return min((event for event in events if event is not None), default=None)


def _big_endian(value, step):
    return counts(value, step).to_bytes(2, "big", signed=True)


def _self_test(values, response, settings):
    """Move each axis whose self-test bit is set."""
    return tuple(value + response[i] * (settings >> 7 - i & 1) for i, value in enumerate(values))
