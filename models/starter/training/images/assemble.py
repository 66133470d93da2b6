"""From the shards of the training parts to the directory that ships: a plain diffusers pipeline in fp16."""

import json
import shutil
from pathlib import Path

import torch

from models.starter.training.images.evaluate import build_pipeline

_COMPONENTS = ("vae", "unet", "text_encoder")


def assemble(weights: Path, tokenizer_dir: Path, destination: Path, *, tiny: bool = False) -> int:
    """Write the pipeline; returns its size in bytes.

    `destination` is written anew. `dtype` in the text encoder's configuration stays float32: with float16 a plain
    `from_pretrained` would load this one component in half precision and the pipeline would mix types.
    """
    pipeline = build_pipeline(weights, tokenizer_dir, tiny=tiny).to(torch.float16)
    part = destination.with_name(f"{destination.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    pipeline.save_pretrained(part, safe_serialization=True)
    for component in _COMPONENTS:
        path = part / component / "config.json"
        config = json.loads(path.read_text(encoding="utf-8"))
        for key in ("dtype", "torch_dtype"):
            if key in config:
                config[key] = "float32"
        config.pop("_name_or_path", None)
        path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    if destination.exists():
        shutil.rmtree(destination)
    part.rename(destination)
    return sum(path.stat().st_size for path in destination.rglob("*") if path.is_file())
