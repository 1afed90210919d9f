"""The app wake and its Waker on the simulated board: every event once, at its time, and nothing else."""

import re

import pytest

from edgekit.board.simulated import SimulatedBoard
from edgekit.deploy import gesture_bundle
from edgekit.errors import BoardCodeError
from edgekit.signals.gestures import live

# Ports differ in what ends a light sleep: a level on the ESP32, an edge on the others.
PROFILES = ("esp32", "esp32c3", "rp2040", "nano33ble")
BOUNCES_MS = (0, 1.1, 1.9, 3.0, 3.4, 6.2, 7.0)


@pytest.fixture(scope="module", params=PROFILES)
def board(request):
    with SimulatedBoard(request.param) as board:
        board.install("wake")
        board.exec("import time, boards\nfrom boards.wake import Waker")
        yield board


@pytest.fixture(scope="module")
def ready():
    with SimulatedBoard() as board:
        gesture_bundle().deploy(board)
        board.install("wake")
        yield board


def press(board, at_s, held_s, bounces=True):
    """Press the button, with contacts that bounce when they close and when they open."""
    pin = board.profile.pins["BUTTON"]
    for contact_s, first, then in ((0, 0, None), (held_s, None, 0)):
        for i, late_ms in enumerate(BOUNCES_MS if bounces else (0,)):
            board.world.drive(pin, then if i % 2 else first, at_s=at_s + contact_s + late_ms / 1000)


def events_s(board, start_s, seconds, stable_ms=20):
    """Times at which a Waker on the button tells of an event."""
    printed = board.exec(f"""
waker = Waker(boards.button(), 0, stable_ms={stable_ms})
end_us = time.ticks_add(time.ticks_us(), {round(seconds * 1e6)})
while time.ticks_diff(end_us, time.ticks_us()) > 0:
    if waker.nap(1000):
        print(time.ticks_us())
waker.ignore()
""")
    return [int(line) / 1e6 - start_s for line in printed.split()]


def test_each_bouncing_press_counts_once_and_at_its_time(board):
    start_s = board.world.time_s + 0.1
    presses_s = [0.2, 0.5, 1.0, 3.7, 4.0]
    for at_s in presses_s:
        press(board, start_s + at_s, held_s=0.12)
    told_s = events_s(board, start_s, seconds=6)
    assert told_s == pytest.approx([at_s + 0.02 for at_s in presses_s], abs=0.012)


def test_a_long_press_is_one_event(board):
    start_s = board.world.time_s + 0.1
    press(board, start_s + 0.5, held_s=3.0)
    assert len(events_s(board, start_s, seconds=5)) == 1


def test_a_spike_is_no_press(board):
    start_s = board.world.time_s + 0.1
    press(board, start_s + 0.5, held_s=0.004, bounces=False)
    assert events_s(board, start_s, seconds=2) == []


def test_it_sleeps_until_the_event_and_not_a_moment_longer(board):
    start_s = board.world.time_s
    press(board, start_s + 7.25, held_s=0.2, bounces=False)
    printed = board.exec("""
waker = Waker(boards.button(), 0)
print(waker.nap(60000), time.ticks_us())
waker.ignore()
""").split()
    assert printed[0] == "True" and int(printed[1]) / 1e6 - start_s == pytest.approx(7.25, abs=0.002)


def test_without_an_event_it_wakes_after_the_longest_nap(board):
    took_ms = board.eval("(lambda w, t: (w.nap(2500), time.ticks_diff(time.ticks_ms(), t), w.ignore()))"
                         "(Waker(boards.button(), 0), time.ticks_ms())")
    assert took_ms == (False, pytest.approx(2500, abs=2), None)


def test_what_happens_while_it_is_deaf_is_forgotten(board):
    start_s = board.world.time_s
    press(board, start_s + 1, held_s=0.2)
    printed = board.exec("""
waker = Waker(boards.button(), 0, stable_ms=20)
before_ms = time.ticks_ms()
waker.ignore(3000)
print(time.ticks_diff(time.ticks_ms(), before_ms), waker.nap(1000))
waker.ignore()
""").split()
    assert abs(int(printed[0]) - 3000) <= 2 and printed[1] == "False"


def test_its_handler_needs_no_memory(board):
    board.exec("""
import micropython
waker = Waker(boards.button(), 0)
micropython.heap_lock()
waker._handler(waker.pin)
micropython.heap_unlock()
assert waker.edges == 1
waker.ignore()
""")


# The app

LINE = re.compile(r"\s*([\d.]+) s  (\w+): (\w+) ([\d.]+)(, no action)?")
LAST = re.compile(r"(\d+) events, (\d+) actions; awake ([\d.]+) s of ([\d.]+) s")


def run(board, source, seconds, start_s, **settings):
    """Run the app; returns its events as (time_s, label, acted), and what its last line says."""
    printed = board.run("wake", source=source, seconds=seconds, **settings)
    *lines, last = printed.splitlines()
    found = [LINE.fullmatch(line) for line in lines]
    assert all(found), printed
    told = [(float(match[1]) - start_s, match[3], match[5] is None) for match in found]
    events, actions, awake_s, total_s = map(float, LAST.fullmatch(last).groups())
    assert events == len(told) and actions == sum(acted for _, _, acted in told)
    return told, awake_s, total_s


def play(board, script, seed=2):
    movement, truth = live(script=script, seed=seed)
    start_s = board.world.time_s + 1
    board.world.stop()
    board.world.set(accel_g=tuple(movement.physical()[0, :3]), gyro_dps=(0, 0, 0), sound=0)
    board.world.play(movement, at_s=start_s)
    return start_s, truth


def changes(board, name, start_s):
    return [(time_s - start_s, level) for time_s, level in board.world.pin_history(board.profile.pins[name])
            if time_s > start_s]


def test_button_gesture_action(ready):
    start_s, truth = play(ready, ["shake", "double_tap", "wave", "double_tap"])
    for begin_s, _, _ in truth:
        press(ready, start_s + begin_s + 0.1, held_s=0.2)
    told, awake_s, total_s = run(ready, "button", 21, start_s)
    assert [(label, acted) for _, label, acted in told] == [(label, True) for _, _, label in truth]
    assert [time_s for time_s, _, _ in told] == pytest.approx([begin_s + 0.12 for begin_s, _, _ in truth], abs=0.02)
    # Three windows of 1.28 s, 0.32 s apart, and what the gyroscope needs to start.
    assert awake_s == pytest.approx(4 * (1.28 + 2 * 0.32), abs=0.3) and total_s == pytest.approx(21, abs=0.1)
    led = changes(ready, "LED", start_s)
    assert [level for _, level in led] == [1, 0] * 4
    assert [off - on for (on, _), (off, _) in zip(led[::2], led[1::2], strict=True)] == pytest.approx([1.5] * 4, abs=0.01)
    relay = changes(ready, "RELAY", start_s)
    assert [level for _, level in relay] == [1, 0], "a double tap switches it on, the next one off"
    assert [time_s for time_s, _ in relay] == pytest.approx([led[2][0], led[6][0]], abs=0.01)
    angles = [(1e6 * duty / freq - 500) / 2000 * 180
              for time_s, freq, duty in ready.world.pwm_history(ready.profile.pins["SERVO"]) if duty and time_s > start_s]
    assert angles == pytest.approx([120, 60, 150, 60], abs=0.1)


def test_who_is_not_asked_does_nothing(ready):
    start_s, _ = play(ready, ["shake", "wave"])
    told, awake_s, _ = run(ready, "button", 12, start_s)
    assert told == [] and awake_s < 0.1
    assert changes(ready, "LED", start_s) == changes(ready, "RELAY", start_s) == []


def test_a_press_without_a_gesture_is_looked_at_and_dropped(ready):
    start_s, _ = play(ready, ["idle", "idle"])
    press(ready, start_s + 2, held_s=0.3)
    told, _, _ = run(ready, "button", 9, start_s)
    assert [(label, acted) for _, label, acted in told] == [("idle", False)]
    assert changes(ready, "LED", start_s) == []


def test_presses_while_it_looks_and_while_it_is_deaf_do_not_count(ready):
    start_s, truth = play(ready, ["shake"])
    for late_s in (0.1, 0.5, 1.0, 2.2, 2.9):
        press(ready, start_s + truth[0][0] + late_s, held_s=0.1)
    told, _, _ = run(ready, "button", 8, start_s)
    assert [(label, acted) for _, label, acted in told] == [("shake", True)]


def test_a_movement_asks(ready):
    start_s, truth = play(ready, ["shake", "double_tap", "wave", "circle"])
    told, _, _ = run(ready, "motion", 19, start_s)
    assert [(label, acted) for _, label, acted in told] == [(label, True) for _, _, label in truth]
    for (time_s, _, _), (begin_s, _, _) in zip(told, truth, strict=True):
        assert begin_s - 0.1 < time_s < begin_s + 0.8


def test_a_clap_asks(ready):
    start_s, truth = play(ready, ["punch", "circle"])
    claps_s = [start_s + begin_s - 0.2 for begin_s, _, _ in truth]
    ready.world.set(sound=lambda time_s: 0.8 if any(clap_s <= time_s < clap_s + 0.03 for clap_s in claps_s) else 0.0)
    told, _, _ = run(ready, "sound", 11, start_s)
    ready.world.set(sound=0)
    assert [(label, acted) for _, label, acted in told] == [("punch", True), ("circle", True)]
    assert [time_s for time_s, _, _ in told] == pytest.approx([begin_s - 0.2 for begin_s, _, _ in truth], abs=0.02)


def test_it_ends_after_so_many_events(ready):
    start_s, _ = play(ready, ["shake", "wave"])
    for at_s in (1, 5, 11):
        press(ready, start_s + at_s, held_s=0.1)
    told, _, total_s = run(ready, "button", None, start_s, max_events=2)
    assert len(told) == 2 and total_s < 10
    ready.exec("import time\ntime.sleep(5)")     # the third press passes


def test_a_day_of_waiting_takes_a_moment(ready):
    ready.world.stop()
    printed = ready.run("wake", source="button", seconds=86_400, timeout_s=60)
    events, actions, awake_s, total_s = map(float, LAST.search(printed).groups())
    assert events == actions == 0 and awake_s < 0.1 and total_s == 86_400


def test_the_loop_needs_little_memory(ready):
    """The WebAssembly build collects garbage only between executions: growth in one run is what was allocated."""
    ready.exec("""
import gc
import apps.wake
def used(events):
    before = gc.mem_alloc()
    apps.wake.main(source="button", max_events=events)
    return gc.mem_alloc() - before
apps.wake.print = lambda text: None
def one_inference():
    import json
    from array import array
    with open("/models/gesture/bundle.json") as file:
        bundle = json.load(file)
    model = apps.wake.tflm.load_model("/models/gesture/" + bundle["model"])
    transform = apps.wake.transform_for(bundle["params"])
    window = array("h", bytes(2 * 6 * 128))
    before = gc.mem_alloc()
    transform.compute(window, model.input)
    model.invoke()
    return gc.mem_alloc() - before
""")
    inference = ready.eval("one_inference()")
    used = {}
    for events in (2, 12):
        start_s, _ = play(ready, ["idle"])
        for i in range(events):
            press(ready, start_s + 1 + 3 * i, held_s=0.1)
        used[events] = ready.eval(f"used({events})")
    ready.exec("del apps.wake.print")
    grown = (used[12] - used[2]) / 10
    # An event is three inferences, six blocks, and a line. What is more would be buffers.
    assert grown < 3 * inference + 20_000, f"{grown:.0f} bytes for each event, {inference} for an inference"


def test_a_wrong_source_and_a_missing_model(ready):
    with pytest.raises(BoardCodeError, match="source is 'smell', expected 'button', 'motion' or 'sound'"):
        ready.run("wake", source="smell", seconds=1)
    with pytest.raises(BoardCodeError, match="there is no model in /models/nothing: deploy one first"):
        ready.run("wake", name="nothing", seconds=1)
