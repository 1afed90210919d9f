"""The app fall lives a simulated week on somebody's belt, on a virtual clock: does it lose a fall, does its memory grow?

In the middle, while it counts down after a fall, the supply voltage breaks down and the board starts again. What it
suspected must be in the log on its flash, in order, with the numbers that this computer computes for the same blows.
"""

import argparse
import time

from edgekit.board.simulated import SimulatedBoard
from edgekit.convert import run
from edgekit.deploy import fall_bundle
from edgekit.errors import BoardRestartedError
from edgekit.features.falls import events
from edgekit.signals.falls import FALLS, is_fall, make_day

DAY_S = 86_400
_LIVE = """
import gc
import apps.fall
from boards.wake import Waker

# On a board the firmware's own C code sleeps; here it is Python, and takes memory. That is not the app's.
class Sleeper(Waker):
    taken = 0

    def nap(self, longest_ms):
        before = gc.mem_alloc()
        happened = Waker.nap(self, longest_ms)
        Sleeper.taken += gc.mem_alloc() - before
        return happened

    def ignore(self, duration_ms=0):
        before = gc.mem_alloc()
        Waker.ignore(self, duration_ms)
        Sleeper.taken += gc.mem_alloc() - before

apps.fall.Waker = Sleeper

def live(seconds):
    gc.collect()
    Sleeper.taken = 0
    before = gc.mem_alloc()
    apps.fall.main(frames=False, seconds=seconds)
    print(gc.mem_alloc() - before - Sleeper.taken, Sleeper.taken)
"""


def plan(days, falls_a_day=2, name="p340", kinds=None):
    """Clips of some days with falls in them, as (start in s, Clip); only some kinds, if asked."""
    clips = []
    for day in range(days):
        fall = [FALLS[(falls_a_day * day + i) % len(FALLS)] for i in range(falls_a_day)]
        clips += [(day * DAY_S + clip.start_s, clip) for clip in make_day(name, day, falls=fall)
                  if kinds is None or clip.label in kinds or is_fall(clip.label)]
    return clips


def live(clips, days, profile="esp32"):
    """Let a simulated board wear them.

    Returns
    -------
    dict
        ``falls``: that happened; ``expected``: features of those events of falls that the host twin calls a fall; ``log``:
        what the board's log says; ``lost``: expected ones that are not in it; ``alarms``: suspected without a fall;
        ``brown_outs``, ``restarted_s``: how many, when; ``grown_bytes``: what the app's loop took of the heap in the last run;
        ``slept_bytes``: what the simulated board's own sleep took.
    """
    bundle = fall_bundle()
    expected = []
    for _, clip in clips:
        if is_fall(clip.label):
            _, _, features = events(clip.recording)
            if len(features):
                expected += [tuple(map(int, row)) for row, score in zip(features, run(bundle.model, features), strict=True)
                             if score[1] >= bundle.threshold]
    result = {"falls": sum(is_fall(clip.label) for _, clip in clips), "expected": expected, "brown_outs": 0, "restarted_s": None}
    with SimulatedBoard(profile, clock="virtual") as board:
        bundle.deploy(board)
        world, zero_s = board.world, board.world.time_s
        waiting = [(zero_s + start_s, clip) for start_s, clip in clips]

        def more():
            # A few at a time: each reading looks at all that are to come.
            while waiting and (waiting[0][0] < world.time_s + 900 or len(ahead()) < 4):
                start_s, clip = waiting.pop(0)
                starts.append(start_s)
                world.play(clip.recording, at_s=start_s)

        def ahead():
            return [start_s for start_s in starts if start_s > world.time_s]

        def changed(kind, pin):
            if pin == relay and world.pin(pin) and not result["brown_outs"] and world.time_s - zero_s > days * DAY_S / 2:
                result["brown_outs"], result["restarted_s"] = 1, world.time_s - zero_s
                world.fault("brown-out")
            elif pin == motion:
                more()

        starts = []
        relay, motion = (int(board.profile.pins[name]) for name in ("RELAY", "MOTION_INT"))
        more()
        world.on_change(changed)
        while (left_s := days * DAY_S - (world.time_s - zero_s)) > 1:
            try:
                board.exec(_LIVE)
                once = int(board.exec("live(1)").split()[-2])      # the set-up: model, log, buffers
                said = board.exec(f"live({left_s:.0f})", timeout_s=3600).split()
                result["grown_bytes"], result["slept_bytes"] = int(said[-2]) - once, int(said[-1])
            except BoardRestartedError:
                board.reconnect()
        world.off_change(changed)
        board.exec("import apps.fall")
        log = [(what, tuple(features)) for _, what, features in board.eval("apps.fall.read_log()")]
    suspected = [features for what, features in log if what == "suspected"]
    result["log"] = [what for what, _ in log]
    result["lost"] = [features for features in expected if features not in suspected]
    result["alarms"] = len(suspected) - len([features for features in suspected if features in expected])
    return result


def main(days=7, falls_a_day=2, name="p340", kinds=None):
    began = time.time()
    result = live(plan(days, falls_a_day, name, kinds), days)
    words = {word: result["log"].count(word) for word in ("suspected", "called", "cancelled", "recovered")}
    print(f"{days} days of {name} (synthetic; simulated board, virtual clock), {time.time() - began:.0f} s on this computer")
    print(f"{result['falls']} falls, of which the model finds {len(result['expected'])}; lost by the board: {len(result['lost'])}")
    print(f"false alarms: {result['alarms']}; log: {words}; brown-outs: {result['brown_outs']}")
    print(f"heap that the app's loop took in the last run, for its log and its lines: {result['grown_bytes']} bytes; nothing is collected "
          f"while a program runs here. The simulated board's own sleep: {result['slept_bytes']} bytes")
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=7)
    main(parser.parse_args().days)
