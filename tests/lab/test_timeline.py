"""Pictures of when things happen: what is drawn is what was given."""

import numpy as np
import pytest

from edgekit.lab.timeline import plot_decisions, plot_motion_and_pin, plot_pins, plot_timeline, servo_history
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


def test_decisions_mark_the_right_ones():
    truth = [(1.0, 3.0, "wave"), (5.0, 7.0, "punch")]
    ways = {"each": [(1.5, "wave"), (2.0, "punch"), (9.0, "wave")], "calm": [(6.0, "punch")]}
    top, rows = plot_decisions([1.0, 2.0], [0.2, 0.9], ways, truth, threshold=0.7).axes
    assert top.lines[0].get_ydata() == pytest.approx([0.2, 0.9])
    assert top.lines[1].get_ydata() == pytest.approx([0.7, 0.7])
    assert [line.get_marker() for line in rows.lines] == ["o", "x", "x", "o"]
    assert [tick.get_text() for tick in rows.get_yticklabels()] == ["each: 3", "calm: 1"]


def test_pins_begin_with_the_level_that_they_had():
    rows = {"LED": [(1.0, 1), (4.0, 0)], "servo (deg)": [(2.5, 90.0)]}
    recording = make_recording("wave", "s01")
    motion, led, servo = plot_pins(rows, stop_s=3, start_s=2, recording=recording, moves=[(0.5, 2.0, "wave")]).axes
    assert len(motion.lines) == 3
    assert list(led.lines[0].get_xdata()) == [0, 2, 3] and list(led.lines[0].get_ydata()) == [1, 0, 0]
    assert list(servo.lines[0].get_ydata()) == [0, 90, 90]
    assert servo.get_xlabel() == "time (s)"
    assert plot_pins({"button": [(10, 1)]}, 20, unit="ms").axes[0].get_xlabel() == "time (ms)"


def test_angles_of_a_servo_are_those_of_the_world():
    from edgekit.simulator import bus
    from edgekit.simulator.world import World
    world = World()
    for at_s, duty_u16 in ((0, 0), (1, 2000), (2, 4915), (3, 8000), (4, 0)):
        world.transaction(bus.pack(bus.PWM_SET, 1_000_000 * at_s, 25, 50, duty_u16))
        angle = world.servo_deg(25)
        if duty_u16:
            assert servo_history(world.pwm_history(25))[-1] == (at_s, pytest.approx(angle, abs=0.06))
    assert len(servo_history(world.pwm_history(25))) == 3, "no pulses, no angle"
