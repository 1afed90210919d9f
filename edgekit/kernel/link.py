"""The kernel's link to its board: connects when needed, runs a cell, asks for input, passes ctrl-C on.

``Board.exec`` would do to run code. A cell needs two things more: ``input()`` on the board opens the notebook's input
box, and ctrl-C leaves the board's traceback, which says what line it hit.
"""

import codecs
import contextlib
import signal
import threading
import time

from edgekit.errors import BoardCodeError, BoardError, BoardLostError, BoardRestartedError, BoardWireError

# What the board's input() sends in place of a prompt: an escape sequence that terminals ignore and nobody prints.
_ASK = "\x1b_edgekit input\x1f"
_ASK_END = "\x1b\\"

# The front end's input box in place of the board's own line editor, which would echo and complete. In a port whose
# builtins are fixed, cells still find it as a global name.
_INPUT = f"""\
def _edgekit():
    import builtins, sys
    def _edgekit_input(prompt=""):
        print({_ASK!r}, prompt, {_ASK_END!r}, sep="", end="")
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\\r\\n")
    if getattr(input, "__name__", "") != "_edgekit_input":
        try:
            builtins.input = _edgekit_input
        except AttributeError:
            globals()["input"] = _edgekit_input
try:
    _edgekit()
finally:
    del _edgekit
"""

_POLL_S = 0.05          # how late ctrl-C may be noticed
_PATIENCE = 3           # ctrl-C pressed so often: break off, whatever the program does
_INSTALL_S = 10.0
_BACK_S = 10.0          # how long a board may take to come back after a reset
_AGAIN_S = 0.25

NO_INPUT = ("input() needs somebody to answer, and this notebook runs without an input box. Set the value in the "
            "cell, or run the cell in JupyterLab.")


class NoInputError(BoardError):
    """A program asked for input where nobody can answer."""


class Link:
    """The way to one kernel's board.

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
        Where the next connection goes.
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
        self._lost = False

    @property
    def board(self):
        """The board if it is connected, else None."""
        return None if self._lost else self._board

    def connected(self):
        """The board; connects if needed, which prints which board it is.

        A board that was lost is looked for where it was: no other one takes its place unasked.
        """
        if self._board is None:
            from edgekit import connect
            board = connect(self.port, **self.settings)
            self.port = _place(board)
            self._adopt(board)
        elif self._lost:
            self._board.reconnect()
            print(f"{self._board.name} is connected again; its files are as they were last closed.")
            self._adopt(self._board)
        elif self._board._repl.transport is not self._line:
            self._adopt(self._board)        # a %%host cell has called board.reconnect()
        return self._board

    def as_it_is(self):
        """The board, even if it was lost: code of the host may be what mends it. Connects if there is none yet."""
        return self._board if self._lost else self.connected()

    def _adopt(self, board):
        self._board, self._lost = board, False
        self._line = board._repl.transport = _Line(board._repl.transport)
        self._changed(board)
        self._install_input()

    def choose(self, port, **settings):
        """Connect elsewhere. If that fails, the next cell tries what was there before."""
        before = self.port, self.settings
        self.disconnect()
        self.port, self.settings = port, settings
        try:
            self.connected()
        except BaseException:
            self.port, self.settings = before
            raise

    def disconnect(self):
        """Let go of the board, if there is one."""
        board, self._board, self._line, self._lost = self._board, None, None, False
        if board is not None:
            self._changed(None)
            with contextlib.suppress(BoardError, OSError):
                board.close()

    def lost(self, error: BoardLostError) -> BoardLostError:
        """Note that the board stopped answering; the error that the cell shall show."""
        if isinstance(error, BoardRestartedError):
            self._changed(self._board)
            return error
        self._lost = True
        return BoardLostError(f"{error} The next cell connects again (or use %connect).")

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
        BoardLostError
            The board stopped answering, or restarted.
        BoardWireError
            Bytes were lost or changed on the way.
        """
        board = self.connected()
        if "input" in code:
            self._install_input()           # code of the host may have restarted the board meanwhile
        repl, line = board._repl, self._line
        output = _Output()
        unanswered = None
        with repl.turn.hold(), _handler(lambda *_: line.press()):
            line.begin()
            try:
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
            except BoardError:
                raise
            except BaseException:           # ctrl-C pressed too often, or a mistake in what shows the output
                line.listening = False
                repl.enter()
                raise
            finally:
                line.listening = False
        if unanswered:
            raise unanswered
        if error:
            raise BoardCodeError(error.decode(errors="replace").replace("\r\n", "\n"))

    def _install_input(self):
        self._board.exec(_INPUT, timeout_s=_INSTALL_S)

    def _answer(self, prompt, line):
        """Ask and pass the answer on. Where nobody can answer, the program is interrupted; returns why."""
        try:
            with _handler(signal.default_int_handler):
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
        self._install_input()

    def hard_reset(self):
        """Restart the chip, as its reset button does, and connect again."""
        # The chip is gone before the program has ended, so an error is what is expected.
        try:
            self.connected().exec("import machine\nmachine.reset()", timeout_s=5)
        except (BoardRestartedError, BoardWireError):
            pass
        except BoardLostError:
            self._lost = True
        end = time.monotonic() + _BACK_S
        while True:
            try:
                self.connected()
                self._install_input()
                return
            except BoardError as error:
                if time.monotonic() > end:
                    raise
                # A board with USB of its own takes its port away while it starts.
                self._lost = not isinstance(error, BoardRestartedError)
                time.sleep(_AGAIN_S)


def _place(board):
    """The port of a board that was connected, in the words of %connect."""
    if board.world is not None:
        return "sim" if board.profile.name == "esp32" else f"sim:{board.profile.name}"
    return board.port


class _Line:
    """The board's transport, with an ear for ctrl-C.

    While a program runs, a press is passed on between two reads, so that no byte is lost.
    """

    def __init__(self, transport):
        self._transport = transport
        self.begin()

    def begin(self):
        """A new program: nothing pressed."""
        self.listening = False
        self.pressed = self._passed_on = 0

    def press(self):
        """ctrl-C was pressed; also called from a signal handler, so nothing else happens here."""
        self.pressed += 1

    def __getattr__(self, name):
        return getattr(self._transport, name)

    def read(self, timeout_s):
        """As the transport's."""
        if not self.listening:
            return self._transport.read(timeout_s)
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            if self.pressed > self._passed_on:
                if self.pressed >= _PATIENCE:
                    raise KeyboardInterrupt
                self._passed_on = self.pressed
                self._transport.write(b"\x03")
            left = _POLL_S if end is None else min(_POLL_S, max(0.0, end - time.monotonic()))
            data = self._transport.read(left)
            if data or end is not None and time.monotonic() >= end:
                return data


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
        held = len(text) if final else start if start >= 0 else _unsure(text)
        found.append(("text", text[:held]))
        self._held = text[held:]
        return [(kind, part.replace("\r\n", "\n")) for kind, part in found if part or kind == "ask"]


def _unsure(text):
    """Where the end of a text begins that may turn out to be half of a mark or of a line end."""
    for size in range(min(len(_ASK) - 1, len(text)), 0, -1):
        if _ASK.startswith(text[-size:]):
            return len(text) - size
    return len(text) - text.endswith("\r")


@contextlib.contextmanager
def _handler(function):
    """What ctrl-C here does. Signals belong to the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, function)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
