"""Chips on the buses and pins of a simulated board: what a MicroPython program sees of them."""

import math

import pytest

from edgekit.board.simulated import SimulatedBoard
from edgekit.simulator.chips.inmp441 import INMP441
from edgekit.simulator.chips.lsm6dsox import LSM6DSOX
from edgekit.simulator.chips.max30102 import MAX30102
from edgekit.simulator.chips.mpu6050 import MPU6050
from edgekit.simulator.world import World


@pytest.fixture(scope="module")
def board():
    with SimulatedBoard("esp32", world=World()) as started:
        yield started


def test_three_axes_into_an_array_over_i2c_and_spi(board):
    board.world.set(accel_g=(0.25, -0.5, 1))
    board.world.attach(LSM6DSOX(board.world.sense))
    board.world.attach(LSM6DSOX(board.world.sense), cs=5)
    board.exec("""
from array import array
from time import sleep
from machine import I2C, SPI, Pin
i2c, spi, cs = I2C(0), SPI(1), Pin(5, Pin.OUT, value=1)
one, other = array("h", [0] * 3), array("h", [0] * 3)
i2c.writeto_mem(0x6A, 0x10, b"\\x40")
cs(0); spi.write(b"\\x10\\x40"); cs(1)
sleep(0.1)
i2c.readfrom_mem_into(0x6A, 0x28, memoryview(one))       # items of two bytes: six bytes, not three
cs(0); spi.write(b"\\xa8"); spi.readinto(other); cs(1)
""")
    expected = [round(g / 0.000061) for g in (0.25, -0.5, 1)]
    assert board.eval("list(one)") == expected
    assert board.eval("list(other)") == expected


def test_movement_wakes_a_sleeping_board(board):
    chip = MPU6050(board.world.sense)
    board.world.attach(chip)
    board.world.wire(chip, 27)
    start_s = board.world.time_s
    board.world.set(accel_g=lambda time_s: (0.6 if start_s + 30 < time_s < start_s + 30.1 else 0, 0, 1))
    board.exec("""
from time import sleep, ticks_diff, ticks_ms
from machine import I2C, Pin
i2c = I2C(0)
for register, value in ((0x6B, 0), (0x1C, 1), (0x1F, 8), (0x20, 1), (0x37, 0x20), (0x38, 0x40), (0x6C, 0x87), (0x6B, 0x20)):
    i2c.writeto_mem(0x68, register, bytes((value,)))
seen = []
start = ticks_ms()
Pin(27, Pin.IN).irq(lambda pin: seen.append(ticks_diff(ticks_ms(), start)), Pin.IRQ_RISING)
sleep(60)
high = Pin(27).value()
status = i2c.readfrom_mem(0x68, 0x3A, 1)[0]
low = Pin(27).value()
Pin(27).irq(None)
""", timeout_s=60)
    seen_ms, = board.eval("seen")
    assert 29_500 < seen_ms < 30_200, "the cycle mode looks every 50 ms"
    assert board.eval("(high, status & 0x40, low)") == (1, 0x40, 0)


def test_the_pulse_of_a_finger_through_the_fifo(board):
    chip = MAX30102(board.world.sense)
    board.world.attach(chip)
    board.world.wire(chip, 26)
    board.world.set(ppg=lambda time_s: (0.2, 0.3 + 0.01 * math.sin(2 * math.pi * 1.25 * time_s)))
    board.exec("""
from time import sleep_ms
from machine import I2C, Pin
i2c = I2C(0)
i2c.readfrom_mem(0x57, 0, 1)
for register, value in ((0x0A, 0x67), (0x0C, 0xFF), (0x0D, 0xFF), (0x08, 0x0F), (0x02, 0x80), (0x09, 3)):
    i2c.writeto_mem(0x57, register, bytes((value,)))
infrared = []
while len(infrared) < 400:
    sleep_ms(20)
    if Pin(26).value() == 0:                                # almost full
        i2c.readfrom_mem(0x57, 0, 1)
        w, lost, r = i2c.readfrom_mem(0x57, 4, 3)
        data = i2c.readfrom_mem(0x57, 7, 6 * ((w - r) & 31))
        infrared += [data[i + 3] << 16 | data[i + 4] << 8 | data[i + 5] for i in range(0, len(data), 6)]
i2c.writeto_mem(0x57, 9, b"\\x80")
""", timeout_s=60)
    values = board.eval("infrared")
    middle = 0.3 * 2**18
    beats = sum(before < middle <= now for before, now in zip(values, values[1:], strict=False))
    assert beats == 5, "400 samples of 10 ms, 75 beats a minute"
    assert chip.fifo_lost == 0


def test_a_microphone_on_i2s(board):
    board.world.microphone(0, INMP441(board.world.sense_sound))
    board.world.set(sound=lambda time_s: 0.25 * math.sin(2 * math.pi * 440 * time_s))
    board.exec("""
from machine import I2S, Pin
mic = I2S(0, sck=Pin(14), ws=Pin(15), sd=Pin(32), mode=I2S.RX, bits=16, format=I2S.MONO, rate=16000, ibuf=8000)
buf = bytearray(3200)
mic.readinto(buf)
mic.readinto(buf)
from array import array
sound = array("h", buf)
mic.deinit()
""")
    values = board.eval("list(sound)")
    assert max(values) == pytest.approx(8192, abs=40) and min(values) == pytest.approx(-8192, abs=40)
    assert sum(before < 0 <= now for before, now in zip(values, values[1:], strict=False)) == pytest.approx(44, abs=1)
