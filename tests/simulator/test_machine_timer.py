"""machine.Timer, against ports/esp32/machine_timer.c."""

import pytest

from edgekit.board.simulated import SimulatedBoard


@pytest.mark.parametrize("code, error", [
    ("Timer(4)", "ValueError: Timer(4) doesn't exist, there are only 4 hardware timers"),     # machine_timer.c:86
    ("Timer(0, period=0)", "ValueError: Timer period is too short for this timer"),           # machine_timer.c:155
    ("Timer(0, freq=1e9)", "ValueError: Timer period is too short for this timer"),
    ("Timer(0, period=10, hard=True)", "ValueError: hard Timers are not implemented"),        # machine_timer.c:270
    ("Timer('x')", "TypeError: can't convert str to int"),
    ("Timer(0, period=1.5)", "TypeError: can't convert float to int"),
])
def test_errors(machine, code, error, error_of):
    assert error_of(machine, code) == error


def test_how_it_prints(machine):
    # machine_timer.c:348; there the words ONE_SHOT and PERIODIC are the wrong way round.
    assert machine.exec("print(Timer(0), Timer(1, period=250), Timer(-1, mode=Timer.ONE_SHOT, freq=4))\n"
                        "Timer(1).deinit()") == (
        "Timer(0, mode=ONE_SHOT, period=0) Timer(1, mode=PERIODIC, period=250) Timer(-1, mode=ONE_SHOT, period=250)\n")
    assert machine.eval("(Timer.ONE_SHOT, Timer.PERIODIC)") == (0, 1)


def test_hardware_timers_are_one_object_each_virtual_ones_are_not(machine):
    assert machine.eval("(Timer(2) is Timer(2), Timer(-1) is Timer(-1), Timer() is Timer())") == (True, False, False)


@pytest.mark.parametrize("timer", ["Timer(0", "Timer(-1"])
@pytest.mark.parametrize("how, times_ms", [
    ("period=100", [100, 200, 300]), ("freq=8", [125, 250]), ("period=5, tick_hz=50", [100, 200, 300]),
    ("period=100, mode=Timer.ONE_SHOT", [100]), ("mode=Timer.ONE_SHOT, freq=2.5", []),
])
def test_when_it_calls(machine, timer, how, times_ms):
    machine.exec(f"hits = []\nstart = time.ticks_ms()\nt = {timer}, {how}, callback=lambda t: hits.append("
                 "time.ticks_diff(time.ticks_ms(), start)))\ntime.sleep_ms(350)\nt.deinit()\ntime.sleep_ms(350)")
    assert machine.eval("hits") == times_ms


def test_the_handler_gets_the_timer(machine):
    machine.exec("hits = []\nt = Timer(0, period=10, mode=Timer.ONE_SHOT, callback=hits.append)\ntime.sleep_ms(20)")
    assert machine.eval("hits == [t]") is True


def test_value_counts_from_the_last_call(machine):
    machine.exec("t = Timer(0, period=100)\ntime.sleep_ms(30)")
    assert machine.eval("t.value()") in (30, 31)
    machine.exec("time.sleep_ms(80)")
    assert machine.eval("t.value()") in (10, 11, 12)
    machine.exec("t.deinit()")


def test_a_handler_may_stop_or_change_its_timer(machine):
    machine.exec("hits = []\ndef on(t):\n    hits.append(time.ticks_ms())\n    if len(hits) == 2: t.init(period=50, callback=on)\n"
                 "    if len(hits) == 4: t.deinit()\nt = Timer(0, period=10, callback=on)\ntime.sleep(1)")
    hits = machine.eval("hits")
    assert [b - a for a, b in zip(hits, hits[1:], strict=False)] == [10, 50, 50]


def test_late_by_many_periods_it_calls_8_times(machine):
    machine.exec("hits = []\nt = Timer(0, period=10, callback=lambda t: hits.append(1))\nstate = disable_irq()\n"
                 "time.sleep(1)\nenable_irq(state)\nt.deinit()")
    assert machine.eval("len(hits)") == 8  # ports/esp32/mpconfigport.h:73, MICROPY_SCHEDULER_DEPTH


def test_a_handler_that_sleeps_delays_the_others(machine):
    machine.exec("hits = []\na = Timer(0, period=20, mode=Timer.ONE_SHOT, callback=lambda t: time.sleep_ms(50))\n"
                 "start = time.ticks_ms()\nb = Timer(1, period=30, mode=Timer.ONE_SHOT, callback=lambda t: hits.append("
                 "time.ticks_diff(time.ticks_ms(), start)))\ntime.sleep_ms(100)")
    assert machine.eval("hits") == [70]


def test_with_the_real_clock_too():
    with SimulatedBoard(clock="real") as board:
        board.exec("from machine import Timer\nimport time\nhits = []\n"
                   "t = Timer(0, period=20, callback=lambda t: hits.append(time.ticks_ms()))\ntime.sleep_ms(230)\nt.deinit()")
        hits = board.eval("hits")
        assert 8 <= len(hits) <= 11
        assert hits[-1] - hits[0] == pytest.approx(20 * (len(hits) - 1), abs=40)


def test_how_many_an_esp32c3_has(error_of):
    with SimulatedBoard("esp32c3") as board:
        assert error_of(board, "from machine import Timer\nTimer(2)") == (
            "ValueError: Timer(2) doesn't exist, there are only 2 hardware timers")
