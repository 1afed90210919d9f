"""Light, colour, proximity and gesture sensor APDS9960 (Avago AV02-4191EN, November 2015).

Simulated: the state machine's order (proximity, gesture, wait, light) with their times, integration time and gain with
saturation, proximity by LED current, pulses and gain, offsets, valid bits, thresholds with persistence, the gesture
engine with entry and exit thresholds and its FIFO of 32, interrupt clearing, the output INT (active low). Not
simulated: sleep after interrupt, masks of single photodiodes, dimension selection, LED boost.

Counts follow the data sheet's typical values. What a hand sends back grows with the square of ``proximity``: 120 counts
at a distance of 100 mm with 8 pulses of 8 us, 100 mA and gain 4 are ``proximity`` 0.12; with the settings after reset 1
gives 255 counts. White light gives the clear channel 0.042 counts for each lux, gain
1 and cycle of 2.78 ms (20 counts per uW/cm2 at gain 16 and 10 cycles; 0.33 uW/cm2 for each lux); red, green and
blue share them as the light's colour says. Gestures are not a quantity of the world: :meth:`APDS9960.swipe` moves a
hand over the chip.
"""

import math
from collections import deque

from edgekit.errors import DataError
from edgekit.simulator.chips.registers import RegisterChip, SampleClock

__all__ = ["APDS9960"]

_ENABLE = 0x80
_ATIME = 0x81
_WTIME = 0x83
_AILTL = 0x84
_AIHTL = 0x86
_PILT = 0x89
_PIHT = 0x8B
_PERS = 0x8C
_CONFIG1 = 0x8D
_PPULSE = 0x8E
_CONTROL = 0x8F
_CONFIG2 = 0x90
_ID = 0x92
_STATUS = 0x93
_CDATAL = 0x94
_PDATA = 0x9C
_POFFSET_UR = 0x9D
_POFFSET_DL = 0x9E
_GPENTH = 0xA0
_GEXTH = 0xA1
_GCONF1 = 0xA2
_GCONF2 = 0xA3
_GOFFSET = (0xA4, 0xA5, 0xA7, 0xA9)  # up, down, left, right
_GPULSE = 0xA6
_GCONF4 = 0xAB
_GFLVL = 0xAE
_GSTATUS = 0xAF
_IFORCE = 0xE4
_PICLEAR = 0xE5
_CICLEAR = 0xE6
_AICLEAR = 0xE7
_GFIFO_U = 0xFC

# ENABLE
_PON, _AEN, _PEN, _WEN, _AIEN, _PIEN, _GEN = (1 << i for i in range(7))
# STATUS
_AVALID, _PVALID, _GINT, _, _AINT, _PINT, _PGSAT, _CPSAT = (1 << i for i in range(8))

_CYCLE_US = 2780
_COUNTS_PER_LUX = 0.042  # clear channel, for gain 1 and one cycle
_COUNTS_PER_CYCLE = 1025  # where the converter is full
_ALS_GAIN = (1, 4, 16, 64)
_GAIN = (1, 2, 4, 8)  # proximity and gesture
_LED_MA = (100, 50, 25, 12.5)
_PULSE_US = (4, 8, 16, 32)
_FULL_SCALE_LIGHT = 1 * 8 * 100 * 1  # pulses x us x mA x gain after reset: proximity 1 gives 255 counts

_GESTURE_WAIT_US = (0, 2800, 5600, 8400, 14_000, 22_400, 30_800, 39_200)
_GESTURE_US = 1400  # one gesture measurement of four diodes, without waiting
_FIFO_SETS = 32
_FIFO_THRESHOLD = (1, 4, 8, 16)
_EXIT_AFTER = (1, 2, 4, 7)  # GEXPERS

_DIRECTIONS = {"up": (0, 1), "down": (1, 0), "left": (2, 3), "right": (3, 2)}


class APDS9960(RegisterChip):
    """One APDS9960.

    Parameters
    ----------
    sense : callable
        ``sense(name, time_us)`` with the names ``lux``, ``color`` and ``proximity``.

    Examples
    --------
    >>> chip = APDS9960(lambda name, time_us: {"lux": 1000, "color": (2, 1, 1), "proximity": 0}[name])
    >>> chip.write(b"\\x81\\xf6", 0), chip.write(b"\\x8f\\x01", 0)     # 10 cycles, gain 4
    (2, 2)
    >>> chip.write(b"\\x80\\x03", 0), chip.write(b"\\x94", 100_000)   # on, light
    (2, 1)
    >>> data = chip.read(8, 100_000)
    >>> [int.from_bytes(data[i:i + 2], "little") for i in range(0, 8, 2)]      # clear, red, green, blue
    [1680, 840, 420, 420]
    """

    ADDRESS = 0x39
    RESET_VALUES = {_ATIME: 0xFF, _WTIME: 0xFF, _CONFIG1: 0x40, _PPULSE: 0x40, _CONFIG2: 0x01, _ID: 0xAB, _GPULSE: 0x40}
    READ_ONLY = frozenset({_ID, *range(_STATUS, _PDATA + 1), _GFLVL, _GSTATUS, *range(_GFIFO_U, 0x100)})

    def __init__(self, sense):
        self._swipes = []
        super().__init__(sense)

    def swipe(self, direction: str, at_s: float, duration_s: float = 0.4, nearness: float = 0.12) -> None:
        """Move a hand over the chip.

        Parameters
        ----------
        direction : {"up", "down", "left", "right"}
        at_s : float
            When it begins, on the board's clock.
        duration_s : float
            How long the hand is over the chip.
        nearness : float
            How near it is when it is in the middle, as ``proximity``: 0.12 is 100 mm.

        Raises
        ------
        DataError
            There is no such direction, or a number is not positive.
        """
        if direction not in _DIRECTIONS:
            raise DataError(f"A hand moves {', '.join(_DIRECTIONS)}; found {direction!r}.")
        if not (duration_s > 0 and 0 < nearness <= 1):
            raise DataError(f"A swipe takes more than 0 s and its nearness is above 0 and at most 1; found "
                            f"duration_s={duration_s!r}, nearness={nearness!r}.")
        with self._lock:
            self._swipes.append((_DIRECTIONS[direction], at_s, duration_s, nearness))

    def _power_on(self, time_us):
        super()._power_on(time_us)
        self._registers[_STATUS] = _GINT  # as the data sheet has it; gone when the chip is switched on
        self._loop_us = None  # when the present step of the state machine ends
        self._step = None
        self._als_out = self._near_out = 0  # results in a row beyond the thresholds
        self._gesture = SampleClock()
        self._fifo = deque()
        self._gesture_quiet = 0
        self._fifo_lost = False

    def _reflected(self, diode, time_us):
        """Light that comes back to one of the four diodes; 1 for a proximity of 1."""
        light = max(0.0, self._sense("proximity", time_us)) ** 2
        for (first, last), at_s, duration_s, nearness in self._swipes:
            phase = (time_us / 1e6 - at_s) / duration_s
            # The diode that the hand reaches first sees it a sixth of the swipe earlier, the one opposite later.
            shift = -1 / 6 if diode == first else 1 / 6 if diode == last else 0
            if 0 <= phase <= 1:
                light += nearness**2 * math.exp(-((phase - 0.5 - shift) / 0.2) ** 2)
        return light

    # Registers

    def _next_register(self, register):
        if register == _GFIFO_U + 3:
            return _GFIFO_U  # a burst reads one data set after the other
        return register if register == 0xFF else register + 1

    def _write_register(self, register, value, time_us):
        if register == _STATUS or register in self.READ_ONLY:
            return
        if register == _ENABLE:
            self._switch(value, time_us)
        elif register == _GCONF4:
            if value & 0x04:
                self._clear_fifo()
            if value & 0x01 and not self._registers[_GCONF4] & 0x01:
                self._enter_gestures(time_us)
            elif not value & 0x01:
                self._leave_gestures(time_us)
            self._registers[_GCONF4] = value & 0x03
        else:
            super()._write_register(register, value, time_us)

    def _address(self, first):
        super()._address(first)
        # Addressing these registers is what clears; a value is not needed.
        if first in (_PICLEAR, _AICLEAR):
            self._registers[_STATUS] &= ~(_PINT | _PGSAT)
        if first in (_CICLEAR, _AICLEAR):
            self._registers[_STATUS] &= ~(_AINT | _CPSAT)
        if first == _IFORCE:
            self._registers[_STATUS] |= _AINT | _PINT

    def _read_register(self, register):
        if register == _GFLVL:
            return len(self._fifo)
        if register == _GSTATUS:
            return self._fifo_lost << 1 | bool(self._fifo)
        if register == _STATUS:
            return self._registers[_STATUS]
        if register >= _GFIFO_U:
            value = self._fifo[0][register - _GFIFO_U] if self._fifo else 0
            if register == _GFIFO_U + 3 and self._fifo:
                self._fifo.popleft()
                self._fifo_lost = False
                if not self._fifo:
                    self._registers[_STATUS] &= ~_GINT
            return value
        if _CDATAL <= register < _PDATA:
            self._registers[_STATUS] &= ~_AVALID
        elif register == _PDATA:
            self._registers[_STATUS] &= ~_PVALID
        return self._registers[register]

    # The state machine: proximity, gestures, wait, light, and again

    def _switch(self, value, time_us):
        before = self._registers[_ENABLE] if self._loop_us is not None else 0
        self._registers[_ENABLE] = value
        if not value & _PON:
            self._loop_us = self._step = None
            self._leave_gestures(time_us)
        elif value & 0x4F != before & 0x4F:  # which engines run; interrupts do not matter
            if not before & _PON:
                self._registers[_STATUS] &= ~_GINT
            self._step, self._loop_us = None, None
            if not value & _GEN:
                self._leave_gestures(time_us)
            self._next_step(time_us)
        if not value & _PEN:
            self._registers[_STATUS] &= ~(_PVALID | _PGSAT)
            self._near_out = 0
        if not value & _AEN:
            self._registers[_STATUS] &= ~(_AVALID | _CPSAT)
            self._als_out = 0

    def _next_step(self, time_us):
        """Begin the step after the present one."""
        enabled = self._registers[_ENABLE]
        steps = [step for step, bit in (("near", _PEN), ("wait", _WEN), ("light", _AEN)) if enabled & bit]
        if not steps or steps == ["wait"]:
            self._step = self._loop_us = None
            return
        at = steps.index(self._step) + 1 if self._step in steps else 0
        self._step = steps[at % len(steps)]
        self._loop_us = time_us + self._step_us(self._step)

    def _step_us(self, step):
        if step == "light":
            return (256 - self._registers[_ATIME]) * _CYCLE_US
        if step == "wait":
            return (256 - self._registers[_WTIME]) * _CYCLE_US * (12 if self._registers[_CONFIG1] & 0x02 else 1)
        return _CYCLE_US

    def _run(self, time_us):
        while True:
            if self._gesture.period_us is not None:
                if not self._take_gestures(time_us):
                    return
            elif self._loop_us is None or self._loop_us > time_us:
                return
            elif self._runs_unseen():
                # Nothing is counted or signalled: only the last whole round is seen.
                self._skip_rounds(time_us)
                self._end_step()
            else:
                self._end_step()

    def _runs_unseen(self):
        return not self._registers[_ENABLE] & (_AIEN | _PIEN | _GEN)

    def _round_us(self):
        enabled = self._registers[_ENABLE]
        return sum(self._step_us(step) for step, bit in (("near", _PEN), ("wait", _WEN), ("light", _AEN)) if enabled & bit)

    def _skip_rounds(self, time_us):
        rounds = (time_us - self._loop_us) // self._round_us()
        self._loop_us += max(0, rounds - 64) * self._round_us()  # persistence counts 60 rounds at most

    def _end_step(self):
        step, now_us = self._step, self._loop_us
        if step == "near":
            self._measure_near(now_us)
        elif step == "light":
            self._measure_light(now_us)
        self._next_step(now_us)
        if step == "near" and self._registers[_ENABLE] & _GEN and self._registers[_PDATA] >= self._registers[_GPENTH]:
            self._enter_gestures(now_us)

    def _measure_near(self, time_us):
        pulses, settings = self._registers[_PPULSE], self._registers[_CONTROL]
        light = ((pulses & 63) + 1) * _PULSE_US[pulses >> 6] * _LED_MA[settings >> 6] * _GAIN[settings >> 2 & 3]
        reflected = sum(self._reflected(diode, time_us) for diode in range(4)) / 4
        offset = (_signed(self._registers[_POFFSET_UR]) + _signed(self._registers[_POFFSET_DL])) / 2
        count = round(255 * reflected * light / _FULL_SCALE_LIGHT + offset)
        self._registers[_PDATA] = max(0, min(255, count))
        self._registers[_STATUS] |= _PVALID | (_PGSAT if count > 255 else 0)
        beyond = not self._registers[_PILT] <= self._registers[_PDATA] <= self._registers[_PIHT]
        self._near_out = self._near_out + 1 if beyond else 0
        every = self._registers[_PERS] >> 4
        if every == 0 or self._near_out >= every:
            self._registers[_STATUS] |= _PINT

    def _measure_light(self, time_us):
        cycles = 256 - self._registers[_ATIME]
        largest = min(65535, _COUNTS_PER_CYCLE * cycles)
        clear = self._sense("lux", time_us) * _COUNTS_PER_LUX * _ALS_GAIN[self._registers[_CONTROL] & 3] * cycles
        colour = [max(0.0, share) for share in self._sense("color", time_us)]
        whole = sum(colour) or 1.0
        counts = [max(0, min(largest, round(value))) for value in (clear, *(clear * c / whole for c in colour))]
        for i, count in enumerate(counts):
            self._registers[_CDATAL + 2 * i:_CDATAL + 2 * i + 2] = count.to_bytes(2, "little")
        self._registers[_STATUS] |= _AVALID | (_CPSAT if clear > largest else 0)
        low, high = (int.from_bytes(self._registers[r:r + 2], "little") for r in (_AILTL, _AIHTL))
        self._als_out = 0 if low <= counts[0] <= high else self._als_out + 1
        every = self._registers[_PERS] & 15
        if every == 0 or self._als_out >= (every if every < 4 else 5 * (every - 3)):
            self._registers[_STATUS] |= _AINT

    # Gestures

    def _enter_gestures(self, time_us):
        self._registers[_GCONF4] |= 0x01
        self._gesture_quiet = 0
        self._gesture.start(time_us, _GESTURE_US + _GESTURE_WAIT_US[self._registers[_GCONF2] & 7])

    def _leave_gestures(self, time_us):
        if self._gesture.period_us is None:
            return
        self._registers[_GCONF4] &= ~0x01
        self._gesture.start(time_us, None)
        if self._fifo:
            self._registers[_STATUS] |= _GINT
        if self._registers[_ENABLE] & _PON:
            self._step = "near"  # it goes on with what follows the gestures
            self._next_step(time_us)

    def _take_gestures(self, time_us):
        """Measure until a time; True if the hand left before it."""
        for index in self._gesture.take(time_us):
            now_us = self._gesture.time_us(index)
            counts = self._measure_gesture(now_us)
            if len(self._fifo) < _FIFO_SETS:
                self._fifo.append(counts)
            else:
                self._fifo_lost = True
            if len(self._fifo) >= _FIFO_THRESHOLD[self._registers[_GCONF1] >> 6]:
                self._registers[_STATUS] |= _GINT
            quiet = max(counts) < self._registers[_GEXTH]
            self._gesture_quiet = self._gesture_quiet + 1 if quiet else 0
            if self._gesture_quiet >= _EXIT_AFTER[self._registers[_GCONF1] & 3]:
                self._leave_gestures(now_us)
                return True
        return False

    def _measure_gesture(self, time_us):
        pulses, settings = self._registers[_GPULSE], self._registers[_GCONF2]
        light = ((pulses & 63) + 1) * _PULSE_US[pulses >> 6] * _LED_MA[settings >> 3 & 3] * _GAIN[settings >> 5 & 3]
        return bytes(max(0, min(255, round(255 * self._reflected(diode, time_us) * light / _FULL_SCALE_LIGHT
                                           + _signed(self._registers[_GOFFSET[diode]])))) for diode in range(4))

    def _clear_fifo(self):
        self._fifo.clear()
        self._fifo_lost = False
        self._registers[_STATUS] &= ~_GINT

    # INT

    def _active(self):
        enabled, status, config2 = (self._registers[r] for r in (_ENABLE, _STATUS, _CONFIG2))
        return bool(enabled & _AIEN and status & _AINT or enabled & _PIEN and status & _PINT
                    or self._registers[_GCONF4] & 0x02 and status & _GINT
                    or config2 & 0x80 and status & _PGSAT or config2 & 0x40 and status & _CPSAT)

    def _output(self, time_us):
        return int(not self._active())

    def _next_event_us(self, now_us):
        signals = self._registers[_ENABLE] & (_AIEN | _PIEN) or self._registers[_GCONF4] & 0x02 \
            or self._registers[_CONFIG2] & 0xC0
        if not signals or self._active():
            return None  # only the master takes it back
        if self._gesture.period_us is not None:
            return self._gesture.next_us
        return self._loop_us


def _signed(value):
    """Offsets have their sign in bit 7."""
    return -(value & 127) if value & 128 else value
