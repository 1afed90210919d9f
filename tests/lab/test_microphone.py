"""The microphone without a browser: what it makes of a sound, takes, files, and what it says when something is wrong."""

import numpy as np
import pytest

from edgekit.dataset import Dataset
from edgekit.errors import DataError
from edgekit.lab import Microphone
from edgekit.recording import Recording

WORD = (0.3 * np.sin(2 * np.pi * 500 * np.arange(48000) / 48000)).astype(np.float32)


@pytest.fixture
def microphone(tmp_path):
    microphone = Microphone(["yes", "no"], folder=tmp_path / "words")
    yield microphone
    microphone.close()


def say(widget, *buffers, **message):
    widget._handle_custom_msg(message, buffers)


@pytest.mark.parametrize("rate_hz", [16000, 44100, 48000, 8000])
def test_any_rate_becomes_16_khz_with_the_same_pitch(microphone, rate_hz):
    word = 0.3 * np.sin(2 * np.pi * 500 * np.arange(rate_hz) / rate_hz)
    take = microphone.put(word, rate_hz, "yes")
    assert (take.rate_hz, take.samples.shape, take.samples.dtype, take.source) == (16000, (16000, 1), np.int16, "microphone")
    middle = take.physical()[2000:14000, 0]
    assert np.allclose(middle, 0.3 * np.sin(2 * np.pi * 500 * np.arange(2000, 14000) / 16000), atol=0.002)


def test_what_the_browser_sends_is_kept_and_loaded_again(microphone):
    say(microphone, WORD.tobytes(), act="take", label="no", subject="p07", rate_hz=48000)
    assert microphone.state["phase"] == "decide" and "no: 1.0 s. Listen to it." in microphone.state["sentence"]
    say(microphone, act="keep")
    assert microphone.state["phase"] == "ready" and microphone.counts == {"yes": 0, "no": 1} == microphone.state["counts"]
    path, = microphone.folder.glob("*.wav")
    assert path.name == "0001_no_p07.wav" and Recording.load(path) == microphone.dataset[0]
    assert list(Dataset.load(microphone.folder)) == list(microphone.dataset)
    again = Microphone(["yes", "no"], folder=microphone.folder)
    assert again.counts == {"yes": 0, "no": 1} and "<td>no</td><td>1</td>" in again._repr_mimebundle_()[0]["text/html"]


@pytest.mark.parametrize("word, sentence", [(0 * WORD, "only zeros: is it muted"), (4 * WORD, "too loud"), (0.01 * WORD, "very quiet"),
                                            (WORD, "Listen to it. Keep it?")])
def test_it_says_what_is_odd_about_a_take(microphone, word, sentence):
    microphone.put(np.clip(word, -1, 1), 48000, "yes")
    assert sentence in microphone.state["sentence"]


def test_whoever_asks_for_nonsense_is_told(microphone):
    for call, words in ((lambda: microphone.put([], 16000, "yes"), "gave no sound"), (lambda: microphone.put([np.nan], 16000, "yes"), "no sound"),
                        (lambda: microphone.put(WORD, 0, "yes"), "0 samples per second"), (lambda: microphone.put(WORD, 48000, "maybe"), "expected one of yes, no"),
                        (microphone.keep, "No take waits"), (microphone.discard, "No take waits"), (lambda: microphone.dataset, "press record"),
                        (lambda: Microphone(["yes"], seconds=0), "0.1 to 30"), (lambda: Microphone([]), "different words")):
        with pytest.raises(DataError, match=words):
            call()
    say(microphone, b"", act="take", label="yes", rate_hz=48000)
    assert "gave no sound" in microphone.state["sentence"] and microphone.state["phase"] == "ready"
    microphone.put(WORD, 48000, "yes")
    with pytest.raises(DataError, match="waits for an answer"):
        microphone.put(WORD, 48000, "yes")
    say(microphone, act="discard")
    assert microphone.take is None and not microphone.folder.exists()
