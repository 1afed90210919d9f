"""Accelerometer and gyroscope LSM6DSOX (STMicroelectronics DS12814, revision 4).

Simulated: all output data rates and ranges with clipping, data-ready bits, block data update, the FIFO of 512 tagged
words (accelerometer, gyroscope, temperature; without compression) with its modes, threshold and overflow, the wake-up
detector with threshold, duration and latch, software reset, output INT1 (data ready, FIFO, wake-up), SPI. Not
simulated: filters, self-test, taps, free fall, orientation, time stamps, sensor hub, output INT2, and the embedded
functions (pedometer, machine learning core): their register banks hold what was written, the results stay 0.
"""

from collections import deque

from edgekit.simulator.chips.registers import RegisterChip, SampleClock, Stream, little_endian

__all__ = ["LSM6DSOX"]

_FUNC_CFG_ACCESS = 0x01
_PIN_CTRL = 0x02
_FIFO_CTRL1 = 0x07
_FIFO_CTRL2 = 0x08
_FIFO_CTRL3 = 0x09
_FIFO_CTRL4 = 0x0A
_INT1_CTRL = 0x0D
_WHO_AM_I = 0x0F
_CTRL1_XL = 0x10
_CTRL2_G = 0x11
_CTRL3_C = 0x12
_CTRL9_XL = 0x18
_ALL_INT_SRC = 0x1A
_WAKE_UP_SRC = 0x1B
_STATUS_REG = 0x1E
_OUT_TEMP_L = 0x20
_OUTX_L_G = 0x22
_OUTX_L_A = 0x28
_OUTZ_H_A = 0x2D
_FIFO_STATUS1 = 0x3A
_FIFO_STATUS2 = 0x3B
_TAP_CFG0 = 0x56
_TAP_CFG2 = 0x58
_WAKE_UP_THS = 0x5B
_WAKE_UP_DUR = 0x5C
_MD1_CFG = 0x5E
_FIFO_DATA_OUT_TAG = 0x78
_FIFO_DATA_OUT_Z_H = 0x7E

_RATE_HZ = (None, 12.5, 26, 52, 104, 208, 416, 833, 1667, 3333, 6667)  # ODR and batch rates
_LOWEST_ACCEL_HZ, _LOWEST_GYRO_BATCH_HZ = 1.6, 6.5  # code 11
_TEMPERATURE_HZ = 52
_TEMPERATURE_BATCH_HZ = (None, 1.6, 12.5, 52)
_ACCEL_RANGE_G = (2, 16, 4, 8)
_G_PER_COUNT = (0.000061, 0.000488, 0.000122, 0.000244)
_DPS_PER_COUNT = (0.00875, 0.0175, 0.035, 0.07)  # 250, 500, 1000, 2000 dps
_DPS_PER_COUNT_125 = 0.004375
_COUNTS_PER_C = 256

_TAGS = {"gyro": 1, "accel": 2, "temperature": 3}
_FIFO_WORDS = 512  # 3 kB

_LATCHED = 0x01  # TAP_CFG0: LIR
_WAKE_UP = 0x08  # WAKE_UP_SRC: WU_IA


class LSM6DSOX(RegisterChip):
    """One LSM6DSOX.

    Parameters
    ----------
    sense : callable
        ``sense(name, time_us)`` with the names ``accel_g``, ``gyro_dps`` and ``temperature_c``.

    Attributes
    ----------
    fifo_lost : int
        Words that the FIFO threw away because it was full, since power-on.

    Examples
    --------
    >>> chip = LSM6DSOX(lambda name, time_us: {"accel_g": (0, 0, 1)}.get(name, 25.0))
    >>> chip.write(b"\\x10\\x40", 0)               # CTRL1_XL: 104 Hz, 2 g
    2
    >>> chip.write(b"\\x28", 10_000)
    1
    >>> chip.read(6, 10_000).hex(" ")             # 1 g is 16393 counts of 0.061 mg
    '00 00 00 00 09 40'
    """

    ADDRESS = 0x6A
    RESET_VALUES = {_PIN_CTRL: 0x3F, _WHO_AM_I: 0x6C, _CTRL3_C: 0x04, _CTRL9_XL: 0xE0}
    READ_ONLY = frozenset({_WHO_AM_I, *range(_ALL_INT_SRC, _OUTZ_H_A + 1), *range(0x35, 0x56),
                           *range(_FIFO_DATA_OUT_TAG, 0x80)})
    STATUS = _STATUS_REG

    def _power_on(self, time_us):
        super()._power_on(time_us)
        self._streams = {"temperature": Stream(_OUT_TEMP_L, 2, ready=0x04), "gyro": Stream(_OUTX_L_G, 6, ready=0x02),
                         "accel": Stream(_OUTX_L_A, 6, ready=0x01)}
        self._banks = {1: bytearray(256), 2: bytearray(256)}  # sensor hub, embedded functions
        self._batches = {name: SampleClock() for name in _TAGS}
        self._fifo = deque()
        self._fifo_overrun = self._fifo_overrun_latched = False
        self._fifo_slot = 0
        self._fifo_slot_us = None
        self.fifo_lost = 0
        self._before_g = None  # the wake-up detector compares two samples
        self._moved_samples = 0

    # Registers

    def _address(self, first):
        self._pointer = first & 0x7F

    def _next_register(self, register):
        if not self._registers[_CTRL3_C] & 0x04:
            return register
        if register == _FIFO_DATA_OUT_Z_H:
            return _FIFO_DATA_OUT_TAG  # a burst reads one word after the other
        return (register + 1) & 0x7F

    def _blocks_updates(self):
        return bool(self._registers[_CTRL3_C] & 0x40)

    def _bank(self, register):
        """The register bank that is chosen, if it is not the main one."""
        number = 2 if self._registers[_FUNC_CFG_ACCESS] & 0x80 else self._registers[_FUNC_CFG_ACCESS] >> 6
        return None if number == 0 or register == _FUNC_CFG_ACCESS else self._banks[number]

    def _write_register(self, register, value, time_us):
        bank = self._bank(register)
        if bank is not None:
            bank[register] = value
            return
        if register == _CTRL3_C and value & 0x81:
            self._power_on(time_us)  # BOOT or SW_RESET; both clear themselves
            return
        self._hold_latest()
        super()._write_register(register, value, time_us)
        if register in (_CTRL1_XL, _CTRL2_G, _FIFO_CTRL3, _FIFO_CTRL4):
            self._set_rates(time_us)
        if not self._fifo_mode():
            self._fifo.clear()  # the bypass mode empties it
            self._fifo_overrun = self._fifo_overrun_latched = False

    def _set_rates(self, time_us):
        accel_hz = _rate(self._registers[_CTRL1_XL] >> 4, _LOWEST_ACCEL_HZ)
        gyro_hz = _rate(self._registers[_CTRL2_G] >> 4, None)
        temperature_hz = _TEMPERATURE_HZ if accel_hz or gyro_hz else None
        rates_hz = {"accel": accel_hz, "gyro": gyro_hz, "temperature": temperature_hz}
        if accel_hz is None:
            self._before_g, self._moved_samples = None, 0
        batch = self._registers[_FIFO_CTRL3]
        batch_hz = {"accel": _rate(batch & 15, _LOWEST_ACCEL_HZ), "gyro": _rate(batch >> 4, _LOWEST_GYRO_BATCH_HZ),
                    "temperature": _TEMPERATURE_BATCH_HZ[self._registers[_FIFO_CTRL4] >> 4 & 3]}
        for name, rate_hz in rates_hz.items():
            self._start(name, time_us, rate_hz and 1e6 / rate_hz)
            into_fifo_hz = min(rate_hz, batch_hz[name]) if self._fifo_mode() and rate_hz and batch_hz[name] else None
            if self._batches[name].period_us != (into_fifo_hz and 1e6 / into_fifo_hz):
                self._batches[name].start(time_us, into_fifo_hz and 1e6 / into_fifo_hz)

    def _read_register(self, register):
        bank = self._bank(register)
        if bank is not None:
            return bank[register]
        if register == _FIFO_STATUS1:
            return len(self._fifo) & 0xFF
        if register == _FIFO_STATUS2:
            value = self._fifo_flags() | self._fifo_overrun_latched << 3 | len(self._fifo) >> 8
            self._fifo_overrun_latched = False
            return value
        if _FIFO_DATA_OUT_TAG <= register <= _FIFO_DATA_OUT_Z_H:
            value = self._fifo[0][register - _FIFO_DATA_OUT_TAG] if self._fifo else 0
            if register == _FIFO_DATA_OUT_Z_H and self._fifo:
                self._fifo.popleft()
                self._fifo_overrun = False
            return value
        if register == _ALL_INT_SRC:
            return (self._registers[_WAKE_UP_SRC] & _WAKE_UP) >> 2
        if register == _WAKE_UP_SRC:
            value = self._registers[_WAKE_UP_SRC]
            if self._registers[_TAP_CFG0] & _LATCHED:
                self._registers[_WAKE_UP_SRC] = 0
            return value
        return super()._read_register(register)

    def _measure(self, name, time_us):
        if name == "temperature":
            return little_endian((self._sense("temperature_c", time_us) - 25,), 1 / _COUNTS_PER_C)
        if name == "gyro":
            settings = self._registers[_CTRL2_G]
            step = _DPS_PER_COUNT_125 if settings & 2 else _DPS_PER_COUNT[settings >> 2 & 3]
            return little_endian(self._sense("gyro_dps", time_us), step)
        return little_endian(self._sense("accel_g", time_us), _G_PER_COUNT[self._registers[_CTRL1_XL] >> 2 & 3])

    # FIFO

    def _fifo_mode(self):
        return self._registers[_FIFO_CTRL4] & 7

    def _fifo_threshold(self):
        return self._registers[_FIFO_CTRL1] | (self._registers[_FIFO_CTRL2] & 1) << 8

    def _fifo_flags(self):
        """The flags threshold, overrun and full, as FIFO_STATUS2 has them."""
        threshold = self._fifo_threshold()
        return ((0 < threshold <= len(self._fifo)) << 7 | self._fifo_overrun << 6
                | (len(self._fifo) >= self._fifo_depth()) << 5)

    def _fifo_depth(self):
        return (self._fifo_threshold() or 1) if self._registers[_FIFO_CTRL2] & 0x80 else _FIFO_WORDS

    def _run(self, time_us):
        super()._run(time_us)
        depth, keeps_oldest = self._fifo_depth(), self._fifo_mode() == 1
        words = []
        for name, clock in self._batches.items():
            due = clock.take(time_us)
            # Words that the FIFO would throw away again need not be computed.
            kept = due[:depth] if keeps_oldest else due[-depth:]
            self._lose(len(due) - len(kept))
            words += [(clock.time_us(index), _TAGS[name], name) for index in kept]
        for word_us, tag, name in sorted(words):
            if len(self._fifo) >= depth:
                self._lose(1)
                if keeps_oldest:
                    continue
                self._fifo.popleft()
            self._fifo.append(self._word(word_us, tag, name))

    def _lose(self, words):
        if words:
            self.fifo_lost += words
            self._fifo_overrun = self._fifo_overrun_latched = True

    def _word(self, time_us, tag, name):
        if time_us != self._fifo_slot_us:
            self._fifo_slot, self._fifo_slot_us = (self._fifo_slot + 1) & 3, time_us
        head = tag << 3 | self._fifo_slot << 1
        head |= head.bit_count() & 1  # even parity
        return bytes((head,)) + self._measure(name, time_us).ljust(6, b"\0")

    # Wake-up detector

    def _sampled(self, name, stream, due):
        super()._sampled(name, stream, due)
        if name == "accel" and self._registers[_TAP_CFG2] & 0x80:
            for index in due:
                self._look_for_movement(stream.clock.time_us(index))

    def _look_for_movement(self, time_us):
        """The slope filter: half the difference of two samples, against the threshold on each axis."""
        now_g = self._sense("accel_g", time_us)
        before_g, self._before_g = self._before_g or now_g, now_g
        full_scale_g = _ACCEL_RANGE_G[self._registers[_CTRL1_XL] >> 2 & 3]
        step_g = full_scale_g / (256 if self._registers[_WAKE_UP_DUR] & 0x10 else 64)
        threshold_g = (self._registers[_WAKE_UP_THS] & 0x3F) * step_g
        axes = [abs(now - before) / 2 > threshold_g for now, before in zip(now_g, before_g, strict=True)]
        self._moved_samples = self._moved_samples + 1 if any(axes) else 0
        found = 0
        if self._moved_samples > (self._registers[_WAKE_UP_DUR] >> 5 & 3):
            found = _WAKE_UP | axes[0] << 2 | axes[1] << 1 | axes[2]
        if self._registers[_TAP_CFG0] & _LATCHED:
            found |= self._registers[_WAKE_UP_SRC]
        self._registers[_WAKE_UP_SRC] = found

    # INT1

    def _active(self):
        enabled, flags = self._registers[_INT1_CTRL], self._fifo_flags()
        return bool(enabled & self._registers[_STATUS_REG] & 0x03 or enabled & 0x08 and flags & 0x80
                    or enabled & 0x10 and flags & 0x40 or enabled & 0x20 and flags & 0x20
                    or self._registers[_MD1_CFG] & 0x20 and self._registers[_WAKE_UP_SRC] & _WAKE_UP)

    def _output(self, time_us):
        return int(self._active()) ^ self._registers[_CTRL3_C] >> 5 & 1  # H_LACTIVE: 1 is active low

    def _next_event_us(self, now_us):
        wakes = self._registers[_MD1_CFG] & 0x20 and not self._registers[_TAP_CFG0] & _LATCHED
        if not (self._registers[_INT1_CTRL] & 0x3B or self._registers[_MD1_CFG] & 0x20):
            return None
        if self._active() and not wakes:
            return None  # only a read takes it back
        events = [self._next_sample_us(), *(clock.next_us for clock in self._batches.values())]
        return min((event for event in events if event is not None), default=None)


def _rate(code, lowest_hz):
    """Samples per second for a code of the ODR and batch tables; None: off."""
    if code == 11:
        return lowest_hz
    return _RATE_HZ[code] if code < len(_RATE_HZ) else None
