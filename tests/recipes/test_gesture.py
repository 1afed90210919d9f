"""Weights that a learner saves in lesson 08 come back in lesson 09."""

import numpy as np

from edgekit.recipes.gesture import WEIGHTS, load_weights, save_weights
from edgekit.train import gesture_net


def test_saved_weights_come_back(tmp_path):
    net = gesture_net(seed=3)
    save_weights(net, tmp_path / WEIGHTS)
    again = load_weights(tmp_path / WEIGHTS)
    for saved, loaded in zip(net.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(saved, loaded)
