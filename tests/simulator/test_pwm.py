"""PWM from the board's program to what the world sees; names, numbers and errors are the ESP32 port's."""

import pytest

from edgekit.board.simulated import SimulatedBoard
from edgekit.errors import BoardCodeError


@pytest.fixture(scope="module")
def shared():
    with SimulatedBoard() as board:
        yield board


@pytest.fixture
def board(shared):
    shared.exec("from machine import *")
    yield shared
    shared.reset()


def test_the_default_is_half_the_time_at_5_khz(board):
    board.exec("p = PWM(Pin(4))")
    assert board.world.pwm(4) == (5000, 0.5)
    assert board.eval("(p.freq(), p.duty_u16(), p.duty(), p.duty_ns())") == (5000, 32768, 512, 100_000)


@pytest.mark.parametrize("argument, duty", [
    ("duty_u16=16384", 0.25), ("duty=256", 0.25), ("duty_ns=5_000_000", 0.25), ("duty_u16=0", 0), ("duty=0", 0),
    ("duty_ns=0", 0), ("duty_u16=65535", 1), ("duty=1023", 1), ("duty_ns=20_000_000", 1), ("duty_ns=1", 1 / 65536),
    ("duty_u16=16384, invert=True", 0.75), ("duty_u16=0, invert=True", 1),
])
def test_a_duty_has_three_units(board, argument, duty):
    board.exec(f"p = PWM(Pin(4), freq=50, {argument})")
    assert board.world.pwm(4) == (50, duty)
    name, value = argument.split(",")[0].split("=")
    board.exec(f"p.duty_u16(1000)\np.{name}({value})")
    assert board.world.pwm(4) == (50, duty)


@pytest.mark.parametrize("argument, before, after", [
    ("duty_u16=16384", 0.25, 0.25), ("duty=256", 0.25, 0.25), ("duty_ns=5_000_000", 0.25, 0.5),
])
def test_a_new_frequency_keeps_what_was_asked_for(board, argument, before, after):
    board.exec(f"p = PWM(Pin(4), 50, {argument})")
    assert board.world.pwm(4) == (50, before)
    board.exec("p.freq(100)")
    assert board.world.pwm(4) == (100, after)
    assert board.eval("p.freq()") == 100


def test_fast_pwm_has_fewer_steps(board):
    board.exec("p = PWM(Pin(4), freq=1220, duty_u16=12345)")
    assert board.eval("p.duty_u16()") == 12345
    board.exec("p.freq(20_000)")  # 80 MHz / 20 kHz: 4000 counts, so 2048 steps of 32
    assert board.eval("p.duty_u16()") == 12345 // 32 * 32
    board.exec("p.freq(40_000_000)")
    assert board.world.pwm(4) == (40_000_000, 0)


def test_off_and_on_again(board):
    board.exec("p = PWM(Pin(4), freq=1000, duty=512)\nq = PWM(Pin(4))")
    assert board.world.pwm(4) == (1000, 0.5), "a second object keeps the pin's frequency"
    board.exec("q.deinit()\nq.deinit()")
    assert board.world.pwm(4) is None
    for call in ("freq()", "freq(50)", "duty()", "duty(1)", "duty_u16()", "duty_u16(1)", "duty_ns()", "duty_ns(1)"):
        with pytest.raises(BoardCodeError, match="RuntimeError: PWM is inactive"):
            board.exec(f"q.{call}")
    board.exec("q.init(freq=200, duty_u16=65535)")
    assert board.world.pwm(4) == (200, 1)
    board.exec("q.init(duty=256)")
    assert board.world.pwm(4) == (200, 0.25)


def test_a_reset_switches_pwm_off(board):
    board.exec("p = PWM(Pin(4), freq=50)")
    board.reset()
    assert board.world.pwm(4) is None


def test_how_it_prints(board):
    assert board.exec("p = PWM(Pin(4), 50, duty=1)\nprint(p)\np.init(duty_u16=3, invert=True)\nprint(p)\n"
                      "p.deinit()\nprint(p)").splitlines() == [
        "PWM(Pin(4), freq=50, duty=1)", "PWM(Pin(4), freq=50, duty_u16=3, invert=True)", "PWM(Pin(4))"]


@pytest.mark.parametrize("code, message", [
    ("PWM(4)", "ValueError: expecting a pin"),
    ("PWM(Pin(4), freq=0)", "ValueError: frequency must be from 1Hz to 40MHz"),
    ("p.freq(40_000_001)", "ValueError: frequency must be from 1Hz to 40MHz"),
    ("p.freq(50.5)", "TypeError: can't convert float to int"),
    ("p.duty_u16(0.5)", "TypeError: can't convert float to int"),
    ("PWM(Pin(4), duty_u16='1')", "TypeError: can't convert str to int"),
    ("p.duty_u16(65536)", "ValueError: duty_u16 must be from 0 to 65536"),
    ("p.duty_u16(-1)", "ValueError: duty_u16 must be"),
    ("p.duty(1024)", "ValueError: duty must be from 0 to 1023"),
    ("p.duty_ns(20_000_001)", "ValueError: duty_ns must be from 0 to 20000000 ns"),
    ("PWM(Pin(4), speed=1)", "TypeError"),
])
def test_wrong_arguments_change_nothing(board, code, message):
    board.exec("p = PWM(Pin(5), freq=50, duty=256)")
    with pytest.raises(BoardCodeError, match=message):
        board.exec(code)
    assert board.world.pwm(5) == (50, 0.25)
    assert board.world.pwm(4) is None


def test_a_servo_sweeps(board):
    board.exec("import time\np = PWM(Pin(25), freq=50, duty_u16=0)\nfor us in range(500, 2501, 500):\n"
               "    p.duty_ns(1000 * us)\n    time.sleep_ms(200)")
    assert board.world.servo_deg(25) == pytest.approx(180, abs=0.1)
    times, freqs, duties = zip(*board.world.pwm_history(25), strict=True)
    assert freqs[-5:] == (50,) * 5
    assert [duty * 20_000 for duty in duties[-5:]] == pytest.approx([500, 1000, 1500, 2000, 2500], abs=0.31)
    assert times[-1] - times[-5] == pytest.approx(0.8, abs=0.001)


def test_signal_turns_a_level_round(board):
    board.exec("s = Signal(Pin(2, Pin.OUT), invert=True)\ns.on()")
    assert (board.world.pin(2), board.eval("s.value()")) == (0, 1)
    board.exec("s.off()")
    assert (board.world.pin(2), board.eval("s()")) == (1, 0)
