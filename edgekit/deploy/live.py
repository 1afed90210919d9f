"""Let the board recognise as it happens, and score what it said."""

import json
from dataclasses import dataclass

from edgekit.errors import DataError
from edgekit.twin import board_module

__all__ = ["Event", "recognise_live", "LiveScore", "score_events"]

_LEAD_S = 1.0  # the app starts, and fills its first window with rest, before a recording plays


@dataclass(frozen=True)
class Event:
    """Something that the board recognised.

    Attributes
    ----------
    time_s : float
        Seconds after the recording began (after the app began, if nothing was played).
    label : str
    score : float
        Mean score, 0 to 1.
    """

    time_s: float
    label: str
    score: float


def recognise_live(board, recording=None, seconds: float | None = None, name: str = "gesture", progress: bool = True,
                   on_event=None, **settings) -> list[Event]:
    """Let the board recognise gestures as they happen.

    Parameters
    ----------
    board : edgekit.board.Board
        With a bundle on it, see :meth:`Bundle.deploy`.
    recording : Recording, optional
        What the simulated board's sensor feels. A real board feels what you do.
    seconds : float, optional
        How long; default: as long as the recording.
    name : str
        Name of the bundle.
    progress : bool
        Show a progress bar.
    on_event : callable, optional
        Gets each :class:`Event` at once.
    **settings
        For ``main`` of ``firmware/apps/gesture.py``: ``threshold``, ``smooth``, ``quiet_ms``, ``stride`` ...

    Returns
    -------
    list of Event
        Ctrl-C ends it early; what came so far is returned.

    Raises
    ------
    DataError
        Neither a recording nor seconds are given, or a recording for a real board.
    """
    from tqdm.auto import tqdm

    frames = board_module("frames")
    if recording is None and seconds is None:
        raise DataError("Say how long: recognise_live(board, seconds=30), or give a recording to play.")
    if recording is not None and not hasattr(board, "world"):
        raise DataError("A recording can be played to a simulated board only. Leave it out and move the board.")
    seconds = recording.duration_s if seconds is None else seconds
    params = json.loads(board.get(f"/models/{name}/bundle.json"))["params"]
    stride = settings.get("stride") or params["stride"]
    length_s = seconds + (_LEAD_S if recording is not None else 0)
    # One window more than fits: the last gesture is seen to its end.
    windows = int(length_s * params["rate_hz"]) // stride - -(-params["window"] // stride) + 2
    start_s = None
    if recording is not None:
        start_s = board.world.time_s + _LEAD_S
        board.world.play(recording, at_s=start_s)
    events = []
    stream = board.stream("gesture", name=name, max_windows=max(1, windows), every_window=True, **settings)
    with tqdm(total=windows, unit=" windows", disable=not progress, leave=False) as bar:
        try:
            for frame in stream:
                if frame.type == frames.HEADER and start_s is None:
                    start_s = json.loads(frame.payload)["time_ms"] / 1000
                elif frame.type == frames.RESULT:
                    bar.update()
                elif frame.type == frames.EVENT:
                    about = json.loads(frame.payload)
                    event = Event(round(about["time_ms"] / 1000 - start_s, 3), about["label"], max(about["scores"]))
                    events.append(event)
                    if on_event:
                        on_event(event)
        except KeyboardInterrupt:
            stream.close()
    return events


@dataclass(frozen=True)
class LiveScore:
    """How a live run went: ``right``, ``wrong`` (another class), ``missed`` (no event), ``extra`` (no gesture)."""

    right: int
    wrong: int
    missed: int
    extra: int

    @property
    def gestures(self) -> int:
        """How many were made."""
        return self.right + self.wrong + self.missed

    def __str__(self):
        return (f"{self.right} of {self.gestures} gestures right, {self.wrong} wrong, {self.missed} missed, "
                f"{self.extra} extra")


def score_events(events, truth, late_s: float = 1.3) -> LiveScore:
    """Compare what was recognised with what was done.

    Parameters
    ----------
    events : list of Event
    truth : list of (start_s, stop_s, label)
        As :func:`edgekit.signals.gestures.live` gives it.
    late_s : float
        An event up to this long after a gesture's end still belongs to it: a window is that long.

    Returns
    -------
    LiveScore
        The first event of a gesture counts as right or wrong; further ones are extra.

    Examples
    --------
    >>> print(score_events([Event(1.9, "wave", 0.9), Event(9.0, "punch", 0.8)], [(1.0, 3.0, "wave"), (5.0, 7.0, "punch")]))
    1 of 2 gestures right, 0 wrong, 1 missed, 1 extra
    """
    right = wrong = missed = 0
    left = sorted(events, key=lambda event: event.time_s)
    for start_s, stop_s, label in truth:
        own = next((event for event in left if start_s <= event.time_s <= stop_s + late_s), None)
        if own is None:
            missed += 1
            continue
        left.remove(own)
        right += own.label == label
        wrong += own.label != label
    return LiveScore(right, wrong, missed, len(left))
