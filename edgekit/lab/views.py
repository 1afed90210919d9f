"""What the widgets share: who is looking, and how often they are told.

A widget may be shown in several views of a browser, or in none (a test, a notebook that is converted). Callbacks come
on threads of the kernel while a cell runs on the board; so nothing here talks to the board.
"""

import contextlib
import threading
import time
import weakref

from edgekit.errors import EdgekitError

__all__ = ["Throttle", "audience"]


class Throttle:
    """Do something soon after it was asked for, but not too often; the last time always counts.

    No thread runs while nothing is asked for.

    Parameters
    ----------
    act : callable
        Runs on a thread of its own.
    period_s : float
        Least time between two runs.
    """

    def __init__(self, act, period_s: float = 0.05):
        self._act = act
        self._period_s = period_s
        self._lock = threading.Lock()
        self._acting = threading.Lock()
        self._last_s = 0.0
        self._timer = None
        self._closed = False

    def poke(self) -> None:
        """Ask for it. Quick: safe to call from the simulated board's own thread."""
        with self._lock:
            if self._timer is not None or self._closed:
                return
            wait_s = max(0.0, self._last_s + self._period_s - time.monotonic())
            self._timer = threading.Timer(wait_s, self._fire)
            self._timer.name = "edgekit-throttle"
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """No more."""
        with self._lock:
            self._closed = True
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            if timer is not threading.current_thread():
                timer.join(1)

    def _fire(self):
        with self._acting:
            with self._lock:
                if self._closed:
                    return
                # What is asked for from now on needs another run.
                self._timer = None
                self._last_s = time.monotonic()
            self._act()


class _Audience:
    """The views that are open on a board. While there is one, the board's clock is real: a hand is slow."""

    def __init__(self):
        self._lock = threading.Lock()
        self._views = set()
        self._usual_clock = None

    def join(self, board, *views) -> None:
        """Views have opened."""
        with self._lock:
            first = not self._views and views
            self._views.update(views)
            if first and getattr(board, "clock", None) == "virtual":
                self._usual_clock = "virtual"
                _set_clock(board, "real")

    def leave(self, board, wanted) -> None:
        """Views have closed: those for which ``wanted(view)`` holds."""
        with self._lock:
            gone = {view for view in self._views if wanted(view)}
            self._views -= gone
            if gone and not self._views and self._usual_clock:
                _set_clock(board, self._usual_clock)
                self._usual_clock = None

    def has(self, wanted) -> bool:
        """Is there a view for which ``wanted(view)`` holds?"""
        with self._lock:
            return any(map(wanted, self._views))


_audiences = weakref.WeakKeyDictionary()
_audiences_lock = threading.Lock()


def audience(board) -> _Audience:
    """Who looks at a board."""
    with _audiences_lock:
        return _audiences.setdefault(board, _Audience())


def _set_clock(board, clock):
    # The board may be closed already: then its clock is nobody's business.
    with contextlib.suppress(EdgekitError, AttributeError, OSError):
        board.clock = clock
