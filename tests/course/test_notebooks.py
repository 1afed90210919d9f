"""A notebook in our form stays as it is; every other one is brought into it, and what is wrong is named."""

import nbformat.v4 as v4
import pytest

from edgekit.course import notebooks
from edgekit.errors import EdgekitError

TITLE = "# 99 A lesson\n\nIn this notebook you will test. It takes 2 minutes."
RECAP = "In this notebook you have tested."


@pytest.fixture
def dirty():
    notebook = v4.new_notebook(metadata={
        "kernelspec": {"name": "python3", "display_name": "my venv", "language": "python"},
        "language_info": {"name": "python", "version": "3.11.2"}, "widgets": {}})
    code = v4.new_code_cell("print(1)  \n", execution_count=3, metadata={"scrolled": True, "tags": []},
                            outputs=[v4.new_output("stream", text="1\n")])
    notebook.cells = [v4.new_markdown_cell(TITLE), v4.new_code_cell("  "), code, v4.new_markdown_cell(RECAP)]
    return notebook


def test_check_names_what_does_not_belong(dirty):
    found = "\n".join(notebooks.check(dirty))
    for words in ("widgets", "cell 2: empty", "cell 3: has outputs", "cell 3: has an execution count",
                  "cell 3: metadata scrolled", "not 'c01'"):
        assert words in found


def test_clean_brings_into_form_and_changes_nothing_the_second_time(dirty):
    first = notebooks.text_of(notebooks.clean(dirty))
    assert notebooks.check(dirty) == []
    assert notebooks.text_of(notebooks.clean(dirty)) == first
    assert [cell.id for cell in dirty.cells] == ["c01", "c02", "c03"]
    assert dirty.metadata.kernelspec.display_name == "Python 3 (ipykernel)"
    assert dirty.cells[1].source == "print(1)"


def test_clean_keeps_tags_and_nbgrader(dirty):
    marks = {"tags": ["raises-exception"], "nbgrader": {"solution": True}}
    dirty.cells[2].metadata.update(marks)
    notebooks.clean(dirty)
    assert dirty.cells[1].metadata == marks


@pytest.mark.parametrize("source, message", [
    ("open('/home/" + "ada/x.csv')", "names a folder of one machine"),
    ("open('C:\\\\data')", "names a folder of one machine"),
    ("!pip install numpy", "uses the network"),
    ("import urllib.request", "uses the network"),
])
def test_code_for_one_machine_or_the_network_is_found(dirty, source, message):
    notebooks.clean(dirty).cells[1].source = source
    assert [p for p in notebooks.check(dirty) if message in p]


def test_paths_on_the_board_and_relative_ones_are_fine(dirty):
    notebooks.clean(dirty).cells[1].source = "model = load_model('/models/gesture/a.tflite')\nopen('work/x.csv')"
    assert notebooks.check(dirty) == []


def test_missing_parts_are_named(dirty):
    notebooks.clean(dirty)
    dirty.cells[0].source, dirty.cells[2].source = "# 99 A lesson", "Bye"
    assert len(notebooks.check(dirty)) == 3
    dirty.cells[0].source = "No title"
    assert notebooks.check(dirty) == ["the first cell is not a title (# ...)"]


def test_unknown_kernel(dirty):
    dirty.metadata.kernelspec.name = "my-venv"
    with pytest.raises(EdgekitError, match="found 'my-venv'"):
        notebooks.clean(dirty)


def test_script_to_notebook():
    made = notebooks.from_script(
        "# kernel: micropython\n# %% [markdown]\n# # Title\n#\n# Text.\n# %%\nprint(1)\n\nprint(2)\n"
        "# %% solution=ex99_1\nx = (\n    ### BEGIN SOLUTION\n    1\n    ### END SOLUTION\n)\n"
        "# %% tags=raises-exception\n1 / 0\n")
    assert made.metadata.kernelspec.name == "micropython"
    assert made.cells[0].source == "# Title\n\nText."
    assert made.cells[1].source == "print(1)\n\nprint(2)"
    assert made.cells[2].metadata.nbgrader.grade_id == "ex99_1"
    assert made.cells[3].metadata.tags == ["raises-exception"]


def test_command_line(tmp_path, capsys, dirty):
    script, path = tmp_path / "draft.py", tmp_path / "99_lesson.ipynb"
    script.write_text("# %% [markdown]\n# # Only a title\n")
    assert notebooks.main(["make", str(script), str(path)]) == 0
    assert notebooks.main(["check", str(path)]) == 1
    assert "the recap is missing" in capsys.readouterr().out
    notebooks.write(path, dirty)
    assert notebooks.main(["clean", str(path)]) == 0
    path.write_text("{}")
    assert notebooks.main(["check", str(path)]) == 1
    assert "expected a Jupyter notebook" in capsys.readouterr().err
    assert notebooks.main(["make", str(script)]) == 1


def test_reading_a_file_that_is_not_there(tmp_path):
    with pytest.raises(EdgekitError, match="missing.ipynb"):
        notebooks.read(tmp_path / "missing.ipynb")
