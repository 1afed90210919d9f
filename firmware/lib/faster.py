"""A faster UART, for the time of a stream. Not yet run on hardware.

Example, on an ESP32 behind a USB bridge (CP210x, CH340)::

    import faster

    with faster.Line(921600) as line:   # the computer must go along: edgekit.board.serial does
        print(line.is_fast)             # False: it did not answer, or this board cannot
        ...                             # send
                                        # here the line is at 115200 baud again, whatever happened

How both sides agree:

1. The board says the new rate in a BAUD frame, at the old rate. It waits until its bytes are out, and changes.
2. It says so again and again, now at the new rate. The computer, which went along, answers with one byte.
3. Without that answer within 0.6 s the board goes back. The computer goes back too, if it hears nothing.
4. At the end, also that by ctrl-C, the board says the old rate three times, and goes back.

Why not ``machine.UART(0, 921600)``: on the UART of the prompt MicroPython for the ESP32 has no driver of ESP-IDF
installed. It sets the rate; then ``uart_set_rx_full_threshold``, which wants that driver, fails, and the constructor
raises OSError with the pins and thresholds half set (ports/esp32/machine_uart.c, uart.c; esp_driver_uart/src/uart.c).
So only the clock divider is written here. The rates' ratio is all that it takes: which clock is divided does not matter.
"""

import select
import sys
import time

from frames import BAUD, Encoder

try:
    from micropython import const
except ImportError:  # CPython, in tests
    def const(value):
        return value

# Clock divider of the prompt's UART, by what MicroPython's name of the board ends with (ESP32 Technical Reference
# Manual, UART_CLKDIV_REG): bits 0 to 19 are whole, 20 to 23 sixteenths. Other chips have other bits.
_DIVIDERS = {"with ESP32": 0x3FF40014}
_USUAL_BAUD = const(115200)
_LEAST = const(5000)  # sixteenths: 40 MHz / 115200 baud is 5556, 80 MHz / 115200 baud 11111
_MOST = const(12000)
_EMPTY_MS = const(30)  # until the last byte is out: the UART keeps 128, 11 ms at 115200 baud
_ANSWER_MS = const(600)
_AGAIN_MS = const(40)
_FOLLOW_MS = const(100)  # for the computer to go along
_GIVE_UP_MS = const(500)  # for it to go back by itself, after it was not heard
_YES = b"\x06"


class Line:
    """``baud``: the rate while the ``with`` lasts; 0 leaves it as it is. ``is_fast``: whether it came to that."""

    def __init__(self, baud):
        self.is_fast = False
        self._baud = baud
        self._address = _divider_of(_machine_name()) if baud else None
        self._encoder = Encoder(sys.stdout.buffer.write, max_payload=8)

    def __enter__(self):
        if self._address:
            from machine import mem32
            self._registers = mem32
            self._usual = mem32[self._address]
            changed = divider(self._usual, self._baud)
            if changed:
                self._go(changed)
        return self

    def __exit__(self, *exception):
        if self.is_fast:
            self._back(_FOLLOW_MS)

    def _go(self, changed):
        self._say(self._baud)
        time.sleep_ms(_EMPTY_MS)
        try:
            self._registers[self._address] = changed
            self.is_fast = self._answered()
        finally:
            if not self.is_fast:
                self._back(_GIVE_UP_MS)

    def _answered(self):
        poll = select.poll()
        poll.register(sys.stdin, select.POLLIN)
        began_ms = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), began_ms) < _ANSWER_MS:
            self._say(self._baud)
            if poll.poll(_AGAIN_MS) and sys.stdin.buffer.read(1) == _YES:
                return True
        return False

    def _back(self, wait_ms):
        self.is_fast = False
        try:
            for _ in range(3):
                self._say(_USUAL_BAUD)
            time.sleep_ms(_EMPTY_MS)
        finally:  # whatever ctrl-C breaks off
            self._registers[self._address] = self._usual
        time.sleep_ms(wait_ms)

    def _say(self, baud):
        self._encoder.seq = 0  # so that these frames are always the same bytes
        self._encoder.send(BAUD, b"%d" % baud)


def divider(usual, baud):
    """The register's value for ``baud``, from that for 115200 baud; None if it does not look like that one.

    >>> usual = 694 | 7 << 20       # 80 MHz / 115200 baud = 694.44
    >>> fast = divider(usual, 921600)
    >>> (fast & 0xFFFFF, fast >> 20)        # 80 MHz / 86.81 = 921526 baud
    (86, 13)
    """
    sixteenths = (usual & 0xFFFFF) * 16 + (usual >> 20 & 15)
    if not _LEAST <= sixteenths <= _MOST:
        return None
    sixteenths = (sixteenths * _USUAL_BAUD + baud // 2) // baud
    return sixteenths >> 4 | (sixteenths & 15) << 20


def _divider_of(name):
    for end, address in _DIVIDERS.items():
        if name.endswith(end):
            return address
    return None


def _machine_name():
    return getattr(sys.implementation, "_machine", "")
