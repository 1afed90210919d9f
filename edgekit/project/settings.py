"""``project.yml``: what a project asks, of which sensor, with which answers, and what it may cost."""

import difflib
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path

from edgekit.board.profiles import PROFILES
from edgekit.errors import DataError
from edgekit.features import FeatureParams

__all__ = ["Project", "Budget", "Duty", "Card", "SENSORS", "FILE"]

FILE = "project.yml"
SENSORS = ("motion", "other")
"""``motion``: features and app of the template work as they are. ``other``: yours, `Project.params` is not made for you."""
DAY_S = 86_400


@dataclass(frozen=True)
class Budget:
    """What the project may take of its board.

    Attributes
    ----------
    ram_bytes, flash_bytes : int
        Heap, and room in the file system, for program and model.
    ms : float
        Time for one decision, in ms.
    mah_per_day : float
        Charge of a day, in milliamp-hours.
    """

    ram_bytes: int
    flash_bytes: int
    ms: float
    mah_per_day: float


@dataclass(frozen=True)
class Duty:
    """How often the board looks, and for how long: what the battery pays for.

    Attributes
    ----------
    looks_per_day : float
    look_s : float
        Seconds awake at each look.
    """

    looks_per_day: float
    look_s: float


@dataclass(frozen=True)
class Card:
    """What only a person can say for the model card: sentences.

    Attributes
    ----------
    intended, not_for, affected, caveats : str
        What it is for; what not; who is affected and how; what is known to be weak.
    """

    intended: str
    not_for: str
    affected: str
    caveats: str


@dataclass(frozen=True)
class Project:
    """A project, as its ``project.yml`` says it. Each value was checked.

    Attributes
    ----------
    name : str
    question : str
        Ends with a question mark.
    sensor : str
        One of :data:`SENSORS`.
    labels : tuple of str
        The answers.
    rate_hz, channels, window, stride : int
        As in :class:`edgekit.features.FeatureParams`.
    baseline : str
        What must be beaten, in words.
    goal : float
        Accuracy, 0 to 1, on subjects never seen, that the lower end of the 95 % interval shall reach.
    board : str
        Name of a profile.
    budget : Budget
    duty : Duty
    card : Card
    folder : pathlib.Path
        Where it is.

    Raises
    ------
    DataError
        Something is missing, unknown or out of range; the message names the line's word and what to write.
    """

    name: str
    question: str
    sensor: str
    labels: tuple[str, ...]
    rate_hz: int
    channels: int
    window: int
    stride: int
    baseline: str
    goal: float
    board: str
    budget: Budget
    duty: Duty
    card: Card
    folder: Path = field(default=Path("."), compare=False)

    @classmethod
    def load(cls, folder=".") -> "Project":
        """Read ``project.yml`` in a folder.

        Parameters
        ----------
        folder : str or path
            The project's folder, or its ``project.yml``.

        Raises
        ------
        DataError
            There is none, or it is not right; the message says which word and what to write.
        """
        import yaml
        path = Path(folder)
        path = path / FILE if path.is_dir() or path.name != FILE else path
        try:
            found = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DataError(f"No {FILE} in {path.parent}. Go to the project's folder, or make a project: "
                            "edgekit new NAME.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"Cannot read {path}: {error}. Expected a text file in UTF-8.") from None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f", line {mark.line + 1}" if mark else ""
            raise DataError(f"{FILE}{where}: {getattr(error, 'problem', None) or 'this is no YAML'}. Expected lines like "
                            "'rate_hz: 100'; a text with ': ' or '#' in it stands in quotes.") from None
        return cls.from_dict(found, path.parent)

    @classmethod
    def from_dict(cls, values, folder=".") -> "Project":
        """A project from what the file holds, with `folder` as its place; raises DataError as :meth:`load` does."""
        values = _mapping(cls, values, "")
        _words(values, ("name", "question", "sensor", "baseline", "board"), "")
        if not values["question"].endswith("?"):
            raise DataError(f"{FILE}: question is {values['question']!r}, expected a question that ends with '?': it says "
                            "what the board shall answer.")
        if values["sensor"] not in SENSORS:
            raise DataError(f"{FILE}: sensor is {values['sensor']!r}, expected one of {', '.join(SENSORS)}. Take 'other' "
                            "for any sensor that needs its own features and app.")
        if values["board"] not in PROFILES:
            raise DataError(f"{FILE}: board is {values['board']!r}, expected one of {', '.join(PROFILES)}.")
        values["labels"] = _labels(values["labels"])
        for name in ("rate_hz", "channels", "window", "stride"):
            _number(values, name, "", whole=True)
        _number(values, "goal", "", high=1)
        for name, kind in (("budget", Budget), ("duty", Duty)):
            inner = _mapping(kind, values[name], f"{name}.")
            for key in inner:
                _number(inner, key, f"{name}.", whole=key.endswith("_bytes"))
            values[name] = kind(**inner)
        duty = values["duty"]
        if duty.looks_per_day * duty.look_s > DAY_S:
            raise DataError(f"{FILE}: duty asks for {duty.looks_per_day:g} looks of {duty.look_s:g} s each a day, that is "
                            f"{duty.looks_per_day * duty.look_s:,.0f} s; a day has {DAY_S:,}. Take fewer or shorter looks.")
        card = _mapping(Card, values["card"], "card.")
        _words(card, tuple(card), "card.")
        project = cls(**{**values, "card": Card(**card), "folder": Path(folder)})
        if project.sensor == "motion":
            try:
                project.params  # noqa: B018 - the check of its numbers
            except DataError as error:
                raise DataError(str(error).replace("FeatureParams", FILE, 1)) from None
        return project

    @property
    def params(self) -> FeatureParams:
        """The features' parameters, for the sensor ``motion``: summary features of `channels` channels."""
        if self.sensor != "motion":
            raise DataError(f"sensor is {self.sensor!r} in {FILE}, so its features are yours to write: for sound "
                            "edgekit.features.AudioParams (lesson 06), for others your own numbers in steps.py.")
        return FeatureParams(kind="summary", rate_hz=self.rate_hz, window=self.window, stride=self.stride,
                             channels=self.channels, classes=self.labels)

    @property
    def build(self) -> Path:
        """Folder for what a run makes: ``build/``; it exists."""
        folder = self.folder / "build"
        folder.mkdir(exist_ok=True)
        return folder

    def check_data(self, dataset) -> None:
        """Look whether recordings are what the project says.

        Parameters
        ----------
        dataset : edgekit.dataset.Dataset

        Raises
        ------
        DataError
            Another rate or another number of channels, a label that is not in ``labels``, a label without a recording, or
            fewer than three subjects; the message says what to record or to change.
        """
        first = dataset[0]
        if first.rate_hz != self.rate_hz:
            raise DataError(f"The recordings have {first.rate_hz:g} samples a second, {FILE} says rate_hz: {self.rate_hz}. "
                            f"Record again, or load them with resample_hz={self.rate_hz}.")
        if len(first.channels) != self.channels:
            raise DataError(f"The recordings have {len(first.channels)} channels ({', '.join(first.channels)}), {FILE} says "
                            f"channels: {self.channels}. Choose with recording.select(...), or correct the line.")
        found = {recording.label for recording in dataset}
        strange = sorted(found - set(self.labels))
        if strange:
            raise DataError(f"A recording has the label {strange[0]!r}, which is not among the labels in {FILE}: "
                            f"{', '.join(self.labels)}. Add it there, or correct the file's name.")
        missing = [label for label in self.labels if label not in found]
        if missing:
            raise DataError(f"No recording has the label {missing[0]!r}. Record some, or take it out of {FILE}.")
        if len(dataset.subjects) < 3:
            raise DataError(f"The recordings come from {len(dataset.subjects)} subjects; train, validation and test need at "
                            "least one each, so 3. Record somebody, or some place, more.")


def _mapping(kind, values, where):
    """The values as a new dict that has every field of `kind` and no other."""
    expected = [part.name for part in fields(kind) if part.default is MISSING]
    if not isinstance(values, dict):
        raise DataError(f"{FILE}: {where.rstrip('.') or 'the file'} is {_shown(values)}, expected the lines "
                        f"{', '.join(expected)}, each with a value.")
    for name in values:
        if name not in expected:
            near = difflib.get_close_matches(str(name), expected, 1)
            raise DataError(f"{FILE}: {where}{name} is no line that a project has"
                            + (f"; did you mean {where}{near[0]}?" if near else ".")
                            + f" There are {', '.join(expected)}.")
    for name in expected:
        if name not in values:
            raise DataError(f"{FILE}: the line {where}{name} is missing. There are {', '.join(expected)}.")
    return dict(values)


def _words(values, names, where):
    for name in names:
        value = values[name]
        if not isinstance(value, str) or not value.strip():
            hint = " YAML reads yes, no, on and off as true and false: write them in quotes." if isinstance(value, bool) else ""
            raise DataError(f"{FILE}: {where}{name} is {_shown(value)}, expected words.{hint}")
        values[name] = value.strip()


def _labels(labels):
    if not isinstance(labels, list) or len(labels) < 2:
        raise DataError(f"{FILE}: labels is {_shown(labels)}, expected a list of at least two, such as [still, wash].")
    for label in labels:
        if isinstance(label, bool):
            raise DataError(f"{FILE}: labels holds {_shown(label)}: YAML reads yes, no, on and off as true and false. Write "
                            "them in quotes, such as \"off\".")
        if not isinstance(label, str) or not label.strip():
            raise DataError(f"{FILE}: labels holds {_shown(label)}, expected words; write numbers in quotes.")
    if len(set(labels)) < len(labels):
        raise DataError(f"{FILE}: labels names {next(name for name in labels if labels.count(name) > 1)!r} twice.")
    return tuple(labels)


def _number(values, name, where, whole=False, high=None):
    value = values[name]
    kind = "a whole number" if whole else "a number"
    right = isinstance(value, int) if whole else isinstance(value, int | float)
    if isinstance(value, bool) or not right or not 0 < value < float("inf") or (high is not None and value > high):
        above = "above 0" + (f", at most {high}" if high is not None else "")
        hint = " Write it without commas and units: the line's name has the unit." if isinstance(value, str) else ""
        raise DataError(f"{FILE}: {where}{name} is {_shown(value)}, expected {kind} {above}.{hint}")


def _shown(value):
    return "empty" if value is None else repr(value).lower() if isinstance(value, bool) else f"{value!r:.60}"
