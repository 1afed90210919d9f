"""Make the motor watcher's model in ``datasets/models/`` and its card ``machine.md``: a part of ``edgekit course models``."""

import hashlib
import json

import numpy as np

from edgekit.paths import DATASETS, MODELS, atomic_write
from edgekit.recipes.vibration import (
    FALSE_ALARMS,
    FILES,
    ROWS,
    SETTINGS,
    TAKES,
    auc,
    auc_by_fault,
    bearing_interval,
    collect,
    errors,
    forest,
    load_rows,
    make,
    save_rows,
    settings,
)
from edgekit.signals.vibration import plan

CARD = "machine.md"


def build(out=MODELS, progress=True, simulate=True) -> list:
    """Simulate, train, convert, measure and write.

    Parameters
    ----------
    out : path
        Folder of the models.
    progress : bool
    simulate : bool
        Make ``datasets/vibration/features.npz`` anew first.

    Returns
    -------
    list of pathlib.Path
    """
    if simulate:
        save_rows({part: collect(plan(part, takes)) for part, takes in TAKES.items()}, DATASETS / ROWS)
    content, scaler, limit, trees = make(load_rows("train"), load_rows("validation"), progress)
    files = {FILES["int8"]: content, FILES["forest"]: trees,
             SETTINGS: (json.dumps(settings(content, scaler, limit), indent=1) + "\n").encode(),
             CARD: card(content, scaler, limit).encode()}
    for name, data in files.items():
        with atomic_write(out / name) as temporary:
            temporary.write_bytes(data)
    return [out / name for name in files]


def card(content, scaler, limit) -> str:
    """Measure the model, and write down what it is."""
    train, further, fresh = load_rows("train"), load_rows("further"), load_rows("fresh")
    x = scaler.transform(further.values)
    scores = {"autoencoder (int8)": errors(content, x),
              "isolation forest": -forest(scaler.transform(train.values)).score_samples(x.astype(np.float32)),
              "largest number, no model": x.max(axis=1).astype(int),
              "overall velocity (mm/s)": further.mm_s}
    tables = {name: auc_by_fault(further, score) for name, score in scores.items()}
    kinds = list(next(iter(tables.values())))
    lines = [f"| {name} | " + " | ".join(f"{table[kind]:.3f}" for kind in kinds) + " |" for name, table in tables.items()]
    own = scores["autoencoder (int8)"]
    by_severity = ", ".join(f"{severity:g}: {auc(own[further.healthy], own[further.bearing & np.isclose(further.severity, severity)]):.3f}"
                            for severity in (0.3, 0.6, 1.0))
    false, found = int((own[further.healthy] > limit).sum()), int((own[further.bearing] > limit).sum())
    fresh_own, low, high = errors(content, scaler.transform(fresh.values)), *bearing_interval(content, scaler, fresh)
    head = "| score | " + " | ".join(kinds) + " |\n|" + "---|" * (len(kinds) + 1)
    return f"""# Model card: motor watcher

Made by `edgekit course models` from simulated motors (`edgekit/signals/vibration.py`): everything here is **synthetic**,
no motor was measured.

**What it does.** It reads the sixteen numbers of `firmware/lib/vibration.py` (1.23 s of one axis at 1667 Hz, and the motor's
plate) and says how strange they are: the squared error of an autoencoder that learned from healthy motors only.

| file | bytes | what |
|---|---|---|
| `{FILES["int8"]}` | {len(content)} | autoencoder 16-16-4-16-16, int8 |
| `{SETTINGS}` | | means and factors of the input, scale of the output, limit {limit} |
| `{FILES["forest"]}` | | isolation forest on the same input |

sha256 of `{FILES["int8"]}`: `{hashlib.sha256(content).hexdigest()}`.

**How good is it?** Area under the ROC curve (0.5 is guessing), computed on this computer with the board's integers, on
{len(further)} measurements of {len(set(further.machine.tolist()))} motors at loads of 0.1, 0.6 and 1.0: neither motors nor loads were in the training.
Severities 0.3, 0.6 and 1.0.

{head}
{chr(10).join(lines)}

- Bearing faults by severity, autoencoder: {by_severity}.
- At the limit, chosen so that {FALSE_ALARMS:.0%} of the healthy validation measurements exceed it: {found} of {int(further.bearing.sum())} bearing faults
  found, {false} of {int(further.healthy.sum())} healthy measurements above it. Most of these come from few machines, again and again: a
  motor that is strange by nature. The app asks for three of five measurements, which does not help there.

How strongly the faults knock, how many training machines there are, the features and the low-pass filter of the envelope were
chosen while looking at these 30 motors: the figures flatter. {len(set(fresh.machine.tolist()))} fresh motors (m71 to m100, the same loads), looked at once
when all was settled: bearing faults {auc(fresh_own[fresh.healthy], fresh_own[fresh.bearing]):.3f} (bootstrap over motors, 95 %: {low:.3f} to {high:.3f}), {int((fresh_own[fresh.bearing] > limit).sum())} of
{int(fresh.bearing.sum())} bearing faults found at the limit, {int((fresh_own[fresh.healthy] > limit).sum())} of {int(fresh.healthy.sum())} healthy measurements above it. The network adds little to the largest
single number. All come from one simulation.

**How it was trained.** {len(train)} healthy measurements of {len(set(train.machine.tolist()))} machines at loads of 0.25, 0.5 and 0.75; 8 other machines decided when to stop.

**Do not use it** where a mistake costs something. It was never tested on a real motor. It fails on resonances above 800 Hz, on
shafts below some 15 turns a second, on plates that lie, and on motors with inverters.
"""
