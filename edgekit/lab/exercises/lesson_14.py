"""Exercises of lesson 14: where a bearing knocks, how peaky a signal is, a limit for a budget of false alarms."""

import numpy as np

from edgekit.lab.check import exercise, number
from edgekit.signals.vibration import BEARINGS, fault_orders

TURNS_PER_S = 24.0
BEARING = BEARINGS["6205"]


@exercise("14.1", hints=["How often does a fault of the outer race meet a ball in one turn?",
                         "Half of the balls, less a bit: balls / 2 * (1 - ratio). Then times the turns in a second.",
                         "9 / 2 * (1 - 0.2034) is the order. Times 24 ..."])
def knocks_per_second(value):
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return f"Expected a number of knocks in a second, found {value!r:.40}."
    return number(value, fault_orders(BEARING)["outer"] * TURNS_PER_S, what="knock rate", unit="Hz", tolerance=0.5)


@exercise("14.2", hints=["What is the largest step away from the mean, and what is the usual one?",
                         "The usual one is the root of the mean of the squares (RMS) of x - x.mean().",
                         "away = x - x.mean(); return abs(away).max() / ..."])
def crest_factor(function):
    time = np.arange(1024)
    knocks = np.where(time % 128 == 0, 10.0, 0.0)
    for x, what in ((np.sin(2 * np.pi * time / 64), "a sine"), (knocks, "knocks"), (5 + np.sin(2 * np.pi * time / 64), "a sine on top of 5")):
        away = x - x.mean()
        wrong = number(function(x), np.abs(away).max() / np.sqrt((away ** 2).mean()), what=f"crest factor of {what}", tolerance=1e-3)
        if wrong:
            return wrong
    return None


@exercise("14.3", hints=["Which share of the healthy scores may lie above the limit?",
                         "Sort the healthy scores. np.quantile does it for you.",
                         "np.quantile(healthy, 1 - ...)"])
def own_limit(function):
    rng = np.random.default_rng(14)
    for share in (0.05, 0.01):
        healthy = rng.gamma(2.0, 1000.0, 2000)
        limit = function(healthy, share)
        if not np.isscalar(limit) or isinstance(limit, str):
            return f"Expected one number, found {limit!r:.40}."
        above = float((healthy > limit).mean())
        if above > 1.1 * share:
            return f"{above:.1%} of the healthy scores lie above your limit, {share:.0%} may."
        if above < 0.5 * share:
            return f"Only {above:.2%} of the healthy scores lie above your limit, {share:.0%} may: so it finds fewer faults than it could."
    return None
