"""Keeps this process within its budget of GPU memory: a hard limit in PyTorch's allocator, and a measure for the rest.

`torch.cuda.set_per_process_memory_limit` does not exist, though it is widely copied; what exists is a fraction of the
card, and it binds the caching allocator alone. The CUDA context, NCCL and libraries that allocate for themselves are
seen by the driver only: `held_by_us` is what `MemoryWatch` compares with the budget.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

from gpu_utils.probe import GPUDevice, names_our_pids
from gpu_utils.sizes import MIB, format_bytes

# The CUDA context, the kernels that libraries load and what they allocate for themselves: on an H200 (torch 2.11) the driver
# saw 693 to 766 MiB beside what the allocator had reserved while FLUX.1 painted.
CONTEXT_BYTES = 768 * MIB


def limit_allocator(budget_bytes: int, total_bytes: int, torch_number: int) -> float:
    """Bind PyTorch's allocator to the budget less the context; before the first tensor. Returns the fraction set.

    An allocation beyond it raises `torch.OutOfMemoryError` before the driver is asked. Raises ValueError where the
    budget does not even hold the context. Makes the CUDA context; torch must have been imported by the caller.
    Source: torch.cuda.set_per_process_memory_fraction, which wants a float.
    """
    if budget_bytes <= CONTEXT_BYTES:
        raise ValueError(
            f"a budget of {format_bytes(budget_bytes)} does not hold the CUDA context ({format_bytes(CONTEXT_BYTES)})"
        )
    torch: Any = sys.modules["torch"]
    fraction = min(1.0, (budget_bytes - CONTEXT_BYTES) / total_bytes)
    torch.cuda.set_per_process_memory_fraction(fraction, torch_number)
    return fraction


@dataclass(frozen=True)
class Excess:
    """More than the budget is held by this process, as the driver sees it."""

    held_bytes: int
    budget_bytes: int

    def __str__(self) -> str:
        return (
            f"this process holds {format_bytes(self.held_bytes)} of GPU memory, its budget is "
            f"{format_bytes(self.budget_bytes)}: allocations outside PyTorch's allocator count too"
        )


def held_by_us(device: GPUDevice, baseline_bytes: int | None = None) -> int | None:
    """What this process holds on a device as the driver sees it; None where that cannot be known.

    Where the driver does not name this process (WSL2, a container) what the device holds beyond `baseline_bytes`
    counts, if that is given: a neighbour's growth is then counted too, so give it only for a device of our own.
    """
    if names_our_pids():
        for process in device.processes or ():
            if process.pid == os.getpid() and process.used_bytes is not None:
                return process.used_bytes
    if baseline_bytes is None or device.used_bytes is None:
        return None
    return device.used_bytes - baseline_bytes
