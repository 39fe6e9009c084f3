"""Where training rows come from: generated problems, or a JSON-lines file of {"question", "solution"}."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer

from .problems import FAMILIES
from .recipe import Recipe
from .shards import Rows, encoded, packed, training_shard


class Documents:
    """Packed rows by shard number, the same for the same recipe. `shares` weigh families of generated problems."""

    def __init__(self, recipe: Recipe, tokenizer: Tokenizer, row_tokens: int, salt: int = 0) -> None:
        self.recipe, self.tokenizer, self.row_tokens, self.salt = recipe, tokenizer, row_tokens, salt
        self.pairs: list[tuple[str, str]] | None = None
        if recipe.data.source != "generated":
            lines = Path(recipe.data.source).read_text().splitlines()
            self.pairs = [(d["question"], d["solution"]) for d in map(json.loads, lines)]

    def shard(self, number: int, shares: dict[str, float] | None = None) -> Rows:
        size = self.recipe.data.problems_per_shard
        if self.pairs is None:
            shares = shares or {name: share for name, (_, share) in FAMILIES.items()}
            return training_shard(number, size, self.recipe.seed + self.salt, shares, self.tokenizer, self.row_tokens)
        per_epoch = max(1, -(-len(self.pairs) // size))
        epoch, part = divmod(number, per_epoch)
        order = list(range(len(self.pairs)))
        random.Random(f"{self.recipe.seed}:{self.salt}:{epoch}").shuffle(order)
        return packed(encoded([self.pairs[i] for i in order[part * size : (part + 1) * size]], self.tokenizer), self.row_tokens)

    def epoch_tokens(self) -> int | None:
        """Tokens of the file, None for generated problems (they have no end)."""
        if self.pairs is None:
            return None
        return sum(len(ids) for ids, _ in encoded(self.pairs, self.tokenizer))

    def batches(self, rows: int, shard: int, row: int, shares: dict[str, float] | None = None) -> Iterator[tuple[Rows, int, int]]:
        """(batch, shard and row of the batch after it), without end, from a given place."""
        while True:
            data = self.shard(shard, shares)
            while row + rows <= len(data) or (row == 0 and len(data)):
                batch = data.slice(row, row + rows)
                row += rows
                more = row + rows <= len(data)
                yield batch, shard if more else shard + 1, row if more else 0
                if not more:
                    break
            shard, row = shard + 1, 0
