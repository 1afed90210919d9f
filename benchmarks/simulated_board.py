"""How fast the simulated board is on this computer: run ``python benchmarks/simulated_board.py``.

Where another program does the same, it does so in the same run, and its time stands beside: mpremote's own transport
over a pty. All times are this computer's; none is a board's.
"""

import os
import statistics
import threading
import time

import numpy as np

from edgekit.board.simulated import SimulatedBoard, power_on
from edgekit.simulator.chips.inmp441 import INMP441

_BYTES = 60_000
_SOUND_S = 10


def times_s(action, count):
    """Seconds of each of ``count`` runs."""
    seconds = []
    for _ in range(count):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return seconds


def row(what, seconds, unit="s", target=None):
    """One line of the table; ``target`` in its unit."""
    scale = {"s": 1, "ms": 1e3, "us": 1e6}[unit]
    median = statistics.median(seconds) * scale
    goal = "" if target is None else f", wanted below {target:g} {unit}: {'yes' if median < target else 'NO'}"
    print(f"{what:52} median {median:8.3f} {unit}, best {min(seconds) * scale:8.3f} {unit}{goal}")
    return statistics.median(seconds)


def start():
    """Start a board, wait for its first answer, close it."""
    with SimulatedBoard() as board:
        board.exec("")


def over_pipes():
    """What a notebook does."""
    row("start, first answer, close", times_s(start, 7), "s", 0.5)
    with SimulatedBoard() as board:
        row("exec round trip, pipes", times_s(lambda: board.exec("print(1)"), 200), "ms", 2)
        board.exec("from machine import I2C\ni = I2C(0)\nb = bytearray(14)\n"
                   "def read(n):\n for _ in range(n): i.readfrom_mem_into(0x68, 0x3b, b)")
        row("bus transaction (14 registers)", [t / 2000 for t in times_s(lambda: board.exec("read(2000)"), 5)], "us")
        data = os.urandom(_BYTES)
        row("put 60 kB, pipes", times_s(lambda: board.put(data, "/data.bin"), 7), "s", 0.5)
        row("get 60 kB, pipes", times_s(lambda: board.get("/data.bin"), 7), "s", 0.5)
        row("print 10000 lines", times_s(lambda: board.exec("for i in range(10000): print(i)"), 5), "s")
        board.install("capture")
        row("capture a minute, 100 Hz x 6, virtual clock",
            times_s(lambda: list(board.stream("capture", seconds=60)), 3), "s", 2)


def sound():
    """16 kHz from the world's microphone into a program's buffer."""
    with SimulatedBoard() as board:
        board.world.microphone(0, INMP441(board.world.sense_sound))
        board.world.set(sound=lambda time_s: 0.3 * np.sin(2 * np.pi * 440 * time_s))
        board.exec("from machine import I2S, Pin\nm = I2S(0, sck=Pin(14), ws=Pin(15), sd=Pin(32), mode=I2S.RX, bits=16, "
                   "format=I2S.MONO, rate=16000, ibuf=8000)\nb = bytearray(1024)\n"
                   f"def hear():\n for _ in range({_SOUND_S * 16000 // 512}): m.readinto(b)")
        seconds = times_s(lambda: board.exec("hear()"), 3)
        row(f"{_SOUND_S} s of 16 kHz sound, 512 samples at a time", seconds, "s", _SOUND_S)
        print(f"{'':52} {_SOUND_S / statistics.median(seconds):.1f} times as fast as real time")


def over_a_pty():
    """mpremote 1.29's transport and ours, one after the other on the same pty."""
    if os.name != "posix":
        print("SKIP: this system has no pseudo-terminals")
        return
    from mpremote.transport_serial import SerialTransport

    import edgekit
    from edgekit.simulator.ports import PtyPort, serve
    with power_on("esp32", clock="virtual") as engine:
        port = PtyPort()
        thread = threading.Thread(target=_serve, args=(serve, engine, port), daemon=True)
        thread.start()
        data = os.urandom(_BYTES)
        with edgekit.connect(port.name, quiet=True) as board:
            ours = row("exec round trip, pty", times_s(lambda: board.exec("print(1)"), 200), "ms", 2)
            ours_put = row("put 60 kB, pty", times_s(lambda: board.put(data, "/data.bin"), 5), "s", 0.5)
        theirs = SerialTransport(port.name)
        theirs.enter_raw_repl(soft_reset=False)
        other = row("exec round trip, pty, mpremote's SerialTransport", times_s(lambda: theirs.exec("print(1)"), 200), "ms")
        other_put = row("put 60 kB, pty, mpremote's SerialTransport",
                        times_s(lambda: theirs.fs_writefile("/data.bin", data), 5), "s")
        theirs.close()
        print(f"{'mpremote / ours':52} exec {other / ours:.1f}, put {other_put / ours_put:.1f}")


def _serve(serve, engine, port):
    from edgekit.errors import BoardLostError
    try:
        serve(engine, port)
    except BoardLostError:
        port.close()


def main():
    """Print the table."""
    over_pipes()
    over_a_pty()
    sound()


if __name__ == "__main__":
    main()
