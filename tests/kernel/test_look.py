"""Help and completion come from the live board; the source adds what the board has forgotten."""

import time

import pytest

import edgekit
from edgekit.errors import BoardError
from edgekit.kernel.look import Names, look_up

CELLS = [(3, '''\
def half(x, y=2):
    """Half of it.

    Not more.
    """
    return x / y


class Lamp:
    """A lamp."""

    watts = 60

    def __init__(self, pin, *, inverted=False):
        self.pin = pin
        self.reads = 0

    @property
    def level(self):
        self.reads += 1
        raise OSError(19)

    def on(self, seconds):
        """Switch on."""


lamp = Lamp(2)
'''), (4, "class Fan:\n    def on(self, speed): pass\n")]


@pytest.fixture(scope="module")
def board():
    with edgekit.connect("sim", quiet=True) as board:
        for _, code in CELLS:
            board.exec(code)
        board.exec("import machine, time\nled = machine.Pin(2, machine.Pin.OUT)\nnumbers = list(range(1000))\n"
                   "table = {'alpha': 1, 'beta': 2, 3: 4}\ntext = 'x' * 5000\nfan = Fan()")
        board.put(b'"""My module."""\n\ndef blink(times):\n    "Blink."\n    return times\n', "/lib/mine.py")
        board.install()
        board.exec("import mine, frames")
        yield board


def about(board, name, source=False):
    return look_up(board, name, CELLS).text(source)


def test_a_function_of_a_cell(board):
    text = about(board, "half")
    for line in ("Signature:  half(x, y=2)", "Type:       function (on the board)", "Defined in: cell [3]",
                 "    Half of it.", "    Not more."):
        assert line in text.split("\n")
    assert "return x / y" not in text
    assert about(board, "half", source=True).endswith("    return x / y")


def test_a_class_and_what_is_made_from_it(board):
    text = about(board, "Lamp")
    assert "Signature:  Lamp(pin, *, inverted=False)" in text and "A lamp." in text
    assert "Type:       class (on the board)" in text
    text = about(board, "lamp")
    assert "Type:       Lamp (on the board)" in text
    assert "Functions:\n    on\n" in text and "Properties:\n    level\n" in text
    assert "pin = 2" in text and "watts = 60" in text


def test_looking_reads_no_property(board):
    about(board, "lamp")
    Names(board.exec).complete("lamp.")
    assert board.eval("lamp.reads") == 0


def test_a_method_is_that_of_its_class(board):
    assert "Signature:  on(seconds)" in about(board, "lamp.on")
    assert "Signature:  on(seconds)" in about(board, "Lamp.on").replace("self, ", "")
    assert "Switch on." in about(board, "lamp.on")


def test_modules(board):
    text = about(board, "machine")
    assert "Type:       module" in text and "Pin" in text.partition("Classes:")[2] and "freq" in text.partition("Functions:")[2]
    text = about(board, "mine")
    assert "My module." in text and "/lib/mine.py on the board" in text and "blink" in text
    assert about(board, "mine", source=True).endswith("return times\n")
    text = about(board, "mine.blink", source=True)
    assert "Signature:  blink(times)" in text and text.endswith('    "Blink."\n    return times')


def test_compiled_modules_are_explained_from_their_source_here(board):
    text = about(board, "frames.Encoder")
    assert "max_payload=256)" in text and "Write frames." in text
    assert "/lib/frames.mpy on the board, compiled; the source is firmware/lib/frames.py here" in text


def test_values(board):
    text = about(board, "numbers")
    assert "Length:     1000" in text and "0, 1, 2" in text and len(text) < 600 and "..." in text
    assert "'alpha': 1" in about(board, "table")
    assert len(about(board, "text")) < 600
    assert "Value:      Pin(2" in about(board, "led")


def test_source_that_is_nowhere(board):
    assert "not on the board as .py" in about(board, "time.sleep_ms", source=True)


@pytest.mark.parametrize("name", ["nowhere", "led.nowhere", "1x", "a b", "f()", "", "import", "__import__('os')"])
def test_what_the_board_does_not_know(board, name):
    assert look_up(board, name, CELLS) is None


def test_nothing_is_left_on_the_board(board):
    before = board.eval("sorted(dir())")
    about(board, "lamp")
    names = Names(board.exec)
    for text in ("la", "lamp.", "table['", "open('", "import ma", "from mine import b", "nowhere.x"):
        names.complete(text)
    assert board.eval("sorted(dir())") == before


# --- names that Tab offers

@pytest.mark.parametrize("before, some, length", [
    ("hal", ["half"], 3), ("x = led.o", ["off", "on"], 1), ("x = 1\nmachine.Pi", ["Pin"], 2), ("isins", ["isinstance"], 5),
    ("whi", ["while"], 3), ("table['", ["alpha", "beta"], 0), ('print(table["be', ["beta"], 2), ("numbers['", [], 0),
    ("open('/lib/mi", ["mine.py"], 2), ("open('/li", ["lib/"], 2), ("import mi", ["micropython", "mine"], 2),
    ("import os, mi", ["micropython", "mine"], 2), ("from mi", ["micropython", "mine"], 2),
    ("from mine import b", ["blink"], 1), ("from machine import Pin, Sig", ["Signal"], 3), ("nowhere.x", [], 1),
    ("it's # led.o", [], None), ("half(led.", ["off", "on"], 0),
])
def test_completion(board, before, some, length):
    matches, replaced = Names(board.exec).complete(before)
    if length is not None:
        assert replaced == length
    assert set(some) <= set(matches) and (some or not matches)
    assert all(match.startswith(before[len(before) - replaced:]) for match in matches)


def test_constants_come_last(board):
    names = Names(board.exec).complete("led.")[0]
    assert names.index("value") < names.index("IN") < names.index("OUT")


def test_names_with_a_line_before_them_come_when_asked_for(board):
    board.exec("_hidden = 1")
    names = Names(board.exec)
    assert "_hidden" not in names.complete("")[0] and "_hidden" in names.complete("_hi")[0]


def test_a_busy_board_offers_what_was_seen_last(board):
    asked = []

    def ask(code):
        asked.append(code)
        return board.exec(code) if len(asked) == 1 else None

    names = Names(ask)
    assert names.complete("led.o")[0] == names.complete("led.o")[0] == ["off", "on"]
    names.forget()
    assert names.complete("led.o")[0] == [] and len(asked) == 3


def test_tab_is_quick(board):
    names = Names(board.exec)
    seconds = []
    for text in ("hal", "machine.P", "table['", "open('/"):
        started = time.perf_counter()
        names.complete(text)
        seconds.append(time.perf_counter() - started)
    assert sorted(seconds)[1] < 0.1


def test_a_board_that_cannot_say(board):
    class Lost:
        def exec(self, code, timeout_s):
            raise BoardError("gone")
    with pytest.raises(BoardError):
        look_up(Lost(), "x")
