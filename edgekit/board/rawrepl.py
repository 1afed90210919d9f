"""MicroPython's raw REPL over any byte transport: enter, run code, collect what it prints.

The protocol is MicroPython's own (docs: reference/repl.html): ctrl-A raw mode, ctrl-B friendly mode, ctrl-C
interrupt, ctrl-D run or soft reset, and "raw paste" with flow control.

It knows nothing of bytes that are lost or changed on a UART. So code travels sealed: with its CRC-32, which the
board compares before it compiles anything. Code that arrives damaged has not run, and is sent again.
"""

import binascii
import contextlib
import re
import time
from collections.abc import Iterator
from typing import Protocol

from edgekit.board.turn import Turn
from edgekit.errors import BoardError, BoardLostError, BoardRestartedError, BoardWireError

__all__ = ["Transport", "RawRepl", "Silence"]

_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
_EOT = b"\x04"
_PLAIN_CHUNK = 256  # without flow control: what a UART's buffer holds
_PLAIN_PAUSE_S = 0.01
_ATTEMPTS = 3
_TAIL = 600
_SHOWN = 60
_WORDS = 4000

_PASTE_ANSWER = re.compile(rb"R\x01|R\x00|paste mode; Ctrl-C")  # the last: from the friendly prompt
# What a board says that starts: MicroPython's friendly prompt at the end of what came, or an ESP32's boot loader.
_STARTED = re.compile(rb'MicroPython [^\r\n]+\r\nType "help\(\)" for more information\.\r\n>>> $'
                      rb"|rst:0x[0-9a-f]+ \([A-Z0-9_]+\),boot:0x")

_SEAL = 'exec((lambda c:compile(c,"<stdin>","exec")if __import__("binascii").crc32(c)==%d else _damaged)(%r))'
_SEAL_FRAMES = re.compile(r'  File "<std..>", line 1, in <(module|lambda)>$')
# Is this still the MicroPython that we marked?
_MARK = b"(lambda m:print('_edgekit' in m)or m.update(_edgekit=True))(__import__('sys').modules)"
_CAUSE = (b"(lambda m:print([n for n in ('SOFT','WDT','DEEPSLEEP','HARD','PWRON','BROWNOUT')"
          b"if getattr(m,n+'_RESET',None)==m.reset_cause()]))(__import__('machine'))")
_CAUSES = {
    "BROWNOUT": "brown-out: its supply voltage broke down for a moment. Use a shorter cable or another USB port, and "
                "give motors and relays a supply of their own",
    "WDT": "watchdog: the program did not feed it in time",
    "SOFT": "soft reset: the program asked for it, or ctrl-D was pressed",
    "DEEPSLEEP": "it woke from deep sleep",
    "HARD": "reset: its button was pressed, or the program asked for it",
    "PWRON": "it was without power, or its reset button was pressed",
    "": "why is not known",
}
_AGAIN = "Try again; if this repeats, use a shorter cable or another USB port."


class Transport(Protocol):
    """A way to a board's UART."""

    def write(self, data: bytes) -> None:
        """Send all of ``data``; BoardLostError if the board has gone."""

    def read(self, timeout_s: float | None) -> bytes:
        """What has arrived; waits for the first byte; empty after the time-out; BoardLostError if gone."""

    def close(self) -> None:
        """Let go of the board."""


class Silence(BoardLostError):
    """A program was silent for longer than it was given; whether the board has gone is not known."""


class _NotArrived(BoardWireError):
    """The code did not reach the board whole, so nothing of it ran."""


class RawRepl:
    """One board's raw REPL.

    Parameters
    ----------
    transport : Transport
        Bytes to and from the board.
    answer_s : float
        How long the board may take for an answer that needs no computing.

    Attributes
    ----------
    turn : Turn
        Held from :meth:`start` to :meth:`end`, so that no other thread breaks in.
    ready : bool
        True at the raw prompt.
    """

    def __init__(self, transport: Transport, answer_s: float = 5.0):
        self.transport = transport
        self.answer_s = answer_s
        self.turn = Turn()
        self.ready = False
        self._buffer = bytearray()
        self._words = b""        # the last that came since a program was started: a board that starts says why
        self._early = b""        # what came before the program: printed by timers and interrupts
        self._raw_paste = True
        self._refusals = 0
        self._broken_off = False
        self._marked = False
        self._asking = False     # in the middle of _prepare
        self._sealed = b""
        self._error = b""
        self._trouble = None

    def enter(self):
        """Stop what runs and get the raw prompt."""
        with self.turn.hold():
            self.turn.end()
            self._enter()

    def leave(self):
        """Give the board back its friendly prompt."""
        self.transport.write(b"\r\x02")
        self.ready = False

    def soft_reset(self):
        """Restart MicroPython; boot.py runs, main.py does not, as always in raw mode."""
        self.turn.begin()
        try:
            with contextlib.suppress(BoardRestartedError):
                self._prepare()
            for _ in range(_ATTEMPTS):
                self.ready = False
                self.transport.write(_EOT)
                # boot.py takes as long as it takes.
                if (self._read_until(b"soft reboot\r\n", self.answer_s) is not None
                        and self._read_until(_BANNER, 4 * self.answer_s) is not None):
                    self.ready, self._marked, self._words = True, False, b""
                    return
                try:
                    self._prepare()
                except BoardRestartedError:  # so it did, and the word of it was damaged
                    return
            raise BoardWireError(f"The board did not restart: ctrl-D was sent {_ATTEMPTS} times. {_AGAIN}")
        finally:
            self.turn.end()

    def start(self, code: str | bytes):
        """Send code and let it run; then take :meth:`parts` and call :meth:`end`.

        Raises
        ------
        BoardBusyError
            Something else runs.
        BoardRestartedError
            The board is not the one that it was: its names are gone. Nothing ran.
        BoardWireError
            The code does not get through.
        """
        self.turn.begin()
        try:
            self._error, self._trouble = b"", None
            self._sealed = _seal(code.encode() if isinstance(code, str) else bytes(code))
            self._submit()
        except BaseException:
            self.turn.end()
            raise

    def parts(self, timeout_s: float | None = None) -> Iterator[bytes]:
        """What the started program writes, as it comes, until it ends; then call :meth:`end`.

        Parameters
        ----------
        timeout_s : float, optional
            Longest silence; None waits for ever.

        Raises
        ------
        Silence
            It was longer.
        BoardRestartedError
            The board restarted in the middle of the program.
        """
        try:
            for left in reversed(range(_ATTEMPTS)):
                yield from self._output(timeout_s)
                if self._ending() or self._trouble:
                    return
                if left:
                    self.ready = False
                    self._submit()
            self._trouble = BoardWireError(str(self._not_through("its check sum is wrong")))
        except BoardError:
            self.turn.end()
            raise

    def end(self) -> bytes:
        """The traceback of the program that ended, empty if there was none; the prompt is back.

        Raises
        ------
        BoardWireError
            The end of the program did not come as it should; the prompt is back.
        BoardRestartedError
            The program ended with a restart of the board.
        """
        self.turn.end()
        if self._trouble:
            raise self._trouble
        return self._error

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
        except BoardError:  # it ended by itself, or caught the ctrl-C
            self.turn.end()
            self.enter()

    def mishap(self, what: str) -> BoardError:
        """Ask the board why ``what`` did not come: the error to raise. The board is then at its prompt, or gone."""
        with self.turn.hold():
            self.turn.end()
            return self._mishap(what)

    # --- the prompt ----------------------------------------------------------------------------------------

    def _enter(self):
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
        said = bytes(byte for byte in self._words if 32 <= byte < 127)[-_SHOWN:].decode()
        raise BoardLostError("The board does not answer: a MicroPython prompt was expected, "
                             + (f"this came instead: {said!r}. If it runs another program than MicroPython, put that on it: "
                                "`edgekit flash`. Else press" if said else "nothing came. Press")
                             + " its reset button or plug it in again, and see that no other program (Thonny, a serial "
                             "monitor) holds the port. Then: board.reconnect().")

    def _prepare(self):
        """Be at the raw prompt of the MicroPython that we know; BoardRestartedError if it is a new one."""
        if self.ready and self._marked:
            return
        self._asking = True
        try:
            if not self.ready:
                self._enter()
            answer = self._exchange(_MARK).split()[-1:]
            if answer not in ([b"True"], [b"False"]):
                self.ready = False
                raise self._not_through(f"its answer to a first question was {answer}")
            known, self._marked = self._marked, True
            if known and answer == [b"False"]:
                raise self._restarted()
        finally:
            self._asking = False

    def _restarted(self):
        words, self._words = self._words, b""
        if re.search(rb"brown.?out", words, re.IGNORECASE):
            cause = "BROWNOUT"
        elif b"soft reboot" in words:
            cause = "SOFT"
        else:
            try:
                answer = self._exchange(_CAUSE)
                cause = next(name for name in _CAUSES if name.encode() in answer)
            except BoardError:
                cause = ""
        return BoardRestartedError(f"The board restarted ({_CAUSES[cause]}). Its names are gone, its files are still "
                                   "there: run the cells that made the names again.")

    def _mishap(self, what):
        found = bytes(self._buffer[-40:])
        self.ready = False
        if self._asking:
            return self._not_through(f"{what} was expected, {found!r} came")
        try:
            self._prepare()
        except _NotArrived as error:
            return BoardWireError(str(error))
        except BoardError as error:
            return error
        return BoardWireError(f"Bytes were lost or changed between the board and this computer: {what} was expected, "
                              f"{found!r} came. What ran has been stopped, the board's names and files are kept. "
                              + _AGAIN)

    # --- code to the board ---------------------------------------------------------------------------------

    def _submit(self):
        for _ in range(_ATTEMPTS):
            try:
                self._prepare()
                self._send(self._sealed)
                self._words = bytes(self._buffer)  # what came before is history; this may be a restart already
                return
            except _NotArrived as error:
                trouble = error
        raise BoardWireError(str(trouble))

    def _exchange(self, code):
        """Run a short program of our own; what it printed."""
        self._send(_seal(code))
        try:
            output = b"".join(self._output(self.answer_s))
        except Silence:
            raise self._not_through("there was no answer") from None
        ran = self._ending()
        error, self._error, self._trouble = self._error or self._trouble, b"", None
        if error or not ran:
            self.ready = False
            raise self._not_through(f"a question of edgekit's own ended with {error or 'a wrong check sum'}")
        return output

    def _send(self, code):
        self.ready = self._broken_off = False
        self._early = b""
        self._receive(0)
        if _STARTED.search(self._buffer):
            raise self._not_through("it restarted")
        if self._raw_paste:
            self.transport.write(b"\x05A\x01")
            answer = self._paste_answer()
            if answer == b"R\x01":
                self._refusals = 0
                self._paste(code)
                return
            if answer in (b"R\x00", _BANNER):
                # Twice in a row: an old MicroPython. Once may be a damaged byte.
                self._refusals += 1
                self._raw_paste = self._refusals < 2
            raise self._not_through(f"it answered {answer or bytes(self._buffer[-40:])!r} to raw paste")
        for start in range(0, len(code), _PLAIN_CHUNK):
            self.transport.write(code[start:start + _PLAIN_CHUNK])
            time.sleep(_PLAIN_PAUSE_S)
        self.transport.write(_EOT)
        if (before := self._read_until(b"OK", self.answer_s)) is None:
            raise self._mishap("OK")
        self._early += before

    def _paste(self, code):
        header = self._read_bytes(2)
        window = free = header[0] | header[1] << 8
        position = 0
        while position < len(code):
            while free == 0 or self._buffer:
                sign = self._read_bytes(1)
                if sign == b"\x01":
                    free += window
                elif sign == _EOT:
                    # The board does not want the rest: it makes no sense to it, or there is no memory for it.
                    self._broken_off = True
                    self.transport.write(_EOT)
                    return
                else:
                    self._early += sign
            part = code[position:position + free]
            self.transport.write(part)
            position += len(part)
            free -= len(part)
        self.transport.write(_EOT)
        # From here on the program may run, so it must not be sent a second time.
        if (before := self._read_until(_EOT, self.answer_s)) is None:
            raise self._mishap("the end of raw paste")
        self._early += before.replace(b"\x01", b"")

    def _not_through(self, why):
        return _NotArrived(f"The code did not reach the board whole, so it did not run: {why}. " + _AGAIN)

    # --- answers of the board ------------------------------------------------------------------------------

    def _output(self, timeout_s):
        """What the program writes, to its end."""
        if self._early:
            yield self._early
        tail = b""
        while True:
            end = self._buffer.find(_EOT)
            part = bytes(self._buffer if end < 0 else self._buffer[:end])
            del self._buffer[:len(part) + (end >= 0)]
            if part:
                yield part
            if end >= 0:
                return
            tail = (tail + part)[-_TAIL:]
            if _STARTED.search(tail):
                raise self._mishap("the end of the program")
            if not self._receive(timeout_s):
                raise Silence(f"The board stopped answering: the end of the program was expected within "
                              f"{timeout_s:g} s, nothing came. Plug it in again or press reset, then: "
                              "board.reconnect().")

    def _ending(self):
        """Read what follows the output. True: the program ran; False: it arrived damaged and did not run."""
        error = self._read_until(_EOT, self.answer_s)
        if error is None or not (self._buffer or self._receive(self.answer_s)) or self._buffer[:1] != b">":
            if error is not None:
                self._buffer[:0] = error
            self._trouble = self._mishap("the end of the program")
            return True
        del self._buffer[:1]
        # After a paste that was broken off, the rest of the code may still give an answer of its own.
        self.ready = not self._broken_off
        if self._broken_off and b"MemoryError" not in error:
            return False
        self._error, ran = _unseal(error)
        if ran is None:
            self._trouble = BoardWireError(str(self._not_through(f"it ended with {self._error.decode()!r}")))
        return ran is not False

    def _receive(self, timeout_s):
        data = self.transport.read(timeout_s)
        self._words = (self._words + data)[-_WORDS:]
        self._buffer += data
        return data

    def _drain(self, quiet_s):
        end = time.monotonic() + self.answer_s / 5
        while self._receive(quiet_s) and time.monotonic() < end:
            pass
        self._buffer.clear()

    def _read_bytes(self, count):
        """Bytes of raw paste's own; nothing of the code has run when they do not come."""
        while len(self._buffer) < count:
            if not self._receive(self.answer_s):
                raise self._not_through(f"the flow control of raw paste was silent for {self.answer_s:g} s")
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _paste_answer(self):
        """What the board says to raw paste: ``R 1`` yes, else something else, the banner, or nothing in time."""
        give_up = time.monotonic() + self.answer_s / 2
        while not (found := _PASTE_ANSWER.search(self._buffer)):
            left = give_up - time.monotonic()
            if left <= 0:
                return b""
            if not self._receive(min(left, self.answer_s / 10)) and self._buffer.endswith(_BANNER):
                return _BANNER
            if _STARTED.search(self._buffer):
                return b""
        # A banner may still be on its way if the board was slow; anything else before was printed by a timer.
        answer, start, end = found[0], found.start(), found.end()
        self._early += bytes(self._buffer[:start]).rpartition(_BANNER)[2]
        del self._buffer[:end]
        return answer

    def _read_until(self, mark, timeout_s):
        """What came before ``mark``; None if it did not come in time, or the board starts instead."""
        end = time.monotonic() + timeout_s
        while (found := self._buffer.find(mark)) < 0:
            left = end - time.monotonic()
            if left <= 0 or mark == _EOT and _STARTED.search(self._buffer):
                return None
            self._receive(left)
        data = bytes(self._buffer[:found])
        del self._buffer[:found + len(mark)]
        return data


def _seal(code: bytes) -> bytes:
    return (_SEAL % (binascii.crc32(code), code)).encode()


def _unseal(error: bytes) -> tuple[bytes, bool | None]:
    """A traceback without the lines of the seal; False: the seal was broken, so the code did not run.

    None: the seal itself went wrong in some other way.
    """
    lines = error.decode(errors="replace").splitlines()
    frames = [i for i, line in enumerate(lines) if line.startswith("  File ")]
    ours = [i for i in frames[:2] if _SEAL_FRAMES.match(lines[i])]
    if len(ours) == 2 and "<lambda>" not in lines[ours[1]]:
        ours.pop()  # that one is the code's own
    last = lines[-1] if lines else ""
    if frames and frames == ours:
        if "'_damaged'" in last:
            return b"", False
        if not last.startswith(("MemoryError", "KeyboardInterrupt")):
            return last.encode(), None
    if len(frames) == 1 and not ours and "SyntaxError" in last or not frames and "NotImplementedError" in last:
        return b"", False  # what was sent is no Python any more
    return b"".join(line.encode() + b"\r\n" for i, line in enumerate(lines) if i not in ours), True
