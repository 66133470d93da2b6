"""Runs a model whose weights do not fit the GPU: they pass through a ring of slots there, the next ones while one works.

`stream(model, device)` hooks the model's large layers. Events order copies and work, nothing waits on the host: the bus is
busy all the while. Weights wait in pinned memory, or stay in the files they are mapped from and are staged by threads. A
share of them can stay resident, spread evenly, so that bus and work share the time all the way through.
"""

from __future__ import annotations

import ctypes
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from gpu_utils.sizes import GIB, MIB

SLOTS = 3  # one is worked with, one is filled, one is being filled
SMALLEST_BYTES = MIB  # what is smaller stays resident: its copy would cost more than its bytes
LARGEST_BYTES = 256 * MIB  # a head of a large vocabulary stays too: every slot would have to hold it
THREADS = 8
_CHUNK_BYTES = GIB  # of pinned memory: PyTorch rounds each block up to a power of two, so blocks that are one
_PIECE_BYTES = 8 * MIB


def streamed_layers(model: Any) -> list[Any]:
    """The layers whose weights are streamed: matrices of 1 to 256 MiB that no other layer shares; no embeddings."""
    torch: Any = sys.modules["torch"]
    kinds = (torch.nn.Linear, torch.nn.Conv2d, torch.nn.Conv3d)
    uses = Counter(id(weight) for module in model.modules() for weight in module.parameters(recurse=False))
    return [
        module
        for module in model.modules()
        if isinstance(module, kinds)
        and uses[id(module.weight)] == 1
        and SMALLEST_BYTES <= _bytes(module.weight) <= LARGEST_BYTES
    ]


def stream(model: Any, device: Any, *, pinned: bool = True, share: float = 0.0, compute_dtype: Any = None) -> None:
    """Put the model's small tensors and `share` of its large weights on `device`; the rest passes through it layer by layer.

    Without `pinned` the weights stay where they are, in the host's memory or in mapped files. Those that lie in 8-bit
    floating point are cast to `compute_dtype` when they are used. Layers may run in any order that is always the same; the
    first pass, which shows it, fetches them one by one. What is needed later hangs on the model's hooks and goes with them.
    """
    torch: Any = sys.modules["torch"]
    layers = _without_share(streamed_layers(model), share)
    weights = {id(layer.weight) for layer in layers}
    for tensor in [*model.parameters(), *model.buffers()]:
        if id(tensor) not in weights:
            tensor.data = tensor.data.to(device)
    if not layers:
        return
    on_gpu = device.type == "cuda"
    sources = [layer.weight.data.contiguous() for layer in layers]
    if pinned and on_gpu:
        sources = _pinned_copies(sources, torch)
    bus = _Bus(torch.device(device), max(map(_bytes, sources)), staged=not pinned) if on_gpu else _NoBus()
    ring = Ring(layers, sources, device, compute_dtype, bus)
    for layer in layers:
        layer.register_forward_pre_hook(ring.before)
        layer.register_forward_hook(ring.after)


@dataclass
class Slot:
    """Room for one layer on the device. `filled` and `used` are events: its copy has ended, its work has."""

    room: Any
    staging: Any = None
    filled: Any = None
    used: Any = None


class _Bus:
    """Copies to the GPU on a stream of their own, ordered with the work by events."""

    def __init__(self, device: Any, largest_bytes: int, *, staged: bool) -> None:
        self._torch: Any = sys.modules["torch"]
        self._device = device
        self._copying = self._torch.cuda.Stream(device)
        self._copying.wait_stream(self._working())  # the room may have been another's a moment ago
        self._pool = ThreadPoolExecutor(THREADS) if staged else None
        self._largest_bytes = largest_bytes

    def slot(self) -> Slot:
        """A new slot."""
        cuda, empty, flat = self._torch.cuda, self._torch.empty, {"dtype": self._torch.uint8}
        room = empty(self._largest_bytes, device=self._device, **flat)
        room.record_stream(self._copying)  # a copy may still be under way when the model is dropped
        staging = empty(self._largest_bytes, pin_memory=True, **flat) if self._pool else None
        return Slot(room, staging, cuda.Event(), cuda.Event())

    def copy(self, source: Any, slot: Slot) -> None:
        """Begin to fill a slot, once the work that used it has ended."""
        size = _bytes(source)
        if self._pool is not None:
            slot.filled.synchronize()  # the copy that last left this staging memory
            _copy_in_pieces(self._pool, source, slot.staging, size)
            source = slot.staging[:size]
        with self._torch.cuda.stream(self._copying):
            self._copying.wait_event(slot.used)
            slot.room[:size].copy_(source, non_blocking=True)
            slot.filled.record(self._copying)

    def wait_until_filled(self, slot: Slot) -> None:
        """Work that is handed to the device from now on waits for the copy."""
        self._working().wait_event(slot.filled)

    def mark_used(self, slot: Slot) -> None:
        """The work that uses the slot has been handed to the device."""
        slot.used.record(self._working())

    def _working(self) -> Any:
        return self._torch.cuda.current_stream(self._device)


class _NoBus:
    """Where there is no GPU a layer's bytes are copied when it runs: for tests, and to be the same everywhere."""

    def slot(self) -> Slot:
        return Slot(None)

    def copy(self, source: Any, slot: Slot) -> None:
        slot.room = source.clone()

    def wait_until_filled(self, slot: Slot) -> None:
        """The copy has ended already."""

    def mark_used(self, slot: Slot) -> None:
        """The work has ended already."""


class Ring:
    """The slots and what passes through them. Layer number n, counted over all passes, goes to slot n modulo SLOTS."""

    def __init__(
        self, layers: Sequence[Any], sources: Sequence[Any], device: Any, compute_dtype: Any, bus: Any
    ) -> None:
        self._torch: Any = sys.modules["torch"]
        self._sources = {id(layer): source for layer, source in zip(layers, sources, strict=True)}
        self._compute_dtype = compute_dtype
        self._order: list[Any] = []  # as they run
        self._places: dict[int, int] = {}
        self._whole = False  # every layer has run once
        self._number = 0  # of the layer that is expected next
        self._fetched = 0  # numbers below this have been fetched
        self._bus = bus
        self._slots = [bus.slot() for _ in range(SLOTS)]
        self._idle = {id(layer): self._nothing_like(layer.weight.data, device) for layer in layers}
        for layer in layers:
            layer.weight.data = self._idle[id(layer)]

    def before(self, layer: Any, arguments: Any) -> None:
        """The layer is about to run: it gets its weight, and the copies of those that follow are begun."""
        self._expect(layer)
        ahead = SLOTS - 1 if self._whole else 0
        for number in range(max(self._fetched, self._number), self._number + ahead + 1):
            following = self._order[number % len(self._order)] if self._whole else layer
            source = self._sources[id(following)]
            self._bus.copy(source.view(-1).view(self._torch.uint8), self._slots[number % SLOTS])
            self._fetched = number + 1
        slot, source = self._slots[self._number % SLOTS], self._sources[id(layer)]
        self._bus.wait_until_filled(slot)
        weight = slot.room[: _bytes(source)].view(source.dtype).view(source.shape)
        layer.weight.data = weight.to(self._compute_dtype) if self._is_lowered(source) else weight

    def after(self, layer: Any, arguments: Any, output: Any) -> None:
        """The layer's work has been handed to the device: its slot is free once that has ended."""
        self._bus.mark_used(self._slots[self._number % SLOTS])
        layer.weight.data = self._idle[id(layer)]
        self._number += 1

    def _expect(self, layer: Any) -> None:
        """Learn the order, or follow it; begin anew where a pass was broken off."""
        if id(layer) not in self._places:
            self._places[id(layer)] = len(self._order)
            self._order.append(layer)
        learning = not self._whole
        self._whole = len(self._order) == len(self._sources)
        missed = (self._places[id(layer)] - self._number) % len(self._order) if self._whole else 0
        self._number += missed
        if missed or learning:
            self._fetched = self._number

    def _is_lowered(self, source: Any) -> bool:
        return self._compute_dtype is not None and source.dtype.itemsize == 1 and source.dtype.is_floating_point

    def _nothing_like(self, weight: Any, device: Any) -> Any:
        """Shape, type and device of a weight that is used, in no memory: libraries ask a model for these."""
        dtype = self._compute_dtype if self._is_lowered(weight) else weight.dtype
        return self._torch.zeros((), dtype=dtype, device=device).expand(weight.shape)


def _without_share(layers: list[Any], share: float) -> list[Any]:
    """The layers that are streamed when `share` of their bytes stays, evenly spread over the model."""
    kept, streamed, passed = 0, [], 0
    for layer in layers:
        size = _bytes(layer.weight)
        passed += size
        if kept + size <= share * passed:
            kept += size
        else:
            streamed.append(layer)
    return streamed


def _pinned_copies(sources: Sequence[Any], torch: Any) -> list[Any]:
    """The same tensors in page-locked memory, copied by threads, many to a block."""
    chunks: list[list[int]] = []
    filled = _CHUNK_BYTES
    for index, source in enumerate(sources):
        size = -(-_bytes(source) // 256) * 256
        if filled + size > _CHUNK_BYTES:
            chunks.append([])
            filled = 0
        chunks[-1].append(index)
        filled += size
    copies: dict[int, Any] = {}

    def copy(indices: list[int]) -> None:
        sizes = [-(-_bytes(sources[index]) // 256) * 256 for index in indices]
        block = torch.empty(sum(sizes), dtype=torch.uint8, pin_memory=True)
        begin = 0
        for index, size in zip(indices, sizes, strict=True):
            source = sources[index]
            room = block[begin : begin + _bytes(source)]
            ctypes.memmove(room.data_ptr(), source.data_ptr(), _bytes(source))
            copies[index] = room.view(source.dtype).view(source.shape)
            begin += size

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(copy, chunks))
    return [copies[index] for index in range(len(sources))]


def _copy_in_pieces(pool: ThreadPoolExecutor, source: Any, target: Any, size: int) -> None:
    """Copy bytes with all threads: one alone reads 5 GB/s from mapped files."""
    first, second = target.data_ptr(), source.data_ptr()
    pieces = [(begin, min(_PIECE_BYTES, size - begin)) for begin in range(0, size, _PIECE_BYTES)]
    list(pool.map(lambda piece: ctypes.memmove(first + piece[0], second + piece[0], piece[1]), pieces))


def _bytes(tensor: Any) -> int:
    return int(tensor.numel() * tensor.element_size())
