"""The checks of lesson 07: right answers pass, the usual wrong ones hear what is wrong."""

import pytest
from sklearn.neighbors import KNeighborsClassifier

from edgekit.lab.check import verdict
from edgekit.train.classical import classical


def test_leaves():
    assert verdict("07.1", 16).state == "right"
    assert "That is too many" in verdict("07.1", 32).message
    assert "A larger one fits too" in verdict("07.1", 8).message
    assert "too large" in verdict("07.1", 100).message


def walker(until=lambda node, left: left[node] == -1, goes_left=lambda value, threshold: value <= threshold):
    def walk(x, feature, threshold, left, right):
        node = 0
        while not until(node, left):
            node = left[node] if goes_left(x[feature[node]], threshold[node]) else right[node]
        return node
    return walk


@pytest.mark.parametrize("wrong, message", [
    (walker(goes_left=lambda value, threshold: value < threshold), "A value equals its threshold there"),
    (walker(goes_left=lambda value, threshold: value > threshold), "Does 'at most' go left?"),
    (walker(until=lambda node, left: node > 0), "is no leaf: it asks a question"),
    (lambda *tree: "wave", "Expected the number of a leaf, found 'wave'"),
    (lambda *tree: -1, "Expected the number of a node"),
])
def test_walk(wrong, message):
    assert verdict("07.2", walker()).state == "right"
    result = verdict("07.2", wrong)
    assert result.state == "wrong" and message in result.message


def test_a_thousand_bytes():
    assert verdict("07.3", lambda x, y: classical("linear").fit(x, y)).state == "right"
    for wrong, message in ((lambda x, y: classical("tree", max_leaf_nodes=30).fit(x, y), "the aim is 97%"),
                           (lambda x, y: KNeighborsClassifier(1).fit(x[::5], y[::5]), "the aim is at most 1000"),
                           (lambda x, y: 7, "Expected a fitted model, found 7")):
        result = verdict("07.3", wrong)
        assert result.state == "wrong" and message in result.message
