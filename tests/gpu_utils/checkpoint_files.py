"""Checkpoints that consist of headers: the files have their full length and hold nothing, so that any size costs none."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SIZES = {"F64": 8, "F32": 4, "BF16": 2, "F16": 2, "F8_E4M3": 1, "U8": 1, "I8": 1, "I64": 8}
Shapes = Mapping[str, Sequence[int]]
Part = tuple[str, str, Mapping[str, Any], Shapes]  # library, class, config, tensors


def write_tensors(path: Path, shapes: Shapes, dtype: str | Mapping[str, str] = "BF16") -> Path:
    """A sparse safetensors file."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, shape in shapes.items():
        kind = dtype if isinstance(dtype, str) else dtype[name]
        end = offset + math.prod(shape) * SIZES[kind]
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + offset)
    return path


def write_shards(folder: Path, stem: str, shapes: Shapes, shards: int, dtype: str = "BF16") -> None:
    """Sparse shards and their index."""
    names = list(shapes)
    weight_map: dict[str, str] = {}
    for number in range(shards):
        file = f"{stem}-{number + 1:05}-of-{shards:05}.safetensors"
        held = {name: shapes[name] for name in names[number::shards]}
        write_tensors(folder / file, held, dtype)
        weight_map |= dict.fromkeys(held, file)
    write_json(folder / f"{stem}.safetensors.index.json", {"metadata": {}, "weight_map": weight_map})


def write_json(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def language_model(folder: Path, shapes: Shapes, config: Mapping[str, Any] | None = None, dtype: str = "BF16") -> Path:
    """A transformers model of one file."""
    write_json(folder / "config.json", {"architectures": ["Qwen3ForCausalLM"], **(config or {})})
    write_tensors(folder / "model.safetensors", shapes, dtype)
    return folder


def pipeline(
    folder: Path,
    class_name: Any,
    parts: Mapping[str, Part],
    dtype: str = "BF16",
) -> Path:
    """A diffusers pipeline of parts by name."""
    index: dict[str, Any] = {"_class_name": class_name, "scheduler": ["diffusers", "EulerDiscreteScheduler"]}
    write_json(folder / "scheduler" / "scheduler_config.json", {})
    for name, (library, part_class, config, shapes) in parts.items():
        index[name] = [library, part_class]
        write_json(folder / name / "config.json", config)
        stem = "model" if library == "transformers" else "diffusion_pytorch_model"
        write_tensors(folder / name / f"{stem}.safetensors", shapes, dtype)
    write_json(folder / "model_index.json", index)
    return folder
