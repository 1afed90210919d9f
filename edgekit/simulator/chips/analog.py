"""Analogue parts: each turns a quantity of the world into the voltage at its output.

A part is a function of the time, ``part(time_s) -> volts``, for :meth:`edgekit.simulator.world.World.adc`; it is made
with the world, or with a function ``sense(name, time_us)``. Each also has the way back, from volts to the quantity:
what a program on the board computes. Simulated: the typical curve of the part, and that no output leaves the supply.
Not simulated: tolerance, self-heating, how slowly the part follows.
"""

import math

from edgekit.errors import DataError

__all__ = ["CurrentClamp", "DirectClamp", "LightSensor", "Potentiometer", "SoilMoistureSensor", "Thermistor"]

_ZERO_C_IN_K = 273.15


class _Part:
    def __init__(self, world, supply_v):
        if not supply_v > 0:
            raise DataError(f"The supply is a voltage above 0, such as 3.3; found {supply_v!r}.")
        self._sense = getattr(world, "sense", world)
        self.supply_v = supply_v

    def _now(self, name, time_s):
        return self._sense(name, round(time_s * 1e6))

    def _limited(self, volts):
        return max(0.0, min(self.supply_v, volts))


class LightSensor(_Part):
    """A photoresistor (LDR) from the supply, a fixed resistor to ground: the brighter, the more volts.

    The photoresistor has ``ohm_at_10_lux * (lux / 10) ** -gamma``, at most 1 Mohm in the dark. The default values are
    those of a GL5528 (10 to 20 kohm at 10 lux, gamma 0.6).

    Parameters
    ----------
    world : World, or sense function
        Its ``lux``.
    fixed_ohm, ohm_at_10_lux, gamma, supply_v : float

    Examples
    --------
    >>> part = LightSensor(lambda name, time_us: 100.0)
    >>> round(part(0.0), 3), round(part.lux(part(0.0)), 6)
    (2.397, 100.0)
    """

    _DARK_OHM = 1e6

    def __init__(self, world, fixed_ohm: float = 10_000, ohm_at_10_lux: float = 15_000, gamma: float = 0.6,
                 supply_v: float = 3.3):
        super().__init__(world, supply_v)
        self.fixed_ohm, self.ohm_at_10_lux, self.gamma = fixed_ohm, ohm_at_10_lux, gamma

    def __call__(self, time_s: float) -> float:
        lux = self._now("lux", time_s)
        ohm = min(self._DARK_OHM, self.ohm_at_10_lux * (lux / 10) ** -self.gamma) if lux > 0 else self._DARK_OHM
        return self.supply_v * self.fixed_ohm / (self.fixed_ohm + ohm)

    def lux(self, volts: float) -> float:
        """The light at which the output has these volts; they lie between ground and supply."""
        ohm = self.fixed_ohm * (self.supply_v / volts - 1)
        return 10 * (ohm / self.ohm_at_10_lux) ** (-1 / self.gamma)


class SoilMoistureSensor(_Part):
    """A capacitive soil moisture sensor, version 1.2: the wetter, the fewer volts, in a straight line.

    No two of these sensors agree; a program calibrates its own with two readings, dry and wet.

    Parameters
    ----------
    world : World, or sense function
        Its ``soil_moisture_percent``.
    dry_v, wet_v : float
        Output at 0 and at 100 %; the defaults are typical readings in air and in water.
    supply_v : float

    Examples
    --------
    >>> part = SoilMoistureSensor(lambda name, time_us: 40.0)
    >>> round(part(0.0), 3), round(part.moisture_percent(2.04), 6)
    (2.04, 40.0)
    """

    def __init__(self, world, dry_v: float = 2.6, wet_v: float = 1.2, supply_v: float = 3.3):
        super().__init__(world, supply_v)
        if dry_v == wet_v:
            raise DataError(f"Dry and wet soil give different voltages; found {dry_v!r} for both.")
        self.dry_v, self.wet_v = dry_v, wet_v

    def __call__(self, time_s: float) -> float:
        moisture = max(0.0, min(100.0, self._now("soil_moisture_percent", time_s)))
        return self._limited(self.dry_v + moisture / 100 * (self.wet_v - self.dry_v))

    def moisture_percent(self, volts: float) -> float:
        """The moisture at which the output has these volts."""
        return 100 * (volts - self.dry_v) / (self.wet_v - self.dry_v)


class Thermistor(_Part):
    """An NTC thermistor to ground, a fixed resistor from the supply: the warmer, the fewer volts.

    The thermistor has ``ohm_at_25_c * exp(beta * (1 / T - 1 / 298.15 K))``.

    Parameters
    ----------
    world : World, or sense function
        Its ``temperature_c``.
    fixed_ohm, ohm_at_25_c, beta, supply_v : float
        The default is a common part of 10 kohm with beta 3950 K.

    Examples
    --------
    >>> part = Thermistor(lambda name, time_us: 25.0)
    >>> part(0.0), round(part.temperature_c(part(0.0)), 6)
    (1.65, 25.0)
    """

    def __init__(self, world, fixed_ohm: float = 10_000, ohm_at_25_c: float = 10_000, beta: float = 3950,
                 supply_v: float = 3.3):
        super().__init__(world, supply_v)
        self.fixed_ohm, self.ohm_at_25_c, self.beta = fixed_ohm, ohm_at_25_c, beta

    def __call__(self, time_s: float) -> float:
        kelvin = max(1.0, self._now("temperature_c", time_s) + _ZERO_C_IN_K)
        exponent = self.beta * (1 / kelvin - 1 / (25 + _ZERO_C_IN_K))
        ohm = self.ohm_at_25_c * math.exp(min(100.0, exponent))
        return self.supply_v * ohm / (ohm + self.fixed_ohm)

    def temperature_c(self, volts: float) -> float:
        """The temperature at which the output has these volts; they lie between ground and supply."""
        ohm = self.fixed_ohm * volts / (self.supply_v - volts)
        return 1 / (1 / (25 + _ZERO_C_IN_K) + math.log(ohm / self.ohm_at_25_c) / self.beta) - _ZERO_C_IN_K


class CurrentClamp(_Part):
    """A current transformer around a wire, with a burden resistor, on half the supply.

    The default is an SCT-013-000 (2000 turns: 100 A give 50 mA) with 22 ohm: 11 mV for each ampere around 1.65 V.

    Parameters
    ----------
    world : World, or sense function
        Its ``current_a``, the current at the very moment; an alternating one is a function of the time.
    turns, burden_ohm, supply_v : float

    Examples
    --------
    >>> part = CurrentClamp(lambda name, time_us: 10 * math.sin(2 * math.pi * 50 * time_us / 1e6))
    >>> round(part(0.0), 3), round(part(0.005), 3), round(part.current_a(1.76), 6)
    (1.65, 1.76, 10.0)
    """

    def __init__(self, world, turns: float = 2000, burden_ohm: float = 22, supply_v: float = 3.3):
        super().__init__(world, supply_v)
        self.volts_per_ampere = burden_ohm / turns

    def __call__(self, time_s: float) -> float:
        return self._limited(self.supply_v / 2 + self._now("current_a", time_s) * self.volts_per_ampere)

    def current_a(self, volts: float) -> float:
        """The current at which the output has these volts."""
        return (volts - self.supply_v / 2) / self.volts_per_ampere


class DirectClamp(_Part):
    """A current clamp whose electronics give the effective value as a direct voltage: 0 V to the supply for 0 to ``full_a``.

    Parameters
    ----------
    world : World, or sense function
        Its ``current_a``, here the effective value of the current.
    full_a, supply_v : float

    Examples
    --------
    >>> part = DirectClamp(lambda name, time_us: 10.0)
    >>> round(part(0.0), 3), round(part.current_a(1.65), 6)
    (1.1, 15.0)
    """

    def __init__(self, world, full_a: float = 30, supply_v: float = 3.3):
        super().__init__(world, supply_v)
        self.full_a = full_a

    def __call__(self, time_s: float) -> float:
        return self._limited(abs(self._now("current_a", time_s)) / self.full_a * self.supply_v)

    def current_a(self, volts: float) -> float:
        """The effective current at which the output has these volts."""
        return volts / self.supply_v * self.full_a


class Potentiometer:
    """A potentiometer between supply and ground.

    Parameters
    ----------
    position : float or callable
        0 to 1, or a function of the time in seconds; it can be set at any time.
    supply_v : float

    Examples
    --------
    >>> part = Potentiometer(0.25)
    >>> part(0.0), part.position_at(0.825)
    (0.825, 0.25)
    """

    def __init__(self, position=0.5, supply_v: float = 3.3):
        self.supply_v = supply_v
        self.position = position

    @property
    def position(self):
        """Where it stands: 0 to 1, or a function of the time in seconds."""
        return self._position

    @position.setter
    def position(self, position):
        if not callable(position) and not 0 <= position <= 1:
            raise DataError(f"A potentiometer stands between 0 and 1; found {position!r}.")
        self._position = position

    def __call__(self, time_s: float) -> float:
        position = self._position(time_s) if callable(self._position) else self._position
        return self.supply_v * max(0.0, min(1.0, position))

    def position_at(self, volts: float) -> float:
        """The position at which the output has these volts."""
        return volts / self.supply_v
