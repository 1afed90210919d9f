"""The checks of lesson 11: right answers pass, the usual wrong ones hear what is wrong."""

import re

import nbformat
import pytest

from edgekit.lab.check import lesson_exercises, verdict
from edgekit.paths import SOLUTIONS


@pytest.fixture(scope="module")
def solution():
    cells = nbformat.read(SOLUTIONS / "11_inference_and_action.ipynb", 4).cells
    names = {}
    exec(next(re.search(r"program = .*?'''\n.*?'''", cell.source, re.DOTALL)[0].replace("### BEGIN SOLUTION", "") + ")"
              for cell in cells if "program = (" in cell.source), names)
    return names["program"]


def test_a_stub_is_not_answered():
    for exercise in lesson_exercises("11"):
        assert verdict(exercise.id, ...).state == "open"
    assert verdict("11.2", lambda yes_ms, quiet_ms: None).state == "open"


@pytest.mark.parametrize("stable_ms, message", [
    (5, "still bounce"), (10, "one that opens still bounces"), (60, "the press is missed"), (200, "the press is missed"),
    (30, "Expected one of 5, 10, 25, 60, 200 ms, found 30")])
def test_calm_button(stable_ms, message):
    result = verdict("11.1", stable_ms)
    assert result.state == "wrong" and message in result.message
    assert verdict("11.1", 25).state == "right"


def refractory(yes_ms, quiet_ms, last_yes=False, strict=False):
    actions, last = [], None
    for now_ms in yes_ms:
        if last is None or now_ms - last > quiet_ms - (not strict):
            actions.append(now_ms)
            last = now_ms
        elif last_yes:
            last = now_ms
    return actions


def test_act_times():
    assert verdict("11.2", refractory).state == "right"
    for wrong, message in ((lambda yes, quiet: refractory(yes, quiet, last_yes=True), "not from the last yes"),
                           (lambda yes, quiet: refractory(yes, quiet, strict=True), "exactly quiet_ms later"),
                           (lambda yes, quiet: yes[1:], "the first yes acts at once"),
                           (lambda yes, quiet: yes, "after an action there is quiet"),
                           (lambda yes, quiet: [yes.pop() for _ in range(len(yes))], "changes the list"),
                           (lambda yes, quiet: 5, "Expected a list of times")):
        result = verdict("11.2", wrong)
        assert result.state == "wrong" and message in result.message


def test_the_solution_switches_with_two_claps(solution):
    assert verdict("11.3", solution).message == "11.3: right."


@pytest.mark.parametrize("old, new, message", [
    ("gap_ms >= 100", "gap_ms >= 20", "after one clap alone"),
    ("gap_ms > 600", "gap_ms > 1500", "two claps that are one second apart"),
    ("elif not switched:", "else:", "once more than expected"),
    ("relay.value(not relay.value())", "pass", "The relay never switched"),
    ("now_ms = time.ticks_ms()", "now_ms = int(time.ticks_ms() / 1.0)", "MemoryError: it asked for memory"),
    ("1000 * seconds", "500 * seconds", "expected 19"),
    ("def main", "def other", "Expected a function main"),
    ("global claps, last_ms", "global claps", "The handler failed with NameError"),
    ("switched = False", "switched = nothing", "On the board it stopped: NameError.*nothing"),
])
def test_wrong_switches_hear_why(solution, old, new, message):
    assert old in solution
    result = verdict("11.3", solution.replace(old, new, 1))
    assert result.state == "wrong"
    assert re.search(message, result.message)


def test_not_even_a_program():
    assert "Expected the text of a program, found int" in verdict("11.3", 5).message
