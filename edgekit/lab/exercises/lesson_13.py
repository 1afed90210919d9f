"""Exercises of lesson 13."""

from edgekit.board.profiles import PROFILES
from edgekit.lab.check import exercise
from edgekit.lab.heart import duty_cycle
from edgekit.lab.waiting import mah_per_day

_BATTERY_MAH, _DAYS = 500, 60


@exercise("13.1", hints=["What grows when the pause grows: the charge of a day, or the days that the battery lasts?",
                         "mah_per_day(PROFILES[\"nano33ble\"], duty_cycle(60 * minutes)) is the charge of a day. Try 1, 2, 5, 10 minutes.",
                         "500 mAh in 60 days: at most 8.33 mAh a day. Which is the first whole minute that keeps below?"])
def pause(minutes):
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or minutes != int(minutes) or minutes < 1:
        return f"Expected a whole number of minutes, at least 1; found {minutes!r:.40}."

    def days(pause_min):
        return _BATTERY_MAH / mah_per_day(PROFILES["nano33ble"], duty_cycle(60 * pause_min))

    if days(minutes) < _DAYS:
        return f"With a look every {minutes:g} minutes the battery lasts {days(minutes):.0f} days: expected {_DAYS}."
    if minutes > 1 and days(minutes - 1) >= _DAYS:
        return f"The battery lasts {days(minutes):.0f} days: you could look more often."
    return None


_CASES = (
    # peaks, shift, steps, movement, answer, why
    (72, 72, 0, 3, "ok", "both ways agree and the hand is still"),
    (72, 75, 0, 3, "uneven", "the two ways are 3 per minute apart"),
    (75, 72, 0, 3, "uneven", "the two ways are 3 per minute apart, the other way round"),
    (72, 74, 0, 3, "ok", "2 per minute apart is still allowed"),
    (99, 99, 100, 120, "steps", "the rate is the steps'"),
    (51, 51, 100, 120, "steps", "an arm swings once in two steps: half the steps is the hand's as well"),
    (180, 180, 90, 120, "steps", "a step may shake twice: double the steps is the hand's as well"),
    (72, 72, 100, 120, "ok", "72 is far from 100, 50 and 200"),
    (99, 99, 100, 5, "ok", "the hand is still: a rhythm of 5 mg is no step"),
    (99, 99, 0, 120, "ok", "there is movement, but without a rhythm"),
    (90, 99, 100, 120, "steps", "the hand is asked first: the reason is told to a person who should stand still"),
    (106, 106, 100, 120, "steps", "exactly 6 % away is still too near"),
    (107, 107, 100, 120, "ok", "7 % away is far enough"),
    (94, 94, 100, 120, "steps", "6 % below counts as well"),
)


@exercise("13.2", hints=["Which rates can a hand make if its steps are 100 per minute? Three of them.",
                         "Ask the hand first: only if movement_mg > 12 and steps > 0. A rate is near another one, b, if 100 * abs(rate - b) <= 6 * b. "
                         "Take the shift's rate.",
                         "for hand in (steps, 2 * steps, steps / 2): if ...: return \"steps\". After the loop compare the two ways."])
def may_speak(function):
    for peaks, shift, steps, movement_mg, expected, why in _CASES:
        found = function(peaks, shift, steps, movement_mg)
        if found not in ("ok", "steps", "uneven"):
            return f"Expected 'ok', 'steps' or 'uneven', found {found!r:.40}."
        if found != expected:
            return (f"For beats {peaks}, shift {shift}, steps {steps} per minute and {movement_mg} mg: found {found!r}, "
                    f"expected {expected!r}: {why}.")
    return None


@exercise("13.3", hints=["How large is the upper end after 10 days without an alarm? It must fall below 0.1.",
                         "The upper end is about 3.7 divided by the days. (For 'at most', without a lower end, it would be 3: the rule of three.)",
                         "Which is the first whole number of days for which poisson_interval(0, days)[1] is below 0.1?"])
def silent_days(value):
    from edgekit.recipes.falls import poisson_interval
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 100_000:
        return f"Expected a whole number of days, found {value!r:.40}."
    if poisson_interval(0, value)[1] >= 0.1:
        return f"After {value} days without an alarm it could still be {poisson_interval(0, value)[1]:.2f} a day: too many for one in ten days."
    if value > 1 and poisson_interval(0, value - 1)[1] < 0.1:
        return f"{value} days are enough, but fewer would be enough as well."
    return None


@exercise("13.4", hints=["Which falls does the rule miss, and which numbers could tell them from a hard chair? Look at falls.outcome(...).missed_kinds.",
                         "RandomForestClassifier(30, max_depth=10, class_weight='balanced', random_state=0) learns from train.values and train.y.",
                         "Its predict_proba(values)[:, 1] is a score. falls.choose_threshold(validation, scores, 0.5) gives the limit: chosen on "
                         "people whom the forest has not seen."])
def fall_judge(function):
    import numpy as np

    from edgekit.recipes.falls import load_events, outcome
    test = load_events("test")
    said = np.asarray(function(test.values.copy()))
    if said.shape != (len(test),):
        return f"Expected one answer for each of {len(test)} events, found an array of shape {said.shape}."
    if said.dtype != bool and not np.isin(said, (0, 1)).all():
        return "Expected True or False for each event, found other numbers: compare your score with a limit."
    found = outcome(test, said.astype(bool))
    if found.alarms_per_day >= 1:
        return f"On unseen people: {found.alarms_per_day:.1f} false alarms a day; expected less than 1."
    if found.recall < 0.93:
        return f"On unseen people: {found.recall:.1%} of the falls are found; expected at least 93 %."
    return None
