"""A hand that moves a 6-axis sensor, simulated: six gestures, made by virtual people who all move differently.

The chain is the one of the real thing: the hand turns and travels, gravity turns with it, the sensor sits
askew in the hand, adds bias, gain error and noise, averages over its low-pass filter, clips, and rounds to
int16. Everything is synthetic: good for learning the method, no proof that a model works on real people.

>>> recording = make_recording("punch", "s01", seed=0, duration_s=2.0)
>>> recording.samples.shape, str(recording.samples.dtype), recording.source
((200, 6), 'int16', 'synthetic')
"""

from dataclasses import dataclass

import numpy as np

from edgekit.dataset import Dataset
from edgekit.errors import DataError
from edgekit.recording import Recording

__all__ = ["CLASSES", "SUBJECTS", "LIVE_SUBJECT", "make_recording", "make_dataset", "live", "make_dirty"]

CLASSES = ("circle", "double_tap", "idle", "punch", "shake", "wave")
SUBJECTS = tuple(f"s{number:02d}" for number in range(1, 17))
LIVE_SUBJECT = "s21"
"""A person who is in no shipped recording: for live demonstrations."""

RATE_HZ = 100.0
CHANNELS = ("ax", "ay", "az", "gx", "gy", "gz")
UNITS = ("g", "g", "g", "dps", "dps", "dps")
ACCEL_RANGE_G = 4.0
GYRO_RANGE_DPS = 500.0
SCALE = (ACCEL_RANGE_G / 32768,) * 3 + (GYRO_RANGE_DPS / 32768,) * 3

_OVERSAMPLE = 4
_STEP_S = 1 / (RATE_HZ * _OVERSAMPLE)
_GRAVITY_M_S2 = 9.80665
# An MPU6050 at 100 Hz, its low-pass filter at 44 Hz: about 400 ug/sqrt(Hz) and 0.005 dps/sqrt(Hz), plus the wires.
_ACCEL_NOISE_G = 0.004
_GYRO_NOISE_DPS = 0.15


@dataclass(frozen=True)
class _Person:
    """What makes one person's gestures theirs."""

    tempo: float             # speed of every movement, 1 is average
    strength: float          # size of every movement, 1 is average
    wrist: float             # how much of it is turning instead of travelling
    tremor: float
    left_handed: bool
    tilt_rad: np.ndarray     # [3] how the sensor sits in the hand: roll, pitch, yaw
    plane_rad: float         # tilt of the plane in which circles are drawn
    accel_bias_g: np.ndarray     # [3]
    gyro_bias_dps: np.ndarray    # [3]
    gain: np.ndarray             # [6]


def _person(subject: str) -> _Person:
    if not (subject[:1] == "s" and subject[1:].isdecimal()):
        raise DataError(f"No virtual person {subject!r}: expected 's' and a number, for example 's01' "
                        f"(s01 to s{len(SUBJECTS)} are in the shipped set).")
    number = int(subject[1:])
    rng = np.random.default_rng(np.random.SeedSequence([6050, number]))
    return _Person(
        tempo=rng.uniform(0.78, 1.3),
        strength=rng.uniform(0.65, 1.4),
        wrist=rng.uniform(0.6, 1.4),
        tremor=rng.uniform(0.6, 1.6),
        left_handed=number % 4 == 3,
        tilt_rad=np.radians(rng.uniform(-34, 34, 3)),
        plane_rad=np.radians(rng.uniform(-20, 20)),
        accel_bias_g=rng.normal(0, 0.03, 3),
        gyro_bias_dps=rng.normal(0, 3.0, 3),
        gain=rng.normal(1, 0.015, 6),
    )


def _wander(rng, time_s, low_hz, high_hz):
    """Smooth random wandering around 0, about -1 to 1: [n]."""
    total = np.zeros(len(time_s))
    for frequency_hz, phase, size in zip(rng.uniform(low_hz, high_hz, 4), rng.uniform(0, 2 * np.pi, 4),
                                         rng.uniform(0.3, 0.7, 4), strict=True):
        total += size * np.sin(2 * np.pi * frequency_hz * time_s + phase)
    return total


def _phase(rng, time_s, frequency_hz):
    """Phase in radians of a rhythm that people keep badly: [n]."""
    rate_hz = frequency_hz * (1 + 0.06 * _wander(rng, time_s, 0.1, 0.6))
    # On a grid the sum is exact, so another machine's last bit of a sine cannot grow in it.
    rate_hz = np.rint(rate_hz * 2**20) / 2**20
    return rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.cumsum(rate_hz) * _STEP_S


def _beats(rng, time_s, period_s):
    """Moments in seconds at which a repeated movement starts."""
    moments = []
    moment_s = -rng.uniform(0, period_s)
    while moment_s < time_s[-1] + period_s:
        moments.append(moment_s)
        moment_s += period_s * rng.uniform(0.88, 1.12)
    return moments


def _pulse(time_s, centre_s, width_s):
    return np.exp(-0.5 * ((time_s - centre_s) / width_s) ** 2)


# Each gesture gives where the hand is (position_m [n, 3]: x forward, y left, z up), how it is turned
# (angle_rad [n, 3]: roll, pitch, yaw) and knocks that are too short to be a path (knock_m_s2 [n, 3]).

def _idle(rng, person, time_s, position_m, angle_rad, knock_m_s2):
    # Nobody rests like a stone: now and then the hand turns or shifts a little.
    for axis in range(3):
        angle_rad[:, axis] += rng.uniform(0.0, 0.12) * _wander(rng, time_s, 0.15, 0.9)
        position_m[:, axis] += rng.uniform(0.0, 0.012) * _wander(rng, time_s, 0.4, 1.6)


def _wave(rng, person, time_s, position_m, angle_rad, knock_m_s2):
    phase = _phase(rng, time_s, person.tempo * rng.uniform(1.5, 2.2))
    swing = 1 + 0.12 * _wander(rng, time_s, 0.2, 0.8)
    size = person.strength * rng.uniform(0.8, 1.2)
    angle_rad[:, 0] += 0.45 * size * person.wrist * swing * np.sin(phase)
    angle_rad[:, 2] += 0.22 * size * person.wrist * swing * np.sin(phase + 0.4)
    position_m[:, 1] += 0.055 * size * swing * np.sin(phase + rng.uniform(-0.3, 0.3))
    position_m[:, 2] += 0.008 * size * swing * np.cos(2 * phase)


def _circle(rng, person, time_s, position_m, angle_rad, knock_m_s2):
    phase = _phase(rng, time_s, person.tempo * rng.uniform(1.1, 1.6))
    radius_m = 0.11 * person.strength * rng.uniform(0.8, 1.2) * (1 + 0.12 * _wander(rng, time_s, 0.2, 0.8))
    squash = rng.uniform(0.6, 1.0)
    turn = 1 if rng.random() < 0.65 else -1          # clockwise or not
    position_m[:, 0] += radius_m * np.sin(phase) * np.sin(person.plane_rad)
    position_m[:, 1] += turn * radius_m * np.cos(phase)
    position_m[:, 2] += squash * radius_m * np.sin(phase) * np.cos(person.plane_rad)
    angle_rad[:, 0] += 0.16 * turn * person.wrist * np.cos(phase + 0.6)
    angle_rad[:, 1] += 0.12 * person.wrist * np.sin(phase + rng.uniform(-0.5, 0.5))


def _punch(rng, person, time_s, position_m, angle_rad, knock_m_s2):
    for start_s in _beats(rng, time_s, rng.uniform(0.75, 1.0) / person.tempo):
        force = person.strength * rng.uniform(0.75, 1.2)
        width_s = 0.055 / person.tempo * rng.uniform(0.9, 1.1)
        # Out fast, back slower: two smooth steps.
        out = np.tanh((time_s - start_s) / width_s)
        back = np.tanh((time_s - start_s - 4.5 * width_s) / (1.6 * width_s))
        position_m[:, 0] += 0.12 * force * (out - back)
        position_m[:, 2] += 0.02 * force * (out - back)
        angle_rad[:, 0] += 0.22 * person.wrist * (out - back)
        angle_rad[:, 1] -= 0.10 * person.wrist * (out - back)


def _shake(rng, person, time_s, position_m, angle_rad, knock_m_s2):
    phase = _phase(rng, time_s, person.tempo * rng.uniform(3.4, 4.6))
    swing = 1 + 0.2 * _wander(rng, time_s, 0.3, 1.2)
    size = person.strength * rng.uniform(0.75, 1.2)
    aim = np.array([0.35, 0.35, 1.0]) * rng.uniform(0.6, 1.2, 3)
    for axis in range(3):
        position_m[:, axis] += 0.024 * size * aim[axis] * swing * np.sin(phase + rng.uniform(-0.4, 0.4))
    angle_rad[:, 1] += 0.13 * size * person.wrist * swing * np.sin(phase + 0.5)
    angle_rad[:, 0] += 0.07 * size * person.wrist * swing * np.sin(phase + rng.uniform(-1, 1))


def _double_tap(rng, person, time_s, position_m, angle_rad, knock_m_s2):
    _idle(rng, person, time_s, position_m, angle_rad, knock_m_s2)
    gap_s = rng.uniform(0.17, 0.26) / person.tempo
    for start_s in _beats(rng, time_s, rng.uniform(0.8, 1.0) / person.tempo):
        for tap_s in (start_s, start_s + gap_s * rng.uniform(0.9, 1.1)):
            force = person.strength * rng.uniform(0.75, 1.25)
            width_s = rng.uniform(0.010, 0.014)
            # The finger pushes, the hand gives way and swings back.
            push = _pulse(time_s, tap_s, width_s) - 0.45 * _pulse(time_s, tap_s + 3.5 * width_s, 1.8 * width_s)
            knock_m_s2[:, 2] -= 15.0 * force * push
            knock_m_s2[:, 0] += 4.0 * force * push * rng.uniform(-1, 1)
            angle_rad[:, 1] += 0.030 * force * person.wrist * _pulse(time_s, tap_s + 0.02, 0.030)


_GESTURES = {"circle": _circle, "double_tap": _double_tap, "idle": _idle, "punch": _punch, "shake": _shake,
             "wave": _wave}


def _rotate(vector, angle_rad):
    """Turn vectors [n, 3] from outside into a frame that is rolled, pitched and yawed by angles [n, 3] or [3]."""
    # Written out, no matrix product: a BLAS library may add in another order on another machine.
    cos_roll, cos_pitch, cos_yaw = np.moveaxis(np.cos(angle_rad), -1, 0)
    sin_roll, sin_pitch, sin_yaw = np.moveaxis(np.sin(angle_rad), -1, 0)
    x, y, z = vector.T
    x, y = cos_yaw * x + sin_yaw * y, -sin_yaw * x + cos_yaw * y
    x, z = cos_pitch * x - sin_pitch * z, sin_pitch * x + cos_pitch * z
    y, z = cos_roll * y + sin_roll * z, -sin_roll * y + cos_roll * z
    return np.stack([x, y, z], axis=1)


def _body_rates(angle_rad):
    """Turning speed that a gyroscope in the hand feels, rad/s [n, 3]."""
    roll, pitch = angle_rad[:, 0], angle_rad[:, 1]
    d_roll, d_pitch, d_yaw = (np.gradient(angle_rad[:, axis], _STEP_S) for axis in range(3))
    return np.stack([d_roll - d_yaw * np.sin(pitch),
                     d_pitch * np.cos(roll) + d_yaw * np.cos(pitch) * np.sin(roll),
                     -d_pitch * np.sin(roll) + d_yaw * np.cos(pitch) * np.cos(roll)], axis=1)


def _sense(rng, person, time_s, position_m, angle_rad, knock_m_s2):
    """What the sensor's registers hold: int16 [n / oversample, 6]."""
    grip_rad = rng.normal(0, np.radians(7), 3)       # nobody takes the sensor in hand the same way twice
    for axis in range(3):
        shiver = _wander(rng, time_s, 7.0, 11.0)
        position_m[:, axis] += 6e-5 * person.tremor * shiver
        angle_rad[:, axis] += 1.2e-3 * person.tremor * shiver
    if person.left_handed:
        # The mirror image: y flips, and with it the two rotations that do not turn around y.
        position_m = position_m * np.array([1.0, -1.0, 1.0])
        knock_m_s2 = knock_m_s2 * np.array([1.0, -1.0, 1.0])
        angle_rad = angle_rad * np.array([-1.0, 1.0, -1.0])
    velocity = np.gradient(position_m, _STEP_S, axis=0)
    force = (np.gradient(velocity, _STEP_S, axis=0) + knock_m_s2) / _GRAVITY_M_S2
    force[:, 2] += 1.0                               # at rest an accelerometer feels the table push it up by 1 g
    seat_rad = person.tilt_rad + grip_rad
    accel_g = _rotate(_rotate(force, angle_rad), seat_rad)
    gyro_dps = np.degrees(_rotate(_body_rates(angle_rad), seat_rad))

    both = np.concatenate([accel_g + person.accel_bias_g, gyro_dps + person.gyro_bias_dps], axis=1) * person.gain
    # The sensor's low-pass filter: the mean over one sample period.
    filtered = both.reshape(-1, _OVERSAMPLE, 6).sum(axis=1) / _OVERSAMPLE
    noise = rng.normal(0, 1, filtered.shape) * np.array([_ACCEL_NOISE_G] * 3 + [_GYRO_NOISE_DPS] * 3)
    counts = np.rint((filtered + noise) / np.array(SCALE))
    return np.clip(counts, -32768, 32767).astype(np.int16)


def _still(duration_s):
    n = round(duration_s * RATE_HZ) * _OVERSAMPLE
    return np.arange(n) * _STEP_S, np.zeros((n, 3)), np.zeros((n, 3)), np.zeros((n, 3))


def _rng(*key):
    return np.random.default_rng(np.random.SeedSequence(key))


def _recording(samples, label, subject):
    return Recording(samples, RATE_HZ, CHANNELS, UNITS, SCALE, label=label, subject=subject, source="synthetic")


def make_recording(label: str, subject: str, seed: int = 0, duration_s: float = 3.2, take: int = 0) -> Recording:
    """One person repeats one gesture.

    Parameters
    ----------
    label : str
        One of `CLASSES`.
    subject : str
        ``"s01"``, ``"s02"``, ... Each number is a person with their own speed, strength, tilt, hand and sensor.
        `SUBJECTS` are in the shipped set; any other number is a stranger to it.
    seed : int, 0 or more
        The same arguments give the same samples, to the bit.
    duration_s : float
        Length in seconds, at least 0.1.
    take : int, 0 or more
        Another take is another try of the same person.

    Returns
    -------
    Recording
        int16 counts [n, 6] at 100 Hz; accelerometer +-4 g, gyroscope +-500 dps.

    Raises
    ------
    DataError
        Unknown label or subject, or too short.
    """
    if label not in CLASSES:
        raise DataError(f"No gesture {label!r}: expected one of {', '.join(CLASSES)}.")
    if duration_s < 0.1:
        raise DataError(f"A gesture of {duration_s} s is too short: expected at least 0.1 s.")
    person = _person(subject)
    rng = _rng(seed, CLASSES.index(label), int(subject[1:]), take)
    time_s, *motion = _still(duration_s)
    _GESTURES[label](rng, person, time_s, *motion)
    return _recording(_sense(rng, person, time_s, *motion), label, subject)


def make_dataset(seed: int = 0, subjects=SUBJECTS, takes: int = 3, duration_s: float = 3.2) -> Dataset:
    """Every subject makes every gesture `takes` times; with the defaults this is the shipped set.

    Examples
    --------
    >>> small = make_dataset(subjects=("s01", "s02"), takes=1)
    >>> len(small), small.classes
    (12, ('circle', 'double_tap', 'idle', 'punch', 'shake', 'wave'))
    """
    return Dataset([make_recording(label, subject, seed, duration_s, take)
                    for subject in subjects for label in CLASSES for take in range(takes)], CLASSES)


def live(subject: str = LIVE_SUBJECT, seed: int = 0, script=None, gesture_s: float = 2.6,
         pause_s: float = 1.6) -> tuple[Recording, list[tuple[float, float, str]]]:
    """One long recording in which somebody makes one gesture after the other, with rest between.

    Parameters
    ----------
    subject : str
        Who. The default is in no shipped recording.
    seed : int
        Decides the order (if no `script` is given) and every movement.
    script : sequence of str, optional
        The gestures in order. Default: each class but idle, five times, shuffled (25 gestures).
    gesture_s, pause_s : float
        Length of a gesture and of the rest before and after it, in seconds.

    Returns
    -------
    recording : Recording
        int16 [n, 6] at 100 Hz, without a label.
    truth : list of (start_s, stop_s, label)
        When each gesture was made.

    Examples
    --------
    >>> recording, truth = live(script=["punch", "wave"])
    >>> [label for _, _, label in truth], recording.duration_s
    (['punch', 'wave'], 10.0)
    """
    person = _person(subject)
    number = int(subject[1:])
    if script is None:
        moves = [label for label in CLASSES if label != "idle"]
        script = _rng(seed, 1000, number).permutation(moves * 5).tolist()
    strange = [label for label in script if label not in CLASSES]
    if strange:
        raise DataError(f"No gesture {strange[0]!r}: expected some of {', '.join(CLASSES)}.")
    time_s, *motion = _still(pause_s + len(script) * (gesture_s + pause_s))
    _idle(_rng(seed, 1001, number), person, time_s, *motion)
    truth = []
    for index, label in enumerate(script):
        start_s = pause_s + index * (gesture_s + pause_s)
        own_s, *own = _still(gesture_s)
        _GESTURES[label](_rng(seed, 1002, number, index, CLASSES.index(label)), person, own_s, *own)
        # A movement begins and ends softly.
        grow = np.clip(np.minimum(own_s, gesture_s - own_s) / 0.25, 0, 1)
        grow = (grow * grow * (3 - 2 * grow))[:, None]
        first = round(start_s / _STEP_S)
        for total, part in zip(motion, own, strict=True):
            total[first:first + len(part)] += part * grow
        truth.append((round(start_s, 3), round(start_s + gesture_s, 3), label))
    samples = _sense(_rng(seed, 1003, number), person, time_s, *motion)
    return _recording(samples, "", subject), truth


def make_dirty(recording: Recording, seed: int = 0) -> Recording:
    """The same recording as a bad day would have it: spikes, a channel that sticks, and lost samples.

    Parameters
    ----------
    recording : Recording
        int16, at least 2 s long.
    seed : int
        Decides where.

    Returns
    -------
    Recording
        Four one-sample spikes (the sign bit flipped on the wire), one channel that holds its value for 0.2 s
        (a loose contact), and one gap of 0.15 to 0.2 s in which every channel holds its value: those samples were
        lost in capture and are counted in ``lost``. `Recording.faults` finds them.

    Raises
    ------
    DataError
        The recording is too short or not int16.
    """
    if recording.samples.dtype != np.int16 or recording.duration_s < 2:
        raise DataError(f"make_dirty needs at least 2 s of int16 samples; found {recording.duration_s:g} s of "
                        f"{recording.samples.dtype}.")
    rng = _rng(seed, 2000)
    samples = recording.samples.copy()
    count, channels = samples.shape
    # Each fault has its own eighth of the recording, so that none hides another.
    places = (rng.permutation(np.arange(1, 7)) * count) // 8
    for place in places[:4]:
        row, column = place + rng.integers(2, count // 8 - 2), rng.integers(channels)
        samples[row, column] ^= np.int16(-32768)
    row, column = places[4] + 2, rng.integers(channels)
    samples[row:row + round(0.2 * recording.rate_hz), column] = samples[row, column]
    row, lost = places[5] + 2, round(rng.uniform(0.15, 0.2) * recording.rate_hz)
    samples[row + 1:row + 1 + lost] = samples[row]
    return recording.with_(samples=samples, lost=recording.lost + lost)
