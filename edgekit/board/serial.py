"""A real board on a USB port. Not yet run on hardware: so far it has only talked to a simulated port."""

import os
import select
import socket
import time
import urllib.parse

from edgekit.board.base import Board
from edgekit.errors import BoardError, BoardLostError

__all__ = ["SerialBoard"]

_BAUD = 115200
_POLL_S = 0.005
_WRITE_S = 10.0  # a port that takes nothing for so long is gone
_CHUNK = 65536
_SLICE_S = 0.2


class SerialBoard(Board):
    """A board on a serial port.

    Parameters
    ----------
    port : str
        Such as ``/dev/ttyUSB0``, ``COM3``, or any URL that pyserial opens.

    Raises
    ------
    BoardError
        The port does not exist or another program holds it.
    BoardLostError
        Nothing that speaks MicroPython answers there.
    """

    kind = "board"

    def __init__(self, port: str):
        self.port = port
        transport = self._open()
        try:
            super().__init__(transport)
        except BaseException:
            transport.close()
            raise

    def _open(self):
        return _SocketTransport(self.port) if self.port.startswith("socket://") else _SerialTransport(self.port)

    def _start(self, transport):
        super()._start(transport)
        # `edgekit sim` looks like a board, but what is measured on it must not pass for a board's.
        if self.eval("getattr(__import__('machine'), 'unique_id', bytes)()") == b"edgekt":
            self.kind = "simulated"

    def close(self):
        """Give the board its friendly prompt back and close the port."""
        try:
            if self._transport.is_open():
                self._repl.leave()
        except BoardLostError:
            pass
        super().close()


def _no_board(port, reason):
    from edgekit.board.ports import ports_text
    return BoardError(f"No board on port {port!r}: {reason}. {ports_text()}")


def _why_closed(text):
    """What pyserial says of a port that does not open, in words that help."""
    if "permission denied" in text:  # Windows says "access is denied", and means the other thing
        return ("you may not open it. On Linux: sudo usermod -a -G dialout $USER (Arch: uucp), then log out and in again")
    if any(word in text for word in ("busy", "denied", "exclusively lock", "temporarily unavailable")):
        return "another program holds it: close Thonny, the Arduino monitor or the other notebook"
    return "it does not open"


def _lost(port, error):
    return BoardLostError(f"The board on {port} stopped answering ({error}). Plug it in again, then: board.reconnect(). "
                          "Files are as they were last closed.")


class _SerialTransport:
    """A serial port, or what else pyserial opens."""

    def __init__(self, port):
        import serial
        # Otherwise two programs on POSIX would take each other's bytes. Windows lets no second one in anyway.
        alone = {"exclusive": True} if os.name == "posix" and "://" not in port else {}
        try:
            self._serial = serial.serial_for_url(port, baudrate=_BAUD, timeout=_POLL_S, write_timeout=_WRITE_S, **alone)
        except (serial.SerialException, OSError, ValueError) as error:
            raise _no_board(port, _why_closed(str(error).lower())) from error
        self._port = port
        # The last: what pyserial makes of a port that was closed, or taken away, in the middle of a read.
        self._errors = (serial.SerialException, OSError, TypeError)

    def is_open(self):
        return self._serial.is_open

    def write(self, data):
        try:
            self._serial.write(data)
        except self._errors as error:
            raise _lost(self._port, error) from error

    def read(self, timeout_s):
        end = None if timeout_s is None else time.monotonic() + timeout_s
        try:
            if timeout_s == 0:
                waiting = self._serial.in_waiting
                return self._serial.read(waiting) if waiting else b""
            while True:
                # Blocks until the first byte or the poll time; then takes all that is there.
                data = self._serial.read(1)
                if data:
                    return data + self._serial.read(self._serial.in_waiting)
                if end is not None and time.monotonic() > end:
                    return b""
        except self._errors as error:
            raise _lost(self._port, error) from error

    def close(self):
        self._serial.close()


class _SocketTransport:
    """A TCP port, such as that of `edgekit sim`. pyserial would wait for more after each piece."""

    def __init__(self, url):
        place = urllib.parse.urlsplit(url)
        try:
            self._socket = socket.create_connection((place.hostname, place.port), timeout=_WRITE_S)
        except (OSError, ValueError, TypeError) as error:
            raise _no_board(url, f"it does not open ({error})") from error
        # Otherwise the many small pieces of a REPL wait for one another.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._url = url

    def is_open(self):
        return self._socket.fileno() >= 0

    def write(self, data):
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise _lost(self._url, error) from error

    def read(self, timeout_s):
        end = None if timeout_s is None else time.monotonic() + timeout_s
        try:
            while True:
                # In slices, because on Windows ctrl-C does not end a wait.
                left = _SLICE_S if end is None else min(max(end - time.monotonic(), 0), _SLICE_S)
                if select.select([self._socket], [], [], left)[0]:
                    if data := self._socket.recv(_CHUNK):
                        return data
                    raise OSError("the other side closed it")
                if end is not None and time.monotonic() >= end:
                    return b""
        except (OSError, ValueError) as error:
            raise _lost(self._url, error) from error

    def close(self):
        self._socket.close()
