"""scikit-learn models that fit a board, and a file for them that a stranger may send.

A model is built by one line and fitted by another, as scikit-learn does it::

    model = classical("forest").fit(features, y)
    save_model(model, "forest.skops")
"""

from pathlib import Path

from edgekit.errors import DataError, ModelError
from edgekit.paths import atomic_write

__all__ = ["classical", "save_model", "load_model", "KINDS"]

KINDS = ("tree", "forest", "svm", "knn", "linear")

# skops leaves it to us to trust these compiled parts of scikit-learn's models. They hold numbers and run nothing.
_TRUSTED = ("sklearn.tree._tree.Tree", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
            "sklearn.neighbors._kd_tree.KDTree", "sklearn.neighbors._ball_tree.BallTree",
            "sklearn.metrics._dist_metrics.EuclideanDistance64", "sklearn.feature_selection._univariate_selection.f_classif",
            "sklearn.neural_network._stochastic_optimizers.AdamOptimizer", "numpy.dtype")


def classical(kind: str, seed: int = 0, **settings):
    """An unfitted scikit-learn pipeline with settings that suit the gestures' summary features.

    ==========  ==============================================================================================
    kind        what it is
    ==========  ==============================================================================================
    ``tree``    ``DecisionTreeClassifier`` of at most 80 leaves
    ``forest``  ``RandomForestClassifier`` of 20 trees
    ``svm``     ``StandardScaler``, then ``SVC`` with a radial basis and C = 100
    ``knn``     ``StandardScaler``, then ``KNeighborsClassifier`` of 3 neighbours
    ``linear``  ``StandardScaler``, then ``LogisticRegression`` with C = 10
    ==========  ==============================================================================================

    Trees ask "is this number larger than that one?", so they need no scaling. The others add up or measure distances:
    without it the feature with the largest numbers would decide alone.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    seed : int
        Whatever is drawn at random; the same seed gives the same model.
    **settings
        Passed to the classifier, in place of those above.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Its last step is named ``model``.

    Raises
    ------
    DataError
        There is no such kind.

    Examples
    --------
    >>> model = classical("tree", max_leaf_nodes=2).fit([[1], [2], [8], [9]], ["low", "low", "high", "high"])
    >>> model.predict([[3], [7]]).tolist()
    ['low', 'high']
    """
    if kind not in KINDS:
        raise DataError(f"No model of kind {kind!r}; there are {', '.join(KINDS)}.")
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    build, usual = {
        "tree": (DecisionTreeClassifier, {"max_leaf_nodes": 80, "random_state": seed}),
        "forest": (RandomForestClassifier, {"n_estimators": 20, "random_state": seed}),
        "svm": (SVC, {"C": 100, "random_state": seed}),
        "knn": (KNeighborsClassifier, {"n_neighbors": 3}),
        "linear": (LogisticRegression, {"C": 10, "solver": "newton-cg", "random_state": seed}),
    }[kind]
    model = build(**{**usual, **settings})
    return Pipeline([("model", model)] if kind in ("tree", "forest") else [("scale", StandardScaler()), ("model", model)])


def save_model(model, path) -> None:
    """Save a scikit-learn model so that it can be opened without running any of its sender's code.

    Parameters
    ----------
    model : estimator
        For example a fitted pipeline.
    path : path
        By custom with the ending ``.skops``.
    """
    import skops.io

    with atomic_write(path) as temporary:
        skops.io.dump(model, temporary)


def load_model(path):
    """Open what :func:`save_model` wrote. Nothing is built but the parts of scikit-learn's models.

    Parameters
    ----------
    path : path

    Returns
    -------
    estimator

    Raises
    ------
    ModelError
        There is no such file, it is of another kind (a pickle, for example), or it wants to build something else;
        the message names what.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "tree.skops"
    >>> save_model(classical("tree").fit([[1], [2]], ["low", "high"]), path)
    >>> load_model(path).predict([[2]]).tolist()
    ['high']
    """
    import skops.io

    path = Path(path)
    try:
        strange = sorted(set(skops.io.get_untrusted_types(file=path)) - set(_TRUSTED))
        model = None if strange else skops.io.load(path, trusted=list(_TRUSTED))
    except FileNotFoundError:
        raise ModelError(f"No model at {path}. Write one with save_model.") from None
    except Exception as error:  # a damaged zip fails in many ways
        raise ModelError(f"{path.name} is no model in skops' format ({type(error).__name__}: {error}). A pickle "
                         "(.joblib, .pkl) is a program, so it is not opened here. Ask its sender for a .skops file, "
                         "or fit the model again.") from None
    if strange:
        raise ModelError(f"{path.name} wants to build {', '.join(strange)}, which is no part of a model we know. It was "
                         "not opened. If you know where the file is from and what that is: skops.io.load(path, trusted=[...]).")
    return model
