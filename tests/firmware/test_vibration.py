"""Spectrum, orders and envelope: the board, its twin on the host and the batch in numpy say the same, to the bit."""

from array import array

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.errors import DataError
from edgekit.features import vibration as features
from edgekit.paths import FIRMWARE
from edgekit.signals.vibration import machine, make_recording
from edgekit.twin import board_module

fft = board_module("fft")
PLATE = features.plate("m34")


def measured(fault, name="m34", load=0.6, severity=1.0):
    return make_recording(fault, name, load, severity).samples[:, 0]


# ---- the spectrum

@pytest.mark.parametrize("size", [16, 32, 128, 1024, 2048])
def test_tables_are_rounded_right(size):
    one = fft.Spectrum(size)
    k = np.arange(size // 4 + 1)
    np.testing.assert_array_equal(one._cosines[-len(k):], np.rint(8192 * np.cos(2 * np.pi * k / size)))
    np.testing.assert_array_equal(one._sines[-len(k):], np.rint(8192 * np.sin(2 * np.pi * k / size)))
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size // 2 + 1) / size)
    np.testing.assert_array_equal(one._window, np.rint(16384 * hann))


@pytest.mark.parametrize("size", [16, 64, 1024, 2048])
@pytest.mark.parametrize("level", [3, 300, 30000])
def test_spectrum_is_numpys(size, level):
    samples = np.random.default_rng(size).integers(-level, level, size).astype(np.int16)
    one = fft.Spectrum(size)
    exponent = one.compute(array("h", samples.tobytes()))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    expected = np.abs(np.fft.rfft((samples - samples.sum() // size) * window))[1:-1]
    found = np.sqrt(np.array(one.power)[1:] * 2.0 ** (2 * exponent - 30))
    assert np.abs(found - expected).max() < 2e-3 * expected.max()
    if level == 300:
        power, exponents = features.spectrum(samples[None])
        assert exponents[0] == exponent and power[0].tolist() == list(one.power)


def test_sizes_that_cannot_be():
    with pytest.raises(ValueError, match="size is 100, expected a power of two from 16 on"):
        fft.Spectrum(100)
    with pytest.raises(ValueError, match="room has 8 bins, expected at least 16"):
        fft.Spectrum(32, room=fft.Spectrum(16))
    with pytest.raises(ValueError, match="16 samples were expected, 3 found"):
        fft.Spectrum(16).compute(array("h", [1, 2, 3]))


# ---- the features

@settings(max_examples=12, deadline=None)
@given(st.data())
def test_the_twin_equals_the_batch(data):
    shape = data.draw(st.sampled_from(["noise", "square", "constant", "knock", "sine"]))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    time = np.arange(features.SAMPLES)
    level = data.draw(st.sampled_from([0, 1, 20, 3000, 40000]))
    x = {"noise": level * rng.standard_normal(len(time)), "square": level * (time // 7 % 2), "constant": np.full(len(time), -level),
         "knock": level * (time == 700), "sine": level * np.sin(rng.uniform(0, 3) * time)}[shape]
    x = np.clip(np.rint(x), -32768, 32767).astype(np.int16)[None]
    np.testing.assert_array_equal(features.features(x, [PLATE]), features.board_features(x, [PLATE]))


def test_no_step_leaves_31_bits(monkeypatch):
    """The largest values there are: full scale, as fast as can be. (array("i") would refuse 32 bits; this asks for 31.)"""
    twin = features.twin(PLATE)
    seen = []
    module = board_module("vibration")
    log = module._log
    monkeypatch.setattr(module, "_log", lambda value: seen.append(value) or log(value))
    for x in (np.arange(2048) % 2 * 65535 - 32768, np.arange(2048) // 2 % 2 * 65535 - 32768):
        twin.compute(array("h", x.astype(np.int16).tobytes()))
    assert max(seen) < 2**30


def test_the_shaft_is_found_and_a_tacho_is_believed():
    one = machine("m34")
    twin = features.twin(PLATE)
    twin.compute(array("h", measured("imbalance").tobytes()))
    expected = one.shaft_hz(0.6) / one.clock * 2048 / 1667 * 64
    assert abs(twin.shaft - expected) < 16                  # a quarter of a bin: 0.2 Hz
    twin.compute(array("h", measured("healthy").tobytes()), shaft_mhz=24321)
    assert twin.shaft == pytest.approx(24.321 * 2048 / 1667 * 64, abs=1)


@pytest.mark.parametrize("fault, name", [("imbalance", "order_1"), ("misalignment", "order_2"), ("looseness", "comb"),
                                         ("outer", "outer"), ("inner", "inner"), ("ball", "ball"), ("cage", "cage")])
def test_each_fault_lifts_its_own_feature(fault, name):
    rows = features.features(np.stack([measured("healthy"), measured(fault)]), [PLATE] * 2)
    healthy, hurt = (dict(zip(features.NAMES, row.tolist(), strict=True)) for row in rows)
    assert hurt[name] > healthy[name] + 90                  # 4 dB


def test_a_fault_lifts_more_than_the_load_does():
    plate = features.plate("m35")
    rows = features.features(np.stack([measured("healthy", "m35", 0.1), measured("healthy", "m35", 1.0), measured("outer", "m35", 0.1)]),
                             [plate] * 3).astype(int)
    outer, floor = features.NAMES.index("outer"), features.NAMES.index("floor_high")
    by_load, by_fault = rows[1] - rows[0], rows[2] - rows[0]
    assert by_fault[outer] > 3 * abs(by_load[outer])        # the line over the floor: the fault
    assert by_load[floor] > 200                             # the floor itself: the load


def test_plates_and_samples_that_cannot_be():
    with pytest.raises(DataError, match="the shaft turns with 25000 to 24000 mHz: expected low below high"):
        features.twin({**PLATE, "low_mhz": 25000, "high_mhz": 24000})
    with pytest.raises(DataError, match="the plate has 1 orders, expected 4"):
        features.twin({**PLATE, "orders": [3000]})
    with pytest.raises(DataError, match="Expected measurements as int16"):
        features.features(np.zeros((1, 100), np.int16), [PLATE])
    with pytest.raises(DataError, match="1 measurements and 2 plates"):
        features.features(np.zeros((1, 2048), np.int16), [PLATE] * 2)


# ---- on the board

def test_the_board_equals_the_host_and_takes_no_memory(board):
    for name in ("fft.py", "vibration.py"):
        board.put(FIRMWARE / "lib" / name, f"/lib/{name}")
    board.exec(f"""
import gc
from array import array
from vibration import Vibration
one = Vibration({PLATE!r})
def features_of(data):
    return list(one.compute(array("h", data)))
def taken(samples):
    one.compute(samples)
    before = gc.mem_alloc()
    one.compute(samples)
    return gc.mem_alloc() - before
""")
    rows = np.stack([measured("healthy"), measured("inner"), measured("looseness"), np.random.default_rng(0).choice(
        [-32768, 32767], 2048).astype(np.int16)])
    expected = features.features(rows, [PLATE] * len(rows))
    for row, values in zip(rows, expected, strict=True):
        assert board.eval(f"features_of({row.tobytes()!r})") == values.tolist()
    assert board.eval(f"taken(array('h', {rows[1].tobytes()!r}))") < 100
