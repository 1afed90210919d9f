"""From noisy inputs to one clean action: debounce, smoothing, refractory time; words spotted in a stream.

Example::

    smoother = Smoother(classes=6, windows=2)
    refractory = Refractory(1000)
    ...
    smoother.update(model.output)
    if smoother.mean(2) > 60 and refractory.ready(ticks_ms()):
        led.on()

Times are in milliseconds as ``time.ticks_ms()`` gives them: they wrap around, so they are compared with
``ticks_diff``, never with ``-``.
"""

try:
    from time import ticks_diff
except ImportError:  # CPython
    def ticks_diff(end, start):
        return end - start


class Debounce:
    """A button's contacts bounce for some milliseconds. A new level counts once it has stayed for ``stable_ms``."""

    def __init__(self, level=1, stable_ms=20):
        self.level = level  # the level that counts
        self.stable_ms = stable_ms
        self._seen = level
        self._since_ms = 0

    def update(self, level, now_ms):
        """Give the pin's level, often. Returns True once, when the level that counts has changed."""
        if level != self._seen:
            self._seen = level
            self._since_ms = now_ms
        if self._seen != self.level and ticks_diff(now_ms, self._since_ms) >= self.stable_ms:
            self.level = self._seen
            return True
        return False


class Smoother:
    """Mean of the last ``windows`` scores of each class, in the scores' own integers. Allocates nothing in use."""

    def __init__(self, classes, windows=2):
        self.classes = classes
        self.windows = windows
        self.count = 0  # windows that the means hold, up to `windows`
        self._scores = [[0] * classes for _ in range(windows)]
        self._next = 0

    def update(self, scores):
        """Put the newest scores in; the oldest go."""
        row = self._scores[self._next]
        for i in range(self.classes):
            row[i] = scores[i]
        self._next = (self._next + 1) % self.windows
        if self.count < self.windows:
            self.count += 1

    def clear(self):
        """Forget all windows: the next one is the first."""
        self.count = self._next = 0

    def full(self):
        """True once the means hold as many windows as they shall."""
        return self.count == self.windows

    def mean(self, i):
        """Mean score of class ``i``, rounded down; before the first update 0."""
        total = 0
        for j in range(self.count):
            total += self._scores[j][i]
        return total // self.count if self.count else 0

    def best(self):
        """The class with the highest mean; the first of equals."""
        best = 0
        for i in range(1, self.classes):
            if self.mean(i) > self.mean(best):
                best = i
        return best


class Refractory:
    """After one action, none for ``quiet_ms``: one gesture spans many windows and shall act once."""

    def __init__(self, quiet_ms=1000):
        self.quiet_ms = quiet_ms
        self._last_ms = None

    def ready(self, now_ms):
        """True if an action may happen now; the quiet time then starts."""
        if self._last_ms is not None and ticks_diff(now_ms, self._last_ms) < self.quiet_ms:
            return False
        self._last_ms = now_ms
        return True


class Spotter:
    """Words in a stream of scores: the mean of some windows must reach the limit, and each word counts once.

    ``classes``: number of classes. ``words``: those that count; the others (silence, unknown words) never do.
    ``limit``: mean score that counts, in the scores' own integers. ``smooth``: windows that the mean is taken over.
    ``quiet_ms``: least time between two words. A word is in sight for many windows: it counts again only after its
    mean fell below the limit. Allocates nothing in use.
    """

    def __init__(self, classes, words, limit, smooth=3, quiet_ms=1000):
        self.words = tuple(words)
        self.limit = limit
        self.smoother = Smoother(classes, smooth)
        self.refractory = Refractory(quiet_ms)
        self._last = -1  # the word that is still in sight

    def update(self, scores, now_ms):
        """Give the newest scores. Returns the class that is spotted now, else -1."""
        smoother = self.smoother
        smoother.update(scores)
        if not smoother.full():
            return -1
        best = smoother.best()
        if best not in self.words or smoother.mean(best) < self.limit:
            self._last = -1
        elif best != self._last and self.refractory.ready(now_ms):
            self._last = best
            return best
        return -1
