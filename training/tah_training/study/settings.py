"""The settings of a study: one YAML file; an unknown key is an error."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class StudySettings:
    """A shallow backbone, what it and each arm may see, and on how many problems they are judged."""

    name: str = "study"
    seeds: list[int] = field(default_factory=lambda: [1, 2, 3])
    layers: int = 1
    hidden_size: int = 128
    heads: int = 4
    rows: int = 256
    backbone_tokens: int = 40_000_000
    # The arms of every seed start from the backbone of this one; by default each seed trains its own.
    backbone_seed: int | None = None
    # torch.compile for the backbone's steps: about twice as fast; needs a C++ compiler.
    compile: bool = False
    arm_tokens: int = 5_000_000
    decider_tokens: int = 500_000
    heldout_per_form: int = 500
    validation_per_form: int = 300
    muon_lr: float = 4e-3
    adam_lr: float = 2e-3
    lr: float = 1e-3
    lora_lr: float = 2e-3
    lora_r: int = 16
    mix_topk: int = 100
    below: float = 0.9
    gain_above: float = 0.05
    first_pass_loss: float = 0.3
    shares: list[float] = field(default_factory=lambda: [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8])
