"""Make the exercises from the solutions: nbgrader's cells, nbgrader's preprocessors, the same bytes every time."""

import copy
from pathlib import Path

from edgekit.course import notebooks
from edgekit.errors import EdgekitError
from edgekit.paths import EXERCISES, SOLUTIONS

STUB = "...    # your code here"


def build(out=EXERCISES, source=SOLUTIONS) -> list[Path]:
    """Write ``exercises/NAME.ipynb`` for every ``solutions/NAME.ipynb``, and remove those without a solution.

    Parameters
    ----------
    out, source : path
        Folders to write to and to read from.

    Returns
    -------
    list of pathlib.Path
        The notebooks that were written.

    Raises
    ------
    EdgekitError
        A solution has no gap, or its markers are not in order.
    """
    out, written = Path(out), []
    for path in sorted(Path(source).glob("*.ipynb")):
        target = out / path.name
        notebooks.write(target, exercise_of(notebooks.read(path), path.name))
        written.append(target)
    for old in out.glob("*.ipynb"):
        if old not in written:
            old.unlink()
    return written


def exercise_of(solution, name: str = "notebook"):
    """The exercise that belongs to a solution: what stands between the markers becomes ``...``.

    Parameters
    ----------
    solution : nbformat.NotebookNode
        Cells with a solution carry nbgrader's metadata, and ``### BEGIN SOLUTION``, ``### END SOLUTION``.
    name : str
        For error messages.

    Returns
    -------
    nbformat.NotebookNode
        A new notebook.

    Raises
    ------
    EdgekitError
        There is no gap, two have the same id, or a marker is missing.
    """
    import logging

    from nbgrader.nbgraderformat import ValidationError
    from nbgrader.preprocessors import CheckCellMetadata, ClearHiddenTests, ClearSolutions, LockCells

    exercise = copy.deepcopy(solution)
    ids = [cell.metadata.nbgrader.grade_id for cell in exercise.cells if "nbgrader" in cell.metadata]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise EdgekitError(f"{name}: expected a grade_id for each cell, found twice: {', '.join(twice)}.")
    silent = logging.getLogger("edgekit.nbgrader")
    silent.disabled = True
    steps = [LockCells(log=silent), ClearSolutions(code_stub={"python": STUB}, text_stub="*Your answer here.*", log=silent),
             ClearHiddenTests(log=silent), CheckCellMetadata(log=silent)]
    try:
        for step in steps:
            exercise, _ = step.preprocess(exercise, {})
    except (RuntimeError, ValidationError) as error:
        raise EdgekitError(f"{name}: {error} See docs/add-an-exercise.md.") from error
    if not any(STUB in cell.source for cell in exercise.cells):
        raise EdgekitError(f"{name}: expected at least one cell with ### BEGIN SOLUTION, found none.")
    return notebooks.clean(exercise)
