"""Weights as fp16 safetensors shards small enough to carry, `{name}-{index}.safetensors`, and back.

`load` reads a pipeline directory as well, so that a training can go on from the weights that ship.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

_MAX_SHARD_BYTES = 16_200_000  # under 16 MiB with its header


def save(state: Mapping[str, torch.Tensor], directory: Path, name: str) -> list[Path]:
    """Write the state in half precision; older shards of that name are removed first."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob(f"{name}-*.safetensors"):
        old.unlink()
    shards: list[dict[str, torch.Tensor]] = [{}]
    used_bytes = 0
    for key, tensor in state.items():
        half = (
            tensor.detach()
            .to("cpu", torch.float16 if tensor.is_floating_point() else tensor.dtype)
            .contiguous()
            .clone()
        )
        if used_bytes + half.nbytes > _MAX_SHARD_BYTES and shards[-1]:
            shards.append({})
            used_bytes = 0
        shards[-1][key] = half
        used_bytes += half.nbytes
    paths = []
    for index, shard in enumerate(shards):
        path = directory / f"{name}-{index}.safetensors"
        save_file(shard, path)
        paths.append(path)
    return paths


def is_pipeline(directory: Path) -> bool:
    """Whether the directory is a diffusers pipeline rather than a place for shards."""
    return (directory / "model_index.json").exists()


def _from_pipeline(directory: Path, name: str) -> dict[str, torch.Tensor]:
    """A component's weights by the library that saved it: names of tensors differ between its versions."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel

    kinds: dict[str, tuple[Any, str]] = {
        "vae": (AutoencoderKL, "vae"),
        "unet": (UNet2DConditionModel, "unet"),
        "text": (CLIPTextModel, "text_encoder"),
    }
    kind, folder = kinds[name]
    state: dict[str, torch.Tensor] = kind.from_pretrained(directory / folder).float().state_dict()
    return state


def load(directory: Path, name: str) -> dict[str, torch.Tensor]:
    """All tensors of that name, floating-point ones as float32. Raises FileNotFoundError when there is no shard."""
    if is_pipeline(directory):
        return _from_pipeline(directory, name)
    paths = sorted(directory.glob(f"{name}-*.safetensors"))
    if not paths:
        raise FileNotFoundError(f"{directory} has no {name}-*.safetensors: run the part that makes it first")
    state: dict[str, torch.Tensor] = {}
    for path in paths:
        for key, tensor in load_file(path).items():
            state[key] = tensor.float() if tensor.is_floating_point() else tensor
    return state
