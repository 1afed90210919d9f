"""What a board does not have: JavaScript under it, more memory than its own; a radio on this one."""

import pytest

from edgekit.board.profiles import PROFILES
from edgekit.board.simulated import SimulatedBoard


@pytest.mark.parametrize("code, error", [
    ("import network\nnetwork.WLAN(network.STA_IF)",
     "AttributeError: the simulated board has no radio, so no network.WLAN: use a real board for that"),
    ("from bluetooth import BLE", "AttributeError: the simulated board has no radio, so no bluetooth.BLE: use a real board for that"),
    ("import espnow\nespnow.ESPNow()", "AttributeError: the simulated board has no radio, so no espnow.ESPNow: use a real board for that"),
    ("import socket\nsocket.socket()", "AttributeError: the simulated board has no network, so no socket.socket: take what "
                                       "you need with board.put(), or use a real board"),
    ("import camera\ncamera.init()", "AttributeError: the simulated board has no camera, so no camera.init: take pictures "
                                     "with the computer's and send them with board.put()"),
])
def test_one_sentence(machine, code, error, error_of):
    assert error_of(machine, code) == error


def test_a_board_without_radio_has_no_such_module(error_of):
    with SimulatedBoard("stm32f411") as board:
        assert error_of(board, "import network") == "ImportError: no module named 'network'"
        assert error_of(board, "import esp32") == "ImportError: no module named 'esp32'"


# --- JavaScript: a program that reaches it reaches the computer's files -----------------------------------------

@pytest.mark.parametrize("code", [
    "import js\nprint(js.process)", "from js import process\nprint(process)", "import js\nprint(js.globalThis)",
    "import js\nprint(js.eval('1 + 1'))", "import js\nprint(getattr(js, 'Function')('return 1')())",
    "import jsffi\nprint(jsffi.to_js([1]).constructor)", "import jsffi\nprint(jsffi.to_js([1])['constructor']('x'))",
    "import jsffi\nprint(jsffi.create_proxy(print).constructor)",
    "import machine\nprint(machine._spend.constructor('return process')())",
    "import machine\nprint(machine._spend['constructor']('return process')())",
    "import machine\nprint(machine._bus._sleep.call.call)", "import machine\nprint(machine._spend.new().x)",
    "import machine\nfor x in machine._spend: print('reached')", "import _host\nprint(_host.sleep)",
    "open('/dev/bus')", "open('/rom/machine.py')", "print(open('/proc/self/environ').read())",
])
def test_no_way_to_javascript(machine, code, error_of):
    error = error_of(machine, code)
    assert error.split(":")[0] in ("AttributeError", "ImportError", "TypeError", "OSError"), error
    assert machine.eval("6 * 7") == 42, "and the board goes on"


def test_writing_to_javascript_changes_nothing(machine):
    machine.exec("import js\ntry:\n    js.marker = 5\nexcept AttributeError:\n    pass\nprint(hasattr(js, 'marker'))")
    assert machine.eval("hasattr(js, 'marker')") is False


def test_paths_stay_in_the_flash(machine):
    (machine.flash.parent / "outside.txt").write_text("outside")
    try:
        assert machine.exec("for path in ('../outside.txt', '/../outside.txt', '/lib/../../outside.txt'):\n    try:\n"
                            "        open(path)\n        print('reached')\n    except OSError as error:\n"
                            "        print(error.errno)") == "2\n2\n2\n"
    finally:
        (machine.flash.parent / "outside.txt").unlink()


# --- memory ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_the_heap_is_the_profiles(profile, error_of):
    with SimulatedBoard(profile) as board:
        heap = board.profile.heap_bytes
        free = board.eval("(__import__('gc').collect(), __import__('gc').mem_free())")[1]
        assert 0.97 * heap < free <= heap
        assert error_of(board, f"b = bytearray({heap + 1})") == (
            f"MemoryError: memory allocation failed, allocating {heap + 1} bytes")
        assert error_of(board, f"b = [0] * {heap // 4 + 4}").startswith("MemoryError")
        assert error_of(board, f"b = bytearray({heap * 9 // 10})") == ""
        assert board.eval("__import__('gc').mem_free()") < heap // 10


def test_a_large_object_does_not_fit_either_after_many_small_ones(machine, error_of):
    heap = machine.profile.heap_bytes
    machine.exec("for i in range(100): b = bytearray(20_000)")
    assert error_of(machine, f"b = bytearray({heap + 1})").startswith("MemoryError")
    machine.exec("b = None")
    assert machine.exec(f"for i in range(20): b = bytearray({heap * 8 // 10})") == "", "garbage does not count"
