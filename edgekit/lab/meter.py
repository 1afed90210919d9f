"""A simulated board that lives in a home and watches its electricity (lesson 12)."""

import numpy as np

from edgekit.errors import BoardLostError, BoardRestartedError
from edgekit.recipes.meter import FULL_A, MAINS_V
from edgekit.simulator.chips.analog import DirectClamp

__all__ = ["on_board"]


def on_board(board, seconds, minutes: int, brown_out_s: float | None = None) -> str:
    """Let a simulated board live in a home: its clamp feels the power, its clock is virtual.

    Parameters
    ----------
    board : SimulatedBoard
    seconds : array of int, shape [n]
        Power in W, one value for each second.
    minutes : int
        How long.
    brown_out_s : float, optional
        When the supply breaks down for a moment; the app is started again, as /main.py does it.

    Returns
    -------
    str
        What it printed.
    """
    world = board.world
    board.install("meter")
    begin_s = world.time_s + 1
    done = [brown_out_s is None]
    last = len(seconds) - 1
    values = np.asarray(seconds).tolist()

    def current_a(time_s):
        if not done[0] and time_s >= begin_s + brown_out_s:
            done[0] = True
            world.fault("brown-out")
        return values[min(last, max(0, round(time_s - begin_s)))] / MAINS_V

    world.set(current_a=current_a)
    world.adc(board.profile.pins["ADC"], DirectClamp(world, FULL_A))
    said = []
    try:
        board.run("meter", said.append, minutes=minutes, timeout_s=None)
    except BoardLostError as error:
        if not isinstance(error, BoardRestartedError):
            board.reconnect()               # its last words came late, so it was not understood
        said.append("-- brown-out --\n")
        left = minutes - int((world.time_s - begin_s + 1) // 60)
        board.run("meter", said.append, minutes=left, timeout_s=None)
    return "".join(said)
