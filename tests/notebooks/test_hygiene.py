"""No notebook carries outputs, somebody's metadata or folders; each has its opening and its recap."""

import pytest

from edgekit.course.notebooks import all_notebooks, check, read, text_of
from edgekit.paths import ROOT

NOTEBOOKS = all_notebooks()
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.name}")


def test_there_are_notebooks_in_each_folder():
    assert {path.parent.name for path in NOTEBOOKS} == {"notebooks", "solutions", "exercises"}


@each
def test_clean(path):
    assert check(path) == []


@each
def test_written_as_we_write_it(path):
    assert path.read_text(encoding="utf-8") == text_of(read(path)), \
        f"run: python -m edgekit.course.notebooks clean {path.relative_to(ROOT)}"
