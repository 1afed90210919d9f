"""The checks of lesson 14: right answers pass, the usual wrong ones hear what is wrong."""

import numpy as np
import pytest

from edgekit.lab.check import verdict


def test_knock_rate():
    assert verdict("14.1", 9 / 2 * (1 - 0.2034) * 24).state == "right"
    assert verdict("14.1", 86).state == "right"
    assert "knock rate" in verdict("14.1", 9 / 2 * (1 + 0.2034) * 24).message      # that is the inner race
    assert "Expected a number" in verdict("14.1", "86 Hz").message


def crest(x):
    away = x - x.mean()
    return np.abs(away).max() / np.sqrt((away ** 2).mean())


@pytest.mark.parametrize("wrong, of", [
    (lambda x: np.abs(x).max() / np.sqrt((x ** 2).mean()), "knocks"),                # the mean stays in
    (lambda x: np.abs(x - x.mean()).max() / np.abs(x - x.mean()).mean(), "a sine")])
def test_crest_factor(wrong, of):
    assert verdict("14.2", crest).state == "right"
    result = verdict("14.2", wrong)
    assert result.state == "wrong" and f"crest factor of {of}" in result.message


@pytest.mark.parametrize("wrong, message", [
    (lambda healthy, share: healthy.max(), "so it finds fewer faults than it could"),
    (lambda healthy, share: np.quantile(healthy, 1 - 2 * share), "of the healthy scores lie above your limit"),
    (lambda healthy, share: "high", "Expected one number")])
def test_limit(wrong, message):
    assert verdict("14.3", lambda healthy, share: np.quantile(healthy, 1 - share)).state == "right"
    result = verdict("14.3", wrong)
    assert result.state == "wrong" and message in result.message
