"""Pictures of when things happen: what is drawn is what was given."""

import numpy as np
import pytest

from edgekit.lab.timeline import plot_motion_and_pin, plot_timeline
from edgekit.signals.gestures import make_recording


def test_timeline_draws_times_in_ms_and_the_steps_between():
    even = 5_000_000 + 10_000 * np.arange(50)
    slow = 10_400 * np.arange(50)
    line, step = plot_timeline({"even": even, "slow": slow}, source="test").axes
    assert "(test)" in line.get_title()
    assert [collection.get_positions()[1] for collection in line.collections] == pytest.approx([10, 10.4])
    assert np.concatenate([drawn.get_ydata() for drawn in step.lines]) == pytest.approx([10] * 49 + [10.4] * 49)


def test_motion_and_pin():
    recording = make_recording("wave", "s01")
    motion, pin = plot_motion_and_pin(recording, 1.5, 2.5, [(0.5, 2.0, "wave")]).axes
    assert [line.get_label() for line in motion.lines] == ["ax", "ay", "az"]
    assert motion.get_ylabel().endswith("(g)")
    assert pin.lines[0].get_xdata()[1:3] == pytest.approx([1.5, 2.5])
