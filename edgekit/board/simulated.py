"""The simulated board: MicroPython in WebAssembly, with a flash folder, a clock and a world around it."""

import contextlib
import shutil
import tempfile
from pathlib import Path

from edgekit.board.base import Board
from edgekit.board.profiles import Profile, get_profile
from edgekit.errors import BoardError
from edgekit.simulator.engine import Engine

__all__ = ["SimulatedBoard", "power_on"]

_PYSTACK_WORDS = 8192
# What the simulated machine, time and so on take of the heap; real firmware has them in flash.
_ROM_HEAP_BYTES = 40_000


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
        What the board senses and moves; None makes one with an MPU6050 on the bus that
        ``boards.accelerometer()`` looks at.

    Attributes
    ----------
    world : edgekit.simulator.world.World
        Play a recording, set a voltage, press a button, watch a pin.
    profile : Profile
        The board it stands for.

    Raises
    ------
    SetupError
        Node.js or MicroPython's package for it is missing.

    Examples
    --------
    >>> with SimulatedBoard("nano33ble") as board:
    ...     board.exec("print(6 * 7)")
    '42\\n'
    """

    kind = "simulated"

    def __init__(self, profile: str | Profile = "esp32", flash=None, clock: str = "virtual", world=None):
        self.profile = get_profile(profile)
        if world is None:
            world = _world_with_sensor(self.profile)
        self.world = world
        self._temporary = None if flash is not None else tempfile.mkdtemp(prefix="edgekit-flash-")
        self.flash = Path(flash if flash is not None else self._temporary)
        transport = None
        try:
            transport = _start(self.profile, self.flash, clock, lambda request: self.world.transaction(request))
            super().__init__(transport)
        except BaseException:
            if transport is not None:
                transport.close()
            self._remove_temporary()
            raise

    @property
    def name(self) -> str:
        """For example ``Simulated ESP32 DevKit``."""
        return f"Simulated {self.profile.title}"

    def close(self):
        """End the simulated board, as pulling its cable would; files are as they were last closed."""
        super().close()
        self._remove_temporary()

    def _remove_temporary(self):
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)


@contextlib.contextmanager
def power_on(profile: str | Profile = "esp32", flash=None, clock: str = "real"):
    """A simulated board's bare UART, for other programs; its ``boot.py`` and ``main.py`` run.

    Parameters
    ----------
    profile, flash, clock
        As for :class:`SimulatedBoard`.

    Yields
    ------
    edgekit.simulator.engine.Engine
        It ends with the ``with`` block, and a temporary flash with it.
    """
    profile = get_profile(profile)
    with tempfile.TemporaryDirectory(prefix="edgekit-flash-", ignore_cleanup_errors=True) as temporary:
        engine = _start(profile, Path(flash or temporary), clock, _world_with_sensor(profile).transaction)
        try:
            yield engine
        finally:
            engine.close()


def _start(profile, flash, clock, transaction):
    if clock not in ("virtual", "real"):
        raise BoardError(f"clock is 'virtual' or 'real', not {clock!r}.")
    try:
        flash.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BoardError(f"{str(flash)!r} cannot be the board's flash: {error.strerror}. Give a folder.") from error
    return Engine({
        "flash": str(flash.resolve()),
        "flash_bytes": profile.flash_bytes,
        "clock": clock,
        "heap_bytes": profile.heap_bytes + _ROM_HEAP_BYTES,
        "pystack_words": _PYSTACK_WORDS,
        "profile": {"sys_platform": profile.sys_platform, "machine": profile.machine, "build": profile.build},
    }, transaction)


def _world_with_sensor(profile):
    from edgekit.simulator.chips.mpu6050 import MPU6050
    from edgekit.simulator.world import World
    world = World()
    world.attach(MPU6050(world.sense), bus=profile.pins["I2C_ID"])
    return world
