"""Where training rows come from: generated problems, or the JSON lines that the stage `data` has laid down (sources.py)."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from .chat import IM_END
from .problems import FAMILIES
from .recipe import Recipe
from .shards import Rows, encoded, packed, single, training_shard

TRAIN, VALIDATION = "train.jsonl", "validation.jsonl"


@dataclass(frozen=True)
class Batch:
    """Rows, and the place of the batch after them: shard, row, and which part of the shard is behind it."""

    rows: Rows
    shard: int
    row: int
    part: float


class Lines:
    """A file of JSON lines, read line by line when asked. A file may be larger than memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.starts: list[int] = []
        with path.open("rb") as file:
            at = 0
            for line in file:
                if line.strip():
                    self.starts.append(at)
                at += len(line)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> dict[str, str]:
        with self.path.open("rb") as file:
            file.seek(self.starts[index])
            return json.loads(file.readline())


def chat_texts(template: PreTrainedTokenizerBase, question: str, solution: str) -> tuple[str, str]:
    """(prompt, answer) of a question in the words of the tokenizer's chat template: the prompt is what the model sees at inference, the
    answer what it has to write, its end mark included.

    A template that renders the prompt differently before an answer is refused with ValueError.
    """
    asked = {"role": "user", "content": question}
    prompt = template.apply_chat_template([asked], tokenize=False, add_generation_prompt=True)
    whole = template.apply_chat_template([asked, {"role": "assistant", "content": solution}], tokenize=False)
    assert isinstance(prompt, str) and isinstance(whole, str)
    if not whole.startswith(prompt):
        raise ValueError(f"the chat template renders the prompt otherwise when an answer follows: {prompt[-80:]!r} is not in {whole[:200]!r}")
    answer = whole[len(prompt) :]
    end = answer.rfind(IM_END)
    return prompt, answer if end < 0 else answer[: end + len(IM_END)]


class Documents:
    """Rows by shard number, the same for the same recipe. `folder`: of the run; `template`: that of the tokenizer."""

    def __init__(self, recipe: Recipe, tokenizer: Tokenizer, row_tokens: int, folder: Path, tokenizer_folder: Path, salt: int = 0) -> None:
        if recipe.data.long not in ("leave out", "cut"):
            raise ValueError(f"data.long {recipe.data.long!r}: known are 'leave out' and 'cut'")
        self.recipe, self.tokenizer, self.row_tokens, self.salt = recipe, tokenizer, row_tokens, salt
        self.lines = None if recipe.data.generated else Lines(folder / TRAIN)
        self.template = None if recipe.data.generated else AutoTokenizer.from_pretrained(tokenizer_folder)

    @property
    def shards_per_epoch(self) -> int | None:
        """None for generated problems, which have no end."""
        return None if self.lines is None else max(1, -(-len(self.lines) // self.recipe.data.problems_per_shard))

    def shard(self, number: int, shares: dict[str, float] | None = None) -> Rows:
        """`shares` weigh the families of generated problems."""
        size = self.recipe.data.problems_per_shard
        if self.lines is None:
            shares = shares or {name: share for name, (_, share) in FAMILIES.items()}
            return training_shard(number, size, self.recipe.seed + self.salt, shares, self.tokenizer, self.row_tokens)
        epoch, part = divmod(number, self.shards_per_epoch or 1)
        order = list(range(len(self.lines)))
        random.Random(f"{self.recipe.seed}:{self.salt}:{epoch}").shuffle(order)
        return self.rows_of([self.lines[i] for i in order[part * size : (part + 1) * size]])

    def rows_of(self, lines: list[dict[str, str]]) -> Rows:
        """{"question", "solution"} lines as rows, one document each unless the recipe packs; long ones cut or left out as it says."""
        if self.template is None:
            documents = encoded(((line["question"], line["solution"]) for line in lines), self.tokenizer)
        else:
            documents = self._encoded([chat_texts(self.template, line["question"], line["solution"]) for line in lines])
        if self.recipe.data.long == "cut":
            documents = [(ids[: self.row_tokens], prompt) for ids, prompt in documents if prompt < self.row_tokens]
        return (packed if self.recipe.data.pack else single)(documents, self.row_tokens)

    def _encoded(self, texts: list[tuple[str, str]]) -> list[tuple[list[int], int]]:
        """Prompt and answer apart, as at inference: no token may reach from one into the other."""
        prompts, answers = (self.tokenizer.encode_batch([pair[i] for pair in texts], add_special_tokens=False) for i in (0, 1))
        return [(p.ids + a.ids, len(p.ids)) for p, a in zip(prompts, answers)]

    def batches(self, rows: int, shard: int = 0, row: int = 0, shares: Callable[[int], dict[str, float] | None] = lambda _: None) -> Iterator[Batch]:
        """Batches without end, from a given place. `shares` is asked at each shard."""
        empty = 0
        while True:
            data = self.shard(shard, shares(shard))
            empty = 0 if len(data) else empty + 1
            if empty > 100:
                raise ValueError(f"no document is shorter than row_tokens {self.row_tokens}")
            while row + rows <= len(data) or (row == 0 and len(data)):
                batch = data.slice(row, row + rows)
                row += rows
                more = row + rows <= len(data)
                yield Batch(batch if self.recipe.data.pack else batch.trimmed(), shard if more else shard + 1, row if more else 0, row / len(data) if more else 0.0)
                if not more:
                    break
            shard, row = shard + 1, 0
