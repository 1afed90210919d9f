"""Random data sets and fitted scikit-learn models of every family that boards run."""

import warnings

import numpy as np
from threadpoolctl import threadpool_limits


def data(rng, regression=False):
    """x of float32 numbers, y. Columns of several sizes; some are whole numbers, some hold few different values."""
    rows, columns = int(rng.integers(30, 120)), int(rng.integers(1, 9))
    x = rng.normal(rng.normal(0, 2, columns), rng.uniform(0.5, 2, columns), (rows, columns)) * 10.0 ** rng.integers(-2, 4)
    if rng.random() < 0.4:
        x = np.rint(x * rng.choice([1, 3]))
    x += (x.std(axis=0) == 0) * rng.integers(0, 3, (rows, columns))
    x = x.astype(np.float32).astype(np.float64)
    weights = rng.normal(0, 1, (columns, 4))
    z = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)
    if regression:
        return x, z @ weights[:, 0] + np.sin(z @ weights[:, 1]) + rng.normal(0, 0.1, rows)
    classes = int(rng.integers(2, 5))
    y = (z @ weights[:, :classes] + rng.normal(0, 0.5, (rows, classes))).argmax(axis=1)
    y[:2 * classes] = np.tile(np.arange(classes), 2)   # each class twice at least
    names = rng.choice(["counted", "text", "odd"])
    return x, {"counted": y, "text": np.array(["rest", "wave", "tap", "ärm"])[y], "odd": np.array([7, -3, 100, 2])[y]}[names]


def _trees(rng):
    from sklearn import ensemble, tree
    deep = rng.choice([None, 1, 3, 6])
    plain = dict(max_depth=deep, min_samples_leaf=int(rng.integers(1, 5)), random_state=0)
    trees = int(rng.integers(1, 12))
    return [tree.DecisionTreeClassifier(**plain), ensemble.RandomForestClassifier(trees, **plain),
            ensemble.ExtraTreesClassifier(trees, class_weight=rng.choice([None, "balanced"]), **plain)][rng.integers(3)]


def _boosting(rng):
    from sklearn import ensemble
    if rng.random() < 0.5:
        return ensemble.GradientBoostingClassifier(n_estimators=int(rng.integers(1, 12)), max_depth=int(rng.integers(1, 4)),
                                                   learning_rate=rng.uniform(0.05, 1), subsample=0.9, random_state=0)
    return ensemble.HistGradientBoostingClassifier(max_iter=int(rng.integers(1, 8)), min_samples_leaf=5, random_state=0)


def _tree_regressors(rng):
    from sklearn import ensemble, tree
    n = int(rng.integers(1, 8))
    return [tree.DecisionTreeRegressor(max_depth=4), ensemble.RandomForestRegressor(n), ensemble.ExtraTreesRegressor(n),
            ensemble.GradientBoostingRegressor(n_estimators=n), ensemble.HistGradientBoostingRegressor(max_iter=n)][rng.integers(5)]


def _linear(rng):
    from sklearn import linear_model, svm
    c = 10 ** rng.uniform(-2, 2)
    return [linear_model.LogisticRegression(C=c), svm.LinearSVC(C=c), linear_model.RidgeClassifier()][rng.integers(3)]


def _linear_regressors(rng):
    from sklearn import linear_model, svm
    return [linear_model.LinearRegression(), linear_model.Ridge(), svm.SVR(C=3.0), svm.SVR(kernel="linear")][rng.integers(4)]


def _support(rng):
    from sklearn import svm
    kernel = str(rng.choice(["rbf", "poly", "linear", "sigmoid"]))
    return svm.SVC(kernel=kernel, C=10 ** rng.uniform(-1, 2), degree=int(rng.integers(1, 4)), coef0=rng.uniform(0, 1))


def _neighbours(rng):
    from sklearn import neighbors
    if rng.random() < 0.3:
        return neighbors.NearestCentroid(metric=str(rng.choice(["euclidean", "manhattan"])))
    return neighbors.KNeighborsClassifier(int(rng.integers(1, 8)), weights=str(rng.choice(["uniform", "distance"])),
                                          p=int(rng.integers(1, 3)))


def _neighbour_regressors(rng):
    from sklearn import neighbors
    return neighbors.KNeighborsRegressor(int(rng.integers(1, 8)), weights="distance")


def _bayes(rng):
    from sklearn import naive_bayes
    return naive_bayes.GaussianNB(var_smoothing=10 ** rng.uniform(-9, -2))


def _perceptrons(rng):
    from sklearn import neural_network
    hidden = tuple(rng.integers(2, 9, rng.integers(1, 3)).tolist())
    return neural_network.MLPClassifier(hidden, activation=str(rng.choice(["relu", "tanh", "logistic", "identity"])),
                                        max_iter=30, random_state=0)


def _outliers(rng):
    from sklearn import cluster, ensemble, svm
    return [ensemble.IsolationForest(n_estimators=8, contamination=["auto", 0.1][rng.integers(2)], random_state=0),
            svm.OneClassSVM(nu=rng.uniform(0.05, 0.5)), cluster.KMeans(4, n_init=1, random_state=0)][rng.integers(3)]


def _before(rng, columns, scaled):
    """Steps before the model."""
    from sklearn import compose, decomposition, feature_selection, impute, preprocessing
    steps = []
    if rng.random() < 0.3:
        steps.append(impute.SimpleImputer(strategy=str(rng.choice(["mean", "median"]))))
    scaler = [preprocessing.StandardScaler(), preprocessing.MinMaxScaler(clip=bool(rng.integers(2))),
              preprocessing.RobustScaler()][rng.integers(3)]
    if scaled or rng.random() < 0.5:
        steps.append(scaler)
    if columns > 2 and rng.random() < 0.3:
        half = rng.permutation(columns)[:columns // 2].tolist()
        steps.append(compose.ColumnTransformer([("a", preprocessing.MinMaxScaler(), half)], remainder="passthrough"))
    if columns > 2 and rng.random() < 0.3:
        steps.append(feature_selection.SelectKBest(k=columns - 1))
    elif columns > 2 and scaled and rng.random() < 0.2:
        steps.append(decomposition.PCA(2, whiten=bool(rng.integers(2))))
    return steps


FAMILIES = {
    "trees": (_trees, False, False), "boosting": (_boosting, False, False), "tree regressors": (_tree_regressors, True, False),
    "linear": (_linear, False, True), "linear regressors": (_linear_regressors, True, True),
    "support vectors": (_support, False, True), "neighbours": (_neighbours, False, False),
    "neighbour regressors": (_neighbour_regressors, True, False), "bayes": (_bayes, False, True),
    "perceptrons": (_perceptrons, False, True), "outliers": (_outliers, False, True),
}
"""Name: how to make one, whether it says numbers, whether its columns are scaled first."""


@threadpool_limits.wrap(limits=1)
def fitted(family, seed):
    """A fitted pipeline, and rows to ask it about: those it was fitted on, others, and NaN where it can be filled."""
    from sklearn.pipeline import make_pipeline
    rng = np.random.default_rng(seed)
    make, regression, scaled = FAMILIES[family]
    x, y = data(rng, regression)
    model = make(rng)
    if hasattr(model, "n_neighbors"):
        # Which of equally far neighbours count is defined by brute force in one thread, which rounds other distances.
        model.set_params(algorithm="brute" if (x == np.rint(x)).all() else "kd_tree")
        steps = []
    else:
        steps = _before(rng, x.shape[1], scaled)
        model = make_pipeline(*steps, model) if steps else model
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x, y)
    asked = np.concatenate([x[:15], rng.normal(x.mean(axis=0), 2 * x.std(axis=0) + 0.1, (15, x.shape[1]))])
    asked = asked.astype(np.float32).astype(np.float64)
    if type(steps[0] if steps else model).__name__ == "SimpleImputer" or "Hist" in type(model).__name__:
        asked[rng.random(asked.shape) < 0.1] = np.nan
    return model, asked


@threadpool_limits.wrap(limits=1)
def answers(model, x):
    """scikit-learn's own: classes or numbers, and probabilities if it has them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = model.predict(x)
        last = model[-1] if hasattr(model, "steps") else model
        known = hasattr(model, "predict_proba") and type(last).__name__ != "NearestCentroid"
        return said, model.predict_proba(x) if known else None
