"""Exercises come from solutions, always the same, with no answer left in them."""

import nbformat.v4 as v4
import pytest

from edgekit.course import exercises, notebooks
from edgekit.errors import EdgekitError
from edgekit.paths import EXERCISES, SOLUTIONS

SCRIPT = """# %% [markdown]
# # 99 A lesson
#
# In this notebook you will test. It takes 2 minutes.
# %% solution=ex99_1
def energy(x):
    ### BEGIN SOLUTION
    secret = x * x
    ### END SOLUTION
    return secret
# %% solution=ex99_2
stride = (
    ### BEGIN SOLUTION
    4711
    ### END SOLUTION
)
# %% [markdown]
# In this notebook you have tested.
"""


def test_the_answer_becomes_dots():
    solution = notebooks.from_script(SCRIPT)
    made = exercises.exercise_of(solution)
    assert made.cells[1].source == "def energy(x):\n    ...    # your code here\n    return secret"
    assert made.cells[2].source == "stride = (\n    ...    # your code here\n)"
    names = {}
    exec(made.cells[2].source, names)
    assert names["stride"] is Ellipsis
    assert made.cells[1].metadata.deletable is False
    assert notebooks.check(made) == []
    assert "4711" in solution.cells[2].source, "the solution itself must not change"


def test_build_is_deterministic_and_removes_what_has_no_solution(tmp_path):
    source, out = tmp_path / "solutions", tmp_path / "exercises"
    notebooks.write(source / "99_lesson.ipynb", notebooks.from_script(SCRIPT))
    out.mkdir()
    (out / "98_old.ipynb").write_text("old")
    assert exercises.build(out, source) == [out / "99_lesson.ipynb"]
    first = (out / "99_lesson.ipynb").read_bytes()
    exercises.build(out, source)
    assert (out / "99_lesson.ipynb").read_bytes() == first
    assert list(out.iterdir()) == [out / "99_lesson.ipynb"]
    assert b"4711" not in first and b"secret =" not in first


@pytest.mark.parametrize("script, message", [
    (SCRIPT.replace("    ### END SOLUTION\n    return", "    return"), "no end solution"),
    (SCRIPT.replace("### END SOLUTION\n    return", "### BEGIN SOLUTION\n    return"), "nested begin solution"),
    (SCRIPT.replace(" solution=ex99_1", ""), "non-solution cell"),
    (SCRIPT.replace("ex99_2", "ex99_1"), "found twice: ex99_1"),
    ("# %%\nprint(1)\n", "expected at least one cell"),
])
def test_bad_solutions_are_named(script, message):
    with pytest.raises(EdgekitError, match="99_lesson.ipynb") as caught:
        exercises.exercise_of(notebooks.from_script(script), "99_lesson.ipynb")
    assert message in str(caught.value)


def test_committed_exercises_are_what_the_solutions_give(tmp_path):
    made = {path.name: path.read_text() for path in exercises.build(tmp_path / "out")}
    committed = {path.name: path.read_text() for path in EXERCISES.glob("*.ipynb")}
    assert set(committed) == {path.name for path in SOLUTIONS.glob("*.ipynb")}
    changed = [name for name in made if made[name] != committed[name]]
    assert changed == [], "run `make exercises` and commit the result"


def test_a_cell_without_markers_but_marked_as_solution_is_emptied():
    notebook = v4.new_notebook(cells=[v4.new_code_cell("answer = 42", metadata={"nbgrader": {
        "grade": False, "grade_id": "a", "locked": False, "schema_version": 3, "solution": True, "task": False}})])
    assert exercises.exercise_of(notebook).cells[0].source == exercises.STUB
