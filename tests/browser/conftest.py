"""JupyterLab as ``make lab`` starts it, and a Chromium that opens notebooks in it."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request

import nbformat
import pytest

from edgekit.paths import NOTEBOOKS, ROOT

pytest.importorskip("playwright.sync_api", reason="SKIP: playwright is not installed")
from playwright.sync_api import sync_playwright  # noqa: E402

_KERNEL = {"display_name": "MicroPython", "language": "python", "name": "micropython"}
_SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
    "docmanager-extension/plugin": {"autosave": False},
}


def _arguments():
    """What ``make lab`` runs, from the Makefile itself."""
    line = re.search(r"^\t\$\(BIN\)/jupyter (lab .*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    as_root = "--allow-root" if hasattr(os, "getuid") and os.getuid() == 0 else ""
    return line.replace("$(AS_ROOT)", as_root).split()


def _set(folder, settings):
    for name, values in settings.items():
        path = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))


class Lab:
    """A running JupyterLab.

    Attributes
    ----------
    url : str
    folder : pathlib.Path
        What it shows: copies of the lessons, so that nothing that runs here is written into them.
    """

    def __init__(self, url, folder, settings, browser, shots):
        self.url, self.folder, self._settings, self._browser, self._shots = url, folder, settings, browser, shots
        self._count = 0

    def open(self, name, width=1280, height=1400, theme="JupyterLab Light"):
        """A page with a notebook of the folder, its kernel ready."""
        _set(self._settings, {"apputils-extension/themes": {"theme": theme}})
        page = self.page(width, height)
        self._count += 1
        page.goto(f"{self.url}/lab/workspaces/w{self._count}/tree/{name}")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_selector("text=MicroPython | Idle")
        return page

    def page(self, width=1280, height=1400):
        """An empty page."""
        page = self._browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(20_000)
        return page

    def notebook(self, *cells, name=None):
        """A new notebook with these code cells, opened."""
        name = name or f"scratch{len(list(self.folder.glob('scratch*')))}.ipynb"
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells],
                                        metadata={"kernelspec": _KERNEL})
        nbformat.write(book, self.folder / name)
        return name

    def shot(self, page, name):
        """Keep a picture of a page; where it is."""
        path = self._shots / f"{name}.png"
        page.screenshot(path=path)
        return path


def menu(page, title, item):
    """Choose from the menu bar."""
    page.click(f'.lm-MenuBar-itemLabel:text-is("{title}")')
    page.click(f'.lm-Menu-itemLabel:text-is("{item}")')


def run_all(page, timeout_s=60):
    """Run every cell and wait for the last one."""
    menu(page, "Run", "Run All Cells")
    wait_for(lambda: ran(page), timeout_s, "the cells to end", lambda: errors(page))


def run_cell(page, index, wait=True):
    """Run one code cell by its number from 0, and wait for its end."""
    cell = page.locator(".jp-Notebook .jp-Cell").nth(index)
    cell.locator(".jp-InputPrompt").click()
    before = cell.locator(".jp-InputPrompt").text_content()
    page.keyboard.press("Control+Enter")
    wait_for(lambda: cell.locator(".jp-InputPrompt").text_content() != before, 10, f"cell {index} to start")
    if wait:
        wait_for(lambda: _NUMBER.fullmatch(cell.locator(".jp-InputPrompt").text_content()), 30, f"cell {index} to end",
                 lambda: output(page, index))


_NUMBER = re.compile(r"\[\d+\]:")


def ran(page):
    """Has every code cell ended?"""
    prompts = page.eval_on_selector_all(".jp-CodeCell .jp-InputPrompt", "all => all.map(one => one.textContent)")
    return bool(prompts) and all(map(_NUMBER.fullmatch, prompts))


def focus(page, selector):
    """Focus an element, and wait until it has the focus to stay: JupyterLab takes it back when a cell has just run."""
    def stays():
        if page.locator(selector).first.evaluate("one => one === document.activeElement"):
            time.sleep(0.2)
            if page.locator(selector).first.evaluate("one => one === document.activeElement"):
                return True
        page.locator(selector).first.focus()
        return False
    wait_for(stays, 5, f"{selector} to have the focus")


def errors(page):
    """The text of each error that can be seen."""
    return [text for text in page.locator(".jp-OutputArea-output").all_text_contents()
            if re.search(r"^\w*Error\b|Traceback", text)]


def saved(page, path):
    """The notebook with its outputs, as JupyterLab writes it into its file."""
    before = path.stat().st_mtime_ns
    menu(page, "File", "Save Notebook")
    wait_for(lambda: path.stat().st_mtime_ns != before, 20, "the notebook to be saved")
    return wait_for(lambda: _whole(path), 20, "the notebook to be whole")


def _whole(path):
    """The notebook, or None while its file is being written."""
    try:
        return nbformat.read(path, 4)
    except (nbformat.reader.NotJSONError, OSError):
        return None


def output(page, index):
    """The text that a cell has printed, by its number from 0."""
    return "".join(page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-OutputArea-output").all_inner_texts())


def wait_for(what, timeout_s, words, instead=lambda: ""):
    """Wait until ``what()`` is true; returns it. ``instead()`` says what there was."""
    end = time.monotonic() + timeout_s
    while not (found := what()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout_s} s for {words}; found {instead()}")
        time.sleep(0.05)
    return found


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """JupyterLab, once for all tests."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("SKIP: no chromium: install Debian's package 'chromium' to test in a real browser")
    folder = tmp_path_factory.mktemp("lab")
    own = tmp_path_factory.mktemp("jupyter")
    shutil.copytree(NOTEBOOKS, folder / "notebooks")
    _set(own / "settings", _SETTINGS)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(own / "config"), "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
                   "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
                   "EDGEKIT_WORK": str(own / "work"), "EDGEKIT_PORT": "sim"}
    log = open(own / "log.txt", "w")
    jupyter = shutil.which("jupyter", path=f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    server = subprocess.Popen(
        [jupyter, *_arguments(), "--no-browser", f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
         "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"],
        env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    url = f"http://127.0.0.1:{port}"

    def answers():
        assert server.poll() is None, (own / "log.txt").read_text()[-2000:]
        try:
            return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{url}/api", timeout=2).status == 200
        except OSError:
            return False
    try:
        wait_for(answers, 90, "JupyterLab")
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium, args=[
                "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--no-first-run",
                "--use-fake-device-for-media-stream"])        # a microphone that beeps
            yield Lab(url, folder, own / "settings", browser, tmp_path_factory.mktemp("shots"))
            browser.close()
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        log.close()


@pytest.fixture
def open_page(lab, request):
    """Open notebooks; a test that fails leaves a picture of each of its pages."""
    pages = []

    def opened(name, **settings):
        pages.append(lab.open(name, **settings))
        return pages[-1]
    yield opened
    failed = getattr(request.node, "failed", False)
    for number, page in enumerate(pages):
        if failed:
            print("picture:", lab.shot(page, f"{request.node.name}-{number}"))
        page.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Let the fixture know that the test has failed."""
    report = (yield).get_result()
    if report.when == "call":
        item.failed = report.failed
