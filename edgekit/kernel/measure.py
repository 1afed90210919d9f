"""``%timeit`` and ``%mem``: how long code takes on the board, and what memory it has."""

import ast
import contextlib
import re
import statistics
from dataclasses import dataclass

from edgekit.errors import BoardCodeError, BoardError, DataError

__all__ = ["Timing", "timeit", "Memory", "memory"]

_RUN_US = 200_000           # one run lasts at least this long
_LOOPS_MAX = 10_000_000
_ANSWER_S = 120.0

# As CPython's timeit: the statement in a function, so that the loop is quick; garbage is collected before, not meanwhile.
_TIMEIT = """\
def _timeit(_n):
    import time
{setup}
    _t = time.ticks_us()
    for _i in range(_n):
{body}
    return time.ticks_diff(time.ticks_us(), _t)
"""


@dataclass(frozen=True)
class Timing:
    """Times of a statement on a board.

    Attributes
    ----------
    runs_us : tuple of float
        Microseconds for one time, mean of each run.
    loops : int
        Times in each run.
    kind : str
        ``"simulated"`` or ``"board"``.
    virtual : bool
        The simulated board had a virtual clock, which was real for the measurement.
    """

    runs_us: tuple
    loops: int
    kind: str
    virtual: bool = False

    @property
    def best_us(self) -> float:
        """The best run: the others were disturbed."""
        return min(self.runs_us)

    def __str__(self):
        text = (f"{_duration(self.best_us)} per loop, best of {len(self.runs_us)} runs of {self.loops:,} "
                f"(median {_duration(statistics.median(self.runs_us))}, slowest {_duration(max(self.runs_us))})")
        if self.kind == "simulated":
            text += "\nsimulated: this computer's time, not a board's."
        if self.virtual:
            text += " The virtual clock stands still while code runs and cannot time it, so it was real meanwhile."
        return text

    __repr__ = __str__


def timeit(board, statement: str, setup: str = "", loops: int | None = None, runs: int = 5) -> Timing:
    """Time a statement on the board, with the board's clock.

    Parameters
    ----------
    board : edgekit.board.Board
    statement : str
        One or more lines.
    setup : str
        Runs before the loop of each run.
    loops : int, optional
        How often in each run; None: so often that a run takes 0.2 s.
    runs : int

    Returns
    -------
    Timing

    Raises
    ------
    BoardCodeError
        The statement fails.
    """
    function = _TIMEIT.format(setup=_indented(setup, 4), body=_indented(statement, 8))
    with _real_clock(board) as virtual:
        try:
            board.exec(function, timeout_s=_ANSWER_S)
            if loops is None:
                loops, once = 1, _once(board, 1)
                while once < _RUN_US / 10 and loops < _LOOPS_MAX:
                    loops *= 10
                    once = _once(board, loops)
                loops = min(_LOOPS_MAX, max(1, round(loops * _RUN_US / max(once, 1)))) if once < _RUN_US else loops
                loops = _round(loops)
            times = [_once(board, loops) / loops for _ in range(runs)]
        finally:
            board.exec("globals().pop('_timeit', 0)", timeout_s=_ANSWER_S)
    return Timing(tuple(times), loops, board.kind, virtual)


def _once(board, loops):
    return int(board.exec(f"__import__('gc').collect()\nprint(_timeit({loops}))", timeout_s=_ANSWER_S))


def _round(count):
    """One digit and zeros."""
    zeros = 10 ** (len(str(count)) - 1)
    return count // zeros * zeros


def _indented(code, by):
    """Code, indented; lines within a text of several lines stay as they are."""
    code = code.strip("\n") or "pass"
    inside = set()
    with contextlib.suppress(SyntaxError, ValueError):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, (ast.Constant, ast.JoinedStr)) and node.end_lineno > node.lineno:
                inside.update(range(node.lineno + 1, node.end_lineno + 1))
    return "\n".join(line if i in inside else " " * by + line for i, line in enumerate(code.split("\n"), 1))


@contextlib.contextmanager
def _real_clock(board):
    """A simulated board's clock is real meanwhile. Yields whether it was virtual."""
    if getattr(board, "clock", "real") != "virtual":
        yield False
        return
    board.clock = "real"
    try:
        yield True
    finally:
        board.clock = "virtual"


def _duration(us):
    for unit, size in (("s", 1e6), ("ms", 1e3), ("us", 1.0)):
        if us >= size:
            return f"{us / size:.3g} {unit}"
    return f"{us * 1e3:.3g} ns"


# --- memory ------------------------------------------------------------------------------------------------------

_MEM = """\
def _mem():
    import gc, os
    gc.collect()
    used, free = gc.mem_alloc(), gc.mem_free()
    try:
        disk = os.statvfs("/")
        flash = (disk[0] * disk[2], disk[0] * disk[3])
    except Exception:
        flash = None
    print((used, free, flash))
try:
    _mem()
finally:
    del _mem
"""


@dataclass(frozen=True)
class Memory:
    """What memory a board has, in bytes. End a cell with it for a table.

    Attributes
    ----------
    heap_used, heap_free : int
        After a garbage collection.
    largest_free : int or None
        The largest object that still fits; None where the port does not tell.
    flash_bytes, flash_free : int or None
        Of the file system at ``/``.
    kind : str
        ``"simulated"`` or ``"board"``.
    """

    heap_used: int
    heap_free: int
    largest_free: int | None
    flash_bytes: int | None
    flash_free: int | None
    kind: str

    def rows(self) -> list[tuple[str, str]]:
        """What, and how much."""
        rows = [("heap used", _bytes(self.heap_used)), ("heap free", _bytes(self.heap_free)),
                ("largest free block", "not told by this port" if self.largest_free is None else _bytes(self.largest_free))]
        if self.flash_bytes is not None:
            rows += [("flash used", _bytes(self.flash_bytes - self.flash_free)), ("flash free", _bytes(self.flash_free))]
        return rows

    def __str__(self):
        return "\n".join(f"{what:<20}{much:>16}" for what, much in self.rows()) + f"\n({self.kind})"

    __repr__ = __str__

    def _repr_html_(self):
        body = "".join(f"<tr><th style='text-align:left'>{what}</th><td>{much}</td></tr>" for what, much in self.rows())
        return f"<table><caption>Memory ({self.kind})</caption><tbody>{body}</tbody></table>"


def memory(board) -> Memory:
    """Ask a board for its memory, after a garbage collection."""
    try:
        used, free, flash = ast.literal_eval(board.exec(_MEM, timeout_s=_ANSWER_S))
    except BoardCodeError as error:
        raise BoardError(f"The board does not tell its memory: {error.reason}.") from None
    return Memory(used, free, board.largest_free(), *(flash or (None, None)), board.kind)


def _bytes(count):
    return f"{count:,} bytes"


def parse_timeit(line: str) -> tuple[int | None, int, str]:
    """Options of ``%timeit [-n LOOPS] [-r RUNS] STATEMENT``: loops, runs, the rest.

    Raises
    ------
    DataError
        An option has no number.

    Examples
    --------
    >>> parse_timeit("-n 100 -r3 x + 1")
    (100, 3, 'x + 1')
    """
    found = {"n": None, "r": 5}
    while match := re.match(r"\s*-(\w)\s*(\S*)\s?", line):
        if match[1] not in found or not match[2].isdigit() or not int(match[2]):
            raise DataError(f"Expected %timeit [-n LOOPS] [-r RUNS] STATEMENT, found {match[0].strip()!r}.")
        found[match[1]] = int(match[2])
        line = line[match.end():]
    return found["n"], found["r"], line.strip()
