"""What the widgets share: who is looking, and how often they are told.

A widget may be shown in several views of a browser, or in none (a test, a notebook that is converted). Callbacks come
on threads of the kernel while a cell runs on the board; so nothing here talks to the board.
"""

import contextlib
import threading
import time
import weakref
from pathlib import Path

from edgekit.errors import EdgekitError

__all__ = ["Throttle", "Views", "audience", "hear_while_cells_run", "module"]


STATIC = Path(__file__).parent / "static"


def module(*names: str) -> str:
    """Files of the folder ``static`` as one JavaScript module: a widget's is a text, which cannot import another."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)


def hear_while_cells_run(widget) -> None:
    """Let a widget hear the browser while a cell runs.

    JupyterLab sends a widget's messages to a thread of their own, a subshell. ipykernel 7.4 takes them from there to the
    thread that has used the widget last: that of the cells, where they wait for the cell's end. A button that is pressed
    while a program waits for it would come too late.
    """
    comm = widget.comm
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, wanted: wanted


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


class Views:
    """The views of one widget that are open in browsers.

    A browser says that it shows a view until it hears that it was understood: its first message may wait behind all cells
    that are about to run, later ones take a quicker way.

    Attributes
    ----------
    open : set of str
    """

    def __init__(self):
        self.open = set()
        self._gone = set()

    def hear(self, message: dict, send) -> str:
        """Take a message of the browser.

        Parameters
        ----------
        message : dict
        send : callable
            Sends a message to the browser.

        Returns
        -------
        str
            ``"shown"`` or ``"hidden"`` if a view has opened or closed just now, else empty.
        """
        act, view = message.get("act"), message.get("view")
        if act == "shown":
            send({"seen": view})
            if view in self.open or view in self._gone:
                return ""
            self.open.add(view)
            return act
        if act == "hidden" and view not in self._gone:
            self._gone.add(view)
            self.open.discard(view)
            return act
        return ""


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
