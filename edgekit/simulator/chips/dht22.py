"""The humidity sensors DHT22 (AM2302) and DHT11: the five bytes that they send (Aosong, data sheets).

Modelled: both formats with their checksum, the ranges, and that a sensor asked again too soon repeats what it measured
before. Not modelled: the pulses of the single bits, and that a sensor needs a second after power-on.
"""

__all__ = ["DHT11", "DHT22"]


class DHT22:
    """One DHT22: tenths of a percent and of a degree.

    Parameters
    ----------
    sense : callable
        ``sense(name, time_us)`` with the names ``humidity_percent`` and ``temperature_c``.

    Examples
    --------
    >>> from edgekit.simulator.world import World
    >>> world = World()
    >>> world.set(humidity_percent=65.2, temperature_c=-10.1)
    >>> DHT22(world.sense).measure(0).hex(" ")
    '02 8c 80 65 73'
    >>> world.dht(4, DHT22(world.sense))
    """

    _PERIOD_US = 2_000_000
    _HUMIDITY = (0.0, 100.0)
    _TEMPERATURE_C = (-40.0, 80.0)

    def __init__(self, sense):
        self._sense = sense
        self._measured = None  # (when, bytes)

    def measure(self, time_us: int) -> bytes:
        """What it sends when it is asked: humidity, temperature, checksum."""
        if self._measured is None or time_us - self._measured[0] >= self._PERIOD_US:
            body = self._body(_clip(self._sense("humidity_percent", time_us), self._HUMIDITY),
                              _clip(self._sense("temperature_c", time_us), self._TEMPERATURE_C))
            self._measured = (time_us, body + bytes((sum(body) & 0xFF,)))
        return self._measured[1]

    def _body(self, humidity, temperature_c):
        tenths = round(abs(temperature_c) * 10)
        # The top bit is the sign, the rest the amount.
        return round(humidity * 10).to_bytes(2, "big") + (tenths | (0x8000 if temperature_c < 0 else 0)).to_bytes(2, "big")


class DHT11(DHT22):
    """One DHT11: whole percent and degrees.

    Examples
    --------
    >>> DHT11(lambda name, time_us: {"humidity_percent": 48.0, "temperature_c": 21.6}[name]).measure(0).hex(" ")
    '30 00 16 00 46'
    """

    _PERIOD_US = 1_000_000
    _HUMIDITY = (20.0, 90.0)
    _TEMPERATURE_C = (0.0, 50.0)

    def _body(self, humidity, temperature_c):
        return bytes((round(humidity), 0, round(temperature_c), 0))


def _clip(value, ends):
    return max(ends[0], min(ends[1], value))
