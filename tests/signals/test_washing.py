"""The simulated washing machines: the same every time, physics, homes that differ, and hard enough."""

import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit.signals.washing import CLASSES, PLACES, SUBJECTS, _home, make_dataset, make_recording, programme


def test_the_same_arguments_give_the_same_samples():
    assert make_recording("wash", "h03", take=1) == make_recording("wash", "h03", take=1)
    others = [make_recording("wash", "h03"), make_recording("wash", "h04", take=1), make_recording("wash", "h03", seed=1)]
    assert all(make_recording("wash", "h03", take=1) != other for other in others)


def test_gravity_is_one_g_wherever_the_sensor_sits():
    for place, axis in (("lid", 2), ("side", 1)):
        mean = make_recording("still", "h05", place=place).physical().mean(axis=0)
        assert np.linalg.norm(mean) == pytest.approx(1.0, abs=0.12)
        assert abs(mean).argmax() == axis


def test_a_spin_has_its_power_at_the_speed_of_the_drum():
    for home in ("h01", "h07", "h12"):
        recording = make_recording("spin", home)
        values = recording.physical()[:, 0] - recording.physical()[:, 0].mean()
        power = np.abs(np.fft.rfft(values)) ** 2
        peak_hz = np.fft.rfftfreq(len(values), 0.01)[power.argmax()]
        assert 0.75 * _home(home).spin_hz < peak_hz < 1.05 * _home(home).spin_hz


def test_strength_alone_does_not_tell_the_label():
    """A soft home's spin is weaker than a hard home's wash: floors differ more than movements."""
    strength = {label: [make_recording(label, home).physical().std(axis=0).sum() for home in SUBJECTS]
                for label in ("spin", "wash")}
    assert min(strength["spin"]) < max(strength["wash"])
    floors = [_home(home).floor for home in SUBJECTS]
    assert max(floors) > 3 * min(floors)


def test_a_programme_is_still_then_washes_then_spins():
    recording, truth = programme("h21")
    assert [label for _, _, label in truth] == ["still", "wash", "spin", "still"] and recording.duration_s == 150
    assert recording.label == "" and recording.source == "synthetic" and set(PLACES) == {"lid", "side"}
    part = recording.physical()
    assert part[8000:11000].std(axis=0).sum() > 3 * part[11300:].std(axis=0).sum()


def test_a_data_set_is_balanced():
    data = make_dataset(duration_s=2)
    assert len(data) == 3 * len(SUBJECTS) and data.classes == CLASSES == tuple(sorted(CLASSES))


@pytest.mark.parametrize("arguments, message", [
    (("dry", "h01"), "does not 'dry': expected one of spin, still, wash"), (("wash", "s01"), "No simulated home 's01'"),
    (("wash", "h01", 0, 0.5), "too short"), (("wash", "h01", 0, 5, 0, "door"), "No place 'door'"),
])
def test_what_it_cannot_make(arguments, message):
    with pytest.raises(DataError, match=message):
        make_recording(*arguments)


def test_a_programme_of_something_else():
    with pytest.raises(DataError, match="does not 'dry'"):
        programme("h01", script=(("dry", 3),))
