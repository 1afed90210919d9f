"""Exercises of lesson 05: counts of another range, an energy to the bit, a feature of one's own."""

import numpy as np

from edgekit.dataset import load_dataset
from edgekit.features import FeatureParams, motion
from edgekit.lab.check import exercise, number

PAIR = ("circle", "punch")
"""The two gestures that exercise 05.3 wants to tell apart with one number."""

AIM_SHARE = 0.95


@exercise("05.1", hints=["The same 16 bits now have to reach twice as far. How large is one count then?",
                         "Full scale is 32768 counts. At +-4 g: 32768 / 4 = 8192 counts for 1 g.",
                         "32768 / 8 = ..."])
def counts_per_g(value):
    return number(value, 4096, what="number of counts for 1 g", unit="counts")


@exercise("05.2", hints=["Which columns of the window are the gyroscope? And which type can hold the squares?",
                         "x = window[:, 3:].astype(np.int64), then (x + 8) >> 4, square it, and add along axis 0.",
                         "Divide each axis by len(window) with // before you add the three: (squares.sum(axis=0) // len(window)).sum()"])
def energy_gyro(function):
    windows = _windows_that_hurt()
    expected = motion.summary(windows, FeatureParams(kind="summary"))[:, 6]
    for window, right, name in zip(windows, expected.tolist(), ("a wave", "a shake", "the largest counts", "the smallest counts", "random counts"),
                                   strict=True):
        found = np.asarray(function(window.copy()))
        if found.shape != ():
            return f"Expected one number for a window, found an array of shape {found.shape}. Add the three axes."
        if found == right:
            continue
        if found < 0:
            return f"For {name} the energy is negative ({found}): squares of int16 overflow. Convert first."
        if abs(float(found) - right) <= 3:
            return (f"For {name} it is close, but not the same to the bit: it differs by {abs(float(found) - right):g}. "
                    "Round as the board does, each axis for itself.")
        return f"For {name} the energy is too {'large' if found > right else 'small'}: found {found}."
    return None


@exercise("05.3", hints=["Look at a circle and a punch, one below the other. Which of the two would make you spill your coffee?",
                         "jerk takes the mean of the steps between samples. Most of a punch is calm. What else can you take than the mean?",
                         "np.abs(np.diff(x[:, :, :3].astype(np.int64), axis=1)) are the steps; a punch has one very large one: .max(axis=(1, 2))"])
def my_feature(function):
    windows = load_dataset("gestures").filter(label=PAIR).windows(length=128, stride=32)
    found = np.asarray(function(windows.x.copy()))
    if found.shape != (len(windows),):
        return f"Expected one number for each of {len(windows)} windows, found an array of shape {found.shape}."
    if found.dtype.kind not in "iu":
        return f"Expected whole numbers, as the board computes them; found {found.dtype}. Use // and >> instead of /."
    if not np.array_equal(np.asarray(function(windows.x[:3].copy())), found[:3]):
        return "The number of a window depends on the other windows. The board sees one window at a time."
    share = one_threshold(windows, found)
    if share >= AIM_SHARE:
        return None
    return f"It tells {PAIR[0]} from {PAIR[1]} in {share:.0%} of the windows of new people; the aim is {AIM_SHARE:.0%}."


def one_threshold(windows, feature) -> float:
    """How often one threshold on one feature tells two gestures apart, for people who were not there when it was set.

    Parameters
    ----------
    windows : Windows
        Of two gestures.
    feature : array, shape [N]

    Returns
    -------
    float
        Share of right answers, 0 to 1; every fourth of the people is new once.
    """
    from sklearn.tree import DecisionTreeClassifier

    column = np.asarray(feature, float).reshape(-1, 1)
    right = 0
    for new_people in np.array_split(np.unique(windows.subject), 4):
        new = np.isin(windows.subject, new_people)
        threshold = DecisionTreeClassifier(max_depth=1, random_state=0).fit(column[~new], windows.y[~new])
        right += int((threshold.predict(column[new]) == windows.y[new]).sum())
    return right / len(windows)


def _windows_that_hurt():
    data = load_dataset("gestures")
    wave, shake = (data.filter(label=label, subject="s05")[0].samples[:128] for label in ("wave", "shake"))
    largest, smallest = np.full((128, 6), 32767, np.int16), np.full((128, 6), -32768, np.int16)
    anything = np.random.default_rng(5).integers(-32768, 32768, (128, 6)).astype(np.int16)
    return np.stack([wave, shake, largest, smallest, anything])
