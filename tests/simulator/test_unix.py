"""The second engine, MicroPython's Unix port: what only it can do, and that the board's other tests pass on it too.

They need a program ``micropython`` and are left out, with a word, where there is none.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from edgekit.board.profiles import PROFILES
from edgekit.board.simulated import SimulatedBoard
from edgekit.bytecode import compile_file
from edgekit.errors import BoardCodeError, BoardError, SetupError
from edgekit.simulator import unix

ROOT = Path(__file__).resolve().parents[2]


def _program():
    try:
        return unix.find_micropython()
    except SetupError:
        return None


needs_program = pytest.mark.skipif(
    _program() is None, reason="SKIP: no program 'micropython' of 1.19 or later here, so engine='unix' is not tested")

# Tests that run again on this engine, each file in a process of its own with EDGEKIT_ENGINE=unix; and those that speak
# of the other engine (Node.js, JavaScript, its version 1.27, a heap that grows) or of what the Unix port's own prompt
# completes (its built-in modules only).
SHARED = {
    "tests/simulator/test_engine.py": "not friendly_repl",
    "tests/simulator/test_machine_adc.py": "",
    "tests/simulator/test_machine_i2c.py": "",
    "tests/simulator/test_machine_i2s.py": "",
    "tests/simulator/test_machine_missing.py": "not javascript and not a_large_object",
    "tests/simulator/test_machine_pin.py": "",
    "tests/simulator/test_machine_power.py": "",
    "tests/simulator/test_machine_spi.py": "",
    "tests/simulator/test_machine_timer.py": "",
    "tests/simulator/test_machine_uart.py": "",
    "tests/simulator/test_machine_wires.py": "",
    "tests/simulator/test_pwm.py": "",
    "tests/simulator/test_repl.py": "not banner and not tab_completes",
    "tests/board/test_simulated.py": "not node and not package_missing and not says_what_it_is",
}

# What MicroPython 1.19 has not: micropython.schedule(), and select.poll() for streams written in Python.
BEFORE_1_20 = "not scheduled_functions and not poll_and_interrupt"


@needs_program
@pytest.mark.parametrize("file", [name for name in SHARED if (ROOT / name).exists()])
def test_the_same_tests_pass_on_both_engines(file):
    chosen = [SHARED[file]] if SHARED[file] else []
    if unix._about(_program())[0] < (1, 20):
        chosen.append(BEFORE_1_20)
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", file, "-k", " and ".join(chosen)],
                          cwd=ROOT, env={**os.environ, "EDGEKIT_ENGINE": "unix"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.fixture(scope="module")
def running():
    with SimulatedBoard(engine="unix") as board:
        yield board


@pytest.fixture
def board(running):
    yield running
    running.reset()


@needs_program
@pytest.mark.parametrize("name", PROFILES)
def test_the_heap_ends_where_the_profiles_ends(name):
    with SimulatedBoard(name, engine="unix") as board:
        heap = board.profile.heap_bytes
        free = board.eval("(__import__('gc').collect(), __import__('gc').mem_free())")[1]
        assert 0.97 * heap < free <= heap
        board.exec(f"b = bytearray({int(0.9 * heap)})\ndel b")
        with pytest.raises(BoardCodeError, match="MemoryError"):
            board.exec(f"b = bytearray({heap})")
        board.exec("parts = []\ntry:\n    while True:\n        parts.append(bytearray(1000))\n"
                   "except MemoryError:\n    count = len(parts)\n    del parts")
        assert 0.8 * heap < 1000 * board.eval("count") < heap


@needs_program
def test_garbage_is_collected_while_a_program_runs(board):
    # 20 times the heap in floats and lists; the WebAssembly engine would need all of it at once.
    assert board.exec("import gc\nx = 0.0\nfor i in range(100_000):\n    x = x * 0.5 + 1.0\n    y = [x]\n"
                      "gc.collect()\nprint(gc.mem_free() > 140_000, x)") == "True 2.0\n"


@needs_program
def test_viper_and_native(board):
    board.exec("@micropython.viper\ndef total(p: ptr8, n: int) -> int:\n    s = 0\n    for i in range(n):\n"
               "        s += p[i]\n    return s\n@micropython.native\ndef double(x):\n    return 2 * x")
    assert board.eval("(total(bytes(range(100)), 100), double(21))") == (4950, 42)


@needs_program
def test_native_code_is_for_this_computer(board, tmp_path):
    source = tmp_path / "quick.py"
    source.write_text("@micropython.viper\ndef triple(x: int) -> int:\n    return 3 * x\n")
    arch = board.info.arch
    board.put(compile_file(source, options=("-march=xtensawin",)), "/quick.mpy")
    with pytest.raises(BoardCodeError, match="incompatible .mpy"):
        board.exec("import quick")
    if board.info.mpy != (6, 3) or not arch:
        pytest.skip(f"SKIP: this micropython loads .mpy version {board.info.mpy}, mpy-cross writes (6, 3)")
    board.put(compile_file(source, options=(f"-march={arch}",)), "/quick.mpy")
    assert board.eval("__import__('quick').triple(14)") == 42


@needs_program
@pytest.mark.parametrize("loop", ["while True: pass", "x = 0.5\nwhile True: x = x * 1.5 if x < 9.0 else 0.5; y = [x]",
                                  "import time\nwhile True: time.sleep(1)", "input()", "while True: print('x')",
                                  "from machine import I2C\ni = I2C(0)\nwhile True: i.scan()"])
def test_ctrl_c_ends_everything_and_names_stay(board, loop):
    board.exec("kept = {i: str(i) for i in range(200)}")
    took = []
    for _ in range(3):
        board._repl.start(loop)
        time.sleep(0.1)
        start = time.monotonic()
        board._repl.interrupt()
        for _ in board._repl.parts(10):
            pass
        took.append(time.monotonic() - start)
        assert b"KeyboardInterrupt" in board._repl.end()
        assert board.eval("all(kept[i] == str(i) for i in range(200))") is True
    assert min(took) < 0.5


@needs_program
def test_the_clock_can_be_changed_and_time_goes_on():
    with SimulatedBoard(engine="unix") as board:
        board.exec("import time\ntime.sleep(100)")
        board.clock = "real"
        start = time.monotonic()
        assert 100_000 <= int(board.exec("time.sleep_ms(200)\nprint(time.ticks_ms())")) < 101_000
        assert time.monotonic() - start > 0.19
        board.clock = "virtual"
        start = time.monotonic()
        assert 1_100_000 <= int(board.exec("time.sleep(1000)\nprint(time.ticks_ms())")) < 1_102_000
        assert time.monotonic() - start < 2


@needs_program
@pytest.mark.parametrize("mode, then, expected", [("w", "new", "new"), ("a", "new", "old new"), ("r+", "new", "new new")])
def test_a_file_changes_when_it_is_closed(tmp_path, mode, then, expected):
    (tmp_path / "a.txt").write_text("old " if mode == "a" else "old new")
    before = (tmp_path / "a.txt").read_text()
    with SimulatedBoard(flash=tmp_path, engine="unix") as board:
        board.exec(f"f = open('/a.txt', {mode!r})\nn = f.write({then!r})")
        assert (tmp_path / "a.txt").read_text() == before
        assert board.eval("__import__('os').listdir('/')") == ["a.txt"]
        board.exec("f.close()")
        assert (tmp_path / "a.txt").read_text() == expected
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@needs_program
def test_writing_stops_where_the_flash_ends():
    with SimulatedBoard("stm32f411", engine="unix") as board:
        size = board.profile.flash_bytes
        with pytest.raises(BoardCodeError, match="OSError: .*28"):
            board.exec("f = open('/a', 'wb')\nwhile True: f.write(bytes(512))")
        assert 0.9 * size < board.eval("f.tell()") <= size
        with pytest.raises(BoardError, match="flash is full"):
            board.put(bytes(size), "/b")


@needs_program
def test_no_process_is_left_when_the_parent_dies_in_a_tight_loop(tmp_path):
    code = ("from edgekit.board.simulated import SimulatedBoard\nimport time\n"
            f"board = SimulatedBoard(flash={str(tmp_path)!r}, engine='unix')\nboard._repl.start('while True: pass')\n"
            "print([p.pid for p in __import__('psutil').Process().children()], flush=True)\ntime.sleep(60)")
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    children = [int(pid) for pid in parent.stdout.readline().strip("[]\n").split(",")]
    assert children
    parent.kill()
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 5
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in children):
        assert time.monotonic() < end, "it still runs"
        time.sleep(0.02)


def test_no_program(monkeypatch, tmp_path):
    monkeypatch.delenv("EDGEKIT_MICROPYTHON", raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="none was found.*apt install micropython.*conda-forge.*brew.*engine='wasm'"):
        SimulatedBoard(engine="unix")


@pytest.mark.parametrize("says, what", [("echo micropython 1 18 0; echo MicroPython v1.18", "is MicroPython v1.18"),
                                        ("echo hello", "is not MicroPython"), ("exit 1", "is not MicroPython")])
def test_a_program_that_does_not_do(monkeypatch, tmp_path, says, what):
    program = tmp_path / "micropython"
    program.write_text(f"#!/bin/sh\n{says}\n")
    program.chmod(0o755)
    monkeypatch.setenv("EDGEKIT_MICROPYTHON", str(program))
    with pytest.raises(SetupError, match=f"1.19 or later, but .* {what}.*apt install"):
        SimulatedBoard(engine="unix")
