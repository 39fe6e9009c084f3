"""The families: which function makes them, their share of the training text, what they cover."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from .arithmetic import make_difference, make_division, make_product, make_sum
from .divisors import make_divisor
from .expressions import make_expression
from .fractions import make_fraction
from .linear import make_linear, make_linear_both, make_system
from .percentages import make_percentage
from .polynomials import make_polynomial
from .powers import make_power
from .problem import Problem
from .quadratics import make_quadratic
from .refusal import make_refusal
from .stories import make_story
from .units import make_unit


@dataclass(frozen=True)
class Subject:
    """What a family is called in the program, an example, and the numbers that it was trained on."""

    id: str
    title: str
    example: str
    range: str


REFUSAL_FAMILY = "refuse"

# Family -> (maker, share of problems at the start of training).
FAMILIES: dict[str, tuple[Callable[[random.Random], Problem], float]] = {
    "sums": (make_sum, 1.0),
    "differences": (make_difference, 1.1),
    "products": (make_product, 1.0),
    "division": (make_division, 0.8),
    "expressions": (make_expression, 1.2),
    "fractions": (make_fraction, 1.3),
    "percentages": (make_percentage, 1.0),
    "powers": (make_power, 1.2),
    "gcd_lcm": (make_divisor, 1.1),
    "linear": (make_linear, 1.1),
    "linear_both": (make_linear_both, 1.1),
    "systems": (make_system, 1.4),
    "quadratics": (make_quadratic, 1.0),
    "polynomials": (make_polynomial, 1.2),
    "units": (make_unit, 0.8),
    "word_problems": (make_story, 1.3),
    REFUSAL_FAMILY: (make_refusal, 0.8),
}

SUBJECTS = [
    Subject("sums", "Sums", "4738 + 586", "two numbers of up to 6 digits, or three of up to 4"),
    Subject("differences", "Differences", "5003 - 1278", "numbers of up to 6 digits"),
    Subject("products", "Products", "347 × 68", "up to 3 by 2 digits"),
    Subject("division", "Division with remainder", "Divide 1573 by 4", "up to 4 digits by 2 to 12"),
    Subject("expressions", "Expressions", "15 + (9 * 3 - 7) * 2", "2 to 4 operations with brackets, values below 1000"),
    Subject("fractions", "Fractions", "\\frac{1}{6} + \\frac{3}{4}", "denominators up to 12; simplify up to about 180"),
    Subject("percentages", "Percentages", "15% of 240", "whole percentages of numbers up to 999, shares, increases, discounts"),
    Subject("powers", "Powers and roots", "7^3 + 5^2", "powers up to 2500, squares up to 99, square roots up to 60, cube roots up to 12"),
    Subject("gcd_lcm", "gcd and lcm", "gcd(84, 30)", "gcd up to 150, lcm of numbers up to 40"),
    Subject("linear", "Linear equations", "Solve 3x + 5 = 20 for x", "coefficients up to 12, one unknown on one side"),
    Subject("linear_both", "Linear equations with x on both sides, brackets or fractions", "5(x - 2) = 2x + 8", "coefficients up to 12, denominators up to 9"),
    Subject("systems", "Systems of two linear equations", "2x + y = 7, x - y = 2", "coefficients from -3 to 6, whole-number solutions"),
    Subject("quadratics", "Quadratic equations", "x^2 - 5x + 6 = 0", "whole-number roots from -20 to 20"),
    Subject("polynomials", "Polynomials", "Expand (x + 3)(2x - 5)", "expand two brackets, evaluate up to degree 3, differentiate up to degree 4"),
    Subject("units", "Unit conversions", "Convert 3.5 km to m", "length, mass, volume, time"),
    Subject("word_problems", "Short word problems", "Anna has 12 pens and gives 5 to Ben. How many are left?", "one to three operations with small numbers"),
]


def make_problem(family: str, rng: random.Random) -> Problem:
    """A random problem of a family, of whatever split its key falls into."""
    return FAMILIES[family][0](rng)
