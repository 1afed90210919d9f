"""What a learner touches in a lesson: checks with hints, quizzes, plots."""

from edgekit.lab.check import check, hint
from edgekit.lab.plot import (
    plot_bars,
    plot_bytes_and_accuracy,
    plot_confusion,
    plot_energy,
    plot_features,
    plot_history,
    plot_line,
    plot_quantization,
    plot_recording,
    plot_recordings,
    plot_windows,
)
from edgekit.lab.quiz import quiz

__all__ = ["check", "hint", "plot_bars", "plot_bytes_and_accuracy", "plot_confusion", "plot_energy", "plot_features",
           "plot_history", "plot_line", "plot_quantization", "plot_recording", "plot_recordings", "plot_windows", "quiz"]
