"""Questions and solutions from outside: a file of JSON lines, or a data set that the `datasets` library reads."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from .documents import TRAIN, VALIDATION
from .recipe import DataSettings


def records(settings: DataSettings) -> Iterator[Mapping[str, Any]]:
    """What the source holds, in its order. `source`: `datasets:NAME` (of a hub, or a local folder), else a file of JSON lines."""
    kind, _, name = settings.source.partition(":")
    if kind == "datasets":
        # Here, for a recipe of generated problems does without it.
        from datasets import load_dataset

        yield from load_dataset(name, settings.subset, split=settings.split)
        return
    with Path(settings.source).open() as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def _column(record: Mapping[str, Any], name: str, setting: str, source: str) -> Any:
    if name not in record:
        raise ValueError(f"data.{setting}: {source} has no column {name!r}; it has {', '.join(sorted(record))}")
    return record[name]


def solution_of(record: Mapping[str, Any], settings: DataSettings, tokenizer: Tokenizer) -> str | None:
    """The text of the solution column. Where that is a list: the shortest of those that the first of the `verified` columns, which finds
    any, calls right; None if there is none, or if it is longer than `solution_tokens`."""
    given = _column(record, settings.solution, "solution", settings.source)
    candidates = [given]
    if isinstance(given, list):
        candidates = given
        for name in settings.verified:
            flags = _column(record, name, "verified", settings.source) or []
            candidates = [text for text, right in zip(given, flags) if right]
            if candidates:
                break
    limit = settings.solution_tokens
    if not candidates or candidates[0] is None:
        return None
    if len(candidates) == 1 and limit is None:
        return candidates[0]
    lengths = [len(e.ids) for e in tokenizer.encode_batch(candidates, add_special_tokens=False)]
    shortest = min(range(len(candidates)), key=lambda i: lengths[i])
    return None if limit is not None and lengths[shortest] >= limit else candidates[shortest]


def lay_down(settings: DataSettings, tokenizer: Tokenizer, seed: int, folder: Path) -> dict[str, int]:
    """Writes train.jsonl and validation.jsonl ({"question", "solution"}), shuffled and apart; gives how many of each, and how many had none to offer."""
    kept: list[dict[str, str]] = []
    seen: set[str] = set()
    without = 0
    for record in records(settings):
        question, solution = _column(record, settings.question, "question", settings.source), solution_of(record, settings, tokenizer)
        # The same question on both sides would be a leak.
        if not question or not solution or question in seen:
            without += 1
            continue
        seen.add(question)
        kept.append({"question": question, "solution": solution})
        if settings.limit is not None and len(kept) >= settings.limit:
            break
    if len(kept) < 2:
        raise ValueError(f"data.source {settings.source}: {len(kept)} usable questions, {without} without a usable solution")
    random.Random(seed).shuffle(kept)
    held = max(1, round(len(kept) * settings.held_back))
    for name, part in ((VALIDATION, kept[:held]), (TRAIN, kept[held:])):
        with (folder / name).open("w") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in part)
    return {"train": len(kept) - held, "validation": held, "left_out": without}
