"""The buses of the simulated board, and who answers on them: I2C, SPI, I2S, UART, 1-Wire, DHT, addressable LEDs.

Errors are those of MicroPython on an ESP32, with MicroPython's numbers, whatever this computer's are.
"""

from collections.abc import Callable

import numpy as np

from edgekit.errors import DataError
from edgekit.simulator import bus

__all__ = ["I2C", "SPI", "DHT", "Microphones", "OneWire", "Pixels", "Uart", "Uarts"]


class I2C:
    """The I2C buses.

    Attributes
    ----------
    silent : set of int
        Addresses that do not answer: a fault.
    stuck : set of int
        Buses whose SDA is held low: a fault.
    """

    def __init__(self, clock: Callable):
        self._clock = clock
        self._chips = {}  # (bus, address): chip
        self.silent = set()
        self.stuck = set()

    def attach(self, chip, number: int, address: int) -> None:
        """Connect a chip."""
        if not 0 <= address < 128:
            raise DataError(f"An I2C address has 7 bits, 0 to 0x7f; found {address:#x}.")
        if (number, address) in self._chips:
            raise DataError(f"I2C bus {number} has a chip at address {address:#04x} already; two cannot share one. "
                            "Detach it first, or give the new one another address.")
        self._chips[number, address] = chip

    def detach(self, number: int, address: int) -> None:
        """Disconnect the chip at an address."""
        if (number, address) not in self._chips:
            raise DataError(self.no_chip(f"on bus {number} at address {address:#04x}"))
        del self._chips[number, address]

    def chips(self) -> list:
        """(bus, address, chip) of each."""
        return [(number, address, chip) for (number, address), chip in self._chips.items()]

    def no_chip(self, where: str) -> str:
        """What to say when nobody is there."""
        there = ", ".join(f"bus {b} address {a:#04x}" for b, a in sorted(self._chips)) or "none"
        return f"No I2C chip {where}. Chips there: {there}."

    def _chip(self, number, address):
        """The chip that answers. A stuck bus: None for SoftI2C, a time-out for the peripheral."""
        if self.stuck and (number in self.stuck or number == bus.SOFT_BUS):
            if number == bus.SOFT_BUS:
                return None
            raise OSError(bus.ETIMEDOUT, "SDA is held low")
        if number == bus.SOFT_BUS:
            # A soft bus uses the same wires as one of the others.
            for (_, a), chip in self._chips.items():
                if a == address and a not in self.silent:
                    return chip
        elif (number, address) in self._chips and address not in self.silent:
            return self._chips[number, address]
        raise OSError(bus.ENODEV, "no chip answers")

    def _scan(self, args, _):
        number = args[0]
        if self.stuck and (number in self.stuck or number == bus.SOFT_BUS):
            # MicroPython's own loop over the wires takes the low SDA for an acknowledge, at every address.
            return bytes(range(0x08, 0x78)) if number == bus.SOFT_BUS else b""
        return bytes(sorted({address for (b, address) in self._chips
                             if number in (b, bus.SOFT_BUS) and address not in self.silent}))

    def _write(self, args, data):
        chip = self._chip(args[0], args[3])
        count = chip.write(data, self._clock()) if chip else len(data)
        return count.to_bytes(2, "little")

    def _read(self, args, _):
        chip = self._chip(args[0], args[3])
        return chip.read(args[5], self._clock()) if chip else bytes(args[5])

    def _write_read(self, args, data):
        chip = self._chip(args[0], args[3])
        if chip is None:
            return bytes(args[4])
        time_us = self._clock()
        chip.write(data, time_us)
        return chip.read(args[4], time_us)

    @property
    def answers(self) -> dict:
        """What answers each op: a function of its arguments and data."""
        return {bus.I2C_SCAN: self._scan, bus.I2C_WRITE: self._write, bus.I2C_READ: self._read,
                bus.I2C_WRITE_READ: self._write_read}


# A byte with its bits in the other order.
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_LSB_FIRST = 4


class SPI:
    """The SPI chips. Each is chosen by its chip-select pin alone, on whichever bus the board talks."""

    def __init__(self, clock: Callable):
        self._clock = clock
        self._chips = {}  # pin: chip
        self._selected = set()

    def attach(self, chip, pin: int, level: int | None) -> None:
        """Connect a chip; ``level`` is what the board drives its chip-select pin to now."""
        if pin in self._chips:
            raise DataError(f"Pin {pin} selects a chip already; two cannot share one. Detach it first: "
                            f"world.detach(cs={pin}).")
        self._chips[pin] = chip
        self.select(pin, level)

    def detach(self, pin: int) -> None:
        """Disconnect a chip."""
        if pin not in self._chips:
            there = ", ".join(map(str, sorted(self._chips))) or "none"
            raise DataError(f"No SPI chip is selected by pin {pin}. Pins that select one: {there}.")
        del self._chips[pin]
        self._selected.discard(pin)

    def chips(self) -> list:
        """All of them."""
        return list(self._chips.values())

    def devices(self) -> list:
        """(pin, chip) of each."""
        return list(self._chips.items())

    def select(self, pin: int, level: int | None) -> None:
        """The board drives a pin, or stops to (None: a resistor pulls it up)."""
        chip = self._chips.get(pin)
        if chip is None or (level == 0) == (pin in self._selected):
            return
        if level == 0:
            self._selected.add(pin)
            chip.select(self._clock())
        else:
            self._selected.discard(pin)
            chip.deselect(self._clock())

    def _transfer(self, args, data):
        if args[5] & _LSB_FIRST:
            data = data.translate(_REVERSED)
        time_us = self._clock()
        out = None
        for pin in sorted(self._selected):
            reply = self._chips[pin].transfer(data, time_us)
            # Two chips at once fight for the wire; the one that pulls down wins.
            out = reply if out is None else bytes(a & b for a, b in zip(out, reply, strict=True))
        if out is None:
            out = b"\xff" * len(data)
        return out.translate(_REVERSED) if args[5] & _LSB_FIRST else out

    @property
    def answers(self) -> dict:
        """What answers each op: a function of its arguments and data."""
        return {bus.SPI_TRANSFER: self._transfer}


class Microphones:
    """The I2S inputs. Without a microphone the data wire is low: zeros."""

    def __init__(self, clock: Callable):
        self._clock = clock
        self._devices = {}  # id or data pin: device
        self._running = {}  # id: (device, start_us, rate_hz, bits, channels)

    def attach(self, device, where: int) -> None:
        """Connect a microphone to an I2S id, or to its data pin; None disconnects it."""
        if device is None:
            self._devices.pop(where, None)
        else:
            self._devices[where] = device

    def devices(self) -> list:
        """(where, device) of each."""
        return list(self._devices.items())

    def reset(self) -> None:
        """The board starts: no input runs."""
        self._running.clear()

    def _start(self, args, _):
        number, _, _, sd, rate_hz, bits, channels = args
        if rate_hz == 0 or bits not in (16, 32) or channels not in (1, 2):
            raise OSError(bus.EINVAL, "I2S with another format")
        self._running[number] = (self._devices.get(sd, self._devices.get(number)), self._clock(), rate_hz, bits,
                                 channels)
        return b""

    def _read(self, args, _):
        number, first, frames = args
        if number not in self._running:
            raise OSError(bus.EINVAL, "I2S was not started")
        device, start_us, rate_hz, bits, channels = self._running[number]
        if device is None or frames == 0:
            return bytes(frames * channels * bits // 8)
        slots = device.record(start_us + first * 1e6 / rate_hz, rate_hz, frames)[:, :channels]
        if bits == 16:
            return (slots >> 16).astype("<i2").tobytes()
        return slots.astype("<i4").tobytes()

    @property
    def answers(self) -> dict:
        """What answers each op: a function of its arguments and data."""
        return {bus.I2S_START: self._start, bus.I2S_READ: self._read}


class Uart:
    """What is at the other end of a UART: a GPS, a second board, a test. Its bytes take no time on the wire.

    Attributes
    ----------
    received : bytearray
        What the board wrote; take what you have seen out of it.
    on_bytes : callable or None
        ``on_bytes(data)`` gets what the board writes, at once. It may call :meth:`send`.
    baud : int or None
        What the board set; None until it has.
    """

    def __init__(self):
        self.received = bytearray()
        self.on_bytes = None
        self.baud = None
        self._to_board = bytearray()

    def send(self, data: bytes) -> None:
        """Let the board receive bytes; beyond 64 kB the oldest wait no longer."""
        self._to_board += data
        del self._to_board[:-0xFFFF]

    def take(self, count: int) -> bytes:
        """What the board takes of that."""
        data = bytes(self._to_board[:count])
        del self._to_board[:count]
        return data

    @property
    def waiting(self) -> int:
        """Bytes that the board has not taken yet."""
        return len(self._to_board)


class Uarts:
    """The UARTs, by id.

    Parameters
    ----------
    later : callable
        ``later(function, *args)`` calls it when the world's lock is free.
    """

    def __init__(self, later: Callable):
        self._later = later
        self._uarts = {}

    def __getitem__(self, number: int) -> Uart:
        return self._uarts.setdefault(number, Uart())

    def _start(self, args, _):
        self[args[0]].baud = args[3]
        return b""

    def _write(self, args, data):
        uart = self[args[0]]
        uart.received += data
        if uart.on_bytes:
            self._later(uart.on_bytes, data)
        return b""

    def _any(self, args, _):
        return self[args[0]].waiting.to_bytes(2, "little")

    def _read(self, args, _):
        return self[args[0]].take(args[1])

    @property
    def answers(self) -> dict:
        """What answers each op: a function of its arguments and data."""
        return {bus.UART_START: self._start, bus.UART_WRITE: self._write, bus.UART_ANY: self._any,
                bus.UART_READ: self._read}


class OneWire:
    """The 1-Wire buses: any number of devices on a pin. A 0 of one of them is a 0 on the wire."""

    def __init__(self, clock: Callable):
        self._clock = clock
        self._devices = {}  # pin: list

    def attach(self, pin: int, device) -> None:
        """Connect a device."""
        self._devices.setdefault(pin, []).append(device)

    def detach(self, pin: int) -> None:
        """Disconnect all devices of a pin."""
        self._devices.pop(pin, None)

    def devices(self) -> list:
        """(where, device) of each."""
        return [(pin, device) for pin, devices in self._devices.items() for device in devices]

    def _reset(self, args, _):
        # All of them see the reset pulse, so all are asked.
        return bytes((any([device.reset(self._clock()) for device in self._devices.get(args[0], ())]),))

    def _write(self, args, _):
        pin, bits, value = args
        for i in range(bits):
            for device in self._devices.get(pin, ()):
                device.write_bit(value >> i & 1, self._clock())
        return b""

    def _read(self, args, _):
        pin, bits = args
        value = 0
        for i in range(bits):
            value |= min((device.read_bit(self._clock()) for device in self._devices.get(pin, ())), default=1) << i
        return bytes((value,))

    @property
    def answers(self) -> dict:
        """What answers each op: a function of its arguments and data."""
        return {bus.ONEWIRE_RESET: self._reset, bus.ONEWIRE_WRITE: self._write, bus.ONEWIRE_READ: self._read}


class DHT:
    """The DHT sensors, one on a pin."""

    def __init__(self, clock: Callable):
        self._clock = clock
        self._devices = {}

    def attach(self, pin: int, device) -> None:
        """Connect a sensor; None disconnects it."""
        if device is None:
            self._devices.pop(pin, None)
        else:
            self._devices[pin] = device

    def devices(self) -> list:
        """(where, device) of each."""
        return list(self._devices.items())

    def _read(self, args, _):
        if args[0] not in self._devices:
            raise OSError(bus.ETIMEDOUT, "no DHT sensor answers")
        return self._devices[args[0]].measure(self._clock())

    @property
    def answers(self) -> dict:
        """What answers each op: a function of its arguments and data."""
        return {bus.DHT_READ: self._read}


class Pixels:
    """Addressable LEDs (WS2812): what was last sent to a pin.

    Parameters
    ----------
    on_change : callable
        ``on_change("pixels", pin)``.
    """

    def __init__(self, on_change: Callable):
        self._on_change = on_change
        self._sent = {}

    def colours(self, pin: int, bytes_per_pixel: int = 3) -> list:
        """(red, green, blue) or (red, green, blue, white) of each, 0 to 255; the wire has green first."""
        data = np.frombuffer(self._sent.get(pin, b""), np.uint8)
        whole = data[:len(data) // bytes_per_pixel * bytes_per_pixel].reshape(-1, bytes_per_pixel)
        return [tuple(pixel) for pixel in whole[:, [1, 0, *range(2, bytes_per_pixel)]].tolist()]

    def _bits(self, args, data):
        pin = args[0]
        if self._sent.get(pin) != data:
            # The first LED keeps the first bytes; LEDs beyond the end of the message keep what they show.
            self._sent[pin] = data + self._sent.get(pin, b"")[len(data):]
            self._on_change("pixels", pin)
        return b""

    @property
    def answers(self) -> dict:
        """What answers each op: a function of its arguments and data."""
        return {bus.BITSTREAM: self._bits}
