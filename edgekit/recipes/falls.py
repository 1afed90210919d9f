"""The fall detector's recipe: events of many people, a threshold rule and a small network, false alarms a day (lesson 13).

Nobody is in two parts. The network learns from the training people; its threshold, and the limits of the rule, are chosen
on the validation people; what is reported comes from test people whom nothing has seen.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from edgekit.convert import to_tflite
from edgekit.errors import DataError, ModelError
from edgekit.features.falls import NAMES, count_above, events, squeeze
from edgekit.paths import DATASETS, MODELS, atomic_write
from edgekit.signals.falls import CLIP_S, KINDS, is_fall, make_day, make_event
from edgekit.train import accuracy_interval, fit
from edgekit.train.quiet import keras

__all__ = ["PARTS", "Events", "Outcome", "collect", "fall_net", "load_events", "load_weights", "outcome", "poisson_interval",
           "Rule", "choose_rule", "choose_threshold", "naive_outcome", "save_events", "train_fall_net"]

FILES = {"int8": "fall_int8.tflite"}
FEATURES = "fall_features.json"
WEIGHTS = "fall_weights.npz"
EVENTS = "falls/events.npz"


@dataclass(frozen=True)
class Part:
    """Who is in a part, how often each does everything, and how many days each lives."""

    people: tuple[str, ...]
    takes: int
    days: int


PARTS = {"train": Part(tuple(f"p{i}" for i in range(101, 149)), takes=3, days=1),
         "validation": Part(tuple(f"p{i}" for i in range(201, 225)), takes=3, days=2),
         "test": Part(tuple(f"p{i}" for i in range(301, 349)), takes=3, days=2),
         "fresh": Part(tuple(f"p{i}" for i in range(501, 525)), takes=3, days=2)}
"""Results of the test people were looked at more than once while features, rule and margins were settled. With the fresh ones
nothing was chosen: they were looked at once, at the end."""


@dataclass(frozen=True, eq=False)
class Events:
    """What struck hard, in single recordings and in whole days, each described by fourteen numbers.

    Attributes
    ----------
    values : numpy.ndarray of int16, shape [N, 14]
        Named in :data:`edgekit.features.falls.NAMES`.
    label : numpy.ndarray of str, shape [N]
        What really happened.
    subject : numpy.ndarray of str, shape [N]
    recording : numpy.ndarray of int, shape [N]
        Which of the part's recordings of single events it came from, or -1: it came from a day.
    day : numpy.ndarray of int, shape [N]
        Which of the part's days it came from, or -1.
    missed : dict of str to int
        Falls in which nothing struck hard enough to be an event, by kind: nobody can find them.
    days : int
        Days lived in this part.
    naive : dict of str to int
        Alarms of "more than 3 g is a fall" in those days, by what really happened.
    naive_found : int
        Recordings of falls in which "more than 3 g" raised an alarm.
    """

    values: np.ndarray
    label: np.ndarray
    subject: np.ndarray
    recording: np.ndarray
    day: np.ndarray
    missed: dict
    days: int
    naive: dict
    naive_found: int

    @property
    def features(self) -> np.ndarray:
        """int8 [N, 14], as the model reads them."""
        return squeeze(self.values)

    @property
    def y(self) -> np.ndarray:
        """1 for an event of a fall, else 0: int64 [N]."""
        return np.array([is_fall(label) for label in self.label], np.int64)

    @property
    def falls(self) -> int:
        """Recordings of falls in this part, those without an event included."""
        return len(set(self.recording[(self.y == 1) & (self.recording >= 0)].tolist())) + sum(self.missed.values())

    def __len__(self):
        return len(self.values)


def collect(part: str, people=None, seed: int = 0, takes: int | None = None, days: int | None = None) -> Events:
    """Simulate a part: single events and whole days of its people.

    Parameters
    ----------
    part : str
        One of :data:`PARTS`.
    people : sequence of str, optional
        Only these.
    seed : int
    takes, days : int, optional
        Other numbers than the part's.

    Returns
    -------
    Events
    """
    plan = PARTS[part]
    rows, missed, naive, naive_found, count, day_count = [], {}, {}, 0, 0, 0
    for name in plan.people if people is None else people:
        for kind in KINDS:
            for take in range(plan.takes if takes is None else takes):
                recording = make_event(kind, name, seed, take, gyro=False, duration_s=CLIP_S)
                found = events(recording)[1]
                if is_fall(kind):
                    naive_found += bool(count_above(recording))
                    if not len(found):
                        missed[kind] = missed.get(kind, 0) + 1
                rows += [(row, kind, name, count, -1) for row in found]
                count += 1
        for day in range(plan.days if days is None else days):
            for clip in make_day(name, day, seed):
                rows += [(row, clip.label, name, -1, day_count) for row in events(clip.recording)[1]]
                if alarms := len(count_above(clip.recording)):
                    naive[clip.label] = naive.get(clip.label, 0) + alarms
            day_count += 1
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return Events(columns[0].astype(np.int16), *columns[1:], missed, day_count, naive, naive_found)


def save_events(parts: dict, path) -> None:
    """Write parts so that :func:`load_events` can read them."""
    import json
    about = {name: {"missed": part.missed, "days": part.days, "naive": part.naive, "naive_found": part.naive_found}
             for name, part in parts.items()}
    arrays = {f"{name}_{column}": getattr(part, column) for name, part in parts.items()
              for column in ("values", "label", "subject", "recording", "day")}
    small = {key: _small(array) for key, array in arrays.items()}
    with atomic_write(path) as temporary:
        np.savez_compressed(temporary, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **small)


def _small(array):
    return array.astype(np.int16) if array.dtype.kind == "i" else array


def load_events(part: str, path=None) -> Events:
    """The shipped events of a part: 2 to 3 minutes of simulation that need not be done again.

    Parameters
    ----------
    part : str
        ``"train"``, ``"validation"``, ``"test"`` or ``"fresh"``.
    path : path, optional
        Default: ``datasets/falls/events.npz``.

    Examples
    --------
    >>> test = load_events("test")
    >>> test.days, test.values.shape[1]
    (96, 14)
    """
    import json
    if part not in PARTS:
        raise DataError(f"No part {part!r}: expected one of {', '.join(PARTS)}.")
    path = path or DATASETS / EVENTS
    try:
        with np.load(path, allow_pickle=False) as stored:
            about = json.loads(bytes(stored["about"]).decode())[part]
            columns = [stored[f"{part}_{column}"] for column in ("values", "label", "subject", "recording", "day")]
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path.name} cannot be read ({error}). Restore it: git checkout -- datasets/{EVENTS}, or make it "
                        "again: edgekit course models.") from None
    return Events(*columns, **about)


# ---- how good

def poisson_interval(count: int, days: float) -> tuple[float, float]:
    """95 % interval of a rate a day from a count in so many days: exact, after Garwood (1936), with the quantiles of
    chi-squared.

    Examples
    --------
    >>> low, high = poisson_interval(30, 96)
    >>> round(low, 2), round(high, 2)
    (0.21, 0.45)
    >>> round(poisson_interval(0, 96)[1], 3)       # none seen is not none: "three divided by the days", and some
    0.038
    """
    from scipy.stats import chi2
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return float(low / days), float(chi2.ppf(0.975, 2 * count + 2) / 2 / days)


@dataclass(frozen=True)
class Outcome:
    """How a detector does: falls found, and false alarms in days of daily life.

    Attributes
    ----------
    found, falls : int
    alarms : int
        False ones.
    days : int
    missed_kinds, alarm_kinds : dict of str to int
        What was missed, and what raised the false alarms.
    """

    found: int
    falls: int
    alarms: int
    days: int
    missed_kinds: dict
    alarm_kinds: dict

    @property
    def recall(self) -> float:
        """Share of the falls that were found, 0 to 1."""
        return self.found / self.falls

    @property
    def alarms_per_day(self) -> float:
        return self.alarms / self.days

    def __str__(self):
        low, high = accuracy_interval(self.found, self.falls)
        least, most = poisson_interval(self.alarms, self.days)
        return (f"found {self.found} of {self.falls} falls, {self.recall:.1%} ({low:.1%} to {high:.1%}); {self.alarms} false "
                f"alarms in {self.days} days, {self.alarms_per_day:.2f} a day ({least:.2f} to {most:.2f})")


def outcome(part: Events, said) -> Outcome:
    """Count falls found and false alarms of decisions about a part's events.

    Parameters
    ----------
    part : Events
    said : array of bool, shape [N]
        True where the detector calls an event a fall.

    Returns
    -------
    Outcome
        A fall counts as found if one of its events was called a fall. False alarms are counted in the days only: single
        recordings say nothing about how often a thing happens.
    """
    said = np.asarray(said, bool)
    if said.shape != (len(part),):
        raise DataError(f"Expected one decision for each of {len(part)} events, found {said.shape}.")
    single = part.recording >= 0
    fell = (part.y == 1) & single
    found = set(part.recording[fell & said].tolist())
    missed = dict(part.missed)
    for number in sorted(set(part.recording[fell].tolist()) - found):
        kind = str(part.label[(part.recording == number)][0])
        missed[kind] = missed.get(kind, 0) + 1
    false = said & (part.y == 0) & (part.day >= 0)
    kinds, counts = np.unique(part.label[false], return_counts=True)
    return Outcome(len(found), part.falls, int(false.sum()), part.days, missed,
                   dict(zip(kinds.tolist(), counts.tolist(), strict=True)))


def naive_outcome(part: Events) -> Outcome:
    """What "more than 3 g is a fall" does on a part."""
    return Outcome(part.naive_found, part.falls, sum(part.naive.values()), part.days, {}, dict(part.naive))


# ---- the rule

@dataclass(frozen=True)
class Rule:
    """A fall is what strikes hard enough, lost enough weight before, turned the trunk, lies still after, and did not fly.

    Attributes
    ----------
    peak, lost, tilt : int
        At least so much, in the units of the features.
    restless, weightless : int
        At most so much.
    """

    peak: int
    lost: int
    tilt: int
    restless: int
    weightless: int

    def says(self, values) -> np.ndarray:
        """True where it calls an event a fall: bool [N]."""
        peak, lost, tilt, restless, weightless = np.asarray(values)[:, _COLUMNS].T
        return ((peak >= self.peak) & (lost >= self.lost) & (tilt >= self.tilt) & (restless <= self.restless)
                & (weightless <= self.weightless))


_COLUMNS = [NAMES.index(name) for name in ("peak", "lost", "tilt", "restless", "weightless")]


def choose_rule(part: Events, most_alarms_per_day: float = 0.7) -> Rule:
    """The limits that find most falls with so few false alarms a day, by trying all of a grid.

    Parameters
    ----------
    part : Events
        Validation people.
    most_alarms_per_day : float
    """
    single = (part.y == 1) & (part.recording >= 0)
    fell, daily = part.values[single][:, _COLUMNS], part.values[(part.y == 0) & (part.day >= 0)][:, _COLUMNS]
    numbers = np.unique(part.recording[single], return_inverse=True)[1]
    grid = [np.arange(460, 1100, 40), np.arange(0, 2400, 200), np.arange(0, 160, 10), np.array([20, 30, 45, 70, 200])]
    best, best_key = None, None
    for peak in grid[0]:
        hard = [rows[:, 0] >= peak for rows in (fell, daily)]
        for lost in grid[1]:
            gone = [mask & (rows[:, 1] >= lost) for mask, rows in zip(hard, (fell, daily), strict=True)]
            for restless, weightless in product(grid[3], (8, 10, 12, 14, 16, 60)):
                still = [mask & (rows[:, 3] <= restless) & (rows[:, 4] <= weightless)
                         for mask, rows in zip(gone, (fell, daily), strict=True)]
                tilts = np.sort(daily[still[1], 2])
                for tilt in grid[2]:
                    alarms = len(tilts) - int(np.searchsorted(tilts, tilt))
                    if alarms > most_alarms_per_day * part.days:
                        continue
                    found = len(set(numbers[still[0] & (fell[:, 2] >= tilt)].tolist()))
                    if best is None or (found, -alarms) > best_key:
                        best, best_key = Rule(*map(int, (peak, lost, tilt, restless, weightless))), (found, -alarms)
                    break       # a higher limit finds no more
    if best is None:
        raise ModelError(f"No rule has at most {most_alarms_per_day} false alarms a day on these people.")
    return best


# ---- the network

def fall_net(seed: int = 0):
    """A small network over the fourteen numbers: two dense layers, two scores, 368 multiply-accumulates."""
    k = keras()
    k.utils.set_random_seed(seed)
    layers = k.layers
    model = k.Sequential([layers.Input((len(NAMES),)), layers.Dense(16, activation="relu", name="dense_1"),
                          layers.Dense(8, activation="relu", name="dense_2"),
                          layers.Dense(2, activation="softmax", name="score")], name="fall")
    model.compile(k.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train_fall_net(train: Events, validation: Events, seed: int = 0, epochs: int = 60, progress: bool = True):
    """Train on the training people's events. Falls are rare: theirs are shown as often as all others together.

    Parameters
    ----------
    train, validation : Events
        The validation people say when to stop.
    seed, epochs, progress
        As for :func:`edgekit.train.fit`.

    Returns
    -------
    keras.Model
    """
    model = fall_net(seed)
    x, y = _even(train)
    x_val, y_val = _even(validation)
    fit(model, x, y, x_val, y_val, epochs=epochs, batch_size=256, seed=seed, patience=10, progress=progress)
    return model


def _even(part):
    """Features and labels, the rows of falls repeated until both classes are about equal."""
    y = part.y
    again = max(1, round((y == 0).sum() / max(1, (y == 1).sum())))
    rows = np.concatenate([np.flatnonzero(y == 0), np.repeat(np.flatnonzero(y == 1), again)])
    return part.features[rows], y[rows]


def choose_threshold(part: Events, score, most_alarms_per_day: float = 0.4) -> float:
    """The least score of which the validation people have at most so many false alarms a day.

    Parameters
    ----------
    part : Events
        Validation people.
    score : array of float, shape [N]
        The network's score for "fall", 0 to 1.
    most_alarms_per_day : float
        Lower than what is promised: strangers are a little different.

    Returns
    -------
    float
        In steps of 1/256, as int8 scores have them.
    """
    alarming = np.asarray(score)[(part.y == 0) & (part.day >= 0)]
    for step in range(1, 256):
        if (alarming >= step / 256).sum() <= most_alarms_per_day * part.days:
            return step / 256
    raise ModelError(f"No threshold has at most {most_alarms_per_day} false alarms a day on these people.")


def convert(model, part: Events) -> bytes:
    """The trained network as int8 .tflite; every tenth training event calibrates it."""
    return to_tflite(model, "int8", part.features[::10])


def load_weights(path=None):
    """The shipped network, built again from its weights without training.

    Parameters
    ----------
    path : path, optional
        ``fall_weights.npz``; the shipped one if not given.

    Returns
    -------
    keras.Model
    """
    path = path or MODELS / WEIGHTS
    model = fall_net()
    with np.load(path, allow_pickle=False) as stored:
        expected = [_key(variable.path) for variable in model.weights]
        if sorted(stored.files) != sorted(expected):
            raise ModelError(f"{path.name} holds the weights {', '.join(stored.files)}; the fall net has "
                             f"{', '.join(expected)}. Make it again: edgekit course models.")
        model.set_weights([stored[name] for name in expected])
    return model


def save_weights(model, path) -> None:
    """Write the weights of a fall net so that :func:`load_weights` can build it again."""
    with atomic_write(path) as temporary:
        np.savez(temporary, **{_key(variable.path): variable.numpy() for variable in model.weights})


def _key(weight_path):
    # A slash in the name would be a folder inside the npz.
    return weight_path.replace("/", ".").removeprefix("fall.")


# ---- the same on the board

_ON_THE_BOARD = """
import bundle
import tflite_micro as tflm
from array import array
from falls import Detector

def load():
    about = bundle.load("fall")
    return tflm.load_model(about["model"]), Detector(about["params"]["trigger_mg"])

def follow(path, length):
    model, detector = load()
    block = array("h", bytes(2 * 3 * 50))
    row = count = 0
    with open(path, "rb") as file:
        while True:
            got = file.readinto(block) // 6
            if not got:
                break
            for i in range(0, 3 * got, 3):
                if count == length:
                    row += 1
                    count = 0
                    detector.restart()
                count += 1
                if detector.update(block[i], block[i + 1], block[i + 2]):
                    for j in range(len(detector.features)):
                        model.input[j] = detector.features[j]
                    model.invoke()
                    print(row, detector.count, *detector.values, *model.output)

def judge(path):
    model, detector = load()
    features = detector.features
    with open(path, "rb") as file:
        while file.readinto(features):
            for j in range(len(features)):
                model.input[j] = features[j]
            model.invoke()
            print(*model.output)
"""


def compare(board, recordings) -> tuple[int, int]:
    """Let the board follow every sample of some recordings, and count what differs from this computer.

    Parameters
    ----------
    board : Board
        Any board with the fall bundle on it: ``fall_bundle().deploy(board)``.
    recordings : sequence of Recording
        All of one length; for example the shipped set.

    Returns
    -------
    compared : int
        Events: where something struck.
    mismatches : int
        Events in which the place, one of the fourteen numbers, or one of the two scores differs in its last bit; and
        events that only one of both has.
    """
    from edgekit.convert import run
    from edgekit.deploy import fall_bundle
    recordings = list(recordings)
    length = len(recordings[0])
    if any(len(recording) != length for recording in recordings):
        raise DataError("The recordings must have one length: take those of one data set.")
    model = fall_bundle().model
    expected = []
    for row, recording in enumerate(recordings):
        peaks, values, features = events(recording)
        scores = np.rint(run(model, features) * 256).astype(int) - 128 if len(features) else []
        expected += [(row, int(peak) + 151, *map(int, some), *map(int, score))
                     for peak, some, score in zip(peaks, values, scores, strict=True)]
    board.exec(_ON_THE_BOARD)
    board.put(np.concatenate([recording.samples[:, :3] for recording in recordings]).astype("<i2").tobytes(), "/falls.bin")
    said = [tuple(map(int, line.split())) for line in board.exec(f"follow('/falls.bin', {length})", timeout_s=600).splitlines()]
    board.remove("/falls.bin")
    return len(expected), len(set(expected) ^ set(said))


def compare_scores(board, part: Events) -> tuple[int, int]:
    """Let the board's network judge every event of a part, and count the scores that differ from this computer.

    Returns
    -------
    compared, mismatches : int
    """
    from edgekit.convert import run
    from edgekit.deploy import fall_bundle
    expected = np.rint(run(fall_bundle().model, part.features) * 256).astype(int) - 128
    board.exec(_ON_THE_BOARD)
    board.put(part.features.tobytes(), "/falls.bin")
    said = np.array(board.exec("judge('/falls.bin')", timeout_s=600).split(), int).reshape(-1, 2)
    board.remove("/falls.bin")
    if len(said) != len(expected):
        return len(expected), len(expected)
    return len(expected), int((said != expected).any(axis=1).sum())
