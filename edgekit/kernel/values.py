"""Values across the cable: from the board's ``repr`` to a value here, and from a value here to code for the board."""

import ast
import binascii
import math

from edgekit.errors import BoardCodeError, BoardError, DataError

__all__ = ["fetch", "send"]

_CHUNK = 3072               # bytes of data in one step
_LITERAL_MAX = 4096         # characters of code in one step
_STEP_S = 10.0
_MARK = "bytes of "

# Arrays and bytes come as base64 in pieces, so that nothing large is built on the board. An array cannot tell its
# type code, but the repr of an empty part of it can.
_FETCH = """\
def _fetch(x):
    from binascii import b2a_base64
    kind = type(x).__name__
    if kind not in ("array", "bytes", "bytearray", "memoryview"):
        print(repr(x), end="")
        return
    m = memoryview(x)
    size = max(1, len(bytes(m[:1])))
    print({mark!r} + (repr(x[:0])[7] + str(size) if kind == "array" else kind))
    step = max(1, {chunk} // size)
    for i in range(0, len(m), step):
        print(b2a_base64(m[i:i + step]).decode(), end="")
try:
    _fetch(({expression}))
finally:
    del _fetch
"""


def fetch(board, expression: str):
    """Value of an expression on the board.

    Parameters
    ----------
    board : edgekit.board.Board
    expression : str
        For example the name of a variable.

    Returns
    -------
    object
        Numbers, text, bytes, None, and lists, tuples, dicts and sets of them. An array of the board becomes a
        numpy array of the same type.

    Raises
    ------
    DataError
        The value is of a kind that lives on the board only, such as a Pin.
    """
    try:
        text = board.exec(_FETCH.format(mark=_MARK, chunk=_CHUNK, expression=expression), timeout_s=_STEP_S)
    except BoardCodeError as error:
        if error.reason.startswith("NameError"):
            raise DataError(f"The board has no {expression!r}. Run the cell that makes it first; dir() in a plain cell "
                            "lists the board's names.") from None
        raise BoardError(f"The board cannot give {expression!r}: {error.reason}.") from None
    if text.startswith(_MARK):
        head, _, body = text.partition("\n")
        kind, data = head.removeprefix(_MARK), b"".join(map(binascii.a2b_base64, body.split()))
        if kind[1:].isdigit():
            import numpy as np
            family = "f" if kind[0] in "fd" else "u" if kind[0].isupper() else "i"
            return np.frombuffer(data, f"<{family}{kind[1:]}").copy()
        return bytearray(data) if kind == "bytearray" else data
    try:
        return from_repr(text)
    except (ValueError, SyntaxError, TypeError):
        shown = text if len(text) < 60 else text[:57] + "..."
        raise DataError(f"{expression} is {shown} on the board, and that lives there only. Numbers, text, bytes, arrays "
                        "and lists, tuples, dicts and sets of them can come here.") from None


def from_repr(text: str):
    """Value from what MicroPython's ``repr`` wrote.

    Raises
    ------
    ValueError, SyntaxError
        It is the repr of something else than a plain value.

    Examples
    --------
    >>> from_repr("{'t': [21.5, nan], 'raw': bytearray(b'ab')}")
    {'t': [21.5, nan], 'raw': bytearray(b'ab')}
    >>> from_repr("array('h', [1, -2])")
    array([ 1, -2], dtype=int16)
    """
    return _value(ast.parse(text.strip(), mode="eval").body)


def _value(node):
    if isinstance(node, ast.List):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_value(item) for item in node.elts)
    if isinstance(node, ast.Set):
        return {_value(item) for item in node.elts}
    if isinstance(node, ast.Dict):
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values, strict=True)}
    if isinstance(node, ast.Name) and node.id in ("nan", "inf"):
        return float(node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Name):
        return -_value(node.operand)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        arguments = [_value(argument) for argument in node.args]
        names = {keyword.arg: _value(keyword.value) for keyword in node.keywords}
        if names:                   # a namedtuple
            return names
        if node.func.id == "array":
            import numpy as np
            return np.array(arguments[1] if len(arguments) > 1 else [], arguments[0])
        makers = {"bytearray": bytearray, "set": set, "frozenset": frozenset, "OrderedDict": dict, "range": range}
        if node.func.id in makers:
            return makers[node.func.id](*arguments)
    return ast.literal_eval(node)


def send(board, name: str, value) -> str:
    """Give the board a variable.

    Parameters
    ----------
    board : edgekit.board.Board
    name : str
        Its name there.
    value : object
        A number, text, bytes, None, or lists, tuples, dicts and sets of them; or an array of numbers (numpy, or what
        makes one, such as a pandas column).

    Returns
    -------
    str
        One sentence: what the board has now.

    Raises
    ------
    DataError
        The value cannot live on a board.
    BoardError
        The board has no room for it.
    """
    try:
        if isinstance(value, (bytes, bytearray, memoryview)):
            data = bytes(value)
            _send_bytes(board, name, data, changeable=isinstance(value, bytearray))
            return f"{name}: {len(data)} bytes"
        if hasattr(value, "__array__") and getattr(value, "shape", ()) != ():
            return _send_array(board, name, value)
        code = f"{name} = {to_code(value, name)}"
        if len(code) <= _LITERAL_MAX or not isinstance(value, (list, tuple)):
            board.exec(code, timeout_s=_STEP_S)
        else:
            _send_list(board, name, value)
        return f"{name}: {type(value).__name__}" + (f" of {len(value)}" if hasattr(value, "__len__") else "")
    except BoardCodeError as error:
        raise BoardError(f"The board cannot take {name!r}: {error.reason}. Send less at a time, or an array "
                         "of a smaller type (numpy's int16 takes 2 bytes for each number, a list 4 to 16).") from None


def to_code(value, name: str = "value") -> str:
    """A plain value as source code for the board.

    Raises
    ------
    DataError
        It is, or contains, something else than numbers, text, bytes, None, lists, tuples, dicts and sets.

    Examples
    --------
    >>> to_code({"rate": 100, "limits": (0.5, float("inf"))})
    "{'rate': 100, 'limits': (0.5, float('inf'),)}"
    """
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()                    # numpy's numbers
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if value is None or type(value) in (bool, int, float, complex, str, bytes, bytearray):
        return repr(value)
    if type(value) in (list, tuple, set, frozenset):
        inner = ", ".join(to_code(item, name) for item in value)
        if type(value) is list:
            return f"[{inner}]"
        if type(value) is tuple:
            return f"({inner},)" if inner else "()"
        return f"{type(value).__name__}([{inner}])"
    if type(value) is dict:
        return "{" + ", ".join(f"{to_code(k, name)}: {to_code(v, name)}" for k, v in value.items()) + "}"
    raise DataError(f"{name!r} is or holds something of type {type(value).__name__}, and that cannot live on the board: "
                    "numbers, text, bytes, arrays and lists, tuples, dicts and sets can.")


def _send_bytes(board, name, data, changeable):
    board.exec(f"{name} = bytearray()", timeout_s=_STEP_S)
    for start in range(0, len(data), _CHUNK):
        part = binascii.b2a_base64(data[start:start + _CHUNK], newline=False).decode()
        board.exec(f"{name}.extend(__import__('binascii').a2b_base64({part!r}))", timeout_s=_STEP_S)
    if not changeable:
        board.exec(f"{name} = bytes({name})", timeout_s=_STEP_S)


def _send_list(board, name, value):
    # Made at once in its full size: a list that grows needs room for two.
    board.exec(f"{name} = None\n__import__('gc').collect()\n{name} = [None] * {len(value)}", timeout_s=_STEP_S)
    items, size = [], 0
    for end, item in enumerate(value, 1):
        items.append(to_code(item, name))
        size += len(items[-1]) + 2
        if size > _LITERAL_MAX / 2 or end == len(value):
            board.exec(f"for _i, {name}[_i] in enumerate([{', '.join(items)}], {end - len(items)}): pass", timeout_s=_STEP_S)
            items, size = [], 0
    board.exec(f"del _i\n{name} = tuple({name})" if isinstance(value, tuple) else "del _i", timeout_s=_STEP_S)


def _send_array(board, name, value):
    import numpy as np
    array = np.asarray(value)
    code, note = _typecode(array, name)
    flat = np.ascontiguousarray(array, code).reshape(-1)
    board.exec(f"from array import array as _array\n{name} = _array({code!r})", timeout_s=_STEP_S)
    step = max(1, _CHUNK // flat.itemsize)
    for start in range(0, len(flat), step):
        part = binascii.b2a_base64(flat[start:start + step].tobytes(), newline=False).decode()
        board.exec(f"{name}.extend(_array({code!r}, __import__('binascii').a2b_base64({part!r})))", timeout_s=_STEP_S)
    board.exec("del _array", timeout_s=_STEP_S)
    said = f"{name}: array({code!r}) of {len(flat)}{note}"
    if array.ndim > 1:
        index = " + ".join(f"{'ijklmn'[axis]} * {int(np.prod(array.shape[axis + 1:]))}" for axis in range(array.ndim - 1))
        last = "ijklmn"[array.ndim - 1]
        here = ", ".join("ijklmn"[:array.ndim])
        said += f"; the board has no tables: {name}[{here}] is {name}[{index} + {last}] there"
    return said


def _typecode(array, name):
    """MicroPython's type code for a numpy array, and what is worth saying about it."""
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "b":
        return "B", " (0 and 1)"
    if kind == "f":
        return "f", " (32-bit floats, as boards compute)" if size > 4 else ""
    if kind in "iu" and size < 8:
        return array.dtype.char.replace("l", "i").replace("L", "I"), ""
    if kind in "iu":
        if array.size and (array.min() < -2 ** 31 or array.max() >= 2 ** 31):
            return "q", ""
        return "i", " (32-bit integers: all fit)"
    raise DataError(f"{name!r} is an array of {array.dtype}, and a board's arrays hold numbers. Convert it first, for "
                    "example with .tolist().")
