"""Powers, roots, and small combinations of them."""

from __future__ import annotations

import random

from .arithmetic import added_lines, product_lines, product_steps, subtracted_lines
from .notation import number_words, written
from .problem import Problem, canonical_key, solved
from .wording import asked, careless


def power_lines(base: int, exponent: int) -> list[str]:
    """Repeated multiplication, a power a line; squares of two digits by partial products."""
    if exponent == 2:
        return [f"${base}^2={base}\\cdot{base}$", *product_lines(base, base)] if base > 12 else [f"${base}^2={base ** 2}$"]
    lines = [f"${base}^2={base ** 2}$"]
    for power in range(3, exponent + 1):
        lines.append(f"${base}^{power}={base ** (power - 1)}\\cdot{base}={product_steps(base ** (power - 1), base)}$")
    return lines


def root_lines(square: int) -> list[str]:
    """Square root between two tens, then the one whose last digit fits."""
    root = round(square**0.5)
    if root <= 12:
        return [f"${root}^2={square}$", f"$\\sqrt{{{square}}}={root}$"]
    low = root // 10 * 10
    lines = [f"${low}^2={low * low}$", f"${low + 10}^2={(low + 10) ** 2}$"]
    return [*lines, f"${root}^2={square}$", f"$\\sqrt{{{square}}}={root}$"]


def _power_pair(rng: random.Random) -> tuple[int, int]:
    while True:
        base, exponent = rng.randint(2, 12), rng.choice([2, 2, 3, 3, 4, 4, 5, 6, 7])
        if base**exponent <= 2500:
            return base, exponent


def make_power(rng: random.Random) -> Problem:
    kind = rng.choices(["power", "root", "pair", "mixed", "surd", "cube root", "product"], [22, 14, 22, 18, 12, 4, 8])[0]
    question = ""
    if kind == "power":
        base, exponent = _power_pair(rng) if rng.random() < 0.6 else (rng.randint(11, 99), 2)
        if rng.random() < 0.1:
            base, exponent = rng.randint(2, 5), rng.randint(4, 6)
        if rng.random() < 0.2:
            name = number_words(base) if base < 13 and rng.random() < 0.4 else str(base)
            named = {2: f"{name} squared", 3: f"{name} cubed"}.get(exponent, f"{name} to the power of {exponent}")
            question = asked(named, rng, ["What is {}?", "{}", "Calculate {}.", "compute {}", "{} = ?"])
        formula, answer, lines, parts = f"{base}^{{{exponent}}}", str(base**exponent), power_lines(base, exponent), [base, exponent]
    elif kind == "root":
        root = rng.randint(2, 60)
        formula, answer, lines, parts = f"\\sqrt{{{root * root}}}", str(root), root_lines(root * root), [root * root]
        if rng.random() < 0.3:
            question = asked(f"square root of {root * root}", rng, ["What is the {}?", "{}", "Find the {}.", "the {}", "calculate the {}"])
    elif kind == "cube root":
        root = rng.randint(2, 12)
        formula, answer, parts = f"\\sqrt[3]{{{root ** 3}}}", str(root), [root**3]
        lines = [f"${root}^3={root ** 3}$", f"$\\sqrt[3]{{{root ** 3}}}={root}$"]
        if rng.random() < 0.4:
            question = asked(f"cube root of {root ** 3}", rng, ["What is the {}?", "{}", "Find the {}."])
    elif kind == "pair":
        (a, m), (b, n) = _power_pair(rng), _power_pair(rng)
        sign = rng.choice("++-")
        if sign == "-" and a**m < b**n:
            a, m, b, n = b, n, a, m
        result = a**m + b**n if sign == "+" else a**m - b**n
        lines = [*power_lines(a, m), *power_lines(b, n), *(added_lines if sign == "+" else subtracted_lines)(a**m, b**n)]
        formula, answer, parts = f"{a}^{{{m}}}{sign}{b}^{{{n}}}", str(result), [a, m, sign, b, n]
    elif kind == "mixed":
        factor, root, rest = rng.randint(1, 9), rng.randint(2, 12), rng.randint(0, 30)
        sign = rng.choice("+-")
        value = factor * root
        result = value + rest if sign == "+" else value - rest
        lines = [f"$\\sqrt{{{root * root}}}={root}$"]
        if factor > 1:
            lines.append(f"${factor}\\cdot{root}={value}$")
        if rest:
            lines.append(f"${value}{sign}{rest}={result}$")
        middle = rng.choice(["", "\\cdot"]) if factor > 1 else ""
        formula = (f"{factor}{middle}" if factor > 1 else "") + f"\\sqrt{{{root * root}}}" + (f"{sign}{rest}" if rest else "")
        answer, parts = str(result), [factor, root, sign if rest else "", rest]
    elif kind == "surd":
        inner, factor = rng.choice([2, 3, 5, 6, 7, 10, 11, 13, 14, 15]), rng.randint(2, 9)
        square = factor * factor
        formula, answer, parts = f"\\sqrt{{{inner * square}}}", f"{factor}\\sqrt{{{inner}}}", [inner * square]
        lines = [f"${inner * square}={square}\\cdot{inner}$", f"$\\sqrt{{{square}}}={factor}$"]
        question = asked(written(formula, rng), rng, ["Simplify {}.", "simplify {}", "Simplify the root {}", "{}", "Write {} in simplest form."])
    else:
        a, b = rng.randint(2, 5), rng.randint(2, 9)
        m, n = rng.choice([2, 3]), rng.choice([1, 2])
        left, right = a**m, b**n
        if right > 12 and left > 12:
            b, right = rng.randint(2, 3), 0
            right = b**n
        lines = [*power_lines(a, m), *(power_lines(b, n) if n > 1 else []), *product_lines(left, right)]
        formula, answer, parts = f"{a}^{{{m}}}\\cdot{b}" + (f"^{{{n}}}" if n > 1 else ""), str(left * right), [a, m, b, n]
    question = question or asked(written(formula, rng), rng)
    return Problem("powers", canonical_key("powers", kind, *parts), careless(question, rng), solved(lines, answer), answer)
