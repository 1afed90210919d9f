"""``%plot``: numbers that a program prints, as a chart that grows while it runs and stays as a picture.

The lines it understands are those of the Arduino plotter and of Mu: ``1, 2, 3``, ``(1, 2)``, ``ax:0.1 ay:0.2``,
``ax 0.1 ay 0.2``, ``temperature = 21.5 C``; a line of names, ``x, y, z``, names the values of the lines after it.
"""

import contextvars
import html
import itertools
import math
import re
import threading
import time
import uuid
from collections import deque

# Okabe and Ito's colours in the order of edgekit.lab.plot, which this room must not import.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000")
_FRAME_S = 0.1              # ten pictures a second
_KEEP = 20_000              # lines in the picture that stays
_UNIT_LETTERS = 4           # a longer word after a number is no unit, so the line is text
_LINE_MAX = 400             # characters; longer lines are no numbers
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|inf|nan)%?$")
_SEPARATOR = re.compile(r"[\s,;]+")
_EQUALS = re.compile(r"\s*[:=]\s*")
_NAMES = re.compile(r"\s*[^\W\d]\w*(\s*[,;\t]\s*[^\W\d]\w*)+\s*$")


def numbers(line: str, names=()) -> dict[str, float] | None:
    """What a printed line says in numbers.

    Parameters
    ----------
    line : str
        One line.
    names : sequence of str
        For values without a name, as many as these are.

    Returns
    -------
    dict or None
        Name -> value in the order of the line; None if the line is text.

    Examples
    --------
    >>> numbers("ax:0.1 ay:-2"), numbers("(1, 2.5)"), numbers("t = 21.5 C")
    ({'ax': 0.1, 'ay': -2.0}, {'value 1': 1.0, 'value 2': 2.5}, {'t': 21.5})
    >>> numbers("Sensor found at 0x68")
    """
    if len(line) > _LINE_MAX:
        return None
    text = _EQUALS.sub(" ", line.strip().strip("()[]{}"))
    found, nameless, pending = [], 0, None
    for word in _SEPARATOR.split(text.strip(" ,;\t")):
        if _NUMBER.match(word):
            nameless += pending is None
            found.append((pending, float(word.rstrip("%"))))
            pending = None
        elif not word or pending is not None and not found:
            return None
        else:
            if pending is not None and len(pending) > _UNIT_LETTERS:
                return None
            pending = word.strip("'\"")
    if not found or pending is not None and len(pending) > _UNIT_LETTERS:
        return None
    own = iter(names if nameless == len(names) else
               ["value"] if nameless == 1 else [f"value {i + 1}" for i in range(nameless)])
    return {next(own) if name is None else name: value for name, value in found}


class Chart:
    """Takes the text of a running program, keeps its numbers, and draws.

    Parameters
    ----------
    last : int
        How many lines the moving picture shows. The one that stays shows all (at most 20,000).
    title : str
        Above the picture.
    source : str
        Where the numbers are from, such as the board's name.
    """

    def __init__(self, last: int = 300, title: str = "", source: str = ""):
        self.last = last
        self.title = title
        self.source = source
        self.lines = 0
        self.series = {}
        self._names = ()
        self._rest = ""
        self._dirty = False
        self._lock = threading.Lock()

    def feed(self, text: str) -> str:
        """Take printed text; returns what of it is no numbers, to be shown as always."""
        lines = (self._rest + text).split("\n")
        self._rest = lines.pop()
        shown = [line + "\n" for line in lines if not self._take(line)]
        # The begin of a line that is too long to be numbers need not wait for its end.
        if len(self._rest) > _LINE_MAX:
            shown.append(self._rest)
            self._rest = ""
        return "".join(shown)

    def finish(self) -> str:
        """The program has ended: what is left of its last line."""
        rest, self._rest = self._rest, ""
        return "" if rest and self._take(rest) else rest

    def _take(self, line):
        values = numbers(line, self._names)
        if values is None:
            if _NAMES.match(line):
                self._names = tuple(name for name in _SEPARATOR.split(line.strip()) if name)
            return False
        with self._lock:
            for name, value in values.items():
                self.series.setdefault(name, deque(maxlen=_KEEP)).append((self.lines, value))
            self.lines += 1
            self._dirty = True
        return True

    def _points(self, count=None):
        """Name -> points of the last ``count`` lines, and the first line shown."""
        with self._lock:
            self._dirty = False
            first = max(0, self.lines - (count or _KEEP))
            return {name: list(itertools.dropwhile(lambda point: point[0] < first, _tail(points, count)))
                    for name, points in self.series.items()}, first

    # --- pictures ----------------------------------------------------------------------------------------------

    def svg(self, width: int = 720, height: int = 268) -> str:
        """The moving picture. Drawn by hand, as matplotlib would take a core for ten pictures a second."""
        series, first = self._points(self.last)
        left, right, top, bottom = 64, width - 12, 34, height - 36
        values = [y for points in series.values() for _, y in points if math.isfinite(y)]
        low, high = _limits(values)
        across = (right - left) / max(1, max(self.last, 2) - 1)
        down = (bottom - top) / (high - low)
        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
                 f'role="img" aria-label="{html.escape(self._words(series))}" style="max-width:100%;background:#fff" '
                 'font-family="sans-serif" font-size="12" fill="#222">']
        for y in _ticks(low, high):
            at = bottom - (y - low) * down
            parts.append(f'<path d="M{left} {at:.1f}H{right}" stroke="#ddd"/>'
                         f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{y:g}</text>')
        for line in _ticks(first, first + self.last - 1):
            at = left + (line - first) * across
            parts.append(f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{line:g}</text>')
        parts.append(f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#222"/>'
                     f'<text x="{(left + right) / 2}" y="{height - 4}" text-anchor="middle">printed line</text>')
        at = left
        for i, (name, points) in enumerate(series.items()):
            colour = _COLOURS[i % len(_COLOURS)]
            for run in _runs(points):
                path = " ".join(f"{left + (x - first) * across:.1f},{bottom - (y - low) * down:.1f}" for x, y in run)
                shape = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
                if len(run) == 1:
                    shape = f'<circle cx="{path.partition(",")[0]}" cy="{path.partition(",")[2]}" r="2" fill="{colour}"/>'
                parts.append(shape)
            label = f"{name} {points[-1][1]:.4g}" if points else name
            parts.append(f'<text x="{at}" y="22" fill="{colour}" font-weight="bold">{html.escape(label)}</text>')
            at += 7.5 * len(name) + 62
        return "".join(parts) + "</svg>"

    def figure(self):
        """The picture that stays.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from matplotlib.figure import Figure

        series, _ = self._points()
        figure = Figure(figsize=(7.5, 2.9), dpi=96, layout="constrained")
        ax = figure.add_subplot()
        for i, (name, points) in enumerate(series.items()):
            x, y = zip(*points, strict=True) if points else ((), ())
            ax.plot(x, y, color=_COLOURS[i % len(_COLOURS)], linewidth=1.3, label=name, marker="." if len(x) < 40 else None)
        ax.set_xlabel("printed line")
        ax.margins(x=0.01)
        ax.grid(True, alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
        if self.title or self.source:
            ax.set_title(", ".join(word for word in (self.title, self.source) if word), fontsize="medium")
        if list(series) == ["value"]:
            ax.set_ylabel("value")
        elif series:
            figure.legend(loc="outside upper center", ncols=min(8, len(series)), fontsize="small", frameon=False)
        return figure

    def png(self) -> bytes:
        """The picture that stays, as a file."""
        import io

        from matplotlib.backends.backend_agg import FigureCanvasAgg
        figure = self.figure()
        FigureCanvasAgg(figure)
        file = io.BytesIO()
        figure.savefig(file, format="png")
        return file.getvalue()

    def _words(self, series):
        last = ", ".join(f"{name} {points[-1][1]:.4g}" for name, points in series.items() if points)
        return f"Chart of {self.lines} printed lines; the last: {last}"

    def __str__(self):
        series, _ = self._points()
        return self._words(series) if series else "No numbers were printed, so there is no chart."

    # --- in a notebook -----------------------------------------------------------------------------------------

    def live(self):
        """Context manager: draw in the notebook while the block runs, leave the picture at its end."""
        return _Live(self)


class _Live:
    def __init__(self, chart):
        self._chart = chart
        self._id = uuid.uuid4().hex
        self._end = threading.Event()
        self._shown = False

    def __enter__(self):
        # With the context of the cell: what is displayed from the thread belongs to it.
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._draw,), name="edgekit-plot", daemon=True)
        self._thread.start()
        # matplotlib takes a second to load: meanwhile the cell runs.
        threading.Thread(target=_load_matplotlib, daemon=True).start()
        return self._chart

    def __exit__(self, *exception):
        self._end.set()
        self._thread.join()
        if self._chart.lines:
            self._show({"image/png": self._chart.png(), "text/plain": str(self._chart)})
        elif exception[0] is None:
            print(self._chart)

    def _draw(self):
        while not self._end.wait(_FRAME_S):
            if self._chart._dirty:
                began = time.monotonic()
                self._show({"text/html": self._chart.svg(), "text/plain": str(self._chart)})
                # A slow computer draws less often, so that reading the board stays first.
                self._end.wait(2 * (time.monotonic() - began))

    def _show(self, data):
        from IPython.display import display
        display(data, raw=True, display_id=self._id, update=self._shown)
        self._shown = True


def _load_matplotlib():
    import matplotlib.backends.backend_agg  # noqa: F401
    import matplotlib.figure  # noqa: F401


def _tail(points, count):
    if count is None or len(points) <= count:
        return points
    return list(itertools.islice(reversed(points), count))[::-1]


def _runs(points):
    """Parts of a curve between values that are no numbers."""
    run = []
    for point in points:
        if math.isfinite(point[1]):
            run.append(point)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _limits(values):
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    margin = 0.05 * (high - low) or 0.5 * abs(high) or 0.5
    return low - margin, high + margin


def _ticks(low, high, about=5):
    """Round numbers between two."""
    step = 10.0 ** math.floor(math.log10((high - low) / about or 1))
    step = next(step * m for m in (1, 2, 5, 10) if (high - low) / (step * m) <= about)
    first = math.ceil(low / step)
    return [round(i * step, 10) for i in range(first, math.floor(high / step) + 1)]
