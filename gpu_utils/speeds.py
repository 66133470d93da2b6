"""How long each strategy takes, from what it computes and what it moves; corrected by what this machine measured.

Only the order of strategies matters here. What weights of a precision cost to compute with, and what the bus carries, was
measured once and is shipped; a machine that is slower at one of them scales all strategies that are bound by it.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gpu_utils.activations import Work, is_denoiser
from gpu_utils.checkpoints import Checkpoint
from gpu_utils.strategies import HostCopy, Need, Speed, Strategy

if TYPE_CHECKING:
    from gpu_utils.learned import Measurement

# One H200 (PCIe gen 5 x16, 16 cores), 20 and 21 November 2026, FLUX.1's architecture, 1024x1024, 4 steps.
# Relative to native weights: fp8 0.93 s against 0.82, nf4 0.98 against 0.858. int8 was not measured: taken as the slowest.
PICTURE_FACTORS = {"native": 1.0, "fp8": 1.134, "int8": 1.5, "nf4": 1.142}
# Not measured yet: the order of what is unpacked for every token.
TEXT_FACTORS = {"native": 1.0, "fp8": 1.5, "int8": 3.0, "nf4": 1.5}
FLOPS = 511e12  # 2 x 11.9e9 weights x 4608 tokens x 4 steps in 0.858 s
TOKEN_SECONDS = 1 / 36  # of one token of a 4 B model whatever its size: bound by launches
BYTES_PER_SECOND = {"pinned": 55e9, "pageable": 17.5e9}  # the bus; files in the page cache, read by four threads
LOADING_SECONDS_PER_GB = 0.17  # 5.6 s for 33.7 GB
PINNING_SECONDS_PER_GB = 0.44  # 15 s more for 33.7 GB
CPU_FACTOR = {"picture": 1000.0, "text": 30.0, "speech": 30.0}  # against a GPU: 10^12 operations a second on 16 cores


def expected_speeds(
    checkpoint: Checkpoint,
    work: Work,
    strategies: Sequence[Strategy],
    needs: Mapping[str, Need],
    learned: Mapping[str, Measurement] | None = None,
) -> dict[str, Speed]:
    """Seconds for each strategy: measured here where it was, else computed on the scale this machine has shown.

    What was measured of strategies whose weights wait in one place speaks for those first; of a machine whose computing was
    measured, that speaks for all others.
    """
    computed = {strategy.name: _computed(checkpoint, work, strategy, needs[strategy.name]) for strategy in strategies}
    here = {
        strategy.name: Speed(found.setup_seconds, found.unit_seconds)
        for strategy in strategies
        if (found := (learned or {}).get(strategy.name)) is not None
        and found.setup_seconds is not None
        and found.unit_seconds is not None
    }
    ratios: dict[HostCopy, list[tuple[float, float]]] = {}
    for strategy in strategies:
        if strategy.name in here and strategy.residency != "cpu":
            measured, was = here[strategy.name], computed[strategy.name]
            ratio = (measured.setup_seconds / was.setup_seconds, measured.unit_seconds / was.unit_seconds)
            ratios.setdefault(strategy.host, []).append(ratio)
    scaled = {}
    for strategy in strategies:
        known = ratios.get(strategy.host) or ratios.get("none") or []
        speed = computed[strategy.name]
        scaled[strategy.name] = Speed(
            speed.setup_seconds * _mean([setup for setup, _ in known]),
            speed.unit_seconds * _mean([unit for _, unit in known]),
        )
    return scaled | here


def _computed(checkpoint: Checkpoint, work: Work, strategy: Strategy, need: Need) -> Speed:
    factors = PICTURE_FACTORS if work.kind == "picture" else TEXT_FACTORS
    computing = _full_unit_seconds(checkpoint, work) * factors[strategy.weights]
    if strategy.residency == "cpu":
        computing *= CPU_FACTOR[work.kind]
    moving = need.streamed_bytes * work.steps / BYTES_PER_SECOND[strategy.host] if need.streamed_bytes else 0.0
    if strategy.residency == "split":  # what is not on the GPU is computed on the CPU
        computing *= CPU_FACTOR[work.kind]
    gigabytes = max(1, sum(part.disk_bytes for part in checkpoint.components)) / 1e9
    setup = LOADING_SECONDS_PER_GB * gigabytes + PINNING_SECONDS_PER_GB * need.pinned_bytes / 1e9
    return Speed(setup, max(computing, moving))


def _full_unit_seconds(checkpoint: Checkpoint, work: Work) -> float:
    """One unit of work with all weights resident, on the machine where the figures were measured."""
    if work.kind != "picture":
        return work.steps * TOKEN_SECONDS
    weights = sum(part.floating_elements for part in checkpoint.components if is_denoiser(part))
    tokens = work.width * work.height / 256 + 512
    return max(1.0, 2 * weights * tokens * work.steps * work.batch) / FLOPS


def _mean(ratios: list[float]) -> float:
    return statistics.geometric_mean(ratios) if ratios and min(ratios) > 0 else 1.0
