"""Golden vectors of an exported checkpoint (format tah-golden/1, as test/golden has them): what this PyTorch implementation computes, for
`tah verify` to compare the program's engine with.

Cases in which a decision or a first choice hangs on the last digits are left out: two right implementations may differ there.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch

from .checkpoint import load_checkpoint
from .chat import prompt_text
from .decider import Constant, Learned, Policy
from .thinking import Outcome, ThinkingModel
from .tokenizer import load_tokenizer

# Least distance from the threshold, and of the best logit from the next: far above what float32 in another order of sums makes of them (1e-5).
DECISION_MARGIN, LOGIT_MARGIN = 1e-4, 2e-4


class _Writer:
    def __init__(self) -> None:
        self.bytes, self.tensors = bytearray(), {}

    def add(self, name: str, tensor: torch.Tensor) -> str:
        data = tensor.detach().float().contiguous().numpy().astype("<f4")
        self.tensors[name] = {"offset": len(self.bytes), "shape": list(tensor.shape), "dtype": "float32"}
        self.bytes += data.tobytes()
        return name


def _decider(outcome: Outcome, offset: int) -> list[dict[str, Any]]:
    """What the decider said at each depth that a position reached; at the last it isn't asked."""
    said = []
    for depth, one in enumerate(outcome.passes, start=1):
        entry: dict[str, Any] = {"depth": depth, "positions": (one.column + offset).tolist(), "evaluated": one.probability is not None}
        if one.probability is not None and one.decision is not None:
            entry |= {"decision": one.decision.int().tolist(), "prob": one.probability.tolist()}
        said.append(entry)
    return said


def _clear(outcome: Outcome, threshold: float | None) -> bool:
    """Whether no decision and no first choice is near its tipping point."""
    near = [float((p.probability - threshold).abs().min()) for p in outcome.passes if p.probability is not None and threshold is not None]
    best = outcome.logits[0].topk(2).values
    return all(distance > DECISION_MARGIN for distance in near) and bool((best[:, 0] - best[:, 1] > LOGIT_MARGIN).all())


def _forward_case(name: str, outcome: Outcome, ids: list[int], threshold: float | None, writer: _Writer) -> dict[str, Any]:
    tensors = {"final_logits": writer.add(f"{name}/final_logits", outcome.logits[0])}
    for depth, one in enumerate(outcome.passes, start=1):
        tensors[f"depth{depth}.raw_logits"] = writer.add(f"{name}/depth{depth}.raw_logits", one.raw)
    return {
        "id": name, "kind": "forward", "policy": "stored", "tah_config_override": None, "input_ids": ids, "position_ids": list(range(len(ids))), "effective_threshold": threshold,
        "iter_count": outcome.iterations[0].tolist(), "active_positions": {str(d): p.column.tolist() for d, p in enumerate(outcome.passes, start=1)},
        "decider": _decider(outcome, 0), "final_argmax": outcome.logits[0].argmax(-1).tolist(), "tensors": tensors,
    }


def _decode_case(name: str, model: ThinkingModel, policy: Policy, ids: list[int], count: int, threshold: float | None, writer: _Writer) -> dict[str, Any] | None:
    """Greedy decoding of `count` tokens; None where it isn't clear."""
    steps, last, generated, iterations = [], [], [], []
    given, positions, slots = torch.tensor([ids]), list(range(len(ids))), None
    for _ in range(count + 1):
        outcome = model(given, policy, positions=torch.tensor([positions]), slots=slots)
        if not _clear(outcome, threshold):
            return None
        slots, logits = outcome.slots, outcome.logits[0, -1]
        best = logits.topk(min(10, len(logits)))
        steps.append({"token": generated[-1] if generated else None, "positions": positions, "iter_count": outcome.iterations[0].tolist(), "decider": _decider(outcome, positions[0]),
                      "last_top10_ids": best.indices.tolist(), "last_top10_logits": best.values.tolist(), "next_greedy": int(best.indices[0])})
        last.append(logits)
        iterations += outcome.iterations[0].tolist()
        generated.append(int(best.indices[0]))
        given, positions = torch.tensor([generated[-1:]]), [positions[-1] + 1]
    depths = range(1, model.max_iter + 1)
    return {
        "id": name, "kind": "decode", "policy": "stored", "tah_config_override": None, "prompt_ids": ids, "generated": generated[:-1], "next_after_last": generated[-1],
        "effective_threshold": threshold, "iter_count_all": iterations, "steps": steps,
        "final_cache_positions": {str(d): [p for p, n in enumerate(iterations) if n >= d] for d in depths}, "tensors": {"last_logits": writer.add(f"{name}/last_logits", torch.stack(last))},
    }


@torch.no_grad()
def write_vectors(checkpoint: Path, texts: list[tuple[str, str]], out: Path, wanted: int = 3, tokens: int = 12) -> int:
    """`out`/golden.json, golden.bin and a copy of the checkpoint; (question, solution) texts are tried in turn until `wanted` are clear.
    Gives the number of cases.

    ValueError if there are too few.
    """
    model, config = load_checkpoint(checkpoint)
    policy: Policy = Constant(False) if model.decider is None else Learned(model.decider)
    threshold = None if model.decider is None else float(model.decider.threshold)
    tokenizer, writer = load_tokenizer(checkpoint), _Writer()
    cases: dict[str, list[dict[str, Any]]] = {"forward": [], "decode": []}
    for question, solution in texts:
        if all(len(found) >= wanted for found in cases.values()):
            break
        prompt = tokenizer.encode(prompt_text(question), add_special_tokens=False).ids
        whole = prompt + tokenizer.encode(solution, add_special_tokens=False).ids
        outcome = model(torch.tensor([whole]), policy)
        if len(cases["forward"]) < wanted and _clear(outcome, threshold):
            cases["forward"].append(_forward_case(f"fwd/{len(cases['forward'])}", outcome, whole, threshold, writer))
        decoded = _decode_case(f"dec/{len(cases['decode'])}", model, policy, prompt, tokens, threshold, writer) if len(cases["decode"]) < wanted else None
        if decoded is not None:
            cases["decode"].append(decoded)
    if any(len(found) < wanted for found in cases.values()):
        raise ValueError(f"of {len(texts)} texts only {len(cases['forward'])} forwards and {len(cases['decode'])} decodings are clear of all tipping points")
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(checkpoint, out / "ckpt")
    plain = model.model.config
    described = {"kind": plain.model_type, "vocab_size": plain.vocab_size, "hidden_size": plain.hidden_size, "layers": plain.num_hidden_layers, "heads": plain.num_attention_heads,
                 "kv_heads": plain.num_key_value_heads, "head_dim": plain.head_dim, "input_topk": config.get("input_updater_kwargs", {}).get("topk"), "effective_threshold": threshold}
    (out / "golden.bin").write_bytes(bytes(writer.bytes))
    every = [case for found in cases.values() for case in found]
    golden = {"format": "tah-golden/1", "model": described, "checkpoint": "ckpt", "bin": "golden.bin", "tensors": writer.tensors, "cases": every}
    (out / "golden.json").write_text(json.dumps(golden) + "\n")
    return len(every)
