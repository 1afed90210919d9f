"""The picture of the pipeline: the same stages as in the README, and a lesson can be pointed at."""

import re

import pytest

from edgekit.errors import EdgekitError
from edgekit.lab.pipeline import _STAGES, plot_pipeline
from edgekit.paths import ROOT


def test_stages_are_those_of_the_readme():
    line = next(line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if "──►" in line)
    assert [stage[0] for stage in _STAGES] == [word.strip() for word in re.split("──►", line)]


def test_a_lesson_stands_out():
    def thick(figure):
        return [patch for patch in figure.axes[0].patches if patch.get_linewidth() > 2]
    assert len(thick(plot_pipeline())) == 0
    assert len(thick(plot_pipeline("05"))) == 1
    with pytest.raises(EdgekitError, match="found '99'"):
        plot_pipeline("99")
