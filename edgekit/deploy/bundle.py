"""A Bundle: all that a board needs to recognise, checked before it is copied, and copied whole or not at all."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgekit.board.install import compare, folders_of, lacking, module_name, space
from edgekit.errors import BoardCodeError, BoardError, ModelError
from edgekit.features import FeatureParams, load_params
from edgekit.paths import artefact

__all__ = ["Bundle", "gesture_bundle", "keyword_bundle", "fall_bundle", "KEYWORD_THRESHOLD", "FALL_THRESHOLD"]


@dataclass(frozen=True)
class Bundle:
    """All that a board needs to recognise: model, feature parameters, class names, app and threshold.

    Parameters
    ----------
    name : str
        Name of the folder ``/models/NAME`` on the board.
    model : bytes, str or pathlib.Path
        A full int8 .tflite, or its path; kept as bytes.
    params : FeatureParams or AudioParams
        How windows become the model's input.
    classes : tuple of str, optional
        Names of the model's outputs; default ``params.classes``.
    app : str
        App of ``firmware/apps`` that uses it.
    threshold : float
        Mean score, 0 to 1, from which a class counts as recognised.
    files : dict of str to bytes, optional
        What else the app reads, by name; on the board ``bundle.load(name)["files"]`` has their paths. The tables of
        sound features, ``"mfcc.bin"``, are made from the parameters.

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
    files: dict[str, bytes] = field(default_factory=dict, hash=False)

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
        files = dict(self.files)
        if self.params.kind == "mfcc" and "mfcc.bin" not in files:
            from edgekit.features import mfcc
            files["mfcc.bin"] = mfcc.tables(self.params)
        object.__setattr__(self, "files", {name: bytes(data) for name, data in files.items()})

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
        """Where the model is on the board."""
        return _path(self.folder, self.model, ".tflite")

    def contents(self) -> dict[str, bytes]:
        """Path on the board of the model and each further file, and what it holds.

        A file's name is its contents' hash: so the files of two bundles never mix.
        """
        return {self.model_path: self.model,
                **{_path(self.folder, data, Path(name).suffix): data for name, data in self.files.items()}}

    def description(self) -> bytes:
        """``bundle.json`` as the board reads it."""
        about = {"name": self.name, "model": self.model_path.rpartition("/")[2], "sha256": self.sha256,
                 "params": self.params.to_dict(), "classes": list(self.classes), "app": self.app,
                 "threshold": self.threshold}
        if self.files:
            about["files"] = {name: _path("", data, Path(name).suffix)[1:] for name, data in self.files.items()}
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
        if len(twin.inputs) != 1 or len(twin.outputs) != 1:
            raise ModelError(f"The model has {len(twin.inputs)} inputs and {len(twin.outputs)} outputs, the app expects one of "
                             "each: convert the part of it that has one (lesson 09).")
        expected = int(np.prod(self.params.shape))
        found = int(np.prod(twin.input_shape))
        if self.params.kind not in ("waveform", "mfcc", "event") or found != expected:
            raise ModelError(f"The model reads {found} values, the feature parameters make {expected} "
                             f"({self.params.kind}): use the parameters that the model was trained with.")
        if not twin.input_scale:
            raise ModelError("The model reads floats, the app gives it int8 features: convert it to full int8 with "
                             "calibration data (lesson 09).")
        if (twin.input_scale, twin.input_zero_point) != (1 / 128, 0):
            raise ModelError(f"The model's input has scale {twin.input_scale:g} and zero point {twin.input_zero_point}, "
                             "int8 features need 1/128 and 0: train on features / 128 and convert with int8 calibration "
                             "(lesson 09).")
        if not twin.output_scale:
            raise ModelError("The model answers with floats, the app expects int8 scores: convert it to full int8 with "
                             "int8 output (lesson 09).")
        outputs = int(np.prod(twin.output_shape))
        if outputs != len(self.classes):
            raise ModelError(f"The model has {outputs} outputs, but there are {len(self.classes)} class names "
                             f"({', '.join(self.classes) or 'none'}): give one for each output.")
        if board is not None:
            self._check_room(board)

    def _check_room(self, board):
        from edgekit.tflite import report
        from edgekit.tflite.reporting import code_heap_bytes

        info = board.info
        needs = report(self.model, boards=(), app=self.app)
        program, found = compare(board, self.app, self._modules)
        there = self._hashes(board)
        more = {**lacking(program, found), **lacking(self._all_files(), there)}
        folders = folders_of(path for path, sha256 in {**found, **there}.items() if sha256)
        flash_bytes = space(_sizes(more), info.flash_block, folders)
        if flash_bytes > info.flash_free:
            raise ModelError(f"Model and program need {flash_bytes:,} more bytes of flash, {info.name} has "
                             f"{info.flash_free:,} free, {flash_bytes - info.flash_free:,} too few: remove files with "
                             "board.remove(path), or use a smaller model or a board with more flash.")
        # What is imported already takes its memory already.
        imported = board.eval("list(__import__('sys').modules)")
        code_bytes = code_heap_bytes({path: size for path, size in needs.program.items()
                                      if module_name(path) not in imported})
        ram_bytes = code_bytes + needs.app_heap_bytes + needs.model_heap_bytes
        if ram_bytes > info.heap_free:
            raise ModelError(f"Model and program need about {ram_bytes:,} bytes of memory, {info.name} has "
                             f"{info.heap_free:,} free: restart it with board.reset(), or use fewer channels or layers "
                             "(lesson 08).")
        largest = board.largest_free()
        piece, what = max((needs.file_bytes, "file"), (needs.arena_bytes, "arena"))
        if largest is not None and piece > largest:
            raise ModelError(f"The model's {what} needs {piece:,} bytes in one piece, the largest free block of {info.name} "
                             f"has {largest:,}: restart it with board.reset(), which joins free memory, or use a smaller "
                             "model (lesson 08).")

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
        board.install(self.app, modules=self._modules)
        more = lacking(self._all_files(), self._hashes(board))
        description = more.pop(self._description_path, None)
        for path, data in more.items():
            board.put(data, path)
        if description:
            self._load_on(board, copied=list(more))
            board.put(description, self._description_path)
        self._remove_older(board)
        return self.folder

    def is_on(self, board) -> bool:
        """Whether exactly this bundle is on the board."""
        return not lacking(self._all_files(), self._hashes(board))

    @property
    def _description_path(self):
        return f"{self.folder}/bundle.json"

    @property
    def _modules(self):
        """What the app loads by name while it runs: operators of this model."""
        from edgekit.tflite import modules
        return {"tflite_micro": modules(self.model)}

    def _all_files(self):
        return {**self.contents(), self._description_path: self.description()}

    def _hashes(self, board):
        return board.hashes(list(self._all_files()))

    def _load_on(self, board, copied):
        try:
            board.exec(f"import tflite_micro\ntflite_micro.load_model({self.model_path!r})")
        except BoardCodeError as error:
            for path in copied:
                board.remove(path)
            raise BoardError(f"{board.info.name} cannot load the model: {error.reason}. What was copied is removed again; "
                             "the board keeps what it had.") from error

    def _remove_older(self, board):
        keep = (*self.contents(), self._description_path)
        for name in board.ls(self.folder):
            if f"{self.folder}/{name}" not in keep and not name.endswith("/"):
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


def _path(folder, data, suffix):
    return f"{folder}/{hashlib.sha256(data).hexdigest()[:16]}{suffix}"


def _sizes(files):
    return {path: len(data) for path, data in files.items()}


FALL_THRESHOLD = 0.875
"""Chosen for the shipped fall model on validation people: see its model card, ``datasets/models/fall.md``."""


def fall_bundle(model=None, threshold: float | None = None) -> Bundle:
    """The fall model as a bundle: the learner's own if there is one, else the shipped one.

    Parameters
    ----------
    model : bytes or path, optional
        An int8 .tflite; default ``fall_int8.tflite``.
    threshold : float, optional
        Score from which an event is called a fall; default :data:`FALL_THRESHOLD`.
    """
    return Bundle("fall", artefact("fall_int8.tflite") if model is None else model, load_params(artefact("fall_features.json")),
                  app="fall", threshold=FALL_THRESHOLD if threshold is None else threshold)


KEYWORD_THRESHOLD = 0.86
"""Chosen for the shipped keyword model on validation voices: see its model card, ``datasets/models/keyword.md``."""


def keyword_bundle(model=None, params=None, threshold: float | None = None) -> Bundle:
    """The keyword model, "yes" and "no" among other words, as a bundle: the learner's own if there is one, else the
    shipped one.

    Parameters
    ----------
    model : bytes or path, optional
        An int8 .tflite; default ``keyword_int8.tflite``.
    params : AudioParams, optional
        Default ``keyword_features.json``.
    threshold : float, optional
        Mean score from which a word counts; default :data:`KEYWORD_THRESHOLD`.
    """
    return Bundle("keyword", artefact("keyword_int8.tflite") if model is None else model,
                  load_params(artefact("keyword_features.json")) if params is None else params, app="keyword",
                  threshold=KEYWORD_THRESHOLD if threshold is None else threshold)
