"""Sums, differences, products, divisions, and expressions with precedence."""

from __future__ import annotations

import random

from .notation import number_words, signed, written
from .problem import Problem, canonical_key, solved
from .wording import asked, careless

PLACES = ["Ones", "Tens", "Hundreds", "Thousands", "Ten thousands", "Hundred thousands", "Millions"]


def of_digits(digits: int, rng: random.Random) -> int:
    """A number of exactly that many digits."""
    return rng.randint(10 ** (digits - 1) if digits > 1 else 1, 10**digits - 1)


def _digit(value: int, place: int) -> int:
    return value // 10**place % 10


def _chain(numbers: list[int]) -> str:
    """`9+9+6=18+6=24`: two numbers at a time."""
    texts = []
    while len(numbers) > 1:
        texts.append("+".join(map(str, numbers)))
        numbers = [numbers[0] + numbers[1], *numbers[2:]]
    return "=".join([*texts, str(numbers[0])])


def sum_lines(values: list[int]) -> list[str]:
    """Column addition: a line per place, the carry last; three numbers are added two at a time."""
    lines, carry = [], 0
    for place in range(len(str(max(values)))):
        digits = [_digit(v, place) for v in values if v >= 10**place]
        parts = [*digits, *([carry] if carry else [])]
        total = sum(parts)
        shown = _chain(parts) if len(values) > 2 or len(parts) < 2 else f"{'+'.join(map(str, parts))}={total}"
        lines.append(f"{PLACES[place]}: ${shown}$")
        carry = total // 10
    return lines


def difference_lines(larger: int, smaller: int) -> list[str]:
    """Column subtraction: a line per place; where the upper digit is too small a ten is borrowed, and paid at the next place."""
    lines, borrow = [], 0
    for place in range(len(str(larger))):
        upper, lower = _digit(larger, place), _digit(smaller, place)
        taken = [str(d) for d, there in ((lower, smaller >= 10**place), (borrow, borrow)) if there]
        ten = 10 if upper - lower - borrow < 0 else 0
        value = upper + ten - lower - borrow
        first = f"${'-'.join([str(upper), *taken])}$, borrow: " if ten else ""
        lines.append(f"{PLACES[place]}: {first}${'-'.join([str(upper + ten), *taken])}" + (f"={value}$" if taken else "$"))
        borrow = 1 if ten else 0
    return lines


def added_lines(left: int, right: int) -> list[str]:
    """left + right of numbers that are not negative: by columns where it is too much for one step."""
    result = f"${left}+{right}={left + right}$"
    return [result] if max(left, right) < 100 or min(left, right) < 10 else [f"${left}+{right}$:", *sum_lines([left, right]), result]


def subtracted_lines(larger: int, smaller: int) -> list[str]:
    """larger - smaller likewise."""
    result = f"${larger}-{smaller}={larger - smaller}$"
    return [result] if larger < 100 or smaller < 10 else [f"${larger}-{smaller}$:", *difference_lines(larger, smaller), result]


def make_sum(rng: random.Random) -> Problem:
    if rng.random() < 0.15:
        values = [of_digits(rng.choice([1, 2, 2, 3, 3, 4]), rng) for _ in range(3)]
    else:
        values = [of_digits(rng.choice([1, 2, 2, 3, 3, 4, 4, 5, 6]), rng) for _ in range(2)]
    total = sum(values)
    formula = written("+".join(map(str, values)), rng)
    if rng.random() < 0.25:
        said = [str(v) if v > 99 or rng.random() < 0.6 else number_words(v) for v in values]
        first = rng.choice(["What is {} plus {}?", "Add {} and {}.", "the sum of {} and {}", "{} plus {}", "What is the sum of {} and {}?", "Find the total of {} and {}"])
        question = first.format(", ".join(said[:-1]) if len(said) > 2 else said[0], said[-1])
    else:
        question = asked(formula, rng)
    lines = sum_lines(values) if max(values) > 99 or len(values) > 2 or min(values) > 9 else [f"${values[0]}+{values[1]}={total}$"]
    return Problem("sums", canonical_key("sums", "sum", *sorted(values)), careless(question, rng), solved(lines, str(total)), str(total))


def make_difference(rng: random.Random) -> Problem:
    digits = rng.choice([2, 2, 3, 3, 4, 4, 5, 6])
    left, right = of_digits(digits, rng), of_digits(max(1, digits - rng.choice([0, 0, 1, 1, 2])), rng)
    if rng.random() < 0.85 and left < right:
        left, right = right, left
    result = left - right
    if rng.random() < 0.25:
        said = [str(v) if v > 99 or rng.random() < 0.6 else number_words(v) for v in (left, right)]
        first = rng.choice(["What is {0} minus {1}?", "Subtract {1} from {0}.", "the difference of {0} and {1}", "{0} minus {1}", "How much is {0} less {1}?", "take {1} away from {0}"])
        question = first.format(*said)
    else:
        question = asked(written(f"{left}-{right}", rng), rng)
    larger, smaller = max(left, right), min(left, right)
    # Which one is larger shows digit by digit while it is written down.
    lines = [f"Larger: ${larger}$"] if larger > 99 and len(str(larger)) == len(str(smaller)) else []
    lines += [f"${left}-{right}=-({right}-{left})$"] if result < 0 else []
    lines += difference_lines(larger, smaller) if larger > 99 else [f"${larger}-{smaller}={abs(result)}$"]
    return Problem("differences", canonical_key("differences", "difference", left, right), careless(question, rng), solved(lines, str(result)), str(result))


def product_steps(left: int, right: int) -> str:
    """What follows `left*right=`: the product, after the products of tens and ones where it isn't in the times table."""
    zeros, factors = 0, []
    for factor in (left, right):
        while factor and factor % 10 == 0:
            factor, zeros = factor // 10, zeros + 1
        factors.append(factor)
    smaller, larger = sorted(factors)
    if larger <= 12 or smaller < 2 or smaller > 12 or larger > 99:
        return str(left * right)
    parts = [10 * larger, (smaller - 10) * larger] if smaller > 10 else [larger // 10 * 10 * smaller, larger % 10 * smaller]
    return f"{'+'.join(str(p * 10**zeros) for p in parts)}={left * right}"


def product_lines(left: int, right: int) -> list[str]:
    """Partial products of at most two digits by one digit and zeros, added one after the other."""
    if len(str(left)) < len(str(right)):
        left, right = right, left
    if len(str(left)) <= 2 and len(str(right)) == 1:
        return [f"${left}\\cdot{right}={product_steps(left, right)}$"]
    by, split = (right, left) if len(str(left)) == 3 else (left, right)
    lines, total, parts = [], 0, []
    digits = str(split)
    for index, digit in enumerate(digits):
        if digit != "0":
            part = int(digit) * 10 ** (len(digits) - 1 - index)
            parts.append(by * part)
            lines.append(f"${by}\\cdot{part}={product_steps(by, part)}$")
    total = parts[0]
    for part in parts[1:]:
        lines.append(f"${total}+{part}={total + part}$")
        total += part
    return lines


def make_product(rng: random.Random) -> Problem:
    sizes = rng.choice([(1, 1), (2, 1), (2, 1), (3, 1), (3, 1), (2, 2), (2, 2), (2, 2), (3, 2), (3, 2), (3, 2)])
    left, right = of_digits(sizes[0], rng), of_digits(sizes[1], rng)
    lines = product_lines(left, right)
    if rng.random() < 0.5:
        left, right = right, left
    result = left * right
    if rng.random() < 0.25:
        said = [str(v) if v > 99 or rng.random() < 0.6 else number_words(v) for v in (left, right)]
        first = rng.choice(["What is {} times {}?", "Multiply {} by {}.", "the product of {} and {}", "{} times {}", "multiply {} and {}", "How much is {} multiplied by {}?"])
        question = first.format(*said)
    else:
        question = asked(written(f"{left}\\cdot{right}", rng), rng)
    return Problem("products", canonical_key("products", "product", *sorted([left, right])), careless(question, rng), solved(lines, str(result)), str(result))


def division_lines(value: int, by: int) -> list[str]:
    """Long division: a line per digit of the quotient, each `part = q * by + rest`."""
    lines, rest, started = [], 0, False
    for digit in str(value):
        rest = rest * 10 + int(digit)
        if rest >= by or started:
            lines.append(f"${rest}={rest // by}\\cdot{by}+{rest % by}$")
            rest, started = rest % by, True
    return lines or [f"${value}=0\\cdot{by}+{value}$"]


def quotient_parts(value: int, by: int) -> list[str]:
    """Division with remainder in formulas: in the times table as long division, else the product and then what is left."""
    if by <= 12:
        return division_lines(value, by)
    if value // by < 10:
        return _taken(value, by)
    parts, rest, started = [], 0, False
    for digit in str(value):
        rest = rest * 10 + int(digit)
        if rest >= by or started:
            parts += _taken(rest, by)
            rest, started = rest % by, True
    return parts


def _taken(value: int, by: int) -> list[str]:
    quotient = value // by
    return [f"${quotient}\\cdot{by}={quotient * by}$", f"${value}-{quotient * by}={value % by}$"]


def make_division(rng: random.Random) -> Problem:
    by = rng.randint(2, 12)
    value = of_digits(rng.choice([2, 3, 3, 4, 4]), rng)
    if rng.random() < 0.55:
        value = max(by, value - value % by)
    quotient, rest = divmod(value, by)
    answer = str(quotient) if rest == 0 else f"{quotient}\\text{{ remainder }}{rest}"
    ways = [f"{value} divided by {by}", f"What is {value} divided by {by}?", f"Divide {value} by {by}.", f"Find the quotient and remainder of {value} and {by}.",
            f"{value} divided by {by} with remainder", f"divide {value} by {by}, give quotient and remainder", f"How many times does {by} go into {value}?"]
    if rng.random() < 0.4:
        question = rng.choice(ways)
    else:
        question = asked(written(f"{value}\\div{by}", rng), rng)
        if rest and rng.random() < 0.4:
            question = question.rstrip(" .?=") + rng.choice([" with remainder", " with remainder?", " (with remainder)", ", quotient and remainder"])
    lines = division_lines(value, by)
    return Problem("division", canonical_key("division", "division", value, by), careless(question, rng), solved(lines, answer), answer)
