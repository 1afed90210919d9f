"""A driver of the board under CPython, on a simulated chip."""

from edgekit.simulator import bus


class FakeI2C:
    """What ``machine.I2C`` is to a driver, on a clock that only sleeping moves."""

    def __init__(self, world):
        self.world = world
        self.time_us = 0

    def _ask(self, op, *args, data=b""):
        payload, errno, _ = bus.parse_answer(self.world.transaction(bus.pack(op, self.time_us, *args, data=data)))
        if errno:
            raise OSError(errno)
        return payload

    def pass_time(self, us):
        """The world hears of it too, so that what changes in it changes then."""
        self.time_us += us
        self.world.transaction(bus.pack(bus.NOTE_TIME, self.time_us))

    def readfrom_mem_into(self, address, register, buf):
        buf[:] = self._ask(bus.I2C_WRITE_READ, 0, 22, 21, address, len(buf), data=bytes((register,)))

    def writeto_mem(self, address, register, buf):
        self._ask(bus.I2C_WRITE, 0, 22, 21, address, 1, data=bytes((register,)) + bytes(buf))
