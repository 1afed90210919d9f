"""A finger on a pulse sensor, simulated: light that comes and goes with each beat, and a hand that moves.

The chain is the one of the real thing: a heart that beats unevenly, a pulse wave of each person's own shape, blood
and skin that swallow light, breathing, an LED that warms up, lamps in the room, and movement. Movement is felt by the
accelerometer beside the finger *and* it changes the light: somebody who walks makes a wave in the light with every
step, and steps are as fast as a heart. Everything is synthetic: good for learning the method, no proof that it works
on real people, and nothing here is medical.

Sources of the parts: the pulse as a sum of two bells, Tang et al., "Synthetic photoplethysmogram generation using two
Gaussian functions", Scientific Reports 10, 13883 (2020); breathing in baseline, size and interval, Charlton et al.,
"An assessment of algorithms to estimate respiratory rate from the electrocardiogram and photoplethysmogram",
Physiological Measurement 37, 610 (2016). The sizes of all effects are our assumptions.

>>> session = make_session("rest", "p01", duration_s=20)
>>> session.recording.samples.shape, session.recording.channels
((2000, 5), ('red', 'ir', 'ax', 'ay', 'az'))
>>> 45 < round(session.rate_bpm(2, 18)) < 90
True
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.dataset import Dataset, load_dataset
from edgekit.errors import DataError
from edgekit.paths import DATASETS, atomic_write
from edgekit.recording import Recording

__all__ = ["CONDITIONS", "DEVELOPMENT", "SHIPPED", "TEST", "FURTHER_PEOPLE", "Session", "light", "load_bidmc",
           "load_sessions", "make_sessions", "make_session", "save_sessions"]

CONDITIONS = ("rest", "recover", "walk", "run", "hands", "cold", "off", "irregular")
"""At rest; sitting after sport, 125 to 180 beats per minute at first; walking; running; hands that do something; a cold
finger; a finger that is not there; a heart that beats without any rhythm."""
SHIPPED = ("rest", "walk", "hands")
"""The conditions of the shipped set."""
DEVELOPMENT = tuple(f"p{number:02d}" for number in range(1, 5))
"""People of the shipped set with whom limits may be chosen."""
TEST = tuple(f"p{number:02d}" for number in range(5, 9))
"""People of the shipped set for the one look at the end."""
FURTHER_PEOPLE = tuple(f"p{number}" for number in range(301, 325))
"""Virtual people for a last look that is less of chance; they are in no file and nothing was chosen with them."""

RATE_HZ = 100.0
CHANNELS = ("red", "ir", "ax", "ay", "az")
COUNTS = 1 << 18
STEP_COUNTS = 8
_PER_G = 8192
UNITS = ("counts", "counts", "g", "g", "g")
SCALE = (STEP_COUNTS, STEP_COUNTS, 1 / _PER_G, 1 / _PER_G, 1 / _PER_G)

_STEP_S = 1 / RATE_HZ
_BEFORE_S = 4.0      # life before the recording: filters and beats have begun
_PPG_NOISE_COUNTS = 7.0
_ACCEL_NOISE_G = 0.004


@dataclass(frozen=True)
class Session:
    """A recording and the truth about it.

    Attributes
    ----------
    recording : Recording
        int16 [n, channels] at 100 Hz: light in steps of 8 counts of the MAX30102's 262144, acceleration at +-4 g.
        Its label is the condition, its subject the person.
    beats_s : numpy.ndarray
        When the heart beat, in seconds after the first sample, rising, float64 [beats]. The finger feels each beat
        about 0.2 s later.
    """

    recording: Recording
    beats_s: np.ndarray

    def rate_bpm(self, start_s: float, stop_s: float) -> float:
        """The true heart rate of a part: intervals between its beats, on the mean, in beats per minute.

        Raises
        ------
        DataError
            Fewer than two beats lie there.
        """
        beats = self.beats_s[(self.beats_s >= start_s) & (self.beats_s < stop_s)]
        if len(beats) < 2:
            raise DataError(f"{len(beats)} beats between {start_s:g} and {stop_s:g} s: expected at least two. "
                            "Take a longer part.")
        return 60 * (len(beats) - 1) / (beats[-1] - beats[0])


@dataclass(frozen=True)
class _Person:
    """What makes one person's pulse theirs."""

    rest_bpm: float
    jitter: float            # standard deviation of an interval, as a part of it, beat by beat
    sinus: float             # how much an interval follows the breath, as a part of it
    breath_hz: float
    breath_base: float       # breathing in the light, as a part of it
    breath_size: float       # breathing in the size of the pulse, as a part of it
    dc_counts: np.ndarray    # [2] red, infrared: less with darker skin, red most of all
    perfusion: float         # pulse in infrared as a part of the light
    red_part: float          # pulse in red against infrared
    rise_s: float
    fall_s: float
    notch: float             # second wave as a part of the first
    notch_s: float           # how much later
    coupling: np.ndarray     # [3] light that an acceleration of 1 g along each axis takes away, as a part of it
    bent: float              # how much of it goes with the square
    tissue_hz: float         # the finger follows slower than that
    walk_hz: float           # steps in a second
    run_hz: float
    swing: float             # of the arm
    seat: np.ndarray         # [3, 3] how the sensor sits


def _person(subject):
    if not (subject[:1] == "p" and subject[1:].isdecimal()):
        raise DataError(f"No virtual person {subject!r}: expected 'p' and a number, for example 'p01'.")
    rng = np.random.default_rng(np.random.SeedSequence([30102, int(subject[1:])]))
    dark = rng.uniform(0, 1)
    axis = rng.normal(0, 1, 3)
    turn, _ = np.linalg.qr(rng.normal(0, 1, (3, 3)) * 0.35 + np.eye(3))
    return _Person(
        rest_bpm=rng.uniform(47, 84),
        jitter=rng.uniform(0.008, 0.03),
        sinus=rng.uniform(0.01, 0.07),
        breath_hz=rng.uniform(0.18, 0.33),
        breath_base=rng.uniform(0.001, 0.006),
        breath_size=rng.uniform(0.03, 0.2),
        dc_counts=np.array([rng.uniform(60e3, 120e3) * (1 - 0.6 * dark), rng.uniform(80e3, 150e3) * (1 - 0.3 * dark)]),
        perfusion=np.exp(rng.uniform(np.log(0.004), np.log(0.03))),
        red_part=rng.uniform(0.5, 0.65),
        rise_s=rng.uniform(0.055, 0.085),
        fall_s=rng.uniform(0.09, 0.13),
        notch=rng.uniform(0.15, 0.6),
        notch_s=rng.uniform(0.24, 0.33),
        coupling=axis / np.sqrt((axis * axis).sum()) * np.exp(rng.uniform(np.log(0.015), np.log(0.12))),
        bent=rng.uniform(0.1, 0.6),
        tissue_hz=rng.uniform(2.0, 5.0),
        walk_hz=rng.uniform(1.6, 2.15),
        run_hz=rng.uniform(2.45, 2.95),
        swing=rng.uniform(0.2, 1.0),
        seat=turn * np.sign(np.diag(turn)),
    )


def _wander(rng, time_s, low_hz, high_hz):
    """Smooth random wandering around 0, about -1 to 1: [n]."""
    total = np.zeros(len(time_s))
    for frequency_hz, phase, size in zip(rng.uniform(low_hz, high_hz, 4), rng.uniform(0, 2 * np.pi, 4),
                                         rng.uniform(0.3, 0.7, 4), strict=True):
        total += size * np.sin(2 * np.pi * frequency_hz * time_s + phase)
    return total


def _phase(rng, time_s, frequency_hz, spread):
    """Phase in radians of a rhythm that nobody keeps exactly: [n]."""
    rate_hz = frequency_hz * (1 + spread * _wander(rng, time_s, 0.05, 0.4))
    rate_hz = np.rint(rate_hz * 2**20) / 2**20      # on a grid the sum is exact, on every machine
    return rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.cumsum(rate_hz) * _STEP_S


def _low_pass(values, cut_hz):
    """First order, forwards: [n, ...]."""
    keep = np.exp(-2 * np.pi * cut_hz * _STEP_S)
    out = np.empty_like(values)
    last = values[0]
    for i, value in enumerate(values):
        last = value + keep * (last - value)
        out[i] = last
    return out


# The heart

def _heart_rate(rng, person, condition, time_s):
    """Where the rate is heading, in beats per minute: [n]."""
    after_s = time_s - time_s[0]
    if condition == "recover":
        start = rng.uniform(125, 182)
        rate = person.rest_bpm + 15 + (start - person.rest_bpm - 15) * np.exp(-after_s / rng.uniform(50, 120))
    elif condition == "walk":
        rate = rng.uniform(78, 130) + rng.uniform(-0.2, 0.3) * after_s
    elif condition == "run":
        rate = rng.uniform(128, 176) + rng.uniform(0, 0.3) * after_s
    else:
        rate = person.rest_bpm + {"hands": rng.uniform(3, 25), "irregular": 20.0}.get(condition, rng.uniform(0, 8)) + 0 * time_s
    return np.clip(rate + 2.0 * _wander(rng, time_s, 0.02, 0.12), 45, 180)


def _beat_times(rng, person, condition, time_s, rate, breath):
    beats, at_s = [], time_s[0] - 1 + rng.uniform(0, 0.5)
    sinus = person.sinus * (0.3 if condition in ("walk", "run", "recover") else 1)
    while at_s < time_s[-1] + 1:
        beats.append(at_s)
        i = min(len(time_s) - 1, max(0, round((at_s - time_s[0]) * RATE_HZ)))
        interval_s = 60 / rate[i] * (1 + sinus * breath[i])
        if condition == "irregular":
            interval_s *= np.exp(rng.normal(0, 0.24))
        at_s += max(0.3, interval_s * (1 + rng.normal(0, person.jitter)))
    return np.array(beats)


def _pulse_wave(person, time_s, beats, breath):
    """Blood in the finger, one wave a beat, about 0 to 1: [n]."""
    total = np.zeros(len(time_s))
    intervals = np.diff(beats, append=2 * beats[-1] - beats[-2])
    before_s = np.concatenate([intervals[:1], intervals[:-1]])
    for at_s, interval_s, filled_s in zip(beats, intervals, before_s, strict=True):
        fast = np.clip(np.sqrt(interval_s / 0.8), 0.6, 1.25)     # a fast heart makes short waves
        i = min(len(time_s) - 1, max(0, round((at_s - time_s[0]) * RATE_HZ)))
        size = (1 + person.breath_size * breath[i]) * np.clip(0.6 + 0.5 * filled_s, 0.5, 1.3)
        first = max(0, i - 10)
        t = time_s[first:first + 200] - at_s - 0.2
        if len(t) == 0:
            continue
        width_s = np.where(t < 0, person.rise_s, person.fall_s) * fast
        wave = np.exp(-0.5 * (t / width_s) ** 2)
        wave += person.notch * np.exp(-0.5 * ((t - person.notch_s * fast) / (0.09 * fast)) ** 2)
        total[first:first + len(t)] += size * wave
    return total


# The hand: acceleration without gravity in the directions of the body (x forward, y left, z up), in g [n, 3]; its tilt
# in radians [n, 3]; and how much the finger shifts on the sensor, as a part of the light [n].

def _hand_steps(rng, person, time_s, step_hz, size):
    phase = _phase(rng, time_s, step_hz, 0.015)
    strength = size * rng.uniform(0.75, 1.25) * (1 + 0.12 * _wander(rng, time_s, 0.1, 0.5))
    a = rng.uniform(0, 2 * np.pi, 3)
    up = np.sin(phase) + 0.35 * np.sin(2 * phase + a[0])
    forward = 0.5 * np.sin(phase + a[1]) + 1.1 * person.swing * np.sin(phase / 2 + a[2])
    side = 0.35 * np.sin(phase / 2 + a[2] + 1)
    accel = strength[:, None] * np.stack([forward, side, up], axis=1)
    tilt = np.zeros((len(time_s), 3))
    tilt[:, 1] = 0.25 * person.swing * np.sin(phase / 2 + a[2] - 0.5)
    return accel, tilt


def _hand_still(rng, person, time_s):
    accel = 0.003 * np.stack([_wander(rng, time_s, 0.3, 3) for _ in range(3)], axis=1)
    tilt = 0.02 * np.stack([_wander(rng, time_s, 0.05, 0.4) for _ in range(3)], axis=1)
    return accel, tilt


def _hand_busy(rng, person, time_s):
    """Stir, type, wave, reach: a few seconds each, with rest between."""
    accel, tilt = _hand_still(rng, person, time_s)
    at_s = time_s[0] + rng.uniform(0, 3)
    while at_s < time_s[-1]:
        lasts_s = rng.uniform(2, 8)
        here = np.clip(np.minimum(time_s - at_s, at_s + lasts_s - time_s) / 0.4, 0, 1)
        phase = _phase(rng, time_s, rng.uniform(0.7, 3.0), 0.05)
        way = rng.normal(0, 1, 3)
        way /= np.sqrt((way * way).sum())
        size = np.exp(rng.uniform(np.log(0.03), np.log(0.5)))
        accel += (size * here * (np.sin(phase) + 0.4 * _wander(rng, time_s, 1, 5)))[:, None] * way
        tilt += (rng.uniform(0, 0.5) * here * np.sin(phase / 2))[:, None] * rng.normal(0, 0.6, 3)
        at_s += lasts_s + rng.uniform(1, 6)
    return accel, tilt


def _shifts(rng, time_s, often_s, size):
    """The finger is put down a little otherwise, now and then: a step that is not taken back. [n]"""
    total = np.zeros(len(time_s))
    at_s = time_s[0] + rng.exponential(often_s)
    while at_s < time_s[-1]:
        total += rng.normal(0, size) / (1 + np.exp(-(time_s - at_s) / 0.08))
        at_s += rng.exponential(often_s)
    return total


_OFTEN_S = {"walk": 15.0, "run": 8.0, "hands": 10.0}


def make_session(condition: str, subject: str, seed: int = 0, duration_s: float = 20.0, take: int = 0) -> Session:
    """One person with a finger on the sensor.

    Parameters
    ----------
    condition : str
        One of `CONDITIONS`.
    subject : str
        ``"p01"``, ``"p02"``, ... Each number is a person with a pulse, a skin and a gait of their own.
    seed : int, 0 or more
        The same arguments give the same samples, to the bit.
    duration_s : float
        Length in seconds, at least 4.
    take : int, 0 or more
        Another take is another time of the same person.

    Returns
    -------
    Session
        Channels red, ir, ax, ay, az. For ``"off"`` the finger comes after a third of the time and goes after two.

    Raises
    ------
    DataError
        Unknown condition or person, or too short.
    """
    if condition not in CONDITIONS:
        raise DataError(f"No condition {condition!r}: expected one of {', '.join(CONDITIONS)}.")
    if duration_s < 4:
        raise DataError(f"A session of {duration_s} s is too short: expected at least 4 s.")
    person = _person(subject)
    rng = np.random.default_rng(np.random.SeedSequence([seed, CONDITIONS.index(condition), int(subject[1:]), take]))
    count = round((duration_s + _BEFORE_S) * RATE_HZ)
    time_s = np.arange(count) * _STEP_S - _BEFORE_S
    faster = {"recover": 1.7, "walk": 1.5, "run": 2.2}.get(condition, 1.0)
    breath = np.sin(_phase(rng, time_s, person.breath_hz * faster, 0.1))
    rate = _heart_rate(rng, person, condition, time_s)
    beats = _beat_times(rng, person, condition, time_s, rate, breath)
    pulse = _pulse_wave(person, time_s, beats, breath)

    if condition in ("walk", "run"):
        step_hz, size = (person.walk_hz, 0.25) if condition == "walk" else (person.run_hz, 0.8)
        accel, tilt = _hand_steps(rng, person, time_s, step_hz * rng.uniform(0.95, 1.05), size)
    else:
        accel, tilt = (_hand_busy if condition == "hands" else _hand_still)(rng, person, time_s)
    light_part = _light(rng, person, condition, time_s, pulse, breath, accel, tilt)
    counts = np.rint(light_part * person.dc_counts + _room(rng, time_s)
                     + rng.normal(0, _PPG_NOISE_COUNTS, (count, 2)))
    counts = np.clip(counts, 0, COUNTS - 1).astype(np.int64) // STEP_COUNTS

    felt = accel + np.stack([-np.sin(tilt[:, 1]), np.sin(tilt[:, 0]), np.cos(tilt[:, 0]) * np.cos(tilt[:, 1])], axis=1)
    # One product after the other: a matrix product may add in another order on another machine.
    felt = np.stack([sum(felt[:, j] * person.seat[i, j] for j in range(3)) for i in range(3)], axis=1)
    felt = np.rint((felt + rng.normal(0, _ACCEL_NOISE_G, felt.shape)) * _PER_G)
    samples = np.concatenate([counts, np.clip(felt, -32768, 32767)], axis=1).astype(np.int16)
    recording = Recording(samples[time_s >= -_STEP_S / 2], RATE_HZ, CHANNELS, UNITS, SCALE, label=condition, subject=subject,
                          source="synthetic")
    return Session(recording, np.round(beats[(beats >= 0) & (beats < duration_s)], 3))


def _light(rng, person, condition, time_s, pulse, breath, accel, tilt):
    """What comes back, as a part of the light without pulse: [n, 2]."""
    shake = sum((accel[:, i] + 0.5 * tilt[:, i]) * person.coupling[i] for i in range(3))
    reach = np.sqrt((person.coupling ** 2).sum())
    shake = shake + person.bent * reach * (np.abs(shake) / reach) ** 2
    shake = _low_pass(_low_pass(shake, person.tissue_hz), person.tissue_hz)
    shift = _shifts(rng, time_s, _OFTEN_S.get(condition, 40.0), 0.006)
    perfusion = person.perfusion * {"cold": 0.06, "recover": 1.3}.get(condition, 1.0)
    # The press of a finger changes slowly, and the pulse under it with it.
    perfusion = perfusion * (1 + 0.15 * _wander(rng, time_s, 0.02, 0.1))
    slow = 0.003 * _wander(rng, time_s, 0.01, 0.08) - person.breath_base * breath + shift
    warm = 0.004 * np.exp(-(time_s - time_s[0]) / 15)
    parts = [1 + warm + slow - shake - ratio * perfusion * pulse for ratio in (person.red_part, 1.0)]
    out = np.stack(parts, axis=1)
    if condition == "off":
        third_s = time_s[-1] / 3
        there = 1 / (1 + np.exp(-(time_s - third_s) / 0.05)) - 1 / (1 + np.exp(-(time_s - 2 * third_s) / 0.05))
        out = out * np.maximum(there, 0.004)[:, None]
    return out


def _room(rng, time_s):
    """What lamps add, in counts: the mains' flicker at 100 Hz looks slow to a sensor of 100 Hz. [n, 1]"""
    level = np.exp(rng.uniform(np.log(20), np.log(500)))
    flicker = 0.1 * level * np.sin(2 * np.pi * rng.uniform(0.02, 0.3) * time_s + rng.uniform(0, 2 * np.pi))
    return (level + flicker)[:, None]


def make_sessions(subjects=DEVELOPMENT + TEST, conditions=SHIPPED, seed: int = 0, duration_s: float = 20.0,
                  take: int = 0) -> list[Session]:
    """Every subject in every condition.

    Examples
    --------
    >>> [session.recording.label for session in make_sessions(("p01",), ("rest", "run"))]
    ['rest', 'run']
    """
    return [make_session(condition, subject, seed, duration_s, take) for subject in subjects for condition in conditions]


def light(recording: Recording, led_ma: float = 10.0) -> Recording:
    """A recording for the simulated world: light in parts of the detector's range at the largest LED current.

    Parameters
    ----------
    recording : Recording
        With a channel ir, perhaps red, in counts of 18 bits; and accelerations.
    led_ma : float
        The LED current with which the app will look; the driver's default is 10 mA.

    Returns
    -------
    Recording
        ``board.world.play`` takes it. A MAX30102 at this current and at its largest range reads the same counts again.

    Examples
    --------
    >>> shown = light(make_session("rest", "p01").recording)
    >>> shown.units
    ('', '', 'g', 'g', 'g')
    """
    steps = round(led_ma / 0.2)
    if not 1 <= steps <= 255:
        raise DataError(f"An LED current of {led_ma} mA: expected 0.2 to 51 mA.")
    scale = [factor / COUNTS * 255 / steps if unit == "counts" else factor
             for factor, unit in zip(recording.scale, recording.units, strict=True)]
    return recording.with_(units=tuple("" if unit == "counts" else unit for unit in recording.units), scale=tuple(scale))


def save_sessions(sessions, folder) -> None:
    """Write ``heart.npz`` (a Dataset without the red light, to be small) and ``beats.csv`` into a folder."""
    folder = Path(folder)
    kept = ("ir", "ax", "ay", "az")
    Dataset([session.recording.select(kept) for session in sessions], SHIPPED).save(folder / "heart.npz")
    text = "# When the heart beat, in seconds after the first sample of each recording of heart.npz.\nrecording,beat_s\n"
    text += "".join(f"{i},{beat_s:.3f}\n" for i, session in enumerate(sessions) for beat_s in session.beats_s)
    with atomic_write(folder / "beats.csv") as temporary:
        temporary.write_text(text, newline="\n")


def load_sessions(folder=None) -> list[Session]:
    """The sessions of the shipped set, or of a folder that :func:`save_sessions` has written.

    Returns
    -------
    list of Session
        Channels ir, ax, ay, az.

    Raises
    ------
    DataError
        A file is missing or damaged.

    Examples
    --------
    >>> sessions = load_sessions()
    >>> sessions[0].recording.subject, sessions[0].recording.label, sessions[0].recording.channels
    ('p01', 'rest', ('ir', 'ax', 'ay', 'az'))
    """
    folder = DATASETS / "heart" if folder is None else Path(folder)
    data = load_dataset("heart") if folder == DATASETS / "heart" else Dataset.load(folder / "heart.npz")
    try:
        lines = (folder / "beats.csv").read_text().splitlines()[2:]
        beats = [[float(beat_s) for i, beat_s in (line.split(",") for line in lines) if int(i) == number]
                 for number in range(len(data))]
    except (OSError, ValueError) as error:
        raise DataError(f"heart/beats.csv cannot be read ({error}): expected lines such as 0,0.512. "
                        "Make it again: edgekit course datasets.") from None
    return [Session(recording, np.array(times)) for recording, times in zip(data, beats, strict=True)]


def load_bidmc(folder, number: int) -> tuple[Recording, np.ndarray]:
    """A patient of the BIDMC PPG and Respiration Dataset, from its csv files.

    Eight minutes of 53 people in intensive care, with what the monitor said about their heart each second. It has no
    accelerometer. Download ``bidmc_csv`` from PhysioNet (https://physionet.org/content/bidmc/1.0.0/) yourself; its
    licence is the Open Data Commons Attribution License 1.0: name Pimentel et al., "Toward a robust estimation of
    respiratory rate from pulse oximeters", IEEE Transactions on Biomedical Engineering 64(8), 2017, and PhysioNet.

    Parameters
    ----------
    folder : path
        Where ``bidmc_01_Signals.csv`` and ``bidmc_01_Numerics.csv`` lie.
    number : int
        1 to 53.

    Returns
    -------
    recording : Recording
        Channel ir, int16 [n, 1] at 100 Hz, in steps of 8 counts. The files hold a filtered pulse from 0 to 1 without the
        light under it. So the light is invented: 100 000 counts, of which a full pulse takes 2 %.
    rate_bpm : numpy.ndarray
        Heart rate of the monitor (from the electrocardiogram), float64, one each second; nan where it said none.

    Raises
    ------
    DataError
        A file is missing, or has other columns.
    """
    stem = f"bidmc_{number:02d}"
    signals = _columns(Path(folder) / f"{stem}_Signals.csv", ("Time [s]", "PLETH"))
    numerics = _columns(Path(folder) / f"{stem}_Numerics.csv", ("Time [s]", "HR"))
    time_s, pulse = signals[:, 0], signals[:, 1]
    if len(time_s) < 2 or not time_s[-1] > time_s[0] or not np.isfinite(pulse).all():
        raise DataError(f"{stem}_Signals.csv: expected rising times and a pulse in every line. Copy it again.")
    # The pulse has nothing above 20 Hz: lines between 125 samples a second are enough.
    wanted_s = np.arange(time_s[0], time_s[-1], _STEP_S)
    counts = np.rint((100_000 - 2000 * np.interp(wanted_s, time_s, pulse)) / STEP_COUNTS)
    recording = Recording(np.clip(counts, 0, 32767).astype(np.int16)[:, None], RATE_HZ, ("ir",), ("counts",), (STEP_COUNTS,),
                          label="rest", subject=stem, source="file")
    return recording, numerics[:, 1]


def _columns(path, names):
    try:
        with open(path, newline="") as file:
            rows = list(csv.reader(file, skipinitialspace=True))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} cannot be read ({error}). Download bidmc_csv from "
                        "https://physionet.org/content/bidmc/1.0.0/ and name its folder.") from None
    header = [name.strip() for name in rows[0]] if rows else []
    for name in names:
        if name not in header:
            raise DataError(f"{path.name} has the columns {', '.join(header) or 'none'}; expected {name!r} among them. "
                            "Is it a csv file of the BIDMC set?")
    places = [header.index(name) for name in names]
    try:
        return np.array([[float(row[place].strip() or "nan") for place in places] for row in rows[1:] if row])
    except (ValueError, IndexError) as error:
        raise DataError(f"{path.name} has a line that is no row of numbers ({error}). Copy it again.") from None
