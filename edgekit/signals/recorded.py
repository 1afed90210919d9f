"""Words that people recorded: the learner's own, and the public Speech Commands data set. They feed the same `clips`.

>>> import tempfile
>>> from pathlib import Path
>>> folder = Path(tempfile.mkdtemp())
>>> noise = np.random.default_rng(0).normal(0, 3000, 16000).astype(np.int16)
>>> for name in ("yes/asha_1.wav", "no/asha_1.wav", "left/asha_1.wav"):
...     _ = Recording(noise, 16000).save(folder / name)
>>> words, notes = load_words(folder)
>>> words.classes, [recording.label for recording in words], words.subjects
(('no', 'silence', 'unknown', 'yes'), ['unknown', 'no', 'yes'], ('asha',))
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgekit.dataset import Dataset, _download, _named
from edgekit.errors import DataError
from edgekit.recording import Recording, load_sound
from edgekit.signals.speech import SPLITS, split_of, trim

__all__ = ["SPEECH_COMMANDS", "fetch_speech_commands", "load_backgrounds", "load_speech_commands", "load_words"]

SPEECH_COMMANDS = ("https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
                   "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58")
"""Where the public data set is, and its sha256: 105,829 recordings of 35 words by 2,618 people, 2.4 GB, CC BY 4.0
(Warden, 2018, https://arxiv.org/abs/1804.03209)."""

_BACKGROUND = "_background_noise_"


def load_words(folder, keywords: Sequence[str] = ("no", "yes"), cut_db: float | None = 30.0
               ) -> tuple[Dataset, tuple[str, ...]]:
    """Load a folder of words that you and your friends recorded, with the browser, the board or a phone.

    Parameters
    ----------
    folder : str or path
        One wav for each word. The word is the subfolder's name or the file's: ``yes/asha_1.wav``, ``yes.asha.1.wav``,
        ``yes_1.wav``. Any usual kind of wav will do: see `edgekit.recording.load_sound`.
    keywords : sequence of str
        Each gets a class. All other words become "unknown"; "silence" is a class without recordings.
    cut_db : float, optional
        Cut what lies before and after the word, so far below its loudest part. None leaves recordings as they are.

    Returns
    -------
    words : Dataset
        For `edgekit.signals.speech.clips`. Whom `split_of` puts into which part depends on the name of the person.
    notes : tuple of str
        What was done to the sounds: resampled, mixed, clipped.

    Raises
    ------
    DataError
        No folder, no wav in it, a file that is no sound, or no word in a file's name.
    """
    folder = Path(folder)
    files = _wavs(folder)
    recordings, notes = [], []
    for file in files:
        recording, said = load_sound(file)
        notes += said
        recording = _named(recording.with_(source="file"), file.relative_to(folder))
        if not recording.label:
            raise DataError(f"{file.name} does not say which word it holds. Put it into a folder with the word's name, or "
                            "call it WORD.PERSON.1.wav.")
        recordings.append(_word(recording, recording.label, keywords, cut_db))
    return Dataset(recordings, _classes(keywords)), tuple(notes)


def load_speech_commands(folder, keywords: Sequence[str] = ("no", "yes"), split: str | None = None,
                         most: int | None = None, seed: int = 0, cut_db: float | None = 30.0) -> Dataset:
    """Load the public Speech Commands data set, or any folder of that layout.

    Parameters
    ----------
    folder : str or path
        The unpacked archive: a folder for each word, ``yes/0a7c2a8d_nohash_0.wav``; the person is in the file's name.
    keywords : sequence of str
        Each gets a class; all other words become "unknown".
    split : str, optional
        Only ``"train"``, ``"validation"`` or ``"test"``, as ``validation_list.txt`` and ``testing_list.txt`` have it, or
        without these files as the rule of `edgekit.signals.speech.split_of`, which is the one that made them.
    most : int, optional
        No more than so many recordings of each word, drawn by `seed`.
    cut_db : float, optional
        As in `load_words`.

    Returns
    -------
    Dataset
        The person is the subject. ``clips(words, split="test")`` sorts people the same way.

    Raises
    ------
    DataError
        No such folder or no such layout, or nothing left.
    """
    folder = Path(folder)
    names = [file.relative_to(folder) for file in _wavs(folder)
             if file.parent.parent == folder and file.parent.name != _BACKGROUND]
    if not names:
        raise DataError(f"The folder {folder.name}/ has not the layout of Speech Commands: expected a folder for each "
                        "word, with files such as yes/0a7c2a8d_nohash_0.wav. Unpack the archive there.")
    missing = sorted(set(keywords) - {name.parent.name for name in names})
    if missing:
        there = ", ".join(sorted({name.parent.name for name in names})[:40])
        raise DataError(f"The folder {folder.name}/ has no word {missing[0]!r}: found {there}.")
    if split is not None:
        if split not in SPLITS[:3]:
            raise DataError(f"No part {split!r}: expected one of {', '.join(SPLITS[:3])}.")
        listed = {}
        for part, file in (("validation", "validation_list.txt"), ("test", "testing_list.txt")):
            if (folder / file).exists():
                listed |= dict.fromkeys((folder / file).read_text().split(), part)
        names = [name for name in names
                 if (listed.get(name.as_posix(), "train") if listed else split_of(_person(name))) == split]
    if most is not None:
        rng = np.random.default_rng(seed)
        by_word = {}
        for name in names:
            by_word.setdefault(name.parent.name, []).append(name)
        names = [some[i] for some in by_word.values() for i in sorted(rng.permutation(len(some))[:most])]
    if not names:
        raise DataError(f"Nothing in {folder.name}/ belongs to the part {split!r}.")
    recordings = []
    for name in names:
        recording = load_sound(folder / name)[0].with_(subject=_person(name))
        recordings.append(_word(recording, name.parent.name, keywords, cut_db))
    return Dataset(recordings, _classes(keywords))


def load_backgrounds(folder) -> list[np.ndarray]:
    """The long sounds without words in a folder: those of Speech Commands, or what you recorded in your kitchen.

    Returns
    -------
    list of numpy.ndarray
        int16 [n] at 16 kHz each, for ``clips(..., backgrounds=...)``.
    """
    folder = Path(folder)
    inside = folder / _BACKGROUND
    return [load_sound(file)[0].samples[:, 0] for file in _wavs(inside if inside.is_dir() else folder)]


def fetch_speech_commands() -> Path:
    """Download Speech Commands once (2.4 GB) and unpack it.

    Returns
    -------
    pathlib.Path
        The folder for `load_speech_commands`.

    Raises
    ------
    DataError
        The download failed, or is not the file that it should be.
    """
    import tarfile

    archive = Path(_download(*SPEECH_COMMANDS, "speech_commands_v0.02", suffix=".tar.gz"))
    folder = archive.with_name("speech_commands_v0.02")
    if not (folder / "testing_list.txt").exists():
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    return folder


def _wavs(folder):
    if not folder.is_dir():
        raise DataError(f"No folder {folder.name}/ in {folder.parent.name or '.'}/. Check the spelling.")
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() == ".wav" and not file.name.startswith("."))
    if not files:
        raise DataError(f"The folder {folder.name}/ holds no sounds: expected files that end in .wav.")
    return files


def _person(name):
    return name.stem.partition("_nohash_")[0]


def _classes(keywords):
    return tuple(sorted({*keywords, "silence", "unknown"}))


def _word(recording: Recording, word, keywords, cut_db):
    samples = recording.samples[:, 0]
    if cut_db is not None and samples.any():
        samples = trim(samples, cut_db)
    return recording.with_(samples=samples, label=word if word in keywords else "unknown", source=f"file: {word}")
