"""One simulated board for the firmware tests of a module."""

import pytest

from edgekit.board.simulated import SimulatedBoard


@pytest.fixture(scope="module")
def board():
    with SimulatedBoard() as board:
        yield board
