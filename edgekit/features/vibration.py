"""Sixteen numbers from a motor's vibration: many measurements at once, as the board computes them.

``firmware/lib/vibration.py`` is the definition; here the costly steps (spectra, filter) are done in numpy for a whole
batch, the picking of lines by the board's own code. A test and the lesson compare the two: equal to the last bit.

>>> from edgekit.signals.vibration import make_recording
>>> recording = make_recording("outer", "m15", load=0.6, severity=1.0)
>>> row = features([recording.samples[:, 0]], [plate("m15")])[0]
>>> dict(zip(NAMES, row.tolist()))["outer"] > 200        # 64 is a doubling of power: 9 dB above the floor
True
"""

from array import array

import numpy as np

from edgekit.errors import DataError
from edgekit.features import mfcc
from edgekit.twin import board_module

__all__ = ["NAMES", "SAMPLES", "board_features", "features", "plate", "twin"]

_board = board_module("vibration")
_fft = board_module("fft")

NAMES = _board.NAMES
"""Names of the features; the board's module says what each is."""
SAMPLES = _board.SAMPLES
RATE_MHZ = 1_667_000
_CHUNK = 64


def plate(machine) -> dict:
    """What the plate on a motor and the tables of its bearing say, as the board wants it.

    Parameters
    ----------
    machine : str or edgekit.signals.vibration.Machine

    Returns
    -------
    dict
        ``low_mhz``, ``high_mhz``: slowest and fastest shaft, in thousandths of a hertz: 93 % and 99.8 % of the speed without
        slip. ``mains_mhz``. ``orders``: outer, inner, ball, cage, in thousandths.

    Examples
    --------
    >>> plate("m16")
    {'low_mhz': 23250, 'high_mhz': 24950, 'mains_mhz': 50000, 'orders': [3571, 5429, 4636, 397]}
    """
    from edgekit.signals import vibration as signals

    if isinstance(machine, str):
        machine = signals.machine(machine)
    orders = signals.fault_orders(machine.bearing)
    return {"low_mhz": round(930 * machine.synchronous_hz), "high_mhz": round(998 * machine.synchronous_hz),
            "mains_mhz": round(1000 * signals.MAINS_HZ),
            "orders": [round(1000 * orders[name]) for name in ("outer", "inner", "ball", "cage")]}


def twin(a_plate: dict, rate_mhz: int = RATE_MHZ):
    """The board's own ``vibration.Vibration``, run here."""
    try:
        return _board.Vibration(a_plate, rate_mhz)
    except ValueError as error:
        raise DataError(f"{error}.") from None


def board_features(samples, plates, rate_mhz: int = RATE_MHZ) -> np.ndarray:
    """Each measurement through the board's own file, one after the other: the definition, and slow.

    Parameters
    ----------
    samples : array of int16, shape [N, 2048]
    plates : sequence of dict
        As :func:`plate` gives them, N of them.

    Returns
    -------
    numpy.ndarray of int16, shape [N, 16]
    """
    samples = _checked(samples, plates)
    return np.array([twin(one, rate_mhz).compute(array("h", row.tobytes())) for row, one in zip(samples, plates, strict=True)],
                    np.int16)


def features(samples, plates, rate_mhz: int = RATE_MHZ) -> np.ndarray:
    """The same numbers, a batch at a time.

    Parameters
    ----------
    samples : array of int16, shape [N, 2048]
        Counts of the accelerometer.
    plates : sequence of dict
        As :func:`plate` gives them, N of them.
    rate_mhz : int
        Samples per second, in thousandths.

    Returns
    -------
    numpy.ndarray of int16, shape [N, 16]
        Logarithms to base 2 of powers; 64 is a doubling.

    Raises
    ------
    DataError
        Another shape or type, or a plate that cannot be.
    """
    samples = _checked(samples, plates)
    twins = {}
    rows = []
    for first in range(0, len(samples), _CHUNK):
        chunk = samples[first:first + _CHUNK]
        power, exponents = spectrum(chunk)
        squared, crest = _square(chunk)
        envelope, _ = spectrum(squared)
        for i, one in enumerate(plates[first:first + _CHUNK]):
            key = repr(one)
            if key not in twins:
                twins[key] = _Picker(one, rate_mhz)
            rows.append(twins[key].pick(power[i], int(exponents[i]), envelope[i], crest[i]))
    return np.array(rows, np.int16)


def spectrum(samples):
    """Power spectra of many measurements, as the board's ``fft.Spectrum`` computes them.

    Parameters
    ----------
    samples : array of integers, shape [N, size]

    Returns
    -------
    power : numpy.ndarray of int32, shape [N, size / 2]
    exponents : numpy.ndarray of int32, shape [N]
        Power in counts: ``power * 2 ** (2 * exponent - 30)``.
    """
    samples = np.asarray(samples).astype(np.int32)
    count, size = samples.shape
    tables = _tables(size)
    centred = np.clip(samples - (samples.sum(axis=1) // size)[:, None], -32767, 32767)
    values = (centred * tables["window"]).T
    exponents = mfcc._bits(values) - 14
    down = np.maximum(exponents, 0)
    values = (values + ((1 << down) >> 1) >> down) << np.maximum(-exponents, 0)
    re, im = np.ascontiguousarray(values[0::2]).astype(np.int32), np.ascontiguousarray(values[1::2]).astype(np.int32)
    start = 0
    cosines, sines = tables["cosines"], tables["sines"]
    for radix, length in mfcc._passes(size // 2):
        shift = np.maximum(mfcc._bits(re, im) - (13 if radix == 2 else 12), 0)
        re, im = (x.reshape(length, radix, -1, count) for x in (re, im))
        if radix == 2:
            re, im = mfcc._twos(re, shift), mfcc._twos(im, shift)
        else:
            turns = slice(start, start := start + 3 * length)
            re, im = mfcc._fours(re, im, shift, cosines[turns], sines[turns])
        exponents = exponents + shift
    shift = np.maximum(mfcc._bits(re, im) - 12, 0)
    power = mfcc._take_apart(re, im, shift, cosines[start:], sines[start:])
    return np.ascontiguousarray(power[:-1].T), exponents + shift


_KEPT = {}


def _tables(size):
    if size not in _KEPT:
        one = _fft.Spectrum(size)
        half = np.array(one._window, np.int32)
        _KEPT[size] = {"cosines": np.array(one._cosines, np.int16), "sines": np.array(one._sines, np.int16),
                       "window": np.concatenate([half, half[-2:0:-1]])}
    return _KEPT[size]


def high_pass(samples) -> np.ndarray:
    """What rings: the board's filter of 21 taps, int32 [N, 2048], 16 times the counts; 10 samples at each end are 0."""
    samples = np.asarray(samples).astype(np.int32)
    y = _board._MIDDLE * samples[:, 10:-10] + 128
    for k, tap in enumerate(_board._TAPS, 1):
        y += tap * (samples[:, 10 - k:-10 - k] + samples[:, 10 + k:samples.shape[1] - 10 + k])
    return np.pad(y >> 8, ((0, 0), (10, 10)))


def _square(samples):
    y = np.abs(high_pass(samples))
    most = y.max(axis=1)
    shift = np.frexp(most.astype(float))[1][:, None] - 14
    y = (y >> np.maximum(shift, 0)) << np.maximum(-shift, 0)
    kept = y * y >> 10
    fourths = ((kept >> 4) ** 2 >> 9).sum(axis=1)
    squares = kept.sum(axis=1)
    peaks = y.max(axis=1)
    crest = [(2 * _board._log(p) + 64 - _board._log(s), _board._log(f) + 28 * 64 - 2 * _board._log(s))
             for p, s, f in zip(peaks.tolist(), squares.tolist(), fourths.tolist(), strict=True)]
    around = np.pad(kept, ((0, 0), (2, 2)))
    low_passed = sum(tap * around[:, k:k + SAMPLES:2] for k, tap in enumerate((1, 5, 10, 10, 5, 1)))
    return low_passed >> 8, crest


class _Ready:
    """A spectrum that somebody else has computed."""

    def compute(self, samples):
        return self.exponent


class _Picker:
    """The board's code, on spectra that are there already."""

    def __init__(self, a_plate, rate_mhz):
        self.board = twin(a_plate, rate_mhz)
        self.board.spectrum, self.board.envelope = _Ready(), _Ready()
        self.board._square = lambda samples: None

    def pick(self, power, exponent, envelope, crest):
        board = self.board
        board.spectrum.power, board.spectrum.exponent = power.tolist(), exponent
        board.envelope.power, board.envelope.exponent = envelope.tolist(), 0
        board.features[8], board.features[9] = crest
        return list(board.compute(None))


def _checked(samples, plates):
    samples = np.ascontiguousarray(samples)
    if samples.ndim != 2 or samples.shape[1] != SAMPLES or samples.dtype != np.int16:
        raise DataError(f"Expected measurements as int16 [N, {SAMPLES}], found {samples.dtype} {list(samples.shape)}. One: samples[None].")
    if len(plates) != len(samples):
        raise DataError(f"{len(samples)} measurements and {len(plates)} plates: give one for each.")
    return samples
