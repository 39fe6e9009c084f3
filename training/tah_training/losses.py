"""The losses of both stages. They are tested against numbers of the reference implementation (tests/golden/losses.json)."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .decider import MLPIterDecider
from .shards import IGNORED
from .thinking import Pass


def token_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each position [B, T], 0 where ignored."""
    return F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="none").view(labels.shape)


def next_token_loss(logits: torch.Tensor, labels: torch.Tensor, count: int | None = None) -> torch.Tensor:
    """Stage 1: cross-entropy summed over the answer tokens, divided by `count` (their number if it isn't given: a batch may be a part
    of a step, whose answer tokens all weigh the same)."""
    divisor = (labels != IGNORED).sum().clamp(min=1) if count is None else count
    return token_loss(logits, labels).sum() / divisor


def decider_loss(decider: MLPIterDecider, passes: list[Pass], iterations: torch.Tensor, pos_weight: float | torch.Tensor | None) -> torch.Tensor:
    """Stage 2: binary cross-entropy with "this position wants more passes than it has had" (`iterations` [B, T] > depth), the mean over
    the positions of each pass but the last possible one, summed over passes. Prompt tokens count too: they want one pass.

    The reference divides this further, by all positions or by the answer tokens of the step.
    """
    total = iterations.new_zeros((), dtype=torch.float32)
    weight = None if pos_weight is None else torch.as_tensor(pos_weight, dtype=torch.float32, device=iterations.device)
    for depth, one in enumerate(passes[: decider.max_iter - 1], start=1):
        wanted = (iterations[one.row, one.column] > depth).float()
        logit = decider(torch.cat([one.hidden[i] for i in decider.layers], dim=-1), one.cumulative)
        total = total + F.binary_cross_entropy_with_logits(logit, wanted, pos_weight=weight)
    return total
