"""Players, pictures of sound, and noise that speaks."""

from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest

from edgekit import lab
from edgekit.errors import DataError
from edgekit.lab import sound
from edgekit.recording import Recording

matplotlib.use("Agg")
TONE = np.sin(2 * np.pi * 1000 * np.arange(8000) / 16000)


def labels(figure):
    figure.canvas.draw()
    return [(ax.get_xlabel(), ax.get_ylabel()) for ax in figure.axes]


def test_a_player_plays_what_the_samples_are_and_as_loud():
    recording = Recording((8192 * TONE).astype(np.int16), 16000, ("audio",), ("full scale",), (1 / 32768,), label="tone")
    heard = lab.hear(recording)
    assert repr(heard) == "tone: 0.50 s, peak -12 dB of full scale"
    assert np.allclose(heard.sounds["tone"], recording.physical()[:, 0])
    assert repr(lab.hear(recording, normalize=True)).endswith("peak 0 dB of full scale")
    assert np.array_equal(lab.hear(recording.samples).sounds[""], heard.sounds["tone"]), "int16 counts alone"
    page = heard._repr_html_()
    assert page.count("<audio controls") == 1 and 'src="data:audio/wav;base64,' in page and "http" not in page


def test_several_players_keep_their_loudness_relative_to_each_other():
    heard = lab.hear({"loud": TONE / 2, "<quiet>": TONE / 20}, normalize=True)
    assert repr(heard).splitlines() == ["loud: 0.50 s, peak 0 dB of full scale", "<quiet>: 0.50 s, peak -20 dB of full scale"]
    assert "&lt;quiet&gt;" in heard._repr_html_()
    assert "silent" in repr(lab.hear(np.zeros(100, np.int16), normalize=True))
    assert np.abs(lab.hear(3 * TONE).sounds[""]).max() == 1.0, "clipped, not wrapped"


@pytest.mark.parametrize("wrong, message", [(np.zeros((0,)), "shape"), (np.zeros((100, 2), np.int16), "one channel"),
                                            ({"a": Recording(TONE.astype(np.float32), 16000), "b": Recording(TONE.astype(np.float32), 8000)}, "different rates")])
def test_what_is_no_sound_is_refused(wrong, message):
    with pytest.raises(DataError, match=message):
        lab.hear(wrong)


def test_noise_speaks_with_the_power_of_each_band():
    """A vocoder that is measured by the same bank gives back what it was told, but for the chance of noise."""
    tone = np.sin(2 * np.pi * 1250 * np.arange(8000) / 16000)
    frames = np.lib.stride_tricks.sliding_window_view(np.tile(tone, 4), 480)[::320] * np.hanning(481)[:-1]
    bank = np.repeat(np.eye(16), 16, axis=1)                 # sixteen bands of 0.5 kHz
    bank = np.pad(bank, ((0, 0), (0, 1)))
    mel = np.abs(np.fft.rfft(frames, 512)) ** 2 @ bank.T
    spoken = lab.vocode(mel, bank)
    assert len(spoken) == (len(mel) - 1) * 320 + 480
    again = np.abs(np.fft.rfft(np.lib.stride_tricks.sliding_window_view(spoken, 480)[::320] * np.hanning(481)[:-1], 512)) ** 2 @ bank.T
    assert mel.mean(axis=0).argmax() == again.mean(axis=0).argmax() == 2, "1.25 kHz is in the third band"
    assert 0.7 < again.mean(axis=0)[2] / mel.mean(axis=0)[2] < 1.4
    assert again.mean(axis=0)[6:].max() < 0.001 * again.mean(axis=0).max()
    assert np.array_equal(spoken, lab.vocode(mel, bank)) and np.isfinite(lab.vocode(0 * mel, bank)).all()
    with pytest.raises(DataError, match="as many bands"):
        lab.vocode(mel[:, :5], bank)


def test_pictures_have_axes_with_units():
    assert labels(sound.plot_sound({"a": TONE, "b": TONE}, marks=[(0.1, 0.2)]))[1] == ("time (s)", "")
    assert labels(sound.plot_spectrum(np.abs(np.fft.rfft(TONE[:512])) ** 2)) == [("frequency (kHz)", "power (dB)")]
    pair = sound.plot_spectrogram({"float": np.eye(4), "int8": 2 * np.eye(4)}, top=8, unit="dB")
    assert labels(pair) == [("time (s)", "frequency (kHz)"), ("time (s)", ""), ("", "dB")]
    assert {image.get_clim() for ax in pair.axes[:2] for image in ax.images} == {(0, 2)}, "the same colours mean the same"
    signed = sound.plot_spectrogram(-3 * np.eye(4), signed=True, rows="coefficient", unit="")
    assert signed.axes[0].images[0].get_clim() == (-3, 3)
    assert labels(sound.plot_mel_bank({"2": np.eye(2, 9), "1": np.eye(1, 9)}))[1] == ("frequency (kHz)", "weight (of 1)")


def test_scores_and_bargains():
    figure = sound.plot_scores([0, 0.02], np.eye(2), ["no", "yes"], threshold=0.7, truth=[(0, 0.01, "yes")], decisions=[(0.02, "yes")])
    assert labels(figure) == [("time (s)", "score (0 to 1)")] and figure.axes[0].texts[0].get_text() == "yes"
    counted = SimpleNamespace(hours=0.5, words=20, points=[SimpleNamespace(false_accepts=5, missed=1)])
    line, = sound.plot_operating_curve({"half an hour": counted}).axes[0].lines
    assert (line.get_xdata().tolist(), line.get_ydata().tolist()) == ([10], [5])
    figure = sound.plot_operating_curve({"test": ([10, 1, 0], [0, 0.05, 0.4])}, chosen=(1, 0.05))
    assert labels(figure)[0][1] == "words missed (%)" and list(figure.axes[0].lines[0].get_ydata()) == [0, 5, 40]
