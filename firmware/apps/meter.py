"""Watch a home's electricity: learn what is normal here, say what is not, switch a relay, and remember it all.

On the board, with a current clamp (``firmware/drivers/clamp.py``) on its analogue input::

    from apps.meter import main
    main()                          # for ever; put it into /main.py, and it goes on after a power cut

Every second a reading, every minute a mean, every ten minutes a decision. For 8 days it only learns. What it knows is
in two rings on the flash, saved every hour; alarms are in a third: ``apps.meter.log()`` lists them.
"""

import time
from array import array

import boards
import power
from anomaly import Monitor
from clamp import Clamp
from power import Features
from ring import Ring

LOG = "/meter.log"


def main(minutes=None, path=None, skip=0, full_a=30, mains_v=230, relay_on=True, quiet=False):
    """Watch, for ever or for so many ``minutes``.

    ``path``: take the seconds from a file of int16 watts instead of the clamp, after so many minutes of it (``skip``).
    ``full_a``, ``mains_v``: the clamp's. ``relay_on``: the relay is on while an alarm is (False: the other way round, for a relay that cuts the current).
    ``quiet``: print nothing.
    """
    features = Features()
    monitor = Monitor(power.SETTINGS)
    known = Ring("/meter.power", features.state_bytes, 2, renew=True)
    normal = Ring("/meter.normal", monitor.state_bytes, 2, renew=True)
    events = Ring(LOG, 8, 200, renew=True)
    if features.restore(known) and monitor.restore(normal) and not quiet:
        print("%s goes on" % clock(features.minutes))
    relay = boards.relay()
    led = boards.led()
    source = File(path, skip) if path else Clamp(boards.adc(), full_a, mains_v)

    # All memory is taken here: the loop below fills these buffers again and again.
    seconds = array("h", bytes(2 * 60))
    record = bytearray(8)
    show(monitor.alarm, relay, led, relay_on)
    source.start()
    done = 0
    while minutes is None or done < minutes:
        source.read_block(seconds)
        done += 1
        if not features.minute(sum(seconds) // 60, min(seconds), max(seconds)):
            continue
        told = monitor.update(features.row, features.slot)
        for i in range(told):
            number = note(record, features, monitor, i)
            events.append(record)
            if not quiet:
                stream, name, begun = monitor.told(i)
                print("%s %s %s: %s is %d" % (clock(features.minutes), "ALARM" if begun else "over", name, stream,
                                              features.row[number]))
        if told:
            show(monitor.alarm, relay, led, relay_on)
        if told or features.minutes % 60 == 0:
            features.save(known)
            monitor.save(normal)
    for ring in (known, normal, events):
        ring.close()


def note(record, features, monitor, i):
    """Fill the 8 bytes of the log: minute, which watch, begun or over, value. Returns the number of its stream."""
    stream, name, begun = monitor.told(i)
    number = power.STREAMS.index(stream)
    minutes = features.minutes
    value = features.row[number]
    record[0] = minutes & 0xFF
    record[1] = minutes >> 8 & 0xFF
    record[2] = minutes >> 16 & 0xFF
    record[3] = number
    record[4] = 1 if begun else 0
    record[5] = 0
    record[6] = value & 0xFF
    record[7] = value >> 8 & 0xFF
    return number


def show(alarm, relay, led, relay_on):
    """Relay and LED say whether there is an alarm."""
    if alarm == relay_on:
        relay.on()
    else:
        relay.off()
    if alarm:
        led.on()
    else:
        led.off()


def log():
    """The alarms on the flash, oldest first: (minute, stream, begun, value)."""
    ring = Ring(LOG, 8, 200, renew=True)
    found = [(data[0] | data[1] << 8 | data[2] << 16, power.STREAMS[data[3]], data[4] == 1, data[6] | data[7] << 8)
             for _, data in ring]
    ring.close()
    return found


def clock(minutes):
    """``day 3 07:20``, counted from the first minute."""
    return "day %d %02d:%02d" % (minutes // 1440, minutes // 60 % 24, minutes % 60)


class File:
    """Seconds from a file in place of a clamp: a recording. Each minute of it takes a minute of the board's clock."""

    def __init__(self, path, skip):
        self._file = open(path, "rb")
        self._file.seek(120 * skip)
        self._next_ms = 0

    def start(self):
        self._next_ms = time.ticks_ms()

    def read_block(self, out):
        self._next_ms = time.ticks_add(self._next_ms, 60000)
        wait_ms = time.ticks_diff(self._next_ms, time.ticks_ms())
        if wait_ms > 0:
            time.sleep_ms(wait_ms)
        if self._file.readinto(out) != len(out) * 2:
            raise ValueError("the recording is over: give fewer minutes")
