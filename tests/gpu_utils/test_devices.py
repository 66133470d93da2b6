"""Which GPU is meant."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from gpu_utils import GPUUnavailable, Reading, get_vram_stats, select_device
from gpu_utils.devices import visible_devices
from tests.gpu_utils.fakes import NO_DRIVER, FakeProbe, gpu, one

A, B, C = gpu(0, uuid="GPU-aa11"), gpu(1, uuid="GPU-ab22", name="NVIDIA A2"), gpu(2, uuid="GPU-cc33")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "A B C"),
        ("2,0", "C A"),
        ("GPU-cc33,GPU-aa", "C A"),
        (" 1 , GPU-cc", "B C"),
        ("GPU-a", ""),  # names two: CUDA sees none
        ("0,-1,1", "A"),  # what follows an invalid entry is hidden
        ("0,9,1", "A"),
        ("1,1", ""),
        ("", ""),
        ("NoDevFiles", ""),
    ],
)
def test_cuda_visible_devices_is_read_as_cuda_reads_it(value: str | None, expected: str) -> None:
    names = {"A": A, "B": B, "C": C}
    environment = {} if value is None else {"CUDA_VISIBLE_DEVICES": value}
    assert visible_devices(Reading((A, B, C)), environment) == tuple(names[name] for name in expected.split())


def test_a_permuted_environment_decides_what_cuda_0_is() -> None:
    chosen, _ = select_device("cuda:0", probe=one(A, B, C), environment={"CUDA_VISIBLE_DEVICES": "2,1"})
    assert chosen == C


def test_a_uuid_is_found_whatever_is_visible() -> None:
    assert select_device("GPU-ab22", probe=one(A, B), environment={"CUDA_VISIBLE_DEVICES": ""})[0] == B


def test_a_named_gpu_that_is_not_there_is_an_error_and_no_gpu_at_all_is_not() -> None:
    with pytest.raises(GPUUnavailable, match="no GPU 3 here, 2 visible"):
        select_device(3, probe=one(A, B), environment={})
    with pytest.raises(GPUUnavailable, match="GPU-ff"):
        select_device("GPU-ff", probe=one(A, B))
    with pytest.raises(GPUUnavailable, match="names no GPU"):
        select_device("tpu", probe=one(A, B))
    assert select_device(probe=FakeProbe(NO_DRIVER)) == (None, NO_DRIVER.problem)


def test_a_driver_that_fails_is_an_error() -> None:
    with pytest.raises(GPUUnavailable, match="version mismatch"):
        select_device(probe=FakeProbe(Reading(problem="Driver/library version mismatch", fault=True)))


class FakeCuda:
    """torch.cuda with a context, whose device order is not the driver's."""

    uuids = ("cc33", "aa11")

    def is_initialized(self) -> bool:
        return True

    def current_device(self) -> int:
        return 0

    def device_count(self) -> int:
        return len(self.uuids)

    def get_device_properties(self, number: int) -> Any:
        return SimpleNamespace(uuid=self.uuids[number], name="NVIDIA")

    def mem_get_info(self, number: int) -> tuple[int, int]:
        return 10, 100

    def memory_allocated(self, number: int) -> int:
        return 5 + number

    memory_reserved = max_memory_allocated = max_memory_reserved = memory_allocated


def test_with_a_context_torchs_own_uuids_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=FakeCuda()))
    assert select_device(probe=one(A, B, C), environment={})[0] == C
    assert select_device(1, probe=one(A, B, C), environment={})[0] == A
    stats = get_vram_stats("GPU-aa11", probe=one(A, B, C))
    assert stats.allocated_bytes == 6


def test_without_nvml_a_context_still_gives_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=FakeCuda()))
    device, _ = select_device(probe=FakeProbe(NO_DRIVER))
    assert device is not None
    assert (device.free_bytes, device.total_bytes) == (10, 100)
