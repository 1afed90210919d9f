"""The kernel's own magics: ``%connect``, ``%reset``, ``%put``, ``%get``, ``%boards``."""

from pathlib import Path

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class

from edgekit.errors import BoardError, BoardLostError


@magics_class
class BoardMagics(Magics):
    """Magics that act on the kernel's board."""

    def __init__(self, kernel):
        super().__init__(shell=kernel.shell)
        self._kernel = kernel

    @line_magic
    def connect(self, line):
        """Connect: %connect [PORT | sim]. Without a word: a real board if one is plugged in, else the simulated one."""
        self._kernel.disconnect()
        self._kernel.port = line.strip() or None
        self._kernel.connected()

    @line_magic
    def boards(self, line):
        """List the serial ports where a board may be: %boards."""
        from edgekit.board.connect import ports_text
        print(ports_text())

    @line_magic
    def reset(self, line):
        """Restart the board's Python (soft reset): %reset. Its variables are gone, its files stay."""
        try:
            self._kernel.connected().reset()
        except BoardLostError:
            self._kernel.disconnect()
            raise
        print("The board's Python was restarted: variables are gone, files are still there.")

    @line_magic
    def put(self, line):
        """Copy a file to the board: %put FILE [PATH_ON_BOARD]."""
        words = line.split()
        if len(words) not in (1, 2):
            raise UsageError("Expected %put FILE [PATH_ON_BOARD].")
        local = Path(words[0])
        if not local.is_file():
            raise BoardError(f"Expected a file on this computer, found no {words[0]!r} in {Path.cwd().name}/. "
                             "Give its path from the notebook's folder.")
        remote = words[1] if len(words) == 2 else f"/{local.name}"
        self._kernel.connected().put(local, remote)
        print(f"{local.name} -> {remote}, {local.stat().st_size} bytes")

    @line_magic
    def get(self, line):
        """Bring a value from the board into the host's variable of the same name: %get NAME."""
        name = line.strip()
        if not name.isidentifier():
            raise UsageError("Expected %get NAME, the name of a variable on the board.")
        self.shell.user_ns[name] = self._kernel.connected().eval(name)
