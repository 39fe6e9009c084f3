"""Stage 2: everything else frozen, the decider learns whom to send on; then its threshold is chosen on the validation split."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from .backbone import to_tensors
from .decider import Constant, Learned, MLPIterDecider, Unsure
from .documents import Documents
from .journal import Journal, clock, draw_curves
from .optimizers import rate_at, set_rate
from .losses import decider_loss, token_loss
from .oracle import hard_tokens
from .problems import Problem
from .recipe import Recipe
from .shards import IGNORED, encoded, packed
from .stage1 import token_budget
from .thinking import Outcome, ThinkingModel


class AnswersOnly:
    """Another policy, at answer positions only. labels [B, T]."""

    def __init__(self, policy: Any, labels: torch.Tensor) -> None:
        self.policy, self.labels = policy, labels

    def __call__(self, count, row, column, hidden, logits):  # noqa: ANN001, ANN204
        more, probability = self.policy(count, row, column, hidden, logits)
        return more & (self.labels[row, column] != IGNORED), probability


def decider_kwargs(recipe: Recipe, hidden_size: int, threshold: float) -> dict[str, Any]:
    s = recipe.stage2
    return {"topk": s.topk, "hidden_states_size": hidden_size, "hidden_states_layer_nums": list(s.layers), "hidden_dims": list(s.hidden_dims), "expansion_factor": s.expansion_factor,
            "dropout_rate": s.dropout, "normalize_input": s.normalize_input, "threshold": threshold, "max_iter": recipe.max_iter}


@torch.no_grad()
def decisions_to_learn(model: ThinkingModel, recipe: Recipe, tensors: tuple[torch.Tensor, ...]) -> tuple[Outcome, torch.Tensor]:
    """(a forward whose first pass is the decider's input, target bool [B, T]).

    `gain`: unsure answer tokens (first-pass probability below `labels.below`) take a second pass; the target is whether it lowers
    their cross-entropy by more than `gain_above`. Other kinds: as in stage 1.
    """
    ids, labels, positions, documents = tensors
    settings = recipe.stage2.labels
    if settings.kind != "gain":
        outcome = model(ids, Constant(False), positions=positions, documents=documents)
        return outcome, hard_tokens(outcome.logits, labels, settings)
    outcome = model(ids, AnswersOnly(Unsure(settings.below), labels), positions=positions, documents=documents)
    first = outcome.passes[0]
    raw = torch.zeros_like(outcome.logits).index_put((first.row, first.column), first.raw)
    gain = token_loss(raw, labels) - token_loss(outcome.logits, labels)
    return outcome, (gain > settings.gain_above) & (outcome.iterations > 1)


def train_stage2(recipe: Recipe, model: ThinkingModel, tokenizer: Tokenizer, folder: Path) -> MLPIterDecider:
    """Resumable: state in stage2.pt. Prompt tokens count as easy."""
    settings = recipe.stage2
    device = model.embedding.weight.device
    torch.manual_seed(recipe.seed + 2)
    model.requires_grad_(False)
    kwargs = decider_kwargs(recipe, model.embedding.weight.shape[1], 0.5)
    decider = MLPIterDecider(**kwargs).to(device)
    optimizer = torch.optim.AdamW(decider.parameters(), lr=settings.lr, weight_decay=0.01)
    optimizer.param_groups[0]["initial_lr"] = settings.lr
    documents = Documents(recipe, tokenizer, recipe.stage1.row_tokens, salt=2000)
    budget = token_budget(settings.total_tokens, settings.epochs, documents)
    state = {"step": 0, "tokens": 0, "shard": 0, "row": 0, "seen": 0, "hard": 0}
    saved = folder / "stage2.pt"
    if saved.exists():
        data = torch.load(saved, weights_only=True)
        decider.load_state_dict(data["decider"])
        optimizer.load_state_dict(data["optimizer"])
        state = data["state"]
    journal = Journal(folder, "stage2")
    batches = documents.batches(settings.rows, state["shard"], state["row"])
    started = time.monotonic()
    decider.train()
    while state["tokens"] < budget:
        batch, shard, row = next(batches)
        tensors = tuple(t.to(device) for t in to_tensors(batch))
        outcome, target = decisions_to_learn(model, recipe, tensors)
        first = outcome.passes[0]
        answer = (tensors[1] != IGNORED)[first.row, first.column]
        wanted = target[first.row, first.column].float()
        state["seen"] += int(answer.sum())
        state["hard"] += int(wanted.sum())
        share = max(state["hard"] / state["seen"], 1e-4)
        weight = torch.tensor(((1 - share) / share) ** settings.temper)
        loss = decider_loss(decider, outcome.passes[:1], target.long() + 1, weight)
        set_rate([optimizer], rate_at(state["tokens"] / budget, 0.03, 0.6))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(decider.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        state |= {"step": state["step"] + 1, "tokens": state["tokens"] + int((batch.documents >= 0).sum()), "shard": shard, "row": row}
        if state["step"] % 10 == 0:
            with torch.no_grad():
                chosen = (decider(torch.cat([first.hidden[i] for i in decider.layers], dim=-1), first.cumulative) > 0) & answer
            hit = float((chosen & (wanted > 0)).sum())
            journal.write(step=state["step"], tokens=state["tokens"], loss=loss.item(), hard=share, precision=hit / max(float(chosen.sum()), 1), recall=hit / max(float(wanted.sum()), 1))
        left = (time.monotonic() - started) * (budget - state["tokens"]) / max(state["tokens"], 1)
        journal.line(f"step {state['step']} {state['tokens'] / 1e6:.2f}M tokens loss {loss.item():.4f} hard {share:.4f}, {clock(left)} left")
        if state["step"] % 100 == 0 or state["tokens"] >= budget:
            temporary = saved.with_suffix(".tmp")
            torch.save({"decider": decider.state_dict(), "optimizer": optimizer.state_dict(), "state": state}, temporary)
            temporary.replace(saved)
    draw_curves(journal.path, folder / "stage2.svg")
    return decider.eval()


@torch.no_grad()
def choose_threshold(recipe: Recipe, model: ThinkingModel, validation: list[Problem], tokenizer: Tokenizer, shares: tuple[float, ...]) -> tuple[float, list[dict[str, float]]]:
    """Tries thresholds that send on these shares of answer tokens; counts whole solutions right (teacher-forced).

    Gives the threshold and a table: share, threshold, exact, corrected and broken tokens.
    """
    device = model.embedding.weight.device
    assert model.decider is not None
    rows = packed(encoded(((p.question, p.solution) for p in validation), tokenizer), recipe.stage1.row_tokens)
    batches = [tuple(t.to(device) for t in to_tensors(rows.slice(i, i + 16))) for i in range(0, len(rows), 16)]
    scores = []
    for ids, labels, positions, documents in batches:
        outcome = model(ids, Learned(model.decider, 2.0), positions=positions, documents=documents)
        first = outcome.passes[0]
        scores.append(first.probability[(labels != IGNORED)[first.row, first.column]])
    every = torch.cat(scores)
    table = []
    for share in (0.0, *shares):
        threshold = float(every.quantile(1 - share)) if share else 1.0
        right = total = corrected = broken = sent = answers = 0
        for ids, labels, positions, documents in batches:
            outcome = model(ids, Learned(model.decider, threshold), positions=positions, documents=documents)
            first = outcome.passes[0]
            before = torch.zeros_like(ids).index_put((first.row, first.column), first.raw.argmax(-1)) == labels
            after, answer = outcome.logits.argmax(-1) == labels, labels != IGNORED
            corrected += int((after & ~before & answer).sum())
            broken += int((before & ~after & answer).sum())
            sent += int(((outcome.iterations > 1) & answer).sum())
            answers += int(answer.sum())
            keys = torch.arange(len(ids), device=device)[:, None] * 64 + documents
            for key in keys[answer].unique():
                total += 1
                right += int((after | ~(answer & (keys == key))).all())
        table.append({"share": sent / answers, "threshold": threshold, "exact": right / total, "corrected": corrected, "broken": broken})
        print(f"[stage2] threshold {threshold:.4f} sends {sent / answers:.3f}: exact {right / total:.4f}, corrected {corrected}, broken {broken}", flush=True)
    return pick_threshold(table[1:], recipe.stage2.max_share, len(validation)), table


def pick_threshold(table: list[dict[str, float]], max_share: float, problems: int) -> float:
    """The smallest share whose exactness is within one standard error of the best: more second passes must earn their cost."""
    allowed = [t for t in table if t["share"] <= max_share + 1e-3] or table[:1]
    best = max(t["exact"] for t in allowed)
    error = (best * (1 - best) / problems) ** 0.5
    return min((t for t in allowed if t["exact"] >= best - error), key=lambda t: t["share"])["threshold"]
