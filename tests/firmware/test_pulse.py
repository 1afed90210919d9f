"""The pulse pipeline: known rates, reasons to be silent, small integers, the same on host and board."""

from array import array

import numpy as np
import pytest

from edgekit.recipes.heart import compare, follow
from edgekit.recording import Recording
from edgekit.signals.heart import load_sessions, make_session
from edgekit.twin import board_module

pulse = board_module("pulse")


def finger(bpm, seconds=14.0, dc=100_000, part=0.01, shake_g=0.0, shake_bpm=100.0):
    """A plain pulse, and a hand that may shake; light follows the pulse alone."""
    time_s = np.arange(round(100 * seconds)) / 100
    wave = np.maximum(0, np.sin(2 * np.pi * bpm / 60 * time_s)) ** 2
    ir = dc * (1 - part * wave)
    az = 1 + shake_g * np.sin(2 * np.pi * shake_bpm / 60 * time_s)
    zero = np.zeros_like(az)
    samples = np.rint(np.stack([ir / 8, zero, zero, az * 8192], axis=1)).astype(np.int16)
    return Recording(samples, 100.0, ("ir", "ax", "ay", "az"), ("counts", "g", "g", "g"), (8, 1 / 8192, 1 / 8192, 1 / 8192))


def said(recording, **limits):
    return [(reason, rate) for _, reason, rate, _ in follow(recording, pulse.Limits(**limits))]


@pytest.mark.parametrize("bpm", [45, 52, 60, 75, 90, 101, 120, 140, 163, 180])
def test_known_rates_within_one_beat_per_minute(bpm):
    found = said(finger(bpm))
    assert [reason for reason, _ in found] == [pulse.OK] * 3
    assert [rate for _, rate in found] == pytest.approx([bpm] * 3, abs=1)


def test_a_result_every_two_seconds_after_ten():
    assert [time_s for time_s, *_ in follow(finger(70, seconds=15))] == [10, 12, 14]


def test_blocks_of_any_size_and_after_start_it_is_as_new():
    recording = finger(80)
    ir, az = (recording.physical()[:, i] for i in (0, 3))
    light = array("i", [int(v) for pair in zip(0 * ir, np.rint(ir), strict=True) for v in pair])
    motion = array("h", [int(v) for z in np.rint(az * 8192) for v in (0, 0, z, 0, 0, 0)])
    expected = [tuple(measures) for *_, measures in follow(recording)]
    follower = pulse.Pulse()
    for size in (7, 20, 32):
        follower.start()
        found = []
        for i in range(0, len(recording), size):
            if follower.feed(light[2 * i:2 * (i + size)], motion[6 * i:6 * (i + size)]):
                found.append(tuple(follower.measures))
        assert found == expected, size


@pytest.mark.parametrize("reason, recording", [
    (pulse.NO_FINGER, finger(70, dc=4_000)),
    (pulse.TOO_BRIGHT, finger(70, dc=262_100)),
    (pulse.WEAK, finger(70, part=0.0004)),
    (pulse.SHAKEN, finger(70, shake_g=3.0, shake_bpm=290)),
    (pulse.STEPS, finger(70, shake_g=0.2, shake_bpm=70)),
    (pulse.STEPS, finger(70, shake_g=0.2, shake_bpm=140)),
])
def test_each_reason_to_be_silent(reason, recording):
    assert {found for found, _ in said(recording)} == {reason}
    assert {rate for _, rate in said(recording)} == {0}


def test_shaking_at_another_rate_does_not_silence_a_good_pulse():
    assert {reason for reason, _ in said(finger(70, shake_g=0.2, shake_bpm=110))} == {pulse.OK}


def test_a_heart_without_rhythm_is_not_given_a_number():
    reasons = [reason for reason, _ in said(make_session("irregular", "p02", duration_s=30).recording)]
    assert reasons.count(pulse.IRREGULAR) >= len(reasons) - 1


def test_noise_alone_is_no_pulse():
    rng = np.random.default_rng(0)
    samples = finger(70, part=0, seconds=60).samples.copy()
    samples[:, 0] += np.rint(rng.normal(0, 20, len(samples))).astype(np.int16)
    found = said(finger(70).with_(samples=samples))
    assert {reason for reason, _ in found} == {pulse.IRREGULAR}


def test_no_number_leaves_the_small_integers(monkeypatch):
    """On a board integers of 31 bits need no memory: the arrays bound what they hold, this bounds the products."""
    rng = np.random.default_rng(1)
    worst = []
    for _ in range(3):
        steps = rng.integers(0, 32768, (1500, 1)) * (rng.random((1500, 1)) < 0.5)
        samples = np.concatenate([steps, rng.choice([-32768, 32767], (1500, 3))], axis=1).astype(np.int16)
        recording = finger(70).with_(samples=samples)
        follower = pulse.Pulse(pulse.Limits(finger=0))
        for i in range(0, 1500, 20):
            light = array("i", (samples[i:i + 20, 0].astype(int) * 8).tolist())
            if follower.feed(light, array("h", samples[i:i + 20, 1:].ravel().tolist()), red=False):
                worst += [max(abs(v) for v in follower._band), max(follower._force), max(follower._rise), *follower.measures]
                shifted = [abs(v) for v in follower.wave]
                assert max(shifted) <= 512
        assert len(follow(recording)) == 3
    assert max(worst) < 2**30
    assert 1_000_000 * 1000 < 2**30 and 200 * 512 * 512 < 2**30 and (200 * 512 * 512 >> 10) * 1000 < 2**30


def test_it_allocates_nothing_in_use(board):
    board.install("heart")
    board.exec("""
import gc
from array import array
from pulse import Pulse
pulse = Pulse()
light, motion = array("i", [0, 90000] * 20), array("h", [0, 0, 8192, 0, 0, 0] * 20)
def loop(n):
    for _ in range(n):
        pulse.feed(light, motion)
def taken(n):
    gc.collect()
    before = gc.mem_alloc()
    loop(n)
    return gc.mem_alloc() - before
""")
    board.exec("loop(100)")
    assert board.eval("taken(200)") == board.eval("taken(20)") < 100


def test_the_board_says_what_the_host_says(board):
    walk = [session for session in load_sessions() if session.recording.subject == "p05"]
    compared, mismatches = compare(board, walk)
    assert (compared, mismatches) == (18, 0)
