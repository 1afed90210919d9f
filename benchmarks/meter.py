"""The electricity meter on homes that nothing was chosen with, and a week of it: ``python benchmarks/meter.py``.

Three parts: each method's events on twelve unseen homes; host against simulated board on every event of them; a week
of one home, second by second through the board's converter, with a brown-out in the middle. ``--days N`` takes a
shorter week, ``--homes N`` fewer homes. All power is synthetic; all times are this computer's, none is a board's.
"""

import argparse
import time

import numpy as np

from edgekit.board.simulated import SimulatedBoard
from edgekit.lab.meter import on_board
from edgekit.recipes import meter
from edgekit.signals.power import LEARN_DAYS, TEST_HOMES, make_power, script


def main(days=7.0, homes=12):
    watched = [meter.watch(name) for name in TEST_HOMES[:homes]]
    scores = meter.compare(watched)
    print(f"{len(watched)} unseen homes, 28 days each (synthetic, host):")
    for name, score in scores.items():
        print(f"  {name:18} F1 {score.f1:.2f}  precision {score.precision:.2f}  recall {score.recall:.2f}  "
              f"{len(score.false)} false alarms in {20 * len(watched)} days")
    print(meter.delays(scores["the board"]).to_string())

    with SimulatedBoard() as board:
        start = time.perf_counter()
        changes = wrong = 0
        for home in watched:
            there, here = meter.replay(board, home.minutes), meter.log_of(home.minutes)
            changes += len(here)
            wrong += there != here
        print(f"host against simulated board: {changes} changes of alarms, {wrong} homes that differ "
              f"({time.perf_counter() - start:.0f} s)")
    week(days)


def week(days, name="h02"):
    """Live on the board through days 8 and later of a home; it has learned before."""
    power, _ = make_power(name, 15, script(name, days=15))
    seconds = power.samples[:, 0]
    first, minutes = LEARN_DAYS * 1440, round(days * 1440)
    learned = meter.minutes_of(seconds[:60 * first])
    with SimulatedBoard() as board:
        board.install("meter")
        meter.put_learned(board, learned)
        start = time.perf_counter()
        print(on_board(board, seconds[60 * first:], minutes, brown_out_s=30.0 * minutes + 17))
        took_s = time.perf_counter() - start
        logged = board.eval("__import__('apps.meter').meter.log()")
        files = {path: board.eval(f"__import__('os').stat({path!r})[6]") for path in ("/meter.log", "/meter.power",
                                                                                      "/meter.normal")}
    read = meter.as_read(seconds[60 * first:60 * (first + minutes)])
    without = meter.log_of(np.concatenate([learned, meter.minutes_of(read)]), first)
    lost = {(stream, begun) for _, stream, begun, _ in without} - {(stream, begun) for _, stream, begun, _ in logged}
    print(f"{60 * minutes:,} seconds of the board's clock in {took_s:.0f} s of this computer; {len(logged)} changes logged, "
          f"{len(without)} without the brown-out; lost: {sorted(lost) or 'none'}; files {files}")
    return logged, without


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--homes", type=int, default=12)
    main(**vars(parser.parse_args()))
