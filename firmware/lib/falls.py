"""Falls: a cheap look at every sample, and fourteen numbers when something struck hard.

Example, with an accelerometer at +-16 g (2048 counts for 1 g), 50 samples per second::

    from falls import Detector

    detector = Detector()
    ...
    if detector.update(x, y, z):            # counts; True three seconds after something struck
        model.input[:] = detector.features  # int8, for the network
        model.invoke()

Each sample costs a square and a comparison. Only what strikes harder than ``TRIGGER_MG`` becomes an event; its
strongest sample is the *peak*. Three seconds later all is known that tells a fall from a hard chair: was there less
weight before, how much speed did the floor take away, did the trunk turn, does it lie still after. What strikes again
more than a second later is a new peak: who runs is not judged until the run is over.

All numbers are integers, so that the computer and the board agree to the last bit. On most boards an integer below
2**30 lives in a register: magnitudes are taken of ``counts >> 3``, 256 for 1 g, whose squares sum to 3 * 2**24 at
most. The loops allocate nothing.
"""

from array import array

try:
    from micropython import const
except ImportError:  # CPython, as the host twin
    def const(value):
        return value

RATE_HZ = const(50)
TRIGGER_MG = const(1800)  # magnitude that makes an event
BEFORE = const(100)  # samples before the peak that are looked at: 2 s
AFTER = const(150)  # and after it: 3 s
FORGET = const(50)  # after so long a weaker blow is a new peak

_G = const(256)  # 1 g in a magnitude
_ROOM = const(256)  # samples that are kept; a power of two, more than BEFORE + AFTER

# Name, and the values that become -128 and 127; beyond them it stays there.
FEATURES = (
    ("peak", 256, 2560),  # strongest magnitude
    ("lightest", 0, 256),  # least magnitude in the second before, over 4 samples: 0 is weightless
    ("lost", 0, 7680),  # weight missing before: its area is the speed gathered
    ("light", 0, 50),  # samples below 0.7 g before
    ("weightless", 0, 30),  # samples below 0.2 g before: a body tips over, a thing flies
    ("taken", 0, 10240),  # weight too much: its area is the speed that was taken away
    ("sharp", 0, 1536),  # largest step between two samples of the impact
    ("broad", 0, 30),  # samples above 1.5 g around the peak
    ("busy", 0, 64),  # mean distance from 1 g long before: did they walk?
    ("tilt", 0, 384),  # 256 * (1 - cos) of the angle from before to after: 0 is upright as before, 256 a quarter turn
    ("tilt_soon", 0, 384),  # the same a second after the peak
    ("restless", 0, 96),  # root of the mean distance from the mean in the last second, in counts, times 16
    ("moving", 0, 64),  # mean distance from 1 g between one and two seconds after
    ("steps", 0, 40),  # samples above 1.25 g from 0.8 s on
)
NAMES = tuple(name for name, _, _ in FEATURES)


class Detector:
    """Find events in a stream of samples and describe each.

    ``trigger_mg``: magnitude from which something is an event. ``values``: the numbers of ``FEATURES``,
    ``array("i")``; ``features``: the same as int8, ``array("b")``; both of the newest event. ``pending``: something
    struck, and its three seconds are not over. ``count``: samples since the last ``restart``.
    """

    def __init__(self, trigger_mg=TRIGGER_MG):
        if not 1000 < trigger_mg <= 16000:
            raise ValueError("trigger_mg is %r, expected 1001 to 16000: at rest there are 1000" % (trigger_mg,))
        limit = (trigger_mg * _G + 500) // 1000
        self._limit = limit * limit
        self.values = array("i", bytes(4 * len(FEATURES)))
        self.features = array("b", bytes(len(FEATURES)))
        self._kept = array("h", bytes(2 * 3 * _ROOM))
        self._magnitude = array("h", bytes(2 * (BEFORE + AFTER + 1)))
        self._means = array("i", bytes(4 * 9))
        self._squeezed = array("i", bytes(4 * len(FEATURES)))
        for i in range(len(FEATURES)):
            self._squeezed[i] = FEATURES[i][2] - FEATURES[i][1]
        self._low = array("i", [low for _, low, _ in FEATURES])
        self.restart()

    def restart(self):
        """Forget all: samples are missing between what came and what comes."""
        self.count = 0
        self.pending = False
        self._since = 0
        self._peak2 = 0

    def update(self, x, y, z):
        """Take one sample, in counts. True if an event is complete: then look at ``features``."""
        i = 3 * (self.count & (_ROOM - 1))
        kept = self._kept
        kept[i] = x
        kept[i + 1] = y
        kept[i + 2] = z
        self.count += 1
        self._since += 1
        x >>= 3
        y >>= 3
        z >>= 3
        square = x * x + y * y + z * z
        if square >= self._limit and self.count > BEFORE:
            if not self.pending or square > self._peak2 or self._since > FORGET:
                self.pending = True
                self._peak2 = square
                self._since = 0
        if self.pending and self._since == AFTER:
            self.pending = False
            self._describe()
            return True
        return False

    def _describe(self):
        """Fill ``values`` and ``features``; the newest sample is the last of the event."""
        kept = self._kept
        magnitude = self._magnitude
        first = self.count - (BEFORE + AFTER + 1)
        for j in range(BEFORE + AFTER + 1):
            i = 3 * ((first + j) & (_ROOM - 1))
            x = kept[i] >> 3
            y = kept[i + 1] >> 3
            z = kept[i + 2] >> 3
            magnitude[j] = _root(x * x + y * y + z * z)
        v = self.values
        p = BEFORE
        v[0] = magnitude[p]

        least = 1 << 20
        for j in range(p - 50, p - 2):
            total = magnitude[j] + magnitude[j + 1] + magnitude[j + 2] + magnitude[j + 3]
            if total < least:
                least = total
        v[1] = least >> 2
        lost = light = weightless = 0
        for j in range(p - 60, p):
            m = magnitude[j]
            if m < _G:
                lost += _G - m
                if m < 180:
                    light += 1
                    if m < 52:
                        weightless += 1
        v[2] = lost
        v[3] = light
        v[4] = weightless

        taken = sharp = broad = 0
        for j in range(p - 15, p + 25):
            m = magnitude[j]
            if m > _G:
                taken += m - _G
                if m > 384:
                    broad += 1
            step = m - magnitude[j - 1]
            if step < 0:
                step = -step
            if step > sharp:
                sharp = step
        v[5] = taken
        v[6] = sharp
        v[7] = broad

        v[8] = self._distance(p - 100, p - 60)
        v[12] = self._distance(p + 50, p + 100)
        steps = 0
        for j in range(p + 40, p + AFTER + 1):
            if magnitude[j] > 320:
                steps += 1
        v[13] = steps

        means = self._means
        self._mean(first, p - 100, p - 60, 0)
        self._mean(first, p + 40, p + 65, 3)
        self._mean(first, p + 100, p + AFTER + 1, 6)
        v[9] = _G - self._cosine(0, 6)
        v[10] = _G - self._cosine(0, 3)
        total = 0
        for j in range(p + 100, p + AFTER + 1):
            i = 3 * ((first + j) & (_ROOM - 1))
            for axis in range(3):
                d = kept[i + axis] - means[6 + axis]
                total += d if d > 0 else -d
        v[11] = _root((total << 4) // (3 * (AFTER + 1 - 100)))

        features = self.features
        low = self._low
        for i in range(len(features)):
            value = v[i] - low[i]
            reach = self._squeezed[i]
            if value <= 0:
                features[i] = -128
            elif value >= reach:
                features[i] = 127
            else:
                features[i] = value * 256 // reach - 128

    def _distance(self, start, stop):
        """Mean distance of the magnitude from 1 g."""
        magnitude = self._magnitude
        total = 0
        for j in range(start, stop):
            d = magnitude[j] - _G
            total += d if d > 0 else -d
        return total // (stop - start)

    def _mean(self, first, start, stop, at):
        """Mean of each axis in counts, to ``_means[at:at + 3]``."""
        kept = self._kept
        for axis in range(3):
            total = 0
            for j in range(start, stop):
                total += kept[3 * ((first + j) & (_ROOM - 1)) + axis]
            self._means[at + axis] = total // (stop - start)

    def _cosine(self, a, b):
        """256 times the cosine of the angle between two means."""
        m = self._means
        dot = aa = bb = 0
        for axis in range(3):
            x = m[a + axis] >> 3
            y = m[b + axis] >> 3
            dot += x * y
            aa += x * x
            bb += y * y
        aa = _root(aa)
        bb = _root(bb)
        if not aa or not bb:
            return _G
        return (dot // aa) * _G // bb


def _root(n):
    """The integer square root, by Newton's method; n below 2**30."""
    if n < 2:
        return n
    x = 1
    while x < 0x8000 and x * x < n:
        x <<= 1
    while True:
        y = (x + n // x) >> 1
        if y >= x:
            return x
        x = y
