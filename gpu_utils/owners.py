"""Who a process is: by pid and start time, because a pid alone is given to someone else once its process has ended."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

_START_TIME_TOLERANCE_SECONDS = 2.0  # psutil adds the boot time, which a clock correction may move by a second


@dataclass(frozen=True)
class Owner:
    """A process, and in `label` what it is doing; ask `is_running` before sending it anything."""

    pid: int
    start_time: float
    label: str

    def is_running(self) -> bool:
        """Whether this very process is still there. Ask before sending it anything."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.start_time) < _START_TIME_TOLERANCE_SECONDS
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    @classmethod
    def this_process(cls, label: str) -> Owner:
        """The process that asks."""
        process = psutil.Process()
        return cls(process.pid, process.create_time(), label)
