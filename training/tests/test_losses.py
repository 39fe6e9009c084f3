"""The losses and gradients of both stages are those of the reference implementation for the same weights and batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tah_training.decider import Fixed, Learned
from tah_training.losses import decider_loss, next_token_loss, token_loss
from tah_training.oracle import Forcing
from tah_training.shards import IGNORED
from tah_training.thinking import ThinkingModel

from test_golden import Vectors
from tah_training.checkpoint import load_checkpoint

GOLDEN = json.loads((Path(__file__).resolve().parent / "golden" / "losses.json").read_text())
CASES = GOLDEN["cases"]


def name_of(case: dict[str, Any]) -> str:
    return "-".join(str(case.get(k)) for k in ("model", "kind", "pos_weight", "num_items_in_batch"))


def loaded(case: dict[str, Any]) -> ThinkingModel:
    folder = Vectors(case["model"]).folder / "ckpt"
    kwargs = json.loads((folder / "tah_config.json").read_text())["iter_decider_kwargs"]
    return load_checkpoint(folder, {"iter_decider_kwargs": kwargs | {"dtype": "torch.float32"}})[0].eval()


def batch(case: dict[str, Any], iterations: str) -> tuple[torch.Tensor, ...]:
    """ids, labels (of the next token), document numbers (-1: padding), passes; documents padded on the right."""
    rows = case["documents"]
    shape = (len(rows), max(len(d["ids"]) for d in rows))
    ids, labels, documents, passes = torch.zeros(shape, dtype=torch.long), torch.full(shape, IGNORED), torch.full(shape, -1), torch.ones(shape, dtype=torch.long)
    for r, d in enumerate(rows):
        length = len(d["ids"])
        ids[r, :length] = torch.tensor(d["ids"])
        labels[r, d["prompt"] - 1 : length - 1] = torch.tensor(d["ids"][d["prompt"] :])
        documents[r, :length] = 0
        passes[r, :length] = torch.tensor(d["iterations"] if iterations == "wanted" else case["iter_count"][r])
    return ids, labels, documents, passes


def norm(tensor: torch.Tensor | None) -> float:
    assert tensor is not None
    return float(tensor.double().norm())


def check_gradients(case: dict[str, Any], named: dict[str, nn.Parameter]) -> None:
    for name, expected in case["gradient_norms"].items():
        assert norm(named[name].grad) == pytest.approx(expected, rel=2e-4), name
    total = sum(norm(p.grad) ** 2 for p in named.values() if p.grad is not None) ** 0.5
    assert total == pytest.approx(case["gradient_norm"], rel=2e-4)


def test_there_are_cases_of_both_stages() -> None:
    assert {(c["stage"], c["model"]) for c in CASES} == {(s, m) for s in (1, 2) for m in ("tiny-tied", "tiny-untied")}


@pytest.mark.parametrize("case", [c for c in CASES if c["stage"] == 1], ids=name_of)
def test_stage1(case: dict[str, Any]) -> None:
    """Oracle decider with given labels; the position that the reference forced is taken from what it did."""
    model = loaded(case)
    model.model.requires_grad_(True)
    ids, labels, documents, passes = batch(case, "done")
    outcome = model(ids, Fixed(passes), documents=documents)
    loss = next_token_loss(outcome.logits, labels, case["num_items_in_batch"])
    assert loss.item() == pytest.approx(case["loss"], rel=1e-5)
    loss.backward()
    check_gradients(case, {n.removeprefix("base_model.model.").replace(".default", "").replace(".base_layer", ""): p for n, p in model.model.named_parameters()})


@pytest.mark.parametrize("case", [c for c in CASES if c["stage"] == 1], ids=name_of)
@torch.no_grad()
def test_the_oracle_does_what_the_references_does(case: dict[str, Any]) -> None:
    """Passes by label; where no answer token has one, exactly one answer token is forced, at every depth."""
    model = loaded(case)
    ids, labels, documents, wanted = batch(case, "wanted")
    done = batch(case, "done")[3]
    iterations = model(ids, Forcing(Fixed(wanted), labels, torch.Generator().manual_seed(1)), documents=documents).iterations
    if case["kind"] == "forced":
        assert (wanted == 1).all() and (iterations > 1).sum() == (done > 1).sum() == 1
        assert iterations.max() == done.max() == model.max_iter
        assert labels[iterations > 1] != IGNORED
    else:
        assert iterations[documents >= 0].equal(done[documents >= 0])


@pytest.mark.parametrize("case", [c for c in CASES if c["stage"] == 2], ids=name_of)
def test_stage2(case: dict[str, Any]) -> None:
    """The decider decides who is judged at the second depth; the reference divides by positions, or by the items it is told."""
    model = loaded(case)
    model.model.requires_grad_(False)
    assert model.decider is not None and float(model.decider.threshold) == pytest.approx(case["threshold"])
    ids, _, documents, wanted = batch(case, "wanted")
    with torch.no_grad():
        outcome = model(ids, Learned(model.decider), documents=documents)
    done = batch(case, "done")[3]
    assert outcome.iterations[documents >= 0].equal(done[documents >= 0])
    parts = case["num_items_in_batch"] or case["positions"]
    loss = decider_loss(model.decider, outcome.passes, wanted, case["pos_weight"]) / parts
    assert loss.item() == pytest.approx(case["loss"], rel=1e-5)
    loss.backward()
    check_gradients(case, dict(model.decider.named_parameters()))


def test_token_loss_is_the_negative_log_probability() -> None:
    logits = torch.tensor([[[2.0, 0.0, -1.0], [0.0, 0.0, 0.0]]])
    labels = torch.tensor([[2, IGNORED]])
    naive = -(torch.tensor(-1.0).exp() / torch.tensor([2.0, 0.0, -1.0]).exp().sum()).log()
    assert torch.allclose(token_loss(logits, labels), torch.stack([naive, torch.tensor(0.0)])[None])
    assert next_token_loss(logits, labels, 4).item() == pytest.approx(naive.item() / 4)
