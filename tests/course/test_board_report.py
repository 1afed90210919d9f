"""`make test-board`: a report on a board, here a simulated one behind a port."""

import json
from types import SimpleNamespace

from board_port import simulated_port

from edgekit.course import board_report
from edgekit.errors import BoardLostError
from edgekit.simulator.ports import TcpPort


def test_a_report_in_two_forms(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(board_report, "_WINDOWS", 5)
    monkeypatch.setattr(board_report, "_CLIPS", 2)
    port = TcpPort()
    with simulated_port(port, clock="real"):
        assert board_report.main([port.name, "--quick", "--out", str(tmp_path)]) == 0
    [file] = tmp_path.glob("*.json")
    report = json.loads(file.read_text())
    assert report["kind"] == "simulated" and report["ok"] and report["micropython"] == "1.27.0"
    found = {part["name"]: part["found"] for part in report["parts"]}
    assert found["parity of gestures"] == "5 windows: 0 mismatches"
    assert found["parity of keywords"] == "2 windows: 0 mismatches"
    assert found["motion at 100 Hz"]["lost"] == 0 and found["motion at 100 Hz"]["samples"] >= 199
    assert found["speed and memory"]["gesture_invoke_ms"] > 0
    text = file.with_suffix(".md").read_text()
    assert "**simulated** board" in text and "| parity of gestures | yes | 5 windows: 0 mismatches |" in text
    assert text in capsys.readouterr().out


def test_a_part_that_fails_stops_no_other():
    def gone(board):
        raise BoardLostError("The board stopped answering.")
    part = board_report._run(gone, SimpleNamespace(reset=lambda: None))
    assert (part["ok"], part["found"]) == (False, "The board stopped answering.")
    report = {"board": "X", "mcu": "Y", "micropython": "1.27.0", "date": "2026-01-01", "kind": "board", "ok": False,
              "parts": [{"name": "doctor", **part}]}
    assert "| doctor | NO | The board stopped answering. |" in board_report.page(report)
    assert "Not all is well: see the parts marked NO." in board_report.page(report)


def test_no_board_is_one_sentence(capsys):
    assert board_report.main(["/dev/nothing"]) == 1
    assert "No board on port '/dev/nothing'" in capsys.readouterr().err
