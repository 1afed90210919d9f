"""Drivers of the LSM6DS3 family and the APDS9960 against simulated chips, under CPython."""

import pytest
from fake_i2c import FakeI2C

from edgekit.simulator.chips.apds9960 import APDS9960
from edgekit.simulator.chips.lsm6dsox import LSM6DSOX
from edgekit.simulator.world import World
from edgekit.twin import board_module

lsm6ds3 = board_module("lsm6ds3")
apds9960 = board_module("apds9960")


@pytest.fixture
def i2c(monkeypatch):
    i2c = FakeI2C(World())

    def sleep_ms(duration_ms):
        i2c.time_us += 1000 * duration_ms

    for driver in (lsm6ds3, apds9960):
        monkeypatch.setattr(driver, "sleep_ms", sleep_ms)
    return i2c


@pytest.mark.parametrize("accel_g, gyro_dps", [(2, 250), (4, 500), (8, 1000), (16, 2000)])
def test_motion_in_every_range(i2c, accel_g, gyro_dps):
    i2c.world.attach(LSM6DSOX(i2c.world.sense))
    i2c.world.set(accel_g=(1, -1.5, 0.25), gyro_dps=(100, -200, 0))
    imu = lsm6ds3.LSM6DS3(i2c, accel_scale=accel_g, gyro_scale=gyro_dps)
    assert imu.accel() == pytest.approx((1, -1.5, 0.25), abs=accel_g / 16384)
    assert imu.gyro() == pytest.approx((100, -200, 0), abs=gyro_dps / 16384)


def test_motion_wrong_values_and_wrong_chips(i2c):
    with pytest.raises(ValueError, match="accel_scale is 3, expected 2, 4, 8 or 16"):
        lsm6ds3.LSM6DS3(i2c, accel_scale=3)
    with pytest.raises(ValueError, match="rate_hz is 5000, expected up to 1660"):
        lsm6ds3.LSM6DS3(i2c, rate_hz=5000)
    with pytest.raises(OSError, match="no chip answers at I2C address 0x6b.*SA0: low gives 0x6a"):
        lsm6ds3.LSM6DS3(i2c, address=0x6B)
    i2c.world.attach(APDS9960(i2c.world.sense))
    with pytest.raises(OSError, match=r"0x39 says 0x.., expected .*0x69 \(LSM6DS3\).*another chip"):
        lsm6ds3.LSM6DS3(i2c, address=0x39)


def test_light_and_colour(i2c):
    i2c.world.attach(APDS9960(i2c.world.sense))
    i2c.world.set(lux=500, color=(2, 1, 1))
    clear, red, green, blue = apds9960.APDS9960(i2c).light()
    assert clear == pytest.approx(500 * 0.042 * 4 * 37, rel=0.01)
    assert (red, green, blue) == (pytest.approx(clear / 2, abs=1), pytest.approx(clear / 4, abs=1), pytest.approx(clear / 4, abs=1))


def test_nearness(i2c):
    i2c.world.attach(APDS9960(i2c.world.sense))
    i2c.world.set(proximity=0.12)
    eye = apds9960.APDS9960(i2c)
    i2c.time_us += 200_000
    assert eye.nearness() == pytest.approx(120, abs=5)


@pytest.mark.parametrize("direction", ["up", "down", "left", "right"])
def test_swipes(i2c, direction):
    chip = APDS9960(i2c.world.sense)
    i2c.world.attach(chip)
    i2c.world.set(proximity=0)
    eye = apds9960.APDS9960(i2c)
    eye.watch_swipes()
    start_s = i2c.time_us / 1e6
    chip.swipe(direction, at_s=start_s + 0.3)
    chip.swipe(direction, at_s=start_s + 1.5, duration_s=0.3)
    seen = []
    while i2c.time_us / 1e6 < start_s + 3:
        seen.append(eye.swipe())
        i2c.time_us += 20_000
    assert [swipe for swipe in seen if swipe] == [direction, direction]


def test_another_chip_at_the_eyes_address(i2c):
    i2c.world.attach(LSM6DSOX(i2c.world.sense), address=0x39)
    with pytest.raises(OSError, match="0x39 says 0x.., an APDS9960 says 0xab or 0xa8: it is another chip"):
        apds9960.APDS9960(i2c)
    with pytest.raises(OSError, match="no chip answers at I2C address 0x3a"):
        apds9960.APDS9960(i2c, address=0x3A)
