"""Record the I2S microphone, then send what it heard to the computer, in frames.

On the computer ``edgekit.capture.capture(board, seconds=1, sensor="sound")`` starts this and makes a Recording of it.

A second of sound is 32 kB. A serial line of 115200 baud carries 11 kB in a second, so the sound is kept in RAM first
and sent afterwards. The frames are those of the app ``capture``.
"""

import json
import sys
from array import array

import boards
from frames import HEADER, SAMPLES, Encoder
from microphone import listen

SAMPLES_PER_FRAME = 320
WARM_UP_MS = 300  # an INMP441 sends nothing of worth for the first 2**18 of its clock cycles


def main(rate_hz=16000, seconds=1):
    """Record ``seconds`` of sound, as much as the RAM holds, and send it."""
    count = round(seconds * rate_hz)
    pieces = buffers(count)
    microphone = listen(boards.microphone(rate_hz, buffer_bytes=16000), SAMPLES_PER_FRAME)
    for _ in range(WARM_UP_MS * rate_hz // 1000 // SAMPLES_PER_FRAME):
        microphone.read_into(pieces[0])
    for piece in pieces:
        microphone.read_into(piece)
    microphone.close()

    encoder = Encoder(sys.stdout.buffer.write, max_payload=6 + 2 * SAMPLES_PER_FRAME)
    encoder.send(HEADER, json.dumps({"rate_hz": rate_hz, "channels": ["audio"], "units": ["full scale"],
                                     "full_scale": [1.0], "count": count}).encode())
    payload = bytearray(6 + 2 * SAMPLES_PER_FRAME)
    for piece in pieces:
        payload[6:] = bytes(piece)
        encoder.send(SAMPLES, payload)


def buffers(count):
    """Room for so many samples, in pieces: free memory is seldom in one piece."""
    pieces = []
    try:
        for _ in range(-(-count // SAMPLES_PER_FRAME)):
            pieces.append(array("h", bytes(2 * SAMPLES_PER_FRAME)))
    except MemoryError:
        room = len(pieces) * SAMPLES_PER_FRAME
        pieces = None
        raise ValueError("this board's free memory holds %d of the %d samples; record at most %d of them at once"
                         % (room, count, room * 3 // 4))
    return pieces
