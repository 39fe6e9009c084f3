"""School mathematics problems with worked solutions, generated from a seed."""

from .registry import FAMILIES, REFUSAL_FAMILY, SUBJECTS, make_problem
from .problem import Problem, problem_split
from .refusal import REFUSAL_TEXT

__all__ = ["FAMILIES", "REFUSAL_FAMILY", "REFUSAL_TEXT", "SUBJECTS", "Problem", "make_problem", "problem_split"]
