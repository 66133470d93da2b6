"""What a strategy will need at its peak, before a byte of weights is read: learned, else a dry run, else a formula.

The peak is that of the worst phase. Encoding, denoising and decoding need different parts of a pipeline at different times;
how much of it lies on the device meanwhile is what strategies differ in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gpu_utils.activations import Activations, Work, activations, is_denoiser, is_encoder
from gpu_utils.budget import CONTEXT_BYTES
from gpu_utils.checkpoints import Checkpoint, Component
from gpu_utils.precision import BYTES_PER_ELEMENT, largest_bytes, stored_bytes
from gpu_utils.sizes import GIB
from gpu_utils.strategies import Need, Source, Strategy, Weights

if TYPE_CHECKING:
    from gpu_utils.learned import Measurement

HOST_BYTES = GIB  # what a CUDA context and its libraries take of the host beside weights
PINNED_FACTOR = 1.1  # FLUX.1's transformer: 26.3 GB of the host for 23.8 GB pinned layer by layer
# While one layer works the next is copied, and the one before is not free yet: 1.16 GiB were reserved for FLUX.1, for two
# of the largest the formula says 1.07, for three 1.17.
LEAVES_AT_ONCE = 3
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
    if measured is not None:
        # Texts differ in length: a short one says nothing of a long one.
        peak = measured.peak_bytes if work.kind == "picture" else max(peak, measured.peak_bytes)
        source = "learned"
    passing = sum(stored[part.name] for part in checkpoint.components if _passes_at_every_step(part))
    passing_bytes = passing if strategy.residency == "stream" else 0
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

    def passing(chosen: list[Component]) -> int:
        leaves = (largest_bytes(part, _weights(part, strategy), element_bytes, LEAVES_AT_ONCE) for part in chosen)
        return max(leaves, default=0)

    match strategy.residency:
        case "resident":
            return [whole([*parts]) + max(beside.encode, beside.denoise, beside.decode)]
        case "encode-first":
            return [whole(encoders) + beside.encode, whole(others) + max(beside.denoise, beside.decode)]
        case _:
            kept = whole([part for part in others if not _passes_at_every_step(part)])
            leaves = passing([part for part in others if _passes_at_every_step(part)])
            return [passing(encoders) + beside.encode, kept + leaves + max(beside.denoise, beside.decode)]


def _passes_at_every_step(part: Component) -> bool:
    return is_denoiser(part) or part.name == "model"


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
            return int(stored[part.name] * PINNED_FACTOR)
        if _weights(part, strategy) == "fp8":
            return stored[part.name]
        return 0 if taken_as_it_is else stored_bytes(part, "native", element_bytes)

    encoders = [copied(part) for part in checkpoint.components if is_encoder(part)]
    others = [copied(part) for part in checkpoint.components if not is_encoder(part)]
    if strategy.residency == "stream":  # they stay while they work; elsewhere one part after the other moves on
        return HOST_BYTES + max(sum(encoders), sum(others))
    return HOST_BYTES + max([*encoders, *others], default=0)
