"""machine.UART, against extmod/machine_uart.c and ports/esp32/machine_uart.c."""

import pytest


@pytest.mark.parametrize("code, error", [
    ("UART(3)", "ValueError: UART(3) does not exist"),                    # machine_uart.c:469
    ("UART(-1)", "ValueError: UART(-1) does not exist"),
    ("UART(1, bits=4)", "ValueError: invalid data bits"),                 # machine_uart.c:395
    ("UART(1, stop=3)", "ValueError: invalid stop bits"),                 # machine_uart.c:430
    ("UART(1, invert=1)", "ValueError: invalid inversion mask"),          # machine_uart.c:456
    ("UART(1, flow=4)", "ValueError: invalid flow control mask"),         # machine_uart.c:465
    ("UART(1, tx=99)", "ValueError: invalid pin"),
    ("UART(1).irq(5)", "ValueError: handler must be None or callable"),   # machine_uart.c:630
    ("UART(1).irq(print, 0x80)", "ValueError: trigger 0x0080 unsupported"),  # machine_uart.c:637
    ("UART(1).irq(print, UART.IRQ_RX, True)", "ValueError: hard IRQ is not supported"),  # machine_uart.c:642
    ("UART(1).write(5)", "TypeError: object with buffer protocol required"),
])
def test_errors(machine, code, error, error_of):
    assert error_of(machine, code) == error


def test_how_it_prints(machine):
    # machine_uart.c:216; default pins of machine_uart.h:53, 61; buffers of 256 bytes
    assert machine.exec("print(UART(1))\nprint(UART(2, 9600, 7, 0, 2, tx=4, rx=-1, timeout=10, invert=UART.INV_TX|UART.INV_RX, "
                        "flow=UART.RTS))") == (
        "UART(1, baudrate=115200, bits=8, parity=None, stop=1, tx=10, rx=9, rts=-1, cts=-1, txbuf=256, rxbuf=256, "
        "timeout=0, timeout_char=0, irq=0)\n"
        "UART(2, baudrate=9600, bits=7, parity=0, stop=2, tx=4, rx=-1, rts=-1, cts=-1, txbuf=256, rxbuf=256, "
        "timeout=10, timeout_char=0, irq=0, invert=INV_TX|INV_RX, flow=RTS)\n")


def test_both_ways(machine):
    peer = machine.world.uart(1)
    machine.exec("u = UART(1, 9600, tx=4, rx=5)")
    assert peer.baud == 9600
    assert machine.eval("(u.any(), u.read(), u.read(4), u.readline(), u.readinto(bytearray(2)))") == (0, *[None] * 4)
    assert machine.eval("(u.write(b'hello'), u.write('text'), u.write(bytearray(b'!')))") == (5, 4, 1)
    assert bytes(peer.received) == b"hellotext!"
    peer.received.clear()
    peer.send(b"one\ntwo\nrest")
    assert machine.eval("(u.any(), u.read(2), u.readline(), u.readline())") == (12, b"on", b"e\n", b"two\n")
    machine.exec("b = bytearray(10)")
    assert machine.eval("(u.readinto(b, 2), u.readinto(b), bytes(b[:2]), u.any())") == (2, 2, b"st", 0)
    peer.send(b"all of it")
    assert machine.eval("u.read()") == b"all of it"
    assert machine.eval("(u.sendbreak(), u.flush(), u.txdone(), u.deinit())") == (None, None, True, None)


def test_time_outs(machine):
    peer = machine.world.uart(2)
    machine.exec("u = UART(2, timeout=100, timeout_char=20)\n"
                 "def timed(f):\n    start = time.ticks_ms()\n    return f(), time.ticks_diff(time.ticks_ms(), start)")
    answer, ms = machine.eval("timed(u.read)")
    assert answer is None and 100 <= ms <= 103, "for the first byte: machine_uart.c:676"
    peer.send(b"ab")
    answer, ms = machine.eval("timed(lambda: u.read(5))")
    assert answer == b"ab" and 20 <= ms <= 22, "for the next: machine_uart.c:686"


def test_an_answer_that_comes_later(machine):
    peer = machine.world.uart(1)
    peer.on_bytes = lambda data: peer.send(data.upper())
    machine.exec("u = UART(1, timeout=50)\nu.write('ping')")
    assert machine.eval("u.read(4)") == b"PING"
    peer.on_bytes = None


def test_poll_and_interrupt(machine):
    peer = machine.world.uart(1)
    machine.exec("import select\nu = UART(1)\np = select.poll()\np.register(u, select.POLLIN)\nseen = []\n"
                 "nothing = len(p.poll(0))\ni = u.irq(lambda u: seen.append(u.read()), UART.IRQ_RX)")
    peer.send(b"x")
    assert machine.eval("(nothing, len(p.poll(0)))") == (0, 1)
    machine.exec("time.sleep_ms(5)")
    assert machine.eval("seen") == [b"x"]
    machine.exec("u.irq(None)")
