"""How fast one step of the diffusion training is, eagerly and compiled, in every aspect, on random latents."""

import time
from typing import Any

import torch

from models.starter.training.illustrator.scene import SIZES_BY_ASPECT
from models.starter.training.images import diffusion
from models.starter.training.images.architecture import DOWNSAMPLING, LATENT_CHANNELS, MAX_TOKENS

_ENTRIES = 3829  # of the shipped tokenizer; the speed hardly depends on it
_STEPS = 30
_WARM_UP_STEPS = 5


def measure(device: str, *, limit_seconds: float, tiny: bool = False) -> list[dict[str, Any]]:
    """Time whole steps, a printed row each; no new measurement begins after `limit_seconds`."""
    began, rows = time.monotonic(), []
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    settings = diffusion.Settings(device=device, seconds=0, tiny=tiny, batch_size=2 if tiny else 256)
    model = diffusion.Model(settings, _ENTRIES, 0, 1)
    for compiled in (False, True) if device == "cuda" else (False,):
        predict = diffusion.Predictor(model.unet, (lambda: True) if compiled else None)
        for aspect, (width, height) in SIZES_BY_ASPECT.items():
            if time.monotonic() - began > limit_seconds:
                print(f"no time left for {aspect}, {'compiled' if compiled else 'eager'}", flush=True)
                continue
            shape = (settings.batch_size, LATENT_CHANNELS, height // DOWNSAMPLING, width // DOWNSAMPLING)
            setup_seconds, seconds = _time(model, predict, shape, steps=1 if tiny else _STEPS)
            row = {"aspect": aspect, "compiled": predict.compiled, "setup_seconds": round(setup_seconds, 1)}
            row |= {"ms_per_step": round(seconds * 1e3, 2), "pictures_per_second": round(shape[0] / seconds)}
            if device == "cuda":
                row["peak_gib"] = round(torch.cuda.max_memory_allocated() / 2**30, 1)
            print(row, flush=True)
            rows.append(row)
    return rows


def _time(
    model: diffusion.Model, predict: diffusion.Predictor, shape: tuple[int, ...], *, steps: int
) -> tuple[float, float]:
    """Seconds of the first steps together, and of one step after them."""
    device = model.masters[0].device
    latents = torch.randn(shape, device=device)
    tokens = torch.randint(2, _ENTRIES, (shape[0], MAX_TOKENS), device=device)

    def run(count: int) -> float:
        started = time.monotonic()
        for _ in range(count):
            model.loss(predict, latents, tokens, torch.rand(shape[0], device=device)).backward()  # type: ignore[no-untyped-call]
            model.update(1e-4, 0.999)
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.monotonic() - started

    return run(_WARM_UP_STEPS), run(steps) / steps
