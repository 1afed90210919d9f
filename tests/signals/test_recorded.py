"""Words that people recorded: a learner's folder, and the layout of Speech Commands (here a small made one)."""

import hashlib
import tarfile

import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit.recording import Recording
from edgekit.signals import recorded
from edgekit.signals.recorded import load_backgrounds, load_speech_commands, load_words
from edgekit.signals.speech import clips, split_of, spoken_word

PEOPLE = [hashlib.md5(bytes([i])).hexdigest()[:8] for i in range(40)]


def word(seconds=0.4, total=1.0, rate_hz=16000, size=6000):
    """A second with half of it a tone."""
    sound = np.random.default_rng(0).normal(0, 3, round(total * rate_hz))
    start = round(0.3 * rate_hz)
    length = round(seconds * rate_hz)
    sound[start:start + length] += size * np.sin(np.arange(length) / 5)
    return Recording(sound.astype(np.int16), rate_hz)


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    for label in ("yes", "no", "marvin", "tree"):
        for i, person in enumerate(PEOPLE):
            for take in range(2 if i < 3 else 1):
                word().save(folder / label / f"{person}_nohash_{take}.wav")
    word(2, total=5).save(folder / "_background_noise_" / "running_tap.wav")
    return folder


def test_speech_commands(commands):
    words = load_speech_commands(commands)
    assert words.classes == ("no", "silence", "unknown", "yes") and len(words) == 4 * 43
    assert set(words.subjects) == set(PEOPLE)
    assert {spoken_word(r) for r in words.filter(label="unknown")} == {"marvin", "tree"}
    assert all(0.38 < recording.duration_s < 0.5 for recording in words), "cut to the word"
    whole = load_speech_commands(commands, ("marvin",), most=5, cut_db=None)
    assert whole.classes == ("marvin", "silence", "unknown") and len(whole) == 20
    assert all(recording.duration_s == 1 for recording in whole)


def test_parts_of_speech_commands_with_and_without_the_lists(commands):
    parts = {split: load_speech_commands(commands, split=split) for split in ("train", "validation", "test")}
    assert sum(len(part) for part in parts.values()) == 4 * 43 and len(parts["train"]) > 100
    for split, part in parts.items():
        assert {split_of(person) for person in part.subjects} == {split}
    (commands / "testing_list.txt").write_text(f"yes/{PEOPLE[0]}_nohash_0.wav\nyes/{PEOPLE[0]}_nohash_1.wav\n")
    (commands / "validation_list.txt").write_text(f"no/{PEOPLE[1]}_nohash_0.wav\n")
    try:
        sizes = [len(load_speech_commands(commands, split=split)) for split in ("train", "validation", "test")]
    finally:
        (commands / "testing_list.txt").unlink()
        (commands / "validation_list.txt").unlink()
    assert sizes == [4 * 43 - 3, 1, 2]


def test_people_of_speech_commands_are_in_the_parts_that_its_lists_say():
    assert {split_of(person) for person in ("bb05582b", "105a0eea", "3b4f8f24", "0c40e715")} == {"test"}
    assert {split_of(person) for person in ("026290a7", "060cd039", "099d52ad", "b0f24c9b")} == {"validation"}


def test_recorded_backgrounds_are_heard_in_clips(commands):
    backgrounds = load_backgrounds(commands)
    assert [len(sound) for sound in backgrounds] == [80000]
    words = load_speech_commands(commands, most=8)
    tone = np.tile(np.array([1000, -1000], np.int16), 40000)
    heard = clips(words, 60, split=None, snr_db=0, shares=(0, 1, 0, 0), backgrounds=[tone])
    steep = np.abs(np.diff(heard.x.astype(float), axis=1)).mean(axis=1) / np.abs(heard.x).mean(axis=1)
    assert 15 < np.sum(steep > 1.9) < 45, "half of them have the recorded tone"


def test_own_words(tmp_path):
    word(rate_hz=44100).save(tmp_path / "yes" / "asha_1.wav")
    word().save(tmp_path / "no" / "asha_1.wav")
    word().save(tmp_path / "no.ravi.2.wav")
    word().save(tmp_path / "hello_3.wav")
    words, notes = load_words(tmp_path)
    assert sorted((r.label, r.subject, spoken_word(r)) for r in words) == [
        ("no", "asha", "no"), ("no", "ravi", "no"), ("unknown", "", "hello"), ("yes", "asha", "yes")]
    assert len(notes) == 1 and "asha_1.wav was recorded at 44100 Hz: resampled" in notes[0]
    assert clips(words, 8, split=None).x.shape == (8, 16000)


def test_folders_that_are_no_words(tmp_path, commands):
    with pytest.raises(DataError, match="No folder nowhere/"):
        load_words(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no sounds: expected files that end in .wav"):
        load_words(tmp_path)
    word().save(tmp_path / "17.wav")
    with pytest.raises(DataError, match="17.wav does not say which word it holds"):
        load_words(tmp_path)
    with pytest.raises(DataError, match="has not the layout of Speech Commands"):
        load_speech_commands(tmp_path)
    with pytest.raises(DataError, match="has no word 'maybe': found marvin, no, tree, yes"):
        load_speech_commands(commands, ("maybe",))
    with pytest.raises(DataError, match="No part 'other': expected one of train, validation, test"):
        load_speech_commands(commands, split="other")


def test_the_archive_is_unpacked_once(tmp_path, commands, monkeypatch):
    with tarfile.open(tmp_path / "speech_commands_v0.02.tar.gz", "w:gz") as packed:
        packed.add(commands / "yes", "yes")
        (tmp_path / "testing_list.txt").write_text("")
        packed.add(tmp_path / "testing_list.txt", "testing_list.txt")
    monkeypatch.setattr(recorded, "_download", lambda *_, **__: tmp_path / "speech_commands_v0.02.tar.gz")
    folder = recorded.fetch_speech_commands()
    assert len(load_speech_commands(folder, ("yes",), most=3)) == 3
    (folder / "yes" / "mine_nohash_0.wav").write_bytes(b"")
    assert recorded.fetch_speech_commands() == folder and (folder / "yes" / "mine_nohash_0.wav").exists()
