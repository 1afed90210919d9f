"""Events in recordings of a motion sensor on the belt: the board's own code, and a faster way through long stretches.

The definition is ``firmware/lib/falls.py``. Here the cheap part, one comparison for each sample, is done by NumPy for all
samples at once; what the events are described with is the board's file itself, run on this computer.
"""

from dataclasses import dataclass

import numpy as np

from edgekit.errors import DataError
from edgekit.features.params import _Saved
from edgekit.twin import board_module

__all__ = ["NAMES", "EventParams", "events", "count_above", "squeeze"]

board = board_module("falls")
NAMES = board.NAMES
"""Names of the fourteen numbers; `firmware/lib/falls.py` says what each is."""

COUNTS_PER_G = 2048


@dataclass(frozen=True)
class EventParams(_Saved):
    """How a stream becomes events, and an event the model's input.

    Parameters
    ----------
    kind : {"event"}
    rate_hz : int
        Samples per second.
    accel_range_g : int
        Range of the accelerometer, in g: the counts mean nothing without it.
    trigger_mg : int
        Magnitude from which something is an event, in mg.
    classes : tuple of str
        Names of the model's outputs.

    Raises
    ------
    DataError
        The board's code was made for other values.

    Examples
    --------
    >>> EventParams().shape
    (14,)
    """

    kind: str = "event"
    rate_hz: int = board.RATE_HZ
    accel_range_g: int = 16
    trigger_mg: int = board.TRIGGER_MG
    classes: tuple[str, ...] = ("daily", "fall")

    def __post_init__(self):
        object.__setattr__(self, "classes", tuple(self.classes))
        for name, expected in (("kind", "event"), ("rate_hz", board.RATE_HZ), ("accel_range_g", 16)):
            if getattr(self, name) != expected:
                raise DataError(f"EventParams: {name} is {getattr(self, name)!r}; the features of falls are made for "
                                f"{expected!r}.")
        if type(self.trigger_mg) is not int or not 1000 < self.trigger_mg <= 16000:
            raise DataError(f"EventParams: trigger_mg is {self.trigger_mg!r}; expected 1001 to 16000.")

    @property
    def shape(self) -> tuple:
        """Shape of a model's input: (features,)."""
        return (len(NAMES),)


def _counts(recording):
    wanted = [recording.channels.index(name) for name in ("ax", "ay", "az") if name in recording.channels]
    if len(wanted) != 3 or recording.samples.dtype != np.int16 or recording.rate_hz != board.RATE_HZ:
        raise DataError(f"Expected int16 counts of ax, ay, az at {board.RATE_HZ} Hz; found {recording!r}. "
                        "Resample it, and make it counts: recording.resample(50).to_counts(2048).")
    if not np.allclose([recording.scale[i] for i in wanted], 1 / COUNTS_PER_G):
        raise DataError(f"Expected {COUNTS_PER_G} counts for 1 g (+-16 g); this recording has "
                        f"{1 / recording.scale[wanted[0]]:.0f}. Take to_counts({COUNTS_PER_G}).")
    return recording.samples[:, wanted]


def events(recording, trigger_mg: int = board.TRIGGER_MG):
    """What struck hard in a recording, described: equal to ``Detector.update`` with one sample after the other.

    Parameters
    ----------
    recording : Recording
        int16 at 50 Hz, +-16 g, with the channels ax, ay, az.
    trigger_mg : int
        Magnitude from which something is an event, in mg.

    Returns
    -------
    peaks : numpy.ndarray of int64, shape [N]
        Sample of each event's peak.
    values : numpy.ndarray of int32, shape [N, 14]
        The numbers named in :data:`NAMES`.
    features : numpy.ndarray of int8, shape [N, 14]
        The same as the model reads them.

    Raises
    ------
    DataError
        The recording is another kind.

    Examples
    --------
    >>> from edgekit.signals.falls import make_event
    >>> peaks, values, features = events(make_event("fall_backward", "p01"))
    >>> len(peaks), features.dtype.name
    (1, 'int8')
    """
    counts = _counts(recording)
    detector = board.Detector(trigger_mg)
    coarse = counts.astype(np.int64) >> 3
    square = (coarse**2).sum(axis=1)
    hits = np.flatnonzero(square >= detector._limit)
    peaks, peak, strongest = [], None, 0
    for at, now in zip(hits.tolist(), square[hits].tolist(), strict=True):
        if at < board.BEFORE:
            continue
        if peak is not None and at > peak + board.AFTER:
            peaks.append(peak)
            peak = None
        if peak is None or now > strongest or at - peak > board.FORGET:
            peak, strongest = at, now
    if peak is not None and peak + board.AFTER < len(counts):
        peaks.append(peak)
    values = np.zeros((len(peaks), len(NAMES)), np.int32)
    features = np.zeros((len(peaks), len(NAMES)), np.int8)
    kept = memoryview(detector._kept)
    room = len(kept) // 3
    for row, peak in enumerate(peaks):
        first, stop = peak - board.BEFORE, peak + board.AFTER + 1
        place = np.arange(first, stop) % room
        ring = np.zeros((room, 3), np.int16)
        ring[place] = counts[first:stop]
        kept[:] = memoryview(ring.reshape(-1))
        detector.count = stop
        detector._describe()
        values[row], features[row] = detector.values, detector.features
    return np.array(peaks, np.int64), values, features


def squeeze(values) -> np.ndarray:
    """The numbers of events as the int8 that a model reads, shape [N, 14]: the board's own rule.

    Parameters
    ----------
    values : array of int, shape [N, 14]
    """
    values = np.asarray(values, np.int64)
    low, high = (np.array(column) for column in list(zip(*board.FEATURES, strict=True))[1:])
    reach = high - low
    inside = np.clip(values - low, 0, reach)
    return np.clip(inside * 256 // reach - 128, -128, 127).astype(np.int8)


def count_above(recording, limit_g: float = 3.0, quiet_s: float = 10.0) -> list[float]:
    """The naive detector: an alarm whenever the acceleration is above a limit, at most one in so many seconds.

    Parameters
    ----------
    recording : Recording
    limit_g : float
    quiet_s : float

    Returns
    -------
    list of float
        When, in seconds.
    """
    magnitude_g = np.linalg.norm(_counts(recording).astype(np.float64), axis=1) / COUNTS_PER_G
    alarms = []
    for at in np.flatnonzero(magnitude_g > limit_g).tolist():
        if not alarms or at / recording.rate_hz - alarms[-1] >= quiet_s:
            alarms.append(at / recording.rate_hz)
    return alarms
