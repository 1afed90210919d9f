"""What the chips share: registers behind I2C and SPI, clocks that take samples, outputs that interrupt.

A chip file then reads like its data sheet: the map of registers, and what each of them does. A chip computes as
little as it can. Nobody looks at most samples, so a clock counts them, and only those are measured that a read, a
FIFO or a threshold needs; what comes out is the same as if all of them had been.
"""

import copy
import threading
from dataclasses import dataclass, field

__all__ = ["RegisterChip", "SampleClock", "Stream", "counts", "little_endian"]


class SampleClock:
    """The times at which a chip takes samples: the first one period after the start.

    Attributes
    ----------
    taken : int
        Samples since the start.

    Examples
    --------
    >>> clock = SampleClock()
    >>> clock.start(0, 1e6 / 119)
    >>> list(clock.take(20_000)), clock.time_us(2), clock.next_us
    ([1, 2], 16807, 25210)
    """

    def __init__(self):
        self.taken = 0
        self.period_us = None
        self._start_us = 0

    def start(self, time_us: int, period_us: float | None) -> None:
        """Count anew from a time; a period of None stops the clock."""
        self.taken = 0
        self.period_us = period_us
        self._start_us = time_us

    def time_us(self, index: int) -> int:
        """Time of a sample; 1 is the first."""
        return self._start_us + round(index * self.period_us)

    @property
    def newest_us(self) -> int:
        """Time of the sample taken last."""
        return self.time_us(self.taken)

    @property
    def next_us(self) -> int | None:
        """Time of the sample to come; None while the clock stands still."""
        return None if self.period_us is None else self.time_us(self.taken + 1)

    def take(self, time_us: int) -> range:
        """Take the samples that are due; their numbers."""
        if self.period_us is None:
            return range(0)
        due = int((time_us - self._start_us) / self.period_us)
        due += self.time_us(due + 1) <= time_us  # times are rounded to microseconds
        first, self.taken = self.taken + 1, max(self.taken, due)
        return range(first, self.taken + 1)


@dataclass
class Stream:
    """One kind of measurement of a chip, and the registers where its newest sample is.

    Attributes
    ----------
    first : int
        Its first register.
    size : int
        Bytes of a sample.
    ready, overrun : int
        Its bits in the chip's status register: a sample that was not read yet, and one that was lost.
    width : int
        Bytes of one value in it. Reading the high byte of a value clears the bits.
    """

    first: int
    size: int
    ready: int = 0
    overrun: int = 0
    width: int = 2
    clock: SampleClock = field(default_factory=SampleClock)
    held: int = 0  # number of the sample that is in the registers
    blocked: bool = False  # a low byte was read: no update before the high byte is

    def __contains__(self, register):
        return self.first <= register < self.first + self.size


class RegisterChip:
    """A chip with 8-bit registers on an I2C or SPI bus.

    Parameters
    ----------
    sense : callable
        ``sense(name, time_us)``: the quantity that the chip feels at a time, a number or a tuple of them. A
        :class:`~edgekit.simulator.world.World` has it as ``world.sense``.
    """

    RESET_VALUES = {}
    READ_ONLY = frozenset()
    STATUS = None  # the register with the ready bits of the streams, if there is one
    _SHARED = ("_sense", "_lock")

    def __init__(self, sense):
        self._sense = sense
        self._lock = threading.RLock()
        self._power_on(0)

    # I2C

    def write(self, data: bytes, time_us: int) -> int:
        """The master writes: first the register's number, then values for it and the ones after it.

        Parameters
        ----------
        data : bytes
        time_us : int
            When, on the board's clock.

        Returns
        -------
        int
            How many bytes were acknowledged: all.
        """
        with self._lock:
            self._run(time_us)
            if data:
                self._address(data[0])
            for value in data[1:]:
                self._write_register(self._pointer, value, time_us)
                self._pointer = self._next_register(self._pointer)
            return len(data)

    def read(self, count: int, time_us: int) -> bytes:
        """The master reads ``count`` bytes, from the register chosen last and the ones after it."""
        with self._lock:
            self._run(time_us)
            out = bytearray()
            for _ in range(count):
                out.append(self._read_register(self._pointer))
                self._pointer = self._next_register(self._pointer)
            return bytes(out)

    def power_on(self, time_us: int) -> None:
        """The supply comes back: all is as after the first power-on."""
        with self._lock:
            self._power_on(time_us)

    def catch_up(self, time_us: int) -> None:
        """Take all samples that are due, before the world changes."""
        with self._lock:
            self._run(time_us)
            self._hold_latest()

    # SPI: the first byte after the chip was selected is the register's number, bit 7 means read

    def select(self, time_us: int) -> None:
        """The chip-select pin goes to 0: a transfer begins."""
        self._spi_address = None

    def deselect(self, time_us: int) -> None:
        """The chip-select pin goes back to 1."""
        self._spi_address = None

    def transfer(self, data: bytes, time_us: int) -> bytes:
        """Bytes go both ways.

        Returns
        -------
        bytes
            As many as came in. While the chip listens it sends 0xFF: its output is open, the line pulled up.
        """
        with self._lock:
            out = bytearray()
            rest = bytes(data)
            if self._spi_address is None and rest:
                self._spi_address, rest = rest[0], rest[1:]
                self._spi_begin(self._spi_address)
                out.append(0xFF)
            if rest and self._spi_address & 0x80:
                out += self.read(len(rest), time_us)
            elif rest:
                self._spi_write(rest, time_us)
                out += b"\xff" * len(rest)
            return bytes(out)

    def _spi_begin(self, first):
        self._address(first & 0x7F)

    def _spi_write(self, values, time_us):
        self.write(bytes([self._pointer]) + values, time_us)

    # The interrupt output

    def level(self, time_us: int) -> int:
        """Level of the chip's interrupt output: 0 or 1."""
        with self._lock:
            self._run(time_us)
            return self._output(time_us)

    def next_change(self, after_us: int, until_us: int) -> int | None:
        """When the interrupt output changes next, if the master reads and writes nothing until then.

        Parameters
        ----------
        after_us, until_us : int
            It looks for a change later than the one, and not later than the other.

        Returns
        -------
        int or None
            Time in microseconds; None without a change.
        """
        with self._lock:
            self._run(after_us)
            first_us = self._next_event_us(after_us)
            if first_us is None or first_us > until_us:
                return None
            # A copy of the chip runs ahead: the world may still change before that time comes.
            ahead = copy.copy(self)
            ahead.__dict__.update({name: copy.deepcopy(value) for name, value in vars(self).items()
                                   if name not in self._SHARED})
            level, time_us = ahead._output(after_us), after_us
            while (time_us := ahead._next_event_us(time_us)) is not None and time_us <= until_us:
                ahead._run(time_us)
                if ahead._output(time_us) != level:
                    return time_us
            return None

    def _output(self, time_us):
        """Level of the interrupt output, with all samples taken until then."""
        return 0

    def _next_event_us(self, now_us):
        """The next time at which the output can change by itself; None: not before a read or a write."""
        return None

    def _next_sample_us(self):
        """Time of the next sample of any stream."""
        return min((stream.clock.next_us for stream in self._streams.values() if stream.clock.next_us is not None),
                   default=None)

    # What a chip file fills in

    def _power_on(self, time_us):
        self._registers = bytearray(256)
        for register, value in self.RESET_VALUES.items():
            self._registers[register] = value
        self._pointer = 0
        self._spi_address = None
        self._streams = {}

    def _address(self, first):
        """The first byte of a transfer: choose a register."""
        self._pointer = first

    def _next_register(self, register):
        return (register + 1) & 0xFF

    def _write_register(self, register, value, time_us):
        if register not in self.READ_ONLY:
            self._registers[register] = value

    def _read_register(self, register):
        for stream in self._streams.values():
            if stream.first <= register < stream.first + stream.size:
                self._read_output(stream, register)
                break
        return self._registers[register]

    def _read_output(self, stream, register):
        """A register of a stream is going to be read."""
        if stream.held != stream.clock.taken:
            self._hold_latest()
        if (register - stream.first + 1) % stream.width:
            stream.blocked = self._blocks_updates()
        else:  # the high byte of a value, its last
            stream.blocked = False
            if self.STATUS is not None:
                self._registers[self.STATUS] &= ~(stream.ready | stream.overrun)

    def _blocks_updates(self):
        """Whether a sample waits while only a part of the one before was read (block data update)."""
        return False

    def _run(self, time_us):
        """Take the samples that were due since the last time."""
        for name, stream in self._streams.items():
            due = stream.clock.take(time_us)
            if due:
                self._sampled(name, stream, due)

    def _sampled(self, name, stream, due):
        """Samples were taken; ``due`` has their numbers."""
        self._mark_ready(stream, due)

    def _mark_ready(self, stream, due):
        if self.STATUS is not None:
            if len(due) > 1 or self._registers[self.STATUS] & stream.ready:
                self._registers[self.STATUS] |= stream.overrun
            self._registers[self.STATUS] |= stream.ready

    def _finish_once(self, stream, due):
        """A single conversion ended: the first that was due is the one."""
        stream.clock.taken = 1
        self._mark_ready(stream, due[:1])
        self._hold_latest()
        stream.clock.start(0, None)
        stream.held = 0

    def _hold_latest(self):
        """Put the newest sample of each stream into its registers. Asleep they keep what they held."""
        for name, stream in self._streams.items():
            if stream.clock.taken not in (0, stream.held) and not stream.blocked:
                data = self._measure(name, stream.clock.newest_us)
                self._registers[stream.first:stream.first + stream.size] = data
                stream.held = stream.clock.taken

    def _start(self, name, time_us, period_us):
        """Let a stream run with another period; the same one goes on without a break."""
        stream = self._streams[name]
        if stream.clock.period_us != period_us:
            self._hold_latest()
            stream.clock.start(time_us, period_us)
            stream.held = 0

    def _measure(self, name, time_us):
        """The bytes of a stream's sample."""
        raise NotImplementedError


def counts(value: float, step: float, bits: int = 16) -> int:
    """A quantity as a signed number of steps, clipped to the bits of the converter.

    Examples
    --------
    >>> counts(1.0, 0.000061), counts(-9, 0.000061)
    (16393, -32768)
    """
    largest = 1 << bits - 1
    return max(-largest, min(largest - 1, round(value / step)))


def little_endian(values, step: float, size: int = 2) -> bytes:
    """Quantities as signed counts of some bytes each, low byte first."""
    return b"".join(counts(value, step, 8 * size).to_bytes(size, "little", signed=True) for value in values)
