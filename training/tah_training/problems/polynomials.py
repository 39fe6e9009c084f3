"""Polynomials: expand, evaluate, differentiate."""

from __future__ import annotations

import random

from .notation import plus, polynomial, signed, term, written
from .problem import Problem, canonical_key, solved
from .wording import careless


def _nonzero(low: int, high: int, rng: random.Random) -> int:
    return rng.choice([v for v in range(low, high + 1) if v])


def _power(letter: str, exponent: int) -> str:
    return "" if exponent == 0 else letter if exponent == 1 else f"{letter}^{exponent}"


def _fill(phrases: list[str], rng: random.Random, formula: str, **more: object) -> str:
    text = rng.choice(phrases).replace("{f}", formula)
    for name, value in more.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def _expand(rng: random.Random, letter: str) -> tuple[str, list[object], list[str], str, str]:
    if rng.random() < 0.25:
        a, b, c = _nonzero(-9, 12, rng), _nonzero(-9, 9, rng), _nonzero(-12, 12, rng)
        a = a if a != 1 else 3
        first = f"{term(a)}({term(b, letter)}{plus(c)})"
        lines = [f"${a}\\cdot{signed(b) if abs(b) == 1 else ''}{'' if abs(b) == 1 else f'({b}{letter})' if b < 0 else f'{b}{letter}'}={term(a * b, letter)}$"]
        if abs(b) == 1:
            lines = [f"${a}\\cdot{letter if b == 1 else f'(-{letter})'}={term(a * b, letter)}$"]
        lines.append(f"${a}\\cdot{signed(c)}={a * c}$")
        return first, ["distribute", a, b, c], lines, polynomial([a * b, a * c], letter), "expand"
    a = rng.choice([1, 1, 1, 2, 3, 4, 5])
    b = _nonzero(-9, 9, rng)
    if rng.random() < 0.2:
        c, d, formula = a, b, f"({term(a, letter)}{plus(b)})^{{2}}"
    else:
        c, d = rng.choice([1, 1, 1, 2, 3, 4]), _nonzero(-9, 9, rng)
        formula = f"({term(a, letter)}{plus(b)})({term(c, letter)}{plus(d)})"
    ax, cx = term(a, letter), term(c, letter)
    lines = [f"${ax}\\cdot{cx}={term(a * c, f'{letter}^2')}$", f"${ax}\\cdot{signed(d)}={term(a * d, letter)}$", f"${b}\\cdot{cx}={term(b * c, letter)}$",
             f"${b}\\cdot{signed(d)}={b * d}$", f"${term(a * d, letter)}{plus(b * c, letter)}={term(a * d + b * c, letter) or '0'}$"]
    return formula, ["product", *sorted([[a, b], [c, d]])], lines, polynomial([a * c, a * d + b * c, b * d], letter), "expand"


def make_polynomial(rng: random.Random) -> Problem:
    letter = rng.choice(["x"] * 8 + ["t", "y", "a", "n"])
    kind = rng.choices(["expand", "evaluate", "differentiate"], [40, 32, 28])[0]
    if kind == "expand":
        formula, parts, lines, answer, _ = _expand(rng, letter)
        phrases = ["Expand {f}.", "expand {f}", "Multiply out {f}.", "Expand and simplify {f}.", "{f}", "Expand the brackets: {f}", "multiply out {f}", "expand brackets {f}", "Remove the brackets: {f}", "Write {f} without brackets."]
        question = _fill(phrases, rng, written(formula, rng))
    elif kind == "evaluate":
        degree = rng.choice([2, 2, 2, 3, 1])
        coefficients = [_nonzero(-4, 6, rng)] + [rng.randint(-9, 9) for _ in range(degree)]
        at = rng.choice([rng.randint(-5, 6), rng.randint(1, 9)]) if degree < 3 else rng.randint(-3, 4)
        formula = polynomial(coefficients, letter)
        lines, values = [], []
        for index, value in enumerate(coefficients):
            power = degree - index
            if value == 0:
                continue
            result = value * at**power
            if power > 1:
                lines.append(f"${signed(at)}^{power}={at ** power}$")
            if power >= 1 and value != 1:
                lines.append(f"${value}\\cdot{signed(at ** power)}={result}$")
            values.append(result)
        total = values[0]
        for value in values[1:]:
            lines.append(f"${total}{plus(value) or '+0'}={total + value}$")
            total += value
        lines = lines or [f"${letter}={at}$"]
        answer, parts = str(total), [coefficients, at]
        shown = written(formula.replace("^2", "^{2}").replace("^3", "^{3}"), rng)
        phrases = ["Evaluate {f} for {v} = {k}.", "Evaluate {f} at {v} = {k}", "Find the value of {f} when {v} = {k}.", "{f} for {v}={k}", "What is {f} if {v} = {k}?", "{f}, {v}={k}",
                   "Let p({v}) = {f}. Find p({k}).", "f({v}) = {f}, find f({k})", "f({v})={f}, f({k})=?", "Calculate {f} for {v} = {k}.", "{f} at {v} = {k}", "if {v} = {k} what is {f}", "Substitute {v} = {k} into {f}."]
        question = _fill(phrases, rng, shown, v=letter, k=at)
    else:
        degree = rng.choice([2, 2, 3, 3, 4])
        coefficients = [_nonzero(-9, 9, rng)] + [rng.choice([0, rng.randint(-12, 12), rng.randint(-12, 12)]) for _ in range(degree)]
        formula = polynomial(coefficients, letter)
        lines = []
        for index, value in enumerate(coefficients):
            power = degree - index
            if value:
                lines.append(f"$({term(value, _power(letter, power))})'={term(value * power, _power(letter, power - 1)) if power else 0}$")
        answer, parts = polynomial([v * (degree - i) for i, v in enumerate(coefficients[:-1])], letter), [coefficients]
        shown = written(formula.replace("^2", "^{2}").replace("^3", "^{3}").replace("^4", "^{4}"), rng)
        phrases = ["Differentiate {f}.", "differentiate {f}", "Find the derivative of {f}.", "derivative of {f}", "What is the derivative of {f}?", "d/d{v} {f}", "d/d{v} ({f})", "Differentiate {f} with respect to {v}.",
                   "f({v}) = {f}, find f'({v})", "Find f'({v}) if f({v}) = {f}.", "({f})'", "$\\frac{d}{d{v}}$ {f}", "Derive {f}"]
        question = _fill(phrases, rng, shown, v=letter)
    return Problem("polynomials", canonical_key("polynomials", kind, *parts), careless(question, rng), solved(lines, answer), answer)
