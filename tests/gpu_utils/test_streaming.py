"""Streamed models compute what resident ones compute, and no slot is filled while its layer may still be at work."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import torch

from gpu_utils import streaming
from gpu_utils.packing import pack
from gpu_utils.streaming import Ring, Slot, stream, streamed_layers

WIDTH = 64
CPU = torch.device("cpu")


class Broken(Exception):
    """A pass that ends in the middle."""


class Net(torch.nn.Module):
    """Nine layers in a row, and one that is registered first and runs last."""

    def __init__(self) -> None:
        super().__init__()
        self.last = torch.nn.Linear(WIDTH, WIDTH)
        self.layers = torch.nn.ModuleList(torch.nn.Linear(WIDTH, WIDTH) for _ in range(9))
        self.norm = torch.nn.LayerNorm(WIDTH)
        self.break_before: int | None = None

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        for number, layer in enumerate(self.layers):
            if number == self.break_before:
                raise Broken
            states = torch.relu(layer(states)) + states
        result: torch.Tensor = self.last(self.norm(states))
        return result


@pytest.fixture(autouse=True)
def small_layers_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "SMALLEST_BYTES", 1)


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net().eval()


STATES = torch.randn(3, WIDTH, generator=torch.Generator().manual_seed(1))


def broken_pass(net: Net, before: int) -> None:
    net.break_before = before
    with pytest.raises(Broken):
        net(STATES)
    net.break_before = None


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_every_pass_gives_what_the_resident_model_gives(
    net: Net, share: float, mode: Callable[[], AbstractContextManager[None]]
) -> None:
    with mode():
        expected = net(STATES)
        streamed = copy.deepcopy(net)
        stream(streamed, CPU, share=share)
        broken_pass(streamed, 4)  # while the order is being learned
        for number in range(4):
            assert torch.equal(streamed(STATES), expected)
            broken_pass(streamed, number)
        assert torch.equal(streamed(STATES), expected)


class RecordingBus:
    """Copies at once, and checks what makes the real bus safe: it copies and works at the same time."""

    def __init__(self) -> None:
        self.at_work: set[int] = set()  # slots whose layer's work has been handed over, and its end not been marked
        self.copied_last: dict[int, Any] = {}
        self.waited: set[int] = set()
        self.copies = 0
        self.most_ahead = 0

    def slot(self) -> Slot:
        return Slot(None)

    def copy(self, source: Any, slot: Slot) -> None:
        assert id(slot) not in self.at_work, "a slot is filled although the end of its layer's work was never marked"
        slot.room = source.clone()
        self.waited.discard(id(slot))
        self.copies += 1
        self.copied_last[id(slot)] = source
        self.most_ahead = max(self.most_ahead, len(self.copied_last) - len(self.waited))

    def wait_until_filled(self, slot: Slot) -> None:
        self.waited.add(id(slot))
        self.at_work.add(id(slot))

    def mark_used(self, slot: Slot) -> None:
        assert id(slot) in self.waited, "a layer ran without waiting for its weight"
        self.at_work.discard(id(slot))


def test_slots_are_filled_ahead_but_never_under_a_layer_that_works(net: Net) -> None:
    expected = net(STATES)
    layers = streamed_layers(net)
    bus = RecordingBus()
    ring = Ring(layers, [layer.weight.data for layer in layers], CPU, None, bus)
    for layer in layers:
        layer.register_forward_pre_hook(ring.before)
        layer.register_forward_hook(ring.after)
    passes = 3
    for _ in range(passes):
        assert torch.equal(net(STATES), expected)
    ahead = streaming.SLOTS - 1
    assert bus.most_ahead >= ahead
    assert bus.copies == passes * len(layers) + ahead  # each once a pass, and those that wait for a next one


def test_a_model_tells_its_device_and_type_while_its_weights_are_elsewhere(net: Net) -> None:
    stream(net.to(torch.bfloat16), CPU)
    weight = net.last.weight
    assert (weight.shape, weight.dtype, weight.device) == ((WIDTH, WIDTH), torch.bfloat16, CPU)
    assert weight.untyped_storage().nbytes() == 2


def test_the_share_that_stays_is_spread_over_the_model(net: Net) -> None:
    stream(net, CPU, share=0.5)
    weights = [layer.weight for layer in net.layers if isinstance(layer, torch.nn.Linear)]
    stays = [weight.untyped_storage().nbytes() > 4 for weight in weights]
    assert 4 <= sum(stays) <= 5
    assert not any(all(stays[first : first + 3]) for first in range(7))


def test_weights_that_are_shared_embedded_small_or_huge_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    model = torch.nn.ModuleDict(
        {
            "embedding": torch.nn.Embedding(100, WIDTH),
            "head": torch.nn.Linear(WIDTH, 100, bias=False),
            "small": torch.nn.Linear(2, 2),
            "large": torch.nn.Linear(WIDTH, WIDTH),
            "huge": torch.nn.Linear(WIDTH, 1000),
        }
    )
    head, embedding = model["head"], model["embedding"]
    assert isinstance(head, torch.nn.Linear) and isinstance(embedding, torch.nn.Embedding)
    head.weight = embedding.weight
    monkeypatch.setattr(streaming, "SMALLEST_BYTES", 1000)
    monkeypatch.setattr(streaming, "LARGEST_BYTES", 100_000)
    assert streamed_layers(model) == [model["large"]]


def test_eight_bit_weights_are_cast_when_they_are_used_and_norms_are_left_alone(net: Net) -> None:
    expected = net(STATES)
    pack(net, "fp8", CPU, torch.float32)
    assert net.last.weight.dtype is torch.float8_e4m3fn
    stream(net, CPU, compute_dtype=torch.float32)
    assert net.last.weight.dtype is torch.float32
    difference = (net(STATES) - expected).abs().mean() / expected.abs().mean()
    assert 0 < difference < 0.1


def test_four_bit_weights_are_packed_layer_by_layer(net: Net) -> None:
    pytest.importorskip("bitsandbytes")
    expected = net(STATES)
    pack(net, "nf4", CPU, torch.float32)
    assert net.last.weight.dtype is torch.uint8
    stream(net, CPU)
    difference = (net(STATES) - expected).abs().mean() / expected.abs().mean()
    assert 0 < difference < 0.5


def test_another_precision_is_refused(net: Net) -> None:
    with pytest.raises(ValueError, match="int3"):
        pack(net, "int3", CPU, torch.float32)


# ---- on a GPU


@pytest.fixture
def wide() -> Iterator[torch.nn.Module]:
    """About 1 GiB in bfloat16, in 32 layers: long enough for copies to fall behind or run ahead."""
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    torch.manual_seed(0)
    yield torch.nn.Sequential(*(torch.nn.Linear(4096, 4096, bias=False) for _ in range(32))).to(torch.bfloat16)


@pytest.mark.gpu
@pytest.mark.parametrize("pinned", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize("rows", [1, 16384])  # far less work than copying, and far more
def test_on_a_gpu_a_streamed_model_gives_the_same_in_a_fraction_of_the_memory(
    wide: torch.nn.Module, pinned: bool, share: float, rows: int
) -> None:
    device = torch.device("cuda:0")
    states = torch.randn(rows, 4096, dtype=torch.bfloat16, device=device)
    with torch.inference_mode():
        expected = copy.deepcopy(wide).to(device)(states)
        torch.cuda.empty_cache()
        before = torch.cuda.memory_allocated()
        stream(wide, device, pinned=pinned, share=share)
        for _ in range(5):
            assert torch.equal(wide(states), expected)
        torch.cuda.synchronize()
        assert torch.cuda.memory_allocated() - before < (share * 1.1 * 32 + streaming.SLOTS + 1) * 2**25
