"""Drawings of how to wire each board, made from its table in ``firmware/boards``: `edgekit course wiring`."""

import json
from html import escape
from pathlib import Path

from edgekit.board.profiles import PROFILES
from edgekit.paths import ROOT, atomic_write

__all__ = ["build", "drawing"]

_ROW = 22
_TOP = 64
_BOARD_LEFT, _BOARD_WIDTH = 270, 190
_WIDTH = 820
_PART_WIDTH = 165
_WIRE = 38

# Part -> (side, its pins, each with the name in the board's table or a supply). Colours are told apart by the
# colour-blind too, and each wire carries its name at both ends.
_PARTS = {
    "MPU6050 (motion)": ("right", (("VCC", "3V3"), ("GND", "GND"), ("SCL", "SCL"), ("SDA", "SDA"), ("INT", "MOTION_INT"))),
    "INMP441 (microphone)": ("right", (("VDD", "3V3"), ("GND", "GND"), ("SCK", "MIC_SCK"), ("WS", "MIC_WS"),
                                       ("SD", "MIC_SD"), ("L/R", "GND"))),
    "Relay module": ("left", (("IN", "RELAY"), ("VCC", "5V"), ("GND", "GND"))),
    "Servo": ("left", (("signal", "SERVO"), ("V+", "5V"), ("GND", "GND"))),
    "Sound switch KY-037": ("left", (("DO", "SOUND"), ("+", "3V3"), ("G", "GND"))),
}
_SUPPLIES = {"3V3": ("3V3",), "GND": ("GND", "G"), "5V": ("5V", "VIN", "VBUS")}
_COLOURS = {"3V3": "#D55E00", "5V": "#B00000", "GND": "#444444", "SCL": "#0072B2", "SDA": "#009E73"}
_OTHER = "#CC79A7"


def build(out=ROOT / "docs" / "boards") -> list[Path]:
    """Write ``NAME.svg`` for each board.

    Returns
    -------
    list of pathlib.Path
    """
    written = []
    for name in PROFILES:
        path = Path(out) / f"{name}.svg"
        with atomic_write(path) as temporary:
            temporary.write_text(drawing(name), encoding="utf-8", newline="\n")
        written.append(path)
    return written


def drawing(name: str) -> str:
    """An SVG picture of a board with the parts of the course.

    Parameters
    ----------
    name : str
        Of the profile, for example ``"esp32"``.
    """
    profile = PROFILES[name]
    pins = {key: str(value) for key, value in profile.pins.items()}
    layout = json.loads((ROOT / "edgekit" / "lab" / "static" / "pinouts.json").read_text(encoding="utf-8"))[name]
    names = {}  # what is printed beside each pin
    for label in (*layout["left"], *layout["right"]):
        shown, _, number = label.partition("=")
        names[number or shown] = shown
    parts, used = [], set()
    lowest = {"left": _TOP, "right": _TOP}
    for part, (side, wanted) in _PARTS.items():
        if name == "nano33ble" and part.startswith("MPU6050") or any(
                target not in _SUPPLIES and target not in pins for _, target in wanted):
            continue  # the board has its own, or no pins for it
        wires = []
        for pin, target in wanted:
            supply = next((label for label in _SUPPLIES.get(target, ()) if label in names), None)
            shown = supply or names.get(pins.get(target), pins.get(target))
            used.add(shown)
            wires.append((pin, shown, _COLOURS.get(target, _OTHER)))
        parts.append((part, side, lowest[side], wires))
        lowest[side] += (len(wires) + 1.6) * _ROW
    return _svg(profile.title, layout, used, parts, max(lowest.values()))


def _svg(title, layout, used, parts, lowest):
    rows = max(len(layout["left"]), len(layout["right"]))
    height = round(max(_TOP + rows * _ROW, lowest)) + 40
    middle = _BOARD_LEFT + _BOARD_WIDTH // 2
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
           f'font-size="12" role="img" aria-label="How to wire the {escape(title)}">',
           f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
           _text(_BOARD_LEFT, 22, title, 'font-size="16" font-weight="bold"'),
           _box(_BOARD_LEFT, _TOP - 24, _BOARD_WIDTH, rows * _ROW + 26, "#eef3f7")]
    usb_y = _TOP - 24 if layout["usb"] == "top" else _TOP + rows * _ROW - 14
    out += [f'<rect x="{middle - 18}" y="{usb_y}" width="36" height="16" fill="#bbbbbb"/>',
            _text(middle, usb_y + 12, "USB", 'text-anchor="middle" font-size="10"')]
    for side, x, inwards, anchor in (("left", _BOARD_LEFT, 10, "start"), ("right", _BOARD_LEFT + _BOARD_WIDTH, -10, "end")):
        for row, label in enumerate(layout[side]):
            shown = label.partition("=")[0]
            y = _TOP + row * _ROW
            fill, weight = ("#E69F00", "bold") if shown in used else ("#ffffff", "normal")
            out += [f'<circle cx="{x}" cy="{y}" r="4" fill="{fill}" stroke="#555555"/>',
                    _text(x + inwards, y + 4, shown, f'text-anchor="{anchor}" font-weight="{weight}"')]
    for part, side, top, wires in parts:
        left = side == "left"
        x = 8 if left else _WIDTH - _PART_WIDTH - 8
        out += [_box(x, round(top) - _ROW, _PART_WIDTH, (len(wires) + 1) * _ROW + 6, "#f7f4ea"),
                _text(x + _PART_WIDTH / 2, round(top) - 7, part, 'text-anchor="middle" font-weight="bold"')]
        edge, away = (x + _PART_WIDTH, 1) if left else (x, -1)
        towards, outwards = ("end", "start") if left else ("start", "end")
        for i, (pin, shown, colour) in enumerate(wires):
            y = round(top) + i * _ROW + 6
            end = edge + away * _WIRE
            out += [_text(edge - 8 * away, y + 4, pin, f'text-anchor="{towards}"'),
                    f'<line x1="{edge}" y1="{y}" x2="{end}" y2="{y}" stroke="{colour}" stroke-width="3"/>',
                    _text(end + 4 * away, y + 4, shown, f'text-anchor="{outwards}" fill="{colour}" font-weight="bold"')]
    note = "The coloured name at a wire is the pin of the board, marked orange there."
    on_board = [what.replace("BUTTON", "button") for what in ("LED", "BUTTON") if what in layout["on_board"]]
    if on_board:
        note += f" On the board itself: {', '.join(on_board)}."
    return "\n".join([*out, _text(8, height - 12, note, 'fill="#333333"'), "</svg>"]) + "\n"


def _text(x, y, text, style):
    return f'<text x="{x:g}" y="{y:g}" {style}>{escape(text)}</text>'


def _box(x, y, width, height, fill):
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="7" fill="{fill}" stroke="#555555"/>'
