"""Every bus of the world answers as bus.py says: SPI, I2S, UART, 1-Wire, DHT, addressable LEDs, pulses."""

import time

import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit.recording import Recording
from edgekit.simulator import bus
from edgekit.simulator.chips.dht22 import DHT11, DHT22
from edgekit.simulator.chips.ds18b20 import DS18B20
from edgekit.simulator.world import World

PIN = 15


def ask(world, op, time_us, *args, data=b""):
    payload, number, _ = bus.parse_answer(world.transaction(bus.pack(op, time_us, *args, data=data)))
    if number:
        raise OSError(number, "as the board gets it")
    return payload


def number(data, signed=False):
    return int.from_bytes(data, "little", signed=signed)


# SPI

class Echo:
    """Sends back what it gets plus a number; notes when it was selected."""

    def __init__(self, plus):
        self.plus = plus
        self.log = []

    def select(self, time_us):
        self.log.append(("select", time_us))

    def deselect(self, time_us):
        self.log.append(("deselect", time_us))

    def transfer(self, data, time_us):
        return bytes((value + self.plus) & 0xFF for value in data)


def spi(world, data, time_us=0, mode=0):
    return ask(world, bus.SPI_TRANSFER, time_us, 1, 18, 23, 19, 1_000_000, mode, data=data)


def test_spi_chips_answer_when_their_pin_is_low():
    world = World()
    one, two = Echo(1), Echo(2)
    world.attach(one, cs=5)
    world.attach(two, cs=17)
    assert spi(world, b"\x10\x20") == b"\xff\xff", "nobody is selected"
    for pin in (5, 17):
        ask(world, bus.PIN_SET, 0, pin, 1)
        ask(world, bus.PIN_MODE, 0, pin, bus.MODE_OUT, bus.PULL_NONE)
    ask(world, bus.PIN_SET, 100, 5, 0)
    assert spi(world, b"\x10\x20", 110) == b"\x11\x21"
    ask(world, bus.PIN_SET, 120, 5, 1)
    ask(world, bus.PIN_SET, 130, 17, 0)
    assert spi(world, b"\x10\x20", 140) == b"\x12\x22"
    assert one.log == [("select", 100), ("deselect", 120)] and two.log == [("select", 130)]
    ask(world, bus.PIN_SET, 150, 5, 0)
    assert spi(world, b"\x10", 160) == bytes((0x11 & 0x12,)), "two at once: the one that pulls down wins"


def test_spi_with_the_lowest_bit_first():
    world = World()
    world.attach(Echo(0), cs=5)
    ask(world, bus.PIN_MODE, 0, 5, bus.MODE_OUT, bus.PULL_NONE)
    seen = []
    world.detach(cs=5)
    chip = Echo(0)
    chip.transfer = lambda data, time_us: seen.append(data) or b"\x01" * len(data)
    world.attach(chip, cs=5)
    assert spi(world, b"\x80\x0f", mode=4) == b"\x80\x80"
    assert seen == [b"\x01\xf0"]


def test_a_reset_of_the_board_deselects_spi_chips():
    world = World()
    chip = Echo(1)
    world.attach(chip, cs=5)
    ask(world, bus.PIN_MODE, 0, 5, bus.MODE_OUT, bus.PULL_NONE)
    ask(world, bus.RESET, 10)
    assert chip.log == [("select", 0), ("deselect", 10)]
    assert spi(world, b"\x10", 20) == b"\xff"


def test_two_spi_chips_cannot_share_a_pin():
    world = World()
    world.attach(Echo(1), cs=5)
    with pytest.raises(DataError, match="Pin 5 selects a chip already; two cannot share one"):
        world.attach(Echo(2), cs=5)
    with pytest.raises(DataError, match="No SPI chip is selected by pin 6. Pins that select one: 5"):
        world.detach(cs=6)


# I2S

class Ramp:
    """Its left slot counts the frames, its right slot is the opposite."""

    def record(self, first_us, rate_hz, frames):
        first = round(first_us * rate_hz / 1e6)
        left = (first + np.arange(frames)) << 16
        return np.stack([left, -left], axis=1).astype(np.int32)


@pytest.mark.parametrize("bits, channels", [(16, 1), (16, 2), (32, 1), (32, 2)])
def test_i2s_formats(bits, channels):
    world = World()
    world.microphone(0, Ramp())
    ask(world, bus.I2S_START, 0, 0, 14, 13, 32, 16_000, bits, channels)
    data = ask(world, bus.I2S_READ, 10_000, 0, 5, 3)
    values = np.frombuffer(data, f"<i{bits // 8}").reshape(3, channels) >> (bits - 16)
    assert values[:, 0].tolist() == [5, 6, 7]
    if channels == 2:
        assert values[:, 1].tolist() == [-5, -6, -7]


def test_i2s_frames_count_from_the_start_and_a_microphone_may_hang_on_its_data_pin():
    world = World()
    world.microphone(32, Ramp())
    ask(world, bus.I2S_START, 500_000, 1, 14, 13, 32, 8_000, 16, 1)
    assert np.frombuffer(ask(world, bus.I2S_READ, 600_000, 1, 0, 2), "<i2").tolist() == [4000, 4001]


def test_i2s_without_a_microphone_is_silent_and_without_a_start_an_error():
    world = World()
    with pytest.raises(OSError) as caught:
        ask(world, bus.I2S_READ, 0, 0, 0, 4)
    assert caught.value.errno == bus.EINVAL
    ask(world, bus.I2S_START, 0, 0, 14, 13, 32, 16_000, 32, 2)
    assert ask(world, bus.I2S_READ, 1000, 0, 0, 4) == bytes(4 * 8)


def sound(world, start_us, rate_hz, frames, piece):
    pieces = [world.sense_sound(start_us + first * 1e6 / rate_hz, rate_hz, min(piece, frames - first))
              for first in range(0, frames, piece)]
    return np.concatenate(pieces)


def test_sound_is_the_same_in_whatever_pieces():
    world = World(3)
    wave = np.random.default_rng(0).integers(-20_000, 20_000, 3000, dtype=np.int16)
    world.play(Recording(wave, 16_000, ("left",), ("full scale",), (1 / 32768,)), at_s=0.1, as_="sound")
    world.set_noise(sound=0.01)
    whole = sound(world, 0.0, 16_000, 8000, 8000)
    assert np.array_equal(whole, sound(world, 0.0, 16_000, 8000, 77))
    world.set_noise(sound=0)
    clean = sound(world, 0.0, 16_000, 8000, 333)
    assert np.array_equal(clean[1600:4600], wave / 32768) and not clean[:1600].any() and not clean[4600:].any()
    assert (whole - clean).std() == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 44_100])
def test_a_recording_at_the_microphones_rate_comes_back_to_the_bit(rate_hz):
    world = World()
    wave = np.random.default_rng(1).integers(-32768, 32768, 2 * rate_hz, dtype=np.int16)
    world.play(Recording(wave, rate_hz, ("audio",), ("",), (1 / 32768,)), at_s=3.0)
    heard = sound(world, 3e6, rate_hz, len(wave), 256)
    assert np.array_equal(np.round(heard * 32768), wave)


def test_functions_of_the_sound_for_arrays_and_for_single_times():
    for function in (lambda t: 0.5 * np.sin(t), lambda t: 0.5 * float(np.sin(t)), lambda t: 0.5 if t > 0.01 else 0.0):
        world = World()
        world.set(sound=function)
        heard = sound(world, 0.0, 16_000, 400, 100)
        assert heard == pytest.approx([function(i / 16_000) for i in range(400)])


def test_a_minute_of_sound_takes_a_moment():
    world = World()
    world.set(sound=lambda t: 0.1 * np.sin(6000 * t))
    world.set_noise(sound=0.001)
    start = time.perf_counter()
    sound(world, 0.0, 16_000, 60 * 16_000, 512)
    assert time.perf_counter() - start < 2


# UART

def test_uart_both_ways():
    world = World()
    ask(world, bus.UART_START, 0, 1, 17, 16, 9600)
    peer = world.uart(1)
    assert peer.baud == 9600
    ask(world, bus.UART_WRITE, 0, 1, data=b"AT\r\n")
    ask(world, bus.UART_WRITE, 0, 1, data=b"!")
    assert bytes(peer.received) == b"AT\r\n!"
    assert number(ask(world, bus.UART_ANY, 0, 1)) == 0
    peer.send(b"OK\r\n")
    assert number(ask(world, bus.UART_ANY, 0, 1)) == 4
    assert ask(world, bus.UART_READ, 0, 1, 2) == b"OK"
    assert ask(world, bus.UART_READ, 0, 1, 10) == b"\r\n"
    assert ask(world, bus.UART_READ, 0, 1, 10) == b""
    assert ask(world, bus.UART_READ, 0, 2, 10) == b"", "another UART"


def test_a_peer_that_answers_at_once():
    world = World()
    peer = world.uart(1)
    peer.on_bytes = lambda data: peer.send(data.upper())
    ask(world, bus.UART_WRITE, 0, 1, data=b"hello")
    assert ask(world, bus.UART_READ, 0, 1, 10) == b"HELLO"


# 1-Wire

def write(world, *values, time_us=0):
    for value in values:
        ask(world, bus.ONEWIRE_WRITE, time_us, PIN, 8, value)


def read(world, count, time_us=0):
    return b"".join(ask(world, bus.ONEWIRE_READ, time_us, PIN, 8) for _ in range(count))


def reset(world, time_us=0):
    return ask(world, bus.ONEWIRE_RESET, time_us, PIN)[0]


def search(world, command=0xF0):
    """The search of Maxim's application note 187: at each place where devices differ, go the other way once."""
    roms, last_discrepancy, rom = [], -1, 0
    while True:
        if not reset(world):
            return roms
        write(world, command)
        discrepancy = -1
        for i in range(64):
            bit = ask(world, bus.ONEWIRE_READ, 0, PIN, 1)[0]
            opposite = ask(world, bus.ONEWIRE_READ, 0, PIN, 1)[0]
            if bit and opposite:
                return roms
            if bit == opposite:
                bit = 1 if i == last_discrepancy else 0 if i > last_discrepancy else rom >> i & 1
                if bit == 0:
                    discrepancy = i
            rom = rom & ~(1 << i) | bit << i
            ask(world, bus.ONEWIRE_WRITE, 0, PIN, 1, bit)
        roms.append(rom.to_bytes(8, "little"))
        if discrepancy < 0:
            return roms
        last_discrepancy = discrepancy


def crc_table(data):
    """The checksum by its polynomial, bit for bit as a shift register in the data sheet's figure."""
    register = 0
    for value in data:
        for i in range(8):
            feedback = (register & 1) ^ (value >> i & 1)
            register = register >> 1 ^ (0b10001100 if feedback else 0)
    return register


def test_no_device_is_no_presence():
    world = World()
    assert reset(world) == 0
    assert read(world, 2) == b"\xff\xff"
    assert search(world) == []


@pytest.mark.parametrize("serials", [(1,), (1, 2, 3), (0xFFFFFFFFFFFF, 0, 0x800000000000, 0x123456789ABC)])
def test_the_search_finds_every_device(serials):
    world = World()
    chips = [DS18B20(world.sense, serial) for serial in serials]
    for chip in chips:
        world.onewire(PIN, chip)
    assert sorted(search(world)) == sorted(chip.rom for chip in chips)
    assert all(rom[0] == 0x28 and crc_table(rom) == 0 for rom in search(world))


def temperature(world, rom, time_us):
    reset(world, time_us)
    write(world, 0x55, *rom, 0xBE, time_us=time_us)
    scratchpad = read(world, 9, time_us)
    assert crc_table(scratchpad) == 0
    return number(scratchpad[:2], signed=True) / 16


@pytest.mark.parametrize("celsius", [25.0625, 0.0, -10.125, 125.0, -55.0])
def test_temperatures_of_two_thermometers(celsius):
    world = World()
    feels = {1: celsius, 2: 85.5}
    chips = [DS18B20(lambda name, time_us, serial=serial: feels[serial], serial) for serial in feels]
    for chip in chips:
        world.onewire(PIN, chip)
    assert temperature(world, chips[0].rom, 0) == 85, "before the first conversion"
    reset(world)
    write(world, 0xCC, 0x44)
    assert ask(world, bus.ONEWIRE_READ, 100_000, PIN, 1) == b"\x00", "busy"
    assert ask(world, bus.ONEWIRE_READ, 750_000, PIN, 1) == b"\x01"
    assert temperature(world, chips[0].rom, 800_000) == celsius
    assert temperature(world, chips[1].rom, 800_000) == 85.5


def test_resolution_and_alarm():
    world = World()
    world.set(temperature_c=30.9375)
    chip = DS18B20(world.sense)
    world.onewire(PIN, chip)
    reset(world)
    write(world, 0xCC, 0x4E, 31, 0x80 | 10, 0x1F)
    reset(world)
    write(world, 0xCC, 0x44)
    assert temperature(world, chip.rom, 90_000) == 85
    assert temperature(world, chip.rom, 100_000) == 31, "9 bits: half degrees"
    assert search(world, 0xEC) == [chip.rom], "31 is the alarm's limit"
    world.set(temperature_c=20)
    reset(world)
    write(world, 0xCC, 0x44, time_us=100_000)
    ask(world, bus.NOTE_TIME, 300_000)
    assert search(world, 0xEC) == []


def test_a_thermometer_says_its_rom_when_it_is_alone():
    world = World()
    chip = DS18B20(world.sense, 77)
    world.onewire(PIN, chip)
    reset(world)
    write(world, 0x33)
    assert read(world, 8) == chip.rom
    world.onewire(PIN, None)
    assert reset(world) == 0


# DHT

@pytest.mark.parametrize("humidity, celsius", [(0, 0), (99.9, 80), (45.6, -0.1), (33.3, -40)])
def test_dht22(humidity, celsius):
    world = World()
    world.set(humidity_percent=humidity, temperature_c=celsius)
    world.dht(PIN, DHT22(world.sense))
    data = ask(world, bus.DHT_READ, 0, PIN)
    # As MicroPython's driver takes it apart.
    assert (data[0] << 8 | data[1]) * 0.1 == pytest.approx(humidity)
    read_c = ((data[2] & 0x7F) << 8 | data[3]) * 0.1
    assert (-read_c if data[2] & 0x80 else read_c) == pytest.approx(celsius)
    assert sum(data[:4]) & 0xFF == data[4] and len(data) == 5


def test_a_dht_asked_too_soon_repeats_itself():
    world = World()
    world.dht(PIN, DHT11(world.sense))
    first = ask(world, bus.DHT_READ, 0, PIN)
    world.set(temperature_c=40)
    assert ask(world, bus.DHT_READ, 500_000, PIN) == first
    assert ask(world, bus.DHT_READ, 1_000_000, PIN)[2] == 40


def test_no_dht_is_a_time_out():
    with pytest.raises(OSError) as caught:
        ask(World(), bus.DHT_READ, 0, PIN)
    assert caught.value.errno == 110


# Addressable LEDs

def test_pixels_are_green_first_on_the_wire():
    world = World()
    assert world.pixels(PIN) == []
    ask(world, bus.BITSTREAM, 0, PIN, data=bytes((2, 1, 3, 20, 10, 30)))
    assert world.pixels(PIN) == [(1, 2, 3), (10, 20, 30)]
    ask(world, bus.BITSTREAM, 0, PIN, data=bytes((0, 255, 0)))
    assert world.pixels(PIN) == [(255, 0, 0), (10, 20, 30)], "the second one got no new bytes"
    ask(world, bus.BITSTREAM, 0, 4, data=bytes((2, 1, 3, 4)))
    assert world.pixels(4, bytes_per_pixel=4) == [(1, 2, 3, 4)]


# Pulses

def pulse(world, time_us, level, timeout_us=1_000_000):
    payload = ask(world, bus.PULSE, time_us, PIN, level, timeout_us)
    return number(payload[:4], signed=True), number(payload[4:])


def test_the_length_of_a_pulse():
    world = World()
    world.drive(PIN, 0)
    world.drive(PIN, 1, at_s=0.1)
    world.drive(PIN, 0, at_s=0.100580)
    assert pulse(world, 50_000, 1) == (580, 100_580)


def test_a_pulse_that_has_begun_counts_from_now():
    world = World()
    world.drive(PIN, 1)
    world.drive(PIN, 0, at_s=0.002)
    assert pulse(world, 1_500, 1) == (500, 2_000)


def test_a_pulse_that_does_not_come_and_one_that_does_not_end():
    world = World()
    world.drive(PIN, 0)
    assert pulse(world, 10, 1, 5000) == (-2, 5010)
    world.drive(PIN, 1)
    assert pulse(world, 6000, 1, 5000) == (-1, 11_000)


# Errors

def test_an_unknown_quantity_names_those_there_are():
    world = World()
    with pytest.raises(DataError, match="No quantity 'pressure'; there are accel_g, gyro_dps.*current_a"):
        world.set(pressure=1000)
    with pytest.raises(DataError, match=r"color is three numbers, one for each of r, g, b, for example .*found 1"):
        world.set(color=1)
    with pytest.raises(DataError, match="lux is one number, for example 300.0; found 'bright'"):
        world.set(accel_g=(1, 1, 1), lux="bright")
    assert world.value("accel_g") == (0, 0, 1), "nothing is set if one of them is wrong"
    with pytest.raises(DataError, match="sound has 1 channel, the recording has 2: a, b"):
        world.play(Recording(np.zeros((4, 2), np.float32), 100.0, ("a", "b")), as_="sound")


def test_whatever_a_board_asks_it_gets_an_answer():
    """Random requests to a full desk: each answer has its form, and the time never goes back."""
    from edgekit.board.profiles import get_profile
    from edgekit.simulator.desk import make_world
    random = np.random.default_rng(7)
    world = make_world(get_profile("esp32").pins)
    world.onewire(4, DS18B20(world.sense))
    world.dht(5, DHT22(world.sense))
    world.attach(Echo(1), cs=6)
    payload_bytes = {bus.ADC_READ: 6, bus.PIN_GET: 1, bus.UART_ANY: 2, bus.ONEWIRE_RESET: 1, bus.ONEWIRE_READ: 1,
                     bus.PULSE: 12, bus.SLEEP_UNTIL: 8, bus.PIN_SET: 0, bus.PWM_SET: 0}
    now_us, reached_us = 0, 0
    for _ in range(3000):
        op = int(random.integers(0, 26))
        now_us += int(random.integers(0, 3000))
        layout, names = bus._ARGUMENTS[op]
        low = {"until_us": now_us, "timeout_us": 0, "pin": 0, "mode": 0}
        high = {"until_us": now_us + 50_000, "timeout_us": 50_000, "pin": 40, "mode": 3, "value": 2, "edges": 4,
                "bus": 2, "address": 128, "count": 20, "frames": 50, "first": 1000, "id": 2, "bits": 9, "pull": 3,
                "channels": 3, "rate_hz": 48_000, "freq_hz": 1000, "duty_u16": 65536, "level": 2}
        args = [int(random.integers(low.get(name, 0), high.get(name, 12))) for name in names]
        request = bus.pack(op, now_us, *args, data=random.bytes(int(random.integers(0, 9))))
        payload, errno, irqs = bus.parse_answer(world.transaction(request))
        assert errno in (0, bus.ENODEV, bus.ETIMEDOUT, bus.EINVAL), request
        assert all(pin < 40 and edge in (1, 2) for pin, edge in irqs)
        if not errno and op in payload_bytes:
            assert len(payload) == payload_bytes[op], request
        assert errno == 0 or payload == b""
        assert world.time_s * 1e6 >= reached_us
        reached_us = world.time_s * 1e6
        now_us = max(now_us, round(reached_us))
