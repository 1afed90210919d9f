"""Power spectrum of real samples in integers: a block-scaled FFT that host and board compute to the same bit.

Example::

    from array import array
    from fft import Spectrum

    spectrum = Spectrum(2048)
    exponent = spectrum.compute(samples)        # array("h") of 2048, faded in and out by a Hann window
    spectrum.power[30]                          # bin 30: 30 / 2048 of the sampling rate

The power of bin k in counts is ``power[k] * 2 ** (2 * exponent - 32)``, for k from 1 to size / 2 - 1.

Each pass halves as often as its sums need, so quiet signals lose nothing. ``Fft`` has the passes, which ``mfcc`` uses
with its own tables; ``Spectrum`` makes its tables itself, from integers only: a board's sine has 24 bits, a computer's 53.

A spectrum allocates nothing. See ``mfcc`` for the sizes of the values.
"""

from array import array


class Fft:
    """The passes. Who uses it sets ``_half`` (pairs of samples), ``_re`` and ``_im`` (views of ``array("i")``, one value
    for each pair), ``_places`` (where pair i goes), ``_cosines`` and ``_sines`` (1.0 is 8192).
    """

    def _scale(self, bits):
        # So that the largest value, of so many bits, has 14.
        re, im = self._re, self._im
        exponent = bits_of(bits) - 14
        if exponent > 0:
            half = 1 << (exponent - 1)
            for i in range(self._half):
                re[i] = (re[i] + half) >> exponent
                im[i] = (im[i] + half) >> exponent
        else:
            for i in range(self._half):
                re[i] = re[i] << -exponent
                im[i] = im[i] << -exponent
        return exponent

    def _spectrum(self):
        # Passes of four, the first of two if the size asks for it; each halves as often as its sums need.
        length = 1
        exponent = 0
        passes = bits_of(self._half) - 1
        if passes & 1:
            shift = self._bits() - 13
            if shift < 0:
                shift = 0
            self._twos(self._re, shift)
            self._twos(self._im, shift)
            exponent += shift
            length = 2
        turns = 0
        while length < self._half:
            shift = self._bits() - 12
            if shift < 0:
                shift = 0
            self._fours(length, shift + 13, turns)
            exponent += shift
            turns += 3 * length
            length *= 4
        shift = self._bits() - 12
        if shift < 0:
            shift = 0
        self._take_apart(shift + 13, turns)
        return exponent + shift

    def _bits(self):
        # Bits of the largest value.
        re, im = self._re, self._im
        bits = 0
        for i in range(self._half):
            x = re[i]
            bits |= x if x >= 0 else ~x
            x = im[i]
            bits |= x if x >= 0 else ~x
        return bits_of(bits)

    def _twos(self, x, shift):
        half = (1 << shift) >> 1
        for i in range(0, self._half, 2):
            a = x[i] + half
            b = x[i + 1]
            x[i] = (a + b) >> shift
            x[i + 1] = (a - b) >> shift

    def _fours(self, length, shift, turns):
        # b, c, d are turned by k, 2 k and 3 k steps; the four sums are a + b + c + d, each turned by quarters.
        # The turns of one pass lie together: `length` each for b, c and d.
        re, im = self._re, self._im
        cosines, sines = self._cosines, self._sines
        half = 1 << (shift - 1)
        size = self._half
        for k in range(length):
            j = turns + k
            c1, s1 = cosines[j], sines[j]
            j += length
            c2, s2 = cosines[j], sines[j]
            j += length
            c3, s3 = cosines[j], sines[j]
            i = k
            while i < size:
                i1 = i + length
                i2 = i1 + length
                i3 = i2 + length
                x, y = re[i1], im[i1]
                br, bi = x * c1 + y * s1, y * c1 - x * s1
                x, y = re[i2], im[i2]
                cr, ci = x * c2 + y * s2, y * c2 - x * s2
                x, y = re[i3], im[i3]
                dr, di = x * c3 + y * s3, y * c3 - x * s3
                ar, ai = (re[i] << 13) + half, (im[i] << 13) + half
                re[i] = (ar + cr + br + dr) >> shift
                im[i] = (ai + ci + bi + di) >> shift
                re[i1] = (ar - cr + bi - di) >> shift
                im[i1] = (ai - ci - br + dr) >> shift
                re[i2] = (ar + cr - br - dr) >> shift
                im[i2] = (ai + ci - bi - di) >> shift
                re[i3] = (ar - cr - bi + di) >> shift
                im[i3] = (ai - ci + br - dr) >> shift
                i = i3 + length

    def _take_apart(self, shift, turns):
        # From the spectrum of the pairs to the power of the sound's: bins k and size - k in place, in `re`.
        re, im = self._re, self._im
        cosines, sines = self._cosines, self._sines
        half = 1 << (shift - 1)
        size = self._half
        for k in range(1, size // 2 + 1):
            x, y = re[k], im[k]
            u, v = re[size - k], im[size - k]
            even_re, even_im = ((x + u) << 13) + half, ((y - v) << 13) + half
            x -= u
            y += v
            c, s = cosines[turns + k], sines[turns + k]
            turned_re, turned_im = y * c - x * s, -(x * c + y * s)
            x, y = (even_re - turned_re) >> shift, (even_im - turned_im) >> shift
            re[size - k] = x * x + y * y
            x, y = (even_re + turned_re) >> shift, (even_im + turned_im) >> shift
            re[k] = x * x + y * y


class Spectrum(Fft):
    """Power spectrum of ``size`` real samples, a power of two from 16 on.

    ``power``: bins 0 to size / 2 - 1, a view of ``array("i")``; bin 0 holds nothing.
    ``room``: another, larger ``Spectrum`` whose memory this one may use: then the larger one's ``power`` is gone.
    """

    def __init__(self, size, room=None):
        if size < 16 or size & (size - 1):
            raise ValueError("size is %r, expected a power of two from 16 on" % (size,))
        half = size // 2
        if room is not None and room._half < half:
            raise ValueError("room has %d bins, expected at least %d" % (room._half, half))
        self.size = size
        self._half = half
        self._re = room._re[:half] if room else memoryview(array("i", bytes(4 * half)))
        self._im = room._im[:half] if room else memoryview(array("i", bytes(4 * half)))
        self.power = self._re
        self._places = array("h", bytes(2 * half))
        for i in range(half):
            self._places[i] = _place(i, half)
        # The turns of each pass of four, then those that take the pairs apart.
        count = half // 2 + 1
        length = 1 if bits_of(half) & 1 else 2
        while length < half:
            count += 3 * length
            length *= 4
        self._cosines = array("h", bytes(2 * count))
        self._sines = array("h", bytes(2 * count))
        j = 0
        length = 1 if bits_of(half) & 1 else 2
        while length < half:
            for r in range(1, 4):
                for k in range(length):
                    self._turn(j, r * k, 4 * length)
                    j += 1
            length *= 4
        for k in range(half // 2 + 1):
            self._turn(j, k, size)
            j += 1
        # Hann's window, 1.0 is 16384; it is symmetric.
        self._window = array("h", bytes(2 * (half + 1)))
        for i in range(half + 1):
            self._window[i] = ((1 << _BITS) - turn(i, size)[0] + (1 << (_BITS - 14))) >> (_BITS - 13)

    def _turn(self, j, k, n):
        half = 1 << (_BITS - 14)
        c, s = turn(k, n)
        self._cosines[j] = (c + half) >> (_BITS - 13)
        self._sines[j] = (s + half) >> (_BITS - 13)

    def compute(self, samples):
        """Samples (integers, ``size`` of them; what is more than 32767 from their mean counts as 32767) to ``power``.

        Returns the exponent: the power in counts is ``power * 2 ** (2 * exponent - 30)``.
        """
        size = self.size
        if len(samples) != size:
            raise ValueError("%d samples were expected, %d found" % (size, len(samples)))
        mean = 0
        for i in range(size):
            mean += samples[i]
        mean //= size
        re, im, places, window = self._re, self._im, self._places, self._window
        bits = 0
        for i in range(self._half):
            place = places[i]
            j = 2 * i
            x = samples[j] - mean
            x = (32767 if x > 32767 else -32767 if x < -32767 else x) * window[j if j <= self._half else size - j]
            re[place] = x
            bits |= x if x >= 0 else ~x
            j += 1
            x = samples[j] - mean
            x = (32767 if x > 32767 else -32767 if x < -32767 else x) * window[j if j <= self._half else size - j]
            im[place] = x
            bits |= x if x >= 0 else ~x
        exponent = self._scale(bits)
        exponent += self._spectrum()
        re[0] = 0
        return exponent


_BITS = 28
_QUARTER = 421657428  # a quarter turn, pi / 2, with 28 bits


def turn(k, n):
    """Cosine and sine of ``k / n`` turns; 1.0 is ``2 ** 28``. Only integers, so every board has the same ones."""
    quarter, rest = divmod(4 * k, n)
    swap = 2 * rest > n
    x = _QUARTER * (n - rest if swap else rest) // n
    square = x * x >> _BITS
    # Taylor's series up to an eighth of a turn.
    c = s = 0
    for i in range(6, -1, -1):
        c = (1 << _BITS) - (square * c >> _BITS) // ((2 * i + 1) * (2 * i + 2))
        s = (1 << _BITS) - (square * s >> _BITS) // ((2 * i + 2) * (2 * i + 3))
    s = s * x >> _BITS
    if swap:
        c, s = s, c
    for i in range(quarter & 3):
        c, s = -s, c
    return c, s


def _place(i, size):
    # The FFT ends in order if it begins with every fourth sample, and so on inside these.
    place = 0
    while size > 2:
        size //= 4
        place += (i & 3) * size
        i >>= 2
    return place + i if size == 2 else place


def bits_of(value):
    """Bits of a value that is not negative."""
    bits = 0
    while value > 255:
        value >>= 8
        bits += 8
    while value:
        value >>= 1
        bits += 1
    return bits
