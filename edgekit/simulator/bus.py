"""The wire between the simulated board and the simulated world: requests and answers.

The engine (``host.mjs`` with ``rom/``) sends one request for each thing that a program does to the outside;
:meth:`edgekit.simulator.world.World.transaction` answers it. All numbers are little endian.

Request
    ``op`` u8, ``time_us`` u64 (the board's clock, microseconds since power-on), then the arguments of the op.
Answer
    ``errno`` u8 (0: fine; else the board raises ``OSError(errno)``), ``count`` u8, ``count`` times
    (``pin`` u8, ``edge`` u8): interrupts that are due; then the payload of the op.

====================  ===========================================================  =============================
op                    arguments                                                    payload of the answer
====================  ===========================================================  =============================
``RESET``             none; the board starts (again): forget modes and interrupts  none
``SLEEP_UNTIL``       ``until_us`` u64                                             ``reached_us`` u64
``PIN_MODE``          ``pin`` u8, ``mode`` u8, ``pull`` u8                         none
``PIN_SET``           ``pin`` u8, ``value`` u8                                     none
``PIN_GET``           ``pin`` u8                                                   ``value`` u8
``PIN_IRQ``           ``pin`` u8, ``edges`` u8 (0: off)                            none
``ADC_READ``          ``pin`` u8, ``attenuation_db`` u8                            ``raw`` u16, ``microvolts`` i32
``I2C_SCAN``          ``bus`` u8, ``scl`` u8, ``sda`` u8                           one byte for each address
``I2C_WRITE``         as scan, ``address`` u8, ``stop`` u8, bytes                  ``acknowledged`` u16
``I2C_READ``          as scan, ``address`` u8, ``stop`` u8, ``count`` u16          ``count`` bytes
``I2C_WRITE_READ``    as scan, ``address`` u8, ``count`` u16, bytes to write       ``count`` bytes
``PWM_SET``           ``pin`` u8, ``freq_hz`` u32 (0: off), ``duty_u16`` u16       none
``SPI_TRANSFER``      ``bus`` u8, ``sck`` u8, ``mosi`` u8, ``miso`` u8,            as many bytes
                      ``freq_hz`` u32, ``mode`` u8 (bit 0 phase, 1 polarity,
                      2 LSB first), bytes
``I2S_START``         ``id`` u8, ``sck`` u8, ``ws`` u8, ``sd`` u8, ``rate_hz``     none
                      u32, ``bits`` u8 (16, 32), ``channels`` u8 (1, 2)
``I2S_READ``          ``id`` u8, ``first`` u64 (sample frames since the start),    the frames, little endian
                      ``frames`` u16
``UART_START``        ``id`` u8, ``tx`` u8, ``rx`` u8, ``baud`` u32                none
``UART_WRITE``        ``id`` u8, bytes                                             none
``UART_ANY``          ``id`` u8                                                    ``count`` u16
``UART_READ``         ``id`` u8, ``count`` u16                                     at most ``count`` bytes
``ONEWIRE_RESET``     ``pin`` u8                                                   ``present`` u8
``ONEWIRE_WRITE``     ``pin`` u8, ``bits`` u8 (1, 8), ``value`` u8                 none
``ONEWIRE_READ``      ``pin`` u8, ``bits`` u8 (1, 8)                               ``value`` u8
``DHT_READ``          ``pin`` u8                                                   5 bytes
``BITSTREAM``         ``pin`` u8, bytes                                            none
``PULSE``             ``pin`` u8, ``level`` u8, ``timeout_us`` u32                 ``duration_us`` i32 (-1, -2:
                                                                                   time-out), ``reached_us`` u64
====================  ===========================================================  =============================

``SLEEP_UNTIL`` lets the world move on. It stops at the first event that raises an enabled interrupt and answers
that time and the interrupt, so that the handler runs at the right moment; the board then asks again. Without
such an event ``reached_us`` equals ``until_us``. The board leaves this request out when no interrupt is enabled;
every request carries the time, so the world catches up with the next one. A world does not move backwards.

``NOTE_TIME`` is sent before what a program prints and when the board becomes idle, so that ``world.time_s`` is right for
whoever reads it. Its answer is not read; interrupts that are due wait for the next request.

``duty_u16`` is the part of a period with the pin at 1, in 65536ths; 65535 is all of it.

An SPI chip is chosen by its chip-select pin, a ``Pin`` that the program sets to 0. ``I2S_READ`` asks for frames that
exist already: the board first sleeps until the last of them was taken. ``BITSTREAM`` is what ``machine.bitstream``
sends: the bytes of addressable LEDs.

An address that does not answer is ``ENODEV``, a bus that is stuck ``ETIMEDOUT``: MicroPython's numbers, which differ
from some computers'. ``bus`` is 0 or 1, or ``SOFT_BUS`` for ``SoftI2C``.

Times in requests and answers count from the board's own power-on. A ``RESET`` whose time is before the last request's
says that the board lost its power; the world's clock goes on.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

RESET = 0
SLEEP_UNTIL = 1
NOTE_TIME = 2
PIN_MODE = 3
PIN_SET = 4
PIN_GET = 5
PIN_IRQ = 6
ADC_READ = 7
I2C_SCAN = 8
I2C_WRITE = 9
I2C_READ = 10
I2C_WRITE_READ = 11
PWM_SET = 12
SPI_TRANSFER = 13
I2S_START = 14
I2S_READ = 15
UART_START = 16
UART_WRITE = 17
UART_ANY = 18
UART_READ = 19
ONEWIRE_RESET = 20
ONEWIRE_WRITE = 21
ONEWIRE_READ = 22
DHT_READ = 23
BITSTREAM = 24
PULSE = 25

MODE_IN, MODE_OUT, MODE_OPEN_DRAIN = 0, 1, 2
PULL_NONE, PULL_UP, PULL_DOWN = 0, 1, 2
EDGE_RISING, EDGE_FALLING = 1, 2
SOFT_BUS = 255

EIO, ENODEV, EINVAL, ENOSPC, ETIMEDOUT = 5, 19, 22, 28, 110  # as MicroPython numbers them

_HEAD = struct.Struct("<BQ")
_ARGUMENTS = {
    RESET: (struct.Struct("<"), ()),
    SLEEP_UNTIL: (struct.Struct("<Q"), ("until_us",)),
    NOTE_TIME: (struct.Struct("<"), ()),
    PIN_MODE: (struct.Struct("<BBB"), ("pin", "mode", "pull")),
    PIN_SET: (struct.Struct("<BB"), ("pin", "value")),
    PIN_GET: (struct.Struct("<B"), ("pin",)),
    PIN_IRQ: (struct.Struct("<BB"), ("pin", "edges")),
    ADC_READ: (struct.Struct("<BB"), ("pin", "attenuation_db")),
    I2C_SCAN: (struct.Struct("<BBB"), ("bus", "scl", "sda")),
    I2C_WRITE: (struct.Struct("<BBBBB"), ("bus", "scl", "sda", "address", "stop")),
    I2C_READ: (struct.Struct("<BBBBBH"), ("bus", "scl", "sda", "address", "stop", "count")),
    I2C_WRITE_READ: (struct.Struct("<BBBBH"), ("bus", "scl", "sda", "address", "count")),
    PWM_SET: (struct.Struct("<BIH"), ("pin", "freq_hz", "duty_u16")),
    SPI_TRANSFER: (struct.Struct("<BBBBIB"), ("bus", "sck", "mosi", "miso", "freq_hz", "mode")),
    I2S_START: (struct.Struct("<BBBBIBB"), ("id", "sck", "ws", "sd", "rate_hz", "bits", "channels")),
    I2S_READ: (struct.Struct("<BQH"), ("id", "first", "frames")),
    UART_START: (struct.Struct("<BBBI"), ("id", "tx", "rx", "baud")),
    UART_WRITE: (struct.Struct("<B"), ("id",)),
    UART_ANY: (struct.Struct("<B"), ("id",)),
    UART_READ: (struct.Struct("<BH"), ("id", "count")),
    ONEWIRE_RESET: (struct.Struct("<B"), ("pin",)),
    ONEWIRE_WRITE: (struct.Struct("<BBB"), ("pin", "bits", "value")),
    ONEWIRE_READ: (struct.Struct("<BB"), ("pin", "bits")),
    DHT_READ: (struct.Struct("<B"), ("pin",)),
    BITSTREAM: (struct.Struct("<B"), ("pin",)),
    PULSE: (struct.Struct("<BBI"), ("pin", "level", "timeout_us")),
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request, taken apart.

    Attributes
    ----------
    op : int
        One of the op constants of this module.
    time_us : int
        The board's clock.
    args : tuple of int
        The fixed arguments, in the order of the table above.
    data : bytes
        What follows them: the bytes to write.
    """

    op: int
    time_us: int
    args: tuple
    data: bytes


def take_apart(request: bytes) -> tuple[int, int, tuple, bytes]:
    """Op, time_us, arguments and data of a request: :func:`parse` without a name for each, for the busy world."""
    op, time_us = _HEAD.unpack_from(request)
    layout, _ = _ARGUMENTS[op]
    return op, time_us, layout.unpack_from(request, _HEAD.size), bytes(request[_HEAD.size + layout.size:])


def parse(request: bytes) -> Request:
    """Take a request apart.

    Examples
    --------
    >>> parse(pack(PIN_SET, 1500, 2, 1))
    Request(op=4, time_us=1500, args=(2, 1), data=b'')
    """
    return Request(*take_apart(request))


def pack(op: int, time_us: int, *args: int, data: bytes = b"") -> bytes:
    """Put a request together: what the board does, for tests of a world without a board.

    Raises
    ------
    TypeError
        The op takes another number of arguments; the message names them.
    """
    layout, names = _ARGUMENTS[op]
    if len(args) != len(names):
        raise TypeError(f"bus op {op} takes {names}, got {args}")
    return _HEAD.pack(op, time_us) + layout.pack(*args) + bytes(data)


def answer(payload: bytes = b"", errno: int = 0, irqs: Iterable[tuple[int, int]] = ()) -> bytes:
    """Put an answer together.

    Parameters
    ----------
    payload : bytes
        As the op's row in the table says.
    errno : int
        0, or the number of the ``OSError`` that the board raises.
    irqs : iterable of (pin, edge)
        Interrupts that are due, at most 255.

    Examples
    --------
    >>> answer(b"\\x01", irqs=[(0, EDGE_FALLING)]).hex(" ")
    '00 01 00 02 01'
    """
    irqs = list(irqs)[:255]
    return bytes([errno, len(irqs)]) + bytes(value for irq in irqs for value in irq) + bytes(payload)


def parse_answer(data: bytes) -> tuple[bytes, int, list[tuple[int, int]]]:
    """Take an answer apart: payload, errno, interrupts; the inverse of :func:`answer`."""
    errno, count = data[0], data[1]
    end = 2 + 2 * count
    return bytes(data[end:]), errno, [(data[i], data[i + 1]) for i in range(2, end, 2)]
