"""What the report says about a classical model is so."""

import json

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from edgekit.classical import is_classic, report
from edgekit.cli import main
from edgekit.convert import to_board
from edgekit.errors import ModelError

RNG = np.random.default_rng(0)
X = RNG.normal(0, 1, (3000, 4))
Y = (X[:, 0] > 0).astype(int)


def test_work_is_counted():
    forest = RandomForestClassifier(5, max_depth=3, random_state=0).fit(X, Y)
    made = report(to_board(forest), [])
    assert made.comparisons <= sum(tree.get_depth() for tree in forest.estimators_) and made.macs == 0
    assert sorted(path.split("/")[-1] for path in made.program) == ["__init__.mpy", "common.mpy", "finish.mpy", "trees.mpy"]
    made = report(to_board(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)), [])
    assert (made.comparisons, made.macs) == (0, 8)
    assert "logistic" in str(made) and "logistic" in made._repr_html_()


def test_what_is_too_large_does_not_fit():
    made = report(to_board(KNeighborsClassifier().fit(X, Y)), ["esp32", "stm32f411"])
    assert [board.fits for board in made.boards] == [True, False]
    assert "keep fewer points" in " ".join(made.boards[1].reasons)


def test_heap_is_what_the_simulated_board_takes(board):
    board.install()
    small = to_board(RandomForestClassifier(3, max_depth=4, random_state=0).fit(X, Y))
    board.put(small, "/model.bin")
    def taken():
        board.exec("import gc; gc.collect()")  # it works when the program has ended
        return board.eval("gc.mem_alloc()")

    before = taken()
    board.exec("import classic\nmodel = classic.load_model('/model.bin', False)")
    assert taken() - before == pytest.approx(report(small, []).ram_bytes, rel=0.15)


@pytest.fixture
def board():
    from edgekit.board.simulated import SimulatedBoard
    with SimulatedBoard() as board:
        yield board


def test_command(tmp_path, capsys):
    path = tmp_path / "forest.bin"
    path.write_bytes(to_board(RandomForestClassifier(3).fit(X, Y), columns=["ax", "ay", "az", "gx"]))
    assert is_classic(path) and not is_classic(tmp_path / "none")
    assert main(["report", str(path), "--board", "esp32", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["columns"] == ["ax", "ay", "az", "gx"] and said["boards"][0]["fits"] is True
    assert main(["infer", str(path), "--input", "x.npy"]) == 1
    assert "forest.bin is a classical model" in capsys.readouterr().err
    path.write_bytes(path.read_bytes()[:-3])
    assert main(["report", str(path)]) == 1
    assert "Copy the file again" in capsys.readouterr().err
    with pytest.raises(ModelError, match="Check the path"):
        report(tmp_path / "none.bin")
