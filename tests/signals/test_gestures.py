"""The simulated hand: is it physics, is it the same every time, do people differ, and is it hard enough."""

import hashlib
import itertools

import numpy as np
import pytest

from edgekit.course.build_datasets import build
from edgekit.dataset import Dataset, load_dataset, read_registry
from edgekit.errors import DataError
from edgekit.paths import DATASETS
from edgekit.recording import Recording
from edgekit.signals import gestures
from edgekit.signals.gestures import CLASSES, LIVE_SUBJECT, SUBJECTS, live, make_dirty, make_recording


@pytest.fixture(scope="module")
def shipped():
    return load_dataset("gestures")


# ---- the shipped set

def test_the_shipped_set_is_rebuilt_bit_for_bit(tmp_path, shipped):
    assert gestures.make_dataset(seed=0) == shipped
    (tmp_path / "registry.txt").write_bytes((DATASETS / "registry.txt").read_bytes())
    made = build(tmp_path, words=False)
    assert "gestures/gestures.npz" in made
    for name in ["registry.txt", "gestures/gestures.npz", "gestures/punch_s01.csv"]:
        assert (tmp_path / name).read_bytes() == (DATASETS / name).read_bytes(), name


def test_the_csv_to_look_at_is_one_of_the_set(shipped):
    assert Recording.load(DATASETS / "gestures" / "punch_s01.csv") == shipped.filter("punch", "s01")[0]


def test_a_rebuild_keeps_downloadable_entries(tmp_path):
    (tmp_path / "registry.txt").write_text("far/far.npz abc https://example.org/far.npz\nold/old.npz abc -\n")
    build(tmp_path, words=False)
    assert {"far/far.npz", "gestures/gestures.npz"} <= set(read_registry(tmp_path))
    assert "old/old.npz" not in read_registry(tmp_path)
    assert read_registry(tmp_path)["far/far.npz"] == ("abc", "https://example.org/far.npz")


def test_size_and_balance(shipped):
    assert shipped.classes == CLASSES and shipped.subjects == SUBJECTS and len(SUBJECTS) >= 12
    windows = shipped.windows(128, 32)
    assert 1500 <= len(windows) <= 2500
    assert len(set(np.bincount(windows.y))) == 1
    assert (DATASETS / "gestures" / "gestures.npz").stat().st_size < 3_000_000
    assert all(recording.source == "synthetic" for recording in shipped)


def test_the_datasheet_has_the_numbers(shipped):
    text = (DATASETS / "gestures" / "README.md").read_text(encoding="utf-8")
    for fact in (f"{len(SUBJECTS)} virtual subjects", f"{len(shipped)} recordings", f"{len(shipped.windows(128, 32))} windows",
                 "synthetic", "CC BY 4.0", *CLASSES):
        assert fact in text, fact


# ---- physics

def test_a_hand_at_rest_feels_one_g_and_no_turning(shipped):
    for recording in shipped.filter("idle"):
        values = recording.physical().astype(float)
        assert np.linalg.norm(values[:, :3], axis=1).mean() == pytest.approx(1.0, abs=0.12)     # bias and gain error
        assert abs(values[:, 3:].mean(axis=0)).max() < 15


def test_gravity_turns_with_the_hand():
    """The gyroscope's turning and the accelerometer's gravity must tell the same story."""
    person = gestures._person("s01")
    time_s, *motion = gestures._still(4.0)
    motion[1][:, 1] = np.radians(40) * np.sin(2 * np.pi * 0.3 * time_s)     # pitch only, slowly
    samples = gestures._sense(np.random.default_rng(0), person, time_s, *motion)
    values = (samples * np.array(gestures.SCALE) - np.concatenate([person.accel_bias_g, person.gyro_bias_dps]))
    up = values[:, :3] / np.linalg.norm(values[:, :3], axis=1)[:, None]
    # A vector that stands still outside moves inside by -omega x vector.
    turned = np.cumsum(-np.cross(np.radians(values[:, 3:]), up) / 100, axis=0)
    assert abs((up - up[0])[1:] - turned[:-1]).max() < 0.12
    assert abs(up - up[0]).max() > 0.5


def test_int16_steps_noise_and_clipping():
    idle = make_recording("idle", "s02").samples
    assert idle.dtype == np.int16
    assert np.diff(np.unique(idle[:, 2])).min() == 1                    # single steps
    jitter = np.diff(idle[:, 2].astype(float), n=2).std() / np.sqrt(6) * 4 / 32768
    assert 0.002 < jitter < 0.01                                        # g, about the data sheet's noise
    limit = gestures._sense(np.random.default_rng(0), gestures._person("s01"), *with_knock(500.0))
    assert limit.max() == 32767 and limit.min() == -32768


def with_knock(size_m_s2):
    time_s, position_m, angle_rad, knock_m_s2 = gestures._still(0.5)
    knock_m_s2[80:100], knock_m_s2[120:140] = size_m_s2, -size_m_s2
    return time_s, position_m, angle_rad, knock_m_s2


def rhythm_hz(recording):
    values = recording.physical().astype(float)[:, 1:4] * np.array([60, 60, 1])
    power = (abs(np.fft.rfft((values - values.mean(axis=0)) * np.hanning(len(values))[:, None], axis=0)) ** 2).sum(axis=1)
    return np.fft.rfftfreq(len(values), 0.01)[power.argmax()]


def test_each_rhythmic_gesture_has_its_tempo():
    middle = {label: np.median([rhythm_hz(make_recording(label, subject, duration_s=6)) for subject in SUBJECTS])
              for label in ("circle", "wave", "shake")}
    assert 0.9 < middle["circle"] < 1.8 < 3.2 < middle["shake"] < 5.5
    assert middle["circle"] < middle["wave"] < 2.6


# ---- the same every time, and different between people

def test_the_same_arguments_give_the_same_samples():
    assert make_recording("wave", "s03", 5, 2.0) == make_recording("wave", "s03", 5, 2.0)
    variants = [make_recording("wave", "s03", 5), make_recording("wave", "s03", 6), make_recording("wave", "s04", 5),
                make_recording("shake", "s03", 5), make_recording("wave", "s03", 5, take=1)]
    assert all(a != b for a, b in itertools.combinations(variants, 2))


def test_the_samples_are_pinned():
    """Guards against a change that makes another data set without anyone noticing."""
    recording = make_recording("punch", "s01", seed=0)
    assert hashlib.sha256(recording.samples.astype("<i2").tobytes()).hexdigest() == (
        "d9295d270a7b862b0ac48c916b84c367c3bc3cbd765f6c460e9cbee32c1ec7a4")


def test_people_differ():
    people = [gestures._person(subject) for subject in SUBJECTS]
    for trait, factor in (("tempo", 1.3), ("strength", 1.3), ("wrist", 1.5)):
        values = [getattr(person, trait) for person in people]
        assert max(values) / min(values) > factor
    assert 2 <= sum(person.left_handed for person in people) <= 8
    assert np.degrees(np.ptp([person.tilt_rad for person in people], axis=0)).min() > 25
    assert LIVE_SUBJECT not in SUBJECTS


def test_bad_arguments():
    with pytest.raises(DataError, match="No gesture 'jump': expected one of circle, double_tap"):
        make_recording("jump", "s01")
    with pytest.raises(DataError, match="No virtual person 'bob'.*'s01'"):
        make_recording("wave", "bob")
    with pytest.raises(DataError, match="too short"):
        make_recording("wave", "s01", duration_s=0)
    with pytest.raises(DataError, match="No gesture 'jump'"):
        live(script=["wave", "jump"])
    with pytest.raises(DataError, match="at least 2 s of int16"):
        make_dirty(make_recording("wave", "s01", duration_s=1))


# ---- hard, but not too hard

def means(windows):
    return windows.x.mean(axis=1)


def means_and_spreads(windows):
    return np.concatenate([windows.x.mean(axis=1), windows.x.std(axis=1)], axis=1)


def accuracies(model, features, windows):
    """Mean accuracy of four subject-wise splits, and of four random splits."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    figures = []
    for split in (windows.split_by_subject, windows.split_random):
        pairs = [split(0.25, seed) for seed in range(4)]
        figures.append(np.mean([make_pipeline(StandardScaler(), model).fit(features(train), train.y)
                                .score(features(test), test.y) for train, test in pairs]))
    return figures


def test_a_careless_model_errs_and_a_leaky_split_flatters_it(shipped):
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.tree import DecisionTreeClassifier

    windows = shipped.windows(128, 32)
    honest, leaky = accuracies(KNeighborsClassifier(1), means_and_spreads, windows)
    assert honest < 0.97 and leaky > 0.99 and leaky - honest > 0.03
    honest, leaky = accuracies(DecisionTreeClassifier(random_state=0), means_and_spreads, windows)
    assert honest < 0.95 and leaky - honest > 0.03


def test_the_mean_tells_the_person_rather_than_the_gesture(shipped):
    from sklearn.neighbors import KNeighborsClassifier

    honest, leaky = accuracies(KNeighborsClassifier(1), means, shipped.windows(128, 32))
    assert honest < 0.5 and leaky > 0.75


def test_a_forest_does_well_on_strangers(shipped):
    from sklearn.ensemble import RandomForestClassifier

    honest, _ = accuracies(RandomForestClassifier(30, random_state=0), means_and_spreads, shipped.windows(128, 32))
    assert honest > 0.9


# ---- live

def jerk(recording):
    """How much the acceleration changes from sample to sample."""
    return np.diff(recording.samples[:, :3].astype(float), axis=0).std(axis=0).sum()


def test_live_has_its_truth():
    recording, truth = live(seed=1)
    labels = [label for _, _, label in truth]
    assert len(truth) >= 20 and set(labels) == set(CLASSES) - {"idle"}
    assert recording.label == "" and recording.subject == LIVE_SUBJECT and recording.rate_hz == 100
    assert truth[-1][1] < recording.duration_s
    for (_, stop_s, _), (start_s, _, _) in itertools.pairwise(truth):
        assert start_s - stop_s > 1.28                    # between two gestures there is a window of rest
        assert jerk(recording.slice(start_s, start_s + 2.6)) > 2 * jerk(recording.slice(stop_s + 0.1, start_s - 0.1))


def test_live_follows_the_script_and_the_seed():
    recording, truth = live("s30", 4, ["shake", "idle", "wave"], gesture_s=2, pause_s=1)
    assert [label for _, _, label in truth] == ["shake", "idle", "wave"]
    assert truth[1][:2] == (4.0, 6.0) and recording.duration_s == 10
    assert live("s30", 4, ["shake", "idle", "wave"], gesture_s=2, pause_s=1)[0] == recording
    assert live("s30", 5, ["shake", "idle", "wave"], gesture_s=2, pause_s=1)[0] != recording


# ---- dirty

def test_the_shipped_set_is_clean(shipped):
    assert {fault.kind for recording in shipped for fault in recording.faults()} == {"clipped"}


def test_dirty_recordings_can_be_cleaned(shipped):
    for index in range(0, len(shipped), 6):
        recording = shipped[index]
        dirty = make_dirty(recording, seed=index)
        faults = [fault for fault in dirty.faults() if fault.kind != "clipped"]
        kinds = [fault.kind for fault in faults]
        assert kinds.count("gap") == 1 and kinds.count("flat") == 1 and 3 <= kinds.count("spike") <= 5
        gap = next(fault for fault in faults if fault.kind == "gap")
        assert gap.stop - gap.start >= dirty.lost >= 15
        parts = dirty.clean()
        assert len(parts) == 3 and sum(map(len, parts)) < len(recording)
        assert make_dirty(recording, seed=index) == dirty


def test_a_data_set_of_clean_parts_can_be_cut_into_windows(shipped):
    dirty = [make_dirty(recording, seed) for seed, recording in enumerate(shipped.filter(subject="s01"))]
    clean = Dataset([part for recording in dirty for part in recording.clean(min_s=1.28)], CLASSES)
    assert 0 < len(clean.windows(128, 32)) < len(Dataset(dirty).windows(128, 32))
