"""Serial ports: what their USB numbers say, and what MicroPython on them says."""

from types import SimpleNamespace

import pytest
from board_port import simulated_port

from edgekit.board import ports
from edgekit.board.ports import Port, ask, find_ports, ports_text
from edgekit.cli import main
from edgekit.simulator.ports import TcpPort


def plug_in(monkeypatch, *found):
    """What pyserial would list: (device, vid, pid, description)."""
    class Found(SimpleNamespace):
        def __lt__(self, other):
            return self.device < other.device
    listed = [Found(device=d, vid=v, pid=p, description=t) for d, v, p, t in found]
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: listed)


@pytest.mark.parametrize("vid, pid, text", [
    (0x10C4, 0xEA60, "COM5 (CP210x: many ESP32 boards)"),
    (0x1A86, 0x7523, "COM5 (CH340: many ESP32 boards)"),
    (0x1A86, 0x55D4, "COM5 (CH9102: many ESP32 boards)"),
    (0x303A, 0x1001, "COM5 (Espressif: ESP32-S3, C3 or C6, own USB)"),
    (0x2341, 0x025A, "COM5 (Arduino: Nano 33 BLE Sense)"),
    (0x0483, 0x374B, "COM5 (ST-Link: Nucleo)"),
    (0xF055, 0x9800, "COM5 (MicroPython: STM32 such as Pyboard or Black Pill)"),
    (0x2E8A, 0x0005, "COM5 (Raspberry Pi: Pico)"),
    (0x2341, 0x0043, "COM5 (Arduino)"),
])
def test_the_usb_number_says_which_board(monkeypatch, vid, pid, text):
    plug_in(monkeypatch, ("COM5", vid, pid, "USB serial"))
    [port] = find_ports()
    assert (str(port), port.is_board) == (text, True)


def test_ports_that_are_no_board(monkeypatch):
    plug_in(monkeypatch, ("/dev/ttyS1", None, None, "n/a"), ("/dev/ttyS0", 0x1234, 1, "Modem"))
    assert [(str(port), port.is_board) for port in find_ports()] == [("/dev/ttyS0 (Modem)", False), ("/dev/ttyS1", False)]
    assert ports_text().startswith("Ports found: /dev/ttyS0 (Modem), /dev/ttyS1. Give one of them, or use")


def test_a_bootloader_and_a_sketch_are_not_disturbed(monkeypatch):
    monkeypatch.setattr("edgekit.board.serial.SerialBoard", lambda name: pytest.fail("opened"))
    plug_in(monkeypatch, ("COM3", 0x2341, 0x005A, ""), ("COM4", 0x2341, 0x805A, ""))
    bootloader, sketch = find_ports()
    assert "bootloader waits for firmware: press reset once, or put MicroPython on it" in ask(bootloader)
    assert "it runs another program than MicroPython: put MicroPython on it" in ask(sketch)


def test_edgekit_boards_asks_each(monkeypatch, capsys):
    port = TcpPort()
    found = [Port(port.name, "CP210x", "many ESP32 boards", is_board=True), Port("/dev/nothing", "CH340", is_board=True),
             Port("/dev/ttyS0")]
    monkeypatch.setattr(ports, "find_ports", lambda: found)
    with simulated_port(port):
        assert main(["boards"]) == 0
    first, said, second, reason, third, hint = capsys.readouterr().out.splitlines()
    assert "connect(PORT)" in hint
    assert (first, third) == (f"{port.name} (CP210x: many ESP32 boards)", "/dev/ttyS0")
    assert "ESP32" in said and "MicroPython 1.27.0, .mpy 6.3" in said and "bytes of flash" in said
    assert second == "/dev/nothing (CH340)" and "No board on port '/dev/nothing': it does not open" in reason


def test_edgekit_boards_without_any(monkeypatch, capsys):
    monkeypatch.setattr(ports, "find_ports", lambda: [])
    assert main(["boards"]) == 0
    assert "plug the board in with a cable that carries data" in capsys.readouterr().out
