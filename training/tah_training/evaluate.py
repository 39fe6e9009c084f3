"""Greedy solving in batches through the passes of Think-at-Hard, and the scores of families."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer

from .chat import IM_END, prompt_text
from .decider import Policy
from .loop import to_tensors
from .losses import token_loss
from .problems import REFUSAL_TEXT, Problem
from .shards import IGNORED, Rows
from .thinking import Slots, ThinkingModel

_BOX = re.compile(r"\\boxed\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")


@dataclass
class Written:
    """A model's answer: its text, whether it ended by itself, answer tokens, how many of them (and of the prompt) had a second pass."""

    text: str
    ended: bool
    tokens: int
    second: int
    prompt_tokens: int
    prompt_second: int


def boxed(text: str) -> str | None:
    """Content of the last box, spaces removed."""
    found = _BOX.findall(text)
    return re.sub(r"\s+", "", found[-1]) if found else None


def is_right(problem: Problem, written: Written) -> bool:
    if problem.answer is None:
        return written.text == REFUSAL_TEXT
    return written.ended and boxed(written.text) == re.sub(r"\s+", "", problem.answer)


def _rows_of(slots: Slots, keep: torch.Tensor) -> Slots:
    slots.cache.batch_select_indices(keep)
    return Slots(slots.cache, slots.positions[keep], slots.depths[keep], slots.documents[keep])


@torch.no_grad()
def solve_batch(model: ThinkingModel, tokenizer: Tokenizer, questions: list[str], policy: Policy, max_tokens: int = 256) -> list[Written]:
    """Answers of one batch. Rows that have ended leave the batch."""
    device = model.embedding.weight.device
    end = tokenizer.token_to_id(IM_END)
    prompts = [e.ids for e in tokenizer.encode_batch([prompt_text(q) for q in questions], add_special_tokens=False)]
    lengths = torch.tensor([len(p) for p in prompts], device=device)
    width = int(lengths.max())
    ids = torch.tensor([p + [0] * (width - len(p)) for p in prompts], device=device)
    there = torch.arange(width, device=device) < lengths[:, None]
    outcome = model(ids, policy, documents=torch.where(there, 0, -1))
    results = [Written("", False, 0, 0, len(p), 0) for p in prompts]
    produced: list[list[int]] = [[] for _ in prompts]
    rows = list(range(len(prompts)))
    for row in rows:
        results[row].prompt_second = int((outcome.iterations[row, : lengths[row] - 1] > 1).sum())
        results[row].second = int(outcome.iterations[row, lengths[row] - 1] > 1)
    logits = outcome.logits[torch.arange(len(rows), device=device), lengths - 1]
    positions = lengths
    for _ in range(max_tokens):
        tokens = logits.argmax(-1)
        open_rows = []
        for place, row in enumerate(rows):
            token = int(tokens[place])
            results[row].tokens += 1
            if token == end:
                results[row].ended = True
            else:
                produced[row].append(token)
                open_rows.append(place)
        if not open_rows:
            break
        slots = outcome.slots
        if len(open_rows) < len(rows):
            keep = torch.tensor(open_rows, device=device)
            slots, tokens, positions, rows = _rows_of(slots, keep), tokens[keep], positions[keep], [rows[p] for p in open_rows]
        outcome = model(tokens[:, None], policy, positions=positions[:, None], slots=slots)
        for place, row in enumerate(rows):
            results[row].second += int(outcome.iterations[place, 0] > 1)
        logits = outcome.logits[:, -1]
        positions = positions + 1
    for result, tokens_of in zip(results, produced):
        result.text = tokenizer.decode(tokens_of, skip_special_tokens=False)
    return results


def solve_all(model: ThinkingModel, tokenizer: Tokenizer, problems: list[Problem], policy: Policy, batch: int = 96, told: Callable[[int], None] | None = None) -> list[Written]:
    """Answers in the order of `problems`; batches of similar solution length."""
    order = sorted(range(len(problems)), key=lambda i: (len(problems[i].solution), len(problems[i].question)))
    answers: dict[int, Written] = {}
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        for index, written in zip(part, solve_batch(model, tokenizer, [problems[i].question for i in part], policy)):
            answers[index] = written
        if told:
            told(len(answers))
    return [answers[i] for i in range(len(problems))]


def score(problems: list[Problem], answers: list[Written]) -> dict[str, object]:
    """Exactness by family, its mean, shares of second passes."""
    families: dict[str, list[bool]] = {}
    for problem, written in zip(problems, answers):
        families.setdefault(problem.family, []).append(is_right(problem, written))
    exact = {f: sum(v) / len(v) for f, v in families.items()}
    taught = [v for f, v in exact.items() if f != "refuse"]
    scope = [(p, w) for p, w in zip(problems, answers) if p.answer is not None]
    tokens = sum(w.tokens for w in answers)
    return {
        "exact": exact, "counts": {f: len(v) for f, v in families.items()}, "mean": sum(taught) / max(len(taught), 1),
        "wrongly_refused": sum(w.text == REFUSAL_TEXT for _, w in scope) / max(len(scope), 1),
        "second_share_answer": sum(w.second for w in answers) / tokens,
        "second_share_all": sum(w.second + w.prompt_second for w in answers) / (tokens + sum(w.prompt_tokens for w in answers)),
    }


@torch.no_grad()
def teacher_forced(model: ThinkingModel, rows: Rows, policy_of: Callable[[torch.Tensor], Policy], batch: int = 8) -> dict[str, float]:
    """Figures of the answer tokens of rows whose text is given: cross-entropy, first choices that are right, share of second passes.
    `policy_of(labels)`."""
    device = model.embedding.weight.device
    loss = right = second = answers = 0.0
    for start in range(0, len(rows), batch):
        ids, labels, positions, documents = (t.to(device) for t in to_tensors(rows.slice(start, start + batch)))
        outcome = model(ids, policy_of(labels), positions=positions, documents=documents)
        answer = labels != IGNORED
        loss += float(token_loss(outcome.logits, labels).sum())
        right += int(((outcome.logits.argmax(-1) == labels) & answer).sum())
        second += int(((outcome.iterations > 1) & answer).sum())
        answers += int(answer.sum())
    return {"loss": loss / answers, "right": right / answers, "second_share_answer": second / answers}
