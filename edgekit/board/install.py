"""Copy an app and what it imports to a board, compiled to bytecode (``.mpy``).

On the board: ``firmware/lib`` and ``firmware/drivers`` become ``/lib``, ``firmware/boards`` ``/boards``,
``firmware/apps`` ``/apps``. Compiled code keeps no comments and docstrings, so those cost nothing there.
"""

import ast
import functools
import hashlib
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

from edgekit.bytecode import compile_file, find_mpy_cross, why_not_loaded
from edgekit.errors import BoardError
from edgekit.paths import FIRMWARE

__all__ = ["install", "files_for", "compare", "lacking", "space"]

# Where a top-level name is looked for, and where it goes.
_PLACES = (
    (FIRMWARE / "lib", "/lib"),
    (FIRMWARE / "drivers", "/lib"),
    (FIRMWARE, ""),
)
# No app runs models with floats: deploy takes int8 ones only. All libraries together have them.
_FOR_FLOATS = tuple(f"/lib/tflite_micro/{name}.mpy" for name in ("floating", "floating_recurrent", "dynamic"))
_FOLDER_BLOCKS = 2  # as littlefs has it; FAT takes one or two


def install(board, app: str | Path | None = None, progress: bool = False,
            modules: Mapping[str, Collection[str]] | None = None) -> list[str]:
    """Do the work of :meth:`edgekit.board.base.Board.install`."""
    compiled, found = compare(board, app, modules)
    written = lacking(compiled, found)
    for target, data in written.items():
        board.put(data, target)
        if progress:
            print(f"{target}  {len(data)} bytes")
    for target in compiled:
        source = _source_name(target)
        if found[source]:
            warnings.warn(f"{source} on the board hides {target}: MicroPython imports the .py first. "
                          f"If it is not yours: board.remove({source!r})", stacklevel=3)
    if written:
        # What was imported before is old now.
        modules = sorted({module_name(target).split(".")[0] for target in written})
        board.exec("import sys\nfor _name in list(sys.modules):\n"
                   f" if _name.split('.')[0] in {modules!r}:\n  del sys.modules[_name]\n", timeout_s=10)
    return list(written)


def apps() -> list[str]:
    """Names of the apps in ``firmware/apps``."""
    return sorted(path.stem for path in (FIRMWARE / "apps").glob("[a-z]*.py"))


def space(sizes: Mapping[str, int], block_bytes: int, folders: Collection[str] = ()) -> int:
    """Bytes of a file system that files take: whole blocks, and those of their folders.

    Parameters
    ----------
    sizes : dict of str to int
        Path on the board -> bytes.
    block_bytes : int
        As ``board.info.flash_block`` says.
    folders : collection of str
        Those that are there already.

    Examples
    --------
    >>> space({"/lib/a.mpy": 600}, block_bytes=512)
    2048
    """
    blocks = sum(-(-size // block_bytes) for size in sizes.values())
    return (blocks + _FOLDER_BLOCKS * len(folders_of(sizes) - set(folders))) * block_bytes


def folders_of(paths) -> set[str]:
    """The folders that files lie in, and those that these lie in."""
    return {str(folder) for path in paths for folder in PurePosixPath(path).parents} - {"/"}


def compare(board, app: str | Path | None, modules: Mapping[str, Collection[str]] | None = None):
    """What :func:`install` would see to, and what is there.

    Returns
    -------
    compiled : dict of str to bytes
        Path on the board -> compiled file.
    found : dict of str to str
        sha256 of the files on the board under these names and their ``.py``; empty text for those that are not there.

    Raises
    ------
    BoardError
        The board cannot load what is compiled here.
    """
    mpy_cross, _ = find_mpy_cross()
    info = board.info
    everything = _files(app, {})
    if app is not None:
        modules = {"boards": tables_for(f"{info.name} with {info.mcu}"), **(modules or {})}
    wanted = files_for(app, modules)
    found = board.hashes([path for target in {**everything, **wanted} for path in (target, _source_name(target))])
    compiled = {}
    for target, source in sorted({**everything, **wanted}.items()):
        if target in wanted or found[target]:  # what is there is kept up to date
            compiled[target] = compile_file(source, mpy_cross)
            reason = why_not_loaded(compiled[target], info.mpy, info.arch)
            if reason:
                raise BoardError(f"{info.name} with MicroPython {info.micropython} cannot load {target}: {reason}.")
    return compiled, found


def lacking(files: Mapping[str, bytes], found: Mapping[str, str]) -> dict[str, bytes]:
    """Those files that are not on the board as they are here."""
    return {path: data for path, data in files.items() if found[path] != hashlib.sha256(data).hexdigest()}


def tables_for(machine: str) -> list[str]:
    """The board's table in ``firmware/boards``, by what MicroPython calls the board; all of them if it is unknown."""
    source = FIRMWARE / "boards" / "__init__.py"
    for node in _parse(source.read_text(encoding="utf-8"), source).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "_TABLES":
            tables = ast.literal_eval(node.value)
    # The same rule as on the board: the first that fits.
    plain = machine.lower().replace("-", "")
    fitting = [table for part, table in tables if part.lower() in plain]
    return fitting[:1] or [table for _, table in tables]


def _source_name(target):
    return target.removesuffix(".mpy") + ".py"


def files_for(app: str | Path | None, modules: Mapping[str, Collection[str]] | None = None) -> dict[str, Path]:
    """What an app needs: path on the board -> source file here.

    Parameters
    ----------
    app : str or pathlib.Path, optional
        Name in ``firmware/apps``, or the path of an app of your own: then what it imports, without itself. None: all
        libraries, drivers and board tables.
    modules : dict of str to collection of str, optional
        Of these packages only the modules named and those that something imports, for example
        ``{"tflite_micro": ["moving"], "boards": ["esp32"]}``; every other package comes whole.

    Raises
    ------
    BoardError
        There is no such app.
    """
    return {target: source for target, source in _files(app, modules or {}).items()
            if app is None or "tflite_micro" in (modules or {}) or target not in _FOR_FLOATS}


def _files(app, modules):
    if app is None:
        wanted = [path.stem for folder in (FIRMWARE / "lib", FIRMWARE / "drivers") for path in folder.iterdir()]
        wanted.append("boards")
    elif isinstance(app, Path):
        wanted = ["apps", *_imports(app)]
    else:
        if app not in apps():
            raise BoardError(f"No app {app!r} in firmware/apps; there are {', '.join(apps())}.")
        wanted = [f"apps.{app}"]
    files, seen = {}, set()
    while wanted:
        name = wanted.pop()
        first = name.partition(".")[0]
        name = name if first in (*modules, "apps") else first  # other packages come whole
        if name in seen:
            continue
        seen.add(name)
        for target, source in _locate(name, modules).items():
            if target not in files:
                files[target] = source
                wanted += _imports(source)
    return dict(sorted(files.items()))


def _locate(name: str, modules) -> dict[str, Path]:
    """Files of a module; empty if MicroPython has it built in."""
    first, _, rest = name.partition(".")
    for folder, place in _PLACES:
        if (folder / f"{first}.py").is_file():
            return {f"{place}/{first}.mpy": folder / f"{first}.py"}
        if (folder / first / "__init__.py").is_file():
            if first in modules or first == "apps":
                sources = [folder / first / f"{stem}.py" for stem in ("__init__", rest, *modules.get(first, ()))]
            else:
                sources = sorted((folder / first).glob("*.py"))
            return {f"{place}/{first}/{source.stem}.mpy": source for source in sources if source.is_file()}
    return {}


def _imports(source: Path) -> tuple[str, ...]:
    return _imports_of(source.read_text(encoding="utf-8"), source)


@functools.lru_cache(maxsize=1000)
def _imports_of(text, source):
    names = []
    for node in ast.walk(_parse(text, source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = ".".join([source.parent.name] * node.level + [node.module or ""]).strip(".")
            # A name may be a module of the package.
            names += [package, *(f"{package}.{alias.name}" for alias in node.names)]
    return tuple(names)


def _parse(text, source):
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise BoardError(f"{source.name}, line {error.lineno}: {error.msg}. Correct it, then install again.") from None


def module_name(target: str) -> str:
    """What a file on the board is imported as.

    >>> module_name("/lib/tflite_micro/moving.mpy")
    'tflite_micro.moving'
    """
    name = target.removeprefix("/lib").strip("/").removesuffix(".mpy").replace("/", ".")
    return name.removesuffix(".__init__")
