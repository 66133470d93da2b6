"""Where a model goes: lease, then admission, then the first strategy that fits. Before the first byte of GPU memory.

Never warns and loads anyway: what does not fit takes a smaller strategy or is refused with the reason.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gpu_utils import (
    GPUDevice,
    GPUError,
    Lease,
    MemoryKind,
    check_vram_availability,
    classify_out_of_memory,
    select_device,
)
from stages.pipeline.definition import Placement
from stages.pipeline.errors import ConfigError, TryAgainLater
from stages.pipeline.settings import DeviceChoice

logger = logging.getLogger(__name__)

ON_CPU = Placement("cpu", "cpu")
LEASE_TIMEOUT_SECONDS = 1800.0
# A process that has just ended gives 100 GiB back within 0.2 s; drivers under load take longer.
RETURNING_MEMORY_SECONDS = 10.0


@contextlib.contextmanager
def placed(
    device_choice: DeviceChoice,
    strategies: Sequence[str],
    forced: str | None,
    needed_bytes: Callable[[str], int],
    label: str,
) -> Iterator[Placement]:
    """Hold the GPU for the block, if `device_choice` allows it and there is one; give where the model goes.

    `strategies` are tried in order; "cpu" among them means that the model may run there. Raises TryAgainLater when the GPU
    is held by another or nothing fits, ConfigError when `forced` is no strategy of the stage or "cuda" is not to be had.
    """
    if forced is not None and forced not in strategies:
        raise ConfigError(f"--strategy {forced} is not known to this stage; it knows {', '.join(strategies)}")
    device = _usable_gpu() if device_choice != "cpu" and forced != "cpu" else None
    if device is None and device_choice == "cuda":
        raise ConfigError('device = "cuda", and there is no GPU that this torch can use; set it to "auto" or "cpu"')
    if device is None:
        yield ON_CPU
        return
    allowed = [strategy for strategy in strategies if device_choice == "auto" or strategy != "cpu"]
    candidates = [forced] if forced else allowed
    smallest = min((needed_bytes(strategy) for strategy in candidates if strategy != "cpu"), default=0)
    try:
        with Lease(device, smallest, label, timeout_seconds=_lease_timeout_seconds(), logger=logger):
            yield _admitted(device, candidates, needed_bytes)
    except GPUError as error:
        raise TryAgainLater(str(error)) from error


def next_strategy(strategies: Sequence[str], current: str) -> str | None:
    """The strategy to try after `current` ran out of memory; None when the ladder ends."""
    following = list(strategies)[list(strategies).index(current) + 1 :] if current in strategies else []
    return following[0] if following else None


def out_of_memory(error: BaseException) -> bool:
    """Whether the GPU's memory ran out, in any of its forms; host memory is another matter."""
    return classify_out_of_memory(error) is MemoryKind.GPU


def _admitted(device: GPUDevice, candidates: Sequence[str], needed_bytes: Callable[[str], int]) -> Placement:
    reason = ""
    for number, strategy in enumerate(candidates):
        if strategy == "cpu":
            logger.warning("%s; running on the CPU instead", reason or "asked for the CPU")
            return ON_CPU
        admission = check_vram_availability(
            needed_bytes(strategy),
            device=device.uuid,
            raise_on_shortage=False,
            wait_seconds=RETURNING_MEMORY_SECONDS if number == 0 else 0.0,
        )
        if admission:
            return Placement(f"cuda:{_torch_index(device)}", strategy)
        reason = admission.reason
    raise TryAgainLater(reason)


def _usable_gpu() -> GPUDevice | None:
    """The GPU to use: there is one, and the torch this process has imported was built for it."""
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.version.cuda is None and getattr(torch.version, "hip", None) is None:
        return None
    try:
        device, problem = select_device()
    except GPUError as error:
        raise TryAgainLater(str(error)) from error
    if device is None:
        logger.info("no GPU: %s", problem)
    return device


def _torch_index(device: GPUDevice) -> int:
    """CUDA numbers visible devices from 0; the first visible one is the one chosen here."""
    return 0 if os.environ.get("CUDA_VISIBLE_DEVICES") else device.index


def _lease_timeout_seconds() -> float:
    given = os.environ.get("SCENE_RELAY_LEASE_TIMEOUT_SECONDS", "")
    return float(given) if given.replace(".", "", 1).isdigit() else LEASE_TIMEOUT_SECONDS
