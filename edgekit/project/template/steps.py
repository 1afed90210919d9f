"""The steps of this project. project.ipynb and tests/test_project.py use the same ones, so they cannot drift apart."""

from pathlib import Path

import numpy as np
import pandas as pd

from edgekit import Dataset
from edgekit.features import motion
from edgekit.project import Project
from edgekit.train.classical import classical

FOLDER = Path(__file__).resolve().parent
project = Project.load(FOLDER)
CHANNELS = ("ax", "ay", "az", "gx", "gy", "gz")[:project.channels]


def load():
    """The recordings in data/: their names say label and subject. A gyroscope that is not asked for is left out."""
    recordings = Dataset.load(FOLDER / "data", rate_hz=project.rate_hz, names="{label}_{subject}_*")
    data = Dataset([recording.select(CHANNELS) for recording in recordings])
    project.check_data(data)
    return data


def cut(data):
    """Windows in three parts; nobody is in two of them. Choose with `validation`, look at `test` once."""
    windows = data.windows(project.window, project.stride)
    rest, test = windows.split_by_subject(test_fraction=0.25, seed=0)
    train, validation = rest.split_by_subject(test_fraction=0.25, seed=0)
    return train, validation, test


def labels(windows):
    """The label of each window, as a word."""
    return np.array(windows.classes)[windows.y]


def features(x):
    """The numbers that the model sees, in integers: the board computes the same, to the bit."""
    return pd.DataFrame(motion.summary(x, project.params), columns=motion.summary_names(project.params))


def fit_baseline(train):
    """What must be beaten: one number, and a threshold between each two labels."""
    simple = classical("tree", max_leaf_nodes=len(project.labels))
    return simple.fit(features(train.x)[["range"]], labels(train))


def ask_baseline(simple, x):
    return simple.predict(features(x)[["range"]])


def other_floors(x, y, copies=4, seed=0):
    """More homes than were recorded: the same movement on softer and harder floors. For training windows only."""
    rng = np.random.default_rng(seed)
    mean = x.mean(axis=1, keepdims=True)
    more = [x]
    for _ in range(copies):
        gain = 2.5 ** rng.uniform(-1, 1, (len(x), 1, 1))
        more.append(np.clip(np.rint(mean + gain * (x - mean)), -32768, 32767).astype(np.int16))
    return np.concatenate(more), np.concatenate([y] * (copies + 1))


def fit_model(train):
    """A small forest. Other kinds: "tree", "svm", "linear", "knn" (lesson 07). A network: see the end of project.ipynb."""
    x, y = other_floors(train.x, labels(train))
    return classical("forest", seed=0, n_estimators=10, max_leaf_nodes=40).fit(features(x), y)
