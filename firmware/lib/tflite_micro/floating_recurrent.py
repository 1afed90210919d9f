"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM on float32 values, with weights of float32 or of int8 (dynamic range).

What they remember stays in the arena, as in recurrent.py. With int8 weights each row is quantized by its own range before it
is multiplied, as in dynamic.py. As floating.py, this allocates and is slow.
"""

from array import array

from .floating import expect_float, limits_of, logistic, scales_of, tanh, values_of
from .operators import Prepared, expect_shape, options_of, refuse
from .reader import FLOAT32, INT8
from .recurrent import lstm_parameters, svdf_parameters


def float_svdf(p, x, y, scratch):
    """Each filter makes one value of the input, and remembers the last ones; an output weighs what ``rank`` filters
    remember."""
    values, state, features, times = x[:4]
    depth, filters, memory, rank = p.depth, p.filters, p.memory, p.rank
    for i in range(len(state) - 1):
        state[i] = state[i + 1]
    cells = array("f", [0.0, 0.0, 0.0])
    time_scale = p.scales[1]
    out = 0
    for batch in range(p.batches):
        row, scale, zero_point = _row(p, values, batch * depth, depth, scratch)
        for filter_ in range(filters):
            first = (batch * filters + filter_) * memory
            cells[0] = 0.0
            _add_dot(cells, row, zero_point, features, filter_ * depth, scale, p.scales[0])
            state[first + memory - 1] = cells[0]
            if filter_ % rank == 0:
                cells[0] = x[4][filter_ // rank] if len(x) > 4 else 0.0
                total = cells[0]
            cells[0] = 0.0
            for i in range(memory):
                cells[1] = times[filter_ * memory + i] * time_scale
                cells[1] *= state[first + i]
                cells[0] += cells[1]
            cells[0] += total
            total = cells[0]
            if (filter_ + 1) % rank == 0:
                y[out] = p.lowest if total < p.lowest else p.highest if total > p.highest else total
                out += 1


def float_lstm(p, x, y, scratch):
    """Four gates for each unit, from the input and the last output: what comes in, what is kept, what is new, what goes
    out."""
    values, last, cells = x[:3]
    units, depth = p.units, p.depth
    sums = array("f", [0.0, 0.0, 0.0])
    cell = array("f", [0.0])
    gates = [0.0] * 4
    for batch in range(p.batches):
        place = batch * units
        for step in range(p.steps):
            at = step * p.batches + batch if p.time_major else batch * p.steps + step
            now, now_scale, now_zero = _row(p, values, at * depth, depth, scratch and scratch[:depth])
            before, before_scale, before_zero = _row(p, last, place, units, scratch and scratch[depth:])
            for unit in range(units):
                for gate in range(4):
                    sums[0] = x[11 + gate][unit]
                    _add_dot(sums, now, now_zero, x[3 + gate], unit * depth, now_scale, p.scales[gate])
                    _add_dot(sums, before, before_zero, x[7 + gate], unit * units, before_scale, p.scales[4 + gate])
                    gates[gate] = (tanh if gate == 2 else logistic)(sums[0], cell)
                come, keep, new, go = gates
                sums[0] = keep * cells[place + unit]
                sums[1] = come * new
                sums[0] += sums[1]
                value = sums[0]
                if p.clip:
                    value = max(-p.clip, min(p.clip, value))
                cells[place + unit] = value
                y[at * units + unit] = go * tanh(value, cell)
            last[place : place + units] = y[at * units : (at + 1) * units]


def _row(p, values, start, count, quantized):
    """What is multiplied with weights, its scale and its zero point: the values themselves, or int8 in their stead."""
    row = values[start : start + count]
    if not p.quantize:
        return row, None, 0
    return (quantized,) + p.quantize(row, quantized)


def _add_dot(sums, row, zero_point, weights, start, scale, weight_scale):
    """``sums[0] +=`` the row times the weights from ``start``; ``scale`` is None if the row is of floats."""
    if scale is None:
        sums[1] = 0.0
        for value in row:
            sums[2] = value * weights[start]
            sums[1] += sums[2]
            start += 1
    else:
        total = 0
        for value in row:
            total += (value - zero_point) * weights[start]
            start += 1
        sums[1] = total
        sums[2] = scale * weight_scale
        sums[1] *= sums[2]
    sums[0] += sums[1]


# --- preparing ----------------------------------------------------------------------------------------------------


def _weights(operator, first, shapes):
    """Constant inputs from ``first`` on, all of float32 or all of int8, and a scale for each: 1.0 for floats."""
    found, scales = [], array("f")
    for i, shape in enumerate(shapes):
        tensor = operator.inputs[first + i]
        type_ = found[0].type if found else tensor and tensor.type
        if tensor is None or tensor.type != type_ or type_ not in (FLOAT32, INT8) or not tensor.size \
                or tensor.data_bytes != tensor.bytes:
            refuse(operator, "its input %d must be constant and whole, and float32 or int8 as the other weights; convert the "
                   "model to full int8 (lesson 09)" % (first + i))
        expect_shape(operator, tensor, shape)
        if type_ == INT8 and (tensor.scale_count != 1 or tensor.zero_point):
            refuse(operator, "its int8 weights must have one scale and the zero point 0; convert the model to full int8 "
                   "(lesson 09)")
        scales.append(scales_of(tensor)[0] if type_ == INT8 else 1.0)
        found.append(tensor)
    return found, scales


def _state(operator, i, size):
    """Input ``i``: a variable tensor."""
    tensor = operator.inputs[i]
    if tensor is None or not tensor.is_variable or tensor.is_constant or tensor.type != FLOAT32 or tensor.size != size \
            or tensor.zero_point:
        refuse(operator, "input %d must be a variable of %d values of float32; convert the model again" % (i, size))
    return tensor


def _quantize(weights, is_asymmetric):
    """How rows are quantized for these weights; None if they need not be."""
    if weights.type == FLOAT32:
        return None
    from . import dynamic
    return dynamic.quantize_asymmetric if is_asymmetric else dynamic.quantize_symmetric


def _prepared(operator, kernel, p, x, states, weights, biases, row_bytes, macs):
    return Prepared(kernel, p, [x] + states + weights + biases, macs=macs, scratch_bytes=row_bytes if p.quantize else 0,
                    weight_bytes=sum([tensor.bytes for tensor in weights]), states=states)


def prepare_svdf(operator):
    p, x, y, activation = svdf_parameters(operator)
    expect_float(operator, x, y)
    weights, p.scales = _weights(operator, 1, ((p.filters, p.depth), (p.filters, p.memory)))
    p.lowest, p.highest = limits_of(operator, activation)
    p.quantize = _quantize(weights[0], options_of(operator).number(2, "b"))
    biases = [values_of(operator, 3, p.filters // p.rank)] if operator.inputs[3] is not None else []
    return _prepared(operator, float_svdf, p, x, [_state(operator, 4, p.batches * p.filters * p.memory)], weights, biases,
                     p.depth, p.batches * p.filters * (p.depth + p.memory))


def prepare_lstm(operator):
    p, x, y = lstm_parameters(operator)
    expect_float(operator, x, y)
    weights, p.scales = _weights(operator, 1, ((p.units, p.depth),) * 4 + ((p.units, p.units),) * 4)
    options = options_of(operator)
    p.quantize = _quantize(weights[0], options.number(4, "b"))
    p.clip = options.number(1, "f")
    if not 0 <= p.clip < float("inf"):
        refuse(operator, "its cell clip is %s; convert the model again" % p.clip)
    states = [_state(operator, i, p.batches * p.units) for i in (18, 19)]
    biases = [values_of(operator, i, p.units) for i in range(12, 16)]
    return _prepared(operator, float_lstm, p, x, states, weights, biases, p.depth + p.units,
                     p.batches * p.steps * p.units * 4 * (p.depth + p.units))
