"""`Recorder`: record labelled takes from the board's motion sensor, look at them, keep or discard them."""

import contextlib
import re
import threading
import warnings
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from edgekit.capture import CaptureWarning, capture
from edgekit.dataset import Dataset
from edgekit.errors import BoardLostError, DataError, EdgekitError
from edgekit.lab.live import MOTION_CHANNELS, MOTION_UNITS
from edgekit.lab.takes import Takes
from edgekit.lab.views import Throttle, Views, audience, hear_while_cells_run, module
from edgekit.recording import Recording
from edgekit.signals import gestures

__all__ = ["Recorder"]

STATIC = Path(__file__).parent / "static"
_PERIOD_S = 1 / 30
_PERSON = re.compile(r"s\d+$")


class Recorder(anywidget.AnyWidget):
    """Collect a data set, one take after the other.

    Make it the last line of a cell. What its buttons do, a program does with the methods. A take that is kept is in its
    file at once, so nothing that was kept is ever lost. On the simulated board the recorder plays a gesture of a virtual
    person into the sensor, and says so: such takes have the source ``"simulated"``.

    Parameters
    ----------
    board : edgekit.board.Board
    labels : sequence of str
        What is recorded: the classes.
    folder : path, optional
        Where takes are kept, one csv file for each. What is there already counts. Default: ``recordings`` in the
        learner's folder.
    subject : str, optional
        Who moves: a code, not a name. On the simulated board a virtual person, such as ``"s30"``.
    seconds : float
        Length of a take.
    rate_hz : int
        Samples per second.
    countdown_s : float
        Wait after the button "record" was pressed.

    Attributes
    ----------
    state : dict
        What the recorder shows: ``phase`` (``"ready"``, ``"countdown"``, ``"recording"``, ``"decide"``), ``label``,
        ``progress`` 0 to 1, ``counts`` of kept takes, ``sentence``.

    Raises
    ------
    DataError
        The labels or the folder's files are not what is expected.

    Examples
    --------
    >>> import edgekit, tempfile
    >>> with edgekit.connect("sim", quiet=True) as board:
    ...     recorder = Recorder(board, ["idle", "wave"], folder=tempfile.mkdtemp(), seconds=1)
    ...     recorder.record("wave")
    ...     path = recorder.keep()
    ...     recorder.counts
    Recording(wave, s21: 1.00 s, 100 samples at 100 Hz, ax ay az gx gy gz, int16)
    {'idle': 0, 'wave': 1}
    """

    _esm = module("views.js", "plot.js", "takes.js", "recorder.js")
    _css = STATIC / "recorder.css"
    about = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    _closed = True      # until it is made

    def __init__(self, board, labels, folder=None, subject: str | None = None, seconds: float = 3.2,
                 rate_hz: int = 100, countdown_s: float = 3.0):
        self._takes = Takes(labels, folder, "recordings", ".csv")
        self.board, self.labels, self.folder = board, self._takes.labels, self._takes.folder
        self.seconds, self.rate_hz, self.countdown_s = float(seconds), int(rate_hz), float(countdown_s)
        self.simulated = board.world is not None
        self.subject = subject or (gestures.LIVE_SUBJECT if self.simulated else "p01")
        self._take = None
        self._lost = False
        self._busy = threading.Lock()
        self._stop = threading.Event()
        self._worker = None
        self._views = Views()
        self._closed = False
        self._pending_rows, self._sent = [], 0
        self._rows_lock = threading.Lock()
        self._now = {"phase": "ready", "label": self.labels[0], "progress": 0.0, "sentence": "", "left_s": 0}
        self._throttle = Throttle(self._tell, _PERIOD_S)
        super().__init__()
        self.about = {"board": board.name, "simulated": self.simulated, "labels": list(self.labels), "subject": self.subject,
                      "folder": self.folder.name, "seconds": self.seconds, "channels": list(MOTION_CHANNELS),
                      "units": list(MOTION_UNITS), "rate_hz": self.rate_hz, "length": round(self.seconds * self.rate_hz),
                      "gestures": list(gestures.CLASSES) if self.simulated else []}
        self._show()
        hear_while_cells_run(self)
        self.on_msg(self._on_message)

    # --- what the buttons do -----------------------------------------------------------------------------------

    def record(self, label: str, gesture: str | None = None) -> Recording:
        """Record one take. Look at it, then :meth:`keep` or :meth:`discard` it.

        Parameters
        ----------
        label : str
            One of the labels.
        gesture : str, optional
            Simulated board only: which gesture the virtual person makes. Default: the one that is called as the label,
            else none, the sensor lies still.

        Returns
        -------
        Recording

        Raises
        ------
        DataError
            No such label or gesture, or the take before waits for its answer.
        BoardError
            The board is busy, or was lost; what was kept is safe. After a loss :meth:`record` connects again.
        """
        self._check(label, gesture)
        if not self._busy.acquire(blocking=False):
            raise DataError("A take is being recorded. Wait for its end, or stop it: recorder.stop().")
        try:
            self._stop.clear()
            self._take = self._record(label, gesture)
        finally:
            self._busy.release()
        return self._take

    def stop(self) -> None:
        """End the take that is being recorded; what came so far can be kept."""
        self._stop.set()

    def keep(self) -> Path:
        """Write the take into the folder.

        Returns
        -------
        pathlib.Path
            Its file.

        Raises
        ------
        DataError
            There is no take, or it does not fit to those that are there.
        """
        path = self._takes.keep(self._waiting())
        self._take = None
        self._show(phase="ready", progress=0.0, sentence=f"Kept as {path.name}.")
        return path

    def discard(self) -> None:
        """Forget the take."""
        self._waiting()
        self._take = None
        self._show(phase="ready", progress=0.0, sentence="Discarded.")

    @property
    def take(self) -> Recording | None:
        """The take that waits to be kept or discarded."""
        return self._take

    @property
    def counts(self) -> dict[str, int]:
        """How many takes of each label are kept."""
        return self._takes.counts

    @property
    def dataset(self) -> Dataset:
        """What is kept.

        Raises
        ------
        DataError
            Nothing is kept yet.
        """
        return self._takes.dataset

    def figure(self):
        """The take that waits, or else the newest that is kept, as a picture.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from edgekit.lab.plot import plot_recording

        take = self._take or self._takes.newest
        if take is None:
            raise DataError(f"There is no take yet: recorder.record({self.labels[0]!r}).")
        return plot_recording(take)

    def close(self) -> None:
        """Take the recorder away; what is kept stays in its folder."""
        if self._closed:
            return
        self._closed = True
        self._stop.set()
        worker = self._worker
        if worker is not None and worker is not threading.current_thread():
            worker.join(5)
        self._throttle.close()
        audience(self.board).leave(self.board, lambda view: view[0] == id(self))
        super().close()

    def __repr__(self):
        counts = ", ".join(f"{label} {count}" for label, count in self.counts.items())
        return f"<Recorder on {self.about['board']}: {counts} in {self.folder.name}/>"

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**(data or {}), "text/plain": repr(self), "text/html": self._takes.table()}, metadata

    # --- inside ------------------------------------------------------------------------------------------------

    def _check(self, label, gesture):
        self._takes.check(label)
        if self._take is not None:
            raise DataError(f"The take of {self._take.label!r} waits for an answer: recorder.keep() or "
                            "recorder.discard().")
        if gesture is not None and not self.simulated:
            raise DataError("A real board cannot be moved by the computer: take it into your hand, and leave out "
                            "gesture=.")
        if gesture is not None and gesture not in gestures.CLASSES:
            raise DataError(f"No gesture {gesture!r}: expected one of {', '.join(gestures.CLASSES)}.")

    def _waiting(self):
        if self._take is None:
            raise DataError(f"No take waits for an answer. Record one: recorder.record({self.labels[0]!r}).")
        return self._take

    def _record(self, label, gesture):
        with self._rows_lock:
            self._pending_rows, self._sent = [], 0
        self._to_browser({"clear": True})
        self._show(phase="recording", label=label, progress=0.0, sentence="")
        wanted, seen = round(self.seconds * self.rate_hz), 0

        def on_samples(piece):
            nonlocal seen
            rows = piece.physical()[:wanted - seen]
            seen += len(rows)
            with self._rows_lock:
                self._pending_rows.append(rows)
            self._now = {**self._now, "progress": min(1.0, seen / wanted)}
            self._throttle.poke()
            return self._stop.is_set()

        try:
            if self._lost:
                self.board.reconnect()
                self._lost = False
            if self.simulated:
                self._play(label, gesture)
            take, sentences = _captured(self.board, self.seconds, label=label, subject=self.subject, progress=False,
                                        rate_hz=self.rate_hz, on_samples=on_samples)
        except BoardLostError as error:
            self._lost = True
            self._failed(f"{error} The take is gone; {self._takes.safe()} Press record when the board is back.")
            raise
        except EdgekitError as error:
            self._failed(f"{error} {self._takes.safe()}")
            raise
        except BaseException:
            self._failed(self._takes.safe())
            raise
        finally:
            if self.simulated:
                self.board.world.stop()
        # What was asked for did not come, and nobody has stopped it: the board has gone in the middle.
        self._lost = len(take) < wanted and not self._stop.is_set()
        if self._lost:
            sentences.append(self._takes.safe())
        self._show(phase="decide", sentence=" ".join([_describe(take), *sentences]))
        return take

    def _play(self, label, gesture):
        gesture = gesture or (label if label in gestures.CLASSES else None)
        world = self.board.world
        world.stop()
        if gesture is None:
            return
        person = self.subject if _PERSON.fullmatch(self.subject) else gestures.LIVE_SUBJECT
        # Each take is another try; it begins before the recording does and ends after it.
        movement = gestures.make_recording(gesture, person, duration_s=self.seconds + 2, take=sum(self.counts.values()))
        world.play(movement, loop=True)

    def _failed(self, sentence):
        self._show(phase="ready", progress=0.0, sentence=sentence)

    def _show(self, **changes):
        self._now = {**self._now, **changes}
        self._tell()

    def _tell(self):
        if self._closed:
            return
        with self._rows_lock:
            rows, first = self._pending_rows, self._sent
            self._pending_rows = []
            self._sent += sum(map(len, rows))
        if rows:
            self._to_browser({"first": first}, [np.concatenate(rows).astype(np.float32).tobytes()])
        with contextlib.suppress(AttributeError):       # closed in the meantime
            self.state = {**self._now, "counts": self.counts}

    def _to_browser(self, message, buffers=None):
        if self._views.open and not self._closed:
            self.send(message, buffers=buffers)

    def _on_message(self, _, message, buffers):
        """From the browser, on a thread of the kernel."""
        act = message.get("act")
        if self._closed:
            return
        try:
            if news := self._views.hear(message, self.send):
                mine = (id(self), message["view"])
                if news == "hidden":
                    audience(self.board).leave(self.board, lambda view: view == mine)
                    return
                audience(self.board).join(self.board, mine)
                if self._take is not None:
                    self._to_browser({"clear": True})
                    self._to_browser({"first": 0}, [self._take.physical().tobytes()])
            elif act == "record":
                self._start(message)
            elif act == "stop":
                self.stop()
            elif act in ("keep", "discard"):
                getattr(self, act)()
        except (EdgekitError, OSError) as error:
            self._show(sentence=str(error))

    def _start(self, message):
        """The button "record": count down and record on a thread of its own, so that the button "stop" is heard."""
        label, gesture = message["label"], message.get("gesture") or None
        self._check(label, gesture)
        self.subject = str(message.get("subject") or self.subject).strip() or self.subject
        if not self._busy.acquire(blocking=False):
            return
        self._stop.clear()
        self._worker = threading.Thread(target=self._count_down_and_record, args=(label, gesture),
                                        name="edgekit-recorder", daemon=True)
        self._worker.start()

    def _count_down_and_record(self, label, gesture):
        try:
            left_s = self.countdown_s
            while left_s > 0:
                self._show(phase="countdown", label=label, left_s=round(left_s), sentence="")
                if self._stop.wait(min(1.0, left_s)):
                    self._show(phase="ready", sentence="Stopped.")
                    return
                left_s -= 1.0
            with contextlib.suppress(EdgekitError):     # it is said in the recorder
                self._take = self._record(label, gesture)
        finally:
            self._busy.release()
            self._worker = None


def _captured(*args, **settings):
    """A capture, and in words what was odd about it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CaptureWarning)
        recording = capture(*args, **settings)
    for one in caught:
        if not issubclass(one.category, CaptureWarning):
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    return recording, [str(one.message) for one in caught if issubclass(one.category, CaptureWarning)]


def _describe(take):
    lost = f" {take.lost} samples were lost: better record it again." if take.lost else " No sample was lost."
    return f"{take.label}: {take.duration_s:.1f} s, {take.source}.{lost} Keep it?"
