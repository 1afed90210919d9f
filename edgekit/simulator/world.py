"""What the simulated board senses and moves: physical quantities over time, pins, and devices on its buses.

The board asks with the requests of :mod:`edgekit.simulator.bus`; a notebook, a widget or a test changes the world at
the same time. Quantities are physical (g, degrees per second, volts): the chips turn them into counts. The rooms
behind this door: :mod:`~edgekit.simulator.quantities`, :mod:`~edgekit.simulator.pins`,
:mod:`~edgekit.simulator.analogue`, :mod:`~edgekit.simulator.buses`, :mod:`~edgekit.simulator.faults`.
"""

import threading
import warnings
from collections.abc import Callable

import numpy as np

from edgekit.errors import DataError
from edgekit.simulator import bus, buses, faults
from edgekit.simulator.analogue import Analogue
from edgekit.simulator.pins import Pins, parts_of, pin_number
from edgekit.simulator.quantities import QUANTITIES, Quantities

__all__ = ["World", "pin_number"]

# After these a device's interrupt output may have another level.
_TOUCHING = {bus.I2C_WRITE, bus.I2C_READ, bus.I2C_WRITE_READ, bus.SPI_TRANSFER}


class World:
    """The surroundings of one simulated board.

    Parameters
    ----------
    seed : int
        Seed of all noise. The same seed and the same times give the same values.

    Attributes
    ----------
    seed : int
    parts : list of Part
        What hangs on which pin of the board, for a drawing; empty until :meth:`name_pins`.

    Examples
    --------
    >>> world = World()
    >>> world.set(accel_g=(0, 1, 0), lux=lambda time_s: 100 + 10 * time_s)    # it stands on its edge; day breaks
    >>> world.sense("accel_g", 0)
    (0.0, 1.0, 0.0)
    >>> world.sense("lux", 2_000_000)
    120.0
    """

    def __init__(self, seed: int = 0):
        self._lock = threading.RLock()
        self._depth = 0
        self._later = []  # calls that wait until the lock is free
        self._listeners = []
        self.seed = seed
        self._offset_us = 0  # the world's clock minus the board's
        self._names = {}
        self.parts = []
        self._faults = {}  # kind: list of settings
        self._board_faults = None

        self._quantities = Quantities(seed)
        self._pins = Pins(self._changed, lambda number, level: self._spi.select(number, level))
        self._analogue = Analogue(seed, self._clock)
        self._i2c = buses.I2C(self._clock)
        self._spi = buses.SPI(self._clock)
        self._microphones = buses.Microphones(self._clock)
        self._uarts = buses.Uarts(self._call_later)
        self._onewire = buses.OneWire(self._clock)
        self._dht = buses.DHT(self._clock)
        self._pixels = buses.Pixels(self._changed)
        self._answers = {bus.NOTE_TIME: lambda args, data: b""}
        for room in (self._pins, self._analogue, self._i2c, self._spi, self._microphones, self._uarts, self._onewire,
                     self._dht, self._pixels):
            self._answers.update(room.answers)
        self._answers[bus.RESET] = self._reset

    @classmethod
    def with_motion_sensor(cls, seed: int = 0) -> "World":
        """A world with an MPU6050 at address 0x68, whichever of its two I2C buses the board uses."""
        from edgekit.simulator.chips.mpu6050 import MPU6050
        world = cls(seed)
        chip = MPU6050(world.sense)
        for bus_number in (0, 1):
            world.attach(chip, bus_number)
        return world

    # Time

    @property
    def time_s(self) -> float:
        """The world's clock in seconds, as the board last told it: the board's own, until it loses its power."""
        return self._pins.now_us / 1e6

    def _clock(self):
        return self._pins.now_us

    # Quantities

    def set(self, **quantities) -> None:
        """Say what the surroundings are like, until they are set again or while no recording plays.

        Parameters
        ----------
        **quantities
            Names of :data:`edgekit.simulator.quantities.QUANTITIES`: ``accel_g``, ``gyro_dps``, ``mag_gauss``,
            ``temperature_c``, ``humidity_percent``, ``pressure_hpa``, ``lux``, ``color``, ``proximity``, ``ppg``,
            ``sound``, ``soil_moisture_percent``, ``current_a``. Each a number, or a tuple where it has several
            channels; or a function of the time in seconds that gives one.

        Raises
        ------
        DataError
            There is no such quantity, or it has another number of channels; nothing is set then.

        Examples
        --------
        >>> World().set(accel_g=(0, 0, 1), temperature_c=21.5)
        """
        with self._changing():
            new = [(self._quantities[name], value) for name, value in quantities.items()]
            for source, value in new:
                source.check(value)
            for source, value in new:
                source.set(value)

    def value(self, name: str):
        """What a quantity is now, without bias, noise and faults: a number, or a tuple for several channels."""
        with self._lock:
            return self._quantities[name].value(self._clock())

    def play(self, recording, loop: bool = False, at_s: float | None = None, as_: str | None = None) -> None:
        """Let a recording say what the surroundings are like: each sample is held until the next.

        Parameters
        ----------
        recording : edgekit.recording.Recording
            Its channels choose the quantity: ax, ay, az, gx, gy, gz, temperature, audio, ...; its units are
            converted. Channels that it lacks keep their constants.
        loop : bool
            Start again at its end. Otherwise the constants are back then.
        at_s : float, optional
            When it starts, on the world's clock; default: now.
        as_ : str, optional
            The quantity that it is, whatever its channels are called: ``as_="sound"`` for a WAV file.

        Raises
        ------
        DataError
            The recording has other channels or units.
        """
        with self._changing():
            now_us = self._clock()
            start_us = now_us if at_s is None else round(at_s * 1e6)
            self._quantities.play(recording, now_us, start_us, loop, as_)

    def stop(self) -> None:
        """Stop everything that plays; the constants are back."""
        with self._changing():
            for source in self._quantities:
                source.stop()

    def set_noise(self, **sd) -> None:
        """Standard deviation of the noise that each reading has on top, per quantity; also ``volts`` of a pin.

        Examples
        --------
        >>> World().set_noise(accel_g=0.004, gyro_dps=0.05, volts=0.002)
        """
        with self._changing():
            new = [(self._analogue if name == "volts" else self._quantities[name], value)
                   for name, value in sd.items()]
            for source, value in new:
                source.set_noise(value)

    def set_bias(self, **bias) -> None:
        """What the chip reads too much, per quantity: no two chips are alike.

        Examples
        --------
        >>> World().set_bias(accel_g=(0.02, -0.01, 0.03), temperature_c=1.5)
        """
        with self._changing():
            for source, value in [(self._quantities[name], value) for name, value in bias.items()]:
                source.set_bias(value)

    def sense(self, name: str, time_us: int):
        """What a chip feels of a quantity at a time: with bias, noise and faults.

        Returns
        -------
        float, or a tuple of floats
            As the quantity has one or several channels.
        """
        with self._lock:
            return self._quantities[name].sense(time_us)

    def sense_sound(self, first_frame_us: float, rate_hz: float, frames: int) -> np.ndarray:
        """What a microphone feels at evenly spaced times, in one go.

        Returns
        -------
        float64 array [frames]
            Full scale is 1; a loud world goes beyond.
        """
        with self._lock:
            return self._quantities["sound"].sense_block(first_frame_us, rate_hz, frames)

    def steady_until(self, name: str, from_us: float) -> float:
        """Until when it is certain that all readings of a quantity are the same, if nobody changes the world."""
        with self._lock:
            return self._quantities[name].steady_until(from_us)

    # Analogue pins

    def adc(self, pin: int | str, volts) -> None:
        """Put a voltage on an analogue pin.

        Parameters
        ----------
        pin : int or str
            Its number, or its name on an STM32 such as ``"PC13"``.
        volts : float, callable or Recording
            A constant; a function of the world's time in seconds, as the analogue parts in ``chips/`` are; or a
            recording of one channel in V or mV, which starts now and holds its last value.

        Examples
        --------
        >>> import math
        >>> World().adc(34, lambda time_s: 1.65 + math.sin(2 * math.pi * time_s))
        """
        with self._changing():
            self._analogue.connect(self._number(pin), volts)

    def volts(self, pin: int | str, time_us: int | None = None) -> float:
        """Voltage on an analogue pin, noise included; an open pin has 0 V."""
        with self._lock:
            return self._analogue.volts(self._number(pin), self._clock() if time_us is None else time_us)

    # Digital pins

    def press(self, pin: int | str, at_s: float | None = None) -> None:
        """Press a button: it connects the pin with ground, so the board reads 0.

        Parameters
        ----------
        pin : int or str
            Its number, or its name: ``"BUTTON"``, or ``"PC13"`` on an STM32.
        at_s : float, optional
            When, on the world's clock; default: now.
        """
        self.drive(pin, 0, at_s)

    def release(self, pin: int | str, at_s: float | None = None) -> None:
        """Let a button go: nothing drives the pin, its pull resistor decides."""
        self.drive(pin, None, at_s)

    def drive(self, pin: int | str, level: int | None, at_s: float | None = None) -> None:
        """Drive a pin from outside: 1, 0, or None for nothing connected."""
        if level not in (0, 1, None):
            raise DataError(f"A pin is driven to 0, 1 or None (nothing connected), found {level!r}.")
        number = self._number(pin)
        with self._changing():
            self._pins.drive(number, level, self._clock() if at_s is None else round(at_s * 1e6))

    def wire(self, source, pin: int | str) -> None:
        """Let a device drive a pin: a chip's interrupt output, a sound switch.

        Its edges raise the pin's interrupt at their exact time, also while the board sleeps. Without an interrupt the
        pin is looked at when somebody asks for its level, so its history has only what was seen.

        Parameters
        ----------
        source
            Has ``level(time_us)`` and ``next_change(after_us, until_us)``, see :mod:`edgekit.simulator.chips`; None
            cuts the wire.
        pin : int or str
        """
        number = self._number(pin)
        with self._changing():
            self._pins.wire(source, number)

    def pin(self, pin: int | str) -> int:
        """Level of a pin now: 0 or 1."""
        number = self._number(pin)
        with self._holding():
            return self._pins.level(number)

    def driven(self, pin: int | str) -> int | None:
        """The level to which the board itself drives a pin now; None while it does not, as for an input."""
        with self._lock:
            return self._pins[self._number(pin)].driven()

    def pin_history(self, pin: int | str) -> list[tuple[float, int]]:
        """Every change of a pin's level since power-on.

        Returns
        -------
        list of (time_s, level)
        """
        with self._lock:
            return list(self._pins[self._number(pin)].history)

    def pwm(self, pin: int | str) -> tuple[int, float] | None:
        """Pulses that the board puts on a pin now; None while it has no PWM.

        The single pulses are not simulated: :meth:`pin`, :meth:`pin_history` and interrupts do not see them.

        Returns
        -------
        freq_hz : int
        duty : float
            Part of the time that the pin is at 1, from 0 to 1.

        Examples
        --------
        >>> world = World()
        >>> world.pwm(25)
        >>> _ = world.transaction(bus.pack(bus.PWM_SET, 0, 25, 50, 4096))
        >>> world.pwm(25)
        (50, 0.0625)
        """
        with self._lock:
            return self._pins[self._number(pin)].pwm

    def pwm_history(self, pin: int | str) -> list[tuple[float, int, float]]:
        """Every change of a pin's PWM since power-on.

        Returns
        -------
        list of (time_s, freq_hz, duty)
            ``freq_hz`` is 0 where PWM was switched off.
        """
        with self._lock:
            return list(self._pins[self._number(pin)].pwm_history)

    def servo_deg(self, pin: int | str) -> float | None:
        """Angle that a servo on a pin turns to, in degrees.

        A pulse of 500 us is 0 degrees, one of 2500 us is 180 degrees, and the angle grows evenly between. Longer and
        shorter pulses turn it no further. It is there at once. Real servos differ: many have narrower ends, and each
        needs time to turn.

        Returns
        -------
        float or None
            From 0 to 180; None without pulses: nothing holds the servo then.

        Examples
        --------
        >>> world = World()
        >>> _ = world.transaction(bus.pack(bus.PWM_SET, 0, 25, 125, 12288))     # 1500 us of 8000 us
        >>> world.servo_deg(25)
        90.0
        """
        with self._lock:
            return self._pins[self._number(pin)].servo_deg()

    def pixels(self, pin: int | str, bytes_per_pixel: int = 3) -> list[tuple]:
        """Colours of the addressable LEDs (WS2812) on a pin: (red, green, blue), 0 to 255, and white if of four."""
        with self._lock:
            return self._pixels.colours(self._number(pin), bytes_per_pixel)

    def name_pins(self, pins: dict) -> None:
        """Give pins the names of a board's table, so that ``press("BUTTON")`` works; fills :attr:`parts`.

        Parameters
        ----------
        pins : dict
            As :attr:`edgekit.board.profiles.Profile.pins`.
        """
        parts = parts_of(pins)
        names = {part.name: pin_number(part.pin) for part in parts}
        with self._lock:
            self._names, self.parts = names, parts

    def on_change(self, callback: Callable[[str, int], None]) -> None:
        """Call ``callback(kind, pin)`` whenever a pin changes: ``"pin"`` its level, ``"pwm"``, ``"pixels"``.

        It is called in the thread of whoever made the change, mostly the board's, which waits for it: be quick. It may
        call the world.
        """
        with self._lock:
            self._listeners = [*self._listeners, callback]

    def off_change(self, callback: Callable[[str, int], None]) -> None:
        """Call it no more."""
        with self._lock:
            self._listeners = [one for one in self._listeners if one != callback]

    # Devices

    def attach(self, chip, bus: int = 0, address: int | None = None, cs: int | str | None = None) -> None:
        """Connect a chip to an I2C bus, or to SPI.

        Parameters
        ----------
        chip
            As :mod:`edgekit.simulator.chips` says; such as :class:`edgekit.simulator.chips.mpu6050.MPU6050`.
        bus : int
            Number of the I2C bus.
        address : int, optional
            7 bits; default: the chip's own.
        cs : int or str, optional
            For SPI: the pin that selects it, whatever bus the board then uses.

        Raises
        ------
        DataError
            The address or the pin is taken.
        """
        with self._changing():
            if cs is not None:
                number = self._number(cs)
                self._spi.attach(chip, number, self._pins[number].driven())
            else:
                self._i2c.attach(chip, bus, chip.ADDRESS if address is None else address)

    def detach(self, bus: int = 0, address: int | None = None, cs: int | str | None = None) -> None:
        """Disconnect the chip at an address, or the one that a pin selects."""
        with self._changing():
            if cs is not None:
                self._spi.detach(self._number(cs))
            else:
                self._i2c.detach(bus, address)

    def chips(self) -> list[tuple]:
        """(bus, address, chip) of each chip on I2C."""
        with self._lock:
            return self._i2c.chips()

    def devices(self) -> list[tuple]:
        """(device, where) of everything that was connected, where in words: for a drawing."""
        with self._lock:
            found = [(chip, f"address {address:#04x}") for _, address, chip in self._i2c.chips()]
            found += [(chip, f"selected by pin {pin}") for pin, chip in self._spi.devices()]
            found += [(device, f"I2S {where}") for where, device in self._microphones.devices()]
            for room in (self._pins, self._onewire, self._dht, self._analogue):
                found += [(device, f"pin {pin}") for pin, device in room.devices()]
        return found

    def microphone(self, where: int | str, device) -> None:
        """Connect an I2S microphone: to an I2S id, or to its data pin; None disconnects it. Starts with the next I2S."""
        with self._changing():
            self._microphones.attach(device, self._number(where))

    def uart(self, number: int) -> buses.Uart:
        """What is at the other end of a UART: ``send(bytes)``, ``received``, ``on_bytes``."""
        with self._lock:
            return self._uarts[number]

    def onewire(self, pin: int | str, device) -> None:
        """Connect a device to a 1-Wire bus; a bus takes any number. None removes all of them."""
        with self._changing():
            number = self._number(pin)
            if device is None:
                self._onewire.detach(number)
            else:
                self._onewire.attach(number, device)

    def dht(self, pin: int | str, device) -> None:
        """Connect a DHT sensor; None disconnects it."""
        with self._changing():
            self._dht.attach(self._number(pin), device)

    # Faults

    def fault(self, kind: str, **settings) -> None:
        """Let something go wrong, until :meth:`mend`. What each kind is: :data:`edgekit.simulator.faults.FAULTS`.

        ===================  ===============================================================================
        ``"silent"``         the chip at ``address`` does not answer (default: the only one there is)
        ``"stuck"``          I2C bus number ``bus`` is stuck (default: all)
        ``"frozen"``         what is felt of ``quantity`` stays as it is now
        ``"saturated"``      more of ``quantity`` is felt than any chip measures
        ``"serial"``         bytes are lost, see :class:`edgekit.simulator.faults.SerialFault`
        ``"cable"``          the cable is pulled; ``mend("cable")`` plugs it in again
        ``"brown-out"``      the board starts again, at once
        ``"flash full"``     no block of the flash is free
        ===================  ===============================================================================

        Raises
        ------
        DataError
            There is no such fault, or not with these settings.

        Examples
        --------
        >>> world = World()
        >>> world.fault("frozen", quantity="temperature_c")
        >>> world.set(temperature_c=80)
        >>> world.sense("temperature_c", 0)
        25.0
        """
        faults.check(kind, settings)
        if kind in faults.OF_THE_BOARD:
            if self._board_faults is None:
                raise DataError(f"The fault {kind!r} needs a simulated board in this world: "
                                "board = edgekit.connect('sim'), then board.world.fault(...).")
            # Not under the lock: the engine's thread may wait for it.
            self._board_faults.fault(kind, settings)
        else:
            with self._changing():
                getattr(self, f"_fault_{kind}")(**settings)
        with self._lock:
            if kind != "brown-out":  # over as soon as it has happened
                self._faults.setdefault(kind, []).append(dict(settings))

    def mend(self, kind: str | None = None) -> None:
        """Undo all faults of a kind; None: all faults."""
        if kind is not None:
            faults.check(kind, {})
        for one in (list(self.faults) if kind is None else [kind]):
            if one in faults.OF_THE_BOARD:
                if self._board_faults is not None:
                    self._board_faults.mend(one)
            else:
                with self._changing():
                    self._mend(one)
            with self._lock:
                self._faults.pop(one, None)

    @property
    def faults(self) -> dict[str, list[dict]]:
        """The faults that there are now: settings of each, by kind."""
        with self._lock:
            return {kind: list(settings) for kind, settings in self._faults.items()}

    def power_on(self) -> None:
        """The power comes: the board's clock is at 0, chips forget their settings. The world's clock goes on."""
        with self._changing():
            self._offset_us = self._clock()
            self._reset()
            for device, _ in self.devices():
                if hasattr(device, "power_on"):
                    device.power_on(self._clock())

    def connect_board(self, board_faults) -> None:
        """A simulated board is in this world: ``board_faults.fault(kind, settings)`` and ``.mend(kind)`` reach it."""
        self._board_faults = board_faults

    def _fault_silent(self, address=None):
        there = {a for _, a, _ in self._i2c.chips()}
        if address is None and len(there) == 1:
            address = there.pop()
        elif address is None:
            raise DataError(self._i2c.no_chip("was named, and there is not just one: say address=0x68, for example"))
        elif address not in there:
            raise DataError(self._i2c.no_chip(f"at address {address:#04x}"))
        self._i2c.silent.add(address)

    def _fault_stuck(self, bus=None):
        self._i2c.stuck |= {0, 1} if bus is None else {bus}

    def _fault_frozen(self, quantity=None):
        self._faulty(quantity, "frozen").freeze(self._clock())

    def _fault_saturated(self, quantity=None):
        self._faulty(quantity, "saturated").saturate()

    def _faulty(self, quantity, kind):
        if quantity is None:
            raise DataError(f"Say what is {kind}: world.fault({kind!r}, quantity='accel_g'); there are "
                            f"{', '.join(QUANTITIES)}.")
        return self._quantities[quantity]

    def _mend(self, kind):
        if kind == "silent":
            self._i2c.silent.clear()
        elif kind == "stuck":
            self._i2c.stuck.clear()
        else:
            for source in self._quantities:
                source.mend(kind)

    # What the board asks

    def transaction(self, request: bytes) -> bytes:
        """Answer one request of the board, in the format of :mod:`edgekit.simulator.bus`."""
        with self._holding():
            op, time_us, args, data = bus.take_apart(request)
            pins = self._pins
            payload, number = b"", 0
            try:
                time_us += self._offset_us
                if op == bus.RESET and time_us < pins.now_us:
                    self._offset_us += pins.now_us - time_us
                    time_us = pins.now_us
                if time_us > pins.now_us:
                    pins.advance(time_us)
                if op == bus.SLEEP_UNTIL:
                    payload = self._reached(pins.sleep_until(args[0] + self._offset_us))
                else:
                    payload = self._answers[op](args, data)
                    if op == bus.PULSE:
                        payload += self._reached(pins.now_us)
                    if op in _TOUCHING:
                        pins.touched()
            except OSError as error:
                number = error.errno or bus.EIO
            except Exception as error:
                # A notebook's own function failed. The board must get an answer, or it would wait for ever.
                warnings.warn(f"The simulated world failed: {type(error).__name__}: {error}", stacklevel=2)
                number = bus.EIO
            # Nobody reads the answer to a note: interrupts that are due wait for the next request.
            irqs = () if op == bus.NOTE_TIME else pins.take_irqs()
            return bus.answer(b"" if number else payload, number, irqs)

    def _reset(self, *_):
        self._pins.reset()
        self._microphones.reset()
        return b""

    def _reached(self, time_us):
        return (time_us - self._offset_us).to_bytes(8, "little")

    # Inside

    def _number(self, pin):
        if isinstance(pin, str) and pin in self._names:
            return self._names[pin]
        return pin_number(pin)

    def _changed(self, kind, pin):
        for listener in self._listeners:
            self._call_later(listener, kind, pin)

    def _call_later(self, function, *args):
        self._later.append((function, args))

    def _holding(self):
        return _Holding(self)

    def _changing(self):
        """Hold the lock, and let every chip take the samples that were due before the change."""
        return _Holding(self, catch_up=True)

    def _catch_up(self):
        now_us = self._clock()
        for chip in (*(chip for _, _, chip in self._i2c.chips()), *self._spi.chips()):
            if hasattr(chip, "catch_up"):
                try:
                    chip.catch_up(now_us)
                except Exception as error:
                    # A function of a notebook failed; it must not hinder the call that puts it right.
                    warnings.warn(f"The simulated world failed: {type(error).__name__}: {error}", stacklevel=4)


class _Holding:
    """Hold the world's lock; make the calls that came up meanwhile when it is free again."""

    __slots__ = ("_world", "_catch_up")

    def __init__(self, world, catch_up=False):
        self._world = world
        self._catch_up = catch_up

    def __enter__(self):
        world = self._world
        world._lock.acquire()
        world._depth += 1
        if self._catch_up:
            world._catch_up()

    def __exit__(self, *_):
        world = self._world
        if self._catch_up:
            world._pins.forget_ahead()
        world._depth -= 1
        later = ()
        if world._later and world._depth == 0:
            later, world._later = world._later, []
        world._lock.release()
        for function, args in later:
            try:
                function(*args)
            except Exception as error:
                warnings.warn(f"A function that listens to the simulated world failed: {type(error).__name__}: "
                              f"{error}", stacklevel=3)
