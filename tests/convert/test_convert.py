import numpy as np
import pytest

from edgekit.convert import operators, run, runs_on_board, table, to_tflite
from edgekit.convert.lite import _check_input, interpreter
from edgekit.errors import ModelError
from edgekit.train import fit, gesture_net

CONV = ["RESHAPE", "CONV_2D", "MAX_POOL_2D", "CONV_2D", "RESHAPE", "MEAN", "FULLY_CONNECTED", "SOFTMAX"]
DEPTHWISE = ["RESHAPE", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "MAX_POOL_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "RESHAPE",
             "MEAN", "FULLY_CONNECTED", "SOFTMAX"]
DENSE = ["RESHAPE", "FULLY_CONNECTED", "FULLY_CONNECTED", "SOFTMAX"]
OPERATORS = {"conv": CONV, "depthwise": DEPTHWISE, "dense": DENSE}
# EXPAND_DIMS and RESHAPE are the same to the board; TensorFlow may write either for a 1-D convolution.


def features(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    time = np.arange(32)[None, :, None]
    x = 60 * np.sin(time * (0.2 + 0.5 * y[:, None, None]) + rng.uniform(0, 6, (n, 1, 1))) + rng.normal(0, 5, (n, 32, 6))
    return np.clip(x, -128, 127).astype(np.int8), y


X, Y = features(240, 0)


@pytest.fixture(scope="module")
def trained():
    model = gesture_net((32, 6), 3)
    fit(model, X, Y, epochs=6, batch_size=32, progress=False)
    return model


@pytest.fixture(scope="module")
def int8(trained):
    return to_tflite(trained, "int8", X[::4])


@pytest.mark.parametrize("kind", OPERATORS)
def test_only_operators_that_the_board_knows(kind):
    converted = to_tflite(gesture_net((32, 6), 3, kind), "int8", X[:20])
    assert [name.replace("EXPAND_DIMS", "RESHAPE") for name in operators(converted)] == OPERATORS[kind]
    assert runs_on_board(converted) == "yes"


def test_int8_features_are_the_input_as_they_stand(int8):
    source = interpreter(int8).get_input_details()[0]
    assert source["dtype"] == np.int8
    assert source["quantization"] == (1 / 128, 0)
    assert source["shape"].tolist() == [1, 32, 6]
    np.testing.assert_array_equal(run(int8, X[:50]), run(int8, X[:50].astype(np.float32) / 128))


def test_float_file_computes_what_keras_computes(trained):
    keras_output = np.asarray(trained(X.astype(np.float32) / 128))
    np.testing.assert_allclose(run(to_tflite(trained, "float"), X), keras_output, atol=1e-5)


def test_table_compares_the_three(trained):
    x, y = features(300, 1)
    result = table(trained, x, y, X[::4])
    assert result.index.tolist() == ["float", "dynamic", "int8"]
    assert result.bytes["int8"] < result.bytes["dynamic"] < result.bytes["float"]
    assert abs(result.accuracy["int8"] - result.accuracy["float"]) < 0.02
    assert result.accuracy.min() > 0.9
    assert result.runs_on_board["int8"] == "yes"
    assert result.runs_on_board["float"].startswith("slowly: 16 float")
    assert result.runs_on_board["dynamic"].startswith("slowly: int8 weights but")


def test_conversion_repeats_to_the_bit(trained, int8):
    gesture_net((32, 6), 3, "dense")     # Keras counts the models made so far; the file must not tell
    assert to_tflite(trained, "int8", X[::4]) == int8


def test_conversion_says_nothing(trained, capfd):
    to_tflite(trained, "int8", X[:20])
    assert capfd.readouterr() == ("", "")


def test_model_for_other_floats():
    from edgekit.train.quiet import keras
    k = keras()
    model = k.Sequential([k.Input((4,)), k.layers.Dense(2)])
    x = np.random.default_rng(0).uniform(0, 40, (50, 4)).astype(np.float32)
    converted = to_tflite(model, "int8", x, int8_features=False)
    scale, zero_point = interpreter(converted).get_input_details()[0]["quantization"]
    assert (scale, zero_point) == (pytest.approx(x.max() / 255), -128)
    with pytest.raises(ModelError, match="Pass the floats it was trained on"):
        run(converted, np.zeros((1, 4), np.int8))
    with pytest.raises(ModelError, match="expected 0.0078125 and 0.*pass int8_features=False"):
        _check_input(converted, "mine")


def test_missing_calibration_says_what_to_pass(trained):
    with pytest.raises(ModelError, match="needs calibration data.*calibration=x_train.*kind='dynamic'"):
        to_tflite(trained, "int8")


def test_bad_calibration_is_named(trained):
    with pytest.raises(ModelError, match="go from -6.* to 7.*expected -1 to 127/128.*int8_features=False"):
        to_tflite(trained, "int8", np.linspace(-6, 7, 32 * 6).reshape(1, 32, 6))
    with pytest.raises(ModelError, match=r"shape \(32, 6\); the calibration data have \(6,\)"):
        to_tflite(trained, "int8", X[0])
    with pytest.raises(ModelError, match="NaN"):
        to_tflite(trained, "int8", np.full((1, 32, 6), np.nan, np.float32))


def test_unknown_kind_is_named(trained):
    with pytest.raises(ModelError, match="kind 'int4'; choose one of float, dynamic, int8"):
        to_tflite(trained, "int4")


def test_damaged_file_is_named(int8):
    with pytest.raises(ModelError, match="LiteRT cannot read this .tflite.*Convert the model again"):
        run(b"no model at all, but long enough", X)
    with pytest.raises(ModelError, match=r"reads features of shape \(32, 6\); found \(16, 6\)"):
        run(int8, X[:, :16])
