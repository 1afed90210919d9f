"""What a pipeline does to single columns before the model: choose, scale, fill gaps.

Such steps need not run on a board if a tree comes next: ``scaled(x) <= threshold`` is ``x <= another threshold``, since
scaling never changes an order. :func:`fold` finds that threshold by halving.
"""

from dataclasses import dataclass, replace

import numpy as np

from edgekit.convert.classic_file import Step
from edgekit.errors import ModelError

__all__ = ["Column", "Scale", "Fill", "read", "flush", "fold", "key"]


@dataclass(frozen=True)
class Scale:
    """``(x - centre) / spread``, or ``x * factor + offset``, as scikit-learn computes it; never decreasing."""

    centre: float = 0.0
    spread: float = 1.0
    factor: float = 1.0
    offset: float = 0.0
    low: float = -np.inf
    high: float = np.inf

    def __call__(self, x):
        with np.errstate(over="ignore", invalid="ignore"):
            return np.clip((x - self.centre) / self.spread * self.factor + self.offset, self.low, self.high)


@dataclass(frozen=True)
class Fill:
    """``value`` in place of ``gap``."""

    value: float
    gap: float = np.nan

    def __call__(self, x):
        return np.where(np.isnan(x) if np.isnan(self.gap) else x == self.gap, self.value, x)


@dataclass(frozen=True)
class Column:
    """A column of what comes in, and what is done to it."""

    source: int
    works: tuple = ()

    def __call__(self, x):
        for work in self.works:
            x = work(x)
        return x

    def then(self, work):
        return self if work == Scale() else replace(self, works=(*self.works, work))


def read(transformer, columns, name):
    """What the columns become after a transformer; None if it mixes them.

    Raises
    ------
    ModelError
        An option of the transformer does not run on a board.
    """
    kind = type(transformer).__name__
    if transformer in ("passthrough", None) or kind == "FunctionTransformer" and transformer.func is None:
        return list(columns)
    if kind == "Pipeline":
        for inner, step in transformer.steps:
            columns = read(step, columns, f"{name}.{inner}")
            if columns is None:
                raise ModelError(f"Inside the step {name!r} a board can only choose, scale and fill columns. Put "
                                 f"{inner!r} after it, as a step of the pipeline itself.")
        return columns
    if kind == "StandardScaler":
        centre = transformer.mean_ if transformer.with_mean else np.zeros(len(columns))
        spread = transformer.scale_ if transformer.with_std else np.ones(len(columns))
        return [c.then(Scale(float(m), float(s))) for c, m, s in zip(columns, centre, spread, strict=True)]
    if kind == "RobustScaler":
        centre = transformer.center_ if transformer.with_centering else np.zeros(len(columns))
        spread = transformer.scale_ if transformer.with_scaling else np.ones(len(columns))
        return [c.then(Scale(float(m), float(s))) for c, m, s in zip(columns, centre, spread, strict=True)]
    if kind == "MinMaxScaler":
        low, high = transformer.feature_range if transformer.clip else (-np.inf, np.inf)
        return [c.then(Scale(factor=float(s), offset=float(m), low=low, high=high))
                for c, s, m in zip(columns, transformer.scale_, transformer.min_, strict=True)]
    if kind == "MaxAbsScaler":
        return [c.then(Scale(spread=float(s))) for c, s in zip(columns, transformer.scale_, strict=True)]
    if kind == "SimpleImputer":
        if transformer.add_indicator:
            raise ModelError(f"Step {name!r}: SimpleImputer(add_indicator=True) adds columns that a board does not "
                             "compute. Use add_indicator=False.")
        gap = transformer.missing_values
        if not isinstance(gap, (int, float, np.number)):
            raise ModelError(f"Step {name!r}: a board knows missing values as NaN or as a number, not as {gap!r}.")
        # A column that was empty in training is dropped.
        return [c.then(Fill(float(v), float(gap))) for c, v in zip(columns, transformer.statistics_, strict=True)
                if not (isinstance(v, float | np.floating) and np.isnan(v))]
    if hasattr(transformer, "get_support") and hasattr(transformer, "transform"):  # SelectKBest and its like
        return [columns[i] for i in transformer.get_support(indices=True)]
    if kind == "ColumnTransformer":
        return _of_blocks(transformer, columns, name)
    return None


def _of_blocks(transformer, columns, name):
    found = []
    for inner, step, _ in transformer.transformers_:
        chosen = [columns[i] for i in np.arange(len(columns))[transformer._transformer_to_input_indices[inner]]]
        if isinstance(step, str) and step == "drop" or not chosen:
            continue
        made = read(step, chosen, f"{name}.{inner}")
        if made is None:
            raise ModelError(f"Step {name!r}: inside a ColumnTransformer a board can choose, scale and fill columns "
                             f"(StandardScaler, MinMaxScaler, RobustScaler, SimpleImputer, SelectKBest, passthrough); "
                             f"{inner!r} is a {type(step).__name__}.")
        weight = (transformer.transformer_weights or {}).get(inner)
        found += made if weight is None else [c.then(Scale(factor=float(weight))) for c in made]
    return found


def flush(columns, width):
    """Steps that do on the board what was only noted so far.

    Parameters
    ----------
    columns : list of Column
    width : int
        How many columns come in.
    """
    steps = []
    if [c.source for c in columns] != list(range(width)):
        steps.append(Step("select", (), [np.array([c.source for c in columns], np.uint16)]))
    rest = [list(c.works) for c in columns]
    while any(rest):
        kind = Fill if any(works and isinstance(works[0], Fill) for works in rest) else Scale
        now = [works.pop(0) if works and isinstance(works[0], kind) else None for works in rest]
        steps.append(_fill(now) if kind is Fill else _scale(now))
    return steps


def _fill(works):
    # NaN in place of NaN changes nothing.
    values = np.array([np.nan if w is None else w.value for w in works], np.float32)
    gaps = np.array([np.nan if w is None else w.gap for w in works], np.float32)
    return Step("impute", (), [values, gaps])


def _scale(works):
    """Centres in two parts, since a large one needs more digits than a float32 has: x - upper - lower is exact enough."""
    works = [w or Scale() for w in works]
    centre = np.array([w.centre for w in works])
    factor = np.array([w.factor / w.spread for w in works])
    offset = np.array([w.offset for w in works])
    # (x - c) / s * f + o  =  (x - (c - o * s / f)) * (f / s)
    centre = np.where(factor != 0, centre - offset / np.where(factor == 0, 1, factor), 0)
    upper = centre.astype(np.float32)
    arrays = [upper, (centre - upper).astype(np.float32), factor.astype(np.float32)]
    low, high = (np.array([getattr(w, end) for w in works], np.float32) for end in ("low", "high"))
    clips = np.isfinite(low).any() or np.isfinite(high).any()
    return Step("scale", (), [*arrays, low, high] if clips else [*arrays, low[:0], high[:0]])


def key(values) -> np.ndarray:
    """Integers in the order of float32 numbers; -0.0 counts as 0.0.

    Examples
    --------
    >>> key(np.array([-2.0, -0.0, 0.0, 1.0], np.float32)).tolist()
    [-1073741825, 0, 0, 1065353216]
    """
    bits = (np.asarray(values, np.float32) + np.float32(0)).view(np.int32)
    return np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int32)


def fold(columns, features, thresholds, as_float32=True):
    """Thresholds for what comes in, in place of those for what the columns become.

    Parameters
    ----------
    columns : list of Column
        Each one monotone, but for NaN.
    features : array of int, shape [N]
        Which of the columns each decision looks at.
    thresholds : array of float64, shape [N]
        The decision is ``column(x) <= threshold``.
    as_float32 : bool
        The model rounds ``column(x)`` to float32 first, as trees and forests do. Else it takes float64, and so the
        nearest float32 is meant, not the next one below: values such as 0.3 are often both data and threshold.

    Returns
    -------
    numpy.ndarray of int32, shape [N]
        Keys: for every float32 x, ``key(x) <= result`` just where ``column(x) <= threshold``.
    """
    features, limits = np.asarray(features), np.array(thresholds, np.float64)
    for feature in np.unique(features):
        if any(isinstance(work, Scale) for work in columns[feature].works):
            here = features == feature
            limits[here] = _largest(columns[feature], limits[here], as_float32)
    with np.errstate(over="ignore"):
        nearest = limits.astype(np.float32)
    keys = key(nearest).astype(np.int64)
    if as_float32:
        keys -= nearest.astype(np.float64) > limits
    return keys.astype(np.int32)


def _largest(column, thresholds, as_float32):
    """The largest float64 x with column(x) <= threshold, by halving among the bits of all that are finite."""
    def number(bits):
        return np.where(bits < 0, bits ^ np.int64((1 << 63) - 1), bits).view(np.float64)

    end = np.array([np.finfo(np.float64).max]).view(np.int64)[0]
    low, high = np.full(len(thresholds), -end - 2), np.full(len(thresholds), end + 1)
    for _ in range(65):
        middle = (low >> 1) + (high >> 1) + (low & high & 1)
        y = column(number(np.maximum(middle, -end - 1)))
        if as_float32:
            with np.errstate(over="ignore"):
                y = y.astype(np.float32)
        below = (y <= thresholds) | (middle <= -end - 2)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return number(low)
