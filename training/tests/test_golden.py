"""Our PyTorch implementation reproduces the vectors of the reference implementation."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tah_training.checkpoint import load_checkpoint
from tah_training.decider import Fixed, Learned, Policy

HERE = Path(__file__).resolve().parent.parent
MODELS = ["tiny-tied", "tiny-untied", "tiny-llama"]


def golden_folder() -> Path:
    """TAH_GOLDEN, or the project's copy; missing vectors are a failure."""
    for folder in [Path(os.environ["TAH_GOLDEN"])] if "TAH_GOLDEN" in os.environ else [HERE / "../test/golden", HERE / "../test/golden/vectors"]:
        if (folder / MODELS[0] / "golden.json").exists():
            return folder
    raise FileNotFoundError("no golden vectors; set TAH_GOLDEN to their folder")


class Vectors:
    def __init__(self, name: str) -> None:
        self.folder = golden_folder() / name
        self.json = json.loads((self.folder / "golden.json").read_text())
        self.data = (self.folder / "golden.bin").read_bytes()

    def cases(self, kind: str) -> list[dict[str, Any]]:
        return [c for c in self.json["cases"] if c["kind"] == kind]

    def tensor(self, case: dict[str, Any], name: str) -> torch.Tensor:
        entry = self.json["tensors"][case["tensors"][name]]
        count = int(np.prod(entry["shape"]))
        return torch.from_numpy(np.frombuffer(self.data, "<f4", count, entry["offset"]).reshape(entry["shape"]).copy())


def policy_of(case: dict[str, Any], model: Any) -> Policy:
    if case["policy"] == "oracle":
        return Fixed(torch.tensor([case["iter_count_labels"]]))
    policy = Learned(model.decider)
    assert float(policy.threshold) == pytest.approx(case["effective_threshold"], abs=1e-7)
    return policy


def loaded(vectors: Vectors, case: dict[str, Any]) -> Any:
    override = dict(case["tah_config_override"] or {})
    return load_checkpoint(vectors.folder / "ckpt", override)[0]


def near(ours: torch.Tensor, theirs: torch.Tensor, tolerance: float, what: str) -> None:
    assert ours.shape == theirs.shape, what
    assert (ours - theirs).abs().max().item() <= tolerance, what


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_forward(name: str) -> None:
    vectors = Vectors(name)
    assert vectors.cases("forward")
    for case in vectors.cases("forward"):
        model = loaded(vectors, case)
        outcome = model(torch.tensor([case["input_ids"]]), policy_of(case, model))
        passes = {str(d + 1): p for d, p in enumerate(outcome.passes)}
        assert {d: p.column.tolist() for d, p in passes.items()} == case["active_positions"], case["id"]
        # The reference loses positions that continue after the last pass (its own bug); ours keep their cumulative logits.
        lost = case.get("zero_logit_positions", [])
        kept = [i for i in range(len(case["input_ids"])) if i not in lost]
        assert [outcome.iterations[0, i].item() for i in kept] == [case["iter_count"][i] for i in kept], case["id"]
        near(outcome.logits[0, kept], vectors.tensor(case, "final_logits")[kept], 1e-3, f"{case['id']} final logits")
        for step in case["decider"]:
            done = passes[str(step["depth"])]
            if step["evaluated"] and done.probability is not None:
                assert done.decision.int().tolist() == step["decision"], case["id"]
                near(done.probability, torch.tensor(step["prob"]), 1e-4, f"{case['id']} probabilities")
        for key in case["tensors"]:
            depth, _, what = key.partition(".")
            if what == "raw_logits":
                # Later passes start from inputs that carry the noise of the first; how much depends on the processor.
                near(passes[depth[5:]].raw, vectors.tensor(case, key), 5e-4 if depth == "depth1" else 1e-3, f"{case['id']} {key}")
            elif what == "cum_logits":
                near(passes[depth[5:]].cumulative, vectors.tensor(case, key), 1e-3, f"{case['id']} {key}")
            elif what == "inputs_embeds":
                near(passes[depth[5:]].inputs, vectors.tensor(case, key), 5e-4, f"{case['id']} {key}")
            elif what == "hidden_states":
                near(torch.stack(passes[depth[5:]].hidden, 1), vectors.tensor(case, key), 5e-4, f"{case['id']} {key}")


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_decode(name: str) -> None:
    vectors = Vectors(name)
    assert vectors.cases("decode")
    for case in vectors.cases("decode"):
        model = loaded(vectors, case)
        policy = policy_of(case, model)
        outcome = model(torch.tensor([case["prompt_ids"]]), policy)
        expected = vectors.tensor(case, "last_logits")
        iterations = outcome.iterations[0].tolist()
        for step, token in enumerate([*case["generated"], None]):
            near(outcome.logits[0, -1], expected[step], 1e-3, f"{case['id']} step {step}")
            if token is None:
                break
            assert outcome.logits[0, -1].argmax().item() == token, case["id"]
            outcome = model(torch.tensor([[token]]), policy, positions=torch.tensor([[len(iterations)]]), slots=outcome.slots)
            iterations += outcome.iterations[0].tolist()
        assert iterations == case["iter_count_all"], case["id"]
