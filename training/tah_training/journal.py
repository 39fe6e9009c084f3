"""Progress: a line for people, a JSON line for machines, and a curve of both."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any


class Journal:
    """Appends to `<name>.jsonl` in a run folder."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.name, self._last = folder / f"{name}.jsonl", name, 0.0

    def write(self, **values: Any) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(values) + "\n")

    def line(self, text: str, every: float = 10.0) -> None:
        """Printed at most once in `every` seconds."""
        now = time.monotonic()
        if now - self._last >= every:
            self._last = now
            print(f"[{self.name}] {text}", flush=True)


def draw_curves(log: Path, picture: Path) -> None:
    """Loss and the exactness of families against tokens, as SVG."""
    if not log.exists():
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = [json.loads(line) for line in log.read_text().splitlines()]
    losses = [(r["tokens"], r["loss"]) for r in rows if "loss" in r]
    checks = [(r["tokens"], r["exact"]) for r in rows if "exact" in r]
    figure, axes = plt.subplots(1, 2 if checks else 1, figsize=(11, 4), squeeze=False)
    if losses:
        axes[0][0].plot([t / 1e6 for t, _ in losses], [v for _, v in losses], linewidth=0.8)
    axes[0][0].set(xlabel="million tokens", ylabel="loss", yscale="log")
    if checks:
        for family in checks[-1][1]:
            axes[0][1].plot([t / 1e6 for t, _ in checks], [e.get(family, 0) for _, e in checks], label=family, linewidth=0.9)
        axes[0][1].set(xlabel="million tokens", ylabel="whole solutions right (teacher-forced)", ylim=(0, 1))
        axes[0][1].legend(fontsize=5, ncol=2)
    figure.tight_layout()
    figure.savefig(picture)
    plt.close(figure)


def clock(seconds: float) -> str:
    return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
