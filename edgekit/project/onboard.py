"""A project on the board: its app, its model and its parameters; and the answers to compare."""

from pathlib import Path

import numpy as np

from edgekit.bytecode import compile_file
from edgekit.errors import BoardError, DataError

__all__ = ["APP", "MODEL", "PARAMS", "deploy", "replay"]

APP, MODEL, PARAMS = "/apps/project.mpy", "/models/project.bin", "/models/project.json"
_WINDOWS = "/project_windows.bin"


def app_path(project) -> Path:
    """The project's ``app.py``; DataError if it is not there."""
    path = project.folder / "app.py"
    if not path.is_file():
        raise DataError(f"No app.py in {project.folder}: it is what runs on the board. Copy it from a new project: "
                        "edgekit new NAME.")
    return path


def deploy(project, board, model: bytes) -> None:
    """Put app, model and parameters on the board, each whole or not at all; then ``board.run("project")`` runs it.

    Parameters
    ----------
    project : Project
    board : edgekit.board.Board
    model : bytes
        Of :func:`edgekit.convert.to_board`.
    """
    import json
    app = app_path(project)
    board.install(app)
    board.put(model, MODEL)
    board.put((json.dumps(project.params.to_dict(), indent=1) + "\n").encode(), PARAMS)
    board.put(compile_file(app), APP)
    # What was imported before is old now.
    board.exec("import sys\nsys.modules.pop('apps.project', None)")


def replay(board, windows) -> tuple[np.ndarray, np.ndarray]:
    """What the board says about recorded windows; :func:`deploy` first.

    Parameters
    ----------
    board : edgekit.board.Board
    windows : array of int16, shape [N, window, channels]

    Returns
    -------
    labels : numpy.ndarray of str, shape [N]
    features : numpy.ndarray of int64, shape [N, features]
        As the board computed them.

    Raises
    ------
    DataError
        They are no int16 windows.
    BoardError
        The app's ``replay`` answered in another way than the template's.
    """
    windows = np.ascontiguousarray(windows)
    if windows.dtype != np.int16 or windows.ndim != 3 or not len(windows):
        raise DataError(f"Expected at least one window of int16 counts, shape [N, samples, channels]; found {windows.dtype} "
                        f"{list(windows.shape)}. One window is x[None].")
    board.put(windows.astype("<i2").tobytes(), _WINDOWS)
    try:
        said = board.exec(f"from apps.project import replay\nreplay({_WINDOWS!r})")
    finally:
        board.remove(_WINDOWS)
    rows = [line.rsplit(None) for line in said.splitlines()]
    try:
        labels = [row[0] for row in rows]
        features = np.array([[int(word) for word in row[1:]] for row in rows])
        if len(rows) != len(windows) or features.ndim != 2:
            raise ValueError
    except (ValueError, IndexError):
        raise BoardError(f"replay of app.py printed {len(rows)} lines for {len(windows)} windows, the first: "
                         f"{said[:60]!r}. Expected one line each: the label, then the features as whole numbers.") from None
    return np.array(labels), features
