"""The errors that edgekit raises. Each message says what was expected, what was found and what to do next."""

__all__ = ["EdgekitError", "DataError", "ModelError", "BoardError", "BoardBusyError", "BoardCodeError", "BoardLostError",
           "BoardRestartedError", "BoardWireError", "SetupError"]


class EdgekitError(Exception):
    """Root of all errors that edgekit raises on purpose.

    In a notebook it is shown as one sentence instead of a traceback.
    """

    def _render_traceback_(self):
        """Lines that IPython shows in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class DataError(EdgekitError):
    """A recording, a data set or a file of data is not what was expected."""


class ModelError(EdgekitError):
    """A model cannot be read, converted, or run on a board."""


class BoardError(EdgekitError):
    """The board, or the way to it, does not do what was expected."""


class BoardCodeError(BoardError):
    """Code that ran on the board raised an exception.

    Attributes
    ----------
    traceback : str
        What MicroPython printed, from ``Traceback`` to the last line.
    output : str
        What the code had printed before it failed.
    """

    def __init__(self, traceback: str, output: str = ""):
        super().__init__(traceback.strip())
        self.traceback = traceback
        self.output = output

    @property
    def reason(self) -> str:
        """The last line of the traceback, for example ``OSError: [Errno 19] ENODEV``."""
        lines = self.traceback.strip().splitlines()
        return lines[-1] if lines else "unknown error"

    def _render_traceback_(self):
        return self.traceback.strip().splitlines()


class BoardBusyError(BoardError):
    """Something else runs on the board at this moment."""


class BoardLostError(BoardError):
    """The board stopped answering: cable pulled, board reset, or simulator ended."""


class BoardRestartedError(BoardLostError):
    """The board restarted by itself: the connection stands and files are there, but its names are gone."""


class BoardWireError(BoardError):
    """Bytes between this computer and the board were lost or changed; the board is still there."""


class SetupError(EdgekitError):
    """Something that edgekit needs is not installed on this computer."""
