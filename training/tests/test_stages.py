"""All stages with a tiny recipe; a stopped training goes on as if it had not been stopped; the export is what was trained."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tah_training import backbone as backbone_module
from tah_training.checkpoint import load_checkpoint
from tah_training.decider import Constant, Learned
from tah_training.oracle import hard_tokens
from tah_training.recipe import LabelSettings, read_recipe
from tah_training.release import write_release
from tah_training.shards import IGNORED, encoded, packed
from tah_training.stage2 import pick_threshold
from tah_training.stages import STAGES, Run

HERE = Path(__file__).resolve().parent
SMOKE = read_recipe(HERE / "smoke.yaml")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run(SMOKE, tmp_path_factory.mktemp("run"))
    for stage in STAGES:
        run.go(stage)
    return run


def test_every_stage_leaves_its_result(finished: Run, tmp_path: Path) -> None:
    assert all(finished.finished(s) for s in STAGES)
    checkpoint = finished.folder / "checkpoint"
    golden_names = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "iter_decider.bin", "tah_config.json", "lora/adapter_config.json", "lora/adapter_model.safetensors"]
    assert all((checkpoint / n).is_file() for n in golden_names)
    write_release(finished, tmp_path / "model")
    lines = [json.loads(line) for line in (tmp_path / "model/heldout.jsonl").read_text().splitlines()]
    assert {tuple(line) for line in lines} == {("id", "family", "question", "answer")} and len({line["id"] for line in lines}) == len(lines)
    assert all((line["answer"] is None) == (line["family"] == "refuse") for line in lines)


def test_transformers_reads_the_checkpoint(finished: Run) -> None:
    """The plain part is an ordinary Hugging Face model, and its tokenizer gives our ids and our prompt."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from tah_training.chat import prompt_text

    folder = finished.folder / "checkpoint"
    theirs, ours = AutoTokenizer.from_pretrained(folder), finished.tokenizer()
    for text in ("12*13=-5", "¿Cuánto es ½ + ×²? 你好 🙂", "$\\frac{3}{4}$\n\n  x^2", "e\u0301"):
        assert theirs(text)["input_ids"] == ours.encode(text).ids
    question = "Solve 3x + 5 = 20 for x"
    assert theirs.apply_chat_template([{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True) == prompt_text(question)
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    model, _ = load_checkpoint(folder)
    ids = torch.tensor([ours.encode(prompt_text(question)).ids])
    with torch.no_grad():
        # Not bit for bit: one runs with a cache and an explicit mask, the other without.
        assert torch.allclose(plain(ids).logits, model(ids, Constant(False)).logits, atol=1e-4)


@torch.no_grad()
def test_first_pass_does_not_depend_on_who_iterates(finished: Run) -> None:
    """And packed rows give what single documents give."""
    model, _ = load_checkpoint(finished.folder / "checkpoint")
    documents = encoded([(p.question, p.solution) for p in finished.problems("validation")[:6]], finished.tokenizer())
    rows = packed(documents, 512)
    ids, positions, numbers = (torch.from_numpy(a) for a in (rows.ids, rows.positions, rows.documents))
    never, always = (model(ids, Constant(more), positions=positions, documents=numbers) for more in (False, True))
    assert torch.allclose(never.passes[0].raw, always.passes[0].raw, atol=1e-5)
    for row in range(len(ids)):
        for number in range(int(numbers[row].max()) + 1):
            where = numbers[row] == number
            alone = model(ids[row, where][None], Constant(True))
            assert torch.allclose(alone.logits[0], always.logits[row, where], atol=1e-4)


@torch.no_grad()
def test_cached_equals_naive(finished: Run) -> None:
    model, _ = load_checkpoint(finished.folder / "checkpoint")
    ids = torch.tensor([encoded([("2+3", "$2+3=5$")], finished.tokenizer())[0][0]])
    policy = Learned(model.decider, 0.45)
    whole = model(ids, policy)
    slots, parts = None, []
    for i in range(ids.shape[1]):
        outcome = model(ids[:, i : i + 1], policy, positions=torch.tensor([[i]]), slots=slots)
        slots = outcome.slots
        parts.append(outcome.logits)
    assert torch.allclose(torch.cat(parts, 1), whole.logits, atol=1e-4)


def test_a_stopped_training_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = replace(SMOKE, backbone=replace(SMOKE.backbone, total_tokens=14000))
    weights = []
    for name, stop_after in (("whole", None), ("stopped", 8)):
        run = Run(recipe, tmp_path / name)
        run.data()
        run.tokenizer_stage()
        if stop_after:
            calls = {"left": stop_after}
            real = backbone_module.to_tensors

            def stopping(rows):  # noqa: ANN001, ANN202
                calls["left"] -= 1
                if calls["left"] < 0:
                    raise KeyboardInterrupt
                return real(rows)

            monkeypatch.setattr(backbone_module, "to_tensors", stopping)
            with pytest.raises(KeyboardInterrupt):
                run.backbone()
            monkeypatch.setattr(backbone_module, "to_tensors", real)
        run.backbone()
        weights.append(torch.load(run.folder / "backbone.pt", weights_only=True)["model"])
    for name, tensor in weights[0].items():
        assert torch.allclose(tensor, weights[1][name], atol=1e-5), name


def test_the_papers_way(finished: Run, tmp_path: Path) -> None:
    """Mismatch labels of a frozen reference, backbone and LoRA together, data from a file, a layer pruned, a ready backbone."""
    plain = tmp_path / "plain"
    finished.base().save_pretrained(plain)
    lines = [json.dumps({"question": p.question, "solution": p.solution}) for p in finished.problems("validation")]
    (tmp_path / "data.jsonl").write_text("\n".join(lines))
    recipe = replace(
        SMOKE, data=replace(SMOKE.data, source=str(tmp_path / "data.jsonl"), problems_per_shard=16), tokenizer=replace(SMOKE.tokenizer, folder=str(finished.tokenizer_folder())),
        backbone=replace(SMOKE.backbone, folder=str(plain), prune_layer=0), labels=LabelSettings(kind="mismatch", reference=str(plain)),
        stage1=replace(SMOKE.stage1, freeze_backbone=False, total_tokens=None, epochs=1, rows=2), stage2=replace(SMOKE.stage2, labels=LabelSettings(kind="mismatch"), layers=[0, 1], total_tokens=None, epochs=1, rows=2),
    )
    run = Run(recipe, tmp_path / "run")
    for stage in ("data", "tokenizer", "backbone", "labels", "stage1", "stage2", "export"):
        run.go(stage)
    before, after = run.base().state_dict(), run.after_stage1().model.get_base_model().state_dict()
    assert any(not torch.equal(t, after[n.replace("_proj.", "_proj.base_layer.")]) for n, t in before.items() if "_proj." in n)
    assert json.loads((run.folder / "checkpoint/config.json").read_text())["num_hidden_layers"] == SMOKE.backbone.layers - 1


def test_more_second_passes_must_earn_their_cost() -> None:
    table = [{"share": 0.03, "threshold": 0.5, "exact": 0.87}, {"share": 0.05, "threshold": 0.3, "exact": 0.875}, {"share": 0.2, "threshold": 0.1, "exact": 0.99}]
    assert pick_threshold(table, 0.1, 1000) == 0.5
    assert pick_threshold(table, 0.1, 1_000_000) == 0.3


def test_labels() -> None:
    labels = torch.tensor([[IGNORED, 1, 2, 0]])
    logits = torch.tensor([[[9.0, 0, 0], [0, 9.0, 0], [0, 0.2, 0], [9.0, 0, 0]]])
    assert hard_tokens(logits, labels, LabelSettings(kind="mismatch")).tolist() == [[False, False, True, False]]
    assert hard_tokens(logits, labels, LabelSettings(kind="maxp", below=0.9)).tolist() == [[False, False, True, False]]


@pytest.mark.parametrize("recipe", sorted(p for p in (HERE.parent / "recipes").glob("*.yaml") if not p.stem.startswith("study")), ids=lambda p: p.stem)
def test_recipes_are_read(recipe: Path) -> None:
    assert read_recipe(recipe).name


def test_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("backbone: {layres: 4}\n")
    with pytest.raises(ValueError, match="backbone.layres"):
        read_recipe(tmp_path / "bad.yaml")
