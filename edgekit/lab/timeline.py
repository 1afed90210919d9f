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
