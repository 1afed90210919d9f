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


_SIZE, _STEP = 512, 128  # of the short Fourier transforms that voices are changed in: 32 ms, every 8 ms


def other_voices(words, copies=4, seed=0, speed=(0.55, 1.2), color_db=8.0, hiss_db=12.0, throat=0.18, dull=0.3):
    """Add copies of spoken words as other people might have said them.

    A synthesizer has one way to make an "s", one length for an "e". People have not. Each copy is spoken faster or
    slower, by a rate that changes inside the word; its vowels and its hissing sounds each get another colour and
    another strength; the resonances of the throat move, the pitch stays; some copies are breathy; some are dull, as
    from a telephone. Change training words only.

    Parameters
    ----------
    words : edgekit.dataset.Dataset
        Dry words, int16 at 16 kHz, one channel.
    copies : int
        Changed copies of each word; the original is kept too.
    seed : int
        The same seed gives the same copies.
    speed : (float, float)
        Range of the rate, from slow to fast.
    color_db : float
        Standard deviation of the colour of what has a voice, dB, at nine frequencies evenly spaced on the mel scale.
    hiss_db : float
        The same for what hisses.
    throat : float
        The resonances move by up to this share, up or down (on a logarithmic scale).
    dull : float
        Share of the copies that have nothing above some frequency between 3 and 7 kHz.

    Returns
    -------
    edgekit.dataset.Dataset
        ``(copies + 1) * len(words)`` recordings with the same labels, voices and sources.

    Examples
    --------
    >>> from edgekit.dataset import load_dataset
    >>> few = load_dataset("keywords").filter(subject="en-gb+m1")
    >>> more = other_voices(few, copies=2)
    >>> len(few), len(more), more[len(few)].label == few[0].label
    (6, 18, True)
    """
    from edgekit.dataset import Dataset

    rng = np.random.default_rng(seed)
    made = list(words)
    for _ in range(copies):
        for word in words:
            changed = _other_voice(word.samples[:, 0].astype(np.float32), rng, speed, color_db, hiss_db, throat, dull)
            changed *= 24000 / max(1.0, np.abs(changed).max())
            made.append(word.with_(samples=np.rint(changed).astype(np.int16)))
    return Dataset(made, words.classes)


def _other_voice(word, rng, speed, color_db, hiss_db, throat, dull):
    """One word changed as :func:`other_voices` says; float32 [n] to float32 [m]."""
    hann = np.hanning(_SIZE + 1)[:_SIZE].astype(np.float32)
    padded = np.pad(word, _SIZE)
    spectra = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::_STEP] * hann)

    # Vowel or hiss? 0 to 1 for each step: how the power above 2.5 kHz compares with that below 2 kHz.
    power = np.abs(spectra) ** 2
    ratio = (power[:, 80:].sum(axis=1) + 1) / (power[:, :64].sum(axis=1) + 1)
    hiss = (1 / (1 + ratio ** -1.5))[:, None]
    hz = np.fft.rfftfreq(_SIZE, 1 / 16000)
    mel = 2595 * np.log10(1 + hz / 700)
    knots = np.linspace(0, mel[-1], 9)

    def color(sd_db):
        return np.interp(mel, knots, rng.normal(0, sd_db, 9))

    gain_db = (1 - hiss) * color(color_db * rng.random()) + hiss * (color(hiss_db * rng.random()) + rng.normal(-3, 7))
    gain_db += (mel / mel[-1] - 0.3) * rng.normal(0, 8)
    if rng.random() < dull:
        gain_db -= 10 * np.log10(1 + (hz / rng.uniform(3000, 7000)) ** 16)
    magnitude = np.abs(spectra) * 10 ** (gain_db / 20)

    # The envelope of the spectrum is the throat's; the fine structure under it, the pitch, stays where it is.
    cepstrum = np.fft.irfft(np.log(magnitude + 1e-3))
    cepstrum[:, 32:-31] = 0
    envelope = np.exp(np.fft.rfft(cepstrum).real)
    at = np.arange(len(hz)) * np.exp(rng.uniform(-throat, throat))
    low = np.minimum(at.astype(int), len(hz) - 2)
    moved = envelope[:, low] + (envelope[:, low + 1] - envelope[:, low]) * np.minimum(at - low, 1)
    magnitude *= np.clip(moved / envelope, 0.03, 30)

    # Another rhythm: where in the old word each step of the new one is. Phases go on as fast as they did there.
    steps = len(spectra)
    rate = np.exp(rng.uniform(*np.log(speed))) * np.exp(rng.normal(0, 0.2, 6))
    place = np.cumsum(np.interp(np.linspace(0, 5, 4 * steps), np.arange(6), rate))
    place = place[place < steps - 2]
    before = place.astype(int)
    part = (place - before)[:, None]
    turn = np.angle(spectra[before + 1] * spectra[before].conj())
    phase = np.cumsum(turn, axis=0)
    if rng.random() < 0.3:  # breathy: the phase is lost, most of all in high tones
        phase += np.pi * rng.uniform(-1, 1, phase.shape) * np.minimum(1, hz / rng.uniform(1200, 6000))
    magnitude = magnitude[before] * (1 - part) + magnitude[before + 1] * part

    pieces = np.fft.irfft(magnitude * np.exp(1j * phase)).astype(np.float32) * hann
    changed = np.zeros((len(pieces) + 3) * _STEP, np.float32)
    for i in range(_SIZE // _STEP):
        row = pieces[:, i * _STEP:(i + 1) * _STEP].reshape(-1)
        changed[i * _STEP:i * _STEP + len(row)] += row
    loud = np.flatnonzero(np.abs(changed) > 0.003 * np.abs(changed).max())
    return changed[loud[0]:loud[-1] + 1][:_LONGEST] if len(loud) else word


_LONGEST = 15000  # samples: a word still fits a clip of a second
