"""The simulated board behaves as a board does: machine, time, files, errors, the UART's bytes."""

from concurrent.futures import ThreadPoolExecutor

import pytest

import edgekit
from edgekit.board.simulated import SimulatedBoard
from edgekit.errors import BoardCodeError
from edgekit.simulator import bus


class Stub:
    """A world that remembers what it was asked and answers what a test tells it."""

    def __init__(self):
        self.requests = []
        self.answers = {}

    def transaction(self, request):
        asked = bus.parse(request)
        if asked.op not in (bus.NOTE_TIME, bus.RESET):
            self.requests.append(asked)
        answer = self.answers.get(asked.op, b"")
        return bus.answer(answer(asked) if callable(answer) else answer)


@pytest.fixture(scope="module")
def shared():
    with SimulatedBoard() as board:
        yield board


@pytest.fixture
def stub(shared):
    world, shared.world = shared.world, Stub()
    yield shared.world
    shared.world = world


@pytest.fixture
def board(shared):
    yield shared
    shared.reset()


def asked(stub):
    return [(request.op, request.args, request.data) for request in stub.requests]


def test_pin_requests(board, stub):
    stub.answers[bus.PIN_GET] = b"\x01"
    board.exec("from machine import Pin\np = Pin(4, Pin.OUT, value=1)\np.off()\nq = Pin(5, Pin.IN, Pin.PULL_UP)")
    assert board.eval("(q.value(), q())") == (1, 1)
    assert asked(stub) == [
        (bus.PIN_SET, (4, 1), b""), (bus.PIN_MODE, (4, bus.MODE_OUT, bus.PULL_NONE), b""), (bus.PIN_SET, (4, 0), b""),
        (bus.PIN_MODE, (5, bus.MODE_IN, bus.PULL_UP), b""), (bus.PIN_GET, (5,), b""), (bus.PIN_GET, (5,), b"")]


def test_i2c_requests(board, stub):
    stub.answers = {bus.I2C_SCAN: b"\x1d\x68", bus.I2C_WRITE: b"\x02\x00",
                    bus.I2C_READ: lambda r: bytes(range(r.args[5])),
                    bus.I2C_WRITE_READ: lambda r: bytes(range(10, 10 + r.args[4]))}
    board.exec("from machine import I2C, Pin, SoftI2C\ni = I2C(1, scl=Pin(22), sda=Pin(21))\nb = bytearray(3)")
    assert board.eval("i.scan()") == [0x1D, 0x68]
    assert board.eval("i.writeto(0x68, b'\\x6b\\x00')") == 2
    assert board.eval("i.readfrom(0x68, 4)") == b"\x00\x01\x02\x03"
    board.exec("i.readfrom_mem_into(0x68, 0x3b, b)")
    assert board.eval("bytes(b)") == b"\x0a\x0b\x0c"
    board.exec("i.writeto_mem(0x68, 0x1c, b'\\x08')\nSoftI2C(Pin(1), Pin(2)).writeto(9, b'')")
    assert asked(stub) == [
        (bus.I2C_SCAN, (1, 22, 21), b""), (bus.I2C_WRITE, (1, 22, 21, 0x68, 1), b"\x6b\x00"),
        (bus.I2C_READ, (1, 22, 21, 0x68, 1, 4), b""), (bus.I2C_WRITE_READ, (1, 22, 21, 0x68, 3), b"\x3b"),
        (bus.I2C_WRITE, (1, 22, 21, 0x68, 1), b"\x1c\x08"), (bus.I2C_WRITE, (bus.SOFT_BUS, 1, 2, 9, 1), b"")]


def test_no_device_is_enodev(board):
    assert board.eval("__import__('machine').I2C(0).scan()") == [0x68]
    with pytest.raises(BoardCodeError, match=r"OSError: \[Errno 19\] ENODEV"):
        board.exec("from machine import I2C\nI2C(0).readfrom_mem(0x55, 0, 1)")


@pytest.mark.parametrize("code, message", [
    ("Pin(-1)", "ValueError: invalid pin"), ("Pin('PZ1')", "ValueError: invalid pin"),
    ("Pin(1, 99)", "ValueError: invalid pin mode"), ("I2C(7)", r"ValueError: I2C\(7\) doesn't exist"),
    ("WDT(1)", "ValueError"), ("WDT(timeout=0)", "ValueError: WDT timeout too short"),
    ("RTC().datetime(5)", "TypeError: object 'int' isn't a tuple or list"),
    ("RTC().datetime((2030, 1, 1))", "ValueError: requested length 8 but object has length 3"),
    ("RTC().datetime((2030, 1, 1, 0, 0, 0, 0, 0.5))", "TypeError: can't convert float to int"),
    ("lightsleep()", "ValueError: .* nothing else wakes"),
])
def test_wrong_arguments(board, code, message):
    with pytest.raises(BoardCodeError, match=message):
        board.exec(f"from machine import *\n{code}")


def test_adc(board):
    board.world.adc(34, 1.65)
    board.exec("from machine import ADC, Pin\na = ADC(Pin(34), atten=ADC.ATTN_11DB)")
    assert board.eval("a.read()") == 2048
    assert board.eval("a.read_u16() >> 4") == 2048
    assert board.eval("a.read_uv()") == pytest.approx(1_650_000, abs=1000)


def test_interrupt_of_a_pin_at_its_time(board):
    board.exec("from machine import Pin\nimport time\nhits = []\nstart = time.ticks_ms()\n"
               "p = Pin(0, Pin.IN, Pin.PULL_UP)\np.irq(lambda pin: hits.append(time.ticks_ms() - start), Pin.IRQ_FALLING)")
    now = board.world.time_s
    board.world.press(0, at_s=now + 0.5)
    board.world.release(0, at_s=now + 0.6)
    board.world.press(0, at_s=now + 1.2)
    board.exec("time.sleep(1)")
    assert board.eval("hits") == [pytest.approx(500, abs=2)]
    board.exec("time.sleep(1)\np.irq(None)")
    assert len(board.eval("hits")) == 2


def test_timer(board):
    board.exec("from machine import Timer\nimport time\nhits = []\n"
               "t = Timer(0, period=100, callback=lambda t: hits.append(time.ticks_ms()))\ntime.sleep_ms(1050)\nt.deinit()")
    hits = board.eval("hits")
    assert len(hits) == 10
    assert {b - a for a, b in zip(hits, hits[1:], strict=False)} == {100}


def test_a_world_that_fails_does_not_hang_the_board(board, stub):
    stub.answers[bus.PIN_GET] = lambda request: 1 / 0
    with pytest.raises(BoardCodeError, match="OSError: .*5.* EIO"):
        board.exec("from machine import Pin\nPin(1).value()")


def test_time(board):
    board.exec("import time")
    assert board.eval("time.gmtime(0)[:6]") == (2000, 1, 1, 0, 0, 0)
    assert board.eval("time.mktime(time.localtime(700000000))") == 700000000
    assert board.eval("time.ticks_diff(5, 2**30 - 5)") == 10
    elapsed = board.eval("(lambda t: (time.sleep_us(1500), time.ticks_us() - t))(time.ticks_us())")[1]
    assert 1500 <= elapsed < 1600
    assert 0 <= board.eval("time.time_ns() // 1000000000 - time.time()") <= 1
    # A loop that waits for a time ends although the virtual clock stands still between looks.
    board.exec("t = time.ticks_ms()\nwhile time.ticks_diff(time.ticks_ms(), t) < 20: pass", timeout_s=10)


def test_the_rtc_sets_the_boards_date_and_time():
    with SimulatedBoard() as board:
        board.exec("import time\nfrom machine import RTC\nr = RTC()")
        assert board.eval("r.datetime()")[:6] == (2000, 1, 1, 5, 0, 0), "a Saturday"
        ticks_ms = board.eval("time.ticks_ms()")
        board.exec("r.datetime((2030, 12, 31, 0, 23, 59, 59, 250_000))\ntime.sleep_ms(250)")
        year, month, day, weekday, hour, minute, second, us = board.eval("r.datetime()")
        assert (year, month, day, weekday, hour, minute, second) == (2030, 12, 31, 1, 23, 59, 59), "a Tuesday"
        assert 500_000 <= us < 501_000
        board.exec("time.sleep_ms(500)")
        assert board.eval("r.datetime()")[:7] == (2031, 1, 1, 2, 0, 0, 0)
        assert board.eval("time.localtime()[:6]") == (2031, 1, 1, 0, 0, 0)
        assert board.eval("time.time() == time.mktime((2031, 1, 1, 0, 0, 0, 0, 0))")
        assert 750 <= board.eval("time.ticks_ms()") - ticks_ms < 760, "ticks count on"
        board.reset()
        assert board.eval("__import__('time').localtime()[:3]") == (2031, 1, 1), "it outlives a reset"
        board.exec("from machine import RTC\nRTC().init((2060, 2, 29, 1, 2, 3, 0, 0))")
        assert board.eval("RTC().datetime()[:7]") == (2060, 2, 29, 6, 1, 2, 3)


def test_seconds_and_their_fraction_are_of_the_same_moment(board):
    # A look costs 5 us, so a program can look right before a second is full. Step over some seconds in both ways.
    board.exec("import time\nsteps_ns = []\nfor second in range(4):\n    if second % 2:\n        time.ticks_us()\n"
               "    now = time.time_ns()\n    time.sleep_us(999_900 - now // 1000 % 1_000_000)\n"
               "    last = time.time_ns()\n    for _ in range(40):\n        now = time.time_ns()\n"
               "        steps_ns.append(now - last)\n        last = now")
    assert 0 < board.eval("min(steps_ns)") and board.eval("max(steps_ns)") <= 10_000


def test_the_clock_is_the_same_every_time():
    code = ("import time\nfrom machine import I2C\nI2C(0).scan()\ntime.sleep_ms(7)\n"
            "for _ in range(10): time.ticks_ms()\nprint(time.ticks_us())")
    seen = set()
    for _ in range(2):
        with SimulatedBoard() as board:
            seen.add(board.exec(code))
    assert len(seen) == 1


@pytest.mark.parametrize("code, number", [
    ("open('/missing')", 2), ("os.mkdir('/d'); os.mkdir('/d')", 17), ("os.remove('/missing')", 2),
    ("os.listdir('/missing')", 2), ("open('/d', 'w')", 21), ("os.rmdir('/missing')", 2),
])
def test_errno_is_micropythons(board, code, number):
    assert board.exec(f"import os\ntry:\n os.mkdir('/d')\nexcept OSError:\n pass\ntry:\n {code}\n"
                      "except OSError as error:\n print(error.errno)") == f"{number}\n"


def test_os_and_sys_are_the_boards(board):
    assert board.eval("__import__('sys').platform") == "esp32"
    assert board.eval("__import__('os').uname().machine") == "Generic ESP32 module with ESP32"
    assert board.eval("__import__('os').stat('')[0]") & 0x4000
    assert board.eval("__import__('os').getcwd()") == "/"
    assert board.eval("__import__('sys').path") == ["", "/lib"]
    assert set(board.ls("/")) <= {"d/"}  # no /dev, /proc or /rom
    assert board.eval("sorted(n for n in dir() if n[:2] != '__')") == []


def test_raw_bytes_and_text_on_the_uart(board):
    parts = []
    error = board._run("import sys\nprint('a')\nn = sys.stdout.buffer.write(bytes(range(5, 256)))\nprint('b')",
                       parts.append, 5)
    assert error == ""
    assert b"".join(parts) == b"a\r\n" + bytes(range(5, 256)) + b"b\r\n"


def test_input_from_the_uart(board):
    repl = board._repl
    repl.start("x = input('name? ')\nprint(x + '!')")
    board._transport.write(b"axb\x7fc\r")
    text = b"".join(repl.parts(5))
    assert repl.end() == b""
    assert text.endswith(b"axc!\r\n")


def test_friendly_repl(board):
    board._repl.leave()
    transport = board._transport
    transport.write(b"for i in range(2):\r    i + 40\r\r")
    seen = b""
    while b"41\r\n>>> " not in seen:
        part = transport.read(5)
        assert part, seen
        seen += part
    assert b"MicroPython v1.27.0" in seen


def test_many_boards_on_a_busy_computer_lose_no_byte():
    """The watcher thread flushes late output in the middle of whatever runs: never in the middle of a frame."""
    def work(_):
        with edgekit.connect("sim", quiet=True) as board:
            return [board.eval(f"x + {i}") for i in range(40) if board.exec(f"x = {i}\n" + "# pad\n" * 300) == ""]

    with ThreadPoolExecutor(8) as pool:
        for answers in pool.map(work, range(24)):
            assert answers == [2 * i for i in range(40)]
