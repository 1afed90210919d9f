"""The command line: each verb does its work, and each mistake ends in a sentence."""

import json

import pytest

from edgekit import cli
from edgekit.board.simulated import SimulatedBoard
from edgekit.paths import MODELS
from edgekit.recording import Recording


def test_report_shows_operators_and_boards(capsys):
    assert cli.main(["report", str(MODELS / "gesture_int8.tflite")]) == 0
    text = capsys.readouterr().out
    assert "CONV_2D" in text and "arena" in text and "Nano 33 BLE Sense" in text
    for figure in ("of which weights 2,144", "arena         480 bytes; most at work in CONV_2D (1x1x16x12): 384", "17,424",
                   "heap needed", "flash needed", "overhead", "estimated time", "(estimated: code", "(computed, in blocks"):
        assert figure in text


def test_report_as_json_says_where_each_figure_is_from(capsys):
    assert cli.main(["report", str(MODELS / "gesture_int8.tflite"), "--board", "esp32", "--app", "wake", "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    figures = {"arena_bytes", "weight_bytes", "overhead_bytes", "flash_bytes", "ram_bytes", "macs", "largest_layer"}
    assert figures <= set(about) and about["largest_layer"]["name"] == "CONV_2D" and about["app"] == "wake"
    assert {"board", "fits", "estimated_ms", "flash_bytes", "reasons"} <= set(about["boards"][0])
    for name in ("overhead_bytes", "ram_bytes", "estimated_ms"):
        assert about["sources"][name].startswith("estimated")


def test_capture_writes_a_recording(tmp_path, capsys):
    path = tmp_path / "rest.csv"
    assert cli.main(["capture", str(path), "--seconds", "0.5", "--label", "idle", "--port", "sim"]) == 0
    recording = Recording.load(path)
    assert (len(recording), recording.label, recording.source) == (50, "idle", "simulated")
    assert "0 lost" in capsys.readouterr().out


def test_what_is_odd_about_a_recording_is_said(tmp_path, capsys, monkeypatch):
    def connect(port):
        board = SimulatedBoard()
        board.world.fault("saturated", quantity="accel_g")
        return board

    monkeypatch.setattr("edgekit.connect", connect)
    assert cli.main(["capture", str(tmp_path / "odd.csv"), "--seconds", "0.5"]) == 0
    said = capsys.readouterr()
    assert "edgekit: The sensor was at the end of its range in ax, ay, az between 0.00 s and 0.50 s" in said.err
    assert (tmp_path / "odd.csv").exists() and "50 samples" in said.out


def test_run_gives_settings_to_the_app(capsys):
    assert cli.main(["run", "sensor_loop", "count=3", "--port", "sim"]) == 0
    assert capsys.readouterr().out.count(" V") == 3


def test_deploy_and_doctor(capsys):
    assert cli.main(["deploy", "--port", "sim"]) == 0
    assert "bytes on" in capsys.readouterr().out
    assert cli.main(["doctor"]) == 0
    assert "All is well." in capsys.readouterr().out


def test_boards_always_says_what_to_do(capsys):
    assert cli.main(["boards"]) == 0
    assert "edgekit.connect('sim')" in capsys.readouterr().out


@pytest.mark.parametrize("words, message", [
    (["report", "nowhere.tflite"], "nowhere.tflite"),
    (["run", "sensor_loop", "ten", "--port", "sim"], "Expected NAME=VALUE"),
    (["run", "no_such_app", "--port", "sim"], "no_such_app"),
    (["capture", "x.csv", "--port", "/dev/no-such-port"], "no-such-port"),
    (["capture", "x.csv", "--seconds", "0", "--port", "sim"], "more than 0 seconds"),
    (["deploy", "nowhere.tflite", "--port", "sim"], "nowhere.tflite"),
])
def test_mistakes_end_in_a_sentence(words, message, capsys):
    assert cli.main(words) == 1
    error = capsys.readouterr().err
    assert error.startswith("edgekit: ") and message in error
    assert "Traceback" not in error
