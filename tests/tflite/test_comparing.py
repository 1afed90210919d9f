"""Layer by layer: float model, int8 reference, host twin, board."""

import numpy as np
import pytest

import edgekit
from edgekit.errors import ModelError
from edgekit.paths import MODELS
from edgekit.tflite import ladder

INT8, FLOAT = MODELS / "gesture_int8.tflite", MODELS / "gesture_float.tflite"
X = np.random.default_rng(1).integers(-128, 128, (4, 32, 6)).astype(np.int8)


def test_all_rungs():
    with edgekit.connect("sim", quiet=True) as board:
        made = ladder(INT8, X, FLOAT, board)
        assert "ladder.tflite" not in board.ls("/") and "elementwise.mpy" not in board.ls("/lib/tflite_micro")
        assert board.eval("'_ladder' in globals()") is False
    assert made.mismatches == 0 and made.windows == 4
    assert [rung.board_mismatches for rung in made.rungs] == [0] * 8
    names = [rung.layer for rung in made.rungs]
    assert names[1] == "1 CONV_2D" and names[-1] == "7 SOFTMAX"
    assert made.rungs[0].float_largest == 0, "the input is the same"
    assert 0 < made.rungs[1].float_typical < 1 and made.rungs[1].float_largest < 2
    assert "simulated" in str(made) and made._repr_html_().count("<tr>") == 9
    assert list(made.table()["values"])[1] == 4 * 16 * 12


def test_without_float_and_board():
    made = ladder(INT8, X[0])
    assert made.windows == 1 and made.rungs[3].board_mismatches is None and np.isnan(made.rungs[3].float_largest)
    assert "board" not in str(made)


def test_a_difference_is_found_where_it_begins(monkeypatch):
    """A table that always says 0 would prove nothing."""
    from edgekit.twin import board_module
    kernels = board_module("tflite_micro").kernels_reference
    true_pool = kernels.max_pool_2d

    def wrong_pool(p, x, y, scratch):
        true_pool(p, x, y, scratch)
        y[5] ^= 1

    monkeypatch.setattr(kernels, "max_pool_2d", wrong_pool)
    # In Python: the kernels in C are others.
    monkeypatch.setattr("edgekit.tflite.comparing.Interpreter", lambda model: edgekit.tflite.Interpreter(model, "python"))
    wrong = [rung.twin_mismatches for rung in ladder(INT8, X).rungs]
    assert wrong[:3] == [0, 0, 4] and sum(wrong) > 4


@pytest.mark.parametrize("model, x, float_model, message", [
    (FLOAT, X, None, "needs a full int8 model and int8 inputs"),
    (INT8, X.astype(np.float32), None, "found float32 inputs: convert"),
    (INT8, X[:0], None, "at least one input, found none"),
    (INT8, X, MODELS / "gesture_dynamic.tflite", None),
])
def test_what_cannot_be_compared(model, x, float_model, message):
    if message is None:  # the same layers: weights in int8 are no other network
        assert ladder(model, x, float_model).mismatches == 0
        return
    with pytest.raises(ModelError, match=message):
        ladder(model, x, float_model)


def test_two_networks_are_refused():
    import random_models
    builder = random_models.Builder()
    t, y = builder.tensor((1, 32, 6), np.float32), builder.tensor((1, 32, 6), np.float32)
    builder.operator("ABS", [t], [y])
    with pytest.raises(ModelError, match="the float model ABS, or other shapes: convert both from one network"):
        ladder(INT8, X, builder.bytes([t], [y]))
