"""What every board can do: the same tests for the simulated board over pipes, a pty and a TCP port, and for a board on
the port that $EDGEKIT_TEST_PORT names (`make test-board`)."""

import os
import random
import signal
import threading
import time

import pytest
from board_port import behind_a_port

import edgekit
from edgekit.board.base import Board
from edgekit.board.simulated import SimulatedBoard
from edgekit.capture import capture
from edgekit.errors import BoardBusyError, BoardCodeError, BoardError, BoardLostError, BoardRestartedError
from edgekit.simulator.ports import PtyPort, TcpPort

GIVEN = os.environ.get("EDGEKIT_TEST_PORT")


@pytest.fixture(scope="module", params=[*(["given"] if GIVEN else []), "pipes", "tcp", pytest.param(
    "pty", marks=pytest.mark.skipif(os.name == "nt", reason="SKIP: Windows has no pseudo-terminals"))])
def board(request):
    if request.param == "given":
        with edgekit.connect(GIVEN, quiet=True) as board:
            board.brown_out = None
            yield board
    elif request.param == "pipes":
        with SimulatedBoard() as board:
            board.brown_out = lambda: board.world.fault("brown-out")
            yield board
    else:
        with behind_a_port(TcpPort() if request.param == "tcp" else PtyPort()) as board:
            yield board


@pytest.fixture
def is_simulated(board):
    """What only the simulated board promises: its sensors' values, and the speed of this computer."""
    if board.kind != "simulated":
        pytest.skip("SKIP: a real board's wire and flash are as they are; the doctor's findings say how")


def ctrl_c_after(seconds):
    """What ctrl-C in a terminal or "stop" in Jupyter does to this process."""
    threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()


class TestBoard:
    def test_is_a_board(self, board):
        assert isinstance(board, Board)

    def test_exec_returns_what_is_printed(self, board):
        assert board.exec("print('grüße', 1)\nprint(2)") == "grüße 1\n2\n"

    def test_exec_of_nothing(self, board):
        assert board.exec("") == ""

    def test_names_stay(self, board):
        board.exec("stays = 41")
        assert board.eval("stays + 1") == 42

    def test_output_comes_as_it_is_printed(self, board):
        parts = []
        text = board.exec("for i in range(3): print(i)", on_output=parts.append)
        assert "".join(parts) == text == "0\n1\n2\n"

    def test_long_program(self, board):
        lines = "\n".join(f"value_{i} = {i}" for i in range(400))
        assert board.exec(f"def f():\n{lines.replace('value', ' value')}\n return value_399\nprint(f())") == "399\n"

    def test_eval_of_values(self, board):
        value = {"a": [1, -2.5, None, True], "b": (b"\x00\x04\xff", "x\n")}
        assert board.eval(repr(value)) == value

    def test_eval_of_something_else(self, board):
        with pytest.raises(BoardError, match="cannot become a Python value here"):
            board.eval("object()")

    def test_exception_has_traceback_and_output(self, board):
        with pytest.raises(BoardCodeError) as caught:
            board.exec("print('before')\n1/0")
        assert caught.value.output == "before\n"
        assert caught.value.reason == "ZeroDivisionError: divide by zero"
        assert 'File "<stdin>", line 2' in caught.value.traceback
        assert board.eval("1") == 1

    def test_syntax_error(self, board):
        with pytest.raises(BoardCodeError, match="SyntaxError"):
            board.exec("def")

    @pytest.mark.parametrize("size", [0, 1, 6144, 20_001])
    def test_put_and_get(self, board, size):
        data = bytes((i * 7 + i // 256) & 0xFF for i in range(size))
        board.put(data, "/data/deep/file.bin")
        assert board.get("/data/deep/file.bin") == data
        board.remove("/data")
        assert "data/" not in board.ls("/")

    def test_put_a_file_and_get_to_a_file(self, board, tmp_path):
        (tmp_path / "a.txt").write_bytes(b"one")
        board.put(tmp_path / "a.txt", "a.txt")
        board.get("a.txt", tmp_path / "b.txt")
        assert (tmp_path / "b.txt").read_bytes() == b"one"
        board.remove("a.txt")

    def test_put_replaces(self, board):
        board.put(b"old and long", "/r.txt")
        board.put(b"new", "/r.txt")
        assert board.get("/r.txt") == b"new"
        board.remove("/r.txt")

    def test_put_leaves_no_names_and_no_files(self, board):
        before = board.eval("sorted(dir())"), board.ls()
        board.put(b"x", "/tidy.txt")
        board.hashes(["/tidy.txt"])
        board.get("/tidy.txt")
        board.remove("/tidy.txt")
        assert (board.eval("sorted(dir())"), board.ls()) == before

    def test_put_of_a_missing_file(self, board):
        with pytest.raises(BoardError, match="Cannot read 'nowhere.txt' here"):
            board.put("nowhere.txt", "/x")

    def test_put_over_a_folder(self, board):
        board.put(b"x", "/folder/x")
        with pytest.raises(BoardError, match="Could not copy 1 bytes to /folder"):
            board.put(b"y", "/folder")
        assert board.get("/folder/x") == b"x"
        board.remove("/folder")
        board.remove("/folder.new") if "folder.new" in board.ls() else None

    def test_missing_files(self, board):
        for action in (board.get, board.remove, board.ls):
            with pytest.raises(BoardError, match="there is no such file or folder.*board.ls"):
                action("/missing")

    def test_hashes(self, board):
        board.put(b"abc", "/h.txt")
        found = board.hashes(["/h.txt", "/missing"])
        assert found["/h.txt"].startswith("ba7816bf8f01cfea")
        assert found["/missing"] == ""
        board.remove("/h.txt")

    def test_reset_forgets_names_and_keeps_files(self, board):
        board.put(b"kept", "/kept.txt")
        board.exec("gone = 1")
        board.reset()
        with pytest.raises(BoardCodeError, match="NameError"):
            board.exec("gone")
        assert board.get("/kept.txt") == b"kept"
        board.remove("/kept.txt")

    def test_info(self, board):
        info = board.info
        assert info.kind == board.kind
        assert info.mpy[0] == 6
        assert info.heap_free > 50_000
        assert info.flash_free > (1_000_000 if info.kind == "simulated" else 10_000)

    @pytest.mark.skipif(os.name == "nt", reason="os.kill cannot send ctrl-C to this process alone on Windows")
    @pytest.mark.parametrize("code", [
        "kept = 0\nwhile True: kept += 1",
        "kept = 1\nimport time\nwhile True: time.sleep(1)",
        "kept = 1\nwhile True: print('line')",
        "kept = 1\nimport sys\nsys.stdin.read(1)",
        "kept = 1\ninput()",
    ])
    def test_ctrl_c(self, board, code):
        ctrl_c_after(0.2)
        with pytest.raises(KeyboardInterrupt):
            board.exec(code)
        assert board.eval("kept") > 0

    def test_stream_closed_early(self, board):
        board.install("capture")
        stream = board.stream("capture")
        header, first = next(stream), next(stream)
        assert (header.seq, first.seq) == (0, 1)
        stream.close()
        assert board.eval("1 + 1") == 2

    def test_unknown_app(self, board):
        with pytest.raises(BoardError, match="No app 'nonsense' in firmware/apps; there are .*capture"):
            board.install("nonsense")
        with pytest.raises(BoardError, match="An app's name was expected"):
            board.run("../x")

    def test_an_exception_on_line_one_in_a_lambda(self, board):
        """What edgekit puts around the code has such lines too; they are not shown, the program's own are."""
        with pytest.raises(BoardCodeError) as caught:
            board.exec("(lambda: 1 / 0)()")
        assert caught.value.traceback.splitlines() == [
            "Traceback (most recent call last):", '  File "<stdin>", line 1, in <module>',
            '  File "<stdin>", line 1, in <lambda>', "ZeroDivisionError: divide by zero"]

    def test_a_syntax_error_says_its_line(self, board):
        with pytest.raises(BoardCodeError) as caught:
            board.exec("x = 1\ny = (\nz = 2 2\n")
        assert caught.value.traceback.splitlines()[1:] == [
            '  File "<stdin>", line 3', "SyntaxError: invalid syntax"]

    def test_code_with_any_character(self, board):
        text = "".join(map(chr, range(1, 300))).replace("\r", "") + "\\ ' \" \u20ac \U0001f600"
        assert board.exec(f"# {text!r}\nx = {text!r}\nprint(len(x), x == {text!r})") == f"{len(text)} True\n"

    def test_a_capture(self, board):
        taken = capture(board, 0.5, progress=False)
        assert (len(taken), taken.lost, taken.source) == (50, 0, board.kind)
        if board.kind == "simulated":  # a real one lies as it lies
            assert taken.physical()[-1, 2] == pytest.approx(1, abs=0.01), "gravity"

    def test_a_large_file_is_copied_and_read_in_half_a_second(self, board, is_simulated):
        data = random.Random(1).randbytes(60_000)
        best = 9
        for _ in range(3):
            started = time.perf_counter()
            board.put(data, "/large.bin")
            best = min(best, time.perf_counter() - started)
        assert board.get("/large.bin") == data
        board.remove("/large.bin")
        assert best < 0.5

    def test_a_program_runs_and_answers_in_two_milliseconds(self, board, is_simulated):
        best = 9
        for _ in range(200):
            started = time.perf_counter()
            board.exec("print(1)")
            best = min(best, time.perf_counter() - started)
        assert best < 0.002

    def test_two_threads_take_turns(self, board):
        stream = board.stream("capture")
        next(stream)
        board._repl.turn.patience_s = 0.1
        found = []

        def ask():
            try:
                found.append(board.eval("6 * 7"))
            except BoardBusyError as error:
                found.append(error)

        for _ in range(2):
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join()
            stream.close()
        board._repl.turn.patience_s = 1.0
        assert isinstance(found[0], BoardBusyError) and found[1] == 42

    @pytest.fixture
    def brown_out(self, board):
        if board.brown_out is None:
            pytest.skip("SKIP: nobody takes this board's power away")
        return board.brown_out

    def test_a_brown_out_is_said_by_the_next_call(self, board, brown_out):
        board.exec("gone = 1")
        brown_out()
        with pytest.raises(BoardRestartedError, match=r"^The board restarted \(brown-out: its supply voltage"):
            board.eval("gone")
        assert board.eval("'gone' in globals()") is False

    def test_a_brown_out_in_the_middle_of_a_program(self, board, brown_out):
        threading.Timer(0.3, brown_out).start()
        with pytest.raises(BoardRestartedError, match=r"\(brown-out: "):
            board.exec("print('before')\nwhile True: pass")
        assert board.eval("1 + 1") == 2

    @pytest.mark.parametrize("code, cause", [
        ("import machine\nmachine.reset()", r"\(reset: its button was pressed, or the program asked for it\)"),
        ("import machine\nmachine.soft_reset()", r"\(soft reset: the program asked for it, or ctrl-D"),
        ("import machine\nmachine.deepsleep(1000)", r"\(it woke from deep sleep\)"),
    ])
    def test_a_program_that_restarts_the_board(self, board, code, cause):
        board.exec("gone = 1")
        with pytest.raises(BoardRestartedError, match=cause):
            board.exec(code)
        assert board.eval("'gone' in globals()") is False

    def test_reconnect(self, board):
        board.put(b"kept", "/kept.txt")
        board.reconnect()
        assert board.get("/kept.txt") == b"kept"
        board.remove("/kept.txt")
        board._transport.close()
        with pytest.raises(BoardLostError, match=r"board.reconnect\(\)|board = edgekit.connect\(\)"):
            board.exec("1")
        board.reconnect()
        assert board.eval("1 + 1") == 2
