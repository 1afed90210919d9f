"""`edgekit new` and what it makes: it runs from the start, each mistake is a sentence, nothing is half-written."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from edgekit import project as room
from edgekit.cli import main
from edgekit.convert import to_board
from edgekit.dataset import Dataset
from edgekit.errors import BoardError, DataError, ModelError
from edgekit.paths import ROOT
from edgekit.project import Project, check_name, model_card, needs, new, replay, save_card
from edgekit.project.create import TEMPLATE
from edgekit.signals import washing

YML = (TEMPLATE / "project.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return new("washer", tmp_path_factory.mktemp("projects"))


@pytest.fixture(scope="module")
def project(made):
    return Project.load(made)


# ---- the name and the place

@pytest.mark.parametrize("name, message", [
    ("", "needs a name"), ("a/b", "is a path"), ("..", "is a path"), ("my washer", "has a space in it.*For example my-washer"),
    ("wäsche", "has 'ä' in it"), ("2nd", "begins with '2'"), ("-x", "begins with '-'"), ("CON", "device on Windows"),
    ("lpt1", "device on Windows"), ("a.", "has '.' in it"), ("a:b", "has ':' in it"), ("x" * 41, "41 letters"),
    ("tab\t", "in it"),
])
def test_a_name_that_would_not_work_everywhere(tmp_path, name, message):
    with pytest.raises(DataError, match=message):
        new(name, tmp_path)
    assert os.listdir(tmp_path) == []


def test_the_example_in_a_message_is_allowed():
    for name in ("my washer", "a:b?c", "x y  z"):
        with pytest.raises(DataError) as caught:
            check_name(name)
        check_name(re.search(r"For example ([\w-]+)\.$", str(caught.value))[1])


def test_what_exists_stays_as_it_is(tmp_path):
    (tmp_path / "Washer").mkdir()
    with pytest.raises(DataError, match="Washer exists.*nothing was changed"):
        new("washer", tmp_path)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataError, match="file exists"):
        new("file", tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["Washer", "file"] and (tmp_path / "file").read_text() == "mine"


def test_a_place_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="is not there. Make it first"):
        new("washer", tmp_path / "no")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="is a file"):
        new("washer", tmp_path / "file")


@pytest.mark.parametrize("error, message", [
    (PermissionError(13, "Permission denied"), "Nothing may be written in .*--in FOLDER"),
    (OSError(28, "No space left on device"), "No space left on device.*room on the disk"),
    (KeyboardInterrupt(), None),
])
@pytest.mark.parametrize("step", ["mkdtemp", "data", "rename"])
def test_nothing_is_half_written(tmp_path, monkeypatch, step, error, message):
    def fail(*_, **__):
        raise error

    where = {"mkdtemp": "tempfile.mkdtemp", "data": "edgekit.project.create._first_data", "rename": "os.rename"}[step]
    monkeypatch.setattr(where, fail)
    with pytest.raises(KeyboardInterrupt if message is None else DataError, match=message):
        new("washer", tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_read_only_installation_makes_a_project_that_can_be_changed(tmp_path, monkeypatch):
    shutil.copytree(TEMPLATE, tmp_path / "template")
    (tmp_path / "template" / "app.py").chmod(0o444)
    monkeypatch.setattr("edgekit.project.create.TEMPLATE", tmp_path / "template")
    assert (new("washer", tmp_path) / "app.py").stat().st_mode & 0o200


def test_the_template_is_part_of_the_package():
    import tomllib
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    shipped = {path for pattern in patterns["edgekit.project"] for path in (ROOT / "edgekit" / "project").glob(pattern)
               if path.is_file()}
    tracked = subprocess.run(["git", "ls-files", "-z", "edgekit/project/template"], cwd=ROOT, capture_output=True, text=True,
                             check=True).stdout.split("\0")[:-1]
    assert {ROOT / name for name in tracked} <= shipped and len(tracked) == 9


# ---- what is made

def test_what_is_in_it(made):
    assert {path.name for path in made.iterdir()} == {
        "README.md", "app.py", "data", "project.ipynb", "project.yml", "pytest.ini", "steps.py", "test_plan.md", "tests"}
    for path in made.rglob("*"):
        if path.is_file():
            assert "@NAME@" not in path.read_text(encoding="utf-8"), path
    assert Project.load(made).name == "washer"
    data = Dataset.load(made / "data")
    assert {recording.source for recording in data} == {"synthetic"}
    assert sorted(data.subjects) == sorted(washing.SUBJECTS) and data.classes == washing.CLASSES


def test_the_test_plan_names_every_test(made):
    planned = re.findall(r"`(test_\w+)`", (made / "test_plan.md").read_text(encoding="utf-8"))
    written = re.findall(r"^def (test_\w+)", (made / "tests" / "test_project.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert planned == written


def test_it_runs_from_the_start_notebook_and_tests_and_card(made):
    """The whole path on the simulated board: notebook, then the test plan, whose card test then counts too."""
    import nbformat
    from nbclient import NotebookClient
    notebook = nbformat.read(made / "project.ipynb", 4)
    NotebookClient(notebook, timeout=100, kernel_name="python3", resources={"metadata": {"path": str(made)}}).execute()
    card = (made / "model_card.md").read_text(encoding="utf-8")
    for section in ("Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data",
                    "Quantitative analyses", "Ethical considerations", "Caveats and recommendations"):
        assert f"## {section}\n" in card
    assert "Recordings are synthetic" in card and "0 mismatches in 40 windows" in card and "goal reached" in card
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider"], cwd=made, capture_output=True, text=True)
    assert done.returncode == 0 and "10 passed" in done.stdout, done.stdout + done.stderr
    assert main(["project", str(made)]) == 0


# ---- project.yml

@pytest.mark.parametrize("old, new_, message", [
    ("rate_hz: 100", "rate_hz: 100 Hz", "rate_hz is '100 Hz', expected a whole number above 0. Write it without"),
    ("rate_hz: 100", "rate: 100", "rate is no line that a project has; did you mean rate_hz?"),
    ("  ms: 500", "  millis: 500", "budget.millis is no line"),
    ("  ms: 500             # for one decision; a new one is due every 1280 ms\n", "", "the line budget.ms is missing"),
    ("  ms: 500", "  ms: -1", "budget.ms is -1, expected a number above 0"),
    ("ram_bytes: 80000", "ram_bytes: 80000.5", "budget.ram_bytes is 80000.5, expected a whole number"),
    ("goal: 0.85", "goal: 85", "goal is 85, expected a number above 0, at most 1"),
    ("labels: [spin, still, wash]", "labels: [off, on]", "labels holds false: YAML reads yes, no, on and off.*in quotes"),
    ("labels: [spin, still, wash]", "labels: [still]", "expected a list of at least two"),
    ("labels: [spin, still, wash]", "labels: [1, 2]", "labels holds 1, expected words"),
    ("labels: [spin, still, wash]", "labels: [a, b, a]", "names 'a' twice"),
    ("laundry done?", "laundry done", "expected a question that ends with"),
    ("Is the laundry done?", "", "question is empty, expected words"),
    ("sensor: motion", "sensor: camera", "sensor is 'camera', expected one of motion, other"),
    ("board: esp32", "board: arduino", "board is 'arduino', expected one of esp32"),
    ("window: 256", "window: 250", "project.yml: summary features need .* multiple of 32"),
    ("looks_per_day: 1440", "looks_per_day: 86400", "345,600 s; a day has 86,400"),
    ("  intended: Tells", "  intended: 5 #", "card.intended is 5, expected words"),
    ("card:\n", "card: none\nold:\n", "old is no line"),
    ("labels: [spin", "labels: [[spin", "project.yml, line"),
])
def test_each_mistake_in_project_yml_is_a_sentence(tmp_path, old, new_, message):
    assert YML.count(old) == 1
    (tmp_path / "project.yml").write_text(YML.replace(old, new_), encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        Project.load(tmp_path)
    assert str(caught.value).startswith("project.yml") and str(caught.value)[-1] in ".?"


@pytest.mark.parametrize("text", ["", "- a list", "just words", "budget: [1]"])
def test_a_file_of_another_kind(tmp_path, text):
    (tmp_path / "project.yml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="project.yml"):
        Project.load(tmp_path)


def test_no_project_here(tmp_path):
    with pytest.raises(DataError, match="edgekit new NAME"):
        Project.load(tmp_path)


def test_another_sensor_is_allowed_and_its_features_are_yours(tmp_path):
    (tmp_path / "project.yml").write_text(YML.replace("sensor: motion", "sensor: other").replace("window: 256", "window: 250"),
                                          encoding="utf-8")
    with pytest.raises(DataError, match="AudioParams"):
        Project.load(tmp_path).params  # noqa: B018


@pytest.mark.parametrize("change, message", [
    (lambda r: r.resample(50), "50 samples a second, project.yml says rate_hz: 100"),
    (lambda r: r.select(("ax", "ay")), "2 channels .ax, ay., project.yml says channels: 3"),
    (lambda r: r.with_(label="dry"), "the label 'dry', which is not among"),
    (lambda r: r.with_(label="wash"), "No recording has the label 'spin'"),
    (lambda r: r.with_(subject="h01"), "come from 1 subjects"),
])
def test_recordings_that_are_not_what_the_project_says(project, change, message):
    data = washing.make_dataset(subjects=("h01", "h02", "h03"), duration_s=3)
    project.check_data(data)
    with pytest.raises(DataError, match=message):
        project.check_data(Dataset([change(recording) for recording in data]))


# ---- budget and card

@pytest.fixture(scope="module")
def tree(project):
    from sklearn.tree import DecisionTreeClassifier
    return to_board(DecisionTreeClassifier().fit([[0.0], [1.0], [2.0]], ["spin", "still", "wash"]))


def with_lines(project, **lines):
    values = yaml.safe_load((project.folder / "project.yml").read_text(encoding="utf-8"))
    for name, value in lines.items():
        for part in (values, values["budget"], values["duty"]):
            if name in part:
                part[name] = value
    return Project.from_dict(values, project.folder)


@pytest.mark.parametrize("line, value, what, mend", [
    ("ram_bytes", 1000, "RAM", "smaller trees"), ("flash_bytes", 1000, "flash", "imports"), ("ms", 0.5, "time", "shorter window"),
    ("stride", 1, "rhythm", "longer stride"), ("mah_per_day", 1, "charge", "Look less often"),
])
def test_a_budget_that_does_not_hold(project, tree, line, value, what, mend):
    tight = needs(with_lines(project, **{line: value}), tree)
    assert [row.what for row in tight.rows if not row.ok] == [what]
    with pytest.raises(ModelError, match=f"{what}: needs .*{mend}.*say why in the model card"):
        tight.require()
    assert "NO" in str(tight) and "NO" in tight._repr_html_() and mend in tight._repr_html_()
    needs(project, tree).require()


def test_the_board_s_own_limits_count_too(project, tree):
    large = needs(with_lines(project, board="stm32f411", ram_bytes=10**9, flash_bytes=10**9), tree)
    assert large["RAM"].allowed == 95_000 and large["flash"].allowed == 47 * 1024


def test_more_looks_need_more_charge(project, tree):
    charges = [needs(with_lines(project, looks_per_day=looks), tree)["charge"].needs for looks in (10, 1000, 10_000)]
    assert charges == sorted(charges) and charges[0] == pytest.approx(0.8 * 24 + 0.005 * 24, rel=0.03)


def test_the_estimate_of_the_heap_is_near_the_simulated_board(made, project):
    """Measured: programs one after the other, since the simulated board collects garbage only between them."""
    import edgekit
    sys.path.insert(0, str(made))
    try:
        import steps
        file = to_board(steps.fit_model(steps.cut(steps.load())[0]))
    finally:
        sys.path.remove(str(made))
        sys.modules.pop("steps", None)
    with edgekit.connect("sim") as board:
        room.deploy(project, board, file)
        board.reset()

        def heap():
            board.exec("import gc; gc.collect()")
            return board.eval("gc.mem_alloc()")
        heap()
        before = heap()
        board.exec("from apps.project import Detector, Looker\nlooker = Looker(Detector())")
        board.exec("looker.look()")
        used = heap() - before
        board.exec("looker.imu.wake(); looker.imu.start(); looker._read(128); a = gc.mem_alloc()\n"
                   "looker._read(1280); b = gc.mem_alloc()")
        board.exec("c = gc.mem_alloc()\nfor _ in range(40): looker.imu.read_block(looker.block)\nd = gc.mem_alloc()")
        grown, driver = board.eval("b - a"), board.eval("d - c")
    assert needs(project, file)["RAM"].needs == pytest.approx(used, rel=0.15)
    assert grown <= driver + 100      # ten strides take what the sensor's driver takes for them, nothing else


def test_a_damaged_project_says_what_is_missing(tmp_path, tree):
    (tmp_path / "project.yml").write_text(YML, encoding="utf-8")
    with pytest.raises(DataError, match="No app.py in"):
        needs(Project.load(tmp_path), tree)


def test_a_card_needs_the_answers_to_all_test_windows(project, tree):
    parts = washing.make_dataset(subjects=("h01",), duration_s=4).windows(256, 128)
    data = washing.make_dataset(subjects=("h01",), duration_s=4)
    words = [parts.classes[i] for i in parts.y]
    rest = {"needs": needs(project, tree), "compared": 1, "mismatches": 0, "where": "simulated"}
    with pytest.raises(DataError, match="the model answered 1"):
        model_card(project, data, (parts, parts, parts), words[:1], words, tree, **rest)
    with pytest.raises(DataError, match="'dry', which is no label"):
        model_card(project, data, (parts, parts, parts), ["dry"] * len(words), words, tree, **rest)
    card = model_card(project, data, (parts, parts, parts), words, ["still"] * len(words), tree, **rest)
    assert "| model | 100.0%" in card and "| 33.3% |" in card and "1 subjects are few" in card
    assert save_card(project, card).read_text(encoding="utf-8") == card
    (project.folder / "model_card.md").unlink()


def test_replay_wants_windows_and_one_line_for_each(made):
    class Board:
        def put(self, *_): pass
        def remove(self, *_): pass
        def exec(self, code): return "hello\n"

    import numpy as np
    with pytest.raises(DataError, match="int16"):
        replay(Board(), np.zeros((2, 256, 3)))
    with pytest.raises(BoardError, match="printed 1 lines for 2 windows"):
        replay(Board(), np.zeros((2, 256, 3), np.int16))


# ---- the commands

def test_the_commands(tmp_path, capsys):
    assert main(["new", "washer", "--in", str(tmp_path)]) == 0
    assert "project.ipynb" in capsys.readouterr().out
    assert main(["new", "washer", "--in", str(tmp_path)]) == 1
    assert "washer exists" in capsys.readouterr().err
    assert main(["project", str(tmp_path / "washer")]) == 0
    assert "No model yet" in capsys.readouterr().out
    assert main(["project", str(tmp_path)]) == 1
    assert "No project.yml" in capsys.readouterr().err


def test_the_command_says_when_the_budget_does_not_hold(tmp_path, capsys, tree):
    folder = new("tight", tmp_path)
    path = folder / "project.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("ms: 500", "ms: 0.5"), encoding="utf-8")
    (folder / "build").mkdir()
    (folder / "build" / "model.bin").write_bytes(tree)
    assert main(["project", str(folder)]) == 1
    assert "time: needs" in capsys.readouterr().out
