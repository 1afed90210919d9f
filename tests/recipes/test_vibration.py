"""The motor watcher's recipe: the shipped model is what its card says, and beats the naive way on strangers."""

import hashlib
import json

import numpy as np
import pytest

from edgekit.course import build_vibration
from edgekit.errors import DataError
from edgekit.paths import MODELS
from edgekit.recipes import vibration as recipe
from edgekit.signals.vibration import TRAIN_LOADS, UNSEEN_LOADS, plan


@pytest.fixture(scope="module")
def further():
    return recipe.load_rows("further")


@pytest.fixture(scope="module")
def shipped():
    return recipe.load_shipped()


def test_the_shipped_numbers_are_those_of_the_plan(further):
    for part, takes in recipe.TAKES.items():
        rows, planned = recipe.load_rows(part), plan(part, takes)
        assert [(row.machine, row.fault) for row in planned] == list(zip(rows.machine.tolist(), rows.fault.tolist(), strict=True))
    again = recipe.collect(plan("further", 3)[300:304])
    np.testing.assert_array_equal(again.values, further.values[300:304])
    assert set(recipe.load_rows("train").load.round(3).tolist()) == {round(float(np.float32(load)), 3) for load in TRAIN_LOADS}
    assert not set(TRAIN_LOADS) & set(UNSEEN_LOADS)


def test_bearings_on_unseen_machines_at_unseen_loads(further, shipped):
    content, scaler, limit = shipped
    table = recipe.auc_by_fault(further, recipe.errors(content, scaler.transform(further.values)))
    assert table["bearing"] >= 0.95
    assert recipe.auc_by_fault(further, further.mm_s)["bearing"] < 0.6          # the naive way
    card = (MODELS / build_vibration.CARD).read_text()
    assert f"{table['bearing']:.3f}" in card and f"limit {limit}" in card and "synthetic" in card
    assert hashlib.sha256(content).hexdigest() in card


def test_the_shipped_scaler_and_limit_come_from_the_shipped_numbers(shipped):
    content, scaler, limit = shipped
    assert recipe.Scaler.fit(recipe.load_rows("train").values) == scaler
    assert recipe.choose_limit(recipe.errors(content, scaler.transform(recipe.load_rows("validation").values))) == limit
    assert json.loads((MODELS / recipe.SETTINGS).read_text()) == recipe.settings(content, scaler, limit)


def test_parts_and_files_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match="No part 'exam'"):
        recipe.load_rows("exam")
    with pytest.raises(DataError, match="git checkout"):
        recipe.load_rows("train", tmp_path / "features.npz")
    with pytest.raises(DataError, match="git checkout"):
        recipe.load_shipped(tmp_path)
