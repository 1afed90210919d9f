"""The kernel's own magics: which board, what crosses the cable, and what is measured on it."""

from pathlib import Path

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class

from edgekit.errors import BoardCodeError, BoardError, DataError, EdgekitError, ModelError


@magics_class
class BoardMagics(Magics):
    """Magics that act on the kernel's board."""

    def __init__(self, kernel):
        super().__init__(shell=kernel.shell)
        self._kernel = kernel

    # --- which board -------------------------------------------------------------------------------------------

    @line_magic
    def connect(self, line):
        """Choose the board: %connect [PORT | sim | sim:PROFILE | auto] [NAME=VALUE ...].

        auto: a real board if one is plugged in, else the simulated one. Without a word: $EDGEKIT_PORT, else auto. For
        the simulated board: clock=real, engine=unix, hard_heap=yes, flash=FOLDER.
        """
        words = line.split()
        options = dict(word.split("=", 1) for word in words if "=" in word and "://" not in word)
        places = [word for word in words if "=" not in word or "://" in word]
        if len(places) > 1:
            raise UsageError("Expected %connect [PORT | sim | sim:PROFILE | auto] [NAME=VALUE ...], for example "
                             "%connect sim:nano33ble clock=real.")
        unknown = [name for name in options if name not in ("clock", "engine", "hard_heap", "flash")]
        if unknown:
            raise UsageError(f"{', '.join(unknown)}: no such option. The simulated board takes clock=real, engine=unix, "
                             "hard_heap=yes and flash=FOLDER.")
        if "hard_heap" in options:
            options["hard_heap"] = options["hard_heap"].lower() in ("yes", "true", "1")
        self._kernel.link.choose(places[0] if places else None, **options)

    @line_magic
    def boards(self, line):
        """List what %connect can connect to: %boards."""
        from edgekit.board.ports import find_ports, ports_text
        from edgekit.board.profiles import PROFILES
        link = self._kernel.link
        ports = find_ports()
        rows = [(port.name, str(port).removeprefix(port.name).strip(" ()") or "serial port") for port in ports]
        rows += [("sim" if name == "esp32" else f"sim:{name}", f"simulated {profile.title}")
                 for name, profile in PROFILES.items()]
        now = link.port if link.board is not None else None
        width = max(len(name) for name, _ in rows)
        for name, what in rows:
            print(f"%connect {name:<{width}}  {what}{'  <- connected' if name == now else ''}")
        if not ports:
            print(ports_text())

    @line_magic
    def reset(self, line):
        """Restart the board's Python: %reset [--hard]. Its variables are gone, its files stay.

        --hard restarts the chip, as its reset button does, and connects again.
        """
        if line.strip() not in ("", "--hard"):
            raise UsageError("Expected %reset or %reset --hard.")
        with self._kernel.using_board():
            if line.strip():
                self._kernel.link.hard_reset()
            else:
                self._kernel.link.reset()
        self._kernel.forget()
        what = "The board" if line.strip() else "The board's Python"
        print(f"{what} was restarted: variables are gone, files are still there.")

    # --- what crosses the cable --------------------------------------------------------------------------------

    @line_magic
    def put(self, line):
        """Copy a file or a folder to the board: %put FILE [PATH_ON_BOARD]."""
        words = line.split()
        if len(words) not in (1, 2):
            raise UsageError("Expected %put FILE [PATH_ON_BOARD].")
        local = Path(words[0])
        if not local.exists():
            raise BoardError(f"Expected a file on this computer, found no {words[0]!r} in {Path.cwd().name}/. "
                             "Give its path from the notebook's folder.")
        remote = words[1] if len(words) == 2 else f"/{local.name}"
        if remote.endswith("/"):
            remote += local.name
        files = [local] if local.is_file() else sorted(path for path in local.rglob("*") if path.is_file()
                                                       and "__pycache__" not in path.parts)
        with self._kernel.using_board() as board:
            for file in files:
                target = remote if file == local else f"{remote.rstrip('/')}/{file.relative_to(local).as_posix()}"
                board.put(file, target)
                print(f"{file.relative_to(local.parent).as_posix()} -> {target}, {file.stat().st_size} bytes")
        if not files:
            print(f"{words[0]} is an empty folder: nothing was copied.")

    @line_magic
    def get(self, line):
        """Bring values or a file from the board: %get NAME [NAME ...], %get NAME as OTHER, %get /FILE [as LOCAL]."""
        from edgekit.kernel.values import fetch
        names, new = _names_as(line, "%get NAME [NAME ...], %get NAME as OTHER, or %get /FILE [as LOCAL]")
        with self._kernel.using_board() as board:
            for name in names:
                if name.startswith("/"):
                    local = Path(new or name.rpartition("/")[2])
                    print(f"{name} -> {local}, {len(board.get(name, local))} bytes")
                elif all(part.isidentifier() for part in name.split(".")):
                    target = new or name.rpartition(".")[2]
                    if not target.isidentifier():
                        raise UsageError(f"{target!r} is no name for a variable.")
                    self.shell.user_ns[target] = fetch(board, name)
                else:
                    raise UsageError(f"{name!r} is neither a variable on the board nor a file there (those begin with /).")

    @line_magic
    def send(self, line):
        """Give the board values of the host: %send NAME [NAME ...], %send NAME as OTHER."""
        from edgekit.kernel.values import send
        names, new = _names_as(line, "%send NAME [NAME ...] or %send NAME as OTHER")
        missing = [name for name in names if name not in self.shell.user_ns]
        if missing:
            raise DataError(f"No variable {missing[0]!r} on this computer. Make it in a %%host cell first.")
        if new is not None and not new.isidentifier():
            raise UsageError(f"{new!r} is no name for a variable.")
        with self._kernel.using_board() as board:
            for name in names:
                print(send(board, new or name, self.shell.user_ns[name]))

    @line_magic
    def deploy(self, line):
        """Put a model on the board: %deploy [BUNDLE | FOLDER | MODEL.tflite]. Without a word: the gesture model.

        BUNDLE is a variable of the host. A folder holds one .tflite and the .json of its feature parameters.
        """
        with self._kernel.using_board() as board:
            bundle = _bundle(line.strip(), self.shell.user_ns)
            print(f"{bundle.name} is in {bundle.deploy(board)}: model of {len(bundle.model):,} bytes, "
                  f"{len(bundle.classes)} classes ({', '.join(bundle.classes)}).")

    # --- what is measured --------------------------------------------------------------------------------------

    @line_cell_magic
    def plot(self, line, cell=None):
        """Chart the numbers that board code prints, while it prints them: %plot [LINES] [TITLE], above the code.

        Understands lines such as 1, 2, 3 and (1, 2), ax:0.1 ay:0.2, ax 0.1 ay 0.2, t = 21.5 C. LINES: how many the
        moving chart shows (300).
        """
        from edgekit.kernel.chart import Chart
        words = line.split(maxsplit=1)
        last = int(words.pop(0)) if words and words[0].isdigit() else 300
        self._kernel.chart = Chart(max(2, last), " ".join(words))
        if cell is not None:
            return self._kernel.run_on_board("\n" + cell)

    @line_cell_magic
    def timeit(self, line, cell=None):
        """Time code on the board: %timeit [-n LOOPS] [-r RUNS] STATEMENT; %%timeit SETUP with the code below.

        In a %%host cell: IPython's.
        """
        if self._kernel.on_host:
            from IPython.core.magics.execution import ExecutionMagics
            return ExecutionMagics(self.shell).timeit(line, cell)
        from edgekit.kernel.measure import parse_timeit, timeit
        loops, runs, rest = parse_timeit(line)
        statement, setup = (rest, "") if cell is None else (cell, rest)
        if not statement.strip():
            raise UsageError("Expected code to time: %timeit STATEMENT.")
        with self._kernel.using_board() as board:
            try:
                print(timeit(board, statement, setup, loops, runs))
            except BoardCodeError as error:
                raise BoardError(f"The code to time fails on the board: {error.reason}.") from None

    @line_magic
    def mem(self, line):
        """What memory the board has, as a table: %mem."""
        from IPython.display import display

        from edgekit.kernel.measure import memory
        with self._kernel.using_board() as board:
            display(memory(board))


def _names_as(line, expected):
    """Names of a magic's line, and what comes after ``as``."""
    words = line.replace(",", " ").split()
    new = None
    if "as" in words:
        if words.index("as") != 1 or len(words) != 3:
            raise UsageError(f"Expected {expected}.")
        new = words[2]
        words = words[:1]
    if not words:
        raise UsageError(f"Expected {expected}.")
    return words, new


def _bundle(word, host_names):
    """The bundle that is meant by a variable, a folder, a model file, or nothing."""
    from edgekit.deploy import Bundle, gesture_bundle
    if not word:
        return gesture_bundle()
    value = host_names.get(word)
    if isinstance(value, Bundle):
        return value
    path = Path(word)
    if path.is_file():
        return gesture_bundle(path)
    if not path.is_dir():
        raise ModelError(f"{word!r} is neither a Bundle in a variable of the host, nor a folder, nor a .tflite file.")
    models, params = sorted(path.glob("*.tflite")), _params(path)
    if len(models) != 1 or len(params) != 1:
        raise ModelError(f"Expected one .tflite and one .json of feature parameters in {word!r}, found {len(models)} and "
                         f"{len(params)}. To copy a folder of programs: %put {word}.")
    name = "".join(c if c.isalnum() else "_" for c in path.resolve().name)
    app = "keyword" if params[0].kind == "mfcc" else "gesture"
    return Bundle(name if name.isidentifier() else "model", models[0], params[0], app=app)


def _params(folder):
    from edgekit.features import load_params
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(load_params(path))
        except (EdgekitError, ValueError, TypeError, KeyError, AttributeError):
            continue
    return found
