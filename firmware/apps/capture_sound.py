"""Send what the microphone hears to the computer, in frames.

On the computer ``edgekit.capture.capture(board, seconds=1, sensor="sound")`` starts this and makes a Recording of it.

A second of sound is 32 kB. USB of the board's own carries that, and so does a UART at 921600 baud: then it is sent as
it comes. A UART at 115200 baud carries 11 kB in a second: then the sound is kept in RAM first and sent afterwards.
The frames are those of the app ``capture``.

Who sends live and falls behind lets go of sound until it is up to date again, 20 ms at a time, and says how much that
was in the next frame.
"""

import json
import sys
import time
from array import array

import boards
from apps.capture import put_number, room
from faster import Line
from frames import HEADER, SAMPLES, Encoder
from microphone import listen

SAMPLES_PER_FRAME = 320
WARM_UP_MS = 300  # an INMP441 sends nothing of worth for the first 2**18 of its clock cycles
BUFFER_BYTES = 32000
BUFFERED_BYTES = 8  # what one sample takes there, on an ESP32


def main(rate_hz=16000, seconds=1, live=False, baud=0):
    """Send ``seconds`` of sound.

    ``live``: as it comes; else as much as the RAM holds, when all is there. ``baud``: try this rate of the UART first,
    see ``faster``, and send live if it works.
    """
    count = round(seconds * rate_hz)
    with Line(baud) as line:
        live = live or line.is_fast
        pieces = None if live else buffers(count)
        microphone = listen(boards.microphone(rate_hz, buffer_bytes=BUFFER_BYTES if live else BUFFER_BYTES // 2),
                            SAMPLES_PER_FRAME, rate_hz)
        encoder = Encoder(sys.stdout.buffer.write, max_payload=6 + 2 * SAMPLES_PER_FRAME)
        try:
            payload, samples = room(SAMPLES_PER_FRAME)
            for _ in range(WARM_UP_MS * rate_hz // 1000 // SAMPLES_PER_FRAME):
                microphone.read_into(samples)
            if live:
                send_header(encoder, rate_hz, count)
                send_live(encoder, microphone, payload, samples, rate_hz, count)
                return
            for piece in pieces:
                microphone.read_into(piece)
        finally:  # also after ctrl-C: the next capture finds it free
            microphone.close()
        send_header(encoder, rate_hz, count)
        for piece in pieces:
            for i in range(SAMPLES_PER_FRAME):
                samples[i] = piece[i]
            encoder.send(SAMPLES, payload)


def send_header(encoder, rate_hz, count):
    """Say what follows."""
    encoder.send(HEADER, json.dumps({"rate_hz": rate_hz, "channels": ["audio"], "units": ["full scale"],
                                     "full_scale": [1.0], "count": count}).encode())


def send_live(encoder, microphone, payload, samples, rate_hz, count):
    """Send samples as they come, until ``count`` of them were sent or lost."""
    hop = len(samples)
    behind = Behind(microphone, hop, rate_hz)
    done = lost = 0
    while done < count:
        lost_now = behind.read_into(samples)
        lost += lost_now
        done += lost_now + hop
        if behind.is_late and done < count:  # the last one says how much was lost before it
            lost += hop
        else:
            put_number(payload, 0, 4, time.ticks_us())
            put_number(payload, 4, 2, min(lost, 65535))
            lost = 0
            encoder.send(SAMPLES, payload)


class Behind:
    """How far a program is behind its microphone. ``is_late``: it should let go of what it reads, to catch up."""

    def __init__(self, microphone, hop, rate_hz):
        self.is_late = False
        self._microphone = microphone
        self._counts = hasattr(microphone, "lost")  # the Nano's own microphone counts by itself
        self._hop_ms = hop * 1000 // rate_hz
        self._per_ms = rate_hz // 1000
        self._kept_ms = BUFFER_BYTES // BUFFERED_BYTES // self._per_ms
        self._known = microphone.lost if self._counts else microphone.behind_ms()

    def read_into(self, samples):
        """Read the next samples. Returns how many were lost before them; by the clock, so to 1 ms."""
        microphone = self._microphone
        began_ms = time.ticks_ms()
        microphone.read_into(samples)
        if self._counts:
            lost = microphone.lost - self._known
            self._known = microphone.lost
            return lost
        behind_ms = microphone.behind_ms()
        if 2 * time.ticks_diff(time.ticks_ms(), began_ms) > self._hop_ms:
            # It had to wait, so nothing is behind, whatever the clock says: the microphone's goes a little differently.
            self._known = behind_ms
            self.is_late = False
            return 0
        late_ms = behind_ms - self._known
        gone_ms = max(0, late_ms - self._kept_ms)  # more than the buffer holds
        self._known += gone_ms
        if late_ms > self._kept_ms // 2:
            self.is_late = True
        return gone_ms * self._per_ms


def buffers(count):
    """Room for so many samples, in pieces: free memory is seldom in one piece."""
    pieces = []
    try:
        for _ in range(-(-count // SAMPLES_PER_FRAME)):
            pieces.append(array("h", bytes(2 * SAMPLES_PER_FRAME)))
    except MemoryError:
        held = len(pieces) * SAMPLES_PER_FRAME
        pieces = None
        raise ValueError("this board's free memory holds %d of the %d samples; record at most %d of them at once"
                         % (held, count, held * 3 // 4))
    return pieces
