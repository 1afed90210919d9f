"""The app heart over some time of the virtual clock: a fast heart is heard, a brown-out loses nothing, memory stays.

A whole week: ``python benchmarks/heart.py``."""

from edgekit.lab.heart import days


def test_a_brown_out_in_a_look_and_an_event_that_is_heard(board):
    found = days(board, hours=0.11, brown_out_s=365, every_s=120, again_s=60, event_s=190, first_event_s=120, looks_at_once=2)
    assert found["runs"] == 2 and found["looks"] >= 6
    assert (found["events"], found["missed"], found["false"], found["wrong"]) == (1, 0, 0, 0)
    assert found["heap"][-1] <= found["heap"][0] + 2000
    logged = board.exec("from apps.heart import show\nshow()").splitlines()
    printed = [line for line in found["lines"] if " s " in line]
    assert logged == printed, "each look is in the log, those before the brown-out too"
    assert board.world.pin("RELAY") == 0
