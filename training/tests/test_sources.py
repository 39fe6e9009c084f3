"""Text from outside: columns by name, the chat template of the tokenizer, loss on the answer only, nothing on both sides of a split."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from datasets import Dataset
from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from tah_training.chat import IM_END, prompt_text
from tah_training.documents import TRAIN, VALIDATION, Documents, Lines, chat_texts
from tah_training.recipe import DataSettings, Recipe
from tah_training.shards import IGNORED
from tah_training.sources import lay_down, solution_of
from tah_training.tokenizer import load_tokenizer, save_tokenizer, train_tokenizer

# Qwen3's, in short: the thoughts of an answer come before it, and a generation prompt is no more than the role.
THINKING_TEMPLATE = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' }}{%- if message.role == 'assistant' and '</think>' not in message.content %}"
    "{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{{- message.content + '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(train_tokenizer(384, 800, 1), folder, 1024)
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Tokenizer:
    return load_tokenizer(folder)


@pytest.fixture(scope="module")
def template(folder: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(folder)


def lines_of(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_columns_have_the_names_of_the_recipe(tokenizer: Tokenizer, tmp_path: Path) -> None:
    records = [{"problem": f"{i} + {i}", "worked": f"${i} + {i} = {2 * i}$"} for i in range(50)]
    (tmp_path / "given.jsonl").write_text("\n".join(map(json.dumps, records)) + "\n\n")
    settings = DataSettings(source=str(tmp_path / "given.jsonl"), question="problem", solution="worked", held_back=0.1)
    assert lay_down(settings, tokenizer, 1, tmp_path) == {"train": 45, "validation": 5, "left_out": 0}
    train, validation = lines_of(tmp_path / TRAIN), lines_of(tmp_path / VALIDATION)
    every = sorted((line["question"], line["solution"]) for line in train + validation)
    assert every == sorted((r["problem"], r["worked"]) for r in records)
    with pytest.raises(ValueError, match="data.question: .* has no column 'question'; it has problem, worked"):
        lay_down(replace(settings, question="question"), tokenizer, 1, tmp_path)


def test_a_question_asked_twice_is_on_one_side_only(tokenizer: Tokenizer, tmp_path: Path) -> None:
    records = [{"question": f"What is {i // 2}?", "solution": str(i)} for i in range(40)]
    (tmp_path / "given.jsonl").write_text("\n".join(map(json.dumps, records)))
    told = lay_down(DataSettings(source=str(tmp_path / "given.jsonl"), held_back=0.3), tokenizer, 1, tmp_path)
    assert told == {"train": 14, "validation": 6, "left_out": 20}
    assert not {line["question"] for line in lines_of(tmp_path / TRAIN)} & {line["question"] for line in lines_of(tmp_path / VALIDATION)}


def test_a_data_set_of_the_datasets_library(tokenizer: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a folder, as from a hub, with the columns and the choice of OpenR1-Math: the shortest solution that is right."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    records = [
        {"problem": "first", "generations": ["long and right " * 9, "short but wrong", "right"], "math": [True, False, True], "judge": [False, True, False]},
        {"problem": "second", "generations": ["only the judge is content", "no"], "math": [False, False], "judge": [True, False]},
        {"problem": "third", "generations": ["nobody is content"], "math": [False], "judge": [False]},
        {"problem": "fourth", "generations": ["right but much too long " * 40], "math": [True], "judge": [True]},
        {"problem": "fifth", "generations": ["the first check was not made", "b"], "math": None, "judge": [True, False]},
    ]
    (tmp_path / "set").mkdir()
    Dataset.from_list(records).to_parquet(tmp_path / "set" / "train-00000.parquet")
    settings = DataSettings(source=f"datasets:{tmp_path / 'set'}", question="problem", solution="generations", verified=["math", "judge"], solution_tokens=200, held_back=0.3)
    assert lay_down(settings, tokenizer, 1, tmp_path) == {"train": 2, "validation": 1, "left_out": 2}
    found = {line["question"]: line["solution"] for line in lines_of(tmp_path / TRAIN) + lines_of(tmp_path / VALIDATION)}
    assert found == {"first": "right", "second": "only the judge is content", "fifth": "the first check was not made"}


def test_a_solution_is_left_out_from_its_limit_on(tokenizer: Tokenizer) -> None:
    length = len(tokenizer.encode("1 + 1 = 2").ids)
    for limit, expected in ((length, None), (length + 1, "1 + 1 = 2"), (None, "1 + 1 = 2")):
        assert solution_of({"solution": "1 + 1 = 2"}, DataSettings(solution_tokens=limit), tokenizer) == expected


def documents(folder: Path, tokenizer: Tokenizer, lines: list[dict[str, str]], run: Path, row_tokens: int = 128, **settings: object) -> Documents:
    (run / TRAIN).write_text("".join(json.dumps(line) + "\n" for line in lines))
    recipe = Recipe(data=replace(DataSettings(source="given", problems_per_shard=8), **settings))  # type: ignore[arg-type]
    return Documents(recipe, tokenizer, row_tokens, run, folder)


def test_rows_are_the_chat_template_with_loss_on_the_answer(folder: Path, tokenizer: Tokenizer, tmp_path: Path) -> None:
    given = documents(folder, tokenizer, [{"question": "2 + 3", "solution": "$2 + 3 = 5$"}], tmp_path, pack=False)
    rows = given.shard(0)
    assert len(rows) == 1
    text = tokenizer.decode(rows.ids[0].tolist(), skip_special_tokens=False)
    assert text == prompt_text("2 + 3") + "$2 + 3 = 5$" + IM_END
    learned = [int(t) for t in rows.labels[0] if t != IGNORED]
    assert tokenizer.decode(learned, skip_special_tokens=False) == "$2 + 3 = 5$" + IM_END
    # The label at a position is the token after it.
    for i, label in enumerate(rows.labels[0][:-1]):
        assert label in (IGNORED, rows.ids[0][i + 1])


def test_thoughts_that_the_template_adds_belong_to_the_answer(folder: Path, template: PreTrainedTokenizerBase) -> None:
    thinking = AutoTokenizer.from_pretrained(folder, chat_template=THINKING_TEMPLATE)
    assert thinking.chat_template == THINKING_TEMPLATE
    start = "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n"
    assert chat_texts(thinking, "q", "a") == (start, f"<think>\n\n</think>\n\na{IM_END}")
    assert chat_texts(thinking, "q", "<think>\nw\n</think>\n\na") == (start, f"<think>\nw\n</think>\n\na{IM_END}")
    other = AutoTokenizer.from_pretrained(folder, chat_template="{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}")
    with pytest.raises(ValueError, match="renders the prompt otherwise"):
        chat_texts(other, "q", "a")


def test_long_documents_are_cut_or_left_out(folder: Path, tokenizer: Tokenizer, tmp_path: Path) -> None:
    lines = [{"question": "short", "solution": "1"}, {"question": "long", "solution": "2 + " * 200}]
    assert len(documents(folder, tokenizer, lines, tmp_path, row_tokens=64, pack=False).shard(0)) == 1
    cut = documents(folder, tokenizer, lines, tmp_path, row_tokens=64, pack=False, long="cut").shard(0)
    assert len(cut) == 2 and cut.ids.shape[1] == 64 and (cut.documents == 0).sum(1).max() == 64
    with pytest.raises(ValueError, match="data.long 'drop'"):
        documents(folder, tokenizer, lines, tmp_path, long="drop")
    with pytest.raises(ValueError, match="no document is shorter than row_tokens 4"):
        next(documents(folder, tokenizer, lines, tmp_path, row_tokens=4).batches(1))


def test_an_epoch_has_every_line_once_in_an_order_of_its_own(folder: Path, tokenizer: Tokenizer, tmp_path: Path) -> None:
    lines = [{"question": f"{i} * 7", "solution": str(7 * i)} for i in range(20)]
    given = documents(folder, tokenizer, lines, tmp_path, pack=False)
    assert given.shards_per_epoch == 3
    orders = []
    for epoch in range(2):
        rows = [row for part in range(3) for row in given.shard(3 * epoch + part).ids]
        orders.append([tokenizer.decode([int(t) for t in row if t], skip_special_tokens=False) for row in rows])
    assert sorted(orders[0]) == sorted(orders[1]) and len(set(orders[0])) == 20 and orders[0] != orders[1]
    batch = next(given.batches(2))
    # No more padding than the longest of the two needs.
    assert (batch.rows.documents >= 0).any(0).all() and batch.part == pytest.approx(2 / 8)


def test_lines_are_read_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / "some.jsonl").write_text('{"question": "ä", "solution": "1"}\n\n{"question": "b", "solution": "2"}\n')
    lines = Lines(tmp_path / "some.jsonl")
    assert len(lines) == 2 and lines[1]["question"] == "b" and lines[0]["question"] == "ä"
