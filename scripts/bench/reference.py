"""The plain PyTorch loop of Hugging Face as a contestant of `npm run bench` (src/bench/contestant.ts has the questions).

argv: checkpoint folder, threads, dtype. A hard token gets a second forward over a mix of 100 embeddings, as the
reference does it, but without its LoRA: the time is a lower bound of the reference's.
"""

import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM, DynamicCache

MIX = 100
REAL_ROWS = 64

folder, threads, dtype = sys.argv[1], int(sys.argv[2]), getattr(torch, sys.argv[3])
torch.set_num_threads(threads)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
filled: dict[int, DynamicCache] = {}


def some_ids(count: int) -> torch.Tensor:
    """The ids of src/bench/ours.ts."""
    vocab = model.config.vocab_size
    return torch.tensor([[5 + ((i * 7919 + 13) % (vocab - 10)) for i in range(count)]])


def fill(context: int) -> DynamicCache:
    """Rows of a real prefill, repeated up to `context`."""
    cache = DynamicCache()
    real = min(REAL_ROWS, context)
    model(some_ids(real), past_key_values=cache, logits_to_keep=1)
    repeats = -(-context // real)
    for layer in cache.layers:
        layer.keys = layer.keys.repeat(1, 1, repeats, 1)[:, :, :context]
        layer.values = layer.values.repeat(1, 1, repeats, 1)[:, :, :context]
    return cache


def every_nth(share: float, index: int) -> bool:
    return int((index + 1) * share + 1e-9) > int(index * share + 1e-9)


def decode(context: int, tokens: int, hard: float) -> float:
    cache = filled[context]
    ids = some_ids(1)
    started = time.perf_counter()
    for index in range(tokens):
        logits = model(ids, past_key_values=cache).logits[:, -1].float()
        if every_nth(hard, index):
            top = logits.topk(MIX)
            mix = torch.softmax(top.values, -1).to(dtype) @ model.get_input_embeddings().weight[top.indices[0]]
            # The second pass attends to this position's first one and goes beside it in the cache.
            logits = logits + model(inputs_embeds=mix[None], past_key_values=cache).logits[:, -1].float()
        ids = logits.argmax(-1, keepdim=True)
    ms = (time.perf_counter() - started) * 1000 / tokens
    cache.crop(context - cache.get_seq_length())
    return ms


def prefill(tokens: int) -> float:
    ids = some_ids(tokens)
    started = time.perf_counter()
    model(ids, past_key_values=DynamicCache(), logits_to_keep=1)
    return (time.perf_counter() - started) * 1000


def answer(question: dict) -> dict:
    if question["op"] == "fill":
        filled[question["context"]] = fill(question["context"])
        return {}
    if question["op"] == "decode":
        return {"ms": decode(question["context"], question["tokens"], question.get("hard", 0))}
    if question["op"] == "prefill":
        return {"ms": prefill(question["tokens"])}
    raise ValueError(f"unknown question {question['op']}")


with torch.inference_mode():
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        try:
            said = answer(json.loads(line))
        except Exception as error:  # whatever it is, the bench shows it
            said = {"error": repr(error)}
        print(json.dumps(said), flush=True)
