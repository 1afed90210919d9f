"""What of a printed line is a number, and the pictures that %plot makes of them."""

import math
import re
import time
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.kernel.chart import _COLOURS, Chart, numbers
from edgekit.lab.plot import CYCLE


@pytest.mark.parametrize("line, values", [
    ("1", {"value": 1}), ("-.5", {"value": -0.5}), ("1e-3", {"value": 0.001}), ("25%", {"value": 25}),
    ("1,2, 3", {"value 1": 1, "value 2": 2, "value 3": 3}),
    ("1\t2;3", {"value 1": 1, "value 2": 2, "value 3": 3}),
    ("(1, 2.5)", {"value 1": 1, "value 2": 2.5}), ("[1, 2]\r", {"value 1": 1, "value 2": 2}),
    ("ax 0.1 ay -0.2", {"ax": 0.1, "ay": -0.2}), ("ax:0.1,ay:0.2", {"ax": 0.1, "ay": 0.2}),
    ("ax = 0.1, ay = 0.2", {"ax": 0.1, "ay": 0.2}), ("{'a': 1, 'b': 2}", {"a": 1, "b": 2}),
    ("T: 25 C H: 40 %", {"T": 25, "H": 40}), ("t 21.5 degC", {"t": 21.5}), ("inf", {"value": math.inf}),
    ("", None), ("hello", None), ("x, y", None), ("0x10", None), ("Pin(2)", None), ("3 files copied", None),
    ("Sensor found at 0x68", None), ("Booting in 3 s", None), ("accuracy 0.9 after 3 epochs", None),
    ("1.2.3", None), ("1" * 500, None),
])
def test_numbers_of_a_line(line, values):
    assert numbers(line) == values


def test_no_number_is_kept_as_a_gap():
    assert math.isnan(numbers("nan, 1")["value 1"])


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6),
       st.sampled_from([":", " ", "=", ": ", " = "]), st.sampled_from([" ", ", ", "\t"]))
def test_what_is_printed_with_names_is_read_back(values, equals, separator):
    names = {"nan", "inf"} & set(values)
    line = separator.join(f"{name}{equals}{value!r}" for name, value in values.items())
    assert names or numbers(line) == values


@given(st.lists(st.sampled_from(["1, 2\n", "x 3\n", "hello\n", "π\n", "4", "\n"])), st.integers(1, 5))
def test_the_cut_of_the_text_makes_no_difference(parts, size):
    text = "".join(parts)
    whole, cut = Chart(), Chart()
    shown = whole.feed(text) + whole.finish()
    shown_cut = "".join(cut.feed(text[i:i + size]) for i in range(0, len(text), size)) + cut.finish()
    assert shown == shown_cut
    assert {name: list(points) for name, points in whole.series.items()} == {
        name: list(points) for name, points in cut.series.items()}


def test_names_in_a_line_of_their_own():
    chart = Chart()
    assert chart.feed("time, volts\n1, 2\n3, 4\n") == "time, volts\n"
    assert {name: list(points) for name, points in chart.series.items()} == {
        "time": [(0, 1), (1, 3)], "volts": [(0, 2), (1, 4)]}


def test_text_stays_text():
    chart = Chart()
    assert chart.feed("begin\n1\n") + chart.feed("en") + chart.feed("d") + chart.finish() == "begin\nend"
    assert chart.lines == 1
    assert len(chart.feed("x" * 1000)) == 1000      # no number is so long: it is shown at once


def polylines(chart):
    root = ET.fromstring(chart.svg())
    return [[tuple(map(float, p.split(","))) for p in e.get("points").split()] for e in root.iter() if e.tag.endswith("polyline")]


def test_the_moving_picture_shows_the_last_lines_in_scale():
    chart = Chart(last=10)
    chart.feed("".join(f"a {i} b {-i}\n" for i in range(25)))
    a, b = polylines(chart)
    assert len(a) == len(b) == 10
    steps = [x1 - x0 for (x0, _), (x1, _) in zip(a, a[1:], strict=False)]
    assert max(steps) - min(steps) < 0.2 and min(steps) > 0
    assert [y for _, y in a] == sorted((y for _, y in a), reverse=True)      # upwards is smaller y
    # Both on one scale: equally steep, opposite.
    assert a[-1][1] - a[0][1] == pytest.approx(-(b[-1][1] - b[0][1]), abs=0.2)
    words = ET.fromstring(chart.svg()).get("aria-label")
    assert "25 printed lines" in words and "a 24" in words


def test_gaps_and_names_with_marks():
    chart = Chart()
    chart.feed("<b> 1\n<b> nan\n<b> 2\n<b> 3\n")
    assert [len(points) for points in polylines(chart)] == [2]      # and a dot for the one before the gap
    assert chart.svg().count("<circle") == 1 and "<b>" not in chart.svg()


@pytest.mark.parametrize("values", [[0], [5, 5, 5], [1e-9, 2e-9], [1e12, -1e12], [math.nan], [math.inf, 1]])
def test_any_range_can_be_drawn(values):
    chart = Chart()
    chart.feed("".join(f"{value}\n" for value in values))
    assert "nan" not in re.sub(r"aria-label=\"[^\"]*\"|>[^<]*<", "", chart.svg())
    assert chart.png().startswith(b"\x89PNG")


def test_the_picture_that_stays_shows_all_lines():
    chart = Chart(last=10, title="shake")
    chart.source = "a board"
    chart.feed("".join(f"{i}, 1\n" for i in range(50)))
    ax, = chart.figure().axes
    assert [len(line.get_xdata()) for line in ax.lines] == [50, 50]
    assert list(ax.lines[0].get_ydata()) == list(range(50))
    assert ax.get_xlabel() == "printed line" and ax.get_title() == "shake, a board"


def test_its_colours_are_those_of_the_lessons():
    assert list(_COLOURS) == CYCLE


def test_it_keeps_up_with_100_hz_of_6_values():
    chart = Chart()
    text = "".join(f"ax {i} ay {i + 1} az {i + 2} gx {i + 3} gy {i + 4} gz {i + 5}\n" for i in range(1000))
    started = time.perf_counter()
    chart.feed(text)
    for _ in range(100):
        chart.svg()
    # Ten seconds of data and their hundred pictures.
    assert time.perf_counter() - started < 5
