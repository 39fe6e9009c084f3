"""Stage 1: LoRA (and the backbone, unless frozen) learn the second pass while an oracle decides who takes it."""

from __future__ import annotations

import copy
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, PreTrainedModel

from .backbone import document_mask, to_tensors
from .checkpoint import with_adapter
from .decider import Fixed
from .documents import Documents
from .journal import Journal, clock, draw_curves
from .optimizers import rate_at, set_rate
from .losses import next_token_loss, token_loss
from .oracle import Forcing, SelfOracle, hard_tokens, wanted_passes
from .recipe import Recipe
from .shards import IGNORED
from .thinking import ThinkingModel


def token_budget(total: int | None, epochs: int, documents: Documents) -> int:
    """`total` tokens, else so many epochs of the file."""
    tokens = documents.epoch_tokens()
    if total is None and tokens is None:
        raise ValueError("generated problems have no end: set total_tokens")
    return total if total is not None else epochs * int(tokens or 0)


def reference_of(recipe: Recipe, base: PreTrainedModel) -> PreTrainedModel | None:
    """The frozen model behind the labels; None where the first pass itself is it (frozen backbone)."""
    if recipe.labels.reference != "self":
        return AutoModelForCausalLM.from_pretrained(recipe.labels.reference, dtype=torch.float32).eval().requires_grad_(False)
    return None if recipe.stage1.freeze_backbone else copy.deepcopy(base).eval().requires_grad_(False)


def stage1_loss(model: ThinkingModel, reference: PreTrainedModel | None, recipe: Recipe, tensors: tuple[torch.Tensor, ...], generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, dict[str, float]]:
    """(next-token cross-entropy of the final logits, that of the first pass, figures) of one packed batch."""
    ids, labels, positions, documents = tensors
    if reference is None:
        policy: SelfOracle | Fixed = SelfOracle(labels, recipe.labels)
    else:
        with torch.no_grad():
            judged = reference(input_ids=ids, position_ids=positions, attention_mask=document_mask(documents), use_cache=False).logits
        policy = Fixed(wanted_passes(hard_tokens(judged, labels, recipe.labels), recipe.max_iter, generator))
    outcome = model(ids, Forcing(policy, labels, generator), positions=positions, documents=documents)
    hard = outcome.iterations > 1
    answer = labels != IGNORED
    count = answer.sum().clamp(min=1)
    loss = next_token_loss(outcome.logits, labels)
    first = outcome.passes[0]
    raw = torch.zeros_like(outcome.logits).index_put((first.row, first.column), first.raw)
    first_loss = token_loss(raw, labels)
    hard_loss = (token_loss(outcome.logits, labels) * hard).sum() / hard.sum().clamp(min=1)
    hard_before = (first_loss * hard).sum() / hard.sum().clamp(min=1)
    values = {"hard": hard.sum() / count, "loss": loss, "first": first_loss.sum() / count, "hard_after": hard_loss, "hard_before": hard_before}
    figures = {name: value.detach().item() for name, value in values.items()}
    return loss, first_loss.sum() / count, figures


def train_stage1(recipe: Recipe, base: PreTrainedModel, tokenizer: Tokenizer, folder: Path) -> ThinkingModel:
    """Resumable: state in stage1.pt."""
    settings = recipe.stage1
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe.seed + 1)
    base.to(device)
    reference = reference_of(recipe, base)
    adapted = with_adapter(base, recipe.adapter.r, recipe.adapter.alpha, recipe.adapter.dropout)
    model = ThinkingModel(adapted, None, recipe.adapter.mix_topk, recipe.max_iter).to(device)
    for name, parameter in adapted.named_parameters():
        parameter.requires_grad_(".lora_" in name or not settings.freeze_backbone)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=settings.lr, weight_decay=0.0)
    for group in optimizer.param_groups:
        group["initial_lr"] = settings.lr
    documents = Documents(recipe, tokenizer, settings.row_tokens, salt=1000)
    budget = token_budget(settings.total_tokens, settings.epochs, documents)
    state = {"step": 0, "tokens": 0, "seconds": 0.0, "shard": 0, "row": 0}
    saved = folder / "stage1.pt"
    if saved.exists():
        data = torch.load(saved, weights_only=True)
        model.load_state_dict(data["model"])
        optimizer.load_state_dict(data["optimizer"])
        state = data["state"]
    journal = Journal(folder, "stage1")

    def save() -> None:
        temporary = saved.with_suffix(".tmp")
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "state": state}, temporary)
        temporary.replace(saved)

    def progress() -> float:
        return max(state["tokens"] / budget, state["seconds"] / 60 / settings.max_minutes if settings.max_minutes else 0.0)

    started = time.monotonic()
    batches = documents.batches(settings.rows, state["shard"], state["row"])
    while progress() < 1.0:
        batch, shard, row = next(batches)
        tensors = tuple(t.to(device) for t in to_tensors(batch))
        generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + state["step"])
        set_rate([optimizer], rate_at(progress(), 0.03, 0.97))
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=settings.bf16):
            loss, first, figures = stage1_loss(model, reference, recipe, tensors, generator)
        (loss + settings.first_pass_loss * first).backward()
        torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        state |= {"step": state["step"] + 1, "tokens": state["tokens"] + int((batch.documents >= 0).sum()), "shard": shard, "row": row,
                  "seconds": state["seconds"] + time.monotonic() - started}
        started = time.monotonic()
        if state["step"] % 10 == 0:
            journal.write(step=state["step"], tokens=state["tokens"], **{k: round(v, 5) for k, v in figures.items()})
        left = state["seconds"] * (1 - progress()) / max(progress(), 1e-6)
        journal.line(f"step {state['step']} {state['tokens'] / 1e6:.2f}M tokens loss {figures['loss']:.4f} hard {figures['hard']:.3f}: {figures['hard_before']:.3f} -> {figures['hard_after']:.3f}, {clock(left)} left")
        if state["step"] % settings.save_every == 0:
            save()
    save()
    draw_curves(journal.path, folder / "stage1.svg")
    return model.eval()
