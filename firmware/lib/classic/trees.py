"""Trees and forests, with integers only.

A decision ``x <= threshold`` between float32 numbers is one between integers: the bits of a float32, those of a negative
number inverted, are in the same order as the numbers. The upper and the lower half of these 32 bits are compared one
after the other, because larger integers take memory on a board; mostly the upper one decides.

A node is four or five numbers, each in an array of its own:

- ``features``: where the upper half of the feature is among the halves, which is ``2 * feature + 1``;
- ``upper``, ``lower``: the threshold; ``lower`` is empty if all of them are 0;
- ``left``, ``right``: the next node, or ``-1 - leaf``.

What a leaf says depends on ``leaves``: a class that gets a vote; a row of counts, which divided by their sum are
probabilities; a row of numbers; or one number for output ``tree % outputs``, as float or as int16 that the last number of
``base`` multiplies. Equal leaves are there once.
"""

from array import array
from struct import pack_into

from .common import ITEM_BYTES, KINDS, REAL, check, expect, real, zeros

try:
    import uctypes  # noqa: F401 - only MicroPython has it
    _COPIES = True
except ImportError:  # CPython
    _COPIES = False

VOTES, COUNTS, ROWS, VALUES, WHOLE = range(5)
"""What a leaf is."""

MISSING, UPPER_ONLY = 1, 2
"""NaN has a way to go: bits of ``missing``. Without it, NaN is larger than every threshold.
The lower halves of thresholds are all ones: the upper ones decide alone."""


class Trees:
    name = "trees"
    kind = KINDS["trees"]
    macs = 0
    scored = True

    def __init__(self, numbers, buffers, types, before, place):
        expect(types, ("hi", "BH", "h", "H", "hi", "hi", "BHfdh", "d", "H", "B"))
        check(len(numbers) == 4 and types[0] == types[4] == types[5], "trees without all their numbers")
        outputs, self.leaves, self.flags, self.comparisons = numbers
        self.x = x = before.output
        self.roots, self.features, self.upper, self.lower, self.left, self.right, self.table, base, self.signed, \
            self.missing = buffers
        self.votes = self.leaves == VOTES
        self.winner = -1
        self._zeros = "%ds" % (2 * outputs)
        self._check(outputs, len(base), types[6])
        self.base = place(real(base, "d") if len(base) else zeros(REAL, outputs))
        if types[6] == "d":
            self.table = place(real(self.table, "d"))
        self.output = place(zeros("H" if self.votes else REAL, outputs))
        self.sums = zeros("i", outputs if self.leaves == WHOLE else 0)
        self.numbers = place(array("i", [outputs, self.leaves, self.flags, len(self.roots), ITEM_BYTES[types[1]],
                                         ITEM_BYTES[types[0]], len(self.lower), ITEM_BYTES[types[6]]]))
        self.buffers = [x, self.roots, self.features, self.upper, self.lower, self.left, self.right, self.table, self.base,
                        self.missing, self.output]
        if _COPIES:
            self.halves = zeros("h", 2 * len(x))
            self._format = "%ds" % (4 * len(x))
        else:
            self.halves = memoryview(x).cast("B").cast("h")
            if len(self.signed):  # they are changed
                self.halves = array("h", bytes(4 * len(x)))

    def _check(self, outputs, bases, table_type):
        """The numbers lead nowhere outside. A tree only leads onwards, so it ends."""
        nodes = len(self.features)
        leaves = {VOTES: outputs, COUNTS: len(self.table) // max(1, outputs), ROWS: len(self.table) // max(1, outputs),
                  VALUES: len(self.table), WHOLE: len(self.table)}.get(self.leaves, 0)
        check(0 < outputs <= 4096 and bases in ((outputs + 1,) if self.leaves == WHOLE else (0, outputs)) and len(self.roots) and leaves > 0, "trees without leaves")
        check(table_type in {VOTES: "B", COUNTS: "BH", WHOLE: "h"}.get(self.leaves, "fd"), "leaves of the wrong type")
        check(len(self.upper) == len(self.left) == len(self.right) == nodes and len(self.lower) in (0, nodes)
              and len(self.missing) * 8 >= (nodes if self.flags & MISSING else 0), "nodes without all their numbers")
        if self.leaves == COUNTS:
            check(all([sum(self.table[i:i + outputs]) for i in range(0, len(self.table), outputs)])
                  and len(self.table) % outputs == 0, "a leaf of nothing")
        if nodes:
            check(max(self.features) < 2 * len(self.x) and all([f & 1 for f in self.features]), "a node asks for no feature")
        for ways in (self.left, self.right):
            i = 0
            for way in ways:
                check(i < way < nodes if way >= 0 else way >= -leaves, "a node leads nowhere")
                i += 1
        check(max(self.roots) < nodes and min(self.roots) >= -leaves, "a tree has no root")
        check(not len(self.signed) or max(self.signed) < len(self.x), "a sign of no feature")

    def decided_by(self, wanted):
        """``wanted[0]``: probabilities are wanted, not only the class."""
        self.wanted = wanted
        self.buffers.append(wanted)

    def describe(self):
        return "%d trees, %d decisions" % (len(self.roots), len(self.features))

    def run(self):
        halves = self._halves()
        output = self.output
        outputs = len(output)
        if self.leaves == VOTES:
            pack_into(self._zeros, output, 0, b"")  # faster than a loop
            self.winner = self._vote(halves, output)
            return
        if self.leaves == WHOLE:
            self._sum(halves, output)
            return
        for k in range(outputs):
            output[k] = self.base[k]
        table = self.table
        number = 0
        for root in self.roots:
            row = self._leaf(halves, root)
            if self.leaves == VALUES:
                output[number % outputs] += table[row]
            else:
                row *= outputs
                total = sum(table[row:row + outputs]) if self.leaves == COUNTS else 1
                for k in range(outputs):
                    output[k] += table[row + k] / total
            number += 1

    def _halves(self):
        """The input as halves of keys in the order of their numbers.

        Raw bits will do where no threshold is negative: then any negative number is below, as its sign says.
        """
        halves = self.halves
        if _COPIES:
            pack_into(self._format, halves, 0, self.x)
        elif len(self.signed):
            halves[:] = array("h", memoryview(self.x).cast("B").tobytes())
        for k in range(len(self.signed)):
            i = 2 * self.signed[k] + 1
            if halves[i] < 0:
                halves[i] ^= 0x7FFF
                halves[i - 1] ^= -1
        return halves

    def _vote(self, halves, votes):
        """Count; the class that won before all had voted, or -1."""
        # The same walk as in _leaf, without a call for each tree. Iterators and tuples would take memory.
        roots = self.roots
        # With more than half of all votes a class has won; shares need every vote.
        enough = len(roots) if self.wanted[0] else len(roots) // 2
        features = self.features
        upper = self.upper
        left = self.left
        right = self.right
        if self.flags & UPPER_ONLY and not self.flags & MISSING:
            for tree in range(len(roots)):
                i = roots[tree]
                while i >= 0:
                    if halves[features[i]] <= upper[i]:
                        i = left[i]
                    else:
                        i = right[i]
                i = -1 - i
                count = votes[i] + 1
                votes[i] = count
                if count > enough:
                    return i
            return -1
        if self.flags & MISSING or len(self.lower):
            for tree in range(len(roots)):
                leaf = self._leaf(halves, roots[tree])
                count = votes[leaf] + 1
                votes[leaf] = count
                if count > enough:
                    return leaf
            return -1
        for tree in range(len(roots)):
            i = roots[tree]
            while i >= 0:
                k = features[i]
                half = halves[k]
                if half < upper[i]:
                    i = left[i]
                elif half > upper[i] or halves[k - 1]:
                    i = right[i]
                else:
                    i = left[i]
            i = -1 - i
            count = votes[i] + 1
            votes[i] = count
            if count > enough:
                return i
        return -1

    def _sum(self, halves, output):
        sums, table, roots = self.sums, self.table, self.roots
        outputs = len(output)
        for k in range(outputs):
            sums[k] = 0
        k = 0
        for tree in range(len(roots)):
            sums[k] += table[self._leaf(halves, roots[tree])]
            k = k + 1 if k + 1 < outputs else 0
        for k in range(outputs):
            output[k] = self.base[k] + sums[k] * self.base[outputs]

    def _leaf(self, halves, i):
        features = self.features
        upper = self.upper
        lower = self.lower
        left = self.left
        right = self.right
        missing = self.flags & MISSING
        lowest = 0xFFFF if self.flags & UPPER_ONLY else 0
        while i >= 0:
            k = features[i]
            half = halves[k]
            if missing and (half & 0x7FFF) >= 0x7F80 and self._is_missing(k):
                i = left[i] if self.missing[i >> 3] >> (i & 7) & 1 else right[i]
            elif half < upper[i]:
                i = left[i]
            elif half > upper[i] or (halves[k - 1] & 0xFFFF) > (lower[i] if len(lower) else lowest):
                i = right[i]
            else:
                i = left[i]
        return -1 - i

    def _is_missing(self, k):
        value = self.x[k >> 1]
        return value != value
