"""The app meter: it lives in a home for some hours of the virtual clock, and a brown-out makes it forget nothing."""

from edgekit.lab.meter import on_board
from edgekit.recipes import meter
from edgekit.signals.power import TEST_HOMES, make_power
from edgekit.simulator.chips.analog import DirectClamp


def test_host_and_board_agree_on_the_events_of_a_home(board):
    minutes = meter.watch(TEST_HOMES[5]).minutes[7 * 1440:]     # benchmarks/meter.py takes all days of all twelve
    here = meter.log_of(minutes[:18_000])
    assert meter.replay(board, minutes[:18_000]) == here and len(here) >= 4


def test_a_brown_out_in_the_middle_loses_no_event(board):
    """The meter is stuck. The supply breaks down while that alarm is on; the next alarm comes after it."""
    seconds = make_power("h02", 9, [("stuck", 8.44)])[0].samples[:, 0]
    first, minutes = round(8.40 * 1440), 240
    board.install("meter")
    board.exec("import os\nfor name in os.listdir('/'):\n if name.startswith('meter.'): os.remove('/' + name)")
    meter.put_learned(board, meter.minutes_of(seconds[:60 * first]))
    said = on_board(board, seconds[60 * first:], minutes, brown_out_s=120 * 60 + 13)
    logged = board.eval("__import__('apps.meter').meter.log()")
    assert said.count("brown-out --") == 1 and said.count("goes on") == 2
    assert [(stream, begun) for _, stream, begun, _ in logged] == [("stuck", True), ("fridge", True)], "each raised once"
    assert board.world.pin("RELAY") == 1


def test_its_loop_takes_no_memory(board):
    board.install("meter")
    board.world.set(current_a=lambda time_s: 1 + time_s % 7 / 10)
    board.world.adc(board.profile.pins["ADC"], DirectClamp(board.world))
    board.exec("import gc\nfrom apps.meter import main\n"
               "def taken(minutes):\n gc.collect()\n before = gc.mem_alloc()\n main(minutes, quiet=True)\n return gc.mem_alloc() - before\n")
    board.eval("taken(61)")
    # 3600 seconds more, and one save of what it knows more: seeking in a file leaves some bytes for the collector.
    assert abs(board.eval("taken(121)") - board.eval("taken(61)")) < 256
