"""What a learner sees when something goes wrong: each fault, with the message.

Below that, one damaged byte at any place of the wire, in either direction: never a hang, never a wrong value.
"""

import random
import threading
import time
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgekit.board import base
from edgekit.board.simulated import SimulatedBoard
from edgekit.capture import capture
from edgekit.errors import (
    BoardCodeError,
    BoardError,
    BoardLostError,
    BoardRestartedError,
    BoardWireError,
    EdgekitError,
)

DATA = random.Random(3).randbytes(700)
READ_CHIP = "import boards\nprint(boards.i2c().readfrom_mem(0x68, 0x75, 1))"
BROWN_OUT = (
    "The board restarted (brown-out: its supply voltage broke down for a moment. Use a shorter cable or another USB "
    "port, and give motors and relays a supply of their own). Its names are gone, its files are still there: run the "
    "cells that made the names again.")
PULLED = (
    "The simulated board's cable is pulled: it has no power. Plug it in again: board.world.mend('cable'), then "
    "board.reconnect(). Its names are gone; files are as they were last closed.")


class Wire:
    """A transport around another one: ``plan`` says which byte is damaged, in which direction, and how."""

    def __init__(self, inner):
        self._inner = inner
        self.begin()

    def begin(self, *plan):
        """``("drop", "in", 7, 0)`` drops the byte 7 that goes to the board from now; no plan: all goes well."""
        self.plan = plan
        self.count = {"in": 0, "out": 0}

    def write(self, data):
        if data := self._through(bytes(data), "in"):
            self._inner.write(data)

    def read(self, timeout_s):
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            data = self._inner.read(None if end is None else max(0, end - time.monotonic()))
            if not data:
                return b""
            if data := self._through(data, "out"):
                return data

    def close(self):
        self._inner.close()

    def _through(self, data, direction):
        start = self.count[direction]
        self.count[direction] += len(data)
        if not self.plan or self.plan[1] != direction or not start <= self.plan[2] < start + len(data):
            return data
        kind, _, at, how = self.plan
        before, byte, after = data[:at - start], data[at - start], data[at - start + 1:]
        if kind == "delay":
            time.sleep(how)
            return data
        return before + (b"" if kind == "drop" else bytes([byte ^ how])) + after


@pytest.fixture
def board():
    with SimulatedBoard() as board:
        yield board


@pytest.fixture(scope="module")
def wired():
    """A board whose time-outs are short, and the wire to it."""
    with pytest.MonkeyPatch.context() as patch, SimulatedBoard() as board:
        patch.setattr(base, "_STEP_S", 0.5)
        board._repl.answer_s = 0.5
        board.put(DATA, "/data")
        board.put(b"", "/folder/inside")
        board._repl.transport = wire = Wire(board._repl.transport)
        yield board, wire


def soon(action, *arguments, **named):
    timer = threading.Timer(0.3, action, arguments, named)
    timer.start()
    return timer


# --- chips ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("fault, reason", [
    ({"kind": "silent", "address": 0x68}, "OSError: [Errno 19] ENODEV"),
    ({"kind": "stuck", "bus": 0}, "OSError: [Errno 110] ETIMEDOUT"),
])
def test_a_chip_or_a_bus_that_does_not_answer(board, fault, reason):
    board.install("capture")
    board.world.fault(**fault)
    with pytest.raises(BoardCodeError) as caught:
        board.exec(READ_CHIP)
    assert caught.value.reason == reason
    with pytest.raises(BoardCodeError, match="no chip answers at I2C address 0x68. Check the four wires|ETIMEDOUT"):
        capture(board, 0.5, progress=False)
    board.world.mend()
    assert len(capture(board, 0.5, progress=False)) == 50


@pytest.mark.parametrize("fault, message", [
    ("frozen", "The sensor repeated one value in ax, ay, az between .* s and 2.00 s: it is stuck, for a sensor always "
               "shows a little noise. Check its wires and its supply, reset the board, and capture again."),
    ("saturated", "The sensor was at the end of its range in ax, ay, az between .* s and 2.00 s: the movement was "
                  "larger than it can measure. Move more gently or choose a larger range; if it was at rest, the "
                  "sensor or its wires are faulty."),
])
def test_a_frozen_or_saturated_sensor(board, fault, message):
    board.world.set_noise(accel_g=0.01, gyro_dps=0.5)
    # In the middle of the capture: the world runs on the board's clock.
    started = board.world.time_s
    board.install("capture")

    def half_way(piece):
        if not board.world.faults and board.world.time_s > started + 1:
            board.world.fault(fault, quantity="accel_g")

    with pytest.warns(UserWarning, match=message):
        taken = capture(board, 2, progress=False, on_samples=half_way)
    assert {"flat" if fault == "frozen" else "clipped"} <= {found.kind for found in taken.faults()}


# --- the supply and the cable ---------------------------------------------------------------------------------

def run_for_ever(board):
    board.exec("print('before')\nwhile True: pass")


def copy(board):
    board.put(bytes(200_000), "/old.txt", progress=lambda done, _: board.trigger() if done > 100_000 else None)


def get_ready(board, fault):
    board.put(b"old", "/old.txt")
    board.exec("name = 1")
    board.trigger = lambda: None if board.world.faults else board.world.fault(fault)
    return board


def test_a_brown_out_between_two_cells_is_said_by_the_next(board):
    get_ready(board, "brown-out").trigger()
    with pytest.raises(BoardRestartedError) as caught:
        board.eval("name")
    assert str(caught.value) == BROWN_OUT
    with pytest.raises(BoardCodeError, match="NameError"):
        board.exec("name")
    assert board.get("/old.txt") == b"old"


def test_a_brown_out_in_the_middle_of_a_program(board):
    soon(get_ready(board, "brown-out").trigger)
    with pytest.raises(BoardRestartedError) as caught:
        run_for_ever(board)
    assert str(caught.value) == BROWN_OUT and caught.value.output.startswith("before\n")
    assert board.eval("1 + 1") == 2


def test_a_brown_out_in_the_middle_of_a_copy(board):
    get_ready(board, "brown-out")
    done = []
    board.trigger = lambda: done or done.append(board.world.fault("brown-out"))
    with pytest.raises(BoardRestartedError) as caught:
        copy(board)
    assert str(caught.value) == f"{BROWN_OUT} /old.txt was not copied; the old file, if there was one, is still there."
    assert board.get("/old.txt") == b"old"
    board.put(b"new", "/old.txt")
    assert board.get("/old.txt") == b"new" and board.ls() == ["old.txt"], "nothing of the broken copy is left"


def test_a_pulled_cable_in_the_middle_of_a_program_and_the_way_back(board):
    pulling = soon(get_ready(board, "cable").trigger)
    with pytest.raises(BoardLostError) as caught:
        run_for_ever(board)
    pulling.join()
    assert str(caught.value) == PULLED and caught.value.output == "before\n"
    for again in (lambda: board.eval("1"), board.reconnect):
        with pytest.raises(BoardLostError) as caught:
            again()
        assert str(caught.value) == PULLED
    board.world.mend("cable")
    board.reconnect()
    assert board.eval("'name' in globals()") is False
    assert board.get("/old.txt") == b"old"


def test_a_pulled_cable_in_the_middle_of_a_copy(board):
    with pytest.raises(BoardLostError) as caught:
        copy(get_ready(board, "cable"))
    assert str(caught.value) == f"{PULLED} /old.txt was not copied; the old file, if there was one, is still there."
    board.world.mend()
    board.reconnect()
    assert board.get("/old.txt") == b"old"


@pytest.mark.parametrize("fault, message", [("cable", PULLED), ("brown-out", BROWN_OUT)])
def test_what_was_captured_before_the_board_went_is_kept(board, fault, message):
    board.install("capture")
    pieces = []

    def after_one_second(piece):
        pieces.append(piece)
        if len(pieces) == 10:
            board.world.fault(fault)

    with pytest.warns(UserWarning) as warned:
        taken = capture(board, 600, progress=False, on_samples=after_one_second)
    assert 100 <= len(taken) < 60_000 and len(taken) == 10 * len(pieces)
    assert str(warned[0].message) == (f"The capture broke off after {len(taken) / 100:.2f} s of 600 s; the {len(taken)} "
                                      f"samples that came are kept. {message}")


def test_reconnect_after_the_engine_ended_and_after_close(board):
    board.put(b"kept", "/kept.txt")
    board._transport.process.kill()
    with pytest.raises(BoardLostError, match="stopped answering"):
        board.exec("1")
    board.reconnect()
    assert board.get("/kept.txt") == b"kept"
    board.close()
    with pytest.raises(BoardError, match="^This board was closed. Connect to it anew: board = edgekit.connect"):
        board.reconnect()


@pytest.mark.parametrize("code, cause", [
    ("import machine\nmachine.reset()", "reset: its button was pressed, or the program asked for it"),
    ("raise SystemExit", "soft reset: the program asked for it, or ctrl-D was pressed"),
])
def test_a_program_that_restarts_the_board(board, code, cause):
    board.exec("name = 1")
    with pytest.raises(BoardRestartedError) as caught:
        board.exec(code)
    assert str(caught.value).startswith(f"The board restarted ({cause}). Its names are gone")
    assert board.eval("'name' in globals()") is False


# --- flash ----------------------------------------------------------------------------------------------------

def test_a_file_that_does_not_fit_is_refused_before_it_is_sent(board):
    board.put(b"old", "/old.txt")
    board.put(bytes(1_000_000), "/data/big.bin")
    sent = []
    with pytest.raises(BoardError) as caught:
        board.put(bytes(1_500_000), "/old.txt", progress=lambda *done: sent.append(done))
    free = board.info.flash_free
    assert str(caught.value) == (
        f"Could not copy 1500000 bytes to /old.txt on the board: its flash is full, {free} bytes are free (a file "
        "that is replaced stays until the new one is checked). Make room, the largest files are: "
        "board.remove('/data/big.bin') (1000000 bytes), board.remove('/old.txt') (3 bytes). The old file, if there "
        "was one, is still there.")
    assert not sent and board.get("/old.txt") == b"old"


def test_flash_that_is_full_in_the_middle_of_a_copy(board):
    with pytest.raises(BoardError) as caught:
        copy(get_ready(board, "flash full"))
    assert str(caught.value) == (
        "Could not copy 200000 bytes to /old.txt on the board: its flash is full, 0 bytes are free (a file that is "
        "replaced stays until the new one is checked). Make room, the largest files are: "
        "board.remove('/old.txt') (3 bytes). The old file, if there was one, is still there.")
    assert board.get("/old.txt") == b"old" and board.ls() == ["old.txt"]
    board.world.mend()
    board.put(b"new", "/old.txt")
    assert board.get("/old.txt") == b"new"


def test_a_board_that_is_too_small(board):
    board.put(b"here", "/here.txt")
    with pytest.raises(BoardError, match=r"its flash is full, \d+ bytes are free of \d+: the board is too small for "
                                         "it. The old file"):
        board.put(bytes(4_000_000), "/big.bin")


# --- the serial line, as the world damages it -----------------------------------------------------------------

@pytest.mark.parametrize("fault", [{"drop": True}, {"flip": True}, {"delay_s": 0.2}])
@pytest.mark.parametrize("direction", ["in", "out"])
def test_files_are_whole_over_a_line_that_loses_bytes(board, fault, direction):
    data = random.Random(5).randbytes(20_000)
    board._repl.answer_s = 1.0
    board.world.fault("serial", **fault, at=[30, 5000, 20_000], direction=direction)
    board.put(data, "/data.bin")
    assert board.get("/data.bin") == data
    assert board.ls() == ["data.bin"]


def test_a_line_that_loses_too_much_ends_with_a_sentence(board):
    board._repl.answer_s = 0.3
    board.put(b"old", "/old.txt")
    board.world.fault("serial", drop=True, every=60, direction="in")
    with pytest.raises(BoardError, match="use a shorter cable or another USB port"):
        board.put(bytes(20_000), "/old.txt")
    board.world.mend()
    board.interrupt()
    assert board.get("/old.txt") == b"old"


def test_a_capture_over_a_line_that_loses_bytes(board):
    board.install("capture")
    board.world.set(accel_g=lambda time_s: (time_s % 1, 0, 1))
    board.world.fault("serial", drop=True, at=[2000, 5000, 5001])
    with pytest.warns(UserWarning, match="20 of 500 samples were lost on the way: 10 at .* s, 10 at .* s. They are "):
        taken = capture(board, 5, progress=False)
    assert (len(taken), taken.lost) == (500, 20)
    gaps = [fault for fault in taken.faults() if fault.kind == "gap"]
    assert [gap.stop - gap.start for gap in gaps] == [11, 11]
    for gap in gaps:  # what comes after it is at its place: az and ax are known from the time
        step = (taken.samples[gap.stop, 0] - taken.samples[gap.start, 0]) * taken.scale[0]
        assert step % 1 == pytest.approx(0.11, abs=0.01)


# --- one damaged byte, anywhere -------------------------------------------------------------------------------

def error_of(board, code):
    with pytest.raises(BoardCodeError) as caught:
        board.exec(code)
    return caught.value.reason


# What is done, what it gives, and whether a damaged byte can always be mended.
OPERATIONS = {
    "exec": (lambda board: board.exec("kept = 7\nprint(end='')"), "", False),
    "eval": (lambda board: board.eval("[1, 'text', 2.5]"), [1, "text", 2.5], False),
    "put": (lambda board: board.put(DATA, "/new/copy"), None, True),
    "get": (lambda board: board.get("/data"), DATA, True),
    "ls": (lambda board: board.ls("/folder"), ["inside"], True),
    "hashes": (lambda board: board.hashes(["/missing"]), {"/missing": ""}, True),
    "remove": (lambda board: board.remove("/new"), None, True),
    "info": (lambda board: board.info.micropython, "1.27.0", True),
    "interrupt": (lambda board: board.interrupt(), None, True),
}
LENGTHS = {}


def length_of(wired, name):
    """Bytes that go to the board and come from it."""
    if name not in LENGTHS:
        board, wire = wired
        before(board)
        wire.begin()
        OPERATIONS[name][0](board)
        LENGTHS[name] = dict(wire.count)
    return LENGTHS[name]


def before(board):
    board.put(b"old", "/new/copy")
    board.exec("stays = 1")


def damage(wired, name, kind, direction, place, how, bound_s):
    """Do something while one byte is damaged; place 0 to 1 is the first to the last byte."""
    board, wire = wired
    action, expected, mends = OPERATIONS[name]
    length = length_of(wired, name)[direction]
    before(board)
    wire.begin(kind, direction, min(int(place * length), length - 1), how)
    started = time.monotonic()
    try:
        assert action(board) == expected
    except BoardRestartedError:
        # One bit makes ctrl-D of ctrl-E, with which raw paste begins: and that is a soft reset.
        assert (kind, direction, how) == ("flip", "in", 1) and name != "interrupt"
        board.exec("stays = 1")
        return
    except BoardError as error:
        assert not mends, f"could have been mended: {error}"
    finally:
        took = time.monotonic() - started
        wire.begin()  # all is well again
    assert took < bound_s
    board.interrupt()
    assert board.eval("stays") == 1, "names stay"
    if name == "put":
        assert board.get("/new/copy") == DATA and board.ls("/new") == ["copy"]
    elif name == "remove":
        assert "new/" not in board.ls("/")


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(name=st.sampled_from(sorted(OPERATIONS)), kind=st.sampled_from(["drop", "flip"]),
       direction=st.sampled_from(["in", "out"]), place=st.floats(0, 1), bits=st.integers(1, 255))
def test_one_damaged_byte_anywhere(wired, name, kind, direction, place, bits):
    damage(wired, name, kind, direction, place, bits, bound_s=8)


@pytest.mark.parametrize("direction", ["in", "out"])
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_one_byte_that_comes_late(wired, name, direction):
    damage(wired, name, "delay", direction, 0.6, 0.7, bound_s=8)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(kind=st.sampled_from(["drop", "flip"]), place=st.floats(0, 1), bits=st.integers(1, 255))
def test_one_damaged_byte_in_a_stream(wired, kind, place, bits):
    board, wire = wired
    board.install("capture")
    rows = [frame.payload[6:] for frame in board.stream("capture", count=50)][1:]
    wire.begin()
    whole = capture(board, 0.5, progress=False)
    place = int(place * wire.count["out"])
    wire.begin(kind, "out", place, bits)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            taken = capture(board, 0.5, progress=False)
    except EdgekitError:
        taken = None
    finally:
        wire.begin()
    # At rest all samples are the same, so what was filled is right too.
    assert len(rows) == 5 and (taken is None or (taken.samples == whole.samples[:len(taken)]).all())
    board.interrupt()
    assert board.eval("2 + 2") == 4


def test_the_text_that_a_program_prints_is_not_checked_but_its_end_is(wired):
    board, wire = wired
    board.exec("")
    wire.begin()
    board.exec("print('hello')")
    # Its last bytes: CR LF, the end of the output, the end of the traceback, the prompt.
    end = wire.count["out"]
    wire.begin("flip", "out", end - 6, 1)
    assert board.exec("print('hello')") == "helln\n"
    for place in (end - 1, end - 2, end - 3):
        for kind in ("drop", "flip"):
            wire.begin(kind, "out", place, 0x40)
            with pytest.raises(BoardWireError, match="Bytes were lost or changed between the board and this computer: "
                                                     "the end of the program was expected, .* came. What ran has been "
                                                     "stopped, the board's names and files are kept. Try again"):
                board.exec("print('hello')")
    wire.begin()


# --- boards that speak a little differently -------------------------------------------------------------------

class OldWire(Wire):
    """MicroPython before 1.14 knows no raw paste: it takes the question for code, and ctrl-A for a new prompt."""

    def write(self, data):
        super().write(b"\x01" if data == b"\x05A\x01" else data)


def test_an_old_micropython_without_raw_paste(board):
    board._repl.transport = OldWire(board._repl.transport)
    assert board.exec("print('a' * 5)") == "aaaaa\n"
    assert error_of(board, "def f():\n 1 / 0\nf()") == "ZeroDivisionError: divide by zero"
    board.put(DATA, "/data.bin")
    assert board.get("/data.bin") == DATA


class TickingWire(Wire):
    """A timer on the board prints before whatever it answers."""

    def read(self, timeout_s):
        data = super().read(timeout_s)
        return b"tick\r\n" + data if data.startswith(b"R\x01") else data


def test_what_a_timer_prints_between_two_programs(board):
    board._repl.transport = TickingWire(board._repl.transport)
    assert board.exec("print('result')") == "tick\nresult\n"
    assert board.eval("[1, 2]") == [1, 2]
    board.put(DATA, "/data.bin")
    assert board.get("/data.bin") == DATA and board.ls() == ["data.bin"]
