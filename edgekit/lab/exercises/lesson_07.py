"""Exercises of lesson 07: a tree that fits what is left, the loop that walks it, a good model of a thousand bytes."""

import functools

import numpy as np

from edgekit.lab.check import exercise, number

LEFT_BYTES = 800
"""What exercise 07.1 leaves for the tree."""

MOST_BYTES = 1000
AIM_SHARE = 0.97
"""What exercise 07.3 asks for."""

LEAVES = (4, 8, 16, 32, 64)


@exercise("07.1", hints=["Which number makes a tree larger: its depth, its leaves, or its features?",
                         "Each further leaf brings one more question. A question has a fixed number of bytes. How many, from 4 to 8 leaves?",
                         "len(to_board(classical('tree', max_leaf_nodes=8).fit(x, y))) tells it for 8 leaves. Try the others."])
def leaves(value):
    expected = max(leaves for leaves in LEAVES if tree_bytes(leaves) <= LEFT_BYTES)
    wrong = number(value, expected, what="number of leaves")
    if wrong and value in LEAVES:
        return f"With {value} leaves the file has {tree_bytes(value)} bytes; {LEFT_BYTES} are left. " + (
            "That is too many." if value > expected else "A larger one fits too.")
    return wrong


@exercise("07.2", hints=["Where does one begin? And how does one notice that one has arrived?",
                         "Begin with node = 0. A leaf has no way to the left: left[node] is -1. Until then, go on.",
                         "while left[node] != -1: node = left[node] if x[feature[node]] <= ... else ..."])
def walk(function):
    from sklearn.tree import DecisionTreeClassifier

    rng = np.random.default_rng(7)
    x = rng.integers(-20, 20, (200, 4)).astype(np.float32)
    tree = DecisionTreeClassifier(random_state=0).fit(x, (x[:, 0] * x[:, 2] > x[:, 1]).astype(int)).tree_
    parts = [each.tolist() for each in (tree.feature, tree.threshold, tree.children_left, tree.children_right)]
    # Halves: some of these values are thresholds.
    for row in np.concatenate([x[:20], rng.integers(-40, 40, (80, 4)).astype(np.float32) / 2]):
        found, right = function(row.tolist(), *parts), int(tree.apply(row[None])[0])
        if isinstance(found, bool) or not isinstance(found, int | np.integer):
            return f"Expected the number of a leaf, found {found!r:.60}. Give back the node where the walk ends."
        if not 0 <= found < tree.node_count:
            return f"Expected the number of a node, 0 to {tree.node_count - 1}, found {found}."
        if tree.children_left[found] >= 0:
            return f"Node {found} is no leaf: it asks a question. The walk goes on until left[node] is -1."
        if found != right:
            on_the_way = [tree.threshold[node] == row[tree.feature[node]] for node in tree.decision_path(row[None]).indices]
            if any(on_the_way):
                return f"For {row.tolist()} leaf {right} was expected, found {found}. A value equals its threshold there: which way does it go?"
            return f"For {row.tolist()} leaf {right} was expected, found {found}. Does 'at most' go left?"
    return None


@exercise("07.3", hints=["Look at the picture of notebook 07. Which model is small and good at the same time?",
                         "What must happen to the features before one adds them up? classical('linear') does it for you; a Pipeline of your own must, too.",
                         "make_pipeline(StandardScaler(), LogisticRegression(C=..., max_iter=1000)): which C is large enough?"])
def my_model(function):
    from edgekit.convert import load_classic, to_board

    x, y, x_val, y_val = gesture_features()
    model = function(x, y)
    if not hasattr(model, "predict"):
        return f"Expected a fitted model, found {model!r:.60}. End with: return model.fit(x, y)."
    file = to_board(model)
    board = load_classic(file)
    share = np.mean([board.predict(row) == label for row, label in zip(x_val.to_numpy().tolist(), y_val, strict=True)])
    if len(file) > MOST_BYTES:
        return f"Its file has {len(file)} bytes, the aim is at most {MOST_BYTES}. It is right in {share:.1%}."
    if share < AIM_SHARE:
        return f"{len(file)} bytes are few enough, but it is right in {share:.1%}; the aim is {AIM_SHARE:.0%}."
    return None


@functools.cache
def gesture_features():
    """Summary features and labels as notebook 07 uses them.

    Returns
    -------
    x, y, x_val, y_val
        pandas.DataFrame of 14 features and array of labels: augmented windows of the training people, and windows of the
        two people of the validation set.
    """
    import pandas as pd

    from edgekit.dataset import load_dataset
    from edgekit.features import FeatureParams, motion
    from edgekit.recipes.gesture import split
    from edgekit.train import augment

    params = FeatureParams(kind="summary")
    parts = split(load_dataset("gestures"), params)
    classes = np.array(parts.params.classes)
    windows, number = augment(parts.train.x, parts.train.y, seed=0)
    x, x_val = (pd.DataFrame(motion.summary(each, params), columns=motion.summary_names(params))
                for each in (windows, parts.validation.x))
    return x, classes[number], x_val, classes[parts.validation.y]


@functools.cache
def tree_bytes(leaves):
    """Bytes of the board's file of a tree with so many leaves."""
    from edgekit.convert import to_board
    from edgekit.train.classical import classical

    x, y, _, _ = gesture_features()
    return len(to_board(classical("tree", max_leaf_nodes=leaves).fit(x, y)))
