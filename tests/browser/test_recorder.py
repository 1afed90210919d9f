"""The recorder and the live plot in a real browser."""

import json

import pytest

from .conftest import focus, output, run_cell, wait_for

CELLS = ["%connect sim",
         """%%host
import json, time
import numpy as np
from edgekit import lab
recorder = lab.Recorder(board, ["idle", "wave"], folder="takes", seconds=1.5, countdown_s=1)
recorder""",
         """%%host
print(recorder.counts, recorder.dataset[0])""",
         """%%host
plot = lab.LivePlot(title="100 Hz x 6", seconds=5)
plot""",
         """%%host
start = time.monotonic()
for i in range(400):
    plot.add(np.sin(np.arange(6) + i / 10))
    time.sleep(max(0, start + (i + 1) / 100 - time.monotonic()))
time.sleep(1)
print(json.dumps(plot.stats))"""]
COUNTS, FEED = 2, 4


@pytest.fixture(scope="module")
def page(lab):
    page = lab.open(lab.notebook(*CELLS))
    for index in (0, 1, 3):
        run_cell(page, index)
    page.wait_for_selector(".ek-recorder canvas")
    yield page
    page.close()


@pytest.fixture(autouse=True)
def picture_of_a_failure(lab, request):
    yield
    if getattr(request.node, "failed", False) and "page" in request.fixturenames:
        print("picture:", lab.shot(request.getfixturevalue("page"), request.node.name))


def phase(page):
    return page.get_attribute(".ek-recorder", "data-phase")


def test_a_take_is_recorded_and_kept_from_the_keyboard(page):
    focus(page, ".ek-label input")
    page.keyboard.press("ArrowDown")
    focus(page, ".ek-record")
    page.keyboard.press("Enter")
    wait_for(lambda: phase(page) == "countdown", 5, "the count down")
    wait_for(lambda: phase(page) == "recording", 10, "the recording")
    ink = "one => one.getContext('2d').getImageData(0, 0, one.width, one.height).data.filter((v, i) => i % 4 == 3 && v).length"
    wait_for(lambda: phase(page) == "decide", 15, "the question")
    drawn = page.eval_on_selector(".ek-recorder canvas", ink)
    assert "wave: 1.5 s, simulated. No sample was lost. Keep it?" in page.locator(".ek-recorder .ek-sentence").inner_text()
    assert page.evaluate("document.activeElement.className") == "ek-keep", "the next button is under the hand"
    page.keyboard.press("Enter")
    wait_for(lambda: phase(page) == "ready", 5, "the end")
    assert page.locator(".ek-count").all_inner_texts() == ["0", "1"]
    assert drawn > 3000, "the trace was drawn"
    run_cell(page, COUNTS)
    assert "{'idle': 0, 'wave': 1} Recording(wave, s21: 1.50 s, 150 samples at 100 Hz" in output(page, COUNTS)


def test_the_live_plot_keeps_up_with_100_hz_of_six_channels(page):
    run_cell(page, FEED)
    stats = json.loads(output(page, FEED))
    print("live plot:", stats)
    assert stats["count"] == 400 and stats["gaps"] == 0
    assert stats["frames"] > 40, "at least ten pictures a second"
    assert stats["mean_ms"] < 150
    page.click(".ek-live-plot button")
    assert page.get_attribute(".ek-live-plot button", "aria-pressed") == "true"


@pytest.mark.parametrize("cell", ["lab.BoardPanel(board)", "lab.Recorder(board, ['idle'], folder='none')", "lab.LivePlot()"])
def test_each_has_a_form_without_widgets(cell, tmp_path, monkeypatch):
    """What a notebook keeps, for who opens it where no widgets are: on a web page, in a viewer."""
    import edgekit
    from edgekit import lab  # noqa: F401
    monkeypatch.chdir(tmp_path)
    with edgekit.connect("sim", quiet=True) as board:
        widget = eval(cell, {"lab": lab, "board": board})
        data, _ = widget._repr_mimebundle_()
        widget.close()
    assert data["text/plain"] and "object at" not in data["text/plain"]
