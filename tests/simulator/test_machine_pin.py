"""machine.Pin and machine.Signal, against ports/esp32/machine_pin.c and extmod/machine_signal.c."""

import pytest

from edgekit.board.simulated import SimulatedBoard
from edgekit.simulator import bus


def test_constants_are_the_ports(machine):
    # machine_pin.c:453-465 with ESP-IDF's gpio_types.h: GPIO_MODE_INPUT_OUTPUT 3, _OD 7, GPIO_INTR_LOW_LEVEL 4.
    assert machine.eval("(Pin.IN, Pin.OUT, Pin.OPEN_DRAIN, Pin.PULL_UP, Pin.PULL_DOWN, Pin.IRQ_RISING, Pin.IRQ_FALLING, "
                        "Pin.WAKE_LOW, Pin.WAKE_HIGH, Pin.DRIVE_0, Pin.DRIVE_3)") == (1, 3, 7, 2, 1, 1, 2, 4, 5, 0, 3)


@pytest.mark.parametrize("code, error", [
    ("Pin(-1)", "ValueError: invalid pin"),               # machine_pin.c:131
    ("Pin(40)", "ValueError: invalid pin"),               # machine_pin.h: the table ends at 39
    ("Pin(28)", "ValueError: invalid pin"),               # and has gaps
    ("Pin('PC13')", "ValueError: invalid pin"),           # a name of another board
    ("Pin(1.0)", "ValueError: invalid pin"),
    ("Pin(34, Pin.OUT)", "ValueError: pin can only be input"),  # machine_pin.c:245
    ("Pin(2, 'x')", "TypeError: can't convert str to int"),
    ("Pin(2).irq(print, hard=True)", "TypeError: extra keyword arguments given"),  # machine_pin.c:361: no hard
    ("Pin(2).irq(trigger=Pin.WAKE_LOW, wake=1)", "ValueError: bad wake value"),     # machine_pin.c:380
    ("Pin(2).irq(trigger=Pin.WAKE_LOW, wake='x')", "ValueError: bad wake value"),   # machine_pin.c:383
    ("Pin(5).irq(trigger=Pin.WAKE_LOW, wake=SLEEP)", "ValueError: invalid pin for wake"),  # machine_pin.c:393
    ("Pin(2).irq(trigger=Pin.WAKE_LOW, wake=SLEEP); Pin(4).irq(trigger=Pin.WAKE_LOW, wake=SLEEP)",
     "ValueError: no resources"),                         # machine_pin.c:400
])
def test_wrong_arguments(machine, code, error, error_of):
    assert error_of(machine, code) == error


@pytest.mark.parametrize("code, text", [  # machine_pin.c:139-171
    ("Pin(4)", "Pin(4, mode=Pin.IN)"),
    ("Pin(5, Pin.OUT)", "Pin(5, mode=Pin.OUT)"),
    ("Pin(13, Pin.OPEN_DRAIN, Pin.PULL_UP, drive=Pin.DRIVE_3)",
     "Pin(13, mode=Pin.OPEN_DRAIN, pull=Pin.PULL_UP, drive=Pin.DRIVE_3)"),
    ("Pin(14, Pin.IN, Pin.PULL_DOWN)", "Pin(14, mode=Pin.IN, pull=Pin.PULL_DOWN)"),
])
def test_how_it_prints(machine, code, text):
    assert machine.exec(f"print({code})") == text + "\n"


def test_there_is_one_object_for_each_pin(machine):
    assert machine.eval("Pin(4) is Pin(4) and Pin(Pin(4)) is Pin(4)") is True


def test_the_value_is_set_before_the_mode(machine, asked):
    machine.exec("p = Pin(4, Pin.OUT, value=1, hold=True)")  # machine_pin.c:226: no glitch on the wire
    assert asked.asked() == [(bus.PIN_SET, (4, 1), b""), (bus.PIN_MODE, (4, bus.MODE_OUT, bus.PULL_NONE), b"")]


def test_a_pull_alone_keeps_the_mode(machine, asked):
    machine.exec("p = Pin(4, Pin.OPEN_DRAIN)\np.init(pull=Pin.PULL_UP)\np.init(pull=None)")
    assert asked.asked() == [(bus.PIN_MODE, (4, bus.MODE_OPEN_DRAIN, pull), b"")
                             for pull in (bus.PULL_NONE, bus.PULL_UP, bus.PULL_NONE)]


def test_toggle_turns_the_output_not_what_is_read(machine, asked):
    asked.answers[bus.PIN_GET] = b"\x01"  # somebody holds it at 1
    machine.exec("p = Pin(4, Pin.OPEN_DRAIN, value=0)\np.toggle()\np.toggle()")
    assert [args for op, args, _ in asked.asked() if op == bus.PIN_SET] == [(4, 0), (4, 1), (4, 0)]


def test_value_takes_whatever_has_a_truth(machine):
    machine.exec("p = Pin(4, Pin.OUT)\np.value('yes')")
    assert machine.world.pin(4) == 1
    machine.exec("p(None)")  # machine_pin.c:312: any argument at all sets
    assert machine.world.pin(4) == 0


# --- interrupts -----------------------------------------------------------------------------------------------

def test_irq_returns_an_object_with_a_trigger(machine):
    machine.exec("p = Pin(4, Pin.IN, Pin.PULL_UP)\ni = p.irq(print, Pin.IRQ_FALLING)")
    assert machine.eval("i is p.irq()") is True, "asking changes nothing: machine_pin.c:371"
    assert machine.eval("(i.trigger(), i.trigger(Pin.IRQ_RISING), i.trigger())") == (2, 2, 1)
    assert machine.eval("hasattr(i, 'flags')") is False  # machine_pin.c:505: trigger only


def test_without_a_trigger_both_edges_count(machine):
    machine.exec("hits = []\np = Pin(4, Pin.IN, Pin.PULL_UP)\np.irq(lambda pin: hits.append(pin.value()))")
    now = machine.world.time_s
    machine.world.press(4, at_s=now + 0.1)
    machine.world.release(4, at_s=now + 0.2)
    machine.exec("time.sleep(0.3)")
    assert machine.eval("hits") == [0, 1]


def test_calling_the_irq_object_calls_the_handler(machine):
    machine.exec("hits = []\np = Pin(4)\ni = p.irq(hits.append, Pin.IRQ_FALLING)\ni()")
    assert machine.eval("hits == [p]") is True


def test_a_level_calls_once_at_once_if_it_is_there(machine):
    machine.world.press(4)
    machine.exec("hits = []\np = Pin(4, Pin.IN, Pin.PULL_UP)\np.irq(hits.append, Pin.WAKE_LOW)")
    machine.world.release(4)
    assert machine.eval("len(hits)") == 1


def test_an_error_in_a_handler_is_printed_and_the_program_goes_on(machine):
    # py/runtime_utils.c, mp_call_function_1_protected: what mp_sched_schedule runs.
    machine.exec("p = Pin(4, Pin.IN, Pin.PULL_UP)\np.irq(lambda pin: 1 // 0, Pin.IRQ_FALLING)")
    machine.world.press(4, at_s=machine.world.time_s + 0.1)
    machine.world.release(4, at_s=machine.world.time_s + 0.15)
    said = machine.exec("time.sleep(0.2)\nprint('goes on')")
    assert said.startswith("Traceback") and "ZeroDivisionError" in said and said.endswith("goes on\n")


def test_a_loop_that_looks_at_the_clock_lets_handlers_run(machine):
    machine.exec("hits = []\np = Pin(4, Pin.IN, Pin.PULL_UP)\np.irq(lambda p: hits.append(time.ticks_ms()), Pin.IRQ_FALLING)")
    machine.world.press(4, at_s=machine.world.time_s + 0.05)
    machine.world.release(4, at_s=machine.world.time_s + 0.06)
    machine.exec("t = time.ticks_ms()\nwhile time.ticks_diff(time.ticks_ms(), t) < 100: pass", timeout_s=10)
    late_ms = machine.eval("time.ticks_diff(hits[0], t)")
    assert 50 <= late_ms <= 52


def test_disable_irq_keeps_handlers_waiting(machine):
    machine.exec("hits = []\np = Pin(4, Pin.IN, Pin.PULL_UP)\np.irq(lambda p: hits.append(p), Pin.IRQ_FALLING)\n"
                 "state = disable_irq()\nagain = disable_irq()")
    machine.world.press(4, at_s=machine.world.time_s + 0.05)
    machine.world.release(4, at_s=machine.world.time_s + 0.06)
    machine.exec("time.sleep(0.1)\nenable_irq(again)\ntime.sleep(0.01)")
    assert machine.eval("hits") == [], "what was off before stays off"
    machine.exec("enable_irq(state)")
    assert machine.eval("len(hits)") == 1


def test_scheduled_functions_run(machine):
    machine.exec("import micropython\nhits = []\nmicropython.schedule(hits.append, 5)\nfor i in range(10): pass")
    assert machine.eval("hits") == [5]


# --- Signal ---------------------------------------------------------------------------------------------------

def test_signal(machine, error_of):
    machine.exec("s = Signal(Pin(4, Pin.OUT), invert=True)\ns.on()")
    assert machine.world.pin(4) == 0 and machine.eval("(s.value(), s())") == (1, 1)
    machine.exec("s(0)")
    assert machine.world.pin(4) == 1
    machine.exec("s = Signal(5, Pin.OUT, value=1, invert=True)")  # machine_signal.c:80: the value is the signal's
    assert machine.world.pin(5) == 0
    machine.exec("Signal(Signal(Pin(4, Pin.OUT), invert=True), invert=True).on()")
    assert machine.world.pin(4) == 1
    assert error_of(machine, "Signal(Pin(4), 1)") == "TypeError:"  # machine_signal.c:107


# --- other boards ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("profile, there, missing", [
    ("esp32s3", 48, 22), ("esp32c3", 21, 14), ("stm32f411", "'PC13'", "'PX1'"), ("rp2040", 25, -1)])
def test_pins_of_other_boards(profile, there, missing, error_of):
    with SimulatedBoard(profile) as board:
        board.exec("from machine import Pin")
        assert board.exec(f"Pin({there}, Pin.OUT).on()") == ""
        assert board.world.pin(str(there).strip("'") if isinstance(there, str) else there) == 1
        assert error_of(board, f"Pin({missing})") == "ValueError: invalid pin"
        flags = board.eval(f"hasattr(Pin({there}).irq(), 'flags')")
        assert flags is not profile.startswith("esp32"), "irq().flags() is what STM32 and RP2040 have"
