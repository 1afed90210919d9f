"""A motion sensor whose driver keeps no samples: it is asked at the right times instead."""

from time import sleep_us, ticks_add, ticks_diff, ticks_us


class Polled:
    """Looks like the driver ``mpu6050`` to an app: same names, same counts.

    ``accel_g()`` and ``gyro_dps()``: functions that give three values each. A program that computes for longer than
    one period loses samples here; ``read_block`` counts them.
    """

    channels = ("ax", "ay", "az", "gx", "gy", "gz")
    units = ("g", "g", "g", "dps", "dps", "dps")
    full_scale = (4, 4, 4, 500, 500, 500)

    def __init__(self, accel_g, gyro_dps, rate_hz):
        self.accel_g = accel_g
        self.gyro_dps = gyro_dps
        self.rate_hz = rate_hz
        self.scale = tuple(value / 32768 for value in self.full_scale)
        self._period_us = round(1000000 / rate_hz)

    def read_into(self, buf):
        """The newest sample as counts into ``buf``, an ``array("h")`` of six."""
        self._read_into(buf, 0)

    def sleep(self):
        """These drivers have no sleep: the chip goes on measuring."""

    def wake(self):
        """Nothing to do; see ``sleep``."""

    def start(self):
        """The first sample of ``read_block`` comes one period from now."""
        self._next_us = ticks_add(ticks_us(), self._period_us)

    def read_block(self, buf):
        """Fill ``buf``, an ``array("h")`` of six times n, one sample each period. Returns how many were lost."""
        lost = 0
        for i in range(0, len(buf), 6):
            wait_us = ticks_diff(self._next_us, ticks_us())
            while wait_us < -self._period_us:
                lost += 1
                self._next_us = ticks_add(self._next_us, self._period_us)
                wait_us += self._period_us
            if wait_us > 0:
                sleep_us(wait_us)
            # Counted from the planned time, not from now: so small delays do not add up.
            self._next_us = ticks_add(self._next_us, self._period_us)
            self._read_into(buf, i)
        return lost

    def _read_into(self, buf, first):
        i = first
        for values in (self.accel_g(), self.gyro_dps()):
            for value in values:
                buf[i] = max(-32768, min(32767, round(value / self.scale[i - first])))
                i += 1
