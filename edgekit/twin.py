"""Board code on this computer: import a file of ``firmware/lib`` here, unchanged.

What the board computes has one definition, the file in ``firmware/``. This module lets the host run
that same file under CPython, as the "host twin" of the board.
"""

import importlib.util
import sys
import types

from edgekit.paths import FIRMWARE

_PREFIX = "_edgekit_board."
_FOLDERS = (FIRMWARE / "lib", FIRMWARE / "drivers")

# The parent package, so that a package of the board can import its own modules (`from . import reader`), and a module
# its neighbours: where `from fft import Fft` fails here, `from .fft import Fft` finds it.
_parent = sys.modules.setdefault(_PREFIX[:-1], types.ModuleType(_PREFIX[:-1]))
_parent.__path__ = [str(folder) for folder in _FOLDERS]


def board_module(name: str):
    """Import a module or package of ``firmware/lib`` or ``firmware/drivers`` on this computer.

    Parameters
    ----------
    name : str
        As the board would import it, for example ``"frames"`` or ``"tflite_micro"``.

    Returns
    -------
    module
        Loaded once; later calls return the same module.

    Examples
    --------
    >>> hasattr(board_module("frames"), "Encoder")
    True
    """
    key = _PREFIX + name
    if key in sys.modules:
        return sys.modules[key]
    for folder in _FOLDERS:
        package = folder / name / "__init__.py"
        path = package if package.exists() else folder / f"{name}.py"
        if path.exists():
            spec = importlib.util.spec_from_file_location(
                key, path, submodule_search_locations=[str(path.parent)] if path is package else None)
            module = importlib.util.module_from_spec(spec)
            sys.modules[key] = module
            try:
                spec.loader.exec_module(module)
            except BaseException:
                del sys.modules[key]
                raise
            return module
    raise ModuleNotFoundError(f"no module {name!r} in firmware/lib or firmware/drivers")
