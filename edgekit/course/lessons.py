"""What ``course.yml`` says about the lessons and the curricula."""

from dataclasses import dataclass
from pathlib import Path

from edgekit.errors import EdgekitError
from edgekit.paths import ROOT


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


@dataclass(frozen=True)
class Curriculum:
    """A way through the course: its name and its sessions, each a list of lesson numbers."""

    name: str
    sessions: tuple[tuple[str, ...], ...]
    hours: float | None = None

    @property
    def lessons(self) -> tuple[str, ...]:
        """All lesson numbers, in order."""
        return tuple(number for session in self.sessions for number in session)


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
    curricula = []
    for name, entry in content["curricula"].items():
        sessions = entry.get("weeks") or [entry["lessons"]]
        curriculum = Curriculum(name, tuple(map(tuple, sessions)), entry.get("hours"))
        if set(curriculum.lessons) - numbers:
            raise EdgekitError(f"{path.name}: the curriculum {name!r} names lessons that do not exist: "
                               f"{', '.join(sorted(set(curriculum.lessons) - numbers))}.")
        curricula.append(curriculum)
    return lessons, curricula
