"""A notebook on a board behind a port: the words and the errors are those of the simulated board."""

import os
import sys

import pytest
from board_port import simulated_port

from edgekit.simulator.ports import PtyPort

from .conftest import errors, output, run_cell

CELLS = ["import sys\nprint(sys.implementation.name, 6 * 7)", "from machine import Pin\nled = Pin(2, Pin.OUT)\nled.on()\nled.value()", "1 / 0"]


def seen(open_page, lab, connect):
    page = open_page(lab.notebook(connect, *CELLS))
    run_cell(page, 0)
    for index in range(1, 1 + len(CELLS)):
        run_cell(page, index)
    return [output(page, index) for index in range(1, 1 + len(CELLS))], errors(page)


@pytest.mark.skipif(sys.platform == "win32" or not hasattr(os, "openpty"), reason="SKIP: Windows has no pty")
def test_a_board_behind_a_pty_looks_like_the_simulated_one(lab, open_page):
    port = PtyPort()
    with simulated_port(port):
        behind = seen(open_page, lab, f"%connect {port.name}")
    assert behind == seen(open_page, lab, "%connect sim")
    texts, errors_seen = behind
    assert "micropython 42" in texts[0] and texts[1].strip() == "1" and "ZeroDivisionError" in texts[2] and errors_seen
