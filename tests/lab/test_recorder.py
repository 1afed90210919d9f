"""The recorder without a browser: takes, files, counts, and a cable that goes in the middle."""

import time

import numpy as np
import pytest

import edgekit
from edgekit.dataset import Dataset
from edgekit.errors import BoardBusyError, BoardLostError, DataError
from edgekit.lab import Recorder
from edgekit.recording import Recording
from edgekit.signals.gestures import make_recording


@pytest.fixture(scope="module")
def board():
    with edgekit.connect("sim", quiet=True) as board:
        yield board


@pytest.fixture
def recorder(board, tmp_path):
    recorder = Recorder(board, ["idle", "wave", "my own"], folder=tmp_path / "mine", seconds=1.0, countdown_s=0)
    yield recorder
    recorder.close()


def say(widget, **message):
    widget._handle_custom_msg(message, [])


def wait_for(what, seconds=5):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_record_keep_and_load(recorder):
    take = recorder.record("wave")
    assert (take.label, take.subject, take.source, take.lost, take.duration_s) == ("wave", "s21", "simulated", 0, 1.0)
    assert recorder.take is take and recorder.state["phase"] == "decide" and recorder.counts["wave"] == 0
    path = recorder.keep()
    assert path.name == "0001_wave_s21.csv" and Recording.load(path) == take
    recorder.record("idle")
    recorder.keep()
    assert recorder.counts == {"idle": 1, "wave": 1, "my own": 0} == recorder.state["counts"]
    assert list(Dataset.load(recorder.folder)) == list(recorder.dataset)
    assert recorder.dataset.classes == ("idle", "wave", "my own")


def test_the_simulated_movement_is_the_gesture(recorder):
    assert recorder.record("wave").physical()[:, 3:].std() > 20
    recorder.discard()
    assert recorder.record("idle").physical()[:, 3:].std() < 20
    recorder.discard()
    still = recorder.record("my own")
    assert np.ptp(still.samples, axis=0).max() == 0, "no gesture is called so: nothing moves"
    recorder.discard()
    assert recorder.record("my own", gesture="shake").physical()[:, 2].std() > 0.1


def test_each_take_is_another_try(recorder):
    first = recorder.record("wave")
    recorder.keep()
    second = recorder.record("wave")
    assert not np.array_equal(first.samples, second.samples)


def test_discard_leaves_no_file(recorder):
    recorder.record("wave")
    recorder.discard()
    assert recorder.take is None and recorder.counts["wave"] == 0 and not recorder.folder.exists()


def test_what_was_there_counts_and_is_not_overwritten(board, tmp_path):
    old = make_recording("wave", "s07", duration_s=1.0)
    old.save(tmp_path / "0007_wave_s07.csv")
    recorder = Recorder(board, ["wave"], folder=tmp_path, seconds=0.5)
    assert recorder.counts == {"wave": 1}
    recorder.record("wave")
    assert recorder.keep().name == "0008_wave_s21.csv"
    assert recorder.dataset.subjects == ("s07", "s21")
    recorder.close()


def test_a_take_of_another_kind_is_not_mixed_in(board, tmp_path):
    Recording(np.zeros((10, 1), np.int16), 50.0, ("sound",)).save(tmp_path / "0001_x_y.csv")
    recorder = Recorder(board, ["wave"], folder=tmp_path, seconds=0.5)
    recorder.record("wave")
    with pytest.raises(DataError, match="channels"):
        recorder.keep()
    assert recorder.take is not None and len(list(tmp_path.iterdir())) == 1
    recorder.close()


# --- as the browser does it ---

def test_the_buttons(recorder):
    say(recorder, act="shown", view="a")
    assert recorder.board.clock == "real"
    sent = []
    recorder.send = lambda message, buffers=None: sent.append((message, buffers))
    say(recorder, act="record", label="wave", gesture="", subject="s12")
    wait_for(lambda: recorder.state["phase"] == "recording")
    wait_for(lambda: 0 < recorder.state["progress"] < 1)
    wait_for(lambda: recorder.state["phase"] == "decide")
    assert recorder.state["sentence"].startswith("wave: 1.0 s, simulated. No sample was lost. Keep it?")
    rows = np.concatenate([np.frombuffer(buffers[0], np.float32).reshape(-1, 6) for message, buffers in sent if buffers])
    assert np.array_equal(rows, recorder.take.physical())
    say(recorder, act="keep")
    assert recorder.state["phase"] == "ready" and recorder.state["counts"]["wave"] == 1
    assert recorder.dataset[0].subject == "s12"
    say(recorder, act="keep")
    assert "No take waits" in recorder.state["sentence"]


def test_the_count_down_can_be_stopped(board, tmp_path):
    recorder = Recorder(board, ["wave"], folder=tmp_path, seconds=1.0, countdown_s=3)
    say(recorder, act="record", label="wave")
    wait_for(lambda: recorder.state["phase"] == "countdown" and recorder.state["left_s"] == 3)
    say(recorder, act="stop")
    wait_for(lambda: recorder.state["phase"] == "ready")
    assert recorder.take is None
    recorder.close()


def test_stop_keeps_what_came_so_far(board, tmp_path):
    recorder = Recorder(board, ["wave"], folder=tmp_path, seconds=60.0, countdown_s=0)
    say(recorder, act="shown", view="a")
    say(recorder, act="record", label="wave")
    wait_for(lambda: recorder.state["progress"] > 0.002)
    say(recorder, act="stop")
    wait_for(lambda: recorder.state["phase"] == "decide")
    assert 0.1 < recorder.take.duration_s < 30 and recorder.take.lost == 0
    recorder.close()
    assert board.eval("1 + 1") == 2 and board.clock == "virtual"


def test_closing_in_the_middle_leaves_a_board_that_works(board, tmp_path):
    recorder = Recorder(board, ["wave"], folder=tmp_path, seconds=60.0, countdown_s=0)
    say(recorder, act="shown", view="a")
    say(recorder, act="record", label="wave")
    wait_for(lambda: recorder.state["progress"] > 0)
    recorder.close()
    assert board.eval("2 + 2") == 4 and recorder._worker is None


def test_a_busy_board_says_so(board, recorder):
    stream = board.stream("capture", rate_hz=100, seconds=10)
    next(stream)
    try:
        with pytest.raises(BoardBusyError):
            recorder.record("wave")
        assert "busy" in recorder.state["sentence"] and recorder.state["phase"] == "ready"
    finally:
        stream.close()
    recorder.record("wave")


# --- the cable ---

def test_a_cable_that_goes_in_the_middle(tmp_path):
    with edgekit.connect("sim", quiet=True) as board:
        recorder = Recorder(board, ["wave"], folder=tmp_path / "mine", seconds=20.0, countdown_s=0)
        recorder.record("wave")
        kept = recorder.keep()
        say(recorder, act="shown", view="a")
        say(recorder, act="record", label="wave")
        wait_for(lambda: recorder.state["progress"] > 0)
        board.world.fault("cable")
        wait_for(lambda: recorder.state["phase"] == "decide")
        said = recorder.state["sentence"]
        assert "The capture broke off after" in said and "cable is pulled" in said
        assert "The 1 take that you kept is safe in mine/." in said
        assert Recording.load(kept).label == "wave"
        assert [path.name for path in recorder.folder.iterdir()] == [kept.name], "no half file"
        assert 0 < recorder.take.duration_s < 20, "what came can still be kept"
        recorder.discard()
        with pytest.raises(BoardLostError):
            recorder.record("wave")
        assert "cable is pulled" in recorder.state["sentence"] and "safe in mine/" in recorder.state["sentence"]
        board.world.mend("cable")
        say(recorder, act="hidden", view="a")
        recorder.record("wave")
        recorder.keep()
        assert recorder.counts == {"wave": 2}
        recorder.close()


# --- kind words ---

@pytest.mark.parametrize("act, words", [
    (lambda r: r.record("jump"), "No label 'jump': expected one of idle, wave, my own"),
    (lambda r: r.record("wave", gesture="jump"), "No gesture 'jump'"),
    (lambda r: r.keep(), "No take waits for an answer. Record one: recorder.record\\('idle'\\)"),
    (lambda r: r.discard(), "No take waits"),
    (lambda r: r.dataset, "No take is kept in mine/ yet"),
    (lambda r: r.figure(), "There is no take yet"),
    (lambda r: (r.record("wave"), r.record("wave")), "The take of 'wave' waits for an answer"),
    (lambda r: Recorder(r.board, []), "Labels are different words"),
    (lambda r: Recorder(r.board, ["a", "a"]), "Labels are different words"),
])
def test_what_is_wrong_is_said(recorder, act, words):
    with pytest.raises(DataError, match=words):
        act(recorder)


def test_a_file_in_place_of_the_folder(board, tmp_path):
    (tmp_path / "mine").write_text("")
    with pytest.raises(DataError, match="mine is a file; the recorder needs a folder"):
        Recorder(board, ["wave"], folder=tmp_path / "mine")


def test_without_a_browser_there_is_a_table(recorder):
    recorder.record("wave")
    recorder.keep()
    data, _ = recorder._repr_mimebundle_()
    assert "<td>wave</td><td>1</td>" in data["text/html"]
    assert data["text/plain"] == "<Recorder on Simulated ESP32 DevKit: idle 0, wave 1, my own 0 in mine/>"
    assert recorder.figure().axes[0].get_title() == "wave, s21, simulated"
