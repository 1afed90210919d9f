"""The doctor on a board: what is well is said with its figures, what is not with its remedy."""

import re

import pytest

from edgekit.board import examine as examine_module
from edgekit.board.base import BoardInfo
from edgekit.board.doctor import doctor
from edgekit.board.examine import examine
from edgekit.board.simulated import SimulatedBoard
from edgekit.simulator.chips.bmp280 import BMP280
from edgekit.simulator.chips.lsm9ds1 import LSM9DS1
from edgekit.simulator.chips.max30102 import MAX30102
from edgekit.simulator.world import World


def finding(findings, what):
    return next(found for found in findings if found.what == what)


def test_a_simulated_board_is_well():
    findings = doctor("sim")
    assert findings.ok, findings
    text = str(findings)
    assert "MPU6050 at 0x68" in text and "virtual: the simulated board's time passes" in text
    assert re.search(r"Bytecode +\.mpy 6\.3", text) and re.search(r"ms there and back, [\d.]+ kB/s", text)
    assert re.search(r"Memory +[\d,]+ bytes free, the largest piece [\d,]+", text)


def test_nothing_is_left_on_the_board():
    with SimulatedBoard() as board:
        examine(board)
        assert board.ls() == []
        assert "_edgekit" not in board.eval("list(globals())")


def test_a_clock_in_real_time(monkeypatch):
    monkeypatch.setattr(examine_module, "_CLOCK_S", 0.3)
    with SimulatedBoard(clock="real") as board:
        found = finding(examine(board), "Clock")
    assert float(found.found.split()[0]) == pytest.approx(1, abs=0.3)  # a busy computer


def test_sensors_are_named_and_a_strange_one_too():
    world = World()
    world.attach(MAX30102(world.sense), bus=0)
    world.attach(BMP280(world.sense), bus=0, address=0x76)
    world.attach(MAX30102(world.sense), bus=0, address=0x69)
    with SimulatedBoard(world=world) as board:
        found = finding(examine(board), "Sensors")
    assert not found.ok and "The course wants a motion sensor such as the MPU6050: VCC to 3.3 V" in str(found)
    assert "MAX30102 at 0x57" in found.found and "BMP280 at 0x76" in found.found
    assert re.search(r"an unknown chip \(it says 0x..\) at 0x69", found.found)


def test_no_sensor_answers():
    with SimulatedBoard(world=World()) as board:
        found = finding(examine(board), "Sensors")
    assert not found.ok and "none answers" in found.found and "SCL to pin 22, SDA to pin 21" in found.remedy


@pytest.mark.parametrize("chip, says", [(LSM9DS1, "1 (LSM9DS1)"), (None, "neither sensor answers")])
def test_the_revision_of_a_nano(chip, says):
    world = World()
    if chip:
        world.attach(chip(world.sense), bus=1)
    with SimulatedBoard("nano33ble", world=world) as board:
        found = finding(examine(board), "Nano revision")
    assert (found.found, found.ok) == (says, chip is not None)


@pytest.mark.parametrize("change, what, message", [
    ({"micropython": "1.18.0"}, "MicroPython", "needs 1.19 or newer: download.*edgekit flash FILE"),
    ({"mpy": (5, 0)}, "Bytecode", "loads .mpy version 5, the compiler here writes version 6"),
    ({"heap_free": 20_000}, "Memory", "20,000 bytes free.*\n.*needs about 60,000 bytes. Restart the board"),
    ({"flash_free": 20_000}, "Flash", "20,000 bytes free\n.*Remove files: board.ls()"),
    ({"name": "Toaster", "mcu": "TX1"}, "Sensors", "'Toaster' is not known.*\n.*docs/add-a-board.md"),
])
def test_what_is_not_well(change, what, message):
    with SimulatedBoard() as board:
        info = BoardInfo(**{**vars(board.info), **change})

        class Other:
            """The same board, but for what it says of itself."""
            def __getattr__(self, name):
                return info if name == "info" else getattr(board, name)
        found = finding(examine(Other()), what)
    assert not found.ok and re.search(message, str(found))
