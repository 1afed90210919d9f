"""The parameters of the features: one frozen record, saved beside the model and read by the board."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from edgekit.errors import DataError
from edgekit.paths import atomic_write

KINDS = ("waveform", "summary")
BANDS = 4
"""Frequency bands of the summary features; the slowest needs blocks of 2 ** (BANDS + 1) samples."""


@dataclass(frozen=True)
class FeatureParams:
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
        Channels per sample: ax, ay, az, gx, gy, gz.
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
        if self.kind == "summary" and (self.channels != 6 or self.window % block):
            raise DataError(f"FeatureParams: summary features need 6 channels and a window that is a multiple of "
                            f"{block} samples; found {self.channels} channels and {self.window} samples.")

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
        return (10 + BANDS,)

    def to_dict(self) -> dict:
        """The parameters as plain numbers, texts and lists, ready for JSON."""
        values = asdict(self)
        values["classes"] = list(self.classes)
        return values

    @classmethod
    def from_dict(cls, values: dict, source: str = "FeatureParams") -> "FeatureParams":
        """Parameters from a dictionary that names every one of them.

        Parameters
        ----------
        values : dict
            As :meth:`to_dict` gives it. ``classes`` may be missing.
        source : str
            Named in the error message.

        Raises
        ------
        DataError
            A parameter is missing, unknown or out of range.
        """
        if not isinstance(values, dict):
            raise DataError(f"{source}: expected an object of feature parameters, found {type(values).__name__}. "
                            "Write it with FeatureParams.save.")
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise DataError(f"{source}: unknown parameter {unknown[0]!r}; expected {', '.join(known)}.")
        missing = [name for name in known if name not in values and name != "classes"]
        if missing:
            raise DataError(f"{source}: parameter {missing[0]!r} is missing. "
                            "Features without it would be a guess; write the file with FeatureParams.save.")
        try:
            return cls(**values)
        except DataError as error:
            raise DataError(str(error).replace("FeatureParams", source, 1)) from None

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
    def load(cls, path) -> "FeatureParams":
        """Read parameters that :meth:`save` wrote.

        Raises
        ------
        DataError
            There is no such file, it is not JSON, or a parameter is missing, unknown or out of range.
        """
        path = Path(path)
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DataError(f"No feature parameters at {path}. Save them with FeatureParams.save, "
                            "or use the shipped ones: edgekit.paths.artefact('gesture_features.json').") from None
        except ValueError as error:
            raise DataError(f"{path.name} is not JSON ({error}). Write it with FeatureParams.save.") from None
        return cls.from_dict(values, source=path.name)
