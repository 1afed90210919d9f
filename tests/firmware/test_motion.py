"""Host and board compute the same features, to the last bit."""

import ast
import json
from array import array

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgekit.features import FeatureParams
from edgekit.features.motion import compute, summary_names
from edgekit.paths import FIRMWARE
from edgekit.twin import board_module

ALL_PARAMS = [
    FeatureParams(),
    FeatureParams(decimate=8, shift=11),
    FeatureParams(window=32, decimate=1, shift=8, channels=3),
    FeatureParams(kind="summary"),
    FeatureParams(kind="summary", window=64),
    FeatureParams(kind="summary", window=96, channels=3),
]

ids = [f"{p.kind}-{p.window}" for p in ALL_PARAMS]


def twin(windows, params):
    """Features of each window, computed by the board's file under CPython."""
    transform = board_module("motion").transform_for(json.loads(json.dumps(params.to_dict())))
    out = array("b" if params.kind == "waveform" else "i", bytes(transform.size * (1 if params.kind == "waveform" else 4)))
    rows = []
    for window in windows:
        transform.compute(array("h", window.tobytes()), out)
        rows.append(np.array(out))
    return np.array(rows).reshape(len(windows), *params.shape)


def hard_windows(params):
    """Random windows, small and large, and the extremes of int16 in patterns that make sums and squares largest."""
    rng = np.random.default_rng(1)
    shape = (params.window, params.channels)
    windows = [rng.integers(-size, size, shape) for size in (3, 500, 4000, 32768) for _ in range(5)]
    windows += [np.full(shape, value) for value in (-32768, 32767, -1, 0, 1)]
    for period in (1, 2, 4, 8, 16, 32):
        high = (np.arange(params.window) // period) % 2 == 0
        windows.append(np.where(high[:, None], np.full(shape, 32767), -32768))
    return np.array(windows).astype(np.int16)


@pytest.mark.parametrize("params", ALL_PARAMS, ids=ids)
def test_twin_equals_host_on_hard_windows(params):
    windows = hard_windows(params)
    np.testing.assert_array_equal(twin(windows, params), compute(windows, params))


@pytest.mark.parametrize("params", ALL_PARAMS, ids=ids)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_twin_equals_host_on_any_window(params, data):
    windows = data.draw(arrays(np.int16, (1, params.window, params.channels)))
    np.testing.assert_array_equal(twin(windows, params), compute(windows, params))


def test_sums_of_squares_stay_in_a_small_integer():
    # 31 bits: what MicroPython keeps in a register. The worst case is half the samples at each end of the range.
    worst = np.where(np.arange(128) % 2, 32767, -32768)
    q = (worst - worst.sum() // 128 + 8) >> 4
    assert (q ** 2).sum() < 2 ** 30


def test_wrong_sizes_are_named():
    waveform = board_module("motion").Waveform(FeatureParams().to_dict())
    with pytest.raises(ValueError, match="window of 768 values was expected, 6 found"):
        waveform.compute(array("h", bytes(12)), array("b", bytes(192)))
    with pytest.raises(ValueError, match="room for 192 features was expected, 4 found"):
        waveform.compute(array("h", bytes(2 * 768)), array("b", bytes(4)))


@pytest.mark.parametrize("params", [FeatureParams(kind="summary"), FeatureParams(kind="summary", rate_hz=50, channels=3)])
def test_names_are_those_of_the_host(params):
    assert board_module("motion").Summary(params.to_dict()).names() == summary_names(params)


def test_unknown_kind_is_named():
    with pytest.raises(ValueError, match="features of kind 'mfcc'; this board knows waveform and summary"):
        board_module("motion").transform_for({"kind": "mfcc"})


@pytest.fixture(scope="module")
def board():
    import edgekit

    with edgekit.connect("sim") as board:
        board.put(FIRMWARE / "lib" / "motion.py", "/lib/motion.py")
        yield board


@pytest.mark.parametrize("params", ALL_PARAMS, ids=ids)
def test_board_equals_host(params, board):
    code = "b" if params.kind == "waveform" else "i"
    board.exec("from array import array\nfrom motion import transform_for\n"
               f"transform = transform_for({params.to_dict()!r})\n"
               f"out = array({code!r}, [0] * transform.size)\n")
    windows = hard_windows(params)[::4]
    for window, expected in zip(windows, compute(windows, params), strict=True):
        found = board.exec(f"print(list(transform.compute(array('h', {window.ravel().tolist()}), out)))")
        assert ast.literal_eval(found) == expected.ravel().tolist()
