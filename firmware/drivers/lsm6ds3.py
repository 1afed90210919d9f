"""LSM6DS3 and its family (LSM6DS3TR-C, LSM6DSL, LSM6DSOX): acceleration and turn rate, over I2C.

Example::

    from machine import I2C, Pin
    from lsm6ds3 import LSM6DS3

    imu = LSM6DS3(I2C(0, scl=Pin(22), sda=Pin(21)))
    print(imu.accel())                  # (0.01, -0.02, 1.0) g: at rest, flat on the table
    print(imu.gyro())                   # degrees per second

The names are those of MicroPython's drivers ``lsm9ds1`` and ``bmi270``. For samples at a steady rate give it to
``boards.polled.Polled``. Registers that the whole family shares, except for the FIFO.

Many samples of the accelerometer without a gap, from the FIFO of an LSM6DSOX::

    from array import array

    imu = LSM6DS3(I2C(0, scl=Pin(22), sda=Pin(21), freq=400000), accel_scale=4, rate_hz=1660)
    samples = array("h", bytes(2 * 2048))
    lost = imu.record(samples, axis=2)  # 1.2 s of z, in counts of imu.accel_g_per_count
"""

from array import array

try:
    from micropython import const
    from time import sleep_ms
except ImportError:  # CPython
    import time

    def const(value):
        return value

    def sleep_ms(duration_ms):
        time.sleep(duration_ms / 1000)


_WHO_AM_I = const(0x0F)
_CTRL1_XL = const(0x10)  # rate of the accelerometer, bits 4 to 7; its range, bits 2 and 3
_CTRL2_G = const(0x11)  # rate of the gyroscope, bits 4 to 7; its range, bits 2 and 3
_CTRL3_C = const(0x12)
_OUTX_L_G = const(0x22)
_OUTX_L_A = const(0x28)
# The LSM6DSOX's FIFO; the LSM6DS3's is another.
_FIFO_CTRL1 = const(0x07)
_FIFO_CTRL3 = const(0x09)  # rates at which it is filled: accelerometer, bits 0 to 3; gyroscope, bits 4 to 7
_FIFO_CTRL4 = const(0x0A)
_FIFO_STATUS1 = const(0x3A)  # words in it: 10 bits of two registers; bit 3 of the second: words were lost
_FIFO_DATA_OUT_TAG = const(0x78)  # seven bytes a word, again and again in one burst

_CHIPS = {0x69: "LSM6DS3", 0x6A: "LSM6DS3TR-C or LSM6DSL", 0x6C: "LSM6DSOX"}
_SOX = const(0x6C)
_CONTINUOUS = const(0x06)
_TAG_ACCEL = const(2)
_BURST = const(32)  # words
_RESET = const(0x01)
_WHOLE_SAMPLES = const(0x44)  # no half-new values; the register counts on by itself
# Range -> its bits and what a count is, from the data sheet.
_ACCEL_G = {2: (0, 0.000061), 4: (2, 0.000122), 8: (3, 0.000244), 16: (1, 0.000488)}
_GYRO_DPS = {250: (0, 0.00875), 500: (1, 0.0175), 1000: (2, 0.035), 2000: (3, 0.07)}
_RATES_HZ = (12.5, 26, 52, 104, 208, 416, 833, 1660)  # values 1 to 8


class LSM6DS3:
    """``i2c``: a ``machine.I2C`` or ``SoftI2C``. ``address``: 0x6A, or 0x6B with the pin SA0 high.

    ``accel_scale``: range in g, 2, 4, 8 or 16. ``gyro_scale``: in degrees per second, 250, 500, 1000 or 2000.
    ``rate_hz``: at least so many samples per second, up to 1660.
    """

    def __init__(self, i2c, address=0x6A, accel_scale=4, gyro_scale=500, rate_hz=104):
        if accel_scale not in _ACCEL_G:
            raise ValueError("accel_scale is %r, expected 2, 4, 8 or 16" % (accel_scale,))
        if gyro_scale not in _GYRO_DPS:
            raise ValueError("gyro_scale is %r, expected 250, 500, 1000 or 2000" % (gyro_scale,))
        if not 0 < rate_hz <= _RATES_HZ[-1]:
            raise ValueError("rate_hz is %r, expected up to %d" % (rate_hz, _RATES_HZ[-1]))
        self.i2c = i2c
        self.address = address
        self._byte = bytearray(1)
        self._bytes = bytearray(6)
        self._read_into(_WHO_AM_I, self._byte)
        if self._byte[0] not in _CHIPS:
            raise OSError("the chip at I2C address 0x%02x says 0x%02x, expected %s: it is another chip, which needs another "
                          "driver" % (address, self._byte[0], ", ".join("0x%02x (%s)" % chip for chip in _CHIPS.items())))
        self.chip_id = self._byte[0]
        self._write(_CTRL3_C, _RESET)
        sleep_ms(10)
        rate = 1
        while _RATES_HZ[rate - 1] < rate_hz:
            rate += 1
        accel_bits, self._accel_g = _ACCEL_G[accel_scale]
        gyro_bits, self._gyro_dps = _GYRO_DPS[gyro_scale]
        self._write(_CTRL3_C, _WHOLE_SAMPLES)
        self._write(_CTRL1_XL, rate << 4 | accel_bits << 2)
        self._write(_CTRL2_G, rate << 4 | gyro_bits << 2)
        self._rate = rate
        self._ctrl1 = rate << 4 | accel_bits << 2
        self.rate_hz = _RATES_HZ[rate - 1]
        self.accel_g_per_count = self._accel_g
        self._counts = array("h", bytes(6))
        self._pair = bytearray(2)
        self._burst = bytearray(7 * _BURST)
        view = memoryview(self._burst)
        self._bursts = [view[:7 * count] for count in range(_BURST + 1)]  # made once: a slice takes memory
        sleep_ms(80)  # until the gyroscope's readings count, from the data sheet

    def accel(self):
        """Acceleration (x, y, z) in g. At rest this is gravity: 1 g upwards."""
        return self._three(_OUTX_L_A, self._accel_g)

    def gyro(self):
        """Turn rate (x, y, z) in degrees per second."""
        return self._three(_OUTX_L_G, self._gyro_dps)

    def record(self, buf, axis=2):
        """Fill ``buf``, ``array("h")``, with the next samples of one axis of the accelerometer (0, 1, 2), without a gap.

        Returns how many words the chip threw away meanwhile, at least: then there is a gap; measure again. The gyroscope
        rests. Allocates nothing.
        """
        if self.chip_id != _SOX:
            raise OSError("the FIFO of the %s is another one, which this driver does not read; an LSM6DSOX's it does"
                          % _CHIPS[self.chip_id])
        if not 0 <= axis <= 2:
            raise ValueError("axis is %r, expected 0, 1 or 2" % (axis,))
        self._write(_CTRL2_G, 0)
        self._write(_FIFO_CTRL4, 0)  # empties it
        self._write(_FIFO_CTRL1, 0)
        self._write(_FIFO_CTRL3, self._rate)
        self._write(_CTRL1_XL, self._ctrl1)
        sleep_ms(20)  # until the accelerometer's readings count
        self._write(_FIFO_CTRL4, _CONTINUOUS)
        filled = lost = 0
        size = len(buf)
        pair, burst = self._pair, self._burst
        low = 1 + 2 * axis
        while filled < size:
            self._read_into(_FIFO_STATUS1, pair)
            if pair[1] & 0x08:
                lost += 1
            count = pair[0] | (pair[1] & 3) << 8
            if count > _BURST:
                count = _BURST
            elif count < 8 and count < size - filled:
                sleep_ms(5)
                continue
            if count > size - filled:
                count = size - filled
            self._read_into(_FIFO_DATA_OUT_TAG, self._bursts[count])
            for i in range(0, 7 * count, 7):
                if burst[i] >> 3 == _TAG_ACCEL:
                    value = burst[i + low] | burst[i + low + 1] << 8
                    buf[filled] = value - 65536 if value & 0x8000 else value
                    filled += 1
        self._write(_FIFO_CTRL4, 0)
        return lost

    def sleep(self):
        """Measure nothing: the chip needs 3 uA. ``record`` wakes the accelerometer."""
        self._write(_CTRL1_XL, 0)
        self._write(_CTRL2_G, 0)

    def _three(self, register, scale):
        self._read_into(register, self._bytes)
        for i in range(3):
            value = self._bytes[2 * i] | self._bytes[2 * i + 1] << 8  # the chip sends the low byte first
            self._counts[i] = value - 65536 if value & 0x8000 else value
        return self._counts[0] * scale, self._counts[1] * scale, self._counts[2] * scale

    def _write(self, register, value):
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
        return ("no chip answers at I2C address 0x%02x. Check the four wires (VIN, GND, SCL, SDA), the pin numbers, and "
                "SA0: low gives 0x6a, high gives 0x6b" % self.address)
