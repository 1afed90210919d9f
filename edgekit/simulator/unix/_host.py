"""The way out of the Unix port: what ``host.mjs`` does in JavaScript for the WebAssembly engine.

A request goes out as its length (u32), the time (u64, microseconds) and the bytes that the program gave; the answer
comes as errno, number of interrupts, flags (u8 each), one byte unused, size (u32), the interrupts and the payload.
Nothing here allocates where a real board would not: buffers are made once.
"""

import sys
from struct import pack_into, unpack_from
from utime import sleep_us as _real_sleep_us
from utime import ticks_diff as _real_diff
from utime import ticks_us as _real_us

# Requests to the engine itself; the world knows nothing of them. Each has an answer, and so a place among the bytes
# that are printed.
NEXT, POLL, STATVFS, FILE_OPEN, FILE_CLOSE, BYE, END, UART, KEYBOARD, WALL, HARD = range(200, 211)
_SLEEP_UNTIL, _PIN_IRQ = 1, 6
_INTERRUPT, _REAL = 1, 2

LOOK_US = 5  # what a look at the clock costs, as in host.mjs
_LOOKS = 200  # the engine hears of the program at least so often
_IRQ_POLL_US = 10_000
_PERIOD = 0x3FFFFFFF

_out = open(int(sys.argv[1]), "wb")
_in = open(int(sys.argv[2]), "rb")
_head = bytearray(12)
_answer = bytearray(8)
_sleep = bytearray(9)
_reached = bytearray(8)
_poll = bytes((POLL,))
_left = 0  # bytes of the last answer that nobody has read yet
_irqs = []
_interrupt_pins = set()
_virtual = True
_us = int(sys.argv[3])
_base_us = 0  # the real clock: what it adds to the computer's
_wall_offset_us = int(sys.argv[4])
_wall_us = 0
_looks = 0


def _now_us():
    return _us if _virtual else _base_us + _real_us()


def send(data):
    """One request; its answer's payload waits in the pipe for :func:`receive`."""
    global _left
    while _left:
        _left -= len(_in.read(min(_left, 64)))
    op = data[0]
    if op == _PIN_IRQ:
        if data[2]:
            _interrupt_pins.add(data[1])
        else:
            _interrupt_pins.discard(data[1])
    pack_into("<IQ", _head, 0, len(data), _now_us())
    _out.write(_head)
    _out.write(data)
    if _in.readinto(_answer) != 8:
        raise SystemExit  # the engine has gone
    for _ in range(_answer[1]):
        pair = _in.read(2)
        _irqs.append(pair[0] | pair[1] << 8)
    _left = unpack_from("<I", _answer, 4)[0]
    flags = _answer[2]
    if (flags & _REAL == 0) != _virtual:
        _change_clock(flags & _REAL == 0)
    if flags & _INTERRUPT:
        raise KeyboardInterrupt
    if _answer[0]:
        raise OSError(_answer[0])


def receive(buffer):
    """Read what is left of the answer's payload into a buffer; returns how much it was."""
    global _left
    if not _left:
        return 0
    n = _in.readinto(buffer if len(buffer) <= _left else memoryview(buffer)[:_left])
    _left -= n
    return n


def receive_all(n=-1):
    global _left
    n = _left if n < 0 else min(n, _left)
    data = _in.read(n) if n else b""
    _left -= n
    return data


class Bus:
    """What ``open("/dev/bus")`` gives."""

    write = staticmethod(send)
    readinto = staticmethod(receive)
    read = staticmethod(receive_all)


class Uart:
    """What ``open("/dev/uart")`` gives: bytes as they are."""

    def __init__(self):
        self._stdin = open(0, "rb")
        self.read = self._stdin.read
        self.readline = self._stdin.readline

    def readinto(self, buffer, n=None):
        return self._stdin.readinto(buffer) if n is None else self._stdin.readinto(buffer, n)

    def write(self, data):
        data = bytes(data)
        send(bytes((UART,)) + data)
        return len(data)

    def flush(self):
        pass


def _change_clock(virtual):
    global _virtual, _us, _base_us
    now = _now_us()
    _virtual = virtual
    _us = now
    _base_us = now - _real_us()


def _look():
    global _us, _looks
    if _virtual:
        _us += LOOK_US
    _looks += 1
    if _looks >= _LOOKS:
        _looks = 0
        send(_poll)
    return _now_us()


def ticks_us():
    return _look() & _PERIOD


def ticks_ms():
    return _look() // 1000 & _PERIOD


def seconds():
    global _wall_us
    _wall_us = _look() + _wall_offset_us
    return _wall_us // 1_000_000


def microseconds():
    return _wall_us % 1_000_000


def set_seconds(seconds, us):
    global _wall_offset_us
    _wall_offset_us = seconds * 1_000_000 + us - _now_us()
    send(bytes((WALL,)) + str(_wall_offset_us).encode())


def sleep(us):
    """Sleep until a pin's interrupt, at most ``us``; returns the microseconds that are left."""
    global _us, _looks
    until = _now_us() + us
    reached = until
    if _interrupt_pins:
        if not _virtual:
            reached = min(until, _now_us() + _IRQ_POLL_US)
            _wait(reached)
        pack_into("<BQ", _sleep, 0, _SLEEP_UNTIL, reached)
        send(_sleep)
        receive(_reached)
        reached = unpack_from("<Q", _reached)[0]
        if _virtual:
            _us = reached
    elif _virtual:
        _us = until
        _looks += 1
        if _looks >= _LOOKS:
            _looks = 0
            send(_poll)
    else:
        _wait(until)
    return max(0, until - reached)


def _wait(until):
    while not _virtual:
        left = until - _now_us()
        if left <= 0:
            return
        _real_sleep_us(min(left, 100_000))
        if left > 50_000:
            send(_poll)  # the clock may have been changed meanwhile


def spend(us):
    global _us
    if _virtual:
        _us += us


def next_irq():
    return _irqs.pop(0) if _irqs else -1


def interrupt_char(char):
    send(bytes((KEYBOARD, char & 0xFF)))


def reset():
    send(bytes((HARD,)))
