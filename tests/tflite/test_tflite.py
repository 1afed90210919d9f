"""The host side of a model: reading, the twin's shapes and messages, the reference, the report."""

import dataclasses
import re
import runpy

import numpy as np
import pytest
import random_models

from edgekit import tflite
from edgekit.board.profiles import get_profile
from edgekit.errors import ModelError
from edgekit.paths import MODELS, ROOT

GESTURE = MODELS / "gesture_int8.tflite"


def test_read_gives_the_graph():
    graph = tflite.read(GESTURE)
    assert [operator.name for operator in graph.operators][-1] == "SOFTMAX"
    assert graph.inputs[0].shape == (1, 32, 6) and graph.inputs[0].type_name == "int8"
    assert graph.inputs[0].scale == 1 / 128 and graph.inputs[0].zero_point == 0


def test_read_knows_operators_that_no_board_runs():
    builder = random_models.Builder()
    x, y = builder.tensor((1, 8), np.float32), builder.tensor((1, 8), np.float32)
    builder.operator("COS", [x], [y])
    data = builder.bytes([x], [y])
    assert tflite.read(data).operators[0].name == "COS"
    with pytest.raises(ModelError, match="^the model: the model uses COS"):
        tflite.Interpreter(data)


def test_messages_name_the_file(tmp_path):
    path = tmp_path / "cut.tflite"
    path.write_bytes(GESTURE.read_bytes()[:3000])
    for use in (tflite.read, tflite.Interpreter, tflite.report):
        with pytest.raises(ModelError, match="^cut.tflite: damaged .tflite: .*copy or convert the model again"):
            use(path)
    with pytest.raises(ModelError, match="cannot read the model .*none.tflite.*check the path"):
        tflite.read(tmp_path / "none.tflite")


def test_shapes_one_input_or_many():
    model = tflite.Interpreter(GESTURE)
    x = np.random.default_rng(0).integers(-128, 128, (3, 32, 6), dtype=np.int8)
    many = model.invoke(x)
    assert many.shape == (3, 6) and many.dtype == np.int8
    assert np.array_equal(model.invoke(x[1]), many[1])
    assert np.array_equal(model.invoke(x[1].reshape(-1)), many[1])
    assert np.array_equal(model.invoke(x.reshape(3, -1)), many)
    assert model.invoke(x[:1]).shape == (1, 6)
    assert model.invoke(x[:0]).shape == (0, 6)
    assert np.array_equal(tflite.reference(GESTURE, x), many)
    assert np.array_equal(tflite.reference(GESTURE, x[1]), many[1])


def test_predict_takes_floats_and_int8():
    model = tflite.Interpreter(GESTURE)
    x = np.random.default_rng(0).integers(-128, 128, (4, 32, 6), dtype=np.int8)
    from_int8, from_float = model.predict(x), model.predict(x / 128)
    assert from_int8.dtype == np.float32 and np.array_equal(from_int8, from_float)
    expected = (model.invoke(x).astype(np.float32) - model.output_zero_point) * np.float32(model.output_scale)
    assert np.array_equal(from_int8, expected)
    # The board's own predict gives the same numbers.
    assert model.model.predict(x[2].tobytes()) == from_int8[2].tolist()
    assert model.model.predict((x[2].reshape(-1) / 128).tolist()) == from_int8[2].tolist()


@pytest.mark.parametrize(("x", "message"), [
    (np.zeros((30, 6)), r"expected 192 values \(32x6\), or any number of such inputs, got 30x6"),
    (np.zeros((32, 6), np.int64), "expected floats, or int8 values as they are, got int64"),
    (np.full((32, 6), np.nan), "the input holds NaN"),
])
def test_wrong_input_is_refused(x, message):
    with pytest.raises(ModelError, match="gesture_int8.tflite: " + message):
        tflite.Interpreter(GESTURE).predict(x)


def test_invoke_and_reference_want_stored_values():
    x = np.zeros((32, 6), np.float32)
    with pytest.raises(ModelError, match="expected int8 values, got float32; use predict, or quantize"):
        tflite.Interpreter(GESTURE).invoke(x)
    with pytest.raises(ModelError, match="expected int8 inputs, got float32; quantize them first"):
        tflite.reference(GESTURE, x)


def test_run_float_runs_float_and_dynamic_range():
    x = np.random.default_rng(0).integers(-128, 128, (5, 32, 6)) / 128
    for name in ("gesture_float.tflite", "gesture_dynamic.tflite"):
        y = tflite.run_float(MODELS / name, x)
        assert y.shape == (5, 6) and y.dtype == np.float32
        assert np.allclose(y.sum(axis=1), 1, atol=1e-5)


# The report


def test_report_counts_and_prints():
    report = tflite.report(GESTURE)
    graph = tflite.read(GESTURE)
    assert report.file_bytes == GESTURE.stat().st_size
    assert report.arena_bytes == tflite.Interpreter(GESTURE).arena_bytes
    assert report.macs == tflite.Interpreter(GESTURE).macs > 1000
    assert len(report.layers) == len(graph.operators)
    text = str(report)
    assert "CONV_2D" in text and "ESP32" in text and "estimated" in text
    assert f"{report.macs:,}" in text and f"{report.arena_bytes:,} bytes" in text
    page = report._repr_html_()
    assert page.count("<table>") == 3 and "CONV_2D" in page and "time (estimated)" in page
    assert {board.board for board in report.boards} >= {"esp32", "nano33ble", "stm32f411"}
    assert sum(board.fits for board in report.boards) >= 5


@pytest.mark.parametrize("name", ["float", "dynamic"])
def test_report_says_that_floats_are_slow(name):
    report = tflite.report(MODELS / f"gesture_{name}.tflite", boards=["esp32"])
    assert not report.problem and report.arena_bytes > 4 * 192 and report.boards[0].fits
    text = f"{report.float_layers} of {len(report.layers)} layers compute in float32: slow on a board"
    assert report.float_layers > 4 and text in str(report) and text in report._repr_html_()
    assert "compute in float32" not in str(tflite.report(GESTURE))


def test_report_says_what_to_change():
    builder = random_models.Builder()
    x, y = builder.tensor((1, 8), scale=0.1), builder.tensor((1, 8), scale=0.1)
    builder.operator("PRELU", [x], [y])
    report = tflite.report(builder.bytes([x], [y]), boards=["esp32"])
    assert report.arena_bytes is None and "replace it with RELU" in report.problem
    assert not report.boards[0].fits and "the board runtime lacks" in report.boards[0].reasons[0]
    assert "cannot run" in str(report) and "Cannot run" in report._repr_html_()
    small = tflite.report(GESTURE, boards=[])
    for change, advice in (({"program": {"/lib/a.mpy": 90_000}}, "the program alone takes .*: use fewer kinds of layers"),
                           ({"layers": small.layers * 30}, "use fewer layers"),
                           ({"file_bytes": 100_000}, "use fewer weights"),
                           ({"arena_bytes": 100_000}, "make the input or the layer CONV_2D .* smaller")):
        reasons = tflite.fit(dataclasses.replace(small, **change), get_profile("stm32f411"))
        assert re.search("bytes of heap, .*" + advice, reasons[-1]), reasons
    large = big_model()
    reasons = tflite.report(large, boards=["stm32f411"]).boards[0].reasons
    assert len(reasons) == 2
    assert "bytes of flash, there are 48,128: use fewer weights" in reasons[0]
    assert "bytes of heap, there are about 95,000: use fewer weights" in reasons[1]
    assert tflite.report(large, boards=["esp32"]).boards[0].fits


def big_model():
    """76 kB of weights."""
    builder = random_models.Builder()
    x = builder.tensor((1, 400), scale=0.1)
    y = builder.tensor((1, 190), scale=0.1)
    weights = builder.tensor((190, 400), scale=0.1, data=np.ones((190, 400)))
    builder.operator("FULLY_CONNECTED", [x, weights], [y], "FullyConnectedOptions")
    return builder.bytes([x], [y])


def test_fit_names_the_largest_layer():
    class Tiny:
        heap_bytes, flash_bytes = 90_000, 1_000_000

    builder = random_models.Builder()
    x = builder.tensor((1, 150, 150, 1), scale=0.1)
    y = builder.tensor((1, 75, 75, 1), scale=0.1)
    builder.operator("MAX_POOL_2D", [x], [y], "Pool2DOptions", strideW=2, strideH=2, filterWidth=2, filterHeight=2)
    report = tflite.report(builder.bytes([x], [y]), boards=[])
    assert tflite.fit(report, Tiny) == [
        f"It needs {report.ram_bytes:,} bytes of heap, there are about 90,000: make the input or the layer "
        "MAX_POOL_2D (1x75x75x1) smaller."]


def test_flash_is_that_of_what_would_be_installed():
    from edgekit.board.install import files_for, space
    from edgekit.bytecode import compile_file

    report = tflite.report(GESTURE)
    files = files_for("gesture", {"tflite_micro": (), "boards": ["esp32"]})
    assert report.program == {target: len(compile_file(source)) for target, source in files.items()}
    with_model = {**report.program, "/models/m/model": len(GESTURE.read_bytes()), "/models/m/about": 700}
    assert report.flash_bytes == space(with_model, 512)
    by_name = {board.board: board for board in report.boards}
    assert by_name["stm32f411"].flash_bytes == report.flash_bytes < space(with_model, 4096) == by_name["esp32"].flash_bytes
    assert tflite.report(GESTURE, boards=[], app="replay").flash_bytes < report.flash_bytes


def test_only_the_operators_that_a_model_needs_count():
    from edgekit.board.install import files_for

    report = tflite.report(GESTURE, boards=[])
    assert tflite.modules(GESTURE) == () and not any("moving" in path for path in report.program)
    for name, family in (("gesture_float", "floating"), ("gesture_dynamic", "dynamic")):
        needs = tflite.report(MODELS / f"{name}.tflite", boards=[])
        assert family in tflite.modules(MODELS / f"{name}.tflite")
        assert f"/lib/tflite_micro/{family}.mpy" in needs.program and needs.code_heap_bytes > report.code_heap_bytes
    assert set(report.program) < set(files_for("gesture"))


def test_a_board_with_little_flash_is_told():
    report = tflite.report(MODELS / "gesture_int8.tflite")
    fits = {board.title: board for board in report.boards}
    black_pill = fits["STM32F411 Black Pill"]
    assert not black_pill.fits and "add a flash chip" in black_pill.reasons[0]
    assert fits["ESP32 DevKit"].fits and fits["Arduino Nano 33 BLE Sense"].fits


def test_memory_of_a_loaded_model_is_as_stated():
    """Heap on the simulated board against the report's estimate."""
    import edgekit
    from edgekit.board.install import files_for, module_name
    from edgekit.bytecode import compile_file, find_mpy_cross

    report = tflite.report(GESTURE, boards=[])
    with edgekit.connect("sim") as board:
        mpy_cross, _ = find_mpy_cross()
        for target, source in files_for("gesture", {"tflite_micro": (), "boards": ["esp32"]}).items():
            board.put(compile_file(source, mpy_cross), target)
        board.put(GESTURE, "/models/test.tflite")

        def used():
            board.exec("import gc\ngc.collect()")
            return board.eval("gc.mem_alloc()")

        start = used()
        board.exec("\n".join(f"import {module_name(target)}" for target in report.program))
        code = used() - start
        board.exec("model = tflite_micro.load_model('/models/test.tflite')")
        model = used() - start - code
    assert 0.9 < code / report.code_heap_bytes < 1.1
    assert 0.8 < model / report.model_heap_bytes < 1.1
    assert report.ram_bytes == report.code_heap_bytes + report.app_heap_bytes + report.model_heap_bytes


def test_benchmark_runs_and_finds_equality(capsys):
    runpy.run_path(str(ROOT / "benchmarks" / "runtime.py"))["main"]([GESTURE])
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("gesture_int8.tflite") and line.endswith("yes")
