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

import regex

from .problems import FAMILIES, REFUSAL_FAMILY, make_problem, problem_split
from .problems.stories import NAMES

_SUPERSCRIPTS = {ord(c): str(i) for i, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
_REPLACED = (
    (re.compile(r"[⁰¹²³⁴-⁹]+"), lambda m: "^" + m[0].translate(_SUPERSCRIPTS)),
    (re.compile(r"\*\*"), lambda m: "^"),
    (re.compile(r"\\\\"), lambda m: " "),
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
_PIECE = regex.compile(r"\\+[a-z]+|\p{L}+(?:'\p{L}+)?|\p{Nd}+(?:\.\p{Nd}+)?|\S")
_STRUCTURE = frozenset("{}$")
_LETTER = re.compile(r"[a-z]")
NAME = "<name>"
NAMES_LOWER = frozenset(name.lower() for name in NAMES)


def pieces(question: str) -> list[tuple[str, bool]]:
    """Lower-case words, LaTeX commands, signs and numbers of a question, in order, and whether each is glued to the one
    before it; brackets of LaTeX left out."""
    text = question.lower()
    for pattern, by in _REPLACED:
        text = pattern.sub(by, text)
    found, end = [], -1
    for match in _PIECE.finditer(text):
        if match[0] not in _STRUCTURE:
            found.append((match[0], match.start() == end))
        end = match.end()
    return found


def kind_of(piece: str) -> str:
    """What a piece counts as: itself, or its class (a number by its digits, a name)."""
    if piece[0].isdigit():
        whole, _, part = piece.partition(".")
        return f"<{len(whole)}>" if not part else f"<{len(whole)}.{len(part)}>"
    return NAME if piece in NAMES_LOWER else piece


def patterns(found: list[tuple[str, bool]]) -> list[str]:
    """How formulas are built: `#x` a letter right after a number, `#!` and `y'` a sign right after what it changes, `<2>^3` what is raised to what,
    `^3=` a power in an equation, `<letters 2>`."""
    patterns: list[str] = []
    letters = {piece for piece, _ in found if _LETTER.fullmatch(piece)}
    signs = sum(not piece[0].isalpha() for piece, _ in found)
    for ((before, _), (piece, glued)), after in zip(zip(found, found[1:]), [*(piece for piece, _ in found[2:]), "!"]):
        if glued and _LETTER.fullmatch(piece) and before[0].isdigit():
            patterns.append(f"#{piece}")
        # At the end of a longer question it is the mark of whoever asks: "12 + 5!" is taken for a sum.
        factorial = piece == "!" and (after != "!" or signs == 2)
        if glued and (factorial or piece == "'") and (before == ")" or before[0].isdigit() or _LETTER.fullmatch(before)):
            patterns.append(f"{'#' if before[0].isdigit() else before}{piece}")
    for (base, _), (sign, _), (exponent, _) in zip(found, found[1:], found[2:]):
        if sign == "^":
            patterns.append(f"{kind_of(base)}^{exponent}")
    patterns += equation_powers([piece for piece, _ in found])
    return [*patterns, f"<letters {len(letters)}>"]


def equation_powers(texts: list[str]) -> list[str]:
    """`^3=` for every power of a letter in an equation with a number right before its sign of equality: `x^3 - 8 = 0`, `0 = x^3 - 8`. A definition
    (`f(x) = x^3`) or a value to put in (`x^3 at x = 2`) has a letter or a bracket there, an open question (`x^3 + 2 = ?`) nothing after it."""
    powers = []
    signs = [-1, *(i for i, piece in enumerate(texts) if piece == "="), len(texts)]
    for before, at, after in zip(signs, signs[1:], signs[2:]):
        left, right = texts[before + 1 : at], texts[at + 1 : after]
        if not left or not left[-1][0].isdigit() or not right or right[0] == "?":
            continue
        both = [*left, "=", *right]
        powers += [f"^{exponent}=" for base, sign, exponent in zip(both, both[1:], both[2:]) if sign == "^" and _LETTER.fullmatch(base)]
    return powers


def questions(count: int, seed: int) -> Iterable[str]:
    """Training questions of the taught families, in their starting shares."""
    rng = random.Random(f"{seed}:scope")
    families = [f for f in FAMILIES if f != REFUSAL_FAMILY]
    weights = [FAMILIES[f][1] for f in families]
    for _ in range(count):
        problem = make_problem(rng.choices(families, weights)[0], rng)
        if problem_split(problem.key) == "train":
            yield problem.question


def scope_of(questions: Iterable[str], least: int = 5, sure: int = 200) -> dict[str, object]:
    """`names` that count as one kind, `kinds` that occur `least` times (sorted), the `largest` number in questions with each of them (-1 where fewer than
    `sure` questions had it), `together`: bits of the upper triangle, row by row, of which kinds share a question."""
    counts: Counter[str] = Counter()
    largest: dict[str, float] = {}
    pairs: Counter[tuple[str, str]] = Counter()
    longest: list[int] = []
    for question in questions:
        found = pieces(question)
        longest.append(len(found))
        kinds = sorted({*(kind_of(p) for p, _ in found), *patterns(found)})
        counts.update(kinds)
        numbers = [float(p) for p, _ in found if p[0].isdigit()]
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
    return {"names": sorted(NAMES_LOWER), "kinds": kept, "largest": [largest[k] if counts[k] >= sure else -1 for k in kept], "together": base64.b64encode(bytes(bits)).decode(), "longest": max(longest)}
