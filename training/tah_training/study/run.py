"""Runs what of a study is not done yet: a JSON line for every arm and seed. The report reads nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch

from ..decider import MLPIterDecider
from ..journal import Journal, clock
from ..oracle import SelfOracle
from ..recipe import LabelSettings
from ..shards import IGNORED
from ..thinking import ThinkingModel
from .arms import Answers, Arm, Spent, Trainer, gated, once, plain_logits, size_of, train_backbone
from .forms import Batch, Exercise, encoded, held_out
from .settings import StudySettings

# Arm -> what it is. Arms that share a training (another gate on the same weights) come one after the other.
ARMS = {
    "backbone": "the finished backbone, not trained further",
    "standard": "trained on, plain, with as many tokens as the others",
    "standard-time": "trained on, plain, for as many processor seconds as tah-maxp",
    "lora-first-pass": "backbone frozen, LoRA in the only pass: the adapter without the second pass",
    "one-more-layer": "a new layer on top, everything trained",
    "always": "two passes for every answer token, trained so",
    "always-all": "two passes for every token, questions too, trained so",
    "tah-paper": "Think-at-Hard: mismatch labels of the backbone, backbone and LoRA together, decider learned from mismatch",
    "tah-maxp": "Think-at-Hard: labels and gate by the first pass's largest probability, backbone trained along",
    "tah-gain": "the same weights, decider learned from the measured gain of the second pass",
    "tah-frozen": "as tah-maxp, backbone frozen: LoRA alone",
    "tah-plain-input": "as tah-maxp, but the second pass is fed the token's own embedding, not the mix",
    "second-choice": "the backbone's second choice wherever an oracle says that the first is wrong: no second pass, leaks the answer",
    "tah-paper-oracle": "tah-paper with the oracle of mismatch at test: leaks the answer",
}


def judged(answers: Answers, exercises: list[Exercise], threshold: float) -> tuple[list[bool], dict[str, int]]:
    """Which exercises are answered exactly, and counts over answer tokens.

    The true answer is fed and every first choice compared with it: that is the same as writing greedily, for an answer counts only
    whole, and up to the first wrong token both see the same text.
    """
    right: list[bool] = []
    counts = {"answer_tokens": 0, "sent": 0}
    for start in range(0, len(exercises), 500):
        batch = encoded(exercises[start : start + 500])
        logits, passes = answers(batch, threshold)
        answer = batch.labels != IGNORED
        right += ((logits.argmax(-1) == batch.labels) | ~answer).all(1).tolist()
        counts["answer_tokens"] += int(answer.sum())
        counts["sent"] += int(((passes > 1) & answer).sum())
    return right, counts


def gate_counts(model: ThinkingModel, answers: Answers, exercises: list[Exercise], threshold: float) -> dict[str, int]:
    """How well the gate finds the first pass's errors, and what the second pass does with what it is sent."""
    counts = dict.fromkeys(("wrong_first", "sent_wrong", "corrected", "broken"), 0)
    for start in range(0, len(exercises), 500):
        batch = encoded(exercises[start : start + 500])
        with model.model.disable_adapter():
            first = plain_logits(model.model, batch).argmax(-1) == batch.labels
        logits, passes = answers(batch, threshold)
        last, answer = logits.argmax(-1) == batch.labels, batch.labels != IGNORED
        sent = (passes > 1) & answer
        for name, where in (("wrong_first", ~first & answer), ("sent_wrong", ~first & sent), ("corrected", ~first & last & sent), ("broken", first & ~last & sent)):
            counts[name] += int(where.sum())
    return counts


def chosen_threshold(answers: Answers, validation: list[Exercise], model: ThinkingModel, decider: MLPIterDecider | None, shares: list[float]) -> float:
    """The threshold that is best on the validation split, of those that send these shares of its answer tokens; of equals the one that sends fewest."""
    scores = []
    for start in range(0, len(validation), 500):
        batch = encoded(validation[start : start + 500])
        answer = batch.labels != IGNORED
        scores.append(_scores(model, decider, batch)[answer])
    every = torch.cat(scores)
    tried = []
    for share in shares:
        # A decider sends what is above the threshold, the largest probability what is below.
        threshold = float(every.quantile(share if decider is None else 1 - share))
        right, _ = judged(answers, validation, threshold)
        tried.append((sum(right), -share, threshold))
    return max(tried)[2]


def _scores(model: ThinkingModel, decider: MLPIterDecider | None, batch: Batch) -> torch.Tensor:
    """[B, T]: the decider's probability, or the largest probability of the first pass."""
    with model.model.disable_adapter():
        output = model.model(input_ids=batch.ids, use_cache=False, output_hidden_states=True)
    if decider is None:
        return output.logits.softmax(-1).amax(-1)
    return decider(torch.cat([output.hidden_states[i] for i in decider.layers], -1), output.logits).sigmoid()


def _second_choice(arm: Arm) -> Answers:
    """Where the first choice is wrong, the second one: gives the label's logit the top place if it is the second."""
    def answers(batch: Batch, threshold: float) -> tuple[torch.Tensor, torch.Tensor]:
        logits, passes = arm.answers(batch, threshold)
        best, second = logits.topk(2, dim=-1).indices.unbind(-1)
        chosen = torch.where(best == batch.labels, best, second)
        return torch.zeros_like(logits).scatter(-1, chosen[..., None], 1.0), passes

    return answers


def _oracle(model: ThinkingModel) -> Answers:
    """Second passes exactly where the model's own first choice is wrong."""
    def answers(batch: Batch, threshold: float) -> tuple[torch.Tensor, torch.Tensor]:
        outcome = model(batch.ids, SelfOracle(batch.labels, LabelSettings(kind="mismatch")), documents=batch.documents)
        return outcome.logits, outcome.iterations

    return answers


class Study:
    """`folder`/study.jsonl holds what is done."""

    def __init__(self, settings: StudySettings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.lines = folder / "study.jsonl"
        self.heldout = held_out("heldout", settings.heldout_per_form)
        self.validation = held_out("validation", settings.validation_per_form)

    def done(self) -> dict[tuple[str, int], dict[str, object]]:
        found = [json.loads(line) for line in self.lines.read_text().splitlines()] if self.lines.exists() else []
        for line in found:
            if line["settings"] != asdict(self.settings) | {"seeds": line["settings"]["seeds"]}:
                raise ValueError(f"{self.lines} was made with other settings: take another --run-dir, or delete it")
        return {(line["arm"], line["seed"]): line for line in found}

    def _write(self, name: str, seed: int, arm: Arm, answers: Answers, threshold: float = 0.0, model: ThinkingModel | None = None) -> None:
        with torch.no_grad():
            right, counts = judged(answers, self.heldout, threshold)
            counts |= gate_counts(model, answers, self.heldout, threshold) if model is not None else {}
        forms: dict[str, str] = {}
        for one, correct in zip(self.heldout, right):
            forms[one.form] = forms.get(one.form, "") + str(int(correct))
        line = {"arm": name, "seed": seed, "right": forms, "threshold": threshold, "parameters": arm.parameters, "counts": counts, "spent": asdict(arm.spent), "settings": asdict(self.settings)}
        with self.lines.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(f"[study] seed {seed} {name}: {sum(right) / len(right):.4f} of all, " + ", ".join(f"{f} {v.count('1') / len(v):.3f}" for f, v in forms.items()), flush=True)

    def _gated(self, name: str, seed: int, model: ThinkingModel, spent: Spent, decider: MLPIterDecider | None) -> None:
        arm = gated(model, spent, decider)
        with torch.no_grad():
            threshold = chosen_threshold(arm.answers, self.validation, model, decider, self.settings.shares)
        self._write(name, seed, arm, arm.answers, threshold, model)

    def run(self) -> None:
        for seed in self.settings.seeds:
            self._seed(seed)

    def _seed(self, seed: int) -> None:
        missing = [arm for arm in ARMS if (arm, seed) not in self.done()]
        if not missing:
            return
        journal = Journal(self.folder, f"seed-{seed}")

        def told(spent: Spent, loss: float) -> None:
            journal.line(f"step {spent.steps} {spent.tokens / 1e6:.2f}M tokens loss {loss:.4f}, {clock(spent.seconds)} of processor time", every=30)

        first = seed if self.settings.backbone_seed is None else self.settings.backbone_seed
        backbone, spent = train_backbone(self.settings, first, self.folder / f"backbone-{first}.pt", told)
        trainer = Trainer(self.settings, seed, backbone, told)
        self._plain_arms(trainer, seed, Arm(spent, once(backbone), size_of(backbone)), missing)
        self._paper(trainer, seed, missing)
        self._unsure(trainer, seed, missing)
        if "standard-time" in missing:
            # As long as tah-maxp took, which is done by now.
            seconds = float(self.done()["tah-maxp", seed]["spent"]["seconds"])  # type: ignore[index]
            arm = trainer.standard(seconds)
            self._write("standard-time", seed, arm, arm.answers)

    def _plain_arms(self, trainer: Trainer, seed: int, backbone: Arm, missing: list[str]) -> None:
        makers: dict[str, Callable[[], Arm]] = {
            "backbone": lambda: backbone, "second-choice": lambda: Arm(backbone.spent, _second_choice(backbone), backbone.parameters), "standard": trainer.standard,
            "lora-first-pass": trainer.first_pass_lora, "one-more-layer": trainer.one_more_layer, "always": lambda: trainer.always(True), "always-all": lambda: trainer.always(False),
        }
        for name, make in makers.items():
            if name in missing:
                arm = make()
                self._write(name, seed, arm, arm.answers)

    def _paper(self, trainer: Trainer, seed: int, missing: list[str]) -> None:
        if not {"tah-paper", "tah-paper-oracle"} & set(missing):
            return
        model, spent = trainer.paper()
        decider, _ = trainer.decider(model, "mismatch")
        if "tah-paper-oracle" in missing:
            self._write("tah-paper-oracle", seed, gated(model, spent, decider), _oracle(model), 0.0, model)
        if "tah-paper" in missing:
            self._gated("tah-paper", seed, model, spent, decider)

    def _unsure(self, trainer: Trainer, seed: int, missing: list[str]) -> None:
        if {"tah-maxp", "tah-gain"} & set(missing):
            model, spent = trainer.unsure(False, self.settings.mix_topk)
            if "tah-maxp" in missing:
                self._gated("tah-maxp", seed, model, spent, None)
            if "tah-gain" in missing:
                decider, _ = trainer.decider(model, "gain")
                self._gated("tah-gain", seed, model, spent, decider)
        for name, frozen, topk in (("tah-frozen", True, self.settings.mix_topk), ("tah-plain-input", False, 0)):
            if name in missing:
                model, spent = trainer.unsure(frozen, topk)
                self._gated(name, seed, model, spent, None)


def run_study(settings: StudySettings, folder: Path) -> None:
    started = time.monotonic()
    Study(settings, folder).run()
    print(f"[study] complete, {clock(time.monotonic() - started)} in this run", flush=True)
