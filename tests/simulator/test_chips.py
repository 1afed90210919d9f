"""The MPU6050 behaves as its register map says, and gives recorded counts back to the last bit."""

import numpy as np
import pytest

from edgekit.recording import Recording
from edgekit.simulator.chips.mpu6050 import MPU6050
from edgekit.simulator.world import World

SCALE = (4 / 32768,) * 3 + (500 / 32768,) * 3
CHANNELS = ("ax", "ay", "az", "gx", "gy", "gz")
UNITS = ("g",) * 3 + ("dps",) * 3


def register(chip, number, time_us=0, count=1):
    chip.write(bytes((number,)), time_us)
    return chip.read(count, time_us)


def awake(world, rate_hz=100):
    """A chip at +-4 g and +-500 dps that samples from time 0."""
    chip = MPU6050(world.sense)
    chip.write(bytes((0x6B, 0x01)), 0)
    chip.write(bytes((0x1A, 0x03)), 0)
    chip.write(bytes((0x1B, 0x08)), 0)
    chip.write(bytes((0x1C, 0x08)), 0)
    chip.write(bytes((0x19, 1000 // rate_hz - 1)), 0)
    return chip


def counts(data):
    """Accelerometer and gyroscope of a 14-byte burst."""
    values = np.frombuffer(data, ">i2")
    return values[[0, 1, 2, 4, 5, 6]].tolist()


def recording(n=300, seed=1):
    samples = np.random.default_rng(seed).integers(-32768, 32768, (n, 6), dtype=np.int16)
    samples[0], samples[1] = -32768, 32767
    return Recording(samples, 100, CHANNELS, UNITS, SCALE)


def test_it_wakes_up_from_the_state_of_the_data_sheet():
    chip = MPU6050(World().sense)
    assert register(chip, 0x75) == b"\x68"
    assert register(chip, 0x6B) == b"\x40"
    assert register(chip, 0x3B, time_us=10**6, count=14) == bytes(14), "asleep: nothing is measured"


def test_reset_forgets_the_settings_and_sleeps_again():
    chip = awake(World())
    chip.write(b"\x6b\x80", 1000)
    assert register(chip, 0x6B, 1000) == b"\x40"
    assert register(chip, 0x1C, 1000) == b"\x00"


def test_read_only_registers_stay():
    chip = awake(World())
    chip.write(b"\x75\x00", 0)
    assert register(chip, 0x75) == b"\x68"


@pytest.mark.parametrize("setting, counts_per_g", [(0, 16384), (1, 8192), (2, 4096), (3, 2048)])
def test_ranges_of_the_accelerometer(setting, counts_per_g):
    world = World()
    world.set(accel_g=(1, -1, 0.5))
    chip = awake(world)
    chip.write(bytes((0x1C, setting << 3)), 0)
    assert counts(register(chip, 0x3B, 20_000, 14))[:3] == [counts_per_g, -counts_per_g, counts_per_g // 2]


def test_values_beyond_the_range_are_clipped():
    world = World()
    world.set(accel_g=(9, -9, 0), gyro_dps=(0, 600, -600))
    assert counts(register(awake(world), 0x3B, 20_000, 14)) == [32767, -32768, 0, 0, 32767, -32768]


def test_temperature():
    world = World()
    world.set(temperature_c=36.53 + 10)
    assert int.from_bytes(register(awake(world), 0x41, 20_000, 2), "big") == 3400


def test_recorded_counts_come_back_to_the_bit():
    world = World()
    chip = awake(world)
    record = recording()
    world.play(record, at_s=0.01)
    read = [counts(register(chip, 0x3B, 10_000 * (i + 1) + 3_000, 14)) for i in range(len(record))]
    assert read == record.samples.tolist()


def test_a_sample_is_held_until_the_next():
    world = World()
    chip = awake(world)
    record = recording()
    world.play(record, at_s=0.0)
    # The world moves on at 20 ms; a chip that samples at 20, 30, ... shows that value until 30 ms.
    assert counts(register(chip, 0x3B, 29_999, 14)) == record.samples[2].tolist()
    assert counts(register(chip, 0x3B, 30_000, 14)) == record.samples[3].tolist()


def test_asleep_it_keeps_the_last_sample():
    world = World()
    chip = awake(world)
    record = recording()
    world.play(record, at_s=0.0)
    chip.write(b"\x6b\x40", 55_000)
    assert counts(register(chip, 0x3B, 900_000, 14)) == record.samples[5].tolist()


def test_data_ready_is_cleared_by_reading():
    chip = awake(World())
    assert register(chip, 0x3A, 9_999) == b"\x00"
    assert register(chip, 0x3A, 10_000) == b"\x01"
    assert register(chip, 0x3A, 10_001) == b"\x00"
    assert register(chip, 0x3A, 20_000) == b"\x01"


def with_fifo(world, rate_hz=100):
    chip = awake(world, rate_hz)
    chip.write(b"\x23\x78", 0)
    chip.write(b"\x6a\x40", 0)
    return chip


def fifo_count(chip, time_us):
    return int.from_bytes(register(chip, 0x72, time_us, 2), "big")


def test_fifo_keeps_every_sample_in_order():
    world = World()
    chip = with_fifo(world)
    record = recording()
    world.play(record, at_s=0.0)
    assert fifo_count(chip, 500_000) == 50 * 12
    read = np.frombuffer(register(chip, 0x74, 500_000, 600), ">i2").reshape(-1, 6)
    assert np.array_equal(read, record.samples[1:51])
    assert fifo_count(chip, 500_000) == 0


def test_fifo_count_and_data_in_one_burst():
    world = World()
    chip = with_fifo(world)
    record = recording()
    world.play(record, at_s=0.0)
    data = register(chip, 0x72, 30_000, 2 + 3 * 12)
    assert data[:2] == b"\x00\x24"
    assert np.array_equal(np.frombuffer(data[2:], ">i2").reshape(-1, 6), record.samples[1:4])
    assert fifo_count(chip, 30_000) == 0


def test_fifo_overflow_drops_the_oldest_and_says_so():
    world = World()
    chip = with_fifo(world)
    record = recording()
    world.play(record, at_s=0.0)
    assert fifo_count(chip, 2_000_000) == 1024
    assert chip.fifo_lost_bytes == 200 * 12 - 1024
    assert register(chip, 0x3A, 2_000_000)[0] & 0x10
    last = np.frombuffer(register(chip, 0x74, 2_000_000, 1024)[-12:], ">i2")
    assert np.array_equal(last, record.samples[200])
    chip.write(b"\x6a\x44", 2_000_000)
    assert fifo_count(chip, 2_000_000) == 0


def test_a_change_of_the_world_does_not_reach_back_into_the_fifo():
    world = World()
    chip = with_fifo(world)
    world.attach(chip)
    world.transaction(b"\x02" + (100_000).to_bytes(8, "little"))
    world.set(accel_g=(1, 0, 0))
    read = np.frombuffer(register(chip, 0x74, 200_000, 240), ">i2").reshape(-1, 6)
    assert read[:, 0].tolist() == [0] * 10 + [8192] * 10
