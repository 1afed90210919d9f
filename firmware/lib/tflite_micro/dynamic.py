"""Layers of dynamic-range models: int8 weights, float32 values.

Each time, the floats that have just come are quantized by their own range, row by row (dense layers) or image by image
(convolutions), multiplied as integers, and made floats again. The steps are those of LiteRT, in its order, and what
decides an integer is rounded to float32, or computed with integers where LiteRT uses doubles. TensorFlow Lite Micro
does not have such layers. As floating.py, this allocates and is slow.
"""

import math
import struct
from array import array

from .fixed_point import divide, from_float_bits, round_to
from .float32 import nearest
from .floating import convolution_parameters, covers, finish, finish_all, float_ends, fully_connected_parameters, \
    reaches, rows_and_columns, scales_of, transpose_conv_parameters
from .operators import Prepared, options_of, weights_of

_INFINITE = float("inf")
_TINY = 4e-37  # 127 divided by less is more than a float32 holds


def dynamic_fully_connected(p, x, y, quantized):
    """Each row has a scale of its own."""
    values, bias = _split(x)
    weights, scales, depth = p.weights, p.scales, p.depth
    cells = array("f", [0.0, 0.0])
    out = 0
    for start in range(0, p.batches * depth, depth):
        scale, zero_point = p.quantize(values[start : start + depth], quantized)
        j = 0
        for unit in range(p.units):
            total = 0
            for value in quantized:
                total += (value - zero_point) * weights[j]
                j += 1
            cells[0] = total
            cells[1] = scale * scales[unit % len(scales)]
            cells[0] *= cells[1]
            y[out] = finish(p, cells, bias, unit)
            out += 1


def dynamic_conv_2d(p, x, y, quantized):
    """Each image has a scale of its own."""
    values, bias = _split(x)
    weights, scales, channels = p.weights, p.scales, p.channels
    per_unit = p.filter_height * p.filter_width * channels
    size = len(quantized)
    cells = array("f", [0.0, 0.0])
    out = 0
    for batch in range(p.batches):
        scale, zero_point = p.quantize(values[batch * size : (batch + 1) * size], quantized)
        for top in range(p.first_top, p.end_top, p.stride_height):
            for left in range(p.first_left, p.end_left, p.stride_width):
                covered = covers(p, 0, top, left)
                for unit in range(p.units):
                    total = 0
                    for start, place in covered:
                        j = unit * per_unit + place * channels
                        for i in range(start, start + channels):
                            total += (quantized[i] - zero_point) * weights[j]
                            j += 1
                    cells[0] = total
                    if p.one_scale:
                        cells[1] = scale * scales[0]
                    else:
                        cells[0] *= scales[unit]
                        cells[1] = scale
                    cells[0] *= cells[1]
                    y[out] = finish(p, cells, bias, unit)
                    out += 1


def dynamic_depthwise_conv_2d(p, x, y, quantized):
    """As dynamic_conv_2d, but each output channel sees one input channel only."""
    values, bias = _split(x)
    weights, scales, units = p.weights, p.scales, p.units
    units_per_channel = units // p.channels
    size = len(quantized)
    cells = array("f", [0.0, 0.0])
    out = 0
    for batch in range(p.batches):
        scale, zero_point = p.quantize(values[batch * size : (batch + 1) * size], quantized)
        for top in range(p.first_top, p.end_top, p.stride_height):
            for left in range(p.first_left, p.end_left, p.stride_width):
                covered = covers(p, 0, top, left)
                for unit in range(units):
                    total = 0
                    for start, place in covered:
                        total += (quantized[start + unit // units_per_channel] - zero_point) \
                            * weights[place * units + unit]
                    cells[0] = total
                    cells[1] = scales[unit % len(scales)] * scale
                    cells[0] *= cells[1]
                    y[out] = finish(p, cells, bias, unit)
                    out += 1


def dynamic_transpose_conv(p, x, y, quantized):
    """Each input is added, times a weight, to the outputs that it reaches; here the sum itself is of floats."""
    values, bias = _split(x)
    weights, scales, channels, units = p.weights, p.scales, p.channels, p.units
    for i in range(len(y)):
        y[i] = 0.0
    cells = array("f", [0.0, 0.0])
    size = len(quantized)
    for batch, row, column in rows_and_columns(p):
        if not row and not column:
            scale, zero_point = p.quantize(values[batch * size : (batch + 1) * size], quantized)
        reached = reaches(p, batch, row, column)
        start = (row * p.width + column) * channels
        for channel in range(channels):
            value = quantized[start + channel] - zero_point
            for out, weight in reached:
                cells[1] = value * weights[weight + channel]
                cells[1] *= scales[out % units % len(scales)]
                cells[1] *= scale
                y[out] += cells[1]
    finish_all(p, cells, bias, y)


def _split(x):
    """Values and bias; None if there is no bias."""
    return (x[0], x[1]) if isinstance(x, list) else (x, None)


# --- quantization at run time -----------------------------------------------------------------------------------


def quantize_symmetric(values, quantized):
    """Fill ``quantized`` with -127 to 127 for minus to plus the largest size; gives scale and zero point."""
    largest = max(max(values), -min(values))
    _expect_finite(values)
    cell = array("f", [largest / 127])
    scale = cell[0]
    if largest < _TINY:
        for i in range(len(quantized)):
            quantized[i] = 0
        return 1.0, 0
    cell[0] = 127 / largest
    inverse = cell[0]
    for i in range(len(quantized)):
        cell[0] = values[i] * inverse
        quantized[i] = max(-127, min(127, _nearest(cell[0])))
    return scale, 0


def quantize_asymmetric(values, quantized):
    """Fill ``quantized`` with -128 to 127 for the lowest to the highest value; gives scale and zero point."""
    lowest, highest = min(0.0, min(values)), max(0.0, max(values))
    cell = array("f", [highest - lowest])
    _expect_finite(values)
    if cell[0] < _TINY:
        for i in range(len(quantized)):
            quantized[i] = 0
        return 1.0, 0
    scale, zero_point = _scale_and_zero_point(_parts(-lowest), _parts(highest), _parts(cell[0]))
    cell[0] = 1.0 / scale
    inverse = cell[0]
    for i in range(len(quantized)):
        cell[0] = values[i] * inverse
        quantized[i] = max(-128, min(127, _nearest(cell[0]) + zero_point))
    return scale, zero_point


def _scale_and_zero_point(below, above, span):
    """For values from ``-below`` to ``above``; LiteRT's doubles are (mantissa, exponent) here."""
    scale = divide(span, (255, 0))
    steps_below, steps_above = divide(below, scale), divide(above, scale)
    # From the end at which less is lost.
    if _is_less(_double_sum((128, 0), steps_below), _double_sum((127, 0), steps_above)):
        zero_point = _double_sum((-128, 0), steps_below)
    else:
        zero_point = _double_sum((127, 0), (-steps_above[0], steps_above[1]))
    mantissa, exponent = round_to(scale[0], scale[1], 24)
    return math.ldexp(mantissa, exponent), max(-128, min(127, nearest(zero_point)))


def _parts(value):
    """A float32 of at least 0 as (mantissa, exponent)."""
    bits = struct.unpack("<I", struct.pack("<f", value))[0] & 0x7FFFFFFF
    return from_float_bits(bits) if bits else (0, 0)


def _aligned(a, b):
    low = min(a[1], b[1])
    return a[0] << (a[1] - low), b[0] << (b[1] - low), low


def _double_sum(a, b):
    """``a + b`` as doubles are added."""
    a, b, exponent = _aligned(a, b)
    mantissa, exponent = round_to(abs(a + b), exponent, 53)
    return (-mantissa if a + b < 0 else mantissa), exponent


def _is_less(a, b):
    a, b, _ = _aligned(a, b)
    return a < b


def _nearest(value):
    """The nearest integer; a half goes away from zero."""
    whole = int(value)
    rest = value - whole
    return whole + 1 if rest >= 0.5 else whole - 1 if rest <= -0.5 else whole


def _expect_finite(values):
    # The sum is neither a number nor finite if one of them is not, wherever it stands.
    if not -_INFINITE < sum(values) < _INFINITE:
        raise ValueError("a dynamic-range layer got a value that is infinite or not a number (NaN); mend the input")


# --- preparing --------------------------------------------------------------------------------------------------


def _prepared(operator, kernel, parameters, channel_axis, scratch_bytes):
    p, inputs, macs = parameters
    weights = weights_of(operator, p.units, channel_axis)
    p.weights, p.scales = weights.int8_view(), scales_of(weights)
    p.one_scale = len(set(p.scales)) == 1
    return Prepared(kernel, p, inputs, macs=macs, scratch_bytes=scratch_bytes, weight_bytes=weights.size)


def prepare_fully_connected(operator):
    x, y = float_ends(operator, 2, 3)
    parameters = fully_connected_parameters(operator, x, y)
    p = parameters[0]
    p.quantize = quantize_asymmetric if options_of(operator).number(3, "b") else quantize_symmetric
    return _prepared(operator, dynamic_fully_connected, parameters, 0, p.depth)


def prepare_conv_2d(operator):
    x, y = float_ends(operator, 2, 3)
    prepared = _prepared(operator, dynamic_conv_2d, convolution_parameters(operator, x, y, False), 0,
                         x.size // x.shape[0])
    # LiteRT has two kernels: one for a single scale, one for a scale for each channel.
    prepared.parameters.quantize = quantize_symmetric if prepared.parameters.one_scale else quantize_asymmetric
    return prepared


def prepare_depthwise_conv_2d(operator):
    x, y = float_ends(operator, 2, 3)
    prepared = _prepared(operator, dynamic_depthwise_conv_2d, convolution_parameters(operator, x, y, True), 3,
                         x.size // x.shape[0])
    prepared.parameters.quantize = quantize_asymmetric
    return prepared


def prepare_transpose_conv(operator):
    parameters = transpose_conv_parameters(operator)
    x = parameters[1][0]
    prepared = _prepared(operator, dynamic_transpose_conv, parameters, 0, x.size // x.shape[0])
    prepared.parameters.quantize = quantize_asymmetric
    return prepared
