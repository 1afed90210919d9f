"""The model card, made from the figures of a run: what the model is, for whom, how good, and where it fails.

The nine sections are those of Mitchell et al., Model Cards for Model Reporting, FAT* 2019, arXiv:1810.03993.
"""

import hashlib
from pathlib import Path

import numpy as np

from edgekit.errors import DataError
from edgekit.paths import atomic_write
from edgekit.train import confusion, score, subject_interval

__all__ = ["model_card", "save_card", "FILE"]

FILE = "model_card.md"
_FEW_SUBJECTS = 5


def model_card(project, data, parts, said, baseline_said, model: bytes, needs, compared: int, mismatches: int,
               where: str, kind: str = "") -> str:
    """Write a model card from a run. No figure in it is typed by hand.

    Parameters
    ----------
    project : Project
    data : edgekit.dataset.Dataset
        All recordings.
    parts : (train, validation, test) of edgekit.dataset.Windows
    said, baseline_said : array of str, shape [N]
        What model and baseline say about the windows of the test part.
    model : bytes
        The file that goes to the board.
    needs : Needs
        Of :func:`edgekit.project.needs`.
    compared, mismatches : int
        Windows that board and computer both decided, and how many values differed.
    where : str
        ``board.info.kind``: ``"simulated"`` or ``"board"``.
    kind : str
        What the model is, in words.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    DataError
        Answers and test windows do not belong together.
    """
    train, validation, test = parts
    said, baseline_said = np.asarray(said), np.asarray(baseline_said)
    if len(said) != len(test) or len(baseline_said) != len(test):
        raise DataError(f"The test part has {len(test)} windows, the model answered {len(said)}, the baseline "
                        f"{len(baseline_said)}. Give both the test windows, all of them, in their order.")
    labels = list(test.classes)
    strange = sorted((set(said.tolist()) | set(baseline_said.tolist())) - set(labels))
    if strange:
        raise DataError(f"An answer is {strange[0]!r}, which is no label of the test part: {', '.join(labels)}.")
    ours, simple = (score(test.y, [labels.index(word) for word in words]) for words in (said, baseline_said))
    low, high = subject_interval(test.y, ours.predicted, test.subject)
    subjects = sorted(set(test.subject.tolist()))
    right = ours.predicted == test.y
    each = {who: right[test.subject == who] for who in subjects}
    sources = sorted({recording.source or "unknown" for recording in data})
    seconds = sum(recording.duration_s for recording in data)
    few = (f" {len(subjects)} subjects are few: with fewer than {_FEW_SUBJECTS} even this interval is too narrow."
           if len(subjects) < _FEW_SUBJECTS else "")
    goal = "reached" if low >= project.goal else "NOT reached"
    synthetic = ["**Recordings are synthetic: no figure here says how it works in the world.**", ""] if "synthetic" in sources else []
    card = project.card
    return "\n".join([
        f"# Model card: {project.name}",
        "",
        "Made by edgekit from the figures of a run. Do not edit it: change project.yml or the data, and run project.ipynb again.",
        "",
        *synthetic,
        "## Model details",
        "",
        f"- Question: {project.question}",
        f"- Answers: {', '.join(project.labels)}",
        f"- Model: {kind or 'a classical model'}, {len(model):,} bytes, sha256 `{hashlib.sha256(model).hexdigest()}`",
        f"- Input: {project.window} samples of {project.channels} channels at {project.rate_hz} Hz, a decision every "
        f"{1000 * project.stride / project.rate_hz:,.0f} ms",
        "",
        "## Intended use",
        "",
        f"- For: {card.intended}",
        f"- Not for: {card.not_for}",
        "",
        "## Factors",
        "",
        f"Results are reported for each subject apart. Subjects: {len(data.subjects)} in all.",
        "",
        "## Metrics",
        "",
        "Accuracy over windows. The interval is a bootstrap over subjects, 95 %: what to expect when others come."
        f"{few} Goal: its lower end at {project.goal:.0%} or above.",
        "",
        "## Evaluation data",
        "",
        f"{len(test)} windows of {', '.join(subjects)}; in no other part. Source of the recordings: {', '.join(sources)}.",
        "",
        "## Training data",
        "",
        f"{len(train)} windows of {len(set(train.subject.tolist()))} subjects, and {len(validation)} of "
        f"{len(set(validation.subject.tolist()))} for choosing. In all {len(data)} recordings, {seconds:,.0f} s; sha256 of their "
        f"samples `{_fingerprint(data)}`.",
        "",
        "## Quantitative analyses",
        "",
        "| | accuracy |",
        "|---|---|",
        f"| model | {ours.accuracy:.1%}, interval {low:.1%} to {high:.1%}: goal {goal} |",
        f"| baseline: {project.baseline} | {simple.accuracy:.1%} |",
        *(f"| {who} alone | {answers.mean():.1%} of {len(answers)} windows |" for who, answers in each.items()),
        "",
        "| true \\ said | " + " | ".join(labels) + " |",
        "|---" * (len(labels) + 1) + "|",
        *(f"| {label} | " + " | ".join(str(count) for count in row) + " |"
          for label, row in zip(labels, confusion(test.y, ours.predicted, labels).to_numpy().tolist(), strict=True)),
        "",
        f"Computer against {'simulated board' if where == 'simulated' else 'board'}: {mismatches} mismatches in {compared} "
        "windows, features and labels.",
        "",
        needs.to_markdown(),
        "",
        "## Ethical considerations",
        "",
        card.affected,
        "",
        "## Caveats and recommendations",
        "",
        card.caveats,
        "",
    ])


def save_card(project, text: str) -> Path:
    """Write ``model_card.md`` into the project's folder, whole or not at all; gives its path."""
    path = project.folder / FILE
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return path


def _fingerprint(data):
    digest = hashlib.sha256()
    for recording in data:
        digest.update(f"{recording.label}/{recording.subject}/{recording.samples.shape}".encode())
        digest.update(np.ascontiguousarray(recording.samples).tobytes())
    return digest.hexdigest()
