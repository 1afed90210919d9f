"""APDS9960: brightness, colour, nearness and the direction of a swiping hand, over I2C.

Example::

    from machine import I2C, Pin
    from apds9960 import APDS9960

    eye = APDS9960(I2C(0, scl=Pin(22), sda=Pin(21)))
    print(eye.light())                  # (clear, red, green, blue), counts: 0 to 37888
    print(eye.nearness())               # 0: nothing within 20 cm; 255: a hand at 5 cm or less
    eye.watch_swipes()
    while True:
        swipe = eye.swipe()             # "up", "down", "left", "right" or None
        if swipe:
            print(swipe)

The four names are those of the chip's four diodes: turn the board until they fit.
"""

try:
    from micropython import const
    from time import sleep_ms
except ImportError:  # CPython
    import time

    def const(value):
        return value

    def sleep_ms(duration_ms):
        time.sleep(duration_ms / 1000)


_ENABLE = const(0x80)
_ATIME = const(0x81)  # integration time: (256 - value) * 2.78 ms
_PPULSE = const(0x8E)
_CONTROL = const(0x8F)  # LED current, gains
_ID = const(0x92)
_CDATAL = const(0x94)  # clear, red, green, blue, two bytes each
_PDATA = const(0x9C)
_GPENTH = const(0xA0)  # swipes begin when something is so near,
_GEXTH = const(0xA1)  # and end when all four diodes see less than this
_GCONF2 = const(0xA3)
_GPULSE = const(0xA6)
_GCONF4 = const(0xAB)
_GFLVL = const(0xAE)  # data sets in the FIFO
_GFIFO_U = const(0xFC)

_CHIP_IDS = (0xAB, 0xA8)
_POWER, _LIGHT, _NEAR, _GESTURE = const(0x01), const(0x02), const(0x04), const(0x40)
_CYCLES = const(37)  # 103 ms: whole periods of 50 Hz and nearly of 60 Hz lamps
_8_PULSES_8_US = const(0x47)
_GAIN_4_LIGHT, _GAIN_4_NEAR = const(0x01), const(0x08)
_GESTURE_GAIN_4 = const(0x40)
_ENTER, _EXIT = const(40), const(20)
_CLEAR_FIFO = const(0x04)
_SETS = const(32)


class APDS9960:
    """``i2c``: a ``machine.I2C`` or ``SoftI2C``."""

    def __init__(self, i2c, address=0x39):
        self.i2c = i2c
        self.address = address
        self._byte = bytearray(1)
        self._bytes = bytearray(8)
        self._sets = bytearray(4 * _SETS)
        self._early = [0, 0]  # difference of opposite diodes when the hand came: up - down, left - right
        self._late = [0, 0]  # and when it went
        self._seen = 0  # data sets of this swipe
        chip_id = self._read(_ID)
        if chip_id not in _CHIP_IDS:
            raise OSError("the chip at I2C address 0x%02x says 0x%02x, an APDS9960 says 0xab or 0xa8: it is another chip, "
                          "which needs another driver" % (address, chip_id))
        self._write(_ENABLE, 0)
        self._write(_ATIME, 256 - _CYCLES)
        self._write(_PPULSE, _8_PULSES_8_US)
        self._write(_CONTROL, _GAIN_4_LIGHT | _GAIN_4_NEAR)
        self._write(_ENABLE, _POWER | _LIGHT | _NEAR)
        sleep_ms(120)  # until the first light is there

    def light(self):
        """(clear, red, green, blue) as counts; a new value about ten times a second."""
        data = self._bytes
        self._read_into(_CDATAL, data)
        return tuple(data[2 * i] | data[2 * i + 1] << 8 for i in range(4))

    def nearness(self):
        """0 to 255; it grows with the square of how near something is, and with how bright it is in infrared."""
        return self._read(_PDATA)

    def watch_swipes(self):
        """Look for swiping hands from now on; ``light`` stands still while a hand is near."""
        self._write(_GPENTH, _ENTER)
        self._write(_GEXTH, _EXIT)
        self._write(_GCONF2, _GESTURE_GAIN_4)
        self._write(_GPULSE, _8_PULSES_8_US)
        self._write(_GCONF4, _CLEAR_FIFO)
        self._write(_ENABLE, _POWER | _LIGHT | _NEAR | _GESTURE)
        self._seen = 0

    def swipe(self):
        """The direction of the swipe that has just ended, or None. Ask at least every 40 ms: the chip keeps 32 sets."""
        count = self._read(_GFLVL)
        if count:
            sets = memoryview(self._sets)[:4 * count]
            self._read_into(_GFIFO_U, sets)
            for i in range(0, 4 * count, 4):
                self._add(sets[i], sets[i + 1], sets[i + 2], sets[i + 3])
            return None
        if not self._seen or self._read(_GCONF4) & 1:  # nobody, or still there
            return None
        direction = self._direction()
        self._seen = 0
        return direction

    def _add(self, up, down, left, right):
        if min(up, down, left, right) < _EXIT // 2:
            return
        for axis, (first, second) in enumerate(((up, down), (left, right))):
            ratio = (first - second) * 100 // (first + second)
            if not self._seen:
                self._early[axis] = ratio
            self._late[axis] = ratio
        self._seen += 1

    def _direction(self):
        # The diode that sees the hand first sees it less at the end.
        vertical = self._early[0] - self._late[0]
        horizontal = self._early[1] - self._late[1]
        if max(abs(vertical), abs(horizontal)) < 30:
            return None
        if abs(vertical) > abs(horizontal):
            return "up" if vertical > 0 else "down"
        return "left" if horizontal > 0 else "right"

    def _read(self, register):
        self._read_into(register, self._byte)
        return self._byte[0]

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
        return ("no chip answers at I2C address 0x%02x. Check the four wires (VCC, GND, SCL, SDA) and the pin numbers"
                % self.address)
