"""What a strategy will need at its peak, before a byte of weights is read: learned, else a dry run, else a formula.

The peak is that of the worst phase. Encoding, denoising and decoding need different parts of a pipeline at different times;
how much of it lies on the device meanwhile is what strategies differ in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gpu_utils.activations import Activations, Work, activations, is_denoiser, is_encoder, layers_of
from gpu_utils.budget import CONTEXT_BYTES
from gpu_utils.checkpoints import Checkpoint, Component
from gpu_utils.precision import BYTES_PER_ELEMENT, stored_bytes, streamed
from gpu_utils.sizes import GIB
from gpu_utils.strategies import Need, Source, Strategy, Weights

if TYPE_CHECKING:
    from gpu_utils.learned import Measurement

HOST_BYTES = GIB  # what a CUDA context and its libraries take of the host beside weights
PINNED_FACTOR = 1.05  # layers are pinned together in blocks of 1 GiB; PyTorch rounds each up to a power of two
RING_SLOTS = 4  # of the largest layer: one is worked with, the others are being filled
DryRun = Callable[[Strategy], Activations | None]


def estimate(
    checkpoint: Checkpoint,
    strategy: Strategy,
    *,
    work: Work,
    dtype: str = "bfloat16",
    cpu_dtype: str = "float32",
    learned: Mapping[str, Measurement] | None = None,
    dry_run: DryRun | None = None,
) -> Need:
    """The need of one strategy. `dtype` is what is computed in on a GPU, `cpu_dtype` on the CPU.

    `learned` holds what was measured for this model, work, GPU and precision, by strategy; `dry_run` gives activations
    where the caller can build the model without memory (None: it cannot for this strategy).
    """
    on_cpu = strategy.residency == "cpu"
    element_bytes = BYTES_PER_ELEMENT[cpu_dtype if on_cpu else dtype]
    simulated = dry_run(strategy) if dry_run is not None and not on_cpu else None
    beside = simulated or activations(checkpoint, work, element_bytes, tiled=strategy.tiled_decoding)
    source: Source = "dry run" if simulated else "formula"
    stored = {part.name: _stored(part, strategy, element_bytes) for part in checkpoint.components}
    largest = max(beside.encode, beside.denoise, beside.decode)
    if on_cpu:
        return Need(0, sum(stored.values()) + largest, stored, largest, source=source)
    peak = CONTEXT_BYTES + max(_phases(checkpoint, strategy, stored, beside, element_bytes))
    measured = (learned or {}).get(strategy.name)
    # A split model fills what it is given: what it once took says nothing of the least that works.
    if measured is not None and strategy.residency != "split":
        peak, source = measured.peak_bytes, "learned"
    passing_bytes = _streamed_bytes(checkpoint, strategy, element_bytes)
    return Need(
        peak,
        _host(checkpoint, strategy, stored, dtype),
        stored,
        largest,
        streamed_bytes=passing_bytes,
        pinned_bytes=passing_bytes if strategy.host == "pinned" else 0,
        source=source,
    )


def _stored(part: Component, strategy: Strategy, element_bytes: int) -> int:
    return stored_bytes(part, _weights(part, strategy), element_bytes)


def _weights(part: Component, strategy: Strategy) -> Weights:
    """A strategy's precision applies to what is large: not to a VAE, nor to encoders that pass through only once."""
    lowered = _passes_at_every_step(part) or (is_encoder(part) and strategy.residency != "stream")
    return strategy.weights if lowered else "native"


def _phases(
    checkpoint: Checkpoint, strategy: Strategy, stored: Mapping[str, int], beside: Activations, element_bytes: int
) -> list[int]:
    """Bytes on the device in each phase, the context aside."""
    parts = checkpoint.components
    encoders = [part for part in parts if is_encoder(part)]
    others = [part for part in parts if not is_encoder(part)]

    def whole(chosen: list[Component]) -> int:
        return sum(stored[part.name] for part in chosen)

    def passing(part: Component) -> int:
        """What stays of a streamed part, and the ring through which the rest passes."""
        layers = streamed(part, _weights(part, strategy), element_bytes)
        share = 0.0 if is_encoder(part) else strategy.share
        upcast_bytes = 2 * layers.largest_bytes if _weights(part, strategy) == "fp8" else 0
        return (
            stored[part.name] - int((1 - share) * layers.total_bytes) + RING_SLOTS * layers.largest_bytes + upcast_bytes
        )

    match strategy.residency:
        case "resident":
            return [whole([*parts]) + max(beside.encode, beside.denoise, beside.decode)]
        case "encode-first":
            return [whole(encoders) + beside.encode, whole(others) + max(beside.denoise, beside.decode)]
        case "stream":
            works = max(beside.denoise, beside.decode)
            kept = sum(passing(part) if _passes_at_every_step(part) else stored[part.name] for part in others)
            return [sum(map(passing, encoders)) + beside.encode, kept + works]
        case _:  # "split": the least that makes progress is two layers beside the embedding
            layers = max((layers_of(part.config) for part in parts), default=1)
            return [2 * whole([*parts]) // layers + max(map(passing, parts), default=0) + beside.denoise]


def _passes_at_every_step(part: Component) -> bool:
    return is_denoiser(part) or part.name == "model"


def _streamed_bytes(checkpoint: Checkpoint, strategy: Strategy, element_bytes: int) -> int:
    if strategy.residency != "stream":
        return 0
    passing = [part for part in checkpoint.components if _passes_at_every_step(part)]
    total = sum(streamed(part, _weights(part, strategy), element_bytes).total_bytes for part in passing)
    return int((1 - strategy.share) * total)


def _host(checkpoint: Checkpoint, strategy: Strategy, stored: Mapping[str, int], dtype: str) -> int:
    """Host memory beside what is already used: copies of weights that are made there, and what waits there.

    Files whose weights are taken as they are cost nothing: they are mapped, and their pages are given up before anything is
    killed. Weights in another precision than the file's are copies. Text encoders are streamed once for each prompt, straight
    from there; only what works at every step is worth pinning.
    """
    element_bytes = BYTES_PER_ELEMENT[dtype]

    def copied(part: Component) -> int:
        taken_as_it_is = part.quantized or part.disk_bytes == stored_bytes(part, "native", element_bytes)
        if strategy.host == "pinned" and _passes_at_every_step(part):
            return max(
                int((1 - strategy.share) * stored[part.name] * PINNED_FACTOR),
                0 if taken_as_it_is else stored[part.name],
            )
        if _weights(part, strategy) == "fp8":
            return stored[part.name]
        if strategy.residency == "split":
            return stored[part.name]
        return 0 if taken_as_it_is else stored_bytes(part, "native", element_bytes)

    encoders = [copied(part) for part in checkpoint.components if is_encoder(part)]
    others = [copied(part) for part in checkpoint.components if not is_encoder(part)]
    if strategy.residency == "stream":  # they stay while they work; elsewhere one part after the other moves on
        return HOST_BYTES + max(sum(encoders), sum(others))
    return HOST_BYTES + max([*encoders, *others], default=0)
