"""The simulated board at its prompts, with clients that know only bytes: a terminal, and a tool without raw paste."""

import random
import re
import time

import pytest

from edgekit.board.simulated import SimulatedBoard, power_on

PROMPT = b"\r\n>>> "


class Terminal:
    """What a person at a serial monitor sends and sees."""

    def __init__(self, engine):
        self._engine = engine

    def until(self, mark, timeout_s=10):
        data = b""
        end = time.monotonic() + timeout_s
        while mark not in data:
            data += self._engine.read(0.2)
            assert time.monotonic() < end, data
        return data

    def type(self, keys, mark=PROMPT):
        self._engine.write(keys)
        return self.until(mark)


@pytest.fixture
def terminal():
    with power_on("esp32", clock="virtual") as engine:
        terminal = Terminal(engine)
        terminal.until(b">>> ")
        yield terminal


# --- the friendly prompt ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("profile, name", [("esp32", b"Generic ESP32 module with ESP32"),
                                           ("rp2040", b"Raspberry Pi Pico with RP2040")])
def test_the_banner_says_the_boards_name(profile, name):
    with power_on(profile) as engine:
        terminal = Terminal(engine)
        banner = re.compile(rb'MicroPython v1\.27\.0 on \d{4}-\d\d-\d\d; ' + name +
                            rb'\r\nType "help\(\)" for more information\.\r\n>>> $')
        assert banner.search(terminal.until(b">>> "))
        assert banner.search(terminal.type(b"\x02", b">>> ")), "ctrl-B says it again"
        assert banner.search(terminal.type(b"\x01\x02", b"\n>>> ")), "so does leaving the raw prompt"
        assert b"Emscripten" not in terminal.type(b"import sys; sys.version, sys.implementation\r")


@pytest.mark.parametrize("typed, completed", [
    (b"import mach\t", b"ine"), (b"from es\t", b"p"), (b"import ne\x7feo\t", b"pixel"), (b"import machine\rmachine.sof\t", b"t_reset"), (b"import neop\t", b"ixel"),
    (b"import time\rtime.sleep_m\t", b"s"), (b"long_name = 1\rlong_\t", b"name"),
    (b"from machine import Pin\rPin.OPEN\t", b"_DRAIN"),
])
def test_tab_completes(terminal, typed, completed):
    lines, _, last = typed.rpartition(b"\r")
    if lines:
        terminal.type(lines + b"\r")
    assert terminal.type(last, completed).endswith(last[-3:-1] + completed)


def test_tab_shows_what_is_possible(terminal):
    terminal.type(b"import machine\r")
    shown = terminal.type(b"machine.I2\t", b">>> machine.I2")
    assert b"I2C" in shown and b"I2S" in shown


def test_the_arrow_up_brings_back_a_line(terminal):
    terminal.type(b"21 * 2\r")
    terminal.type(b"'other'\r")
    assert b"42" in terminal.type(b"\x1b[A\x1b[A\r", b"\r\n42\r\n>>> ")


def test_blocks_indent_by_themselves(terminal):
    said = terminal.type(b"for i in range(2):\rprint(i + 40)\r\x7f\r", b"41\r\n>>> ")
    assert b"...     print(i + 40)\r\n...     " in said


def test_paste_mode(terminal):
    terminal.type(b"\x05", b"=== ")
    terminal.type(b"def f():\n    return 5\n\nprint(f() + 1)\n\x04", b"\r\n6\r\n>>> ")


def test_ctrl_c_at_the_prompt_and_ctrl_d(terminal):
    assert terminal.type(b"half a line\x03") == b"half a line\r\n>>> "
    terminal.type(b"kept = 1\r")
    assert b"MPY: soft reboot\r\n" in terminal.type(b"\x04")
    terminal.type(b"'kept' in globals()\r", b"False\r\n>>> ")


# --- a tool that knows the raw prompt, but no raw paste -----------------------------------------------------------

class PlainRaw:
    """As in pyboard.py before 2020, ampy and rshell: ctrl-A, code in pieces, ctrl-D, OK, output, error."""

    def __init__(self, engine):
        self._terminal = Terminal(engine)
        self._engine = engine

    def enter(self):
        self._engine.write(b"\r\x03\x03")
        time.sleep(0.05)
        assert self._terminal.type(b"\r\x01", b"raw REPL; CTRL-B to exit\r\n>").endswith(b"CTRL-B to exit\r\n>")

    def soft_reset(self):
        self._terminal.type(b"\x04", b"soft reboot\r\n")
        self._terminal.until(b"raw REPL; CTRL-B to exit\r\n")

    def exec(self, code):
        for start in range(0, len(code), 32):
            self._engine.write(code[start:start + 32])
        answer = self._terminal.type(b"\x04", b"\x04>")
        while answer.count(b"\x04") < 2:
            answer += self._terminal.until(b">")
        assert answer.startswith(b"OK")
        output, error, _ = answer[2:].split(b"\x04")
        return output, error


def test_a_plain_raw_client():
    with power_on("esp32") as engine:
        client = PlainRaw(engine)
        client.enter()
        assert client.exec(b"print(6 * 7)") == (b"42\r\n", b"")
        assert client.exec(b"x = 'OK'\nprint(x)\nprint(x)") == (b"OK\r\nOK\r\n", b"")
        output, error = client.exec(b"print(1)\n1 / 0")
        assert output == b"1\r\n" and error.endswith(b"ZeroDivisionError: divide by zero\r\n")
        data = random.Random(3).randbytes(2000)
        client.exec(b"f = open('data.bin', 'wb')")
        for start in range(0, len(data), 64):
            assert client.exec(b"f.write(%r)" % data[start:start + 64])[1] == b""
        client.exec(b"f.close()")
        assert eval(client.exec(b"print(open('data.bin', 'rb').read())")[0]) == data
        client.soft_reset()
        assert client.exec(b"print('x' in globals(), 'data.bin' in __import__('os').listdir())") == (
            b"False True\r\n", b"")


# --- settings of a running board ------------------------------------------------------------------------------

def test_the_clock_changes_and_time_goes_on():
    with SimulatedBoard() as board:
        board.exec("import time\ntime.sleep(100)")
        board.clock = "real"
        start = time.monotonic()
        before = board.eval("time.ticks_ms()")
        assert before == pytest.approx(100_000, abs=1000)
        board.exec("time.sleep(0.3)")
        assert 0.3 <= time.monotonic() - start < 2
        board.clock = "virtual"
        now = board.eval("time.ticks_ms()")
        assert now - before == pytest.approx(300, abs=1500) and now >= before + 300
        start = time.monotonic()
        board.exec("time.sleep(1000)")
        assert time.monotonic() - start < 1
        assert board.eval("time.ticks_ms()") - now == pytest.approx(1_000_000, abs=50)


def test_the_clock_changes_in_the_middle_of_a_sleep():
    with SimulatedBoard(clock="real") as board:
        board.exec("import time")
        board._repl.start("time.sleep(1000)\nprint('done')")
        time.sleep(0.2)
        start = time.monotonic()
        board.clock = "virtual"
        assert b"".join(board._repl.parts(5)) == b"done\r\n"
        assert time.monotonic() - start < 1
        board._repl.end()


def test_a_full_flash(tmp_path):
    with SimulatedBoard(flash=tmp_path) as board:
        board.exec("with open('small.txt', 'w') as f: f.write('there')")
        board._transport.engine.control({"flash_bytes": 0})
        errors = board.exec("""
import os
def attempt(action):
    try:
        action()
        print("fine")
    except OSError as error:
        print(error.errno)
def write():
    with open("new.txt", "w") as f: f.write("x")
attempt(write)
attempt(lambda: os.mkdir("folder"))
print(open("small.txt").read(), os.statvfs("/")[3])
os.remove("small.txt")
""")
        assert errors == "28\n28\nthere 0\n", "ENOSPC; what is there can be read and removed"
        board._transport.engine.control({"flash_bytes": 100_000})
        assert board.exec("attempt(write)") == "fine\n"
        assert (tmp_path / "new.txt").read_bytes() == b"x"
