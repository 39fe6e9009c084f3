"""RESULTS.md and its picture, from the JSON lines of a study and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .forms import FORMS, HARD
from .run import ARMS

METHOD = ("tah-paper", "tah-maxp", "tah-gain", "tah-frozen")
CONTROLS = ("standard", "standard-time", "always", "always-all", "lora-first-pass", "one-more-layer", "tah-plain-input")
LEAKING = ("second-choice", "tah-paper-oracle")
RESAMPLED = 4000


@dataclass(frozen=True)
class Interval:
    mean: float
    low: float
    high: float

    def text(self, sign: bool = False) -> str:
        form = "{:+.1f}" if sign else "{:.1f}"
        return f"{form.format(100 * self.mean)} [{form.format(100 * self.low)}, {form.format(100 * self.high)}]"

    def clear(self) -> bool:
        return self.low > 0 or self.high < 0


class Lines:
    """What was run. `right(arm, forms)`: 0 or 1 for [seeds, exercises]."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self.by = {(line["arm"], line["seed"]): line for line in lines}
        self.settings = lines[0]["settings"]
        # Only seeds with every arm: arms are compared on the same seeds.
        self.seeds = [s for s in sorted({line["seed"] for line in lines}) if all((arm, s) in self.by for arm in ARMS)]
        if not self.seeds:
            raise ValueError("no seed has all arms yet: the study is not far enough for a report")

    def of(self, arm: str) -> list[dict[str, Any]]:
        return [self.by[arm, seed] for seed in self.seeds]

    def right(self, arm: str, forms: tuple[str, ...]) -> np.ndarray:
        return np.array([[int(c) for form in forms for c in line["right"][form]] for line in self.of(arm)], dtype=float)

    def count(self, arm: str, name: str) -> int:
        return sum(line["counts"][name] for line in self.of(arm))

    def spent(self, arm: str, name: str) -> float:
        return float(np.mean([line["spent"][name] for line in self.of(arm)]))


def interval(values: np.ndarray) -> Interval:
    """Mean of [seeds, exercises] with a 95 % bootstrap interval over exercises; forms are of equal size, so it is their macro mean."""
    each = values.mean(0)
    drawn = np.random.default_rng(0).integers(len(each), size=(RESAMPLED, len(each)))
    means = each[drawn].mean(1)
    return Interval(float(each.mean()), float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975)))


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows)])


def _accuracy(lines: Lines) -> str:
    rows = []
    for arm, what in ARMS.items():
        answers = lines.count(arm, "answer_tokens")
        rows.append([f"`{arm}`" + (" (leaks)" if arm in LEAKING else ""), what, interval(lines.right(arm, HARD)).text(), interval(lines.right(arm, tuple(FORMS))).text(),
                     f"{100 * lines.count(arm, 'sent') / answers:.1f}", f"{lines.of(arm)[0]['parameters']:,}", f"{lines.spent(arm, 'positions') / 1e6:.2f}", f"{lines.spent(arm, 'seconds'):.0f}"])
    return _table(["arm", "what", "hard forms, % exact", "all forms, % exact", "answer tokens sent on, %", "parameters", "million positions trained", "processor seconds"], rows)


def _paired(lines: Lines, forms: tuple[str, ...]) -> str:
    rows = []
    for control in CONTROLS:
        cells = []
        for arm in METHOD:
            difference = lines.right(arm, forms) - lines.right(control, forms)
            by_seed = " ".join(f"{100 * v:+.1f}" for v in difference.mean(1))
            cells.append(interval(difference).text(sign=True) + (f" (seeds {by_seed})" if len(lines.seeds) > 1 else ""))
        rows.append([f"`{control}`", *cells])
    return _table(["minus", *(f"`{a}`" for a in METHOD)], rows)


def _gates(lines: Lines) -> str:
    def share(arm: str, part: str, whole: str) -> str:
        return f"{100 * lines.count(arm, part) / max(lines.count(arm, whole), 1):.1f}"

    rows = []
    for arm in (*METHOD, "tah-plain-input", "tah-paper-oracle"):
        right_sent = lines.count(arm, "sent") - lines.count(arm, "sent_wrong")
        broken = f"{100 * lines.count(arm, 'broken') / max(right_sent, 1):.1f}"
        rows.append([f"`{arm}`", share(arm, "sent", "answer_tokens"), share(arm, "sent_wrong", "sent"), share(arm, "sent_wrong", "wrong_first"), share(arm, "corrected", "sent_wrong"), broken])
    return _table(["arm", "sent on", "of these wrong before (precision)", "errors that were sent (recall)", "wrong ones corrected", "right ones broken"], rows)


def _verdict(lines: Lines) -> str:
    """Said by rule, so that the words can't be kinder than the figures."""
    said = []
    for title, forms in (("hard forms", HARD), ("all forms", tuple(FORMS))):
        for arm in METHOD:
            found = {c: interval(lines.right(arm, forms) - lines.right(c, forms)) for c in CONTROLS}
            above, below = [c for c in CONTROLS if found[c].low > 0], [c for c in CONTROLS if found[c].high < 0]
            level = [c for c in CONTROLS if not found[c].clear()]
            parts = [f"{word} {', '.join(f'`{c}`' for c in names)}" for word, names in (("better than", above), ("worse than", below), ("not told apart from", level)) if names]
            said.append(f"- {title}, `{arm}`: {'; '.join(parts)}.")
    return "\n".join(said)


def _plot(lines: Lines, picture: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "study"
    import matplotlib.pyplot as plt

    arms = [a for a in ARMS if a not in LEAKING]
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), sharey=True)
    for axis, title, forms in ((axes[0], "hard forms", HARD), (axes[1], "all forms", tuple(FORMS))):
        for place, arm in enumerate(arms):
            found = interval(lines.right(arm, forms))
            axis.errorbar(100 * found.mean, place, xerr=[[100 * (found.mean - found.low)], [100 * (found.high - found.mean)]], fmt="o", color="tab:blue" if arm in METHOD else "tab:gray", capsize=3)
        axis.set(xlabel="% exact on held-out problems, 95 % interval", title=title, yticks=range(len(arms)), yticklabels=arms)
        axis.grid(axis="x", linewidth=0.3)
    axes[0].invert_yaxis()
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None})
    plt.close(figure)


def write_report(folder: Path, out: Path) -> None:
    """`out` (Markdown) and a picture beside it."""
    source = folder / "study.jsonl"
    lines = Lines([json.loads(line) for line in source.read_text().splitlines()])
    s, wanted = lines.settings, lines.settings["seeds"]
    picture = out.with_suffix(".svg")
    _plot(lines, picture)
    whole = f"All {len(wanted)} seeds are in." if len(lines.seeds) == len(wanted) else f"**A part of the study: {len(lines.seeds)} of {len(wanted)} seeds.** Differences between seeds are not known well."
    out.write_text("\n\n".join([
        "# Does the second pass help at this size?",
        f"Made by `python -m tah_training study-report` from the lines that `python -m tah_training study` wrote; no number here is typed. {whole}",
        f"Backbone: {s['layers']} layer(s), width {s['hidden_size']}, {s['backbone_tokens'] / 1e6:g} million tokens{'' if s['backbone_seed'] is None else ', the same one for all seeds'}; every arm {s['arm_tokens'] / 1e6:g} million more, the same exercises in the same order "
        f"(`standard-time`: by processor time). {s['heldout_per_form']} held-out exercises a form, the same for all arms and seeds; thresholds chosen on {s['validation_per_form']} others a form. "
        f"Hard forms: {', '.join(f'`{f}`' for f in HARD)}; the others: {', '.join(f'`{f}`' for f in FORMS if f not in HARD)}. An answer is written at once, without steps, and counts only whole. "
        "Intervals: 95 %, bootstrap over exercises, paired where arms are compared, for these seeds and not corrected for the number of comparisons.",
        "## Accuracy and cost", _accuracy(lines), f"![Accuracy of the arms]({picture.name})",
        "## What can be said", _verdict(lines),
        "## Differences, hard forms (points, paired)", _paired(lines, HARD),
        "## Differences, all forms (points, paired)", _paired(lines, tuple(FORMS)),
        "## The gates", "In % of answer tokens, over all held-out exercises and seeds.", _gates(lines),
        "`second-choice` and `tah-paper-oracle` know at test which tokens are wrong. That is information about the answer: they are no upper bound of what a decider could do.",
    ]) + "\n")
    print(f"[study] {out} and {picture}")
