"""What lies between a mouth and a microphone: noise of several kinds, the echo of a room, the microphone's own tone.

Everything is drawn from a generator that the caller seeds, so the same seed gives the same sound.

>>> rng = np.random.default_rng(0)
>>> hiss = noise("pink", 16000, rng)
>>> hiss.shape, str(hiss.dtype), round(float(np.sqrt((hiss**2).mean())), 3)
((16000,), 'float32', 1.0)
>>> echo = room(rng)
>>> echo.shape, round(float((echo**2).sum()), 3)
((4800,), 1.0)
"""

import numpy as np

from edgekit.errors import DataError

__all__ = ["NOISES", "RATE_HZ", "noise", "room", "tones"]

NOISES = ("white", "pink", "brown", "hum", "clicks")
"""The kinds of noise that `noise` makes. Babble is mixed from words: see `edgekit.signals.speech.babble`."""

RATE_HZ = 16000
_SOUND_M_S = 343.0
_ECHO_SAMPLES = 4800            # 0.3 s
_FIRST_ECHOES_S = 0.03          # exact images of the walls until then, a decaying noise after it
_LOWEST_HZ = 20.0               # a microphone hears nothing below: pink and brown noise end here


def noise(kind: str, shape, rng) -> np.ndarray:
    """Noise of one kind.

    Parameters
    ----------
    kind : str
        ``"white"`` the same power at every frequency (a hiss), ``"pink"`` 3 dB less for each doubling of the frequency
        (rain, many machines), ``"brown"`` 6 dB less (wind, traffic), ``"hum"`` the mains, 50 or 60 Hz, and its
        harmonics, ``"clicks"`` knocks, keys and switches.
    shape : int or tuple of int
        Samples, or ``(count, samples)`` for many at once.
    rng : numpy.random.Generator
        Where the chance comes from.

    Returns
    -------
    numpy.ndarray
        float32 of that shape; the root of the mean square of each is 1.

    Raises
    ------
    DataError
        Unknown kind.

    Examples
    --------
    >>> noise("hum", (3, 800), np.random.default_rng(0)).shape
    (3, 800)
    """
    if kind not in NOISES:
        raise DataError(f"No noise {kind!r}: expected one of {', '.join(NOISES)}.")
    count, samples = (1, int(shape)) if np.ndim(shape) == 0 else shape
    make = {"hum": _hum, "clicks": _clicks}.get(kind)
    made = make(count, samples, rng) if make else _coloured(kind, count, samples, rng)
    made /= np.sqrt(np.square(made).mean(axis=1, keepdims=True)) + 1e-12
    return made[0] if np.ndim(shape) == 0 else made


def _coloured(kind, count, samples, rng):
    from scipy import fft

    flat = rng.standard_normal((count, samples), np.float32)
    if kind == "white":
        return flat
    size = fft.next_fast_len(samples, real=True)
    frequency_hz = np.maximum(fft.rfftfreq(size, 1 / RATE_HZ), _LOWEST_HZ)
    slope = {"pink": 0.5, "brown": 1.0}[kind]
    gain = (frequency_hz / 1000) ** -slope
    gain[0] = 0
    return fft.irfft(fft.rfft(flat, size) * gain.astype(np.float32), size)[:, :samples]


def _hum(count, samples, rng):
    turn = np.arange(2048) / 2048
    harmonics = np.arange(1, 21)
    sines = np.sin(2 * np.pi * (harmonics[:, None] * turn + rng.uniform(0, 1, (count, 20, 1))))
    size = rng.uniform(0, 1, (count, 20)) / harmonics ** rng.uniform(0.3, 1.2, (count, 1))
    one_turn = (size[:, :, None] * sines).sum(axis=1).astype(np.float32)
    mains_hz = rng.choice([50.0, 60.0], (count, 1)) * rng.uniform(0.998, 1.002, (count, 1))
    # All harmonics repeat with the mains: so one turn is looked up again and again.
    phase = (np.arange(samples) * (2048 * mains_hz / RATE_HZ)).astype(np.int64) % 2048
    return np.take_along_axis(one_turn, phase, axis=1) + 0.03 * rng.standard_normal((count, samples), np.float32)


def _clicks(count, samples, rng):
    made = 0.003 * rng.standard_normal((count, samples), np.float32)
    time_s = np.arange(round(0.03 * RATE_HZ)) / RATE_HZ
    for row in made:
        for start in rng.integers(0, samples, max(1, rng.poisson(5 * samples / RATE_HZ))):
            ring = rng.uniform(-1, 1) * np.exp(-time_s / rng.uniform(0.0005, 0.006))
            ring = ring * np.cos(2 * np.pi * rng.uniform(300, 6000) * time_s)
            part = row[start:start + len(ring)]
            part += ring[:len(part)]
    return made


def room(rng, size_m=None, distance_m: float | None = None, echo_s: float | None = None) -> np.ndarray:
    """The impulse response of a small room: what a microphone hears when somebody claps once.

    The first echoes come from mirror images of the mouth behind each wall (Allen and Berkley, 1979); the rest, too
    many to tell apart, is noise that decays.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws what is not given.
    size_m : tuple of float, optional
        Length, width and height of the room.
    distance_m : float, optional
        From the mouth to the microphone.
    echo_s : float, optional
        Time in which the echo falls by 60 dB: 0.1 s in a car, 0.3 s in a bedroom, 0.7 s in a bathroom.

    Returns
    -------
    numpy.ndarray
        float32 [4800], 0.3 s at 16 kHz; the direct sound is at its start, its energy is 1.
    """
    size = np.array(rng.uniform((2.2, 1.8, 2.2), (7.0, 5.0, 3.2)) if size_m is None else size_m, float)
    distance = rng.uniform(0.15, 2.0) if distance_m is None else distance_m
    echo_s = rng.uniform(0.08, 0.6) if echo_s is None else echo_s
    mouth = size * rng.uniform(0.25, 0.75, 3)
    direction = rng.standard_normal(3) * (1, 1, 0.3)
    microphone = np.clip(mouth + distance * direction / np.linalg.norm(direction), 0.05, size - 0.05)

    # Sabine: what share of the energy a wall must swallow for this echo time.
    volume, walls = size.prod(), 2 * (size[0] * size[1] + size[1] * size[2] + size[0] * size[2])
    swallowed = min(0.95, 0.161 * volume / (walls * echo_s))
    kept = np.sqrt(1 - swallowed)

    reach = np.ceil(_FIRST_ECHOES_S * _SOUND_M_S / (2 * size)).astype(int)
    axes, bounces = [], []
    for axis in range(3):
        far = np.arange(-reach[axis], reach[axis] + 1)[:, None]
        mirrored = np.array([0, 1])
        axes.append(((1 - 2 * mirrored) * mouth[axis] + 2 * far * size[axis] - microphone[axis]).ravel())
        bounces.append((abs(far - mirrored) + abs(far)).ravel())
    x, y, z = axes
    away = np.sqrt(x[:, None, None] ** 2 + y[:, None] ** 2 + z ** 2).ravel()
    times = (bounces[0][:, None, None] + bounces[1][:, None] + bounces[2]).ravel()
    first = away.min()
    delay = (away - first) / _SOUND_M_S * RATE_HZ
    near = delay < _FIRST_ECHOES_S * RATE_HZ
    delay, strength = delay[near], (kept ** times / np.maximum(away, 0.05))[near]
    made = np.zeros(_ECHO_SAMPLES)
    whole = delay.astype(int)
    part = delay - whole
    np.add.at(made, whole, strength * (1 - part))        # between two samples: shared by both
    np.add.at(made, whole + 1, strength * part)

    time_s = np.arange(_ECHO_SAMPLES) / RATE_HZ
    tail = rng.standard_normal(_ECHO_SAMPLES) * 10 ** (-3 * time_s / echo_s)
    start = int(_FIRST_ECHOES_S * RATE_HZ)
    # The tail goes on where the images end, as loud as they were.
    last = slice(start - 160, start)
    tail *= np.sqrt(np.square(made[last]).sum() / (np.square(tail[last]).sum() + 1e-12))
    made[start:] += tail[start:]
    return (made / np.sqrt(np.square(made).sum())).astype(np.float32)


def tones(frequency_hz, count: int, rng, colour: bool = True) -> np.ndarray:
    """How strongly `count` microphones, each in its case, pass each frequency.

    Parameters
    ----------
    frequency_hz : numpy.ndarray
        float [n].
    count : int
        How many.
    rng : numpy.random.Generator
        Draws them.
    colour : bool
        Also lean towards low or high frequencies and add bumps, as voices, cases and distances do.

    Returns
    -------
    numpy.ndarray
        Gain, float32 [count, n], about 1 in the middle.
    """
    # Smooth curves: computed at few frequencies and drawn through them.
    few_hz = np.concatenate([[1.0], np.geomspace(15, 9000, 95)])[None]
    low_hz = rng.uniform(20, 250, (count, 1))
    high_hz = np.where(rng.random((count, 1)) < 0.6, rng.uniform(7000, 9000, (count, 1)),
                       rng.uniform(3400, 7000, (count, 1)))
    gain = 1 / np.sqrt((1 + (low_hz / few_hz) ** 4) * (1 + (few_hz / high_hz) ** 8))
    if colour:
        octaves = np.log2(np.clip(few_hz, 100, 7000) / 1000)
        level_db = rng.uniform(-4, 4, (count, 1)) * octaves
        for _ in range(3):
            centre = np.log2(rng.uniform(200, 6000, (count, 1)) / 1000)
            level_db = level_db + rng.uniform(-8, 8, (count, 1)) * np.exp(
                -0.5 * ((octaves - centre) / rng.uniform(0.2, 0.8, (count, 1))) ** 2)
        gain = gain * 10 ** (level_db / 20)
    gain = gain.astype(np.float32)
    place = np.interp(frequency_hz, few_hz[0], np.arange(few_hz.shape[1]))
    left = np.minimum(place.astype(int), few_hz.shape[1] - 2)
    share = (place - left).astype(np.float32)
    return gain[:, left] * (1 - share) + gain[:, left + 1] * share
