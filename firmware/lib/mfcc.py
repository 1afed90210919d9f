"""MFCC of sound on the board: the twin of ``edgekit/features/mfcc.py``, equal to the last bit.

Example::

    import json
    from array import array
    from mfcc import Mfcc

    params = json.load(open("/models/keyword/features.json"))
    mfcc = Mfcc(params, "/models/keyword/mfcc.bin")
    hop = array("h", bytes(2 * params["hop"]))      # 20 ms of sound
    while True:
        microphone.readinto(hop)
        mfcc.push(hop)
        mfcc.features                               # int8: the last frames, the oldest first

Each hop costs one frame. The steps of a frame: window, spectrum (a block-scaled FFT), mel bank, logarithm, DCT. Where
the board has ``firmware/native/mfcc.c`` (as the module ``mfcc_kernels``), that does the work; else the Python
here, which is the definition.

Sizes. On most boards an integer from -2**30 to 2**30 - 1 lives in a register; a larger one is correct too, but allocates
memory. So values of the spectrum have 16 bits and cosines 14; a power has 30 bits, and is multiplied in two halves of
15. The sums of a pass of the FFT can leave 30 bits by a thousandth, if all its values are the largest possible ones
and turn into one direction: correct then too, and never seen.

A frame allocates nothing. (Two or three values at a time are assigned without a tuple; four would make one.)
"""

from array import array

try:
    from fft import Fft, bits_of
except ImportError:  # CPython, as the host twin
    from .fft import Fft, bits_of

_MAGIC = 0x4343464D
_CHECKED = ("rate_hz", "window", "hop", "fft", "mel_bands", "coefficients", "low_hz", "high_hz", "mel_scale", "floor_db",
            "shift", "first_shift", "first_offset")
_HEADER = 6 + len(_CHECKED)
_MEL_SCALES = ("slaney", "htk")


class Mfcc(Fft):
    """Features of a stream of sound.

    ``params``: the dictionary that ``AudioParams.save`` wrote as JSON. ``tables``: ``mfcc.bin``, its bytes or its path.
    ``out``: where the features go, ``frames * coefficients`` values of int8, for example a model's input if the model leaves
    it as it is. ``kernels``: False for Python only. (Those of a computer, ``edgekit.native.Wasm("mfcc")``, have a memory of
    their own: there read ``features``, ``out`` stays as it is.)

    ``features``: the last ``frames`` frames, the oldest first. Before the first sound there is silence.
    ``heard``: how many of them are sound; no more than ``frames``.
    """

    def __init__(self, params, tables, out=None, kernels=None):
        if isinstance(tables, str):
            with open(tables, "rb") as file:
                tables = file.read()
        header = _checked(params, tables)
        self.window = params["window"]
        self.hop = params["hop"]
        self.frames = params["frames"]
        self.coefficients = params["coefficients"]
        self._half = params["fft"] // 2
        self._dct_shift = header[_HEADER - 1]
        size = self.frames * self.coefficients
        if out is None:
            out = array("b", bytes(size))
        _check_out(out, size)
        biases = 4 * _HEADER
        self._biases = array("i", tables[biases:biases + 4 * self.coefficients])
        self.features = memoryview(out)
        self._hop = memoryview(array("h", bytes(2 * self.hop)))
        self._history = memoryview(array("h", bytes(2 * self.window)))
        self._re = memoryview(array("i", bytes(4 * self._half)))
        self._im = memoryview(array("i", bytes(4 * self._half)))
        if kernels is None:
            kernels = _find()
        if kernels:
            self._bind(kernels, tables)
        else:
            self._take(tables, params["mel_bands"], header[_HEADER - 3], header[_HEADER - 2])
            self._frame = self._in_python
        self.reset()

    def reset(self):
        """Forget the sound: silence again."""
        self.heard = 0
        for i in range(self.window):
            self._history[i] = 0
        for i in range(self.frames * self.coefficients):
            self.features[i] = _int8(self._biases[i % self.coefficients] >> self._dct_shift)

    def push(self, samples):
        """Hear one hop (``array("h")``, ``hop`` long): ``features`` moves on by one frame."""
        if len(samples) != self.hop:
            raise ValueError("a hop of %d samples was expected, %d found" % (self.hop, len(samples)))
        hop = self._hop
        for i in range(self.hop):
            hop[i] = samples[i]
        self._frame()
        if self.heard < self.frames:
            self.heard += 1
        return self.features

    # --- a frame in Python --------------------------------------------------------------------------------------

    def _in_python(self):
        history = self._history
        kept = self.window - self.hop
        for i in range(kept):
            history[i] = history[i + self.hop]
        for i in range(self.hop):
            history[kept + i] = self._hop[i]
        exponent = self._windowed() + self._spectrum()
        self._log_mel(exponent)
        features = self.features
        last = (self.frames - 1) * self.coefficients
        for i in range(last):
            features[i] = features[i + self.coefficients]
        self._dct(last)

    def _windowed(self):
        # Sound times window, as pairs for the FFT; then scaled, so that the largest has 14 bits.
        history, window, places = self._history, self._window, self._places
        re, im = self._re, self._im
        bits = 0
        for i in range(self._half):
            place = places[i]
            x = history[2 * i] * window[2 * i] if 2 * i < self.window else 0
            re[place] = x
            bits |= x if x >= 0 else ~x
            x = history[2 * i + 1] * window[2 * i + 1] if 2 * i + 1 < self.window else 0
            im[place] = x
            bits |= x if x >= 0 else ~x
        return self._scale(bits)

    def _log_mel(self, exponent):
        # The sum over a band has 45 bits: `high` has the upper 30, `low` the lower 15. Then log2, 1.0 is 512.
        power, log_mel = self._re, self._im
        weights, logs = self._weights, self._logs
        j = 0
        for band in range(len(self._firsts)):
            high = low = 0
            first = self._firsts[band]
            for i in range(first, first + self._counts[band]):
                high += (power[i] >> 15) * weights[j]
                low += (power[i] & 32767) * weights[j]
                j += 1
            high += low >> 15
            low &= 32767
            # The first 16 bits of the sum, the leading one included.
            if high:
                bits = bits_of(high)
                mantissa = high >> (bits - 16) if bits > 16 else (high << (16 - bits)) | (low >> (bits - 1))
                bits += 15
            else:
                bits = bits_of(low)
                mantissa = low << (16 - bits)
            value = 0
            if bits:
                i = (mantissa >> 9) & 63
                value = logs[i] + (((logs[i + 1] - logs[i]) * (mantissa & 511)) >> 9)
                value = ((bits - 1) << 9) + ((value + 32) >> 6) + (exponent << 10) - self._offsets[band]
            log_mel[band] = value if value > 0 else 0

    def _dct(self, first):
        log_mel, dct, features = self._im, self._matrix, self.features
        bands = len(self._firsts)
        j = 0
        for k in range(self.coefficients):
            total = self._biases[k]
            for band in range(bands):
                total += dct[j] * log_mel[band]
                j += 1
            features[first + k] = _int8(total >> self._dct_shift)

    # --- tables and kernels -------------------------------------------------------------------------------------

    def _take(self, tables, bands, turns, weights):
        start = 4 * (_HEADER + self.coefficients)
        for name, code, count in (
                ("_window", "h", self.window), ("_cosines", "h", turns), ("_sines", "h", turns), ("_places", "h", self._half),
                ("_firsts", "h", bands), ("_counts", "h", bands), ("_offsets", "H", bands), ("_logs", "H", 65),
                ("_weights", "h", weights), ("_matrix", "h", self.coefficients * bands)):
            end = start + 2 * count
            setattr(self, name, array(code, tables[start:end]))
            start = end

    def _bind(self, kernels, tables):
        place, address = kernels.place, kernels.address
        self.features, self._hop, self._history = place(self.features), place(self._hop), place(self._history)
        buffers = [place(memoryview(tables)), self._hop, place(self._re), place(self._im), self.features, self._history]
        numbers = place(array("i", [self.frames]))
        addresses = place(array("I", [address(buffer) for buffer in buffers]))
        self._frame = kernels.call(kernels.functions.push, address(numbers), address(addresses),
                                   (buffers, numbers, addresses))


class _Kernels:
    # The board's own: they work on its memory as it is.
    def __init__(self, functions):
        from uctypes import addressof
        self.functions = functions
        self.address = addressof

    def place(self, buffer):
        return buffer

    def call(self, function, numbers, addresses, keep):
        return lambda keep=keep: function(numbers, addresses)


def _find():
    try:
        import mfcc_kernels
    except ImportError:
        return None
    return _Kernels(mfcc_kernels)


def _int8(value):
    return 127 if value > 127 else -128 if value < -128 else value


def _check_out(out, size):
    if len(out) != size:
        raise ValueError("room for %d features was expected, %d found" % (size, len(out)))
    try:
        out[0] = -1
    except (ValueError, OverflowError):
        pass
    if out[0] != -1:
        raise ValueError("the features are int8: out is an array('b') or a view of one")


def _checked(params, tables):
    # The header, if the tables are whole and made for these parameters.
    if params["kind"] != "mfcc":
        raise ValueError("features of kind %r; these are mfcc" % params["kind"])
    header = array("i", tables[:4 * _HEADER]) if len(tables) >= 4 * _HEADER else [0]
    if header[0] != _MAGIC:
        raise ValueError("these are no tables of MFCC; edgekit.features.mfcc.tables(params) makes mfcc.bin")
    if header[1] != len(tables):
        raise ValueError("mfcc.bin has %d bytes, %d were expected; copy it again" % (len(tables), header[1]))
    if header[2] != _adler32(memoryview(tables)[12:]):
        raise ValueError("mfcc.bin is damaged; copy it again")
    for i in range(len(_CHECKED)):
        name = _CHECKED[i]
        found = header[3 + i]
        if name == "mel_scale":
            found = _MEL_SCALES[found]
        if found != params[name]:
            raise ValueError("mfcc.bin was made for %s %s, the parameters say %s; "
                             "make both from one AudioParams" % (name, found, params[name]))
    return header


def _adler32(data):
    a, b = 1, 0
    for byte in data:
        a = (a + byte) % 65521
        b = (b + a) % 65521
    # As a signed integer of 32 bits.
    return (((b ^ 32768) - 32768) << 16) | a
