"""Byte-level BPE in the Qwen file layout, trained so that no operator or digit is ever joined to another."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from .chat import CHAT_TEMPLATE, END_OF_TEXT, IM_END, IM_START
from .problems import FAMILIES, make_problem, problem_split

# Qwen's pattern (Qwen2/Qwen3 tokenizer.json): digits stand alone, runs of punctuation stay together.
QWEN_PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# Applied after it while learning merges only: marks stay single but for a few unambiguous pairs, so that `=-`, `)(` or `$x` never become tokens.
NARROW_PATTERN = r"[ \\]?\p{L}+|\p{N}|\}\{|[$={]\\|\$\n| ?[^\s\p{L}\p{N}]|\s"


def _pieces(*patterns: str) -> pre_tokenizers.PreTokenizer:
    splits = [pre_tokenizers.Split(Regex(p), behavior="isolated") for p in patterns]
    return pre_tokenizers.Sequence([*splits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def training_texts(problems: int, seed: int) -> Iterator[str]:
    """Questions and solutions of the train split, families in their starting shares."""
    rng = random.Random(f"{seed}:tokenizer")
    families, weights = list(FAMILIES), [share for _, share in FAMILIES.values()]
    for _ in range(problems):
        problem = make_problem(rng.choices(families, weights)[0], rng)
        if problem_split(problem.key) == "train":
            yield f"user\n{problem.question}"
            yield f"assistant\n{problem.solution}"


def train_tokenizer(vocab_size: int, problems: int, seed: int) -> Tokenizer:
    """A tokenizer of exactly `vocab_size` tokens, the three special ones last."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = _pieces(QWEN_PATTERN, NARROW_PATTERN)
    tokenizer.decoder = decoders.ByteLevel()
    special = [END_OF_TEXT, IM_START, IM_END]
    trainer = trainers.BpeTrainer(vocab_size=vocab_size - len(special), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(training_texts(problems, seed), trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    tokenizer.pre_tokenizer = _pieces(QWEN_PATTERN)
    if tokenizer.get_vocab_size() != vocab_size:
        raise ValueError(f"the tokenizer has {tokenizer.get_vocab_size()} tokens, asked for {vocab_size}")
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path, max_length: int) -> None:
    """tokenizer.json, tokenizer_config.json, vocab.json, merges.txt and the other files of Qwen's layout."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    data = json.loads((folder / "tokenizer.json").read_text())
    # The exact shape of Qwen's own file.
    data["decoder"] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    data["post_processor"] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    (folder / "tokenizer.json").write_text(json.dumps(data, ensure_ascii=False, indent=2))
    special = {t["content"]: t["id"] for t in data["added_tokens"]}
    config = {
        "added_tokens_decoder": {str(i): {"content": t, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True} for t, i in special.items()},
        "add_bos_token": False, "add_prefix_space": False, "bos_token": None, "chat_template": CHAT_TEMPLATE, "clean_up_tokenization_spaces": False, "eos_token": IM_END,
        "errors": "replace", "extra_special_tokens": {}, "model_max_length": max_length, "pad_token": END_OF_TEXT, "split_special_tokens": False, "tokenizer_class": "Qwen2Tokenizer", "unk_token": None,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, ensure_ascii=False, indent=2) + "\n")
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    (folder / "added_tokens.json").write_text(json.dumps(special, indent=2) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps({"eos_token": IM_END, "pad_token": END_OF_TEXT}, indent=2) + "\n")
    model = data["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"], ensure_ascii=False))
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")


def load_tokenizer(folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(folder / "tokenizer.json"))
