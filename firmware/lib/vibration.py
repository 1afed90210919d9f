"""From a motor's vibration to sixteen numbers: spectrum, orders of the shaft, envelope; integers only.

Example::

    from array import array
    from vibration import Vibration

    plate = {"low_mhz": 23250, "high_mhz": 24950, "mains_mhz": 50000, "orders": [3585, 5415, 4713, 398]}
    vibration = Vibration(plate, rate_mhz=1667000)
    samples = array("h", bytes(2 * 2048))       # 1.2 s from the sensor's FIFO
    vibration.compute(samples)                  # vibration.features: array("h"), see NAMES

The plate on the motor says how fast it can turn (thousandths of a hertz) and, with the bearing's tables, how often each
fault knocks in one turn (thousandths of an order: outer race, inner race, rolling element, cage).

All numbers are logarithms to base 2 of a power; 1.0 is 64, so one step is 0.047 dB. Lines of the envelope are given above
its floor: a ratio has no unit, so no load and no sensor's gain is in it.

The steps, for 2048 samples:

1. The power spectrum of the samples (``fft``), bins of ``rate / 2048``. Where the plate lets the shaft be, the speed is
   taken at which orders 1 to 4 are strongest together. A tacho knows it better: ``compute(samples, shaft_mhz)``.
2. Lines at orders, as velocity (power of acceleration over frequency squared); floors: the mean logarithm of a band.
3. The band where housings ring: a high-pass filter of 21 taps. Its crest factor and its kurtosis, in integers.
4. The envelope: square, low-pass, half the rate, spectrum; lines at the bearing's orders.

Host and board agree to the bit; no step leaves 31 bits, and a measurement takes no memory.
"""

from array import array

try:
    from fft import Spectrum, bits_of
except ImportError:  # CPython, as the host twin
    from .fft import Spectrum, bits_of

try:
    from micropython import const
except ImportError:
    def const(value):
        return value

SAMPLES = const(2048)
NAMES = ("order_1", "order_2", "order_3", "comb", "half", "floor_low", "floor_high", "hum", "crest", "kurtosis", "outer",
         "inner", "ball", "cage", "turning", "other")
"""Velocity of orders 1 to 3, mean of orders 4 to 8, orders 1.5 to 3.5 above the floor; floors of 10 to 200 Hz and of 300 to
780 Hz; twice the mains; peak and kurtosis of what rings; lines of the envelope above its floor: the bearing's four, the
shaft's, and the largest that is no multiple of the shaft's."""

_ENVELOPE = const(1024)
_PART = const(64)  # of a bin, and of a doubling of power
# A high-pass filter from 300 Hz on (of 1667), 1.0 is 4096: the middle, then its neighbours on both sides. Hamming's window.
_MIDDLE = const(2618)
_TAPS = (-1157, -460, 88, 219, 83, -42, -50, -10, 10, 10)


class Vibration:
    """``plate``: see above. ``rate_mhz``: samples per second, in thousandths.

    ``features``: ``array("h")`` in the order of ``NAMES``. ``shaft``: where the last measurement found order 1, in 64ths of
    a bin. ``spectrum`` and ``envelope``: the two powers, to look at; the first is gone once the second is there.
    """

    def __init__(self, plate, rate_mhz=1667000):
        self.rate_mhz = rate_mhz
        self.orders = tuple(plate["orders"])
        if len(self.orders) != 4:
            raise ValueError("the plate has %d orders, expected 4: outer, inner, ball, cage" % len(self.orders))
        self._low = plate["low_mhz"] * SAMPLES * _PART // rate_mhz
        self._high = plate["high_mhz"] * SAMPLES * _PART // rate_mhz
        if not 3 * _PART <= self._low < self._high <= SAMPLES // 8 * _PART:
            raise ValueError("the shaft turns with %d to %d mHz: expected low below high, between %d and %d"
                             % (plate["low_mhz"], plate["high_mhz"], self._mhz(3), self._mhz(SAMPLES // 8)))
        self._hum = self._bin(2 * plate["mains_mhz"])
        self._bands = array("h", [self._bin(mhz) for mhz in (10000, 200000, 300000, 780000, 5000, 400000)])
        self.features = array("h", bytes(2 * len(NAMES)))
        self.shaft = 0
        self.spectrum = Spectrum(SAMPLES)
        self.envelope = Spectrum(_ENVELOPE, room=self.spectrum)
        self._squared = array("h", bytes(2 * _ENVELOPE))

    def _bin(self, mhz):
        return (mhz * SAMPLES + self.rate_mhz // 2) // self.rate_mhz

    def _mhz(self, bin):
        return bin * self.rate_mhz // SAMPLES

    def compute(self, samples, shaft_mhz=None):
        """Samples, ``array("h")`` of ``SAMPLES``, to ``features``. ``shaft_mhz``: if a tacho has counted it."""
        self.look(samples, shaft_mhz)
        self.listen(samples)
        return self.features

    # --- orders -------------------------------------------------------------------------------------------------

    def look(self, samples, shaft_mhz=None):
        """The first half: the spectrum, and what it says about the shaft."""
        spectrum, features, bands = self.spectrum, self.features, self._bands
        exponent = spectrum.compute(samples)
        # From the bins' integers to counts squared: 2 ** (2 * exponent - 30).
        level = 2 * _PART * exponent - 30 * _PART
        if shaft_mhz is None:
            self.shaft = self._find_shaft()
        else:
            self.shaft = (shaft_mhz << 12) // (self.rate_mhz >> 5)  # times SAMPLES * _PART, in 31 bits
        power = spectrum.power
        low = _mean_log(power, bands[0], bands[1])
        for k in range(3):
            features[k] = self._velocity(1000 * (k + 1)) + level
        total = 0
        for k in range(4, 9):
            total += self._velocity(1000 * k)
        features[3] = total // 5 + level
        total = 0
        for k in range(1500, 4000, 1000):
            total += _log(self._line(power, k))
        features[4] = total // 3 - low
        features[5] = low + level
        features[6] = _mean_log(power, bands[2], bands[3]) + level
        features[7] = _log(_most(power, self._hum - 1, self._hum + 1)) + level

    def _find_shaft(self):
        # The speed whose orders 1 to 4 are strongest together: one alone drowns in the noise of slow machines.
        power, hum = self.spectrum.power, self._hum * _PART
        low, high = self._low, self._high
        best = -1
        shaft = low
        for place in range(low, high + 1, _PART // 8):
            total = 0
            for k in range(1, 5):
                # Not where the mains hum: they would pull it to a shaft without slip.
                if hum < k * low - 2 * _PART or hum > k * high + 2 * _PART:
                    i = k * place // _PART
                    part = k * place % _PART
                    total += _log(power[i]) * (_PART - part) + _log(power[i + 1]) * part
            if total > best:
                best = total
                shaft = place
        return shaft

    def _line(self, power, order):
        """Power of the largest bin near an order (thousandths)."""
        at = (order * self.shaft // 1000 + _PART // 2) // _PART
        reach = 1 + (at >> 6)
        return _most(power, at - reach, at + reach)

    def _velocity(self, order):
        # Acceleration over frequency, squared: as a logarithm, minus twice that of the bin.
        at = (order * self.shaft // 1000 + _PART // 2) // _PART
        return _log(self._line(self.spectrum.power, order)) - 2 * _log(at)

    # --- envelope -----------------------------------------------------------------------------------------------

    def listen(self, samples):
        """The second half: what rings, and its envelope. Needs the ``shaft`` that ``look`` has found."""
        features, bands = self.features, self._bands
        self._square(samples)
        self.envelope.compute(self._squared)
        power = self.envelope.power
        low, high = bands[4], bands[5]
        floor = _mean_log(power, low, high)
        for k in range(4):
            total = count = 0
            for harmonic in range(1, 4):
                order = self.orders[k] * harmonic
                if order * self.shaft // 1000 < high * _PART and (harmonic < 3 or k == 3):
                    total += _log(self._line(power, order))
                    count += 1
            features[10 + k] = total // count - floor if count else 0
        features[14] = (_log(self._line(power, 1000)) + _log(self._line(power, 2000))) // 2 - floor
        # The largest line that is no multiple of the shaft's.
        most = 1
        shaft = self.shaft
        for i in range(low, high):
            if power[i] > most:
                off = (i * _PART) % shaft
                if off > 2 * _PART and off < shaft - 2 * _PART:
                    most = power[i]
        features[15] = _log(most) - floor

    def _square(self, samples):
        # High-pass; kept in the spectrum's memory, even samples in one half and odd ones in the other.
        even, odd = self.spectrum._re, self.spectrum._im
        t1, t2, t3 = _TAPS[0], _TAPS[1], _TAPS[2]
        t4, t5, t6 = _TAPS[3], _TAPS[4], _TAPS[5]
        t7, t8, t9 = _TAPS[6], _TAPS[7], _TAPS[8]
        t10 = _TAPS[9]
        s = samples
        most = 0
        for i in range(SAMPLES):
            if i < 10 or i >= SAMPLES - 10:
                y = 0
            else:
                y = (_MIDDLE * s[i] + t1 * (s[i - 1] + s[i + 1]) + t2 * (s[i - 2] + s[i + 2]) + t3 * (s[i - 3] + s[i + 3])
                     + t4 * (s[i - 4] + s[i + 4]) + t5 * (s[i - 5] + s[i + 5]) + t6 * (s[i - 6] + s[i + 6])
                     + t7 * (s[i - 7] + s[i + 7]) + t8 * (s[i - 8] + s[i + 8]) + t9 * (s[i - 9] + s[i + 9])
                     + t10 * (s[i - 10] + s[i + 10]) + 128) >> 8  # 4 bits more than the samples have
                if y < 0:
                    y = -y
                if y > most:
                    most = y
            if i & 1:
                odd[i >> 1] = y
            else:
                even[i >> 1] = y
        # So that the largest has 14 bits.
        shift = bits_of(most) - 14
        squares = fourths = 0
        out = self._squared
        for i in range(_ENVELOPE):
            y = even[i]
            z = odd[i]
            if shift > 0:
                y >>= shift
                z >>= shift
            else:
                y <<= -shift
                z <<= -shift
            # Squares over 2 ** 10, of which 2048 stay below 2 ** 29.
            y = y * y >> 10
            z = z * z >> 10
            squares += y + z
            even[i] = y
            odd[i] = z
        for i in range(_ENVELOPE):
            y = even[i]
            z = odd[i]
            # A low-pass: 1, 5, 10, 10, 5, 1 of 32; then every second one is enough.
            value = 10 * (y + z)
            if i:
                value += even[i - 1] + 5 * odd[i - 1]
            if i + 1 < _ENVELOPE:
                value += 5 * even[i + 1] + odd[i + 1]
            out[i] = value >> 8
            # Fourth powers over 2 ** 37, of which 2048 stay below 2 ** 30.
            y >>= 4
            z >>= 4
            fourths += (y * y >> 9) + (z * z >> 9)
        most = most >> shift if shift > 0 else most << -shift
        # Peak squared over the mean square; the mean fourth power over the mean square squared: 3 for noise.
        self.features[8] = 2 * _log(most) + _PART - _log(squares)
        self.features[9] = _log(fourths) + 28 * _PART - 2 * _log(squares)


def _log(value):
    """64 times the logarithm to base 2, straight between the powers of two; 0 for 0 and 1."""
    if value < 2:
        return 0
    bits = bits_of(value) - 1
    return (bits << 6) + ((value >> (bits - 6) if bits > 6 else value << (6 - bits)) - 64)


def _mean_log(power, first, last):
    total = 0
    for i in range(first, last):
        total += _log(power[i])
    return total // (last - first)


def _most(power, first, last):
    most = 0
    if first < 1:
        first = 1
    for i in range(first, min(last, len(power) - 1) + 1):
        if power[i] > most:
            most = power[i]
    return most
