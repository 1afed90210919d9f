"""Read a .tflite file: a FlatBuffer of tables, with offsets instead of pointers.

>>> graph = Graph(data)                                        # doctest: +SKIP
>>> [operator.name for operator in graph.operators]            # doctest: +SKIP
['CONV_2D', 'SOFTMAX']

A table starts with a signed offset back to its vtable; the vtable says where each field lies, or 0 if the
field has its default value. A vector is a count and then its items. Layout: https://flatbuffers.dev/internals,
fields: schema.fbs of TensorFlow Lite. Every read is checked against the length of the file, nothing is followed
twice, and no memory is taken that the file does not hold, so that a damaged file ends in a ValueError.
"""

import struct

try:
    import uctypes

    def int8_view(data, start, count):
        """Items of ``data`` from ``start`` as signed bytes, in place (read by index only)."""
        layout = {"items": (uctypes.ARRAY | 0, uctypes.INT8 | count)}
        return uctypes.struct(uctypes.addressof(data) + start, layout).items

    def typed_view(data, start, count, type_):
        """As `int8_view` for float32, int32 and int16, at any address."""
        code = uctypes.FLOAT32 if type_ == FLOAT32 else uctypes.INT16 if type_ == INT16 else uctypes.INT32
        layout = {"items": (uctypes.ARRAY | 0, code | count)}
        return uctypes.struct(uctypes.addressof(data) + start, layout, uctypes.LITTLE_ENDIAN).items
except ImportError:  # CPython

    def int8_view(data, start, count):
        """Items of ``data`` from ``start`` as signed bytes, in place (read by index only)."""
        return memoryview(data)[start : start + count].cast("b")

    def typed_view(data, start, count, type_):
        """As `int8_view` for float32, int32 and int16, at any address."""
        code = "f" if type_ == FLOAT32 else "h" if type_ == INT16 else "i"
        return memoryview(data)[start : start + (2 if type_ == INT16 else 4) * count].cast(code)


FLOAT32 = 0
INT32 = 2
INT64 = 4
INT16 = 7
INT8 = 9
TYPE_NAMES = {0: "float32", 1: "float16", 2: "int32", 3: "uint8", 4: "int64", 5: "string", 6: "bool",
              7: "int16", 8: "complex64", 9: "int8", 10: "float64", 17: "int4"}
_ITEM_BYTES = {0: 4, 1: 2, 2: 4, 3: 1, 4: 8, 6: 1, 7: 2, 8: 8, 9: 1, 10: 8}
# Far above any model that fits a small board; they bound what a damaged file can ask for.
_MOST_DIMENSIONS = 8
_MOST_ITEMS = 1 << 26
_MOST_NUMBERS = 256
_MOST_TABLES = 4096


class Damaged(ValueError):
    """The bytes are not a whole .tflite file."""


class _File:
    """The bytes of a file, and reads that cannot leave them."""

    def __init__(self, data):
        self.data = data
        self.size = len(data)

    def check(self, position, size, what):
        if position < 0 or size < 0 or position + size > self.size:
            raise Damaged("damaged .tflite: %s at byte %d needs %d bytes, but the file ends at %d; "
                          "copy or convert the model again" % (what, position, size, self.size))

    def number(self, position, code, what):
        """One little-endian number: struct codes b B H i I q f."""
        code = "<" + code
        self.check(position, struct.calcsize(code), what)
        return struct.unpack_from(code, self.data, position)[0]

    def vector(self, position, item_bytes, what):
        """(start, count) of a vector whose count is at ``position``."""
        count = self.number(position, "I", what)
        # Compare counts, not byte sizes, so that a huge count cannot overflow on any port.
        if count > self.size // item_bytes:
            raise Damaged("damaged .tflite: %s at byte %d says it has %d items, more than the file of %d bytes can "
                          "hold; copy or convert the model again" % (what, position, count, self.size))
        self.check(position + 4, count * item_bytes, what)
        return position + 4, count

    def follow(self, position, what):
        """Where the offset stored at ``position`` points to (offsets point forward)."""
        return position + self.number(position, "I", what)


class _Table:
    """A FlatBuffer table: fields by number, each with its default."""

    def __init__(self, file, position, what):
        self.file = file
        self.position = position
        self.what = what
        self.vtable = position - file.number(position, "i", what)
        size = file.number(self.vtable, "H", what)
        if size < 4 or size % 2:
            raise Damaged("damaged .tflite: %s at byte %d has a field list of %d bytes; copy or convert the model "
                          "again" % (what, position, size))
        file.check(self.vtable, size, what)
        self.fields = (size - 4) // 2

    def _where(self, field):
        if field >= self.fields:
            return 0
        offset = self.file.number(self.vtable + 4 + 2 * field, "H", self.what)
        return self.position + offset if offset else 0

    def number(self, field, code, default=0):
        where = self._where(field)
        return self.file.number(where, code, self.what) if where else default

    def table(self, field, what):
        where = self._where(field)
        return _Table(self.file, self.file.follow(where, what), what) if where else None

    def vector(self, field, item_bytes, what):
        """(start, count) of a vector; (0, 0) if the field is missing."""
        where = self._where(field)
        return self.file.vector(self.file.follow(where, what), item_bytes, what) if where else (0, 0)

    def numbers(self, field, code, what):
        """A vector of numbers, as a tuple."""
        start, count = self.vector(field, struct.calcsize("<" + code), what)
        _limit(count, _MOST_NUMBERS, what)
        return struct.unpack_from("<%d%s" % (count, code), self.file.data, start) if count else ()

    def tables(self, field, what):
        """A vector of tables, one after the other."""
        for i in range(self.count(field, what)):
            yield self.entry(field, i, what)

    def count(self, field, what):
        """How many tables a vector has."""
        count = self.vector(field, 4, what)[1]
        _limit(count, _MOST_TABLES, what)
        return count

    def entry(self, field, i, what):
        """Table ``i`` of a vector of tables."""
        start, count = self.vector(field, 4, what)
        if not 0 <= i < count:
            raise Damaged("damaged .tflite: %s has no entry %d of %d; copy or convert the model again" % (what, i, count))
        return _Table(self.file, self.file.follow(start + 4 * i, what), what)

    def text(self, field, what):
        start, count = self.vector(field, 1, what)
        try:
            return bytes(self.file.data[start : start + count]).decode()
        except UnicodeError:
            raise Damaged("damaged .tflite: %s is not text; copy or convert the model again" % what)


class Tensor:
    """One tensor: ``index``, ``shape``, ``type`` (as in TYPE_NAMES), quantization, and its bytes if constant.

    Attributes
    ----------
    size : int
        Number of values.
    bytes : int
        Size in memory (bytes).
    data_start, data_bytes : int
        Where a constant lies in the file; ``data_bytes`` is 0 for a tensor that is computed.
    """

    def __init__(self, table, index, model):
        what = "tensor %d" % index
        self._table = table
        self.index = index
        self.shape = table.numbers(0, "i", what)
        self.type = table.number(1, "b")
        self.size = 1
        _limit(len(self.shape), _MOST_DIMENSIONS, "the shape of " + what)
        for dimension in self.shape:
            if not 0 <= dimension <= _MOST_ITEMS:
                raise Damaged("%s has the shape %s; each dimension must be known, so convert the model with a static "
                              "batch, Input(batch_size=1), or copy it again" % (what, shape_text(self.shape)))
            self.size *= dimension
            if self.size > _MOST_ITEMS:
                raise Damaged("%s of shape %s is too large for a small board; copy or convert the model again"
                              % (what, shape_text(self.shape)))
        self.bytes = self.size * _ITEM_BYTES.get(self.type, 1)
        buffer = table.number(2, "I")
        count = model.count(4, "buffers")
        if buffer >= count:
            raise Damaged("damaged .tflite: %s uses buffer %d of %d; copy or convert the model again"
                          % (what, buffer, count))
        self.data_start, self.data_bytes = model.entry(4, buffer, "buffers").vector(0, 1, "buffer %d" % buffer)
        # The details of quantization, such as quantized_dimension, are read when asked for.
        quantization = self._quantization()
        self.scale_start, self.scale_count = (0, 0)
        self.zero_point = 0
        if quantization:
            self.scale_start, self.scale_count = quantization.vector(2, 4, what)
            start, count = quantization.vector(3, 8, what)
            if count:
                self.zero_point = table.file.number(start, "q", what)

    def _quantization(self):
        return self._table.table(4, "quantization of tensor %d" % self.index)

    @property
    def name(self):
        return self._table.text(3, "name of tensor %d" % self.index)

    @property
    def type_name(self):
        return TYPE_NAMES.get(self.type, "type %d" % self.type)

    @property
    def quantized_dimension(self):
        quantization = self._quantization()
        return quantization.number(6, "i") if quantization else 0

    @property
    def is_constant(self):
        return self.data_bytes > 0

    @property
    def is_variable(self):
        """Whether its values stay from one inference to the next."""
        return bool(self._table.number(5, "b"))

    @property
    def scale(self):
        """Scale of the whole tensor (that of channel 0 if there is one per channel); 0.0 if there is none."""
        return self._table.file.number(self.scale_start, "f", "scale") if self.scale_count else 0.0

    def scale_bits(self, channel=0):
        """The 32 bits of the float32 scale: integers, so that every board computes the same from them."""
        return self._table.file.number(self.scale_start + 4 * channel, "I", "scale of tensor %d" % self.index)

    def int32(self, i):
        """Value ``i`` of a constant int32 tensor."""
        return self._table.file.number(self.data_start + 4 * i, "i", "data of tensor %d" % self.index)

    def int8_view(self):
        """The constant's values, in place."""
        return int8_view(self._table.file.data, self.data_start, self.data_bytes)

    def view(self):
        """The constant's values by their own type, in place (read by index only)."""
        if self.type == INT8:
            return self.int8_view()
        return typed_view(self._table.file.data, self.data_start, self.size, self.type)


class Operator:
    """One operator: ``code`` (of schema.fbs), ``name``, ``inputs`` and ``outputs`` (Tensors, None if left out).

    ``intermediates`` are tensors that are never computed: only their scales count.
    """

    def __init__(self, table, index, codes, tensors):
        self.index = index
        self._table = table
        what = "operator %d" % index
        opcode = table.number(0, "I")
        if opcode >= len(codes):
            raise Damaged("damaged .tflite: %s is of kind %d of %d; copy or convert the model again"
                          % (what, opcode, len(codes)))
        self.code, self.custom_name = codes[opcode]
        self.inputs = _pick(tensors, table.numbers(1, "i", what), what, optional=True)
        self.outputs = _pick(tensors, table.numbers(2, "i", what), what)
        self.intermediates = _pick(tensors, table.numbers(8, "i", what), what)

    @property
    def name(self):
        if self.custom_name:
            return self.custom_name
        from .names import operator_name  # long, and needed for messages only
        return operator_name(self.code)

    @property
    def options(self):
        """The table of options, such as stride and padding (None if all have their defaults)."""
        return self._table.table(4, "options of operator %d" % self.index)


class Graph:
    """What a .tflite file says: ``tensors``, ``operators`` in the order to run, ``inputs``, ``outputs``.

    Parameters
    ----------
    data : bytes, bytearray or memoryview
        The file. It is kept, not copied: constants are used where they lie.

    Raises
    ------
    ValueError
        The file is damaged or is no .tflite file; the message says where.
    """

    def __init__(self, data):
        self.data = data
        model, subgraph = _open(data)
        codes = [(max(t.number(0, "b"), t.number(3, "i")), t.text(1, "operator code"))
                 for t in model.tables(1, "operator codes")]
        self.tensors = []
        for table in subgraph.tables(0, "tensors"):
            self.tensors.append(Tensor(table, len(self.tensors), model))
        self.operators = []
        for table in subgraph.tables(3, "operators"):
            self.operators.append(Operator(table, len(self.operators), codes, self.tensors))
        self.inputs = _pick(self.tensors, subgraph.numbers(1, "i", "inputs"), "the model")
        self.outputs = _pick(self.tensors, subgraph.numbers(2, "i", "outputs"), "the model")


def _open(data):
    """The tables of the model and of its first subgraph; others belong to control flow, which the board runtime lacks."""
    file = _File(data)
    if file.size < 8 or bytes(data[4:8]) != b"TFL3":
        raise Damaged("not a .tflite file: expected the mark TFL3 at byte 4, found %s in %d bytes"
                      % (bytes(data[4:8]), file.size))
    model = _Table(file, file.follow(0, "model"), "model")
    if not model.count(2, "subgraphs"):
        raise Damaged("damaged .tflite: it has no subgraph; copy or convert the model again")
    return model, model.entry(2, 0, "subgraphs")


def read_tensors(data, indices):
    """Some tensors of a file, without keeping all in memory: by their `Tensor.index`."""
    model, subgraph = _open(data)
    return [Tensor(subgraph.entry(0, i, "tensors"), i, model) for i in indices]


def _limit(count, most, what):
    if count > most:
        raise Damaged("damaged .tflite: %s has %d entries, more than %d; copy or convert the model again"
                      % (what, count, most))


def _pick(tensors, indices, what, optional=False):
    picked = []
    for i in indices:
        if i == -1 and optional:
            picked.append(None)
        elif 0 <= i < len(tensors):
            picked.append(tensors[i])
        else:
            raise Damaged("damaged .tflite: %s uses tensor %d of %d; copy or convert the model again"
                          % (what, i, len(tensors)))
    return picked


def shape_text(shape):
    """``(1, 32, 6)`` as ``1x32x6``."""
    return "x".join([str(n) for n in shape]) or "scalar"
