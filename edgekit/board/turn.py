"""Whose turn it is: a board has one wire, and many may want it (cells, widgets, a stream that is still open)."""

import contextlib
import threading
import time

from edgekit.errors import BoardBusyError

__all__ = ["Turn"]

_POLL_S = 0.002


class Turn:
    """One thread at a time, and one program at a time.

    A thread that has the turn may take it again: a copy of a file is made of many small programs. While a program
    runs nobody may start another one, the same thread included: it would break into the middle of the first.

    Parameters
    ----------
    patience_s : float
        How long another thread waits for its turn: enough for a question that takes milliseconds, too short for
        anyone to think that the notebook hangs.

    Attributes
    ----------
    running : bool
        True while a program runs on the board.
    """

    def __init__(self, patience_s: float = 1.0):
        self.patience_s = patience_s
        self.running = False
        self._lock = threading.Lock()
        self._owner = None
        self._depth = 0

    def is_mine(self) -> bool:
        """True if this thread has the turn, or nobody has."""
        return self._owner in (None, threading.get_ident())

    @contextlib.contextmanager
    def hold(self):
        """Keep the turn for several programs in a row.

        Raises
        ------
        BoardBusyError
            Another thread has it, and still has it after ``patience_s``.
        """
        self._take()
        try:
            yield
        finally:
            self._give()

    def begin(self):
        """A program starts: from now to :meth:`end` the turn is taken, by whichever thread ends it.

        Raises
        ------
        BoardBusyError
            Another thread has the turn, or a program runs already.
        """
        self._take()
        with self._lock:
            if not self.running:
                self.running = True
                return
        self._give()
        raise BoardBusyError("The board is busy: its program still runs, and this was asked for in the middle of it. "
                             "Ask after its end; a stream ends with stream.close().")

    def end(self):
        """The program has ended; do nothing if it had before."""
        with self._lock:
            ended, self.running = self.running, False
        if ended:
            self._give()

    def _take(self):
        me = threading.get_ident()
        end = time.monotonic() + self.patience_s
        while True:
            with self._lock:
                if self._owner in (None, me):
                    self._owner = me
                    self._depth += 1
                    return
            if time.monotonic() >= end:
                raise BoardBusyError("The board is busy: another cell or button uses it. Wait until that has ended, "
                                     "or stop it with board.interrupt().")
            # Not the wait of a condition: ctrl-C in the middle of that may leave its lock in disorder.
            time.sleep(_POLL_S)

    def _give(self):
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._owner = None
