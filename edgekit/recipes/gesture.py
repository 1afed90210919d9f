"""The gesture net's recipe: split by people, train, convert. Lessons 04, 05, 08 and 09 teach it step by step;
the demo runs it, and the shipped models are made with it.
"""

from dataclasses import dataclass, replace

import numpy as np

from edgekit.convert import to_tflite
from edgekit.errors import ModelError
from edgekit.features import FeatureParams
from edgekit.features.motion import waveform
from edgekit.paths import MODELS, atomic_write
from edgekit.signals.gestures import make_dataset
from edgekit.train import augment, evaluate, fit, gesture_net

FILES = {"float": "gesture_float.tflite", "dynamic": "gesture_dynamic.tflite", "int8": "gesture_int8.tflite"}
FEATURES = "gesture_features.json"
WEIGHTS = "gesture_weights.npz"
FURTHER_PEOPLE = tuple(f"s{number}" for number in range(60, 90))
"""Virtual people for one last look. The strength of the augmentation was chosen while looking at the four test people
of the shipped set, so these four flatter a little; nothing was chosen with these thirty."""


@dataclass(frozen=True)
class Split:
    """Windows and int8 features of one split: nobody is in two parts.

    Attributes
    ----------
    params : FeatureParams
        With the names of the classes.
    train, validation, test : edgekit.dataset.Windows
    calibration : numpy.ndarray of int8, shape [N, 32, 6]
        Features of every fifth training window, for :func:`edgekit.convert.to_tflite`.
    """

    params: FeatureParams
    train: object
    validation: object
    test: object

    def features(self, part: str) -> np.ndarray:
        """int8 features of ``"train"``, ``"validation"`` or ``"test"``, shape [N, 32, 6]."""
        return waveform(getattr(self, part).x, self.params)

    @property
    def calibration(self) -> np.ndarray:
        return self.features("train")[::5]


def split(dataset, params=None) -> Split:
    """Cut a data set into windows and set aside subjects for validation and test.

    Parameters
    ----------
    dataset : edgekit.dataset.Dataset
    params : FeatureParams, optional
    """
    params = replace(params or FeatureParams(), classes=dataset.classes)
    windows = dataset.windows(params.window, params.stride)
    rest, test = windows.split_by_subject(test_fraction=0.25, seed=0)
    train, validation = rest.split_by_subject(test_fraction=0.2, seed=0)
    return Split(params, train, validation, test)


def train_gesture_net(parts: Split, seed=0, epochs=20, progress=True):
    """Train the gesture net on augmented windows of the training subjects.

    Parameters
    ----------
    parts : Split
    seed : int
        Weights, copies and order.
    epochs : int
    progress : bool
        Show a progress bar.

    Returns
    -------
    model : keras.Model
    history : dict of str to list of float
        As :func:`edgekit.train.fit` gives it.
    """
    windows, labels = augment(parts.train.x, parts.train.y, seed=seed)
    model = gesture_net(parts.params.shape, len(parts.params.classes), seed=seed)
    history = fit(model, waveform(windows, parts.params), labels, parts.features("validation"), parts.validation.y,
                  epochs=epochs, batch_size=128, seed=seed, progress=progress)
    return model, history


def leaky_score(dataset, params=None, seed=0, epochs=20, progress=True):
    """The accuracy that a careless random split promises: overlapping windows of the same people on both sides.

    Parameters
    ----------
    dataset : edgekit.dataset.Dataset
    params : FeatureParams, optional
    seed, epochs, progress
        As for :func:`train_gesture_net`. There is no augmentation here: nobody who splits like this sees a need.

    Returns
    -------
    edgekit.train.Score
    """
    params = params or FeatureParams()
    train, test = dataset.windows(params.window, params.stride).split_random(test_fraction=0.25, seed=seed)
    model = gesture_net(params.shape, len(dataset.classes), seed=seed)
    fit(model, waveform(train.x, params), train.y, epochs=epochs, seed=seed, progress=progress)
    return evaluate(model, waveform(test.x, params), test.y)


def further_windows(params):
    """Windows of :data:`FURTHER_PEOPLE`, one take of each gesture; simulated when called, they are in no file.

    Parameters
    ----------
    params : FeatureParams

    Returns
    -------
    edgekit.dataset.Windows
    """
    return make_dataset(subjects=FURTHER_PEOPLE, takes=1).windows(params.window, params.stride)


def convert_all(model, parts: Split) -> dict[str, bytes]:
    """The three .tflite files of a trained model, by kind."""
    return {kind: to_tflite(model, kind, parts.calibration) for kind in FILES}


def load_weights(path=None):
    """The shipped gesture net, built again from its weights without training.

    Parameters
    ----------
    path : path, optional
        ``gesture_weights.npz``; the shipped one if not given.

    Returns
    -------
    keras.Model
    """
    path = path or MODELS / WEIGHTS
    params = FeatureParams.load(MODELS / FEATURES)
    model = gesture_net(params.shape, len(params.classes))
    with np.load(path, allow_pickle=False) as stored:
        expected = [variable.path for variable in model.weights]
        if sorted(stored.files) != sorted(_key(name) for name in expected):
            raise ModelError(f"{path.name} holds the weights {', '.join(stored.files)}; the gesture net has "
                             f"{', '.join(expected)}. Make it again: make models.")
        model.set_weights([stored[_key(name)] for name in expected])
    return model


def save_weights(model, path) -> None:
    """Write the weights of a gesture net so that :func:`load_weights` can build it again.

    Parameters
    ----------
    model : keras.Model
        From :func:`edgekit.train.gesture_net`, kind ``conv``.
    path : pathlib.Path
        For example ``work_dir() / "gesture_weights.npz"``, where lesson 09 looks for it.
    """
    with atomic_write(path) as temporary:
        np.savez(temporary, **{_key(variable.path): variable.numpy() for variable in model.weights})


def _key(weight_path):
    # A slash in the name would be a folder inside the npz.
    return weight_path.replace("/", ".").removeprefix("gesture_conv.")
