"""The keyword net's recipe on a few clips: shapes, seeds, and weights that come back."""

import numpy as np
import pytest

from edgekit.dataset import load_dataset
from edgekit.errors import ModelError
from edgekit.recipes import keyword
from edgekit.recipes.keyword import WEIGHTS, features, load_weights, save_weights, train_keyword_net
from edgekit.train import keyword_net


@pytest.fixture(scope="module")
def few():
    """Four training voices and two of the test."""
    return load_dataset("keywords").filter(subject=["en-gb+m1", "en-us+f1", "de+Alex", "es+m4", "en-029+f5", "ta+m5"])


@pytest.fixture(scope="module")
def trained(few):
    return train_keyword_net(few, count=150, copies=1, epochs=2, channels=8, blocks=1, progress=False)


def test_the_recipe_gives_a_net_and_what_conversion_needs(trained, few):
    model, params, calibration, history = trained
    assert params.classes == few.classes and calibration.dtype == np.int8
    assert model.output_shape == (None, 4) and len(history["loss"]) == 2
    assert len(keyword.convert(model, calibration)) < 20_000


def test_the_same_seed_trains_the_same_net(trained, few):
    again, *_ = train_keyword_net(few, count=150, copies=1, epochs=2, channels=8, blocks=1, progress=False)
    for one, other in zip(trained[0].get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_features_are_of_the_voices_asked_for(trained, few):
    x, y, voices = features(few, trained[1], 40, seed=1, split="test", snr_db=None)
    assert x.shape == (40, 49, 10) and x.dtype == np.int8 and set(y.tolist()) == {0, 1, 2, 3}
    assert set(voices.tolist()) == {"", "en-029+f5", "ta+m5"}


def test_saved_weights_come_back(trained, tmp_path):
    save_weights(trained[0], tmp_path / WEIGHTS)
    again = load_weights(tmp_path / WEIGHTS)
    for saved, loaded in zip(trained[0].get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(saved, loaded)


def test_weights_of_another_net_are_named(tmp_path):
    np.savez(tmp_path / "other.npz", first=np.zeros(3))
    with pytest.raises(ModelError, match=r"other.npz holds the weights first; the keyword net has .*conv.kernel"):
        load_weights(tmp_path / "other.npz")


def test_a_net_needs_frames_and_coefficients():
    with pytest.raises(ModelError, match=r"\(frames, coefficients\) with at least 16 frames, found \(10,\)"):
        keyword_net((10,))
