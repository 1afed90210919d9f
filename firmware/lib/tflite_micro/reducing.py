"""Operators that make few values of many: SUM, REDUCE_MAX, ARG_MAX (MEAN is in kernels_reference.py)."""

from . import float32
from .operators import Parameters, Prepared, constant_numbers, ends, expect_int8, expect_same_scale, normal_axis, \
    places, refuse, scale_of
from .reader import INT32, INT64


def reduce_max(p, x, y, scratch):
    """The largest of the values that each output stands for."""
    steps = p.steps
    out = 0
    for start in p.starts:
        most = -128
        for step in steps:
            if x[start + step] > most:
                most = x[start + step]
        y[out] = most
        out += 1


def arg_max(p, x, y, scratch):
    """Where along the axis the largest value lies; the first of equals."""
    out = 0
    for start in p.starts:
        best = 0
        for i in range(1, p.count):
            if x[start + i * p.step] > x[start + best * p.step]:
                best = i
        y[out] = best
        out += 1


def total(p, x, y, scratch):
    """The sum of the values that each output stands for, scaled in float32 as LiteRT does."""
    steps = p.steps
    out = 0
    for start in p.starts:
        value = 0
        for step in steps:
            value += x[start + step]
        scaled = float32.multiply((value, 0), (p.ratio_mantissa, p.ratio_exponent))
        value = float32.nearest(float32.add(scaled, (p.bias_mantissa, p.bias_exponent))) + p.zero_point
        y[out] = -128 if value < -128 else 127 if value > 127 else value
        out += 1


def prepare_sum(operator):
    x, y = ends(operator, 2, 2)
    expect_int8(operator, x, y)
    starts, steps = places(operator, x, y)
    ratio = float32.quotient(scale_of(x), scale_of(y))
    bias = float32.multiply(float32.multiply((-x.zero_point, 0), ratio), (len(steps), 0))
    return Prepared(total, Parameters(starts=starts, steps=steps, outputs=len(starts), count=len(steps),
                                      ratio_mantissa=ratio[0], ratio_exponent=ratio[1], bias_mantissa=bias[0],
                                      bias_exponent=bias[1], zero_point=y.zero_point), [x])


def prepare_reduce_max(operator):
    x, y = ends(operator, 2, 2)
    expect_int8(operator, x, y)
    expect_same_scale(operator, x, y)
    starts, steps = places(operator, x, y)
    return Prepared(reduce_max, Parameters(starts=starts, steps=steps, outputs=len(starts), count=len(steps)), [x])


def prepare_arg_max(operator):
    x, y = ends(operator, 2, 2)
    expect_int8(operator, x)
    axis = normal_axis(operator, constant_numbers(operator, operator.inputs[1])[0], len(x.shape))
    if y.type not in (INT32, INT64):
        refuse(operator, "expected an output of int32 or int64, found %s; convert the model again" % y.type_name)
    starts, steps = places(operator, x, y, (axis,))
    return Prepared(arg_max, Parameters(starts=starts, outputs=len(starts), count=len(steps),
                                        step=steps[1] if len(steps) > 1 else 0,
                                        wide=int(y.type == INT64)), [x])
