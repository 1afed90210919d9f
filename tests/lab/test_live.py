"""The live plot without a browser: what is in the window, what is sent, and the same as a figure."""

import time

import numpy as np
import pytest

import edgekit
from edgekit.errors import DataError
from edgekit.lab import LivePlot


def say(widget, **message):
    widget._handle_custom_msg(message, [])


@pytest.fixture
def plot():
    plot = LivePlot(["a", "b"], ["V", "V"], rate_hz=10, seconds=1)
    plot.told = []
    plot.send = lambda message, buffers=None: plot.told.append((message, buffers))
    yield plot
    plot.close()


def received(plot):
    """What the browser has after all messages."""
    rows = {}
    for message, buffers in plot.told:
        if buffers:
            for i, row in enumerate(np.frombuffer(buffers[0], np.float32).reshape(-1, len(plot.channels))):
                assert message["first"] + i not in rows or message.get("whole")
                rows[message["first"] + i] = row.tolist()
    return rows


def test_the_window_holds_the_newest(plot):
    plot.add([[i, -i] for i in range(7)])
    assert plot.window()[:, 0].tolist() == list(range(7))
    plot.add([7, -7])
    plot.add([[i, -i] for i in range(8, 25)])
    assert plot.window()[:, 0].tolist() == list(range(15, 25))
    assert plot.window()[:, 1].tolist() == [-i for i in range(15, 25)]
    plot.clear()
    assert plot.window().shape == (0, 2)


def test_nothing_is_sent_while_nobody_looks(plot):
    plot.add(np.zeros((50, 2)))
    time.sleep(0.1)
    assert plot.told == []


def test_who_opens_a_view_gets_the_window_and_then_each_sample_once(plot):
    plot.add([[0, 0]] * 5)
    say(plot, act="shown", view="a")
    assert plot.told[0][0] == {"seen": "a"}
    assert plot.told[1][0] == {"first": 0, "added_ms": 0, "whole": True}
    for i in range(5, 40):
        plot.add([i, i])
        time.sleep(0.01)
    time.sleep(0.1)
    assert received(plot) == {i: [max(0, i - 0) if i >= 5 else 0] * 2 for i in range(40)}
    assert len(plot.told) < 30, "many samples travel together"
    say(plot, act="hidden", view="a")
    told = len(plot.told)
    plot.add([1, 1])
    time.sleep(0.1)
    assert len(plot.told) == told


def test_the_figure_shows_the_same_window(plot):
    plot.add([[i, 2 * i] for i in range(30)])
    lines = plot.figure().axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["a", "b"]
    assert lines[1].get_ydata().tolist() == [2 * i for i in range(20, 30)]
    assert plot.figure().axes[0].get_ylabel() == "voltage (V)"


def test_follow_a_board(tmp_path):
    with edgekit.connect("sim", quiet=True) as board:
        plot = LivePlot(seconds=1)
        board.world.set(accel_g=(0, 1, 0))
        recording = plot.follow(board, seconds=2)
        assert len(recording) == 200 and recording.lost == 0
        assert np.array_equal(plot.window(), recording.physical()[100:])
        assert plot.window()[-1, :3] == pytest.approx((0, 1, 0), abs=1e-3)
        assert board.clock == "virtual"
        plot.close()


def test_the_clock_is_real_while_somebody_watches_a_board():
    with edgekit.connect("sim", quiet=True) as board:
        plot = LivePlot(seconds=1)
        plot.send = lambda message, buffers=None: None
        say(plot, act="shown", view="a")
        started = time.monotonic()
        plot.follow(board, seconds=0.5)
        assert time.monotonic() - started > 0.45
        assert board.clock == "virtual"
        plot.close()


def test_the_numbers_of_the_browser(plot):
    say(plot, act="drawn", count=40, gaps=0, frames=12, messages=13, slow=0, worst_ms=30, mean_ms=11.5)
    assert plot.stats["worst_ms"] == 30 and plot.stats["frames"] == 12


def test_without_a_browser_it_says_what_it_is(plot):
    plot.add([1, 2])
    assert plot._repr_mimebundle_()[0]["text/plain"] == "<LivePlot of a, b: 1 samples>"


@pytest.mark.parametrize("act, words", [
    (lambda plot: plot.add([1, 2, 3]), r"shape \[n, 2\] were expected \(a, b\); found \(3,\)"),
    (lambda plot: LivePlot([]), "Each channel needs its unit"),
    (lambda plot: LivePlot(["a"], ["V", "V"]), "found 1 channels and 2 units"),
    (lambda plot: LivePlot(["a"], seconds=0), "at least 2 samples"),
    (lambda plot: plot.figure(), "No sample has come yet"),
    (lambda plot: plot.follow(None), "needs the channels ax"),
])
def test_what_is_wrong_is_said(plot, act, words):
    with pytest.raises(DataError, match=words):
        act(plot)
