"""Classical models on the simulated board: the answers of the host twin, in Python and in C, and no memory for them."""

import numpy as np
import pytest
import random_classic
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

from edgekit.bytecode import compile_file
from edgekit.convert import load_classic, to_board
from edgekit.errors import BoardCodeError
from edgekit.paths import FIRMWARE

_ASK = """
import classic
from array import array
def ask(kernels, rows):
    model = classic.load_model("/model.bin", kernels)
    said = [model.predict(row) for row in rows]
    return [said, [model.predict_proba(row) for row in rows] if model._finish.has_probabilities else None]
"""

_COUNT = """
import gc
def taken(kernels):
    model = classic.load_model("/model.bin", kernels)
    x = array("f", bytes(256))
    row = [1.0] * 64
    def several(times):
        gc.collect()
        before = gc.mem_alloc()
        for _ in range(times):
            model.predict(x)
            model.predict(row)
            model.predict()
        return gc.mem_alloc() - before
    return several(10), several(100)
"""


@pytest.fixture(scope="module")
def with_library(board):
    for path in sorted((FIRMWARE / "lib" / "classic").glob("*.py")):
        board.put(compile_file(path), f"/lib/classic/{path.stem}.mpy")
    board.exec(_ASK)
    return board


@pytest.mark.parametrize("family", random_classic.FAMILIES)
def test_board_says_what_scikit_learn_says(with_library, family):
    for seed in (1, 2):
        model, x = random_classic.fitted(family, seed)
        x = x[::4]
        said, probabilities = random_classic.answers(model, x)
        file = to_board(model)
        twin = load_classic(file)
        with_library.put(file, "/model.bin")
        rows = repr(x.tolist()).replace("nan", "float('nan')")
        for kernels in (False, None):
            answers, shares = with_library.eval(f"ask({kernels}, {rows})")
            if twin.classes:
                assert answers == said.tolist()
            else:
                np.testing.assert_allclose(answers, twin.predict(x), rtol=1e-6)
                np.testing.assert_allclose(answers, said, rtol=1e-5, atol=1e-5 * np.abs(said).max())
            if probabilities is not None:
                np.testing.assert_allclose(shares, probabilities, atol=1e-5)


@pytest.fixture(scope="module")
def digits(with_library):
    x, y = load_digits(return_X_y=True)
    model = RandomForestClassifier(10, random_state=0).fit(x[:1000], y[:1000])
    with_library.put(to_board(model), "/model.bin")
    return model, x[1000:]


@pytest.mark.parametrize("kernels", [False, None])
def test_predictions_take_no_memory(with_library, digits, kernels):
    with_library.exec(_COUNT)
    few, many = with_library.eval(f"taken({kernels})")
    assert few <= 16 and many == 0  # one look at the type of a new array


def test_arrays_lists_and_the_input_itself(with_library, digits):
    model, x = digits
    row = x[5].tolist()
    with_library.exec(f"row = {row}\nmodel = classic.load_model('/model.bin')\n"
                      "said = [model.predict(row), model.predict(tuple(row)), model.predict(array('f', row)), "
                      "model.predict(array('b', [int(v) for v in row])), model.predict(bytes([int(v) for v in row]))]\n"
                      "model.input[:] = array('f', row)\nsaid.append(model.predict())")
    assert with_library.eval("said") == 6 * model.predict(x[5:6]).tolist()


def test_errors_are_sentences(with_library, digits):
    for code, said in [
            ("model.predict([1, 2])", "expected 64 values, got 2"),
            ("model.predict({'a': 1})", "made without names of columns.*columns="),
            ("classic.load_model('/none.bin')", "cannot read the model '/none.bin': copy it to the board first"),
            ("classic.load_model(bytes(100))", "this is no classical model"),
    ]:
        with pytest.raises(BoardCodeError, match=said):
            with_library.exec("model = classic.load_model('/model.bin')\n" + code)
