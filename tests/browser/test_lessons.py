"""JupyterLab opens as ``make lab`` opens it, and a lesson runs from its first cell to its last."""

import pytest

from .conftest import run_all, saved


def test_lab_opens_on_the_first_lesson(lab):
    page = lab.page()
    page.goto(f"{lab.url}/")
    page.wait_for_selector('.lm-TabBar-tabLabel:text-is("00_start_here.ipynb")')
    assert "Start here" in page.locator(".jp-Notebook .jp-RenderedMarkdown h1").first.text_content()
    page.close()


@pytest.mark.parametrize("name", ["02_meet_your_board"])
def test_a_lesson_runs_from_top_to_bottom(lab, open_page, name):
    page = open_page(f"notebooks/{name}.ipynb")
    run_all(page, 75)
    # What is far off the page is not drawn, so the file is asked.
    cells = [cell for cell in saved(page, lab.folder / "notebooks" / f"{name}.ipynb").cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    for cell in cells:
        found = [f"{output.ename}: {output.evalue}" for output in cell.outputs if output.output_type == "error"]
        assert bool(found) == ("raises-exception" in cell.metadata.get("tags", [])), (cell.source, found)
