"""The meter on homes it has not seen: the board's way holds where a fixed limit fails, and the board does what the host says."""

import runpy

import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit.paths import ROOT
from edgekit.recipes import meter
from edgekit.signals.power import TEST_HOMES

SOME = TEST_HOMES[:4]
"""Four of the twelve unseen homes; benchmarks/meter.py takes all."""


@pytest.fixture(scope="module")
def homes():
    return [meter.watch(name) for name in SOME]


def test_the_board_finds_what_goes_wrong_and_the_naive_ways_do_not(homes):
    scores = meter.compare(homes, {name: way for name, way in meter.METHODS.items() if name != "isolation forest"})
    assert scores["the board"].f1 >= 0.9, str(scores["the board"])
    assert scores["fixed limit"].f1 < 0.6 and scores["z-score"].f1 < 0.5
    late = meter.delays(scores["the board"])["median delay (h)"]
    assert late["stuck"] < 0.5 and late["spike"] < 0.5 and late["left_on"] < 4 and late["fridge_stops"] < 5


def test_a_forest_knows_less_than_who_knows_the_fridge(homes):
    found = meter.score(meter.forest_alarms(homes[0].rows), homes[0].truth)
    assert found.f1 < meter.score(meter.monitor_alarms(homes[0].rows), homes[0].truth).f1
    with pytest.raises(DataError, match="at least 8 days"):
        meter.forest_alarms(homes[0].rows[:500])


def test_the_homes_of_the_test_are_not_those_that_were_looked_at():
    assert not set(TEST_HOMES) & set(meter.CHOSEN_WITH)


def test_the_converter_of_the_board_costs_a_step_of_two_watts():
    seconds = np.array([0, 3, 100, 143, 2000, 6900, 9000], np.int16)
    read = meter.as_read(seconds)
    assert np.abs(read[:-1] - seconds[:-1]).max() <= 1 and read[-1] == 6900


def test_the_benchmark_runs(capsys):
    week = runpy.run_path(str(ROOT / "benchmarks" / "meter.py"))["week"]
    logged, without = week(0.05)
    assert logged == without == [] and "lost: none" in capsys.readouterr().out
