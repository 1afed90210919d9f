"""A field with a buried soil probe, simulated: moisture, soil and air temperature, and the valve that waters it.

Weather (rain, clouds, warm and cold spells, seasons) drives the water balance of three layers of soil and the heat that
is conducted into it. A controller waters by schedule. Then things go wrong, each labelled: spikes, a reading that
stands still, a probe that drifts, a dripper that is blocked. Everything is synthetic.

The equations and where they are from:

- Evapotranspiration of a reference crop: Hargreaves and Samani, FAO Irrigation and Drainage Paper 56 (1998), eq. 52;
  the sun above the atmosphere eq. 21 to 25; water stress eq. 84.
- Layers of soil as buckets: what is above field capacity drains into the layer below, a linear reservoir.
- Heat: ``dT/dt = D d2T/dz2`` (Carslaw and Jaeger, Conduction of Heat in Solids, 1959, section 2.6). A wave of period
  P is damped by ``exp(-z / d)`` and delayed by ``z / d / (2 pi) * P`` with ``d = sqrt(D P / pi)``.

>>> site = make_site("f01", days=20)
>>> site.recording.channels, site.recording.samples.shape
(('moisture', 'soil_temperature', 'air_temperature', 'valve'), (2880, 4))
>>> site.soil, site.climate
('loam', 'temperate')
"""

import csv
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edgekit.dataset import Dataset, load_dataset
from edgekit.errors import DataError
from edgekit.paths import DATASETS, atomic_write
from edgekit.recording import Recording

__all__ = ["SITES", "TRAIN_SITES", "VALIDATION_SITES", "TEST_SITES", "KINDS", "Label", "Site", "make_site", "save_sites", "load_sites",
           "load_uscrn", "SAMPLES_PER_DAY"]

SAMPLES_PER_DAY = 144
CHANNELS = ("moisture", "soil_temperature", "air_temperature", "valve")
UNITS = ("percent", "degC", "degC", "min")
SCALE = (0.01, 0.0625, 0.0625, 1.0)
"""Moisture in hundredths of a percent by volume, temperatures as a DS18B20 has them (1/16 of a degree), the valve in
minutes that it was open during the ten minutes before the sample."""
KINDS = ("spike", "flat", "drift", "blocked")
TRAIN_SITES = ("f01", "f02", "f03")
VALIDATION_SITES = ("f04", "f05", "f06")
SITES = TRAIN_SITES + VALIDATION_SITES
"""The sites of the shipped set."""
TEST_SITES = tuple(f"f{number}" for number in range(31, 41))
"""Sites that are in no file and that nothing was chosen with: for the last look."""
LEARNING_DAYS = 14
"""Nothing goes wrong so long: somebody has just installed it and looks after it."""

_STEP_S = 600
_STEPS = SAMPLES_PER_DAY
_LAYERS_M = (0.08, 0.12, 0.20)


class Label(NamedTuple):
    """What went wrong: samples from ``start`` to before ``stop``, the kind, and the channel where it shows."""

    start: int
    stop: int
    kind: str
    channel: str


@dataclass(frozen=True)
class _Soil:
    """Water by volume, 0 to 1: wilting point, field capacity, saturation (typical values, FAO-56 table 19)."""

    wilting: float
    capacity: float
    saturation: float
    drain_h: float           # time constant of drainage above field capacity
    diffusivity_m2_s: float  # of heat


_SOILS = {
    "sand": _Soil(0.05, 0.13, 0.40, 1.5, 7e-7),
    "sandy_loam": _Soil(0.09, 0.21, 0.43, 3.0, 6.5e-7),
    "loam": _Soil(0.12, 0.28, 0.46, 7.0, 5.5e-7),
    "clay_loam": _Soil(0.17, 0.33, 0.48, 12.0, 5e-7),
    "clay": _Soil(0.22, 0.38, 0.50, 20.0, 4.5e-7),
}


@dataclass(frozen=True)
class _Climate:
    latitude_deg: float
    mean_c: float
    year_c: float            # amplitude of the year
    day_c: float             # amplitude of a clear day
    rain_per_day: float      # chance of a rainy day, mean of the year
    rain_season: float       # -1: all rain in winter, 1: all in summer
    rain_mm: float           # mean of a rainy day


_CLIMATES = {
    "temperate": _Climate(50, 10, 9, 5, 0.30, 0.1, 5),
    "mediterranean": _Climate(38, 17, 8, 6, 0.16, -0.7, 9),
    "semi_arid": _Climate(33, 20, 9, 8, 0.07, 0.2, 8),
    "monsoon": _Climate(20, 26, 5, 5, 0.33, 0.9, 14),
    "highland": _Climate(10, 16, 2, 7, 0.28, 0.4, 6),
}


@dataclass(frozen=True)
class Site:
    """A season at one site.

    Attributes
    ----------
    recording : edgekit.recording.Recording
        int16 [n, 4] every ten minutes; ``subject`` is the site's name. Sample 0 is at midnight.
    labels : tuple of Label
        What went wrong, in order of time.
    soil, climate : str
    depth_m : float
        Of the probe.
    first_day : int
        Day of the year of sample 0, 0 to 364.
    truth : numpy.ndarray of float64, shape [n, 3], or None
        What a perfect sensor would have said: percent, degC, degC. None for a site that was loaded.
    rain_mm : numpy.ndarray of float64, shape [n], or None
        Rain in each ten minutes.
    """

    recording: Recording
    labels: tuple[Label, ...]
    soil: str = ""
    climate: str = ""
    depth_m: float = float("nan")
    first_day: int = 0
    truth: np.ndarray | None = None
    rain_mm: np.ndarray | None = None

    @property
    def name(self) -> str:
        return self.recording.subject

    @property
    def days(self) -> float:
        return len(self.recording) / SAMPLES_PER_DAY

    def wrong(self) -> np.ndarray:
        """For each sample, whether it lies in an event: bool [n].

        Examples
        --------
        >>> int(make_site("f01", days=20, faults=False).wrong().sum())
        0
        """
        flags = np.zeros(len(self.recording), bool)
        for label in self.labels:
            flags[label.start:label.stop] = True
        return flags


def _rng(*key):
    return np.random.default_rng(np.random.SeedSequence([1972, *key]))


def _number(name):
    if not (name[:1] == "f" and name[1:].isdecimal()):
        raise DataError(f"No site {name!r}: expected 'f' and a number, for example 'f01' (f01 to f06 are in the shipped "
                        "set).")
    return int(name[1:])


def make_site(name: str, days: int = 56, seed: int = 0, faults: bool = True) -> Site:
    """A season at one site, with what goes wrong there.

    Parameters
    ----------
    name : str
        ``"f01"``, ``"f02"``, ... Each number is a place with its own soil, depth, climate, probe and schedule. `SITES`
        are in the shipped set; all others are strangers to it.
    days : int
        At least 1. The first `LEARNING_DAYS` are without faults.
    seed : int, 0 or more
        The same arguments give the same samples. Another seed is another year at the same place.
    faults : bool
        False: nothing goes wrong, and nothing is labelled.

    Returns
    -------
    Site

    Raises
    ------
    DataError
        No such name, or no day.
    """
    number = _number(name)
    if days < 1:
        raise DataError(f"A season has at least 1 day; found {days!r}.")
    place = _rng(number)
    soil_name = ("loam", "sand", "clay", "sandy_loam", "clay_loam")[(number - 1) % 5]
    climate_name = ("temperate", "semi_arid", "monsoon", "mediterranean", "highland")[(number - 1 + (number - 1) // 5) % 5]
    soil, climate = _SOILS[soil_name], _CLIMATES[climate_name]
    depth_m = place.choice([0.08, 0.10, 0.12, 0.15])
    first_day = int(place.integers(70, 200))  # a growing season of the north
    hour = int(place.choice([5, 6, 7, 19, 20, 21]))
    every = int(place.choice([1, 1, 2]))
    offset, gain = place.normal(0, 1.0), place.normal(1, 0.06)
    noise_percent = place.uniform(0.04, 0.10)
    warmth = place.normal(0.06, 0.02)  # percent of moisture that the probe reads more for each degree

    rng = _rng(number, seed, 1)
    n = days * _STEPS
    air_c, rain_mm, cloud = _weather(rng, climate, first_day, days)
    soil_c = _heat(air_c, soil.diffusivity_m2_s, depth_m)
    need_mm = _evapotranspiration(air_c, climate, first_day, days)
    labels = _plan(_rng(number, seed, 2), n) if faults else []
    wet, valve, labels = _water(soil, depth_m, rain_mm, need_mm, hour, every, labels, place.uniform(1.05, 1.3))

    truth = np.stack([100 * wet, soil_c, air_c], axis=1)
    read = truth.copy()
    read[:, 0] = offset + gain * read[:, 0] + warmth * (soil_c - 20)
    noise = _rng(number, seed, 3)
    read[:, 0] += noise.normal(0, noise_percent, n)
    read[:, 1] += noise.normal(0, 0.02, n)
    read[:, 2] += noise.normal(0, 0.08, n)
    counts = np.rint(np.concatenate([read, valve[:, None]], axis=1) / SCALE)
    counts[:, 0] = np.clip(counts[:, 0], 0, 10000)
    for event in labels:
        _spoil(_rng(number, seed, 4, event.start), counts, event)
    recording = Recording(np.clip(counts, -32768, 32767).astype(np.int16), 1 / _STEP_S, CHANNELS, UNITS, SCALE,
                          label="soil", subject=name, source="synthetic")
    return Site(recording, tuple(labels), soil_name, climate_name, float(depth_m), first_day, truth, rain_mm)


def _weather(rng, climate, first_day, days):
    """Air temperature [n] in degC, rain [n] in mm for each step, cloud of each day [days], 0 to 1."""
    day = first_day + np.arange(days)
    season = -np.cos(2 * np.pi * (day - 15) / 365)  # 1 in July
    chance = np.clip(climate.rain_per_day * (1 + climate.rain_season * season), 0.01, 0.85)
    rainy = np.zeros(days, bool)
    for i in range(days):  # rain comes in spells
        rainy[i] = rng.random() < np.clip(chance[i] * (1.9 if i and rainy[i - 1] else 0.75), 0, 0.9)
    cloud = np.where(rainy, rng.uniform(0.6, 1, days), rng.beta(1.2, 2.5, days))
    spell, drift_c = 0.0, np.zeros(days)
    for i in range(days):
        spell = 0.75 * spell + rng.normal(0, 1.7)
        drift_c[i] = spell
    mean_c = climate.mean_c + climate.year_c * -np.cos(2 * np.pi * (day - 25) / 365) + drift_c - 2.0 * rainy
    size_c = climate.day_c * (1 - 0.65 * cloud) * rng.uniform(0.85, 1.15, days)

    hours = np.arange(days * _STEPS) / 6
    middle = (np.arange(days) + 0.5) * 24
    smooth = np.interp(hours, middle, mean_c)
    size = np.interp(hours, middle, size_c)
    # Warmest at three in the afternoon, coldest before sunrise: a second harmonic makes the morning steep.
    turn = 2 * np.pi * (hours - 15) / 24
    air_c = smooth + size * (np.cos(turn) + 0.22 * np.cos(2 * turn))

    rain_mm = np.zeros(days * _STEPS)
    for i in np.flatnonzero(rainy):
        amount = rng.gamma(0.9, climate.rain_mm / 0.9) + 0.3
        for _ in range(rng.integers(1, 4)):  # showers
            length = int(rng.integers(2, 25))
            start = i * _STEPS + int(rng.integers(0, _STEPS - length))
            shape = rng.gamma(1.0, 1.0, length)
            part = amount * rng.uniform(0.3, 1.0) / 2
            rain_mm[start:start + length] += part * shape / shape.sum()
            air_c[start:start + 2 * length] -= min(3.0, 0.25 * part)
    return air_c, rain_mm, cloud


def _heat(air_c, diffusivity_m2_s, depth_m):
    """Temperature at a depth, [n] in degC: each wave of the air, damped and delayed. Before the first day: its mirror."""
    before = min(len(air_c) - 1, 30 * _STEPS)
    waves = np.fft.rfft(np.concatenate([air_c[before:0:-1], air_c]))
    per_second = np.fft.rfftfreq(before + len(air_c), _STEP_S)
    inverse_m = np.sqrt(np.pi * per_second / diffusivity_m2_s)  # 1 / damping depth
    waves *= np.exp(-(1 + 1j) * depth_m * inverse_m)
    return np.fft.irfft(waves, before + len(air_c))[before:]


def _evapotranspiration(air_c, climate, first_day, days):
    """What a crop would evaporate if it had water, mm in each step [n]."""
    latitude = math.radians(climate.latitude_deg)
    by_day = air_c.reshape(days, _STEPS)
    result = np.zeros((days, _STEPS))
    hours = (np.arange(_STEPS) + 0.5) / 6
    for i in range(days):
        angle = 2 * math.pi * (first_day + i) / 365
        near = 1 + 0.033 * math.cos(angle)
        declination = 0.409 * math.sin(angle - 1.39)
        sunset = math.acos(max(-1, min(1, -math.tan(latitude) * math.tan(declination))))
        sun_mj = 24 * 60 / math.pi * 0.0820 * near * (sunset * math.sin(latitude) * math.sin(declination)
                                                      + math.cos(latitude) * math.cos(declination) * math.sin(sunset))
        warmest, coldest = by_day[i].max(), by_day[i].min()
        daily_mm = max(0, 0.0023 * 0.408 * sun_mj * (by_day[i].mean() + 17.8) * math.sqrt(warmest - coldest))
        half_day = sunset * 12 / math.pi
        light = np.cos(np.clip((hours - 12.5) / half_day, -1, 1) * np.pi / 2)
        result[i] = daily_mm * light / light.sum()
    return result.reshape(-1)


def _water(soil, depth_m, rain_mm, need_mm, hour, every, labels, generous):
    """Water at the probe [n], 0 to 1; minutes of the valve [n]; the labels, moved to when the valve opens."""
    n = len(rain_mm)
    wet = [soil.capacity * 0.97] * 3
    drain = 1 - math.exp(-1 / 6 / soil.drain_h)
    roots = (0.45, 0.35, 0.20)
    # The probe feels a few centimetres around it.
    edges = np.cumsum((0,) + _LAYERS_M)
    feel = [max(0.0, min(edges[k + 1], depth_m + 0.04) - max(edges[k], depth_m - 0.04)) / 0.08 for k in range(3)]
    rate_mm_min = 0.16
    valve, seen = np.zeros(n), np.zeros(n)
    open_min = used_mm = fell_mm = 0.0
    days_since = 0
    blocked = [label for label in labels if label.kind == "blocked"]
    others = [label for label in labels if label.kind != "blocked"]
    moved, current = [], None
    rain_mm, need_mm = rain_mm.tolist(), need_mm.tolist()
    threshold = soil.wilting + 0.5 * (soil.capacity - soil.wilting)
    lag = [wet[0], wet[1], wet[2]]
    for i in range(n):
        used_mm += need_mm[i]
        fell_mm += rain_mm[i]
        if i % _STEPS == hour * 6:
            days_since += 1
            # The controller gives back what the plants took, less what fell; it knows the rain of the region.
            missing_mm = min(used_mm * generous - 0.8 * fell_mm, 14.0)
            if days_since >= every and missing_mm > 1.5:
                open_min = missing_mm / rate_mm_min
                days_since = 0
                used_mm = fell_mm = 0.0
                if current is not None and i >= current[1]:
                    moved.append(Label(current[0], i, "blocked", "moisture"))
                    current = None
                if current is None and blocked and i >= blocked[0].start:
                    current = (i, i + blocked[0].stop - blocked[0].start)
                    blocked.pop(0)
            elif days_since >= every:
                used_mm = max(0.0, used_mm - fell_mm)
                fell_mm = 0.0
        water_mm = rain_mm[i]
        if open_min > 0:
            minutes = min(10.0, open_min)
            open_min -= minutes
            valve[i] = round(minutes)
            if current is None:
                water_mm += minutes * rate_mm_min
        # From above: fill up to saturation, the rest runs off; what is above field capacity drains.
        flow_m = water_mm / 1000
        for k in range(3):
            theta = wet[k] + flow_m / _LAYERS_M[k]
            flow_m = 0.0
            theta = min(theta, soil.saturation)
            if theta > soil.capacity:
                down = (theta - soil.capacity) * drain
                theta -= down
                flow_m += down * _LAYERS_M[k]
            stress = min(1.0, max(0.0, (theta - soil.wilting) / (threshold - soil.wilting)))
            wet[k] = theta - need_mm[i] * roots[k] * stress / 1000 / _LAYERS_M[k]
            lag[k] += (wet[k] - lag[k]) * 0.5  # the clay around the probe takes its time
        seen[i] = lag[0] * feel[0] + lag[1] * feel[1] + lag[2] * feel[2]
    if current is not None:
        moved.append(Label(current[0], n, "blocked", "moisture"))
    return seen, valve, sorted(others + moved)


def _plan(rng, n):
    """When something goes wrong: between two faults five to ten days."""
    labels = []
    at = LEARNING_DAYS * _STEPS + int(rng.integers(0, 3 * _STEPS))
    kinds = list(KINDS)
    rng.shuffle(kinds)
    while True:
        kind = kinds[len(labels) % len(kinds)]
        channel = "moisture"
        if kind == "spike":
            length = int(rng.integers(1, 4))
            channel = str(rng.choice(CHANNELS[:3]))
        elif kind == "flat":
            length = int(rng.integers(48, 216))
            channel = str(rng.choice(CHANNELS[:3], p=[0.5, 0.25, 0.25]))
        elif kind == "drift":
            length = int(rng.integers(4 * _STEPS, 6 * _STEPS))
        else:
            length = int(rng.integers(2 * _STEPS, 4 * _STEPS))
        if at + length > n - _STEPS:
            return sorted(labels)
        labels.append(Label(at, at + length, kind, channel))
        at += length + int(rng.integers(5 * _STEPS, 10 * _STEPS))


def _spoil(rng, counts, event):
    """Put a fault into the readings, counts [n, 4]."""
    part = counts[event.start:event.stop, CHANNELS.index(event.channel)]
    if event.kind == "spike" and event.channel == "moisture":
        part += rng.choice([-1, 1]) * rng.uniform(300, 1500)
        np.clip(np.rint(part), 0, 10000, out=part)
    elif event.kind == "spike":
        # A DS18B20 that has just got its power says 85 degrees; noise on the wire makes smaller ones.
        part[:] = 85 * 16 if rng.random() < 0.4 else np.rint(part + rng.choice([-1, 1]) * rng.uniform(4, 12) * 16)
    elif event.kind == "flat":
        # It repeats its last reading, or its wire is cut.
        part[:] = part[0] if rng.random() < 0.6 else (0 if event.channel == "moisture" else -16 * 55)
    elif event.kind == "drift":
        percent_per_day = rng.choice([-1, 1]) * rng.uniform(1.2, 3.0)
        part += np.rint(100 * percent_per_day * np.arange(len(part)) / _STEPS)
        np.clip(part, 0, 10000, out=part)


def save_sites(sites, folder) -> None:
    """Write sites into a folder: ``soil.npz``, the readings, and ``labels.csv``, what went wrong.

    Parameters
    ----------
    sites : iterable of Site
    folder : path
    """
    folder, sites = Path(folder), list(sites)
    Dataset([site.recording for site in sites]).save(folder / "soil.npz")
    lines = [f"{site.name},{label.start},{label.stop},{label.kind},{label.channel}\n" for site in sites for label in site.labels]
    with atomic_write(folder / "labels.csv") as temporary:
        temporary.write_text("site,start,stop,kind,channel\n" + "".join(lines), encoding="utf-8", newline="\n")


def load_sites(names=SITES, folder=DATASETS) -> list[Site]:
    """The sites that the course ships, with their labels.

    Parameters
    ----------
    names : sequence of str
        Of :data:`SITES`.
    folder : path
        Where the registry is.

    Returns
    -------
    list of Site
        Without `truth` and `rain_mm`: nobody has these of a field.

    Examples
    --------
    >>> [(site.name, site.days) for site in load_sites(VALIDATION_SITES[:2])]
    [('f04', 56.0), ('f05', 56.0)]
    """
    recordings = {recording.subject: recording for recording in load_dataset("soil", folder)}
    labels: dict[str, list[Label]] = {}
    with open(Path(folder) / "soil" / "labels.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            labels.setdefault(row["site"], []).append(Label(int(row["start"]), int(row["stop"]), row["kind"], row["channel"]))
    unknown = sorted(set(names) - set(recordings))
    if unknown:
        raise DataError(f"No site {unknown[0]!r} in the shipped set: it holds {', '.join(recordings)}. Others are "
                        "simulated: make_site(name).")
    return [Site(recordings[name], tuple(labels.get(name, ()))) for name in names]


_USCRN_FIELDS = 23


def load_uscrn(path) -> Site:
    """A file of the U.S. Climate Reference Network, "subhourly01": real soil and air, every ten minutes.

    Download one by hand from https://www.ncei.noaa.gov/pub/data/uscrn/products/subhourly01/ : a file holds a year of a
    station. It is work of the United States government (NOAA), in the public domain; please name NOAA's National
    Centers for Environmental Information, and Diamond et al. (2013), U.S. Climate Reference Network after one decade of
    operations. There is no valve and nobody labelled what went wrong.

    Parameters
    ----------
    path : path
        Text, one line for each five minutes with 23 fields, as the ``readme.txt`` there has it. Every second line is
        taken. A reading that is missing (-99 and below) repeats the last one, as a logger would: a flat line.

    Returns
    -------
    Site
        At 5 cm depth; ``subject`` is the station's WBAN number.

    Raises
    ------
    DataError
        Another layout, or no soil moisture at all.
    """
    path = Path(path)
    rows: dict[datetime, tuple[float, float, float]] = {}
    station = ""
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            fields = line.split()
            if not fields:
                continue
            try:
                if len(fields) != _USCRN_FIELDS:
                    raise ValueError
                moment = datetime.strptime(fields[3] + fields[4], "%Y%m%d%H%M")
                air_c, wet, soil_c = float(fields[8]), float(fields[17]), float(fields[18])
            except ValueError:
                raise DataError(f"{path.name}, line {number}: expected {_USCRN_FIELDS} fields as in subhourly01 of the "
                                f"USCRN, found {len(fields)}: {line.strip()[:60]!r}. Take a file whose name begins with "
                                "CRNS0101-05.") from None
            station = fields[0]
            if moment.minute % 10 == 0:
                rows[moment] = (100 * wet if wet > -9 else math.nan, soil_c if soil_c > -90 else math.nan,
                                air_c if air_c > -90 else math.nan)
    first = min(rows, default=None)
    if first is None or all(math.isnan(row[0]) for row in rows.values()):
        raise DataError(f"{path.name} has no soil moisture: this station has no probe, or is silent. Take another one.")
    count = round((max(rows) - first) / timedelta(seconds=_STEP_S)) + 1
    nothing = (math.nan,) * 3
    values = np.array([rows.get(first + timedelta(seconds=i * _STEP_S), nothing) for i in range(count)])
    for column in values.T:
        known = np.flatnonzero(~np.isnan(column))
        last = known[np.maximum(np.searchsorted(known, np.arange(count), "right") - 1, 0)] if len(known) else None
        column[:] = column[last] if last is not None else 0.0
    counts = np.rint(np.column_stack([values, np.zeros(count)]) / SCALE).astype(np.int16)
    recording = Recording(counts, 1 / _STEP_S, CHANNELS, UNITS, SCALE, label="soil", subject=station, source="file")
    return Site(recording, (), depth_m=0.05, first_day=first.timetuple().tm_yday - 1)
