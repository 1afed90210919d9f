"""The drawings in docs/boards are those of the boards' tables."""

import xml.etree.ElementTree as ET

import pytest

from edgekit.board.profiles import PROFILES
from edgekit.course.wiring import drawing
from edgekit.paths import ROOT


@pytest.mark.parametrize("name", PROFILES)
def test_the_committed_drawing_is_the_present_one(name):
    assert (ROOT / "docs" / "boards" / f"{name}.svg").read_text(encoding="utf-8") == drawing(name), "run `make wiring`"


@pytest.mark.parametrize("name", PROFILES)
def test_each_wire_ends_at_a_pin_that_the_board_has(name):
    texts = [(node.text, float(node.get("x"))) for node in ET.fromstring(drawing(name)).iter("{http://www.w3.org/2000/svg}text")]
    board = {text for text, x in texts if 275 < x < 455}
    wires = {node.text for node in ET.fromstring(drawing(name)).iter("{http://www.w3.org/2000/svg}text") if node.get("fill", "").startswith("#")
             and node.get("font-weight") == "bold"}
    assert wires and wires <= board
