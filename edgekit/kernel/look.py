"""What the board knows about a name: help for ``name?`` and for the inspector, and the names that Tab offers.

The board tells what is there now. Builds keep no docstrings and no argument names; those come from the source, if it
can be found: in a cell that ran, in a ``.py`` on the board, or in ``firmware/`` here for the ``.mpy`` made from it.
"""

import ast
import json
import keyword
import re
import warnings
from dataclasses import dataclass, field

from edgekit.errors import BoardCodeError, BoardError

_ANSWER_S = 5.0
_WIDTH = 100

# Prints a line of JSON about an object, then one for each member, so that no large text is built on the board.
# A property is not read, for reading one may move things. dir() of an instance would: so its class is asked.
_DIR = """\
def _dir(o):
    t = type(o)
    if hasattr(t, "__module__") and hasattr(o, "__dict__"):
        return list(o.__dict__) + dir(t)
    return dir(o)
"""
_LOOK = _DIR + """\
def _look(o, owner):
    import json
    t = type(o)
    name = t.__name__
    def get(what, key):
        try:
            value = getattr(what, key, None)
        except Exception:
            return None
        return value if isinstance(value, str) else None
    def show(v, most):
        try:
            n = len(v)
        except Exception:
            n = 0
        if n > most and isinstance(v, (str, bytes, bytearray, list, tuple)):
            return repr(v[:most]) + " ..."
        if n > most and isinstance(v, (dict, set)):
            return name + " of " + str(n) + ", the first: " + repr(next(iter(v)))
        return repr(v)[:600]
    about = {"type": name, "doc": get(o, "__doc__"), "name": get(o, "__name__"), "file": get(o, "__file__")}
    where = get(o, "__module__") or get(t, "__module__")
    try:
        where = o.__globals__["__name__"]
    except Exception:
        pass
    about["module"] = where
    free = owner is None or type(owner) is type(json)
    about["owner"] = "" if free else get(owner, "__name__") or type(owner).__name__
    try:
        about["size"] = len(o)
    except Exception:
        pass
    try:
        about["value"] = show(o, 60)
    except Exception as e:
        about["value"] = "<" + type(e).__name__ + " in repr()>"
    import sys
    if where in sys.modules and not about["file"]:
        about["file"] = get(sys.modules[where], "__file__")
    print(json.dumps(about))
    for n in _dir(o):
        if n[:1] == "_":
            continue
        value = ""
        try:
            v = getattr(t, n) if name not in ("module", "type") and hasattr(t, n) else getattr(o, n)
            kind = type(v).__name__
            if kind in ("int", "float", "str", "bool", "bytes"):
                value = show(v, 40)
        except Exception as e:
            kind = type(e).__name__
        print(json.dumps((n, kind, value)))
try:
    _look((%s), (%s))
finally:
    del _look, _dir
"""

_FUNCTIONS = {"function", "bound_method", "closure", "generator", "native", "staticmethod", "classmethod"}
_GROUPS = (("Functions", _FUNCTIONS), ("Classes", {"type"}), ("Modules", {"module"}),
           ("Properties", {"property"}))
_PLAIN = {"int", "float", "bool", "NoneType", "str", "bytes", "list", "tuple", "dict", "set", "complex"}


@dataclass
class About:
    """What is known about a name of the board.

    Attributes
    ----------
    name : str
        As it was asked for.
    type : str
        Name of its class on the board.
    value : str
        Its repr, shortened; empty for functions and modules.
    size : int or None
        ``len()``, where it has one.
    signature, doc, source : str
        Empty if the source was not found.
    where : str
        Where the source is from.
    members : list of (str, str, str)
        Name, class and, for numbers and text, value.
    """

    name: str
    type: str
    value: str = ""
    size: int | None = None
    signature: str = ""
    doc: str = ""
    source: str = ""
    where: str = ""
    members: list = field(default_factory=list)

    def text(self, source: bool = False) -> str:
        """For people to read; with the source in place of the members if that is asked for and known."""
        lines = [f"{'Type:':<12}{'class' if self.type == 'type' else self.type} (on the board)"]
        if self.signature:
            lines.insert(0, f"{'Signature:':<12}{self.signature}")
        if self.value:
            lines.append(f"{'Value:':<12}{self.value}")
        if self.size is not None:
            lines.append(f"{'Length:':<12}{self.size}")
        if self.where:
            lines.append(f"{'Defined in:':<12}{self.where}")
        if self.doc:
            lines += ["Docstring:", *("    " + line for line in self.doc.strip().splitlines())]
        if source and self.source:
            return "\n".join([*lines, "Source:", self.source])
        if source:
            lines.append("Source:     not on the board as .py; this is what is known without it.")
        return "\n".join([*lines, *_member_lines(self.members)])


def _member_lines(members):
    lines = []
    left = sorted(members)
    for title, kinds in _GROUPS:
        names = [name for name, kind, _ in left if kind in kinds]
        if names:
            lines += [title + ":", *_wrapped(names)]
    values = [f"{name} = {value}" for name, _, value in left if value]
    if values:
        lines += ["Values:", *_wrapped(values)]
    grouped = {kind for _, kinds in _GROUPS for kind in kinds}
    others = [f"{name} ({kind})" for name, kind, value in left if kind not in grouped and not value]
    if others:
        lines += ["Others:", *_wrapped(others)]
    return lines


def _wrapped(words):
    lines, line = [], ""
    for word in words:
        if line and len(line) + len(word) > _WIDTH:
            lines.append("    " + line)
            line = ""
        line += ("  " if line else "") + word
    return [*lines, "    " + line]


def look_up(board, name: str, cells=()) -> About | None:
    """Ask the board about a name.

    Parameters
    ----------
    board : edgekit.board.Board
    name : str
        A name or dotted name.
    cells : sequence of (int, str)
        Number and code of the cells that ran, oldest first.

    Returns
    -------
    About or None
        None if the board does not know the name.
    """
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in name.split(".")):
        return None
    try:
        lines = board.exec(_LOOK % (name, name.rpartition(".")[0] or "None"), timeout_s=_ANSWER_S).splitlines()
    except BoardCodeError as error:
        if error.reason.startswith(("NameError", "AttributeError")):
            return None
        return About(name, "unknown", doc=f"The board cannot look at it: {error.reason}.")
    found, *members = [json.loads(line) for line in lines]
    kind = found["type"]
    about = About(name, kind, size=found.get("size"), doc=found["doc"] or "")
    if kind not in _FUNCTIONS | {"module", "type"}:
        about.value = found["value"]
    # Everybody knows what a list can do; what a sensor object can do is the question.
    about.members = [] if kind in _FUNCTIONS | (_PLAIN - {"str"}) or kind in _PLAIN and found.get("size") else members
    _add_source(board, about, found, name, cells)
    return about


def _add_source(board, about, found, name, cells):
    if about.type in _PLAIN:
        return
    owner = found["owner"]
    wanted = found["name"] or (name.rpartition(".")[2] if about.type in _FUNCTIONS else about.type)
    if found["module"] == "__main__" and about.type != "module":
        # First where its class is defined, then anywhere: a function that was put into an object, for example.
        for inside in (owner, None):
            for count, code in reversed(cells):
                if _use(about, code, wanted, inside):
                    about.where = f"cell [{count}]"
                    return
    elif found["file"]:
        text, about.where = _read_source(board, found["file"])
        if about.type == "module":
            about.source = text
            about.doc = about.doc or _docstring(_parse(text))
        else:
            _use(about, text, wanted, owner) or _use(about, text, wanted, None)


def _use(about, code, wanted, owner):
    """Take signature, docstring and source of a function or class from code; False if it is not there.

    ``owner`` is the name of the class in which it is defined, empty for none, None for any.
    """
    tree = _parse(code)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    nodes = [node for parent in ast.walk(tree) for node in ast.iter_child_nodes(parent)
             if isinstance(node, kinds) and node.name == wanted
             and owner in (None, getattr(parent, "name", ""))]
    if not nodes:
        return False
    node = nodes[-1]                        # a later definition replaces an earlier one
    about.source = ast.get_source_segment(code, node) or ""
    about.doc = about.doc or _docstring(node)
    function = node
    if isinstance(node, ast.ClassDef):
        function = next((n for n in node.body if isinstance(n, kinds[:2]) and n.name == "__init__"), None)
    if function is not None and about.type in _FUNCTIONS | {"type"}:
        arguments = function.args
        if isinstance(node, ast.ClassDef) or about.type == "bound_method":
            arguments.args = arguments.args[1:]
        about.signature = f"{wanted}({ast.unparse(arguments)})"
    return True


def _docstring(node):
    try:
        return ast.get_docstring(node) or ""
    except TypeError:
        return ""


def _parse(code):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SyntaxError, ValueError):
        return ast.parse("")


def _read_source(board, path):
    """Source of a module of the board and where it is from; empty text if there is none."""
    path = path if path.startswith("/") else "/" + path
    if path.endswith(".mpy"):
        from edgekit.paths import FIRMWARE
        inside = path.removeprefix("/").removesuffix(".mpy") + ".py"
        for source in (FIRMWARE / inside, FIRMWARE / "drivers" / inside.removeprefix("lib/")):
            if source.is_file():
                return (source.read_text(encoding="utf-8"),
                        f"{path} on the board, compiled; the source is firmware/{source.relative_to(FIRMWARE).as_posix()} here")
        return "", f"{path} on the board, compiled"
    try:
        return board.get(path).decode(errors="replace"), f"{path} on the board"
    except BoardError:
        return "", "the board's firmware"


# --- names that Tab offers ---------------------------------------------------------------------------------------

_DOTTED = re.compile(r"(?:([A-Za-z_][\w.]*)\.)?([A-Za-z_]\w*)?$")
_KEY = re.compile(r"([A-Za-z_][\w.]*)\[(['\"])([^'\"\]]*)$")
_FROM = re.compile(r"\s*from\s+([\w.]+)\s+import\s+(?:[\w\s,(]*[,\s(])?(\w*)$")
_IMPORT = re.compile(r"\s*(?:import\s+(?:[\w\s,.]*[,\s])?|from\s+)(\w*)$")

_NAMES = _DIR + """\
try:
    for _n in _dir(%s):
        print(_n)
except Exception:
    pass
finally:
    _n = 0
    del _dir, _n
"""
_GLOBALS = "for _n in dir() + dir(__import__('builtins')):\n print(_n)\ndel _n"
_KEYS = "for _n in (%s if isinstance(%s, dict) else ()):\n if isinstance(_n, str):\n  print(_n)\n_n = 0\ndel _n"
_FILES = """\
def _files(path):
    import os
    for e in os.ilistdir(path):
        print(e[0] + ("/" if e[1] & 0x4000 else ""))
try:
    _files(%r)
except Exception:
    pass
finally:
    del _files
"""
_PATH = "for _n in __import__('sys').path:\n print(_n)\ndel _n"
_LOADED = "for _n in __import__('sys').modules:\n print(_n)\ndel _n"


class Names:
    """Names for completion, from the live board; from what was last seen while the board is busy.

    Parameters
    ----------
    ask : callable
        ``ask(code) -> str`` runs code on the board at once; raises :class:`BoardError` or returns None if it cannot.
    """

    def __init__(self, ask):
        self._ask = ask
        self._seen = {}
        self._modules = None

    def forget(self):
        """Another board, or a restarted one."""
        self._seen.clear()
        self._modules = None

    def complete(self, before: str) -> tuple[list[str], int]:
        """Names that fit what is written before the cursor.

        Returns
        -------
        matches : list of str
        length : int
            How many characters before the cursor they replace.
        """
        line = before.rpartition("\n")[2]
        if match := _KEY.search(line):
            keys = self._lines(_KEYS % (match[1], match[1]))
            return _fitting(keys, match[3]), len(match[3])
        quoted = _open_quote(line)
        if quoted is not None:
            return self.files(quoted)
        if match := _FROM.match(line):
            # Only what is loaded already: importing may start things.
            module = match[1]
            names = self._lines(_NAMES % f"__import__('sys').modules[{module!r}]")
            return _fitting([n for n in names if n[:1] != "_"], match[2]), len(match[2])
        if match := _IMPORT.match(line):
            return _fitting(self._module_names(), match[1]), len(match[1])
        owner, start = _DOTTED.search(before).groups(default="")
        if owner:
            names = self._lines(_NAMES % owner)
        elif start:
            names = [*self._lines(_GLOBALS), *keyword.kwlist]
        else:
            names = self._lines(_GLOBALS.replace(" + dir(__import__('builtins'))", ""))
        return _fitting([n for n in names if start or not n.startswith("_")], start), len(start)

    def files(self, written: str) -> tuple[list[str], int]:
        """Files of the board whose path begins so."""
        folder, slash, start = written.rpartition("/")
        names = self._lines(_FILES % (folder + slash or "."))
        return _fitting(names, start), len(start)

    def _module_names(self):
        if self._modules is None:
            text = self._ask("help('modules')")
            if text is None:
                return []
            # "Plus any modules on the filesystem" ends the list.
            built_in = {word.partition("/")[0] for line in text.splitlines() if not line.startswith("Plus ")
                        for word in line.split()}
            self._modules = built_in.union(self._lines(_LOADED))
        folders = self._lines(_PATH)
        files = {name for folder in folders for name in self._lines(_FILES % (folder or "."))
                 if not folder.startswith(".")}
        own = {name.rstrip("/").removesuffix(".py").removesuffix(".mpy") for name in files
               if name.endswith((".py", ".mpy", "/"))}
        return {name for name in self._modules | own if name.isidentifier() and not name.startswith("_")}

    def _lines(self, code):
        text = self._ask(code)
        if text is None:
            return self._seen.get(code, [])
        self._seen[code] = text.split("\n")[:-1]
        return self._seen[code]


def _fitting(names, start):
    """Those that begin so; constants last, as there are many of them."""
    return sorted({name for name in names if name.startswith(start)}, key=lambda name: (name.isupper(), name))


def _open_quote(line):
    """The text after a quote that is still open, None if there is none."""
    quote, start = "", 0
    for i, char in enumerate(line):
        if quote:
            if char == quote and line[i - 1] != "\\":
                quote = ""
        elif char in "'\"":
            quote, start = char, i + 1
        elif char == "#":
            return None
    return line[start:] if quote else None
