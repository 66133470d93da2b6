"""The picture checkpoint that ships: it loads plainly in float32 and bfloat16 and gives the figures on record."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from models.starter.training.illustrator.compose import render
from models.starter.training.illustrator.scene import sample_scene
from models.starter.training.images import shipped

FIGURES = json.loads(Path(__file__).with_name("shipped_figures.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def pipeline(request: pytest.FixtureRequest) -> Any:
    return shipped.load(dtype=getattr(torch, request.param))


def reconstruction_psnr_db(pipeline: Any, count: int = 6) -> float:
    """How near the autoencoder comes to `count` fresh wide pictures, in dB over all of them."""
    rng = random.Random(2718)
    images = torch.stack([torch.tensor(render(sample_scene(rng, "wide"))) for _ in range(count)])
    unit = images.permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        latents = pipeline.vae.encode(unit.to(pipeline.vae.dtype)).latent_dist.mode()
        back = pipeline.vae.decode(latents).sample.float().clamp(-1, 1)
    return float(10 * torch.log10(4 / (back - unit).square().mean()))


def colors_in_cells(picture: Image.Image) -> np.ndarray:
    """Mean colours of 4 x 3 cells of a picture: (3, 4, 3) in 0..255."""
    return np.asarray(picture.resize((4, 3), Image.Resampling.BOX), dtype=np.float32)


def paint(pipeline: Any, prompt: str) -> Image.Image:
    noise = torch.randn((1, 12, 28, 48), generator=torch.Generator("cpu").manual_seed(7))
    picture: Image.Image = pipeline(
        prompt,
        num_inference_steps=shipped.STEPS,
        guidance_scale=shipped.GUIDANCE,
        width=384,
        height=224,
        latents=noise.to(pipeline.unet.dtype),
    ).images[0]
    return picture


def test_every_part_has_the_type_asked_for(pipeline: Any) -> None:
    assert len({pipeline.vae.dtype, pipeline.unet.dtype, pipeline.text_encoder.dtype}) == 1


def test_the_autoencoder_is_as_good_as_recorded(pipeline: Any) -> None:
    assert reconstruction_psnr_db(pipeline) == pytest.approx(FIGURES["autoencoder_psnr_db"], abs=0.7)


def test_a_prompt_gives_the_recorded_picture(pipeline: Any) -> None:
    found = colors_in_cells(paint(pipeline, FIGURES["prompt"]))
    apart = np.abs(found - np.asarray(FIGURES["colors_in_cells"])).mean()
    assert apart < (2.0 if pipeline.unet.dtype == torch.float32 else 8.0)
