"""machine.RTC."""

import _bus
from _host import microseconds as _microseconds
from _host import set_seconds as _set_seconds
import time_board as _time
from _args import to_buffer, to_int, to_items

_MEMORY_BYTES = 2048


class RTC:
    """Date and time: what ``time.time()`` counts. They go on through a reset, and so does ``memory()``."""

    def datetime(self, fields=None):
        """(year, month, day, weekday, hour, minute, second, microsecond); Monday is 0, and not needed to set."""
        if fields is None:
            year, month, day, hour, minute, second, weekday, _ = _time.gmtime()
            return (year, month, day, weekday, hour, minute, second, _microseconds())
        _set_clock(fields, 4)

    def init(self, fields):
        """(year, month, day, hour, minute, second, anything, microsecond)."""
        _set_clock(fields, 3)

    def memory(self, data=None):
        """At most 2048 bytes that outlive every reset but a loss of power."""
        if data is None:
            _bus.send(bytes((_bus.RTC_READ,)))
            return _bus.receive_all(_MEMORY_BYTES)
        data = to_buffer(data)
        if len(data) > _MEMORY_BYTES:
            raise ValueError("buffer too long")
        _bus.send_data(_bus.head(_bus.RTC_WRITE), data)


def _set_clock(fields, hour):
    fields = [to_int(field) for field in to_items(fields, 8)]
    _set_seconds(_time.mktime(fields[:3] + fields[hour:hour + 3] + [0, 0]), fields[7])
