"""Which lines are for whom, what the last expression is, and what the board's traceback says about the cell."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.kernel.cells import FORGOT_HOST, cell_error, interrupted, keep_last, question, split


@pytest.mark.parametrize("cell, parts", [
    ("print(1)", [("board", "print(1)")]),
    ("", []), ("\n \n", []), ("# only", []),
    ("%connect sim", [("host", "%connect sim")]),
    ("%connect sim\n%reset\n\nx = 1", [("host", "%connect sim\n%reset\n"), ("board", "\n\n\nx = 1")]),
    ("# first\n%reset\nx", [("host", "# first\n%reset\n"), ("board", "\n\nx")]),
    ("!ls\nx", [("host", "!ls\n"), ("board", "\nx")]),
    ("x = 1\n%get x", [("board", "x = 1\n"), ("host", "%get x")]),
    ("x = 1\n%get x\n!ls\ny\n%mem\n# end", [("board", "x = 1\n"), ("host", "%get x\n!ls\n"), ("board", "\n\n\ny\n"), ("host", "%mem\n")]),
    ("for i in x:\n    i\n%get i", [("board", "for i in x:\n    i\n"), ("host", "%get i")]),
    ("%%host\nimport numpy", [("host", "# on the host\nimport numpy")]),
    ("\n%%host\nx", [("host", "\n# on the host\nx")]),
    ("%%time\nx\n%get x", [("host", "%%time\nx\n%get x")]),
    ("x = 5 % 3", [("board", "x = 5 % 3")]),
])
def test_split(cell, parts):
    assert [(part.place, part.code) for part in split(cell)] == parts


@pytest.mark.parametrize("cell", ["x = (5\n% 3)", "x = '''\n%d\n'''", "x = 5 \\\n% 3", "if x:\n%get x", "x = = 1\n%get x"])
def test_a_line_in_the_middle_of_a_statement_is_no_magic(cell):
    assert [(part.place, part.code) for part in split(cell)] == [("board", cell)]


@pytest.mark.parametrize("code, kept", [
    ("x", "_ = (x)"),
    ("x = 1\nx + 1", "x = 1\n_ = (x + 1)"),
    ("a = 'é'; b = 2; a + 'ü'  # ß", "a = 'é'; b = 2; _ = (a + 'ü')  # ß"),
    ("(1,\n 2)", "_ = ((1,\n 2))"),
    ("f(\n  1,\n)", "_ = (f(\n  1,\n))"),
    ("'''a\nb'''", "_ = ('''a\nb''')"),
    ("x = 1", None), ("x;", None), ("x ;  ", None), ("for i in x:\n    i", None), ("", None), ("# only", None),
    ("x = = 1", None), ("print(", None),
])
def test_keep_last(code, kept):
    assert keep_last(code) == ((kept, True) if kept is not None else (code, False))


@given(st.lists(st.sampled_from(["x = 1", "x", "f(x,\n  2)", "'é' + \"ß\"", "# note", "", "if x:\n    y", "x, y", "(x)"]),
                max_size=6).map("\n".join))
def test_keeping_the_last_value_changes_neither_lines_nor_other_code(code):
    changed, kept = keep_last(code)
    assert changed.count("\n") == code.count("\n")
    before, after = ast.parse(code).body, ast.parse(changed).body
    assert len(before) == len(after)
    if kept:
        assert ast.dump(after[-1].value) == ast.dump(before[-1].value)
        assert [ast.dump(n) for n in after[:-1]] == [ast.dump(n) for n in before[:-1]]
    else:
        assert changed == code


def test_lines_of_this_cell_are_quoted_those_of_earlier_cells_are_not():
    cell = "def inner():\n    earlier(0)\n\ninner()"
    trace = ('Traceback (most recent call last):\r\n  File "<stdin>", line 4, in <module>\r\n'
             '  File "<stdin>", line 2, in inner\r\n  File "<stdin>", line 2, in earlier\r\n'
             '  File "/lib/imu.py", line 9, in read\r\nOSError: [Errno 19] ENODEV\r\n')
    error = cell_error(trace, cell)
    assert (type(error).__name__, str(error)) == ("OSError", "[Errno 19] ENODEV")
    assert error._render_traceback_() == [
        "Traceback (most recent call last):", "  this cell, line 4", "    inner()",
        "  this cell, line 2, in inner", "    earlier(0)", "  an earlier cell, line 2, in earlier",
        '  File "/lib/imu.py", line 9, in read', "OSError: [Errno 19] ENODEV"]


@pytest.mark.parametrize("trace, name, message", [
    ('Traceback (most recent call last):\n  File "<stdin>", line 1, in <module>\nKeyboardInterrupt: \n', "KeyboardInterrupt", ""),
    ('Traceback (most recent call last):\n  File "<stdin>", line 1\nSyntaxError: invalid syntax\n', "SyntaxError", "invalid syntax"),
    ('Traceback (most recent call last):\n  File "<stdin>", line 1, in <module>\nValueError: a: b\nc\n', "ValueError", "a: b\nc"),
    ("", "RuntimeError", "the board gave no reason"),
    ("something odd", "RuntimeError", "something odd"),
])
def test_name_and_message(trace, name, message):
    error = cell_error(trace, "x")
    assert (type(error).__name__, str(error)) == (name, message)
    assert not error._render_traceback_()[-1].endswith(":")


def test_a_name_of_the_host_gets_the_advice_to_write_host():
    trace = 'Traceback (most recent call last):\n  File "<stdin>", line 1, in <module>\n'
    known = {"numpy", "lab"}.__contains__
    assert cell_error(trace + "ImportError: no module named 'numpy.linalg'", "x", known).lines[-1] == FORGOT_HOST
    assert cell_error(trace + "NameError: name 'lab' isn't defined", "x", known).lines[-1] == FORGOT_HOST
    assert cell_error(trace + "NameError: name 'led' isn't defined", "x", known).lines[-1] != FORGOT_HOST


def test_lines_of_earlier_cells_are_quoted_from_the_newest_that_defines_the_function():
    cells = [(3, "def f():\n    old()"), (5, "def f():\n    new()"), (7, "x = 1"), (8, "def g():\n    f()")]
    trace = ('Traceback (most recent call last):\r\n  File "<stdin>", line 1, in <module>\r\n'
             '  File "<stdin>", line 2, in f\r\nNameError: name \'new\' isn\'t defined\r\n')
    assert cell_error(trace, "f()", earlier=cells).lines == [
        "Traceback (most recent call last):", "  this cell, line 1", "    f()", "  cell [5], line 2, in f", "    new()",
        "NameError: name 'new' isn't defined"]


def test_frames_that_are_not_the_learner_s_are_left_out():
    trace = ('Traceback (most recent call last):\r\n  File "<stdin>", line 1, in <module>\r\n'
             '  File "<stdin>", line 5, in _edgekit_input\r\n  File "/rom/machine.py", line 9, in value\r\n'
             '  File "time_board.py", line 3, in sleep\r\n  File "_bus.py", line 9, in sleep_us\r\n  File "keyboard.py", line 1, in x\r\n'
             '  File "/lib/rom/x.py", line 2, in y\r\nKeyboardInterrupt: \r\n')
    assert cell_error(trace, "x()").lines == [
        "Traceback (most recent call last):", "  this cell, line 1", "    x()", '  File "keyboard.py", line 1, in x',
        '  File "/lib/rom/x.py", line 2, in y',
        "KeyboardInterrupt"]


@pytest.mark.parametrize("cell, asked", [
    ("led?", ("", "led", 0)), ("?led", ("", "led", 0)), ("led??", ("", "led", 1)), ("??led", ("", "led", 1)),
    (" machine.Pin? \n\n", ("", "machine.Pin", 0)), ("x = 1\n\nled?\n", ("x = 1\n\n", "led", 0)),
    ("%connect?", None), ("led", None), ("a + b?", None), ("led?\nx = 1", None), ("print(1)  # why?", None), ("?", None),
    ("", None), ("%%host\nzipfile?", None)])
def test_question(cell, asked):
    assert question(cell) == asked


def test_interrupted():
    assert type(interrupted()).__name__ == "KeyboardInterrupt"
    assert isinstance(interrupted(), Exception)
