"""Teach the board by showing: "this is a wave", five times, and it knows yours. Nothing is trained anywhere else.

On the board, with a scaler that ``learn.Running`` has made from windows of summary features::

    from apps.teach import Teacher
    teacher = Teacher("/models/scaler.bin")
    teacher.show("wave")            # move it now: five windows, 1.28 s each
    teacher.show("idle")
    teacher.watch()                 # says what it takes each of ten windows for
    teacher.save()                  # kept in /taught.bin; the next Teacher goes on from there
"""

import os
from array import array

import boards
from learn import Neighbours, load
from motion import Summary


class Teacher:
    """Nearest neighbours on windows of the motion sensor.

    ``scaler``: path of a saved ``learn.Scaler`` for the 14 summary features. ``path``: where the examples are kept;
    those that are there already are loaded. ``room``: examples that are kept. ``k``: neighbours that vote.
    """

    def __init__(self, scaler, path="/taught.bin", room=40, k=3, rate_hz=100):
        params = {"window": 128, "channels": 6}
        self.path = path
        self.summary = Summary(params)
        self.features = array("i", bytes(4 * self.summary.size))
        self.window = array("h", bytes(2 * params["window"] * params["channels"]))
        quarter = len(self.window) // 4  # the sensor's own memory holds no whole window
        self.quarters = [memoryview(self.window)[i * quarter:(i + 1) * quarter] for i in range(4)]
        self.knn = load(path) if _exists(path) else Neighbours(self.summary.size, room, k, load(scaler))
        self.imu = boards.accelerometer(rate_hz=rate_hz)
        self.led = boards.led()

    def show(self, label, examples=5):
        """Learn the next windows as ``label``. The LED is on while it looks."""
        self.led.on()
        self.imu.start()
        for _ in range(examples):
            self.knn.add(self._look(), label)
        self.led.off()
        print("%d examples of %s, %d in all" % (self.knn.examples(label), label, self.knn.count))

    def watch(self, windows=10):
        """Say what each of the next windows is taken for, and how far the nearest example is."""
        self.imu.start()
        for _ in range(windows):
            label = self.knn.predict(self._look())
            print("%s %d" % (label, self.knn.distance))

    def save(self):
        """Keep the examples in flash; a power cut leaves those of the last time."""
        self.knn.save(self.path)

    def _look(self):
        for quarter in self.quarters:
            self.imu.read_block(quarter)
        return self.summary.compute(self.window, self.features)


def main(scaler="/models/scaler.bin", labels=("idle", "wave"), examples=5, windows=20):
    """Ask for each label in turn, keep what was shown, then watch."""
    teacher = Teacher(scaler)
    for label in labels:
        print("show me: %s, %d times 1.28 s" % (label, examples))
        teacher.show(label, examples)
    teacher.save()
    teacher.watch(windows)


def _exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False
