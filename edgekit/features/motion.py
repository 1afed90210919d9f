"""Features of motion, in integers: what this computes for a thousand windows, ``firmware/lib/motion.py`` computes
for one on the board, equal to the last bit.

The samples are int16 counts of a 6-axis sensor, in the order ax, ay, az, gx, gy, gz. With the MPU6050 at +-4 g and
+-500 degrees per second, 8192 counts are 1 g and 65.5 counts are 1 degree per second.

Every division rounds down (``//`` and ``>>``), because that is what Python does with integers on the board too.
"""

import numpy as np

from edgekit.errors import DataError
from edgekit.features.params import BANDS, FeatureParams

__all__ = ["waveform", "summary", "summary_names", "compute", "to_float"]

DEAD_BAND = 512
"""Counts. Closer to the mean than this (1/16 g), a sample has no sign: noise does not cross zero."""

_AXES = ("ax", "ay", "az")


def compute(windows, params: FeatureParams) -> np.ndarray:
    """Features of the kind that ``params`` asks for.

    Parameters
    ----------
    windows : array of int16, shape [N, window, channels]
        Sensor counts.
    params : FeatureParams

    Returns
    -------
    numpy.ndarray
        What :func:`waveform` (int8) or :func:`summary` (int32) gives.
    """
    return {"waveform": waveform, "summary": summary}[params.kind](windows, params)


def waveform(windows, params: FeatureParams) -> np.ndarray:
    """The window itself, slower and coarser: a small picture of the movement for a neural network.

    ``decimate`` neighbouring samples are added, which also averages noise away; the sum is divided by
    ``2 ** shift``, rounded to the nearest, and clipped to what int8 holds::

        feature = clip((x[0] + ... + x[decimate - 1] + 2 ** (shift - 1)) >> shift, -128, 127)

    Parameters
    ----------
    windows : array of int16, shape [N, window, channels]
        Sensor counts.
    params : FeatureParams
        ``decimate`` and ``shift`` are used.

    Returns
    -------
    numpy.ndarray of int8, shape [N, window // decimate, channels]
        With the defaults one step is 1/32 g or 3.9 degrees per second.

    Raises
    ------
    DataError
        The windows have another shape or type.

    Examples
    --------
    >>> one_g = np.full((1, 128, 6), 8192, np.int16)
    >>> features = waveform(one_g, FeatureParams())
    >>> features.shape, int(features[0, 0, 0])
    ((1, 32, 6), 32)
    """
    x = _checked(windows, params)
    groups = x.reshape(len(x), params.window // params.decimate, params.decimate, params.channels)
    total = groups.sum(axis=2, dtype=np.int64)
    rounded = (total + (1 << (params.shift - 1))) >> params.shift
    return np.clip(rounded, -128, 127).astype(np.int8)


def summary(windows, params: FeatureParams) -> np.ndarray:
    """Fourteen numbers that say how a window moved, thirteen without a gyroscope. Their names: :func:`summary_names`.

    Let ``x`` be the counts of one axis, ``n`` the window length, ``m`` the mean. ``q(v) = (v + 8) >> 4`` keeps squares
    small enough for the board (see ``firmware/lib/motion.py``); its unit is 16 counts, about 2 mg or 0.24 degrees
    per second.

    ==================  ===========================================================  ===================  ==========
    name                formula                                                      unit                 range
    ==================  ===========================================================  ===================  ==========
    mean_ax, _ay, _az   m = sum(x) // n: tilt, how the sensor is held                counts               +-2**15
    variance_ax, ...    sum(q(x - m) ** 2) // n: how strongly it moves               (16 counts) ** 2     0..2**23
    energy_gyro         sum over gx, gy, gz of sum(q(x) ** 2) // n: how it turns;    (16 counts) ** 2     0..2**24
                        left out if there are 3 channels
    zero_crossings      how often x - m changes sign, over ax, ay, az, where         crossings            0..3n
                        |x - m| <= 512 has no sign
    range               largest max(x) - min(x) of ax, ay, az: how far               counts               0..2**16
    jerk                sum over ax, ay, az of sum(|x[i+1] - x[i]|) // (n - 1):      counts per sample    0..2**18
                        how suddenly
    band_1_3hz, ...     Haar bands of ax, ay, az, slow to fast: see below            (16 counts) ** 2     0..2**24
    ==================  ===========================================================  ===================  ==========

    Haar bands: take samples in pairs. Half their difference is what moved fast, half their sum is the rest.
    Do the same with the rest, again and again: each round looks at movements half as fast.
    The power of a round is ``sum(q(half difference) ** 2) // pairs``. Round 1 (25 to 50 Hz) is left out:
    ``jerk`` tells it already.

    Parameters
    ----------
    windows : array of int16, shape [N, window, 6] or [N, window, 3]
        Sensor counts; as `params.channels` says, with or without gyroscope.
    params : FeatureParams
        ``window`` is used; it is a multiple of 32.

    Returns
    -------
    numpy.ndarray of int32, shape [N, 14] or [N, 13]

    Raises
    ------
    DataError
        The windows have another shape or type.

    Examples
    --------
    >>> params = FeatureParams(kind="summary")
    >>> at_rest = np.zeros((1, 128, 6), np.int16)
    >>> at_rest[:, :, 2] = 8192
    >>> numbers = dict(zip(summary_names(params), summary(at_rest, params)[0].tolist()))
    >>> numbers["mean_az"], numbers["variance_az"], numbers["range"]
    (8192, 0, 0)
    """
    x = _checked(windows, params).astype(np.int64)
    n = params.window
    accel, gyro = x[:, :, :3], x[:, :, 3:]     # without gyroscope the second has no channel

    mean = accel.sum(axis=1) // n
    moved = accel - mean[:, None, :]
    variance = (_q(moved) ** 2).sum(axis=1) // n
    energy_gyro = ((_q(gyro) ** 2).sum(axis=1) // n).sum(axis=1)
    crossings = _sign_changes(moved).sum(axis=1)
    spread = (accel.max(axis=1) - accel.min(axis=1)).max(axis=1)
    jerk = (np.abs(np.diff(accel, axis=1)).sum(axis=1) // (n - 1)).sum(axis=1)

    powers = []
    rest = accel
    for level in range(BANDS + 1):
        first, second = rest[:, 0::2], rest[:, 1::2]
        half_difference, rest = (first - second) >> 1, (first + second) >> 1
        if level > 0:
            power = (_q(half_difference) ** 2).sum(axis=1) // half_difference.shape[1]
            powers.append(power.sum(axis=1))

    columns = [mean, variance, *([energy_gyro[:, None]] if params.channels == 6 else []), crossings[:, None],
               spread[:, None], jerk[:, None]]
    columns += [power[:, None] for power in reversed(powers)]
    return np.concatenate(columns, axis=1).astype(np.int32)


def summary_names(params: FeatureParams) -> list[str]:
    """Names of the numbers that :func:`summary` gives, in their order.

    Examples
    --------
    >>> names = summary_names(FeatureParams(kind="summary"))
    >>> len(names), names[-4:]
    (14, ['band_1_3hz', 'band_3_6hz', 'band_6_12hz', 'band_12_25hz'])
    >>> summary_names(FeatureParams(kind="summary", channels=3))[5:8]
    ['variance_az', 'zero_crossings', 'range']
    """
    bands = []
    for level in range(BANDS + 1, 1, -1):
        bands.append(f"band_{params.rate_hz >> (level + 1)}_{params.rate_hz >> level}hz")
    return ([f"mean_{axis}" for axis in _AXES] + [f"variance_{axis}" for axis in _AXES]
            + (["energy_gyro"] if params.channels == 6 else []) + ["zero_crossings", "range", "jerk"] + bands)


def to_float(features) -> np.ndarray:
    """int8 features as the floats a network trains on: divided by 128.

    The int8 model then has an input scale of exactly 1/128 and a zero point of 0: the int8 features are its input
    as they stand, and the board has nothing to convert.

    Parameters
    ----------
    features : array of int8, any shape

    Returns
    -------
    numpy.ndarray of float32, same shape
        From -1.0 to 127/128.

    Raises
    ------
    DataError
        The features are not int8.

    Examples
    --------
    >>> to_float(np.array([-128, 0, 64], np.int8)).tolist()
    [-1.0, 0.0, 0.5]
    """
    features = np.asarray(features)
    if features.dtype != np.int8:
        raise DataError(f"Expected int8 features, as edgekit.features.motion.waveform gives them; "
                        f"found {features.dtype}.")
    return features.astype(np.float32) / np.float32(128)


def _checked(windows, params):
    windows = np.asarray(windows)
    if windows.dtype != np.int16:
        raise DataError(f"Expected windows of int16 sensor counts, found {windows.dtype}. "
                        "Features are computed from the counts, before any scaling to g; recordings in g or m/s2 become "
                        "counts with Dataset.to_counts.")
    expected = (params.window, params.channels)
    if windows.ndim != 3 or windows.shape[1:] != expected:
        raise DataError(f"Expected windows of shape [N, {expected[0]}, {expected[1]}] (windows, samples, channels), "
                        f"found {list(windows.shape)}. One window is x[None]; other lengths need other FeatureParams.")
    return windows


def _q(value):
    return (value + 8) >> 4


def _sign_changes(moved):
    """Sign changes along axis 1, [N, channels]; a sample inside the dead band keeps the last sign."""
    sign = np.where(moved > DEAD_BAND, 1, np.where(moved < -DEAD_BAND, -1, 0))
    index = np.arange(sign.shape[1])[None, :, None]
    last_signed = np.maximum.accumulate(np.where(sign != 0, index, 0), axis=1)
    held = np.take_along_axis(sign, last_signed, axis=1)
    return (held[:, 1:] * held[:, :-1] == -1).sum(axis=1)
