"""Simulated falls and daily life: is it physics, the same every time, do people differ, and is it hard enough."""

import numpy as np
import pytest

from edgekit.dataset import load_dataset
from edgekit.errors import DataError
from edgekit.paths import DATASETS
from edgekit.recording import Recording
from edgekit.signals import falls
from edgekit.signals.falls import (
    FALLS,
    KINDS,
    PEOPLE,
    UNFAIR,
    is_fall,
    load_sisfall,
    make_day,
    make_event,
    person,
)

G = 9.80665


@pytest.fixture(scope="module")
def shipped():
    return load_dataset("falls")


def magnitude_g(recording):
    return np.linalg.norm(recording.physical()[:, :3], axis=1)


def test_the_shipped_set_is_rebuilt_bit_for_bit(tmp_path, shipped):
    made = falls.make_dataset(seed=0)
    assert made == shipped
    made.save(tmp_path / "falls.npz")
    assert (tmp_path / "falls.npz").read_bytes() == (DATASETS / "falls" / "falls.npz").read_bytes()
    assert (DATASETS / "falls" / "falls.npz").stat().st_size < 450_000


def test_size_and_datasheet(shipped):
    assert shipped.classes == tuple(sorted(KINDS)) and shipped.subjects == PEOPLE
    text = (DATASETS / "falls" / "README.md").read_text(encoding="utf-8")
    for fact in (f"{len(PEOPLE)} virtual people", f"{len(shipped)} recordings", "synthetic", "CC BY 4.0", *KINDS):
        assert fact in text, fact
    assert all(recording.source == "synthetic" and len(recording) == 370 for recording in shipped)


def test_same_arguments_same_samples_and_people_differ():
    assert make_event("faint", "p09", take=1) == make_event("faint", "p09", take=1)
    assert make_event("faint", "p09", take=1) != make_event("faint", "p09", take=2)
    ages = [person(f"p{i}").age for i in range(100, 160)]
    assert min(ages) < 30 and max(ages) > 80
    day = make_day("p120", day=1)
    again = make_day("p120", day=1)
    assert [clip.start_s for clip in day] == [clip.start_s for clip in again]
    assert all(one.recording == other.recording for one, other in zip(day, again, strict=True))


def test_standing_still_is_one_g():
    motion = falls._Motion(np.random.default_rng(0), person("p05"), 4.0)
    samples = motion.sense() * np.array(falls.SCALE)
    assert np.linalg.norm(samples[:, :3], axis=1).mean() == pytest.approx(1, abs=0.08)
    assert abs(samples[:, 3:].mean(axis=0) - person("p05").gyro_bias_dps).max() < 1


def test_what_falls_gathers_the_speed_that_the_floor_takes_away():
    """The area of the missing weight is the speed; so is the area of the impact. Nothing falls faster than freely."""
    motion = falls._Motion(np.random.default_rng(0), person("p05"), 6.0)
    motion.lose(3.0, 2.5, 0.3)
    assert motion.accel_m_s2[:, 2].min() >= -G
    assert motion.accel_m_s2[:, 2].sum() * falls._STEP_S == pytest.approx(-2.5, rel=0.01)
    motion.push(3.0, 2.5, 0.02, ring=0)
    assert abs(motion.accel_m_s2[:, 2].sum() * falls._STEP_S) < 0.05


def test_who_runs_keeps_his_weight_on_average():
    motion = falls._Motion(np.random.default_rng(1), person("p105"), 20.0)
    motion.jog(0, 20)
    assert abs(motion.accel_m_s2[:, 2].mean()) < 0.12 * G      # heel strikes come on top


def test_a_dropped_device_weighs_nothing_and_a_fallen_person_trembles():
    for take in range(3):
        dropped = magnitude_g(make_event("drop_device", "p07", take=take))
        assert dropped[:int(dropped.argmax())].min() < 0.15
        fallen = make_event("fall_backward", "p07", take=take)
        before = magnitude_g(fallen)[:fallen.samples.shape[0] // 2]
        assert before.min() > 0.0


def test_gravity_turns_with_the_trunk_as_the_gyroscope_says():
    motion = falls._Motion(np.random.default_rng(0), person("p06"), 4.0)
    motion.angle_rad[:, 1] = np.radians(40) * np.sin(2 * np.pi * 0.3 * motion.time_s)
    motion.worn[:] = 0
    values = motion.sense() * np.array(falls.SCALE)
    values[:, 3:] -= person("p06").gyro_bias_dps
    values[:, :3] -= person("p06").accel_bias_g
    up = values[:, :3] / np.linalg.norm(values[:, :3], axis=1)[:, None]
    turned = np.cumsum(-np.cross(np.radians(values[:, 3:]), up) / falls.RATE_HZ, axis=0)
    assert abs((up - up[0])[1:] - turned[:-1]).max() < 0.12


def test_more_than_three_g_is_no_fall():
    """The naive rule must fail both ways: daily life beyond 3 g, falls below it."""
    daily = [magnitude_g(make_event(kind, f"p{i}", gyro=False)).max()
             for kind in ("jump", "stumble", "sit_hard", "stairs_down", "knock") for i in range(100, 112)]
    assert np.mean(np.array(daily) > 3) > 0.3
    slow = [magnitude_g(make_event("faint_along_wall", f"p{i}", gyro=False)).max() for i in range(100, 124)]
    assert np.mean(np.array(slow) < 3) > 0.2


def test_a_day_is_a_day():
    clips = make_day("p130", falls=("faint", "fall_forward"))
    starts = [clip.start_s for clip in clips]
    stops = [clip.start_s + clip.recording.duration_s for clip in clips]
    assert starts == sorted(starts) and all(stop < start for stop, start in zip(stops, starts[1:], strict=False))
    assert starts[0] > 5 * 3600 and stops[-1] < 24 * 3600
    labels = [clip.label for clip in clips]
    assert labels.count("faint") == labels.count("fall_forward") == 1 and labels.count("sit") >= 18
    assert labels.index("faint") < labels.index("fall_forward")
    assert not set(labels) - set(KINDS) and clips[0].recording.channels == ("ax", "ay", "az")


def test_kinds():
    assert {kind for kind in KINDS + UNFAIR if is_fall(kind)} == set(FALLS) | set(UNFAIR)
    for kind in UNFAIR:
        assert make_event(kind, "p08").label == kind
    with pytest.raises(DataError, match="No kind of event 'dance': expected one of walk"):
        make_event("dance", "p01")
    with pytest.raises(DataError, match="No virtual person 'bob': expected 'p' and a number"):
        make_event("sit", "bob")
    with pytest.raises(DataError, match="too short"):
        make_event("sit", "p01", duration_s=2)


# ---- SisFall's layout, on a small file made here

def sisfall_file(folder, name, rows=400, end=";"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    # ADXL345 at +-16 g with 13 bits: 256 counts for 1 g.
    path.write_text("".join(f" 17,-256,  {i % 3},  -18,  164, 0,  76,-697,-279{end}\n" for i in range(rows)))
    return path


def test_sisfall(tmp_path):
    sisfall_file(tmp_path, "SA01/F05_SA01_R03.txt")
    sisfall_file(tmp_path, "SE06/D11_SE06_R01.txt")
    (tmp_path / "Readme.txt").write_text("SisFall")
    loaded = load_sisfall(tmp_path)
    assert loaded.classes == ("D11", "F05") and loaded.subjects == ("SA01", "SE06")
    one = loaded.filter("F05")[0]
    assert one.rate_hz == 50 and len(one) == 100 and one.samples.dtype == np.int16 and one.channels == falls.CHANNELS
    values = one.physical()
    assert np.median(values[:, 1]) == pytest.approx(-1.0, abs=0.002)
    assert np.median(values[:, 4]) == pytest.approx(164 * 4000 / 65536, abs=0.1)
    from edgekit.features.falls import events
    assert len(events(one)[0]) == 0


def test_sisfall_that_is_none(tmp_path):
    with pytest.raises(DataError, match="has not the layout of SisFall: expected files such as SA01/F05_SA01_R03.txt"):
        load_sisfall(tmp_path)
    path = sisfall_file(tmp_path, "SA01/F05_SA01_R03.txt")
    path.write_text(path.read_text() + "1,2,3;\n")
    with pytest.raises(DataError, match="F05_SA01_R03.txt, line 401: expected nine whole numbers"):
        load_sisfall(tmp_path)
    path.write_text("\n")
    with pytest.raises(DataError, match="is empty"):
        load_sisfall(tmp_path)


def test_recordings_of_another_kind_are_refused():
    from edgekit.features.falls import events
    with pytest.raises(DataError, match="Expected int16 counts of ax, ay, az at 50 Hz"):
        events(Recording(np.zeros((100, 3), np.int16), 100.0, ("ax", "ay", "az")))
    with pytest.raises(DataError, match="Expected 2048 counts for 1 g"):
        events(Recording(np.zeros((100, 3), np.int16), 50.0, ("ax", "ay", "az"), scale=(4 / 32768,) * 3))
