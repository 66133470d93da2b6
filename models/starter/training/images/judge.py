"""A small classifier of pictures: which setting, which hour, which weather. Trained on the illustrator's own pictures.

It reads wide pictures at their full size, because rain behind a window is one pixel thin, and it learns on softened
ones beside crisp ones, so that it judges what a picture shows and not how crisp it is.
"""

import math
import random
import time
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from models.starter.training.illustrator.compose import render
from models.starter.training.illustrator.scene import Scene, sample_scene
from models.starter.training.images import pools
from models.starter.training.images.renders import Renderers, labels_of
from models.starter.training.images.softening import soften
from models.starter.training.vocabulary import SETTINGS, TIMES, WEATHERS

HEADS = ("setting", "time", "weather")
ASPECT = "wide"
_NAMES = (tuple(SETTINGS), tuple(TIMES), tuple(WEATHERS))
_CLASSES = [len(names) for names in _NAMES]
_WIDTHS = (64, 128, 256, 384)
_PEAK_LEARNING_RATE = 2e-3
_WARM_UP_STEPS = 100
_REPORT_SECONDS = 15.0


class _Residual(nn.Module):
    """Two 3x3 convolutions and a way around them; the first may halve the picture and widen it."""

    def __init__(self, width: int, out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, out, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(out), nn.BatchNorm2d(out)])
        self.around: nn.Module = nn.Identity()
        if stride > 1 or width != out:
            self.around = nn.Sequential(nn.AvgPool2d(stride, ceil_mode=True), nn.Conv2d(width, out, 1, bias=False))
        nn.init.zeros_(self.norms[1].weight)  # type: ignore[arg-type]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (n, width, h, w) to (n, out, h / stride, w / stride), rounded up."""
        inner = functional.relu(self.norms[0](self.first(x)))
        result: torch.Tensor = functional.relu(self.around(x) + self.norms[1](self.second(inner)))
        return result


class Judge(nn.Module):
    """Pictures (n, 3, h, w) in -1..1 to logits (n, settings + times + weathers)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 32, 4, 2, 1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(inplace=True),
            nn.Conv2d(32, _WIDTHS[0], 3, 2, 1, bias=False),
            nn.BatchNorm2d(_WIDTHS[0]),
            nn.ReLU(inplace=True),
        )
        blocks: list[nn.Module] = []
        width = _WIDTHS[0]
        for level, out in enumerate(_WIDTHS):
            blocks += [_Residual(width, out, 2 if level else 1), _Residual(out, out, 1)]
            width = out
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(width * 2, sum(_CLASSES))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of the three questions side by side."""
        features = self.blocks(self.stem(images))
        pooled = torch.cat((features.mean((2, 3)), features.amax((2, 3))), 1)
        logits: torch.Tensor = self.head(pooled)
        return logits


def _loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    total = logits.new_zeros(())
    for index, part in enumerate(torch.split(logits, _CLASSES, 1)):
        losses = functional.cross_entropy(
            part, labels[:, index].long(), ignore_index=-1, reduction="none", label_smoothing=0.02
        )
        total = total + losses.mean()
    return total


def _learning_rate(progress: float, step: int) -> float:
    falling = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return _PEAK_LEARNING_RATE * min(1.0, (step + 1) / _WARM_UP_STEPS) * max(0.002, falling)


def _receive(shelf: pools.Shelf, renderers: Renderers, *, wait_seconds: float = 0.0) -> None:
    chunk = renderers.take(wait_seconds=wait_seconds)
    if chunk is not None:
        shelf.add(*(torch.from_numpy(part) for part in (chunk.images, chunk.tokens, chunk.labels)))


def train(
    shelf: pools.Shelf,
    renderers: Renderers,
    device: str,
    *,
    seconds: float,
    batch_size: int = 256,
    minimum_pictures: int = 4096,
) -> Judge:
    """Train for `seconds` on the wide pictures that the renderers draw meanwhile; the shelf keeps the latest."""
    started = time.monotonic()
    while shelf.count < minimum_pictures and time.monotonic() - started < seconds:
        _receive(shelf, renderers, wait_seconds=5.0)
    judge = Judge()
    judge.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(judge.parameters(), lr=_PEAK_LEARNING_RATE, weight_decay=0.05)
    started_steps, step, printed = time.monotonic(), 0, 0.0
    left = seconds - (started_steps - started)
    print(f"judge: {shelf.count} pictures to begin with after {started_steps - started:.0f} s", flush=True)
    while (elapsed := time.monotonic() - started_steps) < left or step < 2:
        _receive(shelf, renderers)
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(elapsed / max(left, 1e-3), step)
        rows = torch.randint(0, shelf.count, (batch_size,), device=device)
        with torch.no_grad():
            images = soften(pools.to_unit(shelf.data[rows])).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            logits = judge(images)
        loss = _loss(logits.float(), shelf.labels[rows])
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(judge.parameters(), 2.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if elapsed - printed > _REPORT_SECONDS:
            printed = elapsed
            print(f"judge: {elapsed:.0f} s, step {step}, loss {loss.item():.3f}, {shelf.count} pictures", flush=True)
    print(f"judge: {step} steps of {batch_size} in {time.monotonic() - started:.0f} s", flush=True)
    judge.eval()
    return judge


@torch.no_grad()
def answers(judge: Judge, images: list[Any], device: str, *, softened: bool = False) -> torch.Tensor:
    """What the judge sees in uint8 pictures (h, w, 3) of one size: (n, 3) indices of setting, time, weather."""
    found = []
    for start in range(0, len(images), 32):
        batch = torch.stack([torch.from_numpy(np.array(image)) for image in images[start : start + 32]]).to(device)
        unit = pools.to_unit(batch)
        logits = judge(soften(unit) if softened else unit)
        found.append(torch.stack([part.argmax(1) for part in torch.split(logits, _CLASSES, 1)], 1).cpu())
    return torch.cat(found)


def _right_shares(given: torch.Tensor, labels: torch.Tensor) -> dict[str, float]:
    result = {}
    for index, head in enumerate(HEADS):
        asked = labels[:, index] >= 0
        right = (given[asked, index] == labels[asked, index]).float().mean()
        result[head] = round(right.item(), 4) if asked.any() else float("nan")
    return result


def accuracy(judge: Judge, images: list[Any], scenes: list[Scene], device: str) -> dict[str, float]:
    """Share of right answers for each question, over the pictures whose setting shows it."""
    return _right_shares(answers(judge, images, device), torch.tensor([labels_of(scene) for scene in scenes]))


def mistakes(given: torch.Tensor, labels: torch.Tensor) -> dict[str, dict[str, int]]:
    """For each question, how often what was taken for what, `{"storm > rain": 4}`, most frequent first."""
    found: dict[str, dict[str, int]] = {}
    for index, (head, names) in enumerate(zip(HEADS, _NAMES, strict=True)):
        counts: dict[str, int] = {}
        for answer, truth in zip(given[:, index].tolist(), labels[:, index].tolist(), strict=True):
            if truth not in (-1, answer):
                key = f"{names[truth]} > {names[answer]}"
                counts[key] = counts.get(key, 0) + 1
        found[head] = dict(sorted(counts.items(), key=lambda pair: -pair[1])[:12])
    return found


def rendered_accuracy(judge: Judge, device: str, *, count: int) -> dict[str, Any]:
    """The judge's own figures on freshly rendered wide pictures, crisp and softened, and its commonest mistakes."""
    rng = random.Random(515151)
    scenes = [sample_scene(rng, ASPECT) for _ in range(count)]
    labels = torch.tensor([labels_of(scene) for scene in scenes])
    images: list[Any] = [render(scene) for scene in scenes]
    given = answers(judge, images, device)
    softened = _right_shares(answers(judge, images, device, softened=True), labels)
    return {**_right_shares(given, labels), "softened": softened, "mistakes": mistakes(given, labels)}
