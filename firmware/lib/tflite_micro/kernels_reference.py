"""The definition of every operator, in plain integer Python.

A kernel gets its parameters ``p`` (made once by operators.py), the input ``x``, the output ``y`` and scratch
memory, all of them flat. A quantized value ``q`` stands for ``scale * (q - zero_point)``.

Weights and biases are used where they lie in the file. What lies outside the image counts as 0.0, so
that it adds nothing.

Nothing is allocated, but for `softmax`: MicroPython makes an object of each integer over 31 bits, of each slice, of a range
whose step is no constant, and of four values that are assigned at once.
"""

from array import array

from .fixed_point import bit_length, rescale_double_halves, rescale_halves, to_int32

_INT32_MAX = (1 << 31) - 1
_cell = array("f", [0.0])


def fully_connected(p, x, y, scratch):
    """Each output is the bias plus a row of weights times the input; four outputs at a time, see `conv_2d`."""
    a = b = c = d = value = j = 0  # first in the frame, where they are reached fastest
    depth, last = p.depth, p.units - 1
    weights, input_zero_point = p.weights, p.input_zero_point
    out = 0
    for batch in range(p.batches):
        row = x if p.batches == 1 else x[batch * depth : (batch + 1) * depth]
        for unit in range(0, last + 1, 4):
            unit_b, unit_c, unit_d = min(unit + 1, last), min(unit + 2, last), min(unit + 3, last)
            to_b, to_c, to_d = (unit_b - unit) * depth, (unit_c - unit) * depth, (unit_d - unit) * depth
            a = b = c = d = 0
            j = unit * depth
            for value in row:
                value -= input_zero_point
                a += value * weights[j]
                b += value * weights[j + to_b]
                c += value * weights[j + to_c]
                d += value * weights[j + to_d]
                j += 1
            _finish_dense(p, a, unit, y, out)
            _finish_dense(p, b, unit_b, y, out)
            _finish_dense(p, c, unit_c, y, out)
            _finish_dense(p, d, unit_d, y, out)
        out += last + 1


def _finish_dense(p, total, unit, y, out):
    if p.biases:
        total += p.biases[unit]
    i = unit if p.ratios > 1 else 0
    value = rescale_double_halves(total, p.mantissas, i, p.exponents[i]) + p.zero_point
    y[out + unit] = p.lowest if value < p.lowest else p.highest if value > p.highest else value


def conv_2d(p, x, y, scratch):
    """For each place and each unit: the bias plus what the filter covers, times its weights.

    Four units at a time, so that an input is looked up once for four multiplications: a, b, c, d are their sums. Beyond the
    last unit comes the last one again.
    """
    i = j = value = a = b = c = d = 0  # first in the frame, where they are reached fastest
    weights, input_zero_point, last = p.weights, p.input_zero_point, p.units - 1
    height, width, channels = p.height, p.width, p.channels
    filter_height, filter_width = p.filter_height, p.filter_width
    dilation_height, dilation_width = p.dilation_height, p.dilation_width
    per_unit = filter_height * filter_width * channels
    out = 0
    for batch in range(p.batches):
        top = p.first_top
        while top < p.end_top:
            first_y, end_y = _first(top, dilation_height), _end(top, dilation_height, filter_height, height)
            left = p.first_left
            while left < p.end_left:
                first_x, end_x = _first(left, dilation_width), _end(left, dilation_width, filter_width, width)
                # What is covered of an image row lies in one run, or with dilation in one for each tap.
                runs = max(0, end_x - first_x) if dilation_width > 1 else 1
                run = channels if dilation_width > 1 else (end_x - first_x) * channels
                for unit in range(0, last + 1, 4):
                    unit_b, unit_c, unit_d = min(unit + 1, last), min(unit + 2, last), min(unit + 3, last)
                    to_b, to_c, to_d = (unit_b - unit) * per_unit, (unit_c - unit) * per_unit, (unit_d - unit) * per_unit
                    a = b = c = d = 0
                    for filter_y in range(first_y, end_y):
                        row = (batch * height + top + filter_y * dilation_height) * width
                        start = (row + left + first_x * dilation_width) * channels
                        j = unit * per_unit + (filter_y * filter_width + first_x) * channels
                        for _ in range(runs):
                            for i in range(start, start + run):
                                value = x[i] - input_zero_point
                                a += value * weights[j]
                                b += value * weights[j + to_b]
                                c += value * weights[j + to_c]
                                d += value * weights[j + to_d]
                                j += 1
                            start += dilation_width * channels
                    _finish(p, a, unit, y, out)
                    _finish(p, b, unit_b, y, out)
                    _finish(p, c, unit_c, y, out)
                    _finish(p, d, unit_d, y, out)
                out += last + 1
                left += p.stride_width
            top += p.stride_height


def _finish(p, total, unit, y, out):
    """Bias, scale, zero point and limits of one output."""
    if p.biases:
        total += p.biases[unit]
    value = rescale_halves(total, p.multipliers, unit, p.shifts[unit]) + p.zero_point
    y[out + unit] = p.lowest if value < p.lowest else p.highest if value > p.highest else value


def depthwise_conv_2d(p, x, y, scratch):
    """As conv_2d, but each output channel sees one input channel only."""
    i = j = a = b = c = d = 0
    weights, input_zero_point = p.weights, p.input_zero_point
    height, width, channels = p.height, p.width, p.channels
    filter_height, filter_width = p.filter_height, p.filter_width
    dilation_height, dilation_width = p.dilation_height, p.dilation_width
    units, last = p.units, p.units - 1
    units_per_channel, step = units // channels, dilation_width * channels
    out = 0
    for batch in range(p.batches):
        top = p.first_top
        while top < p.end_top:
            first_y, end_y = _first(top, dilation_height), _end(top, dilation_height, filter_height, height)
            left = p.first_left
            while left < p.end_left:
                first_x, end_x = _first(left, dilation_width), _end(left, dilation_width, filter_width, width)
                for unit in range(0, units, 4):
                    unit_b, unit_c, unit_d = min(unit + 1, last), min(unit + 2, last), min(unit + 3, last)
                    channel = unit // units_per_channel
                    to_b, to_c = unit_b // units_per_channel - channel, unit_c // units_per_channel - channel
                    to_d = unit_d // units_per_channel - channel
                    a = b = c = d = 0
                    for filter_y in range(first_y, end_y):
                        row = (batch * height + top + filter_y * dilation_height) * width
                        i = (row + left + first_x * dilation_width) * channels + channel
                        j = (filter_y * filter_width + first_x) * units
                        for _ in range(first_x, end_x):
                            a += (x[i] - input_zero_point) * weights[j + unit]
                            b += (x[i + to_b] - input_zero_point) * weights[j + unit_b]
                            c += (x[i + to_c] - input_zero_point) * weights[j + unit_c]
                            d += (x[i + to_d] - input_zero_point) * weights[j + unit_d]
                            i += step
                            j += units
                    _finish(p, a, unit, y, out)
                    _finish(p, b, unit_b, y, out)
                    _finish(p, c, unit_c, y, out)
                    _finish(p, d, unit_d, y, out)
                out += units
                left += p.stride_width
            top += p.stride_height


def _first(place, dilation):
    """The first tap of a filter at ``place`` that is not before the image."""
    return 0 if place >= 0 else (dilation - 1 - place) // dilation


def _end(place, dilation, taps, size):
    """The tap after the last one that is not behind the image."""
    return min(taps, (size - place + dilation - 1) // dilation)


def max_pool_2d(p, x, y, scratch):
    """The largest value under the window; outside the image there is none."""
    _pool(p, x, y, False)


def average_pool_2d(p, x, y, scratch):
    """The mean of what lies under the window and inside the image; a half goes away from zero."""
    _pool(p, x, y, True)


def _pool(p, x, y, is_average):
    width, channels = p.width, p.channels
    lowest, highest = p.lowest, p.highest
    out = 0
    for batch in range(p.batches):
        top = p.first_top
        while top < p.end_top:
            first_row, end_row = max(top, 0), min(top + p.filter_height, p.height)
            left = p.first_left
            while left < p.end_left:
                first, end = max(left, 0), min(left + p.filter_width, width)
                count = (end_row - first_row) * (end - first)
                for channel in range(channels):
                    total, most = 0, lowest
                    for row in range(first_row, end_row):
                        i = ((batch * p.height + row) * width + first) * channels + channel
                        for _ in range(first, end):
                            value = x[i]
                            total += value
                            if value > most:
                                most = value
                            i += channels
                    if is_average:
                        most = (total + count // 2) // count if total > 0 else -((count // 2 - total) // count)
                    y[out] = lowest if most < lowest else highest if most > highest else most
                    out += 1
                left += p.stride_width
            top += p.stride_height


def mean(p, x, y, scratch):
    """The mean over some axes: ``starts`` has one place for each output, ``steps`` the way to what it averages."""
    steps = p.steps
    out = 0
    for start in p.starts:
        total = p.bias
        for step in steps:
            total += x[start + step]
        value = rescale_halves(total, p.halves, 0, p.shift) + p.zero_point
        y[out] = -128 if value < -128 else 127 if value > 127 else value
        out += 1


def softmax(p, x, y, scratch):
    """``exp(x) / sum(exp(x))`` along the last axis, in fixed point as gemmlowp defines it.

    Only differences to the largest value count. Their exponentials have 31 fractional bits, the sum has 19.
    """
    depth = p.depth
    for start in range(0, p.size, depth):
        row = x[start : start + depth]
        largest = max(row)
        total = 0
        for value in row:
            if value - largest >= p.least_difference:
                total += _shift_right(_exp(p, value - largest), 12)
        bits = bit_length(total)
        reciprocal = _reciprocal((total << (32 - bits)) - (1 << 31))
        shift = bits - 20 + 31 - 8  # bits - 20: how far the sum lies above 1; 8: bits of the output
        for i in range(start, start + depth):
            value = x[i] - largest
            if value < p.least_difference:
                y[i] = -128
            else:
                y[i] = min(_shift_right(_multiply(reciprocal, _exp(p, value)), shift) - 128, 127)


def quantize(p, x, y, scratch):
    """float32 to int8: ``round(x / scale) + zero_point``, a half away from zero, clipped to int8.

    The division is rounded to float32 (that is what the cell is for), so that a board with float32, a computer
    with doubles and LiteRT all give the same.
    """
    cell, scale, zero_point = _cell, p.scale, p.zero_point
    for i in range(len(y)):
        cell[0] = x[i]
        cell[0] = cell[0] / scale
        steps = cell[0]
        if steps != steps:
            raise ValueError("value %d is not a number (NaN); mend the input before predict" % i)
        # Clip before int(): infinity has no integer.
        if steps > 512:
            steps = 512
        elif steps < -512:
            steps = -512
        value = int(steps)
        rest = steps - value
        if rest >= 0.5:
            value += 1
        elif rest <= -0.5:
            value -= 1
        value += zero_point
        y[i] = -128 if value < -128 else 127 if value > 127 else value


def dequantize(p, x, y, scratch):
    """int8 to float32: ``scale * (x - zero_point)``."""
    scale, zero_point = p.scale, p.zero_point
    for i in range(len(y)):
        y[i] = scale * (x[i] - zero_point)


def requantize(p, x, y, scratch):
    """int8 to int8 with another scale and zero point."""
    for i in range(len(y)):
        value = rescale_halves(x[i] - p.input_zero_point, p.halves, 0, p.shift) + p.zero_point
        y[i] = -128 if value < -128 else 127 if value > 127 else value


# Fixed-point arithmetic of softmax. Constants are the numbers in the comments with 31 fractional bits,
# 29 for those above 1.


def _multiply(a, b):
    """High half of the doubled product, a half goes up."""
    return (a * b + (1 << 30)) >> 31


def _shift_right(a, bits):
    """``a / 2**bits``, a half away from zero."""
    if not bits:
        return a
    half = 1 << (bits - 1)
    return (a + half - (1 if a < 0 else 0)) >> bits


def _shift_left(a, bits):
    """``a * 2**bits``, at most what 32 bits hold."""
    return max(-_INT32_MAX - 1, min(_INT32_MAX, a << bits))


def _exp(p, difference):
    """``exp`` of a difference (<= 0) of two inputs, with 31 fractional bits."""
    a = _multiply(to_int32(difference << p.shift), p.multiplier)  # 26 fractional bits
    if a == 0:
        return _INT32_MAX
    # exp(a) = exp(fraction) * exp(-1/4)**.. with -1/4 <= fraction < 0: a Taylor series around -1/8 ...
    quarter = 1 << 24
    fraction = (a & (quarter - 1)) - quarter
    x = _shift_left(fraction, 5) + (1 << 28)
    x2 = _multiply(x, x)
    x3 = _multiply(x2, x)
    x4 = _multiply(x2, x2)
    series = _shift_right(_multiply(_shift_right(x4, 2) + x3, 715827883) + x2, 1)  # 1/3
    result = 1895147668 + _multiply(1895147668, x + series)  # exp(-1/8)
    # ... times one constant for each bit of what remains.
    remainder = fraction - a
    bit = quarter
    for constant in (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242):  # exp(-1/4) .. exp(-16)
        if remainder & bit:
            result = _multiply(result, constant)
        bit <<= 1
    return result


def _reciprocal(a):
    """``1 / (1 + a)`` for 0 <= a < 1, with 31 fractional bits: three steps of Newton and Raphson."""
    half_denominator = (a + _INT32_MAX + 1) >> 1
    x = 1515870810 + _multiply(half_denominator, -1010580540)  # 48/17 - 32/17 * d
    for _ in range(3):
        error = (1 << 29) - _multiply(half_denominator, x)
        x += _shift_left(_multiply(x, error), 2)
    return _shift_left(x, 1)
