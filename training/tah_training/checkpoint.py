"""Reads and writes the official checkpoint layout: Hugging Face model, PEFT LoRA, iter_decider.bin, tah_config.json."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, PreTrainedModel

from .decider import MLPIterDecider
from .thinking import ThinkingModel

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "added_tokens.json", "special_tokens_map.json", "vocab.json", "merges.txt")


def with_adapter(model: PreTrainedModel, r: int, alpha: int, dropout: float = 0.0) -> PeftModel:
    """A fresh LoRA adapter on every linear of attention and MLP, the head excepted."""
    config = LoraConfig(r=r, lora_alpha=alpha, lora_dropout=dropout, target_modules="all-linear", bias="none")
    return get_peft_model(model, config, autocast_adapter_dtype=False)


def build_decider(kwargs: dict[str, Any], state: dict[str, torch.Tensor] | None) -> MLPIterDecider:
    """The decider of `iter_decider_kwargs`; without a dtype there, weights and threshold go through bfloat16. A threshold in the kwargs
    wins over the state dict's."""
    kwargs = dict(kwargs)
    dtype = _dtype(kwargs.pop("dtype", None)) or torch.bfloat16
    decider = MLPIterDecider(**kwargs)
    if state is not None:
        decider.load_state_dict(state)
    if "threshold" in kwargs:
        decider.threshold.fill_(kwargs["threshold"])
    return decider.to(dtype).float()


def _dtype(value: Any) -> torch.dtype | None:
    if isinstance(value, dict):
        value = value["__str__"]
    return getattr(torch, value.removeprefix("torch.")) if isinstance(value, str) else value


def load_checkpoint(folder: Path, override: dict[str, Any] | None = None) -> tuple[ThinkingModel, dict[str, Any]]:
    """The model in float32, evaluation mode, and its tah_config (with the fields of `override` replaced); a plain model, which has none,
    takes one pass."""
    if not (folder / "tah_config.json").exists():
        plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa")
        return ThinkingModel(plain, None, 1, 1).eval(), {}
    config = json.loads((folder / "tah_config.json").read_text()) | (override or {})
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa")
    lora = config["adapter_kwargs"]
    adapted = with_adapter(model, lora["r"], lora["lora_alpha"])
    tensors = load_file(folder / "lora" / "adapter_model.safetensors")
    names = dict(adapted.named_parameters())
    wanted = {n for n in names if ".lora_" in n}
    for name, tensor in tensors.items():
        full = name.replace(".weight", ".default.weight")
        wanted.remove(full)
        names[full].data.copy_(tensor.float())
    if wanted:
        raise ValueError(f"{folder}/lora/adapter_model.safetensors lacks {sorted(wanted)}")
    stored = torch.load(folder / "iter_decider.bin", weights_only=True)
    decider = build_decider(config["iter_decider_kwargs"], stored["state_dict"])
    return ThinkingModel(adapted, decider, config["input_updater_kwargs"]["topk"], config["max_iter"]).eval(), config


def save_checkpoint(model: ThinkingModel, decider_kwargs: dict[str, Any], lora: dict[str, Any], tokenizer_folder: Path, folder: Path) -> None:
    """Base weights in bfloat16, LoRA and decider in float32; a model without an adapter is written as the plain model that it is.
    Written beside the target and renamed."""
    temporary = folder.with_name(folder.name + ".part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    adapted = model.model
    base = adapted.get_base_model() if isinstance(adapted, PeftModel) else adapted
    _save_plain(base, tokenizer_folder, temporary)
    if isinstance(adapted, PeftModel):
        _save_thinking(model, adapted, decider_kwargs, lora, temporary)
    for file in temporary.rglob("*.safetensors"):
        file.chmod(0o644)
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)


def _save_plain(base: PreTrainedModel, tokenizer_folder: Path, folder: Path) -> None:
    state = {n.replace(".base_layer.", "."): t.detach().to(torch.bfloat16).contiguous() for n, t in base.state_dict().items() if ".lora_" not in n}
    if base.config.tie_word_embeddings:
        state.pop("lm_head.weight", None)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(_plain_config(base), indent=2) + "\n")
    ends: dict[str, Any] = {"eos_token_id": base.config.eos_token_id, "pad_token_id": base.config.pad_token_id}
    sampling = base.generation_config
    ends["do_sample"] = sampling.do_sample
    if sampling.do_sample:
        ends |= {"temperature": sampling.temperature, "top_k": sampling.top_k, "top_p": sampling.top_p}
    (folder / "generation_config.json").write_text(json.dumps(ends, indent=2) + "\n")
    for name in TOKENIZER_FILES:
        if (tokenizer_folder / name).exists():
            shutil.copyfile(tokenizer_folder / name, folder / name)


def _save_thinking(model: ThinkingModel, adapted: PeftModel, decider_kwargs: dict[str, Any], lora: dict[str, Any], folder: Path) -> None:
    (folder / "lora").mkdir()
    adapter = {n.replace(".default.", "."): p.detach().float().contiguous() for n, p in adapted.named_parameters() if ".lora_" in n}
    save_file(adapter, folder / "lora" / "adapter_model.safetensors", metadata={"format": "pt"})
    (folder / "lora" / "adapter_config.json").write_text(json.dumps(_adapter_config(adapted.get_base_model(), lora), indent=2) + "\n")
    decider = model.decider
    assert decider is not None
    init_args = decider_kwargs | {"dtype": torch.float32}
    decider_state = {n: t.detach().float().clone() for n, t in decider.state_dict().items()}
    torch.save({"class": "MLPIterDecider", "init_args": init_args, "state_dict": decider_state}, folder / "iter_decider.bin")
    (folder / "tah_config.json").write_text(json.dumps(_tah_config(model, decider_kwargs, lora), indent=2) + "\n")


def _plain_config(base: PreTrainedModel) -> dict[str, Any]:
    """config.json in the form that older and newer transformers read: rope_theta at the top."""
    config = base.config.to_dict()
    rope = config.pop("rope_parameters", None) or {}
    config.pop("layer_types", None)
    config.pop("dtype", None)
    kept = ("attention_bias", "attention_dropout", "bos_token_id", "eos_token_id", "pad_token_id", "head_dim", "hidden_act", "hidden_size", "initializer_range", "intermediate_size",
            "max_position_embeddings", "max_window_layers", "mlp_bias", "model_type", "num_attention_heads", "num_hidden_layers", "num_key_value_heads", "rms_norm_eps", "sliding_window",
            "tie_word_embeddings", "use_sliding_window", "vocab_size")
    plain = {k: config[k] for k in kept if k in config}
    return {"architectures": [type(base).__name__], **plain, "rope_scaling": config.get("rope_scaling"), "rope_theta": rope.get("rope_theta", config.get("rope_theta")), "torch_dtype": "bfloat16", "use_cache": True}


def _adapter_config(base: PreTrainedModel, lora: dict[str, Any]) -> dict[str, Any]:
    return {
        "alpha_pattern": {}, "auto_mapping": {"base_model_class": type(base).__name__, "parent_library": type(base).__module__}, "base_model_name_or_path": "", "bias": "none",
        "exclude_modules": None, "fan_in_fan_out": False, "inference_mode": True, "init_lora_weights": True, "layer_replication": None, "layers_pattern": None, "layers_to_transform": None,
        "loftq_config": {}, "lora_alpha": lora["lora_alpha"], "lora_bias": False, "lora_dropout": lora["lora_dropout"], "megatron_config": None, "megatron_core": "megatron.core",
        "modules_to_save": None, "peft_type": "LORA", "r": lora["r"], "rank_pattern": {}, "revision": None,
        "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"], "task_type": None, "trainable_token_indices": None, "use_dora": False, "use_rslora": False,
    }


def _tah_config(model: ThinkingModel, decider_kwargs: dict[str, Any], lora: dict[str, Any]) -> dict[str, Any]:
    return {
        "embedding_key": "model.embed_tokens", "max_iter": model.max_iter, "iter_decider": "MLPIterDecider",
        "iter_decider_kwargs": decider_kwargs | {"dtype": {"__dtype__": True, "__str__": "torch.float32"}}, "eval_iter_decider": "iter_decider", "eval_iter_decider_kwargs": {},
        "input_updater_kwargs": {"topk": model.mix_topk}, "adapter": "lora",
        "adapter_kwargs": {"r": lora["r"], "lora_alpha": lora["lora_alpha"], "lora_dropout": lora["lora_dropout"], "target_modules": "all-linear", "bias": "none", "base_grad": False, "adapter_grad": False},
        "train_loss": "NextTokenPredLoss", "train_loss_kwargs": {}, "eval_loss": "NextTokenPredLoss", "eval_loss_kwargs": {},
    }
