"""Sizes and memory, from configs alone: checked against what the pipelines' own code and measurements say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpu_utils.sizes import GIB
from stages.images.checkpoint import Checkpoint, Component
from stages.images.needs import dtype_on, needed_bytes
from stages.images.sizes import check_size, size_multiple
from stages.pipeline.errors import ConfigError


def checkpoint(configs: dict[str, dict[str, Any]], elements: int = 0, largest: int = 0) -> Checkpoint:
    """A pipeline of which only the configs and the count of its weights matter."""
    components = tuple(
        Component(
            name, "diffusers", "Model", Path(name), (), None, config, elements if name == "vae" else 0, 0, largest
        )
        for name, config in configs.items()
    )
    return Checkpoint(Path("model"), "Pipeline", components, ())


VAE_8 = {"block_out_channels": [128, 256, 512, 512], "latent_channels": 16}


@pytest.mark.parametrize(
    ("configs", "multiple"),
    [
        ({"unet": {"in_channels": 4}, "vae": {**VAE_8, "latent_channels": 4}}, 8),
        ({"unet": {"in_channels": 4}, "vae": {"block_out_channels": [32, 64], "latent_channels": 4}}, 8),
        ({"transformer": {"patch_size": 1, "in_channels": 64}, "vae": VAE_8}, 16),
        ({"transformer": {"in_channels": 128, "patch_size": 1}, "vae": {**VAE_8, "latent_channels": 32}}, 16),
        ({"transformer": {"all_patch_size": [2], "in_channels": 16}, "vae": VAE_8}, 16),
        ({"transformer": {"patch_size": 2, "in_channels": 64}, "vae": {"dim_mult": [1, 2, 4, 4], "z_dim": 16}}, 16),
        ({"transformer": {"patch_size": 2, "in_channels": 16}, "vae": VAE_8}, 16),
        (
            {
                "transformer": {"patch_size": 1, "in_channels": 32},
                "vae": {"encoder_block_out_channels": [128, 256, 512, 512, 1024, 1024], "latent_channels": 32},
            },
            32,
        ),
    ],
    ids=["SD and SDXL", "a shallow VAE", "FLUX.1", "FLUX.2", "Z-Image", "Qwen-Image", "SD3", "Sana"],
)
def test_sizes_are_multiples_of_what_the_pipeline_needs(configs: dict[str, dict[str, Any]], multiple: int) -> None:
    model = checkpoint(configs)
    assert size_multiple(model) == multiple
    check_size(model, 3 * multiple, 2 * multiple, "16:9")
    with pytest.raises(ConfigError, match=f"{3 * multiple}x{multiple} fits"):
        check_size(model, 3 * multiple + 1, 1, "16:9")


def test_estimates_agree_with_what_was_measured_on_a_gpu() -> None:
    # FLUX.1's architecture, 33.7 GB in bfloat16 at 1024x1024; its largest tensor is the embedding of T5.
    model = checkpoint({"vae": VAE_8}, elements=33_700_000_000 // 2, largest=32128 * 4096)
    full = needed_bytes(model, "full", "bfloat16", 1024, 1024)
    offload = needed_bytes(model, "offload", "bfloat16", 1024, 1024)
    assert full / GIB == pytest.approx(36.3, rel=0.05)
    assert offload / GIB == pytest.approx(5.8, rel=0.1)
    assert needed_bytes(model, "cpu", "float32", 1024, 1024) == 0


def test_auto_precision_depends_on_the_device() -> None:
    assert (dtype_on("cpu", "auto"), dtype_on("cuda:0", "auto")) == ("float32", "bfloat16")
    assert dtype_on("cuda:0", "float16") == "float16"
