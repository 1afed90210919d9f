"""Models that compare a sample with points they keep: support vectors, centres, neighbours, means of classes.

Points are rows of float32, of whole numbers if they are some, or of int16 with one scale for each column.
"""

from math import sqrt

from .common import ITEM_BYTES, KINDS, REAL, check, exp, expect, real, tanh, zeros

RBF, POLYNOMIAL, SIGMOID = range(3)
EUCLIDEAN, MANHATTAN = range(2)


class _Points:
    scored = True
    votes = False
    comparisons = 0

    def _take_points(self, points, scales, types, before):
        self.x = before.output
        self.points, self.scales = points, scales
        size = len(self.x)
        self.count = len(points) // size
        self.macs = len(points)
        check(self.count > 0 and self.count * size == len(points) and len(scales) in (0, size), "points of other columns")
        self.width = ITEM_BYTES[types[0]] * (-1 if types[0] in "bh" else 1)

    def _numbers(self, place, *numbers):
        """For the C kernel: bytes of a coordinate (negative: with a sign; 4: float32), whether there are scales, ..."""
        numbers = (len(self.x), self.count, self.width, len(self.scales) > 0) + numbers
        self.numbers = place(zeros("i", len(numbers)))
        for k in range(len(numbers)):
            self.numbers[k] = numbers[k]

    def _distance(self, row, metric):
        """Squared, or the sum of absolute differences."""
        x, points, scales = self.x, self.points, self.scales
        scaled = len(scales) > 0
        i = row * len(x)
        total = 0.0
        for j in range(len(x)):
            d = x[j] - (points[i] * scales[j] if scaled else points[i])
            total += d * d if metric == EUCLIDEAN else abs(d)
            i += 1
        return total

    def _product(self, row):
        x, points, scales = self.x, self.points, self.scales
        scaled = len(scales) > 0
        i = row * len(x)
        total = 0.0
        for j in range(len(x)):
            total += x[j] * (points[i] * scales[j] if scaled else points[i])
            i += 1
        return total

    def describe(self):
        return "%d points of %d columns" % (self.count, len(self.x))


class Vectors(_Points):
    """Support vectors, class after class; ``starts``: where each class begins, and the end. One class: a single sum.

    With classes, the coefficients are [classes - 1, vectors] as libsvm has them, and a score is there for each pair.
    """

    name = "svm"
    kind = KINDS["svm"]

    def __init__(self, numbers, buffers, types, before, place):
        expect(types, ("fhbB", "f", "d", "d", "d", "i"))
        check(len(numbers) == 3, "support vectors without all their numbers")
        self.form, self.degree, self.classes = numbers
        points, scales, coefficients, bias, shape, starts = buffers
        self._take_points(points, scales, types, before)
        pairs = max(1, self.classes * (self.classes - 1) // 2)
        check(RBF <= self.form <= SIGMOID and 0 <= self.degree <= 64 and 1 <= self.classes <= 4096 and len(shape) == 2
              and len(bias) == pairs and len(coefficients) == self.count * max(1, self.classes - 1)
              and len(starts) == self.classes + 1 and starts[0] == 0 and starts[self.classes] == self.count
              and all([starts[k] <= starts[k + 1] for k in range(self.classes)]), "support vectors that do not fit")
        self.starts = starts
        self.coefficients = place(real(coefficients, "d"))
        self.bias = place(real(bias, "d"))
        self.shape = place(real(shape, "d"))
        self.output = place(zeros(REAL, pairs))
        self._numbers(place, self.form, self.degree, self.classes)
        self.buffers = [self.x, points, scales, self.coefficients, self.bias, self.shape, starts, self.output]

    def run(self):
        output, bias, coefficients, starts, count = self.output, self.bias, self.coefficients, self.starts, self.count
        classes = self.classes
        for pair in range(len(output)):
            output[pair] = bias[pair]
        for own in range(classes):
            for row in range(starts[own], starts[own + 1]):
                near = self._kernel(row)
                if classes == 1:
                    output[0] += coefficients[row] * near
                # The pairs (other, own), then (own, other).
                pair = own - 1
                for other in range(own):
                    output[pair] += coefficients[other * count + row] * near
                    pair += classes - other - 2
                pair = own * (2 * classes - own - 1) // 2
                for other in range(own + 1, classes):
                    output[pair] += coefficients[(other - 1) * count + row] * near
                    pair += 1

    def _kernel(self, row):
        gamma, offset = self.shape[0], self.shape[1]
        if self.form == RBF:
            return exp(-gamma * self._distance(row, EUCLIDEAN))
        base = gamma * self._product(row) + offset
        if self.form == SIGMOID:
            return tanh(base)
        power = 1.0
        for _ in range(self.degree):
            power *= base
        return power


class Centres(_Points):
    """The nearest centre: scores are distances (euclidean: squared) with a minus sign."""

    name = "centres"
    kind = KINDS["centres"]

    def __init__(self, numbers, buffers, types, before, place):
        expect(types, ("fhbB", "f"))
        check(len(numbers) == 1 and numbers[0] in (EUCLIDEAN, MANHATTAN), "centres without their metric")
        self.metric = numbers[0]
        self._take_points(buffers[0], buffers[1], types, before)
        self.output = place(zeros(REAL, self.count))
        self._numbers(place, self.metric)
        self.buffers = [self.x, self.points, self.scales, self.output]

    def run(self):
        for row in range(self.count):
            self.output[row] = -self._distance(row, self.metric)


class Neighbours(_Points):
    """The ``k`` nearest points; each has a class (``B``, ``H``), or a number (``d``).

    They are kept in a heap whose first one is the farthest, exactly as scikit-learn does: so that of several points
    equally far the same ones stay.
    """

    name = "neighbours"
    kind = KINDS["neighbours"]

    def __init__(self, numbers, buffers, types, before, place):
        expect(types, ("fhbB", "f", "BHd"))
        check(len(numbers) == 4, "neighbours without all their numbers")
        self.metric, self.k, self.by_distance, outputs = numbers
        self._take_points(buffers[0], buffers[1], types, before)
        self.says = buffers[2]
        self.numeric = types[2] == "d"
        check(self.metric in (EUCLIDEAN, MANHATTAN) and 0 < self.k <= self.count == len(self.says)
              and outputs == (1 if self.numeric else max(self.says) + 1), "neighbours that do not fit")
        if self.numeric:
            self.says = place(real(self.says, "d"))
        self.distances = place(zeros(REAL, self.k))
        self.rows = place(zeros("i", self.k))
        self.output = place(zeros(REAL, outputs))
        self._numbers(place, self.metric, self.k, self.by_distance, outputs, 8 if self.numeric else ITEM_BYTES[types[2]])
        self.buffers = [self.x, self.points, self.scales, self.says, self.distances, self.rows, self.output]

    def run(self):
        distances, rows, output, says = self.distances, self.rows, self.output, self.says
        for n in range(self.k):
            distances[n] = 3e38
            rows[n] = 0
        for row in range(self.count):
            self._push(self._distance(row, self.metric), row)
        exact = False
        if self.by_distance:
            for n in range(self.k):
                if distances[n] == 0:
                    exact = True
        for k in range(len(output)):
            output[k] = 0
        total = 0.0
        for n in range(self.k):
            weight = 1.0
            if self.by_distance:
                d = distances[n]
                weight = float(d == 0) if exact else 1 / (sqrt(d) if self.metric == EUCLIDEAN else d)
            total += weight
            if self.numeric:
                output[0] += weight * says[rows[n]]
            else:
                output[says[rows[n]]] += weight
        for k in range(len(output)):
            output[k] /= total

    def _push(self, distance, row):
        distances, rows, size = self.distances, self.rows, self.k
        if not distance < distances[0]:
            return
        at = 0
        while True:
            child = 2 * at + 1
            if child >= size:
                break
            if child + 1 < size and distances[child + 1] > distances[child]:
                child += 1
            if not distances[child] > distance:
                break
            distances[at] = distances[child]
            rows[at] = rows[child]
            at = child
        distances[at] = distance
        rows[at] = row


class Bayes:
    """Gaussian naive Bayes: ``base - sum(((x - mean) * factor) ** 2)`` for each class."""

    name = "bayes"
    kind = KINDS["bayes"]
    scored = True
    votes = False
    comparisons = 0

    def __init__(self, numbers, buffers, types, before, place):
        expect(types, "ddd")
        self.x = before.output
        base, means, factors = buffers
        check(len(base) and len(means) == len(factors) == len(base) * len(self.x), "means of other columns")
        self.base, self.means, self.factors = [place(real(values, "d")) for values in buffers]
        self.output = place(zeros(REAL, len(base)))
        self.macs = 2 * len(means)
        self.numbers = place(zeros("i", 2))
        self.numbers[0], self.numbers[1] = len(base), len(self.x)
        self.buffers = [self.x, self.base, self.means, self.factors, self.output]

    def describe(self):
        return "%d classes" % len(self.base)

    def run(self):
        x, means, factors, output = self.x, self.means, self.factors, self.output
        i = 0
        for k in range(len(output)):
            total = self.base[k]
            for j in range(len(x)):
                z = (x[j] - means[i]) * factors[i]
                total -= z * z
                i += 1
            output[k] = total
