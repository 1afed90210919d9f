"""Learning on the board: scikit-learn and NumPy say what is right, on the host twin and on the simulated board."""

import json
import os
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import MiniBatchKMeans
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from edgekit.board.install import files_for
from edgekit.board.simulated import SimulatedBoard
from edgekit.bytecode import compile_file
from edgekit.dataset import load_dataset
from edgekit.errors import BoardCodeError, BoardRestartedError
from edgekit.features import FeatureParams, motion
from edgekit.paths import FIRMWARE
from edgekit.signals.gestures import make_recording
from edgekit.twin import board_module

learn = board_module("learn")


@pytest.fixture(scope="module")
def board():
    with SimulatedBoard() as board:
        board.put(compile_file(FIRMWARE / "lib" / "learn.py"), "/lib/learn.mpy")
        board.exec("import gc\nfrom array import array\nfrom learn import *")
        yield board


def features(rng, rows, size, spread=128):
    return rng.integers(-spread, spread, (rows, size)).astype(np.int8)


def taught(x, labels, **settings):
    knn = learn.Neighbours(x.shape[1], **settings)
    for row, label in zip(x.tolist(), labels, strict=True):
        knn.add(row, label)
    return knn


# --- nearest neighbours

def by_definition(x, y, new, k):
    """The vote as the module words it, with a stable sort."""
    distance = ((new.astype(np.int64)[:, None, :] - x.astype(np.int64)[None]) ** 2).sum(axis=2)
    answers = []
    for row in distance:
        near = np.argsort(row, kind="stable")[:k]
        votes = np.bincount(y[near])
        answers.append(next(int(y[i]) for i in near if votes[y[i]] == votes.max()))
    return answers, distance.min(axis=1).tolist()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 20), rows=st.integers(1, 30), k=st.integers(1, 7),
       classes=st.integers(1, 5), spread=st.sampled_from([2, 5, 128]))
def test_neighbours_answer_as_defined_also_where_distances_and_votes_are_equal(seed, size, rows, k, classes, spread):
    rng = np.random.default_rng(seed)
    x, new, y = features(rng, rows, size, spread), features(rng, 20, size, spread), rng.integers(0, classes, rows)
    knn = taught(x, y.tolist(), room=32, k=k)
    found = [(knn.predict(row), knn.distance) for row in new.tolist()]
    assert found == list(zip(*by_definition(x, y, new, k), strict=True))


@pytest.mark.parametrize("k", [1, 3, 5])
def test_neighbours_answer_as_scikit_learn(k):
    # Two classes and an odd k: no vote is equal. Where two examples are equally far scikit-learn chooses as it likes.
    rng = np.random.default_rng(k)
    x, new, y = features(rng, 60, 12), features(rng, 500, 12), rng.integers(0, 2, 60)
    reference = KNeighborsClassifier(k, algorithm="brute").fit(x.astype(float), y)
    far = np.sort(reference.kneighbors(new.astype(float), k + 1)[0], axis=1)
    clear = far[:, k - 1] != far[:, k]
    knn = taught(x, y.tolist(), room=60, k=k)
    answers = np.array([knn.predict(row) for row in new.tolist()])
    assert (answers == reference.predict(new.astype(float)))[clear].all() and clear.mean() > 0.9


def test_a_full_memory_forgets_the_oldest_of_the_largest_class():
    knn = learn.Neighbours(1, room=4, k=1)
    for value, label in ((1, "a"), (2, "b"), (3, "a"), (4, "a")):
        knn.add([value], label)
    knn.add([5], "b")
    assert [(value, knn.classes[number]) for value, number in zip(knn._rows, knn._class, strict=True)] == \
        [(2, "b"), (3, "a"), (4, "a"), (5, "b")]
    knn.add([6], "c")
    assert [knn.examples(label) for label in "abc"] == [1, 2, 1] and knn.count == 4


def test_forget():
    knn = taught(np.array([[1], [2], [3], [4]], np.int8), ["a", "b", "c", "b"], k=1)
    knn.forget("b")
    assert knn.classes == ["a", "c"] and knn.count == 2 and knn.predict([4]) == "c" and knn.predict([1]) == "a"
    knn.forget()
    with pytest.raises(ValueError, match="nothing learned yet: show at least one example"):
        knn.predict([1])


# --- mean, variance, scaler

@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 6), rows=st.integers(2, 200), bits=st.integers(1, 31),
       offset=st.integers(-10**9, 10**9))
def test_running_mean_and_variance(seed, size, rows, bits, offset):
    x = np.random.default_rng(seed).integers(0, 1 << bits, (rows, size)) + offset
    running, reference = learn.Running(size), StandardScaler()
    for row in x.tolist():
        running.update(row)
    for part in np.array_split(x, 3):
        if len(part):
            reference.partial_fit(part.astype(float))
    mean = [running.mean(i) for i in range(size)]
    variance = np.array([running.variance(i) for i in range(size)])
    assert mean == pytest.approx(reference.mean_, rel=1e-12, abs=1e-9)
    # scikit-learn's floats lose digits where the offset is large; NumPy, about an exact middle, does not.
    middle = x - x.min(axis=0)
    assert variance == pytest.approx(middle.var(axis=0), rel=1e-9, abs=1e-12)
    if abs(offset) < 1000:
        assert variance == pytest.approx(reference.var_, rel=1e-6, abs=1e-6)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), bits=st.integers(3, 28), offset=st.integers(-10**6, 10**6))
def test_a_scaler_is_the_standard_score_in_steps_of_a_32nd(seed, bits, offset):
    rng = np.random.default_rng(seed)
    x = (rng.normal(0, 1 << bits, (300, 3)) + offset).astype(np.int64)
    running = learn.Running(3)
    for row in x.tolist():
        running.update(row)
    scaler, out = running.scaler(), [0, 0, 0]
    found = np.array([scaler.scale(row, out).copy() for row in x.tolist()])
    expected = np.clip(32 * StandardScaler().fit(x).transform(x), -128, 127)
    # Rounded down: one step; `low` and `high` are whole: another 32nd of a step or, for small numbers, some.
    assert np.abs(found - expected).max() <= 1.1 + 64 / (1 << bits) * 4


# --- online k-means

def blobs(seed, k=3, size=4, rows=120):
    rng = np.random.default_rng(seed)
    middles = rng.permutation([-90, 0, 90])[:k, None] + rng.integers(-10, 10, (k, size))
    number = np.concatenate([np.arange(k), rng.integers(0, k, rows - k)])
    return np.clip(middles[number] + rng.normal(0, 6, (rows, size)), -128, 127).round().astype(np.int8)


@pytest.mark.parametrize("seed", range(3))
def test_centres_move_as_those_of_mini_batch_k_means_with_batches_of_one(seed):
    x = blobs(seed)
    centres = learn.Centres(4, k=3)
    numbers = [centres.update(row) for row in x.tolist()]
    reference = MiniBatchKMeans(3, init=x[:3].astype(float), n_init=1, reassignment_ratio=0)
    expected = []
    with threadpool_limits(1):  # for one sample, threads only wait for each other
        for part in (x[:3], *x[3:, None]):
            expected += reference.partial_fit(part.astype(float)).labels_.tolist()
    assert numbers == expected and centres.counts.tolist() == np.bincount(numbers).tolist()
    found = np.array([centres.centre(i) for i in range(3)])
    assert np.abs(found - reference.cluster_centers_).max() < 0.001
    assert [centres.predict(row) for row in x.tolist()] == reference.predict(x.astype(float)).tolist()


def test_a_centre_with_a_short_memory_follows():
    centres = learn.Centres(1, k=1, memory=20)
    for _ in range(500):
        centres.update([-50])
    for _ in range(200):
        centres.update([50])
    assert centres.centre(0) == pytest.approx([50], abs=0.01)


def test_a_centre_stays_in_the_middle_of_its_noise():
    x = np.random.default_rng(0).integers(-20, 21, 50_000).astype(np.int8)
    centres = learn.Centres(1, k=1)
    for value in x.tolist():
        centres.update((value,))
    assert abs(centres.centre(0)[0]) < 1.5, "three sigma of a mean of 1000 is 1.1"


def test_centres_begin_at_samples_that_differ():
    centres = learn.Centres(2, k=2)
    assert [centres.update(row) for row in ([1, 1], [1, 1], [5, 5], [6, 6])] == [0, 0, 1, 1]


# --- files

def everything(rng):
    """One of each, and what tells whether it came back."""
    x = features(rng, 20, 3)
    running, centres = learn.Running(3), learn.Centres(3, k=2)
    for row in x.tolist():
        running.update([value << 20 for value in row])
        centres.update(row)
    plain = taught(x, ["idle", "wave", 7, "Grüße"] * 5, room=21)
    scaled = learn.Neighbours(3, scaler=running.scaler(), k=1)
    scaled.add([1 << 25, 5, -(1 << 24)], "one")
    return {"plain": plain, "scaled": scaled, "running": running, "scaler": running.scaler(), "centres": centres,
            "empty": learn.Neighbours(2)}


def state(thing):
    return {name: state(value) if isinstance(value, learn.Scaler) else bytes(value) if hasattr(value, "tobytes") else value
            for name, value in vars(thing).items() if name not in ("distance", "_example", "_nearest", "_whose", "_votes")}


def test_what_is_saved_comes_back(tmp_path):
    for name, thing in everything(np.random.default_rng(0)).items():
        path = str(tmp_path / name)
        thing.save(path)
        thing.save(path)
        back = learn.load(path)
        if name == "plain":
            back._rows[60:] = thing._rows[60:]  # room that is not used
        assert type(back) is type(thing) and state(back) == state(thing)
        assert os.listdir(tmp_path) == [name]
        os.remove(path)


def test_any_damage_is_noticed(tmp_path):
    path = str(tmp_path / "knn")
    everything(np.random.default_rng(0))["scaled"].save(path)
    with open(path, "rb") as file:
        whole = file.read()
    rng = np.random.default_rng(1)
    damaged = [whole[:cut] for cut in range(len(whole))]
    for at in rng.integers(0, len(whole), 200):
        damaged.append(whole[:at] + bytes([whole[at] ^ 1 << rng.integers(8)]) + whole[at + 1:])
    for data in damaged:
        with open(path, "wb") as file:
            file.write(data)
        with pytest.raises(ValueError, match="is damaged, or was not saved by learn"):
            learn.load(path)


class PowerCut(BaseException):
    pass


@pytest.mark.parametrize("renames_over", [True, False], ids=["littlefs", "FAT"])
def test_wherever_the_power_goes_there_is_the_old_file_or_the_new_one(tmp_path, monkeypatch, renames_over):
    """Count the steps that touch the flash, and cut the power before each of them and after the last one."""
    path = str(tmp_path / "centres")
    steps = [None]

    def step(action):
        def done(*args, **keywords):
            if steps[0] == 0:
                raise PowerCut
            steps[0] -= 1
            return action(*args, **keywords)
        return done

    def move(old, new):
        if os.path.exists(new) and not renames_over:
            raise FileExistsError(17, "EEXIST")
        os.replace(old, new)

    class Flash:
        sync = staticmethod(step(lambda: None))
        remove = staticmethod(step(os.remove))
        rename = staticmethod(step(move))

    class File:
        def __init__(self, *args):
            self._file = open(*args)
            self.write, self.flush = step(self._file.write), step(self._file.flush)
            self.read = self._file.read

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

    monkeypatch.setattr(learn, "os", Flash)
    monkeypatch.setattr(learn, "open", File, raising=False)
    old, new = learn.Centres(2, k=1), learn.Centres(2, k=1)
    old.update([1, 1])
    new.update([9, 9])
    seen = []
    for cut in range(30):
        for name in os.listdir(tmp_path):
            os.remove(tmp_path / name)
        steps[0] = 1000
        old.save(path)
        steps[0] = cut
        try:
            new.save(path)
            whole = True
        except PowerCut:
            whole = False
        seen.append(learn.load(path).centre(0)[0])
        if whole:
            break
    assert whole and seen == sorted(seen) and set(seen) == {1.0, 9.0}
    assert cut == (7 if renames_over else 9), "each write, flush, sync and rename was a place to cut"


# --- the simulated board

def on_board(board, code):
    with pytest.raises(BoardCodeError) as caught:
        board.exec(code)
    return caught.value.reason


@pytest.mark.parametrize("code, message", [
    ("Neighbours(0)", "ValueError: expected 1 to 16000 features, room for 1 to 999 examples"),
    ("Neighbours(3, room=2, k=3)", "ValueError: expected 1 to 16000 features"),
    ("Neighbours(3).add([1, 2], 'wave')", "ValueError: an example of 3 features was expected, 2 found"),
    ("Neighbours(2).add([1, 200], 'wave')", "ValueError: expected int8 features, -128 to 127, found 200; give a scaler"),
    ("Neighbours(2).predict([1, 2])", "ValueError: nothing learned yet: show at least one example"),
    ("Neighbours(2).forget('wave')", "ValueError: no examples of 'wave'; there are none"),
    ("Neighbours(2, scaler=Scaler(array('i', [0]), array('i', [1])))", "ValueError: the scaler is for 1 features"),
    ("Running(2).update([1, 2.5])", "ValueError: expected integers, found 2.5; 23.4 degrees are 234 tenths"),
    ("Running(2).mean(0)", "ValueError: at least 1 samples are needed, 0 came so far"),
    ("Centres(2, 3).predict([1, 2])", "ValueError: no centre has begun: update"),
    ("load('/nothing.knn')", "ValueError: no file /nothing.knn on the board: learn first, then save"),
])
def test_mistakes_are_answered_with_a_sentence(board, code, message):
    assert message in on_board(board, code)


def test_the_board_computes_what_the_twin_computes(board):
    rng = np.random.default_rng(3)
    x, new = rng.integers(-4_000_000, 4_000_000, (24, 5)), rng.integers(-4_000_000, 4_000_000, (20, 5))
    labels = ["idle", "wave", "circle"] * 8
    running, centres = learn.Running(5), learn.Centres(5, k=3)
    for row in x.tolist():
        running.update(row)
    knn = taught(x, labels, scaler=running.scaler(), room=20)
    for row in new.tolist():
        centres.update(running.scaler().scale(row, [0] * 5))
    found = board.exec(f"""
import json
x, new, labels = {x.tolist()}, {new.tolist()}, {labels}
running, centres = Running(5), Centres(5, k=3)
for row in x:
    running.update(row)
knn = Neighbours(5, scaler=running.scaler(), room=20)
for row, label in zip(x, labels):
    knn.add(row, label)
out = array("b", bytes(5))
for row in new:
    centres.update(knn.scaler.scale(row, out))
for name, thing in (("knn", knn), ("running", running), ("centres", centres)):
    thing.save("/" + name)
knn, running, centres = load("/knn"), load("/running"), load("/centres")
print(json.dumps([[running.mean(i) for i in range(5)], [running.variance(i) for i in range(5)],
                  [centres.centre(i) for i in range(3)], [[knn.predict(row), knn.distance] for row in new]]))
""")
    expected = [[running.mean(i) for i in range(5)], [running.variance(i) for i in range(5)],
                [centres.centre(i) for i in range(3)], [[knn.predict(row), knn.distance] for row in new.tolist()]]
    found = json.loads(found)
    assert found[3] == expected[3]
    for row, right in zip(found[:3], expected[:3], strict=True):
        assert np.array(row) == pytest.approx(np.array(right), rel=1e-6)


def test_predicting_takes_no_memory(board):
    board.exec("""
running, centres = Running(8), Centres(8, k=4)
for i in range(50):
    running.update([(i * j * 7919) % 100000 for j in range(1, 9)])
knn = Neighbours(8, scaler=running.scaler(), room=10)
out = array("b", bytes(8))
raw = [[(i * j * 104729) % 100000 for j in range(1, 9)] for i in range(1, 13)]
rows = []
for i in range(12):
    knn.add(raw[i], "abc"[i % 3])
    rows.append(array("b", knn.scaler.scale(raw[i], out)))
    centres.update(rows[-1])

def ask(times):
    for _ in range(times):
        for i in range(12):
            knn.predict(raw[i])
            centres.predict(rows[i])
            centres.update(rows[i])

def taken(times):
    gc.collect()
    before = gc.mem_alloc()
    ask(times)
    return gc.mem_alloc() - before
""")
    # What a first call takes may stay; more calls take no more.
    assert board.eval("taken(50)") == board.eval("taken(1)") < 100


def prepare(board):
    """An old file with "old", a new model with "new" that waits to be saved."""
    board.exec("""
import learn, os, gc
from learn import *
knn = Neighbours(2, k=1)
knn.add([1, 2], "old")
knn.save("/kept.knn")
knn.forget()
knn.add([1, 2], "new")
def wait(*args):
    print("now")
    while True:
        pass
class Flash:
    remove, rename, sync = os.remove, os.rename, lambda: None
""")


@pytest.mark.parametrize("place", ["in the middle of the file", "before the rename"])
def test_a_brown_out_while_it_saves(board, place):
    prepare(board)
    if place == "before the rename":
        board.exec("Flash.rename = wait\nlearn.os = Flash")
    else:
        board.exec("""
class Slow:
    def __init__(self, *args):
        self.file, self.parts = open(*args), 0
    def __enter__(self):
        return self
    def __exit__(self, *args):
        self.file.close()
    def write(self, data):
        self.file.write(data)
        self.file.flush()
        self.parts += 1
        if self.parts == 2:
            wait()
learn.open = Slow
""")
    soon = threading.Timer(0.3, board.world.fault, ("brown-out",))
    soon.start()
    with pytest.raises(BoardRestartedError) as caught:
        board.exec("knn.save('/kept.knn')")
    soon.join()
    assert "now" in caught.value.output
    board.world.mend()
    assert "kept.knn.new" in board.ls(), "half of the new file, or all of it under the other name"
    assert board.exec("from learn import load\nprint(load('/kept.knn').predict([1, 2]))") == "old\n"
    board.exec("import gc\nfrom array import array\nfrom learn import *\nknn = load('/kept.knn')\nknn.save('/kept.knn')")
    assert "kept.knn.new" not in board.ls()


def test_a_full_flash_while_it_saves(board):
    prepare(board)
    board.world.fault("flash full")
    try:
        reason = on_board(board, "knn = Neighbours(192, room=100)\nfor i in range(100): knn.add([i] * 192, 'new')\n"
                                 "knn.save('/kept.knn')")
    finally:
        board.world.mend("flash full")
    assert "could not save /kept.knn; the old file, if there was one, is still there. If the flash is full" in reason
    assert board.exec("print(load('/kept.knn').predict([1, 2]))") == "old\n" and "kept.knn.new" not in board.ls()


def test_no_other_module_comes_with_it():
    """It is copied alone."""
    files = [path for path in files_for(None) if path == "/lib/learn.mpy"]
    assert files == ["/lib/learn.mpy"] and len(compile_file(FIRMWARE / "lib" / "learn.py")) < 7000


def test_the_teacher_knows_what_it_was_shown_also_after_a_power_cut(board, tmp_path):
    params = FeatureParams(kind="summary")
    running = learn.Running(14)
    for row in motion.summary(load_dataset("gestures").windows(128, 128).x, params).tolist():
        running.update(row)
    running.scaler().save(str(tmp_path / "scaler.bin"))
    board.put((tmp_path / "scaler.bin").read_bytes(), "/models/scaler.bin")
    board.install("teach")
    board.exec("from apps.teach import Teacher\nteacher = Teacher('/models/scaler.bin')")
    for label in ("idle", "wave", "circle"):
        board.world.play(make_recording(label, "s21", seed=0, duration_s=8))
        said = board.exec(f"teacher.show({label!r})")
    assert said == "5 examples of circle, 15 in all\n"
    board.exec("teacher.save()")
    board.world.fault("brown-out")
    with pytest.raises(BoardRestartedError):
        board.exec("")
    board.world.mend()
    board.exec("from apps.teach import Teacher\nteacher = Teacher('/models/scaler.bin')")
    for label in ("circle", "idle", "wave"):
        board.world.play(make_recording(label, "s21", seed=5, duration_s=8))
        answers = [line.split() for line in board.exec("teacher.watch(5)").splitlines()]
        assert [answer for answer, _ in answers] == [label] * 5 and max(int(distance) for _, distance in answers) < 10_000
    board.world.play(make_recording("shake", "s21", seed=5, duration_s=8))
    distances = [int(line.split()[1]) for line in board.exec("teacher.watch(5)").splitlines()]
    assert min(distances) > 50_000, "what it was never shown is far from all it knows"


def test_the_teacher_asks_for_each_label(board):
    board.remove("/taught.bin")
    board.world.play(make_recording("wave", "s21", seed=0, duration_s=20))
    said = board.run("teach", labels=("idle", "wave"), examples=2, windows=3).splitlines()
    assert said[:4] == ["show me: idle, 2 times 1.28 s", "2 examples of idle, 2 in all", "show me: wave, 2 times 1.28 s",
                        "2 examples of wave, 4 in all"] and len(said) == 7
    assert "taught.bin" in board.ls()
