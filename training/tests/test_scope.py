"""Questions are read as the program reads them, and what is declared of them is what they are made of."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from tah_training.problems import FAMILIES, REFUSAL_FAMILY
from tah_training.scope import kind_of, patterns, pieces, questions, scope_of
from tah_training.shards import distinct

FIXTURE = Path(__file__).parents[2] / "test/fixtures/scope/pieces.jsonl"


def test_questions_are_read_as_the_program_reads_them() -> None:
    """src/answer/scope.ts is tested against the same file."""
    lines = [json.loads(line) for line in FIXTURE.read_text().splitlines()]
    assert len(lines) > 200
    for line in lines:
        found = pieces(line["question"])
        assert [[piece, glued] for piece, glued in found] == line["pieces"], line["question"]
        assert patterns(found) == line["patterns"], line["question"]


def test_what_shares_a_question_is_found_together_and_nothing_else() -> None:
    texts = ["add 12 and 7"] * 6 + ["gcd(4, 6)"] * 6 + ["rare word"]
    scope = scope_of(texts, sure=5)
    kinds = scope["kinds"]
    assert "rare" not in kinds and {"add", "and", "gcd", "<1>", "<2>"} <= set(kinds)
    bits = base64.b64decode(scope["together"])

    def together(first: str, second: str) -> bool:
        i, j = sorted([kinds.index(first), kinds.index(second)])
        at = i * (len(kinds) - 1) - i * (i - 1) // 2 + j - i - 1
        return bool(bits[at >> 3] >> (at & 7) & 1)

    assert together("add", "and") and together("add", "<2>") and together("gcd", "<1>")
    assert not together("add", "gcd") and not together("gcd", "<2>")
    assert scope["largest"][kinds.index("gcd")] == 6 and scope["largest"][kinds.index("add")] == 12


def test_questions_of_refusals_are_no_part_of_it() -> None:
    kinds = set(scope_of(questions(4000, 3))["kinds"])
    assert {"solve", "gcd", "%"} <= kinds and not {"photosynthesis", "president", "python"} & kinds


def test_most_held_out_questions_consist_of_declared_pieces() -> None:
    scope = scope_of(questions(12000, 3), least=2)
    held = [p for p in distinct(20, "heldout", "scope") if p.family != REFUSAL_FAMILY]
    strange = [p.question for p in held if not all(kind_of(piece) in scope["kinds"] for piece, _ in pieces(p.question))]
    assert len(held) > 15 * (len(FAMILIES) - 1) and len(strange) < 0.05 * len(held), strange
