"""Make the ready keyword model in ``datasets/models/`` and its card ``keyword.md``: a part of ``make models``.

It trains on more words than the shipped set holds: the same voices say further words, from further seeds, with the
program espeak-ng. That takes about ten minutes.
"""

import hashlib

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
from edgekit.signals.speech import CLASSES, VOICES, make_words, split_of, stream
from edgekit.spotting import FILE_THRESHOLD, operating_curve
from edgekit.tflite import Interpreter
from edgekit.train import accuracy_interval

CARD = "keyword.md"
SNRS_DB = (0, 5, 10, 15, 20, None)
SEEDS, PIECED_SEEDS = range(5), range(5, 15)
MISSED = 0.05           # share of the validation voices' keywords that the threshold may miss
ALARMS_PER_HOUR = 10.0  # of the other threshold in the table
DENSE_S, SPARSE_S = (0.3, 4.0), (15.0, 45.0)    # from word to word
STREAMS = (("validation", 1800, DENSE_S), ("test", 3600, DENSE_S), ("test, a word each half minute", 3600, SPARSE_S),
           ("other", 1200, DENSE_S))
TRAINING = dict(count=40_000, copies=2, epochs=12, seed=0)


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
        espeak-ng or flite is not installed.
    """
    words = training_words()
    model, params, calibration, _ = train_keyword_net(words, progress=progress, **TRAINING)
    content = convert(model, calibration)
    params.save(out / FEATURES)
    save_weights(model, out / WEIGHTS)
    _write(out / FILES["int8"], content)
    _write(out / CARD, card(content, params, load_dataset("keywords")).encode())
    return [out / name for name in (*FILES.values(), FEATURES, WEIGHTS, CARD)]


def training_words():
    """What the shipped model learned from: the voices of the part "train", with more words than the shipped set has.

    The few voices of flite, pieced together from recordings of people, say more than the many of espeak-ng.
    """
    pieced = [voice for voice in VOICES["train"] if voice.startswith("flite+")]
    plan = [(VOICES["train"], seed) for seed in SEEDS] + [(pieced, seed) for seed in PIECED_SEEDS]
    return Dataset([word for voices, seed in plan for word in make_words(voices, seed=seed)], CLASSES)


def card(content, params, words) -> str:
    """Measure a model, and write down what it is: the model card.

    Parameters
    ----------
    content : bytes
        The int8 .tflite.
    params : AudioParams
    words : edgekit.dataset.Dataset
        The shipped words.
    """
    twin = Interpreter(content)
    voices = VOICES["train"]
    return f"""# Model card: keyword net

Made by `make models` (`edgekit/course/build_keyword.py`) from **synthetic** speech: nobody was recorded for it. It reads
the last second of sound (16 kHz, int16) as int8 MFCC (`{FEATURES}`) and scores {", ".join(params.classes)}.

| file | bytes | multiply-accumulates |
|---|---|---|
| `{FILES["int8"]}` | {len(content)} | {twin.macs} |

`{WEIGHTS}` holds the trained float weights. sha256 of `{FILES["int8"]}`: `{hashlib.sha256(content).hexdigest()}`.

{figures(content, params, words)}
**How it was trained.** {len(voices)} voices: of espeak-ng, and {sum(v.startswith("flite+") for v in voices)} of flite, which are pieced together from
recordings of people. They say more than in the shipped set: seeds {SEEDS[0]} to {SEEDS[-1]}, those of flite also {PIECED_SEEDS[0]} to {PIECED_SEEDS[-1]}. Each word is
also changed into {TRAINING["copies"]} that other people might have said (`edgekit.train.other_voices`), and all are mixed into {TRAINING["count"]}
clips with rooms and noise, -3 to 40 dB; {TRAINING["epochs"]} epochs, seed {TRAINING["seed"]}.

**Do not use it** where a mistake costs something. It knows English "yes" and "no". It was tested on no real person, and on
no child.
"""


def figures(content, params, words) -> str:
    """The measured part of the card: accuracy by noise and class; an hour of sound.

    Parameters
    ----------
    content : bytes
        The int8 .tflite.
    params : AudioParams
    words : edgekit.dataset.Dataset
        The shipped words.
    """
    twin = Interpreter(content)
    bundle = Bundle("keyword", content, params, app="keyword")
    curves = {name: operating_curve(bundle, *stream(words, seconds, seed=11, split=name.partition(",")[0], gap_s=gap_s))
              for name, seconds, gap_s in STREAMS}
    threshold = curves["validation"].choose(false_rejects=MISSED)
    parts = {part: {snr_db: score_clips(twin, params, words, part, snr_db) for snr_db in SNRS_DB}
             for part in ("test", "other")}
    loud = {part: _sum(scores[snr_db] for snr_db in SNRS_DB if snr_db is None or snr_db >= 10)
            for part, scores in parts.items()}
    strangers = [voice for voice in words.subjects if split_of(voice) == "other"]
    rows = "\n".join(_row(snr_db, parts["test"][snr_db], parts["other"][snr_db], params.classes) for snr_db in SNRS_DB)
    hours = "\n".join(_hour(name, curve, at) for name, curve in curves.items()
                      for at in sorted({threshold, curves["validation"].choose(ALARMS_PER_HOUR)}))
    return f"""**How good is it?** int8, computed by the host twin of the board (equal to the bit), on clips of a second mixed from
words of voices that it never heard. 95 % intervals by Wilson; the clips share voices, so they are too narrow.

At 10 dB and better together, test voices: {_share(loud["test"]["all"])};
{"; ".join(f"{name} {_share(loud['test'][name])}" for name in params.classes)}.

Voices of another synthesizer ({", ".join(strangers)}), of which nothing was learned or chosen: {_share(loud["other"]["all"])};
{"; ".join(f"{name} {_share(loud['other'][name])}" for name in params.classes)}.

| word over noise | test voices | {" | ".join(params.classes)} | another synthesizer |
|---|---|{"---|" * len(params.classes)}---|
{rows}

**In a stream.** Somebody says a word every two or three seconds, all the time, 5 to 30 dB above a changing background; 3 of 10
words are keywords, many of the others are near them ("go", "yet"). In one line a word comes each half minute: there,
nearly all false alarms are of the crowd in the background. The mean of 3 looks, one each 100 ms, must reach the threshold; then 1 s of
rest.
The threshold **{threshold}** ships: of those that miss at most {MISSED:.0%} of the validation voices' keywords it has the fewest false
alarms. The higher one in the table has at most {ALARMS_PER_HOUR:g} false alarms in an hour with them, or the fewest there are. For a
file, `edgekit keyword` asks for {FILE_THRESHOLD}: who gives a file has most likely said one of the words.

| voices | hours | threshold | false alarms in an hour | keywords missed |
|---|---|---|---|---|
{hours}

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
    return (f"| {name} | {curve.hours:.2g} | {threshold} | {point.false_accepts / curve.hours:.0f} | {point.missed} of {curve.words}, "
            f"{point.missed / curve.words:.1%} ({low:.1%} to {high:.1%}) |")


def _sum(scores):
    total = {}
    for score in scores:
        for name, (right, count) in score.items():
            before = total.get(name, (0, 0))
            total[name] = before[0] + right, before[1] + count
    return total


def _write(path, content):
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
