"""The checks of lessons 03 to 05: right answers pass, the usual wrong ones hear what is wrong."""

import numpy as np
import pytest

from edgekit.dataset import Dataset, Normaliser, load_dataset
from edgekit.lab.check import verdict
from edgekit.signals import gestures

# --- 03

@pytest.mark.parametrize("rate_hz, message", [(60, "60 - 50 = 10"), (100, "exactly twice"), (1000, "smaller one"), (50, "one of the rates")])
def test_motor_rate(rate_hz, message):
    assert message in verdict("03.1", rate_hz).message
    assert verdict("03.1", 120).state == "right"


def test_false_frequency():
    assert verdict("03.2", lambda true_hz, rate_hz: abs(true_hz - rate_hz * round(true_hz / rate_hz))).state == "right"
    for wrong, message in ((lambda true_hz, rate_hz: true_hz, "found 15 Hz, look at"),
                           (lambda true_hz, rate_hz: true_hz % rate_hz, "15 Hz, sampled at 20 Hz"),
                           (lambda true_hz, rate_hz: rate_hz - true_hz, "nothing is false here"),
                           (lambda true_hz, rate_hz: true_hz - rate_hz * round(true_hz / rate_hz), "no sign")):
        result = verdict("03.2", wrong)
        assert result.state == "wrong" and message in result.message


def collection(label="nod", subjects=("me", "friend"), takes=3, source="simulated", lost=0, classes=("idle",)):
    made = [gestures.make_recording("wave" if one == label else "idle", "s01", seed=seed, duration_s=1.5).with_(
                label=one, subject=subject, source=source, lost=lost)
            for seed, (subject, one, _) in enumerate((s, c, t) for s in subjects for c in (label, *classes) for t in range(takes))]
    return Dataset(made)


def test_own_class():
    assert verdict("03.3", collection()).state == "right"
    right = list(collection())
    for data, message in ((right, "Expected a Dataset"), (collection(takes=2), "at least 3 takes"),
                          (collection(subjects=("me",)), "at least two people"), (collection(source="synthetic"), "through capture()"),
                          (collection(lost=1), "lost"), (collection(classes=()), "'idle' is missing"),
                          (collection(label="wave"), "class of your own"), (collection(label=""), "lacks a label"),
                          (Dataset([*right[:-1], right[-1].with_(samples=right[-2].samples)]), "the same to the last bit"),
                          (Dataset([*right, right[0].slice(0, 1)]), "shorter than a window")):
        result = verdict("03.3", data)
        assert result.state == "wrong" and message in result.message


# --- 04

def test_stride():
    assert verdict("04.1", 20).state == "right"
    assert "too large" in verdict("04.1", 32).message


def split(windows, friends, fit=None, own=False, swap=False, everybody=False):
    test = np.isin(windows.subject, friends)
    if swap:
        test = ~test
    train = np.ones_like(test) if everybody else ~test
    normaliser = Normaliser().fit(windows.x if fit == "all" else windows.x[~test])
    x_test = (Normaliser().fit(windows.x[test]) if own else normaliser).transform(windows.x[test])
    return normaliser.transform(windows.x[train]), windows.y[train], x_test, windows.y[test]


@pytest.mark.parametrize("wrong, message", [
    ({"fit": "all"}, "mean of each training channel is not 0"), ({"own": True}, "with their own mean"),
    ({"swap": True}, "swapped"), ({"everybody": True}, "found 24 and 6")])
def test_honest_split(wrong, message):
    assert verdict("04.2", split).state == "right"
    result = verdict("04.2", lambda windows, friends: split(windows, friends, **wrong))
    assert result.state == "wrong" and message in result.message


@pytest.mark.parametrize("prepare, message", [
    (lambda x: x.reshape(len(x), 16, 8, 6).mean(axis=2), "understood worst is now s03"), (lambda x: x.mean(axis=0), "one row for each"),
    (lambda x: (x - x.mean(axis=0)).std(axis=1), "depend on the other windows"), (lambda x: np.log(x.mean(axis=1) * 0), "not finite")])
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_worst_person(prepare, message):
    result = verdict("04.3", prepare)
    assert result.state == "wrong" and message in result.message


# --- 05

def test_counts_per_g():
    assert verdict("05.1", 4096).state == "right"
    assert "too large" in verdict("05.1", 16384).message


def test_energy_to_the_bit():
    def right(window):
        return ((((window[:, 3:].astype(np.int64) + 8) >> 4) ** 2).sum(axis=0) // len(window)).sum()

    assert verdict("05.2", right).state == "right"
    for wrong, message in ((lambda w: (((w[:, 3:] + 8) >> 4) ** 2).sum(axis=0, dtype=np.int16).sum(), "For a wave"),
                           (lambda w: ((w[:, 3:].astype(float) / 16) ** 2).mean(axis=0).sum(), "For a wave"),
                           (lambda w: (((w[:, 3:].astype(np.int64) + 8) >> 4) ** 2).sum() // len(w), "not the same to the bit"),
                           (lambda w: (((w[:, :3].astype(np.int64) + 8) >> 4) ** 2).sum() // len(w), "too"),
                           (lambda w: (w[:, 3:].astype(np.int64) ** 2).sum(axis=0), "Add the three axes")):
        result = verdict("05.2", wrong)
        assert result.state == "wrong" and message in result.message


def test_own_feature():
    def largest_step(x):
        return np.abs(np.diff(x[:, :, :3].astype(np.int64), axis=1)).max(axis=(1, 2))

    assert verdict("05.3", largest_step).state == "right"
    for wrong, message in ((lambda x: largest_step(x) / 2, "whole numbers"), (lambda x: x.mean(axis=1), "one number for each"),
                           (lambda x: largest_step(x) - largest_step(x).min(), "depends on the other windows"),
                           (lambda x: np.abs(x[:, :, 2].astype(np.int64)).max(axis=1), "the aim is 95%")):
        result = verdict("05.3", wrong)
        assert result.state == "wrong" and message in result.message


def test_the_figures_that_the_lessons_read():
    """The story of notebook 04: what the club measures, and what its friends get."""
    from sklearn.neighbors import NearestNeighbors

    data = load_dataset("gestures")
    club = ("s01", "s02", "s03", "s04")

    def share(train, test):
        thin = [part.x.reshape(len(part), 16, 8, 6).mean(axis=2) for part in (train, test)]
        normaliser = Normaliser().fit(thin[0])
        train_x, test_x = (normaliser.transform(part).reshape(len(part), -1) for part in thin)
        nearest = NearestNeighbors(n_neighbors=1).fit(train_x).kneighbors(test_x, return_distance=False)[:, 0]
        return np.mean(train.y[nearest] == test.y)

    windows = data.filter(subject=club).windows(length=128, stride=4)
    friends = data.filter(subject=set(data.subjects) - set(club)).windows(length=128, stride=32)
    assert share(*windows.split_random(test_fraction=0.25, seed=0)) > 0.99
    assert 0.75 < share(windows, friends) < 0.83
