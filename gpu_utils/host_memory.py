"""Host memory: what this process uses and what is left for it, the limits of its control groups included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class HostMemory:
    """`rss_bytes` and `peak_rss_bytes` of this process, `available_bytes` to it before something is killed."""

    rss_bytes: int
    peak_rss_bytes: int
    available_bytes: int


def read_host_memory(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> HostMemory:
    """Read now. Outside Linux there is no peak and no control group; the current size stands in for the peak."""
    rss_bytes = psutil.Process().memory_info().rss
    # VmHWM, not getrusage: ru_maxrss of a spawned process starts with its parent's size at the fork.
    peak = re.search(r"^VmHWM:\s+(\d+) kB", _read(proc / "self/status"), re.MULTILINE)
    available_bytes = psutil.virtual_memory().available
    within_group_bytes = cgroup_available_bytes(_read(proc / "self/cgroup"), cgroups)
    if within_group_bytes is not None:
        available_bytes = min(available_bytes, within_group_bytes)
    return HostMemory(rss_bytes, max(rss_bytes, int(peak.group(1)) * 1024 if peak else 0), available_bytes)


def cgroup_available_bytes(membership: str, cgroups: Path) -> int | None:
    """Room under the tightest memory limit from this process's group up to the root; None where no group has one.

    `membership` is the text of /proc/self/cgroup, of version 2 (`0::/path`) or 1 (`4:memory:/path`). Page cache counts
    as room, as in the kernel's own MemAvailable: it is dropped before anything is killed.
    """
    rooms = []
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, limit_name, usage_name, prefix = cgroups, "memory.max", "memory.current", ""
        elif "memory" in controllers.split(","):
            root, limit_name, usage_name, prefix = (
                cgroups / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_",
            )  # fmt: skip
        else:
            continue
        group = Path(path.lstrip("/"))
        for level in (root / group, *(root / parent for parent in group.parents)):
            limit, usage = _read(level / limit_name).strip(), _read(level / usage_name).strip()
            if limit.isdecimal() and usage.isdecimal():
                cached = re.findall(rf"^{prefix}(?:in)?active_file (\d+)$", _read(level / "memory.stat"), re.MULTILINE)
                rooms.append(max(0, int(limit) - int(usage) + sum(map(int, cached))))
    return min(rooms, default=None)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
