"""MFCC of sound (mel-frequency cepstral coefficients), in floats and in integers.

Both take the same steps: **frames** of sound, a **window**, the power **spectrum**, the **mel bank**, the **logarithm**,
the **DCT** (discrete cosine transform). In floats they are one line each, and equal librosa. In integers they are what
the board computes: ``firmware/lib/mfcc.py`` in MicroPython, ``firmware/native/mfcc.c`` in C, and here for a whole batch
at once, equal to the last bit. ``docs/mfcc.md`` has the formulas with their widths, the errors and the cost.

Train with :func:`mfcc`, then the board sees what the model learned from. :func:`mfcc_float` is for comparison.

>>> from edgekit.features import AudioParams
>>> params = AudioParams()
>>> time_s = np.arange(params.samples) / params.rate_hz
>>> noise = np.random.default_rng(0).normal(0, 100, params.samples)
>>> sound = np.round(8000 * np.sin(2 * np.pi * 440 * time_s) + noise).astype(np.int16)
>>> features = mfcc(sound, params)
>>> features.shape, features.dtype
((49, 10), dtype('int8'))
>>> difference = np.abs(to_db(features, params) - mfcc_float(sound, params, top_db=None))
>>> bool(difference[:, 0].max() < 1.5), bool(difference[:, 1:].max() < 1)       # a step: 2 dB, 1 dB for the others
(True, True)
"""

import functools
import os
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from edgekit.errors import DataError
from edgekit.features.motion import to_float
from edgekit.features.params import MEL_SCALES, AudioParams
from edgekit.native import Wasm

__all__ = ["mfcc", "mfcc_float", "tables", "to_db", "to_float", "frames", "hann", "power_spectrum", "mel_bank", "decibels",
           "dct_matrix", "fixed_window", "fixed_spectrum", "fixed_log_mel", "fixed_dct", "log_mel_db"]

FULL_SCALE = 32768
_CLIPS = 32

# --- in floats --------------------------------------------------------------------------------------------------


def mfcc_float(sound, params: AudioParams, top_db=80.0) -> np.ndarray:
    """MFCC in floats, as ``librosa.feature.mfcc`` gives them.

    librosa limits each value to ``top_db`` below the largest of *all it was given*. Over a batch that is wrong: one loud
    clip lifts the floor of the quiet ones. Here it is the largest of each clip. A board cannot know the largest
    value of a clip that has not ended: :func:`mfcc` has no ``top_db``, and ``top_db=None`` is its equal in floats.

    librosa puts a window that is shorter than the FFT into its middle. To get the same frames from librosa, give it
    ``(params.fft - params.window) // 2`` more samples on both sides, and ``center=False``.

    Parameters
    ----------
    sound : array, shape [samples] or [N, samples]
        int16, or float where full scale is 1.
    params : AudioParams
    top_db : float or None
        How far below the loudest of a clip a mel band may be (dB).

    Returns
    -------
    numpy.ndarray of float64, shape [frames, coefficients] or [N, frames, coefficients]
        dB times the DCT's weights.

    Raises
    ------
    DataError
        The sound is shorter than one window, or neither int16 nor float.
    """
    sound = np.asarray(sound)
    if sound.ndim == 2 and len(sound) > _CLIPS:         # little memory at a time
        parts = [mfcc_float(sound[i:i + _CLIPS], params, top_db) for i in range(0, len(sound), _CLIPS)]
        return np.concatenate(parts)
    if sound.dtype == np.int16:
        sound = sound / FULL_SCALE
    windowed = frames(sound, params) * hann(params)
    mel = power_spectrum(windowed, params) @ mel_bank(params).T
    return decibels(mel, params.floor_db, top_db) @ dct_matrix(params).T


def frames(sound, params: AudioParams) -> np.ndarray:
    """Cut sound into frames that overlap: a view, nothing is copied.

    Parameters
    ----------
    sound : array of int16 or float, shape [samples] or [N, samples]
    params : AudioParams
        ``window`` and ``hop`` are used.

    Returns
    -------
    numpy.ndarray, shape [frames, window] or [N, frames, window]
        ``1 + (samples - window) // hop`` frames; frame i begins at sample ``i * hop``.

    Raises
    ------
    DataError
        The sound is shorter than one window, or of another shape or type.

    Examples
    --------
    >>> frames(np.zeros(16000, np.int16), AudioParams()).shape
    (49, 480)
    """
    sound = np.asarray(sound)
    if sound.dtype != np.int16 and sound.dtype.kind != "f":
        raise DataError(f"Expected sound as int16 (or float, full scale 1), found {sound.dtype}.")
    if sound.ndim not in (1, 2):
        raise DataError(f"Expected sound of shape [samples] or [N, samples], one channel; found {list(sound.shape)}.")
    if sound.shape[-1] < params.window:
        raise DataError(f"The sound is too short: {sound.shape[-1]} samples, and one window is {params.window} "
                        f"({1000 * params.window / params.rate_hz:.0f} ms). A decision looks at {params.samples}.")
    return np.lib.stride_tricks.sliding_window_view(sound, params.window, axis=-1)[..., ::params.hop, :]


def hann(params: AudioParams) -> np.ndarray:
    """Hann window, float64 [window], 0 to 1: fades each frame in and out, so that its cut ends make no false sound.

    Periodic, as librosa and scipy make it for spectra: ``0.5 - 0.5 * cos(2 * pi * i / window)``.

    Examples
    --------
    >>> hann(AudioParams(window=4, hop=4, fft=512)).round(6).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(params.window) / params.window)


def power_spectrum(windowed, params: AudioParams) -> np.ndarray:
    """Squared size of each frequency, float64 [..., fft // 2 + 1]; bin k is at ``k * rate_hz / fft`` Hz.

    Parameters
    ----------
    windowed : array of float, shape [..., window]
    params : AudioParams
        ``fft`` is used.
    """
    return np.abs(np.fft.rfft(windowed, params.fft)) ** 2


def mel_bank(params: AudioParams) -> np.ndarray:
    """Weights of each bin in each mel band, float64 [mel_bands, fft // 2 + 1].

    Triangles, narrow where the ear tells frequencies well apart, wide above; each is divided by half its width in Hz.
    Equal to ``librosa.filters.mel``.

    Examples
    --------
    >>> bank = mel_bank(AudioParams())
    >>> bank.shape, int((bank[0] > 0).sum()), int((bank[39] > 0).sum())
    ((40, 257), 5, 35)
    """
    edges = np.array(params.mel_edges_hz)[:, None]
    hz = np.arange(params.fft // 2 + 1) * params.rate_hz / params.fft
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    triangles = np.minimum((hz - low) / (middle - low), (high - hz) / (high - middle))
    return np.maximum(0, triangles) * 2 / (high - low)


def decibels(power, floor_db, top_db=None) -> np.ndarray:
    """``10 * log10(power)``, not below ``floor_db``, nor ``top_db`` below the largest of each clip.

    Parameters
    ----------
    power : array of float, shape [..., frames, bands]
    floor_db : float
    top_db : float, optional
    """
    db = 10 * np.log10(np.maximum(power, 10.0 ** (floor_db / 10)))
    return db if top_db is None else np.maximum(db, db.max(axis=(-2, -1), keepdims=True) - top_db)


def dct_matrix(params: AudioParams) -> np.ndarray:
    """DCT-II, orthonormal, float64 [coefficients, mel_bands]: ``coefficients = dct_matrix(params) @ log_mel``.

    Row 0 is the loudness, row 1 compares low with high bands, further rows look at ever finer ripples.

    Examples
    --------
    >>> rows = dct_matrix(AudioParams())
    >>> bool(np.allclose(rows @ rows.T, np.eye(10)))
    True
    """
    k = np.arange(params.coefficients)[:, None]
    rows = np.cos(np.pi * k * (2 * np.arange(params.mel_bands) + 1) / (2 * params.mel_bands))
    return rows * np.where(k == 0, 1, 2 ** 0.5) / params.mel_bands ** 0.5


# --- tables -----------------------------------------------------------------------------------------------------

MAGIC = 0x4343464D
"""The first four bytes of the tables, ``MFCC``, read as a little-endian integer."""
CHECKED = ("rate_hz", "window", "hop", "fft", "mel_bands", "coefficients", "low_hz", "high_hz", "mel_scale", "floor_db",
           "shift", "first_shift", "first_offset")
"""The parameters that the tables depend on, in the order in which the header repeats them."""

_TURN_BITS = 13     # cosines and sines: 1.0 is 8192
_LOG_BITS = 9       # a logarithm to base 2: 1.0 is 512, one step is 0.006 dB
_DB_PER_LOG = 10 * np.log10(2) / (1 << _LOG_BITS)


@dataclass(frozen=True)
class _Tables:
    """Every constant of the fixed-point features. The arrays stand in the file in this order."""

    header: np.ndarray        # int32: magic, bytes, check, CHECKED, numbers of turns and of weights, shift of the DCT
    biases: np.ndarray        # int32 [coefficients]: added before the DCT's shift: offset, floor, and half a step
    window: np.ndarray        # int16 [window]: 1.0 is 32768, but 32767 in the middle
    cosines: np.ndarray       # int16 [turns]: of the angles that each pass of the FFT turns by, 1.0 is 8192
    sines: np.ndarray         # int16 [turns]
    places: np.ndarray        # int16 [fft // 2]: where pair i of samples goes, so that the FFT ends in order
    firsts: np.ndarray        # int16 [mel_bands]: first bin of the band
    counts: np.ndarray        # int16 [mel_bands]: bins of the band
    offsets: np.ndarray       # uint16 [mel_bands]: what to subtract from the band's logarithm
    logs: np.ndarray          # uint16 [65]: log2(1 + i / 64), 1.0 is 32768
    weights: np.ndarray       # int16 [sum of counts]: the triangles, each as large as 16 bits allow
    dct: np.ndarray           # int16 [coefficients, mel_bands]

    @property
    def dct_shift(self):
        return int(self.header[-1])

    def to_bytes(self):
        arrays = [self.header, self.biases, self.window, self.cosines, self.sines, self.places, self.firsts, self.counts,
                  self.offsets, self.logs, self.weights, self.dct]
        return b"".join(array.astype(array.dtype.newbyteorder("<")).tobytes() for array in arrays)


def tables(params: AudioParams) -> bytes:
    """The constants of the fixed-point features as one file, ``mfcc.bin``: no board computes a sine.

    Each entry is a rounded real number. None is near a half, so every computer rounds to the same file.

    Parameters
    ----------
    params : AudioParams

    Returns
    -------
    bytes
        About 5 kB: a header that repeats the parameters and holds a check (Adler-32), then the arrays.

    Examples
    --------
    >>> tables(AudioParams())[:4]
    b'MFCC'
    """
    return _tables(params).to_bytes()


@functools.lru_cache(maxsize=16)
def _tables(params):
    half = params.fft // 2
    turns = [r * np.arange(length) / (4 * length) for radix, length in _passes(half) if radix == 4 for r in (1, 2, 3)]
    angles = 2 * np.pi * np.concatenate([*turns, np.arange(half // 2 + 1) / params.fft])

    rows = []
    firsts, counts, scales = [], [], []
    for row in mel_bank(params):
        bins = np.flatnonzero(row > 1e-9 * row.max())
        firsts.append(bins[0])
        counts.append(bins[-1] - bins[0] + 1)
        triangle = row[bins[0]:bins[-1] + 1]
        # The sum of the band's weights stays below 2**15, so that neither half of the board's products leaves 30 bits.
        scales.append((32767 - len(triangle)) / triangle.sum())
        rows.append(np.rint(triangle * scales[-1]))
    # From the sum in integers to log2 of the mel power over the floor: the band's scale, twice the 15 bits of the window
    # and of full scale, 2 because the spectrum is doubled.
    floor_log2 = params.floor_db / (10 * np.log10(2))
    offsets = np.rint((np.log2(scales) + 62 + floor_log2) * (1 << _LOG_BITS))

    # A value of the log mel cannot exceed `most`: so large is a square wave, all of whose power is in one band.
    most = np.log2(hann(params).sum() ** 2 * mel_bank(params).sum(axis=1).max()) - floor_log2 + 1
    most = int(np.ceil(most * (1 << _LOG_BITS)))
    steps = np.full(params.coefficients, 2.0 ** params.shift)
    steps[0] = 2.0 ** params.first_shift
    real = dct_matrix(params) * _DB_PER_LOG / steps[:, None]
    loudness = params.floor_db * dct_matrix(params)[0].sum() - params.first_offset    # first coefficient at the floor
    dct_shift = 0
    while (np.abs(real).sum(axis=1).max() * most + 1 + abs(loudness) / steps[0]) * 2.0 ** (dct_shift + 1) < 2 ** 30 \
            and np.abs(real).max() * 2.0 ** (dct_shift + 1) < 32767:
        dct_shift += 1
    biases = np.full(params.coefficients, (1 << dct_shift) >> 1)
    biases[0] += int(np.rint(loudness / steps[0] * 2.0 ** dct_shift))

    values = [list(MEL_SCALES).index(params.mel_scale) if name == "mel_scale" else getattr(params, name) for name in CHECKED]
    made = _Tables(
        header=np.array([MAGIC, 0, 0, *values, len(angles), sum(counts), dct_shift], np.int32), biases=biases.astype(np.int32),
        window=np.minimum(np.rint(hann(params) * 32768), 32767).astype(np.int16),
        cosines=np.rint(np.cos(angles) * (1 << _TURN_BITS)).astype(np.int16),
        sines=np.rint(np.sin(angles) * (1 << _TURN_BITS)).astype(np.int16),
        places=np.argsort(_digits_reversed(half)).astype(np.int16),
        firsts=np.array(firsts, np.int16), counts=np.array(counts, np.int16), offsets=offsets.astype(np.uint16),
        logs=np.rint(np.log2(1 + np.arange(65) / 64) * 32768).astype(np.uint16),
        weights=np.concatenate(rows).astype(np.int16),
        # Sums are rounded, not weights: so a row keeps its sum, and what all bands share is not lost.
        dct=np.diff(np.rint(np.cumsum(real * 2.0 ** dct_shift, axis=1)), axis=1, prepend=0).astype(np.int16))
    made.header[1] = len(made.to_bytes())
    made.header[2] = np.array(zlib.adler32(made.to_bytes()[12:]), np.uint32).view(np.int32)
    return made


def _passes(half):
    """(radix, length) of each pass: it makes spectra of ``radix * length`` values from those of ``length``."""
    passes = [(2, 1)] if half.bit_length() % 2 == 0 else []
    while (length := passes[-1][0] * passes[-1][1] if passes else 1) < half:
        passes.append((4, length))
    return passes


def _digits_reversed(size):
    """Which sample stands at each place before the first pass: groups of every fourth sample, and so on inside them."""
    if size <= 2:
        return np.arange(size)
    inner = _digits_reversed(size // 4)
    return np.concatenate([4 * inner + r for r in range(4)])


# --- in integers ------------------------------------------------------------------------------------------------
#
# Arrays have the frames last: so numpy adds and multiplies whole rows of frames, and a chunk of them stays in the cache.

_CHUNK = 512     # frames


def mfcc(clips, params: AudioParams, kernels=None) -> np.ndarray:
    """The fixed-point features: what the board computes, to the last bit.

    Parameters
    ----------
    clips : array of int16, shape [samples] or [N, samples]
        Any length from one window on; ``params.samples`` gives the frames that one decision looks at.
    params : AudioParams
    kernels : {None, "python"}
        None: ``firmware/native/mfcc_batch.c``, four frames at once on each core. "python": the numpy of this file, step
        by step, which is to be read. Both give the same.

    Returns
    -------
    numpy.ndarray of int8, shape [frames, coefficients] or [N, frames, coefficients]
        The model's input bytes (scale 1/128, zero point 0): for training, :func:`to_float` divides by 128.
        A step is ``2 ** params.shift`` dB; :func:`to_db` gives dB.

    Raises
    ------
    DataError
        The sound is not int16, has another shape, or is shorter than one window.
    """
    if kernels not in (None, "python"):
        raise DataError(f"kernels is {kernels!r}; expected None or 'python'.")
    if kernels is None:
        return _in_c(clips, params)
    return _step_by_step(clips, params, lambda log_mel: fixed_dct(log_mel, params), params.coefficients, np.int8)


def log_mel_db(clips, params: AudioParams) -> np.ndarray:
    """The fixed-point features one step before the DCT, in dB: to look at, or to compare with :func:`decibels`.

    Parameters
    ----------
    clips : array of int16, shape [samples] or [N, samples]
    params : AudioParams

    Returns
    -------
    numpy.ndarray of float64, shape [frames, mel_bands] or [N, frames, mel_bands]
    """
    log_mel = _step_by_step(clips, params, lambda log_mel: log_mel, params.mel_bands, np.int32)
    return log_mel * _DB_PER_LOG + params.floor_db


def to_db(features, params: AudioParams) -> np.ndarray:
    """int8 features as coefficients in dB, float64 of the same shape: the units of :func:`mfcc_float`."""
    db = np.asarray(features) * 2.0 ** params.shift
    db[..., 0] = np.asarray(features)[..., 0] * 2.0 ** params.first_shift + params.first_offset
    return db


def _batch(clips, params):
    """The clips, int16 [N, samples]; how many frames each has; the shape of their frames as the caller thinks of it."""
    clips = np.asarray(clips)
    if clips.dtype != np.int16:
        raise DataError(f"Expected sound of int16, as the microphone gives it; found {clips.dtype}. "
                        "From floats with full scale 1: np.clip(np.round(x * 32768), -32768, 32767).astype(np.int16).")
    shape = frames(clips, params).shape[:-1]
    return np.ascontiguousarray(np.atleast_2d(clips)), shape[-1], shape


def _parts(count, per_clip):
    """Clips and frames to compute together: whole clips where they are short, parts of a clip where it is long."""
    clips_each, frames_each = max(1, _CHUNK // per_clip), min(per_clip, _CHUNK)
    return [(slice(n, min(count, n + clips_each)), slice(t, min(per_clip, t + frames_each)))
            for n in range(0, count, clips_each) for t in range(0, per_clip, frames_each)]


def _step_by_step(clips, params, last_step, size, dtype):
    clips, per_clip, shape = _batch(clips, params)
    cut = frames(clips, params)
    out = np.empty((*cut.shape[:2], size), dtype)
    for part in _parts(len(clips), per_clip):
        chunk = cut[part].reshape(-1, params.window).T
        log_mel = fixed_log_mel(*fixed_spectrum(*fixed_window(chunk, params), params), params)
        out[part] = last_step(log_mel).T.reshape(*cut[part].shape[:2], size)
    return out.reshape(*shape, size)


def _in_c(clips, params):
    clips, per_clip, shape = _batch(clips, params)
    samples = clips.shape[1]
    out = np.empty((len(clips), per_clip, params.coefficients), np.int8)
    parts = _parts(len(clips), per_clip)
    own = threading.local()

    def starts(n, t):
        return np.arange(n.stop - n.start)[:, None] * samples + np.arange(t.stop - t.start) * params.hop

    def run(part):
        n, t = part
        if not hasattr(own, "kernel"):
            own.kernel = _Kernel(params, starts(*parts[0])[-1, -1] + params.window)      # no part is larger
        begin = starts(n, t)
        sound = clips[n].reshape(-1)[t.start * params.hop:][:begin[-1, -1] + params.window]
        out[part] = own.kernel(sound, begin).reshape(out[part].shape)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, parts))
    return out.reshape(*shape, params.coefficients)


class _Kernel:
    """The kernel ``batch`` of ``firmware/native/mfcc_batch.c``, with room for so many samples."""

    def __init__(self, params, samples):
        kernels = Wasm("mfcc_batch")
        place = kernels.place
        self._coefficients = params.coefficients
        self._sound, self._starts = place(np.zeros(samples, np.int16)), place(np.zeros(_CHUNK, np.int32))
        self._features, self._count = place(np.zeros(_CHUNK * params.coefficients, np.int8)), place(np.zeros(1, np.int32))
        scratch = [place(bytes(16 * size)) for size in (*3 * [params.fft // 2], params.coefficients)]
        buffers = [place(tables(params)), self._sound, self._starts, *scratch, self._features]
        addresses = place(np.array([kernels.address(buffer) for buffer in buffers], np.uint32))
        self._run = kernels.call(kernels.functions.batch, kernels.address(self._count), kernels.address(addresses),
                                 (buffers, addresses))

    def __call__(self, sound, starts):
        """Features, int8 [frames * coefficients], of the frames that begin at those samples."""
        np.asarray(self._sound)[:len(sound)] = sound
        np.asarray(self._starts)[:starts.size] = starts.reshape(-1)
        self._count[0] = starts.size
        self._run()
        return np.asarray(self._features)[:starts.size * self._coefficients]


def fixed_window(sound, params: AudioParams):
    """Window each frame, and scale it so that the largest value has 14 bits: quiet sound loses nothing.

    Parameters
    ----------
    sound : array of int16, shape [window, frames]

    Returns
    -------
    values : numpy.ndarray of int32, shape [window, frames]
        ``|value| <= 2**14``.
    exponents : numpy.ndarray of int32, shape [frames]
        Windowed sound is ``value * 2 ** (exponent - 15)`` counts.
    """
    products = np.ascontiguousarray(sound).astype(np.int32)
    products *= _tables(params).window[:, None].astype(np.int32)
    exponents = _bits(products) - 14
    down = np.maximum(exponents, 0)
    products += (1 << down) >> 1
    products >>= down
    products <<= np.maximum(-exponents, 0)
    return products, exponents


def fixed_spectrum(values, exponents, params: AudioParams):
    """Power of each frequency, by a block-scaled FFT of 16-bit values.

    The ``fft`` real samples are ``fft / 2`` complex ones: even samples real, odd samples imaginary. Passes of four (the
    first of two, if the size asks for it) make their spectrum; a last pass takes it apart. Each pass looks at the largest
    value of the frame and divides by as many 2s as its sums need, so that every value fits into 16 bits.

    Parameters
    ----------
    values : array of int32, shape [window, frames]
    exponents : array of int32, shape [frames]
        Both as :func:`fixed_window` gives them.

    Returns
    -------
    power : numpy.ndarray of int32, shape [fft // 2 + 1, frames]
        Below 2**30. The first and the last bin, 0 Hz and half the rate, are 0: no mel band has them.
    exponents : numpy.ndarray of int32, shape [frames]
        The power of the sound in counts is ``power * 2 ** (2 * exponent - 32)``.
    """
    half, count = params.fft // 2, values.shape[1]
    re, im = np.zeros((2, half, count), np.int32)
    re[:(params.window + 1) // 2] = values[0::2]
    im[:params.window // 2] = values[1::2]
    t = _tables(params)
    start = 0
    for radix, length in _passes(half):
        shift = np.maximum(_bits(re, im) - (13 if radix == 2 else 12), 0)
        re, im = (x.reshape(length, radix, -1, count) for x in (re, im))
        if radix == 2:
            re, im = _twos(re, shift), _twos(im, shift)
        else:
            turns = slice(start, start := start + 3 * length)
            re, im = _fours(re, im, shift, t.cosines[turns], t.sines[turns])
        exponents = exponents + shift
    shift = np.maximum(_bits(re, im) - 12, 0)
    return _take_apart(re, im, shift, t.cosines[start:], t.sines[start:]), exponents + shift


def _bits(*arrays):
    """Bits of the largest value of each frame: of x if it is positive, else of -x - 1."""
    most = functools.reduce(np.maximum, [x.max(axis=0) for x in arrays] + [~x.min(axis=0) for x in arrays])
    return np.frexp(most.astype(np.float64))[1].astype(np.int32)


def _twos(x, shift):
    """The first pass of two: sums and differences."""
    half = (1 << shift) >> 1
    out = np.stack([x[:, 0] + x[:, 1] + half, x[:, 0] - x[:, 1] + half])
    out >>= shift
    return out.reshape(-1, out.shape[-1])


def _fours(re, im, shift, cosines, sines):
    """One pass of four: ``sum over r of turn(r * k) * z[r]``, times 1, -j, -1 and j as the output's number r asks."""
    length, _, rest, count = re.shape
    bits = 0 if length == 1 else _TURN_BITS        # the first pass turns nothing
    shift = shift + bits
    half = (1 << shift) >> 1
    ar, ai = re[:, 0] << bits, im[:, 0] << bits
    ar += half
    ai += half
    (br, bi), (cr, ci), (dr, di) = (
        _turned(re[:, r], im[:, r], cosines[(r - 1) * length:r * length], sines[(r - 1) * length:r * length])
        for r in (1, 2, 3))
    sums = ar + cr, ai + ci, br + dr, bi + di
    differences = ar - cr, ai - ci, br - dr, bi - di
    out_re, out_im = np.empty((2, 4, length, rest, count), np.int32)
    np.add(sums[0], sums[2], out=out_re[0])
    np.add(sums[1], sums[3], out=out_im[0])
    np.add(differences[0], differences[3], out=out_re[1])
    np.subtract(differences[1], differences[2], out=out_im[1])
    np.subtract(sums[0], sums[2], out=out_re[2])
    np.subtract(sums[1], sums[3], out=out_im[2])
    np.subtract(differences[0], differences[3], out=out_re[3])
    np.add(differences[1], differences[2], out=out_im[3])
    out_re >>= shift
    out_im >>= shift
    return out_re.reshape(-1, count), out_im.reshape(-1, count)


def _turned(re, im, cosines, sines):
    """``(re + j im) * exp(-j angle)`` for each k, times 2**13."""
    if len(cosines) == 1:
        return re, im
    c, s = cosines.astype(np.int32)[:, None, None], sines.astype(np.int32)[:, None, None]
    turned_re = re * c
    turned_re += im * s
    turned_im = im * c
    turned_im -= re * s
    return turned_re, turned_im


def _take_apart(re, im, shift, cosines, sines):
    """Power of the real samples' spectrum: twice ``X[k] = E[k] - j turn(k) O[k]``, and ``X[half - k]`` beside it."""
    half, count = re.shape
    quarter = half // 2
    k = slice(1, quarter + 1)
    mirror_re, mirror_im = re[:quarter - 1:-1], im[:quarter - 1:-1]
    even_re, even_im = re[k] + mirror_re, im[k] - mirror_im
    odd_re, odd_im = re[k] - mirror_re, im[k] + mirror_im
    c, s = cosines[k].astype(np.int32)[:, None], sines[k].astype(np.int32)[:, None]
    turned_re = odd_im * c
    turned_re -= odd_re * s
    turned_im = odd_re * c
    turned_im += odd_im * s
    np.negative(turned_im, out=turned_im)
    shift = shift + _TURN_BITS
    even_re <<= _TURN_BITS
    even_im <<= _TURN_BITS
    even_re += (1 << shift) >> 1
    even_im += (1 << shift) >> 1
    power = np.zeros((half + 1, count), np.int32)
    for bins, sign in ((slice(half - 1, quarter - 1, -1), np.subtract), (k, np.add)):
        x_re, x_im = sign(even_re, turned_re), sign(even_im, turned_im)
        x_re >>= shift
        x_im >>= shift
        x_re *= x_re
        x_im *= x_im
        np.add(x_re, x_im, out=power[bins])
    return power


def fixed_log_mel(power, exponents, params: AudioParams) -> np.ndarray:
    """Logarithm to base 2 of each mel band's power over the floor.

    Parameters
    ----------
    power : array of int32, shape [fft // 2 + 1, frames]
    exponents : array of int32, shape [frames]
        Both as :func:`fixed_spectrum` gives them.

    Returns
    -------
    numpy.ndarray of int32, shape [mel_bands, frames]
        512 is a factor of 2 (3.01 dB); 0 is the floor.
    """
    t = _tables(params)
    mel = np.empty((params.mel_bands, power.shape[1]))
    start = 0
    for band, (first, count) in enumerate(zip(t.firsts, t.counts, strict=True)):
        # Exact in float64: integers below 2**45.
        mel[band] = t.weights[start:start + count].astype(np.float64) @ power[first:first + count]
        start += count
    fraction, bits = np.frexp(mel)                               # 0.5 to 1, exact
    mantissa = (fraction * 65536).astype(np.int32) - 32768       # 15 bits after the leading one
    low, rest = mantissa >> 9, mantissa & 511
    logs = t.logs.astype(np.int32)
    value = logs.take(low, mode="clip")
    value += (np.diff(logs).take(low, mode="clip") * rest) >> 9
    value = ((bits - 1) << _LOG_BITS) + ((value + 32) >> 6)
    value += exponents << (_LOG_BITS + 1)
    value -= t.offsets[:, None].astype(np.int32)
    return np.where(mel > 0, np.maximum(value, 0), 0)


def fixed_dct(log_mel, params: AudioParams) -> np.ndarray:
    """int8 features [coefficients, frames] from the log mel [mel_bands, frames]."""
    t = _tables(params)
    # Exact in float64: sums below 2**30.
    total = (t.dct.astype(np.float64) @ log_mel).astype(np.int32) + t.biases[:, None]
    return np.clip(total >> t.dct_shift, -128, 127).astype(np.int8)
