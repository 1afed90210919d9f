"""IPython's own kernel, with one change: a plain cell runs on the board.

Everything that IPython has stays: ``%%host`` cells, magics, ``!shell``, plots and widgets run on the host, in the
same notebook, where ``board`` is the :class:`Board` that the plain cells use.
"""

import importlib.util
import keyword
import os
import re
import sys

from ipykernel.ipkernel import IPythonKernel

from edgekit.errors import BoardCodeError, BoardError, BoardLostError
from edgekit.kernel.cells import cell_error, interrupted, keep_last, needs_board, split
from edgekit.kernel.magics import BoardMagics

_DOTTED = re.compile(r"(?:([A-Za-z_][\w.]*)\.)?([A-Za-z_]\w*)?$")


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
    port : str or None
        Where to connect, as for :func:`edgekit.connect`: ``"sim"`` unless ``$EDGEKIT_PORT`` or ``%connect`` says
        otherwise.
    """

    implementation = "edgekit"
    implementation_version = "0.1"
    banner = "MicroPython: plain cells run on the board, %%host cells on this computer. %connect chooses the board."
    help_links = [{"text": "MicroPython", "url": "https://docs.micropython.org/en/latest/"},
                  {"text": "IPython", "url": "https://ipython.readthedocs.io/en/stable/"}]

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.port = os.environ.get("EDGEKIT_PORT") or "sim"
        self._board = None

    def start(self):
        """Begin to serve. Only now do plain cells mean the board: start-up files of the user ran on the host."""
        self.shell.register_magics(BoardMagics(self))
        self.shell.input_transformers_cleanup.insert(0, _to_host_code)
        super().start()

    def do_shutdown(self, restart):
        """Let go of the board, then end."""
        self.disconnect()
        return super().do_shutdown(restart)

    # --- the board ---------------------------------------------------------------------------------------------

    def connected(self):
        """The board; connects the first time, and again after it was lost. Connecting prints which board it is."""
        if self._board is None:
            from edgekit import connect
            self._board = connect(self.port)
            self.shell.user_ns["board"] = self._board
        return self._board

    def disconnect(self):
        """Close the connection, if there is one."""
        board, self._board = self._board, None
        self.shell.user_ns.pop("board", None)
        if board is not None:
            board.close()

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
        try:
            self.connected().exec(to_run, on_output=_print_now)
            text = self.connected().exec("if _ is not None: print(repr(_), end='')") if kept else ""
        except BoardCodeError as error:
            raise cell_error(error.traceback, code, self._is_host_name) from None
        except KeyboardInterrupt:
            raise interrupted() from None
        except BoardLostError as error:
            self.disconnect()
            raise BoardLostError(f"{error} What was in its memory is gone. The next cell connects again "
                                 "(or use %connect).") from None
        return Shown(text) if text else None

    def _is_host_name(self, name):
        # Not the standard library: there, more likely an import was forgotten on the board.
        return name in self.shell.user_ns or (
            name not in sys.stdlib_module_names and importlib.util.find_spec(name) is not None)

    # --- completion --------------------------------------------------------------------------------------------

    def do_complete(self, code, cursor_pos):
        """Complete names that live on the board; on the host for ``%%host`` cells and magics."""
        if cursor_pos is None:
            cursor_pos = len(code)
        before = code[:cursor_pos]
        line = before.rpartition("\n")[2]
        if self._board is None or split(code).host and not split(before).board or line.lstrip().startswith(("%", "!")):
            return super().do_complete(code, cursor_pos)
        owner, start = _DOTTED.search(before).groups(default="")
        try:
            names = self._board.eval(f"dir({owner})" if owner else "dir() + dir(__import__('builtins'))")
        except BoardError:
            names = []
        matches = sorted(n for n in {*names, *([] if owner else keyword.kwlist)} if n.startswith(start) and (start or not n.startswith("_")))
        return {"status": "ok", "matches": matches, "cursor_start": cursor_pos - len(start), "cursor_end": cursor_pos,
                "metadata": {}}


def _to_host_code(lines):
    """Input transformer: Python for the host that runs this cell where it belongs."""
    parts = split("".join(lines))
    host = parts.host
    if needs_board(host) and not host.lstrip().startswith("%%"):
        host = host.removeprefix("# on the host\n")
        host = "board = get_ipython().kernel.connected()\n" + host
    if parts.board:
        host = host.rstrip("\n") + "\n" if host else ""
        host += f"get_ipython().kernel.run_on_board({parts.board!r})\n"
    return host.splitlines(keepends=True)


# Asked whether a cell is complete, IPython shall look at the cell itself, not at what we make of it.
_to_host_code.has_side_effects = True


def _print_now(text):
    sys.stdout.write(text)
    sys.stdout.flush()
