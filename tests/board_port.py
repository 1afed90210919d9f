"""A simulated board on a port of this computer, as `edgekit sim` offers it."""

import contextlib
import threading

from edgekit.board.serial import SerialBoard
from edgekit.board.simulated import power_on
from edgekit.errors import BoardError
from edgekit.simulator.ports import serve


@contextlib.contextmanager
def simulated_port(port, clock="virtual"):
    """The engine of a simulated board that serves a port until the end."""
    def carry():
        with contextlib.suppress(BoardError, OSError, ValueError):  # the board ends first
            serve(engine, port)

    with contextlib.closing(port), power_on(clock=clock) as engine:
        thread = threading.Thread(target=carry, daemon=True)
        thread.start()
        yield engine
        engine.close()
        thread.join(5)


@contextlib.contextmanager
def behind_a_port(port):
    """Our serial board, connected to it."""
    with simulated_port(port) as engine, SerialBoard(port.name) as board:
        board.brown_out = lambda: engine.control({"reset": "brown-out"})
        yield board
