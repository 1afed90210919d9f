"""The kernel's way to its board: connects when needed, runs a cell, asks for input, passes ctrl-C on.

``Board.exec`` would do to run code. A cell needs three things more: ``input()`` on the board opens the notebook's
input box, ctrl-C leaves the board's traceback to show, and a board that restarts in the middle does not hang the cell.
"""

import codecs
import contextlib
import signal
import tempfile
import threading
import time

from edgekit.errors import BoardCodeError, BoardError, BoardLostError

# What the board's input() sends in place of a prompt: an escape sequence that terminals ignore and nobody prints.
_ASK = "\x1b_edgekit input\x1f"
_ASK_END = "\x1b\\"

# The front end's input box in place of the board's own line editor, which would echo and complete. In a port whose
# builtins are fixed, cells still find it as a global name.
_INPUT = f"""\
def _input():
    import builtins, sys
    def input(prompt=""):
        print({_ASK!r}, prompt, {_ASK_END!r}, sep="", end="")
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\\r\\n")
    try:
        builtins.input = input
    except AttributeError:
        globals()["input"] = input
try:
    _input()
finally:
    del _input
"""

_POLL_S = 0.05          # how late ctrl-C may be noticed
_PATIENCE = 3           # ctrl-C pressed so often: break off, whatever the program does
_INSTALL_S = 10.0
_BACK_S = 10.0          # how long a board may take to come back after a reset
_TAIL = 160
_FRIENDLY = b'for more information.\r\n>>> '
_SOFT_RESET = b"\x04MPY: soft reboot\r\n"

RESTARTED = "The board restarted while the cell ran. Its variables are gone, its files are still there."
NO_INPUT = ("input() needs somebody to answer, and this notebook runs without an input box. Set the value in the "
            "cell, or run the cell in JupyterLab.")


class NoInputError(BoardError):
    """A program asked for input where nobody can answer."""


class BoardRestartedError(BoardLostError):
    """The board restarted while a program ran; it is connected, its variables are gone."""


class _Restarted(Exception):
    """The board shows its friendly prompt: it was reset."""


class Link:
    """The board of one kernel.

    Parameters
    ----------
    port : str or None
        As for :func:`edgekit.connect`.
    ask : callable
        ``ask(prompt) -> str`` opens the front end's input box; raises :class:`NoInputError` if there is none.
    changed : callable
        Called with the board after connecting, with None after it was let go.

    Attributes
    ----------
    port : str or None
        Where the next connection goes. After a first success it is a definite place: if the cable goes, a board
        that was found by itself is not replaced by another one.
    settings : dict
        What :func:`edgekit.connect` gets beside the port.
    """

    def __init__(self, port, ask, changed=lambda board: None):
        self.port = port
        self.settings = {}
        self._ask = ask
        self._changed = changed
        self._board = None
        self._line = None
        self._flash = None
        self._world = None

    @property
    def board(self):
        """The board if it is connected, else None."""
        return self._board

    def connected(self):
        """The board; connects if needed, which prints which board it is."""
        if self._board is None:
            from edgekit import connect
            self._board = connect(self.port, **self._sim_settings())
            self.port = getattr(self._board, "port", self.port) or "sim"
            self._line = self._board._repl.transport = _Line(self._board._repl.transport)
            self._world = getattr(self._board, "world", None)
            self._changed(self._board)
            self.install_input()
        return self._board

    def choose(self, port, **settings):
        """Connect elsewhere; a simulated board starts with an empty flash and a new world.

        If that fails, the next cell tries what was there before.
        """
        before = self.port, self.settings, self._flash, self._world
        self.disconnect()
        self.port, self.settings, self._flash, self._world = port, settings, None, None
        try:
            self.connected()
        except BaseException:
            self.port, self.settings, self._flash, self._world = before
            raise

    def disconnect(self):
        """Let go of the board, if there is one."""
        board, self._board, self._line = self._board, None, None
        if board is not None:
            self._changed(None)
            board.close()

    def lost(self, error: BoardLostError) -> BoardLostError:
        """Let go of a board that stopped answering; the error that the cell shall show."""
        with contextlib.suppress(BoardError, OSError):
            self.disconnect()
        return BoardLostError(f"{error} What was in its memory is gone. The next cell connects again "
                              "(or use %connect).")

    def _sim_settings(self):
        """A simulated board that was lost comes back with its files and its world, as a real one would."""
        if not (self.port or "").startswith("sim"):
            return self.settings
        if self._flash is None:
            self._flash = tempfile.TemporaryDirectory(prefix="edgekit-flash-", ignore_cleanup_errors=True)
        known = {"flash": self._flash.name, **({"world": self._world} if self._world is not None else {})}
        return known | self.settings

    # --- running -----------------------------------------------------------------------------------------------

    def run(self, code: str, show) -> None:
        """Run code; ``show`` gets what it prints, as it comes.

        Raises
        ------
        BoardCodeError
            The code raised; after ctrl-C that is the board's ``KeyboardInterrupt``.
        KeyboardInterrupt
            The program did not end on ctrl-C: it was broken off.
        NoInputError
            It asked for input and there is nobody to answer.
        BoardRestartedError
            The board restarted; it is connected again.
        BoardLostError
            The board stopped answering.
        """
        board = self.connected()
        repl, line = board._repl, self._line
        output = _Output()
        unanswered = None
        line.begin()
        try:
            with _counting_ctrl_c(line):
                repl.start(code)
                line.listening = True
                for part in repl.parts(None):
                    for kind, text in output.feed(part):
                        if kind == "text":
                            show(text)
                        else:
                            unanswered = self._answer(text, line) or unanswered
                line.listening = False
                for _, text in output.feed(b"", final=True):
                    show(text)
                error = repl.end()
        except KeyboardInterrupt:
            board.interrupt()
            raise
        except _Restarted:
            board.interrupt()
            line.restarted = True
        finally:
            line.listening = False
        if line.restarted:
            self.install_input()
            raise BoardRestartedError(RESTARTED)
        if unanswered:
            raise unanswered
        if error:
            raise BoardCodeError(error.decode(errors="replace").replace("\r\n", "\n"))

    def install_input(self):
        """Give the board its ``input()``, as after each restart."""
        self._board.exec(_INPUT, timeout_s=_INSTALL_S)

    def _answer(self, prompt, line):
        """Ask and pass the answer on. Where nobody can answer, the program is interrupted; returns why."""
        try:
            with _default_ctrl_c():
                text = self._ask(prompt)
        except KeyboardInterrupt:
            line.press()
            return None
        except NoInputError as error:
            line.press()
            return error
        # One line is asked for. Characters that the board acts on, ctrl-C above all, are no part of it.
        text = "".join(c for c in text.partition("\n")[0] if c >= " " or c == "\t")
        line.write(text.encode() + b"\n")
        return None

    def reset(self):
        """Soft reset: variables go, files stay."""
        self.connected().reset()
        self.install_input()

    def hard_reset(self):
        """Restart the chip, as its reset button does, and connect again."""
        board = self.connected()
        line = self._line
        # The chip is gone before the program has ended: nothing is expected but that.
        line.begin()
        line.listening = True
        with contextlib.suppress(BoardError, _Restarted):
            board.exec("import machine\nmachine.reset()", timeout_s=3)
        line.listening = False
        end = time.monotonic() + _BACK_S
        while True:
            try:
                board = self.connected()
                board.interrupt()
                board.eval("1")
                break
            except BoardError:
                # A board with USB of its own takes its port away while it starts.
                self.disconnect()
                if time.monotonic() > end:
                    raise
                time.sleep(0.5)
        self.install_input()


class _Line:
    """The board's transport, with an ear for ctrl-C and for a board that restarts.

    While a program runs, a press of ctrl-C is passed on between two reads, so that no byte is lost.
    """

    def __init__(self, transport):
        self._transport = transport
        self.begin()

    def begin(self):
        """A new cell: nothing pressed, nothing heard."""
        self.listening = self.restarted = False
        self.pressed = self._passed_on = 0
        self._tail = b""

    def press(self):
        """ctrl-C was pressed; also called from a signal handler, so nothing else happens here."""
        self.pressed += 1

    def write(self, data):
        self._transport.write(data)

    def close(self):
        self._transport.close()

    def __getattr__(self, name):
        return getattr(self._transport, name)

    def read(self, timeout_s):
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            if self.listening and self.pressed > self._passed_on:
                if self.pressed >= _PATIENCE:
                    raise KeyboardInterrupt
                self._passed_on = self.pressed
                self._transport.write(b"\x03")
            left = _POLL_S if end is None else min(_POLL_S, max(0.0, end - time.monotonic()))
            data = self._transport.read(left if self.listening else timeout_s)
            if data:
                self._listen(data)
                return data
            if not self.listening or end is not None and time.monotonic() >= end:
                return data

    def _listen(self, data):
        self._tail = (self._tail + data)[-_TAIL:]
        if _SOFT_RESET in self._tail:
            self.restarted = True
        if self.listening and self._tail.endswith(_FRIENDLY):
            raise _Restarted


class _Output:
    """Bytes of a running program into text and questions: UTF-8 cut anywhere, CR LF, the mark of ``input()``."""

    def __init__(self):
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._held = ""

    def feed(self, data, final=False):
        """List of ``("text", text)`` and ``("ask", prompt)`` in the order in which they came."""
        text = self._held + self._decode(data, final)
        found = []
        while True:
            start = text.find(_ASK)
            end = text.find(_ASK_END, start)
            if start < 0 or end < 0:
                break
            found += [("text", text[:start]), ("ask", text[start + len(_ASK):end])]
            text = text[end + len(_ASK_END):]
        keep = 0 if final else len(text) - (start if start >= 0 else _unsure(text))
        self._held = text[len(text) - keep:]
        found.append(("text", text[:len(text) - keep]))
        return [(kind, part.replace("\r\n", "\n")) for kind, part in found if part or kind == "ask"]


def _unsure(text):
    """Where the end of a text begins that may turn out to be half of a mark or of a line end."""
    for size in range(min(len(_ASK) - 1, len(text)), 0, -1):
        if _ASK.startswith(text[-size:]):
            return len(text) - size
    return len(text) - text.endswith("\r")


@contextlib.contextmanager
def _counting_ctrl_c(line):
    """ctrl-C here is noted, not raised. Signals belong to the main thread alone."""
    with _handler(lambda *_: line.press()):
        yield


@contextlib.contextmanager
def _default_ctrl_c():
    with _handler(signal.default_int_handler):
        yield


@contextlib.contextmanager
def _handler(function):
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, function)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
