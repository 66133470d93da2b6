"""Watches a device from inside the process that works on it: pressure, budget and the allocator, five times a second.

One thread that reads the driver and PyTorch's counters, and never raises. It only notices; what is done about it is
decided by the caller between two pieces of work, where memory can be given back safely.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from gpu_utils.budget import Excess, held_by_us
from gpu_utils.pressure import Pressure, PressureGauge
from gpu_utils.probe import Probe
from gpu_utils.stats import VRAMStats, get_vram_stats

PERIOD_SECONDS = 0.2


class MemoryWatch:
    """`with MemoryWatch(uuid, reserve_bytes=..., budget_bytes=...) as watch:` follows one device.

    `level` is the pressure on it, `excess` the largest excess over the budget so far, or None. `on_sample` hears every
    reading, `on_level` every change of level; both are called on the thread, and an error in them ends the watch, not
    the process.
    """

    def __init__(
        self,
        uuid: str,
        *,
        reserve_bytes: int,
        budget_bytes: int | None = None,
        baseline_bytes: int | None = None,
        on_sample: Callable[[VRAMStats], None] = lambda stats: None,
        on_level: Callable[[Pressure, VRAMStats], None] = lambda level, stats: None,
        probe: Probe | None = None,
    ) -> None:
        self.excess: Excess | None = None
        self._gauge = PressureGauge(max(1, reserve_bytes))
        self._uuid = uuid
        self._budget_bytes = budget_bytes
        self._baseline_bytes = baseline_bytes
        self._on_sample = on_sample
        self._on_level = on_level
        self._probe = probe
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory watch", daemon=True)

    @property
    def level(self) -> Pressure:
        """The pressure at the last reading."""
        return self._gauge.level

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join(timeout=2.0)

    def look(self) -> None:
        """Take one reading; the thread does so by itself."""
        stats = get_vram_stats(self._uuid, probe=self._probe)
        if stats.device is not None:
            changed = self._gauge.update(stats.device.free_bytes)
            held_bytes = held_by_us(stats.device, self._baseline_bytes)
            if self._budget_bytes is not None and held_bytes is not None:
                most_bytes = max(self._budget_bytes, self.excess.held_bytes if self.excess else 0)
                if held_bytes > most_bytes:
                    self.excess = Excess(held_bytes, self._budget_bytes)
            if changed:
                self._on_level(self.level, stats)
        self._on_sample(stats)

    def _watch(self) -> None:
        while not self._done.wait(PERIOD_SECONDS):
            self.look()
