"""The simulated finger: the same every time, people differ, breath and movement are in the light, and it is hard enough."""

import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit.paths import DATASETS
from edgekit.signals import heart
from edgekit.signals.heart import (
    CONDITIONS,
    DEVELOPMENT,
    SHIPPED,
    TEST,
    light,
    load_bidmc,
    load_sessions,
    make_session,
)


@pytest.fixture(scope="module")
def shipped():
    return load_sessions()


def spectrum(values):
    size = np.abs(np.fft.rfft((values - values.mean()) * np.hanning(len(values))))
    return np.fft.rfftfreq(len(values), 0.01), size


def test_the_shipped_set_is_rebuilt_bit_for_bit(tmp_path):
    heart.save_sessions(heart.make_sessions(), tmp_path)
    for name in ("heart.npz", "beats.csv"):
        assert (tmp_path / name).read_bytes() == (DATASETS / "heart" / name).read_bytes(), name
    again = load_sessions(tmp_path)
    assert len(again) == 24 and again[5].recording == load_sessions()[5].recording


def test_the_datasheet_has_the_numbers(shipped):
    text = (DATASETS / "heart" / "README.md").read_text(encoding="utf-8")
    subjects = {session.recording.subject for session in shipped}
    assert subjects == set(DEVELOPMENT + TEST) and not set(DEVELOPMENT) & set(TEST)
    for fact in (f"{len(subjects)} virtual subjects", f"{len(shipped)} recordings", "synthetic", "CC BY 4.0", *SHIPPED):
        assert fact in text, fact
    assert (DATASETS / "heart" / "heart.npz").stat().st_size < 400_000


@pytest.mark.parametrize("condition", CONDITIONS)
def test_rates_and_counts_are_those_of_a_finger(condition):
    for subject in ("p01", "p07"):
        session = make_session(condition, subject, duration_s=12)
        intervals_s = np.diff(session.beats_s)
        assert (intervals_s >= 0.3).all() and 44 < 60 / intervals_s.mean() < 185
        counts = session.recording.physical()[:, :2]
        assert counts.min() >= 0 and counts.max() < 1 << 18
        assert (counts[600, 1] > 30_000)


def test_the_same_arguments_give_the_same_samples_and_other_people_others():
    one = make_session("walk", "p01", seed=3)
    assert one.recording == make_session("walk", "p01", seed=3).recording
    for other in (make_session("walk", "p02", seed=3), make_session("walk", "p01", seed=4),
                  make_session("walk", "p01", seed=3, take=1)):
        assert (one.recording.samples != other.recording.samples).any()


def test_at_rest_the_light_has_the_pulse_and_the_breath():
    session = make_session("rest", "p02", duration_s=40)
    ir = session.recording.physical()[:, 1]
    hz, size = spectrum(ir)
    rate_hz = session.rate_bpm(0, 40) / 60
    band = (hz > 0.7) & (hz < 3.5)
    assert hz[band][size[band].argmax()] == pytest.approx(rate_hz, rel=0.08)
    breath = (hz > 0.15) & (hz < 0.4)
    assert size[breath].max() > 5 * np.median(size[(hz > 5) & (hz < 20)])
    assert 0.001 < ir.std() / ir.mean() < 0.05


def test_the_light_falls_after_each_beat():
    session = make_session("rest", "p02", duration_s=20)
    ir = session.recording.physical()[:, 1]
    falls = [ir[round(100 * beat_s)] - ir[round(100 * (beat_s + 0.2))] for beat_s in session.beats_s[1:-2]]
    assert np.mean(np.array(falls) > 0) > 0.95


def test_walking_is_in_the_light_at_the_rate_of_the_steps():
    session = make_session("walk", "p05", duration_s=30)
    values = session.recording.physical()
    hz, felt = spectrum(np.sqrt((values[:, 2:] ** 2).sum(axis=1)))
    band = (hz > 0.7) & (hz < 3.5)
    step_hz = hz[band][felt[band].argmax()]
    _, size = spectrum(values[:, 1])
    at_steps = size[np.abs(hz - step_hz) < 0.1].max()
    assert at_steps > 5 * np.median(size[(hz > 5) & (hz < 20)]), "the hand's movement reaches the light"


def test_without_a_finger_there_is_hardly_light():
    ir = make_session("off", "p03", duration_s=15).recording.physical()[:, 1]
    assert ir[:300].max() < 5_000 and ir[-300:].max() < 5_000 and ir[700] > 30_000


def test_what_the_world_plays_is_what_the_chip_reads():
    from edgekit.simulator.chips.max30102 import MAX30102
    from edgekit.simulator.world import World
    recording = make_session("rest", "p01", duration_s=4).recording
    world = World()
    chip = MAX30102(world.sense)
    world.attach(chip, 0)
    for register, value in ((0x0A, 0x67), (0x0C, 50), (0x0D, 50), (0x09, 0x03)):  # 16384 nA, 100 Hz, 18 bits, 10 mA
        chip.write(bytes((register, value)), 0)
    world.play(light(recording), at_s=0)
    chip.write(b"\x07", 300_000)
    data = chip.read(6 * 25, 300_000)
    read = np.array([int.from_bytes(data[i:i + 3], "big") for i in range(0, len(data), 3)]).reshape(-1, 2)
    assert (read == recording.physical()[1:26, :2]).all()


def test_mistakes_are_told():
    with pytest.raises(DataError, match="No condition 'sleep': expected one of rest"):
        make_session("sleep", "p01")
    with pytest.raises(DataError, match="No virtual person 's01'"):
        make_session("rest", "s01")
    with pytest.raises(DataError, match="too short: expected at least 4 s"):
        make_session("rest", "p01", duration_s=1)
    with pytest.raises(DataError, match="expected at least two"):
        make_session("rest", "p01").rate_bpm(3, 3.1)
    with pytest.raises(DataError, match="expected 0.2 to 51 mA"):
        light(make_session("rest", "p01", duration_s=4).recording, led_ma=80)


# ---- the layout of a public set

def bidmc(folder, rate_bpm=72.0, seconds=20, header="Time [s], RESP, PLETH, V, AVR, II"):
    time_s = np.arange(125 * seconds + 1) / 125
    pulse = 0.5 + 0.4 * np.sin(2 * np.pi * rate_bpm / 60 * time_s) ** 3
    rows = [f"{t:.3f},0.3,{value:.5f},0.5,0.3,0.4" for t, value in zip(time_s, pulse, strict=True)]
    (folder / "bidmc_07_Signals.csv").write_text("\n".join([header, *rows]) + "\n")
    numbers = [f"{second},{'' if second == 3 else rate_bpm},{rate_bpm},18,97" for second in range(seconds + 1)]
    (folder / "bidmc_07_Numerics.csv").write_text("\n".join(["Time [s], HR, PULSE, RESP, SpO2", *numbers]) + "\n")


def test_a_patient_of_the_public_set(tmp_path):
    from edgekit.recipes.heart import follow
    bidmc(tmp_path)
    recording, rate_bpm = load_bidmc(tmp_path, 7)
    assert recording.rate_hz == 100 and recording.duration_s == pytest.approx(20, abs=0.05)
    assert recording.subject == "bidmc_07" and recording.source == "file"
    assert len(rate_bpm) == 21 and np.isnan(rate_bpm[3]) and rate_bpm[4] == 72
    said = [rate for _, reason, rate, _ in follow(recording) if reason == 0]
    assert len(said) >= 4 and said == pytest.approx([72] * len(said), abs=1)


def test_another_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="bidmc_01_Signals.csv cannot be read .* https://physionet.org/content/bidmc/1.0.0/"):
        load_bidmc(tmp_path, 1)
    bidmc(tmp_path, header="Time [s], RESP, V, AVR, II")
    with pytest.raises(DataError, match="has the columns Time .*; expected 'PLETH' among them"):
        load_bidmc(tmp_path, 7)
    bidmc(tmp_path)
    with open(tmp_path / "bidmc_07_Signals.csv", "a") as file:
        file.write("1,2,three\n")
    with pytest.raises(DataError, match="a line that is no row of numbers"):
        load_bidmc(tmp_path, 7)
