"""Any text can be written; digits and operators stand alone."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from tah_training.tokenizer import load_tokenizer, save_tokenizer, train_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    folder: Path = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(train_tokenizer(512, 3000, 1), folder, 1024)
    return load_tokenizer(folder)


def test_every_text_comes_back(tokenizer: Tokenizer) -> None:
    rng = random.Random(1)
    texts = ["", " ", "\n\n", "½ ÷ ²√ −", "你好，世界 🙂👩‍👩‍👧", "\x00\x7f", "a" * 300]
    texts += ["".join(chr(rng.choice([rng.randint(32, 126), rng.randint(0xA1, 0x24F), rng.randint(0x4E00, 0x9FA5), rng.randint(0x1F300, 0x1F64F)])) for _ in range(40)) for _ in range(50)]
    for text in texts:
        import unicodedata

        assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == unicodedata.normalize("NFC", text)


def test_digits_and_operators_stand_alone(tokenizer: Tokenizer) -> None:
    for token in tokenizer.get_vocab():
        assert sum(c.isdigit() for c in token) <= 1
        assert not set(token) & set("+-*/=<>^") or len(token.removeprefix("Ġ")) == 1 or token in ("=\\",) or token.startswith("<|"), token


def test_special_tokens_are_not_split(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("<|im_start|>user\n1<|im_end|>").tokens[0] == "<|im_start|>"
    assert tokenizer.encode("<|im_end|>").ids == [tokenizer.token_to_id("<|im_end|>")]
