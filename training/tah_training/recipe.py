"""One YAML file per recipe, read into typed settings; an unknown key is an error."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml

T = TypeVar("T")


@dataclass(frozen=True)
class DataSettings:
    """`source`: `generated` (problems/), a file of JSON lines, or `datasets:NAME` for the `datasets` library (a data set of a hub, or a
    local folder), of which `subset` and `split` are read. `question` and `solution` name its columns; where a solution is a list, see
    `verified` in sources.py."""

    source: str = "generated"
    subset: str | None = None
    split: str = "train"
    question: str = "question"
    solution: str = "solution"
    verified: list[str] = field(default_factory=list)
    solution_tokens: int | None = None
    limit: int | None = None
    held_back: float = 0.01
    pack: bool = True
    long: str = "leave out"
    validation_per_family: int = 100
    heldout_per_family: int = 150
    tokenizer_problems: int = 30000
    problems_per_shard: int = 8192

    @property
    def generated(self) -> bool:
        return self.source == "generated"


@dataclass(frozen=True)
class TokenizerSettings:
    """`folder` takes a ready tokenizer instead of training one: a folder, or a name on the Hugging Face hub."""

    vocab_size: int = 640
    folder: str | None = None


@dataclass(frozen=True)
class PaceSettings:
    """How long and how fast a stage trains. A step takes `accumulate` micro-batches of `rows` rows, shared out among the processes; it ends
    after `total_tokens`, else after `epochs` of the data, and in any case after `max_minutes`. Rates rise over the share `warmup`; `schedule`
    `linear`: constant, then linear to `min_rate` of the full rate over the last `decay`; `cosine`: half a cosine to `min_rate`."""

    rows: int = 16
    accumulate: int = 1
    epochs: int = 1
    total_tokens: int | None = None
    max_minutes: float | None = None
    warmup: float = 0.03
    decay: float = 0.97
    schedule: str = "linear"
    min_rate: float = 0.0
    clip: float = 1.0
    bf16: bool = False
    save_every: int = 100
    log_every: int = 10


@dataclass(frozen=True)
class BackboneSettings(PaceSettings):
    """Shape and training of the plain model; `folder` takes a ready Hugging Face model instead, a folder or a name on the hub; `start`
    goes on from the backbone of a checkpoint of the same shape and tokenizer (relative paths: from the working directory).

    `prune_layer`: a block that is taken out of a ready model, `best` for the one that is missed least (pruning.py)."""

    folder: str | None = None
    start: str | None = None
    prune_layer: int | str | None = None
    prune_samples: int = 16
    prune_tokens: int = 4096
    hidden_size: int = 256
    intermediate_size: int = 768
    layers: int = 4
    heads: int = 4
    key_value_heads: int = 2
    head_dim: int = 64
    max_position_embeddings: int = 1024
    row_tokens: int = 256
    rows: int = 32
    total_tokens: int | None = 27_000_000
    muon_lr: float = 4e-3
    adam_lr: float = 2e-3
    decay: float = 0.35
    bf16: bool = True
    compile: bool = True
    validate_every: int = 300
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
    """Who takes a second pass in training: `mismatch` (paper: the `reference` model's first choice is wrong; `self` is the backbone before
    stage 1), `maxp` (first-pass probability below `below`), in stage 2 also `gain`. The baselines: `always`, and `never` (plain training)."""

    kind: str = "mismatch"
    below: float = 0.9
    gain_above: float = 0.05
    reference: str = "self"


@dataclass(frozen=True)
class Stage1Settings(PaceSettings):
    """Backbone and LoRA with the oracle deciding, or LoRA alone with `freeze_backbone`."""

    freeze_backbone: bool = False
    epochs: int = 5
    row_tokens: int = 256
    lr: float = 4e-5
    weight_decay: float = 0.0
    first_pass_loss: float = 0.0


@dataclass(frozen=True)
class Stage2Settings(PaceSettings):
    """The decider alone, by binary cross-entropy; rows as in stage 1 unless `row_tokens` is given. Weight of the positives: `pos_weight`, else ((1 - p) / p)^temper for the share p of wanted
    second passes. `threshold`: null chooses it on the validation split, among those that send at most `max_share`."""

    labels: LabelSettings = field(default_factory=LabelSettings)
    layers: list[int] = field(default_factory=lambda: [2, 4])
    hidden_dims: list[int] = field(default_factory=lambda: [64, 64])
    expansion_factor: int = 4
    topk: int = 20
    normalize_input: bool = False
    dropout: float = 0.1
    epochs: int = 2
    row_tokens: int | None = None
    decay: float = 0.6
    lr: float = 3e-5
    weight_decay: float = 0.01
    pos_weight: float | None = None
    temper: float = 0.63
    threshold: float | None = None
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


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    return base | {k: _merged(base[k], v) if isinstance(v, dict) and isinstance(base.get(k), dict) else v for k, v in over.items()}


def _read(path: Path) -> dict[str, Any]:
    """The keys of a file, on top of those of the file beside it that it `extends`."""
    data = yaml.safe_load(path.read_text()) or {}
    if not isinstance(data, dict):
        raise ValueError(f"{path}: settings are expected, as `key: value`")
    base = data.pop("extends", None)
    return data if base is None else _merged(_read(path.parent / base), data)


def read_yaml(kind: type[T], path: Path) -> T:
    """A file of settings; keys that aren't known are errors."""
    return read_settings(kind, _read(path), "")


def read_recipe(path: Path) -> Recipe:
    return read_yaml(Recipe, path)
