"""The driver of the MAX30102 against the simulated chip, under CPython."""

from array import array

import numpy as np
import pytest
from fake_i2c import FakeI2C

from edgekit.recording import Recording
from edgekit.simulator.chips.max30102 import MAX30102 as Chip
from edgekit.simulator.chips.mpu6050 import MPU6050
from edgekit.simulator.world import World
from edgekit.twin import board_module

driver = board_module("max30102")


@pytest.fixture
def i2c(monkeypatch):
    world = World()
    world.attach(Chip(world.sense))
    i2c = FakeI2C(world)

    def sleep_ms(duration_ms):
        i2c.time_us += 1000 * duration_ms

    monkeypatch.setattr(driver, "sleep_ms", sleep_ms)
    monkeypatch.setattr(driver, "ticks_us", lambda: i2c.time_us)
    return i2c


def block_of(n):
    return array("i", bytes(8 * n))


def test_counts_grow_with_light_and_led_current(i2c):
    i2c.world.set(ppg=(0.1, 0.2))
    for led_ma, share in ((51, 1.0), (10.2, 0.2)):
        ppg = driver.MAX30102(i2c, led_ma=led_ma)
        ppg.start()
        block = block_of(4)
        ppg.read_block(block)
        assert block.tolist() == pytest.approx(4 * [262144 * 0.1 * share, 262144 * 0.2 * share], rel=1e-4)


@pytest.mark.parametrize("rate_hz", [50, 100, 200, 400])
def test_blocks_have_no_gap(i2c, rate_hz):
    ppg = driver.MAX30102(i2c, rate_hz=rate_hz, led_ma=51)
    steps = np.arange(3000) / 4096
    ppg.start()
    i2c.world.play(Recording(np.stack([steps, steps], axis=1).astype(np.float32), rate_hz, ("red", "infrared"),
                             ("", ""), (1.0, 1.0)), at_s=i2c.time_us / 1e6, as_="ppg")
    got = []
    block = block_of(10)
    for _ in range(30):
        assert ppg.read_block(block) == 0
        got += block.tolist()[1::2]
        i2c.time_us += 500_000 // rate_hz  # the program computes
    assert set(np.diff(got)) == {64}


def test_a_program_that_comes_too_late_learns_how_much_it_lost(i2c):
    ppg = driver.MAX30102(i2c, rate_hz=100)
    ppg.start()
    block = block_of(10)
    assert ppg.read_block(block) == 0
    i2c.time_us += 3_000_000
    assert ppg.read_block(block) == pytest.approx(300 - 32, abs=2)
    assert ppg.read_block(block) == 0
    i2c.time_us += 400_000
    assert ppg.read_block(block) == pytest.approx(40 + 12 - 32, abs=2)


def test_nothing_is_measured_before_start_and_in_sleep(i2c):
    ppg = driver.MAX30102(i2c)
    i2c.time_us += 1_000_000
    assert ppg._waiting() == 0
    ppg.start()
    ppg.sleep()
    i2c.time_us += 1_000_000
    assert ppg._waiting() == 0


@pytest.mark.parametrize("temperature_c", [-10.25, 0, 36.5625])
def test_temperature(i2c, temperature_c):
    i2c.world.set(temperature_c=temperature_c)
    assert driver.MAX30102(i2c).temperature_c() == temperature_c


def test_wrong_values_and_wrong_chips(i2c):
    with pytest.raises(ValueError, match="rate_hz is 60, expected 50, 100, 200 or 400"):
        driver.MAX30102(i2c, rate_hz=60)
    with pytest.raises(ValueError, match="led_ma is 60, expected 0 to 51"):
        driver.MAX30102(i2c, led_ma=60)
    with pytest.raises(ValueError, match="40 samples in one block, the chip keeps at most 32"):
        driver.MAX30102(i2c).read_block(block_of(40))
    with pytest.raises(OSError, match="no chip answers at I2C address 0x58. Check the four wires"):
        driver.MAX30102(i2c, address=0x58)
    i2c.world.attach(MPU6050(i2c.world.sense))
    with pytest.raises(OSError, match="0x68 says 0x00, a MAX30102 says 0x15: it is another chip"):
        driver.MAX30102(i2c, address=0x68)
