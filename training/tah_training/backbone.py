"""The plain model: Qwen3 from scratch on packed problems, resumable."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from transformers import Qwen3Config, Qwen3ForCausalLM

from .chat import END_OF_TEXT, IM_END
from .journal import Journal, clock, draw_curves
from .optimizers import build_optimizers, rate_at, set_rate
from .problems import FAMILIES, Problem
from .recipe import BackboneSettings, Recipe
from .shards import IGNORED, Rows, encoded, packed, training_shard


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


def plain_loss(model: Qwen3ForCausalLM) -> Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]:
    """(ids, labels, positions, documents) -> mean cross-entropy of the answer tokens, float32."""

    def loss(ids: torch.Tensor, labels: torch.Tensor, positions: torch.Tensor, documents: torch.Tensor) -> torch.Tensor:
        logits = model(input_ids=ids, position_ids=positions, attention_mask=document_mask(documents), use_cache=False).logits
        return F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED)

    return loss


@torch.no_grad()
def teacher_forced_exact(model: Qwen3ForCausalLM, problems: list[Problem], tokenizer: Tokenizer, rows: int = 32) -> dict[str, float]:
    """Share of problems of each family whose every answer token is the model's first choice."""
    right: dict[str, list[bool]] = {}
    documents = sorted(zip(problems, encoded(((p.question, p.solution) for p in problems), tokenizer)), key=lambda d: len(d[1][0]))
    for start in range(0, len(documents), rows):
        part = documents[start : start + rows]
        length = max(len(ids) for _, (ids, _) in part)
        ids = torch.zeros(len(part), length, dtype=torch.long)
        for i, (_, (tokens, _)) in enumerate(part):
            ids[i, : len(tokens)] = torch.tensor(tokens)
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


def to_tensors(rows: Rows) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    return tuple(torch.from_numpy(a) for a in (rows.ids, rows.labels, rows.positions, rows.documents))  # type: ignore[return-value]


def train_backbone(recipe: Recipe, tokenizer: Tokenizer, validation: list[Problem], folder: Path) -> Qwen3ForCausalLM:
    """Trains until `total_tokens`, or ends early so that `max_minutes` of work are kept. Starts where it was stopped."""
    settings = recipe.backbone
    model = new_backbone(settings, tokenizer, recipe.seed)
    optimizers = build_optimizers(model, settings.muon_lr, settings.adam_lr)
    state = {"step": 0, "tokens": 0, "seconds": 0.0, "shard": 0, "row": 0, "shares": {f: s for f, (_, s) in FAMILIES.items()}, "coming": {}}
    saved = folder / "backbone.pt"
    if saved.exists():
        data = torch.load(saved, weights_only=True)
        model.load_state_dict(data["model"])
        for optimizer, content in zip(optimizers, data["optimizers"]):
            optimizer.load_state_dict(content)
        state = data["state"]
        print(f"[backbone] goes on at step {state['step']}, {state['tokens'] / 1e6:.2f}M tokens", flush=True)
    elif settings.start:
        started_from(model, Path(settings.start))
        print(f"[backbone] starts from {settings.start}", flush=True)
    journal = Journal(folder, "backbone")
    loss_of = plain_loss(model)
    if settings.compile:
        loss_of = torch.compile(loss_of, dynamic=False)
    sample = [p for f in FAMILIES for p in [v for v in validation if v.family == f][:40]]
    if settings.start and settings.weigh_families and not saved.exists():
        exact = teacher_forced_exact(model, sample, tokenizer)
        state["shares"] = next_shares(exact)
        journal.write(step=0, tokens=0, exact=exact)

    def save() -> None:
        temporary = saved.with_suffix(".tmp")
        torch.save({"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], "state": state}, temporary)
        temporary.replace(saved)

    def progress() -> float:
        by_time = state["seconds"] / 60 / settings.max_minutes if settings.max_minutes else 0.0
        return max(state["tokens"] / settings.total_tokens, by_time)

    rows: Rows | None = None
    started = time.monotonic()
    while progress() < 1.0:
        if rows is None:
            rows = training_shard(state["shard"], recipe.data.problems_per_shard, recipe.seed, state["shares"], tokenizer, settings.row_tokens)
        batch = rows.slice(state["row"], state["row"] + settings.rows)
        set_rate(optimizers, rate_at(progress(), settings.warmup, settings.decay))
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings.bf16):
            loss = loss_of(*to_tensors(batch))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        state["step"] += 1
        state["tokens"] += int((batch.documents >= 0).sum())
        state["row"] += settings.rows
        now = time.monotonic()
        state["seconds"] += now - started
        started = now
        if state["row"] + settings.rows > len(rows):
            rows, state["row"], state["shard"] = None, 0, state["shard"] + 1
            state["shares"] = state.get("coming") or state["shares"]
        if state["step"] % 10 == 0:
            journal.write(step=state["step"], tokens=state["tokens"], loss=loss.item(), rate=rate_at(progress(), settings.warmup, settings.decay), seconds=round(state["seconds"]))
        left = state["seconds"] * (1 - progress()) / max(progress(), 1e-6)
        journal.line(f"step {state['step']} {state['tokens'] / 1e6:.2f}M tokens loss {loss.item():.4f} {state['tokens'] / state['seconds']:.0f} tokens/s, {clock(left)} left")
        if state["step"] % settings.validate_every == 0:
            exact = teacher_forced_exact(model, sample, tokenizer)
            # For the shards that are still to come: a shard begun keeps its shares, so that it is the same after a stop.
            if settings.weigh_families:
                state["coming"] = next_shares(exact)
            journal.write(step=state["step"], tokens=state["tokens"], exact=exact)
            print(f"[backbone] step {state['step']} exact {np.mean(list(exact.values())):.3f} " + " ".join(f"{f} {v:.2f}" for f, v in exact.items()), flush=True)
        if state["step"] % settings.save_every == 0:
            save()
    save()
    draw_curves(journal.path, folder / "backbone.svg")
    return model
