"""From a model file to a board that recognises: a Bundle, a copy that is whole or not at all, and proof of equality."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgekit.board.install import missing
from edgekit.errors import BoardCodeError, BoardError, DataError, ModelError
from edgekit.features import FeatureParams
from edgekit.paths import artefact
from edgekit.twin import board_module

__all__ = ["Bundle", "gesture_bundle", "Parity", "parity", "Event", "recognise_live", "LiveScore", "score_events"]

_WINDOWS_PATH = "/parity_windows.bin"
_LEAD_S = 1.0  # the app starts, and fills its first window with rest, before a recording plays


@dataclass(frozen=True)
class Bundle:
    """All that a board needs to recognise: model, feature parameters, class names, app and threshold.

    Parameters
    ----------
    name : str
        Name of the folder ``/models/NAME`` on the board.
    model : bytes, str or pathlib.Path
        A full int8 .tflite, or its path; kept as bytes.
    params : FeatureParams
        How windows become the model's input.
    classes : tuple of str, optional
        Names of the model's outputs; default ``params.classes``.
    app : str
        App of ``firmware/apps`` that uses it.
    threshold : float
        Mean score, 0 to 1, from which a class counts as recognised.

    Raises
    ------
    ModelError
        The model cannot be read or does not fit the parameters or the classes.
    """

    name: str
    model: bytes
    params: FeatureParams
    classes: tuple[str, ...] = ()
    app: str = "gesture"
    threshold: float = 0.7

    def __post_init__(self):
        model = self.model
        if not isinstance(model, (bytes, bytearray, memoryview)):
            try:
                model = Path(model).read_bytes()
            except OSError as error:
                raise ModelError(f"Cannot read the model {str(model)!r}: {error.strerror}. "
                                 "Convert one first (lesson 09), or leave the path out to use the shipped one.") from None
        object.__setattr__(self, "model", bytes(model))
        object.__setattr__(self, "classes", tuple(self.classes or self.params.classes))
        if not self.name.isidentifier():
            raise ModelError(f"A bundle's name becomes a folder on the board: expected letters, digits and _, "
                             f"found {self.name!r}.")
        if not 0 < self.threshold <= 1:
            raise ModelError(f"threshold is {self.threshold!r}; expected a score above 0, at most 1.")

    @property
    def sha256(self) -> str:
        """Of the model file, hexadecimal."""
        return hashlib.sha256(self.model).hexdigest()

    @property
    def folder(self) -> str:
        """Where it is on the board."""
        return f"/models/{self.name}"

    @property
    def model_path(self) -> str:
        """Where the model is on the board. Its name is its contents' hash, so two models never mix."""
        return f"{self.folder}/{self.sha256[:16]}.tflite"

    def description(self) -> bytes:
        """``bundle.json`` as the board reads it."""
        about = {"name": self.name, "model": self.model_path.rpartition("/")[2], "sha256": self.sha256,
                 "params": self.params.to_dict(), "classes": list(self.classes), "app": self.app,
                 "threshold": self.threshold}
        return (json.dumps(about, indent=1) + "\n").encode()

    def check(self, board=None) -> None:
        """Look for what would fail on the board, before anything is copied.

        Parameters
        ----------
        board : edgekit.board.Board, optional
            Its free memory is asked for too.

        Raises
        ------
        ModelError
            The model is not int8, lacks an operator on the board, does not take these features, has another number
            of classes, or does not fit.
        """
        from edgekit import tflite

        # The host twin is the board's own code: what it refuses, the board would refuse.
        twin = tflite.Interpreter(self.model)
        expected = int(np.prod(self.params.shape))
        found = int(np.prod(twin.input_shape))
        if self.params.kind != "waveform" or found != expected:
            raise ModelError(f"The model reads {found} values, the feature parameters make {expected} "
                             f"({self.params.kind}). Use the parameters that the model was trained with.")
        if not twin.input_scale:
            raise ModelError("The model reads floats; the app gives it int8 features. Convert it to full int8 with "
                             "calibration data (lesson 09).")
        if (twin.input_scale, twin.input_zero_point) != (1 / 128, 0):
            raise ModelError(f"The model's input has scale {twin.input_scale:g} and zero point {twin.input_zero_point}; "
                             "int8 features need 1/128 and 0. Train on features / 128 and convert with int8 calibration.")
        outputs = int(np.prod(twin.output_shape))
        if outputs != len(self.classes):
            raise ModelError(f"The model has {outputs} outputs, but there are {len(self.classes)} class names: "
                             f"{', '.join(self.classes) or 'none'}.")
        if board is None:
            return
        info = board.info
        needs = tflite.report(self.model, boards=())
        flash_bytes = _in_blocks([self.model, self.description(), *missing(board, self.app).values()])
        if flash_bytes > info.flash_free:
            raise ModelError(f"Model and program need {flash_bytes:,} more bytes of flash; {info.name} has "
                             f"{info.flash_free:,} free. Remove files with board.remove(path), or use a smaller model "
                             "or a board with more flash.")
        if needs.ram_bytes > info.heap_free:
            raise ModelError(f"Model and runtime need about {needs.ram_bytes:,} bytes of memory; {info.name} has "
                             f"{info.heap_free:,} free. Restart it (board.reset()), or use fewer channels or layers "
                             "(lesson 08).")

    def deploy(self, board) -> str:
        """Put the bundle on a board. Until the last step the board keeps what it had.

        In this order: check that it fits; install the app; copy the model under its own name; load it there;
        write ``bundle.json``, which is the moment when the new model counts; remove older models. Every file is
        copied under a temporary name, compared by sha256 on the board, and renamed.

        Parameters
        ----------
        board : edgekit.board.Board

        Returns
        -------
        str
            Path of the bundle on the board.

        Raises
        ------
        ModelError
            It does not fit, see :meth:`check`.
        BoardLostError
            The board stopped answering; the old model is still there.
        BoardError
            The board could not write or load it; the old model is still there.
        """
        self.check(board)
        board.install(self.app)
        description_path = f"{self.folder}/bundle.json"
        there = board.hashes([self.model_path, description_path])
        description = self.description()
        if there[self.model_path] != self.sha256:
            board.put(self.model, self.model_path)
        if there[description_path] != hashlib.sha256(description).hexdigest():
            self._load_on(board)
            board.put(description, description_path)
        self._remove_older(board)
        return self.folder

    def is_on(self, board) -> bool:
        """Whether exactly this bundle is on the board."""
        path = f"{self.folder}/bundle.json"
        there = board.hashes([self.model_path, path])
        return (there[self.model_path], there[path]) == (self.sha256, hashlib.sha256(self.description()).hexdigest())

    def _load_on(self, board):
        try:
            board.exec(f"import tflite_micro\ntflite_micro.load_model({self.model_path!r})")
        except BoardCodeError as error:
            board.remove(self.model_path)
            raise BoardError(f"{board.info.name} cannot load the model: {error.reason}. It was removed again; "
                             "the board keeps what it had.") from error

    def _remove_older(self, board):
        keep = self.model_path.rpartition("/")[2]
        for name in board.ls(self.folder):
            if name not in (keep, "bundle.json") and not name.endswith("/"):
                board.remove(f"{self.folder}/{name}")


def gesture_bundle(model=None, params=None, threshold: float = 0.7) -> Bundle:
    """The gesture model as a bundle: the learner's own if there is one, else the shipped one.

    Parameters
    ----------
    model : bytes or path, optional
        An int8 .tflite; default ``gesture_int8.tflite``.
    params : FeatureParams, optional
        Default ``gesture_features.json``.
    threshold : float
        Mean score from which a gesture counts.
    """
    return Bundle("gesture", artefact("gesture_int8.tflite") if model is None else model,
                  FeatureParams.load(artefact("gesture_features.json")) if params is None else params,
                  threshold=threshold)


def _in_blocks(files, block_bytes=512):
    """Space that files take in a file system, at the least: whole blocks."""
    return sum(-(-len(data) // block_bytes) * block_bytes for data in files)


# The same answers everywhere


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
    windows : array of int16, shape [N, window, channels]
        Sensor counts, such as ``dataset.windows(...).x``.
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
    from edgekit.features.motion import waveform

    windows = np.asarray(windows)
    if len(windows) == 0:
        raise DataError("Parity needs at least one window, found none.")
    features = waveform(windows, bundle.params)
    on_board = _replay(board, bundle, windows, layers, progress)

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


def _replay(board, bundle, windows, layers, progress):
    from tqdm.auto import tqdm

    frames = board_module("frames")
    if not bundle.is_on(board):
        bundle.deploy(board)
    board.put(np.ascontiguousarray(windows, "<i2").tobytes(), _WINDOWS_PATH)
    answers = _Answers()
    layer_values = []
    try:
        with tqdm(total=len(windows), unit=" windows", disable=not progress, leave=False) as bar:
            for frame in board.stream("replay", name=bundle.name, path=_WINDOWS_PATH, layers=layers):
                values = np.frombuffer(frame.payload, np.int8)
                if frame.type == frames.FEATURES:
                    answers.features.append(values)
                elif frame.type == frames.LAYER:
                    layer_values.append(values)
                elif frame.type == frames.RESULT:
                    answers.outputs.append(values)
                    answers.layers.append(layer_values)
                    layer_values = []
                    bar.update()
    finally:
        _remove_quietly(board, _WINDOWS_PATH)
    if not len(answers.features) == len(answers.outputs) == len(windows):
        raise BoardError(f"The board got {len(windows)} windows, but {len(answers.outputs)} answers arrived. "
                         "Frames were lost on the way: use another cable or port, and try again.")
    answers.features = np.stack(answers.features)
    answers.outputs = np.stack(answers.outputs)
    return answers


def _remove_quietly(board, path):
    # The board may be gone: then its error is on its way already, and this one would hide it.
    try:
        board.remove(path)
    except BoardError:
        pass


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


# Live


@dataclass(frozen=True)
class Event:
    """Something that the board recognised.

    Attributes
    ----------
    time_s : float
        Seconds after the recording began (after the app began, if nothing was played).
    label : str
    score : float
        Mean score, 0 to 1.
    """

    time_s: float
    label: str
    score: float


def recognise_live(board, recording=None, seconds: float | None = None, name: str = "gesture", progress: bool = True,
                   on_event=None, **settings) -> list[Event]:
    """Let the board recognise gestures as they happen.

    Parameters
    ----------
    board : edgekit.board.Board
        With a bundle on it, see :meth:`Bundle.deploy`.
    recording : Recording, optional
        What the simulated board's sensor feels. A real board feels what you do.
    seconds : float, optional
        How long; default: as long as the recording.
    name : str
        Name of the bundle.
    progress : bool
        Show a progress bar.
    on_event : callable, optional
        Gets each :class:`Event` at once.
    **settings
        For ``main`` of ``firmware/apps/gesture.py``: ``threshold``, ``smooth``, ``quiet_ms``, ``stride`` ...

    Returns
    -------
    list of Event
        Ctrl-C ends it early; what came so far is returned.

    Raises
    ------
    DataError
        Neither a recording nor seconds are given, or a recording for a real board.
    """
    from tqdm.auto import tqdm

    frames = board_module("frames")
    if recording is None and seconds is None:
        raise DataError("Say how long: recognise_live(board, seconds=30), or give a recording to play.")
    if recording is not None and not hasattr(board, "world"):
        raise DataError("A recording can be played to a simulated board only. Leave it out and move the board.")
    seconds = recording.duration_s if seconds is None else seconds
    params = json.loads(board.get(f"/models/{name}/bundle.json"))["params"]
    stride = settings.get("stride") or params["stride"]
    length_s = seconds + (_LEAD_S if recording is not None else 0)
    # One window more than fits: the last gesture is seen to its end.
    windows = int(length_s * params["rate_hz"]) // stride - -(-params["window"] // stride) + 2
    start_s = None
    if recording is not None:
        start_s = board.world.time_s + _LEAD_S
        board.world.play(recording, at_s=start_s)
    events = []
    stream = board.stream("gesture", name=name, max_windows=max(1, windows), every_window=True, **settings)
    with tqdm(total=windows, unit=" windows", disable=not progress, leave=False) as bar:
        try:
            for frame in stream:
                if frame.type == frames.HEADER and start_s is None:
                    start_s = json.loads(frame.payload)["time_ms"] / 1000
                elif frame.type == frames.RESULT:
                    bar.update()
                elif frame.type == frames.EVENT:
                    about = json.loads(frame.payload)
                    event = Event(round(about["time_ms"] / 1000 - start_s, 3), about["label"], max(about["scores"]))
                    events.append(event)
                    if on_event:
                        on_event(event)
        except KeyboardInterrupt:
            stream.close()
    return events


@dataclass(frozen=True)
class LiveScore:
    """How a live run went: ``right``, ``wrong`` (another class), ``missed`` (no event), ``extra`` (no gesture)."""

    right: int
    wrong: int
    missed: int
    extra: int

    @property
    def gestures(self) -> int:
        """How many were made."""
        return self.right + self.wrong + self.missed

    def __str__(self):
        return (f"{self.right} of {self.gestures} gestures right, {self.wrong} wrong, {self.missed} missed, "
                f"{self.extra} extra")


def score_events(events, truth, late_s: float = 1.3) -> LiveScore:
    """Compare what was recognised with what was done.

    Parameters
    ----------
    events : list of Event
    truth : list of (start_s, stop_s, label)
        As :func:`edgekit.signals.gestures.live` gives it.
    late_s : float
        An event up to this long after a gesture's end still belongs to it: a window is that long.

    Returns
    -------
    LiveScore
        The first event of a gesture counts as right or wrong; further ones are extra.

    Examples
    --------
    >>> print(score_events([Event(1.9, "wave", 0.9), Event(9.0, "punch", 0.8)], [(1.0, 3.0, "wave"), (5.0, 7.0, "punch")]))
    1 of 2 gestures right, 0 wrong, 1 missed, 1 extra
    """
    right = wrong = missed = 0
    left = sorted(events, key=lambda event: event.time_s)
    for start_s, stop_s, label in truth:
        own = next((event for event in left if start_s <= event.time_s <= stop_s + late_s), None)
        if own is None:
            missed += 1
            continue
        left.remove(own)
        right += own.label == label
        wrong += own.label != label
    return LiveScore(right, wrong, missed, len(left))
