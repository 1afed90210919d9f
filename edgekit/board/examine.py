"""Look at a board that is connected: its MicroPython, its memory, its sensors, its clock and its wire."""

import ast
import time

from edgekit.board.findings import Finding
from edgekit.board.install import tables_for
from edgekit.board.profiles import get_profile
from edgekit.bytecode import find_mpy_cross, why_not_loaded
from edgekit.errors import BoardCodeError

__all__ = ["examine"]

_OLDEST = (1, 19)
_HEAP_BYTES = 60_000  # the gesture app with its model, and some room
_FLASH_BYTES = 60_000
_PROBE_BYTES = 20_000
_PROBE_PATH = "/.edgekit_probe"
_ROUNDS = 20
_CLOCK_S = 1.0
_CLOCK_TOLERANCE = 0.02

# Chips by their I2C address: register of the chip number, and who says which.
_CHIPS = {
    0x10: (0x40, {0x32: "BMM150"}),
    0x1C: (0x0F, {0x3D: "LSM9DS1 magnetometer"}),
    0x1E: (0x0F, {0x3D: "LSM9DS1 magnetometer"}),
    0x39: (0x92, {0xAB: "APDS9960", 0xA8: "APDS9960"}),
    0x44: (None, "HS3003"),
    0x57: (0xFF, {0x15: "MAX30102"}),
    0x5C: (0x0F, {0xB1: "LPS22HB", 0xB3: "LPS22HH"}),
    0x5F: (0x0F, {0xBC: "HTS221"}),
    0x68: (0x75, {0x68: "MPU6050", 0x70: "MPU6500", 0x71: "MPU9250"}),
    0x69: (0x75, {0x68: "MPU6050", 0x70: "MPU6500", 0x71: "MPU9250"}),
    0x6A: (0x0F, {0x69: "LSM6DS3", 0x6A: "LSM6DS3TR-C", 0x6C: "LSM6DSOX", 0x68: "LSM9DS1"}),
    0x6B: (0x0F, {0x69: "LSM6DS3", 0x6A: "LSM6DS3TR-C", 0x6C: "LSM6DSOX", 0x68: "LSM9DS1"}),
    0x76: (0xD0, {0x58: "BMP280", 0x60: "BME280", 0x61: "BME680"}),
    0x77: (0xD0, {0x58: "BMP280", 0x60: "BME280", 0x61: "BME680"}),
}
_BMI270 = (0x00, 0x24)  # the same address as an MPU6050
_MOTION = ("MPU6050", "MPU6500", "MPU9250", "BMI270", "LSM")

_SCAN = """\
def _edgekit(number, scl, sda, chips):
    import sys
    from machine import I2C, Pin
    if sys.platform == "pyboard":  # see boards.i2c
        bus = I2C(number, freq=100000)
    else:
        bus = I2C(number, scl=Pin(scl), sda=Pin(sda), freq=100000)
    found = []
    for address in bus.scan():
        answers = []
        for register in chips.get(address, ()):
            try:
                answers.append(bus.readfrom_mem(address, register, 1)[0])
            except OSError:
                answers.append(None)
        found.append((address, answers))
    return found
"""


def examine(board) -> list[Finding]:
    """Examine a board that is connected.

    Parameters
    ----------
    board : edgekit.board.Board

    Returns
    -------
    list of Finding
    """
    info = board.info
    return [_micropython(info), _bytecode(info), _memory(board, info), _flash(info), *_sensors(board, info),
            _clock(board), _wire(board)]


def _micropython(info):
    version = tuple(int(part) for part in info.micropython.split(".")[:2])
    return Finding("MicroPython", version >= _OLDEST, info.micropython,
                   f"The course needs {'.'.join(map(str, _OLDEST))} or newer: download the present one for your board "
                   "from micropython.org/download, then: edgekit flash FILE.")


def _bytecode(info):
    reason = why_not_loaded(bytes((ord("M"), find_mpy_cross()[1][0], 0, 31)), info.mpy)
    found = f".mpy {'.'.join(map(str, info.mpy))}" + (f", machine code for {info.arch}" if info.arch else "")
    return Finding("Bytecode", not reason, found + (f": {reason}" if reason else ""),
                   "Put a newer MicroPython on the board: edgekit flash FILE.")


def _memory(board, info):
    largest = board.largest_free()
    found = f"{info.heap_free:,} bytes free" + (f", the largest piece {largest:,}" if largest is not None else "")
    return Finding("Memory", info.heap_free >= _HEAP_BYTES, found,
                   f"The gesture app needs about {_HEAP_BYTES:,} bytes. Restart the board (board.reset()); see whether a "
                   "main.py or boot.py takes memory.")


def _flash(info):
    return Finding("Flash", info.flash_free >= _FLASH_BYTES, f"{info.flash_free:,} bytes free",
                   f"The gesture app needs about {_FLASH_BYTES:,} bytes. Remove files: board.ls(), board.remove(path).")


# --- sensors ----------------------------------------------------------------------------------------------------


def _sensors(board, info):
    tables = tables_for(f"{info.name} with {info.mcu}")
    if len(tables) != 1:
        return [Finding("Sensors", False, f"the board {info.name!r} is not known, so neither are its pins",
                        "Add a table for it: docs/add-a-board.md.")]
    table = get_profile(tables[0]).pins
    registers = {address: [register] for address, (register, _) in _CHIPS.items() if register is not None}
    registers[0x68] = registers[0x68] + [_BMI270[0]]
    try:
        answers = ast.literal_eval(board.exec(
            f"{_SCAN}print(_edgekit({table['I2C_ID']}, {table['SCL']}, {table['SDA']}, {registers}))\ndel _edgekit"))
    except BoardCodeError as error:
        return [Finding("Sensors", False, f"the I2C bus does not start: {error.reason}",
                        f"Look at the pins SCL {table['SCL']} and SDA {table['SDA']}.")]
    names = [_name(address, said) for address, said in answers]
    found = ", ".join(f"{name} at {address:#04x}" for name, (address, _) in zip(names, answers, strict=True))
    motion = any(name.startswith(_MOTION) for name in names)
    findings = [Finding("Sensors", motion, found or "none answers on the I2C bus",
                        f"The course wants a motion sensor such as the MPU6050: VCC to 3.3 V, GND, SCL to pin {table['SCL']}, "
                        f"SDA to pin {table['SDA']}.")]
    if "Nano 33 BLE" in info.name:
        findings.append(_revision(names))
    return findings


def _name(address, answers):
    register, known = _CHIPS.get(address, (None, "an unknown chip"))
    if register is None:
        return known
    if address == 0x68 and len(answers) > 1 and answers[1] == _BMI270[1]:
        return "BMI270"
    said = "nothing" if answers[0] is None else f"{answers[0]:#04x}"
    return known.get(answers[0], f"an unknown chip (it says {said})")


def _revision(names):
    if any(name.startswith("LSM9DS1") for name in names):
        return Finding("Nano revision", True, "1 (LSM9DS1)")
    return Finding("Nano revision", "BMI270" in names, "2 (BMI270)" if "BMI270" in names else "neither sensor answers",
                   "A Nano 33 BLE without \"Sense\" has no sensors; on a Sense, press reset and look again.")


# --- clock and wire ---------------------------------------------------------------------------------------------


def _clock(board):
    if getattr(board, "clock", "real") == "virtual":
        return Finding("Clock", True, "virtual: the simulated board's time passes as fast as it can")
    ask = "__import__('time').ticks_ms()"

    def read():
        before = time.perf_counter()
        ticks = board.eval(ask)
        return ticks, (before + time.perf_counter()) / 2
    first, begun = read()
    time.sleep(_CLOCK_S)
    second, ended = read()
    ratio = ((second - first) & 0x3FFFFFFF) / 1000 / (ended - begun)
    return Finding("Clock", abs(ratio - 1) < _CLOCK_TOLERANCE,
                   f"{ratio:.3f} s of the board in a second of this computer, measured over {_CLOCK_S:g} s",
                   "Times and rates measured on this board are off by as much. Restart it; if it stays, its crystal is bad.")


def _wire(board):
    times = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        board.eval("1")
        times.append(time.perf_counter() - started)
    started = time.perf_counter()
    board.put(bytes(range(250)) * (_PROBE_BYTES // 250), _PROBE_PATH)
    seconds = time.perf_counter() - started
    board.remove(_PROBE_PATH)
    round_trip_ms = 1000 * sorted(times)[_ROUNDS // 2]
    return Finding("Wire", round_trip_ms < 200 and seconds < 20,
                   f"{round_trip_ms:.1f} ms there and back, {_PROBE_BYTES / seconds / 1000:.1f} kB/s into a file "
                   "(measured on this computer)",
                   "That is slow: plug the board in without a hub, or use another cable or port.")
