"""A Recording: samples of one sensor, with all that one must know to use them; csv, npz and wav in and out.

>>> import numpy as np
>>> motion = Recording(np.zeros((200, 3), np.int16), 100.0, ("ax", "ay", "az"), ("g", "g", "g"), label="idle")
>>> motion.duration_s
2.0
"""

import io
import json
import math
import struct
import zipfile
import zlib
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from edgekit.errors import DataError
from edgekit.paths import atomic_write

__all__ = ["Recording", "Fault", "load_sound"]

_DTYPES = {"int16": np.dtype("<i2"), "float32": np.dtype("<f4")}
_FLAT_SAMPLES = 8        # at 100 Hz: 80 ms without the slightest noise
_SPIKE_RATIO = 4.0       # times the largest step nearby


@dataclass(frozen=True)
class Fault:
    """A stretch of samples that the sensor cannot have measured.

    Attributes
    ----------
    kind : str
        ``"gap"`` all channels repeat their values (samples were lost), ``"flat"`` one channel repeats its value,
        ``"spike"`` one sample of one channel far off, ``"clipped"`` the int16 range was too small.
    start, stop : int
        First sample, and the one after the last.
    channel : str
        Name of the channel, empty for a gap.
    """

    kind: str
    start: int
    stop: int
    channel: str = ""


@dataclass(frozen=True, eq=False)
class Recording:
    """Samples of one sensor in one go; it cannot be changed, only copied with changes (`with_`).

    Parameters
    ----------
    samples : numpy.ndarray
        int16 sensor counts or float32, [n, channels]; [n] becomes one channel. Finite, at least one sample.
    rate_hz : float
        Samples per second.
    channels, units : tuple of str
        Name and unit of each channel. Without names they are ``ch0``, ``ch1``, ...
    scale : tuple of float
        Per channel: physical value = sample * scale. Default 1.
    label, subject, source : str
        What was done, by whom, and where the samples come from: ``"synthetic"``, ``"simulated"``, ``"board"``
        or ``"file"``.
    lost : int
        Samples that were lost during capture.

    Raises
    ------
    DataError
        When these do not fit together, or samples are not finite.
    """

    samples: np.ndarray
    rate_hz: float
    channels: tuple[str, ...] = None
    units: tuple[str, ...] = None
    scale: tuple[float, ...] = None
    label: str = ""
    subject: str = ""
    source: str = ""
    lost: int = 0

    def __post_init__(self):
        samples = np.array(self.samples, order="C")      # a copy: nobody else can change it
        if samples.ndim == 1:
            samples = samples[:, None]
        if samples.ndim != 2 or 0 in samples.shape:
            raise DataError("A recording needs samples of shape [n, channels] with n of at least 1; found "
                            f"{samples.shape}. Record at least one sample.")
        if samples.dtype.name not in _DTYPES:
            raise DataError(f"A recording holds int16 counts or float32; found {samples.dtype}. "
                            "Convert with .astype(np.float32), or with .astype(np.int16) if the values are counts.")
        if not np.isfinite(samples).all():
            row, column = np.argwhere(~np.isfinite(samples))[0]
            raise DataError(f"Sample {row} of channel {column} is {samples[row, column]}: expected finite numbers. "
                            "Cut that part out, or fill it from its neighbours.")
        samples.setflags(write=False)
        count = samples.shape[1]
        values = {
            "samples": samples,
            "rate_hz": _checked_rate(self.rate_hz),
            "channels": tuple(f"ch{i}" for i in range(count)) if self.channels is None else tuple(self.channels),
            "units": ("",) * count if self.units is None else tuple(self.units),
            "scale": (1.0,) * count if self.scale is None else tuple(float(factor) for factor in self.scale),
            "lost": int(self.lost),
        }
        for name in ("channels", "units", "scale"):
            if len(values[name]) != count:
                raise DataError(f"The samples have {count} channels, but {name} has {len(values[name])} entries: "
                                f"{', '.join(map(str, values[name]))}. Give one for each channel.")
        if len(set(values["channels"])) != count:
            raise DataError(f"Two channels have the same name: {', '.join(values['channels'])}. Rename one.")
        for name in values["channels"]:
            if not _is_name(name):
                raise DataError(f"{name!r} cannot name a channel: expected printable text without comma, quote or # "
                                "that is no number, for example 'ax'.")
        if not np.isfinite(values["scale"]).all():
            raise DataError(f"The scale has entries that are not finite: {values['scale']}. "
                            "Expected a factor per channel.")
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __eq__(self, other):
        if not isinstance(other, Recording):
            return NotImplemented
        return (self.about() == other.about() and self.samples.dtype == other.samples.dtype
                and np.array_equal(self.samples, other.samples))

    def __len__(self):
        return len(self.samples)

    def __repr__(self):
        name = f"{self.label or 'no label'}, {self.subject or 'no subject'}"
        return (f"Recording({name}: {self.duration_s:.2f} s, {len(self)} samples at {self.rate_hz:g} Hz, "
                f"{' '.join(self.channels)}, {self.samples.dtype}{f', {self.lost} lost' if self.lost else ''})")

    @property
    def duration_s(self) -> float:
        """Length in seconds: samples / rate."""
        return len(self.samples) / self.rate_hz

    @property
    def time_s(self) -> np.ndarray:
        """Time of each sample in seconds from the first, float64 [n]."""
        return np.arange(len(self.samples)) / self.rate_hz

    def physical(self) -> np.ndarray:
        """The samples in their units (g, dps, ...), float32 [n, channels]."""
        return (self.samples * np.array(self.scale)).astype(np.float32)

    def about(self) -> dict:
        """All but the samples, as plain values that JSON can hold."""
        return {field.name: list(value) if isinstance(value, tuple) else value
                for field in fields(self) if field.name != "samples"
                for value in [getattr(self, field.name)]}

    def with_(self, **changes) -> "Recording":
        """A copy with other values, for example ``recording.with_(label="wave")``."""
        return replace(self, **changes)

    def to_counts(self, per_unit) -> "Recording":
        """The recording as int16 counts, as a sensor of the course gives them: what features are computed from.

        Parameters
        ----------
        per_unit : float or sequence of float
            Counts of 1 unit, one number for all channels or one for each. The course's accelerometers count 8192 for
            1 g: so 8192 for recordings in g, ``8192 / 9.81`` in m/s2, ``8.192`` in mg.

        Raises
        ------
        DataError
            `per_unit` is no such number, or more than 1 sample of 20 would not fit int16.

        Examples
        --------
        >>> in_g = Recording(np.float32([[0.0, -0.25, 1.0]]), 100.0)
        >>> in_g.to_counts(8192).samples.tolist()
        [[0, -2048, 8192]]
        """
        factors = np.atleast_1d(np.asarray(per_unit, np.float64))
        if factors.shape not in ((1,), (len(self.channels),)) or not (np.isfinite(factors) & (factors > 0)).all():
            raise DataError(f"per_unit is {per_unit!r}: expected a number above 0, or one for each of {len(self.channels)} "
                            "channels.")
        counts = np.rint(self.physical().astype(np.float64) * factors)
        beyond = np.mean(np.abs(counts).max(axis=1) > 32768)
        if beyond > 0.05:
            raise DataError(f"{self.label or 'The recording'}: {beyond:.0%} of the samples are beyond int16 with {per_unit!r} "
                            f"counts for 1 unit; the largest is {np.abs(self.physical()).max():g}. In m/s2 take 8192 / 9.81, "
                            "in mg 8.192.")
        scale = tuple((1 / np.broadcast_to(factors, len(self.channels))).tolist())
        return self.with_(samples=np.clip(counts, -32768, 32767).astype(np.int16), scale=scale)

    def resample(self, rate_hz: float) -> "Recording":
        """The same movement or sound at another rate; a slower one holds nothing above half of it.

        Examples
        --------
        >>> Recording(np.ones((200, 3), np.int16), 100.0).resample(50)
        Recording(no label, no subject: 2.00 s, 100 samples at 50 Hz, ch0 ch1 ch2, int16)
        """
        rate_hz = _checked_rate(rate_hz)
        if rate_hz == self.rate_hz:
            return self
        # Beyond its ends the recording goes on as a line: gravity does not vanish there.
        samples = _resample(self.samples.astype(np.float64), self.rate_hz, rate_hz, "line")
        if self.samples.dtype == np.int16:
            samples = np.clip(np.rint(samples), -32768, 32767)
        return self.with_(samples=samples.astype(self.samples.dtype), rate_hz=rate_hz)

    def slice(self, start_s: float, stop_s: float) -> "Recording":
        """The part from `start_s` to `stop_s`, in seconds.

        Raises
        ------
        DataError
            No sample lies in between.
        """
        start, stop = (max(0, round(time_s * self.rate_hz)) for time_s in (start_s, stop_s))
        if start >= min(stop, len(self)):
            raise DataError(f"No samples between {start_s:g} s and {stop_s:g} s: "
                            f"the recording runs from 0 s to {self.duration_s:g} s.")
        return self.with_(samples=self.samples[start:stop])

    def faults(self) -> list[Fault]:
        """Find what the sensor cannot have measured: gaps, flat lines, spikes and clipping.

        A gap is a stretch in which all channels repeat their values: so a recorder fills in for samples that it lost,
        to keep time right. (One that does not fill leaves nothing to see: look at `lost`.) Gaps and flat lines are
        8 samples or longer; a sensor's noise makes it unlikely that it repeats a count so often.

        Returns
        -------
        list of Fault
            In order of their start.
        """
        found = []
        step = np.diff(self.samples.astype(np.float64), axis=0)
        still = step == 0
        gaps = _runs(still.all(axis=1), _FLAT_SAMPLES - 1)
        found += [Fault("gap", start, stop + 1) for start, stop in gaps]
        in_gap = np.zeros(len(self), bool)
        for start, stop in gaps:
            in_gap[start:stop + 1] = True
        for column, name in enumerate(self.channels):
            values = self.samples[:, column]
            limit = np.zeros(len(self), bool)
            if values.dtype == np.int16:
                limit = (values == 32767) | (values == -32768)
                found += [Fault("clipped", start, stop, name) for start, stop in _runs(limit & ~in_gap, 1)]
            held = still[:, column] & ~in_gap[1:] & ~limit[1:]
            found += [Fault("flat", start, stop + 1, name) for start, stop in _runs(held, _FLAT_SAMPLES - 1)]
            found += [Fault("spike", i, i + 1, name) for i in _spikes(step[:, column]) if not in_gap[i]]
        return sorted(found, key=lambda fault: (fault.start, fault.stop, fault.kind, fault.channel))

    def clean(self, min_s: float = 0.0) -> list["Recording"]:
        """Mend what can be mended and cut out what cannot.

        A spike is replaced by the mean of its neighbours. The recording is cut where it has a gap or a flat line:
        nobody knows what happened there. Clipping is left as it is: the hand really was that fast.

        Parameters
        ----------
        min_s : float
            Parts shorter than this are dropped.

        Returns
        -------
        list of Recording
            The good parts in order. A recording without faults comes back as one part. ``lost`` is then 0, unless
            more samples were lost than the gaps explain: nobody knows in which part those are missing.
        """
        samples = self.samples.copy()
        good = np.ones(len(self), bool)
        lost = self.lost
        for fault in self.faults():
            if fault.kind == "spike":
                column = self.channels.index(fault.channel)
                around = samples[[fault.start - 1, fault.start + 1], column].astype(np.float64)
                samples[fault.start, column] = np.rint(around.mean()) if samples.dtype == np.int16 else around.mean()
            elif fault.kind in ("gap", "flat"):
                good[fault.start:fault.stop] = False
                lost -= fault.stop - fault.start if fault.kind == "gap" else 0
        return [self.with_(samples=samples[start:stop], lost=max(0, lost)) for start, stop in _runs(good, 1)
                if (stop - start) / self.rate_hz >= min_s]

    def save(self, path) -> Path:
        """Write the recording to a file; nothing is lost, in any of the three formats.

        Parameters
        ----------
        path : str or path
            The suffix decides. ``.csv``: a header line and a line per sample, the rest in comment lines
            ``# key: value``. ``.npz``: NumPy arrays. ``.wav``: 16-bit PCM or 32-bit float; what WAV has no
            field for is JSON in its comment (LIST INFO ICMT).

        Returns
        -------
        pathlib.Path
            Where it is.
        """
        path = Path(path)
        write = _by_suffix(path, {".csv": _to_csv, ".npz": _to_npz, ".wav": _to_wav})
        data = write(self)
        with atomic_write(path) as temporary:
            temporary.write_bytes(data)
        return path

    @classmethod
    def load(cls, path, rate_hz: float | None = None, channels=None) -> "Recording":
        """Read a recording from a ``.csv``, ``.npz``, ``.wav`` or ``.npy`` file, made by `save` or by another program.

        Parameters
        ----------
        path : str or path
            A csv of another program: commas, semicolons or tabs; with or without a header line; its rate comes from
            `rate_hz` or from a column of times (``time_s``, ``time``, ``timestamp``, ``time_ms``, ...). It becomes int16
            if all its numbers are whole and fit, else float32. A ``.npy`` is an array [n] or [n, channels]; `rate_hz`
            says its rate.
        rate_hz : float, optional
            The rate you expect. A file that says another rate is refused.
        channels : sequence of str, optional
            The channels you need, in the order you want; others are left out.

        Raises
        ------
        DataError
            The file is missing, damaged, of another kind, or not what you expect. The message says where.
        """
        path = Path(path)
        read = _by_suffix(path, {".csv": _from_csv, ".npz": _from_npz, ".wav": _from_wav, ".npy": _from_npy})
        recording = read(_read_bytes(path), path.name, rate_hz)
        if rate_hz is not None and recording.rate_hz != rate_hz:
            raise DataError(f"{path.name} was recorded at {recording.rate_hz:g} Hz; expected {rate_hz:g} Hz. "
                            f"Record it again at {rate_hz:g} Hz, or load it without rate_hz and resample it: "
                            f"recording.resample({rate_hz:g}), or Dataset.load(folder, resample_hz={rate_hz:g}).")
        return recording if channels is None else recording.select(channels, path.name)

    def select(self, channels, name: str = "The recording") -> "Recording":
        """Only these channels, in this order."""
        missing = [channel for channel in channels if channel not in self.channels]
        if missing:
            raise DataError(f"{name} has no column {', '.join(missing)}: expected {', '.join(channels)}; found "
                            f"{', '.join(self.channels)}. Rename the column, or record again with all channels.")
        order = [self.channels.index(channel) for channel in channels]
        return self.with_(samples=self.samples[:, order], channels=tuple(channels),
                          units=tuple(self.units[i] for i in order), scale=tuple(self.scale[i] for i in order))


def _checked_rate(rate_hz):
    try:
        value = float(rate_hz)
    except (TypeError, ValueError):
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise DataError(f"The rate is {rate_hz!r}: expected samples per second above 0, for example rate_hz=100.")
    return value


def _is_name(name):
    # What a csv header can carry and give back unchanged.
    return (isinstance(name, str) and name not in ("", "time_s") and name == name.strip() and name.isprintable()
            and not set(name) & set(',"#') and not _is_number(name))


def _runs(flags, at_least):
    """(start, stop) of each run of True in flags [n] that is at least so long."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2) if stop - start >= at_least]


def _spikes(step):
    """Index of samples that jump far away and straight back, from the steps between samples [n - 1]."""
    if len(step) < 2:
        return []
    there, back = step[:-1], -step[1:]
    size = np.where(there * back > 0, np.minimum(abs(there), abs(back)), 0)
    # Far is measured against the two steps before and after: a tap is sharp too, but its neighbours move with it.
    near = np.pad(abs(step), 2)
    count = len(size)
    around = np.max([near[:count], near[1:count + 1], near[4:count + 4], near[5:count + 5]], axis=0)
    return (np.flatnonzero(size > _SPIKE_RATIO * np.maximum(around, np.median(abs(step)))) + 1).tolist()


def _by_suffix(path, choices):
    if path.suffix.lower() not in choices:
        raise DataError(f"{path.name}: expected a file name that ends in {', '.join(choices)}.")
    return choices[path.suffix.lower()]


def _read_bytes(path):
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        there = sorted(p.name for p in path.parent.glob(f"*{path.suffix}"))[:8] if path.parent.is_dir() else []
        raise DataError(f"No file {path.name} in {path.parent.name or '.'}/ "
                        f"(found there: {', '.join(there) or 'nothing of this kind'}). Check the spelling.") from None
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}.") from None
    if not data:
        raise DataError(f"{path.name} is empty (0 bytes). Record it again, or copy it again.")
    return data


def _of_about(samples, about, name):
    """A Recording from samples and a dict that came out of a file."""
    known = {field.name for field in fields(Recording)} - {"samples"}
    try:
        return Recording(samples, **{key: value for key, value in about.items() if key in known})
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: its description of the samples is damaged ({error}). Record it again.") from None


# ---- csv

def _to_csv(recording):
    about = {**recording.about(), "dtype": recording.samples.dtype.name}
    del about["channels"]
    text = [f"# {key}: {json.dumps(value)}\n" for key, value in about.items()]
    text.append(",".join(recording.channels) + "\n")
    # Nine digits tell any two float32 apart.
    form = "%d" if recording.samples.dtype == np.int16 else "%.9g"
    row = ",".join([form] * recording.samples.shape[1]) + "\n"
    text += [row % tuple(values) for values in recording.samples.tolist()]
    return "".join(text).encode()


def _csv_parts(data, name):
    """The comments as a dict, the header, the rows of text, and the line number of each row."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not a text file (byte {error.start} is not UTF-8). Save it as CSV UTF-8.") from None
    about, header, rows, lines = {}, None, [], []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            key, colon, value = line[1:].partition(":")
            if colon and header is None:
                about[key.strip()] = _json_or_text(value.strip())
        elif header is None and line.strip():
            separator = "," if "dtype" in about else _separator(line)       # ours have commas only
            header = [column.strip().strip('"').strip() for column in line.split(separator)]
            if all(_is_number(_with_point(column, separator)) for column in header):     # no header, samples at once
                rows.append([_with_point(column, separator) for column in header])
                lines.append(number)
                header = [f"ch{i}" for i in range(len(header))]
        elif line.strip():
            rows.append([_with_point(text, separator) for text in line.split(separator)])
            lines.append(number)
    if header is None or not rows:
        raise DataError(f"{name} holds no samples: expected a header line with channel names, then a line for each "
                        "sample.")
    for key in ("units", "scale"):
        if isinstance(about.get(key), str):
            about[key] = about[key].split(",")
    units = about.get("units")
    if isinstance(units, list) and len(units) != len(set(header) - {"time_s"}):
        raise DataError(f"{name}: its comment lines give units for {len(units)} channels "
                        f"({', '.join(map(str, units))}), but the header has {len(header)}: {', '.join(header)}. "
                        "A column is missing or too many.")
    if all(len(row) == len(header) + 1 and not row[-1].strip() for row in rows):      # each line ends with a separator
        rows = [row[:-1] for row in rows]
    for number, row in zip(lines, rows, strict=True):
        if len(row) != len(header):
            raise DataError(f"{name}, line {number}: {len(row)} values; expected {len(header)} "
                            f"({', '.join(header)}). Mend or delete the line.")
    return about, header, rows, lines


def _from_csv(data, name, rate_hz):
    about, header, rows, lines = _csv_parts(data, name)
    if "label" not in about:
        _foreign_columns(about, header, rows, lines, name, rate_hz)
    table, all_whole = _numbers(rows, lines, header, name)
    if "time_s" in header:
        column = header.index("time_s")
        measured_hz = _rate_of(table[:, column], lines, name)
        said_hz = about.setdefault("rate_hz", measured_hz)
        if not (isinstance(said_hz, int | float) and abs(measured_hz - said_hz) < 0.01 * measured_hz):
            raise DataError(f"{name}: time_s counts {measured_hz:g} samples per second, but its comment line says "
                            f"{said_hz} Hz. Correct one of them.")
        header.pop(column)
        table = np.delete(table, column, axis=1)
        if not header:
            raise DataError(f"{name} has a time_s column and no other. Record at least one channel.")
    if about.setdefault("rate_hz", rate_hz) is None:
        raise DataError(f"{name} does not say how many samples there are per second: give rate_hz=..., "
                        "or add a column time_s or a first line '# rate_hz: 100'.")
    counts = (table == np.rint(table)) & (table >= -32768) & (table <= 32767)
    dtype = str(about.pop("dtype", "int16" if all_whole and counts.all() else "float32"))
    if dtype not in _DTYPES:
        raise DataError(f"{name}: dtype is {dtype!r}; expected int16 or float32.")
    if dtype == "int16" and not counts.all():
        row, column = np.argwhere(~counts)[0]
        raise DataError(f"{name}, line {lines[row]}, column {header[column]}: {table[row, column]:g} is no int16 count "
                        "(a whole number from -32768 to 32767). Correct it, or write '# dtype: float32'.")
    about["channels"] = header
    about.setdefault("source", "file")
    for key in ("label", "subject", "source"):
        about[key] = str(about.get(key, ""))
    with np.errstate(over="ignore"):
        return _of_about(table.astype(_DTYPES[dtype]), about, name)


def _separator(line):
    if any(mark in line for mark in ",;\t"):
        return max(";\t,", key=line.count)
    return None if all(map(_is_number, line.split())) else ","       # None: spaces, as in a table of numbers only


def _with_point(text, separator):
    # Who separates by semicolons may write 0,5 for a half.
    return text.replace(",", ".") if separator == ";" else text


_TIMES = {"time_s": 1.0, "seconds": 1.0, "seconds_elapsed": 1.0, "sec": 1.0, "time_ms": 1e-3, "timestamp_ms": 1e-3,
          "millis": 1e-3, "ms": 1e-3, "time_us": 1e-6, "timestamp_us": 1e-6, "micros": 1e-6, "time_ns": 1e-9,
          "timestamp_ns": 1e-9, "time": None, "t": None, "timestamp": None}
_COUNTERS = ("", "index", "unnamed: 0", "sample", "n", "id")
_ABOUT_COLUMNS = {"label": "label", "class": "label", "activity": "label", "gesture": "label", "subject": "subject",
                  "user": "subject", "person": "subject"}


def _foreign_columns(about, header, rows, lines, name, rate_hz):
    """Columns of another program that are no samples: times of any unit become time_s, counters and labels go.

    Changes all of them in place.
    """
    def column(i):
        return [row[i].strip().strip('"') for row in rows]

    for i in reversed(range(len(header))):
        plain = header[i].lower().partition("(")[0].partition("[")[0].strip().replace(" ", "_")
        values = column(i)
        if plain in _ABOUT_COLUMNS:
            odd = next((line for line, value in zip(lines, values, strict=True) if value != values[0]), None)
            if odd:
                raise DataError(f"{name}, line {odd}: the column {header[i]} changes from {values[0]!r} to another. "
                                "Expected one file for each recording: cut it there.")
            about[_ABOUT_COLUMNS[plain]] = values[0]
        elif plain in _COUNTERS and values == [str(int(float(values[0])) + k) if _is_number(values[0]) else ""
                                               for k in range(len(values))] and len(header) > 1:
            pass
        elif plain in _TIMES and header[i] != "time_s" and "time_s" not in header:
            measured_hz = _foreign_rate(values, lines, name, header[i], _TIMES[plain], rate_hz)
            about.setdefault("rate_hz", measured_hz)
        else:
            continue
        header.pop(i)
        for row in rows:
            row.pop(i)
    if not header:
        raise DataError(f"{name} has times or labels and no samples. Record at least one channel.")


def _foreign_rate(values, lines, name, column, unit_s, rate_hz):
    """Samples per second from another program's times, which tremble."""
    if rate_hz is not None and (unit_s is None or not all(map(_is_number, values))):
        return rate_hz
    wrong = next((line for line, value in zip(lines, values, strict=True) if not _is_number(value)), None)
    if wrong or len(values) < 2:
        raise DataError(f"{name}, line {wrong or lines[0]}, column {column}: that gives no rate. Expected numbers, seconds "
                        "or milliseconds, in at least two lines; or say rate_hz=...")
    time = np.array([float(value) for value in values])
    step = np.diff(time)
    usual = float(np.median(step))
    if unit_s is None:
        if usual == 1:
            raise DataError(f"{name}: the column {column} counts 1, 2, 3, ...: seconds, milliseconds or samples? "
                            "Say rate_hz=..., or name the column time_s or time_ms.")
        unit_s = 1.0 if usual < 1 else 1e-3 if usual < 1e3 else 1e-6 if usual < 1e6 else 1e-9
    odd = np.flatnonzero((step < 0) | (step > 5 * usual)) if usual > 0 else np.array([0])
    if len(odd):
        raise DataError(f"{name}, line {lines[odd[0] + 1]}: {column} steps by {step[odd[0]]:.4g}; expected about "
                        f"{usual:.4g}. Samples are missing or out of order: cut the file there.")
    measured_hz = float(f"{(len(time) - 1) / ((time[-1] - time[0]) * unit_s):.4g}")
    return rate_hz if rate_hz is not None and abs(measured_hz - rate_hz) < 0.02 * rate_hz else measured_hz


def _json_or_text(value):
    """A comment's value; one that a person wrote without quotes is text."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers(rows, lines, header, name):
    """The table as float64 [n, columns], and whether all its samples are written as whole numbers."""
    try:
        table = np.array([[float(text) for text in row] for row in rows])
    except ValueError:
        row, column = next((r, c) for r, row in enumerate(rows) for c, text in enumerate(row)
                           if not _is_number(text))
        raise DataError(f"{name}, line {lines[row]}, column {header[column]}: {rows[row][column].strip()!r} is not a "
                        "number. Write numbers with a point, for example 0.5; mend or delete the line.") from None
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0]
        raise DataError(f"{name}, line {lines[row]}, column {header[column]}: {rows[row][column].strip()} is not a "
                        "finite number. Delete the line, or fill it from its neighbours.")
    samples = [i for i, column in enumerate(header) if column != "time_s"]
    return table, all(row[i].strip().lstrip("+-").isdecimal() for row in rows for i in samples)


def _rate_of(time_s, lines, name):
    if len(time_s) < 2:
        raise DataError(f"{name} has one sample: its time_s column gives no rate. Give rate_hz=...")
    step_s = np.diff(time_s)
    usual_s = float(np.median(step_s))
    if usual_s <= 0:
        raise DataError(f"{name}: time_s does not grow. Expected seconds from the start, one step for each sample.")
    odd = np.flatnonzero(abs(step_s - usual_s) > 0.5 * usual_s)
    if len(odd):
        raise DataError(f"{name}, line {lines[odd[0] + 1]}: time_s steps by {step_s[odd[0]]:.4g} s; expected "
                        f"{usual_s:.4g} s. Samples are missing or out of order: cut the file there.")
    # Rounded times (0.01, 0.02, ...) should give 100 Hz, not 99.99999.
    return float(f"{(len(time_s) - 1) / (time_s[-1] - time_s[0]):.6g}")


# ---- npz

def pack_npz(arrays: dict) -> bytes:
    """The bytes of an npz file; the same arrays give the same bytes on every machine.

    `numpy.savez` writes the time of day into the file, and a compressor's output depends on its version:
    so the date is fixed and nothing is compressed.
    """
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            body = io.BytesIO()
            np.lib.format.write_array(body, np.asanyarray(array), allow_pickle=False)
            archive.writestr(entry, body.getvalue())
    return data.getvalue()


def unpack_npz(data: bytes, name: str, expected, what: str) -> dict:
    """The arrays of an npz file, which must have the names `expected`. No pickled object is ever opened."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            bodies = {entry.removesuffix(".npy"): archive.read(entry) for entry in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, struct.error) as error:
        raise DataError(f"{name} is not an npz file, or it is damaged or cut short ({error}). "
                        "Copy or make it again.") from None
    if not set(expected) <= set(bodies):
        raise DataError(f"{name} is an npz file of another kind: expected {what} with the arrays "
                        f"{', '.join(expected)}; found {', '.join(sorted(bodies)) or 'none'}. "
                        "Save it with edgekit, or build a Recording from its arrays.")
    arrays = {}
    for key in expected:
        try:
            arrays[key] = np.lib.format.read_array(io.BytesIO(bodies[key]), allow_pickle=False)
        except Exception as error:       # numpy reads the header with Python's own parser, which fails in many ways
            if "pickle" in str(error) or "Object arrays" in str(error):
                raise DataError(f"{name}: its array {key} holds pickled Python objects. Opening them could run any "
                                "program, so edgekit never does. Ask for plain numbers.") from None
            raise DataError(f"{name}: its array {key} is damaged ({error}). Copy or make the file again.") from None
    return arrays


def parse_about(text, name: str) -> dict:
    """The JSON that describes samples in a file."""
    try:
        about = json.loads(str(text))
    except ValueError:
        about = None
    if not isinstance(about, dict):
        raise DataError(f"{name}: its description of the samples is damaged. Copy or make the file again.")
    return about


def _to_npz(recording):
    return pack_npz({"samples": recording.samples, "about": np.array(json.dumps(recording.about()))})


def _from_npz(data, name, rate_hz):
    arrays = unpack_npz(data, name, ("samples", "about"), "a recording")
    return _of_about(arrays["samples"], parse_about(arrays["about"], name), name)


# ---- npy

def _from_npy(data, name, rate_hz):
    try:
        array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except Exception as error:       # numpy reads the header with Python's own parser, which fails in many ways
        if "Object arrays" in str(error) or "pickle" in str(error):
            raise DataError(f"{name} holds pickled Python objects. Opening them could run any program, so edgekit never "
                            "does. Save plain numbers: np.save('a.npy', np.asarray(values, np.float32)).") from None
        raise DataError(f"{name} is not an npy file, or it is damaged or cut short ({error}). "
                        "Save it again with np.save.") from None
    if array.dtype.kind not in "iuf":
        raise DataError(f"{name} holds {array.dtype}: expected numbers, int16 or float32. Convert with .astype(np.float32).")
    if array.ndim not in (1, 2):
        raise DataError(f"{name} has the shape {array.shape}: expected [samples] or [samples, channels] of one recording. "
                        "Save each recording in its own file.")
    if array.ndim == 2 and array.shape[0] <= 12 < array.shape[1]:
        raise DataError(f"{name} has the shape {array.shape}: {array.shape[1]} channels? Expected [samples, channels]. "
                        "Turn it round: np.save(path, array.T).")
    if rate_hz is None:
        raise DataError(f"{name} does not say how many samples there are per second: give rate_hz=...")
    whole = array.dtype.kind in "iu" and array.size and array.min() >= -32768 and array.max() <= 32767
    with np.errstate(over="ignore"):
        return _of_about(array.astype(np.int16 if whole else np.float32), {"rate_hz": rate_hz, "source": "file"}, name)


# ---- wav

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_WAV_FORMATS = {(_PCM, 8): "u1", (_PCM, 16): "<i2", (_PCM, 24): "3 bytes", (_PCM, 32): "<i4", (_FLOAT, 32): "<f4",
                (_FLOAT, 64): "<f8"}
_UNKNOWN_SIZE = 0x7FFF0000       # a program that writes into a pipe does not know the size


def _to_wav(recording):
    # Python's own wave module writes no float and no comment; RIFF is a few lines.
    samples = recording.samples.astype(_DTYPES[recording.samples.dtype.name], copy=False)
    count, width = samples.shape[1], samples.dtype.itemsize
    rate = max(1, round(recording.rate_hz))
    kind = _PCM if width == 2 else _FLOAT
    comment = json.dumps(recording.about()).encode() + b"\0"
    frame = count * width
    return _chunk(b"RIFF", b"WAVE"
                  + _chunk(b"fmt ", struct.pack("<HHIIHH", kind, count, rate, rate * frame, frame, width * 8))
                  + _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", comment))
                  + _chunk(b"data", samples.tobytes()))


def _chunk(name, body):
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _chunks(data, name):
    """Each (name, body) of a RIFF body."""
    position, complete = 0, False
    while position + 8 <= len(data):
        key, size = struct.unpack_from("<4sI", data, position)
        body = data[position + 8:position + 8 + size]
        if key == b"data" and size >= _UNKNOWN_SIZE:
            size = len(body)
        if len(body) < size:
            if complete:        # the samples are all there; what follows is no part of a wav, such as a tag of an MP3
                return
            raise DataError(f"{name} is cut short: its part {key.decode('latin-1').strip()!r} should have {size} "
                            f"bytes, {len(body)} are there. Copy it again.")
        yield key, body
        complete = complete or key == b"data"
        position += 8 + size + size % 2


_MAGIC = {b"ID3": "an MP3", b"\xff\xfb": "an MP3", b"OggS": "an Ogg", b"fLaC": "a FLAC", b"FORM": "an AIFF",
          b"\x1aE\xdf\xa3": "a WebM", b"RIFX": "a big-endian WAV", b"RF64": "a 64-bit WAV"}


_CONVERT = "Convert it to WAV first, for example: ffmpeg -i FILE sound.wav"


def _wav_parts(data, name):
    """The parts of a wav file, and its format: (parts, number of the format, channels, rate, bits)."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        kind = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)
        kind = kind or ("an MP4" if data[4:8] == b"ftyp" else None)
        found = f"this is {kind} file" if kind else f"found {data[:12]!r}"
        raise DataError(f"{name} is not a WAV file: expected it to begin with RIFF....WAVE; {found}. {_CONVERT}")
    parts = {}
    for key, body in _chunks(data[12:], name):
        parts.setdefault(key, body)
    for key in (b"fmt ", b"data"):
        if key not in parts:
            raise DataError(f"{name} is cut short: it has no {key.decode().strip()!r} part. Copy it again.")
    if len(parts[b"fmt "]) < 16:
        raise DataError(f"{name} is damaged: its 'fmt' part has {len(parts[b'fmt '])} bytes, expected at least 16.")
    kind, count, rate, _, _, bits = struct.unpack_from("<HHIIHH", parts[b"fmt "])
    if kind == _EXTENSIBLE and len(parts[b"fmt "]) >= 26:
        kind = struct.unpack_from("<H", parts[b"fmt "], 24)[0]
    return parts, kind, count, rate, bits


def _wav_samples(body, kind, count, bits, name):
    """int16 or float32 [n, channels], full scale 32768 or 1."""
    if (kind, bits) not in _WAV_FORMATS or count == 0:
        raise DataError(f"{name} has {count} channels of {bits} bits, WAV format {kind}: expected PCM of 8, 16, 24 or 32 "
                        "bits (format 1) or float (format 3). Export it as 16-bit PCM.")
    width = count * bits // 8
    if len(body) % width:
        raise DataError(f"{name} is damaged: {len(body)} bytes of samples are no multiple of {width}.")
    if not body:
        raise DataError(f"{name} holds no samples. Record it again.")
    if bits == 24:
        wide = np.zeros((len(body) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(body, np.uint8).reshape(-1, 3)
        values = wide.view("<i4")[:, 0]
    else:
        values = np.frombuffer(body, _WAV_FORMATS[kind, bits])
    if bits == 8:
        values = (values.astype(np.int16) - 128) * 256      # 8 bits have no sign
    elif kind == _PCM and bits != 16:
        values = (values / 2.0**31).astype(np.float32)
    elif bits == 64:
        values = values.astype(np.float32)
    return values.reshape(-1, count)


def _from_wav(data, name, rate_hz):
    parts, kind, count, rate, bits = _wav_parts(data, name)
    samples = _wav_samples(parts[b"data"], kind, count, bits, name)
    about = _wav_comment(parts.get(b"LIST", b""), name)
    if about is None:
        # A stranger's file. Full scale is 1, as audio programs have it.
        factor = 1 / 32768 if samples.dtype == np.int16 else 1.0
        about = {"units": ["full scale"] * count, "scale": [factor] * count, "source": "file"}
    # The rate field holds whole numbers only; the comment has the exact one, unless another program changed the rate.
    if max(1, round(about.get("rate_hz", rate))) != rate or "rate_hz" not in about:
        about["rate_hz"] = rate
    return _of_about(samples, about, name)


def _wav_comment(info, name):
    for key, body in _chunks(info[4:], name) if info[:4] == b"INFO" else ():
        if key == b"ICMT":
            try:
                about = json.loads(body.rstrip(b"\0"))
            except ValueError:
                return None
            return about if isinstance(about, dict) and "channels" in about else None
    return None


# ---- sound

_SHORTEST_S = 0.1
_SOUND_HZ = (4000, 384000)
_OTHER_SOUNDS = (".mp3", ".m4a", ".mp4", ".aac", ".ogg", ".opus", ".flac", ".aif", ".aiff", ".webm", ".3gp", ".amr",
                 ".wma")


def load_sound(path, rate_hz: int = 16000) -> tuple[Recording, tuple[str, ...]]:
    """Read a sound of any usual kind as the models of the course hear it: int16, one channel, 16 kHz.

    Parameters
    ----------
    path : str or path
        A ``.wav`` of 8, 16, 24, 32 bits or floats, any number of channels, any rate; or a recording that edgekit saved.
    rate_hz : int
        The rate you need.

    Returns
    -------
    recording : Recording
        int16 [n, 1], the channel is ``audio``.
    notes : tuple of str
        What was done to the sound and what is odd about it, a sentence each; empty for a sound that is right as it is.

    Raises
    ------
    DataError
        Missing, empty, no wav, damaged, shorter than 0.1 s, or no sound at all.

    Examples
    --------
    >>> import tempfile
    >>> path = Recording(np.ones((4410, 2), np.int16), 44100).save(Path(tempfile.mkdtemp()) / "both.wav")
    >>> recording, notes = load_sound(path)
    >>> recording.samples.shape, notes[0]
    ((1600, 1), 'both.wav has 2 channels: mixed into one.')
    """
    path = Path(path)
    if path.suffix.lower() in _OTHER_SOUNDS:
        raise DataError(f"{path.name} is not a WAV file. {_CONVERT}")
    recording = Recording.load(path)
    name, notes = path.name, []
    if not _SOUND_HZ[0] <= recording.rate_hz <= _SOUND_HZ[1]:
        raise DataError(f"{name} has {recording.rate_hz:g} samples per second: expected sound, {_SOUND_HZ[0]} to "
                        f"{_SOUND_HZ[1]}. Is it the recording of another sensor?")
    if recording.duration_s < _SHORTEST_S:
        raise DataError(f"{name} is {recording.duration_s * 1000:.0f} ms long: expected at least "
                        f"{_SHORTEST_S * 1000:.0f} ms, a word takes 300 to 800. Record it again.")
    counts = recording.samples.dtype == np.int16
    sound = recording.samples.astype(np.float64)
    if not counts:
        sound *= 32768 * np.array(recording.scale)
        if abs(sound).max() > 32768:
            notes.append(f"{name} has samples above full scale: they are cut off there.")
            sound = np.clip(sound, -32768, 32767)
    cut = np.mean((sound >= 32767) | (sound <= -32767))
    if cut > 0.001:
        notes.append(f"{cut:.1%} of the samples of {name} are at the limit: it is clipped. Speak more softly or farther "
                     "away if the result is poor.")
    channels = sound.shape[1]
    if channels > 1:
        mixed = sound.mean(axis=1, keepdims=True)
        loudest = sound[:, [np.square(sound).sum(axis=0).argmax()]]
        # Two channels with opposite signs would cancel.
        cancels = np.square(mixed).sum() < 0.05 * np.square(loudest).sum()
        sound = loudest if cancels else mixed
        notes.append(f"{name} has {channels} channels: " + ("they cancel, so the loudest is taken." if cancels
                                                             else "mixed into one."))
    if recording.rate_hz != rate_hz:
        sound = _resample(sound[:, 0], recording.rate_hz, rate_hz)[:, None]
        notes.append(f"{name} was recorded at {recording.rate_hz:g} Hz: resampled to {rate_hz:g} Hz"
                     + (f", so it holds nothing above {recording.rate_hz / 2:g} Hz." if recording.rate_hz < rate_hz
                        else "."))
    loudest = abs(sound).max()
    if loudest < 33:         # 60 dB below full scale
        notes.append(f"{name} is nothing but silence." if loudest < 1 else
                     f"{name} is very quiet: its loudest sample is {loudest:.0f} of 32768. Speak closer to the microphone.")
    samples = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
    return Recording(samples, rate_hz, ("audio",), ("full scale",), (1 / 32768,), recording.label, recording.subject,
                     recording.source or "file"), tuple(notes)


def _resample(sound, rate_hz, wanted_hz, beyond="constant"):
    """[n] or [n, channels] at one rate to another, with a low-pass filter against aliases; `beyond` as in resample_poly."""
    from fractions import Fraction

    from scipy import signal

    ratio = Fraction(wanted_hz / rate_hz).limit_denominator(1000)
    return signal.resample_poly(sound, ratio.numerator, ratio.denominator, padtype=beyond)
