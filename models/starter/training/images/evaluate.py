"""Paints with the trained pipeline and says how good it is: the judge's figures, the contact sheet, seconds."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from models.starter.training.illustrator.scene import SIZES_BY_ASPECT
from models.starter.training.images import architecture, prompts, shards
from models.starter.training.images import judge as judges


def build_pipeline(weights: Path, tokenizer_dir: Path, *, tiny: bool = False, kept: Path | None = None) -> Any:
    """A stock `StableDiffusionPipeline` in float32 from the shards in `weights`; what is missing there comes from `kept`."""
    from diffusers import StableDiffusionPipeline
    from transformers import CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(tokenizer_dir)
    vae, unet = architecture.autoencoder(tiny=tiny), architecture.denoiser(tiny=tiny)
    text = architecture.text_encoder(len(tokenizer), tokenizer.bos_token_id, tokenizer.eos_token_id, tiny=tiny)
    for model, name in ((vae, "vae"), (unet, "unet"), (text, "text")):
        missing = kept is not None and not any(weights.glob(f"{name}-*.safetensors"))
        model.load_state_dict(shards.load(kept if kept is not None and missing else weights, name))
    pipeline = StableDiffusionPipeline(
        vae=vae.eval(),
        text_encoder=text.eval(),
        tokenizer=tokenizer,
        unet=unet.eval(),
        scheduler=architecture.scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def paint(
    pipeline: Any,
    texts: list[str],
    *,
    steps: int,
    guidance: float,
    aspect: str = "wide",
    seed: int = 11,
    batch: int = 25,
) -> list[Image.Image]:
    """One picture per text, each from its own seed (`seed`, `seed` + 1, ...)."""
    width, height = SIZES_BY_ASPECT[aspect]
    pictures: list[Image.Image] = []
    for start in range(0, len(texts), batch):
        part = texts[start : start + batch]
        pictures += pipeline(
            part,
            num_inference_steps=steps,
            guidance_scale=guidance,
            width=width,
            height=height,
            generator=[torch.Generator("cpu").manual_seed(seed + start + index) for index in range(len(part))],
        ).images
    return pictures


def contact_sheet(pictures: list[Image.Image], columns: int, *, width: int | None = None) -> Image.Image:
    """The pictures side by side, row by row, all as large as the first one or `width` pixels wide."""
    columns = min(columns, len(pictures))
    if width is not None:
        size = (width, round(width * pictures[0].height / pictures[0].width))
        pictures = [picture.resize(size, Image.Resampling.LANCZOS) for picture in pictures]
    wide, high = pictures[0].size
    sheet = Image.new("RGB", (columns * wide, -(-len(pictures) // columns) * high))
    for index, picture in enumerate(pictures):
        sheet.paste(picture, (index % columns * wide, index // columns * high))
    return sheet


def judged_figures(
    pipeline: Any, judge: judges.Judge, device: str, *, count: int, settings: list[tuple[int, float]]
) -> list[dict[str, float]]:
    """For each (steps, guidance): the judge's accuracy over `count` fresh prompts."""
    pairs = prompts.judged(count)
    scenes, texts = [scene for scene, _ in pairs], [text for _, text in pairs]
    rows = []
    for steps, guidance in settings:
        started = time.monotonic()
        pictures = paint(pipeline, texts, steps=steps, guidance=guidance, seed=1000)
        flat = sum(float(np.asarray(picture).std()) < 4 for picture in pictures)
        figures = judges.accuracy(judge, pictures, scenes, device)
        row = {"steps": float(steps), "guidance": guidance, **figures, "flat": float(flat)}
        print(f"judged: {row} ({time.monotonic() - started:.0f} s)", flush=True)
        rows.append(row)
    return rows
