"""A process that holds more than its budget is noticed, also when the allocator does not know."""

from __future__ import annotations

import os
import time

import pytest

from gpu_utils import budget
from gpu_utils.budget import BudgetWatchdog, limit_allocator
from gpu_utils.probe import Reading
from tests.gpu_utils.fakes import GIB, NO_DRIVER, FakeProbe, gpu, process

US = os.getpid()


@pytest.fixture
def our_pids_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "names_our_pids", lambda: True)


def held(gib: float | None, *, free: float = 10) -> Reading:
    return Reading((gpu(uuid="GPU-1", free=free, processes=(process(US, gib), process(99, 8))),))


@pytest.mark.usefixtures("our_pids_are_named")
def test_only_this_process_counts_where_the_driver_names_it() -> None:
    watchdog = BudgetWatchdog("GPU-1", 4 * GIB, probe=FakeProbe(held(3.9), held(5.0), held(4.5)))
    watchdog.look()
    within = watchdog.excess
    watchdog.look()
    watchdog.look()
    assert within is None
    assert watchdog.excess is not None and watchdog.excess.held_bytes == 5 * GIB
    assert "holds 5.0 GiB of GPU memory, its budget is 4.0 GiB" in str(watchdog.excess)


@pytest.mark.usefixtures("our_pids_are_named")
def test_where_the_driver_does_not_say_the_growth_of_the_device_counts() -> None:
    watchdog = BudgetWatchdog("GPU-1", 4 * GIB, baseline_bytes=6 * GIB, probe=FakeProbe(held(None, free=10)))
    watchdog.look()
    assert watchdog.excess is not None and watchdog.excess.held_bytes == 8 * GIB


@pytest.mark.parametrize("reading", [NO_DRIVER, held(None), Reading(fault=True, problem="lost")])
def test_a_driver_that_says_nothing_blames_nobody(reading: Reading) -> None:
    watchdog = BudgetWatchdog("GPU-1", 1, probe=FakeProbe(reading))
    watchdog.look()
    assert watchdog.excess is None


@pytest.mark.usefixtures("our_pids_are_named")
def test_the_thread_looks_by_itself_and_ends_with_the_block() -> None:
    with BudgetWatchdog("GPU-1", GIB, probe=FakeProbe(held(2.0))) as watchdog:
        deadline = time.monotonic() + 10
        while watchdog.excess is None and time.monotonic() < deadline:
            time.sleep(0.02)
    assert watchdog.excess is not None
    assert not watchdog._thread.is_alive()


def test_a_budget_smaller_than_a_context_is_refused_before_torch_is_asked() -> None:
    with pytest.raises(ValueError, match=r"0\.5 GiB does not hold the CUDA context|512.* does not hold"):
        limit_allocator(budget.CONTEXT_BYTES, 24 * GIB, 0)
