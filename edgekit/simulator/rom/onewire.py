"""The 1-Wire bus: many devices, each with a number of 8 bytes, on one pin."""

import _bus
from _host import spend as _spend
from machine import Pin

_RESET_US = 960
_BIT_US = 70


class OneWireError(Exception):
    pass


class OneWire:
    SEARCH_ROM = 0xF0
    MATCH_ROM = 0x55
    SKIP_ROM = 0xCC

    def __init__(self, pin):
        self.pin = pin
        pin.init(Pin.OPEN_DRAIN, Pin.PULL_UP)

    def reset(self, required=False):
        """True if any device is there."""
        there = self._ask(_RESET_US, _bus.ONEWIRE_RESET) != 0
        if required and not there:
            raise OneWireError
        return there

    def readbit(self):
        return self._ask(_BIT_US, _bus.ONEWIRE_READ, 1)

    def readbyte(self):
        return self._ask(8 * _BIT_US, _bus.ONEWIRE_READ, 8)

    def readinto(self, buf):
        for i in range(len(buf)):
            buf[i] = self.readbyte()

    def writebit(self, value):
        self._tell(_BIT_US, 1, 1 if value else 0)

    def writebyte(self, value):
        self._tell(8 * _BIT_US, 8, value & 0xFF)

    def write(self, buf):
        for byte in buf:
            self.writebyte(byte)

    def select_rom(self, rom):
        self.reset()
        self.writebyte(self.MATCH_ROM)
        self.write(rom)

    def scan(self):
        """The number of every device. They all answer at once: where two differ, first one way, then the other."""
        found = []
        branches = [[]]  # bits of the numbers with which a search starts
        while branches:
            bits = self._search(branches.pop(), branches)
            if bits:
                found.append(bytearray(sum(bits[8 * i + k] << k for k in range(8)) for i in range(8)))
        return found

    def _search(self, start, branches):
        if not self.reset():
            return None
        self.writebyte(self.SEARCH_ROM)
        bits = []
        for i in range(64):
            bit, inverse = self.readbit(), self.readbit()
            if bit and inverse:  # nobody is left
                return None
            if i < len(start):
                bit = start[i]
            elif not bit and not inverse:
                branches.append(bits + [1])
            self.writebit(bit)
            bits.append(bit)
        return bits

    def crc8(self, data):
        crc = 0
        for byte in data:
            for _ in range(8):
                crc = crc >> 1 ^ (0x8C if (crc ^ byte) & 1 else 0)
                byte >>= 1
        return crc

    def _ask(self, us, op, *args):
        _bus.send(bytes((op, self.pin._id) + args))
        answer = _bus.receive_all(1)
        _spend(us)
        _bus.handle()
        return answer[0]

    def _tell(self, us, bits, value):
        _bus.send(bytes((_bus.ONEWIRE_WRITE, self.pin._id, bits, value)))
        _spend(us)
        _bus.handle()
