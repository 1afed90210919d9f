"""A board in its world: what it tells, what survives a loss of power, which engine and which clock it has."""

import threading
import time

import numpy as np
import pytest

from edgekit.board.simulated import SimulatedBoard
from edgekit.errors import BoardError
from edgekit.recording import Recording
from edgekit.simulator import bus
from edgekit.simulator.chips.mpu6050 import MPU6050
from edgekit.simulator.world import World


def ask(world, op, time_us, *args, data=b""):
    return bus.parse_answer(world.transaction(bus.pack(op, time_us, *args, data=data)))


def test_listeners_hear_every_output_and_may_use_the_world():
    world, heard = World(), []

    def listen(kind, pin):
        heard.append((kind, pin, world.pin(pin) if kind == "pin" else None))

    world.on_change(listen)
    ask(world, bus.PIN_MODE, 0, 2, bus.MODE_OUT, bus.PULL_NONE)
    ask(world, bus.PIN_SET, 0, 2, 1)
    ask(world, bus.PIN_SET, 0, 2, 1)
    ask(world, bus.PWM_SET, 0, 25, 50, 4096)
    ask(world, bus.BITSTREAM, 0, 16, data=b"abc")
    world.press(0)
    world.drive(4, 1)
    assert heard == [("pin", 2, 1), ("pwm", 25, None), ("pixels", 16, None), ("pin", 4, 1)]
    world.off_change(listen)
    ask(world, bus.PIN_SET, 0, 2, 0)
    assert len(heard) == 4


def test_a_listener_is_called_when_the_lock_is_free():
    """Another thread can use the world meanwhile: a widget that waits for its own thread does not hang the board."""
    world, done = World(), []

    def listen(kind, pin):
        thread = threading.Thread(target=lambda: done.append(world.pin(pin)))
        thread.start()
        thread.join(2)

    world.on_change(listen)
    ask(world, bus.PIN_MODE, 0, 2, bus.MODE_OUT, bus.PULL_NONE)
    ask(world, bus.PIN_SET, 0, 2, 1)
    assert done == [1]


def test_a_listener_that_fails_does_not_hang_the_board():
    world = World()
    world.on_change(lambda kind, pin: 1 / 0)
    ask(world, bus.PIN_MODE, 0, 2, bus.MODE_OUT, bus.PULL_NONE)
    with pytest.warns(UserWarning, match="listens to the simulated world failed: ZeroDivisionError"):
        assert ask(world, bus.PIN_SET, 0, 2, 1)[1] == 0


def test_a_function_that_failed_can_be_put_right():
    world = World()
    world.attach(MPU6050(world.sense))
    ask(world, bus.I2C_WRITE, 0, 0, 22, 21, 0x68, 1, data=b"\x6b\x01")
    world.set(accel_g=lambda t: 1 / 0)
    ask(world, bus.NOTE_TIME, 100_000)
    with pytest.warns(UserWarning, match="ZeroDivisionError"):
        world.set(accel_g=(0, 1, 0))
    payload = ask(world, bus.I2C_WRITE_READ, 200_000, 0, 22, 21, 0x68, 4, data=b"\x3b")[0]
    assert np.frombuffer(payload, ">i2").tolist() == [0, 16384]


def test_after_a_loss_of_power_the_boards_clock_starts_again_and_the_worlds_goes_on():
    world = World()
    world.attach(MPU6050(world.sense))
    ask(world, bus.I2C_WRITE, 0, 0, 22, 21, 0x68, 1, data=b"\x6b\x01")
    ask(world, bus.NOTE_TIME, 60_000_000)
    world.power_on()
    assert ask(world, bus.I2C_WRITE_READ, 100, 0, 22, 21, 0x68, 1, data=b"\x6b")[0] == b"\x40", "the chip forgot"
    world.play(Recording(np.float32([[5.0]]), 1.0, ("light",), ("lx",)), at_s=62.0)
    assert ask(world, bus.SLEEP_UNTIL, 100, 1_000_000)[0] == (1_000_000).to_bytes(8, "little")
    assert (world.time_s, world.value("lux")) == (61.0, 300)
    world.press(0, at_s=61.5)
    ask(world, bus.PIN_MODE, 1_000_000, 0, bus.MODE_IN, bus.PULL_UP)
    ask(world, bus.PIN_IRQ, 1_000_000, 0, bus.EDGE_FALLING)
    payload, _, irqs = ask(world, bus.SLEEP_UNTIL, 1_000_000, 9_000_000)
    assert int.from_bytes(payload, "little") == 1_500_000 and irqs == [(0, bus.EDGE_FALLING)]
    ask(world, bus.NOTE_TIME, 2_000_000)
    assert world.value("lux") == 5


def test_a_reset_with_an_earlier_time_is_a_loss_of_power():
    world = World()
    ask(world, bus.NOTE_TIME, 5_000_000)
    ask(world, bus.RESET, 0)
    ask(world, bus.NOTE_TIME, 1_000_000)
    assert world.time_s == 6.0
    ask(world, bus.RESET, 1_500_000)
    ask(world, bus.NOTE_TIME, 2_000_000)
    assert world.time_s == 7.0, "a reset whose clock goes on is none"


def test_a_second_board_in_the_same_world():
    world = World.with_motion_sensor()
    with SimulatedBoard(world=world) as board:
        board.exec("import time, machine\nmachine.Pin(2, machine.Pin.OUT).on()\ntime.sleep(5)")
        assert world.pin("LED") == 1
    with SimulatedBoard("rp2040", world=world) as board:
        assert world.pin(2) == 0 and world.time_s >= 5
        assert board.eval("__import__('time').ticks_ms()") < 1000
        board.exec("import time\ntime.sleep(1)")
        assert 6 <= world.time_s < 6.5


def test_the_clock_can_be_changed_at_any_time():
    with SimulatedBoard() as board:
        assert board.clock == "virtual"
        board.exec("import time\ntime.sleep(100)")
        board.clock = "real"
        start = time.perf_counter()
        board.exec("time.sleep(0.3)\nfrom machine import Pin\nPin(2).value()")
        assert 0.3 <= time.perf_counter() - start < 2
        assert 100.3 <= board.world.time_s < 103, "time goes on from where it was"
        board.clock = "virtual"
        start = time.perf_counter()
        board.exec("time.sleep(100)\nfrom machine import Pin\nPin(2).value()")  # a request: the world has caught up
        assert time.perf_counter() - start < 1 and board.world.time_s > 200
        with pytest.raises(BoardError, match="clock is 'virtual' or 'real', not 'fast'"):
            board.clock = "fast"


def test_engines_that_there_are_not():
    with pytest.raises(BoardError, match="engine is 'auto', 'wasm' or 'unix', not 'native'"):
        SimulatedBoard(engine="native")
    with pytest.raises(BoardError, match="The engine 'wasm' has no hard heap; take engine='unix' or 'auto'"):
        SimulatedBoard(engine="wasm", hard_heap=True)


def test_sound_from_the_desks_microphone_reaches_a_program():
    wave = (8000 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype(np.int16)
    with SimulatedBoard() as board:
        board.exec("from machine import I2S, Pin\nbuf = bytearray(2048)\n"
                   "mic = I2S(0, sck=Pin(14), ws=Pin(13), sd=Pin(32), mode=I2S.RX, bits=16, format=I2S.MONO, "
                   "rate=16000, ibuf=8000)\n")
        board.world.play(Recording(wave, 16_000, ("w",), ("full scale",), (1 / 32768,)), at_s=0, as_="sound")
        start = time.perf_counter()
        heard = bytes.fromhex(board.exec("import binascii\nfor _ in range(8):\n mic.readinto(buf)\n"
                                         " print(binascii.hexlify(buf).decode())").replace("\n", ""))
        assert time.perf_counter() - start < 8 * 1024 / 16_000, "faster than real time"
    heard = np.frombuffer(heard, "<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(heard[1024:] * np.hanning(len(heard) - 1024)))
    assert np.argmax(spectrum) * 16_000 / (len(heard) - 1024) == pytest.approx(440, abs=3)
    assert heard.max() == pytest.approx(8000, rel=0.02)
