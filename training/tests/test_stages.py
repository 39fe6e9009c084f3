"""All stages with a tiny recipe; a stopped training goes on as if it had not been stopped; the export is what was trained."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tah_training import loop as loop_module
from tah_training import release as release_module
from tah_training.checkpoint import load_checkpoint
from tah_training.decider import Constant, Learned
from tah_training.backbone import new_backbone
from tah_training.optimizers import build_optimizers
from tah_training.oracle import hard_tokens
from tah_training.problems import FAMILIES
from tah_training.recipe import DataSettings, LabelSettings, Recipe, read_recipe
from tah_training.release import write_release, write_subjects
from tah_training.shards import IGNORED, encoded, packed
from tah_training.stage2 import pick_threshold, tempered_weight
from tah_training.stages import STAGES, Run
from tah_training.vectors import DECISION_MARGIN, write_vectors

HERE = Path(__file__).resolve().parent
SMOKE = read_recipe(HERE / "smoke.yaml")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All stages; those that TAH_SMOKE_RUN has done already (scripts/trainingSmoke.mjs) are taken from there."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    if "TAH_SMOKE_RUN" in os.environ:
        shutil.copytree(os.environ["TAH_SMOKE_RUN"], folder)
    run = Run(SMOKE, folder)
    for stage in STAGES:
        run.go(stage)
    return run


def test_every_stage_leaves_its_result(finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(finished.finished(s) for s in STAGES)
    checkpoint = finished.folder / "checkpoint"
    golden_names = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "iter_decider.bin", "tah_config.json", "lora/adapter_config.json", "lora/adapter_model.safetensors"]
    assert all((checkpoint / n).is_file() for n in golden_names)
    # What a question is made of takes a hundred thousand of them: test_scope.py looks at that.
    monkeypatch.setattr(release_module, "write_subjects", lambda checkpoint, seed: write_subjects(checkpoint, seed, 3000))
    write_release(finished, tmp_path / "model")
    assert json.loads((tmp_path / "model/checkpoint/subjects.json").read_text())["subjects"]
    lines = [json.loads(line) for line in (tmp_path / "model/heldout.jsonl").read_text().splitlines()]
    assert all(list(line)[:4] == ["id", "family", "question", "answer"] for line in lines) and len({line["id"] for line in lines}) == len(lines)
    assert all((list(line)[4:] == ["solution"]) == (line["family"] != "refuse") for line in lines)
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


def test_vectors_keep_away_from_tipping_points(finished: Run, tmp_path: Path) -> None:
    """What `tah verify` is given: both kinds of cases, and in none hangs a decision or a choice on the last digits."""
    finished.vectors(tmp_path / "vectors")
    golden = json.loads((tmp_path / "vectors/golden.json").read_text())
    cases = golden["cases"]
    assert [c["kind"] for c in cases] == ["forward"] * 3 + ["decode"] * 3
    said = [step for c in cases for step in (c["decider"] if c["kind"] == "forward" else [d for s in c["steps"] for d in s["decider"]])]
    asked = [p for step in said for p in step.get("prob", [])]
    assert asked and all(abs(p - cases[0]["effective_threshold"]) > DECISION_MARGIN for p in asked)
    assert (tmp_path / "vectors/ckpt/tah_config.json").is_file()
    with pytest.raises(ValueError, match="of 0 texts only 0 forwards"):
        write_vectors(finished.folder / "checkpoint", [], tmp_path / "none")


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


def stop_after(batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next training is interrupted when it asks for more micro-batches than that."""
    calls, real = {"left": batches}, loop_module.to_tensors

    def stopping(rows):  # noqa: ANN001, ANN202
        calls["left"] -= 1
        if calls["left"] < 0:
            monkeypatch.setattr(loop_module, "to_tensors", real)
            raise KeyboardInterrupt
        return real(rows)

    monkeypatch.setattr(loop_module, "to_tensors", stopping)


def same_weights(one: Path, other: Path) -> None:
    first, second = (torch.load(path, weights_only=True)["model"] for path in (one, other))
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.allclose(tensor, second[name], atol=1e-6), name


@pytest.mark.parametrize("stage", ["backbone", "stage1", "stage2"])
def test_a_stopped_training_goes_on(stage: str, finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it had not been stopped, dropout and forced positions included."""
    recipe = replace(SMOKE, adapter=replace(SMOKE.adapter, dropout=0.2), backbone=replace(SMOKE.backbone, total_tokens=9000), stage2=replace(SMOKE.stage2, dropout=0.2, save_every=2))
    runs = []
    for name, stopped in (("whole", False), ("stopped", True)):
        shutil.copytree(finished.folder, tmp_path / name)
        run = Run(recipe, tmp_path / name)
        for later in STAGES[STAGES.index(stage) :]:
            (run.folder / f"{later}.done.json").unlink()
            (run.folder / f"{later}.pt").unlink(missing_ok=True)
        if stopped:
            stop_after(6, monkeypatch)
            with pytest.raises(KeyboardInterrupt):
                run.go(stage)
            assert run.status(stage).startswith("at ") and "step" in run.status(stage) and not run.finished(stage)
        run.go(stage)
        assert run.status(stage).startswith("done ") and not (run.folder / f"{stage}.state").exists()
        runs.append(run)
    same_weights(*(run.folder / f"{stage}.pt" for run in runs))
    lines = [[json.loads(line)["step"] for line in (run.folder / f"{stage}.jsonl").read_text().splitlines()] for run in runs]
    assert max(lines[0]) == max(lines[1]) and lines[1] == sorted(lines[1])


def test_a_run_of_an_older_version_goes_on(finished: Run, tmp_path: Path) -> None:
    """Its backbone.pt held weights, optimizers and state in one file, at whatever step it was."""
    recipe = replace(SMOKE, backbone=replace(SMOKE.backbone, total_tokens=9000))
    done = Run(recipe, tmp_path / "done")
    done.go("data")
    done.go("tokenizer")
    done.go("backbone")
    older = Run(recipe, tmp_path / "older")
    older.go("data")
    older.go("tokenizer")
    model = new_backbone(recipe.backbone, older.tokenizer(), recipe.seed)
    optimizers = build_optimizers(model, recipe.backbone.muon_lr, recipe.backbone.adam_lr)
    shares = {f: s for f, (_, s) in FAMILIES.items()}
    state = {"step": 0, "tokens": 0, "seconds": 0.0, "shard": 0, "row": 0, "shares": shares, "coming": {}}
    torch.save({"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], "state": state}, older.folder / "backbone.pt")
    older.go("backbone")
    same_weights(done.folder / "backbone.pt", older.folder / "backbone.pt")
    state |= {"step": 9, "tokens": 9001}
    torch.save({"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], "state": state}, older.folder / "backbone.pt")
    (older.folder / "backbone.done.json").unlink()
    older.go("backbone")
    assert older.facts("backbone")["steps"] == 9


def test_again_starts_anew(finished: Run, tmp_path: Path) -> None:
    shutil.copytree(finished.folder, tmp_path / "run")
    run = Run(SMOKE, tmp_path / "run")
    before = (run.folder / "stage1.pt").read_bytes()
    (run.folder / "stage1.pt").write_bytes(b"other")
    run.go("stage1")
    assert (run.folder / "stage1.pt").read_bytes() == b"other"
    run.go("stage1", again=True)
    assert len((run.folder / "stage1.pt").read_bytes()) == len(before)
    same_weights(run.folder / "stage1.pt", finished.folder / "stage1.pt")


@pytest.fixture(scope="module")
def from_outside(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """Data from a file, a ready model with a block pruned, mismatch labels of a frozen reference: the paper's recipe at a tiny size."""
    folder = tmp_path_factory.mktemp("outside")
    finished.base().save_pretrained(folder / "plain")
    lines = [json.dumps({"question": p.question, "solution": p.solution}) for p in finished.problems("validation")]
    (folder / "data.jsonl").write_text("\n".join(lines))
    labels = LabelSettings(kind="mismatch", reference=str(folder / "plain"))
    pace = {"total_tokens": None, "epochs": 1, "rows": 2, "accumulate": 4, "schedule": "cosine", "min_rate": 0.1, "clip": 0.2, "bf16": True, "weight_decay": 0.01}
    return replace(
        SMOKE, data=DataSettings(source=str(folder / "data.jsonl"), problems_per_shard=16, held_back=0.1, long="cut", pack=False), tokenizer=replace(SMOKE.tokenizer, folder=str(finished.tokenizer_folder())),
        backbone=replace(SMOKE.backbone, folder=str(folder / "plain"), prune_layer="best", prune_samples=4), labels=labels,
        stage1=replace(SMOKE.stage1, freeze_backbone=False, **pace), stage2=replace(SMOKE.stage2, labels=labels, layers=[0, 1], pos_weight=4.8, threshold=0.5, **pace),
    )


def test_the_papers_way(from_outside: Recipe, tmp_path: Path) -> None:
    run = Run(from_outside, tmp_path / "run")
    for stage in STAGES:
        run.go(stage)
    facts = run.facts("backbone")
    assert facts["pruned"] == min(range(2), key=facts["losses_without"].__getitem__)
    before, after = run.base().state_dict(), run.after_stage1().model.get_base_model().state_dict()
    assert any(not torch.equal(t, after[n.replace("_proj.", "_proj.base_layer.")]) for n, t in before.items() if "_proj." in n)
    assert json.loads((run.folder / "checkpoint/config.json").read_text())["num_hidden_layers"] == SMOKE.backbone.layers - 1
    assert json.loads((run.folder / "checkpoint/tah_config.json").read_text())["iter_decider_kwargs"]["threshold"] == 0.5
    # One epoch: every line that isn't held back, once; a step takes 8 of them, and the last may begin a second epoch.
    lines, steps = run.facts("data")["train"], run.facts("stage1")["steps"]
    assert steps == -(-lines // 8)
    evaluated = run.facts("eval")
    assert set(evaluated) == {"standard", "tah", "always", "oracle"} and evaluated["standard"]["second_share_answer"] == 0 and evaluated["always"]["second_share_answer"] == 1


def test_the_baseline_that_never_thinks_twice_is_a_plain_checkpoint(from_outside: Recipe, tmp_path: Path) -> None:
    run = Run(replace(from_outside, labels=LabelSettings(kind="never")), tmp_path / "run")
    for stage in STAGES:
        run.go(stage)
    checkpoint = run.folder / "checkpoint"
    assert {"tah_config.json", "iter_decider.bin", "lora"} & {f.name for f in checkpoint.iterdir()} == set()
    before, after = run.base().state_dict(), run.after_stage1().model.state_dict()
    assert sum(not torch.equal(tensor, after[name]) for name, tensor in before.items()) > len(before) / 2
    assert set(run.facts("eval")) == {"standard"}
    model, _ = load_checkpoint(checkpoint)
    with torch.no_grad():
        assert (model(torch.tensor([[1, 2, 3]]), Constant(True)).iterations == 1).all()


def test_the_baseline_that_always_thinks_twice_does(from_outside: Recipe, tmp_path: Path) -> None:
    """In training at every token, questions too, and by its own decider afterwards."""
    run = Run(replace(from_outside, labels=LabelSettings(kind="always")), tmp_path / "run")
    for stage in STAGES:
        run.go(stage)
    lines = [json.loads(line) for line in (run.folder / "stage1.jsonl").read_text().splitlines()]
    assert all(line["hard"] == 1 for line in lines)
    model, _ = load_checkpoint(run.folder / "checkpoint")
    with torch.no_grad():
        outcome = model(torch.arange(20)[None], Learned(model.decider))
    assert (outcome.iterations == 2).all() and (outcome.passes[0].probability == 1).all()
    assert run.facts("eval")["tah"] == run.facts("eval")["always"]


def test_more_second_passes_must_earn_their_cost() -> None:
    table = [{"share": 0.03, "threshold": 0.5, "exact": 0.87}, {"share": 0.05, "threshold": 0.3, "exact": 0.875}, {"share": 0.2, "threshold": 0.1, "exact": 0.99}]
    assert pick_threshold(table, 0.1, 1000) == 0.5
    assert pick_threshold(table, 0.1, 1_000_000) == 0.3


def test_the_weight_of_rare_second_passes_is_tempered() -> None:
    """The paper's weights at about its share of hard tokens; none where half are hard; never endless."""
    assert tempered_weight(68, 1000, 0.6) == pytest.approx(4.8, abs=0.1) and tempered_weight(68, 1000, 0.64) == pytest.approx(5.4, abs=0.15)
    assert tempered_weight(5, 10, 0.6) == 1.0 and tempered_weight(0, 10, 0.6) < 1e4


def test_labels() -> None:
    labels = torch.tensor([[IGNORED, 1, 2, 0]])
    logits = torch.tensor([[[9.0, 0, 0], [0, 9.0, 0], [0, 0.2, 0], [9.0, 0, 0]]])
    assert hard_tokens(logits, labels, LabelSettings(kind="mismatch")).tolist() == [[False, False, True, False]]
    assert hard_tokens(logits, labels, LabelSettings(kind="maxp", below=0.9)).tolist() == [[False, False, True, False]]
