"""``sys`` as the board has it: its own platform and machine names, and a raw ``sys.stdout.buffer``."""

import io
import sys
from collections import namedtuple

_MPY_VERSION = sys.implementation._mpy


class _Stream(io.IOBase):
    def __init__(self, stream, buffer):
        self._stream = stream
        self.buffer = buffer
        self.read = stream.read
        self.readline = stream.readline
        self.readinto = buffer.readinto

    def write(self, data):
        return self._stream.write(data)

    def ioctl(self, request, argument):
        if request == 3:  # poll: what is ready
            import select
            poller = select.poll()
            poller.register(self._stream, argument)
            ready = poller.poll(0)
            return ready[0][1] if ready else 0
        return 0


class Sys:
    def __init__(self, profile):
        uart = open("/dev/uart", "r+b")
        implementation = namedtuple("implementation", ("name", "version", "_machine", "_mpy", "_build"))
        self.implementation = implementation("micropython", sys.implementation.version, profile["machine"],
                                             _MPY_VERSION, profile["build"])
        self.platform = profile["sys_platform"]
        self.stdout = _Stream(sys.stdout, uart)
        self.stdin = _Stream(sys.stdin, uart)
        self.stderr = self.stdout

    def __getattr__(self, name):
        return getattr(sys, name)

    def __repr__(self):
        return "<module 'sys'>"
