"""What ``course.yml`` says about the lessons and the curricula."""

from dataclasses import dataclass
from pathlib import Path

from edgekit.errors import EdgekitError
from edgekit.paths import ROOT


@dataclass(frozen=True)
class Short:
    """The short form of a lesson: its minutes, and the headings of the sections that are run but not talked about."""

    minutes: int
    leave_out: tuple[str, ...]


@dataclass(frozen=True)
class Lesson:
    """One lesson, as in ``course.yml``. ``minutes`` is for a learner."""

    number: str
    file: str
    title: str
    question: str
    objectives: tuple[str, ...]
    minutes: int
    kernel: str
    needs: tuple[str, ...]
    exercises: bool
    short: Short | None = None


@dataclass(frozen=True)
class Curriculum:
    """A way through the course: its name and its sessions, each a list of lesson numbers.

    ``hours`` at the keyboard are promised for all of it; ``short`` are the lessons taken in their short form; one of
    ``choice`` comes in the last session.
    """

    name: str
    sessions: tuple[tuple[str, ...], ...]
    hours: float | None = None
    short: tuple[str, ...] = ()
    choice: tuple[str, ...] = ()

    @property
    def lessons(self) -> tuple[str, ...]:
        """All lesson numbers, in order."""
        return tuple(number for session in self.sessions for number in session)

    def minutes(self, lessons, session=None) -> int:
        """Minutes at the keyboard, of one session or of all; of a choice the longest counts."""
        by_number = {lesson.number: lesson for lesson in lessons}
        numbers = self.lessons if session is None else self.sessions[session]
        total = sum(by_number[n].short.minutes if n in self.short else by_number[n].minutes for n in numbers)
        if self.choice and session in (None, len(self.sessions) - 1):
            total += max(by_number[n].minutes for n in self.choice)
        return total


def load(path=ROOT / "course.yml") -> tuple[list[Lesson], list[Curriculum]]:
    """Read the lessons and the curricula.

    Parameters
    ----------
    path : path
        A file like ``course.yml``.

    Raises
    ------
    EdgekitError
        A field is missing or unknown, or a lesson is named that does not exist or comes later.

    Examples
    --------
    >>> lessons, curricula = load()
    >>> lessons[0].title
    'Start here'
    """
    import yaml
    path = Path(path)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    lessons = []
    for entry in content["lessons"]:
        entry = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
        try:
            if isinstance(entry.get("short"), dict):
                entry["short"] = Short(**{name: tuple(value) if isinstance(value, list) else value
                                          for name, value in entry["short"].items()})
            lesson = Lesson(**entry)
        except TypeError as error:
            raise EdgekitError(f"{path.name}: lesson {entry.get('number', '?')}: {error}. "
                               f"Each lesson has: {', '.join(Lesson.__dataclass_fields__)}.") from error
        unknown = set(lesson.needs) - {before.number for before in lessons}
        if unknown:
            raise EdgekitError(f"{path.name}: lesson {lesson.number} needs {', '.join(sorted(unknown))}, "
                               "which does not come before it.")
        lessons.append(lesson)
    numbers = {lesson.number for lesson in lessons}
    shortened = {lesson.number for lesson in lessons if lesson.short}
    curricula = []
    for name, entry in content["curricula"].items():
        sessions = entry.get("weeks") or [entry["lessons"]]
        curriculum = Curriculum(name, tuple(map(tuple, sessions)), entry.get("hours"), tuple(entry.get("short", ())),
                                tuple(entry.get("choice", ())))
        if {*curriculum.lessons, *curriculum.choice} - numbers:
            raise EdgekitError(f"{path.name}: the curriculum {name!r} names lessons that do not exist: "
                               f"{', '.join(sorted({*curriculum.lessons, *curriculum.choice} - numbers))}.")
        if set(curriculum.short) - (shortened & set(curriculum.lessons)):
            raise EdgekitError(f"{path.name}: the curriculum {name!r} shortens lessons that have no short form, or that it does "
                               f"not hold: {', '.join(sorted(set(curriculum.short) - (shortened & set(curriculum.lessons))))}.")
        curricula.append(curriculum)
    return lessons, curricula


def table(lessons, curricula) -> str:
    """The curricula as Markdown, for ``docs/instructors.md``: a lesson in brackets is taken in its short form.

    Examples
    --------
    >>> table(*load()).splitlines()[0]
    '| curriculum | lessons | at the keyboard |'
    """
    lines = ["| curriculum | lessons | at the keyboard |", "|---|---|---|"]
    for curriculum in curricula:
        for index, session in enumerate(curriculum.sessions):
            numbers = " ".join(f"({number})" if number in curriculum.short else number for number in session)
            last = index == len(curriculum.sessions) - 1
            if curriculum.choice and last:
                numbers = f"one of {', '.join(curriculum.choice)}; then {numbers}"
            name = curriculum.name if len(curriculum.sessions) == 1 else f"{curriculum.name}: week {index + 1}"
            hours = curriculum.minutes(lessons, index) / 60
            lines.append(f"| {name} | {numbers} | {hours:.1f} h |")
    return "\n".join(lines)
