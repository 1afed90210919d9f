"""Features of motion on the board: the twin of ``edgekit/features/motion.py``, equal to the last bit.

Example::

    import json
    from array import array
    from motion import Waveform

    params = json.load(open("/models/gesture/features.json"))
    waveform = Waveform(params)
    window = array("h", bytes(2 * params["window"] * params["channels"]))   # ax ay az gx gy gz ax ay ...
    features = array("b", bytes(waveform.size))
    waveform.compute(window, features)

Sizes. On most boards an integer of 31 bits (below 2**30) lives in a register; a larger one is correct too, but
allocates memory. So squares are taken of ``(v + 8) >> 4``: at most 4096 ** 2 = 2**24 each. A sum of 128 of
them about the mean stays below 2**30, because values that reach from -32768 to 32767 have a variance of at most half
that reach, squared.

The loops allocate nothing: the caller owns both buffers.
"""

from array import array

_DEAD_BAND = 512
_BANDS = 4


def transform_for(params):
    """Waveform or Summary: what the key ``kind`` of ``params`` asks for."""
    kinds = {"waveform": Waveform, "summary": Summary}
    if params["kind"] not in kinds:
        raise ValueError("features of kind %r; this board knows waveform and summary" % params["kind"])
    return kinds[params["kind"]](params)


class Waveform:
    """The window itself, slower and coarser: ``clip((sum of decimate samples + half) >> shift)`` as int8.

    ``params``: the dictionary that ``FeatureParams.save`` wrote as JSON.
    """

    def __init__(self, params):
        self.window = params["window"]
        self.channels = params["channels"]
        self.decimate = params["decimate"]
        self.shift = params["shift"]
        self.size = self.window // self.decimate * self.channels

    def compute(self, window, out):
        """Fill ``out`` (``array("b")``, ``size`` long) from ``window`` (``array("h")``, sample by sample)."""
        _check(window, self.window * self.channels, out, self.size)
        channels = self.channels
        shift = self.shift
        half = 1 << (shift - 1)
        group = self.decimate * channels
        first = 0
        i = 0
        for _ in range(self.window // self.decimate):
            for channel in range(channels):
                total = half
                for j in range(first + channel, first + group, channels):
                    total += window[j]
                value = total >> shift
                if value > 127:
                    value = 127
                elif value < -128:
                    value = -128
                out[i] = value
                i += 1
            first += group
        return out


class Summary:
    """Fourteen numbers per window, thirteen of 3 channels; ``edgekit.features.motion.summary`` explains each.

    ``params``: the dictionary that ``FeatureParams.save`` wrote as JSON.
    """

    def __init__(self, params):
        self.window = params["window"]
        self.channels = params["channels"]
        self._turns = self.channels == 6  # there is a gyroscope
        self.size = 9 + self._turns + _BANDS
        self._rate_hz = params.get("rate_hz", 100)
        self._rest = array("h", bytes(2 * (self.window // 2)))

    def names(self):
        """Names of the numbers, in their order: the columns of a classical model."""
        rate_hz = self._rate_hz
        return ([name + axis for name in ("mean_", "variance_") for axis in ("ax", "ay", "az")]
                + (["energy_gyro"] if self._turns else []) + ["zero_crossings", "range", "jerk"]
                + ["band_%d_%dhz" % (rate_hz >> level + 1, rate_hz >> level) for level in range(_BANDS + 1, 1, -1)])

    def compute(self, window, out):
        """Fill ``out`` (``array("i")``, ``size`` long) from ``window`` (``array("h")``, sample by sample)."""
        _check(window, self.window * self.channels, out, self.size)
        for i in range(self.size):
            out[i] = 0
        for axis in range(3):
            mean = self._sum(window, axis) // self.window
            out[axis] = mean
            out[3 + axis] = self._mean_square(window, axis, mean)
            if self._turns:
                out[6] += self._mean_square(window, 3 + axis, 0)
            i = 6 + self._turns
            out[i] += self._crossings(window, axis, mean)
            out[i + 1] = max(out[i + 1], self._range(window, axis))
            out[i + 2] += self._jerk(window, axis)
            self._add_bands(window, axis, out)
        return out

    def _sum(self, window, axis):
        total = 0
        for i in range(axis, len(window), self.channels):
            total += window[i]
        return total

    def _mean_square(self, window, axis, center):
        total = 0
        for i in range(axis, len(window), self.channels):
            q = (window[i] - center + 8) >> 4
            total += q * q
        return total // self.window

    def _crossings(self, window, axis, mean):
        crossings = 0
        last_sign = 0
        for i in range(axis, len(window), self.channels):
            moved = window[i] - mean
            if moved > _DEAD_BAND:
                sign = 1
            elif moved < -_DEAD_BAND:
                sign = -1
            else:
                continue
            if sign == -last_sign:
                crossings += 1
            last_sign = sign
        return crossings

    def _range(self, window, axis):
        low = high = window[axis]
        for i in range(axis, len(window), self.channels):
            x = window[i]
            if x < low:
                low = x
            elif x > high:
                high = x
        return high - low

    def _jerk(self, window, axis):
        total = 0
        last = window[axis]
        for i in range(axis, len(window), self.channels):
            x = window[i]
            total += x - last if x > last else last - x
            last = x
        return total // (self.window - 1)

    def _add_bands(self, window, axis, out):
        # Round 0 reads the window; later rounds read and overwrite `rest`, pair by pair from the left.
        rest = self._rest
        channels = self.channels
        pairs = self.window // 2
        for i in range(pairs):
            j = axis + 2 * i * channels
            rest[i] = (window[j] + window[j + channels]) >> 1
        for band in range(_BANDS):
            pairs >>= 1
            power = 0
            for i in range(pairs):
                first = rest[2 * i]
                second = rest[2 * i + 1]
                q = (((first - second) >> 1) + 8) >> 4
                power += q * q
                rest[i] = (first + second) >> 1
            out[self.size - 1 - band] += power // pairs


def _check(window, window_size, out, out_size):
    if len(window) != window_size:
        raise ValueError("a window of %d values was expected, %d found" % (window_size, len(window)))
    if len(out) != out_size:
        raise ValueError("room for %d features was expected, %d found" % (out_size, len(out)))
