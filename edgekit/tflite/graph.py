"""Read a .tflite file into a Graph, with the reader that the board uses."""

from contextlib import contextmanager
from pathlib import Path

from edgekit.errors import ModelError
from edgekit.twin import board_module

__all__ = ["read"]


def load_bytes(path_or_bytes) -> tuple[bytes, str]:
    """The bytes of a model, and what to call it in messages.

    Raises
    ------
    ModelError
        The file cannot be read.
    """
    if isinstance(path_or_bytes, (bytes, bytearray, memoryview)):
        return bytes(path_or_bytes), "the model"
    path = Path(path_or_bytes)
    try:
        return path.read_bytes(), path.name
    except OSError as error:
        raise ModelError(f"cannot read the model {path}: {error.strerror}; check the path, or run the lesson that "
                         "makes it (09)") from None


@contextmanager
def board_errors(name: str):
    """Turn the board runtime's ValueError into a ModelError that names the file."""
    try:
        yield
    except ValueError as error:
        raise ModelError(f"{name}: {error}") from None


def read(path_or_bytes):
    """Read a .tflite file.

    Parameters
    ----------
    path_or_bytes : str, pathlib.Path or bytes
        The file, or what it holds. Any model can be read, also one that no board can run.

    Returns
    -------
    Graph
        ``tensors``, ``operators``, ``inputs``, ``outputs``; see firmware/lib/tflite_micro/reader.py.

    Raises
    ------
    ModelError
        The file is missing, damaged, or no .tflite file.

    Examples
    --------
    >>> read(b"not a model")
    Traceback (most recent call last):
    edgekit.errors.ModelError: the model: not a .tflite file: expected the mark TFL3 at byte 4, found b'a mo' in 11 bytes
    """
    data, name = load_bytes(path_or_bytes)
    with board_errors(name):
        return board_module("tflite_micro").Graph(data)
