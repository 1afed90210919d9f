"""Layers that remember: SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM, with int8 values and a memory of int16 (with floats: see
floating_recurrent.py).

What they remember lies in the arena and stays there from one ``invoke`` to the next, until ``model.reset()``: so a model
can be fed a signal piece by piece.
"""

from array import array

from . import float32
from .fixed_point import bit_length, divide, from_float_bits, quantized_multiplier, rescale, to_int32
from .operators import Parameters, Prepared, ends, expect_int8, expect_shape, fold, options_of, refuse, scale_of
from .reader import INT8, INT16, INT32, shape_text

_RELU, _TANH = 1, 4  # fused activations
_LEAST, _MOST = -32768, 32767
# exp(-1/4), exp(-1/2) .. exp(-16) with 15 fractional bits.
_POWERS = (25520, 19875, 12055, 4435, 600, 11, 0)


def svdf(p, x, y, scratch):
    """Each filter makes one value of the input, and remembers the last ones; an output weighs what ``rank`` filters
    remember."""
    values, state, features, times = x
    depth, filters, memory, rank = p.depth, p.filters, p.memory, p.rank
    for i in range(len(state) - 1):
        state[i] = state[i + 1]
    out = 0
    for batch in range(p.batches):
        row = values[batch * depth : (batch + 1) * depth]
        total = j = k = 0
        for filter_ in range(filters):
            newest = p.filter_biases[filter_]
            for value in row:
                newest += value * features[j]
                j += 1
            first = (batch * filters + filter_) * memory
            state[first + memory - 1] = _short(rescale(to_int32(newest), p.multiplier, p.shift))
            for i in range(first, first + memory):
                total += state[i] * times[k]
                k += 1
            if (filter_ + 1) % rank == 0:
                total += p.unit_biases[filter_ // rank]
                value = rescale(to_int32(total), p.out_multiplier, p.out_shift) + p.zero_point
                y[out] = -128 if value < -128 else 127 if value > 127 else value
                total = 0
                out += 1


def lstm(p, x, y, scratch):
    """Four gates for each unit, from the input and the last output: what comes in, what is kept, what is new, what goes
    out."""
    values, last, cells = x[0], x[1], x[2]
    units, depth = p.units, p.depth
    for batch in range(p.batches):
        place = batch * units
        for step in range(p.steps):
            at = step * p.batches + batch if p.time_major else batch * p.steps + step
            row, before = values[at * depth : (at + 1) * depth], last[place : place + units]
            for unit in range(units):
                come = _logistic(_gate(p, x, 0, unit, row, before))
                keep = _logistic(_gate(p, x, 1, unit, row, before))
                new = _tanh(_gate(p, x, 2, unit, row, before), 3)
                go = _logistic(_gate(p, x, 3, unit, row, before))
                cell = _shift_right(keep * cells[place + unit], 15) + _shift_right(come * new, 15 + p.integer_bits)
                cell = _short(cell)
                if p.clip:
                    cell = max(-p.clip, min(p.clip, cell))
                cells[place + unit] = cell
                value = rescale(go * _tanh(cell, p.integer_bits), p.hidden_multiplier, p.hidden_shift) + p.zero_point
                y[at * units + unit] = -128 if value < -128 else 127 if value > 127 else value
            last[place : place + units] = y[at * units : (at + 1) * units]


def _gate(p, x, gate, unit, row, before):
    """The sum that a gate's function gets, with 12 fractional bits."""
    i = gate * p.units + unit
    result = 0
    for weights, vector, bias, which in ((x[3 + gate], row, p.input_biases[i], gate),
                                         (x[7 + gate], before, p.recurrent_biases[i], 4 + gate)):
        total, j = bias, unit * len(vector)
        for value in vector:
            total += value * weights[j]
            j += 1
        result = _short(result + rescale(to_int32(total), p.multipliers[which], p.shifts[which]))
    return result


# --- functions of 16 bits, as gemmlowp defines them ---------------------------------------------------------------


def _logistic(a):
    """``1 / (1 + exp(-a))`` with 15 fractional bits; ``a`` has 12."""
    if not a:
        return 1 << 14
    result = _saturate(_newton(_exp(-abs(a), 3)), 1)
    return result if a > 0 else _MOST - result


def _tanh(a, integer_bits):
    """``tanh`` with 15 fractional bits; ``a`` has ``15 - integer_bits``."""
    if not a:
        return 0
    # (1 - exp(-2|a|)) / (1 + exp(-2|a|)); one integer bit more doubles a number.
    result = _saturate(_newton(_exp(-abs(a), integer_bits + 1)) - (1 << 13), 2)
    return result if a > 0 else -result


def _exp(a, integer_bits):
    """``exp`` of a number up to 0, with 15 fractional bits; the steps are those of softmax in kernels_reference.py."""
    if not a:
        return _MOST
    if integer_bits > 5 and a < -(32 << (15 - integer_bits)):
        return 0
    quarter = 1 << (13 - integer_bits)
    fraction = (a & (quarter - 1)) - quarter
    x = (fraction << integer_bits) + (1 << 12)
    x2 = _multiply(x, x)
    x3 = _multiply(x2, x)
    x4 = _multiply(x2, x2)
    series = _shift_right(_multiply(_shift_right(x4, 2) + x3, 10923) + x2, 1)  # 1/3
    result = _short(28918 + _multiply(28918, x + series))  # exp(-1/8)
    remainder = fraction - a
    bit = quarter
    for power in _POWERS:
        if remainder & bit:
            result = _multiply(result, power)
        bit <<= 1
    return result


def _newton(a):
    """``2 / (1 + a)`` for 0 <= a < 1, with 13 fractional bits."""
    half_denominator = (a + _MOST + 1) >> 1
    x = 23130 + _multiply(half_denominator, -15420)  # 48/17 - 32/17 * d
    for _ in range(3):
        error = (1 << 13) - _multiply(half_denominator, x)
        x += _saturate(_multiply(x, error), 2)
    return x


def _short(value):
    return _LEAST if value < _LEAST else _MOST if value > _MOST else value


def _saturate(value, bits):
    return _short(value << bits)


def _multiply(a, b):
    """High half of the doubled product; a half goes up."""
    return (a * b + (1 << 14)) >> 15


def _shift_right(a, bits):
    """``a / 2**bits``, a half away from zero."""
    return (a + (1 << (bits - 1)) - (1 if a < 0 else 0)) >> bits


# --- preparing ----------------------------------------------------------------------------------------------------


def _ratio(a, b, c):
    """``a * b / c`` in float32, as LiteRT computes the scales of these layers."""
    mantissa, exponent = float32.quotient(float32.multiply(scale_of(a), scale_of(b)), c)
    return quantized_multiplier((mantissa << 29, exponent - 29))


def _weights(operator, i, shape, type_=INT8):
    """Constant input ``i`` with one scale and the zero point 0."""
    tensor = operator.inputs[i]
    if tensor is None or tensor.type != type_ or tensor.data_bytes != tensor.bytes or not tensor.size \
            or tensor.shape != shape or tensor.scale_count != 1 or tensor.zero_point \
            or type_ == INT16 and tensor.data_start % 2:
        refuse(operator, "input %d must be constant, of shape %s and %s, with one scale and the zero point 0; convert "
               "the model to full int8 (lesson 09)" % (i, shape_text(shape), "int16" if type_ == INT16 else "int8"))
    return tensor


def _bias(operator, i, size):
    tensor = operator.inputs[i]
    if tensor is None or tensor.type != INT32 or tensor.data_bytes != tensor.bytes or tensor.size != size:
        refuse(operator, "input %d must be %d constant biases of int32; convert the model to full int8 (lesson 09)"
               % (i, size))


def _state(operator, i, size, type_):
    """Input ``i``: a variable tensor."""
    tensor = operator.inputs[i]
    if tensor is None or not tensor.is_variable or tensor.is_constant or tensor.type != type_ or tensor.size != size \
            or tensor.scale_count != 1 or not -128 <= tensor.zero_point <= 127 or type_ == INT16 and tensor.zero_point:
        refuse(operator, "input %d must be a variable of %d values of %s; convert the model to full int8 (lesson 09)"
               % (i, size, "int16" if type_ == INT16 else "int8"))
    return tensor


def svdf_parameters(operator):
    """Sizes and the number of the fused activation, for values of any type."""
    x, y = ends(operator, 5, 5)
    options = options_of(operator)
    rank = options.number(0, "i")
    features, times = operator.inputs[1], operator.inputs[2]
    if len(x.shape) != 2 or features is None or len(features.shape) != 2 or times is None or len(times.shape) != 2:
        refuse(operator, "its weights do not fit its input of shape %s; convert the model again" % shape_text(x.shape))
    batches, depth = x.shape
    filters, memory = times.shape
    if not 0 < rank <= filters or filters % rank:
        refuse(operator, "its rank %d does not divide its %d filters; convert the model again" % (rank, filters))
    expect_shape(operator, features, (filters, depth))
    expect_shape(operator, y, (batches, filters // rank))
    p = Parameters(batches=batches, depth=depth, filters=filters, memory=memory, rank=rank)
    return p, x, y, options.number(1, "b")


def prepare_svdf(operator):
    p, x, y, activation = svdf_parameters(operator)
    expect_int8(operator, x, y)
    batches, depth, filters, memory, rank = p.batches, p.depth, p.filters, p.memory, p.rank
    if activation != _RELU:
        refuse(operator, "its fused activation is %d; LiteRT's int8 SVDF knows RELU only; convert the model again"
               % activation)
    features = _weights(operator, 1, (filters, depth))
    times = _weights(operator, 2, (filters, memory), INT16)
    state = _state(operator, 4, batches * filters * memory, INT16)
    if operator.inputs[3] is not None:
        _bias(operator, 3, filters // rank)
    p.zero_point = y.zero_point
    p.filter_biases = fold(operator, x.zero_point, features.int8_view(), filters, depth, 1, depth, bias_at=5)
    p.unit_biases = fold(operator, 0, None, filters // rank, 0, 1, 0, bias_at=3)
    p.multiplier, p.shift = _ratio(x, features, scale_of(state))
    p.out_multiplier, p.out_shift = _ratio(state, times, scale_of(y))
    return Prepared(svdf, p, [x, state, features, times], macs=batches * filters * (depth + memory),
                    weight_bytes=features.size + times.bytes, states=[state])


def lstm_parameters(operator):
    """Sizes of a plain LSTM, for values of any type."""
    x, y = ends(operator, 20, 24)
    if len(x.shape) != 3 or len(operator.inputs) not in (20, 24):
        refuse(operator, "expected an input of batch x time x channels, found %s; convert the model again"
               % shape_text(x.shape))
    # Numbers of the inputs: schema.fbs and lstm_shared.h of TensorFlow Lite.
    for first, end, what in ((9, 12, "peepholes"), (16, 18, "a projection"), (20, 24, "layer normalization")):
        if [tensor for tensor in operator.inputs[first:end] if tensor is not None]:
            refuse(operator, "it has %s, which the board runtime lacks; use a plain LSTM layer" % what)
    if operator.inputs[1] is None:
        refuse(operator, "it couples its input gate to its forget gate; use a plain LSTM layer")
    options = options_of(operator)
    if options.number(0, "b") != _TANH:
        refuse(operator, "its activation is %d; use LSTM(..., activation='tanh')" % options.number(0, "b"))
    time_major = int(bool(options.number(3, "b")))
    steps, batches = (x.shape[0], x.shape[1]) if time_major else (x.shape[1], x.shape[0])
    depth, units = x.shape[2], y.shape[-1] if y.shape else 0
    expect_shape(operator, y, x.shape[:2] + (units,))
    return Parameters(batches=batches, steps=steps, depth=depth, units=units, time_major=time_major), x, y


def prepare_lstm(operator):
    p, x, y = lstm_parameters(operator)
    expect_int8(operator, x, y)
    batches, steps, depth, units = p.batches, p.steps, p.depth, p.units
    weights = [_weights(operator, i, (units, depth)) for i in range(1, 5)] \
        + [_weights(operator, i, (units, units)) for i in range(5, 9)]
    last = _state(operator, 18, batches * units, INT8)
    cells = _state(operator, 19, batches * units, INT16)
    # A cell is worth a power of two, so that it is the input of tanh as it is.
    mantissa, exponent = scale_of(cells)
    p.integer_bits = bit_length(mantissa) - 1 + exponent + 15
    if mantissa & (mantissa - 1) or not 0 <= p.integer_bits <= 6:
        refuse(operator, "its cells have the scale %s; expected a power of two from 2**-15 to 2**-9, since LiteRT has no "
               "tanh for others; train the model longer, or calibrate it with more data" % cells.scale)
    p.clip = _clip(operator, options_of(operator), p.integer_bits - 15)
    p.input_biases, p.recurrent_biases = array("i"), array("i")
    p.multipliers, p.shifts = array("i"), array("b")
    for i, tensor in enumerate(weights):
        source = x if i < 4 else last
        ratio = float32.quotient(float32.multiply(scale_of(tensor), scale_of(source)), (1, -12))
        multiplier, shift = quantized_multiplier((ratio[0] << 29, ratio[1] - 29))
        p.multipliers.append(multiplier)
        p.shifts.append(shift)
        if i < 4:
            _bias(operator, 12 + i, units)
        folded = fold(operator, source.zero_point, tensor.int8_view(), units, tensor.shape[1], 1, tensor.shape[1],
                      bias_at=12 + i if i < 4 else 24)
        (p.input_biases if i < 4 else p.recurrent_biases).extend(folded)
    hidden = operator.intermediates
    if len(hidden) != 5:
        refuse(operator, "expected 5 intermediate tensors, found %d; convert the model to full int8 (lesson 09)"
               % len(hidden))
    expect_int8(operator, hidden[4])
    p.zero_point = hidden[4].zero_point
    # In double precision, then in float32.
    mantissa, exponent = divide(divide((1, -30), scale_of(hidden[4])), (1, 0), bits=24)
    p.hidden_multiplier, p.hidden_shift = quantized_multiplier((mantissa << 29, exponent - 29))
    return Prepared(lstm, p, [x, last, cells] + weights, macs=batches * steps * units * 4 * (depth + units),
                    weight_bytes=4 * units * (depth + units), states=[last, cells])


def _clip(operator, options, exponent):
    """The largest size of a cell, in its own steps; 0: any."""
    bits = options.number(1, "I")
    if not bits & 0x7FFFFFFF:
        return 0
    if bits >> 31:
        refuse(operator, "its cell clip is below 0; convert the model again")
    mantissa, clip_exponent = from_float_bits(bits)
    places = clip_exponent - exponent
    if bit_length(mantissa) + places > 15:
        return _MOST
    return mantissa << places if places >= 0 else mantissa >> -places
