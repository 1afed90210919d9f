"""Words spotted in a stream: what the board's app does, for a file here, and how often it errs in an hour.

The model looks every few hops at the last second of sound. A :class:`Spotter` of firmware/lib/trigger.py, the board's
own, makes decisions of its scores: a mean over some looks, a threshold, a quiet time.

>>> heard = spot(keyword_bundle(), np.zeros(16000, np.int16))
>>> print(heard.decision, len(heard.times_s), heard.classes)
None 21 ('no', 'silence', 'unknown', 'yes')
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from edgekit import tflite
from edgekit.deploy import Event, keyword_bundle, listen_live, score_events
from edgekit.errors import DataError
from edgekit.features import mfcc
from edgekit.recording import Recording, load_sound
from edgekit.twin import board_module

__all__ = ["HOPS", "SMOOTH", "QUIET_MS", "FILE_THRESHOLD", "WORDS", "Heard", "spot", "spot_on_board", "hear_file", "padded",
           "sound_recording", "stream_scores", "stream_features", "decide", "Point", "OperatingCurve",
           "operating_curve"]

HOPS, SMOOTH, QUIET_MS = 5, 3, 1000
"""What ``main`` of firmware/apps/keyword.py does if it is told nothing: hops from look to look, looks in the mean,
least time between two words."""
FILE_THRESHOLD = 0.7
"""Mean score that counts in a file. In hours of talk (:attr:`Bundle.threshold`) more is asked: there, false alarms add up;
who gives a file has most likely said one of the words."""
WORDS = ("yes", "no")
"""The classes that switch something. The others, silence and unknown words, never do."""

@dataclass(frozen=True)
class Heard:
    """What was heard in a sound.

    Attributes
    ----------
    classes : tuple of str
    times_s : numpy.ndarray of float64, shape [looks]
        When each look ends, in seconds from the beginning of the sound. The model looks at the second before.
    scores : numpy.ndarray of float64, shape [looks, classes]
        The model's score of each class, 0 to 1.
    events : list of Event
        The words, with the time of the decision and their mean score.
    threshold : float
        Mean score that counted.
    where : str
        ``"host"``, ``"simulated board"`` or ``"board"``.
    notes : tuple of str
        What was done with the sound before, one sentence each.
    """

    classes: tuple
    times_s: np.ndarray
    scores: np.ndarray
    events: list
    threshold: float
    where: str = "host"
    notes: tuple = ()

    @property
    def decision(self) -> str | None:
        """The word of the whole sound, the one with the highest mean score; None if there is none."""
        return max(self.events, key=lambda event: event.score).label if self.events else None

    def to_dict(self) -> dict:
        """Everything as numbers, text and lists, for JSON."""
        return {"decision": self.decision,
                "decisions": [{"time_s": event.time_s, "word": event.label, "score": round(event.score, 4)}
                              for event in self.events],
                "threshold": self.threshold, "where": self.where, "notes": list(self.notes),
                "classes": list(self.classes),
                "frames": [{"time_s": round(float(time_s), 3),
                            "scores": {name: round(float(value), 4)
                                       for name, value in zip(self.classes, row, strict=True)}}
                           for time_s, row in zip(self.times_s, self.scores, strict=True)]}

    def __str__(self):
        lines = [f"{'time (s)':>9}  " + "  ".join(f"{name:>8}" for name in self.classes)]
        lines += [f"{time_s:>9.2f}  " + "  ".join(f"{value:>8.3f}" for value in row)
                  for time_s, row in zip(self.times_s, self.scores, strict=True)]
        lines += list(self.notes)
        lines += [f"{event.time_s:.2f} s: {event.label} ({event.score:.2f})" for event in self.events]
        lines.append(f"decision: {self.decision or 'none'} (mean score of {self.threshold:g} or more counts), "
                     f"computed on the {self.where}")
        return "\n".join(lines)


def spot(bundle, sound, hops: int = HOPS, smooth: int = SMOOTH, quiet_ms: int = QUIET_MS, threshold=None) -> Heard:
    """Look for words in a sound, here, exactly as the board does: fixed-point features, int8 model, the same decisions.

    Parameters
    ----------
    bundle : Bundle
        From :func:`edgekit.deploy.keyword_bundle`.
    sound : array of int16, shape [n]
        At the bundle's rate, 16 kHz. Quiet is added before and after it (:func:`padded`), so that a word at its edge is
        seen whole, and a sound shorter than a second too.
    hops : int
        From look to look, in hops of the features (20 ms).
    smooth : int
        Looks that the mean is taken over.
    quiet_ms : int
        Least time between two words.
    threshold : float, optional
        Mean score that counts, 0 to 1; default: the bundle's.

    Returns
    -------
    Heard

    Raises
    ------
    DataError
        The sound is not int16, or has no samples.
    """
    params = bundle.params
    twin = tflite.Interpreter(bundle.model)
    whole, lead_s = padded(sound, params)
    threshold = bundle.threshold if threshold is None else threshold
    stored = stream_scores(bundle, whole, hops)
    times_s = (_look_hops(params) + hops * np.arange(len(stored))) * params.hop / params.rate_hz - lead_s
    scores = _real(stored, twin)
    events = [Event(round(float(times_s[look]), 3), bundle.classes[word], float(max(_real(np.array(means), twin))))
              for look, word, means in _decisions(bundle, twin, stored, threshold, hops, smooth, quiet_ms)]
    return Heard(bundle.classes, times_s, scores, events, threshold)


def hear_file(path, on: str = "host", bundle=None, threshold: float = FILE_THRESHOLD) -> Heard:
    """Look for words in a sound file: what ``edgekit keyword`` does.

    Parameters
    ----------
    path : path
        A WAV file. Another rate, several channels and other sample types are converted; the notes say so.
    on : str
        ``"host"``: here. Or what :func:`edgekit.connect` takes. The simulated board (``"sim"``) hears the sound with
        an I2S microphone that has no noise of its own: so its scores are the host's, to the bit. A real board would
        hear the room: it gets the samples as a file instead.
    bundle : Bundle, optional
        Default: :func:`edgekit.deploy.keyword_bundle`.
    threshold : float
        Mean score that counts, 0 to 1.

    Returns
    -------
    Heard

    Raises
    ------
    DataError
        The file cannot be read, or holds no sound.
    BoardError
        The board cannot be reached, or the model does not fit on it.
    """
    bundle = bundle or keyword_bundle()
    recording, notes = load_sound(path)
    sound = recording.samples[:, 0]
    if len(sound) < bundle.params.samples:
        notes = (*notes, f"The sound is {len(sound) / bundle.params.rate_hz:.2f} s long; the model looks at "
                         f"{bundle.params.samples / bundle.params.rate_hz:.2f} s: the rest is filled with silence.")
    heard = spot(bundle, sound, threshold=threshold) if on == "host" else _on_board(bundle, sound, on, threshold)
    return replace(heard, notes=(*notes, *heard.notes))


def padded(sound, params) -> tuple[np.ndarray, float]:
    """A sound with silence around it: as much as the model looks at before, and after.

    Parameters
    ----------
    sound : array of int16, shape [n]
    params : AudioParams

    Returns
    -------
    sound : numpy.ndarray of int16
    lead_s : float
        Seconds of silence before it.
    """
    sound = _checked(sound)
    lead = _look_hops(params) * params.hop
    return np.pad(sound, lead), lead / params.rate_hz


def stream_scores(bundle, sound, hops: int = HOPS) -> np.ndarray:
    """What the model says at each look at a long sound, as the board's stream does.

    Parameters
    ----------
    bundle : Bundle
    sound : array of int16, shape [n]
    hops : int

    Returns
    -------
    numpy.ndarray of int8, shape [looks, classes]
        Stored scores. The first look is when the model's window is full, the others every ``hops`` hops.
    """
    params = bundle.params
    rows = stream_features(sound, params)
    starts = range(0, len(rows) - params.frames + 1, hops)
    if not len(starts):
        return np.zeros((0, len(bundle.classes)), np.int8)
    twin = tflite.Interpreter(bundle.model)
    looks = np.lib.stride_tricks.sliding_window_view(rows, params.frames, axis=0)[::hops].transpose(0, 2, 1)
    return twin.invoke(np.ascontiguousarray(looks)).reshape(len(looks), -1)


def stream_features(sound, params) -> np.ndarray:
    """The features of all whole frames of a long sound, int8 [frames, coefficients], as the board's stream has them.

    The stream takes whole hops and a frame ends with a hop, so the first begins where the first hops leave off:
    at sample ``-window % hop``.
    """
    sound = _checked(sound)
    sound = sound[-params.window % params.hop:len(sound) // params.hop * params.hop]
    if len(sound) < params.window:
        return np.zeros((0, params.coefficients), np.int8)
    return mfcc.mfcc(sound, params)


def decide(stored, limit: int, words, step_ms: float, smooth: int = SMOOTH, quiet_ms: int = QUIET_MS):
    """The board's decisions on scores: (look, class, mean score of that class) for each word, stored integers.

    Parameters
    ----------
    stored : array of int8, shape [looks, classes]
    limit : int
        Mean score that counts, in the same integers.
    words : sequence of int
        Classes that count.
    step_ms : float
        From look to look.
    smooth, quiet_ms : int
        As for :func:`spot`.
    """
    spotter = board_module("trigger").Spotter(stored.shape[1], words, limit, smooth, quiet_ms)
    found = []
    for look, row in enumerate(stored.tolist()):
        word = spotter.update(row, round(look * step_ms))
        if word >= 0:
            found.append((look, word, [spotter.smoother.mean(i) for i in range(len(row))]))
    return found

# ---- on a board

def _on_board(bundle, sound, port, threshold):
    from edgekit import connect
    from edgekit.simulator.chips.inmp441 import INMP441

    with connect(port, quiet=True) as board:
        if not bundle.is_on(board):
            bundle.deploy(board)
        if board.world is not None and "MIC_ID" in board.profile.pins:
            board.world.microphone(board.profile.pins["MIC_ID"], INMP441(board.world.sense_sound, noise=False))
        return spot_on_board(board, bundle, sound, threshold=threshold)


def spot_on_board(board, bundle, sound, as_file: bool | None = None, threshold: float | None = None) -> Heard:
    """Let the board's app ``keyword`` look for words in a sound.

    Parameters
    ----------
    board : edgekit.board.Board
        With the bundle on it, see :meth:`Bundle.deploy`.
    bundle : Bundle
    sound : array of int16, shape [n]
    as_file : bool, optional
        True: give the app the samples as a file; scores and events are then those of :func:`spot`, to the bit. False:
        play the sound into the microphone of a simulated board. Default: as the board is.
    threshold : float, optional
        Mean score that counts, 0 to 1; default: the bundle's.

    Returns
    -------
    Heard
    """
    params, twin = bundle.params, tflite.Interpreter(bundle.model)
    as_file = board.world is None if as_file is None else as_file
    threshold = bundle.threshold if threshold is None else threshold
    lead_s = 0.0
    if as_file:
        sound, lead_s = padded(sound, params)
    looks = []
    events = listen_live(board, sound_recording(sound, params), name=bundle.name, as_file=as_file, progress=False,
                         threshold=threshold, on_look=lambda time_s, scores: looks.append((time_s - lead_s, scores)))
    # What was heard before a played sound began is silence.
    looks = [(time_s, scores) for time_s, scores in looks if time_s > -0.001]
    stored = np.array([scores for _, scores in looks], np.int8).reshape(-1, len(bundle.classes))
    note = ("The board got the samples as a file; its microphone was not used." if as_file else
            "The sound was played into the simulated board's I2S microphone.")
    return Heard(bundle.classes, np.array([time_s for time_s, _ in looks]), _real(stored, twin),
                 [replace(event, time_s=round(event.time_s - lead_s, 3)) for event in events], threshold,
                 "simulated board" if board.kind == "simulated" else "board", (note,))


def sound_recording(sound, params) -> Recording:
    """int16 samples as a Recording of one channel, full scale 1, for :func:`edgekit.deploy.listen_live`."""
    return Recording(np.asarray(sound), params.rate_hz, ("audio",), ("full scale",), (1 / 32768,), source="file")


# ---- how often it errs

@dataclass(frozen=True)
class Point:
    """One threshold of an :class:`OperatingCurve`: counts over the whole sound.

    Attributes
    ----------
    threshold : float
    false_accepts : int
        Words that nobody said, or another one than was said.
    missed : int
        Words that were said and not heard.
    """

    threshold: float
    false_accepts: int
    missed: int


@dataclass(frozen=True)
class OperatingCurve:
    """False accepts against false rejects, threshold by threshold, over some time of sound.

    Attributes
    ----------
    hours : float
        Length of the sound.
    words : int
        Keywords that were said in it.
    points : tuple of Point
    """

    hours: float
    words: int
    points: tuple

    def table(self):
        """The curve as a pandas.DataFrame.

        Columns: ``threshold``, ``false_accepts``, ``false_accepts_per_hour``, ``missed``, ``false_rejects`` (share of the
        words, 0 to 1) and its 95 % interval ``low``, ``high`` (Wilson).
        """
        import pandas as pd

        from edgekit.train import accuracy_interval

        rows = []
        for point in self.points:
            low, high = accuracy_interval(point.missed, self.words) if self.words else (0.0, 1.0)
            rows.append({"threshold": point.threshold, "false_accepts": point.false_accepts,
                         "false_accepts_per_hour": point.false_accepts / self.hours, "missed": point.missed,
                         "false_rejects": point.missed / max(1, self.words), "low": low, "high": high})
        return pd.DataFrame(rows)

    def choose(self, false_accepts_per_hour: float | None = None, false_rejects: float | None = None) -> float:
        """The best threshold; of equals the highest.

        Parameters
        ----------
        false_accepts_per_hour : float, optional
            The one that misses least among those with no more false accepts than this; where none has so few, the one
            with the fewest.
        false_rejects : float, optional
            Or: the one with the fewest false accepts among those that miss no more than this share of the words (0 to
            1); where none does, the one that misses least.
        """
        limit = self.hours * (math.inf if false_accepts_per_hour is None else false_accepts_per_hour)
        most = self.words * (1 if false_rejects is None else false_rejects)
        allowed = [point for point in self.points if point.false_accepts <= limit and point.missed <= most]
        by_alarms = (false_rejects is not None) == bool(allowed)

        def cost(point):
            both = point.false_accepts, point.missed
            return (*(both if by_alarms else both[::-1]), -point.threshold)

        return min(allowed or self.points, key=cost).threshold


THRESHOLDS = tuple(round(0.02 * step, 2) for step in range(20, 50))
"""0.40 to 0.98."""


def operating_curve(bundle, recording, truth, thresholds=THRESHOLDS, hops: int = HOPS, smooth: int = SMOOTH,
                    quiet_ms: int = QUIET_MS, late_s: float = 1.2) -> OperatingCurve:
    """How often the spotter errs in a long sound, for many thresholds.

    Parameters
    ----------
    bundle : Bundle
    recording : Recording
        For example an hour from :func:`edgekit.signals.speech.stream`, of voices with which nothing was trained.
    truth : list of (start_s, stop_s, label)
        What was said when; labels that are no word of :data:`WORDS` may be among them.
    thresholds : sequence of float
    hops, smooth, quiet_ms : int
        As for :func:`spot`.
    late_s : float
        A decision up to this long after a word's end still belongs to it: the model's window and the mean are that long.

    Returns
    -------
    OperatingCurve
    """
    params, twin = bundle.params, tflite.Interpreter(bundle.model)
    stored = stream_scores(bundle, recording.samples[:, 0], hops)
    hop_s = params.hop / params.rate_hz
    said = [event for event in truth if event[2] in WORDS]
    points = []
    for threshold in thresholds:
        found = _decisions(bundle, twin, stored, threshold, hops, smooth, quiet_ms)
        events = [Event((_look_hops(params) + hops * look) * hop_s, bundle.classes[word], 0.0) for look, word, _ in found]
        score = score_events(events, said, late_s)
        points.append(Point(float(threshold), score.wrong + score.extra, score.wrong + score.missed))
    return OperatingCurve(recording.duration_s / 3600, len(said), tuple(points))


# ---- inside

def _decisions(bundle, twin, stored, threshold, hops, smooth, quiet_ms):
    words = [bundle.classes.index(word) for word in WORDS if word in bundle.classes]
    step_ms = 1000 * hops * bundle.params.hop / bundle.params.rate_hz
    limit = round(threshold / float(twin.output_scale)) + int(twin.output_zero_point)
    return decide(stored, limit, words, step_ms, smooth, quiet_ms)


def _real(stored, twin):
    return (stored.astype(np.float64) - int(twin.output_zero_point)) * float(twin.output_scale)


def _look_hops(params):
    """Hops until the window is full for the first time."""
    return params.frames - 1 + -(-params.window // params.hop)


def _checked(sound):
    sound = np.asarray(sound)
    if sound.dtype != np.int16 or sound.ndim != 1 or not len(sound):
        raise DataError(f"Expected the int16 samples of a sound, [n]; found {sound.dtype} {list(sound.shape)}. Take "
                        "recording.samples[:, 0] of a recording, or edgekit.recording.load_sound(path).")
    return sound
