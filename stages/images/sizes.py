"""Which widths and heights a pipeline can paint, from its configs: found out before a byte of weights is read."""

from __future__ import annotations

import math

from stages.images.checkpoint import Checkpoint
from stages.pipeline.errors import ConfigError

LATENT_MODELS = ("vae", "movq", "vqvae")


def size_multiple(checkpoint: Checkpoint) -> int:
    """What width and height must be multiples of: pixels per latent, times latents per patch of a transformer.

    Most pipelines round other sizes down with a warning, some fail after the weights are loaded.
    """
    pixels = pixels_per_latent(checkpoint)
    transformer = checkpoint.config("transformer")
    if not transformer:
        return math.lcm(8, pixels)  # the pipelines around a UNet insist on 8
    return pixels * _latents_per_patch(checkpoint)


def check_size(checkpoint: Checkpoint, width: int, height: int, aspect: str) -> None:
    """Raise ConfigError, naming the nearest size that fits, unless the pipeline can paint this one."""
    multiple = size_multiple(checkpoint)
    fitting = tuple(max(1, round(pixels / multiple)) * multiple for pixels in (width, height))
    if fitting != (width, height):
        raise ConfigError(
            f"images.sizes has {width}x{height} for {aspect}, and {checkpoint.class_name} paints multiples of {multiple}: "
            f"{fitting[0]}x{fitting[1]} fits"
        )


def pixels_per_latent(checkpoint: Checkpoint) -> int:
    """As the pipelines compute their `vae_scale_factor` (diffusers 0.42)."""
    config = next((checkpoint.config(name) for name in LATENT_MODELS if checkpoint.config(name)), {})
    for key in ("block_out_channels", "encoder_block_out_channels", "dim_mult"):
        if isinstance(config.get(key), list):
            return int(2 ** (len(config[key]) - 1))
    return 8


def _latents_per_patch(checkpoint: Checkpoint) -> int:
    """The side of a patch: told in the transformer's config, or seen in its channels where the pipeline packs latents.

    FLUX.1 tells a patch of 1 and packs 2 x 2 latents of 16 channels into 64; Z-Image tells a list of patch sizes.
    """
    transformer, vae = checkpoint.config("transformer"), checkpoint.config("vae")
    told = transformer.get("patch_size") or max(transformer.get("all_patch_size") or [1])
    channels = vae.get("latent_channels") or vae.get("z_dim")
    inputs = transformer.get("in_channels")
    packed = math.isqrt(inputs // channels) if channels and inputs and inputs >= channels else 1
    return max(int(told) if isinstance(told, int) else 1, packed)
