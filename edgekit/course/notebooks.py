"""Keep the notebooks clean: find what does not belong into a committed one, and bring any notebook into our form.

    python -m edgekit.course.notebooks clean notebooks/03_capture_data.ipynb
    python -m edgekit.course.notebooks check
    python -m edgekit.course.notebooks make draft.py notebooks/03_capture_data.ipynb
"""

import argparse
import re
import sys
from pathlib import Path

from edgekit.errors import EdgekitError
from edgekit.paths import EXERCISES, NOTEBOOKS, SOLUTIONS, atomic_write

KERNELS = {"python3": "Python 3 (ipykernel)", "micropython": "MicroPython"}
_CELL_KEYS = {"tags", "nbgrader", "deletable", "editable"}      # metadata that we keep
_NETWORK = re.compile(r"\b(urllib|import requests|requests\.\w+|httpx|wget|curl|pip install)\b")
_MACHINE_PATH = re.compile(r"""(?<![\w.:/])/(?:home|Users|root|work|mnt|tmp)/\w+|\b[A-Z]:\\""")


def clean(notebook):
    """Bring a notebook into our form: no outputs, no counts, plain metadata, ids c01, c02, ...

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        It is changed in place.

    Returns
    -------
    nbformat.NotebookNode
        The same notebook.

    Raises
    ------
    EdgekitError
        It names a kernel that the course does not have.
    """
    kernel = notebook.metadata.get("kernelspec", {}).get("name", "python3")
    if kernel not in KERNELS:
        raise EdgekitError(f"Expected one of the kernels {', '.join(KERNELS)}, found {kernel!r}. "
                           "Choose another kernel for the notebook and save it.")
    notebook.metadata.clear()
    notebook.metadata.update(kernelspec={"name": kernel, "display_name": KERNELS[kernel], "language": "python"},
                             language_info={"name": "python"})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.cells = [cell for cell in notebook.cells if cell.source.strip()]
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"c{number:02}"
        cell.source = "\n".join(line.rstrip() for line in cell.source.strip("\n").split("\n"))
        for key in set(cell.metadata) - _CELL_KEYS:
            del cell.metadata[key]
        if not cell.metadata.get("tags", True):
            del cell.metadata["tags"]
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    return notebook


def check(notebook) -> list[str]:
    """Find what does not belong into a committed notebook.

    Parameters
    ----------
    notebook : nbformat.NotebookNode or path

    Returns
    -------
    list of str
        One sentence for each problem; empty if all is well.
    """
    if isinstance(notebook, str | Path):
        notebook = read(notebook)
    problems = []
    extra = set(notebook.metadata) - {"kernelspec", "language_info"}
    if extra:
        problems.append(f"notebook metadata: {', '.join(sorted(extra))}")
    if notebook.metadata.get("kernelspec", {}).get("name") not in KERNELS:
        problems.append(f"kernel is not one of {', '.join(KERNELS)}")
    for number, cell in enumerate(notebook.cells, 1):
        where = f"cell {number}"
        if cell.get("id") != f"c{number:02}":
            problems.append(f"{where}: id is {cell.get('id')!r}, not 'c{number:02}'")
        if cell.cell_type == "code" and cell.outputs:
            problems.append(f"{where}: has outputs")
        if cell.cell_type == "code" and cell.execution_count is not None:
            problems.append(f"{where}: has an execution count")
        if set(cell.metadata) - _CELL_KEYS:
            problems.append(f"{where}: metadata {', '.join(sorted(set(cell.metadata) - _CELL_KEYS))}")
        found = _MACHINE_PATH.search(cell.source)
        if found:
            problems.append(f"{where}: names a folder of one machine: {found[0]}")
        if cell.cell_type == "code" and _NETWORK.search(cell.source):
            problems.append(f"{where}: uses the network: {_NETWORK.search(cell.source)[0]}")
        if not cell.source.strip():
            problems.append(f"{where}: empty")
    return problems + _missing_parts(notebook)


def _missing_parts(notebook):
    """A lesson opens with title and objectives, says what it needs and how long it takes, and ends with a recap."""
    text = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    if not text or not notebook.cells[0].source.startswith("# "):
        return ["the first cell is not a title (# ...)"]
    opening, whole = "\n".join(text[:2]), "\n".join(text)
    wanted = [("In this notebook you will", opening, "the objectives are missing near the top"),
              ("minutes", opening, "the run time in minutes is missing near the top"),
              ("In this notebook you have", whole, "the recap is missing")]
    return [f'{problem} ("{phrase} ...")' for phrase, where, problem in wanted if phrase not in where]


def read(path):
    """Read a notebook.

    Raises
    ------
    EdgekitError
        The file is not a notebook.
    """
    import nbformat
    try:
        return nbformat.read(Path(path), as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise EdgekitError(f"{Path(path).name}: expected a Jupyter notebook, found {type(error).__name__}: "
                           f"{str(error):.200}") from error


def text_of(notebook) -> str:
    """The notebook as the text of its file: the same for the same content."""
    import nbformat
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def write(path, notebook) -> None:
    """Write a notebook, whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(text_of(notebook), encoding="utf-8")


def from_script(text: str):
    """Make a notebook from a light script: quicker to write, and easier to compare.

    Cells begin with ``# %%``, text cells with ``# %% [markdown]`` (whose lines begin with ``# ``). After it may
    stand tags, ``tags=raises-exception``, or an exercise, ``solution=ex03_1``. ``# kernel: micropython`` in the
    first line chooses the kernel.

    Parameters
    ----------
    text : str

    Returns
    -------
    nbformat.NotebookNode

    Examples
    --------
    >>> made = from_script("# %% [markdown]\\n# # Title\\n# %% tags=slow\\nprint(1)\\n")
    >>> [(cell.cell_type, cell.source) for cell in made.cells]
    [('markdown', '# Title'), ('code', 'print(1)')]
    """
    import nbformat.v4 as v4
    notebook = v4.new_notebook()
    first = re.match(r"# kernel: (\w+)\n", text)
    notebook.metadata.kernelspec = {"name": first[1] if first else "python3"}
    pieces = re.split(r"^# %%(.*)\n", text, flags=re.MULTILINE)[1:]
    for options, source in zip(pieces[::2], pieces[1::2], strict=True):
        if "[markdown]" in options:
            lines = source.split("\n")
            if all(line.startswith("# ") or line == "#" for line in lines if line.strip()):
                source = "\n".join(re.sub(r"^# ?", "", line) for line in lines)
            cell = v4.new_markdown_cell(source)
        else:
            cell = v4.new_code_cell(source)
        words = dict(word.split("=", 1) for word in options.split() if "=" in word)
        if "tags" in words:
            cell.metadata.tags = words["tags"].split(",")
        if "solution" in words:
            cell.metadata.nbgrader = {"grade": False, "grade_id": words["solution"], "locked": False,
                                      "schema_version": 3, "solution": True, "task": False}
        notebook.cells.append(cell)
    return clean(notebook)


def all_notebooks() -> list[Path]:
    """Every notebook of the course, in teaching order."""
    return [path for folder in (NOTEBOOKS, SOLUTIONS, EXERCISES) for path in sorted(folder.glob("[0-9]*.ipynb"))]


def main(argv: list[str] | None = None) -> int:
    """Run ``clean``, ``check`` or ``make``; without paths, on every notebook of the course."""
    parser = argparse.ArgumentParser(prog="python -m edgekit.course.notebooks", description=__doc__.split("\n")[0])
    parser.add_argument("action", choices=["clean", "check", "make"])
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks; for make: a script and a notebook")
    options = parser.parse_args(argv)
    try:
        if options.action == "make":
            if len(options.paths) != 2:
                raise EdgekitError(f"Expected a script and a notebook, found {len(options.paths)} paths.")
            script, target = options.paths
            write(target, from_script(script.read_text(encoding="utf-8")))
            return 0
        failed = 0
        for path in options.paths or all_notebooks():
            notebook = read(path)
            if options.action == "clean":
                write(path, clean(notebook))
            for problem in check(notebook):
                print(f"{path}: {problem}")
                failed += 1
        return 1 if failed else 0
    except EdgekitError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
