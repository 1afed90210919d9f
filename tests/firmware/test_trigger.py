"""Debounce, smoothing, refractory time, words in a stream."""

from edgekit.twin import board_module

trigger = board_module("trigger")


def test_bounces_count_once():
    button = trigger.Debounce(level=1, stable_ms=20)
    levels = [(0, 1), (100, 0), (102, 1), (103, 0), (110, 0), (122, 0), (123, 0), (130, 0), (300, 1), (301, 0), (340, 0)]
    changes = [now_ms for now_ms, level in levels if button.update(level, now_ms)]
    assert changes == [123] and button.level == 0


def test_release_counts_as_well():
    button = trigger.Debounce(level=1, stable_ms=10)
    changes = [(t, button.level) for t in range(100) if button.update(0 if 20 <= t < 60 else 1, t)]
    assert changes == [(30, 0), (70, 1)]


def test_smoother_is_the_mean_of_the_last_windows():
    smoother = trigger.Smoother(classes=2, windows=3)
    assert smoother.mean(0) == 0 and not smoother.full()
    for scores in ([-128, 127], [0, 0], [100, -100]):
        smoother.update(scores)
    assert smoother.full()
    assert [smoother.mean(0), smoother.mean(1)] == [(-128 + 100) // 3, 27 // 3]
    smoother.update([100, -100])
    assert smoother.mean(0) == 200 // 3 and smoother.best() == 0


def test_a_cleared_smoother_has_forgotten_everything():
    smoother = trigger.Smoother(classes=2, windows=2)
    for scores in ([100, 0], [100, 0], [100, 0]):
        smoother.update(scores)
    smoother.clear()
    assert not smoother.full() and smoother.mean(0) == 0
    smoother.update([0, 50])
    smoother.update([0, 30])
    assert smoother.full() and [smoother.mean(0), smoother.mean(1)] == [0, 40]


def test_the_first_of_equals_is_best():
    smoother = trigger.Smoother(classes=3, windows=1)
    smoother.update([5, 9, 9])
    assert smoother.best() == 1


def test_refractory_time():
    refractory = trigger.Refractory(1000)
    assert [t for t in range(0, 3001, 100) if refractory.ready(t)] == [0, 1000, 2000, 3000]


def spotted(rows, **settings):
    spotter = trigger.Spotter(3, (0, 2), limit=50, **{"smooth": 2, "quiet_ms": 300, **settings})
    return [(100 * i, word) for i, row in enumerate(rows) if (word := spotter.update(row, 100 * i)) >= 0]


NO, REST, YES = [100, 0, 0], [0, 100, 0], [0, 0, 100]


def test_a_word_counts_once_however_long_it_is_in_sight():
    assert spotted([REST, REST, YES, YES, YES, YES, YES, YES, YES]) == [(300, 2)]
    assert spotted([REST, REST, YES, YES, REST, REST, YES, YES]) == [(300, 2), (700, 2)]


def test_the_first_means_must_be_whole():
    assert spotted([YES]) == [] and spotted([YES, YES]) == [(100, 2)]


def test_another_word_counts_at_once_after_the_quiet_time():
    rows = [YES, YES, NO, NO, NO, NO, NO]
    assert spotted(rows, quiet_ms=0) == [(100, 2), (200, 0)], "of equal means the first class"
    assert spotted(rows, quiet_ms=400) == [(100, 2), (500, 0)]


def test_what_is_no_word_never_counts():
    assert spotted([REST] * 5) == []
    assert spotted([[0, 60, 55]] * 5) == [], "the other class is better"
