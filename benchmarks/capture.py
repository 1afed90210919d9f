"""What a capture carries and loses: run ``python benchmarks/capture.py``.

A simulated board in real time, behind pipes, a pty and TCP. So the figures are of this computer and of edgekit's own
way from the frames to the recording; none is a board's. Then a link that is too slow on purpose, and how soon a capture
that was stopped can begin again.
"""

import contextlib
import os
import time
import warnings

from edgekit.board.serial import SerialBoard
from edgekit.board.simulated import SimulatedBoard, power_on
from edgekit.capture import CaptureWarning, capture
from edgekit.errors import BoardError
from edgekit.simulator.ports import PtyPort, TcpPort, serve

_SECONDS = 10
_STOPS = 20
_CASES = (("motion", 100, 12), ("motion", 400, 12), ("motion", 1000, 12), ("sound", 16000, 2))
_SLOW = """
import time
import apps.capture_sound as app
class Slow(app.Encoder):
    def send(self, type, payload):
        time.sleep_ms(len(payload) * 10000 // 115200)
        super().send(type, payload)
app.Encoder = Slow
"""


@contextlib.contextmanager
def behind(port):
    """A board in real time behind a port, as `edgekit sim` offers it."""
    import threading

    def carry():
        with contextlib.suppress(BoardError, OSError, ValueError):  # the board ends first
            serve(engine, port)

    with contextlib.closing(port), power_on(clock="real") as engine:
        thread = threading.Thread(target=carry, daemon=True)
        thread.start()
        with SerialBoard(port.name) as board:
            yield board
        engine.close()
        thread.join(5)


def links():
    """Name of each link, and the board behind it."""
    yield "pipes", SimulatedBoard(clock="real")
    if os.name == "posix":
        yield "pty", behind(PtyPort())
    yield "TCP", behind(TcpPort())


def measure(board, link, sensor, rate_hz, sample_bytes, seconds=_SECONDS):
    """One capture, one line of the table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CaptureWarning)
        cpu_s, start_s = time.process_time(), time.perf_counter()
        taken = capture(board, seconds, sensor=sensor, rate_hz=rate_hz, progress=False)
        took_s, cpu_s = time.perf_counter() - start_s, time.process_time() - cpu_s
    kept = len(taken) - taken.lost
    clock = f"{taken.measured_hz:10.2f}" if taken.measured_hz else f"{'-':>10}"
    print(f"{link:12} {sensor:7} {taken.rate_hz:6g} Hz {kept * sample_bytes / took_s:8.0f} bytes/s {took_s:6.2f} s "
          f"lost {taken.lost:6} of {len(taken):6} {clock} Hz measured, {100 * cpu_s / took_s:4.1f} % of one core here")


def stop_and_begin(board, link):
    """Stop in the middle, begin again, and so on: the longest time from a stop to the next samples."""
    waits_s, stopped_s = [], None

    def stop(piece):
        nonlocal stopped_s
        if stopped_s is not None:
            waits_s.append(time.perf_counter() - stopped_s)
        stopped_s = time.perf_counter()
        raise KeyboardInterrupt

    for _ in range(_STOPS + 1):
        capture(board, 60, progress=False, on_samples=stop)
    print(f"{link:12} stopped {_STOPS} times; the next samples after {min(waits_s):.2f} to {max(waits_s):.2f} s, of which "
          "the sensor's start and first frame take 0.23 s")


def main():
    """Print the table."""
    for link, opened in links():
        with opened as board:
            for sensor, rate_hz, sample_bytes in _CASES:
                measure(board, link, sensor, rate_hz, sample_bytes)
            stop_and_begin(board, link)
    with SimulatedBoard(clock="real") as board:
        board.install("capture_sound")
        board.exec(_SLOW)
        measure(board, "115200 baud", "sound", 16000, 2)


if __name__ == "__main__":
    main()
