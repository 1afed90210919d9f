"""`connect`: a real board if one is plugged in, else the simulated one."""

import os

from edgekit.board import ports
from edgekit.board.base import Board
from edgekit.errors import BoardError

__all__ = ["connect"]


def connect(port: str | None = None, quiet: bool = False, *, flash=None, clock: str | None = None, world=None,
            engine: str | None = None, hard_heap: bool | None = None) -> Board:
    """Connect to a board and say in one line which it is.

    Parameters
    ----------
    port : str, optional
        ``"auto"``: the real board if exactly one is plugged in, else the simulated one. ``"sim"``: the simulated
        ESP32. ``"sim:nano33ble"``: another simulated one. Else a serial port such as ``/dev/ttyUSB0`` or ``COM3``.
        None: what ``$EDGEKIT_PORT`` says, else ``"auto"``.
    quiet : bool
        Print nothing.
    flash, clock, world, engine, hard_heap
        For the simulated board alone, see :class:`~edgekit.board.simulated.SimulatedBoard`. With ``"auto"`` they
        mean that a simulated one is wanted.

    Returns
    -------
    Board

    Raises
    ------
    BoardError
        The port or the profile does not exist, or several boards are plugged in; the message lists them. Or a real
        board was asked for what only the simulated one has.

    Examples
    --------
    >>> import edgekit
    >>> board = edgekit.connect("sim")
    Simulated ESP32 DevKit (no hardware; MicroPython 1.27.0)
    >>> board.eval("1 + 1")
    2
    >>> board.close()
    """
    given = {"flash": flash, "clock": clock, "world": world, "engine": engine, "hard_heap": hard_heap}
    settings = {name: value for name, value in given.items() if value is not None}
    if port is None:
        port = os.environ.get("EDGEKIT_PORT") or "auto"
    if not isinstance(port, str):
        raise BoardError(f"A port is a text such as 'sim', 'auto' or '/dev/ttyUSB0', not {port!r}. {ports.ports_text()}")
    if port == "auto":
        port = "sim" if settings else _plugged_in()
    if port == "sim" or port.startswith("sim:"):
        from edgekit.board.simulated import SimulatedBoard
        board = SimulatedBoard(port[4:] or "esp32", **settings)
        what = "no hardware"
    else:
        if settings:
            raise BoardError(f"{', '.join(settings)}: only the simulated board has that, and {port!r} is a port of this "
                             "computer. Leave it out, or use the simulated board: edgekit.connect('sim', ...).")
        from edgekit.board.serial import SerialBoard
        board = SerialBoard(port)
        what = f"on {port}"
    if not quiet:
        version = ".".join(map(str, board.eval("__import__('sys').implementation.version[:3]")))
        print(f"{board.name} ({what}; MicroPython {version})")
    return board


def _plugged_in():
    known = [port.name for port in ports.find_ports() if port.is_board]
    if len(known) > 1:
        raise BoardError(f"Several boards are plugged in: {', '.join(known)}. Say which one: "
                         f"edgekit.connect({known[0]!r}), or edgekit.connect('sim') for the simulated one.")
    return known[0] if known else "sim"
