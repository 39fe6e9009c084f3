"""Progress: a bar or a line for people, a JSON line for machines, and curves of those lines."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

# Keys of a line that say where it was, not what was measured there.
_WHERE = {"step", "tokens", "seconds", "rate", "loss", "exact"}


class Journal:
    """Appends to `<name>.jsonl` in a run folder; silent where not `shown` (all processes but the first)."""

    def __init__(self, folder: Path, name: str, shown: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.name, self.shown, self._last = folder / f"{name}.jsonl", name, shown, 0.0
        self._bar: tqdm[Any] | None = None

    def write(self, **values: Any) -> None:
        if self.shown:
            with self.path.open("a") as file:
                file.write(json.dumps(values) + "\n")

    def rewind(self, step: int) -> None:
        """Drops the lines of steps that will be taken again."""
        if self.shown and self.path.exists():
            lines = self.path.read_text().splitlines()
            self.path.write_text("".join(f"{line}\n" for line in lines if json.loads(line)["step"] <= step))

    def say(self, text: str) -> None:
        if self.shown:
            tqdm.write(f"[{self.name}] {text}", file=sys.stdout)
            sys.stdout.flush()

    def line(self, text: str, every: float = 10.0) -> None:
        """Printed at most once in `every` seconds."""
        now = time.monotonic()
        if now - self._last >= every:
            self._last = now
            self.say(text)

    def progress(self, share: float, text: str) -> None:
        """A bar where somebody watches a terminal, else a line now and then. `share` 0 to 1."""
        if not self.shown:
            return
        if not sys.stderr.isatty():
            self.line(f"{share:.1%} {text}")
            return
        if self._bar is None:
            self._bar = tqdm(total=1.0, desc=self.name, bar_format="{desc} {percentage:3.0f}% |{bar:20}| {postfix}", dynamic_ncols=True)
        self._bar.n = share
        self._bar.set_postfix_str(text)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def draw_curves(log: Path, picture: Path) -> None:
    """Against tokens, as SVG: the loss, the exactness of families, and every other figure of the lines."""
    if not log.exists():
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = [json.loads(line) for line in log.read_text().splitlines()]
    losses = [(r["tokens"], r["loss"]) for r in rows if "loss" in r]
    checks = [(r["tokens"], r["exact"]) for r in rows if "exact" in r]
    others = sorted({name for r in rows for name in r} - _WHERE)
    panels = 1 + bool(checks) + bool(others)
    figure, axes = plt.subplots(1, panels, figsize=(5.5 * panels, 4), squeeze=False)
    if losses:
        axes[0][0].plot([t / 1e6 for t, _ in losses], [v for _, v in losses], linewidth=0.8)
    axes[0][0].set(xlabel="million tokens", ylabel="loss", yscale="log")
    if checks:
        for family in checks[-1][1]:
            axes[0][1].plot([t / 1e6 for t, _ in checks], [e.get(family, 0) for _, e in checks], label=family, linewidth=0.9)
        axes[0][1].set(xlabel="million tokens", ylabel="whole solutions right (teacher-forced)", ylim=(0, 1))
        axes[0][1].legend(fontsize=5, ncol=2)
    if others:
        for name in others:
            series = [(r["tokens"] / 1e6, r[name]) for r in rows if name in r]
            axes[0][-1].plot([t for t, _ in series], [v for _, v in series], label=name, linewidth=0.8)
        axes[0][-1].set(xlabel="million tokens")
        axes[0][-1].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(picture)
    plt.close(figure)


def clock(seconds: float) -> str:
    return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
