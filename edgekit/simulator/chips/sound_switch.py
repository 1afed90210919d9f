"""A sound switch as the KY-037 and its many copies: a microphone, a comparator, a digital output."""

import numpy as np

__all__ = ["SoundSwitch"]

# How often it looks at the sound. Claps are far slower.
_LOOKS_HZ = 8000
_LOOK_US = 1_000_000 // _LOOKS_HZ
_BLOCK = _LOOKS_HZ // 2


class SoundSwitch:
    """1 while it is loud, and a little longer.

    Parameters
    ----------
    world : World
        Where it listens.
    threshold : float
        The part of full scale from which on it is loud: what one sets with the screwdriver.
    hold_us : int
        How long the output stays at 1 after the last loud moment.

    Examples
    --------
    >>> from edgekit.simulator.world import World
    >>> world = World()
    >>> switch = SoundSwitch(world, threshold=0.5)
    >>> world.set(sound=lambda time_s: 0.8 * (0.2 <= time_s < 0.3))    # a clap of 100 ms, 200 ms from now
    >>> switch.next_change(0, 1_000_000), switch.next_change(250_000, 1_000_000), switch.next_change(400_000, 1_000_000)
    (200000, 349875, None)
    >>> world.wire(switch, 33)
    """

    def __init__(self, world, threshold: float = 0.3, hold_us: int = 50_000):
        self._world = world
        self.threshold = threshold
        self._hold = max(1, hold_us // _LOOK_US)  # in looks

    def level(self, time_us: int) -> int:
        """The output at a time."""
        last = time_us // _LOOK_US
        first = last - self._hold + 1
        if self._world.steady_until("sound", first * _LOOK_US) >= last * _LOOK_US:
            first = last
        return int(self._loud(first, last + 1).any())

    def next_change(self, after_us: int, until_us: int) -> int | None:
        """When the output changes next, after one time and not after the other; None if it does not."""
        first, last = after_us // _LOOK_US + 1, until_us // _LOOK_US
        now = self.level(after_us)
        while first <= last:
            steady_us = self._world.steady_until("sound", (first - self._hold) * _LOOK_US)
            if steady_us > until_us:
                return None
            first = max(first, int(steady_us) // _LOOK_US)
            stop = min(first + _BLOCK, last + 1)
            # Each look counts for the `hold` looks from it on.
            loud = self._loud(first - self._hold + 1, stop)
            recent = np.convolve(loud, np.ones(self._hold), "valid") > 0.5
            changed = np.flatnonzero(recent != bool(now))
            if len(changed):
                return (first + int(changed[0])) * _LOOK_US
            first = stop
        return None

    def _loud(self, first, stop):
        first_us = first * _LOOK_US
        return np.abs(self._world.sense_sound(first_us, _LOOKS_HZ, stop - first)) > self.threshold
