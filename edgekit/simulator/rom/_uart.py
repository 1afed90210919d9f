"""machine.UART: a second serial line, to whatever the world has connected there."""

import io

import _bus
import _chip
from _args import to_buffer, to_int
from _host import spend as _spend
from _pin import number_of

_POLL_READ, _POLL_WRITE, _REQUEST_POLL, _REQUEST_FLUSH = 1, 4, 3, 1
_EINVAL = 22
_STEP_US = 1000
_PINS = ((1, 3), (10, 9), (17, 16))  # (tx, rx)
_KEEP = object()
_INVERSIONS = ((1 << 5, "INV_TX"), (1 << 2, "INV_RX"), (1 << 6, "INV_RTS"), (1 << 3, "INV_CTS"))


class UART(io.IOBase):
    INV_RX = 1 << 2
    INV_CTS = 1 << 3
    INV_TX = 1 << 5
    INV_RTS = 1 << 6
    RTS = 1
    CTS = 2
    IRQ_RX = 1 << 0
    IRQ_BREAK = 1 << 1
    IRQ_RXIDLE = 0x1000

    def __init__(self, id, *args, **kwargs):
        if not 0 <= to_int(id) < _chip.uarts:
            raise ValueError("UART(%d) does not exist" % id)
        if id == 0 and _chip.esp32:
            raise ValueError("UART(0) is the board's REPL; the simulated board has UART(1)%s for programs" %
                             (" and UART(2)" if _chip.uarts > 2 else ""))
        self._id = id
        self._baudrate, self._bits, self._parity, self._stop = 115200, 8, None, 1
        self._tx, self._rx = _PINS[id]
        self._rts = self._cts = -1
        self._txbuf = self._rxbuf = 256
        self._timeout = self._timeout_char = 0
        self._invert = self._flow = 0
        self._trigger = 0
        self._timer = None
        self.init(*args, **kwargs)

    def init(self, baudrate=0, bits=0, parity=_KEEP, stop=0, *, tx=_KEEP, rx=_KEEP, rts=_KEEP, cts=_KEEP, txbuf=-1,
             rxbuf=-1, timeout=-1, timeout_char=-1, invert=-1, flow=-1):
        if to_int(txbuf) >= 0:
            self._txbuf = txbuf
        if to_int(rxbuf) >= 0:
            self._rxbuf = rxbuf
        if to_int(baudrate) > 0:
            self._baudrate = baudrate
        self._tx = self._tx if tx is _KEEP else _wire(tx)
        self._rx = self._rx if rx is _KEEP else _wire(rx)
        self._rts = self._rts if rts is _KEEP else _wire(rts)
        self._cts = self._cts if cts is _KEEP else _wire(cts)
        if to_int(bits):
            if bits not in (5, 6, 7, 8):
                raise ValueError("invalid data bits")
            self._bits = bits
        if parity is not _KEEP:
            self._parity = None if parity is None else to_int(parity) & 1
        if to_int(stop):
            if stop not in (1, 2):
                raise ValueError("invalid stop bits")
            self._stop = stop
        if to_int(timeout) != -1:
            self._timeout = timeout
        if to_int(timeout_char) != -1:
            self._timeout_char = timeout_char
        if to_int(invert) != -1:
            if invert & ~sum(bit for bit, _ in _INVERSIONS):
                raise ValueError("invalid inversion mask")
            self._invert = invert
        if to_int(flow) != -1:
            if flow & ~3:
                raise ValueError("invalid flow control mask")
            self._flow = flow
        bits_on_wire = 1 + self._bits + self._stop + (0 if self._parity is None else 1)
        self._byte_ns = bits_on_wire * 1_000_000_000 // self._baudrate
        self._ask = bytes((_bus.UART_ANY, self._id))
        self._write_head = _bus.head(_bus.UART_WRITE, self._id)
        _bus.send(bytes((_bus.UART_START, self._id, self._tx & 0xFF, self._rx & 0xFF)) +
                  self._baudrate.to_bytes(4, "little"))

    def deinit(self):
        if self._timer is not None:
            _bus.stop_timer(self._timer)
            self._timer = None

    def any(self):
        _bus.send(self._ask)
        count = int.from_bytes(_bus.receive_all(2), "little")
        _bus.handle()
        return min(count, self._rxbuf + 128)  # with the hardware's own 128

    def _wait_for(self, count):
        """Sleep until so many bytes are there, or the time-outs are over; returns how many there are."""
        there = self.any()
        left_us = 1000 * (self._timeout if there == 0 else self._timeout_char)
        while there < count and left_us > 0:
            _bus.sleep_us(_STEP_US)
            left_us -= _STEP_US
            now = self.any()
            if now > there:
                there = now
                left_us = 1000 * self._timeout_char
        return min(there, count)

    def readinto(self, buf, nbytes=-1):
        view = memoryview(buf)
        count = len(view) if nbytes < 0 else min(nbytes, len(view))
        count = self._wait_for(count)
        if count == 0:
            return None
        _bus.send(bytes((_bus.UART_READ, self._id)) + count.to_bytes(2, "little"))
        return _bus.receive(view[:count])

    def read(self, nbytes=-1):
        if nbytes >= 0:
            buf = bytearray(nbytes)
            count = self.readinto(buf)
            return None if count is None else bytes(buf[:count])
        data = b""
        while True:
            part = self.read(max(self.any(), 1))
            if part is None:
                return data or None
            data += part

    def readline(self, size=-1):
        line = b""
        while size < 0 or len(line) < size:
            byte = self.read(1)
            if byte is None:
                break
            line += byte
            if byte == b"\n":
                break
        return line or None

    def write(self, buf):
        size = _bus.send_data(self._write_head, to_buffer(buf.encode() if isinstance(buf, str) else buf))
        # The chip sends by itself; only what its buffer does not hold makes the program wait.
        _spend(max(size - self._txbuf - 128, 0) * self._byte_ns // 1000)
        _bus.handle()
        return size

    def flush(self):
        pass

    def txdone(self):
        return True

    def sendbreak(self):
        _bus.sleep_us(13_000_000 // self._baudrate)

    def irq(self, handler=None, trigger=0, hard=False):
        """Call ``handler`` when bytes have come: looked for every millisecond."""
        if handler is not None and not callable(handler):
            raise ValueError("handler must be None or callable")
        unsupported = to_int(trigger) & ~(UART.IRQ_RX | UART.IRQ_RXIDLE | UART.IRQ_BREAK)
        if unsupported:
            raise ValueError("trigger 0x%04x unsupported" % unsupported)
        if hard:
            raise ValueError("hard IRQ is not supported")
        self.deinit()
        self._trigger = trigger
        self._handler = handler
        self._seen = 0
        if handler is not None and trigger:
            self._timer = _bus.start_timer(self._look, _STEP_US, True)

    def _look(self):
        there = self.any()
        if there > self._seen and self._trigger & UART.IRQ_RX:
            _bus.call(self._handler, self)
        elif there and there == self._seen and not self._quiet and self._trigger & UART.IRQ_RXIDLE:
            self._quiet = True
            _bus.call(self._handler, self)
        if there != self._seen:
            self._quiet = False
        self._seen = there

    def ioctl(self, request, argument):
        if request == _REQUEST_POLL:
            return argument & _POLL_WRITE | (_POLL_READ if argument & _POLL_READ and self.any() else 0)
        return 0 if request == _REQUEST_FLUSH else -_EINVAL

    def __repr__(self):
        parity = "None" if self._parity is None else "1" if self._parity else "0"
        more = ""
        if self._invert:
            more += ", invert=" + "|".join(name for bit, name in _INVERSIONS if self._invert & bit)
        if self._flow:
            more += ", flow=" + ("", "RTS", "CTS", "RTS|CTS")[self._flow]
        return ("UART(%d, baudrate=%d, bits=%d, parity=%s, stop=%d, tx=%d, rx=%d, rts=%d, cts=%d, txbuf=%d, rxbuf=%d, "
                "timeout=%d, timeout_char=%d, irq=%d%s)" % (
                    self._id, self._baudrate, self._bits, parity, self._stop, self._tx, self._rx, self._rts, self._cts,
                    self._txbuf, self._rxbuf, self._timeout, self._timeout_char, self._trigger, more))


def _wire(pin):
    return -1 if isinstance(pin, int) and pin == -1 else number_of(pin)
