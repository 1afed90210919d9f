"""Pulse oximeter MAX30102 (Maxim 19-7740, revision 1).

Simulated: heart-rate, SpO2 and multi-LED mode, all sample rates with the limits that the pulse width sets, averaging,
LED currents, ranges and resolutions with saturation, the FIFO of 32 samples with its pointers, roll-over and overflow
counter, interrupts and the output INT (active low), the thermometer, shutdown and reset. Not simulated: ambient light
and its cancellation, power-up by ramps.

The world's ``ppg`` is the light that a finger reflects at the largest LED current (51 mA), as a part of the
detector's largest range (16384 nA).
"""

from edgekit.simulator.chips.registers import RegisterChip, SampleClock

__all__ = ["MAX30102"]

_INT_STATUS1 = 0x00
_INT_STATUS2 = 0x01
_INT_ENABLE1 = 0x02
_INT_ENABLE2 = 0x03
_FIFO_WR_PTR = 0x04
_OVF_COUNTER = 0x05
_FIFO_RD_PTR = 0x06
_FIFO_DATA = 0x07
_FIFO_CONFIG = 0x08
_MODE_CONFIG = 0x09
_SPO2_CONFIG = 0x0A
_LED_PA = (0x0C, 0x0D)  # red, infrared
_SLOTS = (0x11, 0x12)
_TINT = 0x1F
_TFRAC = 0x20
_TEMP_CONFIG = 0x21
_REV_ID = 0xFE
_PART_ID = 0xFF

_A_FULL, _PPG_RDY, _PWR_RDY = 0x80, 0x40, 0x01
_DIE_TEMP_RDY = 0x02

_RATE_HZ = (50, 100, 200, 400, 800, 1000, 1600, 3200)
# Tables 11 and 12: the fastest rate for each pulse width, with two LEDs and with one.
_FASTEST_HZ = {2: (1600, 1000, 800, 400), 1: (3200, 1600, 1600, 1000)}
_AVERAGED = (1, 2, 4, 8, 16, 32, 32, 32)
_RANGE_NA = (2048, 4096, 8192, 16384)
_LARGEST_NA = 16384
_BITS = 18
_FIFO_SAMPLES = 32
_TEMPERATURE_US = 29_000


class MAX30102(RegisterChip):
    """One MAX30102.

    Parameters
    ----------
    sense : callable
        ``sense(name, time_us)`` with the names ``ppg`` (red, infrared) and ``temperature_c``.

    Attributes
    ----------
    fifo_lost : int
        Samples that the FIFO threw away because it was full, since power-on.

    Examples
    --------
    >>> chip = MAX30102(lambda name, time_us: (0.1, 0.2))
    >>> for register, value in ((0x0A, 0x7F), (0x0C, 0xFF), (0x0D, 0xFF), (0x09, 0x03)):
    ...     _ = chip.write(bytes((register, value)), 0)       # 16384 nA, 18 bits; 51 mA; SpO2 mode
    >>> chip.write(b"\\x07", 10_000)
    1
    >>> data = chip.read(6, 10_000)
    >>> int.from_bytes(data[:3], "big"), int.from_bytes(data[3:], "big")     # red, infrared of 262144
    (26214, 52429)
    """

    ADDRESS = 0x57
    RESET_VALUES = {_REV_ID: 0x03, _PART_ID: 0x15}
    READ_ONLY = frozenset({_INT_STATUS1, _INT_STATUS2, _TINT, _TFRAC, _REV_ID, _PART_ID})

    def __init__(self, sense):
        self.fifo_lost = 0
        super().__init__(sense)
        self.power_on(0)

    def power_on(self, time_us: int) -> None:
        """The supply comes back: all is as after the first power-on; unlike after a reset, the chip says so."""
        with self._lock:
            self._power_on(time_us)
            self._registers[_INT_STATUS1] = _PWR_RDY

    def _power_on(self, time_us):
        super()._power_on(time_us)
        self._clock = SampleClock()
        self._ring = [b""] * _FIFO_SAMPLES
        self._full = False
        self._byte = 0  # of the sample that is being read
        self._temperature_us = None  # when the thermometer is ready

    # Registers

    def _next_register(self, register):
        return register if register == _FIFO_DATA else (register + 1) & 0xFF

    def _write_register(self, register, value, time_us):
        if register in self.READ_ONLY:
            return
        if register == _MODE_CONFIG and value & 0x40:
            self._power_on(time_us)
            return
        if register in (_FIFO_WR_PTR, _OVF_COUNTER, _FIFO_RD_PTR):
            value &= 31
            self._full = False
            self._byte = 0
        elif register == _FIFO_DATA:
            return
        elif register == _TEMP_CONFIG and value & 1:
            self._temperature_us = time_us + _TEMPERATURE_US
        before = self._registers[register]
        self._registers[register] = value
        if register == _MODE_CONFIG or register in (_SPO2_CONFIG, _FIFO_CONFIG, *_SLOTS) and value != before:
            self._clock.start(time_us, self._period_us())

    def _read_register(self, register):
        value = self._registers[register]
        if register == _INT_STATUS1:
            self._registers[register] = 0
        elif register in (_INT_STATUS2, _TFRAC):
            self._registers[_INT_STATUS2] = 0
        elif register == _FIFO_DATA:
            self._registers[_INT_STATUS1] &= ~_PPG_RDY
            return self._read_fifo()
        return value

    def _read_fifo(self):
        sample = self._ring[self._registers[_FIFO_RD_PTR]]
        if not self._waiting() or not sample:
            return 0
        value = sample[self._byte]
        self._byte += 1
        if self._byte == len(sample):
            self._byte = 0
            self._registers[_FIFO_RD_PTR] = (self._registers[_FIFO_RD_PTR] + 1) & 31
            self._registers[_OVF_COUNTER] = 0
            self._full = False
        return value

    def _waiting(self):
        """Samples in the FIFO."""
        if self._full:
            return _FIFO_SAMPLES
        return (self._registers[_FIFO_WR_PTR] - self._registers[_FIFO_RD_PTR]) & 31

    # Samples

    def _leds(self):
        """The LEDs of one sample, in order: 0 red, 1 infrared; empty in shutdown."""
        mode = self._registers[_MODE_CONFIG]
        if mode & 0x80:
            return ()
        if mode & 7 == 7:
            slots = [self._registers[r] >> shift & 7 for r in _SLOTS for shift in (0, 4)]
            return tuple(slot - 1 for slot in slots if slot in (1, 2))
        return {2: (0,), 3: (0, 1)}.get(mode & 7, ())

    def _rate_hz(self):
        """Samples per second, before averaging."""
        settings = self._registers[_SPO2_CONFIG]
        return min(_RATE_HZ[settings >> 2 & 7], _FASTEST_HZ[min(2, len(self._leds()))][settings & 3])

    def _period_us(self):
        if not self._leds():
            return None
        return 1e6 / self._rate_hz() * _AVERAGED[self._registers[_FIFO_CONFIG] >> 5]

    def _run(self, time_us):
        if self._temperature_us is not None and time_us >= self._temperature_us:
            sixteenths = round(16 * self._sense("temperature_c", self._temperature_us))
            self._registers[_TINT] = sixteenths >> 4 & 0xFF
            self._registers[_TFRAC] = sixteenths & 15
            self._registers[_TEMP_CONFIG] = 0
            self._registers[_INT_STATUS2] |= _DIE_TEMP_RDY
            self._temperature_us = None
        due = self._clock.take(time_us)
        if not due:
            return
        rolls_over = self._registers[_FIFO_CONFIG] & 0x10
        room = _FIFO_SAMPLES - self._waiting()
        # Samples that the FIFO would throw away again need not be computed.
        kept = due[-_FIFO_SAMPLES:] if rolls_over else due[:room]
        lost = max(0, len(due) - room)
        self.fifo_lost += lost
        self._registers[_OVF_COUNTER] = min(31, self._registers[_OVF_COUNTER] + lost)
        for index in kept:
            if self._full:
                self._registers[_FIFO_RD_PTR] = (self._registers[_FIFO_RD_PTR] + 1) & 31
                self._byte = 0
            at = self._registers[_FIFO_WR_PTR]
            self._ring[at] = self._sample(self._clock.time_us(index))
            self._registers[_FIFO_WR_PTR] = (at + 1) & 31
            self._full = self._registers[_FIFO_WR_PTR] == self._registers[_FIFO_RD_PTR]
        if kept:
            self._registers[_INT_STATUS1] |= _PPG_RDY
        almost = _FIFO_SAMPLES - (self._registers[_FIFO_CONFIG] & 15)
        if self._waiting() >= almost and (self._waiting() - len(kept) < almost):
            self._registers[_INT_STATUS1] |= _A_FULL

    def _sample(self, time_us):
        averaged = _AVERAGED[self._registers[_FIFO_CONFIG] >> 5]
        step_us = 1e6 / self._rate_hz()
        light = [self._sense("ppg", round(time_us - i * step_us)) for i in range(averaged)]
        settings = self._registers[_SPO2_CONFIG]
        unused = 3 - (settings & 3)  # the shortest pulse gives 15 bits
        out = b""
        for led in self._leds():
            reflected_na = sum(light_at[led] for light_at in light) / averaged * _LARGEST_NA
            reflected_na *= self._registers[_LED_PA[led]] / 255
            count = round(reflected_na / _RANGE_NA[settings >> 5 & 3] * (1 << _BITS))
            count = max(0, min((1 << _BITS) - 1, count)) >> unused << unused
            out += count.to_bytes(3, "big")
        return out

    # INT

    def _active(self):
        return bool(self._registers[_INT_STATUS1] & (self._registers[_INT_ENABLE1] | _PWR_RDY)
                    or self._registers[_INT_STATUS2] & self._registers[_INT_ENABLE2])

    def _output(self, time_us):
        return int(not self._active())

    def _next_event_us(self, now_us):
        if self._active():
            return None  # only a read takes it back
        events = [self._clock.next_us if self._registers[_INT_ENABLE1] & (_A_FULL | _PPG_RDY) else None,
                  self._temperature_us if self._registers[_INT_ENABLE2] & _DIE_TEMP_RDY else None]
        return min((event for event in events if event is not None), default=None)
