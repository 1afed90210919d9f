import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit.features import FeatureParams
from edgekit.features.analysis import feature_table, variance_explained
from edgekit.features.motion import summary, summary_names
from edgekit.signals import gestures


def test_noise_explains_nothing():
    rng = np.random.default_rng(0)
    assert (variance_explained(rng.normal(size=(2000, 3)), rng.integers(0, 4, 2000)) < 0.01).all()


def test_a_constant_feature_is_explained_by_nobody():
    assert variance_explained(np.ones((4, 1)), ["a", "a", "b", "b"]).tolist() == [0.0]


def test_tilt_tells_the_person_and_movement_tells_the_gesture():
    windows = gestures.make_dataset(takes=1).windows(128, 64)
    params = FeatureParams(kind="summary")
    table = feature_table(summary(windows.x, params), summary_names(params), windows.y, windows.subject)
    for tilt in ("mean_ax", "mean_ay"):
        assert table.loc[tilt, "by_subject"] > 5 * table.loc[tilt, "by_gesture"]
    for movement in ("jerk", "zero_crossings", "range"):
        assert table.loc[movement, "by_gesture"] > 3 * table.loc[movement, "by_subject"]


def test_wrong_lengths_are_named():
    with pytest.raises(DataError, match="one group per window"):
        variance_explained(np.ones((4, 1)), ["a"])
