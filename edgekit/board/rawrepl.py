"""MicroPython's raw REPL over any byte transport: enter, run code, collect what it prints.

The protocol is MicroPython's own (docs: reference/repl.html): ctrl-A raw mode, ctrl-B friendly mode, ctrl-C
interrupt, ctrl-D run or soft reset, and "raw paste" with flow control.
"""

import time
from collections.abc import Iterator
from typing import Protocol

from edgekit.errors import BoardLostError

__all__ = ["Transport", "RawRepl"]

_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
_EOT = b"\x04"
_PLAIN_CHUNK = 256  # without flow control: what a UART's buffer holds
_PLAIN_PAUSE_S = 0.01


class Transport(Protocol):
    """A way to a board's UART."""

    def write(self, data: bytes) -> None:
        """Send all of ``data``; BoardLostError if the board has gone."""

    def read(self, timeout_s: float | None) -> bytes:
        """What has arrived; waits for the first byte; empty after the time-out; BoardLostError if gone."""

    def close(self) -> None:
        """Let go of the board."""


class RawRepl:
    """One board's raw REPL.

    Parameters
    ----------
    transport : Transport
        Bytes to and from the board.
    answer_s : float
        How long the board may take for an answer that needs no computing.
    """

    def __init__(self, transport: Transport, answer_s: float = 5.0):
        self.transport = transport
        self.answer_s = answer_s
        self._buffer = bytearray()
        self._raw_paste = True
        self.ready = False

    def enter(self):
        """Stop what runs and get the raw prompt."""
        self.ready = False
        for attempt in range(5):
            self._buffer.clear()
            # One ctrl-C: a second would hit the program in the middle of its own cleaning up.
            self.transport.write(b"\r\x03")
            self._drain(0.01 * (1 + attempt))
            self.transport.write(b"\r\x01")
            if self._read_until(_BANNER, self.answer_s / 5) is not None:
                self.ready = True
                return
        raise BoardLostError("The board does not answer: a MicroPython prompt was expected, nothing like it came. "
                             "Press its reset button or plug it in again, and see that no other program "
                             "(Thonny, a serial monitor) holds the port.")

    def leave(self):
        """Give the board back its friendly prompt."""
        self.transport.write(b"\r\x02")
        self.ready = False

    def soft_reset(self):
        """Restart MicroPython; boot.py runs, main.py does not, as always in raw mode."""
        self.transport.write(_EOT)
        self._expect(b"soft reboot\r\n", "a soft reset")
        self._expect(_BANNER, "a prompt after the soft reset", 10 * self.answer_s)

    def start(self, code: str | bytes):
        """Send code and let it run; then take :meth:`parts` and call :meth:`end`."""
        # An empty program would be a soft reset.
        code = (code.encode() if isinstance(code, str) else code) or b"\n"
        if not self.ready:
            self.enter()
        self.ready = False
        if self._raw_paste:
            self.transport.write(b"\x05A\x01")
            reply = self._read_bytes(2, "an answer to raw paste")
            if reply == b"R\x01":
                self._paste(code)
                return
            # An old MicroPython: it took the three bytes as an empty program, or says it cannot.
            self._raw_paste = False
            self.enter()
            self.ready = False
        for start in range(0, len(code), _PLAIN_CHUNK):
            self.transport.write(code[start:start + _PLAIN_CHUNK])
            time.sleep(_PLAIN_PAUSE_S)
        self.transport.write(_EOT)
        self._expect(b"OK", "OK")

    def parts(self, timeout_s: float | None = None) -> Iterator[bytes]:
        """What the started program writes, as it comes, until it ends; then call :meth:`end`.

        Parameters
        ----------
        timeout_s : float, optional
            Longest silence; None waits for ever.
        """
        while True:
            end = self._buffer.find(_EOT)
            part = bytes(self._buffer if end < 0 else self._buffer[:end])
            del self._buffer[:len(part) + (end >= 0)]
            if part:
                yield part
            if end >= 0:
                return
            self._fill(timeout_s, "the end of the program")

    def end(self) -> bytes:
        """The traceback of the program that ended, empty if there was none; the prompt is back."""
        error = self._expect(_EOT, "the end of the program's error")
        self._expect(b">", "a prompt")
        self.ready = True
        return error

    def interrupt(self):
        """Send ctrl-C; the program's end comes as always."""
        self.transport.write(b"\x03")

    def stop(self):
        """Interrupt the started program and wait for its prompt; what it still prints is dropped."""
        try:
            self.interrupt()
            for _ in self.parts(self.answer_s / 2):
                pass
            self.end()
        except BoardLostError:
            self.enter()  # it ended by itself, or caught the ctrl-C

    def _paste(self, code: bytes):
        header = self._read_bytes(2, "the size of the raw paste window")
        window = free = header[0] | header[1] << 8
        position = 0
        while position < len(code):
            while free == 0 or self._buffer:
                sign = self._read_bytes(1, "flow control of raw paste")
                if sign == b"\x01":
                    free += window
                elif sign == _EOT:  # the board does not want the rest
                    self.transport.write(_EOT)
                    return
                else:
                    raise BoardLostError(f"The board broke off raw paste: flow control was expected, {sign!r} came. "
                                         "Connect again.")
            part = code[position:position + free]
            self.transport.write(part)
            position += len(part)
            free -= len(part)
        self.transport.write(_EOT)
        self._expect(_EOT, "the end of raw paste")

    # --- reading -------------------------------------------------------------------------------------------

    def _fill(self, timeout_s, what):
        data = self.transport.read(timeout_s)
        if not data:
            raise BoardLostError(f"The board stopped answering: {what} was expected within {timeout_s:g} s, nothing "
                                 "came. Plug it in again or press reset, then connect again.")
        self._buffer += data

    def _drain(self, quiet_s):
        end = time.monotonic() + self.answer_s / 5
        while self.transport.read(quiet_s) and time.monotonic() < end:
            pass
        self._buffer.clear()

    def _read_bytes(self, count, what):
        while len(self._buffer) < count:
            self._fill(self.answer_s, what)
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _expect(self, mark, what, timeout_s=None):
        data = self._read_until(mark, timeout_s or self.answer_s)
        if data is None:
            raise BoardLostError(f"The board stopped answering: {what} was expected, "
                                 f"{bytes(self._buffer[-60:])!r} came. Plug it in again or press reset, then "
                                 "connect again.")
        return data

    def _read_until(self, mark, timeout_s):
        """What came before ``mark``; None if it did not come in time."""
        end = time.monotonic() + timeout_s
        while (found := self._buffer.find(mark)) < 0:
            left = end - time.monotonic()
            if left <= 0:
                return None
            self._buffer += self.transport.read(left)
        data = bytes(self._buffer[:found])
        del self._buffer[:found + len(mark)]
        return data
