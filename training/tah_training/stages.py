"""The stages in order. Each leaves its result in the run folder; a finished stage is not done again, a stopped one goes on."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, PreTrainedModel

from .backbone import new_backbone, plain_logits, train_backbone
from .chat import END_OF_TEXT, IM_END
from .checkpoint import TOKENIZER_FILES, load_checkpoint, save_checkpoint
from .decider import Constant, Learned, Policy
from .documents import VALIDATION, Documents, Lines
from .evaluate import score, solve_all, teacher_forced
from .journal import Journal
from .loop import Place, processes, to_tensors
from .oracle import SelfOracle, hard_tokens
from .problems import Problem, problem_split
from .pruning import losses_without, prune_layer
from .recipe import LabelSettings, Recipe
from .shards import IGNORED, Rows, distinct, encoded, packed
from .sources import lay_down
from .stage1 import adapted, named_reference, train_stage1
from .stage2 import always_decider, choose_threshold, decider_kwargs, train_stage2, trained_decider
from .thinking import ThinkingModel
from .tokenizer import load_tokenizer, save_tokenizer, train_tokenizer
from .vectors import write_vectors

STAGES = ("data", "tokenizer", "backbone", "labels", "stage1", "stage2", "export", "eval")
# Those that all processes do together; the others are the first one's.
TOGETHER = ("backbone", "stage1", "stage2")
SHARES = (0.03, 0.04, 0.05, 0.07, 0.10)


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
        if processes().is_main_process:
            self._done(stage).write_text(json.dumps(facts, indent=2) + "\n")
            Place(self.folder, stage).forget()
            print(f"[{stage}] done {json.dumps(facts)[:400]}", flush=True)

    def status(self, stage: str) -> str:
        """One line: done and with what, how far, or open."""
        if self.finished(stage):
            return f"done {json.dumps(self.facts(stage))[:160]}"
        saved = Place(self.folder, stage).saved()
        if saved is None:
            return "open"
        state = json.loads((saved / "state.json").read_text())
        return f"at {state['progress']:.1%}: step {state['step']}, {state['tokens'] / 1e6:.2f}M tokens, {state['seconds'] / 60:.0f} minutes"

    def problems(self, split: str) -> list[Problem]:
        lines = (self.folder / f"{split}.jsonl").read_text().splitlines()
        return [Problem(**json.loads(line)) for line in lines]

    def tokenizer(self) -> Tokenizer:
        return load_tokenizer(self.tokenizer_folder())

    def tokenizer_folder(self) -> Path:
        """The recipe's, if it names one on this disk; else the run's own, trained or fetched."""
        given = self.recipe.tokenizer.folder
        return Path(given) if given and Path(given).is_dir() else self.folder / "tokenizer"

    def documents(self, row_tokens: int, salt: int = 0) -> Documents:
        return Documents(self.recipe, self.tokenizer(), row_tokens, self.folder, self.tokenizer_folder(), salt)

    def validation_rows(self) -> Rows:
        if self.recipe.data.generated:
            problems = self.problems("validation")
            return packed(encoded(((p.question, p.solution) for p in problems), self.tokenizer()), self.recipe.stage1.row_tokens)
        lines = Lines(self.folder / VALIDATION)
        return self.documents(self.recipe.stage1.row_tokens).rows_of([lines[i] for i in range(len(lines))])

    def data(self) -> None:
        """Validation and held-out problems, distinct by key and disjoint from all training text; for a source from outside: its training
        and validation lines, which wait for the tokenizer where lengths count."""
        if not self.recipe.data.generated:
            self._fetch_tokenizer()
            self._finish("data", **lay_down(self.recipe.data, self.tokenizer(), self.recipe.seed, self.folder))
            return
        for split, count in (("validation", self.recipe.data.validation_per_family), ("heldout", self.recipe.data.heldout_per_family)):
            problems = distinct(count, split, f"{self.recipe.seed}:{split}")
            assert all(problem_split(p.key) == split for p in problems)
            with (self.folder / f"{split}.jsonl").open("w") as file:
                for p in problems:
                    file.write(json.dumps({"family": p.family, "key": p.key, "question": p.question, "solution": p.solution, "answer": p.answer}, ensure_ascii=False) + "\n")
        self._finish("data", validation=len(self.problems("validation")), heldout=len(self.problems("heldout")))

    def _fetch_tokenizer(self) -> None:
        """Files of a tokenizer on the hub, with the end mark of the chat as end: a base model's own end is that of a document."""
        name, folder = self.recipe.tokenizer.folder, self.folder / "tokenizer"
        if not name or Path(name).is_dir() or (folder / "tokenizer.json").exists():
            return
        fetched = Path(snapshot_download(name, allow_patterns=list(TOKENIZER_FILES)))
        folder.mkdir(exist_ok=True)
        for file in TOKENIZER_FILES:
            if (fetched / file).exists():
                shutil.copyfile(fetched / file, folder / file)
        settings = folder / "tokenizer_config.json"
        settings.write_text(json.dumps(json.loads(settings.read_text()) | {"eos_token": IM_END, "pad_token": END_OF_TEXT}, ensure_ascii=False, indent=2) + "\n")

    def tokenizer_stage(self) -> None:
        if self.recipe.tokenizer.folder:
            self._fetch_tokenizer()
        else:
            trained = train_tokenizer(self.recipe.tokenizer.vocab_size, self.recipe.data.tokenizer_problems, self.recipe.seed)
            save_tokenizer(trained, self.tokenizer_folder(), self.recipe.backbone.max_position_embeddings)
        self._finish("tokenizer", tokens=self.tokenizer().get_vocab_size())

    def backbone(self) -> None:
        settings = self.recipe.backbone
        if settings.folder:
            self._finish("backbone", folder=settings.folder, **self._chosen_block())
            return
        if not self.recipe.data.generated:
            raise ValueError("backbone.folder is missing: a backbone from scratch is trained on generated problems only")
        state = train_backbone(self.recipe, self.tokenizer(), self.problems("validation"), self.documents(settings.row_tokens), self.folder)
        self._finish("backbone", steps=state["step"], tokens=state["tokens"], minutes=round(state["seconds"] / 60, 1))

    @torch.no_grad()
    def _chosen_block(self) -> dict[str, Any]:
        """Which block is pruned; for `best` with the losses that decided it. Chosen by the first process alone."""
        settings = self.recipe.backbone
        if settings.prune_layer != "best":
            return {} if settings.prune_layer is None else {"pruned": settings.prune_layer}
        if not processes().is_main_process:
            return {}
        model, rows = self._ready_model().eval().to(processes().device), self.documents(settings.prune_tokens)
        lines = Lines(self.folder / VALIDATION)
        texts = rows.rows_of([lines[i] for i in range(min(settings.prune_samples, len(lines)))])
        ids = [torch.from_numpy(texts.ids[r][texts.documents[r] == n]).to(model.device) for r in range(len(texts)) for n in range(int(texts.documents[r].max()) + 1)]
        losses = losses_without(model, ids)
        return {"pruned": min(range(len(losses)), key=losses.__getitem__), "losses_without": losses}

    def _ready_model(self) -> PreTrainedModel:
        """The recipe's Hugging Face model, in float32: mixed precision keeps float32 weights to train."""
        model = AutoModelForCausalLM.from_pretrained(self.recipe.backbone.folder, dtype=torch.float32)
        tokenizer = self.tokenizer()
        end, pad = tokenizer.token_to_id(IM_END), tokenizer.token_to_id(END_OF_TEXT)
        for config in (model.config, model.generation_config):
            config.eos_token_id, config.pad_token_id = (config.eos_token_id if end is None else end), (config.pad_token_id if pad is None else pad)
        return model

    def base(self) -> PreTrainedModel:
        """The trained backbone, or the Hugging Face model of the recipe (with one layer pruned if it says so)."""
        settings = self.recipe.backbone
        if settings.folder:
            block = self.facts("backbone").get("pruned", settings.prune_layer)
            return self._ready_model() if block is None else prune_layer(self._ready_model(), int(block))
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
        device, kinds = processes().device, ("mismatch", "maxp")
        model = named_reference(self.recipe.labels, self.recipe.stage1.bf16) or self.base().eval().to(device)
        counts, answers, journal = dict.fromkeys(kinds, 0), 0, Journal(self.folder, "labels")
        rows = next(self.documents(self.recipe.stage1.row_tokens, salt=1000).batches(64)).rows
        for row in range(len(rows)):
            ids, labels, positions, documents = (t.to(device) for t in to_tensors(rows.slice(row, row + 1).trimmed()))
            logits = plain_logits(model, ids, positions, documents)
            answers += int((labels != IGNORED).sum())
            for kind in kinds:
                counts[kind] += int(hard_tokens(logits, labels, LabelSettings(kind=kind, below=self.recipe.labels.below)).sum())
            journal.progress((row + 1) / len(rows), f"row {row + 1}")
        journal.close()
        self._finish("labels", answer_tokens=answers, used=self.recipe.labels.kind, reference=self.recipe.labels.reference, **{k: round(v / answers, 5) for k, v in counts.items()})

    def stage1(self) -> None:
        state = train_stage1(self.recipe, self.base(), self.documents(self.recipe.stage1.row_tokens, salt=1000), self.folder)
        self._finish("stage1", steps=state["step"], tokens=state["tokens"], minutes=round(state["seconds"] / 60, 1))

    def after_stage1(self) -> ThinkingModel:
        model = adapted(self.recipe, self.base())
        weights = torch.load(self.folder / "stage1.pt", weights_only=True)["model"]
        # A plain model's are those of the model itself.
        (model if self.recipe.labels.kind != "never" else model.model).load_state_dict(weights)
        return model.eval()

    def stage2(self) -> None:
        if self.recipe.labels.kind in ("always", "never"):
            self._finish("stage2", threshold=0.5, nothing_to_learn=f"labels.kind is {self.recipe.labels.kind}")
            return
        model = self.after_stage1().to(processes().device)
        model.decider = train_stage2(self.recipe, model, self.documents(self.recipe.stage2.row_tokens or self.recipe.stage1.row_tokens, salt=2000), self.folder)
        if self.recipe.stage2.threshold is not None:
            self._finish("stage2", threshold=self.recipe.stage2.threshold)
        elif processes().is_main_process:
            threshold, table = choose_threshold(self.recipe, model, self.validation_rows(), SHARES)
            self._finish("stage2", threshold=threshold, table=table)

    def with_decider(self) -> ThinkingModel:
        """The trained model, whole."""
        model = self.after_stage1()
        if self.recipe.labels.kind != "never":
            kwargs = self.kwargs(model)
            model.decider = always_decider(kwargs) if self.recipe.labels.kind == "always" else trained_decider(kwargs, self.folder)
        return model.eval()

    def kwargs(self, model: ThinkingModel) -> dict[str, Any]:
        return decider_kwargs(self.recipe, model.embedding.weight.shape[1], round(float(self.facts("stage2")["threshold"]), 6))

    def export(self) -> None:
        """The official layout, reloaded by our own loader; its logits must be those of the model that was written, bfloat16 apart."""
        model = self.with_decider()
        lora = {"r": self.recipe.adapter.r, "lora_alpha": self.recipe.adapter.alpha, "lora_dropout": self.recipe.adapter.dropout}
        save_checkpoint(model, self.kwargs(model), lora, self.tokenizer_folder(), self.folder / "checkpoint")
        again, _ = load_checkpoint(self.folder / "checkpoint")
        policies: list[Callable[[ThinkingModel], Policy]] = [lambda m: Constant(True)]
        if model.decider is not None:
            policies.append(lambda m: Learned(m.decider))  # type: ignore[arg-type]
        with torch.no_grad():
            for name, parameter in model.model.named_parameters():
                if ".lora_" not in name:
                    parameter.copy_(parameter.to(torch.bfloat16).float())
            ids = torch.randint(0, self.tokenizer().get_vocab_size() - 3, (2, 40), generator=torch.Generator().manual_seed(0))
            largest = max(float((again(ids, p(again)).logits - model(ids, p(model)).logits).abs().max()) for p in policies)
        if largest > 1e-4:
            raise RuntimeError(f"the exported checkpoint differs by {largest} from the trained model")
        self._finish("export", largest_difference=largest, bytes=sum(f.stat().st_size for f in (self.folder / "checkpoint").rglob("*") if f.is_file()))

    def vectors(self, out: Path) -> None:
        """What the exported checkpoint computes, for `tah verify`."""
        if self.recipe.data.generated:
            texts = [(p.question, p.solution) for p in self.problems("heldout")]
        else:
            lines = Lines(self.folder / VALIDATION)
            texts = [(line["question"], line["solution"]) for line in (lines[i] for i in range(min(100, len(lines))))]
        random.Random(0).shuffle(texts)
        print(f"[vectors] {write_vectors(self.folder / 'checkpoint', texts[:100], out)} cases in {out}")

    def policies(self, model: ThinkingModel) -> dict[str, Policy]:
        found: dict[str, Policy] = {"standard": Constant(False)}
        if model.decider is not None:
            found |= {"tah": Learned(model.decider), "always": Constant(True)}
        return found

    def eval(self, limit: int | None = None) -> None:
        """The exported checkpoint with one pass, the decider's passes, and two passes always: greedy answers to the held-out problems; for
        text from outside, how well the validation lines are foretold."""
        model, _ = load_checkpoint(self.folder / "checkpoint")
        if not self.recipe.data.generated:
            self._finish("eval", **self._foretold(model.to(processes().device)))
            return
        tokenizer, problems = self.tokenizer(), self.problems("heldout")
        if limit:
            problems = random.Random(0).sample(problems, min(limit, len(problems)))
        results = {}
        for name, policy in self.policies(model).items():
            journal = Journal(self.folder, f"eval-{name}")
            answers = solve_all(model, tokenizer, problems, policy, told=lambda n, j=journal: j.progress(n / len(problems), f"{n} of {len(problems)} answered"))  # type: ignore[misc]
            journal.close()
            results[name] = score(problems, answers)
            with (self.folder / f"eval-{name}.jsonl").open("w") as file:
                for p, w in zip(problems, answers):
                    file.write(json.dumps({"family": p.family, "question": p.question, "expected": p.answer, "text": w.text, "second": w.second, "tokens": w.tokens}, ensure_ascii=False) + "\n")
            print(f"[eval] {name}: mean of families {results[name]['mean']:.4f}, second passes {results[name]['second_share_answer']:.4f}", flush=True)
        self._finish("eval", **results)

    def _foretold(self, model: ThinkingModel) -> dict[str, dict[str, float]]:
        """By each policy, and by the oracle of the model's own mistakes, which leaks the answer: a bound, not a score."""
        rows, found = self.validation_rows(), {}
        for name, policy in self.policies(model).items():
            found[name] = teacher_forced(model, rows, lambda *_, chosen=policy: chosen)  # type: ignore[misc]
        if model.decider is not None:
            found["oracle"] = teacher_forced(model, rows, lambda labels: SelfOracle(labels, LabelSettings()))
        return found

    def go(self, stage: str, again: bool = False, limit: int | None = None) -> None:
        """Does a stage that isn't done, or does it `again` from its start. Every process calls this; all go on when it is done."""
        done, who = self.finished(stage), processes()
        # All have looked before the first one changes what is there.
        who.wait_for_everyone()
        if done and not again:
            if who.is_main_process:
                print(f"[{stage}] already done", flush=True)
            return
        if again and who.is_main_process:
            self._done(stage).unlink(missing_ok=True)
            Place(self.folder, stage).forget()
            Place(self.folder, stage).result.unlink(missing_ok=True)
        who.wait_for_everyone()
        work: dict[str, Callable[[], None]] = {"data": self.data, "tokenizer": self.tokenizer_stage, "backbone": self.backbone, "labels": self.labels, "stage1": self.stage1,
                                               "stage2": self.stage2, "export": self.export, "eval": lambda: self.eval(limit)}
        if stage in TOGETHER or who.is_main_process:
            work[stage]()
        who.wait_for_everyone()
