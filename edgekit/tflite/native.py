"""The runtime's kernels in C on this computer."""

from edgekit.native import Wasm
from edgekit.twin import board_module

__all__ = ["WasmKernels"]


class WasmKernels(Wasm, board_module("tflite_micro").native.Kernels):
    """Kernels for one model; see ``firmware/lib/tflite_micro/native.py``.

    Their memory holds the file, the arena and what belongs to the layers.

    Examples
    --------
    >>> from edgekit.paths import MODELS
    >>> tflm = board_module("tflite_micro")
    >>> model = tflm.load_model((MODELS / "gesture_int8.tflite").read_bytes(), WasmKernels())
    >>> len(model.predict([0] * 192))
    6
    """

    def __init__(self):
        super().__init__("tflite")
