"""What waiting costs: hours times milliamps, and nothing else."""

import pytest

from edgekit.board.profiles import PROFILES
from edgekit.errors import DataError
from edgekit.lab.waiting import DAY_S, Way, mah_per_day, mah_table, plot_mah, ways_to_wait


@pytest.mark.parametrize("name", PROFILES)
def test_a_day_awake_and_a_day_asleep(name):
    board = PROFILES[name]
    assert mah_per_day(board, Way("awake", DAY_S, waiting_ma=0, awake_ma=2)) == pytest.approx(24 * (board.active_ma + 2))
    assert mah_per_day(board, Way("asleep", 0, waiting_ma=0.5, awake_ma=99)) == pytest.approx(24 * (board.sleep_ma + 0.5))


def test_half_a_day_is_half_of_both():
    board = PROFILES["esp32"]
    half = mah_per_day(board, Way("half", DAY_S / 2, waiting_ma=0.5, awake_ma=2))
    assert half == pytest.approx(12 * (board.active_ma + 2) + 12 * (board.sleep_ma + 0.5))


@pytest.mark.parametrize("awake_s", [-1, DAY_S + 1])
def test_a_day_has_24_hours(awake_s):
    with pytest.raises(DataError, match="s awake in a day; expected 0 to 86,400. Take fewer events"):
        mah_per_day(PROFILES["esp32"], Way("too much", awake_s, waiting_ma=0))


def test_what_lesson_11_reads():
    table = mah_table(ways_to_wait(events_per_day=50, look_s=2.03))
    for board in table.columns:
        never, polling, _, motion, button = table[board]
        assert never > polling > button and motion > button
    never, polling, sound, _, button = table["ESP32 DevKit"]
    assert 35 < never / button < 45 and 2 < polling / button < 3
    nano = table["Arduino Nano 33 BLE Sense"]
    assert nano.iloc[0] / nano.iloc[-1] > 400 and 15 < nano.iloc[1] / nano.iloc[-1] < 25
    assert table.iloc[2].max() / table.iloc[2].min() < 1.25, "the sound switch costs about the same on all of them"


def test_more_wakes_cost_more_and_too_many_are_refused():
    few, many = (mah_table(ways_to_wait(n, 2.0)).loc["woken by the button"] for n in (50, 2000))
    assert (many > few).all()
    with pytest.raises(DataError, match="woken by a sound switch"):
        mah_table(ways_to_wait(50_000, 2.0))


def test_picture_has_a_bar_for_each_figure():
    table = mah_table(ways_to_wait(50, 2.0), boards=("esp32", "nano33ble"))
    (ax,) = plot_mah(table).axes
    bars = [bar.get_width() for group in ax.containers for bar in group if hasattr(bar, "get_width")]
    assert sorted(bars) == pytest.approx(sorted(table.to_numpy().ravel()))
    assert "estimated" in ax.get_xlabel() and ax.get_xscale() == "log"
    assert "over 10 years" in " ".join(text.get_text() for text in ax.texts)
