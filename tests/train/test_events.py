"""Alarms against labelled events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.errors import DataError
from edgekit.train.events import Event, EventScore, cheapest, match, merge, runs, total

spans = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 20)).map(lambda pair: Event(pair[0], sum(pair))), max_size=12)


@given(spans, spans, st.integers(0, 10), st.integers(0, 10), st.integers(0, 30))
def test_every_event_is_found_or_missed(events, alarms, early, late, within):
    score = match(events, alarms, early, late=late, merge_within=within)
    assert sorted(score.found + score.missed) == sorted(events) and set(score.false) <= set(alarms)
    assert len(score.delays) == len(score.found) and all(0 <= delay < 20 for delay in score.delays)
    assert 0 <= score.f1 <= 1 and min(score.precision, score.recall) - 1e-9 <= score.f1
    assert (score.f1 == 1) == (not score.missed and not score.false)


@given(spans)
def test_alarms_that_are_the_labels_are_perfect(events):
    score = match(events, events)
    assert score.f1 == 1 and not any(score.delays)


def test_a_filter_may_answer_late():
    assert match([Event(10, 11)], [Event(13, 14)]).f1 == 0
    assert match([Event(10, 11)], [Event(13, 14)], grace=3).delays == (3,)


def test_neither_silence_nor_a_siren_is_rewarded():
    events = [Event(10, 20), Event(50, 60)]
    assert match(events, []).f1 == 0 and match(events, [Event(0, 100)]).f1 == 0
    assert match([], []).f1 == 1


def test_false_alarms_close_together_are_one_walk():
    alarms = [Event(t, t + 1) for t in (0, 5, 9, 30)]
    assert len(match([], alarms).false) == 4 and len(match([], alarms, merge_within=10).false) == 2


def test_kinds():
    events, alarms = [Event(10, 20, "flat")], [Event(12, 13, "spike"), Event(15, 16, "flat"), Event(90, 91, "spike")]
    score = match(events, alarms, kinds=True)
    assert score.delays == (5,) and score.false == (alarms[2],)
    parts = score.by_kind()
    assert parts["flat"].f1 == 1 and parts["spike"].false == (alarms[2],)
    assert match(events, alarms[:1], kinds=True).missed == tuple(events)
    assert match(events, alarms).delays == (2,)


def test_scores_add_up_and_have_a_cost():
    one = match([Event(0, 5), Event(9, 10)], [Event(3, 4), Event(40, 41)])
    both = total([one, one])
    assert (len(both.found), len(both.missed), len(both.false)) == (2, 2, 2) and both.f1 == 0.5
    assert both.cost(missed=100, false=7) == 214 and both.delay == 3
    assert str(both) == "F1 0.50: 2 of 4 events found, 2 false alarms; delay 3 (median), 3 (longest)"
    assert str(EventScore()) == "F1 1.00: 0 of 0 events found, 0 false alarms"


def test_flags_become_events_and_back():
    flags = [True, False, False, True, True]
    assert runs(flags, "x", first=10) == [Event(10, 11, "x"), Event(13, 15, "x")]
    assert runs([]) == [] and merge(runs(flags), gap=3) == [Event(0, 5)] and merge(runs(flags), gap=2) == runs(flags)


def test_the_cheapest_threshold_depends_on_the_cost():
    events = [Event(10, 20), Event(30, 40)]
    keen = match(events, [Event(10, 11), Event(30, 31), Event(0, 1), Event(5, 6), Event(7, 8)])
    calm = match(events, [Event(10, 11)])
    assert cheapest([1, 9], [keen, calm], missed=100, false=1) == 1
    assert cheapest([1, 9], [keen, calm], missed=1, false=100) == 9


def test_an_event_needs_a_length():
    with pytest.raises(DataError, match="An event ends after it starts; found start 5, stop 5"):
        Event(5, 5)
