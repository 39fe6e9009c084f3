"""Linear equations in one unknown, and systems of two."""

from __future__ import annotations

import math
import random
from dataclasses import replace

from .fractions import fraction_text
from .notation import number_words, plus, signed, term, written
from .problem import Problem, canonical_key, solved
from .wording import asked_to_solve, careless

_LETTERS = ["x"] * 12 + ["y", "n", "t", "a", "z", "m", "k"]


def _nonzero(low: int, high: int, rng: random.Random) -> int:
    return rng.choice([v for v in range(low, high + 1) if v])


def last_steps(factor: int, right: int, letter: str) -> tuple[list[str], str]:
    """From `factor*letter = right` to the solution."""
    if factor == 1:
        return [], str(right)
    line = f"Divide by ${factor}$: ${letter}={signed_division(right, factor)}$"
    if right % factor == 0:
        return [line], str(right // factor)
    divisor = math.gcd(right, factor)
    top, bottom = (right // divisor, factor // divisor) if factor > 0 else (-right // divisor, -factor // divisor)
    return [line], fraction_text(top, bottom)


def signed_division(right: int, factor: int) -> str:
    return f"{right}\\div{signed(factor)}"


def _moved(factor: int, added: int, right: int, letter: str) -> list[str]:
    """Lines from `factor*letter + added = right` to `factor*letter = value`; nothing where added is 0."""
    if added == 0:
        return []
    return [f"{_moving(added)}: ${term(factor, letter)}={right}{plus(-added)}$", f"${term(factor, letter)}={right - added}$"]


def _moving(added: int) -> str:
    """What is done on both sides, in words."""
    return f"Subtract ${added}$" if added > 0 else f"Add ${-added}$"


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
        lines = [] if b == 0 else [f"{_moving(b)}: ${left}={c}{plus(-b)}$", f"${left}={value}$"]
        lines.append(f"Multiply by ${a}$: ${letter}={value}\\cdot{a}$")
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
    problem = _problem("linear", "linear", [a, b, c], formula, letter, lines + more, value, rng)
    if a > 1 and abs(b) < 100 and 0 <= c < 100 and rng.random() < 0.06:
        return replace(problem, question=careless(_in_words(a, b, c, letter, rng), rng))
    return problem


def _in_words(a: int, b: int, c: int, letter: str, rng: random.Random) -> str:
    """The equation a*letter + b = c as it is spoken."""
    spell = number_words if rng.random() < 0.5 else str
    left = f"{spell(a)} times {letter}" + ("" if b == 0 else f" {'plus' if b > 0 else 'minus'} {spell(abs(b))}")
    return rng.choice(["Solve {0} equals {1}.", "{0} equals {1}", "{0} is {1}, find {2}", "If {0} is {1}, what is {2}?", "{0} equals {1}, {2}=?"]).format(left, spell(c), letter)


def make_linear_both(rng: random.Random) -> Problem:
    """a*x + b = c*x + d; brackets: a*(x + b) = c, a*(x + b) = c*x + d; fractions."""
    letter = rng.choice(_LETTERS)
    kind = rng.choices(["both", "bracket", "bracket both", "fraction"], [42, 18, 16, 24])[0]
    if kind == "fraction":
        return _with_fractions(letter, rng)
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
        lines.append(f"Expand: ${term(a, letter)}{plus(b)}={d}$")
    else:
        a, b, c = rng.randint(2, 9), _nonzero(-9, 9, rng), _nonzero(-6, 9, rng)
        while a == c:
            c = _nonzero(-6, 9, rng)
        d = a * (value + b) - c * value
        formula, parts = f"{a}({letter}{plus(b)})={term(c, letter)}{plus(d)}", [a, b, c, d]
        b = a * b
        lines.append(f"Expand: ${term(a, letter)}{plus(b)}={term(c, letter)}{plus(d)}$")
    more, result = _both_sides(a, b, c, d, letter)
    return _problem("linear_both", kind, list(parts), formula, letter, lines + more, result, rng)


def _both_sides(a: int, b: int, c: int, d: int, letter: str) -> tuple[list[str], str]:
    """From a*x + b = c*x + d to the solution."""
    factor, right = a - c, d - b
    if c:
        lines = [f"Collect terms: ${term(a, letter)}{plus(-c, letter)}={d}{plus(-b)}$", f"${term(factor, letter)}={right}$"]
    else:
        lines = _moved(a, b, d, letter)
    more, result = last_steps(factor, right, letter)
    return lines + more, result


def _over(top: int, letter: str, bottom: int) -> str:
    return term(top, letter) if bottom == 1 else f"\\frac{{{term(top, letter)}}}{{{bottom}}}"


def _with_fractions(letter: str, rng: random.Random) -> Problem:
    """(p*x + b)/a = c, p*x/q = c, x/a + b = x/c + d, x/a + x/c = d: first multiplied by the common denominator."""
    kind = rng.choice(["over", "times", "two", "sum"])
    if kind == "over":
        a, p, b = rng.randint(2, 9), rng.choice([1, 1, 2, 3, 4, 5]), _nonzero(-12, 12, rng)
        value = rng.choice([v for v in range(-30, 41) if (p * v + b) % a == 0] or [0])
        if (p * value + b) % a:
            p, value = 1, a * rng.randint(-4, 5) - b
        c = (p * value + b) // a
        formula, parts = f"\\frac{{{term(p, letter)}{plus(b)}}}{{{a}}}={c}", [p, b, a, c]
        lines, (more, result) = [f"Multiply by ${a}$: ${term(p, letter)}{plus(b)}={a * c}$"], _both_sides(p, b, 0, a * c, letter)
    elif kind == "times":
        p, q = rng.choice([(p, q) for p in range(1, 8) for q in range(2, 10) if math.gcd(p, q) == 1])
        c = p * _nonzero(-9, 12, rng)
        formula, parts = f"{_over(p, letter, q)}={c}", [p, q, c]
        lines, (more, result) = [f"Multiply by ${q}$: ${term(p, letter)}={c * q}$"], last_steps(p, c * q, letter)
    else:
        a, c = rng.sample([2, 3, 4, 5, 6, 8], 2)
        m = math.lcm(a, c)
        sign = rng.choice([1, -1]) if kind == "sum" else 1
        factor = m // a + sign * (m // c) if kind == "sum" else m // a - m // c
        # The unknown is a multiple of what keeps the right side whole.
        value = m // math.gcd(m, factor) * _nonzero(-4, 5, rng)
        if kind == "sum":
            d = value * factor // m
            formula, parts = f"{_over(1, letter, a)}{'+' if sign > 0 else '-'}{_over(1, letter, c)}={d}", [a, sign, c, d]
            lines = [f"Multiply by ${m}$: ${term(m // a, letter)}{plus(sign * (m // c), letter)}={m * d}$", f"${term(factor, letter)}={m * d}$"]
            more, result = last_steps(factor, m * d, letter)
        else:
            b = rng.randint(-9, 9)
            d = value * factor // m + b
            formula, parts = f"{_over(1, letter, a)}{plus(b)}={_over(1, letter, c)}{plus(d)}", [a, b, c, d]
            lines = [f"Multiply by ${m}$: ${term(m // a, letter)}{plus(m * b)}={term(m // c, letter)}{plus(m * d)}$"]
            more, result = _both_sides(m // a, m * b, m // c, m * d, letter)
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
