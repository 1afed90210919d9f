"""Classical models: each kind learns, a seed gives the same model again, a file cannot run code."""

import pickle

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from edgekit.errors import DataError, ModelError
from edgekit.train.classical import KINDS, classical, load_model, save_model

RNG = np.random.default_rng(0)
X = RNG.normal(0, 1, (120, 4)) * [1, 1000, 1, 1] + [0, 5000, 0, 0]
Y = (X[:, 0] + X[:, 2] > 0).astype(int)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_learns_and_comes_back_from_its_file(kind, tmp_path):
    model = classical(kind, seed=3).fit(X[:80], Y[:80])
    assert model.score(X[80:], Y[80:]) > 0.75
    assert (classical(kind, seed=3).fit(X[:80], Y[:80]).predict(X) == model.predict(X)).all()
    save_model(model, tmp_path / "model.skops")
    assert (load_model(tmp_path / "model.skops").predict(X) == model.predict(X)).all()


def test_settings_take_the_place_of_the_usual_ones():
    assert classical("tree", max_leaf_nodes=3).fit(X, Y)["model"].get_n_leaves() == 3
    assert classical("forest", seed=5)["model"].random_state == 5
    with pytest.raises(DataError, match="No model of kind 'net'; there are tree, forest, svm, knn, linear"):
        classical("net")


class Program:
    """What a stranger's pickle may hold: a call that is made when it is opened."""

    def __reduce__(self):
        return (open, ("opened.txt", "w"))


def test_a_pickle_runs_and_a_skops_file_does_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    joblib.dump(Program(), "model.joblib")
    with pytest.raises(ModelError, match="model.joblib is no model in skops' format.*A pickle .* is a program"):
        load_model("model.joblib")
    assert not (tmp_path / "opened.txt").exists()
    joblib.load("model.joblib").close()
    assert (tmp_path / "opened.txt").exists(), "this is why"


def test_a_file_that_wants_more_than_scikit_learn_is_refused_by_name(tmp_path):
    skops.io.dump(FunctionTransformer(pickle.loads), tmp_path / "model.skops")
    with pytest.raises(ModelError, match=r"model.skops wants to build _pickle.loads, which is no part of a model we know"):
        load_model(tmp_path / "model.skops")


def test_a_file_that_is_not_there_or_damaged(tmp_path):
    with pytest.raises(ModelError, match="No model at .*nothing.skops. Write one with save_model"):
        load_model(tmp_path / "nothing.skops")
    save_model(classical("tree").fit(X, Y), tmp_path / "tree.skops")
    data = (tmp_path / "tree.skops").read_bytes()
    (tmp_path / "tree.skops").write_bytes(data[:len(data) // 2])
    with pytest.raises(ModelError, match="tree.skops is no model in skops' format"):
        load_model(tmp_path / "tree.skops")
