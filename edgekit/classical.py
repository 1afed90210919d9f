"""What a classical model needs, and which boards have it: known before a byte is copied."""

import html
from dataclasses import asdict, dataclass
from pathlib import Path

from edgekit.board.install import space
from edgekit.board.profiles import PROFILES, flash_block, get_profile
from edgekit.bytecode import compile_file
from edgekit.convert import load_classic
from edgekit.errors import ModelError
from edgekit.paths import FIRMWARE
from edgekit.tflite.reporting import BOARD_COLUMNS, BoardFit, board_lines, bytecode_ms, html_table

__all__ = ["ClassicReport", "report", "is_classic"]

_HEAP_PER_CODE_BYTE = 1.35
"""Heap that code takes once it is imported, for each byte of the .mpy (measured on the simulated board: 1.23 to 1.40)."""
_MODEL_RAM_BYTES, _STEP_RAM_BYTES = 600, 300
"""Heap for a loaded model and for each step, beside what the file holds (measured on the simulated board for 33 models of
2 to 7 steps: within 300 bytes)."""
_MAC, _COMPARISON = 1.5, 1.6
"""A sum of floats, and a decision of a tree, in steps of a plain int8 dot product (estimated: by the number of bytecodes)."""
_MODULES = {"trees": "trees", "linear": "linear", "scale": "columns", "select": "columns", "impute": "columns",
            "svm": "points", "centres": "points", "neighbours": "points", "bayes": "points"}
_SOURCES = {
    "ram_bytes": "estimated: code, file, and overhead as measured on the simulated board",
    "flash_bytes": "computed: compiled files, in blocks of the file system",
    "comparisons": "counted: each tree as deep as it gets",
    "macs": "counted",
    "estimated_ms": "estimated: bytecodes, by instructions counted in an emulator for others, one per clock; within a "
                    "factor of 2",
}


@dataclass(frozen=True)
class ClassicReport:
    """What a model is and needs; print it, or let a notebook show it.

    Attributes
    ----------
    name : str
        File name.
    steps : tuple of (str, str)
        Kind of each step, and what is in it.
    features : int
    columns : tuple of str
        Their names; empty if the file has none.
    classes : tuple
        Empty for a regressor.
    file_bytes : int
    program : dict of str to int
        Files of the library that this model needs: path on the board -> bytes, compiled.
    comparisons, macs : int
        Decisions and multiply-accumulates for one prediction, at most.
    boards : tuple of BoardFit
    """

    name: str
    steps: tuple
    features: int
    columns: tuple
    classes: tuple
    file_bytes: int
    program: dict
    comparisons: int
    macs: int
    boards: tuple = ()

    @property
    def ram_bytes(self) -> int:
        """Heap for code and model (estimated)."""
        code = round(_HEAP_PER_CODE_BYTE * sum(self.program.values()))
        return code + self.file_bytes + _MODEL_RAM_BYTES + _STEP_RAM_BYTES * len(self.steps)

    @property
    def flash_bytes(self) -> int:
        """File system space for library and model, in blocks of 512 bytes."""
        return self.flash_on(512)

    def flash_on(self, block_bytes: int) -> int:
        """The same with blocks of another size."""
        return space({**self.program, "/models/model.bin": self.file_bytes}, block_bytes)

    def to_dict(self) -> dict:
        """Everything as numbers, text, lists and dicts, for JSON."""
        about = asdict(self)
        for board, made in zip(about["boards"], self.boards, strict=True):
            board["fits"] = made.fits
        return {**about, "ram_bytes": self.ram_bytes, "flash_bytes": self.flash_bytes, "sources": _SOURCES}

    def _facts(self):
        names = ", ".join(self.columns)
        return [
            ("input", f"{self.features} features" + (f": {names}" if names else "")),
            ("output", ", ".join(map(str, self.classes)) or "a number"),
            ("file", f"{self.file_bytes:,} bytes"),
            ("work", f"at most {self.comparisons:,} comparisons, {self.macs:,} MACs"),
            ("heap needed", f"{self.ram_bytes:,} bytes (estimated: code, file, overhead)"),
            ("flash needed", f"{self.flash_bytes:,} bytes (computed, in blocks of 512: file; library, "
                             f"{sum(self.program.values()):,} in {len(self.program)} files)"),
        ]

    def _board_rows(self):
        return [(b.title, "yes" if b.fits else "no", f"{b.estimated_ms:,.1f} ms" if b.fits else "-", " ".join(b.reasons))
                for b in self.boards]

    def __str__(self):
        lines = [self.name]
        lines += [f"  {name:<13} {value}" for name, value in self._facts()]
        lines += ["", *(f"  {kind:<13} {what}" for kind, what in self.steps)]
        if self.boards:
            lines += ["", *board_lines(self._board_rows())]
        return "\n".join(lines)

    def _repr_html_(self):
        parts = [f"<h4>{html.escape(self.name)}</h4>", html_table(("what", "needs"), self._facts()),
                 html_table(("step", "what"), self.steps)]
        if self.boards:
            parts.append(html_table(BOARD_COLUMNS, self._board_rows()))
        return "".join(parts)


def is_classic(path) -> bool:
    """Whether a file is one of :func:`edgekit.convert.to_board`: it begins as those do.

    Examples
    --------
    >>> from edgekit.paths import MODELS
    >>> is_classic(MODELS / "gesture_int8.tflite")
    False
    """
    try:
        with open(path, "rb") as file:
            return file.read(3) == b"EKC"
    except OSError:
        return False


def report(path_or_bytes, boards=None) -> ClassicReport:
    """Say what a classical model needs and which boards can run it.

    Parameters
    ----------
    path_or_bytes : str, pathlib.Path or bytes
        A file of :func:`edgekit.convert.to_board`.
    boards : sequence of str or Profile, optional
        Boards to check, for example ``["esp32", "stm32f411"]``. Default: every board that the course knows.

    Returns
    -------
    ClassicReport

    Raises
    ------
    ModelError
        The file is missing or damaged.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from edgekit.convert import to_board
    >>> made = report(to_board(DecisionTreeClassifier().fit([[0.0], [1.0], [2.0]], [0, 1, 0])), ["esp32"])
    >>> made.file_bytes, made.comparisons, made.boards[0].fits
    (141, 2, True)
    """
    if isinstance(path_or_bytes, bytes | bytearray | memoryview):
        data, name = bytes(path_or_bytes), "the model"
    else:
        name = Path(path_or_bytes).name
        try:
            data = Path(path_or_bytes).read_bytes()
        except OSError as error:
            raise ModelError(f"Cannot read the model {path_or_bytes}: {error.strerror or error}. Check the path.") from None
    model = load_classic(data).model
    kinds = [step.name for step in model.steps]
    modules = {"__init__", "common", "finish", *(_MODULES[kind] for kind in kinds if kind in _MODULES)}
    program = {f"/lib/classic/{module}.mpy": len(compile_file(FIRMWARE / "lib" / "classic" / f"{module}.py"))
               for module in sorted(modules)}
    work = model.work
    made = ClassicReport(name, tuple((step.name, step.describe()) for step in model.steps), len(model.input),
                         tuple(model.columns or ()), tuple(model.classes), len(data), program, work["comparisons"],
                         work["macs"])
    profiles = [get_profile(board) for board in (PROFILES if boards is None else boards)]
    checked = tuple(BoardFit(p.name, p.title, tuple(_misfits(made, p)), _estimated_ms(made, p),
                             made.flash_on(flash_block(p.flash_bytes))) for p in profiles)
    return ClassicReport(**{**vars(made), "boards": checked})


def _misfits(made, profile):
    reasons = []
    flash = made.flash_on(flash_block(profile.flash_bytes))
    smaller = "use fewer or smaller trees (n_estimators, max_depth)" if made.comparisons else "keep fewer points or weights"
    if flash > profile.flash_bytes:
        reasons.append(f"It needs {flash:,} bytes of flash, there are {profile.flash_bytes:,}: {smaller}.")
    if made.ram_bytes > profile.heap_bytes:
        reasons.append(f"It needs {made.ram_bytes:,} bytes of heap, there are about {profile.heap_bytes:,}: {smaller}.")
    return reasons


def _estimated_ms(made, profile):
    return bytecode_ms(_MAC * made.macs + _COMPARISON * made.comparisons, profile)
