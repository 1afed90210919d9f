"""The simulated motors: is it physics, is it the same every time, and is it hard enough."""

import numpy as np
import pytest

from edgekit.dataset import load_dataset
from edgekit.errors import DataError
from edgekit.paths import DATASETS
from edgekit.signals import vibration
from edgekit.signals.vibration import (
    FAULTS,
    LABELS,
    MAINS_HZ,
    PARTS,
    RATE_HZ,
    SCALE_G,
    UNSEEN_LOADS,
    load_ims,
    machine,
    make_recording,
    plan,
)


@pytest.fixture(scope="module")
def shipped():
    return load_dataset("vibration")


def strength(recording, frequency_hz, reach_hz=1.5):
    """Largest line near a frequency, in g."""
    x = recording.samples[:, 0] * SCALE_G
    lines = np.abs(np.fft.rfft((x - x.mean()) * np.hanning(len(x)))) * 4 / len(x)
    at = np.fft.rfftfreq(len(x), 1 / RATE_HZ)
    return lines[np.abs(at - frequency_hz) < reach_hz].max()


def test_the_shipped_set_is_rebuilt_bit_for_bit(shipped):
    assert vibration.make_dataset() == shipped
    folder = DATASETS / "vibration"
    assert (folder / "measurements.csv").read_text() == vibration.table(plan("test"))
    assert (folder / "vibration.npz").stat().st_size < 400_000


def test_the_datasheet_has_the_numbers(shipped):
    text = (DATASETS / "vibration" / "README.md").read_text(encoding="utf-8")
    healthy = sum(recording.label == "healthy" for recording in shipped)
    for fact in (f"{len(shipped)} measurements", f"{healthy} healthy, {len(shipped) - healthy} with a fault", "synthetic", "CC BY 4.0",
                 *LABELS, *map(str, UNSEEN_LOADS)):
        assert fact in text, fact


def test_nobody_is_in_two_parts():
    machines = [{row.machine for row in plan(part)} for part in (*PARTS, "further", "fresh")]
    assert len(set.union(*machines)) == sum(map(len, machines)) == 38 + 30 + 30
    assert {row.fault for row in plan("train") + plan("validation")} == {"healthy"}
    assert not {row.load for row in plan("train")} & set(UNSEEN_LOADS)


def test_a_motor_slips_under_load():
    one = machine("m34")
    assert one.synchronous_hz > one.shaft_hz(0.1) > one.shaft_hz(1.0) > 0.93 * one.synchronous_hz


def test_each_fault_of_the_shaft_is_at_its_orders():
    shaft_hz = machine("m34").shaft_hz(0.6) / machine("m34").clock
    healthy = make_recording("healthy", "m34", 0.6)
    for fault, order in (("imbalance", 1), ("misalignment", 2), ("looseness", 2.5)):
        hurt = make_recording(fault, "m34", 0.6, 1.0)
        assert strength(hurt, order * shaft_hz) > 2 * strength(healthy, order * shaft_hz), fault


def test_the_load_changes_more_than_an_early_fault():
    """What a limit on the overall vibration would see."""
    def rms(fault, load):
        return np.mean([make_recording(fault, name, load, 0.3).samples.std() for name in PARTS["test"]])
    assert rms("healthy", 1.0) > 2 * rms("healthy", 0.1)
    assert rms("outer", 0.6) < 1.3 * rms("healthy", 0.6)


def test_it_is_the_same_every_time_and_never_the_same_twice():
    assert make_recording("inner", "m40", 0.6, 0.5, seed=3) == make_recording("inner", "m40", 0.6, 0.5, seed=3)
    others = [make_recording("inner", "m40", 0.6, 0.5, seed=3, take=1), make_recording("inner", "m41", 0.6, 0.5, seed=3)]
    assert all(other != make_recording("inner", "m40", 0.6, 0.5, seed=3) for other in others)


def test_gravity_and_hum_are_there():
    recording = make_recording("healthy", "m36", 0.1)
    assert recording.samples.mean() * SCALE_G == pytest.approx(1, abs=0.08)
    assert strength(recording, 2 * MAINS_HZ) > 0.003


@pytest.mark.parametrize("change, message", [
    ({"fault": "rust"}, "No fault 'rust': expected one of healthy, imbalance"),
    ({"machine_name": "pump"}, "No virtual machine 'pump'"),
    ({"load": 2}, "expected a load of 0 to 1.2"), ({"severity": -1}, "severity of 0 to 1"), ({"samples": 3}, "at least 64")])
def test_wrong_values_are_named(change, message):
    with pytest.raises(DataError, match=message):
        make_recording(**{"fault": FAULTS[0], "machine_name": "m01", **change})
    with pytest.raises(DataError, match="No part 'exam'"):
        plan("exam")


# ---- the public set

def test_ims_files(tmp_path):
    values = np.random.default_rng(0).normal(0, 0.1, (200, 4)).round(3)
    path = tmp_path / "2004.02.12.10.32.39"
    path.write_text("".join("\t".join(f"{value:.3f}" for value in row) + "\n" for row in values))
    recording = load_ims(path, column=2)
    np.testing.assert_allclose(recording.samples[:, 0], values[:, 2], atol=1e-6)
    assert (recording.rate_hz, recording.units, recording.source) == (20000, ("g",), "file")
    assert len(recording.resample(1667)) == pytest.approx(200 * 1667 / 20000, abs=1)
    with pytest.raises(DataError, match="has 4 columns, so column is 0 to 3; found 4"):
        load_ims(path, column=4)
    path.write_text("1\t2\t3\n")
    with pytest.raises(DataError, match="has 3 columns: expected 4 or 8"):
        load_ims(path)
    path.write_text("time,x\n1,2\n")
    with pytest.raises(DataError, match="no file of the IMS bearing data"):
        load_ims(path)
    with pytest.raises(DataError, match="Unpack NASA's archive first"):
        load_ims(tmp_path / "nothing")
