"""Send the motion sensor's samples to the computer, in frames.

On the computer ``edgekit.capture.capture(board, seconds=5)`` starts this and makes a Recording of it.

The first frame is a JSON header: rate, channels, units, and what full scale is. Then each frame holds: the board's
clock at its last sample (microseconds, 4 bytes), how many samples were lost before it (2 bytes), and the samples
(int16 each, channel by channel). All little endian.
"""

import json
import sys
import time
from array import array

import boards
from faster import Line
from frames import HEADER, SAMPLES, Encoder
from uctypes import addressof, bytearray_at

CHANNELS = 6
HEAD = 3  # int16 each: four bytes of time, two of what was lost


def main(rate_hz=100, seconds=None, count=None, baud=0):
    """Send ``count`` samples, or as many as come in ``seconds``; without either, for ever.

    ``baud``: the rate of the UART meanwhile, where there is one and the computer goes along, see ``faster``.
    """
    imu = boards.accelerometer(rate_hz=rate_hz)
    if count is None and seconds is not None:
        count = round(seconds * imu.rate_hz)
    per_frame = samples_per_frame(imu.rate_hz)
    # The sensor's samples lie in the payload already: nothing is copied.
    payload, block = room(per_frame * CHANNELS)
    encoder = Encoder(sys.stdout.buffer.write, max_payload=max(400, len(payload)))
    with Line(baud):
        encoder.send(HEADER, json.dumps({
            "rate_hz": imu.rate_hz, "channels": imu.channels, "units": imu.units, "full_scale": imu.full_scale,
            "count": count}).encode())
        imu.start()
        done = 0
        while count is None or done < count:
            lost = imu.read_block(block)
            put_number(payload, 0, 4, time.ticks_us())
            put_number(payload, 4, 2, min(lost, 65535))
            encoder.send(SAMPLES, payload)
            done += lost + per_frame


def samples_per_frame(rate_hz):
    """A tenth of a second, but no more than half of what a sensor's FIFO holds, and 10 at least."""
    return max(10, min(40, round(rate_hz / 10)))


def room(values):
    """A payload for so many int16 values: all of it as bytes, and the values in it. They are the same memory."""
    whole = array("h", bytes(2 * (HEAD + values)))
    return bytearray_at(addressof(whole), 2 * len(whole)), memoryview(whole)[HEAD:]


def put_number(buffer, start, size, value):
    """Write ``size`` bytes of ``value``, the low one first. Negative numbers as two's complement."""
    for i in range(start, start + size):
        buffer[i] = value & 0xFF
        value >>= 8
