"""Exercises of lesson 12: the cheapest threshold, an EWMA in whole numbers, a watch of your own."""

from edgekit.lab.check import exercise, number
from edgekit.twin import board_module

MISSED_AND_FALSE = {3: (0, 9), 6: (1, 4), 9: (1, 2), 12: (4, 0)}
"""Events missed and false alarms at each threshold of exercise 12.1."""


@exercise("12.1", hints=["What does each threshold cost in all?",
                         "Cost = missed events times 500 plus false alarms times 200.",
                         "Threshold 6: 1 * 500 + 4 * 200 = 1300. Now the other three."])
def cheapest(value):
    if isinstance(value, bool) or value not in MISSED_AND_FALSE:
        return f"Expected one of {', '.join(map(str, MISSED_AND_FALSE))}, found {value!r:.40}."
    missed, false = MISSED_AND_FALSE[value]
    least = min(500 * m + 200 * f for m, f in MISSED_AND_FALSE.values())
    if 500 * missed + 200 * false > least:
        return f"Threshold {value} costs {500 * missed + 200 * false} rupees: there is a cheaper one."
    return None


@exercise("12.2", hints=["In which units is the mean kept, and in which does x come?",
                         "Bring x to 1/256 first: x << 8. Then move the mean by a 16th of the way.",
                         "return mean + ((x << 8) - mean) // ..."])
def ewma_step(function):
    for mean, x in ((0, 16), (25600, 100), (25600, 0), (1000, 3), (-512, 40)):
        found = function(mean, x)
        if not isinstance(found, int):
            return f"Expected a whole number, found {found!r:.40}: / makes a float, // does not."
        wrong = number(found, mean + ((x << 8) - mean) // 16, what=f"mean after step({mean}, {x})")
        if wrong:
            return wrong
    return None


@exercise("12.3", hints=["Which kinds are there? help(board_module('anomaly')) has a table.",
                         "Too hot for the time of the day: a mean and a deviation for each hour.",
                         '{"stream": "temperature", "kind": "band", ...} with a least of 5 degrees: 80 sixteenths.'])
def own_watch(line):
    if not isinstance(line, dict) or line.get("stream") != "temperature":
        return f'Expected a dict with "stream": "temperature", found {line!r:.60}.'
    try:
        monitor = board_module("anomaly").Monitor({"streams": ["temperature"], "learn": 10 * 144, "watches": [line]})
    except (ValueError, TypeError) as error:
        return f"The monitor does not take it: {error}."
    said = []
    for t in range(16 * 144):
        hour = t // 6 % 24
        value = 16 * 20 + (160 if 11 <= hour < 17 else 0) + (7 * t) % 5  # 30 degrees at noon, 20 at night
        if 13 * 144 + 12 <= t < 13 * 144 + 24:
            value += 112  # 27 degrees at three in the morning
        for i in range(monitor.update([value], hour)):
            if monitor.told(i)[2]:
                said.append(t)
    if any(t < 13 * 144 for t in said):
        return "It alarms on a normal day: noon is warm, and that is no fault."
    if not any(13 * 144 + 12 <= t < 13 * 144 + 24 for t in said):
        return "27 degrees at three in the morning went unnoticed. Noon is warmer still: which kind knows the hour?"
    return None
