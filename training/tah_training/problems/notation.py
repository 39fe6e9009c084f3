"""Turns one internal LaTeX spelling of a formula into the many ways in which people type it."""

from __future__ import annotations

import random
import re

SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_FRACTION = re.compile(r"\\frac\{([^{}]*)\}\{([^{}]*)\}")
_BINARY = re.compile(r"(?<=[0-9A-Za-z)}\]²³⁴⁵⁶])([+\-−*/·×÷:]|\\cdot(?![a-z])|\\times(?![a-z])|\\div(?![a-z]))(?=[0-9A-Za-z(√\\\-−{\[])")


def _bracketed(part: str) -> str:
    return part if re.fullmatch(r"[0-9.]+|[a-z]|[0-9]+[a-z]", part) else f"({part})"


def _plain_fractions(text: str) -> str:
    while _FRACTION.search(text):
        text = _FRACTION.sub(lambda m: f"{_bracketed(m[1])}/{_bracketed(m[2])}", text)
    return text


def _spaced(text: str, rng: random.Random) -> str:
    """Spaces about binary operators: all, none, or a careless mixture."""
    manner = rng.choices(["all", "none", "mixed", "equals"], [60, 24, 10, 6])[0]

    def around(match: re.Match[str]) -> str:
        sign = match[1]
        if manner == "all":
            return f" {sign} "
        if manner == "mixed":
            return rng.choice([f" {sign} ", sign, f" {sign}", f"{sign} "])
        return sign

    text = _BINARY.sub(around, text)
    if manner in ("all", "equals"):
        text = re.sub(r"\s*=\s*", " = ", text)
    elif manner == "mixed":
        text = re.sub(r"\s*=\s*", lambda _: rng.choice([" = ", "=", " =", "= "]), text)
    if manner != "none":
        text = re.sub(r",(?=\S)", ", ", text)
    return text


def _as_plain(tex: str, rng: random.Random) -> str:
    text = _plain_fractions(tex)
    letters = re.search(r"(?<![\\a-z])[a-z](?![a-z])", re.sub(r"\\[a-z]+", "", tex))
    times = rng.choice(["*"] * 5 + ["·", "×"] + ([] if letters else ["x"]))
    text = text.replace(r"\cdot", times).replace(r"\div", rng.choice(["/", "/", ":", "÷"]))
    root = rng.choice(["sqrt", "sqrt", "√"])
    text = re.sub(r"\\sqrt\[3\]\{([^{}]*)\}", r"cbrt(\1)", text)
    text = re.sub(r"\\sqrt\{([^{}]*)\}", lambda m: f"√{m[1]}" if root == "√" else f"sqrt({m[1]})", text)
    caret = rng.choice(["^", "^", "^", "**"]) if times != "*" or rng.random() < 0.5 else "^"
    text = re.sub(r"\^\{?([0-9]+)\}?", lambda m: caret + m[1], text)
    text = text.replace(r"\%", "%")
    if times == "x":
        text = re.sub(r"(?<=[0-9)])x(?=[0-9(])", " x " if rng.random() < 0.8 else "x", text)
    return text


def _as_unicode(tex: str, rng: random.Random) -> str:
    text = _plain_fractions(tex)
    text = text.replace(r"\cdot", rng.choice(["×", "×", "·", "⋅"])).replace(r"\div", "÷")
    text = re.sub(r"\\sqrt\[3\]\{([^{}]*)\}", r"∛\1", text)
    text = re.sub(r"\\sqrt\{([^{}]*)\}", r"√\1", text)
    text = re.sub(r"\^\{?([0-9]+)\}?", lambda m: m[1].translate(SUPERSCRIPTS), text)
    text = text.replace(r"\%", "%")
    return text.replace("-", rng.choice(["−", "−", "-", "–"]))


def _as_latex(tex: str, rng: random.Random) -> str:
    text = tex
    if rng.random() < 0.3:
        text = text.replace(r"\cdot", r"\times")
    if rng.random() < 0.12:
        text = text.replace(r"\frac", rng.choice([r"\dfrac", r"\tfrac"]))
    if rng.random() < 0.4:
        text = re.sub(r"\^\{([0-9])\}", r"^\1", text)
    if rng.random() < 0.1:
        text = re.sub(r"(?<![a-z])\(", r"\\left(", text).replace(")", r"\right)")
    return text


def written(tex: str, rng: random.Random, wrap: bool = True) -> str:
    """`tex` (internal LaTeX: \\cdot \\div \\frac \\sqrt ^{n}) as plain text, Unicode or LaTeX, spaced in some way."""
    style = rng.choices(["plain", "unicode", "latex"], [46, 22, 32])[0]
    if style == "plain":
        return _spaced(_as_plain(tex, rng), rng)
    if style == "unicode":
        return _spaced(_as_unicode(tex, rng), rng)
    text = _spaced(_as_latex(tex, rng), rng)
    text = re.sub(r"(\\(?:cdot|times|div))(?=[A-Za-z])", r"\1 ", text)
    if not wrap:
        return text
    return rng.choice(["${}$", "${}$", "${}$", r"\({}\)", "$${}$$", "{}"]).format(text)


_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def number_words(value: int) -> str:
    """English words of 0..99."""
    if value < 20:
        return _ONES[value]
    tens, ones = divmod(value, 10)
    return _TENS[tens - 2] + (f"-{_ONES[ones]}" if ones else "")


def signed(value: int) -> str:
    """A factor or summand: negative numbers in brackets."""
    return f"({value})" if value < 0 else str(value)


def plus(value: int, unit: str = "") -> str:
    """`+5`, `-3x`; the coefficient 1 is left out before a letter; zero gives nothing."""
    if value == 0:
        return ""
    size = "" if abs(value) == 1 and unit else str(abs(value))
    return ("-" if value < 0 else "+") + size + unit


def term(value: int, unit: str = "") -> str:
    """The same without a leading plus."""
    return plus(value, unit).removeprefix("+")


def polynomial(coefficients: list[int], letter: str = "x") -> str:
    """LaTeX of a polynomial, highest power first; coefficients[i] belongs to the power len-1-i."""
    degree = len(coefficients) - 1
    text = ""
    for index, value in enumerate(coefficients):
        power = degree - index
        unit = "" if power == 0 else letter if power == 1 else f"{letter}^{power}"
        text += plus(value, unit)
    return text.removeprefix("+") or "0"
