"""One moment of memory: the device as the driver sees it, this process as PyTorch sees it, and the host.

`used` counts every process on the device, `allocated` only this one's tensors: `total - allocated` is not what is free.
Reading makes no CUDA context and imports no torch.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from gpu_utils.devices import initialised_torch, select_device, torch_number
from gpu_utils.errors import GPUUnavailable
from gpu_utils.host_memory import HostMemory, read_host_memory
from gpu_utils.probe import GPUDevice, Probe
from gpu_utils.sizes import format_bytes


@dataclass(frozen=True)
class AllocatorStats:
    """PyTorch's words for this process on one device; `reserved` includes `allocated`, peaks count from the start."""

    allocated_bytes: int
    reserved_bytes: int
    peak_allocated_bytes: int
    peak_reserved_bytes: int


@dataclass(frozen=True)
class VRAMStats:
    """What `get_vram_stats` read; `device` is None without a GPU, `allocator` without torch or a CUDA context."""

    device: GPUDevice | None
    allocator: AllocatorStats | None
    host: HostMemory
    problem: str | None = None

    @property
    def allocated_bytes(self) -> int:
        """Bytes in this process's tensors; 0 without a CUDA context."""
        return 0 if self.allocator is None else self.allocator.allocated_bytes

    def __str__(self) -> str:
        host = (
            f"host {format_bytes(self.host.rss_bytes)}, peak {format_bytes(self.host.peak_rss_bytes)}, "
            f"{format_bytes(self.host.available_bytes)} available"
        )
        if self.device is None:
            return f"no GPU ({self.problem}); {host}"
        parts = [
            f"{self.device.label} used {format_bytes(self.device.used_bytes)} of "
            f"{format_bytes(self.device.total_bytes)}, {format_bytes(self.device.free_bytes)} free"
        ]
        if self.device.problem:
            parts.append(f"the driver reports: {self.device.problem}")
        if self.allocator is not None:
            parts.append(
                f"this process allocated {format_bytes(self.allocator.allocated_bytes)}, "
                f"reserved {format_bytes(self.allocator.reserved_bytes)}, "
                f"peak {format_bytes(self.allocator.peak_reserved_bytes)}"
            )
        return "; ".join([*parts, host])


def get_vram_stats(device: object = None, *, probe: Probe | None = None) -> VRAMStats:
    """Read now; a missing or lost GPU is said in `problem`, never raised: a measurement must not end the work."""
    try:
        found, problem = select_device(device, probe=probe)
    except GPUUnavailable as error:
        found, problem = None, str(error)
    allocator = None
    torch = initialised_torch()
    if torch is not None and found is not None:
        number = torch_number(torch, found)
        allocator = AllocatorStats(
            torch.cuda.memory_allocated(number),
            torch.cuda.memory_reserved(number),
            torch.cuda.max_memory_allocated(number),
            torch.cuda.max_memory_reserved(number),
        )
    return VRAMStats(found, allocator, read_host_memory(), problem)


def log_vram_stats(
    label: str, *, device: object = None, logger: logging.Logger | None = None, probe: Probe | None = None
) -> VRAMStats:
    """Write one line, `label: what get_vram_stats read`, at level INFO, and return the stats."""
    stats = get_vram_stats(device, probe=probe)
    (logger or logging.getLogger(__name__)).info("%s: %s", label, stats)
    return stats
