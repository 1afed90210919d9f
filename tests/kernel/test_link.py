"""The kernel's link to the board without a kernel: input(), ctrl-C, a board that restarts or goes."""

import contextlib
import importlib
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.errors import BoardCodeError, BoardError, BoardLostError
from edgekit.kernel.link import _ASK, _ASK_END, _INPUT, NO_INPUT, Link, NoInputError, _Output


@pytest.fixture
def answers():
    return []


@pytest.fixture
def link(answers):
    def ask(prompt):
        link.asked.append(prompt)
        answer = answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    link = Link("sim", ask)
    link.asked = []
    link.connected()
    yield link
    link.disconnect()


def run(link, code):
    parts = []
    link.run(code, parts.append)
    return "".join(parts)


# --- what the board prints

@given(st.lists(st.sampled_from(["text", "\r\n", "\r", "é", "\x1b[1m", "\x1b_", "\x1b", _ASK + "name? " + _ASK_END, _ASK + _ASK_END,
                                 "\x1b_edgekit inpu"]), max_size=8), st.integers(1, 7))
def test_the_cut_of_the_bytes_makes_no_difference(parts, size):
    data = "".join(parts).encode()
    def joined(found):
        result = []
        for kind, text in found:
            if kind == "text" and result and result[-1][0] == "text":
                result[-1] = ("text", result[-1][1] + text)
            else:
                result.append((kind, text))
        return result
    whole, cut = _Output(), _Output()
    at_once = joined(whole.feed(data) + whole.feed(b"", final=True))
    in_parts = [item for i in range(0, len(data), size) for item in cut.feed(data[i:i + size])]
    assert joined(in_parts + cut.feed(b"", final=True)) == at_once
    # A mark that another one cuts off is text; whole ones are questions.
    assert sum(kind == "ask" for kind, _ in at_once) == "".join(parts).count(_ASK)


def test_text_is_not_held_back():
    output = _Output()
    assert output.feed(b"50 %\x1b[0m") == [("text", "50 %\x1b[0m")]
    assert output.feed(b"a\r") == [("text", "a")] and output.feed(b"\nb") == [("text", "\nb")]
    assert output.feed(b"\xff\xfe") == [("text", "\ufffd\ufffd")]


# --- input()

def test_input_asks_here_and_answers_there(link, answers):
    answers += ["Ada", "", "λ\t≠ 'quoted'"]
    assert run(link, "a = input('Name? ')\nb = input()\nprint('between')\nc = input(3)") == "between\n"
    assert link.board.eval("[a, b, c]") == ["Ada", "", "λ\t≠ 'quoted'"]
    assert link.asked == ["Name? ", "", "3"]


def test_what_a_board_acts_on_is_no_part_of_an_answer(link, answers):
    answers += ["a\x03b\x04c\x01\r\nd", "x" * 2000]
    assert run(link, "print(repr(input()), len(input()))") == "'abc' 2000\n"


def test_modules_on_the_board_can_ask_too(link, answers):
    link.board.put(b"name = input('Who? ')\n", "/lib/asks.py")
    answers += ["Ada"]
    assert run(link, "import asks\nprint(asks.name)") == "Ada\n"


def test_input_costs_the_board_little(link):
    with_input = int(link.board.exec("import gc\nimport builtins\ngc.collect()\nprint(gc.mem_alloc())"))
    link.board.exec("builtins.input = None")
    without = int(link.board.exec("gc.collect()\nprint(gc.mem_alloc())"))
    assert with_input - without < 1000
    assert link.board.eval("'_edgekit' in globals()") is False


def test_a_port_whose_builtins_are_fixed_gets_a_global_input(monkeypatch, capsys):
    class Fixed:
        input = staticmethod(input)
        __slots__ = ()

    monkeypatch.setitem(sys.modules, "builtins", Fixed())
    monkeypatch.setattr(sys, "stdin", io.StringIO("Ada\n"))
    names = {}
    exec(_INPUT, names)         # here, for lack of such a board
    assert names["input"]("Who? ") == "Ada" and "_edgekit" not in names
    assert capsys.readouterr().out == _ASK + "Who? " + _ASK_END


def test_nobody_answers(link, answers):
    answers += [NoInputError(NO_INPUT)]
    with pytest.raises(NoInputError, match="without an input box"):
        run(link, "n = 1\ninput()\nn = 2")
    assert run(link, "print(n)") == "1\n"


def test_ctrl_c_while_it_waits(link, answers):
    answers += [KeyboardInterrupt()]
    with pytest.raises(BoardCodeError, match="KeyboardInterrupt") as error:
        run(link, "n = 1\ninput()\nn = 2")
    assert 'line 2, in <module>' in error.value.traceback
    assert run(link, "print(n)") == "1\n"


@pytest.mark.parametrize("restart", ["import machine\nmachine.soft_reset()", "import machine\nmachine.reset()", "import sys\nsys.exit()"])
def test_input_after_a_restart_by_the_program(link, answers, restart):
    with pytest.raises(BoardLostError, match="restarted"):
        run(link, restart)
    answers += ["yes"]
    assert run(link, "print(input())") == "yes\n"


def test_input_after_other_restarts(link, answers):
    answers += ["1", "2", "3", "4"]
    link.reset()
    assert run(link, "print(input())") == "1\n"
    link.hard_reset()
    assert run(link, "print(input())") == "2\n"
    link.board.reset()                  # by the host, behind the kernel's back
    assert run(link, "print(input())") == "3\n"
    link.board.reconnect()
    assert run(link, "print(input())") == "4\n"


# --- ctrl-C

def press(*seconds):
    """ctrl-C after so many seconds."""
    for s in seconds:
        timer = threading.Timer(s, signal.raise_signal, [signal.SIGINT])
        timer.start()
        yield timer


def test_ctrl_c_is_an_error_of_the_board_that_names_the_line(link):
    list(press(0.4))
    started = time.monotonic()
    with pytest.raises(BoardCodeError, match="KeyboardInterrupt") as error:
        run(link, "n = 0\nprint('on')\nwhile True:\n    n += 1")
    assert time.monotonic() - started < 1.4
    assert "line 4, in <module>" in error.value.traceback or "line 3, in <module>" in error.value.traceback
    assert int(run(link, "print(n)")) > 1000


def test_no_byte_is_lost_to_ctrl_c(link):
    parts = []
    list(press(0.3))
    with pytest.raises(BoardCodeError, match="KeyboardInterrupt"):
        link.run("n = 0\nwhile True:\n    print(n)\n    n += 1", parts.append)
    lines = "".join(parts).split("\n")
    assert lines[:-2] == [str(i) for i in range(len(lines) - 2)] and len(lines) > 100


def test_a_program_that_handles_ctrl_c_goes_on(link):
    list(press(0.4))
    assert run(link, "try:\n    while True: pass\nexcept KeyboardInterrupt:\n    print('tidy')\nprint('end')") == "tidy\nend\n"


def test_a_program_that_never_ends_is_broken_off(link):
    list(press(0.3, 0.5, 0.7))
    with pytest.raises((KeyboardInterrupt, BoardLostError)) as error:
        run(link, "while True:\n    try:\n        while True: pass\n    except KeyboardInterrupt:\n        pass")
    if isinstance(error.value, BoardLostError):
        link.lost(error.value)
    assert run(link, "print('again')") == "again\n"


# --- a board that goes

def test_a_cable_that_is_pulled(link, capsys):
    world = link.board.world
    link.board.put(b"kept", "/note.txt")
    world.set(temperature_c=31)
    world.fault("cable")
    with pytest.raises(BoardLostError, match="cable is pulled") as error:
        run(link, "print(1)")
    assert str(link.lost(error.value)).endswith("The next cell connects again (or use %connect).")
    with pytest.raises(BoardError, match="cable"):
        run(link, "print(1)")
    world.mend("cable")
    assert run(link, "print(open('/note.txt').read())") == "kept\n"
    assert link.board.world is world and world.value("temperature_c") == 31
    assert "is connected again" in capsys.readouterr().out


def test_a_cable_that_is_pulled_while_a_cell_runs(link):
    threading.Timer(0.3, link.board.world.fault, ["cable"]).start()
    started = time.monotonic()
    with pytest.raises(BoardLostError, match="cable"):
        run(link, "while True: pass")
    assert time.monotonic() - started < 3


def test_an_engine_that_dies(link, capsys):
    link.board._line.engine.process.kill()
    with pytest.raises(BoardLostError) as error:
        run(link, "print(1)")
    link.lost(error.value)
    assert link.board is None
    assert run(link, "print(2)") == "2\n"


def test_a_choice_that_fails_changes_nothing(link):
    with pytest.raises(BoardError, match="No board profile"):
        link.choose("sim:none")
    assert run(link, "import sys\nprint(sys.platform)") == "esp32\n" and link.port == "sim"
    link.choose("sim:rp2040", clock="real")
    assert link.board.clock == "real" and link.board.profile.name == "rp2040"


def test_auto_becomes_a_definite_place(monkeypatch):
    connect = importlib.import_module("edgekit.board.connect")
    monkeypatch.setattr(connect, "_plugged_in", lambda: "sim:rp2040")
    link = Link("auto", None)
    link.connected()
    link.disconnect()
    assert link.port == "sim:rp2040"


def test_a_mistake_in_what_shows_the_output_leaves_the_board_usable(link):
    with pytest.raises(ZeroDivisionError):
        link.run("while True: print('x')", lambda text: 1 / 0)
    assert run(link, "print(3)") == "3\n"


class UsbBoard:
    """A board whose port goes away when it resets, and comes back after some tries."""

    world = None
    name, kind, port = "USB board", "board", "/dev/usb"

    def __init__(self, tries):
        self.tries = tries
        self.executed = []
        self._repl = SimpleNamespace(transport=None)

    def exec(self, code, timeout_s=None):
        self.executed.append(code)
        if "machine.reset()" in code:
            raise BoardLostError("the port is gone")

    def reconnect(self):
        self.tries -= 1
        if self.tries > 0:
            raise BoardError("no such port")

    def close(self):
        pass


def test_a_hard_reset_waits_for_a_port_that_goes_away(monkeypatch, capsys):
    board = UsbBoard(tries=3)
    monkeypatch.setattr("edgekit.connect", lambda port: board)
    link = Link("/dev/usb", None)
    link.hard_reset()
    assert board.tries == 0 and link.board is board and "_edgekit_input" in board.executed[-1]
    board.tries = 10_000
    monkeypatch.setattr("edgekit.kernel.link._BACK_S", 0.6)
    with pytest.raises(BoardError, match="no such port"):
        link.hard_reset()
    assert link.board is None           # the next cell tries again


# --- a board on a serial port

@contextlib.contextmanager
def serial_port(folder):
    """`edgekit sim --pty`: its path."""
    command = [sys.executable, "-c", "import sys; from edgekit.cli import main; sys.exit(main())", "sim", "--pty", "--flash", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield re.search(r"on (\S+) \(no hardware\)", process.stdout.readline())[1]
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(10)


@pytest.mark.skipif(os.name != "posix", reason="SKIP: Windows has no pseudo-terminals")
def test_a_board_on_a_serial_port(tmp_path, capsys):
    answers = ["Ada", KeyboardInterrupt(), "again"]

    def ask(prompt):
        answer = answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer + prompt

    link = Link(None, ask)
    with serial_port(tmp_path) as port:
        link.choose(port)
        assert link.port == port and port in capsys.readouterr().out
        assert run(link, "print(input('?'), 'end')") == "Ada? end\n"
        with pytest.raises(BoardCodeError, match="KeyboardInterrupt"):
            run(link, "input()")
        list(press(0.4))
        with pytest.raises(BoardCodeError, match="KeyboardInterrupt") as error:
            run(link, "n = 0\nwhile True:\n    n += 1")
        assert "line 3, in <module>" in error.value.traceback or "line 2, in <module>" in error.value.traceback
        link.hard_reset()
        assert run(link, "print(input('!'))") == "again!\n"
    with pytest.raises(BoardLostError) as error:
        run(link, "print(1)")
    link.lost(error.value)
    # The port is gone: no other board takes its place.
    with pytest.raises(BoardError, match=re.escape(port)):
        run(link, "print(1)")
    link.disconnect()
