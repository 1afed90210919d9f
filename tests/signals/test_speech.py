"""The spoken words of the course: what ships, how they are made again, and the sounds that are mixed from them."""

import numpy as np
import pytest

from edgekit.course import build_datasets
from edgekit.dataset import Dataset, load_dataset, read_registry
from edgekit.errors import DataError, EdgekitError, SetupError
from edgekit.paths import DATASETS
from edgekit.recording import Recording
from edgekit.signals import rooms, speech
from edgekit.signals.speech import CLASSES, SPLITS, VOICES, clips, split_of, spoken_word, stream


@pytest.fixture(scope="module")
def words():
    return load_dataset("keywords")


@pytest.fixture(scope="module")
def few(words):
    return words.filter(subject=[voice for part in SPLITS for voice in VOICES[part][:6]])


def rms(sound):
    return np.sqrt(np.square(np.asarray(sound, np.float64)).mean(axis=-1))


# ---- what ships

def test_the_shipped_set(words):
    assert (DATASETS / "keywords" / "keywords.npz").stat().st_size < 15_000_000
    assert words.classes == CLASSES and set(words.subjects) == {voice for part in SPLITS for voice in VOICES[part]}
    for voice in words.subjects:
        said = [recording.label for recording in words.filter(subject=voice)]
        assert said.count("yes") == said.count("no") >= 1 and said.count("unknown") >= 3
    for recording in words:
        assert recording.samples.dtype == np.int16 and recording.rate_hz == 16000 and recording.channels == ("audio",)
        assert 0.1 < recording.duration_s <= 0.85 and 20000 < abs(recording.samples.astype(int)).max() <= 24000
    sounds = {recording.samples.tobytes() for recording in words}
    assert len(sounds) == len(words), "no two voices are one"


def test_the_datasheet_has_the_figures_of_the_set(words):
    sheet = (DATASETS / "keywords" / "README.md").read_text()
    seconds = sum(recording.duration_s for recording in words)
    assert f"{len(words):,} recordings" in sheet and f"{len(words.subjects)} voices" in sheet
    assert f"{seconds:.0f} s" in sheet
    for part in SPLITS:
        some = [recording for recording in words if split_of(recording.subject) == part]
        counts = [sum(r.label == label for r in some) for label in ("yes", "no", "unknown")]
        assert f"| {part} | {len(VOICES[part])} | {' | '.join(map(str, counts))} |" in sheet
    for program, version in speech.MADE_WITH.items():
        assert f"{program} {version}" in sheet


def test_no_voice_accent_or_variant_is_in_two_parts():
    for which in (0, 2):
        seen = [{voice.partition("+")[which] for voice in VOICES[part]} for part in SPLITS]
        for i, some in enumerate(seen):
            for others in seen[:i]:
                assert not some & others
    assert all(split_of(voice) == part for part in SPLITS for voice in VOICES[part])
    assert all(split_of(voice) == "other" for voice in speech.STRANGERS)


def test_unknown_words_do_not_sound_like_keywords(words):
    for recording in words.filter(label="unknown"):
        word = spoken_word(recording)
        assert not word.startswith(("yes", "no ")) and word not in ("know", "no", "note", "nose", "nope", "gnome", "noes")


def test_some_words_of_the_test_are_never_heard_before(words):
    heard = {spoken_word(r) for r in words if split_of(r.subject) == "train"}
    tested = {spoken_word(r) for r in words if split_of(r.subject) == "test"}
    assert {"yes", "no"} <= heard & tested and len(tested - heard) > 20


# ---- made again

@pytest.mark.parametrize(("program", "voice"), [("espeak-ng", "en-gb+m1"), ("espeak-ng", "ta+m5"), ("flite", "flite+slt"),
                                                ("festival", "festival+ked_diphone")])
def test_the_same_program_says_the_same_to_the_byte(words, program, voice, monkeypatch):
    try:
        found = speech.version(program)
        speech.synthesize("yes", voice)
    except EdgekitError as error:
        pytest.skip(f"SKIP: {error}")
    if found != speech.MADE_WITH[program]:
        pytest.skip(f"SKIP: {program} here is {found}; the words were made with {speech.MADE_WITH[program]}")
    whole = speech._plan(voice, 0)
    monkeypatch.setattr(speech, "_plan", lambda *_: [*whole[:2], whole[-1]])
    shipped = list(words.filter(subject=voice))
    made = speech.make_words([voice])
    assert list(made) == [*shipped[:2], shipped[-1]]


def test_without_the_program_the_shipped_words_stay_and_a_line_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(speech.shutil, "which", lambda name: None)
    with pytest.raises(SetupError, match="espeak-ng is not installed. Only making speech again needs it; the shipped words"):
        speech.make_words(["en-gb+m1"])
    with pytest.raises(SetupError, match="apt-get install festival"):
        speech.synthesize("yes", "festival+ked_diphone")
    (tmp_path / "registry.txt").write_bytes((DATASETS / "registry.txt").read_bytes())
    monkeypatch.setattr(build_datasets.gestures, "make_dataset", lambda seed: load_dataset("gestures"))
    assert "keywords/keywords.npz" not in build_datasets.build(tmp_path)
    assert "The spoken words stay as they are: The program espeak-ng is not installed" in capsys.readouterr().out
    assert read_registry(tmp_path) == read_registry()


def test_another_version_leaves_the_shipped_words_alone(monkeypatch, capsys):
    monkeypatch.setattr(speech, "version", lambda program: "9.9")
    monkeypatch.setattr(speech, "synthesize", lambda *_: None)
    assert not build_datasets._can_speak()
    assert "were made with espeak-ng 1.51, here is 9.9" in capsys.readouterr().out


def test_what_a_synthesizer_cannot_do_is_said():
    try:
        speech.version()
    except SetupError as error:
        pytest.skip(f"SKIP: {error}")
    with pytest.raises(DataError, match="espeak-ng"):
        speech.synthesize("yes", "xx-nowhere")
    # A text is never taken for an option, nor run by a shell.
    assert len(speech.synthesize("--version; $(ls)", "en-us")) > 8000


def test_trim():
    sound = np.zeros(16000, np.int16)
    sound[4000:8000] = 3000 * np.sin(np.arange(4000))
    word = speech.trim(sound)
    assert 4000 <= len(word) <= 4600 and abs(word.astype(int)).max() == 24000 and word[0] == 0
    assert len(speech.trim(sound.astype(np.float32))) == len(word)
    for nothing in (np.zeros(16000, np.int16), np.zeros(0, np.int16)):
        with pytest.raises(DataError, match="nothing but silence"):
            speech.trim(nothing)


# ---- noise and rooms

@pytest.mark.parametrize("kind", rooms.NOISES)
def test_noise_has_power_one_and_its_colour(kind):
    made = rooms.noise(kind, (8, 16000), np.random.default_rng(1))
    np.testing.assert_allclose(rms(made), 1, rtol=1e-4)
    assert np.array_equal(made, rooms.noise(kind, (8, 16000), np.random.default_rng(1)))
    power = np.square(abs(np.fft.rfft(made))).mean(axis=0)
    slope_db = 10 * np.log10(power[3000:6000].mean() / power[300:600].mean()) / np.log2(10)     # dB per octave
    assert slope_db == pytest.approx({"white": 0, "pink": -3, "brown": -6}.get(kind, slope_db), abs=0.3)


def test_hum_is_the_mains_and_its_harmonics():
    power = np.square(abs(np.fft.rfft(rooms.noise("hum", (20, 16000), np.random.default_rng(0)))))
    for row in power:
        near = sum(row[max(0, round(mains * k) - 3 * k):round(mains * k) + 3 * k].sum() for mains in (50, 60) for k in (1, 2, 3))
        assert near > 0.3 * row.sum()


def test_unknown_noise():
    with pytest.raises(DataError, match="No noise 'blue': expected one of white, pink"):
        rooms.noise("blue", 100, np.random.default_rng(0))


def test_room_begins_with_the_direct_sound_and_decays_as_asked():
    for echo_s in (0.15, 0.3, 0.6):
        echo = np.mean([np.square(rooms.room(np.random.default_rng(i), (4, 3, 2.5), 1.0, echo_s)) for i in range(40)], axis=0)
        assert echo.sum() == pytest.approx(1, abs=1e-3) and echo[0] > 0
        left_db = 10 * np.log10(echo[::-1].cumsum()[::-1] + 1e-12)      # Schroeder's curve
        start, stop = 600, 600 + round(0.25 * echo_s * 16000)
        found_s = 60 * (stop - start) / 16000 / (left_db[start] - left_db[stop])
        assert found_s == pytest.approx(echo_s, rel=0.3)


# ---- clips

def test_clips_are_what_was_asked_for(few):
    made = clips(few, 120, seed=3, split="test", samples=15840, shares=(0.2, 0.1, 0.4, 0.3))
    assert made.x.shape == (120, 15840) and made.x.dtype == np.int16 and made.classes == CLASSES
    assert np.bincount(made.y).tolist() == [24, 12, 48, 36]
    for y, voice, index in zip(made.y, made.subject, made.recording, strict=True):
        if CLASSES[y] == "silence":
            assert voice == "" and index == -1
        else:
            assert split_of(voice) == "test" and few[index].subject == voice and few[index].label == CLASSES[y]


def test_a_seed_gives_the_same_clips_and_another_seed_others(few):
    one, same, other = (clips(few, 40, seed=seed).x for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert clips(few, 40, seed=1, split="test").subject.tolist() != clips(few, 40, seed=1).subject.tolist()


def test_words_are_as_much_louder_as_asked(few):
    yes = (0, 0, 0, 1)
    clean = clips(few, 60, seed=5, split="test", snr_db=None, shares=yes, loudness_db=(-20, -20))
    for snr_db in (0, 10, 20):
        noisy = clips(few, 60, seed=5, split="test", snr_db=snr_db, shares=yes, loudness_db=(-20, -20))
        # The word's power is -20 dB while it lasts, so the background's is -20 - snr_db.
        behind = np.median(20 * np.log10(rms(noisy.x.astype(float) - clean.x) / 32768))
        assert behind == pytest.approx(-20 - snr_db, abs=0.5)


def test_loudness(few):
    for level_db in (-40, -15):
        made = clips(few, 40, seed=0, split="test", snr_db=None, shares=(1, 0, 0, 0), loudness_db=(level_db, level_db))
        loudest = 20 * np.log10(np.median(rms(made.x)) / 32768)
        assert level_db - 8 < loudest <= level_db


def test_silence_is_quiet_when_nothing_is_behind_it(few):
    assert rms(clips(few, 20, split="test", snr_db=None, shares=(0, 1, 0, 0)).x).max() < 20


def test_augmenting_is_for_training_unless_asked(few):
    plain = clips(few, 30, seed=4, split="test", snr_db=None)
    assert np.array_equal(plain.x, clips(few, 30, seed=4, split="test", snr_db=None, augment=False).x)
    assert not np.array_equal(plain.x, clips(few, 30, seed=4, split="test", snr_db=None, augment=True).x)


def test_other_throat_moves_pitch_and_length():
    tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 16000).astype(np.float32)
    for factor in (0.8, 1.25):
        moved = speech._other_size(tone, factor)
        assert len(moved) == round(8000 * factor)
        peak_hz = abs(np.fft.rfft(moved[:6400])).argmax() * 16000 / 6400
        assert peak_hz == pytest.approx(1000 / factor, abs=3) and rms(moved) == pytest.approx(rms(tone), rel=0.05)


def test_clips_that_cannot_be_made(few):
    with pytest.raises(DataError, match="No part 'exam': expected one of train, validation, test, other"):
        clips(few, 10, split="exam")
    with pytest.raises(DataError, match="shares has 3 entries: expected one of at least 0 for each class"):
        clips(few, 10, shares=(1, 1, 1))
    with pytest.raises(DataError, match="None of the voices .* belongs to the part 'test'"):
        clips(few.filter(subject=VOICES["train"][0]), 10, split="test")
    with pytest.raises(DataError, match="has no recording of 'yes'"):
        clips(few.filter(label=["no", "unknown"]), 10)


def test_clips_of_other_keywords():
    rng = np.random.default_rng(0)
    own = Dataset([Recording(rng.integers(-9000, 9000, 8000).astype(np.int16), 16000, label=label, subject="asha")
                   for label in ("left", "right")])
    made = clips(own, 10, split=None, shares=(1, 1))
    assert made.classes == ("left", "right") and np.bincount(made.y).tolist() == [5, 5]


# ---- streams

def test_a_stream_says_when_what_is_said(few):
    sound, truth = stream(few, 40, seed=1, split="test", snr_db=(40, 40))
    assert len(sound) == 40 * 16000 and sound.samples.dtype == np.int16 and len(truth) > 8
    assert {label for _, _, label in truth} <= {"yes", "no", "unknown"}
    values = sound.samples[:, 0].astype(float)
    inside = np.zeros(len(values), bool)
    for start_s, stop_s, _ in truth:
        inside[round(start_s * 16000):round(stop_s * 16000)] = True
    quiet = values[:round(truth[0][0] * 16000)]
    assert rms(values[inside]) > 10 * rms(quiet)
    assert all(before[1] < after[0] for before, after in zip(truth, truth[1:], strict=False))
    assert stream(few, 40, seed=1, split="test", snr_db=(40, 40))[0] == sound


def test_a_stream_without_keywords(few):
    assert {label for _, _, label in stream(few, 30, keyword_share=0)[1]} == {"unknown"}
