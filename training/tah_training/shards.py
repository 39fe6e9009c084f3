"""Training text without end, a shard of problems at a time: same seed, same number, same weights, same text."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from .chat import answer_text, prompt_text
from .problems import FAMILIES, Problem, make_problem, problem_split

IGNORED = -100


@dataclass(frozen=True)
class Rows:
    """Packed documents. All arrays int64 [rows, row_tokens]: ids; labels (next token where it belongs to an answer,
    else IGNORED); positions within the document; document number within the row (-1: padding)."""

    ids: np.ndarray
    labels: np.ndarray
    positions: np.ndarray
    documents: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def slice(self, start: int, stop: int) -> "Rows":
        return Rows(self.ids[start:stop], self.labels[start:stop], self.positions[start:stop], self.documents[start:stop])

    def trimmed(self) -> "Rows":
        """Without the columns that are padding in every row."""
        width = max(1, int((self.documents >= 0).any(0).sum()))
        return Rows(self.ids[:, :width], self.labels[:, :width], self.positions[:, :width], self.documents[:, :width])


def generate(count: int, split: str, seed: str, shares: dict[str, float] | None = None) -> list[Problem]:
    """`count` problems of one split; families drawn by `shares` (their starting shares if not given)."""
    rng = random.Random(seed)
    shares = shares or {name: share for name, (_, share) in FAMILIES.items()}
    names, weights = list(shares), list(shares.values())
    problems: list[Problem] = []
    while len(problems) < count:
        problem = make_problem(rng.choices(names, weights)[0], rng)
        if problem_split(problem.key) == split:
            problems.append(problem)
    return problems


def distinct(per_family: int, split: str, seed: str) -> list[Problem]:
    """Up to `per_family` problems of each family with different keys; fewer where a family has no more."""
    problems: list[Problem] = []
    for family in FAMILIES:
        rng, seen = random.Random(f"{seed}:{family}"), set()
        for _ in range(per_family * 400):
            if len(seen) >= per_family:
                break
            problem = make_problem(family, rng)
            if problem_split(problem.key) == split and problem.key not in seen:
                seen.add(problem.key)
                problems.append(problem)
    return problems


def encoded(pairs: Iterable[tuple[str, str]], tokenizer: Tokenizer) -> list[tuple[list[int], int]]:
    """(ids of prompt and answer, length of the prompt) of (question, solution) pairs."""
    pairs = list(pairs)
    prompts = tokenizer.encode_batch([prompt_text(q) for q, _ in pairs], add_special_tokens=False)
    answers = tokenizer.encode_batch([answer_text(s) for _, s in pairs], add_special_tokens=False)
    return [(p.ids + a.ids, len(p.ids)) for p, a in zip(prompts, answers)]


def packed(documents: list[tuple[list[int], int]], row_tokens: int, look: int = 64) -> Rows:
    """Whole documents into rows of fixed length, the next of `look` waiting ones that fits; longer ones are left out."""
    waiting = [d for d in documents if len(d[0]) <= row_tokens]
    rows: list[list[tuple[list[int], int]]] = []
    queue, following = waiting[:look], look
    while queue:
        row, room = [], row_tokens
        index = 0
        while index < len(queue):
            if len(queue[index][0]) <= room:
                document = queue.pop(index)
                row.append(document)
                room -= len(document[0])
                if following < len(waiting):
                    queue.append(waiting[following])
                    following += 1
            else:
                index += 1
        rows.append(row)
    return _filled(rows, row_tokens)


def single(documents: list[tuple[list[int], int]], row_tokens: int) -> Rows:
    """Each document in a row of its own; longer ones are left out."""
    fitting = [d for d in documents if len(d[0]) <= row_tokens]
    return _filled([[d] for d in fitting], max((len(ids) for ids, _ in fitting), default=1))


def _filled(rows: list[list[tuple[list[int], int]]], row_tokens: int) -> Rows:
    """(ids, length of the prompt) side by side in rows of this length, padded on the right."""
    shape = (len(rows), row_tokens)
    ids, labels = np.zeros(shape, np.int64), np.full(shape, IGNORED, np.int64)
    positions, numbers = np.zeros(shape, np.int64), np.full(shape, -1, np.int64)
    for r, row in enumerate(rows):
        at = 0
        for number, (tokens, prompt) in enumerate(row):
            end = at + len(tokens)
            ids[r, at:end] = tokens
            labels[r, at + prompt - 1 : end - 1] = tokens[prompt:]
            positions[r, at:end] = range(len(tokens))
            numbers[r, at:end] = number
            at = end
    return Rows(ids, labels, positions, numbers)


def training_shard(number: int, size: int, seed: int, shares: dict[str, float], tokenizer: Tokenizer, row_tokens: int) -> Rows:
    problems = generate(size, "train", f"{seed}:train:{number}", shares)
    return packed(encoded(((p.question, p.solution) for p in problems), tokenizer), row_tokens)
