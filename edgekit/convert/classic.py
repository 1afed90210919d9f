"""From a fitted scikit-learn model or pipeline to one small file that ``firmware/lib/classic`` runs on any board."""

import math
import warnings
from dataclasses import dataclass

import numpy as np

from edgekit.convert import classic_columns, classic_models, classic_trees
from edgekit.convert.classic_columns import Column
from edgekit.convert.classic_file import Step, write
from edgekit.convert.classic_trees import COUNTS, ROWS, VALUES, VOTES, of_histogram, of_tree
from edgekit.errors import ModelError
from edgekit.twin import board_module

__all__ = ["to_board", "load_classic", "cost", "Cost", "ClassicModel"]

DTYPES = ("float32", "int16")

_finish = board_module("classic").finish


def to_board(pipeline, columns=None, dtype="float32", test=None) -> bytes:
    """Make one small file of a fitted scikit-learn model, for ``classic.load_model`` on the board.

    Parameters
    ----------
    pipeline : estimator or sklearn.pipeline.Pipeline
        Fitted. What is known: :data:`FAMILIES`, and in front of them the transformers of ``docs/classic.md``.
    columns : sequence of str, optional
        Names of the features. Default: those it was fitted with, if that was a DataFrame.
    dtype : {"float32", "int16"}
        How thresholds, leaves, weights and points are stored. int16 is smaller and coarser; ``test`` shows what it costs.
    test : (x, y), optional
        Rows that were not trained on, and what is true of them: print the :class:`Cost` of the file.

    Returns
    -------
    bytes

    Raises
    ------
    ModelError
        It is not fitted, or a step or an option does not run on a board; the message names it and says what would.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> x, y = load_iris(return_X_y=True)
    >>> file = to_board(DecisionTreeClassifier(max_depth=2, random_state=0).fit(x, y))
    >>> len(file), load_classic(file).predict(x[0])
    (156, 0)
    """
    if dtype not in DTYPES:
        raise ModelError(f"No dtype {dtype!r}; choose one of {', '.join(DTYPES)}.")
    steps, model = _split(pipeline)
    width = _width(pipeline, steps, model)
    names = _names(pipeline, steps, model, columns, width)
    made, state = [], [Column(i) for i in range(width)]
    state_width = width
    for name, transformer in steps:
        after = classic_columns.read(transformer, state, name)
        if after is None:
            mix = _MIXERS.get(type(transformer).__name__)
            if mix is None:
                raise ModelError(f"Step {name!r} is a {type(transformer).__name__}, which boards do not run. Before the "
                                 f"model they run {', '.join(TRANSFORMERS)}; do anything else on the host, or leave it out.")
            made += classic_columns.flush(state, state_width) + mix(transformer)
            state_width = transformer.n_components_
            after = [Column(i) for i in range(state_width)]
        state = after
    convert = _FAMILIES.get(type(model).__name__)
    if convert is None and hasattr(model, "transform") and not hasattr(model, "predict"):
        raise ModelError(f"{_called(pipeline, model)} is a {type(model).__name__}, which only changes columns. Put a model "
                         "after it, in a Pipeline.")
    if convert is None:
        raise ModelError(f"{_called(pipeline, model)} is a {type(model).__name__}, which boards do not run. They run "
                         f"{', '.join(FAMILIES)}.")
    if not state:
        raise ModelError("No column is left for the model: the steps before it drop all of them.")
    last, classes = convert(model, _Input(state, state_width, dtype))
    data = write(made + last, width, names, classes)
    if test is not None:
        if not isinstance(test, tuple | list) or len(test) != 2:
            raise ModelError("test= expects a pair (x, y): rows of a test set, and what is true for each.")
        print(cost(pipeline, data, *test))
    return data


@dataclass(frozen=True)
class Cost:
    """What a file costs, beside scikit-learn's own answers.

    Attributes
    ----------
    bytes : int
    rows : int
    changed : int
        Answers that differ from scikit-learn's: classes, or numbers that differ by more than 1e-5 of the largest.
    score, score_before : float
        Accuracy (0 to 1) of the file and of scikit-learn; R2 for numbers.
    measure : str
        ``"accuracy"`` or ``"R2"``.
    """

    bytes: int
    rows: int
    changed: int
    score: float
    score_before: float
    measure: str

    def __str__(self):
        return (f"{self.bytes:,} bytes; {self.measure} {self.score:.4f} (scikit-learn {self.score_before:.4f}); "
                f"{self.changed} of {self.rows} answers change")


def cost(pipeline, data, x, y) -> Cost:
    """Compare a file of :func:`to_board` with the pipeline it was made of, on rows of a test set.

    Parameters
    ----------
    pipeline : estimator
    data : bytes
    x : array of float, shape [N, features]
    y : array, shape [N]
        What is true.

    Returns
    -------
    Cost
    """
    from sklearn.metrics import accuracy_score, r2_score
    x, y = (x if hasattr(x, "columns") else np.asarray(x)), np.asarray(y)
    board = load_classic(data, "c")
    said, before = board.predict(x), np.asarray(pipeline.predict(x))
    if board.classes:
        return Cost(len(data), len(x), int((said != before).sum()), accuracy_score(y, said), accuracy_score(y, before),
                    "accuracy")
    changed = np.abs(said - before) > 1e-5 * np.abs(before).max()
    return Cost(len(data), len(x), int(changed.sum()), r2_score(y, said), r2_score(y, before), "R2")


@dataclass(frozen=True)
class _Input:
    """What comes to the model."""

    columns: list
    width: int
    dtype: str

    def flushed(self):
        return classic_columns.flush(self.columns, self.width)


def _split(pipeline):
    """Transformers with their names, and the model."""
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted
    if not hasattr(pipeline, "get_params"):
        raise ModelError(f"Expected a fitted scikit-learn model or Pipeline, found {type(pipeline).__name__}.")
    if isinstance(pipeline, type):
        raise ModelError(f"Expected a fitted model, found the class {pipeline.__name__}. Make one and fit it: "
                         f"{pipeline.__name__}().fit(x, y).")
    try:
        check_is_fitted(pipeline)
    except NotFittedError:
        raise ModelError(f"This {type(pipeline).__name__} is not fitted. Call fit(x, y) first.") from None
    if hasattr(pipeline, "best_estimator_"):  # of a search over hyper-parameters
        return _split(pipeline.best_estimator_)
    if not hasattr(pipeline, "steps"):
        return [], pipeline
    steps = []
    for name, step in pipeline.steps:
        if hasattr(step, "steps"):  # a pipeline in a pipeline
            before, last = _split(step)
            steps += [(f"{name}.{inner}", made) for inner, made in before] + [(name, last)]
        elif step is not None and not (isinstance(step, str) and step == "passthrough"):
            steps.append((name, step))
    if not steps:
        raise ModelError("This Pipeline has no step that does anything.")
    *steps, (_, model) = steps
    return steps, model


def _called(pipeline, model):
    if not hasattr(pipeline, "steps"):
        return "This model"
    return next((f"Step {name!r}" for name, step in pipeline.steps if step is model), "The last step")


def _width(pipeline, steps, model):
    for made in (pipeline, *(step for _, step in steps), model):
        width = getattr(made, "n_features_in_", None)
        if width is not None:
            if not 0 < width < 1 << 15:
                raise ModelError(f"The model reads {width} features; a file holds at most 32767. Choose some of them, for "
                                 "example with SelectKBest.")
            return int(width)
    if callable(getattr(model, "kernel", None)):
        _plain_kernel(model)
    raise ModelError(f"This {type(model).__name__} does not say how many features it was fitted with (n_features_in_).")


def _names(pipeline, steps, model, columns, width):
    if columns is None:
        for made in (pipeline, *(step for _, step in steps[:1]), *(() if steps else (model,))):
            if hasattr(made, "feature_names_in_"):
                return [str(name) for name in made.feature_names_in_]
        return None
    columns = [str(name) for name in columns]
    if len(columns) != width:
        raise ModelError(f"The model was fitted on {width} features; columns= names {len(columns)}.")
    if len(set(columns)) < width:
        raise ModelError("columns= names one column twice.")
    return columns


def _classes(model):
    """Class labels as JSON can hold them."""
    labels = model.classes_
    if isinstance(labels, list) or getattr(labels, "ndim", 1) != 1:
        raise ModelError(f"This {type(model).__name__} has several outputs. Fit one model for each of them.")
    labels = np.asarray(labels).tolist()
    for label in labels:
        if not isinstance(label, bool | int | str) and not (isinstance(label, float) and math.isfinite(label)):
            raise ModelError(f"A class is {label!r}: expected whole numbers or text.")
    return [int(v) if isinstance(v, float) and v.is_integer() else v for v in labels]


def _decide(how, classes=0, divisor=1, inclusive=0, factor=1, limit=0.0):
    return Step("finish", (0, how, classes, divisor, inclusive, factor), [np.array([limit])] if limit else [])


# --- trees and forests ------------------------------------------------------------------------------------------

def _forest(model, source, estimators):
    classes = _classes(model)
    if model.n_outputs_ != 1:
        raise ModelError(f"This {type(model).__name__} has {model.n_outputs_} outputs. Fit one model for each of them.")
    values = [e.tree_.value[:, 0, :] for e in estimators]
    leaves = np.concatenate([v[e.tree_.children_left < 0] for v, e in zip(values, estimators, strict=True)])
    missing = _knows_gaps(estimators, source)
    options = dict(outputs=len(classes), columns=source.columns, missing=missing, dtype=source.dtype)
    if ((leaves == 0) | (leaves == 1)).all():
        trees = [of_tree(e.tree_, v.argmax(axis=1)) for v, e in zip(values, estimators, strict=True)]
        step = classic_trees.step(trees, VOTES, **options)
    else:
        whole = [classic_trees.counts(v, e.tree_.weighted_n_node_samples)
                 for v, e in zip(values, estimators, strict=True)]
        if all(rows is not None for rows in whole):
            trees = [of_tree(e.tree_, rows) for rows, e in zip(whole, estimators, strict=True)]
            step = classic_trees.step(trees, COUNTS, **options)
        else:
            trees = [of_tree(e.tree_, v) for v, e in zip(values, estimators, strict=True)]
            step = classic_trees.step(trees, ROWS, whole=True, **options)
    return [step, _decide(_finish.SHARES, len(classes), len(estimators))], classes


def _forest_regressor(model, source, estimators):
    if model.n_outputs_ != 1:
        raise ModelError(f"This {type(model).__name__} has {model.n_outputs_} outputs. Fit one model for each of them.")
    trees = [of_tree(e.tree_, e.tree_.value[:, 0, 0]) for e in estimators]
    step = classic_trees.step(trees, VALUES, 1, source.columns, missing=_knows_gaps(estimators, source), dtype=source.dtype)
    return [step, _decide(_finish.VALUE, divisor=len(estimators))], []


def _knows_gaps(estimators, source):
    """NaN has a way to go: a column is filled, or there were gaps in training."""
    if any(isinstance(work, classic_columns.Fill) for column in source.columns for work in column.works):
        return True
    for estimator in estimators:
        nodes = estimator.tree_.__getstate__()["nodes"]
        inner = nodes[nodes["left_child"] >= 0]
        larger = nodes["n_node_samples"][inner["left_child"]] > nodes["n_node_samples"][inner["right_child"]]
        if not np.array_equal(inner["missing_go_to_left"].astype(bool), larger):
            return True
    return False


def _boosting(model, source):
    """GradientBoosting, of either kind."""
    from sklearn.base import is_classifier
    if model.init_ != "zero" and type(model.init_).__name__ not in ("DummyClassifier", "DummyRegressor"):
        raise ModelError(f"{type(model).__name__} starts from a {type(model.init_).__name__} (init=). Boards know "
                         "init=None and init='zero'.")
    base = model._raw_predict_init(np.zeros((1, model.n_features_in_), np.float32))[0]
    trees = [of_tree(e.tree_, model.learning_rate * e.tree_.value[:, 0, 0]) for row in model.estimators_ for e in row]
    # Classes may be even but for the rounding of float64: then that decides.
    step = classic_trees.step(trees, VALUES, len(base), source.columns, base, dtype=source.dtype,
                              missing=_knows_gaps(model.estimators_.ravel(), source),
                              whole=is_classifier(model) and source.dtype == "float32")
    if not is_classifier(model):
        return [step, _decide(_finish.VALUE)], []
    classes = _classes(model)
    if len(base) > 1:
        return [step, _decide(_finish.SOFTMAX, len(classes))], classes
    factor = 2 if type(model._loss).__name__ == "ExponentialLoss" else 1
    return [step, _decide(_finish.SIGMOID, 2, inclusive=1, factor=factor)], classes


def _histogram(model, source):
    """HistGradientBoosting, of either kind."""
    from sklearn.base import is_classifier
    if getattr(model, "is_categorical_", None) is not None:
        raise ModelError(f"{type(model).__name__} was fitted with categories (categorical_features), which boards do not "
                         "know. Fit it on numbers with categorical_features=None.")
    base = np.asarray(model._baseline_prediction, np.float64).reshape(-1)
    trees = [of_histogram(p) for row in model._predictors for p in row]
    link = type(model._loss.link).__name__
    step = classic_trees.step(trees, VALUES, len(base), source.columns, base, missing=True, as_float32=False,
                              dtype=source.dtype, whole=is_classifier(model) and source.dtype == "float32")
    if not is_classifier(model):
        return [step, _decide(_finish.EXP if link == "LogLink" else _finish.VALUE)], []
    classes = _classes(model)
    if len(base) > 1:
        return [step, _decide(_finish.SOFTMAX, len(classes))], classes
    return [step, _decide(_finish.SIGMOID, 2)], classes


def _isolation(model, source):
    """The sum of the depths, against the depth from which on scikit-learn's score is that of an inlier."""
    from sklearn.ensemble._iforest import _average_path_length
    trees = []
    for i, (estimator, features) in enumerate(zip(model.estimators_, model.estimators_features_, strict=True)):
        leaf = model._decision_path_lengths[i] + model._average_path_length_per_tree[i] - 1.0
        trees.append(of_tree(estimator.tree_, leaf, features))
    denominator = len(trees) * _average_path_length([model._max_samples])

    def inlier(depth):
        return (2 ** -np.divide(depth, denominator, out=np.ones(1), where=denominator != 0) + model.offset_ <= 0)[0]

    # The score falls as the depth grows: halve among the float64 numbers until two neighbours are left.
    low, high = 0, int(np.array([1e300]).view(np.int64)[0])
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if inlier(np.array([middle]).view(np.float64)) else (middle, high)
    limit = 0.0 if inlier(np.zeros(1)) else np.array([high]).view(np.float64)[0]
    step = classic_trees.step(trees, VALUES, 1, source.columns, dtype=source.dtype, whole=True,
                              missing=_knows_gaps(model.estimators_, source))
    return [step, _decide(_finish.SIGN, 2, inclusive=1, limit=limit)], [-1, 1]


def _one(convert):
    return lambda model, source: convert(model, source, [model])


def _many(convert):
    return lambda model, source: convert(model, source, model.estimators_)


# --- other models -----------------------------------------------------------------------------------------------

def _linear(model, source, probabilities=False):
    classes = _classes(model)
    weights, bias = np.atleast_2d(model.coef_), np.asarray(model.intercept_)
    steps = [*source.flushed(), classic_models.linear(weights, bias, source.dtype)]
    if len(classes) == 2 and len(weights) == 1:
        return [*steps, _decide(_finish.SIGMOID if probabilities else _finish.SIGN, 2)], classes
    return [*steps, _decide(_finish.SOFTMAX if probabilities else _finish.LARGEST, len(classes))], classes


def _logistic(model, source):
    if len(model.classes_) > 2 and (model.solver == "liblinear" or getattr(model, "multi_class", "") == "ovr"):
        raise ModelError("This LogisticRegression fits each class against the rest; boards know the multinomial one. Fit it "
                         "with solver='lbfgs'.")
    return _linear(model, source, probabilities=True)


def _linear_regressor(model, source):
    if np.ndim(model.coef_) > 1 and len(model.coef_) > 1:
        raise ModelError(f"This {type(model).__name__} has {len(model.coef_)} outputs. Fit one model for each of them.")
    return [*source.flushed(), classic_models.linear(model.coef_, model.intercept_, source.dtype),
            _decide(_finish.VALUE)], []


def _support(model, source):
    classes = _classes(model)
    if model.break_ties and len(classes) > 2:
        raise ModelError(f"{type(model).__name__} has break_ties=True; boards count the votes of the pairs of classes. Fit "
                         "it with break_ties=False.")
    _plain_kernel(model)
    if model.kernel != "linear":
        return [*source.flushed(), classic_models.vectors(model, len(classes), source.dtype),
                _decide(_finish.PAIRS, len(classes))], classes
    # Linear: the support vectors add up to one weight for each feature.
    step = classic_models.linear(model.coef_, model.intercept_, source.dtype)
    if len(classes) == 2:
        return [*source.flushed(), step, _decide(_finish.SIGN, 2, inclusive=1)], classes
    return [*source.flushed(), step, _decide(_finish.PAIRS, len(classes))], classes


def _support_sum(model, source):
    """One sum: regression, or one class."""
    _plain_kernel(model)
    step = (classic_models.linear(model.coef_, model.intercept_, source.dtype) if model.kernel == "linear"
            else classic_models.vectors(model, 1, source.dtype))
    if type(model).__name__ == "OneClassSVM":
        return [*source.flushed(), step, _decide(_finish.SIGN, 2)], [-1, 1]
    return [*source.flushed(), step, _decide(_finish.VALUE)], []


def _plain_kernel(model):
    name = type(model).__name__
    if model.kernel not in ("linear", "rbf", "poly", "sigmoid"):
        raise ModelError(f"{name} has kernel={model.kernel!r}; boards know 'linear', 'rbf', 'poly' and 'sigmoid'.")
    if getattr(model, "_sparse", False):
        raise ModelError(f"{name} was fitted on a sparse matrix. Fit it on x.toarray().")


def _perceptron(model, source):
    classes = _classes(model)
    steps = [*source.flushed(), *classic_models.layers(model, source.dtype)]
    if model.out_activation_ == "softmax":
        return [*steps, _decide(_finish.SOFTMAX, len(classes))], classes
    if len(classes) != 2 or model.n_outputs_ != 1:
        raise ModelError("This MLPClassifier gives several labels at once. Fit one model for each of them.")
    return [*steps, _decide(_finish.SIGMOID, 2)], classes


def _perceptron_regressor(model, source):
    if model.n_outputs_ != 1:
        raise ModelError(f"This MLPRegressor has {model.n_outputs_} outputs. Fit one model for each of them.")
    if model.out_activation_ != "identity":
        raise ModelError(f"This MLPRegressor ends in {model.out_activation_!r}; boards know the squared error's 'identity'.")
    return [*source.flushed(), *classic_models.layers(model, source.dtype), _decide(_finish.VALUE)], []


def _bayes(model, source):
    classes = _classes(model)
    return [*source.flushed(), classic_models.bayes(model), _decide(_finish.SOFTMAX, len(classes))], classes


def _neighbours(model, source):
    classes = _classes(model)
    if model._y.ndim != 1:
        raise ModelError("This KNeighborsClassifier has several outputs. Fit one model for each of them.")
    says = model._y.astype(np.uint8 if len(classes) < 256 else np.uint16)
    return [*source.flushed(), classic_models.neighbours(model, says, len(classes), source.dtype),
            _decide(_finish.SHARES, len(classes))], classes


def _neighbours_regressor(model, source):
    if model._y.ndim != 1 and model._y.shape[1] != 1:
        raise ModelError(f"This KNeighborsRegressor has {model._y.shape[1]} outputs. Fit one model for each of them.")
    says = np.asarray(model._y, np.float64).reshape(-1)
    return [*source.flushed(), classic_models.neighbours(model, says, 1, source.dtype), _decide(_finish.VALUE)], []


def _centroids(model, source):
    classes = _classes(model)
    if not np.isclose(model.class_prior_, 1 / len(classes)).all():
        raise ModelError("This NearestCentroid weighs its classes (priors); boards know priors='uniform'.")
    return [*source.flushed(), classic_models.centres(model.centroids_, model.metric, "NearestCentroid", source.dtype),
            _decide(_finish.LARGEST, len(classes))], classes


def _clusters(model, source):
    points = model.cluster_centers_
    return [*source.flushed(), classic_models.centres(points, "euclidean", type(model).__name__, source.dtype),
            _decide(_finish.LARGEST, len(points))], list(range(len(points)))


_MIXERS = {"PCA": classic_models.project}

_FAMILIES = {
    "DecisionTreeClassifier": _one(_forest), "DecisionTreeRegressor": _one(_forest_regressor),
    "ExtraTreeClassifier": _one(_forest), "ExtraTreeRegressor": _one(_forest_regressor),
    "RandomForestClassifier": _many(_forest), "RandomForestRegressor": _many(_forest_regressor),
    "ExtraTreesClassifier": _many(_forest), "ExtraTreesRegressor": _many(_forest_regressor),
    "GradientBoostingClassifier": _boosting, "GradientBoostingRegressor": _boosting,
    "HistGradientBoostingClassifier": _histogram, "HistGradientBoostingRegressor": _histogram,
    "IsolationForest": _isolation,
    "LogisticRegression": _logistic, "LogisticRegressionCV": _logistic, "LinearSVC": _linear, "RidgeClassifier": _linear,
    "Perceptron": _linear, "LinearRegression": _linear_regressor, "Ridge": _linear_regressor, "RidgeCV": _linear_regressor,
    "Lasso": _linear_regressor, "ElasticNet": _linear_regressor, "LinearSVR": _linear_regressor,
    "SVC": _support, "NuSVC": _support, "SVR": _support_sum, "NuSVR": _support_sum, "OneClassSVM": _support_sum,
    "MLPClassifier": _perceptron, "MLPRegressor": _perceptron_regressor, "GaussianNB": _bayes,
    "KNeighborsClassifier": _neighbours, "KNeighborsRegressor": _neighbours_regressor,
    "NearestCentroid": _centroids, "KMeans": _clusters, "MiniBatchKMeans": _clusters,
}

FAMILIES = tuple(_FAMILIES)
"""Models that :func:`to_board` knows."""

TRANSFORMERS = ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "SimpleImputer", "SelectKBest",
                "ColumnTransformer", *_MIXERS)
"""What may stand before them."""


# --- the host twin ----------------------------------------------------------------------------------------------

class ClassicModel:
    """The board's own ``classic.Model``, run here, for many rows at once.

    Attributes
    ----------
    model : object
        What ``classic.load_model`` gives on the board.
    columns, classes
        As the board has them.
    """

    def __init__(self, model):
        self.model = model
        self.columns = model.columns
        self.classes = model.classes

    def predict(self, x):
        """Classes or numbers: one for a row, an array for many.

        Parameters
        ----------
        x : array of float, shape [features] or [N, features], or pandas.DataFrame, or dict
            Values count as float32, as on the board.

        Raises
        ------
        ModelError
            A DataFrame or dict has other columns, or the number of features is another.
        """
        return self._each(self.model.predict, x)

    def predict_proba(self, x) -> np.ndarray:
        """Probabilities of the classes: [classes] or [N, classes]; parameters as for :meth:`predict`."""
        return np.asarray(self._each(self.model.predict_proba, x))

    def decision_function(self, x) -> np.ndarray:
        """Scores as the file holds them: [scores] or [N, scores]; parameters as for :meth:`predict`."""
        return np.asarray(self._each(self.model.decision_function, x))

    def check_columns(self, names):
        """Refuse columns other than those of the training.

        Raises
        ------
        ModelError
            It names what is missing, or says which order was expected.
        """
        try:
            self.model.check_columns(names if isinstance(names, dict) else [str(name) for name in names])
        except ValueError as error:
            raise ModelError(f"{error}.") from None

    def _each(self, function, x):
        try:
            if isinstance(x, dict):
                return function(x)
            if hasattr(x, "columns"):
                self.check_columns(x.columns)
            x = np.asarray(x)
            if x.ndim == 1:
                return function(_row(x))
            if x.ndim != 2:
                raise ModelError(f"Expected one row of features or [N, features], found shape {x.shape}.")
            return np.array([function(_row(row)) for row in x])
        except ValueError as error:
            raise ModelError(f"{error}.") from None


def _row(values):
    with np.errstate(over="ignore"), warnings.catch_warnings():
        return values.astype(np.float32).tolist()


def load_classic(data, kernels="python") -> ClassicModel:
    """Run the file of :func:`to_board` here, with the code of the board.

    Parameters
    ----------
    data : bytes, str or pathlib.Path
    kernels : {"python", "c"}
        The readable code, or ``firmware/native/classic.c`` as WebAssembly.

    Raises
    ------
    ModelError
        The file is missing or damaged.
    """
    if kernels not in ("python", "c"):
        raise ModelError(f"No kernels {kernels!r}; choose 'python' or 'c'.")
    if kernels == "c":
        from edgekit.native import Wasm
        found = Wasm("classic")
    else:
        found = False
    try:
        if not isinstance(data, bytes | bytearray | memoryview):
            data = str(data)
        return ClassicModel(board_module("classic").load_model(data, found))
    except (ValueError, OSError) as error:
        raise ModelError(f"{error}.") from None
