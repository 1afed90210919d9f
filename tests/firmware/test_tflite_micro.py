"""The board's runtime equals LiteRT's reference kernels to the bit, on the host twin and on the simulated board."""

import doctest
import importlib.util
import random
import struct
import time
from array import array
from fractions import Fraction

import numpy as np
import pytest
import random_models

from edgekit import tflite
from edgekit.errors import BoardCodeError
from edgekit.paths import FIRMWARE, MODELS, ROOT
from edgekit.twin import board_module

tflm = board_module("tflite_micro")
fixed_point = importlib.import_module(tflm.__name__ + ".fixed_point")
plan = importlib.import_module(tflm.__name__ + ".plan").plan


SHARED = ROOT.parent / "shared" / "models"


def shared_model(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"SKIP: {name} is a public model that is not part of the project; it is not beside it here")
    return path


def random_inputs(model, count, seed=0):
    """int8 inputs with extremes and flat stretches among them, as many as asked for."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-128, 128, (count, *model.input_shape), dtype=np.int8)
    x[0] = model.input_zero_point
    return x.reshape(count, -1)


def mismatches(data, count, seed=0):
    """(values that differ, values compared) of the host twin against the reference."""
    model = tflite.Interpreter(data)
    wrong = total = 0
    for x in random_inputs(model, count, seed):
        expected = tflite.reference(data, x)
        wrong += int((model.invoke(x) != expected).sum())
        total += expected.size
    return wrong, total


# Equal to the reference


@pytest.mark.parametrize(("name", "count"), [("hello_world_int8.tflite", 256), ("ad01_int8.tflite", 8),
                                             ("kws_ref_model.tflite", 2)])
def test_public_models_are_exact(name, count):
    data = shared_model(name).read_bytes()
    wrong, total = mismatches(data, count)
    assert (wrong, total > 0) == (0, True)


def test_every_input_of_hello_world_is_exact():
    data = shared_model("hello_world_int8.tflite").read_bytes()
    x = np.arange(-128, 128, dtype=np.int8).reshape(-1, 1)
    assert (tflite.Interpreter(data).invoke(x) == tflite.reference(data, x)).all()


def test_shipped_gesture_model_is_exact_layer_by_layer():
    data = (MODELS / "gesture_int8.tflite").read_bytes()
    model = tflite.Interpreter(data)
    for x in random_inputs(model, 20):
        expected = tflite.reference_layers(data, x)
        for layer in model.layer_outputs(x):
            assert (layer.values == expected[layer.tensor]).all(), layer.name


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_random_models_are_exact(first):
    """Any stride, padding, dilation, activation, scale and zero point; ill-made ones are refused by both."""
    compared = 0
    for seed in range(first, first + 100):
        data = random_models.random_model(seed)
        try:
            model = tflite.Interpreter(data)
            x = random_inputs(model, 2, seed)
            expected = np.stack([tflite.reference(data, row) for row in x])
        except tflite.graph.ModelError as error:
            # Scales so far apart that LiteRT refuses too (or ends the process, which is why we ask first).
            assert "overflow" in str(error) or "too small for a difference" in str(error), (seed, str(error))
            continue
        found = np.stack([model.invoke(row) for row in x])
        assert (found == expected).all(), f"random_model({seed}): {[layer.name for layer in model.layers]}"
        compared += 1
    assert compared >= 90


def test_keras_models_are_exact():
    """What the converter makes of the course's networks, with random weights."""
    from edgekit.convert import to_tflite
    from edgekit.train import gesture_net

    rng = np.random.default_rng(3)
    calibration = rng.integers(-128, 128, (32, 32, 6)).astype(np.float32) / 128
    for kind in ("conv", "depthwise", "dense"):
        net = gesture_net(kind=kind, seed=5)
        net.set_weights([rng.normal(0, 0.4, w.shape).astype(np.float32) if w.ndim != 1 else w
                         for w in net.get_weights()])
        data = to_tflite(net, "int8", calibration)
        wrong, total = mismatches(data, 40)
        assert (wrong, total) == (0, 240), kind


def test_float_edges_are_exact():
    data = float_edges_model()
    model = tflm.load_model(data)
    rng = np.random.default_rng(1)
    for _ in range(30):
        x = rng.normal(0, 2, 12).astype(np.float32)
        assert np.array_equal(np.array(model.predict(x.tolist()), np.float32), tflite.run_float(data, x))


def float_edges_model():
    """float32 -> QUANTIZE -> FULLY_CONNECTED -> DEQUANTIZE -> float32."""
    builder = random_models.Builder()
    rng = np.random.default_rng(0)
    x = builder.tensor((1, 12), np.float32)
    q = builder.tensor((1, 12), scale=0.03, zero_point=5)
    weights = builder.tensor((4, 12), scale=0.01, data=rng.integers(-127, 128, (4, 12)))
    bias = builder.tensor((4,), np.int32, scale=np.float32(0.03) * np.float32(0.01), data=[5, -900, 0, 1234])
    y = builder.tensor((1, 4), scale=0.05, zero_point=-3)
    out = builder.tensor((1, 4), np.float32)
    builder.operator("QUANTIZE", [x], [q], "QuantizeOptions")
    builder.operator("FULLY_CONNECTED", [q, weights, bias], [y], "FullyConnectedOptions")
    builder.operator("DEQUANTIZE", [y], [out], "DequantizeOptions")
    return builder.bytes([x], [out])


# Integers instead of doubles


def as_float(pair):
    return Fraction(pair[0]) * Fraction(2) ** pair[1]


def test_ratios_equal_doubles_bit_for_bit():
    rng = random.Random(0)
    for _ in range(5000):
        a, b, c = (np.float32(2.0 ** rng.uniform(-30, 10)) for _ in range(3))
        parts = [fixed_point.from_float_bits(int(np.float32(v).view(np.uint32))) for v in (a, b, c)]
        ratio = fixed_point.divide(fixed_point.multiply(parts[0], parts[1]), parts[2])
        double = float(a) * float(b) / float(c)
        assert as_float(ratio) == Fraction(double)
        fraction, shift = np.frexp(double)
        multiplier = int(np.floor(float(fraction) * 2**31 + 0.5))
        if multiplier == 2**31:
            multiplier, shift = multiplier // 2, shift + 1
        if shift < -31:
            multiplier, shift = 0, 0
        if shift <= 30:
            assert fixed_point.quantized_multiplier(ratio) == (multiplier, int(shift))


def test_float32_division_is_ieee():
    rng = random.Random(1)
    for _ in range(5000):
        a, b = (np.float32(2.0 ** rng.uniform(-20, 20)) for _ in range(2))
        parts = [fixed_point.from_float_bits(int(v.view(np.uint32))) for v in (a, b)]
        assert as_float(fixed_point.divide(*parts, bits=24)) == Fraction(float(a / b))


def test_rescale_double_rounds_like_c():
    rng = random.Random(2)
    for _ in range(5000):
        total = rng.randint(-(2**31), 2**31 - 1) >> rng.randint(0, 30)
        ratio = 2.0 ** rng.uniform(-31, 3)
        mantissa, exponent = np.frexp(ratio)
        found = fixed_point.rescale_double(total, int(mantissa * 2**53), int(exponent) - 53)
        product = float(total) * ratio
        assert found == int(np.copysign(np.floor(abs(Fraction(product)) + Fraction(1, 2)), product))


def test_rescale_matches_its_definition():
    """Saturating rounding doubling high multiply, then rounding right shift, written with divisions."""
    rng = random.Random(3)
    for _ in range(5000):
        total = rng.randint(-(2**28), 2**28) >> rng.randint(0, 27)
        multiplier, shift = rng.randint(2**30, 2**31 - 1), rng.randint(-20, 3)
        product = fixed_point.to_int32(total << max(shift, 0)) * multiplier
        nudge = 2**30 if product >= 0 else 1 - 2**30
        high = int(Fraction(product + nudge, 2**31))  # towards zero, as in C
        divisor = 2 ** max(-shift, 0)
        expected = int(abs(Fraction(high, divisor)) + Fraction(1, 2)) * (1 if high >= 0 else -1)
        assert fixed_point.rescale(total, multiplier, shift) == expected


@pytest.mark.parametrize("name", ["fixed_point", "plan", "names"])
def test_examples_in_docstrings_hold(name):
    result = doctest.testmod(importlib.import_module(f"{tflm.__name__}.{name}"))
    assert result.attempted > 0 and result.failed == 0


# predict


@pytest.fixture
def model():
    return tflm.load_model(random_models.small_model())


def test_floats_are_quantized_as_litert_does(model):
    """Against a QUANTIZE operator in LiteRT: halves, clipping, infinity, and values next to a half."""
    builder = random_models.Builder()
    scale = np.float32(model.input_scale)
    x = builder.tensor((1, 60), np.float32)
    y = builder.tensor((1, 60), scale=scale, zero_point=model.input_zero_point)
    builder.operator("QUANTIZE", [x], [y], "QuantizeOptions")
    data = builder.bytes([x], [y])
    rng = np.random.default_rng(0)
    for i in range(50):
        halves = np.float32((rng.integers(-300, 300, 60) + 0.5) * float(scale))
        values = halves if i % 2 else np.nextafter(halves, np.float32(rng.choice([-9, 9])), dtype=np.float32)
        model.set_input([float(v) for v in values])
        expected = tflite.run_float(data, values)
        assert list(model.input) == expected.tolist()
        assert tflite.Interpreter(random_models.small_model()).quantize(values).tolist() == expected.tolist()
    model.set_input([float("inf"), float("-inf")] * 30)
    assert list(model.input)[:2] == [127, -128]


def test_integers_and_bytes_are_taken_as_they_are(model):
    values = np.random.default_rng(0).integers(-128, 128, 60, dtype=np.int8)
    results = [model.predict(given) for given in (values.tolist(), values.tobytes(), bytearray(values.tobytes()),
                                                  array("b", values.tobytes()), memoryview(values),
                                                  memoryview(values.tobytes()))]
    assert all(result == results[0] for result in results)
    assert results[0] == tflite.Interpreter(random_models.small_model()).predict(values).tolist()
    assert abs(sum(results[0]) - 1) < 0.02


@pytest.mark.parametrize(("values", "message"), [
    ([0.5] * 59, r"expected 60 values \(6x5x2\), got 59"),
    ([0.5] * 59 + [float("nan")], r"value 59 is not a number \(NaN\); mend the input"),
    ([0] * 59 + [200], "value 59 is 200: expected floats, or int8 values from -128 to 127"),
    (["1"] * 60, "value 0 is '1': expected floats"),
])
def test_wrong_input_is_refused(model, values, message):
    with pytest.raises(ValueError, match=message):
        model.predict(values)


def test_invoke_works_in_place_and_details_print(model, capsys):
    values = np.random.default_rng(2).integers(-128, 128, 60, dtype=np.int8)
    for i in range(60):
        model.input[i] = int(values[i])
    seen = []
    model.invoke(lambda layer: seen.append(layer.name))
    assert seen == [layer.name for layer in model.layers]
    assert list(model.output) == tflite.reference(random_models.small_model(), values).tolist()
    model.details()
    text = capsys.readouterr().out
    assert "int8 1x6x5x2" in text and f"arena   {model.arena_bytes} bytes" in text and "CONV_2D" in text


def test_loads_from_path_bytes_and_memoryview(tmp_path):
    data = random_models.small_model()
    path = tmp_path / "model.tflite"
    path.write_bytes(data)
    values = bytes(60)
    results = [tflm.load_model(source).predict(values) for source in (str(path), data, bytearray(data),
                                                                      memoryview(data))]
    assert all(result == results[0] for result in results)
    with pytest.raises(OSError, match="cannot read the model .*nothing.tflite.*copy it to the board first"):
        tflm.load_model(str(tmp_path / "nothing.tflite"))


# What cannot run


def refused(build):
    builder = random_models.Builder()
    x = builder.tensor((1, 8), scale=0.1, zero_point=0)
    y = builder.tensor((1, 8), scale=0.1, zero_point=0)
    build(builder, x, y)
    with pytest.raises(ValueError) as caught:
        tflm.load_model(builder.bytes([x], [y]))
    return str(caught.value)


def test_unknown_operator_is_named_with_advice():
    message = refused(lambda b, x, y: b.operator("PRELU", [x], [y]))
    assert message == "the model uses PRELU (operator 0), which the board runtime lacks; replace it with RELU"
    message = refused(lambda b, x, y: b.operator("LSTM", [x], [y]))
    assert "convolution instead of recurrent layers" in message
    message = refused(lambda b, x, y: b.operator("COS", [x], [y]))
    assert "COS" in message and "CONV_2D, DEPTHWISE_CONV_2D" in message


def test_wrong_shapes_types_and_options_are_refused():
    def other_shape(builder, x, y):
        weights = builder.tensor((8, 7), scale=0.1, data=np.zeros((8, 7)))
        builder.operator("FULLY_CONNECTED", [x, weights], [y], "FullyConnectedOptions")
    assert "FULLY_CONNECTED (operator 0): its weights do not fit its input of shape 1x8" in refused(other_shape)

    def activation(builder, x, y):
        weights = builder.tensor((8, 8), scale=0.1, data=np.zeros((8, 8)))
        builder.operator("FULLY_CONNECTED", [x, weights], [y], "FullyConnectedOptions", fusedActivationFunction=4)
    assert "fused activation 4" in refused(activation)

    def types(builder, x, y):
        z = builder.tensor((1, 8), np.int32, scale=0.1)
        builder.operator("SOFTMAX", [x], [z], "SoftmaxOptions", beta=1.0)
    assert "SOFTMAX (operator 0): expected int8, found int32" in refused(types)


# Damaged files


def test_every_truncation_is_refused():
    data = random_models.small_model()
    for length in range(len(data)):
        try:
            tflm.load_model(data[:length])
        except ValueError as error:
            assert str(error)
    # Weights lie first or last; at least a file cut in the middle is always refused.
    for length in (0, 7, 8, 20, len(data) // 3, len(data) // 2):
        with pytest.raises(ValueError, match="not a .tflite file|damaged .tflite"):
            tflm.load_model(data[:length])


@pytest.mark.parametrize("name", ["conv", "depthwise", "gesture"])
def test_flipped_bytes_load_or_are_refused_in_time(name):
    data = (MODELS / "gesture_int8.tflite").read_bytes() if name == "gesture" else random_models.small_model(name)
    rng = random.Random(4)
    loaded = 0
    for _ in range(700):
        damaged = bytearray(data)
        for _ in range(rng.choice([1, 1, 2, 8])):
            position = rng.randrange(len(damaged))
            damaged[position] = rng.choice([0, 1, 127, 128, 255, damaged[position] ^ (1 << rng.randrange(8))])
        started = time.perf_counter()
        try:
            model = tflm.load_model(bytes(damaged))
            loaded += 1
            assert model.arena_bytes < 1 << 24
            if model.macs < 100_000 and len(model.input) < 10_000:
                model.set_input(bytes(len(model.input)))
        except ValueError as error:
            assert len(str(error)) > 20
        assert time.perf_counter() - started < 5
    assert loaded > 50  # weights, names and descriptions may change without harm


@pytest.mark.parametrize("value", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF0])
def test_every_word_may_be_wrong(value):
    """Oversized offsets, counts and dimensions, and tables that point at themselves."""
    data = random_models.small_model()
    for position in range(0, len(data) - 4, 4):
        damaged = bytearray(data)
        struct.pack_into("<I", damaged, position, value)
        try:
            tflm.load_model(damaged)
        except ValueError as error:
            assert len(str(error)) > 20


# The arena


def test_plan_never_overlaps_and_reuses():
    rng = random.Random(5)
    for _ in range(200):
        blocks = []
        for _ in range(rng.randint(1, 12)):
            first = rng.randint(0, 8)
            blocks.append((4 * rng.randint(0, 50), first, first + rng.randint(0, 4)))
        offsets, size = plan(blocks)
        for i, (size_i, first_i, last_i) in enumerate(blocks):
            assert 0 <= offsets[i] and offsets[i] + size_i <= size
            for j in range(i):
                size_j, first_j, last_j = blocks[j]
                together = first_i <= last_j and first_j <= last_i
                apart = offsets[i] + size_i <= offsets[j] or offsets[j] + size_j <= offsets[i]
                assert apart or not together or not size_i or not size_j
    assert plan([(100, 0, 1), (60, 1, 2), (100, 2, 3)])[1] == 160


def test_reshaping_takes_no_memory():
    model = tflm.load_model(random_models.small_model())
    kinds = {layer.name: layer for layer in model.layers}
    assert kinds["RESHAPE"].run is None
    assert model.arena_bytes < 60 + sum(layer.output.size + 100 for layer in model.layers)


def test_profile_names_each_layer_and_its_time(capsys):
    model = tflm.load_model((MODELS / "gesture_int8.tflite").read_bytes(), False)
    start = time.perf_counter()
    times = model.profile()
    wall_us = (time.perf_counter() - start) * 1e6
    assert [name for name, _ in times] == [layer.name for layer in model.layers]
    assert 0 < sum(us for _, us in times) <= wall_us
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(model.layers) and all(" us " in line and line.endswith(" %") for line in lines)


# On the simulated board


@pytest.fixture(scope="module")
def board():
    from dataclasses import replace

    from edgekit.board.profiles import get_profile
    from edgekit.board.simulated import SimulatedBoard
    from edgekit.bytecode import compile_file, find_mpy_cross

    # Memory for models that no ESP32 without PSRAM holds.
    with SimulatedBoard(replace(get_profile("esp32"), heap_bytes=1_000_000)) as board:
        mpy_cross, _ = find_mpy_cross()
        for source in sorted((FIRMWARE / "lib" / "tflite_micro").glob("*.py")):
            board.put(compile_file(source, mpy_cross), f"/lib/tflite_micro/{source.stem}.mpy")
        board.exec("import tflite_micro as tflm")
        yield board


def board_outputs(board, data, rows):
    board.put(data, "/models/test.tflite")
    board.exec("model = tflm.load_model('/models/test.tflite')")
    outputs = []
    for row in rows:
        board.exec(f"model.set_input({row.tobytes()!r})\nmodel.invoke()")
        outputs.append(np.frombuffer(board.eval("bytes(model.output)"), np.int8))
    return np.stack(outputs)


@pytest.mark.parametrize(("name", "count"), [("hello_world_int8.tflite", 20), ("ad01_int8.tflite", 1),
                                             ("kws_ref_model.tflite", 1)])
def test_public_models_are_exact_on_the_board(board, name, count):
    data = shared_model(name).read_bytes()
    rows = random_inputs(tflite.Interpreter(data), count + 1)[1:]
    expected = np.stack([tflite.reference(data, row).reshape(-1) for row in rows])
    assert (board_outputs(board, data, rows) == expected).all()


def test_a_file_larger_than_the_memory_says_so():
    import edgekit
    from edgekit.errors import BoardCodeError

    with edgekit.connect("sim", quiet=True) as small:
        small.install("gesture")
        small.put(bytes(300_000), "/models/large.tflite")
        with pytest.raises(BoardCodeError, match="MemoryError: the model file of 300000 bytes does not fit into memory in "
                                                 "one piece; .*use a smaller model"):
            small.exec("import tflite_micro\ntflite_micro.load_model('/models/large.tflite')")


def test_gesture_model_is_exact_on_the_board(board):
    data = (MODELS / "gesture_int8.tflite").read_bytes()
    rows = random_inputs(tflite.Interpreter(data), 20)
    assert (board_outputs(board, data, rows) == tflite.reference(data, rows)).all()
    floats = (rows[3].astype(np.float64) / 128).tolist()
    assert board.eval(f"model.predict({floats})") == tflite.Interpreter(data).predict(rows[3]).tolist()


def test_random_models_are_exact_on_the_board(board):
    compared = 0
    for seed in range(1000, 1040):
        data = random_models.random_model(seed)
        try:
            rows = random_inputs(tflite.Interpreter(data), 1, seed)
            expected = tflite.reference(data, rows[0]).reshape(1, -1)
        except tflite.graph.ModelError:
            continue
        assert (board_outputs(board, data, rows) == expected).all(), f"random_model({seed})"
        compared += 1
    assert compared >= 35


def test_board_refuses_with_the_same_words(board):
    data = random_models.small_model()
    with pytest.raises(BoardCodeError, match="damaged .tflite"):
        board_outputs(board, data[: len(data) // 2], [])
    with pytest.raises(BoardCodeError, match=r"expected 60 values \(6x5x2\), got 3"):
        board_outputs(board, data, [np.zeros(3, np.int8)])


def test_damaged_files_on_the_board_end_in_valueerror(board):
    data = random_models.small_model()
    board.exec(f"good = {data!r}\nimport random\nrandom.seed(6)\n"
               "def damage():\n"
               "    data = bytearray(good)\n"
               "    for _ in range(3):\n"
               "        data[random.getrandbits(30) % len(data)] = random.getrandbits(8)\n"
               "    try:\n"
               "        tflm.load_model(data)\n"
               "        return 1\n"
               "    except ValueError as error:\n"
               "        assert len(str(error)) > 20\n"
               "        return 0\n")
    loaded = sum(board.eval("sum([damage() for _ in range(20)])") for _ in range(10))
    assert 0 < loaded < 200


def test_repeated_invoke_keeps_the_heap(board):
    """Without a collection in between nothing but numbers may be left over, and after one nothing at all."""
    data = (MODELS / "gesture_int8.tflite").read_bytes()
    board_outputs(board, data, [np.zeros(192, np.int8)])
    board.exec("import gc\ngc.collect()")
    before = board.eval("gc.mem_alloc()")
    for _ in range(5):
        board.exec("model.invoke()")
    board.exec("gc.collect()")
    assert board.eval("gc.mem_alloc()") - before < 2048
