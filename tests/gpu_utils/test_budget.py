"""What this process holds is known from the driver, and a budget that holds no context is refused."""

from __future__ import annotations

import os

import pytest

from gpu_utils import budget
from gpu_utils.budget import held_by_us, limit_allocator
from tests.gpu_utils.fakes import GIB, gpu, process

US = os.getpid()


@pytest.mark.parametrize("named", [True, False])
def test_only_this_process_counts_where_the_driver_names_it(monkeypatch: pytest.MonkeyPatch, named: bool) -> None:
    monkeypatch.setattr(budget, "names_our_pids", lambda: named)
    device = gpu(free=10, processes=(process(US, 5), process(99, 8)))
    assert held_by_us(device) == (5 * GIB if named else None)


def test_where_the_driver_does_not_say_the_growth_of_the_device_counts() -> None:
    device = gpu(free=10, processes=(process(US, None),))
    assert held_by_us(device, baseline_bytes=6 * GIB) == 8 * GIB
    assert held_by_us(device) is None


def test_a_budget_smaller_than_a_context_is_refused_before_torch_is_asked() -> None:
    with pytest.raises(ValueError, match="768 MiB does not hold the CUDA context"):
        limit_allocator(budget.CONTEXT_BYTES, 24 * GIB, 0)
