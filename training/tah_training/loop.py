"""The one training loop: plain training, stage 1 and stage 2 are tasks of it. On one processor, one GPU or several by `accelerate`.

A step consists of `accumulate` micro-batches, which the processes share out among themselves; every draw of a micro-batch comes from its
own seed. So the same recipe takes the same steps however many processes there are, and a stopped run goes on as if it had not stopped.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState
from accelerate.utils import DistributedType, InitProcessGroupKwargs, broadcast, parse_flag_from_env
from torch import nn

from .documents import Documents
from .journal import Journal, clock, draw_curves
from .optimizers import rate_at
from .recipe import PaceSettings
from .shards import IGNORED, Rows

# A process may wait for what the first one does alone: data, tokenizer, export.
_PATIENCE = InitProcessGroupKwargs(timeout=timedelta(hours=24))

T = TypeVar("T")
Tensors = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def processes() -> PartialState:
    """Who this process is among those that `accelerate launch` has started; alone without it."""
    return PartialState(cpu=_on_processor(), **_PATIENCE.to_kwargs())


def _on_processor() -> bool:
    """Where there is no GPU, or the launcher says so; to be said outright, or several processes would each think that they are alone."""
    return parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.cuda.is_available()


def new_accelerator(bf16: bool, accumulate: int) -> Accelerator:
    """For one stage. A process may train several in a row, each with its own precision; the process group stays."""
    AcceleratorState._reset_state()
    GradientState._reset_state()
    return Accelerator(cpu=_on_processor(), mixed_precision="bf16" if bf16 else "no", gradient_accumulation_steps=accumulate, kwargs_handlers=[_PATIENCE])


def to_tensors(rows: Rows) -> Tensors:
    return tuple(torch.from_numpy(a) for a in (rows.ids, rows.labels, rows.positions, rows.documents))  # type: ignore[return-value]


class Task(nn.Module):
    """What a stage trains: the parameters of this module that require a gradient.

    `names` are those of the sums that `forward` gives beside the loss; `stage` that of the files.
    """

    stage = ""
    names: tuple[str, ...] = ()

    def forward(self, ids: torch.Tensor, labels: torch.Tensor, positions: torch.Tensor, documents: torch.Tensor, items: int, parts: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        """int64 [B, T] each. `items`: answer tokens of the whole step, `parts`: its micro-batches.

        Gives this micro-batch's share of the step's loss (the shares are added), and float32 sums in the order of `names`.
        """
        raise NotImplementedError

    def figures(self, sums: dict[str, float]) -> dict[str, float]:
        """What is written down of a step, `loss` among it, from its sums."""
        raise NotImplementedError

    def after_step(self, state: dict[str, Any], journal: Journal) -> None:
        """Called in every process after each step; may change `state`, the same everywhere."""

    def weights(self, state_dict: dict[str, T]) -> dict[str, T]:
        """The entries of this module's state dict that `<stage>.pt` holds, by their names there."""
        raise NotImplementedError


@dataclass(frozen=True)
class Place:
    """Where a recipe's training stands on disk."""

    folder: Path
    stage: str

    @property
    def state(self) -> Path:
        return self.folder / f"{self.stage}.state"

    @property
    def part(self) -> Path:
        return self.folder / f"{self.stage}.state.part"

    @property
    def result(self) -> Path:
        return self.folder / f"{self.stage}.pt"

    def saved(self) -> Path | None:
        """The newest whole state; state.json is written last, and a stop may fall between two renamings."""
        return next((f for f in (self.state, self.part) if (f / "state.json").is_file()), None)

    def forget(self) -> None:
        for folder in (self.state, self.part):
            shutil.rmtree(folder, ignore_errors=True)


class Loop:
    """Trains a task to the end of its pace. `start` is the state of a fresh run: `step`, `tokens`, `seconds`, `shard`, `row`, and what else the task keeps in it."""

    def __init__(self, task: Task, optimizers: list[torch.optim.Optimizer], documents: Documents, pace: PaceSettings, seed: int, folder: Path) -> None:
        who = processes()
        if pace.accumulate % who.num_processes:
            raise ValueError(f"{task.stage}.accumulate {pace.accumulate}: {who.num_processes} processes can't share so many micro-batches out evenly")
        self.task, self.documents, self.pace, self.seed = task, documents, pace, seed
        self.place = Place(folder, task.stage)
        self.state: dict[str, Any] = {"step": 0, "tokens": 0, "seconds": 0.0, "shard": 0, "row": 0, "part": 0.0}
        self.accelerator = new_accelerator(pace.bf16, pace.accumulate // who.num_processes)
        self._size_for_deepspeed()
        self.rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
        self.model, *self.optimizers = self.accelerator.prepare(task, *optimizers)
        self.journal = Journal(folder, task.stage, shown=who.is_main_process)
        if pace.total_tokens is None and documents.shards_per_epoch is None:
            raise ValueError(f"{task.stage}: generated problems have no end: set total_tokens")

    def _size_for_deepspeed(self) -> None:
        """DeepSpeed wants to know before it prepares what others are told step by step."""
        if self.accelerator.distributed_type == DistributedType.DEEPSPEED:
            given = self.accelerator.state.deepspeed_plugin.deepspeed_config
            given["train_micro_batch_size_per_gpu"] = self.pace.rows
            given["gradient_clipping"] = self.pace.clip

    def progress(self) -> float:
        """0 to 1: of the tokens, or of the epochs where no tokens are given; or of the time, if that is further."""
        if self.pace.total_tokens is not None:
            done = self.state["tokens"] / self.pace.total_tokens
        else:
            done = (self.state["shard"] + self.state["part"]) / (self.documents.shards_per_epoch or 1) / self.pace.epochs
        by_time = self.state["seconds"] / 60 / self.pace.max_minutes if self.pace.max_minutes else 0.0
        return max(done, by_time)

    def resume(self) -> bool:
        """Whether there was something to go on from; if not, the journal begins anew."""
        saved = self.place.saved()
        if saved is not None:
            self.accelerator.load_state(str(saved))
            # A state is saved between steps; the count of micro-batches may be that of another number of processes.
            self.accelerator.step = 0
            self.state |= json.loads((saved / "state.json").read_text())
        elif not self._resume_single_file():
            self.journal.rewind(-1)
            return False
        self.journal.rewind(self.state["step"])
        self.journal.say(f"goes on at step {self.state['step']}, {self.state['tokens'] / 1e6:.2f}M tokens")
        return True

    def _resume_single_file(self) -> bool:
        """State of a run by a version that kept weights, optimizers and state in one file."""
        data = torch.load(self.place.result, weights_only=True) if self.place.result.exists() else {}
        if "optimizers" not in data:
            return False
        model = self.accelerator.unwrap_model(self.model)
        assert isinstance(model, Task)
        own = model.weights({name: name for name in model.state_dict()})
        model.load_state_dict({name: data["model"][key] for key, name in own.items()})
        for optimizer, content in zip(self.optimizers, data["optimizers"]):
            optimizer.load_state_dict(content)
        self.state |= data["state"]
        return True

    def save(self) -> None:
        who, place = self.accelerator, self.place
        if who.is_main_process:
            shutil.rmtree(place.part, ignore_errors=True)
        who.wait_for_everyone()
        # Not as safetensors: those refuse the head that is the embedding.
        who.save_state(str(place.part), safe_serialization=False)
        who.wait_for_everyone()
        if who.is_main_process:
            (place.part / "state.json").write_text(json.dumps(self.state | {"progress": self.progress()}) + "\n")
            shutil.rmtree(place.state, ignore_errors=True)
            place.part.rename(place.state)
        who.wait_for_everyone()

    def _finish(self) -> None:
        weights = self.accelerator.get_state_dict(self.model)
        if self.accelerator.is_main_process:
            temporary = self.place.result.with_suffix(".tmp")
            kept = {name: tensor.detach().cpu() for name, tensor in self.task.weights(weights).items()}
            torch.save({"model": kept, "state": self.state}, temporary)
            temporary.replace(self.place.result)
            draw_curves(self.journal.path, self.place.folder / f"{self.task.stage}.svg")
        self.accelerator.wait_for_everyone()

    def _step(self, micro: list[Rows]) -> torch.Tensor:
        """One step of the optimizers; the sums of this process's micro-batches."""
        who, pace = self.accelerator, self.pace
        items = max(sum(int((rows.labels != IGNORED).sum()) for rows in micro), 1)
        share = rate_at(self.progress(), pace.warmup, pace.decay, pace.schedule, pace.min_rate)
        for optimizer, rates in zip(self.optimizers, self.rates):
            for group, rate in zip(optimizer.param_groups, rates):
                group["lr"] = rate * share
        total = torch.zeros(len(self.task.names), device=who.device)
        for index in range(who.process_index, len(micro), who.num_processes):
            tensors = tuple(t.to(who.device) for t in to_tensors(micro[index]))
            seed = self.seed * 1_000_003 + self.state["step"] * len(micro) + index
            torch.manual_seed(seed)
            with who.accumulate(self.model):
                loss, sums = self.model(*tensors, items, len(micro), seed)
                # Accelerate takes the mean over micro-batches and over processes.
                who.backward(loss * len(micro))
                if who.sync_gradients:
                    who.clip_grad_norm_(list(self.model.parameters()), pace.clip)
                for optimizer in self.optimizers:
                    optimizer.step()
                    optimizer.zero_grad(set_to_none=True)
            total += sums.detach().float()
        return total

    def _shares(self, shard: int) -> dict[str, float] | None:
        """Shares of the families in a shard: one that is begun keeps its own, so that it is the same after a stop."""
        state = self.state
        return state.get("shares") if shard == state["shard"] else state.get("coming") or state.get("shares")

    def _count_time(self, started: float) -> float:
        """Adds the time since `started`; all processes agree on that of the first."""
        now = time.monotonic()
        self.state["seconds"] += now - started
        if self.pace.max_minutes and self.accelerator.num_processes > 1:
            told = torch.tensor([self.state["seconds"]], dtype=torch.float32, device=self.accelerator.device)
            self.state["seconds"] = float(broadcast(told)[0])
        return now

    def run(self) -> dict[str, Any]:
        """Trains; gives the last state. Leaves `<stage>.pt` ({model, state}), `.jsonl` and `.svg`."""
        state, who, pace = self.state, self.accelerator, self.pace
        started, printed = time.monotonic(), {}
        stream = self.documents.batches(pace.rows, state["shard"], state["row"], self._shares)
        self.model.train()
        while self.progress() < 1.0:
            micro = [next(stream) for _ in range(pace.accumulate)]
            total = self._step([m.rows for m in micro])
            last = micro[-1]
            if last.shard != state["shard"] and "coming" in state:
                state["shares"] = state["coming"] or state["shares"]
            state["step"] += 1
            state["tokens"] += sum(int((m.rows.documents >= 0).sum()) for m in micro)
            state |= {"shard": last.shard, "row": last.row, "part": last.part}
            started = self._count_time(started)
            done = min(self.progress(), 1.0)
            if state["step"] % pace.log_every == 0 or not printed or done == 1.0:
                # In every process: the sums of all are added.
                sums = who.reduce(total, "sum").tolist()
                printed = self.task.figures(dict(zip(self.task.names, sums)))
                self.journal.write(step=state["step"], tokens=state["tokens"], rate=self.optimizers[0].param_groups[0]["lr"], seconds=round(state["seconds"]),
                                   **{k: round(v, 6) for k, v in printed.items()})
            left = state["seconds"] * (1 - done) / max(done, 1e-6)
            shown = " ".join(f"{k} {v:.4g}" for k, v in printed.items())
            self.journal.progress(done, f"step {state['step']} {state['tokens'] / 1e6:.2f}M tokens {state['tokens'] / max(state['seconds'], 1e-6):.0f}/s {shown}, {clock(left)} left")
            self.task.after_step(state, self.journal)
            if state["step"] % pace.save_every == 0:
                self.save()
        self.journal.close()
        self._finish()
        return state
