"""A long day at the board, in a few seconds: random work and random ctrl-C, held against a model of the board."""

import os
import random
import signal

import pytest

from edgekit.board.simulated import SimulatedBoard
from edgekit.errors import BoardBusyError, BoardCodeError, BoardError, BoardLostError, BoardRestartedError

STEPS = 1000
PATHS = [f"{folder}/{name}" for folder in ("", "/a", "/a/b", "/c") for name in ("one", "two", "three.py")]
NAMES = ["x", "y", "z"]


class Model:
    """What is on the board: contents of files by path, values of names. After ctrl-C a thing may have two values."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.files = {}
        self.names = {}
        self.folders = set()
        self.resetting = False

    def step(self, board):
        """Do something and compare what the board says; returns what it was."""
        kind = self.random.choice(["put", "put", "get", "get", "remove", "ls", "hashes", "set", "set", "read", "error",
                                   "reset" if self.random.random() < 0.1 else "read", "print"])
        getattr(self, kind)(board)
        return kind

    def put(self, board):
        path, data = self.random.choice(PATHS), self.random.randbytes(self.random.choice([0, 1, 100, 5000]))
        parts = path.split("/")[1:-1]
        self.folders |= {"/" + "/".join(parts[:i + 1]) for i in range(len(parts))}
        self.files[path] = {*self.files.get(path, {None}), data}  # the old one or the new one, whole
        board.put(data, path)
        self.files[path] = {data}

    def get(self, board):
        path = self.random.choice(PATHS)
        try:
            found = board.get(path)
        except BoardLostError:
            raise
        except BoardError as error:
            assert "there is no such file" in str(error)
            found = None
        assert found in self.files.get(path, {None})
        self.files[path] = {found}

    def remove(self, board):
        path = self.random.choice(PATHS)
        before = self.files.get(path, {None})
        self.files[path] = before | {None}
        try:
            board.remove(path)
            assert before != {None}
        except BoardLostError:
            raise
        except BoardError as error:
            assert "there is no such file" in str(error) and None in before
        self.files[path] = {None}

    def ls(self, board):
        folder = self.random.choice(sorted({"/"} | {f for f in self.folders if self.surely_there(f)}))
        prefix = "" if folder == "/" else folder
        found = {name for name in board.ls(folder) if not name.endswith(("/", ".new"))}
        for path, values in self.files.items():
            if path.rpartition("/")[0] == prefix:
                name = path.rpartition("/")[2]
                assert name in found if None not in values else values != {None} or name not in found

    def surely_there(self, folder):
        return any(path.startswith(folder + "/") and None not in values for path, values in self.files.items())

    def hashes(self, board):
        found = board.hashes(PATHS)
        for path in PATHS:
            values = self.files.get(path, {None})
            assert not found[path] if values == {None} else found[path] or None in values

    def set(self, board):
        name, value = self.random.choice(NAMES), self.random.randrange(10**9)
        self.names[name] = {*self.names.get(name, {None}), value}
        board.exec(f"{name} = {value}")
        self.names[name] = {value}

    def read(self, board):
        name = self.random.choice(NAMES)
        found = board.eval(f"globals().get({name!r})")
        assert found in self.names.get(name, {None})
        self.names[name] = {found}

    def error(self, board):
        with pytest.raises(BoardCodeError, match="ValueError: 17"):
            board.exec("raise ValueError(17)")

    def print(self, board):
        count = self.random.randrange(1, 2000)
        self.names["x"] = {*self.names.get("x", {None}), None, *range(count)}
        assert board.exec(f"for x in range({count}): print(x)\ndel x") == "".join(f"{i}\n" for i in range(count))
        self.names["x"] = {None}

    def reset(self, board):
        self.names = {name: {*values, None} for name, values in self.names.items()}
        self.resetting = True
        board.reset()
        self.resetting = False
        self.names = {name: {None} for name in self.names}


@pytest.mark.skipif(os.name == "nt", reason="SKIP: Windows has no timer that interrupts")
@pytest.mark.parametrize("seed", [1])
def test_a_thousand_things_with_ctrl_c_at_random(seed):
    def press(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, press)
    model = Model(seed)
    interrupts = 0
    try:
        with SimulatedBoard() as board:
            for _ in range(STEPS):
                try:
                    if model.random.random() < 0.2:
                        signal.setitimer(signal.ITIMER_REAL, model.random.choice([0.0002, 0.001, 0.003, 0.01]))
                    try:
                        model.step(board)
                    finally:
                        signal.setitimer(signal.ITIMER_REAL, 0)
                except KeyboardInterrupt:
                    interrupts += 1
                except BoardRestartedError:
                    assert model.resetting, "only a reset that ctrl-C broke into is news to the next call"
                    model.resetting = False
                except BoardBusyError:
                    # ctrl-C came in the very moment in which a program was started: as its message says.
                    board.interrupt()
            names = set(board.eval("dir()")) - {"__name__", "__file__"}
            assert names <= {*NAMES, "_edgekit", "_edgekit_copy"}
            for path in PATHS:
                assert (board.get(path) if board.hashes([path])[path] else None) in model.files.get(path, {None})
    finally:
        signal.signal(signal.SIGALRM, before)
    assert interrupts > 50
