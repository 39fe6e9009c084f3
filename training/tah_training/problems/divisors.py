"""Greatest common divisor and least common multiple, by Euclid's steps."""

from __future__ import annotations

import random

from .arithmetic import product_lines, quotient_parts
from .problem import Problem, canonical_key, solved
from .wording import asked, careless


def euclid_lines(left: int, right: int) -> tuple[list[str], int]:
    """A division with remainder a line, the larger number first, until nothing is left."""
    left, right = max(left, right), min(left, right)
    lines = []
    while right:
        lines.append(f"${left}\\div{right}$: {', '.join(quotient_parts(left, right))}")
        left, right = right, left % right
    return lines, left


def make_divisor(rng: random.Random) -> Problem:
    kind = rng.choice(["gcd", "gcd", "lcm"])
    factor = rng.choice([1, 2, 3, 4, 5, 6, 8, 9, 10, 12])
    if kind == "gcd":
        a, b = factor * rng.randint(1, max(2, 150 // factor)), factor * rng.randint(1, max(2, 150 // factor))
    else:
        factor = rng.choice([1, 1, 2, 3, 4, 5, 6])
        a, b = factor * rng.randint(1, max(2, 40 // factor)), factor * rng.randint(1, max(2, 40 // factor))
    a, b = max(a, 2), max(b, 2)
    lines, divisor = euclid_lines(a, b)
    pair = rng.choice([f"{a} and {b}", f"{a} and {b}", f"{a}, {b}"])
    if kind == "gcd":
        answer = str(divisor)
        names = ["gcd", "GCD", "greatest common divisor", "greatest common factor", "gcf", "hcf", "highest common factor"]
        latex = f"\\gcd({a},{b})"
    else:
        answer = str(a * b // divisor)
        larger, smaller = max(a, b), min(a, b)
        lines = [*lines, f"${smaller}\\div{divisor}={smaller // divisor}$", *product_lines(larger, smaller // divisor)]
        names = ["lcm", "LCM", "least common multiple", "lowest common multiple", "smallest common multiple"]
        latex = f"\\operatorname{{lcm}}({a},{b})" if rng.random() < 0.5 else f"\\text{{lcm}}({a}, {b})"
    name = rng.choice(names)
    chance = rng.random()
    if chance < 0.25:
        question = asked(rng.choice([f"{rng.choice(names[:2])}({a}, {b})", f"{rng.choice(names[:2])}({a},{b})", f"${latex}$", latex]), rng)
    else:
        question = asked(f"{name} of {pair}", rng, ["What is the {}?", "Find the {}.", "{}", "the {}", "what is the {}", "Calculate the {}.", "find {}", "Determine the {}"])
    return Problem("gcd_lcm", canonical_key("gcd_lcm", kind, *sorted([a, b])), careless(question, rng), solved(lines, answer), answer)
