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
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from edgekit.convert import load_classic, to_board

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
