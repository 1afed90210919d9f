"""Make the ready models in ``datasets/models/``: ``python -m edgekit.course.build_models``.

The recipe is the one that lessons 04, 05, 08 and 09 teach step by step; the terminal demo runs it too.
"""

import hashlib
import io
from dataclasses import dataclass, replace

import numpy as np

from edgekit.convert import run, to_tflite
from edgekit.dataset import load_dataset
from edgekit.errors import ModelError
from edgekit.features import FeatureParams
from edgekit.features.motion import waveform
from edgekit.paths import MODELS, atomic_write
from edgekit.train import augment, evaluate, fit, gesture_net, score, subject_interval

FILES = {"float": "gesture_float.tflite", "dynamic": "gesture_dynamic.tflite", "int8": "gesture_int8.tflite"}
FEATURES = "gesture_features.json"
WEIGHTS = "gesture_weights.npz"
CARD = "README.md"


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
                             f"{', '.join(expected)}. Make it again: python -m edgekit.course.build_models.")
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
    _write(path, _npz({_key(variable.path): variable.numpy() for variable in model.weights}))


def build(out=MODELS, dataset=None, progress=True) -> list:
    """Train, convert and write everything that ``datasets/models/`` holds.

    Parameters
    ----------
    out : path
        Folder to write to.
    dataset : edgekit.dataset.Dataset, optional
        The shipped gestures if not given.
    progress : bool

    Returns
    -------
    list of pathlib.Path
        The files written; ``README.md`` is the model card with the figures.
    """
    dataset = dataset or load_dataset("gestures")
    parts = split(dataset)
    model, _ = train_gesture_net(parts, progress=progress)
    converted = convert_all(model, parts)

    plain = gesture_net(parts.params.shape, len(dataset.classes), seed=0)
    fit(plain, parts.features("train"), parts.train.y, parts.features("validation"), parts.validation.y, epochs=20,
        seed=0, progress=progress)
    figures = {
        "leaky": leaky_score(dataset, progress=progress),
        "plain": evaluate(plain, parts.features("test"), parts.test.y),
    }
    for kind, content in converted.items():
        figures[kind] = score(parts.test.y, run(content, parts.features("test")).argmax(axis=1))
    low, high = subject_interval(parts.test.y, figures["int8"].predicted, parts.test.subject)

    parts.params.save(out / FEATURES)
    save_weights(model, out / WEIGHTS)
    for kind, content in converted.items():
        _write(out / FILES[kind], content)
    _write(out / CARD, _card(parts, figures, converted, (low, high)).encode())
    return [out / name for name in (*FILES.values(), FEATURES, WEIGHTS, CARD)]


def _key(weight_path):
    # A slash in the name would be a folder inside the npz.
    return weight_path.replace("/", ".").removeprefix("gesture_conv.")


def _npz(arrays):
    store = io.BytesIO()
    np.savez(store, **arrays)
    return store.getvalue()


def _write(path, content):
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def _people(windows):
    return ", ".join(sorted(set(windows.subject.tolist())))


def _card(parts, figures, converted, interval):
    low, high = interval
    sizes = {kind: len(content) for kind, content in converted.items()}
    digest = hashlib.sha256(converted["int8"]).hexdigest()
    int8 = figures["int8"]
    return f"""# Model card: gesture net

Made by `python -m edgekit.course.build_models` from `datasets/gestures/`. Everything here is made from **synthetic**
data: simulated hands, no person was recorded.

**What it does.** It reads {parts.params.window_s} s of a 6-axis motion sensor (MPU6050, +-4 g, +-500 degrees per
second, {parts.params.rate_hz} Hz) as int8 `waveform` features (`gesture_features.json`) and gives a probability for
each of: {", ".join(parts.params.classes)}.

| file | bytes | accuracy on test subjects | runs on the board |
|---|---|---|---|
| `{FILES["float"]}` | {sizes["float"]} | {figures["float"].accuracy:.1%} | no: float |
| `{FILES["dynamic"]}` | {sizes["dynamic"]} | {figures["dynamic"].accuracy:.1%} | no: mixes int8 weights and floats |
| `{FILES["int8"]}` | {sizes["int8"]} | {int8.accuracy:.1%} | yes |

`{WEIGHTS}` holds the trained float weights; the three files can be made from it again without training.
sha256 of `{FILES["int8"]}`: `{digest}`.

**How good is it?** Computed by LiteRT's reference kernels on a computer, on {int8.total} windows of
{len(set(parts.test.subject.tolist()))} subjects that it never saw ({_people(parts.test)}).

- int8: {int8}.
  Bootstrap over subjects: {low:.1%} to {high:.1%}. With so few subjects, both intervals are narrower than the truth,
  and all subjects come from one simulation.
- The same net trained without augmentation, same test subjects, float: {figures["plain"].accuracy:.1%}.
- The leaky figure, a random split of overlapping windows, float, no augmentation: {figures["leaky"].accuracy:.1%}.
  It says nothing about a stranger.

**How it was trained.** Training subjects: {_people(parts.train)}. To choose when to stop: {_people(parts.validation)}.
Each training window is seen as it is and as four changed copies: turned by up to 60 degrees, stronger or
weaker, faster or slower, mirrored into the other hand. Up to 20 epochs, seed 0.

**Use it** to follow the lessons before you train your own.

**Do not use it** where a mistake costs something. It was never tested on a real hand. It fails on sensors with another
range, rate or order of axes; on a sensor held upside down; on gestures it does not know, which it takes for one
of the six; and at the start and end of a gesture, when the window holds two things.
"""


if __name__ == "__main__":
    for written in build():
        print(written)
