"""Trains the autoencoder: pictures in, 12-channel latents eight times smaller, pictures back.

Trained on 224-pixel crops, which is one shape to compile and every kind of picture; convolutions do not mind the size.
The loss is L1, squared error (what PSNR counts) and the gradients' L1 (edges), with a little KL. One picture in four
is also decoded from latents at half their resolution and compared with the picture at half its resolution, which makes
latents behave like small pictures and is known to make them easier to generate (EQ-VAE, arXiv 2502.09509).
"""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from models.starter.training.illustrator.compose import render
from models.starter.training.illustrator.scene import SIZES_BY_ASPECT, sample_scene
from models.starter.training.images import architecture, pools, shards
from models.starter.training.images.architecture import LATENT_CHANNELS
from models.starter.training.images.renders import Renderers

_CROP = 224
_KL_WEIGHT = 3e-4  # keeps a little noise in the latents: the decoder must bear the denoiser's small errors
_HALF_SCALE_SHARE = 0.25


@dataclass(frozen=True)
class Settings:
    """How the autoencoder is trained; times in seconds."""

    device: str
    seconds: float
    batch_size: int = 64
    learning_rate: float = 1e-3
    compile: bool = True
    tiny: bool = False
    minimum_pictures: int = 1024
    eval_pictures: int = 96
    initial: Path | None = None
    """Directory with a former training's shards to go on from."""


def encode_moments(model: Any, images: torch.Tensor) -> torch.Tensor:
    """(n, 2c, h/8, w/8): mean and log-variance of the latents."""
    moments: torch.Tensor = model.quant_conv(model.encoder(images))
    return moments


def decode(model: Any, latents: torch.Tensor) -> torch.Tensor:
    """(n, c, h, w) latents to (n, 3, 8h, 8w) pictures in about -1..1."""
    images: torch.Tensor = model.decoder(model.post_quant_conv(latents))
    return images


def _crops(pool: pools.Pool, count: int) -> torch.Tensor:
    """A batch of crops of one aspect, mirrored half of the time."""
    aspects = list(pool)
    weights = [pool[aspect].count for aspect in aspects]
    shelf = pool[random.choices(aspects, weights)[0]]
    rows = torch.randint(0, shelf.count, (count,), device=shelf.data.device)
    height, width = shelf.data.shape[1:3]
    top, left = random.randint(0, height - _CROP), random.randint(0, width - _CROP)
    images = pools.to_unit(shelf.data[rows, top : top + _CROP, left : left + _CROP])
    return images.flip(3) if random.random() < 0.5 else images


def _gradient_l1(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    across = (a[..., 1:] - a[..., :-1]) - (b[..., 1:] - b[..., :-1])
    down = (a[..., 1:, :] - a[..., :-1, :]) - (b[..., 1:, :] - b[..., :-1, :])
    return across.abs().mean() + down.abs().mean()


def reconstruction_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """L1, squared error and gradient L1, weighted so that each matters."""
    error = output - target
    return error.abs().mean() + 4.0 * error.square().mean() + 0.5 * _gradient_l1(output, target)


def train(
    settings: Settings, pool: pools.Pool, renderers: Renderers, *, on_compiled: Callable[[], None] | None = None
) -> nn.Module:
    """Train for `settings.seconds` from now; returns the averaged weights, not yet folded.

    `on_compiled` is called once the own compilation is over and its processor cores are free again.
    """
    started = time.monotonic()
    device = settings.device
    model, average = (
        architecture.autoencoder(tiny=settings.tiny).to(device, memory_format=torch.channels_last) for _ in range(2)
    )
    if settings.initial is not None:
        model.load_state_dict(shards.load(settings.initial, "vae"))
    average.load_state_dict(model.state_dict())
    average.requires_grad_(False)
    parameters, averaged = list(model.parameters()), list(average.parameters())
    print(f"autoencoder: {sum(p.numel() for p in parameters) / 1e6:.2f} M parameters", flush=True)
    optimizer = torch.optim.AdamW(
        parameters, lr=settings.learning_rate, betas=(0.9, 0.99), weight_decay=1e-4, fused=device == "cuda"
    )

    def forward(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        mean, log_variance = encode_moments(model, images).chunk(2, 1)
        mean, log_variance = mean.float(), log_variance.float().clamp(-20, 8)
        latents = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return decode(model, latents).float(), latents, mean, log_variance

    step_forward = torch.compile(forward, dynamic=False) if settings.compile else forward
    if settings.compile:  # compiled on noise while the first pictures are drawn
        noise = torch.rand(settings.batch_size, 3, _CROP, _CROP, device=device).to(memory_format=torch.channels_last)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            step_forward(noise)[0].sum().backward()  # type: ignore[no-untyped-call]
        optimizer.zero_grad(set_to_none=True)
        print(f"autoencoder: compiled after {time.monotonic() - started:.0f} s", flush=True)
    if on_compiled is not None:
        on_compiled()
    while pools.size(pool) < settings.minimum_pictures or not all(shelf.count for shelf in pool.values()):
        _receive(pool, renderers, wait_seconds=5.0)

    step, printed, full = 0, 0.0, False
    while (elapsed := time.monotonic() - started) < settings.seconds or step < 2:
        if step % (20 if full else 1) == 0:
            _receive(pool, renderers)
            full = all(shelf.count == len(shelf.data) for shelf in pool.values())
        progress = min(1.0, elapsed / settings.seconds)
        rate = (
            settings.learning_rate
            * min(1.0, (step + 1) / 200)
            * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        )
        for group in optimizer.param_groups:
            group["lr"] = rate
        images = _crops(pool, settings.batch_size)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            output, latents, mean, log_variance = step_forward(images)
        loss = reconstruction_loss(output, images)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        total = loss + _KL_WEIGHT * kl
        few = max(1, round(settings.batch_size * _HALF_SCALE_SHARE))
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            small = decode(model, functional.avg_pool2d(latents[:few], 2)).float()
        total = total + 0.25 * _HALF_SCALE_SHARE * reconstruction_loss(small, functional.avg_pool2d(images[:few], 2))
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        decay = min(0.998, (1 + step) / (10 + step))
        torch._foreach_lerp_(averaged, [p.detach() for p in parameters], 1 - decay)
        step += 1
        if elapsed - printed > 15:
            printed = elapsed
            psnr = 10 * math.log10(4 / max(1e-9, functional.mse_loss(output, images).item()))
            print(
                f"autoencoder: {elapsed:.0f} s, step {step}, loss {loss.item():.4f}, batch {psnr:.2f} dB,"
                f" KL {kl.item():.2f}, {pools.size(pool)} pictures",
                flush=True,
            )
    print(f"autoencoder: {step} steps of {settings.batch_size} in {time.monotonic() - started:.0f} s", flush=True)
    finished: nn.Module = average.eval()
    return finished


def _receive(pool: pools.Pool, renderers: Renderers, *, wait_seconds: float = 0.0) -> None:
    chunk = renderers.take(wait_seconds=wait_seconds)
    if chunk is not None:
        pool[chunk.aspect].add(*(torch.from_numpy(part) for part in (chunk.images, chunk.tokens, chunk.labels)))


@torch.no_grad()
def fold_statistics(model: Any, pool: pools.Pool) -> tuple[list[float], list[float]]:
    """Make latents zero-mean, unit-variance per channel by folding their statistics into the 1x1 convolutions.

    A stable-diffusion pipeline knows a scale for latents and no shift, and only one scale for all channels. Returns
    the channels' former means and standard deviations.
    """
    sums = []
    for shelf in pool.values():
        for start in range(0, min(shelf.count, 512), 64):
            moments = encode_moments(model, pools.to_unit(shelf.data[start : min(start + 64, shelf.count)]))
            sums.append(moments[:, :LATENT_CHANNELS].transpose(0, 1).flatten(1))
    values = torch.cat(sums, 1)
    mean, std = values.mean(1), values.std(1)
    quant, post = model.quant_conv, model.post_quant_conv
    quant.weight.data[:LATENT_CHANNELS] /= std[:, None, None, None]
    quant.bias.data[:LATENT_CHANNELS] = (quant.bias.data[:LATENT_CHANNELS] - mean) / std
    quant.bias.data[LATENT_CHANNELS:] -= 2 * torch.log(std)
    post.bias.data += post.weight.data[:, :, 0, 0] @ mean
    post.weight.data *= std[None, :, None, None]
    return mean.tolist(), std.tolist()


@torch.no_grad()
def measure(model: Any, settings: Settings, preview: Path | None = None) -> float:
    """Mean PSNR in dB over freshly drawn wide pictures; saves originals above reconstructions if asked."""
    from PIL import Image

    rng = random.Random(424242)
    images = torch.stack(
        [torch.from_numpy(render(sample_scene(rng, "wide")).copy()) for _ in range(settings.eval_pictures)]
    )
    values, outputs = [], []
    for start in range(0, len(images), 16):
        batch = pools.to_unit(images[start : start + 16].to(settings.device))
        output = decode(model, encode_moments(model, batch)[:, :LATENT_CHANNELS]).clamp(-1, 1)
        output = ((output + 1) * 127.5).round() / 127.5 - 1
        values.append(10 * torch.log10(4 / (output - batch).square().mean((1, 2, 3)).clamp_min(1e-9)))
        outputs.append(((output + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu())
    if preview is not None:
        width, height = SIZES_BY_ASPECT["wide"]
        columns = min(6, len(images))
        made = torch.cat(outputs)
        sheet = Image.new("RGB", (columns * width, 4 * height))
        for row in range(2):
            for column in range(columns):
                index = (row * columns + column) % len(images)
                for offset, source in ((0, images), (1, made)):
                    picture = Image.fromarray(source[index].numpy())
                    sheet.paste(picture, (column * width, (2 * row + offset) * height))
        sheet.save(preview, quality=93)
    return torch.cat(values).mean().item()
