"""What a learner touches in a lesson: checks with hints, quizzes, plots; the board panel, the recorder, the live plot."""

import importlib

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
from edgekit.lab.sound import (
    hear,
    plot_mel_bank,
    plot_operating_curve,
    plot_scores,
    plot_sound,
    plot_spectrogram,
    plot_spectrum,
    vocode,
)

# They bring ipywidgets: only who shows one waits for it.
_WIDGETS = {"BoardPanel": "panel", "LivePlot": "live", "Microphone": "microphone", "Recorder": "recorder"}

__all__ = ["BoardPanel", "LivePlot", "Microphone", "Recorder", "check", "hear", "hint", "plot_bars", "plot_bytes_and_accuracy",
           "plot_confusion", "plot_energy", "plot_features", "plot_history", "plot_line", "plot_mel_bank",
           "plot_operating_curve", "plot_quantization", "plot_recording", "plot_recordings", "plot_scores", "plot_sound",
           "plot_spectrogram", "plot_spectrum", "plot_windows", "quiz", "vocode"]


def __getattr__(name):
    if name in _WIDGETS:
        return getattr(importlib.import_module(f"edgekit.lab.{_WIDGETS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
