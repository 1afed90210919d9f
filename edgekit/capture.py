"""From the board's motion sensor to a Recording: frames of samples, with progress and a count of what was lost."""

import json
import struct

import numpy as np

from edgekit.errors import DataError
from edgekit.recording import Recording
from edgekit.twin import board_module

__all__ = ["capture"]

_HEAD = struct.Struct("<IH")  # the board's clock at the last sample, samples lost before


def capture(board, seconds: float, label: str = "", subject: str = "", progress: bool = True,
            rate_hz: int = 100, on_samples=None) -> Recording:
    """Record from the motion sensor of a board.

    Ctrl-C ends the capture early; what came so far is returned.

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
    rate_hz : int
        Samples per second.
    on_samples : callable, optional
        Gets each piece as it comes, a :class:`Recording`, for a picture that moves; True ends the capture early.

    Returns
    -------
    Recording
        int16 counts, shape [about seconds * rate_hz, 6], channels ax, ay, az (g) and gx, gy, gz (degrees per second).
        ``lost`` counts the samples that the board could not keep and those in frames that never arrived. Its
        ``source`` is ``"simulated"`` or ``"board"``.

    Raises
    ------
    DataError
        ``seconds`` is not positive, or no sample came.
    BoardCodeError
        The app failed on the board, for example because no sensor answers.
    """
    if not 0 < seconds < float("inf"):
        raise DataError(f"Expected a capture of more than 0 seconds, found {seconds!r}.")
    frames = board_module("frames")
    taken = _Taken()
    stream = board.stream("capture", rate_hz=rate_hz, seconds=seconds)
    with _bar(round(seconds * rate_hz), progress) as bar:
        try:
            for frame in stream:
                before = len(taken)
                if frame.type == frames.HEADER:
                    taken.start(frame)
                elif frame.type == frames.SAMPLES:
                    taken.add(frame)
                    if on_samples and on_samples(taken.last()):
                        stream.close()
                        break
                bar.update(len(taken) - before)
            else:
                taken.finish()
        except KeyboardInterrupt:
            stream.close()
    return taken.recording(round(seconds * rate_hz), label, subject,
                           "simulated" if board.info.kind == "simulated" else "board")


def _bar(total, progress):
    from tqdm.auto import tqdm
    return tqdm(total=total, unit=" samples", disable=not progress)


class _Taken:
    """The samples of a capture, as they come."""

    def __init__(self):
        self._header = None
        self._blocks = []
        self._count = 0
        self._lost = 0
        self._next_seq = None

    def __len__(self):
        return self._count

    def start(self, frame):
        self._header = json.loads(frame.payload)
        self._next_seq = (frame.seq + 1) & 0xFFFF

    def add(self, frame):
        if self._header is None:
            raise DataError("The header of the capture did not arrive, so the scale of its samples is not known. "
                            "Capture again; if this repeats, use a shorter cable or another port.")
        _, lost = _HEAD.unpack_from(frame.payload)
        block = np.frombuffer(frame.payload, "<i2", offset=_HEAD.size)
        block = block.reshape(-1, len(self._header["channels"]))
        missing = (frame.seq - self._next_seq) & 0xFFFF
        self._lost += lost + missing * len(block)
        self._next_seq = (frame.seq + 1) & 0xFFFF
        self._blocks.append(block)
        self._count += len(block)

    def last(self):
        """The newest piece."""
        return self._as_recording(self._blocks[-1])

    def finish(self):
        """The app has ended: count the frames that should have come after the last one."""
        if self._blocks:
            frames = 1 + -(-self._header["count"] // len(self._blocks[0]))
            self._lost += (frames - self._next_seq & 0xFFFF) * len(self._blocks[0])

    def recording(self, wanted, label, subject, source):
        if not self._blocks:
            raise DataError("No sample came from the board. Look at what it printed: board.run('capture', count=10).")
        # The last frame may hold more samples than were asked for.
        samples = np.concatenate(self._blocks)[:wanted]
        return self._as_recording(samples, label=label, subject=subject, source=source, lost=self._lost)

    def _as_recording(self, samples, **about):
        header = self._header
        return Recording(samples.astype(np.int16), header["rate_hz"], tuple(header["channels"]), tuple(header["units"]),
                         tuple(full_scale / 32768 for full_scale in header["full_scale"]), **about)
