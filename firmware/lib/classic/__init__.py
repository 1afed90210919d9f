"""Run a classical model on a board: what ``edgekit.convert.to_board`` made of a fitted scikit-learn pipeline.

    import classic
    model = classic.load_model('/models/forest.bin')
    model.predict(x)              # a class, or a number
    model.predict_proba(x)        # one probability for each of model.classes

``x``: one number for each of the model's features; ``model.columns`` are their names. Without a copy: fill
``model.input``, an ``array("f")``, and call ``model.predict()``.

The answers are scikit-learn's. The C kernels (see ``firmware/native/classic.c``) allocate nothing; nor do trees in
Python, whose leaves hold classes, because they compare integers. Other models make floats in Python, which on most
boards take 16 bytes each until the garbage collector comes. docs/classic.md says how the file is built.
"""

import json
import os
from array import array
from io import BytesIO
from struct import pack_into

from . import finish
from .common import DAMAGED, ITEM_BYTES, KINDS, check, damaged, room, zeros

try:
    from binascii import crc32
except ImportError:  # small builds of MicroPython; what the file holds is checked all the same
    crc32 = None
try:
    import uctypes  # noqa: F401 - only MicroPython has it
    _COPIES = True
except ImportError:  # CPython
    _COPIES = False

__all__ = ["load_model", "Model"]

_MAGIC = b"EKC1"
_HEAD_BYTES = 20


def load_model(source, kernels=None):
    """Load a classical model.

    Parameters
    ----------
    source : str, bytes, bytearray or memoryview
        Path of the file, or what the file holds. Each array is read straight to where it stays: the file is never in
        memory as a whole.
    kernels : Kernels, optional
        Kernels in C. None: those of this board if it has some; False: Python only.

    Returns
    -------
    Model

    Raises
    ------
    ValueError
        The file is damaged or from another version; the message says what to do.
    MemoryError
        The model does not fit; the message says how many bytes it needs.
    """
    size = len(source)
    if isinstance(source, str):
        try:
            size = os.stat(source)[6]
            stream = open(source, "rb")
        except OSError as error:
            raise OSError(error.args[0], "cannot read the model %r: copy it to the board first, or check the path"
                          % source)
    else:
        stream = BytesIO(source)
    try:
        return Model(_Reader(stream, size), find_kernels() if kernels is None else kernels)
    except MemoryError:
        raise MemoryError("the model of %d bytes does not fit into memory; free memory (gc.collect()), load the model "
                          "first, or use a smaller one" % size)
    finally:
        stream.close()


def find_kernels():
    """This board's `Kernels`, or None."""
    try:
        import classic_kernels
    except ImportError:
        return None
    return Kernels(classic_kernels)


class Kernels:
    """Kernels that work on this board's own memory."""

    def __init__(self, functions):
        from uctypes import addressof
        self.functions = functions
        self.address = addressof

    def place(self, buffer):
        """The buffer where the kernels can reach it: it is there already."""
        return buffer

    def call(self, function, numbers, addresses, keep):
        return lambda numbers=numbers, addresses=addresses, keep=keep: function(numbers, addresses)


class _Reader:
    """A file, read once from its beginning to its end: numbers and arrays, each checked against what is left."""

    def __init__(self, stream, size):
        self.stream = stream
        self.left = size
        self.crc = 0
        if size < _HEAD_BYTES:
            raise ValueError("this is no classical model: %d bytes are too few. %s" % (size, DAMAGED))
        magic = bytearray(4)
        stream.readinto(magic)
        if magic != _MAGIC:
            raise ValueError("this is no classical model: it begins with %r, not with %r. Make one with "
                             "edgekit.convert.to_board" % (bytes(magic), _MAGIC))
        self.left -= 4
        self.expected = self.word()
        if self.word() != size:
            raise damaged("its length is another than it says")
        self.crc = 0

    def array(self, typecode, count):
        if typecode not in ITEM_BYTES:
            raise damaged("it has an array of an unknown type")
        size = count * ITEM_BYTES[typecode]
        if size > self.left:
            raise damaged("an array goes beyond its end")
        values = room(typecode, count)
        if size and self.stream.readinto(values) != size:
            raise damaged("it ends too early")
        self.left -= size
        if crc32:
            self.crc = crc32(values, self.crc)
        return values

    def bytes(self, count):
        return self.array("B", count)

    def word(self):
        b = self.bytes(4)
        return b[0] | b[1] << 8 | b[2] << 16 | b[3] << 24

    def finish(self):
        if self.left:
            raise damaged("there is more than it says")
        if crc32 and self.crc != self.expected:
            raise damaged("its check sum is wrong")


class Model:
    """A loaded model.

    Attributes
    ----------
    input : array of float32
        One value for each feature.
    columns : list of str, or None
        Names of the features, if the pipeline was fitted with names.
    classes : list of int, str, float or bool
        What `predict` gives; empty for a regressor.
    bytes : int
        Length of the file.
    steps : list
        What is computed, one after the other; the last one decides.
    """

    def __init__(self, reader, kernels=None):
        self.bytes = reader.left + 12
        head = reader.bytes(4)
        features, steps = head[0] | head[1] << 8, head[2]
        text = bytes(reader.bytes(reader.word()))
        raw = []
        for _ in range(steps):
            kind, numbers, arrays, _ = reader.bytes(4)
            numbers = reader.array("i", numbers)
            buffers, types = [], ""
            for _ in range(arrays):
                word = reader.word()
                types += chr(word & 255)
                buffers.append(reader.array(types[-1], word >> 8))
            raw.append((kind, numbers, buffers, types))
        reader.finish()
        # From here on the file is as it was written; what follows guards against files written by others.
        try:
            about = json.loads(text.decode())
            self.columns = about.get("columns")
            self.classes = about.get("classes", [])
        except (ValueError, AttributeError):
            raise damaged("its text cannot be read")
        if not isinstance(self.classes, list) or self.columns is not None and (
                not isinstance(self.columns, list) or len(self.columns) != features):
            raise damaged("its text does not fit its numbers")
        if not features or not raw or raw[-1][0] != KINDS["finish"]:
            raise damaged("it has no features, or no last step")
        place = kernels.place if kernels else _same
        self.input = place(zeros("f", features))
        self.steps, before = [], _Input(self.input)
        for kind, numbers, buffers, types in raw:
            check(before.scored == (kind == KINDS["finish"]), "its steps do not follow each other")
            before = _make(kind)(numbers, [place(buffer) for buffer in buffers], types, before, place)
            self.steps.append(before)
        self._finish = self.steps[-1]
        if self._finish.classes != len(self.classes):
            raise damaged("it has %d classes and names %d" % (self._finish.classes, len(self.classes)))
        self._floats = None
        self._size = features
        self._format = "%df" % features
        self._copy = "%ds" % (4 * features)
        self._run = _bind(self, kernels) if kernels else self._run_python

    def predict(self, x=None):
        """The class of one sample, or the number that a regressor says.

        Parameters
        ----------
        x : sequence of float or int, or dict, optional
            One value for each feature. A dict is read by the names in `columns`. None: `input` is filled already.
            An ``array("f")`` is copied fastest.

        Returns
        -------
        int, str, bool or float

        Raises
        ------
        ValueError
            Wrong number of values, or a name is missing; the message says what was expected.
        """
        if x is not None:
            self.set_input(x)
        finish = self._finish
        finish.numbers[0] = 0
        self._run()
        if self.classes:
            return self.classes[finish.result[0]]
        return finish.output[0]

    def predict_proba(self, x=None):
        """A probability for each of `classes`.

        Parameters
        ----------
        x
            As for `predict`.

        Returns
        -------
        list of float

        Raises
        ------
        ValueError
            As for `predict`; or this model has no probabilities.
        """
        finish = self._finish
        if not finish.has_probabilities:
            raise ValueError("this model says classes, no probabilities: use predict, or a model that has some on a board "
                             "(LogisticRegression, a forest, MLPClassifier)"
                             if finish.has_scores else "this model says numbers, no classes: use predict")
        if x is not None:
            self.set_input(x)
        finish.numbers[0] = 1
        self._run()
        return list(finish.output)

    def decision_function(self, x=None):
        """The scores behind the last decision: for each class or pair of classes, as the file holds them.

        Parameters
        ----------
        x
            As for `predict`.

        Returns
        -------
        list of float or int
        """
        if x is not None:
            self.set_input(x)
        self._finish.numbers[0] = 1
        self._run()
        return list(self._finish.scores)

    def set_input(self, x):
        """Fill `input` by the rules of `predict`."""
        if isinstance(x, dict):
            x = self._by_name(x)
        if len(x) != self._size:
            raise ValueError("expected %d values%s, got %d" % (self._size, _listed(self.columns), len(x)))
        if x is self.input:
            return
        if _COPIES and isinstance(x, array) and (x is self._floats or isinstance(x[0], float)):
            self._floats = x  # looking for its type takes memory: once
            pack_into(self._copy, self.input, 0, x)
            return
        try:
            pack_into(self._format, self.input, 0, *x)
        except OverflowError:  # CPython only: too large for a float32
            for i in range(len(x)):
                self.input[i] = x[i]

    def _by_name(self, x):
        self.check_columns(x)
        return [x[name] for name in self.columns]

    def check_columns(self, names):
        """Refuse columns other than those of `columns`.

        Parameters
        ----------
        names : dict or sequence of str
            A dict may have more, in any order; a sequence must be the same in the same order.

        Raises
        ------
        ValueError
            The message names what is missing.
        """
        if self.columns is None:
            raise ValueError("this model was made without names of columns: give %d values in the order of training, "
                             "or convert again with columns=" % self._size)
        missing = [name for name in self.columns if name not in names]
        if missing:
            raise ValueError("the model needs %s, which is not offered; it was trained on %s"
                             % (", ".join(missing), ", ".join(self.columns)))
        if not isinstance(names, dict) and list(names) != self.columns:
            raise ValueError("the columns are %s; the model was trained on %s, in this order"
                             % (", ".join(names), ", ".join(self.columns)))

    @property
    def work(self):
        """What one prediction computes: a dict such as {"comparisons": 120, "macs": 0}; trees as if each were as deep
        as it gets."""
        total = {"comparisons": 0, "macs": 0}
        for step in self.steps:
            total["comparisons"] += step.comparisons
            total["macs"] += step.macs
        return total

    def details(self):
        """Print what is in the file."""
        work = self.work
        print("input   %d features%s" % (self._size, _listed(self.columns)))
        print("output  %s" % (", ".join([str(name) for name in self.classes]) or "a number"))
        print("file    %d bytes; at most %d comparisons, %d MACs" % (self.bytes, work["comparisons"], work["macs"]))
        for step in self.steps:
            print("%-12s %s" % (step.name, step.describe()))

    def _run_python(self):
        for step in self.steps:
            step.run()


def _same(buffer):
    return buffer


def _listed(columns):
    return " (%s)" % ", ".join(columns) if columns else ""


class _Input:
    """What comes before the first step."""

    scored = False

    def __init__(self, output):
        self.output = output


def _make(kind):
    """The class of a step; only what the file needs is imported."""
    if kind == KINDS["finish"]:
        return finish.Finish
    if kind == KINDS["trees"]:
        from .trees import Trees
        return Trees
    if kind == KINDS["linear"]:
        from .linear import Linear
        return Linear
    if kind in (KINDS["scale"], KINDS["select"], KINDS["impute"]):
        from . import columns
        return {KINDS["scale"]: columns.Scale, KINDS["select"]: columns.Select}.get(kind, columns.Impute)
    if kind in (KINDS["svm"], KINDS["centres"], KINDS["neighbours"], KINDS["bayes"]):
        from . import points
        return {KINDS["svm"]: points.Vectors, KINDS["centres"]: points.Centres,
                KINDS["neighbours"]: points.Neighbours}.get(kind, points.Bayes)
    raise ValueError("the model has a step of kind %d, which this library does not know: copy a newer "
                     "firmware/lib/classic to the board" % kind)


def _bind(model, kernels):
    """One call into C for the whole chain."""
    numbers, addresses = [len(model.steps)], []
    for step in model.steps:
        numbers += [step.kind, len(step.buffers)]
        addresses.append(kernels.address(step.numbers))
        addresses += [kernels.address(buffer) for buffer in step.buffers]
    numbers, addresses = kernels.place(array("i", numbers)), kernels.place(array("I", addresses))
    return kernels.call(kernels.functions.run, kernels.address(numbers), kernels.address(addresses), (numbers, addresses, model.steps))
