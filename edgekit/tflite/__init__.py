"""A .tflite file on this computer: read it, run it as the board would, compare it, and see whether it fits.

>>> from edgekit import tflite
>>> from edgekit.paths import MODELS
>>> model = tflite.Interpreter(MODELS / "gesture_int8.tflite")      # the board's own code, run here
>>> model.input_shape, model.output_shape
((1, 32, 6), (1, 6))
>>> tflite.report(MODELS / "gesture_int8.tflite").boards[0].fits
True
"""

from edgekit.tflite.comparing import Ladder, ladder
from edgekit.tflite.graph import read
from edgekit.tflite.interpreter import Interpreter, LayerOutput, reference, reference_layers, run_float
from edgekit.tflite.reporting import Report, fit, modules, report

__all__ = ["read", "Interpreter", "LayerOutput", "reference", "reference_layers", "run_float", "report", "Report",
           "fit", "modules", "ladder", "Ladder"]
