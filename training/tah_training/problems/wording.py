"""What people write around a formula: phrases, politeness, carelessness."""

from __future__ import annotations

import random
import re

_COMPUTE = [
    "What is {}?", "What is {}?", "what is {}", "Calculate {}.", "Calculate {}", "Compute {}.", "compute {}", "Work out {}.",
    "Evaluate {}.", "evaluate {}", "{}", "{}", "{}", "{} = ?", "{}=?", "{} =", "{}=", "Find {}.", "How much is {}?",
    "how much is {}", "whats {}", "What's {}?", "Can you calculate {}?", "can you work out {}", "{} ?", "Solve {}",
    "Please calculate {}.", "I need the value of {}.", "Tell me {}", "result of {}", "What does {} equal?", "Simplify {}.",
    "calc {}", "solve: {}", "{} equals?", "{} equals what", "answer of {}", "pls solve {}", "what does {} make", "What do you get for {}?",
]
_SOLVE = [
    "Solve {}.", "Solve {}", "solve {}", "Solve {} for {v}.", "Solve {} for {v}", "solve {} for {v}", "{}", "{}", "{}",
    "Solve for {v}: {}", "solve for {v}: {}", "Solve the equation {}.", "Find {v}: {}", "find {v} if {}", "If {}, what is {v}?",
    "What is {v} if {}?", "{}, {v}=?", "{} {v} = ?", "{}; {v}=?", "{} {v}=?", "{}  {v} = ??", "{} solve", "solve {} plz", "what's {v}? {}", "Given {}, find {v}.", "Determine {v}: {}", "Which {v} satisfies {}?",
    "Find the value of {v} in {}.", "Can you solve {}?", "How do I solve {}?", "find {v} in {}", "equation: {}", "Work out {v} when {}",
]
_BEFORE = ["plz ", "need help with ", "hi can you do ", "my homework: ", "pls help: ", "b) ", "3. ", "pls ", "please ", "Please ", "hi, ", "Hello, ", "hey ", "Q: ", "1) ", "a) ", "Question: ", "help: ", "ok so ", "um ", "Exercise: "]
_AFTER = [" plz", " asap", " ty", "!!", "...", " ?", ", thank you!", " I need the answer", " (homework)", " pls", " please", " thanks", " thx", "!", " ??", " quickly", " step by step", ", please", " (show steps)", " Show your work.", " Explain."]


def asked(formula: str, rng: random.Random, phrases: list[str] | None = None) -> str:
    """A request to compute `formula`."""
    return rng.choice(phrases or _COMPUTE).replace("{}", formula, 1)


def asked_to_solve(formula: str, letter: str, rng: random.Random) -> str:
    """A request to solve the equation `formula` for `letter`."""
    return rng.choice(_SOLVE).replace("{v}", letter).replace("{}", formula, 1)


def careless(text: str, rng: random.Random) -> str:
    """Sometimes politeness, other capitals, a lost mark, odd spaces; the mathematics stays as it is."""
    if rng.random() < 0.07:
        text = rng.choice(_BEFORE) + text
    if rng.random() < 0.07:
        text = text + rng.choice(_AFTER)
    chance = rng.random()
    if chance < 0.10:
        text = text[:1].lower() + text[1:]
    elif chance < 0.13:
        # Words of three letters or more only: variables and LaTeX commands keep their case.
        text = re.sub(r"(?<![\\a-zA-Z])[A-Za-z]{3,}", lambda m: m[0].upper(), text)
    if rng.random() < 0.10:
        text = text.rstrip("?.")
    if rng.random() < 0.04:
        text = re.sub(r" ", lambda _: rng.choice([" ", " ", " ", "  "]), text)
    if rng.random() < 0.03:
        text = rng.choice([" ", "\n", "  "]) + text
    if rng.random() < 0.03:
        text = text + rng.choice([" ", "\n", "  "])
    return text
