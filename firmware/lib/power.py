"""What a home's power says about its appliances: a few whole numbers every ten minutes, from one reading a second.

Give each minute the mean, the least and the most of its 60 readings in watts; every ten minutes there is a row::

    from power import STREAMS, Features

    features = Features(learn=3 * 1440)            # minutes in which it learns how large its fridge is
    while True:
        if features.minute(mean, least, most):     # True every ten minutes
            print(features.row, features.slot)     # an array("h"), one for each of STREAMS; part of the day, 0 to 5

==============  ================================================================================================
``spike``       W: how far the highest second stood above the minute before, its own and the one after
``stuck``       minutes in a row in which not even the noise changed a reading
``base``        W: the least power of the last 24 hours; what never stops
``long``        minutes that something of more than 250 W has run, with breaks of at most 5 minutes
``longer``      the same for 550 W, and ``longest`` for 1000 W, over the base
``fridge``      minutes since the fridge last switched, on or off
``fridge_duty`` share of its time that the fridge runs, in 1/1000: from medians of its last 9 runs and 9 rests
``freezer``     the same two for a second machine that switches day and night, if there is one
==============  ================================================================================================

Nobody tells it how large the fridge is: it is the step of power that comes back most often, day and night. It counts
the steps of each size while it learns. That is G. W. Hart's idea of 1992, "Nonintrusive appliance load monitoring"
(Proceedings of the IEEE 80), for one or two appliances only.

A minute in which the power was below 12 W is a power cut: nothing is learned from it, and nothing runs on.

Whole numbers only, so every board and this computer's twin give the same rows; ``minute`` takes no memory.
What it knows outlives the power in a small ring, as the Monitor of ``anomaly`` does it::

    log = Ring("/power.state", features.state_bytes, 1, renew=True)
    features.restore(log)
    features.save(log)                             # now and then
"""

from array import array

STREAMS = ("spike", "stuck", "base", "long", "longer", "longest", "fridge", "fridge_duty", "freezer", "freezer_duty")
EVERY = 10  # minutes for a row
_LEVELS = (250, 550, 1000)
_BREAK = 5  # minutes
_CUT = 12  # W
_MOST = 30000

LEARN = 3 * 1440  # minutes until it knows the fridge

# For the Monitor of `anomaly`: the first 8 days it only learns. Percent and least were chosen on 13 simulated homes.
SETTINGS = {"streams": list(STREAMS), "learn": 8 * 144, "watches": [
    {"stream": "spike", "kind": "ceiling", "name": "spike", "percent": 130, "least": 300, "off": 1},
    {"stream": "stuck", "kind": "range", "name": "stuck", "high": 9, "off": 1},
    {"stream": "base", "kind": "ceiling", "name": "leak", "percent": 100, "least": 20},
    {"stream": "long", "kind": "ceiling", "name": "left_on", "percent": 150, "least": 45},
    {"stream": "longer", "kind": "ceiling", "name": "left_on", "percent": 150, "least": 45},
    {"stream": "longest", "kind": "ceiling", "name": "left_on", "percent": 150, "least": 45},
    {"stream": "fridge", "kind": "ceiling", "name": "fridge", "percent": 150, "least": 60},
    {"stream": "fridge_duty", "kind": "ceiling", "name": "fridge", "percent": 100, "least": 120},
    {"stream": "freezer", "kind": "ceiling", "name": "freezer", "percent": 150, "least": 60},
    {"stream": "freezer_duty", "kind": "ceiling", "name": "freezer", "percent": 100, "least": 120}]}

# Steps of power from 40 W are counted in bins, each 1/12 wider than the last: 40, 43, 47, ... 402 W.
_BINS = 29
_EDGES = array("h", bytes(2 * (_BINS + 1)))
_EDGES[0] = 40
for _i in range(_BINS):
    _EDGES[_i + 1] = _EDGES[_i] + (_EDGES[_i] + 6) // 12

_RUNS = 9  # durations that a median is taken of
_MACHINE = 6 + 2 * _RUNS  # numbers of one machine: size, on, since, quiet, runs, rests; and the durations

# Where things are in the state.
_LEFT, _MINUTES, _BEFORE, _MEAN, _MEAN2, _PEAK, _FLAT, _SPIKE, _HOUR, _BASE, _DAYS, _HOURS = range(12)
_RUN = _HOURS + 24  # after the least power of 24 hours: minutes, and minutes of break, for each level
_COUNTS = _RUN + 2 * 3
_MACHINES = _COUNTS + _BINS
_SIZE = _MACHINES + 2 * _MACHINE


class Features:
    """Rows of :data:`STREAMS` from minutes of power.

    ``learn``: minutes in which it counts steps, at least a day, at most 20. ``row``: the newest row; ``slot``: which
    sixth of the day it is, counted from the first minute (the board need not know the time); ``state_bytes``: size of
    what it knows.
    """

    def __init__(self, learn=LEARN):
        if not 1440 <= learn <= 20 * 1440:
            raise ValueError("expected to learn for 1440 to 28800 minutes; found %r" % learn)
        self.state = array("h", bytes(2 * _SIZE))
        self.row = array("h", bytes(2 * len(STREAMS)))
        self.learn = learn
        self.state[_LEFT] = learn
        self.state[_BEFORE] = -1
        for i in range(24):
            self.state[_HOURS + i] = _MOST
        self._sorted = array("h", bytes(2 * _RUNS))
        self.state_bytes = 2 * (_SIZE + 1)
        self._packed = bytearray(self.state_bytes)

    @property
    def learning(self):
        """True while it still learns which steps are the fridge's."""
        return self.state[_LEFT] > 0

    @property
    def slot(self):
        """Which sixth of the day it is, 0 to 5."""
        return self.state[_MINUTES] // 240

    @property
    def minutes(self):
        """Minutes since it began."""
        return 1440 * self.state[_DAYS] + self.state[_MINUTES]

    @property
    def sizes(self):
        """W of the steps of the fridge and of the freezer; 0: not known, or there is none."""
        return self.state[_MACHINES], self.state[_MACHINES + _MACHINE]

    def minute(self, mean, least, most):
        """Take a minute. True if ``row`` is new: every tenth time."""
        state = self.state
        minutes = state[_MINUTES] + 1
        state[_MINUTES] = minutes
        if minutes == 1440:
            state[_MINUTES] = 0
            state[_DAYS] += 1
        if state[_LEFT]:
            state[_LEFT] -= 1
            if not state[_LEFT]:
                self._choose()

        if most == least:
            if state[_FLAT] < _MOST:
                state[_FLAT] += 1
        else:
            state[_FLAT] = 0

        if most < _CUT:
            state[_BEFORE] = -1
            state[_PEAK] = state[_MEAN] = 0
        else:
            # A spike is judged a minute late, when it is known that nothing stayed on.
            above = state[_PEAK] - max(state[_MEAN2], state[_MEAN], mean)
            if above > state[_SPIKE]:
                state[_SPIKE] = above
            state[_MEAN2] = state[_MEAN]
            state[_MEAN] = mean
            state[_PEAK] = most

            place = _HOURS + state[_HOUR]
            if minutes % 60 == 0:
                state[_HOUR] = (state[_HOUR] + 1) % 24
                state[_HOURS + state[_HOUR]] = least if least >= _CUT else _MOST
            elif _CUT <= least < state[place]:
                state[place] = least

            base = state[_BASE]
            for i in range(3):
                at = _RUN + 2 * i
                if most - base >= _LEVELS[i]:
                    state[at + 1] = 0
                    if state[at] < _MOST:
                        state[at] += 1
                elif state[at]:
                    state[at + 1] += 1
                    if state[at + 1] > _BREAK:
                        state[at] = 0
                    elif state[at] < _MOST:
                        state[at] += 1

            step = least - state[_BEFORE] if state[_BEFORE] >= 0 else 0
            state[_BEFORE] = least
            if state[_LEFT]:
                if step <= -40:
                    self._count(-step)
            else:
                self._machine(_MACHINES, step)
                self._machine(_MACHINES + _MACHINE, step)

        if minutes % EVERY:
            return False
        row = self.row
        row[0] = state[_SPIKE]
        state[_SPIKE] = 0
        row[1] = state[_FLAT]
        least = _MOST
        for i in range(24):
            if state[_HOURS + i] < least:
                least = state[_HOURS + i]
        # Before a whole day has passed, nobody knows what never stops.
        state[_BASE] = least if least < _MOST and self.learn - state[_LEFT] >= 1440 else 0
        row[2] = state[_BASE]
        for i in range(3):
            row[3 + i] = state[_RUN + 2 * i]
        for i in range(2):
            at = _MACHINES + i * _MACHINE
            row[6 + 2 * i] = state[at + 3]
            row[7 + 2 * i] = self._duty(at)
        return True

    def save(self, log):
        """Append all that it knows to ``log``, a Ring with records of ``state_bytes``. Takes no memory."""
        packed = self._packed
        packed[0] = self.learn & 0xFF
        packed[1] = self.learn >> 8
        for i in range(_SIZE):
            packed[2 + 2 * i] = self.state[i] & 0xFF
            packed[3 + 2 * i] = self.state[i] >> 8 & 0xFF
        return log.append(packed)

    def restore(self, log):
        """Go on from the newest record of ``log`` that was learned with the same ``learn``; False if there is none."""
        found = False
        for _, data in log:
            if data[0] | data[1] << 8 != self.learn:
                continue
            found = True
            for i in range(_SIZE):
                number = data[2 + 2 * i] | data[3 + 2 * i] << 8
                self.state[i] = number - 65536 if number > 32767 else number
            # Nobody knows how long the power was away.
            self.state[_BEFORE] = -1
        return found

    def _count(self, step):
        """One more step of this size."""
        state = self.state
        for i in range(_BINS):
            if step < _EDGES[i + 1]:
                if state[_COUNTS + i] < _MOST:
                    state[_COUNTS + i] += 1
                return

    def _choose(self):
        """The sizes that were counted most often: one, and a second if it is no neighbour and nearly as frequent."""
        first = self._largest(-9)
        second = self._largest(first)
        if self._near(second) * 5 < self._near(first) * 2:
            second = -1
        elif second < first:
            first, second = second, first
        state = self.state
        state[_MACHINES] = self._middle(first)
        state[_MACHINES + _MACHINE] = self._middle(second) if second >= 0 else 0

    def _near(self, i):
        """Steps counted in bin ``i`` and its two neighbours."""
        total = 0
        for j in range(max(i - 1, 0), min(i + 2, _BINS)):
            total += self.state[_COUNTS + j]
        return total

    def _largest(self, but):
        """The bin with most steps around it, not within 4 bins of ``but``."""
        best = -1
        for i in range(_BINS):
            if -4 < i - but < 4:
                continue
            if best < 0 or self._near(i) > self._near(best):
                best = i
        return best

    def _middle(self, i):
        """W in the middle of the steps around bin ``i``."""
        total = 0
        watts = 0
        for j in range(max(i - 1, 0), min(i + 2, _BINS)):
            count = self.state[_COUNTS + j]
            total += count
            watts += count * (_EDGES[j] + _EDGES[j + 1])
        return watts // (2 * total) if total else 0

    def _machine(self, at, step):
        """Follow one machine: does this step belong to it?"""
        state = self.state
        size = state[at]
        if not size:
            return
        if state[at + 3] < _MOST:
            state[at + 3] += 1
        if state[at + 2] < _MOST:
            state[at + 2] += 1
        # Switched on it takes up to a quarter more than it does in the end.
        if 100 * step >= 85 * size and 100 * step <= 135 * size:
            on = 1
        elif 100 * -step >= 82 * size and 100 * -step <= 120 * size:
            on = 0
        else:
            return
        if state[at + 1] == 1 - on:
            # From on to off it was a run, from off to on a rest.
            kind = on
            place = at + 4 + kind
            place = at + 6 + kind * _RUNS + state[place] % _RUNS
            state[place] = min(state[at + 2], 1000)
            state[at + 4 + kind] = state[at + 4 + kind] + 1 if state[at + 4 + kind] < 2 * _RUNS - 1 else _RUNS
        state[at + 1] = on
        state[at + 2] = 0
        state[at + 3] = 0

    def _duty(self, at):
        """Runs in 1/1000 of runs and rests; 0 before there are enough."""
        state = self.state
        if state[at + 4] < _RUNS or state[at + 5] < _RUNS:
            return 0
        run = self._median(at + 6)
        rest = self._median(at + 6 + _RUNS)
        return 1000 * run // (run + rest) if run + rest else 0

    def _median(self, first):
        """Of the durations from ``first`` on: by insertion, which takes no memory."""
        out = self._sorted
        for i in range(_RUNS):
            x = self.state[first + i]
            at = i
            while at and out[at - 1] > x:
                out[at] = out[at - 1]
                at -= 1
            out[at] = x
        return out[_RUNS // 2]
