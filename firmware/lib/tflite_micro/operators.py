"""The operators that run: for each its number in schema.fbs, its name, and how it is prepared.

Preparing checks shapes and types, so that kernels need no checks, and turns scales into integers. To add an
operator, write its kernel in kernels_reference.py, a ``_prepare`` function here, and a line in `TABLE`.
"""

import sys
from array import array

from . import kernels_reference as kernels
from .fixed_point import (bit_length, divide, from_float_bits, halves, multiply, quantize_constant, quantized_multiplier,
                          to_int32)
from .reader import FLOAT32, INT8, INT32, shape_text

_MOST_WORK = 1 << 30  # multiplications, or values looked at
_MOST_PLACES = 1 << 16
_SAME, _VALID = 0, 1
_DEQUANTIZE = 6
NONE, RELU, RELU_N1_TO_1, RELU6 = 0, 1, 2, 3

# What to do about an operator that the board lacks.
_ADVICE = {
    "GELU": "replace it with RELU",
    "EXP": "replace the activation that makes it with RELU", "LOG": "replace the activation that makes it with RELU",
    "PRELU": "replace it with RELU",
    "RESIZE_BILINEAR": "use UpSampling2D(..., interpolation='nearest')",
}
_RECURRENT = ("RNN", "LSTM", "WHILE", "UNIDIRECTIONAL_SEQUENCE_RNN")


class Parameters:
    """What a kernel needs to know, by name."""

    def __init__(self, **values):
        for name in values:
            setattr(self, name, values[name])


class Prepared:
    """A kernel with its parameters.

    ``kernel`` is None if the output is the input under another shape: then both share their memory. ``inputs``: the
    tensors that it reads as values; ``in_place``: it may write its output over an input of the same size;
    ``states``: those inputs that keep their values from one inference to the next. Their views ``x`` and ``y`` and the view ``scratch`` come from arena.py.
    """

    def __init__(self, kernel, parameters, inputs, macs=0, scratch_bytes=0, weight_bytes=0, in_place=False,
                 states=()):
        self.kernel = kernel
        self.parameters = parameters
        self.inputs = inputs
        self.macs = macs
        self.scratch_bytes = scratch_bytes
        self.weight_bytes = weight_bytes
        self.in_place = in_place
        self.states = states
        self.x = self.y = self.scratch = None


def prepare(operator):
    """Check one operator and make it ready to run.

    Parameters
    ----------
    operator : reader.Operator

    Returns
    -------
    Prepared

    Raises
    ------
    ValueError
        The operator is unknown, or its shapes, types or options cannot run; the message names it.
    """
    if operator.code not in TABLE:
        name = operator.name
        advice = _ADVICE.get(name, "use layers that become " + ", ".join(sorted([row[0] for row in TABLE.values()])))
        if name in _RECURRENT:
            advice = "use convolution instead of recurrent layers, or LSTM(..., unroll=True)"
        raise ValueError("the model uses %s (operator %d), which the board runtime lacks; %s"
                         % (name, operator.index, advice))
    _, _, least, most = TABLE[operator.code]
    given = operator.inputs
    if not least <= len(given) <= most or None in given[:least]:
        refuse(operator, "expected %d to %d inputs, found %d; convert the model again" % (least, most, len(given)))
    if not operator.outputs or len(operator.outputs) > 1 and name_of(operator) not in ("SPLIT", "UNPACK"):
        refuse(operator, "expected one output, found %d; convert the model again" % len(operator.outputs))
    function = _preparing(operator)
    if isinstance(function, str):
        module, name = function.split(".")
        module = __name__.rsplit(".", 1)[0] + "." + module
        try:
            __import__(module)
        except ImportError:
            refuse(operator, "it needs the module %s, which is not there; deploy the model again, which copies what it "
                   "needs, or copy all libraries to the board: board.install()" % module)
        function = getattr(sys.modules[module], name)
    prepared = function(operator)
    for tensor in prepared.inputs:
        if tensor.is_constant and tensor.data_bytes != tensor.bytes:
            refuse(operator, "its constant tensor %d has %d of %d bytes; copy or convert the model again"
                   % (tensor.index, tensor.data_bytes, tensor.bytes))
    if prepared.macs > _MOST_WORK:
        refuse(operator, "it needs %d multiplications, which takes a small board many minutes; use a smaller model"
               % prepared.macs)
    prepared.name, prepared.index, prepared.outputs = name_of(operator), operator.index, operator.outputs
    return prepared


def _preparing(operator):
    """How an operator is prepared: a function, or one in a module, by the types of what it works on."""
    name, function = TABLE[operator.code][:2]
    given = [tensor for tensor in operator.inputs[:1] + operator.outputs[:1] if tensor is not None]
    has_floats = FLOAT32 in [tensor.type for tensor in given]
    if has_floats and operator.code in _RECURRENT_FLOATS:
        return "floating_" + function
    if has_floats and operator.code in _FLOATS:
        if operator.code in _DYNAMIC and operator.inputs[1].type == INT8:
            return "dynamic.prepare_" + name.lower()
        if operator.code != _DEQUANTIZE or given[0].is_constant:
            return "floating.prepare_" + name.lower()
    return function


def name_of(operator):
    """The operator's name, without loading the long list if it is one of ours."""
    return TABLE[operator.code][0] if operator.code in TABLE else operator.name


def refuse(operator, message):
    raise ValueError("%s (operator %d): %s" % (name_of(operator), operator.index, message))


def expect_shape(operator, tensor, shape):
    if tensor.shape != tuple(shape):
        refuse(operator, "expected the shape %s for tensor %d, found %s; convert the model again"
                % (shape_text(shape), tensor.index, shape_text(tensor.shape)))


def ends(operator, inputs_least, inputs_most):
    """The first input and the only output, with the counts checked."""
    if not inputs_least <= len(operator.inputs) <= inputs_most or len(operator.outputs) != 1:
        refuse(operator, "expected %d to %d inputs and 1 output, found %d and %d; convert the model again"
                % (inputs_least, inputs_most, len(operator.inputs), len(operator.outputs)))
    x, y = operator.inputs[0], operator.outputs[0]
    if x is None or x.is_constant or y.is_constant:
        refuse(operator, "its input and output must be computed, not constant; convert the model again")
    if not x.size or not y.size:
        refuse(operator, "a tensor of shape %s has no values; convert the model again"
                % shape_text(y.shape if x.size else x.shape))
    return x, y


def expect_int8(operator, *tensors):
    """int8 with one scale and a zero point in range."""
    for tensor in tensors:
        if tensor.type != INT8:
            refuse(operator, "expected int8, found %s in tensor %d; convert the model to full int8 (lesson 09)"
                    % (tensor.type_name, tensor.index))
        if tensor.scale_count != 1 or not -128 <= tensor.zero_point <= 127:
            refuse(operator, "tensor %d is int8 without a scale and a zero point; convert the model to full int8 "
                    "(lesson 09)" % tensor.index)


def options_of(operator):
    options = operator.options
    if options is None:
        refuse(operator, "its options are missing; convert the model again")
    return options


def scale_of(tensor, channel=0):
    if not tensor.scale_count:
        raise ValueError("tensor %d has no scale; convert the model to full int8 (lesson 09)" % tensor.index)
    return from_float_bits(tensor.scale_bits(channel))


def activation_limits(operator, activation, y):
    """Lowest and highest output that a fused activation leaves."""
    lowest, highest = -128, 127
    scale = scale_of(y)
    if activation == RELU or activation == RELU6:
        lowest = max(lowest, y.zero_point)
    if activation == RELU6:
        highest = min(highest, y.zero_point + quantize_constant(6, scale))
    if activation == RELU_N1_TO_1:
        lowest = max(lowest, y.zero_point + quantize_constant(-1, scale))
        highest = min(highest, y.zero_point + quantize_constant(1, scale))
    if activation not in (NONE, RELU, RELU_N1_TO_1, RELU6):
        refuse(operator, "its fused activation %d is none of NONE, RELU, RELU_N1_TO_1, RELU6; replace it with RELU"
                % activation)
    return lowest, highest


def _constant(operator, i, type_, what):
    """Input ``i``, which must be a constant of this type, whole."""
    tensor = operator.inputs[i]
    if tensor is None or tensor.type != type_ or not tensor.size or tensor.data_bytes != tensor.bytes:
        refuse(operator, "its %s must be constant, whole and of another type; convert the model to full int8 "
                "(lesson 09)" % what)
    return tensor


def weights_of(operator, units, channel_axis):
    """The filter tensor, with its scales checked."""
    weights = _constant(operator, 1, INT8, "weights")
    if weights.scale_count == 0 or weights.zero_point != 0:
        refuse(operator, "its weights must have a scale and the zero point 0, found %d; convert the model again"
                % weights.zero_point)
    if weights.scale_count > 1 and (weights.scale_count != units or weights.quantized_dimension != channel_axis):
        refuse(operator, "its weights have %d scales along axis %d, expected one for each of %d outputs along axis "
                "%d; convert the model again" % (weights.scale_count, weights.quantized_dimension, units, channel_axis))
    return weights


def use_in_place(operator, p, weights, bias_at=2):
    """Weights and biases of ``p.units`` where they lie in the file: ``biases`` is None if there are none."""
    bias = _biases(operator, bias_at, p.units)
    p.weights, p.weights_at = weights.int8_view(), weights.data_start
    p.biases, p.biases_at = (bias.view(), bias.data_start) if bias else (None, -1)


def _biases(operator, i, units):
    if len(operator.inputs) <= i or operator.inputs[i] is None:
        return None
    bias = _constant(operator, i, INT32, "bias")
    if bias.size != units:
        refuse(operator, "expected %d biases, found %d; convert the model again" % (units, bias.size))
    return bias


def fold(operator, zero_point, weights, units, first_step, step, count, bias_at=2):
    """The biases with ``-zero_point * sum(weights)`` of each unit: ``sum((x - zero_point) * w)`` is then one sum of
    products of stored values.

    The weights of unit u start at ``u * first_step`` and lie ``step`` apart.
    """
    bias = _biases(operator, bias_at, units)
    folded = array("i", bytes(4 * units))
    for unit in range(units):
        total = bias.int32(unit) if bias else 0
        if zero_point:
            weight_sum = 0
            start = unit * first_step
            for j in range(start, start + step * count, step):
                weight_sum += weights[j]
            total -= zero_point * weight_sum
        folded[unit] = to_int32(total)
    return folded


def multipliers_of(x, weights, y, units):
    """One multiplier (see `halves`) and shift for each unit."""
    multipliers = array("H", bytes(4 * units))
    shifts = array("b", bytes(units))
    for unit in range(units):
        if unit == 0 or weights.scale_count > 1:
            ratio = divide(multiply(scale_of(x), scale_of(weights, unit)), scale_of(y))
            multiplier, shift = quantized_multiplier(ratio)
        multipliers[2 * unit], multipliers[2 * unit + 1] = multiplier & 0xFFFF, multiplier >> 16
        shifts[unit] = shift
    return multipliers, shifts


def _prepare_fully_connected(operator):
    x, y = ends(operator, 2, 3)
    expect_int8(operator, x, y)
    options = options_of(operator)
    weights = operator.inputs[1]
    if weights is None or len(weights.shape) != 2 or not weights.size or x.size % weights.shape[1]:
        refuse(operator, "its weights do not fit its input of shape %s; convert the model again"
                % shape_text(x.shape))
    units, depth = weights.shape
    weights = weights_of(operator, units, 0)
    batches = x.size // depth
    if y.size != batches * units or y.shape[-1:] != (units,):
        refuse(operator, "expected an output of %d rows of %d values, found %s; convert the model again"
                % (batches, units, shape_text(y.shape)))
    lowest, highest = activation_limits(operator, options.number(0, "b"), y)
    # LiteRT's reference multiplies with the ratio of scales in double precision here, unlike in convolution.
    # One ratio for each unit, or one for all.
    ratios = weights.scale_count
    mantissas = array("H", bytes(8 * ratios))
    exponents = array("h", bytes(2 * ratios))
    for i in range(ratios):
        mantissa, exponents[i] = divide(multiply(scale_of(x), scale_of(weights, i)), scale_of(y))
        for word in range(4):
            mantissas[4 * i + word] = mantissa >> 16 * word & 0xFFFF
    parameters = Parameters(
        batches=batches, depth=depth, units=units, ratios=ratios, mantissas=mantissas, exponents=exponents,
        input_zero_point=x.zero_point, zero_point=y.zero_point, lowest=lowest, highest=highest)
    use_in_place(operator, parameters, weights)
    return Prepared(kernels.fully_connected, parameters, [x], macs=y.size * depth, weight_bytes=weights.size)


def window(operator, options, filter_height, filter_width, x, y, dilation_height=1, dilation_width=1):
    """Parameters that every sliding window has; fields 0 to 2 of the options are padding and strides."""
    if len(x.shape) != 4 or len(y.shape) != 4:
        refuse(operator, "expected batch x height x width x channels, found %s and %s; convert the model again"
                % (shape_text(x.shape), shape_text(y.shape)))
    padding = options.number(0, "b")
    stride_width, stride_height = options.number(1, "i"), options.number(2, "i")
    for value in (stride_height, stride_width, dilation_height, dilation_width, filter_height, filter_width):
        if not 1 <= value <= 65535:
            refuse(operator, "a stride, dilation or filter size is %d; convert the model again" % value)
    if padding not in (_SAME, _VALID):
        refuse(operator, "its padding is neither SAME nor VALID; convert the model again")
    batches, height, width, channels = x.shape
    reach_height = (filter_height - 1) * dilation_height + 1
    reach_width = (filter_width - 1) * dilation_width + 1
    if padding == _SAME:
        out_height = (height + stride_height - 1) // stride_height
        out_width = (width + stride_width - 1) // stride_width
    else:
        out_height = (height - reach_height) // stride_height + 1
        out_width = (width - reach_width) // stride_width + 1
    expect_shape(operator, y, (batches, out_height, out_width, y.shape[3]))
    # SAME pads as evenly as it can: the smaller half above and to the left.
    first_top = -(max(0, (out_height - 1) * stride_height + reach_height - height) // 2)
    first_left = -(max(0, (out_width - 1) * stride_width + reach_width - width) // 2)
    return Parameters(
        batches=batches, height=height, width=width, channels=channels,
        filter_height=filter_height, filter_width=filter_width,
        dilation_height=dilation_height, dilation_width=dilation_width,
        stride_height=stride_height, stride_width=stride_width,
        first_top=first_top, end_top=first_top + out_height * stride_height,
        first_left=first_left, end_left=first_left + out_width * stride_width)


def _prepare_conv(operator, depthwise):
    x, y = ends(operator, 2, 3)
    expect_int8(operator, x, y)
    options = options_of(operator)
    weights = operator.inputs[1]
    if weights is None or len(weights.shape) != 4 or len(x.shape) != 4 or not weights.size:
        refuse(operator, "its weights do not fit its input of shape %s; convert the model again"
                % shape_text(x.shape))
    channels = x.shape[3]
    if depthwise:
        _, filter_height, filter_width, units = weights.shape
        activation, dilation = 4, 5
        fits = weights.shape[0] == 1 and units % channels == 0
        per_unit = filter_height * filter_width
    else:
        units, filter_height, filter_width, depth = weights.shape
        activation, dilation = 3, 4
        fits = depth == channels
        per_unit = filter_height * filter_width * channels
    if not fits:
        refuse(operator, "its weights of shape %s do not fit %d input channels (grouped convolution is not there); "
                "use groups=1" % (shape_text(weights.shape), channels))
    weights = weights_of(operator, units, 3 if depthwise else 0)
    p = window(operator, options, filter_height, filter_width, x, y,
                options.number(dilation + 1, "i", 1), options.number(dilation, "i", 1))
    expect_shape(operator, y, y.shape[:3] + (units,))
    p.units = units
    use_in_place(operator, p, weights)
    p.multipliers, p.shifts = multipliers_of(x, weights, y, units)
    p.input_zero_point, p.zero_point = x.zero_point, y.zero_point
    p.lowest, p.highest = activation_limits(operator, options.number(activation, "b"), y)
    kernel = kernels.depthwise_conv_2d if depthwise else kernels.conv_2d
    return Prepared(kernel, p, [x], macs=y.size * per_unit, weight_bytes=weights.size)


def _prepare_conv_2d(operator):
    return _prepare_conv(operator, False)


def _prepare_depthwise_conv_2d(operator):
    return _prepare_conv(operator, True)


def _prepare_pool(operator, kernel):
    x, y = ends(operator, 1, 1)
    expect_int8(operator, x, y)
    options = options_of(operator)
    p = window(operator, options, options.number(4, "i"), options.number(3, "i"), x, y)
    expect_shape(operator, y, y.shape[:3] + (p.channels,))
    p.lowest, p.highest = activation_limits(operator, options.number(5, "b"), y)
    expect_little_work(operator, p, y)
    return Prepared(kernel, p, [x])


def expect_little_work(operator, p, y):
    """Refuses windows so large, or so many, that it would look like a hang."""
    looks = y.size * min(p.filter_height, p.height) * min(p.filter_width, p.width)
    if looks > _MOST_WORK:
        refuse(operator, "its windows cover %d values, which takes a small board many minutes; use smaller ones" % looks)


def _prepare_max_pool(operator):
    return _prepare_pool(operator, kernels.max_pool_2d)


def _prepare_average_pool(operator):
    return _prepare_pool(operator, kernels.average_pool_2d)


def places(operator, x, y, axes=None):
    """Where the first value of each output lies in x, and the ways from there to all that it stands for.

    ``axes``: those that vanish; None: as the operator's second input says.
    """
    rank = len(x.shape)
    if axes is None:
        axes = constant_numbers(operator, operator.inputs[1])
    reduced = [False] * rank
    for axis in axes:
        reduced[normal_axis(operator, axis, rank)] = True
    if y.size > _MOST_PLACES or x.size // max(1, y.size) > _MOST_PLACES:
        refuse(operator, "it makes %d values of %d, more than a small board can; use a smaller input"
               % (y.size, x.size))
    starts, steps = array("i", [0]), array("i", [0])
    stride = x.size
    for dimension, is_reduced in zip(x.shape, reduced):
        stride //= dimension
        grown = array("i", [place + stride * i for place in (steps if is_reduced else starts)
                            for i in range(dimension)])
        if is_reduced:
            steps = grown
        else:
            starts = grown
    if len(starts) != y.size:
        refuse(operator, "expected an output of %d values, found %d; convert the model again"
               % (len(starts), y.size))
    return starts, steps


def _prepare_mean(operator):
    x, y = ends(operator, 2, 2)
    expect_int8(operator, x, y)
    starts, steps = places(operator, x, y)
    count = len(steps)
    multiplier, shift = quantized_multiplier(divide(scale_of(x), scale_of(y)))
    # 1 / count goes into the multiplier, with as many more bits as count has.
    extra = min(bit_length(count) - 1, 32, 31 + shift)
    parameters = Parameters(starts=starts, steps=steps, outputs=len(starts), count=count, bias=-x.zero_point * count,
                            multiplier=(multiplier << extra) // count, shift=shift - extra, zero_point=y.zero_point)
    parameters.halves = halves([parameters.multiplier])
    return Prepared(kernels.mean, parameters, [x])


def _prepare_reshape(operator):
    x, y = ends(operator, 1, 2)
    if x.size != y.size or x.type != y.type or x.type not in (INT8, FLOAT32):
        refuse(operator, "expected an output of %d values of %s, found %d of %s; convert the model again"
                % (x.size, x.type_name, y.size, y.type_name))
    return Prepared(None, None, [x])


def _prepare_softmax(operator):
    x, y = ends(operator, 1, 1)
    expect_int8(operator, x, y)
    expect_shape(operator, y, x.shape)
    if y.zero_point != -128 or abs(y.scale * 256 - 1) > 0.001:
        refuse(operator, "expected the output scale 1/256 and zero point -128, found %s and %d; convert the model "
                "again" % (y.scale, y.zero_point))
    if not x.shape:
        refuse(operator, "its input has no axis; convert the model again")
    # Differences are scaled to 26 fractional bits; more than 5 integer bits are never needed.
    beta = from_float_bits(options_of(operator).number(0, "I"))
    mantissa, exponent = divide(multiply(beta, scale_of(x)), (1, 0))
    exponent += 26
    bits = bit_length(mantissa) + exponent
    if bits < 1:
        refuse(operator, "its input scale is %s, too small for a difference to count; train the model longer"
                % x.scale)
    # From 31 bits on, any difference but 0 is beyond what counts, and the multiplier no longer matters.
    multiplier, shift = quantized_multiplier((mantissa, exponent)) if bits < 31 else ((1 << 31) - 1, 31)
    parameters = Parameters(size=x.size, depth=x.shape[-1], multiplier=multiplier, shift=shift,
                            least_difference=-((31 << 26) >> shift))
    return Prepared(kernels.softmax, parameters, [x])


def _prepare_quantize(operator):
    x, y = ends(operator, 1, 1)
    expect_shape(operator, y, x.shape)
    expect_int8(operator, y)
    if x.type == FLOAT32:
        return Prepared(kernels.quantize, float_parameters(y), [x])
    expect_int8(operator, x)
    multiplier, shift = quantized_multiplier(divide(scale_of(x), scale_of(y)))
    parameters = Parameters(size=y.size, input_zero_point=x.zero_point, zero_point=y.zero_point,
                            multiplier=multiplier, shift=shift, halves=halves([multiplier]))
    return Prepared(kernels.requantize, parameters, [x], in_place=True)


def _prepare_dequantize(operator):
    x, y = ends(operator, 1, 1)
    expect_shape(operator, y, x.shape)
    expect_int8(operator, x)
    if y.type != FLOAT32:
        refuse(operator, "expected a float32 output, found %s; convert the model again" % y.type_name)
    return Prepared(kernels.dequantize, float_parameters(x), [x])


def float_parameters(tensor):
    """What the kernels quantize and dequantize need for an int8 tensor."""
    scale_of(tensor)  # refuses a scale that is no number
    return Parameters(scale=tensor.scale, zero_point=tensor.zero_point)


def constant_numbers(operator, tensor):
    """The values of a constant int32 tensor, such as axes or margins, as a list."""
    if tensor is None or tensor.type != INT32 or not tensor.size or tensor.data_bytes != tensor.bytes \
            or tensor.size > 64:
        refuse(operator, "its axes, margins or places must be constant int32; give the model Input(..., batch_size=1) "
               "and convert it again")
    return [tensor.int32(i) for i in range(tensor.size)]


def normal_axis(operator, axis, rank):
    """An axis counted from the front; refuses one that the tensor does not have."""
    if not -rank <= axis < rank:
        refuse(operator, "axis %d is not one of %d; convert the model again" % (axis, rank))
    return axis + rank if axis < 0 else axis


def expect_same_scale(operator, x, y):
    """Both must have the same quantization, since their values are copied as they are."""
    if x.type == INT8 and (x.scale != y.scale or x.zero_point != y.zero_point):
        refuse(operator, "its input and output have different scales; convert the model again")


# Number in schema.fbs: name; how it is prepared: a function, or one in a module that is loaded when a model needs it;
# how many inputs it needs at least (none of these left out) and at most.
TABLE = {
    0: ("ADD", "elementwise.prepare_add", 2, 2),
    1: ("AVERAGE_POOL_2D", _prepare_average_pool, 1, 1),
    2: ("CONCATENATION", "moving.prepare_concatenation", 1, 64),
    3: ("CONV_2D", _prepare_conv_2d, 2, 3),
    4: ("DEPTHWISE_CONV_2D", _prepare_depthwise_conv_2d, 2, 3),
    6: ("DEQUANTIZE", _prepare_dequantize, 1, 1),
    9: ("FULLY_CONNECTED", _prepare_fully_connected, 2, 3),
    14: ("LOGISTIC", "elementwise.prepare_logistic", 1, 1),
    17: ("MAX_POOL_2D", _prepare_max_pool, 1, 1),
    18: ("MUL", "elementwise.prepare_mul", 2, 2),
    19: ("RELU", "elementwise.prepare_relu", 1, 1),
    21: ("RELU6", "elementwise.prepare_relu6", 1, 1),
    22: ("RESHAPE", _prepare_reshape, 1, 2),
    25: ("SOFTMAX", _prepare_softmax, 1, 1),
    27: ("SVDF", "recurrent.prepare_svdf", 3, 5),
    28: ("TANH", "elementwise.prepare_tanh", 1, 1),
    34: ("PAD", "moving.prepare_pad", 2, 2),
    39: ("TRANSPOSE", "moving.prepare_transpose", 2, 2),
    40: ("MEAN", _prepare_mean, 2, 2),
    41: ("SUB", "elementwise.prepare_sub", 2, 2),
    43: ("SQUEEZE", _prepare_reshape, 1, 1),
    44: ("UNIDIRECTIONAL_SEQUENCE_LSTM", "recurrent.prepare_lstm", 1, 24),
    45: ("STRIDED_SLICE", "moving.prepare_strided_slice", 4, 4),
    49: ("SPLIT", "moving.prepare_split", 2, 2),
    56: ("ARG_MAX", "reducing.prepare_arg_max", 2, 2),
    55: ("MAXIMUM", "elementwise.prepare_maximum", 2, 2),
    57: ("MINIMUM", "elementwise.prepare_minimum", 2, 2),
    60: ("PADV2", "moving.prepare_pad", 3, 3),
    65: ("SLICE", "moving.prepare_slice", 3, 3),
    67: ("TRANSPOSE_CONV", "transposed.prepare_transpose_conv", 3, 4),
    69: ("TILE", "moving.prepare_tile", 2, 2),
    70: ("EXPAND_DIMS", _prepare_reshape, 2, 2),
    74: ("SUM", "reducing.prepare_sum", 2, 2),
    77: ("SHAPE", "moving.prepare_shape", 1, 1),
    82: ("REDUCE_MAX", "reducing.prepare_reduce_max", 2, 2),
    83: ("PACK", "moving.prepare_pack", 1, 64),
    88: ("UNPACK", "moving.prepare_unpack", 1, 1),
    97: ("RESIZE_NEAREST_NEIGHBOR", "moving.prepare_resize", 2, 2),
    98: ("LEAKY_RELU", "elementwise.prepare_leaky_relu", 1, 1),
    99: ("SQUARED_DIFFERENCE", "elementwise.prepare_squared_difference", 2, 2),
    101: ("ABS", "elementwise.prepare_abs", 1, 1),
    111: ("ELU", "elementwise.prepare_elu", 1, 1),
    114: ("QUANTIZE", _prepare_quantize, 1, 1),
    117: ("HARD_SWISH", "elementwise.prepare_hard_swish", 1, 1),
}

# What runs on float32 values too, by prepare_conv_2d and its like in floating.py; what is in neither list moves values
# of any type.
_FLOATS = (0, 1, 3, 4, 6, 9, 14, 17, 18, 19, 21, 25, 28, 40, 41, 55, 56, 57, 67, 74, 82, 98, 99, 101, 111, 117)
# And on float32 values with int8 weights, in dynamic.py.
_DYNAMIC = (3, 4, 9, 67)
# Both in floating_recurrent.py.
_RECURRENT_FLOATS = (27, 44)
