"""I2S microphone INMP441 (InvenSense DS-INMP441-00, revision 1.1).

Simulated: 24 bits at the top of a slot of 32, the L/R input that chooses the slot (the other one is 0), full scale
(120 dB SPL peak; 94 dB SPL gives -26 dBFS), clipping, the noise floor of -87 dBFS. Not simulated: filters and their
delay, start-up time, distortion below full scale. The noise is white, and has the A-weighted figure as its power.
"""

import numpy as np

from edgekit.errors import DataError

__all__ = ["INMP441"]

_BITS = 24
_NOISE_FLOOR_DBFS = -87  # against a sine of full scale, whose power is 1/2
_NOISE_SD = 10 ** (_NOISE_FLOOR_DBFS / 20) / np.sqrt(2)
_NOISE_BLOCK = 1024


class INMP441:
    """One INMP441.

    Parameters
    ----------
    sense_sound : callable
        ``sense_sound(first_frame_us, rate_hz, frames) -> float64 array``, full scale 1: a world's
        :meth:`~edgekit.simulator.world.World.sense_sound`.
    channel : {"left", "right"}
        What its L/R pin is connected to: ground or the supply.
    seed : int
        Seed of its own noise.
    noise : bool
        False for a microphone without its own noise.

    Raises
    ------
    DataError
        There is no such channel.

    Examples
    --------
    >>> microphone = INMP441(lambda first_us, rate_hz, frames: np.full(frames, 0.5), noise=False)
    >>> [[hex(slot) for slot in frame] for frame in microphone.record(0.0, 16_000, 1).tolist()]
    [['0x40000000', '0x0']]
    """

    def __init__(self, sense_sound, channel: str = "left", seed: int = 0, noise: bool = True):
        if channel not in ("left", "right"):
            raise DataError(f"A microphone is in the left or the right channel; found {channel!r}.")
        self._sense_sound = sense_sound
        self._slot = ("left", "right").index(channel)
        self._seed = seed
        self._noise = noise

    def record(self, first_us: float, rate_hz: float, frames: int) -> np.ndarray:
        """Take some frames.

        Parameters
        ----------
        first_us : float
            When the first is taken.
        rate_hz : float
        frames : int

        Returns
        -------
        int32 array [frames, 2]
            The left and the right slot; a read of 16 bits takes the upper half of each.
        """
        sound = np.asarray(self._sense_sound(first_us, rate_hz, frames), np.float64)
        if self._noise:
            sound = sound + self._own_noise(round(first_us * rate_hz / 1e6), frames)
        largest = 1 << _BITS - 1
        counts = np.clip(np.rint(sound * largest), -largest, largest - 1).astype(np.int32)
        slots = np.zeros((frames, 2), np.int32)
        slots[:, self._slot] = counts << 32 - _BITS
        return slots

    def _own_noise(self, first, frames):
        """White noise by the number of the frame, so that it does not depend on how much is read at once."""
        blocks = range(first // _NOISE_BLOCK, (first + frames - 1) // _NOISE_BLOCK + 1)
        noise = [np.random.default_rng((self._seed, 441, block)).standard_normal(_NOISE_BLOCK) for block in blocks]
        start = first - blocks.start * _NOISE_BLOCK
        return np.concatenate(noise)[start:start + frames] * _NOISE_SD if frames else np.zeros(0)
