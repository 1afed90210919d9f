"""Every board finds its table, and a strange one gets one clear sentence."""

import ast

import pytest

from edgekit.board.install import tables_for
from edgekit.board.profiles import PROFILES
from edgekit.board.simulated import SimulatedBoard
from edgekit.errors import BoardCodeError
from edgekit.paths import FIRMWARE

TABLES = {"esp32": "ESP32", "esp32s3": "ESP32-S3", "esp32c3": "ESP32-C3", "esp32s2": "ESP32-S2", "esp32c6": "ESP32-C6", "nano33ble": "Nano 33 BLE Sense",
          "stm32f411": "STM32F411", "nucleo_f446": "Nucleo-F446", "pyboard": "Pyboard", "rp2040": "Raspberry Pi Pico"}
PINS = {"NAME", "LED", "LED_ON", "BUTTON", "ADC", "I2C_ID", "SCL", "SDA", "RELAY", "SERVO", "MOTION_INT", "SOUND"}
OWN_MICROPHONE = {"MIC_CLOCK", "MIC_DATA", "MIC_POWER"}
MICROPHONE = {"MIC_ID", "MIC_SCK", "MIC_WS", "MIC_SD"}  # where the port has machine.I2S


def test_each_profile_has_a_table():
    assert set(PROFILES) == set(TABLES)


@pytest.mark.parametrize("profile", TABLES)
def test_tables_are_complete_and_use_each_pin_once(profile):
    tree = ast.parse((FIRMWARE / "boards" / f"{profile}.py").read_text(encoding="utf-8"))
    table = {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)}
    assert set(table) in (PINS, PINS | MICROPHONE, PINS | OWN_MICROPHONE)
    used = [table[name] for name in set(table) - {"NAME", "LED_ON", "I2C_ID", "MIC_ID"}]
    assert len(set(used)) == len(used)


@pytest.mark.parametrize("profile", TABLES)
def test_the_simulated_board_takes_its_profiles_table(profile):
    with SimulatedBoard(profile) as board:
        board.install("capture")
        assert board.eval("__import__('boards').pins.NAME") == TABLES[profile]


@pytest.mark.parametrize("profile", TABLES)
def test_led_button_and_sensor_work_whatever_the_pins_are(profile):
    with SimulatedBoard(profile) as board:
        board.install("capture")
        board.exec("import boards\nled = boards.led()\nled.on()")
        pin, on_level = board.eval("boards.pins.LED"), board.eval("boards.pins.LED_ON")
        assert board.world.pin(pin) == on_level
        board.exec("led.off()")
        assert board.world.pin(pin) == 1 - on_level
        board.world.press(board.eval("boards.pins.BUTTON"))
        assert board.eval("boards.button().value()") == 0
        board.world.release(board.eval("boards.pins.BUTTON"))
        assert board.eval("boards.button().value()") == 1
        board.world.set(accel_g=(0, 1, 0))
        board.exec("import time\nimu = boards.accelerometer()\ntime.sleep(0.1)")
        assert board.eval("imu.accel_g()") == (0, 1, 0)


@pytest.mark.parametrize("profile", TABLES)
def test_the_servo_moves_when_it_is_told_to(profile):
    with SimulatedBoard(profile) as board:
        board.install("capture")
        board.exec("import boards\nservo = boards.servo()")
        pin = board.eval("boards.pins.SERVO")
        assert board.world.servo_deg(pin) is None, "no pulse before the first command"
        for ns, deg in ((500_000, 0), (1_500_000, 90), (2_500_000, 180)):
            board.exec(f"servo.duty_ns({ns})")
            assert board.world.servo_deg(pin) == pytest.approx(deg, abs=0.1)


@pytest.mark.parametrize("profile", TABLES)
def test_the_pins_that_ask(profile):
    with SimulatedBoard(profile) as board:
        board.install("capture")
        board.exec("import boards, time\nimu = boards.accelerometer()\nmoved = boards.motion_interrupt()\nloud = boards.sound_switch()")
        assert board.eval("(moved.value(), loud.value())") == (0, 0)
        board.exec("imu.sleep_until_motion()\ntime.sleep(0.1)\nmoved.value()")  # a request: the world has caught up
        board.world.set(accel_g=(1, 0, 0), sound=0.9)
        board.exec("time.sleep(0.1)")
        assert board.eval("(moved.value(), loud.value())") == (1, 1)


@pytest.mark.parametrize("profile", ["esp32", "esp32s3", "esp32c3", "rp2040"])
def test_the_microphone_hears(profile):
    with SimulatedBoard(profile) as board:
        board.install("capture")
        board.world.set(sound=-0.25)
        board.exec("import boards\nmic = boards.microphone()\nbuf = bytearray(64)\nfor _ in range(20):\n mic.readinto(buf)")
        heard = [int.from_bytes(board.eval("bytes(buf)")[i:i + 4], "little", signed=True) / 2 ** 31 for i in (0, 60)]
        assert heard == pytest.approx([-0.25] * 2, abs=1e-3)


@pytest.mark.parametrize("profile, message", [
    ("stm32f411", "the table of the STM32F411 has no I2S microphone"),
    ("nano33ble", "no machine.mem32: try that part on a real board"),
])
def test_a_board_without_microphone_says_so(profile, message):
    with SimulatedBoard(profile) as board:
        board.install("capture")
        with pytest.raises(BoardCodeError, match=message):
            board.exec("import boards\nboards.microphone()")


def test_an_unknown_board_is_told_what_is_known():
    with SimulatedBoard("esp32") as board:
        board.install("capture")
        with pytest.raises(BoardCodeError, match="RuntimeError: the board 'Teapot with 8051' is not known here; known "
                                                 "are boards with ESP32S3.*Copy the nearest table"):
            board.exec("import boards\nboards._table_for('Teapot with 8051')")


NAMES = {
    "Generic ESP32 module with ESP32": "esp32", "LOLIN_C3_MINI with ESP32-C3FH4": "esp32c3", "PYBv1.1 with STM32F405RG": "pyboard",
    "ESP32C6 module with ESP32-C6": "esp32c6", "Generic ESP32S2 module with ESP32S2": "esp32s2",
    "Raspberry Pi Pico W with RP2040": "rp2040"}


def test_a_chip_is_known_however_its_name_is_spelled():
    with SimulatedBoard("esp32") as board:
        board.install()
        for machine, table in NAMES.items():
            assert board.eval(f"__import__('boards')._table_for({machine!r}).__name__") == f"boards.{table}"
            assert tables_for(machine) == [table]


@pytest.mark.parametrize("profile", ["stm32f411", "nucleo_f446", "pyboard"])
def test_an_stm32_knows_the_pins_of_its_buses_and_refuses_to_be_told(profile):
    with SimulatedBoard(profile) as board:
        with pytest.raises(BoardCodeError, match="explicit choice of scl/sda is not implemented"):
            board.exec("from machine import I2C, Pin\nI2C(1, scl=Pin('PB6'), sda=Pin('PB7'))")
        board.install("capture")
        assert 0x68 in board.eval("__import__('boards').i2c().scan()"), "and the table names the pins of that bus"


def test_servo_pulses_on_an_stm32_without_pwm():
    with SimulatedBoard("stm32f411") as board:
        with pytest.raises(BoardCodeError, match="no module named 'machine.PWM'|can't import name PWM"):
            board.exec("from machine import PWM")
        board.install("capture")
        board.exec("import boards\nservo = boards.servo()\nservo.duty_ns(1000000)")
        assert board.eval("servo.duty_ns()") == pytest.approx(1_000_000, abs=1000)
        with pytest.raises(BoardCodeError, match="a pulse of 21000000 ns does not fit into a cycle of 20000 us"):
            board.exec("servo.duty_ns(21000000)")
