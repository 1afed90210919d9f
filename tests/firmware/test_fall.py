"""apps/fall on the simulated board: it sleeps, sees a fall, asks, calls; and forgets none when the power goes."""

import json
import re

import numpy as np
import pytest

from edgekit import deploy
from edgekit.features.falls import events
from edgekit.recording import Recording
from edgekit.signals.falls import CHANNELS, SCALE, UNITS, make_event
from edgekit.tflite import Interpreter
from edgekit.twin import board_module

frames = board_module("frames")
LINE = re.compile(r"\s*([\d.]+) s  (\w+)  ([\d.]+)")


@pytest.fixture(scope="module")
def ready(board):
    deploy.fall_bundle().deploy(board)
    return board


@pytest.fixture(autouse=True)
def fresh(ready):
    ready.world.stop()
    ready.world.set(accel_g=(0, 0, 1), gyro_dps=(0, 0, 0))
    if "falls.log" in ready.ls("/"):
        ready.remove("/falls.log")


def play(board, *kinds, name="p320", gap_s=20.0, duration_s=12):
    """Things that happen to a person, one after the other; when each begins, on the world's clock."""
    start_s = board.world.time_s + 4
    at_s = start_s
    begins = []
    parts = []
    for kind in kinds:
        one = make_event(kind, name, gyro=False, duration_s=duration_s).samples
        still = np.repeat(one[-1:], round(gap_s * 50), axis=0)
        parts += [one, still]
        begins.append(at_s)
        at_s += duration_s + gap_s
    samples = np.concatenate(parts)
    board.world.set(accel_g=tuple(samples[0] / 2048))
    board.world.play(Recording(samples, 50, CHANNELS[:3], UNITS[:3], SCALE[:3]), at_s=start_s)
    return begins, samples


def run(board, seconds, **settings):
    printed = board.run("fall", frames=False, seconds=seconds, **settings)
    *lines, last = printed.splitlines()
    found = [LINE.fullmatch(line) for line in lines]
    assert all(found), printed
    return [(float(match[1]), match[2]) for match in found], tuple(map(int, re.findall(r"\d+", last)))


def test_a_fall_is_called_and_a_hard_chair_is_not(ready):
    begins, _ = play(ready, "sit_hard", "fall_backward", gap_s=45)
    told, (seen, falls) = run(ready, 125, countdown_s=10, call_s=5)
    assert [what for _, what in told] == ["suspected", "called"] and falls == 1 and seen >= 2
    suspected_s, called_s = (time_s for time_s, _ in told)
    # A blow at about 3 s, three seconds after it, and a block.
    assert begins[1] + 5 < suspected_s < begins[1] + 8.5 and called_s - suspected_s == pytest.approx(10, abs=0.1)
    relay = [(time_s, level) for time_s, level in ready.world.pin_history(ready.profile.pins["RELAY"]) if time_s > begins[0]]
    assert len(relay) > 30, "it beeps"
    last_on_s = [time_s for time_s, level in relay if level][-1]
    assert relay[-1][1] == 0 and relay[-1][0] - last_on_s == pytest.approx(5, abs=0.3)


def test_a_press_says_i_am_fine(ready):
    begins, _ = play(ready, "fall_sideways", gap_s=30)
    ready.world.press("BUTTON", at_s=begins[0] + 14)
    ready.world.release("BUTTON", at_s=begins[0] + 14.3)
    told, _ = run(ready, 50)
    assert [what for _, what in told] == ["suspected", "cancelled"]
    assert told[1][0] == pytest.approx(begins[0] + 14.13, abs=0.15)
    assert ready.world.pin("RELAY") == 0
    log = ready.eval("__import__('apps.fall').fall.read_log()")
    assert [what for _, what, _ in log] == ["suspected", "cancelled"]


def test_what_it_decides_on_is_what_the_computer_computes(ready):
    """Woken by the chip, from its FIFO, in blocks: the same events and features as in the recording itself."""
    begins, samples = play(ready, "fall_forward", "faint", gap_s=40)
    run(ready, 110, countdown_s=5, call_s=1)
    log = ready.eval("__import__('apps.fall').fall.read_log()")
    said = [features for _, what, features in log if what == "suspected"]
    recording = Recording(samples, 50, CHANNELS[:3], UNITS[:3], SCALE[:3])
    _, _, features = events(recording)
    bundle = deploy.fall_bundle()
    scores = Interpreter(bundle.model).predict(features).reshape(len(features), -1)[:, 1]
    expected = features[scores >= bundle.threshold].tolist()
    assert len(expected) == 2 and said == expected


def test_frames(ready):
    play(ready, "fall_backward", gap_s=30)
    sent = list(ready.stream("fall", seconds=50, countdown_s=5, call_s=1))
    assert json.loads(sent[0].payload)["classes"] == ["daily", "fall"] and sent[0].type == frames.HEADER
    told = [json.loads(frame.payload) for frame in sent if frame.type == frames.EVENT]
    assert [one["what"] for one in told] == ["suspected", "called"] and told[0]["score"] >= 0.875
    assert [one["number"] for one in told] == [1, 2]


def test_the_power_goes_in_the_countdown(ready):
    """What was suspected is on the flash: after the cut it asks again, and calls."""
    begins, _ = play(ready, "fall_backward", gap_s=30)
    ready.run("fall", frames=False, seconds=3, log="/other.log")     # the log of another is another
    ready.exec("""
import apps.fall
class Cut(Exception):
    pass
def cut(button=apps.fall.boards.button):
    class Gone:
        def irq(self, handler, edge=None):
            raise Cut
    return Gone()
real, apps.fall.boards.button = apps.fall.boards.button, cut
try:
    apps.fall.main(frames=False, seconds=60)
except Cut:
    print("cut")
apps.fall.boards.button = real
""")
    assert [what for _, what, _ in ready.eval("apps.fall.read_log()")] == ["suspected"]
    told, _ = run(ready, 20, countdown_s=5, call_s=1)
    assert [what for _, what in told] == ["recovered", "called"]
    told, _ = run(ready, 5)
    assert told == [], "once is enough"


def test_a_quiet_night_takes_a_moment(ready):
    told, counts = run(ready, 8 * 3600)
    assert told == [] and counts == (0, 0)
