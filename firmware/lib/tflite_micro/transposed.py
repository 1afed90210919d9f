"""TRANSPOSE_CONV: a convolution that makes images larger, by the stride."""

from .fixed_point import rescale_halves
from .operators import Parameters, Prepared, activation_limits, constant_numbers, expect_int8, expect_shape, \
    multipliers_of, options_of, refuse, use_in_place, weights_of
from .reader import shape_text


def transpose_conv(p, x, y, scratch):
    """For each place of the output and each unit: the bias plus the inputs that reach it, times their weights."""
    units, channels = p.units, p.channels
    weights, biases, input_zero_point = p.weights, p.biases, p.input_zero_point
    zero_point, lowest, highest = p.zero_point, p.lowest, p.highest
    stride_height, stride_width = p.stride_height, p.stride_width
    out = 0
    for batch in range(p.batches):
        for row in range(p.out_height):
            for column in range(p.out_width):
                for unit in range(units):
                    total = biases[unit] if biases else 0
                    for filter_y in range(p.filter_height):
                        # An input reaches this place if it lies a whole number of strides away.
                        place_y = row + p.pad_top - filter_y
                        if place_y % stride_height or not 0 <= place_y < p.height * stride_height:
                            continue
                        for filter_x in range(p.filter_width):
                            place_x = column + p.pad_left - filter_x
                            if place_x % stride_width or not 0 <= place_x < p.width * stride_width:
                                continue
                            place = (batch * p.height + place_y // stride_height) * p.width + place_x // stride_width
                            j = ((unit * p.filter_height + filter_y) * p.filter_width + filter_x) * channels
                            for i in range(place * channels, (place + 1) * channels):
                                total += (x[i] - input_zero_point) * weights[j]
                                j += 1
                    value = rescale_halves(total, p.multipliers, unit, p.shifts[unit]) + zero_point
                    y[out] = lowest if value < lowest else highest if value > highest else value
                    out += 1


def prepare_transpose_conv(operator):
    p, x, y, activation = image_parameters(operator, expect_int8)
    units = p.units
    weights = weights_of(operator, units, 0)
    use_in_place(operator, p, weights, 3)
    p.input_zero_point, p.zero_point = x.zero_point, y.zero_point
    p.lowest, p.highest = activation_limits(operator, activation, y)
    p.multipliers, p.shifts = multipliers_of(x, weights, y, units)
    return Prepared(transpose_conv, p, [x], macs=x.size * p.filter_height * p.filter_width * units,
                    weight_bytes=weights.size)


def image_parameters(operator, expect_type):
    """Sizes, strides and margins, the input, the output, and the number of the fused activation."""
    shape, weights, x = operator.inputs[:3]
    y = operator.outputs[0]
    expect_type(operator, x, y)
    if len(x.shape) != 4 or len(weights.shape) != 4 or weights.shape[3] != x.shape[3] or not x.size * y.size:
        refuse(operator, "its weights of shape %s do not fit its input of shape %s; convert the model again"
               % (shape_text(weights.shape), shape_text(x.shape)))
    units, filter_height, filter_width, channels = weights.shape
    expect_shape(operator, y, constant_numbers(operator, shape))
    batches, height, width, _ = x.shape
    options = options_of(operator)
    padding, stride_width, stride_height = options.number(0, "b"), options.number(1, "i"), options.number(2, "i")
    if y.shape[0] != batches or y.shape[3] != units or padding not in (0, 1) \
            or not 1 <= stride_width <= 65535 or not 1 <= stride_height <= 65535:
        refuse(operator, "its output of shape %s does not fit its input; convert the model again"
               % shape_text(y.shape))
    out_height, out_width = y.shape[1:3]
    same = padding == 0
    if height != _back(out_height, filter_height, stride_height, same) \
            or width != _back(out_width, filter_width, stride_width, same):
        refuse(operator, "its output of shape %s does not fit its input of shape %s; convert the model again"
               % (shape_text(y.shape), shape_text(x.shape)))
    p = Parameters(
        batches=batches, height=height, width=width, channels=channels, filter_height=filter_height,
        filter_width=filter_width, stride_height=stride_height, stride_width=stride_width,
        pad_top=max(0, (height - 1) * stride_height + filter_height - out_height) // 2 if same else 0,
        pad_left=max(0, (width - 1) * stride_width + filter_width - out_width) // 2 if same else 0,
        out_height=out_height, out_width=out_width, units=units)
    return p, x, y, options.number(3, "b")


def _back(size, filter_size, stride, same):
    """What a convolution makes of the output: the size of the input."""
    return (size + stride - 1) // stride if same else (size - filter_size) // stride + 1
