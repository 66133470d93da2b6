"""The memory timeline of a relay, `vram.jsonl`: about twice a second, what the device and our processes hold.

A failing sample never disturbs a stage, and reading makes no CUDA context.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import psutil

from gpu_utils.probe import default_probe
from stages.pipeline.events import append_event
from stages.pipeline.runner.child import Child

PERIOD_SECONDS = 0.5
MAX_SAMPLES = 200_000


class MemoryTimeline:
    """Appends samples to one file; keeps each child's peak."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: dict[int, float] = {}
        self._samples = 0

    def sample(self, child: Child) -> None:
        """Sample the child if its last sample is old enough."""
        now = time.monotonic()
        if now - self._last.get(child.process.pid, 0.0) < PERIOD_SECONDS or self._samples >= MAX_SAMPLES:
            return
        self._last[child.process.pid] = now
        self._samples += 1
        with contextlib.suppress(psutil.Error, OSError):
            host_bytes = psutil.Process(child.process.pid).memory_info().rss
            child.peak_host_bytes = max(child.peak_host_bytes, host_bytes)
            append_event(
                self._path,
                {
                    "at": round(time.time(), 3),
                    "stage": child.stage,
                    "pid": child.process.pid,
                    "host_bytes": host_bytes,
                    "gpus": {device.uuid: device.used_bytes for device in default_probe().read().devices},
                },
            )
