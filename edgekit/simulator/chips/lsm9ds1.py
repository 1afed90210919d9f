"""Accelerometer, gyroscope and magnetometer LSM9DS1 (STMicroelectronics DocID025715, revision 3).

It is two chips in one case, at two addresses: :class:`LSM9DS1` (accelerometer and gyroscope, 0x6B) and
:class:`LSM9DS1Magnetometer` (0x1E). Simulated: all output data rates and ranges with clipping, data-ready and overrun
bits, block data update, the FIFO of 32 samples with overflow and threshold, software reset, single conversions and
offsets of the magnetometer, outputs INT1_A/G (data ready, FIFO) and DRDY_M, SPI. Not simulated: filters and
decimation, switching single axes off, big-endian output, the interrupt generators and activity detection, self-test, output INT2; their
registers hold what was written. Temperature is right-justified as the data sheet says; some drivers shift it away.

The axes are those of each part; on the real chip the magnetometer's x points the other way.
"""

from edgekit.simulator.chips.registers import RegisterChip, Stream, counts, little_endian
from edgekit.simulator.chips.st import SlotFifoChip

__all__ = ["LSM9DS1", "LSM9DS1Magnetometer"]

_INT1_CTRL = 0x0C
_WHO_AM_I = 0x0F
_CTRL_REG1_G = 0x10
_OUT_TEMP_L = 0x15
_STATUS_REG = 0x17
_OUT_X_L_G = 0x18
_CTRL_REG4 = 0x1E
_CTRL_REG5_XL = 0x1F
_CTRL_REG6_XL = 0x20
_CTRL_REG8 = 0x22
_CTRL_REG9 = 0x23
_STATUS_REG_TOO = 0x27
_OUT_X_L_XL = 0x28
_FIFO_CTRL = 0x2E
_FIFO_SRC = 0x2F

_GYRO_HZ = (None, 14.9, 59.5, 119, 238, 476, 952, None)  # ODR_G
_ACCEL_HZ = (None, 10, 50, 119, 238, 476, 952, None)  # ODR_XL; with the gyroscope on, its rate holds for both
_DPS_PER_COUNT = (0.00875, 0.0175, 0.0175, 0.07)  # FS_G: 245, 500, (not used), 2000 dps
_G_PER_COUNT = (0.000061, 0.000732, 0.000122, 0.000244)  # FS_XL: 2, 16, 4, 8 g

_FIFO_EN = 0x02
_STOP_ON_FTH = 0x01


class LSM9DS1(SlotFifoChip):
    """The accelerometer and gyroscope of an LSM9DS1.

    Parameters
    ----------
    sense : callable
        ``sense(name, time_us)`` with the names ``accel_g``, ``gyro_dps`` and ``temperature_c``.

    Examples
    --------
    >>> chip = LSM9DS1(lambda name, time_us: {"accel_g": (0, 0, 1)}.get(name, 25.0))
    >>> chip.write(b"\\x20\\x60", 0)               # CTRL_REG6_XL: 119 Hz, 2 g
    2
    >>> chip.write(b"\\x28", 10_000)               # OUT_X_L_XL
    1
    >>> chip.read(6, 10_000).hex(" ")             # 1 g is 16393 counts of 0.061 mg
    '00 00 00 00 09 40'
    """

    ADDRESS = 0x6B
    RESET_VALUES = {_WHO_AM_I: 0x68, _CTRL_REG4: 0x38, _CTRL_REG5_XL: 0x38, _CTRL_REG8: 0x04}
    READ_ONLY = frozenset({_WHO_AM_I, 0x14, *range(_OUT_TEMP_L, 0x1E), 0x26, *range(_STATUS_REG_TOO, 0x2E),
                           _FIFO_SRC})
    STATUS = _STATUS_REG
    FIFO_CTRL = _FIFO_CTRL
    FIFO_SRC = _FIFO_SRC
    FIFO_KEEPS_NEWEST = (6, 3)  # continuous; continuous-to-FIFO before its event

    def _power_on(self, time_us):
        super()._power_on(time_us)
        self._streams = {"temperature": Stream(_OUT_TEMP_L, 2, ready=0x04), "gyro": Stream(_OUT_X_L_G, 6, ready=0x02),
                         "accel": Stream(_OUT_X_L_XL, 6, ready=0x01)}

    def _address(self, first):
        self._pointer = first & 0x7F

    def _next_register(self, register):
        return (register + bool(self._registers[_CTRL_REG8] & 0x04)) & 0x7F

    def _blocks_updates(self):
        return bool(self._registers[_CTRL_REG8] & 0x40)

    def _write_register(self, register, value, time_us):
        if register == _CTRL_REG8 and value & 0x81:
            self._power_on(time_us)  # BOOT or SW_RESET; both bits clear themselves
            return
        self._hold_latest()
        super()._write_register(register, value, time_us)
        gyro_hz = _GYRO_HZ[self._registers[_CTRL_REG1_G] >> 5]
        accel_hz = _ACCEL_HZ[self._registers[_CTRL_REG6_XL] >> 5]
        accel_hz = accel_hz and (gyro_hz or accel_hz)
        self._start("gyro", time_us, gyro_hz and 1e6 / gyro_hz)
        self._start("accel", time_us, accel_hz and 1e6 / accel_hz)
        # The thermometer is slower than the gyroscope; without it, 50 Hz.
        temperature_hz = min(gyro_hz, 59.5) if gyro_hz else accel_hz and 50
        self._start("temperature", time_us, temperature_hz and 1e6 / temperature_hz)

    def _read_register(self, register):
        if register == _STATUS_REG_TOO:
            register = _STATUS_REG
        if self._fifo_runs() and self._fifo:
            for name, place in (("gyro", 0), ("accel", 6)):
                stream = self._streams[name]
                if register in stream:
                    value = self._fifo[0][place + register - stream.first]
                    if name == self._fifo_stream and register == stream.first + 5:
                        self._leave_slot()  # its z is the last of a sample
                    return value
        return super()._read_register(register)

    @property
    def _fifo_stream(self):
        # When the accelerometer is off, the gyroscope's samples fill it.
        return "accel" if self._streams["accel"].clock.period_us else "gyro"

    def _fifo_enabled(self):
        return bool(self._registers[_CTRL_REG9] & _FIFO_EN)

    def _stops_at_threshold(self):
        return bool(self._registers[_CTRL_REG9] & _STOP_ON_FTH)

    def _slot(self, time_us):
        return b"".join(self._measure(name, time_us) if self._streams[name].clock.period_us else bytes(6)
                        for name in ("gyro", "accel"))

    def _measure(self, name, time_us):
        if name == "temperature":
            return counts(self._sense("temperature_c", time_us) - 25, 1 / 16, 12).to_bytes(2, "little", signed=True)
        if name == "gyro":
            step = _DPS_PER_COUNT[self._registers[_CTRL_REG1_G] >> 3 & 3]
            return little_endian(self._sense("gyro_dps", time_us), step)
        step = _G_PER_COUNT[self._registers[_CTRL_REG6_XL] >> 3 & 3]
        return little_endian(self._sense("accel_g", time_us), step)

    def _active(self):
        """Whether INT1_A/G signals something: data ready, FIFO threshold, overrun or full."""
        enabled, status, source = self._registers[_INT1_CTRL], self._registers[_STATUS_REG], self._fifo_source()
        return bool(enabled & status & 0x03 or enabled & 0x08 and source & 0x80 or enabled & 0x10 and source & 0x40
                    or enabled & 0x20 and source & 0x20)

    def _output(self, time_us):
        return int(self._active()) ^ self._registers[_CTRL_REG8] >> 5 & 1  # H_LACTIVE: 1 is active low

    def _next_event_us(self, now_us):
        if not self._registers[_INT1_CTRL] & 0x3B or self._active():
            return None  # only a read takes it back
        return self._next_sample_us()


_OFFSET_X_L_M = 0x05
_CTRL_REG1_M = 0x20
_CTRL_REG2_M = 0x21
_CTRL_REG3_M = 0x22
_CTRL_REG5_M = 0x24
_STATUS_REG_M = 0x27
_OUT_X_L_M = 0x28
_INT_CFG_M = 0x30

_MAG_HZ = (0.625, 1.25, 2.5, 5, 10, 20, 40, 80)
_FAST_HZ = (1000, 560, 300, 155)  # FAST_ODR, for each operating mode OM
_GAUSS_PER_COUNT = (0.00014, 0.00029, 0.00043, 0.00058)  # FS: 4, 8, 12, 16 gauss
_XYZ_READY = 0x0F
_XYZ_OVERRUN = 0xF0


class LSM9DS1Magnetometer(RegisterChip):
    """The magnetometer of an LSM9DS1.

    Parameters
    ----------
    sense : callable
        ``sense("mag_gauss", time_us)``.

    Examples
    --------
    >>> chip = LSM9DS1Magnetometer(lambda name, time_us: (0.14, 0, -0.28))
    >>> chip.write(b"\\xa2\\x00", 0)               # CTRL_REG3_M: continuous conversion, 10 Hz
    2
    >>> chip.write(b"\\xa8", 100_000)
    1
    >>> chip.read(6, 100_000).hex(" ")            # 1000, 0, -2000
    'e8 03 00 00 30 f8'
    """

    ADDRESS = 0x1E
    RESET_VALUES = {_WHO_AM_I: 0x3D, _CTRL_REG1_M: 0x10, _CTRL_REG3_M: 0x03, _INT_CFG_M: 0x08}
    READ_ONLY = frozenset({_WHO_AM_I, *range(_STATUS_REG_M, 0x2E), 0x31})
    STATUS = _STATUS_REG_M

    def _power_on(self, time_us):
        super()._power_on(time_us)
        self._streams = {"mag": Stream(_OUT_X_L_M, 6, ready=_XYZ_READY, overrun=_XYZ_OVERRUN)}
        self._increments = True

    def _address(self, first):
        # The data sheet wants bit 7 set to increment; drivers that leave it out write several registers all the same.
        self._pointer = first & 0x7F
        self._increments = True

    def _spi_begin(self, first):
        self._pointer = first & 0x3F
        self._increments = bool(first & 0x40)

    def _spi_write(self, values, time_us):
        for value in values:
            self._run(time_us)
            self._write_register(self._pointer, value, time_us)
            self._pointer = self._next_register(self._pointer)

    def _next_register(self, register):
        return (register + self._increments) & 0x7F

    def _blocks_updates(self):
        return bool(self._registers[_CTRL_REG5_M] & 0x40)

    def _write_register(self, register, value, time_us):
        if register == _CTRL_REG2_M and value & 0x0C:
            self._power_on(time_us)  # REBOOT or SOFT_RST; both clear themselves
            return
        self._hold_latest()
        super()._write_register(register, value, time_us)
        mode, rate = self._registers[_CTRL_REG3_M] & 3, self._registers[_CTRL_REG1_M]
        rate_hz = _FAST_HZ[rate >> 5 & 3] if rate & 0x02 else _MAG_HZ[rate >> 2 & 7]
        # Mode 0 converts all the time, 1 once, 2 and 3 not at all.
        self._start("mag", time_us, 1e6 / rate_hz if mode < 2 else None)

    def _sampled(self, name, stream, due):
        if self._registers[_CTRL_REG3_M] & 3 == 1:
            self._finish_once(stream, due)
            self._registers[_CTRL_REG3_M] |= 3  # power down
        else:
            self._mark_ready(stream, due)

    def _measure(self, name, time_us):
        step = _GAUSS_PER_COUNT[self._registers[_CTRL_REG2_M] >> 5 & 3]
        out = bytearray()
        for axis, gauss in enumerate(self._sense("mag_gauss", time_us)):
            first = _OFFSET_X_L_M + 2 * axis
            offset = int.from_bytes(self._registers[first:first + 2], "little", signed=True)
            out += little_endian((counts(gauss, step) - offset,), 1)
        return bytes(out)

    def _output(self, time_us):
        """Level of DRDY_M: 1 while a new sample waits."""
        return int(bool(self._registers[_STATUS_REG_M] & 0x08))

    def _next_event_us(self, now_us):
        return None if self._output(now_us) else self._next_sample_us()
