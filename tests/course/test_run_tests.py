"""`make test` runs everything, and fails when anything fails."""

from types import SimpleNamespace

import pytest

from edgekit.course import run_tests
from edgekit.paths import ROOT


@pytest.fixture
def ran(monkeypatch):
    """Record the commands instead of running them; ``ran.codes`` says how each ends."""
    state = SimpleNamespace(commands=[], codes={})

    def run(command, cwd):
        state.commands.append(command)
        return SimpleNamespace(returncode=state.codes.get(command[2], 0))

    monkeypatch.setattr(run_tests.subprocess, "run", run)
    return state


def test_style_and_tests_and_notebooks(ran):
    assert run_tests.main(["-k", "quiz"]) == 0
    style, tests = ran.commands
    assert "ruff" in style
    assert tests[-2:] == ["-k", "quiz"]
    assert all((ROOT / place).is_dir() and place in tests for place in ("notebooks", "solutions", "tests", "edgekit"))
    assert "--nbval-lax" in tests


@pytest.mark.parametrize("module", ["ruff", "pytest"])
def test_a_failure_is_a_failure(ran, module):
    ran.codes[module] = 3
    assert run_tests.main([]) == 3
    assert ran.commands[-1][2] == module


def test_make_test_calls_it():
    assert "edgekit.course.run_tests" in (ROOT / "Makefile").read_text()


def test_notebook_work_goes_to_a_folder_of_its_own():
    import os
    assert "edgekit-test-" in os.environ["EDGEKIT_WORK"]
    assert os.environ["EDGEKIT_PORT"] == "sim"
