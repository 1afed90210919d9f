"""More people than were recorded: motion as someone else would have made it."""

import numpy as np

from edgekit.errors import DataError

_MIRROR = np.array([1, -1, 1, -1, 1, -1])
"""Left hand for right: y flips, and with it the two rotations that do not turn around y."""


def augment(windows, y, copies=4, seed=0, tilt_deg=60.0, gain=1.5, speed=1.3, mirror=True):
    """Add copies of motion windows as other hands would have made them.

    Each copy is turned (the sensor is held at another angle), made stronger or weaker about its mean, played
    faster or slower, and mirrored half of the time. Augment training windows only: test windows stay real.

    Parameters
    ----------
    windows : array of int16, shape [N, window, 6]
        Sensor counts: ax, ay, az, gx, gy, gz.
    y : array, shape [N]
        Labels.
    copies : int
        Changed copies of each window; the original is kept too.
    seed : int
        The same seed gives the same copies.
    tilt_deg : float
        Each copy is turned around a random axis by up to this angle, degrees.
    gain : float
        Movement is made up to so many times stronger, or weaker. Gravity stays: the mean does not change.
    speed : float
        Movement is played up to so many times faster, or slower. Faster movement takes more force: acceleration grows
        with the square of the speed, turning with the speed.
    mirror : bool
        Turn half of the copies into the other hand's.

    Returns
    -------
    windows : numpy.ndarray of int16, shape [N * (copies + 1), window, 6]
    y : numpy.ndarray, shape [N * (copies + 1)]

    Raises
    ------
    DataError
        The windows are not int16 counts of six channels.

    Examples
    --------
    >>> windows = np.zeros((10, 128, 6), np.int16)
    >>> more, labels = augment(windows, np.zeros(10, int), copies=2)
    >>> more.shape, labels.shape
    ((30, 128, 6), (30,))
    """
    windows, y = np.asarray(windows), np.asarray(y)
    if windows.dtype != np.int16 or windows.ndim != 3 or windows.shape[2] != 6 or len(y) != len(windows):
        raise DataError(f"Expected int16 windows of shape [N, samples, 6] and one label each; found {windows.dtype} "
                        f"{list(windows.shape)} and {len(y)} labels. Augment the counts, before the features.")
    rng = np.random.default_rng(seed)
    parts = [windows]
    for _ in range(copies):
        # float32: a thousand windows stay small, and the result is rounded to counts anyway.
        x = windows.astype(np.float32)
        n = len(x)
        factor = speed ** rng.uniform(-1, 1, (n, 1, 1))
        strength = gain ** rng.uniform(-1, 1, (n, 1, 1))
        x = _played(x, factor[:, 0, 0])
        mean = x.mean(axis=1, keepdims=True)
        force = np.concatenate([np.broadcast_to(factor ** 2, (n, 1, 3)), np.broadcast_to(factor, (n, 1, 3))], axis=2)
        x = mean + (x - mean) * (strength * force)
        turn = _rotations(rng, n, np.radians(tilt_deg))
        x = np.concatenate([np.einsum("nij,ntj->nti", turn, x[:, :, :3]),
                            np.einsum("nij,ntj->nti", turn, x[:, :, 3:])], axis=2)
        if mirror:
            other_hand = rng.random(n) < 0.5
            x[other_hand] *= _MIRROR
        parts.append(np.clip(np.rint(x), -32768, 32767).astype(np.int16))
    return np.concatenate(parts), np.concatenate([y] * (copies + 1))


def _played(x, factor):
    """Play each window ``factor`` times as fast; where it runs out, play it backwards from the end."""
    n, length, _ = x.shape
    time = np.arange(length)[None, :] * factor[:, None]
    last = length - 1
    time = np.where(time > last, 2 * last - time, time)
    before = np.minimum(time.astype(int), last - 1)
    part = (time - before)[:, :, None]
    rows = np.arange(n)[:, None]
    return x[rows, before] * (1 - part) + x[rows, before + 1] * part


def _rotations(rng, n, largest_rad):
    """Random rotation matrices [n, 3, 3] (Rodrigues' formula): any axis, up to the largest angle."""
    axis = rng.normal(size=(n, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    angle = rng.uniform(0, largest_rad, n)[:, None, None]
    cross = np.zeros((n, 3, 3))
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    cross -= cross.transpose(0, 2, 1)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
