"""The glossary: in order, short, and every link from a notebook leads to a word."""

import re

import nbformat
import pytest

from edgekit.paths import NOTEBOOKS, ROOT, SOLUTIONS

TEXT = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ENTRIES = dict(re.findall(r"^## (.+)\n(.+)$", TEXT, re.MULTILINE))
LINK = re.compile(r"glossary\.md#([\w-]+)")


def anchor(word):
    return word.lower().replace(" ", "-").replace(".", "")


def test_words_are_in_order_and_explained_shortly():
    words = list(ENTRIES)
    assert len(words) == TEXT.count("\n## ") > 60
    assert words == sorted(words, key=str.lower)
    too_long = [word for word, text in ENTRIES.items() if len(text) > 260]
    assert too_long == []


@pytest.mark.parametrize("path", sorted([*NOTEBOOKS.glob("*.ipynb"), *SOLUTIONS.glob("*.ipynb")]), ids=lambda p: p.stem)
def test_links_lead_to_a_word(path):
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    assert set(LINK.findall(text)) - {anchor(word) for word in ENTRIES} == set()
