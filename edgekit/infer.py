"""Run a .tflite model on inputs from a file, here or on a board: what ``edgekit infer`` does."""

import contextlib
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.errors import DataError, ModelError
from edgekit.tflite import Interpreter, modules

__all__ = ["Inference", "infer", "load_inputs"]

_PLACE = "/models/infer.tflite"


@dataclass(frozen=True)
class Inference:
    """What a model answered.

    Attributes
    ----------
    outputs : numpy.ndarray
        [N, ...] for N inputs: float32, or the stored values (int8) if they were asked for.
    dtype : str
        Type of the stored output, for example ``"int8"``.
    scale, zero_point : float, int
        A stored value q stands for ``scale * (q - zero_point)``; 0.0 and 0 for a model that ends in floats.
    where : str
        ``"host"``, ``"simulated board"`` or ``"board"``.
    """

    outputs: np.ndarray
    dtype: str
    scale: float
    zero_point: int
    where: str

    def to_dict(self) -> dict:
        """Everything as numbers, text and lists, for JSON."""
        return {"outputs": self.outputs.tolist(), "dtype": self.dtype, "scale": self.scale,
                "zero_point": self.zero_point, "where": self.where}


def load_inputs(path) -> np.ndarray:
    """The array of a ``.npy`` file.

    Raises
    ------
    DataError
        It is missing, no ``.npy`` file, or holds something else than numbers.
    """
    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = np.load(path, allow_pickle=False)
    except OSError as error:
        raise DataError(f"Cannot read the inputs {path}: {error.strerror or error}. Give a .npy file, made with "
                        "numpy.save.") from None
    except (ValueError, EOFError) as error:
        # numpy would advise to load a pickle "unsafely".
        why = "it is no .npy, or holds Python objects" if "allow_pickle" in str(error) else error
        raise DataError(f"{path} is no .npy file of numbers ({why}). Make it with numpy.save(path, array).") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        with contextlib.suppress(AttributeError):
            values.close()
        raise DataError(f"{path} does not hold one array of numbers. Make it with numpy.save(path, array).")
    return values


def infer(model, x, on: str = "host", raw: bool = False) -> Inference:
    """Run a model.

    Parameters
    ----------
    model : str, pathlib.Path or bytes
        A .tflite model with one input and one output.
    x : numpy.ndarray
        One input of the model's shape, with or without the batch axis, or N of them: [N, ...]. float: quantized with
        the model's own scale. int8: stored values, taken as they are. Other integers count as int8 if all fit.
    on : str
        ``"host"``, or what :func:`edgekit.connect` takes: ``"sim"``, ``"sim:nano33ble"``, a serial port.
    raw : bool
        Give the stored outputs instead of floats.

    Returns
    -------
    Inference

    Raises
    ------
    ModelError
        The model cannot run, or the input has another shape or type; the message says what was expected.
    BoardError
        The board cannot be reached, or the model does not fit on it.

    Examples
    --------
    >>> from edgekit.paths import MODELS
    >>> answer = infer(MODELS / "gesture_int8.tflite", np.zeros((2, 32, 6), np.int8), raw=True)
    >>> answer.outputs.shape, answer.dtype, answer.zero_point, answer.where
    ((2, 6), 'int8', -128, 'host')
    """
    twin = Interpreter(model)
    x = _as_stored(np.asarray(x), twin)
    if on == "host":
        values, where = twin.invoke(x), "host"
    else:
        values, where = _on_board(model, twin, x, on)
    values = values.reshape(-1, *_without_batch(twin.output_shape))
    scale, zero_point = float(twin.output_scale), int(twin.output_zero_point)
    dtype = values.dtype.name
    if not raw and dtype == "int8":
        values = (np.float64(scale) * (values.astype(np.int32) - zero_point)).astype(np.float32)
    return Inference(values, dtype, scale, zero_point, where)


def _as_stored(x, twin):
    """Inputs as the model stores them."""
    if not twin.input_scale:
        return x.astype(np.float32)
    if x.dtype.kind == "f":
        return twin.quantize(x)
    if x.dtype != np.int8:
        if x.size and (x.min() < -128 or x.max() > 127):
            raise ModelError(f"The input holds integers from {x.min()} to {x.max()}: expected int8 from -128 to 127, or "
                             "floats, which are quantized for you. Use x.astype('float32') if they are real values.")
        x = x.astype(np.int8)
    return x


def _without_batch(shape):
    return shape[1:] if shape[:1] == (1,) and len(shape) > 1 else shape


def _on_board(model, twin, x, port):
    from edgekit import connect
    from edgekit.errors import BoardCodeError
    from edgekit.tflite.graph import load_bytes
    rows = twin.rows(x)
    data, name = load_bytes(model)
    with connect(port, quiet=True) as board:
        board.install("replay", modules={"tflite_micro": modules(data)})  # it brings the runtime
        board.put(data, _PLACE)
        try:
            board.exec(f"import tflite_micro\nmodel = tflite_micro.load_model({_PLACE!r})")
            outputs = []
            for row in rows:
                given = repr(row.tobytes()) if row.dtype == np.int8 else repr(row.tolist())
                board.exec(f"model.set_input({given})\nmodel.invoke()")
                outputs.append(board.eval("list(model.output)"))
        except BoardCodeError as error:
            raise ModelError(f"{name} does not run on {board.name}: {error.reason}") from error
        finally:
            board.remove(_PLACE)
        where = "simulated board" if board.kind == "simulated" else "board"
    return np.array(outputs, np.int8 if twin.output_scale else np.float32), where
