"""What the starter profile samples with, so that figures and sheets show what a user gets."""

import tomllib
from pathlib import Path

_CONFIGURATION = Path(__file__).parents[4] / "pipeline.toml"


def sampling() -> tuple[int, float]:
    """Steps and guidance scale of the starter profile in `pipeline.toml`."""
    images = tomllib.loads(_CONFIGURATION.read_text(encoding="utf-8"))["profiles"]["starter"]["images"]
    return int(images["num_inference_steps"]), float(images["guidance_scale"])
