"""Where things are: the folders of the course, and the learner's own files."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

from edgekit.errors import DataError

ROOT = Path(__file__).resolve().parent.parent
FIRMWARE = ROOT / "firmware"
DATASETS = ROOT / "datasets"
NOTEBOOKS = ROOT / "notebooks"
SOLUTIONS = ROOT / "solutions"
EXERCISES = ROOT / "exercises"
MODELS = DATASETS / "models"
"""Ready models that the course ships, so that a learner can start at any lesson."""


def work_dir() -> Path:
    """Folder for what a learner makes: ``work/`` beside the notebooks, or ``$EDGEKIT_WORK``.

    Returns
    -------
    pathlib.Path
        The folder; it exists.
    """
    folder = Path(os.environ.get("EDGEKIT_WORK") or ROOT / "work")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def artefact(name: str) -> Path:
    """Path of a file that an earlier lesson made, or of the shipped one if that lesson was not run.

    Parameters
    ----------
    name : str
        File name, for example ``"gesture_int8.tflite"``.

    Returns
    -------
    pathlib.Path
        ``work/NAME`` if the learner made it, else ``datasets/models/NAME``.

    Raises
    ------
    DataError
        Neither exists.
    """
    own = work_dir() / name
    if own.exists():
        return own
    shipped = MODELS / name
    if shipped.exists():
        return shipped
    there = ", ".join(sorted(p.name for p in MODELS.glob("*") if p.is_file())) or "nothing"
    raise DataError(f"No file {name!r} in {own.parent.name}/ or datasets/models/ (found there: {there}). "
                    "Run the lesson that makes it, or check the spelling.")


@contextmanager
def atomic_write(path):
    """Give a temporary path beside ``path``; rename it to ``path`` when the block ends without an error.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> with atomic_write(target) as temporary:
    ...     _ = temporary.write_text("whole or not at all")
    >>> target.read_text()
    'whole or not at all'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Keep the suffix: numpy and others add their own when it is missing.
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
