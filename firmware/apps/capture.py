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
from frames import HEADER, SAMPLES, Encoder

SAMPLES_PER_FRAME = 10
CHANNELS = 6


def main(rate_hz=100, seconds=None, count=None):
    """Send ``count`` samples, or as many as come in ``seconds``; without either, for ever."""
    imu = boards.accelerometer(rate_hz=rate_hz)
    if count is None and seconds is not None:
        count = round(seconds * imu.rate_hz)
    block = array("h", bytes(2 * CHANNELS * SAMPLES_PER_FRAME))
    payload = bytearray(6 + 2 * len(block))
    encoder = Encoder(sys.stdout.buffer.write, max_payload=400)
    encoder.send(HEADER, json.dumps({
        "rate_hz": imu.rate_hz, "channels": imu.channels, "units": imu.units, "full_scale": imu.full_scale,
        "count": count}).encode())

    imu.start()
    sent = 0
    while count is None or sent < count:
        lost = imu.read_block(block)
        put_number(payload, 0, 4, time.ticks_us())
        put_number(payload, 4, 2, min(lost, 65535))
        for i in range(len(block)):
            put_number(payload, 6 + 2 * i, 2, block[i])
        encoder.send(SAMPLES, payload)
        sent += SAMPLES_PER_FRAME


def put_number(buffer, start, size, value):
    """Write ``size`` bytes of ``value``, the low one first. Negative numbers as two's complement."""
    for i in range(start, start + size):
        buffer[i] = value & 0xFF
        value >>= 8
