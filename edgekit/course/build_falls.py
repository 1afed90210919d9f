"""Make the ready fall model in ``datasets/models/`` and its card ``fall.md``, and the events that it learned from: a part of
``edgekit course models``. Simulating 192 days takes about five minutes."""

import hashlib

from edgekit.convert import run
from edgekit.features.falls import NAMES, EventParams
from edgekit.paths import DATASETS, MODELS, atomic_write
from edgekit.recipes import falls as recipe
from edgekit.signals.falls import FALLS
from edgekit.train import accuracy_interval

CARD = "fall.md"


def build(out=MODELS, progress=True, simulate=True) -> list:
    """Simulate, train, convert, measure and write the fall model.

    Parameters
    ----------
    out : path
        Folder to write to.
    progress : bool
    simulate : bool
        Live all the days again and write ``datasets/falls/events.npz``; False takes the shipped events.

    Returns
    -------
    list of pathlib.Path
        The files written.
    """
    if simulate:
        parts = {name: recipe.collect(name) for name in recipe.PARTS}
        recipe.save_events(parts, DATASETS / recipe.EVENTS)
    parts = {name: recipe.load_events(name) for name in recipe.PARTS}
    model = recipe.train_fall_net(parts["train"], parts["validation"], progress=progress)
    content = recipe.convert(model, parts["train"])
    EventParams().save(out / recipe.FEATURES)
    recipe.save_weights(model, out / recipe.WEIGHTS)
    with atomic_write(out / recipe.FILES["int8"]) as temporary:
        temporary.write_bytes(content)
    with atomic_write(out / CARD) as temporary:
        temporary.write_text(card(content, parts), encoding="utf-8", newline="\n")
    return [out / name for name in (*recipe.FILES.values(), recipe.FEATURES, recipe.WEIGHTS, CARD)]


def figures(content, parts) -> dict:
    """The three ways on the test people, at the limits that the validation people chose.

    Parameters
    ----------
    content : bytes
        The int8 .tflite.
    parts : dict of str to edgekit.recipes.falls.Events

    Returns
    -------
    dict
        ``naive``, ``rule``, ``network``: :class:`edgekit.recipes.falls.Outcome`; ``chosen``: the rule; ``threshold``.
    """
    validation, test = parts["validation"], parts["test"]
    rule = recipe.choose_rule(validation)
    threshold = recipe.choose_threshold(validation, run(content, validation.features)[:, 1])
    score = run(content, test.features)[:, 1]
    return {"naive": recipe.naive_outcome(test), "rule": recipe.outcome(test, rule.says(test.values)), "chosen": rule,
            "network": recipe.outcome(test, score >= threshold), "threshold": threshold}


def card(content, parts) -> str:
    """Measure a model, and write down what it is: the model card."""
    measured = figures(content, parts)
    naive, rule, network = measured["naive"], measured["rule"], measured["network"]
    total = network.falls // len(FALLS)
    kinds = "\n".join(f"| {kind} | {_share(total - network.missed_kinds.get(kind, 0), total)} |" for kind in FALLS)
    alarms = ", ".join(f"{kind} {count}" for kind, count in sorted(network.alarm_kinds.items(), key=lambda pair: -pair[1]))
    test, people = recipe.PARTS["test"].people, recipe.PARTS["fresh"].people
    fresh = recipe.outcome(parts["fresh"], run(content, parts["fresh"].features)[:, 1] >= measured["threshold"])
    return f"""# Model card: fall net

Made by `edgekit course models` (`edgekit/course/build_falls.py`) from **synthetic** data: nobody fell for it. It reads the
{len(NAMES)} numbers of one event (`firmware/lib/falls.py`, parameters in `{recipe.FEATURES}`) as int8 and scores daily and fall.
**It is no medical device.**

| file | bytes |
|---|---|
| `{recipe.FILES["int8"]}` | {len(content)} |

`{recipe.WEIGHTS}` holds the trained float weights. sha256 of `{recipe.FILES["int8"]}`: `{hashlib.sha256(content).hexdigest()}`.

**How good is it?** int8, computed on a computer (the board's numbers are equal to the bit), on {len(test)} virtual people
({test[0]} to {test[-1]}) who are not in the training, and their {network.days} days of daily life. 95 % intervals: Wilson for shares,
Poisson (Garwood) for alarms a day. Events of one person are alike, so both are narrower than the truth; and how often
somebody sits down hard or drops the sensor in a day is assumed by us.

- "More than 3 g is a fall": {naive}.
- A rule with five limits ({measured["chosen"]}): {rule}.
- The network, threshold **{measured["threshold"]}**: {network}.

Results of these people were looked at more than once while features, rule and the margin of 0.4 were settled, so they flatter a
little. {len(people)} fresh people ({people[0]} to {people[-1]}), looked at once when all was settled: {fresh}.

| kind of fall | found by the network |
|---|---|
{kinds}

Its false alarms: {alarms}. A fall counts as found if it made an event (above 1.8 g) that the network called a fall.

**How it was trained.** Training people: {recipe.PARTS["train"].people[0]} to {recipe.PARTS["train"].people[-1]}, each thing three times and a day of each. When to
stop, the limits of the rule and the threshold: validation people, {recipe.PARTS["validation"].people[0]} to {recipe.PARTS["validation"].people[-1]} (the rule: at most 0.7 false alarms a
day, the network: at most 0.4). The fourteen numbers and their ranges were chosen while looking at people p100 to p139.

**Do not use it** where a mistake costs something. It was never tested on a real person. It misses soft falls (onto a bed),
falls with the sensor in a bag, and slow ones along a wall more than others; it takes letting oneself drop onto a bed for a fall now and then.
"""


def _share(found, total):
    low, high = accuracy_interval(found, total)
    return f"{found / total:.1%} ({found} of {total}, {low:.1%} to {high:.1%})"
