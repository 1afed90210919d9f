"""What lesson 13 shows of a pulse: light and beats, spectra, what a device said, and when it was silent; its energy."""

import numpy as np

from edgekit.lab.plot import COLOURS, CYCLE
from edgekit.lab.waiting import DAY_S, MOTION_ALL_MA, MOTION_ASLEEP_MA, Way

__all__ = ["PULSE_SENSOR_MA", "a_look", "bpm_spectrum", "days", "duty_cycle", "plot_agreement", "plot_light", "plot_rates", "plot_reasons",
           "plot_spectra", "plot_two_ways", "put_finger"]

PULSE_SENSOR_MA = 1.4
"""MAX30102 at 100 samples a second: 0.6 mA for the chip (Maxim 19-7740, typical) and 0.8 mA for two LEDs of 10 mA that shine
for 411 us of every 10 ms. In shutdown it needs less than 0.001 mA."""

_NAMES = {"rest": "at rest", "recover": "after sport", "walk": "walking", "run": "running", "hands": "busy hands",
          "cold": "cold finger", "off": "no finger", "irregular": "no rhythm"}


def put_finger(board, session=None, at_s=None):
    """Put a virtual finger on the simulated board: a MAX30102 on the motion sensor's bus, and what it sees.

    Parameters
    ----------
    board : SimulatedBoard
    session : Session, optional
        Plays from now on, or from `at_s` on the world's clock. None: the finger goes away.
    at_s : float, optional
    """
    from edgekit.signals.heart import light
    from edgekit.simulator.chips.max30102 import MAX30102
    world = board.world
    if not getattr(board, "has_pulse_sensor", False):
        for bus in (0, 1):                  # whichever the board's table uses
            world.attach(MAX30102(world.sense), bus)
        board.has_pulse_sensor = True
    if session is None:
        world.stop()
    else:
        world.play(light(session.recording), at_s=world.time_s if at_s is None else at_s)


def days(board, hours: float, brown_out_s: float | None = None, every_s: int = 600, again_s: int = 60, event_s: int = 1500,
         event_every_s: int = 36_000, first_event_s: int = 7200, looks_at_once: int = 24):
    """Let the app live on a simulated board for hours or days of its virtual clock: rest, walks, busy hands, no finger; and
    now and then a fast heart, which must raise the alarm.

    Parameters
    ----------
    board : SimulatedBoard
        With a virtual clock; its log is begun anew.
    hours : float
    brown_out_s : float, optional
        When the supply breaks down for a moment; the app is started again, as ``main.py`` would.
    every_s, again_s : int
        As of the app.
    event_s, event_every_s, first_event_s : int
        How long a fast heart lasts, from the start of one to the next, and when the first begins, in s.
    looks_at_once : int
        The simulated board frees memory only between two calls.

    Returns
    -------
    dict
        ``looks``, ``spoken``, ``wrong`` (spoken and more than 6 beats per minute off), ``events``, ``missed`` (no alarm within
        the event), ``false`` (looks with an alarm outside all events and more than one pause after one), ``runs`` (starts of
        the app), ``heap`` (bytes in use after each call), ``lines``.
    """
    from edgekit.errors import BoardRestartedError
    from edgekit.signals.heart import COUNTS, make_session
    board.install("heart")
    board.exec("import os\nif 'heart.log' in os.listdir('/'):\n os.remove('/heart.log')")
    calm = [make_session(condition, person, duration_s=30) for person in ("p301", "p306", "p312")
            for condition in ("rest", "rest", "rest", "walk", "hands", "off")]
    fast = [one for one in (make_session("recover", f"p{number}", duration_s=30) for number in range(301, 325))
            if one.rate_bpm(0, 20) > 130][:4]
    world, factor = board.world, 255 / 50 / COUNTS      # the app's LEDs shine with 10 mA of 51
    put_finger(board)
    plays = [(one, (one.recording.physical()[:, :2] * factor).tolist(), one.recording.physical()[:, 2:].tolist())
             for one in calm + fast]
    begin_s = world.time_s
    broken = [brown_out_s is None]

    def event_of(time_s):
        since_s = time_s - begin_s - first_event_s
        return int(since_s // event_every_s) if since_s >= 0 and since_s % event_every_s < event_s else None

    def now(time_s):
        minute = int((time_s - begin_s) // 60)
        event = event_of(begin_s + 60 * minute)
        number = len(calm) + event % len(fast) if event is not None else minute * 7919 % 104_729 % len(calm)
        return plays[number], int(100 * ((time_s - begin_s) % 60 + 5)) % 3000

    def light_at(time_s):
        if not broken[0] and time_s >= begin_s + brown_out_s:
            broken[0] = True
            world.fault("brown-out")
        (_, rows, _), i = now(time_s)
        return rows[i]

    def accel_at(time_s):
        (_, _, rows), i = now(time_s)
        return rows[i]

    world.stop()
    world.set(ppg=light_at, accel_g=accel_at)
    start = "import gc\nfrom apps.heart import Monitor, watch\nmonitor = Monitor()"
    board.exec(start)
    runs, lines, heap, more = 1, [], [], True
    ends = []
    while more:
        try:
            # The pause after the last look of a call is slept here.
            said = board.exec(f"watch(monitor, {every_s}, {again_s}, {looks_at_once})\n"
                              f"import machine\nmachine.lightsleep(1000 * ({again_s} if monitor.outside else {every_s}) - 16500)",
                              timeout_s=None)
            heap.append(board.eval("(gc.collect(), gc.mem_alloc())[1]"))
        except BoardRestartedError as error:
            said = error.output
            runs += 1
            ends.append(world.time_s)
            board.exec(start)
        lines += said.splitlines()
        more = world.time_s - begin_s < 3600 * hours
    return {"runs": runs, "heap": heap, "lines": lines, "hours": (world.time_s - begin_s) / 3600,
            **_judge(lines, [begin_s, *ends], event_of, now, every_s)}


def _judge(lines, starts_s, event_of, now, every_s):
    looks = spoken = wrong = false = 0
    met, heard = set(), set()
    last_event_s = -1e9
    for line in lines:
        if " s " not in line:
            continue
        run, second = int(line.split()[0]), int(line.split()[1])
        at_s = starts_s[run - 1] + second
        looks += 1
        event = event_of(at_s)
        if event is not None:
            met.add(event)
            last_event_s = at_s
            if line.endswith("ALARM"):
                heard.add(event)
        elif line.endswith("ALARM") and at_s > last_event_s + every_s + 60:
            false += 1
        if "beats per minute" in line:
            spoken += 1
            (session, *_), i = now(at_s + 1)
            wrong += int(abs(int(line.split(" s ")[1].split()[0]) - session.rate_bpm(max(0, i / 100 - 1), i / 100 + 15)) > 6)
    return {"looks": looks, "spoken": spoken, "wrong": wrong, "events": len(met), "missed": len(met - heard), "false": false}


def plot_light(sessions, start_s: float = 4.0, stop_s: float = 12.0):
    """Draw the infrared light of some sessions, one below the other, with the true beats.

    Parameters
    ----------
    sessions : dict of str to Session
        Title -> session.
    start_s, stop_s : float
        Part to draw, in s.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import pyplot
    figure, panels = pyplot.subplots(len(sessions), 1, figsize=(9, 0.6 + 1.9 * len(sessions)), sharex=True, squeeze=False,
                                     layout="constrained")
    for ax, (title, session) in zip(panels.flat, sessions.items(), strict=True):
        recording = session.recording
        shown = (recording.time_s >= start_s) & (recording.time_s <= stop_s)
        ir = recording.physical()[shown, recording.channels.index("ir")] / 1000
        ax.plot(recording.time_s[shown], ir, color=COLOURS["blue"], linewidth=1.2)
        beats = session.beats_s[(session.beats_s >= start_s) & (session.beats_s <= stop_s)]
        ax.plot(beats, np.full(len(beats), ir.max()), "|", color=COLOURS["vermillion"], markersize=12, markeredgewidth=2,
                label="heart beats (truth)")
        ax.set(ylabel="infrared light\n(1000 counts)")
        ax.set_title(title, fontsize="medium")
    panels.flat[0].legend(fontsize="small", loc="lower right", bbox_to_anchor=(1, 1), frameon=False)
    panels.flat[-1].set(xlabel="time (s)")
    pyplot.close(figure)
    return figure


def bpm_spectrum(values, rate_hz: float = 100.0):
    """Spectrum of one signal between 40 and 240 per minute, its largest value 1.

    Parameters
    ----------
    values : array_like, shape [n]

    Returns
    -------
    per_minute, size : numpy.ndarray
    """
    values = np.asarray(values, np.float64)
    time = np.arange(len(values)) - (len(values) - 1) / 2
    flat = values - values.mean() - time * (time * values).sum() / (time * time).sum()
    size = np.abs(np.fft.rfft(flat * np.hanning(len(flat)), 8 * len(flat)))
    per_minute = 60 * np.fft.rfftfreq(8 * len(flat), 1 / rate_hz)
    inside = (per_minute >= 40) & (per_minute <= 240)
    return per_minute[inside], size[inside] / max(size[inside].max(), 1e-12)


def plot_spectra(session, start_s: float, stop_s: float, title: str = ""):
    """Draw the spectra of light and of acceleration, one below the other, with the true rate.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import pyplot
    recording = session.recording
    part = slice(round(start_s * 100), round(stop_s * 100))
    values = recording.physical()[part]
    first = recording.channels.index("ax")
    force = np.sqrt((values[:, first:first + 3] ** 2).sum(axis=1))
    figure, (top, below) = pyplot.subplots(2, 1, figsize=(8.5, 4.2), sharex=True, layout="constrained")
    for ax, signal, name, colour in ((top, values[:, recording.channels.index("ir")], "light", "blue"),
                                     (below, force, "acceleration", "orange")):
        ax.plot(*bpm_spectrum(signal), color=COLOURS[colour], linewidth=1.5)
        ax.set(ylabel=f"{name}\n(its largest = 1)", ylim=(0, 1.1))
        ax.axvline(session.rate_bpm(start_s, stop_s), color=COLOURS["vermillion"], linestyle="--", linewidth=1.5,
                   label="true heart rate")
        ax.grid(alpha=0.3)
    top.legend(fontsize="small", loc="upper right")
    top.set_title(title, fontsize="medium")
    below.set(xlabel="times per minute")
    pyplot.close(figure)
    return figure


def plot_two_ways(follower, title: str = ""):
    """Draw both ways of a `pulse.Pulse` that has just given a result: its beats, and how like itself the window is.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import pyplot
    wave = np.array(follower.wave)
    beats = np.array(follower.beats[:follower.measures[7]]) / 64
    time_s = np.arange(len(wave)) / 25
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 3.2), width_ratios=(3, 2), layout="constrained")
    left.plot(time_s, wave, color=COLOURS["blue"], linewidth=1.2)
    left.plot(beats / 25, np.interp(beats, np.arange(len(wave)), wave), "v", color=COLOURS["vermillion"], label="steepest rise")
    left.set(xlabel="time in the window (s)", ylabel="rise of the blood (shifted to ±511)")
    left.set_title(f"1: {len(beats)} beats, {follower.measures[3] / 10:.1f} per minute", fontsize="medium")
    left.legend(fontsize="small", loc="lower right")
    shifts = np.arange(6, 39)
    right.plot(shifts / 25, np.array(follower._alike)[6:39] / 1000, ".-", color=COLOURS["green"])
    if follower.measures[4]:
        right.axvline(600 / follower.measures[4], color=COLOURS["vermillion"], linestyle="--", label="first high top")
        right.legend(fontsize="small", loc="lower right")
    right.set(xlabel="shift (s)", ylabel="likeness (1: the same)")
    right.set_title(f"2: the window shifted over itself, {follower.measures[4] / 10:.1f} per minute", fontsize="medium")
    figure.suptitle(title, fontsize="medium")
    pyplot.close(figure)
    return figure


def plot_rates(table, ways=("fft_bpm",), names=("largest FFT peak",), title: str = ""):
    """Draw the truth of one session over time, what ways to compute say, and what the device says.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of one session, from :func:`edgekit.recipes.heart.windows`.
    ways, names : sequence of str
        Columns, and what they are called.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import pyplot
    figure, ax = pyplot.subplots(figsize=(8.5, 3.2), layout="constrained")
    ax.plot(table.time_s, table.truth_bpm, color=COLOURS["black"], linewidth=2, label="truth")
    for way, name, colour in zip(ways, names, CYCLE[1:], strict=False):
        ax.plot(table.time_s, table[way], "x:", color=colour, label=name)
    said = table[table.reason == 0]
    ax.plot(said.time_s, said.rate_bpm, "o", color=COLOURS["blue"], markersize=8, fillstyle="none", markeredgewidth=2,
            label=f"the device speaks ({len(said)} of {len(table)})")
    ax.set(xlabel="time (s)", ylabel="heart rate (per minute)", ylim=(30, 210))
    ax.set_title(title, fontsize="medium")
    ax.legend(fontsize="small", ncols=2)
    ax.grid(alpha=0.3)
    pyplot.close(figure)
    return figure


def plot_agreement(tables, title: str = "", limit_bpm: float = 6.0):
    """Draw errors against the truth, one panel for each table: where a device speaks (Bland and Altman, Lancet 327, 1986,
    with the truth on the horizontal axis in place of the mean).

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        Title -> windows; only those in which the device speaks are drawn.
    title : str
    limit_bpm : float
        Drawn as two lines.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import pyplot
    figure, panels = pyplot.subplots(1, len(tables), figsize=(5 * len(tables), 3.6), sharey=True, sharex=True, squeeze=False,
                                     layout="constrained")
    for ax, (name, table) in zip(panels.flat, tables.items(), strict=True):
        said = table[table.reason == 0]
        for i, (condition, title_of) in enumerate(_NAMES.items()):
            part = said[said.condition == condition]
            if len(part):
                ax.plot(part.truth_bpm, part.rate_bpm - part.truth_bpm, "oDs^vPX*"[i], color=CYCLE[i % len(CYCLE)],
                        markersize=4, alpha=0.8, label=title_of)
        for limit in (-limit_bpm, limit_bpm):
            ax.axhline(limit, color="0.5", linestyle="--", linewidth=1)
        ax.set(xlabel="true heart rate (per minute)")
        error = (said.rate_bpm - said.truth_bpm).abs().mean()
        ax.set_title(f"{name}: speaks in {len(said)} of {len(table)},\nmean error {error:.1f} per minute", fontsize="medium")
        ax.grid(alpha=0.3)
        ax.legend(fontsize="small", loc="lower left")
    panels.flat[0].set(ylabel="said - true (per minute)")
    figure.suptitle(title, fontsize="medium")
    pyplot.close(figure)
    return figure


def plot_reasons(table, reasons, title: str = ""):
    """Draw for each condition in which part of its windows the device speaks, and why not in the others.

    Parameters
    ----------
    table : pandas.DataFrame
    reasons : sequence of str
        Names of the numbers in the column ``reason``; the first one is "ok".
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import pyplot
    conditions = list(dict.fromkeys(table.condition))
    figure, ax = pyplot.subplots(figsize=(9, 0.9 + 0.45 * len(conditions)), layout="constrained")
    left = np.zeros(len(conditions))
    colours = [COLOURS[name] for name in ("blue", "black", "yellow", "purple", "orange", "vermillion", "sky")]
    for number, reason in enumerate(reasons):
        part = np.array([100 * (table[table.condition == condition].reason == number).mean() for condition in conditions])
        if part.any():
            ax.barh(range(len(conditions)), part, left=left, color=colours[number % len(colours)], edgecolor="white",
                    label="speaks" if number == 0 else reason)
            left += part
    ax.set(yticks=range(len(conditions)), yticklabels=[_NAMES.get(condition, condition) for condition in conditions],
           xlabel="part of the windows (%)", xlim=(0, 100))
    ax.invert_yaxis()
    ax.set_title(title, fontsize="medium")
    ax.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    pyplot.close(figure)
    return figure


def a_look(printed: str):
    """The lines that the app ``heart`` printed, without the number of the run and the second.

    Examples
    --------
    >>> a_look("1       0 s   72 beats per minute")
    ['72 beats per minute']
    """
    return [line.split(" s ", 1)[1].strip() for line in printed.splitlines() if " s " in line]


def duty_cycle(every_s: float, look_s: float = 16.1, name: str = "") -> Way:
    """A day of looks, for :func:`edgekit.lab.waiting.mah_per_day`: chip, motion sensor and pulse sensor.

    Parameters
    ----------
    every_s : float
        From one look to the next, in s.
    look_s : float
        How long one look takes, in s.
    name : str

    Examples
    --------
    >>> from edgekit.board.profiles import PROFILES
    >>> from edgekit.lab.waiting import mah_per_day
    >>> mah_per_day(PROFILES["nano33ble"], duty_cycle(600)) < mah_per_day(PROFILES["nano33ble"], duty_cycle(60))
    True
    """
    awake_s = DAY_S * min(1.0, look_s / every_s) if every_s else DAY_S
    return Way(name or f"{look_s:g} s every {every_s:g} s", awake_s, MOTION_ASLEEP_MA + 0.001, MOTION_ALL_MA + PULSE_SENSOR_MA)
