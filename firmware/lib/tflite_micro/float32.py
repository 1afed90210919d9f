"""float32 arithmetic in integers: the same bits on a board with floats of 32 bits, on one with 64, and on a computer.

LiteRT fills the tables of LOGISTIC, TANH and ELU with float32 arithmetic. A number is (mantissa, exponent), worth
``mantissa * 2**exponent``, with a sign in the mantissa; `rounded` keeps 24 bits, as float32 does.
"""

from .fixed_point import bit_length, divide, round_to

ONE = (1, 0)
_BITS = 62  # fractional bits of exponentials
_LN2 = 3196577161300663915  # ln(2) with 62 fractional bits


def rounded(number):
    """The nearest float32; a tie goes to the even one.

    >>> rounded(((1 << 24) + 1, 0))
    (8388608, 1)
    """
    mantissa, exponent = number
    size, exponent = round_to(abs(mantissa), exponent, 24)
    return (-size if mantissa < 0 else size), exponent


def multiply(a, b):
    """``a * b`` in float32."""
    return rounded((a[0] * b[0], a[1] + b[1]))


def add(a, b):
    """``a + b`` in float32."""
    low = max(min(a[1], b[1]), max(a[1], b[1]) - 100)  # what is 100 bits lower no longer counts
    return rounded((_shift(a[0], a[1] - low) + _shift(b[0], b[1] - low), low))


def quotient(a, b):
    """``a / b`` in float32, for ``b`` above 0."""
    mantissa, exponent = divide((abs(a[0]), a[1]), b, bits=24)
    return (-mantissa if a[0] < 0 else mantissa), exponent


def exp(number):
    """``exp``, not rounded: 62 bits.

    >>> mantissa, exponent = exp((1, 0))
    >>> round(mantissa * 2.0 ** exponent, 12)
    2.718281828459
    """
    mantissa, exponent = number
    if bit_length(abs(mantissa)) + exponent > 10:  # beyond 2**10: far outside of float32
        return (1, 2000) if mantissa > 0 else (0, 0)
    x = _shift(mantissa, exponent + _BITS)
    times = x // _LN2
    x -= times * _LN2
    total = term = 1 << _BITS
    for i in range(1, 30):
        term = (term * x >> _BITS) // i
        if not term:
            break
        total += term
    return total, times - _BITS


def tanh(number):
    """``tanh`` in float32."""
    mantissa, exponent = number
    power, power_exponent = exp((-2 * abs(mantissa), exponent))
    power = _shift(power, power_exponent + _BITS)
    size, exponent = divide(((1 << _BITS) - power, 0), ((1 << _BITS) + power, 0), bits=24)
    return (-size if mantissa < 0 else size), exponent


def exp_minus_1(number):
    """``exp(x) - 1`` in float32, for ``x`` of at most 0."""
    power, exponent = exp(number)
    return rounded((_shift(power, exponent + _BITS) - (1 << _BITS), -_BITS))


def nearest(number):
    """The nearest integer; a half goes away from zero.

    >>> nearest((-5, -1))
    -3
    """
    mantissa, exponent = number
    size = abs(mantissa)
    if exponent < 0:
        size = (size + (1 << (-exponent - 1))) >> -exponent
    else:
        size <<= min(exponent, 64)
    return -size if mantissa < 0 else size


def _shift(value, bits):
    return value << bits if bits >= 0 else value >> -bits
