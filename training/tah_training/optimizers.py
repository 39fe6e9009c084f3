"""Muon for the matrices of the blocks, AdamW for embeddings and norms; one schedule for both."""

from __future__ import annotations

import math

import torch
from torch import nn


class FloatMuon(torch.optim.Muon):
    """torch's Muon with its orthogonalization in float32: torch does it in bfloat16, which a CPU without such instructions
    emulates at a twentieth of the speed (more than twice the time of the whole backward pass of the small model)."""

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                momentum = self.state[parameter].setdefault("momentum_buffer", torch.zeros_like(parameter))
                momentum.lerp_(parameter.grad, 1 - group["momentum"])
                update = parameter.grad.lerp(momentum, group["momentum"]) if group["nesterov"] else momentum
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(_orthogonal(update, group["ns_coefficients"], group["ns_steps"], group["eps"]), alpha=-group["lr"] * max(1.0, parameter.shape[0] / parameter.shape[1]) ** 0.5)


def _orthogonal(matrix: torch.Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> torch.Tensor:
    """Newton-Schulz iteration towards the nearest orthogonal matrix, on the short side."""
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


def build_optimizers(model: nn.Module, muon_lr: float, adam_lr: float) -> list[torch.optim.Optimizer]:
    """Two optimizers; each group remembers its full rate as `initial_lr`."""
    matrices = [p for n, p in model.named_parameters() if p.requires_grad and p.ndim == 2 and "embed_tokens" not in n and "lm_head" not in n]
    chosen = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if p.requires_grad and id(p) not in chosen]
    optimizers: list[torch.optim.Optimizer] = [(torch.optim.Muon if matrices[0].is_cuda else FloatMuon)(matrices, lr=muon_lr, weight_decay=0.01)] if matrices else []
    if rest:
        optimizers.append(torch.optim.AdamW(rest, lr=adam_lr, betas=(0.9, 0.98), weight_decay=0.0))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return optimizers


def rate_at(progress: float, warmup: float, decay: float, schedule: str = "linear", least: float = 0.0) -> float:
    """Share of the full rate at `progress` in 0..1: linear up, then `linear`: constant and linear to `least` in the last `decay`;
    `cosine`: half a cosine to `least`."""
    if progress < warmup:
        return max(progress / warmup, 0.02)
    if schedule == "cosine":
        return least + (1 - least) * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))
    if schedule != "linear":
        raise ValueError(f"schedule {schedule!r}: known are linear and cosine")
    return max(min(1.0, (1.0 - progress) / decay), least) if decay else 1.0


def set_rate(optimizers: list[torch.optim.Optimizer], share: float) -> None:
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * share


def adamw(named: list[tuple[str, nn.Parameter]], lr: float, weight_decay: float) -> torch.optim.Optimizer:
    """AdamW for those that require a gradient; only matrices decay."""
    wanted = [p for _, p in named if p.requires_grad]
    groups = [{"params": [p for p in wanted if p.ndim > 1], "weight_decay": weight_decay}, {"params": [p for p in wanted if p.ndim < 2], "weight_decay": 0.0}]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=lr)
