"""Percentages: a part, a share, an increase or a discount."""

from __future__ import annotations

import random

from .arithmetic import added_lines, product_lines, quotient_parts, subtracted_lines
from .problem import Problem, canonical_key, solved
from .wording import asked, careless


def hundredth(value: int) -> str:
    """Decimal text of value/100 without trailing zeros."""
    whole, rest = divmod(value, 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)


def part_lines(percent: int, whole: int) -> tuple[list[str], str]:
    """percent % of whole: multiply, then divide by 100."""
    product = percent * whole
    lines = [f"${percent}\\%$ of ${whole}$ is ${percent}\\cdot{whole}\\div100$", *product_lines(whole, percent)]
    return [*lines, f"${product}\\div100={hundredth(product)}$"], hundredth(product)


def share_lines(part: int, whole: int) -> list[str]:
    """100 times the part, divided by the whole; common zeros first."""
    value, by = part * 100, whole
    while value % 10 == 0 and by % 10 == 0:
        value, by = value // 10, by // 10
    lines = [f"${part}\\cdot100={part * 100}$"]
    if by != whole:
        lines.append(f"${part * 100}\\div{whole}={value}\\div{by}$")
    if by > 1 and value > 12 * by or by > 12:
        lines += quotient_parts(value, by)
    return [*lines, f"${value}\\div{by}={value // by}$"] if by > 1 else lines


def make_percentage(rng: random.Random) -> Problem:
    kind = rng.choices(["of", "share", "more", "less"], [56, 16, 14, 14])[0]
    sign = rng.choice(["%", "%", "%", " %", " percent", r"\%"])
    if kind == "share":
        whole = rng.choice([8, 10, 16, 20, 25, 40, 50, 60, 75, 80, 100, 120, 125, 150, 160, 200, 240, 250, 300, 400, 500])
        step = next(p for p in range(1, 101) if p * whole % 100 == 0)
        percent = step * rng.randint(1, 100 // step)
        part = percent * whole // 100
        phrases = [f"What percent of {whole} is {part}?", f"{part} is what percent of {whole}?", f"{part} out of {whole} as a percentage", f"What percentage is {part} of {whole}?",
                   f"{part} of {whole} in percent", f"how many percent of {whole} is {part}", f"Write {part}/{whole} as a percentage."]
        lines = share_lines(part, whole)
        answer = f"{percent}\\%"
        return Problem("percentages", canonical_key("percentages", "share", part, whole), careless(rng.choice(phrases), rng), solved(lines, answer), answer)
    if kind == "of":
        percent = rng.choice([5, 10, 15, 20, 25, 30, 40, 50, 60, 75, rng.randint(1, 99), rng.randint(1, 99)])
        whole = rng.choice([rng.randint(2, 99) * 10, rng.randint(11, 999), rng.randint(11, 99)])
    else:
        percent = rng.choice([5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 12, 8])
        whole = rng.choice([rng.randint(2, 99) * 10, rng.randint(1, 9) * 100, rng.randint(2, 49) * 20])
        if percent * whole % 100:
            whole = rng.randint(1, 9) * 100
    lines, part = part_lines(percent, whole)
    if kind == "of":
        phrases = ["What is {}?", "{}", "{}?", "Calculate {}.", "Find {}.", "how much is {}", "{} = ?", "Work out {}", "what's {}"]
        question, answer = asked(f"{percent}{sign} of {whole}", rng, phrases), part
    else:
        new = whole + int(part) if kind == "more" else whole - int(part)
        lines += added_lines(whole, int(part)) if kind == "more" else subtracted_lines(whole, int(part))
        if kind == "more":
            phrases = [f"Increase {whole} by {percent}{sign}.", f"{whole} plus {percent}{sign}", f"increase {whole} by {percent}{sign}", f"A price of {whole} rises by {percent}{sign}. What is the new price?", f"What is {whole} increased by {percent}{sign}?"]
        else:
            phrases = [f"Decrease {whole} by {percent}{sign}.", f"{whole} minus {percent}{sign}", f"reduce {whole} by {percent}{sign}", f"A price of {whole} falls by {percent}{sign}. What is the new price?", f"{whole} with a {percent}{sign} discount", f"What does an item of {whole} cost after a discount of {percent}{sign}?"]
        question, answer = rng.choice(phrases), str(new)
    return Problem("percentages", canonical_key("percentages", kind, percent, whole), careless(question, rng), solved(lines, answer), answer)
