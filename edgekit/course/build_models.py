"""Make the ready models in ``datasets/models/`` and their card, by the recipe that the lessons teach: ``make models``."""

import hashlib

from edgekit.convert import run
from edgekit.dataset import load_dataset
from edgekit.features.motion import waveform
from edgekit.paths import MODELS, atomic_write
from edgekit.recipes.gesture import (
    FEATURES,
    FILES,
    FURTHER_PEOPLE,
    WEIGHTS,
    convert_all,
    further_windows,
    leaky_score,
    save_weights,
    split,
    train_gesture_net,
)
from edgekit.train import evaluate, fit, gesture_net, score, subject_interval

CARD = "README.md"


def build(out=MODELS, progress=True) -> list:
    """Train, convert and write everything that ``datasets/models/`` holds.

    Parameters
    ----------
    out : path
        Folder to write to.
    progress : bool

    Returns
    -------
    list of pathlib.Path
        The files written; ``README.md``, ``keyword.md``, ``fall.md`` and ``machine.md`` are the model cards with the figures.
    """
    from edgekit.course.build_falls import build as build_falls
    from edgekit.course.build_keyword import build as build_keyword
    from edgekit.course.build_vibration import build as build_vibration

    return build_gesture(out, progress=progress) + build_keyword(out, progress) + build_falls(out, progress) + build_vibration(out, progress)


def build_gesture(out=MODELS, dataset=None, progress=True) -> list:
    """The gesture model in all its forms, and its card ``README.md``.

    Parameters
    ----------
    out : path
    dataset : edgekit.dataset.Dataset, optional
        The shipped gestures if not given.
    progress : bool

    Returns
    -------
    list of pathlib.Path
    """
    dataset = dataset or load_dataset("gestures")
    parts = split(dataset)
    model, _ = train_gesture_net(parts, progress=progress)
    converted = convert_all(model, parts)

    plain = gesture_net(parts.params.shape, len(dataset.classes), seed=0)
    fit(plain, parts.features("train"), parts.train.y, parts.features("validation"), parts.validation.y, epochs=20,
        seed=0, progress=progress)
    figures = {
        "leaky": leaky_score(dataset, progress=progress),
        "plain": evaluate(plain, parts.features("test"), parts.test.y),
    }
    for kind, content in converted.items():
        figures[kind] = score(parts.test.y, run(content, parts.features("test")).argmax(axis=1))
    further = further_windows(parts.params)
    figures["further"] = score(further.y, run(converted["int8"], waveform(further.x, parts.params)).argmax(axis=1))
    low, high = subject_interval(parts.test.y, figures["int8"].predicted, parts.test.subject)

    parts.params.save(out / FEATURES)
    save_weights(model, out / WEIGHTS)
    for kind, content in converted.items():
        _write(out / FILES[kind], content)
    _write(out / CARD, _card(parts, figures, converted, (low, high)).encode())
    return [out / name for name in (*FILES.values(), FEATURES, WEIGHTS, CARD)]


def _write(path, content):
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def _people(windows):
    return ", ".join(sorted(set(windows.subject.tolist())))


def _card(parts, figures, converted, interval):
    low, high = interval
    sizes = {kind: len(content) for kind, content in converted.items()}
    digest = hashlib.sha256(converted["int8"]).hexdigest()
    int8 = figures["int8"]
    return f"""# Model card: gesture net

Made by `python -m edgekit.course.build_models` from `datasets/gestures/`. Everything here is made from **synthetic**
data: simulated hands, no person was recorded.

**What it does.** It reads {parts.params.window_s} s of a 6-axis motion sensor (MPU6050, +-4 g, +-500 degrees per
second, {parts.params.rate_hz} Hz) as int8 `waveform` features (`gesture_features.json`) and gives a probability for
each of: {", ".join(parts.params.classes)}.

| file | bytes | accuracy on test subjects | runs on the board |
|---|---|---|---|
| `{FILES["float"]}` | {sizes["float"]} | {figures["float"].accuracy:.1%} | slowly, in floats |
| `{FILES["dynamic"]}` | {sizes["dynamic"]} | {figures["dynamic"].accuracy:.1%} | slowly, in floats; TensorFlow Lite Micro: no |
| `{FILES["int8"]}` | {sizes["int8"]} | {int8.accuracy:.1%} | yes |

`{WEIGHTS}` holds the trained float weights; the three files can be made from it again without training.
sha256 of `{FILES["int8"]}`: `{digest}`.

**How good is it?** Computed by LiteRT's reference kernels on a computer, on {int8.total} windows of
{len(set(parts.test.subject.tolist()))} subjects that it never saw ({_people(parts.test)}).

- int8: {int8}.
  Bootstrap over subjects: {low:.1%} to {high:.1%}. With so few subjects, both intervals are narrower than the truth,
  and all subjects come from one simulation.
- These four are not quite strangers to us: we chose the strength of the augmentation while looking at them. int8 on
  {len(FURTHER_PEOPLE)} further virtual people ({FURTHER_PEOPLE[0]} to {FURTHER_PEOPLE[-1]}), with whom nothing was chosen: {figures["further"]}.
- The same net trained without augmentation, same test subjects, float: {figures["plain"].accuracy:.1%}.
- The leaky figure, a random split of overlapping windows, float, no augmentation: {figures["leaky"].accuracy:.1%}.
  It says nothing about a stranger.

**How it was trained.** Training subjects: {_people(parts.train)}. To choose when to stop: {_people(parts.validation)}.
Each training window is seen as it is and as four changed copies: turned by up to 60 degrees, stronger or
weaker, faster or slower, mirrored into the other hand. Up to 20 epochs, seed 0.

**Use it** to follow the lessons before you train your own.

**Do not use it** where a mistake costs something. It was never tested on a real hand. It fails on sensors with another
range, rate or order of axes; on a sensor held upside down; on gestures it does not know, which it takes for one
of the six; and at the start and end of a gesture, when the window holds two things.
"""


if __name__ == "__main__":
    for written in build():
        print(written)
