"""The voltages on the simulated board's analogue pins, and the converter that measures them."""

from collections.abc import Callable

from edgekit.simulator import bus
from edgekit.simulator.quantities import VOLTS, Playing, Source

__all__ = ["Analogue"]

# Volts at which the converter reaches its largest number, for each attenuation in dB. Idealised: a real ESP32 is
# bent at both ends and differs from chip to chip.
_FULL_SCALE_V = {0: 1.1, 2: 1.5, 6: 2.2, 11: 3.3}
_SUPPLY_V = 3.3
_BITS = 12
_SOURCE_NUMBERS = 1000  # for the noise: apart from those of the quantities


class Analogue:
    """The analogue pins.

    Parameters
    ----------
    seed : int
    clock : callable
        The time in microseconds.
    """

    def __init__(self, seed: int, clock: Callable):
        self._seed = seed
        self._clock = clock
        self._noise = 0.0
        self._sources = {}
        self._connected = {}

    def connect(self, number: int, volts) -> None:
        """Put a constant, a function of the time in seconds, or a recording on a pin."""
        source = Source(VOLTS, self._seed, _SOURCE_NUMBERS + number)
        if hasattr(volts, "samples"):
            hold = Playing(volts, VOLTS, [(0, 0)], self._clock(), False).hold
            source.set(lambda time_s: hold(time_s * 1e6))
        else:
            source.set(volts)
        source.set_noise(self._noise)
        self._sources[number] = source
        self._connected[number] = volts

    def devices(self) -> list:
        """(pin, what was connected) of each pin: a number, a function, a part, a recording."""
        return list(self._connected.items())

    def set_noise(self, sd: float) -> None:
        """Standard deviation of each reading, in volts."""
        for source in (Source(VOLTS, 0, 0), *self._sources.values()):
            source.set_noise(sd)
        self._noise = sd

    def volts(self, number: int, time_us: int) -> float:
        """Voltage on a pin, noise included; an open one has 0 V."""
        if number not in self._sources:
            self.connect(number, 0.0)
        return self._sources[number].sense(time_us)

    def _read(self, args, _):
        number, attenuation_db = args
        largest = (1 << _BITS) - 1
        full_scale_v = _FULL_SCALE_V.get(attenuation_db, _SUPPLY_V)
        count = max(0, min(largest, round(self.volts(number, self._clock()) / full_scale_v * largest)))
        # As MicroPython does it: 12 bits become 16 by repeating the top ones, so that full scale is 65535.
        raw = count << 4 | count >> 8
        microvolts = round(count / largest * full_scale_v * 1e6)
        return raw.to_bytes(2, "little") + microvolts.to_bytes(4, "little", signed=True)

    @property
    def answers(self) -> dict:
        """What answers each op: a function of its arguments and data."""
        return {bus.ADC_READ: self._read}
