"""Quizzes are well formed, readable without a mouse, and each wrong answer teaches."""

import json

import pytest

from edgekit.errors import EdgekitError
from edgekit.lab.quiz import FOLDER, load, quiz

FILES = sorted(FOLDER.glob("lesson_*.json"))


def questions(count=5, right=1, feedback="Because."):
    answers = [{"text": f"answer {i}", "right": i < right, "feedback": feedback} for i in range(3)]
    return [{"question": f"Is `x < {i}`?", "answers": answers} for i in range(count)]


@pytest.fixture
def written(tmp_path):
    def write(content):
        path = tmp_path / "lesson_99.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path
    return write


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_quizzes_that_ship_are_well_formed(path):
    found = load(path)
    firsts = [[a.right for a in q.answers].index(True) for q in found]
    assert len(set(firsts)) > 1, "the right answer is always in the same place"


def test_form_is_html_without_scripts_and_text_in_a_terminal(written):
    shown = load(written(questions()))
    html = shown._repr_html_()
    assert html.count("<details") == 15 and html.count("Yes.") == 5
    assert "<code>x &lt; 0</code>" in html
    assert "script" not in html and "http" not in html
    assert str(shown).splitlines()[:2] == ["1. Is `x < 0`?", "   a) answer 0"]
    assert "Because" not in str(shown)


@pytest.mark.parametrize("content, message", [
    (questions(count=4), "expected 5 questions, found 4"),
    (questions(right=2), "question 1 needs one right answer, found 2"),
    (questions(right=0), "question 1 needs one right answer, found 0"),
    (questions(feedback=" "), "has an answer without feedback"),
    ("[{", "expected a list of questions"),
    ([{"question": "?"}], "KeyError: 'answers'"),
])
def test_a_bad_file_is_refused(written, content, message):
    with pytest.raises(EdgekitError, match="lesson_99.json") as caught:
        load(written(content))
    assert message in str(caught.value)


def test_unknown_lesson():
    with pytest.raises(EdgekitError, match="found '99'"):
        quiz("99")
