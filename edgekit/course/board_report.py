"""Everything that the course asks of a board, run on one board, with a report: ``make test-board PORT=...``."""

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from edgekit.errors import BoardCodeError, EdgekitError
from edgekit.paths import ROOT, atomic_write

__all__ = ["examine_board", "page", "main"]

_WINDOWS = 20
_CLIPS = 5
_CAPTURE_S = 2.0
_INVOKES = 10


def examine_board(port: str, shared_tests: bool = True, say=print) -> dict:
    """Run it all.

    Parameters
    ----------
    port : str
        As for :func:`edgekit.connect`.
    shared_tests : bool
        Also run the tests that every board passes (``tests/board/test_board.py``).
    say : callable
        Gets a line when a part begins.

    Returns
    -------
    dict
        ``board``, ``kind``, ``micropython``, ``date`` and ``parts``: for each its ``name``, whether it is ``ok``, and what
        was ``found``. A part that fails says why; the others are run all the same.
    """
    from edgekit import connect

    with connect(port, quiet=True) as board:
        info = board.info
        report = {"board": info.name, "mcu": info.mcu, "kind": info.kind, "micropython": info.micropython,
                  "date": datetime.date.today().isoformat(), "parts": []}
        parts = {"doctor": _doctor, "motion at 100 Hz": _capture, "app sensor_loop": _sensor_loop, "app gesture": _gesture,
                 "parity of gestures": _gesture_parity, "parity of keywords": _keyword_parity, "speed and memory": _speed}
        for name, part in parts.items():
            say(name)
            report["parts"].append({"name": name, **_run(part, board)})
    if shared_tests:
        say("tests that every board passes")
        report["parts"].append({"name": "tests that every board passes", **_shared_tests(port)})
    report["ok"] = all(part["ok"] for part in report["parts"])
    return report


def _run(part, board):
    started = time.perf_counter()
    try:
        board.reset()  # each part has all the memory
        ok, found = part(board)
    except EdgekitError as error:
        ok, found = False, error.reason if isinstance(error, BoardCodeError) else str(error)
    return {"ok": bool(ok), "found": found, "seconds_on_this_computer": round(time.perf_counter() - started, 1)}


def _doctor(board):
    from edgekit.board.examine import examine
    findings = examine(board)
    return all(f.ok for f in findings), {f.what: f.found if f.ok else f"{f.found}. {f.remedy}" for f in findings}


def _capture(board):
    from edgekit.capture import capture
    with warnings.catch_warnings(record=True) as noticed:
        warnings.simplefilter("always")
        recording = capture(board, _CAPTURE_S, progress=False)
    found = {"samples": len(recording), "rate_hz": recording.rate_hz, "lost": recording.lost,
             "warnings": [str(warning.message) for warning in noticed]}
    return len(recording) >= _CAPTURE_S * recording.rate_hz - 1 and not recording.lost, found


def _sensor_loop(board):
    lines = board.run("sensor_loop", count=5).splitlines()
    return len(lines) >= 5, lines[-1] if lines else "it printed nothing"


def _gesture(board):
    from edgekit.deploy import gesture_bundle, recognise_live
    gesture_bundle().deploy(board)
    events = recognise_live(board, seconds=3, progress=False)
    return True, f"3 s without an error, {len(events)} events (nobody was asked to move)"


def _gesture_parity(board):
    from edgekit.dataset import load_dataset
    from edgekit.deploy import gesture_bundle, parity
    bundle = gesture_bundle()
    windows = load_dataset("gestures").windows(bundle.params.window, bundle.params.window).x
    return _compared(parity(board, bundle, windows[::max(1, len(windows) // _WINDOWS)][:_WINDOWS], layers=True))


def _keyword_parity(board):
    from edgekit.dataset import load_dataset
    from edgekit.deploy import keyword_bundle, parity
    from edgekit.signals.speech import clips
    bundle = keyword_bundle()
    return _compared(parity(board, bundle, clips(load_dataset("keywords"), _CLIPS, seed=0, split="test").x))


def _compared(answers):
    return answers.mismatches == 0, f"{answers.windows} windows: {answers.mismatches} mismatches"


def _speed(board):
    """Timed on the board by its own clock."""
    from edgekit.deploy import gesture_bundle
    bundle = gesture_bundle()
    bundle.deploy(board)
    board.exec("import gc, time\nimport tflite_micro")
    # In calls of their own: the simulated board collects garbage between them only.
    before = board.eval("(gc.collect(), gc.mem_alloc())[1]")
    board.exec(f"model = tflite_micro.load_model({bundle.model_path!r})")
    taken = board.eval("(gc.collect(), gc.mem_alloc())[1]") - before
    board.exec(f"model.invoke()\nstart = time.ticks_us()\nfor _ in range({_INVOKES}):\n    model.invoke()\n"
               f"us = time.ticks_diff(time.ticks_us(), start) // {_INVOKES}")
    us = board.eval("us")
    return True, {"gesture_invoke_ms": us / 1000 if getattr(board, "clock", "real") == "real" else None,
                  "gesture_model_bytes_of_heap": taken, "heap_free": board.info.heap_free,
                  "flash_free": board.info.flash_free}


def _shared_tests(port):
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0",
                           str(ROOT / "tests" / "board" / "test_board.py"), "-k", "given"],
                          env={**os.environ, "EDGEKIT_TEST_PORT": port}, cwd=ROOT, capture_output=True, text=True, check=False)
    last = (done.stdout.strip().splitlines() or [done.stderr.strip()])[-1]
    failed = re.findall(r"^(?:FAILED|ERROR) \S+::(\S+.*)$", done.stdout, re.M)
    return {"ok": done.returncode == 0, "found": {"result": last.strip("= "), "failed": failed}}


def page(report: dict) -> str:
    """The report as a page to read, Markdown."""
    lines = [f"# {report['board']}, MicroPython {report['micropython']}, {report['date']}", "",
             f"Made by `make test-board` on a {'**simulated** board' if report['kind'] == 'simulated' else 'board'} "
             f"({report['mcu']}). {'All is well.' if report['ok'] else 'Not all is well: see the parts marked NO.'}", "",
             "| part | ok | found |", "|---|---|---|"]
    for part in report["parts"]:
        found = part["found"]
        if isinstance(found, dict):
            found = "; ".join(f"{name}: {_short(value)}" for name, value in found.items())
        lines.append(f"| {part['name']} | {'yes' if part['ok'] else 'NO'} | {str(found).replace('|', '/')} |")
    return "\n".join(lines) + "\n"


def _short(value):
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "not measured" if value is None else f"{value:,}" if isinstance(value, (int, np.integer)) else str(value)


def main(argv: list[str] | None = None) -> int:
    """The command: writes NAME.json and NAME.md, and prints the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", help="serial port of the board, or sim")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for the report; default: this one")
    parser.add_argument("--quick", action="store_true", help="without the tests that every board passes")
    options = parser.parse_args(argv)
    try:
        report = examine_board(options.port, not options.quick, say=lambda name: print(f"... {name}", flush=True))
    except EdgekitError as error:
        print(f"edgekit: {error}", file=sys.stderr)
        return 1
    name = re.sub(r"[^a-z0-9]+", "-", f"{report['board']} {report['date']}".lower()).strip("-")
    for suffix, text in ((".json", json.dumps(report, indent=1) + "\n"), (".md", page(report))):
        with atomic_write(options.out / f"{name}{suffix}") as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(page(report), end="")
    print(f"Written to {options.out / name}.json and .md")
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
