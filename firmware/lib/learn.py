"""Learn on the board, one example at a time: nearest neighbours, running mean and variance, moving centres.

"Show me five examples"::

    from learn import Neighbours, load

    knn = Neighbours(192, room=32)                 # up to 32 examples of 192 int8 features
    knn.add(features, "wave")                      # once for each example that you show
    print(knn.predict(features), knn.distance)
    knn.save("/wave.knn")                          # and after the next start: knn = load("/wave.knn")

Features of other sizes, counts of a sensor for example, are brought to int8 by a scaler, which is learned too::

    running = Running(14)
    running.update(features)                       # once for each window
    knn = Neighbours(14, scaler=running.scaler())

All of it computes with whole numbers: every board gives the same answers, to the last bit, and an int8 difference
squared is so small that 16,000 of them add up below 2**30, where integers take no memory. So ``predict`` and ``scale``
allocate nothing, however often they are called. Memory is taken once, by the constructor.

``save`` never leaves half a file: it writes another one beside it, flushes that to the flash, and renames it. Whenever
the power goes, there is the old file or the new one. ``load`` checks length and CRC. Flash wears out: save after a
lesson, not after each sample.
"""

import json
import os
from array import array

try:
    from binascii import crc32
except ImportError:  # small builds of MicroPython
    def crc32(data, crc=0):
        crc ^= 0xFFFFFFFF
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
        return crc ^ 0xFFFFFFFF

_MAGIC = b"learned1\n"
_NEW = ".new"  # after the name of a file that is being written


class Neighbours:
    """k nearest neighbours: an example is kept as it is, an answer is the vote of the ``k`` that are nearest.

    ``size``: features of an example. ``room``: examples that are kept, ``room * size`` bytes; when it is full, the
    oldest example of the class that has most of them makes room. ``k``: how many vote. ``scaler``: from
    ``Running.scaler()``; without one the features are int8.

    Squared Euclidean distance. Of two equally near examples the older one counts; if classes have equally many votes,
    the one with the nearest example wins.
    """

    def __init__(self, size, room=32, k=3, scaler=None):
        if not 0 < size <= 16000 or not 0 < room < 1000 or not 0 < k <= room:
            raise ValueError("expected 1 to 16000 features, room for 1 to 999 examples, and a k from 1 to room; "
                             "found size %r, room %r, k %r" % (size, room, k))
        if scaler is not None and scaler.size != size:
            raise ValueError("the scaler is for %d features, the examples have %d" % (scaler.size, size))
        self.size = size
        self.room = room
        self.k = k
        self.scaler = scaler
        self.classes = []  # labels, in the order in which they were first shown
        self.count = 0  # examples that are kept
        self.distance = None  # from the last asked example to the nearest one, squared
        self._rows = array("b", bytes(room * size))  # oldest first
        self._class = bytearray(room)
        self._example = array("b", bytes(size))
        self._nearest = array("i", bytes(4 * k))  # squared distances, nearest first, and of which class
        self._whose = bytearray(k)
        self._votes = bytearray(255)

    def add(self, x, label):
        """Remember an example. ``label``: text, or whatever JSON can hold."""
        x = self._scaled(x)
        for value in x:
            if not -128 <= value <= 127:
                raise ValueError("expected int8 features, -128 to 127, found %r; "
                                 "give a scaler for others: Running(size).scaler()" % value)
        if label not in self.classes:
            if len(self.classes) == 255:
                raise ValueError("255 classes are known, there is no room for %r" % (label,))
            self.classes.append(label)
        if self.count == self.room:
            self._remove(self._oldest_of(self._largest()))
        first = self.count * self.size
        for i in range(self.size):
            self._rows[first + i] = x[i]
        self._class[self.count] = self.classes.index(label)
        self.count += 1

    def predict(self, x):
        """The label of ``x``; afterwards ``distance`` says how far the nearest example is. Allocates nothing."""
        if not self.count:
            raise ValueError("nothing learned yet: show at least one example, add(x, label)")
        x = self._scaled(x)
        size = self.size
        rows = self._rows
        nearest = self._nearest
        whose = self._whose
        k = min(self.k, self.count)
        found = 0
        at = 0
        for row in range(self.count):
            # Enough is known once it is farther than the k-th.
            limit = nearest[k - 1] if found == k else 0x3FFFFFFF
            distance = 0
            for i in range(size):
                d = x[i] - rows[at + i]
                distance += d * d
                if distance >= limit:
                    break
            else:
                if found < k:
                    found += 1
                place = found - 1
                while place and nearest[place - 1] > distance:
                    nearest[place] = nearest[place - 1]
                    whose[place] = whose[place - 1]
                    place -= 1
                nearest[place] = distance
                whose[place] = self._class[row]
            at += size
        self.distance = nearest[0]
        return self.classes[self._most_voted(found)]

    def examples(self, label):
        """How many examples of a label are kept."""
        return self._count_of(self._number(label))

    def forget(self, label=None):
        """Forget one label, or all."""
        if label is None:
            self.classes = []
            self.count = 0
            return
        gone = self._number(label)
        for row in range(self.count - 1, -1, -1):
            if self._class[row] == gone:
                self._remove(row)
            elif self._class[row] > gone:
                self._class[row] -= 1
        self.classes.pop(gone)

    def save(self, path):
        """Write it to the flash; a power cut leaves the old file."""
        about = {"kind": "neighbours", "size": self.size, "room": self.room, "k": self.k, "count": self.count,
                 "classes": self.classes, "scaled": self.scaler is not None}
        parts = [memoryview(self._rows)[:self.count * self.size], memoryview(self._class)[:self.count]]
        if self.scaler is not None:
            parts += [self.scaler.low, self.scaler.high]
        _save(path, about, parts)

    @classmethod
    def _restore(cls, about, data):
        size = about["size"]
        count = about["count"]
        scaler = None
        if about["scaled"]:
            data, scaler = data[:-8 * size], Scaler._restore({"size": size}, data[-8 * size:])
        made = cls(size, about["room"], about["k"], scaler)
        made.classes = about["classes"]
        made.count = count
        made._rows = array("b", data[:count * size] + bytes((about["room"] - count) * size))
        made._class[:count] = data[count * size:]
        return made

    def _scaled(self, x):
        if len(x) != self.size:
            raise ValueError("an example of %d features was expected, %d found" % (self.size, len(x)))
        return x if self.scaler is None else self.scaler.scale(x, self._example)

    def _most_voted(self, found):
        votes = self._votes
        whose = self._whose
        for i in range(found):
            votes[whose[i]] = 0
        for i in range(found):
            votes[whose[i]] += 1
        best = whose[0]
        for i in range(1, found):
            if votes[whose[i]] > votes[best]:
                best = whose[i]
        return best

    def _number(self, label):
        if label not in self.classes:
            raise ValueError("no examples of %r; there are %s" % (label, ", ".join(map(str, self.classes)) or "none"))
        return self.classes.index(label)

    def _count_of(self, number):
        return sum(1 for row in range(self.count) if self._class[row] == number)

    def _largest(self):
        return max(range(len(self.classes)), key=self._count_of)

    def _oldest_of(self, number):
        for row in range(self.count):
            if self._class[row] == number:
                return row

    def _remove(self, row):
        size = self.size
        rows = memoryview(self._rows)
        rows[row * size:(self.count - 1) * size] = rows[(row + 1) * size:self.count * size]
        numbers = memoryview(self._class)
        numbers[row:self.count - 1] = numbers[row + 1:self.count]
        self.count -= 1


class Running:
    """Mean and variance of each feature, without keeping the samples.

    It keeps how many, their sum, and the sum of their squares, as whole numbers. Those grow as large as they must, so
    nothing is ever rounded: mean and variance are exact, after ten samples as after a million. (Welford's well-known
    formula is the remedy for *floats*, whose sum of squares loses its last digits. Numbers that are no integers must
    be made integers: 23.4 degrees are 234 tenths.)
    """

    def __init__(self, size):
        if size < 1:
            raise ValueError("expected at least 1 feature, found %r" % size)
        self.size = size
        self.count = 0
        self._sum = [0] * size
        self._squares = [0] * size

    def update(self, x):
        """Take one sample: ``size`` integers."""
        if len(x) != self.size:
            raise ValueError("a sample of %d features was expected, %d found" % (self.size, len(x)))
        for value in x:
            if not isinstance(value, int):
                raise ValueError("expected integers, found %r; 23.4 degrees are 234 tenths" % (value,))
        for i in range(self.size):
            self._sum[i] += x[i]
            self._squares[i] += x[i] * x[i]
        self.count += 1

    def mean(self, i):
        """Mean of feature ``i``."""
        self._need(1)
        return self._sum[i] / self.count

    def variance(self, i):
        """Mean squared distance from the mean of feature ``i``, as NumPy's ``var``."""
        self._need(1)
        return (self.count * self._squares[i] - self._sum[i] * self._sum[i]) / (self.count * self.count)

    def scaler(self):
        """What brings features to int8: four standard deviations to both sides of the mean fill -128 to 127."""
        self._need(2)
        low = array("i", bytes(4 * self.size))
        high = array("i", bytes(4 * self.size))
        for i in range(self.size):
            n = self.count
            reach = _root(16 * (n * self._squares[i] - self._sum[i] * self._sum[i])) // n
            low[i] = _int32(self._sum[i] // n - reach)
            high[i] = _int32(self._sum[i] // n + reach + 1)
        return Scaler(low, high)

    def save(self, path):
        """Write it to the flash; a power cut leaves the old file."""
        _save(path, {"kind": "running", "size": self.size, "count": self.count, "sum": self._sum,
                     "squares": self._squares}, [])

    @classmethod
    def _restore(cls, about, data):
        made = cls(about["size"])
        made.count, made._sum, made._squares = about["count"], about["sum"], about["squares"]
        return made

    def _need(self, samples):
        if self.count < samples:
            raise ValueError("at least %d samples are needed, %d came so far: update(x)" % (samples, self.count))


class Scaler:
    """Integers of any size to int8: ``low`` and below becomes -128, ``high`` and above 127, linear between.

    ``low``, ``high``: ``array("i")``, one for each feature, as ``Running.scaler()`` makes them.
    """

    def __init__(self, low, high):
        self.size = len(low)
        self.low = low
        self.high = high
        # (x - low) * 256 stays below 2**30 if both are shifted until their distance is below 2**22.
        self._shift = bytearray(self.size)
        for i in range(self.size):
            while (high[i] - low[i]) >> self._shift[i] >= 1 << 22:
                self._shift[i] += 1

    def scale(self, x, out):
        """Fill ``out`` (``array("b")``) from ``x``, integers. Allocates nothing."""
        if len(x) != self.size or len(out) != self.size:
            raise ValueError("%d features and room for as many were expected, %d and %d found"
                             % (self.size, len(x), len(out)))
        for i in range(self.size):
            value = x[i]
            low = self.low[i]
            high = self.high[i]
            if value <= low:
                out[i] = -128
            elif value >= high:
                out[i] = 127
            else:
                shift = self._shift[i]
                out[i] = ((value - low) >> shift) * 256 // ((high - low) >> shift) - 128
        return out

    def save(self, path):
        """Write it to the flash; a power cut leaves the old file."""
        _save(path, {"kind": "scaler", "size": self.size}, [self.low, self.high])

    @classmethod
    def _restore(cls, about, data):
        half = 4 * about["size"]
        return cls(array("i", data[:half]), array("i", data[half:]))


class Centres:
    """Online k-means: ``k`` centres, of which the nearest one moves a little towards each new sample.

    After ``n`` samples a centre has moved by ``(x - centre) / n`` the n-th time, so it is the mean of its samples
    (MacQueen 1967). From ``memory`` samples on the step is ``1 / memory``: it follows what slowly changes. The first
    ``k`` different samples are where the centres begin. ``size``: int8 features of a sample.
    """

    def __init__(self, size, k, memory=1000):
        if not 0 < size <= 16000 or not 0 < k < 256 or not 0 < memory < 1 << 20:
            raise ValueError("expected 1 to 16000 features, 1 to 255 centres, and a memory of 1 to 1048575 samples; "
                             "found size %r, k %r, memory %r" % (size, k, memory))
        self.size = size
        self.k = k
        self.memory = memory
        self.started = 0  # centres that have begun
        self.distance = None  # of the last sample to its centre, squared
        self.counts = array("i", bytes(4 * k))  # samples of each centre, up to `memory`
        self._centres = array("i", bytes(4 * k * size))  # in 1/65536

    def update(self, x):
        """Learn from ``x`` (int8 features); the number of its centre, 0 to k - 1. Allocates nothing."""
        number = self.predict(x) if self.started else 0
        if self.started < self.k and (not self.started or self.distance):
            number = self.started
            self.started += 1
            self.distance = 0
        first = number * self.size
        n = self.counts[number]
        if n < self.memory:
            n += 1
            self.counts[number] = n
        centres = self._centres
        half = n >> 1
        for i in range(self.size):
            here = centres[first + i]
            centres[first + i] = here + ((x[i] << 16) - here + half) // n
        return number

    def predict(self, x):
        """The number of the nearest centre; afterwards ``distance`` says how far it is. Allocates nothing."""
        if len(x) != self.size:
            raise ValueError("a sample of %d features was expected, %d found" % (self.size, len(x)))
        if not self.started:
            raise ValueError("no centre has begun: update(x) first")
        centres = self._centres
        best = 0
        least = 0x3FFFFFFF
        at = 0
        for number in range(self.started):
            distance = 0
            for i in range(self.size):
                d = x[i] - ((centres[at + i] + 0x8000) >> 16)
                distance += d * d
            if distance < least:
                least = distance
                best = number
            at += self.size
        self.distance = least
        return best

    def centre(self, number):
        """Where a centre is: a list of floats."""
        return [value / 65536 for value in self._centres[number * self.size:(number + 1) * self.size]]

    def save(self, path):
        """Write it to the flash; a power cut leaves the old file."""
        _save(path, {"kind": "centres", "size": self.size, "k": self.k, "memory": self.memory,
                     "started": self.started}, [self.counts, self._centres])

    @classmethod
    def _restore(cls, about, data):
        made = cls(about["size"], about["k"], about["memory"])
        made.started = about["started"]
        made.counts = array("i", data[:4 * made.k])
        made._centres = array("i", data[4 * made.k:])
        return made


_KINDS = {"neighbours": Neighbours, "running": Running, "scaler": Scaler, "centres": Centres}


def load(path):
    """What ``save`` wrote: a Neighbours, Running, Scaler or Centres."""
    for name in (path, path + _NEW):  # FAT cannot rename over a file: a power cut may leave the new one under its name
        try:
            with open(name, "rb") as file:
                data = file.read()
            break
        except OSError:
            pass
    else:
        raise ValueError("no file %s on the board: learn first, then save(%r)" % (path, path))
    if data[:len(_MAGIC)] != _MAGIC or int.from_bytes(data[-4:], "little") != crc32(data[:-4]):
        raise ValueError("%s is damaged, or was not saved by learn: its CRC is wrong. Learn and save again" % path)
    end = data.index(b"\n", len(_MAGIC))
    about = json.loads(data[len(_MAGIC):end].decode())
    if about["kind"] not in _KINDS:
        raise ValueError("%s holds %r; this learn.py knows %s" % (path, about["kind"], ", ".join(sorted(_KINDS))))
    return _KINDS[about["kind"]]._restore(about, data[end + 1:-4])


def _save(path, about, parts):
    parts = [_MAGIC + json.dumps(about).encode() + b"\n"] + parts
    crc = 0
    try:
        with open(path + _NEW, "wb") as file:
            for part in parts:
                file.write(part)
                crc = crc32(part, crc)
            file.write(crc.to_bytes(4, "little"))
            file.flush()
        if hasattr(os, "sync"):
            os.sync()
    except OSError as error:
        try:
            os.remove(path + _NEW)
        except OSError:
            pass
        raise OSError(error.args[0], "could not save %s; the old file, if there was one, is still there. "
                                     "If the flash is full, remove files" % path)
    try:
        os.rename(path + _NEW, path)
    except OSError:  # FAT; `load` finds the new file if the power goes between these two lines
        os.remove(path)
        os.rename(path + _NEW, path)


def _int32(value):
    return max(-0x80000000, min(0x7FFFFFFF, value))


def _root(n):
    """The integer square root, by Newton's method."""
    if n < 2:
        return n
    x = 1 << (len(bin(n)) // 2)
    while True:
        y = (x + n // x) >> 1
        if y >= x:
            return x
        x = y
