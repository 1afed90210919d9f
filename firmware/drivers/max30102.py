"""MAX30102: how much red and infrared light a finger sends back, over I2C. The pulse moves it by about one percent.

Example::

    from array import array
    from machine import I2C, Pin
    from max30102 import MAX30102

    ppg = MAX30102(I2C(0, scl=Pin(22), sda=Pin(21)), rate_hz=100)
    block = array("i", bytes(4 * 2 * 10))
    ppg.start()
    while True:
        lost = ppg.read_block(block)    # waits for 10 samples: red infrared red infrared ...
        print(block[0], block[1])       # 0 to 262143; without a finger below about 10000

The chip keeps up to 32 samples, so nothing is lost while the program computes for less than 32 / rate_hz seconds.
"""

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


_FIFO_WR_PTR = const(0x04)  # then the overflow counter, then the read pointer
_FIFO_DATA = const(0x07)
_FIFO_CONFIG = const(0x08)
_MODE_CONFIG = const(0x09)
_SPO2_CONFIG = const(0x0A)  # range, bits 5 and 6; rate, bits 2 to 4; pulse width, bits 0 and 1
_LED1_PA = const(0x0C)  # red; the next one is infrared
_TINT = const(0x1F)
_TEMP_CONFIG = const(0x21)
_PART_ID = const(0xFF)

_CHIP_ID = const(0x15)
_RESET = const(0x40)  # of MODE_CONFIG
_SHUTDOWN = const(0x80)
_TWO_LEDS = const(0x03)
_LARGEST_RANGE = const(0x60)  # 16384 nA
_LONGEST_PULSE = const(0x03)  # 411 us: 18 bits
_FIFO_SAMPLES = const(32)
_LED_STEP_MA = 0.2
_TEMPERATURE_MS = const(30)

_RATES_HZ = (50, 100, 200, 400)  # with two LEDs and the longest pulse


class MAX30102:
    """``i2c``: a ``machine.I2C`` or ``SoftI2C``. ``rate_hz``: 50, 100, 200 or 400 samples per second.

    ``led_ma``: current of each LED while it shines, 0 to 51. More light reaches deeper and costs more: at 100 Hz,
    10 mA are about 0.8 mA on the mean for both LEDs.
    """

    channels = ("red", "infrared")
    units = ("counts", "counts")

    def __init__(self, i2c, rate_hz=100, led_ma=10, address=0x57):
        if rate_hz not in _RATES_HZ:
            raise ValueError("rate_hz is %r, expected 50, 100, 200 or 400" % (rate_hz,))
        if not 0 <= led_ma <= 51:
            raise ValueError("led_ma is %r, expected 0 to 51" % (led_ma,))
        self.i2c = i2c
        self.address = address
        self.rate_hz = rate_hz
        self._byte = bytearray(1)
        self._pointers = bytearray(3)
        self._wire = bytearray(0)

        chip_id = self._read_register(_PART_ID)
        if chip_id != _CHIP_ID:
            raise OSError("the chip at I2C address 0x%02x says 0x%02x, a MAX30102 says 0x%02x: "
                          "it is another chip, which needs another driver" % (address, chip_id, _CHIP_ID))
        self._write_register(_MODE_CONFIG, _RESET)
        sleep_ms(10)
        self._write_register(_SPO2_CONFIG, _LARGEST_RANGE | _RATES_HZ.index(rate_hz) << 2 | _LONGEST_PULSE)
        for led in range(2):
            self._write_register(_LED1_PA + led, round(led_ma / _LED_STEP_MA))
        self._write_register(_FIFO_CONFIG, 0x10)  # no averaging; a full FIFO drops its oldest samples
        self._write_register(_MODE_CONFIG, _SHUTDOWN | _TWO_LEDS)

    def start(self):
        """Measure from now on, for ``read_block``."""
        for i in range(3):
            self._write_register(_FIFO_WR_PTR + i, 0)
        self._write_register(_MODE_CONFIG, _TWO_LEDS)
        self._read_us = ticks_us()

    def read_block(self, buf):
        """Fill ``buf``, an ``array("i")`` of two times n, with the next n samples; wait until there are as many.

        Returns how many samples were lost before them, because the program came back too late.
        """
        if len(self._wire) != 3 * len(buf):
            self._wire = bytearray(3 * len(buf))
        wanted = len(buf) // 2
        if wanted > _FIFO_SAMPLES:
            raise ValueError("%d samples in one block, the chip keeps at most %d" % (wanted, _FIFO_SAMPLES))
        lost = 0
        while True:
            # The chip's own counter of lost samples ends at 31; the clock does not.
            late = ticks_diff(ticks_us(), self._read_us) * self.rate_hz // 1000000 - _FIFO_SAMPLES
            waiting = self._waiting()
            if self._pointers[1]:
                lost = max(late, self._pointers[1])
                break
            if waiting >= wanted:
                break
            sleep_ms(max(1, (wanted - waiting) * 1000 // self.rate_hz))
        self._read_into(_FIFO_DATA, self._wire)
        # Where the rest of the FIFO begins: what lies there has come already.
        self._read_us = ticks_us() - (self._waiting() * 1000000) // self.rate_hz
        wire = self._wire
        for i in range(len(buf)):
            buf[i] = (wire[3 * i] << 16 | wire[3 * i + 1] << 8 | wire[3 * i + 2]) & 0x3FFFF
        return lost

    def temperature_c(self):
        """Temperature of the chip itself in degrees Celsius."""
        self._write_register(_TEMP_CONFIG, 1)
        sleep_ms(_TEMPERATURE_MS)
        whole = self._read_register(_TINT)
        return (whole - 256 if whole & 0x80 else whole) + self._read_register(_TINT + 1) / 16

    def sleep(self):
        """LEDs off, until ``start``: the chip then needs less than 10 uA."""
        self._write_register(_MODE_CONFIG, _SHUTDOWN | _TWO_LEDS)

    def _waiting(self):
        pointers = self._pointers
        self._read_into(_FIFO_WR_PTR, pointers)
        # As many written as read: none is there, or, if some were lost, all places are taken.
        return (pointers[0] - pointers[2]) % _FIFO_SAMPLES or (_FIFO_SAMPLES if pointers[1] else 0)

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
        return ("no chip answers at I2C address 0x%02x. Check the four wires (VIN, GND, SCL, SDA) and the pin numbers"
                % self.address)
