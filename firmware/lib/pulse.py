"""Heart rate from a finger's light, in whole numbers, and a reason whenever there is none. No medical device.

Example::

    from array import array
    import boards
    from max30102 import MAX30102
    from pulse import REASONS, Pulse

    ppg, imu = MAX30102(boards.i2c(), rate_hz=100), boards.accelerometer(rate_hz=100)
    light, motion = array("i", bytes(4 * 2 * 20)), array("h", bytes(2 * 6 * 20))
    pulse = Pulse()
    ppg.start()
    imu.start()
    while True:
        ppg.read_block(light)
        imu.read_block(motion)
        if pulse.feed(light, motion):       # every 2 s, first after 10 s
            print(pulse.rate_x10 / 10 if pulse.reason == 0 else REASONS[pulse.reason])

The way of a sample: four are added (25 sums in a second); the mean of 1.6 s is taken off, and three sums are added,
which leaves about 0.5 to 5 Hz; the last 8 s of that are a window. In a window the rate is found twice: from the steepest rise
of each beat, and from the shift at which the window is most like itself (McLeod and Wyvill, "A smarter way to find
pitch", ICMC 2005). Seven questions then decide whether the device may speak: ``measures`` are their numbers, ``Limits``
what is allowed.

Sizes: every number stays below 2**30, where a board's integers need no memory. ``feed`` allocates nothing.
"""

from array import array

OK, NO_FINGER, TOO_BRIGHT, WEAK, SHAKEN, STEPS, IRREGULAR = range(7)
REASONS = ("ok", "no finger", "too bright", "weak pulse", "too much movement", "cannot tell it from the movement",
           "no even rhythm")

# Places in `measures`.
DARKEST, BRIGHTEST, PERFUSION, PEAKS, SELF, LIKENESS, SPREAD, BEATS, MOVEMENT, CADENCE = range(10)
NAMES = ("darkest", "brightest", "perfusion", "peaks", "self", "likeness", "spread", "beats", "movement", "cadence")

WINDOW = 200  # sums of four samples: 8 s
SHORTEST, LONGEST = 7, 38  # shifts: 214 and 39 beats per minute
_BASE = 40  # the mean that is taken off: 1.6 s
_STEP = 50  # a result every 2 s
_FIRST = 250  # the filters have filled, then the window
_REFRACTORY = 7  # two beats are at least 0.28 s apart
_PER_MINUTE = 60 * 25 * 10 * 64  # tenths of a beat per minute, from shifts in 1/64


class Limits:
    """What a window must have before the device speaks. Chosen on the development people, see lesson 13.

    ``finger``: least light, in counts. ``bright``: most. ``perfusion``: least pulse in 1/1000 % of the light.
    ``movement``: most change of acceleration, in mg from sum to sum. ``still``: movement below which there are no steps to
    mistake. ``near``: how near to the steps' rhythm the rate may not be, in 1/1000. ``likeness``: how like itself the
    window must be after one beat, in 1/1000. ``spread``: how much the intervals may differ, in 1/1000. ``agree``: how far
    the two rates may be apart, in 1/10 beat per minute.
    """

    def __init__(self, finger=10000, bright=262000, perfusion=80, movement=1000, still=12, near=60, likeness=500,
                 spread=100, agree=20):
        self.finger = finger
        self.bright = bright
        self.perfusion = perfusion
        self.movement = movement
        self.still = still
        self.near = near
        self.likeness = likeness
        self.spread = spread
        self.agree = agree


class Pulse:
    """``reason`` says why there is no rate (0: there is one), ``rate_x10`` is the rate in tenths of a beat per minute.

    ``measures``: ``array("i")``, what the decision was taken from; ``NAMES`` says what is where.
    """

    def __init__(self, limits=None):
        self.limits = limits or Limits()
        self.measures = array("i", bytes(4 * len(NAMES)))
        self.wave = array("h", bytes(2 * WINDOW))  # how fast the blood rises, of the last result, scaled to +-511
        self.beats = array("i", bytes(4 * 32))  # where it rises most, in 1/64 of a sum
        self._light = array("i", bytes(4 * WINDOW))
        self._band = array("i", bytes(4 * WINDOW))
        self._rise = array("i", bytes(4 * WINDOW))
        self._force = array("i", bytes(4 * WINDOW))
        self._jerk = array("i", bytes(4 * WINDOW))
        self._base = array("i", bytes(4 * _BASE))
        self._axes = array("i", bytes(4 * 6))  # sums of three axes, and those before
        self._alike = array("i", bytes(4 * (LONGEST + 1)))
        self._gaps = array("i", bytes(4 * 32))
        self.start()

    def start(self):
        """Forget all samples: the next one is the first."""
        self.reason = NO_FINGER
        self.rate_x10 = 0
        self._in_sum = self._sum = self._force_sum = 0
        self._count = 0  # sums so far
        self._at = self._base_at = self._base_sum = 0
        self._last = self._before = self._smooth = self._smooth_before = 0
        for i in range(_BASE):
            self._base[i] = 0
        for i in range(6):
            self._axes[i] = 0

    def feed(self, light, motion, red=True):
        """Take n samples: ``light`` red infrared red infrared ... in counts (``red=False``: infrared alone), ``motion``
        ax ay az gx gy gz ... or ax ay az ... with 8192 counts for 1 g. True if there is a new result.
        """
        step = 2 if red else 1
        width = len(motion) * step // len(light)
        axes = self._axes
        new = False
        j = 0
        i = step - 1
        while i < len(light):  # a range with a step that is no constant would take memory
            self._sum += light[i] >> 3
            x = motion[j] >> 5
            y = motion[j + 1] >> 5
            z = motion[j + 2] >> 5
            j += width
            i += step
            axes[0] += x
            axes[1] += y
            axes[2] += z
            self._in_sum += 1
            if self._in_sum == 4:
                self._in_sum = 0
                if self._add():
                    new = True
        return new

    def _add(self):
        """One sum more. True if it completes a window."""
        total = self._sum
        self._sum = 0
        at = self._at
        base = self._base
        i = self._base_at
        if self._count == 0:  # as if it had been so for ever
            for k in range(_BASE):
                base[k] = total
            self._base_sum = _BASE * total
        self._base_sum += total - base[i]
        base[i] = total
        i += 1
        if i == _BASE:
            i = 0
        self._base_at = i
        # Less light is more blood. The middle of the mean is the sum of 20 before.
        band = self._base_sum - _BASE * base[i + _BASE // 2 if i < _BASE // 2 else i - _BASE // 2]
        self._light[at] = total
        smooth = band + self._last + self._before
        self._before = self._last
        self._last = band
        self._band[at] = smooth
        self._rise[at] = smooth - self._smooth_before
        self._smooth_before = self._smooth
        self._smooth = smooth

        axes = self._axes
        jerk = 0
        square = 0
        for k in range(3):
            value = axes[k]
            axes[k] = 0
            change = value - axes[3 + k]
            jerk += change if change >= 0 else -change
            axes[3 + k] = value
            value >>= 2
            square += value * value
        self._force[at] = square
        self._jerk[at] = jerk if self._count else 0

        self._at = at + 1 if at + 1 < WINDOW else 0
        self._count += 1
        if self._count < _FIRST or (self._count - _FIRST) % _STEP:
            return False
        if self._count >= _FIRST + 20 * _STEP:  # so that it never grows large
            self._count -= 20 * _STEP
        self._measure()
        self.reason = decide(self.measures, self.limits)
        self.rate_x10 = 0 if self.reason else (self.measures[PEAKS] + self.measures[SELF]) >> 1
        return True

    def _measure(self):
        m = self.measures
        for i in range(len(m)):
            m[i] = 0
        self._look_at_light(m)
        if m[DARKEST] < self.limits.finger:
            return  # nothing to compute
        self._look_at_motion(m)
        self._unroll(self._rise, 0)
        m[SELF] = self._find_shift()
        m[LIKENESS] = self._best
        self._find_beats(m)

    def _look_at_light(self, m):
        light = self._light
        low = high = light[0]
        total = 0
        for value in light:
            total += value
            if value < low:
                low = value
            if value > high:
                high = value
        m[DARKEST] = low * 2  # a sum of four, each of 8 counts
        m[BRIGHTEST] = high * 2
        # The pulse: from top to bottom within 2 s, the second smallest of four.
        first = second = 1 << 29
        band = self._band
        i = self._at
        for _ in range(4):
            low = high = band[i]
            for _ in range(WINDOW // 4):
                value = band[i]
                if value < low:
                    low = value
                elif value > high:
                    high = value
                i += 1
                if i == WINDOW:
                    i = 0
            size = high - low
            if size < first:
                second = first
                first = size
            elif size < second:
                second = size
        mean = total // WINDOW
        if mean:
            # 120 times the sum; in 1/1000 %.
            m[PERFUSION] = min(second, 1000000) * 1000 // mean * 5 // 6

    def _look_at_motion(self, m):
        total = 0
        for value in self._jerk:
            total += min(value, 4000)
        m[MOVEMENT] = total // WINDOW * 1000 >> 10  # four samples of 256 counts for 1 g: in mg
        mean = 0
        for value in self._force:
            mean += value >> 4
        self._unroll(self._force, mean // WINDOW << 4)
        m[CADENCE] = self._find_shift()
        if self._best < 500:
            m[CADENCE] = 0  # movement without a rhythm

    def _unroll(self, ring, middle):
        """The ring, oldest first, into `wave`, shifted until it fits into +-511."""
        most = 1
        for value in ring:
            value -= middle
            if value < 0:
                value = -value
            if value > most:
                most = value
        shift = 0
        while most >> shift > 511:
            shift += 1
        wave = self.wave
        i = self._at
        for k in range(WINDOW):
            wave[k] = (ring[i] - middle) >> shift
            i += 1
            if i == WINDOW:
                i = 0

    def _likeness_at(self, shift):
        """How like itself the wave is after `shift` sums, -1000 to 1000."""
        wave = self.wave
        same = ours = theirs = 0
        for i in range(WINDOW - shift):
            a = wave[i]
            b = wave[i + shift]
            same += a * b
            ours += a * a
            theirs += b * b
        size = (ours + theirs) >> 11
        return (same >> 10) * 1000 // size if size else 0

    def _find_shift(self):
        """The rate at which the wave repeats, in tenths per minute; 0 if it does not. `_best`: how well."""
        alike = self._alike
        for shift in range(SHORTEST - 1, LONGEST + 1):
            alike[shift] = self._likeness_at(shift)
        best = 0
        for shift in range(SHORTEST, LONGEST):
            if alike[shift] > best and alike[shift] >= alike[shift - 1] and alike[shift] >= alike[shift + 1]:
                best = alike[shift]
        self._best = best
        if best == 0:
            return 0
        # Two beats later it is alike again: the first shift that is nearly as good is the beat.
        enough = best * 7 // 8
        for shift in range(SHORTEST, LONGEST):
            here = alike[shift]
            if here >= enough and here >= alike[shift - 1] and here >= alike[shift + 1]:
                return _PER_MINUTE // (64 * shift + _between(alike[shift - 1], here, alike[shift + 1]))
        return 0

    def _find_beats(self, m):
        """The moments at which the blood rises most."""
        wave = self.wave
        beats = self.beats
        # A beat rises at least half as fast as the beats in the second weakest quarter of the window.
        first = second = 1 << 29
        for quarter in range(4):
            most = 0
            for i in range(quarter * WINDOW // 4, (quarter + 1) * WINDOW // 4):
                if wave[i] > most:
                    most = wave[i]
            if most < first:
                second = first
                first = most
            elif most < second:
                second = most
        enough = max(2, second >> 1)
        count = 0
        last = last_rise = -_REFRACTORY
        for i in range(1, WINDOW - 1):
            rise = wave[i]
            if rise < enough or rise < wave[i - 1] or rise <= wave[i + 1]:
                continue
            if count and i - last < _REFRACTORY:
                if rise <= last_rise:
                    continue
                count -= 1
            elif count == len(beats):
                break
            beats[count] = 64 * i + _between(wave[i - 1], rise, wave[i + 1])
            count += 1
            last = i
            last_rise = rise
        m[BEATS] = count
        if count < 3:
            m[SPREAD] = 1000
            return
        middle = self._middle_gap(count)
        total = kept = apart = 0
        for i in range(count - 1):
            gap = beats[i + 1] - beats[i]
            off = gap - middle if gap > middle else middle - gap
            apart += off
            if 4 * off <= middle:
                total += gap
                kept += 1
        m[SPREAD] = min(1000, apart * 1000 // (middle * (count - 1)))
        m[PEAKS] = _PER_MINUTE * kept // total

    def _middle_gap(self, count):
        """The median of the intervals: the lower one of two."""
        gaps = self._gaps
        beats = self.beats
        for i in range(count - 1):
            gap = beats[i + 1] - beats[i]
            k = i
            while k > 0 and gaps[k - 1] > gap:
                gaps[k] = gaps[k - 1]
                k -= 1
            gaps[k] = gap
        return gaps[(count - 2) // 2]


def decide(m, limits):
    """0 if the device may say what it measured, else the first reason against it."""
    if m[DARKEST] < limits.finger:
        return NO_FINGER
    if m[BRIGHTEST] >= limits.bright:
        return TOO_BRIGHT
    if m[PERFUSION] < limits.perfusion:
        return WEAK
    if m[MOVEMENT] > limits.movement:
        return SHAKEN
    if m[MOVEMENT] > limits.still and m[CADENCE]:
        rate = m[SELF]
        steps = m[CADENCE]
        if _near(rate, steps, limits.near) or _near(rate, 2 * steps, limits.near) or _near(2 * rate, steps, limits.near):
            return STEPS
    apart = m[PEAKS] - m[SELF]
    if (m[BEATS] < 4 or m[LIKENESS] < limits.likeness or m[SPREAD] > limits.spread
            or apart > limits.agree or -apart > limits.agree):
        return IRREGULAR
    return OK


def _near(a, b, part):
    apart = a - b if a > b else b - a
    return apart * 1000 <= part * b


def _between(before, here, after):
    """Where a parabola through three values has its top, in 1/64 from the middle one, -32 to 32."""
    bend = 2 * here - before - after
    return (after - before) * 32 // bend if bend > 0 else 0
