"""Trees of scikit-learn as the decisions of ``firmware/lib/classic/trees.py``."""

from dataclasses import dataclass

import numpy as np

from edgekit.convert.classic_columns import fold
from edgekit.convert.classic_file import Step
from edgekit.errors import ModelError

__all__ = ["Tree", "of_tree", "of_histogram", "step"]

VOTES, COUNTS, ROWS, VALUES, WHOLE = range(5)
_MISSING, _UPPER_ONLY = 1, 2
_MOST_NODES = 1 << 24


@dataclass
class Tree:
    """One tree: arrays over its nodes; a leaf has left == -1. ``leaf``: what it says, [nodes, ...]."""

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray
    leaf: np.ndarray


def of_tree(tree, leaf, features=None) -> Tree:
    """A ``sklearn.tree._tree.Tree``."""
    nodes = tree.__getstate__()["nodes"]
    feature = tree.feature if features is None else np.asarray(features)[np.maximum(tree.feature, 0)]
    return Tree(feature, tree.threshold, tree.children_left, tree.children_right,
                nodes["missing_go_to_left"].astype(bool), np.asarray(leaf))


def of_histogram(predictor) -> Tree:
    """A tree of HistGradientBoosting."""
    nodes = predictor.nodes
    if nodes["is_categorical"].any():
        raise ModelError("HistGradientBoosting splits on categories (categorical_features), which boards do not. Fit it "
                         "with categorical_features=None on numbers, for example after OrdinalEncoder on the host.")
    is_leaf = nodes["is_leaf"].astype(bool)
    return Tree(nodes["feature_idx"], nodes["num_threshold"], np.where(is_leaf, -1, nodes["left"].astype(np.int64)),
                np.where(is_leaf, -1, nodes["right"].astype(np.int64)), nodes["missing_go_to_left"].astype(bool),
                nodes["value"])


def counts(values, weights):
    """Fractions as whole numbers that divide to the same float64, or None: [leaves, classes]."""
    rows = np.rint(values * weights[:, None])
    total = rows.sum(axis=1, keepdims=True)
    if not len(rows) or total.min() <= 0 or not np.array_equal(rows / total, values):
        return None
    rows = rows.astype(np.int64)
    rows //= np.gcd.reduce(rows, axis=1)[:, None]
    return rows if rows.sum(axis=1).max() < 1 << 16 else None


def step(trees, kind, outputs, columns, base=None, missing=False, as_float32=True, dtype="float32", whole=False):
    """The step that runs trees.

    Parameters
    ----------
    trees : list of Tree
    kind : {VOTES, COUNTS, ROWS, VALUES}
        What ``leaf`` of each holds: a class, a row, or one number.
    outputs : int
    columns : list of Column
        What becomes of the input before the trees see it.
    base : array of float64, shape [outputs], optional
        What the sum starts with.
    missing : bool
        NaN has a way to go.
    as_float32 : bool
        See :func:`edgekit.convert.classic_columns.fold`.
    dtype : {"float32", "int16"}
        int16: thresholds keep their upper half only, and numbers in leaves become int16.
    whole : bool
        The numbers of ``leaf`` keep all their digits (float64).

    Returns
    -------
    Step
    """
    rows = None if kind == VOTES else {}
    feature, keys, left, right, missing_left, roots, depths = [], [], [], [], [], [], 0
    inner = [tree.left >= 0 for tree in trees]
    looked_at = np.concatenate([tree.feature[here] for tree, here in zip(trees, inner, strict=True)]).astype(int)
    thresholds = np.concatenate([tree.threshold[here] for tree, here in zip(trees, inner, strict=True)])
    folded = fold(columns, looked_at, thresholds, as_float32)
    # Where NaN goes; a filled column says so itself.
    filled = np.array([column(np.array([np.nan]))[0] for column in columns])
    filled = (filled.astype(np.float32) if as_float32 else filled)[looked_at]
    goes = np.concatenate([tree.missing_left[here] for tree, here in zip(trees, inner, strict=True)])
    goes = np.where(np.isnan(filled), goes, filled <= thresholds)
    start = 0
    for tree, here in zip(trees, inner, strict=True):
        key, goes_left = np.zeros(len(here), np.int64), np.zeros(len(here), bool)
        end = start + here.sum()
        key[here], goes_left[here] = folded[start:end], goes[start:end]
        start = end
        root, deep = _lay_out(tree, key, goes_left, rows, columns, feature, keys, left, right, missing_left)
        roots.append(root)
        depths += deep
    count = len(feature)
    if count >= _MOST_NODES:
        raise ModelError(f"The trees have {count:,} decisions; a file holds {_MOST_NODES:,}. Use fewer or smaller trees.")
    narrow = np.int16 if max(count, len(rows or ())) < 1 << 15 else np.int32
    width = max([c.source for c in columns], default=0) + 1
    keys = np.array(keys, np.int64)
    upper, lower = (keys >> 16).astype(np.int16), (keys & 0xFFFF).astype(np.uint16)
    if dtype == "int16":
        # The cut goes to the nearest end of a block of numbers with the same upper half.
        upper = np.where(lower == 0, upper, (keys - 0x8000) >> 16).astype(np.int16)
        lower = np.full(count, 0xFFFF, np.uint16)
    feature = np.array(feature, np.int64)
    signed = np.unique(feature[keys < 0]) if not missing else np.unique(feature)
    flags = _MISSING if missing else 0
    if (lower == 0xFFFF).all():
        flags, lower = flags | _UPPER_ONLY, lower[:0]
    elif not lower.any():
        lower = lower[:0]
    table = np.array([]) if kind == VOTES else np.array(list(rows))
    base = np.array([]) if base is None else np.asarray(base, np.float64).reshape(outputs)
    if kind == VALUES and dtype == "int16" and not whole:
        kind, table, base = _to_int16(table, base if len(base) else np.zeros(outputs))
    else:
        table = _smallest(table.reshape(-1), kind, whole)
    packed = np.packbits(np.array(missing_left, bool), bitorder="little") if missing else np.array([], np.uint8)
    return Step("trees", (outputs, kind, flags, depths), [
        np.array(roots, narrow), (2 * feature + 1).astype(np.uint8 if 2 * width <= 256 else np.uint16), upper, lower,
        np.array(left, narrow), np.array(right, narrow), table, base,
        signed.astype(np.uint16), packed])


def _to_int16(table, base):
    """Leaves as multiples of one number, which goes behind the base."""
    unit = (np.abs(table).max() or 1.0) / 32767
    return WHOLE, np.rint(table / unit).astype(np.int16), np.append(base, unit)


def _smallest(table, kind, whole):
    if kind == VOTES:
        return np.array([], np.uint8)
    if kind == COUNTS:
        return table.astype(np.uint8 if table.max() < 256 else np.uint16)
    return table.astype(np.float64 if whole else np.float32)


def _lay_out(tree, key, goes_left, rows, columns, feature, keys, left, right, missing_left):
    """Append a tree's decisions in preorder. A decision between equal leaves is none."""
    says = {}
    order, stack = [], [0]
    while stack:
        node = stack.pop()
        order.append(node)
        if tree.left[node] >= 0:
            stack += [tree.right[node], tree.left[node]]
    for node in reversed(order):
        if tree.left[node] < 0:
            leaf = tree.leaf[node]
            says[node] = tuple(leaf.tolist()) if leaf.ndim else leaf.item()
        else:
            a, b = says[tree.left[node]], says[tree.right[node]]
            says[node] = a if a is not None and a == b else None

    def place(node):
        if says[node] is not None:
            return -1 - (rows.setdefault(says[node], len(rows)) if rows is not None else says[node])
        feature.append(columns[tree.feature[node]].source)
        keys.append(key[node])
        missing_left.append(goes_left[node])
        left.append(0)
        right.append(0)
        return len(feature) - 1

    root = place(0)
    depth = 0
    stack = [(0, root, 0)] if root >= 0 else []
    # Preorder: the left part is placed whole before the right one.
    while stack:
        node, at, deep = stack.pop()
        if at is None:
            parent, deep = deep
            at = right[parent] = place(node)
            if at < 0:
                continue
        depth = max(depth, deep + 1)
        left[at] = child = place(tree.left[node])
        stack.append((tree.right[node], None, (at, deep + 1)))
        if child >= 0:
            stack.append((tree.left[node], child, deep + 1))
    return root, depth
