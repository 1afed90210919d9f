"""Daily life and falls, as a motion sensor on a belt feels them: virtual people, single events, whole days.

The sensor is an MPU6050 at +-16 g and +-2000 dps, 50 samples per second. (At the course's usual +-4 g an impact would be
cut off where it begins to tell something.) The chain is the one of the real thing: the trunk loses its support and falls,
speed grows, the floor takes it away again in an impact whose area *is* that speed, soft parts ring, gravity turns with
the trunk, the sensor sits askew on the belt, filters, adds bias and noise, clips and rounds to int16. Everything is
synthetic: good for learning the method, no proof that it works on real people.

>>> fall = make_event("fall_forward", "p01", seed=0)
>>> fall.samples.shape, str(fall.samples.dtype), fall.source
((370, 6), 'int16', 'synthetic')
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.dataset import Dataset
from edgekit.errors import DataError
from edgekit.recording import Recording
from edgekit.signals.gestures import _rotate

__all__ = ["DAILY", "FALLS", "NEAR_FALLS", "UNFAIR", "KINDS", "CLASSES", "PEOPLE", "Clip", "Person", "person", "make_event",
           "make_dataset", "make_day", "load_sisfall", "SISFALL", "is_fall"]

RATE_HZ = 50.0
CHANNELS = ("ax", "ay", "az", "gx", "gy", "gz")
UNITS = ("g", "g", "g", "dps", "dps", "dps")
ACCEL_RANGE_G = 16.0
GYRO_RANGE_DPS = 2000.0
SCALE = (ACCEL_RANGE_G / 32768,) * 3 + (GYRO_RANGE_DPS / 32768,) * 3
EVENT_S = 7.4
CLIP_S = 12

CLASSES = ("daily", "fall")
DAILY = ("walk", "stairs_up", "stairs_down", "run", "sit", "lie_down", "get_up", "bend", "ride")
NEAR_FALLS = ("stumble", "sit_hard", "flop_on_bed", "jump", "knock", "drop_device", "throw_device")
"""No falls, but near in what the sensor feels."""
FALLS = ("fall_forward", "fall_backward", "fall_sideways", "fall_from_chair", "faint", "faint_along_wall")
UNFAIR = ("fall_onto_bed", "fall_in_bag")
"""Falls that nobody trained for: a soft bed; a device in a bag on the shoulder. The lesson shows what becomes of them."""
KINDS = DAILY + NEAR_FALLS + FALLS
PEOPLE = tuple(f"p{number:02d}" for number in range(1, 5))
"""Those of the shipped set. Any other number is a stranger to it."""

_OVERSAMPLE = 4
_STEP_S = 1 / (RATE_HZ * _OVERSAMPLE)
_GRAVITY_M_S2 = 9.80665
# MPU6050 with its filter at 21 Hz: 400 ug/sqrt(Hz) and 0.005 dps/sqrt(Hz) (data sheet), and what a belt adds.
_ACCEL_NOISE_G = 0.003
_GYRO_NOISE_DPS = 0.1


@dataclass(frozen=True)
class Person:
    """What makes one person's movements theirs.

    Attributes
    ----------
    name : str
    age : float
        Years, 20 to 90.
    height_m, mass_kg : float
    vigour : float
        1 is a fit young person, 0.4 a frail old one: how fast they walk, how softly they sit down.
    cadence_hz : float
        Steps per second in a walk.
    stiffness : float
        How hard this body and its clothes stop: 1 is average.
    ring_hz : float
        What rings after a knock: belt, pouch, soft parts.
    seat_rad : numpy.ndarray
        [3] How the sensor sits on the belt: roll, pitch, and where around the waist (yaw).
    accel_bias_g, gyro_bias_dps, gain : numpy.ndarray
        Of the sensor: [3], [3], [6].
    """

    name: str
    age: float
    height_m: float
    mass_kg: float
    vigour: float
    cadence_hz: float
    stiffness: float
    ring_hz: float
    seat_rad: np.ndarray
    accel_bias_g: np.ndarray
    gyro_bias_dps: np.ndarray
    gain: np.ndarray

    @property
    def waist_m(self) -> float:
        """Height of the belt above the floor in m: about 0.58 of the body's (Winter, 2009, table 4.1, greater trochanter
        0.53 and some more)."""
        return 0.58 * self.height_m


def person(name: str) -> Person:
    """A virtual person by name: ``"p01"``, ``"p02"``, ... The same name is always the same person.

    Examples
    --------
    >>> one = person("p01")
    >>> 20 <= one.age <= 90, 1.4 < one.height_m < 2.0
    (True, True)

    Raises
    ------
    DataError
        It is no such name.
    """
    if not (name[:1] == "p" and name[1:].isdecimal()):
        raise DataError(f"No virtual person {name!r}: expected 'p' and a number, for example 'p01' "
                        f"(p01 to p{len(PEOPLE):02d} are in the shipped set).")
    rng = _rng(16, int(name[1:]))
    age = rng.uniform(20, 90)
    height_m = float(np.clip(rng.normal(1.69, 0.09), 1.48, 1.96))
    mass_kg = height_m**2 * float(np.clip(rng.normal(25.5, 3.5), 18, 38))
    vigour = float(np.clip(1.15 - 0.0075 * (age - 20) + rng.normal(0, 0.1), 0.35, 1.2))
    return Person(
        name, age, height_m, mass_kg, vigour,
        cadence_hz=float(np.clip(1.95 - 0.35 * (1 - vigour) + 0.5 * (1.69 - height_m) + rng.normal(0, 0.08), 1.35, 2.3)),
        stiffness=float(np.clip(1.35 - 0.014 * (mass_kg - 45) / 1.6 + rng.normal(0, 0.15), 0.6, 1.5)),
        ring_hz=rng.uniform(7, 14),
        seat_rad=np.radians([rng.uniform(-18, 18), rng.uniform(-22, 22), rng.uniform(-180, 180)]),
        accel_bias_g=rng.normal(0, 0.03, 3),
        gyro_bias_dps=rng.normal(0, 3.0, 3),
        gain=rng.normal(1, 0.015, 6),
    )


def is_fall(kind: str) -> bool:
    """Whether a label is one of a fall.

    Examples
    --------
    >>> is_fall("faint"), is_fall("sit_hard")
    (True, False)
    """
    return kind in FALLS or kind in UNFAIR


def _rng(*key):
    return np.random.default_rng(np.random.SeedSequence(key))


class _Motion:
    """A trunk in time: accel_m_s2 [n, 3] in the world (x forward, y left, z up), angle_rad [n, 3] (roll, pitch, yaw)."""

    def __init__(self, rng, who, duration_s):
        n = round(duration_s * RATE_HZ) * _OVERSAMPLE
        self.rng, self.who, self.duration_s = rng, who, duration_s
        self.time_s = np.arange(n) * _STEP_S
        self.accel_m_s2 = np.zeros((n, 3))
        self.angle_rad = np.zeros((n, 3))
        self.worn = np.ones(n)       # 1: on a body, which breathes and trembles; 0: it lies somewhere

    def from_s(self, start_s, stop_s):
        """Indices between two moments."""
        return slice(max(0, round(start_s / _STEP_S)), min(len(self.time_s), max(0, round(stop_s / _STEP_S))))

    def turn(self, axis, at_s, lasts_s, degrees):
        """Turn by so much, gently, for good."""
        u = np.clip((self.time_s - at_s) / lasts_s, 0, 1)
        self.angle_rad[:, axis] += np.radians(degrees) * u * u * (3 - 2 * u)

    def wander(self, axis, degrees, low_hz=0.1, high_hz=0.6):
        self.angle_rad[:, axis] += np.radians(degrees) * _wander(self.rng, self.time_s, low_hz, high_hz)

    def push(self, at_s, speed_m_s, tau_s, direction=(0, 0, 1), ring=0.3):
        """An impact: the area of the pulse is the speed that it takes away. What is soft rings after it."""
        part = self.from_s(at_s, at_s + max(12 * tau_s, 0.5))
        t = self.time_s[part] - at_s
        t = np.maximum(t, 0)
        pulse = speed_m_s * t / tau_s**2 * np.exp(-t / tau_s)
        after = speed_m_s / (np.e * tau_s) * ring * np.exp(-t / 0.09) * np.sin(2 * np.pi * self.who.ring_hz * t)
        self.accel_m_s2[part] += (pulse + after)[:, None] * np.asarray(direction, float)

    def lose(self, until_s, speed_m_s, lasts_s, direction=(0, 0, -1)):
        """Gather speed for so long: nothing falls faster than freely, so it may need longer. Returns when it began."""
        lasts_s = max(lasts_s, np.pi / 2 * speed_m_s / (0.93 * _GRAVITY_M_S2))
        part = self.from_s(until_s - lasts_s, until_s)
        u = (self.time_s[part] - until_s + lasts_s) / lasts_s
        self.accel_m_s2[part] += (np.pi / 2 * speed_m_s / lasts_s * np.sin(np.pi * u))[:, None] * np.asarray(direction, float)
        return until_s - lasts_s

    def drop(self, at_s, speed_m_s, lasts_s, tau_s, ring=0.3):
        """Sink and be stopped: what was gathered is given back at `at_s`. Returns when it began."""
        began_s = self.lose(at_s, speed_m_s, lasts_s)
        aside = self.rng.normal(0, 0.25, 2)
        self.push(at_s, speed_m_s * self.rng.uniform(1.0, 1.15), tau_s / self.who.stiffness, (*aside, 1.0), ring)
        return began_s

    def shake(self, start_s, stop_s, g, low_hz=0.5, high_hz=4.0):
        """Restless movement."""
        part = self.from_s(start_s, stop_s)
        n = part.stop - part.start
        if n < 8:
            return
        fade = np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 0.5
        for axis in range(3):
            self.accel_m_s2[part, axis] += g * _GRAVITY_M_S2 * fade * _wander(self.rng, self.time_s[part], low_hz, high_hz)

    def step(self, start_s, stop_s, pace=1.0, size=1.0, strike=1.0):
        """Walk: twice a stride the trunk rises and sinks, and a heel strikes."""
        part = self.from_s(start_s, stop_s)
        time_s = self.time_s[part]
        if len(time_s) < 8:
            return
        rng, who = self.rng, self.who
        rate_hz = who.cadence_hz * pace * (1 + 0.03 * _wander(rng, time_s, 0.05, 0.4))
        phase = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.cumsum(np.rint(rate_hz * 2**20) / 2**20) * _STEP_S
        fade = np.clip(np.minimum(time_s - start_s, stop_s - time_s) / 0.5, 0, 1)
        size = size * (1 + 0.12 * _wander(rng, time_s, 0.05, 0.5)) * fade
        rise_g = (0.10 + 0.12 * who.vigour) * pace**2 * size
        self.accel_m_s2[part, 2] += _GRAVITY_M_S2 * rise_g * (np.cos(phase) + 0.35 * np.cos(2 * phase + 0.7))
        self.accel_m_s2[part, 0] += _GRAVITY_M_S2 * 0.5 * rise_g * np.sin(phase + 0.5)
        self.accel_m_s2[part, 1] += _GRAVITY_M_S2 * 0.45 * rise_g * np.sin(phase / 2)
        self.angle_rad[part, 0] += np.radians(2.5) * size * np.sin(phase / 2)
        self.angle_rad[part, 1] += np.radians(1.5) * size * np.sin(phase + 1)
        # A heel strikes once a step: the phase since then says how long ago.
        ago_s = np.mod(phase, 2 * np.pi) / (2 * np.pi * who.cadence_hz * pace)
        each = 1 + 0.3 * np.sin(np.floor(phase / (2 * np.pi)) * 2.4)     # no two steps are alike
        tau_s = 0.013
        self.accel_m_s2[part, 2] += (0.13 * strike * who.stiffness * pace * size * each
                                     * ago_s / tau_s**2 * np.exp(-ago_s / tau_s))

    def jog(self, start_s, stop_s):
        """Run: a flight without weight, and on the ground more than twice the weight, so that the mean is 1 g."""
        part = self.from_s(start_s, stop_s)
        time_s = self.time_s[part]
        if len(time_s) < 8:
            return
        rng, who = self.rng, self.who
        base_hz = rng.uniform(2.5, 2.95)
        rate_hz = base_hz * (1 + 0.02 * _wander(rng, time_s, 0.05, 0.4))
        phase = np.mod(rng.uniform() + np.cumsum(np.rint(rate_hz * 2**20) / 2**20) * _STEP_S, 1.0)
        fade = np.clip(np.minimum(time_s - start_s, stop_s - time_s) / 1.0, 0, 1)
        contact = rng.uniform(0.55, 0.78)
        force_g = np.where(phase < contact, np.pi / 2 / contact * np.sin(np.pi * np.minimum(phase / contact, 1)), 0)
        size = fade * (1 + 0.1 * _wander(rng, time_s, 0.1, 1.0))
        self.accel_m_s2[part, 2] += _GRAVITY_M_S2 * size * (force_g - 1)
        self.accel_m_s2[part, 0] += _GRAVITY_M_S2 * size * 0.35 * np.sin(2 * np.pi * phase)
        self.accel_m_s2[part, 1] += _GRAVITY_M_S2 * size * 0.2 * _wander(rng, time_s, 1.2, 1.6)
        ago_s, tau_s = phase / base_hz, 0.012
        self.accel_m_s2[part, 2] += size * rng.uniform(0.25, 0.5) * who.stiffness * ago_s / tau_s**2 * np.exp(-ago_s / tau_s)
        self.angle_rad[part, 1] += np.radians(7) * fade

    def sense(self, gyro=True):
        """What the sensor's registers hold: int16 [n / oversample, 6], or [.., 3] without the gyroscope."""
        rng, who, time_s = self.rng, self.who, self.time_s
        # A body breathes and trembles, also when it lies still.
        breath = np.sin(2 * np.pi * rng.uniform(0.2, 0.33) * time_s + rng.uniform(0, 6.28))
        self.angle_rad[:, 1] += np.radians(rng.uniform(0.3, 0.9)) * breath * self.worn
        tremble_g = rng.uniform(0.003, 0.010) * self.worn[:, None]
        self.accel_m_s2 += _GRAVITY_M_S2 * tremble_g * np.stack([_wander(rng, time_s, 2, 9) for _ in range(3)], axis=1)

        force = self.accel_m_s2 / _GRAVITY_M_S2
        force[:, 2] += 1.0       # at rest an accelerometer feels the floor push it up by 1 g
        grip_rad = who.seat_rad + rng.normal(0, np.radians(5), 3)     # put on anew each time
        both = [_rotate(_rotate(force, self.angle_rad), grip_rad) + who.accel_bias_g]
        noise = [_ACCEL_NOISE_G] * 3
        if gyro:
            both.append(np.degrees(_rotate(_body_rates(self.angle_rad), grip_rad)) + who.gyro_bias_dps)
            noise += [_GYRO_NOISE_DPS] * 3
        channels = len(noise)
        both = np.concatenate(both, axis=1) * who.gain[:channels]
        # The chip's low-pass filter: the mean over one sample period.
        filtered = both.reshape(-1, _OVERSAMPLE, channels).sum(axis=1) / _OVERSAMPLE
        counts = np.rint((filtered + rng.normal(0, 1, filtered.shape) * noise) / np.array(SCALE[:channels]))
        return np.clip(counts, -32768, 32767).astype(np.int16)


def _wander(rng, time_s, low_hz, high_hz):
    """Smooth random wandering around 0, about -1 to 1: [n]."""
    total = np.zeros(len(time_s))
    for frequency_hz, phase, size in zip(rng.uniform(low_hz, high_hz, 3), rng.uniform(0, 2 * np.pi, 3),
                                         rng.uniform(0.3, 0.7, 3), strict=True):
        total += size * np.sin(2 * np.pi * frequency_hz * time_s + phase)
    return total


def _body_rates(angle_rad):
    """Turning speed that a gyroscope on the trunk feels, rad/s [n, 3]: the Euler rates of roll, pitch and yaw."""
    roll, pitch = angle_rad[:, 0], angle_rad[:, 1]
    d_roll, d_pitch, d_yaw = (np.gradient(angle_rad[:, axis], _STEP_S) for axis in range(3))
    return np.stack([d_roll - d_yaw * np.sin(pitch),
                     d_pitch * np.cos(roll) + d_yaw * np.cos(pitch) * np.sin(roll),
                     -d_pitch * np.sin(roll) + d_yaw * np.cos(pitch) * np.cos(roll)], axis=1)


# ---- daily life. Each gets the motion m and the moment at_s around which it happens.

def _walk(m, at_s):
    m.wander(1, 2)
    m.step(0, m.duration_s, pace=m.rng.uniform(0.85, 1.15))


def _stairs_up(m, at_s):
    m.turn(1, 0, 0.5, m.rng.uniform(5, 15))
    m.step(0, m.duration_s, pace=m.rng.uniform(0.75, 0.95), size=m.rng.uniform(1.1, 1.5), strike=m.rng.uniform(0.8, 1.3))


def _stairs_down(m, at_s):
    m.step(0, m.duration_s, pace=m.rng.uniform(0.85, 1.1), size=m.rng.uniform(1.2, 1.7), strike=m.rng.uniform(1.5, 2.8))


def _run(m, at_s):
    m.jog(0, m.duration_s)


def _sit(m, at_s, speed_m_s=None, tau_s=None, back=None):
    rng = m.rng
    if rng.random() < 0.6:
        m.step(0, at_s - 1.6)
    speed_m_s = rng.uniform(0.2, 0.6) if speed_m_s is None else speed_m_s
    lean = rng.uniform(15, 40)
    lasts_s = rng.uniform(0.7, 1.2)
    m.turn(1, at_s - lasts_s, 0.8 * lasts_s, lean)
    m.turn(1, at_s - 0.1, rng.uniform(0.4, 0.9), -lean - (rng.uniform(0, 22) if back is None else back))
    m.drop(at_s, speed_m_s, lasts_s * 0.8, tau_s or rng.uniform(0.025, 0.045), ring=0.2)
    m.shake(at_s + 0.6, m.duration_s, rng.uniform(0, 0.04), 0.3, 2)


def _sit_hard(m, at_s):
    rng = m.rng
    soft = rng.random() < 0.35     # a sofa, into which one sinks back
    _sit(m, at_s, rng.uniform(0.9, 1.9), rng.uniform(0.03, 0.05) if soft else rng.uniform(0.014, 0.03),
         rng.uniform(15, 50) if soft else rng.uniform(0, 25))


def _lie_down(m, at_s):
    rng = m.rng
    _sit(m, at_s - 1.5, rng.uniform(0.2, 0.6), rng.uniform(0.03, 0.06))
    m.turn(1, at_s - 0.8, rng.uniform(1.2, 2.2), rng.uniform(-85, -55))
    if rng.random() < 0.5:
        m.turn(0, at_s + 0.3, rng.uniform(0.8, 1.6), rng.choice([-1, 1]) * rng.uniform(30, 85))
    m.drop(at_s + 0.5, rng.uniform(0.1, 0.5), 0.5, rng.uniform(0.03, 0.06), ring=0.1)


def _flop_on_bed(m, at_s):
    """Let oneself fall on a bed, on purpose: nearly a fall, but what stops it is soft."""
    rng = m.rng
    if rng.random() < 0.5:
        m.step(0, at_s - 1.3)
    lasts_s = rng.uniform(0.6, 1.1)
    side = rng.choice(3)
    m.turn(1 if side else 0, at_s - lasts_s, lasts_s + 0.15, rng.uniform(60, 92) * (-1 if side != 2 else 1))
    m.drop(at_s, rng.uniform(0.8, 1.8), lasts_s, rng.uniform(0.03, 0.07), ring=0.1)
    for bounce in (0.35, 0.68):
        m.push(at_s + bounce, rng.uniform(0.05, 0.3), 0.05, ring=0)
    m.shake(at_s + 1.0, at_s + rng.uniform(1.5, 4), rng.uniform(0.02, 0.15), 0.3, 2)


def _get_up(m, at_s):
    rng = m.rng
    lying = rng.random() < 0.4
    m.angle_rad[:, 1] += np.radians(-80 if lying else -15)
    if lying:
        m.turn(1, at_s - 1.8, 1.3, 65)
    lean = rng.uniform(20, 45)
    m.turn(1, at_s - 0.5, 0.6, 15 + lean)
    m.turn(1, at_s + 0.2, 0.8, -lean)
    m.push(at_s, 0.4 * m.who.vigour, 0.12, ring=0)
    m.lose(at_s + 1.2, 0.4 * m.who.vigour, 0.5)
    m.step(at_s + 1.6, m.duration_s)


def _bend(m, at_s):
    rng = m.rng
    down = rng.uniform(45, 95)
    lasts_s = rng.uniform(0.7, 1.3)
    stays_s = rng.uniform(0.3, 5)
    m.turn(1, at_s - lasts_s, lasts_s, down)
    m.turn(1, at_s + stays_s, lasts_s, -down)
    if rng.random() < 0.4:      # a squat, or on the knees
        m.drop(at_s, rng.uniform(0.2, 0.9), lasts_s, rng.uniform(0.02, 0.05), ring=0.2)
        m.push(at_s + stays_s + 0.3, rng.uniform(0.2, 0.5), 0.1, ring=0)
    m.shake(at_s, at_s + stays_s, rng.uniform(0.02, 0.15))


def _ride(m, at_s):
    rng = m.rng
    m.angle_rad[:, 1] += np.radians(rng.uniform(-25, 0))
    rough = rng.uniform(0.02, 0.07)
    for axis in range(3):
        m.accel_m_s2[:, axis] += _GRAVITY_M_S2 * rough * (_wander(rng, m.time_s, 1, 3) + _wander(rng, m.time_s, 8, 16))
    m.accel_m_s2[:, 0] += _GRAVITY_M_S2 * 0.15 * _wander(rng, m.time_s, 0.03, 0.2)
    for bump_s in rng.uniform(0, m.duration_s, rng.poisson(m.duration_s / 25)):
        speed_m_s = rng.uniform(0.1, 0.8)
        m.lose(bump_s, speed_m_s, 0.2)
        m.push(bump_s, speed_m_s, rng.uniform(0.02, 0.05), ring=0.3)


# ---- near-falls

def _stumble(m, at_s):
    """A foot is caught; some quick steps later all is well."""
    rng = m.rng
    m.step(0, at_s, pace=rng.uniform(0.9, 1.15))
    m.push(at_s, rng.uniform(0.4, 1.0), rng.uniform(0.015, 0.03), (-1, rng.normal(0, 0.3), 0.3))
    lean = rng.uniform(10, 40)
    m.turn(1, at_s, 0.35, lean)
    m.turn(0, at_s, 0.3, tilt := rng.normal(0, 12))
    after_s = at_s
    for _ in range(int(rng.integers(1, 5))):
        after_s += rng.uniform(0.22, 0.42)
        speed_m_s = rng.uniform(0.5, 1.4)
        m.lose(after_s, speed_m_s, 0.18)
        m.push(after_s, speed_m_s * 1.1, rng.uniform(0.012, 0.025) / m.who.stiffness, (rng.normal(-0.3, 0.2), 0, 1))
    m.turn(1, after_s, 0.6, -lean)
    m.turn(0, after_s, 0.6, -tilt)
    if rng.random() < 0.65:
        m.step(after_s + rng.uniform(0.4, 1.5), m.duration_s)


def _jump(m, at_s):
    """Crouch, push off, fly without weight, land. Once, or a few times."""
    rng = m.rng
    when_s = at_s
    for _ in range(int(rng.choice([1, 1, 1, 2, 4]))):
        flight_s = rng.uniform(0.18, 0.5) * (0.6 + 0.4 * m.who.vigour)
        speed_m_s = flight_s * _GRAVITY_M_S2 / 2
        part = m.from_s(when_s - flight_s, when_s)
        m.accel_m_s2[part, 2] -= _GRAVITY_M_S2
        m.lose(when_s - flight_s - 0.25, 0.3, 0.25)
        m.push(when_s - flight_s - 0.3, speed_m_s + 0.3, 0.05, ring=0)
        m.push(when_s, speed_m_s, rng.uniform(0.013, 0.035) / m.who.stiffness, (rng.normal(0, 0.2), rng.normal(0, 0.2), 1))
        when_s += flight_s + rng.uniform(0.7, 1.3)


def _knock(m, at_s):
    """The sensor hits a table's edge or a door frame."""
    rng = m.rng
    if rng.random() < 0.6:
        m.step(0, at_s)
        if rng.random() < 0.7:
            m.step(at_s + 0.3, m.duration_s)
    direction = rng.normal(0, 1, 3)
    m.push(at_s, rng.uniform(0.3, 1.1), rng.uniform(0.004, 0.012), direction / np.linalg.norm(direction), ring=0.2)


def _let_go(m, at_s, flight_s, tau_s, bounces, bounce):
    """Somebody takes the device off, holds it, and it flies: nothing pushes it, so it feels 0 g, turning all the time."""
    rng = m.rng
    began_s = at_s - flight_s
    taken_s = began_s - rng.uniform(0.6, 1.6)
    for axis in range(3):
        m.turn(axis, taken_s - 0.6, rng.uniform(0.5, 0.9), rng.uniform(-60, 60))
    m.shake(taken_s - 0.5, began_s, rng.uniform(0.05, 0.25))
    m.accel_m_s2[m.from_s(began_s, at_s)] = 0
    m.accel_m_s2[m.from_s(began_s, at_s), 2] = -_GRAVITY_M_S2
    for axis in range(3):
        m.turn(axis, began_s, flight_s + 0.25, rng.uniform(-200, 200))
    m.worn[m.from_s(began_s, m.duration_s)] = 0
    speed_m_s = flight_s * _GRAVITY_M_S2
    when_s = at_s
    for _ in range(bounces + 1):
        rebound = bounce * rng.uniform(0.7, 1.2)
        m.push(when_s, speed_m_s * (1 + rebound), tau_s, (rng.normal(0, 0.3), rng.normal(0, 0.3), 1), ring=0.05)
        flight_s = 2 * speed_m_s * rebound / _GRAVITY_M_S2
        speed_m_s *= rebound
        if flight_s > 0.03:
            m.accel_m_s2[m.from_s(when_s + 4 * tau_s, when_s + flight_s), 2] -= _GRAVITY_M_S2
        when_s += flight_s + 0.02
    if rng.random() < 0.4:     # somebody picks it up again
        m.worn[m.from_s(picked_s := when_s + rng.uniform(1.0, 4.0), m.duration_s)] = 1
        m.shake(picked_s, m.duration_s, rng.uniform(0.1, 0.3))
        for axis in range(3):
            m.turn(axis, picked_s, 0.8, rng.uniform(-90, 90))


def _drop_device(m, at_s):
    rng = m.rng
    _let_go(m, at_s, rng.uniform(0.15, 0.5), rng.uniform(0.002, 0.006), int(rng.integers(1, 4)), 0.4)


def _throw_device(m, at_s):
    rng = m.rng
    _let_go(m, at_s, rng.uniform(0.25, 0.6), rng.uniform(0.02, 0.045), int(rng.integers(0, 2)), 0.25)


# ---- falls

def _aftermath(m, at_s, share=(0.45, 0.3, 0.25)):
    """After a fall: lie still; move in pain; or get up again."""
    rng = m.rng
    how = rng.choice(3, p=share)
    if how == 1:
        m.shake(at_s + rng.uniform(0.5, 2), m.duration_s, rng.uniform(0.03, 0.2), 0.2, 2)
        m.wander(0, 6, 0.1, 0.5)
    elif how == 2:
        up_s = at_s + rng.uniform(1.8, 5)
        m.shake(up_s, up_s + 2, rng.uniform(0.08, 0.25))
        for axis in (0, 1):
            m.turn(axis, up_s, rng.uniform(1.5, 3), -np.degrees(m.angle_rad[-1, axis]) * rng.uniform(0.7, 1))
    return how


def _tumble(m, at_s, axis, degrees, share, lasts_s, tau_s, before=0.5):
    """Fall over: the trunk tips by so much, and `share` of what a free fall would give is there when it hits."""
    rng, who = m.rng, m.who
    speed_m_s = share * np.sqrt(2 * _GRAVITY_M_S2 * who.waist_m)
    m.turn(axis, at_s - 0.8 * lasts_s, 0.8 * lasts_s + 0.12, degrees)
    other = 1 - axis
    m.turn(other, at_s - 0.5 * lasts_s, 0.6 * lasts_s, rng.normal(0, 15))
    m.turn(2, at_s - 0.7 * lasts_s, lasts_s, rng.normal(0, 30))
    tau_s *= rng.choice([1.0, 1.0, 1.5, 2.0])      # stone, wood, carpet, grass
    first = 0.0
    if rng.random() < before:      # knees, seat or hands come first and take a part of it
        first = rng.uniform(0.2, 0.45)
        m.push(at_s - rng.uniform(0.08, 0.22), first * speed_m_s, rng.uniform(0.012, 0.03) / who.stiffness,
               (rng.normal(0, 0.4), rng.normal(0, 0.4), 1))
    m.lose(at_s, speed_m_s, lasts_s * 0.75)
    m.push(at_s, speed_m_s * (1 - first), tau_s / who.stiffness, (rng.normal(0, 0.35), rng.normal(0, 0.35), 1))
    m.push(at_s + rng.uniform(0.12, 0.3), rng.uniform(0.05, 0.35) * speed_m_s, 0.02, (0, 0, 1))     # head, arms, legs
    _aftermath(m, at_s)


def _fall_forward(m, at_s):
    rng = m.rng
    m.step(0, at_s - 0.7, pace=rng.uniform(0.85, 1.15))
    m.push(at_s - 0.75, rng.uniform(0.3, 0.9), 0.02, (-1, 0, 0.3))      # the foot that is caught
    _tumble(m, at_s, 1, rng.uniform(65, 100), rng.uniform(0.45, 0.75), rng.uniform(0.55, 0.85), rng.uniform(0.011, 0.024), 0.7)


def _fall_backward(m, at_s):
    rng = m.rng
    m.step(0, at_s - 0.6, pace=rng.uniform(0.85, 1.15))
    _tumble(m, at_s, 1, -rng.uniform(45, 95), rng.uniform(0.5, 0.8), rng.uniform(0.45, 0.75), rng.uniform(0.010, 0.022), 0.3)


def _fall_sideways(m, at_s):
    rng = m.rng
    if rng.random() < 0.6:
        m.step(0, at_s - 0.7)
    _tumble(m, at_s, 0, rng.choice([-1, 1]) * rng.uniform(65, 100), rng.uniform(0.45, 0.75), rng.uniform(0.5, 0.85),
            rng.uniform(0.011, 0.024), 0.3)


def _fall_from_chair(m, at_s):
    rng = m.rng
    m.angle_rad[:, 1] += np.radians(rng.uniform(-20, 5))
    m.shake(0, at_s - 1, rng.uniform(0, 0.05), 0.3, 2)
    axis = int(rng.integers(0, 2))
    _tumble(m, at_s, axis, rng.choice([-1, 1]) * rng.uniform(55, 95), rng.uniform(0.32, 0.5), rng.uniform(0.45, 0.8),
            rng.uniform(0.012, 0.024), 0.2)


def _faint(m, at_s):
    """The knees give way; the trunk sinks nearly upright, then topples."""
    rng, who = m.rng, m.who
    if rng.random() < 0.4:
        m.step(0, at_s - 1.5)
    axis = int(rng.integers(0, 2))
    m.turn(axis, at_s - 0.3, rng.uniform(0.5, 0.9), rng.choice([-1, 1]) * rng.uniform(55, 95))
    speed_m_s = rng.uniform(0.35, 0.6) * np.sqrt(2 * _GRAVITY_M_S2 * who.waist_m)
    m.drop(at_s, speed_m_s, rng.uniform(0.5, 1.0), rng.uniform(0.014, 0.028))
    m.drop(at_s + rng.uniform(0.35, 0.6), rng.uniform(0.3, 0.9), 0.25, rng.uniform(0.014, 0.03))
    _aftermath(m, at_s + 0.5, (0.65, 0.25, 0.1))


def _faint_along_wall(m, at_s):
    """The slow one: down along a wall, a soft end, then over to the side; some stay as they slid."""
    rng = m.rng
    slide_s = rng.uniform(0.9, 2.2)
    m.turn(1, at_s - slide_s, slide_s, -rng.uniform(5, 25))
    m.shake(at_s - slide_s, at_s, rng.uniform(0.03, 0.12), 2, 9)
    m.drop(at_s, rng.uniform(0.7, 1.5), slide_s * 0.7, rng.uniform(0.018, 0.04))
    if rng.random() < 0.75:
        over_s = at_s + rng.uniform(0.2, 0.8)
        m.turn(0, over_s, rng.uniform(0.5, 0.9), rng.choice([-1, 1]) * rng.uniform(45, 90))
        m.drop(over_s + 0.5, rng.uniform(0.3, 0.8), 0.35, rng.uniform(0.016, 0.035))
    else:
        m.turn(1, at_s, 0.5, -rng.uniform(15, 40))
    _aftermath(m, at_s + 1.2, (0.75, 0.2, 0.05))


def _fall_onto_bed(m, at_s):
    rng = m.rng
    m.step(0, at_s - 0.7)
    m.turn(int(rng.integers(0, 2)), at_s - 0.6, 0.8, rng.choice([-1, 1]) * rng.uniform(65, 95))
    m.drop(at_s, rng.uniform(0.9, 1.6), 0.6, rng.uniform(0.045, 0.075), ring=0.1)
    _aftermath(m, at_s)


def _fall_in_bag(m, at_s):
    """The person falls; the bag swings, slides off the shoulder, and lands as it likes."""
    rng = m.rng
    m.step(0, at_s - 0.6, size=0.7)
    m.wander(0, 25, 0.4, 1.0)
    m.wander(1, 25, 0.4, 1.0)
    speed_m_s = rng.uniform(0.6, 1.6)
    m.lose(at_s, speed_m_s, 0.4)
    m.push(at_s, speed_m_s, rng.uniform(0.03, 0.08), (rng.normal(0, 0.4), rng.normal(0, 0.4), 1), ring=0.1)
    m.turn(0, at_s - 0.3, 0.8, rng.normal(0, 35))
    m.worn[m.from_s(at_s + 0.3, m.duration_s)] = 0


_ACTIONS = {name: globals()[f"_{name}"] for name in KINDS + UNFAIR}


def make_event(kind: str, name: str, seed: int = 0, take: int = 0, gyro: bool = True, duration_s: float = EVENT_S) -> Recording:
    """One person does one thing, or falls once; what matters comes after about 3 s.

    Parameters
    ----------
    kind : str
        One of `KINDS` or `UNFAIR`.
    name : str
        ``"p01"``, ``"p02"``, ...: see `person`.
    seed, take : int, 0 or more
        The same arguments give the same samples, to the bit.
    gyro : bool
        Also the gyroscope: six channels, else three.
    duration_s : float
        How long the recording goes on, at least 6 s.

    Returns
    -------
    Recording
        int16 counts [n, 6] at 50 Hz; +-16 g, +-2000 dps. Its label is `kind`.

    Raises
    ------
    DataError
        Unknown kind or person.
    """
    if kind not in _ACTIONS:
        raise DataError(f"No kind of event {kind!r}: expected one of {', '.join(KINDS + UNFAIR)}.")
    who = person(name)
    rng = _rng(seed, (KINDS + UNFAIR).index(kind), int(name[1:]), take)
    if duration_s < 6:
        raise DataError(f"An event of {duration_s} s is too short: expected at least 6 s.")
    return _play(kind, who, rng, duration_s, rng.uniform(2.8, 3.1), gyro)


def _play(kind, who, rng, duration_s, at_s, gyro):
    motion = _Motion(rng, who, duration_s)
    for axis in (0, 1):
        motion.wander(axis, rng.uniform(0.5, 2.5), 0.05, 0.3)
    _ACTIONS[kind](motion, at_s)
    samples = motion.sense(gyro)
    count = samples.shape[1]
    return Recording(samples, RATE_HZ, CHANNELS[:count], UNITS[:count], SCALE[:count], label=kind, subject=who.name,
                     source="synthetic")


def make_dataset(seed: int = 0, people=PEOPLE, takes: int = 1, kinds=KINDS, gyro: bool = True) -> Dataset:
    """Everybody does everything `takes` times; with the defaults this is the shipped set.

    Examples
    --------
    >>> small = make_dataset(people=("p01",), kinds=("sit", "faint"))
    >>> len(small), small.classes
    (2, ('faint', 'sit'))
    """
    return Dataset([make_event(kind, name, seed, take, gyro)
                    for name in people for kind in kinds for take in range(takes)], tuple(sorted(kinds)))


# ---- whole days

@dataclass(frozen=True)
class Clip:
    """A stretch of a day in which something moves.

    Attributes
    ----------
    start_s : float
        When, in seconds after midnight.
    recording : Recording
        Three channels, acceleration only, int16 at +-16 g; its label says what it is.
    """

    start_s: float
    recording: Recording

    @property
    def label(self) -> str:
        return self.recording.label


def make_day(name: str, day: int = 0, seed: int = 0, falls=()) -> list[Clip]:
    """A person's day, without falls unless asked for: what a detector must stay silent about.

    Only the stretches in which something happens are simulated. In between the person sits, stands or sleeps, and no
    sample comes near the threshold that wakes the board: those hours cannot raise an alarm. How often what happens is
    assumed, by us; old people sit down hard more often, young ones run and jump.

    Parameters
    ----------
    name : str
        ``"p01"``, ``"p02"``, ...: see `person`.
    day, seed : int, 0 or more
        The same arguments give the same day.
    falls : sequence of str
        Kinds of `FALLS` that happen too, one in each share of the waking hours.

    Returns
    -------
    list of Clip
        In order of time, without overlap; a short event lasts 12 s.

    Examples
    --------
    >>> clips = make_day("p01", day=3)
    >>> 60 < len(clips) < 400, any(is_fall(clip.label) for clip in clips)
    (True, False)
    """
    who = person(name)
    rng = _rng(seed, 1000, int(name[1:]), day)
    young = float(np.clip((75 - who.age) / 40, 0, 1))
    counts = {
        "sit": rng.integers(18, 40), "bend": rng.integers(10, 30), "get_up": rng.integers(18, 40),
        "lie_down": rng.integers(1, 4), "stairs_up": rng.integers(1, 7), "stairs_down": rng.integers(1, 7),
        "sit_hard": rng.poisson(4.5 - 2.5 * who.vigour), "flop_on_bed": rng.poisson(0.25 + 0.35 * young),
        "jump": rng.poisson(2.5 * young), "stumble": rng.poisson(1.2 - 0.5 * who.vigour), "knock": rng.poisson(4),
        "drop_device": rng.poisson(0.3), "throw_device": rng.poisson(0.3),
    }
    plan = [(kind, CLIP_S) for kind, count in counts.items() for _ in range(int(count))]
    plan += [("walk", float(length_s)) for length_s in rng.uniform(15, 240, int(rng.integers(10, 26)))]
    if rng.random() < 0.4 * young:
        plan.append(("run", float(rng.uniform(600, 1500))))
    plan += [("ride", float(length_s)) for length_s in rng.uniform(240, 900, int(rng.choice([0, 0, 2])))]
    plan = [plan[i] for i in rng.permutation(len(plan))]
    for i, kind in enumerate(falls):
        plan.insert(int((i + rng.uniform(0.2, 0.8)) * len(plan) / len(falls)), (kind, CLIP_S))

    up_s, down_s = 3600 * rng.uniform(6, 8), 3600 * rng.uniform(21.5, 23)
    spare_s = down_s - up_s - sum(length_s for _, length_s in plan)
    pauses_s = rng.dirichlet(np.full(len(plan), 0.7)) * spare_s
    clips, now_s = [], up_s
    for (kind, length_s), pause_s in zip(plan, pauses_s, strict=True):
        now_s += pause_s
        length_s = round(length_s)
        clips.append(Clip(float(round(now_s)), _play(kind, who, rng, length_s, rng.uniform(2.8, 3.1), gyro=False)))
        now_s += length_s + 1
    return clips


# ---- what people recorded

SISFALL = "http://sistemic.udea.edu.co/en/research/projects/english-falls/"
"""Where the public data set SisFall is offered: 4510 files, 34 activities and falls by 38 people, an ADXL345 and more on
the belt at 200 Hz (Sucerquia, Lopez and Vargas-Bonilla, 2017, https://doi.org/10.3390/s17010198; the article is CC BY 4.0).
Its files name no licence of their own: cite the article, and ask the authors before you pass the data on. No checksum is
published, so nothing is downloaded for you."""

# Accelerometer 1, an ADXL345: 13 bits for +-16 g; gyroscope, an ITG3200: 16 bits for +-2000 dps.
_SISFALL_G = 32 / 2**13
_SISFALL_DPS = 4000 / 2**16
_SISFALL_RATE_HZ = 200.0


def load_sisfall(folder) -> Dataset:
    """Load SisFall, or any folder of that layout, as this module's data: 50 Hz, +-16 g, +-2000 dps.

    Parameters
    ----------
    folder : str or path
        The unpacked archive: files such as ``SA01/F05_SA01_R03.txt`` at any depth. ``F`` is a fall, ``D`` daily life;
        then person and trial. A line has nine whole numbers: an ADXL345, an ITG3200, an MMA8451Q, three axes each, and
        ends in a semicolon. The first six are taken.

    Returns
    -------
    Dataset
        Labels are the codes, ``"D01"`` to ``"F15"``; subjects the persons. Its people wear the sensor with the y axis
        along the body, so a model of this course's simulated people is not good for it without training anew.

    Raises
    ------
    DataError
        No such folder, none of these files in it, or a line that is another.
    """
    folder = Path(folder)
    files = sorted(file for file in folder.rglob("*.txt")
                   if len(parts := file.stem.split("_")) == 3 and parts[0][:1] in "DF" and parts[0][1:].isdecimal())
    if not files:
        raise DataError(f"The folder {folder.name}/ has not the layout of SisFall: expected files such as "
                        f"SA01/F05_SA01_R03.txt. Get the archive from {SISFALL} and unpack it there.")
    recordings = []
    for file in files:
        code, subject, _ = file.stem.split("_")
        rows = []
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if not line.strip():
                continue
            try:
                values = [int(value) for value in line.strip().rstrip(";").split(",")]
                if len(values) != 9:
                    raise ValueError
            except ValueError:
                raise DataError(f"{file.name}, line {number}: expected nine whole numbers with commas, found "
                                f"{line.strip()[:40]!r}. Unpack the archive again.") from None
            rows.append(values[:6])
        if not rows:
            raise DataError(f"{file.name} is empty. Unpack the archive again.")
        physical = np.array(rows, np.float32) * np.float32([_SISFALL_G] * 3 + [_SISFALL_DPS] * 3)
        raw = Recording(physical, _SISFALL_RATE_HZ, CHANNELS, UNITS, label=code, subject=subject, source="file")
        recordings.append(raw.resample(RATE_HZ).to_counts([1 / scale for scale in SCALE]))
    return Dataset(recordings)
