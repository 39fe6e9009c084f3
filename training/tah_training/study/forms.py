"""The problems of the study: short sums whose answer is written down at once. In the `hard` forms one answer token needs several
operations, which a shallow model can't do in one pass; the others need one or two.

Characters are tokens. The split comes from the canonical key, as everywhere: no held-out problem is ever trained on.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from ..problems.problem import canonical_key, problem_split
from ..shards import IGNORED

END, PAD = "\n", " "
ALPHABET = PAD + END + "0123456789+-*()=x"
LENGTH = 22
_NUMBERS = {c: i for i, c in enumerate(ALPHABET)}


@dataclass(frozen=True)
class Exercise:
    """`question` ends with "="; `answer` is what must be written."""

    form: str
    key: str
    question: str
    answer: str


def _numbers(rng: random.Random, count: int, low: int, high: int) -> list[int]:
    return [rng.randint(low, high) for _ in range(count)]


def _two_products(rng: random.Random) -> tuple[list[int], str, int]:
    a, b, c, d = n = _numbers(rng, 4, 2, 12)
    return n, f"{a}*{b}+{c}*{d}=", a * b + c * d


def _three_products(rng: random.Random) -> tuple[list[int], str, int]:
    a, b, c, d, e, f = n = _numbers(rng, 6, 2, 9)
    return n, f"{a}*{b}+{c}*{d}-{e}*{f}=", a * b + c * d - e * f


def _product_of_sums(rng: random.Random) -> tuple[list[int], str, int]:
    a, b, c, d = n = _numbers(rng, 4, 1, 12)
    return n, f"({a}+{b})*({c}+{d})=", (a + b) * (c + d)


def _both_sides(rng: random.Random) -> tuple[list[int], str, int]:
    """ax + b = cx + d with a whole solution x."""
    while True:
        a, c, x = rng.randint(2, 12), rng.randint(1, 11), rng.randint(-9, 12)
        b = rng.randint(-20, 20)
        d = a * x + b - c * x
        if a > c and -40 <= d <= 60:
            return [a, b, c, d], f"{a}x{b:+d}={c}x{d:+d} x=", x


def _sum(rng: random.Random) -> tuple[list[int], str, int]:
    a, b = n = _numbers(rng, 2, 10, 999)
    return n, f"{a}+{b}=", a + b


def _difference(rng: random.Random) -> tuple[list[int], str, int]:
    a, b = n = _numbers(rng, 2, 10, 999)
    return n, f"{a}-{b}=", a - b


def _product(rng: random.Random) -> tuple[list[int], str, int]:
    a, b = n = [rng.randint(2, 99), rng.randint(2, 99)]
    return n, f"{a}*{b}=", a * b


def _product_and_sum(rng: random.Random) -> tuple[list[int], str, int]:
    a, b, c = n = [rng.randint(2, 12), rng.randint(2, 12), rng.randint(1, 99)]
    return n, f"{a}*{b}+{c}=", a * b + c


HARD = ("a*b+c*d", "a*b+c*d-e*f", "(a+b)*(c+d)", "ax+b=cx+d")
FORMS: dict[str, Callable[[random.Random], tuple[list[int], str, int]]] = {
    "a*b+c*d": _two_products, "a*b+c*d-e*f": _three_products, "(a+b)*(c+d)": _product_of_sums, "ax+b=cx+d": _both_sides,
    "a+b": _sum, "a-b": _difference, "a*b": _product, "a*b+c": _product_and_sum,
}


def exercise(form: str, rng: random.Random) -> Exercise:
    numbers, question, answer = FORMS[form](rng)
    return Exercise(form, canonical_key("study", form, *numbers), question, str(answer))


def held_out(split: str, per_form: int) -> list[Exercise]:
    """`per_form` different exercises of each form of a split; the same for every seed, so that arms and seeds are paired."""
    found = []
    for form in FORMS:
        rng, keys = random.Random(f"study:{split}:{form}"), set()
        for _ in range(per_form * 2000):
            if len(keys) == per_form:
                break
            one = exercise(form, rng)
            if one.key not in keys and problem_split(one.key) == split:
                keys.add(one.key)
                found.append(one)
        else:
            raise ValueError(f"the form {form} has fewer than {per_form} exercises in the split {split}")
    return found


def training_batches(seed: str, rows: int, start: int = 0) -> Iterator[list[Exercise]]:
    """Batches of the train split without end, each the same for the same seed and number; forms in equal shares."""
    forms, number = list(FORMS), start
    while True:
        rng = random.Random(f"{seed}:{number}")
        batch: list[Exercise] = []
        while len(batch) < rows:
            one = exercise(forms[rng.randrange(len(forms))], rng)
            if problem_split(one.key) == "train":
                batch.append(one)
        yield batch
        number += 1


@dataclass(frozen=True)
class Batch:
    """int64 [B, LENGTH]: ids; labels (next token where it belongs to the answer or its end); documents (0, -1: padding)."""

    ids: torch.Tensor
    labels: torch.Tensor
    documents: torch.Tensor

    @property
    def tokens(self) -> int:
        return int((self.documents >= 0).sum())


def encoded(exercises: list[Exercise]) -> Batch:
    ids, labels, documents = [], [], []
    for one in exercises:
        tokens = [_NUMBERS[c] for c in one.question + one.answer + END]
        at, padding = len(one.question), LENGTH - len(tokens)
        ids.append(tokens + [0] * padding)
        labels.append([IGNORED] * (at - 1) + tokens[at:] + [IGNORED] * (padding + 1))
        documents.append([0] * len(tokens) + [-1] * padding)
    return Batch(torch.tensor(ids), torch.tensor(labels), torch.tensor(documents))
