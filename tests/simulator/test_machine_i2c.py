"""machine.I2C and SoftI2C, against extmod/machine_i2c.c and ports/esp32/machine_i2c.c."""

import pytest

from edgekit.simulator import bus


@pytest.mark.parametrize("code, error", [
    ("I2C(2)", "ValueError: I2C(2) doesn't exist"),                                # ports/esp32/machine_i2c.c:331
    ("I2C(-1)", "ValueError: I2C(-1) doesn't exist"),
    ("I2C(0).readfrom_mem(0x68, 0, 1, addrsize=9)", "ValueError: invalid addrsize"),  # extmod/machine_i2c.c:526
    ("I2C(0).readfrom_mem(0x68, 0, 1, addrsize=40)", "ValueError: invalid addrsize"),
    ("I2C(0).writeto(0x68, 5)", "TypeError: object with buffer protocol required"),
    ("I2C(0).writevto(0x68, b'ab')", "TypeError: object 'bytes' isn't a tuple or list"),
    ("I2C(0).writevto(0x68, [b'a', 5])", "TypeError: object with buffer protocol required"),
    ("I2C(0).writeto('x', b'')", "TypeError: can't convert str to int"),
    ("I2C(0).start()", "OSError: I2C operation not supported"),                    # extmod/machine_i2c.c:359
    ("I2C(0).stop()", "OSError: I2C operation not supported"),                     # extmod/machine_i2c.c:373
    ("I2C(0).readinto(bytearray(1))", "OSError: I2C operation not supported"),     # extmod/machine_i2c.c:387
    ("I2C(0).write(b'')", "OSError: I2C operation not supported"),                 # extmod/machine_i2c.c:412
    ("I2C(0).init()", "OSError: I2C operation not supported"),                     # extmod/machine_i2c.c:316
    ("I2C(0).writeto(0x55, b'')", "OSError: [Errno 19] ENODEV"),                   # ports/esp32/machine_i2c.c:280
    ("SoftI2C(18, 19).readfrom(0x55, 1)", "OSError: [Errno 19] ENODEV"),           # extmod/machine_i2c.c:206
])
def test_errors(machine, code, error, error_of):
    assert error_of(machine, code) == error
    assert 0x68 in machine.eval("I2C(0).scan()"), "and the bus works on"


def test_how_it_prints(machine):
    # ports/esp32/machine_i2c.c:298; pins of machine_i2c.h:38-51; there is one object for each bus, which keeps what it was.
    assert machine.exec("print(I2C(0))\nI2C(1, scl=22, sda=Pin(21), freq=100000, timeout=9)\nprint(I2C(1))") == (
        "I2C(0, scl=18, sda=19, freq=400000, timeout=50000)\nI2C(1, scl=22, sda=21, freq=100000, timeout=9)\n")
    # extmod/machine_i2c.c:651: half a bit is a whole number of microseconds.
    assert machine.exec("print(SoftI2C(Pin(18), Pin(19)), SoftI2C(18, 19, freq=300_000))") == (
        "SoftI2C(scl=18, sda=19, freq=500000) SoftI2C(scl=18, sda=19, freq=500000)\n")


def test_requests(machine, asked):
    asked.answers = {bus.I2C_WRITE: lambda r: len(r.data).to_bytes(2, "little"), bus.I2C_SCAN: b"\x1d\x68",
                     bus.I2C_READ: lambda r: bytes(range(r.args[5])),
                     bus.I2C_WRITE_READ: lambda r: bytes(range(10, 10 + r.args[4]))}
    machine.exec("from array import array\ni = I2C(1, scl=Pin(22), sda=Pin(21))\nb = bytearray(3)")
    assert machine.eval("i.scan()") == [0x1D, 0x68]
    assert machine.eval("i.writeto(0x68, b'\\x6b\\x00', False)") == 2
    assert machine.eval("i.writeto(0x68, array('H', [0x0201, 0x0403]))") == 4
    assert machine.eval("i.writevto(0x68, [b'\\x01', b'', bytearray(b'\\x02\\x03'), memoryview(b'xyz')[1:]])") == 5
    assert machine.eval("i.readfrom(0x68, 4)") == b"\x00\x01\x02\x03"
    machine.exec("i.readfrom_mem_into(0x68, 0x3b, b)")
    assert machine.eval("bytes(b)") == b"\x0a\x0b\x0c"
    assert machine.eval("i.readfrom_mem(0x68, 0x1234, 2, addrsize=16)") == b"\x0a\x0b"
    machine.exec("i.writeto_mem(0x68, 0x1c, b'\\x08')\ni.writeto_mem(0x68, 0x1234, b'', addrsize=24)\ni.writevto(9, ())")
    wires = (1, 22, 21)
    assert asked.asked() == [
        (bus.I2C_SCAN, wires, b""), (bus.I2C_WRITE, (*wires, 0x68, 0), b"\x6b\x00"),
        (bus.I2C_WRITE, (*wires, 0x68, 1), b"\x01\x02\x03\x04"), (bus.I2C_WRITE, (*wires, 0x68, 1), b"\x01\x02\x03yz"),
        (bus.I2C_READ, (*wires, 0x68, 1, 4), b""), (bus.I2C_WRITE_READ, (*wires, 0x68, 3), b"\x3b"),
        (bus.I2C_WRITE_READ, (*wires, 0x68, 2), b"\x12\x34"), (bus.I2C_WRITE, (*wires, 0x68, 1), b"\x1c\x08"),
        (bus.I2C_WRITE, (*wires, 0x68, 1), b"\x00\x12\x34"), (bus.I2C_WRITE, (*wires, 9, 1), b"")]


def test_transfers_take_no_memory(machine):
    machine.exec("import gc\ni = I2C(0)\nb = bytearray(14)\nparts = [b'\\x6b', b'\\x00']\n"
                 "def loop():\n    before = gc.mem_alloc()\n    for _ in range(100):\n"
                 "        i.readfrom_mem_into(0x68, 0x3b, b)\n        i.writeto(0x68, b'\\x3b')\n"
                 "        i.readfrom_into(0x68, b)\n        i.writevto(0x68, parts)\n    return gc.mem_alloc() - before")
    machine.eval("loop()")
    assert machine.eval("loop()") <= 4096, "400 transfers: what is left are a few lists of the loop's own"


def test_the_parts_of_a_soft_bus(machine, asked):
    asked.answers = {bus.I2C_WRITE: lambda r: 19 if r.args[3] == 0x55 else len(r.data).to_bytes(2, "little"),
                     bus.I2C_READ: lambda r: bytes(range(1, 1 + r.args[5]))}
    machine.exec("s = SoftI2C(Pin(22), Pin(21))\nb = bytearray(2)")
    assert machine.eval("(s.start(), s.write(b'\\xd0'), s.write(b'\\x3b\\x01'), s.stop())") == (None, 1, 2, None)
    assert machine.eval("(s.start(), s.write(b'\\xd1'), s.readinto(b), s.stop(), bytes(b))")[4] == b"\x01\x02"
    assert machine.eval("(s.start(), s.write(b'\\xaa'), s.stop())")[1] == 0, "nobody acknowledges"
    wires = (bus.SOFT_BUS, 22, 21)
    assert asked.asked() == [
        (bus.I2C_WRITE, (*wires, 0x68, 0), b""), (bus.I2C_WRITE, (*wires, 0x68, 1), b"\x3b\x01"),
        (bus.I2C_WRITE, (*wires, 0x68, 0), b""), (bus.I2C_READ, (*wires, 0x68, 1, 2), b""),
        (bus.I2C_WRITE, (*wires, 0x55, 0), b"")]


def test_a_stuck_bus_times_out(machine, error_of):
    machine.world.fault("stuck", bus=0)
    try:
        assert "ETIMEDOUT" in error_of(machine, "I2C(0).readfrom_mem(0x68, 0x75, 1)")
    finally:
        machine.world.mend("stuck")
