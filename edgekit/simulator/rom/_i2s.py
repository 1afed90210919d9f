"""machine.I2S: a microphone's samples. Sound out of the board is not simulated."""

import _bus
import _chip
from _args import to_buffer, to_int
from _host import now_us as _now_us
from _pin import number_of

_EPERM, _EINVAL = 1, 22
_BLOCK = 4096  # frames of one request
_DMA_FRAME_BYTES = 8  # what one frame takes of ibuf, whatever the program asked for


class I2S:
    RX = 1
    TX = 2
    MONO = 0
    STEREO = 1

    def __init__(self, id, **kwargs):
        if not 0 <= to_int(id) < _chip.i2s:
            raise ValueError("invalid id")
        self._id = id
        self.init(**kwargs)

    def init(self, *, sck, ws, sd, mode, bits, format, rate, ibuf):
        pins = number_of(sck), number_of(ws), number_of(sd)
        if to_int(mode) not in (I2S.RX, I2S.TX):
            raise ValueError("invalid mode")
        if to_int(bits) not in (16, 32):
            raise ValueError("invalid bits")
        if to_int(format) not in (I2S.MONO, I2S.STEREO):
            raise ValueError("invalid format")
        if mode == I2S.TX:
            raise NotImplementedError("the simulated board plays no sound: I2S works with mode=I2S.RX, a microphone")
        if to_int(rate) <= 0:
            raise ValueError("invalid rate")
        self._pins, self._mode, self._bits, self._format, self._rate, self._ibuf = (
            pins, mode, bits, format, rate, to_int(ibuf))
        self._frame_bytes = bits // 8 * (1 + format)
        self._buffered = max(self._ibuf // _DMA_FRAME_BYTES, 1)
        self._handler = None
        self._timer = None
        self._next = 0  # the frame that the program gets next
        self._start_us = _now_us()
        _bus.send(bytes((_bus.I2S_START, self._id)) + bytes(pins) + rate.to_bytes(4, "little") +
                  bytes((bits, 1 + format)))

    def deinit(self):
        if self._timer is not None:
            _bus.stop_timer(self._timer)
            self._timer = None

    def irq(self, handler):
        """From now on ``readinto`` returns at once, and ``handler`` is called when the buffer is full."""
        if handler is not None and not callable(handler):
            raise ValueError("invalid callback")
        self._handler = handler

    def readinto(self, buf):
        buf = to_buffer(buf)
        size = len(buf)
        if size % self._frame_bytes:
            raise OSError(_EINVAL)
        if size:
            frames = size // self._frame_bytes
            self._skip_lost()
            wait_us = self._start_us + (self._next + frames) * 1e6 / self._rate - _now_us()
            if self._handler is not None:
                self.deinit()
                self._timer = _bus.start_timer(lambda: self._filled(buf, frames), max(wait_us, 0.0) + 1, False)
                return size
            if wait_us > 0:
                _bus.sleep_us(int(wait_us) + 1)
            self._fill(buf, frames)
        return size

    def write(self, buf):
        raise OSError(_EPERM)

    def _skip_lost(self):
        """What the program took too late was overwritten in ibuf."""
        taken = int((_now_us() - self._start_us) * self._rate / 1e6)
        self._next = max(self._next, taken - self._buffered)

    def _fill(self, buf, frames):
        view = memoryview(buf)
        for first in range(0, frames, _BLOCK):
            count = min(_BLOCK, frames - first)
            _bus.send(bytes((_bus.I2S_READ, self._id)) + self._next.to_bytes(8, "little") + count.to_bytes(2, "little"))
            _bus.receive(view[first * self._frame_bytes:(first + count) * self._frame_bytes])
            self._next += count
        _bus.handle()

    def _filled(self, buf, frames):
        self._timer = None
        self._fill(buf, frames)
        if self._handler is not None:
            self._handler(self)

    @staticmethod
    def shift(*, buf, bits, shift):
        """Make the samples in ``buf`` louder (6 dB for each 1) or softer."""
        if bits not in (16, 32):
            raise ValueError("invalid bits")
        step = bits // 8
        for at in range(0, len(buf) - step + 1, step):
            value = int.from_bytes(buf[at:at + step], "little")
            if value >> (bits - 1):
                value -= 1 << bits
            value = value << shift if shift >= 0 else value >> -shift
            buf[at:at + step] = (value & ((1 << bits) - 1)).to_bytes(step, "little")

    def __repr__(self):
        return "I2S(id=%d,\nsck=%d,\nws=%d,\nsd=%d,\nmode=%d,\nbits=%d, format=%d,\nrate=%d, ibuf=%d)" % (
            (self._id,) + self._pins + (self._mode, self._bits, self._format, self._rate, self._ibuf))
