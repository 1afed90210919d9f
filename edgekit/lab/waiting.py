"""What it costs to wait for something: milliamp-hours a day, polling against interrupt (lesson 11).

All figures are estimated: currents of the chips from their data sheets, times from the simulated board's waiting. A
development board draws more, day and night: its voltage regulator, its USB chip and its power lamp never sleep.
"""

from dataclasses import dataclass

import numpy as np

from edgekit.board.profiles import PROFILES, Profile
from edgekit.errors import DataError

__all__ = ["DAY_S", "Way", "mah_per_day", "mah_table", "plot_mah", "ways_to_wait"]

DAY_S = 86_400

MOTION_ALL_MA = 3.8
MOTION_ACCEL_MA = 0.5
MOTION_ASLEEP_MA = 0.005
"""MPU6050: six axes; acceleration alone, as it watches for movement; asleep. InvenSense, PS-MPU-6000A rev. 3.4 (2013)."""
SOUND_SWITCH_MA = 4.0
"""A sound switch such as KY-037: its comparator, its microphone and its lamp. Assumed."""
LOOK_MS = 2.0
"""How long the chip is awake to look at a pin once, waking up included. Assumed."""


@dataclass(frozen=True)
class Way:
    """One way to wait.

    Attributes
    ----------
    name : str
        What it is called in tables and plots.
    awake_s : float
        Seconds of a day that the chip is awake, 0 to 86400.
    waiting_ma : float
        Current of the sensors while nothing happens, in mA.
    awake_ma : float
        Current of the sensors while the chip is awake, in mA.
    """

    name: str
    awake_s: float
    waiting_ma: float
    awake_ma: float = MOTION_ALL_MA


def mah_per_day(board: Profile, way: Way) -> float:
    """Charge that a day needs, in milliamp-hours: current times hours, awake and asleep.

    Parameters
    ----------
    board : Profile
        Its ``active_ma`` and ``sleep_ma`` are taken.
    way : Way

    Raises
    ------
    DataError
        The board is to be awake for longer than the day has.

    Examples
    --------
    >>> round(mah_per_day(PROFILES["esp32"], Way("asleep all day", awake_s=0, waiting_ma=0)), 1)
    19.2
    """
    if not 0 <= way.awake_s <= DAY_S:
        raise DataError(f"{way.name}: {way.awake_s:,.0f} s awake in a day; expected 0 to {DAY_S:,}. "
                        "Take fewer events, or a shorter look at each.")
    awake_h, asleep_h = way.awake_s / 3600, (DAY_S - way.awake_s) / 3600
    return awake_h * (board.active_ma + way.awake_ma) + asleep_h * (board.sleep_ma + way.waiting_ma)


def ways_to_wait(events_per_day: float, look_s: float, polls_per_s: float = 20) -> list[Way]:
    """The ways of lesson 11 to wait for a gesture.

    Parameters
    ----------
    events_per_day : float
        How often the board is woken, rightly or not.
    look_s : float
        How long it looks at each event, in s.
    polls_per_s : float
        How often it looks at the button if it must ask.

    Returns
    -------
    list of Way
    """
    looking_s = events_per_day * look_s
    polling_s = DAY_S * polls_per_s * LOOK_MS / 1000
    return [Way("never sleeps", DAY_S, MOTION_ALL_MA),
            Way(f"asks the button {polls_per_s:g} times a second", min(DAY_S, polling_s + looking_s), MOTION_ASLEEP_MA),
            Way("woken by a sound switch", looking_s, MOTION_ASLEEP_MA + SOUND_SWITCH_MA, MOTION_ALL_MA + SOUND_SWITCH_MA),
            Way("woken by a movement", looking_s, MOTION_ACCEL_MA),
            Way("woken by the button", looking_s, MOTION_ASLEEP_MA)]


def mah_table(ways, boards=("esp32", "esp32c3", "nano33ble")):
    """Milliamp-hours a day: a row for each way, a column for each board.

    Parameters
    ----------
    ways : sequence of Way
    boards : sequence of str
        Names of profiles.

    Returns
    -------
    pandas.DataFrame
        Estimated, in mAh.
    """
    import pandas as pd
    columns = {PROFILES[name].title: [mah_per_day(PROFILES[name], way) for way in ways] for name in boards}
    return pd.DataFrame(columns, index=[way.name for way in ways]).rename_axis("mAh a day (estimated)")


def plot_mah(table, battery_mah: float = 2500):
    """Draw a table of :func:`mah_table`: bars on a logarithmic axis, and how many days a battery lasts.

    Parameters
    ----------
    table : pandas.DataFrame
    battery_mah : float
        What the battery holds, in mAh; two AA cells have 2500.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import pyplot

    from edgekit.lab.plot import CYCLE
    figure, ax = pyplot.subplots(figsize=(8.5, 0.9 + 0.8 * len(table)), layout="constrained")
    place = np.arange(len(table))
    height = 0.8 / len(table.columns)
    for i, board in enumerate(table.columns):
        bars = ax.barh(place + (i - (len(table.columns) - 1) / 2) * height, table[board], 0.9 * height, color=CYCLE[i], label=board)
        ax.bar_label(bars, [f"{mah:.3g} mAh, {_time(battery_mah / mah)}" for mah in table[board]], padding=4, fontsize="small")
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.set(xlim=(low / 2, 12 * high), yticks=place, yticklabels=table.index,
           xlabel=f"charge of a day (mAh, estimated); how long {battery_mah:g} mAh last, chip and sensor alone")
    ax.invert_yaxis()
    ax.legend(fontsize="small", loc="lower right")
    pyplot.close(figure)
    return figure


def _time(days):
    if days > 3650:
        return "over 10 years"  # longer than any battery keeps its charge
    return f"{days:.0f} days" if days < 100 else f"{days / 30.4:.0f} months" if days < 730 else f"{days / 365:.0f} years"
