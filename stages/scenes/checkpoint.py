"""A language model's directory, checked before anything heavy is imported: config, tokenizer, whole safetensors files.

Knows no torch. Every damage found here is one line that names the file.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.pipeline.errors import WeightsMissing

# An 8-byte little-endian length, then JSON of name -> dtype, shape, offsets (safetensors format). 100 MB is its own limit.
_LENGTH_BYTES = 8
_MAX_HEADER_BYTES = 100_000_000
_MAX_JSON_BYTES = 200_000_000
_FLOATING = {"F64", "F32", "F16", "BF16"}
_SINGLE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_MEND = "fetch the model again, or choose --profile starter"


@dataclass(frozen=True)
class Checkpoint:
    """What the files of a model say. `floating_parameters` counts values that take the dtype the model is loaded in."""

    directory: Path
    config: dict[str, Any]
    files: tuple[Path, ...]
    floating_parameters: int
    other_bytes: int

    def weight_bytes(self, bytes_per_parameter: int) -> int:
        """Memory of the weights when floating-point values take `bytes_per_parameter` bytes each."""
        return self.floating_parameters * bytes_per_parameter + self.other_bytes

    def cache_bytes_per_token(self, bytes_per_value: int) -> int:
        """Memory of the attention cache for one token: keys and values of every layer."""
        text = self.config.get("text_config")
        config = {**self.config, **text} if isinstance(text, dict) else self.config
        layers = _size(config, "num_hidden_layers", "n_layer", otherwise=32)
        heads = _size(config, "num_attention_heads", "n_head", otherwise=32)
        head_dim = _size(config, "head_dim", otherwise=_size(config, "hidden_size", "n_embd", otherwise=4096) // heads)
        return 2 * layers * _size(config, "num_key_value_heads", otherwise=heads) * head_dim * bytes_per_value

    def vocabulary_size(self) -> int:
        """The width of the logits as the config says."""
        text = self.config.get("text_config")
        return _size(
            {**self.config, **text} if isinstance(text, dict) else self.config, "vocab_size", otherwise=150_000
        )


def read_checkpoint(directory: Path) -> Checkpoint:
    """Read configs and headers, no weights. Raises WeightsMissing that names the file which is missing or damaged."""
    config = _json(directory / "config.json")
    _json(directory / "tokenizer.json")
    files = _weight_files(directory)
    floating = other = 0
    for file in files:
        for dtype, shape, size_bytes in _tensors(file):
            if dtype in _FLOATING:
                floating += math.prod(shape)
            else:
                other += size_bytes
    return Checkpoint(directory, config, files, floating, other)


def _size(config: dict[str, Any], *names: str, otherwise: int) -> int:
    found = next((config[name] for name in names if isinstance(config.get(name), int)), otherwise)
    return max(1, int(found))


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise WeightsMissing(f"{path} is larger than {_MAX_JSON_BYTES} bytes; {_MEND}")
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise WeightsMissing(f"{path} cannot be read: {error.strerror}; {_MEND}") from None
    except (ValueError, RecursionError) as error:
        raise WeightsMissing(f"{path} is damaged: {error}; {_MEND}") from None
    if not isinstance(found, dict):
        raise WeightsMissing(f"{path} is damaged: it holds no JSON object; {_MEND}")
    return found


def _weight_files(directory: Path) -> tuple[Path, ...]:
    index = directory / _INDEX
    if (directory / _SINGLE).exists() or not index.exists():
        names = {_SINGLE}
    else:
        weight_map = _json(index).get("weight_map")
        names = (
            {name for name in weight_map.values() if isinstance(name, str)} if isinstance(weight_map, dict) else set()
        )
        if not names or any(Path(name).name != name for name in names):
            raise WeightsMissing(f"{index} is damaged: it names no files of this directory; {_MEND}")
    return tuple(directory / name for name in sorted(names))


def _tensors(path: Path) -> list[tuple[str, list[int], int]]:
    """Type, shape and bytes of each tensor of a safetensors file whose length agrees with its header."""
    try:
        size_bytes = path.stat().st_size
        with path.open("rb") as file:
            prefix = file.read(_LENGTH_BYTES)
            length = struct.unpack("<Q", prefix)[0] if len(prefix) == _LENGTH_BYTES else 0
            if not 2 <= length <= min(_MAX_HEADER_BYTES, size_bytes - _LENGTH_BYTES):
                raise WeightsMissing(f"{path} is no whole safetensors file (header of {length} bytes); {_MEND}")
            header = json.loads(file.read(length))
        tensors = [
            (str(entry["dtype"]), [int(n) for n in entry["shape"]], [int(n) for n in entry["data_offsets"]])
            for name, entry in header.items()
            if name != "__metadata__"
        ]
        end = _LENGTH_BYTES + length + max((offsets[1] for _, _, offsets in tensors), default=0)
    except OSError as error:
        raise WeightsMissing(f"{path} cannot be read: {error.strerror}; {_MEND}") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise WeightsMissing(f"{path} is damaged: its header cannot be read ({error}); {_MEND}") from None
    if end != size_bytes:
        raise WeightsMissing(f"{path} has {size_bytes} bytes, its header says {end}; {_MEND}")
    return [(dtype, shape, offsets[1] - offsets[0]) for dtype, shape, offsets in tensors]
