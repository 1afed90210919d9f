"""machine.SPI and SoftSPI, against extmod/machine_spi.c and ports/esp32/machine_hw_spi.c."""

import pytest

from edgekit.simulator import bus


@pytest.mark.parametrize("code, error", [
    ("SPI(0)", "ValueError: SPI(0) doesn't exist"),                              # machine_hw_spi.c:460
    ("SPI(3)", "ValueError: SPI(3) doesn't exist"),
    ("SPI(1, bits=0)", "ValueError: invalid bits"),                              # machine_hw_spi.c:195
    ("SPI(1).write(b'')", "ValueError: buffer too short"),                       # machine_hw_spi.c:345
    ("SPI(1).write(5)", "TypeError: object with buffer protocol required"),
    ("SPI(1).write_readinto(b'ab', bytearray(3))", "ValueError: buffers must be the same length"),  # machine_spi.c:97
    ("s = SPI(1); s.deinit(); s.write(b'a')", "OSError: transfer on deinitialized SPI"),            # machine_hw_spi.c:337
    ("SoftSPI(bits=16)", "ValueError: bits must be 8"),                          # machine_spi.c:182
    ("SoftSPI(sck=1, mosi=2)", "ValueError: must specify all of sck/mosi/miso"),  # machine_spi.c:188
    ("SPI(1, 'x')", "TypeError: can't convert str to int"),
])
def test_errors(machine, code, error, error_of):
    assert error_of(machine, code) == error


@pytest.mark.parametrize("code, text", [
    # machine_hw_spi.c:417; pins of SPI2 and SPI3 of the ESP32, lines 57-70
    ("SPI(1)", "SPI(id=1, baudrate=500000, polarity=0, phase=0, bits=8, firstbit=0, sck=14, mosi=13, miso=12)"),
    ("SPI(2, 10_000_000, polarity=1, phase=1, firstbit=SPI.LSB, miso=None)",
     "SPI(id=2, baudrate=10000000, polarity=1, phase=1, bits=8, firstbit=1, sck=18, mosi=23, miso=-1)"),
    # machine_spi.c:152, and 131-148: half a bit in whole microseconds, rounded up
    ("SoftSPI(sck=Pin(5), mosi=4, miso=2)",
     "SoftSPI(baudrate=500000, polarity=0, phase=0, firstbit=0, sck=5, mosi=4, miso=2)"),
    ("SoftSPI(300_000, sck=5, mosi=4, miso=2)",
     "SoftSPI(baudrate=250000, polarity=0, phase=0, firstbit=0, sck=5, mosi=4, miso=2)"),
    ("SoftSPI(10_000_000, sck=5, mosi=4, miso=2)",
     "SoftSPI(baudrate=800000, polarity=0, phase=0, firstbit=0, sck=5, mosi=4, miso=2)"),
])
def test_how_it_prints(machine, code, text):
    assert machine.exec(f"print({code})") == text + "\n"


@pytest.mark.parametrize("wanted_hz, hz", [(80_000_000, 80_000_000), (26_000_000, 26_666_666), (1_000_000, 1_000_000),
                                           (3_000_000, 2_962_962), (100_000, 100_000)])
def test_the_clock_is_a_whole_part_of_80_mhz(machine, wanted_hz, hz):
    assert f"baudrate={hz}," in machine.exec(f"print(SPI(1, {wanted_hz}))")


def test_requests(machine, asked):
    asked.answers[bus.SPI_TRANSFER] = lambda request: bytes(255 - b for b in request.data)
    machine.exec("s = SPI(1, 1_000_000, polarity=1, phase=1)\nb = bytearray(2)")
    assert machine.eval("s.read(3)") == b"\xff\xff\xff"
    assert machine.eval("s.read(2, 0x0f)") == b"\xf0\xf0"
    machine.exec("s.readinto(b, 1)")
    assert machine.eval("bytes(b)") == b"\xfe\xfe"
    machine.exec("s.write(b'\\x01\\x02')\ns.write_readinto(b'\\x03\\x04', b)")
    assert machine.eval("bytes(b)") == b"\xfc\xfb"
    machine.exec("s.write_readinto(b, b)")
    assert machine.eval("bytes(b)") == b"\x03\x04", "the same buffer both ways"
    machine.exec("s.init(firstbit=SPI.LSB, phase=0)\ns.write(b'x')\n"
                 "SoftSPI(sck=5, mosi=4, miso=2).write(b'y')")
    wires = (1, 14, 13, 12, 1_000_000, 3)
    assert asked.asked() == [(bus.SPI_TRANSFER, args, data) for args, data in [
        (wires, b"\0\0\0"), (wires, b"\x0f\x0f"), (wires, b"\x01\x01"), (wires, b"\x01\x02"), (wires, b"\x03\x04"),
        (wires, b"\xfc\xfb"), ((*wires[:5], 6), b"x"), ((255, 5, 4, 2, 500_000, 0), b"y")]]


def test_long_transfers_go_in_blocks_as_the_chips_do(machine, asked):
    asked.answers[bus.SPI_TRANSFER] = lambda request: request.data
    machine.exec("s = SPI(1)\nout = bytes(i & 255 for i in range(10_000))\nback = bytearray(10_000)\n"
                 "s.write_readinto(out, back)")
    assert machine.eval("out == back") is True
    assert [len(data) for _, _, data in asked.asked()] == [4092, 4092, 1816]  # machine_hw_spi.c:85


def test_a_chip_is_chosen_by_its_pin(machine):
    class Echo:
        def __init__(self):
            self.log = []

        def select(self, time_us):
            self.log.append("select")

        def deselect(self, time_us):
            self.log.append("deselect")

        def transfer(self, data, time_us):
            self.log.append(data)
            return bytes(reversed(data))

    chip = Echo()
    machine.world.attach(chip, cs=5)
    machine.exec("cs = Pin(5, Pin.OUT, value=1)\ns = SPI(1)\nb = bytearray(3)\n"
                 "s.write_readinto(b'abc', b)\nnobody = bytes(b)\ncs(0)\ns.write_readinto(b'abc', b)\ncs(1)")
    machine.world.detach(cs=5)
    assert machine.eval("(nobody, bytes(b))") == (b"\xff\xff\xff", b"cba")
    assert chip.log[-3:] == ["select", b"abc", "deselect"]
