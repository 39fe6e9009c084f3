"""Quadratic equations with whole-number roots, by the discriminant."""

from __future__ import annotations

import random

from .notation import plus, polynomial, signed, written
from .problem import Problem, canonical_key, solved
from .wording import asked_to_solve, careless


def make_quadratic(rng: random.Random) -> Problem:
    letter = rng.choice(["x"] * 9 + ["y", "t", "n"])
    lead = rng.choices([1, 2, 3, -1, 4, 5, -2, 6, 10], [66, 9, 5, 6, 3, 4, 2, 2, 3])[0]
    reach = 12 if rng.random() < 0.5 else 20
    low, high = sorted([rng.randint(-reach, reach), rng.randint(-reach, reach)])
    if rng.random() < 0.06:
        low, high = -abs(high), abs(high)
    if low == high == 0:
        low = -3
    b, c = -lead * (low + high), lead * low * high
    lines = []
    if lead != 1:
        lines.append(f"Divide by ${lead}$: ${polynomial([1, b // lead, c // lead], letter)}=0$")
    p, q = b // lead, c // lead
    if q == 0:
        lines.append(f"${letter}({letter}{plus(p)})=0$")
    elif p == 0:
        lines += [f"${letter}^2={-q}$", f"$\\sqrt{{{-q}}}={high}$"]
    else:
        square, four = p * p, 4 * q
        lines += [f"$D={signed(p)}^2-4\\cdot{signed(q)}$", f"$D={square}{plus(-four)}={square - four}$"]
        if low != high:
            root = high - low
            lines += [f"$\\sqrt{{{root * root}}}={root}$", f"$({-p}-{root})\\div2={-p - root}\\div2={low}$", f"$({-p}+{root})\\div2={-p + root}\\div2={high}$"]
        else:
            lines.append(f"${-p}\\div2={low}$")
    answer = f"{letter} = {low}" if low == high else f"{letter} = {low}, {letter} = {high}"
    chance = rng.random()
    if p == 0 and chance < 0.6:
        formula = f"{polynomial([lead, 0, 0], letter)}={-c}"
    elif chance < 0.12 and c:
        formula = f"{polynomial([lead, b, 0], letter)}={-c}"
        if lead == 1:
            lines.insert(0, f"${polynomial([1, b, c], letter)}=0$")
    else:
        formula = f"{polynomial([lead, b, c], letter)}=0"
    question = asked_to_solve(written(formula.replace("^2", "^{2}"), rng), letter, rng)
    if rng.random() < 0.08:
        question = rng.choice(["Find the roots of {}.", "roots of {}", "Solve the quadratic equation {}.", "Find all solutions of {}."]).replace("{}", written(formula.replace("^2", "^{2}"), rng), 1)
    return Problem("quadratics", canonical_key("quadratics", "quadratic", lead, b, c), careless(question, rng), solved(lines, answer), answer)
