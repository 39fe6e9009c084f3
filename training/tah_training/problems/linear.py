"""Linear equations in one unknown, and systems of two."""

from __future__ import annotations

import math
import random

from .fractions import fraction_text
from .notation import plus, signed, term, written
from .problem import Problem, canonical_key, solved
from .wording import asked_to_solve, careless

_LETTERS = ["x"] * 12 + ["y", "n", "t", "a", "z", "m", "k"]


def _nonzero(low: int, high: int, rng: random.Random) -> int:
    return rng.choice([v for v in range(low, high + 1) if v])


def last_steps(factor: int, right: int, letter: str) -> tuple[list[str], str]:
    """From `factor*letter = right` to the solution."""
    if factor == 1:
        return [], str(right)
    if right % factor == 0:
        return [f"${letter}={signed_division(right, factor)}$"], str(right // factor)
    divisor = math.gcd(right, factor)
    top, bottom = (right // divisor, factor // divisor) if factor > 0 else (-right // divisor, -factor // divisor)
    return [f"${letter}={signed_division(right, factor)}$"], fraction_text(top, bottom)


def signed_division(right: int, factor: int) -> str:
    return f"{right}\\div{signed(factor)}"


def _moved(factor: int, added: int, right: int, letter: str) -> list[str]:
    """Lines from `factor*letter + added = right` to `factor*letter = value`; nothing where added is 0."""
    if added == 0:
        return []
    return [f"${term(factor, letter)}={right}{plus(-added)}$", f"${term(factor, letter)}={right - added}$"]


def _problem(family: str, kind: str, parts: list[object], formula: str, letter: str, lines: list[str], value: str, rng: random.Random) -> Problem:
    question = asked_to_solve(written(formula, rng), letter, rng)
    answer = f"{letter} = {value}"
    return Problem(family, canonical_key(family, kind, *parts), careless(question, rng), solved(lines, answer), answer)


def make_linear(rng: random.Random) -> Problem:
    """a*x + b = c, x/a + b = c, b - a*x = c."""
    letter = rng.choice(_LETTERS)
    if rng.random() < 0.14:
        a, b, value = rng.randint(2, 12), rng.randint(-20, 20), rng.randint(-12, 12)
        c = value + b
        left = f"\\frac{{{letter}}}{{{a}}}"
        lines = [] if b == 0 else [f"${left}={c}{plus(-b)}$", f"${left}={value}$"]
        lines.append(f"${letter}={value}\\cdot{a}$")
        return _problem("linear", "quotient", [a, b, c], f"{left}{plus(b)}={c}", letter, lines, str(value * a), rng)
    a = rng.randint(1, 12) if rng.random() < 0.8 else -rng.randint(1, 9)
    b = rng.randint(-30, 30) if rng.random() < 0.92 else 0
    if a == 1 and b == 0:
        b = 7
    if rng.random() < 0.14:
        c = rng.randint(-30, 40)
    else:
        c = a * rng.randint(-12, 15) + b
    lines = _moved(a, b, c, letter)
    more, value = last_steps(a, c - b, letter)
    chance = rng.random()
    if b and chance < 0.12:
        formula = f"{b}{plus(a, letter)}={c}"
    elif chance < 0.2:
        formula = f"{c}={term(a, letter)}{plus(b)}"
    elif chance < 0.25 and abs(a) > 1:
        formula = f"{a}\\cdot {letter}{plus(b)}={c}"
    else:
        formula = f"{term(a, letter)}{plus(b)}={c}"
    return _problem("linear", "linear", [a, b, c], formula, letter, lines + more, value, rng)


def make_linear_both(rng: random.Random) -> Problem:
    """a*x + b = c*x + d, and brackets: a*(x + b) = c, a*(x + b) = c*x + d."""
    letter = rng.choice(_LETTERS)
    kind = rng.choices(["both", "bracket", "bracket both"], [55, 25, 20])[0]
    value = rng.randint(-12, 12)
    lines: list[str] = []
    if kind == "both":
        a, c = _nonzero(-6, 12, rng), _nonzero(-6, 9, rng)
        while a == c:
            c = _nonzero(-6, 9, rng)
        b = rng.randint(-20, 20)
        d = (a - c) * value + b if rng.random() < 0.88 else rng.randint(-20, 20)
        formula, parts = f"{term(a, letter)}{plus(b)}={term(c, letter)}{plus(d)}", [a, b, c, d]
    elif kind == "bracket":
        a, b = _nonzero(-6, 9, rng), _nonzero(-9, 12, rng)
        a = a if abs(a) > 1 else 2
        c, d = 0, a * (value + b)
        formula, parts = f"{a}({letter}{plus(b)})={d}", [a, b, d]
        b = a * b
        lines.append(f"${term(a, letter)}{plus(b)}={d}$")
    else:
        a, b, c = rng.randint(2, 9), _nonzero(-9, 9, rng), _nonzero(-6, 9, rng)
        while a == c:
            c = _nonzero(-6, 9, rng)
        d = a * (value + b) - c * value
        formula, parts = f"{a}({letter}{plus(b)})={term(c, letter)}{plus(d)}", [a, b, c, d]
        b = a * b
        lines.append(f"${term(a, letter)}{plus(b)}={term(c, letter)}{plus(d)}$")
    factor, right = a - c, d - b
    if c:
        lines.append(f"${term(a, letter)}{plus(-c, letter)}={d}{plus(-b)}$")
        lines.append(f"${term(factor, letter)}={right}$")
    else:
        lines += _moved(a, b, d, letter)
    more, result = last_steps(factor, right, letter)
    return _problem("linear_both", kind, list(parts), formula, letter, lines + more, result, rng)


def make_system(rng: random.Random) -> Problem:
    """a*x + b*y = e, c*x + d*y = f by elimination of the second unknown, one result a line."""
    p, q = rng.choice([("x", "y")] * 5 + [("a", "b"), ("m", "n"), ("u", "v")])
    while True:
        a, b, c, d = (_nonzero(-3, 6, rng) for _ in range(4))
        if a * d != b * c:
            break
    x, y = rng.randint(-6, 9), rng.randint(-6, 9)
    e, f = a * x + b * y, c * x + d * y
    determinant, right = a * d - c * b, e * d - f * b
    lines = []
    if b == d:
        lines.append("Subtract the equations:")
    else:
        lines.append(f"Multiply by ${d}$ and ${b}$:")
        lines += [f"${term(a * d, p)}{plus(b * d, q)}={e * d}$", f"${term(c * b, p)}{plus(b * d, q)}={f * b}$"]
    if b == d:
        determinant, right = a - c, e - f
        lines += [f"${a}{plus(-c)}={determinant}$", f"${e}{plus(-f) or '-0'}={right}$"]
    else:
        lines += [f"${a * d}{plus(-c * b)}={determinant}$", f"${e * d}{plus(-f * b) or '-0'}={right}$"]
    if determinant != 1:
        lines.append(f"${term(determinant, p)}={right}$")
    lines += [f"${p}={x}$", f"${a}\\cdot{signed(x)}={a * x}$", f"${term(b, q)}={e}{plus(-a * x) or '-0'}$"]
    lines += [f"${term(b, q)}={e - a * x}$"] + ([f"${q}={y}$"] if b != 1 else [])
    first, second = f"{term(a, p)}{plus(b, q)}={e}", f"{term(c, p)}{plus(d, q)}={f}"
    state = rng.getstate()
    first_text = written(first, rng, wrap=False)
    rng.setstate(state)
    second_text = written(second, rng, wrap=False)
    ways = ["Solve {0}, {1}.", "{0}, {1}", "{0} and {1}", "Solve the system {0}, {1}.", "Solve: {0}; {1}", "{0}\n{1}", "Find {p} and {q}: {0}, {1}", "solve {0} and {1} for {p} and {q}",
            "If {0} and {1}, find {p} and {q}.", "Solve for {p} and {q}: {0} and {1}", "Solve ${0}$ and ${1}$.", "system of equations: {0}, {1}", "$\\begin{{cases}}{0}\\\\{1}\\end{{cases}}$"]
    question = rng.choice(ways).format(first_text, second_text, p=p, q=q)
    answer = f"{p} = {x}, {q} = {y}"
    return Problem("systems", canonical_key("systems", "system", *sorted([[a, b, e], [c, d, f]])), careless(question, rng), solved(lines, answer), answer)
