"""Run a .tflite model here: as the board does (`Interpreter`), and with LiteRT for comparison (`reference`)."""

from dataclasses import dataclass

import numpy as np

from edgekit.convert.lite import interpreter
from edgekit.errors import ModelError
from edgekit.tflite.graph import board_errors, load_bytes
from edgekit.tflite.native import WasmKernels
from edgekit.twin import board_module

__all__ = ["Interpreter", "LayerOutput", "reference", "reference_layers", "run_float"]


@dataclass(frozen=True)
class LayerOutput:
    """What one layer computed.

    Attributes
    ----------
    name : str
        The operator, for example ``"CONV_2D"``.
    tensor : int
        Index of its output tensor in the file.
    values : numpy.ndarray
        int8 (or float32 at the edges), with the tensor's shape.
    scale, zero_point : float, int
        A stored value q stands for ``scale * (q - zero_point)``.
    """

    name: str
    tensor: int
    values: np.ndarray
    scale: float
    zero_point: int


class Interpreter:
    """The host twin: firmware/lib/tflite_micro, run by CPython, equal to the board to the bit.

    Parameters
    ----------
    path_or_bytes : str, pathlib.Path or bytes
        A full int8 .tflite model.
    kernels : {"c", "python"}
        Which of the two, equal to the bit: the fast ones, or those that define the answer.

    Attributes
    ----------
    model : Model
        The board's own object, with ``layers``, ``macs``, ``arena_bytes`` and the rest.

    Raises
    ------
    ModelError
        The file cannot be read, is damaged, uses an operator that the board lacks, or is not int8.
    """

    def __init__(self, path_or_bytes, kernels: str = "c"):
        if kernels not in ("c", "python"):
            raise ModelError(f"kernels are 'c' or 'python', not {kernels!r}")
        data, self._name = load_bytes(path_or_bytes)
        with board_errors(self._name):
            self.model = board_module("tflite_micro").load_model(data, WasmKernels() if kernels == "c" else False)

    def __getattr__(self, name):
        # input_shape, input_scale, arena_bytes, layers, details ...: as on the board.
        if name in ("model", "_name"):
            raise AttributeError(name)
        return getattr(self.model, name)

    def quantize(self, x) -> np.ndarray:
        """Real values as the model's int8 input: ``round(x / scale) + zero_point``, clipped.

        Parameters
        ----------
        x : array of float
            Any shape. Counts as float32, and the division is rounded to float32, as LiteRT and the board do.

        Returns
        -------
        numpy.ndarray of int8
            The same shape.
        """
        steps = np.asarray(x, np.float32) / np.float32(self.model.input_scale)
        if np.isnan(steps).any():
            raise ModelError(f"{self._name}: the input holds NaN; mend the data before it is quantized")
        rounded = np.trunc(steps) + np.sign(steps) * (np.abs(steps - np.trunc(steps)) >= 0.5)
        return np.clip(np.clip(rounded, -512, 512) + self.model.input_zero_point, -128, 127).astype(np.int8)

    def invoke(self, x) -> np.ndarray:
        """Stored values in, stored values out.

        Parameters
        ----------
        x : numpy.ndarray of int8
            One input of the model's shape (with or without the batch axis, or flat), or N of them: [N, ...].

        Returns
        -------
        numpy.ndarray of int8
            The output's shape without the batch axis; [N, ...] for N inputs.
        """
        x = np.asarray(x)
        if x.dtype != np.int8 and self.model.input_scale:
            raise ModelError(f"{self._name}: expected int8 values, got {x.dtype}; use predict, or quantize them first")
        return self._run(x, lambda: np.array(self.model.output))

    def predict(self, x) -> np.ndarray:
        """Real values (or int8) in, real values out.

        Parameters
        ----------
        x : array
            float: quantized for you. int8: taken as it is. Shapes as for `invoke`.

        Returns
        -------
        numpy.ndarray of float32
            Shapes as for `invoke`.

        Examples
        --------
        >>> from edgekit.paths import MODELS
        >>> Interpreter(MODELS / "gesture_int8.tflite").predict(np.zeros((5, 32, 6))).shape
        (5, 6)
        """
        x = np.asarray(x)
        if x.dtype.kind == "f" and self.model.input_scale:
            x = self.quantize(x)
        elif x.dtype != np.int8 and self.model.input_scale:
            raise ModelError(f"{self._name}: expected floats, or int8 values as they are, got {x.dtype}; "
                             "use x.astype('float32') if they are real values")
        values = self._run(x, lambda: np.array(self.model.output))
        if values.dtype == np.int8:
            values = (np.float64(self.model.output_scale) * (values.astype(np.int32) - self.model.output_zero_point))
        return values.astype(np.float32)

    def rows(self, x) -> np.ndarray:
        """Inputs, each flat: [N, size].

        Raises
        ------
        ModelError
            Another shape.
        """
        return _as_rows(np.asarray(x), self.model.input_shape, self._name)[1]

    def layer_outputs(self, x) -> list[LayerOutput]:
        """What each layer computes for one input, in order.

        Parameters
        ----------
        x : numpy.ndarray of int8
            One input (float for a model that begins with QUANTIZE).

        Returns
        -------
        list of LayerOutput
        """
        outputs = []

        def keep(layer):
            tensor = layer.output
            outputs.append(LayerOutput(layer.name, tensor.index, np.array(layer.values).reshape(tensor.shape),
                                       tensor.scale, tensor.zero_point))

        x = np.asarray(x)
        self._fill(x.reshape(-1))
        self.model.invoke(keep)
        return outputs

    def _run(self, x, read_output):
        single, rows = _as_rows(x, self.model.input_shape, self._name)
        shape = self.model.output_shape
        shape = shape[1:] if shape[:1] == (1,) else shape
        results = []
        for row in rows:
            self.model.reset()  # each input stands for itself: a recurrent layer shall not remember the one before
            self._fill(row)
            self.model.invoke()
            results.append(read_output().reshape(shape))
        if single:
            return results[0]
        return np.stack(results) if results else np.zeros((0, *shape), np.int8)

    def _fill(self, row):
        target = self.model.input
        if len(row) != len(target):
            raise ModelError(f"{self._name}: expected {len(target)} values, got {len(row)}")
        # In one go: predict of the board checks each value, which costs more than a small model.
        np.frombuffer(target, memoryview(target).format)[:] = row


def _as_rows(x, shape, name):
    """(whether x is one input, inputs as rows of flat values)."""
    size = int(np.prod(shape))
    one = shape[1:] if shape[:1] == (1,) else shape
    if x.shape in (tuple(one), (size,)):
        return True, x.reshape(1, size)
    if x.shape[1:] == tuple(one):
        return False, x.reshape(len(x), size)
    if x.ndim == 2 and x.shape[1] == size:
        return False, x
    wanted = "x".join(map(str, one))
    raise ModelError(f"{name}: expected {size} values ({wanted}), or any number of such inputs, got "
                     f"{'x'.join(map(str, x.shape)) or 'one number'}")


def _litert(path_or_bytes, keep_layers=False):
    data, name = load_bytes(path_or_bytes)
    return interpreter(data, name, keep_layers), name


def reference(path_or_bytes, x) -> np.ndarray:
    """Run LiteRT's reference kernels: the independent answer that the board must equal.

    Parameters
    ----------
    path_or_bytes : str, pathlib.Path or bytes
        A .tflite model with one input and one output.
    x : numpy.ndarray
        Inputs [N, ...] of the model's own type (int8 for an int8 model), or one input.

    Returns
    -------
    numpy.ndarray
        Outputs [N, ...] (or one output) of the model's own type.

    Raises
    ------
    ModelError
        Wrong type or shape, or LiteRT cannot load the file.
    """
    runner, name = _litert(path_or_bytes)
    into, out = runner.get_input_details()[0], runner.get_output_details()[0]
    x = np.asarray(x)
    if x.dtype != into["dtype"]:
        wanted = np.dtype(into["dtype"]).name
        raise ModelError(f"{name}: expected {wanted} inputs, got {x.dtype}; "
                         + ("quantize them first" if wanted == "int8" else f"use x.astype('{wanted}')"))
    single, rows = _as_rows(x, tuple(int(n) for n in into["shape"]), name)
    shape = tuple(int(n) for n in out["shape"])
    shape = shape[1:] if shape[:1] == (1,) else shape
    results = np.zeros((len(rows), *shape), out["dtype"])
    for i, row in enumerate(rows):
        runner.reset_all_variables()
        runner.set_tensor(into["index"], row.reshape(into["shape"]))
        runner.invoke()
        results[i] = runner.get_tensor(out["index"]).reshape(shape)
    return results[0] if single else results


def reference_layers(path_or_bytes, x) -> dict[int, np.ndarray]:
    """As `reference` for one input, with the values of every tensor that a layer computes.

    Returns
    -------
    dict of int to numpy.ndarray
        By tensor index, as in `LayerOutput.tensor`.
    """
    runner, name = _litert(path_or_bytes, keep_layers=True)
    into = runner.get_input_details()[0]
    x = np.asarray(x)
    if x.dtype != into["dtype"] or x.size != np.prod(into["shape"]):
        raise ModelError(f"{name}: expected {np.dtype(into['dtype']).name} values of shape "
                         f"{'x'.join(map(str, into['shape']))}, got {x.dtype} of {'x'.join(map(str, x.shape))}")
    runner.set_tensor(into["index"], x.reshape(into["shape"]))
    runner.invoke()
    computed = [int(i) for operator in runner._get_ops_details() for i in operator["outputs"]]
    return {index: runner.get_tensor(index).copy() for index in computed}


def run_float(path_or_bytes, x) -> np.ndarray:
    """Run a model with float inputs (float, dynamic-range or int8 with float edges) in LiteRT.

    Parameters
    ----------
    path_or_bytes : str, pathlib.Path or bytes
    x : array of float
        Inputs [N, ...], or one input.

    Returns
    -------
    numpy.ndarray of float32
        Outputs [N, ...], or one output.
    """
    return reference(path_or_bytes, np.asarray(x, np.float32))
