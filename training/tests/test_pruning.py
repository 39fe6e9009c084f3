"""The block that is missed least goes, and what is left is a model."""

from __future__ import annotations

import pytest
import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

from tah_training.pruning import losses_without, prune_layer, text_loss


@pytest.fixture
def model() -> Qwen3ForCausalLM:
    torch.manual_seed(2)
    config = Qwen3Config(vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=4, num_attention_heads=2, num_key_value_heads=1, head_dim=16, initializer_range=0.3)
    return Qwen3ForCausalLM(config).eval()


TEXTS = [torch.arange(30) % 50, torch.arange(40) * 7 % 50]


@torch.no_grad()
def test_a_block_that_does_nothing_is_missed_least(model: Qwen3ForCausalLM) -> None:
    idle = model.model.layers[2]
    idle.self_attn.o_proj.weight.zero_()
    idle.mlp.down_proj.weight.zero_()
    # A model that has learned its texts, as far as its head can.
    with torch.enable_grad():
        optimizer = torch.optim.AdamW(model.lm_head.parameters(), lr=0.05)
        for _ in range(60):
            loss = sum(torch.nn.functional.cross_entropy(model(input_ids=t[None], use_cache=False).logits[0, :-1], t[1:]) for t in TEXTS)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    before = text_loss(model, TEXTS)
    found = losses_without(model, TEXTS)
    assert min(range(4), key=found.__getitem__) == 2
    assert found[2] == pytest.approx(before, abs=1e-5) and all(loss > before + 0.1 for i, loss in enumerate(found) if i != 2)
    assert text_loss(model, TEXTS) == before and model.config.num_hidden_layers == 4


@torch.no_grad()
def test_the_pruned_model_decodes_with_a_cache(model: Qwen3ForCausalLM) -> None:
    """Blocks are numbered anew: the cache goes by their numbers."""
    without = losses_without(model, TEXTS)[1]
    pruned = prune_layer(model, 1)
    assert len(pruned.model.layers) == pruned.config.num_hidden_layers == 3
    assert text_loss(pruned, TEXTS) == pytest.approx(without, abs=1e-6)
    ids = TEXTS[0][None]
    first = pruned(input_ids=ids[:, :-1], use_cache=True)
    last = pruned(input_ids=ids[:, -1:], past_key_values=first.past_key_values, use_cache=True)
    assert torch.allclose(last.logits[0, -1], pruned(input_ids=ids, use_cache=False).logits[0, -1], atol=1e-4)


def test_a_block_that_is_not_there_is_refused(model: Qwen3ForCausalLM) -> None:
    with pytest.raises(ValueError, match="prune_layer 4: the model has blocks 0 to 3"):
        prune_layer(model, 4)
