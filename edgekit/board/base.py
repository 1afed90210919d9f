"""`Board`: the one way to a MicroPython board, whether simulated or on a USB port.

What may go wrong on the way, and what is done about it:

- Code for the board is checked there before it runs, and sent again if it was damaged (:mod:`edgekit.board.rawrepl`).
- Values (:meth:`Board.eval`, :meth:`Board.get`, :meth:`Board.ls`, ...) come back with a check sum. What only reads is
  asked again; what may have had an effect is not run twice, but ends with a :class:`BoardWireError`.
- Files are compared by their sha256, and copied again if they differ.
- Frames of a stream have a CRC each; damaged ones are dropped and counted.
- Text that a program prints is shown as it comes: MicroPython sends no check sum with it.
"""

import ast
import binascii
import contextlib
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgekit.board.rawrepl import RawRepl, Silence, Transport
from edgekit.bytecode import ARCHES
from edgekit.errors import BoardCodeError, BoardError, BoardLostError, BoardWireError

__all__ = ["Board", "BoardInfo"]

_COPY_BYTES = 4096
_STEP_S = 10.0  # one step of a copy: longer silence means that the board is gone
_ATTEMPTS = 3


@dataclass(frozen=True)
class BoardInfo:
    """What a board is.

    Attributes
    ----------
    name : str
        For example ``"ESP32 DevKit (simulated)"``.
    mcu, arch : str
        The chip; the architecture for ``mpy-cross``, empty if the board runs bytecode only.
    micropython : str
        Version, for example ``"1.27.0"``.
    mpy : tuple of int
        Version of the ``.mpy`` files it loads, for example ``(6, 3)``.
    heap_free, flash_free : int
        Bytes.
    kind : str
        ``"simulated"`` or ``"board"``: say it beside every figure.
    flash_block : int
        Bytes: a file takes whole blocks of this size.
    """

    name: str
    mcu: str
    arch: str
    micropython: str
    mpy: tuple[int, int]
    heap_free: int
    flash_free: int
    kind: str
    flash_block: int = 512


# --- programs for the board. Each is a function that is removed after use: they leave no names behind.

_INFO = """\
def _edgekit():
    import gc, os, sys
    try:
        machine = os.uname().machine
    except AttributeError:
        machine = getattr(sys.implementation, "_machine", sys.platform)
    gc.collect()
    disk = os.statvfs("/")
    mpy = getattr(sys.implementation, "_mpy", 0)
    return machine, sys.implementation.version[:3], mpy, gc.mem_free(), disk[0], disk[3]
"""

_MEMORY = """\
def _edgekit():
    import gc, micropython, sys
    gc.collect()
    print("free", gc.mem_free(), "blocks of", 16 if sys.maxsize < 1 << 32 else 32)
    micropython.mem_info()
"""

# The board's half of a copy.
_COPY = """\
def _edgekit_copy(path, size):
    import os, hashlib, binascii
    temporary = path + ".new"
    try:
        os.remove(temporary)  # of a copy that was broken off
    except OSError:
        pass
    disk = os.statvfs("/")
    if disk[0] * disk[3] < size:
        raise OSError(28)
    at = 0
    while True:
        at = path.find("/", at + 1)
        if at < 0:
            break
        try:
            os.mkdir(path[:at])
        except OSError:
            pass
    file = open(temporary, "wb")
    def add(text):
        data = binascii.a2b_base64(text)
        if file.write(data) != len(data):
            raise OSError(28)
    def end(expected):
        file.close()
        check = hashlib.sha256()
        buffer = bytearray(512)
        with open(temporary, "rb") as copy:
            while True:
                n = copy.readinto(buffer)
                if not n:
                    break
                check.update(memoryview(buffer)[:n])
        found = binascii.hexlify(check.digest()).decode()
        if found != expected:
            os.remove(temporary)
            raise ValueError("sha256 of the copy is " + found)
        try:
            os.rename(temporary, path)
        except OSError:  # FAT does not replace
            os.remove(path)
            os.rename(temporary, path)
    def stop():
        file.close()
        try:
            os.remove(temporary)
        except OSError:
            pass
    return add, end, stop
"""

_GET = """\
def _edgekit(path):
    import binascii, hashlib
    sha = hashlib.sha256()
    with open(path, 'rb') as file:
        print('-')  # before it, timers may have printed
        while True:
            data = file.read(1536)
            if not data:
                break
            sha.update(data)
            print(binascii.b2a_base64(data).decode(), end='')
    print(binascii.hexlify(sha.digest()).decode())
"""

_HASH = """\
def _edgekit(path):
    import hashlib, binascii
    sha = hashlib.sha256()
    buffer = bytearray(512)
    try:
        with open(path, "rb") as file:
            while True:
                n = file.readinto(buffer)
                if not n:
                    return binascii.hexlify(sha.digest()).decode()
                sha.update(memoryview(buffer)[:n])
    except OSError:
        return ""
"""

_REMOVE = """\
def _edgekit(path):
    import os
    if os.stat(path)[0] & 0x4000:
        for entry in list(os.ilistdir(path)):
            _edgekit(path + '/' + entry[0])
        os.rmdir(path)
    else:
        os.remove(path)
"""

# Bytes that are free, bytes in all, and the largest files.
_ROOM = """\
def _edgekit(folder=""):
    import os
    found = []
    for entry in os.ilistdir(folder or "/"):
        path = folder + "/" + entry[0]
        found += _edgekit(path) if entry[1] & 0x4000 else [(os.stat(path)[6], path)]
    if folder:
        return found
    disk = os.statvfs("/")
    return disk[0] * disk[3], disk[1] * disk[2], sorted(found)[-3:]
"""

# A value, its length and its check sum.
_CHECKED = "(lambda t:print(t,len(t),__import__('binascii').crc32(t.encode()),sep='\\n'))(repr(%s))"


class Board:
    """A MicroPython board. Made by :func:`edgekit.connect`; also a context manager.

    Parameters
    ----------
    transport : Transport
        Bytes to and from its UART.
    """

    kind = "board"
    world = None
    """What the board senses, where this program can say it: of a :class:`~edgekit.board.simulated.SimulatedBoard` alone. A
    simulated board behind a port has its world elsewhere."""
    _heap_grows = True  # where MicroPython says how much more it can take

    def __init__(self, transport: Transport):
        self._machine = ""
        self._closed = False
        self._start(transport)

    def _start(self, transport):
        self._transport = transport
        self._repl = RawRepl(transport)
        self._repl.enter()

    def _open(self) -> Transport:
        """The way to the board, opened anew."""
        raise BoardError("This board cannot connect again: make a new one.")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def __repr__(self):
        return f"<{type(self).__name__} {self.name}>"

    @property
    def name(self) -> str:
        """What the board calls itself."""
        if not self._machine:
            self._machine = self.info.name
        return self._machine

    # --- code ----------------------------------------------------------------------------------------------

    def exec(self, code: str, on_output: Callable[[str], None] | None = None,
             timeout_s: float | None = None) -> str:
        """Run code on the board and wait for its end.

        The text that it prints travels without a check sum. For a value that must be right, take :meth:`eval`.

        Parameters
        ----------
        code : str
            MicroPython source; names it sets stay there for the next call.
        on_output : callable, optional
            Gets the printed text as it comes.
        timeout_s : float, optional
            Longest silence before the board counts as lost. None: wait for ever.

        Returns
        -------
        str
            What the code printed.

        Raises
        ------
        BoardCodeError
            The code raised an exception; it holds the board's traceback.
        BoardLostError
            The board stopped answering, or (`BoardRestartedError`) restarted; ``output`` is what came before.
        BoardWireError
            Bytes were lost or changed on the way; ``output`` is what came before.
        BoardBusyError
            A program runs already, for another thread or a stream that is still open.
        KeyboardInterrupt
            ctrl-C here: the code on the board was interrupted, the board is usable, its names are kept.
        """
        text = _Text(on_output)
        try:
            error = self._run(code, text.add, timeout_s)
        except (BoardLostError, BoardWireError) as lost:
            lost.output = text.finish()
            raise
        output = text.finish()
        if error:
            raise BoardCodeError(error, output)
        return output

    def eval(self, expression: str):
        """Value of an expression on the board, for values that ``repr`` writes as Python does.

        Examples
        --------
        >>> import edgekit
        >>> with edgekit.connect("sim") as board:
        ...     board.eval("[2 ** 10, 'text', (1.5, None)]")
        Simulated ESP32 DevKit ...
        [1024, 'text', (1.5, None)]
        """
        return self._value(self.exec, expression)

    def _value(self, run, expression, before="", after=""):
        text = _checked(run(f"{before}\n{_CHECKED % expression}\n{after}"))
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            raise BoardError(f"{expression!r} is {text!r} on the board, and that cannot become a Python value "
                             "here: numbers, text, bytes, lists, tuples and dicts can.") from None

    def run(self, app: str, on_output: Callable[[str], None] | None = None, timeout_s: float | None = None,
            **settings) -> str:
        """Run an app and wait for its end. One of ``firmware/apps`` is installed first, see :meth:`install`.

        Parameters
        ----------
        app : str
            Name, for example ``"sensor_loop"``, or of your own ``/apps/NAME.py`` on the board.
        on_output, timeout_s
            As in :meth:`exec`.
        **settings
            Given to the app's ``main``.

        Returns
        -------
        str
            What it printed.
        """
        code = _call(app, settings)
        with self._repl.turn.hold():
            self._install_ours(app)
            return self.exec(code, on_output, timeout_s)

    def _install_ours(self, app):
        from edgekit.board.install import apps
        own = app not in apps() and any(self.hashes([f"/apps/{app}.py", f"/apps/{app}.mpy"]).values())
        if not own:
            # Operators come with a model. If there is no such app, the error names those there are.
            self.install(app, modules={"tflite_micro": ()})

    def stream(self, app: str, on_text: Callable[[str], None] | None = None, timeout_s: float | None = 30.0,
               **settings) -> Iterator:
        """Run an app that sends frames. One of ``firmware/apps`` is installed first, see :meth:`install`.

        Parameters
        ----------
        app : str
            Name of the app.
        on_text : callable, optional
            Gets the text that the app prints between frames; None prints it here.
        timeout_s : float, optional
            Longest silence before the board counts as lost.
        **settings
            Given to the app's ``main``.

        Yields
        ------
        Frame
            ``(type, seq, payload)`` as ``firmware/lib/frames.py`` defines it. Closing the iterator, an exception or
            ctrl-C interrupts the app; the board is then at its prompt. Until then the board is busy for everyone
            else. ``lost`` and ``damaged`` of the last stream are in :attr:`stream_lost` and
            :attr:`stream_damaged`.
        """
        from edgekit.twin import board_module
        frames = board_module("frames")
        decoder = frames.Decoder()
        text = _Text(on_text or (lambda part: print(part, end="")))
        self.stream_lost = self.stream_damaged = 0
        repl = self._repl
        code = _call(app, settings)
        self._install_ours(app)
        try:
            repl.start(code)
            for part in repl.parts(timeout_s):
                for item in decoder.feed(part):
                    self.stream_lost, self.stream_damaged = decoder.lost, decoder.damaged
                    if isinstance(item, frames.Frame):
                        yield item
                    else:
                        text.add(bytes(item))
            error = repl.end()
        finally:
            self.stream_lost, self.stream_damaged = decoder.lost, decoder.damaged
            text.finish()
            if repl.turn.running:
                # A board that has gone meanwhile says so on the next call.
                with contextlib.suppress(BoardError):
                    repl.stop()
        if error:
            raise BoardCodeError(_lines(error), "")

    def reset(self):
        """Restart MicroPython: all names on the board are gone, files stay; ``boot.py`` runs, ``main.py`` not."""
        self._repl.soft_reset()

    def interrupt(self):
        """Stop whatever runs on the board and bring it to its prompt.

        A program that another thread waits for ends there with ``KeyboardInterrupt``.
        """
        turn = self._repl.turn
        if turn.running and not turn.is_mine():
            self._repl.interrupt()
        else:
            self._repl.enter()

    def reconnect(self):
        """Connect again after a :class:`BoardLostError`: the cable is plugged in again, or reset was pressed.

        The one way back, for a board on a port and for a simulated one. Files are as they were last closed, names are
        gone; ``board`` is the same object.

        Raises
        ------
        BoardError
            The board is still not there, or was closed here.
        """
        if self._closed:
            raise BoardError("This board was closed. Connect to it anew: board = edgekit.connect().")
        with contextlib.suppress(BoardError, OSError):
            self._transport.close()
        transport = self._open()
        try:
            self._start(transport)
        except BaseException:
            transport.close()
            raise

    # --- files ---------------------------------------------------------------------------------------------

    def put(self, local, remote: str, progress: Callable[[int, int], None] | None = None):
        """Copy a file to the board; the old file stays until the new one is there and checked.

        Parameters
        ----------
        local : path or bytes
            A file here, or its contents.
        remote : str
            Path on the board; missing folders are made.
        progress : callable, optional
            Gets bytes done and bytes in all, after each step.

        Raises
        ------
        BoardError
            The local file is missing, or the board has no room.
        BoardLostError
            The board stopped answering; the old file is still there.
        """
        data = bytes(local) if isinstance(local, (bytes, bytearray, memoryview)) else _read(local)
        remote = _absolute(remote)
        with self._repl.turn.hold():
            self._again(lambda: self._copy(data, remote, progress), unless=lambda: self._is_there(data, remote),
                        what=f"a copy of {len(data)} bytes to {remote}")

    def _is_there(self, data, remote):
        return self.hashes([remote])[remote] == hashlib.sha256(data).hexdigest()

    def _copy(self, data, remote, progress):
        try:
            try:
                self._quick(f"{_COPY}\n_edgekit_copy = _edgekit_copy({remote!r}, {len(data)})")
                for start in range(0, len(data), _COPY_BYTES):
                    part = data[start:start + _COPY_BYTES]
                    self._quick(f"_edgekit_copy[0]({_base64(part)!r})")
                    if progress:
                        progress(start + len(part), len(data))
                self._quick(f"_edgekit_copy[1]({hashlib.sha256(data).hexdigest()!r})\ndel _edgekit_copy")
            except (BoardCodeError, KeyboardInterrupt):
                self._quick("(lambda c:type(c)is tuple and c[2]())(globals().pop('_edgekit_copy',0))")
                raise
        except BoardLostError as error:
            raise type(error)(f"{error} {remote} was not copied; the old file, if there was one, is still there."
                              ) from error
        except BoardCodeError as error:
            full = _is_full(error)
            reason = self._room(len(data)) if full else _reason(error)
            raise BoardError(f"Could not copy {len(data)} bytes to {remote} on the board: {reason}. "
                             "The old file, if there was one, is still there.") from error

    def _room(self, size):
        """Why a file does not fit, and what could make room."""
        free, total, largest = self._ask("_edgekit()", _ROOM)
        text = f"its flash is full, {free} bytes are free"
        if 0 < total < size or not largest:
            return f"{text} of {total}: the board is too small for it"
        return (f"{text} (a file that is replaced stays until the new one is checked). Make room, the largest files "
                "are: " + ", ".join(f"board.remove({path!r}) ({size} bytes)" for size, path in reversed(largest)))

    def get(self, remote: str, local=None) -> bytes:
        """Copy a file from the board.

        Parameters
        ----------
        remote : str
            Path on the board.
        local : path, optional
            Where to write it here.

        Returns
        -------
        bytes
            Its contents.
        """
        remote = _absolute(remote)
        try:
            data = self._again(lambda: self._fetch(remote), what=f"a copy of {remote}")
        except BoardCodeError as error:
            raise BoardError(f"Could not read {remote} on the board: {_reason(error)}. "
                             f"See what is there: board.ls('/').") from error
        if local is not None:
            from edgekit.paths import atomic_write
            with atomic_write(local) as temporary:
                temporary.write_bytes(data)
        return data

    def _fetch(self, remote):
        text = self._quick(f"{_GET}try:\n _edgekit({remote!r})\nfinally:\n del _edgekit").rpartition("-")[2]
        *lines, found = text.split() or [""]
        try:
            data = b"".join(binascii.a2b_base64(line) for line in lines)
        except ValueError:
            data = None
        if data is None or hashlib.sha256(data).hexdigest() != found:
            raise BoardWireError(f"{remote} arrived damaged: its sha256 here is not that on the board. Try again; if "
                                 "this repeats, use a shorter cable or another USB port.")
        return data

    def ls(self, path: str = "/") -> list[str]:
        """Names in a folder of the board, sorted; folders end with ``/``.

        Raises
        ------
        BoardError
            There is no such folder.
        """
        try:
            entries = self._ask(f"[(e[0], e[1]) for e in __import__('os').ilistdir({_absolute(path)!r})]")
        except BoardCodeError as error:
            raise BoardError(f"No folder {path!r} on the board: {_reason(error)}. "
                             "See what is there: board.ls('/').") from error
        return sorted(name + "/" if kind & 0x4000 else name for name, kind in entries)

    def remove(self, path: str):
        """Remove a file, or a folder with all that is in it.

        Raises
        ------
        BoardError
            It does not exist.
        """
        path = _absolute(path).rstrip("/")
        code = f"{_REMOVE}try:\n _edgekit({path!r})\nfinally:\n del _edgekit"
        try:
            self._again(lambda: self._quick(code), what=f"to remove {path}",
                        unless=lambda: not self._ask(f"{path.rpartition('/')[2]!r} in "
                                                     f"__import__('os').listdir({path.rpartition('/')[0] or '/'!r})"))
        except BoardCodeError as error:
            raise BoardError(f"Could not remove {path!r} on the board: {_reason(error)}. "
                             "See what is there: board.ls('/').") from error

    def hashes(self, paths: list[str]) -> dict[str, str]:
        """sha256 (hex) of files on the board; empty text for those that are not there."""
        paths = [_absolute(path) for path in paths]
        return dict(zip(paths, self._ask(f"[_edgekit(path) for path in {paths!r}]", _HASH), strict=True))

    def install(self, app: str | Path | None = None, progress: bool = False, modules: dict | None = None) -> list[str]:
        """Copy an app and all that it imports, compiled, skipping what is there already.

        Of the board tables an app brings the one of this board.

        Parameters
        ----------
        app : str or pathlib.Path, optional
            Name of an app of ``firmware/apps``; the path of an app of your own installs what that imports, without
            itself; None installs the libraries alone.
        progress : bool
            Print one line for each file.
        modules : dict of str to collection of str, optional
            Of these packages only the modules named, those that something imports, and those that are there already:
            ``{"tflite_micro": edgekit.tflite.modules(model)}`` brings the operators of one model. Other packages come
            whole.

        Returns
        -------
        list of str
            Paths on the board that were written.
        """
        from edgekit.board.install import install
        with self._repl.turn.hold():
            return install(self, app, progress, modules)

    # --- about ---------------------------------------------------------------------------------------------

    @property
    def info(self) -> BoardInfo:
        """What the board is and has free, asked anew each time."""
        machine, version, mpy, heap, block, blocks = self._ask("_edgekit()", _INFO)
        arch = ARCHES[mpy >> 10 & 0xF] if mpy >> 10 & 0xF < len(ARCHES) else ""
        name, _, mcu = machine.partition(" with ")
        return BoardInfo(name=name, mcu=mcu or machine, arch=arch, micropython=".".join(map(str, version)),
                         mpy=(mpy & 0xFF, mpy >> 8 & 3), heap_free=heap, flash_free=block * blocks, kind=self.kind,
                         flash_block=block)

    def largest_free(self) -> int | None:
        """Bytes of the largest object that still fits into memory, after a garbage collection.

        A model file and its arena need memory in one piece each. Free memory may lie in many small pieces.

        Returns
        -------
        int or None
            None where the port does not tell.
        """
        try:
            said = self._quick(f"{_MEMORY}try:\n _edgekit()\nfinally:\n del _edgekit")
        except BoardCodeError:
            return None
        return _largest_free(said, self._heap_grows)

    def close(self):
        """Let go of the board; with a real one, it gets its friendly prompt back."""
        self._closed = True
        self._transport.close()
        self._repl.turn.end()

    # --- inside --------------------------------------------------------------------------------------------

    def _run(self, code, on_bytes, timeout_s) -> str:
        """Run code; returns its traceback, empty if it ended well."""
        repl = self._repl
        with repl.turn.hold():
            try:
                repl.start(code)
                for part in repl.parts(timeout_s):
                    on_bytes(part)
                return _lines(repl.end())
            except BoardError:
                raise
            except BaseException:  # ctrl-C, or a mistake in what gets the output
                if repl.turn.running or not repl.ready:
                    repl.enter()
                raise

    def _quick(self, code) -> str:
        """Run code that should not take long."""
        with self._repl.turn.hold():
            try:
                return self.exec(code, timeout_s=_STEP_S)
            except Silence:
                raise self._repl.mishap("an answer") from None

    def _ask(self, expression, before=""):
        """Value of an expression that only looks; asked again if the answer was damaged."""
        after = "del _edgekit" if before else ""
        return self._again(lambda: self._value(self._quick, expression, before, after), what="an answer")

    def _again(self, action, what, unless=lambda: False):
        """Do something; if bytes were lost on the way do it again, unless it turns out to be done."""
        with self._repl.turn.hold():
            for left in reversed(range(_ATTEMPTS)):
                try:
                    return action()
                except BoardWireError as error:
                    if not left:
                        raise BoardWireError(f"{error} (Tried {_ATTEMPTS} times: {what}.)") from error
                    if unless():
                        return None


class _Text:
    """Bytes of a UART into text: UTF-8 cut anywhere, CR LF."""

    def __init__(self, on_text):
        import codecs
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._on_text = on_text
        self._parts = []
        self._held = ""

    def add(self, data, final=False):
        text = self._held + self._decode(data, final)
        # A CR at the end may be half of a line end.
        self._held = "\r" if text.endswith("\r") and not final else ""
        text = text[:len(text) - len(self._held)].replace("\r\n", "\n")
        if text:
            self._parts.append(text)
            if self._on_text:
                self._on_text(text)

    def finish(self):
        self.add(b"", final=True)
        return "".join(self._parts)


def _lines(data: bytes) -> str:
    return data.decode(errors="replace").replace("\r\n", "\n")


def _call(app, settings):
    if not app.isidentifier():
        raise BoardError(f"An app's name was expected, such as 'capture'; {app!r} is none.")
    arguments = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    return f"from apps.{app} import main\nmain({arguments})"


def _largest_free(said: str, grows: bool) -> int | None:
    """The largest free block by what `_MEMORY` printed.

    >>> _largest_free("free 2000 blocks of 16\\nGC: total: 9000, max new split: 1500\\n max free sz: 20", True)
    1500
    """
    block = re.search(r"max free sz: (\d+)", said)
    free = re.search(r"free (\d+) blocks of (\d+)", said)
    if not block or not free:
        return None
    split = re.search(r"max new split: (\d+)", said)  # the heap of an ESP32 grows by whole pieces
    largest = max(int(block[1]) * int(free[2]), int(split[1]) if split and grows else 0)
    return min(largest, int(free[1]))


def _absolute(path: str) -> str:
    return path if path.startswith("/") else "/" + path


def _checked(output: str) -> str:
    """The text of a value that came with its length and check sum, after whatever was printed before."""
    try:
        rest, size, check = output.rstrip("\n").rsplit("\n", 2)
        text = rest[len(rest) - int(size):]
        if binascii.crc32(text.encode()) == int(check):
            return text
    except ValueError:
        pass
    raise BoardWireError("The board's answer arrived damaged: its check sum is wrong. The board has run what was "
                         "asked; ask again. If this repeats, use a shorter cable or another USB port.")


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


def _read(local) -> bytes:
    try:
        return Path(local).read_bytes()
    except OSError as error:
        raise BoardError(f"Cannot read {str(local)!r} here to copy it to the board: {error.strerror}.") from None


_REASONS = {"ENOENT": "there is no such file or folder", "EISDIR": "that is a folder",
            "ENOTDIR": "a part of the path is a file"}


def _is_full(error: BoardCodeError) -> bool:
    return error.reason.startswith("OSError") and ("ENOSPC" in error.reason or error.reason.endswith(" 28"))


def _reason(error: BoardCodeError) -> str:
    for mark, text in _REASONS.items():
        if mark in error.reason:
            return text
    return error.reason
