"""The parts of the training as functions of a working directory, an output directory and a length of time.

Working directory: the tokenizer, rendered chunks, latents and training state, on the training machine's disk. Output
directory: fp16 shards, figures and previews, small enough to carry. Every part saves its weights before it evaluates.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from models.starter.training.images import autoencoder, diffusion, evaluate, pools, profile, prompts, shards, tokenizer
from models.starter.training.images import judge as judges
from models.starter.training.images.renders import Renderers


class GateError(RuntimeError):
    """A part refuses to begin because the one before it is not good enough or not there."""


MINIMUM_PSNR_DB = 32.0
_RESERVED_SECONDS = 45  # for saving, measuring and previews, within the minutes asked for
_JUDGE_RESERVED_SECONDS = 20


@dataclass(frozen=True)
class Budget:
    """What a part may use."""

    work_dir: Path
    out_dir: Path
    minutes: float
    workers: int
    smoke: bool = False
    compile: bool = True

    @property
    def device(self) -> str:
        """The GPU, if there is one."""
        return "cuda" if torch.cuda.is_available() and not self.smoke else "cpu"

    @property
    def tokenizer_dir(self) -> Path:
        """Where the tokenizer of this training lives."""
        return self.work_dir / "tokenizer"


def _prepare(budget: Budget) -> float:
    """Directories, fast arithmetic, the compiler's cache; returns the starting time."""
    started = time.monotonic()
    budget.work_dir.mkdir(parents=True, exist_ok=True)
    budget.out_dir.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(budget.work_dir / "compiled"))
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(int(time.time()) % 100_000 if not budget.smoke else 0)
    print(f"device {budget.device}, torch {torch.__version__}", flush=True)
    return started


_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


def _ensure_tokenizer(budget: Budget, published: Path | None = None) -> None:
    """The tokenizer in the working directory: there already, or taken from a former output, or learned now."""
    if (budget.tokenizer_dir / "tokenizer.json").exists():
        return
    if published is not None:
        budget.tokenizer_dir.mkdir(parents=True, exist_ok=True)
        folder = published / "tokenizer" if shards.is_pipeline(published) else published
        for name in _TOKENIZER_FILES:
            shutil.copy(folder / name, budget.tokenizer_dir / name)
    else:
        tokenizer.train(budget.tokenizer_dir, captions=2000 if budget.smoke else 40_000)


def _renderers(budget: Budget, seed: str, shares: dict[str, float] | None = None) -> Renderers:
    return Renderers(
        budget.work_dir,
        budget.tokenizer_dir,
        workers=budget.workers,
        seed=f"{seed}-{time.time_ns() % 10**9}",
        chunk_size=8 if budget.smoke else 192,
        shares=shares,
    )


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _attempt(what: str, action: Callable[[], Any]) -> Any:
    """Run an evaluation; weights are already safe, so its failure is reported and the part goes on."""
    try:
        return action()
    except (RuntimeError, ValueError, OSError) as error:
        print(f"{what} failed: {error}", flush=True)
        return None


def _compiled_mark(work_dir: Path) -> Path:
    """The file that says that the compiler's cache holds the denoiser."""
    return work_dir / "compiled" / "denoiser.done"


def compile_ahead(work_dir: Path) -> None:
    """Compile the denoiser beside a training and leave the result in the working directory's cache."""
    os.nice(5)
    _prepare(Budget(work_dir, work_dir, 0, 0))
    diffusion.warm_compile(diffusion.Settings(device="cuda", seconds=0))
    _compiled_mark(work_dir).touch()


def _start_compiling(budget: Budget) -> "subprocess.Popen[bytes] | None":
    """A process that fills the compiler's cache, unless it is filled or there is nothing to compile for."""
    if not budget.compile or budget.device != "cuda" or _compiled_mark(budget.work_dir).exists():
        return None
    program = [sys.executable, "-m", "models.starter.training.images", "compile-ahead"]
    return subprocess.Popen([*program, "--work-dir", str(budget.work_dir)])


def _stop_compiling(process: "subprocess.Popen[bytes] | None", seconds: float) -> None:
    """Wait that long for the process, then end it."""
    if process is None:
        return
    try:
        process.wait(max(0.1, seconds))
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()
        print("compiling ahead was not finished", flush=True)


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
    started = _prepare(budget)
    _ensure_tokenizer(budget)
    for name in _TOKENIZER_FILES:
        shutil.copy(budget.tokenizer_dir / name, budget.out_dir / name)
    device = budget.device
    renderers = _renderers(budget, "ae")
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
            settings_ae, pool, renderers, on_compiled=lambda: ahead.append(_start_compiling(budget))
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
    _write_json(budget.out_dir / "autoencoder.json", figures)
    _write_json(budget.work_dir / "weights" / "autoencoder.json", figures)
    print(f"autoencoder: {psnr:.2f} dB on fresh pictures ({before:.2f} before folding), weights saved", flush=True)
    half = model.to(torch.bfloat16) if device == "cuda" else model
    latents = pools.latent_pool(pools.size(pool) + 64, device)
    with torch.autocast(device, dtype=torch.bfloat16, enabled=False):
        _encode_in_own_type(half, pool, latents)
    pools.save(latents, budget.work_dir / "latents.pt", limit=120_000)
    print(f"first latents saved after {time.monotonic() - started:.0f} s", flush=True)
    for process in ahead:
        _stop_compiling(process, budget.minutes * 60 - (time.monotonic() - started))
    print(f"part 1 ended after {time.monotonic() - started:.0f} s", flush=True)
    return psnr


def _encode_in_own_type(vae: Any, images: pools.Pool, latents: pools.Pool) -> None:
    dtype = next(vae.parameters()).dtype

    class Typed:
        """The encoder with pictures cast to its own type."""

        encoder = staticmethod(lambda x: vae.encoder(x.to(dtype)))
        quant_conv = vae.quant_conv

    diffusion.encode_pool(images, latents, Typed)


def run_judge(budget: Budget) -> dict[str, Any]:
    """A part of its own, before or after the others: train the judge and return its figures on rendered pictures."""
    started = _prepare(budget)
    _ensure_tokenizer(budget)
    device = budget.device
    shelf = pools.image_shelf(64 if budget.smoke else 160_000, judges.ASPECT, device)
    renderers = _renderers(budget, "judge", {judges.ASPECT: 1.0})
    left = budget.minutes * 60 - (time.monotonic() - started) - (2 if budget.smoke else _JUDGE_RESERVED_SECONDS)
    smoke: dict[str, Any] = {"batch_size": 4, "minimum_pictures": 8} if budget.smoke else {}
    try:
        judge = judges.train(shelf, renderers, device, seconds=max(2.0, left), **smoke)
    finally:
        renderers.close()
    shards.save(judge.state_dict(), budget.work_dir / "weights", "judge")
    shards.save(judge.state_dict(), budget.out_dir, "judge")
    print(f"weights saved after {time.monotonic() - started:.0f} s", flush=True)
    figures = judges.rendered_accuracy(judge, device, count=8 if budget.smoke else 1000)
    _write_json(budget.out_dir / "judge.json", figures)
    print(f"judge on fresh rendered pictures: {figures}", flush=True)
    print(f"part ended after {time.monotonic() - started:.0f} s", flush=True)
    return figures


def run_diffusion(budget: Budget, *, final: bool, allow_soft: bool = False, resume_from: Path | None = None) -> None:
    """Parts 2 and 3: train, save shards, paint the contact sheet. Goes on where the former part ended.

    Raises GateError when the autoencoder is missing or below `MINIMUM_PSNR_DB` and `allow_soft` is not set.
    """
    from transformers import CLIPTokenizer

    started = _prepare(budget)
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
    _ensure_tokenizer(budget, resume_from)
    device = budget.device
    renderers = _renderers(budget, "diffusion-final" if final else "diffusion")
    ahead = _start_compiling(budget)
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
            compiled_when=_compiled_mark(budget.work_dir).exists,
        )
    finally:
        renderers.close()
        _stop_compiling(ahead, 0)
    shards.save(model.average_unet.state_dict(), budget.out_dir, "unet")
    shards.save(model.average_text.state_dict(), budget.out_dir, "text")
    shards.save(model.average_unet.state_dict(), budget.work_dir / "weights", "unet")
    shards.save(model.average_text.state_dict(), budget.work_dir / "weights", "text")
    if source != budget.work_dir / "weights":
        shards.save(shards.load(source, "vae"), budget.work_dir / "weights", "vae")
        _write_json(budget.work_dir / "weights" / "autoencoder.json", figures_ae)
    _write_json(budget.out_dir / "diffusion.json", figures)
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


def run_evaluation(budget: Budget, weights: Path | None = None, judge_weights: Path | None = None) -> None:
    """The last part: the judge's figures at several settings, the contact sheet, square and tall pictures."""
    started = _prepare(budget)
    _ensure_tokenizer(budget, weights)
    device, weights = budget.device, weights or budget.work_dir / "weights"
    pipeline = evaluate.build_pipeline(weights, budget.tokenizer_dir, tiny=budget.smoke).to(device)
    judge = judges.Judge().to(device)
    judge.load_state_dict(shards.load(judge_weights or weights, "judge"))
    judge.eval()
    steps, guidance = profile.sampling()
    if budget.smoke:
        steps = 2
    few, count = (2, 4) if budget.smoke else (None, 200)
    figures: dict[str, Any] = {
        "judge_on_rendered": judges.rendered_accuracy(judge, device, count=8 if budget.smoke else 400)
    }
    figures["generated"] = evaluate.judged_figures(pipeline, judge, device, count=count, settings=[(steps, guidance)])
    _write_json(budget.out_dir / "evaluation.json", figures)
    held_out, close_ups, single = (
        list(texts)[:few] for texts in (prompts.CONTACT_SHEET, prompts.CLOSE_UPS, prompts.single_things())
    )
    for name, texts, aspect, columns, width in (
        ("held_out_wide", held_out, "wide", 4, 320),
        ("held_out_square", held_out, "square", 6, 240),
        ("held_out_tall", held_out, "tall", 8, 168),
        ("close_ups", close_ups, "wide", 4, 320),
        ("single_things", single, "wide", 12, 192),
    ):
        pictures = evaluate.paint(pipeline, texts, steps=steps, guidance=guidance, aspect=aspect)
        evaluate.contact_sheet(pictures, columns, width=width).save(budget.out_dir / f"{name}.jpg", quality=88)
        print(f"{name}: {len(texts)} pictures after {time.monotonic() - started:.0f} s", flush=True)
    print(f"evaluation ended after {time.monotonic() - started:.0f} s: {figures}", flush=True)
