"""Exercises of lesson 11: a calm button, a refractory time, a switch for two claps."""

from bisect import bisect

from edgekit.errors import BoardError
from edgekit.lab.check import exercise

CHOICES_MS = (5, 10, 25, 60, 200)
"""Among which exercise 11.1 lets choose. The button bounces for up to 14 ms and is held for at least 60 ms."""


@exercise("11.1", hints=["How long do the contacts bounce at most, when they close and when they open?",
                         "Longer than 14 ms, so that the look comes after all bounces. But the finger must still be there: shorter than 60 ms.",
                         "Of 5, 10, 25, 60 and 200 there is one between 14 and 60."])
def calm_button(value):
    if isinstance(value, bool) or value not in CHOICES_MS:
        return f"Expected one of {', '.join(map(str, CHOICES_MS))} ms, found {value!r:.40}."
    if value == 5:
        return "After 5 ms the contacts still bounce, when they close and when they open: the look may see anything."
    if value == 10:
        return "After 10 ms a closing button is calm, but one that opens still bounces: a release could count as a press."
    if value > 25:
        return f"After {value} ms a quick finger has gone already: the look sees level 1, and the press is missed."
    return None


@exercise("11.2", hints=["Which two times must be compared at each yes?",
                         "Keep a list of actions. The last action is actions[-1], if there is one.",
                         "if not actions or now_ms - actions[-1] >= quiet_ms: ..."])
def act_times(function):
    for yes_ms, quiet_ms, expected, why in (
            ([], 1000, [], "without a yes there is no action"),
            ([500], 1000, [500], "the first yes acts at once"),
            ([100, 420, 740, 3000], 1000, [100, 3000], "after an action there is quiet"),
            ([0, 1000, 2000], 1000, [0, 1000, 2000], "exactly quiet_ms later it may act again"),
            ([0, 600, 1200, 1800, 2400], 1000, [0, 1200, 2400], "the quiet time counts from the last action, not from the last yes"),
            ([0, 1, 2], 0, [0, 1, 2], "without a quiet time every yes acts")):
        before = list(yes_ms)
        found = function(yes_ms, quiet_ms)
        if yes_ms != before:
            return "Your function changes the list that it is given. Make a new one."
        try:
            found = list(found)
        except TypeError:
            return f"Expected a list of times in ms, found {found!r:.60}."
        if found != expected:
            return f"For yes at {yes_ms} ms and quiet_ms={quiet_ms}: found {found}; {why}."
    return None


# Claps in s: one alone; two; three; two that are too far apart; two again.
_CLAPS_S = (1.0, 4.0, 4.4, 8.0, 8.3, 8.6, 12.0, 13.0, 16.0, 16.25)
_SWITCHED_S = ((4.4, 1), (8.3, 0), (16.25, 1))
_ANSWER_S = 0.3

_NO_MEMORY = ": it asked for memory, and in a hard interrupt there is none"

# The handler is called as a hard interrupt would call it.
_HARD = """\
import micropython
from machine import Pin
_soft_irq = Pin.irq
_failed = [None]
def _hard_irq(pin, handler=None, *args, **kwargs):
    def locked(pin):
        micropython.heap_lock()
        try:
            handler(pin)
        except Exception as error:
            _failed[0] = _failed[0] or type(error).__name__
        finally:
            micropython.heap_unlock()
    return _soft_irq(pin, locked if handler else None, *args, **kwargs)
Pin.irq = _hard_irq
"""


@exercise("11.3", hints=["What must the handler note, so that the main loop can tell one clap from two? A count, and the time of the last clap.",
                         "In the handler: less than 100 ms after the last clap is an echo; more than 600 ms later a new series begins, "
                         "the count is 1; else the count grows. No float, no list, no print: those need memory.",
                         "In the loop: if claps == 2 and not switched: relay.value(not relay.value()); switched = True. When does switched "
                         "become False again?"])
def two_claps(program):
    from edgekit.board.simulated import SimulatedBoard
    if not isinstance(program, str):
        return f"Expected the text of a program, found {type(program).__name__}."
    if "def main" not in program:
        return "Expected a function main(seconds) in the program."
    with SimulatedBoard() as board:
        board.install("wake")
        pins = board.profile.pins
        try:
            board.exec(_HARD)
            board.exec(program)
            start_s = board.world.time_s
            clap(board.world, [start_s + clap_s for clap_s in _CLAPS_S])
            board.exec("main(19)", timeout_s=60)
            failed = board.eval("_failed[0]")
        except BoardError as error:
            return f"On the board it stopped: {str(error).strip().splitlines()[-1]}"
        changes = [(time_s - start_s, level) for time_s, level in board.world.pin_history(pins["RELAY"]) if time_s >= start_s]
        took_s = board.world.time_s - start_s
    if failed:
        return f"The handler failed with {failed}{_NO_MEMORY if failed == 'MemoryError' else ''}."
    if took_s < 18.9 or took_s > 21:
        return f"main(19) took {took_s:.1f} s on the board's clock; expected 19."
    return _compare(changes)


def clap(world, times_s):
    """Let somebody clap at these times, in s on the board's clock, in their order, 0.08 s or more apart; each clap has an
    echo 0.07 s later."""
    def sound(time_s):
        claps = bisect(times_s, time_s)
        since_s = time_s - times_s[claps - 1] if claps else 1.0
        return 0.8 if since_s < 0.01 or 0.07 <= since_s < 0.08 else 0.0

    world.set(sound=sound)


def _compare(changes):
    if not changes:
        return "The relay never switched. The claps came at " + ", ".join(f"{clap_s:g}" for clap_s in _CLAPS_S) + " s."
    expected = list(_SWITCHED_S)
    for time_s, _ in changes:
        if not expected or not expected[0][0] <= time_s <= expected[0][0] + _ANSWER_S:
            what = _what_came_before(time_s)
            return f"The relay switched at {time_s:.2f} s, {what}."
        expected.pop(0)
    if expected:
        return f"The relay did not switch after the two claps at {expected[0][0]:g} s."
    return None


def _what_came_before(time_s):
    if time_s < 4:
        return "after one clap alone (its echo comes 0.07 s later)"
    if time_s < 4.4:
        return "after the first clap of two (its echo comes 0.07 s later)"
    if time_s < 8:
        return "once more than expected, or too late: the second clap was at 4.4 s"
    if time_s < 8.6:
        return "too early or too often: the second clap of three was at 8.3 s"
    if time_s < 12:
        return "after a third clap, or too late"
    if time_s < 16:
        return "after two claps that are one second apart"
    return "too early, too late or too often: the last two claps were at 16 and 16.25 s"
