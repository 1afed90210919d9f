"""Temperature sensors DS18B20 and DS18S20 on a 1-Wire bus: ``scan()``, ``convert_temp()``, 750 ms, ``read_temp(rom)``."""

_CONVERT, _READ, _WRITE = 0x44, 0xBE, 0x4E
_DS18S20 = 0x10
_FAMILIES = (_DS18S20, 0x22, 0x28)


class DS18X20:
    def __init__(self, onewire):
        self.ow = onewire
        self.buf = bytearray(9)

    def scan(self):
        return [rom for rom in self.ow.scan() if rom[0] in _FAMILIES]

    def convert_temp(self):
        """All of them start to measure; it takes 750 ms."""
        self.ow.reset(True)
        self.ow.writebyte(self.ow.SKIP_ROM)
        self.ow.writebyte(_CONVERT)

    def read_scratch(self, rom):
        self.ow.reset(True)
        self.ow.select_rom(rom)
        self.ow.writebyte(_READ)
        self.ow.readinto(self.buf)
        if self.ow.crc8(self.buf):
            raise Exception("CRC error")
        return self.buf

    def write_scratch(self, rom, buf):
        self.ow.reset(True)
        self.ow.select_rom(rom)
        self.ow.writebyte(_WRITE)
        self.ow.write(buf)

    def read_temp(self, rom):
        """Degrees Celsius."""
        buf = self.read_scratch(rom)
        raw = buf[0] | buf[1] << 8
        if raw & 0x8000:
            raw -= 0x10000
        if rom[0] != _DS18S20:
            return raw / 16
        # Half degrees, and the rest of a counter that the sensor also gives.
        return (raw >> 1) - 0.25 + (buf[7] - buf[6]) / buf[7]
