"""What the model's questions are made of: words, signs, sizes of numbers, and which of them occur together.

The program holds a question against this before the model answers it (src/answer/scope.ts reads the same way: change
both; test/fixtures/scope/pieces.jsonl holds them together). Knows only questions of the taught families.
"""

from __future__ import annotations

import base64
import random
import re
from collections import Counter
from collections.abc import Iterable

from .problems import FAMILIES, REFUSAL_FAMILY, make_problem, problem_split
from .problems.stories import NAMES

_SUPERSCRIPTS = {ord(c): str(i) for i, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
_REPLACED = (
    (re.compile(r"[⁰¹²³⁴-⁹]+"), lambda m: "^" + m[0].translate(_SUPERSCRIPTS)),
    (re.compile(r"\*\*"), lambda m: "^"),
    (re.compile(r"\\(?:cdot|times)(?![a-z])|[×·⋅]"), lambda m: " * "),
    (re.compile(r"\\div(?![a-z])|÷"), lambda m: " / "),
    (re.compile(r"[−–]"), lambda m: "-"),
    (re.compile(r"\\[dt]frac(?![a-z])"), lambda m: r"\frac"),
    (re.compile(r"\\(?:left|right)(?![a-z])"), lambda m: " "),
    (re.compile(r"√"), lambda m: r"\sqrt "),
    (re.compile(r"∛"), lambda m: "cbrt "),
    (re.compile(r"(?<![a-z])sqrt(?![a-z])"), lambda m: r"\sqrt"),
    (re.compile(r"\\(?=[()\[\],;: \\%])"), lambda m: " "),
    (re.compile(r"[’‘]"), lambda m: "'"),
)
_PIECE = re.compile(r"\\+[a-z]+|[^\W\d_]+(?:'[^\W\d_]+)?|\d+(?:\.\d+)?|\S")
_STRUCTURE = frozenset("{}$")
NAME = "<name>"
LETTER = "<letter>"
NAMES_LOWER = frozenset(name.lower() for name in NAMES)


def pieces(question: str) -> list[str]:
    """Lower-case words, LaTeX commands, signs and numbers of a question, in order; brackets of LaTeX left out."""
    text = question.lower()
    for pattern, by in _REPLACED:
        text = pattern.sub(by, text)
    return [p for p in _PIECE.findall(text) if p not in _STRUCTURE]


def kind_of(piece: str) -> str:
    """What a piece counts as: itself, or its class (a number by its digits, a single letter, a name)."""
    if piece[0].isdigit():
        whole, _, part = piece.partition(".")
        return f"<{len(whole)}>" if not part else f"<{len(whole)}.{len(part)}>"
    if len(piece) == 1 and "a" <= piece <= "z":
        return LETTER
    return NAME if piece in NAMES_LOWER else piece


def questions(count: int, seed: int) -> Iterable[str]:
    """Training questions of the taught families, in their starting shares."""
    rng = random.Random(f"{seed}:scope")
    families = [f for f in FAMILIES if f != REFUSAL_FAMILY]
    weights = [FAMILIES[f][1] for f in families]
    for _ in range(count):
        problem = make_problem(rng.choices(families, weights)[0], rng)
        if problem_split(problem.key) == "train":
            yield problem.question


def scope_of(questions: Iterable[str], least: int = 3) -> dict[str, object]:
    """`kinds` (sorted), `largest` number in questions with each of them, `together`: bits of the upper triangle."""
    counts: Counter[str] = Counter()
    largest: dict[str, float] = {}
    pairs: Counter[tuple[str, str]] = Counter()
    longest: list[int] = []
    for question in questions:
        found = pieces(question)
        longest.append(len(found))
        kinds = sorted({kind_of(p) for p in found})
        counts.update(kinds)
        numbers = [float(p) for p in found if p[0].isdigit()]
        for index, kind in enumerate(kinds):
            largest[kind] = max([largest.get(kind, 0.0), *numbers])
            for other in kinds[index + 1 :]:
                pairs[kind, other] += 1
    kept = sorted(kind for kind, count in counts.items() if count >= least)
    bits = bytearray((len(kept) * (len(kept) - 1) // 2 + 7) // 8)
    at = 0
    for index, kind in enumerate(kept):
        for other in kept[index + 1 :]:
            if pairs[kind, other]:
                bits[at >> 3] |= 1 << (at & 7)
            at += 1
    return {"kinds": kept, "largest": [largest[k] for k in kept], "together": base64.b64encode(bytes(bits)).decode(), "longest": max(longest)}
