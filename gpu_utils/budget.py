"""Keeps this process within its budget of GPU memory: a hard limit in PyTorch's allocator, and a watchdog for the rest.

`torch.cuda.set_per_process_memory_limit` does not exist, though it is widely copied; what exists is a fraction of the
card, and it binds the caching allocator alone. The CUDA context, NCCL and libraries that allocate for themselves are
seen by the driver only, so a thread compares the driver's figure for this process with the budget.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from gpu_utils.devices import select_device
from gpu_utils.errors import GPUError
from gpu_utils.probe import Probe, names_our_pids
from gpu_utils.sizes import MIB, format_bytes

CONTEXT_BYTES = 512 * MIB  # the CUDA context and what libraries allocate for themselves: about 450 MiB measured
_PERIOD_SECONDS = 0.2


def limit_allocator(budget_bytes: int, total_bytes: int, torch_number: int) -> float:
    """Bind PyTorch's allocator to the budget less the context; before the first tensor. Returns the fraction set.

    An allocation beyond it raises `torch.OutOfMemoryError` before the driver is asked. Raises ValueError where the
    budget does not even hold the context. Makes the CUDA context. Source: torch.cuda.set_per_process_memory_fraction.
    """
    import torch

    if budget_bytes <= CONTEXT_BYTES:
        raise ValueError(
            f"a budget of {format_bytes(budget_bytes)} does not hold the CUDA context ({format_bytes(CONTEXT_BYTES)})"
        )
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


class BudgetWatchdog:
    """`with BudgetWatchdog(uuid, budget_bytes) as watchdog:` reads the driver five times a second, on a thread.

    `excess` is the largest excess seen so far, or None. Where the driver does not name this process (WSL2, a
    container) what the device holds beyond `baseline_bytes` counts, if that is given: a neighbour's growth is then
    counted too, so give it only on a device that this process has to itself. Never raises from the thread.
    """

    def __init__(
        self, uuid: str, budget_bytes: int, *, baseline_bytes: int | None = None, probe: Probe | None = None
    ) -> None:
        self.excess: Excess | None = None
        self._uuid = uuid
        self._budget_bytes = budget_bytes
        self._baseline_bytes = baseline_bytes
        self._probe = probe
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="budget watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join(timeout=2.0)

    def look(self) -> None:
        """Read once."""
        held_bytes = self._held_bytes()
        if held_bytes is not None and held_bytes > max(
            self._budget_bytes, self.excess.held_bytes if self.excess else 0
        ):
            self.excess = Excess(held_bytes, self._budget_bytes)

    def _watch(self) -> None:
        while not self._done.wait(_PERIOD_SECONDS):
            self.look()

    def _held_bytes(self) -> int | None:
        try:
            device, _ = select_device(self._uuid, probe=self._probe)
        except GPUError:
            return None
        if device is None:
            return None
        if names_our_pids():
            for process in device.processes or ():
                if process.pid == os.getpid() and process.used_bytes is not None:
                    return process.used_bytes
        if self._baseline_bytes is None or device.used_bytes is None:
            return None
        return device.used_bytes - self._baseline_bytes
