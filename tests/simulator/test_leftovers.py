"""Boards that were used leave nothing: no process, no thread, no open file, no folder."""

import os
import tempfile
import threading

import psutil
import pytest

from edgekit.board.simulated import SimulatedBoard


def test_50_starts_and_stops_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    me = psutil.Process()

    def counts():
        children = [child for child in me.children(recursive=True) if child.is_running()]
        files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else me.num_handles()
        return len(children), threading.active_count(), files, sorted(os.listdir(tmp_path))

    def use(number):
        with SimulatedBoard() as board:
            assert board.eval(f"{number} + 1") == number + 1
            if number % 10 == 0:
                board.exec("with open('file.txt', 'w') as f: f.write('x')\nopen('open.txt', 'w').write('y')")

    use(0)
    before = counts()
    for number in range(50):
        use(number)
    assert counts() == before


@pytest.mark.parametrize("how", ["in a loop", "asleep", "at the prompt"])
def test_a_board_that_is_busy_ends_too(how):
    board = SimulatedBoard(clock="real")
    process = psutil.Process(board._transport.engine.process.pid)
    if how == "in a loop":
        board._repl.start("while True: pass")
    elif how == "asleep":
        board._repl.start("import time\ntime.sleep(1000)")
    board.close()
    assert not process.is_running()
    assert not board.flash.exists()
