"""apps/machine on the simulated board: a FIFO of 1.66 kHz, a decision that is the host's, a log that survives."""

import json

import numpy as np
import pytest

from edgekit.board.simulated import SimulatedBoard
from edgekit.features import vibration as features
from edgekit.paths import MODELS
from edgekit.recipes import vibration as recipe
from edgekit.signals.vibration import make_recording
from edgekit.simulator.chips.lsm6dsox import LSM6DSOX

MOTOR = "m34"


@pytest.fixture(scope="module")
def watching():
    with SimulatedBoard() as board:
        chip = LSM6DSOX(board.world.sense)
        for bus in (0, 1):
            board.world.attach(chip, bus)
        board.put(MODELS / "machine_int8.tflite", "/models/machine/machine.tflite")
        board.put(MODELS / "machine.json", "/models/machine/machine.json")
        board.put(json.dumps(features.plate(MOTOR)).encode(), "/models/machine/plate.json")
        board.install("machine")
        yield board, chip


def play(board, fault):
    board.world.play(make_recording(fault, MOTOR, 0.6, 1.0, samples=8192), loop=True)


def log(board):
    return board.eval("__import__('apps.machine').machine.read_log()")


def test_the_fifo_loses_nothing(watching):
    board, chip = watching
    play(board, "healthy")
    board.exec("import boards\nfrom array import array\nfrom lsm6ds3 import LSM6DS3\nsensor = LSM6DS3(boards.i2c(), accel_scale=4, rate_hz=1660)\nx = array('h', bytes(4096))\nlost = sensor.record(x)")
    assert board.eval("lost") == 0
    found = np.array(board.eval("list(x)"), np.int16)
    assert chip.fifo_lost == 0
    played = make_recording("healthy", MOTOR, 0.6, 1.0, samples=8192).samples[:, 0]
    # Somewhere in the loop the same samples; the world's held values and the chip's clock may pick a neighbour.
    twice = np.concatenate([played, played]).astype(float)
    score = np.correlate(twice - twice.mean(), found - found.mean())
    at = score.argmax()
    assert np.corrcoef(twice[at:at + 2048], found)[0, 1] > 0.97


def test_healthy_is_quiet_a_bearing_is_not_and_a_power_cut_forgets_nothing(watching):
    board, chip = watching
    play(board, "healthy")
    assert "3 measurements, 0 with a gap, alarm off" in board.run("machine", measurements=3, frames=False)
    play(board, "outer")
    printed = board.run("machine", measurements=2, frames=False)
    assert "raised" not in printed and "alarm off" in printed
    # The power goes: two votes are on the flash, the third raises the alarm.
    board.reset()
    play(board, "outer")
    printed = board.run("machine", measurements=1, frames=False)
    assert "raised" in printed and "alarm on" in printed
    assert board.run("machine", measurements=1, frames=False).startswith(" ")        # told once more after each start
    play(board, "healthy")
    assert "cleared" in board.run("machine", measurements=5, frames=False)
    records = log(board)
    assert [number for number, *_ in records] == list(range(1, 13))
    assert [what for _, what, *_ in records].count("raised") == [what for _, what, *_ in records].count("cleared") == 1
    # Every score is what the computer says to the same input: 0 mismatches.
    content, _, limit = recipe.load_shipped()
    inputs = np.array([row[5] for row in records], np.int8)
    assert [row[3] for row in records] == recipe.errors(content, inputs).tolist()
    assert chip.fifo_lost == 0


def test_a_decision_takes_no_memory(watching):
    """Spectrum and envelope: see test_vibration. What the simulated bus itself takes for each transaction is not counted."""
    board, _ = watching
    board.exec("""
import gc, json
from array import array
import tflite_micro
from apps.machine import Watcher
watcher = Watcher(json.load(open("/models/machine/machine.json")), tflite_micro.load_model("/models/machine/machine.tflite"))
values = array("h", [1000] * 16)
def taken(times):
    watcher.update(values)
    before = gc.mem_alloc()
    for i in range(times):
        watcher.update(values)
    return gc.mem_alloc() - before
""")
    assert board.eval("taken(20)") - board.eval("taken(1)") < 200
