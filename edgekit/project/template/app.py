"""Is the laundry done? Look at the machine once a minute; light the LED when it has spun and then stands still.

    from apps.project import main
    main(looks=10)
"""

import json
import time
from array import array

import boards
import classic
from machine import lightsleep
from motion import Summary

CHUNK = 32        # samples that are read at once: the sensor keeps at most 85 for us
AFTER = "spin"    # first this ...
THEN = "still"    # ... and then this, twice in a row, means: done


class Detector:
    """Windows of sensor counts in, labels out: the part in which board and computer agree to the bit."""

    def __init__(self, folder="/models"):
        with open(folder + "/project.json") as file:
            self.params = json.load(file)
        self.model = classic.load_model(folder + "/project.bin")
        self.summary = Summary(self.params)
        self.model.check_columns(self.summary.names())
        # All memory is taken here: the loops below fill these again and again.
        self.features = array("i", bytes(4 * self.summary.size))
        self.window = array("h", bytes(2 * self.params["channels"] * self.params["window"]))

    def label(self):
        """What the model says about the window as it is now."""
        return self.model.predict(self.summary.compute(self.window, self.features))


class Looker:
    """Fills the detector's window from the sensor."""

    def __init__(self, detector):
        params = detector.params
        self.detector = detector
        self.imu = boards.accelerometer(rate_hz=params["rate_hz"])
        self.channels = params["channels"]
        self.stride = params["stride"]
        if self.stride % CHUNK:
            raise ValueError("stride is %d in project.yml, expected a multiple of %d" % (self.stride, CHUNK))
        self.block = array("h", bytes(2 * 6 * CHUNK))
        view = memoryview(detector.window)
        step = self.channels * CHUNK
        self.older, self.newer, self.latest = view[:-step], view[step:], view[-step:]
        self.fill = params["window"]

    def look(self):
        """Wake the sensor, see two windows, let it sleep. The label if both agree, else None."""
        self.imu.wake()
        self.imu.start()
        self._read(self.fill)
        first = self.detector.label()
        self._read(self.stride)
        second = self.detector.label()
        self.imu.sleep()
        return second if first == second else None

    def _read(self, samples):
        """Move the window on by so many samples. The sensor gives six channels, the model may want three."""
        block, latest, channels = self.block, self.latest, self.channels
        for _ in range(samples // CHUNK):
            self.imu.read_block(block)
            self.older[:] = self.newer
            for i in range(CHUNK):
                for channel in range(channels):
                    latest[i * channels + channel] = block[i * 6 + channel]


def main(looks=None, every_s=60):
    """Look for ever, or so many times, `every_s` seconds apart; say what changes, and when it is done."""
    detector = Detector()
    for label in (AFTER, THEN):
        if label not in detector.params["classes"]:
            raise ValueError("app.py waits for %r, the model knows %s: change AFTER and THEN in app.py"
                             % (label, ", ".join(detector.params["classes"])))
    looker = Looker(detector)
    led = boards.led()
    said = None
    ready = False  # has it spun?
    quiet = 0
    start_ms = time.ticks_ms()
    while looks is None or looks > 0:
        if looks is not None:
            looks -= 1
        label = looker.look()
        if label is not None and label != said:
            said = label
            print("%7.1f s  %s" % (time.ticks_diff(time.ticks_ms(), start_ms) / 1000, label))
        if label == AFTER:
            ready = True
            quiet = 0
            led.off()
        elif label == THEN:
            quiet += 1
            if ready and quiet >= 2:
                ready = False
                led.on()
                print("%7.1f s  DONE" % (time.ticks_diff(time.ticks_ms(), start_ms) / 1000))
        elif label is not None:
            quiet = 0
        if every_s:
            lightsleep(1000 * every_s)


def replay(path):
    """Decide about recorded windows, one after the other: what the computer compares with."""
    detector = Detector()
    with open(path, "rb") as file:
        while file.readinto(detector.window):
            print(detector.label(), *detector.features)
