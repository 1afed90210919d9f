"""What lesson 13 shows of a pulse, and the judges of its exercises."""

import pytest

from edgekit.board.profiles import PROFILES
from edgekit.lab import heart
from edgekit.lab.check import EXERCISES, lesson_exercises
from edgekit.lab.waiting import mah_per_day
from edgekit.recipes.heart import as_arrays, pulse, windows
from edgekit.signals.heart import load_sessions

SESSIONS = {(one.recording.subject, one.recording.label): one for one in load_sessions()}


@pytest.fixture(scope="module")
def table():
    return windows([SESSIONS["p05", "rest"], SESSIONS["p07", "walk"]])


def axes_of(figure):
    for ax in figure.axes:
        assert ax.get_xlabel() or ax.get_ylabel()
    return figure.axes


def test_plots_have_axes_with_units_and_say_what_they_show(table):
    walk = SESSIONS["p07", "walk"]
    follower = pulse.Pulse()
    light, motion = as_arrays(walk.recording)
    follower.feed(light[:1200], motion[:3600], red=False)
    assert "1000 counts" in axes_of(heart.plot_light({"one": walk}))[0].get_ylabel()
    assert axes_of(heart.plot_spectra(walk, 4, 12))[1].get_xlabel() == "times per minute"
    assert "per minute" in axes_of(heart.plot_two_ways(follower))[0].get_title()
    assert "per minute" in axes_of(heart.plot_rates(table[table.condition == "walk"]))[0].get_ylabel()
    assert "said - true" in axes_of(heart.plot_agreement({"all": table}))[0].get_ylabel()
    assert [label.get_text() for label in axes_of(heart.plot_reasons(table, pulse.REASONS))[0].get_yticklabels()] \
        == ["at rest", "walking"]


def test_the_walker_of_the_lesson_is_the_trap(table):
    from edgekit.recipes.heart import again, limits_like
    walk = table[table.condition == "walk"]
    sure = again(walk, limits_like(movement=1 << 20, near=-1))
    assert (sure.reason == 0).all() and ((sure.rate_bpm - sure.truth_bpm) > 10).all()
    assert (walk.reason == pulse.STEPS).all()


def test_a_longer_pause_costs_less():
    mah = [mah_per_day(PROFILES["esp32c3"], heart.duty_cycle(every_s)) for every_s in (0, 20, 60, 600)]
    assert mah == sorted(mah, reverse=True)
    assert heart.duty_cycle(600).name == "16.1 s every 600 s"


def test_what_the_app_printed():
    assert heart.a_look("2     600 s  no reading: no finger\n") == ["no reading: no finger"]


@pytest.fixture(scope="module")
def judges():
    return {exercise.id: exercise.judge for exercise in lesson_exercises("13")} and EXERCISES


@pytest.mark.parametrize("minutes, word", [(1, "the battery lasts 9 days"), (6, "lasts 53 days: expected 60"),
                                           (8, "look more often"), (0, "at least 1"), (7.5, "whole number"), ("7", "whole number")])
def test_13_1_says_what_is_wrong(judges, minutes, word):
    assert word in judges["13.1"].judge(minutes)
    assert judges["13.1"].judge(7) is None


def near(a, b, part=6):
    return 100 * abs(a - b) <= part * b


@pytest.mark.parametrize("function, word", [
    (lambda p, s, c, m: "ok", "both ways"),
    (lambda p, s, c, m: "uneven" if abs(p - s) > 2 else "ok", "the rate is the steps'"),
    (lambda p, s, c, m: "steps" if m > 12 and c and near(s, c) else "uneven" if abs(p - s) > 2 else "ok", "an arm swings once in two"),
    (lambda p, s, c, m: "steps" if c and any(near(s, h) for h in (c, 2 * c, c / 2)) else "uneven" if abs(p - s) > 2 else "ok",
     "the hand is still"),
    (lambda p, s, c, m: "uneven" if abs(p - s) > 2 else "steps" if m > 12 and c and any(near(s, h) for h in (c, 2 * c, c / 2))
     else "ok", "the hand is asked first"),
    (lambda p, s, c, m: True, "Expected 'ok', 'steps' or 'uneven'"),
])
def test_13_2_says_what_is_wrong(judges, function, word):
    found = judges["13.2"].judge(function)
    assert found and (word in found or "3 per minute apart" in found)
