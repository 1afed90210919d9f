"""Binary frames over the same wire that carries printed text.

Example on the board::

    import sys
    from frames import SAMPLES, Encoder

    encoder = Encoder(sys.stdout.buffer.write, max_payload=120)
    encoder.send(SAMPLES, buffer)
    print("text between frames stays text")

Example on the host, which runs this same file::

    decoder = Decoder()
    for item in decoder.feed(received):
        if isinstance(item, Frame): ...     # else: bytes of text

One frame is ``type`` (1 byte), ``seq`` (2 bytes), the payload, and the CRC-32 of all that (4 bytes), little endian.
It travels in SLIP (RFC 1055): a byte 0xC0 before and after it, and escapes for the bytes that must not appear
inside. Two additions to SLIP:

- 0x04 is escaped too: MicroPython's raw REPL ends a program's output with it.
- ``type`` travels with its top bit set. No UTF-8 text starts with such a byte, nor holds 0xC0, so the decoder
  knows frames from text even when a 0xC0 was lost.

A frame with a wrong byte is dropped; one in four thousand million of those could slip through the CRC.

CRC-32, because every MicroPython has it in C. A CRC computed in Python would take longer than all the rest: 32000 bytes
of sound come in a second.
"""

from binascii import crc32
from collections import namedtuple

try:
    from micropython import const
except ImportError:  # CPython, as the host twin
    def const(value):
        return value

# What the payload is.
HEADER = const(0)  # JSON: what the frames that follow hold
SAMPLES = const(1)  # sensor samples
EVENT = const(2)  # JSON: something was recognised
RESULT = const(3)  # raw outputs of a model
LAYER = const(4)  # raw outputs of one layer of a model
FEATURES = const(5)  # raw inputs of a model
BAUD = const(6)  # text: the baud rate that the sender goes to now; see the module ``faster``

_END = const(0xC0)
_ESC = const(0xDB)
_ESC_END = const(0xDC)
_ESC_ESC = const(0xDD)
_ESC_EOT = const(0xDE)
_EOT = const(0x04)
_TYPE_BIT = const(0x80)

# Where the decoder is.
_TEXT = const(0)
_AFTER_END = const(1)
_IN_FRAME = const(2)

Frame = namedtuple("Frame", ("type", "seq", "payload"))


# What follows _ESC in place of a byte; 0 for a byte that travels as it is.
_ESCAPES = bytearray(256)
_ESCAPES[_END] = _ESC_END
_ESCAPES[_ESC] = _ESC_ESC
_ESCAPES[_EOT] = _ESC_EOT


class Encoder:
    """Write frames. All memory is taken here, none for each frame.

    ``write``: called once for each frame with the bytes to send, such as ``sys.stdout.buffer.write``.
    ``max_payload``: bytes of the longest payload.
    """

    def __init__(self, write, max_payload=256):
        self.seq = 0
        self.max_payload = max_payload
        self._write = write
        self._head = bytearray(3)
        self._tail = bytearray(4)
        # In the worst case every byte is escaped: type, seq, payload and CRC twice, and two end marks.
        self._buffer = bytearray(2 * (max_payload + 7) + 2)
        self._view = memoryview(self._buffer)

    def send(self, type, payload):
        """Send one frame. ``type``: 0 to 63. ``payload``: bytes, bytearray or a memoryview of bytes."""
        if len(payload) > self.max_payload:
            raise ValueError("a payload of at most %d bytes was expected, %d found"
                             % (self.max_payload, len(payload)))
        seq = self.seq
        self.seq = (seq + 1) & 0xFFFF
        head = self._head
        head[0] = type | _TYPE_BIT
        head[1] = seq & 0xFF
        head[2] = seq >> 8
        crc = crc32(payload, crc32(head))
        tail = self._tail
        for i in range(4):
            tail[i] = crc & 0xFF
            crc >>= 8
        self._buffer[0] = _END
        i = self._put(self._put(self._put(1, head), payload), tail)
        self._buffer[i] = _END
        self._write(self._view[:i + 1])

    def _put(self, i, data):
        """Write bytes with their escapes from ``i`` on; returns where they end."""
        # This loop is most of the work of a stream: no calls in it.
        buffer = self._buffer
        escapes = _ESCAPES
        for byte in data:
            escape = escapes[byte]
            if escape:
                buffer[i] = _ESC
                i += 1
                byte = escape
            buffer[i] = byte
            i += 1
        return i


class Decoder:
    """Find frames in what a board sends; give back the text between them.

    ``lost``: frames that never came whole, counted from the gaps in ``seq``.
    ``damaged``: pieces that looked like a frame and were dropped.
    """

    def __init__(self, max_payload=4096):
        self.lost = 0
        self.damaged = 0
        self._longest = 2 * (max_payload + 7)
        self._next_seq = 0
        self._state = _TEXT
        self._frame = bytearray()

    def feed(self, data):
        """Give bytes as they come. Returns a list, in order, of ``Frame`` and of ``bytes`` (text)."""
        items = []
        text = bytearray()
        for byte in data:
            if byte == _END:
                if self._state == _IN_FRAME:
                    frame = self._finish()
                    if frame is not None:
                        if text:
                            items.append(bytes(text))
                            text = bytearray()
                        items.append(frame)
                self._state = _AFTER_END
            elif self._state == _IN_FRAME:
                self._frame.append(byte)
                # 0x04 never is inside a frame: its end was lost, and so was the program's.
                if byte == _EOT or len(self._frame) > self._longest:
                    self.damaged += 1
                    self._state = _TEXT
                    if byte == _EOT:
                        text.append(byte)
            elif self._state == _AFTER_END and byte & 0xC0 == _TYPE_BIT:
                self._state = _IN_FRAME
                self._frame = bytearray((byte,))
            else:
                self._state = _TEXT
                text.append(byte)
        if text:
            items.append(bytes(text))
        return items

    def _finish(self):
        """The frame in the buffer, or None if it is damaged."""
        raw = _unescape(self._frame)
        if raw is None or len(raw) < 7 or crc32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
            self.damaged += 1
            return None
        if raw[0] & 0x3F == BAUD:  # between the two ends of the line; it does not count
            return None
        seq = raw[1] | raw[2] << 8
        gap = (seq - self._next_seq) & 0xFFFF
        if gap < 0x8000:  # else the sender started again
            self.lost += gap
        self._next_seq = (seq + 1) & 0xFFFF
        return Frame(raw[0] & 0x3F, seq, bytes(raw[3:-4]))


def _unescape(data):
    """Undo the escapes; None if an escape is not one of ours."""
    out = bytearray()
    escaped = False
    for byte in data:
        if escaped:
            if byte == _ESC_END:
                out.append(_END)
            elif byte == _ESC_ESC:
                out.append(_ESC)
            elif byte == _ESC_EOT:
                out.append(_EOT)
            else:
                return None
            escaped = False
        elif byte == _ESC:
            escaped = True
        else:
            out.append(byte)
    return None if escaped else out
