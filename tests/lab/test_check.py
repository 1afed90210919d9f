"""Checks are kind to a stub, clear about a wrong answer, and do not give the answer away."""

import importlib

import numpy as np
import pytest

from edgekit.errors import EdgekitError
from edgekit.lab.check import array, check, choice, exercise, hint, lesson_exercises, number, verdict
from edgekit.paths import ROOT

EXERCISE_FOLDER = ROOT / "edgekit/lab/exercises"
module = importlib.import_module("edgekit.lab.check")      # the name check in the package is the function
LESSONS = sorted(p.stem.removeprefix("lesson_") for p in EXERCISE_FOLDER.glob("lesson_*.py"))


@pytest.fixture(autouse=True)
def exercises(monkeypatch):
    monkeypatch.setattr(module, "EXERCISES", {})
    monkeypatch.setattr(module, "_HINTS_SHOWN", {})
    monkeypatch.delenv("EDGEKIT_CHECK", raising=False)

    @exercise("99.1", hints=["What is asked?", "rate_hz * duration_s"])
    def samples(value):
        return number(value, 250, what="number of samples")

    @exercise("99.2", hints=["First the sum.", "np.sum(x ** 2)"])
    def energy(function):
        return array(function(np.array([1, 2, 2])), 9, what="energy")

    @exercise("99.3", hints=["Look at the shape.", "x[:, 0]"])
    def shape(value):
        return None if value["x"].shape == (2,) else "Expected one column."


def stub(x):
    ...


def half_stub(x):
    total = ...
    return total * 2


@pytest.mark.parametrize("id, answer", [
    ("99.1", ...), ("99.1", None), ("99.2", stub), ("99.2", half_stub), ("99.2", lambda x: ...),
    ("99.3", {"x": ...}), ("99.2", None), ("99.3", (1, ...))])
def test_a_stub_is_not_answered_yet(id, answer, capsys):
    check(id, answer)
    assert "not answered yet" in capsys.readouterr().out


def test_right_answers(capsys):
    check("99.1", 250)
    check("99.2", lambda x: (x ** 2).sum())
    check("99.3", {"x": np.zeros(2)})
    assert capsys.readouterr().out == "99.1: right.\n99.2: right.\n99.3: right.\n"


def test_wrong_answers_say_the_kind_but_not_the_answer(capsys):
    check("99.1", 25)
    check("99.2", lambda x: x.sum())
    out = capsys.readouterr().out
    assert "too small: found 25" in out and "250" not in out
    assert 'lab.hint("99.1")' in out
    assert "1 of 1 values differ" in out


def test_answers_of_the_wrong_type_do_not_raise():
    assert "found 'x' (str)" in verdict("99.1", "x").message
    assert "Expected one number" in verdict("99.1", True).message
    assert "AttributeError" in verdict("99.3", {"x": 3}).message
    assert "ZeroDivisionError: division by zero" in verdict("99.2", lambda x: 1 / 0).message
    assert verdict("99.1", float("nan")).state == "wrong"


def test_hints_come_one_at_a_time(capsys):
    for _ in range(3):
        hint("99.1")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "99.1, hint 1 of 2: What is asked?"
    assert lines[1].startswith("99.1, hint 2 of 2")
    assert "no more hints" in lines[2] and lines[3] == lines[0]


def test_strict_mode_raises_so_that_a_wrong_solution_fails_its_test(monkeypatch):
    monkeypatch.setenv("EDGEKIT_CHECK", "strict")
    check("99.1", 250)
    with pytest.raises(EdgekitError, match="not answered yet"):
        check("99.1", ...)
    with pytest.raises(EdgekitError, match="too large"):
        check("99.1", 999)


def test_unknown_exercise_names_the_known_ones():
    with pytest.raises(EdgekitError, match="found '77.1'. Known here: 99.1, 99.2, 99.3"):
        check("77.1", 1)


def test_judges_helpers():
    assert number(1.04, 1.0, "gain", tolerance=0.05) is None
    assert "shape (2,)" in array([1, 2], [1, 2, 3], "starts")
    assert "index 1" in array([1, 5, 3], [1, 2, 3], "starts")
    assert choice("b", "b", ["a", "b"], "answer") is None
    assert "another one" in choice("a", "b", ["a", "b"], "answer")


@pytest.mark.parametrize("lesson", LESSONS)
def test_exercises_that_ship_have_staged_hints_and_survive_anything(lesson, monkeypatch):
    monkeypatch.undo()      # the real exercises
    found = lesson_exercises(lesson)
    assert found
    for entry in found:
        assert len(entry.hints) >= 2, f"{entry.id} needs at least two hints"
        assert all(h.strip() for h in entry.hints)
        for odd in (..., None, "odd", -1, [], {}, lambda *a, **k: ..., lambda: 0, np.zeros(3)):
            assert verdict(entry.id, odd).state in ("open", "wrong")
