"""Sound in a notebook: hear it, see it, and hear what a mel bank keeps of it."""

import html
from dataclasses import dataclass

import numpy as np

from edgekit.errors import DataError
from edgekit.lab.plot import COLOURS, CYCLE, _done, _subplots

__all__ = ["Heard", "hear", "plot_mel_bank", "plot_operating_curve", "plot_scores", "plot_sound", "plot_spectrogram",
           "plot_spectrum", "vocode"]

RATE_HZ = 16000
_PLAYER = ('<div style="display:flex;align-items:center;gap:12px;margin:2px 0">'
           '<span style="min-width:11em">{name}</span>'
           '<audio controls preload="auto" src="{data}" aria-label="{name}" style="height:36px"></audio>'
           '<span style="font-size:85%;opacity:.8">{about}</span></div>')


@dataclass(frozen=True)
class Heard:
    """Sounds with a player for each, to be shown in a notebook.

    Attributes
    ----------
    sounds : dict
        Name -> float64 [n], of full scale.
    rate_hz : float
    """

    sounds: dict
    rate_hz: float

    def __repr__(self):
        return "\n".join(f"{name or 'sound'}: {self._about(sound)}" for name, sound in self.sounds.items())

    def _repr_html_(self):
        from IPython.display import Audio
        return "".join(_PLAYER.format(name=html.escape(str(name)), about=self._about(sound),
                                      data=Audio(sound, rate=self.rate_hz, normalize=False).src_attr())
                       for name, sound in self.sounds.items())

    def _about(self, sound):
        peak = np.abs(sound).max()
        level = f"peak {20 * np.log10(peak):.0f} dB of full scale" if peak else "silent"
        return f"{len(sound) / self.rate_hz:.2f} s, {level}"


def hear(sound, rate_hz: float | None = None, caption: str = "", normalize: bool = False) -> Heard:
    """Players for a sound, or for several below each other. Make it the last line of a cell.

    A sound is played as loud as the microphone took it, so that two of them can be compared. It needs no network, and it
    stays in the notebook when that is saved.

    Parameters
    ----------
    sound : Recording or array_like or dict
        int16 counts, or floats from -1 to 1; shape [n] or [n, 1]. Or name -> sound, for several.
    rate_hz : float, optional
        Samples per second. Default: what the Recording says, else 16000.
    caption : str
        Stands before the player of a single sound. Default: the label of a Recording.
    normalize : bool
        Make the loudest sample of all sounds full scale: for recordings that are too quiet to hear. Their loudness
        relative to each other stays.

    Returns
    -------
    Heard

    Raises
    ------
    DataError
        There is no sample, or more than one channel, or the rates differ.

    Examples
    --------
    >>> hear(np.full(800, 16384, np.int16), caption="a click")
    a click: 0.05 s, peak -6 dB of full scale
    """
    named = sound if isinstance(sound, dict) else {caption or getattr(sound, "label", ""): sound}
    rates = {float(one.rate_hz) for one in named.values() if hasattr(one, "rate_hz")} | ({float(rate_hz)} if rate_hz else set())
    if len(rates) > 1:
        raise DataError(f"These sounds have different rates: {', '.join(f'{rate:g} Hz' for rate in sorted(rates))}. "
                        "Hear them one by one, or resample them.")
    made = {name: _waveform(one) for name, one in named.items()}
    if normalize and (largest := max(np.abs(one).max() for one in made.values())):
        made = {name: one / largest for name, one in made.items()}
    return Heard(made, rates.pop() if rates else RATE_HZ)


def vocode(mel, bank, hop: int = 320, window: int = 480, seed: int = 0) -> np.ndarray:
    """Let noise speak: white noise that is given, frame by frame, the power that a mel bank has measured.

    What the mel bank has thrown away (the pitch, the phase, all detail within a band) is not in there. So this is what a
    network hears that gets mel bands. Channel vocoders work so (Dudley, "Remaking Speech", 1939).

    Parameters
    ----------
    mel : array_like
        Power in each band, [frames, bands]: ``np.abs(np.fft.rfft(frames * hann, fft)) ** 2 @ bank.T``, of samples
        from -1 to 1.
    bank : array_like
        Weights of the mel bank, [bands, fft // 2 + 1].
    hop, window : int
        Samples from frame to frame, and in a frame.
    seed : int
        Of the noise.

    Returns
    -------
    numpy.ndarray
        float64 [(frames - 1) * hop + window], about as loud as the sound was.

    Examples
    --------
    >>> bank = np.ones((1, 257))                # one band that hears everything
    >>> mel = np.full((50, 1), 257 * 180 * 0.01)        # as of white noise with a mean square of 0.01
    >>> sound = vocode(mel, bank)
    >>> sound.shape, round(float((sound ** 2).mean()), 2)
    ((16160,), 0.01)
    """
    mel, bank = np.asarray(mel, float), np.asarray(bank, float)
    if mel.ndim != 2 or bank.ndim != 2 or mel.shape[1] != len(bank):
        raise DataError(f"The mel bands have the shape {mel.shape}, the bank {bank.shape}: expected [frames, bands] and "
                        "[bands, bins] with as many bands.")
    fft = 2 * (bank.shape[1] - 1)
    hann = np.hanning(window + 1)[:-1]
    covered = bank.sum(axis=0)
    density = (mel / bank.sum(axis=1)) @ bank / np.where(covered > 0, covered, 1)       # power in each bin
    gain = np.sqrt(np.maximum(density, 0) / (hann ** 2).sum())
    noise = np.random.default_rng(seed).standard_normal((len(mel) - 1) * hop + window)
    sound, weight = np.zeros_like(noise), np.full_like(noise, 1e-3)
    for frame, at in zip(gain, range(0, len(noise), hop), strict=False):
        here = slice(at, at + window)
        sound[here] += hann * np.fft.irfft(np.fft.rfft(hann * noise[here], fft) * frame, fft)[:window]
        weight[here] += hann ** 2
    return sound / weight


def plot_sound(sound, rate_hz: float | None = None, title: str = "", marks=()):
    """Draw sounds over time, one panel for each, on the same axes.

    Parameters
    ----------
    sound : Recording or array_like or dict
        As for :func:`hear`.
    rate_hz : float, optional
    title : str
    marks : sequence of (float, float)
        Stretches from start to stop in seconds, shaded.

    Returns
    -------
    matplotlib.figure.Figure
    """
    heard = hear(sound, rate_hz)
    figure, panels = _subplots(len(heard.sounds), 1, size=(8, 1.1 + 1.3 * len(heard.sounds)), sharex=True, sharey=True)
    for (name, one), ax in zip(heard.sounds.items(), panels, strict=True):
        ax.plot(np.arange(len(one)) / heard.rate_hz, one, color=CYCLE[0], linewidth=0.6)
        for start_s, stop_s in marks:
            ax.axvspan(start_s, stop_s, color=COLOURS["orange"], alpha=0.35)
        if len(panels) > 1:
            ax.set_title(name, fontsize="medium", loc="left")
    figure.supylabel("sound pressure (of full scale)", fontsize="medium")
    panels[-1].set_xlabel("time (s)")
    figure.suptitle(title or (str(next(iter(heard.sounds))) if len(panels) == 1 else ""), fontsize="medium")
    return _done(figure)


def plot_spectrum(power, rate_hz: float = RATE_HZ, title: str = "", ylabel: str = "power (dB)", top_khz: float | None = None):
    """Draw the power in each frequency, in dB.

    Parameters
    ----------
    power : array_like or dict
        [fft // 2 + 1], ``np.abs(np.fft.rfft(frame, fft)) ** 2``; or name -> power, for several.
    rate_hz : float
        Samples per second of the sound.
    title, ylabel : str
    top_khz : float, optional
        Draw up to here.

    Returns
    -------
    matplotlib.figure.Figure
    """
    curves = power if isinstance(power, dict) else {"": power}
    figure, (ax,) = _subplots(1, 1, size=(8, 3.2))
    for colour, style, (name, values) in zip(CYCLE, ("-", "--", "-.", ":") * 2, curves.items(), strict=False):
        ax.plot(np.linspace(0, rate_hz / 2000, len(values)), _db(values), style, color=colour, linewidth=1.2, label=name)
    ax.set_xlim(0, top_khz or rate_hz / 2000)
    ax.set(xlabel="frequency (kHz)", ylabel=ylabel)
    ax.set_title(title, fontsize="medium")
    if any(curves):
        ax.legend(fontsize="small")
    return _done(figure)


def plot_spectrogram(values, hop_s: float = 0.02, rows: str = "frequency (kHz)", top: float | None = None, unit: str = "dB",
                     title: str = "", signed: bool = False, floor: float | None = None):
    """Draw numbers that change over time as a picture: a spectrogram, mel bands, MFCC. Time runs to the right.

    Parameters
    ----------
    values : array_like or dict
        [frames, rows], drawn as they are (in dB already); or name -> values, side by side with the same colours.
    hop_s : float
        Seconds from frame to frame.
    rows : str
        What the rows are, with the unit.
    top : float, optional
        What the uppermost row is, for the axis: for example 8 (kHz). Default: rows are counted.
    unit : str
        Of the values.
    title : str
    signed : bool
        Values have a sign: white is 0, the colours tell which side.
    floor : float, optional
        Draw nothing darker than so much below the largest value, for example 60 (dB).

    Returns
    -------
    matplotlib.figure.Figure
    """
    pictures = {name: np.asarray(one, float) for name, one in (values if isinstance(values, dict) else {"": values}).items()}
    high = max(one.max() for one in pictures.values())
    low = min(one.min() for one in pictures.values())
    if signed:
        high = max(high, -low) or 1.0
        low = -high
    elif floor is not None:
        low = max(low, high - floor)
    figure, panels = _subplots(1, len(pictures), size=(min(11.5, max(7, 1.4 + 3.6 * len(pictures))), 3.3), sharex=True)
    for (name, one), ax in zip(pictures.items(), panels, strict=True):
        count = one.shape[1]
        bottom, end = (-0.5, count - 0.5) if top is None else (0, top)
        drawn = ax.imshow(one.T, origin="lower", aspect="auto", interpolation="nearest", vmin=low, vmax=high,
                          cmap="PuOr" if signed else "magma", extent=(0, hop_s * len(one), bottom, end))
        ax.set_title(name, fontsize="medium")
        ax.set_xlabel("time (s)")
    panels[0].set_ylabel(rows)
    figure.colorbar(drawn, ax=panels, label=unit)
    figure.suptitle(title, fontsize="medium")
    return _done(figure)


def plot_mel_bank(bank, rate_hz: float = RATE_HZ, title: str = ""):
    """Draw the triangles of a mel bank, each up to its largest weight.

    Parameters
    ----------
    bank : array_like or dict
        Weights, [bands, fft // 2 + 1]; or name -> weights, one panel for each.
    rate_hz : float
        Samples per second of the sound.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    banks = bank if isinstance(bank, dict) else {"": bank}
    figure, panels = _subplots(len(banks), 1, size=(8, 1 + 1.6 * len(banks)), sharex=True)
    for (name, weights), ax in zip(banks.items(), panels, strict=True):
        weights = np.asarray(weights, float)
        frequency_khz = np.linspace(0, rate_hz / 2000, weights.shape[1])
        for number, band in enumerate(weights):
            seen = np.flatnonzero(band)
            if len(seen):
                part = slice(max(0, seen[0] - 1), seen[-1] + 2)
                ax.plot(frequency_khz[part], band[part] / band.max(), color=CYCLE[number % 2], linewidth=1.2)
        ax.set_title(name or title, fontsize="medium")
        ax.set_ylabel("weight (of 1)")
    panels[-1].set_xlabel("frequency (kHz)")
    return _done(figure)


def plot_scores(time_s, scores, classes, threshold: float | None = None, truth=(), decisions=(), title: str = ""):
    """Draw how sure a network is of each class while a sound goes by, what was said, and when it has decided.

    Parameters
    ----------
    time_s : array_like
        When it looked, in seconds, [n].
    scores : array_like
        From 0 to 1, [n, classes].
    classes : sequence of str
    threshold : float, optional
        A dashed line.
    truth : sequence of (float, float, str)
        What was said: start and stop in seconds, and the word; shaded.
    decisions : sequence of (float, str)
        When it has decided, in seconds, and for what; a triangle.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    scores = np.asarray(scores, float)
    figure, (ax,) = _subplots(1, 1, size=(9, 3.2))
    colours = dict(zip(classes, CYCLE, strict=False))
    for style, (name, colour), column in zip(("-", "--", "-.", ":") * 2, colours.items(), scores.T, strict=False):
        ax.plot(time_s, column, style, color=colour, linewidth=1.4, label=name)
    for start_s, stop_s, word in truth:
        ax.axvspan(start_s, stop_s, color="0.85", zorder=0)
        ax.text((start_s + stop_s) / 2, 1.13, word, ha="center", fontsize="small")
    for when_s, name in decisions:
        ax.plot(when_s, 1.06, "v", color=colours.get(name, "black"), markersize=9, clip_on=False)
    if threshold is not None:
        ax.axhline(threshold, color="black", linestyle="--", linewidth=1)
    ax.set(xlabel="time (s)", ylabel="score (0 to 1)", ylim=(0, 1.22 if len(truth) or len(decisions) else 1.05), xlim=(time_s[0], time_s[-1]))
    ax.set_title(title, fontsize="medium")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small")
    return _done(figure)


def plot_operating_curve(curves, chosen=None, title: str = "Each threshold is a bargain"):
    """Draw false alarms against missed words: one point for each threshold.

    Parameters
    ----------
    curves : dict
        Name -> edgekit.spotting.OperatingCurve, or (false accepts per hour, share of words that were missed).
    chosen : (float, float), optional
        The point that ships: false accepts per hour, share of words that were missed.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (ax,) = _subplots(1, 1, size=(6.5, 3.8))
    for colour, style, marker, (name, curve) in zip(CYCLE, ("-", "--", "-.", ":") * 2, "os^Dv<>x", curves.items(), strict=False):
        accepts, missed = curve if isinstance(curve, tuple) else np.transpose(
            [(point.false_accepts / curve.hours, point.missed / max(1, curve.words)) for point in curve.points])
        ax.plot(accepts, 100 * np.asarray(missed, float), style, color=colour, marker=marker, markersize=4, label=name)
    if chosen is not None:
        ax.plot(chosen[0], 100 * chosen[1], "*", color=COLOURS["vermillion"], markersize=16, label="what ships", zorder=5)
    ax.set_xscale("symlog", linthresh=1)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set(xlabel="false alarms in an hour (logarithmic above 1)", ylabel="words missed (%)", xlim=(0, None), ylim=(0, None))
    ax.set_title(title, fontsize="medium")
    ax.grid(True, alpha=0.3)
    ax.legend(fontsize="small")
    return _done(figure)


def _waveform(sound):
    """float64 [n], of full scale."""
    samples = np.asarray(getattr(sound, "samples", sound))
    scale = getattr(sound, "scale", None)
    if samples.ndim == 2 and samples.shape[1] == 1:
        samples = samples[:, 0]
    if samples.ndim != 1 or not len(samples):
        raise DataError(f"A sound is one row of samples; found the shape {samples.shape}. Take one channel of it.")
    if samples.dtype.kind in "iu" and (scale is None or scale[0] == 1.0):
        return samples / 32768
    return np.clip(samples.astype(float) * (scale[0] if scale else 1.0), -1, 1)


def _db(power):
    return 10 * np.log10(np.maximum(np.asarray(power, float), 1e-12))
