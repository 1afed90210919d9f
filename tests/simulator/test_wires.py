"""Devices that drive a pin: their edges interrupt the board at their exact time, also while it sleeps."""

import math

import numpy as np
import pytest

from edgekit.board.profiles import PROFILES
from edgekit.board.simulated import SimulatedBoard
from edgekit.errors import DataError
from edgekit.recording import Recording
from edgekit.simulator import bus
from edgekit.simulator.chips.mpu6050 import MPU6050
from edgekit.simulator.chips.sound_switch import SoundSwitch
from edgekit.simulator.desk import make_world
from edgekit.simulator.world import World

PIN = 27
RISING, FALLING = (PIN, bus.EDGE_RISING), (PIN, bus.EDGE_FALLING)


def ask(world, op, time_us, *args, data=b""):
    return bus.parse_answer(world.transaction(bus.pack(op, time_us, *args, data=data)))


def listen(world, edges=bus.EDGE_RISING | bus.EDGE_FALLING, time_us=0):
    ask(world, bus.PIN_MODE, time_us, PIN, bus.MODE_IN, bus.PULL_NONE)
    ask(world, bus.PIN_IRQ, time_us, PIN, edges)


def sleep(world, from_us, until_us):
    payload, _, irqs = ask(world, bus.SLEEP_UNTIL, from_us, until_us)
    return int.from_bytes(payload, "little"), irqs


class Steps:
    """A device whose output changes at given times."""

    def __init__(self, *times_us):
        self.times_us = times_us
        self.asked = 0

    def level(self, time_us):
        return sum(t <= time_us for t in self.times_us) % 2

    def next_change(self, after_us, until_us):
        self.asked += 1
        return next((t for t in self.times_us if after_us < t <= until_us), None)


def test_a_sleep_stops_at_each_edge_of_a_device():
    world = World()
    world.wire(Steps(100_003, 200_001, 900_000), PIN)
    listen(world)
    assert sleep(world, 0, 1_000_000) == (100_003, [RISING])
    assert sleep(world, 100_003, 1_000_000) == (200_001, [FALLING])
    assert sleep(world, 200_001, 500_000) == (500_000, [])
    assert sleep(world, 500_000, 900_000) == (900_000, [RISING]), "an edge at the very end"
    assert sleep(world, 900_000, 2_000_000) == (2_000_000, [])
    assert world.pin_history(PIN) == [(0.100003, 1), (0.200001, 0), (0.9, 1)]


def test_edges_between_two_requests_are_not_lost():
    world = World()
    world.wire(Steps(1000, 2000, 3000), PIN)
    listen(world)
    assert ask(world, bus.NOTE_TIME, 2400)[2] == [], "nobody reads the answer to a note"
    assert ask(world, bus.PIN_GET, 2500, PIN)[2] == [RISING, FALLING]
    assert ask(world, bus.PIN_GET, 2600, PIN) == (b"\x00", 0, [])


def test_a_button_and_a_device_take_turns():
    world = World()
    world.wire(Steps(300_000), PIN)
    listen(world)
    ask(world, bus.PIN_MODE, 0, 0, bus.MODE_IN, bus.PULL_UP)
    ask(world, bus.PIN_IRQ, 0, 0, bus.EDGE_FALLING)
    world.press(0, at_s=0.2)
    assert sleep(world, 0, 1_000_000) == (200_000, [(0, bus.EDGE_FALLING)])
    assert sleep(world, 200_000, 1_000_000) == (300_000, [RISING])


def test_a_device_nobody_listens_to_costs_nothing_but_is_read():
    world = World()
    source = Steps(1000)
    world.wire(source, PIN)
    assert sleep(world, 0, 10_000_000) == (10_000_000, []) and source.asked == 0
    assert ask(world, bus.PIN_GET, 10_000_000, PIN)[0] == b"\x01" and world.pin(PIN) == 1


def test_a_cut_wire():
    world = World()
    world.wire(Steps(1000), PIN)
    listen(world)
    world.wire(None, PIN)
    assert sleep(world, 0, 5000) == (5000, [])


def test_a_device_that_hangs_at_one_time_does_not_hang_the_board():
    class Stuck(Steps):
        def next_change(self, after_us, until_us):
            return after_us

    world = World()
    world.wire(Stuck(), PIN)
    listen(world)
    assert sleep(world, 0, 100) == (100, [])


def mpu6050(world, interrupt_pin_config):
    chip = MPU6050(world.sense)
    world.attach(chip)
    world.wire(chip, PIN)
    # Awake, 100 Hz (1 kHz inside by the filter), data ready on the pin.
    for register, value in ((0x6B, 1), (0x1A, 3), (0x19, 9), (0x37, interrupt_pin_config), (0x38, 1)):
        ask(world, bus.I2C_WRITE, 0, 0, 22, 21, 0x68, 1, data=bytes((register, value)))
    return chip


def test_data_ready_of_the_motion_sensor_wakes_the_board():
    world = World()
    mpu6050(world, 0x00)  # pulses of 50 us
    listen(world, bus.EDGE_RISING)
    times, now_us = [], 0
    while len(times) < 5:
        now_us, irqs = sleep(world, now_us, now_us + 1_000_000)
        times.append(now_us)
        assert irqs == [RISING]
    assert times == [10_000, 20_000, 30_000, 40_000, 50_000]


def test_interrupts_that_nobody_takes_for_long_are_lost():
    """As at the prompt with the real clock: an hour of data-ready must not be gone through edge by edge."""
    world = World()
    mpu6050(world, 0x00)
    listen(world, bus.EDGE_RISING)
    ask(world, bus.PIN_MODE, 0, 0, bus.MODE_IN, bus.PULL_UP)
    world.press(0, at_s=1800)
    irqs = ask(world, bus.PIN_GET, 3_600_000_000, 5)[2]
    assert len(irqs) == 255 and world.time_s == 3600
    assert world.pin(0) == 0 and (1800.0, 0) in world.pin_history(0)
    assert sleep(world, 3_600_000_000, 3_601_000_000) == (3_600_010_000, [RISING])


def test_a_latched_interrupt_stays_until_the_status_is_read():
    world = World()
    mpu6050(world, 0x20)
    listen(world)
    assert sleep(world, 0, 1_000_000) == (10_000, [RISING])
    assert sleep(world, 10_000, 45_000) == (45_000, [])
    payload, _, irqs = ask(world, bus.I2C_WRITE_READ, 45_000, 0, 22, 21, 0x68, 1, data=b"\x3a")
    assert payload[0] & 1 and irqs == [FALLING], "reading the status clears it, at once"
    assert sleep(world, 45_000, 1_000_000) == (50_000, [RISING])


# The sound switch

def claps(*starts_s, length_s=0.01, rate_hz=8000, seconds=2):
    times_s = np.arange(seconds * rate_hz) / rate_hz
    loud = sum(((times_s >= start) & (times_s < start + length_s)).astype(np.float32) for start in starts_s)
    wave = 0.8 * loud * np.sign(np.sin(2 * math.pi * 1000 * times_s + 0.3))
    return Recording(wave.astype(np.float32), rate_hz, ("audio",), ("",))


def test_a_clap_wakes_the_board():
    world = World()
    world.wire(SoundSwitch(world, 0.5), PIN)
    listen(world)
    world.play(claps(0.5))
    assert sleep(world, 0, 5_000_000) == (500_000, [RISING])
    reached_us, irqs = sleep(world, 500_000, 5_000_000)
    # The last loud sample is that at 0.509875 s; it is held for 50 ms.
    assert (reached_us, irqs) == (559_875, [FALLING])
    assert sleep(world, reached_us, 5_000_000) == (5_000_000, [])


def test_two_claps_close_together_are_one():
    world = World()
    world.wire(SoundSwitch(world, 0.5), PIN)
    listen(world)
    world.play(claps(0.5, 0.55))
    assert sleep(world, 0, 5_000_000)[0] == 500_000
    assert sleep(world, 500_000, 5_000_000)[0] == 609_875


def test_a_sound_below_the_threshold_does_nothing():
    world = World()
    world.wire(SoundSwitch(world, 0.9), PIN)
    listen(world)
    world.play(claps(0.5))
    assert sleep(world, 0, 3_000_000) == (3_000_000, [])


def test_the_next_change_is_where_the_level_changes():
    """Against the level itself, looked at everywhere."""
    world = World(5)
    world.set_noise(sound=0.1)
    switch = SoundSwitch(world, 0.3, hold_us=5000)
    levels = [switch.level(t) for t in range(0, 400_000, 125)]
    changes = [125 * i for i in range(1, len(levels)) if levels[i] != levels[i - 1]]
    assert len(changes) > 10
    found, after = [], 0
    while (change := switch.next_change(after, 399_999)) is not None:
        found.append(change)
        after = change
    assert found == changes


def test_a_long_quiet_sleep_is_quick():
    world = World()
    world.wire(SoundSwitch(world), PIN)
    listen(world)
    world.play(claps(0.5), at_s=3600)
    assert sleep(world, 0, 7_200_000_000)[0] == 3600_500_000


# The desk, and the board on it

@pytest.mark.parametrize("name", PROFILES)
def test_every_board_has_its_desk(name):
    pins = PROFILES[name].pins
    world = make_world(pins)
    assert [(number, address) for number, address, _ in world.chips()] == [(pins["I2C_ID"], 0x68)]
    parts = {part.name: part for part in world.parts}
    assert parts["LED"].pin == pins["LED"] and parts["LED"].on_level == pins["LED_ON"]
    assert parts["SERVO"].kind == "servo" and parts["RELAY"].kind == "relay" and parts["BUTTON"].on_level == 0
    world.press("BUTTON")
    with pytest.raises(DataError, match="No pin 'KNOB'"):
        world.press("KNOB")


def test_a_handler_on_the_board_hears_a_clap_in_its_sleep():
    with SimulatedBoard() as board:
        board.world.play(claps(0.5), at_s=board.world.time_s + 10)
        out = board.exec("""
import machine, time
heard = []
start = time.ticks_ms()
pin = machine.Pin(33, machine.Pin.IN)
pin.irq(lambda pin: heard.append(time.ticks_diff(time.ticks_ms(), start)), machine.Pin.IRQ_RISING)
time.sleep(20)
print(len(heard), heard[0])
""").split()
        assert out[0] == "1" and int(out[1]) == pytest.approx(10_500, abs=20)


def test_the_same_seed_gives_the_same_bytes_over_all_devices():
    """A board that uses everything, twice: every answer is the same; with another seed it is not."""
    from edgekit.simulator.chips.dht22 import DHT22
    from edgekit.simulator.chips.ds18b20 import DS18B20

    class Microphone:
        def __init__(self, world):
            self.world = world

        def record(self, first_us, rate_hz, frames):
            left = (self.world.sense_sound(first_us, rate_hz, frames) * 2**31).clip(-2**31, 2**31 - 1)
            return np.stack([left.astype(np.int32), np.zeros(frames, np.int32)], axis=1)

    def run(seed, piece):
        world = make_world(PROFILES["esp32"].pins, seed)
        world.set_noise(accel_g=0.01, gyro_dps=0.5, temperature_c=0.2, humidity_percent=1, sound=0.05, volts=0.01)
        world.set(lux=lambda t: 100 * t, sound=lambda t: 0.2 * np.sin(3000 * t))
        world.onewire(4, DS18B20(world.sense))
        world.dht(5, DHT22(world.sense))
        world.adc(34, lambda t: 1 + 0.1 * math.sin(t))
        world.microphone(0, Microphone(world))
        answers = []

        def note(*request, **more):
            answers.append(world.transaction(bus.pack(*request, **more)))

        note(bus.I2C_WRITE, 0, 0, 22, 21, 0x68, 1, data=b"\x6b\x01")
        note(bus.PIN_MODE, 0, 33, bus.MODE_IN, 0)
        note(bus.PIN_IRQ, 0, 33, bus.EDGE_RISING)
        note(bus.I2S_START, 0, 0, 14, 13, 32, 16_000, 32, 1)
        sound = b""
        for i in range(1, 40):
            now = 50_000 * i
            note(bus.I2C_WRITE_READ, now, 0, 22, 21, 0x68, 14, data=b"\x3b")
            note(bus.ADC_READ, now, 34, 11)
            note(bus.DHT_READ, now, 5)
            for op, args in ((bus.ONEWIRE_RESET, (4,)), (bus.ONEWIRE_WRITE, (4, 8, 0xCC)),
                             (bus.ONEWIRE_WRITE, (4, 8, 0xBE if i % 20 else 0x44)), (bus.ONEWIRE_READ, (4, 8))):
                note(op, now, *args)
            note(bus.SLEEP_UNTIL, now, now + 30_000)
            for first in range(800 * (i - 1), 800 * i, piece):
                request = bus.pack(bus.I2S_READ, now + 30_000, 0, first, min(piece, 800 * i - first))
                sound += bus.parse_answer(world.transaction(request))[0]
        return answers, sound

    answers, sound = run(1, 256)
    assert (answers, sound) == run(1, 256)
    assert sound == run(1, 100)[1], "in whatever pieces it is read"
    others, other_sound = run(2, 256)
    assert sum(a != b for a, b in zip(answers, others, strict=True)) > 70 and sound != other_sound
