"""What the tests of the board's ``machine`` share: a board, for starting one takes a moment, and a world that remembers.

What such a test expects is what the C code of MicroPython's ESP32 port says; files and lines are of commit 1c3c2011.
"""

import pytest

from edgekit.board.simulated import SimulatedBoard
from edgekit.errors import BoardCodeError
from edgekit.simulator import bus


class Stub:
    """Remembers the requests; answers what ``answers[op]`` says: bytes, an errno, or a function of the request."""

    def __init__(self):
        self.requests = []
        self.answers = {}

    def transaction(self, request):
        asked = bus.parse(request)
        if asked.op == bus.SLEEP_UNTIL:
            return bus.answer(asked.args[0].to_bytes(8, "little"))
        if asked.op not in (bus.NOTE_TIME, bus.RESET):
            self.requests.append(asked)
        answer = self.answers.get(asked.op, b"")
        answer = answer(asked) if callable(answer) else answer
        return bus.answer(errno=answer) if isinstance(answer, int) else bus.answer(answer)

    def asked(self):
        """(op, args, data) of each request since the last call."""
        asked = [(request.op, request.args, request.data) for request in self.requests]
        self.requests.clear()
        return asked


@pytest.fixture(scope="module")
def _running_board():
    with SimulatedBoard() as board:
        yield board


@pytest.fixture
def machine(_running_board):
    """A simulated ESP32 with all of ``machine`` imported, in its own world."""
    _running_board.exec("from machine import *\nimport time")
    yield _running_board
    _running_board.reset()


@pytest.fixture
def asked(machine):
    """What that board asks a world that only remembers."""
    world, machine.world = machine.world, Stub()
    yield machine.world
    machine.world = world


@pytest.fixture
def error_of():
    """``error_of(board, code)``: the last line of the traceback that code ends with; empty if it ends well."""
    def error_of(board, code):
        try:
            board.exec(code)
        except BoardCodeError as error:
            return str(error).strip().splitlines()[-1]
        return ""
    return error_of
