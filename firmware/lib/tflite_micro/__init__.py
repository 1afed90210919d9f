"""Run a TensorFlow Lite model on a board, in readable Python. int8 equals LiteRT's reference to the bit.

    import tflite_micro as tflm
    model = tflm.load_model('/models/gesture.tflite')
    prediction = model.predict(sensor_values)      # floats in, floats out
    model.details()

Without allocation, in place: fill ``model.input`` (int8), call ``model.invoke()``, read ``model.output`` (int8).
The same files run under CPython, where they are the host twin of the board. Float and dynamic-range models run too,
but slowly: see floating.py.
"""

import os
from array import array
from collections import namedtuple

from . import arena, kernels_reference, native, operators
from .reader import FLOAT32, INT8, TYPE_NAMES, Damaged, Graph, read_tensors, shape_text

try:
    from time import ticks_diff, ticks_us
except ImportError:  # CPython
    from time import perf_counter_ns

    def ticks_us():
        return perf_counter_ns() // 1000

    def ticks_diff(end, start):
        return end - start

__all__ = ["load_model", "Model"]


def load_model(source, kernels=None):
    """Load a .tflite model.

    Parameters
    ----------
    source : str, bytes, bytearray or memoryview
        Path of the file, or what the file holds. Bytes are used in place: do not change them later.
    kernels : Kernels, optional
        Kernels in C, see native.py. None: those of this board if it has some; False: Python only.

    Returns
    -------
    Model

    Raises
    ------
    ValueError
        The file is damaged, or an operator is unknown or of types that do not run; the message says what to do.
    MemoryError
        The arena does not fit; the message says how many bytes it needs.
    """
    if isinstance(source, str):
        size = 0
        try:
            with open(source, "rb") as file:
                try:
                    data = memoryview(file)  # a file of a ROM file system is used where it lies
                except TypeError:
                    # Memory of the right size at once: reading until the end would grow it again and again.
                    size = os.stat(source)[6]
                    data = bytearray(size)
                    file.readinto(data)
        except MemoryError:
            raise MemoryError("the model file of %d bytes does not fit into memory in one piece; free memory "
                              "(gc.collect()), load the model first, or use a smaller model" % size)
        except OSError as error:
            raise OSError(error.args[0], "cannot read the model %r: copy it to the board first, or check the path"
                          % source)
        source = data
    return Model(source, native.find() if kernels is None else kernels)


# What stays of the first input and the last output. Of the layers stays only what runs: the rest is read in the file again
# when somebody asks.
Value = namedtuple("Value", ("shape", "type", "size", "scale", "zero_point"))
_OUTPUTS = 4


class Layer:
    """One operator, ready to run.

    Attributes
    ----------
    name : str
        For example ``"CONV_2D"``.
    outputs : list of Tensor
        What it computes: index in the file, shape, type, size, scale, zero point.
    output : Tensor
        The first of them.
    y : memoryview, or list of them
        The values of the outputs, flat; valid until a later layer reuses the memory.
    values : memoryview
        Those of the first output.
    macs : int
        Multiply-accumulates for one inference.
    weight_bytes : int
        Bytes of weights in the file.
    run : callable
        Computes ``y``; None if it is the input under another shape.
    """

    def __init__(self, model, step):
        self._model = model
        self._step = step
        self.run, self.name, self.macs, self.weight_bytes = step[:_OUTPUTS]

    @property
    def outputs(self):
        return read_tensors(self._model.data, [self._step[i] for i in range(_OUTPUTS, len(self._step), 2)])

    @property
    def output(self):
        return read_tensors(self._model.data, self._step[_OUTPUTS : _OUTPUTS + 1])[0]

    @property
    def y(self):
        places = [self._step[i] for i in range(_OUTPUTS + 1, len(self._step), 2)]
        return arena.one_or_all([arena.view(self._model._memory, tensor, place)
                                 for tensor, place in zip(self.outputs, places)])

    @property
    def values(self):
        return arena.view(self._model._memory, self.output, self._step[_OUTPUTS + 1])


class Model:
    """A loaded model.

    Attributes
    ----------
    input, output : memoryview of int8 (array of float32 if the model begins or ends in floats)
        Values of the first input and the first output, flat. ``invoke`` may use the input's memory for later
        layers, so fill the input before each call.
    inputs, outputs : list
        All of them.
    input_shape, output_shape : tuple of int
    input_scale, input_zero_point, output_scale, output_zero_point : float, int
        A stored value ``q`` stands for ``scale * (q - zero_point)``.
    arena_bytes : int
        Memory for all values that pass between layers.
    layers : list of Layer
        In the order in which they run.
    """

    def __init__(self, data, kernels=None):
        if kernels:
            data = kernels.place(data)
        if not isinstance(data, (bytes, bytearray)):
            data = memoryview(data)
        self.data = data
        graph = Graph(data)
        layers = []
        written = set([tensor.index for tensor in graph.inputs])
        weight_bytes = 0
        for operator in graph.operators:
            layer = operators.prepare(operator)
            weight_bytes += layer.weight_bytes
            if any([state.index in written for state in layer.states]):
                raise Damaged("damaged .tflite: operator %d remembers what is not its own; copy or convert the model "
                              "again" % layer.index)
            written.update([state.index for state in layer.states])
            follows = all([tensor.is_constant or tensor.index in written for tensor in layer.inputs])
            if not follows or any([y.index in written for y in layer.outputs]) or weight_bytes > 4 * len(data):
                raise Damaged("damaged .tflite: the operators do not follow each other (operator %d); "
                              "copy or convert the model again" % layer.index)
            written.update([tensor.index for tensor in layer.outputs])
            layers.append(layer)
        for tensor in graph.outputs:
            if tensor.index not in written:
                raise Damaged("damaged .tflite: no operator computes its output; copy or convert the model again")
        if not graph.inputs or not graph.outputs:
            raise Damaged("damaged .tflite: it has no input or no output; copy or convert the model again")
        views, self._memory, self.arena_bytes = arena.allocate(graph.inputs, graph.outputs, layers, kernels)
        self._states = [(views[t.index], t.zero_point) for layer in layers for t in layer.states]
        self.reset()
        in_c = kernels.bind(layers, data) if kernels else [None] * len(layers)
        # Constants and tables of the graph end here: only what runs stays in memory.
        self._steps = [_step(layer, run or _run_python(layer)) for layer, run in zip(layers, in_c)]
        self.inputs = [views[tensor.index] for tensor in graph.inputs]
        self.outputs = [views[tensor.index] for tensor in graph.outputs]
        self.input, self.output = self.inputs[0], self.outputs[0]
        self._first, self._last = _value(graph.inputs[0]), _value(graph.outputs[0])
        # MicroPython's collection takes any word of the weights for an address, if it looks like one, and keeps what is
        # there: so that this is little, nothing large may hang together.
        for parts in (graph.tensors, graph.operators, layers, views):
            parts.clear()

    @property
    def layers(self):
        return [Layer(self, step) for step in self._steps]

    @property
    def input_shape(self):
        return self._first.shape

    @property
    def output_shape(self):
        return self._last.shape

    @property
    def input_scale(self):
        return self._first.scale

    @property
    def input_zero_point(self):
        return self._first.zero_point

    @property
    def output_scale(self):
        return self._last.scale

    @property
    def output_zero_point(self):
        return self._last.zero_point

    def reset(self):
        """Let recurrent layers (LSTM, SVDF) forget: what they remember becomes zero, as when the model was loaded.

        Without this, each ``invoke`` goes on where the last one ended.
        """
        for values, zero_point in self._states:
            for i in range(len(values)):
                values[i] = zero_point

    def invoke(self, on_layer=None):
        """Compute ``output`` from ``input``.

        Parameters
        ----------
        on_layer : callable, optional
            Called after each layer as ``on_layer(layer)``; ``layer.values`` are its outputs.
        """
        for step in self._steps:
            if step[0]:
                step[0]()
            if on_layer:
                on_layer(Layer(self, step))

    def predict(self, values, on_layer=None):
        """Set the input, run the model, and give its output as floats.

        Parameters
        ----------
        values : sequence of float or int, or bytes
            As many as the input has. Floats are quantized with the input's scale, as LiteRT's QUANTIZE does (each
            counts as float32). Integers (-128..127) and bytes are int8 values and taken as they are.
        on_layer : callable, optional
            As for `invoke`.

        Returns
        -------
        list of float
            ``output_scale * (q - output_zero_point)`` for each output value, rounded to float32; the values themselves
            if the output is not int8.

        Raises
        ------
        ValueError
            Wrong number of values, NaN, or an integer outside int8; the message says what was expected.
        """
        self.set_input(values)
        self.invoke(on_layer)
        if self._last.type != INT8:
            return list(self.output)
        floats = array("f", bytes(4 * self._last.size))
        kernels_reference.dequantize(self._last, self.output, floats, None)
        return list(floats)

    def set_input(self, values):
        """Fill ``input`` by the rules of `predict`."""
        x = self.input
        if len(values) != len(x):
            raise ValueError("expected %d values (%s), got %d" % (len(x), _short(self.input_shape), len(values)))
        if self._first.type == FLOAT32:
            for i in range(len(x)):
                x[i] = values[i]
            return
        for value in values:
            if isinstance(value, float):
                kernels_reference.quantize(self._first, values, x, None)
                return
        # Bytes hold int8 as 0..255.
        offset = 256 if isinstance(values, (bytes, bytearray)) or _is_unsigned(values) else 0
        for i in range(len(x)):
            value = values[i]
            if offset and value > 127:
                value -= offset
            if not isinstance(value, int) or not -128 <= value <= 127:
                raise ValueError("value %d is %r: expected floats, or int8 values from -128 to 127" % (i, value))
            x[i] = value

    def profile(self):
        """Run once and print how long each layer took, by the clock of this board.

        The virtual clock of the simulated board hardly moves while a program computes: there the times say nothing.

        Returns
        -------
        list of (str, int)
            Name and microseconds of each layer.
        """
        times, layers = [], self.layers
        for layer in layers:
            start_us = ticks_us()
            if layer.run:
                layer.run()
            times.append((layer.name, ticks_diff(ticks_us(), start_us)))
        total = max(1, sum([us for _, us in times]))
        for layer, (name, us) in zip(layers, times):
            print("%-20s %-16s %9d us %3d %%" % (name, shape_text(layer.output.shape), us, 100 * us // total))
        return times

    def details(self):
        """Print inputs, outputs, memory and operators."""
        graph = Graph(self.data)
        print("input   %s" % _describe(graph.inputs))
        print("output  %s" % _describe(graph.outputs))
        print("arena   %d bytes; file %d bytes" % (self.arena_bytes, len(self.data)))
        print("%-20s %-16s %8s %8s" % ("operator", "output", "weights", "MACs"))
        for layer in self.layers:
            print("%-20s %-16s %8d %8d" % (layer.name, shape_text(layer.output.shape), layer.weight_bytes, layer.macs))
        print("%-20s %-16s %8d %8d" % ("sum", "", self.weight_bytes, self.macs))

    @property
    def macs(self):
        """Multiply-accumulates for one inference."""
        return sum([step[2] for step in self._steps])

    @property
    def weight_bytes(self):
        """Bytes of weights, used where they lie in the file."""
        return sum([step[3] for step in self._steps])


def _value(tensor):
    if tensor.type == INT8:
        operators.scale_of(tensor)  # refuses a scale that is no number
    return Value(tensor.shape, tensor.type, tensor.size, tensor.scale, tensor.zero_point)


def _step(layer, run):
    """What stays of a layer, as little as can be: `_OUTPUTS` items, then index and place of each output."""
    ends = [number for y, place in zip(layer.outputs, layer.places) for number in (y.index, place)]
    return (run, layer.name, layer.macs, layer.weight_bytes) + tuple(ends)


def _run_python(layer):
    if layer.kernel is None:
        return None
    kernel, parameters, x, y, scratch = layer.kernel, layer.parameters, layer.x, layer.y, layer.scratch
    # Defaults, not a closure: they take less memory.
    return lambda kernel=kernel, p=parameters, x=x, y=y, scratch=scratch: kernel(p, x, y, scratch)


def _is_unsigned(values):
    return isinstance(values, memoryview) and getattr(values, "format", "B") == "B"


def _short(shape):
    """The shape without the batch of one: ``32x6``."""
    return shape_text(shape[1:] if len(shape) > 1 and shape[0] == 1 else shape)


def _describe(tensors):
    return "; ".join(["%s %s, scale %.6g, zero point %d" % (TYPE_NAMES[t.type], shape_text(t.shape), t.scale, t.zero_point)
                      for t in tensors])
