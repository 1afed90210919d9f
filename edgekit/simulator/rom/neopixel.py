"""Addressable LEDs (WS2812 and the like): set the colours as in a list, then ``write()``."""

from machine import Pin, bitstream

# (high, low) of a 0 and of a 1 in nanoseconds: at 400 and at 800 kHz.
_TIMING_NS = ((800, 1700, 1600, 900), (400, 850, 800, 450))


class NeoPixel:
    # Where each part of a colour (red, green, blue, white) goes: the LEDs take green first.
    ORDER = (1, 0, 2, 3)

    def __init__(self, pin, n, bpp=3, timing=1):
        self.pin = pin
        self.n = n
        self.bpp = bpp
        self.buf = bytearray(n * bpp)
        self.timing = _TIMING_NS[1 if timing else 0] if isinstance(timing, int) else timing
        pin.init(Pin.OUT)

    def __len__(self):
        return self.n

    def __setitem__(self, i, colour):
        for part in range(self.bpp):
            self.buf[i * self.bpp + self.ORDER[part]] = colour[part]

    def __getitem__(self, i):
        return tuple(self.buf[i * self.bpp + self.ORDER[part]] for part in range(self.bpp))

    def fill(self, colour):
        for i in range(self.n):
            self[i] = colour

    def write(self):
        bitstream(self.pin, 0, self.timing, self.buf)
