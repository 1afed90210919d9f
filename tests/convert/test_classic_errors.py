"""What does not run on a board is refused with a sentence; so is a damaged file, and data of other columns."""

import json
import struct
import zlib

import numpy as np
import pandas as pd
import pytest
import random_classic
from sklearn import (
    cluster,
    ensemble,
    gaussian_process,
    impute,
    linear_model,
    neighbors,
    preprocessing,
    svm,
    tree,
)
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline

from edgekit.convert import load_classic, to_board
from edgekit.errors import ModelError

RNG = np.random.default_rng(0)
X = RNG.normal(0, 1, (60, 3))
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)

REFUSED = [
    (PCA(), "This model is a PCA, which only changes columns. Put a model after it"),
    (gaussian_process.GaussianProcessClassifier(), "This model is a GaussianProcessClassifier.*They run DecisionTree"),
    (make_pipeline(preprocessing.PolynomialFeatures(), linear_model.LogisticRegression()),
     "Step 'polynomialfeatures' is a PolynomialFeatures.*they run StandardScaler"),
    (make_pipeline(preprocessing.StandardScaler(), cluster.KMeans(2, n_init=1), tree.DecisionTreeClassifier()),
     "Step 'kmeans' is a KMeans"),
    (make_pipeline(ColumnTransformer([("mix", PCA(1), [0, 1])], remainder="passthrough"), svm.SVC()),
     "inside a ColumnTransformer.*'mix' is a PCA"),
    (svm.SVC(kernel=lambda a, b: a @ b.T), "kernel=.*boards know 'linear', 'rbf', 'poly' and 'sigmoid'"),
    (svm.SVC(break_ties=True), "break_ties=False"),
    (neighbors.KNeighborsClassifier(metric="chebyshev"), "metric='chebyshev'; boards know 'euclidean' and 'manhattan'"),
    (neighbors.KNeighborsClassifier(p=3), "metric='minkowski, p=3'"),
    (neighbors.KNeighborsClassifier(weights=np.exp), "boards know 'uniform' and 'distance'"),
    (make_pipeline(impute.SimpleImputer(add_indicator=True), tree.DecisionTreeClassifier()), "add_indicator=False"),
    (ensemble.HistGradientBoostingClassifier(max_iter=1, categorical_features=[0]), "categorical_features=None"),
    (ensemble.GradientBoostingClassifier(n_estimators=1, init=linear_model.LogisticRegression()), "init=None"),
]


@pytest.mark.parametrize(("model", "said"), REFUSED, ids=lambda value: type(value).__name__)
def test_what_boards_lack_is_refused_by_name(model, said):
    x = np.c_[RNG.integers(0, 3, 60), X[:, 1:]] if "Hist" in type(model).__name__ else X
    if "imputer" in str(getattr(model, "named_steps", "")):
        x = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
    with pytest.raises(ModelError, match=said):
        to_board(model.fit(x, Y))


def test_several_outputs_are_refused():
    for model in (ensemble.RandomForestClassifier(2), tree.DecisionTreeRegressor(), linear_model.LinearRegression(),
                  neighbors.KNeighborsRegressor(), neighbors.KNeighborsClassifier()):
        with pytest.raises(ModelError, match="outputs. Fit one model for each"):
            to_board(model.fit(X, np.c_[Y, Y]))


def test_what_is_no_fitted_model_is_refused():
    with pytest.raises(ModelError, match="is not fitted. Call fit"):
        to_board(tree.DecisionTreeClassifier())
    with pytest.raises(ModelError, match="found the class DecisionTreeClassifier"):
        to_board(tree.DecisionTreeClassifier)
    with pytest.raises(ModelError, match="found str"):
        to_board("forest.pkl")
    with pytest.raises(ModelError, match="choose one of float32, int16"):
        to_board(tree.DecisionTreeClassifier().fit(X, Y), dtype="int8")


def test_columns_are_known_by_name():
    frame = pd.DataFrame(X, columns=["ax", "ay", "az"])
    board = load_classic(to_board(tree.DecisionTreeClassifier().fit(frame, Y)))
    assert board.columns == ["ax", "ay", "az"]
    np.testing.assert_array_equal(board.predict(frame), board.predict(X))
    assert board.predict({"az": X[0, 2], "ay": X[0, 1], "ax": X[0, 0], "time": 3}) == board.predict(X[0])
    with pytest.raises(ModelError, match="needs ax, az, which is not offered; it was trained on ax, ay, az"):
        board.predict(frame.rename(columns={"ax": "gx", "az": "gz"}))
    with pytest.raises(ModelError, match="the columns are az, ay, ax; the model was trained on ax, ay, az, in this order"):
        board.predict(frame[["az", "ay", "ax"]])
    with pytest.raises(ModelError, match="needs ay, which is not offered"):
        board.predict({"ax": 0, "az": 1})
    with pytest.raises(ModelError, match=r"expected 3 values \(ax, ay, az\), got 2"):
        board.predict(X[:, :2])
    with pytest.raises(ModelError, match="columns= names 2"):
        to_board(tree.DecisionTreeClassifier().fit(X, Y), columns=["a", "b"])


def test_no_probabilities_is_a_sentence():
    with pytest.raises(ModelError, match="no probabilities"):
        load_classic(to_board(svm.SVC().fit(X, Y))).predict_proba(X)
    with pytest.raises(ModelError, match="numbers, no classes"):
        load_classic(to_board(tree.DecisionTreeRegressor().fit(X, Y))).predict_proba(X)


def damaged(data, rng):
    """Bits flipped, bytes and words replaced, the end cut off or more added."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        way, at = rng.integers(6), int(rng.integers(len(data)))
        if way == 0:
            data[at] ^= 1 << rng.integers(8)
        elif way == 1:
            data[at] = rng.integers(256)
        elif way == 2:
            data[at:at + 4] = int(rng.choice([0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0, 1, 65536])).to_bytes(4, "little")
        elif way == 3:
            data = data[:rng.integers(1, len(data) + 1)]
        elif way == 4:
            data[at:at + 4] = int(rng.integers(0, 300)).to_bytes(4, "little")
        else:
            data += bytes(int(rng.integers(1, 9)))
    return bytes(data)


def mended(data):
    """The same with a length and a check sum that are right: what somebody would do who wants to do harm."""
    if len(data) < 20:
        return data
    data = bytearray(data)
    data[:4], data[8:12] = b"EKC1", struct.pack("<I", len(data))
    data[4:8] = struct.pack("<I", zlib.crc32(data[12:]))
    return bytes(data)


@pytest.fixture(scope="module")
def files():
    return [to_board(random_classic.fitted(family, seed)[0]) for family in random_classic.FAMILIES for seed in range(1, 4)]


def test_damaged_files_are_refused(files):
    rng = np.random.default_rng(0)
    for n in range(500):
        whole = files[n % len(files)]
        broken = damaged(whole, rng)
        if broken == whole:
            continue
        with pytest.raises(ModelError, match="Copy the file again|to_board") as error:
            load_classic(broken, "python" if n % 2 else "c")
        assert str(error.value).endswith(".")


def test_files_made_to_harm_are_refused_or_answer(files):
    """With a check sum that is right, nothing but the structure is left to tell: no crash, no endless loop."""
    rng = np.random.default_rng(1)
    refused = 0
    for n in range(300):
        broken = mended(damaged(files[n % len(files)], rng))
        try:
            board = load_classic(broken, "python" if n % 2 else "c")
            row = [1.0] * len(board.model.input)
            board.model.predict(row)
        except (ModelError, ZeroDivisionError, OverflowError, ValueError) as error:
            refused += isinstance(error, ModelError)
    assert refused > 100


def test_a_text_of_the_file_that_is_no_text(files):
    text = json.dumps({"classes": {"a": 1}}).encode()
    body = struct.pack("<HBBI", 2, 0, 0, len(text)) + text
    data = mended(b"EKC1" + bytes(4) + bytes(4) + body)
    with pytest.raises(ModelError, match="its text does not fit"):
        load_classic(data)


def test_a_test_set_is_a_pair():
    with pytest.raises(ModelError, match="test= expects a pair"):
        to_board(tree.DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]), test=([[0.0]],))
