"""How good is it, and how sure is that? Counts, intervals and the confusion matrix."""

import math
from dataclasses import dataclass

import numpy as np

from edgekit.errors import DataError
from edgekit.train.fitting import predict


@dataclass(frozen=True)
class Score:
    """Right answers out of a number of windows.

    Attributes
    ----------
    correct, total : int
        Windows.
    predicted : numpy.ndarray of int64, shape [total]
        Predicted class of each window.
    """

    correct: int
    total: int
    predicted: np.ndarray

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0 to 1."""
        return self.correct / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the accuracy if the windows were independent: :func:`accuracy_interval`."""
        return accuracy_interval(self.correct, self.total)

    def __str__(self):
        low, high = self.interval
        return f"{self.accuracy:.1%} ({self.correct} of {self.total} windows, 95 % interval {low:.1%} to {high:.1%})"


def score(y, predicted) -> Score:
    """Count right answers.

    Parameters
    ----------
    y, predicted : array of int, shape [N]
        True and predicted class numbers.

    Examples
    --------
    >>> print(score([0, 1, 2, 2], [0, 1, 1, 2]))
    75.0% (3 of 4 windows, 95 % interval 30.1% to 95.4%)
    """
    y, predicted = _pair(y, predicted)
    return Score(int((y == predicted).sum()), len(y), predicted)


def evaluate(model, x, y) -> Score:
    """Predict with a Keras model and count right answers.

    Parameters
    ----------
    model : keras.Model
    x : array of int8 or float32, shape [N, ...]
        Features; int8 features are divided by 128 first.
    y : array of int, shape [N]
        True class numbers.

    Returns
    -------
    Score
        Print it: accuracy, counts and interval.
    """
    return score(y, predict(model, x))


def accuracy_interval(correct: int, total: int) -> tuple[float, float]:
    """Wilson's 95 % interval for a share of right answers.

    It assumes that the answers are independent. Windows of one person are alike, so for windows it is too narrow:
    use :func:`subject_interval` when there are subjects.

    Parameters
    ----------
    correct, total : int
        ``0 <= correct <= total``, ``total >= 1``.

    Returns
    -------
    low, high : float
        From 0 to 1.

    Raises
    ------
    DataError
        The counts are impossible.

    Examples
    --------
    >>> low, high = accuracy_interval(95, 100)
    >>> round(low, 3), round(high, 3)
    (0.888, 0.978)
    """
    if total < 1 or not 0 <= correct <= total:
        raise DataError(f"Expected 0 <= correct <= total and total >= 1; found {correct} of {total}.")
    z = 1.959964
    share = correct / total
    center = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return max(0.0, center - half), min(1.0, center + half)


def subject_interval(y, predicted, subject, seed=0, repeats=2000) -> tuple[float, float]:
    """95 % interval of the accuracy on *new people*: bootstrap over subjects.

    Draw as many subjects as there are, with replacement, and take the accuracy over their windows; do it many times;
    the middle 95 % of the answers is the interval. People differ more than windows of one person do, so this is
    wider than :func:`accuracy_interval`, and the honest one. With fewer than about five subjects it is still
    too narrow: so few people cannot show how people differ.

    Parameters
    ----------
    y, predicted : array of int, shape [N]
        True and predicted class numbers.
    subject : array of str, shape [N]
        Who made each window.
    seed : int
    repeats : int
        Number of draws.

    Returns
    -------
    low, high : float
        From 0 to 1.

    Examples
    --------
    >>> y = [0] * 8
    >>> subject_interval(y, [0, 0, 0, 0, 0, 0, 1, 1], ["a", "a", "b", "b", "c", "c", "d", "d"])
    (0.25, 1.0)
    """
    y, predicted = _pair(y, predicted)
    names, who = np.unique(np.asarray(subject), return_inverse=True)
    if len(who) != len(y):
        raise DataError(f"Expected one subject per window: {len(y)} windows, {len(who)} subjects.")
    right = np.bincount(who, weights=(y == predicted), minlength=len(names))
    windows = np.bincount(who, minlength=len(names))
    drawn = np.random.default_rng(seed).integers(0, len(names), (repeats, len(names)))
    accuracies = right[drawn].sum(axis=1) / windows[drawn].sum(axis=1)
    low, high = np.percentile(accuracies, [2.5, 97.5])
    return float(low), float(high)


def confusion(y, predicted, classes):
    """Confusion matrix: how often each class (row) was taken for each (column).

    Parameters
    ----------
    y, predicted : array of int, shape [N]
        True and predicted class numbers.
    classes : sequence of str
        Their names.

    Returns
    -------
    pandas.DataFrame
        Counts of windows; rows are true classes, columns predicted ones.

    Examples
    --------
    >>> print(confusion([0, 0, 1], [0, 1, 1], ["idle", "wave"]))
    predicted  idle  wave
    true
    idle          1     1
    wave          0     1
    """
    import pandas as pd

    y, predicted = _pair(y, predicted)
    if max(y.max(), predicted.max()) >= len(classes):
        raise DataError(f"Expected class numbers below {len(classes)}, the number of names; "
                        f"found {max(y.max(), predicted.max())}.")
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (y, predicted), 1)
    return pd.DataFrame(counts, index=pd.Index(classes, name="true"), columns=pd.Index(classes, name="predicted"))


def _pair(y, predicted):
    y, predicted = np.asarray(y), np.asarray(predicted)
    if y.shape != predicted.shape or y.ndim != 1 or len(y) == 0:
        raise DataError(f"Expected one prediction per label, at least one; found labels of shape {list(y.shape)} "
                        f"and predictions of shape {list(predicted.shape)}.")
    return y.astype(np.int64), predicted.astype(np.int64)
