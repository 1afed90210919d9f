"""Exercises of lesson 03: a rate for a motor, the false frequency, a class of one's own."""

import numpy as np

from edgekit.dataset import Dataset
from edgekit.lab.check import exercise
from edgekit.signals import gestures

CHOICES_HZ = (60, 100, 120, 1000)
"""The rates among which exercise 03.1 lets choose; the motor turns at 50 Hz."""


@exercise("03.1", hints=["3000 turns a minute: how many are that in a second?",
                         "More than twice as fast as 50 Hz. Is twice 50 Hz more than twice 50 Hz?",
                         "60 and 100 are too low; of the other two, which one needs less memory?"])
def motor_rate(value):
    if isinstance(value, bool) or value not in CHOICES_HZ:
        return f"Expected one of the rates {', '.join(map(str, CHOICES_HZ))} Hz, found {value!r:.40}."
    if value == 60:
        return "At 60 Hz the motor appears under a false name: 60 - 50 = 10 Hz."
    if value == 100:
        return "100 Hz is exactly twice, not more than twice: each look may meet the swing where it is 0."
    if value == 1000:
        return "That is safe, but a smaller one is safe too, and needs an eighth of the memory."
    return None


@exercise("03.2", hints=["At 20 Hz, which other frequencies give the same samples as 15 Hz? 15 - 20, 15 + 20, 15 - 40, ...",
                         "Of all those, one sees the one that is nearest to 0, without its sign.",
                         "How many whole rates fit best? round(true_hz / rate_hz). Subtract so many rates and take abs(...)."])
def seen_hz(function):
    for true_hz, rate_hz, expected in ((15, 100, 15.0), (15, 20, 5.0), (15, 16, 1.0), (15, 28, 13.0), (3, 20, 3.0), (35, 20, 5.0),
                                       (52.5, 50, 2.5), (0, 10, 0.0), (40, 20, 0.0), (5, 10, 5.0)):
        found = function(true_hz, rate_hz)
        if not np.isscalar(found) or isinstance(found, str):
            return f"Expected one number, found {found!r:.40}."
        if abs(found - expected) > 1e-6:
            why = ("nothing is false here, the rate is high enough" if expected == true_hz
                   else "look at the samples of notebook 03 again" if found == true_hz
                   else "a frequency has no sign" if found == -expected else "that is another one")
            return f"A movement of {true_hz:g} Hz, sampled at {rate_hz:g} Hz: found {found:g} Hz, {why}."
    return None


@exercise("03.3", hints=["Which three questions does the first line of notebook 03 ask? Answer each with a list: classes, people, takes.",
                         "Dataset([...]) takes a list of recordings. Two classes: yours and 'idle'. Loop over people, classes and takes.",
                         "[perform(label, subject, take) for subject in ('me', 'friend') for label in ('nod', 'idle') for take in range(3)]"])
def own_class(data):
    if not isinstance(data, Dataset):
        return f"Expected a Dataset: Dataset([...list of recordings...]); found {type(data).__name__}."
    missing = [what for what, bad in (("a label", any(not one.label for one in data)), ("a subject", any(not one.subject for one in data)))
               if bad]
    if missing:
        return f"At least one recording lacks {' and '.join(missing)}."
    strange = sorted({one.source for one in data} - {"simulated", "board"})
    if strange:
        return f"Found a recording whose source is {strange[0] or 'not given'!r}: expected recordings that came through capture()."
    lost = sum(one.lost for one in data)
    if lost:
        return f"{lost} samples were lost. Record those takes again."
    labels = {one.label for one in data}
    if "idle" not in labels:
        return "The class 'idle' is missing: most of the day nobody makes a gesture."
    if not labels - set(gestures.CLASSES):
        return f"Expected a class of your own; found only {', '.join(sorted(labels))}."
    if len(data.subjects) < 2:
        return f"Expected at least two people, found {', '.join(data.subjects)}."
    for subject in data.subjects:
        for label in sorted(labels):
            takes = sum(one.label == label and one.subject == subject for one in data)
            if takes < 3:
                return f"Expected at least 3 takes of {label} from {subject}, found {takes}. Every person makes every gesture."
    if min(one.duration_s for one in data) < 1.28:
        return "At least one recording is shorter than a window of 1.28 s."
    if len({one.samples.tobytes() for one in data}) < len(data):
        return "Two recordings are the same to the last bit: one was copied, not made."
    moves = [one.physical().std(axis=0).sum() for one in data if one.label not in gestures.CLASSES]
    if min(moves) < 1e-3:
        return "In one recording of your class nothing moves. Was the movement over before the capture began?"
    return None
