"""Every int8 operator, in readable Python and in C, against LiteRT's reference kernels: not one value may differ."""

import numpy as np
import pytest
import random_models
import random_operators as ops
from ai_edge_litert.interpreter import Interpreter as LiteRT
from ai_edge_litert.interpreter import OpResolverType

from edgekit.tflite.native import WasmKernels
from edgekit.twin import board_module

tflm = board_module("tflite_micro")

# LiteRT's reference has no ELU, and its int8 SUM gives 0 or -1 wherever the result is not between them and -128 (seen
# in 2.3.0): there its default kernels are the reference.
NOT_IN_REFERENCE = ("ELU", "SUM")


def litert(data, values, resolver=OpResolverType.BUILTIN_REF):
    """LiteRT's outputs for these inputs."""
    runner = LiteRT(model_content=data, experimental_op_resolver_type=resolver)
    runner.allocate_tensors()
    for detail, value in zip(runner.get_input_details(), values, strict=True):
        runner.set_tensor(detail["index"], value.reshape(detail["shape"]))
    runner.invoke()
    return [runner.get_tensor(detail["index"]).ravel() for detail in runner.get_output_details()]


def random_inputs(model, seed):
    rng = np.random.default_rng(seed)
    if len(model.input) == 256:
        return [np.arange(-128, 128, dtype=np.int8)]  # a function of one value: all of them
    return [rng.integers(-128, 128, len(x)).astype(np.int8) for x in model.inputs]


def expect_equal(data, resolver, name):
    for kernels in (False, WasmKernels()):
        model = tflm.load_model(data, kernels)
        values = random_inputs(model, len(data))
        for x, value in zip(model.inputs, values, strict=True):
            np.frombuffer(x, np.int8)[:] = value
        model.invoke()
        for found, expected in zip(model.outputs, litert(data, values, resolver), strict=True):
            assert np.array_equal(np.array(found), expected), \
                f"{name}, {'C' if kernels else 'Python'}: {[layer.name for layer in model.layers]}"


@pytest.mark.parametrize("kind", [*ops.BINARY, *ops.UNARY, *ops.REDUCING, *ops.OTHERS])
def test_random_models_of_one_operator(kind):
    resolver = (OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if kind in NOT_IN_REFERENCE
                else OpResolverType.BUILTIN_REF)
    for seed in range(40):
        expect_equal(ops.random_operator(kind, seed), resolver, f"random_operator({kind!r}, {seed})")


@pytest.mark.parametrize("first", range(0, 300, 100))
def test_random_models_that_move_values(first):
    for seed in range(first, first + 100):
        expect_equal(ops.random_moves(seed), OpResolverType.BUILTIN_REF, f"random_moves({seed})")


def test_the_moves_cover_every_operator():
    names = set()
    for seed in range(100):
        names.update(layer.name for layer in tflm.load_model(ops.random_moves(seed), False).layers)
    assert names == set(ops.MOVING)


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_the_c_kernels_equal_the_python_kernels_in_each_layer(first):
    for seed in range(first, first + 100):
        data = random_models.random_model(seed)
        try:
            models = [tflm.load_model(data, False), tflm.load_model(data, WasmKernels())]
        except ValueError:
            continue  # a scale that no board can compute with: refused, which another test reads
        values = random_inputs(models[0], seed)
        found = []
        for model in models:
            np.frombuffer(model.input, np.int8)[:] = values[0]
            layers = []
            model.invoke(lambda layer, layers=layers: layers.append(np.array(layer.values)))
            found.append(layers)
        for layer, python, c in zip(models[0].layers, *found, strict=True):
            assert np.array_equal(python, c), f"random_model({seed}): {layer.name}"


def test_random_models_on_the_simulated_board():
    """The same with the board's Python, its integers of 31 bits and its collector: C and Python kernels."""
    from edgekit.board.simulated import SimulatedBoard
    kinds = [*ops.BINARY, *ops.UNARY, *ops.REDUCING, *ops.OTHERS]
    with SimulatedBoard("esp32s3") as board:
        board.install("replay")
        board.exec("import tflite_micro as tflm")
        for seed in range(200):
            kind = kinds[seed % len(kinds)]
            name = f"random_operator({kind!r}, {seed})" if seed % 2 else f"random_moves({seed})"
            data = ops.random_operator(kind, seed) if seed % 2 else ops.random_moves(seed)
            host = tflm.load_model(data, False)
            values = random_inputs(host, seed)
            for x, value in zip(host.inputs, values, strict=True):
                np.frombuffer(x, np.int8)[:] = value
            host.invoke()
            expected = [np.array(y).tolist() for y in host.outputs]
            board.put(data, "/test.tflite")
            for kernels in ("None", "False"):
                board.exec(f"model = tflm.load_model('/test.tflite', {kernels})\n"
                           f"for x, values in zip(model.inputs, {[v.tolist() for v in values]}):\n"
                           " for i in range(len(x)):\n  x[i] = values[i]\nmodel.invoke()")
                assert board.eval("[list(y) for y in model.outputs]") == expected, f"{name}, kernels={kernels}"
