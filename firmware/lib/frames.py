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

One frame is ``type`` (1 byte), ``seq`` (2 bytes), the payload, and a CRC16-CCITT of all that (2 bytes), little endian.
It travels in SLIP (RFC 1055): a byte 0xC0 before and after it, and escapes for the bytes that must not appear
inside. Two additions to SLIP:

- 0x04 is escaped too: MicroPython's raw REPL ends a program's output with it.
- ``type`` travels with its top bit set. No UTF-8 text starts with such a byte, nor holds 0xC0, so the decoder
  knows frames from text even when a 0xC0 was lost.

A frame with a wrong byte is dropped; one in 65536 of those could slip through the CRC.
"""

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


def crc16(data, crc=0xFFFF):
    """CRC16-CCITT (polynomial 0x1021) of ``data``; ``crc`` is where an earlier part left off.

    >>> hex(crc16(b"123456789"))
    '0x29b1'
    """
    for byte in data:
        crc = _crc_step(crc, byte)
    return crc


def _crc_step(crc, byte):
    # Eight steps of the polynomial at once: bits 12, 5 and 0 of 0x1021 are the three shifts.
    x = (crc >> 8) ^ byte
    x ^= x >> 4
    return ((crc << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xFFFF


class Encoder:
    """Write frames. All memory is taken here, none for each frame.

    ``write``: called once for each frame with the bytes to send, such as ``sys.stdout.buffer.write``.
    ``max_payload``: bytes of the longest payload.
    """

    def __init__(self, write, max_payload=256):
        self.seq = 0
        self.max_payload = max_payload
        self._write = write
        # In the worst case every byte is escaped: type, seq, payload and CRC twice, and two end marks.
        self._buffer = bytearray(2 * (max_payload + 5) + 2)
        self._view = memoryview(self._buffer)

    def send(self, type, payload):
        """Send one frame. ``type``: 0 to 63. ``payload``: bytes, bytearray or a memoryview of bytes."""
        if len(payload) > self.max_payload:
            raise ValueError("a payload of at most %d bytes was expected, %d found"
                             % (self.max_payload, len(payload)))
        buffer = self._buffer
        seq = self.seq
        self.seq = (seq + 1) & 0xFFFF
        buffer[0] = _END
        i = self._put(1, type | _TYPE_BIT)
        i = self._put(i, seq & 0xFF)
        i = self._put(i, seq >> 8)
        crc = _crc_step(_crc_step(_crc_step(0xFFFF, type | _TYPE_BIT), seq & 0xFF), seq >> 8)
        for byte in payload:
            i = self._put(i, byte)
            crc = _crc_step(crc, byte)
        i = self._put(i, crc & 0xFF)
        i = self._put(i, crc >> 8)
        buffer[i] = _END
        self._write(self._view[:i + 1])

    def _put(self, i, byte):
        buffer = self._buffer
        if byte == _END:
            escaped = _ESC_END
        elif byte == _ESC:
            escaped = _ESC_ESC
        elif byte == _EOT:
            escaped = _ESC_EOT
        else:
            buffer[i] = byte
            return i + 1
        buffer[i] = _ESC
        buffer[i + 1] = escaped
        return i + 2


class Decoder:
    """Find frames in what a board sends; give back the text between them.

    ``lost``: frames that never came whole, counted from the gaps in ``seq``.
    ``damaged``: pieces that looked like a frame and were dropped.
    """

    def __init__(self, max_payload=4096):
        self.lost = 0
        self.damaged = 0
        self._longest = 2 * (max_payload + 5)
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
        if raw is None or len(raw) < 5 or crc16(raw[:-2]) != raw[-2] | raw[-1] << 8:
            self.damaged += 1
            return None
        seq = raw[1] | raw[2] << 8
        gap = (seq - self._next_seq) & 0xFFFF
        if gap < 0x8000:  # else the sender started again
            self.lost += gap
        self._next_seq = (seq + 1) & 0xFFFF
        return Frame(raw[0] & 0x3F, seq, bytes(raw[3:-2]))


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
