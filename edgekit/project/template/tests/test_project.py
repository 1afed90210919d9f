"""The test plan as code. Run it in the project's folder: python -m pytest"""

import warnings

import numpy as np
import pytest
import steps

import edgekit
from edgekit.convert import to_board
from edgekit.project import deploy, needs, replay
from edgekit.signals import washing
from edgekit.train import subject_interval

warnings.filterwarnings("ignore")
project = steps.project


class Made:
    """One run of the whole path, for all tests."""

    def __init__(self):
        self.data = steps.load()
        self.train, self.validation, self.test = steps.cut(self.data)
        self.model = steps.fit_model(self.train)
        self.file = to_board(self.model)
        self.says = self.model.predict(steps.features(self.test.x))
        self.right = self.says == steps.labels(self.test)


@pytest.fixture(scope="module")
def made():
    return Made()


@pytest.fixture(scope="module")
def board(made):
    with edgekit.connect("sim") as board:
        deploy(project, board, made.file)
        yield board


def test_the_recordings_are_what_project_yml_says(made):
    project.check_data(made.data)


def test_nobody_is_in_two_parts(made):
    train, validation, test = (set(part.subject.tolist()) for part in (made.train, made.validation, made.test))
    assert not train & validation and not train & test and not validation & test


def test_where_the_sensor_sits_does_not_tell_the_label(made):
    """Only the resting direction, nothing that moves: from this alone nobody should be able to tell the label."""
    from edgekit.train.classical import classical
    tilt = ["mean_ax", "mean_ay", "mean_az"]
    only_tilt = classical("tree").fit(steps.features(made.train.x)[tilt], steps.labels(made.train))
    right = only_tilt.score(steps.features(made.test.x)[tilt], steps.labels(made.test))
    assert right < 1 / len(project.labels) + 0.25, (
        f"The tilt of the sensor alone tells {right:.0%} of the labels: it sat differently for each label. Record again, "
        "with the sensor in the same places for all labels.")


def test_it_beats_the_baseline(made):
    simple = steps.ask_baseline(steps.fit_baseline(made.train), made.test.x)
    assert made.right.mean() > (simple == steps.labels(made.test)).mean() + 0.05


def test_it_reaches_the_goal_with_its_interval(made):
    low, high = subject_interval(made.test.y, number(made.says), made.test.subject)
    assert low >= project.goal, (f"{made.right.mean():.1%}, interval {low:.1%} to {high:.1%}; goal {project.goal:.0%}. More "
                                 "subjects make the interval narrower, a better model moves it.")


def test_no_subject_is_left_behind(made):
    worst = {who: made.right[made.test.subject == who].mean() for who in sorted(set(made.test.subject.tolist()))}
    assert min(worst.values()) >= project.goal - 0.15, worst


def test_the_budget_holds(made):
    needs(project, made.file).require()


def test_the_board_says_the_same(made, board):
    chosen = np.linspace(0, len(made.test) - 1, 20).astype(int)
    labels, features = replay(board, made.test.x[chosen])
    assert (features == steps.features(made.test.x[chosen]).to_numpy()).all()
    assert (labels == made.says[chosen]).all()


def test_the_app_finds_the_end_of_a_programme(board):
    movement, truth = washing.programme("h99")    # a home that is in no file
    end_s = truth[2][1]
    led = board.profile.pins["LED"]
    start_s = board.world.time_s
    board.world.play(movement)
    board.run("project", looks=24, every_s=2)
    done_s = [time_s - start_s for time_s, level in board.world.pin_history(led) if level and time_s > start_s]
    assert len(done_s) == 1 and end_s < done_s[0] < end_s + 20, done_s


def test_the_model_card_is_of_this_model(made):
    import hashlib
    card = project.folder / "model_card.md"
    if not card.exists():
        pytest.skip("SKIP: no model_card.md yet. Run project.ipynb once, it is made there.")
    assert hashlib.sha256(made.file).hexdigest() in card.read_text(encoding="utf-8"), (
        "The model card tells of another model. Run project.ipynb again.")


def number(words):
    return np.array([project.labels.index(word) for word in words])
