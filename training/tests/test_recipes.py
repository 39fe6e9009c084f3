"""Recipes are read, and say what the paper and its reference implementation say; launch configurations are those of accelerate."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin
from accelerate.utils.launch import prepare_multi_gpu_env
from transformers.models.qwen3 import modeling_qwen3

from tah_training.optimizers import rate_at
from tah_training.recipe import LabelSettings, Recipe, read_recipe

RECIPES = Path(__file__).resolve().parent.parent / "recipes"
LAUNCH = sorted((RECIPES / "accelerate").glob("*.yaml"))
SIZES = ["0.6b", "1.7b"]


@pytest.mark.parametrize("recipe", sorted(p for p in RECIPES.glob("*.yaml") if not p.stem.startswith("study")), ids=lambda p: p.stem)
def test_recipes_are_read(recipe: Path) -> None:
    assert read_recipe(recipe).name


def test_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("backbone: {layres: 4}\n")
    with pytest.raises(ValueError, match="backbone.layres"):
        read_recipe(tmp_path / "bad.yaml")


def test_a_recipe_may_extend_another(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text("name: first\nseed: 7\nstage1: {lr: 0.5, epochs: 3}\n")
    (tmp_path / "second.yaml").write_text("extends: first.yaml\nname: second\nstage1: {epochs: 4}\n")
    recipe = read_recipe(tmp_path / "second.yaml")
    assert (recipe.name, recipe.seed, recipe.stage1.lr, recipe.stage1.epochs) == ("second", 7, 0.5, 4)


def qwen(name: str) -> Recipe:
    return read_recipe(RECIPES / f"qwen3-{name}.yaml")


@pytest.mark.parametrize(("size", "r", "alpha", "layers", "dims", "weight", "hidden_layers"), [
    ("0.6b", 16, 32, [0, 7, 13, 20, 26], [256] * 6, 4.8, 28), ("1.7b", 32, 64, [2, 10, 18, 26], [512] * 6, 5.4, 28)])
def test_the_papers_numbers(size: str, r: int, alpha: int, layers: list[int], dims: list[int], weight: float, hidden_layers: int) -> None:
    recipe = qwen(size)
    assert (recipe.adapter.r, recipe.adapter.alpha, recipe.adapter.mix_topk) == (r, alpha, 100)
    one, two = recipe.stage1, recipe.stage2
    assert (one.lr, one.epochs, two.lr, two.epochs) == (4e-5, 5, 3e-5, 2) and not one.freeze_backbone
    assert (two.layers, two.hidden_dims, two.pos_weight, two.threshold, two.topk) == (layers, dims, weight, 0.9, 100)
    # A pruned model still has the hidden states that the decider reads.
    assert max(two.layers) <= hidden_layers - 1
    for pace in (one, two):
        assert (pace.schedule, pace.min_rate, pace.warmup, pace.clip, pace.accumulate * pace.rows) == ("cosine", 0.1, 0.03, 0.2, 128)
        assert [rate_at(p, pace.warmup, pace.decay, pace.schedule, pace.min_rate) for p in (0.03, 1.0)] == pytest.approx([1.0, 0.1])


@pytest.mark.parametrize("size", SIZES)
def test_the_baselines_differ_in_who_thinks_twice_and_in_nothing_else(size: str) -> None:
    method = qwen(size)
    for kind, name in (("never", "standard"), ("always", "always")):
        baseline = qwen(f"{size}-{name}")
        assert baseline == replace(method, name=baseline.name, labels=replace(method.labels, kind=kind)) and baseline.name != method.name
    pruned = qwen(f"{size}-pruned")
    assert method.backbone.prune_layer is None
    assert pruned == replace(method, name=pruned.name, backbone=replace(method.backbone, prune_layer="best"))
    assert method.labels == method.stage2.labels == LabelSettings(kind="mismatch", reference=method.labels.reference) and method.labels.reference != "self"


@pytest.mark.parametrize("file", LAUNCH, ids=lambda p: p.stem)
def test_accelerate_reads_the_launch_configurations(file: Path) -> None:
    """With its own loader, and its launcher takes them: what the processes will be told is what the file says."""
    config = load_config_from_file(str(file))
    args = launch_command_parser().parse_args(["--config_file", str(file), "-m", "tah_training", "stage1"])
    args, _, _ = _validate_launch_command(args)
    assert config.mixed_precision == args.mixed_precision == "bf16" and config.num_processes == args.num_processes == 8
    # The micro-batches of a step can be shared out.
    assert all(pace.accumulate % config.num_processes == 0 for size in SIZES for pace in (qwen(size).stage1, qwen(size).stage2))
    if file.stem == "multi-gpu":
        assert config.distributed_type == DistributedType.MULTI_GPU and args.multi_gpu
    elif file.stem == "fsdp":
        assert config.distributed_type == DistributedType.FSDP and args.use_fsdp
        with mock.patch.dict(os.environ, {k: v for k, v in prepare_multi_gpu_env(args).items() if k.startswith(("FSDP", "ACCELERATE"))}):
            plugin = FullyShardedDataParallelPlugin()
        assert plugin.fsdp_version == 2 and all(hasattr(modeling_qwen3, name) for name in plugin.transformer_cls_names_to_wrap)
    else:
        assert file.stem == "zero2" and config.distributed_type == DistributedType.DEEPSPEED and args.use_deepspeed
        assert config.deepspeed_config["zero_stage"] == 2


def test_every_launch_configuration_is_known() -> None:
    assert [p.stem for p in LAUNCH] == ["fsdp", "multi-gpu", "zero2"]
