"""Exercises of lesson 17: how many homes, how many looks a day, a test that notices a drift."""

import numpy as np

from edgekit.features import FeatureParams, motion
from edgekit.lab.check import exercise
from edgekit.signals import washing
from edgekit.train import accuracy_interval

CHOICES = (20, 40, 80, 160, 320)
"""Among which exercise 17.1 lets choose."""
_SHARE, _WIDTH = 0.9, 0.10

_PARAMS = FeatureParams(kind="summary", channels=3, window=256, stride=128)


@exercise("17.1", hints=["If nine homes of ten work, how many of 20 are that? And how wide is the interval of 18 of 20?",
                         "low, high = accuracy_interval(round(0.9 * n), n), for each of the five numbers.",
                         "The width is high - low. It halves when n becomes four times as large. 0.19 for 40 homes, so 0.10 needs ..."])
def how_many_homes(value):
    if isinstance(value, bool) or value not in CHOICES:
        return f"Expected one of {', '.join(map(str, CHOICES))} homes, found {value!r:.40}."
    width = {n: np.diff(accuracy_interval(round(_SHARE * n), n))[0] for n in CHOICES}
    if width[value] > _WIDTH:
        return (f"With {value} homes the interval is {100 * width[value]:.0f} points wide, from low to high; it may be "
                f"{100 * _WIDTH:.0f} at most.")
    if value > min(n for n in CHOICES if width[n] <= _WIDTH):
        return f"{value} homes are enough, but fewer of the five numbers would be enough too, and each home costs you a day."
    return None


@exercise("17.2", hints=["What does a day cost in which the board never looks? The rest of the budget is for looks.",
                         "One look costs look_s / 3600 hours times the current, awake. But in those hours it does not sleep: what is "
                         "saved then?",
                         "left = limit_mah - 24 * sleep_ma; each = look_s / 3600 * (awake_ma - sleep_ma). Then: a whole number, not below "
                         "0, and not more looks than a day has room for (86400 s)."])
def looks_a_day(function):
    for limit, look_s, sleep, awake, why in (
            (100, 4, 0.8, 34.8, "an ESP32 that looks for 4 s"),
            (20, 4, 0.13, 23.8, "an ESP32-C3 that looks for 4 s"),
            (10, 4, 0.8, 34.8, "asleep all day it needs 19.2 mAh already, so there is no look at all"),
            (5, 2.56, 0.0065, 7.2, "a Nano 33 BLE, one window each"),
            (5000, 4, 0.8, 34.8, "the budget is larger than a day can use: a day has 86400 s")):
        expected = int(np.clip((limit - 24 * sleep) / (look_s / 3600 * (awake - sleep)), 0, 86400 / look_s))
        found = function(limit, look_s, sleep, awake)
        if isinstance(found, bool) or not isinstance(found, int | float | np.number):
            return f"Expected a number of looks, found {found!r:.60}."
        if found < 0:
            return f"{found:g} looks a day: less than none. ({why})"
        if abs(found - expected) > 1:
            near = "too many" if found > expected else "too few"
            return f"For {limit} mAh, {look_s} s, {sleep} mA asleep, {awake} mA awake: {found:g} looks are {near}. ({why})"
        if found != int(found):
            return f"{found!r} looks: expected a whole number, rounded down."
    return None


def week(home: str, number: int, change: str = ""):
    """What the board would have kept of a week: features of windows, without labels.

    Parameters
    ----------
    home : str
        For example ``"h41"``.
    number : int, 0 or more
        Which week: other loads of clothes.
    change : {"", "turned", "loose", "dead"}
        What has happened to the sensor since: nothing; it was stuck on again, 15 degrees askew; its tape came loose, so that
        little of the movement arrives; it repeats one value for ever.

    Returns
    -------
    pandas.DataFrame
        A row for each window, a column for each feature.
    """
    import pandas as pd
    takes = [washing.make_recording(label, home, seed=17, duration_s=8.0, take=4 * number + take)
             for label in washing.CLASSES for take in range(4)]
    x = np.concatenate([recording.samples[first:first + 256][None] for recording in takes
                        for first in range(0, len(recording) - 255, 128)]).astype(float)
    if change == "turned":
        turn = np.radians(15)
        x = np.stack([x[..., 0], np.cos(turn) * x[..., 1] + np.sin(turn) * x[..., 2],
                      -np.sin(turn) * x[..., 1] + np.cos(turn) * x[..., 2]], axis=-1)
    elif change == "loose":
        mean = x.mean(axis=1, keepdims=True)
        x = mean + 0.2 * (x - mean)
    elif change == "dead":
        x = np.broadcast_to(x[:1, :1], x.shape)
    counts = np.clip(np.rint(x), -32768, 32767).astype(np.int16)
    return pd.DataFrame(motion.summary(counts, _PARAMS), columns=motion.summary_names(_PARAMS))


@exercise("17.3", hints=["What of a window must stay the same as long as the sensor sits still, whatever the machine does? And what must not "
                         "suddenly become small?",
                         "Compare medians of the two weeks. Tilt: mean_ax, mean_ay, mean_az, in counts; 8192 are 1 g, so 15 degrees are "
                         "some 2000. Strength: jerk or range, as a ratio.",
                         "tilt = (now[means].median() - before[means].median()).abs().max(); ratio = now['jerk'].mean() / "
                         "before['jerk'].mean(). Print both for weeks that you know, and choose the limits between."])
def drifted(function):
    for home in ("h41", "h46", "h52"):
        before = week(home, 0)
        for number in (1, 2):
            found = function(before.copy(), week(home, number))
            if found not in (True, False):
                return f"Expected True or False, found {found!r:.60}."
            if found:
                return (f"Home {home}, week {number}: nothing has happened to the sensor, only other clothes were washed, and your "
                        "test says drift. Nobody believes an alarm that comes each week.")
        for change, what in (("turned", "the sensor was stuck on again, 15 degrees askew"),
                             ("loose", "the tape is loose, and a fifth of the movement arrives"),
                             ("dead", "the sensor repeats one value for ever")):
            if not function(before.copy(), week(home, 3, change)):
                return f"Home {home}: {what}, and your test says that all is well."
    return None
