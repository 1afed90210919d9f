"""The same answers everywhere: float model, int8 reference, host twin and board, compared value by value."""

from dataclasses import dataclass, field

import numpy as np

from edgekit.deploy.bundle import Bundle
from edgekit.deploy.live import remove_quietly
from edgekit.errors import BoardError, DataError
from edgekit.twin import board_module

__all__ = ["Parity", "parity"]

_WINDOWS_PATH = "/parity_windows.bin"


@dataclass(frozen=True)
class _Row:
    what: str
    against: str
    values: int
    mismatches: int
    largest_lsb: float
    same_class: str = ""


@dataclass(frozen=True)
class Parity:
    """How far the answers of one model agree. Print it, or end a notebook cell with it.

    Attributes
    ----------
    windows : int
        Windows compared.
    kind : str
        ``"simulated"`` or ``"board"``.
    rows, layers : tuple
        Each with ``what``, ``against``, ``values`` compared, ``mismatches``, ``largest_lsb`` (largest difference
        in steps of int8) and ``same_class``.
    """

    windows: int
    kind: str
    board_name: str
    rows: tuple
    layers: tuple = ()

    @property
    def mismatches(self) -> int:
        """Values in which board, host twin or features differ from what they must equal. Promised: 0.

        The float model is not counted: it is another model.
        """
        return sum(row.mismatches for row in (*self.rows, *self.layers) if row.what != "float model")

    def table(self):
        """All rows as a pandas.DataFrame."""
        import pandas as pd
        names = ("what", "against", "values", "mismatches", "largest_lsb", "same_class")
        return pd.DataFrame([{name: getattr(row, name) for name in names} for row in (*self.rows, *self.layers)])

    def __str__(self):
        lines = [f"{self.windows} windows, {self.board_name} ({self.kind})",
                 f"{'':22} {'against':22} {'values':>7} {'mismatches':>10} {'largest (LSB)':>13}  same class"]
        lines += [f"{row.what:22} {row.against:22} {row.values:>7} {row.mismatches:>10} {row.largest_lsb:>13.3g}  "
                  f"{row.same_class}".rstrip() for row in (*self.rows, *self.layers)]
        return "\n".join(lines)

    def _repr_html_(self):
        head = "".join(f"<th>{name}</th>" for name in
                       ("", "against", "values", "mismatches", "largest difference (LSB)", "same class"))
        body = "".join(f"<tr><td>{row.what}</td><td>{row.against}</td><td>{row.values}</td><td>{row.mismatches}</td>"
                       f"<td>{row.largest_lsb:.3g}</td><td>{row.same_class}</td></tr>"
                       for row in (*self.rows, *self.layers))
        return (f"<table><caption>{self.windows} windows, {self.board_name} ({self.kind})</caption>"
                f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def parity(board, bundle: Bundle, windows, float_model=None, layers: bool = False, progress: bool = False) -> Parity:
    """Give the same windows to all and compare the answers: float model, int8 reference, host twin, board.

    Parameters
    ----------
    board : edgekit.board.Board
        The bundle is deployed if it is not there.
    bundle : Bundle
    windows : array of int16, shape [N, window, channels], or for sound [N, samples]
        Sensor counts, such as ``dataset.windows(...).x``; clips of sound, such as ``clips(...).x``, of which the first
        ``params.samples`` count.
    float_model : bytes, path or keras.Model, optional
        The model before quantization: a float .tflite, or what Keras trained.
    layers : bool
        Also compare each layer of the board with the host twin.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Parity
        Differences are counted in steps of the int8 output (LSB). ``mismatches`` of the board is 0 or something
        is wrong.

    Raises
    ------
    BoardError
        The board sent fewer answers than it got windows.
    """
    from edgekit import tflite

    windows = np.asarray(windows)
    if len(windows) == 0:
        raise DataError("Parity needs at least one window, found none.")
    replay = _Sound if bundle.params.kind == "mfcc" else _Motion
    windows, features = replay.prepare(windows, bundle.params)
    on_board = _replay(board, bundle, replay, windows, layers, progress)

    twin = tflite.Interpreter(bundle.model)
    reference = tflite.reference(bundle.model, features).reshape(len(windows), -1)
    host = twin.invoke(features).reshape(len(windows), -1)
    rows = [_compare("features, board", "features, host", on_board.features, features.reshape(len(windows), -1))]
    if float_model is not None:
        scores = _float_outputs(float_model, features).reshape(len(windows), -1)
        steps = scores / twin.output_scale + twin.output_zero_point
        rows.append(_compare("float model", "int8 reference", steps, reference, classes=True))
    rows.append(_compare("host twin", "int8 reference", host, reference, classes=True))
    rows.append(_compare("board", "int8 reference", on_board.outputs, reference, classes=True))
    return Parity(len(windows), board.info.kind, board.info.name, tuple(rows),
                  tuple(_compare_layers(bundle, twin, features, on_board.layers)) if layers else ())


@dataclass
class _Answers:
    features: list = field(default_factory=list)
    outputs: list = field(default_factory=list)
    layers: list = field(default_factory=list)  # for each window a list of arrays

    def take(self, stream, bar):
        """Keep what an app sends."""
        frames = board_module("frames")
        layer_values = []
        for frame in stream:
            values = np.frombuffer(frame.payload, np.int8)
            if frame.type == frames.FEATURES:
                self.features.append(values)
            elif frame.type == frames.LAYER:
                layer_values.append(values)
            elif frame.type == frames.RESULT:
                self.outputs.append(values)
                self.layers.append(layer_values)
                layer_values = []
                bar.update()


class _Motion:
    """Windows of a motion sensor: the app ``replay`` computes one after the other."""

    app = "replay"
    at_once = 1 << 30

    @staticmethod
    def prepare(windows, params):
        """What the board gets, and the features that it shall compute."""
        from edgekit.features.motion import waveform
        return windows, waveform(windows, params)

    @staticmethod
    def settings(params, layers):
        return {"layers": layers}


class _Sound:
    """Clips of sound, one after the other in a stream: the app ``keyword`` itself looks at the end of each."""

    app = "keyword"
    at_once = 20  # clips, of 32 kB: boards have little room for files

    @staticmethod
    def prepare(clips, params):
        from edgekit.features import mfcc
        if clips.dtype != np.int16 or clips.ndim != 2 or clips.shape[1] < params.samples:
            raise DataError(f"Expected int16 clips [N, {params.samples}] of sound, found {clips.dtype} "
                            f"{list(clips.shape)}.")
        clips = clips[:, :params.samples]
        # The stream takes whole hops, and a clip's last frame ends with one.
        lead = np.zeros((len(clips), -params.samples % params.hop), np.int16)
        return np.concatenate([lead, clips], axis=1), mfcc.mfcc(clips, params)

    @staticmethod
    def settings(params, layers):
        if layers:
            raise DataError("Layers of a model for sound are not compared on the board; leave layers=True out.")
        return {"hops": -(-params.samples // params.hop), "features": True, "every_window": True}


def _replay(board, bundle, replay, windows, layers, progress):
    from tqdm.auto import tqdm

    settings = replay.settings(bundle.params, layers)
    if not bundle.is_on(board):
        bundle.deploy(board)
    answers = _Answers()
    try:
        with tqdm(total=len(windows), unit=" windows", disable=not progress, leave=False) as bar:
            for first in range(0, len(windows), replay.at_once):
                part = windows[first:first + replay.at_once]
                board.put(np.ascontiguousarray(part, "<i2").tobytes(), _WINDOWS_PATH)
                answers.take(board.stream(replay.app, name=bundle.name, path=_WINDOWS_PATH, **settings), bar)
    finally:
        remove_quietly(board, _WINDOWS_PATH)
    if not len(answers.features) == len(answers.outputs) == len(windows):
        raise BoardError(f"The board got {len(windows)} windows, but {len(answers.outputs)} answers arrived. "
                         "Frames were lost on the way: use another cable or port, and try again.")
    answers.features = np.stack(answers.features)
    answers.outputs = np.stack(answers.outputs)
    return answers


def _float_outputs(model, features):
    from edgekit import tflite
    from edgekit.features.motion import to_float

    if hasattr(model, "predict"):
        return np.asarray(model.predict(to_float(features), verbose=0))
    return tflite.run_float(model, to_float(features))


def _compare(what, against, found, expected, classes=False):
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    # The float model falls between the steps: what rounds to the same step is no mismatch.
    difference = np.abs(found - expected)
    same_class = ""
    if classes:
        same_class = f"{int((found.argmax(axis=1) == expected.argmax(axis=1)).sum())} of {len(found)}"
    return _Row(what, against, found.size, int((np.abs(np.rint(found) - expected) > 0).sum()),
                float(difference.max(initial=0)), same_class)


def _compare_layers(bundle, twin, features, on_board):
    from edgekit import tflite

    names, twins, references = None, [], []
    for window in features:
        outputs = twin.layer_outputs(window)
        names = names or [output.name for output in outputs]
        known = tflite.reference_layers(bundle.model, window)
        twins.append([output.values.reshape(-1) for output in outputs])
        references.append([known[output.tensor].reshape(-1) for output in outputs])
    for i, name in enumerate(names):
        board_values = np.stack([window[i] for window in on_board])
        yield _compare(f"{i} {name}, board", "host twin", board_values, np.stack([w[i] for w in twins]))
        yield _compare(f"{i} {name}, board", "int8 reference", board_values, np.stack([w[i] for w in references]))
