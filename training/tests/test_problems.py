"""Every generated answer and every written line is true; splits do not overlap; wordings keep the numbers."""

from __future__ import annotations

import json
import random
import re
from fractions import Fraction

import pytest

from independent import expected_answer
from tah_training.problems import FAMILIES, REFUSAL_FAMILY, REFUSAL_TEXT, SUBJECTS, make_problem, problem_split
from tah_training.shards import distinct, generate

TAUGHT = [f for f in FAMILIES if f != REFUSAL_FAMILY]


def value(text: str, known: dict[str, Fraction] | None = None) -> Fraction | None:
    """The value of a LaTeX formula of numbers, None where letters other than the `known` remain."""
    for letter, number in (known or {}).items():
        inside = f"({number.numerator}/{number.denominator})"
        text = re.sub(rf"(?<=[0-9]){letter}(?![a-z])", f"*{inside}", text)
        text = re.sub(rf"(?<![a-z\\\\]){letter}(?![a-z])", inside, text)
        text = re.sub(rf"\\frac\{{{re.escape(inside)}\}}\{{(\d+)\}}", rf"({inside}/\1)", text)
        text = re.sub(r"(?<=[0-9)])\(", "*(", text)
    text = re.sub(r"\\frac\{(\d+)\}\{(\d+)\}", r"(Fraction(\1,\2))", text)
    text = text.replace("\\cdot", "*").replace("\\div", "/")
    text = re.sub(r"\^\{?(\d+)\}?", r"**\1", text)
    if re.search(r"[a-zA-Z\\%']", text.replace("Fraction", "")):
        return None
    text = re.sub(r"(?<![\w,.])(\d+(?:\.\d+)?)(?![\w,])", r"Fraction('\1')", text) if "Fraction" not in text else text
    return Fraction(eval(text, {"Fraction": Fraction}))  # noqa: S307


def unknowns(answer: str) -> dict[str, Fraction]:
    """The unknowns and their values, from the box."""
    found = re.findall(r"([a-z]) = (-?)(?:\\frac\{(\d+)\}\{(\d+)\}|(\d+))", answer)
    return {letter: (-1 if minus else 1) * Fraction(int(top or whole), int(bottom or 1)) for letter, minus, top, bottom, whole in found}


@pytest.mark.parametrize("family", TAUGHT)
def test_answers_are_true(family: str) -> None:
    rng = random.Random(f"answers:{family}")
    for _ in range(1500):
        p = make_problem(family, rng)
        assert p.family == family and p.answer is not None
        assert p.answer == expected_answer(p.key, p.answer), (p.question, p.key)
        assert p.solution.endswith(f"$\\boxed{{{p.answer}}}$") and p.solution.count("\\boxed") == 1


@pytest.mark.parametrize("family", TAUGHT)
def test_every_line_is_true(family: str) -> None:
    rng = random.Random(f"lines:{family}")
    checked = 0
    for _ in range(600):
        p = make_problem(family, rng)
        known = unknowns(p.answer) if family in ("linear", "linear_both", "systems") else {}
        for formula in re.findall(r"\$([^$]*)\$", p.solution):
            if "boxed" in formula:
                continue
            sides = formula.split("=")
            values = [value(s, known) for s in sides if s]
            if len(values) > 1 and None not in values:
                checked += 1
                assert len(set(values)) == 1, (p.question, p.solution, formula)
    assert checked > 300


def test_refusals_have_one_sentence() -> None:
    rng = random.Random(5)
    for _ in range(500):
        p = make_problem(REFUSAL_FAMILY, rng)
        assert p.solution == REFUSAL_TEXT and p.answer is None and "boxed" not in p.solution


def test_splits_do_not_overlap() -> None:
    train = {p.key for p in generate(6000, "train", "leak")}
    held = {p.key for p in distinct(60, "heldout", "leak")}
    validation = {p.key for p in distinct(60, "validation", "leak")}
    assert not train & held and not train & validation and not held & validation
    assert all(problem_split(k) == "heldout" for k in held)


def test_wording_never_enters_the_key() -> None:
    """The numbers of the key alone decide: commuted sums and products are one problem."""
    rng, keys = random.Random(7), {}
    for _ in range(20000):
        p = make_problem("sums", rng)
        keys.setdefault(p.key, set()).add(p.question)
    assert any(len(q) > 1 for q in keys.values())
    for key in keys:
        parts = json.loads(key)[2:]
        assert parts == sorted(parts)


def test_same_seed_same_problems() -> None:
    assert generate(200, "train", "a") == generate(200, "train", "a")
    assert generate(200, "train", "a") != generate(200, "train", "b")


def test_subjects_name_every_family() -> None:
    assert [s.id for s in SUBJECTS] == TAUGHT
