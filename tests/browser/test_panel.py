"""The panel in a real browser: a hand in the picture and a program on the board meet."""

import pytest

from .conftest import Lab, focus, output, run_cell, wait_for

CELLS = ["""%connect sim""",
         """%%host
board.install()
from edgekit import lab
panel = lab.BoardPanel(board)
panel""",
         """import boards, time
from machine import PWM, Pin
led = boards.led()
button = boards.button()
led.off()""",
         """led.on()
start = time.ticks_ms()
while button.value() and time.ticks_diff(time.ticks_ms(), start) < 15_000:
    time.sleep_ms(5)
print("gave up" if button.value() else "pressed")
led.off()""",
         """%%host
x, y, z = board.world.value("accel_g")
print("ay = %.3f, all = %.3f, volts = %.2f" % (y, (x * x + y * y + z * z) ** 0.5, board.world.volts(34)))""",
         """pwm = PWM(Pin(boards.pins.LED), freq=1000, duty_u16=16384)
boards.relay().on()
servo = boards.servo()
servo.duty_ns(1_500_000)"""]
WAIT, ASK, PULSES = 3, 4, 5


@pytest.fixture(scope="module")
def page(lab: Lab):
    page = lab.open(lab.notebook(*CELLS))
    for index in range(3):
        run_cell(page, index)
    page.wait_for_selector(".ek-panel svg")
    wait_for(lambda: "real clock" in page.locator(".ek-clock").inner_text(), 10, "the real clock")
    yield page
    page.close()


@pytest.fixture(autouse=True)
def picture_of_a_failure(page, lab, request):
    yield
    if getattr(request.node, "failed", False):
        print("picture:", lab.shot(page, request.node.name))


def led(page):
    return float(page.get_attribute(".ek-panel", "data-led"))


def text(page, name):
    return page.locator(f'.ek-panel [data-id="{name}"]').first.text_content()


def waits(page):
    """Start the cell that waits for the button; the LED says when it has begun."""
    run_cell(page, WAIT, wait=False)
    wait_for(lambda: led(page) == 1, 10, "the LED on the panel")


def test_a_click_ends_the_wait_of_a_running_cell(page):
    waits(page)
    assert page.get_attribute('.ek-panel [data-id="led.on"]', "opacity") == "1.000"
    page.hover("[data-act=button]")
    page.mouse.down()
    wait_for(lambda: output(page, WAIT) == "pressed\n", 5, "the cell to see the button")
    wait_for(lambda: led(page) == 0, 5, "the LED to go off")
    assert page.get_attribute("[data-act=button]", "aria-pressed") == "true"
    page.mouse.up()
    wait_for(lambda: page.get_attribute("[data-act=button]", "aria-pressed") == "false", 5, "the button to come up")


@pytest.mark.parametrize("key", ["Space", "Enter"])
def test_the_button_works_from_the_keyboard(page, key):
    waits(page)
    focus(page, "[data-act=button]")
    page.keyboard.down(key)
    wait_for(lambda: output(page, WAIT) == "pressed\n", 5, "the cell to see the button")
    page.keyboard.up(key)
    wait_for(lambda: page.get_attribute("[data-act=button]", "aria-pressed") == "false", 5, "the button to come up")
    assert page.locator(".jp-Notebook .jp-Cell").count() == len(CELLS), "JupyterLab took no key for its own"


def test_hold_keeps_the_button_down(page):
    page.check(".ek-hold input")
    wait_for(lambda: page.get_attribute("[data-act=button]", "aria-pressed") == "true", 5, "the button to go down")
    run_cell(page, WAIT)
    assert output(page, WAIT) == "pressed\n"
    page.uncheck(".ek-hold input")
    wait_for(lambda: page.get_attribute("[data-act=button]", "aria-pressed") == "false", 5, "the button to come up")


def test_tab_leads_through_everything(page):
    focus(page, "[data-act=button]")
    seen = []
    for _ in range(16):
        seen.append(page.evaluate("(one => one.dataset.act ?? one.dataset.slider ?? one.getAttribute('aria-label'))"
                                  "(document.activeElement)"))
        page.keyboard.press("Tab")
    wanted = ["button", "tilt", "ADC", "temperature_c", "gesture to play", "play this gesture", "stop what plays",
              "hold the button down"]
    places = [next((i for i, one in enumerate(seen) if one and one.startswith(word[:12])), None) for word in wanted[:-1]]
    assert None not in places and places == sorted(places), seen
    assert page.eval_on_selector_all(".ek-panel :is(input, select, button, [tabindex])",
                                     "all => all.every(one => one.getAttribute('aria-label'))")


def test_arrow_keys_and_a_drag_tilt_the_board(page):
    focus(page, "[data-act=tilt]")
    page.keyboard.press("Home")
    for _ in range(6):
        page.keyboard.press("ArrowDown")
    wait_for(lambda: text(page, "tilt.y") == "ay +0.50", 5, "30 degrees")
    run_cell(page, ASK)
    assert "ay = 0.500, all = 1.000" in output(page, ASK)
    box = page.locator("[data-act=tilt] .ek-plate").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - box["height"], steps=4)
    page.mouse.up()
    wait_for(lambda: text(page, "tilt.y") == "ay -1.00", 5, "the ball at the rim")
    run_cell(page, ASK)
    assert "ay = -1.000, all = 1.000" in output(page, ASK)


def test_a_slider_sets_the_voltage(page):
    focus(page, "[data-slider=ADC]")
    page.keyboard.press("Home")
    for _ in range(50):
        page.keyboard.press("ArrowRight")
    wait_for(lambda: text(page, "dial.value") == "0.50 V", 5, "half a volt")
    run_cell(page, ASK)
    assert "volts = 0.50" in output(page, ASK)


def test_the_parts_follow_their_pins(page):
    run_cell(page, PULSES)
    wait_for(lambda: text(page, "servo.value") == "90°", 5, "the servo")
    assert text(page, "relay.value") == "on" and led(page) == pytest.approx(0.25, abs=0.01)
    assert "pulses" in page.get_attribute('[data-id="pin2"]', "class")


def test_a_gesture_plays(page):
    page.select_option("[aria-label='gesture to play']", "wave")
    page.click("[data-play=gesture]")
    wait_for(lambda: page.locator(".ek-playing").inner_text() == "playing: wave", 5, "the gesture")
    page.click("[aria-label='stop what plays']")
    wait_for(lambda: page.locator(".ek-playing").inner_text() == "nothing plays", 5, "its end")


@pytest.mark.parametrize("width", [1280, 700])
def test_nothing_hangs_over_the_edge(page, width):
    page.set_viewport_size({"width": width, "height": 1400})
    panel, letters = page.eval_on_selector(".ek-panel", """one => [one.scrollWidth - one.clientWidth,
        one.querySelector(".ek-title").getBoundingClientRect().height]""")
    page.set_viewport_size({"width": 1280, "height": 1400})
    assert panel <= 1 and letters > 8, "inside its cell, with letters that can be read"
