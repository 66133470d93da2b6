"""Trains the model for a given time, writes a checkpoint to resume from, and the weights in small fp16 files.

Loss on the answers only. The learning rate follows the whole planned time, over as many parts as it takes: warm-up,
constant, then a straight line down to nothing over the last 40% (so a part may end anywhere).
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from random import Random
from typing import Any

from models.starter.training.text.batches import IGNORED, Example, batches, start_generators
from models.starter.training.text.model import build_model
from models.starter.training.text.tokenizer import build_tokenizer, load_tokenizer

PEAK_LEARNING_RATE = 1.5e-3
WARM_UP_STEPS = 200
DECAY_SHARE = 0.4
# A pool of conversations is reused until fresh ones replace it: the generators need not keep up with the GPU.
POOL_CONVERSATIONS = 240_000
SHARD_BYTES = 15_000_000
CHECKPOINT = "text_checkpoint.pt"


def learning_rate(step: int, share_done: float) -> float:
    """The rate at `step`, when `share_done` (0 to 1) of the planned time has passed."""
    decay = min(1.0, max(0.0, (1.0 - share_done) / DECAY_SHARE))
    return PEAK_LEARNING_RATE * min(1.0, (step + 1) / WARM_UP_STEPS) * max(decay, 0.01)


def train(
    work_dir: Path,
    out_dir: Path,
    *,
    minutes: float,
    total_minutes: float,
    processes: int,
    smoke: bool = False,
    tokens_per_batch: int = 65_536,
) -> None:
    """Trains for `minutes` of wall-clock time, everything included, of `total_minutes` over all parts.

    Resumes from `work_dir`'s checkpoint where there is one. Writes shards, `tokenizer.json` and a log to `out_dir`.
    """
    import torch

    clock = _Clock(minutes, total_minutes)
    work_dir.mkdir(parents=True, exist_ok=True)
    out_dir.mkdir(parents=True, exist_ok=True)
    tokenizer_file = work_dir / "text_tokenizer.json"
    if not tokenizer_file.exists():
        build_tokenizer(conversations=600 if smoke else 12_000).backend_tokenizer.save(str(tokenizer_file))
        _say(f"tokenizer built in {clock.elapsed:.0f} s")
    checkpoint = work_dir / CHECKPOINT
    state = torch.load(checkpoint, map_location="cpu", weights_only=True) if checkpoint.exists() else None
    part = state["part"] + 1 if state else 1
    queue, generators = start_generators(tokenizer_file, processes, seed=part)
    try:
        torch.manual_seed(part)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model = build_model(load_tokenizer(tokenizer_file).backend_tokenizer.get_vocab_size(), tiny=smoke).to(device)
        optimizer = _optimizer(model, device)
        step = 0
        if state:
            model.load_state_dict(state["model"])
            optimizer.load_state_dict(state["optimizer"])
            step, clock.seconds_before = state["step"], state["seconds"]
        millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
        _say(f"part {part} on {device}: {millions:.1f} M parameters, step {step}, {processes} generators")
        pool = _Pool(queue, Random(part), first=64 if smoke else 8_000)
        log: list[dict[str, float]] = []
        seen_tokens, last_said = 0, -60.0
        budget = tokens_per_batch // 16 if smoke else tokens_per_batch
        while clock.left > 0:
            for ids, labels in pool.batches(budget):
                rate = learning_rate(step, clock.share_done)
                for group in optimizer.param_groups:
                    group["lr"] = rate
                loss = train_step(model, optimizer, ids, labels, device)
                step += 1
                seen_tokens += ids.size
                pool.refill()
                if clock.elapsed - last_said > (5 if smoke else 15):
                    last_said = clock.elapsed
                    log.append({"seconds": round(clock.total), "step": step, "loss": round(loss.item(), 4)})
                    _say(
                        f"{last_said:4.0f} s  step {step}  loss {loss.item():.4f}  rate {rate:.2e}  "
                        f"{seen_tokens / 1e6:.0f} M tokens  {pool.drawn} conversations drawn, {len(pool.examples)} in the pool"
                    )
                if clock.left <= 0:
                    break
        write_shards(model, out_dir)
        shutil.copyfile(tokenizer_file, out_dir / "tokenizer.json")
        (out_dir / f"text_log_{part}.json").write_text(json.dumps(log), encoding="utf-8")
        saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save({**saved, "step": step, "seconds": clock.total, "part": part}, checkpoint)
        _say(f"part {part} done: step {step}, {seen_tokens / 1e6:.0f} M tokens, {clock.elapsed:.0f} s")
    finally:
        for process in generators:
            process.terminate()


class _Clock:
    """Wall-clock time of this part, and of all parts together. The last 12 s of a part are kept for saving."""

    def __init__(self, minutes: float, total_minutes: float) -> None:
        self.start = time.monotonic()
        self.minutes, self.total_minutes = minutes, total_minutes
        self.seconds_before = 0.0

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.start

    @property
    def total(self) -> float:
        return self.seconds_before + self.elapsed

    @property
    def share_done(self) -> float:
        return self.total / (60.0 * self.total_minutes)

    @property
    def left(self) -> float:
        """Seconds left for training."""
        return 60.0 * self.minutes - min(12.0, 6.0 * self.minutes) - self.elapsed


class _Pool:
    """The conversations at hand: filled by the generators, and once full, renewed in random places."""

    def __init__(self, queue: Any, rng: Random, first: int) -> None:
        self.queue, self.rng = queue, rng
        self.examples: list[Example] = []
        while len(self.examples) < first:
            self.examples += queue.get()
        self.drawn = len(self.examples)

    def batches(self, tokens_per_batch: int) -> Iterator[tuple[Any, Any]]:
        """Batches of a sample of the pool: small enough that new conversations get in soon."""
        sample = self.rng.sample(self.examples, min(len(self.examples), 12_000))
        return batches(sample, self.rng, tokens_per_batch)

    def refill(self) -> None:
        """Takes at most two chunks that wait in the queue; never waits itself."""
        for _ in range(2):
            try:
                fresh = self.queue.get_nowait()
            except Empty:
                return
            self.drawn += len(fresh)
            if len(self.examples) < POOL_CONVERSATIONS:
                self.examples += fresh
            else:
                for example in fresh:
                    self.examples[self.rng.randrange(len(self.examples))] = example


def train_step(model: Any, optimizer: Any, ids: Any, labels: Any, device: str) -> Any:
    """One step on a batch of shape (rows, length); the loss, still on the device.

    Logits are computed only where an answer is predicted: the questions are half of all tokens.
    """
    import torch

    inputs = torch.from_numpy(ids).to(device, non_blocking=True)
    targets = torch.from_numpy(labels).to(device, non_blocking=True)[:, 1:].reshape(-1)
    with torch.autocast(device, dtype=torch.bfloat16):
        hidden = model.model(input_ids=inputs, use_cache=False).last_hidden_state[:, :-1]
        chosen = targets != IGNORED
        logits = model.lm_head(hidden.reshape(-1, hidden.shape[-1])[chosen])
    loss = torch.nn.functional.cross_entropy(logits.float(), targets[chosen])
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.detach()


def _optimizer(model: Any, device: str) -> Any:
    import torch

    decayed = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    plain = [parameter for parameter in model.parameters() if parameter.dim() < 2]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=PEAK_LEARNING_RATE, betas=(0.9, 0.97), fused=device == "cuda")


def write_shards(model: Any, out_dir: Path) -> None:
    """The weights in fp16 as `text_weights_<n>.safetensors` of at most `SHARD_BYTES` each; tied weights once."""
    import torch
    from safetensors.torch import save_file

    shards: list[dict[str, Any]] = [{}]
    size = 0
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight":
            continue
        half = tensor.detach().to("cpu", torch.float16).contiguous().clone()
        if size + half.nbytes > SHARD_BYTES and shards[-1]:
            shards.append({})
            size = 0
        shards[-1][name] = half
        size += half.nbytes
    for old in out_dir.glob("text_weights_*.safetensors"):
        old.unlink()
    for number, shard in enumerate(shards, 1):
        save_file(shard, out_dir / f"text_weights_{number}.safetensors", metadata={"format": "pt"})


def _say(line: str) -> None:
    print(f"text: {line}", flush=True)
