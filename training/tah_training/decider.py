"""Who gets another pass: the learned MLP decider and the oracle policies. Names follow the official state dict."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import nn


class Block(nn.Module):
    """dim_change(x) + W2 GELU(W1 LayerNorm(x)); the identity where the dimensions agree."""

    def __init__(self, size: int, out: int, expansion: int, dropout: float) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(size)
        self.mlp = nn.Sequential(nn.Linear(size, size * expansion), nn.GELU(), nn.Dropout(dropout), nn.Linear(size * expansion, out), nn.Dropout(dropout))
        self.dim_change = nn.Linear(size, out) if size != out else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dim_change(x) + self.mlp(self.layer_norm(x))


class Backbone(nn.Module):
    """Projection, blocks, and the output layer: [..., dims[0]] -> [..., 1]."""

    def __init__(self, dims: list[int], expansion: int, dropout: float) -> None:
        super().__init__()
        self.input_projection = nn.Linear(dims[0], dims[0])
        outs = [*dims[1:], dims[-1]]
        self.blocks = nn.ModuleList(Block(size, out, expansion, dropout) for size, out in zip(dims, outs))
        self.output_layer = nn.Sequential(nn.LayerNorm(dims[-1]), nn.Linear(dims[-1], 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.input_projection(x)
        for block in self.blocks:
            x = block(x)
        return self.output_layer(x)


class MLPIterDecider(nn.Module):
    """continueProbability from hidden states of some layers and the top-k cumulative logits."""

    def __init__(self, topk: int, hidden_states_size: int, hidden_states_layer_nums: list[int], hidden_dims: list[int], expansion_factor: int = 4,
                 dropout_rate: float = 0.1, normalize_input: bool = False, threshold: float = 0.5, max_iter: int = 2, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.topk, self.layers, self.normalize_input, self.max_iter = topk, list(hidden_states_layer_nums), normalize_input, max_iter
        self.register_buffer("threshold", torch.tensor(float(threshold)))
        width = hidden_states_size * len(self.layers)
        self.layer_norm_hidden_states = nn.LayerNorm(width) if normalize_input else nn.Identity()
        self.logits_projection = nn.Linear(topk, hidden_states_size)
        self.combined_projection = nn.Linear(width + hidden_states_size, hidden_dims[0])
        self.backbone = Backbone(list(hidden_dims), expansion_factor, dropout_rate)

    def forward(self, hidden: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """hidden [..., layers * H] (the chosen layers side by side), logits [..., V] float32 -> logit of continuing [...]."""
        top = logits.topk(min(self.topk, logits.shape[-1]), dim=-1).values
        if self.normalize_input:
            top = top.softmax(-1)
        weight = self.combined_projection.weight
        hidden = self.layer_norm_hidden_states(hidden.to(weight.dtype))
        combined = torch.cat([hidden, self.logits_projection(top.to(weight.dtype))], dim=-1)
        return self.backbone(self.combined_projection(combined)).squeeze(-1).float()


class Policy(Protocol):
    """Called after pass `count` (1-based) while count < max_iter. Index tensors `row`, `column` [N] name the positions still
    active; hidden is a tuple of [N, H] (embeddings, then every block), logits [N, V] are cumulative.
    Gives (continue bool [N], probability float32 [N])."""

    def __call__(self, count: int, row: torch.Tensor, column: torch.Tensor, hidden: tuple[torch.Tensor, ...], logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]: ...


class Learned:
    """The decider with its threshold, or another one."""

    def __init__(self, decider: MLPIterDecider, threshold: float | None = None) -> None:
        self.decider = decider
        self.threshold = decider.threshold.float() if threshold is None else torch.tensor(threshold, dtype=torch.float32)

    def __call__(self, count, row, column, hidden, logits):  # noqa: ANN001, ANN204
        probability = self.decider(torch.cat([hidden[i] for i in self.decider.layers], dim=-1), logits).sigmoid()
        return probability > self.threshold.to(probability.device), probability


class Fixed:
    """`iterations` [B, T]: a position continues while its number is above the passes it has had (the oracle's rule)."""

    def __init__(self, iterations: torch.Tensor) -> None:
        self.iterations = iterations

    def __call__(self, count, row, column, hidden, logits):  # noqa: ANN001, ANN204
        more = self.iterations[row, column] > count
        return more, more.float()


class Constant:
    """Every position, or none."""

    def __init__(self, more: bool) -> None:
        self.more = more

    def __call__(self, count, row, column, hidden, logits):  # noqa: ANN001, ANN204
        more = torch.full_like(row, self.more, dtype=torch.bool)
        return more, more.float()


class Unsure:
    """Positions whose first choice has a probability below `below`."""

    def __init__(self, below: float) -> None:
        self.below = below

    def __call__(self, count, row, column, hidden, logits):  # noqa: ANN001, ANN204
        best = logits.softmax(-1).amax(-1)
        return best < self.below, 1 - best
