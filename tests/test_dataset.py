"""Dataset, windows, splits, normalisation, the registry of data sets."""

import functools
import hashlib
import http.server
import threading

import numpy as np
import pytest

from edgekit.dataset import Dataset, Normaliser, Windows, cache_dir, load_dataset, read_registry
from edgekit.errors import DataError
from edgekit.features import FeatureParams, motion
from edgekit.paths import DATASETS
from edgekit.recording import Recording, pack_npz


def recording(label, subject, n=100, value=0, **changes):
    samples = np.full((n, 2), value, np.int16) + np.arange(n, dtype=np.int16)[:, None]
    return Recording(samples, 50.0, ("ax", "gx"), ("g", "dps"), (0.5, 2.0), label, subject, "synthetic").with_(**changes)


def small(subjects=4):
    return Dataset([recording(label, f"s{i}", 100 + i, 1000 * i) for i in range(subjects) for label in ("wave", "idle")])


# ---- the collection

def test_order_classes_and_subjects():
    data = small()
    assert len(data) == 8 and data[1].label == "idle" and [r.label for r in data][:2] == ["wave", "idle"]
    assert data.classes == ("idle", "wave") and data.subjects == ("s0", "s1", "s2", "s3")
    assert Dataset(data, ("wave", "idle", "punch")).classes == ("wave", "idle", "punch")


@pytest.mark.parametrize("changes, words", [
    ({"rate_hz": 25}, "Recording 1 (idle) has rate_hz 25; expected 50"),
    ({"channels": ("ay", "gx")}, "has channels ay, gx; expected ax, gx"),
    ({"scale": (1, 2)}, "has scale 1.0, 2.0; expected 0.5, 2.0"),
    ({"samples": np.zeros((9, 2), np.float32)}, "holds float32; expected int16"),
])
def test_recordings_that_do_not_fit_together(changes, words):
    with pytest.raises(DataError) as caught:
        Dataset([recording("wave", "s0"), recording("idle", "s0", **changes)])
    assert words in str(caught.value)


def test_no_recordings_and_unknown_labels():
    with pytest.raises(DataError, match="at least one recording"):
        Dataset([])
    with pytest.raises(DataError, match="label 'wave' is not among the classes idle, punch"):
        Dataset([recording("wave", "s0")], ("idle", "punch"))


def test_filter():
    data = small()
    assert {r.label for r in data.filter(label="wave")} == {"wave"}
    assert data.filter(label="wave").classes == data.classes      # the numbers of the classes must not move
    assert data.filter(subject=["s1", "s2"]).subjects == ("s1", "s2")
    with pytest.raises(DataError, match="the subjects are s0, s1, s2, s3"):
        data.filter(subject="s9")


def test_summary_adds_up():
    table = small().summary()
    assert table.loc["s0", "wave"] == 2.0 and table.loc["sum", "sum"] == pytest.approx(sum(r.duration_s for r in small()))


# ---- files

def test_npz_gives_back_all(tmp_path):
    data = Dataset(small(), ("wave", "idle", "punch"))
    assert Dataset.load(data.save(tmp_path / "d.npz")) == data
    assert (tmp_path / "d.npz").read_bytes() == data.save(tmp_path / "e.npz").read_bytes()
    with np.load(tmp_path / "d.npz", allow_pickle=False) as arrays:      # plain NumPy can read it
        assert arrays["samples"].shape == (sum(map(len, data)), 2)


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".wav"])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_folder_gives_back_all(tmp_path, suffix, dtype):
    data = Dataset([r.with_(samples=r.samples.astype(dtype)) for r in small()])
    assert Dataset.load(data.save(tmp_path / "d", suffix)) == data
    with pytest.raises(DataError, match="not empty"):
        data.save(tmp_path / "d", suffix)


def test_folder_per_class(tmp_path):
    for label in ("up", "down"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.csv").write_text("ax\n1\n2\n")
    data = Dataset.load(tmp_path, rate_hz=100)
    assert data.classes == ("down", "up") and data[0].label == "down" and data[0].rate_hz == 100


def test_folder_with_a_bad_file_names_it(tmp_path):
    (tmp_path / "a.csv").write_text("ax,ay\n1,2\n")
    (tmp_path / "b.csv").write_text("ax\n1\n")
    with pytest.raises(DataError, match="b.csv has no column ay"):
        Dataset.load(tmp_path, rate_hz=100)
    with pytest.raises(DataError, match="holds no recordings"):
        (tmp_path / "empty").mkdir()
        Dataset.load(tmp_path / "empty")


def test_npz_of_another_kind(tmp_path):
    recording("wave", "s0").save(tmp_path / "one.npz")
    with pytest.raises(DataError, match="another kind: expected a data set .* found about, samples"):
        Dataset.load(tmp_path / "one.npz")
    with pytest.raises(DataError, match="No file none.npz"):
        Dataset.load(tmp_path / "none.npz")


def test_npz_whose_parts_disagree(tmp_path):
    path = small().save(tmp_path / "d.npz")
    with np.load(path) as arrays:
        parts = dict(arrays)
    parts["lengths"] = parts["lengths"] + 1
    path.write_bytes(pack_npz(parts))
    with pytest.raises(DataError, match="d.npz is damaged: the lengths do not add up"):
        Dataset.load(path)
    data = small().save(path).read_bytes()
    for size in range(0, len(data), 997):
        path.write_bytes(data[:size])
        with pytest.raises(DataError, match="d.npz"):
            Dataset.load(path)


def test_another_rate_is_refused(tmp_path):
    path = small().save(tmp_path / "d.npz")
    with pytest.raises(DataError, match="d.npz was recorded at 50 Hz; expected 100 Hz"):
        Dataset.load(path, rate_hz=100)


# ---- windows

def test_windows_are_the_samples():
    windows = small().windows(32, 16)
    first = [w for w in range(len(windows)) if windows.recording[w] == 0]
    assert len(first) == (100 - 32) // 16 + 1
    assert windows.x.dtype == np.int16 and windows.x.shape[1:] == (32, 2)
    assert np.array_equal(windows.x[2], small()[0].samples[32:64])
    assert windows.y.dtype == np.int64 and windows.classes[windows.y[0]] == "wave" and windows.subject[0] == "s0"


def test_no_window_crosses_recordings():
    windows = small().windows(64, 8)
    assert (np.diff(windows.x[:, :, 0].astype(int), axis=1) == 1).all()


def test_short_recordings_give_no_windows():
    data = Dataset([recording("a", "s0", 10), recording("a", "s0", 40)])
    assert data.windows(32, 32).recording.tolist() == [1]
    with pytest.raises(DataError, match="No window of 99 samples fits: the longest recording has 40"):
        data.windows(99, 1)
    with pytest.raises(DataError, match="expected both at least 1"):
        data.windows(32, 0)


# ---- splits

@pytest.mark.parametrize("seed", range(5))
def test_nobody_is_on_both_sides(seed):
    data = small(8)
    train, test = data.split_by_subject(0.25, seed)
    assert not set(train.subjects) & set(test.subjects)
    assert len(test.subjects) == 2 and len(train) + len(test) == len(data) and test.classes == data.classes
    windows_train, windows_test = data.windows(32, 16).split_by_subject(0.25, seed)
    assert set(windows_test.subject) == set(test.subjects) and set(windows_train.subject) == set(train.subjects)


def test_splits_depend_on_the_seed_only():
    data = small(8)
    assert data.split_by_subject(seed=1)[1] == data.split_by_subject(seed=1)[1]
    assert len({data.split_by_subject(seed=seed)[1].subjects for seed in range(8)}) > 3


def test_random_split_leaks():
    windows = small().windows(32, 4)
    train, test = windows.split_random(0.25, seed=0)
    assert len(train) + len(test) == len(windows) and len(test) == round(len(windows) / 4)
    assert set(train.subject) == set(test.subject)
    # Most test windows share samples with a training window: that is the leak.
    near = [any((train.recording == test.recording[i]) & (abs(train.x[:, 0, 0] - test.x[i, 0, 0]) <= 4)) for i in range(len(test))]
    assert np.mean(near) > 0.9
    assert "flatters" in Windows.split_random.__doc__


def test_splits_that_cannot_be():
    with pytest.raises(DataError, match="Cannot split 1 subjects"):
        small(1).split_by_subject()
    with pytest.raises(DataError, match="test_fraction is 1.5"):
        small().split_by_subject(1.5)
    assert [len(part.subjects) for part in small(2).split_by_subject(0.9)] == [1, 1]


# ---- normaliser

def test_normaliser_uses_the_training_numbers():
    rng = np.random.default_rng(0)
    train, test = rng.normal(5, 3, (50, 10, 2)), rng.normal(9, 1, (50, 10, 2))
    normaliser = Normaliser().fit(train)
    done = normaliser.transform(train)
    assert done.dtype == np.float32 and done.shape == train.shape
    assert np.allclose(done.mean(axis=(0, 1)), 0, atol=1e-6) and np.allclose(done.std(axis=(0, 1)), 1, atol=1e-6)
    assert normaliser.transform(test).mean() > 1      # not brought to 0 by itself
    with pytest.raises(DataError, match=r"call fit\(...\)"):
        Normaliser().transform(test)
    with pytest.raises(DataError, match="3 channels; expected 2"):
        normaliser.transform(np.zeros((4, 3)))


# ---- shipped and downloaded sets

def registry(folder, data, url="-", name="toy/toy.npz"):
    folder.mkdir(exist_ok=True)
    (folder / "registry.txt").write_text(f"# comment\n\n{name} {hashlib.sha256(data).hexdigest()} {url}\n")


def shipped(tmp_path):
    data = small().save(tmp_path / "sets" / "toy" / "toy.npz").read_bytes()
    registry(tmp_path / "sets", data)
    return tmp_path / "sets"


def test_every_shipped_set_loads():
    names = [name for name, (_, url) in read_registry().items() if url == "-"]
    assert "gestures/gestures.npz" in names
    for name in names:
        folder = (DATASETS / name).parent
        assert len(load_dataset(folder.name)) > 0
        assert (folder / "README.md").exists()


def test_shipped_set_is_checked(tmp_path):
    folder = shipped(tmp_path)
    assert load_dataset("toy", folder) == small()
    path = folder / "toy" / "toy.npz"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match=r"toy/toy.npz is damaged: expected sha256 .* Restore it: git checkout -- datasets/toy/toy.npz"):
        load_dataset("toy", folder)
    path.unlink()
    with pytest.raises(DataError, match=r"No file toy.npz .* Restore it: git checkout"):
        load_dataset("toy", folder)


def test_unknown_set_and_bad_registry(tmp_path):
    with pytest.raises(DataError, match="No data set 'gesture': datasets/registry.txt knows .*gestures, heart, keywords"):
        load_dataset("gesture")
    (tmp_path / "registry.txt").write_text("toy/toy.npz abc\n")
    with pytest.raises(DataError, match="registry.txt, line 1: expected 'name sha256 url', found 2 words"):
        load_dataset("toy", tmp_path)


@pytest.fixture
def server(tmp_path):
    """A web server on this computer for the folder `served`."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    (tmp_path / "served").mkdir()
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path / "served"))
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


def test_download_once_then_from_the_cache(tmp_path, server, monkeypatch):
    monkeypatch.setenv("EDGEKIT_CACHE", str(tmp_path / "cache"))
    data = small().save(tmp_path / "served" / "far.npz").read_bytes()
    registry(tmp_path / "sets", data, f"{server}/far.npz", "far/far.npz")
    assert load_dataset("far", tmp_path / "sets") == small()
    (tmp_path / "served" / "far.npz").unlink()
    assert load_dataset("far", tmp_path / "sets") == small()      # the network is not asked again
    assert cache_dir() == tmp_path / "cache"


def test_download_that_fails(tmp_path, server, monkeypatch):
    monkeypatch.setenv("EDGEKIT_CACHE", str(tmp_path / "cache"))
    registry(tmp_path / "sets", b"expected", f"{server}/none.npz", "far/far.npz")
    with pytest.raises(DataError, match="could not be downloaded .* Check the network"):
        load_dataset("far", tmp_path / "sets")
    (tmp_path / "served" / "none.npz").write_bytes(b"something else")
    with pytest.raises(DataError, match="is not the data set 'far': its sha256 is not"):
        load_dataset("far", tmp_path / "sets")
    assert not list((tmp_path / "cache").glob("*.npz"))


# ---- folders of other people

def test_the_label_is_in_the_folder_or_in_the_name(tmp_path):
    samples = np.arange(60, dtype=np.int16).reshape(20, 3)
    for name in ("up/1", "up/asha_2", "down/rec_1", "down/ravi.7", "wave_3", "wave (4)", "double_tap_12", "shake.asha.5",
                 "shake.17"):
        path = tmp_path / f"{name}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, samples)
    (tmp_path / ".hidden.npy").write_bytes(b"no array")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "x.npy").write_bytes(b"no array")
    (tmp_path / "README.txt").write_text("not a recording")
    data = Dataset.load(tmp_path, rate_hz=50)
    found = sorted((recording.label, recording.subject) for recording in data)
    assert found == [("double_tap", ""), ("down", "ravi"), ("down", "rec"), ("shake", ""), ("shake", "asha"), ("up", ""),
                     ("up", "asha"), ("wave", ""), ("wave", "")]


@pytest.mark.parametrize("suffix", (".npy", ".csv", ".wav", ".npz"))
def test_one_call_from_a_folder_of_each_kind_to_windows(tmp_path, suffix):
    rng = np.random.default_rng(0)
    for label in ("walk", "run"):
        for who in ("asha", "ravi"):
            samples = rng.normal(0, 1000, (200, 3)).astype(np.int16)
            path = tmp_path / f"{label}.{who}.1{suffix}"
            if suffix == ".npy":
                np.save(path, samples)
            elif suffix == ".csv":
                np.savetxt(path, samples, "%d", ",")
            else:
                Recording(samples, 50, source="file").save(path)
    data = Dataset.load(tmp_path, rate_hz=50)
    assert data.classes == ("run", "walk") and data.subjects == ("asha", "ravi")
    train, test = data.split_by_subject(0.5)
    assert len(train.windows(64, 32)) == len(test.windows(64, 32)) == 10


def test_files_that_are_nearly_alike_become_so(tmp_path):
    for number, (step_ms, value) in enumerate([(10, "1"), (10.05, "1.5"), (9.95, "2")]):
        rows = "".join(f"{k * step_ms},{value},0\n" for k in range(50))
        (tmp_path / f"walk_{number}.csv").write_text("time_ms,ax,ay\n" + rows)
    data = Dataset.load(tmp_path)
    assert {recording.rate_hz for recording in data} == {100.0}
    assert {str(recording.samples.dtype) for recording in data} == {"float32"} and data.classes == ("walk",)
    (tmp_path / "walk_9.csv").write_text("time_ms,ax,ay\n0,1,2\n20,1,2\n")
    with pytest.raises(DataError, match="has rate_hz .*; expected 100"):
        Dataset.load(tmp_path)


def test_own_recordings_keep_what_they_say(tmp_path):
    recording("wave", "s1", source="board").save(tmp_path / "other_name_3.csv")
    recording("", "", source="board").save(tmp_path / "noise_4.csv")
    data = Dataset.load(tmp_path)
    assert sorted((r.label, r.subject) for r in data) == [("", ""), ("wave", "s1")]


def test_many_subjects_are_not_all_listed():
    many = Dataset([recording("wave", f"s{i:03d}") for i in range(150)])
    with pytest.raises(DataError, match="s018, s019 and 130 more[.]"):
        many.filter(label="idle")


@pytest.mark.parametrize("names, file, found", [
    (None, "p07/wave/take1", ("wave", "p07")), (None, "wave/p07/take1", ("wave", "p07")), (None, "wave_p07_3", ("wave", "p07")),
    (None, "double_tap_subject-2", ("double_tap", "subject-2")), (None, "steps_up_3", ("steps_up", "")),
    ("{subject}_{label}_*", "asha_double_tap_1", ("double_tap", "asha")), ("*/{label}", "x/wave", ("wave", "")),
    ("{label}/{subject}/*", "wave/asha/1", ("wave", "asha")),
])
def test_names_of_other_layouts(tmp_path, names, file, found):
    path = tmp_path / f"{file}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.zeros((20, 3), np.int16))
    recording, = Dataset.load(tmp_path, rate_hz=50, names=names)
    assert (recording.label, recording.subject) == found


@pytest.mark.parametrize("names", ["{label}/*", "*", "{label}_{label}", "{subject"])
def test_a_pattern_that_does_not_fit_is_named(tmp_path, names):
    np.save(tmp_path / "wave_asha.npy", np.zeros((20, 3), np.int16))
    with pytest.raises(DataError, match="does not describe 'wave_asha': expected {label} once"):
        Dataset.load(tmp_path, rate_hz=50, names=names)


def test_other_rates_and_units_become_features(tmp_path):
    for who, rate_hz in (("asha", 50), ("ravi", 100), ("mina", 62.5)):
        time_s = np.arange(0, 4, 1 / rate_hz)
        still = np.float32([0, 0, 9.81]) + np.sin(2 * np.pi * 2 * time_s)[:, None].astype(np.float32)
        Recording(still, rate_hz, label="walk", subject=who).save(tmp_path / f"{who}.csv")
    with pytest.raises(DataError, match="has rate_hz .*Load the folder with resample_hz="):
        Dataset.load(tmp_path)
    data = Dataset.load(tmp_path, resample_hz=50)
    with pytest.raises(DataError, match="walk: .*beyond int16 with 8192 counts for 1 unit.* In m/s2 take 8192 / 9.81"):
        data.to_counts(8192)
    counts = data.to_counts(8192 / 9.81)
    params = FeatureParams(kind="summary", rate_hz=50, window=128, channels=3)
    features = motion.summary(counts.windows(128, 32).x, params)
    assert features.shape[1] == 13 and {len(recording) for recording in counts} == {200}
    assert abs(counts[0].physical() - data[0].samples).max() < 0.001
    # The three are one movement: at 2 Hz the rates agree, up to the ends of the recordings, where the filter guesses.
    middle = [recording.samples[20:180].astype(float) for recording in counts]
    assert max(abs(each - middle[0]).max() for each in middle) < 20


def test_a_label_column_is_no_channel(tmp_path):
    for number, end in ((1, ""), (2, ",")):
        (tmp_path / f"{number}.csv").write_text("x,y,label\n" + f"1.0,2,{number}{end}\n" * 20)
    data = Dataset.load(tmp_path, rate_hz=50)
    assert data.classes == ("1", "2") and data[0].channels == ("x", "y")


def test_the_message_says_in_which_folder(tmp_path):
    for label in ("run", "walk"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.csv").write_text("x,y\n1,2\n" + ("3\n" if label == "walk" else ""))
    with pytest.raises(DataError, match="^walk/1.csv, line 3: 1 values; expected 2"):
        Dataset.load(tmp_path, rate_hz=50)


def test_counts_for_each_channel():
    both = Recording(np.float32([[1, 2], [-3, 4]]), 100, label="a")
    assert both.to_counts((10, 100)).samples.tolist() == [[10, 200], [-30, 400]]
    for wrong in (0, -1, float("nan"), (1, 2, 3)):
        with pytest.raises(DataError, match="a number above 0, or one for each of 2 channels"):
            both.to_counts(wrong)
