"""The simulated board as a port that other programs can open: a TCP port of this computer, or a pty."""

import os
import select
import socket
import threading

from edgekit.errors import BoardError, BoardLostError, SetupError

__all__ = ["TcpPort", "PtyPort", "serve"]

_LOOPBACK = "127.0.0.1"
_CHUNK = 4096
# Waits are cut into slices because on Windows ctrl-C does not end a wait.
_SLICE_S = 0.2
# A client that takes nothing for so long loses output: a UART does not wait at all.
_PATIENCE_S = 2.0
# Any web page can send a request to a port of its reader's computer; what is in it must not reach the REPL.
_HTTP = (b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH ")
_IN_USE = b"edgekit: another program uses this simulated board; close it there first.\r\n"


class _Port:
    def __init__(self):
        self._stuck = False

    def _send(self, descriptor, send, data):
        """Send what the other side takes; drop the rest."""
        data = memoryview(data)
        try:
            while data:
                self._stuck = not select.select([], [descriptor], [], 0 if self._stuck else _PATIENCE_S)[1]
                if self._stuck:
                    return
                data = data[send(data):]
        except (OSError, ValueError):
            pass  # it left in the middle; read() finds out


class TcpPort(_Port):
    """A TCP port on 127.0.0.1, for one client at a time.

    Every user of this computer can open it, run programs on the board, and from there reach this user's files: on a
    shared computer, prefer :class:`PtyPort`.

    Parameters
    ----------
    number : int
        0 takes any that is free.

    Attributes
    ----------
    name : str
        What pyserial, mpremote and :func:`edgekit.connect` take, such as ``"socket://127.0.0.1:3333"``.

    Raises
    ------
    BoardError
        The port is taken, forbidden, or no port number.
    """

    def __init__(self, number: int = 0):
        super().__init__()
        try:
            self._server = socket.create_server((_LOOPBACK, number))
        except (OSError, OverflowError) as error:
            raise BoardError(f"TCP port {number} cannot be used: {error}. Take another number, or 0 for any that "
                             "is free.") from error
        self._client = None
        self._first = False
        self.name = f"socket://{_LOOPBACK}:{self._server.getsockname()[1]}"

    def read(self) -> bytes:
        """What the client sent; waits a moment for it; empty if nothing came."""
        client = self._client
        ready = select.select([self._server, client] if client else [self._server], [], [], _SLICE_S)[0]
        # The client comes first: if it has left, the next one need not be turned away.
        if client in ready:
            return self._receive(client)
        if ready:
            self._accept()
        return b""

    def write(self, data: bytes):
        """Send to the client; what nobody takes is lost."""
        client = self._client
        if client:
            self._send(client, client.send, data)

    def close(self):
        """Send the client away and free the port."""
        self._drop()
        self._server.close()

    def _receive(self, client):
        try:
            data = client.recv(_CHUNK)
        except OSError:
            data = b""
        if not data or self._first and data.startswith(_HTTP):
            self._drop()
            return b""
        self._first = False
        return data

    def _accept(self):
        connection, _ = self._server.accept()
        connection.setblocking(False)
        if self._client:
            self._send(connection, connection.send, _IN_USE)
            connection.close()
            return
        # Otherwise the many small answers of a REPL wait for one another.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._first = True
        self._stuck = False
        self._client = connection

    def _drop(self):
        client, self._client = self._client, None
        if client:
            client.close()


class PtyPort(_Port):
    """A pseudo-terminal: for other programs, and for this user alone, a serial port. Not on Windows.

    Attributes
    ----------
    name : str
        Path to open, such as ``"/dev/pts/3"``.

    Raises
    ------
    SetupError
        This system has no pseudo-terminals.
    """

    def __init__(self):
        super().__init__()
        try:
            import pty
            import tty
        except ImportError:
            raise SetupError("This system has no pseudo-terminals. Use `edgekit sim --tcp 0` instead.") from None
        # The other end stays open here too: so clients come and go, and its settings stay.
        self._here, self._there = pty.openpty()
        tty.setraw(self._there)
        os.set_blocking(self._here, False)
        self.name = os.ttyname(self._there)

    def read(self) -> bytes:
        """What the client sent; waits a moment for it; empty if nothing came."""
        if select.select([self._here], [], [], _SLICE_S)[0]:
            return os.read(self._here, _CHUNK)
        return b""

    def write(self, data: bytes):
        """Send to the client; what nobody takes is lost."""
        self._send(self._here, lambda part: os.write(self._here, part), data)

    def close(self):
        """Remove the pseudo-terminal."""
        for end in (self._there, self._here):
            if end >= 0:
                os.close(end)
        self._there = self._here = -1


def serve(engine, port):
    """Carry bytes between a board and a port, both ways, until ctrl-C.

    Parameters
    ----------
    engine : edgekit.simulator.engine.Engine
        The board's UART.
    port : TcpPort or PtyPort
        Closing it, and the engine, is up to the caller.

    Raises
    ------
    BoardLostError
        The board has ended.
    """
    stop = threading.Event()
    lost = []

    def from_board():
        try:
            while not stop.is_set():
                # Read even if nobody listens: a board does not wait for a reader.
                if data := engine.read(_SLICE_S):
                    port.write(data)
        except BoardLostError as error:
            lost.append(error)

    thread = threading.Thread(target=from_board, name="edgekit-port", daemon=True)
    thread.start()
    try:
        while not lost:
            if data := port.read():
                engine.write(data)
        raise lost[0]
    finally:
        stop.set()
        thread.join()
