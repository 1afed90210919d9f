"""Random float32 models, dynamic-range models, and models that mix them with int8: one operator, or a few that move.

Shapes are small and odd as in `random_operators`; weights are constant, computed, or int8 behind a DEQUANTIZE.
"""

import numpy as np
import random_operators
from ai_edge_litert import schema_py_generated as schema
from random_operators import BINARY, MOVING, UNARY

__all__ = ["BINARY", "UNARY", "MOVING", "WEIGHTED", "POOLS", "REDUCING", "OTHERS", "random_float", "random_float_moves",
           "random_dynamic", "random_dynamic_net"]

WEIGHTED = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")
POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
REDUCING = ("MEAN", "SUM", "REDUCE_MAX", "ARG_MAX")
OTHERS = ("SOFTMAX", "RESIZE_NEAREST_NEIGHBOR", "QUANTIZE", "DEQUANTIZE")
_ACTIVATIONS = (0, 0, 1, 2, 3)


class _Random(random_operators._Random):
    """Makes tensors of float32 where `random_operators` makes int8."""

    def float32(self, shape, data=None):
        return self.builder.tensor(shape, np.float32, data=data)

    def int8(self, shape, scale, zero_point, data=None):
        return self.float32(shape, None if data is None else np.asarray(data) / np.float32(32))

    def image(self):
        """(index, shape) of a new input: batch, height, width, channels."""
        shape = [self.number(1, 3), self.number(1, 8), self.number(1, 8), self.number(1, 5)]
        return self.float32(shape), shape

    def window(self, height, width):
        """Filter height and width, padding, two strides, two dilations, output height and width."""
        while True:
            h, w = self.number(1, 5), self.number(1, 5)
            padding = self.number(0, 2)
            strides = self.number(1, 4), self.number(1, 4)
            dilations = [int(n) for n in self.rng.choice([1, 1, 1, 2, 3], 2)]
            reach = [(n - 1) * d + 1 for n, d in zip((h, w), dilations, strict=True)]
            if padding == 0:
                return h, w, padding, strides, dilations, [-(-n // s) for n, s in zip((height, width), strides, strict=True)]
            if reach[0] <= height and reach[1] <= width:
                out = [(n - r) // s + 1 for n, r, s in zip((height, width), reach, strides, strict=True)]
                return h, w, padding, strides, dilations, out

    def weights(self, shape, units, axis, kind):
        """Weights as ``kind`` says: float, dequantized (from int8 or float16), or int8 for a dynamic-range layer."""
        rng = self.rng
        if kind == "float":
            return self.float32(shape, rng.normal(0, 0.5, shape))
        if kind == "half":
            half = self.builder.tensor(shape, np.float32, data=None)
            tensor, buffer = self.builder.graph.tensors[half], schema.BufferT()
            tensor.type = schema.TensorType.FLOAT16
            buffer.data = np.frombuffer(rng.normal(0, 2.0 ** rng.integers(-20, 4), shape).astype(np.float16).tobytes(),
                                        np.uint8)
            tensor.buffer = len(self.builder.model.buffers)
            self.builder.model.buffers.append(buffer)
            stored = half
        else:
            scales = np.float32(2.0) ** rng.uniform(-9, -5, units if self.chance(0.7) or kind == "channels" else 1)
            if kind == "one":
                scales = scales[:1]
            zero_point = 0 if kind in ("int8", "channels", "one") else self.number(-128, 128)
            stored = self.builder.tensor(shape, scale=scales, zero_point=zero_point, axis=axis,
                                         data=rng.integers(-127, 128, shape))
            if kind in ("int8", "channels", "one"):
                return stored
        weights = self.float32(shape)
        self.builder.operator("DEQUANTIZE", [stored], [weights], "DequantizeOptions")
        return weights

    def bias(self, units, part=0.8):
        return [self.float32([units], self.rng.normal(0, 1, units))] if self.chance(part) else []


def random_float(kind: str, seed: int) -> bytes:
    """A float32 model of this one operator."""
    net = _Random(seed)
    if kind in BINARY:
        return random_operators._binary(net, kind)
    if kind in UNARY:
        return random_operators._unary(net, kind)
    if kind in WEIGHTED:
        return _weighted(net, kind, str(net.rng.choice(["float", "float", "stored", "half"])))
    if kind in POOLS:
        return _pool(net, kind)
    if kind in ("QUANTIZE", "DEQUANTIZE"):
        return _edges(net)
    if kind == "RESIZE_NEAREST_NEIGHBOR":
        return random_operators._resize(net, kind)
    if kind == "SOFTMAX":
        shape = net.shape()
        x, y = net.float32(shape), net.float32(shape)
        net.builder.operator(kind, [x], [y], "SoftmaxOptions", beta=float(net.rng.choice([1.0, 1.0, 0.5, 3.0])))
        return net.builder.bytes([x], [y])
    if kind == "MEAN":
        return random_operators._reduce(net, kind)
    return random_operators._reduce(net, kind)


def random_dynamic(kind: str, seed: int) -> bytes:
    """A model of this one operator with int8 weights and float32 values."""
    net = _Random(seed)
    # LiteRT reads a scale for each channel in these two, also where there is only one scale.
    one_each = kind in ("DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")
    return _weighted(net, kind, "channels" if one_each else str(net.rng.choice(["one", "channels"])))


def random_float_moves(seed: int) -> bytes:
    """As `random_operators.random_moves`, of float32."""
    return random_operators.random_moves(seed, _Random)


def _weighted(net, kind, weights):
    index, shape = net.image()
    options = {"fusedActivationFunction": int(net.rng.choice(_ACTIVATIONS))}
    units, options_type = net.number(1, 6), "FullyConnectedOptions"
    before = [index]
    if kind == "FULLY_CONNECTED":
        depth = shape[3] if net.chance(0.5) else int(np.prod(shape[1:]))
        keep = depth == shape[3] and net.chance(0.5)
        out = [*shape[:3], units] if keep else [int(np.prod(shape)) // depth, units]
        before += [net.weights((units, depth), units, 0, weights), *net.bias(units)]
        options |= {"keepNumDims": keep, "asymmetricQuantizeInputs": net.chance(0.5)}
    elif kind == "TRANSPOSE_CONV":
        h, w, padding, strides = net.number(1, 5), net.number(1, 5), net.number(0, 2), [net.number(1, 4)] * 2
        size = [n * s if padding == 0 else (n - 1) * s + f for n, s, f in zip(shape[1:3], strides, (h, w), strict=True)]
        out = [shape[0], *size, units]
        before = [net.int32(out), net.weights((units, h, w, shape[3]), units, 0, weights), index, *net.bias(units)]
        options_type = "TransposeConvOptions"
        options |= {"padding": padding, "strideH": strides[0], "strideW": strides[1]}
    else:
        h, w, padding, strides, dilations, size = net.window(*shape[1:3])
        options |= {"padding": padding, "strideH": strides[0], "strideW": strides[1],
                    "dilationHFactor": dilations[0], "dilationWFactor": dilations[1]}
        if kind == "CONV_2D":
            options_type = "Conv2DOptions"
            before += [net.weights((units, h, w, shape[3]), units, 0, weights)]
        else:
            options_type, multiplier = "DepthwiseConv2DOptions", net.number(1, 4)
            units = shape[3] * multiplier
            options |= {"depthMultiplier": multiplier, "strideW": strides[0]}
            if padding == 0:
                size[1] = -(-shape[2] // strides[0])
            else:
                size[1] = (shape[2] - (w - 1) * dilations[1] - 1) // strides[0] + 1
            before += [net.weights((1, h, w, units), units, 3, weights)]
        before += net.bias(units, 1)
        out = [shape[0], *size, units]
    y = net.float32(out)
    net.builder.operator(kind, before, [y], options_type, **options)
    return net.builder.bytes([index], [y])


def _pool(net, kind):
    index, shape = net.image()
    h, w, padding, strides, _, _ = net.window(*shape[1:3])
    if padding == 1:
        h, w = min(h, shape[1]), min(w, shape[2])
    size = [-(-n // s) if padding == 0 else (n - f) // s + 1
            for n, s, f in zip(shape[1:3], strides, (h, w), strict=True)]
    y = net.float32([shape[0], *size, shape[3]])
    net.builder.operator(kind, [index], [y], "Pool2DOptions", padding=padding, strideH=strides[0], strideW=strides[1],
                         filterHeight=h, filterWidth=w, fusedActivationFunction=int(net.rng.choice(_ACTIVATIONS)))
    return net.builder.bytes([index], [y])


def _edges(net):
    """Float, int8 in the middle, float again."""
    shape, builder = net.shape(), net.builder
    x, y = net.float32(shape), net.float32(shape)
    stored = builder.tensor(shape, scale=np.float32(2.0 ** net.rng.uniform(-7, -3)), zero_point=net.zero_point())
    builder.operator("QUANTIZE", [x], [stored], "QuantizeOptions")
    builder.operator("DEQUANTIZE", [stored], [y], "DequantizeOptions")
    other = net.float32(shape)
    builder.operator("ADD", [x, y], [other], "AddOptions")
    return builder.bytes([x], [y, other])


def random_dynamic_net(seed: int) -> bytes:
    """Dynamic-range and float layers one after another, so that floats decide the integers of the next layer."""
    net = _Random(seed)
    builder, rng = net.builder, net.rng
    first, shape = net.image()
    index = first
    for _ in range(net.number(1, 4)):
        h, w, padding, strides, dilations, size = net.window(*shape[1:3])
        units = net.number(1, 6)
        weights = net.weights((units, h, w, shape[3]), units, 0, str(rng.choice(["float", "one", "channels"])))
        shape = [shape[0], *size, units]
        y = net.float32(shape)
        builder.operator("CONV_2D", [index, weights, *net.bias(units, 1)], [y], "Conv2DOptions", padding=padding,
                         strideH=strides[0], strideW=strides[1], dilationHFactor=dilations[0],
                         dilationWFactor=dilations[1], fusedActivationFunction=int(rng.choice(_ACTIVATIONS)))
        index = y
    depth, units = int(np.prod(shape[1:])), net.number(1, 6)
    y, out = net.float32([shape[0], units]), net.float32([shape[0], units])
    builder.operator("FULLY_CONNECTED", [index, net.weights((units, depth), units, 0, "one"), *net.bias(units)], [y],
                     "FullyConnectedOptions", asymmetricQuantizeInputs=net.chance(0.5))
    builder.operator("SOFTMAX", [y], [out], "SoftmaxOptions", beta=1.0)
    return builder.bytes([first], [y, out])
