"""Unit conversions: length, mass, volume, time."""

from __future__ import annotations

import random
from fractions import Fraction

from .arithmetic import product_lines, quotient_parts
from .problem import Problem, canonical_key, solved
from .wording import asked, careless

# (larger, smaller, smaller units in one larger)
DECIMAL_PAIRS = [("km", "m", 1000), ("m", "cm", 100), ("cm", "mm", 10), ("m", "mm", 1000), ("dm", "cm", 10), ("m", "dm", 10), ("kg", "g", 1000), ("g", "mg", 1000),
                 ("t", "kg", 1000), ("l", "ml", 1000), ("L", "mL", 1000), ("l", "cl", 100), ("km", "cm", 100000)]
OTHER_PAIRS = [("h", "min", 60), ("min", "s", 60), ("days", "h", 24), ("weeks", "days", 7), ("years", "months", 12)]
NAMES = {
    "km": ["km", "kilometres", "kilometers"], "m": ["m", "metres", "meters"], "cm": ["cm", "centimetres", "centimeters"], "mm": ["mm", "millimetres", "millimeters"],
    "dm": ["dm", "decimetres"], "kg": ["kg", "kilograms", "kilos"], "g": ["g", "grams"], "mg": ["mg", "milligrams"], "t": ["t", "tonnes", "tons"], "l": ["l", "litres", "liters"],
    "L": ["L"], "mL": ["mL"], "ml": ["ml", "millilitres", "milliliters"], "cl": ["cl", "centilitres"], "h": ["h", "hours"], "min": ["min", "minutes"], "s": ["s", "seconds", "sec"],
    "days": ["days"], "weeks": ["weeks"], "months": ["months"], "years": ["years"],
}


def decimal_text(value: Fraction) -> str:
    """Exact decimal spelling of a fraction whose denominator divides a power of ten."""
    places = 0
    while value * 10**places % 1:
        places += 1
    digits = str(int(value * 10**places)).rjust(places + 1, "0")
    return digits if places == 0 else f"{digits[:-places]}.{digits[-places:]}"


def make_unit(rng: random.Random) -> Problem:
    if rng.random() < 0.2:
        return _mixed_time(rng)
    decimal = rng.random() < 0.7
    large, small, factor = rng.choice(DECIMAL_PAIRS if decimal else OTHER_PAIRS)
    down = rng.random() < 0.55
    if decimal:
        places = rng.choice([0, 0, 1, 1, 2])
        value = Fraction(rng.randint(1, 999 if places else 120), 10**places)
        if not down:
            value = Fraction(rng.choice([rng.randint(1, 99), rng.randint(1, 999)]) * rng.choice([1, 10, 10, 100]) * (10 if factor > 100 else 1))
    else:
        value = Fraction(rng.randint(2, 40 if factor < 60 else 30))
        if not down:
            value *= factor
    result = value * factor if down else value / factor
    given, target = (large, small) if down else (small, large)
    shown, got = decimal_text(value), decimal_text(result)
    lines = [f"$1\\text{{ {large}}}={factor}\\text{{ {small}}}$"]
    if down and not decimal:
        lines += product_lines(int(value), factor)
    else:
        lines += [] if decimal or value <= 12 * factor and factor <= 12 else quotient_parts(int(value), factor)
        lines.append(f"${shown}\\{'cdot' if down else 'div'}{factor}={got}$")
    from_name, to_name = rng.choice(NAMES[given]), rng.choice(NAMES[target])
    glue = rng.choice([" ", " ", "" if len(from_name) <= 3 else " "])
    amount = f"{shown}{glue}{from_name}"
    phrases = [f"Convert {amount} to {to_name}.", f"convert {amount} to {to_name}", f"{amount} in {to_name}", f"How many {to_name} are {amount}?", f"{amount} = ? {to_name}", f"What is {amount} in {to_name}?",
               f"how many {to_name} is {amount}", f"{amount} to {to_name}", f"Express {amount} in {to_name}.", f"Change {amount} into {to_name}.", f"{amount} = ... {to_name}"]
    answer = f"{got}\\text{{ {target}}}"
    return Problem("units", canonical_key("units", "convert", shown, given, target), careless(rng.choice(phrases), rng), solved(lines, answer), answer)


def _mixed_time(rng: random.Random) -> Problem:
    """2 h 15 min in minutes, and back."""
    large, small = rng.choice([("h", "min"), ("h", "min"), ("min", "s")])
    whole, rest = rng.randint(1, 12), rng.randint(1, 59)
    total = whole * 60 + rest
    first, second = rng.choice(NAMES[large]), rng.choice(NAMES[small])
    if rng.random() < 0.65:
        lines = [f"$1\\text{{ {large}}}=60\\text{{ {small}}}$", f"${whole}\\cdot60={whole * 60}$", f"${whole * 60}+{rest}={total}$"]
        amount = f"{whole} {first} {rest} {second}" if rng.random() < 0.7 else f"{whole} {first} and {rest} {second}"
        phrases = [f"Convert {amount} to {second}.", f"{amount} in {second}", f"How many {second} are {amount}?", f"What is {amount} in {second}?", f"{amount} = ? {second}"]
        answer = f"{total}\\text{{ {small}}}"
        return Problem("units", canonical_key("units", "join", whole, rest, large), careless(rng.choice(phrases), rng), solved(lines, answer), answer)
    lines = [f"$1\\text{{ {large}}}=60\\text{{ {small}}}$", f"${total}\\div60$: {', '.join(quotient_parts(total, 60))}"]
    phrases = [f"Convert {total} {second} to {first} and {second}.", f"{total} {second} in {first} and {second}", f"How many {first} and {second} are {total} {second}?", f"Write {total} {second} as {first} and {second}."]
    answer = f"{whole}\\text{{ {large} }}{rest}\\text{{ {small}}}"
    return Problem("units", canonical_key("units", "split", total, large), careless(rng.choice(phrases), rng), solved(lines, answer), answer)
