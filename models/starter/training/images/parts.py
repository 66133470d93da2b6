"""The parts that train, as functions of a working directory, an output directory and a length of time.

Working directory: the tokenizer, rendered chunks, latents and training state, on the training machine's disk. Output
directory: fp16 shards, figures and previews, small enough to carry. Every part saves its weights before it evaluates.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from models.starter.training.images import autoencoder, diffusion, evaluate, pools, profile, prompts, shards
from models.starter.training.images.budget import (
    TOKENIZER_FILES,
    Budget,
    ensure_tokenizer,
    prepare,
    start_renderers,
    write_json,
)
from models.starter.training.images.compiling import compiled_mark, start_compiling, stop_compiling


class GateError(RuntimeError):
    """A part refuses to begin because the one before it is not good enough or not there."""


MINIMUM_PSNR_DB = 32.0
_RESERVED_SECONDS = 45  # for saving, measuring and previews, within the minutes asked for


def _attempt(what: str, action: Callable[[], Any]) -> Any:
    """Run an evaluation; weights are already safe, so its failure is reported and the part goes on."""
    try:
        return action()
    except (RuntimeError, ValueError, OSError) as error:
        print(f"{what} failed: {error}", flush=True)
        return None


def _smoked(settings: diffusion.Settings) -> diffusion.Settings:
    return replace(settings, batch_size=4, compile=False, tiny=True, minimum_pictures=16)


def _load_vae(budget: Budget, source: Path) -> Any:
    from models.starter.training.images import architecture

    vae = architecture.autoencoder(tiny=budget.smoke)
    vae.load_state_dict(shards.load(source, "vae"))
    return vae.eval().requires_grad_(False).to(budget.device, memory_format=torch.channels_last)


def _autoencoder_figures(budget: Budget, source: Path) -> dict[str, Any]:
    """What the autoencoder's part recorded; measured now for one that comes with a pipeline."""
    recorded = source / "autoencoder.json"
    if recorded.exists():
        found: dict[str, Any] = json.loads(recorded.read_text(encoding="utf-8"))
        return found
    settings = autoencoder.Settings(device=budget.device, seconds=0, eval_pictures=4 if budget.smoke else 96)
    psnr = autoencoder.measure(_load_vae(budget, source), settings)
    print(f"autoencoder: {psnr:.2f} dB on fresh pictures", flush=True)
    return {"psnr_db": round(psnr, 3)}


def run_autoencoder(budget: Budget, *, resume: bool = False) -> float:
    """Part 1: tokenizer, pictures, autoencoder, first latents. Returns the PSNR in dB on fresh pictures."""
    started = prepare(budget)
    ensure_tokenizer(budget)
    for name in TOKENIZER_FILES:
        shutil.copy(budget.tokenizer_dir / name, budget.out_dir / name)
    device = budget.device
    renderers = start_renderers(budget, "ae")
    ahead: list[subprocess.Popen[bytes] | None] = []
    elapsed = time.monotonic() - started
    train_seconds = budget.minutes * 60 - elapsed - (2 if budget.smoke else _RESERVED_SECONDS)
    settings_ae = autoencoder.Settings(
        device=device,
        seconds=max(2.0, train_seconds),
        compile=budget.compile and device == "cuda",
        initial=budget.work_dir / "weights" if resume else None,
    )
    if budget.smoke:
        settings_ae = replace(settings_ae, batch_size=2, tiny=True, minimum_pictures=24, eval_pictures=4)
    pool = pools.image_pool(64 if budget.smoke else 110_000, device)
    try:
        model = autoencoder.train(
            settings_ae, pool, renderers, on_compiled=lambda: ahead.append(start_compiling(budget))
        )
    finally:
        renderers.close()
    before = autoencoder.measure(model, settings_ae)
    mean, std = autoencoder.fold_statistics(model, pool)
    psnr = autoencoder.measure(model, settings_ae, budget.out_dir / "reconstruction.jpg")
    shards.save(model.state_dict(), budget.out_dir, "vae")
    shards.save(model.state_dict(), budget.work_dir / "weights", "vae")
    figures: dict[str, Any] = {"psnr_db": round(psnr, 3), "psnr_before_folding_db": round(before, 3)}
    figures |= {"latent_mean": mean, "latent_std": std, "pictures": pools.size(pool)}
    write_json(budget.out_dir / "autoencoder.json", figures)
    write_json(budget.work_dir / "weights" / "autoencoder.json", figures)
    print(f"autoencoder: {psnr:.2f} dB on fresh pictures ({before:.2f} before folding), weights saved", flush=True)
    half = model.to(torch.bfloat16) if device == "cuda" else model
    latents = pools.latent_pool(pools.size(pool) + 64, device)
    with torch.autocast(device, dtype=torch.bfloat16, enabled=False):
        _encode_in_own_type(half, pool, latents)
    pools.save(latents, budget.work_dir / "latents.pt", limit=120_000)
    print(f"first latents saved after {time.monotonic() - started:.0f} s", flush=True)
    for process in ahead:
        stop_compiling(process, budget.minutes * 60 - (time.monotonic() - started))
    print(f"part 1 ended after {time.monotonic() - started:.0f} s", flush=True)
    return psnr


def _encode_in_own_type(vae: Any, images: pools.Pool, latents: pools.Pool) -> None:
    dtype = next(vae.parameters()).dtype

    class Typed:
        """The encoder with pictures cast to its own type."""

        encoder = staticmethod(lambda x: vae.encoder(x.to(dtype)))
        quant_conv = vae.quant_conv

    diffusion.encode_pool(images, latents, Typed)


def run_diffusion(budget: Budget, *, final: bool, allow_soft: bool = False, resume_from: Path | None = None) -> None:
    """Parts 2 and 3: train, save shards, paint the contact sheet. Goes on where the former part ended.

    Raises GateError when the autoencoder is missing or below `MINIMUM_PSNR_DB` and `allow_soft` is not set.
    """
    from transformers import CLIPTokenizer

    started = prepare(budget)
    source = budget.work_dir / "weights"
    if resume_from is not None and not (source / "autoencoder.json").exists():
        source = resume_from
    if not (source / "autoencoder.json").exists() and not shards.is_pipeline(source):
        raise GateError(f"{source} has no autoencoder.json: run the autoencoder part first, or give --resume-from")
    figures_ae = _autoencoder_figures(budget, source)
    psnr = float(figures_ae["psnr_db"])
    if psnr < MINIMUM_PSNR_DB and not allow_soft:
        raise GateError(
            f"the autoencoder reaches {psnr:.2f} dB, {MINIMUM_PSNR_DB:.0f} are needed: train it longer, or --allow-soft"
        )
    ensure_tokenizer(budget, resume_from)
    device = budget.device
    renderers = start_renderers(budget, "diffusion-final" if final else "diffusion")
    ahead = start_compiling(budget)
    settings = diffusion.Settings(device=device, seconds=0, final=final, compile=budget.compile and device == "cuda")
    if budget.smoke:
        settings = _smoked(settings)
    clip = CLIPTokenizer.from_pretrained(budget.tokenizer_dir)
    model = diffusion.Model(settings, len(clip), clip.bos_token_id, clip.eos_token_id)
    state = budget.work_dir / "state.pt"
    if state.exists():
        model.load_state(state)
        print(f"going on after step {model.steps}", flush=True)
    elif resume_from is not None and (shards.is_pipeline(resume_from) or (resume_from / "unet-0.safetensors").exists()):
        model.load_shards(resume_from)
        print(f"starting from the weights in {resume_from}", flush=True)
    parameters = sum(p.numel() for p in model.unet.parameters()), sum(p.numel() for p in model.text.parameters())
    print(f"denoiser {parameters[0] / 1e6:.2f} M, text encoder {parameters[1] / 1e6:.2f} M parameters", flush=True)
    vae = _load_vae(budget, source)
    encoder = vae.to(torch.bfloat16) if device == "cuda" else vae
    pool = pools.latent_pool(200 if budget.smoke else 700_000, device)
    kept = budget.work_dir / "latents.pt"
    if kept.exists():
        pools.restore(pool, kept)
    print(f"{pools.size(pool)} latents restored after {time.monotonic() - started:.0f} s", flush=True)
    empty = (
        clip("", padding="max_length", max_length=clip.model_max_length, return_tensors="pt").input_ids[0].to(device)
    )
    left = budget.minutes * 60 - (time.monotonic() - started) - (2 if budget.smoke else _RESERVED_SECONDS)
    try:
        figures = diffusion.train(
            replace(settings, seconds=max(2.0, left)),
            model,
            encoder,
            pool,
            renderers,
            empty,
            compiled_when=compiled_mark(budget.work_dir).exists,
        )
    finally:
        renderers.close()
        stop_compiling(ahead, 0)
    shards.save(model.average_unet.state_dict(), budget.out_dir, "unet")
    shards.save(model.average_text.state_dict(), budget.out_dir, "text")
    shards.save(model.average_unet.state_dict(), budget.work_dir / "weights", "unet")
    shards.save(model.average_text.state_dict(), budget.work_dir / "weights", "text")
    if source != budget.work_dir / "weights":
        shards.save(shards.load(source, "vae"), budget.work_dir / "weights", "vae")
        write_json(budget.work_dir / "weights" / "autoencoder.json", figures_ae)
    write_json(budget.out_dir / "diffusion.json", figures)
    print(f"weights saved after {time.monotonic() - started:.0f} s", flush=True)

    if not final:
        model.save_state(state)
        pools.save(pool, kept, limit=120_000)
        print(f"state saved after {time.monotonic() - started:.0f} s", flush=True)

    def preview() -> None:
        pipeline = evaluate.build_pipeline(budget.work_dir / "weights", budget.tokenizer_dir, tiny=budget.smoke)
        steps, guidance = profile.sampling()
        texts = [*prompts.CONTACT_SHEET, *prompts.CLOSE_UPS][: 2 if budget.smoke else None]
        pictures = evaluate.paint(pipeline.to(device), texts, steps=2 if budget.smoke else steps, guidance=guidance)
        evaluate.contact_sheet(pictures, 8, width=240).save(budget.out_dir / "contact_sheet.jpg", quality=88)

    _attempt("painting the contact sheet", preview)
    print(f"part ended after {time.monotonic() - started:.0f} s", flush=True)
