"""One piece of GPU work, framed: memory logged before and after, given back, and what stayed said aloud."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Self

from gpu_utils.admission import check_vram_availability
from gpu_utils.cleanup import force_cleanup, release_traceback
from gpu_utils.out_of_memory import is_out_of_memory
from gpu_utils.probe import Probe
from gpu_utils.sizes import MIB, format_bytes
from gpu_utils.stats import VRAMStats, log_vram_stats

# cuBLAS keeps a workspace (32 MiB on Hopper) allocated for the life of the process: not a leak.
STAYED_TOLERANCE_BYTES = 64 * MIB


class VRAMContext:
    """`with VRAMContext("images") as memory:` logs memory before, after the work and after cleanup; no GPU is needed.

    Afterwards `before` and `after` hold the readings, `given_back_bytes` what the driver got back and `stayed_bytes`
    what this process's tensors hold more than before; a warning names it when it exceeds 64 MiB. `cleanup=False` only
    looks. After an out-of-memory the failed frames are emptied, so that their tensors go too; variables of the function
    that contains the `with` belong to it and stay.
    """

    def __init__(
        self,
        label: str,
        *,
        device: object = None,
        cleanup: bool = True,
        logger: logging.Logger | None = None,
        probe: Probe | None = None,
    ) -> None:
        self.label = label
        self.before: VRAMStats | None = None
        self.after: VRAMStats | None = None
        self.given_back_bytes = 0
        self.stayed_bytes = 0
        self._device = device
        self._cleanup = cleanup
        self._logger = logger or logging.getLogger(__name__)
        self._probe = probe

    def __enter__(self) -> Self:
        self.before = self._log("before")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.after = self._log("after the work")
        if self._cleanup:
            if error is not None and is_out_of_memory(error):
                release_traceback(error)
            try:
                self.given_back_bytes = force_cleanup()
            except RuntimeError as cleanup_error:
                if error is None:
                    raise
                self._logger.warning("%s: cleanup after an error failed too: %s", self.label, cleanup_error)
            self.after = self._log("after cleanup")
        self.stayed_bytes = self.after.allocated_bytes - (self.before.allocated_bytes if self.before else 0)
        if self._cleanup and self.stayed_bytes > STAYED_TOLERANCE_BYTES:
            self._logger.warning(
                "%s: %s stayed: a variable, a cache or a traceback still refers to it", self.label,
                format_bytes(self.stayed_bytes),
            )  # fmt: skip

    def _log(self, moment: str) -> VRAMStats:
        return log_vram_stats(f"{self.label}, {moment}", device=self._device, logger=self._logger, probe=self._probe)


def managed_execution(
    label: str,
    *,
    needed_bytes: int | None = None,
    device: object = None,
    logger: logging.Logger | None = None,
    probe: Probe | None = None,
) -> VRAMContext:
    """A `VRAMContext` that first checks, if `needed_bytes` is given, that so much can be taken.

    Raises `GPUMemoryShortage` before anything is loaded. Without a GPU nothing is checked.
    """
    if needed_bytes is not None:
        check_vram_availability(needed_bytes, device, probe=probe)
    return VRAMContext(label, device=device, logger=logger, probe=probe)
