"""Copy an app and what it imports to a board, compiled to bytecode (``.mpy``).

On the board: ``firmware/lib`` and ``firmware/drivers`` become ``/lib``, ``firmware/boards`` ``/boards``,
``firmware/apps`` ``/apps``. Compiled code keeps no comments and docstrings, so those cost nothing there.
"""

import ast
import hashlib
import warnings
from pathlib import Path

from edgekit.bytecode import compile_file, find_mpy_cross
from edgekit.errors import BoardError
from edgekit.paths import FIRMWARE

__all__ = ["install", "files_for"]

# Where a top-level name is looked for, and where it goes.
_PLACES = (
    (FIRMWARE / "lib", "/lib"),
    (FIRMWARE / "drivers", "/lib"),
    (FIRMWARE, ""),
)
# No app runs models with floats: deploy takes int8 ones only. All libraries together have them.
_FOR_FLOATS = ("/lib/tflite_micro/floating.mpy", "/lib/tflite_micro/dynamic.mpy")


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
    return {target: source for target, source in sorted(files.items()) if app is None or target not in _FOR_FLOATS}


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
