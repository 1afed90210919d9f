"""IPython's own kernel, with one change: a plain cell runs on the board.

Everything that IPython has stays: ``%%host`` cells, magics, ``!shell``, plots and widgets run on the host, in the
same notebook, where ``board`` is the :class:`Board` that the plain cells use.
"""

import contextlib
import importlib.util
import os
import sys
import threading
from collections import deque

from ipykernel.ipkernel import IPythonKernel
from IPython.core.error import StdinNotImplementedError
from IPython.utils.tokenutil import token_at_cursor

from edgekit.errors import BoardCodeError, BoardError, BoardLostError
from edgekit.kernel.cells import HOST_MARK, cell_error, interrupted, keep_last, needs_board, question, split
from edgekit.kernel.link import NO_INPUT, Link, NoInputError
from edgekit.kernel.look import Names, look_up
from edgekit.kernel.magics import BoardMagics

_FLUSH_S = 0.05         # how late printed text may appear; a message for each print would choke the browser
_QUICK_S = 2.0          # Tab and the inspector wait no longer for a board
_CELLS = 500            # that tracebacks and help can quote
_BOARD_CELLS = ("%%plot", "%%timeit", "%%time", "%%capture")     # cell magics around code of the board
_SHOW_LAST = "if _ is not None: print(repr(_), end='')"


class Shown:
    """The repr of a value that lives on the board, as the output of a cell."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text


class MicroPythonKernel(IPythonKernel):
    """The kernel "MicroPython".

    Attributes
    ----------
    link : Link
        The way to the board: the simulated one unless ``$EDGEKIT_PORT`` or ``%connect`` says otherwise.
    chart : Chart or None
        Set by ``%plot``: takes the numbers that the next board code prints.
    """

    implementation = "edgekit"
    implementation_version = "0.1"
    banner = "MicroPython: plain cells run on the board, %%host cells on this computer. %connect chooses the board."
    help_links = [{"text": "MicroPython", "url": "https://docs.micropython.org/en/latest/"},
                  {"text": "IPython", "url": "https://ipython.readthedocs.io/en/stable/"}]

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.link = Link(os.environ.get("EDGEKIT_PORT") or "sim", self._ask, self._board_changed)
        self.chart = None
        self.on_host = False
        self._cells = deque(maxlen=_CELLS)
        self._number = 1
        self._names = Names(self._ask_board)
        # Held while a cell runs: a front end may ask from another thread meanwhile, and the board does one thing.
        self._board_lock = threading.Lock()

    def start(self):
        """Begin to serve. Only now do plain cells mean the board: start-up files of the user ran on the host."""
        self.shell.register_magics(BoardMagics(self))
        self.shell.input_transformers_cleanup.insert(0, self._to_host_code)
        self.shell.events.register("post_run_cell", self._after_cell)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "flush_interval"):
                stream.flush_interval = _FLUSH_S
        super().start()

    def do_shutdown(self, restart):
        """Let go of the board, then end."""
        self.link.disconnect()
        return super().do_shutdown(restart)

    async def do_execute(self, *args, **kwargs):
        """Run a cell; meanwhile Tab asks the board nothing."""
        self._number = self.execution_count     # as the notebook shows it; IPython counts on at once
        held = self._board_lock.acquire(timeout=_QUICK_S)
        try:
            return await super().do_execute(*args, **kwargs)
        finally:
            if held:
                self._board_lock.release()

    # --- the board ---------------------------------------------------------------------------------------------

    def connected(self):
        """The board; connects the first time, and again after it was lost. Connecting prints which board it is."""
        return self.link.connected()

    @contextlib.contextmanager
    def using_board(self):
        """The board for a magic: if it is lost meanwhile, the next cell connects again."""
        try:
            yield self.connected()
        except BoardLostError as error:
            raise self.link.lost(error) from None
        except KeyboardInterrupt:
            raise interrupted() from None

    def run_on_board(self, code):
        """Run the code of a plain cell. Its output appears as it is printed.

        Parameters
        ----------
        code : str
            The cell.

        Returns
        -------
        Shown or None
            What the last expression gave.

        Raises
        ------
        CellError
            With the name of the exception that the board raised.
        BoardLostError
            The board stopped answering; the next cell connects again.
        """
        if not code.strip():
            return None
        to_run, kept = keep_last(code)
        chart, self.chart = self.chart, None
        self._cells.append((self._number, code))
        try:
            if chart is None:
                self.link.run(to_run, _print)
            else:
                self._run_with_chart(to_run, chart)
            text = self.connected().exec(_SHOW_LAST) if kept else ""
        except BoardCodeError as error:
            earlier = [cell for cell in self._cells if cell[1] is not code]
            raise cell_error(error.traceback, code, self._is_host_name, earlier) from None
        except KeyboardInterrupt:
            raise interrupted() from None
        except BoardLostError as error:
            raise self.link.lost(error) from None
        return Shown(text) if text else None

    def _run_with_chart(self, code, chart):
        chart.source = self.connected().name
        with chart.live():
            self.link.run(code, lambda text: _print(chart.feed(text)))
            _print(chart.finish())

    def forget(self):
        """The board's variables are gone."""
        self._cells.clear()
        self._names.forget()

    def _board_changed(self, board):
        if board is None:
            self.shell.user_ns.pop("board", None)
        else:
            self.shell.user_ns["board"] = board
            self.forget()

    def _is_host_name(self, name):
        # Not the standard library: there, more likely an import was forgotten on the board.
        return name in self.shell.user_ns or (
            name not in sys.stdlib_module_names and importlib.util.find_spec(name) is not None)

    def _ask(self, prompt):
        try:
            return self.raw_input(prompt)
        except StdinNotImplementedError:
            raise NoInputError(NO_INPUT) from None

    def _after_cell(self, *_):
        if self.chart is not None:
            self.chart = None
            print("%plot charts what the board's code below it prints: write it above that code, in the same cell.")

    def _to_host_code(self, lines):
        """Input transformer: Python for the host that runs this cell where it belongs."""
        cell, ask = "".join(lines), ""
        if asked := question(cell):
            cell, name, source = asked
            ask = f"get_ipython().kernel.explain({name!r}, {source})\n"
        parts = split(cell)
        self.on_host = bool(parts) and HOST_MARK in parts[0].code
        code = "".join(_with_line_end(part.code) if part.place == "host"
                       else f"get_ipython().kernel.run_on_board({part.code!r})\n" for part in parts)
        if any(needs_board(part.code) for part in parts if part.place == "host") and not code.lstrip().startswith("%%"):
            code = "board = get_ipython().kernel.link.as_it_is()\n" + code
        return (code + ask).splitlines(keepends=True)

    # --- help and completion -----------------------------------------------------------------------------------

    def explain(self, name, detail):
        """``name?``: what the board knows about it; for names that only the host has, IPython's help."""
        from IPython.core import page
        with self.using_board() as board:
            about = look_up(board, name, self._cells)
        if about is not None:
            page.page({"text/plain": about.text(bool(detail))})
        elif name.partition(".")[0] in self.shell.user_ns:
            self.shell.run_line_magic("pinfo2" if detail else "pinfo", name)
        else:
            print(f"The board has no {name!r}. Run the cell that makes or imports it first; dir() lists the board's names.")

    def do_inspect(self, code, cursor_pos, detail_level=0, omit_sections=()):
        """What shift-tab shows: from the live board; from IPython for ``%%host`` cells and magics."""
        if self._is_for_host(code, cursor_pos):
            return super().do_inspect(code, cursor_pos, detail_level, omit_sections)
        reply = {"status": "ok", "data": {}, "metadata": {}, "found": False}
        name = token_at_cursor(code, cursor_pos)
        about = None
        with self._board_if_free() as board, contextlib.suppress(BoardError):
            about = look_up(board, name, self._cells) if board and name else None
        if about is not None:
            reply |= {"found": True, "data": {"text/plain": about.text(bool(detail_level))}}
        return reply

    def do_complete(self, code, cursor_pos):
        """Complete names that live on the board; on the host for ``%%host`` cells and magics."""
        if cursor_pos is None:
            cursor_pos = len(code)
        before = code[:cursor_pos]
        if self.link.board is None:
            return super().do_complete(code, cursor_pos)
        line = before.rpartition("\n")[2]
        if self._is_for_host(code, cursor_pos):
            word = line.rpartition(" ")[2]
            if not (line.lstrip().startswith(("%get ", "%put ")) and word.startswith("/")):
                return super().do_complete(code, cursor_pos)
            matches, length = self._names.files(word)
        else:
            matches, length = self._names.complete(before)
        return {"status": "ok", "matches": matches, "cursor_start": cursor_pos - length, "cursor_end": cursor_pos,
                "metadata": {}}

    def _is_for_host(self, code, cursor_pos):
        line = code[:cursor_pos].rpartition("\n")[2]
        if line.lstrip().startswith(("%", "!")):
            return True
        parts = split(code)
        return bool(parts) and parts[0].code.lstrip().startswith(("%%", HOST_MARK)) and not code.lstrip().startswith(_BOARD_CELLS)

    @contextlib.contextmanager
    def _board_if_free(self):
        """The board, None while a cell runs or if there is none: Tab and the inspector wait for nobody."""
        free = self._board_lock.acquire(blocking=False)
        try:
            yield self.link.board if free else None
        finally:
            if free:
                self._board_lock.release()

    def _ask_board(self, code):
        with self._board_if_free() as board:
            try:
                return board.exec(code, timeout_s=_QUICK_S) if board else None
            except BoardError:
                return None


# Asked whether a cell is complete, IPython shall look at the cell itself, not at what we make of it.
MicroPythonKernel._to_host_code.has_side_effects = True


def _with_line_end(code):
    return code if code.endswith("\n") else code + "\n"


def _print(text):
    if text:
        sys.stdout.write(text)
