"""Fractions: simplify, add, subtract, multiply, divide."""

from __future__ import annotations

import math
import random

from .notation import written
from .problem import Problem, canonical_key, solved
from .wording import asked, careless

_PRIMES = (2, 3, 5, 7, 11, 13)


def fraction_text(top: int, bottom: int) -> str:
    """LaTeX of top/bottom in lowest terms already; whole numbers as such, the minus in front."""
    if bottom == 1:
        return str(top)
    return ("-" if top < 0 else "") + f"\\frac{{{abs(top)}}}{{{bottom}}}"


def cancel_lines(top: int, bottom: int) -> tuple[list[str], int, int]:
    """Cancels one prime factor a line; a whole number ends as such."""
    lines = []
    while True:
        if top == 0:
            return [*lines, f"$\\frac{{0}}{{{bottom}}}=0$"] if bottom != 1 else lines, 0, 1
        prime = next((p for p in _PRIMES if top % p == 0 and bottom % p == 0), 0)
        if not prime:
            return lines, top, bottom
        top, bottom = top // prime, bottom // prime
        lines.append(f"Divide by ${prime}$: ${fraction_text(top, bottom)}$")


def _combined(a: int, b: int, c: int, d: int, sign: str) -> tuple[list[str], int, int]:
    """Worked lines of a/b (sign) c/d and the result in lowest terms."""
    lines = []
    if sign in "+-":
        common = math.lcm(b, d)
        top_left, top_right = a * common // b, c * common // d
        if b != d:
            lines.append(f"Common denominator: ${common}$")
            if common != b:
                lines.append(f"$\\frac{{{a}}}{{{b}}}=\\frac{{{top_left}}}{{{common}}}$")
            if common != d:
                lines.append(f"$\\frac{{{c}}}{{{d}}}=\\frac{{{top_right}}}{{{common}}}$")
        top = top_left + top_right if sign == "+" else top_left - top_right
        lines.append(f"${top_left}{sign}{top_right}={top}$")
        bottom = common
    else:
        if sign == "/":
            lines.append(f"$\\frac{{{a}}}{{{b}}}\\cdot\\frac{{{d}}}{{{c}}}$")
            c, d = d, c
        lines += [f"${a}\\cdot{c}={a * c}$", f"${b}\\cdot{d}={b * d}$"]
        top, bottom = a * c, b * d
    lines.append(f"${fraction_text(top, bottom) if bottom != 1 else top}$")
    more, top, bottom = cancel_lines(top, bottom)
    return lines + more, top, bottom


def make_fraction(rng: random.Random) -> Problem:
    kind = rng.choices(["+", "-", "*", "/", "simplify", "whole"], [26, 22, 18, 14, 14, 6])[0]
    if kind == "simplify":
        factor = rng.choice([2, 3, 4, 5, 6, 7, 8, 9, 10, 12])
        a, b = rng.randint(1, 15), rng.randint(2, 15)
        a, b = a * factor, b * factor
        lines, top, bottom = cancel_lines(a, b)
        phrases = ["Simplify {}.", "simplify {}", "Reduce {} to lowest terms.", "Simplify the fraction {}", "reduce {}", "{} in lowest terms", "Write {} in its simplest form.", "cancel {}"]
        question = asked(written(f"\\frac{{{a}}}{{{b}}}", rng), rng, phrases)
        answer = fraction_text(top, bottom)
        return Problem("fractions", canonical_key("fractions", "simplify", a, b), careless(question, rng), solved(lines, answer), answer)
    a, b, c, d = rng.randint(1, 9), rng.randint(2, 12), rng.randint(1, 9), rng.randint(2, 12)
    if kind == "whole":
        kind, d, c = rng.choice("+*"), 1, rng.randint(2, 9)
    elif kind in "+-" and rng.random() < 0.25:
        d = b
    lines, top, bottom = _combined(a, b, c, d, kind)
    sign = {"+": "+", "-": "-", "*": "\\cdot", "/": "\\div"}[kind]
    right = f"\\frac{{{c}}}{{{d}}}" if d > 1 else str(c)
    formula = written(f"\\frac{{{a}}}{{{b}}}{sign}{right}", rng)
    if kind in "/*" and d > 1 and "frac" not in formula:
        formula = f"({a}/{b}) {rng.choice(['/', '÷', ':']) if kind == '/' else rng.choice(['*', '×', '·'])} ({c}/{d})" if kind == "/" or rng.random() < 0.4 else formula
    if d > 1 and rng.random() < 0.12:
        word = {"+": ("plus",), "-": ("minus",), "*": ("times", "multiplied by"), "/": ("divided by",)}[kind]
        formula = f"{a}/{b} {rng.choice(word)} {c}/{d}"
    answer = fraction_text(top, bottom)
    key = sorted([[a, b], [c, d]]) if kind in "+*" else [[a, b], [c, d]]
    return Problem("fractions", canonical_key("fractions", kind, *key), careless(asked(formula, rng), rng), solved(lines, answer), answer)
