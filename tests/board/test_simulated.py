"""What only the simulated board does: its flash folder, its clock, its profiles, its way to end."""

import os
import subprocess
import sys
import time

import psutil
import pytest

import edgekit
from edgekit.board.ports import Port
from edgekit.board.profiles import PROFILES
from edgekit.board.simulated import SimulatedBoard
from edgekit.errors import BoardError, BoardLostError, SetupError


@pytest.fixture
def board():
    with SimulatedBoard() as board:
        yield board


def pid_of(board):
    return board._transport.process.pid


def gone(pid, timeout_s=5):
    end = time.monotonic() + timeout_s
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_starts_soon():  # 0.2 s on free cores, see benchmarks/simulated_board.py
    best = 9
    for _ in range(3):
        start = time.perf_counter()
        with SimulatedBoard() as board:
            board.exec("")
            best = min(best, time.perf_counter() - start)
    assert best < 3.0


def test_answers_in_under_five_milliseconds(board):
    best = 9
    for _ in range(50):
        start = time.perf_counter()
        board.exec("print(1)")
        best = min(best, time.perf_counter() - start)
    assert best < 0.005


def test_flash_survives(tmp_path):
    with SimulatedBoard(flash=tmp_path) as board:
        board.exec("import os\nos.mkdir('/d')\nwith open('/d/a.txt', 'w') as f: f.write('one')\nos.rename('/d', '/e')")
    assert (tmp_path / "e" / "a.txt").read_text() == "one"
    with SimulatedBoard(flash=tmp_path) as board:
        assert board.get("/e/a.txt") == b"one"
        board.exec("import os\nos.remove('/e/a.txt')\nos.rmdir('/e')")
    assert list(tmp_path.iterdir()) == []


def test_open_file_is_not_half_written(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    board = SimulatedBoard(flash=tmp_path)
    board.exec("f = open('/a.txt', 'w')\nf.write('new')")
    board.close()
    assert (tmp_path / "a.txt").read_text() == "old"


def test_flush_and_soft_reset_write_open_files(tmp_path):
    with SimulatedBoard(flash=tmp_path) as board:
        board.exec("f = open('/a.txt', 'w')\nf.write('flushed')\nf.flush()")
        assert (tmp_path / "a.txt").read_text() == "flushed"
        board.exec("f.write(' and more')")
        board.reset()
        assert board.get("/a.txt") == b"flushed and more"


def test_temporary_flash_is_removed(board):
    folder = board.flash
    board.put(b"x", "/x")
    assert (folder / "x").exists()
    board.close()
    assert not folder.exists()


def test_board_lost_in_the_middle_of_a_copy(tmp_path):
    board = SimulatedBoard(flash=tmp_path)
    board.put(b"old model", "/models/m.tflite")

    def pull_the_cable(done, total):
        if done > total // 2:
            board._transport.process.kill()

    with pytest.raises(BoardLostError, match="stopped answering.*Connect again"):
        board.put(b"new" * 20_000, "/models/m.tflite", progress=pull_the_cable)
    with pytest.raises(BoardLostError):
        board.exec("1")
    board.close()
    with SimulatedBoard(flash=tmp_path) as again:
        assert again.get("/models/m.tflite") == b"old model"
        again.put(b"new model", "/models/m.tflite")
        assert again.get("/models/m.tflite") == b"new model"


def test_flash_full_keeps_the_old_file():
    with SimulatedBoard("stm32f411") as board:
        board.put(b"old", "/m")
        with pytest.raises(BoardError, match=r"flash is full, \d+ bytes are free.*Make room.*board.remove\('/m'\)"
                                             " .*The old file.*still there"):
            board.put(bytes(47_000), "/m")
        assert board.get("/m") == b"old"
        assert board.ls("/") == ["m"]


def test_silence_is_an_error_not_a_hang(board):
    with pytest.raises(BoardLostError, match="the end of the program was expected within 0.2 s"):
        board.exec("while True: pass", timeout_s=0.2)
    assert board.eval("2") == 2


@pytest.mark.parametrize("busy", ["", "board._repl.start('while True: pass')",
                                  "board._repl.start('import time\\nwhile True: time.sleep(1)')"])
def test_no_process_is_left_when_the_parent_is_killed(busy, tmp_path):
    code = ("from edgekit.board.simulated import SimulatedBoard\nimport time\n"
            f"board = SimulatedBoard(flash={str(tmp_path)!r})\n{busy}\n"
            "print(board._transport.process.pid, flush=True)\ntime.sleep(60)")
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    assert not gone(pid, 0)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(pid)


def test_no_process_is_left_when_the_parent_forgets():
    code = ("import edgekit\nboard = edgekit.connect('sim', quiet=True)\nboard._repl.start('while True: pass')\n"
            "print(board._transport.process.pid)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert gone(int(done.stdout))


def test_closing_ends_a_tight_loop():
    board = SimulatedBoard()
    pid = pid_of(board)
    board._repl.start("while True: pass")
    board.close()
    assert gone(pid, 1)
    with pytest.raises(BoardLostError, match="was closed"):
        board.exec("1")
    board.close()


def test_virtual_clock_is_instant(board):
    start = time.perf_counter()
    assert board.exec("import time\nt = time.ticks_ms()\ntime.sleep(600)\nprint(time.ticks_ms() - t)") == "600000\n"
    assert time.perf_counter() - start < 1
    assert board.world.time_s == pytest.approx(600, abs=0.1)


def test_real_clock_sleeps():
    with SimulatedBoard(clock="real") as board:
        start = time.perf_counter()
        elapsed = board.eval("(lambda t: (__import__('time').sleep_ms(200), __import__('time').ticks_ms() - t))"
                             "(__import__('time').ticks_ms())")[1]
        assert time.perf_counter() - start > 0.2
        assert 200 <= elapsed < 400


def test_boot_and_main_run_at_power_on(tmp_path):
    (tmp_path / "boot.py").write_text("order = ['boot']")
    (tmp_path / "main.py").write_text("order.append('main')\nprint('hello')\nwhile True: pass")
    with SimulatedBoard(flash=tmp_path) as board:
        assert board.eval("order") == ["boot", "main"]
        board.reset()
        assert board.eval("order") == ["boot"]


def test_late_output_comes_while_a_program_computes(board):
    first = []

    def note(text):
        first.append(time.perf_counter())

    start = time.perf_counter()
    board.exec("print('a')\nprint('b')\nprint('c')\nfor i in range(1000000): pass", on_output=note)
    took = time.perf_counter() - start
    assert first[-1] - start < took / 2


@pytest.mark.parametrize("name", PROFILES)
def test_profiles(name):
    with SimulatedBoard(name) as board:
        info = board.info
        assert info.kind == "simulated"
        assert abs(info.heap_free - board.profile.heap_bytes) < 30_000
        assert 0.9 < info.flash_free / board.profile.flash_bytes <= 1
        board.install("capture")
        assert len(list(board.stream("capture", count=20))) == 3


def test_install_twice_copies_once(board):
    assert "/apps/capture.mpy" in board.install("capture")
    assert board.install("capture") == []


def test_install_warns_of_a_source_that_hides_it(board):
    board.put(b"x = 1", "/lib/frames.py")
    with pytest.warns(UserWarning, match="/lib/frames.py on the board hides /lib/frames.mpy"):
        board.install("capture")


def test_connect_says_what_it_is(capsys):
    with edgekit.connect("sim:nano33ble") as board:
        assert board.profile.name == "nano33ble"
    assert capsys.readouterr().out == ("Simulated Arduino Nano 33 BLE Sense (no hardware; MicroPython 1.27.0)\n")


def test_connect_without_a_board(monkeypatch):
    monkeypatch.delenv("EDGEKIT_PORT", raising=False)
    monkeypatch.setattr("edgekit.board.ports.find_ports", lambda: [])
    with edgekit.connect(quiet=True) as board:
        assert board.kind == "simulated"


def test_connect_finds_the_board_that_is_plugged_in(monkeypatch):
    monkeypatch.delenv("EDGEKIT_PORT", raising=False)
    opened = []
    monkeypatch.setattr("edgekit.board.ports.find_ports",
                        lambda: [Port("/dev/ttyS0", ""), Port("/dev/ttyUSB0", "CP210x", is_board=True)])
    monkeypatch.setattr("edgekit.board.serial.SerialBoard", lambda port: opened.append(port))
    assert edgekit.connect(quiet=True) is None
    assert opened == ["/dev/ttyUSB0"]


def test_connect_with_two_boards(monkeypatch):
    monkeypatch.delenv("EDGEKIT_PORT", raising=False)
    monkeypatch.setattr("edgekit.board.ports.find_ports",
                        lambda: [Port("COM3", "CH340", is_board=True), Port("COM4", "CP210x", is_board=True)])
    with pytest.raises(BoardError, match="Several boards are plugged in: COM3, COM4. Say which one"):
        edgekit.connect()


def test_port_that_does_not_exist(monkeypatch):
    monkeypatch.setattr("edgekit.board.ports.find_ports", lambda: [Port("COM7", "CH340", is_board=True)])
    with pytest.raises(BoardError, match=r"No board on port 'COM99'.*Ports found: COM7 \(CH340\).*connect\('sim'\)"):
        edgekit.connect("COM99")
    monkeypatch.setattr("edgekit.board.ports.find_ports", lambda: [])
    with pytest.raises(BoardError, match="no serial port: plug the board in"):
        edgekit.connect("/dev/ttyUSB9")


def test_unknown_profile_and_clock():
    with pytest.raises(BoardError, match="No board profile 'esp99'; there are esp32, esp32s3"):
        edgekit.connect("sim:esp99")
    with pytest.raises(BoardError, match="clock is 'virtual' or 'real', not 'fast'"):
        SimulatedBoard(clock="fast")
    with pytest.raises(BoardError, match="engine is 'auto', 'wasm' or 'unix', not 'jet'"):
        edgekit.connect("sim", engine="jet")


def test_what_only_the_simulated_board_has(monkeypatch, tmp_path):
    with pytest.raises(BoardError, match="clock, flash|flash, clock: only the simulated board has that, and 'COM1' is a "
                                         r"port of this computer. Leave it out, or.*connect\('sim', ...\)"):
        edgekit.connect("COM1", clock="real", flash=tmp_path)
    with pytest.raises(TypeError, match="colour"):
        edgekit.connect("sim", colour="red")
    with pytest.raises(BoardError, match=r"A port is a text such as 'sim', 'auto' or '/dev/ttyUSB0', not 3"):
        edgekit.connect(3)
    with edgekit.connect("sim", quiet=True, clock="real", flash=tmp_path) as board:
        assert (board.clock, board.flash) == ("real", tmp_path)


def test_connect_auto(monkeypatch):
    monkeypatch.setenv("EDGEKIT_PORT", "/dev/nothing")
    monkeypatch.setattr("edgekit.board.serial.SerialBoard", lambda port: port)
    monkeypatch.setattr("edgekit.board.ports.find_ports", lambda: [Port("COM3", "CH340", is_board=True)])
    assert edgekit.connect("auto", quiet=True) == "COM3", "it does not look at $EDGEKIT_PORT"
    with edgekit.connect("auto", quiet=True, clock="virtual") as board:
        assert board.kind == "simulated", "asked for what only that one has"
    monkeypatch.setattr("edgekit.board.ports.find_ports", lambda: [Port("/dev/ttyS0", "")])
    with edgekit.connect("auto", quiet=True) as board:
        assert board.kind == "simulated"


def test_node_missing(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="needs Node.js.*Run `make lab`"):
        SimulatedBoard()


def test_micropython_package_missing(monkeypatch, tmp_path):
    monkeypatch.setattr("edgekit.simulator.engine._PACKAGE", tmp_path)
    with pytest.raises(SetupError, match="WebAssembly package.*npm ci"):
        SimulatedBoard()


def test_node_that_does_not_start(monkeypatch, tmp_path):
    fake = tmp_path / "node"
    fake.write_text("#!/bin/sh\nexit 3\n")
    os.chmod(fake, 0o755)
    monkeypatch.setattr("edgekit.simulator.engine.find_node", lambda: str(fake))
    with pytest.raises(BoardLostError, match="ended with code 3"):
        SimulatedBoard()


def test_import_is_fast():
    code = "import time; t = time.perf_counter(); import edgekit; edgekit.connect; print(time.perf_counter() - t)"
    best = min(float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
               for _ in range(3))
    assert best < 0.5
