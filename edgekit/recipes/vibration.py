"""The motor watcher's recipe (lesson 14): learn from healthy motors only, then say how strange a measurement is.

Nobody is in two parts: models learn from 24 healthy machines at three loads; the limit is chosen on 8 other healthy
machines at the same loads; what is reported comes from 30 further machines at three other loads.
"""

import json
from dataclasses import dataclass

import numpy as np

from edgekit.convert import run, to_board, to_tflite
from edgekit.errors import DataError
from edgekit.features import vibration as features
from edgekit.paths import DATASETS, MODELS, atomic_write
from edgekit.signals import vibration as signals
from edgekit.train.quiet import keras

__all__ = ["TAKES", "Rows", "Scaler", "auc", "auc_by_fault", "autoencoder", "choose_limit", "collect", "errors", "forest", "load_rows",
           "load_shipped", "overall_mm_s", "save_rows", "train_autoencoder"]

FILES = {"int8": "machine_int8.tflite", "forest": "machine_forest.bin"}
SETTINGS = "machine.json"
ROWS = "vibration/features.npz"
TAKES = {"train": 4, "validation": 4, "further": 3, "fresh": 3}
"""Healthy measurements of each machine and load."""
FALSE_ALARMS = 0.01
"""Share of the healthy validation measurements that may be above the limit."""
_FINE = 3       # an error is counted in eighths of an input's step


@dataclass(frozen=True, eq=False)
class Rows:
    """Measurements as their sixteen numbers, and what each is.

    Attributes
    ----------
    values : numpy.ndarray of int16, shape [N, 16]
        Named in :data:`edgekit.features.vibration.NAMES`.
    machine, fault : numpy.ndarray of str, shape [N]
    load, severity : numpy.ndarray of float, shape [N]
    mm_s : numpy.ndarray of float, shape [N]
        Overall vibration velocity, for the naive way; see :func:`overall_mm_s`.
    """

    values: np.ndarray
    machine: np.ndarray
    fault: np.ndarray
    load: np.ndarray
    severity: np.ndarray
    mm_s: np.ndarray

    @property
    def healthy(self) -> np.ndarray:
        """bool [N]"""
        return self.fault == "healthy"

    @property
    def bearing(self) -> np.ndarray:
        """Whether it is a fault of the bearing, bool [N]."""
        return np.isin(self.fault, signals.BEARING_FAULTS)

    def select(self, which) -> "Rows":
        """Only these: a mask, or indices."""
        return Rows(*(getattr(self, name)[which] for name in _COLUMNS))

    def __len__(self):
        return len(self.values)


_COLUMNS = ("values", "machine", "fault", "load", "severity", "mm_s")


def collect(plan, seed: int = 0) -> Rows:
    """Simulate a plan of :func:`edgekit.signals.vibration.plan` and describe each measurement."""
    samples = np.stack([recording.samples[:, 0] for recording in signals.record(plan, seed)])
    values = features.features(samples, [features.plate(row.machine) for row in plan])
    return Rows(values, np.array([row.machine for row in plan]), np.array([row.fault for row in plan]),
                np.array([row.load for row in plan]), np.array([row.severity for row in plan]), overall_mm_s(samples))


def overall_mm_s(samples, rate_hz: float = signals.RATE_HZ) -> np.ndarray:
    """Velocity (rms, mm/s) between 10 Hz and 780 Hz: the one number that ISO 10816 puts a limit on (there up to 1 kHz).

    Parameters
    ----------
    samples : array of int16, shape [N, n]

    Returns
    -------
    numpy.ndarray of float, shape [N]
    """
    x = np.asarray(samples, float) * signals.SCALE_G * 9.80665
    n = x.shape[1]
    frequency_hz = np.fft.rfftfreq(n, 1 / rate_hz)
    inside = (frequency_hz > 10) & (frequency_hz < 780)
    lines = np.fft.rfft((x - x.mean(axis=1, keepdims=True)) * np.hanning(n))[:, inside] / (2 * np.pi * frequency_hz[inside])
    return 1e3 * np.sqrt((np.abs(lines) ** 2).sum(axis=1) * 2 / n ** 2 / 0.375)


def save_rows(parts: dict, path) -> None:
    """Write parts so that :func:`load_rows` can read them."""
    arrays = {f"{part}_{name}": getattr(rows, name) for part, rows in parts.items() for name in _COLUMNS}
    arrays = {name: array.astype(np.float32) if array.dtype.kind == "f" else array for name, array in arrays.items()}
    with atomic_write(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def load_rows(part: str, path=None) -> Rows:
    """The shipped numbers of a part: "train", "validation", "further" or "fresh". They save half a minute of simulation.

    Examples
    --------
    >>> further = load_rows("further")
    >>> len(further), int(further.healthy.sum())
    (900, 270)
    """
    if part not in TAKES:
        raise DataError(f"No part {part!r}: expected one of {', '.join(TAKES)}. The test recordings: load_dataset('vibration').")
    path = path or DATASETS / ROWS
    try:
        with np.load(path, allow_pickle=False) as stored:
            return Rows(*(stored[f"{part}_{name}"] for name in _COLUMNS))
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path.name} cannot be read ({error}). Restore it: git checkout -- datasets/{ROWS}, or make it again: "
                        "edgekit course models.") from None


# ---- the input: int8

@dataclass(frozen=True)
class Scaler:
    """From the sixteen numbers to int8, in integers: mean 0, and 16 steps for one standard deviation of the training.

    Attributes
    ----------
    mean, factor : tuple of int
        ``(value - mean) * factor >> 8``.
    """

    mean: tuple[int, ...]
    factor: tuple[int, ...]

    @classmethod
    def fit(cls, values) -> "Scaler":
        """Learn from the training's values, [N, 16]."""
        values = np.asarray(values, float)
        return cls(tuple(np.rint(values.mean(axis=0)).astype(int).tolist()),
                   tuple(np.maximum(1, np.rint(16 * 256 / np.maximum(values.std(axis=0), 4))).astype(int).tolist()))

    def transform(self, values) -> np.ndarray:
        """int8 [N, 16], as the board makes them.

        >>> Scaler((100,) * 2, (41,) * 2).transform([[100, 200]]).tolist()
        [[0, 16]]
        """
        scaled = (np.asarray(values, np.int64) - np.array(self.mean)) * np.array(self.factor) >> 8
        return np.clip(scaled, -128, 127).astype(np.int8)


# ---- the models

def autoencoder(size: int = 16, hidden: int = 16, narrow: int = 4, seed: int = 0):
    """An untrained network that squeezes sixteen numbers through four and makes sixteen of them again.

    Returns
    -------
    keras.Model
    """
    k = keras()
    k.utils.set_random_seed(seed)
    model = k.Sequential([k.Input((size,)), k.layers.Dense(hidden, activation="relu"), k.layers.Dense(narrow),
                          k.layers.Dense(hidden, activation="relu"), k.layers.Dense(size)])
    model.compile("adam", "mse")
    return model


def train_autoencoder(train, validation, epochs: int = 120, seed: int = 0, progress: bool = False, **shape):
    """Train on healthy machines only.

    Parameters
    ----------
    train, validation : array of int8, shape [N, 16]
    epochs, seed : int
    **shape
        As for :func:`autoencoder`.

    Returns
    -------
    model : keras.Model
    history : dict of str to list of float
    """
    k = keras()
    x, v = (np.asarray(part).astype(np.float32) / 128 for part in (train, validation))
    model = autoencoder(x.shape[1], seed=seed, **shape)
    stop = k.callbacks.EarlyStopping(patience=12, restore_best_weights=True)
    # The training's own order only.
    history = model.fit(x, x, validation_data=(v, v), epochs=epochs, batch_size=16, verbose=2 if progress else 0, callbacks=[stop])
    return model, history.history


def output_factor(content: bytes) -> tuple[int, int]:
    """Of an int8 autoencoder: zero point of its output, and its scale in 64ths of the input's step."""
    from edgekit.tflite import Interpreter
    twin = Interpreter(content)
    return int(twin.output_zero_point), round(twin.output_scale * 128 * 64)


def errors(content: bytes, x) -> np.ndarray:
    """How badly an int8 autoencoder makes its input again: the board's sum of squares, int64 [N].

    Parameters
    ----------
    content : bytes
        The .tflite.
    x : array of int8, shape [N, 16]
    """
    from edgekit.tflite import Interpreter
    zero_point, factor = output_factor(content)
    scale = Interpreter(content).output_scale
    out = np.rint(run(content, x) / scale).astype(np.int64)         # int8 minus the zero point
    difference = np.clip(x.astype(np.int64) * 64 - out * factor >> _FINE, -8191, 8191)
    return (difference ** 2 >> 4).sum(axis=1)


def forest(train, seed: int = 0, trees: int = 40):
    """An isolation forest of healthy measurements: what few random cuts can single out is strange."""
    from sklearn.ensemble import IsolationForest
    return IsolationForest(n_estimators=trees, max_samples=128, contamination=FALSE_ALARMS, random_state=seed).fit(
        np.asarray(train, np.float32))


def choose_limit(healthy_scores, share: float = FALSE_ALARMS) -> int:
    """The score that this share of healthy validation measurements exceeds.

    >>> choose_limit(list(range(100)), share=0.1)
    90
    """
    return int(np.ceil(np.quantile(np.asarray(healthy_scores, float), 1 - share)))


# ---- how good

def auc(healthy, faulty) -> float:
    """Chance that a faulty measurement scores higher than a healthy one, 0 to 1 (area under the ROC curve).

    >>> auc([1, 2, 3], [3, 4])
    0.9166666666666666
    """
    healthy, faulty = np.asarray(healthy, float)[None], np.asarray(faulty, float)[:, None]
    return float(((faulty > healthy) + 0.5 * (faulty == healthy)).mean())


def auc_by_fault(rows: Rows, scores) -> dict[str, float]:
    """AUC for each fault, and ``bearing`` for the four of the bearing together."""
    scores = np.asarray(scores)
    table = {fault: auc(scores[rows.healthy], scores[rows.fault == fault]) for fault in signals.FAULTS}
    table["bearing"] = auc(scores[rows.healthy], scores[rows.bearing])
    return table


def bearing_interval(content: bytes, scaler: Scaler, rows: Rows, repeats: int = 500) -> tuple[float, float]:
    """95 % interval of the AUC for bearing faults: motors drawn with replacement, because one motor's measurements are alike.

    Parameters
    ----------
    content : bytes
        The int8 .tflite.
    scaler : Scaler
    rows : Rows
    repeats : int

    Returns
    -------
    low, high : float
    """
    own, rng = errors(content, scaler.transform(rows.values)), np.random.default_rng(0)
    places = [np.flatnonzero(rows.machine == name) for name in sorted(set(rows.machine.tolist()))]
    drawn = [np.concatenate([places[i] for i in rng.integers(len(places), size=len(places))]) for _ in range(repeats)]
    low, high = np.percentile([auc(own[rows_][rows.healthy[rows_]], own[rows_][rows.bearing[rows_]]) for rows_ in drawn], [2.5, 97.5])
    return float(low), float(high)


def load_shipped(folder=MODELS):
    """The shipped model: its .tflite, its scaler, and its limit."""
    try:
        about = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        return (folder / FILES["int8"]).read_bytes(), Scaler(tuple(about["mean"]), tuple(about["factor"])), about["limit"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"The shipped model of lesson 14 cannot be read ({error}). Restore it: git checkout -- datasets/models") from None


def settings(content: bytes, scaler: Scaler, limit: int) -> dict:
    """All that the board needs besides the .tflite and the motor's plate: ``machine.json``."""
    zero_point, factor = output_factor(content)
    return {"mean": list(scaler.mean), "factor": list(scaler.factor), "zero_point": zero_point, "output_factor": factor, "limit": limit}


def make(train: Rows, validation: Rows, progress: bool = False):
    """The shipped model from its parts: .tflite, scaler, limit, and the forest."""
    scaler = Scaler.fit(train.values)
    x, v = scaler.transform(train.values), scaler.transform(validation.values)
    model, _ = train_autoencoder(x, v, progress=progress)
    content = to_tflite(model, "int8", x)
    return content, scaler, choose_limit(errors(content, v)), to_board(forest(x))
