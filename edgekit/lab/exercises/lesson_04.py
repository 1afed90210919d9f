"""Exercises of lesson 04: a stride, a split that does not leak, help for the worst understood person."""

import numpy as np

from edgekit.dataset import Normaliser, Windows, load_dataset
from edgekit.lab.check import array, exercise, number

WORST_SHARE = 0.85
"""What exercise 04.3 asks for. Thinned windows reach 0.58."""


@exercise("04.1", hints=["How much time passes from one answer to the next?",
                         "The stride is that time in samples, and a second has 100 samples.",
                         "5 answers a second are one every 0.2 s: stride = 100 * ..."])
def stride(value):
    return number(value, 20, what="stride", unit="samples")


@exercise("04.2", hints=["Which two things may the friends not touch: the training windows, and ...?",
                         "np.isin(windows.subject, friends) is True where a window belongs to a friend; ~ turns it round.",
                         "normaliser = Normaliser().fit(windows.x[~test]), then transform both parts with it."])
def honest_split(function):
    windows = _four_people()
    friends = ["d"]
    test = np.isin(windows.subject, friends)
    parts = function(windows, friends)
    if not isinstance(parts, list | tuple) or len(parts) != 4:
        return "Expected four things: x_train, y_train, x_test, y_test."
    x_train, y_train, x_test, y_test = (np.asarray(part, float) for part in parts)
    if len(x_train) == test.sum() and len(x_test) == (~test).sum():
        return "Training and test are swapped: the friends belong into the test."
    if len(x_train) != (~test).sum() or len(x_test) != test.sum():
        return (f"With one of four people as the friend, expected {(~test).sum()} training and {test.sum()} test windows; "
                f"found {len(x_train)} and {len(x_test)}.")
    wrong = array(y_train, windows.y[~test], "training labels") or array(y_test, windows.y[test], "test labels")
    if wrong:
        return wrong
    if not np.allclose(x_train.mean(axis=(0, 1)), 0, atol=1e-3):
        return "The mean of each training channel is not 0: were the friends, or nobody, in the fit?"
    if np.allclose(x_test.mean(axis=(0, 1)), 0, atol=1e-3):
        return "The test windows were normalised with their own mean. On the board you will not know it."
    learned = Normaliser().fit(windows.x[~test])
    return (array(x_train, learned.transform(windows.x[~test]), "training windows", tolerance=1e-3)
            or array(x_test, learned.transform(windows.x[test]), "test windows", tolerance=1e-3))


@exercise("04.3", hints=["Two people tap equally, but hold the sensor at other angles. Which part of the window is the angle?",
                         "x.std(axis=1) forgets the mean, and the moment at which the movement begins. The sum over three axes "
                         "also forgets how the sensor is turned. And a logarithm makes 'twice as strong' a small step.",
                         "np.log1p(x.std(axis=1)[:, :3].sum(axis=1)) is one good number. Make it for the other three channels too, "
                         "and for np.abs(np.diff(x.astype(float), axis=1)).mean(axis=1), which sees sudden movement."])
def worst_person(function):
    windows = load_dataset("gestures").windows(length=128, stride=32)
    prepared = np.asarray(function(windows.x.copy()), float)
    if len(prepared) != len(windows) or prepared.ndim < 2:
        return f"Expected one row for each of {len(windows)} windows; found an array of shape {prepared.shape}."
    prepared = prepared.reshape(len(windows), -1)
    if not np.isfinite(prepared).all():
        return "Some of the numbers are not finite (nan or inf)."
    alone = np.asarray(function(windows.x[:3].copy()), float).reshape(3, -1)
    if alone.shape[1] != prepared.shape[1] or not np.allclose(alone, prepared[:3]):
        return "The numbers of a window depend on the other windows. The board sees one window at a time."
    name, share = worst(windows, prepared)
    if share >= WORST_SHARE:
        return None
    return (f"The person who is understood worst is now {name}, with {share:.0%} of the windows right; "
            f"the aim is {WORST_SHARE:.0%}.")


def worst(windows, prepared) -> tuple[str, float]:
    """The person whom nearest neighbour understands worst when they are new, and the share of right answers.

    Parameters
    ----------
    windows : Windows
        With labels and subjects.
    prepared : array of float, shape [N, n]
        What the distance is taken of; each column is normalised with the other people's numbers.

    Returns
    -------
    name : str
    share : float
        From 0 to 1.
    """
    from sklearn.neighbors import KNeighborsClassifier

    shares = {}
    for name in np.unique(windows.subject).tolist():
        friend = windows.subject == name
        scaler = Normaliser().fit(prepared[~friend])
        model = KNeighborsClassifier(n_neighbors=1).fit(scaler.transform(prepared[~friend]), windows.y[~friend])
        shares[name] = float(np.mean(model.predict(scaler.transform(prepared[friend])) == windows.y[friend]))
    name = min(shares, key=shares.get)
    return name, shares[name]


def _four_people():
    # Each person has an offset of their own, so that a leak of the friends' mean shows.
    rng = np.random.default_rng(4)
    subject = np.repeat(["a", "b", "c", "d"], 6)
    offset = np.repeat([0, 400, 2000, 9000], 6)
    x = (rng.normal(0, 1000, (24, 32, 3)) + offset[:, None, None]).astype(np.int16)
    y = np.tile(np.arange(3), 8)
    return Windows(x, y, subject, np.arange(24), ("circle", "idle", "wave"))
