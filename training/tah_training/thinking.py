"""Think-at-Hard over a Hugging Face causal LM with a PEFT adapter: passes, input mix, duo-causal attention, summed logits.

Follows arXiv 2511.08577; agreement with the reference implementation is tested on its golden vectors.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

import torch
from peft import PeftModel
from torch import nn
from transformers import DynamicCache, PreTrainedModel

from .decider import MLPIterDecider, Policy


@dataclass
class Slots:
    """What is in the cache. positions, depths, documents: int64 [B, S]; document -1 is never seen by anyone."""

    cache: DynamicCache
    positions: torch.Tensor
    depths: torch.Tensor
    documents: torch.Tensor


@dataclass
class Pass:
    """One depth: index tensors of its real positions [N] in row-major order, raw logits [N, V], inputs [N, H] (depth > 0),
    hidden states (layers+1) x [N, H], the cumulative logits [N, V], and the policy's answer."""

    row: torch.Tensor
    column: torch.Tensor
    raw: torch.Tensor
    inputs: torch.Tensor | None
    hidden: tuple[torch.Tensor, ...]
    cumulative: torch.Tensor
    decision: torch.Tensor | None = None
    probability: torch.Tensor | None = None


@dataclass
class Outcome:
    """logits: final cumulative logits [B, T, V] float32 (zero at padding); iterations [B, T]; passes by depth; the slots to go on from."""

    logits: torch.Tensor
    iterations: torch.Tensor
    slots: Slots
    passes: list[Pass] = field(default_factory=list)


def mixed_embeddings(logits: torch.Tensor, embedding: torch.Tensor, topk: int) -> torch.Tensor:
    """[N, V] -> [N, H]: embedding rows of the `topk` best tokens, weighted by the softmax over their logits only."""
    values, tokens = logits.topk(min(topk, logits.shape[-1]), dim=-1)
    weights = values.softmax(-1).to(embedding.dtype)
    return torch.einsum("nk,nkh->nh", weights, embedding[tokens])


class ThinkingModel(nn.Module):
    """`model`: a PeftModel with one LoRA adapter; without an adapter (plain model) only one pass is possible.

    `mix_topk` 0 is a control of the study, not the method: later passes are fed the token's own embedding again, not the mix.
    """

    def __init__(self, model: PeftModel | PreTrainedModel, decider: MLPIterDecider | None, mix_topk: int, max_iter: int) -> None:
        super().__init__()
        self.model, self.decider, self.mix_topk, self.max_iter = model, decider, mix_topk, max_iter

    @property
    def embedding(self) -> nn.Embedding:
        return self.model.get_input_embeddings()

    def _adapter(self, depth: int) -> contextlib.AbstractContextManager[None]:
        """LoRA is on for depth > 0 only."""
        return self.model.disable_adapter() if depth == 0 and isinstance(self.model, PeftModel) else contextlib.nullcontext()

    def _run(self, depth: int, embeds: torch.Tensor, positions: torch.Tensor, documents: torch.Tensor, slots: Slots) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        """One transformer pass over [B, A] new slots, which are appended to `slots`. Duo-causal: a query (p, d) sees a key (q, e) iff
        q <= p and e <= d (and they are of one document)."""
        old = slots.positions.shape[1]
        slots.positions = torch.cat([slots.positions, positions], 1)
        slots.depths = torch.cat([slots.depths, torch.full_like(positions, depth)], 1)
        slots.documents = torch.cat([slots.documents, documents], 1)
        seen = slots.positions[:, None] <= positions[:, :, None]
        seen &= slots.depths[:, None] <= depth
        seen &= (slots.documents[:, None] == documents[:, :, None]) & (slots.documents[:, None] >= 0)
        # A padding query sees itself, so that its softmax is defined; nobody reads it.
        count = positions.shape[1]
        seen[:, :, old:] |= torch.eye(count, dtype=torch.bool, device=seen.device)
        with self._adapter(depth):
            output = self.model(inputs_embeds=embeds, position_ids=positions, attention_mask=seen[:, None], past_key_values=slots.cache, use_cache=True,
                                output_hidden_states=True)
        return output.logits.float(), output.hidden_states

    def forward(self, ids: torch.Tensor, policy: Policy, positions: torch.Tensor | None = None, documents: torch.Tensor | None = None, slots: Slots | None = None) -> Outcome:
        """ids, positions, documents int64 [B, T] (new tokens only; document -1 marks padding). Continues `slots` if given."""
        batch, length = ids.shape
        device = ids.device
        if slots is None:
            none = torch.zeros(batch, 0, dtype=torch.long, device=device)
            slots = Slots(DynamicCache(), none, none, none)
        if positions is None:
            positions = torch.arange(length, device=device).expand(batch, length)
        if documents is None:
            documents = torch.zeros_like(ids)
        logits, hidden = self._run(0, self.embedding(ids), positions, documents, slots)
        row, column = torch.nonzero(documents >= 0, as_tuple=True)
        raw = logits[row, column]
        cumulative = raw
        final = torch.zeros_like(logits).index_put((row, column), raw)
        iterations = (documents >= 0).long()
        passes = [Pass(row, column, raw, None, tuple(h[row, column] for h in hidden), cumulative)]
        for depth in range(1, self.max_iter):
            last = passes[-1]
            last.decision, last.probability = policy(depth, row, column, last.hidden, cumulative)
            keep = last.decision.nonzero(as_tuple=True)[0]
            if len(keep) == 0:
                break
            row, column, cumulative = row[keep], column[keep], cumulative[keep]
            # Place n of a row's active positions: its rank among them.
            counts = torch.bincount(row, minlength=batch)
            place = torch.arange(len(row), device=device) - (counts.cumsum(0) - counts)[row]
            width = int(counts.max())
            inputs = mixed_embeddings(cumulative, self.embedding.weight, self.mix_topk) if self.mix_topk else self.embedding(ids[row, column])
            embeds = inputs.new_zeros(batch, width, inputs.shape[-1]).index_put((row, place), inputs)
            new_positions = positions.new_zeros(batch, width).index_put((row, place), positions[row, column])
            new_documents = documents.new_full((batch, width), -1).index_put((row, place), documents[row, column])
            logits, hidden = self._run(depth, embeds, new_positions, new_documents, slots)
            raw = logits[row, place]
            cumulative = cumulative + raw
            final = final.index_put((row, column), cumulative)
            iterations = iterations.index_put((row, column), torch.full_like(row, depth + 1))
            passes.append(Pass(row, column, raw, inputs, tuple(h[row, place] for h in hidden), cumulative))
        return Outcome(final, iterations, slots, passes)
