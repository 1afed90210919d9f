"""Float32 and dynamic-range models against LiteRT's reference kernels.

A float may differ by 1e-5 of the largest value of its tensor: libraries round exp and tanh differently, and compilers
for ARM join a product and a sum. (With LiteRT 2.3.0 on x86-64 all but exp, tanh and their kin are equal to the bit.)
An integer of a dynamic-range layer that fell differently would be seen: it moves an output by far more.
"""

import random
import sys
from pathlib import Path

import numpy as np
import pytest
import random_floats as floats
import random_models
from ai_edge_litert.interpreter import Interpreter as LiteRT
from ai_edge_litert.interpreter import OpResolverType

from edgekit import tflite
from edgekit.errors import BoardCodeError
from edgekit.paths import MODELS
from edgekit.twin import board_module

tflm = board_module("tflite_micro")

RELATIVE = 1e-5
EVERY_KIND = [*floats.WEIGHTED, *floats.POOLS, *floats.REDUCING, *floats.OTHERS, *floats.BINARY, *floats.UNARY]
NOT_IN_REFERENCE = ("ELU",)


def litert(data, values, resolver=OpResolverType.BUILTIN_REF):
    """LiteRT's outputs for these inputs."""
    runner = LiteRT(model_content=data, experimental_op_resolver_type=resolver)
    runner.allocate_tensors()
    for detail, value in zip(runner.get_input_details(), values, strict=True):
        runner.set_tensor(detail["index"], value.reshape(detail["shape"]))
    runner.invoke()
    return [runner.get_tensor(detail["index"]).ravel() for detail in runner.get_output_details()]


def random_inputs(model, seed):
    """Normal values, of a size that is another one each time."""
    rng = np.random.default_rng(seed)
    return [rng.normal(0, 2.0 ** rng.uniform(-5, 5), len(x)).astype(np.float32) for x in model.inputs]


def expect_near(found, expected, name):
    for ours, theirs in zip(found, expected, strict=True):
        ours = np.asarray(ours)
        if theirs.dtype == np.float32:
            assert np.abs(ours - theirs).max() <= RELATIVE * np.abs(theirs).max(), name
        else:
            assert np.array_equal(ours, theirs), name


def compare(data, seed, name, kind=None):
    model = tflm.load_model(data, False)
    values = random_inputs(model, seed)
    for x, value in zip(model.inputs, values, strict=True):
        np.frombuffer(x, np.float32)[:] = value
    model.invoke()
    resolver = (OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if kind in NOT_IN_REFERENCE
                else OpResolverType.BUILTIN_REF)
    expect_near(model.outputs, litert(data, values, resolver), name)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_random_float_models_of_one_operator(kind):
    for seed in range(40):
        compare(floats.random_float(kind, seed), seed, f"random_float({kind!r}, {seed})", kind)


def test_random_float_models_that_move_values():
    names = set()
    for seed in range(100):
        data = floats.random_float_moves(seed)
        compare(data, seed, f"random_float_moves({seed})")
        names.update(layer.name for layer in tflm.load_model(data, False).layers)
    assert names == set(floats.MOVING)


@pytest.mark.parametrize("kind", floats.WEIGHTED)
def test_random_dynamic_range_layers(kind):
    for seed in range(60):
        compare(floats.random_dynamic(kind, seed), seed, f"random_dynamic({kind!r}, {seed})")


def test_random_dynamic_range_nets():
    """The floats of one layer decide the integers of the next."""
    for seed in range(60):
        compare(floats.random_dynamic_net(seed), seed, f"random_dynamic_net({seed})")


# What the converter makes


def keras_net(kind):
    import keras
    layers = keras.layers
    net = keras.Sequential([keras.Input((12, 10, 3), batch_size=1)])
    if kind == "plain":
        net.add(layers.Conv2D(24, 3, strides=2, padding="same", activation="relu"))
        net.add(layers.DepthwiseConv2D(3, padding="same", activation="relu6"))
        net.add(layers.Conv2D(48, 1, activation="relu"))
        net.add(layers.GlobalAveragePooling2D())
    elif kind == "transposed":
        net.add(layers.Conv2D(24, 3, activation="leaky_relu"))
        net.add(layers.Conv2DTranspose(8, 3, strides=2, activation="hard_swish"))
        net.add(layers.MaxPooling2D(4))
        net.add(layers.Flatten())
    else:
        net.add(layers.Reshape((12, 30)))
        net.add(layers.Conv1D(40, 3, activation="relu", dilation_rate=2))
        net.add(layers.AveragePooling1D(2))
        net.add(layers.Flatten())
        net.add(layers.Dense(64, activation="leaky_relu"))
    net.add(layers.Dense(32, activation="sigmoid"))
    net.add(layers.Dense(5, activation="softmax"))
    rng = np.random.default_rng(8)
    net.set_weights([rng.normal(0, 0.2, w.shape).astype(np.float32) for w in net.get_weights()])
    return net


def float16_model(net):
    import tensorflow as tf
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


@pytest.mark.parametrize("kind", ["plain", "transposed", "series"])
def test_keras_models(kind):
    from edgekit.convert import to_tflite

    net = keras_net(kind)
    dynamic = to_tflite(net, "dynamic")
    for data in (to_tflite(net, "float"), dynamic, float16_model(net)):
        for seed in range(4):
            compare(data, seed, f"keras_net({kind!r})")
    modules = {layer.run.__defaults__[0].__module__.rsplit(".", 1)[1]
               for layer in tflm.load_model(dynamic, False).layers if layer.run}
    assert "dynamic" in modules


@pytest.mark.parametrize("name", ["gesture_float.tflite", "gesture_dynamic.tflite"])
def test_shipped_models_and_the_interpreter(name):
    data = (MODELS / name).read_bytes()
    x = np.random.default_rng(2).normal(0, 0.4, (6, 32, 6)).astype(np.float32)
    expected = np.stack([litert(data, [row])[0] for row in x])
    for kernels in ("c", "python"):
        model = tflite.Interpreter(data, kernels)
        expect_near([model.predict(x).ravel()], [expected.ravel()], kernels)
        expect_near([model.invoke(x).ravel()], [expected.ravel()], kernels)
        assert model.predict(x[0]).dtype == np.float32
    compare(data, 1, name)


def test_predict_takes_and_gives_floats():
    data = (MODELS / "gesture_float.tflite").read_bytes()
    model = tflm.load_model(data)
    values = np.random.default_rng(3).normal(0, 0.4, 192).astype(np.float32)
    scores = model.predict(values.tolist())
    expect_near([scores], litert(data, [values]), "predict")
    assert abs(sum(scores) - 1) < 1e-5 and model.input_scale == 0
    with pytest.raises(ValueError, match=r"expected 192 values \(32x6\), got 3"):
        model.predict([0.5, 0.5, 0.5])


def test_predict_gives_the_integers_of_arg_max():
    data = floats.random_float("ARG_MAX", 1)
    model = tflm.load_model(data, False)
    values = random_inputs(model, 1)
    assert model.predict(values[0].tolist()) == litert(data, values)[0].tolist()


# What decides an integer


def test_a_float_model_does_not_load_dynamic_and_an_int8_model_neither():
    """Each module is memory on a board."""
    import subprocess
    code = ("import sys; sys.path.insert(0, 'firmware/lib'); import tflite_micro as tflm\n"
            "def load(name):\n"
            "    tflm.load_model('datasets/models/gesture_%s.tflite' % name)\n"
            "    return [m in sys.modules for m in ('tflite_micro.floating', 'tflite_micro.dynamic')]\n"
            "print(load('int8'), load('float'), load('dynamic'))")
    root = Path(__file__).parent.parent.parent
    text = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout
    assert text.split() == "[False, False] [True, False] [True, True]".split()


@pytest.mark.parametrize(("values", "scale", "zero_point", "stored"), [
    ([0.0, 0.0, 0.0], 1.0, 0, [0, 0, 0]),
    ([0.0, 1.0, 2.55], np.float32(2.55) / np.float32(255), -128, [-128, -28, 127]),
    ([-2.55, 0.0], np.float32(2.55) / np.float32(255), 127, [-128, 127]),
    ([5.0, 5.1], np.float32(5.1) / np.float32(255), -128, [122, 127]),
])
def test_asymmetric_quantization(values, scale, zero_point, stored):
    quantized = np.zeros(len(values), np.int8)
    found = _dynamic().quantize_asymmetric(np.array(values, np.float32).tolist(), quantized)
    assert (np.float32(found[0]), found[1], quantized.tolist()) == (np.float32(scale), zero_point, stored)


def test_the_scale_is_computed_as_with_doubles():
    """Without doubles, for boards that have none: against numpy's float64."""
    rng = np.random.default_rng(4)
    for _ in range(500):
        values = rng.normal(rng.normal(), 2.0 ** rng.uniform(-20, 20), 9).astype(np.float32)
        low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
        scale = float(np.float32(high) - np.float32(low)) / 255
        ends = (-128 - low / scale, 127 - high / scale)
        zero_point = ends[0] if 128 + abs(low / scale) < 127 + abs(high / scale) else ends[1]
        zero_point = int(np.copysign(np.floor(abs(zero_point) + 0.5), zero_point))
        found = _dynamic().quantize_asymmetric(values.tolist(), np.zeros(9, np.int8))
        assert found == (float(np.float32(scale)), max(-128, min(127, zero_point)))


def test_symmetric_quantization_rounds_halves_away_from_zero():
    quantized = np.zeros(5, np.int8)
    assert _dynamic().quantize_symmetric([127.0, 0.5, -0.5, 1.49, -127.0], quantized) == (1.0, 0)
    assert quantized.tolist() == [127, 1, -1, 1, -127]
    assert _dynamic().quantize_symmetric([0.0, -0.0], quantized[:2]) == (1.0, 0)


@pytest.mark.parametrize("values", [[float("inf"), 1.0], [1.0, float("-inf")], [float("nan"), 1.0]])
def test_infinite_values_are_refused_where_a_range_is_needed(values):
    for quantize in (_dynamic().quantize_symmetric, _dynamic().quantize_asymmetric):
        with pytest.raises(ValueError, match="layer got a value that is infinite or not a number"):
            quantize(values, np.zeros(2, np.int8))


def _dynamic():
    import importlib
    return importlib.import_module(tflm.__name__ + ".dynamic")


# What cannot run


def refused(build):
    builder = random_models.Builder()
    x, y = builder.tensor((1, 8), np.float32), builder.tensor((1, 8), np.float32)
    build(builder, x, y)
    with pytest.raises(ValueError) as caught:
        tflm.load_model(builder.bytes([x], [y]))
    return str(caught.value)


def test_wrong_types_shapes_and_options_are_refused():
    def weights(shape, dtype=np.float32, **options):
        def build(builder, x, y):
            w = builder.tensor(shape, dtype, data=np.zeros(shape))
            builder.operator("FULLY_CONNECTED", [x, w], [y], "FullyConnectedOptions", **options)
        return build

    assert "FULLY_CONNECTED (operator 0): its weights do not fit its input of shape 1x8" in refused(weights((8, 7)))
    assert "its input 1 must be float32 and whole" in refused(weights((8, 8), np.int32))
    assert "its weights must have a scale" in refused(weights((8, 8), np.int8))
    assert "fused activation 4" in refused(weights((8, 8), fusedActivationFunction=4))

    def short(builder, x, y):
        b = builder.tensor((1, 8), np.float32, data=np.zeros(7))
        builder.operator("ADD", [x, b], [y], "AddOptions")
    assert "ADD (operator 0): its input 1 must be float32 and whole" in refused(short)

    def short_beside(builder, x, y):
        b = builder.tensor((1, 1), np.float32, data=np.zeros(1, np.float16))
        builder.graph.tensors[b].shape = [1, 4]
        a = builder.tensor((1, 4), np.float32)
        builder.operator("SLICE", [x, *[builder.tensor((2,), np.int32, data=v) for v in ([0, 0], [1, 4])]], [a],
                         "SliceOptions")
        builder.operator("CONCATENATION", [a, b], [y], "ConcatenationOptions", axis=1)
    assert "CONCATENATION (operator 1): its constant tensor 2 has 4 of 16 bytes" in refused(short_beside)

    def mixed(builder, x, y):
        z = builder.tensor((1, 8), scale=0.1)
        builder.operator("QUANTIZE", [x], [z], "QuantizeOptions")
        builder.operator("SOFTMAX", [z], [y], "SoftmaxOptions", beta=1.0)
    assert "SOFTMAX (operator 1): expected float32, found int8" in refused(mixed)


@pytest.mark.parametrize("name", ["gesture_float.tflite", "gesture_dynamic.tflite"])
def test_damaged_float_models_load_or_are_refused(name):
    data = (MODELS / name).read_bytes()
    chance = random.Random(5)
    loaded = 0
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(chance.choice([1, 2, 8])):
            position = chance.randrange(len(damaged))
            damaged[position] = chance.choice([0, 1, 127, 128, 255, damaged[position] ^ (1 << chance.randrange(8))])
        try:
            tflm.load_model(bytes(damaged), False)
            loaded += 1
        except ValueError as error:
            assert len(str(error)) > 20
    assert 50 < loaded < 300


# On the simulated board


def test_float_and_dynamic_range_models_on_the_simulated_board():
    from edgekit.board.simulated import SimulatedBoard

    cases = [(f"random_float({kind!r}, 100)", floats.random_float(kind, 100)) for kind in EVERY_KIND]
    cases += [(f"random_dynamic({kind!r}, 100)", floats.random_dynamic(kind, 100)) for kind in floats.WEIGHTED]
    cases += [(f"random_dynamic_net({seed})", floats.random_dynamic_net(seed)) for seed in range(100, 106)]
    cases += [(f"random_float_moves({seed})", floats.random_float_moves(seed)) for seed in range(100, 110)]
    cases += [(name, (MODELS / name).read_bytes()) for name in ("gesture_float.tflite", "gesture_dynamic.tflite")]
    with SimulatedBoard("esp32s3") as board:
        board.install("replay")
        with pytest.raises(BoardCodeError, match="CONV_2D .*it needs the module tflite_micro.floating.*board.install"):
            board.put((MODELS / "gesture_float.tflite").read_bytes(), "/test.tflite")
            board.exec("import tflite_micro as tflm\ntflm.load_model('/test.tflite')")
        board.install()
        board.exec("import tflite_micro as tflm\nfrom array import array")
        for seed, (name, data) in enumerate(cases):
            host = tflm.load_model(data, False)
            values = random_inputs(host, seed)
            for x, value in zip(host.inputs, values, strict=True):
                np.frombuffer(x, np.float32)[:] = value
            host.invoke()
            board.put(data, "/test.tflite")
            board.exec("model = tflm.load_model('/test.tflite')\n"
                       f"for x, values in zip(model.inputs, {[v.tobytes() for v in values]}):\n"
                       "    x[:] = memoryview(array('f', values))\nmodel.invoke()")
            found = board.eval("[bytes(y) for y in model.outputs]")
            ours = [np.frombuffer(y, np.asarray(z).dtype) for y, z in zip(found, host.outputs, strict=True)]
            expect_near(ours, [np.array(z) for z in host.outputs], name)
