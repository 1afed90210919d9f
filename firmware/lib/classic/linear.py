"""Weighted sums: linear models, the layers of a perceptron, principal components.

``numbers``: outputs, activation, whether this is the last layer (its sums keep all digits of the board's floats).
``weights``: float32, or int16 and one scale for each output.
"""

from .common import KINDS, REAL, check, expect, logistic, real, tanh, zeros

NONE, LOGISTIC, TANH, RELU = range(4)


class Linear:
    name = "linear"
    kind = KINDS["linear"]
    votes = False
    comparisons = 0

    def __init__(self, numbers, buffers, types, before, place):
        expect(types, ("fh", "f", "d"))
        check(len(numbers) == 3, "a layer without all its numbers")
        outputs, self.activation, self.scored = numbers[0], numbers[1], numbers[2] == 1
        self.x = before.output
        self.weights, self.scales, bias = buffers
        check(outputs > 0 and len(bias) == outputs and len(self.weights) == outputs * len(self.x)
              and len(self.scales) == (outputs if types[0] == "h" else 0) and NONE <= self.activation <= RELU,
              "a layer for other inputs")
        self.bias = place(real(bias, "d"))
        self.output = place(zeros(REAL if self.scored else "f", outputs))
        self.macs = len(self.weights)
        self.numbers = place(zeros("i", 5))
        self.numbers[0], self.numbers[1], self.numbers[2] = outputs, self.activation, self.scored
        self.numbers[3], self.numbers[4] = len(self.x), types[0] == "h"
        self.buffers = [self.x, self.weights, self.scales, self.bias, self.output]

    def describe(self):
        return "%d to %d, %s" % (len(self.x), len(self.output), ("linear", "logistic", "tanh", "relu")[self.activation])

    def run(self):
        x, weights, scales, bias, output = self.x, self.weights, self.scales, self.bias, self.output
        size, activation, i = len(x), self.activation, 0
        for k in range(len(output)):
            y = 0.0
            for j in range(size):
                y += x[j] * weights[i]
                i += 1
            if len(scales):
                y *= scales[k]
            y += bias[k]
            if activation == RELU:
                y = y if y > 0 else 0.0
            elif activation == LOGISTIC:
                y = logistic(y)
            elif activation == TANH:
                y = tanh(y)
            output[k] = y
