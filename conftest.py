"""How tests run: away from the learner's own files and boards, without the network, long files first."""

import os
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
FOLDER = pytest.StashKey()
# They import on MicroPython only, or in a project alone; tests/simulator, tests/board and tests/project run them there.
collect_ignore_glob = ["edgekit/simulator/rom/*", "edgekit/simulator/unix/*", "edgekit/project/template/*"]
BROWSER = "tests/browser/"
# The order in which the workers take the files.
LONG_FIRST = (BROWSER, "tests/notebooks/test_exercises_run.py", "notebooks/08", "tests/test_demo", "notebooks/07",
              "notebooks/06", "notebooks/09", "solutions/08", "solutions/06", "solutions/09", "tests/test_deploy",
              "tests/simulator/test_ports", "tests/convert/", "tests/test_spotting", "tests/board/", "tests/kernel/",
              "tests/lab/test_exercises", "tests/project/", "solutions/", "notebooks/", "tests/tflite/", "tests/train/", "tests/firmware/",
              "tests/simulator/")


def pytest_configure(config):
    folder = tempfile.TemporaryDirectory(prefix="edgekit-test-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    config.stash[FOLDER] = Path(folder.name)
    no_network = "http://127.0.0.1:9"        # the port "discard": a download fails at once
    os.environ.update(
        EDGEKIT_WORK=str(Path(folder.name) / "work"), EDGEKIT_PORT="sim", IPYTHONDIR=str(Path(folder.name) / "ipython"),
        JUPYTER_PREFER_ENV_PATH="1", PYTHONHASHSEED="0", TF_CPP_MIN_LOG_LEVEL="2",
        http_proxy=no_network, https_proxy=no_network, no_proxy="127.0.0.1,localhost")
    # Where nobody may write compiled modules beside the sources, each of many kernels would compile TensorFlow again.
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder.name) / "bytecode")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Long files first, so that the workers end together."""
    def place(item):
        path = item.path.relative_to(ROOT).as_posix()
        return next((i for i, start in enumerate(LONG_FIRST) if path.startswith(start)), len(LONG_FIRST))

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """All tests in the browser go to one worker: JupyterLab and Chromium start once."""
    from xdist.scheduler import LoadScopeScheduling

    class OneBrowser(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return BROWSER if nodeid.startswith(BROWSER) else super()._split_scope(nodeid)

    return OneBrowser(config, log) if config.getoption("dist") == "loadscope" else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Give each notebook a work folder of its own: no notebook depends on another one, or on their order."""
    if item.path.suffix == ".ipynb":
        os.environ["EDGEKIT_WORK"] = str(item.config.stash[FOLDER] / f"work-{item.path.parent.name}-{item.path.stem}")
        os.environ["EDGEKIT_CHECK"] = "strict"
    else:
        os.environ["EDGEKIT_WORK"] = str(item.config.stash[FOLDER] / "work")
        os.environ.pop("EDGEKIT_CHECK", None)
