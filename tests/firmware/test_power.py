"""Features of a home's power: it finds the fridge by itself, and the board computes what the host computes."""

from array import array

import numpy as np
import pytest

from edgekit.bytecode import compile_file
from edgekit.dataset import load_dataset
from edgekit.paths import FIRMWARE
from edgekit.signals.power import _home, load_truth, make_power, per_minute
from edgekit.twin import board_module

power = board_module("power")
anomaly = board_module("anomaly")
ring = board_module("ring")

LEARN = 3 * 1440


@pytest.fixture(scope="module")
def shipped():
    return {recording.subject: recording.samples for recording in load_dataset("meter")}


def rows_of(minutes, features=None):
    features = features or power.Features(LEARN)
    return np.array([list(features.row) for minute in minutes.tolist() if features.minute(*minute)]), features


def test_nobody_told_it_how_large_the_fridge_is(shipped):
    for name, minutes in shipped.items():
        home = _home(name)
        _, features = rows_of(minutes[:LEARN])
        found = [size for size in features.sizes if size]
        expected = sorted(round(watts * home.gain) for watts in (home.fridge_w, home.freezer_w) if watts)
        assert len(found) == len(expected)
        assert np.allclose(found, expected, rtol=0.05), (name, found, expected)


def test_its_duty_is_near_the_true_one():
    samples = make_power("h02", days=6, faults=[], away=set(range(6)), guests={})[0]
    rows, _ = rows_of(per_minute(samples).samples)
    limit = _home("h02").base_w + 50
    true = (samples.samples[5 * 86_400:, 0] > limit).mean()
    assert np.median(rows[-144:, 7]) / 1000 == pytest.approx(true, abs=0.05)


def test_each_fault_moves_its_own_stream(shipped):
    column = {name: i for i, name in enumerate(power.STREAMS)}
    moved = {"leak": ("base", 25), "fridge_stops": ("fridge", 600), "stuck": ("stuck", 60), "left_on": ("long", 120),
             "spike": ("spike", 2000)}
    for name, minutes in shipped.items():
        rows, _ = rows_of(minutes)
        for start_s, stop_s, kind in load_truth()[name]:
            stream, by = moved[kind]
            values = rows[:, column[stream]].astype(int)
            before = np.percentile(values[int(start_s) // 600 - 100:int(start_s) // 600], 90)
            assert values[int(start_s) // 600:int(stop_s) // 600 + 1].max() > before + by, (name, kind)


def test_a_power_cut_teaches_nothing(shipped):
    minutes = shipped["h02"][:5 * 1440].copy()
    minutes[4 * 1440:4 * 1440 + 200] = (1, 0, 5)
    rows, _ = rows_of(minutes)
    assert rows[4 * 144 + 10, 2] == rows[4 * 144 - 1, 2] > 12       # what never stops is still known
    assert rows[4 * 144 + 19, 1] == 0                                # its noise goes on: not stuck


def test_it_learns_for_some_days(shipped):
    with pytest.raises(ValueError, match="1440 to 28800"):
        power.Features(10)
    _, features = rows_of(shipped["h02"][:LEARN - 1])
    assert features.learning and features.sizes == (0, 0)
    features.minute(100, 90, 110)
    assert not features.learning and features.sizes[0]


def test_what_it_knows_outlives_the_power(tmp_path, shipped):
    _, features = rows_of(shipped["h01"][:7000])
    log = ring.Ring(str(tmp_path / "state"), features.state_bytes, 1)
    features.save(log)
    again = power.Features(LEARN)
    assert again.restore(log) and again.sizes == features.sizes != (0, 0)
    features.state[power._BEFORE] = -1
    ours, _ = rows_of(shipped["h01"][7000:9000], features)
    theirs, _ = rows_of(shipped["h01"][7000:9000], again)
    assert np.array_equal(ours, theirs)
    assert not power.Features(2000).restore(log)
    log.close()


_BOARD = """
import gc
from array import array
from power import Features

features = Features({learn})
minute = array("h", bytes(6))

def run(count, file):
    total = 0
    for _ in range(count):
        file.readinto(minute)
        if features.minute(minute[0], minute[1], minute[2]):
            for value in features.row:
                total = (total * 31 + value) % 0xFFFFFF
    return total

def taken(count, file):
    gc.collect()
    before = gc.mem_alloc()
    run(count, file)
    return gc.mem_alloc() - before

file = open("/minutes.bin", "rb")
"""


def test_the_board_computes_the_same_and_takes_no_memory(board, shipped):
    minutes = shipped["h01"][:6 * 1440]
    board.put(minutes.astype("<i2").tobytes(), "/minutes.bin")
    board.put(compile_file(FIRMWARE / "lib" / "power.py"), "/lib/power.mpy")
    board.exec(_BOARD.format(learn=LEARN))
    total = 0
    for value in rows_of(minutes)[0].ravel().tolist():
        total = (total * 31 + value) % 0xFFFFFF
    assert board.eval(f"run({len(minutes)}, file)") == total
    board.exec("file.seek(0)")
    assert board.eval("taken(1440, file)") == board.eval("taken(10, file)") < 200


def test_a_ceiling_is_what_was_highest_while_it_learned():
    monitor = anomaly.Monitor({"streams": ["x"], "learn": 50, "watches": [
        {"stream": "x", "kind": "ceiling", "percent": 150, "least": 10, "off": 2}]})
    told = []
    for t, x in enumerate([20, 40] * 25 + [70, 71, 30, 30, 500]):
        for i in range(monitor.update(array("h", [x]))):
            told.append((t, monitor.told(i)[2]))
    assert told == [(51, True), (53, False), (54, True)]
    with pytest.raises(ValueError, match="percent of 100 to 1000"):
        anomaly.Monitor({"streams": ["x"], "watches": [{"stream": "x", "kind": "ceiling", "percent": 50}]})
