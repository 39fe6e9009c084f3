"""python -m tah_training all --config recipes/small.yaml"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

# Before torch is loaded: waiting threads must sleep, or two busy processes slow each other down fifteen times.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def main() -> None:
    from .stages import STAGES

    parser = argparse.ArgumentParser(prog="tah_training", description="Trains a Think-at-Hard model; finished stages are kept, a stopped one goes on.")
    parser.add_argument("command", choices=["all", *STAGES, "vectors", "release", "status", "study", "study-report"])
    parser.add_argument("--config", type=Path, required=True, help="a recipe, for example recipes/small.yaml")
    parser.add_argument("--run-dir", type=Path, help="default: runs/<name of the recipe>")
    parser.add_argument("--out", type=Path, help="release: the model's folder in the repository; study-report: the Markdown file (RESULTS.md); vectors: a folder for golden vectors")
    parser.add_argument("--again", action="store_true", help="do the stage from its start even if it is finished")
    parser.add_argument("--limit", type=int, help="eval: only so many problems")
    given = parser.parse_args()

    import torch

    from .recipe import read_recipe
    from .release import write_release
    from .stages import Run

    if given.command in ("study", "study-report"):
        study(given)
        return
    recipe = read_recipe(given.config)
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    run = Run(recipe, given.run_dir or Path("runs") / recipe.name)
    if given.command == "status":
        for stage in STAGES:
            print(f"{stage}: {run.status(stage)}")
    elif given.command in ("release", "vectors"):
        if given.out is None:
            parser.error(f"{given.command} needs --out")
        write_release(run, given.out) if given.command == "release" else run.vectors(given.out)
    else:
        for stage in STAGES if given.command == "all" else [given.command]:
            run.go(stage, given.again, given.limit)


def study(given: argparse.Namespace) -> None:
    from .recipe import read_yaml
    from .study.report import write_report
    from .study.run import run_study
    from .study.settings import StudySettings

    settings = read_yaml(StudySettings, given.config)
    folder = given.run_dir or Path("runs") / settings.name
    if given.command == "study":
        run_study(settings, folder)
    else:
        write_report(folder, given.out or Path("RESULTS.md"))


if __name__ == "__main__":
    main()
