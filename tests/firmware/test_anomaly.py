"""Detectors that learn their normal: NumPy says what is right, and the board answers like the host, to the bit."""

import json

import numpy as np
import pytest

from edgekit.bytecode import compile_file
from edgekit.errors import BoardCodeError
from edgekit.paths import FIRMWARE
from edgekit.train.events import Event, match
from edgekit.twin import board_module

anomaly = board_module("anomaly")
ring = board_module("ring")

EVERYTHING = {"streams": ["soil", "valve"], "learn": 300, "watches": [
    {"stream": "soil", "kind": "range", "low": 500, "high": 4500},
    {"stream": "soil", "kind": "zscore", "window": 15, "factor": 8, "least": 40},
    {"stream": "soil", "kind": "ewma", "shift": 6, "factor": 8, "least": 40},
    {"stream": "soil", "kind": "band", "factor": 5, "least": 40, "on": 3, "slots": 8, "name": "hour"},
    {"stream": "soil", "kind": "spike", "factor": 10, "least": 40},
    {"stream": "soil", "kind": "flat", "least": 12},
    {"stream": "soil", "kind": "drift", "jump": 60, "slack": 1, "limit": 120, "slots": 8},
    {"stream": "soil", "kind": "response", "cause": "valve", "wait": 6, "least": 50}]}


def some_days(seed=0, samples=1500):
    """Water every 100 samples, then it dries; and everything that may go wrong once."""
    rng = np.random.default_rng(seed)
    valve = (np.arange(samples) % 100 == 20).astype(int)
    answer = np.zeros(samples)
    for start in np.flatnonzero(valve):
        if not 600 <= start < 800:  # two times no water arrives
            answer[start + 1:] += 300 * np.exp(-np.arange(samples - start - 1) / 40)
    x = 2000 + answer + 30 * np.sin(np.arange(samples) * 2 * np.pi / 144) + rng.normal(0, 4, samples)
    x[450] += 700
    x[900:950] = x[900]
    x[1100:1300] += np.arange(200) * 3
    x[1400:] = 6000
    return np.stack([np.rint(x).astype(int), valve], axis=1).tolist()


def events_of(monitor, rows, slots=8):
    """(sample, stream, name, begun) of every change."""
    return [(t, *monitor.told(i)) for t, row in enumerate(rows)
            for i in range(monitor.update(row, t // 18 % slots))]


def begun(found, name):
    return [t for t, _, what, on in found if what == name and on]


def only(x, slot=0, **watch):
    """When a single watch raised its alarm."""
    monitor = anomaly.Monitor({"streams": ["x"], "learn": watch.pop("learn", 0), "watches": [{"stream": "x", **watch}]})
    return begun(events_of(monitor, [[value] for value in x], 1), watch.get("name", watch["kind"]))


def test_each_kind_finds_its_own():
    found = events_of(anomaly.Monitor(EVERYTHING), some_days())
    assert begun(found, "spike") == [453], "three samples later"
    assert begun(found, "flat") == [912, 1412] and (950, "soil", "flat", False) in found
    # Six samples after the first water that did not come; a dead sensor does not answer either.
    assert begun(found, "response") == [626, 926, 1426]
    assert (826, "soil", "response", False) in found, "and over when it came again"
    assert [t for t in begun(found, "drift") if 1100 <= t < 1300] == [1181], "3 for each sample from 1100 on"
    assert begun(found, "range") == [1400]
    assert 450 in begun(found, "zscore") and 450 in begun(found, "ewma")
    assert begun(found, "hour"), "the band of the hour notices the last level"


def test_nothing_is_said_while_it_learns():
    rows = some_days()
    assert all(t >= 1450 for t, *_ in events_of(anomaly.Monitor({**EVERYTHING, "learn": 1450}), rows))


def test_the_rolling_z_score_is_numpys():
    rng = np.random.default_rng(1)
    x = rng.normal(0, 40, 800).astype(int)
    x[::37] *= 6
    expected = []
    for t in range(15, len(x)):
        window = x[t - 15:t]
        # Half of the fourteen others, from the median outwards.
        spread = np.sort(np.abs(window - np.median(window)))[7]
        away = abs(x[t] - np.median(window))
        if away > 20 and 2 * away > 3 * 4 * spread:
            expected.append(t)
    state = anomaly.ZScore(window=15, factor=4, least=20)
    assert [t for t, value in enumerate(x.tolist()) if state.look(value, 0, 0, True, False)] == expected
    assert len(expected) > 15


def test_the_running_mean_is_near_the_floating_one():
    rng = np.random.default_rng(2)
    x = rng.normal(1000, 50, 3000)
    watch = anomaly.Ewma(shift=6)
    mean = 0.0
    for n, value in enumerate(np.rint(x).astype(int).tolist(), 1):
        watch.look(value, 0, 0, True, False)
        mean += (value - mean) / min(n, 64)
    assert abs(watch.mean(0) / 256 - mean) < 3, "clipping at three deviations moves it a little"
    assert watch.state[3] / 256 == pytest.approx(50 * np.sqrt(2 / np.pi), rel=0.25)


def test_a_step_is_no_spike():
    quiet = np.random.default_rng(3).integers(-3, 4, 400)
    step = quiet + np.where(np.arange(400) < 200, 0, 500)
    assert only(step.tolist(), kind="spike", factor=8, least=20) == []
    for width in (1, 2, 3):
        spiky = quiet.copy()
        spiky[300:300 + width] += 100
        assert only(spiky.tolist(), kind="spike", factor=8, least=20) == [303]
    spiky[300:304] += 100
    assert only(spiky.tolist(), kind="spike", factor=8, least=20)[1:] == [], "four of seven are the majority"


def test_flat_is_longer_than_what_was_usual():
    usual = ([1] * 20 + [2] * 20) * 10
    assert only(usual + [2] * 30 + [3] * 40, kind="flat", least=10, learn=400) == []
    # 20 of the usual ones and then some: three times 19 repetitions.
    assert only(usual + [3] * 80, kind="flat", least=30, learn=400) == [400 + 57]
    assert only([7] * 500, kind="flat", least=30, learn=300) == [300], "dead from the start"


def test_drift_counts_what_creeps_and_no_jump():
    quiet = np.random.default_rng(4).integers(-5, 6, 2000)
    jumps = quiet + 400 * (np.arange(2000) // 500)
    ramp = quiet + np.maximum(0, np.arange(2000) - 1000)
    drift = {"kind": "drift", "jump": 100, "slack": 3, "limit": 60, "slots": 1, "shift": 9, "learn": 600, "span": 6}
    assert only(jumps.tolist(), **drift) == []
    up, down = only(ramp.tolist(), **drift), only((-ramp).tolist(), **drift)
    # 6 for each step, 3 of them slack: 20 steps of 6 samples.
    assert len(up) == len(down) == 1 and 1060 <= up[0] <= 1200 and abs(up[0] - down[0]) <= 30


def test_the_daily_course_is_no_drift():
    course = np.rint(300 * np.sin(np.arange(144 * 20) * 2 * np.pi / 144)).astype(int).tolist()
    settings = {"streams": ["x"], "learn": 1440, "watches": [
        {"stream": "x", "kind": "drift", "jump": 200, "slack": 3, "limit": 100, "slots": 24}]}
    rows = [[value] for value in course]
    monitor = anomaly.Monitor(settings)
    assert [monitor.update(row, t // 6 % 24) for t, row in enumerate(rows)] == [0] * len(rows)
    blind = anomaly.Monitor({**settings, "watches": [{**settings["watches"][0], "slots": 1}]})
    assert sum(blind.update(row, 0) for row in rows) > 0, "without the hours each morning creeps"


@pytest.mark.parametrize("on, off, expected", [(1, 1, [(10, 1), (12, -1), (20, 1), (21, -1)]), (2, 1, [(11, 1), (12, -1)]),
                                                (1, 9, [(10, 1), (29, -1)]), (3, 3, [])])
def test_on_and_off(on, off, expected):
    watch = anomaly.Range(high=5, on=on, off=off)
    x = [9 if t in (10, 11, 20) else 0 for t in range(40)]
    assert [(t, news) for t, value in enumerate(x) if (news := watch.update(value, 0, 0, False))] == expected


def test_a_stream_may_be_missing_for_a_while():
    rows = some_days()
    monitor = anomaly.Monitor(EVERYTHING)
    for row in rows[:400]:
        monitor.update(row, 0)
    assert monitor.update([None, None], 0) == 0


@pytest.mark.parametrize("settings, message", [
    ({"streams": ["x"], "watches": [{"stream": "x", "kind": "wave"}]}, "no kind of watch 'wave'; there are band, ceiling, drift"),
    ({"streams": ["x"], "watches": [{"stream": "y", "kind": "flat"}]}, "no stream 'y'; there are x"),
    ({"streams": ["x"], "watches": [{"stream": "x", "kind": "flat", "size": 3}]}, "the watch 'flat' of 'x' has a setting"),
    ({"streams": ["x"], "watches": [{"stream": "x", "kind": "response"}]}, "a response needs the stream of its cause"),
    ({"streams": ["x"], "watches": [{"stream": "x", "kind": "spike", "width": 4}]}, "an odd number of samples from 3 to 15"),
    ({"streams": ["x"], "watches": [{"stream": "x", "kind": "flat", "on": 0}]}, "expected on and off to be at least 1"),
    ({"streams": ["x"], "watches": [{"stream": "x", "kind": "drift", "span": 90}]}, "expected a span of 1 to 60"),
])
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        anomaly.Monitor(settings)


# --- what it has learned

def test_after_a_restart_it_goes_on_as_if_nothing_had_been(tmp_path):
    rows = some_days()
    whole = events_of(anomaly.Monitor(EVERYTHING), rows)
    for cut in (10, 299, 455, 640, 930, 1200):
        path = str(tmp_path / f"{cut}")
        first = anomaly.Monitor(EVERYTHING)
        before = [(t, *first.told(i)) for t in range(cut) for i in range(first.update(rows[t], t // 18 % 8))]
        log = ring.Ring(path, first.state_bytes, 1)
        first.save(log)
        log.close()
        second = anomaly.Monitor(EVERYTHING)
        log = ring.Ring(path, second.state_bytes, 1)
        assert second.restore(log)
        log.close()
        after = [(t, *second.told(i)) for t in range(cut, len(rows)) for i in range(second.update(rows[t], t // 18 % 8))]
        assert before + after == whole


def test_other_settings_have_another_state(tmp_path):
    monitor = anomaly.Monitor(EVERYTHING)
    log = ring.Ring(str(tmp_path / "state"), monitor.state_bytes, 1)
    assert not monitor.restore(log), "nothing yet"
    monitor.save(log)
    reordered = json.loads(json.dumps(EVERYTHING, sort_keys=True))
    assert anomaly.Monitor(reordered).restore(log)
    assert not anomaly.Monitor({**EVERYTHING, "learn": 301}).restore(log)
    log.close()


# --- the simulated board

@pytest.fixture(scope="module")
def ready(board):
    for name in ("anomaly", "ring"):
        board.put(compile_file(FIRMWARE / "lib" / f"{name}.py"), f"/lib/{name}.mpy")
    board.put(json.dumps(EVERYTHING).encode(), "/settings.json")
    board.exec("import gc, json\nfrom array import array\nfrom anomaly import Monitor\nfrom ring import Ring\n"
               "with open('/settings.json') as file: settings = json.load(file)\nmonitor = Monitor(settings)\n"
               "log = Ring('/state', monitor.state_bytes, 1)\n")
    return board


def test_the_board_says_the_same_and_remembers_the_same(ready, tmp_path):
    rows = some_days(seed=5)
    twin = anomaly.Monitor(EVERYTHING)
    expected = events_of(twin, rows)
    ready.put(np.array(rows, "<i2").tobytes(), "/rows.bin")
    ready.exec("""
rows = array("h")
with open("/rows.bin", "rb") as file: rows = array("h", file.read())
values = array("h", (0, 0))
found = []
for t in range(len(rows) // 2):
    values[0] = rows[2 * t]
    values[1] = rows[2 * t + 1]
    for i in range(monitor.update(values, t // 18 % 8)):
        found.append((t,) + monitor.told(i))
monitor.save(log)
""")
    assert ready.eval("found") == expected and len(expected) > 15
    (tmp_path / "state").write_bytes(ready.get("/state"))
    board_log = ring.Ring(str(tmp_path / "state"), twin.state_bytes, 1)
    mine = ring.Ring(str(tmp_path / "mine"), twin.state_bytes, 1)
    twin.save(mine)
    assert list(board_log) == list(mine), "all that was learned, to the bit"
    board_log.close()
    mine.close()


def test_a_sample_takes_no_memory(ready):
    ready.exec("""
def taken(times):
    before = gc.mem_alloc()
    for t in range(times):
        values[0] = 2000 + t * 37 % 400
        values[1] = t % 40 == 0
        monitor.update(values, t % 8)
        if t % 40 == 0:
            monitor.save(log)
    return gc.mem_alloc() - before
""")
    assert ready.eval("taken(400)") == ready.eval("taken(1)") < 100


def test_bad_settings_on_the_board(ready):
    with pytest.raises(BoardCodeError) as caught:
        ready.exec("Monitor({'streams': ['x'], 'watches': [{'stream': 'x', 'kind': 'flat', 'size': 3}]})")
    assert "the watch 'flat' of 'x' has a setting that it does not know" in caught.value.reason


def test_it_is_small():
    assert len(compile_file(FIRMWARE / "lib" / "anomaly.py")) < 7000


def test_the_scores_know_these_events():
    """The alarms of :func:`some_days`, as the lesson scores them."""
    found = events_of(anomaly.Monitor({**EVERYTHING, "watches": EVERYTHING["watches"][4:]}), some_days())
    alarms = [Event(t, t + 1, name) for t, _, name, on in found if on]
    truth = [Event(450, 451, "spike"), Event(620, 820, "response"), Event(900, 950, "flat"), Event(1100, 1300, "drift")]
    assert match(truth, [alarm for alarm in alarms if alarm.start < 1400], early=0, late=20).recall >= 0.75
