"""Oracle labels: which answer tokens are hard; and the policies that follow them in training."""

from __future__ import annotations

import torch

from .decider import Policy
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


def wanted_passes(hard: torch.Tensor, max_iter: int, generator: torch.Generator) -> torch.Tensor:
    """int64: 1 for easy positions; for hard ones 2, or a number drawn from 2 to `max_iter`, as the reference implementation does."""
    drawn = torch.randint(2, max_iter + 1, hard.shape, generator=generator).to(hard.device)
    return torch.where(hard, drawn, 1)


class Forcing:
    """Another policy; where it would end the thinking of all answer tokens, one of them, drawn at random, goes on, so that the adapter
    always gets a gradient. labels [B, T]."""

    def __init__(self, policy: Policy, labels: torch.Tensor, generator: torch.Generator) -> None:
        self.policy, self.labels, self.generator = policy, labels, generator

    def __call__(self, count, row, column, hidden, logits):  # noqa: ANN001, ANN204
        more, probability = self.policy(count, row, column, hidden, logits)
        answer = self.labels[row, column] != IGNORED
        if not (more & answer).any() and answer.any():
            candidates = answer.nonzero(as_tuple=True)[0]
            chosen = candidates[torch.randint(len(candidates), (1,), generator=self.generator).to(candidates.device)]
            more = more.index_fill(0, chosen, True)
        return more, probability


class SelfOracle:
    """A policy: the labels come from the model's own first pass, so no other forward is needed; hard tokens take all passes. labels [B, T]."""

    def __init__(self, labels: torch.Tensor, settings: LabelSettings) -> None:
        self.labels, self.settings = labels, settings

    def __call__(self, count, row, column, hidden, logits):  # noqa: ANN001, ANN204
        here = self.labels[row, column]
        more = torch.ones_like(here, dtype=torch.bool) if count > 1 else hard_tokens(logits.detach(), here, self.settings)
        return more, more.float()
