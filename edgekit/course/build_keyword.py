"""Make the ready keyword model in ``datasets/models/`` and its card ``keyword.md``: a part of ``make models``.

It trains on more words than the shipped set holds: the same voices say further words, from further seeds, with the
program espeak-ng. That takes about ten minutes.
"""

import hashlib

import numpy as np

from edgekit.dataset import Dataset, load_dataset
from edgekit.deploy import Bundle
from edgekit.paths import MODELS, atomic_write
from edgekit.recipes.keyword import (
    FEATURES,
    FILES,
    WEIGHTS,
    convert,
    features,
    save_weights,
    train_keyword_net,
)
from edgekit.signals.speech import VOICES, espeak_version, make_words, stream
from edgekit.spotting import operating_curve
from edgekit.tflite import Interpreter
from edgekit.train import accuracy_interval

CARD = "keyword.md"
SNRS_DB = (0, 5, 10, 15, 20, None)
MORE_SEEDS = (1, 2, 3, 4, 5)
TRAINING = dict(count=40_000, copies=3, epochs=14, seed=0)
ALARMS_PER_HOUR = 1.0


def build(out=MODELS, progress=True) -> list:
    """Train, convert, measure and write the keyword model.

    Parameters
    ----------
    out : path
        Folder to write to.
    progress : bool

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    SetupError
        espeak-ng is not installed.
    """
    shipped = load_dataset("keywords")
    more = [word for seed in MORE_SEEDS for word in make_words(VOICES["train"], seed=seed)]
    words = Dataset([*shipped, *more], shipped.classes)
    model, params, calibration, _ = train_keyword_net(words, progress=progress, **TRAINING)
    content = convert(model, calibration)
    params.save(out / FEATURES)
    save_weights(model, out / WEIGHTS)
    _write(out / FILES["int8"], content)
    _write(out / CARD, card(content, params, shipped, len(more)).encode())
    return [out / name for name in (*FILES.values(), FEATURES, WEIGHTS, CARD)]


def card(content, params, words, more) -> str:
    """Measure a model, and write down what it is: the model card.

    Parameters
    ----------
    content : bytes
        The int8 .tflite.
    params : AudioParams
    words : edgekit.dataset.Dataset
        The shipped words.
    more : int
        Further words that it was trained on.
    """
    twin = Interpreter(content)
    bundle = Bundle("keyword", content, params, app="keyword")
    validation = operating_curve(bundle, *stream(words, 3600, seed=11, split="validation"))
    threshold = validation.choose(ALARMS_PER_HOUR)
    test = operating_curve(bundle, *stream(words, 3600, seed=12, split="test"), thresholds=[threshold])
    other = operating_curve(bundle, *stream(words, 3600, seed=13, split="other"), thresholds=[threshold])
    of_test = {snr_db: score_clips(twin, params, words, "test", snr_db) for snr_db in SNRS_DB}
    of_other = {snr_db: score_clips(twin, params, words, "other", snr_db) for snr_db in SNRS_DB}
    loud = [of_test[snr_db] for snr_db in SNRS_DB if snr_db is None or snr_db >= 10]
    summed = {name: tuple(np.sum([part[name] for part in loud], axis=0)) for name in ("all", *params.classes)}
    return f"""# Model card: keyword net

Made by `make models` (`edgekit/course/build_keyword.py`) from **synthetic** speech: nobody was recorded. It reads the last
second of sound (16 kHz, int16) as int8 MFCC (`{FEATURES}`) and scores {", ".join(params.classes)}.

| file | bytes | multiply-accumulates |
|---|---|---|
| `{FILES["int8"]}` | {len(content)} | {twin.macs} |

`{WEIGHTS}` holds the trained float weights. sha256 of `{FILES["int8"]}`: `{hashlib.sha256(content).hexdigest()}`.

**How good is it?** int8, computed by the host twin of the board (equal to the bit), on clips of one second mixed from
words of voices that it never heard, 95 % intervals by Wilson. Clips share voices, so the intervals are too narrow.

At 10 dB and better together: {_share(summed["all"])}; {"; ".join(f"{name} {_share(summed[name])}" for name in params.classes)}.

| signal to noise | test voices (espeak-ng) | {" | ".join(params.classes)} | another synthesizer (flite) |
|---|---|{"---|" * len(params.classes)}---|
{chr(10).join(_row(snr_db, of_test[snr_db], of_other[snr_db], params.classes) for snr_db in SNRS_DB)}

The last column is the nearest to real people that we have: nothing was trained or chosen with these {len(VOICES["other"])}
voices. Expect less from people.

**In a stream.** The mean of 3 looks, one each 100 ms, must reach the threshold; after a word 1 s of rest. The threshold
**{threshold}** misses least among those with at most {ALARMS_PER_HOUR:g} false alarm in an hour with the validation voices
(words every few seconds, 5 to 30 dB above a changing background):

| an hour of | threshold | false alarms | words missed |
|---|---|---|---|
{chr(10).join(_hour(name, curve, threshold) for name, curve in (("validation voices", validation), ("test voices", test), ("flite", other)))}

**How it was trained.** {len(VOICES["train"])} voices of espeak-ng {espeak_version()}: their words in the shipped set and
{more} more from the seeds {", ".join(map(str, MORE_SEEDS))}. Each word is also changed into {TRAINING["copies"]} that other people might have
said (`edgekit.train.other_voices`), and all are mixed into {TRAINING["count"]} clips with rooms and noise, -3 to 40 dB; {TRAINING["epochs"]} epochs,
seed {TRAINING["seed"]}.

**Do not use it** where a mistake costs something. It knows English "yes" and "no", spoken alone. It was never tested on a
real person's voice, on children, or in a language's own sounds for other words.
"""


def score_clips(twin, params, words, part, snr_db, count=1000) -> dict:
    """(right, all) for each class, and for "all", on clips of a part at a signal-to-noise ratio (None: no background)."""
    x, y, _ = features(words, params, count, seed=77, split=part, snr_db=snr_db)
    right = twin.invoke(x).reshape(len(x), -1).argmax(axis=1) == y
    return {"all": (int(right.sum()), len(y)),
            **{name: (int(right[y == i].sum()), int((y == i).sum())) for i, name in enumerate(params.classes)}}


def _share(counts):
    right, total = map(int, counts)
    low, high = accuracy_interval(right, total)
    return f"{right / total:.1%} ({right} of {total}, {low:.1%} to {high:.1%})"


def _row(snr_db, test, other, classes):
    name = "no background" if snr_db is None else f"{snr_db} dB"
    by_class = " | ".join(f"{test[c][0] / test[c][1]:.1%}" for c in classes)
    return f"| {name} | {_share(test['all'])} | {by_class} | {_share(other['all'])} |"


def _hour(name, curve, threshold):
    point = next(point for point in curve.points if point.threshold == threshold)
    low, high = accuracy_interval(point.missed, curve.words)
    return (f"| {name} | {threshold} | {point.false_accepts} | {point.missed} of {curve.words}, "
            f"{point.missed / curve.words:.1%} ({low:.1%} to {high:.1%}) |")


def _write(path, content):
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
