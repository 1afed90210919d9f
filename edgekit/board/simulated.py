"""The simulated board: MicroPython on this computer, with a flash folder, a clock and a world around it."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from edgekit.board.base import Board
from edgekit.board.profiles import Profile, get_profile
from edgekit.errors import BoardError, BoardLostError
from edgekit.simulator.desk import make_world
from edgekit.simulator.faults import SerialFault, SerialLine

__all__ = ["SimulatedBoard", "power_on"]

_PYSTACK_WORDS = 8192
# What the simulated machine, time and so on take of the heap, and the gaps that they leave; real firmware has them in
# flash. With so much the largest free block at the start is 96 or 97 % of the profile's heap.
_ROM_HEAP_BYTES = 114_000


class SimulatedBoard(Board):
    """A board without hardware; everything of :class:`Board`, and :attr:`world`.

    Parameters
    ----------
    profile : str or Profile
        Which board it stands for: ``"esp32"``, ``"nano33ble"``, ``"stm32f411"``, ...
    flash : path, optional
        Folder that holds the board's files; they survive. None: a temporary one, removed on close.
    clock : {"virtual", "real"}
        Virtual: ``time.sleep`` takes no time, the board's clock jumps instead. Real: it sleeps.
    world : World, optional
        What the board senses and moves; None makes one with what the course uses, see
        :func:`edgekit.simulator.desk.make_world`.
    engine : {"auto", "wasm", "unix"}
        What runs MicroPython: its WebAssembly build, which needs nothing installed; or a program ``micropython`` of
        this computer, with a garbage collector that runs while code runs and a heap that ends where the profile's
        ends. Auto: what ``$EDGEKIT_ENGINE`` says, else the first, unless ``hard_heap`` asks for the second.
    hard_heap : bool
        The profile's heap is a hard limit.

    Attributes
    ----------
    world : edgekit.simulator.world.World
        Play a recording, set a voltage, press a button, watch a pin, let something go wrong.
    profile : Profile
        The board it stands for.

    Raises
    ------
    SetupError
        What the engine needs is missing.
    BoardLostError
        In this world the board's cable is pulled.

    Examples
    --------
    >>> with SimulatedBoard("nano33ble") as board:
    ...     board.exec("print(6 * 7)")
    '42\\n'
    """

    kind = "simulated"
    _heap_grows = False  # the engine's does, the profile's not

    def __init__(self, profile: str | Profile = "esp32", flash=None, clock: str = "virtual", world=None,
                 engine: str = "auto", hard_heap: bool = False):
        self.profile = get_profile(profile)
        self._engine_class = _engine_class(engine, hard_heap)
        self._clock = _checked_clock(clock)
        if world is None:
            world = make_world(self.profile.pins)
        elif not world.parts:
            world.name_pins(self.profile.pins)
        if "cable" in world.faults:
            raise BoardLostError(_PULLED)
        self.world = world
        self._temporary = None if flash is not None else tempfile.mkdtemp(prefix="edgekit-flash-")
        self.flash = Path(flash if flash is not None else self._temporary)
        self._line = SerialLine(_Nothing())
        try:
            self._power_on()
            super().__init__(self._line)
            world.connect_board(_Hazards(self))
        except BaseException:
            self._line.close()
            self._remove_temporary()
            raise

    @property
    def clock(self) -> str:
        """``"virtual"`` or ``"real"``; set it at any time: the board's time goes on from where it is."""
        return self._clock

    @clock.setter
    def clock(self, clock):
        self._line.engine.control({"clock": _checked_clock(clock)})
        self._clock = clock

    @property
    def name(self) -> str:
        """For example ``Simulated ESP32 DevKit``."""
        return f"Simulated {self.profile.title}"

    def close(self):
        """End the simulated board, as pulling its cable would; files are as they were last closed."""
        super().close()
        self._remove_temporary()

    def _open(self):
        if "cable" in self.world.faults:
            raise BoardLostError(_PULLED)
        self._power_on()
        return self._line

    def _power_on(self):
        self.world.power_on()
        flash_bytes = 0 if "flash full" in self.world.faults else self.profile.flash_bytes
        # Through self: another world may be put in its place.
        self._line.exchange(_start(self._engine_class, self.profile, self.flash, self._clock, flash_bytes,
                                   lambda request: self.world.transaction(request)))

    def _remove_temporary(self):
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)


_PULLED = ("The simulated board's cable is pulled: it has no power. Plug it in again: board.world.mend('cable'), then "
           "board.reconnect(). Its names are gone; files are as they were last closed.")


class _Nothing:
    """What is at the end of a cable that is not plugged in."""

    process = None

    def write(self, data):
        raise BoardLostError(_PULLED)

    def read(self, timeout_s=None):
        raise BoardLostError(_PULLED)

    def control(self, settings):
        raise BoardLostError(_PULLED)

    def close(self):
        pass


class _Hazards:
    """How the faults of :mod:`edgekit.simulator.faults` reach a board."""

    def __init__(self, board):
        self._board = board

    def fault(self, kind, settings):
        board, line = self._board, self._board._line
        if kind == "serial":
            line.faults.append(SerialFault(**settings, seed=board.world.seed))
        elif kind == "cable":
            line.exchange(_Nothing())
            board._repl.ready = False
        elif kind == "brown-out":
            line.engine.control({"reset": "brown-out"})
            board._repl.ready = False
        elif kind == "flash full":
            line.engine.control({"flash_bytes": 0})

    def mend(self, kind):
        board, line = self._board, self._board._line
        if kind == "serial":
            line.faults.clear()
        elif kind == "cable" and isinstance(line.engine, _Nothing):
            board._power_on()
        elif kind == "flash full" and not isinstance(line.engine, _Nothing):
            line.engine.control({"flash_bytes": board.profile.flash_bytes})


@contextlib.contextmanager
def power_on(profile: str | Profile = "esp32", flash=None, clock: str = "real", engine: str = "auto",
             hard_heap: bool = False):
    """A simulated board's bare UART, for other programs; its ``boot.py`` and ``main.py`` run.

    Parameters
    ----------
    profile, flash, clock, engine, hard_heap
        As for :class:`SimulatedBoard`.

    Yields
    ------
    edgekit.simulator.engine.Engine
        It ends with the ``with`` block, and a temporary flash with it.
    """
    profile = get_profile(profile)
    with tempfile.TemporaryDirectory(prefix="edgekit-flash-", ignore_cleanup_errors=True) as temporary:
        engine = _start(_engine_class(engine, hard_heap), profile, Path(flash or temporary), _checked_clock(clock),
                        profile.flash_bytes, make_world(profile.pins).transaction)
        try:
            yield engine
        finally:
            engine.close()


def _engine_class(engine, hard_heap):
    if engine not in ("auto", "wasm", "unix"):
        raise BoardError(f"engine is 'auto', 'wasm' or 'unix', not {engine!r}.")
    if engine == "auto":
        engine = os.environ.get("EDGEKIT_ENGINE") or engine
    if engine == "wasm" and hard_heap:
        raise BoardError("The engine 'wasm' has no hard heap; take engine='unix' or 'auto'.")
    if engine == "unix" or hard_heap:
        from edgekit.simulator.unix import UnixEngine
        return UnixEngine
    from edgekit.simulator.engine import Engine
    return Engine


def _checked_clock(clock):
    if clock not in ("virtual", "real"):
        raise BoardError(f"clock is 'virtual' or 'real', not {clock!r}.")
    return clock


def _start(engine_class, profile, flash, clock, flash_bytes, transaction):
    try:
        flash.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BoardError(f"{str(flash)!r} cannot be the board's flash: {error.strerror}. Give a folder.") from error
    return engine_class({
        "flash": str(flash.resolve()),
        "flash_bytes": flash_bytes,
        "clock": clock,
        "heap_bytes": profile.heap_bytes + _ROM_HEAP_BYTES,
        "free_heap_bytes": profile.heap_bytes,
        "pystack_words": _PYSTACK_WORDS,
        "profile": {"sys_platform": profile.sys_platform, "machine": profile.machine, "build": profile.build},
    }, transaction)
