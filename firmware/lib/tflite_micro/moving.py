"""Operators that only move values: PAD, CONCATENATION, SPLIT, SLICE, TRANSPOSE and their kin.

All of them are one kernel, `move`: it copies boxes of values, each with its own steps in the source and in the target.
"""

import struct
from array import array

from .operators import Parameters, Prepared, constant_numbers, expect_same_scale, normal_axis, options_of, refuse
from .reader import FLOAT32, INT8, INT32, INT64, shape_text

_MOST_DIMENSIONS = 6  # of a box, once dimensions that lie evenly in both tensors are one
_PIECE = 4 + 3 * _MOST_DIMENSIONS  # numbers for each box: see `_pieces`
_ITEM_BYTES = {INT8: 1, INT32: 4, FLOAT32: 4}


def move(p, x, y, scratch):
    """Copy boxes. For each: which x and y, where it starts in both, its sizes, its steps in x, its steps in y."""
    pieces = p.pieces
    if p.fills:
        for i in range(len(y)):
            y[i] = p.fill
    for piece in range(p.count):
        start = piece * _PIECE
        sizes = start + 4
        _copy(pieces, sizes, sizes + _MOST_DIMENSIONS, x if p.inputs == 1 else x[pieces[start]],
              pieces[start + 2], y if p.outputs == 1 else y[pieces[start + 1]], pieces[start + 3])


def _copy(pieces, dimension, last, x, x_start, y, y_start):
    """Copy the dimensions from ``dimension`` on: places in ``pieces``, where the sizes end at ``last``."""
    x_step, y_step = pieces[dimension + _MOST_DIMENSIONS], pieces[dimension + 2 * _MOST_DIMENSIONS]
    for _ in range(pieces[dimension]):
        if dimension + 1 == last:
            y[y_start] = x[x_start]
        else:
            _copy(pieces, dimension + 1, last, x, x_start, y, y_start)
        x_start += x_step
        y_start += y_step


def steps_of(shape):
    """How far apart neighbours along each axis lie.

    >>> steps_of((2, 3, 4))
    [12, 4, 1]
    """
    steps, step = [0] * len(shape), 1
    for axis in range(len(shape) - 1, -1, -1):
        steps[axis] = step
        step *= shape[axis]
    return steps


def _pieces(operator, boxes):
    """The numbers of `move` for boxes of (source, target, source start, target start, sizes, steps, steps)."""
    numbers = array("i")
    for source, target, x_start, y_start, sizes, x_steps, y_steps in boxes:
        numbers.extend(array("i", [source, target, x_start, y_start]))
        numbers.extend(merge(operator, [sizes, x_steps, y_steps]))
    return numbers


def merge(operator, columns):
    """Sizes and steps in several tensors for `_MOST_DIMENSIONS` dimensions, those that lie evenly made one.

    ``columns``: the sizes, then the steps in each tensor.
    """
    merged = []
    for row in zip(*columns):
        size = row[0]
        if size == 1:
            continue
        if merged and all([merged[-1][i] == row[i] * size for i in range(1, len(row))]):
            merged[-1] = (merged[-1][0] * size,) + row[1:]
        else:
            merged.append(row)
    if len(merged) > _MOST_DIMENSIONS:
        refuse(operator, "it works on %d dimensions, more than %d; convert the model again"
               % (len(merged), _MOST_DIMENSIONS))
    merged = [(1,) + (0,) * (len(columns) - 1)] * (_MOST_DIMENSIONS - len(merged)) + merged
    return array("i", [row[i] for i in range(len(columns)) for row in merged])


def _moves(operator, inputs, boxes, fill=None):
    outputs = operator.outputs
    kind = inputs[0].type
    bits = struct.unpack('<i', struct.pack('<f', fill or 0))[0] if kind == FLOAT32 else fill or 0
    for tensor in inputs + outputs:
        if tensor.type != kind or kind not in _ITEM_BYTES:
            refuse(operator, "it moves %s to %s; expected one type, int8, int32 or float32; convert the model again"
                   % (inputs[0].type_name, tensor.type_name))
    pieces = _pieces(operator, boxes)
    return Prepared(move, Parameters(
        inputs=len(inputs), outputs=len(outputs), item_bytes=_ITEM_BYTES[kind], count=len(pieces) // _PIECE,
        fills=int(fill is not None), fill=fill or 0, fill_bits=bits, size=outputs[0].size, pieces=pieces), inputs)


def prepare_concatenation(operator):
    y = operator.outputs[0]
    options = options_of(operator)
    axis = normal_axis(operator, options.number(0, "i"), len(y.shape))
    if options.number(1, "b"):
        refuse(operator, "it has a fused activation; put the activation into the layers before it")
    boxes, place, inputs = [], 0, []
    y_steps = steps_of(y.shape)
    for tensor in operator.inputs:
        if tensor is None or len(tensor.shape) != len(y.shape):
            refuse(operator, "its inputs do not fit together; convert the model again")
        expect_same_scale(operator, tensor, y)
        boxes.append((len(inputs), 0, 0, place * y_steps[axis], tensor.shape, steps_of(tensor.shape), y_steps))
        inputs.append(tensor)
        place += tensor.shape[axis]
    whole = [n if i != axis else place for i, n in enumerate(inputs[0].shape)] if inputs else []
    for tensor in inputs:
        if tensor.shape[:axis] + tensor.shape[axis + 1:] != y.shape[:axis] + y.shape[axis + 1:] \
                or tuple(whole) != y.shape:
            refuse(operator, "its inputs do not fit together; convert the model again")
    return _moves(operator, inputs, boxes)


def prepare_pack(operator):
    y = operator.outputs[0]
    axis = normal_axis(operator, options_of(operator).number(1, "i"), len(y.shape))
    y_steps = steps_of(y.shape)
    shape = y.shape[:axis] + y.shape[axis + 1:]
    boxes = []
    for i, tensor in enumerate(operator.inputs):
        if tensor is None or tensor.shape != shape or len(operator.inputs) != y.shape[axis]:
            refuse(operator, "its inputs do not fit its output of shape %s; convert the model again"
                   % shape_text(y.shape))
        expect_same_scale(operator, tensor, y)
        boxes.append((i, 0, 0, i * y_steps[axis], shape, steps_of(shape), y_steps[:axis] + y_steps[axis + 1:]))
    return _moves(operator, list(operator.inputs), boxes)


def _apart(operator, x, axis, keeps_axis):
    """SPLIT and UNPACK: x cut along an axis, one part for each output."""
    x_steps = steps_of(x.shape)
    boxes, place = [], 0
    for i, y in enumerate(operator.outputs):
        width = y.shape[axis] if keeps_axis and axis < len(y.shape) else 1
        shape = x.shape[:axis] + (width,) + x.shape[axis + 1:]
        if y.shape != (shape if keeps_axis else x.shape[:axis] + x.shape[axis + 1:]):
            refuse(operator, "its outputs do not fit its input of shape %s; convert the model again"
                   % shape_text(x.shape))
        expect_same_scale(operator, x, y)
        boxes.append((0, i, place * x_steps[axis], 0, shape, x_steps, steps_of(shape)))
        place += width
    if place != x.shape[axis]:
        refuse(operator, "its outputs have %d of %d parts; convert the model again" % (place, x.shape[axis]))
    return _moves(operator, [x], boxes)


def prepare_split(operator):
    axis, x = operator.inputs
    return _apart(operator, x, normal_axis(operator, constant_numbers(operator, axis)[0], len(x.shape)), True)


def prepare_unpack(operator):
    x = operator.inputs[0]
    return _apart(operator, x, normal_axis(operator, options_of(operator).number(1, "i"), len(x.shape)), False)


def prepare_transpose(operator):
    x, order = operator.inputs
    y = operator.outputs[0]
    order = constant_numbers(operator, order)
    rank = len(x.shape)
    order = [normal_axis(operator, axis, rank) for axis in order]
    if sorted(order) != list(range(rank)) or y.shape != tuple([x.shape[axis] for axis in order]):
        refuse(operator, "it does not order the axes of %s to %s; convert the model again"
               % (shape_text(x.shape), shape_text(y.shape)))
    expect_same_scale(operator, x, y)
    x_steps = steps_of(x.shape)
    return _moves(operator, [x], [(0, 0, 0, 0, y.shape, [x_steps[axis] for axis in order], steps_of(y.shape))])


def prepare_pad(operator):
    x, margins = operator.inputs[:2]
    y = operator.outputs[0]
    margins = constant_numbers(operator, margins)
    rank = len(x.shape)
    if len(margins) != 2 * rank or min(margins + [0]) < 0 \
            or y.shape != tuple([margins[2 * i] + n + margins[2 * i + 1] for i, n in enumerate(x.shape)]):
        refuse(operator, "its margins do not fit %s to %s; convert the model again"
               % (shape_text(x.shape), shape_text(y.shape)))
    expect_same_scale(operator, x, y)
    fill = y.zero_point if y.type == INT8 else 0
    if len(operator.inputs) > 2 and operator.inputs[2] is not None:
        value = operator.inputs[2]
        expect_same_scale(operator, value, y)
        if value.size != 1 or value.data_bytes != value.bytes:
            refuse(operator, "its fill value must be one constant; convert the model again")
        fill = value.view()[0]
    y_steps = steps_of(y.shape)
    start = sum([margins[2 * i] * step for i, step in enumerate(y_steps)])
    return _moves(operator, [x], [(0, 0, 0, start, x.shape, steps_of(x.shape), y_steps)], fill)


def prepare_tile(operator):
    x, times = operator.inputs
    y = operator.outputs[0]
    times = constant_numbers(operator, times)
    if len(times) != len(x.shape) or min(times) < 1 or y.shape != tuple([n * m for n, m in zip(x.shape, times)]):
        refuse(operator, "it does not repeat %s to %s; convert the model again"
               % (shape_text(x.shape), shape_text(y.shape)))
    expect_same_scale(operator, x, y)
    sizes, x_steps, y_steps = [], [], []
    for n, m, x_step, y_step in zip(x.shape, times, steps_of(x.shape), steps_of(y.shape)):
        # Two dimensions of each: the repeats read the same place again.
        sizes += [m, n]
        x_steps += [0, x_step]
        y_steps += [n * y_step, y_step]
    return _moves(operator, [x], [(0, 0, 0, 0, sizes, x_steps, y_steps)])


def prepare_slice(operator):
    x, begins, sizes = operator.inputs
    y = operator.outputs[0]
    begins, sizes = constant_numbers(operator, begins), constant_numbers(operator, sizes)
    if len(begins) != len(x.shape) or len(sizes) != len(x.shape):
        refuse(operator, "it does not say where to cut each axis of %s; convert the model again" % shape_text(x.shape))
    sizes = [n - begin if size < 0 else size for n, begin, size in zip(x.shape, begins, sizes)]
    return _cut(operator, x, begins, sizes, [1] * len(sizes), y)


def prepare_strided_slice(operator):
    x, begins, ends, strides = operator.inputs
    y = operator.outputs[0]
    options = options_of(operator)
    begin_mask, end_mask, ellipsis, new_axis, shrink = [options.number(i, "i") for i in range(5)]
    begins, ends, strides = [constant_numbers(operator, t) for t in (begins, ends, strides)]
    rank = len(x.shape)
    if ellipsis or new_axis or options.number(5, "B"):
        refuse(operator, "it uses an ellipsis, a new axis or an offset; give the model Input(..., batch_size=1)")
    if not len(begins) == len(ends) == len(strides) <= rank:
        refuse(operator, "it does not fit its input of shape %s; convert the model again" % shape_text(x.shape))
    starts, sizes, steps = [], [], []
    for axis, n in enumerate(x.shape):
        if axis >= len(begins):
            start, end, step = 0, n, 1
        else:
            step, bit = strides[axis], 1 << axis
            if not step:
                refuse(operator, "a stride is 0; convert the model again")
            lowest, highest = (0, n) if step > 0 else (-1, n - 1)
            start = (lowest if step > 0 else highest) if begin_mask & bit else _clip(begins[axis], n, lowest, highest)
            end = (highest if step > 0 else lowest) if end_mask & bit else _clip(ends[axis], n, lowest, highest)
            if shrink & bit:
                end, step = start + 1, 1
        starts.append(start)
        sizes.append(max(0, -((start - end) // step) if step > 0 else -((end - start) // -step)))
        steps.append(step)
    return _cut(operator, x, starts, sizes, steps, y)


def _clip(place, n, lowest, highest):
    return min(max(place + n if place < 0 else place, lowest), highest)


def _cut(operator, x, starts, sizes, strides, y):
    count = 1
    for start, size, stride, n in zip(starts, sizes, strides, x.shape):
        if size < 1 or not 0 <= start < n or not 0 <= start + (size - 1) * stride < n:
            refuse(operator, "it cuts outside its input of shape %s; convert the model again" % shape_text(x.shape))
        count *= size
    if count != y.size:
        refuse(operator, "expected an output of %d values, found %d; convert the model again" % (count, y.size))
    expect_same_scale(operator, x, y)
    x_steps = steps_of(x.shape)
    start = sum([place * step for place, step in zip(starts, x_steps)])
    return _moves(operator, [x], [(0, 0, start, 0, sizes, [s * t for s, t in zip(x_steps, strides)],
                                   steps_of(sizes))])


def shape(p, x, y, scratch):
    """The shape of x, which is known beforehand."""
    for i in range(len(p.numbers)):
        y[i] = p.numbers[i]


def prepare_shape(operator):
    x, y = operator.inputs[0], operator.outputs[0]
    if y.type not in (INT32, INT64) or y.size != len(x.shape):
        refuse(operator, "expected %d numbers, found %d of %s; convert the model again"
               % (len(x.shape), y.size, y.type_name))
    return Prepared(shape, Parameters(numbers=array("i", x.shape)), [x])


def resize(p, x, y, scratch):
    """Each place of the output takes the values of one place of the input."""
    width, channels = p.width, p.channels
    out = 0
    for batch in range(p.batches):
        for row in p.rows:
            for column in p.columns:
                start = ((batch * p.height + row) * width + column) * channels
                for i in range(start, start + channels):
                    y[out] = x[i]
                    out += 1


def prepare_resize(operator):
    x, size = operator.inputs
    y = operator.outputs[0]
    options = operator.options
    align, half = [bool(options and options.number(i, "b")) for i in range(2)]
    if x.type != y.type or x.type not in _ITEM_BYTES or len(x.shape) != 4 or not x.size * y.size \
            or y.shape != (x.shape[0],) + tuple(constant_numbers(operator, size)) + (x.shape[3],):
        refuse(operator, "its output of shape %s does not fit its input of shape %s; convert the model again"
               % (shape_text(y.shape), shape_text(x.shape)))
    expect_same_scale(operator, x, y)
    batches, height, width, channels = x.shape
    return Prepared(resize, Parameters(
        batches=batches, height=height, width=width, channels=channels, out_height=y.shape[1], out_width=y.shape[2],
        item_bytes=_ITEM_BYTES[x.type], rows=_nearest(height, y.shape[1], align, half),
        columns=_nearest(width, y.shape[2], align, half)), [x])


def _nearest(size, new_size, align, half):
    """For each new place the old one, by LiteRT's float32 arithmetic."""
    from . import float32
    if align and new_size > 1:
        scale = float32.quotient((size - 1, 0), (new_size - 1, 0))
    else:
        scale = float32.quotient((size, 0), (new_size, 0))
    places = array("i")
    for i in range(new_size):
        mantissa, exponent = float32.multiply((2 * i + half, -1), scale)
        if align:
            place = float32.nearest((mantissa, exponent))
        else:
            place = mantissa >> -exponent if exponent < 0 else mantissa << exponent
        places.append(max(0, min(place, size - 1)))
    return places
