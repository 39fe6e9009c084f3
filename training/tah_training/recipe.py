"""One YAML file per recipe, read into typed settings; an unknown key is an error."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml

T = TypeVar("T")


@dataclass(frozen=True)
class DataSettings:
    """Generated problems, or for a GPU recipe a JSON-lines file of {"question", "solution"}."""

    source: str = "generated"
    validation_per_family: int = 100
    heldout_per_family: int = 150
    tokenizer_problems: int = 30000
    problems_per_shard: int = 8192


@dataclass(frozen=True)
class TokenizerSettings:
    """`folder` takes a ready tokenizer instead of training one."""

    vocab_size: int = 640
    folder: str | None = None


@dataclass(frozen=True)
class BackboneSettings:
    """Shape and training of the plain model; `folder` takes a ready Hugging Face model instead; `start` goes on from
    the backbone of a checkpoint of the same shape and tokenizer (relative paths: from the working directory)."""

    folder: str | None = None
    start: str | None = None
    prune_layer: int | None = None
    hidden_size: int = 256
    intermediate_size: int = 768
    layers: int = 4
    heads: int = 4
    key_value_heads: int = 2
    head_dim: int = 64
    max_position_embeddings: int = 1024
    row_tokens: int = 256
    rows: int = 32
    total_tokens: int = 27_000_000
    max_minutes: float | None = None
    muon_lr: float = 4e-3
    adam_lr: float = 2e-3
    warmup: float = 0.03
    decay: float = 0.35
    bf16: bool = True
    compile: bool = True
    validate_every: int = 300
    save_every: int = 100
    weigh_families: bool = True


@dataclass(frozen=True)
class AdapterSettings:
    """LoRA of passes after the first; Think-at-Hard's input mix."""

    r: int = 16
    alpha: int = 32
    dropout: float = 0.0
    mix_topk: int = 100


@dataclass(frozen=True)
class LabelSettings:
    """Which answer tokens are hard: `mismatch` (paper), `maxp` (first-pass probability below `below`), `gain`."""

    kind: str = "mismatch"
    below: float = 0.9
    gain_above: float = 0.05
    reference: str = "self"


@dataclass(frozen=True)
class Stage1Settings:
    """Backbone and LoRA with the oracle deciding, or LoRA alone with `freeze_backbone`."""

    freeze_backbone: bool = False
    epochs: int = 5
    total_tokens: int | None = None
    rows: int = 16
    row_tokens: int = 256
    lr: float = 4e-5
    first_pass_loss: float = 0.0
    max_minutes: float | None = None
    save_every: int = 100
    bf16: bool = False


@dataclass(frozen=True)
class Stage2Settings:
    """The decider alone, by binary cross-entropy."""

    labels: LabelSettings = field(default_factory=LabelSettings)
    layers: list[int] = field(default_factory=lambda: [2, 4])
    hidden_dims: list[int] = field(default_factory=lambda: [64, 64])
    expansion_factor: int = 4
    topk: int = 20
    normalize_input: bool = False
    dropout: float = 0.1
    epochs: int = 2
    total_tokens: int | None = None
    rows: int = 16
    lr: float = 3e-5
    temper: float = 0.63
    max_share: float = 0.10


@dataclass(frozen=True)
class Recipe:
    name: str = "small"
    seed: int = 1
    threads: int | None = None
    data: DataSettings = field(default_factory=DataSettings)
    tokenizer: TokenizerSettings = field(default_factory=TokenizerSettings)
    backbone: BackboneSettings = field(default_factory=BackboneSettings)
    adapter: AdapterSettings = field(default_factory=AdapterSettings)
    labels: LabelSettings = field(default_factory=LabelSettings)
    stage1: Stage1Settings = field(default_factory=Stage1Settings)
    stage2: Stage2Settings = field(default_factory=Stage2Settings)
    max_iter: int = 2


def read_settings(kind: type[T], data: dict[str, Any], where: str) -> T:
    """Settings of `kind` from YAML data; `where` is the path so far, for messages."""
    hints = get_type_hints(kind)
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    for key in data:
        if key not in known:
            raise ValueError(f"{where}{key}: no such setting; known: {', '.join(sorted(known))}")
    values = {k: read_settings(hints[k], v, f"{where}{k}.") if is_dataclass(hints[k]) else v for k, v in data.items()}
    return kind(**values)


def read_yaml(kind: type[T], path: Path) -> T:
    """A file of settings; keys that aren't known are errors."""
    data = yaml.safe_load(path.read_text()) or {}
    if not isinstance(data, dict):
        raise ValueError(f"{path}: settings are expected, as `key: value`")
    return read_settings(kind, data, "")


def read_recipe(path: Path) -> Recipe:
    return read_yaml(Recipe, path)
