"""A .tflite file on this computer: read it, run it as the board would, compare it, and see whether it fits.

>>> from edgekit import tflite
>>> model = tflite.Interpreter("gesture_int8.tflite")      # doctest: +SKIP
>>> model.predict(features)                                # doctest: +SKIP
>>> print(tflite.report("gesture_int8.tflite"))            # doctest: +SKIP
"""

from edgekit.tflite.graph import read
from edgekit.tflite.interpreter import Interpreter, LayerOutput, reference, reference_layers, run_float
from edgekit.tflite.reporting import Report, fit, report

__all__ = ["read", "Interpreter", "LayerOutput", "reference", "reference_layers", "run_float", "report", "Report",
           "fit"]
