"""The serial ports of this computer, and which board is likely on each: guessed from the numbers of its USB chip.

The guess costs nothing and disturbs nothing. Who wants to know asks MicroPython itself: :func:`ask`.
"""

from dataclasses import dataclass

from edgekit.errors import EdgekitError

__all__ = ["Port", "find_ports", "ports_text", "ask"]

MICROPYTHON = "MicroPython"
BOOTLOADER = "bootloader"
OTHER = "another program"

# USB vendor and product number -> (chip or maker, boards that have it, what runs there if the number says so).
# A bridge chip has one number whatever runs behind it. Numbers of MicroPython's ports: their mpconfigboard.h and
# mpconfigport.h; of Espressif's chips: the list of allocated product numbers; of the others: their data sheets.
_KNOWN = {
    (0x10C4, 0xEA60): ("CP210x", "many ESP32 boards", ""),
    (0x1A86, 0x7523): ("CH340", "many ESP32 boards", ""),
    (0x1A86, 0x55D4): ("CH9102", "many ESP32 boards", ""),
    (0x1A86, 0x55D3): ("CH343", "many ESP32-S3 boards", ""),
    (0x0403, 0x6001): ("FT232R", "some ESP32 boards", ""),
    (0x0403, 0x6010): ("FT2232", "ESP32 boards of Espressif", ""),
    (0x0403, 0x6015): ("FT231X", "some ESP32 boards", ""),
    (0x303A, 0x0002): ("Espressif", "ESP32-S2", BOOTLOADER),
    (0x303A, 0x1001): ("Espressif", "ESP32-S3, C3 or C6, own USB", ""),
    (0x303A, 0x4001): ("Espressif", "ESP32-S2 or S3, own USB", MICROPYTHON),
    (0x2341, 0x005A): ("Arduino", "Nano 33 BLE", BOOTLOADER),
    (0x2341, 0x805A): ("Arduino", "Nano 33 BLE", OTHER),
    (0x2341, 0x025A): ("Arduino", "Nano 33 BLE Sense", MICROPYTHON),
    (0x0483, 0x374B): ("ST-Link", "Nucleo", ""),
    (0x0483, 0x374E): ("ST-Link V3", "Nucleo", ""),
    (0x0483, 0x5740): ("STMicroelectronics", "STM32, own USB", ""),
    (0xF055, 0x9800): ("MicroPython", "STM32 such as Pyboard or Black Pill", MICROPYTHON),
    (0xF055, 0x9801): ("MicroPython", "STM32 such as Pyboard or Black Pill", MICROPYTHON),
    (0xF055, 0x9802): ("MicroPython", "STM32 or nRF52", MICROPYTHON),
    (0x2E8A, 0x0005): ("Raspberry Pi", "Pico", MICROPYTHON),
    (0x2E8A, 0x000A): ("Raspberry Pi", "Pico", OTHER),
}
# Makers of boards, where the product is none of these.
_MAKERS = {0x303A: "Espressif", 0x2341: "Arduino", 0xF055: "MicroPython", 0x2E8A: "Raspberry Pi", 0x10C4: "CP210x",
           0x1A86: "CH34x", 0x0403: "FTDI"}

_ADVICE = {
    BOOTLOADER: "its bootloader waits for firmware: press reset once, or put MicroPython on it",
    OTHER: "it runs another program than MicroPython: put MicroPython on it",
}


@dataclass(frozen=True)
class Port:
    """A serial port.

    Attributes
    ----------
    name : str
        To connect with: ``/dev/ttyUSB0``, ``COM3``.
    chip : str
        What the USB number says: the bridge chip or the maker; for an unknown one what the system calls it.
    guess : str
        Boards that have this chip, or "".
    runs : str
        "MicroPython", "bootloader" or "another program" where the USB number tells, else "".
    is_board : bool
        Whether the USB number is one of boards.

    Examples
    --------
    >>> print(Port("COM3", "CH340", "many ESP32 boards", "", True))
    COM3 (CH340: many ESP32 boards)
    """

    name: str
    chip: str = ""
    guess: str = ""
    runs: str = ""
    is_board: bool = False

    @property
    def advice(self) -> str:
        """What to do first, where the USB number says that MicroPython does not run there; else ""."""
        return _ADVICE.get(self.runs, "")

    def __str__(self):
        what = ": ".join(filter(None, [self.chip, self.guess]))
        return f"{self.name} ({what}{'; ' + self.advice if self.advice else ''})" if what else self.name


def find_ports() -> list[Port]:
    """The serial ports of this computer, by name."""
    from serial.tools import list_ports
    return [_port(found) for found in sorted(list_ports.comports())]


def _port(found):
    chip, guess, runs = _KNOWN.get((found.vid, found.pid), (_MAKERS.get(found.vid), "", ""))
    # pyserial calls what it knows nothing of "n/a".
    return Port(found.device, chip or (found.description or "").replace("n/a", ""), guess, runs, chip is not None)


def ports_text() -> str:
    """One sentence: the serial ports there are, and what to do."""
    ports = find_ports()
    if not ports:
        return ("This computer has no serial port: plug the board in with a cable that carries data, or use the "
                "simulated board: edgekit.connect('sim').")
    return (f"Ports found: {', '.join(map(str, ports))}. Give one of them, or use the simulated board: "
            "edgekit.connect('sim').")


def ask(port: Port) -> str:
    """What MicroPython on a port says of itself, or in a sentence why it says nothing.

    A program that runs on the board is stopped, as by ctrl-C.
    """
    from edgekit.board.serial import SerialBoard
    if port.advice:
        return port.advice
    try:
        with SerialBoard(port.name) as board:
            info = board.info
    except EdgekitError as error:
        return str(error)
    mpy = ".".join(map(str, info.mpy)) + (f" for {info.arch}" if info.arch else "")
    return (f"{info.name}, {info.mcu}; MicroPython {info.micropython}, .mpy {mpy}; free: {info.heap_free:,} bytes of "
            f"memory, {info.flash_free:,} bytes of flash")
