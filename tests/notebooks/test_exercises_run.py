"""A learner who runs an untouched exercise notebook reaches its end, and reads "not answered yet" at each check."""

import re

import nbclient
import pytest

from edgekit.course.notebooks import read
from edgekit.lab.check import NOT_ANSWERED
from edgekit.paths import EXERCISES

NOTEBOOKS = sorted(EXERCISES.glob("*.ipynb"))


def test_there_are_exercises():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_to_its_end_and_is_kind(path, tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEKIT_WORK", str(tmp_path))
    notebook = read(path)
    nbclient.NotebookClient(notebook, timeout=180, resources={"metadata": {"path": str(EXERCISES)}}).execute()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        printed = "".join(output.get("text", "") for output in cell.outputs)
        for id in re.findall(r'\bcheck\("([\d.]+)"', cell.source):
            assert f"{id}: {NOT_ANSWERED}" in printed
