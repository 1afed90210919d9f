"""The pins of the simulated board: what it does with them, what drives them from outside, and when they change.

Time passes here: it moves from one change of a pin to the next, so that interrupts come at the right moment.
"""

import bisect
from collections.abc import Callable
from dataclasses import dataclass

from edgekit.errors import DataError
from edgekit.simulator import bus

__all__ = ["Part", "Pins", "parts_of", "pin_number"]

_MOST_IRQS = 255  # what one answer carries; a board's queue of handlers is shorter still
_SERVO_US = (500, 2500)  # pulses at which a servo is at 0 and at 180 degrees


@dataclass(frozen=True, slots=True)
class Part:
    """Something that hangs on a pin of the board: what a drawing shows.

    Attributes
    ----------
    name : str
        As the board's table in ``firmware/boards`` calls the pin, such as ``"LED"``.
    kind : str
        ``"led"``, ``"button"``, ``"analogue"``, ``"relay"``, ``"servo"``, ``"interrupt"``, ``"sound switch"``,
        ``"microphone"`` or ``"i2c"``.
    pin : int or str
        As the board's table has it.
    on_level : int
        The level at which it is on, or pressed.
    """

    name: str
    kind: str
    pin: int | str
    on_level: int = 1


_KINDS = {"LED": "led", "BUTTON": "button", "ADC": "analogue", "RELAY": "relay", "SERVO": "servo",
          "MOTION_INT": "interrupt", "SOUND": "sound switch", "SCL": "i2c", "SDA": "i2c", "MIC_SCK": "microphone",
          "MIC_WS": "microphone", "MIC_SD": "microphone"}


def parts_of(pins: dict) -> list[Part]:
    """What hangs on the pins of a board's table (:attr:`edgekit.board.profiles.Profile.pins`).

    Examples
    --------
    >>> parts_of({"NAME": "ESP32", "LED": 2, "LED_ON": 1, "BUTTON": 0})
    [Part(name='LED', kind='led', pin=2, on_level=1), Part(name='BUTTON', kind='button', pin=0, on_level=0)]
    """
    return [Part(name, _KINDS[name], pin, 0 if name == "BUTTON" else pins.get(f"{name}_ON", 1))
            for name, pin in pins.items() if name in _KINDS]


def pin_number(pin) -> int:
    """Number of a pin on the bus.

    Parameters
    ----------
    pin : int or str
        A number, or a name of an STM32: port and number.

    Raises
    ------
    DataError
        It is neither.

    Examples
    --------
    >>> pin_number(2), pin_number("PC13")
    (2, 45)
    """
    if isinstance(pin, str):
        name = pin.removeprefix("P")
        if name[:1] in tuple("ABCDEFGH") and name[1:].isdigit() and int(name[1:]) < 16:
            return 16 * (ord(name[0]) - ord("A")) + int(name[1:])
    elif isinstance(pin, int) and not isinstance(pin, bool) and 0 <= pin < 128:
        return pin
    raise DataError(f"No pin {pin!r}: expected a number from 0 to 127, such as 2, or a name such as 'PC13'.")


class Pins:
    """All pins, the time, and what is due.

    Parameters
    ----------
    on_change : callable
        ``on_change(kind, number)`` with ``"pin"`` or ``"pwm"``, whenever a pin changes.
    on_level : callable
        ``on_level(number, level)``: the board's own output moved; SPI chips are selected so.
    """

    def __init__(self, on_change: Callable, on_level: Callable):
        self.now_us = 0
        self._on_change = on_change
        self._on_level = on_level
        self._pins = {}
        self._events = []  # (time_us, order, pin, level), sorted
        self._event_count = 0
        self._wires = {}  # pin: what drives it
        self._armed = ()  # (pin, source) of the wires whose edges raise interrupts
        self._ahead = {}  # pin: (until when that is known, when its device changes next or None)
        self._due = []

    def __getitem__(self, number: int) -> "Pin":
        pin = self._pins.get(number)
        if pin is None:
            pin = self._pins[number] = Pin()
        return pin

    # From outside

    def drive(self, number: int, level: int | None, time_us: int) -> None:
        """Drive a pin from a time on."""
        self._event_count += 1
        bisect.insort(self._events, (time_us, self._event_count, number, level))
        self.advance(self.now_us)

    def wire(self, source, number: int) -> None:
        """Let a device drive a pin; None disconnects it."""
        if source is None:
            self._wires.pop(number, None)
            self[number].outside = None
            self._moved(number)
        else:
            self._wires[number] = source
            self._look(number, source)
        self._arm()

    def devices(self) -> list:
        """(pin, device) of each device that drives a pin."""
        return list(self._wires.items())

    def level(self, number: int) -> int:
        """The level of a pin now."""
        source = self._wires.get(number)
        if source is not None:
            self._look(number, source)
        return self[number].level

    # Time

    def advance(self, time_us: int) -> None:
        """Move on to a time, and through every change on the way."""
        if self._armed or (self._events and self._events[0][0] <= time_us):
            if not self._move(time_us, lambda: len(self._due) >= _MOST_IRQS):
                # Nobody took the interrupts for long, as on a real clock at the prompt: what else comes is lost.
                self._take_events(time_us)
                self._ahead.clear()
        self.now_us = max(self.now_us, time_us)

    def sleep_until(self, until_us: int) -> int:
        """Move on to a time, or to the first interrupt; returns the time that was reached."""
        if self._move(until_us, lambda: bool(self._due)):
            self.now_us = max(self.now_us, until_us)
        return self.now_us

    def take_irqs(self) -> list:
        """The interrupts that are due, (pin, edge) each; they are due no longer."""
        if not self._due:
            return []
        irqs, self._due = self._due, []
        return irqs

    def reset(self) -> None:
        """The board starts: all pins are inputs, no interrupt is enabled."""
        self._due = []
        for number, pin in self._pins.items():
            before, was_pwm = pin.level, pin.pwm
            pin.reset(self.now_us)
            if pin.level != before:
                self._on_change("pin", number)
            if was_pwm:
                self._on_change("pwm", number)
            self._on_level(number, None)
        self._arm()

    def touched(self) -> None:
        """The board touched a device: see what that one does with its output now."""
        for number, source in self._armed:
            self._look(number, source)

    def forget_ahead(self) -> None:
        """What devices will do is no longer known: the world changed."""
        self._ahead.clear()

    def _move(self, until_us, enough, watch=None):
        """Go from change to change; False: ``enough()`` said stop, the time is that of the change."""
        sources = [pair for pair in self._wires.items() if pair in self._armed or pair[0] == watch]
        for number, source in sources:
            if number not in self._ahead:
                self._look(number, source)
        while not enough():
            times = [self._events[0][0]] if self._events else []
            times += [self._next_change(number, source, until_us) for number, source in sources]
            at_us = min((at_us for at_us in times if at_us is not None), default=until_us + 1)
            if at_us > until_us:
                return True
            self._take_events(at_us)
            for number, source in sources:
                if self._ahead[number][1] == at_us:
                    self._look(number, source)
        return False

    def _take_events(self, time_us):
        while self._events and self._events[0][0] <= time_us:
            event_us, _, number, level = self._events.pop(0)
            self.now_us = max(self.now_us, event_us)
            self[number].outside = level
            self._moved(number)
        self.now_us = max(self.now_us, time_us)

    def _next_change(self, number, source, until_us):
        """When a device changes its output next, asked only where that is not known already."""
        known_until_us, change_us = self._ahead.get(number, (-1, None))
        if change_us is None and until_us > known_until_us:
            change_us = source.next_change(self.now_us, until_us)
            if change_us is not None:
                change_us = max(change_us, self.now_us + 1)
            self._ahead[number] = (until_us, change_us)
        return change_us

    def _look(self, number, source):
        self._ahead.pop(number, None)
        level = source.level(self.now_us)
        pin = self[number]
        if pin.outside != level:
            pin.outside = level
            self._moved(number)

    def _moved(self, number):
        """Something about a pin changed: find its level, note what follows."""
        pin = self[number]
        before = pin.level
        edge = pin.settle(self.now_us)
        if edge and len(self._due) < _MOST_IRQS:
            self._due.append((number, edge))
        if pin.level != before:
            self._on_change("pin", number)

    def _arm(self):
        self._armed = tuple((number, source) for number, source in self._wires.items() if self[number].irq_edges)

    # What the board asks

    def _mode(self, args, _):
        number, mode, pull = args
        pin = self[number]
        pin.mode, pin.pull = mode, pull
        self._set_pwm(number, None)  # as on an ESP32: a mode takes the pin away from the PWM unit
        self._moved(number)
        self._on_level(number, pin.driven())
        return b""

    def _set(self, args, _):
        number, value = args
        pin = self[number]
        pin.output = value
        self._moved(number)
        self._on_level(number, pin.driven())
        return b""

    def _get(self, args, _):
        return bytes((self.level(args[0]),))

    def _irq(self, args, _):
        number, edges = args
        self.level(number)
        self[number].irq_edges = edges
        self._arm()
        return b""

    def _pwm(self, args, _):
        number, freq_hz, duty_u16 = args
        duty = 1.0 if duty_u16 == 65535 else duty_u16 / 65536
        self._set_pwm(number, (freq_hz, duty) if freq_hz else None)
        return b""

    def _set_pwm(self, number, pwm):
        if self[number].set_pwm(self.now_us, pwm):
            self._on_change("pwm", number)

    def _pulse(self, args, _):
        """As ``machine.time_pulse_us``: wait for the level, then for its end, each no longer than the time-out."""
        number, level, timeout_us = args
        pin, duration_us = self[number], -2
        if not self._move(self.now_us + timeout_us, lambda: pin.level == level, watch=number):
            began_us, duration_us = self.now_us, -1
            if not self._move(began_us + timeout_us, lambda: pin.level != level, watch=number):
                duration_us = self.now_us - began_us
            else:
                self.now_us = began_us + timeout_us
        else:
            self.now_us += timeout_us
        return duration_us.to_bytes(4, "little", signed=True)

    @property
    def answers(self) -> dict:
        """What answers each op: a function of its arguments and data."""
        return {bus.PIN_MODE: self._mode, bus.PIN_SET: self._set, bus.PIN_GET: self._get,
                bus.PIN_IRQ: self._irq, bus.PWM_SET: self._pwm, bus.PULSE: self._pulse}


class Pin:
    """One pin: what the board does with it, what is connected outside, and the level that comes out."""

    def __init__(self):
        self.history = []
        self.pwm = None
        self.pwm_history = []
        self.outside = None
        self.level = 0
        self._forget()

    def _forget(self):
        self.mode, self.pull, self.output, self.irq_edges = bus.MODE_IN, bus.PULL_NONE, 0, 0

    def reset(self, time_us):
        """The board starts: the pin is an input without pull."""
        self._forget()
        self.settle(time_us)
        self.set_pwm(time_us, None)

    def driven(self):
        """The level that the board drives; None: none."""
        drives = self.mode == bus.MODE_OUT or (self.mode == bus.MODE_OPEN_DRAIN and self.output == 0)
        return self.output if drives else None

    def set_pwm(self, time_us, pwm):
        """``pwm`` is (freq_hz, duty), or None for off; note a change. Returns whether there was one."""
        if pwm == self.pwm:
            return False
        self.pwm = pwm
        self.pwm_history.append((time_us / 1e6, *(pwm or (0, 0.0))))
        return True

    def settle(self, time_us):
        """Find the level; note a change. Returns the edge if it raises an interrupt, else 0."""
        level = self.driven()
        if level is None:
            level = self.outside
        if level is None:
            level = int(self.pull == bus.PULL_UP)
        if level == self.level:
            return 0
        self.level = level
        self.history.append((time_us / 1e6, level))
        return (bus.EDGE_RISING if level else bus.EDGE_FALLING) & self.irq_edges

    def servo_deg(self):
        """See :meth:`edgekit.simulator.world.World.servo_deg`."""
        freq_hz, duty = self.pwm or (0, 0.0)
        if not 0 < duty < 1:
            return None
        first_us, last_us = _SERVO_US
        deg = (duty / freq_hz * 1e6 - first_us) / (last_us - first_us) * 180
        return max(0.0, min(180.0, deg))
