"""The file of a classical model, as ``firmware/lib/classic`` reads it. ``docs/classic.md`` describes it."""

import json
import struct
import zlib
from dataclasses import dataclass, field

import numpy as np

from edgekit.twin import board_module

__all__ = ["Step", "write"]

KINDS = board_module("classic").KINDS


@dataclass
class Step:
    """One step of the chain: a kind of ``firmware/lib/classic/names.py``, its numbers (int32) and its arrays."""

    kind: str
    numbers: tuple = ()
    arrays: list = field(default_factory=list)


def write(steps, features, columns, classes) -> bytes:
    """The bytes of a file.

    Parameters
    ----------
    steps : list of Step
    features : int
    columns : list of str or None
    classes : list
    """
    about = {"classes": classes} if columns is None else {"columns": columns, "classes": classes}
    text = json.dumps(about, separators=(",", ":"), ensure_ascii=False).encode()
    body = struct.pack("<HBBI", features, len(steps), 0, len(text)) + text
    for step in steps:
        body += bytes([KINDS[step.kind], len(step.numbers), len(step.arrays), 0])
        body += np.array(step.numbers, "<i4").tobytes()
        for values in step.arrays:
            values = np.ascontiguousarray(values)
            body += struct.pack("<I", ord(_typecode(values.dtype)) | values.size << 8)
            body += values.astype(values.dtype.newbyteorder("<")).tobytes()
    body = struct.pack("<I", len(body) + 12) + body
    return b"EKC1" + struct.pack("<I", zlib.crc32(body[4:])) + body


def _typecode(dtype):
    return {"int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "float32": "f", "float64": "d"}[dtype.name]
