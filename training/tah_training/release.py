"""The files of a bundled model: checkpoint, held-out problems, subjects."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from .problems import REFUSAL_TEXT, SUBJECTS
from .scope import questions, scope_of
from .stages import Run


# Worked solutions a family in heldout.jsonl: the decider is scored on those, token by token.
SOLUTIONS = 60


def write_subjects(checkpoint: Path, seed: int, count: int = 150_000) -> None:
    """`subjects.json` of a checkpoint: what it has learned, the sentence of refusal, and what its questions are made of."""
    subjects = {"subjects": [asdict(s) for s in SUBJECTS], "refusal": REFUSAL_TEXT, "scope": scope_of(questions(count, seed))}
    (checkpoint / "subjects.json").write_text(json.dumps(subjects, ensure_ascii=False, indent=1) + "\n")


def write_release(run: Run, out: Path) -> None:
    """`out`/checkpoint with subjects.json, heldout.jsonl ({"id", "family", "question", "answer"}, the first of each family with "solution"), training.json; the model card stays as it is."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(out / "checkpoint", ignore_errors=True)
    shutil.copytree(run.folder / "checkpoint", out / "checkpoint")
    counts: dict[str, int] = {}
    with (out / "heldout.jsonl").open("w") as file:
        for problem in run.problems("heldout"):
            counts[problem.family] = counts.get(problem.family, 0) + 1
            line = {"id": f"{problem.family}-{counts[problem.family]:03d}", "family": problem.family, "question": problem.question, "answer": problem.answer}
            if problem.answer is not None and counts[problem.family] <= SOLUTIONS:
                line["solution"] = problem.solution
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    write_subjects(out / "checkpoint", run.recipe.seed)
    training = {"recipe": asdict(run.recipe), **{stage: run.facts(stage) for stage in ("backbone", "labels", "stage1", "stage2", "export")}}
    (out / "training.json").write_text(json.dumps(training, indent=2) + "\n")
    print(f"[release] {out}: {sum(counts.values())} held-out problems, {counts}")
