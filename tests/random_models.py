"""Random int8 .tflite models, written field by field with LiteRT's own schema: any shape, stride, padding, scale.

A converter makes well-behaved models only. These have odd shapes, filters larger than the image, dilation, one-wide
tensors, extreme zero points, and scales that clip.
"""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_KINDS = schema.BuiltinOperator
_VERSIONS = {"FULLY_CONNECTED": 5, "CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "TRANSPOSE_CONV": 3,
             **dict.fromkeys(("RESHAPE", "EXPAND_DIMS", "ELU", "HARD_SWISH", "ARG_MAX", "SHAPE"), 1)}
_TYPES = {np.dtype(np.int8): schema.TensorType.INT8, np.dtype(np.int16): schema.TensorType.INT16,
          np.dtype(np.int32): schema.TensorType.INT32,
          np.dtype(np.int64): schema.TensorType.INT64,
          np.dtype(np.float32): schema.TensorType.FLOAT32}


class Builder:
    """Puts a model together, tensor by tensor."""

    def __init__(self):
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.operatorCodes = []
        self.model.buffers = [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]

    def tensor(self, shape, dtype=np.int8, scale=None, zero_point=0, data=None, axis=0):
        """Add a tensor; ``scale`` is one number or one for each channel along ``axis``. Returns its index."""
        tensor = schema.TensorT()
        tensor.shape = [int(n) for n in shape]
        tensor.type = _TYPES[np.dtype(dtype)]
        tensor.name = f"t{len(self.graph.tensors)}"
        if scale is not None:
            scale = np.atleast_1d(np.float32(scale))
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = scale.tolist()
            tensor.quantization.zeroPoint = [int(zero_point)] * len(scale)
            tensor.quantization.quantizedDimension = axis
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data, dtype).tobytes(), np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operator(self, name, inputs, outputs, options_type=None, **options):
        """Add an operator; ``options`` by their names in the schema."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(_KINDS, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = _VERSIONS.get(name, 2)
        self.model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        if options_type:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options_type)
            operator.builtinOptions = getattr(schema, options_type + "T")()
            for key, value in options.items():
                assert hasattr(operator.builtinOptions, key), key
                setattr(operator.builtinOptions, key, value)
        self.graph.operators.append(operator)

    def bytes(self, inputs, outputs) -> bytes:
        """The finished file."""
        self.graph.inputs, self.graph.outputs = list(inputs), list(outputs)
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())


class _Net:
    """The tensor at the end of a growing network, and the random choices."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.builder = Builder()

    def scale(self, low=-8.0, high=1.0):
        return np.float32(2.0 ** self.rng.uniform(low, high))

    def zero_point(self):
        return int(self.rng.choice([-128, 127, 0, self.rng.integers(-128, 128)]))

    def start(self, shape):
        self.shape, self.s, self.z = tuple(shape), self.scale(), self.zero_point()
        self.index = self.builder.tensor(shape, scale=self.s, zero_point=self.z)
        self.first = self.index

    def go(self, name, shape, options_type=None, inputs=(), scale=None, zero_point=None, **options):
        scale = self.s if scale is None else np.float32(scale)
        zero_point = self.z if zero_point is None else zero_point
        out = self.builder.tensor(shape, scale=scale, zero_point=zero_point)
        self.builder.operator(name, [self.index, *inputs], [out], options_type, **options)
        self.index, self.shape, self.s, self.z = out, tuple(int(n) for n in shape), scale, zero_point

    def activation(self):
        return int(self.rng.choice([0, 0, 1, 2, 3]))

    def weights(self, shape, units, axis, reach, bias_needed=False):
        """([weights, bias], output scale): the scale is such that outputs spread over int8, or clip at times."""
        channels = units if self.rng.random() < 0.7 else 1
        scales = self.scale(-10, -4) * np.float32(2.0) ** self.rng.uniform(-3, 0, channels).astype(np.float32)
        values = self.rng.integers(-127, 128, shape)
        weights = self.builder.tensor(shape, scale=scales, data=values, axis=axis)
        spread = np.float64(self.s) * float(scales.max())
        out_scale = np.float32(spread * np.sqrt(reach) * 50 * 2.0 ** self.rng.uniform(-3, 3))
        if self.rng.random() < 0.1:  # a step of the sum is many steps of the output
            out_scale = np.float32(spread * 2.0 ** self.rng.uniform(-8, 0))
        if bias_needed or self.rng.random() < 0.8:
            limit = int(max(1, min(2**30, 60 * out_scale / spread)))
            bias = self.builder.tensor([units], np.int32, scale=np.float32(self.s) * scales,
                                       data=self.rng.integers(-limit, limit + 1, units))
            return [weights, bias], out_scale
        return [weights], out_scale

    def window(self):
        """(height, width, padding, stride_h, stride_w, dilation_h, dilation_w) that fit the image."""
        _, height, width, _ = self.shape
        while True:
            h, w = (int(n) for n in self.rng.integers(1, 5, 2))
            padding = int(self.rng.integers(0, 2))
            strides = [int(n) for n in self.rng.integers(1, 4, 2)]
            dilations = [int(n) for n in self.rng.choice([1, 1, 1, 2, 3], 2)]
            if padding == 0 or ((h - 1) * dilations[0] < height and (w - 1) * dilations[1] < width):
                return h, w, padding, *strides, *dilations

    def out_size(self, h, w, padding, sh, sw, dh, dw):
        _, height, width, _ = self.shape
        if padding == 0:
            return -(-height // sh), -(-width // sw)
        return (height - (h - 1) * dh - 1) // sh + 1, (width - (w - 1) * dw - 1) // sw + 1

    def conv(self):
        window = h, w, padding, sh, sw, dh, dw = self.window()
        units, channels = int(self.rng.integers(1, 7)), self.shape[3]
        inputs, scale = self.weights((units, h, w, channels), units, 0, h * w * channels, bias_needed=True)
        self.go("CONV_2D", (self.shape[0], *self.out_size(*window), units), "Conv2DOptions", inputs, scale,
                self.zero_point(), padding=padding, strideH=sh, strideW=sw, dilationHFactor=dh, dilationWFactor=dw,
                fusedActivationFunction=self.activation())

    def depthwise(self):
        window = h, w, padding, sh, sw, dh, dw = self.window()
        sw = sh  # LiteRT asks for equal strides in some versions
        window = h, w, padding, sh, sw, dh, dw
        multiplier = int(self.rng.integers(1, 4))
        units = self.shape[3] * multiplier
        inputs, scale = self.weights((1, h, w, units), units, 3, h * w, bias_needed=True)
        self.go("DEPTHWISE_CONV_2D", (self.shape[0], *self.out_size(*window), units), "DepthwiseConv2DOptions",
                inputs, scale, self.zero_point(), padding=padding, strideH=sh, strideW=sw, dilationHFactor=dh,
                dilationWFactor=dw, depthMultiplier=multiplier, fusedActivationFunction=self.activation())

    def pool(self):
        h, w, padding, sh, sw, _, _ = self.window()
        if padding == 1:
            h, w = min(h, self.shape[1]), min(w, self.shape[2])
        name = str(self.rng.choice(["MAX_POOL_2D", "AVERAGE_POOL_2D"]))
        self.go(name, (self.shape[0], *self.out_size(h, w, padding, sh, sw, 1, 1), self.shape[3]), "Pool2DOptions",
                padding=padding, strideH=sh, strideW=sw, filterHeight=h, filterWidth=w,
                fusedActivationFunction=self.activation())

    def mean(self):
        axes = sorted(self.rng.choice(len(self.shape), self.rng.integers(1, len(self.shape)), replace=False).tolist())
        keep = bool(self.rng.integers(0, 2))
        shape = [1 if i in axes else n for i, n in enumerate(self.shape) if keep or i not in axes]
        if self.rng.random() < 0.3:
            axes = [axis - len(self.shape) for axis in axes]
        index = self.builder.tensor([len(axes)], np.int32, data=axes)
        same = self.rng.random() < 0.3
        self.go("MEAN", shape, "ReducerOptions", [index], self.s if same else self.s * self.scale(-2, 1),
                self.z if same else self.zero_point(), keepDims=keep)

    def reshape(self):
        shape = [1, int(np.prod(self.shape))]
        if self.rng.random() < 0.5:
            self.go("RESHAPE", shape, "ReshapeOptions", [self.builder.tensor([2], np.int32, data=shape)],
                    newShape=shape)
        elif len(self.shape) < 5:
            axis = int(self.rng.integers(0, len(self.shape) + 1))
            shape = [*self.shape[:axis], 1, *self.shape[axis:]]
            self.go("EXPAND_DIMS", shape, "ExpandDimsOptions", [self.builder.tensor([1], np.int32, data=[axis])])

    def requantize(self):
        self.go("QUANTIZE", self.shape, "QuantizeOptions", scale=self.s * self.scale(-3, 3),
                zero_point=self.zero_point())

    def dense(self):
        size, depth = int(np.prod(self.shape)), self.shape[-1]
        if self.rng.random() < 0.5:
            depth = size
        units = int(self.rng.integers(1, 9))
        keep = depth == self.shape[-1] and bool(self.rng.integers(0, 2))
        inputs, scale = self.weights((units, depth), units, 0, depth)
        shape = (*self.shape[:-1], units) if keep else (size // depth, units)
        self.go("FULLY_CONNECTED", shape, "FullyConnectedOptions", inputs, scale, self.zero_point(), keepNumDims=keep,
                fusedActivationFunction=self.activation())

    def softmax(self):
        self.go("SOFTMAX", self.shape, "SoftmaxOptions", scale=1 / 256, zero_point=-128,
                beta=float(self.rng.choice([1.0, 1.0, 0.5, 3.0])))


def random_model(seed: int) -> bytes:
    """A random model of one to five operators."""
    net = _Net(seed)
    rng = net.rng
    if rng.random() < 0.75:
        net.start((rng.integers(1, 3), *rng.integers(1, 9, 2), rng.integers(1, 6)))
    else:
        net.start(rng.integers(1, 9, rng.integers(1, 4)))
    for _ in range(rng.integers(1, 6)):
        kinds = [net.dense, net.softmax, net.requantize, net.reshape, net.mean]
        if len(net.shape) == 4:
            kinds = [net.conv, net.conv, net.depthwise, net.depthwise, net.pool, net.pool, net.mean, net.requantize]
        if len(net.shape) == 1:
            kinds = [net.softmax, net.requantize, net.reshape]
        rng.choice(np.array(kinds, dtype=object))()
    if net.index == net.first:
        net.requantize()
    if rng.random() < 0.3:
        net.softmax()
    return net.builder.bytes([net.first], [net.index])


def small_model(kind: str = "conv") -> bytes:
    """A small fixed model: input 6x5x2, three classes with softmax."""
    net = _Net(7)
    net.start((1, 6, 5, 2))
    {"conv": net.conv, "depthwise": net.depthwise}[kind]()
    net.reshape()
    while len(net.shape) > 2:
        net.reshape()
    net.dense()
    net.softmax()
    return net.builder.bytes([net.first], [net.index])
