"""Reads what a pipeline's directory holds, from `model_index.json`, configs and safetensors headers: no weights, no torch.

Everything that can be wrong with the files is found here, before a heavy library is imported: a missing component,
a truncated download, weights that are no safetensors.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.pipeline.errors import ConfigError, WeightsMissing

MAX_HEADER_BYTES = 100_000_000  # the safetensors library's own bound
FLOATING = frozenset({"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"})
# Parts that pipelines work without. Where their files were not fetched, the pipeline is built without them.
OPTIONAL_COMPONENTS = frozenset({"safety_checker", "feature_extractor", "image_encoder"})
MEND = "fetch the model again, or correct images.model_id"


@dataclass(frozen=True)
class Component:
    """A part of the pipeline that has weights. Elements are numbers, whatever their precision on disk.

    `variant` is part of the file names ("fp16"), `fixed_bytes` those of tensors that keep their own type.
    """

    name: str
    library: str
    class_name: str
    directory: Path
    files: tuple[Path, ...]
    variant: str | None
    config: Mapping[str, Any]
    floating_elements: int
    fixed_bytes: int
    largest_elements: int


@dataclass(frozen=True)
class Checkpoint:
    """A text-to-image pipeline as it lies on disk. `absent` names optional parts that are listed and not there."""

    directory: Path
    class_name: str
    components: tuple[Component, ...]
    absent: tuple[str, ...]

    def config(self, name: str) -> Mapping[str, Any]:
        """The config of a component; empty where the pipeline has none of that name."""
        return next((component.config for component in self.components if component.name == name), {})


@dataclass(frozen=True)
class TensorHeader:
    """One tensor of a safetensors file."""

    dtype: str
    elements: int
    size_bytes: int


def read_checkpoint(directory: Path) -> Checkpoint:
    """Read a pipeline's directory. Raises WeightsMissing with one line, ConfigError for code of the model's own."""
    index = _read_json(directory / "model_index.json")
    class_name = index.get("_class_name")
    if not isinstance(class_name, str):
        raise ConfigError(
            f"{directory} is a pipeline with code of its own ({class_name}), which is never run; choose another model"
        )
    components: list[Component] = []
    absent: list[str] = []
    for name, entry in index.items():
        if not (isinstance(entry, list) and len(entry) == 2 and all(isinstance(word, str) for word in entry)):
            continue
        folder = directory / name
        if folder.is_dir():
            components += _component(name, entry[0], entry[1], folder)
        elif name in OPTIONAL_COMPONENTS:
            absent.append(name)
        else:
            raise WeightsMissing(f"{directory} has no {name}, which its model_index.json lists; {MEND}")
    return Checkpoint(directory, class_name, tuple(components), tuple(absent))


def read_header(path: Path) -> dict[str, TensorHeader]:
    """The tensors that a safetensors file says it holds. Raises WeightsMissing when file and header disagree.

    Format: 8 bytes of little-endian length, that many bytes of JSON (name -> dtype, shape, offsets), then the data.
    """
    try:
        with path.open("rb") as file:
            file_bytes = path.stat().st_size
            header_bytes = int.from_bytes(file.read(8), "little")
            if file_bytes < 8 or not 2 <= header_bytes <= min(MAX_HEADER_BYTES, file_bytes - 8):
                raise WeightsMissing(f"{path} is no whole safetensors file ({file_bytes} bytes); {MEND}")
            header = json.loads(file.read(header_bytes))
    except OSError as error:
        raise WeightsMissing(f"{path} cannot be read: {error.strerror}; {MEND}") from None
    except ValueError:  # also a header that is not UTF-8
        raise WeightsMissing(f"the header of {path} is damaged; {MEND}") from None
    try:
        tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
        ends = [int(entry["data_offsets"][1]) for entry in tensors.values()]
        found = {
            name: TensorHeader(
                str(entry["dtype"]),
                math.prod(int(length) for length in entry["shape"]),
                int(entry["data_offsets"][1]) - int(entry["data_offsets"][0]),
            )
            for name, entry in tensors.items()
        }
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise WeightsMissing(f"the header of {path} is damaged; {MEND}") from None
    promised_bytes = 8 + header_bytes + max(ends, default=0)
    if promised_bytes != file_bytes:
        raise WeightsMissing(f"{path} has {file_bytes} bytes, its header promises {promised_bytes}; {MEND}")
    return found


def _component(name: str, library: str, class_name: str, folder: Path) -> Iterator[Component]:
    """The component, if it is a model. Tokenizers, schedulers and processors have no weights and yield nothing."""
    path = folder / "config.json"
    if re.search(r"(Tokenizer(Fast)?|Scheduler|Processor(Fast)?|FeatureExtractor)$", class_name) or (
        not path.exists() and name in OPTIONAL_COMPONENTS
    ):
        return
    config = _read_json(path)
    files, variant = _weight_files(folder)
    tensors: dict[str, TensorHeader] = {}
    for file in files:
        tensors |= read_header(file)
    floating = [tensor.elements for tensor in tensors.values() if tensor.dtype in FLOATING]
    yield Component(
        name=name,
        library=library,
        class_name=class_name,
        directory=folder,
        files=files,
        variant=variant,
        config=config,
        floating_elements=sum(floating),
        fixed_bytes=sum(tensor.size_bytes for tensor in tensors.values() if tensor.dtype not in FLOATING),
        largest_elements=max(floating, default=0),
    )


def _weight_files(folder: Path) -> tuple[tuple[Path, ...], str | None]:
    """The safetensors files of one variant, full precision first, and that variant's name."""
    for variant in (None, "fp16", "bf16"):
        infix = f".{variant}" if variant else ""
        for stem in ("diffusion_pytorch_model", "model"):
            index = folder / f"{stem}.safetensors.index{infix}.json"
            single = folder / f"{stem}{infix}.safetensors"
            if index.exists():
                return _shards(index), variant
            if single.exists():
                return (single,), variant
    others = sorted(path.name for path in folder.iterdir() if path.suffix in {".bin", ".pt", ".ckpt", ".pth"})
    if others:
        raise WeightsMissing(f"{folder} holds {others[0]} and no safetensors, and only those are loaded; {MEND}")
    raise WeightsMissing(f"{folder} holds no weights (*.safetensors); {MEND}")


def _shards(index: Path) -> tuple[Path, ...]:
    weight_map = _read_json(index).get("weight_map")
    names = sorted({str(name) for name in weight_map.values()}) if isinstance(weight_map, dict) else []
    if not names:
        raise WeightsMissing(f"{index} names no files; {MEND}")
    for name in names:
        if Path(name).name != name:
            raise WeightsMissing(f"{index} names {name!r}, which is no file beside it; {MEND}")
        if not (index.parent / name).is_file():
            raise WeightsMissing(f"{index.parent} has no {name}, which its index lists; {MEND}")
    return tuple(index.parent / name for name in names)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise WeightsMissing(f"{path.parent} has no {path.name}; {MEND}") from None
    except OSError as error:
        raise WeightsMissing(f"{path} cannot be read: {error.strerror}; {MEND}") from None
    except ValueError:
        raise WeightsMissing(f"{path} is damaged: it is not JSON; {MEND}") from None
    if not isinstance(found, dict):
        raise WeightsMissing(f"{path} is damaged: it is not a JSON object; {MEND}")
    return found
