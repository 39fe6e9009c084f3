"""The plain model: Qwen3 from scratch on packed problems, resumable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel, Qwen3Config, Qwen3ForCausalLM

from .chat import END_OF_TEXT, IM_END
from .documents import Documents
from .journal import Journal
from .loop import Loop, T, Task
from .losses import token_loss
from .optimizers import build_optimizers
from .problems import FAMILIES, Problem
from .recipe import BackboneSettings, Recipe
from .shards import IGNORED, encoded


def new_backbone(settings: BackboneSettings, tokenizer: Tokenizer, seed: int) -> Qwen3ForCausalLM:
    torch.manual_seed(seed)
    end, pad = tokenizer.token_to_id(IM_END), tokenizer.token_to_id(END_OF_TEXT)
    config = Qwen3Config(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=settings.hidden_size, intermediate_size=settings.intermediate_size, num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads, num_key_value_heads=settings.key_value_heads, head_dim=settings.head_dim, tie_word_embeddings=True,
        max_position_embeddings=settings.max_position_embeddings, rope_theta=10000.0, rms_norm_eps=1e-6, use_cache=False, eos_token_id=end, pad_token_id=pad, bos_token_id=None,
    )
    return Qwen3ForCausalLM(config)


def document_mask(documents: torch.Tensor) -> torch.Tensor:
    """bool [B, 1, T, T]: a query sees earlier tokens of its own document (padding sees padding)."""
    length = documents.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=documents.device).tril()
    return (documents[:, :, None].eq(documents[:, None, :]) & causal)[:, None]


def plain_logits(model: PreTrainedModel, ids: torch.Tensor, positions: torch.Tensor, documents: torch.Tensor) -> torch.Tensor:
    """Logits [B, T, V] of one pass."""
    return model(input_ids=ids, position_ids=positions, attention_mask=document_mask(documents), use_cache=False).logits


@torch.no_grad()
def teacher_forced_exact(model: Qwen3ForCausalLM, problems: list[Problem], tokenizer: Tokenizer, rows: int = 32) -> dict[str, float]:
    """Share of problems of each family whose every answer token is the model's first choice."""
    right: dict[str, list[bool]] = {}
    documents = sorted(zip(problems, encoded(((p.question, p.solution) for p in problems), tokenizer)), key=lambda d: len(d[1][0]))
    for start in range(0, len(documents), rows):
        part = documents[start : start + rows]
        length = max(len(ids) for _, (ids, _) in part)
        ids = torch.zeros(len(part), length, dtype=torch.long, device=model.device)
        for i, (_, (tokens, _)) in enumerate(part):
            ids[i, : len(tokens)] = torch.tensor(tokens, device=model.device)
        best = model(input_ids=ids, use_cache=False).logits.argmax(-1)
        for i, (problem, (tokens, prompt)) in enumerate(part):
            right.setdefault(problem.family, []).append(best[i, prompt - 1 : len(tokens) - 1].tolist() == tokens[prompt:])
    return {family: float(np.mean(values)) for family, values in right.items()}


def next_shares(exact: dict[str, float]) -> dict[str, float]:
    """Weak families come more often: up to 2.8 times their starting share, at least 0.3 times."""
    return {family: share * (0.3 + 2.5 * (1.0 - exact.get(family, 0.7))) for family, (_, share) in FAMILIES.items()}


def started_from(model: Qwen3ForCausalLM, folder: Path) -> None:
    """Takes the weights of the backbone in a checkpoint; another shape is an error."""
    if not (folder / "model.safetensors").is_file():
        raise FileNotFoundError(f"backbone.start: no checkpoint in {folder} (model.safetensors is missing)")
    model.load_state_dict(Qwen3ForCausalLM.from_pretrained(folder, dtype=torch.float32).state_dict())


class Plain(Task):
    """Next-token cross-entropy of the answers in one pass: the backbone, and stage 1 of the baseline without second passes."""

    names = ("answers", "loss")

    def __init__(self, model: PreTrainedModel, stage: str, compiled: bool = False) -> None:
        super().__init__()
        self.model, self.stage = model, stage

        def losses(ids: torch.Tensor, labels: torch.Tensor, positions: torch.Tensor, documents: torch.Tensor) -> torch.Tensor:
            return token_loss(plain_logits(model, ids, positions, documents), labels)

        self._losses = torch.compile(losses, dynamic=False) if compiled else losses

    def forward(self, ids, labels, positions, documents, items, parts, seed):  # noqa: ANN001, ANN201
        losses = self._losses(ids, labels, positions, documents)
        sums = torch.stack([(labels != IGNORED).sum().float(), losses.detach().sum()])
        return losses.sum() / items, sums

    def figures(self, sums: dict[str, float]) -> dict[str, float]:
        return {"loss": sums["loss"] / max(sums["answers"], 1)}

    def weights(self, state_dict: dict[str, T]) -> dict[str, T]:
        return {name.removeprefix("model."): value for name, value in state_dict.items()}


class Backbone(Plain):
    """Looks at validation problems on its way; families that it does worse come more often."""

    def __init__(self, model: Qwen3ForCausalLM, settings: BackboneSettings, sample: list[Problem], tokenizer: Tokenizer) -> None:
        super().__init__(model, "backbone", settings.compile)
        self.settings, self.sample, self.tokenizer = settings, sample, tokenizer

    def exact(self) -> dict[str, float]:
        model = self.model
        model.eval()
        found = teacher_forced_exact(model, self.sample, self.tokenizer)
        model.train()
        return found

    def after_step(self, state: dict[str, Any], journal: Journal) -> None:
        if state["step"] % self.settings.validate_every:
            return
        exact = self.exact()
        # For the shards that are still to come.
        if self.settings.weigh_families:
            state["coming"] = next_shares(exact)
        journal.write(step=state["step"], tokens=state["tokens"], exact=exact)
        journal.say(f"step {state['step']} exact {np.mean(list(exact.values())):.3f} " + " ".join(f"{f} {v:.2f}" for f, v in exact.items()))


def train_backbone(recipe: Recipe, tokenizer: Tokenizer, validation: list[Problem], documents: Documents, folder: Path) -> dict[str, Any]:
    """Trains until `total_tokens`, or ends early so that `max_minutes` of work are kept. Starts where it was stopped. Gives the last state."""
    settings = recipe.backbone
    model = new_backbone(settings, tokenizer, recipe.seed)
    task = Backbone(model, settings, [p for f in FAMILIES for p in [v for v in validation if v.family == f][:40]], tokenizer)
    loop = Loop(task, build_optimizers(model, settings.muon_lr, settings.adam_lr), documents, settings, recipe.seed, folder)
    loop.state |= {"shares": {f: s for f, (_, s) in FAMILIES.items()}, "coming": {}}
    if not loop.resume() and settings.start:
        started_from(model, Path(settings.start))
        loop.journal.say(f"starts from {settings.start}")
        if settings.weigh_families:
            exact = task.exact()
            loop.state["shares"] = next_shares(exact)
            loop.journal.write(step=0, tokens=0, exact=exact)
    return loop.run()
