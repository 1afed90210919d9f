"""Operators on float32 values, in readable Python.

A sum is kept in a cell of an array of float32, so that each step is rounded as LiteRT's reference rounds it, on a
computer and on boards with floats of 64 bits too. What follows does not depend on the machine, and a dynamic-range
layer behind it (dynamic.py) finds the same integers.

Every float of MicroPython is an object on the heap: these kernels allocate and are slow. Convert a model to full int8
for anything that shall run often (lesson 09).
"""

import math
from array import array

from .operators import NONE, RELU, RELU6, RELU_N1_TO_1, Parameters, Prepared, constant_numbers, ends, \
    expect_little_work, expect_shape, normal_axis, options_of, places, refuse, window
from .reader import FLOAT32, INT8, INT32, INT64, shape_text

_FLOAT16 = 1
_INFINITE = float("inf")


# --- layers with weights ----------------------------------------------------------------------------------------


def float_fully_connected(p, x, y, scratch):
    """Each output is a row of weights times the input, plus the bias."""
    values, weights, bias = _split(x)
    depth = p.depth
    cells = array("f", [0.0, 0.0])
    out = 0
    for start in range(0, p.batches * depth, depth):
        for unit in range(p.units):
            cells[0] = 0.0
            _add_products(cells, values, start, weights, unit * depth, depth)
            y[out] = finish(p, cells, bias, unit)
            out += 1


def float_conv_2d(p, x, y, scratch):
    """For each place: the products of what the filter covers, summed for each unit."""
    values, weights, bias = _split(x)
    channels = p.channels
    per_unit = p.filter_height * p.filter_width * channels
    cells = array("f", [0.0, 0.0])
    out = 0
    for batch in range(p.batches):
        for top in range(p.first_top, p.end_top, p.stride_height):
            for left in range(p.first_left, p.end_left, p.stride_width):
                covered = covers(p, batch, top, left)
                for unit in range(p.units):
                    cells[0] = 0.0
                    for start, place in covered:
                        _add_products(cells, values, start, weights, unit * per_unit + place * channels, channels)
                    y[out] = finish(p, cells, bias, unit)
                    out += 1


def float_depthwise_conv_2d(p, x, y, scratch):
    """As float_conv_2d, but each output channel sees one input channel only."""
    values, weights, bias = _split(x)
    units = p.units
    units_per_channel = units // p.channels
    cells = array("f", [0.0, 0.0])
    out = 0
    for batch in range(p.batches):
        for top in range(p.first_top, p.end_top, p.stride_height):
            for left in range(p.first_left, p.end_left, p.stride_width):
                covered = covers(p, batch, top, left)
                for unit in range(units):
                    cells[0] = 0.0
                    for start, place in covered:
                        cells[1] = values[start + unit // units_per_channel] * weights[place * units + unit]
                        cells[0] += cells[1]
                    y[out] = finish(p, cells, bias, unit)
                    out += 1


def float_transpose_conv(p, x, y, scratch):
    """Each input is added, times a weight, to the outputs that it reaches."""
    values, weights, bias = _split(x)
    channels = p.channels
    for i in range(len(y)):
        y[i] = 0.0
    cells = array("f", [0.0, 0.0])
    start = 0
    for batch, row, column in rows_and_columns(p):
        reached = reaches(p, batch, row, column)
        for channel in range(channels):
            value = values[start]
            start += 1
            for out, weight in reached:
                cells[1] = value * weights[weight + channel]
                y[out] += cells[1]
    finish_all(p, cells, bias, y)


def _split(x):
    """Values, weights and bias; None if there is no bias."""
    return x[0], x[1], x[2] if len(x) > 2 else None


def _add_products(cells, a, i, b, j, count):
    """``cells[0] += a[i] * b[j]`` for so many neighbours."""
    for _ in range(count):
        cells[1] = a[i] * b[j]
        cells[0] += cells[1]
        i += 1
        j += 1


def finish(p, cells, bias, unit):
    """The sum in ``cells[0]`` with bias and activation."""
    if bias is not None:
        cells[0] += bias[unit]
    value = cells[0]
    return p.lowest if value < p.lowest else p.highest if value > p.highest else value


def finish_all(p, cells, bias, y):
    """As `finish`, for sums that stand in y, channel by channel."""
    for i in range(len(y)):
        cells[0] = y[i]
        y[i] = finish(p, cells, bias, i % p.units)


def covers(p, batch, top, left):
    """What the filter covers inside the image: (where it starts in the input, which place of the filter it is)."""
    found = []
    for filter_y in range(p.filter_height):
        row = top + filter_y * p.dilation_height
        if not 0 <= row < p.height:
            continue
        for filter_x in range(p.filter_width):
            column = left + filter_x * p.dilation_width
            if 0 <= column < p.width:
                found.append((((batch * p.height + row) * p.width + column) * p.channels,
                              filter_y * p.filter_width + filter_x))
    return found


def rows_and_columns(p):
    """Every place of the input: batch, row, column."""
    for batch in range(p.batches):
        for row in range(p.height):
            for column in range(p.width):
                yield batch, row, column


def reaches(p, batch, row, column):
    """What an input of TRANSPOSE_CONV reaches: (place in the output, where its weights start)."""
    found = []
    for filter_y in range(p.filter_height):
        out_row = row * p.stride_height - p.pad_top + filter_y
        for filter_x in range(p.filter_width):
            out_column = column * p.stride_width - p.pad_left + filter_x
            if 0 <= out_row < p.out_height and 0 <= out_column < p.out_width:
                out = ((batch * p.out_height + out_row) * p.out_width + out_column) * p.units
                for unit in range(p.units):
                    found.append((out + unit, ((unit * p.filter_height + filter_y) * p.filter_width + filter_x)
                                  * p.channels))
    return found


def prepare_fully_connected(operator):
    x, y = float_ends(operator, 2, 3)
    p, inputs, macs = fully_connected_parameters(operator, x, y)
    inputs[1:1] = [values_of(operator, 1, None)]
    return Prepared(float_fully_connected, p, inputs, macs=macs, weight_bytes=_constant_bytes(inputs))


def fully_connected_parameters(operator, x, y):
    """Parameters, inputs without the weights, and multiply-accumulates; also for dynamic-range weights."""
    weights = operator.inputs[1]
    if weights is None or len(weights.shape) != 2 or not weights.size or x.size % weights.shape[1]:
        refuse(operator, "its weights do not fit its input of shape %s; convert the model again"
               % shape_text(x.shape))
    units, depth = weights.shape
    batches = x.size // depth
    if y.size != batches * units or y.shape[-1:] != (units,):
        refuse(operator, "expected an output of %d rows of %d values, found %s; convert the model again"
               % (batches, units, shape_text(y.shape)))
    lowest, highest = limits_of(operator, options_of(operator).number(0, "b"))
    p = Parameters(batches=batches, depth=depth, units=units, lowest=lowest, highest=highest)
    return p, [x] + _bias(operator, 2, units), y.size * depth


def prepare_conv_2d(operator):
    return _prepare_conv(operator, False)


def prepare_depthwise_conv_2d(operator):
    return _prepare_conv(operator, True)


def _prepare_conv(operator, depthwise):
    x, y = float_ends(operator, 2, 3)
    p, inputs, macs = convolution_parameters(operator, x, y, depthwise)
    inputs[1:1] = [values_of(operator, 1, None)]
    return Prepared(float_depthwise_conv_2d if depthwise else float_conv_2d, p, inputs, macs=macs,
                    weight_bytes=_constant_bytes(inputs))


def convolution_parameters(operator, x, y, depthwise):
    """As `fully_connected_parameters`."""
    options = options_of(operator)
    weights = operator.inputs[1]
    if weights is None or len(weights.shape) != 4 or len(x.shape) != 4 or not weights.size:
        refuse(operator, "its weights do not fit its input of shape %s; convert the model again"
               % shape_text(x.shape))
    channels = x.shape[3]
    _, filter_height, filter_width, units = weights.shape
    activation, per_unit = 4, filter_height * filter_width
    fits = weights.shape[0] == 1 and units % channels == 0
    if not depthwise:
        units, fits = weights.shape[0], weights.shape[3] == channels
        activation, per_unit = 3, per_unit * channels
    if not fits:
        refuse(operator, "its weights of shape %s do not fit %d input channels (grouped convolution is not there); "
               "use groups=1" % (shape_text(weights.shape), channels))
    p = window(operator, options, filter_height, filter_width, x, y,
               options.number(activation + 2, "i", 1), options.number(activation + 1, "i", 1))
    expect_shape(operator, y, y.shape[:3] + (units,))
    p.units = units
    p.lowest, p.highest = limits_of(operator, options.number(activation, "b"))
    return p, [x] + _bias(operator, 2, units), y.size * per_unit


def prepare_transpose_conv(operator):
    p, inputs, macs = transpose_conv_parameters(operator)
    inputs[1:1] = [values_of(operator, 1, None)]
    return Prepared(float_transpose_conv, p, inputs, macs=macs, weight_bytes=_constant_bytes(inputs))


def transpose_conv_parameters(operator):
    """As `fully_connected_parameters`."""
    from .transposed import image_parameters
    p, x, y, activation = image_parameters(operator, expect_float)
    p.lowest, p.highest = limits_of(operator, activation)
    return p, [x] + _bias(operator, 3, p.units), x.size * p.filter_height * p.filter_width * p.units


def float_ends(operator, inputs_least, inputs_most):
    x, y = ends(operator, inputs_least, inputs_most)
    expect_float(operator, x, y)
    return x, y


def expect_float(operator, *tensors):
    for tensor in tensors:
        if tensor.type != FLOAT32:
            refuse(operator, "expected float32, found %s in tensor %d; convert the model again"
                   % (tensor.type_name, tensor.index))


def values_of(operator, i, size):
    """Input ``i`` in float32, computed or constant and whole, of so many values (None: any)."""
    tensor = operator.inputs[i]
    if tensor is None or tensor.type != FLOAT32 or not tensor.size \
            or (tensor.is_constant and tensor.data_bytes != tensor.bytes) or size not in (None, tensor.size):
        refuse(operator, "its input %d must be float32 and whole%s; convert the model again"
               % (i, "" if size is None else ", with %d values" % size))
    return tensor


def _bias(operator, at, units):
    if len(operator.inputs) > at and operator.inputs[at] is not None:
        return [values_of(operator, at, units)]
    return []


def _constant_bytes(tensors):
    return sum([tensor.bytes for tensor in tensors[1:2] if tensor.is_constant])


def limits_of(operator, activation):
    """Lowest and highest output that a fused activation leaves."""
    limits = {NONE: (-_INFINITE, _INFINITE), RELU: (0.0, _INFINITE), RELU_N1_TO_1: (-1.0, 1.0), RELU6: (0.0, 6.0)}
    if activation not in limits:
        refuse(operator, "its fused activation %d is none of NONE, RELU, RELU_N1_TO_1, RELU6; replace it with RELU"
               % activation)
    return limits[activation]


# --- pools and reductions ---------------------------------------------------------------------------------------


def float_pool(p, x, y, scratch):
    """The largest value, or the mean, of what lies under the window and inside the image."""
    width, channels, lowest, highest = p.width, p.channels, p.lowest, p.highest
    out = 0
    for batch in range(p.batches):
        for top in range(p.first_top, p.end_top, p.stride_height):
            rows = range(max(top, 0), min(top + p.filter_height, p.height))
            for left in range(p.first_left, p.end_left, p.stride_width):
                columns = range(max(left, 0), min(left + p.filter_width, width))
                steps = [((batch * p.height + row) * width + column) * channels for row in rows for column in columns]
                for channel in range(channels):
                    value = p.reduce(x, channel, steps)
                    y[out] = lowest if value < lowest else highest if value > highest else value
                    out += 1


def float_reduce(p, x, y, scratch):
    """The sum, mean or largest of the values that each output stands for."""
    out = 0
    for start in p.starts:
        y[out] = p.reduce(x, start, p.steps)
        out += 1


def float_arg_max(p, x, y, scratch):
    """Where along the axis the largest value lies; the first of equals."""
    from .reducing import arg_max
    arg_max(p, x, y, scratch)


def _sum(x, start, steps):
    total = array("f", [0.0])
    for step in steps:
        total[0] += x[start + step]
    return total[0]


def _mean(x, start, steps):
    return _sum(x, start, steps) / len(steps)


def _largest(x, start, steps):
    most = x[start + steps[0]]
    for step in steps:
        if x[start + step] > most:
            most = x[start + step]
    return most


def _prepare_pool(operator, reduce):
    x, y = float_ends(operator, 1, 1)
    options = options_of(operator)
    p = window(operator, options, options.number(4, "i"), options.number(3, "i"), x, y)
    expect_shape(operator, y, y.shape[:3] + (p.channels,))
    p.lowest, p.highest = limits_of(operator, options.number(5, "b"))
    p.reduce = reduce
    expect_little_work(operator, p, y)
    return Prepared(float_pool, p, [x])


def prepare_max_pool_2d(operator):
    return _prepare_pool(operator, _largest)


def prepare_average_pool_2d(operator):
    return _prepare_pool(operator, _mean)


def _prepare_reduce(operator, reduce):
    x, y = float_ends(operator, 2, 2)
    starts, steps = places(operator, x, y)
    return Prepared(float_reduce, Parameters(starts=starts, steps=steps, reduce=reduce), [x])


def prepare_sum(operator):
    return _prepare_reduce(operator, _sum)


def prepare_mean(operator):
    return _prepare_reduce(operator, _mean)


def prepare_reduce_max(operator):
    return _prepare_reduce(operator, _largest)


def prepare_arg_max(operator):
    x, y = ends(operator, 2, 2)
    expect_float(operator, x)
    axis = normal_axis(operator, constant_numbers(operator, operator.inputs[1])[0], len(x.shape))
    if y.type not in (INT32, INT64):
        refuse(operator, "expected an output of int32 or int64, found %s; convert the model again" % y.type_name)
    starts, steps = places(operator, x, y, (axis,))
    return Prepared(float_arg_max, Parameters(starts=starts, count=len(steps), step=steps[1] if len(steps) > 1 else 0),
                    [x])


# --- value by value ---------------------------------------------------------------------------------------------


def float_each(p, x, y, scratch):
    """A function of one value, for each of them."""
    function, cell = p.function, array("f", [0.0])
    for i in range(len(y)):
        y[i] = function(x[i], cell)


def float_binary(p, x, y, scratch):
    """Two tensors into one; a dimension of one value is repeated."""
    from .elementwise import walk
    walk(p, p.steps, 0, x[0], 0, x[1], 0, y, 0)


def float_softmax(p, x, y, scratch):
    """``exp(beta * x) / sum(exp(beta * x))`` along the last axis; only differences to the largest value count."""
    cells = array("f", [0.0, 0.0])
    for start in range(0, len(y), p.depth):
        row = range(start, start + p.depth)
        largest = max(x[start : start + p.depth])
        cells[0] = 0.0
        for i in row:
            cells[1] = x[i] - largest
            cells[1] *= p.beta
            y[i] = _exp(cells[1])
            cells[0] += y[i]
        for i in row:
            y[i] = y[i] / cells[0]


def _exp(value):
    # Above 89 no float32 holds it, and math.exp would end in an error.
    return _INFINITE if value > 89 else math.exp(value)


def _exp_minus_1(value):
    """``exp(x) - 1``, also where x is small (not every port has math.expm1)."""
    if not -0.5 < value < 0.5:
        return _exp(value) - 1
    total = term = value
    for i in range(2, 14):
        term *= value / i
        total += term
    return total


def logistic(value, cell):
    if value > 16.619047:  # where LiteRT has 1.0 already
        return 1.0
    if value < -9:
        return _exp(value)
    cell[0] = _exp(-value)
    cell[0] += 1.0
    return 1.0 / cell[0]


def tanh(value, cell):
    power = _exp_minus_1(-2 * abs(value))
    size = -power / (power + 2)
    return -size if value < 0 else size


def _elu(value, cell):
    return value if value >= 0 else _exp_minus_1(value)


def _hard_swish(value, cell):
    cell[0] = value + 3
    cell[0] = value * min(6.0, max(0.0, cell[0]))
    return cell[0] / 6


def _abs(value, cell):
    return abs(value)


def _relu(value, cell):
    return value if value > 0 else 0.0


def _relu6(value, cell):
    return min(_relu(value, cell), 6.0)


def _prepare_each(operator, function):
    x, y = float_ends(operator, 1, 1)
    expect_shape(operator, y, x.shape)
    return Prepared(float_each, Parameters(function=function), [x], in_place=True)


def prepare_logistic(operator):
    return _prepare_each(operator, logistic)


def prepare_tanh(operator):
    return _prepare_each(operator, tanh)


def prepare_elu(operator):
    return _prepare_each(operator, _elu)


def prepare_hard_swish(operator):
    return _prepare_each(operator, _hard_swish)


def prepare_abs(operator):
    return _prepare_each(operator, _abs)


def prepare_relu(operator):
    return _prepare_each(operator, _relu)


def prepare_relu6(operator):
    return _prepare_each(operator, _relu6)


def prepare_leaky_relu(operator):
    slope = options_of(operator).number(0, "f")
    return _prepare_each(operator, lambda value, cell: value if value > 0 else value * slope)


def _add(p, a, b):
    return a + b


def _sub(p, a, b):
    return a - b


def _mul(p, a, b):
    return a * b


def _maximum(p, a, b):
    return max(a, b)


def _minimum(p, a, b):
    return min(a, b)


def _squared_difference(p, a, b):
    p.cell[0] = a - b
    return p.cell[0] * p.cell[0]


def _prepare_binary(operator, combine, has_activation=False):
    if len(operator.inputs) != 2 or len(operator.outputs) != 1:
        refuse(operator, "expected two inputs and one output; convert the model again")
    from .elementwise import steps_of_pair
    a, b = values_of(operator, 0, None), values_of(operator, 1, None)
    y = operator.outputs[0]
    expect_float(operator, y)
    options = operator.options
    lowest, highest = limits_of(operator, options.number(0, "b") if options and has_activation else NONE)
    return Prepared(float_binary, Parameters(
        combine=combine, steps=steps_of_pair(operator, a, b, y), lowest=lowest, highest=highest,
        cell=array("f", [0.0])), [a, b], in_place=True)


def prepare_add(operator):
    return _prepare_binary(operator, _add, True)


def prepare_sub(operator):
    return _prepare_binary(operator, _sub, True)


def prepare_mul(operator):
    return _prepare_binary(operator, _mul, True)


def prepare_maximum(operator):
    return _prepare_binary(operator, _maximum)


def prepare_minimum(operator):
    return _prepare_binary(operator, _minimum)


def prepare_squared_difference(operator):
    return _prepare_binary(operator, _squared_difference)


def prepare_softmax(operator):
    x, y = float_ends(operator, 1, 1)
    expect_shape(operator, y, x.shape)
    if not x.shape:
        refuse(operator, "its input has no axis; convert the model again")
    return Prepared(float_softmax, Parameters(depth=x.shape[-1], beta=options_of(operator).number(0, "f")), [x],
                    in_place=True)


# --- weights that are stored in fewer bytes ---------------------------------------------------------------------


def dequantize_weights(p, x, y, scratch):
    """int8 weights to float32, with one scale or one for each channel."""
    weights, scales, zero_point, inner = p.weights, p.scales, p.zero_point, p.inner
    for i in range(len(y)):
        y[i] = scales[i // inner % len(scales)] * (weights[i] - zero_point)


def widen_weights(p, x, y, scratch):
    """float16 weights to float32: a sign, 5 bits of exponent, 10 bits of fraction."""
    weights = p.weights
    for i in range(len(y)):
        low, high = weights[2 * i] & 0xFF, weights[2 * i + 1] & 0xFF
        exponent, fraction = high >> 2 & 31, (high & 3) << 8 | low
        if exponent == 31:
            value = float("nan") if fraction else _INFINITE
        elif exponent:
            value = math.ldexp(1024 + fraction, exponent - 25)
        else:
            value = math.ldexp(fraction, -24)
        y[i] = -value if high & 0x80 else value


def prepare_dequantize(operator):
    """DEQUANTIZE of a constant."""
    weights, y = operator.inputs[0], operator.outputs[0]
    expect_float(operator, y)
    expect_shape(operator, y, weights.shape)
    if weights.type not in (INT8, _FLOAT16) or weights.data_bytes != weights.bytes or y.is_constant:
        refuse(operator, "its constant must be int8 or float16, and whole; convert the model again")
    values = weights.int8_view()
    if weights.type == _FLOAT16:
        return Prepared(widen_weights, Parameters(weights=values), [], weight_bytes=weights.bytes)
    scales = scales_of(weights)
    inner = 1
    if len(scales) > 1:
        axis = normal_axis(operator, weights.quantized_dimension, len(weights.shape))
        for n in weights.shape[axis + 1:]:
            inner *= n
    if not scales or (len(scales) > 1 and len(scales) != weights.shape[axis]):
        refuse(operator, "its constant has %d scales; convert the model again" % len(scales))
    return Prepared(dequantize_weights, Parameters(weights=values, scales=scales, zero_point=weights.zero_point,
                                                   inner=inner), [], weight_bytes=weights.bytes)


def scales_of(tensor):
    """All scales of a tensor, as float32."""
    from .fixed_point import from_float_bits
    scales = array("f", bytes(4 * tensor.scale_count))
    for i in range(tensor.scale_count):
        mantissa, exponent = from_float_bits(tensor.scale_bits(i))  # refuses what is no scale
        scales[i] = math.ldexp(mantissa, exponent)
    return scales
