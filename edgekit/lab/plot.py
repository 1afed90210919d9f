"""Plots for the lessons: axes with units, one message each, colours that everyone can tell apart.

Each function returns the figure: make the call the last line of a cell, or give it to ``display()``.
With ``ax`` it draws into your axes instead, and returns their figure.
"""

import numpy as np

# Okabe and Ito, "Color Universal Design" (2008): safe for all kinds of colour blindness.
COLOURS = {"blue": "#0072B2", "orange": "#E69F00", "green": "#009E73", "vermillion": "#D55E00", "sky": "#56B4E9",
           "purple": "#CC79A7", "yellow": "#F0E442", "black": "#000000"}
CYCLE = [COLOURS[name] for name in ("blue", "orange", "green", "vermillion", "sky", "purple", "black")]
_UNIT_NAMES = {"g": "acceleration (g)", "dps": "rotation (deg/s)", "V": "voltage (V)"}


def plot_recording(recording, start_s=None, stop_s=None, title=None):
    """Draw a recording over time: one panel for each unit (acceleration in g, rotation in deg/s).

    Parameters
    ----------
    recording : Recording
        Drawn in physical units.
    start_s, stop_s : float, optional
        Part to draw, in seconds from the start.
    title : str, optional
        Default: label, subject and source of the recording.

    Returns
    -------
    matplotlib.figure.Figure
    """
    values = np.asarray(recording.physical())
    time_s = np.asarray(recording.time_s)
    shown = (time_s >= (start_s or 0)) & (time_s <= (np.inf if stop_s is None else stop_s))
    units = list(dict.fromkeys(recording.units))
    figure, panels = _subplots(len(units), 1, size=(8, 1.2 + 2.1 * len(units)), sharex=True)
    for unit, ax in zip(units, panels, strict=True):
        members = [i for i, u in enumerate(recording.units) if u == unit]
        for colour, i in zip(CYCLE, members, strict=False):
            ax.plot(time_s[shown], values[shown, i], color=colour, linewidth=1.2, label=recording.channels[i])
        ax.set_ylabel(_UNIT_NAMES.get(unit, unit))
        ax.legend(loc="upper right", ncols=len(members), fontsize="small")
    panels[-1].set_xlabel("time (s)")
    words = [w for w in (recording.label, recording.subject, recording.source) if w]
    panels[0].set_title(", ".join(words) if title is None else title)
    return _done(figure)


def plot_recordings(recordings, channel="ax", stop_s=None, columns=3):
    """Draw one channel of several recordings side by side, on the same axes, to compare labels or subjects.

    Parameters
    ----------
    recordings : sequence of Recording
    channel : str
        Name of the channel.
    stop_s : float, optional
        Draw up to here.
    columns : int
        Panels in a row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    recordings = list(recordings)
    rows = -(-len(recordings) // columns)
    figure, panels = _subplots(rows, columns, size=(3 * columns, 0.6 + 1.8 * rows), sharex=True, sharey=True)
    for recording, ax in zip(recordings, panels, strict=False):
        i = recording.channels.index(channel)
        shown = np.asarray(recording.time_s) <= (np.inf if stop_s is None else stop_s)
        ax.plot(np.asarray(recording.time_s)[shown], recording.physical()[shown, i], color=CYCLE[0], linewidth=1.0)
        ax.set_title(" ".join(w for w in (recording.label, recording.subject) if w), fontsize="medium")
    for ax in panels[len(recordings):]:
        ax.set_visible(False)
    figure.supxlabel("time (s)", fontsize="medium")
    unit = recordings[0].units[recordings[0].channels.index(channel)]
    figure.supylabel(f"{channel}: {_UNIT_NAMES.get(unit, unit)}", fontsize="medium")
    return _done(figure)


def plot_windows(recording, length, stride, channel="ax", first=6):
    """Draw the windows that slide over a recording, so that their overlap is seen.

    Parameters
    ----------
    recording : Recording
    length, stride : int
        Window length and step, in samples.
    channel : str
        Name of the channel that is drawn.
    first : int
        How many windows to draw.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (top, bottom) = _subplots(2, 1, size=(8, 4), sharex=True, height_ratios=[2, 1])
    i = recording.channels.index(channel)
    count = min(first, max(0, (len(recording.samples) - length) // stride + 1))
    end_s = ((count - 1) * stride + length) / recording.rate_hz * 1.05
    shown = np.asarray(recording.time_s) <= end_s
    top.plot(np.asarray(recording.time_s)[shown], recording.physical()[shown, i], color=CYCLE[0], linewidth=1.2)
    top.set_ylabel(_UNIT_NAMES.get(recording.units[i], recording.units[i]))
    top.set_title(f"Windows of {length} samples ({length / recording.rate_hz:.2f} s), "
                  f"a new one every {stride} samples ({stride / recording.rate_hz:.2f} s)")
    for k in range(count):
        bottom.barh(k, length / recording.rate_hz, left=k * stride / recording.rate_hz, height=0.8,
                    color=CYCLE[1] if k % 2 else CYCLE[4])
    bottom.set_yticks(range(count))
    bottom.set_ylabel("window")
    bottom.invert_yaxis()
    bottom.set_xlabel("time (s)")
    return _done(figure)


def plot_confusion(matrix, classes=None, title="Which gesture is taken for which?"):
    """Draw a confusion matrix: rows are the truth, columns the prediction, numbers are windows.

    Parameters
    ----------
    matrix : pandas.DataFrame or numpy.ndarray
        Counts, [classes, classes], as from `edgekit.train.confusion`.
    classes : sequence of str, optional
        Default: the index of the DataFrame.

    Returns
    -------
    matplotlib.figure.Figure
    """
    counts = np.asarray(matrix)
    names = list(classes if classes is not None else getattr(matrix, "index", range(len(counts))))
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.2 + 0.6 * len(names)
    figure, (ax,) = _subplots(1, 1, size=(side + 0.6, side))
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(counts.shape):
        if counts[row, column]:
            ax.text(column, row, int(counts[row, column]), ha="center", va="center",
                    color="white" if share[row, column] > 0.5 else "black")
    ax.set_xticks(range(len(names)), names, rotation=40, ha="right")
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel("predicted")
    ax.set_ylabel("true (windows per row)")
    ax.set_title(title, fontsize="medium")
    return _done(figure)


def plot_history(history, title="Learning curves"):
    """Draw loss and accuracy over the epochs, for training and validation data.

    Parameters
    ----------
    history : dict
        Lists by name, as from `edgekit.train.fit`: ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``.

    Returns
    -------
    matplotlib.figure.Figure
    """
    history = getattr(history, "history", history)
    figure, panels = _subplots(1, 2, size=(9, 3.2))
    for ax, name, factor, label in zip(panels, ("loss", "accuracy"), (1, 100), ("loss", "accuracy (%)"), strict=True):
        for prefix, colour, style, who in (("", CYCLE[0], "-", "training"), ("val_", CYCLE[1], "--", "validation")):
            if prefix + name in history:
                values = factor * np.asarray(history[prefix + name])
                ax.plot(np.arange(1, len(values) + 1), values, style, color=colour, marker=".", label=who)
        ax.set_xlabel("epoch")
        ax.set_ylabel(label)
        ax.legend()
    figure.suptitle(title)
    return _done(figure)


def plot_bars(values, ylabel="accuracy (%)", title="", factor=100.0, chance=None):
    """Compare a few results, each with its interval.

    Parameters
    ----------
    values : dict
        Name -> value; or (value, low, high); or something with ``.accuracy`` and ``.interval``.
    ylabel, title : str
        The unit belongs into ``ylabel``.
    factor : float
        Values are multiplied by this; the default turns shares into percent.
    chance : float, optional
        A dashed line, for example at what guessing would reach (before ``factor``).

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (ax,) = _subplots(1, 1, size=(1.8 + 1.3 * len(values), 3.6))
    for i, value in enumerate(values.values()):
        if hasattr(value, "interval"):
            value = (value.accuracy, *value.interval)
        middle, *interval = np.atleast_1d(value) * factor
        ax.bar(i, middle, width=0.6, color=CYCLE[i % len(CYCLE)])
        if interval:
            ax.errorbar(i, middle, [[middle - interval[0]], [interval[1] - middle]], color="black", capsize=5)
        ax.annotate(f"{middle:.3g}", (i, interval[1] if interval else middle), xytext=(0, 3),
                    textcoords="offset points", ha="center")
    if chance is not None:
        ax.axhline(chance * factor, color="black", linestyle="--", linewidth=1)
        ax.annotate("guessing", (len(values) - 0.6, chance * factor), xytext=(0, 3), textcoords="offset points",
                    ha="right", fontsize="small")
    ax.set_xticks(range(len(values)), values)
    ax.margins(y=0.15)
    ax.set_ylabel(ylabel)
    ax.set_title(title, fontsize="medium")
    return _done(figure)


def plot_bytes_and_accuracy(table, size="bytes", accuracy="accuracy"):
    """Draw size against accuracy, one dot for each model.

    Parameters
    ----------
    table : pandas.DataFrame
        One row for each model; its index names them.
    size, accuracy : str
        Names of the columns: bytes, and a share from 0 to 1.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (ax,) = _subplots(1, 1, size=(6.5, 3.6))
    for i, (name, row) in enumerate(table.iterrows()):
        ax.scatter(row[size] / 1024, 100 * row[accuracy], s=60, color=CYCLE[i % len(CYCLE)], marker="os^Dv<>"[i % 7])
        ax.annotate(str(name), (row[size] / 1024, 100 * row[accuracy]), xytext=(7, 4), textcoords="offset points")
    ax.margins(0.2)
    ax.set_xlabel("model file (KiB)")
    ax.set_ylabel("accuracy (%)")
    ax.set_title("Smaller is to the left, better is up", fontsize="medium")
    return _done(figure)


def plot_quantization(values, scale, zero_point=0, name="value", zoom=None):
    """Draw the histogram of a tensor under its int8 grid: what falls between two lines is rounded to one of them.

    Parameters
    ----------
    values : array_like
        Real values, any shape.
    scale : float
        Size of one int8 step.
    zero_point : int
        The int8 value that stands for 0.0.
    name : str
        What the values are, with the unit.
    zoom : tuple of float, optional
        (low, high) of the axis; default: the whole range.

    Returns
    -------
    matplotlib.figure.Figure
    """
    values = np.asarray(values, dtype=float).ravel()
    low, high = (scale * (end - zero_point) for end in (-128, 127))
    clipped = np.mean((values < low) | (values > high))
    figure, (ax,) = _subplots(1, 1, size=(8, 3.4))
    left, right = zoom or (min(low, values.min()), max(high, values.max()))
    ax.hist(values, bins=np.linspace(left, right, 81), color=CYCLE[4])
    grid = scale * (np.arange(-128, 128) - zero_point)
    grid = grid[(grid >= left) & (grid <= right)]
    ax.vlines(grid, -0.09, -0.02, color=CYCLE[3], linewidth=0.7, transform=ax.get_xaxis_transform(), clip_on=False)
    ax.axvspan(low, high, color=CYCLE[2], alpha=0.10, label=f"int8 can hold {low:.3g} to {high:.3g}")
    ax.tick_params(axis="x", pad=14)
    ax.set_xlim(left, right)
    ax.set_xlabel(name)
    ax.set_ylabel("count")
    ax.legend(loc="upper right", fontsize="small")
    ax.set_title(f"One int8 step (red line to red line) is {scale:.4g}; {clipped:.1%} of the values are clipped",
                 fontsize="medium")
    return _done(figure)


def plot_energy(decisions_per_day, curves, title="Energy against how often one decides", ylabel="energy per day (J)"):
    """Draw energy curves over the number of decisions, on two logarithmic axes.

    Parameters
    ----------
    decisions_per_day : array_like
        The horizontal axis.
    curves : dict
        Name -> energy for each of them; say in the name if it is estimated.
    title, ylabel : str
        The unit belongs into ``ylabel``.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (ax,) = _subplots(1, 1, size=(7.5, 3.8))
    for colour, style, (name, energy) in zip(CYCLE, ("-", "--", "-.", ":") * 2, curves.items(), strict=False):
        ax.loglog(decisions_per_day, energy, style, color=colour, linewidth=2, label=name)
    ax.set_xlabel("decisions per day")
    ax.set_ylabel(ylabel)
    ax.set_title(title, fontsize="medium")
    ax.grid(True, which="major", alpha=0.3)
    ax.legend(fontsize="small")
    return _done(figure)


def plot_features(x, y, classes, names, columns=4):
    """Draw each feature as a box for each class: a feature is useful where the boxes do not overlap.

    Parameters
    ----------
    x : array_like
        Features, [N, n].
    y : array_like
        Class numbers, [N].
    classes, names : sequence of str
        Names of the classes, and of the n features.
    columns : int
        Panels in a row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y)
    rows = -(-len(names) // columns)
    figure, panels = _subplots(rows, columns, size=(2.6 * columns, 0.5 + 2.1 * rows))
    for i, (name, ax) in enumerate(zip(names, panels, strict=False)):
        boxes = ax.boxplot([x[y == c, i] for c in range(len(classes))], patch_artist=True, widths=0.7,
                           flierprops={"markersize": 2}, medianprops={"color": "black"})
        for c, box in enumerate(boxes["boxes"]):
            box.set_facecolor(CYCLE[c % len(CYCLE)])
        ax.set_title(name, fontsize="small")
        ax.set_xticks(range(1, len(classes) + 1), classes, rotation=60, ha="right", fontsize="x-small")
        ax.tick_params(axis="y", labelsize="x-small")
    for ax in panels[len(names):]:
        ax.set_visible(False)
    return _done(figure)


def plot_line(x, curves, xlabel, ylabel, title="", marker="", ax=None):
    """Draw a few curves over the same axis: for everything that has no helper of its own.

    Parameters
    ----------
    x : array_like
    curves : dict or array_like
        Name -> values, or one curve.
    xlabel, ylabel : str
        With their units.
    title, marker : str
    ax : matplotlib.axes.Axes, optional
        Draw here.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if ax is None:
        figure, (ax,) = _subplots(1, 1, size=(7.5, 3.4))
    else:
        figure = ax.figure
    curves = curves if isinstance(curves, dict) else {"": curves}
    for colour, style, (name, values) in zip(CYCLE, ("-", "--", "-.", ":") * 2, curves.items(), strict=False):
        ax.plot(x, values, style, color=colour, marker=marker, linewidth=1.5, label=name)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.set_title(title, fontsize="medium")
    if any(curves):
        ax.legend(fontsize="small")
    return _done(figure)


def _subplots(rows, columns, size, **options):
    from matplotlib import pyplot
    figure, panels = pyplot.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False, **options)
    return figure, list(panels.flat)


def _done(figure):
    """Take the figure out of pyplot's hands: else a notebook would show it twice."""
    from matplotlib import pyplot
    pyplot.close(figure)
    return figure
