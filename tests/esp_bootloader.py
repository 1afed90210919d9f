"""A scripted ESP32 bootloader on a TCP port of this computer, with a flash that a test can look into.

It answers as the chip's ROM does until a stub was loaded, then as the stub does. Source of the commands: Espressif,
"Serial Protocol" in the documentation of esptool.
"""

import contextlib
import hashlib
import socket
import struct
import threading
import zlib

SYNC, READ_REG, SECURITY_INFO, MEM_END = 0x08, 0x0A, 0x14, 0x06
DEFL_BEGIN, DEFL_DATA, DEFL_END, MD5, ERASE_FLASH = 0x10, 0x11, 0x12, 0x13, 0xD0
MAGIC_REGISTER = 0x40001000
FLASH_ID_REGISTERS = (0x3FF42080, 0x60002058)  # SPI_W0 of ESP32 and of the others
FLASH_ID = 0x164020  # 4 MB


class Bootloader:
    """``chip_id``: number of the chip, None for the plain ESP32, which has none; ``dies_after``: data blocks."""

    def __init__(self, chip_id=5, dies_after=None):
        self.chip_id = chip_id
        self.dies_after = dies_after
        self.flash = bytearray(b"\xff" * (4 << 20))
        self.erased = False
        self.commands = []
        self.stub = False
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._server.close()

    def _serve(self):
        with contextlib.suppress(OSError, ConnectionError):
            while True:
                client, _ = self._server.accept()
                with client, contextlib.suppress(ConnectionError):
                    self._client = client
                    for packet in self._packets(client):
                        self._command(packet)

    @staticmethod
    def _packets(client):
        packet = None
        while data := client.recv(65536):
            for byte in data:
                if byte == 0xC0:
                    if packet:
                        yield bytes(packet).replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
                    packet = bytearray()
                elif packet is not None:
                    packet.append(byte)

    def _send(self, data):
        self._client.sendall(b"\xc0" + data.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0")

    def _answer(self, op, value=0, data=b"", status=b"\0\0"):
        data += status + (b"" if self.stub else b"\0\0")
        self._send(struct.pack("<BBHI", 1, op, len(data), value) + data)

    def _command(self, packet):
        op, size = struct.unpack_from("<xBH", packet)
        data = packet[8:8 + size]
        self.commands.append(op)
        if op == SYNC:
            for _ in range(8):
                self._answer(op, 0x07071220 if not self.stub else 0)
        elif op == SECURITY_INFO:
            if self.chip_id is None:
                self._answer(op, status=b"\x01\x05")  # no such command
            else:
                self._answer(op, data=struct.pack("<IBBBBBBBBII", 0, *[0] * 8, self.chip_id, 0))
        elif op == READ_REG:
            address = struct.unpack("<I", data)[0]
            self._answer(op, FLASH_ID if address in FLASH_ID_REGISTERS and self.stub else
                         0x00F01D83 if address == MAGIC_REGISTER and self.chip_id is None else 0)
        elif op == MEM_END:
            self._answer(op)
            self.stub = True
            self._send(b"OHAI")
        elif op == DEFL_BEGIN:
            self._at = struct.unpack("<IIII", data[:16])[3]
            self._inflate = zlib.decompressobj()
            self._answer(op)
        elif op == DEFL_DATA:
            if self.dies_after is not None:
                self.dies_after -= 1
                if self.dies_after < 0:
                    self._client.shutdown(socket.SHUT_RDWR)
                    return
            plain = self._inflate.decompress(data[16:])
            self.flash[self._at:self._at + len(plain)] = plain
            self._at += len(plain)
            self._answer(op)
        elif op == MD5:
            at, length = struct.unpack_from("<II", data)
            self._answer(op, data=hashlib.md5(self.flash[at:at + length]).digest())
        elif op == ERASE_FLASH:
            self.flash[:] = b"\xff" * len(self.flash)
            self.erased = True
            self._answer(op)
        else:
            self._answer(op)
