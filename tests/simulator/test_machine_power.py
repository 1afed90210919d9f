"""Resets, sleep, watchdog, RTC: machine against ports/esp32/modmachine.c, machine_wdt.c, machine_rtc.c, modesp32.c.

Each board here is its own: a reset takes everything that it had.
"""

import time

import pytest

from edgekit.board.simulated import SimulatedBoard
from edgekit.errors import BoardRestartedError

MAIN = "from machine import *\nimport time\n"


@pytest.fixture
def board():
    with SimulatedBoard() as board:
        board.exec(MAIN)
        yield board


def restart(board, code, cause):
    """Run code that ends in a reset; the board says so, and goes on without the names."""
    with pytest.raises(BoardRestartedError, match=cause):
        board.exec(code, timeout_s=10)
    board.exec(MAIN)


# --- reset ----------------------------------------------------------------------------------------------------

def test_causes_are_the_ports(board):
    # modmachine.c:77-82, 60-75 (numbers of esp_sleep_wakeup_cause_t), modmachine.h: MACHINE_WAKE_SLEEP 2.
    assert board.eval("(PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET)") == (1, 2, 3, 4, 5)
    assert board.eval("(SLEEP, DEEPSLEEP, PIN_WAKE, EXT0_WAKE, EXT1_WAKE, TIMER_WAKE)") == (2, 4, 2, 2, 3, 4)
    assert board.eval("(reset_cause(), wake_reason(), wake_pins())") == (1, 0, ())


def test_a_reset_takes_names_and_open_files_and_starts_main_py(board):
    board.exec("with open('main.py', 'w') as f: f.write('started = 42')\nwith open('kept.txt', 'w') as f: f.write('kept')\n"
               "lost = open('lost.txt', 'w')\nlost.write('not closed')\nname = 1\ntime.sleep(100)")
    restart(board, "reset()\nprint('never')", "reset")
    assert board.eval("(reset_cause() == HARD_RESET, started, 'name' in globals())") == (True, 42, False)
    assert board.eval("time.ticks_ms()") < 1000, "ticks start again"
    assert board.world.time_s > 100, "the world goes on"
    assert sorted(board.ls("/")) == ["kept.txt", "main.py"]


def test_nothing_stops_a_reset(board):
    restart(board, "try:\n    reset()\nexcept BaseException:\n    pass\nfinally:\n    print('never')", "reset")


def test_a_handler_may_reset(board):
    restart(board, "t = Timer(0, period=50, mode=Timer.ONE_SHOT, callback=lambda t: reset())\nwhile True: time.sleep(1)",
            "reset")


def test_a_soft_reset_closes_files_and_is_known(board):
    board.exec("f = open('open.txt', 'w')\nf.write('text')\nPin(4).irq(print, Pin.IRQ_FALLING)")
    board.reset()
    assert board.get("/open.txt") == b"text"
    assert board.eval("__import__('machine').reset_cause()") == 5


def test_the_boot_loader_of_an_esp32_says_why(board):
    said = []
    with pytest.raises(BoardRestartedError) as caught:
        board.exec("print('before')\nreset()", on_output=said.append)
    assert "".join(said).startswith("before\n") and "Traceback" not in caught.value.output


# --- watchdog -------------------------------------------------------------------------------------------------

def test_a_watchdog_bites_in_a_sleep(board):
    board.exec("w = WDT(timeout=100)\nfor i in range(5):\n    time.sleep_ms(60)\n    w.feed()")
    at_s = board.world.time_s
    restart(board, "w.feed()\ntime.sleep(10)", "watchdog")
    assert board.world.time_s - at_s == pytest.approx(0.1, abs=0.02), "at its time, not when the sleep would have ended"
    assert board.eval("reset_cause() == WDT_RESET") is True
    board.exec("time.sleep(10)")  # it does not watch any more


def test_a_watchdog_bites_in_a_loop_that_looks_at_the_clock(board):
    restart(board, "w = WDT(timeout=100)\nwhile True: time.ticks_ms()", "watchdog")


def test_a_watchdog_bites_in_a_loop_that_only_computes():
    with SimulatedBoard(clock="real") as board:
        board.exec(MAIN)
        start = time.monotonic()
        restart(board, "w = WDT(timeout=200)\nwhile True: pass", "watchdog")
        assert time.monotonic() - start < 5


def test_a_watchdog_bites_at_the_prompt():
    with SimulatedBoard(clock="real") as board:
        board.exec(MAIN + "w = WDT(timeout=300)")
        time.sleep(0.6)
        with pytest.raises(BoardRestartedError, match="watchdog"):
            board.exec("print(1)")


def test_there_is_one_watchdog(board, error_of):
    assert board.eval("WDT(timeout=10_000) is WDT(0, 20_000)") is True  # machine_wdt.c:35
    assert error_of(board, "WDT(1)") == "ValueError:"                    # machine_wdt.c:41
    assert error_of(board, "WDT(timeout=-5)") == "ValueError: WDT timeout too short"


# --- light sleep ----------------------------------------------------------------------------------------------

def slept_ms(board, call):
    return board.eval(f"(lambda t: ({call}, time.ticks_diff(time.ticks_ms(), t))[1])(time.ticks_ms())")


def test_light_sleep_for_a_time(board):
    assert slept_ms(board, "lightsleep(250)") in (250, 251)
    assert board.eval("wake_reason() == TIMER_WAKE") is True
    assert slept_ms(board, "sleep(20)") in (20, 21), "machine.sleep is the same: modmachine.c:46"


@pytest.mark.parametrize("wake, reason", [
    ("Pin(14, Pin.IN, Pin.PULL_UP).irq(trigger=Pin.WAKE_LOW, wake=SLEEP)", 2),
    ("esp32.wake_on_ext0(Pin(14, Pin.IN, Pin.PULL_UP), esp32.WAKEUP_ALL_LOW)", 2),
    ("Pin(14, Pin.IN, Pin.PULL_UP)\nesp32.wake_on_ext1((Pin(14),), esp32.WAKEUP_ALL_LOW)", 3),
    ("Pin(14, Pin.IN, Pin.PULL_UP)\nesp32.wake_on_gpio((Pin(14),), 0)", 7),
])
def test_a_pin_ends_light_sleep_early(board, wake, reason):
    board.exec(f"import esp32\n{wake}")
    board.world.press(14, at_s=board.world.time_s + 0.4)
    assert 395 <= slept_ms(board, "lightsleep(5000)") <= 402
    assert board.eval("wake_reason()") == reason
    assert slept_ms(board, "lightsleep(5000)") <= 1, "the level is still there"
    board.world.release(14)
    assert 5000 <= slept_ms(board, "lightsleep(5000)") <= 5002


def test_other_pins_do_not_end_it_and_their_edges_are_lost(board):
    board.exec("hits = []\nPin(4, Pin.IN, Pin.PULL_UP).irq(hits.append, Pin.IRQ_FALLING)")
    board.world.press(4, at_s=board.world.time_s + 0.1)
    assert slept_ms(board, "lightsleep(500)") >= 500
    assert board.eval("hits") == []


def test_deepsleep_pins_do_not_end_light_sleep(board):
    board.exec("Pin(14, Pin.IN, Pin.PULL_UP).irq(trigger=Pin.WAKE_LOW, wake=DEEPSLEEP)")
    board.world.press(14, at_s=board.world.time_s + 0.1)
    assert slept_ms(board, "lightsleep(500)") >= 500


def test_other_chips_wake_by_any_interrupt():
    with SimulatedBoard("rp2040") as board:
        board.exec(MAIN + "hits = []\nPin(4, Pin.IN, Pin.PULL_UP).irq(lambda p: hits.append(1), Pin.IRQ_FALLING)")
        board.world.press(4, at_s=board.world.time_s + 0.3)
        assert 295 <= slept_ms(board, "lightsleep(5000)") <= 302
        assert board.eval("hits") == [1]


def test_somebodys_hand_ends_a_sleep_without_an_end(board):
    board.exec("import esp32\nesp32.wake_on_ext0(Pin(14, Pin.IN, Pin.PULL_UP), 0)")
    board._repl.start("lightsleep()\nprint('awake')")
    time.sleep(0.3)
    board.world.press(14)
    assert b"".join(board._repl.parts(5)) == b"awake\r\n"
    assert board._repl.end() == b""


def test_ctrl_c_ends_it_too(board):
    board.exec("import esp32\nesp32.wake_on_ext0(Pin(14, Pin.IN, Pin.PULL_UP), 0)")
    board._repl.start("lightsleep()")
    time.sleep(0.2)
    board._repl.interrupt()
    assert b"".join(board._repl.parts(5)) == b""
    assert b"KeyboardInterrupt" in board._repl.end()


@pytest.mark.parametrize("call", ["lightsleep()", "deepsleep()"])
def test_a_sleep_without_any_end_says_so(board, call, error_of):
    assert "would sleep for ever" in error_of(board, call)


# --- deep sleep -----------------------------------------------------------------------------------------------

def test_deep_sleep_is_a_reset_that_keeps_rtc_memory_and_time(board):
    board.exec("with open('main.py', 'w') as f: f.write('import machine\\nseen = machine.RTC().memory()')\n"
               "r = RTC()\nr.memory(b'count 1')\nr.datetime((2030, 1, 1, 0, 0, 0, 0, 0))\nname = 1")
    at_s = board.world.time_s
    restart(board, "deepsleep(3_000)", "deep sleep")
    assert board.world.time_s - at_s == pytest.approx(3, abs=0.02)
    assert board.eval("(reset_cause() == DEEPSLEEP_RESET, wake_reason() == TIMER_WAKE)") == (True, True)
    assert board.eval("(seen, 'name' in globals())") == (b"count 1", False)
    assert board.eval("time.localtime()[:6]") == (2030, 1, 1, 0, 0, 3)


def test_a_pin_ends_deep_sleep(board):
    board.exec("import esp32\nesp32.wake_on_ext1((Pin(12, Pin.IN, Pin.PULL_DOWN), Pin(13, Pin.IN, Pin.PULL_DOWN)), "
               "esp32.WAKEUP_ANY_HIGH)")
    board.world.drive(13, 1, at_s=board.world.time_s + 1)
    at_s = board.world.time_s
    restart(board, "deepsleep(60_000)", "deep sleep")
    assert board.world.time_s - at_s == pytest.approx(1, abs=0.05)
    assert board.eval("wake_reason() == EXT1_WAKE") is True


@pytest.mark.parametrize("code, error", [
    ("esp32.wake_on_ext0(Pin(5), 0)", "ValueError: invalid pin"),              # modesp32.c:99
    ("esp32.wake_on_ext1((Pin(5),), 0)", "ValueError: invalid pin"),           # modesp32.c:136
    ("esp32.wake_on_ext1(Pin(4), 0)", "TypeError: object 'Pin' isn't a tuple or list"),
    ("esp32.NVS('x')", "AttributeError: the simulated board has no esp32.NVS: try that part on a real board"),
    ("esp32.nothing", "AttributeError: 'module' object has no attribute 'nothing'"),
])
def test_errors_of_the_esp32_module(board, code, error, error_of):
    assert error_of(board, f"import esp32\n{code}") == error


def test_an_esp32c3_has_no_ext0():
    with SimulatedBoard("esp32c3") as board:
        board.exec(MAIN + "import esp32\nesp32.wake_on_gpio((Pin(4, Pin.IN, Pin.PULL_UP),), 0)")
        board.world.press(4, at_s=board.world.time_s + 0.2)
        assert slept_ms(board, "lightsleep(1000)") < 210
        assert board.exec("try:\n    esp32.wake_on_ext0(4, 0)\nexcept AttributeError as error:\n    print(error)") == (
            "this chip has no ext0 and ext1: use esp32.wake_on_gpio()\n")


# --- RTC memory, frequency, others ----------------------------------------------------------------------------

def test_rtc_memory(board, error_of):
    assert board.eval("RTC().memory()") == b""
    board.exec("RTC().memory(bytes(range(256)) * 8)")
    assert board.eval("RTC().memory()") == bytes(range(256)) * 8
    assert error_of(board, "RTC().memory(bytes(2049))") == "ValueError: buffer too long"   # machine_rtc.c:184
    board.exec("RTC().memory(bytearray(b'short'))")
    restart(board, "reset()", "reset")
    assert board.eval("RTC().memory()") == b"short"
    board.exec("RTC().memory(b'')")
    assert board.eval("RTC().memory()") == b""


def test_a_brown_out_loses_rtc_memory(board):
    board.exec("RTC().memory(b'there')\nname = 1")
    board._transport.engine.control({"reset": "brown-out"})
    with pytest.raises(BoardRestartedError):
        for _ in range(50):
            board.exec("pass")
            time.sleep(0.02)
    assert board.eval("__import__('machine').RTC().memory()") == b""
    assert board.eval("__import__('machine').reset_cause()") == 1


def test_a_brown_out_in_a_loop_that_only_computes(board):
    board._repl.start("while True: pass")
    time.sleep(0.2)
    board._transport.engine.control({"reset": "brown-out"})
    with pytest.raises(BoardRestartedError):
        list(board._repl.parts(5))


def test_frequencies(board, error_of):
    board.exec("freq(80_000_000)")
    assert board.eval("freq()") == 80_000_000
    assert error_of(board, "freq(100_000_000)") == (                         # modmachine.c:118
        "ValueError: frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
    assert board.eval("len(unique_id())") == 6                               # modmachine.c:385
