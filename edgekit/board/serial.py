"""A real board on a USB port. Not yet run on hardware: so far it has only talked to a simulated port.

Behind a bridge chip (CP210x, CH340, CH9102, FTDI) the board has a UART, and 115200 baud carry 11520 bytes in a second.
A stream that needs more may ask the board for 921600, see ``firmware/lib/faster.py``. The board leads: it says in a
frame to which rate it goes, and the port here follows. Both go back by themselves if the other one is not heard.
"""

import functools
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

_FAST_BAUD = 921600
_UART_CHIPS = {"CP210x", "CH340", "CH9102", "CH343", "CH34x", "FT232R", "FT2232", "FT231X", "FTDI"}
_ONE_RATE_CHIPS = {"ST-Link", "ST-Link V3"}
_BITS_PER_BYTE = 10
_AGREE_S = 0.9   # longer than the board waits for our answer
_SILENT_S = 0.5  # a fast stream never is silent for so long
_YES = b"\x06"
_LET_GO_S = 0.3  # what the board takes from ctrl-C to its usual rate


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

    Attributes
    ----------
    bytes_per_s : int or None
        What the line carries; None where it is not a UART, or not known to be one.
    fast_baud : int
        A rate that a stream may ask the board for; 0 where the port cannot change its rate.
    """

    kind = "board"

    def __init__(self, port: str):
        self.port = port
        chip = _chip_of(port)
        self.bytes_per_s = _BAUD // _BITS_PER_BYTE if chip in _UART_CHIPS | _ONE_RATE_CHIPS else None
        self.fast_baud = _FAST_BAUD if chip in _UART_CHIPS else 0
        transport = self._open()
        try:
            super().__init__(transport)
        except BaseException:
            transport.close()
            raise

    def _open(self):
        return _SocketTransport(self.port) if self.port.startswith("socket://") else _SerialTransport(
            self.port, self.fast_baud)

    def _start(self, transport):
        try:
            super()._start(transport)
        except BoardLostError:
            # Perhaps a program here was killed in the middle of a fast stream, and the board still sends.
            if not (self.fast_baud and transport.stop_fast_stream()):
                raise
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


def _chip_of(port):
    """The USB chip of a serial port, "" if it is none."""
    from edgekit.board.ports import find_ports
    if "://" in port:
        return ""
    return next((found.chip for found in find_ports() if os.path.realpath(found.name) == os.path.realpath(port)), "")


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
    """A serial port, or what else pyserial opens.

    ``fast_baud``: the rate that it goes to if the board says so; 0 if it never changes.
    """

    def __init__(self, port, fast_baud=0):
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
        self._fast_baud = fast_baud
        self._is_fast = False
        self._agreed = False  # the board was heard at the new rate
        self._changed_s = 0.0
        self._silent_s = 0.0  # since when, while somebody listens; 0 if it was heard last
        self._tail = b""
        self._ever_heard = False

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
                return self._followed(self._serial.read(waiting)) if waiting else b""
            while True:
                # Blocks until the first byte or the poll time; then takes all that is there.
                data = self._serial.read(1)
                if data:
                    return self._followed(data + self._serial.read(self._serial.in_waiting))
                if self._is_fast:
                    self._silent_s = self._silent_s or time.monotonic()
                    if time.monotonic() - self._silent_s > _SILENT_S:
                        self._go(_BAUD)
                if end is not None and time.monotonic() > end:
                    return b""
        except self._errors as error:
            raise _lost(self._port, error) from error

    def close(self):
        self._serial.close()

    def stop_fast_stream(self):
        """ctrl-C at the fast rate; False if there is no reason to, because the board is silent."""
        if not self._ever_heard:
            return False
        try:
            self._go(self._fast_baud)
            self._serial.write(b"\x03")
            time.sleep(_LET_GO_S)
            self._go(_BAUD)
            self._serial.reset_input_buffer()
        except self._errors as error:
            raise _lost(self._port, error) from error
        return True

    def _followed(self, data):
        """Go along if the board says in these bytes that it changes its rate."""
        self._ever_heard = True
        if not self._fast_baud:
            return data
        seen = self._tail + data
        fast, usual = (seen.rfind(_baud_frame(baud)) for baud in (self._fast_baud, _BAUD))
        self._tail = seen[-len(_baud_frame(self._fast_baud)):] if max(fast, usual) < 0 else b""
        if fast > usual:
            if not self._is_fast:
                self._go(self._fast_baud)
            elif not self._agreed:
                self._agreed = True
                self._serial.write(_YES)
        elif usual >= 0 and self._is_fast:
            self._go(_BAUD)
        self._silent_s = 0.0
        if self._is_fast and not self._agreed and time.monotonic() - self._changed_s > _AGREE_S:
            self._go(_BAUD)
        return data

    def _go(self, baud):
        self._serial.baudrate = baud
        self._is_fast, self._agreed = baud != _BAUD, False
        self._changed_s, self._silent_s, self._tail = time.monotonic(), 0.0, b""


@functools.cache
def _baud_frame(baud):
    """How a board says that it goes to a rate: always these bytes."""
    from edgekit.twin import board_module
    frames = board_module("frames")
    sent = bytearray()
    frames.Encoder(sent.extend).send(frames.BAUD, b"%d" % baud)
    return bytes(sent)


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
