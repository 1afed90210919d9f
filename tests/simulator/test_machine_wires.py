"""time_pulse_us, bitstream, RTC's clock, neopixel, dht, onewire, ds18x20: what hangs on a single pin."""

import pytest

from edgekit.simulator import bus


@pytest.mark.parametrize("code, error", [
    ("bitstream(Pin(4), 1, (400, 850, 800, 450), b'a')", "ValueError: encoding"),          # extmod/machine_bitstream.c:58
    ("bitstream(Pin(4), 0, (400, 850), b'a')", "ValueError: requested length 4 but object has length 2"),
    ("bitstream(Pin(4), 0, 5, b'a')", "TypeError: object 'int' isn't a tuple or list"),
    ("bitstream(Pin(4), 0, (400, 850, 800, 450), 5)", "TypeError: object with buffer protocol required"),
    ("bitstream(99, 0, (400, 850, 800, 450), b'a')", "ValueError: invalid pin"),
    ("time_pulse_us(99, 1)", "ValueError: invalid pin"),
    ("time_pulse_us(Pin(4), 1, 'x')", "TypeError: can't convert str to int"),
    ("dht_readinto(Pin(4), bytearray(4))", "ValueError: buffer too small"),                # drivers/dht/dht.c:51
    ("RTC().datetime(5)", "TypeError: object 'int' isn't a tuple or list"),
    ("RTC().datetime((2030, 1, 1))", "ValueError: requested length 8 but object has length 3"),
    ("DAC(Pin(25))", "NameError: name 'DAC' isn't defined"),
    ("import machine; machine.DAC(25)",
     "AttributeError: the simulated board has no analogue output, so no machine.DAC: try that part on a real board"),
])
def test_errors(machine, code, error, error_of):
    assert error_of(machine, code) == error


def test_a_pulse_is_measured(machine):
    now = machine.world.time_s
    machine.world.drive(4, 1, at_s=now + 0.010)
    machine.world.drive(4, 0, at_s=now + 0.0125)
    start = machine.eval("time.ticks_us()")
    assert machine.eval("time_pulse_us(Pin(4, Pin.IN), 1, 100_000)") == 2500
    assert 12_500 <= machine.eval("time.ticks_us()") - start < 14_000
    assert machine.eval("time_pulse_us(Pin(4), 1, 1000)") == -2, "it did not come: extmod/machine_pulse.c:54"
    machine.world.drive(4, 1)
    assert machine.eval("time_pulse_us(Pin(4), 1, 1000)") == -1, "it did not go"
    machine.world.release(4)


def test_neopixel(machine):
    machine.exec("from neopixel import NeoPixel\nn = NeoPixel(Pin(4), 3)\nn[0] = (1, 2, 3)\nn[2] = (255, 0, 9)\nn.write()")
    assert machine.world.pixels(4) == [(1, 2, 3), (0, 0, 0), (255, 0, 9)]
    assert machine.eval("(len(n), n[0], n[2], n.bpp, bytes(n.buf[:3]))") == (3, (1, 2, 3), (255, 0, 9), 3, b"\x02\x01\x03")
    machine.exec("n.fill((7, 8, 9))\nn.write()")
    assert machine.world.pixels(4) == [(7, 8, 9)] * 3


def test_neopixels_bytes_and_time(machine, asked):
    machine.exec("from neopixel import NeoPixel\nn = NeoPixel(Pin(4, Pin.OUT), 100, bpp=4)\nn[0] = (1, 2, 3, 4)")
    asked.asked()
    us = machine.eval("(lambda t: (n.write(), time.ticks_us() - t))(time.ticks_us())")[1]
    (op, args, data), = asked.asked()
    assert (op, args, data[:5], len(data)) == (bus.BITSTREAM, (4,), b"\x02\x01\x03\x04\x00", 400)
    assert us == pytest.approx(400 * 8 * 1.25, rel=0.02), "800 kHz"


@pytest.mark.parametrize("kind, temperature_c, humidity", [("DHT22", 23.4, 56.7), ("DHT22", -5.3, 12.0), ("DHT11", 23, 56)])
def test_dht(machine, kind, temperature_c, humidity):
    class Sensor:
        def measure(self, time_us):
            if kind == "DHT11":
                body = bytes((humidity, 0, temperature_c, 0))
            else:
                tenths = round(abs(temperature_c) * 10) | (0x8000 if temperature_c < 0 else 0)
                body = round(humidity * 10).to_bytes(2, "big") + tenths.to_bytes(2, "big")
            return body + bytes((sum(body) & 0xFF,))

    machine.world.dht(4, Sensor())
    machine.exec(f"import dht\nd = dht.{kind}(Pin(4))\nd.measure()")
    assert machine.eval("(d.temperature(), d.humidity())") == pytest.approx((temperature_c, humidity))


def test_a_dht_with_a_wrong_check_sum_or_none_at_all(machine, asked, error_of):
    asked.answers[bus.DHT_READ] = b"\x01\x02\x03\x04\x00"
    assert error_of(machine, "import dht\ndht.DHT11(Pin(4)).measure()") == "Exception: checksum error"
    asked.answers[bus.DHT_READ] = 110
    assert error_of(machine, "import dht\ndht.DHT11(Pin(4)).measure()") == "OSError: [Errno 110] ETIMEDOUT"


def crc8(data):
    """Maxim's, with a table of one row: application note 27, written another way than on the board."""
    crc = 0
    for byte in data:
        for bit in range(8):
            mix = (crc ^ byte >> bit) & 1
            crc >>= 1
            crc ^= 0x8C * mix
    return crc


def test_onewire_finds_every_device_and_their_temperatures(machine):
    from edgekit.simulator.chips.ds18b20 import DS18B20
    machine.world.set(temperature_c=21.5)
    sensors = [DS18B20(machine.world.sense, serial=serial) for serial in (1, 2, 0x123456, 0xFFFFFFFFFFFF)]
    for sensor in sensors:
        machine.world.onewire(4, sensor)
    machine.exec("import onewire, ds18x20\nd = ds18x20.DS18X20(onewire.OneWire(Pin(4)))\nroms = d.scan()")
    roms = machine.eval("[bytes(rom) for rom in roms]")
    assert sorted(int.from_bytes(rom[1:7], "little") for rom in roms) == [1, 2, 0x123456, 0xFFFFFFFFFFFF]
    assert all(rom[7] == crc8(rom[:7]) for rom in roms)
    assert machine.eval("d.ow.crc8(b'123456789')") == crc8(b"123456789") == 0xA1, "the check value of CRC-8/MAXIM"
    machine.exec("d.convert_temp()\ntime.sleep_ms(750)")
    assert machine.eval("[d.read_temp(rom) for rom in roms]") == [21.5] * 4


def test_nobody_on_the_wire(machine, error_of):
    machine.exec("import onewire, ds18x20\nw = onewire.OneWire(Pin(5))")
    assert machine.eval("(w.reset(), w.scan())") == (False, [])
    assert error_of(machine, "w.reset(True)") == "OneWireError:"
    assert error_of(machine, "ds18x20.DS18X20(w).convert_temp()") == "OneWireError:"
