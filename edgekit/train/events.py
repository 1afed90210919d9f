"""Score alarms against labelled events: found, missed, false, and how late. For soil, meters, falls, machines.

Times are numbers of one unit: samples, or seconds. An event that lasts from ``start`` to ``stop`` is found by an alarm
that *begins* in it. So a detector that is always on finds at most one event, and one alarm that never ends finds none
of those that come later.

>>> truth = [Event(100, 150, "flat"), Event(400, 403, "spike")]
>>> score = match(truth, [Event(110, 151), Event(300, 305)])
>>> print(score)
F1 0.50: 1 of 2 events found, 1 false alarm; delay 10 (median), 10 (longest)
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.errors import DataError

__all__ = ["Event", "EventScore", "match", "total", "runs", "merge", "cheapest"]


@dataclass(frozen=True, order=True)
class Event:
    """Something that lasted from ``start`` to before ``stop``: a label, or an alarm.

    Attributes
    ----------
    start, stop : number
        In samples or seconds; ``stop`` is after ``start``.
    kind : str
    """

    start: float
    stop: float
    kind: str = ""

    def __post_init__(self):
        if not self.stop > self.start:
            raise DataError(f"An event ends after it starts; found start {self.start}, stop {self.stop}. For a moment "
                            "take stop = start + 1 sample.")


@dataclass(frozen=True)
class EventScore:
    """What :func:`match` found; scores of several sites or people add up.

    Attributes
    ----------
    found, missed : tuple of Event
        Labelled events.
    false : tuple of Event
        Alarms that belong to no event.
    delays : tuple of number
        From the start of each found event to its first alarm, in the order of ``found``.
    """

    found: tuple[Event, ...] = ()
    missed: tuple[Event, ...] = ()
    false: tuple[Event, ...] = ()
    delays: tuple[float, ...] = ()

    @property
    def precision(self) -> float:
        """Found events, of these and the false alarms; 1 if there was no alarm at all."""
        return _share(len(self.found), len(self.false), 1.0)

    @property
    def recall(self) -> float:
        """Share of the events that was found; 1 if there was none."""
        return _share(len(self.found), len(self.missed), 1.0)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, ``2 found / (2 found + missed + false)``; 1 if there was nothing."""
        return _share(2 * len(self.found), len(self.missed) + len(self.false), 1.0)

    @property
    def delay(self) -> float:
        """Median delay of the events that were found; nan if none was."""
        return statistics.median(self.delays) if self.delays else float("nan")

    def cost(self, missed: float, false: float) -> float:
        """What it costs if a missed event costs ``missed``, a false alarm ``false``."""
        return missed * len(self.missed) + false * len(self.false)

    def by_kind(self) -> dict[str, "EventScore"]:
        """The score of each kind of event; false alarms go to the kind of the alarm."""
        kinds = sorted({event.kind for event in (*self.found, *self.missed, *self.false)})
        return {kind: EventScore(
            tuple(event for event in self.found if event.kind == kind),
            tuple(event for event in self.missed if event.kind == kind),
            tuple(event for event in self.false if event.kind == kind),
            tuple(delay for event, delay in zip(self.found, self.delays, strict=True) if event.kind == kind))
            for kind in kinds}

    def __add__(self, other):
        return EventScore(self.found + other.found, self.missed + other.missed, self.false + other.false,
                          self.delays + other.delays)

    def __str__(self):
        events = len(self.found) + len(self.missed)
        text = (f"F1 {self.f1:.2f}: {len(self.found)} of {events} event{'s' * (events != 1)} found, {len(self.false)} false "
                f"alarm{'s' * (len(self.false) != 1)}")
        if self.delays:
            text += f"; delay {self.delay:g} (median), {max(self.delays):g} (longest)"
        return text


def match(events: Iterable[Event], alarms: Iterable[Event], early: float = 0, grace: float = 0, late: float = 0,
          merge_within: float = 0, kinds: bool = False) -> EventScore:
    """Which events were found, and which alarms were false.

    Parameters
    ----------
    events, alarms : iterable of Event
        Of one site, person or machine.
    early : float
        An alarm may begin so long before the event's label, which then counts as no delay: labels have an edge.
    grace : float
        An alarm that begins so soon after the end of an event still finds it: a filter that must see what follows
        answers late, and a spike is over by then.
    late : float
        Alarms that begin so soon after the end of an event find nothing, but are not false either: things return to
        normal, and somebody is there.
    merge_within : float
        False alarms that begin within this time after the start of another false one count once: one walk to the field.
    kinds : bool
        Only an alarm of the same kind finds an event. An alarm of another kind in it is still not false.

    Returns
    -------
    EventScore

    Examples
    --------
    >>> match([Event(10, 20)], [Event(0, 100)]).f1           # always on: it began before
    0.0
    >>> match([Event(10, 20)], [Event(12, 13), Event(15, 16), Event(21, 22)], late=5).f1
    1.0
    """
    events, alarms = sorted(events), sorted(alarms)
    first: list[float | None] = [None] * len(events)
    false = []
    for alarm in alarms:
        known = False
        for i, event in enumerate(events):
            if event.start - early <= alarm.start < event.stop + grace:
                known = True
                if first[i] is None and (not kinds or alarm.kind == event.kind):
                    first[i] = max(alarm.start - event.start, 0)
            elif event.stop <= alarm.start < event.stop + late:
                known = True
        if not known and not (false and alarm.start - false[-1].start <= merge_within):
            false.append(alarm)
    return EventScore(
        tuple(event for event, delay in zip(events, first, strict=True) if delay is not None),
        tuple(event for event, delay in zip(events, first, strict=True) if delay is None),
        tuple(false), tuple(delay for delay in first if delay is not None))


def total(scores: Iterable[EventScore]) -> EventScore:
    """The scores of several sites or people as one."""
    return sum(scores, EventScore())


def runs(flags: Sequence[bool], kind: str = "", first: int = 0) -> list[Event]:
    """Stretches of True as events.

    Parameters
    ----------
    flags : array of bool, shape [n]
    kind : str
    first : int
        Number of the first sample.

    Examples
    --------
    >>> runs([False, True, True, False, True])
    [Event(start=1, stop=3, kind=''), Event(start=4, stop=5, kind='')]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(flags, bool).astype(np.int8), [0]])))
    return [Event(int(start) + first, int(stop) + first, kind) for start, stop in edges.reshape(-1, 2)]


def merge(alarms: Iterable[Event], gap: float) -> list[Event]:
    """Join alarms with less than ``gap`` between them; the first one's kind stays.

    Examples
    --------
    >>> merge([Event(0, 2), Event(4, 5), Event(20, 21)], gap=6)
    [Event(start=0, stop=5, kind=''), Event(start=20, stop=21, kind='')]
    """
    joined: list[Event] = []
    for alarm in sorted(alarms):
        if joined and alarm.start - joined[-1].stop < gap:
            joined[-1] = Event(joined[-1].start, max(joined[-1].stop, alarm.stop), joined[-1].kind)
        else:
            joined.append(alarm)
    return joined


def cheapest(thresholds: Sequence[float], scores: Sequence[EventScore], missed: float, false: float):
    """The threshold that costs least; of equally cheap ones the middle one.

    Parameters
    ----------
    thresholds : sequence of float
    scores : sequence of EventScore
        What each threshold gives, on validation data.
    missed, false : float
        Cost of a missed event and of a false alarm.

    Returns
    -------
    float

    Examples
    --------
    >>> one = match([Event(1, 2)], [Event(1, 2)])
    >>> cheapest([1, 2, 3, 4], [one + one, one, one, match([Event(1, 2)], [])], missed=100, false=10)
    2
    """
    costs = [score.cost(missed, false) for score in scores]
    best = [threshold for threshold, cost in zip(thresholds, costs, strict=True) if cost == min(costs)]
    return best[(len(best) - 1) // 2]


def _share(part, rest, nothing):
    return part / (part + rest) if part + rest else nothing
