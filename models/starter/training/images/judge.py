"""A small classifier of pictures: which setting, which hour, which weather. Trained on the illustrator's own pictures.

It sees pictures at half their size, half of them as the autoencoder gives them back, some blurred or noisy, so that it
judges what a picture shows and not how crisp it is.
"""

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
from models.starter.training.images.architecture import LATENT_CHANNELS
from models.starter.training.images.autoencoder import decode, encode_moments
from models.starter.training.images.renders import labels_of
from models.starter.training.vocabulary import SETTINGS, TIMES, WEATHERS

HEADS = ("setting", "time", "weather")
_CLASSES = [len(SETTINGS), len(TIMES), len(WEATHERS)]


class Judge(nn.Module):
    """Pictures (n, 3, h, w) in -1..1, at half size, to logits (n, settings + times + weathers)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = 3
        for out, stride in ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (192, 2), (192, 1), (256, 2), (256, 1)):
            layers += [nn.Conv2d(width, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]
            width = out
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(width * 2, sum(_CLASSES))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of the three questions side by side."""
        features = self.features(images)
        pooled = torch.cat((features.mean((2, 3)), features.amax((2, 3))), 1)
        logits: torch.Tensor = self.head(pooled)
        return logits


def _loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    total = logits.new_zeros(())
    for index, part in enumerate(torch.split(logits, _CLASSES, 1)):
        target = labels[:, index].long()
        if (target >= 0).any():
            total = total + functional.cross_entropy(part, target, ignore_index=-1)
    return total


def train(pool: pools.Pool, vae: Any, device: str, *, seconds: float, batch_size: int = 192) -> Judge:
    """Train for `seconds` on the pool's pictures."""
    judge = Judge().to(device)
    optimizer = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=0.02)
    started, step = time.monotonic(), 0
    while (elapsed := time.monotonic() - started) < seconds or step < 2:
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * max(0.01, 1 - elapsed / seconds)
        aspect = random.choices(tuple(pool), [shelf.count for shelf in pool.values()])[0]
        shelf = pool[aspect]
        rows = torch.randint(0, shelf.count, (batch_size,), device=device)
        images = pools.to_unit(shelf.data[rows])
        with torch.no_grad(), torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            if random.random() < 0.5:
                images = decode(vae, encode_moments(vae, images)[:, :LATENT_CHANNELS]).float().clamp(-1, 1)
        images = functional.avg_pool2d(images, 2)
        if random.random() < 0.3:
            images = functional.interpolate(functional.avg_pool2d(images, 2), scale_factor=2, mode="bilinear")
        images = images + torch.randn_like(images) * random.uniform(0, 0.06)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            logits = judge(images.contiguous(memory_format=torch.channels_last))
        _loss(logits.float(), shelf.labels[rows]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
    print(f"judge: {step} steps of {batch_size} in {time.monotonic() - started:.0f} s", flush=True)
    judge.eval()
    return judge


@torch.no_grad()
def answers(judge: Judge, images: list[Any], device: str) -> torch.Tensor:
    """What the judge sees in uint8 pictures (h, w, 3) of one size: (n, 3) indices of setting, time, weather."""
    found = []
    for start in range(0, len(images), 32):
        batch = torch.stack([torch.from_numpy(np.array(image)) for image in images[start : start + 32]]).to(device)
        logits = judge(functional.avg_pool2d(pools.to_unit(batch), 2))
        found.append(torch.stack([part.argmax(1) for part in torch.split(logits, _CLASSES, 1)], 1).cpu())
    return torch.cat(found)


def accuracy(judge: Judge, images: list[Any], scenes: list[Scene], device: str) -> dict[str, float]:
    """Share of right answers for each question, over the pictures whose setting shows it."""
    labels = torch.tensor([labels_of(scene) for scene in scenes])
    given = answers(judge, images, device)
    result = {}
    for index, head in enumerate(HEADS):
        asked = labels[:, index] >= 0
        right = (given[asked, index] == labels[asked, index]).float().mean()
        result[head] = round(right.item(), 4) if asked.any() else float("nan")
    return result


def rendered_accuracy(judge: Judge, device: str, *, count: int) -> dict[str, float]:
    """The judge's own figures: its accuracy on freshly rendered wide pictures."""
    rng = random.Random(515151)
    scenes = [sample_scene(rng, "wide") for _ in range(count)]
    return accuracy(judge, [render(scene) for scene in scenes], scenes, device)
