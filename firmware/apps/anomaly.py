"""Watch a place, learn its normal, and say what is not: sensors, detectors, log, relay, sleep.

On the board, with a soil probe at the analogue pin and two DS18B20 on one wire; settings as JSON beside it::

    from apps.anomaly import main
    main("/soil.json", samples=144)         # a day; for ever without samples

    from apps.anomaly import show
    show()                                  # the log, also of the days before a power cut

The settings are those of ``anomaly.Monitor``, and for this app: ``sensors`` ("soil"), ``period_s``, ``slots``,
``dry_mv`` and ``wet_mv`` (what the probe gives in air and in water), ``save_every`` (samples from save to save). Another
kind of device is another function in ``SENSORS``, not another app.

What it has learned is saved every ``save_every`` samples and with every alarm; the log has a record for each alarm that
begins or ends. Both survive a power cut. The clock does not: after one, the hour counts on from the last save.
"""

import json
import time
from array import array

import boards
import machine
from anomaly import Monitor
from ring import Ring

KEPT = 200  # alarms
RECORD = 8  # sample number (4 bytes), watch, begun, value (2)


class Device:
    """``sample()`` reads, decides, acts and remembers, once. ``number``: samples since the first start.

    ``read``: fills an ``array("h")``, one value for each stream; default: as the settings say.
    """

    def __init__(self, settings, path="/anomaly", read=None):
        self.settings = settings
        self.monitor = Monitor(settings)
        self.values = array("h", bytes(2 * len(self.monitor.streams)))
        self.read = SENSORS[settings["sensors"]](settings) if read is None else read
        self.log = Ring(path + ".log", RECORD, KEPT)
        self.clock = Ring(path + ".clock", 4, 1)
        self.memory = Ring(path + ".state", self.monitor.state_bytes, 1, renew=True)
        self.knows = self.monitor.restore(self.memory)
        self.number = 0
        for _, data in self.clock:
            self.number = int.from_bytes(data, "little")
        self.every = settings.get("save_every", 36)
        self.slots = settings.get("slots", 24)
        self.per_slot = 86400 // settings["period_s"] // self.slots
        self.relay = boards.relay()
        self._record = bytearray(RECORD)
        self._number = bytearray(4)
        self._act()

    def sample(self):
        """How many alarms began or ended; ``monitor.told(i)`` says which."""
        self.read(self.values)
        told = self.monitor.update(self.values, self.number // self.per_slot % self.slots)
        for i in range(told):
            self._write(i)
        self.number += 1
        if told or self.number % self.every == 0:
            self._put(self._number, self.number)
            self.monitor.save(self.memory)
            self.clock.append(self._number)
            self._act()
        return told

    def _write(self, i):
        record = self._record
        self._put(record, self.number)
        watch = self.monitor.watch_of(i)
        record[4] = watch
        record[5] = self.monitor.begun(i)
        value = self.values[self.monitor.stream_of(watch)]
        record[6] = value & 0xFF
        record[7] = value >> 8 & 0xFF
        self.log.append(record)

    def _put(self, buffer, number):
        for i in range(4):
            buffer[i] = number >> 8 * i & 0xFF

    def _act(self):
        if self.monitor.alarm:
            self.relay.on()
        else:
            self.relay.off()


class Soil:
    """Moisture in 0.01 percent from the probe's voltage, temperatures in 1/16 degC, minutes of the valve."""

    def __init__(self, settings):
        self.adc = boards.adc()
        self.dry = settings.get("dry_mv", 2600)
        self.wet = settings.get("wet_mv", 1200)
        self.sensors, self.roms = boards.thermometers()
        self.valve_min = 0  # whoever opens the valve says so here

    def __call__(self, values):
        millivolts = self.adc.read_u16() * 3300 // 65535
        values[0] = max(0, min(10000, (self.dry - millivolts) * 10000 // (self.dry - self.wet)))
        self.sensors.convert_temp()
        time.sleep_ms(750)
        for i in range(2):
            values[1 + i] = round(16 * self.sensors.read_temp(self.roms[i])) if i < len(self.roms) else 0
        values[3] = self.valve_min


SENSORS = {"soil": Soil}


def main(settings="/soil.json", samples=None, path="/anomaly"):
    """Watch for ever, or for so many samples; sleep between them."""
    with open(settings) as file:
        settings = json.load(file)
    device = Device(settings, path)
    print("it knows its place" if device.knows else "it begins to learn")
    done = 0
    while samples is None or done < samples:
        began_ms = time.ticks_ms()
        for i in range(device.sample()):
            stream, name, begun = device.monitor.told(i)
            print("%d %s %s %s" % (device.number - 1, stream, name, "begins" if begun else "is over"))
        done += 1
        left_ms = 1000 * settings["period_s"] - time.ticks_diff(time.ticks_ms(), began_ms)
        if left_ms > 0:
            machine.lightsleep(left_ms)


def show(settings="/soil.json", path="/anomaly"):
    """Print the log, oldest first."""
    with open(settings) as file:
        names = Monitor(json.load(file)).names
    for _, data in Ring(path + ".log", RECORD, KEPT):
        number = int.from_bytes(data[:4], "little")
        print("%d %s %s %s" % (number, names[data[4]][0], names[data[4]][1], "begins" if data[5] else "is over"))
