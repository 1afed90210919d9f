"""What every board can do: the same tests for the simulated board and for one behind a serial port."""

import os
import signal
import socket
import threading

import pytest

from edgekit.board.base import Board
from edgekit.board.serial import SerialBoard
from edgekit.board.simulated import SimulatedBoard
from edgekit.errors import BoardCodeError, BoardError


class Bridge:
    """A simulated board behind a loopback TCP port: for pyserial that is a serial port (``socket://``)."""

    def __init__(self):
        self.board = SimulatedBoard()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self._engine = self.board._transport
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        connection, _ = self._server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._from_board, args=(connection,), daemon=True).start()
        while data := connection.recv(4096):
            self._engine.write(data)

    def _from_board(self, connection):
        try:
            while True:
                connection.sendall(self._engine.read())
        except (OSError, BoardError):
            connection.close()

    def close(self):
        self.board.close()
        self._server.close()


@pytest.fixture(scope="module", params=["simulated", "serial"])
def board(request):
    if request.param == "simulated":
        with SimulatedBoard() as board:
            yield board
    else:
        bridge = Bridge()
        with SerialBoard(bridge.url) as board:
            yield board
        bridge.close()


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
        assert info.flash_free > 1_000_000

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
