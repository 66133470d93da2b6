"""The watch notices pressure and excess by itself, tells each change once, and never ends the process."""

from __future__ import annotations

import os
import time

import pytest

from gpu_utils import budget
from gpu_utils.pressure import Pressure
from gpu_utils.probe import Reading
from gpu_utils.watch import MemoryWatch
from tests.gpu_utils.fakes import GIB, NO_DRIVER, FakeProbe, gpu, process

US = os.getpid()


def reading(free: float, held: float | None = None) -> Reading:
    return Reading((gpu(uuid="GPU-1", free=free, processes=(process(US, held),)),))


def test_every_change_of_pressure_is_told_once() -> None:
    told: list[Pressure] = []
    probe = FakeProbe(*(reading(free) for free in (8, 8, 0.9, 0.9, 0.3, 8)))
    watch = MemoryWatch("GPU-1", reserve_bytes=GIB, on_level=lambda level, stats: told.append(level), probe=probe)
    for _ in range(7):
        watch.look()
    assert told == [Pressure.HIGH, Pressure.CRITICAL, Pressure.LOW]
    assert watch.level is Pressure.LOW


def test_the_largest_excess_over_the_budget_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "names_our_pids", lambda: True)
    probe = FakeProbe(reading(12, 3.9), reading(11, 5.0), reading(11, 4.5))
    watch = MemoryWatch("GPU-1", reserve_bytes=GIB, budget_bytes=4 * GIB, probe=probe)
    watch.look()
    within = watch.excess
    watch.look()
    watch.look()
    assert within is None
    assert "holds 5.0 GiB of GPU memory, its budget is 4.0 GiB" in str(watch.excess)


@pytest.mark.parametrize("answer", [NO_DRIVER, Reading(fault=True, problem="lost"), reading(5, None)])
def test_a_driver_that_says_nothing_blames_nobody(answer: Reading) -> None:
    heard: list[object] = []
    watch = MemoryWatch("GPU-1", reserve_bytes=GIB, budget_bytes=1, on_sample=heard.append, probe=FakeProbe(answer))
    watch.look()
    assert watch.excess is None and watch.level is Pressure.LOW and len(heard) == 1


def test_the_thread_looks_by_itself_and_ends_with_the_block() -> None:
    with MemoryWatch("GPU-1", reserve_bytes=GIB, probe=FakeProbe(reading(0.1))) as watch:
        deadline = time.monotonic() + 10
        while watch.level is Pressure.LOW and time.monotonic() < deadline:
            time.sleep(0.02)
    assert watch.level is Pressure.CRITICAL
    assert not watch._thread.is_alive()
