"""LSM9DS1 and LSM6DSOX against the numbers of their data sheets; the MPU6050's interrupts and self-test."""

import struct

import pytest

from edgekit.simulator.chips.lsm6dsox import LSM6DSOX
from edgekit.simulator.chips.lsm9ds1 import LSM9DS1, LSM9DS1Magnetometer
from edgekit.simulator.chips.mpu6050 import MPU6050


def sense(**changed):
    """A world: constants, or functions of the time in microseconds."""
    values = {"accel_g": (0.0, 0.0, 1.0), "gyro_dps": (0.0, 0.0, 0.0), "mag_gauss": (0.2, 0.0, -0.4),
              "temperature_c": 25.0, **changed}
    return lambda name, time_us: values[name](time_us) if callable(values[name]) else values[name]


def ramp(time_us):
    """An acceleration that says when it was."""
    return (time_us * 1e-6, 0.0, 0.0)


def get(chip, register, time_us=0, count=1):
    chip.write(bytes((register,)), time_us)
    return chip.read(count, time_us)


def put(chip, register, *values, time_us=0):
    assert chip.write(bytes((register, *values)), time_us) == 1 + len(values)


def words(data):
    return struct.unpack(f"<{len(data) // 2}h", data)


# LSM9DS1, DocID025715 revision 3


def test_lsm9ds1_reset_values():
    chip = LSM9DS1(sense())
    # Table 21: the registers that do not start at 0.
    assert {r: get(chip, r)[0] for r in range(0x80) if get(chip, r)[0]} == {
        0x0F: 0x68, 0x1E: 0x38, 0x1F: 0x38, 0x22: 0x04}
    magnetometer = LSM9DS1Magnetometer(sense())
    assert {r: get(magnetometer, r)[0] for r in range(0x80) if get(magnetometer, r)[0]} == {
        0x0F: 0x3D, 0x20: 0x10, 0x22: 0x03, 0x30: 0x08}  # table 22


# Table 3: sensitivities in mg per count.
@pytest.mark.parametrize("setting, mg", [(0, 0.061), (2, 0.122), (3, 0.244), (1, 0.732)])
def test_lsm9ds1_accelerometer_ranges(setting, mg):
    chip = LSM9DS1(sense(accel_g=(1, -0.5, 0.25)))
    put(chip, 0x20, 0x60 | setting << 3)
    assert words(get(chip, 0x28, 10_000, 6)) == tuple(round(g * 1000 / mg) for g in (1, -0.5, 0.25))


@pytest.mark.parametrize("setting, mdps", [(0, 8.75), (1, 17.5), (3, 70)])
def test_lsm9ds1_gyroscope_ranges(setting, mdps):
    chip = LSM9DS1(sense(gyro_dps=(100, -200, 1)))
    put(chip, 0x10, 0x60 | setting << 3)
    assert words(get(chip, 0x18, 10_000, 6)) == tuple(round(dps * 1000 / mdps) for dps in (100, -200, 1))


def test_lsm9ds1_clips():
    chip = LSM9DS1(sense(accel_g=(9, -9, 0), gyro_dps=(9999, -9999, 0)))
    put(chip, 0x10, 0x60)
    put(chip, 0x20, 0x60)
    assert words(get(chip, 0x18, 10_000, 6)) == (32767, -32768, 0)
    assert words(get(chip, 0x28, 10_000, 6)) == (32767, -32768, 0)


@pytest.mark.parametrize("setting, mgauss", [(0, 0.14), (1, 0.29), (2, 0.43), (3, 0.58)])
def test_lsm9ds1_magnetometer_ranges(setting, mgauss):
    chip = LSM9DS1Magnetometer(sense())
    put(chip, 0x21, setting << 5, 0)
    assert words(get(chip, 0x28 | 0x80, 100_000, 6)) == tuple(round(g * 1000 / mgauss) for g in (0.2, 0, -0.4))


def test_lsm9ds1_temperature_is_16_counts_per_degree_around_25():
    chip = LSM9DS1(sense(temperature_c=23.5))
    put(chip, 0x10, 0x60)
    assert words(get(chip, 0x15, 20_000, 2)) == (-24,)


def test_lsm9ds1_rate_and_data_ready():
    chip = LSM9DS1(sense())
    put(chip, 0x20, 0x60)  # 119 Hz: 8403 us
    assert get(chip, 0x27, 8_402) == b"\0"
    assert get(chip, 0x27, 8_403) == b"\1"
    assert get(chip, 0x17, 8_403) == b"\1", "the status register has two addresses"
    get(chip, 0x28, 8_403, 6)
    assert get(chip, 0x27, 8_403) == b"\0"
    assert get(chip, 0x27, 16_807) == b"\1"


def test_lsm9ds1_accelerometer_follows_the_gyroscope():
    chip = LSM9DS1(sense())
    put(chip, 0x20, 0x20)  # 10 Hz alone
    put(chip, 0x10, 0xC0)  # gyroscope at 952 Hz
    assert get(chip, 0x27, 1_051)[0] & 3 == 3
    put(chip, 0x20, 0x00, time_us=1_051)
    get(chip, 0x28, 1_051, 6)
    assert get(chip, 0x27, 5_000)[0] & 3 == 2, "the gyroscope alone"


def test_lsm9ds1_writes_and_reads_increment_unless_told_not_to():
    chip = LSM9DS1(sense())
    put(chip, 0x1E, 1, 2, 3, 4)
    assert get(chip, 0x1E | 0x80, count=4) == bytes((1, 2, 3, 4)), "bit 7 has no meaning"
    put(chip, 0x22, 0)
    assert get(chip, 0x1F, count=3) == bytes((2, 2, 2))


def test_lsm9ds1_software_reset():
    chip = LSM9DS1(sense())
    put(chip, 0x20, 0x60)
    put(chip, 0x22, 0x05)
    assert get(chip, 0x20) == b"\0"
    assert get(chip, 0x22) == b"\x04"
    assert get(chip, 0x27, 10**6) == b"\0", "powered down"


def fifo_lsm9ds1(mode, threshold=0, stop=0, accel=0x60):
    chip = LSM9DS1(sense(accel_g=ramp, gyro_dps=lambda t: (t * 1e-3, 0, 0)))
    put(chip, 0x10, 0x60)
    put(chip, 0x20, accel)
    put(chip, 0x23, 0x02 | stop)
    put(chip, 0x2E, mode << 5 | threshold)
    return chip


def sample_us(n, rate_hz):
    return round(n * 1e6 / rate_hz)


def test_lsm9ds1_fifo_in_order_gyroscope_and_accelerometer_together():
    chip = fifo_lsm9ds1(mode=6, threshold=5)
    assert get(chip, 0x2F, sample_us(4, 119)) == b"\x04"
    assert get(chip, 0x2F, sample_us(5, 119)) == b"\x85", "threshold reached"
    for n in range(1, 6):
        gyro, accel = words(get(chip, 0x18, 43_000, 6)), words(get(chip, 0x28, 43_000, 6))
        assert gyro[0] == round(sample_us(n, 119) * 1e-3 / 0.00875)
        assert accel[0] == round(sample_us(n, 119) * 1e-6 / 0.000061)
    assert get(chip, 0x2F, 43_000) == b"\0"


def test_lsm9ds1_fifo_of_the_gyroscope_alone():
    chip = fifo_lsm9ds1(mode=6, accel=0)
    for n in (1, 2):
        assert words(get(chip, 0x18, sample_us(2, 119), 6))[0] == round(sample_us(n, 119) * 1e-3 / 0.00875)
    assert get(chip, 0x2F, sample_us(2, 119))[0] & 0x3F == 0


def test_lsm9ds1_fifo_overflow():
    chip = fifo_lsm9ds1(mode=6)
    assert get(chip, 0x2F, sample_us(32, 119)) == b"\xa0"
    assert get(chip, 0x2F, sample_us(40, 119)) == b"\xe0", "overrun, 32 samples"
    assert chip.fifo_lost == 8
    assert words(get(chip, 0x28, sample_us(40, 119), 6))[0] == round(sample_us(9, 119) * 1e-6 / 0.000061)
    assert get(chip, 0x2F, sample_us(40, 119)) == b"\x9f"
    chip = fifo_lsm9ds1(mode=1)
    assert get(chip, 0x2F, sample_us(40, 119)) == b"\xe0"
    assert words(get(chip, 0x28, sample_us(40, 119), 6))[0] == round(sample_us(1, 119) * 1e-6 / 0.000061)


def test_lsm9ds1_fifo_of_limited_depth_and_bypass():
    chip = fifo_lsm9ds1(mode=6, threshold=10, stop=1)
    assert get(chip, 0x2F, 10**6)[0] & 0x3F == 10
    put(chip, 0x2E, 0, time_us=10**6)
    assert get(chip, 0x2F, 10**6) == b"\0"


def test_lsm9ds1_int1_rises_with_the_sample_and_falls_with_the_read():
    chip = LSM9DS1(sense())
    put(chip, 0x0C, 0x01)
    put(chip, 0x20, 0x60)
    assert chip.next_change(0, 8_402) is None
    assert chip.next_change(0, 10**6) == 8_403
    assert (chip.level(8_402), chip.level(8_403)) == (0, 1)
    assert chip.next_change(8_403, 10**6) is None, "only a read takes it back"
    get(chip, 0x28, 9_000, 6)
    assert chip.level(9_000) == 0
    assert chip.next_change(9_000, 10**6) == 16_807
    put(chip, 0x22, 0x24, time_us=9_000)
    assert chip.level(9_000) == 1, "active low"


def test_lsm9ds1_looking_ahead_changes_nothing():
    chip = fifo_lsm9ds1(mode=6, threshold=20)
    put(chip, 0x0C, 0x08)
    assert chip.next_change(0, 10**6) == sample_us(20, 119)
    assert get(chip, 0x2F, 0) == b"\0"


def test_lsm9ds1_magnetometer_converts_once_or_all_the_time_or_not():
    chip = LSM9DS1Magnetometer(sense())
    assert get(chip, 0x27, 10**6) == b"\0", "after reset it is powered down"
    put(chip, 0x22, 1, time_us=10**6)
    assert get(chip, 0x27, 1_100_000) == b"\x0f"
    assert get(chip, 0x22, 1_100_000) == b"\x03", "one conversion, then down again"
    put(chip, 0x22, 0, time_us=2 * 10**6)
    assert get(chip, 0x27, 2_300_000) == b"\xff", "10 Hz: two more were lost"
    put(chip, 0x20, 0x1C, time_us=3 * 10**6)  # 80 Hz
    get(chip, 0x28, 3 * 10**6, 6)
    assert chip.next_change(3 * 10**6, 4 * 10**6) == 3_012_500


def test_lsm9ds1_magnetometer_offset_and_reset():
    chip = LSM9DS1Magnetometer(sense(mag_gauss=(0.14, 0.14, 0.14)))
    put(chip, 0x05, 0xE8, 0x03)  # 1000 counts along x
    put(chip, 0x22, 0)
    assert words(get(chip, 0xA8, 100_000, 6)) == (0, 1000, 1000)
    put(chip, 0x21, 0x04, time_us=100_000)
    assert get(chip, 0x05, 100_000) == b"\0"


def test_lsm9ds1_on_spi():
    chip = LSM9DS1(sense())
    chip.select(0)
    chip.transfer(b"\x20\x60", 0)
    chip.deselect(0)
    chip.select(10_000)
    assert chip.transfer(b"\xa8", 10_000) == b"\xff"
    assert words(chip.transfer(bytes(6), 10_000)) == (0, 0, 16393)
    magnetometer = LSM9DS1Magnetometer(sense(mag_gauss=(0.14, 0, 0)))
    magnetometer.select(0)
    magnetometer.transfer(b"\x22\x00", 0)
    magnetometer.deselect(0)
    for first, expected in ((0xE8, b"\xe8\x03"), (0xA8, b"\xe8\xe8")):  # bit 6: increment
        magnetometer.select(100_000)
        assert magnetometer.transfer(bytes((first, 0, 0)), 100_000)[1:] == expected
        magnetometer.deselect(100_000)


# LSM6DSOX, DS12814 revision 4


def test_lsm6dsox_reset_values():
    chip = LSM6DSOX(sense())
    assert {r: get(chip, r)[0] for r in range(0x80) if get(chip, r)[0]} == {0x02: 0x3F, 0x0F: 0x6C, 0x12: 0x04,
                                                                           0x18: 0xE0}


# Table 2: mg and mdps per count.
@pytest.mark.parametrize("setting, mg", [(0, 0.061), (2, 0.122), (3, 0.244), (1, 0.488)])
def test_lsm6dsox_accelerometer_ranges(setting, mg):
    chip = LSM6DSOX(sense(accel_g=(1, -0.5, 0.25)))
    put(chip, 0x10, 0x40 | setting << 2)
    assert words(get(chip, 0x28, 10_000, 6)) == tuple(round(g * 1000 / mg) for g in (1, -0.5, 0.25))


@pytest.mark.parametrize("setting, mdps", [(0, 8.75), (4, 17.5), (8, 35), (12, 70), (2, 4.375)])
def test_lsm6dsox_gyroscope_ranges(setting, mdps):
    chip = LSM6DSOX(sense(gyro_dps=(100, -200, 1)))
    put(chip, 0x11, 0x40 | setting)
    expected = tuple(max(-32768, round(dps * 1000 / mdps)) for dps in (100, -200, 1))
    assert words(get(chip, 0x22, 10_000, 6)) == expected


def test_lsm6dsox_temperature_is_256_counts_per_degree_around_25():
    chip = LSM6DSOX(sense(temperature_c=26.5))
    put(chip, 0x10, 0x40)
    assert words(get(chip, 0x20, 20_000, 2)) == (384,)


@pytest.mark.parametrize("code, rate_hz", [(1, 12.5), (2, 26), (4, 104), (7, 833), (10, 6667), (11, 1.6)])
def test_lsm6dsox_rates(code, rate_hz):
    chip = LSM6DSOX(sense())
    put(chip, 0x10, code << 4)
    period_us = round(1e6 / rate_hz)
    assert get(chip, 0x1E, period_us - 1)[0] & 1 == 0
    assert get(chip, 0x1E, period_us)[0] & 1 == 1


def test_lsm6dsox_block_data_update_waits_for_the_high_byte():
    chip = LSM6DSOX(sense(accel_g=ramp))
    put(chip, 0x12, 0x44)
    put(chip, 0x10, 0x40)
    low = get(chip, 0x28, 10_000)
    high = get(chip, 0x29, 25_000)
    assert words(low + high) == (round(sample_us(1, 104) * 1e-6 / 0.000061),), "both of one sample"
    low, high = get(chip, 0x28, 25_001), get(chip, 0x29, 25_001)
    assert words(low + high) == (round(sample_us(2, 104) * 1e-6 / 0.000061),)


def fifo_lsm6dsox(batch=0x44, mode=6, control2=0, threshold=0):
    chip = LSM6DSOX(sense(accel_g=ramp, gyro_dps=lambda t: (t * 1e-3, 0, 0)))
    put(chip, 0x07, threshold, control2, batch, mode)
    put(chip, 0x10, 0x40)
    put(chip, 0x11, 0x40)
    return chip


def fifo_count(chip, time_us):
    low, high = get(chip, 0x3A, time_us, 2)
    return low | (high & 3) << 8


def test_lsm6dsox_fifo_words_have_tags():
    chip = fifo_lsm6dsox()
    assert fifo_count(chip, sample_us(3, 104)) == 6
    data = get(chip, 0x78, 29_000, 42)
    for i in range(6):
        tag, x = data[7 * i], words(data[7 * i + 1:7 * i + 7])[0]
        n = i // 2 + 1
        assert tag >> 3 == (1, 2)[i % 2], "gyroscope, then accelerometer"
        assert tag >> 1 & 3 == n & 3, "samples of the same time have the same count"
        assert tag.bit_count() % 2 == 0, "parity"
        expected = sample_us(n, 104) * 1e-3 / 0.00875 if i % 2 == 0 else sample_us(n, 104) * 1e-6 / 0.000061
        assert x == round(expected)
    assert fifo_count(chip, 29_000) == 0
    assert get(chip, 0x78, 28_900, 7) == bytes(7), "empty"


def test_lsm6dsox_fifo_batches_slower_than_it_measures():
    chip = fifo_lsm6dsox(batch=0x02)  # accelerometer alone, 26 Hz
    assert fifo_count(chip, 10**6) == 26


def test_lsm6dsox_fifo_overflow():
    chip = fifo_lsm6dsox(batch=0x04)
    assert fifo_count(chip, sample_us(512, 104)) == 512
    assert get(chip, 0x3B, sample_us(512, 104))[0] & 0xF8 == 0x20, "full, nothing lost"
    assert get(chip, 0x3B, sample_us(520, 104))[0] & 0xF8 == 0x68, "overrun, and latched"
    assert get(chip, 0x3B, sample_us(520, 104))[0] & 0xF8 == 0x60, "the latch is cleared by reading"
    assert chip.fifo_lost == 8
    first = get(chip, 0x78, sample_us(520, 104), 7)
    assert words(first[1:])[0] == min(32767, round(sample_us(9, 104) * 1e-6 / 0.000061))
    chip = fifo_lsm6dsox(batch=0x04, mode=1)
    assert fifo_count(chip, 10**7) == 512
    assert words(get(chip, 0x78, 10**7, 7)[1:])[0] == round(sample_us(1, 104) * 1e-6 / 0.000061), "keeps the oldest"


def test_lsm6dsox_fifo_threshold_raises_int1():
    chip = fifo_lsm6dsox(batch=0x04, threshold=20)
    put(chip, 0x0D, 0x08)
    assert chip.next_change(0, 10**6) == sample_us(20, 104)
    assert chip.level(sample_us(20, 104)) == 1
    get(chip, 0x78, sample_us(20, 104), 7)
    assert chip.level(sample_us(20, 104)) == 0


def shaken(at_us):
    return lambda time_us: (0, 0, 1.5 if at_us <= time_us < at_us + 5_000 else 1.0)


def wakes(control=0x00, duration=0, at_us=502_000):
    chip = LSM6DSOX(sense(accel_g=shaken(at_us)))
    put(chip, 0x10, 0x60)  # 416 Hz, 2 g
    put(chip, 0x56, control)
    put(chip, 0x58, 0x80)
    put(chip, 0x5B, 4, duration << 5)  # 4 x 2 g / 64 = 0.125 g
    put(chip, 0x5E, 0x20)
    return chip


def test_lsm6dsox_wakes_up_from_movement():
    chip = wakes()
    first_us = sample_us(209, 416)
    assert first_us - 502_000 < 1e6 / 416
    assert chip.next_change(0, 10**6) == first_us
    assert chip.level(first_us) == 1
    assert get(chip, 0x1B, first_us) == b"\x09", "wake-up, along z"
    assert get(chip, 0x1A, first_us) == b"\x02"
    assert chip.next_change(first_us, 10**6) == sample_us(210, 416), "half the difference of two samples is over"


def test_lsm6dsox_wake_up_latched_until_it_is_read():
    chip = wakes(control=0x01)
    assert chip.level(900_000) == 1
    assert get(chip, 0x1B, 900_000) == b"\x09"
    assert chip.level(900_001) == 0


def test_lsm6dsox_wake_up_ignores_what_is_too_small_or_too_short():
    assert wakes(duration=1).next_change(0, 10**6) is None
    chip = wakes()
    put(chip, 0x5B, 8)  # exactly the 0.25 g of the slope
    assert chip.next_change(0, 10**6) is None


def test_lsm6dsox_embedded_bank_keeps_off_the_main_registers():
    chip = LSM6DSOX(sense())
    put(chip, 0x10, 0x40)
    put(chip, 0x01, 0x80)
    put(chip, 0x10, 0x77)
    assert get(chip, 0x10) == b"\x77"
    put(chip, 0x01, 0x00)
    assert get(chip, 0x10) == b"\x40"


def test_lsm6dsox_on_spi():
    chip = LSM6DSOX(sense())
    chip.select(0)
    chip.transfer(b"\x10\x40", 0)
    chip.deselect(0)
    chip.select(10_000)
    assert words(chip.transfer(b"\xa8" + bytes(6), 10_000)[1:]) == (0, 0, 16393)


# MPU6050, RM-MPU-6000A revision 4.2


def moving_mpu6050(motion, pin=0x20, threshold=10, duration=1, divider=9, filtered=1):
    chip = MPU6050(sense(accel_g=motion))
    for register, value in ((0x6B, 0), (0x1A, 3), (0x19, divider), (0x1C, filtered), (0x1F, threshold),
                            (0x20, duration), (0x37, pin), (0x38, 0x40)):
        put(chip, register, value)
    return chip


def knock(at_us, for_us=50_000, g=0.5):
    return lambda time_us: (g if at_us <= time_us < at_us + for_us else 0, 0, 1)


def test_mpu6050_motion_latches_int_until_the_status_is_read():
    chip = moving_mpu6050(knock(504_000))
    assert chip.next_change(0, 400_000) is None
    assert chip.next_change(0, 10**6) == 510_000, "the first sample after it, at 100 Hz"
    assert (chip.level(509_999), chip.level(510_000), chip.level(900_000)) == (0, 1, 1)
    assert get(chip, 0x3A, 900_000)[0] & 0x40
    assert chip.level(900_000) == 0
    # Away from rest along +x; the high-pass filter sees the way back as -x.
    assert get(chip, 0x61, 900_000) == b"\xc0"


def test_mpu6050_motion_threshold_is_32_mg_per_step():
    assert moving_mpu6050(knock(500_000, g=0.33), threshold=10).next_change(0, 10**6) == 500_000
    assert moving_mpu6050(knock(500_000, g=0.31), threshold=10).next_change(0, 10**6) is None


def test_mpu6050_motion_must_last():
    assert moving_mpu6050(knock(500_000, for_us=10_000), duration=25, filtered=7).next_change(0, 10**6) is None
    assert moving_mpu6050(knock(500_000), duration=25, filtered=7).next_change(0, 10**6) == 520_000


def test_mpu6050_high_pass_takes_gravity_away_and_hold_remembers_it():
    def tilted(time_us):
        return (0, 1, 0) if time_us >= 300_000 else (0, 0, 1)

    chip = moving_mpu6050(tilted)
    assert chip.next_change(0, 10**6) == 300_000
    get(chip, 0x3A, 900_000)
    assert chip.next_change(900_000, 2 * 10**6) is None, "it got used to the new position"
    chip = moving_mpu6050(tilted, filtered=7)
    get(chip, 0x3A, 900_000)
    assert chip.next_change(900_000, 2 * 10**6) == 910_000, "it still is not where it was"
    assert moving_mpu6050(tilted, filtered=0).next_change(0, 10**6) is None, "the filter in reset gives 0"


def test_mpu6050_pulse_of_50_us_and_active_low():
    chip = MPU6050(sense())
    for register, value in ((0x6B, 0), (0x1A, 3), (0x19, 9), (0x37, 0x00), (0x38, 0x01)):
        put(chip, register, value)
    assert chip.next_change(0, 10**6) == 10_000
    assert chip.next_change(10_000, 10**6) == 10_050
    assert (chip.level(10_049), chip.level(10_050)) == (1, 0)
    assert chip.next_change(10_050, 10**6) == 20_000
    put(chip, 0x37, 0x80, time_us=12_000)
    assert (chip.level(12_000), chip.level(20_001)) == (1, 0)


def test_mpu6050_latched_data_ready_falls_with_any_read_if_told_so():
    chip = MPU6050(sense())
    for register, value in ((0x6B, 0), (0x1A, 3), (0x19, 9), (0x37, 0x20), (0x38, 0x01)):
        put(chip, register, value)
    get(chip, 0x3B, 10_000, 14)
    assert chip.level(10_000) == 1, "reading the data does not clear it"
    get(chip, 0x3A, 10_000)
    assert chip.level(10_000) == 0
    put(chip, 0x37, 0x30, time_us=10_000)
    assert chip.level(20_000) == 1
    get(chip, 0x3B, 20_000, 14)
    assert chip.level(20_000) == 0


def test_mpu6050_fifo_overflow_raises_int():
    chip = MPU6050(sense())
    for register, value in ((0x6B, 0), (0x1A, 3), (0x19, 9), (0x23, 0x78), (0x6A, 0x40), (0x37, 0x20), (0x38, 0x10)):
        put(chip, register, value)
    assert chip.next_change(0, 10**7) == 860_000, "85 samples of 12 bytes fit into 1024"


@pytest.mark.parametrize("code, rate_hz", enumerate((1.25, 5, 20, 40)))
def test_mpu6050_cycle_mode_wakes_at_the_low_rates(code, rate_hz):
    chip = MPU6050(sense(accel_g=ramp, gyro_dps=(100, 0, 0)))
    put(chip, 0x6C, code << 6 | 7)
    put(chip, 0x6B, 0x20)
    period_us = round(1e6 / rate_hz)
    assert get(chip, 0x3A, period_us - 1) == b"\0"
    assert get(chip, 0x3A, period_us) == b"\1"
    data = struct.unpack(">7h", get(chip, 0x3B, period_us, 14))
    assert data[0] == round(period_us * 1e-6 * 16384)
    assert data[4:] == (0, 0, 0), "the gyroscope is off"


def test_mpu6050_sleeps_in_cycles_until_it_is_moved():
    chip = moving_mpu6050(knock(10_100_000, for_us=300_000))
    put(chip, 0x6C, 0x47)  # 5 Hz
    put(chip, 0x6B, 0x20)
    assert chip.next_change(0, 60 * 10**6) == 10_200_000


def test_mpu6050_self_test_answers_with_the_factory_trim():
    chip = MPU6050(sense())
    put(chip, 0x6B, 0)
    put(chip, 0x1A, 3)
    put(chip, 0x1B, 0x00, 0x10)  # 250 dps, 8 g
    before = struct.unpack(">7h", get(chip, 0x3B, 10_000, 14))
    put(chip, 0x1B, 0xE0, 0xF0, time_us=10_000)
    after = struct.unpack(">7h", get(chip, 0x3B, 20_000, 14))
    x, y, z, a = get(chip, 0x0D, 20_000, 4)
    accel = [r >> 5 << 2 | a >> s & 3 for r, s in zip((x, y, z), (4, 2, 0), strict=True)]
    gyro = [r & 31 for r in (x, y, z)]
    # RM-MPU-6000A, section 4.1.
    for i in range(3):
        trim = 4096 * 0.34 * (0.92 / 0.34) ** ((accel[i] - 1) / 30)
        assert after[i] - before[i] == pytest.approx(trim, abs=1)
        trim = (-1 if i == 1 else 1) * 25 * 131 * 1.046 ** (gyro[i] - 1)
        assert after[4 + i] - before[4 + i] == pytest.approx(trim, rel=0.001), "131 counts per dps is rounded"


def test_mpu6050_skips_what_is_steady_and_says_the_same():
    """In a world that is steady for hours the motion detector need not look at each sample; nothing else changes."""
    import numpy as np

    from edgekit.recording import Recording
    from edgekit.simulator.world import World

    def world_of():
        world = World()
        world.set(accel_g=(0.2, -0.4, 0.9))
        shake = np.zeros((60, 3), np.float32)
        shake[:, 2], shake[20:23, 0] = 1.0, 1.5
        for at_s in (30.0, 47.3, 200.01):
            world.play(Recording(shake, 50, ("ax", "ay", "az"), ("g",) * 3), at_s=at_s)
        return world

    found = []
    for skips in (True, False):
        world = world_of()
        chip = MPU6050(world.sense if skips else lambda name, time_us, world=world: world.sense(name, time_us))
        for register, value in ((0x6B, 0), (0x1A, 4), (0x19, 19), (0x1C, 0x19), (0x1F, 12), (0x20, 1), (0x37, 0x20),
                                (0x23, 0x88), (0x6A, 0x44), (0x38, 0x40)):
            chip.write(bytes((register, value)), 0)
        edges, now_us = [], 0
        while now_us < 260_000_000:
            change_us = chip.next_change(now_us, now_us + 20_000_000)
            now_us = now_us + 20_000_000 if change_us is None else change_us
            if change_us is not None:
                edges.append(change_us)
                chip.write(bytes((0x3A,)), now_us)
                chip.read(1, now_us)
                chip.write(bytes((0x74,)), now_us)
                edges.append(chip.read(64, now_us).hex())
        assert (chip._steady_until is None) is not skips
        found.append(edges)
    assert found[0] == found[1] and len(found[0]) >= 6
