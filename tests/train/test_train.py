import numpy as np
import pytest

from edgekit.errors import DataError, ModelError
from edgekit.features import FeatureParams
from edgekit.features.motion import waveform
from edgekit.train import (
    accuracy_interval,
    augment,
    confusion,
    evaluate,
    fit,
    gesture_net,
    predict,
    score,
    subject_interval,
)
from edgekit.train.quiet import quiet_output


def easy_features(n=240, seed=0):
    """Three rhythms as int8 features: a net learns them within a few steps."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    time = np.arange(32)[None, :, None]
    x = 60 * np.sin(time * (0.2 + 0.5 * y[:, None, None]) + rng.uniform(0, 6, (n, 1, 1))) + rng.normal(0, 5, (n, 32, 6))
    return np.clip(x, -128, 127).astype(np.int8), y


X, Y = easy_features()


@pytest.mark.parametrize("kind, parameters", [
    ("conv", (5 * 6 + 1) * 12 + (5 * 12 + 1) * 24 + (24 + 1) * 3),
    ("depthwise", (3 * 6 + 1) * 16 + (5 + 1) * 16 + (16 + 1) * 24 + (5 + 1) * 24 + (24 + 1) * 24 + (24 + 1) * 3),
    ("dense", (32 * 6 + 1) * 48 + (48 + 1) * 3),
])
def test_nets_are_small(kind, parameters):
    model = gesture_net((32, 6), 3, kind)
    assert model.count_params() == parameters
    assert model.output_shape == (None, 3)


def test_same_seed_same_net():
    first, again, other = (gesture_net((32, 6), 3, seed=seed).get_weights()[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_training_learns_and_repeats_to_the_bit():
    runs = []
    for _ in range(2):
        model = gesture_net((32, 6), 3, seed=3)
        history = fit(model, X, Y, X[:60], Y[:60], epochs=6, batch_size=32, seed=4, progress=False)
        runs.append((model.get_weights(), history))
    assert runs[0][1] == runs[1][1]
    for one, other in zip(runs[0][0], runs[1][0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history["loss"][-1] < history["loss"][0] / 2
    assert evaluate(model, *easy_features(seed=9)).accuracy > 0.9


def test_training_stops_early_and_keeps_the_best_weights():
    model = gesture_net((32, 6), 3)
    wrong = (Y[:60] + 1) % 3
    history = fit(model, X, Y, X[:60], wrong, epochs=20, batch_size=32, patience=2, progress=False)
    assert len(history["val_loss"]) < 20
    kept = model.evaluate(X[:60] / np.float32(128), wrong, verbose=0)[0]
    assert kept == pytest.approx(min(history["val_loss"]), rel=1e-4)


def test_floats_and_int8_features_are_the_same_input():
    model = gesture_net((32, 6), 3)
    np.testing.assert_array_equal(predict(model, X), predict(model, X.astype(np.float32) / 128))


def test_bad_training_data_are_named():
    model = gesture_net((32, 6), 3)
    with pytest.raises(DataError, match=r"reads features of shape \(32, 6\); the training features have \(16, 6\)"):
        fit(model, X[:, :16], Y)
    with pytest.raises(DataError, match="one training label per window: 240 windows"):
        fit(model, X, Y[:5])
    with pytest.raises(DataError, match="No training windows"):
        fit(model, X[:0], Y[:0])
    with pytest.raises(DataError, match="3 classes; the validation labels go from 0 to 3. Expected 0 to 2"):
        fit(model, X, Y, X[:4], [0, 1, 2, 3])


def test_bad_nets_are_named():
    with pytest.raises(ModelError, match="kind 'lstm'; choose one of conv, depthwise, dense"):
        gesture_net(kind="lstm")
    with pytest.raises(ModelError, match="For summary features.*kind='dense'"):
        gesture_net((14,), kind="conv")


def test_wilson_interval():
    # Values from Wilson's formula worked with 50 digits.
    assert accuracy_interval(0, 10) == pytest.approx((0.0, 0.2775328), abs=1e-6)
    assert accuracy_interval(10, 10) == pytest.approx((0.7224672, 1.0), abs=1e-6)
    assert accuracy_interval(480, 504) == pytest.approx((0.9301002, 0.9677833), abs=2e-3)
    with pytest.raises(DataError, match="found 5 of 4"):
        accuracy_interval(5, 4)


def test_people_differ_more_than_windows():
    y = np.zeros(400, int)
    subject = np.repeat(list("abcdefgh"), 50)
    predicted = np.where(np.isin(subject, ["a", "b"]), 1, 0)
    low, high = subject_interval(y, predicted, subject)
    wilson = score(y, predicted).interval
    assert high - low > 3 * (wilson[1] - wilson[0])
    assert low < 0.75 < high


def test_confusion_counts_rows_as_truth():
    table = confusion([0, 0, 1, 2], [0, 1, 1, 2], ["a", "b", "c"])
    assert table.loc["a", "b"] == 1
    assert table.to_numpy().sum() == 4
    with pytest.raises(DataError, match="class numbers below 2.*found 2"):
        confusion([0, 2], [0, 1], ["a", "b"])


def at_rest(n=200):
    windows = np.zeros((n, 128, 6), np.int16)
    windows[:, :, 2] = 8192
    return windows


def test_augment_keeps_the_originals_and_the_length_of_gravity():
    windows = at_rest()
    more, labels = augment(windows, np.arange(200), copies=2, seed=1)
    np.testing.assert_array_equal(more[:200], windows)
    np.testing.assert_array_equal(labels, np.tile(np.arange(200), 3))
    gravity = more[:, 0, :3].astype(float)
    np.testing.assert_allclose(np.linalg.norm(gravity, axis=1), 8192, atol=1.5)
    tilt_deg = np.degrees(np.arccos(gravity[200:, 2] / 8192))
    assert 40 < tilt_deg.max() <= 60.1


def test_augment_repeats_with_its_seed():
    windows = np.random.default_rng(0).integers(-9000, 9000, (20, 128, 6)).astype(np.int16)
    first, again, other = (augment(windows, np.zeros(20), seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_mirror_turns_the_left_hand_into_the_right():
    windows = np.random.default_rng(0).integers(-9000, 9000, (20, 128, 6)).astype(np.int16)
    copies = augment(windows, np.zeros(20), copies=1, tilt_deg=0, gain=1, speed=1)[0][20:].astype(int)
    flipped = windows * np.array([1, -1, 1, -1, 1, -1])
    same = [np.abs(copy - window).max() <= 1 for copy, window in zip(copies, windows, strict=True)]
    mirrored = [np.abs(copy - window).max() <= 1 for copy, window in zip(copies, flipped, strict=True)]
    assert np.logical_xor(same, mirrored).all()
    assert any(same) and any(mirrored)


def test_augment_names_wrong_windows():
    with pytest.raises(DataError, match="Augment the counts, before the features"):
        augment(waveform(at_rest(), FeatureParams()), np.zeros(200))


def test_quiet_output_hides_and_remembers(capfd):
    import os
    with quiet_output() as printed:
        os.write(2, b"from C++\n")
        print("from Python")
        assert set(printed().split("\n")) >= {"from C++", "from Python"}
    print("after")
    out, err = capfd.readouterr()
    assert (out, err) == ("after\n", "")
