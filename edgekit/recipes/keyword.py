"""The keyword net's recipe: words of many voices, clips mixed on the fly, training, conversion. Lessons 06 and 08 use it
step by step; the shipped model is made with it.
"""

from dataclasses import replace

import numpy as np

from edgekit.convert import to_tflite
from edgekit.errors import ModelError
from edgekit.features import AudioParams, load_params
from edgekit.features.mfcc import mfcc
from edgekit.paths import MODELS, atomic_write
from edgekit.signals.rooms import RATE_HZ
from edgekit.signals.speech import clips
from edgekit.train import fit, keyword_net, other_voices

FILES = {"int8": "keyword_int8.tflite"}
FEATURES = "keyword_features.json"
WEIGHTS = "keyword_weights.npz"
_SHARES = (0.3, 0.1, 0.3, 0.3)  # of the classes in training: no, silence, unknown, yes
_CHUNK = 1000  # clips: sound takes 32 kB each


def features(words, params, count=1000, seed=0, split="train", snr_db=(0.0, 30.0), shares=(0.25, 0.25, 0.25, 0.25),
             augment=None):
    """Clips mixed from words, as the features that the model reads.

    Parameters
    ----------
    words : edgekit.dataset.Dataset
        Dry words, for example ``load_dataset("keywords")``.
    params : AudioParams
    count, seed, split, snr_db, shares, augment
        As for :func:`edgekit.signals.speech.clips`.

    Returns
    -------
    x : numpy.ndarray of int8, shape [count, frames, coefficients]
    y : numpy.ndarray of int64, shape [count]
        Numbers of ``words.classes``.
    voices : numpy.ndarray of str, shape [count]
        Empty for silence.
    """
    parts = []
    augment = split == "train" if augment is None else augment
    for chunk, first in enumerate(range(0, count, _CHUNK)):
        made = clips(words, min(_CHUNK, count - first), seed=1000 * seed + chunk, split=split, samples=params.samples,
                     snr_db=snr_db, shares=shares, augment=augment)
        sound = made.x
        if augment:
            rng = np.random.default_rng((seed, chunk))
            sound = _torn(_with_tones(sound, made.y, words.classes, rng), rng)
        parts.append((mfcc(sound, params), made.y, made.subject))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _with_tones(sound, y, classes, rng, share=0.08):
    """Some unknown words give way to what is no word at all: a beep, a siren, a chord, steady or in pieces."""
    if "unknown" not in classes:
        return sound
    sound = sound.copy()
    time_s = np.arange(sound.shape[1]) / RATE_HZ
    for row in np.flatnonzero((y == classes.index("unknown")) & (rng.random(len(y)) < share)):
        pitch_hz = np.exp(rng.uniform(np.log(80), np.log(4000))) * np.exp(
            rng.choice([0.0, 0.0, 1.0]) * rng.uniform(-1, 1) * np.sin(2 * np.pi * rng.uniform(0.2, 6) * time_s))
        phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
        tone = sum(np.sin(k * phase) * rng.random() ** k for k in range(1, int(rng.integers(2, 9))))
        if rng.random() < 0.6:  # it begins and ends, once or again and again
            period_s, on = rng.uniform(0.15, 1.2), rng.uniform(0.2, 0.9)
            tone = tone * ((time_s + rng.uniform(0, period_s)) % period_s < on * period_s)
        peak = 10 ** (rng.uniform(-50, 0) / 20) * 32000
        noise = rng.standard_normal(len(tone)) * peak * 10 ** (rng.uniform(-70, -15) / 20)
        sound[row] = np.clip(tone / max(1e-9, np.abs(tone).max()) * peak + noise, -32768, 32767).astype(np.int16)
    return sound


def _torn(sound, rng, share=0.15):
    """Some clips begin late or end early, with nothing but zeros there; some are too loud for the microphone."""
    sound = sound.copy()
    for row in np.flatnonzero(rng.random(len(sound)) < share):
        at = int(rng.integers(0, sound.shape[1] // 4))
        if rng.random() < 0.5:
            sound[row, :at] = 0
        else:
            sound[row, len(sound[row]) - at:] = 0
    for row in np.flatnonzero(rng.random(len(sound)) < 0.05):
        loudest = max(1, int(np.abs(sound[row].astype(np.int32)).max()))
        sound[row] = np.clip(sound[row] * (32767 / loudest * rng.uniform(1, 4)), -32768, 32767).astype(np.int16)
    return sound


def train_keyword_net(words, params=None, count=8000, copies=4, epochs=12, seed=0, parts=("train",), channels=48,
                      blocks=4, progress=True):
    """Train the keyword net on the voices of some parts.

    Parameters
    ----------
    words : edgekit.dataset.Dataset
    params : AudioParams, optional
    count : int
        Clips that are mixed.
    copies : int
        Changed copies of each word first: :func:`edgekit.train.other_voices`.
    epochs : int
        Passes over the clips.
    seed : int
        Weights, voices, clips and order.
    parts : sequence of str
        As :func:`edgekit.signals.speech.split_of` names them.
    channels, blocks : int
        Size of the net: :func:`edgekit.train.keyword_net`.
    progress : bool
        Show a progress bar.

    Returns
    -------
    model : keras.Model
    params : AudioParams
        With the names of the classes.
    calibration : numpy.ndarray of int8
        Features of some training clips, for :func:`edgekit.convert.to_tflite`.
    history : dict of str to list of float
        As :func:`edgekit.train.fit` gives it.
    """
    from edgekit.signals.speech import split_of

    params = replace(params or AudioParams(), classes=words.classes)
    own = words.filter(subject=[voice for voice in words.subjects if split_of(voice) in parts])
    more = other_voices(own, copies, seed) if copies else own
    x, y, _ = features(more, params, count, seed, split=None, snr_db=(-3.0, 40.0), shares=_SHARES, augment=True)
    batch_size = 128
    model = keyword_net(params.shape, len(words.classes), channels, blocks, seed, steps=-(-count // batch_size) * epochs)
    history = fit(model, x, y, epochs=epochs, batch_size=batch_size, seed=seed, progress=progress)
    return model, params, x[:400], history


def convert(model, calibration) -> bytes:
    """The trained net as int8 .tflite."""
    return to_tflite(model, "int8", calibration)


def load_weights(path=None):
    """The shipped keyword net, built again from its weights without training.

    Parameters
    ----------
    path : path, optional
        ``keyword_weights.npz``; the shipped one if not given.

    Returns
    -------
    keras.Model
    """
    path = path or MODELS / WEIGHTS
    with np.load(path, allow_pickle=False) as stored:
        params = load_params(MODELS / FEATURES)
        channels = stored["conv.kernel"].shape[-1] if "conv.kernel" in stored.files else 48
        blocks = sum(name.startswith("mix_") and name.endswith(".kernel") for name in stored.files)
        model = keyword_net(params.shape, len(params.classes), channels, blocks)
        expected = [_key(variable.path) for variable in model.weights if not _is_seed(variable)]
        if sorted(stored.files) != sorted(expected):
            raise ModelError(f"{path.name} holds the weights {', '.join(stored.files)}; the keyword net has "
                             f"{', '.join(expected)}. Make it again: make models.")
        for variable in model.weights:
            if not _is_seed(variable):
                variable.assign(stored[_key(variable.path)])
    return model


def save_weights(model, path) -> None:
    """Write the weights of a keyword net so that :func:`load_weights` can build it again.

    Parameters
    ----------
    model : keras.Model
        From :func:`edgekit.train.keyword_net`.
    path : pathlib.Path
    """
    with atomic_write(path) as temporary:
        np.savez(temporary, **{_key(variable.path): variable.numpy() for variable in model.weights
                               if not _is_seed(variable)})


def _is_seed(variable):
    return "seed_generator" in variable.path


def _key(weight_path):
    # A slash in the name would be a folder inside the npz.
    return weight_path.replace("/", ".").removeprefix("keyword.")
