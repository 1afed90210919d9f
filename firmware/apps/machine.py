"""Watch a motor: every ten minutes 1.2 s of its vibration, sixteen numbers, how strange they are; alarm if it lasts.

On the board, with a model that ``edgekit.recipes.vibration`` has trained and the motor's plate (see ``put``)::

    from apps.machine import main
    main(frames=False)              # prints what it does

Between two measurements sensor and board sleep. Every measurement is a record in a ring on the flash, and an alarm is on
the flash before anybody hears of it: after a power cut the app knows what it knew before, and tells again what it may not
have told.
"""

import json
import sys
import time
from array import array

import boards
import machine as port
import tflite_micro as tflm
from frames import EVENT, HEADER, Encoder
from lsm6ds3 import LSM6DS3
from ring import Ring
from vibration import NAMES, SAMPLES, Vibration

# A record: kind, votes, score (32 bits), place of order 1 (16 bits), then the model's input: sixteen bytes.
RECORD_BYTES = 24
MEASURED, RAISED, CLEARED = 0, 1, 2
WORDS = ("measured", "raised", "cleared")


class Watcher:
    """The model, its input in integers, and the decision: ``needed`` of the last ``of`` measurements above the limit."""

    def __init__(self, about, model, needed=3, of=5):
        self.mean, self.factor = about["mean"], about["factor"]
        self.zero_point, self.output_factor = about["zero_point"], about["output_factor"]
        self.limit = about["limit"]
        self.model = model
        self.needed = needed
        self.votes = 0  # one bit for each measurement, the newest is bit 0
        self._mask = (1 << of) - 1
        self.alarm = False
        self.score = 0
        self.input = array("b", bytes(len(self.mean)))  # a copy: a model may use its input's memory again

    def update(self, features):
        """Give the sixteen numbers. Returns RAISED or CLEARED if the alarm changes now, else MEASURED."""
        model = self.model
        source = self.input
        for i in range(len(self.mean)):
            value = (features[i] - self.mean[i]) * self.factor[i] >> 8
            source[i] = 127 if value > 127 else -128 if value < -128 else value
            model.input[i] = source[i]
        model.invoke()
        out = model.output
        score = 0
        for i in range(len(self.mean)):
            # In eighths of an input's step; 13 bits at most, so that no sum leaves 31.
            value = source[i] * 64 - (out[i] - self.zero_point) * self.output_factor >> 3
            value = 8191 if value > 8191 else -8191 if value < -8191 else value
            score += value * value >> 4
        self.score = score
        self.votes = (self.votes << 1 | (1 if score > self.limit else 0)) & self._mask
        return self.decide()

    def decide(self):
        """What the votes say: raised by enough of them, cleared when none is left."""
        count = 0
        votes = self.votes
        while votes:
            count += votes & 1
            votes >>= 1
        if not self.alarm and count >= self.needed:
            self.alarm = True
            return RAISED
        if self.alarm and count == 0:
            self.alarm = False
            return CLEARED
        return MEASURED


def main(folder="/models/machine", measurements=None, period_s=600, needed=3, of=5, axis=2, log="/machine.log", frames=True):
    """Watch for ever, or for so many ``measurements``, one every ``period_s``.

    ``folder``: holds ``machine.tflite``, ``machine.json`` and ``plate.json``. ``needed``: so many of the last ``of``
    measurements must be strange. ``axis``: the one across the shaft: 0, 1 or 2. ``frames``: False prints lines instead.
    """
    with open(folder + "/machine.json") as file:
        about = json.load(file)
    with open(folder + "/plate.json") as file:
        plate = json.load(file)
    model = tflm.load_model(folder + "/machine.tflite")
    watcher = Watcher(about, model, needed, of)
    vibration = Vibration(plate)
    sensor = LSM6DS3(boards.i2c(), accel_scale=4, rate_hz=1660)  # an LSM6DSOX: its FIFO keeps up with a motor
    led, relay = boards.led(), boards.relay()
    samples = array("h", bytes(2 * SAMPLES))
    record = bytearray(RECORD_BYTES)
    ring = Ring(log, record_bytes=RECORD_BYTES, count=128)
    encoder = Encoder(sys.stdout.buffer.write if frames else ignore, max_payload=256)
    encoder.send(HEADER, json.dumps({"limit": watcher.limit, "needed": needed, "of": of}).encode())

    def tell(what):
        if frames:
            encoder.send(EVENT, json.dumps({"time_ms": time.ticks_ms(), "what": WORDS[what], "score": watcher.score,
                                            "strangest": NAMES[strangest(watcher.input)], "number": ring.next - 1}).encode())
        else:
            print("%10.1f s  %s: score %d, limit %d, most of all %s" % (time.ticks_ms() / 1000, WORDS[what], watcher.score,
                                                                       watcher.limit, NAMES[strangest(watcher.input)]))

    # After a power cut: as it was. The newest record has the votes; an alarm that was on is told once more.
    last = None
    for _, payload in ring:
        last = payload
    if last is not None:
        watcher.votes = last[1] & 0x7F & watcher._mask
        watcher.alarm = last[1] >= 0x80
        watcher.score = last[2] | last[3] << 8 | last[4] << 16 | last[5] << 24
        for i in range(len(NAMES)):
            watcher.input[i] = last[8 + i] - 256 if last[8 + i] > 127 else last[8 + i]
        if watcher.alarm:
            tell(RAISED)

    done = lost = 0
    while measurements is None or done < measurements:
        start_ms = time.ticks_ms()
        led.value(1 if watcher.alarm else 0)
        relay.value(1 if watcher.alarm else 0)
        if sensor.record(samples, axis):
            lost += 1  # a gap makes false lines: measure again
            continue
        sensor.sleep()
        vibration.compute(samples)
        what = watcher.update(vibration.features)
        done += 1
        record[0] = what
        record[1] = watcher.votes | (0x80 if watcher.alarm else 0)
        score = watcher.score
        for i in range(4):
            record[2 + i] = score & 0xFF
            score >>= 8
        record[6] = vibration.shaft & 0xFF
        record[7] = vibration.shaft >> 8
        for i in range(len(NAMES)):
            record[8 + i] = watcher.input[i] & 0xFF
        ring.append(record)
        if what != MEASURED:
            tell(what)
        led.value(1 if watcher.alarm else 0)
        relay.value(1 if watcher.alarm else 0)
        wait_ms = 1000 * period_s - time.ticks_diff(time.ticks_ms(), start_ms)
        if wait_ms > 0 and (measurements is None or done < measurements):
            port.lightsleep(wait_ms)
    print("%d measurements, %d with a gap, alarm %s" % (done, lost, "on" if watcher.alarm else "off"))


def strangest(values):
    """Which of the numbers is farthest from its mean."""
    best = 0
    for i in range(len(values)):
        if abs(values[i]) > abs(values[best]):
            best = i
    return best


def read_log(path="/machine.log"):
    """What is in the log: a list of (number, what, alarm, score, place of order 1 in 64ths of a bin, input)."""
    return [(number, WORDS[p[0]], p[1] >> 7, p[2] | p[3] << 8 | p[4] << 16 | p[5] << 24, p[6] | p[7] << 8,
             [value - 256 if value > 127 else value for value in p[8:24]])
            for number, p in Ring(path, record_bytes=RECORD_BYTES, count=128)]


def ignore(data):
    pass
