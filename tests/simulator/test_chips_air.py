"""HTS221, LPS22HB and BMP280 against their data sheets: a driver's compensated reading is what the world has."""

import struct

import pytest

from edgekit.simulator.chips.bmp280 import BMP280
from edgekit.simulator.chips.hts221 import HTS221
from edgekit.simulator.chips.lps22hb import LPS22HB


def sense(**changed):
    """A world: constants, or functions of the time in microseconds."""
    values = {"temperature_c": 25.0, "humidity_percent": 50.0, "pressure_hpa": 1013.25, **changed}
    return lambda name, time_us: values[name](time_us) if callable(values[name]) else values[name]


def rising(time_us):
    """A pressure that says when it was."""
    return 1000 + time_us * 1e-6


def get(chip, register, time_us=0, count=1):
    chip.write(bytes((register,)), time_us)
    return chip.read(count, time_us)


def put(chip, register, *values, time_us=0):
    assert chip.write(bytes((register, *values)), time_us) == 1 + len(values)


# HTS221, DocID026333 revision 4


def read_hts221(chip, time_us):
    """Humidity and temperature as the data sheet computes them: a line through two points."""
    h0, h1, t0, t1, _, high = get(chip, 0xB0, time_us, 6)
    h0_out, _, h1_out, t0_out, t1_out = struct.unpack("<5h", get(chip, 0xB6, time_us, 10))
    t0, t1 = t0 | (high & 3) << 8, t1 | (high >> 2 & 3) << 8
    h_out, t_out = struct.unpack("<2h", get(chip, 0xA8, time_us, 4))
    humidity = h0 / 2 + (h1 / 2 - h0 / 2) * (h_out - h0_out) / (h1_out - h0_out)
    return humidity, t0 / 8 + (t1 / 8 - t0 / 8) * (t_out - t0_out) / (t1_out - t0_out)


@pytest.mark.parametrize("humidity, temperature", [(0, -20), (20, 16), (47.3, 21.7), (100, 60)])
def test_hts221_reads_what_the_world_has(humidity, temperature):
    chip = HTS221(sense(humidity_percent=humidity, temperature_c=temperature))
    put(chip, 0x20, 0x83)
    # The typical sensitivities: 0.004 % and 0.016 degrees for each count.
    assert read_hts221(chip, 80_000) == (pytest.approx(humidity, abs=0.004), pytest.approx(temperature, abs=0.016))


def test_hts221_reset_values_and_calibration_is_read_only():
    chip = HTS221(sense())
    assert {r: get(chip, r)[0] for r in range(0x30) if get(chip, r)[0]} == {0x0F: 0xBC, 0x10: 0x1B}
    before = get(chip, 0xB0, count=16)
    put(chip, 0xB0, *bytes(16))
    assert get(chip, 0xB0, count=16) == before


def test_hts221_increments_only_with_bit_7():
    chip = HTS221(sense())
    assert get(chip, 0x0F, count=2) == b"\xbc\xbc"
    assert get(chip, 0x8F, count=2) == b"\xbc\x1b"


@pytest.mark.parametrize("code, period_us", [(1, 1_000_000), (2, 142_857), (3, 80_000)])
def test_hts221_rates_and_status(code, period_us):
    chip = HTS221(sense())
    put(chip, 0x20, 0x80 | code)
    assert get(chip, 0x27, period_us - 1) == b"\0"
    assert get(chip, 0x27, period_us) == b"\3"
    get(chip, 0xA8, period_us, 2)
    assert get(chip, 0x27, period_us) == b"\1", "temperature still waits"


def test_hts221_one_shot():
    chip = HTS221(sense())
    put(chip, 0x20, 0x80)
    put(chip, 0x21, 0x01)
    assert get(chip, 0x21, 1000) == b"\1", "it converts"
    assert get(chip, 0x21, 100_000) == b"\0"
    assert get(chip, 0x27, 100_000) == b"\3"
    get(chip, 0xA8, 100_000, 4)
    assert get(chip, 0x27, 10**6) == b"\0", "once"


def test_hts221_powered_down_it_measures_nothing_and_boot_clears_itself():
    chip = HTS221(sense())
    put(chip, 0x20, 0x03)
    put(chip, 0x21, 0x80)
    assert get(chip, 0x27, 10**6) == b"\0"
    assert get(chip, 0x21, 10**6) == b"\0"


def test_hts221_drdy_pin():
    chip = HTS221(sense())
    put(chip, 0x20, 0x83)
    put(chip, 0x22, 0x04)
    assert chip.next_change(0, 10**6) == 80_000
    get(chip, 0xA8, 90_000, 4)
    assert chip.level(90_000) == 0
    put(chip, 0x22, 0x84, time_us=90_000)
    assert chip.level(90_000) == 1, "active low"


# LPS22HB, DocID027083 revision 6


def read_lps22hb(chip, time_us):
    """Pressure and temperature as the data sheet computes them."""
    data = get(chip, 0x28, time_us, 5)
    return int.from_bytes(data[:3], "little", signed=True) / 4096, int.from_bytes(data[3:], "little", signed=True) / 100


@pytest.mark.parametrize("pressure, temperature", [(260, -40), (1013.25, 21.37), (1260, 85)])
def test_lps22hb_reads_what_the_world_has(pressure, temperature):
    chip = LPS22HB(sense(pressure_hpa=pressure, temperature_c=temperature))
    put(chip, 0x10, 0x50)
    assert read_lps22hb(chip, 13_333) == (pytest.approx(pressure, abs=0.5 / 4096), pytest.approx(temperature, abs=0.005))


def test_lps22hb_reset_values():
    chip = LPS22HB(sense())
    assert {r: get(chip, r)[0] for r in range(0x80) if get(chip, r)[0]} == {0x0F: 0xB1, 0x11: 0x10}


@pytest.mark.parametrize("code, rate_hz", [(1, 1), (2, 10), (3, 25), (4, 50), (5, 75)])
def test_lps22hb_rates_status_and_overrun(code, rate_hz):
    chip = LPS22HB(sense())
    put(chip, 0x10, code << 4)
    period_us = round(1e6 / rate_hz)
    assert get(chip, 0x27, period_us - 1) == b"\0"
    assert get(chip, 0x27, period_us) == b"\x03"
    assert get(chip, 0x27, 2 * period_us + 1) == b"\x33", "both were overwritten"
    read_lps22hb(chip, 2 * period_us + 1)
    assert get(chip, 0x27, 2 * period_us + 1) == b"\0"


def test_lps22hb_one_shot():
    chip = LPS22HB(sense())
    put(chip, 0x11, 0x11)
    assert get(chip, 0x11, 1000) == b"\x11"
    assert get(chip, 0x11, 20_000) == b"\x10"
    assert get(chip, 0x27, 20_000) == b"\x03"
    read_lps22hb(chip, 20_000)
    assert get(chip, 0x27, 10**6) == b"\0", "once"


def test_lps22hb_offset_of_one_point_calibration():
    chip = LPS22HB(sense(pressure_hpa=1000))
    put(chip, 0x18, 0x10, 0x00)  # 16 x 1/16 hPa
    put(chip, 0x10, 0x50)
    assert read_lps22hb(chip, 20_000)[0] == 999


def test_lps22hb_fifo_burst_and_overflow():
    chip = LPS22HB(sense(pressure_hpa=rising))
    put(chip, 0x14, 0x40 | 10)
    put(chip, 0x11, 0x50)
    put(chip, 0x10, 0x50)
    assert chip.next_change(0, 10**7) is None, "INT_DRDY is not told to signal anything"
    put(chip, 0x12, 0x10)
    assert chip.next_change(0, 10**7) == 133_333
    assert get(chip, 0x26, 133_333) == bytes((0x80 | 10,))
    data = get(chip, 0x28, 133_333, 50)
    assert [int.from_bytes(data[i:i + 3], "little") for i in range(0, 50, 5)] == [
        round(rising(round(n * 1e6 / 75)) * 4096) for n in range(1, 11)]
    assert get(chip, 0x26, 133_333) == b"\0"
    assert get(chip, 0x26, 10**6) == bytes((0xC0 | 32,)), "threshold, overrun, 32 samples"
    assert read_lps22hb(chip, 10**6)[0] == pytest.approx(rising(round((75 - 31) * 1e6 / 75)), abs=1e-3)


def test_lps22hb_fifo_mode_keeps_the_oldest():
    chip = LPS22HB(sense(pressure_hpa=rising))
    put(chip, 0x14, 0x20)
    put(chip, 0x11, 0x50)
    put(chip, 0x10, 0x50)
    assert read_lps22hb(chip, 10**6)[0] == pytest.approx(rising(13_333), abs=1e-3)


def test_lps22hb_software_reset_and_spi():
    chip = LPS22HB(sense())
    put(chip, 0x10, 0x50)
    put(chip, 0x11, 0x14)
    assert get(chip, 0x10) == b"\0"
    chip.select(0)
    chip.transfer(b"\x10\x50", 0)
    chip.deselect(0)
    chip.select(20_000)
    data = chip.transfer(b"\xa8" + bytes(3), 20_000)
    assert int.from_bytes(data[1:], "little") == round(1013.25 * 4096)


# BMP280, BST-BMP280-DS001 revision 1.14


def compensate_bmp280(trim, raw_t, raw_p):
    """The data sheet's formulas for integers (section 3.11.3): degrees Celsius and pascal, exact to the bit."""
    t1, t2, t3, p1, p2, p3, p4, p5, p6, p7, p8, p9 = trim
    var1 = ((raw_t >> 3) - (t1 << 1)) * t2 >> 11
    var2 = (((raw_t >> 4) - t1) * ((raw_t >> 4) - t1) >> 12) * t3 >> 14
    fine = var1 + var2
    temperature = (fine * 5 + 128) >> 8
    var1 = fine - 128000
    var2 = var1 * var1 * p6 + (var1 * p5 << 17) + (p4 << 35)
    var1 = (var1 * var1 * p3 >> 8) + (var1 * p2 << 12)
    var1 = ((1 << 47) + var1) * p1 >> 33
    p = ((1048576 - raw_p << 31) - var2) * 3125 // var1
    p = (p + (p9 * (p >> 13) * (p >> 13) >> 25) + (p8 * p >> 19) >> 8) + (p7 << 4)
    return temperature / 100, p / 256


def raw_bmp280(chip, time_us):
    data = get(chip, 0xF7, time_us, 6)
    return int.from_bytes(data[3:], "big") >> 4, int.from_bytes(data[:3], "big") >> 4


def trim_bmp280(chip):
    return struct.unpack("<HhhHhhhhhhhh", get(chip, 0x88, count=24))


def test_bmp280_has_the_trim_of_the_data_sheets_example():
    trim = trim_bmp280(BMP280(sense()))
    assert trim == (27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
    assert compensate_bmp280(trim, 519888, 415148) == (25.08, pytest.approx(100653.27, abs=0.02))


@pytest.mark.parametrize("pressure", [300, 870.5, 1013.25, 1100])
@pytest.mark.parametrize("temperature", [-40, 0, 21.37, 85])
def test_bmp280_reads_what_the_world_has(pressure, temperature):
    chip = BMP280(sense(pressure_hpa=pressure, temperature_c=temperature))
    put(chip, 0xF4, 0xB5)
    found_c, found_pa = compensate_bmp280(trim_bmp280(chip), *raw_bmp280(chip, 100_000))
    assert found_c == pytest.approx(temperature, abs=0.011), "the integer formula has steps of 0.01"
    # A step is 0.16 Pa; the data sheet's formula for integers differs from that for floats by up to 0.4 Pa at 85 degrees.
    assert found_pa / 100 == pytest.approx(pressure, abs=0.005)


# Tables 4 and 5: the bits that are used, for 1 to 16 samples.
@pytest.mark.parametrize("code, unused_bits", [(1, 4), (2, 3), (3, 2), (4, 1), (5, 0)])
def test_bmp280_resolution_by_oversampling(code, unused_bits):
    used = 0
    for i in range(64):
        chip = BMP280(sense(pressure_hpa=1000 + i * 0.0101, temperature_c=20 + i * 0.0011))
        put(chip, 0xF4, code << 5 | code << 2 | 1)
        raw_t, raw_p = raw_bmp280(chip, 100_000)
        used |= raw_t | raw_p
    assert used & 0xF == 0xF >> unused_bits << unused_bits


def test_bmp280_skips_what_is_not_asked_for():
    chip = BMP280(sense())
    put(chip, 0xF4, 0x21)
    raw_t, raw_p = raw_bmp280(chip, 100_000)
    assert raw_t != 0x80000 and raw_p == 0x80000


def test_bmp280_forced_mode_measures_once_and_sleeps():
    chip = BMP280(sense(pressure_hpa=rising))
    put(chip, 0xF4, 0x25)  # both once: 1 + 2 + 2 + 0.5 ms, typically
    assert get(chip, 0xF3, 5_499) == b"\x08"
    assert raw_bmp280(chip, 5_499) == (0x80000, 0x80000)
    assert get(chip, 0xF3, 5_500) == b"\0"
    assert get(chip, 0xF4, 5_500) == b"\x24", "asleep again"
    first = raw_bmp280(chip, 5_500)
    assert first != (0x80000, 0x80000)
    assert raw_bmp280(chip, 10**7) == first


def test_bmp280_normal_mode_repeats_with_its_standby_time():
    chip = BMP280(sense(pressure_hpa=rising))
    put(chip, 0xF5, 1 << 5)  # 62.5 ms
    put(chip, 0xF4, 0x27)
    first = raw_bmp280(chip, 5_500)
    assert first[1] != 0x80000
    assert get(chip, 0xF3, 6_000) == b"\0", "standby"
    assert raw_bmp280(chip, 73_499) == first
    assert get(chip, 0xF3, 73_499) == b"\x08"
    assert raw_bmp280(chip, 73_500) != first


def test_bmp280_filter_follows_slowly():
    def step(time_us):
        return 1000 if time_us < 10**6 else 1010

    chip = BMP280(sense(pressure_hpa=step))
    put(chip, 0xF5, 2 << 2)  # coefficient 4, 0.5 ms standby
    put(chip, 0xF4, 0x27)
    trim = trim_bmp280(chip)
    assert compensate_bmp280(trim, *raw_bmp280(chip, 990_000))[1] == pytest.approx(100_000, abs=1)
    at_us = 5_500 + 166 * 6_000  # the first measurement after the step ends then
    for n in range(1, 5):
        found = compensate_bmp280(trim, *raw_bmp280(chip, at_us + (n - 1) * 6_000))[1]
        assert found == pytest.approx(101_000 - 1000 * 0.75 ** n, abs=2)
    assert compensate_bmp280(trim, *raw_bmp280(chip, 10**8))[1] == pytest.approx(101_000, abs=1)


def test_bmp280_writes_pairs_and_resets():
    chip = BMP280(sense())
    put(chip, 0xF5, 0x10, 0xF4, 0x24)
    assert get(chip, 0xF4, count=2) == b"\x24\x10"
    put(chip, 0xD0, 0x00)
    assert get(chip, 0xD0) == b"\x58"
    put(chip, 0xE0, 0xB6)
    assert get(chip, 0xF4, count=2) == b"\0\0"
    assert get(chip, 0xF7, count=6) == b"\x80\0\0\x80\0\0"


def test_bmp280_on_spi():
    chip = BMP280(sense())
    chip.select(0)
    chip.transfer(b"\x75\x10\x74\x25", 0)
    chip.deselect(0)
    assert get(chip, 0xF5) == b"\x10"
    chip.select(20_000)
    assert chip.transfer(b"\xd0\0", 20_000)[1] == 0x58
    chip.deselect(20_000)
    chip.select(20_000)
    data = chip.transfer(b"\xf7", 20_000) + chip.transfer(bytes(6), 20_000)
    assert (int.from_bytes(data[4:], "big") >> 4, int.from_bytes(data[1:4], "big") >> 4) == raw_bmp280(chip, 20_000)
