"""Operators that work value by value: two tensors into one (ADD, MUL ...), or one through a table (RELU, LOGISTIC ...).

An int8 value has 256 possible inputs, so a function of one value is a table of 256 bytes, filled when the model is
loaded by the integer formula that LiteRT's reference uses for each value.
"""

from array import array

from . import float32
from .fixed_point import divide, from_float_bits, halves, multiply, quantized_multiplier, rescale, rescale_halves
from .moving import merge, steps_of
from .operators import Parameters, Prepared, activation_limits, ends, expect_int8, expect_shape, options_of, refuse, \
    scale_of
from .reader import shape_text

# Kinds of `binary`, as in firmware/native/tflite.c.
ADD, SUB, MUL, MAXIMUM, MINIMUM, SQUARED_DIFFERENCE = range(6)
_ADD_BITS, _SQUARE_BITS = 20, 7  # how far inputs are shifted up before they are brought to one scale
_DIMENSIONS = 6


def lookup(p, x, y, scratch):
    """Each value through a table of 256."""
    table = p.table
    for i in range(p.size):
        y[i] = table[x[i] + 128]


def binary(p, x, y, scratch):
    """Two tensors into one; a dimension of one value is repeated (its step is 0)."""
    walk(p, p.steps, 0, x[0], 0, x[1], 0, y, 0)


def walk(p, steps, dimension, a, a_start, b, b_start, y, y_start):
    """``p.combine`` for the dimensions from ``dimension`` on, clipped."""
    a_step, b_step = steps[dimension + _DIMENSIONS], steps[dimension + 2 * _DIMENSIONS]
    y_step = steps[dimension + 3 * _DIMENSIONS]
    for _ in range(steps[dimension]):
        if dimension + 1 == _DIMENSIONS:
            value = p.combine(p, a[a_start], b[b_start])
            y[y_start] = p.lowest if value < p.lowest else p.highest if value > p.highest else value
        else:
            walk(p, steps, dimension + 1, a, a_start, b, b_start, y, y_start)
        a_start += a_step
        b_start += b_step
        y_start += y_step


def _combine(p, a, b):
    kind = p.kind
    if kind == MAXIMUM:
        return max(a, b)
    if kind == MINIMUM:
        return min(a, b)
    a -= p.zero_point_a
    b -= p.zero_point_b
    if kind == MUL:
        total = a * b
    else:
        # Both to one scale, with bits to spare.
        a = rescale_halves(a << p.bits, p.halves, 0, p.shift_a)
        b = rescale_halves(b << p.bits, p.halves, 1, p.shift_b)
        total = a + b if kind == ADD else a - b
        if kind == SQUARED_DIFFERENCE:
            total *= total
    return rescale_halves(total, p.halves, 2, p.shift) + p.zero_point


def _prepare_binary(operator, kind):
    a, b = operator.inputs
    y = operator.outputs[0]
    expect_int8(operator, a, b, y)
    steps = steps_of_pair(operator, a, b, y)
    lowest, highest = -128, 127
    p = Parameters(kind=kind, combine=_combine, steps=steps, zero_point_a=a.zero_point, zero_point_b=b.zero_point,
                   zero_point=y.zero_point, bits=0, multiplier_a=0, shift_a=0, multiplier_b=0, shift_b=0,
                   multiplier=0, shift=0)
    if kind in (ADD, SUB, MUL):
        options = operator.options
        lowest, highest = activation_limits(operator, options.number(0, "b") if options else 0, y)
    p.lowest, p.highest = lowest, highest
    if kind in (MAXIMUM, MINIMUM):
        for tensor in (a, b):
            if tensor.scale != y.scale or tensor.zero_point != y.zero_point:
                refuse(operator, "its inputs and output have different scales; convert the model again")
    elif kind == MUL:
        p.multiplier, p.shift = quantized_multiplier(divide(multiply(scale_of(a), scale_of(b)), scale_of(y)))
    else:
        p.bits = _SQUARE_BITS if kind == SQUARED_DIFFERENCE else _ADD_BITS
        twice = _twice_the_larger(scale_of(a), scale_of(b))
        p.multiplier_a, p.shift_a = quantized_multiplier(divide(scale_of(a), twice))
        p.multiplier_b, p.shift_b = quantized_multiplier(divide(scale_of(b), twice))
        mantissa, exponent = scale_of(y)
        if kind == SQUARED_DIFFERENCE:
            ratio = divide(multiply(twice, twice), (mantissa, exponent + 2 * p.bits))
        else:
            ratio = divide(twice, (mantissa, exponent + p.bits))
        p.multiplier, p.shift = quantized_multiplier(ratio)
        if p.shift > 0:
            refuse(operator, "its output scale is far smaller than those of its inputs; convert the model again")
    p.halves = halves([p.multiplier_a, p.multiplier_b, p.multiplier])
    return Prepared(binary, p, [a, b], in_place=True)


def _twice_the_larger(a, b):
    larger = a if _is_larger(a, b) else b
    return larger[0], larger[1] + 1


def _is_larger(a, b):
    low = min(a[1], b[1])
    return a[0] << (a[1] - low) > b[0] << (b[1] - low)


def steps_of_pair(operator, a, b, y):
    """Sizes, and the steps in a, b and y of each of six dimensions."""
    rank = len(y.shape)
    columns = [list(y.shape), _repeated(operator, a, y), _repeated(operator, b, y), steps_of(y.shape)]
    for axis, n in enumerate(y.shape):
        sizes = [(1,) * (rank - len(t.shape)) + t.shape for t in (a, b)]
        if max(sizes[0][axis], sizes[1][axis]) != n:
            refuse(operator, "its inputs do not fit its output of shape %s; convert the model again"
                   % shape_text(y.shape))
    return merge(operator, columns)


def _repeated(operator, tensor, y):
    shape = tensor.shape
    if len(shape) > len(y.shape):
        refuse(operator, "its inputs do not fit its output of shape %s; convert the model again" % shape_text(y.shape))
    shape = (1,) * (len(y.shape) - len(shape)) + shape
    for n, whole in zip(shape, y.shape):
        if n != whole and n != 1:
            refuse(operator, "its inputs do not fit its output of shape %s; convert the model again"
                   % shape_text(y.shape))
    return [0 if n == 1 else step for n, step in zip(shape, steps_of(shape))]


def prepare_add(operator):
    return _prepare_binary(operator, ADD)


def prepare_sub(operator):
    return _prepare_binary(operator, SUB)


def prepare_mul(operator):
    return _prepare_binary(operator, MUL)


def prepare_maximum(operator):
    return _prepare_binary(operator, MAXIMUM)


def prepare_minimum(operator):
    return _prepare_binary(operator, MINIMUM)


def prepare_squared_difference(operator):
    return _prepare_binary(operator, SQUARED_DIFFERENCE)


# --- through a table --------------------------------------------------------------------------------------------


def _prepare_table(operator, function):
    """``function(q)``: the output for a stored input, not yet clipped."""
    x, y = ends(operator, 1, 1)
    expect_int8(operator, x, y)
    expect_shape(operator, y, x.shape)
    table = array("b", [max(-128, min(127, function(q))) for q in range(-128, 128)])
    return Prepared(lookup, Parameters(size=y.size, table=table), [x], in_place=True)


def _ratio(x, y):
    # LiteRT divides in float32 here, and in double precision elsewhere.
    mantissa, exponent = divide(scale_of(x), scale_of(y), bits=24)
    return quantized_multiplier((mantissa << 29, exponent - 29))


def _prepare_relu(operator, activation):
    x, y = ends(operator, 1, 1)
    expect_int8(operator, x, y)
    lowest, highest = activation_limits(operator, activation, y)
    multiplier, shift = _ratio(x, y)
    return _prepare_table(operator, lambda q: max(lowest, min(
        highest, rescale(q - x.zero_point, multiplier, shift) + y.zero_point)))


def prepare_relu(operator):
    return _prepare_relu(operator, 1)


def prepare_relu6(operator):
    return _prepare_relu(operator, 3)


def prepare_abs(operator):
    x, y = ends(operator, 1, 1)
    expect_int8(operator, x, y)
    if x.scale == y.scale:
        return _prepare_table(operator, lambda q: abs(q - x.zero_point) + y.zero_point)
    multiplier, shift = _ratio(x, y)
    return _prepare_table(operator, lambda q: rescale(abs(q - x.zero_point), multiplier, shift) + y.zero_point)


def prepare_leaky_relu(operator):
    x, y = ends(operator, 1, 1)
    expect_int8(operator, x, y)
    multiplier, shift = _ratio(x, y)
    slope = options_of(operator).number(0, "I")  # the bits of alpha
    if not slope & 0x7FFFFFFF:
        slope_multiplier = slope_shift = 0
    else:
        product = float32.multiply(scale_of(x), from_float_bits(slope & 0x7FFFFFFF))
        mantissa, exponent = float32.quotient(product, scale_of(y))
        slope_multiplier, slope_shift = quantized_multiplier((mantissa << 29, exponent - 29))
        if slope >> 31:
            slope_multiplier = -slope_multiplier

    def leaky(q):
        value = q - x.zero_point
        if value >= 0:
            return rescale(value, multiplier, shift) + y.zero_point
        return rescale(value, slope_multiplier, slope_shift) + y.zero_point

    return _prepare_table(operator, leaky)


def _prepare_float_table(operator, function):
    """The table of a function of real numbers: float32 from the stored input to the stored output."""
    x, y = ends(operator, 1, 1)
    expect_int8(operator, x, y)
    x_scale = scale_of(x)
    steps = float32.quotient(float32.ONE, scale_of(y))

    def stored(q):
        value = float32.multiply(x_scale, (q - x.zero_point, 0))
        return float32.nearest(float32.multiply(function(value), steps)) + y.zero_point

    return _prepare_table(operator, stored)


def prepare_logistic(operator):
    def logistic(value):
        power = float32.rounded(float32.exp((-value[0], value[1])))
        return float32.quotient(float32.ONE, float32.add(float32.ONE, power))

    return _prepare_float_table(operator, logistic)


def prepare_tanh(operator):
    return _prepare_float_table(operator, float32.tanh)


def prepare_elu(operator):
    return _prepare_float_table(operator, lambda value: value if value[0] >= 0 else float32.exp_minus_1(value))


def prepare_hard_swish(operator):
    """``x * relu6(x + 3) / 6`` in 16-bit steps."""
    x, y = ends(operator, 1, 1)
    expect_int8(operator, x, y)
    fine = (scale_of(x)[0], scale_of(x)[1] - 7)
    multiplier, shift = _short_multiplier(float32.quotient(fine, scale_of(y)))
    gate_multiplier, gate_shift = _short_multiplier(float32.quotient(fine, (3, -15)))
    if shift > 0:
        refuse(operator, "its output scale is far smaller than its input's; convert the model again")

    def swish(q):
        value = (q - x.zero_point) << 7
        gate = value
        if gate_shift > 0:
            gate = _int16(gate << (gate_shift - 1))
        gate = _high(gate, gate_multiplier)
        if gate_shift > 0:
            gate = _int16(gate << 1)
        elif gate_shift < 0:
            gate = _shift_right(gate, -gate_shift)
        gate = (gate + (1 << 15)) >> 1  # 0 to 1 in 15 bits
        product = gate * _high(value, multiplier)
        product = -(-product >> 15) if product < 0 else product >> 15  # towards zero
        return _shift_right(product, -shift) + y.zero_point

    return _prepare_table(operator, swish)


def _short_multiplier(ratio):
    """A float32 ratio as a multiplier of 15 bits and a shift."""
    mantissa, exponent = ratio
    multiplier, shift = quantized_multiplier((mantissa << 29, exponent - 29))
    return min((multiplier + (1 << 15)) >> 16, 32767), shift


def _int16(value):
    return max(-32768, min(32767, value))


def _high(a, b):
    """High half of the doubled product of two int16; a half goes up."""
    return (a * b + (1 << 14)) >> 15


def _shift_right(value, bits):
    """``value / 2**bits``, a half away from zero."""
    if not bits:
        return value
    half = (1 << (bits - 1)) - (1 if value < 0 else 0)
    return (value + half) >> bits
