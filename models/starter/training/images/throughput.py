"""How fast one step of the diffusion training is: eager or compiled, autocast or plain bfloat16, on random latents.

Every variant is the whole step - text encoder, denoiser, backward, clipping, AdamW, running average - at the wide
format. It prints a line per variant: milliseconds a step, pictures a second, set-up, peak memory.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from models.starter.training.illustrator.scene import SIZES_BY_ASPECT
from models.starter.training.images import architecture
from models.starter.training.images.architecture import DOWNSAMPLING, LATENT_CHANNELS, MAX_TOKENS

_ENTRIES = 3829  # of the shipped tokenizer; the speed hardly depends on it
_STEPS = 30


@dataclass(frozen=True)
class Variant:
    """One way to run a step. `compiled` is "nothing", "denoiser" or "everything"."""

    compiled: str
    half: bool
    """Weights in bfloat16 beside float32 masters, instead of float32 weights under autocast."""
    batch_size: int = 256


VARIANTS = (
    Variant("nothing", half=False),
    Variant("denoiser", half=True),
    Variant("denoiser", half=False),
    Variant("everything", half=True),
    Variant("nothing", half=True),
    Variant("denoiser", half=True, batch_size=512),
)


def _step(variant: Variant, device: str, *, tiny: bool) -> Callable[[], None]:
    dtype = torch.bfloat16 if variant.half else torch.float32
    unet = architecture.denoiser(tiny=tiny).to(device, dtype=dtype, memory_format=torch.channels_last)
    text = architecture.text_encoder(_ENTRIES, 0, 1, tiny=tiny).to(device, dtype=dtype)
    parameters: list[nn.Parameter] = [*unet.parameters(), *text.parameters()]
    masters = [nn.Parameter(p.detach().float()) for p in parameters] if variant.half else parameters
    average = [p.detach().clone() for p in masters]
    optimizer = torch.optim.AdamW(masters, lr=1e-4, fused=device == "cuda")
    width, height = SIZES_BY_ASPECT["wide"]
    shape = (variant.batch_size, LATENT_CHANNELS, height // DOWNSAMPLING, width // DOWNSAMPLING)
    latents = torch.randn(shape, device=device)
    tokens = torch.randint(2, _ENTRIES, (variant.batch_size, MAX_TOKENS), device=device)

    def predict(noisy: torch.Tensor, timesteps: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        sample: torch.Tensor = unet(noisy, timesteps, states, return_dict=False)[0]
        return sample

    predicted_by = torch.compile(predict, dynamic=False) if variant.compiled == "denoiser" else predict

    def loss_of(noisy: torch.Tensor, times: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        with torch.autocast(device, dtype=torch.bfloat16, enabled=not variant.half and device == "cuda"):
            states = text(input_ids=tokens).last_hidden_state
            predicted = predicted_by(noisy.to(dtype), times * 1000, states)
        return functional.mse_loss(predicted.float(), target)

    loss_by = torch.compile(loss_of, dynamic=False) if variant.compiled == "everything" else loss_of

    def step() -> None:
        noise, times = torch.randn_like(latents), torch.rand(variant.batch_size, device=device)
        t = times[:, None, None, None]
        noisy = ((1 - t) * latents + t * noise).contiguous(memory_format=torch.channels_last)
        loss_by(noisy, times, noise - latents).backward()  # type: ignore[no-untyped-call]
        if variant.half:
            for master, p in zip(masters, parameters, strict=True):
                master.grad = None if p.grad is None else p.grad.float()
        nn.utils.clip_grad_norm_(masters, 1.0)
        optimizer.step()
        for p in parameters:
            p.grad = None
        with torch.no_grad():
            if variant.half:
                torch._foreach_copy_([p.detach() for p in parameters], [p.detach() for p in masters])
            torch._foreach_lerp_(average, [p.detach() for p in masters], 0.001)

    return step


def measure(device: str, *, limit_seconds: float, tiny: bool = False) -> list[dict[str, float | str]]:
    """Time the variants one after another; no new one begins after `limit_seconds`. One that fails says why."""
    began, rows = time.monotonic(), []

    def wait() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    for variant in VARIANTS:
        if time.monotonic() - began > limit_seconds:
            print(f"no time left for {variant}", flush=True)
            continue
        row: dict[str, float | str] = {"variant": str(variant)}
        try:
            started = time.monotonic()
            step = _step(variant, device, tiny=tiny)
            for _ in range(1 if tiny else 5):
                step()
            wait()
            row["setup_seconds"] = round(time.monotonic() - started, 1)
            started, count = time.monotonic(), 1 if tiny else _STEPS
            for _ in range(count):
                step()
            wait()
            seconds = (time.monotonic() - started) / count
            row |= {"ms_per_step": round(seconds * 1e3, 2), "pictures_per_second": round(variant.batch_size / seconds)}
            if device == "cuda":
                row["peak_gib"] = round(torch.cuda.max_memory_allocated() / 2**30, 1)
                torch.cuda.reset_peak_memory_stats()
        except (RuntimeError, TypeError, ValueError, AttributeError) as error:  # what a compiler raises is a result
            row["failed"] = f"{type(error).__name__}: {str(error)[:600]}"
        print(row, flush=True)
        rows.append(row)
    return rows
