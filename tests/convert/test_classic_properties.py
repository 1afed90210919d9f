"""Random data sets and hyper-parameters: the host twin and the C kernels say what scikit-learn says."""

import numpy as np
import pytest
import random_classic
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.convert import load_classic, to_board


@pytest.mark.parametrize("family", random_classic.FAMILIES)
@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_answers_are_scikit_learns(family, seed):
    model, x = random_classic.fitted(family, seed)
    said, probabilities = random_classic.answers(model, x)
    file = to_board(model)
    for kernels in ("python", "c"):
        board = load_classic(file, kernels)
        if board.classes:
            np.testing.assert_array_equal(board.predict(x), said)
        else:
            np.testing.assert_allclose(board.predict(x), said, rtol=1e-5, atol=1e-5 * np.abs(said).max())
        if probabilities is not None:
            np.testing.assert_allclose(board.predict_proba(x), probabilities, atol=1e-5)
