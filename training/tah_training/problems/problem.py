"""One problem, its canonical key, and the split that the key decides."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """A question in some wording, and its worked solution.

    `key` names the mathematical problem whatever its wording: a JSON list [family, kind, numbers...].
    `answer` is the content of the box, None for a refusal.
    """

    family: str
    key: str
    question: str
    solution: str
    answer: str | None


def canonical_key(family: str, kind: str, *parts: object) -> str:
    """JSON text of the problem itself; the wording never enters."""
    return json.dumps([family, kind, *parts], separators=(",", ":"))


def solved(lines: list[str], answer: str) -> str:
    """Solution text: a step a line, then the box."""
    text = "\n".join([*lines, f"$\\boxed{{{answer}}}$"])
    return re.sub(r"\\cdot(?=[A-Za-z])", r"\\cdot ", text)


def problem_split(key: str) -> str:
    """'heldout' (8 %), 'validation' (4 %) or 'train' (88 %), by a hash of the canonical key."""
    bucket = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % 100
    if bucket < 8:
        return "heldout"
    return "validation" if bucket < 12 else "train"
