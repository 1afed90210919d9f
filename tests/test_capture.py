"""Capture: what the sensor felt comes back to the bit; what was lost is counted."""

import json
import types

import numpy as np
import pytest

from edgekit.board.simulated import SimulatedBoard
from edgekit.capture import capture
from edgekit.errors import BoardCodeError, DataError
from edgekit.signals.gestures import make_recording
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

    info = types.SimpleNamespace(kind="board")

    def __init__(self, count, drop=(), interrupt_after=None, lost_on_board=0):
        self.count, self.drop, self.interrupt_after = count, drop, interrupt_after
        self.lost_on_board = lost_on_board

    def install(self, app):
        assert app == "capture"

    def stream(self, app, rate_hz, seconds):
        header = {"rate_hz": rate_hz, "channels": ["ax", "ay"], "units": ["g", "g"], "full_scale": [4, 4],
                  "count": self.count}
        sent = [(frames.HEADER, json.dumps(header).encode())]
        for i in range(-(-self.count // 10)):
            samples = np.full((10, 2), i, "<i2").tobytes()
            sent.append((frames.SAMPLES, (1000 * i).to_bytes(4, "little")
                         + self.lost_on_board.to_bytes(2, "little") + samples))
        for seq, (type_, payload) in enumerate(sent):
            if seq == self.interrupt_after:
                raise KeyboardInterrupt
            if seq not in self.drop:
                yield frames.Frame(type_, seq, payload)


def test_lost_frames_are_counted_in_samples():
    taken = capture(FakeBoard(100, drop=(3, 4, 10)), 1, progress=False)
    assert (len(taken), taken.lost, taken.source) == (70, 30, "board")
    assert taken.samples[:, 0].tolist() == [i for i in (0, 1, 4, 5, 6, 7, 8) for _ in range(10)]


def test_samples_that_the_board_lost_are_counted_too():
    assert capture(FakeBoard(50, lost_on_board=2), 0.5, progress=False).lost == 10


def test_ctrl_c_keeps_what_came_so_far():
    taken = capture(FakeBoard(1000, interrupt_after=6), 10, progress=False)
    assert (len(taken), taken.lost) == (50, 0)


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
