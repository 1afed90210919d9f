"""machine.SPI and machine.SoftSPI."""

import _bus
import _chip
from _args import to_buffer, to_int
from _host import spend as _spend
from _pin import number_of

_NO_PIN = 255
_SOFT_BUS = 255
_BLOCK = 4092  # bytes that the chip transfers at once
_CLOCK_HZ = 80_000_000
_SOFT_LIMIT_HZ = 800_000


class _SPIBase:
    MSB = 0
    LSB = 1

    def _set_up(self, bus):
        self._head = _bus.head(
            _bus.SPI_TRANSFER, bus, _wire(self._sck), _wire(self._mosi), _wire(self._miso),
            self._baudrate.to_bytes(4, "little"), self._phase & 1 | (self._polarity & 1) << 1 | (self._firstbit & 1) << 2)

    def _transfer(self, out, into=None):
        """Send ``out``; what comes back goes into ``into``, if given, which may be the same."""
        size = len(out)
        if size > _BLOCK:
            out = memoryview(out)
            into = None if into is None else memoryview(into)
            for start in range(0, size, _BLOCK):
                end = min(start + _BLOCK, size)
                self._transfer_block(out[start:end], None if into is None else into[start:end])
        elif size:
            self._transfer_block(out, into)

    def _transfer_block(self, out, into):
        size = _bus.send_data(self._head, out)
        if into is not None:
            _bus.receive(into)
        _spend(size * 8_000_000 // self._baudrate)
        _bus.handle()

    def read(self, nbytes, write=0):
        buf = bytearray(to_int(nbytes))
        self.readinto(buf, write)
        return bytes(buf)

    def readinto(self, buf, write=0):
        view = to_buffer(buf)
        write = to_int(write) & 0xFF
        for i in range(len(view)):
            view[i] = write
        self._transfer(view, view)

    def write(self, buf):
        self._transfer(to_buffer(buf))

    def write_readinto(self, write_buf, read_buf):
        write_buf, read_buf = to_buffer(write_buf), to_buffer(read_buf)
        if len(write_buf) != len(read_buf):
            raise ValueError("buffers must be the same length")
        self._transfer(write_buf, read_buf)


def _wire(pin):
    return _NO_PIN if pin < 0 else pin


def _pin_or_none(pin):
    return -1 if pin is None else number_of(pin)


def _nearest_hz(wanted_hz):
    """What the chip's divider can do: 80 MHz, or that divided by n from 2 to 64 and by another whole number."""
    if wanted_hz > _CLOCK_HZ // 4 * 3:
        return _CLOCK_HZ
    best = None
    for n in range(2, 65):
        pre = min(max((_CLOCK_HZ // n + wanted_hz // 2) // wanted_hz, 1), 8192)
        hz = _CLOCK_HZ // (pre * n)
        if best is None or abs(hz - wanted_hz) <= abs(best - wanted_hz):
            best = hz
    return best


_KEEP = object()


class SPI(_SPIBase):
    _buses = {}  # there is one object for each bus

    def __new__(cls, id, *args, **kwargs):
        if not 1 <= to_int(id) <= len(_chip.spi_pins):
            raise ValueError("SPI(%d) doesn't exist" % id)
        bus = cls._buses.get(id)
        if bus is None:
            bus = cls._buses[id] = object.__new__(cls)
            bus._id = id
        return bus

    def __init__(self, id, baudrate=-1, *, polarity=-1, phase=-1, bits=-1, firstbit=-1, sck=_KEEP, mosi=_KEEP,
                 miso=_KEEP):
        self._baudrate, self._polarity, self._phase, self._bits, self._firstbit = 500_000, 0, 0, 8, SPI.MSB
        self._sck, self._mosi, self._miso = _chip.spi_pins[id - 1]
        self.init(baudrate, polarity=polarity, phase=phase, bits=bits, firstbit=firstbit, sck=sck, mosi=mosi, miso=miso)

    def init(self, baudrate=-1, *, polarity=-1, phase=-1, bits=-1, firstbit=-1, sck=_KEEP, mosi=_KEEP, miso=_KEEP):
        if to_int(bits) != -1 and bits <= 0:
            raise ValueError("invalid bits")
        if bits not in (-1, 8):
            raise ValueError("the simulated board's SPI transfers 8 bits at a time, not %d" % bits)
        if to_int(baudrate) != -1:
            self._baudrate = _nearest_hz(max(baudrate, 1))
        if to_int(polarity) != -1:
            self._polarity = polarity
        if to_int(phase) != -1:
            self._phase = phase
        if to_int(firstbit) != -1:
            self._firstbit = firstbit
        if sck is not _KEEP:
            self._sck = _pin_or_none(sck)
        if mosi is not _KEEP:
            self._mosi = _pin_or_none(mosi)
        if miso is not _KEEP:
            self._miso = _pin_or_none(miso)
        self._ended = False
        self._set_up(self._id)

    def deinit(self):
        self._ended = True

    def _transfer(self, out, into=None):
        if self._ended:
            raise OSError("transfer on deinitialized SPI")
        if not len(out):
            raise ValueError("buffer too short")
        _SPIBase._transfer(self, out, into)

    def __repr__(self):
        return "SPI(id=%d, baudrate=%d, polarity=%d, phase=%d, bits=%d, firstbit=%d, sck=%d, mosi=%d, miso=%d)" % (
            self._id, self._baudrate, self._polarity, self._phase, self._bits, self._firstbit, self._sck, self._mosi,
            self._miso)


class SoftSPI(_SPIBase):
    def __init__(self, baudrate=500_000, *, polarity=0, phase=0, bits=8, firstbit=0, sck=None, mosi=None, miso=None):
        if to_int(bits) != 8:
            raise ValueError("bits must be 8")
        if sck is None or mosi is None or miso is None:
            raise ValueError("must specify all of sck/mosi/miso")
        self.init(baudrate, polarity, phase, firstbit=firstbit, sck=sck, mosi=mosi, miso=miso)

    def init(self, baudrate=-1, polarity=-1, phase=-1, *, firstbit=-1, sck=None, mosi=None, miso=None):
        if to_int(baudrate) != -1:
            # It counts half a bit in whole microseconds, and never goes faster than asked.
            self._baudrate = _SOFT_LIMIT_HZ if baudrate >= _SOFT_LIMIT_HZ else 500_000 // -(-500_000 // baudrate)
        if to_int(polarity) != -1:
            self._polarity = polarity
        if to_int(phase) != -1:
            self._phase = phase
        if to_int(firstbit) != -1:
            self._firstbit = firstbit
        if sck is not None:
            self._sck = number_of(sck)
        if mosi is not None:
            self._mosi = number_of(mosi)
        if miso is not None:
            self._miso = number_of(miso)
        self._set_up(_SOFT_BUS)

    def deinit(self):
        pass

    def __repr__(self):
        return "SoftSPI(baudrate=%d, polarity=%d, phase=%d, firstbit=%d, sck=%d, mosi=%d, miso=%d)" % (
            self._baudrate, self._polarity, self._phase, self._firstbit, self._sck, self._mosi, self._miso)
