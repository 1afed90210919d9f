"""``edgekit new NAME``: a folder from the template, whole or not at all."""

import os
import shutil
import tempfile
from pathlib import Path

from edgekit.errors import DataError
from edgekit.signals import washing

__all__ = ["new", "check_name", "TEMPLATE"]

TEMPLATE = Path(__file__).parent / "template"
LONGEST = 40
# Windows keeps these names for devices, with any ending and in any case.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
_NAME = "@NAME@"
_NOT_COPIED = shutil.ignore_patterns("__pycache__", ".*", "*.pyc", "build")


def check_name(name: str) -> None:
    """See whether a folder may have this name on Linux, macOS and Windows alike.

    Raises
    ------
    DataError
        It may not; the message says which letters do.

    Examples
    --------
    >>> check_name("washer-2")
    >>> check_name("con")
    Traceback (most recent call last):
    edgekit.errors.DataError: The name 'con' belongs to a device on Windows. Take another, for example my-con.
    """
    allowed = "letters a to z, digits, - and _, beginning with a letter"
    if not name:
        raise DataError(f"A project needs a name: {allowed}. For example washer.")
    if "/" in name or "\\" in name or name in (".", ".."):
        raise DataError(f"{name!r} is a path, expected a name: {allowed}. The folder around it is another word: "
                        "edgekit new NAME --in FOLDER.")
    if len(name) > LONGEST:
        raise DataError(f"The name has {len(name)} letters, expected at most {LONGEST}. Take a shorter one; the question goes "
                        "into project.yml.")
    for letter in name:
        if not (letter.isascii() and (letter.isalnum() or letter in "-_")):
            shown = "a space" if letter == " " else repr(letter)
            better = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in name).strip("-_")
            example = f" For example {better}." if better[:1].isalpha() else ""
            raise DataError(f"The name {name!r} has {shown} in it, expected {allowed}.{example}")
    if not name[0].isalpha():
        raise DataError(f"The name {name!r} begins with {name[0]!r}, expected {allowed}.")
    if name.lower() in _DEVICES:
        raise DataError(f"The name {name!r} belongs to a device on Windows. Take another, for example my-{name}.")


def new(name: str, folder=".") -> Path:
    """Make a project: a folder that runs as it is, on the simulated board, and is yours to change.

    Parameters
    ----------
    name : str
        The folder's name; see :func:`check_name`.
    folder : str or path
        Where it is made; must exist.

    Returns
    -------
    pathlib.Path
        The new folder.

    Raises
    ------
    DataError
        The name is not allowed, it exists, or nothing may be written there. Nothing is left behind then.
    """
    check_name(name)
    parent = Path(folder)
    if not parent.is_dir():
        what = "is a file" if parent.exists() else "is not there"
        raise DataError(f"The folder {parent} {what}. Make it first, or choose another with --in FOLDER.")
    target = parent / name
    # Windows and macOS take Washer and washer for one name.
    same = next((other.name for other in _listed(parent) if other.name.lower() == name.lower()), None)
    if same:
        raise DataError(f"{same} exists in {parent.resolve()}: nothing was changed. Choose another name, or remove or rename "
                        "the old one first.")
    temporary = None
    try:
        temporary = Path(tempfile.mkdtemp(prefix=".edgekit-new-", dir=parent))
        made = temporary / name
        shutil.copytree(TEMPLATE, made, ignore=_NOT_COPIED, copy_function=_copy)
        for path in made.rglob("*"):
            if path.is_file():
                text = path.read_text(encoding="utf-8")
                if _NAME in text:
                    path.write_text(text.replace(_NAME, name), encoding="utf-8", newline="\n")
        _first_data(made / "data")
        os.rename(made, target)
    except PermissionError:
        raise DataError(f"Nothing may be written in {parent.resolve()}. Choose a folder of yours: edgekit new {name} --in "
                        "FOLDER.") from None
    except OSError as error:
        raise DataError(f"The project was not made, and nothing is left of it: {error.strerror or error}. Is there room on the "
                        f"disk? Then try again, or choose another folder: edgekit new {name} --in FOLDER.") from None
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return target


def _listed(parent):
    try:
        return list(parent.iterdir())
    except OSError:     # may be entered, not listed: the rename will tell
        return []


def _copy(source, target):
    # The contents alone: an installed package may be read-only, and the project shall not be.
    shutil.copyfile(source, target)
    return target


def _first_data(folder):
    """Recordings to begin with; synthetic, and each file says so."""
    folder.mkdir(exist_ok=True)
    for recording in washing.make_dataset():
        recording.save(folder / f"{recording.label}_{recording.subject}_0.csv")
