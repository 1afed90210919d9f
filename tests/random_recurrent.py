"""Random int8 models of one layer that remembers: SVDF or UNIDIRECTIONAL_SEQUENCE_LSTM."""

import numpy as np
import random_models


class Builder(random_models.Builder):
    """One that knows variable and intermediate tensors."""

    def variable(self, shape, dtype, scale, zero_point=0):
        index = self.tensor(shape, dtype, scale=scale, zero_point=zero_point)
        self.graph.tensors[index].isVariable = True
        return index


def random_svdf(seed, activation=1):
    """SVDF of random sizes, often with values at the ends of their types."""
    rng = np.random.default_rng(seed)
    builder = Builder()
    batches, depth, units, memory = (int(n) for n in rng.integers(1, (4, 20, 6, 12)))
    rank = int(rng.integers(1, 4))
    filters = units * rank
    x_scale, feature_scale, time_scale, state_scale = 2.0 ** rng.uniform((-8, -9, -16, -12), (-4, -5, -12, -6))
    state_scale = np.float32(max(state_scale, x_scale * feature_scale * 0.5))
    out_scale = np.float32(state_scale * time_scale * 2.0 ** rng.uniform(14, 22))
    x = builder.tensor((batches, depth), scale=x_scale, zero_point=int(rng.integers(-128, 128)))
    features = builder.tensor((filters, depth), scale=feature_scale, data=rng.integers(-127, 128, (filters, depth)))
    times = builder.tensor((filters, memory), np.int16, scale=time_scale,
                           data=rng.integers(-32767, 32768, (filters, memory)) >> int(rng.integers(0, 6)))
    bias = -1
    if rng.random() < 0.8:
        bias = builder.tensor((units,), np.int32, scale=state_scale * time_scale,
                              data=rng.integers(-2**20, 2**20, units))
    state = builder.variable((batches, filters * memory), np.int16, state_scale)
    y = builder.tensor((batches, units), scale=out_scale, zero_point=int(rng.integers(-128, 128)))
    builder.operator("SVDF", [x, features, times, bias, state], [y], "SVDFOptions", rank=rank,
                     fusedActivationFunction=activation)
    return builder.bytes([x], [y])


def random_lstm(seed, cell_bits=None, **changes):
    """LSTM of random sizes; ``cell_bits``: the integer bits of its cells."""
    rng = np.random.default_rng(seed)
    builder = Builder()
    batches, steps, depth, units = (int(n) for n in rng.integers(1, (4, 8, 12, 10)))
    time_major = bool(rng.random() < 0.3)
    cell_bits = int(rng.integers(0, 7)) if cell_bits is None else cell_bits
    lead = (steps, batches) if time_major else (batches, steps)
    x_scale = np.float32(2.0 ** rng.uniform(-8, -3))
    last_scale = np.float32(2.0 ** rng.uniform(-9, -6))
    x = builder.tensor((*lead, depth), scale=x_scale, zero_point=int(rng.integers(-128, 128)))
    inputs, biases = [x], []
    for columns in (depth, units):
        for _ in range(4):
            scale = np.float32(2.0 ** rng.uniform(-10, -5))
            inputs.append(builder.tensor((units, columns), scale=scale, data=rng.integers(-127, 128, (units, columns))))
            if columns == depth and len(biases) < 4:
                biases.append(builder.tensor((units,), np.int32, scale=scale * x_scale,
                                             data=rng.integers(-20000, 20000, units)))
    zero_point = int(rng.integers(-128, 128))
    last = builder.variable((batches, units), np.int8, last_scale, zero_point)
    cells = builder.variable((batches, units), np.int16, 2.0 ** (cell_bits - 15))
    inputs += [-1, -1, -1, *biases, -1, -1, last, cells, -1, -1, -1, -1]
    y = builder.tensor((*lead, units), scale=last_scale, zero_point=zero_point)
    options = {"fusedActivationFunction": 4, "timeMajor": time_major,
               "cellClip": float(rng.choice([0, 10, 0.4 * 2.0 ** cell_bits])), **changes}
    builder.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], "UnidirectionalSequenceLSTMOptions", **options)
    intermediates = [builder.tensor((0,), np.float32) for _ in range(4)]
    intermediates.append(builder.tensor((0,), scale=last_scale * np.float32(rng.choice([1, 1.37])),
                                        zero_point=zero_point))
    builder.graph.operators[-1].intermediates = intermediates
    return builder.bytes([x], [y])


def random_float_svdf(seed, weights="float"):
    """SVDF on floats; ``weights``: "float", or "int8" for dynamic range."""
    rng = np.random.default_rng(seed)
    builder = Builder()
    batches, depth, units, memory = (int(n) for n in rng.integers(1, (4, 20, 6, 12)))
    rank = int(rng.integers(1, 4))
    filters = units * rank
    x = builder.tensor((batches, depth), np.float32)
    features, times = (_weights(builder, rng, (filters, columns), weights) for columns in (depth, memory))
    bias = builder.tensor((units,), np.float32, data=rng.normal(0, 1, units)) if rng.random() < 0.7 else -1
    state = builder.variable((batches, filters * memory), np.float32, None)
    y = builder.tensor((batches, units), np.float32)
    builder.operator("SVDF", [x, features, times, bias, state], [y], "SVDFOptions", rank=rank,
                     fusedActivationFunction=int(rng.choice([0, 0, 1, 3])),
                     asymmetricQuantizeInputs=bool(rng.random() < 0.5))
    return builder.bytes([x], [y])


def random_float_lstm(seed, weights="float", **changes):
    """LSTM on floats; ``weights``: "float", or "int8" for dynamic range."""
    rng = np.random.default_rng(seed)
    builder = Builder()
    batches, steps, depth, units = (int(n) for n in rng.integers(1, (4, 8, 12, 10)))
    time_major = bool(rng.random() < 0.3)
    lead = (steps, batches) if time_major else (batches, steps)
    x = builder.tensor((*lead, depth), np.float32)
    inputs = [x, *(_weights(builder, rng, (units, columns), weights) for columns in (depth, units) for _ in range(4))]
    biases = [builder.tensor((units,), np.float32, data=rng.normal(0, 1, units)) for _ in range(4)]
    states = [builder.variable((batches, units), np.float32, None) for _ in range(2)]
    y = builder.tensor((*lead, units), np.float32)
    options = {"fusedActivationFunction": 4, "timeMajor": time_major, "cellClip": float(rng.choice([0, 10, 0.4])),
               "asymmetricQuantizeInputs": bool(rng.random() < 0.5), **changes}
    builder.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", [*inputs, -1, -1, -1, *biases, -1, -1, *states, -1, -1, -1, -1], [y],
                     "UnidirectionalSequenceLSTMOptions", **options)
    return builder.bytes([x], [y])


def _weights(builder, rng, shape, kind):
    if kind == "float":
        return builder.tensor(shape, np.float32, data=rng.normal(0, 0.5, shape))
    return builder.tensor(shape, scale=2.0 ** rng.uniform(-9, -5), data=rng.integers(-127, 128, shape))
