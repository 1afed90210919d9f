"""What lesson 13 shows of falls: blows, the price of a threshold, what was missed; its energy."""

import numpy as np

from edgekit.lab.plot import COLOURS, CYCLE
from edgekit.lab.waiting import DAY_S, MOTION_ACCEL_MA, MOTION_ALL_MA, Way

__all__ = ["falls_table", "fall_ways", "play_events", "plot_blows", "plot_trade"]

BLOCK_MS = 25.0
"""How long the chip is awake for one second of movement: 50 samples of 8 bytes at 400 kHz are 10 ms, looking at them the rest.
Assumed."""
EVENT_MS = 150.0
"""How long it needs to describe and judge one event. Assumed."""


def plot_blows(recordings: dict, limit_g: float = 3.0, top_g: float = 8.0):
    """Draw the magnitude of acceleration of some recordings, one below the other, with a limit.

    Parameters
    ----------
    recordings : dict of str to Recording
        Title -> recording with the channels ax, ay, az.
    limit_g : float
    top_g : float
        Where the axis ends; what goes beyond is written beside.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import pyplot
    figure, panels = pyplot.subplots(len(recordings), 1, figsize=(9, 0.6 + 1.35 * len(recordings)), sharex=True, sharey=True,
                                     squeeze=False, layout="constrained")
    for ax, (title, recording) in zip(panels.flat, recordings.items(), strict=True):
        magnitude_g = np.linalg.norm(recording.physical()[:, :3], axis=1)
        ax.plot(recording.time_s, magnitude_g, color=COLOURS["blue"], linewidth=1.1)
        ax.axhline(limit_g, color="black", linestyle="--", linewidth=1)
        ax.axhline(1, color="0.8", linewidth=1, zorder=0)
        ax.text(0.01, 0.86, title, transform=ax.transAxes, va="top", fontsize="medium")
        ax.set(ylabel="acceleration\n(g)")
        if magnitude_g.max() > top_g:
            ax.text(recording.time_s[magnitude_g.argmax()] + 0.1, 0.8 * top_g, f"up to {magnitude_g.max():.0f} g", fontsize="small")
    panels.flat[-1].set(xlabel=f"time (s); dashed: {limit_g:g} g, grey: 1 g, as at rest", xlim=(0, recording.duration_s),
                        ylim=(0, top_g))
    pyplot.close(figure)
    return figure


def plot_trade(curve, outcomes: dict):
    """Draw what a threshold trades: falls found against false alarms a day.

    Parameters
    ----------
    curve : sequence of Outcome
        The network at rising thresholds.
    outcomes : dict of str to Outcome
        Name of a way -> how it does; drawn with its intervals.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import pyplot

    from edgekit.recipes.falls import poisson_interval
    from edgekit.train import accuracy_interval
    figure, ax = pyplot.subplots(figsize=(8, 4.2), layout="constrained")
    shown = [one for one in curve if one.alarms]
    ax.plot([one.alarms_per_day for one in shown], [100 * one.recall for one in shown], color=COLOURS["blue"], linewidth=1.2,
            label="network, all thresholds")
    for i, (name, one) in enumerate(outcomes.items()):
        low, high = poisson_interval(one.alarms, one.days)
        least, most = accuracy_interval(one.found, one.falls)
        x, y = one.alarms_per_day, 100 * one.recall
        ax.errorbar(x, y, xerr=[[x - low], [high - x]], yerr=[[y - 100 * least], [100 * most - y]], fmt="os^D"[i % 4], markersize=7,
                    color=CYCLE[(i + 1) % len(CYCLE)], capsize=3, label=name)
    ax.axvline(1, color="black", linestyle="--", linewidth=1)
    ax.axhline(95, color="black", linestyle="--", linewidth=1)
    ax.set(xscale="log", xlabel="false alarms a day (dashed: one); bars: 95 % intervals", ylabel="falls found (%)", ylim=(60, 101))
    ax.legend(fontsize="small", loc="lower right")
    pyplot.close(figure)
    return figure


def falls_table(outcome, falls_of_a_kind: int):
    """What was found, by kind of fall.

    Parameters
    ----------
    outcome : Outcome
    falls_of_a_kind : int
        How many of each kind there were.

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    from edgekit.signals.falls import FALLS
    from edgekit.train import accuracy_interval
    rows = {}
    for kind in FALLS:
        found = falls_of_a_kind - outcome.missed_kinds.get(kind, 0)
        low, high = accuracy_interval(found, falls_of_a_kind)
        rows[kind] = (f"{found} of {falls_of_a_kind}", f"{found / falls_of_a_kind:.0%}", f"{low:.0%} to {high:.0%}")
    return pd.DataFrame.from_dict(rows, orient="index", columns=["found", "share", "95 % interval"])


def fall_ways(moving_s: float, events_per_day: float) -> list[Way]:
    """Three ways to watch for falls, for :func:`edgekit.lab.waiting.mah_table`.

    Parameters
    ----------
    moving_s : float
        Seconds of a day in which something moves the sensor.
    events_per_day : float
        What strikes hard, in a day.

    Returns
    -------
    list of Way
        Estimated: the board is awake `BLOCK_MS` for a second of samples and `EVENT_MS` for an event.

    Examples
    --------
    >>> [way.name for way in fall_ways(2700, 80)]
    ['never sleeps, six axes', 'looks once a second, six axes', 'looks once a second, no gyroscope', 'woken by a movement']
    """
    judging_s = events_per_day * EVENT_MS / 1000
    looking_s = DAY_S * BLOCK_MS / 1000 + judging_s
    return [Way("never sleeps, six axes", DAY_S, MOTION_ALL_MA),
            Way("looks once a second, six axes", looking_s, MOTION_ALL_MA),
            Way("looks once a second, no gyroscope", looking_s, MOTION_ACCEL_MA, MOTION_ACCEL_MA),
            Way("woken by a movement", moving_s * BLOCK_MS / 1000 + judging_s, MOTION_ACCEL_MA, MOTION_ACCEL_MA)]


def play_events(board, recordings, gap_s: float = 40.0, first_s: float = 4.0):
    """Let a simulated board feel recordings, one after the other, and lie still between.

    Parameters
    ----------
    board : SimulatedBoard
    recordings : sequence of Recording
        With the same channels and rate.
    gap_s, first_s : float
        Still time after each, and before the first, in s.

    Returns
    -------
    recording : Recording
        All of it.
    begins_s : list of float
        When each begins, on the world's clock.
    """
    start_s = board.world.time_s + first_s
    samples, begins_s, at_s = [], [], start_s
    for recording in recordings:
        rest = np.repeat(recording.samples[-1:], round(gap_s * recording.rate_hz), axis=0)
        samples += [recording.samples, rest]
        begins_s.append(at_s)
        at_s += recording.duration_s + gap_s
    whole = recordings[0].with_(samples=np.concatenate(samples), label="")
    board.world.stop()
    board.world.set(accel_g=tuple(float(value) for value in whole.physical()[0, :3]))
    board.world.play(whole, at_s=start_s)
    return whole, begins_s
