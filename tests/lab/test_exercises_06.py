"""The checks of lesson 06: right answers pass, the usual wrong ones hear what is wrong."""

from dataclasses import replace

import numpy as np
import pytest

from edgekit import tflite
from edgekit.dataset import load_dataset
from edgekit.deploy import keyword_bundle
from edgekit.features import AudioParams, mfcc
from edgekit.lab.check import verdict
from edgekit.signals import speech

HANN = mfcc.hann(AudioParams())


@pytest.mark.parametrize("value, message", [(100, "Is the last one whole"), (40, "one *after* the other"), (97, "too small"), (99, "too large")])
def test_frames(value, message):
    assert message in verdict("06.1", value).message
    assert verdict("06.1", 98).state == "right"


def mel_db(frame, bank, full_scale=32768, window=HANN, power=2, factor=10, floor=1e-10):
    return factor * np.log10(np.maximum(bank @ np.abs(np.fft.rfft(frame / full_scale * window, 512)) ** power, floor))


@pytest.mark.parametrize("wrong, message", [
    ({"full_scale": 1}, "full scale of an int16"), ({"window": np.ones(480)}, "the window"), ({"power": 1}, "square of the size"),
    ({"factor": 20}, "20 log10 is for the size"), ({"floor": 0}, "For silence there is a value that is not finite"), ({"factor": 11}, "differs by up to")])
def test_mel(wrong, message):
    result = verdict("06.2", lambda frame, bank: mel_db(frame, bank, **wrong))
    assert result.state == "wrong" and message in result.message


def test_mel_right_and_of_another_shape():
    assert verdict("06.2", mel_db).state == "right"
    assert "one for each band" in verdict("06.2", lambda frame, bank: mel_db(frame, bank)[:20]).message


@pytest.mark.parametrize("function, message", [
    (lambda x: x.mean(axis=1), "the aim is 95%"), (lambda x: x.reshape(len(x), -1), "at most 40 numbers for a clip, found 490"),
    (lambda x: x.mean(axis=(1, 2)), "one row of numbers"), (lambda x: x.mean(axis=1) - x.mean(axis=(0, 1)), "depend on the other clips"),
    (lambda x: x.mean(axis=1) * np.nan, "not finite")])
def test_a_word_in_forty_numbers(function, message):
    result = verdict("06.3", function)
    assert result.state == "wrong" and message in result.message


def test_the_figures_that_the_lesson_reads():
    """What notebook 06 says of wrong features: nothing crashes; some are forgiven, others are fatal."""
    bundle = keyword_bundle()
    net, params = tflite.Interpreter(bundle.model), bundle.params
    clips = speech.clips(load_dataset("keywords"), 300, seed=6, split="test", snr_db=(0, 30), samples=params.samples)

    def accuracy(**wrong):
        features = mfcc.mfcc(clips.x, replace(params, **wrong))[:, -params.frames:]
        return float((net.predict(features).argmax(axis=1) == clips.y).mean())

    right = accuracy()
    assert right > 0.9
    assert abs(accuracy(mel_scale="htk") - right) < 0.06 and abs(accuracy(window=400) - right) < 0.06 and abs(accuracy(mel_bands=20) - right) < 0.06
    assert accuracy(high_hz=4000) < right - 0.02
    assert accuracy(low_hz=300, high_hz=4000) < right - 0.1 and accuracy(hop=160) < right - 0.2
    error = mfcc.to_db(mfcc.mfcc(clips.x[:100], params), params) - mfcc.mfcc_float(clips.x[:100], params, top_db=None)
    assert np.sqrt((error ** 2).mean()) < 0.5, "little more than the rounding, 0.33 dB"
