"""May this much memory be taken? Answered from the device's free memory, so that other processes count.

Available = free as the driver sees it - reserve - what other leases were promised and have not yet used.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from gpu_utils.cleanup import force_cleanup
from gpu_utils.devices import select_device
from gpu_utils.errors import GPUMemoryShortage, GPUUnavailable
from gpu_utils.host_memory import read_host_memory
from gpu_utils.probe import GPUDevice, Probe
from gpu_utils.sizes import GIB, MIB, format_bytes

_POLL_SECONDS = 0.05  # 100 GiB of a killed process were back after 0.14 s on an H200


@dataclass(frozen=True)
class Admission:
    """The answer, true where it fits; `available_bytes` is what the caller may take, `reason` is one line."""

    fits: bool
    needed_bytes: int
    available_bytes: int
    reserve_bytes: int
    device: GPUDevice | None
    reason: str

    def __bool__(self) -> bool:
        return self.fits


def default_reserve_bytes(total_bytes: int) -> int:
    """What is left to the system: 4% of the card, at least 512 MiB, at most 1 GiB."""
    return min(max(total_bytes * 4 // 100, 512 * MIB), GIB)


def decide_admission(
    device: GPUDevice,
    needed_bytes: int,
    *,
    host_available_bytes: int,
    reserve_bytes: int | None = None,
    promised_bytes: int = 0,
    next_step: str = "stop it, or ask for less",
) -> Admission:
    """The decision by itself, from one reading.

    A device whose driver gives no memory figures but reports no problem shares the host's memory (Jetson, GB10):
    `host_available_bytes` counts there.
    """
    free_bytes = device.free_bytes
    if device.problem is not None:
        free_bytes = 0
    elif free_bytes is None:
        free_bytes = host_available_bytes
    if reserve_bytes is None:
        reserve_bytes = default_reserve_bytes(device.total_bytes or host_available_bytes)
    available_bytes = max(0, free_bytes - reserve_bytes - promised_bytes)
    fits = device.problem is None and needed_bytes <= available_bytes
    kept = f"{format_bytes(reserve_bytes)} kept in reserve"
    if promised_bytes:
        kept += f", {format_bytes(promised_bytes)} promised to others"
    figures = f"{device.label} has {format_bytes(free_bytes)} free, {format_bytes(needed_bytes)} needed ({kept})"
    if device.problem is not None:
        reason = f"{device.label} cannot be used, the driver reports: {device.problem}; see what nvidia-smi says"
    else:
        reason = figures if fits else f"{figures}; {device.holders()}: {next_step}"
    return Admission(fits, needed_bytes, available_bytes, reserve_bytes, device, reason)


def check_vram_availability(
    needed_bytes: int,
    device: object = None,
    *,
    reserve_bytes: int | None = None,
    promised_bytes: int = 0,
    raise_on_shortage: bool = True,
    wait_seconds: float = 0.0,
    next_step: str = "stop it, or ask for less",
    probe: Probe | None = None,
) -> Admission:
    """Whether `needed_bytes` can be taken on `device` now, other processes counted.

    A shortage is believed only after this process gave back what it can and the device was read again, then polled for
    up to `wait_seconds` for memory of a process that has just ended. `raise_on_shortage` chooses between
    `GPUMemoryShortage` (or `GPUUnavailable` for a lost device) and an answer that is false. Without any GPU the answer
    is false, says so, and nothing is raised. Raises `GPUUnavailable` for a device that was named and is not there, and
    ValueError for negative sizes.
    """
    if needed_bytes < 0 or promised_bytes < 0 or (reserve_bytes or 0) < 0:
        raise ValueError(f"sizes must not be negative: {needed_bytes=}, {reserve_bytes=}, {promised_bytes=}")

    def answer() -> Admission:
        found, problem = select_device(device, probe=probe)
        if found is None:
            return Admission(
                False, needed_bytes, 0, 0, None, f"no GPU ({problem}), {format_bytes(needed_bytes)} needed"
            )
        return decide_admission(
            found,
            needed_bytes,
            host_available_bytes=read_host_memory().available_bytes,
            reserve_bytes=reserve_bytes,
            promised_bytes=promised_bytes,
            next_step=next_step,
        )

    admission = answer()
    if admission.fits or admission.device is None:
        return admission
    force_cleanup()
    deadline = time.monotonic() + wait_seconds
    while not (admission := answer()).fits and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    if not admission.fits and raise_on_shortage:
        lost = admission.device is not None and admission.device.problem is not None
        raise (GPUUnavailable if lost else GPUMemoryShortage)(admission.reason)
    return admission
