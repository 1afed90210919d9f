"""edgekit infer and edgekit report: on the host and on the simulated board, and what bad input is told."""

import json

import numpy as np
import pytest

from edgekit import tflite
from edgekit.cli import main
from edgekit.errors import DataError, ModelError
from edgekit.infer import infer, load_inputs
from edgekit.paths import MODELS

GESTURE = MODELS / "gesture_int8.tflite"


@pytest.fixture
def inputs(tmp_path):
    x = np.random.default_rng(3).integers(-128, 128, (3, 32, 6), dtype=np.int8)
    path = tmp_path / "x.npy"
    np.save(path, x)
    return path, x


@pytest.mark.parametrize(("on", "where"), [("host", "host"), ("sim", "simulated board")])
def test_raw_outputs_are_the_references(inputs, capsys, on, where):
    path, x = inputs
    assert main(["infer", str(GESTURE), "--input", str(path), "--on", on, "--raw", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["outputs"] == tflite.reference(GESTURE, x).tolist()
    assert (answer["dtype"], answer["scale"], answer["zero_point"]) == ("int8", 1 / 256, -128)
    assert answer["where"] == where


@pytest.mark.parametrize("on", ["host", "sim"])
def test_floats_are_quantized_and_answers_are_floats(tmp_path, capsys, on):
    x = np.random.default_rng(1).normal(0, 0.3, (32, 6)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    assert main(["infer", str(GESTURE), "--input", str(tmp_path / "x.npy"), "--on", on, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    stored = tflite.reference(GESTURE, tflite.Interpreter(GESTURE).quantize(x)).astype(int)
    assert answer["outputs"] == [((stored + 128) / 256).tolist()]


def test_text_says_where(inputs, capsys):
    path, x = inputs
    assert main(["infer", str(GESTURE), "--input", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "3 outputs, int8, computed on the host" and len(lines) == 4
    assert sum(float(value) for value in lines[1].split()) == pytest.approx(1, abs=0.02)


def test_whole_numbers_of_other_types_are_int8_if_they_fit(inputs):
    _, x = inputs
    assert np.array_equal(infer(GESTURE, x.astype(np.int64), raw=True).outputs, infer(GESTURE, x, raw=True).outputs)
    with pytest.raises(ModelError, match="integers from -128 to 300: expected int8 from -128 to 127, or floats"):
        infer(GESTURE, np.array([-128, 300] * 96))


def test_bad_input_is_told(tmp_path, capsys):
    np.save(tmp_path / "wrong.npy", np.zeros((5, 7), np.float32))
    assert main(["infer", str(GESTURE), "--input", str(tmp_path / "wrong.npy")]) == 1
    assert "expected 192 values (32x6), or any number of such inputs, got 5x7" in capsys.readouterr().err
    with pytest.raises(DataError, match="Cannot read the inputs .*none.npy: No such file"):
        load_inputs(tmp_path / "none.npy")
    (tmp_path / "text.npy").write_text("1, 2, 3")
    with pytest.raises(DataError, match="is no .npy file of numbers"):
        load_inputs(tmp_path / "text.npy")
    np.save(tmp_path / "objects.npy", np.array([{}, []], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="is no .npy file of numbers"):
        load_inputs(tmp_path / "objects.npy")
    np.savez(tmp_path / "many.npz", a=np.zeros(3))
    with pytest.raises(DataError, match="does not hold one array of numbers"):
        load_inputs(tmp_path / "many.npz")
    nan = np.full((32, 6), np.nan, np.float32)
    with pytest.raises(ModelError, match="NaN"):
        infer(GESTURE, nan)


def test_a_model_that_is_none(tmp_path, capsys):
    (tmp_path / "x.npy").write_bytes(b"")
    (tmp_path / "no.tflite").write_text("hello")
    np.save(tmp_path / "x.npy", np.zeros(3, np.float32))
    assert main(["infer", str(tmp_path / "no.tflite"), "--input", str(tmp_path / "x.npy")]) == 1
    assert "no.tflite: not a .tflite file" in capsys.readouterr().err


def test_report_as_json(capsys):
    assert main(["report", str(GESTURE), "--board", "esp32", "--board", "stm32f411", "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["input_shape"] == [1, 32, 6] and about["arena_bytes"] == tflite.Interpreter(GESTURE).arena_bytes
    assert [board["board"] for board in about["boards"]] == ["esp32", "stm32f411"]
    assert [board["fits"] for board in about["boards"]] == [True, False]
    assert about["layers"][about["largest_layer"]["index"]]["name"] == about["largest_layer"]["name"]
    assert about["largest_layer"]["working_bytes"] == max(layer["working_bytes"] for layer in about["layers"])


def test_report_names_the_layer_that_needs_most(capsys):
    assert main(["report", str(GESTURE), "--board", "esp32"]) == 0
    assert "most at work in CONV_2D" in capsys.readouterr().out
    assert main(["report", str(GESTURE), "--board", "none"]) == 1
    assert "No board profile 'none'" in capsys.readouterr().err
