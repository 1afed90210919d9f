"""The board's fall features: equal on computer and board to the bit, small integers, no memory in the loop."""

import math

import numpy as np
import pytest

from edgekit.board.simulated import SimulatedBoard
from edgekit.errors import DataError
from edgekit.features.falls import NAMES, EventParams, count_above, events, squeeze
from edgekit.features.params import load_params
from edgekit.signals.falls import KINDS, UNFAIR, make_event
from edgekit.twin import board_module

board_falls = board_module("falls")


def one_by_one(recording):
    detector = board_falls.Detector()
    found = []
    for i, (x, y, z) in enumerate(recording.samples[:, :3].tolist()):
        if detector.update(x, y, z):
            found.append((i - board_falls.AFTER, list(detector.values), list(detector.features)))
    return found


def test_the_fast_way_is_the_board_s_way():
    count = 0
    for kind in KINDS + UNFAIR:
        recording = make_event(kind, "p150", gyro=False, duration_s=12)
        peaks, values, features = events(recording)
        found = one_by_one(recording)
        assert [peak for peak, _, _ in found] == peaks.tolist(), kind
        assert [row for _, row, _ in found] == values.tolist()
        assert [row for _, _, row in found] == features.tolist() == squeeze(values).tolist()
        count += len(found)
    assert count >= 12


def test_the_root_is_exact():
    for n in [*range(2000), 2**24 - 1, 2**24, 3 * 2**24, 2**30 - 1, 7094**2 - 1]:
        assert board_falls._root(n) == math.isqrt(n)


def test_numbers_stay_small():
    """Samples that are as large as they can be: on a board an integer from 2**30 on would take memory."""
    rng = np.random.default_rng(0)
    samples = rng.choice(np.array([-32768, 32767], np.int16), (600, 3))
    detector = board_falls.Detector()
    for x, y, z in samples.tolist():
        detector.update(x, y, z)
    detector._describe()
    assert all(abs(value) < 2**30 for value in detector.values)
    # The largest intermediate: a magnitude squared, a dot product, a sum over a window.
    assert 3 * 4096**2 < 2**30 and (4096 * 2) ** 2 * 3 < 2**30 and 51 * 3 * 65535 << 4 < 2**30
    assert max(high - low for _, low, high in board_falls.FEATURES) * 256 < 2**30


def test_what_the_numbers_say():
    def values(kind, **more):
        rows = [events(make_event(kind, f"p{i}", gyro=False, duration_s=12))[1] for i in range(160, 168)]
        return {name: np.median(np.concatenate(rows)[:, i]) for i, name in enumerate(NAMES)}
    fall, jump, hard, dropped = map(values, ("fall_forward", "jump", "sit_hard", "drop_device"))
    assert fall["tilt"] > 128 > hard["tilt"] and jump["tilt"] < 20          # 128 is 60 degrees
    assert fall["lost"] > hard["lost"]
    assert dropped["weightless"] > fall["weightless"] and dropped["lightest"] < 26
    assert fall["lightest"] < hard["lightest"]


def test_a_restart_forgets():
    recording = make_event("fall_backward", "p151", gyro=False, duration_s=12)
    (peak, _, _), = one_by_one(recording)
    detector = board_falls.Detector()
    for i, row in enumerate(recording.samples.tolist()):
        if i == peak + 20:
            detector.restart()
        assert not detector.update(*row), "the blow is forgotten, and what follows is weaker"


def test_trigger_and_parameters_are_checked(tmp_path):
    with pytest.raises(ValueError, match="trigger_mg is 900, expected 1001 to 16000"):
        board_falls.Detector(900)
    with pytest.raises(DataError, match="rate_hz is 100; the features of falls are made for 50"):
        EventParams(rate_hz=100)
    with pytest.raises(DataError, match="trigger_mg is 99999"):
        EventParams(trigger_mg=99999)
    EventParams().save(tmp_path / "fall.json")
    assert load_params(tmp_path / "fall.json") == EventParams()


def test_the_naive_rule_counts_alarms():
    alarms = count_above(make_event("fall_backward", "p152", gyro=False), limit_g=3)
    assert len(alarms) == 1 and 2.5 < alarms[0] < 3.5


@pytest.fixture(scope="module")
def board():
    with SimulatedBoard() as board:
        board.put(__import__("pathlib").Path(board_falls.__file__), "/lib/falls.py")
        yield board


_RUN = """
import gc
from array import array
from falls import Detector
detector = Detector()
samples = array("h", open("/samples.bin", "rb").read())

def run(first, stop):
    found = []
    for i in range(first, stop):
        if detector.update(samples[3 * i], samples[3 * i + 1], samples[3 * i + 2]):
            found.append((i, list(detector.values), list(detector.features)))
    return found

def taken(first, stop):
    gc.collect()
    before = gc.mem_alloc()
    for i in range(first, stop):
        detector.update(samples[3 * i], samples[3 * i + 1], samples[3 * i + 2])
    return gc.mem_alloc() - before
"""


def test_the_board_says_the_same_and_takes_no_memory(board):
    samples = np.concatenate([make_event(kind, "p153", gyro=False, duration_s=8).samples for kind in
                              ("walk", "fall_forward", "sit_hard", "drop_device", "faint_along_wall")])
    board.put(samples.astype("<i2").tobytes(), "/samples.bin")
    board.exec(_RUN)
    detector = board_falls.Detector()
    expected = [(i, list(detector.values), list(detector.features)) for i, row in enumerate(samples.tolist())
                if detector.update(*row)]
    assert len(expected) >= 3
    assert board.eval(f"run(0, {len(samples)})") == expected
    board.exec("detector.restart()")
    # What a first call takes may stay; more calls take no more, events included.
    few, many = board.eval("taken(0, 10)"), board.eval(f"taken(10, {len(samples)})")
    assert many <= few + 64
