"""Five questions at the end of a lesson. Each answer opens to say why it is right or what it mixes up.

The form is plain HTML without scripts: it works offline, from the keyboard, and in a notebook that is not trusted.
"""

import html
import json
from dataclasses import dataclass
from pathlib import Path

from edgekit.errors import EdgekitError

FOLDER = Path(__file__).parent / "quizzes"


@dataclass(frozen=True)
class Answer:
    """One answer to choose: its text, whether it is right, and what to say to who chose it."""

    text: str
    right: bool
    feedback: str


@dataclass(frozen=True)
class Question:
    """One question with its answers."""

    text: str
    answers: tuple[Answer, ...]


class Quiz(tuple):
    """The questions of one lesson. A notebook shows it as a form, a terminal as text."""

    def _repr_html_(self):
        parts = ['<div style="max-width: 46em">']
        for number, question in enumerate(self, 1):
            parts.append(f'<p style="margin: 1em 0 .3em"><b>{number}.</b> {_html(question.text)}</p>')
            for answer in question.answers:
                mark = "&#10003; Yes." if answer.right else "&#10007; Not this one."
                parts.append(
                    f'<details style="margin: .15em 0 .15em 1.2em"><summary style="cursor: pointer">'
                    f'{_html(answer.text)}</summary><div style="margin: .2em 0 .4em 1.2em">'
                    f"<b>{mark}</b> {_html(answer.feedback)}</div></details>")
        parts.append("</div>")
        return "\n".join(parts)

    def __str__(self):
        lines = []
        for number, question in enumerate(self, 1):
            lines.append(f"{number}. {question.text}")
            lines += [f"   {letter}) {answer.text}" for letter, answer in zip("abcdef", question.answers, strict=False)]
        return "\n".join(lines)

    __repr__ = __str__


def quiz(lesson: str) -> Quiz:
    """The quiz of a lesson: choose an answer (click, or Tab and Enter) to read whether it holds.

    Parameters
    ----------
    lesson : str
        Two digits, for example ``"03"``.

    Returns
    -------
    Quiz
        Make it the last line of a cell.

    Raises
    ------
    EdgekitError
        The lesson has no quiz, or its file is not well formed.
    """
    path = FOLDER / f"lesson_{lesson}.json"
    if not path.exists():
        there = ", ".join(sorted(p.stem.removeprefix("lesson_") for p in FOLDER.glob("lesson_*.json"))) or "none yet"
        raise EdgekitError(f"Expected a lesson that has a quiz ({there}), found {lesson!r}.")
    return load(path)


def load(path: Path) -> Quiz:
    """Read a quiz file and check its form: five questions, each with one right answer and feedback to every answer.

    Parameters
    ----------
    path : pathlib.Path
        JSON: a list of ``{"question": ..., "answers": [{"text": ..., "right": true, "feedback": ...}, ...]}``.

    Raises
    ------
    EdgekitError
        Names the question and what is wrong with it.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        questions = Quiz(Question(q["question"], tuple(Answer(a["text"], a.get("right", False), a["feedback"])
                                                       for a in q["answers"])) for q in entries)
    except (ValueError, KeyError, TypeError) as error:
        raise EdgekitError(f"{path.name}: expected a list of questions, each with answers that have text and "
                           f"feedback; found {type(error).__name__}: {error}. See docs/add-an-exercise.md.") from error
    if len(questions) != 5:
        raise EdgekitError(f"{path.name}: expected 5 questions, found {len(questions)}.")
    for number, question in enumerate(questions, 1):
        right = sum(a.right for a in question.answers)
        texts = {a.text for a in question.answers}
        if right != 1:
            raise EdgekitError(f"{path.name}: question {number} needs one right answer, found {right}.")
        if not 3 <= len(question.answers) <= 6 or len(texts) != len(question.answers):
            raise EdgekitError(f"{path.name}: question {number} needs 3 to 6 different answers, found {len(texts)}.")
        if not all(a.feedback.strip() for a in question.answers):
            raise EdgekitError(f"{path.name}: question {number} has an answer without feedback.")
    return questions


def _html(text):
    """Escape, and set `code` between backticks as code."""
    pieces = html.escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if i % 2 else piece for i, piece in enumerate(pieces))
