"""Weights as fp16 safetensors shards small enough to carry, `{name}-{index}.safetensors`, and back."""

from collections.abc import Mapping
from pathlib import Path

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


def load(directory: Path, name: str) -> dict[str, torch.Tensor]:
    """All tensors of that name, floating-point ones as float32. Raises FileNotFoundError when there is no shard."""
    paths = sorted(directory.glob(f"{name}-*.safetensors"))
    if not paths:
        raise FileNotFoundError(f"{directory} has no {name}-*.safetensors: run the part that makes it first")
    state: dict[str, torch.Tensor] = {}
    for path in paths:
        for key, tensor in load_file(path).items():
            state[key] = tensor.float() if tensor.is_floating_point() else tensor
    return state
