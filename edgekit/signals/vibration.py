"""A motor's vibration as an accelerometer on its housing sees it, simulated: healthy, or with one of seven faults.

The chain is the one of the real thing: an induction motor that slips under load turns a shaft; what is wrong with it
pushes at the housing, once a turn, at other orders, or in short knocks; the process (water, air, gears, a belt) and
the mains push too, and harder under load; the housing rings where it has its resonances; the sensor's low-pass filter,
clock, gain, noise and rounding to int16 come last. Everything is synthetic: good for learning the method, no proof that
a model works on a real motor.

>>> recording = make_recording("outer", "m33", load=0.6, severity=0.5)
>>> recording.samples.shape, str(recording.samples.dtype), recording.source
((2048, 1), 'int16', 'synthetic')
"""

import functools
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.dataset import Dataset
from edgekit.errors import DataError
from edgekit.recording import Recording

__all__ = ["BEARINGS", "FAULTS", "LABELS", "MACHINES", "PARTS", "TRAIN_LOADS", "UNSEEN_LOADS", "Bearing", "Machine", "Measurement",
           "fault_orders", "load_ims", "machine", "make_dataset", "make_recording", "plan", "table"]

RATE_HZ = 1667.0
SAMPLES = 2048
ACCEL_RANGE_G = 4
SCALE_G = 0.000122
"""g per count of an LSM6DSOX at +-4 g (its data sheet, table 2)."""

FAULTS = ("imbalance", "misalignment", "looseness", "outer", "inner", "ball", "cage")
"""The last four are faults of the bearing: outer race, inner race, rolling element, cage."""
LABELS = ("healthy", *FAULTS)
BEARING_FAULTS = FAULTS[3:]

MACHINES = tuple(f"m{number:02d}" for number in range(1, 39))
PARTS = {"train": MACHINES[:24], "validation": MACHINES[24:32], "test": MACHINES[32:]}
"""Which machines are in which part. Numbers from 41 on are further strangers."""
TRAIN_LOADS = (0.25, 0.5, 0.75)
UNSEEN_LOADS = (0.1, 0.6, 1.0)
"""Shares of the full load: the training has only the first three."""

MAINS_HZ = 50.0
_OVERSAMPLE = 4
_LEAD = 1024            # samples before the first: the housing already rings
_GRAVITY_M_S2 = 9.80665
_NOISE_G = 0.0020       # 70 ug/sqrt(Hz) over 833 Hz, the data sheet of the LSM6DSOX


@dataclass(frozen=True)
class Bearing:
    """A rolling bearing: number of rolling elements, and their diameter over the pitch diameter times cos(contact angle)."""

    name: str
    elements: int
    ratio: float


BEARINGS = {bearing.name: bearing for bearing in (
    Bearing("6203", 8, 0.2347), Bearing("6204", 8, 0.2370), Bearing("6205", 9, 0.2034), Bearing("6206", 9, 0.2065),
    Bearing("6208", 9, 0.2086))}


def fault_orders(bearing: Bearing) -> dict[str, float]:
    """How often a fault knocks in one turn of the shaft, if nothing slips.

    Randall and Antoni, Rolling element bearing diagnostics - a tutorial, Mechanical Systems and Signal Processing 25
    (2011) 485-520, equations 1 to 4. A fault of a rolling element meets both races: twice in one spin of it.

    Parameters
    ----------
    bearing : Bearing

    Returns
    -------
    dict of str to float
        Orders (times per turn) of ``outer`` (BPFO), ``inner`` (BPFI), ``ball`` (twice BSF) and ``cage`` (FTF).

    Examples
    --------
    The 6205 of the Case Western Reserve University test bench, which lists 3.585, 5.415, 4.714 and 0.398:

    >>> {name: round(order, 3) for name, order in fault_orders(BEARINGS["6205"]).items()}
    {'outer': 3.585, 'inner': 5.415, 'ball': 4.713, 'cage': 0.398}
    """
    n, r = bearing.elements, bearing.ratio
    return {"outer": n / 2 * (1 - r), "inner": n / 2 * (1 + r), "ball": (1 - r * r) / r, "cage": (1 - r) / 2}


@dataclass(frozen=True)
class Machine:
    """One virtual motor with what it drives. ``poles``, ``bearing`` and ``kind`` are on its plate; the rest nobody knows.

    Attributes
    ----------
    name : str
    kind : str
        ``"pump"``, ``"fan"`` with a belt, or ``"gear"``.
    poles : int
        2, 4 or 6: with 50 Hz mains it turns a little slower than 50, 25 or 16.7 times a second.
    bearing : Bearing
    """

    name: str
    kind: str
    poles: int
    bearing: Bearing
    slip: float             # at full load
    residual_mm_s: np.ndarray   # [4] velocity (rms) of orders 1 to 4 when healthy
    hum_mm_s: float         # of twice the mains
    process_order: float    # blades, teeth, or the belt
    process_mm_s: float     # at full load
    flow_mm_s: float        # slow noise of the process at full load
    hiss_g: float           # fast noise of the process at full load, through the resonances
    idle_share: float       # of the noise that is there without load
    knocks_per_s: float     # of something nearby, at no steady time
    modes_hz: np.ndarray    # [2] resonances of the housing and the mount
    damping: np.ndarray     # [2]
    gains: np.ndarray       # [2]
    strength: float         # of a fault on this machine
    clock: float            # the sensor's rate over the nominal one
    gain: float
    bias_g: float

    @property
    def synchronous_hz(self) -> float:
        """Turns per second without any slip."""
        return 2 * MAINS_HZ / self.poles

    def shaft_hz(self, load: float) -> float:
        """Turns per second at a share of the full load, 0 to 1.2."""
        return self.synchronous_hz * (1 - self.slip * (0.08 + 0.92 * load))


@functools.lru_cache(maxsize=256)
def machine(name: str) -> Machine:
    """The machine of that name; the number decides everything about it.

    Examples
    --------
    >>> one = machine("m33")
    >>> one.kind, one.poles, one.bearing.name, round(one.shaft_hz(1.0), 2)
    ('pump', 2, '6206', 48.07)

    Raises
    ------
    DataError
        The name is not "m" and a number.
    """
    if not (name[:1] == "m" and name[1:].isdecimal()):
        raise DataError(f"No virtual machine {name!r}: expected 'm' and a number, for example 'm01' "
                        f"(m01 to m{len(MACHINES)} have parts of the course, see PARTS).")
    number = int(name[1:])
    rng = np.random.default_rng(np.random.SeedSequence([1667, number]))
    kind = ("pump", "fan", "gear")[number % 3]
    poles = (4, 2, 4, 6, 4, 2, 4, 4)[number % 8]
    synchronous_hz = 2 * MAINS_HZ / poles
    order = {"pump": rng.integers(5, 9), "fan": rng.uniform(0.35, 0.62), "gear": rng.integers(11, 24)}[kind]
    if kind == "gear":
        order = min(order, int(600 / synchronous_hz))
    low_hz = rng.uniform(330, 480)
    return Machine(
        name=name, kind=kind, poles=poles, bearing=list(BEARINGS.values())[rng.integers(len(BEARINGS))],
        slip=rng.uniform(0.018, 0.055),
        residual_mm_s=np.exp(rng.normal(0, 0.4, 4)) * np.array([0.7, 0.22, 0.10, 0.06]),
        hum_mm_s=np.exp(rng.normal(0, 0.5)) * 0.25,
        process_order=float(order), process_mm_s=np.exp(rng.normal(0, 0.5)) * 0.8,
        flow_mm_s=np.exp(rng.normal(0, 0.45)) * 1.8, hiss_g=np.exp(rng.normal(0, 0.4)) * 0.055,
        idle_share=rng.uniform(0.12, 0.3), knocks_per_s=rng.choice([0.0, 0.5, 3.0]),
        modes_hz=np.array([low_hz, low_hz * rng.uniform(1.35, 1.65)]), damping=rng.uniform(0.03, 0.07, 2),
        gains=np.array([1.0, rng.uniform(0.5, 1.2)]),
        strength=np.exp(rng.normal(0, 0.25)), clock=1 + rng.normal(0, 0.006), gain=1 + rng.normal(0, 0.01),
        bias_g=rng.normal(0, 0.02))


def _wander(rng, time_s, low_hz, high_hz):
    """Smooth random wandering around 0, rms about 1: [n]."""
    total = np.zeros(len(time_s))
    for frequency_hz, phase in zip(rng.uniform(low_hz, high_hz, 5), rng.uniform(0, 2 * np.pi, 5), strict=True):
        total += np.sin(2 * np.pi * frequency_hz * time_s + phase)
    return total * 0.63


def _at(moments_s, sizes, step_s, n):
    """Knocks at moments between samples: each is shared by the two samples around it. [n]"""
    force = np.zeros(n)
    place = moments_s / step_s
    first = np.floor(place).astype(int)
    inside = (first >= 0) & (first < n - 1)
    first, part, sizes = first[inside], (place - np.floor(place))[inside], sizes[inside]
    np.add.at(force, first, sizes * (1 - part))
    np.add.at(force, first + 1, sizes * part)
    return force


def _train(rng, turns, order, slip, step_s):
    """Moments (s) and the shaft's angle (turns) of knocks that come ``order`` times a turn, never quite evenly."""
    end = turns[-1]
    gaps = (1 + slip * rng.standard_normal(int(end * order) + 8)) / order
    angles = rng.uniform(0, 1 / order) + np.cumsum(gaps)
    angles = angles[angles < end]
    return np.interp(angles, turns, np.arange(len(turns)) * step_s), angles


def _bearing_knocks(rng, one, fault, turns, load, step_s):
    """Knocks of a bearing's fault: moments (s) and sizes, 1 on average where the load is.

    The load zone is below: an outer race that is hurt there feels it always; a fault that turns with the shaft or with
    the cage comes and goes (Randall and Antoni, 2011, figure 3).
    """
    orders = fault_orders(one.bearing)
    if fault == "cage":
        # A hurt cage pushes the rolling elements about: bursts of knocks, once a turn of the cage.
        moments_s, angles = _train(rng, turns, orders["outer"], 0.06, step_s)
        zone = 0.5 + 0.5 * np.cos(2 * np.pi * (angles * orders["cage"] + rng.random()))
        sizes = 2.2 * zone ** 4
    else:
        moments_s, angles = _train(rng, turns, orders[fault], 0.012, step_s)
        turning = {"outer": 0.0, "inner": 1.0, "ball": orders["cage"]}[fault]
        depth = {"outer": 0.0, "inner": 0.85, "ball": 0.75}[fault]
        zone = 1 - depth + depth * (0.5 + 0.5 * np.cos(2 * np.pi * (angles * turning + rng.random()))) ** 2 * 1.6
        sizes = zone
    return moments_s, sizes * np.exp(0.25 * rng.standard_normal(len(sizes)))


@dataclass(frozen=True)
class Measurement:
    """One line of a plan: what is measured.

    Attributes
    ----------
    machine, fault : str
    load : float
        Share of the full load, 0 to 1.2.
    severity : float
        0 to 1; 0 if healthy. 0.3 is early, 1 is late.
    take : int
    """

    machine: str
    fault: str
    load: float
    severity: float = 0.0
    take: int = 0


def make_recording(fault: str, machine_name: str, load: float = 0.5, severity: float = 0.5, seed: int = 0, take: int = 0,
                   samples: int = SAMPLES, rate_hz: float = RATE_HZ) -> Recording:
    """One measurement of one machine, across the shaft, at the bearing.

    Parameters
    ----------
    fault : str
        One of `LABELS`.
    machine_name : str
        ``"m01"``, ``"m02"``, ... See `PARTS`.
    load : float
        Share of the full load, 0 to 1.2: more slip, more of the process' noise, more of most faults.
    severity : float
        How far the fault has grown, 0 to 1; "healthy" ignores it.
    seed, take : int, 0 or more
        The same arguments give the same samples, to the bit.
    samples : int
        At least 64.
    rate_hz : float
        Of the sensor: what is above half of it, its filter takes away. Only to show what another sensor would see.

    Returns
    -------
    Recording
        int16 counts [samples, 1], channel ``az`` in g, +-4 g. ``label`` is the fault, ``subject`` the machine.

    Raises
    ------
    DataError
        Unknown fault or machine, or a value out of range.
    """
    if fault not in LABELS:
        raise DataError(f"No fault {fault!r}: expected one of {', '.join(LABELS)}.")
    if not 0 <= load <= 1.2 or not 0 <= severity <= 1 or samples < 64:
        raise DataError(f"load {load}, severity {severity}, samples {samples}: expected a load of 0 to 1.2, a severity of 0 to 1, and "
                        "at least 64 samples.")
    one = machine(machine_name)
    rng = np.random.default_rng(np.random.SeedSequence(
        [seed, LABELS.index(fault), int(machine_name[1:]), round(1000 * load), round(1000 * severity), take]))
    counts = _sense(rng, one, *_pushes(rng, one, fault, load, severity if fault != "healthy" else 0.0, samples, rate_hz),
                    samples, rate_hz)
    return Recording(counts[:, None], rate_hz, ("az",), ("g",), (SCALE_G,), label=fault, subject=machine_name, source="synthetic")


def _pushes(rng, one, fault, load, severity, samples, rate_hz):
    """What moves the housing as a whole (g) and what makes it ring (g), each [n] at four times the rate."""
    n = samples * _OVERSAMPLE + _LEAD
    step_s = 1 / (rate_hz * one.clock * _OVERSAMPLE)
    time_s = np.arange(n) * step_s
    shaft_hz = one.shaft_hz(load)
    # The load is never steady, so neither is the speed. On a grid the sum is exact, as in the gestures.
    speed_hz = np.rint(shaft_hz * (1 + 0.0012 * _wander(rng, time_s, 0.2, 2.5)) * 2**24) / 2**24
    turns = rng.random() + np.cumsum(speed_hz) * step_s
    day = np.exp(rng.normal(0, 0.08, 8))        # no two days are alike

    def tone(order, mm_s, phase=None):
        """A sine of so many millimetres per second (rms), as acceleration in g."""
        phase = rng.random() if phase is None else phase
        peak_g = mm_s * 1e-3 * np.sqrt(2) * 2 * np.pi * order * shaft_hz / _GRAVITY_M_S2
        return peak_g * np.sin(2 * np.pi * (order * turns + phase))

    rigid = np.zeros(n)
    ring = np.zeros(n)
    # A push that grows with the square of the speed; the plates say the velocities of a machine with 4 poles.
    fast = (shaft_hz / 25) ** 1.0
    for order in range(1, 5):
        grow = 1 + 0.25 * load if order > 1 else 1
        rigid += tone(order, one.residual_mm_s[order - 1] * fast * grow * day[0])
    hum_g = one.hum_mm_s * day[1] * (0.6 + 0.6 * load) * 1e-3 * np.sqrt(2) * 4 * np.pi * MAINS_HZ / _GRAVITY_M_S2
    rigid += hum_g * np.sin(2 * np.pi * (2 * MAINS_HZ * time_s + rng.random()))

    # The process.
    share = one.idle_share + (1 - one.idle_share) * load ** 1.3
    if one.kind == "fan":
        for k in range(1, 5):
            rigid += tone(one.process_order * k, one.process_mm_s * share * day[2] / k)
    elif one.kind == "pump":
        rigid += tone(one.process_order, one.process_mm_s * share * day[2])
        rigid += tone(2 * one.process_order, 0.1 * one.process_mm_s * share * day[2])
    else:
        # Teeth: a high order, stronger and weaker once a turn.
        swing = 1 + 0.35 * np.sin(2 * np.pi * turns)
        rigid += tone(one.process_order, 0.12 * one.process_mm_s * share * day[2]) * swing
    rigid += _flow(rng, n, step_s) * one.flow_mm_s * share * day[3]
    ring += rng.standard_normal(n) * one.hiss_g * share * day[4]
    if one.kind == "gear":
        ring *= 1 + 0.15 * np.sin(2 * np.pi * (turns + rng.random()))
    knocks = rng.poisson(one.knocks_per_s * n * step_s)
    if knocks:
        ring += _at(rng.uniform(0, n * step_s, knocks), rng.normal(0, 3.5, knocks) * one.hiss_g * 12, step_s, n)

    size = severity * one.strength
    if fault == "imbalance":
        rigid += tone(1, 5.5 * size * fast ** 2)
    elif fault == "misalignment":
        rigid += tone(2, 3.2 * size * (0.5 + 0.5 * load)) + tone(1, 0.9 * size) + tone(3, 1.2 * size * (0.5 + 0.5 * load))
    elif fault == "looseness":
        # It lifts and falls back: many orders, and the halves between them, none of them steady.
        swing = 1 + 0.3 * _wander(rng, time_s, 1, 5)
        for k in range(1, 17):
            rigid += tone(k / 2, 1.3 * size / (k / 2) ** 0.8 * (1.0 if k % 2 == 0 else 0.45) * rng.uniform(0.6, 1.4)) * swing
    elif fault != "healthy":
        moments_s, sizes = _bearing_knocks(rng, one, fault, turns - turns[0], load, step_s)
        ring += _at(moments_s, sizes, step_s, n) * size * (0.5 + 0.5 * load) * 5.0
    return rigid, ring


def _flow(rng, n, step_s):
    """Slow noise of flow as acceleration in g that is 1 mm/s rms in velocity: most of it between 10 and 120 Hz. [n]"""
    frequency_hz = np.fft.rfftfreq(n, step_s)
    shape = frequency_hz / (1 + (frequency_hz / 35) ** 2) ** 1.25
    shape[frequency_hz < 8] = 0
    spectrum = shape * (rng.standard_normal(len(shape)) + 1j * rng.standard_normal(len(shape)))
    velocity = np.zeros_like(spectrum)
    velocity[1:] = spectrum[1:] / (2 * np.pi * frequency_hz[1:])
    rms = np.sqrt(np.mean(np.fft.irfft(velocity, n) ** 2))
    return np.fft.irfft(spectrum, n) / rms * 1e-3 / _GRAVITY_M_S2


def _sense(rng, one, rigid, ring, samples, rate_hz):
    """What the sensor's registers hold: int16 [samples]."""
    n = len(rigid)
    frequency_hz = np.fft.rfftfreq(n, 1 / (rate_hz * one.clock * _OVERSAMPLE))
    # Each resonance is a mass on a spring: the sum is how hard the housing answers to a push.
    answer = np.zeros(len(frequency_hz), complex)
    for mode_hz, damping, gain in zip(one.modes_hz, one.damping, one.gains, strict=True):
        ratio = frequency_hz / mode_hz
        answer += gain * -ratio ** 2 / (1 - ratio ** 2 + 2j * damping * ratio)
    answer *= 1 / (1 + (frequency_hz / (1.6 * one.modes_hz[1])) ** 4)       # above its modes the housing is soft
    total = np.fft.rfft(rigid) + 0.25 * answer * np.fft.rfft(ring)
    total *= 1 / np.sqrt(1 + (frequency_hz / (0.46 * rate_hz)) ** 12)       # the sensor's low-pass filter
    accel_g = np.fft.irfft(total, n)[_LEAD::_OVERSAMPLE][:samples]
    accel_g = 1.0 + one.bias_g + one.gain * accel_g + _NOISE_G * rng.standard_normal(samples)
    return np.clip(np.rint(accel_g / SCALE_G), -32768, 32767).astype(np.int16)


# ---- what is measured: the plans

def plan(part: str = "test", takes: int = 2) -> list[Measurement]:
    """What is measured for one part of the data.

    Parameters
    ----------
    part : {"train", "validation", "test", "further", "fresh"}
        "train": healthy only, loads of `TRAIN_LOADS`. "validation": the same on other machines. "test": `UNSEEN_LOADS` on
        machines never seen, healthy and with every fault: the shipped set. "further": thirty more machines, for figures. "fresh": thirty with which nothing was chosen.
    takes : int
        Healthy measurements of each machine and load.

    Returns
    -------
    list of Measurement

    Examples
    --------
    >>> rows = plan("test")
    >>> len(rows), sum(row.fault == "healthy" for row in rows), rows[0]
    (92, 36, Measurement(machine='m33', fault='healthy', load=0.1, severity=0.0, take=0))
    """
    more = {"further": range(41, 71), "fresh": range(71, 101)}
    if part not in PARTS and part not in more:
        raise DataError(f"No part {part!r}: expected {', '.join((*PARTS, *more))}.")
    names = PARTS[part] if part in PARTS else tuple(f"m{number}" for number in more[part])
    loads = TRAIN_LOADS if part in ("train", "validation") else UNSEEN_LOADS
    rows = [Measurement(name, "healthy", load, 0.0, take) for name in names for load in loads for take in range(takes)]
    if part in ("test", *more):
        # Each fault meets each load and each severity on some machine.
        for i, name in enumerate(names):
            for j, fault in enumerate(FAULTS):
                rows += [Measurement(name, fault, loads[(i + j + k) % 3], severity, k)
                         for k, severity in enumerate(_SEVERITIES[part](i + j))]
    return rows


_SEVERITIES = {"test": lambda i: ((0.3,), (0.6,), (1.0,))[i % 3] + ((0.45,) if i % 3 == 0 else ()),
               "further": lambda i: (0.3, 0.6, 1.0),
               "fresh": lambda i: (0.3, 0.6, 1.0)}


def record(rows, seed: int = 0) -> Dataset:
    """A recording for each line of a plan, in its order."""
    return Dataset([make_recording(row.fault, row.machine, row.load, row.severity, seed, row.take) for row in rows], LABELS)


def make_dataset(seed: int = 0) -> Dataset:
    """The shipped set: the plan "test"; :func:`plan` says which load and severity each recording has."""
    return record(plan("test"), seed)


def table(rows) -> str:
    """A plan as text (csv): what ``datasets/vibration/measurements.csv`` holds."""
    out = io.StringIO()
    out.write("number,machine,kind,poles,bearing,fault,severity,load\n")
    for i, row in enumerate(rows):
        one = machine(row.machine)
        out.write(f"{i},{row.machine},{one.kind},{one.poles},{one.bearing.name},{row.fault},{row.severity:g},{row.load:g}\n")
    return out.getvalue()


# ---- a public data set of the same kind

IMS_RATE_HZ = 20_000.0
_IMS_COLUMNS = (4, 8)


def load_ims(path, column: int = 0, rate_hz: float = IMS_RATE_HZ) -> Recording:
    """One file of the bearing data set of the IMS center (University of Cincinnati), as NASA publishes it.

    Three tests in which four bearings (Rexnord ZA-2115) on one shaft at 2000 turns a minute ran until one failed. A file is
    one second: plain text without an ending, named by its time (``2004.02.12.10.32.39``), 20,480 lines of 4 or 8 columns
    that tabs separate. Get it from NASA's Prognostics Center of Excellence data set repository, "4. Bearings" (J. Lee,
    H. Qiu, G. Yu, J. Lin and Rexnord Technical Services, 2007); NASA names no licence and asks to be cited. We know no
    checksum of the archive, so nothing is downloaded here: unpack it yourself.

    Parameters
    ----------
    path : str or path
        One file.
    column : int
        Which accelerometer, from 0.
    rate_hz : float
        As its Readme says.

    Returns
    -------
    Recording
        float32 [n, 1], channel ``az`` in g. For this module's features: ``.resample(1667)``, which leaves what a slower
        sensor would have seen, and their resonances are mostly above that.

    Raises
    ------
    DataError
        The file is missing, or no table of 4 or 8 columns of numbers, or lacks that column.
    """
    path = Path(path)
    try:
        with open(path, encoding="ascii") as file:
            values = np.loadtxt(file, dtype=np.float32, delimiter="\t", ndmin=2)
    except OSError as error:
        raise DataError(f"Cannot read {path.name}: {error.strerror}. Unpack NASA's archive first; each test is a folder.") from None
    except ValueError as error:
        raise DataError(f"{path.name} is no file of the IMS bearing data: expected lines of 4 or 8 numbers between tabs ({error}).") from None
    if values.shape[1] not in _IMS_COLUMNS or not len(values):
        raise DataError(f"{path.name} has {values.shape[1]} columns: expected 4 or 8, numbers between tabs.")
    if not 0 <= column < values.shape[1]:
        raise DataError(f"{path.name} has {values.shape[1]} columns, so column is 0 to {values.shape[1] - 1}; found {column}.")
    return Recording(values[:, column], rate_hz, ("az",), ("g",), label="", subject=f"ims{column}", source="file")
