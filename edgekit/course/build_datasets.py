"""Make the data sets that the course ships again, and their list of checksums."""

import hashlib
from pathlib import Path

from edgekit.dataset import read_registry
from edgekit.errors import DataError, SetupError
from edgekit.paths import DATASETS, atomic_write
from edgekit.signals import climate, falls, gestures, heart, power, speech, vibration

__all__ = ["build"]

_KEYWORDS = "keywords/keywords.npz"

_HEAD = """\
# The data sets of the course: name, sha256, url ("-": the file is shipped here).
# Made by `edgekit course datasets`. Each folder has a README.md that says what the data is.
"""


def build(out=DATASETS, words: bool = True) -> dict[str, str]:
    """Make every shipped data set and ``registry.txt``.

    Entries of downloadable sets stay as they are. So do the spoken words, if the programs that speak are missing or have
    another version: a line says so.

    Parameters
    ----------
    out : path
        The folder to write into.
    words : bool
        Also the spoken words, which takes a minute.

    Returns
    -------
    dict
        File name -> sha256 of what was made. The same on every machine.
    """
    out = Path(out)
    folder = out / "gestures"
    gestures.make_dataset(seed=0).save(folder / "gestures.npz")
    gestures.make_recording("punch", "s01", seed=0).save(folder / "punch_s01.csv")
    falls.make_dataset(seed=0).save(out / "falls" / "falls.npz")
    made = {"gestures/gestures.npz": _sha256(folder / "gestures.npz"),
            "falls/falls.npz": _sha256(out / "falls" / "falls.npz")}
    heart.save_sessions(heart.make_sessions(), out / "heart")
    for name in ("heart/heart.npz", "heart/beats.csv"):
        made[name] = _sha256(out / name)
    minutes, truth = power.make_dataset(seed=0)
    minutes.save(out / "meter" / "meter.npz")
    power.save_truth(truth, out / "meter" / "faults.csv")
    made["meter/meter.npz"] = _sha256(out / "meter" / "meter.npz")
    climate.save_sites([climate.make_site(name) for name in climate.SITES], out / "soil")
    for name in ("soil/labels.csv", "soil/soil.npz"):
        made[name] = _sha256(out / name)
    rows = vibration.plan("test")
    vibration.record(rows).save(out / "vibration" / "vibration.npz")
    _write(out / "vibration" / "measurements.csv", vibration.table(rows))
    made["vibration/vibration.npz"] = _sha256(out / "vibration" / "vibration.npz")
    made["vibration/measurements.csv"] = _sha256(out / "vibration" / "measurements.csv")
    if words and _can_speak():
        speech.make_words().save(out / _KEYWORDS)
        made[_KEYWORDS] = _sha256(out / _KEYWORDS)

    known = read_registry(out) if (out / "registry.txt").exists() else {}
    kept = {name: entry for name, entry in known.items() if entry[1] != "-" or (name == _KEYWORDS and name not in made)}
    lines = {name: f"{name} {sha256} {url}"
             for name, (sha256, url) in {**kept, **{name: (sha256, "-") for name, sha256 in made.items()}}.items()}
    with atomic_write(out / "registry.txt") as temporary:
        temporary.write_text(_HEAD + "".join(lines[name] + "\n" for name in sorted(lines)), newline="\n")
    return made


def _write(path, text):
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _can_speak():
    """Whether the programs that made the shipped words are here, in the same versions. If not, say so."""
    for program, expected in speech.MADE_WITH.items():
        try:
            found = speech.version(program)
            for voice in speech.VOICES["train"][-4:] + speech.VOICES["other"]:
                speech.synthesize("yes", voice)
        except (SetupError, DataError) as error:
            print(f"The spoken words stay as they are: {error}")
            return False
        if found != expected:
            print(f"The spoken words stay as they are: they were made with {program} {expected}, here is {found}, which "
                  "may speak otherwise. For a set of your own: edgekit.signals.speech.make_words().save('words.npz').")
            return False
    return True
