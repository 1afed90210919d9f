"""machine.I2C and machine.SoftI2C."""

import _bus
import _chip
from _args import to_buffer, to_int, to_items
from _host import spend as _spend
from _pin import Pin, number_of

_SOFT_BUS = 255
_NOT_SUPPORTED = "I2C operation not supported"


class _I2CBase:
    def _set_up(self, bus, scl, sda, freq):
        self._scl, self._sda = scl, sda
        self._wires = bytes((bus, scl, sda))
        self._freq = freq
        self._byte_ns = 9_000_000_000 // freq
        # Requests that are kept: a transfer takes no memory.
        self._write = _bus.head(_bus.I2C_WRITE, self._wires, 0, 0)
        self._read = bytearray((_bus.I2C_READ, bus, scl, sda, 0, 0, 0, 0))
        self._read_memory = bytearray((_bus.I2C_WRITE_READ, bus, scl, sda, 0, 0, 0, 0))
        self._memory_address = bytearray(1)
        self._memory = [self._memory_address, b""]
        self._count = bytearray(2)

    def _spend(self, count):
        _spend((count + 1) * self._byte_ns // 1000)
        _bus.handle()

    def _acknowledged(self, count):
        _bus.receive(self._count)
        self._spend(count)
        return self._count[0] | self._count[1] << 8

    def deinit(self):
        pass

    def scan(self):
        _bus.send(bytes((_bus.I2C_SCAN,)) + self._wires)
        addresses = list(_bus.receive_all(128))
        self._spend(112)
        return addresses

    def _start_write(self, addr, stop):
        self._write[5] = to_int(addr) & 0x7F
        self._write[6] = 1 if stop else 0

    def writeto(self, addr, buf, stop=True):
        self._start_write(addr, stop)
        return self._acknowledged(_bus.send_data(self._write, to_buffer(buf)))

    def writevto(self, addr, vector, stop=True):
        for part in to_items(vector):
            to_buffer(part)
        self._start_write(addr, stop)
        return self._acknowledged(_bus.send_parts(self._write, vector))

    def readfrom_into(self, addr, buf, stop=True):
        buf = to_buffer(buf)
        n = len(buf)
        request = self._read
        request[4] = to_int(addr) & 0x7F
        request[5] = 1 if stop else 0
        request[6] = n & 0xFF
        request[7] = n >> 8
        _bus.send(request)
        if n:
            _bus.receive(buf)
        self._spend(n)

    def readfrom(self, addr, nbytes, stop=True):
        buf = bytearray(to_int(nbytes))
        self.readfrom_into(addr, buf, stop)
        return bytes(buf)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        buf = to_buffer(buf)
        n = len(buf)
        request = self._read_memory
        request[4] = to_int(addr) & 0x7F
        request[5] = n & 0xFF
        request[6] = n >> 8
        if addrsize == 8:
            request[7] = to_int(memaddr) & 0xFF
            _bus.send(request)
        else:
            _bus.send(request[:7] + _address_bytes(memaddr, addrsize))
        if n:
            _bus.receive(buf)
        self._spend(n + 2)

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        buf = bytearray(to_int(nbytes))
        self.readfrom_mem_into(addr, memaddr, buf, addrsize=addrsize)
        return bytes(buf)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        parts = self._memory
        if addrsize == 8:
            self._memory_address[0] = to_int(memaddr) & 0xFF
            parts[0] = self._memory_address
        else:
            parts[0] = _address_bytes(memaddr, addrsize)
        parts[1] = to_buffer(buf)
        self._start_write(addr, True)
        self._acknowledged(_bus.send_parts(self._write, parts))


def _address_bytes(memaddr, addrsize):
    if to_int(addrsize) & 7 or not 0 <= addrsize <= 32:
        raise ValueError("invalid addrsize")
    return bytes((to_int(memaddr) >> shift) & 0xFF for shift in range(addrsize - 8, -1, -8))


class I2C(_I2CBase):
    _buses = {}  # there is one object for each bus

    def __new__(cls, id=0, *, scl=None, sda=None, freq=-1, timeout=-1):
        if not 0 <= to_int(id) < len(_chip.i2c_pins) or not _chip.i2c_pins[id]:
            raise ValueError("I2C(%d) doesn't exist" % id)
        bus = cls._buses.get(id)
        if bus is None:
            bus = cls._buses[id] = object.__new__(cls)
            bus._id = id
            bus._scl, bus._sda = _chip.i2c_pins[id]
            bus._freq = 400_000
            bus._timeout = 50_000
        return bus

    def __init__(self, id=0, *, scl=None, sda=None, freq=-1, timeout=-1):
        if _chip.stm32 and (scl is not None or sda is not None):  # ports/stm32/machine_i2c.c
            raise ValueError("explicit choice of scl/sda is not implemented")
        scl = self._scl if scl is None else number_of(scl)
        sda = self._sda if sda is None else number_of(sda)
        freq = self._freq if to_int(freq) == -1 else freq
        if not 1 <= freq <= 5_000_000:
            raise ValueError("invalid freq")
        if to_int(timeout) != -1:
            self._timeout = timeout
        self._set_up(self._id, scl, sda, freq)

    def init(self, *args, **kwargs):
        raise OSError(_NOT_SUPPORTED)

    start = stop = readinto = write = init

    def __repr__(self):
        return "I2C(%d, scl=%d, sda=%d, freq=%d, timeout=%d)" % (
            self._id, self._scl, self._sda, self._freq, self._timeout)


class SoftI2C(_I2CBase):
    """Bytes of its own start() and write() reach the chip with stop(), or the next start()."""

    def __init__(self, scl, sda, *, freq=400_000, timeout=50_000):
        self.init(scl, sda, freq=freq, timeout=timeout)

    def init(self, scl, sda, *, freq=400_000, timeout=50_000):
        scl, sda = Pin(scl), Pin(sda)
        # It counts half a bit in whole microseconds.
        self._set_up(_SOFT_BUS, scl._id, sda._id, 500_000 // max(500_000 // max(to_int(freq), 1), 1))
        scl._mode = sda._mode = Pin.OPEN_DRAIN
        self._address = None
        self._gathered = bytearray()

    def start(self):
        self._finish(False)

    def stop(self):
        self._finish(True)

    def _finish(self, stop):
        data = self._gathered
        if data:
            self._gathered = bytearray()
            self.writeto(self._address >> 1, data, stop)
        self._address = None

    def write(self, buf):
        buf = bytes(buf)
        acknowledged = len(buf)
        if self._address is None and buf:
            self._address = buf[0]
            buf = buf[1:]
            try:
                self.writeto(self._address >> 1, b"", False)
            except OSError as error:
                if error.errno != 19:  # ENODEV
                    raise
                return 0
        self._gathered.extend(buf)
        return acknowledged

    def readinto(self, buf, nack=True):
        if self._address is None or not self._address & 1:  # nobody drives the wire
            for i in range(len(buf)):
                buf[i] = 0xFF
            return
        self.readfrom_into(self._address >> 1, buf, nack)

    def __repr__(self):
        return "SoftI2C(scl=%d, sda=%d, freq=%d)" % (self._scl, self._sda, self._freq)
