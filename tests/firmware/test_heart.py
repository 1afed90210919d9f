"""The heart app on the simulated board: chip, motion sensor, finger, alarm, log, power cuts."""

import re

import numpy as np
import pytest

from edgekit.recording import Recording
from edgekit.signals.heart import light, make_session
from edgekit.simulator.chips.max30102 import MAX30102

LED, RELAY = 2, 26  # of the ESP32 table


@pytest.fixture(scope="module")
def finger(board):
    """The board with a pulse sensor beside its motion sensor."""
    board.world.attach(MAX30102(board.world.sense), 0)
    board.install("heart")
    return board


@pytest.fixture(autouse=True)
def new_log(finger):
    finger.world.stop()
    finger.world.mend()
    finger.world.set(ppg=(0, 0), accel_g=(0, 0, 1))
    finger.exec("import os\nif 'heart.log' in os.listdir('/'):\n os.remove('/heart.log')")


def beating(bpm, seconds=400):
    """A plain finger of one rate, for the world."""
    time_s = np.arange(100 * seconds) / 100
    share = 0.4 * (1 - 0.01 * np.maximum(0, np.sin(2 * np.pi * bpm / 60 * time_s)) ** 2)
    return Recording(np.stack([share, share], axis=1).astype(np.float32), 100.0, ("red", "ir"), ("", ""))


def rates(printed):
    return [int(found) for found in re.findall(r"(\d+) beats per minute", printed)]


def test_it_says_the_rate_of_a_person_at_rest(finger):
    session = make_session("rest", "p06", duration_s=20)
    finger.world.play(light(session.recording), at_s=finger.world.time_s)
    said = finger.run("heart", looks=1)
    assert rates(said) == pytest.approx([session.rate_bpm(1, 16)], abs=3)
    assert finger.world.pin(LED) == 0


def test_without_a_finger_it_says_so(finger):
    assert finger.run("heart", looks=1).split(None, 3)[-1].strip() == "no reading: no finger"


def test_it_says_nothing_when_the_steps_are_as_fast_as_the_pulse(finger):
    session = make_session("run", "p06", duration_s=20)
    finger.world.play(light(session.recording), at_s=finger.world.time_s)
    said = finger.run("heart", looks=1)
    assert "no reading: " in said and not rates(said)


def test_a_fast_heart_is_an_alarm_when_it_lasts_silence_changes_nothing_and_a_good_rate_ends_it(finger):
    start_s = finger.world.time_s
    finger.world.play(beating(140, 70), at_s=start_s)
    finger.world.play(beating(80, 60), at_s=start_s + 119)
    said = finger.run("heart", looks=4, every_s=40, again_s=40, lasts=2).splitlines()
    assert [line.endswith("ALARM") for line in said] == [False, True, True, False]
    assert "no finger" in said[2]
    assert rates("\n".join(said)) == pytest.approx([140, 140, 80], abs=2)
    changes = [level for time_s, level in finger.world.pin_history(RELAY) if time_s > start_s]
    assert changes == [1, 0]


def test_a_loose_wire_is_told_and_mended(finger):
    finger.world.play(beating(72), at_s=finger.world.time_s)
    finger.exec("from apps.heart import Monitor, WHY\nmonitor = Monitor()")
    finger.world.fault("silent", address=0x57)
    finger.exec("monitor.look()")
    assert finger.eval("WHY[monitor.reason]") == "a sensor does not answer"
    finger.world.mend()
    finger.exec("monitor.look()")
    assert finger.eval("monitor.rate_x10") == pytest.approx(720, abs=15)


def test_between_two_looks_the_leds_are_off(finger):
    asked = []
    finger.world.set(ppg=lambda time_s: (asked.append(time_s), (0.3, 0.3))[1])
    start_s = finger.world.time_s
    finger.run("heart", looks=2, every_s=120)
    times_s = np.array(asked) - start_s
    quiet = (times_s > 20) & (times_s < 115)
    assert len(asked) > 3000 and not quiet.any()


def test_the_log_survives_a_new_start(finger):
    finger.world.play(beating(75), at_s=finger.world.time_s)
    finger.run("heart", looks=1)
    finger.reset()
    finger.run("heart", looks=1)
    said = finger.exec("from apps.heart import show\nshow()").splitlines()
    assert [line.split()[0] for line in said] == ["1", "2"]
    assert rates("\n".join(said)) == pytest.approx([75, 75], abs=2)


def test_a_look_takes_no_memory_for_each_sample(finger):
    finger.world.play(beating(75), at_s=finger.world.time_s, loop=True)
    finger.exec("""
import gc
from apps.heart import Monitor
monitor = Monitor()
def taken(looks):
    gc.collect()
    before = gc.mem_alloc()
    for _ in range(looks):
        monitor.look()
    return gc.mem_alloc() - before
""")
    finger.exec("taken(1)")
    grown = finger.eval("taken(1)")
    # 80 blocks a look; what they take is the simulated bus (about 300 bytes each, see test_apps), not samples.
    assert grown < 80 * 2 * 500, f"{grown} bytes a look"
