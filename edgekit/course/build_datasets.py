"""Make the data sets that the course ships again, and their list of checksums."""

import hashlib
from pathlib import Path

from edgekit.dataset import read_registry
from edgekit.paths import DATASETS, atomic_write
from edgekit.signals import gestures

__all__ = ["build"]

_HEAD = """\
# The data sets of the course: name, sha256, url ("-": the file is shipped here).
# Made by `edgekit course datasets`. Each folder has a README.md that says what the data is.
"""


def build(out=DATASETS) -> dict[str, str]:
    """Make every shipped data set and ``registry.txt``; entries of downloadable sets stay as they are.

    Parameters
    ----------
    out : path
        The folder to write into.

    Returns
    -------
    dict
        File name -> sha256 of what was made. The same on every machine.
    """
    out = Path(out)
    made = {}
    folder = out / "gestures"
    gestures.make_dataset(seed=0).save(folder / "gestures.npz")
    made["gestures/gestures.npz"] = hashlib.sha256((folder / "gestures.npz").read_bytes()).hexdigest()
    gestures.make_recording("punch", "s01", seed=0).save(folder / "punch_s01.csv")

    remote = {}
    if (out / "registry.txt").exists():
        remote = {name: entry for name, entry in read_registry(out).items() if entry[1] != "-"}
    lines = {**{name: f"{name} {sha256} -" for name, sha256 in made.items()},
             **{name: f"{name} {sha256} {url}" for name, (sha256, url) in remote.items()}}
    with atomic_write(out / "registry.txt") as temporary:
        temporary.write_text(_HEAD + "".join(lines[name] + "\n" for name in sorted(lines)), newline="\n")
    return made
