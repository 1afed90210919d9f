"""The microphone of the computer in a real browser: allowed, refused, and a page that may not ask."""

import pytest

from .conftest import focus, output, run_cell, wait_for

CELLS = ["%connect sim",
         """%%host
from edgekit import lab
microphone = lab.Microphone(["yes", "no"], folder="words", seconds=1.2)
microphone""",
         """%%host
take = microphone.dataset[0]
print(microphone.counts, take, "loudest", take.physical().max() > 0.05)""",
         """%%host
lab.hear(take)"""]
KEPT, HEARD = 2, 3


@pytest.fixture(scope="module")
def page(lab):
    page = lab.open(lab.notebook(*CELLS))
    for index in (0, 1):
        run_cell(page, index)
    page.wait_for_selector(".ek-microphone canvas")
    yield page
    page.close()


@pytest.fixture(autouse=True)
def picture_of_a_failure(lab, request):
    yield
    if getattr(request.node, "failed", False):
        print("picture:", lab.shot(request.getfixturevalue("page"), request.node.name))


def sentence(page):
    return page.locator(".ek-microphone .ek-sentence").inner_text()


def phase(page):
    return page.get_attribute(".ek-microphone", "data-phase")


def test_who_refuses_reads_what_to_do(page):
    page.click(".ek-microphone .ek-record")
    wait_for(lambda: "may not use the microphone. Allow it" in sentence(page), 10, "the advice", lambda: sentence(page))
    assert phase(page) == "ready"


def test_a_page_from_elsewhere_may_not_ask_and_says_so(page):
    page.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: undefined, configurable: true })")
    page.click(".ek-microphone .ek-record")
    wait_for(lambda: "only to pages of this computer" in sentence(page), 5, "the advice", lambda: sentence(page))
    page.evaluate("delete navigator.mediaDevices")


def test_a_word_is_recorded_listened_to_and_kept_from_the_keyboard(page, lab):
    page.context.grant_permissions(["microphone"])
    focus(page, ".ek-microphone .ek-record")
    page.keyboard.press("Enter")
    wait_for(lambda: phase(page) == "recording", 10, "the recording", lambda: sentence(page))
    assert "Speak now: yes" in sentence(page)
    wait_for(lambda: phase(page) == "decide", 10, "the question", lambda: sentence(page))
    assert sentence(page).startswith("yes: 1.2 s.")
    ink = "one => one.getContext('2d').getImageData(0, 0, one.width, one.height).data.filter((v, i) => i % 4 == 3 && v).length"
    wait_for(lambda: page.eval_on_selector(".ek-microphone canvas", ink) > 1000, 5, "the drawing")
    assert page.evaluate("document.activeElement.className") == "ek-keep", "the next button is under the hand"
    page.click(".ek-microphone .ek-listen")
    focus(page, ".ek-microphone .ek-keep")
    page.keyboard.press("Enter")
    wait_for(lambda: phase(page) == "ready", 5, "the end")
    assert page.locator(".ek-microphone .ek-count").all_inner_texts() == ["1", "0"]
    run_cell(page, KEPT)
    assert "{'yes': 1, 'no': 0} Recording(yes, p01: 1.20 s, 19200 samples at 16000 Hz, audio, int16) loudest True" in output(page, KEPT)
    run_cell(page, HEARD)
    wait_for(lambda: page.locator("audio").count() == 1, 5, "the player")
    wait_for(lambda: abs(page.eval_on_selector("audio", "one => one.duration") - 1.2) < 0.01, 5, "its sound")
