"""Words spotted in a stream: the same decisions here and on the board, times that are right, an honest curve."""

import json

import numpy as np
import pytest

from edgekit import cli, spotting
from edgekit.dataset import load_dataset
from edgekit.deploy import keyword_bundle
from edgekit.errors import DataError
from edgekit.features import mfcc
from edgekit.recording import Recording
from edgekit.signals.speech import stream
from edgekit.tflite import Interpreter
from edgekit.twin import board_module

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def bundle():
    return keyword_bundle()


@pytest.fixture(scope="module")
def heard_words():
    """Half a minute of test voices, with what was said."""
    return stream(load_dataset("keywords"), seconds=30, seed=3, split="test", snr_db=(20.0, 30.0), keyword_share=0.6)


@pytest.fixture(scope="module")
def wav(tmp_path_factory):
    """A clean "yes" of a test voice, alone, from edge to edge."""
    word = load_dataset("keywords").filter(label="yes", subject="en-gb-scotland+m5")[0]
    path = tmp_path_factory.mktemp("sound") / "yes.wav"
    word.save(path)
    return path


def test_the_stream_has_the_frames_of_the_clip(bundle):
    params = bundle.params
    sound = RNG.integers(-3000, 3000, 20_000).astype(np.int16)
    rows = spotting.stream_features(sound, params)
    lead = -params.window % params.hop
    assert np.array_equal(rows[3], mfcc.mfcc(sound[lead + 3 * params.hop:][:params.window], params)[0])
    assert len(rows) == 20_000 // params.hop - 1, "a frame ends with each hop, but the first hop"
    assert len(spotting.stream_features(sound[:400], params)) == 0


def test_the_stream_is_what_the_board_feels(bundle):
    """Hop by hop through firmware/lib/mfcc.py."""
    params = bundle.params
    sound = RNG.integers(-3000, 3000, 60 * params.hop).astype(np.int16)
    board = board_module("mfcc").Mfcc(params.to_dict(), bundle.files["mfcc.bin"])
    seen = []
    for i in range(60):
        board.push(memoryview(sound[i * params.hop:(i + 1) * params.hop].tobytes()).cast("h"))
        if i >= 49 and (i - 49) % 5 == 0:
            seen.append(np.array(board.features))
    twin = Interpreter(bundle.model)
    expected = np.stack([twin.invoke(row.astype(np.int8)) for row in seen])
    assert np.array_equal(spotting.stream_scores(bundle, sound), expected)


def test_words_in_a_stream_are_heard_when_they_are_said(bundle, heard_words):
    recording, truth = heard_words
    heard = spotting.spot(bundle, recording.samples[:, 0])
    said = [word for word in truth if word[2] in spotting.WORDS]
    right = [any(start_s < event.time_s < stop_s + 1.2 and event.label == label for event in heard.events)
             for start_s, stop_s, label in said]
    assert len(said) >= 5 and np.mean(right) >= 0.75


def test_a_word_from_edge_to_edge_is_heard(wav):
    heard = spotting.hear_file(wav)
    assert heard.decision == "yes" and heard.where == "host"
    assert any("filled with silence" in note for note in heard.notes)
    assert 0 < heard.events[0].time_s < 1.3


@pytest.mark.parametrize("pitch_hz", [150, 300, 440, 1000, 3000])
def test_a_tone_is_no_word(bundle, pitch_hz):
    sound = np.round(3000 * np.sin(2 * np.pi * pitch_hz * np.arange(24_000) / 16_000)).astype(np.int16)
    assert spotting.spot(bundle, sound).decision is None


@pytest.mark.parametrize("level", [0, 1, 300])
def test_silence_and_noise_are_no_word(bundle, level):
    sound = np.round(RNG.standard_normal(32_000) * level).astype(np.int16)
    assert spotting.spot(bundle, sound).decision is None


def test_the_curve_falls(bundle, heard_words):
    recording, truth = heard_words
    curve = spotting.operating_curve(bundle, recording, truth, thresholds=(0.3, 0.6, 0.9, 0.999))
    table = curve.table()
    assert curve.words == sum(label in spotting.WORDS for _, _, label in truth)
    assert curve.hours == pytest.approx(30 / 3600)
    assert table.missed.is_monotonic_increasing
    assert (table.low <= table.false_rejects).all() and (table.false_rejects <= table.high).all()
    assert table.false_accepts_per_hour[0] == table.false_accepts[0] * 120


def test_choose_misses_least_within_the_alarms_allowed():
    points = (spotting.Point(0.4, 9, 0), spotting.Point(0.5, 2, 1), spotting.Point(0.6, 1, 1), spotting.Point(0.7, 0, 5))
    curve = spotting.OperatingCurve(2.0, 20, points)
    assert curve.choose(1.0) == 0.6 and curve.choose(0.1) == 0.7 and curve.choose(10) == 0.4
    assert spotting.OperatingCurve(1.0, 20, points[:2]).choose(1) == 0.5
    assert curve.choose(false_rejects=0.05) == 0.6 and curve.choose(false_rejects=0.0) == 0.4
    assert spotting.OperatingCurve(1.0, 20, points[1:]).choose(false_rejects=0.0) == 0.6, "none: it misses least"


@pytest.mark.parametrize("sound", [np.zeros(0, np.int16), np.zeros(100), np.zeros((100, 1), np.int16)])
def test_only_int16_samples(bundle, sound):
    with pytest.raises(DataError, match="Expected the int16 samples"):
        spotting.spot(bundle, sound)


def test_the_command_prints_scores_and_the_decision(wav, capsys):
    assert cli.main(["keyword", str(wav)]) == 0
    text = capsys.readouterr().out
    assert "decision: yes" in text and "silence" in text and "computed on the host" in text
    assert cli.main(["keyword", str(wav), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["decision"] == "yes" and answer["where"] == "host" and answer["decisions"][0]["word"] == "yes"
    assert set(answer["frames"][0]["scores"]) == {"no", "silence", "unknown", "yes"}
    assert np.diff([frame["time_s"] for frame in answer["frames"]]) == pytest.approx(0.1)


def test_the_simulated_board_hears_the_same_to_the_bit(wav, capsys):
    """Through its I2S microphone, which has no noise of its own here."""
    assert cli.main(["keyword", str(wav), "--on", "sim", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    here = spotting.hear_file(wav).to_dict()
    assert answer["decision"] == "yes" and answer["where"] == "simulated board"
    assert answer["decisions"] == here["decisions"]
    assert [frame["scores"] for frame in answer["frames"]] == [frame["scores"] for frame in here["frames"]]
    assert any("played into the simulated board's I2S microphone" in note for note in answer["notes"])


def test_a_microphone_that_cannot_be_simulated_is_said(wav, capsys):
    assert cli.main(["keyword", str(wav), "--on", "sim:nano33ble"]) == 1
    assert "try that part on a real board" in capsys.readouterr().err


def test_a_file_of_another_kind(tmp_path, capsys):
    """Stereo at 48 kHz is mixed and resampled, and said so; what is no sound ends in a sentence."""
    word = np.repeat(load_dataset("keywords").filter(label="no", subject="en-gb-scotland+m5")[0].samples, 3, axis=0)
    path = tmp_path / "both.wav"
    Recording(np.concatenate([word, word], axis=1), 48_000, ("left", "right"), scale=(1 / 32768,) * 2).save(path)
    heard = spotting.hear_file(path)
    assert heard.decision == "no" and "2 channels" in heard.notes[0] and "resampled" in heard.notes[1]
    (tmp_path / "no.wav").write_bytes(b"hello")
    for name in ("no.wav", "missing.wav"):
        assert cli.main(["keyword", str(tmp_path / name)]) == 1
        assert capsys.readouterr().err.startswith("edgekit: ")
