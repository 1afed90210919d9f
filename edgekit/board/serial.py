"""A real board on a USB port. Not yet run on hardware: so far it has only talked to a simulated port."""

import time

from edgekit.board.base import Board
from edgekit.errors import BoardError, BoardLostError

__all__ = ["SerialBoard", "find_ports"]

_BAUD = 115200
_POLL_S = 0.005

# USB vendor numbers of boards that run MicroPython, and of the serial chips on ESP32 boards.
_VENDORS = {0x303A: "Espressif", 0x10C4: "CP210x (many ESP32 boards)", 0x1A86: "CH340 (many ESP32 boards)",
            0x0403: "FTDI", 0xF055: "MicroPython", 0x2341: "Arduino", 0x2E8A: "Raspberry Pi Pico"}


def find_ports() -> list[tuple[str, str, bool]]:
    """Serial ports of this computer: name, description, and whether its USB number is a known board's."""
    from serial.tools import list_ports
    return [(port.device, _VENDORS.get(port.vid) or port.description or "", port.vid in _VENDORS)
            for port in sorted(list_ports.comports())]


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
        transport = _SerialTransport(port)
        try:
            super().__init__(transport)
            # `edgekit sim` looks like a board, but what is measured on it must not pass for a board's.
            if self.eval("getattr(__import__('machine'), 'unique_id', bytes)()") == b"edgekt":
                self.kind = "simulated"
        except BaseException:
            transport.close()
            raise

    def close(self):
        """Give the board its friendly prompt back and close the port."""
        try:
            if self._transport.is_open():
                self._repl.leave()
        except BoardLostError:
            pass
        super().close()


class _SerialTransport:
    def __init__(self, port):
        import serial
        try:
            self._serial = serial.serial_for_url(port, baudrate=_BAUD, timeout=_POLL_S, write_timeout=10)
        except (serial.SerialException, OSError, ValueError) as error:
            from edgekit.board.connect import ports_text
            reason = ("another program holds it: close Thonny, the Arduino monitor or the other notebook"
                      if "busy" in str(error).lower() or "denied" in str(error).lower() else "it does not open")
            raise BoardError(f"No board on port {port!r}: {reason}. {ports_text()}") from error
        self._port = port
        # A socket:// URL cannot say how many bytes wait: then read in pieces, the last one after the poll time.
        self._chunk = 4096 if "://" in port else 0
        self._error = serial.SerialException

    def is_open(self):
        return self._serial.is_open

    def write(self, data):
        try:
            self._serial.write(data)
        except (self._error, OSError) as error:
            raise self._lost(error) from error

    def read(self, timeout_s):
        end = None if timeout_s is None else time.monotonic() + timeout_s
        try:
            while True:
                # Blocks until the first byte or the poll time; then takes all that is there.
                data = self._serial.read(1)
                if data:
                    return data + self._serial.read(self._chunk or self._serial.in_waiting)
                if end is not None and time.monotonic() > end:
                    return b""
        except (self._error, OSError) as error:
            raise self._lost(error) from error

    def close(self):
        self._serial.close()

    def _lost(self, error):
        return BoardLostError(f"The board on {self._port} stopped answering ({error}). Plug it in again and "
                              "connect again: board = edgekit.connect().")
