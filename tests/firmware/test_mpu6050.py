"""The driver of the MPU6050 against the simulated chip, under CPython."""

from array import array

import numpy as np
import pytest
from fake_i2c import FakeI2C

from edgekit.recording import Recording
from edgekit.simulator.chips.mpu6050 import MPU6050 as Chip
from edgekit.simulator.world import World
from edgekit.twin import board_module

driver = board_module("mpu6050")
SCALE = (4 / 32768,) * 3 + (500 / 32768,) * 3


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


def recording(n=200):
    samples = np.random.default_rng(3).integers(-32768, 32768, (n, 6), dtype=np.int16)
    return Recording(samples, 100, driver.MPU6050.channels, driver.MPU6050.units, SCALE)


def test_readings_have_their_units(i2c):
    i2c.world.set(accel_g=(0, -0.5, 1), gyro_dps=(100, 0, -50), temperature_c=30)
    imu = driver.MPU6050(i2c)
    i2c.time_us += 20_000
    assert imu.accel_g() == (0, -0.5, 1)
    assert imu.gyro_dps() == pytest.approx((100, 0, -50), abs=500 / 32768)
    assert imu.temperature_c() == pytest.approx(30, abs=1 / 340)


@pytest.mark.parametrize("accel_g", [2, 4, 8, 16])
@pytest.mark.parametrize("gyro_dps", [250, 500, 1000, 2000])
def test_all_ranges_agree_with_the_chip(i2c, accel_g, gyro_dps):
    i2c.world.set(accel_g=(1, 1.5, -1), gyro_dps=(125, -200, 0))
    imu = driver.MPU6050(i2c, accel_range_g=accel_g, gyro_range_dps=gyro_dps)
    i2c.time_us += 20_000
    assert imu.accel_g() == (1, 1.5, -1)
    assert imu.gyro_dps() == pytest.approx((125, -200, 0), abs=gyro_dps / 32768)


def test_the_first_reading_has_the_new_range(i2c):
    i2c.time_us = 1_000_000     # the chip has a sample of +-2 g, its range after reset, in its registers
    imu = driver.MPU6050(i2c, accel_range_g=16)
    assert imu.accel_g() == pytest.approx((0, 0, 1), abs=16 / 32768)


def test_read_into_fills_the_callers_buffer(i2c):
    i2c.world.set(accel_g=(1, -1, 0.5))
    imu = driver.MPU6050(i2c)
    i2c.time_us += 20_000
    buf = array("h", bytes(12))
    imu.read_into(buf)
    assert buf.tolist() == [8192, -8192, 4096, 0, 0, 0]


def test_blocks_are_the_recording_without_gap(i2c):
    imu = driver.MPU6050(i2c)
    record = recording()
    imu.start()
    i2c.world.play(record, at_s=i2c.time_us / 1e6)
    block = array("h", bytes(2 * 60))
    got = []
    for _ in range(15):
        assert imu.read_block(block) == 0
        got += block.tolist()
        i2c.time_us += 20_000  # the program computes
    got = np.array(got).reshape(-1, 6)
    # The chip's samples fall somewhere between the starts; from there on none is missing.
    first = int(np.flatnonzero((record.samples == got[1]).all(axis=1))[0])
    assert np.array_equal(got[1:], record.samples[first:first + len(got) - 1])


def test_a_program_that_comes_too_late_learns_how_much_it_lost(i2c):
    imu = driver.MPU6050(i2c)
    imu.start()
    block = array("h", bytes(2 * 60))
    assert imu.read_block(block) == 0
    i2c.time_us += 3_000_000
    assert imu.read_block(block) == pytest.approx(300, abs=2)
    assert imu.read_block(block) == 0


@pytest.mark.parametrize("rate_hz, real_hz", [(100, 100), (50, 50), (1000, 1000), (4, 1000 / 250), (104, 100)])
def test_the_rate_is_the_nearest_of_the_chip(i2c, rate_hz, real_hz):
    assert driver.MPU6050(i2c, rate_hz=rate_hz).rate_hz == pytest.approx(real_hz)


def test_no_chip_names_address_and_what_to_check(i2c):
    with pytest.raises(OSError, match="no chip answers at I2C address 0x69. Check the four wires.*AD0"):
        driver.MPU6050(i2c, address=0x69)


def test_a_wire_that_breaks_later_says_so_too(i2c):
    imu = driver.MPU6050(i2c)
    i2c.world.fault("silent", address=0x68)
    with pytest.raises(OSError, match="no chip answers at I2C address 0x68"):
        imu.accel_g()


def test_another_chip_is_not_taken_for_this_one(i2c):
    class Other:
        def write(self, data, time_us):
            return len(data)

        def read(self, count, time_us):
            return b"\x24" * count

    i2c.world.detach(0, 0x68)
    i2c.world.attach(Other(), address=0x68)
    with pytest.raises(OSError, match="at I2C address 0x68 says 0x24, an MPU6050 says 0x68"):
        driver.MPU6050(i2c)


@pytest.mark.parametrize("setting, message", [
    ({"accel_range_g": 3}, "accel_range_g is 3, expected 2, 4, 8 or 16"),
    ({"gyro_range_dps": 100}, "gyro_range_dps is 100, expected 250"),
    ({"rate_hz": 2000}, "rate_hz is 2000, expected 4 to 1000"),
])
def test_settings_are_checked_first(i2c, setting, message):
    with pytest.raises(ValueError, match=message):
        driver.MPU6050(i2c, **setting)


def test_a_block_larger_than_the_fifo_is_refused(i2c):
    imu = driver.MPU6050(i2c)
    imu.start()
    with pytest.raises(ValueError, match="86 samples in one block, the chip keeps at most 85"):
        imu.read_block(array("h", bytes(2 * 6 * 86)))


def test_a_movement_sets_the_interrupt_output_until_wake(i2c):
    chip = next(chip for _, _, chip in i2c.world.chips())
    imu = driver.MPU6050(i2c)
    imu.sleep_until_motion(threshold_g=0.2, duration_ms=2)
    i2c.pass_time(1_000_000)
    assert chip.level(i2c.time_us) == 0
    i2c.world.set(accel_g=(0, 0, 1.15))     # less than the threshold
    assert chip.next_change(i2c.time_us, i2c.time_us + 1_000_000) is None
    i2c.pass_time(1_000_000)
    i2c.world.set(accel_g=(0, 0.5, 1.15))
    changed_us = chip.next_change(i2c.time_us, i2c.time_us + 1_000_000)
    assert i2c.time_us < changed_us <= i2c.time_us + 20_000
    i2c.pass_time(3_000_000)
    assert chip.level(i2c.time_us) == 1, "it stays until somebody looks"
    imu.wake()
    i2c.time_us += 20_000
    assert chip.level(i2c.time_us) == 0
    assert imu.accel_g() == pytest.approx((0, 0.5, 1.15), abs=4 / 32768)


def test_an_old_movement_does_not_wake_again(i2c):
    chip = next(chip for _, _, chip in i2c.world.chips())
    imu = driver.MPU6050(i2c)
    for _ in range(2):
        imu.sleep_until_motion()
        assert chip.level(i2c.time_us) == 0
        i2c.pass_time(500_000)
        i2c.world.set(accel_g=(1, 0, 0))
        i2c.pass_time(500_000)
        i2c.world.set(accel_g=(0, 0, 1))
        i2c.pass_time(500_000)
        assert chip.level(i2c.time_us) == 1
        imu.wake()


def test_awake_again_no_sample_is_missing(i2c):
    imu = driver.MPU6050(i2c)
    imu.sleep_until_motion()
    i2c.time_us += 10_000_000
    imu.wake()
    i2c.world.set(accel_g=(1, 0, 0), gyro_dps=(100, 0, 0))
    i2c.time_us += 20_000
    imu.start()
    block = array("h", bytes(2 * 60))
    assert [imu.read_block(block) for _ in range(5)] == [0] * 5
    assert block.tolist() == [8192, 0, 0, 6554, 0, 0] * 10


def test_asleep_it_measures_nothing(i2c):
    imu = driver.MPU6050(i2c)
    i2c.time_us += 20_000
    before = imu.accel_g()
    imu.sleep()
    i2c.world.set(accel_g=(1, 1, 1))
    i2c.time_us += 1_000_000
    assert imu.accel_g() == before
    imu.wake()
    i2c.time_us += 20_000
    assert imu.accel_g() == (1, 1, 1)


@pytest.mark.parametrize("setting, message", [
    ({"threshold_g": 0.01}, "threshold_g is 0.01, expected 0.032 to 8.16"), ({"threshold_g": 9}, "threshold_g is 9"),
    ({"duration_ms": 0}, "duration_ms is 0, expected 1 to 255")])
def test_settings_of_the_motion_detector_are_checked(i2c, setting, message):
    imu = driver.MPU6050(i2c)
    with pytest.raises(ValueError, match=message):
        imu.sleep_until_motion(**setting)


# ---- watching

def test_it_watches_and_remembers_what_came_before(i2c):
    imu = driver.MPU6050(i2c, accel_range_g=16, rate_hz=50)
    samples = np.random.default_rng(4).integers(-200, 201, (500, 3), dtype=np.int16)
    samples[:, 2] += 2048
    samples[300] = (0, 9000, 0)
    imu.watch(threshold_g=1.0)
    start_s = i2c.time_us / 1e6
    i2c.world.play(Recording(samples, 50, ("ax", "ay", "az"), ("g",) * 3, (16 / 32768,) * 3), at_s=start_s)
    kept = array("h", bytes(2 * 3 * imu.KEPT))
    i2c.pass_time(5_900_000)
    assert imu.read_watch(kept) == 128 and imu.missed and not imu.moved
    i2c.pass_time(200_000)
    n = imu.read_watch(kept)
    assert n == 10 and imu.moved and not imu.missed
    assert 9000 in kept[:3 * n].tolist()
    # From here on every sample comes once, in order.
    found = [list(kept[3 * (n - 1):3 * n])]
    for pause_us in (20_000, 700_000, 1_000_000, 340_000):
        i2c.pass_time(pause_us)
        n = imu.read_watch(kept)
        assert not imu.missed and not imu.moved
        found += [list(kept[3 * i:3 * i + 3]) for i in range(n)]
    first = np.flatnonzero((samples == found[0]).all(axis=1))[0]
    assert len(found) == 104 and samples[first:first + len(found)].tolist() == found


def test_after_a_long_sleep_the_newest_samples_are_whole(i2c):
    imu = driver.MPU6050(i2c, accel_range_g=16, rate_hz=50)
    imu.watch()
    i2c.world.set(accel_g=(0.5, -0.25, 1.0))
    kept = array("h", bytes(2 * 3 * imu.KEPT))
    i2c.pass_time(3_333_000)
    assert imu.read_watch(kept) == 128 and imu.missed
    assert kept.tolist() == [1024, -512, 2048] * 128


@pytest.mark.parametrize("settings", [{"threshold_g": 0.01}, {"threshold_g": 9}, {"duration_ms": 0}])
def test_what_it_cannot_watch_for(i2c, settings):
    imu = driver.MPU6050(i2c)
    with pytest.raises(ValueError, match="expected"):
        imu.watch(**settings)
