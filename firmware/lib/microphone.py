"""Sound as the features take it: int16 samples, from an I2S microphone or from a file.

Example::

    from array import array
    import boards
    from microphone import listen

    microphone = listen(boards.microphone(), hop=320)
    samples = array("h", bytes(2 * 320))
    microphone.read_into(samples)       # 20 ms at 16 kHz

An I2S microphone sends 24 bits at the top of a slot of 32. A sample is the slot's upper 16 bits: what is below is the
microphone's own noise. This is the one definition: sound that is played into the simulated microphone and the same
sound from a file are the same samples, but for that noise.

Reading allocates nothing: the caller owns the buffer.
"""

import time
from array import array


def listen(source, hop, rate_hz=16000):
    """What ``boards.microphone`` gives as a source of int16 samples, ``hop`` of them at a time."""
    return source if hasattr(source, "read_into") else Microphone(source, hop, rate_hz)


class Microphone:
    """Samples from ``machine.I2S`` with slots of 32 bits, ``hop`` of them at a time."""

    def __init__(self, i2s, hop, rate_hz=16000):
        self._i2s = i2s
        self._halves = array("h", bytes(4 * hop))  # each slot as its lower and its upper half
        self._per_ms = rate_hz // 1000
        self._taken = 0
        self._start_ms = time.ticks_ms()

    def read_into(self, samples):
        """Wait for the next ``hop`` samples and fill ``samples`` (``array("h")``). True: a microphone has no end."""
        self._i2s.readinto(self._halves)
        upper_halves(self._halves, samples)
        self._taken += len(samples)
        return True

    def behind_ms(self):
        """How much more sound there was than was read: some waits in the I2S buffer, the rest is lost."""
        return time.ticks_diff(time.ticks_ms(), self._start_ms) - self._taken // self._per_ms

    def time_ms(self):
        """The board's clock."""
        return time.ticks_ms()

    def close(self):
        """Let the I2S unit go."""
        self._i2s.deinit()


class SoundFile:
    """Samples from a file of int16, low byte first. Its clock is the sound's own: it begins at 0."""

    def __init__(self, path, rate_hz):
        self._file = open(path, "rb")
        self._per_ms = rate_hz // 1000
        self._taken = 0

    def read_into(self, samples):
        """Fill ``samples`` (``array("h")``). False at the end, where fewer are left."""
        self._taken += len(samples)
        return self._file.readinto(samples) == 2 * len(samples)

    def behind_ms(self):
        """0: a file waits."""
        return 0

    def time_ms(self):
        """Milliseconds of sound that were read."""
        return self._taken // self._per_ms

    def close(self):
        """Close the file."""
        self._file.close()


def upper_halves(halves, samples):
    """The int16 samples of slots of 32 bits. ``halves``: ``array("h")``, lower and upper half of each slot."""
    for i in range(len(samples)):
        samples[i] = halves[2 * i + 1]
