"""The physical quantities around the simulated board: one table, and what each of them is at a time.

A quantity is a constant, a function of the time, or what a recording says while one plays. What a chip feels of it
has bias and noise on top; a fault can freeze or saturate it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgekit.errors import DataError

__all__ = ["QUANTITIES", "Quantities", "Quantity", "Source"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One row of the table.

    Attributes
    ----------
    name : str
        With its unit, such as ``"pressure_hpa"``.
    what : str
        For people.
    channels : tuple of str
        Names of its channels in a recording; one with the quantity's own name is taken too, if it is a single one.
    default : tuple of float
        One for each channel.
    units : dict
        Unit in a recording: factor to the quantity's own unit.
    usual : tuple of two floats
        What is met in practice: the ends of a slider. Values beyond are allowed; chips clip them.
    saturated : float
        Beyond what any chip of the course measures.
    """

    name: str
    what: str
    channels: tuple
    default: tuple
    units: dict
    usual: tuple
    saturated: float


_SHARE = {"": 1.0, "1": 1.0, "%": 0.01}
_TABLE = (
    Quantity("accel_g", "acceleration", ("ax", "ay", "az"), (0.0, 0.0, 1.0),
             {"g": 1.0, "m/s2": 1 / 9.80665, "m/s^2": 1 / 9.80665, "m/s²": 1 / 9.80665}, (-2.0, 2.0), 1e3),
    Quantity("gyro_dps", "turn rate", ("gx", "gy", "gz"), (0.0, 0.0, 0.0),
             {"dps": 1.0, "deg/s": 1.0, "°/s": 1.0, "rad/s": 180 / math.pi}, (-500.0, 500.0), 1e5),
    Quantity("mag_gauss", "magnetic field", ("mx", "my", "mz"), (0.2, 0.0, -0.4),
             {"gauss": 1.0, "G": 1.0, "uT": 0.01, "µT": 0.01, "μT": 0.01}, (-1.0, 1.0), 1e3),
    Quantity("temperature_c", "temperature", ("temperature",), (25.0,),
             {"degC": 1.0, "°C": 1.0, "C": 1.0}, (-10.0, 50.0), 1e3),
    Quantity("humidity_percent", "relative humidity", ("humidity",), (50.0,), {"%": 1.0, "%RH": 1.0}, (0.0, 100.0), 1e3),
    Quantity("pressure_hpa", "air pressure", ("pressure",), (1013.25,),
             {"hPa": 1.0, "mbar": 1.0, "kPa": 10.0, "Pa": 0.01}, (950.0, 1050.0), 1e4),
    Quantity("lux", "light", ("light",), (300.0,), {"lx": 1.0, "lux": 1.0}, (0.0, 1000.0), 1e9),
    Quantity("color", "share of red, green and blue in the light", ("r", "g", "b"), (1.0, 1.0, 1.0), _SHARE,
             (0.0, 1.0), 1e3),
    Quantity("proximity", "nearness of a hand: 0 nothing, 1 touching", ("near",), (0.0,), _SHARE, (0.0, 1.0), 1.0),
    Quantity("ppg", "light that a finger reflects, of the detector's full scale", ("red", "ir"), (0.0, 0.0), _SHARE,
             (0.0, 1.0), 1e3),
    Quantity("sound", "sound pressure, of the microphone's full scale", ("audio",), (0.0,), {**_SHARE, "full scale": 1.0},
             (-1.0, 1.0), 1e3),
    Quantity("soil_moisture_percent", "moisture of the soil", ("moisture",), (40.0,), {"%": 1.0}, (0.0, 100.0), 100.0),
    Quantity("current_a", "current in the clamp's wire", ("current",), (0.0,), {"A": 1.0, "mA": 1e-3}, (-30.0, 30.0),
             1e4),
)
QUANTITIES = {quantity.name: quantity for quantity in _TABLE}

VOLTS = Quantity("volts", "voltage of a pin", ("volts",), (0.0,), {"V": 1.0, "v": 1.0, "mV": 1e-3}, (0.0, 3.3), 1e3)

# A time that lies on a sample up to rounding belongs to it.
_EPSILON = 1e-6
_NOISE_BLOCK = 1024


def quantity_of(channel: str) -> Quantity | None:
    """The quantity that a recording's channel of this name belongs to.

    Examples
    --------
    >>> quantity_of("gx").name
    'gyro_dps'
    """
    for quantity in _TABLE:
        if channel in quantity.channels or channel == quantity.name:
            return quantity
    return None


class Quantities:
    """What every quantity of the table is at a time, and what a chip feels of it.

    Parameters
    ----------
    seed : int
        Seed of all noise.
    """

    def __init__(self, seed: int = 0):
        self._sources = {quantity.name: Source(quantity, seed, number) for number, quantity in enumerate(_TABLE)}

    def __getitem__(self, name: str) -> "Source":
        try:
            return self._sources[name]
        except KeyError:
            raise DataError(f"No quantity {name!r}; there are {', '.join(self._sources)}.") from None

    def __iter__(self):
        return iter(self._sources.values())

    def play(self, recording, now_us: int, start_us: int, loop: bool, as_: str | None) -> None:
        """Let a recording's channels decide from a time on; see :meth:`edgekit.simulator.world.World.play`."""
        columns = {}
        if as_ is not None:
            quantity = self[as_].quantity
            wanted = len(quantity.channels)
            if len(recording.channels) != wanted:
                raise DataError(f"{as_} has {wanted} channel{'s' * (wanted > 1)}, the recording has "
                                f"{len(recording.channels)}: {', '.join(recording.channels)}.")
            columns[quantity.name] = list(enumerate(range(wanted)))
        else:
            for i, channel in enumerate(recording.channels):
                quantity = quantity_of(channel)
                if quantity:
                    at = quantity.channels.index(channel) if channel in quantity.channels else 0
                    columns.setdefault(quantity.name, []).append((at, i))
        if not columns:
            known = ", ".join(channel for quantity in _TABLE for channel in quantity.channels)
            fitting = [quantity.name for quantity in _TABLE if len(quantity.channels) == len(recording.channels)]
            raise DataError(f"The recording has channels {', '.join(recording.channels)}; expected some of {known}. Or say "
                            f"what it is, for example play(recording, as_={fitting[0] if fitting else 'sound'!r}).")
        # All or nothing: each of them first shows that it has a unit that fits.
        playing = {name: Playing(recording, QUANTITIES[name], pairs, start_us, loop)
                   for name, pairs in columns.items()}
        for name, one in playing.items():
            self._sources[name].play(one, now_us)


class Source:
    """One quantity over time.

    Parameters
    ----------
    quantity : Quantity
    seed, number : int
        Of its noise; no two sources have the same pair.
    """

    def __init__(self, quantity: Quantity, seed: int, number: int):
        self.quantity = quantity
        self._seed = seed
        self._number = number
        self._constant = quantity.default
        self._function = None
        self._vector = True  # the function takes arrays, as far as we know
        self._playing = []
        self._noise = 0.0
        self._bias = (0.0,) * len(quantity.channels)
        self._frozen = None
        self._saturated = False

    # What happens to it

    def check(self, value) -> None:
        """Can it be set to that?"""
        if not isinstance(value, Callable):
            self._values(value)

    def set(self, value) -> None:
        """A constant, or a function of the time in seconds."""
        if isinstance(value, Callable):
            self._function, self._vector = value, True
        else:
            self._constant, self._function = self._values(value), None

    def play(self, playing: "Playing", now_us: int) -> None:
        """From its start on a recording decides; a newer one comes before an older one."""
        self._playing = [p for p in self._playing if p.stop_us > now_us]
        self._playing.append(playing)

    def stop(self) -> None:
        """No recording plays any more."""
        self._playing = []

    def set_noise(self, sd: float) -> None:
        """Standard deviation of what each reading has on top."""
        self._noise = _number(f"The noise of {self.quantity.name}", sd)

    def set_bias(self, bias) -> None:
        """What each reading has too much."""
        self._bias = self._values(bias)

    def freeze(self, time_us: int) -> None:
        """What is felt now is felt until :meth:`mend`."""
        self._frozen = self._feel(time_us)

    def saturate(self) -> None:
        """More is felt than any chip can measure, until :meth:`mend`."""
        self._saturated = True

    def mend(self, kind: str) -> None:
        """No longer ``"frozen"``, or no longer ``"saturated"``."""
        if kind == "frozen":
            self._frozen = None
        else:
            self._saturated = False

    # What it is

    def value(self, time_us: int):
        """The quantity itself, without bias, noise and faults: a number, or a tuple if it has several channels."""
        return self._shaped(self._at(time_us))

    def sense(self, time_us: int):
        """What a chip feels: a number, or a tuple if it has several channels."""
        if self._saturated:
            return self._shaped([self.quantity.saturated] * len(self._bias))
        return self._shaped(self._feel(time_us) if self._frozen is None else self._frozen)

    def sense_block(self, first_us: float, rate_hz: float, count: int) -> np.ndarray:
        """What a chip feels of a quantity of one channel, at evenly spaced times.

        The noise of a moment is the same in whatever pieces it is asked for.

        Returns
        -------
        float64 array [count]
        """
        if self._saturated:
            return np.full(count, self.quantity.saturated)
        if self._frozen is not None:
            return np.full(count, self._frozen[0])
        times_us = first_us + np.arange(count) * (1e6 / rate_hz)
        values = self._function_block(times_us / 1e6) if self._function else np.full(count, self._constant[0])
        for playing in self._playing:
            playing.put_block(values, times_us)
        values += self._bias[0]
        if self._noise:
            first = round(first_us * rate_hz / 1e6)
            blocks = range(first // _NOISE_BLOCK, (first + count - 1) // _NOISE_BLOCK + 1)
            draws = [np.random.default_rng((self._seed, block % 2**64, self._number, 1)).standard_normal(_NOISE_BLOCK)
                     for block in blocks]
            skip = first - blocks[0] * _NOISE_BLOCK
            values += self._noise * np.concatenate(draws)[skip:skip + count]
        return values

    def steady_until(self, from_us: float) -> float:
        """Until when it is certain that all readings are the same; ``from_us`` itself: not even the next two."""
        if self._saturated or self._frozen is not None:
            return math.inf
        if self._function or self._noise or any(p.start_us <= from_us < p.stop_us for p in self._playing):
            return from_us
        return min((p.start_us for p in self._playing if p.start_us > from_us), default=math.inf)

    # Inside

    def _at(self, time_us):
        values = list(self._values(self._function(time_us / 1e6)) if self._function else self._constant)
        for playing in self._playing:
            playing.put(values, time_us)
        return values

    def _feel(self, time_us):
        values = self._at(time_us)
        for i, bias in enumerate(self._bias):
            values[i] += bias
        if self._noise:
            draw = np.random.default_rng((self._seed, int(time_us), self._number)).standard_normal(len(values)).tolist()
            values = [value + self._noise * one for value, one in zip(values, draw, strict=True)]
        return values

    def _shaped(self, values):
        return values[0] if len(values) == 1 else tuple(values)

    def _function_block(self, times_s):
        if self._vector:
            try:
                values = np.array(self._function(times_s), np.float64)
                if values.shape == times_s.shape:
                    return values
            except Exception:
                pass  # it takes single numbers only
            self._vector = False
        return np.array([self._values(self._function(time_s))[0] for time_s in times_s.tolist()], np.float64)

    def _values(self, value):
        """One float for each channel."""
        channels = self.quantity.channels
        try:
            values = tuple(float(v) for v in (value if len(channels) > 1 else (value,)))
        except (TypeError, ValueError):
            values = ()
        if len(values) != len(channels) or not all(map(math.isfinite, values)):
            example = self.quantity.default if len(channels) > 1 else self.quantity.default[0]
            expected = (f"{_WORDS[len(channels)]} numbers, one for each of {', '.join(channels)}"
                        if len(channels) > 1 else "one number")
            raise DataError(f"{self.quantity.name} is {expected}, for example {example}; found {value!r}.")
        return values


class Playing:
    """A recording that decides some channels of one quantity, from a start on.

    Parameters
    ----------
    recording : edgekit.recording.Recording
    quantity : Quantity
    columns : list of (int, int)
        Channel of the quantity, and that of the recording.
    start_us : float
    loop : bool

    Raises
    ------
    DataError
        A channel has a unit that does not fit.
    """

    def __init__(self, recording, quantity, columns, start_us, loop):
        self.start_us = start_us
        self._loop = loop
        self._rate_hz = recording.rate_hz
        self._channels = [channel for channel, _ in columns]
        picked = []
        for _, i in columns:
            unit = recording.units[i]
            if unit not in quantity.units:
                known = ", ".join(unit or "none" for unit in quantity.units)
                raise DataError(f"Channel {recording.channels[i]} is in {unit or 'no unit'!r}; expected one of {known}. "
                                "If you know it: recording.with_(units=...), one for each channel.")
            # float64: int16 counts come back from it to the last bit.
            picked.append(recording.samples[:, i].astype(np.float64) * recording.scale[i] * quantity.units[unit])
        self._rows = np.stack(picked, axis=1)
        self._list = self._rows.tolist() if self._rows.shape[1] > 1 else None
        self.stop_us = math.inf if loop else start_us + len(self._rows) / self._rate_hz * 1e6

    def put(self, values, time_us):
        """Overwrite the channels that play at this time: each sample is held until the next."""
        index = math.floor((time_us - self.start_us) * self._rate_hz / 1e6 + _EPSILON)
        if index < 0:
            return
        if self._loop:
            index %= len(self._rows)
        elif index >= len(self._rows):
            return
        row = self._list[index] if self._list else (float(self._rows[index, 0]),)
        for channel, value in zip(self._channels, row, strict=True):
            values[channel] = value

    def put_block(self, values, times_us):
        """Overwrite the values of a quantity of one channel at the times at which it plays."""
        index = np.floor((times_us - self.start_us) * self._rate_hz / 1e6 + _EPSILON).astype(np.int64)
        here = index >= 0
        if self._loop:
            index %= len(self._rows)
        else:
            here &= index < len(self._rows)
        values[here] = self._rows[index[here], 0]

    def hold(self, time_us):
        """The one channel's value; before the first sample the first, after the last the last."""
        index = math.floor((time_us - self.start_us) * self._rate_hz / 1e6 + _EPSILON)
        return float(self._rows[max(0, min(len(self._rows) - 1, index)), 0])


_WORDS = {2: "two", 3: "three"}


def _number(what, value):
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise DataError(f"{what} is a number of at least 0, found {value!r}.")
    return number
