"""A washing machine, felt by an accelerometer on its lid, simulated: homes, drums and floors that all differ.

In *wash* the drum turns slowly one way, stops, and turns back; at each turn the wet clothes fall. In *spin* it turns
fast, and what lies unevenly in it shakes the machine once in each turn. *Still* is the rest of the day: nothing, steps
on the floor, a door, a dryer that stands beside it. How strongly the lid moves depends on the floor and the feet of the
machine more than on what it does. Everything is synthetic: plausible sizes, no measurement of a machine.

Unbalance: a mass m that is e off the axis and turns with w pulls with m e w**2 (any textbook of machine dynamics, for
example Den Hartog, Mechanical Vibrations, 4th ed. 1956, chapter 6).

>>> recording = make_recording("spin", "h01", duration_s=2.0)
>>> recording.samples.shape, str(recording.samples.dtype), recording.channels, recording.source
((200, 3), 'int16', ('ax', 'ay', 'az'), 'synthetic')
"""

from dataclasses import dataclass

import numpy as np

from edgekit.dataset import Dataset
from edgekit.errors import DataError
from edgekit.recording import Recording

__all__ = ["CLASSES", "SUBJECTS", "PLACES", "make_recording", "make_dataset", "programme"]

CLASSES = ("spin", "still", "wash")
SUBJECTS = tuple(f"h{number:02d}" for number in range(1, 17))
"""Homes of the project template; any other number is a home that it has never seen."""
PLACES = {"lid": (0.0, 0.0), "side": (90.0, 0.0)}
"""Where the sensor sits: roll and pitch in degrees."""

RATE_HZ = 100.0
CHANNELS = ("ax", "ay", "az")
UNITS = ("g", "g", "g")
SCALE = (4.0 / 32768,) * 3

_OVERSAMPLE = 4
_STEP_S = 1 / (RATE_HZ * _OVERSAMPLE)
_NOISE_G = 0.004        # an MPU6050 behind its 44 Hz filter, as in edgekit.signals.gestures


@dataclass(frozen=True)
class _Home:
    """What makes one home's machine its own."""

    floor: float             # how far floor and feet give way: 1 is average
    wash_hz: float           # turns of the drum per second
    spin_hz: float           # at full speed
    motor: float             # turns of the motor for one of the drum
    load: float              # how wet and how much, 1 is average
    wooden: bool             # steps are felt
    dryer_hz: float | None   # a dryer stands beside it and turns so fast
    tilt_deg: np.ndarray     # [2] how the sensor was stuck on
    bias_g: np.ndarray       # [3]


def _home(subject):
    if not (subject[:1] == "h" and subject[1:].isdecimal()):
        raise DataError(f"No simulated home {subject!r}: expected 'h' and a number, for example 'h01' "
                        f"(h01 to h{len(SUBJECTS)} are those of the project template).")
    rng = np.random.default_rng(np.random.SeedSequence([1400, int(subject[1:])]))
    return _Home(
        floor=float(np.exp(rng.uniform(np.log(0.4), np.log(2.4)))),
        wash_hz=rng.uniform(0.72, 1.0),
        spin_hz=rng.uniform(13.0, 22.0),
        motor=rng.uniform(9.0, 12.5),
        load=rng.uniform(0.6, 1.4),
        wooden=bool(rng.random() < 0.5),
        dryer_hz=rng.uniform(0.75, 1.0) if rng.random() < 0.4 else None,
        tilt_deg=rng.normal(0, 4.0, 2),
        bias_g=rng.normal(0, 0.03, 3),
    )


def _rng(*key):
    return np.random.default_rng(np.random.SeedSequence(key))


def _wander(rng, time_s, low_hz, high_hz):
    """Smooth random wandering around 0, about -1 to 1: [n]."""
    total = np.zeros(len(time_s))
    for hz, phase in zip(rng.uniform(low_hz, high_hz, 4), rng.uniform(0, 2 * np.pi, 4), strict=True):
        total += 0.5 * np.sin(2 * np.pi * hz * time_s + phase)
    return total


def _knock(force_g, time_s, at_s, ringing_hz, decay_s, sizes_g, turning=None):
    """Add a blow at `at_s`, after which a plate rings; `sizes_g`: [3], one for each axis."""
    first, last = np.searchsorted(time_s, (at_s, at_s + 12 * decay_s))    # after that it is less than a count
    since_s = time_s[first:last] - at_s
    blow = np.exp(-since_s / decay_s) * np.sin(2 * np.pi * ringing_hz * since_s)
    if turning is not None:
        blow = blow * turning[first:last]
    force_g[first:last] += blow[:, None] * np.array(sizes_g)


def _wash(rng, home, time_s, force_g, running=None):
    turns_s = rng.uniform(6, 11)
    pause_s = rng.uniform(0.8, 1.6)
    place_s = (time_s + rng.uniform(0, turns_s)) % (turns_s + pause_s)
    # The motor starts and stops softly.
    turning = np.clip(np.minimum(place_s, turns_s - place_s) / 0.4, 0, 1)
    turning = turning if running is None else turning * running
    phase = 2 * np.pi * home.wash_hz * time_s + rng.uniform(0, 2 * np.pi) + 0.3 * _wander(rng, time_s, 0.1, 0.4)
    size = home.load * rng.uniform(0.8, 1.2)
    for axis, share in enumerate((1.0, 0.5, 0.6)):
        force_g[:, axis] += 0.018 * size * share * turning * np.sin(phase + axis)
        force_g[:, axis] += 0.012 * share * turning * np.sin(home.motor * phase + rng.uniform(0, 6))
    falls_s = np.arange(rng.uniform(0, 1), time_s[-1] + 1, 1 / (2 * home.wash_hz))    # two lifters in the drum
    for at_s in falls_s + rng.normal(0, 0.06, len(falls_s)):
        blow_g = 0.10 * size * rng.uniform(0.3, 1.2)
        _knock(force_g, time_s, at_s, rng.uniform(6, 17), rng.uniform(0.05, 0.12), (0.6 * blow_g, 0.3 * blow_g, blow_g), turning)


def _spin(rng, home, time_s, force_g, running=None):
    # Never quite at full speed: it rises in steps, and the clothes lie differently each time.
    speed = rng.uniform(0.8, 1.0) * (1 + 0.03 * _wander(rng, time_s, 0.05, 0.3))
    phase = 2 * np.pi * home.spin_hz * np.cumsum(np.rint(speed * 2**20) / 2**20) * _STEP_S
    size = home.load * rng.uniform(0.5, 1.6) * (speed * home.spin_hz / 16) ** 2
    size = size if running is None else size * running
    for axis, (share, late) in enumerate(((1.0, 0.0), (0.5, 1.3), (0.7, np.pi / 2))):
        force_g[:, axis] += 0.09 * share * size * np.sin(phase + late)
        force_g[:, axis] += 0.012 * share * size * np.sin(2 * phase + late)


def _still(rng, home, time_s, force_g, running=None):
    what = rng.random()
    if home.dryer_hz and what < 0.5:
        phase = 2 * np.pi * home.dryer_hz * time_s + rng.uniform(0, 6)
        for axis, share in enumerate((1.0, 0.6, 0.7)):
            force_g[:, axis] += 0.012 * share * np.sin(phase + axis) + 0.010 * share * np.sin(27 * phase + axis)
    if home.wooden and rng.random() < 0.7:      # somebody walks by, comes back, and walks by again
        steps_s = np.arange(rng.uniform(0, 1), time_s[-1], 1 / rng.uniform(1.6, 2.1))
        near = np.clip(_wander(rng, steps_s, 0.03, 0.15) + 0.3, 0, 1)
        for at_s, close in zip(steps_s, near, strict=True):
            blow_g = 0.09 * close * rng.uniform(0.5, 1.2)
            _knock(force_g, time_s, at_s, rng.uniform(5, 9), 0.09, (0.3 * blow_g, 0.3 * blow_g, blow_g))
    if rng.random() < 0.3:                      # a door
        blow_g = 0.15 * rng.uniform(0.5, 2.0)
        _knock(force_g, time_s, rng.uniform(0, time_s[-1]), rng.uniform(14, 24), 0.07, (0.8 * blow_g, 0.5 * blow_g, blow_g))


_MOVES = {"spin": _spin, "still": _still, "wash": _wash}


def _sense(rng, home, force_g, place):
    """What the registers hold: int16 [n / oversample, 3]."""
    felt = home.floor * force_g
    felt[:, 2] += 1.0
    roll, pitch = np.radians(np.array(PLACES[place]) + home.tilt_deg)
    x, y, z = felt.T
    x, z = np.cos(pitch) * x - np.sin(pitch) * z, np.sin(pitch) * x + np.cos(pitch) * z
    y, z = np.cos(roll) * y + np.sin(roll) * z, -np.sin(roll) * y + np.cos(roll) * z
    turned = np.stack([x, y, z], axis=1) + home.bias_g
    filtered = turned.reshape(-1, _OVERSAMPLE, 3).sum(axis=1) / _OVERSAMPLE
    counts = np.rint((filtered + rng.normal(0, _NOISE_G, filtered.shape)) / SCALE[0])
    return np.clip(counts, -32768, 32767).astype(np.int16)


def _time(duration_s):
    if duration_s < 1:
        raise DataError(f"A recording of {duration_s} s is too short: expected at least 1 s.")
    return np.arange(round(duration_s * RATE_HZ) * _OVERSAMPLE) * _STEP_S


def _recording(samples, label, subject):
    return Recording(samples, RATE_HZ, CHANNELS, UNITS, SCALE, label=label, subject=subject, source="synthetic")


def _checked(place):
    if place not in PLACES:
        raise DataError(f"No place {place!r} for the sensor: expected one of {', '.join(PLACES)}.")
    return place


def make_recording(label: str, subject: str, seed: int = 0, duration_s: float = 20.0, take: int = 0,
                   place: str = "lid") -> Recording:
    """One machine does one thing.

    Parameters
    ----------
    label : str
        One of `CLASSES`.
    subject : str
        ``"h01"``, ``"h02"``, ... Each number is a home with its own machine, floor and neighbours.
    seed : int, 0 or more
        The same arguments give the same samples.
    duration_s : float
        Length in seconds, at least 1.
    take : int, 0 or more
        Another take is another load of clothes.
    place : str
        One of `PLACES`: where the sensor is stuck on.

    Returns
    -------
    Recording
        int16 counts [n, 3] at 100 Hz, +-4 g (8192 counts for 1 g).

    Raises
    ------
    DataError
        Unknown label, subject or place, or too short.
    """
    if label not in CLASSES:
        raise DataError(f"A washing machine does not {label!r}: expected one of {', '.join(CLASSES)}.")
    home, time_s = _home(subject), _time(duration_s)
    rng = _rng(seed, CLASSES.index(label), int(subject[1:]), take)
    force_g = np.zeros((len(time_s), 3))
    _MOVES[label](rng, home, time_s, force_g)
    return _recording(_sense(rng, home, force_g, _checked(place)), label, subject)


def make_dataset(seed: int = 0, subjects=SUBJECTS, takes: int = 1, duration_s: float = 20.0) -> Dataset:
    """Every home's machine does everything `takes` times.

    Examples
    --------
    >>> make_dataset(subjects=("h01", "h02"), duration_s=2.0)
    Dataset(6 recordings, 12 s, 2 subjects, classes spin, still, wash)
    """
    return Dataset([make_recording(label, subject, seed, duration_s, take)
                    for subject in subjects for label in CLASSES for take in range(takes)], CLASSES)


def programme(subject: str, seed: int = 0, script=(("still", 20), ("wash", 60), ("spin", 30), ("still", 40)),
              place: str = "lid") -> tuple[Recording, list[tuple[float, float, str]]]:
    """A whole programme of the machine in one recording, shortened.

    Parameters
    ----------
    subject : str
        The home.
    seed : int
    script : sequence of (label, seconds)
        What happens, one after the other.
    place : str
        One of `PLACES`.

    Returns
    -------
    recording : Recording
        int16 [n, 3] at 100 Hz, without a label.
    truth : list of (start_s, stop_s, label)

    Examples
    --------
    >>> recording, truth = programme("h21", script=(("wash", 5), ("still", 3)))
    >>> recording.duration_s, truth
    (8.0, [(0.0, 5.0, 'wash'), (5.0, 8.0, 'still')])
    """
    strange = [label for label, _ in script if label not in CLASSES]
    if strange:
        raise DataError(f"A washing machine does not {strange[0]!r}: expected some of {', '.join(CLASSES)}.")
    home = _home(subject)
    time_s = _time(sum(seconds for _, seconds in script))
    force_g = np.zeros((len(time_s), 3))
    truth, start_s = [], 0.0
    for index, (label, seconds) in enumerate(script):
        first = round(start_s / _STEP_S)
        part = force_g[first:first + round(seconds / _STEP_S)]
        own_s = np.arange(len(part)) * _STEP_S
        # A machine starts and stops within about two seconds.
        running = np.clip(np.minimum(own_s, seconds - own_s) / 2, 0, 1)
        _MOVES[label](_rng(seed, 100 + index, int(subject[1:])), home, own_s, part, running)
        truth.append((start_s, start_s + seconds, label))
        start_s += seconds
    return _recording(_sense(_rng(seed, 99, int(subject[1:])), home, force_g, _checked(place)), "", subject), truth
