"""Gives memory back to the driver from inside a living process; only a process's exit gives back its CUDA context.

A tensor that something still refers to cannot be given back. The reference people forget is a traceback: it keeps every
local variable of the frames that failed. So leave the `except` block first, then call `force_cleanup`; where the error
itself must be kept, `release_traceback` empties those frames.
"""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Iterator
from typing import Any

from gpu_utils.devices import initialised_torch

# What a husk of a module keeps besides torch's own fields: enough to print it and to ask for its configuration.
_PLAIN_VALUES = (bool, int, float, complex, str, bytes, type(None), type)


def force_cleanup() -> int:
    """Collect garbage and return the allocator's unused blocks to the driver, on every device of this process.

    Returns the bytes given back, read again afterwards: what PyTorch had reserved before less what it has reserved now.
    0 without torch or without a CUDA context. Raises torch's RuntimeError where an earlier kernel failed.
    """
    torch = initialised_torch()
    before_bytes = _reserved_bytes(torch)
    gc.collect()
    if torch is not None:
        torch.cuda.synchronize()  # blocks that another stream still uses cannot be returned
        torch.cuda.empty_cache()
        torch.cuda.ipc_collect()
        empty_host_cache = getattr(
            torch.accelerator, "empty_host_cache", None
        )  # pinned host buffers; not in torch 2.11
        if empty_host_cache is not None:
            empty_host_cache()
    return before_bytes - _reserved_bytes(torch)


def cleanup_model(model: object) -> int:
    """Turn a model into a husk without memory, whoever still refers to it; returns the bytes given back.

    `model` is an `nn.Module`, a diffusers pipeline (anything with a `components` mapping), a list, tuple or dict of
    these, or None. Parameters and buffers move to the meta device; hooks, caches and quantisation states are dropped,
    so that models under accelerate or group offload and bitsandbytes models, which refuse `.to()`, are emptied too. The
    model cannot be used afterwards. Raises TypeError for anything else.
    """
    torch = sys.modules.get("torch")
    if torch is not None:
        seen: set[int] = set()
        for module in _modules(model, torch):
            for part in module.modules():
                if id(part) not in seen:
                    seen.add(id(part))
                    _empty(part, torch)
    elif model is not None:
        raise TypeError(f"{type(model).__name__} is no model: torch has not been imported")
    return force_cleanup()


def release_traceback(error: BaseException) -> None:
    """Drop the local variables of all finished frames that an error, its causes and contexts hold on to.

    The frames of functions that are still running keep theirs.
    """
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop()
        if current is not None and id(current) not in seen:
            seen.add(id(current))
            traceback.clear_frames(current.__traceback__)
            pending += [current.__cause__, current.__context__]


def _modules(model: object, torch: Any) -> Iterator[Any]:
    components = getattr(model, "components", None)
    if isinstance(model, torch.nn.Module):
        yield model
    elif isinstance(components, dict):
        yield from (value for value in components.values() if isinstance(value, torch.nn.Module))
    elif isinstance(model, list | tuple | dict):
        for item in model.values() if isinstance(model, dict) else model:
            yield from _modules(item, torch)
    elif model is not None:
        raise TypeError(f"{type(model).__name__} is no model: give an nn.Module, a pipeline, or a list of them")


def _empty(module: Any, torch: Any) -> None:
    """Replace one module's tensors by meta ones; drop all else: hooks, offload copies, caches, bound forwards."""
    for name, parameter in module._parameters.items():
        if parameter is not None:
            meta = torch.empty(parameter.shape, dtype=parameter.dtype, device="meta")
            module._parameters[name] = torch.nn.Parameter(meta, requires_grad=False)
    for name, buffer in module._buffers.items():
        if buffer is not None:
            module._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype, device="meta")
    own_fields = vars(torch.nn.Module()).keys()
    for name, value in list(vars(module).items()):
        if name in own_fields:
            if "hooks" in name and isinstance(value, dict):
                value.clear()
        elif not isinstance(value, _PLAIN_VALUES) and name not in ("config", "_internal_dict"):
            del module.__dict__[name]


def _reserved_bytes(torch: Any | None) -> int:
    if torch is None:
        return 0
    return sum(int(torch.cuda.memory_reserved(number)) for number in range(torch.cuda.device_count()))
