"""Started twice by test_loop.py: stage 1's task, shared out block by block as recipes/accelerate/fsdp.yaml has it, gives the loss and gradients of the whole one.

On a processor accelerate itself shares nothing out, so the sharding is torch's own here.
"""

from __future__ import annotations

import copy
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from tah_training.loop import processes, to_tensors
from tah_training.recipe import LabelSettings, read_recipe
from tah_training.stage1 import stage1_task
from tah_training.stages import Run


def main(config: Path, folder: Path) -> None:
    who = processes()
    assert who.num_processes == 2
    recipe = read_recipe(config)
    recipe = replace(recipe, labels=LabelSettings(kind="mismatch"), stage1=replace(recipe.stage1, freeze_backbone=False))
    run = Run(recipe, folder)
    whole = stage1_task(recipe, run.base())
    shared = copy.deepcopy(whole)
    tensors = to_tensors(next(run.documents(recipe.stage1.row_tokens).batches(4)).rows)
    mesh = init_device_mesh("cpu", (2,))
    for module in list(shared.modules()):
        if type(module).__name__ == "Qwen3DecoderLayer":
            fully_shard(module, mesh=mesh)
    fully_shard(shared, mesh=mesh)
    losses = []
    for task in (whole, shared):
        torch.manual_seed(3)
        loss, sums = task(*tensors, 100, 1, 5)
        assert sums[1] > 0, "nobody took a second pass"
        loss.backward()
        losses.append(loss.item())
    assert losses[0] == losses[1] > 0
    compared = 0
    for (name, ours), (_, theirs) in zip(whole.named_parameters(), shared.named_parameters()):
        assert ours.grad is not None and theirs.grad is not None, name
        assert torch.allclose(ours.grad, theirs.grad.full_tensor(), atol=1e-6), name
        compared += 1
    assert compared > 40
    if who.is_main_process:
        print(f"{compared} gradients agree")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
