"""The way out of the Unix port: what ``host.mjs`` does in JavaScript for the WebAssembly engine, see ``rom/_bus.py``.

A request goes out as its length (u32, its top bit says that it belongs to the request before it), the time (u64,
microseconds) and the bytes that the program gave; the answer comes as errno, number of interrupts, flags (u8 each), one
byte unused, size (u32), the interrupts and the payload. What runs often allocates nothing: buffers are made once.
"""

import sys
from struct import pack_into

from utime import sleep_us as _real_sleep_us
from utime import ticks_us as _real_us

# Requests to the engine itself; the world knows nothing of them. Each has an answer, and so a place among the bytes
# that are printed.
NEXT, POLL, STATVFS, FILE_OPEN, FILE_CLOSE, BYE, END, UART, KEYBOARD, WALL, WATCHDOG, WAKE = range(60, 72)
HARD_RESET = 120
_SLEEP_UNTIL, _PIN_IRQ, _PULSE = 1, 6, 25
_PARTS_FOLLOW, _PART = 0x80, 0x80000000
_INTERRUPT, _REAL = 1, 2
_WDT_RESET = 3

LOOK_US = 5  # what a look at the clock costs, as in host.mjs
_LOOKS = 200  # the engine hears of the program at least so often
_IRQ_POLL_US = 10_000
_IRQ_LOOK_US = 1000
_PERIOD = 0x3FFFFFFF
_NEVER = 1 << 60
_MOST_WAITING = 8  # missed calls of a timer, as in host.mjs
_BUFFERS = (bytes, bytearray, memoryview)

_out = open(int(sys.argv[1]), "wb")
_in = open(int(sys.argv[2]), "rb")
_head = bytearray(12)
_answer = bytearray(8)
_pair = bytearray(2)
_sleep = bytearray(9)
_reached = bytearray(8)
_poll = bytes((POLL,))
_left = 0  # bytes of the last answer that nobody has read yet
_parts = 0  # buffers of the request that still follow
_op = 0
_irqs = []
_interrupt_pins = set()
_virtual = True
_us, _wall_offset_us, _boot_us, _cause, _wake = (int(number) for number in sys.argv[3].split(","))
_base_us = 0  # the real clock: what it adds to the computer's
_wall_us = 0
_looks = 0
_asked_us = 0
_timers = {}  # number: [period, due, started, repeat]
_last_timer = 0
_due_us = _NEVER  # the first of them
_bite_us = _NEVER
_watchdog_us = 0


def now_us():
    return _us if _virtual else _base_us + _real_us()


def send(data):
    """One request, or a part of one; its answer's payload waits in the pipe for :func:`receive`."""
    global _left, _parts, _op, _asked_us, _kept
    if not isinstance(data, _BUFFERS):
        memoryview(data)  # TypeError: no buffer
        data = bytes(data)
    size = len(data)
    if _kept:
        _kept = b""
    while _left:
        _left -= len(_in.read(min(_left, 64)))
    if _parts:
        pack_into("<IQ", _head, 0, size | _PART, 0)
        _parts -= 1
    else:
        _op = data[0]
        if _op == _PIN_IRQ:
            if data[2]:
                _interrupt_pins.add(data[1])
            else:
                _interrupt_pins.discard(data[1])
        now = now_us()
        if now > _bite_us and _op != HARD_RESET:
            _bite()
        if _op != POLL:
            _asked_us = now
        pack_into("<IQ", _head, 0, size, now)
        if _op & _PARTS_FOLLOW:
            _parts = data[1]
    _out.write(_head)
    _out.write(data)
    if _parts:
        return size
    if _in.readinto(_answer) != 8:
        raise SystemExit  # the engine has gone
    for _ in range(_answer[1]):
        _in.readinto(_pair)
        _irqs.append(_pair[0] | _pair[1] << 8)
    _left = _number(_answer, 4, 4)
    flags = _answer[2]
    if (flags & _REAL == 0) != _virtual:
        _change_clock(flags & _REAL == 0)
    if flags & _INTERRUPT:
        raise KeyboardInterrupt
    if _answer[0]:
        raise OSError(_answer[0])
    if _op == _PULSE:
        _after_pulse()
    return size


def _number(data, at, size):
    """A little-endian number; unlike struct.unpack, it makes no tuple."""
    number = 0
    while size:
        size -= 1
        number = number << 8 | data[at + size]
    return number


def cancel():
    global _parts
    _parts = 0


def _after_pulse():
    """The pulse has taken its time; its answer stays for the program."""
    global _left, _kept, _us
    _kept = _in.read(_left)
    _left = 0
    reached = _number(_kept, 4, 8)
    if _virtual:
        _us = max(_us, reached)
    else:
        _wait(reached)


_kept = b""


def receive(buffer):
    """Read what is left of the answer's payload into a buffer; returns how much it was."""
    global _left, _kept
    if _kept:
        data = receive_all(len(buffer))
        buffer[:len(data)] = data
        return len(data)
    if not _left:
        return 0
    n = _in.readinto(buffer if len(buffer) <= _left else memoryview(buffer)[:_left])
    _left -= n
    return n


def receive_all(n=-1):
    global _left, _kept
    if _kept:
        data = _kept if n < 0 else _kept[:n]
        _kept = _kept[len(data):]
        return data
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
    now = now_us()
    _virtual = virtual
    _us = now
    _base_us = now - _real_us()


def _look():
    global _us, _looks
    if _virtual:
        _us += LOOK_US
    _count()
    now = now_us()
    if _interrupt_pins and now - _asked_us > _IRQ_LOOK_US:
        _sleep_until(now)
    return now


def _count():
    global _looks
    _looks += 1
    if _looks >= _LOOKS:
        _looks = 0
        send(_poll)


def _ticks(count):
    """Below 0: and a handler is due."""
    count &= _PERIOD
    return -1 - count if _irqs or _due_us <= now_us() else count


def ticks_us():
    return _ticks(_look() - _boot_us)


def ticks_ms():
    return _ticks((_look() - _boot_us) // 1000)


def seconds():
    global _wall_us
    _wall_us = _look() + _wall_offset_us
    return _wall_us // 1_000_000


def microseconds():
    return _wall_us % 1_000_000


def set_seconds(seconds, us):
    global _wall_offset_us
    _wall_offset_us = seconds * 1_000_000 + us - now_us()
    _tell(WALL, _wall_offset_us)


def _tell(op, number):
    send(bytes((op,)) + str(number).encode())


def _sleep_until(us):
    pack_into("<BQ", _sleep, 0, _SLEEP_UNTIL, us)
    send(_sleep)
    receive(_reached)
    return _number(_reached, 0, 8)


def sleep(us, timers=0):
    global _us
    until = now_us() + us
    reached = min(until, _bite_us + 1)
    if timers:
        reached = min(reached, max(_due_us, now_us()))
    if _interrupt_pins:
        if not _virtual:
            reached = min(reached, now_us() + _IRQ_POLL_US)
            _wait(reached)
        reached = _sleep_until(reached)
    elif not _virtual:
        _wait(reached)
        reached = min(now_us(), until)
    if _virtual:
        _us = max(_us, reached)
        _count()
        if _us > _bite_us:
            _bite()
    return max(0, until - reached)


def _wait(until):
    while not _virtual:
        left = until - now_us()
        if left <= 0:
            return
        _real_sleep_us(min(left, 100_000))
        if left > 50_000:
            send(_poll)  # the clock may have been changed meanwhile


def pause(ms):
    _real_sleep_us(1000 * ms)
    send(_poll)


def spend(us):
    global _us
    if _virtual:
        _us += us


def next_irq():
    return _irqs.pop(0) if _irqs else -1


def irq_waits():
    return len(_irqs)


def start_timer(us, repeat):
    global _last_timer
    _last_timer += 1
    us = max(1, int(us))
    now = now_us()
    _timers[_last_timer] = [us, now + us, now, repeat]
    _find_due()
    return _last_timer


def stop_timer(number):
    _timers.pop(number, None)
    _find_due()


def timer_us(number):
    return now_us() - _timers[number][2] if number in _timers else 0


def next_timer():
    now = now_us()
    if now < _due_us:
        return -1
    for number, timer in _timers.items():
        if timer[1] <= now:
            timer[2] = timer[1]
            missed = (now - timer[1]) // timer[0]
            timer[1] += timer[0] * max(1, missed - _MOST_WAITING + 2) if timer[3] else _NEVER
            _find_due()
            return number
    return -1


def _find_due():
    global _due_us
    _due_us = _NEVER
    for timer in _timers.values():
        _due_us = min(_due_us, timer[1])


def watchdog(ms):
    global _bite_us, _watchdog_us
    if ms:
        _watchdog_us = 1000 * ms
    _bite_us = now_us() + _watchdog_us
    _tell(WATCHDOG, _bite_us)


def _bite():
    send(bytes((HARD_RESET, _WDT_RESET, 0)))


def reset_cause():
    return _cause


def wake_reason():
    return _wake


def set_wake_reason(reason):
    global _wake
    _wake = reason
    _tell(WAKE, reason)


def soft_reset():
    raise SystemExit


def interrupt_char(char):
    send(bytes((KEYBOARD, char & 0xFF)))
