"""Detectors that learn what is normal where they are, and say what is not: whole numbers, one sample at a time.

Soil moisture in hundredths of a percent every ten minutes, and minutes of water that a valve gave::

    from anomaly import Monitor

    monitor = Monitor({"streams": ["moisture", "valve"], "learn": 2016, "watches": [
        {"stream": "moisture", "kind": "spike", "factor": 10, "least": 60},
        {"stream": "moisture", "kind": "flat", "least": 24},
        {"stream": "moisture", "kind": "response", "cause": "valve", "wait": 12, "least": 40}]})
    while True:
        for i in range(monitor.update(values, hour)):   # values: an array("h"), one for each stream
            print(monitor.told(i))                      # ("moisture", "spike", True): begun; False: over

What it has learned outlives the power, in a small ring of two places::

    from ring import Ring

    log = Ring("/soil.state", monitor.state_bytes, 1, renew=True)
    monitor.restore(log)                                # at the start: True if it knows its place already
    monitor.save(log)                                   # now and then

A Monitor is made of watches. Each looks at one stream for one kind of trouble, and is a line of the settings, which
come from a bundle as JSON. All take ``stream``, ``kind``, and these two: ``on`` (samples in a row that must look
wrong before the alarm is raised, default 1) and ``off`` (samples in a row that must look right before it is over,
default 6). ``name`` is what the alarm is called, default the kind.

============  ====================================================================================================
``range``     below ``low`` or above ``high``: fixed limits, nothing is learned
``zscore``    rolling robust z-score: far from the median of the last ``window`` samples (odd, up to 63), measured by
              their median deviation: more than ``factor`` times that and ``least``
``ewma``      far from a running mean, measured by its running deviation; ``shift``: it remembers 2**shift samples
``band``      the same, but a mean and a deviation for each of ``slots`` times of the day (24: hours). ``on`` and
              ``off`` make it slow: "too much for an hour at this time of the day"
``spike``     Hampel's filter: a sample that the median of ``width`` (odd) samples around it does not know. Steps are
              no spikes. It answers ``width // 2`` samples late, because it must see what follows
``flat``      repeats itself, within ``tolerance``: for ``least`` samples, and ``factor`` (3) times longer than ever
              while it learned
``ceiling``   higher than ever: above ``percent`` (120) of the highest sample while it learned, and ``least`` more
``drift``     creeps: means over ``span`` samples; their steps, less what is usual at this time of the day. A jump above
              ``jump`` and the ``rest`` spans after it do not count, nor ``pause`` spans after the stream ``cause``; what
              is left, at most ``most`` a step, goes to a two-sided CUSUM with ``slack`` and ``limit``. What is usual it
              remembers for 2**``shift`` (5) steps of that time
``response``  a cause without its effect: when the stream ``cause`` leaves zero, this one must rise, within ``wait``
              samples, by a quarter of what it usually does. ``least``: what must be usual before it is judged
============  ====================================================================================================

Units: a stream is in whatever whole numbers it comes, -32768 to 32767; ``least``, ``tolerance``, ``low``, ``high``,
``jump``, ``slack`` and ``limit`` are in the same, ``factor`` is a ratio. Household power in watts, each minute, might
take ``{"kind": "band", "factor": 6, "least": 100, "on": 30}`` with ``hour`` as the slot, and at 1 Hz a ``flat`` of
some minutes. A feature that you compute yourself, such as the minutes since the fridge last switched on, is one more
stream.

``learn`` samples are only learned from. Later each watch goes on learning, slowly, but not while its alarm is on: what
is wrong shall not become normal. Everything is a small integer, so every board and this computer's twin give the same
answers to the last bit; ``update`` takes no memory.

A power cut costs at most the save that was being written, never the one before it. Flash wears out: save every six
hours and when an alarm begins or ends, not each sample. What is lost then are some hours of slow learning. The
settings' check sum goes with it: a state that was learned with other settings is not restored.

Sources: F. R. Hampel (1974), The influence curve and its role in robust estimation, for median and median deviation;
S. W. Roberts (1959), Control chart tests based on geometric moving averages, for the EWMA; E. S. Page (1954),
Continuous inspection schemes, for the CUSUM.
"""

import json
from array import array

_BITS = 8  # means and deviations have so many bits below one
_HALF = 1 << _BITS - 1


class Watch:
    """What all kinds share. ``state``: an ``array("i")`` of all that it remembers; ``alarm``: it is raised now."""

    def __init__(self, size, on=1, off=6):
        if on < 1 or off < 1:
            raise ValueError("expected on and off to be at least 1 sample; found %r and %r" % (on, off))
        # In front: is there an alarm, and how many samples have spoken against that.
        self.state = array("i", bytes(4 * (2 + size)))
        self.on = on
        self.off = off

    @property
    def alarm(self):
        return self.state[0] == 1

    def update(self, x, slot, cause, learning):
        """Take a sample. 1: an alarm begins, -1: it is over, 0: nothing new."""
        state = self.state
        wrong = self.look(x, slot, cause, learning or state[0] == 0, learning)
        if learning:
            return 0
        if wrong == (state[0] == 1):
            state[1] = 0
            return 0
        state[1] += 1
        if state[0]:
            if state[1] < self.off:
                return 0
            state[0] = state[1] = 0
            return -1
        if state[1] < self.on:
            return 0
        state[0] = 1
        state[1] = 0
        return 1

    def look(self, x, slot, cause, learn, first):
        """Whether a sample looks wrong. ``learn``: take it as normal; ``first``: nothing is known yet."""
        raise NotImplementedError


class Range(Watch):
    """Below ``low`` or above ``high``."""

    def __init__(self, low=-32768, high=32767, **settings):
        super().__init__(0, **settings)
        self.low = low
        self.high = high

    def look(self, x, slot, cause, learn, first):
        return not self.low <= x <= self.high


class ZScore(Watch):
    """Rolling robust z-score: from the median of the last ``window`` samples, in units of their median deviation.

    1.5 times the median deviation of normally distributed numbers is near their standard deviation (1.4826).
    """

    def __init__(self, window=31, factor=6, least=1, **settings):
        _odd(window, 63)
        super().__init__(2 + window, **settings)
        self.window = window
        self.factor = factor
        self.least = least
        self._sorted = array("i", bytes(4 * window))

    def look(self, x, slot, cause, learn, first):
        state = self.state
        size = self.window
        wrong = False
        if state[2] == size:
            order = self._sorted
            _sort(state, 4, size, order)
            middle = size >> 1
            median = order[middle]
            # The median deviation: step outwards from the median, to the nearer side, over half of them.
            low = high = middle
            spread = 0
            for _ in range(middle):
                if low == 0 or (high < size - 1 and order[high + 1] - median < median - order[low - 1]):
                    high += 1
                    spread = order[high] - median
                else:
                    low -= 1
                    spread = median - order[low]
            away = x - median if x > median else median - x
            wrong = away > self.least and 2 * away > 3 * self.factor * spread
        else:
            state[2] += 1
        state[4 + state[3]] = x
        state[3] = state[3] + 1 if state[3] < size - 1 else 0
        return wrong


class Ewma(Watch):
    """Exponentially weighted mean, and mean absolute deviation from it, of each of ``slots`` times of the day.

    One step: ``mean += (x - mean) / n``, where n counts up to ``2**shift``; the deviation likewise. Once it is known, a
    sample moves both by no more than three deviations would: one wild value teaches little.
    """

    def __init__(self, shift=6, factor=6, least=1, slots=1, **settings):
        if not 0 < shift <= 12 or not 0 < slots <= 288:
            raise ValueError("expected a shift of 1 to 12 and 1 to 288 slots; found %r and %r" % (shift, slots))
        super().__init__(3 * slots, **settings)
        self.memory = 1 << shift
        self.factor = factor
        self.least = least
        self.slots = slots

    def look(self, x, slot, cause, learn, first):
        if self.slots == 1:
            slot = 0
        mean = self.mean(slot)
        spread = self.state[2 + 3 * slot + 1]
        seen = self.state[2 + 3 * slot + 2]
        away = (x << _BITS) - mean
        if away < 0:
            away = -away
        if learn or not seen:
            _learn(self.state, 2 + 3 * slot, x << _BITS, self.memory)
        return seen > 4 and away > self.least << _BITS and away > self.factor * spread

    def mean(self, slot):
        """What is usual at a time of the day, in 1/256."""
        return self.state[2 + 3 * slot]


class Spike(Watch):
    """Hampel's filter: the middle one of ``width`` samples against their median. A step is no spike.

    More than ``least``, and more than ``factor`` times the mean distance from the median that was learned.
    """

    def __init__(self, width=7, factor=10, least=1, shift=8, **settings):
        _odd(width, 15)
        super().__init__(1 + width + 3, **settings)
        self.width = width
        self.factor = factor
        self.least = least
        self.memory = 1 << shift
        self._sorted = array("i", bytes(4 * width))

    def look(self, x, slot, cause, learn, first):
        state = self.state
        size = self.width
        last = 2 + size
        for i in range(3, last):
            state[i] = state[i + 1]
        state[last] = x
        if state[2] < size - 1:
            state[2] += 1
            return False
        _sort(state, 3, size, self._sorted)
        away = state[3 + (size >> 1)] - self._sorted[size >> 1]
        if away < 0:
            away = -away
        wrong = away > self.least and away << _BITS > self.factor * state[last + 1]
        if learn and not (wrong and state[last + 3] >= 32):
            _learn(state, last + 1, away << _BITS, self.memory)
        return wrong


class Flat(Watch):
    """The same value again and again, within ``tolerance``."""

    def __init__(self, least=24, factor=3, tolerance=0, off=1, **settings):
        super().__init__(3, off=off, **settings)
        self.least = least
        self.factor = factor
        self.tolerance = tolerance

    def look(self, x, slot, cause, learn, first):
        state = self.state  # then: the value that is repeated, how often, and the longest while it learned
        if -self.tolerance <= x - state[2] <= self.tolerance:
            if state[3] < 0x3FFFFFFF:
                state[3] += 1
        else:
            state[2] = x
            state[3] = 0
        if first:
            # A sensor that is dead from the start teaches nothing.
            if state[4] < state[3] <= 2 * self.least:
                state[4] = state[3]
            return False
        return state[3] >= self.least and state[3] >= self.factor * state[4]


class Ceiling(Watch):
    """Higher than ever while it learned, by a share and by ``least``. It does not go on learning."""

    def __init__(self, percent=120, least=1, **settings):
        if not 100 <= percent <= 1000:
            raise ValueError("expected a percent of 100 to 1000; found %r" % percent)
        super().__init__(1, **settings)
        self.percent = percent
        self.least = least

    def look(self, x, slot, cause, learn, first):
        state = self.state  # then: the highest while it learned
        if first:
            if x > state[2]:
                state[2] = x
            return False
        return x > state[2] * self.percent // 100 + self.least


class Drift(Watch):
    """What creeps: steps of means over ``span`` samples, less those that are usual at this time, into a CUSUM.

    Two sums, down and up, grow by each step beyond ``slack`` and shrink otherwise. Above ``limit``, and half as much
    again as ever while it learned, something creeps. No step counts more than ``most``. A rise above ``jump`` is no drift: it and the steps after it are left out, ``pause``
    of them if the stream ``cause`` explains it, else ``rest``. All in units of the stream, for one step.
    """

    def __init__(self, span=6, jump=50, pause=6, rest=None, slack=2, most=0, limit=100, slots=24, shift=5, off=1,
                 cause=None, **settings):
        if not 0 < span <= 60 or not 0 < shift <= 12 or not 0 < slots <= 288:
            raise ValueError("expected a span of 1 to 60 samples, a shift of 1 to 12 and 1 to 288 slots; found %r, %r and %r"
                             % (span, shift, slots))
        super().__init__(8 + 3 * slots, off=off, **settings)
        self.span = span
        self.jump = jump << _BITS
        self.pause = pause
        self.rest = pause if rest is None else rest
        self.slack = round(slack * (1 << _BITS))
        self.most = most << _BITS if most else self.jump
        self.limit = limit << _BITS
        self.slots = slots
        self.memory = 1 << shift

    def look(self, x, slot, cause, learn, first):
        # Samples, their sum, the last mean, is there one, pause, down, up, highest while it learned; the usual steps.
        state = self.state
        state[2] += 1
        state[3] += x
        if cause and state[6] < self.pause:
            state[6] = self.pause
        if state[2] == self.span:
            mean = (state[3] << _BITS) // self.span
            step = mean - state[4]
            known = state[5]
            state[2] = state[3] = 0
            state[4] = mean
            state[5] = 1
            if not known:
                return False
            if step > self.jump or step < -self.jump:
                if not state[6]:
                    state[6] = self.rest
            elif not state[6]:
                at = 10 + 3 * (slot if self.slots > 1 else 0)
                if state[at + 2] > 4:
                    self._sum(step - state[at], first)
                if learn:
                    _learn(state, at, step, self.memory)
            if state[6]:
                state[6] -= 1
        limit = self._limit()
        return state[7] > limit or state[8] > limit

    def _limit(self):
        highest = self.state[9]
        return max(self.limit, highest + (highest >> 1))

    def _sum(self, step, first):
        state = self.state
        step = max(-self.most, min(self.most, step))
        top = self.limit << 1 if first else self._limit()
        top += top >> 2  # so that an alarm ends soon after its reason
        state[7] = min(top, max(0, state[7] - step - self.slack))
        state[8] = min(top, max(0, state[8] + step - self.slack))
        if first:
            state[9] = max(state[9], state[7], state[8])


class Response(Watch):
    """A cause without its effect. It learns how much the stream rises after the cause, and asks for a quarter of it."""

    def __init__(self, wait=12, least=1, shift=3, off=1, cause=None, **settings):
        super().__init__(8, off=off, **settings)
        if cause is None:
            raise ValueError("a response needs the stream of its cause: \"cause\": \"valve\"")
        self.wait = wait
        self.least = least
        self.memory = 1 << shift

    def look(self, x, slot, cause, learn, first):
        state = self.state  # then: samples to wait, before, highest, last cause, answer missing; mean, spread, count
        if state[2]:
            if x > state[4]:
                state[4] = x
            state[2] -= 1
            if not state[2]:
                rise = state[4] - state[3]
                usual = state[7] >> _BITS
                state[6] = 1 if state[9] > 2 and usual >= self.least and 4 * rise < usual else 0
                if not state[6] and rise > 0:
                    _learn(state, 7, rise << _BITS, self.memory)
        elif cause and not state[5]:
            state[2] = self.wait
            state[3] = state[4] = x
        state[5] = cause
        return state[6] == 1


class Band(Ewma):
    """:class:`Ewma` with a mean for each hour."""

    def __init__(self, slots=24, shift=7, **settings):
        super().__init__(slots=slots, shift=shift, **settings)


KINDS = {"range": Range, "zscore": ZScore, "ewma": Ewma, "band": Band, "spike": Spike, "flat": Flat, "ceiling": Ceiling, "drift": Drift,
         "response": Response}


class Monitor:
    """All watches of a device. ``settings``: a dict as in the module's example, from JSON or a bundle.

    ``names``: what each watch is called, (stream, name); ``count``: samples so far, up to ``learn``; ``state_bytes``:
    size of what it has learned.
    """

    def __init__(self, settings):
        self.streams = list(settings["streams"])
        self.learn = settings.get("learn", 0)
        self.watches = []
        self.names = []
        self._stream = []
        self._cause = []
        for line in settings["watches"]:
            line = dict(line)
            kind = line.pop("kind", None)
            if kind not in KINDS:
                raise ValueError("no kind of watch %r; there are %s" % (kind, ", ".join(sorted(KINDS))))
            stream = line.pop("stream", None)
            name = line.pop("name", kind)
            self._stream.append(self._number(stream))
            self._cause.append(self._number(line["cause"]) if "cause" in line else -1)
            self.names.append((stream, name))
            try:
                self.watches.append(KINDS[kind](**line))
            except TypeError as error:
                raise ValueError("the watch %r of %r has a setting that it does not know: %s" % (kind, stream, error))
        self.count = 0
        self._told = bytearray(len(self.watches))
        self._begun = bytearray(len(self.watches))
        self._sum = _checksum(settings)
        self.state_bytes = 8 + 4 * sum(len(watch.state) for watch in self.watches)
        self._packed = bytearray(self.state_bytes)

    def _number(self, stream):
        if stream not in self.streams:
            raise ValueError("no stream %r; there are %s" % (stream, ", ".join(self.streams)))
        return self.streams.index(stream)

    def update(self, values, slot=0):
        """Take a sample of each stream. How many alarms began or ended with it; ``told(i)`` says which.

        ``values``: whole numbers, one for each stream; ``slot``: which time of the day it is, such as the hour. A
        stream whose value is None is left out. Takes no memory.
        """
        learning = self.count < self.learn
        if learning:
            self.count += 1
        told = 0
        for i in range(len(self.watches)):
            x = values[self._stream[i]]
            if x is None:
                continue
            cause = self._cause[i]
            news = self.watches[i].update(x, slot, values[cause] if cause >= 0 else 0, learning)
            if news:
                self._told[told] = i
                self._begun[told] = news > 0
                told += 1
        return told

    def told(self, i):
        """(stream, name, begun) of the i-th change of the last ``update``."""
        stream, name = self.names[self._told[i]]
        return stream, name, self._begun[i] == 1

    def watch_of(self, i):
        """The number of the watch of the i-th change, as in ``names``."""
        return self._told[i]

    def begun(self, i):
        """1 if the i-th change is an alarm that begins, 0 if one is over."""
        return self._begun[i]

    def stream_of(self, watch):
        """The number of the stream that a watch looks at."""
        return self._stream[watch]

    @property
    def alarm(self):
        """Whether any alarm is on."""
        for watch in self.watches:
            if watch.state[0]:
                return True
        return False

    def save(self, log):
        """Append what was learned to ``log``, a Ring with records of ``state_bytes``. Takes no memory."""
        self._pack(0, self._sum)
        self._pack(4, self.count)
        at = 8
        for watch in self.watches:
            state = watch.state
            for i in range(len(state)):
                self._pack(at, state[i])
                at += 4
        return log.append(self._packed)

    def restore(self, log):
        """Go on from the newest record of ``log`` that was learned with these settings; False if there is none."""
        found = False
        for _, data in log:
            if _unpack(data, 0) != self._sum:
                continue
            found = True
            self.count = _unpack(data, 4)
            at = 8
            for watch in self.watches:
                for i in range(len(watch.state)):
                    watch.state[i] = _unpack(data, at)
                    at += 4
        return found

    def _pack(self, at, number):
        packed = self._packed
        packed[at] = number & 0xFF
        packed[at + 1] = number >> 8 & 0xFF
        packed[at + 2] = number >> 16 & 0xFF
        packed[at + 3] = number >> 24 & 0xFF


def _unpack(data, at):
    number = data[at] | data[at + 1] << 8 | data[at + 2] << 16
    top = data[at + 3]
    return number + (top - 256 if top >= 128 else top) * 0x1000000


def _learn(state, at, x, memory):
    """Mean, mean absolute deviation and count at ``state[at:at + 3]`` take ``x``, all in 1/256."""
    count = state[at + 2]
    if count < memory:
        count += 1
        state[at + 2] = count
    step = x - state[at]
    spread = state[at + 1]
    if count > 16:
        # Three deviations, and always a little: what had no spread at all must be able to find one.
        most = 3 * spread + _HALF
        if step > most:
            step = most
        elif step < -most:
            step = -most
    state[at] += step // count
    if step < 0:
        step = -step
    if count > 1:
        state[at + 1] += (step - spread) // (count - 1 if count < memory else count)


def _sort(values, first, size, out):
    """``values[first:first + size]`` into ``out``, in order: by insertion, which takes no memory."""
    for i in range(size):
        x = values[first + i]
        at = i
        while at and out[at - 1] > x:
            out[at] = out[at - 1]
            at -= 1
        out[at] = x


def _odd(width, most):
    if not 3 <= width <= most or width % 2 == 0:
        raise ValueError("expected an odd number of samples from 3 to %d; found %r" % (most, width))


def _checksum(settings):
    """Of what the settings say, whatever order they say it in; below 2**30."""
    total = 1
    for byte in _canonical(settings).encode():
        total = (total * 31 + byte) % 0xFFFFFF
    return total


def _canonical(value):
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(key) + ":" + _canonical(value[key]) for key in sorted(value)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_canonical(item) for item in value) + "]"
    return json.dumps(value)
