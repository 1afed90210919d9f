"""What all steps share: numbers of the file, and what is said when one is damaged."""

import sys
from array import array
from math import exp as _exp

KINDS = {"finish": 0, "trees": 1, "scale": 2, "select": 3, "impute": 4, "linear": 5, "svm": 6, "centres": 7,
         "neighbours": 8, "bayes": 9}

ITEM_BYTES = {"b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "f": 4, "d": 8}

_MICROPYTHON = sys.implementation.name == "micropython"

REAL = "d" if 1 + 1e-10 > 1 else "f"
"""Typecode of this board's own floats: with 64 or 32 bits."""

LIMIT = 700 if REAL == "d" else 85

DAMAGED = "Copy the file again, or make it again with edgekit.convert.to_board"


def damaged(why):
    return ValueError("damaged model: %s. %s" % (why, DAMAGED))


def check(condition, why):
    if not condition:
        raise damaged(why)


def expect(types, wanted):
    """The typecodes of a step's arrays are as they should be: one string of choices for each."""
    check(len(types) == len(wanted) and all([types[i] in wanted[i] for i in range(len(types))]),
          "a step has other arrays than it needs")


def zeros(typecode, count):
    return array(typecode, bytes(ITEM_BYTES[typecode] * count))


def room(typecode, count):
    """An array for a file to be read into; MicroPython makes it in one piece, without a copy of its size beside it."""
    if _MICROPYTHON:
        try:
            return array(typecode, range(count))
        except OverflowError:
            pass
    return zeros(typecode, count)


def real(values, typecode):
    """Numbers as this board's floats."""
    return values if typecode == REAL else array(REAL, values)


def exp(x):
    """The exponential; beyond +-LIMIT it stays where it is, so that nothing overflows."""
    return _exp(-LIMIT if x < -LIMIT else LIMIT if x > LIMIT else x)


def logistic(x):
    if x > 0:
        return 1 / (1 + exp(-x))
    odds = exp(x)
    return odds / (1 + odds)


def tanh(x):
    return 2 * logistic(2 * x) - 1
