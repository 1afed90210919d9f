"""The parameters of the features: one frozen record, saved beside the model and read by the board."""

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from edgekit.errors import DataError
from edgekit.paths import atomic_write

__all__ = ["FeatureParams", "AudioParams", "load_params"]

KINDS = ("waveform", "summary")
BANDS = 4
"""Frequency bands of the summary features; the slowest needs blocks of 2 ** (BANDS + 1) samples."""


class _Saved:
    """What both kinds of parameters share: to a dictionary, to a file, and back."""

    def to_dict(self) -> dict:
        """The parameters as plain numbers, texts and lists, ready for JSON."""
        values = asdict(self)
        values["classes"] = list(self.classes)
        return values

    @classmethod
    def from_dict(cls, values: dict, source: str = ""):
        """Parameters from a dictionary that names every one of them.

        Parameters
        ----------
        values : dict
            As :meth:`to_dict` gives it. ``classes`` may be missing.
        source : str, optional
            Named in the error message; default the name of the class.

        Raises
        ------
        DataError
            A parameter is missing, unknown or out of range.
        """
        source = source or cls.__name__
        if not isinstance(values, dict):
            raise DataError(f"{source}: expected an object of feature parameters, found {type(values).__name__}. "
                            f"Write it with {cls.__name__}.save.")
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise DataError(f"{source}: unknown parameter {unknown[0]!r}; expected {', '.join(known)}.")
        missing = [name for name in known if name not in values and name != "classes"]
        if missing:
            raise DataError(f"{source}: parameter {missing[0]!r} is missing. "
                            f"Features without it would be a guess; write the file with {cls.__name__}.save.")
        try:
            return cls(**values)
        except DataError as error:
            raise DataError(str(error).replace(cls.__name__, source, 1)) from None

    def save(self, path) -> None:
        """Write the parameters as JSON. The board reads the same file.

        Examples
        --------
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "features.json"
        >>> FeatureParams(stride=64).save(path)
        >>> FeatureParams.load(path).stride
        64
        """
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path):
        """Read parameters that :meth:`save` wrote.

        Raises
        ------
        DataError
            There is no such file, it is not JSON, or a parameter is missing, unknown or out of range.
        """
        return cls.from_dict(_read(path), source=Path(path).name)


def _read(path):
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"No feature parameters at {path}. Save them with FeatureParams.save or AudioParams.save, "
                        "or use the shipped ones: edgekit.paths.artefact('gesture_features.json').") from None
    except ValueError as error:
        raise DataError(f"{path.name} is not JSON ({error}). Write it with FeatureParams.save or AudioParams.save.") from None


@dataclass(frozen=True)
class FeatureParams(_Saved):
    """How a window of sensor samples becomes features. The defaults belong to the shipped gesture model.

    Parameters
    ----------
    kind : {"waveform", "summary"}
        ``waveform``: the window itself, slower and coarser, as int8. ``summary``: about ten numbers per window.
    rate_hz : int
        Samples per second and channel.
    window : int
        Samples per window (128 samples at 100 Hz: 1.28 s).
    stride : int
        Samples from the start of one window to the start of the next.
    channels : int
        Channels per sample: ax, ay, az, gx, gy, gz. ``summary`` also takes 3: an accelerometer alone.
    decimate : int
        ``waveform`` adds this many neighbouring samples into one.
    shift : int
        ``waveform`` divides that sum by ``2 ** shift`` (10: full scale, 4 samples of 32768, becomes 128).
    classes : tuple of str
        Names of the model's outputs, in their order; empty while there is no model. They are kept here so
        that one file says what goes into the model and what comes out.

    Raises
    ------
    DataError
        A value does not fit the others. The message names it.

    Examples
    --------
    >>> params = FeatureParams()
    >>> params.window_s, params.shape
    (1.28, (32, 6))
    """

    kind: str = "waveform"
    rate_hz: int = 100
    window: int = 128
    stride: int = 32
    channels: int = 6
    decimate: int = 4
    shift: int = 10
    classes: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "classes", tuple(self.classes))
        if self.kind not in KINDS:
            raise DataError(f"FeatureParams: kind is {self.kind!r}; expected one of {', '.join(KINDS)}.")
        for name, low in (("rate_hz", 1), ("window", 2), ("stride", 1), ("channels", 1), ("decimate", 1), ("shift", 1)):
            value = getattr(self, name)
            if type(value) is not int or value < low:
                raise DataError(f"FeatureParams: {name} is {value!r}; expected a whole number of at least {low}.")
        if self.kind == "waveform" and self.window % self.decimate:
            raise DataError(f"FeatureParams: a window of {self.window} samples cannot be divided into groups of "
                            f"{self.decimate}; choose a decimate that divides the window.")
        block = 2 ** (BANDS + 1)
        if self.kind == "summary" and (self.channels not in (3, 6) or self.window % block):
            raise DataError("FeatureParams: summary features need 6 channels, or the 3 of an accelerometer, and a window "
                            f"that is a multiple of {block} samples; found {self.channels} channels and {self.window} "
                            "samples.")

    @property
    def window_s(self) -> float:
        """Length of a window in seconds."""
        return self.window / self.rate_hz

    @property
    def stride_s(self) -> float:
        """Seconds from the start of one window to the start of the next."""
        return self.stride / self.rate_hz

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the features of one window."""
        if self.kind == "waveform":
            return (self.window // self.decimate, self.channels)
        return ((10 if self.channels == 6 else 9) + BANDS,)


@dataclass(frozen=True)
class AudioParams(_Saved):
    """How sound becomes MFCC (mel-frequency cepstral coefficients). The defaults belong to the shipped keyword model.

    All are whole numbers, so that the board reads the same file to the same values.

    Parameters
    ----------
    kind : {"mfcc"}
    rate_hz : int
        Samples per second.
    window : int
        Samples per frame (480 at 16 kHz: 30 ms).
    hop : int
        Samples from the start of one frame to the start of the next (320: 20 ms). Each hop costs one frame.
    fft : int
        Points of the Fourier transform: a power of two, at least ``window``; the rest is filled with zeros.
    mel_bands : int
        Triangles of the mel bank.
    coefficients : int
        How many of the ``mel_bands`` coefficients are kept, from the first.
    low_hz, high_hz : int
        Where the mel bank begins and ends.
    mel_scale : {"slaney", "htk"}
        Formula of the mel scale. "slaney" is librosa's default, "htk" its ``htk=True``. Each triangle is divided by
        its width in Hz either way (librosa's ``norm="slaney"``).
    floor_db : int
        A mel band is never below this; 0 dB is a power of 1 where full scale is 1 (librosa's ``amin`` is
        ``10 ** (floor_db / 10)``).
    shift : int
        One step of an int8 feature is ``2 ** shift`` dB of its coefficient.
    first_shift : int
        The same for the first coefficient, the loudness, which moves more.
    first_offset : int
        The first coefficient (dB) whose feature is 0.
    frames : int
        Frames that one decision looks at (49 hops of 20 ms: about 1 s).
    classes : tuple of str
        Names of the model's outputs, in their order; empty while there is no model.

    Raises
    ------
    DataError
        A value does not fit the others. The message names it.

    Examples
    --------
    >>> params = AudioParams()
    >>> params.shape, params.samples, params.hop_s
    ((49, 10), 15840, 0.02)
    """

    kind: str = "mfcc"
    rate_hz: int = 16000
    window: int = 480
    hop: int = 320
    fft: int = 512
    mel_bands: int = 40
    coefficients: int = 10
    low_hz: int = 20
    high_hz: int = 8000
    mel_scale: str = "slaney"
    floor_db: int = -100
    shift: int = 0
    first_shift: int = 1
    first_offset: int = -256
    frames: int = 49
    classes: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "classes", tuple(self.classes))
        if self.kind != "mfcc":
            raise DataError(f"AudioParams: kind is {self.kind!r}; expected 'mfcc'.")
        if self.mel_scale not in MEL_SCALES:
            raise DataError(f"AudioParams: mel_scale is {self.mel_scale!r}; expected one of {', '.join(MEL_SCALES)}.")
        for name, low, high in (("rate_hz", 1, 200_000), ("window", 2, 4096), ("hop", 1, self.window),
                                ("fft", 16, 4096), ("mel_bands", 2, 256), ("coefficients", 1, self.mel_bands),
                                ("low_hz", 0, self.high_hz), ("high_hz", 1, self.rate_hz // 2),
                                ("floor_db", -120, 0), ("shift", -4, 8), ("first_shift", -4, 8),
                                ("first_offset", -2000, 2000), ("frames", 1, 10_000)):
            value = getattr(self, name)
            if type(value) is not int:
                raise DataError(f"AudioParams: {name} is {value!r}; expected a whole number.")
            if not low <= value <= high:
                raise DataError(f"AudioParams: {name} is {value}; expected {low} to {high}{_WHY.get(name, '')}.")
        if self.fft & (self.fft - 1):
            raise DataError(f"AudioParams: an fft of {self.fft} points is not a power of two; "
                            f"take {1 << self.fft.bit_length()}.")
        if self.fft < self.window:
            raise DataError(f"AudioParams: an fft of {self.fft} points cannot hold a window of {self.window} samples; "
                            f"take an fft of {1 << (self.window - 1).bit_length()}, or a shorter window.")
        edges = self.mel_edges_hz
        bin_hz = self.rate_hz / self.fft
        for band in range(self.mel_bands):
            if math.floor(edges[band] / bin_hz + 1e-9) + 1 >= edges[band + 2] / bin_hz - 1e-9:
                raise DataError(
                    f"AudioParams: mel band {band} of {self.mel_bands} ({edges[band]:.0f} to {edges[band + 2]:.0f} Hz) is "
                    f"empty: the bins of an fft of {self.fft} are {bin_hz:.1f} Hz apart. Take fewer mel_bands, or a "
                    f"larger fft.")

    @property
    def samples(self) -> int:
        """Samples that one decision looks at."""
        return (self.frames - 1) * self.hop + self.window

    @property
    def hop_s(self) -> float:
        """Seconds from one frame to the next."""
        return self.hop / self.rate_hz

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the features that one decision looks at: frames, coefficients."""
        return (self.frames, self.coefficients)

    @property
    def mel_edges_hz(self) -> list[float]:
        """The ``mel_bands + 2`` frequencies at equal distances in mel: band b rises from edge b to b + 1, falls to b + 2."""
        to_mel, to_hz = MEL_SCALES[self.mel_scale]
        low, high = to_mel(self.low_hz), to_mel(self.high_hz)
        return [to_hz(low + (high - low) * i / (self.mel_bands + 1)) for i in range(self.mel_bands + 2)]


_WHY = {"hop": " (a longer hop would leave samples between two windows unheard)",
        "coefficients": " (no more than mel_bands)", "low_hz": " (not above high_hz)",
        "high_hz": " (half of rate_hz: no higher frequency is in the samples)"}


def _slaney_mel(hz):
    return hz * 3 / 200 if hz < 1000 else 15 + 27 * math.log(hz / 1000) / math.log(6.4)


def _slaney_hz(mel):
    return mel * 200 / 3 if mel < 15 else 1000 * math.exp((mel - 15) * math.log(6.4) / 27)


def _htk_mel(hz):
    return 2595 * math.log10(1 + hz / 700)


def _htk_hz(mel):
    return 700 * (10 ** (mel / 2595) - 1)


MEL_SCALES = {"slaney": (_slaney_mel, _slaney_hz), "htk": (_htk_mel, _htk_hz)}
"""Hz to mel and back. "slaney": straight below 1000 Hz, logarithmic above (Auditory Toolbox)."""


def load_params(source):
    """Feature parameters of any kind.

    Parameters
    ----------
    source : path or dict
        A file that ``save`` wrote, or what ``to_dict`` gave.

    Returns
    -------
    FeatureParams, AudioParams or edgekit.features.falls.EventParams
        As ``kind`` says.

    Raises
    ------
    DataError
        As :meth:`FeatureParams.from_dict` and :meth:`FeatureParams.load` raise it.

    Examples
    --------
    >>> load_params(AudioParams(hop=160).to_dict()).hop
    160
    """
    values, name = (source, "") if isinstance(source, dict) else (_read(source), Path(source).name)
    kind = values.get("kind") if isinstance(values, dict) else None
    if kind == "event":
        from edgekit.features.falls import EventParams
        return EventParams.from_dict(values, name)
    return (AudioParams if kind == "mfcc" else FeatureParams).from_dict(values, name)
