"""The same inputs, layer by layer: float model, int8 reference, host twin, board."""

from dataclasses import asdict, dataclass

import numpy as np

from edgekit.errors import ModelError
from edgekit.tflite.graph import load_bytes
from edgekit.tflite.interpreter import Interpreter, reference_layers
from edgekit.tflite.reporting import html_table, modules

__all__ = ["Ladder", "Rung", "ladder"]

_PLACE = "/ladder.tflite"
_ON_BOARD = """\
def _ladder(path):
    import tflite_micro
    model = tflite_micro.load_model(path)
    def layers(row):
        values = []
        model.reset()
        model.set_input(row)
        model.invoke(lambda layer: values.append(bytes(layer.values)))
        return values
    return layers
"""


@dataclass(frozen=True)
class Rung:
    """One layer of all models.

    Attributes
    ----------
    layer : str
        The operator, with its number.
    output_shape : tuple of int
    values : int
        How many were compared.
    float_typical, float_largest : float
        Difference of the float model from the int8 reference, in steps of this layer's int8 (LSB): median and largest.
        This is what quantization costs. NaN without a float model.
    twin_mismatches : int
        Values of the host twin that differ from the int8 reference. Promised: 0.
    board_mismatches : int or None
        The same for the board; None without one.
    """

    layer: str
    output_shape: tuple
    values: int
    float_typical: float
    float_largest: float
    twin_mismatches: int
    board_mismatches: int | None


@dataclass(frozen=True)
class Ladder:
    """All layers. Print it, or end a notebook cell with it.

    Attributes
    ----------
    windows : int
        Inputs that were compared.
    rungs : tuple of Rung
    board_name : str
        Empty without a board.
    """

    windows: int
    rungs: tuple
    board_name: str = ""

    @property
    def mismatches(self) -> int:
        """Values in which host twin or board differ from the int8 reference. Promised: 0."""
        return sum(rung.twin_mismatches + (rung.board_mismatches or 0) for rung in self.rungs)

    def table(self):
        """All rungs as a pandas.DataFrame."""
        import pandas as pd
        return pd.DataFrame([asdict(rung) for rung in self.rungs])

    def _rows(self):
        head = ["layer", "values", "float model: typical", "largest (LSB)", "host twin: mismatches"]
        rows = [[rung.layer, f"{rung.values:,}", f"{rung.float_typical:.2f}", f"{rung.float_largest:.1f}",
                 str(rung.twin_mismatches)] for rung in self.rungs]
        if self.board_name:
            head.append("board: mismatches")
            rows = [[*row, str(rung.board_mismatches)] for row, rung in zip(rows, self.rungs, strict=True)]
        return head, rows

    def _title(self):
        return (f"{self.windows} inputs; each column against the int8 reference (LiteRT)"
                + (f"; board: {self.board_name}" if self.board_name else ""))

    def __str__(self):
        head, rows = self._rows()
        widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
        lines = ["  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                           for i, (cell, width) in enumerate(zip(row, widths, strict=True))) for row in (head, *rows)]
        return "\n".join([self._title(), *lines])

    def _repr_html_(self):
        return html_table(*self._rows(), self._title())


def ladder(model, x, float_model=None, board=None) -> Ladder:
    """Compare the values of each layer: float model, int8 reference, host twin, board.

    Where a board's answer is not the computer's, the first rung that is not 0 says where it begins.

    Parameters
    ----------
    model : str, pathlib.Path or bytes
        A full int8 .tflite.
    x : array of int8, shape [N, ...]
        Inputs as the model stores them.
    float_model : str, pathlib.Path or bytes, optional
        The float .tflite of the same network.
    board : edgekit.board.Board, optional
        The model is copied there and removed again.

    Returns
    -------
    Ladder

    Raises
    ------
    ModelError
        A model cannot be read, is not int8, or the two have other layers.

    Examples
    --------
    >>> from edgekit.paths import MODELS
    >>> x = np.random.default_rng(0).integers(-128, 128, (3, 32, 6)).astype(np.int8)
    >>> made = ladder(MODELS / "gesture_int8.tflite", x, MODELS / "gesture_float.tflite")
    >>> made.mismatches, made.rungs[1].layer, made.rungs[1].float_typical < 1
    (0, '1 CONV_2D', True)
    """
    twin = Interpreter(model)
    x = np.asarray(x)
    if x.dtype != np.int8 or not twin.input_scale:
        raise ModelError(f"A ladder needs a full int8 model and int8 inputs, found {x.dtype} inputs: convert the model to "
                         "full int8 (lesson 09), or quantize the inputs, Interpreter(model).quantize(x).")
    rows = twin.rows(x)
    if not len(rows):
        raise ModelError("A ladder needs at least one input, found none: give it some of the test windows.")
    layers = [twin.layer_outputs(row) for row in rows]
    shape = twin.input_shape
    known = [reference_layers(model, row.reshape(shape)) for row in rows]
    floats = None if float_model is None else _float_layers(float_model, rows, twin, layers[0])
    on_board = None if board is None else _board_layers(board, model, rows)
    rungs = []
    for i, first in enumerate(layers[0]):
        expected = np.stack([each[first.tensor].reshape(-1) for each in known])
        found = np.stack([each[i].values.reshape(-1) for each in layers])
        typical = largest = np.nan
        if floats is not None:
            steps = np.stack([each[i] for each in floats]) / first.scale + first.zero_point
            # What lies outside of the range is cut off on purpose: it counts with its distance too.
            difference = np.abs(steps - expected)
            typical, largest = float(np.median(difference)), float(difference.max())
        lost = None if on_board is None else int((np.stack([each[i] for each in on_board]) != expected).sum())
        rungs.append(Rung(f"{i} {first.name}", first.values.shape, expected.size, typical, largest,
                          int((found != expected).sum()), lost))
    return Ladder(len(rows), tuple(rungs), "" if board is None else f"{board.name} ({board.kind})")


def _float_layers(float_model, rows, twin, layers):
    """Values of each layer of the float model, flat, for each input."""
    plain = Interpreter(float_model)
    real = [(row.astype(np.float32) - twin.input_zero_point) * np.float32(twin.input_scale) for row in rows]
    mine = [(layer.name, layer.values.shape) for layer in layers]
    outputs = plain.layer_outputs(real[0])
    theirs = [(layer.name, layer.values.shape) for layer in outputs]
    if mine != theirs:
        raise ModelError(f"The int8 model has the layers {', '.join(name for name, _ in mine)}; the float model "
                         f"{', '.join(name for name, _ in theirs)}, or other shapes: convert both from one network.")
    computed = [reference_layers(float_model, row.reshape(plain.input_shape)) for row in real]
    return [[each[layer.tensor].reshape(-1) for layer in outputs] for each in computed]


def _board_layers(board, model, rows):
    board.install("replay", modules={"tflite_micro": modules(model)})  # it brings the runtime
    board.put(load_bytes(model)[0], _PLACE)
    try:
        board.exec(f"{_ON_BOARD}\n_ladder = _ladder({_PLACE!r})")
        return [[np.frombuffer(layer, np.int8) for layer in board.eval(f"_ladder({row.tobytes()!r})")] for row in rows]
    finally:
        board.exec("globals().pop('_ladder', 0)")
        board.remove(_PLACE)
