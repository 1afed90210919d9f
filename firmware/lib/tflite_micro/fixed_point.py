"""Scales as integers: what a quantized model multiplies with, equal to the bit on every board.

A layer's sums are in steps of ``input_scale * filter_scale`` and its output in steps of ``output_scale``, so each
sum is multiplied by the ratio of both. LiteRT computes that ratio in double precision. Many boards have float32
only, so here it is computed from the bits of the float32 scales with integers, which gives the same bits.

A number is held as (mantissa, exponent), worth ``mantissa * 2**exponent``.
"""

from array import array


def bit_length(n):
    """Bits needed for ``n >= 0``.

    >>> bit_length(5)
    3
    """
    return len(bin(n)) - 2 if n else 0


def from_float_bits(bits):
    """(mantissa, exponent) of the float32 with these 32 bits, which must be a scale: above 0 and finite.

    >>> from_float_bits(0x3F800000)  # 1.0
    (8388608, -23)
    """
    exponent = bits >> 23
    fraction = bits & 0x7FFFFF
    if not 0 < bits or exponent >= 255:
        raise ValueError("a scale of the model is zero, negative or not a number; convert the model again")
    return (fraction | 0x800000, exponent - 150) if exponent else (fraction, -149)


def round_to(mantissa, exponent, bits):
    """The nearest number whose mantissa has at most ``bits`` bits; a tie goes to the even one (IEEE 754).

    >>> round_to(0b10110, 0, 3)
    (6, 2)
    """
    drop = bit_length(mantissa) - bits
    if drop <= 0:
        return mantissa, exponent
    half = 1 << (drop - 1)
    rest = mantissa & ((1 << drop) - 1)
    mantissa >>= drop
    if rest > half or (rest == half and mantissa & 1):
        mantissa += 1
    return mantissa, exponent + drop


def divide(a, b, bits=53):
    """``a / b`` rounded as IEEE 754 does to a mantissa of exactly ``bits`` bits (53: double, 24: float32).

    >>> divide((1, 0), (3, 0), bits=4)
    (11, -5)
    """
    (a_mantissa, a_exponent), (b_mantissa, b_exponent) = a, b
    if not a_mantissa:
        return 0, 0
    # Two bits more than needed; the last one also stands for all that division leaves over.
    shift = bits + 2 + bit_length(b_mantissa) - bit_length(a_mantissa)
    if shift < 0:
        b_mantissa <<= -shift
        shift_up = 0
    else:
        shift_up = shift
    quotient, rest = divmod(a_mantissa << shift_up, b_mantissa)
    if rest:
        quotient |= 1
    quotient, exponent = round_to(quotient, a_exponent - b_exponent - shift, bits)
    missing = bits - bit_length(quotient)
    if missing < 0:  # rounding up made one bit more
        return quotient >> 1, exponent + 1
    return quotient << missing, exponent - missing


def multiply(a, b):
    """``a * b``, exactly."""
    return a[0] * b[0], a[1] + b[1]


def quantized_multiplier(ratio):
    """LiteRT's form of a ratio from `divide`: ``multiplier * 2**(shift - 31)`` with 31 bits in the multiplier.

    >>> quantized_multiplier(divide((3, 0), (4, 0)))
    (1610612736, 0)
    """
    mantissa, exponent = ratio
    if not mantissa:
        return 0, 0
    multiplier = (mantissa + (1 << 21)) >> 22  # 53 bits to 31; a tie goes up
    shift = exponent + 53
    if multiplier == 1 << 31:
        multiplier >>= 1
        shift += 1
    if shift < -31:
        return 0, 0
    if shift > 30:
        raise ValueError("a ratio of the model's scales is 2**%d or more; convert the model again" % (shift - 1))
    return multiplier, shift


def to_int32(n):
    """``n`` as 32-bit hardware keeps it.

    >>> to_int32(1 << 31)
    -2147483648
    """
    return ((n + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def rescale(total, multiplier, shift):
    """``total * multiplier * 2**(shift - 31)``, rounded twice as LiteRT and TensorFlow Lite Micro do.

    First the high half of the doubled product (half goes up), then the right shift (half goes away from zero).
    """
    if shift > 0:
        return (to_int32(total << shift) * multiplier + (1 << 30)) >> 31
    high = (total * multiplier + (1 << 30)) >> 31
    if shift == 0:
        return high
    half = 1 << (-shift - 1)
    if high < 0:
        half -= 1
    return (high + half) >> -shift


def halves(multipliers):
    """Numbers of 32 bits as pairs of 16, the low one first: a board makes an object of each integer over 31 bits.

    >>> halves([0x12345678]).tobytes().hex()
    '78563412'
    """
    pairs = array("H", bytes(4 * len(multipliers)))
    for i, multiplier in enumerate(multipliers):
        pairs[2 * i], pairs[2 * i + 1] = multiplier & 0xFFFF, multiplier >> 16
    return pairs


def rescale_halves(total, pairs, i, shift):
    """`rescale` by multiplier ``i`` of `halves`: the same value, without an integer of more than 31 bits.

    >>> rescale_halves(-1000, halves([0x60000000]), 0, -3) == rescale(-1000, 0x60000000, -3) == -94
    True
    """
    low, high = pairs[2 * i], pairs[2 * i + 1]
    if shift > 0 or not -0x10000000 <= total < 0x10000000:
        return rescale(to_int32(total), high << 16 | low, shift)
    # total = upper * 2**14 + lower: four products of at most 30 bits, each sum rounded down as the whole would be.
    upper, lower = total >> 14, total & 0x3FFF
    middle = lower * high + ((upper * low + (lower * low >> 14) + 0x10000) >> 2)
    total = (upper * high + (middle >> 14)) >> 1
    if shift == 0:
        return total
    half = 1 << (-shift - 1)
    if total < 0:
        half -= 1
    return (total + half) >> -shift


def rescale_double_halves(total, words, i, exponent):
    """`rescale_double` by a mantissa of 53 bits in words ``4 * i`` to ``4 * i + 3`` of 16 bits, the lowest first.

    What lies so near to a half that 31 bits cannot tell is left to `rescale_double`: one value in some 100,000.
    """
    size, drop = abs(total), -53 - exponent
    w1, w2, w3 = words[4 * i + 1], words[4 * i + 2], words[4 * i + 3]
    if size < 0x10000000 and 0 < drop < 29:
        high, low = w3 << 10 | w2 >> 6, (w2 & 0x3F) << 10 | w1 >> 6  # the upper 31 bits
        upper, lower = size >> 14, size & 0x3FFF
        middle = lower * high + ((upper * low + (lower * low >> 14)) >> 2)
        twice = upper * high + (middle >> 14)
        value, half = twice >> 1, 1 << (drop - 1)
        below = (twice & 1) << 14 | middle & 0x3FFF  # 15 more bits, too small by no more than the lower 22 could add
        if value & (2 * half - 1) != half - 1 or below + (size >> 16) + 2 < 0x8000:
            value = (value + half) >> drop
            return -value if total < 0 else value
    return rescale_double(total, w3 << 48 | w2 << 32 | w1 << 16 | words[4 * i], exponent)


def rescale_double(total, mantissa, exponent):
    """``round(total * ratio)`` in double precision; a half goes away from zero.

    LiteRT's reference does this in dense layers, so that they differ from TensorFlow Lite Micro's, which use
    `rescale` there, by 1 now and then.
    """
    product, exponent = round_to(abs(total) * mantissa, exponent, 53)
    if exponent < 0:
        product = (product + (1 << (-exponent - 1))) >> -exponent
    else:
        product <<= exponent
    return -product if total < 0 else product


def quantize_constant(value, scale):
    """``round(value / scale)`` in float32 for a small integer: the limits of RELU6 and its kin."""
    if not value:
        return 0
    mantissa, exponent = divide((abs(value), 0), scale, bits=24)
    if exponent < 0:
        steps = (mantissa + (1 << (-exponent - 1))) >> -exponent
    else:
        steps = mantissa << exponent
    return -steps if value < 0 else steps
