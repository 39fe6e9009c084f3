"""Stage 1: LoRA (and the backbone, unless frozen) learn the second pass while an oracle decides who takes it. The baselines are here too:
`labels.kind: always` sends every token, `never` trains the plain model on the same data."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from .backbone import Plain, plain_logits
from .checkpoint import with_adapter
from .decider import Constant, Fixed, Policy
from .documents import Documents
from .loop import Loop, T, Task, processes
from .losses import next_token_loss, token_loss
from .optimizers import adamw
from .oracle import Forcing, SelfOracle, hard_tokens, wanted_passes
from .recipe import LabelSettings, Recipe
from .shards import IGNORED
from .thinking import ThinkingModel


def named_reference(labels: LabelSettings, bf16: bool) -> PreTrainedModel | None:
    """The frozen model that `labels.reference` names, on the device of this process; None for `self`."""
    if labels.reference == "self":
        return None
    model = AutoModelForCausalLM.from_pretrained(labels.reference, dtype=torch.bfloat16 if bf16 else torch.float32)
    return model.eval().requires_grad_(False).to(processes().device)


def reference_of(recipe: Recipe, base: PreTrainedModel) -> PreTrainedModel | None:
    """The frozen model behind the labels; None where the first pass itself is it (frozen backbone) and where none is asked for."""
    if recipe.labels.kind == "always":
        return None
    named = named_reference(recipe.labels, recipe.stage1.bf16)
    if named is not None or recipe.stage1.freeze_backbone:
        return named
    return copy.deepcopy(base).eval().requires_grad_(False).to(processes().device)


class SecondPass(Task):
    """Next-token cross-entropy of the final logits, with the oracle's passes."""

    stage = "stage1"
    names = ("answers", "hard", "loss", "first", "hard_before", "hard_after")

    def __init__(self, thinking: ThinkingModel, reference: PreTrainedModel | None, recipe: Recipe) -> None:
        super().__init__()
        self.thinking, self.recipe = thinking, recipe
        # Not a module of this one: it isn't trained, nor saved.
        self._reference = (reference,)

    def _policy(self, ids: torch.Tensor, labels: torch.Tensor, positions: torch.Tensor, documents: torch.Tensor, generator: torch.Generator) -> Policy:
        kind, (reference,) = self.recipe.labels, self._reference
        if kind.kind == "always":
            return Constant(True)
        if reference is None:
            return Forcing(SelfOracle(labels, kind), labels, generator)
        with torch.no_grad():
            hard = hard_tokens(plain_logits(reference, ids, positions, documents), labels, kind)
        return Forcing(Fixed(wanted_passes(hard, self.recipe.max_iter, generator)), labels, generator)

    def forward(self, ids, labels, positions, documents, items, parts, seed):  # noqa: ANN001, ANN201
        generator = torch.Generator().manual_seed(seed)
        outcome = self.thinking(ids, self._policy(ids, labels, positions, documents, generator), positions=positions, documents=documents)
        loss = next_token_loss(outcome.logits, labels, items)
        share = self.recipe.stage1.first_pass_loss
        with torch.set_grad_enabled(bool(share)):
            first = outcome.passes[0]
            before = token_loss(torch.zeros_like(outcome.logits).index_put((first.row, first.column), first.raw), labels)
        if share:
            loss = loss + share * before.sum() / items
        with torch.no_grad():
            after = token_loss(outcome.logits, labels)
            answer = labels != IGNORED
            hard = answer & (outcome.iterations > 1)
            sums = torch.stack([answer.sum().float(), hard.sum().float(), after.sum(), before.sum(), (before * hard).sum(), (after * hard).sum()])
        return loss, sums

    def figures(self, sums: dict[str, float]) -> dict[str, float]:
        answers, hard = max(sums["answers"], 1), max(sums["hard"], 1)
        return {"loss": sums["loss"] / answers, "first": sums["first"] / answers, "hard": sums["hard"] / answers, "hard_before": sums["hard_before"] / hard,
                "hard_after": sums["hard_after"] / hard}

    def weights(self, state_dict: dict[str, T]) -> dict[str, T]:
        return {name.removeprefix("thinking."): value for name, value in state_dict.items()}


def adapted(recipe: Recipe, base: PreTrainedModel) -> ThinkingModel:
    """The base with a fresh adapter; as it is where no token ever takes a second pass."""
    if recipe.labels.kind == "never":
        return ThinkingModel(base, None, recipe.adapter.mix_topk, 1)
    a = recipe.adapter
    return ThinkingModel(with_adapter(base, a.r, a.alpha, a.dropout), None, a.mix_topk, recipe.max_iter)


def stage1_task(recipe: Recipe, base: PreTrainedModel) -> Task:
    """What stage 1 trains, with the right parameters marked for training."""
    torch.manual_seed(recipe.seed + 1)
    if recipe.labels.kind == "never":
        return Plain(base.requires_grad_(True), "stage1")
    reference = reference_of(recipe, base)
    model = adapted(recipe, base)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(".lora_" in name or not recipe.stage1.freeze_backbone)
    return SecondPass(model, reference, recipe)


def train_stage1(recipe: Recipe, base: PreTrainedModel, documents: Documents, folder: Path) -> dict[str, Any]:
    """Goes on where it was stopped. Gives the last state."""
    task = stage1_task(recipe, base)
    settings = recipe.stage1
    loop = Loop(task, [adamw(list(task.named_parameters()), settings.lr, settings.weight_decay)], documents, settings, recipe.seed, folder)
    loop.resume()
    return loop.run()
