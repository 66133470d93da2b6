"""Writes what memory was doing, line by line, to a JSONL file of bounded size; reads it back. Makes no CUDA context.

Every line is one moment, in the words of `log_vram_stats`. When the file reaches its bound every second line is dropped
and lines come half as often from then on: a night costs no more room than an hour, only detail.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gpu_utils.probe import Reading

PERIOD_SECONDS = 0.2
MAX_BYTES = 8 * 1024 * 1024


def device_words(reading: Reading) -> dict[str, dict[str, int | None]]:
    """Per GPU, by UUID: total, used and free, every process counted."""
    return {
        device.uuid: {
            "total_bytes": device.total_bytes,
            "used_bytes": device.used_bytes,
            "free_bytes": device.free_bytes,
        }
        for device in reading.devices
    }


class Recorder:
    """Appends samples to one file, of each source one every `period_seconds`. Never raises: a full disk costs samples only."""

    def __init__(self, path: Path, *, period_seconds: float = PERIOD_SECONDS, max_bytes: int = MAX_BYTES) -> None:
        self.period_seconds = period_seconds
        self._path = path
        self._max_bytes = max_bytes
        self._last: dict[int, float] = {}

    def due(self, source: int = 0) -> bool:
        """Whether the source's last sample is old enough; ask before reading what a sample needs. A source is a pid."""
        return source not in self._last or time.monotonic() - self._last[source] >= self.period_seconds

    def write(self, sample: Mapping[str, Any], source: int = 0) -> None:
        """Append one line, stamped with the time (`at`, seconds since 1970)."""
        self._last[source] = time.monotonic()
        line = json.dumps({"at": round(time.time(), 3), **sample}, ensure_ascii=False, default=str)
        with contextlib.suppress(OSError):
            with self._path.open("ab") as file:
                file.write(line.encode() + b"\n")
                size_bytes = file.tell()
            if size_bytes > self._max_bytes:
                self._thin_out()

    def _thin_out(self) -> None:
        self.period_seconds *= 2
        lines = self._path.read_bytes().splitlines(keepends=True)
        temporary = self._path.with_name(f".{self._path.name}.thinner")
        try:
            temporary.write_bytes(b"".join(lines[::2]))
            temporary.replace(self._path)
        finally:
            temporary.unlink(missing_ok=True)


def read_samples(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines, oldest first; torn or foreign lines are dropped, a missing file has none."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        with contextlib.suppress(ValueError):
            sample = json.loads(line)
            if isinstance(sample, dict):
                yield sample
