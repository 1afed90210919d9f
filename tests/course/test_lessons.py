"""course.yml, the notebooks, the exercises and the quizzes tell the same story."""

import re

import pytest

from edgekit.course import notebooks
from edgekit.course.lessons import load, table
from edgekit.errors import EdgekitError
from edgekit.lab.check import lesson_exercises
from edgekit.lab.quiz import FOLDER
from edgekit.paths import NOTEBOOKS, ROOT, SOLUTIONS

LESSONS, CURRICULA = load()
by_number = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)


def test_every_notebook_is_a_lesson_and_every_lesson_has_one():
    assert [f"{lesson.file}.ipynb" for lesson in LESSONS] == sorted(p.name for p in NOTEBOOKS.glob("*.ipynb"))


def test_every_lesson_with_exercises_has_a_solution():
    assert [f"{lesson.file}.ipynb" for lesson in LESSONS if lesson.exercises] == \
        sorted(p.name for p in SOLUTIONS.glob("*.ipynb"))


@by_number
def test_the_notebook_has_the_kernel_and_the_title(lesson):
    notebook = notebooks.read(NOTEBOOKS / f"{lesson.file}.ipynb")
    assert notebook.metadata.kernelspec.name == lesson.kernel
    assert lesson.title.lower() in notebook.cells[0].source.lower().split("\n")[0]
    assert lesson.file.startswith(lesson.number)


@by_number
def test_the_notebook_ends_with_its_quiz(lesson):
    text = (NOTEBOOKS / f"{lesson.file}.ipynb").read_text(encoding="utf-8")
    assert f'quiz(\\"{lesson.number}\\")' in text
    assert (FOLDER / f"lesson_{lesson.number}.json").exists()


@by_number
def test_each_exercise_is_checked_once_in_the_solution(lesson):
    if not lesson.exercises:
        assert lesson_exercises(lesson.number) == []
        return
    text = (SOLUTIONS / f"{lesson.file}.ipynb").read_text(encoding="utf-8")
    checked = re.findall(r'check\(\\"([\d.]+)\\"', text)
    assert checked == [exercise.id for exercise in lesson_exercises(lesson.number)] != []


def test_curricula_respect_the_order_and_the_day():
    assert {c.name for c in CURRICULA} == {"half day", "one day", "six weeks"}
    for curriculum in CURRICULA:
        assert list(curriculum.lessons) == sorted(set(curriculum.lessons))
        if curriculum.hours:
            assert 60 * curriculum.hours - 20 < curriculum.minutes(LESSONS) <= 60 * curriculum.hours
    half, day, weeks = CURRICULA
    assert set(half.lessons) <= set(day.lessons) <= set(weeks.lessons)
    # A day has six hours at the keyboard at most; a week's sessions together fit into an afternoon.
    assert half.hours <= 4 and day.hours <= 6
    assert max(weeks.minutes(LESSONS, week) for week in range(6)) <= 210
    always = {f"{number:02d}" for number in range(12)} | {"17"}     # of 12 to 14 one is a choice; 15 and 16 are beyond
    assert set(weeks.lessons) == always and weeks.lessons[-1] == "17" and set(weeks.choice) <= {"12", "13", "14"}


@pytest.mark.parametrize("lesson", [lesson for lesson in LESSONS if lesson.short], ids=lambda lesson: lesson.number)
def test_a_short_form_names_sections_and_saves_what_they_take(lesson):
    """Time goes with text: words, and 40 words for a cell to run and to read."""
    sizes, heading = {}, None
    for cell in notebooks.read(NOTEBOOKS / f"{lesson.file}.ipynb").cells:
        if cell.cell_type == "code":
            sizes[heading] = sizes.get(heading, 0) + 40
            continue
        for line in cell.source.split("\n"):
            heading = line.removeprefix("## ") if line.startswith("## ") else heading
            sizes[heading] = sizes.get(heading, 0) + len(line.split())
    assert set(lesson.short.leave_out) <= set(sizes)
    left = 1 - sum(sizes[name] for name in lesson.short.leave_out) / sum(sizes.values())
    assert lesson.short.minutes == pytest.approx(left * lesson.minutes, abs=4)


def test_the_instructors_read_the_same_curricula():
    assert table(LESSONS, CURRICULA) in (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("old, new, message", [
    ("needs: []", 'needs: ["99"]', "needs 99"),
    ("    minutes: 15\n", "", "missing 1 required"),
    ("    minutes: 15\n", "    minuts: 15\n", "minuts"),
    ('lessons: ["00", "02"', 'lessons: ["00", "77"', "names lessons that do not exist: 77"),
    ('short: ["03"', 'short: ["02"', "no short form, or that it does not hold: 02"),
    ("      leave_out:", "      leave:", "leave"),
])
def test_a_mistake_in_the_file_is_named(tmp_path, old, new, message):
    text = (ROOT / "course.yml").read_text(encoding="utf-8")
    path = tmp_path / "course.yml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(EdgekitError, match="course.yml") as caught:
        load(path)
    assert message in str(caught.value)
