"""Exercises of lesson 06: frames in a clip, one frame through the mel bank, a word in forty numbers."""

import functools

import numpy as np

from edgekit.dataset import load_dataset
from edgekit.features import AudioParams, mfcc
from edgekit.lab.check import exercise, number
from edgekit.signals import speech

AIM_SHARE = 0.95
MOST_NUMBERS = 40
_FLOOR_DB = -100
_NEAR_DB = 0.01


@exercise("06.1", hints=["Draw the second as a line, and the frames as bricks that overlap. Where may the last brick begin?",
                         "The last frame must be whole: it begins at sample 16000 - 400 at the latest.",
                         "1 + (16000 - 400) // ..."])
def frames_in_a_second(value):
    if value == 40:
        return "40 is the number of frames that lie one *after* the other. These overlap: a new one begins every 160 samples."
    if value == 100:
        return "In 16000 samples a frame could begin at 100 places. Is the last one whole?"
    return number(value, 98, what="number of frames", unit="frames")


@exercise("06.2", hints=["Five steps, in the order of the notebook: full scale, window, FFT, bank, decibel. Which one is missing?",
                         "spectrum = np.fft.rfft(frame / 32768 * HANN, 512), and its power is np.abs(spectrum) ** 2.",
                         "10 * np.log10(np.maximum(bank @ power, 1e-10)): what would the logarithm of 0 be without np.maximum?"])
def mel_db(function):
    bank = mfcc.mel_bank(AudioParams())
    for name, frame in _frames_that_hurt():
        with np.errstate(divide="ignore"):
            found = np.asarray(function(frame.copy(), bank.copy()), float)
        right = _mel_db(frame, bank)
        if found.shape != right.shape:
            return f"Expected {len(right)} numbers, one for each band; found the shape {found.shape}."
        if not np.isfinite(found).all():
            return f"For {name} there is a value that is not finite. No power at all has no logarithm: nothing is quieter than {_FLOOR_DB} dB."
        if np.abs(found - right).max() > _NEAR_DB:
            return f"For {name}: {_what_is_wrong(found, frame, bank)}"
    return None


@exercise("06.3", hints=["Say \"yes\" late in the second, then early. Which of your numbers stay the same?",
                         "The mean, the largest and the smallest value over the time do not care where the word is. But they forget what came first.",
                         "Where is the word? It is where the first coefficient is large: centre = (np.arange(49) * weight).sum() / weight.sum(). "
                         "Take 24 frames around it, and the mean of each 6."])
def describe(function):
    features, _ = _clips("train")
    found = np.asarray(function(features.copy()))
    if found.ndim != 2 or len(found) != len(features):
        return f"Expected one row of numbers for each of {len(features)} clips; found the shape {found.shape}."
    if found.shape[1] > MOST_NUMBERS:
        return f"Expected at most {MOST_NUMBERS} numbers for a clip, found {found.shape[1]}."
    if not np.isfinite(found).all():
        return "Some numbers are not finite."
    if not np.array_equal(np.asarray(function(features[:3].copy())), found[:3]):
        return "The numbers of a clip depend on the other clips. The board hears one second at a time."
    share = share_of_new_voices(function)
    if share >= AIM_SHARE:
        return None
    return f"It tells \"yes\" from \"no\" in {share:.1%} of the clips of new voices; the aim is {AIM_SHARE:.0%}."


def share_of_new_voices(function) -> float:
    """How often a linear model tells "yes" from "no" for voices that it has not heard, from the numbers of a function.

    Parameters
    ----------
    function : callable
        int [N, 49, 10], the features of N clips -> [N, k] numbers.

    Returns
    -------
    float
        Share of right answers, 0 to 1, of 400 clips at an SNR of 20 dB.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    (x, y), (x_new, y_new) = _clips("train"), _clips("new")
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    return float(model.fit(np.asarray(function(x.copy()), float), y).score(np.asarray(function(x_new.copy()), float), y_new))


@functools.cache
def _clips(which):
    """Features and labels of clips with "yes" or "no"."""
    words, params = load_dataset("keywords"), AudioParams()
    parts = [("train", 400, 1)] if which == "train" else [("validation", 200, 2), ("test", 200, 3)]
    made = [speech.clips(words, count, seed=seed, split=part, snr_db=20.0, shares=(0.5, 0, 0, 0.5), augment=False, samples=params.samples)
            for part, count, seed in parts]
    return (np.concatenate([mfcc.mfcc(one.x, params).astype(int) for one in made]), np.concatenate([one.y for one in made]))


def _mel_db(frame, bank, full_scale=32768, window=True, power=2, factor=10):
    hann = mfcc.hann(AudioParams()) if window else 1.0
    return factor * np.log10(np.maximum(bank @ np.abs(np.fft.rfft(frame / full_scale * hann, 512)) ** power, 10 ** (_FLOOR_DB / 10)))


def _what_is_wrong(found, frame, bank):
    for words, settings in (("it is 90 dB too large. What is full scale of an int16?", {"full_scale": 1}),
                            ("one step is missing: the window.", {"window": False}),
                            ("the power is the square of the size.", {"power": 1}),
                            ("a power becomes decibel with 10 log10; 20 log10 is for the size itself.", {"factor": 20})):
        if np.abs(found - _mel_db(frame, bank, **settings)).max() < _NEAR_DB:
            return words
    return f"it differs by up to {np.abs(found - _mel_db(frame, bank)).max():.3g} dB."


def _frames_that_hurt():
    word = load_dataset("keywords").filter(label="yes")[0].samples[:, 0]
    noise = np.random.default_rng(6).integers(-32768, 32768, 480).astype(np.int16)
    return (("the beginning of a word", word[1500:1980]), ("its end", word[-700:-220]), ("silence", np.zeros(480, np.int16)), ("the loudest noise", noise))
