"""The apps on the simulated board."""

import json

import numpy as np
import pytest

from edgekit.errors import BoardCodeError
from edgekit.recording import Recording
from edgekit.twin import board_module

frames = board_module("frames")
LED = 2  # of the ESP32 table


@pytest.fixture(autouse=True)
def quiet_world(board):
    board.world.stop()
    board.world.set(accel_g=(0, 0, 1), gyro_dps=(0, 0, 0))
    board.world.mend()


def test_sensor_loop_prints_volts_and_lights_the_led_above_the_threshold(board):
    board.install("sensor_loop")
    start_s = board.world.time_s
    board.world.adc(34, lambda time_s: 1.0 if time_s < start_s + 0.9 else 2.5)
    printed = board.run("sensor_loop", count=4, period_ms=500)
    assert printed.split() == ["1.000", "V", "1.000", "V", "2.500", "V", "2.500", "V"]
    assert board.world.pin(LED) == 1
    rises = [time_s for time_s, level in board.world.pin_history(LED) if level and time_s >= start_s]
    assert len(rises) == 1 and rises[0] == pytest.approx(start_s + 1.0, abs=0.01)


def test_sensor_loop_keeps_its_period(board):
    board.install("sensor_loop")
    asked_at = []

    def volts(time_s):
        asked_at.append(time_s)
        return 1.0

    board.world.adc(34, volts)
    board.run("sensor_loop", count=200, period_ms=10)
    periods = np.diff(asked_at)
    assert np.diff(asked_at)[1:].mean() == pytest.approx(0.01, abs=1e-5), "the mean must not drift"
    assert np.abs(periods - 0.01).max() < 0.0015


def test_capture_sends_a_header_and_evenly_timed_samples(board):
    board.install("capture")
    sent = list(board.stream("capture", count=100))
    header = json.loads(sent[0].payload)
    assert sent[0].type == frames.HEADER
    assert header == {"rate_hz": 100.0, "channels": ["ax", "ay", "az", "gx", "gy", "gz"],
                      "units": ["g", "g", "g", "dps", "dps", "dps"], "full_scale": [4, 4, 4, 500, 500, 500],
                      "count": 100}
    assert [frame.type for frame in sent[1:]] == [frames.SAMPLES] * 10
    times_us = [int.from_bytes(frame.payload[:4], "little") for frame in sent[1:]]
    assert np.diff(times_us) == pytest.approx([100_000] * 9, abs=12_000)
    assert times_us[-1] - times_us[0] == pytest.approx(900_000, abs=12_000)


def test_capture_says_what_to_check_when_no_sensor_answers(board):
    board.install("capture")
    board.world.fault("silent", address=0x68)
    with pytest.raises(BoardCodeError, match="no chip answers at I2C address 0x68. Check the four wires"):
        list(board.stream("capture", count=10))


def test_the_capture_loop_allocates_almost_nothing(board):
    """The heap may grow by what sleeping and the bus cost, not by buffers: growth for each sample is bounded.

    The WebAssembly build collects garbage only between two executions, so growth in one run is what was allocated.
    """
    board.install("capture")
    board.exec("""
import gc, sys
from array import array
import boards
import apps.capture
imu = boards.accelerometer()
imu.start()
block = array("h", bytes(120))
payload = bytearray(126)
encoder = apps.capture.Encoder(lambda data: None)
def loop(n):
    before = gc.mem_alloc()
    for _ in range(n):
        imu.read_block(block)
        for i in range(60):
            apps.capture.put_number(payload, 6 + 2 * i, 2, block[i])
        encoder.send(1, payload)
    return (gc.mem_alloc() - before) // n
""")
    board.exec("loop(10)")
    grown = board.eval("loop(100)")
    # Measured: 320 bytes, of which the view that the encoder hands over takes 16; the rest is the simulated bus.
    assert grown < 500, f"{grown} bytes for each block of 10 samples"


def test_gesture_prints_lines_when_a_person_runs_it(board):
    from edgekit.deploy import gesture_bundle
    from edgekit.signals.gestures import live
    gesture_bundle().deploy(board)
    recording, _ = live(script=["shake"])
    board.world.play(recording, at_s=board.world.time_s + 1)
    printed = board.run("gesture", max_windows=18, frames=False)
    assert [line.split()[2] for line in printed.splitlines()] == ["shake"]


def test_gesture_switches_led_and_relay_on_and_off(board):
    from edgekit.deploy import gesture_bundle
    from edgekit.signals.gestures import live
    gesture_bundle().deploy(board)
    recording, truth = live(script=["shake"])
    start_s = board.world.time_s + 1
    board.world.play(recording, at_s=start_s)
    board.run("gesture", max_windows=18, frames=False)
    for pin in (LED, 26):
        changes = [change for change in board.world.pin_history(pin) if change[0] > start_s]
        assert [level for _, level in changes] == [1, 0]
        assert truth[0][0] < changes[0][0] - start_s < truth[0][1] + 1.3


def test_gesture_refuses_a_stride_longer_than_its_window(board):
    from edgekit.deploy import gesture_bundle
    gesture_bundle().deploy(board)
    with pytest.raises(BoardCodeError, match="the stride is longer than the window of 128 samples"):
        board.run("gesture", stride=200, max_windows=1)


def test_the_sensor_may_speak_other_units(board):
    """A world fed in m/s2 gives the same counts."""
    board.install("capture")
    in_si = Recording(np.full((100, 1), 9.80665, np.float32), 100, ("ax",), ("m/s2",))
    board.world.play(in_si, loop=True)
    blocks = [frame.payload for frame in board.stream("capture", count=30) if frame.type == frames.SAMPLES]
    assert np.frombuffer(blocks[-1][6:], "<i2")[0] == 8192


def test_gesture_without_a_model_says_what_to_do(board):
    board.install("gesture")
    with pytest.raises(BoardCodeError, match="there is no model in /models/nothing: deploy one first"):
        board.run("gesture", name="nothing")
