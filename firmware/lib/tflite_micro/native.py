"""Kernels in C, where there are some: which numbers and buffers each one gets, in which order.

The order is that of the enums in firmware/native/tflite.c. On the simulated board the kernels are a module
``tflite_kernels``, on a computer edgekit brings them; elsewhere ``kernels_reference`` does all the work.
"""

import struct

_WINDOW = ("batches height width channels filter_height filter_width dilation_height dilation_width "
           "stride_height stride_width first_top end_top first_left end_left lowest highest")
_CONVOLUTION = (_WINDOW + " units input_zero_point zero_point", "multipliers shifts")

# Kernel: its numbers, and its buffers after weights, biases, inputs and outputs.
LAYOUTS = {
    "fully_connected": ("batches depth units ratios input_zero_point zero_point lowest highest", "mantissas exponents"),
    "conv_2d": _CONVOLUTION,
    "depthwise_conv_2d": _CONVOLUTION,
    "max_pool_2d": (_WINDOW, ""),
    "average_pool_2d": (_WINDOW, ""),
    "mean": ("outputs count bias multiplier shift zero_point", "starts steps"),
    "lookup": ("size", "table"),
    "binary": ("kind lowest highest zero_point_a zero_point_b zero_point bits multiplier_a shift_a multiplier_b shift_b "
               "multiplier shift", "steps"),
    "move": ("inputs outputs item_bytes count fills fill_bits size", "pieces"),
    "transpose_conv": ("batches height width channels filter_height filter_width stride_height stride_width pad_top "
                       "pad_left out_height out_width units input_zero_point zero_point lowest highest",
                       "multipliers shifts"),
    "resize": ("batches height width channels out_height out_width item_bytes", "rows columns"),
    "total": ("outputs count ratio_mantissa ratio_exponent bias_mantissa bias_exponent zero_point", "starts steps"),
    "reduce_max": ("outputs count", "starts steps"),
    "arg_max": ("outputs count step wide", "starts"),
    "requantize": ("size input_zero_point zero_point multiplier shift", ""),
    "svdf": ("batches depth filters memory rank multiplier shift out_multiplier out_shift zero_point",
             "filter_biases unit_biases"),
    "lstm": ("batches steps depth units time_major integer_bits clip hidden_multiplier hidden_shift zero_point",
             "input_biases recurrent_biases multipliers shifts"),
    "softmax": ("size depth multiplier shift least_difference", ""),
}


def find():
    """This board's `Kernels`, or None."""
    try:
        import tflite_kernels
    except ImportError:
        return None
    return Kernels(tflite_kernels)


class Kernels:
    """Kernels that work on this board's own memory; ``functions`` has one for each name, given two addresses."""

    def __init__(self, functions):
        from uctypes import addressof
        self.functions = functions
        self.address = addressof

    def place(self, buffer):
        """The buffer where the kernels can reach it: it is there already."""
        return buffer

    def bind(self, layers, data):
        """For each prepared layer a function without arguments that runs it; None if its kernel is in Python only.

        One block of memory holds the numbers, buffers and addresses of all layers.
        """
        size = sum([_bytes_of(layer) for layer in layers])
        block = self.place(bytearray(size)) if size else None
        functions, end = [], 0
        for layer in layers:
            start, end = end, end + _bytes_of(layer)
            functions.append(self._bind(layer, data, block, start) if start < end else None)
        return functions

    def _bind(self, layer, data, block, start):
        """Fill the block from ``start``: numbers, addresses, buffers."""
        numbers, buffers = LAYOUTS[layer.kernel.__name__]
        p, address, views = layer.parameters, self.address, _all(layer.x) + _all(layer.y)
        file_start, block_start = address(data), address(block)
        numbers = [getattr(p, number) for number in numbers.split()]
        addresses = [file_start + p.weights_at if hasattr(p, "weights_at") else 0,
                     file_start + p.biases_at if getattr(p, "biases_at", -1) >= 0 else 0]
        addresses += [file_start + tensor.data_start if tensor.is_constant else address(view)
                      for tensor, view in zip(layer.inputs + layer.outputs, views)]
        addresses_at = start + 4 * len(numbers)
        at = addresses_at + 4 * (len(addresses) + len(buffers.split()))
        for buffer in buffers.split():
            buffer = bytes(getattr(p, buffer))
            block[at : at + len(buffer)] = buffer
            addresses.append(block_start + at)
            at += (len(buffer) + 3) & ~3
        struct.pack_into("<%di" % len(numbers), block, start, *numbers)
        struct.pack_into("<%dI" % len(addresses), block, addresses_at, *addresses)
        return self.call(getattr(self.functions, layer.kernel.__name__), block_start + start,
                         block_start + addresses_at, block)

    def call(self, function, numbers, addresses, keep):
        """A function that calls a kernel. Defaults, not a closure: they take less memory; ``keep`` lives as long."""
        return lambda function=function, numbers=numbers, addresses=addresses, keep=keep: function(numbers, addresses)


def _bytes_of(layer):
    """What a layer takes of the block; 0 if its kernel is in Python only."""
    name = layer.kernel and layer.kernel.__name__
    if name not in LAYOUTS:
        return 0
    numbers, buffers = LAYOUTS[name]
    words = len(numbers.split()) + 2 + len(_all(layer.x)) + len(_all(layer.y))
    for buffer in buffers.split():
        words += 1 + (len(bytes(getattr(layer.parameters, buffer))) + 3) // 4
    return 4 * words


def _all(views):
    return views if isinstance(views, list) else [views]
