"""`Takes`: recordings that were kept, one file for each, in a folder of the learner's. What the recorders share."""

import html
import re
from pathlib import Path

from edgekit.dataset import Dataset
from edgekit.errors import DataError
from edgekit.paths import work_dir
from edgekit.recording import Recording

__all__ = ["Takes"]


class Takes:
    """A folder of takes. A take that is kept is in its file at once, so nothing that was kept is ever lost.

    Parameters
    ----------
    labels : sequence of str
        What is recorded: the classes.
    folder : path
        Or None for ``default`` in the learner's folder. What is there already counts.
    default : str
    suffix : str
        ``".csv"`` or ``".wav"``.

    Attributes
    ----------
    labels : tuple of str
    folder : pathlib.Path
    files : dict
        Path -> Recording.

    Raises
    ------
    DataError
        The labels or the folder's files are not what is expected.
    """

    def __init__(self, labels, folder, default: str, suffix: str):
        self.labels = tuple(labels)
        if not self.labels or len(set(self.labels)) != len(self.labels) or not all(isinstance(one, str) and one for one in self.labels):
            raise DataError(f"Labels are different words, such as ['idle', 'wave']; found {list(self.labels)!r}.")
        self.folder = Path(folder) if folder is not None else work_dir() / default
        self._suffix = suffix
        if self.folder.exists() and not self.folder.is_dir():
            raise DataError(f"{self.folder.name} is a file; the recorder needs a folder for its takes. Give another one.")
        self.files = {path: Recording.load(path) for path in sorted(self.folder.glob("*" + suffix))}

    def __len__(self):
        return len(self.files)

    def keep(self, take: Recording) -> Path:
        """Write a take into the folder; where it is.

        Raises
        ------
        DataError
            It does not fit to those that are there.
        """
        kept = list(self.files.values())
        if kept:
            Dataset([kept[0], take])        # says what does not fit
        number = max((int(path.stem[:4]) for path in self.files if path.stem[:4].isdecimal()), default=0) + 1
        path = self.folder / f"{number:04d}_{_plain(take.label)}_{_plain(take.subject)}{self._suffix}"
        take.save(path)
        self.files[path] = take
        return path

    @property
    def counts(self) -> dict[str, int]:
        """How many takes of each label are kept."""
        counts = dict.fromkeys(self.labels, 0)
        for recording in self.files.values():
            counts[recording.label] = counts.get(recording.label, 0) + 1
        return counts

    @property
    def newest(self) -> Recording | None:
        """The take that was kept last."""
        return self.files[max(self.files)] if self.files else None

    @property
    def dataset(self) -> Dataset:
        """What is kept.

        Raises
        ------
        DataError
            Nothing is kept yet.
        """
        recordings = [self.files[path] for path in sorted(self.files)]
        if not recordings:
            raise DataError(f"No take is kept in {self.folder.name}/ yet: recorder.record({self.labels[0]!r}), then "
                            "recorder.keep().")
        found = sorted({one.label for one in recordings} - set(self.labels))
        return Dataset(recordings, (*self.labels, *found))

    def check(self, label: str) -> None:
        """Refuse a label that is not one of them."""
        if label not in self.labels:
            raise DataError(f"No label {label!r}: expected one of {', '.join(self.labels)}.")

    def safe(self) -> str:
        """A sentence for when something went wrong: what was kept is there."""
        count = len(self)
        if not count:
            return "Nothing was kept yet."
        return f"The {count} {'take' if count == 1 else 'takes'} that you kept {'is' if count == 1 else 'are'} safe in " \
               f"{self.folder.name}/."

    def table(self) -> str:
        """The counts as a table in HTML, for where there are no widgets."""
        rows = "".join(f"<tr><td>{html.escape(label)}</td><td>{count}</td></tr>" for label, count in self.counts.items())
        return (f"<table><caption>Kept in {html.escape(self.folder.name)}/</caption><tr><th>label</th><th>takes</th></tr>"
                f"{rows}</table>")


def _plain(text):
    return re.sub(r"[^\w-]+", "-", text).strip("-") or "x"
