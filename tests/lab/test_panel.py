"""The board panel without a browser: what a hand does by name, what it shows, and that it leaves nothing behind."""

import html
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import edgekit
from edgekit.board.profiles import PROFILES
from edgekit.errors import DataError
from edgekit.lab import BoardPanel
from edgekit.lab.panel import SOUNDS, make_sound
from edgekit.lab.scene import Scene, picture
from edgekit.lab.views import Throttle
from edgekit.simulator.world import pin_number


@pytest.fixture(scope="module")
def board():
    with edgekit.connect("sim", quiet=True) as board:
        board.install()
        board.exec("import boards, time; from machine import Pin, PWM")
        yield board


@pytest.fixture
def panel(board):
    panel = BoardPanel(board)
    yield panel
    panel.close()


def wait_for(what, seconds=2):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def elements(svg):
    return {one.get("data-id"): one for one in ElementTree.fromstring(svg).iter() if one.get("data-id")}


def say(panel, **message):
    """As a message from the browser arrives."""
    panel._handle_custom_msg(message, [])


# --- what a hand does ---

def test_the_board_reads_the_button(board, panel):
    board.exec("button = boards.button()")
    assert board.eval("button.value()") == 1
    panel.press("BUTTON")
    assert board.eval("button.value()") == 0 and panel.state["pressed"] == ["BUTTON"]
    panel.release("BUTTON")
    assert board.eval("button.value()") == 1 and panel.state["pressed"] == []


def test_a_pin_may_be_pressed_by_its_number(board, panel):
    board.exec("other = Pin(14, Pin.IN, Pin.PULL_UP)")
    panel.press(14)
    assert board.eval("other.value()") == 0
    panel.release(14)


@pytest.mark.parametrize("deg, expected", [((0, 0), (0, 0, 1)), ((30, 0), (0, 0.5, 0.8660254)), ((90, 0), (0, 1, 0)),
                                           ((0, 90), (-1, 0, 0)), ((180, 0), (0, 0, -1))])
def test_tilt_turns_gravity(panel, deg, expected):
    panel.tilt(*deg)
    assert panel.state["accel_g"] == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("x_deg", [-170, -33, 0, 71])
@pytest.mark.parametrize("y_deg", [-90, 12, 60])
def test_tilt_keeps_one_g(panel, x_deg, y_deg):
    panel.tilt(x_deg, y_deg)
    assert np.linalg.norm(panel.state["accel_g"]) == pytest.approx(1)


def test_sliders_reach_the_board(board, panel):
    panel.slide("ADC", 1.65)
    assert board.eval("boards.adc().read_u16()") == pytest.approx(32768, abs=20)
    panel.slide("temperature_c", 31.5)
    assert board.world.value("temperature_c") == 31.5
    assert panel.state["sensors"]["temperature_c"] == 31.5
    panel.slide("ADC", 99)
    assert panel.state["sensors"]["ADC"] == 3.3, "taken to the end of the slider"


def test_a_gesture_moves_the_sensor_and_ends(board, panel):
    panel.tilt(0)
    played = panel.play("shake")
    assert played.source == "synthetic" and panel.state["playing"] == ["shake"]
    board.exec("imu = boards.accelerometer()\nlengths = []\n"
               "for _ in range(50):\n time.sleep_ms(20)\n lengths.append(sum(v * v for v in imu.accel_g()))")
    assert np.ptp(board.eval("lengths")) > 0.2
    board.exec("time.sleep(4)")
    assert panel.state["playing"] == [] and panel.state["accel_g"] == (0, 0, 1)


def test_stop_ends_what_plays_for_ever(panel):
    panel.play("wave", loop=True)
    panel.stop()
    assert panel.state["playing"] == [] and panel.state["accel_g"] == (0, 0, 1)


def test_a_clap_closes_the_sound_switch(board, panel):
    board.exec("heard = []; sound = Pin(boards.pins.SOUND, Pin.IN)\n"
               "sound.irq(lambda pin: heard.append(1), Pin.IRQ_RISING)")
    panel.play("clap")
    assert board.exec("time.sleep(1); print(len(heard))") == "1\n"
    board.exec("sound.irq(None)")


@pytest.mark.parametrize("name", SOUNDS)
def test_sounds_fit_the_microphone(name):
    sound = make_sound(name)
    assert np.abs(sound.samples).max() <= 1 and np.abs(sound.samples).max() > 0.3
    assert make_sound(name) == sound


# --- what it shows ---

def test_the_led_follows_its_pin(board, panel):
    board.exec("led = boards.led(); led.on()")
    assert panel.state["led"] == 1 and elements(panel.picture())["led.on"].get("opacity") == "1.000"
    board.exec("led.off()")
    assert panel.state["led"] == 0 and elements(panel.picture())["led.on"].get("opacity") == "0.000"


def test_the_led_glows_with_the_duty(board, panel):
    board.exec("pwm = PWM(Pin(2), freq=1000, duty_u16=16384)")
    assert panel.state["led"] == pytest.approx(0.25, abs=1e-3)
    board.exec("pwm.deinit()")


def test_an_led_on_the_supply_is_lit_by_the_low_level():
    with edgekit.connect("sim:esp32c3", quiet=True) as board:
        board.install()
        panel = BoardPanel(board)
        assert panel.state["led"] == 0, "the pin is an input and low, but nothing draws current through the LED"
        board.exec("import boards\nled = boards.led()\nled.on()")
        assert panel.state["led"] == 1 and board.world.pin(8) == 0
        board.exec("from machine import PWM, Pin\nPWM(Pin(8), freq=1000, duty_u16=16384)")
        assert panel.state["led"] == pytest.approx(0.75, abs=1e-3)
        panel.close()


def test_servo_and_relay(board, panel):
    assert panel.state["servo_deg"] is None
    board.exec("servo = boards.servo(); servo.duty_ns(1_500_000); boards.relay().on()")
    assert panel.state["servo_deg"] == pytest.approx(90, abs=0.1) and panel.state["relay"]
    shown = elements(panel.picture())
    assert shown["servo.value"].text == "90°" and shown["relay.value"].text == "on"
    board.exec("servo.deinit(); boards.relay().off()")


def test_pixels_appear_with_their_colours(board, panel):
    board.exec("import neopixel\npixels = neopixel.NeoPixel(Pin(4), 3)\npixels[1] = (255, 0, 128)\npixels.write()")
    wait_for(lambda: "pixel4.1" in panel.svg and panel.look.get("pixel4.1") == {"fill": "#ff0080"})
    assert panel.state["pixels"] == {4: [(0, 0, 0), (255, 0, 128), (0, 0, 0)]}


def test_what_hangs_on_the_board_has_its_sliders(board):
    from edgekit.simulator.chips.analog import SoilMoistureSensor
    from edgekit.simulator.chips.bmp280 import BMP280
    board.world.adc(34, SoilMoistureSensor(board.world))
    board.world.attach(BMP280(board.world.sense))
    try:
        panel = BoardPanel(board)
        assert set(panel.state["sensors"]) == {"temperature_c", "soil_moisture_percent", "pressure_hpa", "loudness"}
        assert "soil moisture sensor" in panel.svg and "BMP280" in panel.svg
        before = panel.look["dial.value"]
        panel.slide("soil_moisture_percent", 90)
        wait_for(lambda: panel.look["dial.value"] != before)
        panel.close()
    finally:
        board.world.adc(34, 0.0)
        board.world.detach(address=BMP280.ADDRESS)


def test_each_board_has_a_picture_with_its_own_pins():
    for profile in PROFILES.values():
        scene = Scene(profile, microphone=True, sound_switch=True)
        shown = elements(scene.svg)
        assert {"led.on", "button", "servo.arm", "relay.blade", "tilt.ball", "dial.hand"} <= set(shown), profile.name
        # Some parts are on the board itself, on pins that it does not lead out.
        inside = {"esp32": {"BUTTON"}, "esp32s2": {"BUTTON"}, "pyboard": {"LED", "BUTTON"}, "nano33ble": {"SCL", "SDA", "MIC_CLOCK", "MIC_DATA", "MIC_POWER"}, "rp2040": {"LED"}, "nucleo_f446": {"BUTTON"}}.get(profile.name, set())
        wanted = {name: pin for name, pin in profile.pins.items()
                  if name not in {"NAME", "LED_ON", "I2C_ID", "MIC_ID"} | inside}
        missing = {name: pin for name, pin in wanted.items() if f"pin{pin_number(pin)}" not in shown}
        assert missing == {}, profile.name


def test_the_picture_shows_a_look_and_keeps_the_rest():
    scene = Scene(PROFILES["esp32"])
    shown = elements(picture(scene, {"servo.value": {"text": "12°"}, "pin2": {"class": "ek-pad high"}}))
    assert shown["servo.value"].text == "12°" and shown["pin2"].get("class") == "ek-pad high"
    assert shown["pin4"].get("class") == "ek-pad"


def test_without_a_browser_there_are_a_picture_and_a_sentence(board, panel):
    board.exec("boards.led().on()")
    data, _ = panel._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "<svg" in data["text/html"] and "LED on" in html.unescape(data["text/html"])
    assert data["text/plain"].startswith("Simulated ESP32 DevKit: LED on, servo no pulses")


# --- who looks, and how often ---

def test_the_last_change_always_arrives_and_not_every_one(board, panel):
    looks = []
    panel.observe(lambda change: looks.append(change["new"]["/"]["led"]), "look")
    board.exec("led = boards.led()\nfor i in range(3000):\n led.value(i & 1)\nled.on()")
    wait_for(lambda: panel.look["/"]["led"] == 1.0)
    time.sleep(0.1)
    assert panel.look["/"]["led"] == 1.0 and len(looks) < 200


def test_the_throttle_runs_at_most_every_period():
    times = []
    throttle = Throttle(lambda: times.append(time.monotonic()), 0.05)
    end = time.monotonic() + 0.4
    while time.monotonic() < end:
        throttle.poke()
        time.sleep(0.001)
    asked = time.monotonic()
    throttle.poke()
    wait_for(lambda: times[-1] >= asked - 0.05)
    throttle.close()
    assert np.diff(times).min() > 0.045 and 3 <= len(times) <= 10
    throttle.poke()
    time.sleep(0.1)
    assert times[-1] - asked < 0.1, "nothing more after close()"


def test_the_clock_is_real_while_a_view_is_open(board, panel):
    assert board.clock == "virtual"
    say(panel, act="shown", view="a")
    say(panel, act="shown", view="b")
    assert board.clock == "real" and panel.state["clock"] == "real"
    say(panel, act="hidden", view="a")
    assert board.clock == "real"
    say(panel, act="hidden", view="b")
    assert board.clock == "virtual"


def test_a_clock_that_was_real_stays_real():
    with edgekit.connect("sim", quiet=True, clock="real") as board:
        panel = BoardPanel(board)
        say(panel, act="shown", view="a")
        panel.close()
        assert board.clock == "real"


def test_two_panels_share_the_clock(board):
    one, two = BoardPanel(board), BoardPanel(board)
    say(one, act="shown", view="a")
    say(two, act="shown", view="a")
    one.close()
    assert board.clock == "real"
    two.close()
    assert board.clock == "virtual"


def test_messages_of_the_browser(board, panel):
    board.exec("button = boards.button()")
    say(panel, act="press")
    assert board.eval("button.value()") == 0
    say(panel, act="release")
    assert board.eval("button.value()") == 1
    say(panel, act="tilt", x_deg=90, y_deg=0)
    assert panel.state["accel_g"] == pytest.approx((0, 1, 0))
    say(panel, act="slide", name="ADC", value=0.7)
    assert panel.state["sensors"]["ADC"] == 0.7
    said = []
    panel.send = lambda message, buffers=None: said.append(message["sentence"])
    say(panel, act="play", name="dance")
    assert said and "dance" in said[0]


def test_a_hand_and_a_running_program_at_the_same_time(board, panel):
    """The program waits for the button in one thread; the hand comes in another."""
    say(panel, act="shown", view="a")
    threading.Timer(0.3, lambda: say(panel, act="press")).start()
    started = time.monotonic()
    board.exec("button = boards.button()\nwhile button.value():\n time.sleep_ms(5)")
    took_s = time.monotonic() - started
    say(panel, act="release")
    assert 0.2 < took_s < 3


def test_a_view_is_greeted_once_and_does_not_come_back(board, panel):
    """The browser repeats itself until it hears an answer; a late repetition must not open a view that has closed."""
    told = []
    panel.send = lambda message, buffers=None: told.append(message)
    say(panel, act="shown", view="a")
    say(panel, act="shown", view="a")
    assert told == [{"seen": "a"}] * 2 and panel._views.open == {"a"}
    say(panel, act="hidden", view="a")
    say(panel, act="shown", view="a")
    assert panel._views.open == set() and board.clock == "virtual"


# --- ends ---

@pytest.mark.parametrize("first", ["panel", "board"])
def test_closed_in_any_order_nothing_is_left(first, recwarn):
    before = set(threading.enumerate())
    board = edgekit.connect("sim", quiet=True)
    panel = BoardPanel(board)
    say(panel, act="shown", view="a")
    panel.play("wave", loop=True)
    board.exec("import time; time.sleep_ms(20)")
    for one in (panel, board) if first == "panel" else (board, panel):
        one.close()
    panel.close()
    panel.world.press(0)
    wait_for(lambda: not {t for t in set(threading.enumerate()) - before if t.name.startswith("edgekit")})
    assert panel._on_change not in panel.world._listeners
    assert not [w for w in recwarn if "edgekit" in str(w.filename)]


def test_a_panel_of_a_closed_board_still_answers():
    board = edgekit.connect("sim", quiet=True)
    panel = BoardPanel(board)
    board.close()
    panel.press()
    assert panel.state["pressed"] == ["BUTTON"] and "<svg" in panel.picture()
    panel.close()


# --- kind words ---

def test_a_real_board_is_on_the_desk():
    class Real:
        kind, name, world = "board", "Generic ESP32 module", None

    panel = BoardPanel(Real())
    data, _ = panel._repr_mimebundle_()
    assert data["text/plain"] == ("This is a real board (Generic ESP32 module): its LED and its buttons are on your desk, so "
                                  "there is nothing to press here.")
    assert panel.state == {}
    with pytest.raises(DataError, match="only the simulated board.*by hand"):
        panel.press()
    panel.close()


@pytest.mark.parametrize("act, words", [
    (lambda panel: panel.press("DOOR"), "No button 'DOOR' on this board: expected BUTTON"),
    (lambda panel: panel.slide("lux", 3), "No slider 'lux' on this board; there are ADC, temperature_c"),
    (lambda panel: panel.slide("ADC", "bright"), "takes a number"),
    (lambda panel: panel.play("dance"), "Nothing to play is called 'dance': expected one of circle"),
    (lambda panel: panel.tilt(float("nan")), "An angle in degrees"),
    (lambda panel: make_sound("bell"), "No sound 'bell': expected one of tone"),
])
def test_what_is_not_there_is_said(panel, act, words):
    with pytest.raises(DataError, match=words):
        act(panel)


def test_the_lab_is_imported_fast():
    code = "import sys, edgekit.lab; print(sorted({'ipywidgets', 'anywidget', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
