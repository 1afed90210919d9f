"""The picture of a board and what hangs on its pins, as SVG.

The picture is drawn once. What changes in it is a *look*: for each named element the attributes that it has now. The
browser sets them, and :func:`picture` sets them where there is no browser, so both show the same.
"""

import html
import json
import math
import textwrap
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

from edgekit.simulator.world import pin_number

__all__ = ["Scene", "picture"]

STATIC = Path(__file__).parent / "static"
_SVG = "http://www.w3.org/2000/svg"

_WIDTH = 760
_BOARD_LEFT, _BOARD_RIGHT = 288, 472
_PART_WIDTH, _PART_GAP = 206, 12
_LEFT_X, _RIGHT_X = 8, _WIDTH - 8 - _PART_WIDTH
_HEIGHTS = {"motion": 176, "led": 84, "button": 84}
_PART_HEIGHT = 72
TILT_RADIUS = 42        # of the plate on which the ball rolls

# Okabe and Ito's colours that are seen on light and on dark ground.
_WIRE = {"SCL": "#E69F00", "SDA": "#56B4E9", "SERVO": "#E69F00", "RELAY": "#CC79A7", "ADC": "#009E73",
         "SOUND": "#56B4E9", "LED": "#E69F00", "BUTTON": "#56B4E9", "MIC_SCK": "#009E73", "MIC_WS": "#E69F00",
         "MIC_SD": "#56B4E9"}
_GREY = "#8a8f98"


@dataclass
class _Part:
    """Something beside the board: what it is, and on which pins it hangs."""

    kind: str
    title: str
    names: tuple = ()
    note: str = ""
    side: str = ""
    x: float = 0
    y: float = 0
    height: float = _PART_HEIGHT
    pads: list = field(default_factory=list)


class Scene:
    """The drawing of one kind of board.

    Parameters
    ----------
    profile : edgekit.board.profiles.Profile
    motion : str
        What the motion sensor is called; empty: there is none.
    others : sequence of (str, str)
        Further chips on the bus: name, and a note such as their address.
    microphone : bool
        A microphone hangs on the pins ``MIC_...``.
    sound_switch : bool
        A sound switch hangs on the pin ``SOUND``.
    analogue : str
        What hangs on the analogue pin.
    pixels : sequence of (int, int)
        Pin and number of addressable LEDs.

    Attributes
    ----------
    svg : str
        The picture, as it is before anything has happened.
    pins : dict
        Pin number: what is printed beside it.
    """

    def __init__(self, profile, motion="MPU6050", others=(), microphone=False, sound_switch=False, analogue="",
                 pixels=()):
        pinouts = json.loads((STATIC / "pinouts.json").read_text(encoding="utf-8"))
        self._profile = profile
        self._table = profile.pins
        self._pinout = pinouts[profile.name]
        self._pixels = tuple(pixels)
        self._rows = max(len(self._pinout["left"]), len(self._pinout["right"]))
        self._pitch = min(23, 372 / self._rows)
        self._pads, self.pins = self._place_pads()
        parts = self._parts(motion, others, microphone, sound_switch, analogue)
        self.height = self._place_parts(parts)
        self.svg = self._draw(parts)

    def _place_pads(self):
        """Where each pad is: {(side, row): (x, y, label, number or None)}."""
        self._board_height = max(312, self._rows * self._pitch + 40)
        first = (self._board_height - (self._rows - 1) * self._pitch) / 2
        pads, pins = {}, {}
        for side, x in (("left", _BOARD_LEFT + 12), ("right", _BOARD_RIGHT - 12)):
            for row, text in enumerate(self._pinout[side]):
                label, _, number = text.partition("=")
                number = _number(number or label)
                pads[side, row] = [x, first + row * self._pitch, label, number]
                if number is not None:
                    pins[number] = label
        return pads, pins

    def _parts(self, motion, others, microphone, sound_switch, analogue):
        on_board = self._pinout["on_board"]
        found = []
        if "LED" not in on_board:
            found.append(_Part("led", "LED", ("LED",)))
        if "BUTTON" not in on_board:
            found.append(_Part("button", "button", ("BUTTON",)))
        found.append(_Part("dial", analogue or "analogue input", ("ADC",)))
        if motion:
            found.append(_Part("motion", "motion sensor", ("SDA", "SCL"), motion))
        found += [_Part("chip", name, (), note) for name, note in others]
        if microphone:
            found.append(_Part("microphone", "microphone", ("MIC_SCK", "MIC_WS", "MIC_SD")))
        if sound_switch:
            found.append(_Part("sound", "sound switch", ("SOUND",)))
        found += [_Part("servo", "servo", ("SERVO",)), _Part("relay", "relay", ("RELAY",))]
        found += [_Part(f"pixels{pin}", "pixels", (pin,)) for pin, _ in self._pixels]
        return [part for part in found if all(name in self._table for name in part.names if isinstance(name, str))]

    def _place_parts(self, parts):
        """Give each part a place near its pads, so that wires do not cross; returns the picture's height."""
        where = {pad[3]: key for key, pad in self._pads.items() if pad[3] is not None}
        for part in parts:
            part.height = _HEIGHTS.get(part.kind, _PART_HEIGHT)
            for name in part.names:
                key = where.get(pin_number(self._table.get(name, name)))
                if key and not (isinstance(name, str) and name in self._pinout["on_board"]):
                    part.pads.append((name, key))
            part.pads.sort(key=lambda pad: self._pads[pad[1]][1])
            sides = [side for _, (side, _) in part.pads]
            part.side = max(set(sides), key=sides.count) if sides else ""

        def filled(side):
            return sum(part.height + _PART_GAP for part in parts if part.side == side)
        for part in parts:
            if not part.side:
                part.side = min(("right", "left"), key=filled)
        # A wire may go around the board: better than parts that stand one above the other out of sight.
        while True:
            full, free = sorted(("left", "right"), key=filled, reverse=True)
            movable = [part for part in parts if part.side == full and part.kind != "motion"]
            if filled(full) <= 470 or not movable:
                break
            last = movable[-1]
            if filled(free) + last.height + _PART_GAP >= filled(full):
                break
            last.side = free
        height = max(self._board_height, filled("left"), filled("right")) + 28
        self._board_top = (height - self._board_height) / 2
        for pad in self._pads.values():
            pad[1] += self._board_top
        for side, x in (("left", _LEFT_X), ("right", _RIGHT_X)):
            stack = sorted((part for part in parts if part.side == side),
                           key=lambda part: sum(self._pads[key][1] for _, key in part.pads) / len(part.pads)
                           if part.pads else math.inf)
            total = sum(part.height for part in stack) + _PART_GAP * (len(stack) - 1)
            y = (height - total) / 2
            for part in stack:
                part.x, part.y = x, y
                y += part.height + _PART_GAP
        return height

    def _draw(self, parts):
        body = [self._wires(parts), self._board()]
        body += [_DRAW.get(part.kind.rstrip("0123456789"), _draw_chip)(self, part) for part in parts]
        title = f"{self._profile.title} and what hangs on its pins"
        return (f'<svg xmlns="{_SVG}" class="ek-scene" viewBox="0 0 {_WIDTH} {self.height:g}" role="group" '
                f'aria-label="{html.escape(title)}">{_STYLE}{_DEFS}{"".join(body)}</svg>')

    def _wires(self, parts):
        lines = []
        for part in parts:
            for i, (name, (side, row)) in enumerate(part.pads):
                x, y, _, _ = self._pads[side, row]
                end_x = part.x + _PART_WIDTH if part.side == "left" else part.x
                end_y = part.y + part.height / 2 + 12 * (i - (len(part.pads) - 1) / 2)
                colour = _WIRE.get(name, _GREY)
                if side == part.side:
                    bend = (end_x - x) / 2
                    path = f"M{x:g} {y:g}C{x + bend:g} {y:g} {end_x - bend:g} {end_y:g} {end_x:g} {end_y:g}"
                else:
                    # Around the end of the board that is nearer.
                    up = y < self.height / 2
                    around = (self._board_top - 8 if up else self._board_top + self._board_height + 8)
                    out = _BOARD_RIGHT + 14 if side == "right" else _BOARD_LEFT - 14
                    back = _BOARD_LEFT - 14 if side == "right" else _BOARD_RIGHT + 14
                    path = (f"M{x:g} {y:g}H{out:g}V{around:g}H{back:g}V{end_y:g}H{end_x:g}")
                lines.append(f'<path class="ek-wire" d="{path}" stroke="{colour}"/>')
        return "".join(lines)

    def _board(self):
        top, height = self._board_top, self._board_height
        middle = (_BOARD_LEFT + _BOARD_RIGHT) / 2
        at_top = self._pinout["usb"] == "top"
        out = [f'<rect class="ek-board" x="{_BOARD_LEFT}" y="{top:g}" width="{_BOARD_RIGHT - _BOARD_LEFT}" '
               f'height="{height:g}" rx="10"/>']
        usb_y = top - 9 if at_top else top + height - 21
        out.append(f'<rect class="ek-metal" x="{middle - 22}" y="{usb_y:g}" width="44" height="30" rx="4"/>'
                   f'<text class="ek-print ek-small" x="{middle}" y="{usb_y + (26 if at_top else 11):g}" '
                   f'style="fill:#30343a">USB</text>')
        can_y = top + height - 112 if at_top else top + 16
        out.append(f'<rect class="ek-can" x="{middle - 41}" y="{can_y:g}" width="82" height="92" rx="5"/>')
        words = textwrap.wrap(self._profile.title, 10)
        for i, word in enumerate(words):
            out.append(f'<text class="ek-print" x="{middle}" y="{can_y + 51 + 15 * (i - (len(words) - 1) / 2):g}" '
                       f'style="fill:#1d2329">{html.escape(word)}</text>')
        # LED and button between the can and the plug.
        space_top, space_end = (top + 34, can_y) if at_top else (can_y + 92, top + height - 26)
        on_board = [name for name in ("LED", "BUTTON") if name in self._pinout["on_board"]]
        for i, name in enumerate(on_board):
            y = space_top + (space_end - space_top) * (i + 0.5) / len(on_board)
            if name == "LED":
                out.append(_led(middle, y - 8, 9, 40))
                out.append(f'<text class="ek-print" x="{middle}" y="{y + 19:g}">LED {self._table["LED"]}</text>')
            else:
                out.append(_button(middle, y - 7, 19, self._table["BUTTON"]))
                out.append(f'<text class="ek-print" x="{middle}" y="{y + 28:g}">{self.button}</text>')
        for (side, _), (x, y, label, number) in self._pads.items():
            shape = f'<circle class="ek-pad" cx="{x:g}" cy="{y:g}" r="5.2"'
            if number is None:
                shape += "/>"
            else:
                shape += f' data-id="pin{number}"><title data-id="pin{number}.title">pin {label}</title></circle>'
            out.append(shape)
            out.append(f'<text class="ek-print ek-small" x="{x + (10 if side == "left" else -10):g}" y="{y + 3.8:g}" '
                       f'style="text-anchor:{"start" if side == "left" else "end"}">{label}</text>')
        return "".join(out)

    def label(self, name) -> str:
        """What is printed beside the pin of a name such as ``"SERVO"``, or of a number."""
        pin = self._table.get(name, name)
        return self.pins.get(pin_number(pin), str(pin))

    @property
    def button(self) -> str:
        """What the button is called, with its pin."""
        return f"{self._pinout['button']} {self.label('BUTTON')}"


def picture(scene: Scene, look: dict) -> str:
    """The picture with a look: a file of its own, for where no widget can be shown.

    Parameters
    ----------
    scene : Scene
    look : dict
        Element: its attributes; ``"text"`` is what is written in it.
    """
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(scene.svg)
    for element in root.iter():
        for name, value in look.get(element.get("data-id"), {}).items():
            if name == "text":
                element.text = str(value)
            else:
                element.set(name, str(value))
    return ElementTree.tostring(root, encoding="unicode")


# --- parts ---------------------------------------------------------------------------------------------------

def _card(scene, part, inside, value="", text_x=76):
    """The ground on which a part is drawn: title, its pins, and what it does now."""
    labels = [scene.label(name) for name, _ in part.pads]
    pins = " and ".join(filter(None, [", ".join(labels[:-1]), *labels[-1:]]))
    note = part.note
    if pins:
        note = (note + ", " if note else "") + ("pins " if len(part.pads) > 1 else "pin ") + pins
    elif part.names:
        note = (note + ", " if note else "") + "on the board"
    return (f'<g transform="translate({part.x:g} {part.y:g})"><rect class="ek-part" width="{_PART_WIDTH}" '
            f'height="{part.height:g}" rx="10"/>{inside}'
            f'<text class="ek-title" x="{text_x}" y="22">{html.escape(part.title)}</text>'
            f'<text class="ek-note" x="{text_x}" y="38">{html.escape(note)}</text>'
            + (f'<text class="ek-value" x="{text_x}" y="60" data-id="{part.kind}.value">{value}</text>' if value else "")
            + "</g>")


def _draw_led(scene, part):
    return _card(scene, part, _led(38, 42, 13, 38), "off").replace("led.value", "led.text")


def _draw_button(scene, part):
    pin = scene._table["BUTTON"]
    return _card(scene, part, _button(38, 42, 22, pin), "released").replace("button.value", "button.text")


def _draw_dial(scene, part):
    ticks = "".join(f'<line class="ek-tick" x1="0" y1="-24" x2="0" y2="-20" transform="rotate({angle})"/>'
                    for angle in range(-135, 136, 45))
    return _card(scene, part, f'<g transform="translate(38 38)"><circle class="ek-knob" r="18"/>{ticks}'
                 '<line class="ek-hand" y1="-5" y2="-15" data-id="dial.hand" transform="rotate(-135)"/></g>', "0.00 V")


def _draw_servo(scene, part):
    return _card(scene, part, '<g transform="translate(38 50)"><rect class="ek-servo" x="-24" y="-14" width="48" '
                 'height="28" rx="4"/><g data-id="servo.arm" transform="rotate(0)"><rect class="ek-horn" x="-5" y="-38" '
                 'width="10" height="42" rx="5"/><circle cx="0" cy="-33" r="1.6" class="ek-hole"/></g>'
                 '<circle class="ek-hub" r="6.5"/></g>', "no pulses")


def _draw_relay(scene, part):
    return _card(scene, part, '<g transform="translate(10 17)"><rect class="ek-relay" width="56" height="40" rx="4"/>'
                 '<circle cx="12" cy="26" r="3" class="ek-contact"/><circle cx="44" cy="26" r="3" class="ek-contact"/>'
                 '<line class="ek-blade" x1="12" y1="26" x2="44" y2="26" data-id="relay.blade" '
                 'transform="rotate(-28 12 26)"/></g>', "off")


def _draw_sound(scene, part):
    return _card(scene, part, '<g transform="translate(38 37)"><circle class="ek-mic" r="17"/>'
                 '<circle class="ek-wave" r="22" data-id="sound.wave" opacity="0"/></g>', "quiet")


def _draw_microphone(scene, part):
    holes = "".join(f'<circle cx="{x}" cy="{y}" r="1.7"/>' for x in (-6, 0, 6) for y in (-6, 0, 6))
    return _card(scene, part, f'<g transform="translate(38 37)"><circle class="ek-mic" r="17"/><g class="ek-holes">{holes}'
                 '</g></g>', "quiet")


def _draw_chip(scene, part):
    legs = "".join(f'<line class="ek-leg" x1="{x}" x2="{x}" y1="-19" y2="19"/>' for x in (-12, 0, 12))
    return _card(scene, part, f'<g transform="translate(38 37)">{legs}<rect class="ek-chip" x="-19" y="-14" width="38" '
                 'height="28" rx="3"/><circle cx="-13" cy="-8" r="2" class="ek-hole"/></g>')


def _draw_pixels(scene, part):
    pin = int(part.kind[6:])
    count = dict(scene._pixels)[pin]
    shown = min(count, 16)
    step = min(22, 170 / shown)
    dots = "".join(f'<circle class="ek-pixel" cx="{step * (i - (shown - 1) / 2):g}" cy="0" r="{min(8, step / 2.4):g}" '
                   f'data-id="pixel{pin}.{i}" fill="#000000"/>' for i in range(shown))
    part.title = f"{count} pixels"
    return _card(scene, part, f'<g transform="translate({_PART_WIDTH / 2} 54)">{dots}</g>', text_x=14)


def _draw_motion(scene, part):
    r = TILT_RADIUS
    inside = (f'<g transform="translate({_PART_WIDTH - 70} 114)" data-act="tilt" class="ek-tilt" tabindex="0" '
              'role="application" aria-label="Tilt the board: drag the ball, or use the arrow keys. Home lays it flat.">'
              f'<circle class="ek-plate" r="{r + 9}"/><circle class="ek-ring" r="{r / 2:g}"/>'
              f'<path class="ek-ring" d="M{-r} 0H{r}M0 {-r}V{r}"/>'
              f'<text class="ek-axis" x="{r + 15}" y="5">x</text><text class="ek-axis" x="-4" y="{-r - 13}">y</text>'
              '<g data-id="tilt.ball" transform="translate(0 0)"><circle class="ek-ball" r="10"/>'
              '<circle cx="-3" cy="-3.5" r="2.6" fill="#ffffff" opacity=".75"/></g></g>'
              '<text class="ek-value" x="12" y="96" data-id="tilt.x">ax 0.00</text>'
              '<text class="ek-value" x="12" y="116" data-id="tilt.y">ay 0.00</text>'
              '<text class="ek-value" x="12" y="136" data-id="tilt.z">az 1.00</text>'
              '<text class="ek-note" x="12" y="155">in g</text>')
    return _card(scene, part, inside, text_x=12)


_DRAW = {"led": _draw_led, "button": _draw_button, "dial": _draw_dial, "servo": _draw_servo, "relay": _draw_relay,
         "sound": _draw_sound, "microphone": _draw_microphone, "motion": _draw_motion, "pixels": _draw_pixels}


def _led(x, y, radius, glow):
    return (f'<g transform="translate({x:g} {y:g})"><circle r="{glow}" fill="url(#ek-glow)" data-id="led.glow" '
            f'opacity="0"/><circle class="ek-led" r="{radius}"/><circle class="ek-led-on" r="{radius}" '
            'data-id="led.on" opacity="0"/><title data-id="led.title">LED: off</title></g>')


def _button(x, y, half, pin):
    return (f'<g transform="translate({x:g} {y:g})" data-act="button" class="ek-button" tabindex="0" role="button" '
            f'aria-pressed="false" aria-label="Button on pin {pin}: hold it down with the mouse, Space or Enter" '
            f'data-id="button"><rect class="ek-metal" x="{-half}" y="{-half}" width="{2 * half}" height="{2 * half}" '
            f'rx="4"/><circle class="ek-cap" r="{0.66 * half:g}" data-id="button.cap"/></g>')


def _number(label):
    try:
        return pin_number(int(label) if label.isdecimal() else label)
    except Exception:
        return None


_DEFS = ('<defs><radialGradient id="ek-glow"><stop offset="0" stop-color="#FFE27A" stop-opacity=".95"/>'
         '<stop offset=".35" stop-color="#FFC933" stop-opacity=".55"/>'
         '<stop offset="1" stop-color="#FFC933" stop-opacity="0"/></radialGradient>'
         '<linearGradient id="ek-pcb" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#1b4a5a"/>'
         '<stop offset="1" stop-color="#0f2f3c"/></linearGradient></defs>')
# Colours of the page where there are any (JupyterLab's, light or dark), else those of paper.
_STYLE = f"<style>{(STATIC / 'scene.css').read_text(encoding='utf-8')}</style>"
