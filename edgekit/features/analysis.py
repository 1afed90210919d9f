"""What a feature knows: the gesture, or the person who made it?"""

import numpy as np

from edgekit.errors import DataError


def variance_explained(features, groups) -> np.ndarray:
    """Share of each feature's variance that the group explains (eta squared).

    0: knowing the group says nothing about the feature. 1: the group fixes it. Compute it once with the gesture as
    the group and once with the subject: a feature that the subject explains will mislead a model about strangers. ::

        eta2 = sum over groups of n_group * (mean_group - mean) ** 2  /  sum of (x - mean) ** 2

    Parameters
    ----------
    features : array, shape [N, n]
    groups : array, shape [N]
        Label or subject of each window.

    Returns
    -------
    numpy.ndarray of float64, shape [n]
        From 0 to 1; 0 for a feature that never changes.

    Raises
    ------
    DataError
        There is not one group for each window.

    Examples
    --------
    >>> features = [[1, 5], [1, 6], [9, 5], [9, 6]]
    >>> variance_explained(features, ["a", "a", "b", "b"]).tolist()
    [1.0, 0.0]
    """
    x, groups = np.asarray(features, float), np.asarray(groups)
    if x.ndim != 2 or groups.shape != (len(x),):
        raise DataError(f"Expected features of shape [N, n] and one group per window; found {list(x.shape)} and "
                        f"{list(groups.shape)}.")
    mean = x.mean(axis=0)
    total = ((x - mean) ** 2).sum(axis=0)
    between = np.zeros_like(total)
    for group in np.unique(groups):
        members = x[groups == group]
        between += len(members) * (members.mean(axis=0) - mean) ** 2
    return np.divide(between, total, out=np.zeros_like(total), where=total > 0)


def feature_table(features, names, y, subject):
    """Which feature tells the gesture and which tells the person: one row per feature.

    Parameters
    ----------
    features : array, shape [N, n]
        For example from :func:`edgekit.features.motion.summary`.
    names : sequence of str
        Names of the n features.
    y, subject : array, shape [N]
        Label and subject of each window.

    Returns
    -------
    pandas.DataFrame
        Index: feature. Columns ``by_gesture`` and ``by_subject``: :func:`variance_explained`, 0 to 1.
    """
    import pandas as pd

    return pd.DataFrame({"by_gesture": variance_explained(features, y),
                         "by_subject": variance_explained(features, subject)},
                        index=pd.Index(names, name="feature"))
