"""`Microphone`: record words with the microphone of the computer, in the browser; listen, keep or discard."""

import math
import threading
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from edgekit.dataset import Dataset
from edgekit.errors import DataError, EdgekitError
from edgekit.lab.takes import Takes
from edgekit.lab.views import Views, hear_while_cells_run, module
from edgekit.recording import Recording

__all__ = ["Microphone"]

STATIC = Path(__file__).parent / "static"
RATE_HZ = 16000
_LONGEST_S = 30
_QUIET = 0.02       # of full scale: about 34 dB below it


class Microphone(anywidget.AnyWidget):
    """Collect words, one take after the other, with the microphone of the computer in front of you.

    Make it the last line of a cell. The browser asks before it gives the microphone, and nothing listens but while a take
    is recorded. The sound goes to this Python and nowhere else. A take that is kept is in its file at once.

    Parameters
    ----------
    labels : sequence of str
        What is said: the classes.
    folder : path, optional
        Where takes are kept, one wav file for each. What is there already counts. Default: ``words`` in the learner's
        folder.
    subject : str
        Who speaks: a code, not a name.
    seconds : float
        Length of a take, at most 30; the button "stop" ends one early.

    Attributes
    ----------
    state : dict
        What is shown: ``phase`` (``"ready"`` or ``"decide"``), ``counts`` of kept takes, ``sentence``.

    Raises
    ------
    DataError
        The labels, the length or the folder's files are not what is expected.

    Examples
    --------
    What the browser does, done by hand:

    >>> import tempfile
    >>> microphone = Microphone(["yes", "no"], folder=tempfile.mkdtemp())
    >>> microphone.put(0.1 * np.sin(np.arange(48000) / 20), 48000, "yes")
    Recording(yes, p01: 1.00 s, 16000 samples at 16000 Hz, audio, int16)
    >>> path = microphone.keep()
    >>> microphone.counts
    {'yes': 1, 'no': 0}
    """

    _esm = module("views.js", "takes.js", "microphone.js")
    _css = STATIC / "recorder.css"
    about = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    _closed = True      # until it is made

    def __init__(self, labels, folder=None, subject: str = "p01", seconds: float = 1.0):
        if not 0.1 <= seconds <= _LONGEST_S:
            raise DataError(f"A take lasts from 0.1 to {_LONGEST_S} seconds; found {seconds!r}.")
        self._takes = Takes(labels, folder, "words", ".wav")
        self.labels, self.folder = self._takes.labels, self._takes.folder
        self.subject, self.seconds = subject, float(seconds)
        self._take = None
        self._answers = 0
        self._lock = threading.Lock()
        self._views = Views()
        self._closed = False
        super().__init__()
        self.about = {"labels": list(self.labels), "subject": subject, "folder": self.folder.name,
                      "seconds": self.seconds, "rate_hz": RATE_HZ}
        self._show("ready", "Press record, allow the microphone, and speak.")
        hear_while_cells_run(self)
        self.on_msg(self._on_message)

    def put(self, samples, rate_hz: float, label: str, subject: str | None = None) -> Recording:
        """Take a sound, as the browser gives it. Listen to it, then :meth:`keep` or :meth:`discard` it.

        Parameters
        ----------
        samples : array_like
            Floats from -1 to 1, [n].
        rate_hz : float
            Samples per second; other rates than 16000 are resampled.
        label : str
            One of the labels.
        subject : str, optional

        Returns
        -------
        Recording
            int16 [n, 1] at 16 kHz.

        Raises
        ------
        DataError
            No such label, a sound that is empty or not finite, or the take before waits for its answer.
        """
        self._takes.check(label)
        samples = np.asarray(samples, float).ravel()
        if not len(samples) or not np.isfinite(samples).all():
            raise DataError("The microphone gave no sound. Press record again, and wait for \"Speak now\".")
        with self._lock:
            if self._take is not None:
                raise DataError(f"The take of {self._take.label!r} waits for an answer: microphone.keep() or "
                                "microphone.discard().")
            counts = np.rint(32768 * _resampled(samples, rate_hz))
            self.subject = (subject or self.subject).strip() or self.subject
            self._take = Recording(np.clip(counts, -32768, 32767).astype(np.int16), RATE_HZ, ("audio",), ("full scale",),
                                   (1 / 32768,), label=label, subject=self.subject, source="microphone")
        self._send_take()
        self._show("decide", _describe(self._take, np.abs(samples).max()))
        return self._take

    def keep(self) -> Path:
        """Write the take into the folder; where it is.

        Raises
        ------
        DataError
            There is no take.
        """
        path = self._takes.keep(self._waiting())
        self._take = None
        self._show("ready", f"Kept as {path.name}.")
        return path

    def discard(self) -> None:
        """Forget the take."""
        self._waiting()
        self._take = None
        self._show("ready", "Discarded.")

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
        if not len(self._takes):
            raise DataError(f"No take is kept in {self.folder.name}/ yet: press record, speak, and press keep.")
        return self._takes.dataset

    def close(self) -> None:
        """Take it away; what is kept stays in its folder."""
        if not self._closed:
            self._closed = True
            super().close()

    def __repr__(self):
        counts = ", ".join(f"{label} {count}" for label, count in self.counts.items())
        return f"<Microphone: {counts} in {self.folder.name}/>"

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**(data or {}), "text/plain": repr(self), "text/html": self._takes.table()}, metadata

    # --- inside ------------------------------------------------------------------------------------------------

    def _waiting(self):
        if self._take is None:
            raise DataError("No take waits for an answer. Press record, and speak.")
        return self._take

    def _show(self, phase, sentence):
        if not self._closed:
            # The number makes each state a new one: the browser waits for an answer to each take.
            self._answers += 1
            self.state = {"phase": phase, "sentence": sentence, "counts": self.counts, "answer": self._answers}

    def _send_take(self):
        if self._views.open and self._take is not None and not self._closed:
            self.send({"take": True}, buffers=[self._take.physical().tobytes()])

    def _on_message(self, _, message, buffers):
        """From the browser, on a thread of the kernel."""
        if self._closed:
            return
        act = message.get("act")
        try:
            if news := self._views.hear(message, self.send):
                if news == "shown":
                    self._send_take()
            elif act == "take":
                self.put(np.frombuffer(buffers[0], "<f4"), message["rate_hz"], message["label"], message.get("subject"))
            elif act in ("keep", "discard"):
                getattr(self, act)()
        except (EdgekitError, OSError) as error:
            phase = "ready" if self._take is None else "decide"
            self._show(phase, f"{error} {self._takes.safe()}")


def _resampled(samples, rate_hz):
    from scipy.signal import resample_poly

    rate_hz = round(rate_hz)
    if not 4000 <= rate_hz <= 400_000:
        raise DataError(f"A microphone with {rate_hz} samples per second is not known here; expected 8000 to 192000.")
    shared = math.gcd(RATE_HZ, rate_hz)
    return samples if rate_hz == RATE_HZ else resample_poly(samples, RATE_HZ // shared, rate_hz // shared)


def _describe(take, peak):
    if peak == 0:
        word = "The microphone gave only zeros: is it muted? Discard it, switch the microphone on, and record again."
    elif peak >= 0.999:
        word = "It was too loud: the tops are cut off. Go farther away and record again, or keep it."
    elif peak < _QUIET:
        word = "It is very quiet. Come nearer and record again, or keep it."
    else:
        word = "Listen to it. Keep it?"
    return f"{take.label}: {take.duration_s:.1f} s. {word}"
