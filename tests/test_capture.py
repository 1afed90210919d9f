"""Capture: what the sensor felt comes back to the bit; what was lost is counted."""

import json
import os
import runpy

import numpy as np
import pytest
from board_port import behind_a_port

from edgekit.board.simulated import SimulatedBoard
from edgekit.capture import CaptureWarning, capture
from edgekit.errors import BoardCodeError, BoardLostError, BoardRestartedError, BoardWireError, DataError
from edgekit.paths import ROOT
from edgekit.recording import Recording
from edgekit.signals.gestures import make_recording
from edgekit.simulator.ports import PtyPort
from edgekit.twin import board_module

frames = board_module("frames")


@pytest.fixture(scope="module")
def board():
    with SimulatedBoard() as board:
        yield board


def test_a_played_gesture_comes_back_to_the_bit(board):
    played = make_recording("circle", "s03")
    board.world.play(played, at_s=board.world.time_s + 0.5)
    taken = capture(board, 4.5, label="circle", subject="s03", progress=False)
    assert (taken.rate_hz, taken.channels, taken.units) == (100, played.channels, played.units)
    assert taken.scale == played.scale
    assert (taken.label, taken.subject, taken.source, taken.lost) == ("circle", "s03", "simulated", 0)
    assert taken.samples.shape == (450, 6) and taken.samples.dtype == np.int16
    first = int(np.flatnonzero((taken.samples == played.samples[0]).all(axis=1))[0])
    assert np.array_equal(taken.samples[first:first + len(played)], played.samples)


def test_played_sound_comes_back_but_for_the_microphones_noise(board):
    time_s = np.arange(8000) / 16000
    played = Recording((8000 * np.sin(2 * np.pi * 440 * time_s)).astype(np.int16), 16000, ("audio",), ("full scale",), (1 / 32768,))
    board.world.play(played, at_s=board.world.time_s + 0.6)
    taken = capture(board, 1.5, label="tone", sensor="sound", progress=False)
    assert (taken.rate_hz, taken.channels, taken.units, taken.scale, taken.label, taken.source, taken.lost) == (
        16000, ("audio",), ("full scale",), (1 / 32768,), "tone", "simulated", 0)
    assert taken.samples.shape == (24000, 1)
    first = int(np.flatnonzero(abs(taken.samples[:, 0]) > 1000)[0]) - int(np.flatnonzero(abs(played.samples[:, 0]) > 1000)[0])
    assert abs(taken.samples[first:first + 8000].astype(int) - played.samples).max() < 10


def test_a_sensor_that_the_board_has_not_is_refused(board):
    with pytest.raises(DataError, match="No sensor 'smell': expected one of motion, sound"):
        capture(board, 1, sensor="smell")


def test_the_length_is_what_was_asked_for(board):
    assert len(capture(board, 0.25, progress=False)) == 25, "not a whole number of frames"


def test_a_sensor_that_does_not_answer_is_an_error_with_advice(board):
    board.world.fault("silent", address=0x68)
    try:
        with pytest.raises(BoardCodeError, match="no chip answers at I2C address 0x68. Check the four wires"):
            capture(board, 1, progress=False)
    finally:
        board.world.mend()


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_length_that_makes_no_sense_is_refused(board, seconds):
    with pytest.raises(DataError, match="more than 0 seconds, found"):
        capture(board, seconds, progress=False)


class FakeBoard:
    """Sends frames as the app does; without those whose number is in `drop`; ctrl-C after `interrupt_after`."""

    kind = "board"

    def __init__(self, count, drop=(), interrupt_after=None, lost_on_board=0, samples=None, error=KeyboardInterrupt,
                 drop_once=(), frame_us=100_000):
        self.count, self.drop, self.interrupt_after = count, drop, interrupt_after
        self.lost_on_board, self.samples, self.error = lost_on_board, samples, error
        self.drop_once = set(drop_once)
        self.closed = 0
        self.frame_us = frame_us
        self.settings = None

    def stream(self, app, on_text, rate_hz, seconds, **settings):
        self.settings = settings
        try:
            yield from self.frames(app, on_text, rate_hz)
        finally:
            self.closed += 1

    def frames(self, app, on_text, rate_hz):
        assert app == "capture"
        on_text("said by the app\n")
        on_text("\x01\ufffdhalf a frame")
        header = {"rate_hz": rate_hz, "channels": ["ax", "ay"], "units": ["g", "g"], "full_scale": [4, 4],
                  "count": self.count}
        sent = [(frames.HEADER, json.dumps(header).encode())]
        for i in range(-(-self.count // 10)):
            samples = (np.full((10, 2), i, "<i2") if self.samples is None
                       else self.samples[10 * i:10 * (i + 1)].astype("<i2")).tobytes()
            sent.append((frames.SAMPLES, (self.frame_us * i % 2 ** 30).to_bytes(4, "little")
                         + self.lost_on_board.to_bytes(2, "little") + samples))
        for seq, (type_, payload) in enumerate(sent):
            if seq == self.interrupt_after:
                raise self.error
            if seq in self.drop_once:
                self.drop_once.remove(seq)
            elif seq not in self.drop:
                yield frames.Frame(type_, seq, payload)


def test_lost_frames_are_counted_located_and_filled():
    with pytest.warns(CaptureWarning) as warned:
        taken = capture(FakeBoard(100, drop=(3, 4, 10)), 1, progress=False)
    assert (len(taken), taken.lost, taken.source) == (90, 30, "board")
    assert taken.samples[:, 0].tolist() == [i for i in (0, 1, 1, 1, 4, 5, 6, 7, 8) for _ in range(10)]
    assert str(warned[0].message) == (
        "30 of 100 samples were lost on the way: 20 at 0.20 s, 10 at the end. They are filled with the sample before, "
        "so that the others keep their time; recording.faults() calls that a gap. Use a shorter cable or another "
        "port, or a lower rate_hz.")


def moving(count, seed=1):
    """Samples that never stand still, int16 [count, 2]."""
    return np.cumsum(np.random.default_rng(seed).integers(1, 9, (count, 2)), axis=0).astype(np.int16)


def test_what_was_lost_is_found_as_a_gap_and_the_rest_keeps_its_time():
    samples = moving(200)
    with pytest.warns(CaptureWarning, match="10 at 0.30 s, 20 at 1.50 s"):
        taken = capture(FakeBoard(200, drop=(4, 16, 17), samples=samples), 2, progress=False)
    kept = np.r_[0:30, 40:150, 170:200]
    assert np.array_equal(taken.samples[kept], samples[kept])
    assert [(f.kind, f.start, f.stop) for f in taken.faults()] == [("gap", 29, 40), ("gap", 149, 170)]


def test_what_was_lost_at_the_start_is_filled_with_the_first_that_came():
    samples = moving(50)
    with pytest.warns(CaptureWarning, match="10 at 0.00 s"):
        taken = capture(FakeBoard(50, drop=(1,), samples=samples), 0.5, progress=False)
    assert (taken.samples[:10] == samples[10]).all() and np.array_equal(taken.samples[10:], samples[10:])


def test_many_places_are_counted():
    with pytest.warns(CaptureWarning, match="10 at 0.10 s, 10 at 0.30 s, 10 at 0.50 s, 10 at 0.70 s, and at 1 more"):
        capture(FakeBoard(110, drop=(2, 4, 6, 8, 10)), 1.1, progress=False)


def test_samples_that_the_board_lost_are_counted_too():
    with pytest.warns(CaptureWarning, match="10 of 50 samples were lost on the way: 2 at 0.00 s, 2 at 0.12 s"):
        assert capture(FakeBoard(50, lost_on_board=2), 0.5, progress=False).lost == 10


@pytest.mark.filterwarnings("error")
def test_ctrl_c_keeps_what_came_so_far():
    board = FakeBoard(1000, interrupt_after=6)
    taken = capture(board, 10, progress=False)
    assert (len(taken), taken.lost, board.closed) == (50, 0, 1)


@pytest.mark.parametrize("error", [BoardLostError("Gone."), BoardRestartedError("Gone."), BoardWireError("Gone.")])
def test_a_board_that_goes_in_the_middle_leaves_what_came(error):
    with pytest.warns(CaptureWarning, match="broke off after 0.50 s of 10 s; the 50 samples that came are kept. Gone."):
        taken = capture(FakeBoard(1000, interrupt_after=6, error=error), 10, progress=False)
    assert (len(taken), taken.lost) == (50, 0)
    with pytest.raises(type(error), match="Gone"):
        capture(FakeBoard(1000, interrupt_after=1, error=error), 10, progress=False)


def test_pieces_come_as_they_are_captured_and_can_end_it():
    samples = moving(100)
    pieces = []
    board = FakeBoard(100, samples=samples)

    def take(piece):
        pieces.append(piece)
        return len(pieces) == 3

    taken = capture(board, 1, label="wave", progress=False, on_samples=take)
    assert (len(taken), taken.lost, board.closed) == (30, 0, 1)
    assert np.array_equal(np.concatenate([piece.samples for piece in pieces]), samples[:30])
    assert (pieces[0].label, pieces[0].units, pieces[0].scale) == ("wave", ("g", "g"), (4 / 32768, 4 / 32768))


def test_a_lost_header_starts_the_capture_again(capsys):
    board = FakeBoard(100, drop_once=(0,), samples=moving(100))
    assert len(capture(board, 1, progress=False)) == 100 and board.closed == 2
    assert capsys.readouterr().out == 2 * "said by the app\n", "no half frames"


def test_a_stuck_channel_is_warned_of():
    samples = moving(200)
    samples[100:, 1] = samples[100, 1]
    with pytest.warns(CaptureWarning, match=r"repeated one value in ay between 1.00 s and 2.00 s: it is stuck.*"
                                            "Check its wires and its supply, reset the board"):
        capture(FakeBoard(200, samples=samples), 2, progress=False)


def test_a_stuck_sensor_is_warned_of():
    with pytest.warns(CaptureWarning, match="repeated one value in all channels between 0.00 s and 1.00 s"):
        capture(FakeBoard(100, samples=np.zeros((100, 2))), 1, progress=False)


def test_a_saturated_sensor_is_warned_of():
    samples = moving(100)
    samples[20:25, 0] = 32767
    with pytest.warns(CaptureWarning, match=r"at the end of its range in ax between 0.20 s and 0.25 s.*Move more gently"):
        capture(FakeBoard(100, samples=samples), 1, progress=False)


@pytest.mark.filterwarnings("error")
def test_a_good_recording_and_a_simulated_sensor_at_rest_are_not_warned_of(board):
    capture(FakeBoard(200, samples=moving(200)), 2, progress=False)
    capture(board, 1, progress=False)


def test_no_sample_at_all_is_an_error():
    with pytest.raises(DataError, match="No sample came from the board. Look at what it printed"):
        capture(FakeBoard(100, interrupt_after=1), 1, progress=False)


def test_samples_without_their_header_are_refused():
    with pytest.raises(DataError, match="header of the capture did not arrive"):
        capture(FakeBoard(100, drop=(0,)), 1, progress=False)


def test_the_progress_bar_counts_samples(capfd, monkeypatch):
    import tqdm
    # tqdm.auto draws a widget if another test of this process has started a Jupyter kernel.
    monkeypatch.setattr("tqdm.auto.tqdm", tqdm.tqdm)
    capture(FakeBoard(100), 1, progress=True)
    assert "100/100" in capfd.readouterr().err.replace(" samples", "")


def test_each_piece_can_be_watched_as_it_comes(board):
    pieces = []
    taken = capture(board, 1, progress=False, on_samples=pieces.append)
    assert np.array_equal(np.concatenate([piece.samples for piece in pieces]), taken.samples)
    assert pieces[0].channels == taken.channels and pieces[0].scale == taken.scale


def test_who_watches_can_end_the_capture(board):
    pieces = []

    def enough(piece):
        pieces.append(piece)
        return len(pieces) == 3
    taken = capture(board, 60, progress=False, on_samples=enough)
    assert (len(taken), taken.lost) == (30, 0)
    assert board.eval("1 + 1") == 2


@pytest.mark.filterwarnings("error")
def test_stopped_twenty_times_and_ready_each_time(board):
    """By ctrl-C, wherever it strikes; no reset in between, and no sample of the one before."""
    for i in range(20):
        left = [i % 5]

        def stop(piece, left=left, by_ctrl_c=i % 2):
            left[0] -= 1
            if left[0] < 0:
                if by_ctrl_c:
                    raise KeyboardInterrupt
                return True
        sensor = "sound" if i % 4 == 3 else "motion"
        taken = capture(board, 60, sensor=sensor, progress=False, on_samples=stop)
        assert (len(taken), taken.lost) == ((i % 5 + 1) * (320 if sensor == "sound" else 10), 0)
    assert len(capture(board, 1, progress=False)) == 100


@pytest.mark.skipif(os.name == "nt", reason="SKIP: Windows has no pseudo-terminals")
@pytest.mark.filterwarnings("error")
def test_stopped_twenty_times_behind_a_pty():
    with behind_a_port(PtyPort()) as board:
        for i in range(20):
            def stop(piece, by_ctrl_c=i % 2):
                if by_ctrl_c:
                    raise KeyboardInterrupt
                return True
            taken = capture(board, 60, progress=False, on_samples=stop)
            assert (len(taken), taken.lost) == (10, 0)
        assert board.eval("1 + 1") == 2


@pytest.mark.parametrize("asked_hz, rate_hz", [(400, 500), (1000, 1000)])  # the chip has 1000, 500, 333, ...
@pytest.mark.filterwarnings("error")
def test_motion_at_speed(board, asked_hz, rate_hz):
    samples = np.random.default_rng(3).integers(-20000, 20000, (rate_hz, 6)).astype(np.int16)
    played = make_recording("circle", "s03").with_(samples=samples, rate_hz=rate_hz)
    board.world.play(played, at_s=board.world.time_s + 0.5)
    taken = capture(board, 2, rate_hz=asked_hz, progress=False)
    assert (len(taken), taken.rate_hz, taken.lost) == (2 * rate_hz, rate_hz, 0)
    first = int(np.flatnonzero((taken.samples == samples[0]).all(axis=1))[0])
    assert np.array_equal(taken.samples[first:first + rate_hz], samples)


@pytest.mark.filterwarnings("error")
def test_the_sensors_clock_is_measured_by_the_boards(board):
    taken = capture(board, 6, progress=False)
    assert taken.rate_hz == 100 and taken.measured_hz == pytest.approx(100, rel=1e-3)
    assert capture(board, 1, progress=False).measured_hz is None, "too short to tell"


def test_a_sensor_whose_clock_is_off_is_warned_of_and_can_be_retimed():
    wave = np.round(10000 * np.sin(np.arange(1040) / 104 * 2 * np.pi * 2))[:, None] * [1, -1]
    with pytest.warns(CaptureWarning, match="took 104.0 samples per second, not 100: its own clock is off"):
        taken = capture(FakeBoard(1040, samples=wave, frame_us=round(100_000 / 1.04)), 10.4, progress=False)
    assert taken.measured_hz == pytest.approx(104, rel=1e-4)
    retimed = taken.retimed()
    expected = np.round(10000 * np.sin(np.arange(1000) / 100 * 2 * np.pi * 2))
    assert retimed.samples.shape == (1000, 2) and retimed.samples.dtype == np.int16
    assert abs(retimed.samples[:, 0] - expected)[:-5].max() < 50
    assert (retimed.rate_hz, retimed.source) == (100, "board") and taken.with_(label="x").retimed().label == "x"


def test_the_clock_may_begin_anew_and_frames_may_be_lost():
    board = FakeBoard(20000, samples=moving(20000), frame_us=1_000_000, drop=(100, 700))
    with pytest.warns(CaptureWarning):
        taken = capture(board, 2000, rate_hz=10, progress=False)
    assert taken.measured_hz == pytest.approx(10, rel=1e-4), "2000 s: microseconds begin anew after 1074"


def test_what_the_board_let_go_is_said_with_what_helps():
    with pytest.warns(CaptureWarning, match="10 of them the board let go, because it could not send them as fast as they "
                                            "came: a lower rate_hz helps, or a board with USB of its own") as warned:
        capture(FakeBoard(50, lost_on_board=2, samples=moving(50)), 0.5, progress=False)
    assert "cable" not in str(warned[0].message)


@pytest.mark.parametrize("sensor, rate_hz, bytes_per_s, fast_baud, expected", [
    ("motion", 100, None, 0, {}), ("motion", 1000, None, 0, {}), ("motion", 400, 11520, 921600, {}),
    ("motion", 1000, 11520, 921600, {"baud": 921600}), ("motion", 700, 11520, 921600, {"baud": 921600}),
    ("motion", 1000, 11520, 0, {}),
    ("sound", 16000, None, 0, {"live": True}), ("sound", 16000, 11520, 921600, {"baud": 921600}),
    ("sound", 16000, 11520, 0, {}), ("sound", 4000, 11520, 921600, {"live": True})])
def test_a_faster_line_is_asked_for_only_where_it_is_needed(sensor, rate_hz, bytes_per_s, fast_baud, expected):
    board = FakeBoard(20, samples=moving(20))
    board.bytes_per_s, board.fast_baud = bytes_per_s, fast_baud
    board.frames = lambda app, on_text, rate_hz: FakeBoard.frames(board, "capture", on_text, rate_hz)
    capture(board, 0.1, rate_hz=rate_hz, sensor=sensor, progress=False)
    assert board.settings == expected


def test_sound_on_a_line_that_is_too_slow_is_counted_and_keeps_its_time(board):
    """The board is held up 30 ms for each 20 ms of sound: it lets go of what it cannot send."""
    board.install("capture_sound")
    slow = """
import time
import apps.capture_sound as app
class Slow(app.Encoder):
    def send(self, type, payload):
        time.sleep_ms(30)
        super().send(type, payload)
app.Encoder, _edgekit_encoder = Slow, app.Encoder
"""
    board.exec(slow)
    ramp = (np.arange(64000) // 16 * 8 - 16000).astype(np.int16)  # what it is says when it was
    try:
        board.world.play(Recording(ramp, 16000, ("audio",), ("full scale",), (1 / 32768,)), at_s=board.world.time_s)
        with pytest.warns(CaptureWarning, match="of them the board let go"):
            taken = capture(board, 3, sensor="sound", progress=False)
    finally:
        board.exec("app.Encoder = _edgekit_encoder")
    assert taken.measured_hz is None, "what the board let go it knows by the clock"
    assert len(taken) == 48000 and 0.2 < taken.lost / 48000 < 0.5, "two thirds fit on the line"
    kept = np.diff(taken.samples[:, 0], prepend=taken.samples[0, 0]) != 0
    steps = np.flatnonzero(kept)
    line = np.polyfit(steps, taken.samples[steps, 0], 1)
    assert line[0] == pytest.approx(0.5, rel=0.01), "8 counts in 16 samples: holes are as long as what was lost"
    assert abs(np.polyval(line, steps) - taken.samples[steps, 0]).max() < 100, "to 0.2 s / 16: 12 ms"


def test_what_waited_in_the_sensor_and_was_thrown_away_counts_as_lost(board):
    board.install("capture")
    board.exec("""
import time, boards
from array import array
imu = boards.accelerometer(rate_hz=100)
block = array("h", bytes(120))
imu.start()
began = time.ticks_us()
time.sleep(0.5)
lost = [imu.read_block(block)]      # 10 of the 50 that wait
time.sleep(2)                       # longer than its FIFO lasts
lost.append(imu.read_block(block))
periods = time.ticks_diff(time.ticks_us(), began) / 10000
""")
    lost, periods = board.eval("lost"), board.eval("periods")
    assert lost[0] == 0 and 10 + lost[1] + 10 == pytest.approx(periods, abs=2)


def test_the_benchmark_runs(board, capsys):
    benchmark = runpy.run_path(str(ROOT / "benchmarks" / "capture.py"))
    benchmark["measure"](board, "here", "motion", 400, 12, seconds=0.2)
    benchmark["stop_and_begin"](board, "here")
    printed = capsys.readouterr().out
    assert "500 Hz" in printed and "lost      0 of    100" in printed and "stopped 20 times" in printed
