"""The electricity meter's recipe: what is normal in one home, what is not, and which method says so on homes never seen.

Lesson 12 teaches it. The board runs :data:`SETTINGS` with ``firmware/lib/power.py`` and ``firmware/lib/anomaly.py``;
here the computer runs the same two files. The other methods are there to compare.

Limits and margins were chosen with :data:`CHOSEN_WITH`; :data:`edgekit.signals.power.TEST_HOMES` had no say.

>>> home = watch("h02", days=15)
>>> print(score(monitor_alarms(home.rows), home.truth))
F1 1.00: 3 of 3 events found, 0 false alarms; delay 15029 (median), 115315 (longest)
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgekit.errors import DataError
from edgekit.signals.power import HOMES, LEARN_DAYS, TEST_HOMES, make_dataset, make_power, per_minute
from edgekit.train.events import Event, EventScore, match, merge, runs, total
from edgekit.twin import board_module

__all__ = ["CHOSEN_WITH", "FRIDGE_MIN", "METHODS", "SETTINGS", "Home", "as_read", "compare", "delays", "features_of",
           "forest_alarms", "limit_alarms", "log_of", "minutes_of", "monitor_alarms", "put_learned", "replay", "score", "unseen", "watch",
           "zscore_alarms"]

CHOSEN_WITH = (*HOMES, *(f"h{number}" for number in range(20, 30)))
FRIDGE_MIN = board_module("power").LEARN
"""Minutes in which the board learns how large the fridge's steps are."""
ROW_S = 600
LATE_S, MERGE_S = 3 * 3600, 6 * 3600
"""After a fault things return to normal: no alarm is false for 3 hours. False alarms within 6 hours count once."""

SETTINGS = board_module("power").SETTINGS
"""What the board's Monitor watches: a row every ten minutes, the first 8 days only to learn."""


@dataclass(frozen=True)
class Home:
    """What is known of one home.

    Attributes
    ----------
    name : str
    minutes : numpy.ndarray of int16, shape [n, 3]
        Mean, least and most of each minute, in W.
    rows : numpy.ndarray of int16, shape [n // 10, 10]
        The board's features, every ten minutes; columns as ``SETTINGS["streams"]``.
    truth : tuple of Event
        In seconds.
    sizes : tuple of int
        W of fridge and freezer, as the board found them; 0: none.
    """

    name: str
    minutes: np.ndarray
    rows: np.ndarray
    truth: tuple[Event, ...]
    sizes: tuple[int, int]


def features_of(minutes):
    """The board's features of minutes, by the board's own file.

    Parameters
    ----------
    minutes : array of int, shape [n, 3]
        Mean, least and most, in W.

    Returns
    -------
    rows : numpy.ndarray of int16, shape [n // 10, 10]
    features : power.Features
        As it is after the last minute.
    """
    features = board_module("power").Features(FRIDGE_MIN)
    rows = [tuple(features.row) for mean, least, most in np.asarray(minutes).tolist() if features.minute(mean, least, most)]
    return np.array(rows, np.int16).reshape(-1, len(SETTINGS["streams"])), features


def watch(name: str, days: int = 28, **settings) -> Home:
    """Simulate a home and compute its features; about half a second of the computer's time.

    Parameters
    ----------
    name : str
    days : int
        28: the faults of its script. 15: as in the shipped set.
    **settings
        For :func:`edgekit.signals.power.make_power`, such as ``faults=[]``.
    """
    if days == 28 or settings:
        power, truth = make_power(name, days, **settings)
        minutes = per_minute(power).samples
    else:
        data, truths = make_dataset((name,), days)
        minutes, truth = data[0].samples, truths[name]
    rows, features = features_of(minutes)
    return Home(name, minutes, rows, tuple(Event(*event) for event in truth), features.sizes)


def monitor_alarms(rows, settings=SETTINGS) -> list[Event]:
    """What the board's Monitor says of these rows: alarms in seconds, by when they begin."""
    monitor = board_module("anomaly").Monitor(settings)
    alarms, begun = [], {}
    for number, row in enumerate(np.asarray(rows).tolist(), 1):
        for i in range(monitor.update(row)):
            stream, name, on = monitor.told(i)
            if on:
                begun[stream] = name, number
            else:
                name, start = begun.pop(stream)
                alarms.append(Event(start * ROW_S, number * ROW_S, name))
    alarms += [Event(start * ROW_S, (len(rows) + 1) * ROW_S, name) for name, start in begun.values()]
    return sorted(alarms)


def limit_alarms(minutes, watts: float = 2500) -> list[Event]:
    """The naive way: some second of a minute above a fixed limit."""
    return _after_learning(np.asarray(minutes)[:, 2] > watts, 60)


def zscore_alarms(minutes, factor: float = 8) -> list[Event]:
    """Mean power of a minute against mean and standard deviation of the first 8 days."""
    mean = np.asarray(minutes)[:, 0].astype(float)
    known = mean[:LEARN_DAYS * 1440]
    return _after_learning(np.abs(mean - known.mean()) > factor * known.std(), 60)


def forest_alarms(rows, margin: float = -0.02, seed: int = 0) -> list[Event]:
    """An isolation forest of the home's own healthy rows: stranger than the strangest of them by ``margin``.

    Its trees see each stream as it is; it needs scikit-learn, 100 trees and no idea what a fridge is.
    """
    from sklearn.ensemble import IsolationForest
    rows = np.asarray(rows, float)
    known = rows[FRIDGE_MIN // 10 + 144:LEARN_DAYS * 144]
    if len(known) < 144:
        raise DataError(f"The forest needs rows of at least {LEARN_DAYS} days; found {len(rows) / 144:.1f} days.")
    forest = IsolationForest(random_state=seed).fit(known)
    strange = -forest.score_samples(rows)
    flags = strange > strange[FRIDGE_MIN // 10 + 144:LEARN_DAYS * 144].max() + margin
    return merge(_after_learning(flags, ROW_S), 3600)


METHODS: dict[str, Callable[[Home], list[Event]]] = {
    "fixed limit": lambda home: limit_alarms(home.minutes, 2500),
    "z-score": lambda home: zscore_alarms(home.minutes, 8),
    "isolation forest": lambda home: forest_alarms(home.rows, -0.02),
    "the board": lambda home: monitor_alarms(home.rows),
}
"""Name -> alarms of a home. The parameter of each was the best on :data:`CHOSEN_WITH`."""


def _after_learning(flags, every_s):
    first = LEARN_DAYS * 86_400 // every_s
    return [Event(event.start * every_s, event.stop * every_s)
            for event in runs(flags[first:], first=first + 1)]      # it is known at the end of the minute


def score(alarms, truth) -> EventScore:
    """Alarms against faults, in seconds."""
    return match(truth, alarms, late=LATE_S, merge_within=MERGE_S)


def compare(homes, methods=None):
    """All methods on all homes.

    Parameters
    ----------
    homes : iterable of Home
    methods : dict, optional
        As :data:`METHODS`.

    Returns
    -------
    scores : dict of str to EventScore
        Added up over the homes.
    """
    homes = list(homes)
    return {name: total(score(alarms(home), home.truth) for home in homes)
            for name, alarms in (methods or METHODS).items()}


def delays(result: EventScore):
    """How late each kind of fault was found.

    Returns
    -------
    pandas.DataFrame
        A row for each kind: faults, found, and median and longest delay in hours.
    """
    import pandas as pd
    table = {kind: {"faults": len(part.found) + len(part.missed), "found": len(part.found),
                    "median delay (h)": round(part.delay / 3600, 1),
                    "longest delay (h)": round(max(part.delays, default=float("nan")) / 3600, 1)}
             for kind, part in result.by_kind().items() if part.found or part.missed}
    return pd.DataFrame.from_dict(table, orient="index")


def unseen() -> list[Home]:
    """The homes that nothing was chosen with; some seconds of the computer's time."""
    return [watch(name) for name in TEST_HOMES]


# On the board

MAINS_V, FULL_A = 230, 30


def as_read(seconds) -> np.ndarray:
    """What the board's clamp makes of a power: the simulated converter has 12 bits, one step is 1.7 W.

    Parameters
    ----------
    seconds : array of int, shape [n]
        In W.

    Returns
    -------
    numpy.ndarray of int16, shape [n]
    """
    largest, full_v = 4095, 3.3
    volts = np.minimum(np.asarray(seconds, np.float64) / MAINS_V / FULL_A * full_v, full_v)
    microvolts = np.rint(np.rint(volts / full_v * largest) / largest * full_v * 1e6).astype(np.int64)
    watts = board_module("clamp").watts
    return np.array([watts(value, FULL_A * MAINS_V) for value in microvolts.tolist()], np.int16)


def minutes_of(seconds) -> np.ndarray:
    """Mean, least and most of each minute, as the app computes them: int16 [n // 60, 3]."""
    block = np.asarray(seconds)[:len(seconds) // 60 * 60].reshape(-1, 60).astype(np.int64)
    return np.stack([block.sum(axis=1) // 60, block.min(axis=1), block.max(axis=1)], axis=1).astype(np.int16)


def log_of(minutes, first: int = 0) -> list[tuple[int, str, bool, int]]:
    """What the app's log would hold from minute ``first`` on: (minute, stream, begun, value), by the host twin."""
    features, monitor = board_module("power").Features(), board_module("anomaly").Monitor(SETTINGS)
    found = []
    for number, minute in enumerate(np.asarray(minutes).tolist(), 1):
        if features.minute(*minute):
            for i in range(monitor.update(features.row, features.slot)):
                stream, _, begun = monitor.told(i)
                if number > first:
                    found.append((number, stream, bool(begun), features.row[SETTINGS["streams"].index(stream)] & 0xFFFF))
    return found


def put_learned(board, minutes) -> None:
    """Put what these minutes teach on a board, as if it had lived through them: its two files of state."""
    import tempfile
    from pathlib import Path
    power, ring = board_module("power"), board_module("ring")
    features, monitor = power.Features(), board_module("anomaly").Monitor(SETTINGS)
    for minute in np.asarray(minutes).tolist():
        if features.minute(*minute):
            monitor.update(features.row, features.slot)
    with tempfile.TemporaryDirectory() as folder:
        for what, name in ((features, "meter.power"), (monitor, "meter.normal")):
            log = ring.Ring(str(Path(folder) / name), what.state_bytes, 2)
            what.save(log)
            log.close()
            board.put((Path(folder) / name).read_bytes(), "/" + name)


_REPLAY = """
def _replay(path):
    from array import array
    import power
    from anomaly import Monitor
    features, monitor = power.Features(), Monitor(power.SETTINGS)
    block = array("h", bytes(6 * 60))
    with open(path, "rb") as file:
        while True:
            count = (file.readinto(block) or 0) // 6
            for i in range(0, 3 * count, 3):
                if features.minute(block[i], block[i + 1], block[i + 2]):
                    for j in range(monitor.update(features.row, features.slot)):
                        stream, name, begun = monitor.told(j)
                        print(features.minutes, stream, 1 if begun else 0, features.row[power.STREAMS.index(stream)])
            if count < 60:
                return
"""


def replay(board, minutes) -> list[tuple[int, str, bool, int]]:
    """The same as :func:`log_of`, computed on the board: minutes go there as a file.

    Parameters
    ----------
    board : Board
    minutes : array of int16, shape [n, 3]
    """
    board.install("meter")
    board.put(np.ascontiguousarray(minutes, "<i2").tobytes(), "/minutes.bin")
    lines = board.exec(_REPLAY + "_replay('/minutes.bin')", timeout_s=None).splitlines()
    board.remove("/minutes.bin")
    parts = [line.split() for line in lines if line.strip()]
    return [(int(minute), stream, begun == "1", int(value)) for minute, stream, begun, value in parts]
