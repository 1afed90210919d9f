"""`LivePlot`: samples as they come, drawn in the browser without lag; the same window as a figure elsewhere."""

import threading
import time
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from edgekit.errors import DataError
from edgekit.lab.views import Throttle, Views, audience, hear_while_cells_run, module

__all__ = ["LivePlot"]

STATIC = Path(__file__).parent / "static"
MOTION_CHANNELS, MOTION_UNITS = ("ax", "ay", "az", "gx", "gy", "gz"), ("g", "g", "g", "dps", "dps", "dps")

_PERIOD_S = 1 / 30


class LivePlot(anywidget.AnyWidget):
    """The last seconds of some channels, drawn while they come.

    Parameters
    ----------
    channels, units : sequence of str
        Name and unit of each; channels of one unit share a picture. Default: a motion sensor's six.
    rate_hz : float, optional
        Samples per second, for the axis; None if they come when they like.
    seconds : float
        How much is seen. Without a rate: 100 samples for each.
    title : str

    Attributes
    ----------
    stats : dict
        What the browser has said: ``count`` of the newest sample that was drawn, ``gaps`` samples that never arrived,
        ``frames`` drawn, ``messages`` that came, ``slow`` frames more than 250 ms after the one before, ``mean_ms`` and
        ``worst_ms`` from :meth:`add` to the drawing. Empty without a browser.

    Examples
    --------
    >>> plot = LivePlot(["volts"], ["V"], rate_hz=10, seconds=2)
    >>> plot.add([[1.0], [1.5]])
    >>> plot.window().shape
    (2, 1)
    """

    _esm = module("views.js", "plot.js", "live.js")
    _css = STATIC / "live.css"
    about = traitlets.Dict().tag(sync=True)
    _closed = True      # until it is made

    def __init__(self, channels=MOTION_CHANNELS, units=None, rate_hz: float | None = 100.0, seconds: float = 5.0,
                 title: str = "live"):
        channels = tuple(map(str, channels))
        units = MOTION_UNITS if units is None and channels == MOTION_CHANNELS else units
        units = ("",) * len(channels) if units is None else tuple(map(str, units))
        if not channels or len(units) != len(channels):
            raise DataError(f"Each channel needs its unit: found {len(channels)} channels and {len(units)} units.")
        length = round(seconds * (rate_hz or 100))
        if length < 2:
            raise DataError(f"A plot shows at least 2 samples; {seconds!r} s at {rate_hz!r} Hz are fewer.")
        self.channels, self.units, self.rate_hz = channels, units, rate_hz
        self._ring = np.full((length, len(channels)), np.nan, np.float32)
        self._count = 0
        self._sent = 0
        self._added_ms = 0.0
        self._lock = threading.Lock()
        self._views = Views()
        self._board = None
        self.stats = {}
        self._throttle = Throttle(self._tell, _PERIOD_S)
        super().__init__()
        self.about = {"title": title, "channels": list(channels), "units": list(units), "rate_hz": rate_hz or 0,
                      "length": length, "seconds": seconds if rate_hz else 0}
        self._closed = False
        hear_while_cells_run(self)
        self.on_msg(self._on_message)

    def add(self, samples) -> None:
        """Add samples; quick, from any thread.

        Parameters
        ----------
        samples : array_like
            In the channels' units, [n, channels], or one sample [channels].

        Raises
        ------
        DataError
            Another number of channels.
        """
        rows = np.asarray(samples, np.float32)
        rows = rows[None] if rows.ndim == 1 else rows
        if rows.ndim != 2 or rows.shape[1] != len(self.channels):
            raise DataError(f"Samples of shape [n, {len(self.channels)}] were expected ({', '.join(self.channels)}); "
                            f"found {np.shape(samples)}.")
        if not len(rows):
            return
        with self._lock:
            shown = rows[-len(self._ring):]
            first = self._count + len(rows) - len(shown)
            self._ring[np.arange(first, first + len(shown)) % len(self._ring)] = shown
            self._count += len(rows)
            if not self._added_ms:
                self._added_ms = time.time() * 1000
        if self._views.open:
            self._throttle.poke()

    def clear(self) -> None:
        """Forget all samples."""
        with self._lock:
            self._ring[:] = np.nan
            self._count = self._sent = 0
        if self._views.open:
            self.send({"clear": True})

    def follow(self, board, seconds: float = 10.0):
        """Draw a board's motion sensor while it is captured.

        Parameters
        ----------
        board : edgekit.board.Board
        seconds : float
            How long; ctrl-C ends it early.

        Returns
        -------
        Recording
            All of it, also what the window no longer shows.
        """
        from edgekit.capture import capture

        if self.channels != MOTION_CHANNELS:
            raise DataError(f"Following a board needs the channels {', '.join(MOTION_CHANNELS)}; this plot has "
                            f"{', '.join(self.channels)}.")
        self._board = board
        audience(board).join(board, *[(id(self), view) for view in list(self._views.open)])
        try:
            return capture(board, seconds, progress=False, rate_hz=round(self.rate_hz),
                           on_samples=lambda piece: self.add(piece.physical()))
        finally:
            audience(board).leave(board, lambda view: view[0] == id(self))
            self._board = None

    def window(self) -> np.ndarray:
        """What is seen now, oldest first, float32 [n, channels]."""
        with self._lock:
            return self._rows(max(0, self._count - len(self._ring)))

    def figure(self):
        """The same window as a picture, for where there is no browser.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from edgekit.lab.plot import plot_recording
        from edgekit.recording import Recording

        rows = self.window()
        if not len(rows):
            raise DataError("No sample has come yet: add some with plot.add(samples), or plot.follow(board).")
        recording = Recording(rows, self.rate_hz or 1.0, self.channels, self.units)
        figure = plot_recording(recording, title=self.about["title"])
        figure.axes[-1].set_xlabel("time (s)" if self.rate_hz else "sample")
        return figure

    def close(self) -> None:
        """Take the plot away."""
        if self._closed:
            return
        self._closed = True
        self._throttle.close()
        if self._board is not None:
            audience(self._board).leave(self._board, lambda view: view[0] == id(self))
        super().close()

    def __repr__(self):
        return f"<LivePlot of {', '.join(self.channels)}: {self._count} samples>"

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**(data or {}), "text/plain": repr(self)}, metadata

    def _rows(self, first):
        return self._ring[np.arange(first, self._count) % len(self._ring)]

    def _tell(self):
        with self._lock:
            first = max(self._sent, self._count - len(self._ring))
            rows, added_ms = self._rows(first), self._added_ms
            self._sent, self._added_ms = self._count, 0.0
        if len(rows):
            self.send({"first": first, "added_ms": added_ms}, buffers=[rows.tobytes()])

    def _on_message(self, _, message, buffers):
        act = message.get("act")
        if news := self._views.hear(message, self.send):
            board, mine = self._board, (id(self), message["view"])
            if news == "shown":
                with self._lock:
                    first = max(0, self._count - len(self._ring))
                    rows, self._sent = self._rows(first), self._count
                if len(rows):
                    self.send({"first": first, "added_ms": 0, "whole": True}, buffers=[rows.tobytes()])
                if board is not None:
                    audience(board).join(board, mine)
            elif board is not None:
                audience(board).leave(board, lambda view: view == mine)
        elif act == "drawn":
            self.stats = {name: value for name, value in message.items() if name != "act"}
