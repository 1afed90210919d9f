"""machine.Pin and machine.Signal."""

import _bus
import _chip
from _args import to_int

_NOTHING = object()


class Pin:
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2
    WAKE_LOW = 4
    WAKE_HIGH = 5
    DRIVE_0 = 0
    DRIVE_1 = 1
    DRIVE_2 = 2
    DRIVE_3 = 3

    _pins = {}

    class board:
        pass

    def __new__(cls, id, *args, **kwargs):
        if isinstance(id, Pin):
            return id
        number = _pin_number(id)
        pin = cls._pins.get(number)
        if pin is None:
            pin = cls._pins[number] = object.__new__(cls)
            pin._id = number
            pin._name = id
            pin._mode = Pin.IN
            pin._pull = 0
            pin._drive = Pin.DRIVE_2
            pin._output = 0
            pin._handler = None
            pin._edges = 0
            pin._trigger = 0
            pin._irq = None
            pin._get = bytes((_bus.PIN_GET, number))
            pin._level = bytearray(1)
        return pin

    def __init__(self, id, mode=None, pull=-1, *, value=None, drive=None, hold=None):
        if mode is not None or pull != -1 or value is not None or drive is not None:
            self.init(mode, pull, value=value, drive=drive)

    def init(self, mode=None, pull=-1, *, value=None, drive=None, hold=None):
        if value is not None:
            self.value(value)
        if drive is not None and 0 <= to_int(drive) <= 3:
            self._drive = drive
        if mode is not None:
            if to_int(mode) not in (Pin.IN, Pin.OUT, Pin.OPEN_DRAIN):
                raise ValueError("invalid pin mode")
            if mode != Pin.IN and self._id in _chip.input_only:
                raise ValueError("pin can only be input")
            self._mode = mode
        if pull != -1:
            self._pull = 0 if pull is None else to_int(pull) & (Pin.PULL_UP | Pin.PULL_DOWN)
        elif mode is not None and not _chip.esp32:
            self._pull = 0
        if mode is not None or pull != -1:
            bus_mode = 0 if self._mode == Pin.IN else 1 if self._mode == Pin.OUT else 2
            bus_pull = 1 if self._pull & Pin.PULL_UP else 2 if self._pull else 0
            _bus.send(bytes((_bus.PIN_MODE, self._id, bus_mode, bus_pull)))
            _bus.handle()

    def value(self, x=_NOTHING):
        if x is _NOTHING:
            _bus.send(self._get)
            _bus.receive(self._level)
            level = self._level[0]
            _bus.handle()
            return level
        self._output = 1 if x else 0
        _bus.send(bytes((_bus.PIN_SET, self._id, self._output)))
        _bus.handle()

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(1 - self._output)

    def irq(self, handler=_NOTHING, trigger=_NOTHING, wake=None, hard=None):
        if hard is not None and _chip.esp32:
            raise TypeError("extra keyword arguments given")
        if self._irq is None:
            self._irq = (IRQ if _chip.esp32 else _IRQWithFlags)(self)
        if handler is _NOTHING and trigger is _NOTHING and wake is None:
            return self._irq
        trigger = Pin.IRQ_RISING | Pin.IRQ_FALLING if trigger is _NOTHING else to_int(trigger)
        if trigger in (Pin.WAKE_LOW, Pin.WAKE_HIGH) and wake is not None:
            Pin._wake_with(self._id, trigger == Pin.WAKE_HIGH, wake)
            return self._irq
        self._handler = None if handler is _NOTHING else handler
        self._listen(trigger if self._handler is not None else 0)
        return self._irq

    def _listen(self, trigger):
        self._trigger = trigger
        if trigger in (Pin.WAKE_LOW, Pin.WAKE_HIGH):  # a level; the chip calls again and again while it lasts, we once
            self._edges = Pin.IRQ_FALLING if trigger == Pin.WAKE_LOW else Pin.IRQ_RISING
        else:
            self._edges = trigger & (Pin.IRQ_RISING | Pin.IRQ_FALLING)
        _bus.on_pin(self._id, self._call if self._edges else None)
        _bus.send(bytes((_bus.PIN_IRQ, self._id, self._edges)))
        if trigger >= Pin.WAKE_LOW and self.value() == trigger - Pin.WAKE_LOW:
            _bus.call(self._call, self._edges)

    def _call(self, edge):
        if self._irq:
            self._irq._edge = edge
        if self._handler is not None:
            self._handler(self)

    def __repr__(self):
        if not _chip.esp32:
            return "Pin(%s)" % self._name
        parts = ["Pin(%d" % self._id, "mode=Pin." + {Pin.IN: "IN", Pin.OUT: "OUT", Pin.OPEN_DRAIN: "OPEN_DRAIN"}[self._mode]]
        if self._pull:
            parts.append("pull=Pin.PULL_UP" if self._pull & Pin.PULL_UP else "pull=Pin.PULL_DOWN")
        if self._drive != Pin.DRIVE_2:
            parts.append("drive=Pin.DRIVE_%d" % self._drive)
        return ", ".join(parts) + ")"


class IRQ:
    """What Pin.irq() returns."""

    def __init__(self, pin):
        self._pin = pin
        self._edge = 0

    def __call__(self):
        pin = self._pin
        _bus.call(pin._handler, pin)

    def trigger(self, trigger=_NOTHING):
        before = self._pin._trigger
        if trigger is not _NOTHING:
            self._pin._listen(to_int(trigger))
        return before


class _IRQWithFlags(IRQ):
    def flags(self):
        return self._edge


def _pin_number(id):
    """The number on the bus: STM32's "PC13" or "C13" is port C (2) times 16 plus 13."""
    if isinstance(id, str):
        name = id[1:] if len(id) > 1 and id[0] == "P" else id
        if not _chip.esp32 and name[:1] in "ABCDEFGH" and name[1:].isdigit() and int(name[1:]) < 16:
            return (ord(name[0]) - ord("A")) * 16 + int(name[1:])
    elif isinstance(id, int) and not isinstance(id, bool) and 0 <= id < 128:
        if _chip.pins is None or id in _chip.pins:
            return id
    raise ValueError("invalid pin")


def number_of(pin):
    """The number of a Pin, or of what makes one."""
    return pin._id if isinstance(pin, Pin) else _pin_number(pin)


class Signal:
    def __init__(self, pin, *args, invert=False, **kwargs):
        if hasattr(pin, "value"):  # a Pin, or another Signal
            if args or kwargs:
                raise TypeError
        else:
            if invert and "value" in kwargs:
                kwargs["value"] = not kwargs["value"]
            pin = Pin(pin, *args, **kwargs)
        self._pin = pin
        self._invert = 1 if invert else 0

    def value(self, x=_NOTHING):
        if x is _NOTHING:
            return self._pin.value() ^ self._invert
        self._pin.value((1 if x else 0) ^ self._invert)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)
