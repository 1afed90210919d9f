"""Heart rate from a finger: follow recordings with the board's own code, compare with the truth and with naive ways, and
choose when the device must be silent. Lesson 13 teaches it; the limits in ``firmware/lib/pulse.py`` come from here.
"""

import itertools
from array import array

import numpy as np

from edgekit.errors import DataError
from edgekit.signals.heart import DEVELOPMENT, STEP_COUNTS, make_sessions
from edgekit.twin import board_module

__all__ = ["FURTHER_DEVELOPMENT", "HARD", "MOTION", "REST", "STUDIED", "again", "choose_limits", "compare", "count_maxima",
           "development_windows", "fft_peak", "follow", "limits_like", "score", "windows"]

pulse = board_module("pulse")

REST = ("rest", "recover")
MOTION = ("walk", "run", "hands")
STUDIED = REST + MOTION
HARD = ("cold", "irregular")
FURTHER_DEVELOPMENT = tuple(f"p{number}" for number in range(201, 241))
"""Virtual people who are in no file, with whom the limits were chosen, besides those of the shipped set."""

LATE_S = 0.86 + 0.2
"""How much older the middle of the filters and the way from heart to finger make a window."""
WINDOW_S = 8.0
_BLOCK = 20


def follow(recording, limits=None):
    """What the board's code says about a recording, every 2 s.

    Parameters
    ----------
    recording : Recording
        At 100 Hz, with a channel ir in counts of 18 bits; ax, ay, az in g, or none for a hand that lies still.
    limits : pulse.Limits, optional
        Default: those of the board.

    Returns
    -------
    list of tuple
        (time_s, reason, rate_bpm, measures): end of the window; 0 or why there is no rate; the rate, 0 without one;
        ten whole numbers, see ``pulse.NAMES``.

    Examples
    --------
    >>> from edgekit.signals.heart import make_session
    >>> [round(rate) for _, _, rate, _ in follow(make_session("rest", "p02").recording)][:3]
    [85, 85, 87]
    """
    light, motion = as_arrays(recording)
    follower = pulse.Pulse(limits)
    found = []
    for i in range(0, len(light) - _BLOCK + 1, _BLOCK):
        if follower.feed(light[i:i + _BLOCK], motion[3 * i:3 * (i + _BLOCK)], red=False):
            found.append(((i + _BLOCK) / recording.rate_hz, follower.reason, follower.rate_x10 / 10, tuple(follower.measures)))
    return found


def as_arrays(recording):
    """Infrared in counts (``array("i")``) and acceleration with 8192 counts for 1 g (``array("h")``, three axes)."""
    if recording.rate_hz != 100 or "ir" not in recording.channels:
        raise DataError(f"A recording of {', '.join(recording.channels)} at {recording.rate_hz:g} Hz: expected a channel ir at "
                        "100 Hz. Resample it, or rename its infrared channel.")
    values = recording.physical()
    light = np.rint(values[:, recording.channels.index("ir")]).astype(np.int32)
    if "ax" in recording.channels:
        first = recording.channels.index("ax")
        motion = np.clip(np.rint(values[:, first:first + 3] * 8192), -32768, 32767).astype(np.int16)
    else:
        motion = np.tile(np.array([0, 0, 8192], np.int16), (len(values), 1))
    return array("i", light.tolist()), array("h", motion.ravel().tolist())


def windows(sessions, limits=None):
    """Every window of some sessions, with the truth and what naive ways say.

    Parameters
    ----------
    sessions : sequence of Session
    limits : pulse.Limits, optional

    Returns
    -------
    pandas.DataFrame
        A row for each window: subject, condition, time_s, truth_bpm, reason, rate_bpm, the measures, and fft_bpm and
        maxima_bpm of :func:`fft_peak` and :func:`count_maxima`.
    """
    import pandas as pd
    rows = []
    for session in sessions:
        recording = session.recording
        ir = recording.physical()[:, recording.channels.index("ir")]
        for time_s, reason, rate_bpm, measures in follow(recording, limits):
            stop_s = time_s - LATE_S
            part = ir[round((time_s - WINDOW_S) * 100):round(time_s * 100)]
            rows.append((recording.subject, recording.label, time_s, session.rate_bpm(max(0, stop_s - WINDOW_S), stop_s), reason,
                         rate_bpm, fft_peak(part), count_maxima(part), *measures))
    return pd.DataFrame(rows, columns=["subject", "condition", "time_s", "truth_bpm", "reason", "rate_bpm", "fft_bpm", "maxima_bpm",
                                       *pulse.NAMES])


def fft_peak(ir, rate_hz: float = 100.0, low_bpm: float = 40.0, high_bpm: float = 200.0) -> float:
    """The naive way of the laptop: the largest peak of the spectrum between two rates, in beats per minute.

    Parameters
    ----------
    ir : array_like, shape [n]
        Light.

    Examples
    --------
    >>> fft_peak(np.sin(2 * np.pi * 1.5 * np.arange(800) / 100))
    90.0
    """
    ir = np.asarray(ir, np.float64)
    slope = np.polynomial.polynomial.polyfit(np.arange(len(ir)), ir, 1)
    flat = (ir - slope[0] - slope[1] * np.arange(len(ir))) * np.hanning(len(ir))
    size = np.abs(np.fft.rfft(flat, 8 * len(ir)))
    bpm = 60 * np.fft.rfftfreq(8 * len(ir), 1 / rate_hz)
    inside = (bpm >= low_bpm) & (bpm <= high_bpm)
    return float(bpm[inside][size[inside].argmax()])


def count_maxima(ir, rate_hz: float = 100.0) -> float:
    """The naive way of the first afternoon: smooth over 0.1 s, count the dips of the light, in beats per minute.

    Examples
    --------
    >>> count_maxima(np.sin(2 * np.pi * 1.5 * np.arange(800) / 100))
    90.0
    """
    smooth = np.convolve(ir, np.ones(10) / 10, "valid")
    dips = ((smooth[1:-1] < smooth[:-2]) & (smooth[1:-1] <= smooth[2:])).sum()
    return float(60 * dips * rate_hz / len(ir))


def again(table, limits):
    """The same windows under other limits.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`windows`.
    limits : pulse.Limits

    Returns
    -------
    pandas.DataFrame
        A copy with other ``reason`` and ``rate_bpm``.
    """
    measures = table[list(pulse.NAMES)].to_numpy().tolist()
    reason = np.array([pulse.decide(row, limits) for row in measures])
    both = [(row[pulse.PEAKS] + row[pulse.SELF] >> 1) / 10 for row in measures]
    return table.assign(reason=reason, rate_bpm=np.where(reason == 0, both, 0.0))


def limits_like(**changes):
    """The board's limits with some changes.

    Examples
    --------
    >>> limits_like(near=0).near
    0
    """
    return pulse.Limits(**changes)


def score(table, groups=None):
    """How good it is, at rest and in motion.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`windows`.
    groups : dict of str to sequence of str, optional
        Name -> conditions. Default: at rest, in motion.

    Returns
    -------
    pandas.DataFrame
        For each group: windows; share in which the device speaks; mean and largest absolute error of what it says; mean
        absolute error of the shift alone if it always speaks; of the two naive ways. Errors in beats per minute.
    """
    import pandas as pd
    groups = groups or {"at rest": REST, "in motion": MOTION}
    rows = {}
    for name, conditions in groups.items():
        part = table[table.condition.isin(conditions)]
        said = part[part.reason == 0]
        error = (said.rate_bpm - said.truth_bpm).abs()
        rows[name] = {"windows": len(part), "speaks": len(said) / max(1, len(part)), "error": error.mean(), "largest": error.max(),
                      "always speaks": (part.self / 10 - part.truth_bpm).abs().mean(),
                      "largest FFT peak": (part.fft_bpm - part.truth_bpm).abs().mean(),
                      "count the dips": (part.maxima_bpm - part.truth_bpm).abs().mean()}
    return pd.DataFrame(rows).T


def development_windows():
    """Windows of all people with whom limits may be chosen: 44 people in seven conditions, 20 s each, in motion twice.

    It takes half a minute.
    """
    people = DEVELOPMENT + FURTHER_DEVELOPMENT
    return windows(make_sessions(people, STUDIED + HARD) + make_sessions(people, MOTION, take=1))


GRID = {"movement": (250, 500, 1000, 2000), "near": (0, 30, 60, 90, 120), "likeness": (500, 600, 700, 800),
        "spread": (60, 100, 150, 200, 300), "agree": (20, 30, 50)}


def choose_limits(table, wrong_bpm: float = 5.0, most_wrong: float = 0.0):
    """The limits under which the device speaks most often, and is wrong in at most so many of its words.

    Parameters
    ----------
    table : pandas.DataFrame
        Windows of development people, from :func:`windows`.
    wrong_bpm : float
        An error from which on a rate is wrong.
    most_wrong : float
        Share of the spoken rates that may be wrong.

    Returns
    -------
    limits : dict
        Of the names in `GRID`. Between equals the stricter: smaller ``movement``, ``spread`` and ``agree``, larger ``near``
        and ``likeness``.
    share : float
        In how many windows the device speaks.
    """
    m = {name: table[name].to_numpy() for name in pulse.NAMES}
    rate = (m["peaks"] + m["self"]) // 2 / 10
    wrong = np.abs(rate - table.truth_bpm.to_numpy()) > wrong_bpm
    base = pulse.Limits()
    there = ((m["darkest"] >= base.finger) & (m["brightest"] < base.bright) & (m["perfusion"] >= base.perfusion) & (m["beats"] >= 4))
    apart = np.abs(m["peaks"] - m["self"])
    stepping = (m["movement"] > base.still) & (m["cadence"] > 0)
    nearest = np.min([_part(m["self"], m["cadence"]), _part(m["self"], 2 * m["cadence"]), _part(2 * m["self"], m["cadence"])], axis=0)
    best = None
    for movement, near, likeness, spread, agree in itertools.product(*GRID.values()):
        speaks = (there & (m["movement"] <= movement) & ~(stepping & (nearest <= near)) & (m["likeness"] >= likeness)
                  & (m["spread"] <= spread) & (apart <= agree))
        if (speaks & wrong).sum() > most_wrong * speaks.sum():
            continue
        key = (speaks.sum(), -movement, near, likeness, -spread, -agree)
        if best is None or key > best[0]:
            best = key, dict(zip(GRID, (movement, near, likeness, spread, agree), strict=True)), speaks.mean()
    if best is None:
        raise DataError(f"No limits of the grid keep the wrong rates below {100 * most_wrong:g} %. Allow more, or widen GRID.")
    return best[1], float(best[2])


def _part(a, b):
    return np.abs(a - b) * 1000 / np.maximum(1, b)


_ON_THE_BOARD = """
from array import array
from pulse import Pulse

def follow(path):
    pulse = Pulse()
    raw = array("h", bytes(2 * 4 * 20))
    light, motion = array("i", bytes(4 * 20)), array("h", bytes(2 * 3 * 20))
    with open(path, "rb") as file:
        while file.readinto(raw) == 2 * len(raw):
            for i in range(20):
                light[i] = raw[4 * i] << 3
                for axis in range(3):
                    motion[3 * i + axis] = raw[4 * i + 1 + axis]
            if pulse.feed(light, motion, red=False):
                print(pulse.reason, pulse.rate_x10, *pulse.measures)
"""


def compare(board, sessions, progress=None):
    """Let the board compute every window, from the same samples as this computer, and count what differs.

    Parameters
    ----------
    board : Board
        Any board; ``firmware/lib/pulse.py`` is installed.
    sessions : sequence of Session
        Of the shipped set: channels ir, ax, ay, az, int16 in steps of 8 counts.

    Returns
    -------
    compared : int
        Windows.
    mismatches : int
        Windows in which the reason, the rate or one of the ten measures differs in its last bit.
    """
    board.install("heart")
    board.exec(_ON_THE_BOARD)
    compared = mismatches = 0
    for session in sessions:
        recording = session.recording.select(("ir", "ax", "ay", "az"))
        if recording.scale[0] != STEP_COUNTS:
            raise DataError(f"One step of the light is {recording.scale[0]:g} counts: expected {STEP_COUNTS}.")
        board.put(recording.samples.astype("<i2").tobytes(), "/heart_samples.bin")
        said = [tuple(map(int, line.split())) for line in board.exec('follow("/heart_samples.bin")', timeout_s=120).splitlines()]
        expected = [(reason, round(10 * rate), *measures) for _, reason, rate, measures in follow(recording)]
        compared += len(expected)
        mismatches += sum(a != b for a, b in zip(said, expected, strict=False)) + abs(len(said) - len(expected))
    board.remove("/heart_samples.bin")
    return compared, mismatches
