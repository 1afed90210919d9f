"""Pictures of when things happen on a board: samples of a loop (lesson 02), a pin beside a movement (lesson 00)."""

import numpy as np

from edgekit.lab.plot import COLOURS, CYCLE


def plot_timeline(loops: dict, period_ms: float = 10, shown_ms: float = 250, source: str = ""):
    """Draw when each sample was taken, and the steps between them: drift above, jitter below.

    Parameters
    ----------
    loops : dict of str to array_like
        Name -> times of its samples in microseconds, rising.
    period_ms : float
        What the step should be.
    shown_ms : float
        Length of the upper panel.
    source : str
        Where the times come from, for the title.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import pyplot
    figure, (line, step) = pyplot.subplots(2, 1, figsize=(8, 5), layout="constrained")
    for row, (name, times_us) in enumerate(loops.items()):
        time_ms = (np.asarray(times_us) - times_us[0]) / 1000
        line.eventplot(time_ms[time_ms < shown_ms], lineoffsets=-row, linelengths=0.7, linewidths=2, color=CYCLE[row])
        # The first loops on top: a busy one would hide the even ones.
        step.plot(time_ms[1:] / 1000, np.diff(time_ms), linewidth=1.5, color=CYCLE[row], label=name, zorder=9 - row)
    for t in np.arange(0, shown_ms + period_ms, period_ms):
        line.axvline(t, color="0.8", linewidth=0.8, zorder=0)
    line.set(yticks=[-row for row in range(len(loops))], yticklabels=list(loops),
             xlabel=f"time (ms); grey: every {period_ms:g} ms")
    line.set_title("When each sample was taken" + (f" ({source})" if source else ""), fontsize="medium")
    low, high = step.get_ylim()
    step.set(xlabel="time (s)", ylabel="from sample to sample (ms)", ylim=(low, high + 0.3 * (high - low)))
    step.legend(loc="upper right", fontsize="small", ncols=len(loops))
    step.grid(alpha=0.3)
    pyplot.close(figure)
    return figure


def plot_motion_and_pin(recording, on_s: float, off_s: float, moves=(), title: str = ""):
    """Draw a movement, and below it a pin that goes on and off.

    Parameters
    ----------
    recording : Recording
        Its accelerations are drawn.
    on_s, off_s : float
        When the pin changed, in seconds after the recording began.
    moves : sequence of (start_s, stop_s, label)
        Parts to shade: when the hand moved.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import pyplot
    figure, (motion, lamp) = pyplot.subplots(2, 1, figsize=(8, 4), sharex=True, height_ratios=(3, 1),
                                             layout="constrained")
    values = recording.physical()
    for i, unit in enumerate(recording.units):
        if unit == "g":
            motion.plot(recording.time_s, values[:, i], color=CYCLE[i], label=recording.channels[i])
    for start_s, stop_s, _ in moves:
        motion.axvspan(start_s, stop_s, color="0.9", label="hand moves")
    motion.set(ylabel="acceleration (g)", title=title)
    motion.legend(loc="lower right", ncols=2, fontsize="small")
    lamp.step([0, on_s, off_s, recording.duration_s], [0, 1, 0, 0], where="post", color=COLOURS["vermillion"])
    lamp.set(xlim=(0, recording.duration_s), xlabel="time (s)", ylabel="pin", yticks=(0, 1), yticklabels=("off", "on"))
    pyplot.close(figure)
    return figure


def plot_decisions(time_s, scores, ways: dict, moves=(), threshold: float = 0.7, title: str = ""):
    """Draw what a model says window by window, and below it when each way to decide would act.

    Parameters
    ----------
    time_s : array_like
        End of each window, in seconds, shape [windows].
    scores : array_like
        Score of the strongest gesture in each window, 0 to 1, shape [windows].
    ways : dict of str to sequence of (time_s, label)
        Name of a way -> its actions.
    moves : sequence of (start_s, stop_s, label)
        When a gesture was made.
    threshold : float
        Drawn as a line.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import pyplot
    figure, (top, rows) = pyplot.subplots(2, 1, figsize=(9, 2.6 + 0.5 * len(ways)), sharex=True, layout="constrained",
                                          height_ratios=(2, 0.5 * len(ways)))
    for ax in (top, rows):
        for start_s, stop_s, _ in moves:
            ax.axvspan(start_s, stop_s, color="0.9", zorder=0)
    for start_s, stop_s, label in moves:
        top.text((start_s + stop_s) / 2, 1.08, label, ha="center", fontsize="small")
    top.plot(time_s, scores, ".-", color=COLOURS["blue"], linewidth=0.8)
    top.axhline(threshold, color="black", linestyle="--", linewidth=1)
    top.set(ylabel="strongest gesture's\nscore", ylim=(-0.05, 1.25))
    top.set_title(title, fontsize="medium")
    truth = list(moves)
    for row, events in enumerate(ways.values()):
        for event_s, label in events:
            right = any(start_s <= event_s <= stop_s + 1.3 and label == what for start_s, stop_s, what in truth)
            rows.plot(event_s, -row, "o" if right else "x", color=COLOURS["green" if right else "vermillion"], markersize=6)
    rows.set(yticks=[-row for row in range(len(ways))], yticklabels=[f"{name}: {len(events)}" for name, events in ways.items()],
             ylim=(-len(ways) + 0.4, 0.6), xlabel="time (s); circle: the right gesture, cross: another one or none")
    pyplot.close(figure)
    return figure


def servo_history(pwm_history) -> list[tuple[float, float]]:
    """Angles of a servo over time, from its pulses: 0.5 ms are 0 degrees, 2.5 ms are 180.

    Parameters
    ----------
    pwm_history : sequence of (time_s, freq_hz, duty)
        As ``world.pwm_history(pin)`` gives it. Times without pulses are left out: nothing turns the servo then.

    Returns
    -------
    list of (time_s, angle_deg)

    Examples
    --------
    >>> servo_history([(0.0, 50, 0.0), (1.0, 50, 0.075), (2.0, 50, 0.125)])
    [(1.0, 90.0), (2.0, 180.0)]
    """
    return [(time_s, round((1e6 * duty / freq_hz - 500) / 2000 * 180, 1)) for time_s, freq_hz, duty in pwm_history
            if freq_hz and 0 < duty < 1]


def plot_pins(rows: dict, stop_s: float, start_s: float = 0.0, recording=None, moves=(), title: str = "",
              unit: str = "s"):
    """Draw what pins do over time, below each other; above them a movement.

    Parameters
    ----------
    rows : dict of str to sequence of (time_s, value)
        Name -> every change of it, as ``world.pin_history`` gives it. A name with a unit, such as "servo (degrees)",
        is drawn with its values; every other one is off or on.
    stop_s : float
        How long the picture is, in seconds.
    start_s : float
        What becomes 0 on the axis, on the clock of ``rows``.
    recording : Recording, optional
        Began at ``start_s``; its accelerations are drawn.
    moves : sequence of (start_s, stop_s, label)
        Parts to shade, on the clock of the picture.
    title : str
    unit : str
        Of all times, for the axis: "s", or "ms" if the times given are milliseconds.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import pyplot
    motion = 0 if recording is None else 1
    figure, panels = pyplot.subplots(motion + len(rows), 1, figsize=(9, 0.9 + 1.5 * motion + 0.75 * len(rows)), sharex=True,
                                     squeeze=False, height_ratios=[2.2] * motion + [1] * len(rows), layout="constrained")
    panels = panels[:, 0]
    for ax in panels:
        for first_s, last_s, _ in moves:
            ax.axvspan(first_s, last_s, color="0.9", zorder=0)
    if motion:
        values = recording.physical()
        for i, channel_unit in enumerate(recording.units):
            if channel_unit == "g":
                panels[0].plot(recording.time_s, values[:, i], color=CYCLE[i], linewidth=0.7, label=recording.channels[i])
        panels[0].set(ylabel="g")
        panels[0].legend(loc="upper right", ncols=3, fontsize="x-small")
        for first_s, last_s, label in moves:
            panels[0].text((first_s + last_s) / 2, panels[0].get_ylim()[1], label, ha="center", va="bottom", fontsize="small")
    for (name, history), ax in zip(rows.items(), panels[motion:], strict=True):
        before = [value for time_s, value in history if time_s <= start_s]
        inside = [(time_s - start_s, value) for time_s, value in history if start_s < time_s <= start_s + stop_s]
        first = before[-1] if before else 0
        times = [0.0, *(time_s for time_s, _ in inside), stop_s]
        levels = [first, *(value for _, value in inside)]
        ax.step(times, [*levels, levels[-1]], where="post", color=COLOURS["vermillion"], linewidth=1.3)
        if "(" in name:
            ax.set(ylim=(-15, 195), yticks=(0, 90, 180))
        else:
            ax.set(ylim=(-0.2, 1.2), yticks=(0, 1))
        ax.set_ylabel(name, rotation=0, ha="right", va="center")
    panels[-1].set(xlim=(0, stop_s), xlabel=f"time ({unit})")
    figure.suptitle(title, fontsize="medium")
    pyplot.close(figure)
    return figure
