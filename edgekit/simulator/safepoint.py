"""When a running MicroPython process may be interrupted.

The Unix port raises ``KeyboardInterrupt`` in the signal handler itself, whatever the process was doing. In the middle
of the garbage collector or of an allocation that leaves the heap locked or broken: in a loop that allocates, one ctrl-C
in four. So the process is stopped for a moment and looked at, until it is in a system call, in the interpreter's own
loop or in native code; only there it gets the signal. Linux tells where a stopped process is; elsewhere the signal is
sent at once.
"""

import contextlib
import functools
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["interrupt"]

_LONGEST_S = 2.0  # a long call of C code has no such place: then it is interrupted where it is
_BETWEEN_S = 0.001
_LOOKS = 120
# Many kinds of bytecode, and little else.
_LOOP = """
def f(a, b, t, l):
 while True:
  c = a
  if c is b or not a:
   c = b
  if a < b and b:
   x, y = t
   c = l[0]
  try:
   a = b + 1
  finally:
   b = -a
  for i in t:
   l[1] = i
   a, b = b, a
f(1, 2, (1, 2), [1, 2])
"""


def interrupt(pid: int, program: str):
    """Raise ``KeyboardInterrupt`` in a running MicroPython.

    Parameters
    ----------
    pid : int
        Its process.
    program : str
        The program that it runs.
    """
    try:
        loop = _interpreter_loop(program) if sys.platform == "linux" else None
        end = time.monotonic() + _LONGEST_S
        while loop and time.monotonic() < end:
            with _Stopped(pid) as stopped:
                if stopped.is_safe(loop):
                    os.kill(pid, signal.SIGINT)
                    return
            time.sleep(_BETWEEN_S)
    except ProcessLookupError:
        return
    except OSError:
        pass
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)


class _Stopped:
    """A process, as long as it is stopped."""

    def __init__(self, pid):
        self._pid = pid
        self._folder = Path(f"/proc/{pid}")

    def __enter__(self):
        os.kill(self._pid, signal.SIGSTOP)
        while self._state() not in "TtZX":
            time.sleep(0.0001)
        return self

    def __exit__(self, *error):
        os.kill(self._pid, signal.SIGCONT)

    def _state(self):
        try:
            return (self._folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return "X"

    def registers(self):
        """(stack pointer, address) of where it computes; None in a system call."""
        words = (self._folder / "syscall").read_text().split()
        if len(words) < 3:
            raise OSError("the system does not tell where a process is")
        return (int(words[1], 16), int(words[2], 16)) if words[0] == "-1" else None

    def is_safe(self, loop):
        registers = self.registers()
        if registers is None:
            return True
        place = self.place(registers[1])
        return place is not None and (place[0] == "" or place[0] == loop[0] and loop[1] <= place[1] <= loop[2])

    def place(self, address):
        """(file, offset in it) of an address; the file is empty for memory with native code."""
        for line in (self._folder / "maps").read_text().splitlines():
            bounds, rights, offset, _, _, *name = line.split(maxsplit=5)
            start, end = (int(bound, 16) for bound in bounds.split("-"))
            if start <= address < end:
                return (name[0] if name else "", address - start + int(offset, 16)) if "x" in rights else None
        return None


@functools.cache
def _interpreter_loop(program):
    """(file, first, last offset) of the function that executes bytecode; None if the system does not tell."""
    process = subprocess.Popen([program, "-c", _LOOP], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    seen = []
    try:
        time.sleep(0.01)
        for _ in range(_LOOKS):
            with _Stopped(process.pid) as stopped:
                if registers := stopped.registers():
                    seen.append((registers[0], stopped.place(registers[1])))
            time.sleep(_BETWEEN_S)
    except OSError:
        return None
    finally:
        process.kill()
        process.wait()
    if len(seen) < _LOOKS // 2:
        return None
    # What it calls has the stack pointer elsewhere.
    stack = statistics.mode(stack for stack, _ in seen)
    places = [place for pointer, place in seen if pointer == stack]
    return places[0][0], min(place[1] for place in places), max(place[1] for place in places)
