"""A process that holds GPU memory until only so much is free: a real neighbour, with plain allocations of the driver.

    python -m benchmarks.memory.neighbour

Reads lines from stdin: `free BYTES` takes or gives back until so much is free on the first GPU, `hold BYTES` holds so much.
Answers each with one line of JSON: {"free_bytes": ..., "held_bytes": ...}. Ends with its stdin. Needs no torch.
"""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from typing import Any

# Largest first: what is left is filled with ever smaller blocks. 2 MiB is the driver's own granularity.
BLOCK_BYTES = (2**30, 2**26, 2**21)


class Driver:
    """The few calls of the CUDA driver that are needed, on the first device, in a context of our own."""

    def __init__(self) -> None:
        self._cuda = ctypes.CDLL("libcuda.so.1")
        device, context = ctypes.c_int(), ctypes.c_void_p()
        self._call("cuInit", 0)
        self._call("cuDeviceGet", ctypes.byref(device), 0)
        self._call("cuCtxCreate_v2", ctypes.byref(context), 0, device)

    def free_bytes(self) -> int:
        """Free on the device, all processes counted."""
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        self._call("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
        return free.value

    def allocate(self, size_bytes: int) -> int | None:
        """The address of a new block; None when there is no room."""
        address = ctypes.c_uint64()
        if self._cuda.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(size_bytes)) != 0:
            return None
        return address.value

    def release(self, address: int) -> None:
        """Give a block back."""
        self._call("cuMemFree_v2", ctypes.c_uint64(address))

    def _call(self, name: str, *arguments: Any) -> None:
        code = getattr(self._cuda, name)(*arguments)
        if code != 0:
            raise OSError(f"{name} answered {code}")


class Holder:
    """The blocks that are held."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._blocks: list[tuple[int, int]] = []

    @property
    def held_bytes(self) -> int:
        """Bytes of all blocks."""
        return sum(size for _, size in self._blocks)

    def leave_free(self, free_bytes: int) -> None:
        """Take blocks until no more than this is free; give back where less is."""
        while self._blocks and self._driver.free_bytes() < free_bytes:
            self._give_back()
        for size in BLOCK_BYTES:
            while self._driver.free_bytes() - size >= free_bytes and self._take(size):
                pass

    def hold(self, held_bytes: int) -> None:
        """Hold as much as was asked, or as much as there is room for."""
        while self.held_bytes > held_bytes:
            self._give_back()
        for size in BLOCK_BYTES:
            while self.held_bytes + size <= held_bytes and self._take(size):
                pass

    def _give_back(self) -> None:
        address, _ = self._blocks.pop()
        self._driver.release(address)

    def _take(self, size: int) -> bool:
        address = self._driver.allocate(size)
        if address is not None:
            self._blocks.append((address, size))
        return address is not None


class Neighbour:
    """The process, as the benchmark speaks with it. Where there is no GPU nothing is started and every answer is None."""

    def __init__(self, present: bool) -> None:
        self._process = (
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.memory.neighbour"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            if present
            else None
        )

    def ask(self, command: str, size_bytes: int) -> dict[str, int] | None:
        """Send one line and give the answer."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return None
        process.stdin.write(f"{command} {size_bytes}\n")
        process.stdin.flush()
        answer: dict[str, int] = json.loads(process.stdout.readline())
        return answer

    def leave(self) -> None:
        """Let it end."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(10)


def main() -> None:
    """Hold until stdin ends."""
    driver = Driver()
    holder = Holder(driver)
    for line in sys.stdin:
        command, size = line.split()
        (holder.leave_free if command == "free" else holder.hold)(int(size))
        print(json.dumps({"free_bytes": driver.free_bytes(), "held_bytes": holder.held_bytes}), flush=True)


if __name__ == "__main__":
    main()
