"""Kernels in C, where there are some: which numbers and buffers each one gets, in which order.

The order is that of the enums in firmware/native/tflite.c. On the simulated board the kernels are a module
``tflite_kernels``, on a computer edgekit brings them; elsewhere ``kernels_reference`` does all the work.
"""

from array import array

_WINDOW = ("batches height width channels filter_height filter_width dilation_height dilation_width "
           "stride_height stride_width first_top end_top first_left end_left lowest highest")
_CONVOLUTION = (_WINDOW + " units input_zero_point zero_point", "biases multipliers shifts")

# Kernel: its numbers, and its buffers after scratch, weights, inputs and outputs.
LAYOUTS = {
    "fully_connected": ("batches depth units ratios zero_point lowest highest", "biases mantissas exponents"),
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
                       "biases multipliers shifts"),
    "resize": ("batches height width channels out_height out_width item_bytes", "rows columns"),
    "reduce_max": ("outputs count", "starts steps"),
    "arg_max": ("outputs count step wide", "starts"),
    "requantize": ("size input_zero_point zero_point multiplier shift", ""),
    "svdf": ("batches depth filters memory rank multiplier shift out_multiplier out_shift zero_point",
             "biases unit_biases"),
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

    def bind(self, layer, data):
        """A function without arguments that runs a prepared layer, or None if its kernel is in Python only."""
        name = layer.kernel and layer.kernel.__name__
        if name not in LAYOUTS:
            return None
        numbers, buffers = LAYOUTS[name]
        p, place, address = layer.parameters, self.place, self.address
        keep = [place(array("i", [getattr(p, number) for number in numbers.split()]))]
        keep += [place(getattr(p, buffer)) for buffer in buffers.split()]
        start = address(data)
        addresses = [address(layer.scratch) if layer.scratch else 0,
                     start + p.weights_at if hasattr(p, "weights_at") else 0]
        addresses += [start + tensor.data_start if tensor.is_constant else address(view)
                      for tensor, view in zip(layer.inputs, _all(layer.x))]
        addresses += [address(view) for view in _all(layer.y)]
        addresses += [address(buffer) for buffer in keep[1:]]
        keep.append(place(array("I", addresses)))
        return self.call(getattr(self.functions, name), address(keep[0]), address(keep[-1]), keep)

    def call(self, function, numbers, addresses, keep):
        # The buffers live as long as the function: `keep` is a default, so that nothing is allocated in a call.
        return lambda numbers=numbers, addresses=addresses, keep=keep: function(numbers, addresses)


def _all(views):
    return views if isinstance(views, list) else [views]
