"""Takes one block out of a ready model: TaH keeps the parameters of the plain model this way, TaH+ prunes none.

`best` chooses as the reference implementation does (its script/preparation/prune.py): each block is left out in turn, and the one goes
without which the model's loss on a few documents grows least.
"""

from __future__ import annotations

import torch
from torch import nn
from transformers import PreTrainedModel


def prune_layer(model: PreTrainedModel, index: int) -> PreTrainedModel:
    """The model without this block; the others are numbered anew, for the cache goes by their number."""
    layers = model.model.layers
    if not 0 <= index < len(layers):
        raise ValueError(f"backbone.prune_layer {index}: the model has blocks 0 to {len(layers) - 1}")
    del layers[index]
    for number, layer in enumerate(layers):
        layer.self_attn.layer_idx = number
    model.config.num_hidden_layers -= 1
    if getattr(model.config, "layer_types", None):
        model.config.layer_types = model.config.layer_types[: len(layers)]
    return model


@torch.no_grad()
def text_loss(model: PreTrainedModel, texts: list[torch.Tensor]) -> float:
    """Mean over texts (int64 [T]) of the next-token loss, questions included."""
    losses = []
    for ids in texts:
        logits = model(input_ids=ids[None], use_cache=False).logits[0, :-1].float()
        losses.append(float(nn.functional.cross_entropy(logits, ids[1:])))
    return sum(losses) / len(losses)


@torch.no_grad()
def losses_without(model: PreTrainedModel, texts: list[torch.Tensor]) -> list[float]:
    """Loss of the model without each of its blocks; the model is as before afterwards."""
    whole = model.model.layers
    found = []
    try:
        for left_out in range(len(whole)):
            model.model.layers = nn.ModuleList(layer for i, layer in enumerate(whole) if i != left_out)
            model.config.num_hidden_layers = len(whole) - 1
            found.append(text_loss(model, texts))
    finally:
        model.model.layers = whole
        model.config.num_hidden_layers = len(whole)
    return found
