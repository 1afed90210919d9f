"""The second engine of the simulated board: MicroPython's Unix port, where one is installed.

It has what WebAssembly lacks: a garbage collector that runs while code runs, a heap that ends where the board's ends,
and native code (``@micropython.viper``). The process has three pipes more than usual: one takes what programs read
from the UART, two carry requests and answers (``unix/_host.py`` says in which form). The raw REPL is spoken here, the
friendly prompt is the Unix port's own. A soft reset is a new process.
"""

import contextlib
import errno
import fcntl
import functools
import os
import queue
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

from edgekit.errors import BoardLostError, SetupError
from edgekit.simulator import bus, safepoint
from edgekit.simulator.engine import Engine, _running

__all__ = ["find_micropython", "UnixEngine"]

_FOLDER = Path(__file__).resolve().parent
_OLDEST = (1, 19)
_HOW_TO_GET = ("Debian 13 and Ubuntu: `sudo apt install micropython`; conda: `conda install -c conda-forge micropython`; "
               "macOS: `brew install micropython`. Or name it in $EDGEKIT_MICROPYTHON.")

# Requests of unix/_host.py and rom/_bus.py to the engine itself.
(_NEXT, _POLL, _STATVFS, _FILE_OPEN, _FILE_CLOSE, _BYE, _END, _UART, _KEYBOARD, _WALL, _WATCHDOG,
 _WAKE) = range(60, 72)
_HARD_RESET, _RTC_WRITE, _RTC_READ = 120, 121, 122
_PARTS_FOLLOW, _PART = 0x80, 0x80000000
_PWRON_RESET, _WDT_RESET, _SOFT_RESET = 1, 3, 5
# What an ESP32's boot loader says, as in host.mjs.
_BOOT_LOADER = {1: "0xf (RTCWDT_BROWN_OUT_RESET)", 2: "0xc (SW_CPU_RESET)", 3: "0xc (SW_CPU_RESET)",
                4: "0x5 (DEEPSLEEP_RESET)"}
_NEVER = 1 << 60
_FLAG_INTERRUPT, _FLAG_REAL = 1, 2
_HEAD = struct.Struct("<IQ")
_ANSWER = struct.Struct("<BBBxI")

_CTRL_A, _CTRL_B, _CTRL_C, _CTRL_D, _CTRL_E = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"
_PLAIN = re.compile(rb"[^\x01-\x05]*")
_WINDOW = 2048
_RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
_PROMPT = re.compile(rb"(?:^|\n)(?:>>> |\.\.\. |=== ) *$")
_OWN_LINE = re.compile(rb'^  File "_board\.py".*\n', re.M)
# ctrl-C goes with the answer to the board's next request; if none comes so soon, as a signal.
_SIGNAL_AFTER_S = 0.02
# At the friendly prompt a signal would end the process: the prompt gets longer to come back.
_SIGNAL_AT_PROMPT_AFTER_S = 0.15
# A line that was entered at the friendly prompt runs for longer than that: what comes now is its input.
_BUSY_AFTER_S = 0.05
_TEMPORARY = ".edgekit-tmp-"


def _once(function):
    """As functools.cache, but several threads do the work once."""
    cached, lock = functools.cache(function), threading.Lock()

    def call(*arguments):
        with lock:
            return cached(*arguments)

    return call


@_once
def _about(program: str) -> tuple[tuple[int, ...], str] | None:
    """Version of a MicroPython program, and what its banner says; None if it is none."""
    code = ("import sys\nprint(sys.implementation.name, *sys.implementation.version[:3])\n"
            "print(sys.version.split('; ')[-1])")
    try:
        said = subprocess.run([program, "-c", code], capture_output=True, text=True, timeout=10).stdout.splitlines()
    except (OSError, subprocess.TimeoutExpired):
        return None
    if len(said) != 2 or not said[0].startswith("micropython "):
        return None
    return tuple(map(int, said[0].split()[1:])), said[1]


def find_micropython() -> str:
    """Path of the MicroPython program for this computer.

    ``$EDGEKIT_MICROPYTHON`` comes first, then one beside this Python, as conda has it, then the ``PATH``.

    Raises
    ------
    SetupError
        There is none, or it is too old.
    """
    if os.name == "nt":
        raise SetupError("engine='unix' runs on Linux and macOS only. Use engine='wasm'.")
    named = os.environ.get("EDGEKIT_MICROPYTHON")
    found = named or shutil.which("micropython", path=str(Path(sys.executable).parent)) or shutil.which("micropython")
    if not found:
        raise SetupError("engine='unix' needs a program 'micropython', and none was found beside this Python or in "
                         f"PATH. {_HOW_TO_GET} Or use engine='wasm'.")
    about = _about(found)
    if about is None or about[0] < _OLDEST:
        what = f"is {about[1]}" if about else "is not MicroPython"
        raise SetupError(f"engine='unix' needs MicroPython 1.19 or later, but {found} {what}. {_HOW_TO_GET} "
                         "Or use engine='wasm'.")
    return found


@_once
def _compiled_rom() -> Path:
    """Folder with the board's own modules as bytecode: the files of ``unix/``, and those of ``rom/`` beside them."""
    from edgekit.bytecode import compile_file
    folder = tempfile.TemporaryDirectory(prefix="edgekit-rom-", ignore_cleanup_errors=True)
    _keep.append(folder)
    sources = {path.name: path for rom in ("rom", "unix") for path in sorted((_FOLDER / rom).glob("*.py"))}
    for source in sources.values():
        (Path(folder.name) / source.with_suffix(".mpy").name).write_bytes(compile_file(source))
    return Path(folder.name)


_keep = []


@_once
def _heap_of_rom(program: str) -> int:
    """Bytes of heap in which the board's own modules can be read, beside what is a program's."""
    code = _start_code(str(_compiled_rom()), "", 1024, {"sys_platform": "", "machine": "", "build": ""})
    for kilobytes in range(150, 1000, 50):
        done = subprocess.run([program, "-X", f"heapsize={kilobytes}K", "-c", code, "1", "0", "0,0,0,0,0"],
                              env=_environment(), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30)
        if done.returncode == 0:
            return (kilobytes + 20) * 1024
    raise SetupError(f"{program} cannot run the simulated board: {(done.stderr or done.stdout).strip()[-300:]!r}. "
                     "Use engine='wasm'.")


def _start_code(flash, terminal, heap_bytes, profile, block=4096):
    import json
    return (f"import sys\nsys.path[:] = [{str(_compiled_rom())!r}]\n"
            f"__import__('_board').start(globals(), {flash!r}, {block}, {terminal!r}, {heap_bytes}, {json.dumps(profile)!r})\n")


def _environment():
    return {"TZ": "UTC0"}  # no HOME: the Unix port keeps a history file there


class UnixEngine(Engine):
    """One running MicroPython of the Unix port: a byte transport, as a serial port is.

    Parameters
    ----------
    options : dict
        ``flash`` (folder), ``flash_bytes``, ``clock``, ``free_heap_bytes`` (what a program finds) and ``profile``.
    transaction : callable
        ``transaction(request: bytes) -> bytes`` as in :mod:`edgekit.simulator.bus`.

    Raises
    ------
    SetupError
        There is no program ``micropython``; the message says how to get it.
    """

    def __init__(self, options: dict, transaction):
        self._program = find_micropython()
        # Its table of blocks takes a part of the heap: 2 bits for each 4 words.
        self._heap = int(options["free_heap_bytes"] * 1.02) + _heap_of_rom(self._program)
        self._options = options
        self._profile = options["profile"]
        self._flash = Path(options["flash"])
        self._flash_bytes = options["flash_bytes"]
        self._real = options["clock"] == "real"
        self._transaction = transaction
        self._arrived = queue.SimpleQueue()
        self._ended = False
        self._closed = False
        self._errors = tempfile.TemporaryFile()
        self._time_us = self._wall_us = self._boot_us = 0
        self._time_at = time.monotonic()  # when the board said it
        self._cause, self._woken_by = _PWRON_RESET, 0
        self._rtc_memory = b""
        self._bite_us = _NEVER
        self._raw = False
        self._inbox = bytearray()   # UART bytes that came from outside and wait for the loop
        self._controls = []
        self._lock = threading.Lock()
        self._wake_read, self._wake_write = os.pipe()
        for descriptor in (self._wake_read, self._wake_write):
            os.set_blocking(descriptor, False)
        for left in self._flash.glob(_TEMPORARY + "*"):
            left.unlink()
        self._files = 0
        self.process = None
        try:
            self._start()
        except OSError as error:
            raise SetupError(f"{self._program} does not start: {error}. Use engine='wasm'.") from error
        _running.add(self)
        self._thread = threading.Thread(target=self._loop, name="edgekit-board", daemon=True)
        self._thread.start()

    # --- what others call ----------------------------------------------------------------------------------

    def write(self, data: bytes):
        """Send bytes to the board's UART."""
        if self._ended or self._closed:
            raise BoardLostError(self._why())
        with self._lock:
            self._inbox += data
        self._wake()

    def control(self, settings: dict):
        """Change the ``clock`` ("virtual" or "real") or ``flash_bytes``, or ``reset`` the board (a word that says why)."""
        with self._lock:
            self._controls.append(settings)
        self._wake()

    def close(self):
        """End the process, as pulling the cable of a real board would; do nothing the second time."""
        if self._closed:
            return
        self._closed = True
        _running.discard(self)
        self._wake()
        if threading.current_thread() is not self._thread:
            self._thread.join(2)
        self._stop()
        os.close(self._wake_read)
        os.close(self._wake_write)
        self._errors.close()

    def _wake(self):
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b"\0")

    # --- the process ---------------------------------------------------------------------------------------

    def _start(self):
        """Switch the power on: a new process, with a heap as fresh as its clock is old."""
        uart_read, self._uart = os.pipe()
        self._uart_rest = uart_read  # kept here too: what a program did not read belongs to the next one
        self._output, output = os.pipe()
        self._requests, requests = os.pipe()
        answers, self._answers = os.pipe()
        self._answers_rest = answers
        # The board opens this terminal, which makes it the one that controls it: when the engine goes, in whatever
        # way, the kernel hangs up and the board ends, even in a tight loop.
        self._master, terminal = os.openpty()
        os.set_blocking(self._uart, False)
        os.set_blocking(self._output, False)
        code = _start_code(str(self._flash.resolve()), os.ttyname(terminal), self._options["free_heap_bytes"],
                           self._profile, self._block()) \
            + "__import__('_board').ready()\n__import__('_board').loop()\n"
        self.process = subprocess.Popen(
            [self._program, "-X", f"heapsize={self._heap}", "-i", "-c", code, str(requests), str(answers),
             f"{self._time_us},{self._wall_us},{self._boot_us},{self._cause},{self._woken_by}"], stdin=uart_read, stdout=output, stderr=self._errors,
            pass_fds=(requests, answers), env=_environment(), cwd=self._flash, start_new_session=True)
        for descriptor in (output, requests, terminal):
            os.close(descriptor)
        self._state = "power"  # then "boot" (boot.py and main.py), "idle" (raw), "run", "friendly"
        self._asked = False    # the board waits for its next command
        names = ["boot.py"] if self._raw else ["boot.py", "main.py"]
        self._to_run = [name[:1].upper() for name in names if (self._flash / name).exists()]
        self._pending = bytearray()  # bytes of a request that has not come whole
        self._muted = False
        self._in_error = None        # the traceback, while the board prints it
        self._tail = b""
        self._last = b""
        self._held = bytearray()
        self._code = bytearray()
        self._paste = None
        self._keyboard = True
        self._ctrl_c_at = None
        self._typed = 0
        self._friendly_idle = False
        self._busy_at = 0.0
        self._parts, self._gathered = 0, b""

    def _stop(self):
        process, self._process_gone = self.process, True
        if process.poll() is None:
            process.kill()
        process.wait()
        for name in ("_uart", "_uart_rest", "_output", "_requests", "_answers", "_answers_rest", "_master"):
            descriptor = getattr(self, name)
            if descriptor is not None:
                os.close(descriptor)
                setattr(self, name, None)

    def _restart(self, said=b"MPY: soft reboot\r\n"):
        """A soft reset: names go, the clock and what the RTC holds stay."""
        self._take_output()
        self._stop()
        self._send_out(said)
        self._answer(bus.pack(bus.RESET, self._time_us))
        self._start()

    def _hard_reset(self, cause, woken_by=0, brown_out=False):
        self._raw = False
        self._bite_us = _NEVER
        self._boot_us = self._time_us
        self._woken_by = woken_by
        said = ""
        if brown_out:
            self._rtc_memory = b""
            self._wall_us = -self._time_us
            said = "\r\nBrownout detector was triggered\r\n"
        self._cause = cause
        if self._profile["sys_platform"] == "esp32":
            said += f"\r\nrst:{_BOOT_LOADER[cause]},boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
        else:
            said = ""
        self._restart(said.encode())

    # --- the loop: all of it runs in one thread ------------------------------------------------------------

    def _loop(self):
        try:
            while not self._closed:
                waits = [] if self._ctrl_c_at is None else [self._signal_at()]
                if self._inbox and self._state == "friendly" and not self._muted:
                    waits.append(self._busy_at + _BUSY_AFTER_S)
                bite_at = self._time_at + (self._bite_us - self._time_us) / 1e6
                if self._real and self._bite_us < _NEVER:
                    waits.append(bite_at)
                wait = max(0, min(waits) - time.monotonic()) if waits else None
                ready = select.select([self._output, self._requests, self._wake_read], [], [], wait)[0]
                if self._closed:
                    break
                if self._output in ready:
                    self._take_output()
                if self._wake_read in ready:
                    self._take_wake()
                if self._requests in ready and not self._take_requests():
                    if self._state != "friendly" or self.process.wait() < 0:
                        break
                    self._cause = _SOFT_RESET
                    self._restart()  # ctrl-D or sys.exit() at the friendly prompt
                if self._ctrl_c_at is not None and time.monotonic() >= self._signal_at():
                    self._signal()
                if self._real and self._bite_us < _NEVER and time.monotonic() >= bite_at:
                    self._hard_reset(_WDT_RESET)
                self._take_input()
        except (OSError, ValueError):
            if not self._closed:
                raise
        finally:
            self._ended = True
            self._arrived.put(b"")

    def _take_wake(self):
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        with self._lock:
            controls, self._controls = self._controls, []
        for control in controls:
            if "clock" in control:
                self._real = control["clock"] == "real"
            if "flash_bytes" in control:
                self._flash_bytes = control["flash_bytes"]
            if "reset" in control:
                self._hard_reset(_PWRON_RESET, brown_out=True)

    # --- what the board prints -----------------------------------------------------------------------------

    def _take_output(self):
        """All that the board has printed so far."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._output, 65536):
                self._printed(data)

    def _printed(self, data):
        if self._in_error is not None:
            self._in_error += data
            return
        self._tail = (self._tail + data)[-16:]
        if self._state == "friendly" and _PROMPT.search(self._tail):
            self._friendly_idle = True
            if self._muted:
                self._muted = False
                self._send_out(self._banner())
                return
        if not self._muted:
            self._send_text(data)

    def _banner(self):
        return (f"\r\n{_about(self._program)[1]}; {self._profile['machine']}\r\n"
                'Type "help()" for more information.\r\n>>> ').encode()

    def _send_text(self, data):
        # A line ends with CR LF on a UART.
        text = re.sub(rb"(?<!\r)\n", b"\r\n", self._last + data)[len(self._last):]
        self._last = data[-1:] if data[-1:] == b"\r" else b""
        self._send_out(text)

    def _send_out(self, data):
        self._arrived.put(bytes(data))

    # --- requests ------------------------------------------------------------------------------------------

    def _take_requests(self):
        data = os.read(self._requests, 65536)
        if not data:
            return False
        self._pending += data
        process = self.process
        while process is self.process and len(self._pending) >= _HEAD.size:
            size, time_us = _HEAD.unpack_from(self._pending)
            end = _HEAD.size + (size & ~_PART)
            if len(self._pending) < end:
                break
            request = bytes(self._pending[_HEAD.size:end])
            del self._pending[:end]
            if size & _PART:
                self._gathered += request
                self._parts -= 1
            else:
                self._time_us = time_us
                self._time_at = time.monotonic()
                more = request[0] & _PARTS_FOLLOW
                self._parts = request[1] if more else 0
                self._gathered = bytes([request[0] & ~_PARTS_FOLLOW]) + request[2 if more else 1:]
            if self._parts == 0:
                self._request(self._gathered[0], self._gathered[1:])
        return True

    def _request(self, op, data):
        if op < _NEXT:
            answer = self._answer(bytes([op]) + struct.pack("<Q", self._time_us) + data)
            payload, number, irqs = bus.parse_answer(answer)
            self._reply(payload, number, irqs)
            return
        if op in (_END, _NEXT, _BYE, _UART):
            self._take_output()  # it was printed before
        if op == _NEXT:
            self._next()
        elif op == _BYE:
            if self._state == "run":
                self._send_out(_CTRL_D + _CTRL_D)
            self._cause = _SOFT_RESET
            self._restart()
        elif op == _HARD_RESET:
            self._take_output()
            self._hard_reset(data[0], data[1])
        elif op == _RTC_READ:
            self._reply(self._rtc_memory)
        elif op in (_STATVFS, _FILE_OPEN, _FILE_CLOSE):
            action = {_STATVFS: self._statvfs, _FILE_OPEN: self._file_open, _FILE_CLOSE: self._file_close}[op]
            try:
                self._reply(action(data))
            except OSError as error:
                self._reply(number=error.errno or errno.EIO)
        else:
            if op == _END:
                self._ctrl_c_at = None
                if self._state == "run":
                    self._send_out(_CTRL_D)
                if self._state in ("run", "boot"):
                    self._in_error = bytearray()
            elif op == _UART:
                self._send_out(data)
            elif op == _KEYBOARD:
                self._keyboard = data == _CTRL_C
            elif op == _WALL:
                self._wall_us = int(data)
            elif op == _WATCHDOG:
                self._bite_us = int(data)
            elif op == _WAKE:
                self._woken_by = int(data)
            elif op == _RTC_WRITE:
                self._rtc_memory = data
            self._reply()

    def _reply(self, payload=b"", number=0, irqs=()):
        flags = _FLAG_REAL if self._real else 0
        if self._ctrl_c_at is not None and self._state != "friendly":
            flags |= _FLAG_INTERRUPT
            self._ctrl_c_at = None
        data = _ANSWER.pack(number, len(irqs), flags, len(payload))
        data += bytes(value for irq in irqs for value in irq) + payload
        with contextlib.suppress(BrokenPipeError):
            while data:
                data = data[os.write(self._answers, data):]

    # --- the REPL ------------------------------------------------------------------------------------------

    def _next(self):
        """The board waits for a command: what ran has ended."""
        self._ctrl_c_at = None
        self._keyboard = True
        self._answer(bus.pack(bus.NOTE_TIME, self._time_us))
        self._take_back()
        if self._state in ("power", "boot"):
            self._in_error = self._flush_error()
            if self._to_run:
                self._command(self._to_run.pop(0).encode(), "boot")
                return
            with self._lock:
                self._inbox[:0] = self._held
            if not self._raw:
                self._friendly()
                return
            self._send_out(_RAW_BANNER)
        elif self._state == "run":
            if self._in_error is None:  # it was interrupted at its very end
                self._send_out(_CTRL_D)
            self._flush_error()
            self._send_out(_CTRL_D + b">")
        elif self._state == "friendly":  # back from it
            self._muted = False
            self._send_out(_RAW_BANNER)
        self._in_error = None
        self._state = "idle"
        self._asked = True
    def _take_back(self):
        """What the program did not read comes first in what the prompt reads."""
        if size := _unread(self._uart_rest):
            rest = os.read(self._uart_rest, size)
            with self._lock:
                self._inbox[:0] = rest

    def _flush_error(self):
        if self._in_error:
            self._send_text(_OWN_LINE.sub(b"", bytes(self._in_error)))

    def _command(self, data, state):
        self._asked = False
        self._state = state
        self._reply(data)

    def _friendly(self):
        self._raw = False
        self._muted = True
        self._tail = b""
        self._typed = 0
        self._friendly_idle = False
        self._busy_at = time.monotonic()
        self._command(b"F", "friendly")

    def _take_input(self):
        while True:
            with self._lock:
                data, self._inbox = self._inbox, bytearray()
            process = self.process
            while data:
                taken = self._input(data)
                del data[:taken]
                if not taken or process is not self.process:
                    break
            with self._lock:
                self._inbox[:0] = data
                if data and not taken or not self._inbox:
                    return

    def _input(self, data):
        """Take some bytes of the UART; returns how many, 0: not yet."""
        size = _PLAIN.match(data).end()  # without control characters
        byte = bytes(data[:1])
        if self._state == "friendly":
            return 1 if self._friendly_byte(byte) else 0
        if self._state == "power":  # what comes now is for the prompt
            self._held += data
            return len(data)
        if self._state == "idle" and not self._asked:
            return 0
        if self._state == "idle":
            if size and (self._paste or 1) > 0:
                return self._raw_text(data[:size])
            self._raw_byte(byte)
            return 1
        if byte == _CTRL_C and self._keyboard:
            if self._ctrl_c_at is None:
                self._ctrl_c_at = time.monotonic()
            return 1
        size = data.find(_CTRL_C, 1) if self._keyboard else -1
        size = size if size > 0 else len(data)
        with contextlib.suppress(BlockingIOError):  # a full UART drops bytes
            os.write(self._uart, data[:size])
        return size

    def _raw_text(self, data):
        if self._paste is None:
            self._raw = True
        else:
            data = data[:self._paste]
            self._paste -= len(data)
            if self._paste == 0:
                self._send_out(b"\x01")
                self._paste = _WINDOW
        self._code += data
        return len(data)

    def _raw_byte(self, byte):
        if self._paste is not None:
            self._paste_byte(byte)
        elif byte == _CTRL_E and not self._code:
            self._paste = -2
        elif byte == _CTRL_D:
            code, self._code = self._code, bytearray()
            self._send_out(b"OK")
            if code:
                self._command(b"R" + code, "run")
            else:
                self._send_out(b"\r\n")
                self._command(b"X", "idle")
        elif byte == _CTRL_A:
            self._code.clear()
            self._send_out(_RAW_BANNER)
        elif byte == _CTRL_B:
            self._code.clear()
            self._friendly()
        elif byte == _CTRL_C:
            self._code.clear()
        else:
            self._raw_text(byte)

    def _paste_byte(self, byte):
        if self._paste < 0:  # the two bytes after ctrl-E
            self._code += byte
            self._paste += 1
            if self._paste == 0:
                if bytes(self._code) == b"A\x01":
                    self._send_out(b"R\x01" + struct.pack("<H", _WINDOW) + b"\x01")
                    self._paste = _WINDOW
                else:
                    self._send_out(b"R\x00>")
                    self._paste = None
                self._code.clear()
        elif byte == _CTRL_C:
            self._paste = None
            self._code.clear()
            self._send_out(b"\x04\x04\x04>")
        elif byte == _CTRL_D:
            self._paste = None
            code, self._code = self._code, bytearray()
            self._send_out(_CTRL_D)
            self._command(b"R" + code, "run")
        else:  # a control character in a text
            self._raw_text(byte)

    def _friendly_byte(self, byte):
        if self._muted:
            return False  # on the way to or from the prompt
        if self._friendly_idle and byte == _CTRL_A and not self._typed:
            self._raw = True
            self._muted = True
            byte = b"__import__('_board').loop()\r"
            self._friendly_idle = False
        elif self._friendly_idle and byte == _CTRL_B and not self._typed:
            self._send_out(self._banner())
            return True
        elif byte == _CTRL_C and not self._friendly_idle and self._keyboard:
            if self._ctrl_c_at is None:
                self._ctrl_c_at = time.monotonic()
            return True
        elif not self._friendly_idle:
            if time.monotonic() < self._busy_at + _BUSY_AFTER_S:
                return False
        elif byte in b"\r\n" and not self._typed and self._tail.endswith(b">>> "):
            pass  # nothing runs: a new prompt comes
        elif byte in b"\r\n\x04" or byte == _CTRL_E:
            self._friendly_idle = False
            self._busy_at = time.monotonic()
            self._typed = 0
            self._tail = b""
        elif byte == _CTRL_C:
            self._typed = 0
        else:
            self._typed += 1
        with contextlib.suppress(BlockingIOError):
            os.write(self._uart, byte)
        return True

    def _signal_at(self):
        if self._state != "friendly":
            return self._ctrl_c_at + _SIGNAL_AFTER_S
        return self._ctrl_c_at + (0 if self._friendly_idle else _SIGNAL_AT_PROMPT_AFTER_S)

    def _signal(self):
        """Interrupt a program that asks for nothing: it computes, prints, or waits for input."""
        if self._state == "friendly" and self._friendly_idle:
            with contextlib.suppress(BlockingIOError):
                os.write(self._uart, _CTRL_C)
        elif self._pending or select.select([self._requests], [], [], 0)[0] or _unread(self._answers_rest):
            return  # in the middle of a request: the answer will say it
        else:
            safepoint.interrupt(self.process.pid, self._program)
        self._ctrl_c_at = None

    # --- flash ---------------------------------------------------------------------------------------------

    def _block(self):
        return 512 if self._options["flash_bytes"] < 128 * 1024 else 4096  # as in flash.mjs

    def _statvfs(self, data):
        block = self._block()
        used = 2
        for folder, folders, files in os.walk(self._flash):
            used += 2 * len(folders)
            for name in files:
                with contextlib.suppress(FileNotFoundError):
                    used += -(-os.path.getsize(os.path.join(folder, name)) // block)
        blocks = self._flash_bytes // block
        return struct.pack("<III", block, blocks, max(0, blocks - used))

    def _inside(self, path):
        return self._flash / os.path.normpath("/" + os.fsdecode(path)).lstrip("/")

    def _file_open(self, data):
        target = self._inside(data[1:])
        if target.is_dir():
            raise OSError(errno.EISDIR, "")
        os.stat(target.parent)
        old = target.stat().st_size if target.exists() else 0
        self._files += 1
        temporary = self._flash / f"{_TEMPORARY}{os.getpid()}-{self._files}"
        if data[0] == 0 or data[0] == 1 and not target.exists():
            temporary.write_bytes(b"")
            size = 0
        else:
            shutil.copyfile(target, temporary)
            size = old
        if data[0] == 0:
            # As on the board, a file opened for writing is empty from then on, but the old one comes back if
            # the power goes before it is closed.
            pass
        return struct.pack("<II", size, -(-old // self._block())) + temporary.name.encode()

    def _file_close(self, data):
        kind, size = data[0], data[1]
        temporary, target = self._flash / os.fsdecode(data[2:2 + size]), self._inside(data[2 + size:])
        if kind == 0:
            os.replace(temporary, target)
        elif kind == 1:
            copy = temporary.with_name(temporary.name + "-flushed")
            shutil.copyfile(temporary, copy)
            os.replace(copy, target)
        else:
            temporary.unlink()
        return b""


def _unread(descriptor) -> int:
    """Bytes that wait in a pipe."""
    return struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0\0\0\0"))[0]
