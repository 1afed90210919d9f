"""What can go wrong with a board, on demand: one table, and the serial line that loses bytes.

``world.fault(kind, ...)`` makes a fault, ``world.mend(kind)`` undoes it.
"""

import random
import time
from collections.abc import Iterable
from dataclasses import dataclass

from edgekit.errors import BoardLostError, DataError

__all__ = ["FAULTS", "Fault", "SerialFault", "SerialLine"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    Attributes
    ----------
    kind : str
        What :meth:`~edgekit.simulator.world.World.fault` takes.
    takes : tuple of str
        Its settings.
    what : str
        What it is.
    seen : str
        What a learner sees.
    mended : str
        How it is mended on a real board.
    """

    kind: str
    takes: tuple
    what: str
    seen: str
    mended: str


_TABLE = (
    Fault("silent", ("address",), "A chip does not answer on the I2C bus.",
          "OSError: [Errno 19] ENODEV, and i2c.scan() does not list its address.",
          "Check its four wires and its address."),
    Fault("stuck", ("bus",), "Something holds the data wire of an I2C bus low.",
          "OSError: [Errno 110] ETIMEDOUT from every transfer, and i2c.scan() finds nothing; SoftI2C finds every "
          "address and reads zeros.",
          "Power the chips off and on; look for a short circuit from SDA to ground; swap SDA and SCL."),
    Fault("frozen", ("quantity",), "A sensor repeats its last reading for ever.",
          "A flat line without the slightest noise: Recording.faults() calls it flat, or a gap if all channels are.",
          "Reset the sensor; look for a driver that does not ask for new samples."),
    Fault("saturated", ("quantity",), "A sensor feels more than it can measure.",
          "The same value at the end of its range, whatever happens: Recording.faults() calls it clipped.",
          "Choose a larger range, or a weaker signal."),
    Fault("serial", ("drop", "flip", "delay_s", "every", "at", "direction"),
          "The serial line drops, flips or delays bytes.",
          "A frame that is lost and counted, a program that does not arrive, or a wait.",
          "Use a shorter cable, another USB port, a lower baud rate."),
    Fault("cable", (), "The USB cable is pulled: the board is without power.",
          "BoardLostError: the cable was pulled.",
          "Plug it in: names are gone, files are as they were last closed."),
    Fault("brown-out", (), "The supply voltage breaks down for a moment: the board starts again.",
          "The program ends in the middle and its names are gone; files are as they were last closed, chips keep their "
          "settings.",
          "Use a stronger supply or a capacitor beside what draws the current, such as a servo."),
    Fault("flash full", (), "No block of the flash is free.",
          "OSError: [Errno 28] ENOSPC from a write.",
          "Remove files: board.remove(path)."),
)
FAULTS = {fault.kind: fault for fault in _TABLE}
OF_THE_BOARD = ("serial", "cable", "brown-out", "flash full")  # the others are the world's own


def check(kind: str, settings: dict) -> None:
    """Is there such a fault, and does it take these settings?

    Raises
    ------
    DataError
        The message lists what there is.
    """
    if kind not in FAULTS:
        raise DataError(f"No fault {kind!r}; there are {', '.join(FAULTS)}.")
    unknown = [name for name in settings if name not in FAULTS[kind].takes]
    if unknown:
        takes = ", ".join(FAULTS[kind].takes) or "no settings"
        raise DataError(f"The fault {kind!r} has no {', '.join(unknown)}; it takes {takes}.")


class SerialFault:
    """Which bytes of one direction of a serial line suffer, and how.

    Parameters
    ----------
    drop : bool
        They are lost.
    flip : bool or int
        These bits of them turn over; True: one of the eight, by the seed.
    delay_s : float
        They, and so what follows, come later: seconds of this computer.
    every : int, optional
        Each so-manieth byte, counted from now.
    at : iterable of int, optional
        These bytes, counted from 0 from now.
    direction : {"out", "in"}
        Bytes from the board, or bytes to it.
    seed : int

    Raises
    ------
    DataError
        They do not fit together.
    """

    def __init__(self, drop: bool = False, flip: bool | int = False, delay_s: float = 0.0, every: int | None = None,
                 at: Iterable[int] | None = None, direction: str = "out", seed: int = 0):
        if sum(map(bool, (drop, flip, delay_s))) != 1:
            raise DataError("A serial fault is one of drop=True, flip=True and delay_s=0.5, for example.")
        if (every is None) == (at is None):
            raise DataError("Say which bytes: every=1000 for each thousandth, or at=[5, 7] for those two.")
        if direction not in ("out", "in"):
            raise DataError(f"direction is 'out' (from the board) or 'in' (to it), found {direction!r}.")
        if every is not None and (not isinstance(every, int) or every < 1):
            raise DataError(f"every is a whole number of at least 1, found {every!r}.")
        if flip is not False and not 0 < flip < 256 or delay_s < 0:
            raise DataError(f"flip is True or a mask of bits from 1 to 255, delay_s at least 0; found {flip!r} and "
                            f"{delay_s!r}.")
        self.direction = direction
        self.hit = 0
        self._drop, self._flip, self._delay_s = drop, flip, delay_s
        self._every, self._at = every, None if at is None else frozenset(at)
        self._random = random.Random(seed)
        self._count = 0

    def apply(self, data: bytes) -> list[tuple[float, bytes]]:
        """Send bytes through it: pieces of what is left, and how long each waits before it moves on."""
        pieces, piece, delay_s = [], bytearray(), 0.0
        for value in data:
            position, self._count = self._count, self._count + 1
            if not (self._count % self._every == 0 if self._every else position in self._at):
                piece.append(value)
                continue
            self.hit += 1
            if self._flip:
                piece.append(value ^ (1 << self._random.randrange(8) if self._flip is True else self._flip))
            elif self._delay_s:
                pieces.append((delay_s, bytes(piece)))
                piece, delay_s = bytearray((value,)), self._delay_s
        pieces.append((delay_s, bytes(piece)))
        return [(delay, piece) for delay, piece in pieces if piece]


class SerialLine:
    """The wire between :class:`~edgekit.board.base.Board` and an engine, with its faults.

    Parameters
    ----------
    engine
        Has ``write``, ``read`` and ``close`` of :class:`~edgekit.board.rawrepl.Transport`.

    Attributes
    ----------
    engine
        Whatever is at its other end now.
    faults : list of SerialFault
    """

    def __init__(self, engine):
        self.engine = engine
        self.faults = []
        self._late = []  # (when, bytes) that wait to be read

    def write(self, data: bytes) -> None:
        """Send bytes to the board."""
        faults = [fault for fault in self.faults if fault.direction == "in"]
        if not faults:
            self._engine_write(data)
            return
        for delay_s, piece in _through(faults, data):
            time.sleep(delay_s)
            self._engine_write(piece)

    def read(self, timeout_s: float | None = None) -> bytes:
        """What has arrived; waits for the first byte; empty after the time-out."""
        if not self._late:
            faults = [fault for fault in self.faults if fault.direction == "out"]
            if not faults:
                return self._engine_read(timeout_s)
            end = None if timeout_s is None else time.monotonic() + timeout_s
            while not self._late:
                left = None if end is None else end - time.monotonic()
                data = self._engine_read(left if left is None else max(left, 0))
                if not data:
                    return b""
                due = time.monotonic()
                for delay_s, piece in _through(faults, data):
                    due += delay_s
                    self._late.append((due, piece))
            timeout_s = None if end is None else max(end - time.monotonic(), 0)
        due, piece = self._late[0]
        wait_s = due - time.monotonic()
        if timeout_s is not None and wait_s > timeout_s:
            time.sleep(timeout_s)
            return b""
        time.sleep(max(wait_s, 0))
        return self._late.pop(0)[1]

    def exchange(self, engine) -> None:
        """Put another engine at the end of the line; the one that was there is closed, what was on its way is lost."""
        old, self.engine = self.engine, engine
        self._late.clear()
        old.close()

    @property
    def process(self):
        """The engine's process."""
        return self.engine.process

    def close(self) -> None:
        """Let go of the board."""
        self.engine.close()

    def _engine_read(self, timeout_s):
        while True:
            engine = self.engine
            try:
                return engine.read(timeout_s)
            except BoardLostError:
                if self.engine is engine:
                    raise

    def _engine_write(self, data):
        while True:
            engine = self.engine
            try:
                return engine.write(data)
            except BoardLostError:
                if self.engine is engine:
                    raise


def _through(faults, data):
    """Bytes through several faults, one after the other."""
    pieces = [(0.0, bytes(data))]
    for fault in faults:
        after = []
        for delay_s, piece in pieces:
            first = True
            for more_s, part in fault.apply(piece):
                after.append((more_s + (delay_s if first else 0.0), part))
                first = False
        pieces = after
    return pieces
