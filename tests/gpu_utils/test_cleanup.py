"""Giving memory back: models become husks, tracebacks let go."""

from __future__ import annotations

import functools
import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from gpu_utils import cleanup_model, force_cleanup, release_traceback
from gpu_utils.devices import initialised_torch


def tensors_alive() -> int:
    gc.collect()
    return sum(1 for item in gc.get_objects() if type(item) is torch.Tensor and item.numel() == 12_345)


def marked() -> torch.Tensor:
    """A tensor that `tensors_alive` can recognise, out of anyone else's."""
    return torch.zeros(12_345)


def tied_model() -> nn.Sequential:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.BatchNorm1d(4))
    model[1].weight = model[0].weight
    return model


def test_a_model_is_a_husk_whoever_still_refers_to_it() -> None:
    model: Any = tied_model()
    weight = weakref.ref(model[0].weight)
    model.key_value_cache = [marked()]
    model.itself = model
    before = tensors_alive()
    model.register_forward_hook(lambda *arguments: None)
    assert cleanup_model(model) == 0  # no CUDA context, so nothing for the driver to get back
    assert tensors_alive() == before - 1
    assert weight() is None
    assert {tensor.device.type for tensor in [*model.parameters(), *model.buffers()]} == {"meta"}
    assert [tuple(parameter.shape) for parameter in model.parameters()][:2] == [(4, 4), (4,)]
    assert not model._forward_hooks


def test_offloaded_and_quantised_models_lose_their_copies_too() -> None:
    model: Any = nn.Linear(4, 4)
    model._hf_hook = SimpleNamespace(weights_map={"weight": marked()})  # accelerate
    model._diffusers_hook = SimpleNamespace(cpu_copy=marked())  # group offload
    model.state = SimpleNamespace(CB=marked())  # bitsandbytes int8
    model.forward = functools.partial(torch.add, marked())  # a hook's wrapper around the real forward
    model.config = {"hidden_size": 4}
    before = tensors_alive()
    cleanup_model(model)
    assert tensors_alive() == before - 4
    assert model.config == {"hidden_size": 4}


def test_a_real_diffusers_pipeline_under_group_offload_is_emptied() -> None:
    diffusers = pytest.importorskip("diffusers")
    unet = diffusers.UNet2DModel(
        sample_size=8, block_out_channels=(32,), down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",)
    )
    pipeline = diffusers.DDPMPipeline(unet, diffusers.DDPMScheduler())
    unet.enable_group_offload(torch.device("cpu"), offload_type="leaf_level")
    weights = [weakref.ref(parameter) for parameter in unet.parameters()]
    cleanup_model(pipeline)
    assert all(weight() is None for weight in weights)
    assert all(parameter.device.type == "meta" for parameter in pipeline.unet.parameters())


def test_collections_and_none_are_models_and_a_string_is_not() -> None:
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    cleanup_model(None)
    cleanup_model([first, {"decoder": second}, None])
    assert first.weight.device.type == second.weight.device.type == "meta"
    with pytest.raises(TypeError, match="str is no model"):
        cleanup_model("FLUX.1")


def fail_with_a_tensor() -> None:
    held = marked()
    raise RuntimeError(f"CUDA error: out of memory after {held.numel()}")


def test_a_traceback_keeps_tensors_alive_until_its_except_block_is_left_or_it_is_released() -> None:
    before = tensors_alive()
    try:
        fail_with_a_tensor()
    except RuntimeError as error:
        assert tensors_alive() == before + 1
        kept = error
    assert tensors_alive() == before + 1
    release_traceback(kept)
    assert tensors_alive() == before
    assert "out of memory" in str(kept)


def test_releasing_follows_causes_and_contexts() -> None:
    before = tensors_alive()
    try:
        try:
            fail_with_a_tensor()
        except RuntimeError as error:
            raise ValueError("loading failed") from error
    except ValueError as error:
        kept = error
    assert tensors_alive() == before + 1
    release_traceback(kept)
    assert tensors_alive() == before


def test_cleaning_without_a_context_gives_back_nothing_and_makes_none() -> None:
    assert force_cleanup() == 0
    assert initialised_torch() is None
