"""scikit-learn's own answers are the reference: classes the same on every row, probabilities within 1e-5."""

import numpy as np
import pytest
from sklearn import datasets
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from threadpoolctl import threadpool_limits

from edgekit.convert import load_classic, to_board
from edgekit.convert.classic import cost

DIGITS = datasets.load_digits(return_X_y=True)
CANCER = datasets.load_breast_cancer(return_X_y=True)
WINE = datasets.load_wine(return_X_y=True)
DIABETES = datasets.load_diabetes(return_X_y=True)

TREES = [
    (DecisionTreeClassifier(random_state=0), DIGITS),
    (RandomForestClassifier(10, random_state=0), DIGITS),
    (RandomForestClassifier(10, random_state=0, max_depth=4), DIGITS),
    (ExtraTreesClassifier(5, random_state=0, class_weight="balanced", max_depth=5), CANCER),
    (GradientBoostingClassifier(n_estimators=3), DIGITS),
    (GradientBoostingClassifier(n_estimators=10, loss="exponential"), CANCER),
    (HistGradientBoostingClassifier(max_iter=3), WINE),
    (HistGradientBoostingClassifier(max_iter=10), CANCER),
    (make_pipeline(StandardScaler(), RandomForestClassifier(10, max_depth=5, random_state=0)), CANCER),
    (make_pipeline(MinMaxScaler(), GradientBoostingClassifier(n_estimators=5)), CANCER),
    (DecisionTreeRegressor(max_depth=4), DIABETES),
    (RandomForestRegressor(5), DIABETES),
    (GradientBoostingRegressor(n_estimators=20), DIABETES),
    (HistGradientBoostingRegressor(max_iter=10, loss="poisson"), DIABETES),
]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small models take longer with several."""
    with threadpool_limits(1):
        yield


def name(case):
    model = case[0]
    return "-".join(type(step).__name__ for _, step in model.steps) if hasattr(model, "steps") else type(model).__name__


@pytest.mark.parametrize("kernels", ["python", "c"])
@pytest.mark.parametrize("case", TREES, ids=name)
def test_answers_are_scikit_learns(case, kernels):
    model, (x, y) = case
    x, x_test, y, _ = train_test_split(x.astype(np.float32), y, random_state=0)  # the board's numbers
    model.fit(x, y)
    board = load_classic(to_board(model), kernels)
    x_test = x_test[:100]
    if hasattr(model, "predict_proba"):
        np.testing.assert_array_equal(board.predict(x_test), model.predict(x_test))
        np.testing.assert_allclose(board.predict_proba(x_test), model.predict_proba(x_test), atol=1e-5)
    else:
        np.testing.assert_allclose(board.predict(x_test), model.predict(x_test), rtol=1e-5)


def test_int16_is_smaller_and_says_what_it_costs(capsys):
    for model, (x, y) in [(GradientBoostingClassifier(n_estimators=10, random_state=0), WINE),
                          (RandomForestRegressor(10, random_state=0), DIABETES),
                          (make_pipeline(StandardScaler(), SVC()), CANCER), (MLPClassifier((8,), tol=0.01), DIGITS)]:
        x, x_test, y, y_test = train_test_split(x, y, random_state=0)
        whole = to_board(model.fit(x, y))
        small = to_board(model, dtype="int16", test=(x_test, y_test))
        assert len(small) < 0.8 * len(whole)
        assert "answers change" in capsys.readouterr().out
        price = cost(model, small, x_test, y_test)
        assert price.bytes == len(small) and abs(price.score - price.score_before) < 0.02
        in_c, in_python = load_classic(small, "c"), load_classic(small)
        np.testing.assert_array_equal(in_c.predict(x_test[:40]), in_python.predict(x_test[:40]))


@pytest.mark.parametrize("kernels", ["python", "c"])
def test_many_features_and_many_nodes(kernels):
    """More than a byte holds, more than 16 bits hold."""
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (500, 300)).astype(np.float32)
    y = rng.integers(0, 3, 500)
    model = ExtraTreesClassifier(170, random_state=0).fit(x, y)
    board = load_classic(to_board(model), kernels)
    assert len(board.model.steps[0].features) > 1 << 15
    asked = rng.normal(0, 1, (10, 300)).astype(np.float32)
    np.testing.assert_array_equal(board.predict(asked), model.predict(asked))


def test_a_search_gives_its_best():
    x, y = WINE
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 3]}, cv=2).fit(x, y)
    assert to_board(search) == to_board(search.best_estimator_)
