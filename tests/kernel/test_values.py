"""Values go to the board and come back the same; what cannot is said in one sentence."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edgekit
from edgekit.errors import BoardError, DataError
from edgekit.kernel.values import fetch, from_repr, send, to_code


@pytest.fixture(scope="module")
def board():
    with edgekit.connect("sim", quiet=True) as board:
        yield board


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-2 ** 40, 2 ** 40) | st.floats(allow_nan=False, width=32) | st.binary(max_size=20)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(st.text(st.characters(codec="ascii"), max_size=5), inner, max_size=3), max_leaves=10)


@given(PLAIN)
@settings(max_examples=60, deadline=None)
def test_plain_values_come_back(board, value):
    send(board, "x", value)
    assert fetch(board, "x") == value


@pytest.mark.parametrize("value", [b"", bytearray(b"ab"), bytes(range(256)) * 40, list(range(5000)), tuple(range(3000)),
                                   {1, 2}, set(), [], "text " * 200])
def test_large_and_empty_values_come_back(board, value):
    send(board, "x", value)
    found = fetch(board, "x")
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "float32"])
def test_arrays_come_back_with_their_type(board, dtype):
    sent = np.arange(3000).astype(dtype)
    send(board, "x", sent)
    found = fetch(board, "x")
    assert found.dtype == dtype and np.array_equal(found, sent)


@pytest.mark.parametrize("value, said", [
    (np.array([0.5, 1]), "array('f') of 2 (32-bit floats, as boards compute)"),
    (np.array([1, 2]), "array('i') of 2 (32-bit integers: all fit)"),
    (np.array([2 ** 40]), "array('q') of 1"), (np.array([True, False]), "array('B') of 2 (0 and 1)"),
    (np.zeros((4, 3), np.int16), "x[i, j] is x[i * 3 + j] there"),
    (np.zeros((2, 4, 3), np.int16), "x[i, j, k] is x[i * 12 + j * 3 + k] there"),
    (b"abc", "3 bytes"), ([1, 2], "list of 2"), (5, "int"),
])
def test_it_says_what_the_board_has(board, value, said):
    assert said in send(board, "x", value)


def test_a_table_is_where_the_sentence_says(board):
    table = np.arange(12, dtype=np.int16).reshape(4, 3)
    send(board, "x", table)
    assert board.eval("x[2 * 3 + 1]") == table[2, 1]
    assert board.eval("'_array' in globals()") is False


def test_numbers_of_numpy_and_special_floats(board):
    send(board, "x", [np.float32(0.5), np.int64(3), float("inf")])
    assert fetch(board, "x") == [0.5, 3, math.inf]
    assert math.isnan(fetch(board, "float('nan')"))
    assert fetch(board, "[-float('inf')]") == [-math.inf]


def test_other_things_of_the_board(board):
    board.exec("from collections import namedtuple, OrderedDict\nPoint = namedtuple('Point', ('x', 'y'))")
    assert fetch(board, "Point(1, 2)") == {"x": 1, "y": 2}
    assert fetch(board, "OrderedDict([('z', 1), ('a', 2)])") == {"z": 1, "a": 2}
    assert fetch(board, "frozenset([1])") == frozenset([1])
    assert fetch(board, "memoryview(b'abc')") == b"abc"
    assert np.array_equal(fetch(board, "[__import__('array').array('h', [1, 2])]")[0], [1, 2])


@pytest.mark.parametrize("value", [object(), [1, object()], {"a": len}, np.array(["a"]), np.array([None])])
def test_what_cannot_go_there(board, value):
    with pytest.raises(DataError, match="'thing' is .*(lists|tolist)"):
        send(board, "thing", value)


@pytest.mark.parametrize("expression, error, message", [
    ("print", DataError, "lives there only"), ("[print]", DataError, "lives there only"),
    ("nowhere", DataError, "has no 'nowhere'"), ("1 / 0", BoardError, "ZeroDivisionError"),
])
def test_what_cannot_come_here(board, expression, error, message):
    with pytest.raises(error, match=message):
        fetch(board, expression)
    assert board.eval("'_fetch' in globals()") is False


@pytest.mark.parametrize("text", ["__import__('os')", "print(1)", "a.b", "[x for x in y]", "<memoryview>", "f'{1}'"])
def test_a_repr_is_never_run(text):
    with pytest.raises((ValueError, SyntaxError)):
        from_repr(text)


@given(PLAIN)
def test_code_for_the_board_is_python_for_the_value(value):
    assert eval(to_code(value)) == value
