"""One simulated week of the soil app, with a brown-out in the middle: events, lost events, growth of the heap.

Run it: ``python benchmarks/week.py``. Everything is simulated, on the virtual clock.
"""

import json

from edgekit.board.simulated import SimulatedBoard
from edgekit.errors import BoardRestartedError
from edgekit.recipes.anomaly import SOIL
from edgekit.simulator.chips.analog import SoilMoistureSensor
from edgekit.simulator.chips.ds18b20 import DS18B20

PERIOD_S = 600
HALF = 504  # samples: three and a half days


def soil_week(half=HALF):
    """(what was logged, bytes of heap that each half took)."""
    settings = {**SOIL, "learn": 100, "sensors": "soil", "period_s": PERIOD_S}
    grown = []
    with SimulatedBoard() as board:
        world = board.world
        world.set_noise(soil_moisture_percent=0.3, temperature_c=0.3)
        world.set(soil_moisture_percent=30)
        probe = SoilMoistureSensor(world)
        cut = [half // 2 * PERIOD_S, (half // 2 + 40) * PERIOD_S]
        world.adc(board.profile.pins["ADC"], lambda s: 0.0 if any(c <= s < c + 20_000 for c in cut[:1]) else probe(s))
        for number in (1, 2):
            world.onewire(board.profile.pins["SERVO"], DS18B20(world.sense, number))
        board.install("anomaly")
        board.put(json.dumps(settings).encode(), "/soil.json")
        for part in range(2):
            board.exec("import gc\nfrom apps.anomaly import main, show\ngc.collect()\nbefore = gc.mem_alloc()")
            board.exec(f"main(samples={half})\nafter = gc.mem_alloc()", timeout_s=300)
            grown.append(board.eval("after - before"))
            if part == 0:
                world.fault("brown-out")
                try:
                    board.exec("")
                except BoardRestartedError:
                    world.mend()
        return board.exec("from apps.anomaly import show\nshow()").splitlines(), grown


if __name__ == "__main__":
    logged, grown = soil_week()
    print("\n".join(logged))
    print("heap grew by", grown, "bytes in each half of the week (simulated)")
