"""From the shards of the training parts to the directory that ships: a plain diffusers pipeline in fp16."""

import json
import shutil
from pathlib import Path

import torch

from models.starter.training.images import shards
from models.starter.training.images.evaluate import build_pipeline

_COMPONENTS = ("vae", "unet", "text_encoder")


def assemble(weights: Path, destination: Path, *, tiny: bool = False) -> int:
    """Write the pipeline from the shards and the tokenizer in `weights`; returns its size in bytes.

    `destination` is written anew; what `weights` does not hold (the autoencoder of a training that went on from
    it, the model card) stays as it is there. `dtype` in the text encoder's configuration stays float32: with float16
    a plain `from_pretrained` would load this one component in half precision and the pipeline would mix types.
    """
    kept = destination if shards.is_pipeline(destination) else None
    own_tokenizer = (weights / "tokenizer.json").exists() or kept is None
    tokenizer_dir = weights if own_tokenizer else destination / "tokenizer"
    pipeline = build_pipeline(weights, tokenizer_dir, tiny=tiny, kept=kept).to(torch.float16)
    part = destination.with_name(f"{destination.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    pipeline.save_pretrained(part, safe_serialization=True)
    if (destination / "README.md").exists():
        shutil.copy(destination / "README.md", part / "README.md")
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
