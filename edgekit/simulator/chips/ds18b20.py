"""The thermometer DS18B20 on a 1-Wire bus, bit by bit (Maxim/Analog Devices, DS18B20 data sheet, revision 6).

Modelled: the ROM code with its CRC, all ROM commands with the search by which a bus finds its devices, the scratchpad
with its CRC, resolution and conversion time, 85 degrees before the first conversion, the alarm search. Not modelled:
parasite power (it says that it has its own), the time that the EEPROM takes.
"""

__all__ = ["DS18B20", "crc8"]

_FAMILY = 0x28
_SEARCH, _READ_ROM, _MATCH, _SKIP, _ALARM_SEARCH = 0xF0, 0x33, 0x55, 0xCC, 0xEC
_CONVERT, _WRITE, _READ, _COPY, _RECALL, _POWER = 0x44, 0x4E, 0xBE, 0x48, 0xB8, 0xB4
_AT_POWER_ON = 85 * 16
_TH, _TL, _CONFIG = 0x4B, 0x46, 0x7F  # as delivered: 75 and 70 degrees, 12 bits
_CONVERSION_US = 750_000  # at 12 bits; half of it for each bit less


def crc8(data: bytes) -> int:
    """The 1-Wire checksum: x^8 + x^5 + x^4 + 1, lowest bit first.

    Examples
    --------
    >>> hex(crc8(bytes.fromhex("021cb801000000")))     # the example of Maxim's application note 27
    '0xa2'
    """
    crc = 0
    for value in data:
        crc ^= value
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
    return crc


class DS18B20:
    """One DS18B20.

    Parameters
    ----------
    sense : callable
        ``sense("temperature_c", time_us)``.
    serial : int
        Its number, 48 bits; no two on a bus have the same.

    Attributes
    ----------
    rom : bytes
        Family, serial number and checksum: 8 bytes, by which the bus knows it.

    Examples
    --------
    >>> from edgekit.simulator.world import World
    >>> world = World()
    >>> chip = DS18B20(world.sense, serial=0x1234)
    >>> chip.rom.hex()
    '28341200000000d0'
    >>> world.onewire(15, chip)
    """

    def __init__(self, sense, serial: int = 1):
        body = bytes((_FAMILY,)) + serial.to_bytes(6, "little")
        self.rom = body + bytes((crc8(body),))
        self._sense = sense
        self._eeprom = bytes((_TH, _TL, _CONFIG))
        self.power_on(0)

    def power_on(self, time_us: int) -> None:
        """The supply comes back: 85 degrees, and the settings of the EEPROM."""
        self._settings = bytearray(self._eeprom)
        self._raw = _AT_POWER_ON
        self._converted = None  # (when it is ready, value)
        self._listen(None)

    # The wire

    def reset(self, time_us: int) -> bool:
        """The bus was held low for long: wait for a ROM command. Says that it is there."""
        self._listen(self._rom_command)
        return True

    def write_bit(self, bit: int, time_us: int) -> None:
        """The master writes a bit."""
        if self._search is not None:
            self._search_bit(bit)
        elif self._next is not None:
            self._bits.append(bit)
            if len(self._bits) == 8:
                value = sum(b << i for i, b in enumerate(self._bits))
                self._bits.clear()
                self._next(value, time_us)

    def read_bit(self, time_us: int) -> int:
        """What it puts on the wire when the master reads: 1 leaves it high."""
        if self._search is not None:
            # Its own bit, then the opposite, then the master's choice is written.
            position, step = self._search
            bit = self._rom_bit(position) ^ step
            self._search = (position, step + 1)
            return bit
        if self._out:
            return self._out.pop(0)
        return int(not self._busy(time_us)) if self._converting else 1

    # What comes next

    def _listen(self, then):
        """Forget what was going on; the next byte is for ``then``, None waits for a reset."""
        self._next = then
        self._bits = []
        self._out = []
        self._search = None
        self._converting = False

    def _send(self, data):
        self._out = [value >> i & 1 for value in data for i in range(8)]

    def _rom_command(self, command, time_us):
        self._listen(None)
        if command == _SKIP:
            self._next = self._function
        elif command == _READ_ROM:
            self._send(self.rom)
            self._next = self._function
        elif command == _MATCH:
            wanted = bytearray()

            def match(value, _):
                wanted.append(value)
                if len(wanted) == 8:
                    self._next = self._function if wanted == self.rom else None

            self._next = match
        elif command == _SEARCH or command == _ALARM_SEARCH and self._alarm(time_us):
            self._search = (0, 0)

    def _search_bit(self, bit):
        position, _ = self._search
        if bit != self._rom_bit(position):
            self._listen(None)  # another device is meant
        elif position == 63:
            self._listen(self._function)
        else:
            self._search = (position + 1, 0)

    def _rom_bit(self, position):
        return self.rom[position // 8] >> position % 8 & 1

    def _function(self, command, time_us):
        self._listen(None)
        if command == _CONVERT:
            bits = self._bits_of_resolution()
            temperature_c = max(-55.0, min(125.0, self._sense("temperature_c", time_us)))
            step = 1 << 12 - bits
            self._converted = (time_us + (_CONVERSION_US >> 12 - bits), round(temperature_c * 16 / step) * step)
            self._converting = True
        elif command == _READ:
            self._send(self._scratchpad(time_us))
        elif command == _WRITE:
            written = bytearray()

            def write(value, _):
                self._settings[len(written)] = value
                written.append(value)
                if len(written) == 3:
                    self._next = None

            self._next = write
        elif command == _COPY:
            self._eeprom = bytes(self._settings)
        elif command == _RECALL:
            self._settings = bytearray(self._eeprom)
        elif command == _POWER:
            self._send(b"\xff")

    # The thermometer

    def _busy(self, time_us):
        if self._converted is not None and time_us >= self._converted[0]:
            self._raw, self._converted = self._converted[1], None
        return self._converted is not None

    def _bits_of_resolution(self):
        return 9 + (self._settings[2] >> 5 & 3)

    def _scratchpad(self, time_us):
        self._busy(time_us)
        th, tl, config = self._settings
        body = self._raw.to_bytes(2, "little", signed=True) + bytes((th, tl, config & 0x60 | 0x1F, 0xFF, 0x0C, 0x10))
        return body + bytes((crc8(body),))

    def _alarm(self, time_us):
        self._busy(time_us)
        high, low = (int.from_bytes(self._settings[i:i + 1], "little", signed=True) for i in (0, 1))
        whole = self._raw >> 4
        return whole >= high or whole <= low
