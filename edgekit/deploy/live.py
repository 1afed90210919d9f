"""Let the board recognise as it happens, and score what it said."""

import json
from dataclasses import dataclass

import numpy as np

from edgekit.errors import BoardError, DataError
from edgekit.twin import board_module

__all__ = ["Event", "recognise_live", "listen_live", "LiveScore", "score_events"]

_SOUND_PATH = "/sound.bin"
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
    _check_source(board, recording, seconds, "recognise_live", "move the board")
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
    return _events(board, "gesture", start_s, windows, progress, on_event, name=name, **settings)


def listen_live(board, recording=None, seconds: float | None = None, name: str = "keyword", as_file: bool = False,
                progress: bool = True, on_event=None, on_look=None, **settings) -> list[Event]:
    """Let the board spot words in what its microphone hears.

    Parameters
    ----------
    board : edgekit.board.Board
        With a bundle on it, see :meth:`Bundle.deploy`.
    recording : Recording, optional
        What the simulated board's I2S microphone hears, one channel. A real board hears the room.
    seconds : float, optional
        How long; default: as long as the recording, and a window more, in which its end is seen.
    name : str
        Name of the bundle.
    as_file : bool
        Give the board the recording's samples (int16, at the model's rate) as a file: on a real board too. The
        microphone is not used, and the answers are those of :func:`edgekit.spotting.spot` to the bit.
    progress : bool
        Show a progress bar.
    on_event : callable, optional
        Gets each :class:`Event` at once.
    on_look : callable, optional
        Gets ``(time_s, scores)`` each time that the model has looked; the scores are int8, as the model stores them.
    **settings
        For ``main`` of ``firmware/apps/keyword.py``: ``threshold``, ``hops``, ``smooth``, ``quiet_ms`` ...

    Returns
    -------
    list of Event
        Ctrl-C ends it early; what came so far is returned.

    Raises
    ------
    DataError
        Neither a recording nor seconds are given, or a recording to be played for a real board.
    """
    if not as_file:
        _check_source(board, recording, seconds, "listen_live", "speak; or send its samples with as_file=True")
    params = json.loads(board.get(f"/models/{name}/bundle.json"))["params"]
    hop_s = params["hop"] / params["rate_hz"]
    first = params["frames"] - 1 + -(-params["window"] // params["hop"])  # hops until the first look
    hops = settings.get("hops", 5)
    if as_file:
        sound = np.asarray(recording.samples[:, 0])
        if sound.dtype != np.int16 or recording.rate_hz != params["rate_hz"]:
            raise DataError(f"The model hears int16 sound at {params['rate_hz']} Hz; found {sound.dtype} at "
                            f"{recording.rate_hz:g} Hz. Convert it: edgekit.recording.load_sound(path).")
        looks = (len(sound) // params["hop"] - first) // hops + 1
        board.put(np.ascontiguousarray(sound, "<i2").tobytes(), _SOUND_PATH)
        try:
            return _events(board, "keyword", 0.0, max(0, looks), progress, on_event, on_look, first * hop_s,
                           hops * hop_s, name=name, path=_SOUND_PATH, **settings)
        finally:
            remove_quietly(board, _SOUND_PATH)
    start_s, length_s = None, seconds
    if recording is not None:
        start_s = board.world.time_s + first * hop_s + _LEAD_S
        length_s = (recording.duration_s + first * hop_s if seconds is None else seconds) + first * hop_s + _LEAD_S
        board.world.play(recording, at_s=start_s, as_="sound")
    looks = (int(length_s / hop_s) - first) // hops + 1
    return _events(board, "keyword", start_s, max(1, looks), progress, on_event, on_look, first * hop_s, hops * hop_s,
                   name=name, **settings)


def _check_source(board, recording, seconds, function, otherwise):
    if recording is None and seconds is None:
        raise DataError(f"Say how long: {function}(board, seconds=30), or give a recording to play.")
    if recording is not None and board.world is None:
        raise DataError(f"A recording can be played to a simulated board only. Leave it out and {otherwise}.")


def _events(board, app, start_s, windows, progress, on_event, on_look=None, first_s=0.0, step_s=0.0, **settings):
    """Run an app that sends a RESULT for each window and an EVENT for each thing that it recognises.

    ``start_s``: the app's time that counts as 0; None: when the app began. ``first_s``, ``step_s``: when, after the app
    began, the first window ends, and each further one.
    """
    from tqdm.auto import tqdm

    frames = board_module("frames")
    events = []
    began_s, looks = 0.0, 0
    if "path" not in settings:
        settings["max_windows"] = max(1, windows)
    stream = board.stream(app, every_window=True, **settings)
    with tqdm(total=windows, unit=" windows", disable=not progress, leave=False) as bar:
        try:
            for frame in stream:
                if frame.type == frames.HEADER:
                    began_s = json.loads(frame.payload)["time_ms"] / 1000
                    start_s = began_s if start_s is None else start_s
                elif frame.type == frames.RESULT:
                    if on_look:
                        on_look(began_s - start_s + first_s + looks * step_s, np.frombuffer(frame.payload, np.int8))
                    looks += 1
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


def remove_quietly(board, path):
    """Remove a file. The board may be gone: then its error is on its way already, and this one would hide it."""
    try:
        board.remove(path)
    except BoardError:
        pass


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
