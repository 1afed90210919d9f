"""The app of classical models: the answers of scikit-learn, live; a model of other columns is refused by name."""

import numpy as np
import pandas as pd
import pytest

from edgekit.convert import to_board
from edgekit.dataset import Dataset, load_dataset
from edgekit.errors import BoardCodeError
from edgekit.features import FeatureParams, motion
from edgekit.signals.gestures import live
from edgekit.train.classical import classical

PARAMS = FeatureParams(kind="summary")
NAMES = motion.summary_names(PARAMS)


@pytest.fixture(scope="module")
def trained():
    windows = load_dataset("gestures").windows(128, 32)
    x = pd.DataFrame(motion.summary(windows.x, PARAMS), columns=NAMES)
    return classical("forest").fit(x, np.array(windows.classes)[windows.y]), x


def test_it_says_what_scikit_learn_says(board, trained):
    model, _ = trained
    board.put(to_board(model), "/models/forest.bin")
    movement, _ = live(script=["wave", "punch", "shake"], seed=1)
    board.world.play(movement)
    count = int(movement.duration_s * 100 / 32) - 3
    said = [line.split()[-1] for line in board.run("classic", path="/models/forest.bin", windows=count).splitlines()]
    # The first sample comes a little after the recording has begun, so the windows are not the same to the sample.
    windows = np.stack([movement.samples[first:first + 128] for first in range(0, len(movement) - 128, 32)])
    answers = model.predict(pd.DataFrame(motion.summary(windows, PARAMS), columns=NAMES))
    expected, last = [], None
    for three in zip(answers, answers[1:], answers[2:], strict=False):
        if len(set(three)) == 1 and three[0] != last:
            last = three[0]
            expected += [last] if last != "idle" else []
    assert said == expected == ["wave", "punch", "shake"]


def test_an_accelerometer_alone_at_another_rate(board):
    params = FeatureParams(kind="summary", rate_hz=50, window=64, channels=3)
    names = motion.summary_names(params)
    alone = Dataset([recording.select(("ax", "ay", "az")).resample(50)
                     for recording in load_dataset("gestures").filter(label=("idle", "shake"))])
    windows = alone.windows(64, 32)
    x = pd.DataFrame(motion.summary(windows.x, params), columns=names)
    board.put(to_board(classical("tree").fit(x, np.array(windows.classes)[windows.y])), "/models/shake.bin")
    movement, _ = live(script=["shake"], seed=1)
    board.world.play(movement)
    said = board.run("classic", path="/models/shake.bin", windows=8, stride=16, rate_hz=50, window=64, channels=3)
    assert [line.split()[-1] for line in said.splitlines()] == ["shake"]
    with pytest.raises(BoardCodeError, match="the columns are mean_ax, .*; the model was trained on"):
        board.run("classic", path="/models/shake.bin", windows=1, rate_hz=50, window=64)


def test_it_knows_its_columns(board, trained):
    _, x = trained
    other = classical("tree").fit(x.rename(columns={"jerk": "suddenness"}), np.arange(len(x)) % 2)
    board.put(to_board(other), "/models/other.bin")
    with pytest.raises(BoardCodeError, match="the model needs suddenness, which is not offered"):
        board.run("classic", path="/models/other.bin", windows=1)
