"""Light sleep until a pin has something to say.

Example::

    import boards
    from boards.wake import Waker

    waker = Waker(boards.button(), level=0, stable_ms=20)
    while True:
        if waker.nap(60000):
            print("pressed")

Every port has its own way to say which pin may wake it; this is the one place that knows them. Not yet tried on real
boards.

nRF52, STM32, RP2040: a pin with an interrupt handler ends ``machine.lightsleep(ms)``. Two things to know. The nRF52 does
not look at the time: it wakes for any interrupt, so a nap may end early without an event. And while the STM32 sleeps,
``ticks_ms`` stands still.

ESP32: asleep it sees no edges, only a level, and the pin must be named as a source of waking before.
"""

from time import sleep_ms

import machine
from machine import Pin

try:
    import esp32
except ImportError:  # the other ports
    esp32 = None


class Waker:
    """Notes that ``pin`` came to ``level`` (0 or 1), asleep or awake.

    ``stable_ms``: for contacts that bounce: the level counts if it is still there after so long. 0: any short pulse
    counts.
    """

    def __init__(self, pin, level, stable_ms=0):
        self.pin = pin
        self.level = level
        self.stable_ms = stable_ms
        self.edges = 0  # since the last event
        self._edge = Pin.IRQ_RISING if level else Pin.IRQ_FALLING
        self._handler = self._note  # made once: each `self._note` would take memory
        pin.irq(self._handler, self._edge)

    def _note(self, pin):
        # All that an interrupt should do: write down that something has happened.
        self.edges += 1

    def nap(self, longest_ms):
        """Sleep until there is an event, at most ``longest_ms``. True if there was one; False: ask again.

        An edge in the very moment between the look and the sleep is not lost, but seen only when the nap is over.
        """
        if not self.edges:
            if esp32:
                self._nap_esp32(longest_ms)
            else:
                machine.lightsleep(longest_ms)
        if not self.edges:
            return False
        if self.stable_ms:
            sleep_ms(self.stable_ms)
        self.edges = 0
        # Contacts also bounce when they open: then the level is not there any more.
        return not self.stable_ms or self.pin.value() == self.level

    def ignore(self, duration_ms=0):
        """Forget what happened until now, and sleep so long, whatever the pin does."""
        self.pin.irq(None)
        if esp32:
            _wake_on(None, self.level)
        if duration_ms:
            machine.lightsleep(duration_ms)
        self.edges = 0
        self.pin.irq(self._handler, self._edge)

    def _nap_esp32(self, longest_ms):
        # A level that is still there is no new event, and would wake at once: wait until it has gone.
        while self.pin.value() == self.level and longest_ms > 0:
            sleep_ms(10)
            longest_ms -= 10
        if longest_ms <= 0 or self.edges:
            return
        # To wake by a level, the chip sets the pin's interrupt to that level: take the handler away until then.
        self.pin.irq(None)
        _wake_on(self.pin, self.level)
        machine.lightsleep(longest_ms)
        self.pin.irq(self._handler, self._edge)
        if machine.wake_reason() != machine.TIMER_WAKE:
            self.edges += 1


def _wake_on(pin, level):
    if hasattr(esp32, "wake_on_gpio"):  # MicroPython 1.27 and later, all ESP32 chips
        esp32.wake_on_gpio((pin,) if pin else (), level)
    else:
        esp32.wake_on_ext0(pin, level)
