"""A faster UART: both ends agree on it or go back. The board's side and the computer's talk over a line whose two rates
must be the same, else its bytes become others."""

import io
import queue
import sys
import threading
import time
import types

import pytest

from edgekit.board import serial as board_serial
from edgekit.board.ports import Port
from edgekit.twin import board_module

frames = board_module("frames")
DIVIDER = 0x3FF40014
USUAL, FAST = 694 | 7 << 20, 86 | 13 << 20  # 80 MHz / 694.44 and 86.8
RATES = {USUAL: 115200, FAST: 921600}


class Wire:
    """The UART line: a byte that is sent at one rate and read at another is another byte."""

    def __init__(self):
        self.registers = {DIVIDER: USUAL}
        self.to_host, self.to_board = queue.SimpleQueue(), queue.SimpleQueue()
        self.host = None
        self.deaf = self.mute = False  # what the host sends, or the fast bytes of the board, do not arrive
        self.rates = []

    @property
    def board_baud(self):
        return RATES[self.registers[DIVIDER]]

    def board_sends(self, data):
        self.rates.append(self.board_baud)
        if self.mute and self.board_baud != 115200:
            data = b""
        for byte in bytes(data):
            self.to_host.put(byte if self.host is None or self.host.baudrate == self.board_baud else byte & 0x70 | 0x80)
        return len(data)

    def host_sends(self, data):
        for byte in data:
            if not self.deaf:
                self.to_board.put(byte if self.host.baudrate == self.board_baud else 0)


class FakeSerial:
    """What pyserial gives."""

    def __init__(self, wire, baudrate, timeout):
        self.wire, self.baudrate, self.timeout, self.is_open = wire, baudrate, timeout, True
        wire.host = self

    @property
    def in_waiting(self):
        return self.wire.to_host.qsize()

    def read(self, count):
        data = bytearray()
        try:
            while len(data) < count:
                data.append(self.wire.to_host.get(timeout=None if data else self.timeout))
        except queue.Empty:
            pass
        return bytes(data)

    def write(self, data):
        self.wire.host_sends(data)

    def reset_input_buffer(self):
        self.read(self.in_waiting)

    def close(self):
        self.is_open = False


class Stdin(io.RawIOBase):
    def __init__(self, wire):
        self.wire = wire
        self.buffer = self

    def read(self, count=1):
        return bytes([self.wire.to_board.get()])


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def faster(wire, monkeypatch):
    """The board's side, on an ESP32, as CPython runs it."""
    class Poll:
        def register(self, *_):
            pass

        def poll(self, wait_ms):
            end = time.monotonic() + wait_ms / 1000
            while time.monotonic() < end:
                if not wire.to_board.empty():
                    return [1]
                time.sleep(0.001)
            return []

    clock = types.SimpleNamespace(sleep_ms=lambda ms: time.sleep(ms / 1000), ticks_diff=lambda end, start: end - start,
                                  ticks_ms=lambda: time.monotonic_ns() // 1000000)
    monkeypatch.setitem(sys.modules, "frames", frames)
    monkeypatch.setitem(sys.modules, "machine", types.SimpleNamespace(mem32=wire.registers))
    module = board_module("faster")
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "select", types.SimpleNamespace(poll=Poll, POLLIN=1))
    monkeypatch.setattr(module, "sys", types.SimpleNamespace(
        stdin=Stdin(wire), stdout=types.SimpleNamespace(buffer=types.SimpleNamespace(write=wire.board_sends)),
        implementation=types.SimpleNamespace(_machine="Generic ESP32 module with ESP32")))
    return module


@pytest.fixture
def port(wire, monkeypatch):
    """The computer's side."""
    import serial
    monkeypatch.setattr(serial, "serial_for_url", lambda port, baudrate, timeout, **_: FakeSerial(wire, baudrate, timeout))
    return board_serial._SerialTransport("COM3", 921600)


def talk(faster, wire, port, stream, listen_s=10.0):
    """Run ``stream(line)`` on the board; payloads that the computer got, in its own thread as in life."""
    end = threading.Event()
    trouble = []

    def run():
        try:
            with faster.Line(921600) as line:
                stream(line)
            wire.board_sends(b"prompt>")
        except BaseException as error:  # seen by the test
            trouble.append(error)
        end.set()

    threading.Thread(target=run, daemon=True).start()
    decoder = frames.Decoder()
    got, text = [], b""
    deadline = time.monotonic() + listen_s
    while time.monotonic() < deadline and not text.endswith(b"prompt>"):
        for item in decoder.feed(port.read(0.05)):
            if isinstance(item, frames.Frame):
                got.append(item.payload)
            else:
                text += item
        if end.is_set() and trouble:
            raise trouble[0]
    return got, text, decoder


def send(wire, count=50):
    encoder = frames.Encoder(wire.board_sends)
    for i in range(count):
        encoder.send(frames.SAMPLES, bytes([i] * 100))
    return [bytes([i] * 100) for i in range(count)]


def test_both_go_up_for_the_stream_and_back_after_it(faster, wire, port):
    seen = []

    def stream(line):
        seen.append((line.is_fast, wire.board_baud))
        seen.append(send(wire))
    got, text, decoder = talk(faster, wire, port, stream)
    assert seen[0] == (True, 921600) and got == seen[1] and decoder.lost == 0
    assert text.endswith(b"prompt>"), "what comes after the stream is read at the usual rate"
    assert (wire.board_baud, wire.host.baudrate) == (115200, 115200)


@pytest.mark.parametrize("fault", ["deaf", "mute"])
def test_a_side_that_is_not_heard_lets_the_other_one_go_back(faster, wire, port, fault):
    setattr(wire, fault, True)
    seen = []

    def stream(line):
        seen.append((line.is_fast, wire.board_baud))
        seen.append(send(wire))
    got, text, decoder = talk(faster, wire, port, stream)
    assert seen[0] == (False, 115200) and got == seen[1] and text.endswith(b"prompt>")
    assert wire.host.baudrate == 115200


def test_an_app_that_fails_or_is_stopped_leaves_the_usual_rate(faster, wire, port):
    def stream(line):
        assert line.is_fast
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        talk(faster, wire, port, stream)
    while not wire.to_host.empty():
        port.read(0)
    assert (wire.board_baud, wire.host.baudrate) == (115200, 115200)


def test_the_word_of_the_way_back_may_be_damaged_too(faster, wire, port):
    """A board that restarts does not say so: the port goes back when it hears nothing."""
    def stream(line):
        assert line.is_fast
        wire.registers[DIVIDER] = USUAL
        time.sleep(0.8)
    got, text, decoder = talk(faster, wire, port, stream)
    assert text.endswith(b"prompt>") and wire.host.baudrate == 115200


def test_a_board_that_still_streams_fast_is_stopped(wire, port):
    wire.registers[DIVIDER] = FAST
    wire.board_sends(b"samples of a program that was killed here")
    assert port.read(0.1)
    assert port.stop_fast_stream()
    assert wire.to_board.get(timeout=1) == 3, "ctrl-C, at the rate that the board reads"
    assert wire.host.baudrate == 115200


def test_a_silent_board_is_not_taken_for_one_that_streams(port):
    assert not port.stop_fast_stream()


def test_other_chips_and_odd_dividers_are_left_alone(faster, wire):
    for name in ("Generic ESP32S3 module with ESP32S3", "Nano 33 BLE with NRF52840", ""):
        faster.sys.implementation._machine = name
        with faster.Line(921600) as line:
            assert not line.is_fast
    faster.sys.implementation._machine = "Generic ESP32 module with ESP32"
    wire.registers[DIVIDER] = 100
    with faster.Line(921600) as line:
        assert not line.is_fast
    assert wire.registers == {DIVIDER: 100} and wire.rates == []


def test_no_rate_is_asked_for_unless_somebody_wants_it(faster, wire):
    with faster.Line(0) as line:
        assert not line.is_fast
    assert wire.rates == []


@pytest.mark.parametrize("clock_hz", [80e6, 40e6])
def test_the_divider_is_right_whatever_clock_it_divides(faster, clock_hz):
    usual = round(clock_hz / 115200 * 16)
    fast = faster.divider(usual >> 4 | (usual & 15) << 20, 921600)
    assert clock_hz / ((fast & 0xFFFFF) + (fast >> 20) / 16) == pytest.approx(921600, rel=0.002), "a UART bears 2 %"
    assert faster.divider(10, 921600) is None


@pytest.mark.parametrize("chip, fast, bytes_per_s", [
    ("CP210x", 921600, 11520), ("CH340", 921600, 11520), ("CH9102", 921600, 11520), ("FT231X", 921600, 11520),
    ("ST-Link", 0, 11520), ("Espressif", 0, None), ("Arduino", 0, None), ("MicroPython", 0, None), ("", 0, None)])
def test_only_a_bridge_chip_is_asked_for_a_faster_rate(monkeypatch, chip, fast, bytes_per_s):
    opened = []
    monkeypatch.setattr("edgekit.board.ports.find_ports", lambda: [Port("COM3", chip, "", "", True)])
    monkeypatch.setattr(board_serial, "_SerialTransport", lambda port, baud: opened.append((port, baud)))
    monkeypatch.setattr(board_serial.Board, "__init__", lambda self, transport: None)
    board = board_serial.SerialBoard("COM3")
    assert (board.fast_baud, board.bytes_per_s, opened) == (fast, bytes_per_s, [("COM3", fast)])
    monkeypatch.setattr(board_serial, "_SocketTransport", lambda url: None)
    assert board_serial.SerialBoard("socket://127.0.0.1:1").fast_baud == 0
