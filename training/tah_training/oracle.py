"""Oracle labels: which answer tokens are hard."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .recipe import LabelSettings
from .shards import IGNORED


def hard_tokens(logits: torch.Tensor, labels: torch.Tensor, settings: LabelSettings) -> torch.Tensor:
    """bool [...] from the reference model's logits [..., V]: only answer tokens (labels != IGNORED) can be hard.

    `mismatch` (the paper): the first choice is not the target. `maxp`: the first choice has a probability below `below`;
    nothing in it is known only to the oracle.
    """
    answer = labels != IGNORED
    if settings.kind == "mismatch":
        return answer & (logits.argmax(-1) != labels)
    if settings.kind == "maxp":
        return answer & (logits.float().softmax(-1).amax(-1) < settings.below)
    raise ValueError(f"labels.kind {settings.kind!r}: stage 1 knows mismatch and maxp")


def token_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each position [B, T], 0 where ignored."""
    return F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="none").view(labels.shape)


def forced(hard: torch.Tensor, labels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """`hard`; where no token is, one answer token drawn at random, so that the adapter always gets a gradient."""
    if not hard.any():
        candidates = (labels != IGNORED).flatten().nonzero().squeeze(-1)
        if len(candidates):
            chosen = candidates[torch.randint(len(candidates), (1,), generator=generator)]
            hard = hard.flatten().index_fill(0, chosen.to(hard.device), True).view_as(hard)
    return hard


class SelfOracle:
    """A policy: the labels come from the model's own first pass, so no other forward is needed. labels int64 [B, T]."""

    def __init__(self, labels: torch.Tensor, settings: LabelSettings, generator: torch.Generator) -> None:
        self.labels, self.settings, self.generator = labels, settings, generator

    def __call__(self, count, row, column, hidden, logits):  # noqa: ANN001, ANN204
        here = self.labels[row, column]
        if count > 1:
            # Hard tokens take all passes.
            more = torch.ones_like(here, dtype=torch.bool)
        else:
            more = forced(hard_tokens(logits.detach(), here, self.settings), here, self.generator)
        return more, more.float()
