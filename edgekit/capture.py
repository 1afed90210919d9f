"""From the board's motion sensor or microphone to a Recording: frames of samples, with progress, and what was lost and where.

Two clocks: the sensor's own, which makes the samples, and the board's, whose time stands in each frame. A sensor's may
be off by a percent and more. ``rate_hz`` of a recording is what was asked of the sensor; ``measured_hz`` is what it did.

What a line carries: a UART at 115200 baud 11520 bytes in a second, so 6 x 400 Hz but neither 6 x 1000 Hz nor sound.
There the board is asked for 921600 baud, as long as the capture lasts (:mod:`edgekit.board.serial`; not yet run on
hardware). If it cannot, sound is kept in its RAM first, and motion loses what the line does not carry.
"""

import contextlib
import json
import struct
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edgekit.errors import BoardLostError, BoardWireError, DataError
from edgekit.recording import Recording
from edgekit.twin import board_module

__all__ = ["capture", "Captured", "CaptureWarning"]

_HEAD = struct.Struct("<IH")  # the board's clock at the last sample, samples lost before
_STARTS = 3
_STILL_S = 0.25  # a sensor at rest repeats a count now and then, but not for so long
_PLACES = 4
# App, usual rate_hz, bytes of a sample. A motion sensor may take the next higher rate that it has: half as much again.
_SENSORS = {"motion": ("capture", 100, 18), "sound": ("capture_sound", 16000, 2)}
_FRAMING = 1.1       # bytes on the line for each byte of samples: heads, check sums, escapes
_TICKS_US = 1 << 30  # where a board's clock begins anew
_CLOCK_S = 5.0       # shorter captures say too little about a clock: a stamp is some milliseconds late
_CLOCK_OFF = 0.02    # from here on it is worth a warning


class CaptureWarning(UserWarning):
    """The recording is there, but something about it is not as it should be."""


class Captured(Recording):
    """A recording as :func:`capture` returns it, with the clock of its sensor.

    Attributes
    ----------
    measured_hz : float or None
        Samples per second of the board's clock. None if too few came to tell (5 s in which the board let go of none),
        and in a copy that was changed (`with_`, `slice`).
    """

    measured_hz = None

    def retimed(self) -> Recording:
        """The same movement or sound with ``rate_hz`` samples per second of the board's clock, by linear interpolation.

        Examples
        --------
        >>> fast = Captured(np.arange(0, 1030, 1, np.int16), 100)
        >>> object.__setattr__(fast, "measured_hz", 103.0)    # as capture does
        >>> fast.retimed()
        Recording(no label, no subject: 10.00 s, 1000 samples at 100 Hz, ch0, int16)
        """
        about = self.about()
        if self.measured_hz is None:
            return Recording(self.samples, **about)
        step = self.measured_hz / self.rate_hz
        at = np.arange(round(len(self) / step)) * step
        samples = np.stack([np.interp(at, np.arange(len(self)), column) for column in self.samples.T], axis=1)
        return Recording(np.round(samples).astype(self.samples.dtype), **about)


class _NoHeader(DataError):
    """The first frame did not arrive."""


def capture(board, seconds: float, label: str = "", subject: str = "", progress: bool = True,
            rate_hz: int | None = None, on_samples: Callable[[Recording], bool | None] | None = None,
            sensor: str = "motion") -> Captured:
    """Record from the motion sensor of a board, or from its microphone.

    Ctrl-C ends the capture early; what came so far is returned. So it is when the board is lost in the middle, with a
    `CaptureWarning` that says so.

    Samples that were lost on the way are filled with the last one before them, so that all others keep their time;
    ``lost`` counts them, a `CaptureWarning` says where they are, and `Recording.faults` finds them (8 or more in a
    row) as a ``"gap"``. A sensor that is stuck or at the end of its range is warned of too.

    Parameters
    ----------
    board : edgekit.board.Board
        The app ``capture`` is installed on it if it is not there yet.
    seconds : float
        How long, on the board's clock.
    label, subject : str
        What is done, and by whom.
    progress : bool
        Show a progress bar.
    rate_hz : int, optional
        Samples per second. Default: 100 of movement, 16000 of sound. A sensor takes the nearest that it can, and the
        recording says which: an MPU6050 has 1000, 500, 333, 250, 200 ..., so 400 gives 500.
    on_samples : callable, optional
        Gets the samples as they come, a Recording for each frame. If it returns True the capture ends early.
    sensor : {"motion", "sound"}
        ``"sound"`` is the microphone. It is sent as it comes where the line carries it: USB of the board's own, a
        simulated board, a UART that can be made faster. Else the board keeps the sound in its RAM (a second takes
        32 kB) and sends it when it has all of it.

    Returns
    -------
    Captured
        A Recording.
        int16 counts. Movement: shape [about seconds * rate_hz, 6], channels ax, ay, az (g) and gx, gy, gz (degrees per
        second). Sound: shape [seconds * rate_hz, 1], channel audio, full scale 1.
        ``lost`` counts the samples that the board could not keep and those in frames that never arrived. Its
        ``source`` is ``"simulated"`` or ``"board"``.

    Raises
    ------
    DataError
        ``seconds`` is not positive, there is no such sensor, or no sample came.
    BoardCodeError
        The app failed on the board, for example because no sensor answers, or its RAM is too small for that much sound.
    BoardLostError, BoardWireError
        The board went before the first sample came.
    """
    if not 0 < seconds < float("inf"):
        raise DataError(f"Expected a capture of more than 0 seconds, found {seconds!r}.")
    if sensor not in _SENSORS:
        raise DataError(f"No sensor {sensor!r}: expected one of {', '.join(_SENSORS)}.")
    app, usual_hz, _ = _SENSORS[sensor]
    rate_hz = rate_hz or usual_hz
    settings = _line_settings(board, sensor, rate_hz)
    source = "simulated" if board.kind == "simulated" else "board"
    for left in reversed(range(_STARTS)):
        taken = _Taken(seconds, label, subject, source)
        try:
            _take(board, app, taken, seconds, rate_hz, settings, progress, on_samples)
            break
        except _NoHeader:  # nothing was recorded yet, so it can begin anew
            if not left:
                raise
    recording = taken.recording()
    for sentence in (taken.ended, taken.losses(), _off_clock(recording), *_oddities(recording, taken.gaps)):
        if sentence:
            warnings.warn(sentence, CaptureWarning, stacklevel=2)
    return recording


def _line_settings(board, sensor, rate_hz):
    """What the app must know of the line, so that it carries the samples."""
    bytes_per_s = getattr(board, "bytes_per_s", None)  # None: enough
    if bytes_per_s is None or rate_hz * _SENSORS[sensor][2] * _FRAMING < bytes_per_s:
        return {"live": True} if sensor == "sound" else {}
    return {"baud": board.fast_baud} if board.fast_baud else {}


def _take(board, app, taken, seconds, rate_hz, settings, progress, on_samples):
    frames = board_module("frames")
    stream = board.stream(app, on_text=_print_text, rate_hz=rate_hz, seconds=seconds, **settings)
    with _bar(round(seconds * rate_hz), progress) as bar, contextlib.closing(stream):
        try:
            for frame in stream:
                if frame.type == frames.HEADER:
                    taken.start(frame)
                elif frame.type == frames.SAMPLES:
                    block = taken.add(frame)
                    bar.update(len(block))
                    if on_samples and on_samples(taken.about(block)):
                        return
            taken.finish()
        except KeyboardInterrupt:
            pass
        except (BoardLostError, BoardWireError) as error:
            if not len(taken):
                raise
            taken.broke_off(error)


def _print_text(text):
    # A damaged frame comes as text too: nobody wants to see that.
    if text.isascii() and all(c.isprintable() or c.isspace() for c in text):
        print(text, end="")


def _bar(total, progress):
    from tqdm.auto import tqdm
    return tqdm(total=total, unit=" samples", disable=not progress)


class _Taken:
    """The samples of a capture, as they come."""

    def __init__(self, seconds, label, subject, source):
        self.gaps = []       # (first sample, samples): lost and filled
        self.ended = ""      # why, if not as it should
        self._seconds = seconds
        self._about = {"label": label, "subject": subject, "source": source}
        self._header = None
        self._blocks = []
        self._count = 0
        self._stamps = [[]]  # (samples so far, the board's clock); a list for each stretch in which the board let go of none
        self._let_go = 0     # of what was lost, what the board did not send
        self._missing_at_end = 0
        self._next_seq = None

    def __len__(self):
        return self._count

    def start(self, frame):
        self._header = json.loads(frame.payload)
        self._next_seq = (frame.seq + 1) & 0xFFFF

    def add(self, frame):
        """Take the samples of a frame; returns them, int16 [n, channels]."""
        if self._header is None:
            raise _NoHeader("The header of the capture did not arrive, so the scale of its samples is not known. "
                            "Capture again; if this repeats, use a shorter cable or another port.")
        time_us, lost_on_board = _HEAD.unpack_from(frame.payload)
        block = np.frombuffer(frame.payload, "<i2", offset=_HEAD.size)
        block = block.reshape(-1, len(self._header["channels"])).astype(np.int16)
        missing_frames = (frame.seq - self._next_seq) & 0xFFFF
        self._next_seq = (frame.seq + 1) & 0xFFFF
        self._let_go += lost_on_board
        self._fill(lost_on_board + missing_frames * len(block), block)
        self._append(block)
        if lost_on_board:  # how many that were it knows by the clock alone
            self._stamps.append([])
        self._stamps[-1].append((self._count, time_us))
        return block

    def finish(self):
        """The app has ended: count what should have come after the last frame."""
        if self._blocks:
            self._missing_at_end = max(0, self._header["count"] - self._count)

    def broke_off(self, error):
        """The board was lost in the middle."""
        self.ended = (f"The capture broke off after {self._count / self._header['rate_hz']:.2f} s of "
                      f"{self._seconds:g} s; the {self._count} samples that came are kept. {error}")

    def about(self, block):
        """A Recording of some of the samples."""
        header = self._header
        return Recording(block, header["rate_hz"], tuple(header["channels"]), tuple(header["units"]),
                         tuple(full_scale / 32768 for full_scale in header["full_scale"]), **self._about)

    def recording(self):
        if not self._blocks:
            raise DataError("No sample came from the board. Look at what it printed: board.run('capture', count=10).")
        # The last frame may hold more samples than were asked for.
        samples = np.concatenate(self._blocks)[:self._header["count"]]
        about = self.about(samples)
        recording = Captured(about.samples, **{**about.about(), "lost": self._lost()})
        object.__setattr__(recording, "measured_hz", self._measured_hz())
        return recording

    def _measured_hz(self):
        """Samples per second of the board's clock."""
        counts, times_us = np.array(max(self._stamps, key=len)).T
        times_s = np.cumsum(np.diff(times_us, prepend=times_us[0]) % _TICKS_US) / 1e6
        if times_s[-1] < _CLOCK_S or len(counts) < 6:
            return None
        # A stamp may be late, if the board had other work, but never early: of the first and the last third the
        # earliest one counts. Which that is depends a little on the rate itself.
        third = len(counts) // 3
        rate_hz = self._header["rate_hz"]
        for _ in range(3):
            late_s = times_s - counts / rate_hz
            first, last = late_s[:third].argmin(), len(counts) - third + late_s[-third:].argmin()
            rate_hz = (counts[last] - counts[first]) / (times_s[last] - times_s[first])
        return float(rate_hz)

    def losses(self):
        """A sentence about what was lost, empty if nothing was."""
        if not self._lost():
            return ""
        rate_hz = self._header["rate_hz"]
        places = [f"{count} at {start / rate_hz:.2f} s" for start, count in self.gaps]
        if self._missing_at_end:
            places.append(f"{self._missing_at_end} at the end")
        more = len(places) - _PLACES
        where = ", ".join(places[:_PLACES]) + (f", and at {more} more places" if more > 0 else "")
        filled = ("They are filled with the sample before, so that the others keep their time; recording.faults() "
                  "calls that a gap. " if self.gaps else "")
        return (f"{self._lost()} of {self._header['count']} samples were lost on the way: {where}. {filled}"
                + (_LET_GO.format(self._let_go) if self._let_go else "")
                + ("Use a shorter cable or another port, or a lower rate_hz." if self._lost() > self._let_go else ""))

    def _lost(self):
        return sum(count for _, count in self.gaps) + self._missing_at_end

    def _fill(self, missing, block):
        if missing:
            self.gaps.append((self._count, missing))
            before = self._blocks[-1][-1:] if self._blocks else block[:1]
            # Not beyond the end of the recording, whatever a damaged frame says.
            self._append(np.repeat(before, min(missing, max(0, self._header["count"] - self._count)), axis=0))

    def _append(self, block):
        if len(block):
            self._blocks.append(block)
            self._count += len(block)


def _off_clock(recording):
    """A sentence about a sensor whose clock is far off, else ""."""
    if recording.measured_hz is None or abs(recording.measured_hz / recording.rate_hz - 1) < _CLOCK_OFF:
        return ""
    return (f"By the board's clock the sensor took {recording.measured_hz:.1f} samples per second, not "
            f"{recording.rate_hz:g}: its own clock is off. recording.retimed() is the same at {recording.rate_hz:g} Hz.")


def _oddities(recording, gaps):
    """Sentences about what the sensor cannot have measured."""
    still = round(_STILL_S * recording.rate_hz)
    found = {}
    faults = [part for whole in recording.faults() for part in _with_limits(recording, whole)]
    for fault in faults:
        if fault.kind == "clipped" or (fault.kind in ("flat", "gap") and fault.stop - fault.start > still
                                       and _is_odd(recording, fault, gaps)):
            found.setdefault(fault.kind, []).append(fault)
    return [_ADVICE[kind].format(_where(recording, those)) for kind, those in found.items()]


def _with_limits(recording, fault):
    """A fault; in place of a gap at the end of the range, which is no gap, what is clipped there."""
    ends = recording.samples[fault.start]
    clipped = [replace(fault, kind="clipped", channel=name)
               for name, value in zip(recording.channels, ends, strict=True) if value in (-32768, 32767)]
    return clipped if fault.kind == "gap" and clipped else [fault]


def _is_odd(recording, fault, gaps):
    if fault.kind == "flat":
        column = recording.samples[:, recording.channels.index(fault.channel)]
        # A simulated sensor may be without noise: there only a channel that moved before is stuck.
        return recording.source != "simulated" or bool((column != column[fault.start]).any())
    return recording.source != "simulated" and not any(
        start - 1 <= fault.stop and start + count >= fault.start for start, count in gaps)


def _where(recording, faults):
    channels = list(dict.fromkeys(fault.channel or "all channels" for fault in faults))
    first, last = min(fault.start for fault in faults), max(fault.stop for fault in faults)
    return f"{', '.join(channels)} between {first / recording.rate_hz:.2f} s and {last / recording.rate_hz:.2f} s"


_LET_GO = ("{} of them the board let go, because it could not send them as fast as they came: a lower rate_hz helps, or a "
           "board with USB of its own, or other work on it that waits. ")
_STUCK = ("The sensor repeated one value in {}: it is stuck, for a sensor always shows a little noise. Check its wires "
          "and its supply, reset the board, and capture again.")
_ADVICE = {
    "flat": _STUCK,
    "gap": _STUCK,
    "clipped": "The sensor was at the end of its range in {}: the movement was larger than it can measure. Move more "
               "gently or choose a larger range; if it was at rest, the sensor or its wires are faulty.",
}
