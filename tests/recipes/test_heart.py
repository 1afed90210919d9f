"""Heart rate on people it has not seen: right where it speaks, and the naive ways are not."""

import numpy as np
import pandas as pd
import pytest

from edgekit.errors import DataError
from edgekit.recipes import heart
from edgekit.recording import Recording
from edgekit.signals.heart import DEVELOPMENT, FURTHER_PEOPLE, TEST, load_sessions, make_sessions


@pytest.fixture(scope="module")
def unseen():
    sessions = [session for session in load_sessions() if session.recording.subject in TEST]
    return heart.windows(sessions + make_sessions(FURTHER_PEOPLE[:4], heart.STUDIED))


def test_nobody_is_on_both_sides():
    assert not (set(DEVELOPMENT) | set(heart.FURTHER_DEVELOPMENT)) & (set(TEST) | set(FURTHER_PEOPLE))


def test_where_it_speaks_it_is_right_and_the_naive_ways_are_not(unseen):
    scored = heart.score(unseen)
    rest, motion = scored.loc["at rest"], scored.loc["in motion"]
    assert rest["error"] < 3 and rest["speaks"] > 0.9
    assert motion["error"] < 6 and motion["speaks"] > 0.15
    for naive in ("always speaks", "largest FFT peak", "count the dips"):
        assert motion[naive] > 10, naive
    assert rest["count the dips"] > 20, "the second wave of each beat is counted too"


def test_without_the_accelerometer_it_is_sure_and_wrong(unseen):
    blind = heart.again(unseen, heart.limits_like(movement=1 << 20, near=-1))
    scored = heart.score(blind)
    assert scored.loc["in motion", "error"] > 6
    assert scored.loc["at rest", "error"] < 1


def test_again_with_the_same_limits_changes_nothing(unseen):
    same = heart.again(unseen, heart.limits_like())
    pd.testing.assert_frame_equal(same, unseen)


def test_the_limits_of_the_board_are_wrong_in_no_word_on_some_development_people():
    table = heart.windows(make_sessions(DEVELOPMENT, heart.MOTION))
    said = table[table.reason == 0]
    assert len(said) > 5 and ((said.rate_bpm - said.truth_bpm).abs() < 5).all()
    limits, share = heart.choose_limits(table)
    assert set(limits) == set(heart.GRID) and share >= len(said) / len(table)


def test_no_limits_keep_what_cannot_be_kept(unseen):
    lies = unseen.assign(truth_bpm=30.0)
    with pytest.raises(DataError, match="No limits of the grid keep the wrong rates below 0 %"):
        heart.choose_limits(lies)


def test_another_recording_is_refused():
    with pytest.raises(DataError, match="expected a channel ir at 100 Hz"):
        heart.follow(Recording(np.zeros((500, 1), np.int16), 50.0, ("ir",), ("counts",)))
