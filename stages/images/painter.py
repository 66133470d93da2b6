"""The one file of this stage that knows torch and diffusers: load a pipeline, encode a prompt, paint a picture.

safetensors only, no code of a model's own, nothing from a network. Every picture has its own generator, on the CPU: the same
seed on the same machine, with the same thread count and strategy, gives the same pixels.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import diffusers
import numpy as np
import torch
import transformers
from safetensors import SafetensorError

from gpu_utils import is_out_of_memory
from gpu_utils.host_memory import read_host_memory
from stages.images.checkpoint import MEND, Checkpoint, Component
from stages.images.needs import weight_bytes
from stages.images.pictures import Pixels
from stages.images.request import PictureRequest
from stages.pipeline.definition import Placement
from stages.pipeline.errors import ConfigError, SceneFailure, WeightsMissing, one_line

logger = logging.getLogger(__name__)

LIBRARIES = {"diffusers": diffusers, "transformers": transformers}
# What the libraries raise for files that are damaged, do not fit their configs, or need a package that is not here.
BAD_FILES = (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError, SafetensorError)
# Pinning copies every weight once in the host's memory; below this multiple of the weights it is done leaf by leaf instead.
PINNING_FACTOR = 1.25


@dataclass
class Painter:
    """A loaded pipeline. `parameters` are those of its call: pipelines understand different ones."""

    pipeline: Any
    class_name: str
    parameters: Mapping[str, inspect.Parameter]
    told_of_long_prompts: bool = False


@dataclass(frozen=True)
class Conditioning:
    """What a picture is to show, as arguments of the pipeline's call.

    `tokens` of the prompt, of which the text encoder reads at most `token_limit`; None where it has no tokenizer.
    """

    arguments: Mapping[str, Any]
    tokens: int | None
    token_limit: int | None


def import_classes(checkpoint: Checkpoint) -> None:
    """Import every class that loading will need; half of a cold start is this. Raises ConfigError."""
    for library in LIBRARIES.values():
        library.utils.logging.disable_progress_bar()
        library.utils.logging.set_verbosity_error()  # what matters of their warnings is checked here
    parameters = _parameters_of(_class("diffusers", checkpoint.class_name))
    if not {"prompt", "num_inference_steps", "output_type"} <= parameters.keys() or "num_frames" in parameters:
        raise ConfigError(
            f"{checkpoint.class_name} in {checkpoint.directory} does not paint pictures from a text; "
            "choose a text-to-image model"
        )
    for component in checkpoint.components:
        if component.library in LIBRARIES:
            _class(component.library, component.class_name)


def load(checkpoint: Checkpoint, placement: Placement, dtype: str) -> Painter:
    """Read the weights and put them where they belong. Raises WeightsMissing when files and configs disagree."""
    precision = getattr(torch, dtype)
    pipeline_class = _class("diffusers", checkpoint.class_name)
    try:
        components: dict[str, Any] = dict.fromkeys(checkpoint.absent)
        for component in checkpoint.components:
            if component.library in LIBRARIES:
                components[component.name] = _load_component(component, precision)
        pipeline = pipeline_class.from_pretrained(
            str(checkpoint.directory),
            dtype=precision,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            **components,
        )
    except BAD_FILES as error:
        if is_out_of_memory(error):
            raise
        logger.debug("loading failed", exc_info=True)
        raise WeightsMissing(f"{checkpoint.directory} cannot be loaded: {error}; {MEND}") from error
    pipeline.set_progress_bar_config(disable=True)
    _place(pipeline, checkpoint, placement, dtype)
    return Painter(pipeline, checkpoint.class_name, _parameters_of(pipeline_class))


def encode(painter: Painter, request: PictureRequest) -> Conditioning:
    """The text as the pipeline's call takes it. A prompt longer than the encoder reads is told once, not refused."""
    arguments: dict[str, Any] = {"prompt": request.prompt}
    negative_prompt = request.negative_prompt
    if _guides_by_negative_prompt(painter):
        arguments["true_cfg_scale"] = request.guidance_scale
        negative_prompt = negative_prompt or " "  # without one, these pipelines leave guidance out
    elif "guidance_scale" in painter.parameters:
        arguments["guidance_scale"] = request.guidance_scale
    if negative_prompt and "negative_prompt" in painter.parameters:
        arguments["negative_prompt"] = negative_prompt
    tokens, limit = _prompt_tokens(painter, request.prompt)
    if tokens is not None and limit is not None and tokens > limit and not painter.told_of_long_prompts:
        painter.told_of_long_prompts = True
        logger.warning(
            "a prompt has %d tokens, of which %s reads the first %d; shorten the style, the appearances or the prompt",
            tokens,
            painter.class_name,
            limit,
        )
    return Conditioning(arguments, tokens, limit)


def paint(painter: Painter, conditioning: Conditioning, request: PictureRequest, seed: int) -> Pixels:
    """Denoise and decode one picture: (height, width, 3), float32. Raises SceneFailure, and what means out of memory."""
    arguments = {
        **conditioning.arguments,
        "width": request.width,
        "height": request.height,
        "num_inference_steps": request.num_inference_steps,
        "generator": torch.Generator("cpu").manual_seed(seed),
        "output_type": "np",
    }
    try:
        output = painter.pipeline(**{name: value for name, value in arguments.items() if name in painter.parameters})
    except (ValueError, IndexError, RuntimeError) as error:
        # A GPU that failed, or is full, fails every scene after this one; a picture that cannot be painted is one scene's.
        if is_out_of_memory(error) or isinstance(error, torch.AcceleratorError):
            raise
        logger.exception("%s could not paint", painter.class_name)
        raise SceneFailure(f"{painter.class_name}: {type(error).__name__}: {one_line(str(error), 300)}") from error
    pixels = np.asarray(output.images[0], dtype=np.float32)
    if pixels.shape != (request.height, request.width, 3):
        raise SceneFailure(
            f"{painter.class_name} painted {pixels.shape[1]}x{pixels.shape[0]} pixels "
            f"instead of {request.width}x{request.height}"
        )
    return pixels


def release(painter: Painter) -> None:
    """Drop the pipeline, so that its memory can be given back."""
    painter.pipeline = None


def _load_component(component: Component, precision: torch.dtype) -> Any:
    """One model, every weight of it from its files: the libraries would only warn, and go on with random numbers."""
    model, info = _class(component.library, component.class_name).from_pretrained(
        str(component.directory),
        variant=component.variant,
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
        dtype=precision,
    )
    lacking = sorted(str(key) for kind in ("missing_keys", "mismatched_keys") for key in info.get(kind, ()))
    if lacking:
        raise WeightsMissing(f"{component.directory} lacks {len(lacking)} weights, {lacking[0]} among them; {MEND}")
    return model


def _place(pipeline: Any, checkpoint: Checkpoint, placement: Placement, dtype: str) -> None:
    if not placement.on_gpu:
        return
    device = torch.device(placement.device)
    if placement.strategy != "offload":
        pipeline.to(device)
        return
    # Leaf by leaf from pinned memory, the next leaf copied while this one works: faster and smaller than model offload.
    # What is pinned leaf by leaf (`low_cpu_mem_usage`) takes half the host's memory and twice the time.
    scarce = read_host_memory().available_bytes < PINNING_FACTOR * weight_bytes(checkpoint, dtype)
    pipeline.enable_group_offload(
        onload_device=device,
        offload_device=torch.device("cpu"),
        offload_type="leaf_level",
        use_stream=True,
        low_cpu_mem_usage=scarce,
    )


def _guides_by_negative_prompt(painter: Painter) -> bool:
    """Whether guidance is called `true_cfg_scale` and on by default, as in Qwen-Image; FLUX.1 has it, switched off."""
    parameter = painter.parameters.get("true_cfg_scale")
    return parameter is not None and isinstance(parameter.default, (int, float)) and parameter.default > 1


def _prompt_tokens(painter: Painter, prompt: str) -> tuple[int | None, int | None]:
    """Tokens of the prompt and how many are read, by the tokenizer that reads the most."""
    parameter = painter.parameters.get("max_sequence_length")
    read_by_call = parameter.default if parameter is not None and isinstance(parameter.default, int) else None
    most: tuple[int | None, int | None] = (None, None)
    for name, tokenizer in painter.pipeline.components.items():
        longest = getattr(tokenizer, "model_max_length", None)
        if not name.startswith("tokenizer") or not isinstance(longest, int):
            continue
        limit = min(longest, read_by_call or longest)
        if most[1] is None or limit > most[1]:
            most = (len(tokenizer(prompt, truncation=False, verbose=False).input_ids), limit)
    return most


def _class(library: str, class_name: str) -> Any:
    try:
        return getattr(LIBRARIES[library], class_name)
    except (AttributeError, ImportError, RuntimeError) as error:
        version = LIBRARIES[library].__version__
        raise ConfigError(f"{library} {version} has no {class_name}; choose another images.model_id") from error


def _parameters_of(pipeline_class: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(pipeline_class.__call__).parameters
