"""The loop gives the same result however a step is divided: into micro-batches, among processes, among shards of a model."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml

from tah_training import loop as loop_module
from tah_training.documents import Documents
from tah_training.optimizers import rate_at
from tah_training.recipe import Recipe, read_recipe
from tah_training.stages import STAGES, TOGETHER, Run

HERE = Path(__file__).resolve().parent
SMALL = read_recipe(HERE / "smoke.yaml")
SMALL = replace(SMALL, backbone=replace(SMALL.backbone, total_tokens=4000, rows=2, accumulate=2), stage1=replace(SMALL.stage1, freeze_backbone=False, total_tokens=3000, rows=2, accumulate=2),
                stage2=replace(SMALL.stage2, total_tokens=3000, rows=2, accumulate=2), adapter=replace(SMALL.adapter, dropout=0.2))


def config_of(recipe: Recipe, path: Path) -> Path:
    """The recipe as a file, for other processes."""
    path.write_text(yaml.safe_dump(asdict(recipe)))
    return path


def trained(recipe: Recipe, folder: Path, stages: tuple[str, ...]) -> Run:
    run = Run(recipe, folder)
    for stage in stages:
        run.go(stage)
    return run


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Trained by this process alone, on one thread as each of two is: sums are then taken in the same order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    run = trained(SMALL, tmp_path_factory.mktemp("runs") / "alone", ("data", "tokenizer", *TOGETHER))
    torch.set_num_threads(threads)
    return run


def launched(arguments: list[str]) -> str:
    """What two processes on this processor print."""
    environment = os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent), "TORCHDYNAMO_DISABLE": "1"}
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=HERE.parent, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def same(one: Run, other: Run, stage: str, tolerance: float) -> None:
    first, second = (torch.load(run.folder / f"{stage}.pt", weights_only=True) for run in (one, other))
    assert first["state"]["step"] == second["state"]["step"] and first["state"]["tokens"] == second["state"]["tokens"]
    assert first["model"].keys() == second["model"].keys()
    for name, tensor in first["model"].items():
        assert torch.allclose(tensor, second["model"][name], atol=tolerance), (stage, name)


def test_two_processes_train_what_one_does(alone: Run, tmp_path: Path) -> None:
    """Launched with the very file that several GPUs are; dropout and forced positions included."""
    config = config_of(SMALL, tmp_path / "recipe.yaml")
    pair = Run(SMALL, Path(shutil.copytree(alone.folder, tmp_path / "pair")))
    for stage in TOGETHER:
        (pair.folder / f"{stage}.done.json").unlink()
        (pair.folder / f"{stage}.pt").unlink()
    for stage in set(STAGES) - set(TOGETHER):
        (pair.folder / f"{stage}.done.json").write_text("{}")
    launch = ["accelerate.commands.launch", "--config_file", "recipes/accelerate/multi-gpu.yaml", "--num_processes", "2", "--main_process_port", "0", "-m", "tah_training"]
    printed = launched([*launch, "all", "--config", str(config), "--run-dir", str(pair.folder)])
    for stage in TOGETHER:
        # Two that knew nothing of each other would both say so.
        assert printed.count(f"[{stage}] done") == 1, printed
        same(alone, pair, stage, 1e-5)


def test_a_shared_out_model_trains_as_the_whole_one(alone: Run, tmp_path: Path) -> None:
    config = config_of(SMALL, tmp_path / "recipe.yaml")
    printed = launched(["torch.distributed.run", "--nproc-per-node", "2", "--standalone", str(HERE / "fsdp_worker.py"), str(config), str(alone.folder)])
    assert "gradients agree" in printed


def test_micro_batches_make_the_step_of_the_whole_batch(alone: Run, tmp_path: Path) -> None:
    """Answer tokens of a step weigh the same, in whichever micro-batch they are."""
    whole = replace(SMALL, backbone=replace(SMALL.backbone, rows=4, accumulate=1))
    same(alone, trained(whole, tmp_path / "whole", ("data", "tokenizer", "backbone")), "backbone", 1e-5)


def test_mixed_precision_trains(alone: Run, tmp_path: Path) -> None:
    """Close to float32, and not float32."""
    mixed = replace(SMALL, backbone=replace(SMALL.backbone, bf16=True))
    run = trained(mixed, tmp_path / "mixed", ("data", "tokenizer", "backbone"))
    first, second = (torch.load(r.folder / "backbone.pt", weights_only=True)["model"]["model.embed_tokens.weight"] for r in (alone, run))
    assert second.dtype == torch.float32
    assert 1e-7 < (first - second).abs().max() < 0.05


def test_a_step_that_cannot_be_shared_out_is_refused(alone: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "processes", lambda: SimpleNamespace(num_processes=3, is_main_process=True))
    with pytest.raises(ValueError, match="backbone.accumulate 2: 3 processes"):
        loop_module.Loop(SimpleNamespace(stage="backbone"), [], None, SMALL.backbone, 1, tmp_path)  # type: ignore[arg-type]


def test_batches_go_on_from_any_place(alone: Run) -> None:
    """The stream from a place is the rest of the stream that came by it; with fewer rows than a batch a shard is one batch."""
    documents: Documents = alone.documents(256)
    stream = documents.batches(3)
    seen = [next(stream) for _ in range(40)]
    assert seen[-1].shard > 0
    for at in (0, 11, 25):
        again = documents.batches(3, seen[at].shard, seen[at].row)
        for batch in seen[at + 1 : at + 5]:
            other = next(again)
            assert (other.rows.ids == batch.rows.ids).all() and (other.shard, other.row, other.part) == (batch.shard, batch.row, batch.part)
    assert len(next(documents.batches(10_000)).rows) < 10_000


def test_rates() -> None:
    linear = [rate_at(p, 0.1, 0.5) for p in (0.0, 0.05, 0.1, 0.5, 0.75, 1.0, 1.2)]
    assert linear == pytest.approx([0.02, 0.5, 1.0, 1.0, 0.5, 0.0, 0.0])
    cosine = [rate_at(p, 0.0, 1.0, "cosine", 0.1) for p in (0.0, 0.5, 1.0)]
    assert cosine == pytest.approx([1.0, 0.55, 0.1])
    with pytest.raises(ValueError, match="schedule 'step'"):
        rate_at(0.5, 0.0, 1.0, "step")
