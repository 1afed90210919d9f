"""The fall detector's recipe and what is shipped of it: no training here."""

import hashlib
import platform

import numpy as np
import pytest

from edgekit import deploy
from edgekit.convert import run, runs_on_board
from edgekit.course import build_falls
from edgekit.deploy.bundle import FALL_THRESHOLD
from edgekit.errors import DataError, ModelError
from edgekit.features import load_params
from edgekit.features.falls import NAMES, EventParams
from edgekit.paths import DATASETS, MODELS
from edgekit.recipes import falls as recipe
from edgekit.recipes.falls import Rule, collect, load_events, naive_outcome, outcome, poisson_interval
from edgekit.tflite import Interpreter


@pytest.fixture(scope="module")
def parts():
    return {name: load_events(name) for name in recipe.PARTS}


@pytest.fixture(scope="module")
def content():
    return (MODELS / recipe.FILES["int8"]).read_bytes()


@pytest.fixture(scope="module")
def measured(content, parts):
    return build_falls.figures(content, parts)


def test_nobody_is_in_two_parts(parts):
    people = [set(part.subject.tolist()) for part in parts.values()]
    assert [len(group) for group in people] == [48, 24, 48, 24] and len(set.union(*people)) == 144
    assert all(set(parts[name].subject) <= set(recipe.PARTS[name].people) for name in parts)


def test_the_shipped_events_are_those_of_a_new_simulation(parts):
    """Two people live and fall again; the whole takes five minutes: edgekit course models."""
    test = parts["test"]
    made = collect("test", people=("p301",), takes=1, days=1)
    single = (test.subject == "p301") & (test.recording >= 0)
    takes = recipe.PARTS["test"].takes
    first = single & (test.recording % takes == 0)
    assert test.values[first].tolist() == made.values[made.recording >= 0].tolist()
    assert test.label[first].tolist() == made.label[made.recording >= 0].tolist()
    day = (test.subject == "p301") & (test.day == 0)
    assert test.values[day].tolist() == made.values[made.day >= 0].tolist()
    assert test.label[day].tolist() == made.label[made.day >= 0].tolist()
    assert (DATASETS / recipe.EVENTS).stat().st_size < 500_000


def test_events_are_read_again_as_they_were_written(parts, tmp_path):
    recipe.save_events(parts, tmp_path / "events.npz")
    again = load_events("validation", tmp_path / "events.npz")
    assert np.array_equal(again.values, parts["validation"].values) and again.naive == parts["validation"].naive
    (tmp_path / "events.npz").write_bytes(b"no")
    with pytest.raises(DataError, match="events.npz cannot be read"):
        load_events("test", tmp_path / "events.npz")
    with pytest.raises(DataError, match="No part 'exam': expected one of train, validation, test"):
        load_events("exam")


def test_strangers_falls_are_found_with_less_than_one_false_alarm_a_day(measured):
    network = measured["network"]
    assert network.recall >= 0.95 and network.alarms_per_day < 1 and network.days >= 90
    assert poisson_interval(network.alarms, network.days)[1] < 1
    assert measured["threshold"] == FALL_THRESHOLD, "edgekit.deploy.bundle.FALL_THRESHOLD is another one"


def test_the_naive_rule_fails_and_a_good_rule_finds_less(measured):
    assert measured["naive"].alarms_per_day > 5 and measured["naive"].recall < 0.92
    assert measured["rule"].recall < measured["network"].recall - 0.04
    assert measured["rule"].alarms >= measured["network"].alarms


def test_always_silent_is_right_nearly_always(parts):
    """Why accuracy lies: nearly all that strikes in a day is no fall."""
    test = parts["test"]
    day = test.day >= 0
    assert (test.y[day] == 0).mean() == 1.0
    silent = outcome(test, np.zeros(len(test), bool))
    assert silent.found == 0 and silent.alarms == 0 and silent.falls == 864


def test_the_card_is_of_this_file(content, parts):
    assert build_falls.card(content, parts) == (MODELS / build_falls.CARD).read_text(encoding="utf-8")
    card = (MODELS / build_falls.CARD).read_text()
    assert hashlib.sha256(content).hexdigest() in card and "synthetic" in card and "no medical device" in card


def test_weights_give_the_shipped_file_again(content, parts):
    again = recipe.convert(recipe.load_weights(), parts["train"])
    if platform.machine() in ("x86_64", "AMD64"):
        assert again == content
    else:
        features = parts["test"].features[:400]
        assert abs(run(again, features) - run(content, features)).max() < 0.05


def test_it_is_small_and_runs_on_the_board(content, parts):
    assert len(content) < 5000 and runs_on_board(content) == "yes"
    assert load_params(MODELS / recipe.FEATURES) == EventParams()
    deploy.fall_bundle().check()
    features = parts["test"].features
    assert np.array_equal(Interpreter(content).invoke(features[:500]).reshape(-1, 2),
                          np.rint(run(content, features[:500]) * 256 - 128).astype(np.int8))


def test_what_counts(parts):
    small = collect("validation", people=("p201",), takes=1, days=0)
    everything = outcome(small, np.ones(len(small), bool))
    assert everything.found == everything.falls - sum(small.missed.values()) and everything.alarms == 0
    assert everything.falls == 6 and small.days == 0
    with pytest.raises(DataError, match="one decision for each of"):
        outcome(small, [True])
    rule = Rule(10000, 0, 0, 200, 60)
    assert not rule.says(small.values).any()
    assert "found" in str(naive_outcome(parts["test"])) and "a day" in str(naive_outcome(parts["test"]))


def test_thresholds_that_cannot_be(parts):
    part = parts["validation"]
    with pytest.raises(ModelError, match="No threshold has at most 0 false alarms"):
        recipe.choose_threshold(part, np.ones(len(part)), 0)
    low, high = poisson_interval(0, 10)
    assert low == 0 and high == pytest.approx(0.369, abs=0.001)
    assert poisson_interval(27, 96) == pytest.approx((0.185, 0.409), abs=0.001)


def test_weights_of_another_net_are_named(tmp_path):
    np.savez(tmp_path / "other.npz", first=np.zeros(3))
    with pytest.raises(ModelError, match="other.npz holds the weights first; the fall net has .*dense_1"):
        recipe.load_weights(tmp_path / "other.npz")


def test_names():
    assert len(NAMES) == 14 and len(set(NAMES)) == 14
