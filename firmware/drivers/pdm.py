"""The nRF52840's microphone input (PDM), from plain MicroPython: its registers and its DMA. Not yet run on hardware.

No port of MicroPython has a driver for it. This one needs only ``machine.mem32``: the peripheral turns the
microphone's stream of bits into int16 samples and writes them into memory by itself (EasyDMA).

Example, on a Nano 33 BLE Sense::

    from array import array
    from machine import Pin
    from pdm import PDM

    Pin(17, Pin.OUT, value=1)                   # the microphone's supply
    microphone = PDM(clock=26, data=25)
    samples = array("h", bytes(2 * 320))
    microphone.start()
    while True:
        lost = microphone.read_block(samples)   # waits for 320 samples: 20 ms at 16 kHz

Three buffers take turns: the DMA fills one, the next one waits for it, and the program has the third. So the program
may compute for as long as ``buffer`` samples last. Who comes later loses whole buffers; ``read_block`` says how many
samples that were.

Source: Nordic, nRF52840 Product Specification, chapter PDM.
"""

from array import array

try:
    from machine import mem32
    from micropython import const
    from time import sleep_ms, ticks_diff, ticks_ms, ticks_us
    from uctypes import addressof
except ImportError:  # CPython: a test puts a model of the peripheral here
    import time

    mem32 = addressof = None

    def const(value):
        return value

    def sleep_ms(duration_ms):
        time.sleep(duration_ms / 1000)

    def ticks_us():
        return time.monotonic_ns() // 1000

    def ticks_ms():
        return time.monotonic_ns() // 1000000

    def ticks_diff(end, start):
        return end - start


_CLOCK_HFCLKSTART = const(0x40000000)
_CLOCK_HFCLKSTARTED = const(0x40000100)
_TASKS_START = const(0x4001D000)
_TASKS_STOP = const(0x4001D004)
_EVENTS_STARTED = const(0x4001D100)
_EVENTS_STOPPED = const(0x4001D104)
_EVENTS_END = const(0x4001D108)  # a buffer is full
_ENABLE = const(0x4001D500)
_PDMCLKCTRL = const(0x4001D504)
_MODE = const(0x4001D508)
_GAINL = const(0x4001D518)
_GAINR = const(0x4001D51C)
_RATIO = const(0x4001D520)
_PSEL_CLK = const(0x4001D540)
_PSEL_DIN = const(0x4001D544)
_SAMPLE_PTR = const(0x4001D560)
_SAMPLE_MAXCNT = const(0x4001D564)

_CLOCK_1280_KHZ = const(0x0A000000)
_RATIO_80 = const(1)  # 1280 kHz / 80 = 16 kHz
_MONO_LEFT_FALLING = const(1)
_GAIN_0_DB = const(0x28)  # in steps of half a dB
_UNPLUGGED = const(0xFFFFFFFF)
RATE_HZ = const(16000)


class PDM:
    """``clock``, ``data``: numbers of the chip's pins (26 is P0.26, 32 is P1.00). ``gain_db``: -20 to 20.

    ``buffer``: samples in each of the three buffers, at most 32767; 1600 are 100 ms and take 9600 bytes together.
    """

    rate_hz = RATE_HZ

    def __init__(self, clock, data, gain_db=0, buffer=1600):
        if not -20 <= gain_db <= 20:
            raise ValueError("gain_db is %r, expected -20 to 20" % (gain_db,))
        if not 1 <= buffer <= 32767:
            raise ValueError("buffer is %r samples, expected 1 to 32767" % (buffer,))
        self._buffers = [array("h", bytes(2 * buffer)) for _ in range(3)]
        self._addresses = [addressof(values) for values in self._buffers]
        self.lost = 0  # samples, by ``read_into``
        self._size = buffer
        self._buffer_us = buffer * 1000000 // RATE_HZ
        self._running = False
        mem32[_PSEL_CLK] = clock
        mem32[_PSEL_DIN] = data
        mem32[_PDMCLKCTRL] = _CLOCK_1280_KHZ
        mem32[_RATIO] = _RATIO_80
        mem32[_MODE] = _MONO_LEFT_FALLING
        mem32[_GAINL] = mem32[_GAINR] = _GAIN_0_DB + 2 * gain_db

    def start(self):
        """Take samples from now on. The first ones, while the microphone wakes up, are a crackle."""
        mem32[_CLOCK_HFCLKSTART] = 1  # the crystal: the other oscillator is off by percents
        self._wait_for(_CLOCK_HFCLKSTARTED, "the crystal oscillator")
        mem32[_ENABLE] = 1
        mem32[_EVENTS_STARTED] = mem32[_EVENTS_END] = mem32[_EVENTS_STOPPED] = 0
        mem32[_SAMPLE_MAXCNT] = self._size
        mem32[_SAMPLE_PTR] = self._addresses[1]
        mem32[_TASKS_START] = 1
        self._reading, self._filling = 0, 1
        self._plan(2)
        self._end_us = ticks_us()  # when the last buffer was full
        self._taken = self._size   # of the buffer that the program has: there is none yet
        self._gap = 0              # samples that were lost after that buffer
        self._running = True

    def read_block(self, samples):
        """Fill ``samples`` (``array("h")``) with the next ones; wait for them.

        Returns how many samples were lost before the last of them, because the program came too late.
        """
        if not self._running:
            raise OSError("the microphone is not running: call start() first")
        lost = 0
        buffer = self._buffers[self._reading]
        for i in range(len(samples)):
            if self._taken == self._size:
                lost += self._gap
                self._next_buffer()
                buffer = self._buffers[self._reading]
            samples[i] = buffer[self._taken]
            self._taken += 1
        return lost

    def read_into(self, samples):
        """As ``read_block``, for programs that take any microphone: it starts by itself, and ``lost`` counts."""
        if not self._running:
            self.start()
        self.lost += self.read_block(samples)
        return True

    def behind_ms(self):
        """How much sound was lost because the program came too late."""
        return self.lost * 1000 // RATE_HZ

    def time_ms(self):
        """The board's clock."""
        return ticks_ms()

    def stop(self):
        """Take no more samples; the pins are free."""
        mem32[_TASKS_STOP] = 1
        self._wait_for(_EVENTS_STOPPED, "the end of the last buffer")
        mem32[_ENABLE] = 0
        self._running = False

    def deinit(self):
        """Stop and let the pins go."""
        if self._running:
            self.stop()
        mem32[_PSEL_CLK] = mem32[_PSEL_DIN] = _UNPLUGGED

    close = deinit

    def _next_buffer(self):
        """Take the buffer that the DMA has filled, waiting for it, and give it the one that was read."""
        filled = 1
        if mem32[_EVENTS_END]:
            # How many buffers were filled meanwhile: the event says only "at least one", the clock says more.
            filled = max(1, ticks_diff(ticks_us(), self._end_us) // self._buffer_us)
            self._end_us += filled * self._buffer_us
        else:
            while not mem32[_EVENTS_END]:
                if ticks_diff(ticks_us(), self._end_us) > 2 * self._buffer_us + 1000000:
                    raise OSError("the microphone gives no samples: the DMA stands still")
                sleep_ms(1)
            self._end_us = ticks_us()
        mem32[_EVENTS_END] = 0
        # Without a new address the DMA filled the waiting buffer again and again: those are gone, the first is whole.
        self._gap = (filled - 1) * self._size
        free, self._reading, self._filling = self._reading, self._filling, 3 - self._reading - self._filling
        self._taken = 0
        self._plan(free)

    def _plan(self, buffer):
        """Where the DMA goes on when the buffer is full that it fills now: it has taken that one's address."""
        self._wait_for(_EVENTS_STARTED, "the start of a buffer")
        mem32[_EVENTS_STARTED] = 0
        mem32[_SAMPLE_PTR] = self._addresses[buffer]

    def _wait_for(self, event, what):
        began_us = ticks_us()
        while not mem32[event]:
            if ticks_diff(ticks_us(), began_us) > 100000:
                raise OSError("the PDM peripheral did not answer: %s was expected within 0.1 s" % what)
