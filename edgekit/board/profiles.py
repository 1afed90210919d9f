"""The boards that the course knows: chip, memory, speed, price, current. Each figure says where it is from.

The figures are for planning ("does it fit?", "how long does a battery last?"): check your own board's data sheet.
"""

import ast
from dataclasses import dataclass, field

from edgekit.errors import BoardError
from edgekit.paths import FIRMWARE

__all__ = ["Profile", "PROFILES", "get_profile", "flash_block"]


@dataclass(frozen=True)
class Profile:
    """One kind of board.

    Attributes
    ----------
    name : str
        Short name, as in ``edgekit.connect("sim:nano33ble")``.
    title : str
        What people call it.
    mcu : str
        The chip and its core.
    arch : str
        Architecture for ``mpy-cross -march``.
    clock_hz : int
        Core clock.
    ram_bytes : int
        Static RAM of the chip.
    heap_bytes : int
        About what is free for a program once MicroPython runs.
    flash_bytes : int
        About what MicroPython's file system has.
    fpu : str
        Hardware floating point: "single", "double" or "none".
    price_inr : int
        Typical price of a board in India, rupees, 2025.
    active_ma, sleep_ma : float
        Supply current of the chip at 3.3 V: running without radio, and in light sleep.
    sys_platform, machine, build : str
        ``sys.platform``, ``os.uname().machine`` and ``sys.implementation._build`` of its MicroPython.
    sources : dict
        For each figure, where it is from.
    """

    name: str
    title: str
    mcu: str
    arch: str
    clock_hz: int
    ram_bytes: int
    heap_bytes: int
    flash_bytes: int
    fpu: str
    price_inr: int
    active_ma: float
    sleep_ma: float
    sys_platform: str
    machine: str
    build: str
    sources: dict = field(default_factory=dict, compare=False, repr=False)

    @property
    def pins(self) -> dict:
        """The board's table in ``firmware/boards``: ``LED``, ``BUTTON``, ``ADC``, ``I2C_ID``, ``SCL``, ...

        Examples
        --------
        >>> get_profile("esp32").pins["I2C_ID"]
        0
        """
        table = ast.parse((FIRMWARE / "boards" / f"{self.name}.py").read_text(encoding="utf-8"))
        return {node.targets[0].id: ast.literal_eval(node.value) for node in table.body
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)}


_HEAP = "estimated from gc.mem_free() figures that users of this board report; differs between versions"
_PRICE = "typical price at Indian shops, 2025; not an offer"


def _sources(datasheet, files, **others):
    return {"clock_hz": datasheet, "ram_bytes": datasheet, "fpu": datasheet, "heap_bytes": _HEAP,
            "flash_bytes": files, "price_inr": _PRICE, "active_ma": datasheet, "sleep_ma": datasheet, **others}


_ALL = (
    Profile("esp32", "ESP32 DevKit", "ESP32 (2x Xtensa LX6)", "xtensawin", 160_000_000, 520 * 1024, 160_000,
            2 * 1024 * 1024, "single", 450, 31.0, 0.8, "esp32", "Generic ESP32 module with ESP32",
            "ESP32_GENERIC", _sources("Espressif, ESP32 Series Datasheet (160 MHz, modem sleep, upper-middle of "
                                      "the range; light sleep)", "MicroPython's 4 MiB partition table: 2 MiB")),
    Profile("esp32s3", "ESP32-S3 DevKit", "ESP32-S3 (2x Xtensa LX7)", "xtensawin", 160_000_000, 512 * 1024,
            200_000, 6 * 1024 * 1024, "single", 800, 40.0, 0.24, "esp32", "Generic ESP32S3 module with ESP32S3",
            "ESP32_GENERIC_S3", _sources("Espressif, ESP32-S3 Series Datasheet (160 MHz, modem sleep; light "
                                         "sleep)", "MicroPython's 8 MiB partition table: 6 MiB")),
    Profile("esp32c3", "ESP32-C3 DevKit", "ESP32-C3 (RISC-V RV32IMC)", "rv32imc", 160_000_000, 400 * 1024,
            170_000, 2 * 1024 * 1024, "none", 350, 20.0, 0.13, "esp32", "Generic ESP32C3 module with ESP32C3",
            "ESP32_GENERIC_C3", _sources("Espressif, ESP32-C3 Series Datasheet (160 MHz, modem sleep; light "
                                         "sleep)", "MicroPython's 4 MiB partition table: 2 MiB")),
    Profile("esp32s2", "ESP32-S2 Mini", "ESP32-S2 (Xtensa LX7)", "xtensawin", 160_000_000, 320 * 1024, 2_000_000,
            2 * 1024 * 1024, "none", 400, 17.0, 0.55, "esp32", "LOLIN_S2_MINI with ESP32-S2FN4R2", "LOLIN_S2_MINI",
            _sources("Espressif, ESP32-S2-WROOM Datasheet V1.1, table 8 (160 MHz, modem sleep; light sleep)",
                     "MicroPython's 4 MiB partition table: 2 MiB", heap_bytes="2 MiB of PSRAM in its package; estimated")),
    Profile("esp32c6", "ESP32-C6 DevKit", "ESP32-C6 (RISC-V RV32IMAC)", "rv32imc", 160_000_000, 512 * 1024, 230_000,
            2 * 1024 * 1024, "none", 700, 20.0, 0.18, "esp32", "ESP32C6 module with ESP32C6", "ESP32_GENERIC_C6",
            _sources("Espressif, ESP32-C6 Series Datasheet", "MicroPython's 4 MiB partition table: 2 MiB",
                     active_ma="estimated: as the ESP32-C3", sleep_ma="estimated: light sleep with peripherals on")),
    Profile("nano33ble", "Arduino Nano 33 BLE Sense", "nRF52840 (Cortex-M4F)", "armv7emsp", 64_000_000,
            256 * 1024, 190_000, 256 * 1024, "single", 3500, 3.4, 0.0015, "nrf52",
            "Arduino Nano 33 BLE Sense with NRF52840", "arduino_nano_33_ble_sense",
            _sources("Nordic, nRF52840 Product Specification (CPU from flash with DC/DC at 3 V; System ON idle with "
                     "RTC)", "estimated: what is left of 1 MiB beside bootloader and firmware")),
    Profile("stm32f411", "STM32F411 Black Pill", "STM32F411CE (Cortex-M4F)", "armv7emsp", 96_000_000,
            128 * 1024, 95_000, 47 * 1024, "single", 350, 22.0, 2.7, "pyboard", "WeAct_F411CE with STM32F411CE",
            "WEACT_F411_BLACKPILL",
            _sources("ST, STM32F411xC/xE Datasheet (run mode near 96 MHz, peripherals on; sleep mode, off)",
                     "estimated: MicroPython's internal file system of this board; larger with a flash chip "
                     "soldered on")),
    Profile("nucleo_f446", "Nucleo-F446RE", "STM32F446RE (Cortex-M4F)", "armv7emsp", 168_000_000, 128 * 1024, 85_000,
            64 * 1024, "single", 1500, 60.0, 20.0, "pyboard", "NUCLEO-F446RE with STM32F446xx", "NUCLEO_F446RE",
            _sources("ST, STM32F446xC/E Datasheet (run mode near 168 MHz, peripherals on; sleep mode, off: estimated)",
                     "MicroPython's stm32f411.ld, which this board uses too: 64 KiB",
                     clock_hz="MicroPython's mpconfigboard.h: 168 MHz, so that USB has 48 MHz")),
    Profile("pyboard", "Pyboard v1.1", "STM32F405RG (Cortex-M4F)", "armv7emsp", 168_000_000, 192 * 1024, 100_000, 96 * 1024,
            "single", 4000, 60.0, 20.0, "pyboard", "PYBv1.1 with STM32F405RG", "PYBV11",
            _sources("ST, STM32F405xx Datasheet (run mode near 168 MHz, peripherals on; sleep mode, off: estimated)",
                     "MicroPython's stm32f405.ld: 112 KiB, some of it for a cache; estimated")),
    Profile("rp2040", "Raspberry Pi Pico", "RP2040 (2x Cortex-M0+)", "armv6m", 125_000_000, 264 * 1024, 190_000,
            1408 * 1024, "none", 350, 24.0, 0.8, "rp2", "Raspberry Pi Pico with RP2040", "RPI_PICO",
            _sources("Raspberry Pi, RP2040 and Pico Datasheets (busy core without radio; dormant)",
                     "MicroPython's RPI_PICO build: 1408 KiB")),
)

PROFILES = {profile.name: profile for profile in _ALL}


def get_profile(name: str) -> Profile:
    """The profile of that name.

    Raises
    ------
    BoardError
        There is none; the message lists those there are.

    Examples
    --------
    >>> get_profile("nano33ble").arch
    'armv7emsp'
    """
    if isinstance(name, Profile):
        return name
    try:
        return PROFILES[name]
    except KeyError:
        raise BoardError(f"No board profile {name!r}; there are {', '.join(PROFILES)}.") from None


def flash_block(flash_bytes: int) -> int:
    """Bytes of a block of the file system: littlefs on a flash chip, FAT inside a microcontroller with little flash."""
    return 512 if flash_bytes < 128 * 1024 else 4096
