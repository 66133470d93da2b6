"""Trains the denoiser and the text encoder together: a rectified flow from noise to the autoencoder's latents.

At time t in 0..1 the network sees `(1 - t) latent + t noise` and the caption and predicts `noise - latent`. One
caption in ten is empty, for classifier-free guidance. Training goes on over several parts: `state.pt` in the working
directory carries weights, averages and the optimizer; without it, shards of a former part or the pipeline that ships
can be the start: the learning rate warms up again and falls in the last part, as for a training from nothing, because
what is to be learned has changed.

Times are drawn from a logit-normal distribution, which spends the steps where the picture is decided, and the loss is
not weighted besides (Esser et al., arXiv 2403.03206).
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

from models.starter.training.illustrator.scene import SIZES_BY_ASPECT
from models.starter.training.images import architecture, pools, shards
from models.starter.training.images.architecture import DOWNSAMPLING, LATENT_CHANNELS, MAX_TOKENS, TEXT_WIDTH
from models.starter.training.images.autoencoder import encode_moments
from models.starter.training.images.renders import ASPECT_SHARES, Chunk, Renderers

_EMPTY_SHARE = 0.1
_STEPS_PER_CHUNK = 5  # encoding faster would take more of the GPU than new pictures are worth


@dataclass(frozen=True)
class Settings:
    """How one part of the diffusion training is run; times in seconds."""

    device: str
    seconds: float
    batch_size: int = 256
    learning_rate: float = 5e-4
    compile: bool = True
    tiny: bool = False
    final: bool = False
    """The last part: the learning rate falls to nothing."""
    minimum_pictures: int = 8_000
    average_decay: float = 0.9995


class Model:
    """Denoiser and text encoder, their float32 masters, running averages, and the optimizer.

    The networks that are run have bfloat16 weights on a GPU; the optimizer keeps the masters, and both averages are
    float32. Compiled like this a step takes 60 ms on an H200, eagerly under autocast 104.
    """

    def __init__(self, settings: Settings, vocabulary_size: int, bos: int, eos: int) -> None:
        def both(dtype: torch.dtype) -> tuple[Any, Any]:
            unet = architecture.denoiser(tiny=settings.tiny)
            text: Any = architecture.text_encoder(vocabulary_size, bos, eos, tiny=settings.tiny)
            return (
                unet.to(settings.device, dtype=dtype, memory_format=torch.channels_last),
                text.to(settings.device, dtype=dtype),
            )

        self.dtype = torch.bfloat16 if settings.device == "cuda" else torch.float32
        self.average_unet, self.average_text = both(torch.float32)
        self.unet, self.text = both(self.dtype)
        for average in (self.average_unet, self.average_text):
            average.requires_grad_(False)
        self._parameters: list[nn.Parameter] = [*self.unet.parameters(), *self.text.parameters()]
        self._run: list[torch.Tensor] = [p.detach() for p in self._parameters]
        self._averages: list[torch.Tensor] = [*self.average_unet.parameters(), *self.average_text.parameters()]
        self.masters: list[nn.Parameter] = [nn.Parameter(p.detach().clone()) for p in self._averages]
        for master in self.masters:
            master.grad = torch.zeros_like(master)
        self._publish()
        self.optimizer = torch.optim.AdamW(
            self.masters,
            lr=settings.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=0.01,
            fused=settings.device == "cuda",
        )
        self.steps = 0

    @torch.no_grad()
    def _publish(self) -> None:
        """Copy the masters into the networks that are run."""
        torch._foreach_copy_(self._run, [master.detach() for master in self.masters])

    def update(self, learning_rate: float, average_decay: float) -> None:
        """One step of the optimizer from the gradients of the networks; then the averages move, faster at first."""
        gradients = [p.grad for p in self._parameters]
        torch._foreach_copy_([master.grad for master in self.masters], gradients)  # type: ignore[arg-type, misc]
        for p in self._parameters:
            p.grad = None
        nn.utils.clip_grad_norm_(self.masters, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.optimizer.step()
        self._publish()
        self.steps += 1
        decay = min(average_decay, (1 + self.steps) / (12 + self.steps))
        torch._foreach_lerp_(self._averages, [master.detach() for master in self.masters], 1 - decay)

    def loss(
        self, predict: "Predictor", latents: torch.Tensor, tokens: torch.Tensor, times: torch.Tensor
    ) -> torch.Tensor:
        """Mean squared error of the predicted flow from `latents` (n, c, h, w) at `times` (n) in 0..1."""
        t, noise = times[:, None, None, None], torch.randn_like(latents)
        noisy = ((1 - t) * latents + t * noise).to(self.dtype).contiguous(memory_format=torch.channels_last)
        states = self.text(input_ids=tokens).last_hidden_state
        predicted = predict(noisy, times * 1000, states)
        return functional.mse_loss(predicted.float(), noise - latents)

    def save_state(self, path: Path) -> None:
        """Everything the next part needs to go on."""
        state = {name: getattr(self, name).state_dict() for name in ("average_unet", "average_text", "optimizer")}
        torch.save({**state, "masters": [m.detach() for m in self.masters], "steps": self.steps}, path)

    def load_state(self, path: Path) -> None:
        """Go on where a former part ended."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        for name in ("average_unet", "average_text", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        for master, saved in zip(self.masters, state["masters"], strict=True):
            master.data.copy_(saved)
        self._publish()
        self.steps = state["steps"]

    def load_shards(self, directory: Path) -> None:
        """Start from a former part's published averages, or those of a pipeline, with a fresh optimizer."""
        self.average_unet.load_state_dict(shards.load(directory, "unet"))
        self.average_text.load_state_dict(shards.load(directory, "text"))
        for master, average in zip(self.masters, self._averages, strict=True):
            master.data.copy_(average)
        self._publish()
        self.steps = 2000  # the warm-up of the averages is over; the learning rate warms up again


@torch.no_grad()
def add_encoded(pool: pools.Pool, encoder: Any, chunk: Chunk, device: str) -> None:
    """Encode a chunk's pictures and put the latents on their shelf."""
    dtype = next(encoder.parameters()).dtype
    pictures, tokens, labels = (torch.from_numpy(part) for part in (chunk.images, chunk.tokens, chunk.labels))
    if device == "cuda":  # from pinned memory the copies do not wait for the steps that are under way
        pictures, tokens, labels = pictures.pin_memory(), tokens.pin_memory(), labels.pin_memory()
    for start in range(0, len(pictures), 64):
        rows = slice(start, start + 64)
        images = pools.to_unit(pictures[rows].to(device, non_blocking=True)).to(dtype)
        latents = encode_moments(encoder, images)[:, :LATENT_CHANNELS]
        pool[chunk.aspect].add(latents, tokens[rows], labels[rows])


@torch.no_grad()
def encode_pool(images: pools.Pool, latents: pools.Pool, encoder: Any) -> None:
    """Turn the autoencoder's own pictures into the first latents."""
    for aspect, shelf in images.items():
        for start in range(0, shelf.count, 64):
            rows = slice(start, min(start + 64, shelf.count))
            moments = encode_moments(encoder, pools.to_unit(shelf.data[rows]))
            latents[aspect].add(moments[:, :LATENT_CHANNELS], shelf.tokens[rows], shelf.labels[rows])


Forward = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class Predictor:
    """The denoiser's forward pass: eager until the compiler's cache is filled, then compiled for each aspect.

    A compilation that fails is said once, and the training goes on eagerly.
    """

    def __init__(self, unet: Any, ready: Callable[[], bool] | None = None) -> None:
        def eager(noisy: torch.Tensor, timesteps: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
            sample: torch.Tensor = unet(noisy, timesteps, states, return_dict=False)[0]
            return sample

        self._eager: Forward = eager
        self._ready = ready
        self._compiled: Forward | None = None

    @property
    def compiled(self) -> bool:
        """Whether the compiled form is in use."""
        return self._compiled is not None

    def __call__(self, noisy: torch.Tensor, timesteps: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        """Noisy latents (n, c, h, w), times in 0..1000 and text states (n, 77, width) to the predicted flow."""
        if self._compiled is None and self._ready is not None and self._ready():
            self._compiled = torch.compile(self._eager, dynamic=False)
        if self._compiled is not None:
            try:
                return self._compiled(noisy, timesteps, states)
            except RuntimeError as error:
                if isinstance(error, torch.OutOfMemoryError):
                    raise
                print(f"diffusion: not compiled, going on eagerly: {str(error)[:400]}", flush=True)
                self._compiled, self._ready = None, None
        return self._eager(noisy, timesteps, states)


def warm_compile(settings: Settings) -> None:
    """Compile the denoiser for every aspect and leave the result in the compiler's cache for the training."""
    unet = architecture.denoiser(tiny=settings.tiny)
    unet.to(settings.device, dtype=torch.bfloat16, memory_format=torch.channels_last)
    predict = Predictor(unet, lambda: True)
    for width, height in SIZES_BY_ASPECT.values():
        shape = (settings.batch_size, LATENT_CHANNELS, height // DOWNSAMPLING, width // DOWNSAMPLING)
        noisy = torch.randn(shape, device=settings.device, dtype=torch.bfloat16)
        times = torch.rand(settings.batch_size, device=settings.device)
        states = torch.randn(settings.batch_size, MAX_TOKENS, TEXT_WIDTH, device=settings.device, dtype=torch.bfloat16)
        predicted = predict(
            noisy.contiguous(memory_format=torch.channels_last), times * 1000, states.requires_grad_() * 1.0
        )
        predicted.float().square().mean().backward()  # type: ignore[no-untyped-call]
        if not predict.compiled:
            raise RuntimeError("the denoiser cannot be compiled on this machine")
    print("denoiser: compiled ahead for every aspect", flush=True)


def _draw_times(count: int, device: str) -> torch.Tensor:
    """Times mostly in the middle (logit-normal), some anywhere."""
    middle = torch.sigmoid(torch.randn(count, device=device) * 1.1 + 0.15)
    anywhere = torch.rand(count, device=device)
    return torch.where(torch.rand(count, device=device) < 0.1, anywhere, middle)


def _learning_rate(settings: Settings, progress: float, step_in_part: int) -> float:
    warm = min(1.0, (step_in_part + 1) / 300)
    if not settings.final or progress < 0.25:
        return settings.learning_rate * warm
    fall = min(1.0, (progress - 0.25) / 0.75)
    return settings.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fall)))


def train(
    settings: Settings,
    model: Model,
    encoder: Any,
    pool: pools.Pool,
    renderers: Renderers,
    empty_tokens: torch.Tensor,
    *,
    compiled_when: Callable[[], bool] | None = None,
) -> dict[str, float]:
    """Train for `settings.seconds` from now, eagerly until `compiled_when` is true; returns figures of this part."""
    started, device = time.monotonic(), settings.device
    while pools.size(pool) < settings.minimum_pictures or not all(shelf.count for shelf in pool.values()):
        chunk = renderers.take(wait_seconds=5.0)
        if chunk is not None:
            add_encoded(pool, encoder, chunk, device)
    print(f"diffusion: {pools.size(pool)} latents after {time.monotonic() - started:.0f} s", flush=True)
    predict = Predictor(model.unet, compiled_when if settings.compile else None)
    aspects, shares = tuple(ASPECT_SHARES), tuple(ASPECT_SHARES.values())
    step, printed, total, counted = 0, 0.0, torch.zeros((), device=device), 0
    mean_loss = float("nan")
    while (elapsed := time.monotonic() - started) < settings.seconds or step < 2:
        chunk = renderers.take() if step % _STEPS_PER_CHUNK == 0 else None
        if chunk is not None:
            add_encoded(pool, encoder, chunk, device)
        shelf = pool[random.choices(aspects, shares)[0]]
        rows = torch.randint(0, shelf.count, (settings.batch_size,), device=device)
        which = torch.randint(0, shelf.tokens.shape[1], (settings.batch_size,), device=device)
        latents, tokens = shelf.data[rows].float(), shelf.tokens[rows, which].long()
        empty = torch.rand(settings.batch_size, 1, device=device) < _EMPTY_SHARE
        tokens = torch.where(empty, empty_tokens[None], tokens)
        loss = model.loss(predict, latents, tokens, _draw_times(settings.batch_size, device))
        loss.backward()  # type: ignore[no-untyped-call]
        model.update(_learning_rate(settings, elapsed / settings.seconds, step), settings.average_decay)
        step += 1
        total += loss.detach()
        counted += 1
        if elapsed - printed > 15 or step in (1, 2, 20):
            printed, mean_loss = elapsed, (total / counted).item()
            total.zero_()
            counted = 0
            print(
                f"diffusion: {elapsed:.0f} s, step {step} ({model.steps} in all), loss {mean_loss:.4f},"
                f" {pools.size(pool)} latents, {'compiled' if predict.compiled else 'eager'}",
                flush=True,
            )
    seconds = time.monotonic() - started
    print(f"diffusion: {step} steps of {settings.batch_size} in {seconds:.0f} s, {model.steps} in all", flush=True)
    return {
        "steps": float(model.steps),
        "steps_in_part": float(step),
        "batch_size": float(settings.batch_size),
        "seconds": seconds,
        "latents": float(pools.size(pool)),
        "loss": mean_loss,
    }
