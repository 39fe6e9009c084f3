"""Muon for the matrices of the blocks, AdamW for embeddings and norms; one schedule for both."""

from __future__ import annotations

import torch
from torch import nn


def build_optimizers(model: nn.Module, muon_lr: float, adam_lr: float) -> list[torch.optim.Optimizer]:
    """Two optimizers; each group remembers its full rate as `initial_lr`."""
    matrices = [p for n, p in model.named_parameters() if p.requires_grad and p.ndim == 2 and "embed_tokens" not in n and "lm_head" not in n]
    chosen = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if p.requires_grad and id(p) not in chosen]
    optimizers: list[torch.optim.Optimizer] = [torch.optim.Muon(matrices, lr=muon_lr, weight_decay=0.01)] if matrices else []
    if rest:
        optimizers.append(torch.optim.AdamW(rest, lr=adam_lr, betas=(0.9, 0.98), weight_decay=0.0))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return optimizers


def rate_at(progress: float, warmup: float, decay: float) -> float:
    """Share of the full rate at `progress` in 0..1: linear up, constant, linear to 0 in the last `decay`."""
    if progress < warmup:
        return max(progress / warmup, 0.02)
    return min(1.0, max((1.0 - progress) / decay, 0.0)) if decay else 1.0


def set_rate(optimizers: list[torch.optim.Optimizer], share: float) -> None:
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * share
