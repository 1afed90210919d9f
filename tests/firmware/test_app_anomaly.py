"""The app anomaly: it reads, learns, logs, acts, and goes on after a brown-out."""

import json
import math

import pytest

from edgekit.board.simulated import SimulatedBoard
from edgekit.errors import BoardRestartedError
from edgekit.recipes.anomaly import SOIL
from edgekit.simulator.chips.analog import SoilMoistureSensor
from edgekit.simulator.chips.ds18b20 import DS18B20


def test_a_dead_probe_is_logged_through_a_brown_out():
    settings = {**SOIL, "learn": 20, "sensors": "soil", "period_s": 600, "save_every": 36}
    with SimulatedBoard() as board:
        world = board.world
        world.set_noise(soil_moisture_percent=0.3, temperature_c=0.3)
        world.set(soil_moisture_percent=30, temperature_c=lambda s: 20 + 5 * math.sin(s / 13751))
        world.adc(board.profile.pins["ADC"], SoilMoistureSensor(world))
        for number in (1, 2):
            world.onewire(board.profile.pins["SERVO"], DS18B20(world.sense, number))
        board.install("anomaly")
        board.put(json.dumps(settings).encode(), "/soil.json")
        said = board.exec("from apps.anomaly import main\nmain(samples=72)")
        assert said.splitlines() == ["it begins to learn"] and world.pin("RELAY") == 0
        world.fault("brown-out")
        with pytest.raises(BoardRestartedError):
            board.exec("")
        world.mend()
        world.adc(board.profile.pins["ADC"], 0.0)  # its wire is cut
        said = board.exec("from apps.anomaly import main, show\nmain(samples=40)").splitlines()
        assert said[0] == "it knows its place" and "96 moisture flat begins" in said and world.pin("RELAY") == 1
        assert "96 moisture flat begins" in board.exec("show()")
