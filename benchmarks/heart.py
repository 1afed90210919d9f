"""Heart rate on people that nothing was chosen with, and a week of the app: ``python benchmarks/heart.py``.

Four parts: the limits, chosen again on the development people; errors and shares on unseen people; host against
simulated board on every window of the shipped test people; a week of the app with a brown-out in the middle. ``--hours
N`` takes a shorter week, ``--people N`` fewer people. The week looks once an hour, and every ten minutes after a rate
beyond the limits. All people are synthetic; all times are this computer's, none is a board's.
"""

import argparse
import time

from edgekit.board.simulated import SimulatedBoard
from edgekit.lab.heart import days
from edgekit.recipes import heart
from edgekit.signals.heart import FURTHER_PEOPLE, TEST, load_sessions, make_sessions


def main(hours=168.0, people=24, choose=True):
    if choose:
        limits, share = heart.choose_limits(heart.development_windows())
        print(f"chosen on {4 + len(heart.FURTHER_DEVELOPMENT)} development people: {limits}, speaks in {100 * share:.0f} % of all windows")
    unseen = [one for one in load_sessions() if one.recording.subject in TEST]
    for name, sessions in (("shipped test people", unseen),
                           (f"{people} further people", make_sessions(FURTHER_PEOPLE[:people], heart.STUDIED + heart.HARD))):
        table = heart.windows(sessions)
        blind = heart.again(table, heart.limits_like(movement=1 << 20, near=-1))
        print(f"\n{name} (host twin, synthetic):\n{heart.score(table).round(2).to_string()}")
        print(heart.score(table, {condition: (condition,) for condition in dict.fromkeys(table.condition)}).round(2).to_string())
        print(f"without the accelerometer: in motion {heart.score(blind).loc['in motion', 'error']:.1f} beats per minute off")
    with SimulatedBoard() as board:
        print("\nhost against simulated board: {} windows, {} mismatches".format(*heart.compare(board, unseen)))
        start = time.perf_counter()
        found = days(board, hours, brown_out_s=1800 * hours + 5, every_s=3600, again_s=600, event_s=7200, event_every_s=86_400)
    print(f"{found['hours']:.0f} hours of the board's clock in {time.perf_counter() - start:.0f} s of this computer: {found['looks']} looks, "
          f"{found['spoken']} rates ({found['wrong']} wrong), {found['events']} events, {found['missed']} missed, "
          f"{found['false']} looks with a false alarm, {found['runs']} starts; heap {found['heap'][0]} bytes at first, "
          f"{found['heap'][-1]} at the end")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=168.0)
    parser.add_argument("--people", type=int, default=24)
    asked = parser.parse_args()
    main(asked.hours, asked.people)
