"""MPU6050: acceleration in three axes, turn rate in three axes, over I2C.

Example::

    from machine import I2C, Pin
    from mpu6050 import MPU6050

    imu = MPU6050(I2C(0, scl=Pin(22), sda=Pin(21)))
    print(imu.accel_g())                # (0.01, -0.02, 1.0): at rest, flat on the table
    print(imu.gyro_dps())

Without losing a sample while the program computes (the chip keeps up to 85 samples in its FIFO)::

    from array import array

    block = array("h", bytes(2 * 6 * 10))
    imu.start()
    while True:
        lost = imu.read_block(block)    # waits for 10 samples: ax ay az gx gy gz ax ay ...

The samples are int16 counts; ``imu.scale`` says what one count is.

Asleep until somebody moves it (0.5 mA in place of 3.8 mA; the chip's INT pin tells the board)::

    imu.sleep_until_motion(threshold_g=0.2)
    ...                                 # INT goes to 1 and stays there
    imu.wake()                          # INT goes back to 0; all six axes again

Watching for a movement, and remembering what came before it: the chip itself keeps the newest 128 samples of
acceleration while the board sleeps::

    kept = array("h", bytes(2 * 3 * imu.KEPT))
    imu.watch(threshold_g=0.4)
    ...                                 # INT goes to 1: something moves
    n = imu.read_watch(kept)            # INT goes back to 0; kept[:3 * n] is ax ay az ax ay ...
    if imu.missed: ...                  # older samples were thrown away: this begins anew
"""

from array import array

try:
    from micropython import const
    from time import sleep_ms, ticks_diff, ticks_us
except ImportError:  # CPython
    import time

    def const(value):
        return value

    def sleep_ms(duration_ms):
        time.sleep(duration_ms / 1000)

    def ticks_us():
        return time.monotonic_ns() // 1000

    def ticks_diff(end, start):
        return end - start


_SMPLRT_DIV = const(0x19)  # sample rate = 1 kHz / (1 + value)
_CONFIG = const(0x1A)  # low-pass filter
_GYRO_CONFIG = const(0x1B)  # range, bits 3 and 4
_ACCEL_CONFIG = const(0x1C)  # range, bits 3 and 4
_MOT_THR = const(0x1F)  # motion threshold, in steps of 32 mg
_MOT_DUR = const(0x20)  # how long it must last, in ms
_FIFO_EN = const(0x23)
_INT_PIN_CFG = const(0x37)
_INT_ENABLE = const(0x38)
_INT_STATUS = const(0x3A)
_ACCEL_XOUT_H = const(0x3B)  # six bytes; two of temperature; six of turn rate
_TEMP_OUT_H = const(0x41)
_USER_CTRL = const(0x6A)
_PWR_MGMT_1 = const(0x6B)
_PWR_MGMT_2 = const(0x6C)  # which axes stand by
_FIFO_COUNT_H = const(0x72)
_FIFO_R_W = const(0x74)
_WHO_AM_I = const(0x75)

_CHIP_ID = const(0x68)
_FIFO_ACCEL_GYRO = const(0x78)
_FIFO_ACCEL_TEMP = const(0x88)
_FIFO_ENABLE = const(0x40)
_FIFO_RESET = const(0x04)
_FIFO_OVERFLOW = const(0x10)
_SLEEP = const(0x40)  # of PWR_MGMT_1
_GYRO_OFF = const(0x07)
_LATCH = const(0x20)  # INT stays at 1 until INT_STATUS is read
_MOTION = const(0x40)  # of INT_ENABLE and INT_STATUS
_HIGH_PASS_5_HZ = const(0x01)  # of ACCEL_CONFIG: the motion detector sees changes, not gravity
_MOTION_STEP_G = 0.032
_GYRO_START_MS = const(30)  # until the gyroscope's readings count, from its data sheet
_FIFO_SAMPLES = const(85)  # 1024 bytes, 12 for each sample
_PIECE = const(16)  # samples that read_watch takes at once

_ACCEL_RANGES_G = (2, 4, 8, 16)
_GYRO_RANGES_DPS = (250, 500, 1000, 2000)
_BANDWIDTHS_HZ = (184, 94, 44, 21, 10, 5)  # values 1 to 6 of CONFIG


class MPU6050:
    """``i2c``: a ``machine.I2C`` or ``SoftI2C``. ``address``: 0x68, or 0x69 with the pin AD0 high.

    ``accel_range_g``: 2, 4, 8 or 16. ``gyro_range_dps``: 250, 500, 1000 or 2000.
    ``rate_hz``: samples per second, 4 to 1000; the nearest that the chip can do becomes ``imu.rate_hz``.

    The chip's low-pass filter is set below half the rate, so that faster shaking does not look like slow movement.
    """

    channels = ("ax", "ay", "az", "gx", "gy", "gz")
    units = ("g", "g", "g", "dps", "dps", "dps")
    KEPT = 128  # samples that the chip keeps while it watches

    def __init__(self, i2c, address=0x68, accel_range_g=4, gyro_range_dps=500, rate_hz=100):
        if accel_range_g not in _ACCEL_RANGES_G:
            raise ValueError("accel_range_g is %r, expected 2, 4, 8 or 16" % (accel_range_g,))
        if gyro_range_dps not in _GYRO_RANGES_DPS:
            raise ValueError("gyro_range_dps is %r, expected 250, 500, 1000 or 2000" % (gyro_range_dps,))
        if not 4 <= rate_hz <= 1000:
            raise ValueError("rate_hz is %r, expected 4 to 1000" % (rate_hz,))
        self.i2c = i2c
        self.address = address
        self._byte = bytearray(1)
        self._pair = bytearray(2)
        self._bytes14 = bytearray(14)
        self._wire = bytearray(0)
        self._counts = array("h", bytes(12))

        chip_id = self._read_register(_WHO_AM_I)
        if chip_id != _CHIP_ID:
            raise OSError("the chip at I2C address 0x%02x says 0x%02x, an MPU6050 says 0x%02x: "
                          "it is another chip, which needs another driver" % (address, chip_id, _CHIP_ID))
        self._write_register(_PWR_MGMT_1, 0x80)  # reset
        sleep_ms(100)
        self._write_register(_PWR_MGMT_1, 0x01)  # wake; the gyroscope's clock is the steadier one
        sleep_ms(10)
        divider = max(0, min(255, round(1000 / rate_hz) - 1))
        self.rate_hz = 1000 / (1 + divider)
        self._write_register(_CONFIG, self._filter_for(self.rate_hz))
        self._write_register(_SMPLRT_DIV, divider)
        self._write_register(_GYRO_CONFIG, _GYRO_RANGES_DPS.index(gyro_range_dps) << 3)
        self._accel_config = _ACCEL_RANGES_G.index(accel_range_g) << 3
        self._write_register(_ACCEL_CONFIG, self._accel_config)
        self.full_scale = (accel_range_g,) * 3 + (gyro_range_dps,) * 3  # what 32768 counts would be
        self.scale = tuple(value / 32768 for value in self.full_scale)
        # The registers still hold a sample in the range after reset: wait for the first one in ours.
        sleep_ms(2 + int(1000 / self.rate_hz))

    def read_into(self, buf):
        """The newest sample as counts into ``buf``, an ``array("h")`` of six. Allocates nothing."""
        wire = self._bytes14
        self._read_into(_ACCEL_XOUT_H, wire)  # one burst, so that all axes belong to one sample
        for i in range(3):
            buf[i] = _int16(wire, 2 * i)
            buf[3 + i] = _int16(wire, 2 * i + 8)  # after the two bytes of temperature

    def accel_g(self):
        """Acceleration (x, y, z) in g. At rest this is gravity: 1 g upwards."""
        self.read_into(self._counts)
        return tuple(self._counts[i] * self.scale[i] for i in range(3))

    def gyro_dps(self):
        """Turn rate (x, y, z) in degrees per second."""
        self.read_into(self._counts)
        return tuple(self._counts[i] * self.scale[i] for i in range(3, 6))

    def temperature_c(self):
        """Temperature of the chip itself in degrees Celsius."""
        self._read_into(_TEMP_OUT_H, self._pair)
        return _int16(self._pair, 0) / 340 + 36.53

    def start(self):
        """Let the chip keep its samples from now on, for ``read_block``."""
        self._write_register(_FIFO_EN, _FIFO_ACCEL_GYRO)
        self._empty_fifo()

    def read_block(self, buf):
        """Fill ``buf``, an ``array("h")`` of six times n, with the next n samples; wait until there are as many.

        Returns how many samples were lost before them, because the program came back too late. Then 85 samples
        had come meanwhile, and the chip had thrown old ones away.
        """
        if len(self._wire) != 2 * len(buf):
            self._wire = bytearray(2 * len(buf))
        wanted = len(buf) // 6
        if wanted > _FIFO_SAMPLES:
            raise ValueError("%d samples in one block, the chip keeps at most %d" % (wanted, _FIFO_SAMPLES))
        lost = 0
        while True:
            waiting = self._waiting()
            if self._read_register(_INT_STATUS) & _FIFO_OVERFLOW:
                # What is left begins somewhere inside a sample. Start anew.
                lost += self._left + round(ticks_diff(ticks_us(), self._read_us) * self.rate_hz / 1000000)
                self._empty_fifo()
            elif waiting >= wanted:
                break
            else:
                sleep_ms(max(1, int((wanted - waiting) * 1000 / self.rate_hz)))
        self._read_into(_FIFO_R_W, self._wire)
        self._read_us = ticks_us()
        self._left = waiting - wanted
        wire = self._wire
        for i in range(len(buf)):
            buf[i] = _int16(wire, 2 * i)
        return lost

    def sleep(self):
        """Measure nothing until ``wake``: the chip then needs about 5 uA."""
        self._write_register(_PWR_MGMT_1, _SLEEP)

    def sleep_until_motion(self, threshold_g=0.2, duration_ms=2):
        """Watch for movement only, without the gyroscope; when there is one, the chip's INT pin goes to 1.

        ``threshold_g``: change of acceleration along any axis, 0.032 to 8.16, in steps of 0.032; ``duration_ms``: how
        long it must last, 1 to 255.
        """
        steps = round(threshold_g / _MOTION_STEP_G)
        if not 1 <= steps <= 255:
            raise ValueError("threshold_g is %r, expected 0.032 to 8.16" % (threshold_g,))
        if not 1 <= duration_ms <= 255:
            raise ValueError("duration_ms is %r, expected 1 to 255" % (duration_ms,))
        self._write_register(_FIFO_EN, 0)
        self._watch_for(steps, duration_ms)

    def watch(self, threshold_g=0.4, duration_ms=1):
        """Watch for movement, without the gyroscope, and keep the newest 128 samples meanwhile, for ``read_watch``.

        The chip could keep 170 samples of acceleration alone. With its temperature a sample has 8 bytes, of which 128
        fill the FIFO exactly: so it always begins with a whole sample, however many were thrown away.
        """
        steps = round(threshold_g / _MOTION_STEP_G)
        if not 1 <= steps <= 255:
            raise ValueError("threshold_g is %r, expected 0.032 to 8.16" % (threshold_g,))
        if not 1 <= duration_ms <= 255:
            raise ValueError("duration_ms is %r, expected 1 to 255" % (duration_ms,))
        self._piece = bytearray(8 * _PIECE)
        self._single = bytearray(8)
        self.missed = True
        self.moved = False
        self._write_register(_FIFO_EN, _FIFO_ACCEL_TEMP)
        self._watch_for(steps, duration_ms)
        self._empty_fifo()

    def read_watch(self, buf):
        """Fill ``buf``, an ``array("h")`` of 3 * ``KEPT``, with what came since the last call; returns how many samples.

        ``moved``: INT had gone to 1; it is 0 again. ``missed``: there are older samples that were thrown away, so the
        first one does not follow the last one of before. Allocates nothing.
        """
        status = self._read_register(_INT_STATUS)
        self.moved = status & _MOTION != 0
        self.missed = status & _FIFO_OVERFLOW != 0
        self._read_into(_FIFO_COUNT_H, self._pair)
        samples = (self._pair[0] << 8 | self._pair[1]) >> 3
        done = 0
        while done < samples:
            wire = self._piece if samples - done >= _PIECE else self._single
            self._read_into(_FIFO_R_W, wire)
            for i in range(len(wire) >> 3):
                for axis in range(3):
                    buf[3 * done + axis] = _int16(wire, 8 * i + 2 * axis)
                done += 1
        return samples

    def _watch_for(self, steps, duration_ms):
        self._write_register(_PWR_MGMT_1, 0)  # the gyroscope's clock will stand still: take the chip's own
        self._write_register(_PWR_MGMT_2, _GYRO_OFF)
        self._write_register(_MOT_THR, steps)
        self._write_register(_MOT_DUR, duration_ms)
        self._write_register(_ACCEL_CONFIG, self._accel_config | _HIGH_PASS_5_HZ)
        self._write_register(_INT_PIN_CFG, _LATCH)
        self._read_register(_INT_STATUS)  # an old motion would hold INT at 1
        self._write_register(_INT_ENABLE, _MOTION)

    def wake(self):
        """Measure all six axes again, after ``sleep`` or ``sleep_until_motion``."""
        self._write_register(_INT_ENABLE, 0)
        self._write_register(_ACCEL_CONFIG, self._accel_config)
        self._write_register(_PWR_MGMT_2, 0)
        self._write_register(_PWR_MGMT_1, 0x01)
        self._read_register(_INT_STATUS)  # lets INT go back to 0
        sleep_ms(_GYRO_START_MS)

    def _waiting(self):
        self._read_into(_FIFO_COUNT_H, self._pair)
        return (self._pair[0] << 8 | self._pair[1]) // 12

    def _empty_fifo(self):
        self._write_register(_USER_CTRL, _FIFO_RESET)
        self._write_register(_USER_CTRL, _FIFO_ENABLE)
        self._read_register(_INT_STATUS)  # reading clears an old overflow
        self._read_us = ticks_us()
        self._left = 0  # samples that waited in the FIFO when it was read last

    def _filter_for(self, rate_hz):
        for i, bandwidth_hz in enumerate(_BANDWIDTHS_HZ):
            if bandwidth_hz < rate_hz / 2:
                return 1 + i
        return len(_BANDWIDTHS_HZ)

    def _read_register(self, register):
        self._read_into(register, self._byte)
        return self._byte[0]

    def _write_register(self, register, value):
        self._byte[0] = value
        try:
            self.i2c.writeto_mem(self.address, register, self._byte)
        except OSError:
            raise OSError(self._no_answer())

    def _read_into(self, register, buf):
        try:
            self.i2c.readfrom_mem_into(self.address, register, buf)
        except OSError:
            raise OSError(self._no_answer())

    def _no_answer(self):
        return ("no chip answers at I2C address 0x%02x. Check the four wires (VCC, GND, SCL, SDA), the pin numbers, "
                "and AD0: low gives 0x68, high gives 0x69" % self.address)


def _int16(data, i):
    value = data[i] << 8 | data[i + 1]  # the chip sends the high byte first
    return value - 65536 if value & 0x8000 else value
