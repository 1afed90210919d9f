"""What a .tflite model needs, and which boards have it: known before a byte is copied."""

import html
import math
from dataclasses import asdict, dataclass, field

from edgekit.board.install import files_for, space
from edgekit.board.profiles import PROFILES, flash_block, get_profile
from edgekit.bytecode import compile_file
from edgekit.errors import ModelError
from edgekit.tflite.graph import load_bytes, read
from edgekit.twin import board_module

__all__ = ["Report", "LayerReport", "BoardFit", "report", "fit", "modules", "code_heap_bytes"]

_HEAP_PER_CODE_BYTE = 1.4
"""Heap that code takes once it is imported, for each byte of the .mpy (measured on the simulated board: 1.32 for the
operators in moving.py to 1.47 for those in elementwise.py)."""
_DESCRIPTION_BYTES = 700
"""bundle.json of the gesture model."""
_LAYER_RAM_BYTES = 400
_UNIT_RAM_BYTES = 6
"""Heap for one layer, and for multiplier and shift of one output channel (with Python kernels, as on a real board;
measured on the simulated board for four models: within 15 %)."""
_APP_RAM_BYTES = {"keyword": 26_000}
_ANY_APP_RAM_BYTES = 10_000
"""Heap for an app's own buffers, its sensor and its settings (measured on the simulated board: gesture 10.3 kB; keyword
25.9 kB, with the tables of its features)."""
_INSTRUCTIONS_PER_STEP = {"armv7emsp": 638, "armv7em": 638, "armv6m": 638, "xtensawin": 719, "rv32imc": 837}
"""One step of a plain int8 dot product in bytecode, counted in an emulator."""
_STEPS_PER_MAC, _STEPS_PER_OUTPUT, _STEPS_PER_LSTM_OUTPUT = 0.66, 18, 330
"""What a layer with weights takes, in units of such a step: for each multiplication, since four outputs share a look at the
input, and for each output, which is scaled and clipped (fitted to 36 layers of five int8 models on the simulated board, CPU
time of their kernels against that of the dot product: most within 13 %, all but the smallest within 30 %). An output of an
LSTM stands for four gates (eight random models: within 15 %)."""


@dataclass(frozen=True)
class LayerReport:
    """One operator of a model.

    Attributes
    ----------
    name : str
    output_shape : tuple of int
    output_type : str
    weight_bytes : int
        Bytes of its constants in the file.
    macs : int
        Multiply-accumulates for one inference.
    units : int
        Output channels that have a bias and a multiplier of their own.
    working_bytes : int
        Memory of its computed inputs and its outputs together: they are needed at the same time.
    """

    name: str
    output_shape: tuple
    output_type: str
    weight_bytes: int
    macs: int
    units: int
    working_bytes: int


@dataclass(frozen=True)
class BoardFit:
    """Whether one board can run a model.

    Attributes
    ----------
    board : str
        Name of the profile.
    title : str
    reasons : tuple of str
        Why not; empty if it fits.
    estimated_ms : float
        Time for one inference in MicroPython bytecode. Estimated: instructions of a dot product counted in an emulator,
        one per clock; layers against that dot product measured on the simulated board.
    flash_bytes : int
        What model and program take of its file system, in blocks of the size that it has.
    """

    board: str
    title: str
    reasons: tuple
    estimated_ms: float
    flash_bytes: int

    @property
    def fits(self) -> bool:
        return not self.reasons


@dataclass(frozen=True)
class Report:
    """What a model is and needs; print it, or let a notebook show it.

    Attributes
    ----------
    name : str
        File name.
    layers : tuple of LayerReport
    input_shape, output_shape : tuple of int
    input_type, output_type : str
    file_bytes, weight_bytes : int
    macs : int
    arena_bytes : int or None
        Memory for values between layers, as the board plans it; None if the board runtime cannot run the model.
    problem : str
        Why the board runtime cannot run it; empty if it can.
    app : str
        The app of ``firmware/apps`` that the figures are for.
    program : dict of str to int
        Files of that app with the operators of this model: path on the board -> bytes, compiled.
    boards : tuple of BoardFit
    """

    name: str
    layers: tuple
    input_shape: tuple
    input_type: str
    output_shape: tuple
    output_type: str
    file_bytes: int
    weight_bytes: int
    macs: int
    arena_bytes: int | None
    problem: str
    app: str
    program: dict = field(hash=False)
    boards: tuple = field(default=())

    @property
    def overhead_bytes(self) -> int:
        """Heap that the loaded model takes beside file and arena (estimated from measurements)."""
        return sum(_LAYER_RAM_BYTES + _UNIT_RAM_BYTES * layer.units for layer in self.layers)

    @property
    def code_bytes(self) -> int:
        """Bytes of the compiled program."""
        return sum(self.program.values())

    @property
    def code_heap_bytes(self) -> int:
        """Heap that the program takes once it is imported (estimated from measurements)."""
        return code_heap_bytes(self.program)

    @property
    def app_heap_bytes(self) -> int:
        """Heap that the app takes for its buffers (measured)."""
        return _APP_RAM_BYTES.get(self.app, _ANY_APP_RAM_BYTES)

    @property
    def model_heap_bytes(self) -> int:
        """Heap that the loaded model takes: file, arena, overhead."""
        return self.file_bytes + (self.arena_bytes or 0) + self.overhead_bytes

    @property
    def ram_bytes(self) -> int:
        """Heap that program and model need on the board: code, buffers, file, arena, overhead (estimated)."""
        return self.code_heap_bytes + self.app_heap_bytes + self.model_heap_bytes

    @property
    def flash_bytes(self) -> int:
        """File system space that program and model need, in blocks of 512 bytes."""
        return self.flash_bytes_in(512)

    def flash_bytes_in(self, block_bytes: int) -> int:
        """File system space that program and model need, in blocks of a size."""
        folder = "/models/model"
        return space({**self.program, f"{folder}/model.tflite": self.file_bytes,
                      f"{folder}/bundle.json": _DESCRIPTION_BYTES}, block_bytes)

    @property
    def hungriest(self) -> LayerReport | None:
        """The layer with the most memory at work: its inputs and its output."""
        return max(self.layers, key=lambda layer: layer.working_bytes, default=None)

    def to_dict(self) -> dict:
        """Everything as numbers, text, lists and dicts, for JSON."""
        about = asdict(self)
        for board, made in zip(about["boards"], self.boards, strict=True):
            board["fits"] = made.fits
        hungriest = self.hungriest
        return {**about, "overhead_bytes": self.overhead_bytes, "code_bytes": self.code_bytes,
                "code_heap_bytes": self.code_heap_bytes, "app_heap_bytes": self.app_heap_bytes,
                "ram_bytes": self.ram_bytes, "flash_bytes": self.flash_bytes,
                "sources": _SOURCES,
                "largest_layer": hungriest and {"index": self.layers.index(hungriest), **asdict(hungriest)}}

    @property
    def float_layers(self) -> int:
        """How many layers compute in float32: with 4 bytes per value, and in Python only."""
        return len(self._in_floats())

    def _in_floats(self):
        return [layer.name for layer in self.layers if layer.output_type == "float32" and layer.name != "DEQUANTIZE"]

    def _facts(self):
        arena = "unknown" if self.arena_bytes is None else f"{self.arena_bytes:,} bytes"
        facts = [
            ("input", f"{self.input_type} {_shape(self.input_shape)}"),
            ("output", f"{self.output_type} {_shape(self.output_shape)}"),
            ("file", f"{self.file_bytes:,} bytes, of which weights {self.weight_bytes:,}"),
            ("arena", arena + (f"; most at work in {self.hungriest.name} ({_shape(self.hungriest.output_shape)}): "
                               f"{self.hungriest.working_bytes:,}" if self.layers else "")),
            ("MACs", f"{self.macs:,}"),
            ("heap needed", f"{self.ram_bytes:,} bytes (estimated: code {self.code_heap_bytes:,}, buffers of the app "
                            f"{self.app_heap_bytes:,}, file, arena, overhead {self.overhead_bytes:,})"),
            ("flash needed", f"{self.flash_bytes:,} bytes (computed, in blocks of 512: file; app {self.app} with these "
                             f"operators, {self.code_bytes:,} in {len(self.program)} files)"),
        ]
        if self.float_layers:
            # A converter leaves some operators as they are, though all else is int8.
            names = ", ".join(sorted(set(self._in_floats())))
            mend = (f"take other layers than {names}, for example RELU" if self.input_type == "int8"
                    else "convert it to full int8 (lesson 09)")
            facts.append(("floats", f"{self.float_layers} of {len(self.layers)} layers compute in float32: slow on a board, "
                                    f"where times are estimated for int8 only; {mend}"))
        return facts

    def _layer_rows(self):
        return [(layer.name, _shape(layer.output_shape), layer.output_type, f"{layer.weight_bytes:,}",
                 f"{layer.macs:,}") for layer in self.layers]

    def _board_rows(self):
        return [(b.title, "yes" if b.fits else "no", f"{b.estimated_ms:,.0f} ms" if b.fits else "-",
                 "no board can run it: see above" if self.problem else " ".join(b.reasons)) for b in self.boards]

    def __str__(self):
        lines = [self.name]
        lines += [f"  {name:<13} {value}" for name, value in self._facts()]
        if self.problem:
            lines += ["  cannot run    " + self.problem]
        lines += ["", f"  {'operator':<20} {'output':<14} {'type':<8} {'weights':>8} {'MACs':>10}"]
        lines += [f"  {n:<20} {s:<14} {t:<8} {w:>8} {m:>10}" for n, s, t, w, m in self._layer_rows()]
        if self.boards:
            lines += ["", *board_lines(self._board_rows())]
        return "\n".join(lines)

    def _repr_html_(self):
        parts = [f"<h4>{html.escape(self.name)}</h4>", html_table(("what", "needs"), self._facts())]
        if self.problem:
            parts.append(f"<p><b>Cannot run:</b> {html.escape(self.problem)}</p>")
        parts.append(html_table(("operator", "output", "type", "weights (bytes)", "MACs"), self._layer_rows()))
        if self.boards:
            parts.append(html_table(BOARD_COLUMNS, self._board_rows()))
        return "".join(parts)


BOARD_COLUMNS = ("board", "fits", "time (estimated)", "why not")


def board_lines(rows) -> list[str]:
    """Rows of :data:`BOARD_COLUMNS` as the lines of a printed report."""
    return [f"  {'board':<26} {'fits':<5} {'estimated time':>14}  why not",
            *(f"  {title:<26} {fits:<5} {time:>14}  {reasons}".rstrip() for title, fits, time, reasons in rows)]


def html_table(head, rows, caption="") -> str:
    """A table of texts as a notebook shows it."""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    caption = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


_SOURCES = {
    "arena_bytes": "planned by the board's own code",
    "flash_bytes": "computed: compiled files, in blocks of the file system",
    "overhead_bytes": "estimated from measurements on the simulated board",
    "code_heap_bytes": "estimated from measurements on the simulated board",
    "app_heap_bytes": "measured on the simulated board",
    "ram_bytes": "estimated: code, buffers of the app, file, arena and overhead",
    "estimated_ms": "estimated: instructions of a dot product in MicroPython bytecode counted in an emulator, one per clock; "
                    "layers against that dot product measured on the simulated board",
}


def report(path_or_bytes, boards=None, app: str = "gesture") -> Report:
    """Say what a model needs and which boards can run it.

    Parameters
    ----------
    path_or_bytes : str, pathlib.Path or bytes
        Any .tflite model, also a float one.
    boards : sequence of str or Profile, optional
        Boards to check, for example ``["esp32", "stm32f411"]``. Default: every board that the course knows.
    app : str
        App of ``firmware/apps`` that shall use the model: its files count for flash and heap.

    Returns
    -------
    Report

    Raises
    ------
    ModelError
        The file is missing or damaged.

    Examples
    --------
    >>> from edgekit.paths import MODELS
    >>> report(MODELS / "gesture_float.tflite", boards=[]).float_layers
    8
    """
    data, name = load_bytes(path_or_bytes)
    graph = read(data if name == "the model" else path_or_bytes)
    tflm = board_module("tflite_micro")
    arena_bytes, problem = None, ""
    try:
        arena_bytes = tflm.load_model(data).arena_bytes
    except ValueError as error:
        problem = str(error)
    if not graph.inputs or not graph.outputs:
        raise ModelError(f"{name}: {problem}")
    layers = tuple(_layer(operator) for operator in graph.operators)
    first, last = graph.inputs[0], graph.outputs[0]
    made = Report(name=name, layers=layers, input_shape=first.shape, input_type=first.type_name,
                  output_shape=last.shape, output_type=last.type_name, file_bytes=len(data),
                  weight_bytes=sum({t.data_start: t.data_bytes for t in graph.tensors}.values()),
                  macs=sum(layer.macs for layer in layers), arena_bytes=arena_bytes, problem=problem, app=app,
                  program=_program(app, () if problem else modules(data)))
    profiles = [get_profile(board) for board in (PROFILES if boards is None else boards)]
    checked = tuple(BoardFit(p.name, p.title, tuple(fit(made, p)), _estimated_ms(made, p), _flash_on(made, p))
                    for p in profiles)
    return Report(**{**vars(made), "boards": checked})


def modules(path_or_bytes) -> tuple[str, ...]:
    """Which modules of the board runtime a model needs beside those that are always there.

    Operators of one family share a module, and a board that runs one model needs only its families:
    ``board.install(app, modules={"tflite_micro": modules(model)})``.

    Parameters
    ----------
    path_or_bytes : str, pathlib.Path or bytes
        A model that the board runtime can run.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from edgekit.paths import MODELS
    >>> modules(MODELS / "gesture_int8.tflite"), modules(MODELS / "gesture_float.tflite")
    ((), ('floating',))
    """
    operators = board_module("tflite_micro").operators
    ways = [operators._preparing(operator) for operator in read(path_or_bytes).operators]
    return tuple(sorted({way.split(".")[0] for way in ways if isinstance(way, str)}))


def code_heap_bytes(sizes) -> int:
    """Heap that compiled files (path -> bytes) take once they are imported; estimated from measurements."""
    return round(_HEAP_PER_CODE_BYTE * sum(sizes.values()))


def _program(app, runtime_modules):
    # The tables of the boards differ by some hundred bytes.
    chosen = {"tflite_micro": runtime_modules, "boards": ("esp32",)}
    return {target: len(compile_file(source)) for target, source in files_for(app, chosen).items()}


def _flash_on(report, profile):
    return report.flash_bytes_in(flash_block(profile.flash_bytes))


def fit(report: Report, profile) -> list[str]:
    """Why a model cannot run on a board.

    Parameters
    ----------
    report : Report
    profile : edgekit.board.profiles.Profile
        Only ``heap_bytes`` and ``flash_bytes`` are read.

    Returns
    -------
    list of str
        One sentence for each reason, with what to change; empty if it fits.
    """
    reasons = []
    if report.problem:
        reasons.append(report.problem + ".")
    flash_bytes = _flash_on(report, profile)
    if flash_bytes > profile.flash_bytes:
        reasons.append(f"It needs {flash_bytes:,} bytes of flash, there are {profile.flash_bytes:,}: "
                       + ("use fewer weights." if report.file_bytes > report.code_bytes else
                          "use a board with more flash, or add a flash chip if the board has room for one."))
    if not report.problem and report.ram_bytes > profile.heap_bytes:
        reasons.append(f"It needs {report.ram_bytes:,} bytes of heap, there are about {profile.heap_bytes:,}: "
                       + _how_to_need_less(report, profile))
    return reasons


def _how_to_need_less(report, profile):
    program = report.code_heap_bytes + report.app_heap_bytes
    if program > profile.heap_bytes:
        return (f"the program alone takes {program:,}: use fewer kinds of layers, as each kind brings code, or a board with "
                "more memory.")
    if report.overhead_bytes > max(report.file_bytes, report.arena_bytes):
        return "use fewer layers, as each takes memory of its own."
    if report.file_bytes > 2 * report.arena_bytes:
        return "use fewer weights."
    largest = report.hungriest
    return f"make the input or the layer {largest.name} ({_shape(largest.output_shape)}) smaller."


def bytecode_ms(steps: float, profile) -> float:
    """Estimated milliseconds for so many steps of a plain int8 dot product in bytecode on a board."""
    return 1000 * steps * _INSTRUCTIONS_PER_STEP.get(profile.arch, 719) / profile.clock_hz


def _estimated_ms(report, profile):
    steps = 0
    for layer in report.layers:
        if layer.macs:
            per_output = _STEPS_PER_LSTM_OUTPUT if layer.name.endswith("LSTM") else _STEPS_PER_OUTPUT
            steps += _STEPS_PER_MAC * layer.macs + per_output * math.prod(layer.output_shape)
    return bytecode_ms(steps, profile)


def _layer(operator):
    """Size and work of one operator, from shapes alone: also for models that no board can run."""
    output = operator.outputs[0] if operator.outputs else None
    constants = [t for t in operator.inputs if t is not None and t.is_constant]
    macs = units = 0
    if output is not None and len(operator.inputs) > 1 and operator.inputs[1] is not None:
        weights = operator.inputs[1].shape
        if operator.name in ("CONV_2D", "FULLY_CONNECTED") and weights:
            units = weights[0]
            macs = output.size * math.prod(weights[1:])
        elif operator.name == "DEPTHWISE_CONV_2D" and len(weights) == 4:
            units = weights[3]
            macs = output.size * weights[1] * weights[2]
        elif operator.name == "SVDF" and len(weights) == 2 and operator.inputs[2] is not None:
            units = weights[0]
            macs = output.shape[0] * (math.prod(weights) + operator.inputs[2].size) if output.shape else 0
        elif operator.name == "UNIDIRECTIONAL_SEQUENCE_LSTM" and len(weights) == 2:
            units = 4 * weights[0]
            macs = output.size * 4 * sum(weights)
        elif operator.name == "TRANSPOSE_CONV" and len(weights) == 4 and len(operator.inputs) > 2:
            units = weights[0]
            macs = operator.inputs[2].size * math.prod(weights[:3]) if operator.inputs[2] else 0
    at_work = list(operator.outputs)
    if operator.name not in ("RESHAPE", "EXPAND_DIMS", "SQUEEZE"):  # those share the memory of their input
        at_work += [t for t in operator.inputs if t is not None and not t.is_constant]
    return LayerReport(operator.name, output.shape if output else (), output.type_name if output else "",
                       sum(t.data_bytes for t in constants), macs, units, sum({t.index: t.bytes for t in at_work}.values()))


def _shape(shape):
    return "x".join(map(str, shape)) or "scalar"
