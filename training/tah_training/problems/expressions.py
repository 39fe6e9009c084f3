"""Expressions with precedence and brackets, reduced one operation at a time."""

from __future__ import annotations

import random
import re

from .arithmetic import division_lines, product_steps
from .notation import signed, written
from .problem import Problem, canonical_key, solved
from .wording import asked, careless

Node = int | tuple[str, "Node", "Node"]
_RANK = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 3}
_SIGN = {"+": "+", "-": "-", "*": "\\cdot", "/": "\\div"}


def value_of(node: Node) -> int | None:
    """The value, or None where a division leaves a rest or a number becomes too large."""
    if isinstance(node, int):
        return node
    left, right = value_of(node[1]), value_of(node[2])
    if left is None or right is None:
        return None
    if node[0] == "/":
        return left // right if right and left % right == 0 else None
    result = left + right if node[0] == "+" else left - right if node[0] == "-" else left**right if node[0] == "^" else left * right
    return result if abs(result) < 1000 else None


def latex_of(node: Node, first: bool = True) -> str:
    """Brackets only where precedence asks for them; negative numbers in brackets unless they come first."""
    if isinstance(node, int):
        return str(node) if first else signed(node)
    sign, left, right = node
    if sign == "^":
        base = latex_of(left, False) if isinstance(left, int) else f"({latex_of(left)})"
        return f"{base}^{{{right}}}"
    rank = _RANK[sign]
    left_text = latex_of(left, first)
    if not isinstance(left, int) and _RANK[left[0]] < rank:
        left_text = f"({latex_of(left)})"
    right_text = latex_of(right, False)
    if not isinstance(right, int) and (_RANK[right[0]] < rank or (_RANK[right[0]] == rank and sign != "+")):
        right_text = f"({latex_of(right)})"
    return left_text + _SIGN[sign] + right_text


def _operation_lines(part: Node, result: int) -> list[str]:
    """One operation on two numbers, with smaller steps where it isn't in the times table."""
    assert not isinstance(part, int) and isinstance(part[1], int) and isinstance(part[2], int)
    sign, left, right = part
    shown = re.sub(r"\^\{(\d)\}", r"^\1", latex_of(part))
    if sign == "/" and abs(result) > 12:
        return [*division_lines(abs(left), abs(right)), f"${shown}={result}$"]
    if sign != "*":
        return [f"${shown}={result}$"]
    steps = product_steps(abs(left), abs(right))
    if result < 0 and "=" in steps:
        steps = f"-({steps.split('=')[0]})={result}"
    return [f"${shown}={steps if '=' in steps else result}$"]


def reduced_once(node: Node) -> tuple[Node, list[str]]:
    """The expression after its next operation (deepest bracket, then precedence, then left), and the lines of that operation."""
    best: tuple[int, tuple[int, ...]] | None = None

    def visit(part: Node, path: tuple[int, ...], depth: int) -> None:
        nonlocal best
        if isinstance(part, int):
            return
        if isinstance(part[1], int) and isinstance(part[2], int):
            rank = depth * 10 + _RANK[part[0]]
            if best is None or rank > best[0]:
                best = (rank, path)
        for side in (1, 2):
            child = part[side]
            inner = not isinstance(child, int) and _RANK[child[0]] < _RANK[part[0]]
            inner = inner or (side == 2 and not isinstance(child, int) and _RANK[child[0]] == _RANK[part[0]] and part[0] != "+")
            visit(child, (*path, side), depth + (1 if inner else 0))

    visit(node, (), 0)
    assert best is not None
    step: list[str] = []

    def rebuilt(part: Node, path: tuple[int, ...]) -> Node:
        nonlocal step
        if not path:
            result = value_of(part)
            assert result is not None
            step = _operation_lines(part, result)
            return result
        sides = [part[1], part[2]]  # type: ignore[index]
        sides[path[0] - 1] = rebuilt(sides[path[0] - 1], path[1:])
        return (part[0], sides[0], sides[1])  # type: ignore[index]

    return rebuilt(node, best[1]), step


def expression_lines(node: Node) -> list[str]:
    """Each operation on a line, and the whole expression after it."""
    lines = []
    while not isinstance(node, int):
        node, step = reduced_once(node)
        lines += step
        if not isinstance(node, int):
            lines.append(re.sub(r"\^\{(\d)\}", r"^\1", f"$={latex_of(node)}$"))
    return lines


def _random_node(operations: int, rng: random.Random) -> Node:
    if operations == 0:
        return rng.randint(1, 12) if rng.random() < 0.75 else rng.randint(10, 50)
    sign = rng.choices(["+", "-", "*", "/", "^"], [30, 28, 28, 8, 6])[0]
    if sign == "^":
        base = rng.randint(2, 9) if operations == 1 else _random_node(operations - 1, rng)
        return ("^", base, rng.choice([2, 2, 3]))
    left = rng.randint(0, operations - 1)
    if sign in "*/":
        if sign == "/":
            right = rng.randint(2, 9)
            if operations == 1:
                return ("/", right * rng.randint(2, 12), right)
            return ("/", _random_node(operations - 1, rng), right)
        parts = [_random_node(left, rng), _random_node(operations - 1 - left, rng)]
        return ("*", *(p if not isinstance(p, int) else rng.randint(2, 12) for p in parts))  # type: ignore[return-value]
    return (sign, _random_node(left, rng), _random_node(operations - 1 - left, rng))


def _numbers_fit(node: Node) -> bool:
    if isinstance(node, int):
        return True
    left, right = value_of(node[1]), value_of(node[2])
    assert left is not None and right is not None
    if node[0] == "*" and (min(abs(left), abs(right)) > 12 or max(abs(left), abs(right)) > 99):
        return False
    if node[0] == "/" and abs(right) > 12:
        return False
    if node[0] == "^" and abs(left) > 12:
        return False
    return _numbers_fit(node[1]) and _numbers_fit(node[2])


def nested(node: Node) -> object:
    """JSON form of the tree for the key."""
    return node if isinstance(node, int) else [node[0], nested(node[1]), nested(node[2])]


def left_first(node: Node) -> Node:
    """a+(b+c) and a+(b-c) are written without brackets, so they are read as (a+b)+c and (a+b)-c."""
    if isinstance(node, int):
        return node
    sign, left, right = node[0], left_first(node[1]), left_first(node[2])
    if sign == "+" and not isinstance(right, int) and right[0] in "+-":
        return left_first((right[0], ("+", left, right[1]), right[2]))
    return (sign, left, right)


def make_expression(rng: random.Random) -> Problem:
    while True:
        node = left_first(_random_node(rng.choice([2, 2, 3, 3, 3, 4]), rng))
        value = value_of(node)
        if value is not None and _numbers_fit(node):
            break
    question = asked(written(latex_of(node), rng), rng)
    return Problem("expressions", canonical_key("expressions", "expression", nested(node)), careless(question, rng), solved(expression_lines(node), str(value)), str(value))
