"""How fast each strategy is: a table measured once and shipped, corrected by what this machine measured.

Factors are relative to "full" of the same kind of work, because only the order of strategies matters here: a machine that is
five times slower is so for all of them, and one strategy measured on it sets the scale for the others.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_utils.strategies import Speed, Strategy

if TYPE_CHECKING:
    from gpu_utils.learned import Measurement


@dataclass(frozen=True)
class Shipped:
    """Seconds per unit as a multiple of "full", and seconds of loading for 10^9 bytes of weights."""

    factor: float
    setup_seconds_per_gb: float


# FLUX.1's architecture, 33.7 GB, 1024x1024, 4 steps, one H200 with PCIe gen 5 x16 and 16 cores, 20 November 2026: 0.82 s a
# picture and 5.6 s of loading with "full". Rows that were not measured themselves follow from a limit that was, as noted.
PICTURES = {
    "full": Shipped(1.0, 0.17),
    "encode-first": Shipped(1.0, 0.17),  # the same work in another order
    "encode-first-tiled": Shipped(1.0, 0.17),
    "fp8": Shipped(0.93 / 0.82, 0.17),
    "int8": Shipped(0.93 / 0.82, 0.17),  # not measured: taken as fp8
    "nf4": Shipped(0.85 / 0.82, 0.17),
    "stream-nf4": Shipped(1.25, 0.25),  # not measured yet: 6.7 GB pass at each step instead of 23.8
    "stream": Shipped(2.27 / 0.82, 20.5 / 33.7),  # loading includes pinning a copy of the weights
    "stream-fp8": Shipped(1.68 / 0.82, 19.4 / 33.7),
    "stream-low": Shipped(4.54 / 0.82, 0.17),
    "stream-fp8-low": Shipped(4.54 / 0.82, 0.17),  # not measured: taken as stream-low
    "stream-disk": Shipped(61, 0.17),  # 4 x 23.8 GB of transformer at the disk's 1.9 GB/s
    "cpu": Shipped(1000, 0.17),  # 4e14 floating-point operations at the order of 10^12 a second on 16 cores
}
# Not measured yet: the order of what is computed and moved. int8 and nf4 unpack every weight for every token.
TEXTS = {
    "full": Shipped(1.0, 0.17),
    "int8": Shipped(3.0, 0.3),
    "nf4": Shipped(1.5, 0.3),
    "split": Shipped(20, 0.17),
    "cpu": Shipped(30, 0.17),
}
# What "full" takes for each unit where this machine has measured nothing yet, for 10^9 bytes of weights: a picture above;
# a scene of 300 tokens from a 4 B model (8 GB) at 36 tokens/s on the same card.
_UNIT_SECONDS_PER_GB = {"picture": 0.82 / 33.7, "text": 300 / 36 / 8}


def expected_speeds(
    strategies: Sequence[Strategy], kind: str, weight_bytes: int, learned: Mapping[str, Measurement] | None = None
) -> dict[str, Speed]:
    """Seconds for each strategy: measured here where it was, else the shipped ratio on the scale this machine has shown.

    `kind` is that of the work ("picture", "text", "speech"), `weight_bytes` those of the model in full precision.
    """
    table = PICTURES if kind == "picture" else TEXTS
    gigabytes = max(weight_bytes, 1) / 1e9
    shipped = {
        strategy.name: Speed(
            table[strategy.name].setup_seconds_per_gb * gigabytes,
            table[strategy.name].factor * _UNIT_SECONDS_PER_GB.get(kind, _UNIT_SECONDS_PER_GB["text"]) * gigabytes,
        )
        for strategy in strategies
    }
    here = {
        name: Speed(found.setup_seconds, found.unit_seconds)
        for name, found in (learned or {}).items()
        if name in shipped and found.setup_seconds is not None and found.unit_seconds is not None
    }
    setup = _scale([speed.setup_seconds / shipped[name].setup_seconds for name, speed in here.items()])
    unit = _scale([speed.unit_seconds / shipped[name].unit_seconds for name, speed in here.items()])
    return {
        name: Speed(speed.setup_seconds * setup, speed.unit_seconds * unit) for name, speed in shipped.items()
    } | here


def _scale(ratios: list[float]) -> float:
    return statistics.geometric_mean(ratios) if ratios and min(ratios) > 0 else 1.0
