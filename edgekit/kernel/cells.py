"""What a cell means: which lines are for the board, which for the host; what the board's traceback says about it.

Pure functions on text, so that they can be tested without a kernel.
"""

import ast
import re
import warnings
from dataclasses import dataclass

_FRAME = re.compile(r'  File "<stdin>", line (\d+)(?:, in (.+))?$')
_MISSING = re.compile(r"no module named '(\w+)|name '(\w+)' isn't defined")
# Frames that are none of the learner's: the kernel's own input(), and the insides of the simulated board.
_NOT_THEIRS = re.compile(r'  File "<stdin>", line \d+, in _edgekit_\w+$|  File "(/rom/|(_\w+|\w+_board|machine)\.py")')
_HOST_NAME = re.compile(r"\bboard\b")
_QUESTION = re.compile(r"(\?{0,2})\s*([A-Za-z_][\w.]*)\s*(\?{0,2})$")

HOST_MARK = "# on the host"      # stands where %%host stood
FORGOT_HOST = "This cell runs on the board. To run it on your computer, write %%host as its first line."


@dataclass(frozen=True)
class Part:
    """Lines of a cell that belong together: ``place`` is ``"host"`` or ``"board"``."""

    place: str
    code: str


def split(cell: str) -> list[Part]:
    """Split a cell into what runs on the host and what runs on the board, in the order in which it runs.

    ``%%host`` gives the whole cell to the host, and so does any other cell magic. Without it, lines that begin with
    ``%`` or ``!`` are the host's, unless they are the middle of a statement; the rest is the board's, with empty
    lines in place of what came before so that line numbers stay.

    Parameters
    ----------
    cell : str
        As the learner wrote it.

    Returns
    -------
    list of Part
        Empty if the cell is.

    Examples
    --------
    >>> split("%connect sim\\nx = 1\\n%get x")
    [Part(place='host', code='%connect sim\\n'), Part(place='board', code='\\nx = 1\\n'), Part(place='host', code='%get x')]
    >>> split("%%host\\nimport numpy")
    [Part(place='host', code='# on the host\\nimport numpy')]
    """
    lines = cell.splitlines(keepends=True)
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return []
    word = lines[first].split()[0]
    if word == "%%host":
        return [Part("host", "".join([*lines[:first], HOST_MARK + "\n", *lines[first + 1:]]))]
    if word.startswith("%%"):
        return [Part("host", cell)]
    parts, begin = [], 0        # lines[begin:i] belong to no part yet
    for i, line in enumerate(lines):
        before = lines[begin:i]
        begun = _has_code(before)
        if not (line if begun else line.lstrip()).startswith(("%", "!")) or begun and not _is_whole("".join(before)):
            continue
        if begun:
            parts.append(Part("board", "\n" * begin + "".join(before)))
            before = []
        host = "".join([*before, line])
        if parts and parts[-1].place == "host":
            host = parts.pop().code + host
        parts.append(Part("host", host))
        begin = i + 1
    if _has_code(lines[begin:]):
        parts.append(Part("board", "\n" * begin + "".join(lines[begin:])))
    return parts


def _has_code(lines):
    return any(line.strip() and not line.lstrip().startswith("#") for line in lines)


def _is_whole(code):
    """Whether code ends with the end of a statement."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
    except (SyntaxError, ValueError):
        return False
    return True


def question(cell: str) -> tuple[str, str, int] | None:
    """What a cell asks about: its last line is ``name?`` or ``?name``.

    Parameters
    ----------
    cell : str
        As the learner wrote it.

    Returns
    -------
    before : str
        What comes before that line, to be run first.
    name : str
    source : int
        1 if it asks for the source (``??``), else 0.

    Examples
    --------
    >>> question("led = machine.Pin(2)\\nled?"), question("??blink"), question("x = 1")
    (('led = machine.Pin(2)\\n', 'led', 0), ('', 'blink', 1), None)
    """
    before, line_end, last = cell.rstrip().rpartition("\n")
    match = _QUESTION.match(last.strip())
    if match is None or not (match[1] or match[3]) or before.lstrip().startswith("%%"):
        return None
    return before + line_end, match[2], int("??" in (match[1], match[3]))


def needs_board(host_code: str) -> bool:
    """True if host code names ``board``, so that it must be connected first.

    Examples
    --------
    >>> needs_board("board.world.press('button')"), needs_board("print('keyboard')")
    (True, False)
    """
    return _HOST_NAME.search(host_code) is not None


def keep_last(code: str) -> tuple[str, bool]:
    """Make the board keep the value of a cell's last expression in ``_``, as its own prompt does.

    Only text is added, within lines: line numbers stay.

    Parameters
    ----------
    code : str
        Code of the board.

    Returns
    -------
    code : str
    kept : bool
        False if the cell does not end with an expression (or ends with ``;``, or CPython cannot read it: then the
        board shall say what is wrong).

    Examples
    --------
    >>> keep_last("x = 2\\nx * 21  # answer")
    ('x = 2\\n_ = (x * 21)  # answer', True)
    >>> keep_last("x = 2;")
    ('x = 2;', False)
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")     # for example "\d" in a string: the learner is told by nobody twice
            body = ast.parse(code).body
    except (SyntaxError, ValueError):
        return code, False
    if not body or not isinstance(body[-1], ast.Expr):
        return code, False
    last = body[-1]
    # Columns of the syntax tree are in bytes.
    lines = [line.encode() for line in code.split("\n")]
    end = lines[last.end_lineno - 1]
    if end[last.end_col_offset:].lstrip().startswith(b";"):
        return code, False
    lines[last.end_lineno - 1] = end[:last.end_col_offset] + b")" + end[last.end_col_offset:]
    start = lines[last.lineno - 1]
    lines[last.lineno - 1] = start[:last.col_offset] + b"_ = (" + start[last.col_offset:]
    return b"\n".join(lines).decode(), True


class CellError(Exception):
    """An exception of the board, shown as if it were one of the cell: its name, its message, the board's traceback.

    Parameters
    ----------
    message : str
        What MicroPython wrote after the exception's name.
    lines : list of str
        The traceback to show.
    """

    def __init__(self, message: str, lines: list[str]):
        super().__init__(message)
        self.lines = lines

    def _render_traceback_(self):
        return self.lines


def cell_error(traceback: str, cell: str, on_host=lambda name: False, earlier=()) -> CellError:
    """Make the error of a cell from what MicroPython printed.

    Parameters
    ----------
    traceback : str
        From ``Traceback (most recent call last):`` to the last line.
    cell : str
        The cell that ran; its lines are quoted.
    on_host : callable, optional
        Says whether a name that the board does not know is one of the host: then ``%%host`` is what was forgotten.
    earlier : sequence of (int, str), optional
        Number and code of the cells that ran before, oldest first: functions they defined are quoted from there.

    Returns
    -------
    CellError
        Of a class with the name of the board's exception, for example ``ValueError``.

    Examples
    --------
    >>> error = cell_error('Traceback (most recent call last):\\n  File "<stdin>", line 1, in <module>\\n'
    ...                    'ValueError: too hot', "check(99)")
    >>> type(error).__name__, str(error)
    ('ValueError', 'too hot')
    >>> print("\\n".join(error._render_traceback_()))
    Traceback (most recent call last):
      this cell, line 1
        check(99)
    ValueError: too hot
    """
    lines = traceback.strip("\r\n").replace("\r\n", "\n").split("\n")
    last_frame = max((i for i, line in enumerate(lines) if line.startswith(("  File ", "Traceback "))), default=-1)
    text = "\n".join(lines[last_frame + 1:]).strip() or "RuntimeError: the board gave no reason"
    name, _, message = text.partition(":")
    if not name.isidentifier():
        name, message = "RuntimeError", text
    message = message.strip()
    if not message:
        text = name
    shown = [part for line in lines[:last_frame + 1] for part in _frame(line, cell, earlier)]
    error = type(name, (CellError,), {"__module__": __name__})
    missing = _MISSING.search(message)
    advice = [FORGOT_HOST] if missing and on_host(missing[1] or missing[2]) else []
    return error(message, [*shown, text, *advice])


def interrupted() -> CellError:
    """The error of a cell that ctrl-C has stopped before the board could say where."""
    return type("KeyboardInterrupt", (CellError,), {"__module__": __name__})("", ["KeyboardInterrupt"])


def _frame(line, cell, earlier):
    """One line of the board's traceback in words, with the source line of the cell it most likely is from."""
    match = _FRAME.match(line)
    if _NOT_THEIRS.match(line):
        return []
    if match is None:
        return [line]
    number, function = int(match[1]), match[2]
    inside = f", in {function}" if function not in (None, "<module>") else ""
    if not inside or defines(cell, function, number):
        return [f"  this cell, line {number}{inside}", *_quote(cell, number)]
    # The function was defined by an earlier cell, whose line numbers these are.
    for count, code in reversed(earlier):
        if defines(code, function, number):
            return [f"  cell [{count}], line {number}{inside}", *_quote(code, number)]
    return [f"  an earlier cell, line {number}{inside}"]


def _quote(code, number):
    lines = code.split("\n")
    return ["    " + lines[number - 1].strip()] if 0 < number <= len(lines) else []


def defines(cell: str, function: str, number: int) -> bool:
    """Whether a cell defines a function, class, lambda ... of this name that reaches over this line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(cell)
    except (SyntaxError, ValueError):
        return False
    nameless = {ast.Lambda: "<lambda>", ast.ListComp: "<listcomp>", ast.GeneratorExp: "<genexpr>",
                ast.DictComp: "<dictcomp>", ast.SetComp: "<setcomp>"}
    return any(node.lineno <= number <= node.end_lineno for node in ast.walk(tree)
               if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, *nameless))
               and getattr(node, "name", nameless.get(type(node))) == function)
