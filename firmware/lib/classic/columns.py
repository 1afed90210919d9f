"""Single columns: choose, scale, fill gaps. Each step writes float32 for the next one."""

from .common import KINDS, check, expect, zeros


class _Columns:
    scored = votes = False
    comparisons = 0

    def _output(self, count, place):
        self.numbers = place(zeros("i", 1))
        self.numbers[0] = count
        self.output = place(zeros("f", count))
        self.macs = 0

    def describe(self):
        return "%d columns" % len(self.output)


class Scale(_Columns):
    """``(x - upper - lower) * factor``, kept between ``low`` and ``high`` if there are some.

    The centre comes in two parts, because a large one needs more digits than a float32 has.
    """

    name = "scale"
    kind = KINDS["scale"]

    def __init__(self, numbers, buffers, types, before, place):
        expect(types, "fffff")
        self.x = before.output
        self.upper, self.lower, self.factor, self.low, self.high = buffers
        count = len(self.x)
        check(len(self.upper) == len(self.lower) == len(self.factor) == count and len(self.low) == len(self.high)
              and len(self.low) in (0, count), "a scale for other columns")
        self._output(count, place)
        self.macs = count
        self.clips = place(zeros("i", 1))
        self.clips[0] = len(self.low) > 0
        self.buffers = [self.x] + buffers + [self.clips, self.output]

    def run(self):
        x, upper, lower, factor, output = self.x, self.upper, self.lower, self.factor, self.output
        low, high = self.low, self.high
        for k in range(len(output)):
            y = (x[k] - upper[k] - lower[k]) * factor[k]
            if len(low):
                y = low[k] if y < low[k] else high[k] if y > high[k] else y
            output[k] = y


class Select(_Columns):
    """The columns named by their numbers, in that order."""

    name = "select"
    kind = KINDS["select"]

    def __init__(self, numbers, buffers, types, before, place):
        expect(types, "H")
        self.x = before.output
        self.chosen = buffers[0]
        check(len(self.chosen) and max(self.chosen) < len(self.x), "it chooses no column")
        self._output(len(self.chosen), place)
        self.buffers = [self.x, self.chosen, self.output]

    def run(self):
        x, chosen, output = self.x, self.chosen, self.output
        for k in range(len(output)):
            output[k] = x[chosen[k]]


class Impute(_Columns):
    """``values`` where x is NaN, or where it is the number in ``gaps``."""

    name = "impute"
    kind = KINDS["impute"]

    def __init__(self, numbers, buffers, types, before, place):
        expect(types, "ff")
        self.x = before.output
        self.values, self.gaps = buffers
        check(len(self.values) == len(self.gaps) == len(self.x), "it fills other columns")
        self._output(len(self.x), place)
        self.buffers = [self.x, self.values, self.gaps, self.output]

    def run(self):
        x, values, gaps, output = self.x, self.values, self.gaps, self.output
        for k in range(len(output)):
            y, gap = x[k], gaps[k]
            output[k] = values[k] if (y != y if gap != gap else y == gap) else y
