"""The picture checkpoint that ships: it loads plainly in float32 and bfloat16 and gives the figures on record."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.starter.training.images import shipped

FIGURES = json.loads(Path(__file__).with_name("shipped_figures.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def pipeline(request: pytest.FixtureRequest) -> Any:
    return shipped.load(dtype=getattr(torch, request.param))


def test_every_part_has_the_type_asked_for(pipeline: Any) -> None:
    assert len({pipeline.vae.dtype, pipeline.unet.dtype, pipeline.text_encoder.dtype}) == 1


def test_the_autoencoder_is_as_good_as_recorded(pipeline: Any) -> None:
    assert shipped.reconstruction_psnr_db(pipeline) == pytest.approx(FIGURES["autoencoder_psnr_db"], abs=0.7)


def test_a_prompt_gives_the_recorded_picture(pipeline: Any) -> None:
    found = shipped.colors_in_cells(pipeline, FIGURES["prompt"])
    apart = np.abs(np.asarray(found) - np.asarray(FIGURES["colors_in_cells"])).mean()
    assert apart < (2.0 if pipeline.unet.dtype == torch.float32 else 8.0)
