"""Linear models, perceptrons, support vectors, neighbours, centres, naive Bayes of scikit-learn as steps for the board."""

import numpy as np

from edgekit.convert.classic_file import Step
from edgekit.errors import ModelError

__all__ = ["linear", "project", "layers", "vectors", "centres", "neighbours", "bayes"]

_ACTIVATIONS = {"identity": 0, "logistic": 1, "tanh": 2, "relu": 3}
_KERNELS = {"rbf": 0, "poly": 1, "sigmoid": 2}
_METRICS = {"euclidean": 0, "l2": 0, "manhattan": 1, "cityblock": 1, "l1": 1}


def linear(weights, bias, dtype, activation="identity", scores=True):
    """``weights``: [outputs, features]; ``bias``: [outputs]."""
    weights = np.atleast_2d(np.asarray(weights, np.float64))
    bias = np.broadcast_to(np.asarray(bias, np.float64).reshape(-1), len(weights))
    scales = np.array([])
    if dtype == "int16":
        weights, scales = _to_int16(weights, axis=1)
    else:
        weights = _float32(weights)
    return Step("linear", (len(weights), _ACTIVATIONS[activation], int(scores)),
                [weights.reshape(-1), scales.astype(np.float32), bias])


def project(pca):
    """Principal components: the centre goes off before."""
    components = pca.components_
    if pca.whiten:
        if pca.explained_variance_.min() < 1e-10 * pca.explained_variance_.max():
            raise ModelError("PCA(whiten=True) stretches a component that never changes, which shows rounding errors only. "
                             "Use fewer components, or whiten=False.")
        components = components / np.maximum(np.sqrt(pca.explained_variance_), np.finfo(np.float64).eps)[:, None]
    upper = pca.mean_.astype(np.float32)
    nothing = np.array([], np.float32)
    return [Step("scale", (), [upper, (pca.mean_ - upper).astype(np.float32), np.ones(len(upper), np.float32), nothing, nothing]),
            linear(components, 0, "float32", scores=False)]


def layers(model, dtype):
    """A perceptron."""
    steps = [linear(w.T, b, dtype, model.activation, scores=False)
             for w, b in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True)]
    return [*steps, linear(model.coefs_[-1].T, model.intercepts_[-1], dtype)]


def vectors(model, classes, dtype):
    """Support vectors; ``classes``: 1 for a single sum."""
    points, scales = _points(model.support_vectors_, dtype)
    starts = np.concatenate([[0], np.cumsum(model._n_support)]) if classes > 1 else [0, len(model.support_vectors_)]
    if model.kernel == "poly" and (model.degree != int(model.degree) or model.degree > 64):
        raise ModelError(f"{type(model).__name__} has degree={model.degree}; boards know whole numbers up to 64.")
    degree = int(model.degree) if model.kernel == "poly" else 0
    return Step("svm", (_KERNELS[model.kernel], degree, classes), [
        points, scales, np.asarray(model._dual_coef_, np.float64).reshape(-1), np.asarray(model._intercept_, np.float64),
        np.array([model._gamma, model.coef0], np.float64), np.array(starts, np.int32)])


def centres(points, metric, name, dtype):
    points, scales = _points(points, dtype)
    return Step("centres", (_metric(metric, name),), [points, scales])


def neighbours(model, says, outputs, dtype):
    """``says``: a class or a number for each point."""
    from scipy.sparse import issparse
    name = type(model).__name__
    if issparse(model._fit_X):
        raise ModelError(f"{name} was fitted on a sparse matrix. Fit it on x.toarray().")
    if model.weights not in ("uniform", "distance"):
        raise ModelError(f"{name} has weights={model.weights!r}; boards know 'uniform' and 'distance'.")
    metric = model.effective_metric_
    if metric == "minkowski":
        metric = {1: "manhattan", 2: "euclidean"}.get(model.effective_metric_params_.get("p"), f"minkowski, p={model.p}")
    points, scales = _points(model._fit_X, dtype)
    return Step("neighbours", (_metric(metric, name), model.n_neighbors, int(model.weights == "distance"), outputs),
                [points, scales, says])


def bayes(model):
    if not model.var_.min() > 0:
        raise ModelError("This GaussianNB has a variance of 0, so its probabilities are undefined. Leave out columns that "
                         "never change, or fit it with a larger var_smoothing.")
    base = np.log(model.class_prior_) - 0.5 * np.log(2 * np.pi * model.var_).sum(axis=1)
    return Step("bayes", (), [base, model.theta_.reshape(-1), np.sqrt(0.5 / model.var_).reshape(-1)])


def _metric(metric, name):
    if not isinstance(metric, str) or metric not in _METRICS:
        raise ModelError(f"{name} has metric={metric!r}; boards know 'euclidean' and 'manhattan'.")
    return _METRICS[metric]


def _points(points, dtype):
    """Rows, flat, and the scale of each column; whole numbers stay whole."""
    points = np.asarray(points, np.float64)
    nothing = np.array([], np.float32)
    if np.array_equal(points, np.rint(points)):
        for kind in (np.uint8, np.int8, np.int16):
            if np.iinfo(kind).min <= points.min() and points.max() <= np.iinfo(kind).max:
                return points.astype(kind).reshape(-1), nothing
    if dtype == "int16":
        points, scales = _to_int16(points, axis=0)
        return points.reshape(-1), scales.astype(np.float32)
    return _float32(points).reshape(-1), nothing


def _to_int16(values, axis):
    """Values as multiples of one scale for each column or row."""
    scales = np.abs(values).max(axis=axis) / 32767
    scales = np.where(scales == 0, 1, scales).astype(np.float32).astype(np.float64)
    shown = scales[:, None] if axis == 1 else scales
    return np.clip(np.rint(values / shown), -32767, 32767).astype(np.int16), scales


def _float32(values):
    with np.errstate(over="ignore"):
        values = np.asarray(values, np.float64).astype(np.float32)
    if not np.isfinite(values).all():
        raise ModelError("The model holds numbers that no float32 can hold. Scale the features before, for example with "
                         "StandardScaler.")
    return values
