"""The last step: from scores to a class, to probabilities, or to a number."""

from array import array

from .common import KINDS, REAL, check, exp, expect, logistic, real, zeros

VALUE, EXP, SHARES, LARGEST, SOFTMAX, SIGN, SIGMOID, PAIRS = range(8)
"""How scores become an answer.

===========  ==========================================  =====================================
VALUE        a number: the score divided by ``divisor``  none
EXP          a number: exp(score)                        none
SHARES       the class of the largest score               scores divided by ``divisor``
LARGEST      the class of the largest score               none
SOFTMAX      the class of the largest score               softmax
SIGN         the second class if score > ``limit``, or   none
             as large and ``inclusive``
SIGMOID      as SIGN                                      logistic function of ``factor * score``
PAIRS        each score > 0 is a vote for the first of   none
             two classes, else for the second
===========  ==========================================  =====================================
"""


class Finish:
    """``numbers``: whether probabilities are wanted, how, classes, divisor, inclusive, factor."""

    name = "finish"
    kind = KINDS["finish"]
    comparisons = macs = 0
    scored = False

    def __init__(self, numbers, buffers, types, before, place):
        scores = before.output
        expect(types, "d" if types else "")
        check(not buffers or len(buffers[0]) == 1, "a last step without its limit")
        self.limit = place(real(buffers[0], "d") if buffers else zeros(REAL, 1))
        check(len(numbers) == 6, "a last step without all its numbers")
        self.numbers = place(numbers)
        _, self.how, self.classes, divisor, inclusive, factor = numbers
        self.scores = scores
        wanted = {VALUE: 1, EXP: 1, SHARES: self.classes, LARGEST: self.classes, SOFTMAX: self.classes, SIGN: 1, SIGMOID: 1,
                  PAIRS: self.classes * (self.classes - 1) // 2}
        check(wanted.get(self.how) == len(scores) and divisor > 0 and factor > 0
              and (self.classes == 0 if self.how <= EXP else self.classes == 2 if SIGN <= self.how <= SIGMOID else self.classes > 0),
              "a last step that does not fit the scores")
        self.has_probabilities = self.how in (SHARES, SOFTMAX, SIGMOID)
        self.has_scores = self.how > EXP
        self.output = place(zeros("f", max(1, self.classes)))
        self.result = place(array("i", [0]))
        self.votes = before.votes
        if self.votes:
            before.decided_by(self.numbers)
        self.before = before
        check(not self.votes or self.how in (SHARES, LARGEST), "votes that nobody counts")
        self.pairs = place(zeros("H", self.classes if self.how == PAIRS else 0))
        self.buffers = [scores, self.output, self.result, place(array("i", [before.votes])), self.limit, self.pairs]

    def describe(self):
        return ("a number", "exponential", "shares", "largest score", "softmax", "sign", "logistic function",
                "pairs")[self.how]

    def run(self):
        scores, output = self.scores, self.output
        numbers, how, classes = self.numbers, self.how, self.classes
        divisor = numbers[3]
        if self.votes and self.before.winner >= 0:
            self.result[0] = self.before.winner
            return
        if how == VALUE:
            output[0] = scores[0] / divisor
            return
        if how == EXP:
            output[0] = exp(scores[0])
            return
        if how == SHARES and not self.votes:
            for k in range(classes):
                scores[k] /= divisor
        if how == PAIRS:
            self._count_pairs()
        elif how >= SIGN:
            limit = self.limit[0]
            self.result[0] = scores[0] > limit or (numbers[4] and scores[0] == limit)
        else:
            best = 0
            for k in range(1, classes):
                if scores[k] > scores[best]:
                    best = k
            self.result[0] = best
        if not numbers[0]:
            return
        if how == SHARES:
            for k in range(classes):
                output[k] = scores[k] / divisor if self.votes else scores[k]
        elif how == SOFTMAX:
            largest = scores[self.result[0]]
            total = 0.0
            for k in range(classes):
                output[k] = exp(scores[k] - largest)
                total += output[k]
            for k in range(classes):
                output[k] /= total
        elif how == SIGMOID:
            output[1] = logistic(numbers[5] * scores[0])
            output[0] = logistic(-numbers[5] * scores[0])

    def _count_pairs(self):
        votes, scores = self.pairs, self.scores
        for k in range(self.classes):
            votes[k] = 0
        pair = best = 0
        for i in range(self.classes):
            for j in range(i + 1, self.classes):
                votes[i if scores[pair] > 0 else j] += 1
                pair += 1
        for k in range(1, self.classes):
            if votes[k] > votes[best]:
                best = k
        self.result[0] = best
