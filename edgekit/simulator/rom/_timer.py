"""machine.Timer and machine.WDT."""

import _bus
import _chip
from _args import to_int
from _host import timer_us as _timer_us
from _host import watchdog as _watchdog

_HARDWARE_HZ = 10_000_000  # steps of a hardware timer; a virtual one (id -1) counts microseconds
_LONGEST = 0xFFFFFFFF


class Timer:
    ONE_SHOT = 0
    PERIODIC = 1

    _hardware = {}  # id: the one object for it

    def __new__(cls, id=-1, **kwargs):
        if to_int(id) >= _chip.timers:
            raise ValueError("Timer(%d) doesn't exist, there are only %d hardware timers" % (id, _chip.timers))
        timer = cls._hardware.get(id)
        if timer is None:
            timer = object.__new__(cls)
            timer._id = id
            timer._running = None
            timer._clear()
            if id >= 0:
                cls._hardware[id] = timer
        return timer

    def __init__(self, id=-1, **kwargs):
        if kwargs:
            self.init(**kwargs)

    def _clear(self):
        self._steps = 0
        self._mode = Timer.ONE_SHOT
        self._callback = None

    def init(self, *, mode=PERIODIC, callback=None, period=_LONGEST, tick_hz=1000, freq=None, hard=False):
        self.deinit()
        if hard:
            raise ValueError("hard Timers are not implemented")
        hz = _HARDWARE_HZ if self._id >= 0 else 1_000_000
        if freq is not None:
            self._steps = int(hz / freq)
        else:
            self._steps = to_int(period) * hz // to_int(tick_hz)
        if self._steps <= 0:
            raise ValueError("Timer period is too short for this timer")
        self._mode = 1 if to_int(mode) else 0
        self._callback = callback
        self._running = _bus.start_timer(self._call, self._steps * 1_000_000 / hz, self._mode)

    def deinit(self):
        if self._running is not None:
            _bus.stop_timer(self._running)
            self._running = None
        self._clear()

    def _call(self):
        if self._callback is not None:
            self._callback(self)

    def value(self):
        return 0 if self._running is None else int(_timer_us(self._running)) // 1000

    def __repr__(self):
        hz = _HARDWARE_HZ if self._id >= 0 else 1_000_000
        return "Timer(%d, mode=%s, period=%d)" % (
            self._id, "PERIODIC" if self._mode else "ONE_SHOT", self._steps // (hz // 1000))


class WDT:
    """A watchdog: it resets the board if it is not fed in time. A soft reset does not stop it, only a real one."""

    _the_only_one = None

    def __new__(cls, id=0, timeout=5000):
        if id != 0:
            raise ValueError
        if to_int(timeout) <= 0:
            raise ValueError("WDT timeout too short")
        if cls._the_only_one is None:
            cls._the_only_one = object.__new__(cls)
        return cls._the_only_one

    def __init__(self, id=0, timeout=5000):
        _watchdog(timeout)

    def feed(self):
        _watchdog(0)
