"""The picture of the course: from a sensor's first sample to a pin."""

from edgekit.errors import EdgekitError
from edgekit.lab.plot import COLOURS

_STAGES = (
    # name, what happens, lesson, where
    ("sensor", "feels motion", "02", "board"),
    ("Recording", "samples, label", "03", "computer"),
    ("windows", "cut, split", "04", "computer"),
    ("features", "small integers", "05", "computer"),
    ("model", "train", "08", "computer"),
    (".tflite", "float to int8", "09", "computer"),
    ("Bundle", "pack, check", "10", "computer"),
    ("board", "deploy, run", "10", "board"),
    ("prediction", "which gesture?", "10", "board"),
    ("pin", "switch a lamp", "10", "board"),
)
_FILL = {"computer": "#D6E9F5", "board": "#D5EEE5"}
_EDGE = {"computer": COLOURS["blue"], "board": COLOURS["green"]}


def plot_pipeline(lesson: str | None = None):
    """Draw the pipeline; the stages of one lesson stand out.

    Parameters
    ----------
    lesson : str, optional
        Two digits, for example ``"03"``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    EdgekitError
        No stage belongs to this lesson.
    """
    from matplotlib import pyplot
    from matplotlib.patches import FancyBboxPatch, Patch
    lessons = sorted({stage[2] for stage in _STAGES})
    if lesson is not None and lesson not in lessons:
        raise EdgekitError(f"Expected one of the lessons {', '.join(lessons)}, found {lesson!r}.")
    figure, ax = pyplot.subplots(figsize=(9, 3.1), layout="constrained")
    for i, (name, what, number, where) in enumerate(_STAGES):
        x, y = 1.9 * (i % 5), 1.5 * (1 - i // 5)
        ax.add_patch(FancyBboxPatch((x, y), 1.35, 0.72, boxstyle="round,pad=0.06", facecolor=_FILL[where],
                                    edgecolor=_EDGE[where], linewidth=3.5 if number == lesson else 1.2))
        ax.text(x + 0.675, y + 0.47, name, ha="center", va="center", fontsize=11, weight="bold")
        ax.text(x + 0.675, y + 0.17, what, ha="center", va="center", fontsize=8)
        ax.text(x + 0.675, y - 0.2, f"lesson {number}", ha="center", va="center", fontsize=7.5, color="#444444")
        if i % 5:
            ax.annotate("", (x - 0.06, y + 0.36), (x - 0.49, y + 0.36), arrowprops={"arrowstyle": "-|>", "color": "black"})
    # From the end of the upper row around to the beginning of the lower one.
    ax.plot([9.01, 9.25, 9.25, -0.4, -0.4], [1.86, 1.86, 1.11, 1.11, 0.36], color="black", linewidth=1)
    ax.annotate("", (-0.06, 0.36), (-0.4, 0.36), arrowprops={"arrowstyle": "-|>", "color": "black"})
    ax.legend(handles=[Patch(facecolor=_FILL[where], edgecolor=_EDGE[where], label=f"on the {where}")
                       for where in ("computer", "board")], loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2,
              fontsize="small", frameon=False)
    ax.set(xlim=(-0.6, 9.5), ylim=(-0.4, 2.4))
    ax.set_aspect("equal")
    ax.axis("off")
    pyplot.close(figure)
    return figure
