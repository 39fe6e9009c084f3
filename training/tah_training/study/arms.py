"""What an arm trains, from the same finished backbone, and how its answers are made. Nothing here writes files."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn
from transformers import Qwen3Config, Qwen3ForCausalLM

from ..checkpoint import with_adapter
from ..decider import Constant, Fixed, Learned, MLPIterDecider, Policy, Unsure
from ..losses import decider_loss, next_token_loss, token_loss
from ..optimizers import build_optimizers, rate_at, set_rate
from ..oracle import Forcing, SelfOracle, hard_tokens, wanted_passes
from ..recipe import LabelSettings
from ..shards import IGNORED
from ..stage2 import AnswersOnly
from ..thinking import Outcome, ThinkingModel
from .forms import ALPHABET, LENGTH, Batch, Exercise, encoded, training_batches
from .settings import StudySettings


def new_model(settings: StudySettings, layers: int, seed: int) -> Qwen3ForCausalLM:
    torch.manual_seed(seed)
    return Qwen3ForCausalLM(Qwen3Config(
        vocab_size=len(ALPHABET), hidden_size=settings.hidden_size, intermediate_size=4 * settings.hidden_size, num_hidden_layers=layers,
        num_attention_heads=settings.heads, num_key_value_heads=settings.heads, head_dim=settings.hidden_size // settings.heads, tie_word_embeddings=True,
        max_position_embeddings=2 * LENGTH, rope_theta=10000.0, use_cache=False, bos_token_id=None, eos_token_id=1, pad_token_id=0))


def plain_logits(model: nn.Module, batch: Batch) -> torch.Tensor:
    """One pass; padding is on the right, where a causal model can't see it."""
    return model(input_ids=batch.ids, use_cache=False).logits


@dataclass
class Spent:
    """What a training cost: steps, tokens seen, positions computed (a second pass counts again), seconds of the processor."""

    steps: int = 0
    tokens: int = 0
    positions: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Until:
    """A training ends by tokens, or by seconds of the processor; the rate falls linearly over the last `decay` of it."""

    tokens: int | None = None
    seconds: float | None = None
    decay: float = 0.97

    def progress(self, spent: Spent) -> float:
        return max(spent.tokens / self.tokens if self.tokens else 0.0, spent.seconds / self.seconds if self.seconds else 0.0)


Told = Callable[[Spent, float], None]
LossOf = Callable[[Batch, int], tuple[torch.Tensor, int]]


def train(loss_of: LossOf, optimizers: list[torch.optim.Optimizer], batches: Iterator[list[Exercise]], until: Until, told: Told, spent: Spent | None = None) -> Spent:
    """`loss_of(batch, step)` gives (loss, positions beyond the first pass); `told` hears of every step; `spent` is where it goes on from."""
    spent = spent or Spent()
    before, started = spent.seconds, time.process_time()
    parameters = [p for o in optimizers for g in o.param_groups for p in g["params"]]
    while until.progress(spent) < 1.0:
        batch = encoded(next(batches))
        set_rate(optimizers, rate_at(until.progress(spent), 0.03, until.decay))
        loss, more = loss_of(batch, spent.steps)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        spent.steps += 1
        spent.tokens += batch.tokens
        spent.positions += batch.tokens + more
        spent.seconds = before + time.process_time() - started
        told(spent, loss.item())
    return spent


def adamw(parameters: list[nn.Parameter], lr: float, weight_decay: float = 0.0) -> torch.optim.Optimizer:
    optimizer = torch.optim.AdamW(parameters, lr=lr, betas=(0.9, 0.98), weight_decay=weight_decay)
    optimizer.param_groups[0]["initial_lr"] = lr
    return optimizer


def trainable(model: nn.Module) -> list[nn.Parameter]:
    return [p for p in model.parameters() if p.requires_grad]


# (batch, threshold) -> final logits [B, T, V], passes [B, T].
Answers = Callable[[Batch, float], tuple[torch.Tensor, torch.Tensor]]


@dataclass
class Arm:
    """A trained arm, and how it answers; `gated`: its threshold is still to be chosen."""

    spent: Spent
    answers: Answers
    parameters: int
    gated: bool = False


def size_of(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def once(model: nn.Module) -> Answers:
    def answers(batch: Batch, threshold: float) -> tuple[torch.Tensor, torch.Tensor]:
        return plain_logits(model, batch), (batch.documents >= 0).long()

    return answers


def thinking(model: ThinkingModel, policy_of: Callable[[float], Policy], answers_only: bool = True) -> Answers:
    """Who thinks twice is asked at answer positions only: questions are random numbers, nobody can be sure of them."""

    def answers(batch: Batch, threshold: float) -> tuple[torch.Tensor, torch.Tensor]:
        policy = policy_of(threshold)
        outcome = model(batch.ids, AnswersOnly(policy, batch.labels) if answers_only else policy, documents=batch.documents)
        return outcome.logits, outcome.iterations

    return answers


class Trainer:
    """Arms of one seed. `backbone` is finished and stays as it is; each arm trains a copy."""

    def __init__(self, settings: StudySettings, seed: int, backbone: Qwen3ForCausalLM, told: Told) -> None:
        self.settings, self.seed, self.backbone, self.told = settings, seed, backbone, told

    def _batches(self) -> Iterator[list[Exercise]]:
        """The same exercises for every arm, none of them in the order of the backbone's training."""
        return training_batches(f"{self.seed}:arms", self.settings.rows)

    def _run(self, model: nn.Module, loss_of: LossOf, lr: float, seconds: float | None = None) -> Spent:
        model.train()
        until = Until(seconds=seconds) if seconds else Until(tokens=self.settings.arm_tokens)
        spent = train(loss_of, [adamw(trainable(model), lr)], self._batches(), until, self.told)
        model.eval()
        return spent

    def _plain(self, model: nn.Module, lr: float, seconds: float | None = None) -> Arm:
        spent = self._run(model, lambda batch, _: (next_token_loss(plain_logits(model, batch), batch.labels), 0), lr, seconds)
        return Arm(spent, once(model), size_of(model))

    def standard(self, seconds: float | None = None) -> Arm:
        return self._plain(copy.deepcopy(self.backbone).requires_grad_(True), self.settings.lr, seconds)

    def first_pass_lora(self) -> Arm:
        """The adapter without the second pass: backbone frozen, LoRA on in the only pass."""
        return self._plain(with_adapter(copy.deepcopy(self.backbone), self.settings.lora_r, 2 * self.settings.lora_r), self.settings.lora_lr)

    def one_more_layer(self) -> Arm:
        """A layer on top that does nothing at first; everything is trained."""
        deeper = new_model(self.settings, self.settings.layers + 1, self.seed)
        deeper.load_state_dict(self.backbone.state_dict(), strict=False)
        last = deeper.model.layers[-1]
        with torch.no_grad():
            last.self_attn.o_proj.weight.zero_()
            last.mlp.down_proj.weight.zero_()
        return self._plain(deeper, self.settings.lr)

    def _thinking(self, frozen: bool, mix_topk: int) -> ThinkingModel:
        torch.manual_seed(self.seed + 1)
        adapted = with_adapter(copy.deepcopy(self.backbone), self.settings.lora_r, 2 * self.settings.lora_r)
        for name, parameter in adapted.named_parameters():
            parameter.requires_grad_(".lora_" in name or not frozen)
        return ThinkingModel(adapted, None, mix_topk, 2)

    def _second_pass(self, policy_of: Callable[[Batch], Policy], frozen: bool, first_loss: float, mix_topk: int) -> tuple[ThinkingModel, Spent]:
        """Stage 1 with an oracle's policy."""
        model = self._thinking(frozen, mix_topk)

        def loss_of(batch: Batch, step: int) -> tuple[torch.Tensor, int]:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
            outcome = model(batch.ids, Forcing(policy_of(batch), batch.labels, generator), documents=batch.documents)
            loss = next_token_loss(outcome.logits, batch.labels)
            if first_loss:
                loss = loss + first_loss * next_token_loss(first_logits(outcome), batch.labels)
            return loss, int((outcome.iterations > 1).sum())

        return model, self._run(model, loss_of, self.settings.lora_lr if frozen else self.settings.lr)

    def always(self, answers_only: bool) -> Arm:
        def policy(batch: Batch) -> Policy:
            return AnswersOnly(Constant(True), batch.labels) if answers_only else Constant(True)

        model, spent = self._second_pass(policy, False, 0.0, self.settings.mix_topk)
        return Arm(spent, thinking(model, lambda _: Constant(True), answers_only), size_of(model))

    def paper(self) -> tuple[ThinkingModel, Spent]:
        """Mismatch labels of the frozen backbone; backbone and LoRA together."""
        kind = LabelSettings(kind="mismatch")
        generator = torch.Generator().manual_seed(self.seed)

        def policy(batch: Batch) -> Policy:
            with torch.no_grad():
                judged = plain_logits(self.backbone, batch)
            return Fixed(wanted_passes(hard_tokens(judged, batch.labels, kind), 2, generator))

        return self._second_pass(policy, False, 0.0, self.settings.mix_topk)

    def unsure(self, frozen: bool, mix_topk: int) -> tuple[ThinkingModel, Spent]:
        """Labels from the first pass's largest probability. The backbone trains along unless frozen; then its first pass has a loss of its own."""
        kind = LabelSettings(kind="maxp", below=self.settings.below)
        return self._second_pass(lambda batch: SelfOracle(batch.labels, kind), frozen, 0.0 if frozen else self.settings.first_pass_loss, mix_topk)

    def decider(self, model: ThinkingModel, kind: str) -> tuple[MLPIterDecider, Spent]:
        """Stage 2 on a trained model: `mismatch` of its own first pass (the paper's labels), or the `gain` that its second pass brings."""
        torch.manual_seed(self.seed + 2)
        model.requires_grad_(False)
        size = self.settings.hidden_size
        decider = MLPIterDecider(topk=10, hidden_states_size=size, hidden_states_layer_nums=list(range(self.settings.layers + 1)), hidden_dims=[64, 64], dropout_rate=0.0, max_iter=2)
        seen = {"answers": 0, "wanted": 0}

        def loss_of(batch: Batch, step: int) -> tuple[torch.Tensor, int]:
            with torch.no_grad():
                policy: Policy = Constant(False) if kind == "mismatch" else AnswersOnly(Constant(True), batch.labels)
                outcome = model(batch.ids, policy, documents=batch.documents)
                first = first_logits(outcome)
                if kind == "mismatch":
                    wanted = hard_tokens(first, batch.labels, LabelSettings(kind="mismatch"))
                else:
                    wanted = token_loss(first, batch.labels) - token_loss(outcome.logits, batch.labels) > self.settings.gain_above
            seen["answers"] += int((batch.labels != IGNORED).sum())
            seen["wanted"] += int(wanted.sum())
            share = min(max(seen["wanted"] / seen["answers"], 1e-3), 0.5)
            return decider_loss(decider, outcome.passes[:1], wanted.long() + 1, ((1 - share) / share) ** 0.63), 0

        spent = train(loss_of, [adamw(list(decider.parameters()), 2e-3, 0.01)], training_batches(f"{self.seed}:decider", self.settings.rows), Until(self.settings.decider_tokens, decay=0.6), self.told)
        model.decider = decider.eval()
        return decider, spent


def first_logits(outcome: Outcome) -> torch.Tensor:
    first = outcome.passes[0]
    return torch.zeros_like(outcome.logits).index_put((first.row, first.column), first.raw)


def gated(model: ThinkingModel, spent: Spent, decider: MLPIterDecider | None) -> Arm:
    """An arm whose threshold is still to be chosen: the decider's, or without one that of the first pass's largest probability."""
    def policy_of(threshold: float) -> Policy:
        return Unsure(threshold) if decider is None else Learned(decider, threshold)

    return Arm(spent, thinking(model, policy_of), size_of(model), gated=True)


def train_backbone(settings: StudySettings, seed: int, saved: Path, told: Told) -> tuple[Qwen3ForCausalLM, Spent]:
    """Goes on from `saved`, which holds the finished one at the end."""
    model = new_model(settings, settings.layers, seed)
    optimizers = build_optimizers(model, settings.muon_lr, settings.adam_lr)
    spent = Spent()
    if saved.exists():
        data = torch.load(saved, weights_only=True)
        model.load_state_dict(data["model"])
        for optimizer, content in zip(optimizers, data["optimizers"]):
            optimizer.load_state_dict(content)
        spent = Spent(**data["spent"])

    def save() -> None:
        temporary = saved.with_suffix(".tmp")
        torch.save({"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], "spent": asdict(spent)}, temporary)
        temporary.replace(saved)

    def each(spent: Spent, loss: float) -> None:
        told(spent, loss)
        if spent.steps % 200 == 0:
            save()

    logits_of = torch.compile(plain_logits) if settings.compile else plain_logits
    batches = training_batches(f"{seed}:backbone", settings.rows, spent.steps)
    train(lambda batch, _: (next_token_loss(logits_of(model, batch), batch.labels), 0), optimizers, batches, Until(settings.backbone_tokens, decay=0.35), each, spent)
    save()
    return model.eval().requires_grad_(False), spent
