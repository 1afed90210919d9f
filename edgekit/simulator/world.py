"""What the simulated board senses and moves: physical quantities over time, pins, and chips on its buses.

The board asks with the requests of :mod:`edgekit.simulator.bus`; a notebook, a widget or a test changes the world at
the same time. Quantities are physical (g, degrees per second, volts): the chips turn them into counts.
"""

import bisect
import errno
import math
import threading
import warnings
from collections.abc import Callable

import numpy as np

from edgekit.errors import DataError
from edgekit.simulator import bus

__all__ = ["World", "pin_number"]

MOTION_CHANNELS = ("ax", "ay", "az", "gx", "gy", "gz")

_TO_G = {"g": 1.0, "m/s2": 1 / 9.80665, "m/s^2": 1 / 9.80665, "m/s²": 1 / 9.80665}
_TO_DPS = {"dps": 1.0, "deg/s": 1.0, "°/s": 1.0, "rad/s": 180 / math.pi}
_TO_VOLTS = {"V": 1.0, "v": 1.0, "mV": 1e-3}

# Volts at which the converter reaches its largest number, for each attenuation in dB. Idealised: a real ESP32 is
# bent at both ends and differs from chip to chip.
_ADC_FULL_SCALE_V = {0: 1.1, 2: 1.5, 6: 2.2, 11: 3.3}
_SUPPLY_V = 3.3
_ADC_BITS = 12

_SERVO_US = (500, 2500)  # pulses at which a servo is at 0 and at 180 degrees


class World:
    """The surroundings of one simulated board.

    Parameters
    ----------
    seed : int
        Seed of all noise. The same seed and the same times give the same values.

    Examples
    --------
    >>> world = World()
    >>> world.set(accel_g=(0, 1, 0))       # the board stands on its edge
    >>> world.sense_motion(0)
    ((0.0, 1.0, 0.0), (0.0, 0.0, 0.0), 25.0)
    """

    def __init__(self, seed: int = 0):
        self._lock = threading.RLock()
        self._seed = seed
        self._now_us = 0
        self._constant = {"accel_g": (0.0, 0.0, 1.0), "gyro_dps": (0.0, 0.0, 0.0), "temperature_c": 25.0}
        self._noise = {"accel_g": 0.0, "gyro_dps": 0.0, "volts": 0.0}
        self._bias = {"accel_g": (0.0, 0.0, 0.0), "gyro_dps": (0.0, 0.0, 0.0)}
        self._playing = []
        self._volts = {}
        self._pins = {}
        self._events = []  # (time_us, order, pin, level), sorted
        self._event_count = 0
        self._due_irqs = []
        self._chips = {}
        self._silent = set()

    @classmethod
    def with_motion_sensor(cls, seed: int = 0) -> "World":
        """A world with an MPU6050 at address 0x68, whichever of its two I2C buses the board uses."""
        from edgekit.simulator.chips.mpu6050 import MPU6050
        world = cls(seed)
        chip = MPU6050(world.sense_motion)
        for bus_number in (0, 1):
            world.attach(chip, bus_number)
        return world

    # Time

    @property
    def time_s(self) -> float:
        """The board's clock in seconds, as the board last told it."""
        return self._now_us / 1e6

    # Motion

    def set(self, accel_g=None, gyro_dps=None, temperature_c=None) -> None:
        """Hold the sensor still: constants, until they are set again or while no recording plays.

        Parameters
        ----------
        accel_g : three numbers, optional
            Acceleration in g; at rest gravity alone: ``(0, 0, 1)``.
        gyro_dps : three numbers, optional
            Turn rate in degrees per second.
        temperature_c : float, optional
        """
        with self._changing():
            for name, value in (("accel_g", accel_g), ("gyro_dps", gyro_dps)):
                if value is not None:
                    self._constant[name] = _three(name, value)
            if temperature_c is not None:
                self._constant["temperature_c"] = float(temperature_c)

    def play(self, recording, loop: bool = False, at_s: float | None = None) -> None:
        """Move the sensor as a recording says: each sample is held until the next.

        Parameters
        ----------
        recording : edgekit.recording.Recording
            Channels among ax, ay, az (g or m/s2) and gx, gy, gz (dps or rad/s). Channels that it lacks keep their
            constants.
        loop : bool
            Start again at its end. Otherwise the constants are back then.
        at_s : float, optional
            When it starts, on the board's clock; default: now.

        Raises
        ------
        DataError
            The recording has other channels or units.
        """
        playing = _Playing(recording, loop, MOTION_CHANNELS)
        with self._changing():
            playing.start_us = self._now_us if at_s is None else round(at_s * 1e6)
            self._playing = [p for p in self._playing if p.loop or p.stop_us > self._now_us]
            self._playing.append(playing)

    def stop(self) -> None:
        """Stop everything that plays; the constants are back."""
        with self._changing():
            self._playing = []

    def set_noise(self, accel_g: float = 0.0, gyro_dps: float = 0.0, volts: float = 0.0) -> None:
        """Standard deviation of the noise that each reading has on top, per quantity."""
        with self._changing():
            self._noise = {"accel_g": float(accel_g), "gyro_dps": float(gyro_dps), "volts": float(volts)}

    def set_bias(self, accel_g=(0, 0, 0), gyro_dps=(0, 0, 0)) -> None:
        """What the chip reads too much, per axis: no two chips are alike."""
        with self._changing():
            self._bias = {"accel_g": _three("accel_g", accel_g), "gyro_dps": _three("gyro_dps", gyro_dps)}

    def sense_motion(self, time_us: int) -> tuple:
        """What a motion sensor feels at a time.

        Returns
        -------
        accel_g : tuple of three floats
        gyro_dps : tuple of three floats
        temperature_c : float
        """
        with self._lock:
            values = [*self._constant["accel_g"], *self._constant["gyro_dps"]]
            for playing in self._playing:
                playing.put(values, time_us)
            for first, name in ((0, "accel_g"), (3, "gyro_dps")):
                for i, bias in enumerate(self._bias[name]):
                    values[first + i] += bias
            if self._noise["accel_g"] or self._noise["gyro_dps"]:
                draw = np.random.default_rng((self._seed, time_us, 0)).standard_normal(6).tolist()
                for i in range(6):
                    values[i] += draw[i] * self._noise["accel_g" if i < 3 else "gyro_dps"]
            return tuple(values[:3]), tuple(values[3:]), self._constant["temperature_c"]

    # Analogue pins

    def adc(self, pin: int | str, volts) -> None:
        """Put a voltage on an analogue pin.

        Parameters
        ----------
        pin : int or str
            Its number, or its name on an STM32 such as ``"PC13"``.
        volts : float, callable or Recording
            A constant; a function of the board's time in seconds; or a recording of one channel in V or mV, which
            starts now and holds its last value.

        Examples
        --------
        >>> World().adc(34, lambda time_s: 1.65 + math.sin(2 * math.pi * time_s))
        """
        pin = pin_number(pin)
        with self._changing():
            if hasattr(volts, "samples"):
                playing = _Playing(volts, False, volts.channels[:1], _TO_VOLTS)
                playing.start_us = self._now_us
                self._volts[pin] = playing.hold
            elif isinstance(volts, Callable):
                self._volts[pin] = lambda time_us: float(volts(time_us / 1e6))
            else:
                constant = float(volts)
                self._volts[pin] = lambda time_us: constant

    def volts(self, pin: int | str, time_us: int | None = None) -> float:
        """Voltage on an analogue pin, noise included; an open pin has 0 V."""
        pin = pin_number(pin)
        with self._lock:
            time_us = self._now_us if time_us is None else time_us
            volts = self._volts[pin](time_us) if pin in self._volts else 0.0
            if self._noise["volts"]:
                volts += self._noise["volts"] * np.random.default_rng((self._seed, time_us, 1 + pin)).standard_normal()
            return volts

    # Digital pins

    def press(self, pin: int | str, at_s: float | None = None) -> None:
        """Press a button: it connects the pin with ground, so the board reads 0.

        Parameters
        ----------
        pin : int
        at_s : float, optional
            When, on the board's clock; default: now.
        """
        self.drive(pin, 0, at_s)

    def release(self, pin: int | str, at_s: float | None = None) -> None:
        """Let a button go: nothing drives the pin, its pull resistor decides."""
        self.drive(pin, None, at_s)

    def drive(self, pin: int | str, level: int | None, at_s: float | None = None) -> None:
        """Drive a pin from outside: 1, 0, or None for nothing connected."""
        if level not in (0, 1, None):
            raise DataError(f"A pin is driven to 0, 1 or None (nothing connected), found {level!r}.")
        pin = pin_number(pin)
        with self._changing():
            time_us = self._now_us if at_s is None else round(at_s * 1e6)
            self._event_count += 1
            bisect.insort(self._events, (time_us, self._event_count, pin, level))
            self._advance(self._now_us)

    def pin(self, pin: int | str) -> int:
        """Level of a pin now: 0 or 1."""
        with self._lock:
            return self._pin(pin).level

    def pin_history(self, pin: int | str) -> list[tuple[float, int]]:
        """Every change of a pin's level since power-on.

        Returns
        -------
        list of (time_s, level)
        """
        with self._lock:
            return list(self._pin(pin).history)

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
            return self._pin(pin).pwm

    def pwm_history(self, pin: int | str) -> list[tuple[float, int, float]]:
        """Every change of a pin's PWM since power-on.

        Returns
        -------
        list of (time_s, freq_hz, duty)
            ``freq_hz`` is 0 where PWM was switched off.
        """
        with self._lock:
            return list(self._pin(pin).pwm_history)

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
        freq_hz, duty = self.pwm(pin) or (0, 0.0)
        if not 0 < duty < 1:
            return None
        first_us, last_us = _SERVO_US
        deg = (duty / freq_hz * 1e6 - first_us) / (last_us - first_us) * 180
        return max(0.0, min(180.0, deg))

    # Chips

    def attach(self, chip, bus: int = 0, address: int | None = None) -> None:
        """Connect a chip to an I2C bus.

        Parameters
        ----------
        chip
            Has ``write(data, time_us) -> int`` and ``read(count, time_us) -> bytes``, and ``ADDRESS`` if no address is
            given; such as :class:`edgekit.simulator.chips.mpu6050.MPU6050`.
        bus : int
            Number of the bus.
        address : int, optional
            7 bits.
        """
        address = chip.ADDRESS if address is None else address
        with self._lock:
            if (bus, address) in self._chips:
                raise DataError(f"I2C bus {bus} has a chip at address {address:#04x} already; two cannot share one. "
                                "Detach it first, or give the new one another address.")
            self._chips[bus, address] = chip

    def detach(self, bus: int, address: int) -> None:
        """Disconnect the chip at an address."""
        with self._lock:
            if (bus, address) not in self._chips:
                raise DataError(self._no_chip(f"on bus {bus} at address {address:#04x}"))
            del self._chips[bus, address]

    def fault(self, address: int = 0x68) -> None:
        """Cut a chip's wire: it does not answer, on any bus, until :meth:`mend`."""
        with self._lock:
            if not any(address == there for _, there in self._chips):
                raise DataError(self._no_chip(f"at address {address:#04x}"))
            self._silent.add(address)

    def mend(self, address: int = 0x68) -> None:
        """Undo :meth:`fault`."""
        with self._lock:
            self._silent.discard(address)

    def _no_chip(self, where):
        there = ", ".join(f"bus {b} address {a:#04x}" for b, a in sorted(self._chips)) or "none"
        return f"No I2C chip {where}. Chips there: {there}."

    # What the board asks

    def transaction(self, request: bytes) -> bytes:
        """Answer one request of the board, in the format of :mod:`edgekit.simulator.bus`."""
        with self._lock:
            asked = bus.parse(request)
            try:
                if asked.op == bus.SLEEP_UNTIL:
                    payload = self._sleep_until(max(self._now_us, asked.time_us), *asked.args)
                else:
                    self._advance(max(self._now_us, asked.time_us))
                    payload = self._answers[asked.op](self, asked)
            except OSError as error:
                return bus.answer(errno=error.errno, irqs=self._take_irqs())
            except Exception as error:
                # A notebook's own function failed. The board must get an answer, or it would wait for ever.
                warnings.warn(f"The simulated world failed: {type(error).__name__}: {error}", stacklevel=2)
                return bus.answer(errno=errno.EIO, irqs=self._take_irqs())
            return bus.answer(payload, irqs=self._take_irqs())

    def _reset(self, _):
        for pin in self._pins.values():
            pin.reset(self._now_us)
        self._due_irqs = []
        return b""

    def _note_time(self, _):
        return b""

    def _sleep_until(self, start_us, until_us):
        self._advance(start_us)
        while not self._due_irqs and self._events and self._events[0][0] <= until_us:
            self._advance(self._events[0][0])
        if not self._due_irqs:
            self._advance(max(until_us, start_us))
        return self._now_us.to_bytes(8, "little")

    def _pin_mode(self, asked):
        number, mode, pull = asked.args
        pin = self._pin(number)
        pin.mode, pin.pull = mode, pull
        pin.set_pwm(self._now_us, None)  # as on an ESP32: a mode takes the pin away from the PWM unit
        self._pin_moved(number, self._now_us)
        return b""

    def _pin_set(self, asked):
        number, value = asked.args
        self._pin(number).output = value
        self._pin_moved(number, self._now_us)
        return b""

    def _pin_get(self, asked):
        return bytes((self._pin(asked.args[0]).level,))

    def _pin_irq(self, asked):
        number, edges = asked.args
        self._pin(number).irq_edges = edges
        return b""

    def _pwm_set(self, asked):
        number, freq_hz, duty_u16 = asked.args
        duty = 1.0 if duty_u16 == 65535 else duty_u16 / 65536
        self._pin(number).set_pwm(self._now_us, (freq_hz, duty) if freq_hz else None)
        return b""

    def _adc_read(self, asked):
        number, attenuation_db = asked.args
        largest = (1 << _ADC_BITS) - 1
        full_scale_v = _ADC_FULL_SCALE_V.get(attenuation_db, _SUPPLY_V)
        count = round(self.volts(number, self._now_us) / full_scale_v * largest)
        count = max(0, min(largest, count))
        # As MicroPython does it: 12 bits become 16 by repeating the top ones, so that full scale is 65535.
        raw = count << 4 | count >> 8
        microvolts = round(count / largest * full_scale_v * 1e6)
        return raw.to_bytes(2, "little") + microvolts.to_bytes(4, "little", signed=True)

    def _i2c_scan(self, asked):
        number = asked.args[0]
        return bytes(sorted({address for (b, address) in self._chips
                             if number in (b, bus.SOFT_BUS) and address not in self._silent}))

    def _i2c_write(self, asked):
        number, _, _, address, _ = asked.args
        return self._chip(number, address).write(asked.data, self._now_us).to_bytes(2, "little")

    def _i2c_read(self, asked):
        number, _, _, address, _, count = asked.args
        return self._chip(number, address).read(count, self._now_us)

    def _i2c_write_read(self, asked):
        number, _, _, address, count = asked.args
        chip = self._chip(number, address)
        chip.write(asked.data, self._now_us)
        return chip.read(count, self._now_us)

    _answers = {
        bus.RESET: _reset, bus.NOTE_TIME: _note_time, bus.PIN_MODE: _pin_mode, bus.PIN_SET: _pin_set,
        bus.PIN_GET: _pin_get, bus.PIN_IRQ: _pin_irq, bus.ADC_READ: _adc_read, bus.I2C_SCAN: _i2c_scan,
        bus.I2C_WRITE: _i2c_write, bus.I2C_READ: _i2c_read, bus.I2C_WRITE_READ: _i2c_write_read,
        bus.PWM_SET: _pwm_set,
    }

    def _chip(self, number, address):
        for (b, a), chip in self._chips.items():
            # A soft bus uses the same wires as one of the others.
            if a == address and number in (b, bus.SOFT_BUS) and a not in self._silent:
                return chip
        raise OSError(errno.ENODEV, "no chip answers")

    def _pin(self, number):
        return self._pins.setdefault(pin_number(number), _Pin())

    def _pin_moved(self, number, time_us):
        edge = self._pin(number).settle(time_us)
        if edge:
            self._due_irqs.append((number, edge))

    def _advance(self, time_us):
        while self._events and self._events[0][0] <= time_us:
            event_us, _, number, level = self._events.pop(0)
            self._pin(number).outside = level
            self._pin_moved(number, max(event_us, self._now_us))
        self._now_us = max(self._now_us, time_us)

    def _take_irqs(self):
        irqs, self._due_irqs = self._due_irqs[:255], self._due_irqs[255:]
        return irqs

    def _changing(self):
        """Hold the lock, and let every chip take the samples that were due before the change."""
        return _Changing(self)


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


class _Changing:
    def __init__(self, world):
        self._world = world

    def __enter__(self):
        world = self._world
        world._lock.acquire()
        for chip in world._chips.values():
            if hasattr(chip, "catch_up"):
                chip.catch_up(world._now_us)

    def __exit__(self, *_):
        self._world._lock.release()


class _Pin:
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
        self._forget()
        self.settle(time_us)
        self.set_pwm(time_us, None)

    def set_pwm(self, time_us, pwm):
        """``pwm`` is (freq_hz, duty), or None for off; note a change."""
        if pwm != self.pwm:
            self.pwm = pwm
            self.pwm_history.append((time_us / 1e6, *(pwm or (0, 0.0))))

    def settle(self, time_us):
        """Find the level; note a change. Returns the edge if it raises an interrupt, else 0."""
        driven = self.mode == bus.MODE_OUT or (self.mode == bus.MODE_OPEN_DRAIN and self.output == 0)
        if driven:
            level = self.output
        elif self.outside is not None:
            level = self.outside
        else:
            level = int(self.pull == bus.PULL_UP)
        if level == self.level:
            return 0
        self.level = level
        self.history.append((time_us / 1e6, level))
        return (bus.EDGE_RISING if level else bus.EDGE_FALLING) & self.irq_edges


class _Playing:
    """A recording that moves some channels, from ``start_us`` on."""

    def __init__(self, recording, loop, channels, units=None):
        found = [(channels.index(name), i) for i, name in enumerate(recording.channels) if name in channels]
        if not found:
            raise DataError(f"The recording has channels {', '.join(recording.channels)}; "
                            f"expected some of {', '.join(channels)}.")
        self.loop = loop
        self.start_us = 0
        self._columns = [column for column, _ in found]
        picked = []
        for column, i in found:
            known = units or (_TO_G if column < 3 else _TO_DPS)
            unit = recording.units[i]
            if unit not in known:
                raise DataError(f"Channel {recording.channels[i]} is in {unit or 'no unit'!r}; "
                                f"expected one of {', '.join(known)}.")
            # float64: int16 counts come back from it to the last bit.
            picked.append(recording.samples[:, i].astype(np.float64) * recording.scale[i] * known[unit])
        self._rows = np.stack(picked, axis=1).tolist()
        self._rate_hz = recording.rate_hz

    @property
    def stop_us(self):
        return self.start_us + len(self._rows) / self._rate_hz * 1e6

    def put(self, values, time_us):
        """Overwrite the channels that play at this time."""
        index = math.floor((time_us - self.start_us) * self._rate_hz / 1e6)
        if self.loop and index >= 0:
            index %= len(self._rows)
        if 0 <= index < len(self._rows):
            for column, value in zip(self._columns, self._rows[index], strict=True):
                values[column] = value

    def hold(self, time_us):
        """The one channel's value; before the first sample the first, after the last the last."""
        index = math.floor((time_us - self.start_us) * self._rate_hz / 1e6)
        return self._rows[max(0, min(len(self._rows) - 1, index))][0]


def _three(name, value):
    try:
        x, y, z = (float(v) for v in value)
    except (TypeError, ValueError):
        raise DataError(f"{name} is three numbers, one for each axis, for example (0, 0, 1); "
                        f"found {value!r}.") from None
    return (x, y, z)
