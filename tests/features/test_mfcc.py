"""MFCC in floats against librosa, in integers against the floats; what is refused. Equality with the board: tests/firmware."""

import hashlib
import runpy
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.board.profiles import PROFILES
from edgekit.errors import DataError
from edgekit.features import AudioParams, FeatureParams, load_params
from edgekit.features.mfcc import (
    dct_matrix,
    frames,
    hann,
    log_mel_db,
    mel_bank,
    mfcc,
    mfcc_float,
    tables,
    to_db,
)
from edgekit.paths import ROOT

PARAMS = AudioParams()
OTHERS = [AudioParams(window=256, hop=128, fft=256, mel_bands=20, mel_scale="htk"),
          AudioParams(window=1000, hop=500, fft=1024, mel_bands=64, coefficients=13, high_hz=4000, first_shift=2,
                      first_offset=-300),
          AudioParams(rate_hz=8000, window=200, hop=80, fft=512, mel_bands=23, coefficients=12, low_hz=60, high_hz=3800)]
ALL_PARAMS = [PARAMS, *OTHERS]
GOLDEN = [64, 28, 5, 7, 6, 2, 1, 2, -1, 0]
TABLES_SHA256 = "975491ba12c7de402c2f78566a58ef34c86f45e2aa1eab3146b7b9532ce77b23"
ids = [f"{p.fft}-{p.mel_bands}-{p.mel_scale}" for p in ALL_PARAMS]


def noise(params, size, seed=0, clips=1):
    """Noise that falls with frequency, as rooms and voices do, and a tone in it."""
    rng = np.random.default_rng(seed)
    bins = params.samples // 2 + 1
    tilt = 1 / np.sqrt(np.arange(1, bins + 1))
    x = np.fft.irfft(np.fft.rfft(rng.standard_normal((clips, params.samples))) * tilt, params.samples)
    x = size * x / x.std(axis=1, keepdims=True) + size * np.sin(0.3 * np.arange(params.samples))
    return np.clip(np.rint(x), -32768, 32767).astype(np.int16)


def librosa_settings(params):
    return dict(sr=params.rate_hz, n_fft=params.fft, win_length=params.window, hop_length=params.hop,
                n_mels=params.mel_bands, fmin=params.low_hz, fmax=params.high_hz, htk=params.mel_scale == "htk", center=False)


def padded(clip, params):
    """librosa puts a short window into the middle of its FFT: more samples on both sides give the same frames."""
    missing = params.fft - params.window
    return np.pad(clip / 32768, [(0, 0)] * (clip.ndim - 1) + [(missing // 2, missing - missing // 2)])


def librosa_mfcc(clip, params):
    import librosa

    return librosa.feature.mfcc(y=padded(clip, params), n_mfcc=params.coefficients, **librosa_settings(params)).swapaxes(-1, -2)


def librosa_without_top_db(clip, params):
    """(log mel, MFCC) as librosa makes them step by step."""
    import librosa

    mel = librosa.feature.melspectrogram(y=padded(clip, params), **librosa_settings(params))
    log_mel = librosa.power_to_db(mel, amin=10.0 ** (params.floor_db / 10), top_db=None)
    return log_mel.T, librosa.feature.mfcc(S=log_mel, n_mfcc=params.coefficients).T


@pytest.mark.parametrize("params", ALL_PARAMS, ids=ids)
def test_floats_equal_librosa(params):
    for clip in (*noise(params, 3000), *noise(params, 2), np.zeros(params.samples, np.int16)):
        np.testing.assert_allclose(mfcc_float(clip, params), librosa_mfcc(clip, params), atol=1e-3)


def test_top_db_is_of_each_clip():
    loud, quiet = noise(PARAMS, 8000)[0], noise(PARAMS, 1)[0]
    quiet[:8000] = 0
    both = mfcc_float(np.stack([loud, quiet]), PARAMS)
    np.testing.assert_allclose(both[1], librosa_mfcc(quiet, PARAMS), atol=1e-3)
    # The trap: librosa takes the largest value of the whole batch, and the loud clip lifts the floor of the quiet one.
    assert np.abs(librosa_mfcc(np.stack([loud, quiet]), PARAMS)[1] - both[1]).max() > 50


@pytest.mark.parametrize("params", ALL_PARAMS, ids=ids)
@pytest.mark.parametrize("size", [3, 30, 3000])
def test_integers_are_near_librosa(params, size):
    """The independent anchor: sound of -80 to -20 dB, nothing turns it up before. Figures: docs/mfcc.md."""
    clip = noise(params, size, seed=size)[0]
    log_mel, reference = librosa_without_top_db(clip, params)
    difference = log_mel_db(clip, params) - log_mel
    assert np.sqrt((difference ** 2).mean()) < 0.05
    assert np.abs(difference).max() < 0.6
    step = np.where(np.arange(params.coefficients) == 0, 2.0 ** params.first_shift, 2.0 ** params.shift)
    steps_off = np.abs(to_db(mfcc(clip, params), params) - reference) / step
    assert np.sqrt((steps_off ** 2).mean()) < 0.32      # 0.29 is the rounding to int8
    assert steps_off.max() < 1.3                        # and 0.5 its most


def test_a_golden_frame():
    """One frame, written down: whoever changes a bit of the definition changes the models that were trained with it."""
    state, sound = 1, []
    for i in range(PARAMS.window):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        sound.append((state >> 20) - 1024 + (i % 60) * 100)
    frame = np.array(sound, np.int16)
    assert mfcc(frame, PARAMS).tolist() == [GOLDEN]
    assert np.abs(to_db(np.array([GOLDEN]), PARAMS) - librosa_without_top_db(frame, PARAMS)[1]).max() < 1.1
    assert hashlib.sha256(tables(PARAMS)).hexdigest() == TABLES_SHA256


def test_tables_are_the_same_on_every_computer():
    """No real number that the tables round is so near to a half that another libm could round it the other way."""
    n = np.arange(3 * PARAMS.fft // 4)
    real = [hann(PARAMS) * 32768, np.cos(2 * np.pi * n / PARAMS.fft) * 8192, np.sin(2 * np.pi * n / PARAMS.fft) * 8192,
            np.log2(1 + np.arange(65) / 64) * 32768]
    for values in real:
        assert np.abs(values - np.floor(values) - 0.5).min() > 1e-6


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_batch_is_its_clips_and_a_stream_its_frames(data):
    params = data.draw(st.sampled_from(ALL_PARAMS))
    clips = noise(params, 500, seed=data.draw(st.integers(0, 99)), clips=data.draw(st.integers(1, 30)))
    clips = clips[:, :data.draw(st.integers(params.window, params.samples))]
    batch = mfcc(clips, params)
    np.testing.assert_array_equal(batch, mfcc(clips, params, kernels="python"))
    assert batch.shape == (len(clips), 1 + (clips.shape[1] - params.window) // params.hop, params.coefficients)
    one = data.draw(st.integers(0, len(clips) - 1))
    np.testing.assert_array_equal(mfcc(clips[one], params), batch[one])
    frame = data.draw(st.integers(0, batch.shape[1] - 1))
    np.testing.assert_array_equal(mfcc(frames(clips[one], params)[frame], params)[0], batch[one, frame])


def test_a_long_sound_is_cut_into_chunks():
    sound = np.tile(noise(PARAMS, 500)[0], 30)
    whole = mfcc(sound, PARAMS)
    np.testing.assert_array_equal(whole, mfcc(sound, PARAMS, kernels="python"))
    assert whole.shape == (1 + (len(sound) - 480) // 320, 10)
    both = mfcc(np.stack([sound, -sound]), PARAMS)
    np.testing.assert_array_equal(both[0], whole)
    np.testing.assert_array_equal(both[1], mfcc(-sound, PARAMS))
    for start in (0, 511, 512, 1024, len(whole) - 1):
        np.testing.assert_array_equal(whole[start], mfcc(sound[start * 320:start * 320 + 480], PARAMS)[0])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2 ** 32 - 1), st.integers(0, 4))
def test_twice_as_loud_is_six_db_more(seed, doublings):
    """The block scale: how loud the sound is changes its first coefficient and nothing else, down to a few counts."""
    rng = np.random.default_rng(seed)
    sound = rng.integers(-1000, 1000, PARAMS.window).astype(np.int16)
    quiet, loud = log_mel_db(np.stack([sound, sound << doublings]), PARAMS)
    np.testing.assert_array_equal(np.round((loud - quiet) * 512 / 3.0103), np.full((1, 40), doublings * 1024))


def test_floats_of_a_batch_are_those_of_its_clips():
    clips = noise(PARAMS, 500, clips=70)[:, :1000]
    np.testing.assert_array_equal(mfcc_float(clips, PARAMS), [mfcc_float(clip, PARAMS) for clip in clips])


def test_many_short_clips():
    clips = np.random.default_rng(0).integers(-3000, 3000, (1100, PARAMS.window + PARAMS.hop - 1)).astype(np.int16)
    features = mfcc(clips, PARAMS)
    assert features.shape == (1100, 1, 10)
    np.testing.assert_array_equal(features, mfcc(clips, PARAMS, kernels="python"))


def test_silence_is_the_floor():
    assert (log_mel_db(np.zeros(480, np.int16), PARAMS) == PARAMS.floor_db).all()
    assert mfcc(np.zeros(480, np.int16), PARAMS).tolist() == [[-128] + [0] * 9]


def test_no_clips_give_no_features():
    assert mfcc(np.zeros((0, PARAMS.samples), np.int16), PARAMS).shape == (0, 49, 10)


def test_the_steps_are_what_they_are_called():
    import librosa
    import scipy

    np.testing.assert_allclose(hann(PARAMS), scipy.signal.get_window("hann", 480), atol=1e-12)
    np.testing.assert_allclose(dct_matrix(PARAMS), scipy.fft.dct(np.eye(40), norm="ortho", axis=0)[:10], atol=1e-12)
    np.testing.assert_allclose(mel_bank(PARAMS), librosa.filters.mel(
        sr=16000, n_fft=512, n_mels=40, fmin=20, fmax=8000, dtype=np.float64), atol=1e-12)


def test_bad_sound_is_named():
    with pytest.raises(DataError, match="sound of int16.*found float64.*np.round"):
        mfcc(np.zeros(16000), PARAMS)
    with pytest.raises(DataError, match="too short: 100 samples, and one window is 480 .30 ms.. A decision looks at 15840"):
        mfcc(np.zeros(100, np.int16), PARAMS)
    with pytest.raises(DataError, match=r"one channel; found \[2, 3, 4\]"):
        mfcc(np.zeros((2, 3, 4), np.int16), PARAMS)
    with pytest.raises(DataError, match="int16 .or float, full scale 1., found int32"):
        mfcc_float(np.zeros(16000, np.int32), PARAMS)
    with pytest.raises(DataError, match="kernels is 'c'; expected None or 'python'"):
        mfcc(np.zeros(16000, np.int16), PARAMS, kernels="c")


@pytest.mark.parametrize("change, message", [
    ({"kind": "waveform"}, "kind is 'waveform'; expected 'mfcc'"),
    ({"fft": 256}, "an fft of 256 points cannot hold a window of 480 samples; take an fft of 512"),
    ({"fft": 500}, "an fft of 500 points is not a power of two; take 512"),
    ({"mel_bands": 240}, r"mel band 1 of 240 \(32 to 57 Hz\) is empty: the bins of an fft of 512 are 31.2 Hz apart"),
    ({"hop": 481}, "hop is 481; expected 1 to 480 .a longer hop would leave samples"),
    ({"coefficients": 41}, "coefficients is 41; expected 1 to 40 .no more than mel_bands"),
    ({"high_hz": 8001}, "high_hz is 8001; expected 1 to 8000 .half of rate_hz"),
    ({"low_hz": 8001}, "low_hz is 8001; expected 0 to 8000"),
    ({"window": 480.0}, "window is 480.0; expected a whole number"),
    ({"mel_scale": "bark"}, "mel_scale is 'bark'; expected one of slaney, htk"),
])
def test_bad_params_are_named(change, message):
    with pytest.raises(DataError, match=message):
        AudioParams(**change)


def test_params_of_either_kind_are_loaded(tmp_path):
    for params in (AudioParams(hop=160, classes=("no", "yes")), FeatureParams(stride=16)):
        params.save(tmp_path / "features.json")
        assert load_params(tmp_path / "features.json") == load_params(params.to_dict()) == params
    with pytest.raises(DataError, match="AudioParams: parameter 'hop' is missing"):
        load_params({name: value for name, value in PARAMS.to_dict().items() if name != "hop"})
    with pytest.raises(DataError, match="expected an object of feature parameters"):
        (tmp_path / "list.json").write_text("[]")
        load_params(tmp_path / "list.json")


def test_a_frame_in_c_fits_a_hop_on_every_board():
    """Counted instructions, estimated time; and the parts of the benchmark that cost little."""
    benchmark = SimpleNamespace(**runpy.run_path(str(ROOT / "benchmarks" / "mfcc.py")))
    count = benchmark.instructions()
    assert count > sum(benchmark.multiplications().values())
    assert all(benchmark.frame_ms(profile, count) < 1000 * PARAMS.hop_s / 4 for profile in PROFILES.values())
    assert set(benchmark.speed(noise(PARAMS, 1000, clips=3), runs=1)) >= {"librosa, clip by clip", "integers, batch (mfcc)"}
    differences = benchmark.distance(noise(PARAMS, 1000, clips=3))
    assert np.sqrt((differences[0] ** 2).mean()) < 0.05
