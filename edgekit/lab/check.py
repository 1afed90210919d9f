"""Check a learner's answer, kindly, and give hints one at a time."""

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Literal

import numpy as np

from edgekit.errors import EdgekitError

NOT_ANSWERED = "not answered yet"


@dataclass(frozen=True)
class Exercise:
    """One exercise: its id, its hints from vague to almost the answer, and what judges an answer."""

    id: str
    hints: tuple[str, ...]
    judge: Callable


@dataclass(frozen=True)
class Verdict:
    """What became of an answer: its state and the sentence that the learner reads."""

    state: Literal["open", "right", "wrong"]
    message: str

    def __str__(self):
        return self.message


class NotAnswered(Exception):
    """The learner's function gave back ``...`` or ``None``: it is still the stub."""


EXERCISES: dict[str, Exercise] = {}
_HINTS_SHOWN: dict[str, int] = {}


def exercise(id: str, hints: list[str]):
    """Register a function as the judge of an exercise.

    The judge gets the learner's answer (a value or a function) and returns ``None`` if it is right, else one
    sentence that says what is wrong without giving the answer. It never sees a stub.

    Parameters
    ----------
    id : str
        Lesson and number, for example ``"04.2"``.
    hints : list of str
        From a question, over a pointer, to half the line. At least two.

    Examples
    --------
    >>> @exercise("00.0", hints=["How many axes has a room?", "Count: ax, ay, az."])
    ... def axes(value):
    ...     return number(value, 3, what="number of axes")
    >>> check("00.0", ...)
    00.0: not answered yet. Replace the ... and run this cell again. Stuck? lab.hint("00.0")
    >>> check("00.0", 3)
    00.0: right.
    >>> del EXERCISES["00.0"]
    """
    def register(judge):
        if id in EXERCISES:
            raise ValueError(f"exercise {id} is defined twice")
        EXERCISES[id] = Exercise(id, tuple(hints), judge)
        return judge
    return register


def check(id: str, answer) -> None:
    """Say whether an answer is right. On a stub it says "not answered yet" and raises nothing.

    Parameters
    ----------
    id : str
        The exercise, for example ``"04.2"``.
    answer : object
        The value, or the function, that the exercise asks for.

    Raises
    ------
    EdgekitError
        No such exercise. With ``EDGEKIT_CHECK=strict`` in the environment (so run our tests of the solutions):
        also if the answer is missing or wrong.
    """
    result = verdict(id, answer)
    print(result)
    if os.environ.get("EDGEKIT_CHECK") == "strict" and result.state != "right":
        raise EdgekitError(str(result))


def verdict(id: str, answer) -> Verdict:
    """Judge an answer and return the verdict instead of printing it; see :func:`check`."""
    found = _find(id)
    if _is_stub(answer):
        return _open(id)
    try:
        wrong = found.judge(_Watched(answer) if isinstance(answer, FunctionType) else answer)
    except NotAnswered:
        return _open(id)
    except _AnswerFailed as failure:
        return Verdict("wrong", f"{id}: your function stopped with {failure}. Run it alone to see the line.")
    except (TypeError, ValueError, AttributeError, IndexError, KeyError) as error:
        # The judge could not use the answer: it has the wrong shape or type.
        return Verdict("wrong", f"{id}: not yet. The answer is {_kind(answer)}, and that cannot be used here "
                                f"({type(error).__name__}: {error}).")
    if wrong:
        return Verdict("wrong", f'{id}: not yet. {wrong} A hint: lab.hint("{id}")')
    return Verdict("right", f"{id}: right.")


def hint(id: str) -> None:
    """Print the next hint of an exercise: first a question, then a pointer, then half the line.

    Parameters
    ----------
    id : str
        The exercise, for example ``"04.2"``.
    """
    hints = _find(id).hints
    shown = _HINTS_SHOWN.get(id, 0)
    if shown == len(hints):
        print(f"{id}: there are no more hints. Here they are again; the answer is in the folder solutions.")
        shown = 0
    print(f"{id}, hint {shown + 1} of {len(hints)}: {hints[shown]}")
    _HINTS_SHOWN[id] = shown + 1


# --- for judges: each returns None if the answer is right, else a sentence -----------------------------------

def number(answer, expected: float, what: str, unit: str = "", tolerance: float = 0.0):
    """Compare a number. ``tolerance`` is absolute. Says "too large" or "too small", not the number.

    Examples
    --------
    >>> number(12.5, 12.8, what="rate", unit="Hz", tolerance=0.1)
    'The rate is too small: found 12.5 Hz.'
    """
    if isinstance(answer, bool) or not np.isscalar(answer) or isinstance(answer, str):
        return f"Expected one number for the {what}, found {_kind(answer)}."
    if np.isnan(answer):
        return f"The {what} is not a number (nan)."
    if abs(answer - expected) <= tolerance:
        return None
    size = "large" if answer > expected else "small"
    return f"The {what} is too {size}: found {answer:g}{' ' + unit if unit else ''}."


def array(answer, expected, what: str, tolerance: float = 0.0):
    """Compare an array: its shape first, then its values. ``tolerance`` is absolute.

    Examples
    --------
    >>> array([1, 2], [1, 2, 3], what="window starts")
    'Expected the window starts with shape (3,), found shape (2,).'
    """
    try:
        found = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return f"Expected numbers for the {what}, found {_kind(answer)}."
    expected = np.asarray(expected, dtype=float)
    if found.shape != expected.shape:
        return f"Expected the {what} with shape {expected.shape}, found shape {found.shape}."
    wrong = ~(np.abs(found - expected) <= tolerance)
    if not wrong.any():
        return None
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = f" (the first at index {first[0] if len(first) == 1 else first})" if first else ""
    return f"The {what}: {int(wrong.sum())} of {wrong.size} values differ{place}."


def choice(answer, expected: str, options: list[str], what: str):
    """Compare a choice among words.

    Examples
    --------
    >>> choice("maybe", "yes", ["yes", "no"], what="answer")
    "Expected the answer to be one of 'yes', 'no', found 'maybe'."
    """
    if answer not in options:
        return f"Expected the {what} to be one of {', '.join(map(repr, options))}, found {answer!r}."
    return None if answer == expected else f"The {what} is another one."


# --- inside --------------------------------------------------------------------------------------------------

class _AnswerFailed(Exception):
    """The learner's own function raised."""


class _Watched:
    """The learner's function: tells a stub from an answer, and its errors from those of the judge."""

    def __init__(self, function):
        self._function = function

    def __call__(self, *args, **kwargs):
        try:
            result = self._function(*args, **kwargs)
        except Exception as error:
            if "ellipsis" in str(error).lower():
                raise NotAnswered from error
            raise _AnswerFailed(f"{type(error).__name__}: {error}") from error
        if _is_stub(result):
            raise NotAnswered
        return result

    def __getattr__(self, name):
        return getattr(self._function, name)


def _is_stub(value) -> bool:
    if value is None or value is Ellipsis:
        return True
    if isinstance(value, Mapping):
        return any(_is_stub(v) for v in value.values())
    return isinstance(value, list | tuple) and any(_is_stub(v) for v in value)


def _open(id):
    return Verdict("open", f'{id}: {NOT_ANSWERED}. Replace the ... and run this cell again. Stuck? lab.hint("{id}")')


def _kind(value):
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return f"{value!r:.60} ({type(value).__name__})"


def _find(id) -> Exercise:
    if id not in EXERCISES:
        module = f"edgekit.lab.exercises.lesson_{str(id).partition('.')[0]}"
        path = Path(__file__).parent / "exercises" / f"{module.rpartition('.')[2]}.py"
        if path.exists() and module not in sys.modules:
            importlib.import_module(module)
    if id not in EXERCISES:
        known = ", ".join(sorted(EXERCISES)) or "none so far"
        raise EdgekitError(f"Expected the id of an exercise, such as '04.2', found {id!r}. Known here: {known}.")
    return EXERCISES[id]


def lesson_exercises(lesson: str) -> list[Exercise]:
    """All exercises of one lesson, in order; empty if it has none.

    Parameters
    ----------
    lesson : str
        Two digits, for example ``"04"``.
    """
    path = Path(__file__).parent / "exercises" / f"lesson_{lesson}.py"
    if path.exists():
        importlib.import_module(f"edgekit.lab.exercises.lesson_{lesson}")
    return [EXERCISES[id] for id in sorted(EXERCISES) if id.startswith(f"{lesson}.")]
