"""Each plot names its axes with units and draws what it was given."""

from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas as pd
import pytest

from edgekit.lab import plot
from edgekit.recording import Recording

matplotlib.use("Agg")


@pytest.fixture
def recording():
    samples = np.random.default_rng(0).normal(0, 8000, (400, 6)).astype(np.int16)
    return Recording(samples, 100.0, ("ax", "ay", "az", "gx", "gy", "gz"), ("g",) * 3 + ("dps",) * 3,
                     scale=(4 / 32768,) * 3 + (500 / 32768,) * 3, label="shake", subject="s03", source="synthetic")


def labels(figure):
    figure.canvas.draw()     # raises if something cannot be drawn
    return [(ax.get_xlabel(), ax.get_ylabel()) for ax in figure.axes]


def test_recording_has_a_panel_for_each_unit_and_says_its_source(recording):
    figure = plot.plot_recording(recording, stop_s=2.0)
    assert labels(figure) == [("", "acceleration (g)"), ("time (s)", "rotation (deg/s)")]
    assert "synthetic" in figure.axes[0].get_title()
    line = figure.axes[0].lines[0]
    assert line.get_xdata()[-1] == pytest.approx(2.0)
    assert line.get_ydata()[0] == pytest.approx(recording.physical()[0, 0])


def test_figures_are_shown_once_in_a_notebook(recording):
    from matplotlib import pyplot
    plot.plot_recording(recording)
    assert pyplot.get_fignums() == []


def test_recordings_side_by_side(recording):
    figure = plot.plot_recordings([recording] * 4, columns=3)
    assert labels(figure) and sum(ax.get_visible() for ax in figure.axes) == 4
    assert figure.get_supylabel() == "ax: acceleration (g)"


def test_windows_say_length_and_stride_in_samples_and_seconds(recording):
    figure = plot.plot_windows(recording, 128, 32, first=5)
    assert labels(figure)[1] == ("time (s)", "window")
    assert "128 samples (1.28 s)" in figure.axes[0].get_title()
    assert [bar.get_x() for bar in figure.axes[1].patches] == pytest.approx([0, .32, .64, .96, 1.28])


def test_confusion_shows_counts():
    figure = plot.plot_confusion(pd.DataFrame([[8, 2], [0, 5]], index=["idle", "wave"], columns=["idle", "wave"]))
    assert labels(figure)[0] == ("predicted", "true (windows per row)")
    assert sorted(t.get_text() for t in figure.axes[0].texts) == ["2", "5", "8"]


def test_history_in_percent():
    figure = plot.plot_history({"loss": [1, .5], "accuracy": [.5, .9], "val_loss": [1, .7], "val_accuracy": [.4, .8]})
    assert labels(figure) == [("epoch", "loss"), ("epoch", "accuracy (%)")]
    assert list(figure.axes[1].lines[0].get_ydata()) == [50, 90]


def test_bars_with_intervals():
    score = SimpleNamespace(accuracy=0.7, interval=(0.6, 0.8))
    figure = plot.plot_bars({"leaky": (0.99, 0.98, 1.0), "by subject": score, "plain": 0.5}, chance=1 / 6)
    assert labels(figure)[0][1] == "accuracy (%)"
    assert [round(bar.get_height()) for bar in figure.axes[0].patches] == [99, 70, 50]


def test_bytes_and_accuracy():
    table = pd.DataFrame({"bytes": [2048, 1024], "accuracy": [.9, .8]}, index=["float", "int8"])
    assert labels(plot.plot_bytes_and_accuracy(table)) == [("model file (KiB)", "accuracy (%)")]


def test_quantization_says_what_is_clipped():
    figure = plot.plot_quantization([-0.5, 0.1, 0.2, 2.0], scale=1 / 128, name="input (g)")
    assert labels(figure) == [("input (g)", "count")]
    assert "25.0% of the values are clipped" in figure.axes[0].get_title()


def test_energy_features_and_line():
    x = np.array([1, 10, 100])
    assert labels(plot.plot_energy(x, {"radio (estimated)": x * 2.0, "board (estimated)": x + 5.0})) == \
        [("decisions per day", "energy per day (J)")]
    figure = plot.plot_features(np.arange(12).reshape(6, 2), [0, 0, 0, 1, 1, 1], ["idle", "wave"], ["mean", "energy"])
    assert len(labels(figure)) == 4
    assert labels(plot.plot_line(x, x, "rate (Hz)", "frequency (Hz)")) == [("rate (Hz)", "frequency (Hz)")]
