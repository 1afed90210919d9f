"""`BoardPanel`: a picture of the simulated board that shows what its pins do, with parts that a hand can move."""

import contextlib
import html
import math
import re
import traceback
import types
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from edgekit.errors import DataError
from edgekit.lab.scene import TILT_RADIUS, Scene, picture
from edgekit.lab.views import Throttle, Views, audience, hear_while_cells_run, module
from edgekit.recording import Recording
from edgekit.signals import gestures
from edgekit.simulator.world import pin_number

__all__ = ["BoardPanel", "SOUNDS", "make_sound"]

STATIC = Path(__file__).parent / "static"

SOUND_RATE_HZ = 16000
SOUNDS = ("tone", "clap", "noise")
_SUBJECT = gestures.LIVE_SUBJECT
_HUM_HZ = 300

# Quantity: what the slider is called, its ends and its step.
_SLIDERS = {
    "temperature_c": ("temperature", "°C", -10, 50, 0.5),
    "humidity_percent": ("humidity", "%", 0, 100, 1),
    "pressure_hpa": ("air pressure", "hPa", 950, 1050, 0.5),
    "lux": ("light", "lx", 0, 1000, 10),
    "proximity": ("nearness of a hand", "", 0, 1, 0.01),
    "soil_moisture_percent": ("soil moisture", "%", 0, 100, 1),
    "current_a": ("current in the wire", "A", -30, 30, 0.5),
}
# Which quantities a device feels, by its class.
_FEELS = {
    "APDS9960": ("lux", "proximity"), "BMP280": ("pressure_hpa", "temperature_c"), "CurrentClamp": ("current_a",), "DirectClamp": ("current_a",),
    "DHT11": ("humidity_percent", "temperature_c"), "DHT22": ("humidity_percent", "temperature_c"),
    "DS18B20": ("temperature_c",), "HTS221": ("humidity_percent", "temperature_c"),
    "LPS22HB": ("pressure_hpa", "temperature_c"), "LSM6DSOX": ("temperature_c",), "LSM9DS1": ("temperature_c",),
    "LightSensor": ("lux",), "MPU6050": ("temperature_c",), "SoilMoistureSensor": ("soil_moisture_percent",),
    "Thermistor": ("temperature_c",),
}
# Drawn as something else than a chip, or not at all.
_NOT_CHIPS = ("SoundSwitch", "INMP441", "LSM9DS1Magnetometer")
_MOTION_CHIPS = ("MPU6050", "LSM9DS1", "LSM6DSOX")


def make_sound(name: str, seed: int = 0) -> Recording:
    """A short sound, made here.

    Parameters
    ----------
    name : str
        ``"tone"`` (1 s of 440 Hz), ``"clap"`` (a burst of noise of some 50 ms), ``"noise"`` (1 s).
    seed : int
        Of the noise.

    Returns
    -------
    Recording
        float32 [n, 1], of full scale, at 16 kHz.

    Raises
    ------
    DataError
        There is no such sound.

    Examples
    --------
    >>> make_sound("tone").duration_s
    1.0
    """
    time_s = np.arange(SOUND_RATE_HZ) / SOUND_RATE_HZ
    noise = np.random.default_rng(seed).uniform(-1, 1, len(time_s))
    if name == "tone":
        edge = np.clip(np.minimum(time_s, 1 - time_s) / 0.02, 0, 1)   # without it one hears a click
        wave = 0.5 * edge * np.sin(2 * np.pi * 440 * time_s)
    elif name == "clap":
        wave = (0.9 * noise * np.exp(-time_s / 0.012))[:SOUND_RATE_HZ // 4]
    elif name == "noise":
        wave = 0.4 * noise
    else:
        raise DataError(f"No sound {name!r}: expected one of {', '.join(SOUNDS)}.")
    return Recording(wave.astype(np.float32), SOUND_RATE_HZ, ("audio",), ("",), label=name, source="synthetic")


class BoardPanel(anywidget.AnyWidget):
    """A board to look at and to touch.

    Make it the last line of a cell. What a hand does in the picture, a program does with the methods. While the picture
    is open in a browser, the simulated board's clock is real, so that a second is a second and a hand can keep up;
    elsewhere the clock stays as it was.

    Parameters
    ----------
    board : edgekit.board.Board
        A real one is shown by its name: its buttons are on the desk.

    Attributes
    ----------
    state : dict
        What the panel shows now; see :attr:`state`.

    Examples
    --------
    >>> import edgekit
    >>> with edgekit.connect("sim", quiet=True) as board:
    ...     _ = board.install()
    ...     panel = BoardPanel(board)
    ...     panel.press("BUTTON")
    ...     print(board.exec("import boards; print(boards.button().value())"), end="")
    ...     _ = board.exec("boards.led().on()")
    ...     panel.state["led"]
    0
    1.0
    """

    _esm = module("views.js", "panel.js")
    _css = STATIC / "panel.css"
    about = traitlets.Dict().tag(sync=True)
    svg = traitlets.Unicode().tag(sync=True)
    look = traitlets.Dict().tag(sync=True)
    controls = traitlets.Dict().tag(sync=True)
    _closed = True      # until it is made

    def __init__(self, board):
        self.board = board
        self.world = board.world
        self._pressed = set()
        self._playing = {}
        self._loudness = 0.0
        self._volts = 0.0
        self._tilt_deg = (0.0, 0.0)
        self._pixels = {}
        self._closed = False
        self._views = Views()
        self._throttle = Throttle(self._tell)
        super().__init__()
        self.about = self._about()
        if self.world is not None:
            self._pins = board.profile.pins
            self._set_scene()
            self.controls = self._make_controls()
            self.look = self._make_look()
            self.world.on_change(self._on_change)
        hear_while_cells_run(self)
        self.on_msg(self._on_message)

    # --- what a hand does, by name -----------------------------------------------------------------------------

    def press(self, name="BUTTON") -> None:
        """Press a button and hold it.

        Parameters
        ----------
        name : str or int
            Its name in the board's table, or its pin.

        Raises
        ------
        DataError
            The board has no such pin, or is a real one.
        """
        pin = self._pin(name)
        self._pressed.add(pin)
        self.world.press(pin)
        self._throttle.poke()

    def release(self, name="BUTTON") -> None:
        """Let a button go."""
        pin = self._pin(name)
        self._pressed.discard(pin)
        self.world.release(pin)
        self._throttle.poke()

    def tilt(self, x_deg: float = 0.0, y_deg: float = 0.0) -> None:
        """Hold the board still, turned around its x axis and then around its y axis.

        The motion sensor feels gravity alone, 1 g, from another side.

        Parameters
        ----------
        x_deg, y_deg : float
            Right-handed: ``tilt(30)`` raises the side to which y points. (0, 0) is flat on the table.

        Examples
        --------
        ``panel.tilt(90)`` gives (0, 1, 0) g; ``panel.tilt(180)`` turns the board upside down.
        """
        self._simulated()
        x, y = math.radians(float(x_deg)), math.radians(float(y_deg))
        if not (math.isfinite(x) and math.isfinite(y)):
            raise DataError(f"An angle in degrees was expected, found {x_deg!r} and {y_deg!r}.")
        self._tilt_deg = (float(x_deg), float(y_deg))
        self.world.set(accel_g=(-math.sin(y), math.sin(x) * math.cos(y), math.cos(x) * math.cos(y)))
        self._throttle.poke()

    def slide(self, name: str, value: float) -> None:
        """Move a slider.

        Parameters
        ----------
        name : str
            ``"ADC"`` (volts), ``"loudness"`` (0 to 1) or a quantity such as ``"temperature_c"``; those that the board
            has are the keys of ``panel.state["sensors"]``.
        value : float
            Beyond the slider's ends it is taken to the end.

        Raises
        ------
        DataError
            The board has no such slider; the message lists those there are.
        """
        self._simulated()
        sliders = {one["name"]: one for one in self.controls["sliders"]}
        if name not in sliders:
            raise DataError(f"No slider {name!r} on this board; there are {', '.join(sliders)}.")
        try:
            value = float(value)
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            raise DataError(f"The slider {name} takes a number.")
        value = min(max(value, sliders[name]["min"]), sliders[name]["max"])
        if name == "ADC":
            self.world.adc(self._pins["ADC"], value)
        elif name == "loudness":
            self._loudness = value
            self.world.set(sound=lambda time_s: value * np.sin(2 * np.pi * _HUM_HZ * time_s))
        else:
            self.world.set(**{name: value})
        self._throttle.poke()

    def play(self, name: str, loop: bool = False) -> Recording:
        """Play a gesture into the motion sensor, or a sound into the microphone.

        Parameters
        ----------
        name : str
            A gesture such as ``"wave"``, or a sound such as ``"clap"``.
        loop : bool
            Start again at its end, until :meth:`stop`.

        Returns
        -------
        Recording
            What plays: made by the computer, ``source`` is ``"synthetic"``.

        Raises
        ------
        DataError
            There is no such gesture or sound.
        """
        self._simulated()
        if name in SOUNDS:
            recording = make_sound(name)
            self.world.play(recording, loop=loop, as_="sound")
        elif name in gestures.CLASSES:
            recording = gestures.make_recording(name, _SUBJECT)
            self.world.play(recording, loop=loop)
        else:
            raise DataError(f"Nothing to play is called {name!r}: expected one of "
                            f"{', '.join((*gestures.CLASSES, *SOUNDS))}.")
        self._playing[name] = math.inf if loop else self.world.time_s + recording.duration_s
        self._throttle.poke()
        return recording

    def stop(self) -> None:
        """Stop what plays."""
        self._simulated()
        self._playing.clear()
        self.world.stop()
        self._throttle.poke()

    # --- what it shows -----------------------------------------------------------------------------------------

    @property
    def state(self) -> dict:
        """What the panel shows now.

        ``led`` 0 to 1, how bright; ``pressed`` names of the pins that are held; ``servo_deg`` or None without pulses;
        ``relay`` True if on; ``accel_g``; ``sensors`` slider: value; ``playing`` names; ``pixels`` pin: colours;
        ``pins`` what is printed beside a pin: its level; ``clock`` ``"real"`` or ``"virtual"``; ``time_s`` the board's.
        Empty for a real board.
        """
        if self.world is None:
            return {}
        world, names = self.world, {pin_number(pin): name for name, pin in self._pins.items() if name in ("BUTTON",)}
        return {
            "led": self._brightness(),
            "pressed": sorted(names.get(pin, str(pin)) for pin in self._pressed),
            "servo_deg": world.servo_deg(self._pins["SERVO"]) if "SERVO" in self._pins else None,
            "relay": bool(world.pin(self._pins["RELAY"])) if "RELAY" in self._pins else False,
            "accel_g": tuple(world.value("accel_g")),
            "sensors": {one["name"]: self._slider_value(one["name"]) for one in self.controls["sliders"]},
            "playing": self._now_playing(),
            "pixels": {pin: list(world.pixels(pin)) for pin in self._pixels},
            "pins": {label: world.pin(pin) for pin, label in self._scene.pins.items()},
            "clock": getattr(self.board, "clock", "virtual"),
            "time_s": world.time_s,
        }

    def picture(self) -> str:
        """The board as it looks now, as SVG text: for a file, or where no widget can be shown."""
        self._simulated()
        return picture(self._scene, self._make_look())

    def close(self) -> None:
        """Take the panel away. The board stays; its clock is again as it was without the panel."""
        if self._closed:
            return
        self._closed = True
        if self.world is not None:
            self.world.off_change(self._on_change)
            audience(self.board).leave(self.board, lambda view: view[0] == id(self))
        self._throttle.close()
        super().close()

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        text = self._text()
        data = {**(data or {}), "text/plain": text}
        below = f"<p>{html.escape(text)}</p>"
        data["text/html"] = (f'<div style="max-width: 900px">{self.picture()}{below}</div>' if self.world is not None
                             else below)
        return data, metadata

    def __repr__(self):
        return f"<BoardPanel {self.board.name}>" if self.world is not None else f"<BoardPanel {self._text()}>"

    def _text(self):
        if self.world is None:
            return self.about["sentence"]
        state = self.state
        servo = "no pulses" if state["servo_deg"] is None else f"{state['servo_deg']:.0f}°"
        return (f"{self.board.name}: LED {_percent(state['led'])}, servo {servo}, relay "
                f"{'on' if state['relay'] else 'off'}. A picture, without a browser that runs widgets: use panel.press(), "
                "panel.tilt(), panel.slide(), panel.play().")

    # --- inside ------------------------------------------------------------------------------------------------

    def _about(self):
        if self.world is not None:
            return {"name": self.board.name, "simulated": True, "sentence": ""}
        name = "a board"
        with contextlib.suppress(Exception):
            name = self.board.name
        return {"name": name, "simulated": False,
                "sentence": f"This is a real board ({name}): its LED and its buttons are on your desk, so there is nothing "
                            "to press here."}

    def _simulated(self):
        if self.world is None:
            raise DataError("The panel can touch only the simulated board: press the button of your board by hand, or "
                            "connect with edgekit.connect('sim').")

    def _pin(self, name):
        self._simulated()
        if isinstance(name, str) and name in self._pins and not isinstance(self._pins[name], bool):
            name = self._pins[name]
        try:
            return pin_number(name)
        except DataError:
            raise DataError(f"No button {name!r} on this board: expected BUTTON, or the number of a pin.") from None

    def _devices(self):
        """Class names of the chips and parts that hang on the board, each with where; no plain voltages."""
        return [(type(device).__name__, where) for device, where in self.world.devices()
                if not isinstance(device, (float, int, Recording, types.FunctionType))]

    def _at_adc(self):
        """Class name of the part on the analogue pin; empty if it is a plain voltage."""
        where = f"pin {pin_number(self._pins['ADC'])}"
        return next((name for name, place in self._devices() if place == where), "")

    def _set_scene(self):
        devices = self._devices()
        motion = next((name for name, _ in devices if name in _MOTION_CHIPS), "")
        others = [(name, where) for name, where in dict.fromkeys(devices)
                  if name != motion and name not in _NOT_CHIPS and name != self._at_adc()]
        kinds = {name for name, _ in devices}
        self._scene = Scene(self.board.profile, motion, others, microphone="INMP441" in kinds,
                            sound_switch="SoundSwitch" in kinds,
                            analogue=_words(self._at_adc()), pixels=sorted(self._pixels.items()))
        self.svg = self._scene.svg

    def _make_controls(self):
        kinds = [name for name, _ in self._devices()]
        # What a part says on its pin is decided by what it feels.
        sliders = [] if self._at_adc() in _FEELS else [
            {"name": "ADC", "label": f"voltage on pin {self._scene.label('ADC')}", "unit": "V", "min": 0, "max": 3.3,
             "step": 0.01}]
        for quantity in dict.fromkeys(q for kind in kinds for q in _FEELS.get(kind, ())):
            label, unit, low, high, step = _SLIDERS[quantity]
            sliders.append({"name": quantity, "label": label, "unit": unit, "min": low, "max": high, "step": step})
        hears = {"INMP441", "SoundSwitch"} & set(kinds)
        if hears:
            sliders.append({"name": "loudness", "label": f"hum of {_HUM_HZ} Hz", "unit": "", "min": 0, "max": 1,
                            "step": 0.01})
        return {"sliders": sliders, "gestures": list(gestures.CLASSES) if set(kinds) & set(_MOTION_CHIPS) else [],
                "sounds": list(SOUNDS) if hears else [], "button": self._scene.button}

    def _slider_value(self, name):
        if name == "ADC":
            return self.world.volts(self._pins["ADC"])
        return self._loudness if name == "loudness" else self.world.value(name)

    def _brightness(self):
        pin, on_level = self._pins["LED"], self._pins.get("LED_ON", 1)
        pwm = self.world.pwm(pin)
        if pwm:
            return pwm[1] if on_level else 1 - pwm[1]
        return float(self.world.driven(pin) == on_level)

    def _now_playing(self):
        now_s = self.world.time_s
        self._playing = {name: stop_s for name, stop_s in self._playing.items() if stop_s > now_s}
        return list(self._playing)

    def _make_look(self):
        state = self.state
        look = {}
        for pin, label in self._scene.pins.items():
            pwm, level = self.world.pwm(pin), state["pins"][label]
            look[f"pin{pin}"] = {"class": "ek-pad pulses" if pwm else "ek-pad high" if level else "ek-pad"}
            look[f"pin{pin}.title"] = {"text": f"pin {label}: " + (
                f"pulses, {pwm[0]} Hz, {pwm[1]:.0%} of the time at 1" if pwm else str(level))}
        bright = state["led"]
        # The eye sees small duties well.
        look["led.on"] = look["led.glow"] = {"opacity": f"{bright ** 0.5:.3f}"}
        look["led.text"] = {"text": _percent(bright)}
        look["led.title"] = {"text": f"LED: {_percent(bright)}"}
        down = "BUTTON" in state["pressed"]
        look["button"] = {"aria-pressed": "true" if down else "false"}
        look["button.cap"] = {"class": "ek-cap down" if down else "ek-cap"}
        look["button.text"] = {"text": "pressed" if down else "released"}
        volts = self.world.volts(self._pins["ADC"])
        look["dial.hand"] = {"transform": f"rotate({-135 + 270 * min(max(volts / 3.3, 0), 1):.1f})"}
        look["dial.value"] = {"text": f"{volts:.2f} V"}
        servo = state["servo_deg"]
        look["servo.arm"] = {"transform": f"rotate({0 if servo is None else servo - 90:.1f})"}
        look["servo.value"] = {"text": "no pulses" if servo is None else f"{servo:.0f}°"}
        look["relay.blade"] = {"transform": f"rotate({0 if state['relay'] else -28} 12 26)"}
        look["relay.value"] = {"text": "on" if state["relay"] else "off"}
        ax, ay, az = state["accel_g"]
        size = max(1.0, math.hypot(ax, ay))
        look["tilt.ball"] = {"transform": f"translate({-ax / size * TILT_RADIUS:.1f} {ay / size * TILT_RADIUS:.1f})"}
        for axis, value in zip("xyz", (ax, ay, az), strict=True):
            look[f"tilt.{axis}"] = {"text": f"a{axis} {value:+.2f}"}
        sounding = [name for name in state["playing"] if name in SOUNDS] or (["hum"] if self._loudness else [])
        look["microphone.value"] = look["sound.value"] = {"text": ", ".join(sounding) or "quiet"}
        look["sound.wave"] = {"opacity": "1" if sounding else "0"}
        for pin, colours in state["pixels"].items():
            for i, colour in enumerate(colours[:16]):
                look[f"pixel{pin}.{i}"] = {"fill": _css_colour(colour)}
        look["/"] = {"sliders": {name: value for name, value in state["sensors"].items()}, "clock": state["clock"],
                     "playing": state["playing"], "led": bright, "servo_deg": servo, "relay": state["relay"]}
        return look

    def _on_change(self, kind, pin):
        # On the board's own thread: only note that something is new.
        if kind == "pixels":
            self._pixels.setdefault(pin, None)
        self._throttle.poke()

    def _tell(self):
        try:
            new = {pin: len(self.world.pixels(pin)) for pin in list(self._pixels)}
            if new != self._pixels:
                self._pixels = new
                self._set_scene()
            look = self._make_look()
            with contextlib.suppress(AttributeError):       # closed in the meantime
                self.look = look
        except Exception:
            if not self._closed:
                traceback.print_exc()
        # A recording moves the ball while nothing else changes.
        if self._now_playing() and self._views.open:
            self._throttle.poke()

    def _on_message(self, _, message, buffers):
        """From the browser, on a thread of the kernel: it may touch the world, never the board's wire."""
        if self._closed or self.world is None:
            return
        act = message.get("act")
        try:
            if news := self._views.hear(message, self.send):
                mine = (id(self), message["view"])
                if news == "shown":
                    audience(self.board).join(self.board, mine)
                else:
                    audience(self.board).leave(self.board, lambda view: view == mine)
                self._throttle.poke()
            elif act in ("press", "release"):
                getattr(self, act)("BUTTON")
            elif act == "tilt":
                self.tilt(message["x_deg"], message["y_deg"])
            elif act == "slide":
                self.slide(message["name"], message["value"])
            elif act == "play":
                self.play(message["name"], bool(message.get("loop")))
            elif act == "stop":
                self.stop()
        except DataError as error:
            self.send({"sentence": str(error)})


def _words(name):
    """``"SoilMoistureSensor"`` as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _percent(part):
    return {0.0: "off", 1.0: "on"}.get(part, f"{part:.0%}")


def _css_colour(colour):
    return "#" + "".join(f"{max(0, min(255, int(value))):02x}" for value in tuple(colour)[:3])
