"""Faults as the board gets them: errors with MicroPython's numbers, bytes that are lost, power that is gone."""

import time

import numpy as np
import pytest

from edgekit.board.simulated import SimulatedBoard
from edgekit.errors import BoardLostError, DataError
from edgekit.recording import Recording
from edgekit.simulator import bus
from edgekit.simulator.chips.mpu6050 import MPU6050
from edgekit.simulator.faults import FAULTS, SerialFault, SerialLine
from edgekit.simulator.world import World

ENODEV, ETIMEDOUT = 19, 110  # MicroPython's numbers, on every computer


def ask(world, op, time_us, *args, data=b""):
    return bus.parse_answer(world.transaction(bus.pack(op, time_us, *args, data=data)))[:2]


def who_am_i(world, number=0):
    return ask(world, bus.I2C_WRITE_READ, 0, number, 22, 21, 0x68, 1, data=b"\x75")


def scan(world, number=0):
    return ask(world, bus.I2C_SCAN, 0, number, 22, 21)[0]


@pytest.fixture
def world():
    world = World()
    world.attach(MPU6050(world.sense))
    return world


def test_the_table_says_of_each_fault_what_it_is_what_is_seen_and_how_it_is_mended():
    assert set(FAULTS) == {"silent", "stuck", "frozen", "saturated", "serial", "cable", "brown-out", "flash full"}
    for fault in FAULTS.values():
        assert all(text.endswith(".") for text in (fault.what, fault.seen, fault.mended))
        assert fault.kind in World.fault.__doc__


# Chips

def test_a_silent_chip(world):
    world.fault("silent", address=0x68)
    assert who_am_i(world) == (b"", ENODEV) and scan(world) == b""
    assert world.faults == {"silent": [{"address": 0x68}]}
    world.mend("silent")
    assert who_am_i(world) == (b"\x68", 0) and scan(world) == b"\x68" and world.faults == {}


def test_the_only_chip_needs_no_address_but_two_do(world):
    world.fault("silent")
    assert who_am_i(world)[1] == ENODEV
    world.mend()
    world.attach(MPU6050(world.sense), address=0x69)
    with pytest.raises(DataError, match="say address=0x68.*Chips there: bus 0 address 0x68, bus 0 address 0x69"):
        world.fault("silent")


def test_a_stuck_bus(world):
    world.attach(MPU6050(world.sense), bus=1)
    world.fault("stuck", bus=0)
    assert who_am_i(world) == (b"", ETIMEDOUT) and scan(world) == b""
    assert ask(world, bus.I2C_WRITE, 0, 0, 22, 21, 0x68, 1, data=b"\x75")[1] == ETIMEDOUT
    assert ask(world, bus.I2C_READ, 0, 0, 22, 21, 0x10, 1, 1)[1] == ETIMEDOUT, "whatever the address"
    assert who_am_i(world, 1) == (b"\x68", 0), "the other bus works"
    # extmod/machine_i2c.c reads the acknowledge from SDA, where 0 means yes.
    assert scan(world, bus.SOFT_BUS) == bytes(range(0x08, 0x78))
    assert who_am_i(world, bus.SOFT_BUS) == (b"\x00", 0)
    world.mend("stuck")
    assert who_am_i(world) == (b"\x68", 0)


def test_a_frozen_sensor_repeats_its_last_reading_noise_included(world):
    world.set_noise(accel_g=0.01)
    ask(world, bus.NOTE_TIME, 500_000)
    at_that_time = world.sense("accel_g", 500_000)
    world.fault("frozen", quantity="accel_g")
    world.set(accel_g=(1, 0, 0))
    assert [world.sense("accel_g", t) for t in (0, 600_000, 700_000)] == [at_that_time] * 3
    assert world.value("accel_g") == (1, 0, 0), "the world itself goes on"
    samples = np.array([world.sense("accel_g", 10_000 * i) for i in range(50)], np.float32)
    assert [fault.kind for fault in Recording(samples, 100.0).faults()] == ["gap"]
    world.mend("frozen")
    assert world.sense("accel_g", 600_000) == pytest.approx((1, 0, 0), abs=0.05)


def test_a_saturated_sensor_is_at_the_end_of_its_range(world):
    ask(world, bus.I2C_WRITE, 0, 0, 22, 21, 0x68, 1, data=b"\x6b\x01")
    world.fault("saturated", quantity="accel_g")
    payload, _ = ask(world, bus.I2C_WRITE_READ, 100_000, 0, 22, 21, 0x68, 6, data=b"\x3b")
    assert np.frombuffer(payload, ">i2").tolist() == [32767] * 3
    world.mend()
    payload, _ = ask(world, bus.I2C_WRITE_READ, 200_000, 0, 22, 21, 0x68, 6, data=b"\x3b")
    assert np.frombuffer(payload, ">i2").tolist() == [0, 0, 16384]


def test_faults_of_the_sound():
    world = World()
    world.set(sound=lambda t: 0.1 + 0.1 * t)
    world.fault("frozen", quantity="sound")
    assert world.sense_sound(5e6, 16_000, 3).tolist() == [0.1] * 3
    world.fault("saturated", quantity="sound")
    assert (world.sense_sound(5e6, 16_000, 3) > 1).all()
    world.mend("saturated")
    assert world.sense_sound(5e6, 16_000, 3).tolist() == [0.1] * 3, "frozen still"


def test_what_is_no_fault_is_refused_with_what_there_is(world):
    with pytest.raises(DataError, match="No fault 'broken'; there are silent, stuck, frozen"):
        world.fault("broken")
    with pytest.raises(DataError, match="The fault 'stuck' has no address; it takes bus"):
        world.fault("stuck", address=3)
    with pytest.raises(DataError, match="Say what is frozen: world.fault\\('frozen', quantity='accel_g'\\)"):
        world.fault("frozen")
    with pytest.raises(DataError, match="No quantity 'warmth'"):
        world.fault("saturated", quantity="warmth")
    with pytest.raises(DataError, match="No I2C chip at address 0x20. Chips there: bus 0 address 0x68"):
        world.fault("silent", address=0x20)
    with pytest.raises(DataError, match="The fault 'cable' needs a simulated board in this world"):
        world.fault("cable")
    with pytest.raises(DataError, match="No fault 'all'"):
        world.mend("all")
    assert world.faults == {}


# The serial line

class FakeEngine:
    """Gives what it is told to, keeps what it gets."""

    process = None

    def __init__(self, *parts):
        self.parts = list(parts)
        self.got = b""
        self.closed = False

    def read(self, timeout_s=None):
        return self.parts.pop(0) if self.parts else b""

    def write(self, data):
        self.got += data

    def close(self):
        self.closed = True


def through(data, cuts=(), **settings):
    """What comes out of a line of bytes that arrive in pieces."""
    ends = [0, *cuts, len(data)]
    line = SerialLine(FakeEngine(*(data[a:b] for a, b in zip(ends, ends[1:], strict=False))))
    line.faults.append(SerialFault(**settings))
    out = b""
    while part := line.read(0.2):
        out += part
    return out, line


def test_a_dropped_byte():
    assert through(b"abcdefghij", drop=True, at=[3])[0] == b"abcefghij"
    assert through(b"abcdefghij", cuts=(2, 7), drop=True, every=5)[0] == b"abcdfghi"


def test_a_flipped_byte():
    assert through(b"abcdef", cuts=(1,), flip=0x01, at=[0, 5])[0] == b"`bcdeg"
    out = through(bytes(1000), flip=True, every=10, seed=4)[0]
    assert len(out) == 1000 and [i for i, value in enumerate(out) if value] == list(range(9, 1000, 10))
    assert all(bin(value).count("1") <= 1 for value in out)
    assert out == through(bytes(1000), cuts=(13, 500), flip=True, every=10, seed=4)[0], "the same in other pieces"
    assert out != through(bytes(1000), flip=True, every=10, seed=5)[0]


def test_a_delayed_byte_holds_up_what_follows():
    line = SerialLine(FakeEngine(b"abcd"))
    line.faults.append(SerialFault(delay_s=0.1, at=[2]))
    start = time.monotonic()
    assert line.read(1) == b"ab"
    assert line.read(0.02) == b"", "not yet"
    assert line.read(1) == b"cd"
    assert 0.1 <= time.monotonic() - start < 0.5


def test_a_fault_on_the_way_to_the_board():
    line = SerialLine(FakeEngine())
    line.faults.append(SerialFault(drop=True, at=[1], direction="in"))
    line.write(b"abc")
    line.write(b"def")
    assert line.engine.got == b"acdef"


def test_two_serial_faults_at_once():
    line = SerialLine(FakeEngine(b"abcdef"))
    line.faults += [SerialFault(drop=True, at=[0]), SerialFault(flip=0x20, every=1)]
    assert line.read(1) == b"BCDEF"


@pytest.mark.parametrize("settings, message", [
    ({"every": 5}, "one of drop=True, flip=True and delay_s"),
    ({"drop": True, "flip": True, "every": 5}, "one of drop=True"),
    ({"drop": True}, "Say which bytes: every=1000"),
    ({"drop": True, "every": 5, "at": [1]}, "Say which bytes"),
    ({"drop": True, "every": 0}, "every is a whole number of at least 1, found 0"),
    ({"drop": True, "every": 5, "direction": "up"}, "direction is 'out'.*found 'up'"),
    ({"flip": 256, "every": 5}, "a mask of bits from 1 to 255"),
    ({"delay_s": -1, "every": 5}, "delay_s at least 0"),
])
def test_a_serial_fault_that_makes_no_sense(settings, message):
    with pytest.raises(DataError, match=message):
        SerialFault(**settings)


# The board's power, its line, its flash

def test_serial_faults_reach_the_board_and_are_mended():
    with SimulatedBoard() as board:
        board.world.fault("serial", flip=1, every=1)
        board._line.write(b"\x01")
        assert b"raw REPL" not in board._line.read(1)
        board.world.mend("serial")
        board._repl.enter()
        assert board.eval("1 + 1") == 2


def test_a_pulled_cable_and_a_plugged_one(tmp_path):
    with SimulatedBoard(flash=tmp_path) as board:
        board.exec("name = 1\nf = open('/kept', 'w')\nf.write('kept')\nf.close()")
        process = board._line.process
        board.world.fault("cable")
        assert process.poll() is not None, "no power, no process"
        for use in (lambda: board._line.write(b"\r"), lambda: board._line.read(1), lambda: board.exec("1")):
            with pytest.raises(BoardLostError, match="cable is pulled.*world.mend\\('cable'\\)"):
                use()
        with pytest.raises(BoardLostError, match="cable is pulled"):
            SimulatedBoard(world=board.world)
        board.world.mend("cable")
        board.reconnect()
        assert board.eval("'name' in globals()") is False
        assert board.get("/kept") == b"kept"


def test_a_cable_that_is_pulled_while_a_program_waits():
    with SimulatedBoard(clock="real") as board:
        board.world.drive("LED", None)
        board.world.on_change(lambda kind, pin: board.world.fault("cable"))  # in the engine's own thread
        with pytest.raises(BoardLostError, match="cable is pulled"):
            board.exec("import machine, time\ntime.sleep(0.05)\nmachine.Pin(2, 3).on()\ntime.sleep(20)")


def test_after_a_brown_out_the_board_is_there_and_its_names_are_gone(tmp_path):
    with SimulatedBoard(flash=tmp_path) as board:
        board.exec("import machine\nname = 1\nmachine.Pin(2, machine.Pin.OUT).on()\nf = open('/open', 'w')\n"
                   "f.write('lost')\nimport time\ntime.sleep(5)")
        changes = []
        board.world.on_change(lambda kind, pin: changes.append((kind, pin)))
        board.world.fault("brown-out")
        assert board.world.faults == {}, "it is over at once"
        board._repl.enter()
        assert board.world.pin("LED") == 0 and ("pin", 2) in changes, "without power the LED is dark"
        assert board.eval("'name' in globals()") is False
        assert board.eval("__import__('time').ticks_ms()") < 5000, "the board counts from 0 again"
        assert board.world.time_s >= 5, "the world does not"
        assert not (tmp_path / "open").exists() or (tmp_path / "open").read_text() == ""


def test_a_full_flash_and_a_mended_one():
    with SimulatedBoard() as board:
        board.put(b"old", "/old")
        board.world.fault("flash full")
        code = "try:\n f = open('/new', 'w')\n print(f.write('x' * 5000))\nexcept OSError as e:\n print(e.args[0])"
        assert board.exec(code) == "28\n"
        assert board.get("/old") == b"old"
        board.world.mend("flash full")
        assert board.exec(code) == "5000\n"
