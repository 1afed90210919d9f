"""How fast the simulated board is on this computer: run ``python benchmarks/simulated_board.py``."""

import os
import statistics
import time

from edgekit.board.simulated import SimulatedBoard


def times_s(action, count):
    """Seconds of each of ``count`` runs."""
    seconds = []
    for _ in range(count):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return seconds


def start():
    with SimulatedBoard() as board:
        board.exec("")


def row(what, seconds, unit, scale):
    print(f"{what:44} median {statistics.median(seconds) * scale:8.3f} {unit}, best {min(seconds) * scale:8.3f} {unit}")


def main():
    """Print the table; all times are this computer's, none is a board's."""
    row("start, first answer, close", times_s(start, 7), "s", 1)
    with SimulatedBoard() as board:
        row("exec round trip", times_s(lambda: board.exec("print(1)"), 200), "ms", 1e3)
        board.exec("from machine import I2C\ni = I2C(0)\nb = bytearray(14)\n"
                   "def read(n):\n for _ in range(n): i.readfrom_mem_into(0x68, 0x3b, b)")
        row("bus transaction (14 registers)", [t / 2000 for t in times_s(lambda: board.exec("read(2000)"), 5)], "us", 1e6)
        data = os.urandom(60_000)
        row("put 60 kB", times_s(lambda: board.put(data, "/data.bin"), 7), "s", 1)
        row("get 60 kB", times_s(lambda: board.get("/data.bin"), 7), "s", 1)
        row("print 10000 lines", times_s(lambda: board.exec("for i in range(10000): print(i)"), 5), "s", 1)
        board.install("capture")
        row("capture a minute, 100 Hz x 6, virtual clock",
            times_s(lambda: list(board.stream("capture", seconds=60)), 3), "s", 1)


if __name__ == "__main__":
    main()
