"""Firmware files are known by their contents, and go only to the chip they are for."""

import hashlib
import random
import shutil
import socket
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from esp_bootloader import DEFL_BEGIN, ERASE_FLASH, Bootloader

from edgekit.board import flash as flash_module
from edgekit.board.flash import flash, read_firmware
from edgekit.board.ports import BOOTLOADER, Port
from edgekit.cli import main
from edgekit.errors import BoardError, SetupError

OFFSETS = {0: 0x1000, 2: 0x1000, 9: 0, 5: 0, 13: 0}  # by the chip's number


def esp_image(chip_id=5, partitions=True, size=60_000):
    """A firmware as micropython.org offers it: a first program, the partition table, what comes after."""
    code = random.Random(chip_id).randbytes(1000)
    head = struct.pack("<4BI", 0xE9, 1, 2, 0x20, 0x40380000) + struct.pack("<B3xHBHHxxxxB", 0xEE, chip_id, 0, 0, 0xFFFF, 1)
    program = head + struct.pack("<II", 0x3FC80000, len(code)) + code
    check = 0xEF
    for byte in code:
        check ^= byte
    program += bytes(-(len(program) + 1) % 16) + bytes([check])
    program += hashlib.sha256(program).digest()
    table = 0x8000 - OFFSETS[chip_id]
    image = program.ljust(table, b"\xff") + (b"\xaa\x50" if partitions else b"\xff\xff")
    return image + random.Random(1).randbytes(size - len(image))


def uf2(family=0xE48BFF56, blocks=3):
    return b"".join(struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, 0x10000000 + 256 * i, 256, i, blocks, family)
                    .ljust(508, b"\x11") + struct.pack("<I", 0x0AB16F30) for i in range(blocks))


def dfu(vendor=0x0483, product=0xDF11):
    data = b"DfuSe\x01" + random.Random(2).randbytes(500) + struct.pack("<HHHH", 0xFFFF, product, vendor, 0x011A) + b"UFD\x10"
    return data + struct.pack("<I", zlib.crc32(data) ^ 0xFFFFFFFF)


def nano():
    return struct.pack("<II", 0x20040000, 0x0002_6001) + random.Random(3).randbytes(2000)


@pytest.fixture
def file(tmp_path):
    def write(data, name="firmware.bin"):
        path = tmp_path / name
        path.write_bytes(data)
        return path
    return write


# --- what a file is ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("chip_id, chip", [(0, "ESP32"), (2, "ESP32-S2"), (9, "ESP32-S3"), (5, "ESP32-C3"), (13, "ESP32-C6")])
def test_an_esp_image_says_its_chip_and_where_it_belongs(file, chip_id, chip):
    firmware = read_firmware(file(esp_image(chip_id)))
    assert (firmware.kind, firmware.chip, firmware.offset) == ("esp", chip, OFFSETS[chip_id])


def test_the_name_of_a_file_does_not_matter(file):
    assert read_firmware(file(uf2(), "a.bin")).chip == "RP2040"
    assert read_firmware(file(dfu(), "b.txt")).chip == "STM32"
    assert read_firmware(file(nano(), "c")).kind == "nano"


@pytest.mark.parametrize("data, message", [
    (b"", "no firmware that the course knows. Expected the .bin"),
    (b":020000040000FA\n", "is a .hex file. Expected the .bin"),
    (b"\xe9" * 10, "damaged or cut: it ends within its header. Download it again"),
    (esp_image()[:500], "damaged or cut"),
    (esp_image()[:600] + b"!" + esp_image()[601:], "damaged or cut: its check sum is wrong"),
    (esp_image(partitions=False), r"one program for ESP32-C3, without bootloader and partition table. Take the whole"),
    (esp_image().replace(b"\x05\x00", b"\x10\x00", 1), "for an Espressif chip with number 16; expected one of esp32, esp32s2"),
    (uf2()[:700], "blocks of 512 bytes"),
    (uf2()[:512] + b"x" * 512, "block 1 is none"),
    (uf2(family=0x1234), "is for 0x1234; expected one of RP2040"),
    (dfu()[:-1] + b"x", "its check sum is wrong"),
    (dfu(vendor=0x1111), "USB device 1111:df11; expected an STM32"),
    (struct.pack("<II", 0x20020000, 0x08000201) + bytes(100), "bare program for an STM32.*Take the .dfu file"),
])
def test_what_is_no_firmware(file, data, message):
    with pytest.raises(BoardError, match=message):
        read_firmware(file(data))


def test_no_such_file(tmp_path):
    with pytest.raises(BoardError, match="No such file or directory. Download the file for your board"):
        read_firmware(tmp_path / "nothing.bin")


# --- ESP32, with a scripted bootloader ----------------------------------------------------------------------------

@pytest.fixture
def bootloader():
    made = []

    def make(*args, **settings):
        made.append(Bootloader(*args, **settings))
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("chip_id", [5, None], ids=["ESP32-C3", "ESP32"])
def test_an_esp_gets_its_firmware_at_the_right_place(file, bootloader, chip_id):
    board = bootloader(chip_id)
    image = esp_image(chip_id or 0)
    said = flash(file(image), board.port, progress=False)
    at = OFFSETS[chip_id or 0]
    assert board.flash[at:at + len(image)] == image and not board.erased
    assert set(board.flash[:at]) <= {0xFF} and set(board.flash[at + len(image):]) == {0xFF}
    assert "read back and equal. Its files were left alone." in said


def test_erase_first(file, bootloader, capsys):
    board = bootloader()
    board.flash[-4:] = b"file"
    assert main(["flash", str(file(esp_image())), "--port", board.port, "--erase"]) == 0
    assert board.erased and board.flash[-4:] == b"\xff" * 4
    assert "firmware for ESP32-C3, 60,000 bytes" in capsys.readouterr().out


def test_another_chip_is_left_alone(file, bootloader):
    board = bootloader(9)
    with pytest.raises(BoardError, match=r"The chip on socket.* is ESP32-S3, firmware.bin is for ESP32-C3. Nothing was changed. "
                                         "Take the firmware for ESP32-S3"):
        flash(file(esp_image(5)), board.port, erase=True, progress=False)
    assert not {DEFL_BEGIN, ERASE_FLASH} & set(board.commands) and not board.stub


def test_a_flash_that_is_too_small(file, bootloader):
    board = bootloader()
    with pytest.raises(BoardError, match="has 4,194,304 bytes, firmware.bin needs 5,000,000. Nothing was changed"):
        flash(file(esp_image(size=5_000_000)), board.port, progress=False)
    assert DEFL_BEGIN not in board.commands


def test_a_cable_pulled_while_it_writes(file, bootloader):
    board = bootloader(dies_after=1)
    with pytest.raises(BoardError, match="broke off: .*half a firmware: that is no harm, start again"):
        flash(file(esp_image()), board.port, progress=False)


def test_no_bootloader_answers(file, monkeypatch):
    monkeypatch.setattr("edgekit.board.ports.find_ports", lambda: [])
    monkeypatch.setattr(flash_module, "_ATTEMPTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = f"socket://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(BoardError, match=f"No bootloader answers on {port}: .*Hold the button BOOT .* of the board, press EN"):
            flash(file(esp_image()), port, progress=False)
    with pytest.raises(BoardError, match="The port /dev/nothing does not open: it does not exist, another program uses it"):
        flash(file(esp_image()), "/dev/nothing", progress=False)
    with pytest.raises(BoardError, match="Expected one board that is plugged in, found 0. Name the port"):
        flash(file(esp_image()), progress=False)


# --- downloads ------------------------------------------------------------------------------------------------------

def test_firmware_by_the_name_of_the_board(file, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("EDGEKIT_CACHE", str(tmp_path))
    image = uf2()
    monkeypatch.setitem(flash_module.DOWNLOADS, "rp2040", ("pico.uf2", hashlib.sha256(image).hexdigest()))
    (tmp_path / "pico.uf2").write_bytes(image)  # it was downloaded before
    drives(monkeypatch, (tmp_path, "RP2040"))
    assert main(["flash", "rp2040"]) == 0
    assert "pico.uf2 is on the RP2040" in capsys.readouterr().out


def test_a_download_that_fails(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("EDGEKIT_CACHE", str(tmp_path))
    assert main(["flash", "esp32"]) == 1  # there is no network in tests
    assert "could not be downloaded from https://micropython.org/" in (said := capsys.readouterr().err)
    assert "Check the network, or download it on another computer" in said
    with pytest.raises(BoardError, match="No download for 'nano33ble'; there are esp32, esp32s3, rp2040. Download the file"):
        flash_module.download_firmware("nano33ble")


def test_a_download_with_other_bytes_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(flash_module, "_SITE", "http://127.0.0.1:0/")

    def other(url, known_hash, **_):
        raise ValueError("hash does not match")
    monkeypatch.setattr("pooch.retrieve", other)
    with pytest.raises(BoardError, match="is not the firmware ESP32_GENERIC.*: its sha256 is not 6b5272b6edd1"):
        flash_module.download_firmware("esp32")


# --- real tools -----------------------------------------------------------------------------------------------------

needs_dfu_util = pytest.mark.skipif(shutil.which("dfu-suffix") is None, reason="SKIP: no program dfu-suffix: apt install dfu-util")


@needs_dfu_util
@pytest.mark.parametrize("data, ending", [(dfu(), None), (dfu()[:-1] + b"!", "CRC does not match"), (b"DfuSe" + bytes(90), "signature")])
def test_dfu_util_judges_a_file_as_we_do(file, data, ending):
    path = file(data, "board.dfu")
    asked = subprocess.run(["dfu-suffix", "--check", path], capture_output=True, text=True)
    if ending is None:
        assert asked.returncode == 0 and "0x0483" in asked.stdout and "0xDF11" in asked.stdout
        assert read_firmware(path).kind == "dfu"
    else:
        assert asked.returncode and ending in asked.stderr
        with pytest.raises(BoardError, match="damaged or cut: its check sum is wrong"):
            read_firmware(path)


@needs_dfu_util
def test_dfu_util_without_a_board(file):
    with pytest.raises(BoardError, match="No STM32 in DFU mode. Hold the button BOOT0"):
        flash(file(dfu()))


# --- the others ---------------------------------------------------------------------------------------------------

def drives(monkeypatch, *found):
    monkeypatch.setattr(flash_module, "_uf2_drives", lambda: found)


def test_uf2_goes_to_the_drive_of_the_same_chip(file, monkeypatch, tmp_path):
    drives(monkeypatch, (tmp_path, "RP2040"))
    assert "on the RP2040; it restarts by itself" in flash(file(uf2(), "pico.uf2"))
    assert (tmp_path / "firmware.uf2").read_bytes() == uf2()
    drives(monkeypatch, (tmp_path, "RP2350"))
    with pytest.raises(BoardError, match="is RP2350, pico.uf2 is for RP2040. Nothing was changed"):
        flash(file(uf2(), "pico.uf2"))
    drives(monkeypatch)
    with pytest.raises(BoardError, match="found 0. Hold the button BOOTSEL while you plug the board in"):
        flash(file(uf2(), "pico.uf2"))


def test_a_drive_is_known_by_its_info_file(monkeypatch, tmp_path):
    (tmp_path / "INFO_UF2.TXT").write_text("UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: RPI-RP2\n")
    monkeypatch.setattr("psutil.disk_partitions", lambda: [type("P", (), {"mountpoint": str(tmp_path)}),
                                                           type("P", (), {"mountpoint": str(tmp_path / "none")})])
    assert list(flash_module._uf2_drives()) == [(tmp_path, "RP2040")]


@pytest.fixture
def tool(monkeypatch):
    """Stands in for bossac and dfu-util; keeps what it was asked, and what the file held."""
    asked = []

    def run(words, **settings):
        file = words[-1] if Path(words[-1]).is_file() else None
        asked.append((words[1:], Path(file).read_bytes() if file else None))
        code, out = run.answers.pop(0)
        return subprocess.CompletedProcess(words, code, out, "")
    run.answers = []
    run.asked = asked
    monkeypatch.setattr(flash_module.shutil, "which", lambda name: f"/tools/{name}")
    monkeypatch.setattr(flash_module.subprocess, "run", run)
    return run


def test_nano(file, tool, monkeypatch):
    touched = []
    monkeypatch.setattr(flash_module, "touch", touched.append)
    monkeypatch.setattr("edgekit.board.ports.find_ports", lambda: [Port("/dev/ttyACM1", "Arduino", "", BOOTLOADER, True)])
    with pytest.raises(BoardError, match="needs Arduino's updated bootloader first.*--new-bootloader"):
        flash(file(nano()), "/dev/ttyACM0")
    assert not touched
    tool.answers = [(0, "ok")]
    assert "at address 0x16000" in flash(file(nano()), "/dev/ttyACM0", new_bootloader=True)
    [(words, data)] = tool.asked
    assert touched == ["/dev/ttyACM0"] and data == nano()
    assert {"--port=ttyACM1", "--offset=0x16000", "-e", "-w", "-v"} <= set(words)
    tool.answers = [(1, "SAM-BA operation failed")]
    with pytest.raises(BoardError, match="bossac ended with: SAM-BA operation failed. .*reset button twice"):
        flash(file(nano()), "/dev/ttyACM0", new_bootloader=True)


def test_nano_whose_bootloader_does_not_come(file, tool, monkeypatch):
    monkeypatch.setattr(flash_module, "touch", lambda port: None)
    monkeypatch.setattr(flash_module, "_BOOT_S", 0.2)
    monkeypatch.setattr("edgekit.board.ports.find_ports", lambda: [])
    with pytest.raises(BoardError, match="did not start its bootloader within 0.2 s. Press its reset button twice"):
        flash(file(nano()), "/dev/ttyACM0", new_bootloader=True)


def test_stm32(file, tool):
    tool.answers = [(0, "Found DFU: [0483:df11] ver=2200"), (0, "done")]
    assert "on the STM32. Press its reset button" in flash(file(dfu()))
    assert tool.asked[1][1] == dfu()
    tool.answers = [(0, "nothing")]
    with pytest.raises(BoardError, match="No STM32 in DFU mode. Hold the button BOOT0"):
        flash(file(dfu()))


def test_a_tool_that_is_missing(file, monkeypatch):
    monkeypatch.setattr(flash_module.shutil, "which", lambda name: None)
    with pytest.raises(SetupError, match="dfu-util is not installed, and this board needs it. Debian and Ubuntu: apt install"):
        flash(file(dfu()))
    with pytest.raises(BoardError, match="Erasing first is for ESP32 chips; firmware.bin is for STM32"):
        flash(file(dfu()), erase=True)
