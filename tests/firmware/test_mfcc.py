"""Host, MicroPython and C compute the same features of sound, to the last bit."""

import functools
import re
from array import array

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.features import AudioParams
from edgekit.features.mfcc import log_mel_db, mfcc, tables
from edgekit.native import Wasm
from edgekit.paths import FIRMWARE
from edgekit.twin import board_module

PARAMS = AudioParams(frames=5)
ALL_PARAMS = [
    PARAMS,
    AudioParams(window=256, hop=128, fft=256, mel_bands=20, mel_scale="htk", frames=3),
    AudioParams(window=1000, hop=999, fft=1024, mel_bands=64, coefficients=20, shift=-2, frames=2),
    AudioParams(rate_hz=8000, window=31, hop=31, fft=32, mel_bands=4, coefficients=4, low_hz=0, high_hz=3999, frames=1),
]
ids = [f"{p.fft}-{p.window}" for p in ALL_PARAMS]


def host(sound, params):
    """Features after each hop, by numpy and by the C of a batch: before the sound there was silence."""
    whole = np.concatenate([np.zeros(params.window - params.hop, np.int16), sound])
    features = mfcc(whole, params, kernels="python")
    np.testing.assert_array_equal(mfcc(whole, params), features)
    return features


def stream(sound, extractor):
    """Features after each hop, by the board's file."""
    extractor.reset()
    rows = []
    for hop in sound.reshape(-1, extractor.hop):
        features = extractor.push(array("h", hop.tobytes()))
        rows.append(np.array(features)[-extractor.coefficients:])
    return np.array(rows)


@pytest.fixture(scope="module")
def extractor():
    """The board's `Mfcc` on this computer, made once for each of its parameters."""
    @functools.cache
    def make(params, in_c):
        return board_module("mfcc").Mfcc(params.to_dict(), tables(params), kernels=Wasm("mfcc") if in_c else False)

    yield make
    make.cache_clear()      # WebAssembly ends before the interpreter does


def sounds(params, hops):
    """Sound that is hard on integers: nothing, full scale, one sample, a constant, sweeps, noise of every loudness."""
    size = params.hop * hops
    time = np.arange(size)
    level = st.sampled_from([1, 2, 100, 5000, 32767, 40000])
    shapes = st.one_of(
        st.just(np.zeros(size)),
        st.just(np.full(size, -32768)),
        st.integers(-32768, 32767).map(lambda value: np.full(size, value)),
        st.integers(1, 200).map(lambda period: np.where(time // period % 2, 32767, -32768)),
        st.tuples(st.integers(0, size - 1), st.integers(-32768, 32767)).map(lambda at: np.where(time == at[0], at[1], 0)),
        st.tuples(level, st.floats(0, 1), st.floats(-1, 1)).map(
            lambda c: c[0] * np.cos(np.pi * time * (c[1] + c[2] * time / size))),
        st.tuples(level, st.integers(0, 2 ** 32 - 1)).map(
            lambda n: n[0] * np.random.default_rng(n[1]).standard_normal(size)),
        st.integers(0, 2 ** 32 - 1).map(lambda seed: np.random.default_rng(seed).choice([-32768, 32767], size)))
    return shapes.map(lambda x: np.clip(np.rint(x), -32768, 32767).astype(np.int16))


@pytest.mark.parametrize("params", ALL_PARAMS, ids=ids)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_twin_equals_host(params, extractor, data):
    sound = data.draw(sounds(params, hops=3))
    np.testing.assert_array_equal(stream(sound, extractor(params, in_c=False)), host(sound, params))


@pytest.mark.parametrize("params", ALL_PARAMS, ids=ids)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_c_equals_host(params, extractor, data):
    sound = data.draw(sounds(params, hops=20))
    np.testing.assert_array_equal(stream(sound, extractor(params, in_c=True)), host(sound, params))


@pytest.mark.parametrize("in_c", [False, True])
def test_features_are_the_last_frames_in_order(in_c, extractor):
    sound = np.random.default_rng(0).integers(-3000, 3000, 8 * PARAMS.hop).astype(np.int16)
    expected = host(sound, PARAMS)
    silence = mfcc(np.zeros(PARAMS.window, np.int16), PARAMS)
    one = extractor(PARAMS, in_c)
    one.reset()
    assert one.heard == 0
    np.testing.assert_array_equal(np.array(one.features).reshape(PARAMS.shape), np.repeat(silence, 5, axis=0))
    for i, hop in enumerate(sound.reshape(8, -1)):
        one.push(array("h", hop.tobytes()))
        assert one.heard == min(i + 1, 5)
        rows = np.concatenate([np.repeat(silence, 5, axis=0), expected[:i + 1]])[-5:]
        np.testing.assert_array_equal(np.array(one.features).reshape(PARAMS.shape), rows)


def test_features_go_where_they_are_wanted():
    out = memoryview(array("b", bytes(50)))
    one = board_module("mfcc").Mfcc(PARAMS.to_dict(), tables(PARAMS), out=out, kernels=False)
    one.push(array("h", [1000] * 320))
    assert out[40:].tolist() == list(one.features[40:]) != [0] * 10


def test_what_does_not_belong_together_is_named(tmp_path):
    make = board_module("mfcc").Mfcc
    values, data = PARAMS.to_dict(), tables(PARAMS)
    path = tmp_path / "mfcc.bin"
    path.write_bytes(data)
    make(values, str(path), kernels=False)
    damaged = bytearray(data)
    damaged[3000] ^= 1
    for change, content, message in (
            ({"hop": 160}, data, "mfcc.bin was made for hop 320, the parameters say 160; make both from one AudioParams"),
            ({"mel_scale": "htk"}, data, "mfcc.bin was made for mel_scale slaney, the parameters say htk"),
            ({"kind": "waveform"}, data, "features of kind 'waveform'; these are mfcc"),
            ({}, data[:-2], r"mfcc.bin has \d+ bytes, \d+ were expected; copy it again"),
            ({}, bytes(damaged), "mfcc.bin is damaged; copy it again"),
            ({}, b"RIFF" + data[4:], "no tables of MFCC"), ({}, b"", "no tables of MFCC")):
        with pytest.raises(ValueError, match=message):
            make({**values, **change}, content, kernels=False)
    with pytest.raises(ValueError, match="room for 50 features was expected, 49 found"):
        make(values, data, out=array("b", bytes(49)))
    with pytest.raises(ValueError, match="the features are int8"):
        make(values, data, out=bytearray(50))
    with pytest.raises(ValueError, match="a hop of 320 samples was expected, 160 found"):
        make(values, data, kernels=False).push(array("h", bytes(320)))


def test_the_header_has_one_order():
    source = (FIRMWARE / "native" / "mfcc.h").read_text(encoding="utf-8")
    header = re.search(r"enum \{([^}]*HEADER)", source)[1]
    names = [name.strip().lower() for name in header.split(",")]
    board = board_module("mfcc")
    checked = tuple("mel_bands" if name == "bands" else name for name in names[3:-4])
    assert checked == board._CHECKED
    assert names[:3] + names[-4:] == ["magic", "bytes", "check", "turns", "weights", "dct_shift", "header"]
    assert board._HEADER == len(names) - 1


_COUNT = """
import gc
from array import array
from mfcc import Mfcc

def features_of(extractor, sound):
    rows = []
    for i in range(0, len(sound), 2 * extractor.hop):
        extractor.push(array("h", sound[i:i + 2 * extractor.hop]))
        rows += extractor.features[-extractor.coefficients:]
    return rows

def taken(extractor, hop):
    gc.collect()
    before = gc.mem_alloc()
    for _ in range(3):
        extractor.push(hop)
    return gc.mem_alloc() - before
"""


@pytest.fixture(scope="module")
def listening(board):
    for name in ("fft.py", "mfcc.py"):
        board.put(FIRMWARE / "lib" / name, f"/lib/{name}")
    board.exec(_COUNT)
    return board


@pytest.mark.parametrize("kernels", [None, False], ids=["C", "Python"])
@pytest.mark.parametrize("params", ALL_PARAMS, ids=ids)
def test_board_equals_host(params, kernels, listening):
    rng = np.random.default_rng(0)
    hops = 4
    sound = np.concatenate([rng.choice([-32768, 32767], hops * params.hop), rng.normal(0, 300, hops * params.hop),
                            np.arange(hops * params.hop) // 60 % 2 * 65535 - 32768]).astype(np.int16)
    listening.put(tables(params), "/mfcc.bin")
    listening.exec(f"one = Mfcc({params.to_dict()!r}, '/mfcc.bin', kernels={kernels})")
    found = listening.eval(f"features_of(one, {sound.tobytes()!r})")
    np.testing.assert_array_equal(np.reshape(found, (-1, params.coefficients)), host(sound, params))
    # The last hop again, full scale: nothing is allocated.
    listening.exec(f"hop = array('h', {sound[-params.hop:].tobytes()!r})")
    assert listening.eval("taken(one, hop)") == 0


@pytest.mark.parametrize("params", ALL_PARAMS, ids=ids)
def test_sums_stay_in_a_small_integer(params, extractor):
    """31 bits: what MicroPython keeps in a register."""
    one = extractor(params, in_c=False)
    bands = np.split(np.array(one._weights), np.cumsum(one._counts)[:-1])
    assert max(band.sum() for band in bands) < 2 ** 15      # times 15 bits of power
    # The loudest sound: a constant or a square wave of full scale.
    square = np.where(np.arange(params.window) // 20 % 2, 32767, -32768)
    loudest = log_mel_db(np.stack([square, np.full(params.window, -32768)]).astype(np.int16), params).max()
    matrix = np.abs(np.reshape(one._matrix, (params.coefficients, -1)).astype(int)).sum(axis=1)
    assert (matrix * (loudest - params.floor_db) * 512 / 3.01 + np.abs(one._biases)).max() < 2 ** 30
