"""%timeit and %mem: the board's own clock, what they print, what is said about a simulated one."""

import re
from types import SimpleNamespace

import pytest

import edgekit
from edgekit.errors import BoardCodeError, DataError
from edgekit.kernel.measure import Memory, Timing, memory, parse_timeit, timeit


@pytest.fixture(scope="module")
def board():
    with edgekit.connect("sim", quiet=True) as board:
        yield board


class Clocked:
    """A board that only counts: each run takes ``per_loop_us`` times its loops."""

    kind = "board"

    def __init__(self, per_loop_us):
        self.per_loop_us = per_loop_us
        self.loops = []

    def exec(self, code, timeout_s):
        match = re.search(r"_timeit\((\d+)\)\)", code)
        if not match:
            return ""
        self.loops.append(int(match[1]))
        return f"{round(self.loops[-1] * self.per_loop_us + len(self.loops))}\n"


@pytest.mark.parametrize("per_loop_us, loops", [(1, 100_000), (7, 20_000), (999, 200), (60_000, 3), (5_000_000, 1)])
def test_a_run_takes_about_a_fifth_of_a_second(per_loop_us, loops):
    clocked = Clocked(per_loop_us)
    timing = timeit(clocked, "pass")
    assert timing.loops == loops
    assert timing.best_us == pytest.approx(per_loop_us, rel=0.01)
    assert clocked.loops[-5:] == [loops] * 5 and len(timing.runs_us) == 5


def test_what_it_says():
    text = str(Timing((1500.0, 1200.0, 9000.0), 100, "board"))
    assert text == "1.2 ms per loop, best of 3 runs of 100 (median 1.5 ms, slowest 9 ms)"
    assert "not a board's" in str(Timing((1.0,), 1, "simulated"))
    assert "virtual clock stands still" in str(Timing((1.0,), 1, "simulated", virtual=True))
    assert str(Timing((0.25,), 1, "board")).startswith("250 ns")


def test_on_the_simulated_board_the_clock_is_real_meanwhile(board):
    assert board.clock == "virtual"
    timing = timeit(board, "for _i in range(200): pass")
    assert timing.virtual and timing.kind == "simulated" and board.clock == "virtual"
    more = timeit(board, "for _i in range(2000): pass")
    assert 3 < more.best_us / timing.best_us < 30
    assert board.eval("'_timeit' in globals()") is False


def test_setup_and_text_of_several_lines(board):
    board.exec("seen = []")
    timeit(board, "seen.append((x, '''a\n  b'''))", setup="x = 5", loops=2, runs=1)
    assert board.eval("seen[-1]") == (5, "a\n  b")


def test_code_that_fails_leaves_the_board_as_it_was(board):
    with pytest.raises(BoardCodeError, match="ZeroDivisionError"):
        timeit(board, "1 / 0")
    with pytest.raises(BoardCodeError, match="SyntaxError"):
        timeit(board, "x = = 1")
    assert board.clock == "virtual" and board.eval("'_timeit' in globals()") is False


@pytest.mark.parametrize("line, options", [
    ("x", (None, 5, "x")), ("-n 10 x + 1", (10, 5, "x + 1")), ("-r2 -n3 f(-x)", (3, 2, "f(-x)")), ("", (None, 5, ""))])
def test_options(line, options):
    assert parse_timeit(line) == options


@pytest.mark.parametrize("line", ["-n x", "-n", "-q 3 x", "-n 0 x"])
def test_bad_options(line):
    with pytest.raises(DataError, match=r"Expected %timeit \[-n LOOPS\]"):
        parse_timeit(line)


def test_memory_is_what_the_board_says(board):
    board.exec("import gc\ngc.collect()")
    about = memory(board)
    assert about.heap_free == pytest.approx(board.info.heap_free, abs=4000)
    assert about.flash_free == board.info.flash_free
    assert 0 < about.largest_free <= about.heap_free and about.kind == "simulated"
    board.exec("kept = bytearray(50_000)")
    assert memory(board).heap_used - about.heap_used > 49_000
    board.exec("del kept")
    assert board.eval("'_mem' in globals()") is False


def test_memory_as_a_table():
    about = Memory(1000, 2000, None, None, None, "board")
    assert "heap free" in str(about) and "2,000 bytes" in str(about) and "not told by this port" in str(about)
    assert "flash" not in str(about)
    assert about._repr_html_().count("<tr>") == 3


def test_a_port_that_tells_no_largest_block():
    fake = SimpleNamespace(exec=lambda code, timeout_s: "(100, 200, None)\n", kind="board", largest_free=lambda: None)
    assert memory(fake) == Memory(100, 200, None, None, None, "board")
