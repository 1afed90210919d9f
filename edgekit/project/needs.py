"""What a project needs of its board, beside what it may: RAM, flash, milliseconds, milliamp-hours a day."""

from dataclasses import dataclass

from edgekit.board.install import files_for, space, tables_for
from edgekit.board.profiles import flash_block, get_profile
from edgekit.bytecode import compile_file
from edgekit.errors import ModelError
from edgekit.lab.waiting import MOTION_ALL_MA, MOTION_ASLEEP_MA, Way, mah_per_day
from edgekit.project.onboard import APP, MODEL, PARAMS, app_path
from edgekit.project.settings import FILE
from edgekit.tflite.reporting import bytecode_ms, html_table

__all__ = ["Needs", "Need", "needs"]

_HEAP_PER_CODE_BYTE = 1.35
"""As in edgekit.classical: heap that code takes once it is imported, for each byte of the .mpy."""
_APP_RAM_BYTES = 4_000
"""Heap for the sensor's driver, the settings as a dict, and small things (measured on the simulated board with the template:
what is left beside code, model and buffers)."""
_STEPS_PER_ACCEL_VALUE, _STEPS_PER_GYRO_VALUE = 6.6, 1.5
"""Summary features, in steps of a plain int8 dot product for each number of the window: measured on the simulated board, CPU
time of Summary.compute against that of the dot product (6.4 to 7.6). For a gyroscope: by the number of passes."""
_PARAMS_BYTES = 300

_MEND = {
    "RAM": "Take fewer or smaller trees, a shorter window, or leave imports out of app.py.",
    "flash": "Take fewer or smaller trees, or leave imports out of app.py.",
    "time": "Take a shorter window, fewer channels or a smaller model.",
    "rhythm": "A decision takes longer than until the next one is due: take a longer stride or a faster board.",
    "charge": "Look less often or for a shorter time (duty), let an interrupt wake the board (lesson 11), or take a board that "
              "sleeps deeper.",
}


@dataclass(frozen=True)
class Need:
    """One line of the budget.

    Attributes
    ----------
    what : str
        RAM, flash, time, rhythm or charge.
    allowed, needs : float
    unit : str
    source : str
        Where the figure comes from.
    """

    what: str
    allowed: float
    needs: float
    unit: str
    source: str

    @property
    def ok(self) -> bool:
        return self.needs <= self.allowed


@dataclass(frozen=True)
class Needs:
    """The budget of a project, line by line; print it, or let a notebook show it.

    Attributes
    ----------
    board : str
        Title of the profile.
    rows : tuple of Need
    """

    board: str
    rows: tuple[Need, ...]

    @property
    def ok(self) -> bool:
        """Every line is within what is allowed."""
        return all(row.ok for row in self.rows)

    def __getitem__(self, what) -> Need:
        return next(row for row in self.rows if row.what == what)

    def sentences(self) -> list[str]:
        """A sentence for each line that is exceeded: how far, and what to do."""
        return [f"{row.what}: needs {_number(row.needs)} {row.unit}, allowed are {_number(row.allowed)} on the {self.board}. "
                f"{_MEND[row.what]}" for row in self.rows if not row.ok]

    def require(self) -> None:
        """Raise a ModelError if the budget is exceeded; its message says by what, and what to do."""
        if not self.ok:
            raise ModelError(f"The budget of {FILE} does not hold. {' '.join(self.sentences())} Or raise the line in {FILE}, "
                             "and say why in the model card.")

    def _cells(self):
        return [(row.what, f"{_number(row.allowed)} {row.unit}", f"{_number(row.needs)} {row.unit}",
                 "yes" if row.ok else "NO", row.source) for row in self.rows]

    def __str__(self):
        head = ("", "allowed", "needs", "ok", "where the figure comes from")
        rows = [head, *self._cells()]
        wide = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = [self.board, *("  ".join([row[0].ljust(wide[0]), row[1].rjust(wide[1]), row[2].rjust(wide[2]),
                                          row[3].ljust(wide[3]), row[4]]).rstrip() for row in rows)]
        return "\n".join(lines + self.sentences())

    def _repr_html_(self):
        return html_table(("", "allowed", "needs", "ok", "where the figure comes from"), self._cells(), self.board) \
            + "".join(f"<p>{sentence}</p>" for sentence in self.sentences())

    def to_markdown(self) -> str:
        """As a table for the model card."""
        lines = [f"| {self.board} | allowed | needs | ok | source |", "|---|---|---|---|---|"]
        return "\n".join(lines + ["| " + " | ".join(cells) + " |" for cells in self._cells()])


def needs(project, model) -> Needs:
    """Compute what app and model need of the project's board, before a byte is copied.

    Parameters
    ----------
    project : Project
        Its ``app.py`` counts too.
    model : bytes, str or pathlib.Path
        A classical model of :func:`edgekit.convert.to_board`. (A .tflite: see `edgekit.tflite.report`.)

    Returns
    -------
    Needs

    Raises
    ------
    ModelError
        It is no classical model.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from edgekit.convert import to_board
    >>> from edgekit.project import Project, new
    >>> project = Project.load(new("washer", tempfile.mkdtemp()))
    >>> small = to_board(DecisionTreeClassifier().fit([[0.0], [1.0], [2.0]], [0, 1, 0]))
    >>> made = needs(project, small)
    >>> [row.what for row in made.rows], made.ok
    (['RAM', 'flash', 'time', 'rhythm', 'charge'], True)
    """
    from edgekit import classical
    profile = get_profile(project.board)
    report = classical.report(model, [profile.name])
    app = app_path(project)
    program = {target: len(compile_file(source))
               for target, source in files_for(app, {"boards": tables_for(profile.machine)}).items()}
    program[APP] = len(compile_file(app))
    files = {**program, MODEL: report.file_bytes, PARAMS: _PARAMS_BYTES}
    # The library of classical models is imported in parts: the report knows which.
    code = sum(size for target, size in program.items() if not target.startswith("/lib/classic/"))
    buffers = 2 * project.channels * project.window + project.window + 4 * report.features
    ram = report.ram_bytes + round(_HEAP_PER_CODE_BYTE * code) + buffers + _APP_RAM_BYTES
    values = project.window * min(project.channels, 3), project.window * max(project.channels - 3, 0)
    steps = _STEPS_PER_ACCEL_VALUE * values[0] + _STEPS_PER_GYRO_VALUE * values[1]
    ms = report.boards[0].estimated_ms + bytecode_ms(steps, profile)
    duty, budget = project.duty, project.budget
    way = Way("the project", duty.looks_per_day * duty.look_s, MOTION_ASLEEP_MA, MOTION_ALL_MA)
    return Needs(profile.title, (
        Need("RAM", min(budget.ram_bytes, profile.heap_bytes), ram, "bytes",
             "estimated: code, model, buffers, as measured on the simulated board"),
        Need("flash", min(budget.flash_bytes, profile.flash_bytes), space(files, flash_block(profile.flash_bytes)), "bytes",
             "computed: compiled files, in blocks of the file system"),
        Need("time", budget.ms, ms, "ms",
             "estimated: features and model in bytecode, within a factor of 2"),
        Need("rhythm", 1000 * project.stride / project.rate_hz, ms, "ms", "the same, against the stride"),
        Need("charge", budget.mah_per_day, mah_per_day(profile, way), "mAh a day",
             "estimated: currents of data sheets, chip and sensor alone"),
    ))


def _number(value):
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"
