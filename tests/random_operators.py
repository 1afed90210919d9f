"""Random models of one operator, or of a few that only move values, for every operator that `random_models` lacks.

Shapes are small and odd, scales clip now and then, zero points are extreme; inputs may be constant, outputs several.
"""

import numpy as np
from random_models import Builder

BINARY = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions", "MAXIMUM": "MaximumMinimumOptions",
          "MINIMUM": "MaximumMinimumOptions", "SQUARED_DIFFERENCE": "SquaredDifferenceOptions"}
UNARY = {"RELU": None, "RELU6": None, "ABS": "AbsOptions", "LEAKY_RELU": "LeakyReluOptions", "ELU": None,
         "HARD_SWISH": None, "LOGISTIC": None, "TANH": None}
REDUCING = ("SUM", "REDUCE_MAX", "ARG_MAX")
OTHERS = ("RESIZE_NEAREST_NEIGHBOR", "SHAPE", "TRANSPOSE_CONV")
MOVING = ("PAD", "PADV2", "SLICE", "STRIDED_SLICE", "TRANSPOSE", "SPLIT", "CONCATENATION", "PACK", "UNPACK", "TILE")


class _Random:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.builder = Builder()

    def number(self, low, high):
        return int(self.rng.integers(low, high))

    def chance(self, part):
        return bool(self.rng.random() < part)

    def scale(self):
        return np.float32(2.0 ** self.rng.uniform(-8, 1))

    def zero_point(self):
        return int(self.rng.choice([-128, 127, 0, self.rng.integers(-128, 128)]))

    def shape(self, most_axes=4, most=5):
        return [self.number(1, most + 1) for _ in range(self.number(1, most_axes + 1))]

    def int8(self, shape, scale, zero_point, data=None):
        return self.builder.tensor(shape, scale=scale, zero_point=zero_point, data=data)

    def int32(self, values, shape=None):
        values = np.asarray(values, np.int32)
        return self.builder.tensor(values.shape if shape is None else shape, np.int32, data=values)


def random_operator(kind: str, seed: int) -> bytes:
    """A model of this one operator."""
    net = _Random(seed)
    if kind in BINARY:
        return _binary(net, kind)
    if kind in UNARY:
        return _unary(net, kind)
    return {"RESIZE_NEAREST_NEIGHBOR": _resize, "SHAPE": _shape, "TRANSPOSE_CONV": _transpose_conv}.get(
        kind, _reduce)(net, kind)


def _binary(net, kind):
    rng, builder = net.rng, net.builder
    shape = net.shape(most=4)
    other = [1 if net.chance(0.5) else n for n in shape] if net.chance(0.5) else list(shape)
    if net.chance(0.3):
        other = other[net.number(0, len(other)):]
    whole = [max(pair) for pair in zip(shape, [1] * (len(shape) - len(other)) + other, strict=True)]
    scale, zero_point = net.scale(), net.zero_point()
    other_scale, other_zero_point = net.scale(), net.zero_point()
    out_zero_point = net.zero_point()
    options = {"fusedActivationFunction": int(rng.choice([0, 0, 1, 2, 3]))} if kind in ("ADD", "SUB", "MUL") else {}
    if kind in ("MAXIMUM", "MINIMUM"):
        other_scale = out_scale = scale
        other_zero_point = out_zero_point = zero_point
    elif kind == "MUL":
        out_scale = scale * other_scale * 2.0 ** rng.uniform(0, 8)
    elif kind == "SQUARED_DIFFERENCE":
        out_scale = max(scale, other_scale) ** 2 * 2.0 ** rng.uniform(-2, 10)
    else:
        out_scale = max(scale, other_scale) * 2.0 ** rng.uniform(-2, 2)
    a = net.int8(shape, scale, zero_point)
    constant = net.chance(0.4)
    b = net.int8(other, other_scale, other_zero_point, rng.integers(-128, 128, other) if constant else None)
    y = net.int8(whole, np.float32(out_scale), out_zero_point)
    builder.operator(kind, [a, b], [y], BINARY[kind], **options)
    return builder.bytes([a] if constant else [a, b], [y])


def _unary(net, kind):
    scale, zero_point = net.scale(), net.zero_point()
    out_scale, out_zero_point = scale, zero_point
    if net.chance(0.6):
        out_scale, out_zero_point = np.float32(scale * 2.0 ** net.rng.uniform(-2, 2)), net.zero_point()
    if kind == "LOGISTIC":
        out_scale, out_zero_point = np.float32(1 / 256), -128
    if kind == "TANH":
        out_scale, out_zero_point = np.float32(1 / 128), 0
    x = net.int8([256], scale, zero_point)
    y = net.int8([256], out_scale, out_zero_point)
    options = {"alpha": float(net.rng.uniform(0, 2))} if kind == "LEAKY_RELU" else {}
    net.builder.operator(kind, [x], [y], UNARY[kind], **options)
    return net.builder.bytes([x], [y])


def _reduce(net, kind):
    shape, scale, zero_point = net.shape(), net.scale(), net.zero_point()
    x = net.int8(shape, scale, zero_point)
    rank = len(shape)
    if kind == "ARG_MAX":
        axis = net.number(0, rank)
        dtype = np.int32 if net.chance(0.5) else np.int64
        y = net.builder.tensor(shape[:axis] + shape[axis + 1:], dtype)
        net.builder.operator(kind, [x, net.int32([axis - rank if net.chance(0.5) else axis])], [y], "ArgMaxOptions",
                             outputType=2 if dtype == np.int32 else 4)
        return net.builder.bytes([x], [y])
    axes = sorted(net.rng.choice(rank, net.number(1, rank + 1), replace=False).tolist())
    keep = net.chance(0.5)
    reduced = [1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes]
    if kind == "SUM" and net.chance(0.7):
        scale, zero_point = np.float32(scale * 2.0 ** net.rng.uniform(-1, 5)), net.zero_point()
    y = net.int8(reduced, scale, zero_point)
    net.builder.operator(kind, [x, net.int32(axes)], [y], "ReducerOptions", keepDims=keep)
    return net.builder.bytes([x], [y])


def _shape(net, kind):
    shape = net.shape()
    x = net.int8(shape, net.scale(), net.zero_point())
    y = net.builder.tensor([len(shape)], np.int32)
    net.builder.operator(kind, [x], [y], "ShapeOptions", outType=2)
    return net.builder.bytes([x], [y])


def _resize(net, kind):
    scale, zero_point = net.scale(), net.zero_point()
    shape = [net.number(1, 3), *net.rng.integers(1, 7, 2), net.number(1, 5)]
    size = net.rng.integers(1, 14, 2).tolist()
    x = net.int8(shape, scale, zero_point)
    y = net.int8([shape[0], *size, shape[3]], scale, zero_point)
    way = net.number(0, 3)
    net.builder.operator(kind, [x, net.int32(size)], [y], "ResizeNearestNeighborOptions", alignCorners=way == 1,
                         halfPixelCenters=way == 2)
    return net.builder.bytes([x], [y])


def _transpose_conv(net, kind):
    rng = net.rng
    batches, height, width, channels = net.number(1, 3), net.number(1, 6), net.number(1, 6), net.number(1, 5)
    filter_height, filter_width, units, padding = net.number(1, 5), net.number(1, 5), net.number(1, 5), net.number(0, 2)
    stride_height, stride_width = net.number(1, 4), net.number(1, 4)

    def size(n, filter_size, stride):
        if padding == 0:
            return net.number((n - 1) * stride + 1, n * stride + 1)
        return (n - 1) * stride + filter_size + net.number(0, stride)

    out = [batches, size(height, filter_height, stride_height), size(width, filter_width, stride_width), units]
    scale = net.scale()
    scales = 2.0 ** rng.uniform(-9, -5, units if net.chance(0.7) else 1)
    shape = (units, filter_height, filter_width, channels)
    x = net.int8([batches, height, width, channels], scale, net.zero_point())
    weights = net.builder.tensor(shape, scale=scales, data=rng.integers(-127, 128, shape), axis=0)
    inputs = [net.int32(out), weights, x]
    if net.chance(0.6):
        inputs.append(net.builder.tensor([units], np.int32, scale=scale * scales, data=rng.integers(-3000, 3000, units)))
    spread = scale * scales.max() * 50 * np.sqrt(channels * filter_height)
    y = net.int8(out, np.float32(spread * 2.0 ** rng.uniform(-3, 3)), net.zero_point())
    net.builder.operator(kind, inputs, [y], "TransposeConvOptions", padding=padding, strideH=stride_height,
                         strideW=stride_width, fusedActivationFunction=int(rng.choice([0, 0, 1, 3])))
    return net.builder.bytes([x], [y])


def random_moves(seed: int, random=_Random) -> bytes:
    """A model of one to four operators that move values, with branches and several outputs."""
    net = random(seed)
    scale, zero_point = net.scale(), net.zero_point()

    def new(shape, data=None):
        return net.int8(shape, scale, zero_point, data), tuple(int(n) for n in shape)

    first = new(net.shape())
    live, used = [first], set()
    for _ in range(net.number(1, 5)):
        source = live[net.number(0, len(live))]
        kind = str(net.rng.choice(MOVING))
        live += _move(net, kind, source, live, new, used)
    leaves = [tensor for tensor, _ in live if tensor != first[0] and tensor not in used]
    if not leaves:
        return random_moves(seed + 1_000_000, random)
    return net.builder.bytes([first[0]], leaves)


def _move(net, kind, source, live, new, used):
    """Add one operator; returns its outputs, none if it does not fit."""
    x, shape = source
    rank, rng, operator = len(shape), net.rng, net.builder.operator
    axis = net.number(0, rank)
    inputs, options_type, options = [x], None, {}
    if kind in ("PAD", "PADV2"):
        margins = rng.integers(0, 3, (rank, 2))
        outputs = [new([a + n + b for (a, b), n in zip(margins, shape, strict=True)])]
        inputs.append(net.int32(margins))
        if kind == "PADV2":
            inputs.append(new([1], [net.number(-128, 128)])[0])
        options_type = "PadOptions" if kind == "PAD" else "PadV2Options"
    elif kind == "SLICE":
        begins = [net.number(0, n) for n in shape]
        sizes = [net.number(1, n - begin + 1) for n, begin in zip(shape, begins, strict=True)]
        outputs = [new(sizes)]
        rest = [-1 if begin + size == n and net.chance(0.3) else size
                for n, begin, size in zip(shape, begins, sizes, strict=True)]
        inputs += [net.int32(begins), net.int32(rest)]
        options_type = "SliceOptions"
    elif kind == "STRIDED_SLICE":
        begins, ends, strides, sizes, masks = [], [], [], [], [0, 0, 0]
        for i, n in enumerate(shape):
            stride, low = int(rng.choice([1, 1, 2, 3, -1, -2])), net.number(0, n)
            high = net.number(low + 1, n + 1) if stride > 0 else net.number(-1, low)
            flags = [stride > 0 and net.chance(0.2), stride > 0 and net.chance(0.2), False]
            if not flags[0] and net.chance(0.15):
                flags, stride, high = [False, False, True], 1, low + 1
            size = len(range(0 if flags[0] else low, n if flags[1] else high, stride))
            masks = [mask | flag << i for mask, flag in zip(masks, flags, strict=True)]
            if not flags[2]:
                sizes.append(size)
            begins.append(low - n if net.chance(0.3) else low)
            ends.append(-n - 1 if high < 0 else high)
            strides.append(stride)
        if not sizes:
            return []
        outputs = [new(sizes)]
        inputs += [net.int32(begins), net.int32(ends), net.int32(strides)]
        options_type = "StridedSliceOptions"
        options = {"beginMask": masks[0], "endMask": masks[1], "shrinkAxisMask": masks[2]}
    elif kind == "TRANSPOSE":
        order = rng.permutation(rank)
        outputs = [new([shape[i] for i in order])]
        inputs.append(net.int32(order))
        options_type = "TransposeOptions"
    elif kind == "SPLIT":
        parts = int(rng.choice([n for n in range(1, shape[axis] + 1) if shape[axis] % n == 0]))
        part = [n // parts if i == axis else n for i, n in enumerate(shape)]
        outputs = [new(part) for _ in range(parts)]
        inputs = [net.int32(axis - rank if net.chance(0.5) else axis), x]
        options_type, options = "SplitOptions", {"numSplits": parts}
    elif kind == "CONCATENATION":
        fitting = [t for t in live if len(t[1]) == rank and t[1][:axis] + t[1][axis + 1:]
                   == shape[:axis] + shape[axis + 1:]]
        chosen = [fitting[net.number(0, len(fitting))] for _ in range(net.number(1, 4))]
        inputs = [tensor for tensor, _ in chosen]
        total = sum(s[axis] for _, s in chosen)
        outputs = [new([total if i == axis else n for i, n in enumerate(shape)])]
        options_type, options = "ConcatenationOptions", {"axis": axis - rank if net.chance(0.5) else axis}
    elif kind == "TILE":
        times = rng.choice([1, 1, 2, 3], rank)
        outputs = [new([n * m for n, m in zip(shape, times, strict=True)])]
        inputs.append(net.int32(times))
        options_type = "TileOptions"
    elif kind == "PACK" and rank < 4:
        fitting = [t for t in live if t[1] == shape]
        inputs = [fitting[net.number(0, len(fitting))][0] for _ in range(net.number(1, 4))]
        axis = net.number(0, rank + 1)
        outputs = [new(shape[:axis] + (len(inputs),) + shape[axis:])]
        options_type, options = "PackOptions", {"valuesCount": len(inputs), "axis": axis}
    elif kind == "UNPACK" and rank > 1:
        outputs = [new(shape[:axis] + shape[axis + 1:]) for _ in range(shape[axis])]
        options_type, options = "UnpackOptions", {"num": shape[axis], "axis": axis}
    else:
        return []
    used.update(inputs)
    operator(kind, inputs, [tensor for tensor, _ in outputs], options_type, **options)
    return outputs
