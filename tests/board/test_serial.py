"""A board on a serial port, and what goes wrong there: a simulated board behind a pty, as `edgekit sim --pty` offers it."""

import os
import threading
import time

import pytest
from board_port import simulated_port

import edgekit
from edgekit.board.rawrepl import RawRepl
from edgekit.board.serial import SerialBoard
from edgekit.errors import BoardError, BoardLostError

if os.name == "nt":
    pytest.skip("SKIP: Windows has no pseudo-terminals", allow_module_level=True)

from edgekit.simulator.ports import PtyPort  # noqa: E402


@pytest.fixture
def pty():
    """The engine of a board in real time, and its port."""
    port = PtyPort()
    with simulated_port(port, clock="real") as engine:
        yield engine, port


def test_connect_says_that_it_is_simulated(pty, capsys):
    with edgekit.connect(pty[1].name) as board:
        assert board.eval("6 * 7") == 42
        assert board.info.kind == "simulated", "its figures are no board's"
    assert f"(on {pty[1].name}; MicroPython 1.27.0)" in capsys.readouterr().out


def test_main_that_prints_for_ever(pty):
    engine, port = pty
    with SerialBoard(port.name) as board:
        board.put(b"while True:\n    print('still running' * 5)\n", "/main.py")
    engine.control({"reset": "hard"})
    time.sleep(0.3)
    with SerialBoard(port.name) as board:
        assert board.eval("1 + 1") == 2
        board.remove("/main.py")
        assert board.ls() == []


@pytest.mark.parametrize("code", ["while True: pass", "import time\nwhile True: time.sleep(100)",
                                  "while True:\n try:\n  input()\n except EOFError: pass"])
def test_a_board_stuck_in_a_loop(pty, code):
    first = SerialBoard(pty[1].name)
    first._repl.start(code)
    first._transport.close()  # as a notebook that was killed leaves it
    with SerialBoard(pty[1].name) as board:
        assert board.eval("'free'") == "free"


def test_cable_pulled_in_a_copy(pty):
    engine, port = pty
    with SerialBoard(port.name) as board:
        board.put(b"old", "/data.bin")

        def pull(done, total):
            if done:
                engine.close()
                port.close()
        with pytest.raises(BoardLostError, match=r"stopped answering|Plug it in again"):
            board.put(bytes(60_000), "/data.bin", pull)
        with pytest.raises(BoardError, match="No board on port|stopped answering"):
            board.reconnect()


def test_a_port_that_is_open_already(pty):
    with SerialBoard(pty[1].name) as board:
        with pytest.raises(BoardError, match="No board on port .*: another program holds it: close Thonny"):
            SerialBoard(pty[1].name)
        assert board.eval("'undisturbed'") == "undisturbed"
    with SerialBoard(pty[1].name) as board:
        assert board.eval("'free again'") == "free again"


@pytest.mark.parametrize("said, meant", [
    ("[Errno 13] could not open port /dev/ttyUSB0: [Errno 13] Permission denied: '/dev/ttyUSB0'",
     "you may not open it. On Linux: sudo usermod -a -G dialout"),
    ("could not open port 'COM3': PermissionError(13, 'Access is denied.', None, 5)", "another program holds it"),
    ("[Errno 16] could not open port /dev/cu.usbmodem1: [Errno 16] Resource busy", "another program holds it"),
    ("could not open port 'COM9': FileNotFoundError(2, 'The system cannot find the file specified.')", "it does not open"),
])
def test_why_a_port_does_not_open(monkeypatch, said, meant):
    import serial

    def refuse(*args, **settings):
        raise serial.SerialException(said)
    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(BoardError, match="No board on port 'COM3': " + meant):
        SerialBoard("COM3")


@pytest.mark.parametrize("what, answer", [
    (b"", "nothing came. Press its reset button"),
    (b"\x00\xff\xfe garbage \r\n" * 20, "this came instead: '.*garbage.*put that on it: `edgekit flash`. Else press its reset"),
], ids=["silence", "garbage"])
def test_something_that_is_no_board(what, answer, monkeypatch):
    """A port where nothing speaks MicroPython: one sentence, soon."""
    monkeypatch.setattr(RawRepl.__init__, "__defaults__", (0.5,))  # seconds to answer
    ours, theirs = os.openpty()
    end = threading.Event()

    def talk():
        while not end.wait(0.02):
            if what:
                os.write(ours, what)
            os.set_blocking(ours, False)
            try:
                os.read(ours, 4096)
            except BlockingIOError:
                pass
            os.set_blocking(ours, True)
    thread = threading.Thread(target=talk)
    thread.start()
    started = time.monotonic()
    try:
        with pytest.raises(BoardLostError, match=f"a MicroPython prompt was expected, {answer}"):
            SerialBoard(os.ttyname(theirs))
    finally:
        end.set()
        thread.join()
        os.close(ours)
        os.close(theirs)
    assert time.monotonic() - started < 10
