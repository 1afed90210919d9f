"""A Dataset of recordings: windows, splits by subject, normalisation, and the sets that the course ships.

>>> gestures = load_dataset("gestures")
>>> gestures.classes
('circle', 'double_tap', 'idle', 'punch', 'shake', 'wave')
>>> train, test = gestures.split_by_subject(test_fraction=0.25, seed=0)
>>> set(train.subjects) & set(test.subjects)
set()
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.errors import DataError, EdgekitError
from edgekit.paths import DATASETS, atomic_write
from edgekit.recording import Recording, _read_bytes, pack_npz, parse_about, unpack_npz

__all__ = ["Dataset", "Windows", "Normaliser", "load_dataset"]

_SUFFIXES = (".csv", ".npz", ".wav", ".npy")
_PER_RECORDING = ("label", "subject", "source", "lost")


class Dataset:
    """An ordered collection of recordings of the same kind; it cannot be changed.

    Parameters
    ----------
    recordings : iterable of Recording
        All with the same rate, channels, units, scale and dtype.
    classes : sequence of str, optional
        The labels in the order in which a model numbers them. Default: the labels found, sorted.

    Raises
    ------
    DataError
        No recording, or two that do not fit together.
    """

    def __init__(self, recordings: Iterable[Recording], classes=None):
        self.recordings = tuple(recordings)
        if not self.recordings:
            raise DataError("A data set needs at least one recording; found none. Record or load one first.")
        first = self.recordings[0]
        for index, other in enumerate(self.recordings):
            for name in ("channels", "rate_hz", "units", "scale"):
                expected, found = getattr(first, name), getattr(other, name)
                if expected != found:
                    mend = "Load the folder with resample_hz=..., " if name == "rate_hz" else "Record it again like the others, "
                    raise DataError(f"Recording {index} ({other.label or 'no label'}) has {name} {_short(found)}; "
                                    f"expected {_short(expected)} as in recording 0. {mend}or leave it out.")
            if other.samples.dtype != first.samples.dtype:
                raise DataError(f"Recording {index} holds {other.samples.dtype}; expected {first.samples.dtype} as in "
                                "recording 0. Convert one of them.")
        labels = sorted({recording.label for recording in self.recordings})
        self.classes = tuple(labels if classes is None else classes)
        strange = sorted(set(labels) - set(self.classes))
        if strange:
            raise DataError(f"The label {strange[0]!r} is not among the classes {', '.join(self.classes)}. "
                            "Add it to classes, or leave those recordings out with filter(label=...).")

    @property
    def subjects(self) -> tuple[str, ...]:
        """Who made the recordings, sorted."""
        return tuple(sorted({recording.subject for recording in self.recordings}))

    def __len__(self):
        return len(self.recordings)

    def __iter__(self):
        return iter(self.recordings)

    def __getitem__(self, index):
        return self.recordings[index]

    def __eq__(self, other):
        if not isinstance(other, Dataset):
            return NotImplemented
        return self.classes == other.classes and self.recordings == other.recordings

    __hash__ = None

    def __repr__(self):
        seconds = sum(recording.duration_s for recording in self.recordings)
        return (f"Dataset({len(self)} recordings, {seconds:.0f} s, {len(self.subjects)} subjects, "
                f"classes {', '.join(self.classes)})")

    def filter(self, label=None, subject=None) -> "Dataset":
        """Only the recordings with this label and this subject; each may be one name or several.

        Raises
        ------
        DataError
            None is left.
        """
        labels, subjects = _names(label), _names(subject)
        kept = [recording for recording in self.recordings
                if (labels is None or recording.label in labels) and (subjects is None or recording.subject in subjects)]
        if not kept:
            raise DataError(f"No recording has label {label!r} and subject {subject!r} (None is any). The labels are "
                            f"{', '.join(self.classes)}; the subjects are {_some(self.subjects)}.")
        return Dataset(kept, self.classes)

    def split_by_subject(self, test_fraction: float = 0.25, seed: int = 0) -> tuple["Dataset", "Dataset"]:
        """Split into train and test such that nobody is in both: the honest test for a stranger's hand.

        Returns
        -------
        tuple of Dataset
            ``(train, test)``.

        Raises
        ------
        DataError
            Fewer than two subjects.
        """
        chosen = _test_subjects(self.subjects, test_fraction, seed)
        return (self.filter(subject=set(self.subjects) - chosen), self.filter(subject=chosen))

    def summary(self):
        """How many seconds there are of each class from each subject.

        Returns
        -------
        pandas.DataFrame
            A row per subject, a column per class, in seconds, with sums.
        """
        import pandas as pd

        table = pd.DataFrame({"subject": [recording.subject for recording in self.recordings],
                              "class": [recording.label for recording in self.recordings],
                              "seconds": [recording.duration_s for recording in self.recordings]})
        return table.pivot_table(index="subject", columns="class", values="seconds", aggfunc="sum", fill_value=0.0,
                                 margins=True, margins_name="sum").round(2)

    def windows(self, length: int, stride: int) -> "Windows":
        """Cut each recording into windows that may overlap.

        Parameters
        ----------
        length : int
            Samples in a window.
        stride : int
            Samples from the start of one window to the next; smaller than `length` means overlap.

        Returns
        -------
        Windows
            Windows that do not fit whole are left out, and none crosses from one recording into the next.

        Raises
        ------
        DataError
            No recording is as long as a window.
        """
        if length < 1 or stride < 1:
            raise DataError(f"Windows of length {length} and stride {stride}: expected both at least 1.")
        cut, labels, subjects, origin = [], [], [], []
        for index, recording in enumerate(self.recordings):
            starts = np.arange(0, len(recording) - length + 1, stride)
            cut.append(recording.samples[starts[:, None] + np.arange(length)])
            labels += [self.classes.index(recording.label)] * len(starts)
            subjects += [recording.subject] * len(starts)
            origin += [index] * len(starts)
        if not labels:
            longest = max(len(recording) for recording in self.recordings)
            raise DataError(f"No window of {length} samples fits: the longest recording has {longest}. "
                            "Record longer, or take shorter windows.")
        return Windows(np.concatenate(cut), np.array(labels, np.int64), np.array(subjects), np.array(origin),
                       self.classes)

    def to_counts(self, per_unit) -> "Dataset":
        """Every recording as int16 counts, see :meth:`Recording.to_counts`: features are computed from counts.

        Examples
        --------
        >>> in_g = Dataset([Recording(np.float32([[0.0, 0.0, 1.0]]), 100.0, label="still")])
        >>> in_g.to_counts(per_unit=8192)[0].samples.tolist()
        [[0, 0, 8192]]
        """
        return Dataset([recording.to_counts(per_unit) for recording in self.recordings], self.classes)

    def save(self, path, suffix: str = ".csv") -> Path:
        """Write the data set into one ``.npz`` file, or as one file per recording into a folder.

        Parameters
        ----------
        path : str or path
            A name that ends in ``.npz``, else a folder, which must be empty or new.
        suffix : str
            For a folder: ``".csv"``, ``".npz"`` or ``".wav"``. A folder does not keep the order of `classes`.
        """
        path = Path(path)
        if path.suffix == ".npz":
            first = self.recordings[0]
            common = {key: value for key, value in first.about().items() if key not in _PER_RECORDING}
            each = {key: [getattr(recording, key) for recording in self.recordings] for key in _PER_RECORDING}
            data = pack_npz({
                "samples": np.concatenate([recording.samples for recording in self.recordings]),
                "lengths": np.array([len(recording) for recording in self.recordings], "<i8"),
                "about": np.array(json.dumps({"classes": self.classes, **common, **each})),
            })
            with atomic_write(path) as temporary:
                temporary.write_bytes(data)
            return path
        if path.is_dir() and any(path.iterdir()):
            raise DataError(f"The folder {path.name}/ is not empty: old and new recordings would mix. "
                            "Take a new folder.")
        for index, recording in enumerate(self.recordings):
            name = "_".join(filter(None, [f"{index:04d}", _plain(recording.label), _plain(recording.subject)]))
            recording.save(path / f"{name}{suffix}")
        return path

    @classmethod
    def load(cls, path, rate_hz: float | None = None, resample_hz: float | None = None,
             names: str | None = None) -> "Dataset":
        """Read a data set from an ``.npz`` file, or from a folder of csv, npz, wav and npy recordings.

        Parameters
        ----------
        path : str or path
            In a folder, files are read in the order of their names. Where a file does not say its label, the
            subfolder's name is the label (``wave/1.csv``, ``wave/asha_1.csv`` and ``asha/wave/1.csv``: asha is the
            subject), or without a subfolder the file's name: ``wave_3.csv``, ``wave.asha.3.csv``, ``wave_p07_3.csv``.
        rate_hz : float, optional
            The rate you expect; needed for npy files, and for csv files that do not say theirs.
        resample_hz : float, optional
            Bring every recording of a folder to this rate.
        names : str, optional
            Where label and subject are in other folders' names, the ending left out: ``"{subject}_{label}_*"``,
            ``"{label}/{subject}/*"``; ``*`` is anything.

        Notes
        -----
        Files of other programs are made alike: if some hold whole numbers and some fractions, all become float32; rates
        that were measured from times and differ by less than 2 % become their median.

        Raises
        ------
        DataError
            Missing, damaged or of another kind, or a name that `names` does not describe; the message names the file.
        """
        path = Path(path)
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES
                           and not any(part.startswith((".", "__")) for part in file.relative_to(path).parts))
            if not files:
                raise DataError(f"The folder {path.name}/ holds no recordings: expected files that end in "
                                f"{', '.join(_SUFFIXES)}.")
            recordings = []
            for file in files:
                name = file.relative_to(path)
                try:
                    recording = Recording.load(file, rate_hz, recordings[0].channels if recordings else None)
                except DataError as error:      # many folders have a 1.csv
                    raise DataError(str(error).replace(file.name, name.as_posix(), 1)) from None
                recording = recording if resample_hz is None else recording.resample(resample_hz)
                recordings.append(_named(recording, name) if names is None else recording.with_(**_found(names, name)))
            return cls(_alike(recordings))
        data = cls._from_npz(_read_bytes(path), path.name)
        if rate_hz is not None and data[0].rate_hz != rate_hz:
            raise DataError(f"{path.name} was recorded at {data[0].rate_hz:g} Hz; expected {rate_hz:g} Hz. "
                            "Take another data set, or resample it.")
        return data

    @classmethod
    def _from_npz(cls, data, name):
        arrays = unpack_npz(data, name, ("samples", "lengths", "about"), "a data set")
        about = parse_about(arrays["about"], name)
        samples, lengths = arrays["samples"], arrays["lengths"]
        try:
            common = {key: about[key] for key in ("rate_hz", "channels", "units", "scale")}
            each = [dict(zip(_PER_RECORDING, values, strict=True))
                    for values in zip(*(about[key] for key in _PER_RECORDING), strict=True)]
            if len(each) != len(lengths) or lengths.sum() != len(samples):
                raise ValueError("the lengths do not add up")
            parts = np.split(samples, np.cumsum(lengths)[:-1])
            return cls([Recording(part, **common, **one) for part, one in zip(parts, each, strict=True)],
                       about["classes"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{name} is damaged: {error}. Copy or make it again.") from None


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows cut from recordings, with what one must know about each.

    Attributes
    ----------
    x : numpy.ndarray
        Samples, int16 (or float32) [N, length, channels].
    y : numpy.ndarray
        Number of the class in `classes`, int64 [N].
    subject : numpy.ndarray
        Who it is, str [N].
    recording : numpy.ndarray
        Which recording of the data set it was cut from, int [N].
    classes : tuple of str
        Names of the classes.
    """

    x: np.ndarray
    y: np.ndarray
    subject: np.ndarray
    recording: np.ndarray
    classes: tuple[str, ...]

    def __len__(self):
        return len(self.x)

    def select(self, which) -> "Windows":
        """Only these windows: `which` is a mask or indices, [N] or fewer."""
        return Windows(self.x[which], self.y[which], self.subject[which], self.recording[which], self.classes)

    def split_random(self, test_fraction: float = 0.25, seed: int = 0) -> tuple["Windows", "Windows"]:
        """Split window by window, at random. It flatters: do not believe its accuracy.

        Windows of one recording overlap, so most test windows have a near copy in the training set; and every
        person in the test set was trained on. The model only has to remember. On a stranger's hand it does worse.

        Returns
        -------
        tuple of Windows
            ``(train, test)``.
        """
        count = _test_count(len(self), test_fraction, "windows")
        order = np.random.default_rng(seed).permutation(len(self))
        return self.select(np.sort(order[count:])), self.select(np.sort(order[:count]))

    def split_by_subject(self, test_fraction: float = 0.25, seed: int = 0) -> tuple["Windows", "Windows"]:
        """Split such that nobody is in both parts: how well a stranger will be understood.

        The same fraction and seed choose the same people as `Dataset.split_by_subject`.

        Returns
        -------
        tuple of Windows
            ``(train, test)``.
        """
        test = np.isin(self.subject, list(_test_subjects(np.unique(self.subject).tolist(), test_fraction, seed)))
        return self.select(~test), self.select(test)


class Normaliser:
    """Bring every channel to mean 0 and standard deviation 1, with the numbers of the training set only.

    Numbers taken from the test set would tell the model about data that it must not know.

    Attributes
    ----------
    mean_, std_ : numpy.ndarray
        Learned by `fit`, float64 [channels]; a channel that never changes has std 1.

    Examples
    --------
    >>> x = np.array([[[0.0, 5.0], [2.0, 5.0]]])
    >>> Normaliser().fit(x).transform(x).tolist()
    [[[-1.0, 0.0], [1.0, 0.0]]]
    """

    def fit(self, x) -> "Normaliser":
        """Learn mean and standard deviation of each channel from x [..., channels]."""
        flat = np.asarray(x, np.float64).reshape(-1, np.shape(x)[-1])
        self.mean_ = flat.mean(axis=0)
        std = flat.std(axis=0)
        self.std_ = np.where(std > 0, std, 1.0)
        return self

    def transform(self, x) -> np.ndarray:
        """(x - mean_) / std_, float32 with the shape of x.

        Raises
        ------
        DataError
            `fit` was not called, or x has another number of channels.
        """
        if not hasattr(self, "mean_"):
            raise DataError("This Normaliser has learned nothing yet: call fit(...) with the training windows first.")
        if np.shape(x)[-1] != len(self.mean_):
            raise DataError(f"The data has {np.shape(x)[-1]} channels; expected {len(self.mean_)} as in fit.")
        return ((np.asarray(x, np.float64) - self.mean_) / self.std_).astype(np.float32)


_PERSON = re.compile(r"(subject|subj|person|participant|volunteer|user|s|p|u)[ _-]?[0-9]+", re.IGNORECASE)
_LABEL_PERSON = re.compile(rf"(?P<label>.+?)[ _-](?P<subject>{_PERSON.pattern})([ _-].*)?", re.IGNORECASE)


def _found(names, file):
    """Label and subject of a file, where the pattern `names` has them."""
    pattern = re.escape(names).replace(r"\*", "[^/]*")
    # A label may have the separator in it (double_tap), so it takes all it can.
    for key, text in (("label", "[^/]+"), ("subject", "[^/]+?")):
        pattern = pattern.replace(rf"\{{{key}\}}", f"(?P<{key}>{text})")
    name = file.with_suffix("").as_posix()
    try:
        found = re.fullmatch(pattern, name)
    except re.error:
        found = None
    if not found or "label" not in found.groupdict():
        raise DataError(f"names={names!r} does not describe {name!r}: expected {{label}} once, {{subject}} at most once, and * "
                        "for the rest, for example '{subject}_{label}_*'.")
    return found.groupdict()


def _named(recording, file):
    """The recording with what its folders and its file name say, where it does not say it itself."""
    stem = file.stem.replace("_nohash_", "_")        # how Speech Commands writes "the same speaker once more"
    first, *more = stem.split(".")
    more = [part for part in more if not part.isdecimal()]
    label, subject = recording.label, recording.subject
    foreign = recording.source == "file"
    folders = list(file.parent.parts)
    if not label and folders:
        if len(folders) > 1 and _PERSON.fullmatch(folders[-1]) and not _PERSON.fullmatch(folders[-2]):
            folders[-2:] = folders[:-3:-1]               # wave/p07/1.csv
        label = folders[-1]
        own = re.sub(r"[ _-]+[(]?[0-9]+[)]?$", "", first)
        if foreign and not subject and len(folders) > 1:
            subject = folders[-2]
        elif foreign and not subject and not more and own != label and not own.isdecimal():
            subject = own.removeprefix(f"{label}_").strip()
    elif not label and foreign:
        person = _LABEL_PERSON.fullmatch(first)
        label = person["label"] if person else re.sub(r"[ _-]*[(]?[0-9]+[)]?$", "", first)
        subject = subject or (person["subject"] if person else "")
    if foreign and not subject and more:
        subject = more[0]
    return recording.with_(label=label, subject=subject)


def _alike(recordings):
    """Recordings of other programs with one dtype and one rate, where they nearly have."""
    strange = [recording for recording in recordings if recording.source == "file"]
    if len(strange) < len(recordings):
        return recordings
    if len({recording.samples.dtype for recording in recordings}) > 1:
        recordings = [recording.with_(samples=recording.samples.astype("float32")) for recording in recordings]
    rates = [recording.rate_hz for recording in recordings]
    middle = float(f"{np.median(rates):.3g}")
    if len(set(rates)) > 1 and all(abs(rate - middle) < 0.02 * middle for rate in rates):
        recordings = [recording.with_(rate_hz=middle) for recording in recordings]
    return recordings


def _names(value):
    return None if value is None else {value} if isinstance(value, str) else set(value)


def _some(names, most=20):
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _short(value):
    return ", ".join(map(str, value)) if isinstance(value, tuple) else f"{value:g}"


def _plain(text):
    """A label as part of a file name."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "-" for letter in text)[:40]


def _test_count(total, test_fraction, what, mend=""):
    if not 0 < test_fraction < 1:
        raise DataError(f"test_fraction is {test_fraction}: expected between 0 and 1, for example 0.25.")
    if total < 2:
        raise DataError(f"Cannot split {total} {what}: expected at least 2.{mend}")
    return min(total - 1, max(1, round(total * test_fraction)))


def _test_subjects(subjects, test_fraction, seed):
    count = _test_count(len(subjects), test_fraction, "subjects (nobody may be in both parts)",
                        " Where do the files say who moved? Dataset.load(folder, names='{subject}_{label}_*') can tell.")
    return set(np.random.default_rng(seed).permutation(sorted(subjects))[:count].tolist())


# ---- the sets that the course ships

def read_registry(folder=DATASETS) -> dict[str, tuple[str, str]]:
    """What ``registry.txt`` lists: file name -> (sha256, url); the url ``-`` means that the file is shipped."""
    entries = {}
    text = _read_bytes(Path(folder) / "registry.txt").decode()
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.split()
        if not parts or line.startswith("#"):
            continue
        if len(parts) != 3:
            raise DataError(f"registry.txt, line {number}: expected 'name sha256 url', found {len(parts)} words.")
        entries[parts[0]] = (parts[1], parts[2])
    return entries


def load_dataset(name: str, folder=DATASETS) -> Dataset:
    """Load a data set that the course ships, or download one that it knows.

    Parameters
    ----------
    name : str
        For example ``"gestures"``. ``datasets/registry.txt`` lists them all.
    folder : path
        Where the registry is.

    Returns
    -------
    Dataset
        Its file had exactly the bytes that the registry says.

    Raises
    ------
    DataError
        Unknown name, damaged file, or a download that failed.
    """
    registry = read_registry(folder)
    file = f"{name}/{name}.npz"
    if file not in registry:
        known = ", ".join(sorted({Path(entry).parent.name for entry in registry})) or "none"
        raise DataError(f"No data set {name!r}: datasets/registry.txt knows {known}. Check the spelling.")
    sha256, url = registry[file]
    if url != "-":
        return Dataset.load(_download(url, sha256, name))
    shipped = Path(folder) / file
    restore = f"Restore it: git checkout -- datasets/{file} (or make it again: edgekit course datasets)."
    try:
        data = _read_bytes(shipped)
    except DataError as error:
        raise DataError(f"{error} {restore}") from None
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise DataError(f"datasets/{file} is damaged: expected sha256 {sha256[:12]}..., found {found[:12]}... "
                        f"{restore}")
    return Dataset._from_npz(data, shipped.name)


def cache_dir() -> Path:
    """Where downloaded data sets and firmware are kept: ``$EDGEKIT_CACHE``, or the user's cache folder."""
    import pooch

    return Path(os.environ.get("EDGEKIT_CACHE") or pooch.os_cache("edgekit"))


def _download(url, sha256, name, suffix=".npz"):
    return download(url, sha256, f"{name}{suffix}", f"data set {name!r}", "take a shipped data set", DataError)


def download(url: str, sha256: str, file: str, what: str, instead: str, kind: type[EdgekitError]) -> str:
    """Download a file once into :func:`cache_dir`; it must have exactly the bytes that ``sha256`` says.

    Parameters
    ----------
    url, sha256 : str
    file : str
        Its name in the cache.
    what, instead : str
        For the message if it fails: ``"data set 'x'"``, and what to do without it.
    kind : type
        The error to raise.

    Returns
    -------
    str
        Path of the file.
    """
    import pooch
    import requests

    try:
        return pooch.retrieve(url, f"sha256:{sha256}", fname=file, path=cache_dir())
    except (requests.RequestException, OSError) as error:
        raise kind(f"The {what} could not be downloaded from {url} ({type(error).__name__}). "
                   f"Check the network, or {instead}.") from None
    except ValueError as error:
        raise kind(f"What came from {url} is not the {what}: its sha256 is not {sha256[:12]}... "
                   "The file changed or the download broke: try again, then report it.") from error
