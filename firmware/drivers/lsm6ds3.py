"""LSM6DS3 and its family (LSM6DS3TR-C, LSM6DSL, LSM6DSOX): acceleration and turn rate, over I2C.

Example::

    from machine import I2C, Pin
    from lsm6ds3 import LSM6DS3

    imu = LSM6DS3(I2C(0, scl=Pin(22), sda=Pin(21)))
    print(imu.accel())                  # (0.01, -0.02, 1.0) g: at rest, flat on the table
    print(imu.gyro())                   # degrees per second

The names are those of MicroPython's drivers ``lsm9ds1`` and ``bmi270``. For samples at a steady rate give it to
``boards.polled.Polled``. Registers that the whole family shares; the FIFOs differ and are not used.
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

_CHIPS = {0x69: "LSM6DS3", 0x6A: "LSM6DS3TR-C or LSM6DSL", 0x6C: "LSM6DSOX"}
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
        self._counts = array("h", bytes(6))
        sleep_ms(80)  # until the gyroscope's readings count, from the data sheet

    def accel(self):
        """Acceleration (x, y, z) in g. At rest this is gravity: 1 g upwards."""
        return self._three(_OUTX_L_A, self._accel_g)

    def gyro(self):
        """Turn rate (x, y, z) in degrees per second."""
        return self._three(_OUTX_L_G, self._gyro_dps)

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
