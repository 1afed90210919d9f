"""Just enough of CircuitPython that Adafruit's drivers run here, unmodified, on the buses of a World.

The drivers get the modules that they import (``time``, ``micropython``, ``busio``, ``digitalio``) while a
:class:`CircuitPython` is entered; they are loaded anew for each, and gone after it. Every transfer takes as long as on
a bus of 400 kHz, so that a driver that waits in a loop sees the world's clock move.
"""

import importlib
import os
import sys
import time
import types

from edgekit.simulator import bus

_DRIVERS = ("adafruit_", "circuitpython_typing")
_US_PER_BYTE = 9 * 1e6 / 400_000


class CircuitPython:
    """A board that runs drivers of CircuitPython.

    Attributes
    ----------
    world : edgekit.simulator.world.World
    time_us : float
        The board's clock.
    """

    def __init__(self, world):
        self.world = world
        self.time_us = 0.0

    def __enter__(self):
        self._before = dict(sys.modules)
        self._forget_drivers()
        clock = types.ModuleType("time")
        clock.__dict__.update(vars(time))
        clock.sleep = self.sleep
        clock.monotonic = lambda: self.time_us / 1e6
        clock.monotonic_ns = lambda: round(self.time_us * 1000)
        micropython = types.ModuleType("micropython")
        micropython.const = lambda value: value
        busio = types.ModuleType("busio")
        busio.I2C, busio.SPI = I2C, SPI
        digitalio = types.ModuleType("digitalio")
        digitalio.DigitalInOut = DigitalInOut
        sys.modules.update(time=clock, micropython=micropython, busio=busio, digitalio=digitalio)
        return self

    def __exit__(self, *_):
        self._forget_drivers()
        for name in ("time", "micropython", "busio", "digitalio"):
            sys.modules.pop(name)
            if name in self._before:
                sys.modules[name] = self._before[name]

    def _forget_drivers(self):
        for name in [name for name in sys.modules if name.startswith(_DRIVERS)]:
            del sys.modules[name]

    def driver(self, name):
        """Import a driver, as a program on the board would."""
        return importlib.import_module(name)

    def sleep(self, seconds):
        """``time.sleep``: the world moves on."""
        until_us = self.time_us + seconds * 1e6
        while self.time_us < until_us:
            reached, _ = self._request(bus.SLEEP_UNTIL, round(until_us))
            self.time_us = max(float(int.from_bytes(reached, "little")), min(until_us, self.time_us + 1))

    def i2c(self, number=0):
        """``board.I2C()``."""
        return I2C(self, number)

    def spi(self):
        """``board.SPI()``."""
        return SPI(self)

    def transfer(self, op, *args, data=b"", count=0):
        """One request to the world that takes the bus for some bytes."""
        self.time_us += (1 + len(data) + count) * _US_PER_BYTE
        payload, errno = self._request(op, *args, data=data)
        if errno:
            raise OSError(errno, os.strerror(errno))
        return payload

    def _request(self, op, *args, data=b""):
        answer = self.world.transaction(bus.pack(op, round(self.time_us), *args, data=bytes(data)))
        payload, errno, _ = bus.parse_answer(answer)
        return payload, errno


class _Bus:
    def __init__(self):
        self._locked = False

    def try_lock(self):
        """Take the bus, if it is free."""
        free, self._locked = not self._locked, True
        return free

    def unlock(self):
        """Let others have it."""
        self._locked = False


class I2C(_Bus):
    """``busio.I2C``."""

    def __init__(self, board, number):
        super().__init__()
        self._board = board
        self._wires = (number, 22, 21)

    def writeto(self, address, buffer, *, start=0, end=None):
        """Write a part of a buffer."""
        data = bytes(buffer)[start:end]
        self._board.transfer(bus.I2C_WRITE, *self._wires, address, 1, data=data)

    def readfrom_into(self, address, buffer, *, start=0, end=None):
        """Read into a part of a buffer."""
        end = len(buffer) if end is None else end
        buffer[start:end] = self._board.transfer(bus.I2C_READ, *self._wires, address, 1, end - start, count=end - start)

    def writeto_then_readfrom(self, address, out_buffer, in_buffer, *, out_start=0, out_end=None, in_start=0,
                              in_end=None):
        """Write, and read without giving the bus away."""
        in_end = len(in_buffer) if in_end is None else in_end
        count = in_end - in_start
        in_buffer[in_start:in_end] = self._board.transfer(
            bus.I2C_WRITE_READ, *self._wires, address, count, data=bytes(out_buffer)[out_start:out_end], count=count)


class SPI(_Bus):
    """``busio.SPI``."""

    def __init__(self, board):
        super().__init__()
        self._board = board
        self._settings = (100_000, 0)

    def configure(self, *, baudrate=100_000, polarity=0, phase=0):
        """Choose speed and mode."""
        self._settings = (baudrate, polarity << 1 | phase)

    def write(self, buffer, *, start=0, end=None):
        """Write a part of a buffer."""
        self._board.transfer(bus.SPI_TRANSFER, 1, 18, 23, 19, *self._settings, data=bytes(buffer)[start:end])

    def readinto(self, buffer, *, start=0, end=None, write_value=0):
        """Read into a part of a buffer."""
        end = len(buffer) if end is None else end
        buffer[start:end] = self._board.transfer(bus.SPI_TRANSFER, 1, 18, 23, 19, *self._settings,
                                                 data=bytes((write_value,)) * (end - start))


class DigitalInOut:
    """``digitalio.DigitalInOut``, for chip-select pins."""

    def __init__(self, board, pin):
        self._board = board
        self._pin = pin

    def switch_to_output(self, value=False):
        """Drive the pin."""
        self.value = value
        self._board.transfer(bus.PIN_MODE, self._pin, bus.MODE_OUT, bus.PULL_NONE)

    @property
    def value(self):
        """Its level."""
        return self._value

    @value.setter
    def value(self, value):
        self._value = bool(value)
        self._board.transfer(bus.PIN_SET, self._pin, int(value))
