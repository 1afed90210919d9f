"""Put MicroPython on a board. Not yet run on hardware: tested with scripted bootloaders and the tools' own checks.

What a firmware file is for is read from its contents, never from its name, and compared with the chip that answers
before anything is erased.
"""

import contextlib
import shutil
import struct
import subprocess
import tempfile
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

from edgekit.board import ports
from edgekit.errors import BoardError, SetupError

__all__ = ["DOWNLOADS", "Firmware", "download_firmware", "read_firmware", "flash"]

_SITE = "https://micropython.org/resources/firmware/"
DOWNLOADS = {
    "esp32": ("ESP32_GENERIC-20250911-v1.26.1.bin", "6b5272b6edd15fc4d1627ec559a27a5d5a7b86e5ea7f8013941eb10c877edd4e"),
    "esp32s3": ("ESP32_GENERIC_S3-20250911-v1.26.1.bin", "d6c48687f684cc7c002a0a4acd258f881c4b391f3ef121726a3b7cd285dcdbbc"),
    "rp2040": ("RPI_PICO-20250911-v1.26.1.uf2", "fc2a8096e0d999d3caca11b34381854599d68aee3e905d3cccbd5247ca78d07c"),
}
"""Official files of MicroPython 1.26.1 by the name of the board's profile, each with its sha256. The sums are those of copies in
public repositories, one for each file, whose own check sums hold; micropython.org publishes none. A file with other bytes is
refused. For the other boards we know no sum: download their file yourself."""

# Where a chip's first program is in the flash; a firmware file of MicroPython begins there.
# Source: BOOTLOADER_FLASH_OFFSET of esptool, which also gives the number of each chip in the header of an image.
_ESP_CHIPS = ("esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c6")
_PARTITIONS_AT = 0x8000  # in the flash of every ESP32: b"\xaa\x50" and the first partition
_UF2_FAMILIES = {0xE48BFF56: "RP2040", 0xE48BFF59: "RP2350", 0xADA52840: "nRF52840", 0xBFDD4EEE: "ESP32-S2",
                 0xC47E5767: "ESP32-S3", 0x57755A57: "STM32F4"}
# Arduino's bootloader keeps what lies below.
_NANO_OFFSET = 0x16000
_TOUCH_BAUD = 1200
_WRITE_BAUD = 460800  # what MicroPython's own instructions take
_ATTEMPTS = 5
_BOOT_S = 10.0
_TOOL_S = 180


@dataclass(frozen=True)
class Firmware:
    """A file to put on a board.

    Attributes
    ----------
    name : str
    kind : {"esp", "uf2", "dfu", "nano"}
        The way it goes to the board.
    chip : str
        What it was built for: ``"ESP32-C3"``, ``"RP2040"``, ``"STM32"``, ``"nRF52840"``.
    offset : int
        Address in the flash of an ESP32, else 0.
    data : bytes
    """

    name: str
    kind: str
    chip: str
    offset: int
    data: bytes

    def __str__(self):
        return f"{self.name}: firmware for {self.chip}, {len(self.data):,} bytes"


def download_firmware(name: str) -> str:
    """Download MicroPython for a board of :data:`DOWNLOADS`, once; its sha256 is checked each time.

    Parameters
    ----------
    name : str
        Of the profile, for example ``"esp32"``.

    Returns
    -------
    str
        Path of the file.

    Raises
    ------
    BoardError
        There is no download for that board, or it failed.
    """
    from edgekit.dataset import download
    if name not in DOWNLOADS:
        raise BoardError(f"No download for {name!r}; there are {', '.join(DOWNLOADS)}. Download the file for your board from "
                         "micropython.org/download and name it: edgekit flash FILE.")
    file, sha256 = DOWNLOADS[name]
    return download(_SITE + file, sha256, file, f"firmware {file}",
                    "download it on another computer from micropython.org/download and name the file: edgekit flash FILE",
                    BoardError)


def read_firmware(path) -> Firmware:
    """Read a firmware file and look at what it is.

    Parameters
    ----------
    path : path
        ``.bin`` of an ESP32 or of the Nano 33 BLE, ``.uf2``, ``.dfu``: as micropython.org offers them.

    Returns
    -------
    Firmware

    Raises
    ------
    BoardError
        There is no such file, it is damaged or cut, or no whole firmware for a chip that the course knows.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BoardError(f"Cannot read the firmware {path.name}: {error.strerror}. Download the file for your board from "
                         "micropython.org/download first.") from None
    if data[:4] == b"UF2\n":
        return _uf2(path.name, data)
    if data[:5] == b"DfuSe":
        return _dfu(path.name, data)
    if data[:1] == b"\xe9":
        return _esp(path.name, data)
    if len(data) >= 8:
        stack, start = struct.unpack_from("<II", data)
        if 0x2000_0000 < stack <= 0x2004_0000 and start & 1 and _NANO_OFFSET <= start < 0x10_0000:
            return Firmware(path.name, "nano", "nRF52840", 0, data)
        if 0x2000_0000 < stack <= 0x2008_0000 and start & 1 and 0x0800_0000 <= start < 0x0820_0000:
            raise BoardError(f"{path.name} is a bare program for an STM32, which does not say where it belongs. "
                             "Take the .dfu file of the same board.")
    what = "a .hex file" if data[:1] == b":" else "no firmware that the course knows"
    raise BoardError(f"{path.name} is {what}. Expected the .bin (ESP32, Nano 33 BLE), .uf2 (RP2040) or .dfu (STM32) "
                     "file of your board from micropython.org/download.")


def _damaged(name, why):
    return BoardError(f"{name} is damaged or cut: {why}. Download it again.")


def _esp(name, data):
    from esptool.bin_image import LoadFirmwareImage
    from esptool.targets import CHIP_DEFS
    if len(data) < 24:
        raise _damaged(name, "it ends within its header")
    number = struct.unpack_from("<H", data, 12)[0]
    chip = next((CHIP_DEFS[chip] for chip in _ESP_CHIPS if CHIP_DEFS[chip].IMAGE_CHIP_ID == number), None)
    if chip is None:
        raise BoardError(f"{name} is for an Espressif chip with number {number}; expected one of {', '.join(_ESP_CHIPS)}.")
    offset = chip.BOOTLOADER_FLASH_OFFSET
    try:
        image = LoadFirmwareImage(chip.CHIP_NAME, data)
        image.verify()
        if image.checksum != image.calculate_checksum():
            raise ValueError("its check sum is wrong")
        if image.append_digest and image.stored_digest != image.calc_digest:
            raise ValueError("its SHA-256 is wrong")
    except Exception as error:  # noqa: BLE001 - esptool's and struct's, on a file that may hold anything
        raise _damaged(name, str(error).rstrip(".") or type(error).__name__) from None
    partitions = _PARTITIONS_AT - offset
    if data[partitions:partitions + 2] != b"\xaa\x50":
        raise BoardError(f"{name} is one program for {chip.CHIP_NAME}, without bootloader and partition table. Take the "
                         "whole firmware, the .bin that micropython.org offers first (not the .app-bin).")
    return Firmware(name, "esp", chip.CHIP_NAME, offset, data)


def _uf2(name, data):
    families = set()
    if len(data) % 512:
        raise _damaged(name, "a .uf2 file has blocks of 512 bytes")
    for at in range(0, len(data), 512):
        first, second, flags, _, size, number, count, family = struct.unpack_from("<8I", data, at)
        end = struct.unpack_from("<I", data, at + 508)[0]
        if (first, second, end) != (0x0A324655, 0x9E5D5157, 0x0AB16F30) or size > 476:
            raise _damaged(name, f"block {at // 512} is none")
        if number != at // 512 and count * 512 == len(data):
            raise _damaged(name, f"block {number} stands where {at // 512} should")
        if flags & 0x2000:
            families.add(family)
    chips = {_UF2_FAMILIES.get(family) for family in families}
    if len(chips) != 1 or None in chips:
        raise BoardError(f"{name} is for {', '.join(f'{family:#x}' for family in sorted(families)) or 'no named chip'}; "
                         f"expected one of {', '.join(_UF2_FAMILIES.values())}.")
    return Firmware(name, "uf2", chips.pop(), 0, data)


def _dfu(name, data):
    # The last 16 bytes: device, product, vendor, version, "UFD", length, and a CRC-32 of all before it.
    if len(data) < 16 or data[-8:-5] != b"UFD" or struct.unpack("<I", data[-4:])[0] != zlib.crc32(data[:-4]) ^ 0xFFFFFFFF:
        raise _damaged(name, "its check sum is wrong")
    product, vendor = struct.unpack("<HH", data[-14:-10])
    if (vendor, product) != (0x0483, 0xDF11):
        raise BoardError(f"{name} is for the USB device {vendor:04x}:{product:04x}; expected an STM32 (0483:df11).")
    return Firmware(name, "dfu", "STM32", 0, data)


def flash(firmware, port: str | None = None, erase: bool = False, new_bootloader: bool = False, progress: bool = True) -> str:
    """Put a firmware on a board.

    Parameters
    ----------
    firmware : Firmware or path
    port : str, optional
        Serial port of an ESP32 or a Nano 33 BLE; default: the one board that is plugged in. A UF2 file goes to the
        drive that a board in its bootloader shows, a DFU file to the one STM32 in DFU mode.
    erase : bool
        ESP32: erase the whole flash first, the files of the board included.
    new_bootloader : bool
        Nano 33 BLE: you know that it has Arduino's updated bootloader. The old one would be overwritten.
    progress : bool
        Show a progress bar.

    Returns
    -------
    str
        What was done, in a sentence.

    Raises
    ------
    BoardError
        The firmware is not for this chip, the board is not in its bootloader, or it failed on the way. Nothing is
        erased before the chip was compared.
    SetupError
        The program that does it (bossac, dfu-util) is not installed.
    """
    if not isinstance(firmware, Firmware):
        firmware = read_firmware(firmware)
    if erase and firmware.kind != "esp":
        raise BoardError(f"Erasing first is for ESP32 chips; {firmware.name} is for {firmware.chip}. Leave it out.")
    if firmware.kind == "esp":
        return _flash_esp(firmware, port or _one_port(), erase, progress)
    if firmware.kind == "nano":
        if not new_bootloader:
            raise BoardError(_OLD_BOOTLOADER)
        return _flash_nano(firmware, port or _one_port())
    return _copy_uf2(firmware) if firmware.kind == "uf2" else _flash_dfu(firmware)


def _one_port():
    boards = [port for port in ports.find_ports() if port.is_board]
    if len(boards) == 1:
        return boards[0].name
    raise BoardError(f"Expected one board that is plugged in, found {len(boards)}. Name the port. {ports.ports_text()}")


# --- ESP32 ------------------------------------------------------------------------------------------------------


def _flash_esp(firmware, port, erase, progress):
    import esptool
    from esptool.cmds import attach_flash, detect_chip, detect_flash_size, reset_chip, run_stub, write_flash
    from esptool.util import flash_size_bytes

    with _esptool_log(progress), contextlib.ExitStack() as opened:
        try:
            chip = opened.enter_context(detect_chip(port, connect_attempts=_ATTEMPTS))
        except (esptool.FatalError, OSError) as error:
            raise _no_bootloader(port, error) from error
        if chip.CHIP_NAME != firmware.chip:
            raise BoardError(f"The chip on {port} is {chip.CHIP_NAME}, {firmware.name} is for {firmware.chip}. Nothing was "
                             f"changed. Take the firmware for {chip.CHIP_NAME}.")
        try:
            chip = run_stub(chip)
            chip.change_baud(_WRITE_BAUD)
            attach_flash(chip)
            size = flash_size_bytes(detect_flash_size(chip))
            if size and firmware.offset + len(firmware.data) > size:
                raise BoardError(f"The flash on {port} has {size:,} bytes, {firmware.name} needs "
                                 f"{firmware.offset + len(firmware.data):,}. Nothing was changed. Take a firmware for a "
                                 "smaller flash.")
            # It reads back an MD5 of what it wrote.
            write_flash(chip, [(firmware.offset, firmware.data)], erase_all=erase)
            reset_chip(chip, "hard-reset")
        except (esptool.FatalError, OSError) as error:
            raise BoardError(f"Writing to {port} broke off: {_first_line(error)}. The board now has half a firmware: that is "
                             "no harm, start again. If it happens again, take a shorter cable or another USB port.") from error
    return (f"{firmware.name} is on the {firmware.chip} at {port}, at address {firmware.offset:#x}, read back and equal. "
            + ("The flash was erased first." if erase else "Its files were left alone."))


def _no_bootloader(port, error):
    if "could not open" in str(error).lower():
        return BoardError(f"The port {port} does not open: it does not exist, another program uses it (Thonny, Arduino "
                          "monitor, another notebook: close that), or you may not (Linux: add your user to the group "
                          f"dialout, log in again). {ports.ports_text()}")
    return BoardError(f"No bootloader answers on {port}: {_first_line(error)}. Hold the button BOOT (or 0) of the board, press "
                      "EN (or RST) once, start again, and let BOOT go when it writes. A cable for charging only has no data "
                      f"wires: try another. {ports.ports_text()}")


def _first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".:")


@contextlib.contextmanager
def _esptool_log(progress):
    """What esptool says goes nowhere, its progress into our bar."""
    from esp_pylib.logger import EspLog, EspLogBase
    from tqdm.auto import tqdm

    class Log(EspLogBase):
        def print(self, *args, **kwargs): ...
        def err(self, *args, suggestion=None): ...
        def warn(self, *args, suggestion=None): ...
        def note(self, *args): ...
        def hint(self, *args): ...
        def debug(self, *args): ...
        def set_verbosity(self, mode): ...
        warning = error = note

        def progress_bar(self, cur_iter, total_iters, prefix="", suffix="", bar_length=30):
            bar.total = total_iters
            bar.update(cur_iter - bar.n)

    before = EspLog.instance
    with tqdm(unit="B", unit_scale=True, desc="writing", disable=not progress, leave=False) as bar:
        EspLog.instance = Log()
        try:
            yield
        finally:
            EspLog.instance = before


# --- Nano 33 BLE ------------------------------------------------------------------------------------------------

_OLD_BOOTLOADER = ("A Nano 33 BLE needs Arduino's updated bootloader first: MicroPython would overwrite the old one. In the "
                   "Arduino IDE run the example Nano33_updateBLandSoftDevice once. Then say that it is done: "
                   "edgekit flash ... --new-bootloader.")


def _flash_nano(firmware, port):
    program = _tool("bossac", "It comes with the Arduino IDE's package \"Arduino Mbed OS Nano Boards\" "
                              "(Arduino's own bossac 1.9: that of Linux distributions does not know this chip)")
    touch(port)
    port = _wait_for_bootloader(port)
    with _as_file(firmware) as file:  # -i say what answers, -U by USB, -e erase, -w write, -v compare, -R restart
        done = _run([program, f"--port={port.removeprefix('/dev/')}", "-i", "-U", "-e", "-w", "-v",
                     f"--offset={_NANO_OFFSET:#x}", "-R", file])
    if done.returncode:
        raise BoardError(f"bossac ended with: {_last_line(done)}. The bootloader is still there: press the reset button twice "
                         "fast (the LED fades in and out), then start again.")
    return (f"{firmware.name} is on the Nano 33 BLE at {port}, at address {_NANO_OFFSET:#x}, read back and equal.")


def touch(port):
    """Ask an Arduino to start its bootloader: its port is opened once at 1200 baud."""
    import serial
    try:
        with serial.serial_for_url(port, baudrate=_TOUCH_BAUD):
            time.sleep(0.1)
    except (serial.SerialException, OSError, ValueError) as error:
        raise BoardError(f"The port {port} does not open: {_first_line(error)}. {ports.ports_text()}") from error


def _wait_for_bootloader(port):
    """The bootloader may come back under another name."""
    end = time.monotonic() + _BOOT_S
    while time.monotonic() < end:
        found = [other.name for other in ports.find_ports() if other.runs == ports.BOOTLOADER]
        if found:
            return found[0]
        time.sleep(0.1)
    raise BoardError(f"The board on {port} did not start its bootloader within {_BOOT_S:g} s. Press its reset button twice "
                     "fast (the LED fades in and out), then start again.")


# --- RP2040, STM32 ----------------------------------------------------------------------------------------------


def _copy_uf2(firmware):
    drives = dict(_uf2_drives())
    if len(drives) != 1:
        raise BoardError(f"Expected one drive of a board in its bootloader, found {len(drives)}. Hold the button BOOTSEL while you "
                         "plug the board in; a drive such as RPI-RP2 appears. Then start again.")
    [(drive, board_id)] = drives.items()
    if board_id != firmware.chip:
        raise BoardError(f"The board on {drive} is {board_id}, {firmware.name} is for {firmware.chip}. Nothing was changed.")
    # The board restarts with the last block, and its drive vanishes: no rename, no look afterwards.
    with contextlib.suppress(FileNotFoundError):
        (drive / "firmware.uf2").write_bytes(firmware.data)
    return f"{firmware.name} is on the {firmware.chip}; it restarts by itself."


def _uf2_drives():
    """Drives that hold INFO_UF2.TXT, with the chip that it names."""
    import psutil
    for partition in psutil.disk_partitions():
        info = Path(partition.mountpoint) / "INFO_UF2.TXT"
        with contextlib.suppress(OSError):
            text = info.read_text(encoding="utf-8", errors="replace")
            board_id = next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("Board-ID")), "")
            chip = {"RPI-RP2": "RP2040", "RP2350": "RP2350"}.get(board_id, board_id or "a board without name")
            yield Path(partition.mountpoint), chip


def _flash_dfu(firmware):
    program = _tool("dfu-util", "Debian and Ubuntu: apt install dfu-util; macOS: brew install dfu-util; Windows: "
                                "dfu-util.sourceforge.net")
    if "0483:df11" not in _run([program, "--list"]).stdout:
        raise BoardError("No STM32 in DFU mode. Hold the button BOOT0 while you press NRST (reset) once, then start again. "
                         "On Windows it needs the WinUSB driver (Zadig).")
    with _as_file(firmware) as file:
        done = _run([program, "-a", "0", "-d", "0483:df11", "-D", file])
    if done.returncode:
        raise BoardError(f"dfu-util ended with: {_last_line(done)}. Put the board into DFU mode again and start again.")
    return f"{firmware.name} is on the STM32. Press its reset button."


def _tool(name, where):
    program = shutil.which(name)
    if program is None:
        raise SetupError(f"The program {name} is not installed, and this board needs it. {where}.")
    return program


def _run(words):
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=_TOOL_S, check=False)
    except subprocess.TimeoutExpired:
        raise BoardError(f"{Path(words[0]).name} did not end within {_TOOL_S} s. Plug the board in again, bring it into its "
                         "bootloader, and start again.") from None


@contextlib.contextmanager
def _as_file(firmware):
    """What was checked is what the program gets."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "firmware"
        path.write_bytes(firmware.data)
        yield str(path)


def _last_line(done):
    return ((done.stderr or done.stdout).strip().splitlines() or [f"code {done.returncode}"])[-1]
