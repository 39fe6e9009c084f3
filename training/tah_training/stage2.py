"""Stage 2: everything else frozen, the decider learns whom to send on; then its threshold is chosen on the validation split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast
from transformers import PreTrainedModel

from .backbone import plain_logits
from .decider import Constant, Learned, MLPIterDecider, Unsure
from .documents import Documents
from .loop import Loop, T, Task, to_tensors
from .losses import decider_loss, token_loss
from .optimizers import adamw
from .oracle import hard_tokens
from .recipe import Recipe
from .shards import IGNORED, Rows
from .stage1 import named_reference
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
def decisions_to_learn(model: ThinkingModel, reference: PreTrainedModel | None, recipe: Recipe, tensors: tuple[torch.Tensor, ...]) -> tuple[Outcome, torch.Tensor]:
    """(a forward whose first pass is the decider's input, target bool [B, T]).

    `gain`: unsure answer tokens (first-pass probability below `labels.below`) take a second pass; the target is whether it lowers
    their cross-entropy by more than `gain_above`. Other kinds: as in stage 1, of the reference or of the model's own first pass.
    """
    ids, labels, positions, documents = tensors
    settings = recipe.stage2.labels
    if settings.kind != "gain":
        outcome = model(ids, Constant(False), positions=positions, documents=documents)
        judged = outcome.logits if reference is None else plain_logits(reference, ids, positions, documents)
        return outcome, hard_tokens(judged, labels, settings)
    outcome = model(ids, AnswersOnly(Unsure(settings.below), labels), positions=positions, documents=documents)
    first = outcome.passes[0]
    raw = torch.zeros_like(outcome.logits).index_put((first.row, first.column), first.raw)
    gain = token_loss(raw, labels) - token_loss(outcome.logits, labels)
    return outcome, (gain > settings.gain_above) & (outcome.iterations > 1)


class Decisions(Task):
    """Binary cross-entropy of the decider on a frozen model's first passes. Prompt tokens count as easy."""

    stage = "stage2"
    names = ("answers", "wanted", "sent", "hit", "loss")

    def __init__(self, decider: MLPIterDecider, thinking: ThinkingModel, reference: PreTrainedModel | None, recipe: Recipe) -> None:
        super().__init__()
        self.decider, self.recipe, self.pos_weight = decider, recipe, 1.0
        # Not modules of this one: they aren't trained, nor saved.
        self._frozen = (thinking, reference)

    def targets(self, tensors: tuple[torch.Tensor, ...]) -> tuple[Outcome, torch.Tensor]:
        return decisions_to_learn(*self._frozen, self.recipe, tensors)

    def forward(self, ids, labels, positions, documents, items, parts, seed):  # noqa: ANN001, ANN201
        outcome, target = self.targets((ids, labels, positions, documents))
        first = outcome.passes[0]
        loss = decider_loss(self.decider, outcome.passes[:1], target.long() + 1, self.pos_weight)
        with torch.no_grad():
            answer, wanted = (labels != IGNORED)[first.row, first.column], target[first.row, first.column]
            sent = answer & (self.decider(torch.cat([first.hidden[i] for i in self.decider.layers], dim=-1), first.cumulative) > 0)
            sums = torch.stack([answer.sum().float(), wanted.sum().float(), sent.sum().float(), (sent & wanted).sum().float(), loss.detach() / parts])
        return loss / parts, sums

    def figures(self, sums: dict[str, float]) -> dict[str, float]:
        return {"loss": sums["loss"], "hard": sums["wanted"] / max(sums["answers"], 1), "precision": sums["hit"] / max(sums["sent"], 1), "recall": sums["hit"] / max(sums["wanted"], 1)}

    def weights(self, state_dict: dict[str, T]) -> dict[str, T]:
        return {name.removeprefix("decider."): value for name, value in state_dict.items()}


def tempered_weight(wanted: int, answers: int, temper: float) -> float:
    """Weight of the positives: their odds against them, tempered, so that rare second passes are neither lost nor overdone."""
    share = min(max(wanted / max(answers, 1), 1e-4), 1 - 1e-4)
    return ((1 - share) / share) ** temper


def measured_weight(task: Decisions, loop: Loop, documents: Documents, batches: int = 8) -> float:
    """The tempered weight for the share of wanted second passes in the first batches of the training text."""
    wanted = answers = 0
    stream = documents.batches(task.recipe.stage2.rows)
    with torch.no_grad(), loop.accelerator.autocast():
        for _ in range(batches):
            tensors = tuple(t.to(loop.accelerator.device) for t in to_tensors(next(stream).rows))
            wanted += int(task.targets(tensors)[1].sum())
            answers += int((tensors[1] != IGNORED).sum())
    told = torch.tensor([tempered_weight(wanted, answers, task.recipe.stage2.temper)], dtype=torch.float32, device=loop.accelerator.device)
    return float(broadcast(told)[0])


def train_stage2(recipe: Recipe, model: ThinkingModel, documents: Documents, folder: Path) -> MLPIterDecider:
    """Goes on where it was stopped."""
    settings = recipe.stage2
    torch.manual_seed(recipe.seed + 2)
    model.requires_grad_(False).eval()
    kwargs = decider_kwargs(recipe, model.embedding.weight.shape[1], 0.5)
    task = Decisions(MLPIterDecider(**kwargs), model, named_reference(settings.labels, settings.bf16), recipe)
    loop = Loop(task, [adamw(list(task.named_parameters()), settings.lr, settings.weight_decay)], documents, settings, recipe.seed + 2, folder)
    loop.resume()
    loop.state.setdefault("pos_weight", settings.pos_weight or measured_weight(task, loop, documents))
    task.pos_weight = loop.state["pos_weight"]
    loop.run()
    return trained_decider(kwargs, folder).to(model.embedding.weight.device)


def trained_decider(kwargs: dict[str, Any], folder: Path) -> MLPIterDecider:
    """That of a finished stage 2; the threshold is that of `kwargs`."""
    decider = MLPIterDecider(**kwargs)
    decider.load_state_dict(torch.load(folder / "stage2.pt", weights_only=True)["model"])
    decider.threshold.fill_(kwargs["threshold"])
    return decider.eval()


def always_decider(kwargs: dict[str, Any]) -> MLPIterDecider:
    """The baseline that always thinks twice, in the form that a checkpoint has: whatever it sees, the probability of continuing is 1."""
    decider = MLPIterDecider(**kwargs)
    last = decider.backbone.output_layer[1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.fill_(30.0)
    return decider.eval()


@torch.no_grad()
def choose_threshold(recipe: Recipe, model: ThinkingModel, rows: Rows, shares: tuple[float, ...]) -> tuple[float, list[dict[str, float]]]:
    """Tries thresholds that send on these shares of answer tokens of the validation split; counts whole solutions right (teacher-forced).

    Gives the threshold and a table: share, threshold, exact, corrected and broken tokens.
    """
    device = model.embedding.weight.device
    assert model.decider is not None
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
    return pick_threshold(table[1:], recipe.stage2.max_share, total), table


def pick_threshold(table: list[dict[str, float]], max_share: float, problems: int) -> float:
    """The smallest share whose exactness is within one standard error of the best: more second passes must earn their cost."""
    allowed = [t for t in table if t["share"] <= max_share + 1e-3] or table[:1]
    best = max(t["exact"] for t in allowed)
    error = (best * (1 - best) / problems) ** 0.5
    return min((t for t in allowed if t["exact"] >= best - error), key=lambda t: t["share"])["threshold"]
