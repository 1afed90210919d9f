"""The INMP441 against its data sheet, and the analogue parts against their formulas and the simulated converter."""

import math

import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit.simulator import bus
from edgekit.simulator.chips import analog
from edgekit.simulator.chips.inmp441 import INMP441
from edgekit.simulator.world import World

RATE_HZ = 16_000


def tone(rms, freq_hz=1000):
    def sound(first_us, rate_hz, frames):
        return rms * math.sqrt(2) * np.sin(2 * math.pi * freq_hz * (first_us / 1e6 + np.arange(frames) / rate_hz))
    return sound


def silence(first_us, rate_hz, frames):
    return np.zeros(frames)


def dbfs(slots):
    """Level against a sine of full scale."""
    return 20 * math.log10(np.sqrt(np.mean((slots / 2**31) ** 2)) * math.sqrt(2))


def test_inmp441_94_db_spl_give_minus_26_dbfs():
    # 1 Pa is 94 dB SPL; full scale is 120 dB SPL, 26 dB more: the data sheet's peak is 420426 of 2^23.
    slots = INMP441(tone(10 ** (-26 / 20) / math.sqrt(2)), noise=False).record(0.0, RATE_HZ, RATE_HZ)
    assert slots.dtype == np.int32
    assert (slots[:, 0] >> 8).max() == pytest.approx(420_426, abs=10)
    assert not (slots & 0xFF).any(), "24 bits"
    assert not slots[:, 1].any(), "the other slot is somebody else's"


def test_inmp441_noise_floor_and_signal_to_noise():
    noise = INMP441(silence).record(0.0, RATE_HZ, 4 * RATE_HZ)[:, 0]
    assert dbfs(noise) == pytest.approx(-87, abs=0.2)
    signal = INMP441(tone(10 ** (-26 / 20) / math.sqrt(2)), noise=False).record(0.0, RATE_HZ, RATE_HZ)[:, 0]
    assert dbfs(signal) - dbfs(noise) == pytest.approx(61, abs=0.3)


def test_inmp441_noise_does_not_depend_on_how_it_is_read():
    microphone = INMP441(silence, seed=3)
    whole = microphone.record(0.0, RATE_HZ, 5000)
    pieces, first = [], 0
    for frames in (1, 1023, 1, 2000, 0, 1975):
        pieces.append(microphone.record(first * 1e6 / RATE_HZ, RATE_HZ, frames))
        first += frames
    assert np.array_equal(np.concatenate(pieces), whole)
    assert not np.array_equal(INMP441(silence, seed=4).record(0.0, RATE_HZ, 5000), whole)


def test_inmp441_clips():
    slots = INMP441(lambda *_: np.array([1.5, -1.5]), channel="right", noise=False).record(0.0, RATE_HZ, 2)
    assert slots.tolist() == [[0, 0x7FFFFF00], [0, -0x80000000]]


def test_inmp441_channel_is_left_or_right():
    with pytest.raises(DataError, match="left or the right channel; found 'middle'"):
        INMP441(silence, channel="middle")


def ask(world, op, time_us, *args, data=b""):
    payload, errno, _ = bus.parse_answer(world.transaction(bus.pack(op, time_us, *args, data=data)))
    assert errno == 0
    return payload


@pytest.mark.parametrize("bits, dtype", [(16, "<i2"), (32, "<i4")])
def test_inmp441_on_the_boards_i2s(bits, dtype):
    world = World()
    world.set(sound=lambda time_s: 0.5 * math.sin(2 * math.pi * 440 * time_s))
    world.microphone(0, INMP441(world.sense_sound, noise=False))
    ask(world, bus.I2S_START, 1_000_000, 0, 14, 15, 32, RATE_HZ, bits, 1)
    read = np.frombuffer(ask(world, bus.I2S_READ, 1_200_000, 0, 160, 1600), dtype)
    time_s = 1.01 + np.arange(1600) / RATE_HZ
    assert read / 2 ** (bits - 1) == pytest.approx(0.5 * np.sin(2 * math.pi * 440 * time_s), abs=2**-15)


def sense(**values):
    return lambda name, time_us: values[name](time_us) if callable(values[name]) else values[name]


@pytest.mark.parametrize("lux", [1, 10, 300, 20_000])
def test_light_sensor(lux):
    part = analog.LightSensor(sense(lux=lux))
    ohm = 15_000 * (lux / 10) ** -0.6
    assert part(0.0) == pytest.approx(3.3 * 10_000 / (10_000 + ohm))
    assert part.lux(part(0.0)) == pytest.approx(lux)


def test_light_sensor_in_the_dark_has_a_megohm():
    assert analog.LightSensor(sense(lux=0))(0.0) == pytest.approx(3.3 * 10 / 1010)


# A table of such thermistors: R/R25 for beta 3950 between 0 and 50 degrees.
@pytest.mark.parametrize("celsius, ohm", [(0, 33_620), (25, 10_000), (50, 3_588)])
def test_thermistor(celsius, ohm):
    part = analog.Thermistor(sense(temperature_c=celsius))
    assert part(0.0) == pytest.approx(3.3 * ohm / (ohm + 10_000), rel=1e-3)
    assert part.temperature_c(part(0.0)) == pytest.approx(celsius, abs=1e-9)


def test_soil_moisture_falls_with_water_and_stops_at_its_ends():
    part = analog.SoilMoistureSensor(sense(soil_moisture_percent=lambda time_us: time_us / 1e6), dry_v=2.5, wet_v=1.0)
    assert [part(s) for s in (0, 50, 100, 140)] == pytest.approx([2.5, 1.75, 1.0, 1.0])
    assert part.moisture_percent(1.75) == pytest.approx(50)
    with pytest.raises(DataError, match="different voltages"):
        analog.SoilMoistureSensor(sense(), dry_v=1, wet_v=1)


def test_current_clamp_around_half_the_supply():
    part = analog.CurrentClamp(sense(current_a=lambda t: 5 * math.sqrt(2) * math.sin(2 * math.pi * 50 * t / 1e6)))
    volts = np.array([part(i / 5000) for i in range(1000)])
    assert volts.mean() == pytest.approx(1.65)
    current = np.array([part.current_a(v) for v in volts])
    assert np.sqrt(np.mean(current**2)) == pytest.approx(5)
    assert analog.CurrentClamp(sense(current_a=1000))(0.0) == 3.3, "no more than the supply"


def test_potentiometer_is_turned():
    part = analog.Potentiometer(lambda time_s: time_s / 10)
    assert part(5.0) == pytest.approx(1.65)
    part.position = 1
    assert part(0.0) == 3.3 and part.position_at(3.3) == 1
    with pytest.raises(DataError, match="between 0 and 1; found 2"):
        part.position = 2


def test_parts_say_that_a_supply_is_above_zero():
    with pytest.raises(DataError, match="above 0, such as 3.3; found 0"):
        analog.Thermistor(sense(), supply_v=0)


def test_a_part_on_a_pin_of_the_board():
    world = World()
    part = analog.Thermistor(world)
    world.adc(34, part)
    world.set(temperature_c=37.2)
    payload = ask(world, bus.ADC_READ, 1000, 34, 11)
    volts = int.from_bytes(payload[2:], "little", signed=True) / 1e6
    assert part.temperature_c(volts) == pytest.approx(37.2, abs=0.05)
