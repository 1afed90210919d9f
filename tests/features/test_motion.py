"""What the features mean, checked on movements whose answer is known. Equality with the board: tests/firmware."""

import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit.features import FeatureParams
from edgekit.features.motion import compute, summary, summary_names, to_float, waveform

WAVEFORM = FeatureParams()
SUMMARY = FeatureParams(kind="summary")
ONE_G = 8192


def numbers(window):
    return dict(zip(summary_names(SUMMARY), summary(window[None], SUMMARY)[0].tolist(), strict=True))


def at_rest():
    window = np.zeros((128, 6), np.int16)
    window[:, 2] = ONE_G
    return window


def swinging(hz, axis=0, g=1.0):
    window = at_rest()
    time_s = np.arange(128) / 100
    window[:, axis] += np.round(g * ONE_G * np.sin(2 * np.pi * hz * time_s)).astype(np.int16)
    return window


def test_waveform_against_floats():
    windows = np.random.default_rng(0).integers(-32768, 32768, (50, 128, 6)).astype(np.int16)
    mean = windows.astype(float).reshape(50, 32, 4, 6).mean(axis=2)
    expected = np.clip(np.floor(mean / 256 + 0.5), -128, 127)
    np.testing.assert_array_equal(waveform(windows, WAVEFORM), expected)


def test_waveform_clips_at_full_scale():
    high = np.full((1, 128, 6), 32767, np.int16)
    assert (waveform(high, WAVEFORM) == 127).all()
    assert (waveform(-high - 1, WAVEFORM) == -128).all()


def test_at_rest():
    values = numbers(at_rest())
    assert values.pop("mean_az") == ONE_G
    assert set(values.values()) == {0}


def test_mean_tells_the_tilt():
    tilted = np.zeros((128, 6), np.int16)
    tilted[:, 0] = -5793
    tilted[:, 2] = 5793
    values = numbers(tilted)
    assert (values["mean_ax"], values["mean_ay"], values["mean_az"]) == (-5793, 0, 5793)


def test_variance_of_a_swing():
    # One g of amplitude is 512 steps of 16 counts; a sine's variance is half its amplitude, squared.
    values = numbers(swinging(hz=6.25))
    assert values["variance_ax"] == pytest.approx(512 ** 2 / 2, rel=0.01)
    assert values["variance_ay"] == 0


def test_energy_of_a_turn():
    window = at_rest()
    window[:, 4] = 1600
    assert numbers(window)["energy_gyro"] == 100 ** 2


def test_zero_crossings_count_two_per_swing():
    assert numbers(swinging(hz=6.25))["zero_crossings"] == pytest.approx(2 * 6.25 * 1.28, abs=1)


def test_noise_does_not_cross_zero():
    window = at_rest()
    window += np.random.default_rng(0).integers(-400, 400, window.shape).astype(np.int16)
    assert numbers(window)["zero_crossings"] == 0


def test_range_and_jerk_of_a_step():
    window = at_rest()
    window[64:, 1] = 12700
    values = numbers(window)
    assert values["range"] == 12700
    assert values["jerk"] == 12700 // 127


@pytest.mark.parametrize("hz, band", [(2.0, "band_1_3hz"), (4.5, "band_3_6hz"), (9.0, "band_6_12hz"), (19.0, "band_12_25hz")])
def test_a_swing_is_strongest_in_its_band(hz, band):
    values = numbers(swinging(hz))
    bands = {name: value for name, value in values.items() if name.startswith("band")}
    assert max(bands, key=bands.get) == band


def test_compute_follows_the_kind():
    windows = np.stack([at_rest(), swinging(3)])
    np.testing.assert_array_equal(compute(windows, WAVEFORM), waveform(windows, WAVEFORM))
    np.testing.assert_array_equal(compute(windows, SUMMARY), summary(windows, SUMMARY))
    assert compute(windows, WAVEFORM).dtype == np.int8
    assert compute(windows, SUMMARY).dtype == np.int32


def test_no_windows_give_no_features():
    nothing = np.zeros((0, 128, 6), np.int16)
    assert waveform(nothing, WAVEFORM).shape == (0, 32, 6)
    assert summary(nothing, SUMMARY).shape == (0, 14)


def test_to_float_is_exact_and_only_for_int8():
    every = np.arange(-128, 128).astype(np.int8)
    np.testing.assert_array_equal(to_float(every) * 128, every)
    with pytest.raises(DataError, match="Expected int8 features.*found float64"):
        to_float(np.zeros(3))


def test_bad_windows_are_named():
    with pytest.raises(DataError, match="int16 sensor counts, found float64"):
        waveform(np.zeros((1, 128, 6)), WAVEFORM)
    with pytest.raises(DataError, match=r"shape \[N, 128, 6\].*found \[128, 6\].*x\[None\]"):
        summary(np.zeros((128, 6), np.int16), SUMMARY)
