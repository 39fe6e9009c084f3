"""The stages in order. Each leaves its result in the run folder; a finished stage is not done again, a stopped one goes on."""

from __future__ import annotations

import json
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, PreTrainedModel

from .backbone import new_backbone, train_backbone
from .checkpoint import load_checkpoint, save_checkpoint, with_adapter
from .decider import Constant, Learned, MLPIterDecider
from .documents import Documents
from .evaluate import score, solve_all
from .oracle import hard_tokens
from .problems import Problem, problem_split
from .recipe import LabelSettings, Recipe
from .shards import IGNORED, distinct
from .stage1 import train_stage1
from .stage2 import choose_threshold, decider_kwargs, train_stage2
from .thinking import ThinkingModel
from .tokenizer import load_tokenizer, save_tokenizer, train_tokenizer

STAGES = ("data", "tokenizer", "backbone", "labels", "stage1", "stage2", "export", "eval")
SHARES = (0.03, 0.04, 0.05, 0.07, 0.10)


def prune_layer(model: PreTrainedModel, index: int) -> PreTrainedModel:
    """The model without one block (TaH keeps the parameters of the plain model this way; TaH+ prunes none)."""
    layers = model.model.layers
    del layers[index]
    for number, layer in enumerate(layers):
        layer.self_attn.layer_idx = number
    model.config.num_hidden_layers -= 1
    if getattr(model.config, "layer_types", None):
        model.config.layer_types = model.config.layer_types[: len(layers)]
    return model


class Run:
    """A recipe and its folder."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        self.recipe, self.folder = recipe, folder
        folder.mkdir(parents=True, exist_ok=True)

    def _done(self, stage: str) -> Path:
        return self.folder / f"{stage}.done.json"

    def facts(self, stage: str) -> dict[str, object]:
        """What a finished stage noted; empty if it isn't."""
        return json.loads(self._done(stage).read_text()) if self.finished(stage) else {}

    def finished(self, stage: str) -> bool:
        return self._done(stage).exists()

    def _finish(self, stage: str, **facts: object) -> None:
        self._done(stage).write_text(json.dumps(facts, indent=2) + "\n")
        print(f"[{stage}] done {json.dumps(facts)[:400]}", flush=True)

    def problems(self, split: str) -> list[Problem]:
        lines = (self.folder / f"{split}.jsonl").read_text().splitlines()
        return [Problem(**json.loads(line)) for line in lines]

    def tokenizer(self) -> Tokenizer:
        return load_tokenizer(self.tokenizer_folder())

    def tokenizer_folder(self) -> Path:
        return Path(self.recipe.tokenizer.folder) if self.recipe.tokenizer.folder else self.folder / "tokenizer"

    def data(self) -> None:
        """Validation and held-out problems, distinct by key and disjoint from all training text."""
        for split, count in (("validation", self.recipe.data.validation_per_family), ("heldout", self.recipe.data.heldout_per_family)):
            problems = distinct(count, split, f"{self.recipe.seed}:{split}")
            assert all(problem_split(p.key) == split for p in problems)
            with (self.folder / f"{split}.jsonl").open("w") as file:
                for p in problems:
                    file.write(json.dumps({"family": p.family, "key": p.key, "question": p.question, "solution": p.solution, "answer": p.answer}, ensure_ascii=False) + "\n")
        self._finish("data", validation=len(self.problems("validation")), heldout=len(self.problems("heldout")))

    def tokenizer_stage(self) -> None:
        if not self.recipe.tokenizer.folder:
            trained = train_tokenizer(self.recipe.tokenizer.vocab_size, self.recipe.data.tokenizer_problems, self.recipe.seed)
            save_tokenizer(trained, self.tokenizer_folder(), self.recipe.backbone.max_position_embeddings)
        self._finish("tokenizer", tokens=self.tokenizer().get_vocab_size())

    def backbone(self) -> None:
        if not self.recipe.backbone.folder:
            train_backbone(self.recipe, self.tokenizer(), self.problems("validation"), self.folder)
            state = torch.load(self.folder / "backbone.pt", weights_only=True)["state"]
            self._finish("backbone", steps=state["step"], tokens=state["tokens"], minutes=round(state["seconds"] / 60, 1))
        else:
            self._finish("backbone", folder=self.recipe.backbone.folder)

    def base(self) -> PreTrainedModel:
        """The trained backbone, or the Hugging Face model of the recipe (with one layer pruned if it says so)."""
        settings = self.recipe.backbone
        if settings.folder:
            model = AutoModelForCausalLM.from_pretrained(settings.folder, dtype=torch.bfloat16 if self.recipe.stage1.bf16 else torch.float32)
            return model if settings.prune_layer is None else prune_layer(model, settings.prune_layer)
        model = new_backbone(settings, self.tokenizer(), self.recipe.seed)
        weights = torch.load(self.folder / "backbone.pt", weights_only=True)["model"]
        if self.recipe.stage1.freeze_backbone:
            # What the checkpoint will hold: the adapter learns on top of the rounded weights.
            weights = {name: tensor.to(torch.bfloat16).float() for name, tensor in weights.items()}
        model.load_state_dict(weights)
        return model

    @torch.no_grad()
    def labels(self) -> None:
        """Shares of hard tokens under each kind of label, on rows of training text that the backbone has not seen."""
        model, kinds = self.base().eval().float(), ("mismatch", "maxp")
        documents = Documents(self.recipe, self.tokenizer(), self.recipe.stage1.row_tokens, salt=1000)
        rows = next(documents.batches(64, 0, 0))[0]
        counts = {k: 0 for k in kinds}
        answers = 0
        for row in range(len(rows)):
            one = rows.slice(row, row + 1)
            used = one.documents[0] == 0
            ids, labels = torch.from_numpy(one.ids[:, used]), torch.from_numpy(one.labels[:, used])
            logits = model(input_ids=ids, use_cache=False).logits
            answers += int((labels != IGNORED).sum())
            for kind in kinds:
                counts[kind] += int(hard_tokens(logits, labels, LabelSettings(kind=kind, below=self.recipe.labels.below)).sum())
        self._finish("labels", answer_tokens=answers, used=self.recipe.labels.kind, **{k: round(v / answers, 5) for k, v in counts.items()})

    def stage1(self) -> None:
        train_stage1(self.recipe, self.base(), self.tokenizer(), self.folder)
        state = torch.load(self.folder / "stage1.pt", weights_only=True)["state"]
        self._finish("stage1", steps=state["step"], tokens=state["tokens"], minutes=round(state["seconds"] / 60, 1))

    def after_stage1(self) -> ThinkingModel:
        adapted = with_adapter(self.base(), self.recipe.adapter.r, self.recipe.adapter.alpha, self.recipe.adapter.dropout)
        model = ThinkingModel(adapted, None, self.recipe.adapter.mix_topk, self.recipe.max_iter)
        model.load_state_dict(torch.load(self.folder / "stage1.pt", weights_only=True)["model"])
        return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")

    def stage2(self) -> None:
        model, tokenizer = self.after_stage1(), self.tokenizer()
        model.decider = train_stage2(self.recipe, model, tokenizer, self.folder)
        threshold, table = choose_threshold(self.recipe, model, self.problems("validation"), tokenizer, SHARES)
        self._finish("stage2", threshold=threshold, table=table)

    def export(self) -> None:
        """The official layout, reloaded by our own loader; its logits must be those of the model that was written, bfloat16 apart."""
        model, facts = self.after_stage1().cpu(), self.facts("stage2")
        kwargs = decider_kwargs(self.recipe, model.embedding.weight.shape[1], round(facts["threshold"], 6))
        model.decider = MLPIterDecider(**kwargs)
        model.decider.load_state_dict(torch.load(self.folder / "stage2.pt", weights_only=True)["decider"])
        model.decider.threshold.fill_(kwargs["threshold"])
        lora = {"r": self.recipe.adapter.r, "lora_alpha": self.recipe.adapter.alpha, "lora_dropout": self.recipe.adapter.dropout}
        save_checkpoint(model, kwargs, lora, self.tokenizer_folder(), self.folder / "checkpoint")
        again, _ = load_checkpoint(self.folder / "checkpoint")
        with torch.no_grad():
            for name, parameter in model.model.named_parameters():
                if ".lora_" not in name:
                    parameter.copy_(parameter.to(torch.bfloat16).float())
            ids = torch.randint(0, self.tokenizer().get_vocab_size() - 3, (2, 40), generator=torch.Generator().manual_seed(0))
            largest = max(float((again(ids, p(again)).logits - model.eval()(ids, p(model)).logits).abs().max()) for p in (lambda m: Constant(True), lambda m: Learned(m.decider)))
        if largest > 1e-4:
            raise RuntimeError(f"the exported checkpoint differs by {largest} from the trained model")
        self._finish("export", largest_difference=largest, bytes=sum(f.stat().st_size for f in (self.folder / "checkpoint").rglob("*") if f.is_file()))

    def eval(self, limit: int | None = None, policies: tuple[str, ...] = ("standard", "tah", "always")) -> None:
        """Greedy answers to the held-out problems by the exported checkpoint: one pass, the decider's passes, two passes always."""
        model, _ = load_checkpoint(self.folder / "checkpoint")
        tokenizer, problems = self.tokenizer(), self.problems("heldout")
        if limit:
            problems = random.Random(0).sample(problems, min(limit, len(problems)))
        results = {}
        for policy in policies:
            chosen = {"standard": Constant(False), "tah": Learned(model.decider), "always": Constant(True)}[policy]
            answers = solve_all(model, tokenizer, problems, chosen, told=lambda n: print(f"[eval] {policy} {n}/{len(problems)}", flush=True))
            results[policy] = score(problems, answers)
            with (self.folder / f"eval-{policy}.jsonl").open("w") as file:
                for p, w in zip(problems, answers):
                    file.write(json.dumps({"family": p.family, "question": p.question, "expected": p.answer, "text": w.text, "second": w.second, "tokens": w.tokens}, ensure_ascii=False) + "\n")
            print(f"[eval] {policy}: mean of families {results[policy]['mean']:.4f}, second passes {results[policy]['second_share_answer']:.4f}", flush=True)
        self._finish("eval", **results)

    def go(self, stage: str) -> None:
        {"data": self.data, "tokenizer": self.tokenizer_stage, "backbone": self.backbone, "labels": self.labels, "stage1": self.stage1, "stage2": self.stage2, "export": self.export, "eval": self.eval}[stage]()
