"""A current clamp with a DC output on an analogue input: the power of a home in watts, once a second.

The clamp goes around one wire of the main switch; no wire is cut. Its electronics turn the current's effective value
into a voltage: 0 to 3.3 V for 0 to ``full_a`` amperes::

    import boards
    from clamp import Clamp

    clamp = Clamp(boards.adc(), full_a=30, mains_v=230)
    print(clamp.read_w())                       # 143

    seconds = array("h", bytes(2 * 60))
    clamp.start()
    while True:
        clamp.read_block(seconds)               # waits: one reading for each second, none is late
        print(sum(seconds) // 60, min(seconds), max(seconds))

A clamp knows the current, not the voltage, and not whether both are in step: amperes times 230 are volt-amperes, which
is more than the real watts of a motor. For "is it as always?" that does not matter. An electrician fits it.
"""

import time


class Clamp:
    """``full_a``: amperes at 3.3 V; ``mains_v``: the mains' nominal voltage."""

    def __init__(self, adc, full_a=30, mains_v=230):
        if not 0 < full_a * mains_v <= 32000:
            raise ValueError("full_a * mains_v must be from 1 to 32000 W; found %r A at %r V" % (full_a, mains_v))
        self.full_w = full_a * mains_v
        self._adc = adc
        self._next_ms = None

    def read_w(self):
        """The power now, a whole number."""
        adc = self._adc
        if hasattr(adc, "read_uv"):
            return watts(adc.read_uv(), self.full_w)
        return (adc.read_u16() * 16 * self.full_w // 65535 + 8) // 16

    def start(self):
        """From now on a second is a second."""
        self._next_ms = time.ticks_ms()

    def read_block(self, out):
        """Fill ``out``, an ``array("h")``, with one reading for each second. Takes no memory."""
        next_ms = self._next_ms
        for i in range(len(out)):
            # Counted from the planned time, so that no second is lost to the program itself.
            next_ms = time.ticks_add(next_ms, 1000)
            wait_ms = time.ticks_diff(next_ms, time.ticks_ms())
            if wait_ms > 0:
                time.sleep_ms(wait_ms)
            out[i] = self.read_w()
        self._next_ms = next_ms


def watts(microvolts, full_w):
    """What a voltage at the input means: 3.3 V are ``full_w``, rounded to whole watts."""
    # In 0.1 mV, so that the product stays below 2**30.
    return (microvolts // 100 * full_w + 16500) // 33000
