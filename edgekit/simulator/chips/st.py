"""What sensors of STMicroelectronics have in common: the FIFO of 32 slots with its modes and its two registers."""

from collections import deque

from edgekit.simulator.chips.registers import RegisterChip

__all__ = ["FIFO_SLOTS", "SlotFifoChip"]

FIFO_SLOTS = 32


class SlotFifoChip(RegisterChip):
    """A chip whose FIFO keeps whole samples, as the LSM9DS1 and the LPS22HB have it.

    In mode 1 it keeps the oldest samples and stops when it is full; in the continuous mode the newest. The modes that
    wait for an event of the chip's interrupt generator behave as before that event.

    Attributes
    ----------
    fifo_lost : int
        Samples that the FIFO threw away because it was full, since power-on.
    """

    FIFO_CTRL = None
    FIFO_SRC = None
    FIFO_KEEPS_OLDEST = (1,)
    FIFO_KEEPS_NEWEST = ()
    _fifo_stream = None  # name of the stream whose samples fill it

    def _power_on(self, time_us):
        super()._power_on(time_us)
        self._fifo = deque()
        self._fifo_overrun = False
        self.fifo_lost = 0

    def _fifo_enabled(self):
        raise NotImplementedError

    def _stops_at_threshold(self):
        return False

    def _fifo_mode(self):
        return self._registers[self.FIFO_CTRL] >> 5

    def _fifo_runs(self):
        return self._fifo_enabled() and self._fifo_mode() in self.FIFO_KEEPS_OLDEST + self.FIFO_KEEPS_NEWEST

    def _fifo_depth(self):
        return (self._registers[self.FIFO_CTRL] & 31 or 1) if self._stops_at_threshold() else FIFO_SLOTS

    def _fifo_source(self):
        """The register with threshold and overrun flags, and the number of samples to read."""
        threshold = self._registers[self.FIFO_CTRL] & 31
        return len(self._fifo) | self._fifo_overrun << 6 | (self._fifo_runs() and len(self._fifo) >= threshold) << 7

    def _sampled(self, name, stream, due):
        super()._sampled(name, stream, due)
        self._fill_fifo(name, stream, due)

    def _fill_fifo(self, name, stream, due):
        if name != self._fifo_stream or not self._fifo_runs():
            return
        depth = self._fifo_depth()
        room = max(0, depth - len(self._fifo))
        self._fifo_overrun |= len(due) > room
        self.fifo_lost += max(0, len(due) - room)
        # Samples that the FIFO would throw away again need not be computed.
        for index in due[-depth:] if self._fifo_mode() in self.FIFO_KEEPS_NEWEST else due[:room]:
            if len(self._fifo) == depth:
                self._fifo.popleft()
            self._fifo.append(self._slot(stream.clock.time_us(index)))

    def _slot(self, time_us):
        """The bytes of one sample in the FIFO."""
        raise NotImplementedError

    def _leave_slot(self):
        """A sample was read to its end."""
        if self._fifo:
            self._fifo.popleft()
            self._fifo_overrun = False
        if not self._fifo:
            for stream in self._streams.values():
                self._registers[self.STATUS] &= ~(stream.ready | stream.overrun)

    def _read_register(self, register):
        if register == self.FIFO_SRC:
            return self._fifo_source()
        return super()._read_register(register)

    def _write_register(self, register, value, time_us):
        super()._write_register(register, value, time_us)
        if register == self.FIFO_CTRL and self._fifo_mode() == 0:
            self._fifo.clear()  # the bypass mode empties it
            self._fifo_overrun = False
